"""What changed between two releases, as a director asks: what was submitted, how much moved, which verdicts and why.

Belongs here: folders with their files, seed lines and rules that differ, counts by table, moved judgements with causes.
Does not: cells one by one (lib/publish/release/compare.py), what a receipt says of it (lib/receipts/changes.py).
"""

from __future__ import annotations

import csv
import io
import shutil
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import polars as pl

from dagster_project.lib.base import engine
from dagster_project.lib.base.names import NETWORK_FOLDER
from dagster_project.lib.base.store import Store
from dagster_project.lib.base.successions import OWN_COLUMNS, PART, CommunityIds
from dagster_project.lib.intake.bucket.ledger import current_objects
from dagster_project.lib.publish.release.compare import (
    FIRST,
    GONE,
    VALUE_COLUMNS,
    VALUE_TABLE,
    TableCounts,
    ValueCounts,
    count_differences,
    count_values,
    present,
    since_stated,
)
from dagster_project.lib.publish.release.opening import database_path
from dagster_project.lib.publish.release.pointing import (
    SUMMARIES,
    ReleaseMissingError,
    current_release,
    read_manifest,
    summary_key,
)
from dagster_project.lib.publish.release.states import WITHDRAWN, read_states
from dagster_project.lib.receipts.change_words import label
from dagster_project.lib.receipts.changes import (
    CHANGED,
    ELIGIBILITY,
    KEPT,
    NAMED,
    STATUSES,
    ChangedFolder,
    Tables,
    changed_folders,
    judgement_flips,
    read_tables,
)
from dagster_project.settings import Settings

PLACE = ["community_id", "reporting_year"]
RULES = {"ruleset_id": "ruleset", "ruleset_version": "ruleset version", "contract_version": "contract version"}
CODE = {"code_version": "code", "lock_sha256": "locked packages"}
CAUSES_SHOWN = 3
SUMMARY_SHOWN = 50
PARAMETERS = "_parameters.csv"
"""How files of parameters end; their lines begin with the id and the version of a ruleset."""
SeedsOf = Callable[[str], Mapping[str, bytes] | None]
"""The files of reference data that a release was made with, by path; None where they are not kept."""
WORDS = {STATUSES: "Statuses that moved", ELIGIBILITY: "Designations, gateways and criteria that moved"}


@dataclass(frozen=True)
class Side:
    """One of the two releases."""

    manifest: Mapping[str, Any]
    database: Path


@contextmanager
def as_named_now(side: Side, names: CommunityIds) -> Iterator[Side]:
    """A release with every community under its id of now, in a copy of its database for as long as it is looked at.

    Without this all rows of a renamed community would be gone and as many new, and nothing could be seen to move.
    """
    inputs = side.manifest["inputs"]
    if all(names.of(row["community_id"] or "") == (row["community_id"] or "") for row in inputs):
        yield side
        return
    with TemporaryDirectory() as folder:
        copy = Path(folder) / side.database.name
        shutil.copyfile(side.database, copy)
        copy.chmod(0o600)  # releases are read only
        with engine.written(copy) as connection:
            for schema, table, column, kind in connection.execute(TEXTS, [[*OWN_COLUMNS, FOLDER]]).fetchall():
                own, whole = engine.name(column), engine.name(schema, table)
                for former, now in names.now.items():
                    if kind == LIST:
                        renamed_list = f"list_sort(list_transform({own}, one -> if(one = ?, ?, one)))"
                        query = f"update {whole} set {own} = {renamed_list} where list_contains({own}, ?)"
                        connection.execute(query, [former, now, former])
                        continue
                    connection.execute(
                        f"update {whole} set {own} = ? || substr({own}, ?) where {own} = ? or starts_with({own}, ?)",
                        [now, len(former) + 1, former, f"{former}{PART}"],
                    )
        renamed = [row | {"community_id": row["community_id"] and names.of(row["community_id"])} for row in inputs]
        yield Side({**side.manifest, "inputs": renamed}, copy)


FOLDER, LIST = "folder", "VARCHAR[]"
"""Beside the columns that all tables name alike: where files lay, and every list, since all lists are of ids."""
TEXTS = f"""
select table_schema, table_name, column_name, data_type
from information_schema.columns
join information_schema.tables using (table_catalog, table_schema, table_name)
where table_catalog = current_database() and table_type = 'BASE TABLE'
    and (data_type = '{LIST}' or data_type = 'VARCHAR' and column_name in (select unnest(?)))
order by all
"""


