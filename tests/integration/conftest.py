"""The runs that integration tests look at, each made once a session with the command a user types.

Belongs here: the Connecticut network's run, the small example network and its runs (again, changed, elsewhere).
Does not: expectations (test_*.py), or calling any module of the warehouse: the command is called as a whole.
"""

from __future__ import annotations

import csv
import fcntl
import os
import pickle
import random
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import pytest

from examples.generate import generate
from tests.support import PROJECT, Published, cradle, current, real_data
from tests.warm import warm_cradle

Command: TypeAlias = Callable[..., subprocess.CompletedProcess[str]]

CONNECTICUT_TODAY = "2026-06-30"
EXAMPLE_TODAY = "2018-12-31"
EXAMPLE_COMMUNITIES = 6
EXAMPLE_YEARS = (2015, 2018)
HEADER = "school_year,indicator,dimension,group,numerator,denominator,value,series\n"
# Two communities of this test's own stand beside the generated ones, so that each claim has figures it can state.
OWN_COMMUNITIES = (("quill_harbor", "Quill Harbor", "OR", 2015), ("reedmere", "Reedmere", "OH", 2015))
SECRET_NAMES = ("Zyxwvut", "Qplmokn", "Rbtxnwq")
SECRETS = (*SECRET_NAMES, "PUPIL-ZQ")
PERSONS = "student_id,first_name,last_name,date_of_birth,grade,days_absent\n" + "".join(
    f"PUPIL-ZQ{number},{name},Mcinvented{number},2011-01-0{number},3,4\n" for number, name in enumerate(SECRET_NAMES, 1)
)
KEYS = ("canary-of-the-bucket-Wq7", "canary-of-the-links-Wq7-and-twelve-more", "canary-of-the-mails-Wq7")
WITH_KEYS = {
    "AWS_SECRET_ACCESS_KEY": KEYS[0],
    "CRADLE_SERVE_SECRET": KEYS[1],
    "CRADLE_SMTP_URL": f"smtp://network:{KEYS[2]}@127.0.0.1:9/?from=data@example.org",
}
"""Secrets that every run is given as in production, to be looked for in what it leaves behind."""
PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 8
UNKNOWN = "Campus tile,Widget,Sparkline\nNorth wing,17,up\nSouth wing,21,flat\n"


@dataclass(frozen=True)
class Run:
    """One run of the command: its home, its seeds, what it printed, and the release that was current after it."""

    home: Path
    seeds: Path
    process: subprocess.CompletedProcess[str]
    release: Published


def run(home: Path, seeds: Path, today: str, command: Command = cradle) -> Run:
    """Run the main job; every test of this run fails with the command's own words if it does."""
    settings = {"CRADLE_HOME": home, "CRADLE_SEEDS": seeds, "CRADLE_TODAY": today, "CRADLE_SETTLE_SECONDS": "0.5"}
    process = command("run", **settings, **WITH_KEYS)
    if process.returncode:
        pytest.fail(f"cradle run ended with {process.returncode}:\n{process.stdout}{process.stderr}", pytrace=False)
    return Run(home, seeds, process, current(home))


# --- Connecticut ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def connecticut(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The main job over the yearly drops of 70 real districts."""
    script = real_data("connecticut_to_drop.py")
    real_data("connecticut")
    folder = tmp_path_factory.mktemp("connecticut")
    home = folder / "home"
    (home / "drop").mkdir(parents=True)
    subprocess.run([sys.executable, str(script), str(home / "drop")], check=True, capture_output=True)
    return run(home, _connecticut_seeds(folder, home / "connecticut_communities.csv"), CONNECTICUT_TODAY)


