"""Every trend and gap of a release, computed a second time in ordinary Python from the values the release holds.

Belongs here: fct_trend and fct_gap of the real and of the example network against tests/unit/analysis/reference.py.
Does not: the values themselves (test_connecticut.py recounts them from the raw files), or random series.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import pytest

from tests.integration.conftest import Run
from tests.unit.analysis import reference
from tests.unit.analysis.test_against_reference import GAP_NUMBERS, TREND_NUMBERS, assert_equal_rows

Key = tuple[str, str, str, str]
KNOWN = """
    select community_id, indicator_id, population_group_id, geography_id, series, school_year, value, value_low,
        value_high, denominator, value_status, known_from, known_to
    from inputs.int_values__known
"""


@pytest.fixture(params=["connecticut", "example"])
def network(request: pytest.FixtureRequest) -> Run:
    run: Run = request.getfixturevalue(request.param)
    return run


def known_rows(run: Run) -> dict[Key, list[dict[str, Any]]]:
    rows: dict[Key, list[dict[str, Any]]] = defaultdict(list)
    for row in run.release.records(KNOWN):
        rows[key_of(row)].append(row)
    return rows


def key_of(row: dict[str, Any], group: str = "population_group_id") -> Key:
    return row["community_id"], row["indicator_id"], row[group], row["geography_id"]


def traits_of(run: Run) -> dict[str, tuple[int, str]]:
    rows = run.release.rows("select indicator_id, direction, unit from marts.dim_indicator")
    return {indicator: (direction, unit) for indicator, direction, unit in rows}


def test_every_trend_agrees_with_a_second_computation_to_a_billionth(network: Run) -> None:
    rows, traits = known_rows(network), traits_of(network)
    trends = network.release.records("select * from marts.fct_trend")
    assert trends
    for row in trends:
        year = row["reporting_year"]
        then = reference.as_known(rows[key_of(row)], year)
        expected = reference.trend(then, year, *traits[row["indicator_id"]])
        assert_equal_rows(row, expected, TREND_NUMBERS)
        assert (row["trend_status"], row["robustness"]) == (expected["trend_status"], expected["robustness"]), row


def test_every_gap_agrees_with_a_second_computation_to_a_billionth(network: Run) -> None:
    rows, traits = known_rows(network), traits_of(network)
    gaps = network.release.records("select * from marts.fct_gap")
    assert gaps
    for row in gaps:
        year, direction = row["reporting_year"], traits[row["indicator_id"]][0]
        ours, theirs = key_of(row), key_of(row, "reference_group_id")
        both = [reference.as_known(rows.get(key, []), year) for key in (ours, theirs)]
        expected = reference.gap(*both, year, direction)
        assert_equal_rows(row, expected, GAP_NUMBERS)
        assert row["gap_status"] == expected["gap_status"], row
        assert row["reference_declined"] == expected["reference_declined"], row
