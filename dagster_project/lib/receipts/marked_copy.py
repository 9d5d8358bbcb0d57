"""The member's own file back as a workbook: its cells as text, the cells in question filled and commented.

Belongs here: placing findings on cells, keeping text from ever becoming a formula, writing the same bytes every time.
Does not: read files (it gets grids of text), judge anything, or keep more than one copy in memory.
"""

from __future__ import annotations

import io
import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ERROR_CODES
from openpyxl.comments import Comment
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.worksheet.properties import PageSetupProperties

from dagster_project.lib.base.names import FINDINGS_SHEET
from dagster_project.lib.base.workbook_bytes import UNWRITABLE, stable_bytes, writable
from dagster_project.lib.intake.reading.grid import column_index, snake_name
from dagster_project.lib.receipts.receipt_page import what

Finding = Mapping[str, Any]
Rows = Sequence[Sequence[str]]
KeptOut = Mapping[tuple[int, int], str | None]
"""By row and column from 0 the text in place of the cell's own; None for a line through it."""

# What a spreadsheet can hold, and after how many comments one is no longer usable.
MAX_ROWS, MAX_COLUMNS, MAX_TEXT, MAX_NAME = 1_048_576, 16_384, 32_000, 31
MAX_COMMENTS, MAX_COMMENT_TEXT = 2_000, 1_500
HEADER_SEARCH = 40
LIST_SHEET = FINDINGS_SHEET
AUTHOR = "cradle check"
LIST_OPENING = "Findings for "
"""How the list begins, by which a copy's own sheet is known."""
INSTEAD = (
    "Put this copy in place of that file, not beside it: rows of two files that differ about one value are refused."
)
SEVERITIES = ("fatal", "error", "explainable", "info")
FILLS: Mapping[str, str] = {"fatal": "F2B8B5", "error": "F8CFCB", "explainable": "FFE9A8", "info": "D6E6F5"}
_PAINT: Mapping[str, PatternFill] = {code: PatternFill("solid", fgColor=colour) for code, colour in FILLS.items()}
_WRAP = Alignment(wrap_text=True, vertical="top", horizontal="left")
LINE_HEIGHT, MOST_LINES = 15, 27
"""Points of a line, and how many lines a row of a workbook can hold."""
LIST_COLUMNS: Sequence[tuple[str, int]] = (
    ("Severity", 13),
    ("Sheet", 16),
    ("Row", 8),
    ("Column", 18),
    ("Rows", 8),
    ("What is wrong", 60),
    ("Found", 28),
    ("Allowed", 36),
    ("How to fix it", 60),
    ("Finding", 20),
)

_DANGEROUS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_PLAIN = re.compile(r"-|[+-]?(\d+|\d{1,3}(,\d{3})+)(\.\d+)?\s?%?", re.ASCII)
_ERRORS = frozenset(ERROR_CODES)
"""Texts that the library would store as errors, not as texts."""
_LETTERS = re.compile(r"[A-Z]{1,3}")


@dataclass
class Marks:
    """What goes on the cells of one sheet: row, then column, both from 0, to the findings that speak of the cell."""

    rows: dict[int, dict[int, list[Finding]]] = field(default_factory=dict)
    comments: int = 0

    def add(self, row: int, column: int, finding: Finding) -> None:
        self.rows.setdefault(row, {}).setdefault(column, []).append(finding)

    def n_cells(self) -> int:
        return sum(len(columns) for columns in self.rows.values())


