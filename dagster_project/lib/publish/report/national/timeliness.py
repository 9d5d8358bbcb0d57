"""Who submitted what and when: due dates, the four measures of quality side by side, years in words.

Belongs here: the tables of data-quality.html on submissions, by year and by community.
Does not: findings (quality.py), add measures up to a score, or order communities by one.
"""

from __future__ import annotations

from collections.abc import Sequence

from dagster_project.lib.publish.report import words
from dagster_project.lib.publish.report.arranging import Row, rank
from dagster_project.lib.publish.report.languages.catalogue import _

MEASURES = ("timeliness", "completeness", "validity", "consistency")


def by_year(submissions: Sequence[Row], years: Sequence[int]) -> list[Row]:
    """For each year its due date and how many have each status; those of whom nothing is expected left out.

    submissions: of the members of each year, as every count of the network.
    """
    codes = sorted({r["status"] for r in submissions}, key=lambda s: (rank(words.SUBMISSION_ORDER, s), s))
    shown = [code for code in codes if code != "not_expected"]
    result = []
    for year in years:
        own = [r for r in submissions if r["reporting_year"] == year]
        due = sorted({r["due_on"] for r in own if r.get("due_on") is not None})
        counts = [(code, sum(r["status"] == code for r in own)) for code in shown]
        result.append({"year": year, "due_on": due[0] if due else None, "counts": counts})
    return result


def measures(row: Row | None, known: Sequence[str]) -> list[tuple[str, float | None]]:
    """The measures of a submission that the edition has, by name; None where its status has none."""
    return [(name, row.get(name) if row else None) for name in known]


def years_in_words(rows: Sequence[Row]) -> str:
    """A community's years as one line: `2015–2018 accepted, 2019 late, 2020–2026 accepted with queries`."""
    runs: list[tuple[int, int, str]] = []
    for row in sorted(rows, key=lambda r: int(r["reporting_year"])):
        year, status = int(row["reporting_year"]), str(row["status"])
        if runs and runs[-1][2] == status and runs[-1][1] == year - 1:
            runs[-1] = (runs[-1][0], year, status)
        elif status != "not_expected":
            runs.append((year, year, status))
    told = [
        _("%(years)s %(status)s", years=words.years_text(first, last), status=words.status_words(status).lower())
        for first, last, status in runs
    ]
    return ", ".join(told)
