"""Decisions beside withheld verdicts (RULES 8.5): what requirements count is null, what decisions imply is counted.

Belongs here: which requirements count a withheld verdict, their public rows, the count for the certificate.
Does not: decide anything (analysis/rubric), or withhold verdicts (lib/disclosure/derived.py).
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from dagster_project.lib.base.names import WITHHELD
from dagster_project.lib.disclosure.words import ALL

PLACE = ["community_id", "reporting_year"]
# What a measure of designation_requirements.csv counts, of the tables of verdicts.
TREND_MEASURES = ("core_indicator_trends", "outcome_trends", "adjacent_trends")
GAP_MEASURES = ("outcome_gaps",)
# Everything of a requirement that tells how many verdicts went which way; the status is the network's decision.
COUNTED = ("actual", "actual_now", "n_undetermined", "reason")
MET, NOT_MET = "met", "not_met"


def public_requirements(requirements: pl.DataFrame, outcomes: pl.DataFrame, hidden: pl.DataFrame) -> pl.DataFrame:
    """fct_designation_requirement with COUNTED null where a verdict that the requirement counts is withheld.

    outcomes: fct_outcome_status as published. hidden: community_id, indicator_id, reporting_year, trend, gap, as
    `Derived.withheld_verdicts`. A requirement on trends is taken to count every trend of its community and year.
    """
    marked = _marked(requirements, outcomes, hidden)
    return marked.with_columns(
        pl.when("is_hidden").then(None).otherwise(pl.col(name)).alias(name)
        for name in COUNTED
        if name in requirements.columns
    ).select(requirements.columns)


def _marked(requirements: pl.DataFrame, outcomes: pl.DataFrame, hidden: pl.DataFrame) -> pl.DataFrame:
    by_trend = _places(outcomes.filter(pl.col("trend_status") == WITHHELD), hidden.filter("trend"), "trend_hidden")
    by_gap = _places(outcomes.filter(pl.col("gap_reduced") == WITHHELD), hidden.filter("gap"), "gap_hidden")
    rows = requirements.join(by_trend, on=PLACE, how="left", maintain_order="left")
    rows = rows.join(by_gap, on=PLACE, how="left", maintain_order="left")
    trend = pl.col("measure").is_in(TREND_MEASURES) & pl.col("trend_hidden").fill_null(False)
    gap = pl.col("measure").is_in(GAP_MEASURES) & pl.col("gap_hidden").fill_null(False)
    return rows.with_columns((trend | gap).alias("is_hidden"))


def _places(outcomes: pl.DataFrame, hidden: pl.DataFrame, name: str) -> pl.DataFrame:
    places = pl.concat([outcomes.select(PLACE), hidden.select(PLACE)]).unique()
    return places.with_columns(pl.lit(True).alias(name))


def implied_verdicts(
    requirements: pl.DataFrame,
    outcomes: pl.DataFrame,
    trends: pl.DataFrame,
    core: Mapping[tuple[str, int], frozenset[str]],
    predicates: Mapping[str, frozenset[str]],
) -> int:
    """How many withheld verdicts the published decisions fix: all of a requirement's are good ones, or none is.

    requirements: fct_designation_requirement (required, status, measure, requirement_id). outcomes, trends: as
    published. core: core indicators by community and reporting year. predicates: good statuses by requirement_id.
    Requirements met because of `good` verdicts that are all needed fix every withheld one; so do missed ones that
    one more good verdict would have met. Each withheld verdict of a place counts once a requirement.
    """
    own = (pl.col("geography_id") == pl.col("community_id")) & (pl.col("population_group_id") == ALL)
    by_outcome = _statuses(outcomes)
    by_indicator: dict[tuple[str, int], dict[str, str | None]] = {}
    for community, year, indicator, status in (
        trends.filter(own).select(*PLACE, "indicator_id", "trend_status").iter_rows()
    ):
        by_indicator.setdefault((community, year), {})[indicator] = status
    implied = 0
    for row in requirements.iter_rows(named=True):
        place, good = (row["community_id"], row["reporting_year"]), predicates.get(row["requirement_id"], frozenset())
        required, measure = row["required"], row["measure"]
        if required is None or row["status"] not in (MET, NOT_MET):
            continue
        if measure == "core_indicator_trends":
            known = by_indicator.get(place, {})
            statuses = [known.get(name) for name in sorted(core.get(place, frozenset()))]
        elif measure in ("outcome_trends", *GAP_MEASURES):
            statuses = by_outcome.get(place, {}).get("gap" if measure in GAP_MEASURES else "trend", [])
        else:
            continue
        implied += _fixed(statuses, good, float(required), row["status"] == MET)
    return implied


def _statuses(outcomes: pl.DataFrame) -> dict[tuple[str, int], dict[str, list[str | None]]]:
    found: dict[tuple[str, int], dict[str, list[str | None]]] = {}
    for community, year, trend, gap in outcomes.select(*PLACE, "trend_status", "gap_reduced").iter_rows():
        place = found.setdefault((community, year), {"trend": [], "gap": []})
        place["trend"].append(trend)
        place["gap"].append(gap)
    return found


def _fixed(statuses: list[str | None], good: frozenset[str], required: float, is_met: bool) -> int:
    """Withheld verdicts that the decision leaves no choice: all of them, or none."""
    withheld = sum(status == WITHHELD for status in statuses)
    shown = sum(status in good for status in statuses)
    if required < 1:  # a share of the members
        required *= len(statuses)
    missing = required - shown
    all_good = is_met and withheld > 0 and missing > withheld - 1
    none_good = not is_met and withheld > 0 and 0 < missing <= 1
    return withheld if all_good or none_good else 0
