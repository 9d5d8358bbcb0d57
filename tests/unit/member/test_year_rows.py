"""What the member's page says of a year before anything is opened.

Belongs here: the words of a year's line.
Does not: the languages of these words (test_language.py), the running page (tests/browser).
"""

from __future__ import annotations

import pytest

from dagster_project.lib.member.page.views import year_rows


@pytest.mark.parametrize(
    ("status", "due"),
    [("not_expected", None), ("waived", None), ("late", "2024-11-30"), ("accepted", "2024-11-30")],
)
def test_a_year_in_which_nothing_is_asked_for_is_due_on_no_day(status: str, due: str | None) -> None:
    (row,) = year_rows([2024], [{"reporting_year": 2024, "status": status, "due_on": "2024-11-30"}])
    assert row["due_on"] == due


def test_of_years_after_a_community_left_nothing_is_due_and_it_is_said_since_when() -> None:
    due = [{"reporting_year": year, "status": "accepted", "due_on": f"{year}-11-30"} for year in (2023, 2024)]
    rows = year_rows([2023, 2024], due, 2023)
    assert [(row["year"], row["due_on"], row["left_year"]) for row in rows] == [
        (2024, None, 2023),
        (2023, "2023-11-30", None),
    ]
    assert [row["left_year"] for row in year_rows([2023, 2024], due)] == [None, None]
