"""The words that pages use for a status, with their meaning, from the dictionary of the release.

Belongs here: which vocabularies a reader of the report meets, under which heading, in which order.
Does not: word anything itself: labels and meanings are those of dim_status.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dagster_project.lib.publish.report.arranging import Row
from dagster_project.lib.publish.report.languages.catalogue import N_, _

_HEADINGS: Mapping[str, str] = {
    "trend_status": N_("Trends"),
    "gap_status": N_("Gaps between groups"),
    "gap_verdict": N_("Gaps of an outcome"),
    "target_status": N_("Targets"),
    "submission_status": N_("Submissions"),
    "designation_status": N_("Designations"),
    "designation_standing": N_("Standing of a designation"),
    "value_status": N_("Values"),
    "trend_reason": N_("Why a trend cannot be determined"),
}


def vocabularies(statuses: Sequence[Row], public: bool) -> list[tuple[str, str, list[Row]]]:
    """Each vocabulary by its heading, in English for its address and as it is said, in the order of the pages.

    Words that only the public edition has stay there.
    """
    result = []
    for domain, heading in _HEADINGS.items():
        rows = [r for r in statuses if r["domain"] == domain and (public or not r["public_only"])]
        if rows:
            result.append((heading, _(heading), sorted(rows, key=lambda r: (r["order_no"], r["status"]))))
    return result
