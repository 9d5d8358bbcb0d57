"""Targets: met, on track, off track or undetermined, at the boundaries of each.

Belongs here: tests of targets.py.
Does not: trends.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import polars as pl
import pytest

from dagster_project.lib.analysis.figures.targets import TARGET_SCHEMA
from dagster_project.lib.base.ruleset import Ruleset
from tests.unit.analysis.builders import known, tables, yearly

RISING = {2021: 50.0, 2022: 52.0, 2023: 54.0, 2024: 56.0}


def target(value: float | None, deadline: str | None = "2028-06-30", **changes: Any) -> dict[str, Any]:
    """A row of the register."""
    return {
        "community_id": "elm",
        "reporting_year": 2020,
        "indicator": "up",
        "dimension": "all",
        "group": "all",
        "value": value,
        "deadline": None if deadline is None else dt.date.fromisoformat(deadline),
        "horizon": "long",
    } | changes


def progress(
    rows: list[dict[str, Any]], targets: list[dict[str, Any]], ruleset: Ruleset, last: int = 2024
) -> pl.DataFrame:
    """fct_target_progress."""
    register = pl.DataFrame(targets, schema=TARGET_SCHEMA)
    return tables(known(rows), last, ruleset, targets=register)["fct_target_progress"]


def latest(rows: list[dict[str, Any]], one: dict[str, Any], ruleset: Ruleset) -> dict[str, Any]:
    """The target at the last reporting year."""
    return progress(rows, [one], ruleset).row(-1, named=True)


@pytest.mark.parametrize(
    ("value", "status"),
    [(55.999, "met"), (56.0, "met"), (56.001, "on_track"), (64.0, "on_track"), (64.001, "off_track")],
)
def test_a_target_is_met_by_the_latest_value_and_on_track_by_the_slope(
    value: float, status: str, ruleset: Ruleset
) -> None:
    row = latest(yearly(RISING), target(value), ruleset)
    assert row["status"] == status
    assert (row["latest_year"], row["latest_value"], row["fitted_slope"]) == (2024, 56.0, pytest.approx(2.0))
    assert row["required_slope"] == pytest.approx((value - 56) / 4)


@pytest.mark.parametrize(
    ("value", "status"), [(44.0, "met"), (43.9, "on_track"), (36.0, "on_track"), (35.9, "off_track")]
)
def test_lower_is_better_turns_the_comparison(value: float, status: str, ruleset: Ruleset) -> None:
    falling = {2021: 50.0, 2022: 48.0, 2023: 46.0, 2024: 44.0}
    assert latest(yearly(falling, indicator_id="down"), target(value, indicator="down"), ruleset)["status"] == status


def test_a_passed_deadline_without_the_value_is_off_track(ruleset: Ruleset) -> None:
    row = latest(yearly(RISING), target(60.0, "2024-06-30"), ruleset)
    assert (row["status"], row["required_slope"], row["reason"]) == ("off_track", None, None)


@pytest.mark.parametrize(
    ("rows", "one", "reason"),
    [
        (yearly({2023: 50.0, 2024: 56.0}), target(60.0), "too_few_points"),
        (yearly({2024: None}, value_status="missing"), target(60.0), "no_data"),
        (yearly(RISING), target(60.0, indicator="score"), "no_data"),
        (yearly(RISING, indicator_id="flat"), target(60.0, indicator="flat"), "no_direction"),
        (yearly(RISING), target(60.0, None), "incomplete_target"),
    ],
)
def test_an_undetermined_target_says_why(
    rows: list[dict[str, Any]], one: dict[str, Any], reason: str, ruleset: Ruleset
) -> None:
    row = latest(rows, one, ruleset)
    assert (row["status"], row["reason"]) == ("undetermined", reason)


def test_a_target_can_be_met_without_a_trend(ruleset: Ruleset) -> None:
    assert latest(yearly({2024: 60.0}), target(60.0), ruleset)["status"] == "met"


def test_a_target_counts_from_the_year_that_set_it_and_the_newest_value_wins(ruleset: Ruleset) -> None:
    both = [target(90.0, reporting_year=2022), target(60.0, reporting_year=2024)]
    found = progress(yearly(RISING), both, ruleset)
    assert found.select("reporting_year", "target_value", "set_in_reporting_year").rows() == [
        (2022, 90.0, 2022),
        (2023, 90.0, 2022),
        (2024, 60.0, 2024),
    ]


def test_targets_of_groups_read_the_group(ruleset: Ruleset) -> None:
    rows = yearly(RISING) + yearly({2024: 30.0}, population_group_id="gender:female")
    one = target(25.0, dimension="gender", group="female")
    row = latest(rows, one, ruleset)
    assert (row["population_group_id"], row["latest_value"], row["status"]) == ("gender:female", 30.0, "met")
    total = latest(rows, target(25.0, dimension="gender", group="all"), ruleset)
    assert total["population_group_id"] == "all"
