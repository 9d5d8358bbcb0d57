"""The closed forms agree with certified values and with definitions worked out the long way.

Belongs here: tests of regression.py.
Does not: windows, statuses.
"""

from __future__ import annotations

from itertools import combinations
from pathlib import Path
from statistics import median

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dagster_project.lib.analysis.figures import regression

NORRIS = Path(__file__).resolve().parents[2] / "fixtures/nist/norris.csv"
# NIST StRD, Norris (public domain): certified values.
B0, B0_SD = -0.262323073774029, 0.232818234301152
B1, B1_SD = 1.00211681802045, 0.429796848199937e-03
R_SQUARED = 0.999993745883712
NINE_DIGITS = 0.5e-9


def matrix(*columns: list[float | None]) -> tuple[np.ndarray, np.ndarray]:
    """Values (0 where None) and presence, one column a list."""
    values = np.array([[0.0 if v is None else v for v in column] for column in columns]).T
    return values, np.array([[v is not None for v in column] for column in columns]).T


def test_the_regression_reproduces_nist_norris_to_nine_digits() -> None:
    data = pl.read_csv(NORRIS)
    assert data.height == 36
    x, y = data["x"].to_numpy()[:, None], data["y"].to_numpy()[:, None]
    lines = regression.fit_lines(x, y, np.ones_like(y, dtype=bool), 1e-9)
    assert lines.slope[0] == pytest.approx(B1, rel=NINE_DIGITS)
    assert lines.intercept[0] == pytest.approx(B0, rel=NINE_DIGITS)
    assert lines.slope_stderr[0] == pytest.approx(B1_SD, rel=NINE_DIGITS)
    assert lines.intercept_stderr[0] == pytest.approx(B0_SD, rel=NINE_DIGITS)
    assert lines.r_squared[0] == pytest.approx(R_SQUARED, rel=NINE_DIGITS)


def test_norris_keeps_its_digits_among_other_series() -> None:
    data = pl.read_csv(NORRIS)
    x = np.repeat(data["x"].to_numpy()[:, None], 3, axis=1)
    y = np.stack([np.arange(36.0), data["y"].to_numpy(), np.full(36, 7.0)], axis=1)
    lines = regression.fit_lines(x, y, np.ones_like(y, dtype=bool), 1e-9)
    assert lines.slope[1] == pytest.approx(B1, rel=NINE_DIGITS)


def test_the_t_quantiles_are_those_of_the_tables() -> None:
    half = regression.t_half_width(np.ones(4), np.array([3, 4, 5, 12]), 0.95)
    assert half == pytest.approx([12.706204736, 4.302652730, 3.182446305, 2.228138852])


def test_two_points_have_a_slope_and_no_error() -> None:
    y, present = matrix([1.0, None, 5.0])
    lines = regression.fit_lines(np.array([[-2.0], [-1.0], [0.0]]), y, present, 1e-9)
    assert lines.slope[0] == 2.0
    assert np.isnan(lines.slope_stderr[0])
    assert np.isnan(regression.t_half_width(lines.slope_stderr, lines.n, 0.95)[0])


def test_two_neighbouring_years_have_a_slope() -> None:
    y, present = matrix([1.0, 5.0])
    assert regression.fit_lines(np.array([[-1.0], [0.0]]), y, present, 1e-9).slope[0] == 4.0


def test_a_single_year_has_no_slope() -> None:
    y, present = matrix([None, None, 5.0])
    lines = regression.fit_lines(np.array([[-2.0], [-1.0], [0.0]]), y, present, 1e-9)
    assert np.isnan(lines.slope[0])
    assert np.isnan(regression.theil_sen_slopes(np.array([[-2.0], [-1.0], [0.0]]), y, present)[0])


def test_constant_values_have_slope_zero_and_no_r_squared() -> None:
    y, present = matrix([33.3, 33.3, 33.3, 33.3])
    lines = regression.fit_lines(np.arange(-3.0, 1)[:, None], y, present, 1e-9)
    assert abs(lines.slope[0]) < 1e-12
    assert np.isnan(lines.r_squared[0])