@dataclass(frozen=True)
class SubmittedFolder:
    """A folder that differs, and the files of it that came, changed or went (word, name)."""

    folder: ChangedFolder
    files: tuple[tuple[str, str], ...]

    @property
    def place(self) -> str:
        """community/year."""
        return f"{self.folder.community_id}/{self.folder.reporting_year}"


@dataclass(frozen=True)
class SeedLine:
    """A line of reference data that only one of the releases was made with.

    `can_move`: false for a parameter of a ruleset that its release does not go by, and for one that says the same as
    that of the other release's ruleset.
    """

    file: str
    number: int
    word: str
    text: str
    can_move: bool = True

    @property
    def place(self) -> str:
        """seeds/file line n."""
        return f"seeds/{self.file} line {self.number}"


@dataclass(frozen=True)
class Moved:
    """A judgement that both releases hold and that is another one now, with what can have moved it."""

    kind: str
    community_id: str
    reporting_year: int | None
    what: str
    column: str
    before: Any
    after: Any
    is_frozen: bool
    causes: tuple[str, ...]


@dataclass(frozen=True)
class Difference:
    """The summary of two releases; `seeds_known` is false where reference data differ and lines of one are not kept."""

    release_a: str
    release_b: str
    submitted: tuple[SubmittedFolder, ...]
    conditions: tuple[str, ...]
    seed_lines: tuple[SeedLine, ...]
    seeds_known: bool
    counts: tuple[TableCounts, ...]
    values: ValueCounts
    moved: tuple[Moved, ...]
    judged_new: int
    judged_gone: int

    def moved_of(self, kind: str) -> tuple[Moved, ...]:
        """The judgements of a kind that are others now; what a frozen record keeps is told and has not moved."""
        return tuple(row for row in self.moved if row.kind == kind and not row.is_frozen)


def difference(a: Side, b: Side, seeds_of: SeedsOf, communities: Collection[str] = ()) -> Difference:
    """Compare two releases of one lake; of `communities` only, and of the network's own folder, where any is named."""
    wanted = set(communities)
    folders = [
        folder
        for folder in changed_folders(a.manifest["inputs"], b.manifest["inputs"])
        if not wanted or folder.community_id in wanted | {NETWORK_FOLDER}
    ]
    submitted = _submitted(a.database, b.database, folders)
    seeds_known, lines = seed_lines(a.manifest, b.manifest, seeds_of)
    conditions = tuple(
        f"{word}: {a.manifest.get(name)} -> {b.manifest.get(name)}"
        for name, word in {**RULES, **CODE, "today": "day"}.items()
        if a.manifest.get(name) != b.manifest.get(name)
    )
    known = {row["community_id"] for side in (a, b) for row in side.manifest["inputs"] if row["community_id"]}
    tables_a, tables_b = (read_tables(side.database, wanted or known) for side in (a, b))
    keys = {table["name"]: table["key"] for table in b.manifest["tables"]}
    flips = judgement_flips(tables_a, tables_b, keys)
    causes = Causes(submitted, lines, conditions, seeds_known, _touched(tables_a, tables_b))
    words = {name: _names(tables_b.get(name), *NAMED[name]) for name in NAMED}
    both = flips.filter(pl.col("change").is_in([CHANGED, KEPT])).filter(pl.col("before").ne_missing(pl.col("after")))
    changes = Counter(flips["change"].to_list())
    return Difference(
        release_a=a.manifest["release_id"],
        release_b=b.manifest["release_id"],
        submitted=submitted,
        conditions=(*conditions, *frozen_cycles(a.manifest["inputs"], b.manifest["inputs"])),
        seed_lines=lines,
        seeds_known=seeds_known,
        counts=tuple(count_differences(a.database, b.database, a.manifest, b.manifest, communities)),
        values=count_values(tables_a.get(VALUE_TABLE), tables_b[VALUE_TABLE], keys[VALUE_TABLE]),
        moved=tuple(_moved(row, words, causes) for row in both.iter_rows(named=True)),
        judged_new=changes["added"],
        judged_gone=changes["gone"],
    )


