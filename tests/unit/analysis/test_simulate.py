"""In a network in which nothing changes the literal rules still see change; the simulation says how often.

Belongs here: tests of simulate.py.
Does not: anything about real communities.
"""

from __future__ import annotations

from dataclasses import replace

import polars as pl
import pytest

from dagster_project.lib.analysis.figures.simulate import false_positive_rates, own_network_rates, stylised_rates
from dagster_project.lib.analysis.tables import FCT_FALSE_POSITIVE, TREND_POINT_SPAN
from dagster_project.lib.base.ruleset import Ruleset
from tests.unit.analysis.builders import INDICATORS, known, tables, yearly


def rates(ruleset: Ruleset) -> dict[str, float]:
    """Measure to rate."""
    return {rate.measure: rate.hits / rate.trials for rate in stylised_rates(ruleset)}


def test_half_of_unchanged_outcomes_are_called_improving(ruleset: Ruleset) -> None:
    found = rates(ruleset)
    assert found["outcome_improving"] == pytest.approx(0.5, abs=0.01)
    assert found["four_of_seven_improving"] == pytest.approx(0.5, abs=0.03)
    assert found["outcome_improving_or_maintained"] > found["outcome_improving"]


def test_an_unchanged_gap_is_called_narrowed_with_the_known_probability(ruleset: Ruleset) -> None:
    # Both slopes are exchangeable and symmetric: s_b > s_ref and s_b > 0 has probability 3/8.
    found = rates(ruleset)
    assert found["gap_reduced_one_group"] == pytest.approx(3 / 8, abs=0.01)
    p = found["outcome_gaps_reduced"]
    assert found["two_of_seven_gaps_reduced"] == pytest.approx(1 - (1 - p) ** 7 - 7 * p * (1 - p) ** 6, abs=0.02)


def test_with_several_groups_a_majority_must_narrow(ruleset: Ruleset) -> None:
    three = replace(ruleset, simulation=replace(ruleset.simulation, burdened_groups=3))
    assert rates(three)["gap_reduced_one_group"] == pytest.approx(3 / 8, abs=0.01)
    assert rates(three)["outcome_gaps_reduced"] < rates(ruleset)["outcome_gaps_reduced"] + 0.01


def test_the_own_network_is_drawn_again_around_unchanged_rates(ruleset: Ruleset) -> None:
    rows = [
        row
        for number in range(20)
        for row in yearly(
            {year: 30.0 + 2 * (year - 2020) for year in range(2020, 2025)},
            community_id=f"c{number}",
            denominator=80,
            numerator=24,
        )
    ]
    points = tables(known(rows), 2024, ruleset)["trend_point_span"]
    found = {rate.measure: rate for rate in own_network_rates(points, INDICATORS, ruleset, 2024)}
    improving = found["trend_improving"]
    assert improving.hits / improving.trials == pytest.approx(0.5, abs=0.03)
    assert improving.trials >= 20 * 1000


def test_the_simulation_repeats_itself(ruleset: Ruleset) -> None:
    points = tables(known(yearly({2022: 1.0, 2023: 2.0, 2024: 3.0}, denominator=50)), 2024, ruleset)["trend_point_span"]
    first = false_positive_rates(points, INDICATORS, ruleset, 2024)
    assert first.equals(false_positive_rates(points, INDICATORS, ruleset, 2024))
    other = replace(ruleset, simulation=replace(ruleset.simulation, seed=1))
    assert not first.equals(false_positive_rates(points, INDICATORS, other, 2024))


def test_an_empty_network_has_only_the_stylised_rates(ruleset: Ruleset) -> None:
    found = false_positive_rates(TREND_POINT_SPAN.empty(), INDICATORS, ruleset, 2024)
    assert set(found["basis"]) == {"stylised"}
    assert dict(found.schema) == dict(FCT_FALSE_POSITIVE.schema)
    assert found.select(pl.col("simulation_stderr").max()).item() < 0.01


def own_rows() -> list[dict[str, object]]:
    """Towns with holes, without sizes, of a unit without one, of another place or group, and without a direction."""
    years = {2020: 30.0, 2021: 50.0, 2022: 10.0, 2024: 45.0}
    rows = yearly(years, community_id="a", denominator=40)
    rows += yearly({2021: 20.0, 2023: 22.0, 2024: 24.0}, community_id="b", denominator=120, indicator_id="down")
    rows += yearly(years, community_id="c", denominator=None)
    rows += yearly(years, community_id="d", denominator=40, indicator_id="score")
    rows += yearly(years, community_id="e", denominator=40, geography_id="north")
    rows += yearly(years, community_id="f", denominator=40, population_group_id="gender:female")
    rows += yearly({**years, 2023: 12.0}, community_id="g", denominator=90, indicator_id="flat")
    half = yearly(years, community_id="h", denominator=40)
    return [*rows, *half[1:], {**half[0], "denominator": None}]


STYLISED = {
    "outcome_improving": (520, 1050),
    "outcome_improving_or_maintained": (796, 1050),
    "gap_reduced_one_group": (1194, 3150),
    "outcome_gaps_reduced": (364, 1050),
    "four_of_seven_improving": (74, 150),
    "four_of_seven_improving_or_maintained": (138, 150),
    "two_of_seven_gaps_reduced": (111, 150),
    "four_of_seven_gaps_reduced": (33, 150),
    "four_of_seven_improving_and_gaps_reduced": (14, 150),
}
OWN = {"trend_improving": (342, 700), "trend_improving_or_maintained": (413, 700)}
"""Hits and trials of the ruleset's own seed, with 150 draws."""


def test_the_same_seed_gives_the_same_rates_whatever_the_machine(ruleset: Ruleset) -> None:
    given = replace(ruleset, simulation=replace(ruleset.simulation, draws=150, burdened_groups=3))
    assert {rate.measure: (rate.hits, rate.trials) for rate in stylised_rates(given)} == STYLISED
    points = tables(known(own_rows()), 2024, ruleset)["trend_point_span"]
    own = {rate.measure: (rate.hits, rate.trials) for rate in own_network_rates(points, INDICATORS, given, 2024)}
    assert own == OWN
    table = false_positive_rates(points, INDICATORS, given, 2024)
    for row in table.iter_rows(named=True):
        hits, trials = (STYLISED if row["basis"] == "stylised" else OWN)[row["measure"]]
        assert (row["rate"], row["n_trials"]) == (hits / trials, trials)
        assert row["simulation_stderr"] == pytest.approx((hits / trials * (1 - hits / trials) / trials) ** 0.5)
    few = replace(given, simulation=replace(given.simulation, draws=1, outcomes=1))
    assert {rate.trials for rate in own_network_rates(points, INDICATORS, few, 2024)} == {2}
