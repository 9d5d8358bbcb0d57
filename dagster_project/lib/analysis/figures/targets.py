"""Targets (RULES 7.1): fct_target_progress.

Belongs here: each target as known then, its baseline, what was reached when, and the slope it asks for.
Does not: judging a community by its targets; the rubric reads the register.
"""

from __future__ import annotations

import datetime as dt

import polars as pl

from dagster_project.lib.analysis.figures.outcome import known_selection
from dagster_project.lib.analysis.figures.standing import assessment_date
from dagster_project.lib.analysis.figures.trend import with_outcome
from dagster_project.lib.analysis.figures.zeros import unsigned_zero
from dagster_project.lib.analysis.tables import FCT_TARGET_PROGRESS
from dagster_project.lib.analysis.tables.spans import FIRST, LAST, YEAR, each_year
from dagster_project.lib.analysis.vocabulary import OTHER_SEGMENT, VALID_LEFT_OUT
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
_AIM = [*_CELL, "horizon"]
UNDETERMINED = "undetermined"


def compute_target_progress(
    targets: pl.DataFrame,
    selection: pl.DataFrame,
    trend: pl.DataFrame,
    spans: pl.DataFrame,
    indicators: pl.DataFrame,
    grid: pl.DataFrame,
    today: dt.date,
    ruleset: Ruleset,
) -> pl.DataFrame:
    """fct_target_progress: every target at every reporting year of `grid` from the one that set it.

    targets: TARGET_SCHEMA, all reporting years of register_targets; one target is (indicator, group, deadline,
    horizon), its value that of the newest reporting year <= R. selection: `outcome.SELECTION_SCHEMA`. trend,
    spans: fct_trend and trend_point_span, of which the community's own geography is read. Rates in the indicator's
    unit, slopes per year, raw (not turned by direction).
    """
    rows = _in_force(_as_known(targets, grid), today)
    wanted = rows.select(_CELL).unique()
    points = _segment_points(spans, wanted)
    rows = rows.join(_trends(trend, wanted), on=_CELL, how="left", maintain_order="left")
    rows = rows.join(_latest(points), on=_CELL, how="left", maintain_order="left")
    rows = rows.join(_baselines(points, selection, grid), on=_CELL, how="left", maintain_order="left")
    direction = indicators.select("indicator_id", pl.col("direction").cast(pl.Float64))
    rows = with_outcome(rows.join(direction, on="indicator_id", how="left", maintain_order="left"), indicators)
    rows = rows.join(_reached(rows, points, ruleset.epsilon), on=[*_TARGET, "reporting_year"], how="left")
    rows = _with_slopes(rows, ruleset.epsilon)
    rows = rows.with_columns(_status(ruleset.epsilon).alias("status"))
    frame = rows.with_columns(
        pl.when(pl.col("status") == UNDETERMINED).then(_reason()).alias("reason"),
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


def _in_force(rows: pl.DataFrame, today: dt.date) -> pl.DataFrame:
    """Add is_in_force, is_superseded and is_due (the deadline lies before the assessment date).

    In force is, per indicator, group and horizon, the earliest deadline that has not passed, else the latest one.
    """
    passed = pl.col("deadline") < assessment_date(today)
    rows = rows.with_columns(passed.alias("is_due"))
    open_ones = pl.col("deadline").filter(~pl.col("is_due")).min().over(_AIM)
    chosen = pl.col("deadline") == pl.coalesce(open_ones, pl.col("deadline").max().over(_AIM))
    rows = rows.with_columns(chosen.alias("is_in_force"))
    set_in = pl.col("set_in_reporting_year").filter(pl.col("is_in_force")).first().over(_AIM)
    earlier = ~pl.col("is_in_force") & (pl.col("set_in_reporting_year") < set_in)
    return rows.with_columns(earlier.alias("is_superseded"))


def _segment_points(spans: pl.DataFrame, wanted: pl.DataFrame) -> pl.DataFrame:
    """Valid points of the latest segment of the communities' own rows: _CELL, school_year, value, by year."""
    own = pl.col("geography_id") == pl.col("community_id")
    kept = [reason for reason in VALID_LEFT_OUT if reason != OTHER_SEGMENT]
    segment = pl.col("used") | pl.col("left_out_reason").is_in(kept)
    lines = [name for name in _CELL if name != YEAR]
    rows = spans.filter(own & segment).join(wanted, on=lines, how="semi")
    points = each_year(rows.select(*lines, FIRST, LAST, "school_year", "value")).join(wanted, on=_CELL, how="semi")
    return points.select(*_CELL, "school_year", "value").sort(*_CELL, "school_year")


def _trends(trend: pl.DataFrame, wanted: pl.DataFrame) -> pl.DataFrame:
    own = pl.col("geography_id") == pl.col("community_id")
    fitted, reason = pl.col("slope").alias("fitted_slope"), pl.col("reason").alias("trend_reason")
    return trend.filter(own).join(wanted, on=_CELL, how="semi").select(*_CELL, fitted, reason)


def _latest(points: pl.DataFrame) -> pl.DataFrame:
    last = points.group_by(_CELL, maintain_order=True).last()
    return last.select(*_CELL, latest_year="school_year", latest_value="value")


def _baselines(points: pl.DataFrame, selection: pl.DataFrame, grid: pl.DataFrame) -> pl.DataFrame:
    """_CELL, baseline_year, baseline_value: of the selection's year where it has a point, else the first point."""
    chosen = known_selection(selection, grid).select(
        "community_id", "reporting_year", "indicator_id", pl.col("baseline_year").alias("chosen_year")
    )
    chosen = chosen.unique(["community_id", "reporting_year", "indicator_id"], keep="first", maintain_order=True)
    rows = points.join(chosen, on=["community_id", "reporting_year", "indicator_id"], how="left", maintain_order="left")
    is_chosen = (pl.col("school_year") == pl.col("chosen_year")).fill_null(False)
    first = rows.sort(*_CELL, ~is_chosen, "school_year").group_by(_CELL, maintain_order=True).first()
    return first.select(*_CELL, baseline_year="school_year", baseline_value="value")


def _reached(rows: pl.DataFrame, points: pl.DataFrame, epsilon: float) -> pl.DataFrame:
    """The first school year after the baseline's that has the target's value or better, where there is one."""
    later = rows.join(points, on=_CELL, how="inner").filter(pl.col("school_year") > pl.col("baseline_year"))
    better = pl.col("direction") * (pl.col("value") - pl.col("target_value")) >= -epsilon
    hits = later.filter(better & (pl.col("direction") != 0))
    return hits.group_by(*_TARGET, "reporting_year").agg(pl.col("school_year").min().alias("reached_in"))


def _with_slopes(rows: pl.DataFrame, epsilon: float) -> pl.DataFrame:
    """Add years_left, required_slope (null unless years are left) and progress_share."""
    years = pl.col("deadline").dt.year() - pl.col("latest_year")
    way, gone = (pl.col(name) - pl.col("baseline_value") for name in ("target_value", "latest_value"))
    return rows.with_columns(
        years.alias("years_left"),
        pl.when(years > 0).then((pl.col("target_value") - pl.col("latest_value")) / years).alias("required_slope"),
        pl.when(way.abs() > epsilon).then(unsigned_zero(gone / way)).alias("progress_share"),
    )


def _status(epsilon: float) -> pl.Expr:
    """The first line of RULES 7.1 that applies; `superseded` comes before all of them."""
    direction, reached = pl.col("direction"), pl.col("reached_in")
    fitted, required = pl.col("fitted_slope"), pl.col("required_slope")
    tests: list[tuple[pl.Expr, str]] = [
        (pl.col("is_superseded"), "superseded"),
        (pl.col("latest_value").is_null() | (direction == 0), UNDETERMINED),
        (reached <= pl.col("deadline").dt.year(), "met"),
        (pl.col("is_due") & reached.is_not_null(), "met_late"),
        (pl.col("is_due"), "missed"),
        (pl.col("years_left") <= 0, "off_track"),
        (fitted.is_null(), UNDETERMINED),
        (direction * (fitted - required) >= -epsilon, "on_track"),
    ]
    status = pl.lit("off_track")
    for holds, name in reversed(tests):
        status = pl.when(holds.fill_null(False)).then(pl.lit(name)).otherwise(status)
    return status


def _reason() -> pl.Expr:
    none = pl.col("latest_value").is_null()
    flat = ~none & (pl.col("direction") == 0)
    return pl.when(flat).then(pl.lit("no_direction")).otherwise(pl.coalesce("trend_reason", pl.lit("no_data")))
