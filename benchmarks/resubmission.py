"""How long a member waits: one file replaced on a warm system, to receipt, marts and published release; and a burst.

Belongs here: seconds from the file landing, by daemon and command; runs, readers and memory under a burst of uploads.
Does not: what a backfill costs (backfill.py), whether results are right beyond their counts (tests).

    python -m benchmarks.resubmission [--communities 70] [--burst 500 [--minutes 10] [--readers 50]]
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import dagster as dg
import duckdb

from benchmarks._homes import environment, history
from benchmarks.backfill import release_hashes
from dagster_project.lib.base.store import Store
from dagster_project.lib.intake.bucket.ledger import Ledger, current_objects
from tests.daemons import started, until

ROOT = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent
TODAY = "2026-12-31"
PATIENCE_SECONDS = 900
BURST_SECONDS = 60
MOMENTS = {
    "taken in": dg.AssetKey(["lake", "submissions"]),
    "core marts": dg.AssetKey(["marts", "fct_indicator_value"]),
    "trends": dg.AssetKey(["marts", "fct_trend"]),
    "release": dg.AssetKey(["publish", "release"]),
}


def cradle_run(home: Path) -> float:
    """Seconds of `cradle run`, from a cold process."""
    settings = environment(home, TODAY)
    start = time.perf_counter()
    subprocess.run([str(BIN / "cradle"), "run"], cwd=ROOT, env=settings, check=True, capture_output=True)
    return time.perf_counter() - start


@contextmanager
def daemon(home: Path) -> Iterator[int]:
    """Dagster's daemon over a home, ended with the block; its process."""
    own: dict[str, str | Path] = {"CRADLE_HOME": home, "CRADLE_TODAY": TODAY, "DAGSTER_HOME": home / "dagster"}
    with started(home / "daemon.log", "dagster-daemon", "run", "-w", str(ROOT / "workspace.yaml"), **own) as process:
        yield process.pid


def waited_for(what: str, done: Callable[[], bool]) -> None:
    """Wait for something, or stop the benchmark."""
    until(what, done, PATIENCE_SECONDS)


def current(home: Path) -> str:
    """The current release's id."""
    path = home / "publish" / "current"
    return path.read_text(encoding="utf-8").strip() if path.exists() else ""


def newest(instance: dg.DagsterInstance, key: dg.AssetKey) -> float:
    """When an asset was last materialized, in seconds since 1970."""
    event = instance.get_latest_materialization_event(key)
    return event.timestamp if event else 0.0


def a_file(home: Path) -> Path:
    """A file of values of the newest reporting year that was taken in."""
    values = current_objects(Ledger(Store(str(home / "lake"))).events()).filter(name="indicator_values.csv")
    community, year = values.sort("reporting_year", "community_id").select("community_id", "reporting_year").row(-1)
    return home / "drop" / str(community) / str(year) / "indicator_values.csv"


def replaced(path: Path) -> None:
    """Put the same rows with the last one left out, as a person who corrects a file does."""
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:-1]))


def by_daemon(home: Path) -> dict[str, float]:
    """Seconds from the replaced file to each moment, with the daemon running and idle."""
    path = a_file(home)
    receipt = home / "outbox" / path.parent.parent.name / path.parent.name / "receipt.json"
    told = receipt.stat().st_mtime_ns
    with daemon(home), history(home) as instance:
        time.sleep(30)  # The daemon and its code server start; a look or two find nothing new.
        before, start = current(home), time.time()
        replaced(path)
        waited_for("a new receipt", lambda: receipt.stat().st_mtime_ns != told)
        waited = {"receipt": receipt.stat().st_mtime - start}
        waited_for("a new release", lambda: current(home) != before)
        waited_for("the release is told", lambda: newest(instance, MOMENTS["release"]) > start)
        waited |= {name: newest(instance, key) - start for name, key in MOMENTS.items()}
    return dict(sorted(waited.items(), key=lambda item: item[1]))


@dataclass
class Readers:
    """People and tools that open what is current again and again; what they met, and how long the slowest waited."""

    home: Path
    stop: threading.Event = field(default_factory=threading.Event)
    faults: list[str] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)

    def read(self) -> None:
        """One of them, until it is told to stop."""
        while not self.stop.wait(0.5):
            start = time.perf_counter()
            try:
                database = self.home / "publish" / "current.duckdb"
                with duckdb.connect(str(database), read_only=True) as connection:
                    connection.execute("select count(*) from marts.fct_indicator_value").fetchall()
            except (duckdb.Error, OSError) as error:
                self.faults.append(f"{type(error).__name__}: {error}")
            self.seconds.append(time.perf_counter() - start)


@contextmanager
def reading(home: Path, many: int) -> Iterator[Readers]:
    """So many readers, until the block ends."""
    readers = Readers(home)
    with ThreadPoolExecutor(max(1, many)) as pool:
        for _ in range(many):
            pool.submit(readers.read)
        try:
            yield readers
        finally:
            readers.stop.set()


