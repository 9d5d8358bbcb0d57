"""A reporting year is judged by the edition of the rubric that held then.

Belongs here: cutting a rubric into editions, and statuses of years before and after a new one.
Does not: what any criterion asks (test_criteria.py, test_facts.py), or frozen determinations (test_frozen.py).
"""

from __future__ import annotations

import polars as pl
import pytest

from dagster_project.lib.analysis.rubric.editions import edition_of, editions, in_editions

from .conftest import seed

NEW_YEAR = 2024


def two_editions() -> pl.DataFrame:
    """The project's rubric, and a second edition without its first criterion, from NEW_YEAR on."""
    rubric = seed("rubric/rubric")
    blanks = {"edition": None, "from_reporting_year": None}
    first = rubric.with_columns(pl.lit(value, pl.String).alias(name) for name, value in blanks.items())
    second = rubric.filter(pl.col("criterion_id") != "exploring.1.1").with_columns(
        edition=pl.lit("second"), from_reporting_year=pl.lit(str(NEW_YEAR))
    )
    return pl.concat([first, second])


def test_a_rubric_that_names_no_edition_judges_every_year() -> None:
    rubric = seed("rubric/rubric")
    assert [(first, last) for first, last, _ in editions(rubric)] == [(0, 9999)]
    assert edition_of(rubric, 1999).equals(rubric)


def test_a_new_edition_holds_from_its_first_year_and_leaves_the_years_before_as_they_were() -> None:
    rubric, one = two_editions(), seed("rubric/rubric")
    assert edition_of(rubric, NEW_YEAR - 1).select(one.columns).equals(one)
    assert "exploring.1.1" not in edition_of(rubric, NEW_YEAR)["criterion_id"].to_list()


def test_what_is_made_edition_by_edition_stands_in_the_order_of_community_and_year() -> None:
    places = pl.DataFrame({"community_id": ["b", "a", "a"], "reporting_year": [2023, 2024, 2023]})
    made = in_editions(
        two_editions(),
        lambda lines, years: places.filter(years).with_columns(n=pl.lit(lines.height)).sort("community_id"),
    )
    assert made.rows() == [("a", 2023, 184), ("a", 2024, 183), ("b", 2023, 184)]


@pytest.mark.parametrize("year", [None, str(NEW_YEAR)])
def test_two_editions_of_one_first_year_are_refused(year: str | None) -> None:
    rubric = two_editions()
    third = rubric.filter(pl.col("edition") == "second").with_columns(
        edition=pl.lit("third"), from_reporting_year=pl.lit(year, pl.String)
    )
    with pytest.raises(ValueError, match="first reporting year"):
        editions(pl.concat([rubric, third]))
