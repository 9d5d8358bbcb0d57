"""What must be in order before a run, looked at one by one.

Belongs here: checks of settings, stores, tools, seeds and the current release, each with a hint.
Does not: repairing anything.
"""

from __future__ import annotations

import datetime as dt
import importlib.metadata
import shutil
import sqlite3
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from urllib.parse import quote

import polars as pl

import contracts
from dagster_project.lib.app.ready import reference_faults
from dagster_project.lib.app.stands.cycles import lost_cycles, read_frozen
from dagster_project.lib.app.stands.house import WhatStands
from dagster_project.lib.app.stands.public import PublicStands
from dagster_project.lib.app.state import is_database, state_faults
from dagster_project.lib.base.folder_tree import look
from dagster_project.lib.base.reference import Reference, SeedError
from dagster_project.lib.base.seeds.forms import ignored_lines
from dagster_project.lib.base.shown import some
from dagster_project.lib.base.state import StateError
from dagster_project.lib.base.store import FOR_ALL, PRIVATE, Store, StoreError
from dagster_project.lib.base.successions import CommunityIds
from dagster_project.lib.intake.bucket.drop import open_drop
from dagster_project.lib.intake.bucket.ledger import Ledger
from dagster_project.lib.intake.bucket.whole import GONE, DamagedLakeError, damaged_places
from dagster_project.lib.publish.public.register import KEY_FILE, Register
from dagster_project.lib.publish.public.shown import current_public, manifest_or_none, unknown_words
from dagster_project.lib.publish.release.pointing import FIXED, current_release, is_fixed, read_manifest
from dagster_project.lib.publish.release.states import WITHDRAWN, StatesError, read_states
from dagster_project.lib.publish.server.current import SCHEMAS, BiServer
from dagster_project.lib.publish.server.loading import ServerError
from dagster_project.lib.receipts.change_log import ChangeLog
from dagster_project.lib.warehouse.dbt_run import MANIFEST
from dagster_project.settings import PROJECT_ROOT, Settings

PROBE = ".cradle-doctor"
CONNECTION = "check the address, the endpoint and the credentials"
GIB = 2**30
TIMES_WAREHOUSE = 4
SHOWN = 5
OTHERS_WRITE, OTHERS = stat.S_IWGRP | stat.S_IWOTH, stat.S_IRWXG | stat.S_IRWXO
CLOCK_PATIENCE = dt.timedelta(minutes=5)
"""Two machines that write one lake do not agree to the second."""


@dataclass(frozen=True)
class Line:
    """One thing looked at."""

    ok: bool
    what: str
    found: str
    hint: str = ""


def examine(settings: Settings) -> list[Line]:
    """Look at everything; every line says what was found, a bad one also how to mend it."""
    looks = (_home, _seeds, _stores, _kept, _release, _rules, _receipts, _public, _server)
    return [*_tools(), *(line for look_at in looks for line in look_at(settings))]


def _tools() -> Iterator[Line]:
    version = ".".join(map(str, sys.version_info[:3]))
    yield Line((3, 11) <= sys.version_info[:2] < (3, 14), "Python", version, "use Python 3.11 to 3.13")
    for name in ("dagster", "dbt-core", "dbt-duckdb", "duckdb", "polars"):
        locked = _locked(name)
        found = importlib.metadata.version(name)
        yield Line(found == locked, name, f"{found} (locked {locked})", "run make setup")
    yield Line(MANIFEST.is_file(), "dbt manifest", "present" if MANIFEST.is_file() else "absent", "run make setup")


