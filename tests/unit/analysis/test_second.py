"""The second computation finds what the first got wrong, and nothing else.

Belongs here: tests of second.py.
Does not: the numbers themselves.
"""

from __future__ import annotations

import polars as pl
import pytest

from dagster_project.lib.analysis.figures.second import _CELL, _fit_by_pattern, check_gaps, check_trends
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
