"""Whatever members do to the bucket, the lake holds what stands in it: random events against a simple model.

Belongs here: events (files that come, change, move and go, also while a run reads), the model, the comparison.
Does not: rules of rows beyond the few that the model knows, S3 (tests/integration/test_s3_bucket.py).
"""

from __future__ import annotations

import datetime as dt
import hashlib
import os
import random
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock

import polars as pl
import pytest

from dagster_project.lib.base.reference import Reference
from dagster_project.lib.base.store import Store
from dagster_project.lib.intake.batch import Intake
from dagster_project.lib.intake.bucket.drop import submission_id
from dagster_project.lib.intake.bucket.lake import raw_key, read_partitions
from dagster_project.lib.intake.bucket.ledger import Ledger, current_submissions
from dagster_project.lib.intake.bucket.plan import Selection
from dagster_project.lib.intake.bucket.reconcile import reconcile
from dagster_project.lib.intake.session import Places, run_intake

IN_CI = os.environ.get("CI") == "true"
EVENTS = int(os.environ.get("CRADLE_EVENTS", "8000" if IN_CI else "2000"))
EVENTS_PER_WORLD = 1_000
EVENTS_BETWEEN_RUNS = (1, 400)
"""How many events lie between two runs: drawn anew each time, mostly many, sometimes one."""

REFERENCE = Reference(Path(__file__).resolve().parents[3] / "seeds")
TODAY = dt.date(2026, 6, 30)
COMMUNITIES = REFERENCE.communities["community_id"].to_list()[:4]
YEARS = (2019, 2020, 2021)
PLACES = [(community, year) for community in COMMUNITIES for year in YEARS]
STRANGE_PLACES = [("atlantis", 2020), (COMMUNITIES[0], 1999), (COMMUNITIES[1], 2044)]
NAMES = (
    "values.csv",
    "Werte ü.csv",
    "b.csv",
    "a b.csv",
    "hash#.csv",
    "pct%41.csv",
    ".hidden.csv",
    "notes.docx",
    "x.txt",
)
ODD_NAMES = ("new\nline.csv", "tab\there.csv", "bell\x07.csv")

HEADER = "school_year,indicator,dimension,group,numerator,denominator,series\n"
PERSONS = "student_id,first_name,last_name\n{},A,B\n"
BROKEN = 'school_year,indicator\n2020,"never closed {}\n'
KEYS, NUMERATORS = 6, 3

Place = tuple[str, int]


@dataclass(frozen=True)
class Content:
    """A file's bytes and what the model knows of them: rows as (key, numerator), a numerator of None being an error."""

    data: bytes
    rows: tuple[tuple[str, int | None], ...] = ()
    person_level: bool = False


def table(rows: tuple[tuple[str, int | None], ...]) -> Content:
    lines = (f"2018,graduation_4yr_pct,all,all,{900 if n is None else n},100,{key}\n" for key, n in rows)
    return Content((HEADER + "".join(lines)).encode(), rows)


