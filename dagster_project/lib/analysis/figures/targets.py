"""Targets: fct_target_progress.

Belongs here: each target as known then, against the latest value and the fitted slope.
Does not: judging a community by its targets; the rubric reads the rows.
"""

from __future__ import annotations

import polars as pl

from dagster_project.lib.analysis.figures.trend import with_outcome
from dagster_project.lib.analysis.tables import FCT_TARGET_PROGRESS
from dagster_project.lib.analysis.vocabulary import VALID_LEFT_OUT
from dagster_project.lib.base.ruleset import Ruleset

TARGET_SCHEMA = {
    "community_id": pl.String(),
    "reporting_year": pl.Int32(),
    "indicator": pl.String(),
    "dimension": pl.String(),
    "group": pl.String(),
    "value": pl.Float64(),
    "deadline": pl.Date(),
    "horizon": pl.String(),
}
_TARGET = ["community_id", "indicator_id", "population_group_id", "deadline", "horizon"]
_CELL = ["community_id", "indicator_id", "population_group_id", "reporting_year"]


def compute_target_progress(
    targets: pl.DataFrame,
    trend: pl.DataFrame,
    trend_point: pl.DataFrame,
    indicators: pl.DataFrame,
    grid: pl.DataFrame,
    ruleset: Ruleset,
) -> pl.DataFrame:
    """fct_target_progress: every target at every reporting year from the one that set it.

    targets: TARGET_SCHEMA, all reporting years of register_targets; one target is (indicator, group, deadline,
    horizon), its value that of the newest reporting year <= R. trend, trend_point: the fact tables, of which the
    community's own geography is read. Rates in the indicator's unit, slopes per year, raw (not turned by direction).

    `met`: the latest valid value has reached the target. Else, with a determined trend: `on_track` if the fitted slope
    is at least the required one in the wanted direction, where required = (target - latest value) / (year of the
    deadline - latest year), `off_track` if not or when the deadline's year is no later than the latest value's.
    Otherwise `undetermined`, with the reason. Source: the network's request for targets with deadlines.
    """
    rows = _as_known(targets, grid)
    wanted = rows.select(_CELL).unique()
    trend, trend_point = trend.join(wanted, on=_CELL, how="semi"), trend_point.join(wanted, on=_CELL, how="semi")
    rows = rows.join(_latest_values(trend, trend_point), on=_CELL, how="left")
    direction = indicators.select("indicator_id", pl.col("direction").cast(pl.Float64))
    rows = with_outcome(rows.join(direction, on="indicator_id", how="left"), indicators)
    years_left = pl.col("deadline").dt.year() - pl.col("latest_year")
    required = pl.when(years_left > 0).then((pl.col("target_value") - pl.col("latest_value")) / years_left)
    rows = rows.with_columns(required.alias("required_slope"))
    rows = rows.with_columns(_status(ruleset.epsilon).alias("status"))
    frame = rows.with_columns(
        pl.when(pl.col("status") == "undetermined").then(_reason()).alias("reason"),
        pl.col("community_id").alias("geography_id"),
        pl.lit(ruleset.ruleset_version).alias("ruleset_version"),
    )
    return FCT_TARGET_PROGRESS.conform(frame)


def _as_known(targets: pl.DataFrame, grid: pl.DataFrame) -> pl.DataFrame:
    """One row a target and reporting year, with the value last set up to then."""
    total = (pl.col("group") == "all") | pl.col("group").is_null()
    group_id = pl.when(total).then(pl.lit("all")).otherwise(pl.format("{}:{}", "dimension", "group"))
    rows = targets.select(pl.col(name).cast(kind) for name, kind in TARGET_SCHEMA.items()).select(
        "community_id",
        pl.col("reporting_year").alias("set_in_reporting_year"),
        pl.col("indicator").alias("indicator_id"),
        group_id.alias("population_group_id"),
        "deadline",
        "horizon",
        pl.col("value").alias("target_value"),
    )
    return (
        grid.select("community_id", "reporting_year")
        .join(rows, on="community_id", how="inner")
        .filter(pl.col("set_in_reporting_year") <= pl.col("reporting_year"))
        .sort("set_in_reporting_year", "target_value")
        .unique([*_TARGET, "reporting_year"], keep="last", maintain_order=True)
    )


def _latest_values(trend: pl.DataFrame, trend_point: pl.DataFrame) -> pl.DataFrame:
    """Latest valid value of the latest segment, fitted slope and reason, of the communities' own rows."""
    own = pl.col("geography_id") == pl.col("community_id")
    valid = pl.col("used") | pl.col("left_out_reason").is_in(VALID_LEFT_OUT)
    values = trend_point.filter(own & valid).select(
        *_CELL, "series", pl.col("school_year").alias("latest_year"), pl.col("value").alias("latest_value")
    )
    cells = trend.filter(own).select(
        *_CELL,
        "series",
        pl.col("last_year").alias("latest_year"),
        pl.col("slope").alias("fitted_slope"),
        pl.col("reason").alias("trend_reason"),
    )
    return cells.join(values, on=[*_CELL, "series", "latest_year"], how="left").drop("series")


def _status(epsilon: float) -> pl.Expr:
    direction, latest, target = pl.col("direction"), pl.col("latest_value"), pl.col("target_value")
    fitted, required = pl.col("fitted_slope"), pl.col("required_slope")
    return (
        pl.when(latest.is_null() | target.is_null() | pl.col("deadline").is_null() | (direction.fill_null(0) == 0))
        .then(pl.lit("undetermined"))
        .when(direction * (latest - target) >= -epsilon)
        .then(pl.lit("met"))
        .when(required.is_null())
        .then(pl.lit("off_track"))
        .when(fitted.is_null())
        .then(pl.lit("undetermined"))
        .when(direction * (fitted - required) >= -epsilon)
        .then(pl.lit("on_track"))
        .otherwise(pl.lit("off_track"))
    )


def _reason() -> pl.Expr:
    return (
        pl.when(pl.col("target_value").is_null() | pl.col("deadline").is_null())
        .then(pl.lit("incomplete_target"))
        .when(pl.col("direction").fill_null(0) == 0)
        .then(pl.lit("no_direction"))
        .otherwise(pl.coalesce("trend_reason", pl.lit("no_data")))
    )
