"""Gaps (RULES 4): fct_gap and fct_gap_year.

Belongs here: the years two groups have in common, their slopes on exactly these, the class of the gap.
Does not: who is the reference or burdened (standing.py), the verdict on an indicator (outcome.py).
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt
import polars as pl

from dagster_project.lib.analysis.figures import regression, windows
from dagster_project.lib.analysis.figures.known import YEAR_BOUND, EffectivePoints
from dagster_project.lib.analysis.figures.regression import Bools, Floats, Ints
from dagster_project.lib.analysis.figures.standing import OTHER, Standings
from dagster_project.lib.analysis.figures.trend import (
    cell_columns,
    key_traits,
    scatter,
    texts,
    window_columns,
    with_outcome,
)
from dagster_project.lib.analysis.tables import FCT_GAP, FCT_GAP_YEAR
from dagster_project.lib.base.ruleset import Ruleset

(
    UNDETERMINED,
    NO_GAP_AT_BASELINE,
    REVERSED,
    ELIMINATED,
    NARROWED,
    NARROWED_BY_DECLINE,
    UNCHANGED,
    WIDENED,
) = range(8)
GAP_STATUSES: tuple[str | None, ...] = (
    "undetermined",
    "no_gap_at_baseline",
    "reversed",
    "eliminated",
    "narrowed",
    "narrowed_by_decline",
    "unchanged",
    "widened",
)


@dataclass(frozen=True, eq=False)
class GapEstimates:
    """Columns of fct_gap for K determined cells; arrays of length K."""

    first_gap: Floats
    last_gap: Floats
    fitted_last_gap: Floats
    group_slope: Floats
    reference_slope: Floats
    slope_difference: Floats
    status: npt.NDArray[np.int8]
    reference_declined: Bools


def classify_gaps(
    x: Floats, group: Floats, reference: Floats, present: Bools, direction: Floats, ruleset: Ruleset
) -> GapEstimates:
    """Slopes of both groups over the same years, and the class of each gap, first that applies.

    x: (W, 1) years relative to the last; group, reference, present: (W, K), the last row present everywhere;
    direction: (K,). Units: those of the values (slopes per year), positive gap = the group is behind.
    """
    rules, epsilon = ruleset.gap, ruleset.epsilon
    ours = regression.fit_lines(x, group, present, epsilon)
    theirs = regression.fit_lines(x, reference, present, epsilon)
    s_b, s_ref = direction * ours.slope + 0.0, direction * theirs.slope + 0.0
    gap = direction * (reference - group) + 0.0
    first = gap[present.argmax(axis=0), np.arange(gap.shape[1])]
    fitted = direction * (theirs.intercept - ours.intercept) + 0.0
    latest = present & (present[::-1].cumsum(axis=0)[::-1] <= rules.eliminated_years)
    closed = ((gap <= rules.eliminated_tolerance + epsilon) | ~latest).all(axis=0)
    closed &= fitted <= rules.eliminated_tolerance + epsilon
    tests = [
        np.abs(first) <= rules.baseline_min + epsilon,
        first < 0,
        (s_b > epsilon) & closed,
        (s_b > s_ref + epsilon) & (s_b > epsilon),
        s_b > s_ref + epsilon,
        np.abs(s_b - s_ref) <= epsilon,
    ]
    classes = [NO_GAP_AT_BASELINE, REVERSED, ELIMINATED, NARROWED, NARROWED_BY_DECLINE, UNCHANGED]
    status = np.select(tests, classes, WIDENED).astype(np.int8)
    declined = (status == NARROWED) & (s_ref < -epsilon)
    return GapEstimates(first, gap[-1], fitted, s_b, s_ref, s_b - s_ref + 0.0, status, declined)


def gaps_of(
    points: EffectivePoints, standings: Standings, indicators: pl.DataFrame, ruleset: Ruleset
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """fct_gap: one row for every non-reference group, at every reporting year, of a dimension with a reference; and
    fct_gap_year: the years in which both groups have a valid value of one series.

    points: `known.expand_known`; standings: `standing.standings`; indicators: indicator_id, outcome_id, unit,
    direction. Raises ValueError for an indicator that is not in the dictionary.
    """
    pairs = _pairs(points, standings)
    pair_of = np.full(points.n_cells, -1, dtype=np.int64)
    pair_of[pairs["cell"].to_numpy()] = np.arange(pairs.height)
    row, pair, reference_row = _common_points(points, pair_of, pairs["reference_cell"].to_numpy())
    found = windows.latest_windows(pair, points.series[row], points.year[row], pairs.height, ruleset.trend)
    verdict = windows.verdicts(found, pairs["reporting_year"].cast(pl.Int64).to_numpy(), ruleset.trend)
    grid = windows.window_grid(found, pair, points.year[row], verdict == windows.DETERMINED, ruleset.trend.max_years)
    direction = key_traits(points.keys, indicators).direction[points.cell_key[pairs["cell"].to_numpy()[grid.cells]]]
    estimates = _classify_in_blocks(
        grid, grid.fill(points.value[row]), grid.fill(points.value[reference_row]), direction, ruleset
    )
    gap = _gap_table(points, pairs, found, verdict, grid.cells, estimates, indicators, ruleset)
    used = found.in_window & (verdict == windows.DETERMINED)[pair]
    in_series = points.series[row] == found.series[pair]
    return gap, _gap_year_table(points, pairs, (row, pair, reference_row), used, in_series, indicators, ruleset)


def _gap_year_table(
    points: EffectivePoints,
    pairs: pl.DataFrame,
    common: tuple[Ints, Ints, Ints],
    used: Bools,
    in_series: Bools,
    indicators: pl.DataFrame,
    ruleset: Ruleset,
) -> pl.DataFrame:
    """fct_gap_year. Of a year with several common series the gap's own counts, else the label that sorts last."""
    row, pair, reference_row = common
    order = np.lexsort((points.series[row], in_series, points.year[row], pair))
    last = np.r_[pair[order][1:] != pair[order][:-1], True] if len(order) else np.zeros(0, dtype=np.bool_)
    if len(order):
        last[:-1] |= points.year[row][order][1:] != points.year[row][order][:-1]
    kept = order[last]
    row, pair, reference_row = row[kept], pair[kept], reference_row[kept]
    cell = pairs["cell"].to_numpy()[pair]
    direction = key_traits(points.keys, indicators).direction[points.cell_key[cell]]
    group, reference = points.value[row], points.value[reference_row]
    # An indicator without direction has no side on which a group is behind.
    gap = np.where(direction == 0, np.nan, direction * (reference - group) + 0.0)
    frame = with_outcome(cell_columns(points, cell), indicators).with_columns(
        pairs["reference_group_id"].gather(pl.Series(pair.astype(np.uint32))),
        school_year=pl.Series(points.year[row], dtype=pl.Int32),
        series=points.labels.cast(pl.String).gather(pl.Series(points.series[row].astype(np.uint32))),
        group_value=pl.Series(group),
        reference_value=pl.Series(reference),
        gap=pl.Series(gap).fill_nan(None),
        used=pl.Series(used[kept]),
        ruleset_version=pl.lit(ruleset.ruleset_version),
    )
    return FCT_GAP_YEAR.conform(frame, is_sorted=True)