def processes_mib(process: int) -> dict[int, float]:
    """Memory of a process and of each that it started, in MiB."""
    found: dict[int, float] = {}
    waiting = [process]
    while waiting:
        one = waiting.pop()
        with suppress(FileNotFoundError, ProcessLookupError):
            pages = int(Path(f"/proc/{one}/statm").read_text(encoding="utf-8").split()[1])
            found[one] = pages * os.sysconf("SC_PAGE_SIZE") / 2**20
            for thread in Path(f"/proc/{one}/task").glob("*/children"):
                waiting += [int(child) for child in thread.read_text(encoding="utf-8").split()]
    return found


def resident_mib(process: int) -> float:
    """Memory of a process and of all that it started, in MiB."""
    return sum(processes_mib(process).values())


def burst(home: Path, uploads: int, minutes: int = 1, many: int = 0) -> str:
    """So many uploads a minute in random order, some of them files sent again: runs made, and the final state."""
    taken = _in_ledger(home)  # What lies astray in the example's bucket is never taken in.
    source = home / "burst"
    shutil.move(home / "drop", source)
    (home / "drop").mkdir()
    chance = random.Random(3)
    files = sorted(path.relative_to(source) for path in source.rglob("*") if path.is_file())
    sent = [chance.choice(files) for _ in range(uploads * minutes)]
    memory = []
    with daemon(home) as process, history(home) as instance, reading(home, many) as readers:
        before = instance.get_runs_count()
        start = time.monotonic()
        for number, file in enumerate(sent):
            (home / "drop" / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source / file, home / "drop" / file)
            time.sleep(max(0.0, start + BURST_SECONDS * number / uploads - time.monotonic()))
            if number % uploads == uploads - 1:
                memory.append(resident_mib(process))
        uploaded = time.monotonic()
        waited_for("all files are in the ledger", lambda: _in_ledger(home) == taken & {str(file) for file in sent})
        quiet = dg.RunsFilter(statuses=[dg.DagsterRunStatus.QUEUED, dg.DagsterRunStatus.STARTED])
        release = newest(instance, MOMENTS["release"])
        waited_for("a release after the last intake", lambda: newest(instance, MOMENTS["release"]) > release)
        waited_for("no run is left", lambda: instance.get_runs_count(quiet) == 0)
        made = instance.get_runs_count() - before
        failed = instance.get_runs_count(dg.RunsFilter(statuses=[dg.DagsterRunStatus.FAILURE]))
        waited = time.monotonic() - uploaded
    fresh = home.with_name("fresh")
    shutil.copytree(home / "drop", fresh / "drop")
    cradle_run(fresh)
    equal = release_hashes(home) == release_hashes(fresh)
    return (
        f"{len(sent)} uploads of {len(set(sent))} files in {BURST_SECONDS * minutes} s: {made} runs, {failed} failed; "
        f"everything is in a release {waited:.0f} s after the last upload; its tables are "
        f"{'those' if equal else 'NOT THOSE'} of one run over the same files; daemon and runs held "
        f"{', '.join(f'{mib:.0f}' for mib in memory)} MiB at the end of each minute; {many} readers opened the current "
        f"release {len(readers.seconds):,} times, {len(readers.faults)} failed{_slowest(readers)}"
    )


def _slowest(readers: Readers) -> str:
    told = f", the slowest in {max(readers.seconds):.1f} s" if readers.seconds else ""
    return told + "".join(f"\n  {fault}" for fault in sorted(set(readers.faults))[:5])


def _in_ledger(home: Path) -> set[str]:
    objects = current_objects(Ledger(Store(str(home / "lake"))).events())
    rows = objects.select("community_id", "reporting_year", "name").iter_rows()
    return {f"{community}/{year}/{name}" for community, year, name in rows}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--communities", type=int, default=70)
    parser.add_argument("--years", default="2015..2026")
    parser.add_argument("--burst", type=int, default=0, help="also so many uploads a minute")
    parser.add_argument("--minutes", type=int, default=1, help="for so many minutes")
    parser.add_argument("--readers", type=int, default=0, help="and so many readers of the current release meanwhile")
    arguments = parser.parse_args()
    # Ended from outside, it ends its daemon as well.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    with tempfile.TemporaryDirectory() as temporary:
        home = Path(temporary) / "home"
        command = [sys.executable, "-m", "examples.generate", "--home", str(home), "--years", arguments.years]
        subprocess.run(
            [*command, "--communities", str(arguments.communities)], cwd=ROOT, check=True, capture_output=True
        )
        print(f"first `cradle run` of everything: {cradle_run(home):.1f} s, {os.getloadavg()[0]:.1f} busy", flush=True)
        replaced(a_file(home))
        print(f"one file replaced, `cradle run` from a cold process: {cradle_run(home):.1f} s", flush=True)
        moments = ", ".join(f"{name} {seconds:.1f} s" for name, seconds in by_daemon(home).items())
        print(f"one file replaced, by the daemon: {moments}", flush=True)
        if arguments.burst:
            print(burst(home, arguments.burst, arguments.minutes, arguments.readers), flush=True)


if __name__ == "__main__":
    main()
