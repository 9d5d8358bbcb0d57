"""The member's own workbook with cells marked in it: menus, notes, widths and formulas stay as they are.

Belongs here: which workbooks can be marked so, fills and notes on their cells, the values that formulas last gave.
Does not: placing findings or writing their list (marked_copy.py), or say whether the copy reads as the original.
"""

from __future__ import annotations

import datetime as dt
import io
import re
import zipfile
from collections.abc import Sequence
from functools import partial
from typing import Any
from xml.sax.saxutils import escape

from openpyxl import Workbook, load_workbook
from openpyxl.cell import MergedCell
from openpyxl.comments import Comment
from openpyxl.styles import PatternFill
from openpyxl.utils.datetime import to_excel

from dagster_project.lib.base.workbook_bytes import stable_bytes
from dagster_project.lib.intake.reading.conditions.references import area
from dagster_project.lib.intake.reading.grid import Grid
from dagster_project.lib.intake.reading.package import Attributes, local, parse
from dagster_project.lib.receipts.marked_copy import (
    AUTHOR,
    FILLS,
    LIST_OPENING,
    LIST_SHEET,
    MAX_COMMENTS,
    Finding,
    Marks,
    comment,
    list_notes,
    own_findings,
    paint,
    placed,
    write_list,
)

MOST_UNPACKED, MOST_CELLS = 16 * 1024 * 1024, 150_000
"""What is held in memory as objects. A larger workbook goes back as a plain copy of its texts."""
SPANNING = frozenset({"mergeCell", "hyperlink", "comment"})
"""Elements whose `ref` is walked cell by cell when a workbook is opened."""
OWN_NOTE = "\n\nNote that was in your file:\n"
_FORMULA = re.compile(rb'<c r="(?P<ref>[A-Z]+\d+)"(?P<style>[^>]*)>(?P<f><f[ >/].*?)<v\s*(?:/>|></v>)</c>', re.DOTALL)
_FILL_CODES = frozenset(f"00{colour}" for colour in FILLS.values())


def marked_workbook(name: str, data: bytes, grids: Sequence[Grid], findings: Sequence[Finding]) -> bytes | None:
    """The bytes of the member's workbook with its cells marked and a first sheet that lists all findings.

    None where it cannot be done so: another kind of file, one that is too large to be held in memory, or one that the
    library does not open. `findings` as in marked_copy. The same input gives the same bytes.
    """
    if not data.startswith(b"PK") or sum(len(row) for grid in grids for row in grid.rows) > MOST_CELLS:
        return None
    try:
        return _marked(name, data, grids, findings) if _holdable(data) else None
    except Exception:  # noqa: BLE001  (whatever a foreign workbook does to the library, its member gets a plain copy)
        return None


def _holdable(data: bytes) -> bool:
    """Whether opening it as objects is bounded: what it unpacks to, and every range that is walked cell by cell."""
    walked = 0

    def start(tag: str, attributes: Attributes) -> None:
        nonlocal walked
        if local(tag) in SPANNING:
            given = dict(zip(attributes[::2], attributes[1::2], strict=True))
            place = area(given.get("ref", ""))
            walked += (place[2] - place[0] + 1) * (place[3] - place[1] + 1) if place else 0

    with zipfile.ZipFile(io.BytesIO(data)) as package:
        parts = package.infolist()
        if sum(part.file_size for part in parts) > MOST_UNPACKED:
            return False
        for part in parts:
            if part.filename.lower().endswith(".xml"):
                parse(iter([package.read(part)]), start)
    return walked <= MOST_CELLS


