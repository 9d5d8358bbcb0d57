"""Targets: in force or superseded, and every status at its boundaries.

Belongs here: tests of targets.py.
Does not: trends.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import polars as pl
import pytest

from dagster_project.lib.analysis.figures.outcome import SELECTION_SCHEMA
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
    rows: list[dict[str, Any]], targets: list[dict[str, Any]], ruleset: Ruleset, **registers: pl.DataFrame
) -> pl.DataFrame:
    """fct_target_progress."""
    register = pl.DataFrame(targets, schema=TARGET_SCHEMA)
    return tables(known(rows), 2024, ruleset, targets=register, **registers)["fct_target_progress"]


def latest(rows: list[dict[str, Any]], one: dict[str, Any], ruleset: Ruleset) -> dict[str, Any]:
    """The target at the last reporting year."""
    return progress(rows, [one], ruleset).row(-1, named=True)


@pytest.mark.parametrize(
    ("value", "status"),
    [(55.999, "met"), (56.0, "met"), (56.001, "on_track"), (64.0, "on_track"), (64.001, "off_track")],
)
def test_a_target_is_met_by_a_value_and_on_track_by_the_slope(value: float, status: str, ruleset: Ruleset) -> None:
    row = latest(yearly(RISING), target(value), ruleset)
    assert row["status"] == status
    assert (row["latest_year"], row["latest_value"], row["fitted_slope"]) == (2024, 56.0, pytest.approx(2.0))
    assert (row["baseline_year"], row["baseline_value"]) == (2021, 50.0)
    assert row["required_slope"] == pytest.approx((value - 56) / 4)
    assert row["progress_share"] == pytest.approx(6 / (value - 50))


@pytest.mark.parametrize(("deadline", "slope"), [("2023-12-31", None), ("2024-12-31", None), ("2025-01-01", 4.0)])
def test_a_slope_is_required_as_long_as_a_year_is_left(deadline: str, slope: float | None, ruleset: Ruleset) -> None:
    assert latest(yearly(RISING), target(60.0, deadline), ruleset)["required_slope"] == slope


@pytest.mark.parametrize(
    ("value", "status"), [(44.0, "met"), (43.9, "on_track"), (36.0, "on_track"), (35.9, "off_track")]
)
def test_lower_is_better_turns_the_comparison(value: float, status: str, ruleset: Ruleset) -> None:
    falling = {2021: 50.0, 2022: 48.0, 2023: 46.0, 2024: 44.0}
    assert latest(yearly(falling, indicator_id="down"), target(value, indicator="down"), ruleset)["status"] == status


@pytest.mark.parametrize(
    ("value", "deadline", "status"),
    [
        (54.0, "2023-06-30", "met"),
        (56.0, "2023-06-30", "met_late"),
        (57.0, "2023-06-30", "missed"),
        (56.0, "2024-12-30", "met"),
        (57.0, "2024-12-30", "missed"),
        (57.0, "2024-12-31", "off_track"),
    ],
)
def test_a_deadline_that_passed_is_met_met_late_or_missed(
    value: float, deadline: str, status: str, ruleset: Ruleset
) -> None:
    row = latest(yearly(RISING), target(value, deadline), ruleset)
    assert (row["status"], row["required_slope"], row["reason"]) == (status, None, None)


def test_a_target_reached_once_stays_met_when_the_value_falls_again(ruleset: Ruleset) -> None:
    row = latest(yearly({2021: 50.0, 2022: 61.0, 2023: 55.0, 2024: 54.0}), target(60.0), ruleset)
    assert (row["status"], row["latest_value"], row["progress_share"]) == ("met", 54.0, pytest.approx(0.4))


def test_the_baseline_itself_reaches_no_target(ruleset: Ruleset) -> None:
    row = latest(yearly({2021: 61.0, 2022: 50.0, 2023: 50.0, 2024: 50.0}), target(60.0), ruleset)
    assert (row["status"], row["baseline_value"]) == ("off_track", 61.0)


@pytest.mark.parametrize(("chosen", "baseline"), [(2022, (2022, 52.0)), (None, (2021, 50.0)), (2019, (2021, 50.0))])
def test_the_baseline_is_that_of_the_selection_or_the_first_point(
    chosen: int | None, baseline: tuple[int, float], ruleset: Ruleset
) -> None:
    line = {"community_id": "elm", "reporting_year": 2020, "indicator": "up", "role": "core", "baseline_year": chosen}
    selection = pl.DataFrame([line], schema=SELECTION_SCHEMA)
    row = progress(yearly(RISING), [target(60.0)], ruleset, indicator_selection=selection).row(-1, named=True)
    assert (row["baseline_year"], row["baseline_value"]) == baseline


def test_points_before_a_break_are_neither_baseline_nor_reached(ruleset: Ruleset) -> None:
    rows = yearly({2019: 70.0, 2020: 71.0}, series="old") + yearly(RISING)
    row = latest(rows, target(65.0), ruleset)
    assert (row["status"], row["baseline_year"]) == ("off_track", 2021)


def test_a_target_at_the_baseline_has_no_share_of_the_way(ruleset: Ruleset) -> None:
    row = latest(yearly(RISING), target(50.0), ruleset)
    assert (row["status"], row["progress_share"]) == ("met", None)


@pytest.mark.parametrize(
    ("rows", "one", "reason"),
    [
        (yearly({2023: 50.0, 2024: 56.0}), target(60.0), "too_few_points"),
        (yearly({2024: None}, value_status="missing"), target(60.0), "no_data"),
        (yearly(RISING), target(60.0, indicator="score"), "no_data"),
        (yearly(RISING, indicator_id="flat"), target(60.0, indicator="flat"), "no_direction"),
    ],
)
def test_an_undetermined_target_says_why(
    rows: list[dict[str, Any]], one: dict[str, Any], reason: str, ruleset: Ruleset
) -> None:
    row = latest(rows, one, ruleset)
    assert (row["status"], row["reason"]) == ("undetermined", reason)


def test_a_target_can_be_met_or_missed_without_a_trend(ruleset: Ruleset) -> None:
    two = yearly({2023: 50.0, 2024: 60.0})
    assert latest(two, target(60.0), ruleset)["status"] == "met"
    assert latest(two, target(61.0, "2024-06-30"), ruleset)["status"] == "missed"


def test_in_force_is_the_earliest_open_deadline_and_earlier_submissions_are_superseded(ruleset: Ruleset) -> None:
    given = [
        target(60.0, "2024-12-31", reporting_year=2022),
        target(90.0, "2028-06-30", reporting_year=2021),
        target(60.0, "2026-06-30", reporting_year=2022),
        target(55.0, "2023-06-30", reporting_year=2024),
        target(70.0, "2020-06-30", horizon="short", reporting_year=2020),
        target(71.0, "2021-06-30", horizon="short", reporting_year=2020),
    ]
    found = progress(yearly(RISING), given, ruleset).filter(reporting_year=2024).sort("horizon", "deadline")
    rows = found.select(pl.col("deadline").dt.year(), "is_in_force", "status").rows()
    assert rows == [
        (2023, False, "met_late"),
        (2024, True, "off_track"),
        (2026, False, "on_track"),
        (2028, False, "superseded"),
        # No deadline is open: the latest one is in force, and the other is judged like it.
        (2020, False, "missed"),
        (2021, True, "missed"),
    ]
    assert found["progress_share"].null_count() == 0


def test_a_target_counts_from_the_year_that_set_it_and_the_newest_value_wins(ruleset: Ruleset) -> None:
    both = [target(90.0, reporting_year=2022), target(60.0, reporting_year=2024)]
    found = progress(yearly(RISING), both, ruleset)
    assert found.select("reporting_year", "target_value", "set_in_reporting_year").rows() == [
        (2022, 90.0, 2022),
        (2023, 90.0, 2022),
        (2024, 60.0, 2024),
    ]


def test_targets_of_groups_read_the_group(ruleset: Ruleset) -> None:
    rows = yearly(RISING) + yearly({2023: 20.0, 2024: 30.0}, population_group_id="gender:female")
    one = target(25.0, "2024-12-31", dimension="gender", group="female")
    row = latest(rows, one, ruleset)
    assert (row["population_group_id"], row["latest_value"], row["status"]) == ("gender:female", 30.0, "met")
    total = latest(rows, target(25.0, dimension="gender", group="all"), ruleset)
    assert total["population_group_id"] == "all"


def test_no_progress_towards_a_lower_target_is_a_zero_without_a_sign(ruleset: Ruleset) -> None:
    row = latest(yearly({2021: 50.0, 2022: 52.0, 2023: 51.0, 2024: 50.0}), target(40.0), ruleset)
    assert str(row["progress_share"]) == "0.0"
