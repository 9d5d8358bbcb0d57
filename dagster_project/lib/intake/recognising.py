"""The first half of a batch: files fetched, read, refused or recognised, and their bytes kept.

Belongs here: what becomes of one file before a row of it is checked, archives and person-level files among them.
Does not: the readers (reading), which layout fits (layouts), checking rows (checking.py).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial

import contracts
from dagster_project.lib.base.names import FINDINGS_SHEET, LISTS_SHEET, NETWORK_FOLDER, NOTES_SHEET
from dagster_project.lib.base.store import DeniedError, Source
from dagster_project.lib.intake.batch import Guard, Intake, Keep, TakenFile
from dagster_project.lib.intake.bucket.drop import (
    UNREAD_RULE,
    WRITTEN_RULE,
    DroppedFile,
    Folder,
    Left,
    dropped_name,
    left_for,
)
from dagster_project.lib.intake.bucket.lake import raw_key
from dagster_project.lib.intake.findings import BLOCKING
from dagster_project.lib.intake.layouts.cell_facts import hidden_problems, settle_cells
from dagster_project.lib.intake.layouts.declaration import Match, NoMatch
from dagster_project.lib.intake.layouts.matching import Layouts
from dagster_project.lib.intake.layouts.unread import NOT_FILLED, unread_problems
from dagster_project.lib.intake.reading.archive import Contained, ending, is_archive, unpacked
from dagster_project.lib.intake.reading.fetched import Content, ContentChangedError, fetch
from dagster_project.lib.intake.reading.files import (
    TEXT_ENDINGS,
    WorkbookReader,
    is_table,
    largest_bytes,
    read_file,
    refusal_of,
)
from dagster_project.lib.intake.reading.grid import FileRead, Grid, Problem, problem
from dagster_project.lib.intake.reading.person_level import Hit, look
from dagster_project.lib.intake.reading.text.signs import settled

READ_WORKERS = 4
BESIDE = frozenset({NOTES_SHEET, LISTS_SHEET, FINDINGS_SHEET})
"""Sheets of templates and marked copies that say nothing of their own where they hold no table."""


def read_all(
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
    try:
        taken, found, refused = _read_dropped(intake, folder, file.name, content, workbooks, layouts, len(files))
        if keep is not None and not refused:
            keep(raw_key(content.sha256), content.to_keep())
    except FileNotFoundError:
        return []  # It went between two looks at it.
    except ContentChangedError:
        return [left_for(folder, WRITTEN_RULE, file.name, file.name)] if guard else []
    except DeniedError as error:
        if guard is None:
            raise
        return [left_for(folder, UNREAD_RULE, file.name, error.reason)]
    files += taken
    matches += found
    return []


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
        return [taken], matches, _recognise(intake, taken, result, content.person_level, layouts, matches)
    hit = content.person_level([])
    if hit:
        whole = TakenFile(first, folder, name, content.sha256, content.size, "refused")
        whole.problems = [_person_level(hit)]
        return [whole], [], True
    files: list[TakenFile] = []
    for held in unpacked(name, content.data, intake.limits, largest_bytes):
        taken = TakenFile(first + len(files), folder, held.name, content.sha256, held.size)
        result = _read_held(intake, taken, held, workbooks)
        if _recognise(intake, taken, result, partial(look, data=held.data or b""), layouts, matches):
            whole = TakenFile(first, folder, name, content.sha256, content.size, "refused")
            whole.problems = [replace(told, sheet=held.name) for told in taken.problems]
            return [whole], [], True
        files.append(taken)
    return files, matches, False


def _read_held(intake: Intake, taken: TakenFile, held: Contained, workbooks: WorkbookReader) -> FileRead:
    if held.problem is None:
        return _read_one(intake, taken, held.data, workbooks)
    taken.kind = "unreadable"
    taken.problems.append(held.problem)
    return FileRead()


def still_there(folders: Sequence[Folder], files: list[TakenFile]) -> list[Folder]:
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
    taken.reading = result.reading
    if ending(taken.name) not in TEXT_ENDINGS:  # the reader of text has done so
        taken.problems += settled(result.sheets)[1]
    if taken.kind == "table" and not result.sheets and any(p.severity in BLOCKING for p in result.problems):
        taken.kind = "unreadable"
    return result


def _recognise(
    intake: Intake,
    taken: TakenFile,
    result: FileRead,
    persons: Callable[[Sequence[Grid]], Hit | None],
    layouts: Layouts,
    matches: list[Match],
) -> bool:
    """Match each sheet that is shown to a layout; true if the file was refused as person-level.

    A file that no reader opened is looked into as well: a list of persons under a wrong ending is one.
    """
    hit = persons(result.sheets)
    if hit:
        taken.kind = "refused"
        taken.problems = [_person_level(hit)]
        return True
    shown = [grid for grid in result.sheets if not grid.hidden]
    taken.problems += hidden_problems(result.sheets)
    if result.sheets and not shown:
        taken.kind = "unreadable"
    tables = sum(grid.sheet not in BESIDE for grid in shown)
    for grid in shown:
        _match_sheet(intake, taken, grid, layouts, matches, single=tables == 1)
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
    contract = intake.contract(contracts.version_for(taken.folder.reporting_year), match.table)
    told_of_cells = settle_cells(match, contract)
    unread = unread_problems(match, intake.words(taken.folder.community_id), single)
    if any(told.severity == "fatal" for told in unread):
        taken.problems += unread
        return
    taken.layouts.append(match.layout_id)
    if any(told.rule_id == NOT_FILLED for told in unread):
        taken.problems += unread
        return
    taken.problems += (*match.problems, *unread, *told_of_cells)
    if single and not match.rows_read:  # a template's unused sheets are no news
        taken.problems.append(problem("no_rows", sheet=grid.sheet))
    matches.append(match)


def _misplaced(folder: Folder, table: str) -> str | None:
    """Where a table belongs if not in this folder: the network's own tables and the communities' never mix."""
    contract = contracts.tables(contracts.version_for(folder.reporting_year))[table]
    network = contract.network
    if contract.also_network or network == (folder.community_id == NETWORK_FOLDER):
        return None
    return f"{NETWORK_FOLDER}/{{reporting_year}}/" if network else "{community_id}/{reporting_year}/"