def _pairs(points: EffectivePoints, standings: Standings) -> pl.DataFrame:
    """One row a gap, in order of cells: its cell, the reference's cell (-1 where it has no row), standing."""
    dimension = pl.col("population_group_id").str.split_exact(":", 1).struct.field("field_0")
    keys = points.keys.with_columns(dimension.alias("dimension"), pl.col("key").cast(pl.Int64))
    cells = keys[points.cell_key].with_columns(
        pl.Series("cell", np.arange(points.n_cells)), pl.Series("reporting_year", points.cell_year, dtype=pl.Int32)
    )
    where = ["community_id", "reporting_year"]
    gaps = cells.join(standings.references, on=[*where, "dimension"], how="inner", maintain_order="left")
    gaps = gaps.filter(pl.col("population_group_id") != pl.col("reference_group_id"))
    gaps = gaps.join(standings.burdened, on=[*where, "population_group_id"], how="left", maintain_order="left")
    reference_keys = keys.select(
        "community_id",
        "indicator_id",
        "geography_id",
        pl.col("population_group_id").alias("reference_group_id"),
        pl.col("key").alias("reference_key"),
    )
    on = ["community_id", "indicator_id", "geography_id", "reference_group_id"]
    gaps = gaps.join(reference_keys, on=on, how="left", maintain_order="left").sort("cell")
    reference_cell = _cells_of(
        points, gaps["reference_key"].fill_null(-1).to_numpy(), gaps["reporting_year"].cast(pl.Int64).to_numpy()
    )
    return gaps.with_columns(
        pl.Series("reference_cell", reference_cell, dtype=pl.Int64), pl.col("standing").fill_null(OTHER)
    )


