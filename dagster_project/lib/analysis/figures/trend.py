"""Trends (RULES 3): fct_trend, and fct_trend_point in its short form.

Belongs here: estimates and statuses of every cell, and why each point was used or left out.
Does not: gaps, outcomes, or how versions of values come about.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt
import polars as pl

from dagster_project.lib.analysis.figures import regression, windows
from dagster_project.lib.analysis.figures.known import INTERVAL, KEY, MASKED, SMALL_N, VALID, EffectivePoints
from dagster_project.lib.analysis.figures.regression import Bools, Floats, Lines
from dagster_project.lib.analysis.tables import FCT_TREND, TREND_POINT_SPAN
from dagster_project.lib.analysis.tables.spans import FIRST, LAST
from dagster_project.lib.analysis.vocabulary import OTHER_SEGMENT, OUTSIDE_WINDOW, PERCENT
from dagster_project.lib.base.ruleset import Ruleset

Codes = npt.NDArray[np.int8]

IMPROVING, MAINTAINED, DECLINING, UNDETERMINED, NO_STATUS = range(5)
TREND_STATUSES: tuple[str | None, ...] = ("improving", "maintained", "declining", "undetermined", None)
ROBUST, FRAGILE, ROBUSTNESS_UNDETERMINED = range(3)
ROBUSTNESS: tuple[str | None, ...] = ("robust", "fragile", "undetermined")


@dataclass(frozen=True, eq=False)
class Estimates:
    """Columns of fct_trend for K determined cells; arrays of length K, NaN for null."""

    slope: Floats
    intercept: Floats
    slope_stderr: Floats
    slope_ci_low: Floats
    slope_ci_high: Floats
    r_squared: Floats
    adjusted_slope: Floats
    slope_weighted: Floats
    slope_theil_sen: Floats
    slope_binomial_low: Floats
    slope_binomial_high: Floats
    prob_slope_positive: Floats
    status: Codes
    robustness: Codes


@dataclass(frozen=True, eq=False)
class Traits:
    """What the dictionary says of the indicator of each of K series: direction (1, -1, 0), unit percent or not."""

    direction: Floats
    percent: Bools

    def take(self, which: npt.NDArray[np.int64] | slice) -> Traits:
        """The traits of some of the series."""
        return Traits(self.direction[which], self.percent[which])


def trends_of(points: EffectivePoints, indicators: pl.DataFrame, ruleset: Ruleset) -> tuple[pl.DataFrame, pl.DataFrame]:
    """fct_trend and trend_point_span for every reporting year, from `known.expand_known`.

    indicators: indicator_id, outcome_id, unit, direction. Raises ValueError for an indicator that is not in it.
    """
    valid = points.valid()
    row, cell = points.row[valid], points.cell[valid]
    found = windows.latest_windows(cell, points.series[row], points.year[row], points.n_cells, ruleset.trend)
    verdict = windows.verdicts(found, points.cell_year, ruleset.trend)
    verdict = np.where(verdict == windows.NO_DATA, _reasons_without_valid_points(points), verdict)
    grid = windows.window_grid(found, cell, points.year[row], verdict == windows.DETERMINED, ruleset.trend.max_years)
    traits = key_traits(points.keys, indicators).take(points.cell_key[grid.cells])
    y, size = grid.fill(points.value[row]), grid.fill(np.nan_to_num(points.denominator[row]))
    estimates = estimate(windows.window_positions(ruleset.trend.max_years), y, size, grid.present, traits, ruleset)
    trend = _trend_table(points, found, verdict, grid.cells, estimates, indicators, ruleset)
    return trend, _span_table(points, valid, found, verdict, indicators, ruleset)


def key_traits(keys: pl.DataFrame, indicators: pl.DataFrame) -> Traits:
    """Direction and unit of every key's indicator; an indicator that is not in the dictionary raises ValueError."""
    wanted = indicators.select("indicator_id", pl.col("direction").cast(pl.Float64), "unit")
    joined = keys.select("indicator_id").join(wanted, on="indicator_id", how="left", maintain_order="left")
    lost = joined.filter(pl.col("direction").is_null())["indicator_id"].unique().sort().to_list()
    if lost:
        raise ValueError(f"indicators with values but without a direction in the dictionary: {lost}")
    return Traits(joined["direction"].to_numpy(), (joined["unit"] == PERCENT).fill_null(False).to_numpy())


def estimate(x: Floats, y: Floats, size: Floats, present: Bools, traits: Traits, ruleset: Ruleset) -> Estimates:
    """Every estimate of RULES 3 for K series.

    x: (W, 1) years relative to the last; y, size (the denominators, 0 where unknown), present: (W, K).
    Units: those of y, per year. Every column must hold at least two years.
    """
    parts = [
        _estimate_block(x, y[:, block], size[:, block], present[:, block], traits.take(block), ruleset)
        for block in regression.column_blocks(y.shape[1])
    ]
    if not parts:
        nothing, codes = np.zeros(0), np.zeros(0, dtype=np.int8)
        return Estimates(*(nothing,) * 12, codes, codes)
    names = [field.name for field in fields(Estimates)]
    return Estimates(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in names})


