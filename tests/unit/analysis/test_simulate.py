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