class _Texts:
    """Where a text stands in a column of a sheet; a column is indexed when it is first asked for."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self._columns: dict[int, dict[str, list[int]]] = {}

    def below(self, first: int, column: int, text: str) -> list[int]:
        if column not in self._columns:
            index: dict[str, list[int]] = defaultdict(list)
            for at, row in enumerate(self._rows):
                if column < len(row):
                    index[row[column].strip()].append(at)
            self._columns[column] = index
        places = self._columns[column].get(text, [])
        return places[bisect_right(places, first) :]


def harmless(text: str) -> str:
    """A text that no spreadsheet takes for a formula: an apostrophe before = + - @, tab and line ends.

    Numbers stay as they are, and so does a single dash, which files use as a mark for `not collected`. Characters that
    a workbook cannot hold are replaced, and a text that is too long for a cell is cut with a sign.
    """
    clean = writable(text)
    if clean.lstrip(" ").startswith(_DANGEROUS) and not _PLAIN.fullmatch(clean.strip(" ")):
        clean = f"'{clean}"
    return clean if len(clean) <= MAX_TEXT else f"{clean[:MAX_TEXT]} … (cut: {len(text):,} characters)"


def _text(finding: Finding, name: str) -> str:
    value = finding.get(name)
    return "" if value is None else str(value)


def _ordered(findings: Sequence[Finding]) -> list[Finding]:
    def key(finding: Finding) -> tuple[int, str, int, str, str]:
        severity = _text(finding, "severity")
        rank = SEVERITIES.index(severity) if severity in SEVERITIES else len(SEVERITIES)
        row = finding.get("source_row") or 0
        return rank, _text(finding, "source_sheet"), row, _text(finding, "source_column"), _text(finding, "finding_id")

    return sorted(findings, key=key)


def sheet_titles(names: Sequence[str]) -> list[str]:
    """Sheet names as a workbook allows them: no forbidden sign, at most 31 letters, different in more than case."""
    taken = {LIST_SHEET.casefold(), "history"}
    titles = []
    for name in names:
        base = UNWRITABLE.sub("", re.sub(r"[\[\]:*?/\\]", "_", name)).strip("' ")[:MAX_NAME] or "Sheet"
        title, n = base, 1
        while title.casefold() in taken:
            n += 1
            title = f"{base[: MAX_NAME - len(str(n)) - 1]} {n}"
        taken.add(title.casefold())
        titles.append(title)
    return titles


def _headers(rows: Rows) -> dict[str, tuple[int, int]]:
    """Where a column name stands in the first rows, by its plain form; the topmost place counts."""
    places: dict[str, tuple[int, int]] = {}
    for at, row in enumerate(rows[:HEADER_SEARCH]):
        for column, text in enumerate(row):
            name = snake_name(text)
            if name and name not in places:
                places[name] = (at, column)
    return places


def _column(finding: Finding, row: Sequence[str], headers: Mapping[str, tuple[int, int]]) -> int | None:
    """The column that a finding speaks of: by its header, its letter, or the one cell that holds the text found."""
    named = _text(finding, "source_column")
    if (place := headers.get(snake_name(named))) is not None:
        return place[1]
    if _LETTERS.fullmatch(named) and column_index(named) < MAX_COLUMNS:
        return column_index(named)
    found = _text(finding, "found")
    same = [at for at, text in enumerate(row) if found and text.strip() == found]
    return same[0] if len(same) == 1 else None


def _alike(texts: _Texts, row: Sequence[str], first: int, column: int, finding: Finding) -> list[int]:
    """The rows of a finding: its first one, and as many further ones with the very text found as it counts."""
    found, more = _text(finding, "found"), int(finding.get("n_rows") or 1) - 1
    if not found or more < 1 or column >= len(row) or row[column].strip() != found:
        return [first]
    return [first, *texts.below(first, column, found)[:more]]


def _place(rows: Rows, findings: Sequence[Finding]) -> Marks:
    """Findings of one sheet onto its cells; those of the whole sheet or file stay in the list only."""
    marks, headers, texts = Marks(), _headers(rows), _Texts(rows)
    for finding in findings:
        row = finding.get("source_row")
        if row is None:
            header = headers.get(snake_name(_text(finding, "source_column")))
            if header is not None:
                marks.add(*header, finding)
        elif 1 <= row <= len(rows):
            column = _column(finding, rows[row - 1], headers) or 0
            for at in _alike(texts, rows[row - 1], row - 1, column, finding):
                marks.add(at, column, finding)
    return marks


def comment(findings: Sequence[Finding]) -> Comment:
    """The note of a cell: each message with its remedy."""
    lines = []
    for finding in findings:
        lines.append(what(finding))  # the cell itself is the place
        if _text(finding, "remedy"):
            lines.append(f"How to fix it: {_text(finding, 'remedy')}")
    text = writable("\n".join(lines))
    if len(text) > MAX_COMMENT_TEXT:
        text = f"{text[:MAX_COMMENT_TEXT]} … (all in the sheet {LIST_SHEET})"
    return Comment(text, AUTHOR, height=160, width=360)


def _cell(sheet: Any, text: str) -> Any:
    cell = WriteOnlyCell(sheet)
    if not text:
        return cell
    # Typed as text explicitly: assigning a value would make "=1" a formula.
    cell._value = harmless(text)
    cell.data_type = "s"
    return cell


def _write_sheet(sheet: Any, rows: Rows, marks: Marks, kept_out: KeptOut) -> None:
    settled: dict[str, str | None] = {"": None}
    out: dict[int, dict[int, str | None]] = defaultdict(dict)
    for (at, column), text in kept_out.items():
        out[at][column] = text
    for at, row in enumerate(rows[:MAX_ROWS]):
        marked = marks.rows.get(at, {})
        if not marked and at not in out:
            texts = [settled[text] if text in settled else _settle(settled, text) for text in row[:MAX_COLUMNS]]
            if _ERRORS.isdisjoint(texts):
                # Handed over as texts a row costs a fraction of what it costs as cells.
                sheet.append(texts)
                continue
        width = min(max(len(row), max(marked, default=-1) + 1), MAX_COLUMNS)
        cells = [_cell(sheet, row[column] if column < len(row) else "") for column in range(width)]
        for column, findings in sorted(marked.items()):
            if column < width:
                _mark(cells[column], findings, marks)
        for column, given in out.get(at, {}).items():
            if column < width and given is None:
                cells[column].font = Font(strike=True)
            elif column < width and given is not None:
                cells[column]._value, cells[column].data_type = harmless(given), "s"
        sheet.append(cells)


def _settle(settled: dict[str, str | None], text: str) -> str | None:
    settled[text] = harmless(text)
    return settled[text]


def _mark(cell: Any, findings: Sequence[Finding], marks: Marks) -> None:
    cell.fill = paint(findings)
    if marks.comments < MAX_COMMENTS:
        cell.comment = comment(findings)
        marks.comments += 1


def paint(findings: Sequence[Finding]) -> PatternFill:
    """The colour of a cell: that of the first of its findings, which is the most serious one."""
    return _PAINT.get(_text(findings[0], "severity"), _PAINT["info"])


def list_notes(name: str, grids: Sequence[Rows], titles: Sequence[str], marks: Sequence[Marks]) -> list[str]:
    """The lines above the list: what it is, and what of each sheet could not be shown."""
    comments = "The coloured cells of the other sheets carry the same texts as comments."
    notes = [f"{LIST_OPENING}{name}. {comments} {INSTEAD}"]
    for rows, title, own in zip(grids, titles, marks, strict=True):
        if (n := own.n_cells()) > MAX_COMMENTS:
            notes.append(f"Sheet {title}: {n:,} cells are coloured, the first {MAX_COMMENTS:,} have a comment.")
        if len(rows) > MAX_ROWS or any(len(row) > MAX_COLUMNS for row in rows):
            notes.append(f"Sheet {title} is larger than a workbook allows; it is cut here, not in your file.")
    return notes


def write_list(sheet: Any, notes: Sequence[str], findings: Sequence[Finding]) -> None:
    """Write the list of findings into an empty sheet."""
    for index, (_, width) in enumerate(LIST_COLUMNS):
        sheet.column_dimensions[chr(ord("A") + index)].width = width
    sheet.freeze_panes = f"A{len(notes) + 2}"
    print_wide(sheet)
    for note in notes:
        sheet.append([_cell(sheet, note)])
    header = [_cell(sheet, title) for title, _ in LIST_COLUMNS]
    for cell in header:
        cell.font = Font(bold=True)
    sheet.append(header)
    names = "severity source_sheet source_row source_column n_rows message found allowed remedy finding_id"
    for line, finding in enumerate(findings, len(notes) + 2):
        values = [what(finding) if name == "message" else finding.get(name) for name in names.split(" ")]
        cells = [WriteOnlyCell(sheet, v) if isinstance(v, int) else _cell(sheet, str(v or "")) for v in values]
        cells[0].fill = _PAINT.get(_text(finding, "severity"), _PAINT["info"])
        for cell in cells:
            cell.alignment = _WRAP
        sheet.row_dimensions[line].height = LINE_HEIGHT * _lines(cells)
        sheet.append(cells)


def _lines(cells: Sequence[Any]) -> int:
    """How many lines the fullest cell of a row of the list takes: not every program measures wrapped texts itself."""
    widths = (width for _, width in LIST_COLUMNS)
    lines = max(-(-len(str(cell.value)) // (width - 2)) for cell, width in zip(cells, widths, strict=True))
    return min(max(lines, 1), MOST_LINES)


def print_wide(sheet: Any) -> None:
    """On paper the sheet is as wide as a page, and as long as it needs."""
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.fitToHeight = 0
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)


def is_list(rows: Rows) -> bool:
    """Whether a sheet is the list of an earlier copy."""
    return bool(rows and rows[0]) and rows[0][0].startswith(LIST_OPENING)


def own_findings(name: str, findings: Sequence[Finding]) -> list[Finding]:
    """Findings of one file and those that name none, the most serious first."""
    return _ordered([f for f in findings if f.get("source_file") in (None, "", name)])


def placed(grids: Sequence[tuple[str, Rows]], findings: Sequence[Finding]) -> list[Marks]:
    """The marks of each sheet. A workbook of one sheet may be spoken of without naming the sheet."""
    by_sheet: dict[str, list[Finding]] = defaultdict(list)
    for finding in findings:
        by_sheet[_text(finding, "source_sheet")].append(finding)
    return [
        _place(rows, by_sheet[sheet] + (by_sheet[""] if sheet and len(grids) == 1 else [])) for sheet, rows in grids
    ]


def marked_copy(
    name: str,
    grids: Sequence[tuple[str, Rows]],
    findings: Sequence[Finding],
    hidden: Collection[str] = (),
    kept_out: Mapping[str, KeptOut] | None = None,
) -> bytes:
    """The bytes of an .xlsx: first a sheet that lists all findings, then the member's sheets with the cells marked.

    `grids` holds (sheet name, rows of text); row i of a grid is source row i + 1, a text file has one sheet named ''.
    `findings` are rows of fct_finding with remedy and n_rows; those that name another file are left out, those that
    name no file or no cell stand in the list only. Cells are text, never formulas; sheets that are `hidden` stay so.
    `kept_out`: by sheet, cells of which the text says less than the file did, and that must not count in the copy.
    The same input gives the same bytes.
    """
    own = own_findings(name, findings)
    titles = sheet_titles([sheet or name.rpartition(".")[0] or name for sheet, _ in grids])
    marks = placed(grids, own)
    book = Workbook(write_only=True)
    write_list(book.create_sheet(LIST_SHEET), list_notes(name, [rows for _, rows in grids], titles, marks), own)
    for (given, rows), title, mark in zip(grids, titles, marks, strict=True):
        sheet = book.create_sheet(title)
        sheet.sheet_state = "hidden" if given in hidden else "visible"
        _write_sheet(sheet, rows, mark, (kept_out or {}).get(given, {}))
    buffer = io.BytesIO()
    book.save(buffer)
    return stable_bytes(buffer.getvalue())
