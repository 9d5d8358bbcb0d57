"""The words that pages use for a status, with their meaning, from the dictionary of the release.

Belongs here: which vocabularies a reader of the report meets, under which heading, in which order.
Does not: word anything itself: labels and meanings are those of dim_status.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dagster_project.lib.publish.report.arranging import Row

_HEADINGS: Mapping[str, str] = {
    "trend_status": "Trends",
    "gap_status": "Gaps between groups",
    "gap_verdict": "Gaps of an outcome",
    "target_status": "Targets",
    "submission_status": "Submissions",
    "designation_status": "Designations",
    "designation_standing": "Standing of a designation",
    "value_status": "Values",
    "trend_reason": "Why a trend cannot be determined",
}


def vocabularies(statuses: Sequence[Row], public: bool) -> list[tuple[str, list[Row]]]:
    """Each vocabulary by its heading, in the order of the pages; words that only the public edition has stay there."""
    result = []
    for domain, heading in _HEADINGS.items():
        rows = [r for r in statuses if r["domain"] == domain and (public or not r["public_only"])]
        if rows:
            result.append((heading, sorted(rows, key=lambda r: (r["order_no"], r["status"]))))
    return result
