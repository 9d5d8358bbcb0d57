"""Trends: every status, every reason, every threshold at, below and above it (RULES 2 and 3).

Belongs here: tests of known.py, windows.py and trend.py on small cases.
Does not: random series (test_against_reference.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl
import pytest

from dagster_project.lib.analysis.figures.trend import DECLINING, MAINTAINED, Traits, trend_status
from dagster_project.lib.analysis.tables import FCT_TREND, TREND_POINT_SPAN
from dagster_project.lib.analysis.tables.spans import at_year
from dagster_project.lib.base.ruleset import Ruleset
from tests.unit.analysis.builders import first_years, known, trends, yearly

R = 2024


def run(rows: Iterable[Mapping[str, Any]], ruleset: Ruleset, last: int = R) -> tuple[pl.DataFrame, pl.DataFrame]:
    frame = known(rows)
    return trends(frame, first_years(frame), last, ruleset)


def trend_at(rows: Iterable[Mapping[str, Any]], ruleset: Ruleset, year: int = R) -> dict[str, Any]:
    """The only trend of the rows at a reporting year."""
    return run(rows, ruleset, year)[0].filter(pl.col("reporting_year") == year).row(0, named=True)


def fates(rows: Iterable[Mapping[str, Any]], ruleset: Ruleset, year: int = R) -> dict[tuple[str, int], str]:
    """(series, school year) to left_out_reason, or `used`."""
    points = at_year(run(rows, ruleset, year)[1], year)
    assert (points["used"] == points["left_out_reason"].is_null()).all()
    pairs = points.select("series", "school_year", pl.col("left_out_reason").fill_null("used"))
    return {(series, school_year): reason for series, school_year, reason in pairs.iter_rows()}


def line(slope: float, years: Iterable[int] = range(2021, 2025), start: float = 50.0) -> dict[int, float]:
    """Values on a line."""
    years = list(years)
    return {year: start + slope * (year - years[0]) for year in years}


# --- status -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("slope", "status"),
    [
        (2.0, "improving"),
        (2e-9, "improving"),
        (0.5e-9, "maintained"),
        (0.0, "maintained"),
        (-0.499, "maintained"),
        (-0.5, "maintained"),
        (-0.5 - 0.5e-9, "maintained"),
        (-0.5 - 1e-8, "declining"),
        (-0.501, "declining"),
    ],
)
def test_the_status_of_a_percentage_turns_at_zero_and_at_half_a_point(
    slope: float, status: str, ruleset: Ruleset
) -> None:
    # Around zero, so that a slope of 1e-9 is not lost in the digits of the values.
    values = line(slope, start=-1.5 * slope)
    assert trend_at(yearly(values), ruleset)["trend_status"] == status
    mirrored = {year: -value for year, value in values.items()}
    assert trend_at(yearly(mirrored, indicator_id="down"), ruleset)["trend_status"] == status


def test_a_slope_on_the_last_bit_of_the_tolerance_is_maintained(ruleset: Ruleset) -> None:
    edge = -ruleset.trend.maintain_tolerance - ruleset.epsilon
    slopes, percent = np.array([edge, np.nextafter(edge, -1)]), Traits(np.ones(2), np.ones(2, dtype=bool))
    assert trend_status(slopes, np.zeros(2), percent, ruleset).tolist() == [MAINTAINED, DECLINING]


@pytest.mark.parametrize(("slope", "status"), [(-0.99, "maintained"), (-1.0, "maintained"), (-1.01, "declining")])
def test_other_units_may_fall_by_half_a_percent_of_the_window_mean(slope: float, status: str, ruleset: Ruleset) -> None:
    values = line(slope, start=200.0 - 1.5 * slope)
    assert trend_at(yearly(values, indicator_id="score"), ruleset)["trend_status"] == status


def test_an_indicator_without_direction_has_estimates_and_no_status(ruleset: Ruleset) -> None:
    row = trend_at(yearly(line(2.0), indicator_id="flat"), ruleset)
    assert (row["slope"], row["adjusted_slope"], row["trend_status"], row["reason"]) == (2.0, 0.0, None, None)


def test_lower_is_better_turns_the_slope_and_keeps_the_raw_one(ruleset: Ruleset) -> None:
    row = trend_at(yearly(line(-2.0), indicator_id="down"), ruleset)
    assert (row["slope"], row["adjusted_slope"], row["trend_status"]) == (-2.0, 2.0, "improving")


# --- estimates ----------------------------------------------------------------------------------------------------


def test_the_intercept_is_the_fitted_value_at_the_last_year(ruleset: Ruleset) -> None:
    row = trend_at(yearly({2022: 40.0, 2023: 43.0, 2024: 44.0}), ruleset)
    assert row["slope"] == pytest.approx(2.0)
    assert row["intercept"] == pytest.approx(127 / 3 + 2)
    assert row["slope_stderr"] == pytest.approx((2 / 3 / 2) ** 0.5)
    assert row["slope_ci_high"] - row["slope"] == pytest.approx(12.706204736 * (1 / 3) ** 0.5)
    assert row["r_squared"] == pytest.approx(1 - (2 / 3) / (26 / 3))
    assert (row["first_year"], row["last_year"], row["n_years"]) == (2022, 2024, 3)


def test_constant_values_are_maintained_without_r_squared(ruleset: Ruleset) -> None:
    row = trend_at(yearly(line(0.0)), ruleset)
    assert (row["slope"], row["r_squared"], row["trend_status"]) == (0.0, None, "maintained")


def test_sizes_give_weights_and_binomial_bounds_only_when_all_points_have_one(ruleset: Ruleset) -> None:
    with_all = trend_at(yearly(line(2.0), denominator=100), ruleset)
    assert with_all["slope_weighted"] == pytest.approx(2.0)
    assert with_all["slope_binomial_low"] < 2.0 < with_all["slope_binomial_high"]
    assert 0.5 < with_all["prob_slope_positive"] < 1.0
    rows = yearly(line(2.0), denominator=100)
    rows[1]["denominator"] = None
    without = trend_at(rows, ruleset)
    names = ("slope_weighted", "slope_binomial_low", "slope_binomial_high", "prob_slope_positive")
    assert [without[name] for name in names] == [None] * 4
    assert without["slope"] == 2.0


def test_binomial_bounds_are_for_percentages_with_some_spread(ruleset: Ruleset) -> None:
    score = trend_at(yearly(line(2.0), indicator_id="score", denominator=100), ruleset)
    assert (score["slope_binomial_low"], score["prob_slope_positive"]) == (None, None)
    assert score["slope_weighted"] is not None
    certain = trend_at(yearly({2022: 100.0, 2023: 100.0, 2024: 100.0}, denominator=50), ruleset)
    assert (certain["slope_binomial_high"], certain["prob_slope_positive"]) == (None, None)


def test_the_probability_is_that_of_the_adjusted_slope(ruleset: Ruleset) -> None:
    row = trend_at(yearly(line(-2.0), indicator_id="down", denominator=100), ruleset)
    assert row["prob_slope_positive"] > 0.5
    assert row["slope_binomial_high"] == pytest.approx(-row["slope_binomial_low"] - 4.0)


@pytest.mark.parametrize(
    ("values", "robustness"),
    [
        ({2021: 50.0, 2022: 52.0, 2023: 54.0, 2024: 56.0}, "robust"),
        ({2021: 50.0, 2022: 49.0, 2023: 48.0, 2024: 56.0}, "fragile"),
        ({2022: 50.0, 2023: 52.0, 2024: 54.0}, "undetermined"),
        ({2020: 50.0, 2021: 52.0}, "undetermined"),
    ],
)
def test_robust_means_the_same_status_without_any_single_year(
    values: dict[int, float | None], robustness: str, ruleset: Ruleset
) -> None:
    assert trend_at(yearly(values), ruleset)["robustness"] == robustness


def test_theil_sen_is_the_median_of_pairwise_slopes(ruleset: Ruleset) -> None:
    row = trend_at(yearly({2021: 50.0, 2022: 51.0, 2023: 52.0, 2024: 80.0}), ruleset)
    assert row["slope_theil_sen"] == pytest.approx((1 + 10) / 2)


# --- what counts as a point ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("size", "fate"), [(9, "small_n"), (10, "used"), (11, "used"), (None, "used")])
def test_a_known_denominator_must_be_ten(size: int | None, fate: str, ruleset: Ruleset) -> None:
    rows = yearly(line(1.0, range(2020, 2025)))
    rows[2]["denominator"] = size
    assert fates(rows, ruleset)["default", 2022] == fate


def test_every_point_is_listed_with_the_reason_it_was_left_out(ruleset: Ruleset) -> None:
    rows = [
        *yearly({2012: 1.0}, series="old test"),
        *yearly({2017: 40.0, 2018: 41.0, 2019: 42.0, 2020: 43.0, 2022: 44.0, 2023: 45.0}),
        *yearly({2024: None}, value_status="suppressed_at_source"),
        *yearly({2021: None}, value_low=0.0, value_high=5.0, value_status="range"),
        *yearly({2025: 46.0}),
        *yearly({2016: 39.0}, denominator=4),
        *yearly({2015: 39.0}, value_status="low_coverage"),
        *yearly({2014: None}, value_status="missing"),
    ]
    found = fates(rows, ruleset)
    assert found == {
        ("old test", 2012): "other_segment",
        ("default", 2014): "missing",
        ("default", 2015): "low_coverage",
        ("default", 2016): "small_n",
        ("default", 2017): "outside_window",
        ("default", 2018): "outside_window",
        ("default", 2019): "used",
        ("default", 2020): "used",
        ("default", 2021): "interval",
        ("default", 2022): "used",
        ("default", 2023): "used",
        ("default", 2024): "suppressed_at_source",
        ("default", 2025): "after_reporting_year",
    }


def test_points_of_an_undetermined_trend_carry_its_reason(ruleset: Ruleset) -> None:
    assert fates(yearly({2023: 1.0, 2024: 2.0}), ruleset) == {
        ("default", 2023): "too_few_points",
        ("default", 2024): "too_few_points",
    }


def test_points_keep_their_source(ruleset: Ruleset) -> None:
    rows = yearly({2024: 1.0}, source_file="a.xlsx", source_sheet="s", source_row=7, submission_id="x", numerator=3)
    point = run(rows, ruleset)[1].row(-1, named=True)
    names = ("source_file", "source_sheet", "source_row", "submission_id", "numerator")
    assert [point[name] for name in names] == ["a.xlsx", "s", 7, "x", 3]


# --- segments and windows -----------------------------------------------------------------------------------------


def test_one_missing_year_does_not_end_a_segment_and_two_do(ruleset: Ruleset) -> None:
    one = trend_at(yearly({2019: 1.0, 2021: 2.0, 2022: 3.0, 2023: 4.0}), ruleset)
    assert (one["first_year"], one["n_years"]) == (2019, 4)
    two = trend_at(yearly({2018: 1.0, 2021: 2.0, 2022: 3.0, 2023: 4.0}), ruleset)
    assert (two["first_year"], two["n_years"]) == (2021, 3)


def test_a_masked_year_is_a_missing_year(ruleset: Ruleset) -> None:
    rows = yearly({2019: 1.0, 2020: None, 2021: None, 2022: 3.0, 2023: 4.0, 2024: 5.0}, value_status="missing")
    assert trend_at(rows, ruleset)["first_year"] == 2022


def test_points_of_another_series_in_between_do_not_end_a_segment(ruleset: Ruleset) -> None:
    rows = yearly({2021: 1.0, 2023: 2.0, 2024: 3.0}) + yearly({2022: 9.0}, series="pilot")
    row = trend_at(rows, ruleset)
    assert (row["series"], row["first_year"], row["n_years"]) == ("default", 2021, 3)


def test_no_slope_crosses_a_segment(ruleset: Ruleset) -> None:
    rows = yearly({2020: 90.0, 2021: 90.0}, series="old") + yearly(line(1.0, range(2022, 2025), 10.0), series="new")
    row = trend_at(rows, ruleset)
    assert (row["series"], row["slope"], row["first_year"]) == ("new", 1.0, 2022)


@pytest.mark.parametrize(
    ("rows", "series"),
    [
        (yearly({2022: 1.0, 2023: 1.0}, series="b") + yearly({2022: 1.0, 2024: 1.0}, series="a"), "a"),
        (yearly({2023: 1.0, 2024: 1.0}, series="b") + yearly({2022: 1.0, 2023: 1.0, 2024: 1.0}, series="a"), "a"),
        (yearly({2023: 1.0, 2024: 1.0}, series="b") + yearly({2022: 1.0, 2024: 1.0}, series="a"), "b"),
        (yearly({2024: 1.0}, series="Z") + yearly({2024: 1.0}, series="a"), "a"),
    ],
    ids=["latest last point", "most points", "label that sorts last", "labels sort by code"],
)
def test_the_latest_segment_and_its_ties(rows: list[dict[str, Any]], series: str, ruleset: Ruleset) -> None:
    assert trend_at(rows, ruleset)["series"] == series


def test_most_points_counts_the_segment_and_not_its_window(ruleset: Ruleset) -> None:
    longer = yearly(dict.fromkeys((2017, 2019, 2020, 2022, 2024), 1.0), series="a")
    denser = yearly(dict.fromkeys((2021, 2022, 2023, 2024), 1.0), series="b")
    row = trend_at(longer + denser, ruleset)
    assert (row["series"], row["first_year"], row["n_years"]) == ("a", 2020, 3)


def test_the_window_holds_five_years_back_from_the_last_point(ruleset: Ruleset) -> None:
    row = trend_at(yearly(line(1.0, range(2015, 2024))), ruleset)
    assert (row["first_year"], row["last_year"], row["n_years"]) == (2019, 2023, 5)
    shorter = replace(ruleset, trend=replace(ruleset.trend, max_years=4))
    assert trend_at(yearly(line(1.0, range(2015, 2024))), shorter)["n_years"] == 4


# --- reasons, in their order --------------------------------------------------------------------------------------

MASK = yearly({2024: None}, value_status="suppressed_at_source")
INTERVAL = yearly({2023: None}, value_low=0.0, value_high=5.0, value_status="range")
SMALL = yearly({2022: 5.0}, denominator=9)
THIN = yearly({2021: 5.0}, value_status="low_coverage")
LATER = yearly({2025: 5.0})


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        (MASK, "no_data"),
        (LATER, "no_data"),
        (MASK + INTERVAL, "interval_only"),
        (MASK + INTERVAL + SMALL, "small_n"),
        (SMALL + THIN, "small_n"),
        (INTERVAL + THIN, "low_coverage"),
        (yearly({2021: 5.0}, value_status="low_coverage", denominator=9), "small_n"),
        (yearly({2017: 1.0, 2018: 2.0, 2019: 3.0, 2020: 4.0, 2021: 5.0}), "stale"),
        (yearly({2021: 5.0}), "stale"),
        (yearly({2021: 1.0, 2022: 1.0}) + yearly({2023: 1.0, 2024: 1.0}, series="new"), "series_break"),
        (yearly({2018: 1.0, 2021: 1.0, 2024: 1.0}), "series_break"),
        (yearly({2022: 1.0, 2024: 1.0}), "too_few_points"),
        (yearly({2024: 1.0}) + MASK[:0] + SMALL + INTERVAL, "too_few_points"),
    ],
)
def test_an_undetermined_trend_says_the_first_reason(rows: list[dict[str, Any]], reason: str, ruleset: Ruleset) -> None:
    row = trend_at(rows, ruleset)
    assert (row["trend_status"], row["reason"]) == ("undetermined", reason)
    estimates = [name for name in FCT_TREND.schema if "slope" in name or name in ("intercept", "r_squared")]
    assert {row[name] for name in estimates} == {None}


@pytest.mark.parametrize(("year", "reason"), [(2022, None), (2023, None), (2024, None), (2025, "stale")])
def test_a_trend_is_stale_more_than_two_years_after_its_last_point(
    year: int, reason: str | None, ruleset: Ruleset
) -> None:
    assert trend_at(yearly(line(1.0, range(2020, 2023))), ruleset, year)["reason"] == reason


@pytest.mark.parametrize(
    ("years", "determined"), [((2023, 2024), False), ((2022, 2023, 2024), True), ((2020, 2022, 2024), True)]
)
def test_three_points_over_two_years_make_a_trend(years: tuple[int, ...], determined: bool, ruleset: Ruleset) -> None:
    assert (trend_at(yearly(dict.fromkeys(years, 1.0)), ruleset)["reason"] is None) is determined


def test_points_and_span_are_two_tests(ruleset: Ruleset) -> None:
    rules = replace(ruleset, trend=replace(ruleset.trend, min_points=3, min_span_years=3))
    assert trend_at(yearly(line(1.0, range(2022, 2025))), rules)["trend_status"] == "undetermined"
    assert trend_at(yearly(line(1.0, range(2021, 2025))), rules)["trend_status"] == "improving"


def test_an_undetermined_trend_still_describes_its_window(ruleset: Ruleset) -> None:
    row = trend_at(yearly({2022: 1.0, 2024: 1.0}), ruleset)
    assert (row["series"], row["first_year"], row["last_year"], row["n_years"]) == ("default", 2022, 2024, 2)
    empty = trend_at(MASK, ruleset)
    assert (empty["series"], empty["first_year"], empty["last_year"], empty["n_years"]) == (None, None, None, 0)


# --- as known at a reporting year ---------------------------------------------------------------------------------


def test_a_restatement_counts_from_its_reporting_year_on(ruleset: Ruleset) -> None:
    rows = yearly({2020: 10.0, 2021: 11.0}, known_from=2021)
    rows += yearly({2022: 12.0}, known_from=2022, known_to=2022) + yearly({2022: 9.0}, known_from=2023)
    trend, points = run(rows, ruleset, 2023)
    slopes = dict(trend.select("reporting_year", "slope").iter_rows())
    assert slopes == {2021: None, 2022: pytest.approx(1.0), 2023: pytest.approx(-0.5)}
    assert points.filter(pl.col("school_year") == 2022)["value"].to_list() == [12.0, 9.0]


def test_a_later_mask_takes_the_value_away(ruleset: Ruleset) -> None:
    rows = yearly({2020: 10.0, 2021: 11.0}, known_from=2021) + yearly({2022: 12.0}, known_from=2022, known_to=2022)
    rows += yearly({2022: None}, known_from=2023, value_status="suppressed_at_source")
    assert trend_at(rows, ruleset, 2022)["trend_status"] == "improving"
    assert trend_at(rows, ruleset, 2023)["reason"] == "too_few_points"


def test_a_key_has_a_row_from_its_first_effective_row_to_the_last_reporting_year(ruleset: Ruleset) -> None:
    rows = [*yearly({2021: 1.0}, known_from=2021), *yearly({2023: None}, known_from=2023, indicator_id="down")]
    trend, _ = run(rows, ruleset, 2025)
    years = trend.group_by("indicator_id").agg(pl.col("reporting_year")).sort("indicator_id")
    assert years["reporting_year"].to_list() == [[2023, 2024, 2025], [2021, 2022, 2023, 2024, 2025]]


def test_a_withdrawn_value_leaves_no_row(ruleset: Ruleset) -> None:
    trend, _ = run(yearly({2021: 1.0}, known_from=2021, known_to=2022), ruleset, 2025)
    assert trend["reporting_year"].to_list() == [2021, 2022]


def test_other_geographies_and_groups_have_their_own_rows(ruleset: Ruleset) -> None:
    rows = yearly({2024: 1.0}, geography_id="district-1") + yearly({2024: 1.0}, population_group_id="gender:female")
    trend, _ = run([*rows, *yearly({2024: 2.0})], ruleset, 2020)
    assert trend.select("population_group_id", "geography_id").rows() == [
        ("all", "district-1"),
        ("all", "elm"),
        ("gender:female", "elm"),
    ]


# --- form ---------------------------------------------------------------------------------------------------------


def test_no_values_give_empty_tables(ruleset: Ruleset) -> None:
    trend, spans = run([], ruleset)
    assert trend.equals(FCT_TREND.empty())
    assert spans.equals(TREND_POINT_SPAN.empty())


def test_results_do_not_depend_on_the_order_of_the_input(ruleset: Ruleset) -> None:
    rows = yearly(line(1.3)) + yearly(line(0.7), series="b") + yearly(line(2.1), community_id="oak")
    for first, second in zip(run(rows, ruleset), run(rows[::-1], ruleset), strict=True):
        assert first.equals(second)


def test_rows_carry_outcome_and_ruleset_version(ruleset: Ruleset) -> None:
    row = trend_at(yearly(line(1.0)), ruleset)
    assert (row["outcome_id"], row["ruleset_version"]) == ("early_grade_reading", "1.1.0")


def test_two_versions_in_force_at_once_are_refused(ruleset: Ruleset) -> None:
    rows = yearly({2022: 1.0}, known_from=2022) + yearly({2022: 2.0}, known_from=2023)
    with pytest.raises(ValueError, match=r"two rows are effective for one value.*'school_year': 2022"):
        run(rows, ruleset)


def test_unknown_indicators_communities_and_columns_are_named(ruleset: Ruleset) -> None:
    with pytest.raises(ValueError, match=r"without a direction in the dictionary: \['nope'\]"):
        run(yearly({2024: 1.0}, indicator_id="nope"), ruleset)
    frame = known(yearly({2024: 1.0}))
    with pytest.raises(ValueError, match=r"without a first submission: \['elm'\]"):
        trends(frame, first_years(frame).clear(), R, ruleset)
    with pytest.raises(ValueError, match=r"lack the columns \['series'\]"):
        trends(frame.drop("series"), first_years(frame), R, ruleset)
