"""How far a community is from being eligible: the value the next year must reach for a slope to turn.

Belongs here: exact thresholds from the linearity of least squares, per requirement that is not met, nearest first.
Does not: forecasts, or any judgement of how likely a value is.
"""

from __future__ import annotations

import polars as pl

from dagster_project.lib.analysis.figures.zeros import unsigned_zero
from dagster_project.lib.analysis.records.inputs import RecordInputs, deciding_gaps
from dagster_project.lib.analysis.rubric import designations
from dagster_project.lib.analysis.rubric.context import FactContext
from dagster_project.lib.analysis.rubric.registers import AT, Tables
from dagster_project.lib.analysis.tables import FCT_DESIGNATION_DISTANCE, TREND_POINT_SPAN
from dagster_project.lib.analysis.tables.spans import FIRST, LAST, YEAR, each_year
from dagster_project.lib.analysis.vocabulary import PERCENT, REDUCED, VALID_LEFT_OUT

CELL = [*AT, "indicator_id", "population_group_id"]
SCHEMA = dict(FCT_DESIGNATION_DISTANCE.schema)
TREND_MEASURES = ("core_indicator_trends", "adjacent_trends", "outcome_trends")
GAP_MEASURE = "outcome_gaps"
WINDOW_REASONS = ("too_few_points", "series_break", "stale")
IMPROVING, MAINTAINED, NARROWED = "improving", "maintained", "narrowed"


def designation_distance(inputs: RecordInputs) -> pl.DataFrame:
    """fct_designation_distance: SCHEMA, for every community-year and designation that is not eligible.

    One row for every requirement that is not met and every indicator (or burdened group) that could help to meet it.
    `required_value` is where the slope over the next window (the latest segment, cut to its last years, plus the year
    after its last point) meets the predicate; `comparison` says on which side of it the next value must lie. For a gap
    the reference group is taken to repeat its last value. `needed_more` counts how many rows must turn; rank 1 is
    nearest. Units: those of the indicator. Source: the least-squares slope is linear in every single value.
    """
    open_ones = _open_requirements(inputs)
    if not open_ones.height:
        return pl.DataFrame(schema=SCHEMA)
    parts = [_trend_rows(inputs, open_ones), _gap_rows(inputs, open_ones)]
    rows = pl.concat([part.select(BEFORE_RANK) for part in parts])
    return _ranked(rows, inputs.context)


BEFORE_RANK = [name for name in SCHEMA if name not in ("rank", "statement", "ruleset_version")] + ["direction"]


def _open_requirements(inputs: RecordInputs) -> pl.DataFrame:
    """What is not met of designations not eligible: AT, designation, requirement_id, measure, wanted, needed_more."""
    keys = [*AT, "designation"]
    not_eligible = inputs.tables["fct_designation"].filter(pl.col("status") != "eligible").select(keys)
    rules = [
        {"requirement_id": rule["requirement_id"], "wanted": rule["wanted"]}
        for found in inputs.rules.values()
        for rule in found
    ]
    schema = {"requirement_id": pl.String(), "wanted": pl.List(pl.String)}
    rows = inputs.tables["fct_designation_requirement"].filter(pl.col("status") != "met")
    rows = rows.join(not_eligible, on=keys, how="semi").join(pl.DataFrame(rules, schema=schema), on="requirement_id")
    # A share is turned into members: as many more as bring the count to the needed share.
    shared = pl.col("required") < 1
    members = pl.when(shared).then(pl.col("n_members")).otherwise(1.0)
    lacking = ((pl.col("required") - pl.col("actual").fill_null(0.0)) * members - inputs.context.epsilon).ceil()
    return rows.select(*keys, "requirement_id", "measure", "wanted", lacking.cast(pl.Int64).alias("needed_more"))


def _window_points(inputs: RecordInputs, points: pl.DataFrame) -> pl.DataFrame:
    """Points of the window that the next value would open: the latest segment's, cut to the years that stay."""
    most = inputs.context.ruleset.trend.max_years
    last = points.with_columns(pl.col("school_year").max().over(CELL).alias("last_year"))
    last = last.with_columns((pl.col("last_year") + 1).alias("next_year"))
    return last.filter(pl.col("school_year") > pl.col("next_year") - most).sort(*CELL, "school_year")


def _sums(points: pl.DataFrame, value: str) -> list[pl.Expr]:
    """Expressions for `group_by(CELL).agg`: S = sum of centred years times values, centred on the new window's mean."""
    year = pl.col("school_year").cast(pl.Float64)
    mean = (year.sum() + pl.col("next_year").first()) / (pl.len() + 1)
    centred = year - mean
    new = pl.col("next_year").first() - mean
    return [
        ((centred * pl.col(value)).sum()).alias(f"s_{value}"),
        new.alias("c"),
        ((centred * centred).sum() + new * new).alias("sxx"),
    ]


