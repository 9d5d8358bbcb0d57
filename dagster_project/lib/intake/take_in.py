"""Intake of a set of folders: from bytes to written partitions, many files in one pass.

Belongs here: the order of the steps (read, refuse, recognise, check, write) over a batch, and nothing of their content.
Does not: which folders to take (plan.py), any single rule, receipts (receipts.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import cached_property, partial

import duckdb
import polars as pl

import contracts
from contracts.base import TableContract
from dagster_project.lib.intake.archive import Contained, dropped_name, is_archive, unpacked
from dagster_project.lib.intake.cell_facts import hidden_problems, settle_cells
from dagster_project.lib.intake.drop import LINK_RULE, LOCATED, NETWORK_FOLDER, Folder, submission_id
from dagster_project.lib.intake.extraction import extract
from dagster_project.lib.intake.fetched import Content, ContentChangedError, fetch
from dagster_project.lib.intake.glimpse import glimpse
from dagster_project.lib.intake.grid import FileRead, Grid, Problem, problem
from dagster_project.lib.intake.issues import BLOCKING, FINDINGS, to_findings
from dagster_project.lib.intake.lake import FILES, raw_key
from dagster_project.lib.intake.layouts import Layouts, Match, NoMatch, load_layouts
from dagster_project.lib.intake.limits import Limits
from dagster_project.lib.intake.person_level import person_level_reason
from dagster_project.lib.intake.reading import WorkbookReader, is_table, largest_bytes, read_file, refusal_of
from dagster_project.lib.intake.registers import REGISTER_ROWS, check_register
from dagster_project.lib.intake.values import OBSERVATIONS, CodeTables, check_values
from dagster_project.lib.reference import Reference
from dagster_project.lib.store import Source

READ_WORKERS = 4
BATCH_BYTES = 64 * 1024 * 1024
BATCH_FOLDERS = 250
Progress = Callable[[int, int], None]
Keep = Callable[[str, bytes | Iterator[bytes]], None]
"""Stores raw bytes by their key, given whole or, of a large file, piece by piece."""


@dataclass(frozen=True)
class Intake:
    """What intake needs beside the files: reference data, layouts, limits and label tables."""

    reference: Reference
    limits: Limits = field(default_factory=Limits)

    @cached_property
    def codes(self) -> CodeTables:
        """Label tables, built once."""
        return CodeTables.of(self.reference)

    @cached_property
    def encodings(self) -> dict[str, str | None]:
        """The encoding each community declared, if any."""
        return dict(self.reference.communities.select("community_id", "encoding").iter_rows())

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


@dataclass
class TakenFile:
    """One file of a batch: where it lies, what it is, and what reading and recognising it gave.

    A file inside an archive is called `a.zip/b.csv`; its hash is that of the archive, whose bytes are kept.
    """

    index: int
    folder: Folder
    name: str
    sha256: str
    size: int
    kind: str = "table"
    layouts: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    left_out: int = 0

    @property
    def place(self) -> tuple[str, int]:
        """The partition the file belongs to."""
        return self.folder.partition


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
) -> list[Taken]:
    """Take one batch of folders. `source` gives the objects, `keep` stores raw bytes by their key.

    Files that look person-level are not kept: their bytes go no further than this function. Of a file that is larger
    than its limit no more than the limit is held: it is hashed and kept piece by piece. All folders must take the same
    contract version (see `by_version`). A file that is gone or changed since the listing is no longer part of its
    folder; a folder without any file left is not taken.
    """
    version = contracts.version_for(folders[0].reporting_year)
    layouts = intake.layouts(version)
    files, matches = _read_all(intake, folders, source, keep, workbooks, layouts)
    folders = _still_there(folders, files)
    named: dict[tuple[str, int], dict[str, str]] = {}
    for file in files:
        named.setdefault(file.place, {})[dropped_name(file.name)] = file.sha256
    ids = {
        place: submission_id(*place, named.get(place, {}).items()) for place in (folder.partition for folder in folders)
    }
    with duckdb.connect(config={"threads": 1}) as connection:
        extraction = extract(matches, connection)
    _tell_left_out(files, extraction.counts)
    rows, registers, issues = _check_all(intake, version, files, ids, extraction.frames)
    places = _extracted_places(extraction.frames)
    located = pl.concat([issues, _file_issues(files, ids, places), _link_issues(folders, ids)])
    return _split(folders, files, ids, version, rows, registers, to_findings(located))


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
) -> tuple[list[TakenFile], list[Match]]:
    wanted = [(folder, file) for folder in folders for file in folder.files]
    files: list[TakenFile] = []
    matches: list[Match] = []
    with ThreadPoolExecutor(READ_WORKERS) as pool:
        contents = pool.map(lambda pair: fetch(source, pair[1].key, largest_bytes(pair[1].name, intake.limits)), wanted)
        for (folder, file), content in zip(wanted, contents, strict=True):
            if content is None:
                continue
            taken, found, refused = _read_dropped(intake, folder, file.name, content, workbooks, layouts, len(files))
            try:
                if keep is not None and not refused:
                    keep(raw_key(content.sha256), content.to_keep())
            except (FileNotFoundError, ContentChangedError):
                continue  # A large file that went or changed between two looks at it; the next run sees what came.
            files += taken
            matches += found
    return files, matches


def _read_dropped(
    intake: Intake,
    folder: Folder,
    name: str,
    content: Content,
    workbooks: WorkbookReader,
    layouts: Layouts,
    first: int,
) -> tuple[list[TakenFile], list[Match], bool]:
    """One file of the folder, or the files inside it; true if it was refused as person-level.

    An archive is one file: if one of those inside is refused nothing of it is taken or kept.
    """
    matches: list[Match] = []
    if not is_archive(name) or not content.data:
        taken = TakenFile(first, folder, name, content.sha256, content.size)
        result = _read_one(intake, taken, content.data, workbooks)
        return [taken], matches, _recognise(taken, result, content.glimpse, layouts, matches)
    files: list[TakenFile] = []
    for held in unpacked(name, content.data, intake.limits, largest_bytes):
        taken = TakenFile(first + len(files), folder, held.name, content.sha256, held.size)
        result = _read_held(intake, taken, held, workbooks)
        seen = partial(glimpse, held.data or b"")
        if _recognise(taken, result, seen, layouts, matches):
            whole = TakenFile(first, folder, name, content.sha256, content.size, "refused")
            whole.problems = [replace(told, found=f"{held.name}: {told.found}") for told in taken.problems]
            return [whole], [], True
        files.append(taken)
    return files, matches, False


def _read_held(intake: Intake, taken: TakenFile, held: Contained, workbooks: WorkbookReader) -> FileRead:
    if held.problem is None:
        return _read_one(intake, taken, held.data, workbooks)
    taken.kind = "unreadable"
    taken.problems.append(held.problem)
    return FileRead()


def _still_there(folders: Sequence[Folder], files: list[TakenFile]) -> list[Folder]:
    """The folders with the files that could be read; a member may delete or rename one while others are read."""
    read = {(file.place, dropped_name(file.name)) for file in files}
    kept = [
        replace(folder, files=tuple(file for file in folder.files if (folder.partition, file.name) in read))
        for folder in folders
    ]
    return [folder for folder in kept if folder.files]


def _read_one(intake: Intake, taken: TakenFile, data: bytes | None, workbooks: WorkbookReader) -> FileRead:
    """Read a file; without `data` it is too large, or of no kind that is read."""
    if not is_table(taken.name):
        taken.kind = "ignored"
    encoding = intake.encodings.get(taken.folder.community_id)
    result = (
        read_file(taken.name, data, encoding, intake.limits, workbooks)
        if data is not None
        else refusal_of(taken.name, taken.size, intake.limits) or FileRead()
    )
    taken.problems += result.problems
    if taken.kind == "table" and not result.sheets and any(p.severity in BLOCKING for p in result.problems):
        taken.kind = "unreadable"
    return result


def _recognise(
    taken: TakenFile,
    result: FileRead,
    seen: Callable[[], list[list[str]]],
    layouts: Layouts,
    matches: list[Match],
) -> bool:
    """Match each sheet that is shown to a layout; true if the file was refused as person-level.

    A file that no reader opened is looked into as well: a list of persons under a wrong ending is one.
    """
    looked_at = [grid.rows for grid in result.sheets] or [seen()]
    reason = next((r for r in map(person_level_reason, looked_at) if r), None)
    if reason:
        taken.kind = "refused"
        taken.problems = [problem("person_level", found=reason)]
        return True
    shown = [grid for grid in result.sheets if not grid.hidden]
    taken.problems += hidden_problems(result.sheets)
    if result.sheets and not shown:
        taken.kind = "unreadable"
    for grid in shown:
        _match_sheet(taken, grid, layouts, matches, single=len(shown) == 1)
    return False


def _match_sheet(taken: TakenFile, grid: Grid, layouts: Layouts, matches: list[Match], single: bool) -> None:
    match = layouts.match(grid, taken.name, taken.index)
    if isinstance(match, NoMatch):
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
    taken.layouts.append(match.layout_id)
    taken.problems += match.problems
    contract = contracts.tables(contracts.version_for(taken.folder.reporting_year))[match.table]
    taken.problems += settle_cells(match, contract)
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
    left = counts.filter(pl.col("rows_left_out") > 0)
    for index, sheet, layout_id, n in left.select("_file_id", "_sheet", "layout_id", "rows_left_out").iter_rows():
        files[index].problems.append(problem("rows_left_out", sheet=sheet, found=f"{n} rows (layout {layout_id})"))


def _check_all(
    intake: Intake,
    version: int,
    files: list[TakenFile],
    ids: dict[tuple[str, int], str],
    extracted: dict[str, pl.DataFrame],
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
    located = [pl.DataFrame(schema=LOCATED)]
    sources = _sources(files, ids)
    for table in sorted(by_table):
        contract = contracts.tables(version)[table]
        texts = _source_columns(pl.concat(by_table[table], how="diagonal"), sources, contract, version)
        blocked = _reading_issues(texts, files)
        check = check_values if table == contracts.VALUES_TABLE else check_register
        rows, issues = check(texts, contract.as_kept(), intake.reference, intake.codes, blocked)
        if table == contracts.VALUES_TABLE:
            observations.append(rows.select(list(OBSERVATIONS)))
        else:
            registers.append(_in_folder(rows, texts).select(list(REGISTER_ROWS)))
        located.append(_located(issues, texts, contract))
    return pl.concat(observations), pl.concat(registers), pl.concat(located)


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


def _reading_issues(texts: pl.DataFrame, files: list[TakenFile]) -> pl.DataFrame:
    """Rows that reading itself found wrong (a ragged row, a formula error) as issues of the extracted rows."""
    lines = [
        (f.index, p.sheet, row, p.rule_id, p.column, p.found, p.allowed)
        for f in files
        for p in f.problems
        if p.rows and p.severity == "error"
        for row in p.rows
    ]
    names = ["_file_id", "source_sheet", "source_row", "rule_id", "column", "found", "allowed"]
    types = [pl.Int64, pl.String, pl.Int32, pl.String, pl.String, pl.String, pl.String]
    problems = pl.DataFrame(lines, schema=dict(zip(names, types, strict=True)), orient="row")
    hit = texts.select("row", "_file_id", "source_sheet", "source_row").join(
        problems, on=["_file_id", "source_sheet", "source_row"], maintain_order="left"
    )
    return hit.select("row", "rule_id", "column", "found", "allowed", pl.lit(None, pl.String).alias("subject"))


def _located(issues: pl.DataFrame, texts: pl.DataFrame, contract: TableContract) -> pl.DataFrame:
    """Issues at their file, sheet and row, each column under the name that it has in the file's contract version."""
    source = texts.select(
        "row",
        pl.col("folder_id").alias("community_id"),
        "reporting_year",
        "submission_id",
        "source_file",
        "source_sheet",
        "source_row",
        pl.col("source_column").alias("_from"),
    )
    joined = issues.join(source, on="row", maintain_order="left").with_columns(
        source_column=pl.when(pl.col("column") == "value")
        .then(pl.coalesce("_from", "column"))
        .otherwise(pl.col("column"))
    )
    if contract.renamed:
        joined = joined.with_columns(pl.col("source_column").replace(contract.renamed))
    return joined.select(list(LOCATED)).cast(LOCATED)


