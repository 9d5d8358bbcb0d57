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
