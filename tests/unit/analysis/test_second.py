"""The second computation finds what the first got wrong, and nothing else.

Belongs here: tests of second.py.
Does not: the numbers themselves.
"""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from dagster_project.lib.analysis.figures.second import (
    _CELL,
    _compare,
    _fit_by_pattern,
    check_gaps,
    check_trends,
)
from dagster_project.lib.analysis.figures.windows import latest_windows
from dagster_project.lib.analysis.run import compute_figures
from dagster_project.lib.base.ruleset import Ruleset
from tests.unit.analysis.builders import INDICATORS, inputs, known, tables, yearly

GROUPS = ("all", "race_ethnicity:white", "race_ethnicity:black")


def values() -> pl.DataFrame:
    """Three groups with different holes."""
    rows = yearly({2018: 50.0, 2020: 53.0, 2021: 55.0, 2022: 54.0}, population_group_id=GROUPS[0])
    rows += yearly({2019: 50.0, 2020: 51.5, 2021: 52.0, 2022: 60.0}, population_group_id=GROUPS[1])
    rows += yearly({2018: 30.0, 2019: 31.5, 2020: 35.0, 2021: 34.0, 2022: 39.0}, population_group_id=GROUPS[2])
    return known(rows + [row | {"indicator_id": "down", "value": 90 - row["value"]} for row in rows])


def test_both_computations_agree(ruleset: Ruleset) -> None:
    result = compute_figures(inputs(values(), 2024), ruleset)
    for second in (result.second_trends, result.second_gaps):
        assert second.agrees
        assert second.n_compared > 0
        assert second.max_difference < 1e-9
    determined = result.tables["fct_trend"]["slope"].count()
    assert result.second_trends.n_compared == 2 * determined


@pytest.mark.parametrize(("shift", "agrees"), [(0.9e-9, True), (2e-9, False)])
def test_a_slope_that_is_off_by_more_than_epsilon_is_found(shift: float, agrees: bool, ruleset: Ruleset) -> None:
    found = tables(values(), 2022, ruleset)
    trend = found["fct_trend"].with_columns(
        pl.when(pl.int_range(pl.len()) == 2).then(pl.col("slope") + shift).otherwise("slope").alias("slope")
    )
    second = check_trends(trend, found["trend_point_span"], ruleset.epsilon)
    assert second.agrees is agrees
    if not agrees:
        row = second.differences.row(0, named=True)
        key = ["community_id", "indicator_id", "population_group_id", "geography_id", "reporting_year"]
        assert tuple(row[name] for name in key) == trend.select(key).row(2)
        assert (row["figure"], second.differences.height) == ("slope", 1)


def test_a_slope_that_should_not_be_there_or_is_missing_is_found(ruleset: Ruleset) -> None:
    found = tables(values(), 2025, ruleset)
    trend = found["fct_trend"]
    stale = trend.with_columns(pl.col("slope").fill_null(0.0))
    assert not check_trends(stale, found["trend_point_span"], ruleset.epsilon).agrees
    gone = trend.with_columns(slope=pl.lit(None, pl.Float64))
    assert not check_trends(gone, found["trend_point_span"], ruleset.epsilon).agrees


def test_a_gap_slope_that_is_off_is_found(ruleset: Ruleset) -> None:
    found = tables(values(), 2022, ruleset)
    gap = found["fct_gap"].with_columns(pl.col("reference_slope") + 1e-6)
    second = check_gaps(gap, found["trend_point_span"], INDICATORS, ruleset.epsilon)
    assert set(second.differences["figure"]) == {"reference_slope"}
    assert second.max_difference == pytest.approx(1e-6)


def test_nothing_to_compare_agrees(ruleset: Ruleset) -> None:
    result = compute_figures(inputs(known([]), 2024), ruleset)
    assert result.second_trends.agrees
    assert result.second_gaps.n_compared == 0


def test_two_years_have_a_line_and_one_year_has_none() -> None:
    key = {name: ["two", "two", "one"] for name in _CELL}
    points = pl.DataFrame({**key, "x": [-1, 0, 0], "value": [1.0, 3.0, 5.0]})
    fitted = {row[_CELL[0]]: row for row in _fit_by_pattern(points, ["value"]).iter_rows(named=True)}
    assert fitted["two"]["value_slope"] == pytest.approx(2.0)
    assert fitted["two"]["value_intercept"] == pytest.approx(3.0)
    assert (fitted["one"]["value_slope"], fitted["one"]["value_intercept"]) == (None, None)


def test_a_difference_as_large_as_the_tolerance_agrees_and_a_figure_of_one_computation_alone_does_not() -> None:
    key = dict.fromkeys(_CELL, "")
    rows = [(2.0, 2.25), (2.25, 2.0), (2.0, 2.375), (2.375, 2.0), (None, 1.0), (1.0, None), (None, None)]
    first, second = (
        pl.DataFrame([{**key, "community_id": f"c{n}", "slope": row[i]} for n, row in enumerate(rows)]) for i in (0, 1)
    )
    found = _compare(first, second, {"slope": "slope"}, 0.25)
    assert found.differences["community_id"].to_list() == ["c2", "c3", "c4", "c5"]
    assert (found.n_compared, found.max_difference, found.agrees) == (6, 0.375, False)
    same = _compare(first.head(2), second.head(2), {"slope": "slope"}, 0.25)
    assert (same.n_compared, same.max_difference, same.agrees) == (2, 0.25, True)


@pytest.mark.parametrize("years", [61, 62])
def test_a_window_longer_than_an_integer_has_bits_cannot_be_computed_again(years: int) -> None:
    points = pl.DataFrame({**{name: ["a", "a"] for name in _CELL}, "x": [-years, 0], "value": [0.0, float(years)]})
    if years == 61:
        assert _fit_by_pattern(points, ["value"])["value_slope"].item() == pytest.approx(1.0)
        return
    with pytest.raises(ValueError, match="more than 62 years"):
        _fit_by_pattern(points, ["value"])


def test_only_valid_years_of_the_window_count_in_a_gap_that_is_computed_again(ruleset: Ruleset) -> None:
    """Before the window, and within it a year of few persons, values are far from the line."""
    rows = yearly({2014: 99.0, 2018: 50.0, 2019: 51.0, 2021: 53.0, 2022: 54.0}, population_group_id=GROUPS[1])
    rows += yearly({2014: 1.0, 2018: 30.0, 2019: 32.0, 2021: 36.0, 2022: 38.0}, population_group_id=GROUPS[2])
    few = [{**row, "school_year": 2020, "value": 0.0, "denominator": 9} for row in (rows[0], rows[5])]
    found = tables(known([*rows, *few]), 2022, ruleset)
    second = check_gaps(found["fct_gap"], found["trend_point_span"], INDICATORS, 1e-9)
    assert second.agrees and second.n_compared == 3 * found["fct_gap"]["group_slope"].count() > 0


def test_cells_without_a_point_have_no_window_and_no_point_in_one(ruleset: Ruleset) -> None:
    none = np.zeros(0, dtype=np.int64)
    found = latest_windows(none, none, none, 2, ruleset.trend)
    assert (found.in_segment.shape, found.in_window.shape) == ((0,), (0,))
    assert [column.tolist() for column in (found.n_valid, found.n_years)] == [[0, 0], [0, 0]]
    assert [column.tolist() for column in (found.series, found.first_year, found.last_year)] == [[-1, -1]] * 3
