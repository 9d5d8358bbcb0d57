"""A cell beside a number that speaks of another subject or level than its row's indicator.

Belongs here: which cells beside a number, or names of files, refuse it, which do not, and what is told of them.
Does not: headers that speak of another indicator (test_near_names.py), what the catalogue says of the rule.
"""

from __future__ import annotations

import polars as pl
import pytest

from dagster_project.lib.base.reference import Reference
from dagster_project.lib.intake.batch import Intake
from tests.conftest import ROOT, Outcome, take_folder

READING, MATH = "grade3_reading_proficient_pct", "grade8_math_proficient_pct"


@pytest.fixture(scope="module")
def network() -> Intake:
    """What intake needs for the example network."""
    return Intake(Reference(ROOT / "seeds"))


def take(network: Intake, indicator: str, header: str, cell: str) -> Outcome:
    text = f"school_year,indicator,dimension,group,value,{header}\n2024,{indicator},all,all,46.5,{cell}\n"
    return take_folder(network, {"values.csv": text}, "aspenreach", 2024)


@pytest.mark.parametrize(
    ("indicator", "header", "cell"),
    [
        (READING, "Subject", "Math"),
        (READING, "Test Subject", "MATHEMATICS"),
        (READING, "content_area", "Science"),
        (READING, "Subject Area", "Algebra I"),
        (MATH, "Subject", "English Language Arts"),
        (MATH, "SubjectArea", "Reading/Language Arts"),
        (READING, "Performance Level", "Level 1"),
        (READING, "Proficiency Level", "Not Proficient"),
        (MATH, "Achievement Level", "Did not meet expectations"),
        (MATH, "performance_level", "2"),
    ],
)
def test_a_number_beside_which_stands_another_subject_or_level_does_not_count(
    network: Intake, indicator: str, header: str, cell: str
) -> None:
    outcome = take(network, indicator, header, cell)
    assert outcome.observations["row_status"].to_list() == ["rejected"]
    (told,) = outcome.findings.filter(pl.col("rule_id") == "row_of_another_topic").to_dicts()
    assert (told["source_row"], told["source_column"], told["found"]) == (2, header, f"{header}: {cell}")


@pytest.mark.parametrize(
    ("indicator", "header", "cell"),
    [
        (READING, "Subject", "ELA"),
        (READING, "Subject", "Reading and Math"),
        (MATH, "Subject", "Mathematics"),
        (MATH, "Subject", "All"),
        ("graduation_4yr_pct", "Subject", "Math"),
        ("chronic_absence_pct", "Performance Level", "Level 1"),
        (READING, "Performance Level", "Level 3"),
        (READING, "Performance Level", "Proficient and above"),
        (READING, "Report Card Grade", "8"),
    ],
)
def test_a_cell_that_agrees_with_the_indicator_or_says_nothing_of_it_costs_no_row(
    network: Intake, indicator: str, header: str, cell: str
) -> None:
    outcome = take(network, indicator, header, cell)
    assert outcome.observations["row_status"].to_list() == ["accepted"]
    assert "row_of_another_topic" not in outcome.rules


def test_a_file_that_is_called_targets_is_no_file_of_values(network: Intake) -> None:
    text = f"indicator,dimension,group,value,year\n{READING},all,all,60,2025\n"
    outcome = take_folder(network, {"targets.csv": text}, "aspenreach", 2024)
    assert outcome.observations["row_status"].to_list() == ["rejected"]
    assert "other_value" in outcome.rules


@pytest.mark.parametrize("name", ["last_year", "change", "state_average"])
def test_a_file_that_is_called_otherwise_may_hold_values(network: Intake, name: str) -> None:
    text = f"school_year,indicator,dimension,group,value\n2023,{READING},all,all,60\n"
    outcome = take_folder(network, {f"{name}.csv": text}, "aspenreach", 2024)
    assert outcome.observations["row_status"].to_list() == ["accepted"]


def test_a_file_named_like_a_table_is_told_what_it_lacks_of_that_table(network: Intake) -> None:
    text = f"indicator,dimension,group,value,by\n{READING},all,all,60,2026-12-31\n"
    outcome = take_folder(network, {"targets.csv": text}, "aspenreach", 2024)
    assert outcome.findings.filter(pl.col("rule_id") == "missing_column")["found"].to_list() == ["deadline, horizon"]
