"""Records of a delimited text in which a quotation mark stands where none can.

Belongs here: reading such a text record by record, the record that is wrong costing its own line and no other.
Does not: texts whose marks are right (delimited.py reads them faster), decoding, the choice of the delimiter.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass

from dagster_project.lib.intake.reading.grid import Problem, excerpt, problem
from dagster_project.lib.intake.reading.limits import Limits

MOST_LINES = 200
"""A cell with more lines than this is no cell: its mark is never closed."""


@dataclass(frozen=True, slots=True)
class Split:
    """Records of a text, and what was wrong with some of them."""

    rows: list[list[str]]
    problems: list[Problem]


def split_broken(text: str, delimiter: str, limits: Limits) -> Split | Problem:
    """All records; one whose marks are wrong is its first line, cut at every delimiter, with a problem of its row.

    A Problem where a mark is never closed, since then nothing says which lines its cell holds, or a cell is too long.
    """
    lines = io.StringIO(text, newline="").readlines()
    rows: list[list[str]] = []
    told: list[Problem] = []
    at = 0
    while at < len(lines) and len(rows) <= limits.rows:
        record, taken = _record(lines, at, delimiter)
        if isinstance(record, str):
            row = len(rows) + 1
            if record == UNCLOSED:
                what = f"the record that begins in line {at + 1:,} and runs on to line {at + taken:,}"
                return problem("unclosed_quote", rows=[row], found=what)
            if record == TOO_LONG:
                found = f"a cell of more than {csv.field_size_limit():,} characters"
                return problem("too_large", rows=[row], found=found, allowed=f"{limits.cell_characters:,} characters")
            told.append(problem("bad_quote", rows=[row], found=record))
            record = [cell.strip() for cell in lines[at].rstrip("\r\n").split(delimiter)]
        rows.append(record)
        at += taken
    return Split(rows, told)


UNCLOSED, TOO_LONG = "unclosed", "too long"


def _record(lines: list[str], first: int, delimiter: str) -> tuple[list[str] | str, int]:
    """One record and its number of lines; in place of the record what is wrong with it."""
    for taken in range(1, len(lines) - first + 1):
        piece = "".join(lines[first : first + taken])
        wrong = _wrong(piece, delimiter)
        if wrong is None:
            try:
                record = next(csv.reader([piece], delimiter=delimiter, strict=True, skipinitialspace=True), [])
            except csv.Error:
                return TOO_LONG, taken
            return record, taken
        if wrong != UNCLOSED:
            return wrong, 1
        if taken >= MOST_LINES:
            return UNCLOSED, taken
    return UNCLOSED, len(lines) - first


def _wrong(piece: str, delimiter: str) -> str | None:
    """What is wrong with the marks of one record: nothing, not closed yet, or in words."""
    at, cell = 0, 1
    body = piece.rstrip("\r\n")
    while at <= len(body):
        while at < len(body) and body[at] == " ":
            at += 1
        if at < len(body) and body[at] == '"':
            end = _closing(body, at + 1)
            if end is None:
                return UNCLOSED
            rest = body[end + 1 :]
            if rest and not rest.startswith(delimiter):
                inside = excerpt(body[at : end + 1])
                behind = excerpt(rest.partition(delimiter)[0])
                return f"In cell {cell} a quotation mark closes after {inside} and {behind} stands behind it."
            at = end + 1
        else:
            following = body.find(delimiter, at)
            at = len(body) if following < 0 else following
        if at >= len(body):
            return None
        at, cell = at + 1, cell + 1
    return None


def _closing(body: str, at: int) -> int | None:
    """Where a cell's closing mark stands, doubled ones passed over; None where it does not close."""
    while True:
        end = body.find('"', at)
        if end < 0:
            return None
        if body[end + 1 : end + 2] != '"':
            return end
        at = end + 2
