"""Intake of a set of folders: from bytes to written partitions, many files in one pass.

Belongs here: the order of the steps (read, refuse, recognise, check, write) over a batch, and nothing of their content.
Does not: which folders to take (plan.py), any single rule, receipts (receipts.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import PurePosixPath

import polars as pl

import contracts
from contracts.base import TableContract
from dagster_project.lib.base import engine
from dagster_project.lib.base.names import FINDINGS_SHEET, LISTS_SHEET, NETWORK_FOLDER, NOTES_SHEET
from dagster_project.lib.base.reference import Reference
from dagster_project.lib.base.store import DeniedError, Source
from dagster_project.lib.intake.bucket.drop import (
    UNREAD_RULE,
    WRITTEN_RULE,
    DroppedFile,
    Folder,
    Left,
    left_for,
    submission_id,
)
from dagster_project.lib.intake.bucket.lake import raw_key
from dagster_project.lib.intake.dependencies import intake_version
from dagster_project.lib.intake.findings import BLOCKING, to_findings
from dagster_project.lib.intake.layouts.declaration import Match, NoMatch
from dagster_project.lib.intake.layouts.extraction import extract
from dagster_project.lib.intake.layouts.matching import Layouts, load_layouts
from dagster_project.lib.intake.layouts.own_columns import own_columns
from dagster_project.lib.intake.layouts.unread import NOT_FILLED, Words, unread_problems, words_of
from dagster_project.lib.intake.located import (
    WITH_CELL,
    TakenFile,
    beside_issues,
    extracted_places,
    file_issues,
    located,
    reading_issues,
)
from dagster_project.lib.intake.reading.fetched import Content, ContentChangedError, fetch
from dagster_project.lib.intake.reading.files import WorkbookReader, largest_bytes, read_file, refusal_of
from dagster_project.lib.intake.reading.grid import FileRead, Grid, Problem, problem
from dagster_project.lib.intake.reading.limits import Limits
from dagster_project.lib.intake.reading.person_level import Hit
from dagster_project.lib.intake.reading.signs import settled
from dagster_project.lib.intake.rows.codes import CodeTables
from dagster_project.lib.intake.rows.registers import check_register
from dagster_project.lib.intake.rows.values import check_values
from dagster_project.lib.intake.tables import FILES, OBSERVATIONS, REGISTER_ROWS

READ_WORKERS = 4
BATCH_BYTES = 64 * 1024 * 1024
BATCH_FOLDERS = 250
TABLE_ENDINGS = frozenset({".csv", ".tsv", ".txt", ".xlsx", ".xls", ".parquet", ".xlsb", ".xlsm"})
BESIDE = frozenset({NOTES_SHEET, LISTS_SHEET, FINDINGS_SHEET})
TEXT_SUFFIXES = frozenset({".csv", ".tsv", ".txt"})
Progress = Callable[[int, int], None]
Keep = Callable[[str, bytes | Iterator[bytes]], None]
"""Stores raw bytes by their key, given whole or, of a large file, piece by piece."""


@dataclass(frozen=True)
class Intake:
    """What intake needs beside the files: reference data, layouts, limits and label tables."""

    reference: Reference
    limits: Limits = field(default_factory=Limits)

    @cached_property
    def version(self) -> str:
        """What kept rows depend on beside their files' bytes."""
        return intake_version(self.reference, self.limits)

    @cached_property
    def codes(self) -> CodeTables:
        """Label tables, built once."""
        return CodeTables.of(self.reference)

    @cached_property
    def encodings(self) -> dict[str, str | None]:
        """The encoding each community declared, if any."""
        return dict(self.reference.communities.select("community_id", "encoding").iter_rows())

    @cached_property
    def _words(self) -> dict[str, Words]:
        return {}

    def words(self, community_id: str) -> Words:
        """Words of a community's tables that say something only where their column is read."""
        if community_id not in self._words:
            self._words[community_id] = words_of(self.reference, community_id)
        return self._words[community_id]

    @cached_property
    def _layouts(self) -> dict[int, Layouts]:
        return {}

    def layouts(self, version: int) -> Layouts:
        """Foreign layouts and the contract's own tables of one contract version."""
        if version not in self._layouts:
            layouts = load_layouts(contracts.LAYOUTS, version)
            for contract in contracts.tables(version).values():
                # A table that the version inherits keeps its form, and with it the id of that form.
                layouts.add_contract(
                    contract.table, contract.version, contract.required, contract.optional, contract.description
                )
            self._layouts[version] = layouts
        return self._layouts[version]