def _cells_of(points: EffectivePoints, key: Ints, reporting_year: Ints) -> Ints:
    """The cell of each key and reporting year, -1 where there is none."""
    return _positions(points.cell_key * YEAR_BOUND + points.cell_year, key * YEAR_BOUND + reporting_year)


def _positions(codes: Ints, wanted: Ints) -> Ints:
    """Where each wanted code stands in the sorted codes, -1 where it is not among them."""
    if not len(codes):
        return np.full(len(wanted), -1, dtype=np.int64)
    place = np.minimum(np.searchsorted(codes, wanted), len(codes) - 1)
    return np.where(codes[place] == wanted, place, -1)


def _common_points(points: EffectivePoints, pair_of: Ints, reference_cell: Ints) -> tuple[Ints, Ints, Ints]:
    """Row, pair and the reference's row of every year in which both groups have a valid point in the same series."""
    valid = points.valid()
    row, cell = points.row[valid], points.cell[valid]
    n_series = max(len(points.labels), 1)
    place = points.series[row] * YEAR_BOUND + points.year[row]
    codes = cell * (n_series * YEAR_BOUND) + place
    ours = pair_of[cell] >= 0
    pair = pair_of[cell[ours]]
    # A missing reference cell, -1, makes a negative code, which no point has.
    theirs = _positions(codes, reference_cell[pair] * (n_series * YEAR_BOUND) + place[ours])
    both = theirs >= 0
    return row[ours][both], pair[both], row[theirs[both]]


def _classify_in_blocks(
    grid: windows.WindowGrid, group: Floats, reference: Floats, direction: Floats, ruleset: Ruleset
) -> GapEstimates | None:
    x = windows.window_positions(ruleset.trend.max_years)
    parts = [
        classify_gaps(x, group[:, b], reference[:, b], grid.present[:, b], direction[b], ruleset)
        for b in regression.column_blocks(group.shape[1])
    ]
    if not parts:
        return None
    names = [field.name for field in fields(GapEstimates)]
    return GapEstimates(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in names})


def _gap_table(
    points: EffectivePoints,
    pairs: pl.DataFrame,
    found: windows.Windows,
    verdict: npt.NDArray[np.int8],
    determined: Ints,
    estimates: GapEstimates | None,
    indicators: pl.DataFrame,
    ruleset: Ruleset,
) -> pl.DataFrame:
    status = np.full(pairs.height, UNDETERMINED, dtype=np.int8)
    declined = np.zeros(pairs.height, dtype=np.bool_)
    columns = window_columns(points, found)
    columns["reason"] = texts(verdict, windows.REASONS)
    for field in fields(GapEstimates):
        if field.name not in ("status", "reference_declined"):
            values = np.zeros(0) if estimates is None else getattr(estimates, field.name)
            columns[field.name] = scatter(values, determined, pairs.height)
    if estimates is not None:
        status[determined], declined[determined] = estimates.status, estimates.reference_declined
    frame = with_outcome(cell_columns(points, pairs["cell"].to_numpy()), indicators).with_columns(
        pairs["reference_group_id"],
        pairs["dimension"],
        pairs["standing"],
        **columns,
        gap_status=texts(status, GAP_STATUSES),
        reference_declined=pl.Series(declined),
        ruleset_version=pl.lit(ruleset.ruleset_version),
    )
    return FCT_GAP.conform(frame, is_sorted=True)