def _describe(value: str) -> list[pl.Expr]:
    return [
        pl.col("next_year").first(),
        pl.col("school_year").first().alias("window_first_year"),
        (pl.len() + 1).cast(pl.Int64).alias("n_points"),
        pl.col("last_year").first(),
        pl.col(value).last().alias("last_value"),
        pl.col(value).sum().alias("total"),
    ]


def _thresholds(inputs: RecordInputs) -> pl.DataFrame:
    """CELL and the values of next year at which the total's slope turns to maintained and to improving."""
    own = (pl.col("geography_id") == pl.col("community_id")) & (pl.col("population_group_id") == "all")
    # Points of the latest segment's window: those used, or left out only because the trend as a whole failed.
    spans = inputs.tables[TREND_POINT_SPAN.name]
    points = _values(spans.filter(own & (pl.col("used") | pl.col("left_out_reason").is_in(WINDOW_REASONS))))
    rows = (
        _window_points(inputs, points)
        .group_by(CELL, maintain_order=True)
        .agg(*_sums(points, "value"), *_describe("value"))
    )
    traits = inputs.context.indicators.select("indicator_id", "unit", pl.col("direction").cast(pl.Float64))
    rows = rows.join(traits, on="indicator_id", how="left", maintain_order="left")
    s, c, sxx, d = (pl.col(name) for name in ("s_value", "c", "sxx", "direction"))
    absolute = inputs.context.ruleset.trend.maintain_tolerance
    relative = inputs.context.ruleset.trend.maintain_tolerance_relative
    flat = -s / c
    tolerated = (-absolute * d * sxx - s) / c
    # The tolerance of other units is a share of the window's mean, in which the next value itself counts.
    share = relative / pl.col("n_points")
    tolerated_share = -(share * pl.col("total") + d * s / sxx) / (d * c / sxx + share)
    maintained = pl.when(pl.col("unit") == PERCENT).then(tolerated).otherwise(tolerated_share)
    return rows.with_columns(flat.alias(IMPROVING), maintained.alias(MAINTAINED))


def _values(spans: pl.DataFrame) -> pl.DataFrame:
    """CELL, series, school_year, value: points at every reporting year."""
    lines = [name for name in CELL if name != YEAR]
    return each_year(spans.select(*lines, "series", "school_year", "value", FIRST, LAST))


def _trend_rows(inputs: RecordInputs, open_ones: pl.DataFrame) -> pl.DataFrame:
    context, tables = inputs.context, inputs.tables
    members = _trend_members(inputs, open_ones.filter(pl.col("measure").is_in(TREND_MEASURES)))
    trend = (
        tables["fct_trend"]
        .with_columns(pl.col("reporting_year").cast(pl.Int32))
        .filter((pl.col("geography_id") == pl.col("community_id")) & (pl.col("population_group_id") == "all"))
    )
    state = trend.select(*AT, "indicator_id", pl.col("trend_status").alias("current_status"), trend_reason="reason")
    rows = members.join(state, on=[*AT, "indicator_id"], how="left", maintain_order="left")
    rows = rows.filter(~pl.col("current_status").is_in(pl.col("wanted")).fill_null(False))
    rows = rows.with_columns(pl.lit("all").alias("population_group_id"))
    rows = rows.join(_thresholds(inputs), on=CELL, how="left", maintain_order="left")
    easier = pl.col("wanted").list.contains(MAINTAINED)
    target = pl.when(easier).then(pl.lit(MAINTAINED)).otherwise(pl.lit(IMPROVING))
    rows = rows.with_columns(
        target.alias("required_status"),
        unsigned_zero(pl.when(easier).then(MAINTAINED).otherwise(IMPROVING)).alias("required_value"),
        pl.col("current_status").fill_null("undetermined"),
    )
    # "maintained" may be reached exactly, "improving" must be passed.
    side = pl.when(pl.col("direction") < 0).then(pl.lit("at most")).otherwise(pl.lit("at least"))
    strict = pl.when(pl.col("direction") < 0).then(pl.lit("below")).otherwise(pl.lit("above"))
    rows = rows.with_columns(pl.when(easier).then(side).otherwise(strict).alias("comparison"))
    return _judge_possibility(rows, context, tables)