@dataclass
class World:
    """The bucket of one sequence of events, and the model of what must follow from it."""

    folder: Path
    draw: random.Random
    model: dict[Place, dict[str, Content]] = field(default_factory=dict)
    odd: set[Place] = field(default_factory=set)
    taken: dict[Place, dict[str, Content]] = field(default_factory=dict)
    ever: dict[str, bool] = field(default_factory=dict)
    log: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.places = Places(Store(str(self.folder / "drop")), Store(str(self.folder / "lake")))

    # --- events ------------------------------------------------------------------------------------------------------

    def event(self) -> None:
        """One random event."""
        kinds: list[tuple[int, Callable[[], None]]] = [
            (30, self.put),
            (12, self.replace),
            (10, self.delete),
            (10, self.rename),
            (6, self.same_again),
            (4, self.reject_replacement),
            (4, self.person_level),
            (3, self.skew_clock),
            (2, self.delete_folder),
            (2, self.odd_key),
            (1, self.strange_place),
        ]
        weights, actions = zip(*kinds, strict=True)
        self.draw.choices(actions, weights)[0]()

    def content(self) -> Content:
        """Random content: mostly a table, its rows drawn from few keys so that files of a folder collide."""
        kind = self.draw.random()
        if kind < 0.05:
            return Content(BROKEN.format(self.draw.randrange(5)).encode())
        if kind < 0.10:
            return Content(b"")
        keys = self.draw.sample(range(KEYS), self.draw.randint(1, 3))
        rows = tuple((f"s{key}", None if self.draw.random() < 0.1 else self.draw.randrange(NUMERATORS)) for key in keys)
        return table(rows)

    def write(self, place: Place, name: str, content: Content, atomic: bool = True) -> None:
        path = self.folder / "drop" / place[0] / str(place[1]) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if atomic:
            partial = self.folder / "partial"
            partial.write_bytes(content.data)
            partial.replace(path)
        else:
            path.write_bytes(content.data)  # the same inode, as a copy over an older file leaves it
        self.model.setdefault(place, {})[name] = content

    def remove(self, place: Place, name: str) -> None:
        (self.folder / "drop" / place[0] / str(place[1]) / name).unlink()
        del self.model[place][name]

    def some_file(self) -> tuple[Place, str] | None:
        files = sorted((place, name) for place, names in self.model.items() for name in names)
        return self.draw.choice(files) if files else None

    def put(self) -> None:
        place, name = self.draw.choice(PLACES), self.draw.choice(NAMES)
        self.say(f"put {place} {name}")
        self.write(place, name, self.content())

    def replace(self) -> None:
        if found := self.some_file():
            self.say(f"replace {found}")
            self.write(*found, self.content(), atomic=self.draw.random() < 0.5)

    def delete(self) -> None:
        if found := self.some_file():
            self.say(f"delete {found}")
            self.remove(*found)

    def rename(self) -> None:
        if found := self.some_file():
            place, name = found
            target = self.draw.choice([place, place, self.draw.choice(PLACES)]), self.draw.choice(NAMES)
            self.say(f"rename {found} to {target}")
            if target == found:
                return
            content = self.model[place][name]
            self.remove(place, name)
            self.write(*target, content)

    def same_again(self) -> None:
        if found := self.some_file():
            place, name = found
            self.say(f"same bytes again {found}")
            self.write(place, name, self.model[place][name])

    def reject_replacement(self) -> None:
        if found := self.some_file():
            self.say(f"a rejected replacement {found}")
            self.write(*found, table((("s0", None),)))

    def person_level(self) -> None:
        place = self.draw.choice(PLACES)
        self.say(f"person-level file {place}")
        self.write(place, "values.csv", Content(PERSONS.format(self.draw.randrange(9)).encode(), person_level=True))

    def skew_clock(self) -> None:
        if found := self.some_file():
            place, name = found
            moment = self.draw.choice([0, 1_000_000_000, 4_000_000_000])
            self.say(f"clock skew {found}")
            # Often a replacement of the same size under an old time, as unpacking an archive gives.
            if self.draw.random() < 0.5:
                self.write(place, name, table((("s1", self.draw.randrange(NUMERATORS)),)), atomic=False)
            os.utime(self.folder / "drop" / place[0] / str(place[1]) / name, (moment, moment))

    def delete_folder(self) -> None:
        place = self.draw.choice(PLACES)
        self.say(f"delete folder {place}")
        shutil.rmtree(self.folder / "drop" / place[0] / str(place[1]), ignore_errors=True)
        self.model.pop(place, None)
        self.odd.discard(place)

    def odd_key(self) -> None:
        place = self.draw.choice(PLACES)
        folder = self.folder / "drop" / place[0] / str(place[1])
        if place in self.odd:
            self.say(f"odd key gone {place}")
            for name in ODD_NAMES:
                (folder / name).unlink(missing_ok=True)
            self.odd.discard(place)
        else:
            self.say(f"odd key {place}")
            folder.mkdir(parents=True, exist_ok=True)
            (folder / self.draw.choice(ODD_NAMES)).write_bytes(b"x")
            self.odd.add(place)

    def strange_place(self) -> None:
        community, year = self.draw.choice(STRANGE_PLACES)
        self.say(f"strange place {community}/{year}")
        path = self.folder / "drop" / community / str(year) / "values.csv"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(self.content().data)

    def say(self, text: str) -> None:
        self.log.append(text)

    # --- runs --------------------------------------------------------------------------------------------------------

    def run(self, drop: Store | None = None) -> None:
        """One intake; afterwards the model of what was taken is what stands."""
        self.say("run")
        places = Places(drop or self.places.drop, self.places.lake)
        for _ in run_intake(places, INTAKE, TODAY, Selection(accept_withdrawals=True), "run"):
            pass

    def noisy_run(self, events: int) -> None:
        """An intake while members go on: some events happen between the run's reads."""
        self.say("run with uploads")
        self.run(Disturbed(self, events))

    def settle(self) -> None:
        """A quiet run, after which everything must be taken; a name that cannot be kept costs its own file alone."""
        self.run()
        for place in PLACES:
            self.taken[place] = dict(self.model.get(place, {}))
        for files in self.taken.values():
            for content in files.values():
                self.ever[hashlib.sha256(content.data).hexdigest()] = content.person_level

    # --- claims ------------------------------------------------------------------------------------------------------

    def check(self) -> None:
        """The lake is what the model says."""
        standing = {place: files for place, files in self.taken.items() if files}
        submissions = current_submissions(Ledger(self.places.lake).events())
        told = {(c, y): s for c, y, s in submissions.select("community_id", "reporting_year", "submission_id").rows()}
        assert told == {place: identity(place, files) for place, files in standing.items()}, self.tail()
        partitions = sorted(standing)
        files = read_partitions(self.places.lake, "files", partitions)
        listed = {
            (c, y, n): s for c, y, n, s in files.select("community_id", "reporting_year", "name", "sha256").rows()
        }
        assert listed == {
            (*place, name): hashlib.sha256(content.data).hexdigest()
            for place, names in standing.items()
            for name, content in names.items()
        }, self.tail()
        rows = read_partitions(self.places.lake, "observations", partitions).filter(pl.col("row_status") == "accepted")
        names = ("community_id", "reporting_year", "source_file", "series", "numerator")
        assert sorted(rows.select(names).rows()) == sorted(accepted(standing)), self.tail()
        for sha, person_level in self.ever.items():
            assert (self.places.lake.get_or_none(raw_key(sha)) is None) == person_level, self.tail()
        differences = reconcile(self.places.drop, self.places.lake, REFERENCE, TODAY)
        assert differences == [], (differences[:3], self.tail())

    def tail(self) -> str:
        return "; ".join(self.log[-40:])


