"""The cells of one worksheet as they show, read in one pass over its XML.

Belongs here: placing cells, values by type and format, and what a sheet tells of its cells beside their text.
Does not: parts and shared strings (package.py), number formats (number_formats.py), grids and findings (workbook.py).
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Container, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from dagster_project.lib.intake.reading.conditions.declared import Conditions
from dagster_project.lib.intake.reading.conditions.references import REFERENCE, Area, Place, areas, column_number
from dagster_project.lib.intake.reading.conditions.rules import Sheet, matter, shown
from dagster_project.lib.intake.reading.limits import Limits, RefusalError, check_area
from dagster_project.lib.intake.reading.number_formats import Kind, moment_text, number_text
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
LONGEST_WHOLE = 15
KEPT_NUMBERS = 65_536
FACTS = (
    *("errors", "uncalculated", "hidden_values", "otherwise", "unsure", "struck", "marks", "dates", "merges"),
    *("hidden_rows", "hidden_columns"),
)

Told = tuple[int, int, str]
"""Row and column of a cell, both counted from 0, and what is told of it."""


@dataclass
class SheetCells:
    """The cells of one sheet from A1 on, with what must be told of some of them.

    `errors` are error cells, `uncalculated` formulas without a stored value, `hidden_values` cells whose format shows
    nothing, `otherwise` those that show another number than they hold, `unsure` those of which it cannot be said what
    they show, with why; `struck` have a line through what they show, `marks` are footnote marks that were taken off a
    text, `dates` cells that show a day or a time.
    """

    limits: Limits
    rows: list[list[str]] = field(default_factory=list)
    width: int = 0
    errors: list[Told] = field(default_factory=list)
    uncalculated: list[Place] = field(default_factory=list)
    hidden_values: list[Place] = field(default_factory=list)
    otherwise: list[Told] = field(default_factory=list)
    unsure: list[Told] = field(default_factory=list)
    struck: list[Told] = field(default_factory=list)
    marks: list[Told] = field(default_factory=list)
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

    def shown(self, row: int, column: int, text: str, how: Kind) -> str:
        """Note how the text of a cell came about; gives the text."""
        if how == "date":
            self.dates.append((row, column))
        elif how == "hidden":
            self.hidden_values.append((row, column))
        elif how == "otherwise":
            self.otherwise.append((row, column, text))
        return text

    def reshow(self, shown: Iterable[tuple[int, int, str, Kind | None]]) -> None:
        """Put what cells show under conditional formatting in place of what they would show without it.

        Where it is not known how a text came about, the text is why; the cell keeps its own.
        """
        again = list(shown)
        places = {(row, column) for row, column, *_ in again}
        self.dates = [place for place in self.dates if place not in places]
        self.hidden_values = [place for place in self.hidden_values if place not in places]
        self.otherwise = [told for told in self.otherwise if told[:2] not in places]
        for row, column, text, how in again:
            if how is None:
                self.unsure.append((row, column, text))
                continue
            cells = self.row(row)
            cells += [""] * (column + 1 - len(cells))
            self.width = max(self.width, column + 1)
            cells[column] = self.shown(row, column, text, how)

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
        return {name: getattr(self, name) for name in FACTS if getattr(self, name)}


def read_worksheet(opened: Callable[[], Iterator[bytes]], book: Book, limits: Limits) -> SheetCells:
    """Read a sheet. RefusalError or ExpatError where it cannot be read as a whole.

    Rules of conditional formatting stand behind the cells. Where one sets what cells show the sheet is read once more,
    and what its cells hold is kept beside what they show.
    """
    reader = _Reader(book, limits)
    cells = reader.read(opened())
    if matter(reader.conditions.rules):
        again = _Reader(book, limits, keep=True)
        cells = again.read(opened())
        cells.reshow(shown(again.conditions.rules, Sheet(again.held, cells.rows, book.since_1904)))
    return cells.finish()


class _Everything:
    """A container of whatever is asked for."""

    def __contains__(self, item: object) -> bool:
        return True


class _Reader:
    """The handlers of one sheet.

    A cell ends where the next element outside of it begins, so that ends of elements need not be told: in a large sheet
    they are a third of all calls. White space between elements is then text behind that of a cell; it is dropped at a
    cell's end and before its text begins. Only within rich text are ends told, for its runs.
    """

    # Without slots so many attributes would be looked up in a dictionary, several times for each cell.
    __slots__ = (
        *("begun", "book", "c", "cells", "column", "conditions", "current", "digits", "f", "formula", "formulas"),
        *("held", "inline", "keep", "kind", "letters", "numbers", "parser", "pieces", "rich", "row", "row_tag"),
        *("row_text", "runs", "show_zeros", "strings", "style", "styled", "t", "v", "valued", "zero_formulas"),
    )

    def __init__(self, book: Book, limits: Limits, keep: bool = False) -> None:
        self.book = book
        self.conditions = Conditions(book.set_by_rules)
        self.held: dict[Place, float | str | bool] = {}
        self.keep = keep
        self.cells = SheetCells(limits)
        self.rich = RichText()
        self.pieces = self.rich.pieces
        self.parser = new_parser()
        self.styled: Container[str] = _Everything() if keep else book.formats
        self.show_zeros = True
        self.formulas = 0
        self.zero_formulas: list[Place] = []
        self.numbers: dict[str, str] = {}
        self.strings: dict[str, str] = {}
        self.letters: dict[str, int] = {}
        self.row = self.column = self.digits = -1
        self.kind = self.style = self.row_text = ""
        self.begun = self.formula = self.valued = self.runs = False
        self.current: list[str] | None = None

    def read(self, chunks: Iterator[bytes]) -> SheetCells:
        """Read the sheet in one pass."""
        self.parser.StartElementHandler = self.root
        feed(self.parser, chunks)
        if self.begun:
            self.finish_cell()
        # Some programs store a zero for each formula and leave calculating to whoever opens the workbook.
        if self.book.calculated_when_opened and self.formulas and len(self.zero_formulas) == self.formulas:
            self.cells.uncalculated += self.zero_formulas
        return self.cells

    def root(self, name: str, _: Attributes) -> None:
        """The sheet's own element: its names are those of all others, transitional, strict or none at all."""
        if local(name) != "worksheet":
            raise RefusalError("unreadable_file", "a part that should be a sheet is none", ALLOWED)
        space = name[: len(name) - len("worksheet")]
        self.c, self.v, self.t, self.row_tag, self.f, self.inline = (
            space + word for word in ("c", "v", "t", "row", "f", "is")
        )
        self.parser.StartElementHandler = self.start
        self.parser.CharacterDataHandler = self.pieces.append

    def start(self, name: str, attributes: Attributes) -> None:
        """An element begins."""
        if name == self.c:
            if self.begun:
                self.finish_cell()
            self.begun = True
            self.kind, self.style = "n", "0"
            self.column += 1
            self.pieces.clear()
            pairs = iter(attributes)
            for key, said in zip(pairs, pairs, strict=True):
                if key == "r":
                    # Nearly every cell stands in its row, in a column that was met before.
                    found = self.letters.get(said[: -self.digits]) if said.endswith(self.row_text) else None
                    if found is None:
                        self.go_to(said)
                    else:
                        self.column = found
                elif key == "t":
                    self.kind = said
                elif key == "s":
                    self.style = said
        elif name == self.v:
            self.pieces.clear()
            if self.formula:
                self.valued = True
        elif name == self.t:
            self.begin_text()
        elif name == self.row_tag:
            if self.begun:
                self.finish_cell()
            self.begin_row(attributes)
        elif name == self.f:
            self.formula = True
        elif name != self.inline:
            self.other(local(name), attributes)

    def go_to(self, reference: str) -> None:
        """A cell that says where it stands, in another row or in a column that was not met before."""
        row, self.column = _placed(reference)
        if row != self.row:
            self.in_row(row)
        self.letters[reference[: -self.digits]] = self.column

    def in_row(self, row: int) -> None:
        """Cells of that row follow."""
        self.row, self.row_text, self.current = row, str(row + 1), None
        self.digits = len(self.row_text)

    def begin_row(self, attributes: Attributes) -> None:
        """A row begins: it says its number, or is the next one."""
        given = dict(zip(attributes[::2], attributes[1::2], strict=True))
        number = given.get("r", "")
        self.in_row(int(number) - 1 if number.isascii() and number.isdigit() and int(number) else self.row + 1)
        self.column = -1
        if given.get("hidden") in YES or given.get("ht") == "0":
            self.cells.hidden_rows.append(self.row)

    def begin_text(self) -> None:
        """The text of a string begins, or of one of its runs."""
        if not self.runs:
            self.pieces.clear()
        elif self.rich.begin_text():
            self.parser.CharacterDataHandler = self.pieces.append

    def begin_conditions(self, attributes: Attributes) -> None:
        """Rules of conditional formatting begin, and end with the element."""
        self.conditions.start("conditionalFormatting", attributes)

        def end(name: str) -> None:
            self.conditions.end(local(name))
            if local(name) == "conditionalFormatting":
                self.parser.StartElementHandler, self.parser.EndElementHandler = self.start, None
                self.parser.CharacterDataHandler = self.pieces.append

        self.parser.StartElementHandler = lambda name, given: self.conditions.start(local(name), given)
        self.parser.EndElementHandler = end
        self.parser.CharacterDataHandler = self.conditions.text.append

    def begin_runs(self, word: str) -> None:
        """Rich text begins."""
        self.runs = True
        self.parser.CharacterDataHandler = None
        self.parser.EndElementHandler = self.end_in_runs
        if word == "r":
            self.pieces.clear()

    def end_in_runs(self, name: str) -> None:
        """An element of rich text ends, or the cell that holds it."""
        if name == self.t:
            self.parser.CharacterDataHandler = None
            self.rich.end("t")
        elif name == self.c:
            self.finish_cell()
            self.runs = False
            self.rich.clear()
            self.parser.EndElementHandler = None
            self.parser.CharacterDataHandler = self.pieces.append
        else:
            self.rich.end(local(name))

    def finish_cell(self) -> None:
        """What was told of a cell is all there is."""
        self.begun = False
        pieces = self.pieces
        if not pieces and not self.formula:
            return
        text = pieces[0] if len(pieces) == 1 else "".join(pieces)
        kind = self.kind
        if self.formula or self.runs or self.style in self.styled:
            text = self.cell()
            self.formula = self.valued = False
            shape = self.book.formats.get(self.style)
            if text and shape is not None and shape.struck:
                self.cells.struck.append((self.row, self.column, text))
        elif kind == "s" and text in self.strings:
            text = self.strings[text]
        elif kind == "n" and self.show_zeros:
            text = self.numbers.get(text) or self.plain(text.strip())
        elif kind != "inlineStr" or "_x" in text or text[-1].isspace():
            text = self.cell()
        if text:
            current = self.current
            if current is None:
                current = self.current = self.cells.row(self.row)
            gap = self.column - len(current)
            if gap < 0 or self.column >= self.cells.width:
                self.cells.place(current, self.column, text)
            elif gap:
                current += [""] * gap + [text]
            else:
                current.append(text)

    def other(self, word: str, attributes: Attributes) -> None:
        """Elements that are rare: the runs of a text, merged and hidden cells, views, conditional formatting."""
        if self.begun and word in ("r", "rPh") and not self.runs:
            self.begin_runs(word)
        if self.runs:
            self.rich.start(word, attributes)
            return
        if self.begun:
            self.finish_cell()
        given = dict(zip(attributes[::2], attributes[1::2], strict=True))
        if word == "mergeCell":
            self.cells.merges += areas(given.get("ref", ""))
        elif word == "sheetView":
            self.show_zeros &= given.get("showZeros", "1") in YES
        elif word == "conditionalFormatting":
            self.begin_conditions(attributes)
        elif word == "col" and (given.get("hidden") in YES or given.get("width") == "0"):
            last = min(int(given.get("max", "0")), self.cells.limits.columns)
            self.cells.hidden_columns += range(int(given.get("min", "1")) - 1, last)

    def cell(self) -> str:
        """What a cell shows; what must be told of it is noted."""
        if self.formula and not self.valued:
            self.pieces.clear()  # the formula's own text
        raw = "".join(self.pieces)
        raw = raw.rstrip() if raw[-1:].isspace() else raw
        kind = self.kind
        if self.formula:
            self.formulas += 1
            # A formula that gives an empty text has a stored value, and it is empty.
            if not raw and not (kind == "str" and self.valued):
                self.cells.uncalculated.append((self.row, self.column))
        if not raw:
            return ""
        if kind == "n":
            return self.number(raw.strip())
        if kind == "e":
            self.cells.errors.append((self.row, self.column, raw.strip()))
            return raw.strip()
        if kind == "b":
            self.hold(raw.strip() in YES)
            return "TRUE" if raw.strip() in YES else "FALSE"
        if kind == "d":
            self.cells.dates.append((self.row, self.column))
            return iso_text(raw.strip())
        text = self.shared(raw) if kind == "s" else self.unmarked(unescaped(raw), self.rich.without_mark())
        self.hold(text)
        shape = self.book.formats.get(self.style)
        if shape is None or shape.text is None or not text:
            return text
        return self.cells.shown(self.row, self.column, *shape.show_text(text))

    def hold(self, value: float | str | bool) -> None:
        """Keep what the cell holds, if that is wanted."""
        if self.keep:
            self.held[self.row, self.column] = value

    def shared(self, raw: str) -> str:
        """A shared string, without its footnote mark."""
        index = int(raw)
        if not 0 <= index < len(self.book.strings):
            raise RefusalError("unreadable_file", f"the text number {index} is missing", ALLOWED)
        marked = self.book.marked.get(index)
        if marked:
            return self.unmarked("", marked)
        self.strings[raw] = self.book.strings[index]
        return self.book.strings[index]

    def unmarked(self, text: str, marked: tuple[str, str] | None) -> str:
        """A text, without its footnote mark if it has one, which is told."""
        if marked is None:
            return text
        text, mark = marked
        self.cells.marks.append((self.row, self.column, mark))
        return text

    def number(self, raw: str) -> str:
        """A number as it shows."""
        shape = self.book.formats.get(self.style)
        how: Kind = "number"
        if self.keep and NUMBER.fullmatch(raw):
            self.hold(float(raw))
        if shape is None:
            text = self.numbers.get(raw) or self.plain(raw)
        elif NUMBER.fullmatch(raw):
            text, how = shape.show_number(float(raw), self.book.since_1904)
        else:
            return raw
        if text in ("0", "0%") and how == "number" and not self.show_zeros:
            how = "hidden"
        if self.formula and text == "0":
            self.zero_formulas.append((self.row, self.column))
        return self.cells.shown(self.row, self.column, text, how)

    def plain(self, raw: str) -> str:
        """A number without a format of its own; what is no number stays as it is written."""
        if len(raw) <= LONGEST_WHOLE and raw.isdigit() and raw.isascii() and raw[0] != "0":
            text = raw
        else:
            text = number_text(float(raw)) if NUMBER.fullmatch(raw) else raw
        if len(self.numbers) >= KEPT_NUMBERS:
            self.numbers.clear()
        self.numbers[raw] = text
        return text


def _placed(reference: str) -> Place:
    """Row and column of a reference."""
    found = REFERENCE.fullmatch(reference)
    if not found or found[2] == "0":
        raise RefusalError("unreadable_file", f"a cell at {reference[:20]}", ALLOWED)
    return int(found[2]) - 1, column_number(found[1])


def iso_text(text: str) -> str:
    """A date as strict workbooks and OpenDocument store it, without midnight; text that is none stays as it is."""
    try:
        return moment_text(dt.datetime.fromisoformat(text))
    except ValueError:
        return text