def _connecticut_seeds(folder: Path, communities: Path) -> Path:
    """The project's seeds with that network's communities in place of the example's."""
    seeds = folder / "seeds"
    shutil.copytree(PROJECT / "seeds", seeds)
    with communities.open(newline="", encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    with (seeds / "network" / "communities.csv").open("w", newline="", encoding="utf-8") as out:
        table = csv.writer(out, lineterminator="\n")
        table.writerow(["community_id", "name", "state", "joined_year", "district_name"])
        table.writerows([row["community_id"], row["name"], row["state"], 2007, row["district_name"]] for row in rows)
    return seeds


# --- The small example network -------------------------------------------------------------------------------------


def lines(indicator: str, counts: dict[int, tuple[int, int]], series: str = "") -> str:
    """Rows of indicator_values for the total, by school year."""
    return "".join(f"{year},{indicator},all,all,{n},{of},,{series}\n" for year, (n, of) in sorted(counts.items()))


def _write(drop: Path, path: str, content: str | bytes) -> None:
    target = drop / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(content.encode() if isinstance(content, str) else content)


GRADUATION = {2014: (60, 100), 2015: (62, 100), 2016: (64, 100), 2017: (66, 100), 2018: (68, 100)}
RESTATED = {2016: (70, 100)}
KINDERGARTEN_2007_FORM = {2010: (30, 90), 2011: (33, 90), 2012: (36, 90), 2013: (39, 90)}
KINDERGARTEN_2015_FORM = {2015: (60, 90), 2016: (58, 90), 2017: (56, 90), 2018: (54, 90)}
READING = {2015: (41, 80), 2016: (42, 80), 2017: (43, 80), 2018: (44, 80)}


def small_drop(drop: Path) -> None:
    """Six generated communities and two of this test's own, one of them with every kind of file that is no table."""
    generate(drop, communities=EXAMPLE_COMMUNITIES, first_year=EXAMPLE_YEARS[0], last_year=EXAMPLE_YEARS[1])
    early = {year: GRADUATION[year] for year in (2014, 2015, 2016)}
    _write(drop, "quill_harbor/2016/graduation.csv", HEADER + lines("graduation_4yr_pct", early))
    for year in (2017, 2018):
        rows = lines("graduation_4yr_pct", {year: GRADUATION[year]})
        if year == 2018:
            rows += lines("graduation_4yr_pct", RESTATED)
        _write(drop, f"quill_harbor/{year}/graduation.csv", HEADER + rows)
    kindergarten = lines("kindergarten_ready_pct", KINDERGARTEN_2007_FORM | KINDERGARTEN_2015_FORM)
    _write(drop, "quill_harbor/2018/kindergarten.csv", HEADER + kindergarten)
    for year, counts in READING.items():
        _write(drop, f"reedmere/{year}/values.csv", HEADER + lines("grade3_reading_proficient_pct", {year: counts}))
    _write(drop, "reedmere/2018/absence.csv", HEADER + lines("chronic_absence_pct", {2018: (9, 80)}))
    for name, content in BAD_FILES.items():
        _write(drop, f"reedmere/2015/{name}", content)
    _write(drop, "reedmere/20l9/values.csv", HEADER + lines("grade3_reading_proficient_pct", READING))
    _write(drop, "reedmeer/2016/values.csv", HEADER + lines("grade3_reading_proficient_pct", READING))


BAD_FILES: dict[str, str | bytes] = {
    "nothing.csv": b"",
    "dashboard.csv": UNKNOWN,
    "picture.csv": PICTURE,
    "students.csv": PERSONS,
}


def small_seeds(target: Path) -> Path:
    """The project's seeds with eight communities, and the two forms of the kindergarten inventory told apart."""
    shutil.copytree(PROJECT / "seeds", target)
    communities = target / "network" / "communities.csv"
    header, *known = communities.read_text(encoding="utf-8").splitlines()
    blanks = "," * (header.count(",") - 3)
    own = [f"{identity},{name},{state},{year}{blanks}" for identity, name, state, year in OWN_COMMUNITIES]
    communities.write_text("\n".join([header, *known[:EXAMPLE_COMMUNITIES], *own]) + "\n", encoding="utf-8")
    with (target / "crosswalks" / "series_labels.csv").open("a", newline="", encoding="utf-8") as out:
        forms = (("kei 2007 form", "", "2013"), ("kei 2015 form", "2014", ""))
        table = csv.writer(out, lineterminator="\n")
        table.writerows(
            ["community", "quill_harbor", "kindergarten_ready_pct", "", series, first, last, "The inventory changed"]
            for series, first, last in forms
        )
    return target


@pytest.fixture(scope="session")
def first_runs(tmp_path_factory: pytest.TempPathFactory) -> list[Run]:
    """The first run over the small network and a second with nothing new, in one home, made once for all workers."""
    root = tmp_path_factory.getbasetemp()
    folder = (root.parent if "PYTEST_XDIST_WORKER" in os.environ else root) / "first_run"
    folder.mkdir(exist_ok=True)
    home, seeds, kept = folder / "home", folder / "seeds", folder / "runs.pickle"
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not kept.exists():
            small_drop(home / "drop")
            small_seeds(seeds)
            kept.write_bytes(pickle.dumps([run(home, seeds, EXAMPLE_TODAY) for _ in range(2)]))
    runs: list[Run] = pickle.loads(kept.read_bytes())
    return runs


@pytest.fixture(scope="session")
def first_run(first_runs: list[Run]) -> Run:
    """The first of them: its home is to be copied and left as it is."""
    return first_runs[0]


@pytest.fixture(scope="session")
def moved(first_runs: list[Run], tmp_path_factory: pytest.TempPathFactory) -> list[Run]:
    """The home of both runs in a place where others may run again, with what was said of it."""
    folder, (first, _) = tmp_path_factory.mktemp("example"), first_runs
    home, seeds = folder / "home", folder / "seeds"
    shutil.copytree(first.home, home)
    shutil.copytree(first.seeds, seeds)

    def there(made: Run) -> Run:
        said = [text.replace(str(made.home), str(home)) for text in (made.process.stdout, made.process.stderr)]
        process = subprocess.CompletedProcess(made.process.args, made.process.returncode, *said)
        return Run(home, seeds, process, Published(home / made.release.folder.relative_to(made.home)))

    return [there(made) for made in first_runs]


@pytest.fixture(scope="session")
def example(moved: list[Run]) -> Run:
    """The first run."""
    return moved[0]


@pytest.fixture(scope="session")
def example_again(moved: list[Run]) -> Run:
    """A second run with nothing new."""
    return moved[1]


@pytest.fixture(scope="session")
def changed(example_again: Run, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run after two files were replaced by ones that must be rejected (one alone in its folder, one beside a good
    one), and one folder was taken back: in a copy of the home, since other tests read what the first run left."""
    home = tmp_path_factory.mktemp("changed") / "home"
    shutil.copytree(example_again.home, home)
    drop = home / "drop"
    _write(drop, "reedmere/2018/absence.csv", b"")
    _write(drop, "reedmere/2016/values.csv", UNKNOWN)
    shutil.rmtree(drop / "reedmere" / "2017")
    return run(home, example_again.seeds, EXAMPLE_TODAY, warm_cradle)


@pytest.fixture(scope="session")
def elsewhere(changed: Run, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A home with nothing in it but the bucket as it stood at last, copied file by file in another order and with other
    times: what is left when everything else is deleted."""
    folder = tmp_path_factory.mktemp("elsewhere") / "data [1] 100% é" / "o'brien"
    copy_shuffled(changed.home / "drop", folder / "drop")
    return run(folder, changed.seeds, EXAMPLE_TODAY)


def copy_shuffled(source: Path, target: Path) -> None:
    """Copy all files in a shuffled order, each with a time of its own."""
    chance = random.Random(20240630)
    files = sorted(path.relative_to(source) for path in source.rglob("*") if path.is_file())
    chance.shuffle(files)
    for position, file in enumerate(files):
        (target / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source / file, target / file)
        when = 1_500_000_000 + 86_400 * position
        os.utime(target / file, (when, when))