def _trend_members(inputs: RecordInputs, open_ones: pl.DataFrame) -> pl.DataFrame:
    """The indicators whose trend could help, with their outcome: of outcomes the deciding one, or all core ones."""
    context, tables = inputs.context, inputs.tables
    core = designations.core_indicators(context)
    adjacent = designations.adjacent_indicators(context, tables)
    outcomes = _outcome_members(inputs, core, "trend_status")
    by_measure = {"core_indicator_trends": core, "adjacent_trends": adjacent}
    parts = [
        open_ones.filter(pl.col("measure") == name).join(rows, on=AT, how="inner", maintain_order="left")
        for name, rows in by_measure.items()
    ]
    of_outcomes = open_ones.filter(pl.col("measure") == "outcome_trends").join(outcomes, on=AT, maintain_order="left")
    # An outcome that already counts needs no turn, whatever its other indicators do.
    of_outcomes = of_outcomes.filter(~pl.col("outcome_state").is_in(pl.col("wanted")))
    return pl.concat([*parts, of_outcomes.drop("outcome_state")])


def _outcome_members(inputs: RecordInputs, core: pl.DataFrame, state: str) -> pl.DataFrame:
    status = inputs.tables["fct_outcome_status"].select(
        "community_id",
        pl.col("reporting_year").cast(pl.Int32),
        "outcome_id",
        "deciding_indicator_id",
        pl.col(state).alias("outcome_state"),
    )
    rows = core.join(status, on=[*AT, "outcome_id"], how="inner", maintain_order="left")
    deciding = pl.col("deciding_indicator_id")
    rows = rows.filter(deciding.is_null() | (deciding == pl.col("indicator_id")))
    return rows.select(*AT, "indicator_id", "outcome_id", "outcome_state")


def _gap_rows(inputs: RecordInputs, open_ones: pl.DataFrame) -> pl.DataFrame:
    context, tables = inputs.context, inputs.tables
    core = designations.core_indicators(context)
    members = open_ones.filter(pl.col("measure") == GAP_MEASURE)
    members = members.join(_outcome_members(inputs, core, "gap_reduced"), on=AT, how="inner", maintain_order="left")
    members = members.filter(pl.col("outcome_state") != "met").drop("outcome_state")
    gaps = deciding_gaps(inputs).filter(~pl.col("gap_status").is_in(REDUCED))
    named = {"current_status": "gap_status", "trend_reason": "reason"}
    gaps = gaps.select(*CELL, "reference_group_id", "series", "first_year", "last_year", **named)
    rows = members.join(gaps.drop("series", "first_year", "last_year"), on=[*AT, "indicator_id"], maintain_order="left")
    rows = rows.join(_gap_thresholds(inputs, gaps), on=CELL, how="left", maintain_order="left")
    below = pl.col("direction") < 0
    rows = rows.with_columns(
        pl.lit(NARROWED).alias("required_status"),
        pl.when(below).then(pl.lit("below")).otherwise(pl.lit("above")).alias("comparison"),
    )
    return _judge_possibility(rows, context, tables)


def _gap_thresholds(inputs: RecordInputs, gaps: pl.DataFrame) -> pl.DataFrame:
    """CELL and the group's next value at which its slope passes zero and the reference's, the reference unmoved."""
    valid = pl.col("left_out_reason").is_null() | pl.col("left_out_reason").is_in(VALID_LEFT_OUT)
    own = pl.col("geography_id") == pl.col("community_id")
    points = _values(inputs.tables[TREND_POINT_SPAN.name].filter(own & valid & pl.col("value").is_not_null()))
    pairs = gaps.select(*CELL, "reference_group_id", "series", "first_year", gap_last="last_year")
    ours = points.join(pairs, on=[*CELL, "series"], how="inner")
    theirs = points.rename({"population_group_id": "reference_group_id", "value": "reference"})
    both = ours.join(theirs, on=[*AT, "indicator_id", "reference_group_id", "series", "school_year"], how="inner")
    both = _window_points(inputs, both.filter(pl.col("school_year").is_between("first_year", "gap_last")))
    traits = inputs.context.indicators.select("indicator_id", "unit", pl.col("direction").cast(pl.Float64))
    rows = both.group_by(CELL, maintain_order=True).agg(
        *_sums(both, "value"),
        _sums(both, "reference")[0],
        *_describe("value"),
        pl.col("reference").last().alias("reference_last"),
        (pl.col("reference").first() - pl.col("value").first()).alias("first_difference"),
    )
    rows = rows.join(traits, on="indicator_id", how="left", maintain_order="left")
    flat = -pl.col("s_value") / pl.col("c")
    alike = pl.col("reference_last") + (pl.col("s_reference") - pl.col("s_value")) / pl.col("c")
    hardest = (
        pl.when(pl.col("direction") < 0).then(pl.min_horizontal(flat, alike)).otherwise(pl.max_horizontal(flat, alike))
    )
    first_gap = pl.col("direction") * pl.col("first_difference")
    none = first_gap <= inputs.context.ruleset.gap.baseline_min + inputs.context.epsilon
    return rows.with_columns(unsigned_zero(hardest).alias("required_value"), none.alias("no_gap_then"))


