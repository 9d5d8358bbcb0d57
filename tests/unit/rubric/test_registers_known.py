"""A register as known over the years: of one key there is never more than one row.

Belongs here: logs whose rows come late, speak of the past or of the future, or are sent again.
Does not: what a register must hold for a computed part (test_facts.py).
"""

from __future__ import annotations

import datetime as dt

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from dagster_project.lib.analysis.rubric.registers import RegisterMemory, known_rows

YEARS = range(2018, 2025)
LOG = RegisterMemory("log", ("name",))
Line = tuple[int, int, str]


def known(lines: list[Line]) -> pl.DataFrame:
    """Lines (year submitted, year of the fact, name) as known at every year."""
    rows = pl.DataFrame(
        [
            ("a", submitted, f"{name}", dt.date(fact, 6, 30), number)
            for number, (submitted, fact, name) in enumerate(lines)
        ],
        schema={
            "community_id": pl.String,
            "reporting_year": pl.Int32,
            "name": pl.String,
            "date": pl.Date,
            "source_row": pl.Int32,
        },
        orient="row",
    )
    days = [("a", year, dt.date(year, 12, 31)) for year in YEARS]
    schema = {"community_id": pl.String, "reporting_year": pl.Int32, "assessment_date": pl.Date}
    return known_rows(rows, pl.DataFrame(days, schema=schema, orient="row"), LOG, ("date",), dt.date(2024, 12, 31))


def test_a_late_row_takes_the_place_of_the_one_before_it() -> None:
    """Sent in 2020 of a fact in 2023, then again in 2021: from 2021 on the later word alone is known."""
    rows = known([(2020, 2023, "board"), (2021, 2021, "board")])
    assert rows["reporting_year"].to_list() == [2021, 2022, 2023, 2024]
    assert rows["submitted_in"].unique().to_list() == [2021]


@given(st.lists(st.tuples(st.sampled_from(YEARS), st.sampled_from(YEARS), st.sampled_from("xyz")), max_size=12))
def test_of_one_key_there_is_one_row_a_year_and_it_is_the_last_submitted(lines: list[Line]) -> None:
    rows = known(lines)
    assert not rows.select("name", "reporting_year").is_duplicated().any()
    for name, year in {(name, year) for _, _, name in lines for year in YEARS}:
        begun = [line for line in lines if line[2] == name and max(line[0], line[1]) <= year]
        found = rows.filter(name=name, reporting_year=year)["submitted_in"].to_list()
        assert found == ([max(line[0] for line in begun)] if begun else [])
