"""States of releases: provisional, final or withdrawn, in a file beside them that only grows.

Belongs here: the form of states.csv, reading it, adding a line, what follows from its lines for one release.
Does not: which change of state is allowed and what it brings about (decisions.py), deleting anything (retention.py).
"""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Iterable
from dataclasses import astuple, dataclass, fields

from dagster_project.lib.base.store import Store

KEY = "states.csv"
PROVISIONAL, FINAL, WITHDRAWN = "provisional", "final", "withdrawn"
STATES = (PROVISIONAL, FINAL, WITHDRAWN)


class StatesError(ValueError):
    """A line of states.csv is not in its form; the message names the line, what was found and what is allowed."""


@dataclass(frozen=True)
class StateLine:
    """One line of the file: from this day (ISO) on the release is in this state."""

    release_id: str
    state: str
    at: str
    reason: str = ""


HEADER = tuple(field.name for field in fields(StateLine))


@dataclass(frozen=True)
class States:
    """All lines in the order in which they were added."""

    lines: tuple[StateLine, ...] = ()

    def of(self, release_id: str) -> StateLine | None:
        """The line that counts for a release, its last one; None where there is none, which means provisional."""
        return next((line for line in reversed(self.lines) if line.release_id == release_id), None)

    def state(self, release_id: str) -> str:
        """provisional, final or withdrawn."""
        line = self.of(release_id)
        return PROVISIONAL if line is None else line.state

    def withdrawn(self) -> list[StateLine]:
        """The lines of the releases that are withdrawn now, by id."""
        counting = {line.release_id: line for line in self.lines}
        return [line for _, line in sorted(counting.items()) if line.state == WITHDRAWN]

    def newest_first(self, release_ids: Iterable[str]) -> list[str]:
        """Releases by the day in their id, those of one day by when they were published last, the newest first."""
        published = {line.release_id: place for place, line in enumerate(self.lines) if line.state == PROVISIONAL}

        def age(release_id: str) -> tuple[str, int, str]:
            return release_id.rsplit("-", 1)[0], published.get(release_id, -1), release_id

        return sorted(release_ids, key=age, reverse=True)


def parse(text: str) -> States:
    """The lines of a states.csv; StatesError for one that is not in its form. People may add lines by hand."""
    rows = list(csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline="")))
    if not rows:
        return States()
    if tuple(rows[0]) != HEADER:
        raise StatesError(f"{KEY}, line 1: found {','.join(rows[0])}, expected the header {','.join(HEADER)}")
    return States(tuple(_line(number, row) for number, row in enumerate(rows[1:], 2) if row))


def _line(number: int, row: list[str]) -> StateLine:
    place = f"{KEY}, line {number}"
    if len(row) != len(HEADER):
        raise StatesError(f"{place}: found {len(row)} cells, expected {len(HEADER)} ({','.join(HEADER)})")
    line = StateLine(*(cell.strip() for cell in row))
    if not line.release_id:
        raise StatesError(f"{place}: column release_id is empty; it names a release")
    if line.state not in STATES:
        raise StatesError(f"{place}, column state: found {line.state!r}, allowed are {', '.join(STATES)}")
    try:
        dt.date.fromisoformat(line.at)
    except ValueError:
        raise StatesError(f"{place}, column at: found {line.at!r}, expected a date such as 2024-06-30") from None
    return line


def written(states: States) -> str:
    """The file of these lines; `parse` gives them back."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(HEADER)
    table.writerows(astuple(line) for line in states.lines)
    return text.getvalue()


def read_states(store: Store) -> States:
    """The states of the releases of a publish folder; none where no file is there yet."""
    try:
        return parse((store.get_or_none(KEY) or b"").decode())
    except UnicodeDecodeError:
        raise StatesError(f"{KEY} is not UTF-8 text; save it as CSV UTF-8") from None


def nothing_current(store: Store) -> str:
    """Why no release is current, in a few words: none was made yet, or those that were made are withdrawn."""
    if read_states(store).withdrawn():
        return f"every release at {store.url} is withdrawn; correct what was wrong, then make the next one"
    return f"nothing is published at {store.url} yet"


def add(store: Store, line: StateLine) -> States:
    """Add one line (spaces and line ends in the reason become single spaces). Only the holder of the home's lock adds.

    What stood before is kept byte for byte.
    """
    before = store.get_or_none(KEY) or written(States()).encode()
    clean = StateLine(line.release_id, line.state, line.at, " ".join(line.reason.split()))
    states = parse(before.decode())
    end = b"" if before.endswith(b"\n") else b"\n"
    store.put(KEY, before + end + written(States((clean,))).split("\n", 1)[1].encode())
    return States((*states.lines, clean))
