"""Network figures: counts, quartiles, the constant panel, the fixed-effects slope, shares (RULES 7).

Belongs here: tests of network.py.
Does not: trends of one community.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl
import pytest

from dagster_project.lib.analysis.figures.network import compute_network
from dagster_project.lib.analysis.tables import FCT_OUTCOME_STATUS, FCT_TREND, TREND_POINT_SPAN
from dagster_project.lib.base.ruleset import Ruleset
from tests.unit.analysis import builders, reference
from tests.unit.analysis.builders import GEOGRAPHIES, INDICATORS, known, members, tables, yearly

Rows = list[dict[str, Any]]


def counted(numbers: dict[int, tuple[int, int]], **common: Any) -> Rows:
    """Rows of one community from school year to (numerator, denominator)."""
    return [
        {"school_year": year, "numerator": n, "denominator": d, "value": 100 * n / d, "indicator_id": "pool", **common}
        for year, (n, d) in numbers.items()
    ]


def network(rows: Rows, ruleset: Ruleset, last: int = 2024, indicator: str = "pool") -> dict[str, Any]:
    """The network's row of an indicator at the last reporting year."""
    found = tables(known(rows), last, ruleset)["fct_network_trend"]
    return found.row(
        by_predicate=(pl.col("indicator_id") == indicator) & (pl.col("reporting_year") == last), named=True
    )


def steady(slope: float, community: str, years: Sequence[int] = (2021, 2022, 2023, 2024)) -> Rows:
    """A community on a line."""
    return yearly({year: 50 + slope * (year - 2021) for year in years}, community_id=community)


def test_communities_are_counted_by_status_and_slopes_by_quartile(ruleset: Ruleset) -> None:
    slopes = {"a": 2.0, "b": 1.0, "c": -0.25, "d": -3.0}
    rows = [row for name, slope in slopes.items() for row in steady(slope, name)] + steady(1.0, "e", (2023, 2024))
    row = network(rows, ruleset, indicator="up")
    counts = [row[f"n_{name}"] for name in ("communities", "improving", "maintained", "declining", "undetermined")]
    assert counts == [5, 2, 1, 1, 1]
    quartiles = np.quantile(list(slopes.values()), [0.25, 0.5, 0.75])
    assert (row["slope_q1"], row["slope_median"], row["slope_q3"]) == pytest.approx(quartiles)


def test_only_communities_own_rows_enter(ruleset: Ruleset) -> None:
    rows = steady(1.0, "a") + [row | {"geography_id": "district-1"} for row in steady(-5.0, "a")]
    row = network(rows, ruleset, indicator="up")
    assert (row["n_communities"], row["slope_median"], row["fixed_effects_slope"]) == (1, 1.0, 1.0)


def test_raw_slopes_are_summarised_and_not_adjusted_ones(ruleset: Ruleset) -> None:
    rows = [row | {"indicator_id": "down"} for row in steady(-2.0, "a")]
    row = network(rows, ruleset, indicator="down")
    assert (row["slope_median"], row["n_improving"]) == (-2.0, 1)


def test_no_determined_trend_leaves_quartiles_empty(ruleset: Ruleset) -> None:
    row = network(steady(1.0, "a", (2023, 2024)), ruleset, indicator="up")
    assert [row[name] for name in ("slope_median", "slope_q1", "slope_q3", "pooled_slope")] == [None] * 4


def test_the_pooled_rate_is_that_of_the_constant_panel(ruleset: Ruleset) -> None:
    rows = counted({2022: (50, 100), 2023: (60, 100), 2024: (70, 100)}, community_id="a")
    rows += counted({2022: (100, 400), 2023: (120, 400), 2024: (140, 400)}, community_id="b")
    rows += counted({2023: (1, 100), 2024: (100, 100)}, community_id="c")
    row = network(rows, ruleset)
    assert (row["panel_size"], row["window_first_year"], row["window_last_year"]) == (2, 2022, 2024)
    assert row["pooled_rate_last"] == pytest.approx(100 * 210 / 500)
    assert row["pooled_slope"] == pytest.approx((42.0 - 30.0) / 2)


