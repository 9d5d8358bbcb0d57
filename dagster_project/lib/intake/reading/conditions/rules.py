"""Rules of conditional formatting that set what cells show, and what the cells show under them.

Belongs here: which rule holds for a cell (ECMA-376 part 1, 18.3.1.10), by their priority; cells of which it is unsure.
Does not: finding the rules in a file (worksheet.py, old_workbook.py), formulas (formulas.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from dagster_project.lib.intake.reading.conditions.formulas import (
    Asked,
    NoValueError,
    UnknownError,
    Value,
    compare,
    compiled,
    truth,
)
from dagster_project.lib.intake.reading.conditions.references import Area, Place
from dagster_project.lib.intake.reading.number_formats import Kind, NumberFormat, number_text

SIGNS = {
    "lessThan": "<",
    "lessThanOrEqual": "<=",
    "equal": "=",
    "notEqual": "<>",
    "greaterThanOrEqual": ">=",
    "greaterThan": ">",
}
WITH_TEXT: dict[str, Callable[[str, str], bool]] = {
    "containsText": lambda text, part: part in text,
    "notContainsText": lambda text, part: part not in text,
    "beginsWith": str.startswith,
    "endsWith": str.endswith,
}
ALWAYS = "always"
"""Data bars and icons that stand in place of the numbers."""


@dataclass
class Rule:
    """One rule for some areas. `shape` is the number format that it sets; without one it can only stop others.

    `kind`, `operator`, `formulas` and `text` are those of the file: cellIs, lessThan, 10. `base` is the cell that the
    formulas are written for; without it that is the first cell of the areas.
    """

    kind: str
    priority: int = 0
    operator: str = ""
    text: str = ""
    stops: bool = False
    shape: NumberFormat | None = None
    formulas: list[str] = field(default_factory=list)
    areas: list[Area] = field(default_factory=list)
    base: Place | None = None
    _asked: list[Asked] | None = None

    def covers(self, row: int, column: int) -> bool:
        """Whether the rule speaks of a cell."""
        return any(top <= row <= bottom and left <= column <= right for top, left, bottom, right in self.areas)

    def holds(self, row: int, column: int, sheet: Sheet) -> bool:
        """Whether the rule holds for a cell that is not blank. UnknownError if that cannot be told."""
        value = sheet.value(row, column)
        if self.kind == ALWAYS or self.kind in ("notContainsBlanks", "notContainsErrors"):
            return True
        if self.kind in ("containsBlanks", "containsErrors"):
            return False
        if self.kind in WITH_TEXT and self.text:
            text = number_text(value) if isinstance(value, float) else str(value)
            return WITH_TEXT[self.kind](text.casefold(), self.text.casefold())
        try:
            said = [asked(sheet.value, *self._from_first(row, column)) for asked in self._compiled()]
            if self.kind == "expression" and said:
                return truth(said[0])
            return self._compares(value, said)
        except NoValueError:
            return False

    def _compares(self, value: Value, said: Sequence[Value]) -> bool:
        if self.kind == "cellIs" and self.operator in SIGNS and said:
            return compare(value, SIGNS[self.operator], said[0])
        if self.kind == "cellIs" and self.operator in ("between", "notBetween") and len(said) > 1:
            low, high = (said[0], said[1]) if compare(said[0], "<=", said[1]) else (said[1], said[0])
            inside = compare(low, "<=", value) and compare(value, "<=", high)
            return inside == (self.operator == "between")
        raise UnknownError(self.kind)

    def _from_first(self, row: int, column: int) -> Place:
        """How far a cell lies from the one that the formulas are written for."""
        top, left = self.base or self.areas[0][:2]
        return row - top, column - left

    def _compiled(self) -> list[Asked]:
        if self._asked is None:
            read = [compiled(formula) for formula in self.formulas]
            top, left = min(area[0] for area in self.areas), min(area[1] for area in self.areas)
            first = self.base is not None or (top, left) == self.areas[0][:2]
            if not first and any(relative for _, relative in read):
                raise UnknownError("areas that do not begin with the first cell")
            self._asked = [asked for asked, _ in read]
        return self._asked


@dataclass(frozen=True)
class Sheet:
    """The cells of a sheet as they are held: numbers and texts by their place, and how they show without rules."""

    held: Mapping[Place, float | str | bool]
    rows: Sequence[Sequence[str]]
    since_1904: bool = False

    def value(self, row: int, column: int) -> Value:
        """The value of a cell; None if it is blank. UnknownError for an error or a day."""
        if row < 0 or column < 0:
            raise UnknownError("a cell outside of the sheet")
        if (row, column) in self.held:
            return self.held[row, column]
        if row < len(self.rows) and column < len(self.rows[row]) and self.rows[row][column]:
            raise UnknownError("a cell that holds neither number nor text")
        return None

    def under(self, shape: NumberFormat, row: int, column: int) -> tuple[str, Kind]:
        """What a cell shows under a number format."""
        value = self.held[row, column]
        if isinstance(value, bool):
            return self.rows[row][column], "number"
        return shape.show_text(value) if isinstance(value, str) else shape.show_number(value, self.since_1904)


def matter(rules: Sequence[Rule]) -> bool:
    """Whether any of the rules can change what a cell shows."""
    return any(rule.shape is not None for rule in rules)


def shown(rules: Sequence[Rule], sheet: Sheet) -> Iterator[tuple[int, int, str, Kind | None]]:
    """Cells that show something else under the rules: row, column, text and how it came about.

    Without the latter it is unsure what the cell shows, and the text says why. A cell whose rules cannot be told but
    would leave it as it is, is not among them.
    """
    ordered = sorted((rule for rule in rules if rule.shape is not None or rule.stops), key=lambda rule: rule.priority)
    for row, column in sorted(_covered(ordered, sheet)):
        of_cell = [rule for rule in ordered if rule.covers(row, column)]
        yield from _settled(of_cell, row, column, sheet)


def _covered(rules: Sequence[Rule], sheet: Sheet) -> set[Place]:
    """Cells that hold something and are covered by a rule that sets a format."""
    height = max((row for row, _ in sheet.held), default=-1)
    width = max((column for _, column in sheet.held), default=-1)
    return {
        (row, column)
        for rule in rules
        if rule.shape is not None
        for top, left, bottom, right in rule.areas
        for row in range(top, min(bottom, height) + 1)
        for column in range(left, min(right, width) + 1)
        if (row, column) in sheet.held
    }


def _settled(rules: Sequence[Rule], row: int, column: int, sheet: Sheet) -> Iterator[tuple[int, int, str, Kind | None]]:
    """What one cell shows, if it is not what it shows without rules."""
    stopped = False
    for rule in rules:
        try:
            if not rule.holds(row, column, sheet):
                continue
        except UnknownError as unknown:
            if rule.shape is None:
                stopped = True
            elif _changes(rule.shape, row, column, sheet):
                yield row, column, _words(rule, unknown), None
                return
            continue
        if rule.shape is not None:
            if _changes(rule.shape, row, column, sheet):
                text, how = sheet.under(rule.shape, row, column)
                yield (row, column, "a rule that may stop others", None) if stopped else (row, column, text, how)
            return
        if rule.stops:
            return


def _changes(shape: NumberFormat, row: int, column: int, sheet: Sheet) -> bool:
    text, how = sheet.under(shape, row, column)
    cells = sheet.rows[row] if row < len(sheet.rows) else ()
    return how != "number" or text != (cells[column] if column < len(cells) else "")


def _words(rule: Rule, unknown: UnknownError) -> str:
    """The rule as its member knows it."""
    return rule.formulas[0] if rule.formulas and rule.kind in ("expression", "cellIs") else str(unknown) or rule.kind