@dataclass(frozen=True)
class Guard:
    """Leaves folders as they stood rather than take half of them: `left` says which, and because of which file.

    `tag` gives a file's version at this moment (None: gone), for a store in which files can change while they are read.
    """

    tag: Callable[[str], str | None] | None = None
    left: list[Left] = field(default_factory=list)


@dataclass(frozen=True)
class Taken:
    """The tables of one partition, ready to be written, and its submission id."""

    folder: Folder
    submission_id: str
    tables: dict[str, pl.DataFrame]


def batches(folders: Sequence[Folder]) -> Iterator[list[Folder]]:
    """Cut folders into batches bounded by bytes and number, in their order."""
    batch: list[Folder] = []
    size = 0
    for folder in folders:
        weight = sum(file.size for file in folder.files)
        if batch and (size + weight > BATCH_BYTES or len(batch) >= BATCH_FOLDERS):
            yield batch
            batch, size = [], 0
        batch.append(folder)
        size += weight
    if batch:
        yield batch


def take_in(
    intake: Intake,
    folders: Sequence[Folder],
    source: Source,
    keep: Keep | None,
    workbooks: WorkbookReader,
    guard: Guard | None = None,
) -> list[Taken]:
    """Take one batch of folders. `source` gives the objects, `keep` stores raw bytes by their key.

    Files that look person-level are not kept: their bytes go no further than this function. Of a file that is larger
    than its limit no more than the limit is held: it is hashed and kept piece by piece. All folders must take the same
    contract version (see `by_version`). A file that is gone since the listing is no longer part of its folder; a folder
    without any file left is not taken. With a `guard` a folder with a file that cannot be read, or changed since the
    listing, is left; without one the first such file raises DeniedError.
    """
    version = contracts.version_for(folders[0].reporting_year)
    layouts = intake.layouts(version)
    files, matches = _read_all(intake, folders, source, keep, workbooks, layouts, guard)
    folders = _still_there(folders, files)
    named: dict[tuple[str, int], list[tuple[str, str]]] = {}
    for file in files:
        named.setdefault(file.place, []).append((file.name, file.sha256))
    ids = {place: submission_id(*place, named.get(place, ())) for place in (folder.partition for folder in folders)}
    with engine.memory(threads=1, closed_in=True) as connection:
        extraction = extract(matches, connection)
    _tell_left_out(files, extraction.counts)
    for index, told in extraction.problems:
        files[index].problems.append(told)
    rows, registers, issues = _check_all(intake, version, files, ids, extraction.frames, own_columns(matches))
    places = extracted_places(extraction.frames)
    found = pl.concat([issues, file_issues(files, ids, places), beside_issues(folders, ids)], how="diagonal")
    return _split(folders, files, ids, version, rows, registers, to_findings(found))


def by_version(folders: Iterable[Folder]) -> dict[int, list[Folder]]:
    """Folders by the contract version their reporting year takes."""
    grouped: dict[int, list[Folder]] = {}
    for folder in folders:
        grouped.setdefault(contracts.version_for(folder.reporting_year), []).append(folder)
    return grouped


def _read_all(
    intake: Intake,
    folders: Sequence[Folder],
    source: Source,
    keep: Keep | None,
    workbooks: WorkbookReader,
    layouts: Layouts,
    guard: Guard | None,
) -> tuple[list[TakenFile], list[Match]]:
    wanted = [(folder, file) for folder in folders for file in folder.files]
    files: list[TakenFile] = []
    matches: list[Match] = []
    with ThreadPoolExecutor(READ_WORKERS) as pool:
        contents = pool.map(lambda pair: _fetched(intake, source, pair[0], pair[1], guard), wanted)
        for folder in folders:
            fetched = list(zip(folder.files, contents, strict=False))
            first, matched = len(files), len(matches)
            left = [content for _, content in fetched if isinstance(content, Left)]
            for file, content in fetched:
                if left:
                    break
                if isinstance(content, Content):
                    left += _take_file(intake, folder, file, content, files, matches, keep, workbooks, layouts, guard)
            if left and guard:
                guard.left.extend(left)
                del files[first:], matches[matched:]
    return files, matches


