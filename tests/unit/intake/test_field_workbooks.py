"""Workbooks, archives and Parquet files as members met them give the values that they show, or say what is wrong.

Belongs here: the cases from the field that a reader decides, through intake as a run takes them.
Does not: the reader's own promises (test_reading_workbooks.py), text files, unread columns and labels.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import openpyxl
import polars as pl
import pytest
import xlwt  # type: ignore[import-untyped]
from openpyxl.styles import Font

from dagster_project.lib.base.reference import Reference
from dagster_project.lib.base.store import Given
from dagster_project.lib.intake.batch import Intake
from dagster_project.lib.intake.bucket.drop import DroppedFile, Folder, submission_id
from dagster_project.lib.intake.findings import FINDINGS
from dagster_project.lib.intake.layouts.cell_facts import LISTS_OF_TEMPLATE
from dagster_project.lib.intake.reading.files import WorkbookReader
from dagster_project.lib.intake.tables import OBSERVATIONS
from dagster_project.lib.intake.take_in import take_in
from dagster_project.lib.member.template import LISTS_SHEET
from tests.support import field_case

COMMUNITY, YEAR = "aspenreach", 2024


@dataclass(frozen=True)
class Took:
    """What intake made of one folder."""

    submission_id: str
    rows: pl.DataFrame
    findings: pl.DataFrame
    files: pl.DataFrame

    def values(self, *columns: str) -> list[tuple[Any, ...]]:
        """Source row and columns of the rows that count."""
        counted = self.rows.filter(pl.col("row_status") != "rejected").sort("source_row")
        return counted.select("source_row", *columns).rows()

    def told(self, *rules: str, n_rows: bool = False) -> list[tuple[Any, ...]]:
        """Rule, first row and column of findings, all or of some rules; of how many rows they speak if asked."""
        found = self.findings.filter(pl.col("rule_id").is_in(rules)) if rules else self.findings
        names = ["rule_id", "source_row", "source_column", *(["n_rows"] if n_rows else [])]
        return found.select(names).sort("rule_id", "source_row").rows()


Take = Callable[..., Took]


@pytest.fixture(scope="module")
def intake(reference: Reference) -> Intake:
    return Intake(reference)


@pytest.fixture(scope="module")
def reader() -> Any:
    with WorkbookReader() as shared:
        yield shared


@pytest.fixture
def take(intake: Intake, reader: WorkbookReader) -> Take:
    def run(*paths: Path, **given: bytes) -> Took:
        content = {path.name: path.read_bytes() for path in paths} | {
            name.replace("__", "."): data for name, data in given.items()
        }
        files = tuple(DroppedFile(name, name, len(data), "tag") for name, data in sorted(content.items()))
        (taken,) = take_in(intake, [Folder(COMMUNITY, YEAR, files)], Given(content.__getitem__), None, reader)
        tables = taken.tables
        return Took(
            taken.submission_id,
            tables.get("observations", pl.DataFrame(schema=OBSERVATIONS)),
            tables.get("findings", pl.DataFrame(schema=FINDINGS)),
            tables["files"],
        )

    return run


def test_percent_cells_of_an_old_workbook_are_what_they_show(take: Take) -> None:
    took = take(field_case("percent_xls"))
    assert took.values("value") == [(2, pytest.approx(46.8181818181818)), (4, 44.0)]
    assert took.told("formula_error_cell") == [("formula_error_cell", 3, "G")]


@pytest.mark.parametrize("case", ["percent_prefixed_xml", "percent_strict_ooxml"])
def test_percent_and_error_cells_are_found_whatever_the_spelling(take: Take, case: str) -> None:
    took = take(field_case(case))
    assert took.values("value") == [(2, 85.0), (3, 46.0)]
    assert took.told("formula_error_cell", "bad_cell") == [("formula_error_cell", 4, "G")], "one cause, told once"


def test_cells_without_a_reference_stand_where_they_follow(take: Take) -> None:
    assert take(field_case("cells_without_reference")).values("value") == [(2, 85.0), (3, 46.0)]


def test_a_raised_footnote_mark_is_no_digit_of_its_number(take: Take) -> None:
    took = take(field_case("superscript_footnote"))
    assert took.values("value", "numerator", "denominator", "population_group_id") == [
        (2, 85.2, None, None, "all"),
        (3, pytest.approx(100 * 41 / 88), 41, 88, "race_ethnicity:hispanic"),
        (4, pytest.approx(100 * 41 / 88), 41, 88, "race_ethnicity:black"),
    ]
    assert sorted(took.told("footnote_mark", n_rows=True)) == [
        ("footnote_mark", 2, "G", 1),
        ("footnote_mark", 3, "D", 1),
        ("footnote_mark", 3, "F", 2),
    ]


def test_a_formula_that_was_never_calculated_is_an_error_of_its_row(take: Take) -> None:
    took = take(field_case("formula_without_value"))
    assert took.values("value") == []
    assert took.told("formula_without_value", n_rows=True) == [("formula_without_value", 2, "G", 2)]


def test_a_merged_cell_gives_its_value_to_every_row_it_covers(take: Take) -> None:
    took = take(field_case("merged_place"))
    assert took.values("raw_geography", "geography_level", "series") == [
        (row, "Reach Mountain Schools", "district", "t") for row in (2, 3, 4)
    ]


def test_a_number_behind_a_mask_is_masked(take: Take) -> None:
    took = take(field_case("shown_masked"))
    assert took.values("numerator", "denominator", "value_status") == [(2, None, None, "suppressed_at_source")]


def test_a_hidden_sheet_is_not_taken_and_told(take: Take) -> None:
    took = take(field_case("hidden_sheet"))
    assert took.values("source_sheet", "numerator") == [(2, "indicator_values", 412)]
    assert took.findings.select("rule_id", "source_sheet").rows() == [("hidden_sheet", "old draft")]


def test_text_in_a_percent_cell_is_what_it_shows(take: Take) -> None:
    took = take(field_case("percent_format_on_text"))
    assert took.values("value") == [(2, 85.0), (3, 46.0), (4, 85.2), (5, 1.0), (6, 0.7)]


def test_a_date_that_a_spreadsheet_made_is_an_error_in_every_column_that_is_none(take: Take) -> None:
    took = take(field_case("date_turned_cells"))
    assert took.values("value") == []
    assert took.told("date_cell") == [
        ("date_cell", 2, "F"),
        ("date_cell", 3, "G"),
        ("date_cell", 4, "I"),
        ("date_cell", 5, "D"),
    ]


def test_binary_text_of_a_parquet_file_is_text(take: Take) -> None:
    assert take(field_case("binary_parquet")).values("indicator_id", "value") == [
        (2, "grade3_reading_proficient_pct", 46.8)
    ]


def test_formatted_blanks_count_for_nothing(take: Take) -> None:
    took = take(field_case("blank_formatted"))
    assert took.values("numerator", "denominator") == [(2, 412, 880)]
    assert took.told() == []


def test_a_zip_is_read_as_if_it_were_unpacked_and_is_one_file_of_the_submission(take: Take) -> None:
    path = field_case("zip_numbers_ods")
    took = take(path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert took.submission_id == submission_id(COMMUNITY, YEAR, [(path.name, digest)])
    assert took.files.select("name", "sha256").rows() == [(f"{path.name}/indicator_values.csv", digest)]
    assert set(took.findings["source_file"]) == {f"{path.name}/indicator_values.csv"}


def test_what_a_mac_puts_beside_a_file_is_no_table(take: Take) -> None:
    took = take(field_case("appledouble"))
    assert took.findings.select("rule_id", "severity").rows() == [("unsupported_file", "info")]
    assert took.files["kind"].to_list() == ["ignored"]


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("values__numbers", "spreadsheet_not_read"),
        ("values__fods", "spreadsheet_not_read"),
        ("values__xlsb", "xlsb_refused"),
        ("values__xlsm", "macro_workbook"),
        ("values__7z", "archive_refused"),
    ],
)
def test_spreadsheets_and_archives_of_other_kinds_are_errors_that_say_what_to_do(
    take: Take, name: str, rule: str
) -> None:
    took = take(**{name: b"PK\x03\x04 anything"})
    assert took.findings.select("rule_id", "severity").rows() == [(rule, "error")]
    assert took.files["kind"].to_list() == ["unreadable"]


def workbook(*rows: list[Any], merge: str = "", title: str = "") -> bytes:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "indicator_values"
    header = ["school_year", "indicator", "dimension", "group", "numerator", "denominator", "series"]
    for row in ([[title]] if title else []) + [header, *rows]:
        sheet.append(row)
    if merge:
        sheet.merge_cells(merge)
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


ROW = ["2023-24", "grade3_reading_proficient_pct", "all", "all", 40, 100]
OLDER = ["2022-23", *ROW[1:]]


def test_a_cell_merged_over_columns_refuses_its_row_and_no_other(take: Take) -> None:
    took = take(values__xlsx=workbook(ROW, OLDER, merge="C3:D3"))
    assert took.values("numerator") == [(2, 40)]
    assert took.told("cells_merged_across") == [("cells_merged_across", 3, "C")]


def test_merged_cells_above_and_below_the_table_change_nothing(take: Take) -> None:
    took = take(values__xlsx=workbook(ROW, OLDER, merge="A1:G1", title="Reading results"))
    assert took.values("numerator", "series") == [(3, 40, "default"), (4, 40, "default")]
    took = take(values__xlsx=workbook(ROW, [*OLDER, "own"], merge="G3:G9"))
    assert took.values("series") == [(2, "default"), (3, "own")]


def test_the_lists_behind_a_template_are_hidden_and_told_nobody() -> None:
    assert LISTS_OF_TEMPLATE == LISTS_SHEET


def struck(kind: str, *places: str) -> bytes:
    """The two rows as a new or an old workbook with a line through some cells."""
    made: Any = openpyxl.load_workbook(io.BytesIO(workbook(ROW, OLDER)))
    for place in places:
        made.active[place].font = Font(strike=True)
    if kind == "xls":
        sheet = (old := xlwt.Workbook()).add_sheet("indicator_values")
        for cells in made.active.iter_rows():
            for cell in cells:
                lined = xlwt.easyxf("font: struck_out on" if cell.font.strike else "")
                sheet.write(cell.row - 1, cell.column - 1, cell.value, lined)
        made = old
    buffer = io.BytesIO()
    made.save(buffer)
    return buffer.getvalue()


@pytest.mark.parametrize("kind", ["xlsx", "xls"])
def test_a_row_that_its_member_struck_out_does_not_count(take: Take, kind: str) -> None:
    took = take(**{f"values__{kind}": struck(kind, *(f"{letter}3" for letter in "ABCDEF"))})
    assert took.values("numerator") == [(2, 40)]
    assert took.told() == [("struck_out", 3, "A")], "a row is told once, not cell by cell"
    took = take(**{f"values__{kind}": struck(kind, "E2", "A3")})
    assert took.values("numerator") == []
    assert took.told() == [("struck_out", 2, "E"), ("struck_out", 3, "A")]
    took = take(**{f"values__{kind}": struck(kind, "E1", "G2", "H2")})
    assert took.values("numerator") == [(2, 40), (3, 40)]
    assert took.told() == []
