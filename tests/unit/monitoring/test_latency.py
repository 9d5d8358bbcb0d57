"""Latency of folders and values from the ledger's days.

Belongs here: tests of latency.py.
Does not: how the ledger is written (tests/unit/intake), or the release that carries the tables (tests/integration).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

import polars as pl
import pytest

from dagster_project.lib.intake.bucket.ledger import EVENTS
from dagster_project.lib.monitoring.latency import submission_latency, value_latency

DUE = {"2018": "2018-11-30", "2019": "2019-11-30", "2020": "2020-11-30", "2021": None}
CALENDAR = pl.DataFrame({"reporting_year": list(DUE), "due_on": list(DUE.values())})
SCHEMA = {
    "community_id": pl.String,
    "reporting_year": pl.Int32,
    "source_file": pl.String,
    "indicator_id": pl.String,
    "school_year": pl.Int32,
    "period": pl.String,
    "row_status": pl.String,
}


def ledger(*events: tuple[str, int, str, str | None]) -> pl.DataFrame:
    """Events of one community: kind or status, reporting year, day, file; numbered in their order."""
    rows = [
        dict.fromkeys(EVENTS)
        | {
            "sequence": number,
            "event": what if name else "submission",
            "status": None if name else what,
            "community_id": "a",
            "reporting_year": year,
            "seen_on": day,
            "name": name,
        }
        for number, (what, year, day, name) in enumerate(events)
    ]
    return pl.DataFrame(rows, schema=EVENTS)


def taken(year: int, day: str, name: str = "v.csv") -> list[tuple[str, int, str, str | None]]:
    return [("object", year, day, name), ("accepted", year, day, None)]


def observations(*rows: Mapping[str, Any]) -> pl.DataFrame:
    common = {"community_id": "a", "source_file": "v.csv", "indicator_id": "x", "period": "annual"}
    return pl.DataFrame([{**common, "row_status": "accepted", **row} for row in rows], schema=SCHEMA)


def test_a_folder_is_in_time_on_its_last_day_and_late_on_the_next() -> None:
    events = ledger(
        *taken(2018, "2018-11-30"),
        ("object", 2019, "2019-11-01", "v.csv"),
        ("rejected", 2019, "2019-11-01", None),
        *taken(2019, "2019-12-01"),
        *taken(2019, "2020-05-01"),
        *taken(2021, "2021-05-01"),
    )
    found = submission_latency(events, CALENDAR).select("reporting_year", "days_after_due", "timeliness").rows()
    assert found == [(2018, 0, 1.0), (2019, 1, 0.0), (2021, None, None)]


def test_waiting_time_is_counted_from_the_end_of_the_period_to_the_first_accepted_state_with_the_file() -> None:
    events = ledger(*taken(2018, "2018-08-01", "other.csv"), *taken(2018, "2018-10-08"), *taken(2018, "2018-12-24"))
    rows = observations(
        {"reporting_year": 2018, "school_year": 2018},
        {"reporting_year": 2018, "school_year": 2018, "period": "2018-Q2", "indicator_id": "early"},
        {"reporting_year": 2018, "school_year": 2018, "period": "2018-02", "indicator_id": "month"},
        {"reporting_year": 2018, "school_year": 2018, "period": "2018-T1", "indicator_id": "term"},
        {"reporting_year": 2018, "school_year": 2018, "indicator_id": "refused", "row_status": "rejected"},
        {"reporting_year": 2018, "school_year": 2019, "indicator_id": "forecast"},
    )
    found = value_latency(events, rows, CALENDAR)
    told = found.select("indicator_id", "period_end", "days_after_period", "days_after_due").rows()
    assert told == [
        ("early", dt.date(2018, 6, 30), 100, -53),
        ("month", dt.date(2018, 2, 28), 222, -53),
        ("x", dt.date(2018, 6, 30), 100, -53),
    ]
    assert set(found["criterion_id"]) == {"systems_change.3.3"}


@pytest.mark.parametrize(
    ("days", "direction"),
    [((120, 90, 60), "sooner"), ((60, 90, 120), "later"), ((60, 61, 60), "steady"), ((120, 60), None)],
)
def test_the_direction_over_the_years_needs_three_of_them(days: tuple[int, ...], direction: str | None) -> None:
    ends = [dt.date(2018 + n, 6, 30) for n in range(len(days))]
    arrivals = [
        step
        for end, wait in zip(ends, days, strict=True)
        for step in taken(end.year, (end + dt.timedelta(wait)).isoformat())
    ]
    rows = observations(*({"reporting_year": end.year, "school_year": end.year} for end in ends))
    assert value_latency(ledger(*arrivals), rows, CALENDAR)["direction"].to_list() == [direction] * len(days)


def test_history_that_came_in_one_folder_says_nothing_of_a_direction() -> None:
    rows = observations(*({"reporting_year": 2020, "school_year": year} for year in (2016, 2017, 2018, 2019, 2020)))
    found = value_latency(ledger(*taken(2020, "2020-10-01")), rows, CALENDAR)
    assert found["came_with_later"].to_list() == [True] * 4 + [False]
    assert found["direction"].to_list() == [None] * 5
