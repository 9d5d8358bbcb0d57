"""The page of data quality: who has submitted what, and findings counted by rule.

Belongs here: the status of every community and year, findings by severity and rule, the network's own findings.
Does not: check anything, add measures up to a score, or name people.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from urllib.parse import quote

from dagster_project.lib.publish.report import words
from dagster_project.lib.publish.report.arranging import Row, page_name, rank
from dagster_project.lib.publish.report.marts import Marts

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
    """What data-quality.html shows: the status of every community and year, findings by rule, network findings."""
    years = sorted({r["reporting_year"] for r in marts.submissions})
    cells = {(r["community_id"], r["reporting_year"]): r for r in marts.submissions}
    return {
        "years": years,
        "matrix": [
            {
                "community": c,
                "href": quote(page_name(c["community_id"])),
                "cells": [cells.get((c["community_id"], y)) for y in years],
            }
            for c in marts.communities
        ],
        "totals": [
            (status, [sum(r["status"] == status for r in marts.submissions if r["reporting_year"] == y) for y in years])
            for status in sorted(
                {r["status"] for r in marts.submissions}, key=lambda s: (rank(words.SUBMISSION_ORDER, s), s)
            )
        ],
        "findings": findings_by_rule(f for f in marts.findings if f["community_id"] is not None),
        "network_findings": [f for f in marts.findings if f["community_id"] is None],
    }
