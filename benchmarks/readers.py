"""Readers beside runs: the fixed database, a release and PostgreSQL, asked while releases are made, beside asked idle.

Belongs here: errors, and median and 95th percentile of the time of a question, beside the same readers without a run.
Does not: whether answers are right (tests/integration), a burst of uploads (resubmission.py).

    python -m benchmarks.readers --home HOME --seeds SEEDS --today DAY [--readers 50] [--minutes 2] [--runs 3]

HOME has been run already; what is measured is a copy of it.
"""

from __future__ import annotations

import argparse
import multiprocessing
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from multiprocessing.synchronize import Event
from pathlib import Path

import duckdb
import psycopg

from benchmarks._homes import environment
from tests.integration.postgres_server import running_server

ROOT = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent
PAUSE_SECONDS = 1.0
"""Between two questions of one reader: a dashboard that is looked at, not a loop."""
QUESTION = """
select state, outcome_name, count(*), avg(slope), max(school_year_date)
from marts.rpt_trend_current where population_group_id = 'all' group by 1, 2 order by 1, 2
"""


@dataclass(frozen=True)
class Place:
    """Where a reader asks: the fixed path or a release (a file), or the server (an address)."""

    name: str
    where: str


@dataclass(frozen=True)
class Answers:
    """What readers of one place met: seconds of each question that was answered, and the errors of the others."""

    seconds: tuple[float, ...]
    errors: tuple[str, ...]

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)

    @property
    def p95(self) -> float:
        return sorted(self.seconds)[int(0.95 * (len(self.seconds) - 1))]


def places(home: Path, url: str) -> tuple[Place, ...]:
    """The three places of a home whose current release the server holds."""
    publish = home / "publish"
    release = publish / "releases" / (publish / "current").read_text(encoding="utf-8").strip() / "internal.duckdb"
    return (
        Place("current.duckdb", str(publish / "current.duckdb")),
        Place("a release", str(release)),
        Place("server", url),
    )


def ask(place: Place) -> int:
    """One question over a connection of its own, as a BI tool's worker asks it; rows of the answer."""
    if "://" in place.where:
        with psycopg.connect(place.where) as server:
            return len(server.execute(QUESTION).fetchall())
    with duckdb.connect(place.where, read_only=True, config={"threads": 1}) as file:
        return len(file.execute(QUESTION).fetchall())


def _read(place: Place, pause: float, start: float, over: Event, told: multiprocessing.SimpleQueue[object]) -> None:
    seconds, errors = [], []
    over.wait(start)  # readers come one after the other, not all in one moment
    while not over.is_set():
        began = time.perf_counter()
        try:
            if not ask(place):
                errors.append("no rows")
        except (duckdb.Error, psycopg.Error) as error:
            errors.append(f"{type(error).__name__}: {error}")
        else:
            seconds.append(time.perf_counter() - began)
        over.wait(pause)
    told.put((place.name, seconds, errors))


def measure(
    asked: Sequence[Place], readers: int, meanwhile: Callable[[], object], pause: float = PAUSE_SECONDS
) -> dict[str, Answers]:
    """Answers by place, of readers (processes, spread over the places) that ask until `meanwhile` has returned."""
    fork = multiprocessing.get_context("fork")
    over, told = fork.Event(), fork.SimpleQueue()
    processes = [
        fork.Process(
            target=_read, args=(asked[number % len(asked)], pause, pause * number / readers, over, told), daemon=True
        )
        for number in range(readers)
    ]
    for process in processes:
        process.start()
    try:
        meanwhile()
    finally:
        over.set()
        found = [told.get() for _ in processes]
        for process in processes:
            process.join()
    return {place.name: _answers(place.name, found) for place in asked}


def _answers(name: str, found: Iterable[tuple[str, list[float], list[str]]]) -> Answers:
    own = [(seconds, errors) for place, seconds, errors in found if place == name]
    return Answers(
        tuple(second for seconds, _ in own for second in seconds), tuple(error for _, errors in own for error in errors)
    )


def runs(home: Path, settings: dict[str, str], number: int, seconds: float) -> None:
    """Full runs of which each makes another release current, over at least `seconds`: a folder goes and comes back."""
    start = time.perf_counter()
    folder = min(path for path in (home / "drop").glob("*/*") if path.is_dir() and any(path.iterdir()))
    away = home / "away"
    for done in range(number):
        # Runs are spread, so that there are readers before, between and after them.
        time.sleep(max(0.0, start + seconds * done / number - time.perf_counter()))
        source, target = (folder, away) if folder.exists() else (away, folder)
        source.rename(target)
        cradle_run(settings)
    time.sleep(max(0.0, start + seconds - time.perf_counter()))


def cradle_run(settings: dict[str, str]) -> None:
    """One `cradle run`; its own words where it fails."""
    done = subprocess.run([str(BIN / "cradle"), "run"], cwd=ROOT, env=settings, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"exit code {done.returncode}\n{done.stdout}{done.stderr}")


def told(idle: dict[str, Answers], busy: dict[str, Answers]) -> Iterable[str]:
    """A line a place."""
    for name, during in busy.items():
        before = idle[name]
        answers = f"{name}: {len(during.seconds):,} answers, {len(during.errors) + len(before.errors)} errors; "
        if not before.seconds or not during.seconds:
            yield f"{answers}nothing to compare: without an answer {'at work' if before.seconds else 'at rest'}"
        else:
            yield answers + (
                f"median {1000 * during.median:.0f} ms, {during.median / before.median:.1f} times idle; "
                f"p95 {1000 * during.p95:.0f} ms, {during.p95 / before.p95:.1f} times idle"
            )
        yield from sorted({f"  {error}" for error in (*before.errors, *during.errors)})


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--seeds", type=Path, default=ROOT / "seeds")
    parser.add_argument("--today", required=True)
    parser.add_argument("--readers", type=int, default=50)
    parser.add_argument("--minutes", type=float, default=2)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    seconds = 60 * options.minutes
    with tempfile.TemporaryDirectory() as folder, running_server() as url:
        home = Path(folder) / "home"
        shutil.copytree(options.home, home)
        settings = environment(home, options.today, CRADLE_SEEDS=options.seeds.resolve(), CRADLE_POSTGRES_URL=url)
        cradle_run(settings)
        asked = places(home, url)
        idle = measure(asked, options.readers, lambda: time.sleep(seconds / 4))
        with ThreadPoolExecutor(1) as beside:
            busy = measure(
                asked, options.readers, lambda: beside.submit(runs, home, settings, options.runs, seconds).result()
            )
    print(f"{options.readers} readers, {options.runs} runs within {options.minutes:g} minutes")
    print("\n".join(told(idle, busy)))


if __name__ == "__main__":
    main()
