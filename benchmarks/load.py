"""Uploads without a pause: what members put into the bucket and send through their page, while the daemon takes it in.

Belongs here: uploads sent, taken once, lost, twice and refused, readers' errors, and memory at rest before and after.
Does not: one file's way (resubmission.py), a burst over the example network (the same), answers' times (readers.py).

    python -m benchmarks.load [--uploads 500] [--minutes 10] [--readers 50] [--page 12]

Every upload corrects the value of one file, so that the last one sent is known again in the release. It ends by
itself, on loopback alone, and with 1 where something was lost, came twice, a reader met an error, or the tables are
not those of one run over the same files.
"""

from __future__ import annotations

import argparse
import hashlib
import itertools
import json
import shutil
import signal
import sys
import tempfile
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path

import dagster as dg

from benchmarks._homes import history
from benchmarks.backfill import release_hashes
from benchmarks.readers import Place, measure
from benchmarks.resubmission import current, processes_mib
from dagster_project.lib.base.store import Store
from dagster_project.lib.intake.bucket.ledger import Ledger, current_objects
from tests.browser.member_site import Site, Visitor, serving
from tests.daemons import free_port, listens, started, until
from tests.support import Published, cradle

ROOT = Path(__file__).resolve().parents[1]
TODAY, YEAR = "2018-12-31", 2018
INDICATORS = (
    "graduation_4yr_pct",
    "grade3_reading_proficient_pct",
    "chronic_absence_pct",
    "grade8_math_proficient_pct",
)
SCHOOL_YEARS = range(2011, 2019)
HEAD = "school_year,indicator,dimension,group,numerator,denominator\n"
LEAST, OF = 5_000, 20_000
"""Of a share: the numerators of uploads are counted up from the first, so that each is told from all others."""
COMMUNITIES, BY_PAGE = 20, 6
"""How many send, and how many of them through their page; all others use the bucket."""
PAUSE_SECONDS = 1.0
REST_SECONDS = 30
PATIENCE_SECONDS = 1800
UNIT = ROOT / "deploy" / "systemd" / "cradle-code.service"
WORKSPACE = "load_from: [{{grpc_server: {{host: 127.0.0.1, port: {port}, location_name: cradle}}}}]\n"
UNFINISHED = dg.RunsFilter(
    statuses=[dg.DagsterRunStatus.QUEUED, dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED]
)
RUNS_PAGE = {"query": "{ runsOrError(limit: 30) { ... on Runs { results { runId status } } } }"}


def of_the_unit() -> dict[str, str]:
    """What the unit of production sets for the code server beside the settings."""
    lines = UNIT.read_text(encoding="utf-8").splitlines()
    found = (line.removeprefix("Environment=") for line in lines if line.startswith("Environment="))
    return dict(each.split("=", 1) for each in found)


@dataclass(frozen=True)
class Cell:
    """One value of one community: the only row of a file."""

    community: str
    indicator: str
    school_year: int

    @property
    def name(self) -> str:
        """Its file."""
        return f"{self.indicator}-{self.school_year}.csv"

    def content(self, number: int) -> bytes:
        """The file of the upload with that number."""
        return f"{HEAD}{self.school_year},{self.indicator},all,all,{LEAST + number},{OF}\n".encode()


@dataclass
class Sent:
    """The last number that stands in the bucket for each cell, and how many uploads there were."""

    last: dict[Cell, int] = field(default_factory=dict)
    count: int = 0
    by_page: int = 0
    refused: Counter[str] = field(default_factory=Counter)

    def by(self, cell: Cell, number: int) -> None:
        """Note an upload that stands in the bucket."""
        self.last[cell] = number
        self.count += 1


def cells(communities: Sequence[str]) -> Iterator[Cell]:
    """All cells of these communities, again and again, communities taking turns."""
    every = [
        Cell(community, indicator, year)
        for indicator, year, community in itertools.product(INDICATORS, SCHOOL_YEARS, communities)
    ]
    return itertools.cycle(every)