def _fetched(
    intake: Intake, source: Source, folder: Folder, file: DroppedFile, guard: Guard | None
) -> Content | Left | None:
    """The bytes of one file; None where it is gone, and why its folder is left where it cannot be read or changed."""
    try:
        content = fetch(source, file.key, largest_bytes(file.name, intake.limits))
        tag = guard.tag(file.key) if guard and guard.tag else file.etag
    except DeniedError as error:
        if guard is None:
            raise
        return left_for(folder, UNREAD_RULE, file.name, error.reason)
    if content is None or tag is None:
        return None
    return content if tag == file.etag else left_for(folder, WRITTEN_RULE, file.name, file.name)


def _take_file(
    intake: Intake,
    folder: Folder,
    file: DroppedFile,
    content: Content,
    files: list[TakenFile],
    matches: list[Match],
    keep: Keep | None,
    workbooks: WorkbookReader,
    layouts: Layouts,
    guard: Guard | None,
) -> list[Left]:
    """Read, recognise and keep one file; why its folder is left, if it is: a large file is looked at more than once."""
    taken = TakenFile(len(files), folder, file.name, content.sha256, content.size)
    result = _read_one(intake, taken, content, workbooks)
    try:
        refused = _recognise(intake, taken, result, content, layouts, matches)
        if keep is not None and not refused:
            keep(raw_key(taken.sha256), content.to_keep())
    except FileNotFoundError:
        return []  # It went between two looks at it.
    except ContentChangedError:
        return [left_for(folder, WRITTEN_RULE, file.name, file.name)] if guard else []
    except DeniedError as error:
        if guard is None:
            raise
        return [left_for(folder, UNREAD_RULE, file.name, error.reason)]
    files.append(taken)
    return []


def _still_there(folders: Sequence[Folder], files: list[TakenFile]) -> list[Folder]:
    """The folders with the files that could be read; a member may delete or rename one while others are read."""
    read = {(file.place, file.name) for file in files}
    kept = [
        replace(folder, files=tuple(file for file in folder.files if (folder.partition, file.name) in read))
        for folder in folders
    ]
    return [folder for folder in kept if folder.files]


def _read_one(intake: Intake, taken: TakenFile, content: Content, workbooks: WorkbookReader) -> FileRead:
    if PurePosixPath(taken.name).suffix.lower() not in TABLE_ENDINGS:
        taken.kind = "ignored"
    encoding = intake.encodings.get(taken.folder.community_id)
    result = (
        read_file(taken.name, content.data, encoding, intake.limits, workbooks)
        if content.data is not None
        else refusal_of(taken.name, content.size, intake.limits) or FileRead()
    )
    taken.problems += result.problems
    taken.reading = result.reading
    if PurePosixPath(taken.name).suffix.lower() not in TEXT_SUFFIXES:  # the reader of text has done so
        taken.problems += settled(result.sheets)[1]
    if taken.kind == "table" and not result.sheets and any(p.severity in BLOCKING for p in result.problems):
        taken.kind = "unreadable"
    return result


def _recognise(
    intake: Intake, taken: TakenFile, result: FileRead, content: Content, layouts: Layouts, matches: list[Match]
) -> bool:
    """Match each sheet to a layout; true if the file was refused as person-level.

    A file that no reader opened is looked into as well: a list of persons under a wrong ending is one.
    """
    hit = content.person_level(result.sheets)
    if hit:
        taken.kind = "refused"
        taken.problems = [_person_level(hit)]
        return True
    shown = [grid for grid in result.sheets if grid.sheet not in BESIDE]
    for grid in result.sheets:
        _match_sheet(intake, taken, grid, layouts, matches, single=len(shown) == 1)
    return False


def _person_level(hit: Hit) -> Problem:
    """The one thing told of a file refused as person-level: why and where, and no text of it."""
    rows = () if hit.row is None else (hit.row,)
    return problem("person_level", sheet=hit.sheet, rows=rows, column=hit.column, found=hit.reason)