def _estimate_block(x: Floats, y: Floats, size: Floats, present: Bools, traits: Traits, ruleset: Ruleset) -> Estimates:
    rules = ruleset.trend
    lines = regression.fit_lines(x, y, present, ruleset.epsilon)
    # Adding 0.0 turns -0.0 into 0.0, which would otherwise print and hash differently.
    adjusted = traits.direction * lines.slope + 0.0
    status = trend_status(adjusted, lines.mean_y, traits, ruleset)
    half = regression.t_half_width(lines.slope_stderr, lines.n, rules.confidence)
    sd = regression.binomial_slope_sd(lines, y, size, present)
    sd = np.where(traits.percent, sd, np.nan)
    return Estimates(
        slope=lines.slope + 0.0,
        intercept=lines.intercept,
        slope_stderr=lines.slope_stderr,
        slope_ci_low=lines.slope - half,
        slope_ci_high=lines.slope + half,
        r_squared=lines.r_squared,
        adjusted_slope=adjusted,
        slope_weighted=regression.weighted_slopes(x, y, size, present) + 0.0,
        slope_theil_sen=regression.theil_sen_slopes(x, y, present) + 0.0,
        slope_binomial_low=lines.slope - rules.binomial_z * sd,
        slope_binomial_high=lines.slope + rules.binomial_z * sd,
        prob_slope_positive=regression.normal_cdf(adjusted / sd),
        status=status,
        robustness=_robustness(lines, present, status, traits, ruleset),
    )


def trend_status(adjusted: Floats, mean: Floats, traits: Traits, ruleset: Ruleset) -> Codes:
    """Status codes from direction-adjusted slopes and window means; arrays of one shape, (..., K).

    The tolerance of `maintained` is absolute for percent, else a share of the size of the window mean.
    """
    relative = ruleset.trend.maintain_tolerance_relative * np.abs(mean)
    tolerance = np.where(traits.percent, ruleset.trend.maintain_tolerance, relative)
    tests = [
        np.broadcast_to(traits.direction == 0, adjusted.shape),
        adjusted > ruleset.epsilon,
        adjusted >= -tolerance - ruleset.epsilon,
    ]
    return np.select(tests, [NO_STATUS, IMPROVING, MAINTAINED], DECLINING).astype(np.int8)


def _robustness(lines: Lines, present: Bools, status: Codes, traits: Traits, ruleset: Ruleset) -> Codes:
    slope, mean = regression.leave_one_out(lines, present)
    without = trend_status(traits.direction * slope, mean, traits, ruleset)
    same = ((without == status) | ~present).all(axis=0)
    enough = lines.n >= ruleset.trend.robust_min_points
    return np.where(enough, np.where(same, ROBUST, FRAGILE), ROBUSTNESS_UNDETERMINED).astype(np.int8)


def _reasons_without_valid_points(points: EffectivePoints) -> Codes:
    """The first four reasons of RULES 3 for every cell, looking at its points up to the reporting year."""
    kind = points.kind[points.row]
    exact = (kind != MASKED) & (kind != INTERVAL)
    bits = exact * 1 + (kind == INTERVAL) * 2 + (kind == SMALL_N) * 4
    bits = np.where(points.year[points.row] <= points.cell_year[points.cell], bits, 0)
    seen = np.bitwise_or.reduceat(bits, points.cell_start) if len(bits) else np.zeros(0, dtype=np.int64)
    tests = [seen == 0, (seen & 1) == 0, (seen & 4) != 0]
    reasons = [windows.NO_DATA, windows.INTERVAL_ONLY, windows.SMALL_N]
    return np.select(tests, reasons, windows.LOW_COVERAGE).astype(np.int8)


def cell_columns(points: EffectivePoints, cells: npt.NDArray[np.int64] | slice) -> pl.DataFrame:
    """Key columns and reporting_year of some cells (or points, by their cells)."""
    keys = points.keys.select(KEY)[points.cell_key[cells]]
    return keys.with_columns(pl.Series("reporting_year", points.cell_year[cells], dtype=pl.Int32))


def texts(codes: npt.NDArray[np.integer], labels: tuple[str | None, ...]) -> pl.Series:
    """Texts of codes; None stays null."""
    return pl.Series(labels, dtype=pl.String).gather(pl.Series(codes.astype(np.uint32)))


