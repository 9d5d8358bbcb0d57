"""What the data team decides: answers to shared causes and reviews of answers, as lines in the network's own folder.

Belongs here: which decisions a worklist allows, and writing one of them into the drop bucket.
Does not: what waits (worklist.py), commands (cli/worklist.py), pages (dagster_project/web).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from dagster_project.lib.base.names import NETWORK_FOLDER
from dagster_project.lib.base.store import Store
from dagster_project.lib.member.page import tables, views
from dagster_project.lib.monitoring.worklist import Worklist

ACCEPTED, REJECTED = "accepted", "rejected"
NOT_OPEN = "This question is not open any more."
NO_ANSWER = "This answer does not wait for a review any more."
NO_TEXT = "Please say in a few words why the values are right."
NO_REASON = "Please say why the answer is rejected: the member reads it."
UNKNOWN_REASON = "Please choose one of the listed kinds of reasons."
UNKNOWN_DECISION = "Please accept or reject the answer."
OTHER_TABLE = "{name} in the network's folder cannot be completed. Move that file away, then repeat this."
BUSY = "Others are writing at the same time. Please try again."


class DecisionError(ValueError):
    """A decision that is not taken: `words` as the page's catalogues have them, and what fills their places."""

    def __init__(self, words: str, **given: str) -> None:
        super().__init__(words.format_map(given))
        self.words, self.given = words, given


def answer(drop: Store, work: Worklist, finding_id: str, text: str, reason: str) -> str:
    """Answer a shared cause once for all folders that share it; the path that was written. DecisionError."""
    year = _year(work.shared, finding_id, NOT_OPEN)
    if reason and reason not in views.reasons():
        raise DecisionError(UNKNOWN_REASON)
    if not tables.one_line(text):
        raise DecisionError(NO_TEXT)
    row = {"finding_id": finding_id, "text": text, "reason": reason}
    return _write(drop, year, tables.ANSWERS_FILE, tables.ANSWER_COLUMNS, tables.ANSWER_KEY, row)


def review(
    drop: Store, work: Worklist, finding_id: str, decision: str, reason: str, approver: str, today: dt.date
) -> str:
    """Accept or reject a member's answer, for which a rejection says why; the path that was written. DecisionError."""
    year = _year(work.answers, finding_id, NO_ANSWER)
    if decision not in (ACCEPTED, REJECTED):
        raise DecisionError(UNKNOWN_DECISION)
    if decision == REJECTED and not tables.one_line(reason):
        raise DecisionError(NO_REASON)
    row = {"finding_id": finding_id, "decision": decision, "decided_on": today.isoformat(),
           "approver": approver, "reason": reason}  # fmt: skip
    return _write(drop, year, tables.DECISIONS_FILE, tables.DECISION_COLUMNS, tables.DECISION_KEY, row)


def decided(drop: Store, years: Iterable[int]) -> dict[str, dict[str, str]]:
    """Answers and reviews of these years that lie in the network's folder, by finding; the latest day of a finding.

    The next run takes them; until then a worklist still lists their findings.
    """
    found: dict[str, dict[str, str]] = {}
    for year in sorted(set(years)):
        for name, columns, key in (
            (tables.ANSWERS_FILE, tables.ANSWER_COLUMNS, tables.ANSWER_KEY),
            (tables.DECISIONS_FILE, tables.DECISION_COLUMNS, tables.DECISION_KEY),
        ):
            try:
                rows = tables.rows_of(drop.get_or_none(_place(year, name)), columns, key)
            except tables.NoTableError:
                continue  # told when something is to be written into it
            found |= {row["finding_id"]: row for _, row in sorted(rows.items())}
    return found


def _year(rows: Sequence[Mapping[str, Any]], finding_id: str, otherwise: str) -> int:
    years = [int(row["reporting_year"]) for row in rows if row["finding_id"] == finding_id]
    if not years:
        raise DecisionError(otherwise)
    return years[0]


def _place(year: int, name: str) -> str:
    return f"{NETWORK_FOLDER}/{year}/{name}"


def _write(
    drop: Store, year: int, name: str, columns: Sequence[str], key: Sequence[str], row: Mapping[str, str]
) -> str:
    place = _place(year, name)
    try:
        tables.add_row(drop, place, columns, key, row)
    except tables.NoTableError:
        raise DecisionError(OTHER_TABLE, name=name) from None
    except tables.BusyError:
        raise DecisionError(BUSY) from None
    return place
