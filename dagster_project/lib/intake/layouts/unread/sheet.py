"""The cells of a matched sheet by column: those that are read, and the others.

Belongs here: rows, columns, headings and sections of one sheet, and telling a rule of them.
Does not: any rule (columns.py, rows.py), matching a sheet with its layout (layouts/matching.py).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property

import contracts
from dagster_project.lib.intake.layouts.declaration import Match
from dagster_project.lib.intake.layouts.unread.vocabulary import WORDS
from dagster_project.lib.intake.reading.grid import Problem, column_letter, excerpt, one_line, problem

COUNTS = ("numerator", "denominator")
VALUE_CELLS = (*COUNTS, "value")
NUMBER = re.compile(r"[-+]?\$?\d[\d.,]*\s*%?", re.ASCII)
FREE_TEXT = ("note", "data_source")
"""Columns of a table that are kept as they are written and change no figure, whatever they say of the row."""


class Sheet:
    """The cells of a matched sheet by column: those that are read, and the others."""

    def __init__(self, match: Match) -> None:
        self.match = match
        self.rows = [match.grid.rows[place] for place in match.data]
        self.header = match.grid.rows[match.header_row - 1]
        self.read = dict(match.fit.places)
        if match.layout.contract:
            # A later version may call a column otherwise; here each is asked for by the name it is kept by.
            renamed = contracts.tables(match.layout.version)[match.table].renamed
            self.read |= {kept: self.read[name] for kept, name in renamed.items() if name in self.read}

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

    def said(self) -> Iterator[tuple[int, str]]:
        """Place and header of the columns whose words nothing acts on: those that are not read, and free text."""
        yield from self.unread()
        for column in FREE_TEXT:
            if column in self.read:
                yield self.read[column], one_line(self.header[self.read[column]])

    def heads(self) -> tuple[str, ...]:
        """What stands above all rows: the sheet's name and the lines of its title."""
        lines = map(one_line, (self.match.grid.sheet, *self.match.title.splitlines()))
        return tuple(dict.fromkeys(filter(None, lines)))

    @cached_property
    def numbered(self) -> frozenset[int]:
        """The rows that give a number, counted from 0."""
        return frozenset(at for at, row in zip(self.match.data, self.rows, strict=True) if gives_number(self, row))

    @cached_property
    def sections(self) -> list[tuple[str, list[int]]]:
        """Lines within the table that hold one text alone, and the rows below each up to a blank line or the next."""
        found: list[tuple[str, list[int]]] = []
        open_one: list[int] | None = None
        year, indicator = self.read["school_year"], self.read["indicator"]
        longest = max(year, indicator)
        for at, row in zip(self.match.data, self.rows, strict=True):
            whole = len(row) > longest and row[year] and row[indicator]
            cells = [] if whole else [one_line(cell) for cell in row if cell.strip()]
            if len(cells) == 1 and WORDS.search(cells[0]):
                found.append((cells[0], open_one := []))
            elif open_one is not None and not (open_one and at > open_one[-1] + 1):
                open_one.append(at)
            else:
                open_one = None
        return found

    def texts(self, place: int) -> set[str]:
        """The different texts of a column, in one line each: in a large table they are few."""
        return set(map(one_line, {row[place] for row in self.rows if place < len(row)}))

    def filled(self, place: int) -> list[tuple[Sequence[str], str]]:
        """Rows in which an unread cell holds anything, with its text."""
        return [(row, row[place].strip()) for row in self.rows if place < len(row) and row[place].strip()]

    def blank_beside(self, place: int, *columns: str) -> list[tuple[Sequence[str], str]]:
        """Of those the rows in which the columns that are read hold nothing."""
        return [(row, text) for row, text in self.filled(place) if not any(self.cell(row, name) for name in columns)]

    def says_anything(self, row: Sequence[str]) -> bool:
        """Whether a row gives a value, both counts that make one, or in place of one a mask or a base of zero."""
        counts = [cell for name in COUNTS if (cell := self.cell(row, name))]
        return bool(self.cell(row, "value")) or len(counts) == len(COUNTS) or any(map(_no_number, counts))

    def tell(self, rule_id: str, found: str, allowed: str | None = None) -> Problem:
        return problem(rule_id, sheet=self.match.grid.sheet, rows=[self.match.header_row], found=found, allowed=allowed)

    def tell_rows(
        self, rule_id: str, place: int, text: str, speaks: Callable[[Sequence[str], str], bool]
    ) -> Iterator[Problem]:
        """A rule on an unread column, with the rows in which its cell holds anything and that it speaks of."""
        rows = [
            at + 1
            for at in self.match.data
            if place < len(row := self.match.grid.rows[at]) and (cell := row[place].strip()) and speaks(row, cell)
        ]
        if rows:
            yield problem(rule_id, sheet=self.match.grid.sheet, rows=rows, column=text, found=excerpt(text))


def gives_number(sheet: Sheet, row: Sequence[str]) -> bool:
    """Whether a row holds a number where a value or a count stands."""
    return any(NUMBER.fullmatch(sheet.cell(row, name)) for name in VALUE_CELLS)


def _no_number(cell: str) -> bool:
    return cell == "0" or not NUMBER.fullmatch(cell)
