"""Releases: immutable folders, and the small file that says which one is current.

Belongs here: copying marts into internal.duckdb, the manifest, moving a finished release into place, `current`.
Does not: computing figures, the pages' looks (report/), the public edition (public/), which has a tree of its own.
"""

from __future__ import annotations

import errno
import hashlib
import json
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from operator import itemgetter
from pathlib import Path
from typing import Any

from dagster_project.lib.base import engine
from dagster_project.lib.base.engine import Connection
from dagster_project.lib.base.names import INPUTS, MARTS
from dagster_project.lib.base.store import FOR_ALL, Store, make_private
from dagster_project.lib.publish.release.as_built import ReleaseFacts
from dagster_project.lib.publish.release.comments import comment
from dagster_project.lib.publish.release.contract import FILE, contract, require_kept
from dagster_project.lib.publish.release.dictionary import write_dictionary
from dagster_project.lib.publish.release.hashing import BY_DAY, table_hash
from dagster_project.lib.publish.release.pointing import (
    DATABASE,
    READ_ONLY,
    current_release,
    database_key,
    fix,
    point,
    read_manifest,
)
from dagster_project.lib.publish.release.states import FINAL, PROVISIONAL, StateLine, add, read_states
from dagster_project.lib.warehouse.declared import TableWords, Word

EDITION = "internal"
WAREHOUSE = "warehouse"
HASHED = (MARTS, INPUTS)
"""Schemas of a release whose tables it states: what is published, and what it was decided from."""
WRITERS = 8
"""Files of a release that are sent to a bucket side by side."""
EDITION_SENTENCE = "Internal: contains small groups, not for distribution"
# What pages say of the release itself, and not of its figures: written in once the release's name is known. The marks
# are characters of no script, so that no text of a member is taken for one.
MARKS = {name: f"\ue000{name}\ue001" for name in ("release_id", "today", "code_version")}
MARKED = "\ue000".encode()
SINCE = "since"
"""What a manifest states of the release before. Pages say it in words: each language has a mark of its own."""


def since_mark(language: str) -> str:
    """What stands on pages of a language where it is said what changed since the release before."""
    return f"\ue000{SINCE}:{language}\ue001"


@dataclass(frozen=True)
class Since:
    """What a release states of the one before, asked for once it is known to be new.

    counted: from the manifest so far and the database. said: from what was counted to the text for each mark of pages.
    """

    counted: Callable[[Mapping[str, Any], Path], Mapping[str, Any]]
    said: Callable[[Mapping[str, Any]], Mapping[str, str]]


class WithdrawnContentError(RuntimeError):
    """What was built is what a withdrawn release holds; it is not published again."""

    def __init__(self, line: StateLine) -> None:
        super().__init__(
            f"what was built is what release {line.release_id} holds, withdrawn on {line.at} ({line.reason}); it is "
            "not published again. Correct what was wrong (folders, seeds) and run again, or add a line "
            f"{line.release_id},{PROVISIONAL},DAY,REASON to states.csv if it was withdrawn by mistake"
        )


@dataclass(frozen=True)
class Release:
    """A published release."""

    release_id: str
    manifest: Mapping[str, Any]
    is_new: bool


