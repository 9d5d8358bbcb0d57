"""What the member's page prints, and the files that its forms become.

Belongs here: years, findings and questions in words; tables of answers and declarations as bytes of CSV.
Does not: judge anything (intake does), markup (dagster_project/web/templates).
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from dagster_project.lib.intake.bucket.grant import GrantError, upload_key
from dagster_project.lib.receipts.receipt_page import SEVERITIES, rule_title

ANSWERS_FILE = "answers-from-the-page.csv"
NOTHING_FILE = "nothing-to-report.csv"
OWN_FILES = (ANSWERS_FILE, NOTHING_FILE)
LONGEST_TEXT = 2000
PERSON_RULE = "person_level"
NO_RELEASE = "unknown"
YEAR_WORDS = {
    "accepted": "Accepted",
    "accepted_with_queries": "Accepted, with questions for you",
    "rejected": "Rejected: nothing of it counts",
    "late": "Late: nothing has come yet",
    "expected": "Expected",
    "waived": "Not needed this year",
    "not_expected": "Not expected",
    NO_RELEASE: "Not looked at yet",
}


def year_rows(years: Iterable[int], statuses: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """One row a reporting year, the newest first: status in words, day due, rows and open questions."""
    known = {row["reporting_year"]: row for row in statuses}
    rows = []
    for year in sorted(years, reverse=True):
        row = known.get(year, {})
        status = str(row.get("status") or NO_RELEASE)
        rows.append(
            {
                "year": year,
                "status": YEAR_WORDS.get(status, status.replace("_", " ").capitalize()),
                "due_on": row.get("due_on"),
                "rows_read": row.get("rows_read") or 0,
                "rows_accepted": row.get("rows_accepted") or 0,
                "questions": row.get("findings_open") or 0,
            }
        )
    return rows


def finding_sections(receipt: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Findings by severity in the order in which a member should read them, each with the title of its rule."""
    sections = []
    for severity, (heading, meaning) in SEVERITIES.items():
        own = [
            {**row, "title": rule_title(row["rule_id"])} for row in receipt["findings"] if row["severity"] == severity
        ]
        if own:
            sections.append({"heading": heading, "meaning": meaning, "findings": own})
    return sections


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
    """Why a file of that name is not taken, in words; None where it is."""
    try:
        upload_key(community_id, year, name)
    except GrantError as error:
        return str(error)
    if len(name.encode()) > 255:
        return "the file's name is too long; 255 bytes are the most"
    if name.startswith("."):
        return "the file's name begins with a point, which hides it; rename it"
    return None


def with_answer(before: bytes | None, finding_id: str, text: str) -> bytes:
    """The table of answers with one more, or with another text for a question that was answered before."""
    rows = csv.DictReader(io.StringIO(before.decode() if before else ""))
    answers = {row["finding_id"]: row["text"] for row in rows}
    answers[finding_id] = one_line(text)
    return _table(("finding_id", "text"), sorted(answers.items()))


def nothing_to_report(reason: str) -> bytes:
    """The declaration that a year has nothing to report."""
    return _table(("kind", "reason"), [("nothing_to_report", one_line(reason))])


def one_line(text: str) -> str:
    """A text of a form as one line without signs that print nothing."""
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    out = io.StringIO()
    table = csv.writer(out, lineterminator="\n")
    table.writerow(header)
    table.writerows(rows)
    return out.getvalue().encode()