def frozen_cycles(a: Sequence[Mapping[str, Any]], b: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """Which cycles were frozen for the one and for the other release, in a line where that is not the same.

    Told beside what may have moved a status and never as its cause: what is frozen stays.
    """
    years = [
        ", ".join(sorted(str(row["reporting_year"]) for row in inputs if row.get("frozen_records_sha256"))) or "none"
        for inputs in (a, b)
    ]
    return () if years[0] == years[1] else (f"frozen cycles: {years[0]} -> {years[1]}",)


@dataclass
class ReleaseBefore:
    """The release that is current while the next one is made, compared with it once: for the manifest, for the summary.

    seeds: the files of reference data that the next one is made with, which are kept only once it is out.
    """

    settings: Settings
    published: Store
    names: CommunityIds
    seeds_of: SeedsOf
    seeds: Mapping[str, bytes]
    _found: Difference | None = None

    def since(self, manifest: Mapping[str, Any], database: Path) -> dict[str, Any]:
        """What the manifest of the release that is being made states of the one before (`since_stated`)."""
        before, states = current_release(self.published), read_states(self.published)
        a = None if before is None or states.state(before) == WITHDRAWN else self._side_or_none(before)
        if a is None:
            return {"state": GONE if states.lines or self.published.folders("releases") else FIRST}

        def seeds_of(release_id: str) -> Mapping[str, bytes] | None:
            return self.seeds if release_id == manifest["release_id"] else self.seeds_of(release_id)

        found = self._compared(a, Side(manifest, database), seeds_of)
        return since_stated(
            found.release_a,
            a.manifest["today"],
            found.values,
            statuses_moved=len(found.moved_of(STATUSES)),
            designations_moved=len(found.moved_of(ELIGIBILITY)),
            judged_new=found.judged_new,
            judged_gone=found.judged_gone,
        )

    def keep_summary(self, before: str | None, release_id: str) -> None:
        """Write what a release changed against another beside the releases: it depends on both, so it is in none.

        Where the release before is gone, nothing is known of what changed, and nothing is written.
        """
        found = self._found
        if before is None:
            inputs = read_manifest(self.published, release_id)["inputs"]
            n_folders = sum(bool(row["community_id"]) for row in inputs)
            lines = [f"{release_id} is the first release: {n_folders:,} folders"]
        else:
            if found is None or (found.release_a, found.release_b) != (before, release_id):
                a = self._side_or_none(before)
                if a is None:
                    return
                found = self._compared(a, self._side(release_id), self.seeds_of)
            lines = summary_lines(found, SUMMARY_SHOWN)
        self.published.put(summary_key(release_id), ("\n".join(lines) + "\n").encode())

    def _side(self, release_id: str) -> Side:
        return Side(read_manifest(self.published, release_id), database_path(self.settings, release_id))

    def _side_or_none(self, release_id: str) -> Side | None:
        try:
            return self._side(release_id)
        except (FileNotFoundError, ReleaseMissingError):
            return None

    def _compared(self, a: Side, b: Side, seeds_of: SeedsOf) -> Difference:
        with as_named_now(a, self.names) as was:
            self._found = difference(was, b, seeds_of)
        return self._found


def forget_summaries(published: Store, place: str) -> None:
    """Delete every summary that speaks of a folder: names of its files and what they moved stand there."""
    keys = [info.key for info in published.objects(SUMMARIES)]
    published.delete(key for key in keys if place in published.get(key).decode())


# ---- what was submitted, what it is read with ----


def _submitted(a: Path, b: Path, folders: Sequence[ChangedFolder]) -> tuple[SubmittedFolder, ...]:
    sides = [_files(path) for path in (a, b)]
    found = []
    for folder in folders:
        was, stands = (side.get((folder.community_id, folder.reporting_year), {}) for side in sides)
        names = sorted(name for name in was.keys() | stands.keys() if was.get(name) != stands.get(name))
        words = ("added" if name not in was else "gone" if name not in stands else "changed" for name in names)
        found.append(SubmittedFolder(folder, tuple(zip(words, names, strict=True))))
    return tuple(found)


def _files(database: Path) -> dict[tuple[str, int], dict[str, str]]:
    """sha256 of each file by its name, by folder, as the release's own copy of the ledger has it."""
    with engine.opened(database) as connection:
        events = connection.execute("select * from ops.ledger_event order by sequence").pl()
    found: dict[tuple[str, int], dict[str, str]] = {}
    for community, year, name, sha in current_objects(events).select(*PLACE, "name", "sha256").iter_rows():
        found.setdefault((community, year), {})[name] = sha
    return found


def seed_lines(a: Mapping[str, Any], b: Mapping[str, Any], seeds_of: SeedsOf) -> tuple[bool, tuple[SeedLine, ...]]:
    """Whether the lines are known, and those that only one of the two has, by file and line."""
    if a.get("seeds_sha256") == b.get("seeds_sha256"):
        return True, ()
    was, stands = (seeds_of(manifest["release_id"]) for manifest in (a, b))
    if was is None or stands is None:
        return False, ()
    lines: list[SeedLine] = []
    for file in sorted(was.keys() | stands.keys()):
        if file.endswith(".csv") and was.get(file) != stands.get(file):
            before, after = (side.get(file, b"").decode("utf-8-sig", "replace").splitlines() for side in (was, stands))
            found = _only_in(file, "gone", before, after) + _only_in(file, "new", after, before)
            lines += _rules_apart(found, (before, a), (after, b)) if file.endswith(PARAMETERS) else found
    return True, tuple(lines)


def _rules_apart(found: Sequence[SeedLine], *sides: tuple[Sequence[str], Mapping[str, Any]]) -> Iterator[SeedLine]:
    """Lines of a file of parameters, each with whether it changes what its own release goes by."""
    rules = [_parameters(lines, manifest) for lines, manifest in sides]
    for line in found:
        mine, other = rules if line.word == "gone" else reversed(rules)
        yield replace(line, can_move=mine.get(line.text) is not None and mine[line.text] not in other.values())


def _parameters(lines: Sequence[str], manifest: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """Of the lines those of the ruleset a release goes by, each with its parameter and value."""
    asked = (manifest.get("ruleset_id"), manifest.get("ruleset_version"))
    cells = {text: tuple(next(csv.reader([text]), ())) for text in lines}
    return {text: row[2:4] for text, row in cells.items() if row[:2] == asked}


def _only_in(file: str, word: str, mine: Sequence[str], other: Sequence[str]) -> list[SeedLine]:
    spare = Counter(other)
    found = []
    for number, text in enumerate(mine, 1):
        if spare[text]:
            spare[text] -= 1
        else:
            found.append(SeedLine(file, number, word, text))
    return found


# ---- what moved, and why ----


@dataclass(frozen=True)
class Causes:
    """What can have moved a judgement: files first, then lines of reference data, rules, code and the day.

    `touched` are the files that a value of an indicator comes from where it differs, by community and indicator.
    """

    submitted: Sequence[SubmittedFolder]
    seed_lines: Sequence[SeedLine]
    conditions: Sequence[str]
    seeds_known: bool
    touched: Mapping[tuple[str, str], frozenset[str]]

    def of(self, community_id: str, indicator_id: str | None) -> tuple[str, ...]:
        """The causes of a judgement of that community, the likeliest first; those that cannot be are left out."""
        own = {
            f"{folder.place}/{name}"
            for folder in self.submitted
            if folder.folder.community_id in (community_id, NETWORK_FOLDER)
            for _, name in folder.files
        }
        narrowed = own & self.touched.get((community_id, indicator_id), frozenset()) if indicator_id else set()
        files = sorted(narrowed or own)
        moving = [line for line in self.seed_lines if line.can_move]
        lines = [line.place for line in moving if _may_concern(line, community_id, self._communities)]
        unknown = [] if self.seeds_known else ["reference data whose lines are not kept"]
        rules = [text for text in self.conditions if not text.startswith("day:")]
        # The day moves what ages; it is a cause only where nothing else is.
        found = list(dict.fromkeys([*files, *lines, *unknown, *rules]))  # a line of before and of after: one place
        return tuple(found or [text for text in self.conditions if text not in rules])

    @property
    def _communities(self) -> frozenset[str]:
        return frozenset(community for community, _ in self.touched)


def _may_concern(line: SeedLine, community_id: str, others: Collection[str]) -> bool:
    """A line that names communities concerns these; any other concerns all."""
    cells = set(next(csv.reader(io.StringIO(line.text)), []))
    return community_id in cells or not cells & set(others)


def _touched(a: Tables, b: Tables) -> dict[tuple[str, str], frozenset[str]]:
    columns = ["community_id", "indicator_id", *VALUE_COLUMNS, "population_group_id", "geography_id", "school_year"]
    source = ["reporting_year", "source_file"]
    like = b.get(VALUE_TABLE)
    if like is None:
        return {}
    sides = [present(tables.get(VALUE_TABLE), like.select([*columns, *source])) for tables in (a, b)]
    apart = [
        mine.join(other, on=columns, how="anti", nulls_equal=True)
        for mine, other in ((sides[0], sides[1]), (sides[1], sides[0]))
    ]
    found: dict[tuple[str, str], set[str]] = {}
    for community, indicator, year, file in (
        pl.concat(apart).select("community_id", "indicator_id", *source).unique().iter_rows()
    ):
        found.setdefault((community, indicator), set()).add(f"{community}/{year}/{file}")
    return {place: frozenset(files) for place, files in found.items()}


def _names(frame: pl.DataFrame | None, key: str, name: str) -> dict[str, str]:
    return {} if frame is None else dict(frame.select(key, name).drop_nulls().iter_rows())


def _moved(row: Mapping[str, Any], words: Mapping[str, Mapping[str, str]], causes: Causes) -> Moved:
    return Moved(
        kind=row["kind"],
        community_id=row["community_id"],
        reporting_year=row.get("reporting_year"),
        what=label(row, words),
        column=row["column"],
        before=row["before"],
        after=row["after"],
        is_frozen=row["change"] == KEPT,
        causes=causes.of(row["community_id"], row.get("indicator_id")),
    )


# ---- in plain lines ----


def summary_lines(found: Difference, shown: int | None) -> list[str]:
    """The summary in plain lines; of each list the first `shown` lines (None: all)."""
    lines = [f"From {found.release_a} to {found.release_b}"]
    kinds = Counter(folder.folder.kind for folder in found.submitted)
    told = ", ".join(f"{n:,} {kind}" for kind, n in sorted(kinds.items()))
    lines += ["", f"Submitted: {told or 'nothing'}", *_cut([_folder_line(folder) for folder in found.submitted], shown)]
    reference = [f"  {line.place} {line.word}: {line.text}" for line in found.seed_lines if line.can_move]
    idle = Counter((line.file, line.word) for line in found.seed_lines if not line.can_move)
    reference += [
        f"  seeds/{file}: other lines {word}, which change no rule: {n:,}" for (file, word), n in idle.items()
    ]
    if not found.seeds_known:
        reference.append("  reference data differ; the lines of one of the releases are not kept")
    if reference or found.conditions:
        lines += ["", "Reference data, rules, frozen cycles, code, day:", *(f"  {text}" for text in found.conditions)]
        lines += _cut(reference, shown)
    lines += [
        "",
        f"Tables that differ: {len(found.counts):,}",
        *_cut([_count_line(row) for row in found.counts], shown),
    ]
    lines += ["", _values_line(found.values)]
    for kind, title in WORDS.items():
        mine = [row for row in found.moved if row.kind == kind]
        frozen = sum(row.is_frozen for row in mine)
        kept = f"; another one by what stands now, and kept as frozen: {frozen:,}" if frozen else ""
        lines += ["", f"{title}: {len(found.moved_of(kind)):,}{kept}"]
        lines += _cut([_moved_line(row) for row in mine], shown)
    if found.judged_new or found.judged_gone:
        lines += ["", f"Judged for the first time: {found.judged_new:,}; judged no more: {found.judged_gone:,}"]
    return lines


def _cut(lines: Sequence[str], shown: int | None) -> list[str]:
    if shown is None or len(lines) <= shown:
        return list(lines)
    return [*lines[:shown], f"  and {len(lines) - shown:,} more"]


def _folder_line(folder: SubmittedFolder) -> str:
    files = ", ".join(f"{name} {word}" for word, name in folder.files)
    return f"  {folder.place} {folder.folder.kind}: {files or 'the same files, read anew'}"


def _count_line(counts: TableCounts) -> str:
    if counts.cells is None:
        return f"  {counts.table}: other content"
    return f"  {counts.table}: {counts.cells:,} cells, {counts.rows_added:,} new rows, {counts.rows_gone:,} rows gone"


def _values_line(values: ValueCounts) -> str:
    return (
        f"Values: {values.new:,} new, {values.changed:,} changed, {values.gone:,} gone; "
        f"communities with such values: {values.communities:,}"
    )


def _moved_line(moved: Moved) -> str:
    year = f" {moved.reporting_year}" if moved.reporting_year is not None else ""
    column = "" if moved.column in ("status", "trend_status") else f" ({moved.column.replace('_', ' ')})"
    before, after = (_word(value) for value in (moved.before, moved.after))
    frozen = " (frozen: what was decided stays)" if moved.is_frozen else ""
    causes = list(moved.causes[:CAUSES_SHOWN])
    if len(moved.causes) > CAUSES_SHOWN:
        causes.append(f"{len(moved.causes) - CAUSES_SHOWN:,} more")
    why = " or ".join(causes) or "cause unknown"
    return f"  {moved.community_id}{year}  {moved.what}{column}: {before} -> {after}{frozen}; from {why}"


def _word(value: Any) -> str:
    return "none" if value is None else str(value).replace("_", " ")
