"""Small tables in the drop bucket that a form or a command completes line by line: answers and decisions on them.

Belongs here: a table as bytes of CSV, one more line in it, and writing it so that no other line is lost.
Does not: which questions are open (views.py, monitoring/worklist.py), or reading tables for a release (intake).
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence

from dagster_project.lib.base.store import Store

ANSWERS_FILE = "answers-from-the-page.csv"
ANSWER_COLUMNS, ANSWER_KEY = ("finding_id", "text", "reason"), ("finding_id",)
DECISIONS_FILE = "decisions-on-answers.csv"
DECISION_COLUMNS = ("finding_id", "decision", "decided_on", "approver", "reason")
DECISION_KEY = ("finding_id", "decided_on")
TRIES = 20
Row = Mapping[str, str]


class NoTableError(ValueError):
    """Bytes that are not the table they should be."""


class BusyError(RuntimeError):
    """Others wrote the same table each time that it was tried."""


def one_line(text: str) -> str:
    """A text of a form as one line without signs that print nothing."""
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())


def as_table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    """A table as bytes of CSV."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return out.getvalue().encode()


def rows_of(table: bytes | None, columns: Sequence[str], key: Sequence[str]) -> dict[tuple[str, ...], dict[str, str]]:
    """The lines of a table by key, the last of a key; NoTableError for bytes with other columns."""
    if table is None:
        return {}
    try:
        lines = csv.DictReader(io.StringIO(table.decode("utf-8-sig"), newline=""), strict=True)
        rows = [{name: str(line.get(name) or "") for name in columns} for line in lines]
    except (UnicodeDecodeError, csv.Error) as error:
        raise NoTableError from error
    if not set(key) <= set(lines.fieldnames or key) <= set(columns):
        raise NoTableError
    return {tuple(row[name] for name in key): row for row in rows}


def with_row(before: bytes | None, columns: Sequence[str], key: Sequence[str], row: Row) -> bytes:
    """A table with one more line, or with another line in place of the one of its key; NoTableError as of `rows_of`."""
    lines = rows_of(before, columns, key)
    lines[tuple(row[name] for name in key)] = {name: one_line(row.get(name, "")) for name in columns}
    return as_table(columns, ([lines[each][name] for name in columns] for each in sorted(lines)))


def add_row(drop: Store, place: str, columns: Sequence[str], key: Sequence[str], row: Row) -> None:
    """Write a line into a table of the bucket; lines that others write at the same time are kept.

    NoTableError where something else lies there, BusyError where others were faster each time.
    """
    for _ in range(TRIES):
        listed = drop.listed(place)
        table = with_row(drop.get_or_none(place) if listed else None, columns, key, row)
        if drop.replace(place, table, listed.etag) if listed else drop.create(place, table):
            return
    raise BusyError(place)
