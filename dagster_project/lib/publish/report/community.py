"""One community's pages beside its indicators: outcomes, gateways, designations, submissions, findings, sources.

Belongs here: a community's own rows arranged for its pages, and what those pages share.
Does not: other communities' rows, figures of its own, one indicator (indicator.py), or looks (templates).
"""

from __future__ import annotations

from collections.abc import Mapping

from dagster_project.lib.analysis.vocabulary import FROZEN
from dagster_project.lib.publish.report import certainty, words
from dagster_project.lib.publish.report.arranging import GAP_ORDER, TOTAL, Row, headline, natural_key, rank, tally
from dagster_project.lib.publish.report.indicator import (
    SourceFiles,
    group_label,
    indicator_facts,
    indicator_view,
    point_state,
    reason_letters,
    value_states,
)
from dagster_project.lib.publish.report.languages.catalogue import N_, _
from dagster_project.lib.publish.report.marts import Marts, ReportContext
from dagster_project.lib.publish.report.quality import findings_by_rule
from dagster_project.lib.publish.report.sentences.trend import reason_words, trend_undetermined


def _rated_outcomes(marts: Marts, community_id: str) -> list[Row]:
    trends = marts.trends.get(community_id, [])
    return certainty.of_outcomes(marts.outcome_status.get(community_id, []), trends, marts.indicators)


def _outcome_rows(marts: Marts, context: ReportContext, community_id: str) -> list[Row]:
    rated = _rated_outcomes(marts, community_id)
    status = {r["outcome_id"]: r for r in rated}
    result = []
    for outcome in marts.outcomes:
        row = status.get(outcome["outcome_id"])
        if row is not None:
            indicator = marts.indicators.get(row["deciding_indicator_id"] or "")
            remark = _outcome_remark(marts, row, context.limits())
            result.append({"outcome": outcome, "status": row, "indicator": indicator, "remark": remark})
    return result


_VERDICTS = ("trend_status", "gap_reduced")
_WITHHELD = {
    ("trend_status",): N_("Trend withheld to protect a small group."),
    ("gap_reduced",): N_("Gaps withheld to protect a small group."),
    _VERDICTS: N_("Trend and gaps withheld to protect a small group."),
}


def _outcome_remark(marts: Marts, row: Row, limits: Mapping[str, str]) -> str:
    """Why an outcome's trend or gaps are undetermined, and which groups' gaps widened, where the mart says so."""
    hidden = tuple(column for column in _VERDICTS if row[column] == words.WITHHELD)
    parts = [_(_WITHHELD[hidden])] if hidden else []
    if (row["trend_status"] or words.UNDETERMINED) == words.UNDETERMINED:
        own = [
            p
            for p in marts.points.get(row["community_id"], [])
            if p.indicator_id == row["deciding_indicator_id"] and p.population_group_id == TOTAL
        ]
        parts.append(trend_undetermined(row["reason"], limits, value_states(own)))
    if row["gap_reduced"] == words.UNDETERMINED and row.get("gap_reason"):
        parts.append(_("Gaps cannot be determined because %(why)s.", why=reason_words(row["gap_reason"], limits)))
    if row.get("widened_groups"):
        groups = [group_label(marts, group) for group in str(row["widened_groups"]).split(",")]
        parts.append(_("Gaps widened for %(groups)s.", groups=words.joined(groups)))
    return " ".join(parts)


def _gateway_view(marts: Marts, community_id: str) -> Row:
    """Where the community operates, how each gateway stands, and every open criterion of the gateway it works in."""
    gateway = next(iter(marts.gateway_status.get(community_id, [])), None)
    stated = [
        {**marts.criteria[r["criterion_id"]], **r}
        for r in marts.criterion_status.get(community_id, [])
        if r["criterion_id"] in marts.criteria and r["status"] is not None
    ]
    stated = [r for r in stated if r["gateway"] is not None and r["pillar"] != "designation"]
    stated.sort(key=lambda r: (rank(words.GATEWAYS, r["gateway"]), natural_key(r["criterion_id"])))
    current = gateway["operating_in"] if gateway else None
    counts = [
        {"gateway": g, **dict(tally((r["status"] for r in stated if r["gateway"] == g), GAP_ORDER))}
        for g in dict.fromkeys(r["gateway"] for r in stated)
    ]
    missing = [r for r in stated if r["gateway"] == current and r["status"] != "met"]
    return {"status": gateway, "current": current, "counts": counts, "missing": missing}


