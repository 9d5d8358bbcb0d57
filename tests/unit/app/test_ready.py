"""What was found right of seeds and layouts is remembered, and what changed is looked at again.

Belongs here: when the looking is left out, and what makes it anew.
Does not: which faults there are (tests/unit/seeds, tests/unit/intake).
"""

from __future__ import annotations

import datetime as dt
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from dagster_project.lib.app import ready
from dagster_project.lib.app.ready import FOUND_RIGHT, require_ready
from dagster_project.lib.base.reference import Reference, SeedError
from tests.support import PROJECT

TODAY = dt.date(2026, 6, 30)
# What only steps need: the engine, numbers, pages, jobs.
HEAVY = ("duckdb", "numpy", "pyarrow", "jinja2", "highspy", "sklearn", "openpyxl", "dagster", "dbt")


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The seeds folders that were looked at."""
    seen: list[Path] = []

    def found(reference: Reference, ruleset: object) -> list[str]:
        seen.append(reference.folder)
        return ["seeds/network/network.csv: a fault"] if (reference.folder / "fault").exists() else []

    monkeypatch.setattr(ready, "reference_faults", found)
    return seen


@pytest.fixture
def seeds(tmp_path: Path) -> Path:
    shutil.copytree(PROJECT / "seeds", tmp_path / "seeds")
    return tmp_path / "seeds"


def test_what_was_found_right_is_not_looked_at_again(seeds: Path, tmp_path: Path, looks: list[Path]) -> None:
    for _ in range(3):
        require_ready(Reference(seeds), TODAY, tmp_path)
    assert looks == [seeds]


@pytest.mark.parametrize("name", ["network/contacts.csv", "_seeds.yml", "dictionary/groups.csv"])
def test_a_changed_file_is_looked_at_again(seeds: Path, tmp_path: Path, looks: list[Path], name: str) -> None:
    require_ready(Reference(seeds), TODAY, tmp_path)
    with (seeds / name).open("a", encoding="utf-8") as file:
        file.write("\n")
    require_ready(Reference(seeds), TODAY, tmp_path)
    assert len(looks) == 2


def test_another_day_other_rules_and_other_code_are_looked_at_again(
    seeds: Path, tmp_path: Path, looks: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    require_ready(Reference(seeds), TODAY, tmp_path)
    require_ready(Reference(seeds), TODAY + dt.timedelta(days=1), tmp_path)
    require_ready(Reference(seeds), ("toa-default", "1.0.0"), tmp_path)
    monkeypatch.setattr(ready, "code_version", lambda root: "another")
    require_ready(Reference(seeds), ("toa-default", "1.0.0"), tmp_path)
    assert len(looks) == 4


def test_a_fault_is_told_each_time(seeds: Path, tmp_path: Path, looks: list[Path]) -> None:
    (seeds / "fault").touch()
    for _ in range(2):
        with pytest.raises(SeedError, match="a fault"):
            require_ready(Reference(seeds), TODAY, tmp_path)
    assert len(looks) == 2 and not (tmp_path / FOUND_RIGHT).exists()


def test_a_damaged_note_and_a_missing_folder_cost_a_look_and_nothing_else(
    seeds: Path, tmp_path: Path, looks: list[Path]
) -> None:
    (tmp_path / FOUND_RIGHT).write_bytes(b"\xff")
    require_ready(Reference(seeds), TODAY, tmp_path)
    require_ready(Reference(seeds), TODAY, tmp_path / "none")
    require_ready(Reference(seeds), TODAY)
    assert len(looks) == 3 and not (tmp_path / "none").exists()


def test_what_asks_whether_anything_is_new_loads_no_engine_no_numbers_and_no_pages() -> None:
    asked = "cli.main", "instance.runs", "lib.app.ready", "lib.app.stands.house", "lib.app.stands.public"
    loads = "; ".join(f"import dagster_project.{name}" for name in asked)
    script = f"import sys; {loads}; print(*(name for name in {HEAVY!r} if name in sys.modules))"
    said = subprocess.run([sys.executable, "-c", script], cwd=PROJECT, check=True, capture_output=True, text=True)
    assert said.stdout.split() == []