class Disturbed(Store):
    """The bucket as a run sees it while members go on working in it."""

    def __init__(self, world: World, events: int) -> None:
        super().__init__(world.places.drop.url)
        self.world = world
        self.left = events
        self.one_at_a_time = Lock()

    def stream(self, key: str) -> Iterator[bytes]:
        for piece in super().stream(key):
            yield piece
            with self.one_at_a_time:  # a run reads with several threads
                if self.left and self.world.draw.random() < 0.3:
                    self.left -= 1
                    self.world.event()


def identity(place: Place, files: dict[str, Content]) -> str:
    return submission_id(*place, ((name, hashlib.sha256(c.data).hexdigest()) for name, c in files.items()))


def accepted(standing: dict[Place, dict[str, Content]]) -> Iterator[tuple[str, int, str, str, int]]:
    """Identical rows of one key count once, for the first file; rows of one key that differ count not at all."""
    for place, files in standing.items():
        by_key: dict[str, list[tuple[str, int]]] = {}
        for name in sorted(files, key=str.encode):
            if name.endswith((".csv", ".txt")) and not files[name].person_level:
                for key, numerator in files[name].rows:
                    if numerator is not None:
                        by_key.setdefault(key, []).append((name, numerator))
        for key, rows in by_key.items():
            if len({numerator for _, numerator in rows}) == 1:
                yield (*place, rows[0][0], key, rows[0][1])


INTAKE = Intake(REFERENCE)


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder in memory where the machine has one."""
    shared = Path("/dev/shm")
    made = Path(tempfile.mkdtemp(prefix="ledger-", dir=shared if os.access(shared, os.W_OK) else None))
    yield made
    shutil.rmtree(made)


@pytest.mark.parametrize("seed", range(EVENTS // EVENTS_PER_WORLD))
def test_the_lake_holds_what_stands_in_the_bucket_after_any_events(folder: Path, seed: int) -> None:
    world = World(folder, random.Random(seed))
    left = EVENTS_PER_WORLD
    while left:
        count = min(left, world.draw.randint(*EVENTS_BETWEEN_RUNS))
        during = min(count, world.draw.choice([0, 0, 0, 4]))
        for _ in range(count - during):
            world.event()
        if during:
            world.noisy_run(during)
        left -= count
        world.settle()
        world.check()
    # Nothing but the bucket as it stands decides: a lake made anew from it holds the same rows.
    for name in ODD_NAMES:
        for path in (folder / "drop").rglob(name):
            path.unlink()
    world.odd.clear()
    world.settle()
    world.check()
    fresh = Places(world.places.drop, Store(str(folder / "fresh")))
    for _ in run_intake(fresh, INTAKE, TODAY, Selection(), "run"):
        pass
    partitions = sorted(place for place, files in world.taken.items() if files)
    for name in ("observations", "findings", "files"):
        kept = read_partitions(world.places.lake, name, partitions)
        assert kept.equals(read_partitions(fresh.lake, name, partitions)), name