def _designation_view(marts: Marts, community_id: str) -> list[Row]:
    result = []
    for row in marts.designations.get(community_id, []):
        requirements = [
            {**r, "label": _requirement_label(marts, row["designation"], r)}
            for r in marts.requirements.get(community_id, [])
            if r["designation"] == row["designation"]
        ]
        requirements.sort(key=lambda r: natural_key(r["requirement_id"]))
        result.append({"row": row, "requirements": requirements})
    return sorted(result, key=lambda d: (rank(words.DESIGNATIONS, d["row"]["designation"]), d["row"]["designation"]))


def _requirement_label(marts: Marts, designation: str, requirement: Row) -> str:
    if requirement.get("statement"):
        statement: str = requirement["statement"]
        return statement
    for key in (requirement["requirement_id"], f"{designation}.{requirement['requirement_id']}"):
        if key in marts.criteria:
            known: str = marts.criteria[key]["statement"]
            return known
    return _("Requirement %(name)s", name=words.humanized(requirement["requirement_id"]))


def _pooled_part(marts: Marts, row: Row) -> Row:
    """One district's row behind a value that was added up, in the words of the page."""
    indicator = marts.indicators.get(row["indicator_id"])
    named = {"indicator": indicator["name"] if indicator else row["indicator_id"]}
    return {**row, **named, "group": group_label(marts, row["population_group_id"])}


def community_page(marts: Marts, context: ReportContext, community: Row) -> Row:
    """What the pages of one community show: its own rows only."""
    ident = community["community_id"]
    points = marts.points.get(ident, [])
    files = SourceFiles(points)
    letters = reason_letters(points)
    outcomes = _rated_outcomes(marts, ident)
    submissions = [r for r in marts.submissions if r["community_id"] == ident and r["status"] != "not_expected"]
    of_year = [r for r in submissions if r["reporting_year"] == marts.year]
    findings = [f for f in marts.findings if f["community_id"] == ident]
    return {
        "community": community,
        "submissions": submissions,
        "submission": of_year[0] if of_year else None,
        "reviews": marts.reviews.get(ident, []),
        "improving": headline(outcomes, "trend_status", "improving"),
        "reduced": headline(outcomes, "gap_reduced", "met"),
        "improving_certainty": certainty.improving_sentence(certainty.counted(outcomes, "improving")),
        "left_year": marts.left_year(community),
        "joins_later": marts.joins_later(community),
        "outcomes": _outcome_rows(marts, context, ident),
        "indicators": [indicator_view(marts, context, f, files, letters) for f in indicator_facts(marts, ident)],
        "outcome_names": {o["outcome_id"]: o["name"] for o in marts.outcomes},
        "gateway": _gateway_view(marts, ident),
        "designations": _designation_view(marts, ident),
        "closed_by": next((r for r in marts.designations.get(ident, []) if r.get("record_state") == FROZEN), None),
        "findings": findings_by_rule(f for f in findings if f["reporting_year"] == marts.year),
        "open_findings": [f for f in findings if f["status"] == "open"],
        "files": files.listed(),
        "pooled_parts": [_pooled_part(marts, row) for row in marts.pooled_parts.get(ident, [])],
        "n_withheld": sum(point_state(p) == words.WITHHELD for p in points),
        "letters": [(letter, reason) for reason, letter in letters.items()],
        "sources": marts.sources.get(ident, []),
    }