def _judge_possibility(rows: pl.DataFrame, context: FactContext, tables: Tables) -> pl.DataFrame:
    """Add `possible` and `reason`: whether one more year can do it at all."""
    points = context.ruleset.trend.min_points
    span = context.ruleset.trend.min_span_years
    short = (pl.col("n_points") < points) | (pl.col("next_year") - pl.col("window_first_year") < span)
    stale = pl.col("reporting_year") - pl.col("last_year") > context.ruleset.trend.recency_years
    limits = _limits(tables)
    rows = rows.join(limits, on="unit", how="left", maintain_order="left")
    value, down = pl.col("required_value"), pl.col("direction") < 0
    beyond = pl.when(down).then(value < pl.col("minimum")).otherwise(value > pl.col("maximum")).fill_null(False)
    # A bound that must be passed, not only reached, is out of reach when it stands at the edge.
    edge = pl.when(down).then(value <= pl.col("minimum")).otherwise(value >= pl.col("maximum")).fill_null(False)
    beyond = beyond | (edge & pl.col("comparison").is_in(["above", "below"]))
    no_gap = pl.col("no_gap_then").fill_null(False) if "no_gap_then" in rows.columns else pl.lit(False)
    reason = (
        pl.when(value.is_null())
        .then(pl.lit("no_data"))
        .when(pl.col("direction") == 0)
        .then(pl.lit("no_direction"))
        .when(stale)
        .then(pl.lit("stale"))
        .when(short)
        .then(pl.lit("more_years_needed"))
        .when(no_gap)
        .then(pl.lit("no_gap_at_baseline"))
        .when(beyond)
        .then(pl.lit("beyond_the_scale"))
    )
    change = unsigned_zero(value - pl.col("last_value"))
    rows = rows.with_columns(reason.alias("reason"), change.alias("change_needed"))
    return rows.with_columns(pl.col("reason").is_null().alias("possible"))


def _limits(tables: Tables) -> pl.DataFrame:
    """unit, minimum, maximum of stored values, from the dictionary's units where they are given."""
    units = tables.get("units")
    if units is None:
        return pl.DataFrame(schema={"unit": pl.String(), "minimum": pl.Float64(), "maximum": pl.Float64()})
    stored = units.filter(pl.col("unit") == pl.col("stored_unit"))
    return stored.select("unit", pl.col("minimum").cast(pl.Float64), pl.col("maximum").cast(pl.Float64))


def _ranked(rows: pl.DataFrame, context: FactContext) -> pl.DataFrame:
    """Nearest first within each requirement: what is possible, by the smallest move in the wanted direction."""
    keys = ["community_id", "designation", "reporting_year", "requirement_id"]
    move = pl.col("change_needed") * pl.col("direction")
    order = [pl.col("possible").not_(), move, pl.col("indicator_id"), pl.col("population_group_id")]
    rows = rows.sort(*keys, *order, nulls_last=True)
    rank = pl.int_range(1, pl.len() + 1, dtype=pl.Int64).over(keys).alias("rank")
    version = pl.lit(context.ruleset.ruleset_version).alias("ruleset_version")
    return rows.with_columns(rank, _statement().alias("statement"), version).select(
        pl.col(name).cast(kind) for name, kind in SCHEMA.items()
    )


def _statement() -> pl.Expr:
    """The arithmetic in words; never a forecast."""
    group = (
        pl.when(pl.col("population_group_id") == "all")
        .then(pl.lit(""))
        .otherwise(pl.format(" of {}, with the reference group at its last value,", "population_group_id"))
    )
    can = pl.format(
        "{}{} would be {} over {}-{} with a value {} {} in {} (now {} in {})",
        "indicator_id",
        group,
        "required_status",
        "window_first_year",
        "next_year",
        "comparison",
        unsigned_zero(pl.col("required_value").round(3)),
        "next_year",
        pl.col("last_value").round(3),
        "last_year",
    )
    cannot = pl.format(
        "{}{} cannot turn with one more year: {}", "indicator_id", group, pl.col("reason").str.replace_all("_", " ")
    )
    return pl.when("possible").then(can).otherwise(cannot)
