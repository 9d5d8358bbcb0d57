"""Everything at once: two runs of different scopes, uploads, a freeze, the public edition and readers.

Belongs here: that nobody who uses the warehouse meanwhile sees an error, and that one right result is left.
Does not: processes that die (test_killed_servers.py), a burst that the daemon takes (test_load.py).
"""

from __future__ import annotations

import random
import shutil
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import duckdb
import pytest

from examples.generate import generate
from tests.integration.conftest import HEADER, lines
from tests.integration.test_cycle import COMMUNITIES, TODAY, YEAR, few_seeds, file_of
from tests.support import cradle, current

READERS = 50
UPLOADS = 20
INDICATOR = "graduation_4yr_pct"


def settings(home: Path, seeds: Path) -> dict[str, str | Path]:
    """What a command over a home is given."""
    return {"CRADLE_HOME": home, "CRADLE_SEEDS": seeds, "CRADLE_TODAY": TODAY, "CRADLE_SETTLE_SECONDS": "0"}


def read(home: Path, stop: threading.Event, faults: list[str], chance: random.Random) -> int:
    """Open what is current again and again as a BI tool does; how often it was read."""
    times = 0
    while not stop.is_set():
        try:
            with duckdb.connect(str(home / "publish" / "current.duckdb"), read_only=True) as connection:
                named = connection.execute("select count(*) from marts.dim_community").fetchone()
            shown = current(home)
            if named != (COMMUNITIES,) or not shown.manifest["tables"]:
                faults.append(f"{named} communities in {shown.folder}")
        except (duckdb.Error, OSError, ValueError) as error:
            faults.append(f"{type(error).__name__}: {error}")
        times += 1
        stop.wait(chance.uniform(2, 6))
    return times


def upload(home: Path, community: str) -> None:
    """A file that is corrected again and again, each time whole, as a synchronising service puts it."""
    target = home / "drop" / community / str(YEAR) / "corrected.csv"
    for number in range(UPLOADS):
        part = home / f"upload-{number}"
        part.write_text(HEADER + lines(INDICATOR, {2019: (40 + number, 90)}), encoding="utf-8")
        part.replace(target)
        time.sleep(0.5)


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a released home and its reference data."""
    folder = tmp_path_factory.mktemp("busy")
    generate(folder / "home" / "drop", communities=COMMUNITIES, first_year=2019, last_year=2024)
    done = cradle("run", **settings(folder / "home", few_seeds(folder / "seeds")))
    assert done.returncode == 0, done.stderr
    return folder


def test_runs_uploads_a_freeze_the_public_edition_and_readers_at_once_end_in_one_right_release(busy: Path) -> None:
    home, own = busy / "home", settings(busy / "home", busy / "seeds")
    first, second, *_, third = sorted(path.name for path in (home / "drop").iterdir() if not path.name.startswith("_"))
    commands = (
        ("run", "--community", first),
        ("run", "--community", second, "--years", "2022..2024"),
        ("freeze", str(YEAR)),
        ("public",),
        ("status", "--json"),
        ("verify",),
    )
    stop, faults = threading.Event(), list[str]()
    with ThreadPoolExecutor(READERS + len(commands) + 1) as pool:
        readers = [pool.submit(read, home, stop, faults, random.Random(number)) for number in range(READERS)]
        uploading = pool.submit(upload, home, third)
        running = [pool.submit(cradle, *command, **own) for command in commands]
        ended: list[subprocess.CompletedProcess[str]] = [one.result() for one in running]
        uploading.result()
        stop.set()
        times = [reader.result() for reader in readers]
    assert [(one.args[1:], one.stderr) for one in ended if one.returncode] == []
    assert faults == []
    assert min(times) > 1, "every reader read while the others wrote"
    assert any("waiting" in one.stderr + one.stdout for one in ended), "they did overlap"
    assert file_of(home).is_file()
    done = cradle("run", **own)
    assert done.returncode == 0, done.stderr
    _the_right_one(busy, home)


def _the_right_one(busy: Path, home: Path) -> None:
    """The release of one quiet run over the same uploads and the same frozen cycle."""
    quiet = busy / "quiet"
    shutil.copytree(home / "drop", quiet / "drop")
    shutil.copytree(home / "lake" / "frozen", quiet / "lake" / "frozen")
    done = cradle("run", **settings(quiet, busy / "seeds"))
    assert done.returncode == 0, done.stderr
    assert current(quiet).hashes == current(home).hashes
    for command in ("verify", "reconcile"):
        assert cradle(command, **settings(home, busy / "seeds")).returncode == 0, command
