"""Columns that were not read, by their headers: near and repeated ones, and those that change what the rows mean.

Belongs here: unread words and numbers where the column they belong to is blank, other values beside those read.
Does not: what is said of single rows (rows.py), which header is near to which column (layouts/near.py).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial

import contracts
from dagster_project.lib.intake.layouts.near import near_names, squeezed
from dagster_project.lib.intake.layouts.unread.sheet import NUMBER, VALUE_CELLS, Sheet
from dagster_project.lib.intake.layouts.unread.vocabulary import (
    CALLED_OTHERWISE,
    GROUP_NAMES,
    OWN_NAMES,
    SUPPRESSED,
    TOTALS,
    USUAL,
    WORDS,
    Words,
)
from dagster_project.lib.intake.reading.grid import Problem, excerpt, one_line, problem, snake_name

NOT_FILLED = "values_not_filled"
"""Told of a sheet of several that has rows and no value in any of them; none of the rows is taken."""
MONTH = (
    "jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?"
    "|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?"
)
PART = "(?:quarter|semester|trimester|term|marking period)"
PERIOD_WORD = re.compile(
    r"(?:\d{4}[- ]?)?(?:q[1-4]|t[1-4]|s[12])|\d{4}-(?:0[1-9]|1[0-2])"
    rf"|{PART} ?[1-6]|[1-4](?:st|nd|rd|th) {PART}"
    r"|boy|moy|eoy|(?:beginning|middle|end) of (?:the )?year"
    rf"|(?:fall|autumn|winter|spring|summer|{MONTH})(?:,? \d{{4}})?",
    re.ASCII,
)
NAMES_ONLY = frozenset({"id", "ids", "code", "codes", "key", "no", "row", "line", "rank", "fips", "nces", "year"})
"""Words of headers whose numbers are names and no values."""
YEAR = re.compile(r"(?:sy ?|school year )?(?:19|20)\d\d(?:\s?[-/–]\s?(?:(?:19|20)?\d\d))?", re.ASCII)
"""A header that is a year."""
UNIT_BESIDE = re.compile(r"\s*(?:\(?%\)?|percent|pct|rate)$")
"""What stands behind the name of a year or group in a header of values."""


def read_as(sheet: Sheet) -> Iterator[Problem]:
    """Columns that were read under another name."""
    for column, _, text in sheet.match.fit.near:
        yield sheet.tell("near_column", excerpt(text), column)


def twice(sheet: Sheet) -> Iterator[Problem]:
    """Columns of the table whose name stands in the header more than once."""
    counted = Counter(snake_name(text) for text in sheet.header)
    for column in sheet.match.layout.columns:
        if counted[column] > 1:
            yield sheet.tell("duplicate_column", column)


def doubtful(sheet: Sheet, words: Words) -> Iterator[Problem]:
    """Near headers that were not read, where they say something that the column they are near to does not."""
    for column, place, text in sheet.match.fit.doubtful:
        # A second group beside the one that is read narrows every row.
        cells = sheet.filled(place) if column == "group" else sheet.blank_beside(place, column)
        nothing = TOTALS | USUAL.get(column, frozenset())
        if column == "geography":
            nothing |= words[OWN_NAMES]
        open_cells = [cell for _, cell in cells if one_line(cell).lower() not in nothing]
        if open_cells:
            yield sheet.tell("column_unclear", f"{excerpt(text)} (holding {excerpt(open_cells[0])})", column)


def telling_columns(sheet: Sheet, words: Words) -> Iterator[Problem]:
    """Other columns that were not read and hold nothing but words of a column that is blank beside them."""
    told = {place for _, place, _ in sheet.match.fit.doubtful}
    for place, text in sheet.unread():
        if place in told:
            continue
        for column in sheet.match.layout.columns:
            cells = {one_line(cell).lower() for _, cell in sheet.blank_beside(place, column)}
            if column == "geography":
                # Rows of the community itself beside those of others change nothing about what the others mean.
                cells -= words[OWN_NAMES] | TOTALS
            if cells and all(_speaks_of(column, cell, words) for cell in cells):
                yield sheet.tell("column_unclear", f"{excerpt(text)} (holding {excerpt(min(cells))})", column)
                break


def _speaks_of(column: str, cell: str, words: Words) -> bool:
    if column == "period":
        return PERIOD_WORD.fullmatch(cell) is not None
    return cell in words.get(column, ())


def without_values(sheet: Sheet, alone: bool) -> Iterator[Problem]:
    """A table without any value, and rows without one beside a number that was not read."""
    numbers = {place: text for place, text in sheet.unread() if _of_numbers(sheet, place, text)}
    if not any(map(sheet.says_anything, sheet.rows)):
        if not alone and not numbers and not any(sheet.cell(row, name) for row in sheet.rows for name in VALUE_CELLS):
            yield problem(NOT_FILLED, sheet=sheet.match.grid.sheet)
            return
        unread = ", ".join(map(excerpt, numbers.values()))
        found = (
            f"Numbers stand in columns that were not read: {unread}." if unread else "No other column holds numbers."
        )
        yield sheet.tell("no_values", found)
        return
    for place, text in numbers.items():
        yield from sheet.tell_rows("unread_number", place, text, lambda row, _: not sheet.says_anything(row))


def values_beside(sheet: Sheet, words: Words) -> Iterator[Problem]:
    """Columns of numbers that are named by a year or by a group, beside values that are read."""
    if not any(map(sheet.says_anything, sheet.rows)):
        return
    for place, text in sheet.unread():
        name = UNIT_BESIDE.sub("", one_line(text).lower())
        named = YEAR.fullmatch(name) or name in words[GROUP_NAMES]
        if named and any(NUMBER.fullmatch(cell) for _, cell in sheet.filled(place)):
            yield sheet.tell("values_beside", excerpt(text))


def rates_beside(sheet: Sheet) -> Iterator[Problem]:
    """Columns under a name of values that hold other numbers than the values that are read beside them."""
    named = near_names()[contracts.VALUES_TABLE]
    for column, place, text in sheet.match.fit.doubtful:
        if column == "value" and "value" in sheet.read and named[squeezed(text)].reading == "map":
            yield from sheet.tell_rows("rate_beside", place, text, partial(_differs, sheet))


def _differs(sheet: Sheet, row: Sequence[str], cell: str) -> bool:
    value = sheet.cell(row, "value")
    numbers = NUMBER.fullmatch(cell) and NUMBER.fullmatch(value)
    return bool(numbers) and cell.strip("+%$ ") != value.strip("+%$ ")


def two_lines(sheet: Sheet) -> Iterator[Problem]:
    """A line right below the header that names columns too, and names them otherwise."""
    match, below = sheet.match, sheet.rows[0]
    if match.data[0] != match.header_row or any(sheet.cell(below, name) for name in match.layout.required):
        return
    columns = {place: column for column, place in sheet.read.items()}
    named = near_names()[match.table]
    own = {squeezed(column): column for column in match.layout.columns}
    for place, text in enumerate(map(one_line, below)):
        if WORDS.search(text) and not SUPPRESSED.fullmatch(text.lower()):
            near = named.get(squeezed(text))
            means = own.get(squeezed(text)) or (near.column if near and near.reading == "map" else None)
            above = sheet.header[place] if place < len(sheet.header) else ""
            column = columns.get(place)
            other = means not in (None, column) or (column in VALUE_CELLS and CALLED_OTHERWISE.fullmatch(text.lower()))
            if other or not above.strip():
                yield sheet.tell("header_of_two_lines", excerpt(text))
                return


def _of_numbers(sheet: Sheet, place: int, text: str) -> bool:
    if set(snake_name(text).split("_")) & NAMES_ONLY:
        return False
    cells = sheet.filled(place)
    return bool(cells) and all(NUMBER.fullmatch(cell) for _, cell in cells)
