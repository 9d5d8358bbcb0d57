"""Segments and windows of RULES 2 and 3, for every cell at once.

Belongs here: cutting sorted points into segments, choosing the latest, the window, duration, recency, reasons.
Does not: what a valid point is, or any slope.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dagster_project.lib.analysis.figures.regression import Bools, Floats, Ints
from dagster_project.lib.base.ruleset import TrendRules

# Codes of a cell's verdict; texts in REASONS, in the order in which RULES 3 tries them.
DETERMINED, NO_DATA, INTERVAL_ONLY, SMALL_N, LOW_COVERAGE, STALE, SERIES_BREAK, TOO_FEW_POINTS = range(8)
REASONS: tuple[str | None, ...] = (
    None,
    "no_data",
    "interval_only",
    "small_n",
    "low_coverage",
    "stale",
    "series_break",
    "too_few_points",
)


@dataclass(frozen=True, eq=False)
class Windows:
    """The latest segment's window of every cell; -1 and 0 stand for a cell without points."""

    n_valid: Ints
    series: Ints
    first_year: Ints
    last_year: Ints
    n_years: Ints
    in_segment: Bools
    in_window: Bools


def latest_windows(cell: Ints, series: Ints, year: Ints, n_cells: int, rules: TrendRules) -> Windows:
    """Choose the latest segment of each cell and cut it to the window.

    cell, series, year: (P,) valid points sorted by the three, series numbered in the order of their labels.
    The latest segment has the latest last point; ties: the most points, then the label that sorts last (RULES 2).
    """
    chosen_series, first_year, last_year = (np.full(n_cells, -1, dtype=np.int64) for _ in range(3))
    if not len(cell):
        nothing = np.zeros(0, dtype=np.bool_)
        zero = np.zeros(n_cells, dtype=np.int64)
        return Windows(zero, chosen_series, first_year, last_year, zero.copy(), nothing, nothing.copy())
    start, length = _segments(cell, series, year, rules.max_gap_years)
    winner = _latest_segments(cell[start], series[start], year[start + length - 1], length)
    won_cell = cell[start[winner]]
    chosen_series[won_cell] = series[start[winner]]
    last_year[won_cell] = year[start[winner] + length[winner] - 1]
    in_segment = np.repeat(winner, length)
    in_window = in_segment & (year > last_year[cell] - rules.max_years)
    points = np.flatnonzero(in_window)
    leads = np.r_[True, cell[points][1:] != cell[points][:-1]]
    first_year[cell[points[leads]]] = year[points[leads]]
    n_valid = np.bincount(cell, minlength=n_cells).astype(np.int64)
    n_years = np.bincount(cell[points], minlength=n_cells).astype(np.int64)
    return Windows(n_valid, chosen_series, first_year, last_year, n_years, in_segment, in_window)


def _segments(cell: Ints, series: Ints, year: Ints, max_gap: int) -> tuple[Ints, Ints]:
    """Start and length of every run of one cell and series whose adjacent years are at most `max_gap` apart."""
    breaks = (cell[1:] != cell[:-1]) | (series[1:] != series[:-1]) | (year[1:] - year[:-1] > max_gap)
    start = np.flatnonzero(np.r_[True, breaks])
    return start, np.diff(np.append(start, len(cell)))


def _latest_segments(cell: Ints, series: Ints, last_year: Ints, length: Ints) -> Bools:
    """Mark one segment a cell: the maximum of (last year, length, series), packed into one integer to compare."""
    rank = (last_year - last_year.min()) * (length.max() + 1) + length
    rank = rank * (series.max() + 1) + series
    lead = np.flatnonzero(np.r_[True, cell[1:] != cell[:-1]])
    best = np.maximum.reduceat(rank, lead)
    winner: Bools = rank == np.repeat(best, np.diff(np.append(lead, len(cell))))
    return winner


def verdicts(windows: Windows, reporting_year: Ints, rules: TrendRules) -> npt.NDArray[np.int8]:
    """DETERMINED or the first reason that applies, per cell; NO_DATA where a cell has no valid point at all."""
    long_enough = (windows.n_years >= rules.min_points) & (
        windows.last_year - windows.first_year >= rules.min_span_years
    )
    tests = [
        windows.n_valid == 0,
        reporting_year - windows.last_year > rules.recency_years,
        long_enough,
        windows.n_valid >= rules.min_points,
    ]
    return np.select(tests, [NO_DATA, STALE, DETERMINED, SERIES_BREAK], TOO_FEW_POINTS).astype(np.int8)


def window_positions(max_years: int) -> Floats:
    """Years relative to the last one, (max_years, 1): the shared x of every window matrix."""
    return np.arange(1 - max_years, 1, dtype=np.float64)[:, None]


@dataclass(frozen=True, eq=False)
class WindowGrid:
    """Where the window points of chosen cells stand in a (max_years, K) matrix; row = year - last_year + W - 1."""

    cells: Ints
    points: Ints
    row: Ints
    column: Ints
    present: Bools

    def fill(self, values: Floats) -> Floats:
        """Matrix of per-point values (same length as the points given to `window_grid`), 0 where absent."""
        matrix = np.zeros(self.present.shape)
        matrix[self.row, self.column] = values[self.points]
        return matrix


def window_grid(windows: Windows, cell: Ints, year: Ints, chosen: Bools, max_years: int) -> WindowGrid:
    """Lay the window points of the chosen cells, (n_cells,) bool, out as columns of a matrix."""
    cells = np.flatnonzero(chosen)
    column_of = np.cumsum(chosen) - 1
    points = np.flatnonzero(windows.in_window & chosen[cell])
    column = column_of[cell[points]]
    row = year[points] - windows.last_year[cell[points]] + max_years - 1
    present = np.zeros((max_years, len(cells)), dtype=np.bool_)
    present[row, column] = True
    return WindowGrid(cells, points, row, column, present)
