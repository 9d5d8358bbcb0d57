"""The page of data quality: who has submitted what, and findings counted by rule.

Belongs here: the status of every community and year, findings by severity and rule, the network's own findings.
Does not: check anything, add measures up to a score, or name people.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from urllib.parse import quote

from dagster_project.lib.publish.report.arranging import Row, page_name, rank
from dagster_project.lib.publish.report.marts import Marts
from dagster_project.lib.publish.report.national import timeliness

_SEVERITIES = ("fatal", "error", "explainable", "info")


def findings_by_rule(findings: Iterable[Row]) -> list[Row]:
    """Findings counted by severity and rule, the most serious first; rows are counted where a finding says how many.

    The public edition has one row for several findings of a kind, n_findings of them.
    """
    grouped: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for finding in findings:
        grouped[(finding["severity"], finding["rule_id"])].append(finding)
    return [
        {
            "rule_id": rule,
            "severity": severity,
            "n": sum(r.get("n_findings", 1) for r in rows),
            "n_rows": sum(r.get("n_rows") or 1 for r in rows),
            "n_open": sum(r.get("n_findings", 1) for r in rows if r["status"] == "open"),
            "n_communities": len({r["community_id"] for r in rows if r["community_id"] is not None}),
            "example": rows[0]["message"],
        }
        for (severity, rule), rows in sorted(
            grouped.items(), key=lambda i: (rank(_SEVERITIES, i[0][0]), i[0][0], i[0][1])
        )
    ]


def quality_page(marts: Marts) -> Row:
    """What data-quality.html shows: submissions by year and community with their measures, findings by rule."""
    years = sorted({r["reporting_year"] for r in marts.submissions})
    own: dict[str, list[Row]] = defaultdict(list)
    for row in marts.submissions:
        own[row["community_id"]].append(row)
    current = [r for r in marts.submissions if r["reporting_year"] == marts.year]
    known = [name for name in timeliness.MEASURES if any(r.get(name) is not None for r in current)]
    return {
        "by_year": timeliness.by_year(marts.of_members(marts.submissions), years),
        "by_community": [_submitted(marts, c, own[c["community_id"]], known) for c in marts.communities],
        "measures": known,
        "findings": findings_by_rule(f for f in marts.findings if f["community_id"] is not None),
        "network_findings": [f for f in marts.findings if f["community_id"] is None],
    }


def _submitted(marts: Marts, community: Row, rows: list[Row], known: Sequence[str]) -> Row:
    """One community's line: its submission of the report's year with the measures, and all its years in words."""
    current = next((r for r in rows if r["reporting_year"] == marts.year), None)
    return {
        "community": community,
        "href": quote(page_name(community["community_id"])),
        "left_year": marts.left_year(community),
        "row": current,
        "measures": timeliness.measures(current, known),
        "years": timeliness.years_in_words(rows),
    }
