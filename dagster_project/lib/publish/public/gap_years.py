"""Gaps year by year: fct_gap_year from fct_gap and fct_trend_point, where the release holds no such table itself.

Belongs here: the common years of a group and its reference group, and the gap in each of them.
Does not: which of them are published (lib/disclosure/derived.py), slopes or classes (analysis/figures/gap.py).
"""

from __future__ import annotations

import polars as pl

from dagster_project.lib.disclosure.points import POINT, ROW, VALID_LEFT_OUT


def gap_years(gap: pl.DataFrame, trend_point: pl.DataFrame, indicators: pl.DataFrame) -> pl.DataFrame:
    """One row a gap and school year in which both groups have a valid point of one series (RULES 4).

    indicators: indicator_id, direction. gap = direction * (reference - group), positive where the group is behind, null
    for indicators without direction. used: whether the year lies in the window that the gap was judged on.
    """
    valid = trend_point.filter(pl.col("used") | pl.col("left_out_reason").is_in(VALID_LEFT_OUT)).filter(
        pl.col("value").is_not_null()
    )
    theirs = valid.select(
        *(pl.col(name).alias("reference_group_id") if name == "population_group_id" else name for name in POINT),
        pl.col("value").alias("reference_value"),
    )
    windows = gap.select(
        *ROW,
        "reference_group_id",
        pl.col("series").alias("gap_series"),
        "first_year",
        "last_year",
        "group_slope",
        "ruleset_version",
    ).filter(pl.col("reference_group_id").is_not_null())
    on = ["reference_group_id" if name == "population_group_id" else name for name in POINT]
    rows = (
        windows.join(valid.select(*POINT, pl.col("value").alias("group_value")), on=ROW, how="inner")
        .join(theirs, on=on, how="inner")
        .join(indicators.select("indicator_id", "direction"), on="indicator_id", how="left")
    )
    direction = pl.when(pl.col("direction") != 0).then(pl.col("direction").cast(pl.Float64))
    within = (
        pl.col("group_slope").is_not_null()
        & (pl.col("series") == pl.col("gap_series"))
        & pl.col("school_year").is_between(pl.col("first_year"), pl.col("last_year"))
    )
    return rows.select(
        *ROW,
        "school_year",
        "reference_group_id",
        "series",
        "group_value",
        "reference_value",
        (direction * (pl.col("reference_value") - pl.col("group_value"))).alias("gap"),
        within.fill_null(False).alias("used"),
        "ruleset_version",
    ).sort(*ROW, "series", "school_year")