def test_far_years_and_large_values_do_not_cost_digits() -> None:
    y, present = matrix([1e8 + 0.1, 1e8 + 0.2, 1e8 + 0.3])
    near = regression.fit_lines(np.arange(-2.0, 1)[:, None], y, present, 1e-9)
    far = regression.fit_lines(np.arange(2021.0, 2024)[:, None], y, present, 1e-9)
    assert near.slope[0] == far.slope[0] == pytest.approx(0.1, rel=1e-6)


def test_weights_are_honoured_and_asked_for() -> None:
    x = np.arange(-2.0, 1)[:, None]
    y, present = matrix([10.0, 20.0, 40.0], [10.0, 20.0, 40.0])
    weights, _ = matrix([1.0, 1.0, 2.0], [1.0, None, 2.0])
    slope = regression.weighted_slopes(x, y, weights, present)
    repeated = np.polyfit([-2, -1, 0, 0], [10, 20, 40, 40], 1)[0]
    assert slope[0] == pytest.approx(repeated)
    assert np.isnan(slope[1])


def test_the_binomial_deviation_is_that_of_the_slope_of_binomial_rates() -> None:
    x = np.arange(-2.0, 1)[:, None]
    y, present = matrix([50.0, 50.0, 50.0], [100.0, 100.0, 100.0])
    size = np.full_like(y, 100.0)
    lines = regression.fit_lines(x, y, present, 1e-9)
    sd = regression.binomial_slope_sd(lines, y, size, present)
    assert sd[0] == pytest.approx(np.sqrt(2 * 0.25 * 50 * 50 / 100))
    assert np.isnan(sd[1]), "a rate of 100 percent has no spread"


values = st.lists(st.one_of(st.none(), st.integers(0, 100).map(float)), min_size=6, max_size=6)


@settings(max_examples=200, derandomize=True)
@given(st.lists(values, min_size=1, max_size=5))
def test_median_of_pairs_and_leave_one_out_agree_with_their_definitions(columns: list[list[float | None]]) -> None:
    x = np.arange(-5.0, 1)[:, None]
    y, present = matrix(*columns)
    lines = regression.fit_lines(x, y, present, 1e-9)
    theil_sen = regression.theil_sen_slopes(x, y, present)
    without, means = regression.leave_one_out(lines, present)
    for k, column in enumerate(columns):
        points = [(x[i, 0], v) for i, v in enumerate(column) if v is not None]
        if len(points) >= 2:
            pairs = [(b[1] - a[1]) / (b[0] - a[0]) for a, b in combinations(points, 2)]
            assert theil_sen[k] == pytest.approx(median(pairs), abs=1e-12)
        if len(points) >= 3:
            for i in np.flatnonzero(present[:, k]):
                kept = [point for point in points if point[0] != x[i, 0]]
                xs, ys = np.array(kept).T
                assert without[i, k] == pytest.approx(np.polyfit(xs, ys, 1)[0], abs=1e-9)
                assert means[i, k] == pytest.approx(ys.mean())


def test_blocks_cover_every_column_once() -> None:
    columns = 2 * regression.BLOCK + 3
    covered = [i for block in regression.column_blocks(columns) for i in range(block.start, block.stop)]
    assert covered == list(range(columns))
    assert list(regression.column_blocks(0)) == []


def test_the_weight_of_a_year_without_a_value_moves_no_weighted_slope() -> None:
    x = np.array([[0.0], [1.0], [2.0], [3.0]])
    y = np.array([[0.0], [1.0], [2.0], [100.0]])
    present = np.array([[True], [True], [True], [False]])
    weight = np.array([[1.0], [4.0], [2.0], [5.0]])
    assert regression.weighted_slopes(x, y, weight, present) == pytest.approx([1.0])
    weight[1] = 0.0
    assert np.isnan(regression.weighted_slopes(x, y, weight, present)).all(), "a year that counts has no weight"
