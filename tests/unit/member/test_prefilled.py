"""A template shows a community its registers as they stand, and left as it is it says the same again.

Belongs here: which rows of a register still speak, their cells, and the round trip through a release and intake.
Does not: prepared values of indicators (test_template.py), what a register decides (tests/unit/analysis).
"""

from __future__ import annotations

import datetime as dt
import io
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import load_workbook

import contracts
from contracts.base import Column
from dagster_project.lib.member.check import check_path
from dagster_project.lib.member.prefilled import as_cell, as_they_stand, last_registers
from dagster_project.lib.member.template import last_values, template_workbook
from tests.conftest import Outcome, take_folder
from tests.unit.member.test_check import House, write_bucket

COMMUNITY, YEAR = "birchmont_falls", 2024
CONTRACTS = contracts.landed_registers()
BUCKET = {
    (COMMUNITY, 2022): {
        "capacity.csv": "role,person,fte\ndata,former analyst,1\n",
        "partner_roster.csv": (
            "organization,body,sector_category,active_from,active_to\n"
            "Left long ago,partnership,b,2015-01-01,2020-06-30\n"
            "Riverside Clinic,leadership,h,2016-01-01,\n"
            "Moved on,partnership,c,2016-01-01,\n"
        ),
        "communications.csv": "kind,audience,date,channel\nreport_card,community,2022-05-01,print\n",
    },
    (COMMUNITY, 2023): {
        "indicator_values.csv": (
            "school_year,indicator,dimension,group,numerator,denominator\n2022-23,graduation_4yr_pct,all,all,830,1000\n"
        ),
        "capacity.csv": (
            "role,person,fte,arrangement\n"
            "data,=1+1,0.5,staffed\nfacilitation,@office,0.3333333333333333,-\n+1 day,001,,'quoted\n"
        ),
        "partner_roster.csv": (
            "organization,body,sector_category,active_from,active_to\n"
            "-Minus & Söhne,leadership,b,3/15/2019,2024-12-31\nMoved on,partnership,c,2016-01-01,2023-02-01\n"
        ),
        "funding.csv": (
            'partner,purpose,amount,in_kind,start_date,end_date\nCity,operations,"1,250.50",no,2022-07-01,2024-06-30\n'
            "Bank,operations,300000,yes,2020-01-01,2021-12-31\n"
        ),
        "targets.csv": (
            "indicator,dimension,group,value,deadline,horizon\n"
            "Four-Year Graduation Rate,all,all,92.5,2030-06-30,long\n"
            "graduation_4yr_pct,Race/Ethnicity,Black or African American,90,2019-06-30,short\n"
        ),
        "indicator_selection.csv": (
            "indicator,outcome,role,primary,baseline_year,prioritized\n"
            "graduation_4yr_pct,high_school_graduation,core,yes,2019,TRUE\n"
        ),
        "communications.csv": "kind,audience,date,channel,baseline\nprogress,partners,2023-05-01,online,no\n",
        "stories.csv": "title,text,consent\nA,B,yes\n",
    },
    (COMMUNITY, 2025): {"capacity.csv": "role,person,fte\ndata,from the future,1\n"},
    ("alderwick_bend", 2023): {"capacity.csv": "role,person,fte\ndata,of another,1\n"},
}


@pytest.fixture(scope="module")
def house(seeds: Path, tmp_path_factory: pytest.TempPathFactory) -> House:
    """The bucket above, taken in, with a release."""
    made = House(tmp_path_factory.mktemp("house"), seeds, today="2025-12-31")
    write_bucket(made.drop, BUCKET)
    made.take()
    return made


@pytest.fixture(scope="module")
def standing(house: House) -> dict[str, pl.DataFrame]:
    """Registers as they stand in 2024."""
    with duckdb.connect(str(house.release), read_only=True) as connection:
        return last_registers(connection, COMMUNITY, YEAR)


@pytest.fixture(scope="module")
def workbook(house: House, standing: dict[str, pl.DataFrame]) -> bytes:
    """The community's template for 2024."""
    with duckdb.connect(str(house.release), read_only=True) as connection:
        before = last_values(connection, COMMUNITY, YEAR)
    return template_workbook(COMMUNITY, YEAR, house.pipeline.intake, before, standing)


def said(rows: pl.DataFrame, table: str) -> list[dict[str, Any]]:
    """The register's own columns, without where a row came from."""
    return rows.select(CONTRACTS[table].names).to_dicts()


def test_a_state_is_shown_whole_as_its_newest_year_said_it(standing: dict[str, pl.DataFrame]) -> None:
    assert standing["capacity"]["person"].to_list() == ["=1+1", "@office", "001"]
    assert standing["indicator_selection"]["reporting_year"].to_list() == [2023]


