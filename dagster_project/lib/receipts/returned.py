"""The member's own files back, with the cells marked that a receipt speaks of.

Belongs here: which files are returned, reading their kept bytes again, writing the marked copies to the outbox.
Does not: the marking itself (marked_copy.py), receipts (receipts.py), or any rule.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain, islice
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from dagster_project.lib.base.names import FINDINGS_SHEET
from dagster_project.lib.base.store import Store
from dagster_project.lib.base.workers import processes, shares, side_by_side
from dagster_project.lib.intake.batch import Intake
from dagster_project.lib.intake.bucket.lake import raw_key
from dagster_project.lib.intake.layouts.cell_facts import STRUCK
from dagster_project.lib.intake.reading.archive import member
from dagster_project.lib.intake.reading.files import WorkbookReader, largest_bytes, read_file
from dagster_project.lib.intake.reading.grid import FileRead, Grid, column_index
from dagster_project.lib.intake.reading.limits import Limits
from dagster_project.lib.receipts.marked_files import MARKED
from dagster_project.lib.receipts.outbox import receipt_folder
from dagster_project.lib.receipts.receipts import Delivery, Receipt

if TYPE_CHECKING:
    from dagster_project.lib.receipts.marked_copy import Finding

COPIES_A_PROCESS = 40
"""Copies for which a further process is worth its start: a copy takes some 20 milliseconds, a start about a second."""
FOLDERS_AT_ONCE = 48
"""Folders whose files are held in memory at once."""
SHOW_NOTHING = frozenset({"hidden_value", "formula_without_value"})
"""Rules on cells that hold something and show nothing."""
NO_VALUE = "?"
"""What no reading takes for a value, a mask or a code."""


@dataclass(frozen=True)
class _Asked:
    """One file to be marked: what a process of its own needs for it."""

    name: str
    data: bytes
    encoding: str | None
    findings: Sequence[Finding]


def return_files(
    outbox: Store, lake: Store, intake: Intake, receipts: Sequence[Receipt], delivery: Delivery | None = None
) -> list[str]:
    """Write a marked copy beside each receipt for every file that has one by its receipt (marked_files.py).

    Returns the keys written. What the outbox refuses for one folder stands in `delivery` afterwards. Copies
    of an earlier state that no longer apply are removed. The kept bytes are read again, so that this costs nothing
    where nothing is asked.
    """
    written: list[str] = []
    marked = sum(file["marked_copy"] is not None for receipt in receipts for file in receipt["files"])
    number = processes(marked, COPIES_A_PROCESS)
    with side_by_side(number) as each:
        for first in range(0, len(receipts), FOLDERS_AT_ONCE):
            part = receipts[first : first + FOLDERS_AT_ONCE]
            asked = [_asked(lake, intake, receipt) for receipt in part]
            files = [file for folder in asked for file in folder.values()]
            copies = chain.from_iterable(each(partial(_copies, intake.limits), shares(files, number)))
            for receipt, folder in zip(part, asked, strict=True):
                own = dict(zip(folder, islice(copies, len(folder)), strict=True))

                def give_back(receipt: Receipt = receipt, own: dict[str, bytes] = own) -> bool:
                    written.extend(_put(outbox, receipt, own))
                    return True

                if delivery:
                    delivery.attempt((receipt["community_id"], receipt["reporting_year"]), give_back)
                else:
                    give_back()
    return written


def _asked(lake: Store, intake: Intake, receipt: Receipt) -> dict[str, _Asked]:
    """The files of one folder that are returned, by the name of their copy; those whose bytes are gone are left out."""
    asked = {}
    for file in receipt["files"]:
        key = raw_key(str(file["sha256"]))
        if file["marked_copy"] is None or lake.size(key) is None:
            continue
        name = str(file["name"])
        data = member(name, lake.get(key), intake.limits, largest_bytes) or b""
        encoding = intake.encodings.get(receipt["community_id"])
        findings = [finding for finding in receipt["findings"] if finding["source_file"] == name]
        asked[str(file["marked_copy"])] = _Asked(name, data, encoding, findings)
    return asked


def _copies(limits: Limits, files: Sequence[_Asked]) -> list[bytes]:
    with WorkbookReader(limits) as workbooks:
        return [_copy(limits, file, workbooks) for file in files]


def _copy(limits: Limits, file: _Asked, workbooks: WorkbookReader) -> bytes:
    read = read_file(file.name, file.data, file.encoding, limits, workbooks)
    return copy_of(PurePosixPath(file.name).name, file.data, read, file.findings, workbooks)


def _put(outbox: Store, receipt: Receipt, copies: Mapping[str, bytes]) -> list[str]:
    folder = receipt_folder(receipt["community_id"], receipt["reporting_year"])
    keys = []
    for name, copy in copies.items():
        outbox.put(f"{folder}/{name}", copy)
        keys.append(f"{folder}/{name}")
    _remove_others(outbox, folder, keys)
    return keys


def copy_of(name: str, data: bytes, read: FileRead, findings: Sequence[Finding], workbooks: WorkbookReader) -> bytes:
    """The marked copy of one file: its own workbook where that, put back, is read as the original; else its texts."""
    # What writes workbooks loads for a third of a second, and most runs return no file.
    from dagster_project.lib.receipts.marked_copy import is_list, marked_copy
    from dagster_project.lib.receipts.marked_workbook import marked_workbook

    told = [{**finding, "source_file": name} for finding in findings]
    own = marked_workbook(name, data, read.sheets, told)
    if own is not None and _shown(workbooks.read(own)) == _shown(read):
        return own
    sheets = [grid for grid in read.sheets if grid.sheet != FINDINGS_SHEET or not is_list(grid.rows)]
    hidden = {grid.sheet for grid in sheets if grid.hidden}
    kept_out = {grid.sheet: _kept_out(grid, read, told) for grid in sheets}
    return marked_copy(name, [(grid.sheet, spread(grid)) for grid in sheets], told, hidden, kept_out)


def _kept_out(grid: Grid, read: FileRead, findings: Sequence[Finding]) -> dict[tuple[int, int], str | None]:
    """Cells that are refused for how they stand in the workbook, which their text does not tell.

    A copy of texts would turn what they show into values: they get a text that is none, or their line again.
    """
    first: dict[str, int] = {}
    for told in findings:
        if told["source_sheet"] == grid.sheet and told["source_row"] is not None:
            rule, row = str(told["rule_id"]), int(told["source_row"]) - 1
            first[rule] = min(row, first.get(rule, row))
    out: dict[tuple[int, int], str | None] = {}
    for problem in read.problems:
        if problem.rule_id in SHOW_NOTHING and problem.sheet == grid.sheet and problem.column is not None:
            out |= {(row - 1, column_index(problem.column)): NO_VALUE for row in problem.rows}
    for (row, column), (rule, text) in grid.doubts.items():
        if row >= first.get(rule, len(grid.rows)):  # a header and what stands above it is read whatever it shows
            out[row, column] = None if rule == STRUCK else f"{text} {NO_VALUE}"
    for top, left, bottom, right in grid.merges:
        rows = range(max(top, first.get("cells_merged_across", len(grid.rows))), bottom + 1)
        out |= {(row, column): NO_VALUE for row in rows for column in range(left + 1, right + 1)}
    return out


def _shown(read: FileRead) -> list[object]:
    """What a workbook says, in a form to compare: its sheets' texts without blanks at the ends, and what is told."""
    sheets: list[object] = []
    for grid in read.sheets:
        if grid.sheet == FINDINGS_SHEET:
            continue
        rows = ["\x1f".join(row).rstrip("\x1f") for row in grid.rows]
        while rows and not rows[-1]:
            rows.pop()
        sheets.append((grid.sheet, grid.hidden, rows, grid.dates, sorted(grid.doubts.items()), sorted(grid.merges)))
    return [*sheets, *sorted(map(repr, (told for told in read.problems if told.sheet != FINDINGS_SHEET)))]


def spread(grid: Grid) -> list[list[str]]:
    """A sheet's rows with the value of each merged cell in every row that it covers, as intake reads it."""
    rows = [list(row) for row in grid.rows]
    for top, left, bottom, _ in grid.merges:
        for row in rows[top : bottom + 1]:
            row[left] = row[left] or rows[top][left]
    return rows


def _remove_others(outbox: Store, folder: str, keys: Sequence[str]) -> None:
    stale = [info.key for info in outbox.files(folder) if info.key.endswith(MARKED) and info.key not in keys]
    outbox.delete(stale)