def _extracted_places(frames: dict[str, pl.DataFrame]) -> set[tuple[int, str, int]]:
    """File, sheet and row of everything extracted."""
    return {place for frame in frames.values() for place in frame.select("_file_id", "_sheet", "_row").iter_rows()}


def _file_issues(
    files: list[TakenFile], ids: dict[tuple[str, int], str], extracted: set[tuple[int, str, int]]
) -> pl.DataFrame:
    """Problems of whole files and sheets, and of rows that no table took (those it took tell their own)."""
    lines = []
    for file in files:
        for p in file.problems:
            places: Sequence[int | None] = p.rows or (p.row,)
            with_row = p.severity == "error"
            rows = [row for row in places if not (with_row and (file.index, p.sheet, row or 0) in extracted)]
            lines += [
                (*file.place, ids[file.place], file.name, p.sheet, row, p.column, p.rule_id, p.found, p.allowed, None)
                for row in rows
            ]
    return pl.DataFrame(lines, schema=LOCATED, orient="row")


def _link_issues(folders: Sequence[Folder], ids: dict[tuple[str, int], str]) -> pl.DataFrame:
    """Links beside the files of a folder: told, not followed."""
    lines = [
        (*folder.partition, ids[folder.partition], name, "", None, None, LINK_RULE, name, None, None)
        for folder in folders
        for name in folder.links
    ]
    return pl.DataFrame(lines, schema=LOCATED, orient="row")


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
    )


__all__ = ["FINDINGS", "NETWORK_FOLDER", "Intake", "Taken", "batches", "by_version", "take_in"]