def test_of_a_log_whose_rows_end_the_open_ones_of_all_years_are_shown(standing: dict[str, pl.DataFrame]) -> None:
    assert standing["partner_roster"]["organization"].to_list() == ["Riverside Clinic", "-Minus & Söhne"]
    assert standing["funding"]["partner"].to_list() == ["City"]
    assert standing["targets"].select("indicator", "value").rows() == [("graduation_4yr_pct", 92.5)]


def test_of_a_log_without_an_end_the_newest_years_rows_are_shown(standing: dict[str, pl.DataFrame]) -> None:
    assert standing["communications"]["kind"].to_list() == ["progress"]


def test_stories_and_answers_are_not_shown_and_no_other_communitys_rows(standing: dict[str, pl.DataFrame]) -> None:
    assert {"stories", "explanations", "examples"}.isdisjoint(standing)
    assert all(set(rows["community_id"]) == {COMMUNITY} for rows in standing.values())


def test_the_networks_folder_gets_no_decision_to_take_again(house: House) -> None:
    with duckdb.connect(str(house.release), read_only=True) as connection:
        assert last_registers(connection, "_network", YEAR) == {}


def test_a_release_that_carries_no_registers_prefills_none() -> None:
    with duckdb.connect() as connection:
        assert last_registers(connection, COMMUNITY, YEAR) == {}


def test_an_untouched_template_is_clean_and_says_the_same_rows_again(
    house: House, standing: dict[str, pl.DataFrame], workbook: bytes, tmp_path: Path
) -> None:
    file = tmp_path / "template.xlsx"
    file.write_bytes(workbook)
    receipt = check_path(file, COMMUNITY, YEAR, house.pipeline.intake)
    assert {finding["severity"] for finding in receipt["findings"]} <= {"info"}
    taken = take_folder(house.pipeline.intake, {"template.xlsx": workbook}, COMMUNITY, YEAR)
    again = {table for table in CONTRACTS if taken.register(table).height}
    assert again == set(standing)
    for table, rows in standing.items():
        assert said(taken.register(table), table) == said(rows, table), table


def test_saving_the_template_in_a_spreadsheet_program_changes_no_row(
    house: House, standing: dict[str, pl.DataFrame], workbook: bytes
) -> None:
    buffer = io.BytesIO()
    load_workbook(io.BytesIO(workbook)).save(buffer)
    taken: Outcome = take_folder(house.pipeline.intake, {"saved.xlsx": buffer.getvalue()}, COMMUNITY, YEAR)
    assert all(said(taken.register(table), table) == said(rows, table) for table, rows in standing.items())


def test_a_text_that_begins_like_a_formula_stays_text(workbook: bytes) -> None:
    book = load_workbook(io.BytesIO(workbook))
    rows = [row for sheet in ("capacity", "partner_roster") for row in book[sheet].iter_rows(min_row=2)]
    cells = [cell for row in rows for cell in row]
    signs = [cell for cell in cells if isinstance(cell.value, str) and cell.value[0] in "=+-@"]
    assert {cell.value for cell in signs} == {"=1+1", "@office", "-", "+1 day", "-Minus & Söhne"}
    assert all(cell.data_type == "s" and cell.number_format == "@" and cell.quotePrefix for cell in signs)


def test_the_same_registers_give_the_same_bytes(house: House, standing: dict[str, pl.DataFrame]) -> None:
    intake = house.pipeline.intake
    first, second = (template_workbook(COMMUNITY, YEAR, intake, None, standing) for _ in range(2))
    assert first == second


def test_an_example_or_partner_is_open_through_the_year_it_ends_in() -> None:
    contract = CONTRACTS["partner_roster"]
    ends = [None, dt.date(2023, 12, 31), dt.date(2024, 1, 1), dt.date(2030, 1, 1)]
    rows = pl.DataFrame(
        {
            "reporting_year": [2020] * 4,
            "source_file": ["a.csv"] * 4,
            "source_sheet": [""] * 4,
            "source_row": [2, 3, 4, 5],
            "organization": ["a", "b", "c", "d"],
            "body": ["partnership"] * 4,
            "active_from": [None] * 4,
            "active_to": ends,
        },
        schema_overrides={"active_to": pl.Date, "active_from": pl.Date},
    )
    assert as_they_stand(rows, contract, 2024)["organization"].to_list() == ["a", "c", "d"]


@given(st.floats(min_value=0, max_value=1e18, allow_nan=False))
def test_a_number_is_written_so_that_reading_it_gives_the_same_number(amount: float) -> None:
    from dagster_project.lib.intake.reading.workbook_child import cell_text
    from dagster_project.lib.intake.rows.cells import parse_number

    cell = as_cell(amount, Column("amount", "number", "Amount"))
    assert parse_number(cell_text(cell)) == amount