def put(home: Path, cell: Cell, number: int) -> None:
    """One upload, whole in one moment, as a synchronising service puts it."""
    folder, part = home / "drop" / cell.community / str(YEAR), home / "parts" / f"{number}"
    for each in (folder, part.parent):
        each.mkdir(parents=True, exist_ok=True)
    part.write_bytes(cell.content(number))
    part.replace(folder / cell.name)


def into_the_bucket(
    home: Path, communities: Sequence[str], numbers: Iterator[int], a_minute: int, until_: float, sent: Sent
) -> None:
    """So many uploads a minute until then."""
    begun = time.monotonic()
    for turn, cell in enumerate(cells(communities)):
        time.sleep(max(0.0, begun + 60 * turn / a_minute - time.monotonic()))
        if time.monotonic() >= until_:
            return
        number = next(numbers)
        put(home, cell, number)
        sent.by(cell, number)


def let_in(site: Site, communities: Sequence[str]) -> dict[str, Visitor]:
    """Somebody of each community before the page."""
    visitors = {community: Visitor(site) for community in communities}
    for community, visitor in visitors.items():
        visitor.enter(site.link(community))
    return visitors


def through_the_page(
    visitors: Mapping[str, Visitor], numbers: Iterator[int], a_minute: int, until_: float, sent: Sent
) -> None:
    """Uploads that are checked and then sent, communities taking turns; what was not taken is counted."""
    begun = time.monotonic()
    for turn, cell in enumerate(cells(list(visitors))):
        time.sleep(max(0.0, begun + 60 * turn / a_minute - time.monotonic()))
        if time.monotonic() >= until_:
            return
        number, visitor = next(numbers), visitors[cell.community]
        status, place = visitor.check(YEAR, [(cell.name, cell.content(number))])
        if status == 303:
            status = visitor.send(place, YEAR)
        lies = Path(visitor.site.settings["CRADLE_HOME"]) / "drop" / cell.community / str(YEAR) / cell.name
        if status == 303 and lies.is_file() and lies.read_bytes() == cell.content(number):
            sent.by(cell, number)
            sent.by_page += 1
        else:
            sent.refused[f"{status} {'' if status == 303 else place[:80]}".strip()] += 1


@dataclass(frozen=True)
class Found:
    """What became of the uploads: files of the last state by what is wrong with them, and versions that were seen."""

    files: int
    lost: tuple[str, ...]
    twice: tuple[str, ...]
    versions: int


def found(home: Path, sent: Sent) -> Found:
    """The ledger and the current release, held against what was sent last."""
    events = Ledger(Store(str(home / "lake"))).events()
    standing = {
        (str(community), str(name), str(sha256))
        for community, name, sha256 in current_objects(events).select("community_id", "name", "sha256").iter_rows()
    }
    release = Published(home / "publish" / "releases" / current(home))
    files = Counter(release.rows("select community_id, source_file, sha256 from marts.fct_submission_file"))
    values = Counter(
        release.rows(
            "select community_id, indicator_id, school_year, numerator from marts.fct_indicator_value "
            "where population_group_id = 'all' and origin = 'submitted'"
        )
    )
    lost, twice = [], []
    for cell, number in sent.last.items():
        told = f"{cell.community}/{YEAR}/{cell.name}"
        sha256 = hashlib.sha256(cell.content(number)).hexdigest()
        file = (cell.community, cell.name, sha256)
        value = (cell.community, cell.indicator, cell.school_year, LEAST + number)
        if file not in standing or not files[file] or not values[value]:
            lost.append(told)
        elif files[file] > 1 or values[value] > 1:
            twice.append(told)
    objects = events.filter(events["event"] == "object").select("community_id", "name", "sha256")
    return Found(len(sent.last), tuple(lost), tuple(twice), objects.unique().height)