def shared(in_east: Rows, in_west: Rows) -> Rows:
    """Two communities of 100 and 400 students whose totals hold the rows given of a district they share."""
    rows = counted({2022: (50, 100), 2023: (60, 100), 2024: (70, 100)}, community_id="east")
    rows += counted({2022: (100, 400), 2023: (120, 400), 2024: (140, 400)}, community_id="west")
    of_east = [row | {"community_id": "east", "geography_id": "d1"} for row in in_east]
    return rows + of_east + [row | {"community_id": "west", "geography_id": "d2"} for row in in_west]


DISTRICT = {2022: (20, 40), 2023: (20, 40), 2024: (20, 40)}


def test_a_district_of_two_communities_counts_once_in_the_pooled_rate(ruleset: Ruleset) -> None:
    row = network(shared(counted(DISTRICT), counted(DISTRICT)), ruleset)
    assert row["panel_size"] == 2
    assert row["pooled_rate_last"] == pytest.approx(100 * (70 + 140 - 20) / (100 + 400 - 40))
    assert row["pooled_slope"] == pytest.approx(100 * ((190 / 460) - (130 / 460)) / 2)


@pytest.mark.parametrize(("until", "counted_twice"), [(2024, False), (2023, True)])
def test_a_district_is_shared_through_its_last_valid_year(
    until: int, counted_twice: bool, ruleset: Ruleset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(builders, "GEOGRAPHIES", GEOGRAPHIES.with_columns(valid_to=pl.lit(until)))
    row = network(shared(counted(DISTRICT), counted(DISTRICT)), ruleset)
    rate = 210 / 500 if counted_twice else (210 - 20) / (500 - 40)
    assert row["pooled_rate_last"] == pytest.approx(100 * rate)


def test_a_total_that_cannot_be_parted_from_a_shared_district_is_in_no_pooled_rate(ruleset: Ruleset) -> None:
    some_years = {year: counts for year, counts in DISTRICT.items() if year != 2023}
    larger = dict.fromkeys(DISTRICT, (150, 200))
    for in_west in (some_years, {}, larger):
        row = network(shared(counted(DISTRICT), counted(in_west)), ruleset)
        assert (row["panel_size"], row["pooled_rate_last"], row["n_communities"]) == (1, 70.0, 2)


def test_a_total_whose_students_who_met_are_all_of_a_shared_district_stays_with_the_others(ruleset: Ruleset) -> None:
    all_who_met = {2022: (100, 200), 2023: (120, 200), 2024: (140, 200)}
    row = network(shared(counted(DISTRICT), counted(all_who_met)), ruleset)
    assert (row["panel_size"], row["pooled_rate_last"]) == (2, pytest.approx(100 * 70 / 300))


def test_a_district_that_only_one_of_the_panel_serves_stays_in_its_total(ruleset: Ruleset) -> None:
    alone = [row for row in shared([], counted(DISTRICT)) if row["community_id"] == "west"]
    row = network(alone, ruleset)
    assert (row["panel_size"], row["pooled_rate_last"]) == (1, 35.0)


@pytest.mark.parametrize(("held_by", "years"), [(1, 2), (2, 3), (3, 3)])
def test_a_year_is_in_the_window_when_half_of_the_communities_hold_it(
    held_by: int, years: int, ruleset: Ruleset
) -> None:
    rows: Rows = []
    for index, name in enumerate("abcd"):
        first = 2022 if index < held_by else 2023
        rows += counted(dict.fromkeys(range(first, 2025), (50, 100)), community_id=name)
    row = network(rows, ruleset)
    assert row["window_n_years"] == years
    assert (row["pooled_slope"] is None) is (years < 3)
    assert row["panel_size"] == (4 if years == 2 else held_by)


@pytest.mark.parametrize(("least", "pooled"), [(2, True), (3, False)])
def test_a_pooled_slope_needs_the_span_of_years_that_a_trend_needs(least: int, pooled: bool, ruleset: Ruleset) -> None:
    longer = replace(ruleset, trend=replace(ruleset.trend, min_span_years=least))
    row = network(counted(dict.fromkeys(range(2022, 2025), (50, 100)), community_id="a"), longer)
    assert (row["panel_size"], row["pooled_slope"] is not None) == (1, pooled)


def test_rates_without_counts_and_other_indicators_are_never_pooled(ruleset: Ruleset) -> None:
    rows = yearly({2022: 50.0, 2023: 51.0, 2024: 52.0}, community_id="a", indicator_id="pool")
    row = network(rows, ruleset)
    assert (row["pooled_slope"], row["panel_size"], row["fixed_effects_slope"]) == (None, None, 1.0)
    proficient = [r | {"indicator_id": "up"} for r in counted(dict.fromkeys(range(2021, 2025), (50, 100)))]
    assert network(proficient, ruleset, indicator="up")["pooled_rate_last"] is None


def test_a_series_break_keeps_a_community_out_of_the_panel(ruleset: Ruleset) -> None:
    rows = counted(dict.fromkeys(range(2022, 2025), (50, 100)), community_id="a")
    rows += counted({2022: (50, 100), 2023: (50, 100)}, community_id="b", series="old")
    rows += counted({2024: (90, 100)}, community_id="b", series="new")
    row = network(rows, ruleset)
    assert (row["panel_size"], row["pooled_slope"]) == (1, 0.0)


def test_the_window_is_the_five_years_up_to_the_reporting_year(ruleset: Ruleset) -> None:
    rows = counted({2018: (1, 100), 2019: (1, 100), 2020: (50, 100), 2021: (50, 100), 2022: (50, 100)})
    row = network(rows, ruleset)
    assert (row["window_first_year"], row["window_last_year"], row["pooled_slope"]) == (2020, 2022, 0.0)


def test_a_changing_panel_does_not_move_the_fixed_effects_slope(ruleset: Ruleset) -> None:
    low = yearly({2021: 10.0, 2022: 10.0, 2023: 10.0}, community_id="a")
    high = yearly({2022: 90.0, 2023: 90.0, 2024: 90.0}, community_id="b")
    once = yearly({2023: 400.0}, community_id="a", series="pilot")
    row = network(low + high + once, ruleset, indicator="up")
    assert abs(row["fixed_effects_slope"]) < 1e-9
    assert row["fixed_effects_units"] == 2, "a unit with a single year says nothing about a slope"


def test_the_fixed_effects_slope_is_the_within_unit_slope(ruleset: Ruleset) -> None:
    rng = np.random.default_rng(7)
    rows: Rows = []
    for index in range(30):
        years = [year for year in range(2018, 2025) if rng.random() < 0.8]
        for series in ("default", "new")[: 1 + index % 2]:
            numbers = {year: float(rng.uniform(20, 80)) for year in years}
            rows += yearly(numbers, community_id=f"c{index:02}", series=series)
    found = network(rows, ruleset, indicator="up")
    points = [(row["community_id"] + row["series"], row["school_year"], row["value"]) for row in rows]
    window = range(found["window_first_year"], found["window_last_year"] + 1)
    expected = reference.fixed_effects(point for point in points if point[1] in window)
    assert found["window_n_years"] == 5
    assert found["fixed_effects_slope"] == pytest.approx(expected, abs=1e-9)


def test_a_window_of_two_years_pools_no_slope_but_has_one_within_communities(ruleset: Ruleset) -> None:
    rows = counted({2023: (50, 100), 2024: (60, 100)}, community_id="a")
    row = network(rows, ruleset)
    assert (row["pooled_slope"], row["fixed_effects_slope"], row["pooled_rate_last"]) == (None, 10.0, 60.0)


def test_who_entered_and_left_is_named(ruleset: Ruleset) -> None:
    rows = steady(1.0, "a") + [row | {"known_from": 2022} for row in steady(1.0, "b")]
    rows += [row | {"known_to": 2022} for row in steady(1.0, "c")]
    found = tables(known(rows), 2024, ruleset)["fct_network_trend"]
    assert found.select("reporting_year", "n_communities", "communities_entered", "communities_left").rows() == [
        (2020, 2, ["a", "c"], []),
        (2021, 2, [], []),
        (2022, 3, ["b"], []),
        (2023, 2, [], ["c"]),
        (2024, 2, [], []),
    ]


def test_a_community_that_left_is_in_no_network_figure_while_its_trends_go_on(ruleset: Ruleset) -> None:
    frame = known(steady(1.0, "a") + [row | {"known_from": 2022} for row in steady(3.0, "b")])
    found = tables(frame, 2024, ruleset, communities=members(frame, {"b": 2023}))
    network_trend = found["fct_network_trend"]
    chosen = network_trend.select("reporting_year", "n_communities", "slope_median", "communities_left").rows()[-2:]
    assert chosen == [(2023, 2, 2.0, []), (2024, 1, 1.0, ["b"])]
    assert network_trend.row(-1, named=True)["fixed_effects_slope"] == pytest.approx(1.0)
    assert found["fct_trend"].filter(community_id="b", reporting_year=2024)["slope"].to_list() == [3.0]
    outcomes = found["fct_outcome_status"].filter(community_id="b")
    assert outcomes["reporting_year"].max() == 2023
    counted_outcomes = found["fct_network_outcome"].filter(outcome_id="early_grade_reading")
    assert counted_outcomes["n_communities"].to_list()[-2:] == [2, 1]


def test_years_before_a_community_joined_are_in_no_network_figure_but_have_its_own_outcomes(ruleset: Ruleset) -> None:
    frame = known(steady(1.0, "a") + steady(3.0, "b"))
    late = pl.when(pl.col("community_id") == "b").then(2024).otherwise(0)
    joined = members(frame).with_columns(late.alias("joined_year"))
    found = tables(frame, 2024, ruleset, communities=joined)
    rows = found["fct_network_trend"].select("reporting_year", "n_communities", "communities_entered").rows()[-2:]
    assert rows == [(2023, 1, []), (2024, 2, ["b"])]
    assert found["fct_outcome_status"].filter(community_id="b", reporting_year=2020).height == 7


def test_panel_changes_are_named(ruleset: Ruleset) -> None:
    rows = counted(dict.fromkeys(range(2019, 2025), (50, 100)), community_id="a")
    rows += counted(dict.fromkeys(range(2021, 2025), (50, 100)), community_id="b")
    found = tables(known(rows), 2025, ruleset)["fct_network_trend"]
    changes = found.select("reporting_year", "panel_size", "panel_entered", "panel_left").rows()
    assert changes[-3:] == [(2023, 1, [], []), (2024, 1, [], []), (2025, 2, ["b"], [])]


def test_outcomes_are_counted_and_shared_among_the_determined(ruleset: Ruleset) -> None:
    rows = [
        ("improving", "met"),
        ("improving", "not_met"),
        ("maintained", "undetermined"),
        ("mixed", "undetermined"),
        ("undetermined", "met"),
        ("declining", "met"),
    ]
    status = pl.DataFrame(
        [
            {"community_id": f"c{i}", "outcome_id": "o", "reporting_year": 2024, "trend_status": t, "gap_reduced": g}
            for i, (t, g) in enumerate(rows)
        ],
        schema=dict(FCT_OUTCOME_STATUS.schema),
    )
    trend, spans = FCT_TREND.empty(), TREND_POINT_SPAN.empty()
    _, outcome = compute_network(trend, spans, status, members(status), GEOGRAPHIES, INDICATORS, ruleset)
    row = outcome.row(0, named=True)
    names = ("communities", "improving", "maintained", "declining", "mixed", "undetermined")
    assert [row[f"n_{name}"] for name in names] == [6, 2, 1, 1, 1, 1]
    assert [row[f"n_gap_{name}"] for name in ("met", "not_met", "undetermined")] == [3, 1, 2]
    assert (row["share_improving"], row["share_gap_reduced"]) == (2 / 5, 3 / 4)


def test_a_network_without_determined_outcomes_has_no_shares(ruleset: Ruleset) -> None:
    found = tables(known(yearly({2024: 1.0})), 2024, ruleset)["fct_network_outcome"]
    assert found["share_improving"].is_null().all()
    assert found.filter(pl.col("reporting_year") == 2024).height == 7
