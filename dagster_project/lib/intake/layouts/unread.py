"""Columns of a contract's table that were not read, and whether they change what was read.

Belongs here: near and repeated headers, unread words and numbers where the column they belong to is blank.
Does not: which header is near to which column (near.py), reading of the cells that are taken (rows).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import polars as pl

import contracts
from dagster_project.lib.base.reference import Reference
from dagster_project.lib.intake.layouts.declaration import Match
from dagster_project.lib.intake.reading.grid import Problem, column_letter, excerpt, one_line, problem, snake_name

NOT_FILLED = "values_not_filled"
"""Told of a sheet of several that has rows and no value in any of them; none of the rows is taken."""
VALUE_CELLS = ("numerator", "denominator", "value")
NUMBER = re.compile(r"[-+]?\$?\d[\d.,]*\s*%?", re.ASCII)
PERIOD_WORD = re.compile(
    r"(?:\d{4}[- ]?)?(?:q[1-4]|t[1-3])|\d{4}-(?:0[1-9]|1[0-2])|(?:fall|winter|spring|summer)(?: \d{4})?", re.ASCII
)
NAMES_ONLY = frozenset({"id", "ids", "code", "codes", "key", "no", "row", "line", "rank", "fips", "nces", "year"})
"""Words of headers whose numbers are names and no values."""
USUAL_UNIT, USUAL_LEVEL = "percent", "community"
TOTALS = frozenset({"", "all", "total", "all students"})

Words = Mapping[str, frozenset[str]]
"""Words that say something only where their column is read, by column: units, levels, places (lower case)."""


def words_of(reference: Reference, community_id: str) -> Words:
    """The words of one community's tables: units other than the usual one, kinds of places, its governed places."""
    levels = contracts.landed()[contracts.VALUES_TABLE].column("geography_level").choices
    own = reference.geographies.filter(pl.col("community_id") == community_id)
    labels = reference.crosswalk("geography").filter(
        (pl.col("scope") == "community") & (pl.col("scope_id") == community_id)
    )
    places = [*own["geography_id"], *own["name"], *labels["label"]]
    return {
        "unit": frozenset(reference.units["unit"]) - {USUAL_UNIT},
        "geography_level": frozenset(levels) - {USUAL_LEVEL},
        "geography": frozenset(one_line(place).lower() for place in places if place),
    }


def unread_problems(match: Match, words: Words, alone: bool) -> list[Problem]:
    """What the member must hear of columns of a contract's table that were not read.

    A fatal one and NOT_FILLED refuse the sheet. `alone`: it is the only sheet of its file; one of several without any
    value is a form that nobody has filled in yet.
    """
    if not match.layout.contract:
        return []
    sheet = _Sheet(match)
    told = [*_twice(sheet), *_doubtful(sheet), *_words(sheet, words)]
    if match.table == contracts.VALUES_TABLE and match.data and not told:
        told += _without_values(sheet, alone)
    return [*_read_as(sheet), *told]


class _Sheet:
    """The cells of a matched sheet by column: those that are read, and the others."""

    def __init__(self, match: Match) -> None:
        self.match = match
        self.rows = [match.grid.rows[place] for place in match.data]
        self.header = match.grid.rows[match.header_row - 1]
        self.read = dict(match.fit.places)

    def cell(self, row: Sequence[str], column: str) -> str:
        place = self.read.get(column)
        return row[place].strip() if place is not None and place < len(row) else ""

    def unread(self) -> Iterator[tuple[int, str]]:
        """Place and header of the columns that were not read; a column without a header under its letter."""
        places = set(self.read.values())
        for place in range(self.match.fit.width):
            text = one_line(self.header[place]) if place < len(self.header) else ""
            if place not in places:
                yield place, text or f"column {column_letter(place)} (without a header)"

    def filled(self, place: int) -> list[tuple[Sequence[str], str]]:
        """Rows in which an unread cell holds anything, with its text."""
        return [(row, row[place].strip()) for row in self.rows if place < len(row) and row[place].strip()]

    def blank_beside(self, place: int, *columns: str) -> list[tuple[Sequence[str], str]]:
        """Of those the rows in which the columns that are read hold nothing."""
        return [(row, text) for row, text in self.filled(place) if not any(self.cell(row, name) for name in columns)]

    def tell(self, rule_id: str, found: str, allowed: str | None = None) -> Problem:
        return problem(rule_id, sheet=self.match.grid.sheet, rows=[self.match.header_row], found=found, allowed=allowed)


def _read_as(sheet: _Sheet) -> Iterator[Problem]:
    for column, _, text in sheet.match.fit.near:
        yield sheet.tell("near_column", excerpt(text), column)


def _twice(sheet: _Sheet) -> Iterator[Problem]:
    counted = Counter(snake_name(text) for text in sheet.header)
    for column in sheet.match.layout.columns:
        if counted[column] > 1:
            yield sheet.tell("duplicate_column", column)


def _doubtful(sheet: _Sheet) -> Iterator[Problem]:
    for column, place, text in sheet.match.fit.doubtful:
        if column == "group":  # a second group beside the one that is read narrows every row
            open_cells = [cell for _, cell in sheet.filled(place) if one_line(cell).lower() not in TOTALS]
        else:
            open_cells = [cell for _, cell in sheet.blank_beside(place, column)]
        if open_cells:
            yield sheet.tell("column_unclear", f"{excerpt(text)} (holding {excerpt(open_cells[0])})", column)


def _words(sheet: _Sheet, words: Words) -> Iterator[Problem]:
    told = {place for _, place, _ in sheet.match.fit.doubtful}
    for place, text in sheet.unread():
        if place in told:
            continue
        for column in sheet.match.layout.columns:
            cells = {one_line(cell).lower() for _, cell in sheet.blank_beside(place, column)}
            if cells and all(_speaks_of(column, cell, words) for cell in cells):
                yield sheet.tell("column_unclear", f"{excerpt(text)} (holding {excerpt(min(cells))})", column)
                break


def _speaks_of(column: str, cell: str, words: Words) -> bool:
    if column == "period":
        return PERIOD_WORD.fullmatch(cell) is not None
    return cell in words.get(column, ())


def _without_values(sheet: _Sheet, alone: bool) -> Iterator[Problem]:
    """A table without any value, and rows without one beside a number that was not read."""
    numbers = {place: text for place, text in sheet.unread() if _of_numbers(sheet, place, text)}
    if not any(sheet.cell(row, name) for row in sheet.rows for name in VALUE_CELLS):
        if not alone and not numbers:
            yield problem(NOT_FILLED, sheet=sheet.match.grid.sheet)
            return
        unread = ", ".join(map(excerpt, numbers.values()))
        found = f"Numbers stand in columns that were not read: {unread}." if unread else "All of them are empty."
        yield sheet.tell("no_values", found)
        return
    for place, text in numbers.items():
        rows = [
            at + 1
            for at in sheet.match.data
            if place < len(row := sheet.match.grid.rows[at])
            and row[place].strip()
            and not any(sheet.cell(row, name) for name in VALUE_CELLS)
        ]
        if rows:
            yield problem("unread_number", sheet=sheet.match.grid.sheet, rows=rows, column=text, found=excerpt(text))


def _of_numbers(sheet: _Sheet, place: int, text: str) -> bool:
    if set(snake_name(text).split("_")) & NAMES_ONLY:
        return False
    cells = sheet.filled(place)
    return bool(cells) and all(NUMBER.fullmatch(cell) for _, cell in cells)