def _marked(name: str, data: bytes, grids: Sequence[Grid], findings: Sequence[Finding]) -> bytes | None:
    book = load_workbook(io.BytesIO(data), rich_text=True)
    if LIST_SHEET in book.sheetnames and not _is_ours(book[LIST_SHEET]):
        return None
    if LIST_SHEET in book.sheetnames:
        book.remove(book[LIST_SHEET])
    grids = [grid for grid in grids if grid.sheet != LIST_SHEET]
    own = own_findings(name, findings)
    marks = placed([(grid.sheet, grid.rows) for grid in grids], own)
    for sheet in book.worksheets:
        _clear(sheet)
    for grid, mark in zip(grids, marks, strict=True):
        _mark(book[grid.sheet], mark)
    titles = [grid.sheet for grid in grids]
    write_list(book.create_sheet(LIST_SHEET, 0), list_notes(name, [grid.rows for grid in grids], titles, marks), own)
    book.active = 0
    for place, sheet in enumerate(book.worksheets):
        # Sheets that are selected together are written together: a member would change several at once.
        sheet.sheet_view.tabSelected = place == 0
    buffer = io.BytesIO()
    book.save(buffer)
    return stable_bytes(_with_last_values(buffer.getvalue(), book, data))


def _is_ours(sheet: Any) -> bool:
    return str(sheet["A1"].value or "").startswith(LIST_OPENING)


def _clear(sheet: Any) -> None:
    """Take away what an earlier copy marked, and give every note of the member room to be read."""
    for cell in sheet._cells.values():
        if isinstance(cell, MergedCell):
            continue
        if cell.fill.fill_type == "solid" and cell.fill.fgColor.rgb in _FILL_CODES:
            cell.fill = PatternFill()
        if cell.comment is None:
            continue
        _, kept, own = cell.comment.text.partition(OWN_NOTE)
        if cell.comment.author == AUTHOR:
            cell.comment = Comment(own, "") if kept else None
        if cell.comment is not None:
            cell.comment.width, cell.comment.height = 300, 40 + 18 * (len(cell.comment.text) // 40 + 1)


def _mark(sheet: Any, marks: Marks) -> None:
    firsts = {place: (whole.min_row, whole.min_col) for whole in sheet.merged_cells.ranges for place in whole.cells}
    for at, columns in sorted(marks.rows.items()):
        for column, findings in sorted(columns.items()):
            row, place = firsts.get((at + 1, column + 1), (at + 1, column + 1))
            cell = sheet.cell(row, place)
            cell.fill = paint(findings)
            if marks.comments < MAX_COMMENTS and (cell.comment is None or cell.comment.author != AUTHOR):
                note = comment(findings)
                if cell.comment is not None:
                    note.text += OWN_NOTE + cell.comment.text
                cell.comment = note
                marks.comments += 1


def _with_last_values(saved: bytes, book: Workbook, data: bytes) -> bytes:
    """The saved package with the values that its formulas gave last: the library leaves them out."""
    formulas = {sheet.title for sheet in book.worksheets for cell in sheet._cells.values() if cell.data_type == "f"}
    if not formulas:
        return saved
    shown = load_workbook(io.BytesIO(data), data_only=True)
    parts = {
        f"xl/worksheets/sheet{place}.xml": shown[sheet.title]
        for place, sheet in enumerate(book.worksheets, 1)
        if sheet.title in formulas
    }
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(saved)) as source, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as result:
        for item in source.infolist():
            content = source.read(item)
            if sheet := parts.get(item.filename):
                content = _FORMULA.sub(partial(_with_value, sheet), content)
            result.writestr(item, content)
    return target.getvalue()


def _with_value(sheet: Any, found: re.Match[bytes]) -> bytes:
    cell = sheet[found["ref"].decode()]
    value = cell.value
    if value is None:
        return found[0]
    kind = "e" if cell.data_type == "e" else "str"
    if isinstance(value, bool):
        kind, value = "b", int(value)
    elif isinstance(value, dt.date | dt.time | dt.timedelta):
        kind, value = "n", to_excel(value, sheet.parent.epoch)
    elif isinstance(value, int | float):
        kind, value = "n", repr(value)
    text = escape(str(value)).encode()
    return b'<c r="%b"%b t="%b">%b<v>%b</v></c>' % (found["ref"], found["style"], kind.encode(), found["f"], text)
