"""What the member's page prints, and the files that its forms become.

Belongs here: years, findings and questions in words; tables of answers and declarations as bytes of CSV.
Does not: judge anything (intake does), markup (dagster_project/web/templates).
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

import contracts
from dagster_project.lib.intake.bucket.grant import GrantError, upload_key
from dagster_project.lib.intake.findings import rule_title
from dagster_project.lib.member.page.tables import (
    ANSWER_COLUMNS,
    ANSWER_KEY,
    NoTableError,
    as_table,
    one_line,
    rows_of,
)
from dagster_project.lib.receipts.receipt_page import STATUS_WORDS, finding_sections

NOTHING_FILE = "nothing-to-report.csv"
LONGEST_TEXT, LONGEST_NAME = 2000, 255
PERSON_RULE = "person_level"
NO_RELEASE = "unknown"
ASKED = {
    "heading": "Questions",
    "meaning": "Please look at each value. If it is wrong, correct the file. If it is right, send the files: the page "
    "of the year asks you for the reason once the network has taken them.",
}
ANSWERED = {"heading": "Answered questions", "meaning": ""}
DONE = {
    "sent": "Your files were sent. The network's next run takes them; then their receipt stands here.",
    "withdrawn": "The file was taken back. The next receipt says what no longer counts.",
    "answered": "Your answer was sent. The next receipt shows it.",
    "nothing": "It was noted that you have nothing to report. The next receipt confirms it.",
    "discarded": "The files were deleted here and not sent.",
    "taken": "Your files were not all sent: while you looked, somebody changed the folder, so that what the checks "
    "said no longer holds. Nothing was overwritten. Please check your files again.",
    "changed": "The file was not taken back: somebody has replaced it since this page was opened. Look at it again.",
}
YEAR_WORDS = {
    **STATUS_WORDS,
    "rejected": "Rejected: nothing of it counts",
    "late": "Late: nothing has come yet",
    "expected": "Expected",
    "waived": "Not needed this year",
    "not_expected": "Not expected",
    NO_RELEASE: "Not looked at yet",
}

# Statuses of years in which nothing is to come, so that no day is due.
UNASKED = ("waived", "not_expected")


def year_rows(
    years: Iterable[int], statuses: Iterable[Mapping[str, Any]], left_year: int | None = None
) -> list[dict[str, Any]]:
    """One row a reporting year, the newest first: status in words, day due, rows, what is to mend, open questions.

    left_year: the last reporting year of a community that left; it stands in the rows of later years, due on no day.
    """
    known = {row["reporting_year"]: row for row in statuses}
    rows = []
    for year in sorted(years, reverse=True):
        row = known.get(year, {})
        status = str(row.get("status") or NO_RELEASE)
        has_left = left_year is not None and year > left_year
        rows.append(
            {
                "year": year,
                "status": YEAR_WORDS.get(status, status.replace("_", " ").capitalize()),
                "due_on": None if has_left or status in UNASKED else row.get("due_on"),
                "left_year": left_year if has_left else None,
                "rows_read": row.get("rows_read") or 0,
                "rows_accepted": row.get("rows_accepted") or 0,
                "to_mend": row.get("findings_blocking") or 0,
                "questions": row.get("findings_open") or 0,
            }
        )
    return rows


def told_sections(receipt: Mapping[str, Any], asking: bool = False) -> list[dict[str, Any]]:
    """Findings by severity, file and rule, as the receipt's own page has them.

    asking: open questions stand among the others, as before files are sent; else they have forms of their own
    (`open_questions`), and what is left of them is answered.
    """
    open_ids = set() if asking else {row["finding_id"] for row in open_questions(receipt)}
    sections = finding_sections([row for row in receipt["findings"] if row["finding_id"] not in open_ids])
    own = ASKED if asking else ANSWERED
    return [{**each, **own} if each["code"] == "explainable" else each for each in sections]


def open_questions(receipt: Mapping[str, Any] | None) -> list[dict[str, Any]]:
    """Questions of a receipt that wait for an answer."""
    findings = receipt["findings"] if receipt else []
    asked = [row for row in findings if row["severity"] == "explainable" and row["status"] == "open"]
    return [{**row, "title": rule_title(row["rule_id"])} for row in asked]


def persons_in(receipt: Mapping[str, Any], names: Iterable[str]) -> list[str]:
    """Those of the named files that list single persons, also where an archive holds the list."""
    told = [str(row["source_file"]) for row in receipt["findings"] if row["rule_id"] == PERSON_RULE]
    return [name for name in names if any(file == name or file.startswith(f"{name}/") for file in told)]


def refused_name(community_id: str, year: int, name: str) -> str | None:
    """Why a file of that name is not taken, in words with a place for the name; None where it is."""
    if name.startswith("."):
        return "{name}: a name that begins with a point hides the file. Rename it."
    try:
        upload_key(community_id, year, name)
    except GrantError:
        return "{name}: this is no name of a file. Use one such as values.csv, without folders, of at most 200 letters."
    if len(name.encode()) > LONGEST_NAME:
        return "{name}: the name is too long; 255 bytes are the most."
    return None


def answers_in(table: bytes | None) -> dict[str, dict[str, str]]:
    """The answers that a table of answers holds, by finding; none where it is no such table."""
    try:
        return {finding_id: row for (finding_id,), row in rows_of(table, ANSWER_COLUMNS, ANSWER_KEY).items()}
    except NoTableError:
        return {}


@cache
def reasons() -> dict[str, str]:
    """Kinds of reasons for an answer and their words."""
    with contracts.REASONS.open(encoding="utf-8", newline="") as lines:
        return {row["reason"]: row["words"] for row in csv.DictReader(lines)}


def nothing_to_report(reason: str) -> bytes:
    """The declaration that a year has nothing to report."""
    return as_table(("kind", "reason"), [("nothing_to_report", one_line(reason))])
