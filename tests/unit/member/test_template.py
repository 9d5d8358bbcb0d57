"""The template workbook is the contract as a workbook, with the community's own last values beside.

Belongs here: its sheets, notes, lists and prepared rows, and that intake reads it back.
Does not: the command (tests/unit/test_cli_intake.py), rules on values (test_values.py).
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest
from openpyxl import Workbook, load_workbook

import contracts
from dagster_project.lib.base.reference import Reference
from dagster_project.lib.intake.batch import Intake
from dagster_project.lib.member.check import check_path
from dagster_project.lib.member.template import (
    LAST_VALUES,
    LISTS_SHEET,
    last_values,
    rows_to_fill,
    template_workbook,
    value_words,
    year_words,
)

OWN = [contract for contract in contracts.tables(contracts.version_for(2025)).values() if not contract.network]


def value(**changes: Any) -> dict[str, Any]:
    """One accepted value of the year before."""
    base = {
        "indicator_id": "graduation_4yr_pct",
        "population_group_id": "all",
        "geography_id": "birchmont_falls",
        "geography_level": "community",
        "geography": "Birchmont Falls",
        "school_year": 2024,
        "series": "default",
        "period": "annual",
        "value": 88.04,
        "value_low": None,
        "value_high": None,
        "numerator": 1100,
        "denominator": 1250,
        "value_status": "reported",
        "reporting_year": 2024,
        "source_file": "indicator_values.csv",
    }
    return base | changes


def before(*rows: dict[str, Any]) -> pl.DataFrame:
    """Values as known before the reporting year."""
    return pl.DataFrame(rows, schema=LAST_VALUES)


BEFORE = before(
    value(),
    value(population_group_id="race_ethnicity:black", numerator=None, denominator=None, value=None)
    | {"value_status": "suppressed_at_source"},
    value(
        geography_id="birchmont_falls_falls_area_schools", geography_level="district", geography="Falls Area Schools"
    ),
    value(geography_id="birchmont_falls:school:brook_school", geography_level="school", geography=None),
    value(indicator_id="grade3_reading_proficient_pct", series="=state test 2021"),
    value(indicator_id="employed_pct", school_year=2023),
    value(indicator_id="attendance_rate_pct", period="2023-Q4", value=None, value_low=90.0, value_high=100.0)
    | {"numerator": None, "denominator": None, "value_status": "range"},
)


@pytest.fixture(scope="module")
def book(intake: Intake) -> Workbook:
    """The template for the values above."""
    return load_workbook(io.BytesIO(template_workbook("birchmont_falls", 2025, intake, BEFORE)))


def rows_of(sheet: Any) -> list[dict[str, Any]]:
    """Rows below the header by column name."""
    header, *rows = sheet.iter_rows(values_only=True)
    return [dict(zip(header, row, strict=True)) for row in rows if any(cell is not None for cell in row)]


@pytest.mark.parametrize("contract", OWN, ids=lambda contract: contract.table)
def test_every_submitted_table_has_a_sheet_with_exactly_its_header(book: Workbook, contract: Any) -> None:
    header = [cell.value for cell in book[contract.table][1]]
    assert header == list(contract.names)


@pytest.mark.parametrize("contract", OWN, ids=lambda contract: contract.table)
def test_every_head_says_what_the_column_means_whether_it_is_needed_and_what_is_allowed(
    book: Workbook, contract: Any, intake: Intake
) -> None:
    contract = contract.with_largest_count(intake.rules.largest_count)
    for cell, column in zip(book[contract.table][1], contract.columns, strict=True):
        need = "Required" if column.required else "Optional"
        assert column.description in cell.comment.text
        assert column.allowed in cell.comment.text
        assert need in cell.comment.text


def listed(book: Workbook, table: str, column: str) -> list[str]:
    """What the menu of a column offers."""
    place = contracts.tables(1)[table].names.index(column)
    for menu in book[table].data_validations.dataValidation:
        (area,) = menu.sqref.ranges
        if area.min_col == place + 1:
            cells = book[LISTS_SHEET][menu.formula1.split("!")[1].replace("$", "")]
            return [cell[0].value for cell in cells]
    return []


@pytest.mark.parametrize("contract", OWN, ids=lambda contract: contract.table)
def test_every_choice_has_a_menu_of_its_words(book: Workbook, contract: Any) -> None:
    for column in contract.columns:
        if column.choices:
            assert listed(book, contract.table, column.name) == list(column.choices)


def test_menus_offer_the_dictionarys_codes_and_the_communitys_own_places(book: Workbook, reference: Reference) -> None:
    assert listed(book, "indicator_values", "indicator") == reference.indicators["indicator_id"].to_list()
    assert set(listed(book, "indicator_values", "group")) == set(reference.groups["group_code"])
    assert "Falls Area Schools" in listed(book, "indicator_values", "geography")
    assert listed(book, "stories", "consent") == ["yes", "no"]
    assert listed(book, "funding", "partner") == []


def test_rows_are_prepared_from_the_last_values_with_the_numbers_left_blank(book: Workbook) -> None:
    rows = rows_of(book["indicator_values"])
    assert len(rows) == BEFORE.height
    assert all(row["numerator"] is row["denominator"] is row["value"] is None for row in rows)
    black = next(row for row in rows if row["group"] == "black")
    assert (black["school_year"], black["indicator"], black["dimension"]) == (
        "2024-25",
        "graduation_4yr_pct",
        "race_ethnicity",
    )
    assert black["series"] is black["geography"] is black["geography_level"] is black["period"] is None


def test_places_series_periods_and_calendar_years_stay_as_they_were(book: Workbook) -> None:
    rows = rows_of(book["indicator_values"])
    places = {(row["geography"], row["geography_level"]) for row in rows if row["geography"]}
    assert places == {("Falls Area Schools", "district"), ("brook_school", "school")}
    by_indicator = {row["indicator"]: row for row in rows}
    assert by_indicator["grade3_reading_proficient_pct"]["series"] == "=state test 2021"
    assert by_indicator["employed_pct"]["school_year"] == "2024"
    assert by_indicator["attendance_rate_pct"]["period"] == "2024-Q4"


def test_the_value_of_the_year_before_stands_in_a_comment(book: Workbook) -> None:
    sheet = book["indicator_values"]
    texts = [sheet.cell(line, 7).comment.text for line in range(2, 2 + BEFORE.height)]
    assert "2023-24: value 88.0, numerator 1,100, denominator 1,250, reported" in "\n".join(texts)
    assert any("suppressed at source" in text for text in texts)
    assert any("value from 90.0 to 100.0, range" in text for text in texts)


def test_only_the_newest_school_year_of_each_indicator_in_the_last_reporting_year_is_prepared(
    reference: Reference,
) -> None:
    known = before(
        value(school_year=2023),
        value(school_year=2024, series="new test"),
        value(indicator_id="employed_pct", school_year=2022, reporting_year=2023),
    )
    notes = list(rows_to_fill(known, 2026, reference))
    assert [(note.cells["indicator"], note.cells["school_year"], note.cells["series"]) for note in notes] == [
        ("graduation_4yr_pct", "2025-26", "new test")
    ]


def test_without_earlier_values_nothing_is_prepared(intake: Intake) -> None:
    for known in (None, before()):
        book = load_workbook(io.BytesIO(template_workbook("birchmont_falls", 2025, intake, known)))
        assert rows_of(book["indicator_values"]) == []


def test_the_same_values_give_the_same_bytes(intake: Intake) -> None:
    first = template_workbook("birchmont_falls", 2025, intake, BEFORE)
    assert first == template_workbook("birchmont_falls", 2025, intake, BEFORE)
    # The rows come in the order of their keys, whatever the release's order.
    assert first == template_workbook("birchmont_falls", 2025, intake, BEFORE.reverse())


@pytest.mark.parametrize("known", [None, BEFORE], ids=["empty", "prepared"])
def test_the_template_reads_back_as_the_contracts_own_tables_without_a_fatal_finding(
    intake: Intake, tmp_path: Path, known: pl.DataFrame | None
) -> None:
    file = tmp_path / "template.xlsx"
    file.write_bytes(template_workbook("birchmont_falls", 2025, intake, known))
    receipt = check_path(file, "birchmont_falls", 2025, intake)
    version = contracts.version_for(2025)
    (listed_file,) = receipt["files"]
    assert set(listed_file["layout"].split(", ")) == {f"{contract.table}_v{version}" for contract in OWN}
    assert {finding["severity"] for finding in receipt["findings"]} <= {"info"}
    # Keys without a value are a form that nobody has filled in yet.
    assert listed_file["rows_accepted"] == 0


def test_a_filled_in_template_counts_with_the_keys_of_the_year_before(intake: Intake, tmp_path: Path) -> None:
    book = load_workbook(io.BytesIO(template_workbook("birchmont_falls", 2025, intake, BEFORE)))
    sheet = book["indicator_values"]
    for line in range(2, 2 + BEFORE.height):
        sheet.cell(line, 7, 91.5)
    file = tmp_path / "filled.xlsx"
    book.save(file)
    receipt = check_path(file, "birchmont_falls", 2025, intake)
    assert receipt["status"] == "accepted"
    assert receipt["files"][0]["rows_accepted"] == BEFORE.height


def test_the_first_sheet_says_what_each_column_is_used_for(intake: Intake) -> None:
    book = load_workbook(io.BytesIO(template_workbook("birchmont_falls", 2025, intake)))
    said = [cell for (cell,) in book["Read me"].iter_rows(values_only=True)]
    for contract in OWN:
        start = said.index(f"{contract.table}: {contract.description}")
        uses = said[start + 1 : start + 1 + len(contract.columns)]
        assert uses == [f"    {column.name}: {column.purpose}." for column in contract.columns]


def test_the_networks_folder_gets_the_networks_tables(intake: Intake) -> None:
    book = load_workbook(io.BytesIO(template_workbook("_network", 2025, intake)))
    assert {"scores", "gateway_decisions", "review_decisions"} < set(book.sheetnames)
    assert "indicator_values" not in book.sheetnames


def test_last_values_are_those_known_before_the_reporting_year() -> None:
    with duckdb.connect() as connection:
        connection.execute("create schema marts")
        connection.execute(
            "create table marts.fct_indicator_value_history as select * from (values "
            "('a', 'x', 'all', 'a', 2023, 'default', 'annual', 1.0, null, null, 1, 2, 'reported', 2023, 2024, 'f'), "
            "('a', 'x', 'all', 'a', 2023, 'default', 'annual', 2.0, null, null, 1, 2, 'reported', 2025, 9999, 'f'), "
            "('b', 'x', 'all', 'b', 2023, 'default', 'annual', 3.0, null, null, 1, 2, 'reported', 2023, 9999, 'f')) "
            "as t(community_id, indicator_id, population_group_id, geography_id, school_year, series, period, value, "
            "value_low, value_high, numerator, denominator, value_status, known_from, known_to, source_file)"
        )
        connection.execute(
            "alter table marts.fct_indicator_value_history add column origin varchar default 'submitted'"
        )
        connection.execute(
            "create table marts.dim_geography as select 'a' as community_id, 'a' as geography_id, 'A' as name, "
            "'community' as geography_level"
        )
        found = {year: last_values(connection, "a", year)["value"].to_list() for year in (2023, 2024, 2025, 2026)}
    assert found == {2023: [], 2024: [1.0], 2025: [1.0], 2026: [2.0]}


def test_years_and_values_are_told_in_words() -> None:
    assert (year_words(2000, False), year_words(2025, False), year_words(2025, True)) == ("1999-00", "2024-25", "2025")
    words = value_words(value(numerator=None))
    assert words == "value 88.0, denominator 1,250, reported, from indicator_values.csv of reporting year 2024"
