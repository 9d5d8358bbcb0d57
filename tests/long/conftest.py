"""A small network and the release that a run makes of it when nothing disturbs it.

Belongs here: what the faults of this folder are measured against, made once a session.
Does not: faults, expectations (test_*.py).
"""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from examples.generate import generate
from tests.integration.conftest import EXAMPLE_TODAY, HEADER, Run, lines, run, small_seeds
from tests.support import cradle

VALUES = HEADER + lines("grade3_reading_proficient_pct", {2017: (44, 80), 2018: (47, 80)})


@dataclass(frozen=True)
class Network:
    """A drop folder, its seeds, and the release of both."""

    drop: Path
    calm: Run

    def settings(self, home: Path, **more: str | Path) -> dict[str, str | Path]:
        """What a command over another home with the same uploads is given."""
        own: dict[str, str | Path] = {"CRADLE_HOME": home, "CRADLE_SEEDS": self.calm.seeds}
        return own | {"CRADLE_TODAY": EXAMPLE_TODAY, "CRADLE_SETTLE_SECONDS": "0"} | more

    def home(self, home: Path) -> Path:
        """Put the uploads into another home."""
        shutil.copytree(self.drop, home / "drop")
        return home

    def run(self, home: Path, **more: str | Path) -> subprocess.CompletedProcess[str]:
        """The command over another home."""
        return cradle("run", **self.settings(home, **more))


@pytest.fixture(scope="session")
def network(tmp_path_factory: pytest.TempPathFactory) -> Network:
    """Three communities over two years, and the run that nothing disturbed."""
    folder = tmp_path_factory.mktemp("calm")
    drop = folder / "home" / "drop"
    generate(drop, communities=2, first_year=2017, last_year=2018)
    (drop / "reedmere" / "2018").mkdir(parents=True)
    (drop / "reedmere" / "2018" / "values.csv").write_text(VALUES, encoding="utf-8")
    calm = run(folder / "home", small_seeds(folder / "seeds"), EXAMPLE_TODAY)
    return Network(drop, calm)


def ends_in_one_line(done: subprocess.CompletedProcess[str]) -> str:
    """The line that a command ended with; a fault if it ended otherwise."""
    assert done.returncode == 1, done.stdout + done.stderr
    assert "Traceback" not in done.stderr, done.stderr
    line, hint = done.stderr.strip().splitlines()[-2:]
    assert line.startswith("cradle: ") and hint.lstrip().startswith("hint: "), done.stderr
    return line
