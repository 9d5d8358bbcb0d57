"""The sheets of an OpenDocument spreadsheet, read in one pass over its content.

Belongs here: tables, rows, columns and cells, each repeated as often as it says, merged and hidden ones; texts.
Does not: what a cell shows (cells.py), styles (styles.py), the package (document.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from dagster_project.lib.intake.reading.conditions.references import Area, Place
from dagster_project.lib.intake.reading.conditions.rules import Rule
from dagster_project.lib.intake.reading.limits import Limits, RefusalError, check_area
from dagster_project.lib.intake.reading.open_document.cells import (
    EXTENDED,
    OFFICE,
    TABLE,
    Held,
    How,
    cell_of,
    times,
    value_of,
)
from dagster_project.lib.intake.reading.open_document.rules import (
    areas_of,
    in_place_of_numbers,
    rule_of,
    runs,
    settled,
)
from dagster_project.lib.intake.reading.open_document.styles import Styles
from dagster_project.lib.intake.reading.package import Attributes, feed, is_marked, local, new_parser
from dagster_project.lib.intake.reading.worksheet import LONGEST_WHOLE, SheetCells

TEXT = "urn:oasis:names:tc:opendocument:xmlns:text:1.0 "
ALLOWED = "an OpenDocument spreadsheet"
ROWS_AROUND = frozenset(
    TABLE + word
    for word in ("table-columns", "table-header-columns", "table-column-group", "table-rows", "table-header-rows")
)
ROW_GROUP = TABLE + "table-row-group"
UNSEEN = frozenset({"collapse", "filter"})
CONDITIONAL_LISTS = "conditional-formats"
CELL, COVERED, ROW, COLUMN, SHEET = (
    TABLE + word for word in ("table-cell", "covered-table-cell", "table-row", "table-column", "table")
)
CELLS = frozenset({CELL, COVERED})
PARAGRAPH, SPAN = TEXT + "p", TEXT + "span"
SILENT = frozenset({TEXT + "ruby-text", TEXT + "note", TEXT + "tracked-changes"})
REPEATED_FACTS = ("errors", "uncalculated", "hidden_values", "otherwise", "struck", "marks", "dates")


@dataclass
class ReadSheet:
    """One sheet. `held` is what its cells hold, if that is kept, `rules` its conditional formatting."""

    name: str
    hidden: bool
    cells: SheetCells
    held: dict[Place, float | str | bool] = field(default_factory=dict)
    rules: list[Rule] = field(default_factory=list)


class Content:
    """The handlers of the content.

    As in worksheet.py ends of elements are told only where they must be: a cell ends where the next one begins.
    """

    def __init__(self, styles: Styles, limits: Limits, keep: bool, show_zeros: bool) -> None:
        self.styles, self.limits, self.keep, self.show_zeros = styles, limits, keep, show_zeros
        self.sheets: list[ReadSheet] = []
        self.parser = new_parser()
        self.pieces: list[str] = []
        self.apart: list[int] = []
        self.spans: list[bool] = []
        self.begun = self.in_row = self.covered = self.body = False
        self.given = Held([])
        self.paragraphs = False
        self.maps: dict[str, bool] = {}

    def read(self, chunks: Iterator[bytes]) -> list[ReadSheet]:
        """All sheets, their rules among them."""
        self.parser.StartElementHandler = self.before_body
        self.parser.EndElementHandler = self.styles.end
        self.parser.CharacterDataHandler = self.styles.text.append
        feed(self.parser, chunks)
        self.end_sheet()
        if not self.body:
            raise RefusalError("unreadable_file", "an OpenDocument file without sheets", ALLOWED)
        return self.sheets

    def before_body(self, name: str, attributes: Attributes) -> None:
        """An element before the sheets: styles."""
        if name == OFFICE + "spreadsheet":
            self.body = True
            self.parser.StartElementHandler, self.parser.EndElementHandler = self.start, None
            self.parser.CharacterDataHandler = self.pieces.append
        else:
            self.styles.start(name, attributes)

    def start(self, name: str, attributes: Attributes) -> None:
        """An element begins."""
        if name in CELLS:
            self.begin_cell(attributes, name == COVERED)
        elif name == PARAGRAPH:
            self.begin_paragraph()
        elif name == ROW:
            self.begin_row(attributes)
        elif name == COLUMN:
            self.column_styles(attributes)
        elif name == SHEET:
            self.begin_sheet(attributes)
        elif self.begun and name.startswith(TEXT) and name not in SILENT:
            self.within_text(name, attributes)
        elif local(name) == CONDITIONAL_LISTS and self.sheets:
            self.begin_conditions()
        elif name != ROW_GROUP and name not in ROWS_AROUND:
            self.skip()

    def skip(self) -> None:
        """Pass over an element with all that is in it: comments, drawings, changes that were tracked."""
        parser, depth = self.parser, 1
        kept = parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler

        def begin(_: str, __: Attributes) -> None:
            nonlocal depth
            depth += 1

        def end(_: str) -> None:
            nonlocal depth
            depth -= 1
            if not depth:
                parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = kept

        parser.StartElementHandler, parser.EndElementHandler = begin, end
        parser.CharacterDataHandler = None

    # Sheets, columns, rows

    def begin_sheet(self, attributes: Attributes) -> None:
        """A sheet begins, and the one before it ends."""
        self.end_sheet()
        if len(self.sheets) >= self.limits.sheets:
            allowed = f"{self.limits.sheets:,} sheets"
            raise RefusalError("too_many_sheets", f"more than {allowed}", allowed)
        given = dict_of(attributes)
        if given.get(TABLE + "is-sub-table") == "true":
            raise RefusalError("unreadable_file", "a table inside of a cell", ALLOWED)
        unseen = self.styles.unseen("table", given.get(TABLE + "style-name", ""))
        hidden = unseen or given.get(TABLE + "display") == "false"
        self.sheets.append(ReadSheet(given.get(TABLE + "name", ""), hidden, SheetCells(self.limits)))
        self.cells, self.held = self.sheets[-1].cells, self.sheets[-1].held
        self.columns: list[str] = []
        self.row, self.row_times, self.row_style, self.row_hidden = -1, 1, "", False
        self.covers: dict[int, int] = {}
        self.lists: list[list[Rule]] = []
        self.ruled: dict[str, list[Place]] = {}

    def end_sheet(self) -> None:
        """All of a sheet was told: its rules, in lists or, by other programs, in the styles of cells."""
        self.end_row()
        if not self.sheets or self.sheets[-1].rules:
            return
        lists = self.lists
        if not lists:
            for name, places in self.ruled.items():
                style = self.styles.find("table-cell", name)
                rules = [
                    rule_of(condition, base, self.styles.set_by(applied))
                    for condition, applied, base in (style.maps if style else [])
                ]
                for rule in rules:
                    rule.areas = runs(sorted(places))
                lists.append(rules)
        self.sheets[-1].rules = settled(lists)

    def column_styles(self, attributes: Attributes) -> None:
        """One column, or several alike."""
        if not self.sheets:
            raise RefusalError("unreadable_file", "a column outside of any sheet", ALLOWED)
        given = dict_of(attributes)
        alike = min(times(given.get(TABLE + "number-columns-repeated")), self.limits.columns - len(self.columns))
        unseen = self.styles.unseen("table-column", given.get(TABLE + "style-name", ""))
        if unseen or given.get(TABLE + "visibility") in UNSEEN:
            self.cells.hidden_columns += range(len(self.columns), len(self.columns) + alike)
        self.columns += [given.get(TABLE + "default-cell-style-name", "")] * alike

    def begin_row(self, attributes: Attributes) -> None:
        """A row begins, and the one before it ends."""
        if not self.sheets:
            raise RefusalError("unreadable_file", "a row outside of any sheet", ALLOWED)
        self.end_row()
        given = dict_of(attributes)
        self.row += 1
        self.row_times = times(given.get(TABLE + "number-rows-repeated"))
        self.row_style = given.get(TABLE + "default-cell-style-name", "")
        unseen = self.styles.unseen("table-row", given.get(TABLE + "style-name", ""))
        self.row_hidden = unseen or given.get(TABLE + "visibility") in UNSEEN
        self.column, self.in_row = 0, True
        self.current: list[str] | None = None
        self.before = {name: len(getattr(self.cells, name)) for name in REPEATED_FACTS} if self.row_times > 1 else {}
        self.ruled_in_row: list[tuple[int, str]] = []
        self.held_in_row: list[tuple[int, float | str | bool]] = []
        self.merges_before = len(self.cells.merges)

    def end_row(self) -> None:
        """A row ends: it stands there as often as it says, if it holds anything."""
        if self.begun:
            self.finish_cell()
        if not self.in_row:
            return
        self.in_row = False
        told = any(len(getattr(self.cells, name)) > count for name, count in self.before.items())
        if self.row_times > 1 and (self.current or told):
            self.repeat_row()
        rows = range(self.row, self.row + self.row_times)
        for column, style in self.ruled_in_row:
            self.ruled.setdefault(style, []).extend((row, column) for row in rows)
        self.held.update({(row, column): value for column, value in self.held_in_row for row in rows})
        if self.row_hidden and self.current:
            self.cells.hidden_rows += rows
        self.row += self.row_times - 1

    def repeat_row(self) -> None:
        """Put a row with all that is told of it below itself."""
        cells, first, times = self.cells, self.row, self.row_times
        check_area(first + times, max(cells.width, 1), self.limits)
        below = range(first + 1, first + times)
        if self.current:
            cells.rows += [list(self.current) for _ in below]
        for name, count in self.before.items():
            facts = getattr(cells, name)
            of_row = facts[count:]
            facts += [(row, *fact[1:]) for row in below for fact in of_row]
        of_row = cells.merges[self.merges_before :]
        cells.merges += [(row, left, row + bottom - top, right) for row in below for top, left, bottom, right in of_row]

    # Cells

    def begin_cell(self, attributes: Attributes, covered: bool) -> None:
        """A cell begins, and the one before it ends."""
        if self.begun:
            self.finish_cell()
        if not self.in_row:
            raise RefusalError("unreadable_file", "a cell outside of any row", ALLOWED)
        self.begun, self.covered, self.paragraphs = True, covered, False
        self.pieces.clear()
        self.given = Held(attributes)

    def begin_paragraph(self) -> None:
        """A paragraph of the cell's text begins."""
        if not self.begun:
            self.skip()
        elif self.paragraphs:
            # Space between the paragraphs is told with the text of the first.
            if self.pieces:
                self.pieces[-1] = self.pieces[-1].rstrip()
            self.pieces.append("\n")
        else:
            self.paragraphs = True
            self.pieces.clear()

    def within_text(self, name: str, attributes: Attributes) -> None:
        """Spaces and runs of a text. Fields stand with what they show, links with their words."""
        if name == TEXT + "s":
            self.pieces.append(" " * min(times(dict_of(attributes).get(TEXT + "c")), self.limits.cell_characters))
        elif name in (TEXT + "tab", TEXT + "line-break"):
            self.pieces.append(" ")
        elif name == SPAN:
            self.spans.append(self.styles.apart(dict_of(attributes).get(TEXT + "style-name", "")))
            self.parser.EndElementHandler = self.end_in_runs
            self.parser.CharacterDataHandler = self.text_in_runs

    def text_in_runs(self, text: str) -> None:
        """Text of which some runs are set apart."""
        if any(self.spans):
            self.apart.append(len(self.pieces))
        self.pieces.append(text)

    def end_in_runs(self, name: str) -> None:
        """An element of a text in runs ends, or the cell that holds it."""
        if name == SPAN and self.spans:
            self.spans.pop()
        elif name in CELLS:
            self.finish_cell()

    def finish_cell(self) -> None:
        """What was told of a cell is all there is: put it in its columns."""
        self.begun = False
        given, column = self.given, self.column
        self.column += given.times
        if self.parser.EndElementHandler is not None:
            self.spans.clear()
            self.parser.EndElementHandler, self.parser.CharacterDataHandler = None, self.pieces.append
        if not (given.kind or given.formula or self.paragraphs) or (self.covered and self.is_covered(column)):
            self.apart.clear()
            return
        style = given.style or self.row_style or (self.columns[column] if column < len(self.columns) else "")
        printed, mark = self.printed()
        shape = self.styles.shape(style)
        if printed == given.value and shape.plain and given.kind == "float" and self.is_short(printed):
            shown: tuple[str, How] = printed, "number"
        else:
            shown = cell_of(given, printed, shape, self.show_zeros)
        text, how = shown
        if text or how in ("hidden", "uncalculated"):
            if given.times > 1:
                check_area(self.row + 1, column + given.times, self.limits)
            for place in range(column, column + given.times):
                self.put(place, text, how, mark, style, value_of(given, printed) if self.keep else None)
                if text and shape.struck:
                    self.cells.struck.append((self.row, place, text))
        if given.spanned:
            self.merge(column, given.spanned)

    def is_short(self, text: str) -> bool:
        """Whether digits stand for a number that shows as it is written."""
        if text == "0":
            return self.show_zeros
        return len(text) <= LONGEST_WHOLE and text.isascii() and text.isdigit() and text[0] != "0"

    def printed(self) -> tuple[str | None, str]:
        """The text in the place of the cell, without its footnote mark, and the mark; None if there is no text."""
        if not self.paragraphs:
            return None, ""
        pieces, apart = self.pieces, frozenset(self.apart)
        self.apart.clear()
        text = pieces[0] if len(pieces) == 1 else "".join(pieces)
        if apart:
            mark = "".join(pieces[place] for place in sorted(apart)).strip()
            base = "".join(piece for place, piece in enumerate(pieces) if place not in apart)
            if mark and is_marked(base, mark):
                return base.strip(), mark
        return text.strip(), ""

    def put(self, column: int, text: str, how: How, mark: str, style: str, held: float | str | bool | None) -> None:
        """Put a text into a cell of the row, with what must be told of it."""
        cells, row = self.cells, self.row
        if text:
            if self.current is None:
                self.current = cells.row(row)
            cells.place(self.current, column, text)
        if how == "error":
            cells.errors.append((row, column, text))
        elif how == "uncalculated":
            cells.uncalculated.append((row, column))
        else:
            cells.shown(row, column, text, how)
        if mark:
            cells.marks.append((row, column, mark))
        if held is not None:
            self.held_in_row.append((column, held))
        if self.has_rules(style):
            self.ruled_in_row.append((column, style))

    def has_rules(self, style: str) -> bool:
        """Whether a cell style carries conditions."""
        known = self.maps.get(style)
        if known is None:
            found = self.styles.find("table-cell", style)
            known = self.maps[style] = found is not None and bool(found.maps)
        return known

    def merge(self, column: int, spanned: tuple[int, int]) -> None:
        """A cell that covers others."""
        bottom, right = self.row + spanned[0] - 1, column + spanned[1] - 1
        if spanned != (1, 1):
            self.cells.merges.append((self.row, column, bottom, right))
            self.covers.update((place, bottom) for place in range(column, min(right, self.limits.columns) + 1))

    def is_covered(self, column: int) -> bool:
        """Whether a merged cell lies over the cell, so that nobody sees what it holds."""
        return self.covers.get(column, -1) >= self.row

    # Rules behind the cells

    def begin_conditions(self) -> None:
        """The list of rules of the sheet begins, and ends with the element."""
        self.end_row()
        kept = self.parser.StartElementHandler
        areas: list[Area] = []

        def start(name: str, attributes: Attributes) -> None:
            nonlocal areas
            word, given = local(name), dict_of(attributes)
            if word == "conditional-format":
                areas = areas_of(given.get(EXTENDED + "target-range-address", ""))
                self.lists.append([])
            elif self.lists:
                rule = self.condition(word, given)
                if rule is not None:
                    rule.areas = areas
                    self.lists[-1].append(rule)

        def end(name: str) -> None:
            if local(name) == CONDITIONAL_LISTS:
                self.parser.StartElementHandler, self.parser.EndElementHandler = kept, None

        self.parser.StartElementHandler, self.parser.EndElementHandler = start, end

    def condition(self, word: str, given: dict[str, str]) -> Rule | None:
        """One rule of a list."""
        if word == "condition":
            applied = self.styles.set_by(given.get(EXTENDED + "apply-style-name", ""))
            base = given.get(EXTENDED + "base-cell-address", "")
            return rule_of(given.get(EXTENDED + "value", ""), base, applied)
        without_numbers = given.get(EXTENDED + "show-value") == "false"
        return in_place_of_numbers() if word in ("data-bar", "icon-set") and without_numbers else None


def dict_of(attributes: Attributes) -> dict[str, str]:
    """Attributes by their names."""
    return dict(zip(attributes[::2], attributes[1::2], strict=True))
