"""What a reader hands on: grids of text, and problems with a place.

Belongs here: Grid, Problem and FileRead, and small helpers on cell texts and column letters.
Does not: reading of any file format, or how a problem becomes a finding (issues.py).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache

from dagster_project.lib.intake.findings import catalogue

LONGEST_EXCERPT = 60
SPACES = re.compile(r"\s+")
NOT_NAME = re.compile(r"\W+")


@dataclass(frozen=True, slots=True)
class Problem:
    """A rule of the catalogue that fired while a file was read, with its place in the file.

    `row` counts records (or sheet rows) from 1 and `rows` lists all rows the problem speaks of, `row` being the first;
    both are empty for a problem of the whole file or sheet. `found` and `allowed` fill the catalogue's message.
    """

    rule_id: str
    severity: str
    sheet: str = ""
    row: int | None = None
    column: str | None = None
    found: str | None = None
    allowed: str | None = None
    detail: str | None = None
    rows: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Grid:
    """One sheet as text: `rows[i]` is source row i + 1, rows may differ in length; `sheet` is '' for a text file.

    `dates` are the cells that show a date or a time, as row and column counted from 0. `doubts` are cells that do not
    show the number they hold, or of which it cannot be told what they show: the rule that says so, and what is found.
    `merges` are merged cells, as top row, left column, bottom row and right column counted from 0; their value stands
    in the first cell alone.
    """

    sheet: str
    rows: list[list[str]]
    hidden: bool = False
    dates: frozenset[tuple[int, int]] = frozenset()
    doubts: Mapping[tuple[int, int], tuple[str, str]] = field(default_factory=dict)
    merges: tuple[tuple[int, int, int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class FileRead:
    """What reading a file gave: its grids, what was wrong, and in a few words how it was read."""

    sheets: list[Grid] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    reading: str = ""


@cache
def _severities() -> dict[str, str]:
    return catalogue().severities


def problem(
    rule_id: str,
    *,
    sheet: str = "",
    rows: Iterable[int] = (),
    column: str | None = None,
    found: str | None = None,
    allowed: str | None = None,
    detail: str | None = None,
) -> Problem:
    """A problem with the severity of the catalogue (KeyError for a rule it does not list)."""
    places = tuple(rows)
    first = places[0] if places else None
    return Problem(rule_id, _severities()[rule_id], sheet, first, column, found, allowed, detail, places)


def refused(rule_id: str, found: str | None = None, allowed: str | None = None, reading: str = "") -> FileRead:
    """The result for a file of which nothing is read."""
    return FileRead(problems=[problem(rule_id, found=found, allowed=allowed)], reading=reading)


def one_line(text: str) -> str:
    """A cell's text with all runs of white space, line breaks included, as one space."""
    return SPACES.sub(" ", text).strip()


def excerpt(text: str) -> str:
    """The beginning of a long text, for a message."""
    line = one_line(text)
    return line if len(line) <= LONGEST_EXCERPT else line[: LONGEST_EXCERPT - 1] + "…"


def snake_name(header: str) -> str:
    """A header as a column name: lower case, `%` read as pct, `#` as number, anything else but words as underscores.

    Headers that differ in case, spaces or punctuation only get the same name, so they are the same column.
    """
    words = header.replace("%", " pct ").replace("#", " number ").casefold()
    return NOT_NAME.sub("_", words).strip("_")


def column_letter(index: int) -> str:
    """The spreadsheet letter of a column counted from 0: 0 is A, 26 is AA."""
    letters = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


def column_index(letters: str) -> int:
    """The column counted from 0 of a spreadsheet letter: A is 0, AA is 26."""
    index = 0
    for letter in letters:
        index = index * 26 + ord(letter) - ord("A") + 1
    return index - 1