def ask(port: int, over: threading.Event) -> None:
    """Somebody who looks at Dagster's page of runs."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/graphql", json.dumps(RUNS_PAGE).encode(), {"content-type": "application/json"}
    )
    while not over.wait(5):
        with urllib.request.urlopen(request, timeout=120) as answer:
            answer.read()


def at_rest(home: Path, instance: dg.DagsterInstance, sent: Sent) -> None:
    """Wait until what was sent last is released and no run is left (or for too long), and then a while longer."""
    with suppress(AssertionError):  # What is missing then is counted and told.
        until("everything is released", lambda: not found(home, sent).lost, PATIENCE_SECONDS)
        until("no run is left", lambda: not instance.get_runs_count(UNFINISHED), PATIENCE_SECONDS)
    time.sleep(REST_SECONDS)


@dataclass
class Memory:
    """MiB of each server and of all that it started: at rest before, at the end of each minute, at rest after."""

    servers: Mapping[str, int]
    seen: dict[str, list[dict[int, float]]] = field(default_factory=dict)

    def look(self) -> None:
        """Once more."""
        for name, pid in self.servers.items():
            self.seen.setdefault(name, []).append(processes_mib(pid))

    def told(self) -> Iterator[str]:
        """A line a server; its processes at rest in the order in which they were started."""
        for name, looks in self.seen.items():
            before, after = (
                ", ".join(f"{mib:.0f}" for _, mib in sorted(look.items())) for look in (looks[0], looks[-1])
            )
            minutes = ", ".join(f"{sum(look.values()):.0f}" for look in looks[1:-1])
            yield (
                f"{name}: processes of {before} MiB at rest before, of {after} after; together at the end of each "
                f"minute {minutes}"
            )


def load(home: Path, uploads: int, minutes: float, many: int, page: int) -> tuple[bool, list[str]]:
    """Whether everything is as it must be, and the lines that say so."""
    lines = (ROOT / "seeds" / "network" / "communities.csv").read_text(encoding="utf-8").splitlines()[1:]
    communities = [line.split(",")[0] for line in lines]
    paging, others = communities[:BY_PAGE], communities[BY_PAGE:COMMUNITIES]
    sent, numbers = Sent(), itertools.count()
    for cell in itertools.islice(cells(paging + others), COMMUNITIES * len(INDICATORS) * len(SCHOOL_YEARS)):
        number = next(numbers)
        put(home, cell, number)
        sent.by(cell, number)
    own: dict[str, str | Path] = {"CRADLE_HOME": home, "CRADLE_TODAY": TODAY, "CRADLE_SETTLE_SECONDS": "0"}
    done = cradle("run", **own)
    if done.returncode:
        raise SystemExit(done.stdout + done.stderr)
    first, sent.count = sent.count, 0
    (home / "dagster").mkdir(exist_ok=True)
    shutil.copyfile(ROOT / "dagster.yaml", home / "dagster" / "dagster.yaml")
    own |= {"DAGSTER_HOME": home / "dagster"}
    code, port = free_port(), free_port()
    (home / "workspace.yaml").write_text(WORKSPACE.format(port=code), encoding="utf-8")
    workspace = str(home / "workspace.yaml")
    web = ("dagster-webserver", "-h", "127.0.0.1", "-p", str(port), "-w", workspace)
    # As in production: the daemon's own code server is another one each minute, so that its memory tells nothing.
    serves = (
        "dagster",
        "code-server",
        "start",
        "-h",
        "127.0.0.1",
        "-p",
        str(code),
        "-m",
        "dagster_project.definitions",
    )
    with ExitStack() as stack:
        loaded = stack.enter_context(started(home / "code.log", *serves, **own, **of_the_unit()))
        until("the code is loaded", lambda: listens(code), PATIENCE_SECONDS)
        daemon = stack.enter_context(started(home / "daemon.log", "dagster-daemon", "run", "-w", workspace, **own))
        server = stack.enter_context(started(home / "web.log", *web, **own))
        site = stack.enter_context(serving(home, TODAY))
        instance = stack.enter_context(history(home))
        until("Dagster's page opens", lambda: listens(port), PATIENCE_SECONDS)
        visitors = let_in(site, paging)
        # One upload goes the whole way first, so that what is loaded once is loaded.
        first_of_all, number = next(cells(others)), next(numbers)
        put(home, first_of_all, number)
        sent.by(first_of_all, number)
        at_rest(home, instance, sent)
        sent.count, runs = 0, instance.get_runs_count()
        memory = Memory(
            {"code and runs": loaded.pid, "daemon": daemon.pid, "Dagster's page": server.pid, "members' page": site.pid}
        )
        memory.look()
        waited: list[float] = []

        def everything() -> None:
            over, end = threading.Event(), time.monotonic() + 60 * minutes
            with ThreadPoolExecutor(4) as pool:
                working = [
                    pool.submit(into_the_bucket, home, others, numbers, uploads, end, sent),
                    pool.submit(through_the_page, visitors, numbers, page, end, sent),
                    pool.submit(ask, port, over),
                ]
                try:
                    while time.monotonic() < end:
                        time.sleep(min(60.0, max(0.0, end - time.monotonic())))
                        memory.look()
                    for one in working[:2]:
                        one.result()
                    begun = time.monotonic()
                    at_rest(home, instance, sent)
                    waited.append(time.monotonic() - begun - REST_SECONDS)
                finally:
                    over.set()
                working[2].result()

        place = Place("current.duckdb", str(home / "publish" / "current.duckdb"))
        read = measure([place], many, everything, PAUSE_SECONDS)[place.name]
        memory.look()
        runs = instance.get_runs_count() - runs
        failed = instance.get_runs_count(dg.RunsFilter(statuses=[dg.DagsterRunStatus.FAILURE]))
    there = found(home, sent)
    fresh = home.with_name("fresh")
    shutil.copytree(home / "drop", fresh / "drop")
    done = cradle("run", **own | {"CRADLE_HOME": fresh, "DAGSTER_HOME": fresh / "dagster"})
    if done.returncode:
        raise SystemExit(done.stdout + done.stderr)
    equal = release_hashes(home) == release_hashes(fresh)
    checks = {name: cradle(name, **own) for name in ("verify", "reconcile")}
    bad = [f"cradle {name}: {done.stdout}{done.stderr}" for name, done in checks.items() if done.returncode]
    refused = "; ".join(f"{n} times {what}" for what, n in sorted(sent.refused.items())) or "nothing"
    told = [
        f"{sent.count} uploads in {minutes:g} minutes, {sent.by_page} of them through the page, to {there.files} files "
        f"(and {first} before); the page refused: {refused}",
        f"{there.versions:,} versions were taken, the others were replaced before; of the last ones "
        f"{len(there.lost)} are lost, {len(there.twice)} there twice, all others once",
        f"{runs} runs, {failed} failed; all is released {waited[0]:.0f} s after the last upload; the tables are "
        f"{'those' if equal else 'NOT THOSE'} of one run over the same files",
        f"{many} readers had {len(read.seconds):,} answers (median {1000 * read.median:.0f} ms, p95 "
        f"{1000 * read.p95:.0f} ms) and {len(read.errors)} errors",
        *memory.told(),
        *sorted(set(read.errors))[:5],
        *(there.lost + there.twice)[:5],
        *bad,
    ]
    return equal and not (there.lost or there.twice or read.errors or failed or bad), told


def main() -> int:
    """Load, and print what was counted."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--uploads", type=int, default=500, help="a minute, into the bucket")
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--readers", type=int, default=50, help="processes that ask the current release")
    parser.add_argument("--page", type=int, default=12, help="uploads a minute through the members' page")
    arguments = parser.parse_args()
    # Ended from outside, it ends its servers as well.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    with tempfile.TemporaryDirectory() as temporary:
        is_well, told = load(
            Path(temporary) / "home", arguments.uploads, arguments.minutes, arguments.readers, arguments.page
        )
    print("\n".join(told), flush=True)
    return int(not is_well)


if __name__ == "__main__":
    raise SystemExit(main())