def _trend_table(
    points: EffectivePoints,
    found: windows.Windows,
    verdict: Codes,
    determined: npt.NDArray[np.int64],
    estimates: Estimates,
    indicators: pl.DataFrame,
    ruleset: Ruleset,
) -> pl.DataFrame:
    status = np.full(points.n_cells, UNDETERMINED, dtype=np.int8)
    robustness = np.full(points.n_cells, ROBUSTNESS_UNDETERMINED, dtype=np.int8)
    status[determined], robustness[determined] = estimates.status, estimates.robustness
    columns = {
        **window_columns(points, found),
        "reason": texts(verdict, windows.REASONS),
        "trend_status": texts(status, TREND_STATUSES),
        "robustness": texts(robustness, ROBUSTNESS),
    }
    for field in fields(Estimates):
        if field.name not in ("status", "robustness"):
            columns[field.name] = scatter(getattr(estimates, field.name), determined, points.n_cells)
    frame = with_outcome(cell_columns(points, slice(None)), indicators)
    frame = frame.with_columns(**columns, ruleset_version=pl.lit(ruleset.ruleset_version))
    return FCT_TREND.conform(frame, is_sorted=True)


def window_columns(points: EffectivePoints, found: windows.Windows) -> dict[str, pl.Series]:
    """series, first_year, last_year (null without a valid point) and n_years of every cell."""
    has = pl.Series(found.n_valid > 0)
    label = points.labels.cast(pl.String).gather(pl.Series(np.maximum(found.series, 0).astype(np.uint32)))
    nothing = pl.Series([None], dtype=pl.Int64)
    return {
        "series": label.zip_with(has, pl.Series([None], dtype=pl.String)),
        "first_year": pl.Series(found.first_year).zip_with(has, nothing),
        "last_year": pl.Series(found.last_year).zip_with(has, nothing),
        "n_years": pl.Series(found.n_years),
    }


def scatter(values: Floats, cells: npt.NDArray[np.int64], n_cells: int) -> pl.Series:
    """A column of all cells from the values of some; null elsewhere and for NaN."""
    column = np.full(n_cells, np.nan)
    column[cells] = values
    return pl.Series(column).fill_nan(None)


def with_outcome(frame: pl.DataFrame, indicators: pl.DataFrame) -> pl.DataFrame:
    """Add the dictionary's outcome_id by indicator_id, order kept."""
    outcomes = indicators.select("indicator_id", "outcome_id")
    return frame.join(outcomes, on="indicator_id", how="left", maintain_order="left")


def _span_table(
    points: EffectivePoints,
    valid: Bools,
    found: windows.Windows,
    verdict: Codes,
    indicators: pl.DataFrame,
    ruleset: Ruleset,
) -> pl.DataFrame:
    """Reporting years that follow one another in which a row of the known values has one fate."""
    used, fate = _point_uses(points, valid, found, verdict)
    # Points are sorted by reporting year, so that a stable sort leaves those of one row in the order of years.
    order = np.argsort(points.row, kind="stable")
    row, used, fate = points.row[order], used[order], fate[order]
    leads = np.ones(len(row), dtype=np.bool_)
    leads[1:] = (row[1:] != row[:-1]) | (used[1:] != used[:-1]) | (fate[1:] != fate[:-1])
    # A row is known without a break, so a span ends where the next one begins.
    first = np.flatnonzero(leads)
    last = np.append(first[1:], len(row))[: len(first)] - 1
    year = points.cell_year[points.cell[order]]
    row = row[first]
    masked = pl.Series(points.kind[row] == MASKED)
    frame = with_outcome(points.rows, indicators)[row].with_columns(
        pl.Series(FIRST, year[first]),
        pl.Series(LAST, year[last]),
        pl.Series("used", used[first]),
        pl.coalesce(texts(fate[first], _FATES), pl.when(masked).then("value_status")).alias("left_out_reason"),
        pl.lit(ruleset.ruleset_version).alias("ruleset_version"),
    )
    return TREND_POINT_SPAN.conform(frame, is_sorted=True)


# Codes 0.. of a point's fate, after the trend's own reasons; a masked point's reason is its value_status.
_FATES: tuple[str | None, ...] = (
    *windows.REASONS,
    "interval",
    "small_n",
    "low_coverage",
    "after_reporting_year",
    OTHER_SEGMENT,
    OUTSIDE_WINDOW,
)


def _point_uses(points: EffectivePoints, valid: Bools, found: windows.Windows, verdict: Codes) -> tuple[Bools, Codes]:
    """Which points a slope was computed from, and codes of why the others were left out (0: used, or masked)."""
    kind = points.kind[points.row]
    in_segment, in_window = np.zeros(len(kind), dtype=np.bool_), np.zeros(len(kind), dtype=np.bool_)
    in_segment[valid], in_window[valid] = found.in_segment, found.in_window
    of_trend = verdict[points.cell].astype(np.int64)
    used: Bools = in_window & (of_trend == windows.DETERMINED)
    first = len(windows.REASONS)
    # The kinds INTERVAL, SMALL_N, LOW_COVERAGE follow one another as their fates do.
    of_kind = kind.astype(np.int64) - INTERVAL + first
    tests = [kind == MASKED, kind != VALID, ~valid, in_window, in_segment]
    fates: list[npt.ArrayLike] = [0, of_kind, first + 3, of_trend, first + 5]
    return used, np.select(tests, fates, first + 4).astype(np.int8)