def _match_sheet(
    intake: Intake, taken: TakenFile, grid: Grid, layouts: Layouts, matches: list[Match], single: bool
) -> None:
    match = layouts.match(grid, taken.name, taken.index)
    if isinstance(match, NoMatch):
        if grid.sheet in BESIDE:
            return
        if match.reason == "no_header" and not single:
            # A workbook may carry sheets of notes or lists beside its tables; they are told, and reject nothing.
            taken.problems.append(problem("sheet_not_read", sheet=grid.sheet, found=match.problem.found))
        else:
            taken.problems.append(match.problem)
        return
    misplaced = _misplaced(taken.folder, match.table)
    if misplaced:
        taken.problems.append(problem("misplaced_table", sheet=grid.sheet, found=match.table, allowed=misplaced))
        return
    unread = unread_problems(match, intake.words(taken.folder.community_id), single)
    if any(told.severity == "fatal" for told in unread):
        taken.problems += unread
        return
    taken.layouts.append(match.layout_id)
    if any(told.rule_id == NOT_FILLED for told in unread):
        taken.problems += unread
        return
    taken.problems += (*match.problems, *unread)
    if single and not match.rows_read:  # a template's unused sheets are no news
        taken.problems.append(problem("no_rows", sheet=grid.sheet))
    matches.append(match)


def _misplaced(folder: Folder, table: str) -> str | None:
    """Where a table belongs if not in this folder: the network's own tables and the communities' never mix."""
    network = contracts.tables(contracts.version_for(folder.reporting_year))[table].network
    if network == (folder.community_id == NETWORK_FOLDER):
        return None
    return f"{NETWORK_FOLDER}/{{reporting_year}}/" if network else "{community_id}/{reporting_year}/"


def _tell_left_out(files: list[TakenFile], counts: pl.DataFrame) -> None:
    left = counts.filter((pl.col("rows_left_out") > 0) & (pl.col("rows_left_out") < pl.col("rows_read")))
    for index, sheet, layout_id, n in left.select("_file_id", "_sheet", "layout_id", "rows_left_out").iter_rows():
        files[index].problems.append(problem("rows_left_out", sheet=sheet, found=f"{n} rows (layout {layout_id})"))


def _check_all(
    intake: Intake,
    version: int,
    files: list[TakenFile],
    ids: dict[tuple[str, int], str],
    extracted: dict[str, pl.DataFrame],
    own: pl.DataFrame,
) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Check the extracted rows table by table; returns observations, register rows and located issues."""
    layouts = intake.layouts(version)
    by_table: dict[str, list[pl.DataFrame]] = {}
    for layout_id, frame in extracted.items():
        table = layouts.get(layout_id).table
        frame = _under_kept_names(frame, contracts.tables(version)[table])
        by_table.setdefault(table, []).append(frame.with_columns(pl.lit(layout_id).alias("layout_id")))
    observations = [pl.DataFrame(schema=OBSERVATIONS)]
    registers = [pl.DataFrame(schema=REGISTER_ROWS)]
    issues_of = [pl.DataFrame(schema=WITH_CELL)]
    sources = _sources(files, ids)
    for table in sorted(by_table):
        contract = contracts.tables(version)[table]
        texts = _source_columns(pl.concat(by_table[table], how="diagonal"), sources, contract, version)
        blocked = reading_issues(texts, files)
        check = check_values if table == contracts.VALUES_TABLE else check_register
        rows, issues = check(texts, contract.as_kept(), intake.reference, intake.codes, blocked)
        if table == contracts.VALUES_TABLE:
            observations.append(rows.select(list(OBSERVATIONS)))
        else:
            registers.append(_in_folder(rows, texts).select(list(REGISTER_ROWS)))
        issues_of.append(located(issues, texts, contract, own))
    return pl.concat(observations), pl.concat(registers), pl.concat(issues_of)


def _in_folder(rows: pl.DataFrame, texts: pl.DataFrame) -> pl.DataFrame:
    """Network tables name communities in their rows; the partition is the folder's."""
    folder = texts.select("row", "folder_id")
    return rows.join(folder, on="row", maintain_order="left")


