"""The cells of one worksheet as they show, read in one pass over its XML.

Belongs here: placing cells, values by type and format, and what a sheet tells of its cells beside their text.
Does not: parts and shared strings (package.py), number formats (number_formats.py), grids and findings (workbook.py).
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from dagster_project.lib.intake.reading.limits import Limits, RefusalError, check_area
from dagster_project.lib.intake.reading.number_formats import moment_text, number_text
from dagster_project.lib.intake.reading.package import (
    ALLOWED,
    YES,
    Attributes,
    Book,
    RichText,
    feed,
    local,
    new_parser,
    unescaped,
)

NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
REFERENCE = re.compile(r"\$?([A-Za-z]{1,3})\$?([0-9]{1,7})", re.ASCII)
LONGEST_WHOLE = 15
KEPT_NUMBERS = 65_536

Place = tuple[int, int]
"""Row and column of a cell, both counted from 0."""
Area = tuple[int, int, int, int]
"""Top row, left column, bottom row and right column of merged cells, counted from 0, all within the area."""


@dataclass
class SheetCells:
    """The cells of one sheet from A1 on, with what must be told of some of them.

    `errors` are error cells and formulas without a stored value, `hidden_values` cells whose format shows nothing,
    `marks` footnote marks that were taken off a text, `dates` cells that show a date or a time.
    """

    limits: Limits
    rows: list[list[str]] = field(default_factory=list)
    width: int = 0
    errors: list[tuple[int, int, str]] = field(default_factory=list)
    uncalculated: list[Place] = field(default_factory=list)
    hidden_values: list[Place] = field(default_factory=list)
    marks: list[tuple[int, int, str]] = field(default_factory=list)
    dates: list[Place] = field(default_factory=list)
    merges: list[Area] = field(default_factory=list)
    hidden_rows: list[int] = field(default_factory=list)
    hidden_columns: list[int] = field(default_factory=list)

    def row(self, row: int) -> list[str]:
        """The cells of a row counted from 0, with all rows above it."""
        if row >= len(self.rows):
            check_area(row + 1, max(self.width, 1), self.limits)
            self.rows += [[] for _ in range(row + 1 - len(self.rows))]
        return self.rows[row]

    def put(self, row: int, column: int, text: str) -> None:
        """Put a text into a cell; RefusalError if the sheet becomes too large or the cell stands there already."""
        self.place(self.row(row), column, text)

    def place(self, cells: list[str], column: int, text: str) -> None:
        """Put a text into a cell of a row."""
        if column >= self.width:
            check_area(len(self.rows), column + 1, self.limits)
            self.width = column + 1
        if column >= len(cells):
            cells += [""] * (column - len(cells))
            cells.append(text)
        elif cells[column]:
            raise RefusalError("unreadable_file", "a cell that stands twice in its sheet", ALLOWED)
        else:
            cells[column] = text

    def finish(self) -> SheetCells:
        """Fill rows up to the same width, and forget what is told of cells that hold nothing."""
        for cells in self.rows:
            cells += [""] * (self.width - len(cells))
        height = len(self.rows)
        self._spread(self.uncalculated)
        self._spread(self.hidden_values)
        self.merges = [
            (top, left, min(bottom, height - 1), min(right, self.width - 1))
            for top, left, bottom, right in self.merges
            if top < height and left < self.width and self.rows[top][left]
        ]
        self.hidden_rows = [row for row in self.hidden_rows if row < height and any(self.rows[row])]
        shown = [column for column in self.hidden_columns if column < self.width]
        self.hidden_columns = [column for column in shown if any(cells[column] for cells in self.rows)]
        return self

    def _spread(self, places: list[Place]) -> None:
        """What is told of a merged cell is told of every row that it covers."""
        told = frozenset(places)
        if told:
            for top, left, bottom, _ in self.merges:
                if (top, left) in told:
                    places += [(row, left) for row in range(top + 1, min(bottom + 1, len(self.rows)))]

    def facts(self) -> dict[str, Any]:
        """What is told beside the texts, for JSON."""
        names = ("errors", "uncalculated", "hidden_values", "marks", "dates", "merges", "hidden_rows", "hidden_columns")
        return {name: getattr(self, name) for name in names if getattr(self, name)}


def column_number(letters: str) -> int:
    """The column counted from 0 of its letters: A is 0, AA is 26."""
    number = 0
    for letter in letters.upper():
        number = number * 26 + ord(letter) - 64
    return number - 1


def area(reference: str) -> Area | None:
    """An area from its reference (B2:C7 or B2); None if it is none."""
    ends = [REFERENCE.fullmatch(end) for end in reference.split(":")]
    if not 1 <= len(ends) <= 2 or None in ends:
        return None
    places = [(int(end[2]) - 1, column_number(end[1])) for end in ends if end]
    (top, left), (bottom, right) = places[0], places[-1]
    return (top, left, bottom, right) if 0 <= top <= bottom and left <= right else None


def read_worksheet(chunks: Iterator[bytes], book: Book, limits: Limits) -> SheetCells:
    """Read a sheet. RefusalError or ExpatError where it cannot be read as a whole."""
    return _Reader(book, limits).read(chunks)


class _Reader:
    """The handlers of one sheet. What happens for every cell stands in `read`, where local names are fast."""

    def __init__(self, book: Book, limits: Limits) -> None:
        self.book = book
        self.cells = SheetCells(limits)
        self.rich = RichText()
        self.show_zeros = True
        self.formulas = 0
        self.zero_formulas: list[Place] = []
        self._numbers: dict[str, str] = {}
        self._strings: dict[str, str] = {}

    def read(self, chunks: Iterator[bytes]) -> SheetCells:
        """Read the sheet in one pass.

        A cell ends where the next element outside of it begins, so that ends of elements need not be told: in a large
        sheet they are a third of all calls. White space between elements is then text behind that of a cell; it is
        dropped at a cell's end and before its text begins. Only within rich text are ends told, for its runs.
        """
        parser = new_parser()
        rich, pieces = self.rich, self.rich.pieces
        sheet, place, formats = self.cells, self.cells.place, self.book.formats
        numbers, strings, show_zeros = self._numbers, self._strings, True
        letters: dict[str, int] = {}
        c = v = t = row_tag = f = inline = ""
        row = column = digits = -1
        kind = style = row_text = ""
        begun = formula = valued = runs = False
        current: list[str] | None = None

        def root(name: str, _: Attributes) -> None:
            nonlocal c, v, t, row_tag, f, inline
            if local(name) != "worksheet":
                raise RefusalError("unreadable_file", "a part that should be a sheet is none", ALLOWED)
            # Transitional, strict or none at all: the names of a sheet are those of its first element.
            space = name[: len(name) - len("worksheet")]
            c, v, t, row_tag, f, inline = (space + word for word in ("c", "v", "t", "row", "f", "is"))
            parser.StartElementHandler = start
            parser.CharacterDataHandler = pieces.append

        def start(name: str, attributes: Attributes) -> None:
            nonlocal row, column, digits, kind, style, row_text, begun, formula, valued, current
            if name == c:
                if begun:
                    finish_cell()
                begun = True
                formula = valued = False
                kind, style = "n", "0"
                column += 1
                pieces.clear()
                for at in range(0, len(attributes), 2):
                    key, said = attributes[at], attributes[at + 1]
                    if key == "r":
                        # Nearly every cell stands in its row, in a column that was met before.
                        found = letters.get(said[:-digits]) if said.endswith(row_text) else None
                        if found is None:
                            row, column = _placed(said)
                            if row_text != str(row + 1):
                                row_text, current = str(row + 1), None
                                digits = len(row_text)
                            letters[said[:-digits]] = column
                        else:
                            column = found
                    elif key == "t":
                        kind = said
                    elif key == "s":
                        style = said
            elif name == v:
                valued = True
                pieces.clear()
            elif name == t:
                begin_text()
            elif name == row_tag:
                if begun:
                    finish_cell()
                row = self.begin_row(row, attributes)
                row_text, column, current = str(row + 1), -1, None
                digits = len(row_text)
            elif name == f:
                formula = True
            elif name != inline:
                other(local(name), attributes)

        def begin_text() -> None:
            if not runs:
                pieces.clear()
            elif rich.begin_text():
                parser.CharacterDataHandler = pieces.append

        def other(word: str, attributes: Attributes) -> None:
            nonlocal runs, show_zeros
            if begun and word in ("r", "rPh") and not runs:
                runs = True
                parser.CharacterDataHandler = None
                parser.EndElementHandler = end_in_runs
                if word == "r":
                    pieces.clear()
            if runs:
                rich.start(word, attributes)
                return
            if begun:
                finish_cell()
            self.other(word, attributes)
            show_zeros = self.show_zeros

        def end_in_runs(name: str) -> None:
            nonlocal runs
            if name == t:
                parser.CharacterDataHandler = None
                rich.end("t")
            elif name == c:
                finish_cell()
                runs = False
                rich.clear()
                parser.EndElementHandler = None
                parser.CharacterDataHandler = pieces.append
            else:
                rich.end(local(name))

        def finish_cell() -> None:
            nonlocal begun, current
            begun = False
            if not pieces and not formula:
                return
            text = pieces[0] if len(pieces) == 1 else "".join(pieces)
            if formula or runs or style in formats:
                text = self.cell(row, column, kind, style, formula, valued)
            elif kind == "s" and text in strings:
                text = strings[text]
            elif kind == "n" and show_zeros:
                text = numbers.get(text) or self.plain(text.strip())
            elif kind != "inlineStr" or "_x" in text or text[-1].isspace():
                text = self.cell(row, column, kind, style, False, valued)
            if text:
                if current is None:
                    current = sheet.row(row)
                gap = column - len(current)
                if gap < 0 or column >= sheet.width:
                    place(current, column, text)
                elif gap:
                    current += [""] * gap + [text]
                else:
                    current.append(text)

        parser.StartElementHandler = root
        feed(parser, chunks)
        if begun:
            finish_cell()
        return self.finish()

    def begin_row(self, row: int, attributes: Attributes) -> int:
        """The number counted from 0 of a row that begins: its own, or the next one."""
        given = dict(zip(attributes[::2], attributes[1::2], strict=True))
        number = given.get("r", "")
        row = int(number) - 1 if number.isascii() and number.isdigit() and int(number) else row + 1
        if given.get("hidden") in YES or given.get("ht") == "0":
            self.cells.hidden_rows.append(row)
        return row

    def other(self, word: str, attributes: Attributes) -> None:
        """Elements that are rare: merged and hidden cells, views, and the runs of a text."""
        if word in ("mergeCell", "col", "sheetView"):
            given = dict(zip(attributes[::2], attributes[1::2], strict=True))
            if word == "mergeCell":
                merged = area(given.get("ref", ""))
                if merged:
                    self.cells.merges.append(merged)
            elif word == "sheetView":
                self.show_zeros &= given.get("showZeros", "1") in YES
            elif given.get("hidden") in YES or given.get("width") == "0":
                last = min(int(given.get("max", "0")), self.cells.limits.columns)
                self.cells.hidden_columns += range(int(given.get("min", "1")) - 1, last)
        else:
            self.rich.start(word, attributes)

    def cell(self, row: int, column: int, kind: str, style: str, formula: bool, valued: bool) -> str:
        """What a cell shows; what must be told of it is noted."""
        if formula and not valued:
            self.rich.pieces.clear()  # the formula's own text
        raw = "".join(self.rich.pieces)
        raw = raw.rstrip() if raw[-1:].isspace() else raw
        if formula:
            self.formulas += 1
            # A formula that gives an empty text has a stored value, and it is empty.
            if not raw and not (kind == "str" and valued):
                self.cells.uncalculated.append((row, column))
                return ""
        if not raw:
            return ""
        if kind == "n":
            shown = self.number(row, column, raw.strip(), style)
            if formula and shown == "0":
                self.zero_formulas.append((row, column))
            return shown
        if kind == "s":
            text = self.shared(row, column, raw)
        elif kind == "e":
            self.cells.errors.append((row, column, raw.strip()))
            return raw.strip()
        elif kind == "b":
            return "TRUE" if raw.strip() in YES else "FALSE"
        elif kind == "d":
            self.cells.dates.append((row, column))
            return _iso_text(raw.strip())
        else:
            text = unescaped(raw)
            marked = self.rich.without_mark()
            if marked:
                text = self.unmarked(row, column, marked)
        shape = self.book.formats.get(style)
        if shape is not None and shape.text is not None and text:
            text, how = shape.show_text(text)
            if how == "hidden":
                self.cells.hidden_values.append((row, column))
        return text

    def shared(self, row: int, column: int, raw: str) -> str:
        """A shared string, without its footnote mark."""
        index = int(raw)
        if not 0 <= index < len(self.book.strings):
            raise RefusalError("unreadable_file", f"the text number {index} is missing", ALLOWED)
        marked = self.book.marked.get(index)
        if marked:
            return self.unmarked(row, column, marked)
        self._strings[raw] = self.book.strings[index]
        return self.book.strings[index]

    def unmarked(self, row: int, column: int, marked: tuple[str, str]) -> str:
        """A text without its footnote mark, which is told."""
        text, mark = marked
        self.cells.marks.append((row, column, mark))
        return text

    def number(self, row: int, column: int, raw: str, style: str) -> str:
        """A number as it shows."""
        shape = self.book.formats.get(style)
        if shape is None:
            text = self._numbers.get(raw) or self.plain(raw)
            if text == "0" and not self.show_zeros:
                self.cells.hidden_values.append((row, column))
            return text
        if not NUMBER.fullmatch(raw):
            return raw
        text, kind = shape.show_number(float(raw), self.book.since_1904)
        if kind == "date":
            self.cells.dates.append((row, column))
        elif kind == "hidden" or (text in ("0", "0%") and not self.show_zeros):
            self.cells.hidden_values.append((row, column))
        return text

    def plain(self, raw: str) -> str:
        """A number without a format of its own; what is no number stays as it is written."""
        if len(raw) <= LONGEST_WHOLE and raw.isdigit() and raw.isascii() and raw[0] != "0":
            text = raw
        else:
            text = number_text(float(raw)) if NUMBER.fullmatch(raw) else raw
        if len(self._numbers) >= KEPT_NUMBERS:
            self._numbers.clear()
        self._numbers[raw] = text
        return text

    def finish(self) -> SheetCells:
        """Some programs store a zero for each formula and leave calculating to whoever opens the workbook."""
        if self.book.calculated_when_opened and self.formulas and len(self.zero_formulas) == self.formulas:
            self.cells.uncalculated += self.zero_formulas
        return self.cells.finish()


def _placed(reference: str) -> Place:
    """Row and column of a reference."""
    found = REFERENCE.fullmatch(reference)
    if not found or found[2] == "0":
        raise RefusalError("unreadable_file", f"a cell at {reference[:20]}", ALLOWED)
    return int(found[2]) - 1, column_number(found[1])


def _iso_text(text: str) -> str:
    """A date as strict workbooks may store it, without midnight; text that is none stays as it is."""
    try:
        return moment_text(dt.datetime.fromisoformat(text))
    except ValueError:
        return text
