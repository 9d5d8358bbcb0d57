"""Excel 97-2003 workbooks, with what their cells show.

Belongs here: cells, formats, error cells, merged and hidden cells of the older file form, within limits.
Does not: the newer form (package.py, worksheet.py), what formats mean (number_formats.py), grids (workbook.py).
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from dagster_project.lib.intake.reading.conditions.records import WHITE, rules_of, without_rules
from dagster_project.lib.intake.reading.conditions.references import Place
from dagster_project.lib.intake.reading.conditions.rules import Rule, Sheet, matter, shown
from dagster_project.lib.intake.reading.limits import Limits, RefusalError, check_area
from dagster_project.lib.intake.reading.number_formats import (
    HIDDEN_NUMBERS,
    NumberFormat,
    built_in_format,
    number_format,
    number_text,
)
from dagster_project.lib.intake.reading.package import is_marked
from dagster_project.lib.intake.reading.worksheet import SheetCells

ALLOWED = "an Excel workbook"
FIRST_SPELLED = 50
BROKEN = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    EOFError,
    LookupError,
    NotImplementedError,
    OSError,
    RecursionError,
    TypeError,
    ValueError,
    struct.error,
)
"""What the reader of this form raises for bytes that are none of its files."""


def read_old_workbook(data: bytes, limits: Limits) -> Iterator[tuple[str, bool, SheetCells]]:
    """Name, whether hidden, and cells of each worksheet. RefusalError where the file cannot be read."""
    import xlrd
    from xlrd.compdoc import CompDocError

    try:
        # Its notes about odd files would go to standard output, which belongs to the protocol.
        book = xlrd.open_workbook(
            file_contents=data, logfile=io.StringIO(), formatting_info=True, ragged_rows=True, on_demand=True
        )
        if book.nsheets > limits.sheets:
            raise RefusalError("too_many_sheets", f"{book.nsheets:,} sheets", f"{limits.sheets:,} sheets")
        stream, begins = book.mem, book._sh_abs_posn
        book.mem = without_rules(stream, begins)
        for index in range(book.nsheets):
            sheet = book.sheet_by_index(index)
            reader = _Reader(book, sheet, limits)
            yield sheet.name, sheet.visibility != 0, reader.read(rules_of(stream, begins[index], reader.known_format))
            book.unload_sheet(index)
    except RefusalError:
        raise
    except (xlrd.XLRDError, CompDocError, *BROKEN) as failure:
        if "encrypted" in str(failure).lower():
            raise RefusalError("encrypted_workbook", str(failure)) from failure
        raise RefusalError("unreadable_file", f"a part of it is cut off or broken ({failure})", ALLOWED) from failure


class _Reader:
    """One sheet of an opened workbook."""

    def __init__(self, book: Any, sheet: Any, limits: Limits) -> None:
        import xlrd

        self.kinds = xlrd
        self.book = book
        self.sheet = sheet
        self.cells = SheetCells(limits)
        self.limits = limits
        self.formats: dict[int, NumberFormat] = {}

    def read(self, rules: Sequence[Rule]) -> SheetCells:
        """All cells as they show under the rules of the sheet, with what must be told of them."""
        cells, sheet = self.cells, self.sheet
        for row in range(sheet.nrows):
            for column in range(sheet.row_len(row)):
                text = self.text(row, column)
                if text:
                    cells.put(row, column, text)
        cells.merges = [(top, left, bottom - 1, right - 1) for top, bottom, left, right in sheet.merged_cells]
        cells.hidden_rows = sorted(row for row, info in sheet.rowinfo_map.items() if info.hidden or not info.height)
        cells.hidden_columns = sorted(
            column for column, info in sheet.colinfo_map.items() if info.hidden or not info.width
        )
        check_area(len(cells.rows), cells.width, self.limits)
        if matter(rules):
            cells.reshow(shown(rules, Sheet(self.held(), cells.rows, bool(self.book.datemode))))
        return cells.finish()

    def held(self) -> dict[Place, float | str | bool]:
        """What the cells hold, without errors."""
        kinds = {self.kinds.XL_CELL_NUMBER: float, self.kinds.XL_CELL_DATE: float, self.kinds.XL_CELL_BOOLEAN: bool}
        return {
            (row, column): kinds.get(cell.ctype, str)(cell.value)
            for row in range(self.sheet.nrows)
            for column, cell in enumerate(self.sheet.row(row))
            if cell.ctype in kinds or (cell.ctype == self.kinds.XL_CELL_TEXT and cell.value)
        }

    def text(self, row: int, column: int) -> str:
        """What a cell shows."""
        cell = self.sheet.cell(row, column)
        kind, value = cell.ctype, cell.value
        if kind in (self.kinds.XL_CELL_EMPTY, self.kinds.XL_CELL_BLANK):
            return ""
        if kind == self.kinds.XL_CELL_ERROR:
            found = str(self.kinds.error_text_from_code.get(value, f"error {value}"))
            self.cells.errors.append((row, column, found))
            return found
        if kind == self.kinds.XL_CELL_BOOLEAN:
            return "TRUE" if value else "FALSE"
        shape = self.format(cell.xf_index)
        if kind == self.kinds.XL_CELL_TEXT:
            text, how = shape.show_text(self.without_mark(row, column, str(value))) if value else ("", "number")
        else:
            text, how = shape.show_number(float(value), bool(self.book.datemode))
            if not value and not self.sheet.show_zero_values and text == number_text(0.0):
                how = "hidden"
        if text and shape.struck:
            self.cells.struck.append((row, column, text))
        return self.cells.shown(row, column, text, how)

    def format(self, index: int | None) -> NumberFormat:
        """The number format of a cell style; a white font without a pattern shows no number."""
        if index is None or index >= len(self.book.xf_list):
            return built_in_format(0)
        if index not in self.formats:
            style = self.book.xf_list[index]
            font = self.book.font_list[style.font_index]
            unseen = font.colour_index in WHITE and not style.background.fill_pattern
            shape = HIDDEN_NUMBERS if unseen else self.known_format(style.format_key)
            self.formats[index] = replace(shape, struck=bool(font.struck_out))
        return self.formats[index]

    def known_format(self, key: int) -> NumberFormat:
        """A number format of the workbook by its number."""
        known = self.book.format_map.get(key)
        # Those that are known by their number stand in such files in the language of the program that wrote them.
        spelled = known is not None and key >= FIRST_SPELLED
        return number_format(known.format_str) if spelled else built_in_format(key)

    def without_mark(self, row: int, column: int, text: str) -> str:
        """A text without its raised footnote mark, which is told."""
        runs = self.sheet.rich_text_runlist_map.get((row, column))
        if not runs:
            return text
        ends = [start for start, _ in runs[1:]] + [len(text)]
        base, mark = text[: runs[0][0]], ""
        for (start, font), end in zip(runs, ends, strict=True):
            shape = self.book.font_list[font]
            if shape.escapement or shape.struck_out:
                mark += text[start:end]
            else:
                base += text[start:end]
        if not mark.strip() or not is_marked(base, mark):
            return text
        self.cells.marks.append((row, column, mark.strip()))
        return base.strip()
