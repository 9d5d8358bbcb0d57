"""The receipt as a page: what counted, and for each problem where it is, what was found, is allowed, how to fix it.

Belongs here: arranging a receipt (DESIGN 3.6) for a member who is no programmer, and rendering it as one HTML file.
Does not: decide anything: statuses, messages and remedies come from the receipt; nothing in it is left out.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

import polars as pl
from jinja2 import Template

from dagster_project.lib.base.shown import visible
from dagster_project.lib.base.templates import environment
from dagster_project.lib.intake.findings import catalogue, rule_title
from dagster_project.lib.receipts.change_words import SHOWN_LINES, compared, sections, summary, value_rows

Finding = Mapping[str, Any]

_TEMPLATES = Path(__file__).parent / "templates"
# More findings of one rule in one file than this are folded away; they stay in the page.
_OPEN_UP_TO = 8
WHOLE_FILE, WHOLE_FOLDER = "whole file", "whole folder"

STATUS_WORDS: Mapping[str, str] = {
    "accepted": "Accepted",
    "accepted_with_queries": "Accepted, with something to mend or to answer",
    "rejected": "Rejected",
    "withdrawn": "Withdrawn",
}

# Heading, what it means for the member, and what to do; in the order in which a member should read them.
SEVERITIES: Mapping[str, tuple[str, str]] = {
    "fatal": (
        "Files and sheets that could not be taken",
        "Nothing of these files and sheets counts until they are corrected.",
    ),
    "error": ("Problems that keep rows out", "These rows were left out. All other rows of the same files count."),
    "explainable": (
        "Questions",
        "These rows count or wait for an answer. Please look at each value. If it is wrong, correct the file. If it is "
        "right, say so once in a table named explanations with the columns finding_id and text: the answer is kept "
        "for as long as the value stays the same.",
    ),
    "info": ("For your information", "Nothing needs to be done about these."),
}


@dataclass(frozen=True)
class FindingGroup:
    """Findings of one rule in one file; `allowed` and `remedy` are set where all of them share one text.

    `quoted`: what was found needs a column of its own, since the messages do not say it whole.
    """

    rule_id: str
    findings: Sequence[Finding]
    n_rows: int
    allowed: str | None
    remedy: str | None
    quoted: bool
    folded: bool


@cache
def _of_cells() -> frozenset[str]:
    """Rules about cells of a workbook, whatever table they stand in: their column is the letter of the sheet."""
    return frozenset(catalogue().rules.filter(pl.col("place") == "cell")["rule_id"])


def _cell(finding: Finding) -> str:
    """The cell of a workbook that the message names (`G34`), empty where it names a row."""
    row = finding.get("source_row")
    names = _place(finding, f", cell (?P<cell>[A-Z]{{1,3}}{row})", pattern=True)
    found = re.match(f"{names}: ", str(finding.get("message") or ""), re.DOTALL) if row is not None else None
    return found["cell"] if found else ""


def _place(finding: Finding, row: str, pattern: bool = False) -> str:
    def text(name: str, before: str) -> str:
        value = finding.get(name)
        said = "" if value in (None, "") else f"{before}{value}"
        return re.escape(said) if pattern else said

    return text("source_file", "File ") + text("source_sheet", ", sheet ") + row + text("source_column", ", column ")


def place_prefix(finding: Finding) -> str:
    """The place that begins a finding's message (`File a.csv, row 3: `), the same words as the catalogue's messages."""
    cell, row = _cell(finding), finding.get("source_row")
    place = _place(finding, f", cell {cell}" if cell else "" if row is None else f", row {row}")
    return f"{place}: " if place else ""


def what(finding: Finding) -> str:
    """The message without its place, which stands in a column of its own."""
    return visible(str(finding.get("message") or "").removeprefix(place_prefix(finding)))


def place_in_file(finding: Finding) -> dict[str, str]:
    """Sheet, row or cell, and column, as far as the finding names them."""
    place = {"source_sheet": "sheet", "source_row": "row", "source_column": "column"}
    if cell := _cell(finding):
        finding, place = {**finding, "source_row": cell}, {**place, "source_row": "cell"}
    elif finding.get("rule_id") in _of_cells() and finding.get("source_row") is not None:
        cell = f"{finding['source_column']}{finding['source_row']}"
        finding, place = {**finding, "source_row": cell, "source_column": None}, {**place, "source_row": "cell"}
    return {word: visible(finding.get(name)) for name, word in place.items() if finding.get(name) not in (None, "")}


def where(finding: Finding) -> str:
    """Sheet, row or cell, and column in words."""
    return ", ".join(place_words(finding))


def place_words(finding: Finding) -> list[str]:
    """Sheet, row or cell, and column, a word each; the whole file where the finding names none, or the whole folder."""
    words = [f"{word} {name}" for word, name in place_in_file(finding).items()]
    return words or [WHOLE_FILE if finding.get("source_file") else WHOLE_FOLDER]


def _common(findings: Iterable[Finding], name: str) -> str | None:
    texts = {finding.get(name) for finding in findings}
    only = texts.pop() if len(texts) == 1 else None
    return str(only) if only else None


def _groups(findings: Iterable[Finding]) -> list[FindingGroup]:
    by_rule: dict[str, list[Finding]] = defaultdict(list)
    for finding in findings:
        by_rule[str(finding["rule_id"])].append(finding)
    return [
        FindingGroup(
            rule_id=rule,
            findings=rows,
            n_rows=sum(row.get("n_rows") or 1 for row in rows),
            allowed=_common(rows, "allowed"),
            remedy=_common(rows, "remedy"),
            quoted=any(visible(row.get("found")) not in what(row) for row in rows),
            folded=len(rows) > _OPEN_UP_TO,
        )
        for rule, rows in sorted(by_rule.items())
    ]


def _order(finding: Finding) -> tuple[str, int, str, str]:
    texts = (str(finding.get(name) or "") for name in ("source_column", "finding_id"))
    return (str(finding.get("source_sheet") or ""), finding.get("source_row") or 0, *texts)  # type: ignore[return-value]


def finding_sections(findings: Sequence[Finding]) -> list[dict[str, Any]]:
    """Findings by severity, then file, then rule; a severity without words of its own comes last."""
    order = [*SEVERITIES, *sorted({str(f["severity"]) for f in findings} - set(SEVERITIES))]
    sections = []
    for severity in order:
        own = [f for f in findings if f["severity"] == severity]
        if own:
            heading, meaning = SEVERITIES.get(severity, (severity.replace("_", " ").capitalize(), ""))
            files: dict[str, list[Finding]] = defaultdict(list)
            for finding in sorted(own, key=_order):
                files[str(finding.get("source_file") or "")].append(finding)
            blocks = [{"name": name, "groups": _groups(rows)} for name, rows in sorted(files.items())]
            sections.append({"code": severity, "heading": heading, "meaning": meaning, "n": len(own), "files": blocks})
    return sections


def _effects(changes: Mapping[str, Any]) -> dict[str, Any]:
    """What the submission changed: sentences, the first changed values and how many more, lines by heading."""
    rows = value_rows(changes)
    return {
        "summary": summary(changes),
        "compared": compared(changes),
        "values": rows[:SHOWN_LINES],
        "more_values": max(len(rows) - SHOWN_LINES, 0),
        "sections": sections(changes),
    }


@cache
def _template() -> Template:
    pages = environment(
        _TEMPLATES,
        what=what,
        where=where,
        count=lambda n: "–" if n is None else f"{n:,d}",
        rule_title=rule_title,
        link=quote,
        title_of=lambda code: str(code).replace("_", " ").capitalize(),
        status_words=lambda code: STATUS_WORDS.get(code, str(code).replace("_", " ").capitalize()),
    )
    return pages.get_template("receipt.html")


def render_receipt(receipt: Mapping[str, Any], copies: bool = True) -> str:
    """The receipt as one self-contained HTML page, the same text for the same receipt. `copies`: they lie beside it.

    `receipt` is the content of receipt.json: community_id, reporting_year, submission_id, status, first_line, files and
    findings, and as far as they are known changes; further keys are ignored. All text of the member is escaped. Raises
    KeyError when one of the others is missing.
    """
    findings, changes = receipt["findings"], receipt.get("changes")
    blocking = sum(f["severity"] in ("fatal", "error") for f in findings)
    questions = sum(f["severity"] == "explainable" and f.get("status") == "open" for f in findings)
    return _template().render(
        receipt=receipt,
        copies={f["name"]: f.get("marked_copy") for f in receipt["files"] if copies and f.get("marked_copy")},
        files=sorted(receipt["files"], key=lambda f: str(f["name"])),
        totals={
            name: sum(f.get(name) or 0 for f in receipt["files"])
            for name in ("rows_read", "rows_accepted", "rows_rejected", "rows_waiting")
        },
        blocking=blocking,
        questions=questions,
        sections=finding_sections(findings),
        effects=changes and _effects(changes),
    )
