"""Runs that are killed at any moment: what is current stays whole, and the next run ends where an undisturbed one does.

Belongs here: kill -9 of the command and all its processes at moments drawn by a seed, each after an upload changed.
Does not: faults of a bucket (tests/unit/base/test_store_faults.py), a full disk, the daemon's own recovery.

CRADLE_KILLS says how many (`make torture`: 1,000).
"""

from __future__ import annotations

import hashlib
import math
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from examples.generate import generate
from tests.integration.conftest import EXAMPLE_TODAY, HEADER, Run, lines, run, small_seeds
from tests.support import Published, clean_environment, current
from tests.warm import start_warm, warm_cradle

KILLS = int(os.environ.get("CRADLE_KILLS", "8"))
SEED = 20181231
FIRST = lines("grade3_reading_proficient_pct", {2017: (44, 80), 2018: (47, 80)})
UPLOAD = Path("reedmere") / "2018" / "values.csv"


@dataclass
class Killed:
    """What was seen after each kill, the run that ended in peace afterwards, and the one that nothing disturbed."""

    undisturbed: Published
    after: Run | None = None
    faults: list[str] = field(default_factory=list)
    killed: int = 0


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Killed:
    folder = tmp_path_factory.mktemp("killed")
    seeds = small_seeds(folder / "seeds")
    for home in ("calm", "killed"):
        drop = folder / home / "drop"
        generate(drop, communities=2, first_year=2017, last_year=2018)
        (drop / UPLOAD).parent.mkdir(parents=True)
        (drop / UPLOAD).write_text(HEADER + FIRST, encoding="utf-8")
    work = run_until(folder / "calm", seeds)
    seen = Killed(current(folder / "calm"))
    chance, home = random.Random(SEED), folder / "killed"
    # One kill in each part of a run's work, in an order of its own, so that every step is met.
    for number, part in enumerate(chance.sample(range(KILLS), KILLS)):
        moment = work * (0.1 + 0.85 * (part + chance.random()) / KILLS)
        changed = lines("grade3_reading_proficient_pct", {2017: (44, 80), 2018: (48 + number % 20, 80)})
        (home / "drop" / UPLOAD).write_text(HEADER + changed, encoding="utf-8")
        was_killed = run_until(home, seeds, moment) >= moment
        seen.killed += was_killed
        seen.faults += faults_of(home, number)
        print(f"kill {number + 1} of {KILLS} at {moment:.1f} of {work:.1f} s: {'' if was_killed else 'ended before'}")
    (home / "drop" / UPLOAD).write_text(HEADER + FIRST, encoding="utf-8")
    seen.after = run(home, seeds, EXAMPLE_TODAY, warm_cradle)
    return seen


def run_until(home: Path, seeds: Path, seconds: float = math.inf) -> float:
    """Run the command and kill it with all its children once they have computed for so long; how long they did.

    Computing and not waiting is counted, so that the moments are the same on a machine that others use; reading
    libraries is no part of it, so that each moment lies in the work of the house.
    """
    own = {"CRADLE_HOME": home, "CRADLE_SEEDS": seeds, "CRADLE_TODAY": EXAMPLE_TODAY, "CRADLE_SETTLE_SECONDS": "0"}
    process, so_far = start_warm(["run"], own), 0.0
    while process.is_alive() and so_far < seconds:
        so_far = max(so_far, computed(process.pid or 0))
        time.sleep(0.1)
    if process.is_alive():
        os.killpg(process.pid or 0, signal.SIGKILL)
    process.join()
    assert process.exitcode in (0, -signal.SIGKILL)
    return so_far


def computed(session: int) -> float:
    """Seconds that the processes of a session, and their children that have ended, have computed."""
    ticks = 0
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(FileNotFoundError, ProcessLookupError):
            fields = path.read_text(encoding="utf-8").rpartition(") ")[2].split()
            ticks += sum(map(int, fields[11:15])) if int(fields[3]) == session else 0
    return ticks / os.sysconf("SC_CLK_TCK")


def faults_of(home: Path, number: int) -> list[str]:
    """What is not whole of the release that is current after a kill; there may be none yet."""
    if not (home / "publish" / "current").is_file():
        return []
    release = current(home)
    found = [
        f"kill {number}: {file['path']} is not what its manifest says"
        for file in release.manifest["files"]
        if hashlib.sha256((release.folder / file["path"]).read_bytes()).hexdigest() != file["sha256"]
    ]
    tables = release.rows("select count(*) from information_schema.tables where table_schema = 'marts'")[0][0]
    if tables != len(release.manifest["tables"]):
        found.append(f"kill {number}: {tables} tables of {len(release.manifest['tables'])}")
    return found


def test_runs_were_killed_in_their_middle(killed: Killed) -> None:
    assert killed.killed >= KILLS // 2


def test_what_is_current_after_a_kill_is_whole(killed: Killed) -> None:
    assert killed.faults == []


def test_the_run_after_the_kills_ends_where_an_undisturbed_one_does(killed: Killed) -> None:
    assert killed.after is not None
    assert killed.after.release.hashes == killed.undisturbed.hashes


def test_no_file_is_counted_twice_or_lost(killed: Killed) -> None:
    assert killed.after is not None
    files = "select folder, reporting_year, source_file from marts.fct_submission_file order by all"
    assert killed.after.release.rows(files) == killed.undisturbed.rows(files)
    doctor = shutil.which("cradle", path=str(Path(sys.executable).parent))
    own = {"CRADLE_HOME": killed.after.home, "CRADLE_SEEDS": killed.after.seeds, "CRADLE_TODAY": EXAMPLE_TODAY}
    for command in ("reconcile", "doctor"):
        done = subprocess.run(
            [str(doctor), command], env=clean_environment(**own), capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr


def test_nothing_that_a_killed_run_was_building_is_left(killed: Killed) -> None:
    assert killed.after is not None
    work = killed.after.home / "work"
    assert [path.name for pattern in ("release-*", "public-*", "dbt-*") for path in work.glob(pattern)] == []