def _locked(name: str) -> str:
    for line in (PROJECT_ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines():
        if line.startswith(f"{name}=="):
            return line.split("==")[1].split()[0]
    return "not in the lock"


def _home(settings: Settings) -> Iterator[Line]:
    """Whether others may write where figures are made, and whether a run has room: a full disk ends it half way."""
    if not settings.home.exists():
        return
    mode = stat.S_IMODE(settings.home.stat().st_mode)
    others = "others may write into it" if mode & OTHERS_WRITE else "written by its user alone"
    yield Line(not mode & OTHERS_WRITE, "home", f"{settings.home}: {others} (mode {mode:04o})", "chmod go-w the folder")
    free, needed = shutil.disk_usage(settings.home).free, _needed_bytes(settings)
    room = f"{free / GIB:,.1f} GiB free, a run may need {needed / GIB:,.1f}"
    yield Line(free >= needed, "disk", room, "make room: cradle prune deletes old releases")


def _needed_bytes(settings: Settings) -> int:
    """Room for a warehouse, a release and the scratch of both, of the size that the present ones have."""
    warehouse = settings.warehouse.stat().st_size if settings.warehouse.is_file() else 0
    return max(GIB, TIMES_WAREHOUSE * warehouse)


def _seeds(settings: Settings) -> Iterator[Line]:
    reference = Reference(settings.seeds)
    wrong = reference_faults(reference, settings.today)
    try:
        years = reference.reporting_years(settings.today)
        found = f"{reference.communities.height} communities, reporting years {years.start} to {years.stop - 1}"
        yield Line(True, "seeds", f"{settings.seeds}: {found}")
    except SeedError as error:
        wrong = wrong or [str(error)]
    yield Line(not wrong, "reference data", _counted(len(wrong), "fault"), "correct what is named below")
    for fault in wrong:
        yield Line(False, "reference data", fault, "correct the line, then look again with cradle doctor")
    for file, count in ignored_lines(settings.seeds).items():
        lines = "1 line of a community" if count == 1 else f"{count:,} lines of communities"
        yield Line(True, "seeds", f"{file}.csv: {lines} outside the network {'is' if count == 1 else 'are'} ignored")
    if not wrong:
        yield from _calendar(reference, settings.today.year)
        yield from _joining(reference, settings.today.year)
    yield Line(True, "today", settings.today.isoformat())
    tables = contracts.tables(contracts.version_for(settings.today.year))
    yield Line(True, "contracts", f"{len(tables)} tables, version {contracts.version_for(settings.today.year)}")


def _calendar(reference: Reference, year: int) -> Iterator[Line]:
    """Without a due day no folder of the year is ever late, and nobody is told."""
    calendar = reference.table("network/calendar")
    if str(year) not in set(calendar["reporting_year"]):
        says = f"network/calendar.csv has no line for {year}: no folder of that year is ever due or late"
        yield Line(False, "calendar", says, "add the year with the days it opens and is due")
    for due in calendar.iter_rows(named=True):
        if due["due_on"] is not None and not 0 <= int(due["due_on"][:4]) - int(due["reporting_year"]) <= 1:
            says = f"network/calendar.csv: the folders of {due['reporting_year']} are due on {due['due_on']}"
            yield Line(False, "calendar", says, "a folder is due in its reporting year or the one after it")


def _joining(reference: Reference, year: int) -> Iterator[Line]:
    """A community counts from the year that it joined in; a mistyped one takes it out of every figure until then."""
    far = reference.communities.filter(pl.col("joined_year") > year + 1)
    for community, joined in far.select("community_id", "joined_year").iter_rows():
        says = f"network/communities.csv: {community} joins in {joined} and counts in no figure before"
        yield Line(False, "communities", says, "correct joined_year; a community that joins next year may stand there")


def _counted(number: int, word: str) -> str:
    return f"{number or 'no'} {word}{'' if number == 1 else 's'}"


def _stores(settings: Settings) -> Iterator[Line]:
    places = {
        "drop bucket": settings.drop_url,
        "outbox": settings.outbox_url,
        "lake": settings.lake_url,
        "publish": settings.publish_url,
        "public": settings.public_url,
    }
    for what, url in places.items():
        yield _reachable(what, url, lambda what=what, url=url: _folders(settings, what, url))  # type: ignore[misc]


def _folders(settings: Settings, what: str, url: str) -> int:
    """How many folders lie there. A drop folder that is not there is misspelt, unless a run is to make it."""
    own = settings.home / "drop"
    if what != "drop bucket":
        store = Store(url, settings.s3_endpoint, mode=FOR_ALL if what == "public" else PRIVATE)
        # What may be listed may still refuse to be written, and a run would find out at its end.
        store.put(PROBE, b"written by cradle doctor\n")
        store.delete([PROBE])
        return len(store.folders())
    if url == str(own) and not own.exists():
        return 0
    store = open_drop(url, settings.s3_endpoint)
    if store.folder is None:
        return len(store.folders())
    try:
        return len(look(store.folder, deep=False).folders)
    except OSError as error:
        raise StoreError(f"cannot list {url}: {error.strerror}") from error


def _reachable(what: str, url: str, look: Callable[[], int]) -> Line:
    try:
        return Line(True, what, f"{url} ({look()} folders)")
    except StoreError as error:
        return Line(False, what, str(error), CONNECTION)


def _kept(settings: Settings) -> Iterator[Line]:
    """Files that the warehouse keeps for itself: whether each can still be read, and what to do where one cannot."""
    moments: list[str] = []
    try:
        found = _unreadable(settings, moments)
        yield Line(not found, "kept state", _counted(len(found), "fault"), "see below")
    except StoreError as error:
        # Each further look would wait as long for the same answer.
        found = []
        yield Line(False, "kept state", f"not looked at: {error}", CONNECTION)
    for fault in found:
        yield Line(False, "kept state", fault, "do what the line says, then look again with cradle doctor")
    if settings.warehouse.is_file() and not is_database(settings.warehouse):
        hint = "delete it; the next run makes it anew"
        yield Line(False, "warehouse", f"{settings.warehouse} is no database any more", hint)
    yield from _history(settings)
    yield from _clock(moments)


def _unreadable(settings: Settings, moments: list[str]) -> list[str]:
    """What cannot be read of the lake's own files; `moments` as in _ledger. StoreError where there is no lake."""
    lake = Store(settings.lake_url, settings.s3_endpoint)
    found = [*state_faults(lake).values()]
    log = ChangeLog(lake)
    looks: list[Callable[[], object]] = [log.records, lambda: log.told, lambda: log.telling]
    looks.append(lambda: _ledger(lake, Reference(settings.seeds).names, moments))
    looks += [cycle.read for cycle in read_frozen(lake)]
    for look_at in looks:
        try:
            look_at()
        except (StateError, StoreError, ValueError) as error:
            found.append(str(error))
    return found


def _ledger(lake: Store, names: CommunityIds, moments: list[str]) -> None:
    """StateError for a damaged segment, or for folders whose rows are gone; `moments` gets when its files were seen."""
    events = Ledger(lake, names).events()
    moments += events["seen_at"].drop_nulls().to_list()
    if gone := sorted(damaged_places(lake, events, names)):
        raise DamagedLakeError(dict.fromkeys(gone, GONE))


def _clock(moments: list[str]) -> Iterator[Line]:
    """Whether the machine's clock stands behind what it wrote before: leases of runs and signed addresses go by it.

    Without moments nothing was written yet, or the ledger's own line says that it cannot be read.
    """
    now = dt.datetime.now(dt.UTC)
    if moments:
        seen = max(moments)
        newest = dt.datetime.fromisoformat(seen)
        behind = newest.replace(tzinfo=newest.tzinfo or dt.UTC) - now
        ok = behind < CLOCK_PATIENCE
        found = "not behind what was written before" if ok else f"{now:%Y-%m-%d %H:%M}, behind what was seen at {seen}"
        yield Line(ok, "clock", found, "set the machine's clock")


def _receipts(settings: Settings) -> Iterator[Line]:
    """Whether members find the receipts of what stands; while a build is still due, it is the one that writes them."""
    try:
        house = WhatStands(settings)
        if house.up_to_date() is not None:
            astray = [f"{community}/{year}" for community, year in house.receipts_astray()]
            found = (
                f"{_counted(len(astray), 'folder')} without one or with one of an earlier state: {some(astray, SHOWN)}"
            )
            yield Line(not astray, "receipts", found if astray else "those of what stands", "cradle run writes them")
    except (StoreError, StateError, SeedError, FileNotFoundError) as error:
        yield Line(False, "receipts", f"not looked at: {error}", "correct what stands above first")


def _rules(settings: Settings) -> Iterator[Line]:
    """Whether a record's ruleset version still says what it said when the record was made."""
    hint = "put the old values back and give the new ones to a new version, with a line in ruleset_in_force.csv"
    try:
        changed = WhatStands(settings).rewritten_rulesets
    except (StoreError, StateError, SeedError, StatesError, FileNotFoundError) as error:
        yield Line(False, "rulesets", f"not looked at: {error}", "correct what stands above first")
        return
    if not changed:
        yield Line(True, "rulesets", "every version says what it said in the current release and in final ones")
    for version, what in changed.items():
        yield Line(
            False, "rulesets", f"{' '.join(version)} was changed after a release named it: {some(what, SHOWN)}", hint
        )


def _public(settings: Settings) -> Iterator[Line]:
    """What the public edition's tree names as current, and who may read the key that protects what it hides."""
    lake = Store(settings.lake_url, settings.s3_endpoint)
    key = lake.local(KEY_FILE)
    if key is not None and key.is_file():
        mode = stat.S_IMODE(key.stat().st_mode)
        found = "read by its user alone" if not mode & OTHERS else f"others may read or write {key} (mode {mode:04o})"
        yield Line(not mode & OTHERS, "key of the public edition", found, f"chmod 600 {key}")
    try:
        store = Store(settings.public_url, settings.s3_endpoint, mode=FOR_ALL)
        public_id = current_public(store)
        if public_id is not None:
            there = manifest_or_none(store, public_id) is not None
            found = public_id if there else f"{public_id}, of which there is no release"
            yield Line(there, "current public release", found, "cradle public makes it anew")
            if unknown := PublicStands(settings).out_and_unknown():
                hint = "until then no public edition is made; see When what is kept is damaged in docs/operations.md"
                yield Line(False, "public releases", unknown_words(unknown), hint)
            facts, built = Register(lake).built()
            made_of = facts.get("release_id") if built == public_id else None
            if made_of and read_states(Store(settings.publish_url, settings.s3_endpoint)).state(made_of) == WITHDRAWN:
                found = f"made of {made_of}, which is withdrawn"
                hint = (
                    f"cradle release withdraw {public_id} takes it down, cradle public makes one of the current release"
                )
                yield Line(False, "current public release", found, hint)
    except (StoreError, StatesError, UnicodeDecodeError, ValueError) as error:
        yield Line(False, "current public release", str(error), "cradle public makes it anew")


def _server(settings: Settings) -> Iterator[Line]:
    """Whether the PostgreSQL server for BI tools answers, and holds what is current."""
    bi_server = BiServer.of(settings)
    if bi_server is None:
        return
    try:
        loaded = bi_server.server.loaded()
        yield Line(True, "PostgreSQL", bi_server.server.shown)
        for schema in SCHEMAS:
            wanted, there = bi_server.wanted(schema), loaded.get(schema)
            found = there or "no release"
            yield Line(
                wanted == there,
                f"schema {schema}",
                found if wanted == there else f"{found}, current is {wanted or 'none'}",
                "cradle run loads what is current",
            )
    except (ServerError, StoreError, StateError) as error:
        hint = "check CRADLE_POSTGRES_URL, that the server runs, and the rights of its login"
        yield Line(False, "PostgreSQL", str(error), hint)


def _history(settings: Settings) -> Iterator[Line]:
    """Dagster's record of runs: no figure depends on it, and a damaged file stops every run."""
    hint = "move the folder of the file away: the history of runs is lost, no data and no figure is"
    for path in sorted(settings.dagster_home.rglob("*.db")):
        try:
            with closing(sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True)) as connection:
                says = str(connection.execute("pragma quick_check(1)").fetchone()[0])
        except sqlite3.DatabaseError as error:
            says = str(error)
        if says != "ok" and "locked" not in says:
            yield Line(False, "history", f"{path} is damaged ({says})", hint)


def _release(settings: Settings) -> Iterator[Line]:
    store = Store(settings.publish_url, settings.s3_endpoint)
    try:
        release_id = current_release(store)
        if release_id is None:
            yield Line(True, "current release", "none yet")
            return
        manifest = read_manifest(store, release_id)
        yield Line(True, "current release", f"{release_id}, {len(manifest['tables'])} tables")
        if lost := sorted(lost_cycles(Store(settings.lake_url, settings.s3_endpoint), manifest)):
            found = f"{', '.join(map(str, lost))} of the current release not in the lake"
            yield Line(False, "frozen cycles", found, "cradle run puts them back from the release")
        same = is_fixed(store, release_id)
        found = "the current release" if same else "not the database of the current release"
        yield Line(same, FIXED, found, "make a new release with cradle run; go back with cradle release withdraw")
        state = read_states(store).state(release_id)
        yield Line(state != WITHDRAWN, "its state", state, "cradle release withdraw current goes on to the one before")
    except (StoreError, StateError, FileNotFoundError, StatesError) as error:
        yield Line(False, "current release", str(error), "run cradle run, or put the id of a release into `current`")