def _under_kept_names(frame: pl.DataFrame, contract: TableContract) -> pl.DataFrame:
    """Columns that the version renamed, under the names all versions keep them by.

    A foreign layout may give either name: those written before the renaming go on as they are.
    """
    given = {name: kept for kept, name in contract.renamed.items() if name in frame.columns}
    return frame.rename(given)


def _sources(files: Iterable[TakenFile], ids: dict[tuple[str, int], str]) -> pl.DataFrame:
    """Where each file of the batch lies: one row a file, by its number."""
    return pl.DataFrame(
        [(f.index, f.place[0], f.place[1], ids[f.place], f.name) for f in files],
        schema={
            "_file_id": pl.Int64,
            "folder_id": pl.String,
            "reporting_year": pl.Int32,
            "submission_id": pl.String,
            "source_file": pl.String,
        },
        orient="row",
    )


def _source_columns(frame: pl.DataFrame, sources: pl.DataFrame, contract: TableContract, version: int) -> pl.DataFrame:
    """The extracted text rows in the order of file, sheet, row, with what is known of their source.

    Columns that only other contract versions have are there and empty.
    """
    names = contracts.landed()[contract.table].names
    own = {column.kept for column in contract.columns}
    missing = [pl.lit(None, pl.String).alias(name) for name in names if name not in frame.columns or name not in own]
    text = [pl.col(name).cast(pl.String).str.strip_chars().replace("", None) for name in names]
    frame = frame.with_columns(missing).with_columns(text).join(sources, on="_file_id", maintain_order="left")
    if not contract.network:
        frame = frame.with_columns(community_id=pl.col("folder_id"))
    ordered = frame.sort("_file_id", "_sheet", "_row", maintain_order=True)
    return ordered.with_columns(
        row=pl.int_range(pl.len(), dtype=pl.UInt32),
        source_sheet=pl.col("_sheet"),
        source_row=pl.col("_row").cast(pl.Int32),
        source_column=pl.col("_column").cast(pl.String),
        contract_version=pl.lit(version, pl.Int32),
    )


def _split(
    folders: Sequence[Folder],
    files: list[TakenFile],
    ids: dict[tuple[str, int], str],
    version: int,
    rows: pl.DataFrame,
    registers: pl.DataFrame,
    findings: pl.DataFrame,
) -> list[Taken]:
    """Cut the batch's tables into partitions."""
    tallies = _tallies(rows, registers)
    file_rows = [_file_row(file, ids[file.place], version, tallies) for file in files]
    tables = {
        "observations": rows,
        "findings": findings,
        "files": pl.DataFrame(file_rows, schema=FILES, orient="row"),
    }
    parts = {
        name: frame.partition_by("community_id", "reporting_year", as_dict=True, maintain_order=True)
        for name, frame in tables.items()
    }
    by_submission = registers.partition_by("submission_id", as_dict=True, maintain_order=True)
    taken = []
    for folder in folders:
        own = {name: part[folder.partition] for name, part in parts.items() if folder.partition in part}
        register_rows = by_submission.get((ids[folder.partition],))
        if register_rows is not None:
            own["register_rows"] = register_rows
        taken.append(Taken(folder, ids[folder.partition], own))
    return taken


def _tallies(rows: pl.DataFrame, registers: pl.DataFrame) -> dict[tuple[str, str, str], int]:
    """Rows by submission, file and row status."""
    keys = ["submission_id", "source_file", "row_status"]
    counted = pl.concat([rows.select(keys), registers.select(keys)]).group_by(keys).len()
    return {(s, f, status): n for s, f, status, n in counted.iter_rows()}


def _file_row(
    file: TakenFile, submission: str, version: int, tallies: dict[tuple[str, str, str], int]
) -> tuple[object, ...]:
    def count(status: str) -> int:
        return tallies.get((submission, file.name, status), 0)

    accepted = count("accepted") + count("waiting") + count("duplicate")
    rejected = count("rejected")
    layout = ", ".join(dict.fromkeys(file.layouts)) or None
    return (
        *file.place,
        submission,
        file.name,
        file.sha256,
        file.size,
        layout,
        file.kind,
        accepted + rejected,
        accepted,
        rejected,
        count("waiting"),
        version,
        file.reading or None,
    )
