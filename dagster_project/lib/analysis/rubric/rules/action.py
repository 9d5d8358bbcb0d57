"""Rules of the pillar collaborative action.

Belongs here: targets, sub-annual observation, revisions of indicators.
Does not: whether a target was reached (figures/targets), rules that other pillars use too (common).
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from dagster_project.lib.analysis.rubric.context import FactContext
from dagster_project.lib.analysis.rubric.registers import AT, plain
from dagster_project.lib.analysis.rubric.rules.common import arguments, count, filled, whole


def distinct_values(context: FactContext, row: Mapping[str, str]) -> pl.DataFrame:
    """Distinct values of one column of text, however they are written."""
    rows = context.known[row["register"]].filter(filled(row["argument"]))
    return count(rows, plain(row["argument"]).n_unique(), f"different values of {row['argument']}")


def target_horizons(context: FactContext, row: Mapping[str, str]) -> pl.DataFrame:
    """Targets with a deadline in every horizon; n is the smallest count."""
    horizons = arguments(row)
    rows = context.known["targets"].filter(pl.col("deadline").is_not_null())
    counts = rows.group_by(AT, maintain_order=True).agg(
        (pl.col("horizon") == name).sum().cast(pl.Float64).alias(name) for name in horizons
    )
    words = " and ".join(f"{{}} {name}-term" for name in horizons) + " targets with a deadline"
    text = pl.format(words, *[whole(pl.col(name)) for name in horizons])
    return counts.select(*AT, pl.min_horizontal(horizons).alias("n"), text.alias("evidence"))


def subannual(context: FactContext, row: Mapping[str, str]) -> pl.DataFrame:
    """Indicators of a role that are observed by quarter or month."""
    rows = context.selection.filter(pl.col("role") == row["argument"])
    rows = rows.select(*AT, "indicator_id").unique().join(context.subannual, on=["community_id", "indicator_id"])
    rows = rows.filter(pl.col("submitted_in") <= pl.col("reporting_year"))
    return count(rows, pl.len(), f"{row['argument']} indicators observed by quarter or month")


def _revised(context: FactContext) -> pl.DataFrame:
    return context.selection.filter((pl.col("revised_on") <= pl.col("assessment_date")).fill_null(False))


def revisions(context: FactContext, row: Mapping[str, str]) -> pl.DataFrame:
    """Indicators with a dated revision."""
    return count(_revised(context), pl.len(), "indicators revised")


def revisions_explained(context: FactContext, row: Mapping[str, str]) -> pl.DataFrame:
    """Every dated revision states its reason."""
    revised = _revised(context).group_by(AT, maintain_order=True)
    counts = revised.agg(pl.len().alias("all"), filled("rationale").sum().alias("told"))
    text = pl.format("{} of {} revisions give a reason", "told", "all")
    return counts.select(*AT, (pl.col("told") == pl.col("all")).alias("passed"), text.alias("evidence"))