@dataclass(frozen=True)
class Copied:
    """What a copied database holds: name, rows, sha256 and key columns of every table by schema, each by name.

    `by_day`: the hashes of tables of BY_DAY without what grows with every day.
    """

    tables: Mapping[str, Sequence[Mapping[str, Any]]]
    by_day: Mapping[str, str]

    def content_sha256(self, pages: Mapping[str, str]) -> str:
        """One hash over what is published: the hash of every mart by its name, of every page (unnamed yet) by its path.

        Counts of rows stay out: those of dim_submission hold replaced states, which depend on what was uploaded before.
        So do counts of days in a text (BY_DAY): the next day would be another content.
        """
        tables = {**{table["name"]: table["sha256"] for table in self.tables[MARTS]}, **self.by_day}
        content = {"tables": tables, "pages": dict(pages)}
        return hashlib.sha256(json.dumps(content, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def _copied(
    warehouse: Path,
    target: Path,
    extra: Mapping[str, Mapping[str, Path]],
    words: Mapping[str, TableWords] | None,
    keys: Mapping[str, Sequence[str]],
) -> Copied:
    """Copy schema marts of the warehouse into a new DuckDB file, and state every table of it.

    `extra`: Parquet files by schema and table. `words`: what is declared of a table by its name, written as comments,
    which no hash of content sees. A table is hashed, as the new file holds it, while the next ones are copied.
    """
    target.unlink(missing_ok=True)
    with engine.written(target, threads=2) as connection, ThreadPoolExecutor(1) as beside:
        engine.attach(connection, warehouse, WAREHOUSE)
        built = engine.tables_of(connection, MARTS, WAREHOUSE)
        marts = {name: engine.name(WAREHOUSE, MARTS, name) for name in built}
        others = {schema: {name: engine.parquet(path) for name, path in of.items()} for schema, of in extra.items()}
        stated: dict[str, list[Future[dict[str, Any]]]] = {schema: [] for schema in HASHED}
        by_day: dict[str, Future[str]] = {}
        for schema, tables in {MARTS: marts, **others}.items():
            connection.execute(f"create schema {schema}")
            for name, source in tables.items():
                connection.execute(f"create table {engine.name(schema, name)} as from {source}")
                if schema in HASHED:
                    stated[schema].append(beside.submit(_stated, connection.cursor(), schema, name, keys))
                if schema == MARTS and name in BY_DAY:
                    by_day[name] = beside.submit(_hash_by_day, connection.cursor(), name)
        # Nobody reads any more: what is told of tables changes them, and closing the file waits for its readers.
        found = {schema: sorted((one.result() for one in of), key=itemgetter("name")) for schema, of in stated.items()}
        copied = Copied(found, {name: one.result() for name, one in by_day.items()})
        comment(connection, words or {})
        connection.execute(f"detach {WAREHOUSE}")
        connection.execute("checkpoint")
    return copied


def _hash_by_day(connection: Connection, name: str) -> str:
    return table_hash(connection, MARTS, name, BY_DAY[name])[1]


def hash_tables(database: Path, keys: Mapping[str, Sequence[str]], schema: str = MARTS) -> list[dict[str, Any]]:
    """name, rows, sha256 and key columns of every table of a schema, by name."""
    with engine.opened(database) as connection:
        return [_stated(connection, schema, name, keys) for name in engine.tables_of(connection, schema)]


def _stated(connection: Connection, schema: str, name: str, keys: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    rows, digest = table_hash(connection, schema, name)
    return {"name": name, "rows": rows, "sha256": digest, "key": list(keys.get(name, ())) if schema == MARTS else []}


def publish(
    store: Store,
    warehouse: Path,
    facts: ReleaseFacts,
    keys: Mapping[str, Sequence[str]],
    extra: Mapping[str, Mapping[str, Path]],
    scratch: Path,
    write_report: Callable[[Path, Path, Mapping[str, Any]], None],
    words: Mapping[str, TableWords] | None = None,
    vocabularies: Mapping[str, Sequence[Word]] | None = None,
    since: Since | None = None,
) -> Release:
    """Build a release aside, move it into place whole, then point `current` and `current.duckdb` at it.

    Where tables and pages equal those of the current release nothing is written, whatever else they were made from:
    the current release is returned with its own manifest. Otherwise the id is the day and a hash of the content; a
    release of that id that is there already becomes current again. `write_report` gets the warehouse, the release's
    folder and the facts, with MARKS for what is not known before the content is. Readers that hold an older release
    open are not disturbed: no released file is ever changed. WithdrawnContentError where a withdrawn release holds
    the same content. `words` and `vocabularies`: what is declared, for comments and the release's dictionary;
    ContractBrokenError where it breaks what the current release promises and the contract's version does not say so.
    `since`: what is stated of the release before. It is in no hash of content: the next run has another release before
    it, and would make a new one where nothing changed.
    """
    make_private(scratch)
    building = Path(tempfile.mkdtemp(prefix="release-", dir=scratch))
    try:
        database = building / DATABASE
        stated = {**facts.stated(), "report_edition": EDITION, "notice": EDITION_SENTENCE}
        # The engine copies and hashes without Python's lock, and pages are all Python: each has a core. Pages read the
        # marts that are copied, where they stand already.
        with ThreadPoolExecutor(1) as beside:
            copied = beside.submit(_copied, warehouse, database, extra, words, keys)
            write_report(warehouse, building, {**stated, **MARKS})
            made = copied.result()
        if words is not None:
            write_dictionary(building, words, vocabularies or {})
            _keep_contract(store, building, words)
        content = made.content_sha256(_page_hashes(building))
        equal = _current_of(store, content)
        if equal is not None:
            fix(store, equal["release_id"])
            return Release(equal["release_id"], equal, False)
        _refuse_withdrawn(store, content)
        release_id = f"{facts.today}-{content[:12]}"
        manifest = _manifest_or_none(store, release_id)
        is_new = manifest is None
        if manifest is None:
            manifest = {"release_id": release_id, **stated, "content_sha256": content, "tables": made.tables[MARTS]}
            # What changed is counted by the engine, names are written by Python.
            with ThreadPoolExecutor(1) as beside:
                counted = None if since is None else beside.submit(since.counted, dict(manifest), database)
                files = _say(_pages(building), _names(manifest))
                manifest |= {} if counted is None else {SINCE: dict(counted.result())}
            files |= _say([path for path, said in files.items() if said is None], _since_words(manifest, since))
            manifest |= {"inputs_tables": made.tables[INPUTS], "files": _file_hashes(building, files)}
            (building / "manifest.json").write_text(_manifest_text(manifest), encoding="utf-8")
            _set_read_only(building)
            move_into_place(building, store, f"releases/{release_id}")
        elif store.size(database_key(release_id)) is None:
            # Its data files were pruned, its manifest was kept: the same content fills the folder again.
            _say(_pages(building), _names(manifest) | _since_words(manifest, since))
            _set_read_only(building)
            _fill(building, store, f"releases/{release_id}")
        _publish_line(store, release_id, facts.today)
        point(store, release_id)
        return Release(release_id, manifest, is_new)
    finally:
        shutil.rmtree(building, ignore_errors=True)


def _keep_contract(store: Store, building: Path, words: Mapping[str, TableWords]) -> None:
    current = current_release(store)
    released = store.get_or_none(f"releases/{current}/{FILE}") if current else None
    # What is promised in the same words is kept; reading it takes half a second.
    if released != (building / FILE).read_bytes():
        require_kept(released, contract(words.values()))


def _refuse_withdrawn(store: Store, content: str) -> None:
    for line in read_states(store).withdrawn():
        manifest = _manifest_or_none(store, line.release_id)
        if manifest and manifest.get("content_sha256") == content:
            raise WithdrawnContentError(line)


def _publish_line(store: Store, release_id: str, today: str) -> None:
    """One line a publication: of releases of one day it tells which came last. A final one stays final."""
    states = read_states(store)
    if states.state(release_id) != FINAL:
        add(store, StateLine(release_id, PROVISIONAL, today, "published"))


def _set_read_only(building: Path) -> None:
    for path in building.rglob("*"):
        if path.is_file():
            path.chmod(READ_ONLY)


def _current_of(store: Store, content: str) -> dict[str, Any] | None:
    """The manifest of the current release if that is its content; a release of an older form never is."""
    release_id = current_release(store)
    manifest = _manifest_or_none(store, release_id) if release_id else None
    return manifest if manifest and manifest.get("content_sha256") == content else None


def _manifest_or_none(store: Store, release_id: str) -> dict[str, Any] | None:
    try:
        return read_manifest(store, release_id)
    except FileNotFoundError:
        return None


def _pages(building: Path) -> list[Path]:
    """Every file of a release but its database, sorted."""
    return sorted(path for path in building.rglob("*") if path.is_file() and path.name != DATABASE)


def _page_hashes(building: Path) -> dict[str, str]:
    return {path.relative_to(building).as_posix(): _sha256(path) for path in _pages(building)}


def _names(manifest: Mapping[str, Any]) -> dict[str, str]:
    """What stands for each mark of what the release itself is called."""
    return {mark: str(manifest[name]) for name, mark in MARKS.items()}


def _since_words(manifest: Mapping[str, Any], since: Since | None) -> dict[str, str]:
    """What stands for the marks of what changed since the release before."""
    return dict(since.said(manifest[SINCE])) if since is not None and SINCE in manifest else {}


def _say(pages: Sequence[Path], said: Mapping[str, str]) -> dict[Path, str | None]:
    """Write words in place of their marks; the sha256 of each file, None where marks are left that have no word yet."""
    hashes: dict[Path, str | None] = {}
    for path in pages:
        marked = text = path.read_bytes()
        if MARKED in marked:
            for mark, words in said.items():
                text = text.replace(mark.encode(), words.encode())
            if text != marked:
                path.write_bytes(text)
        hashes[path] = None if MARKED in text else hashlib.sha256(text).hexdigest()
    return hashes


def _file_hashes(building: Path, files: Mapping[Path, str | None]) -> list[dict[str, str]]:
    """path and sha256 of every file beside the database and the manifest, as they are published."""
    return [
        {"path": path.relative_to(building).as_posix(), "sha256": said or _sha256(path)} for path, said in files.items()
    ]


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _manifest_text(manifest: Mapping[str, Any]) -> str:
    return json.dumps(manifest, ensure_ascii=False, indent=1) + "\n"


def move_into_place(building: Path, store: Store, prefix: str) -> None:
    """A finished folder into a store, whole: nobody sees half a release."""
    target = store.local(prefix)
    if target is not None:
        target.parent.mkdir(parents=True, exist_ok=True)
        for folder in (building, *(path for path in building.rglob("*") if path.is_dir())):
            folder.chmod(FOR_ALL)  # scratch was made for one user; who may come to a release may read all of it
        try:
            building.rename(target)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            _copy_whole(building, target)
        store.open_to_readers(prefix)
        return

    def put(path: Path) -> None:
        store.put(f"{prefix}/{path.relative_to(building).as_posix()}", path.read_bytes())

    manifest = building / "manifest.json"
    with ThreadPoolExecutor(WRITERS) as writers:
        # Each waits for an answer of the bucket. The first error ends it, before there is a manifest.
        list(writers.map(put, sorted(path for path in building.rglob("*") if path.is_file() and path != manifest)))
    # The manifest goes last: a release without one is not finished.
    put(manifest)


def _fill(building: Path, store: Store, prefix: str) -> None:
    """Files into a folder that holds nothing but a manifest, the database last: it says that the release is whole."""
    files = [*_pages(building), building / DATABASE]
    for path in files:
        key = f"{prefix}/{path.relative_to(building).as_posix()}"
        target = store.local(key)
        if target is None:
            store.put(key, path.read_bytes())
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        aside = target.with_name(f".{target.name}.partial")
        shutil.copy2(path, aside)
        aside.replace(target)


def _copy_whole(building: Path, target: Path) -> None:
    """From another file system: beside the target first, so that nobody sees half a release."""
    aside = target.with_name(f".{target.name}.partial")
    shutil.rmtree(aside, ignore_errors=True)
    shutil.copytree(building, aside)
    aside.rename(target)
