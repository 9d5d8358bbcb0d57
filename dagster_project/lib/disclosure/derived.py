"""Derived figures as published: equal to the internal ones, or absent (RULES 8.3).

Belongs here: trends, gaps, their points and years, outcome verdicts, target progress; which are withheld.
Does not: what is visible (points.py), network figures (computed again from public rows), tables not derived.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import polars as pl

from dagster_project.lib.base.names import WITHHELD
from dagster_project.lib.disclosure.points import (
    POINT,
    ROW,
    gap_support,
    published_points,
    trend_support,
    with_visibility,
)
from dagster_project.lib.disclosure.words import ALL

UNDETERMINED = "undetermined"
BURDENED = "burdened"
# Dimensions whose gaps decide a verdict (RULES 4).
DECIDING_DIMENSIONS = ("race_ethnicity",)

YEARS = ("n_years", "first_year", "last_year")
# Figures that are computed from the points' counts as well.
BY_COUNTS = ("slope_weighted", "slope_binomial_low", "slope_binomial_high", "prob_slope_positive")
# What a withheld row keeps: its key, whom it compares, the rules it was computed by. Every other column is null.
TREND_KEPT = (*ROW, "outcome_id", "ruleset_version")
GAP_KEPT = (*TREND_KEPT, "reference_group_id", "standing", "dimension")
TARGET_KEPT = (
    *ROW,
    "deadline",
    "horizon",
    "outcome_id",
    "target_value",
    "set_in_reporting_year",
    "is_in_force",
    "ruleset_version",
)


@dataclass(frozen=True, eq=False)
class Derived:
    """The derived facts as published, columns and types as given (internal).

    withheld_verdicts: community_id, indicator_id, reporting_year, trend (Boolean), gap (Boolean): which verdicts of
    an indicator are withheld; decisions that count them are counted in the certificate (RULES 8.5).
    """

    trend: pl.DataFrame
    trend_point: pl.DataFrame
    gap: pl.DataFrame
    gap_year: pl.DataFrame | None
    outcome_status: pl.DataFrame
    target_progress: pl.DataFrame
    withheld_verdicts: pl.DataFrame


def publish_derived(
    public: pl.DataFrame,
    trend: pl.DataFrame,
    trend_point: pl.DataFrame,
    gap: pl.DataFrame,
    gap_year: pl.DataFrame | None,
    outcome_status: pl.DataFrame,
    target_progress: pl.DataFrame,
    forbidden: Collection[tuple[str, str]] = (),
    deciding_dimensions: Sequence[str] = DECIDING_DIMENSIONS,
) -> Derived:
    """Publish each figure whose every point is published with its very value; withhold the others.

    public: fct_indicator_value as published; the others: the internal facts of these names, already without what has
    no permission. forbidden: community and indicator pairs without permission: verdicts that rest on them are
    withheld too. A column that the internal table lacks is not made up.
    """
    points = with_visibility(trend_point, public)
    public_trend = _trends(trend, points)
    public_gap, hidden_gap = _gaps(gap, points)
    verdicts = _verdicts(public_trend, public_gap, hidden_gap, deciding_dimensions)
    return Derived(
        public_trend,
        _like(published_points(points), trend_point),
        public_gap,
        None if gap_year is None else _gap_years(gap_year, points),
        _outcomes(outcome_status, verdicts, forbidden),
        _targets(target_progress, public_trend, points),
        verdicts.filter(pl.col("trend") | pl.col("gap")),
    )


def _like(frame: pl.DataFrame, model: pl.DataFrame) -> pl.DataFrame:
    return frame.select(pl.col(name).cast(kind) for name, kind in model.schema.items())


def _withhold(frame: pl.DataFrame, where: pl.Expr, status: str, kept: Sequence[str]) -> list[pl.Expr]:
    """Every column but the kept ones null where withheld, the status column the word."""
    return [
        pl.when(where).then(pl.lit(WITHHELD) if name == status else None).otherwise(pl.col(name)).alias(name)
        for name in frame.columns
        if name not in kept
    ]


def _trends(trend: pl.DataFrame, points: pl.DataFrame) -> pl.DataFrame:
    """A determined trend whole or withheld; an undetermined one without years where a point within them is hidden.

    Where the counts of a point were corrected since and its value was not, what rests on them is absent.
    """
    rows = trend.join(trend_support(trend, points), on=ROW, how="left", maintain_order="left")
    determined = pl.col("slope").is_not_null()
    hidden = determined & (pl.col("hidden_used").fill_null(0) > 0)
    within = ~determined & (pl.col("hidden_within").fill_null(0) > 0)
    rows = rows.with_columns(hidden.alias("is_hidden"), within.alias("is_vague"))
    published = pl.col("other_counts").fill_null(0) == 0
    rows = rows.with_columns(pl.when(published).then(name).alias(name) for name in BY_COUNTS if name in trend.columns)
    rows = rows.with_columns(_without_years(rows)).with_columns(
        _withhold(trend, pl.col("is_hidden"), "trend_status", TREND_KEPT)
    )
    return _like(rows, trend)


def _without_years(rows: pl.DataFrame) -> list[pl.Expr]:
    names = [name for name in (*YEARS, "series") if name in rows.columns]
    return [pl.when("is_vague").then(None).otherwise(pl.col(name)).alias(name) for name in names] if names else []


def _gaps(gap: pl.DataFrame, points: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """fct_gap as published, and of every row whether a point in its years is hidden (ROW, is_hidden)."""
    rows = gap.join(gap_support(gap, points), on=ROW, how="left", maintain_order="left")
    within = pl.col("hidden_points").fill_null(0) > 0
    determined = pl.col("group_slope").is_not_null()
    rows = rows.with_columns((within & determined).alias("is_hidden"), (within & ~determined).alias("is_vague"))
    hidden = rows.select(*ROW, (pl.col("is_hidden") | pl.col("is_vague")).alias("is_hidden"))
    rows = rows.with_columns(_without_years(rows)).with_columns(
        _withhold(gap, pl.col("is_hidden"), "gap_status", GAP_KEPT)
    )
    return _like(rows, gap), hidden


def _gap_years(gap_year: pl.DataFrame, points: pl.DataFrame) -> pl.DataFrame:
    """Years in which the values of both groups are published."""
    shown = points.filter("is_visible").select(POINT)
    reference = shown.rename({"population_group_id": "reference_group_id"})
    on = [name if name != "population_group_id" else "reference_group_id" for name in POINT]
    both = gap_year.join(shown, on=POINT, how="semi").join(reference, on=on, how="semi")
    keys = [name for name in POINT if name in gap_year.columns]
    return _like(both.sort(keys), gap_year)


def _verdicts(
    trend: pl.DataFrame, gap: pl.DataFrame, hidden_gap: pl.DataFrame, deciding: Sequence[str]
) -> pl.DataFrame:
    """community_id, indicator_id, reporting_year, trend, gap: whether an indicator's own status and verdict are hidden.

    The gap verdict is published only if the class of every burdened group is, or is undetermined without a hidden
    point in its years.
    """
    key = ["community_id", "indicator_id", "reporting_year"]
    own = pl.col("geography_id") == pl.col("community_id")
    trends = trend.filter(own & (pl.col("population_group_id") == ALL) & (pl.col("trend_status") == WITHHELD))
    rows = gap.join(hidden_gap, on=ROW, how="left").filter(
        own & (pl.col("standing") == BURDENED) & pl.col("dimension").is_in(list(deciding)) & pl.col("is_hidden")
    )
    both = [
        trends.select(*key, pl.lit(True).alias("trend"), pl.lit(False).alias("gap")),
        rows.select(*key, pl.lit(False).alias("trend"), pl.lit(True).alias("gap")),
    ]
    return pl.concat(both).group_by(key).agg(pl.col("trend").any(), pl.col("gap").any()).sort(key)


TREND_VERDICTS = ("trend_status", "trend_any", "trend_all")
GAP_VERDICTS = ("gap_reduced", "gap_any", "gap_all")
Row = dict[str, object]


def _outcomes(outcome: pl.DataFrame, verdicts: pl.DataFrame, forbidden: Collection[tuple[str, str]]) -> pl.DataFrame:
    """Outcome rows with the verdicts that rest on something hidden withheld, and the lists that repeat them.

    A primary decides alone, except trend_any and trend_all, which look at every core indicator; without one all core
    indicators decide. Lists by indicator keep the entries of the others.
    """
    hidden: dict[str, dict[tuple[str, int], set[str]]] = {"trend": defaultdict(set), "gap": defaultdict(set)}
    for community, indicator, year, trend, gap in verdicts.iter_rows():
        for kind, is_hidden in (("trend", trend), ("gap", gap)):
            if is_hidden:
                hidden[kind][community, year].add(indicator)
    barred: dict[str, set[str]] = defaultdict(set)
    for community, indicator in forbidden:
        barred[community].add(indicator)
    rows = []
    for row in outcome.iter_rows(named=True):
        where, never = (row["community_id"], row["reporting_year"]), barred.get(row["community_id"], set())
        rows.append(_outcome(row, hidden["trend"].get(where, set()) | never, hidden["gap"].get(where, set()) | never))
    return pl.DataFrame(rows, schema=outcome.schema, orient="row") if rows else outcome


def _outcome(row: Row, hidden_trend: Collection[str], hidden_gap: Collection[str]) -> Row:
    trends, gaps = _listed(row, "trend_by_indicator"), _listed(row, "gap_by_indicator")
    primary = row["deciding_indicator_id"]
    core = {*trends, *gaps, *([str(primary)] if primary else [])}
    deciding = {str(primary)} if primary else core
    if core & set(hidden_trend):
        row.update({name: WITHHELD for name in TREND_VERDICTS[1:] if name in row})
        _mark(row, "trend_by_indicator", trends, hidden_trend)
    if deciding & set(hidden_trend):
        row.update(trend_status=WITHHELD, reason=None)
    if core & set(hidden_gap):
        _mark(row, "gap_by_indicator", gaps, hidden_gap)
    if deciding & set(hidden_gap):
        row.update({name: WITHHELD for name in GAP_VERDICTS if name in row})
        row.update({name: None for name in ("widened_groups", "gap_reason") if name in row})
    return row


def _listed(row: Row, name: str) -> dict[str, str]:
    text = row.get(name)
    return dict(json.loads(str(text))) if text else {}


def _mark(row: Row, name: str, listed: dict[str, str], hidden: Collection[str]) -> None:
    """Say `withheld` in place of the hidden entries of a list by indicator."""
    if listed:
        said = {indicator: WITHHELD if indicator in hidden else text for indicator, text in sorted(listed.items())}
        row[name] = json.dumps(said, separators=(",", ":"))


def _targets(target: pl.DataFrame, public_trend: pl.DataFrame, points: pl.DataFrame) -> pl.DataFrame:
    """Progress of targets whose baseline, every valid point up to the latest, and slope are published."""
    hidden = points.filter(pl.col("is_valid") & ~pl.col("is_visible")).select(*ROW, "school_year")
    baseline = [pl.col("baseline_year") if "baseline_year" in target.columns else pl.lit(None, pl.Int32)]
    rows = target.with_row_index("row")
    reached = (
        rows.select("row", *ROW, pl.col("latest_year"), baseline[0].alias("baseline_year"))
        .join(hidden, on=ROW, how="inner")
        .filter(
            (pl.col("school_year") <= pl.col("latest_year")).fill_null(True)
            | (pl.col("school_year") == pl.col("baseline_year")).fill_null(False)
        )
    )
    withheld_trend = public_trend.filter(pl.col("trend_status") == WITHHELD).select(ROW)
    by_trend = rows.join(withheld_trend, on=ROW, how="semi")["row"]
    which = {*reached["row"].to_list(), *by_trend.to_list()}
    is_hidden = pl.Series("is_hidden", [number in which for number in range(target.height)], dtype=pl.Boolean)
    return _like(
        target.with_columns(is_hidden).with_columns(_withhold(target, pl.col("is_hidden"), "status", TARGET_KEPT)),
        target,
    )
