"""Kentucky's public report card: its nine co-operatives among the districts are caught as double counting.

Belongs here: the real file through intake and comparisons.
Does not: made-up regional rows (tests/unit/intake/test_comparisons.py), other Kentucky files (layout samples).
"""

from __future__ import annotations

import polars as pl
import pytest

from dagster_project.lib.base.reference import Reference
from dagster_project.lib.base.ruleset import read_ruleset
from dagster_project.lib.base.store import Given
from dagster_project.lib.intake.batch import Intake
from dagster_project.lib.intake.bucket.drop import DroppedFile, Folder
from dagster_project.lib.intake.comparing.comparisons import compare_submissions
from dagster_project.lib.intake.findings import to_findings
from dagster_project.lib.intake.reading.files import WorkbookReader
from dagster_project.lib.intake.take_in import take_in
from tests.support import PROJECT, real_data

REFERENCE = Reference(PROJECT / "seeds")
COOPERATIVES = {
    "Central Kentucky Educational Cooperative",
    "Green River Regional Educational Cooperative",
    "Jefferson County Exceptional Child Education Services",
    "Kentucky Educational Development Corporation",
    "Kentucky Valley Educational Corporation",
    "Northern Kentucky Cooperative for Educational Services",
    "Ohio Valley Educational Cooperative",
    "Southeast/Southcentral Education Cooperative",
    "West Kentucky Educational Cooperative",
}
STUDENTS = {2014: 42_575, 2015: 42_302, 2016: 43_065, 2017: 43_421}


@pytest.fixture(scope="module")
def observations() -> pl.DataFrame:
    data = (real_data("kentucky") / "ccr_dist.csv").read_bytes()
    community = REFERENCE.communities["community_id"][0]
    folder = Folder(community, 2018, (DroppedFile("ccr_dist.csv", "key", len(data), "tag"),))
    with WorkbookReader() as reader:
        (taken,) = take_in(Intake(REFERENCE), [folder], Given(lambda _: data), None, reader)
    return taken.tables["observations"]


@pytest.fixture(scope="module")
def told(observations: pl.DataFrame) -> pl.DataFrame:
    parameters = read_ruleset(REFERENCE, ("toa-default", "1.0.0")).comparison
    findings = to_findings(compare_submissions(observations, REFERENCE, parameters))
    return findings.filter(pl.col("rule_id") == "double_counting").sort("found")


def test_every_row_has_an_indicator_and_a_group(observations: pl.DataFrame) -> None:
    assert observations.height > 10_000
    assert set(observations["row_status"]) == {"accepted"}
    assert set(observations["indicator_id"]) == {"college_career_ready_pct"}


def test_the_cooperatives_are_caught_in_every_year_in_which_they_stand_among_the_districts(told: pl.DataFrame) -> None:
    regional = told.filter(pl.col("found").str.starts_with("9 places"))
    assert regional["n_rows"].to_list() == [9] * 4
    assert {(students, year) for year, students in STUDENTS.items()} == {
        (int(found.split()[4]), int(found.split()[6].rstrip(","))) for found in regional["found"]
    }


def test_the_places_told_are_the_cooperatives(observations: pl.DataFrame, told: pl.DataFrame) -> None:
    issues = compare_submissions(observations, REFERENCE, read_ruleset(REFERENCE, ("toa-default", "1.0.0")).comparison)
    rows = issues.filter(pl.col("found").str.starts_with("9 places"))["source_row"]
    places = observations.filter(pl.col("source_row").is_in(rows.to_list()))["raw_geography"]
    assert set(places) == COOPERATIVES


def test_years_without_them_are_left_in_peace(told: pl.DataFrame) -> None:
    assert told.filter(pl.col("found").str.contains(" in 201[23]")).height == 0
    assert told.height == len(STUDENTS), "a co-operative of one district is told with the others, not once more"
