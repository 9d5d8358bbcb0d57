"""A member's own workbook comes back marked and otherwise as it was; put back, it is read as the original.

Belongs here: copy_of and marked_workbook on workbooks with menus, notes, formulas, merged and hidden parts.
Does not: placing findings on cells of plain copies (test_receipt_page.py).
"""

from __future__ import annotations

import io
import random
import zipfile
from typing import Any

import openpyxl
import pytest
from openpyxl.comments import Comment
from openpyxl.worksheet.datavalidation import DataValidation

from dagster_project.lib.intake.batch import Intake
from dagster_project.lib.intake.reading.files import WorkbookReader, read_file
from dagster_project.lib.member.template import template_workbook
from dagster_project.lib.receipts.marked_copy import FILLS, LINE_HEIGHT
from dagster_project.lib.receipts.marked_workbook import OWN_NOTE, marked_workbook
from dagster_project.lib.receipts.returned import copy_of
from tests.conftest import Outcome, take_folder
from tests.fuzz.writers import Cell, Table, as_old, as_open_document, as_spelled

HEADER = ["school_year", "indicator", "dimension", "group", "geography", "numerator", "denominator", "value", "note"]
ROW = ["2023-24", "graduation_4yr_pct", "all", "all", "", 40, 50, "", ""]


def book_of(*rows: list[Any]) -> openpyxl.Workbook:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "indicator_values"
    for row in rows:
        sheet.append(row)
    return book


def saved(book: openpyxl.Workbook) -> bytes:
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def with_last_value(data: bytes, cell: str, value: str) -> bytes:
    """The workbook as a spreadsheet program saves it: with what a formula gave."""
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(target, "w") as result:
        for item in source.infolist():
            content = source.read(item).decode()
            if item.filename == "xl/worksheets/sheet1.xml":
                before, found, after = content.partition(f'<c r="{cell}"')
                head, tag, tail = after.partition("</f>")
                content = (
                    before
                    + found
                    + head
                    + tag
                    + tail.replace("<v />", f"<v>{value}</v>", 1).replace("<v></v>", f"<v>{value}</v>", 1)
                )
            result.writestr(item.filename, content)
    return target.getvalue()


def told_again(intake: Intake, name: str, data: bytes) -> tuple[Outcome, bytes, Outcome]:
    """The file as taken, its marked copy, and the copy as taken."""
    first = take_folder(intake, {name: data})
    with WorkbookReader(intake.limits) as reader:
        read = read_file(name, data, None, intake.limits, reader)
        copy = copy_of(name, data, read, first.findings.to_dicts(), reader)
    return first, copy, take_folder(intake, {f"{name.rpartition('.')[0]}.xlsx": copy})


def rows_of(outcome: Outcome) -> list[tuple[Any, ...]]:
    names = (
        "source_sheet",
        "source_row",
        "indicator_id",
        "group_code",
        "numerator",
        "denominator",
        "value",
        "row_status",
    )
    return outcome.observations.select(names).rows()


def rules_of(outcome: Outcome) -> list[tuple[Any, ...]]:
    return sorted(outcome.findings.select("rule_id", "source_row", "source_column", "found", "n_rows").rows(), key=str)


def own_book() -> bytes:
    book = book_of(HEADER, ROW, [*ROW[:3], "nobody", "", "x", 50, "", "=F2*2"], [*ROW[:5], "=30+10", 50, "", ""])
    sheet = book["indicator_values"]
    sheet["D3"].comment = Comment("Ours to check", "Ana")
    sheet["A1"].comment = Comment("The year", "Ana")
    sheet.column_dimensions["B"].width = 44
    sheet.freeze_panes = "A2"
    menu = DataValidation(type="list", formula1='"all,gender"')
    menu.add("C2:C100")
    sheet.add_data_validation(menu)
    draft = book.create_sheet("draft")
    draft.append(HEADER)
    draft.append(ROW)
    draft.sheet_state = "hidden"
    return with_last_value(with_last_value(saved(book), "F4", "40"), "I3", "80")


def test_a_marked_workbook_keeps_menus_notes_widths_formulas_and_hidden_sheets(intake: Intake) -> None:
    _, copy, _ = told_again(intake, "values.xlsx", own_book())
    book = openpyxl.load_workbook(io.BytesIO(copy))
    sheet = book["indicator_values"]
    assert book.sheetnames == ["Findings", "indicator_values", "draft"] and book["draft"].sheet_state == "hidden"
    assert sheet.column_dimensions["B"].width == 44 and sheet.freeze_panes == "A2"
    (menu,) = sheet.data_validations.dataValidation
    assert (menu.formula1, str(menu.sqref)) == ('"all,gender"', "C2:C100")
    assert sheet["F4"].value == "=30+10" and sheet["A1"].comment.text == "The year"
    assert sheet["F3"].fill.fgColor.rgb == f"00{FILLS['error']}" and "How to fix it" in sheet["F3"].comment.text
    assert sheet["D3"].comment is not None and "Ours to check" in sheet["D3"].comment.text
    assert [each.sheet_view.tabSelected for each in book.worksheets] == [True, False, False]
    assert openpyxl.load_workbook(io.BytesIO(copy), data_only=True)["indicator_values"]["F4"].value == 40


def test_the_list_of_findings_can_be_read_on_the_screen_and_on_paper(intake: Intake) -> None:
    _, copy, _ = told_again(intake, "values.xlsx", own_book())
    sheet = openpyxl.load_workbook(io.BytesIO(copy))["Findings"]
    assert sheet.page_setup.orientation == "landscape" and sheet.sheet_properties.pageSetUpPr.fitToPage
    for row in sheet.iter_rows(min_row=3):
        lines = sheet.row_dimensions[row[0].row].height / LINE_HEIGHT
        widths = [sheet.column_dimensions[cell.column_letter].width for cell in row]
        needed = [len(str(cell.value or "")) / width for cell, width in zip(row, widths, strict=True)]
        assert lines >= max(needed)


def test_a_copy_says_that_it_goes_in_place_of_its_file_and_what_comes_of_both(intake: Intake) -> None:
    _, copy, _ = told_again(intake, "values.xlsx", own_book())
    sheet = openpyxl.load_workbook(io.BytesIO(copy))["Findings"]
    first = str(sheet["A1"].value)
    assert "in place of that file, not beside it" in first
    # One line over empty cells: it is whole where the columns of the list are as wide.
    assert len(first) <= sum(column.width for column in sheet.column_dimensions.values())


def test_an_open_document_comes_back_as_a_workbook_with_its_cells_marked(intake: Intake) -> None:
    rows = [[Cell(title) for title in HEADER], [Cell(str(cell)) for cell in [*ROW[:5], "x", 50, "", ""]]]
    _, copy, again = told_again(intake, "values.ods", as_open_document(Table(rows), random.Random(4)))
    sheet = openpyxl.load_workbook(io.BytesIO(copy))["indicator_values"]
    assert sheet["F2"].fill.fgColor.rgb == f"00{FILLS['error']}" and "How to fix it" in sheet["F2"].comment.text
    assert rows_of(again)[0][:2] == ("indicator_values", 2)


def test_a_marked_workbook_put_back_is_read_as_the_original(intake: Intake) -> None:
    first, _, again = told_again(intake, "values.xlsx", own_book())
    assert rows_of(first) == rows_of(again) and len(rows_of(first)) == 3
    assert rules_of(first) == rules_of(again)


def test_the_marks_of_an_earlier_copy_go_when_their_cell_was_mended(intake: Intake) -> None:
    _, copy, _ = told_again(intake, "values.xlsx", own_book())
    book = openpyxl.load_workbook(io.BytesIO(copy))
    book["indicator_values"]["F3"] = 30
    _, second, again = told_again(intake, "values.xlsx", saved(book))
    sheet = openpyxl.load_workbook(io.BytesIO(second))["indicator_values"]
    assert sheet["F3"].comment is None and sheet["F3"].fill.fill_type is None
    assert OWN_NOTE not in sheet["D3"].comment.text.partition(OWN_NOTE)[2]
    assert openpyxl.load_workbook(io.BytesIO(second)).sheetnames.count("Findings") == 1
    assert not set(again.observations["source_sheet"]) - {"indicator_values"}


def test_the_same_workbook_gives_the_same_bytes(intake: Intake) -> None:
    assert told_again(intake, "values.xlsx", own_book())[1] == told_again(intake, "values.xlsx", own_book())[1]


def test_a_marked_template_keeps_its_menus_and_its_other_sheets_say_nothing(intake: Intake) -> None:
    data = template_workbook("alderwick_bend", 2024, intake)
    book = openpyxl.load_workbook(io.BytesIO(data))
    sheet = book["indicator_values"]
    names = {str(cell.value): cell.column for row in sheet.iter_rows(max_row=12) for cell in row if cell.value}
    at = next(row for row in range(1, 13) if sheet.cell(row, names["indicator"]).value == "indicator") + 1
    for name, value in {"school_year": "2023-24", "indicator": "graduation_4yr_pct", "value": "lots"}.items():
        sheet.cell(at, names[name]).value = value
    first, copy, again = told_again(intake, "template.xlsx", saved(book))
    assert rules_of(first) == rules_of(again) and rows_of(first) == rows_of(again)
    marked = openpyxl.load_workbook(io.BytesIO(copy))
    assert len(marked["indicator_values"].data_validations.dataValidation) == len(sheet.data_validations.dataValidation)
    assert marked.sheetnames == ["Findings", *book.sheetnames]


@pytest.mark.parametrize("writer", ["old", "spelled"])
def test_merged_and_hidden_cells_of_any_workbook_mean_the_same_when_put_back(intake: Intake, writer: str) -> None:
    header = [Cell(name) for name in HEADER]
    row = [Cell(str(cell)) for cell in ROW]
    bad = [*row[:5], Cell("x"), *row[6:]]
    table = Table(
        [header, [*row[:3], Cell("all"), Cell("North End"), *row[5:]], [*row[:4], Cell(""), *row[5:]], bad],
        [(1, 2, 4)],
    )
    for seed in range(6):
        draw = random.Random(seed)
        name, data = ("v.xls", as_old(table, draw)) if writer == "old" else ("v.xlsx", as_spelled(table, draw))
        first, _, again = told_again(intake, name, data)
        shown = ("raw_geography", "numerator", "row_status")
        assert first.observations.select(shown).rows() == again.observations.select(shown).rows()
        assert first.rules == again.rules


@pytest.mark.parametrize("part", ["mergeCell", "hyperlink"])
def test_a_range_over_a_whole_sheet_is_never_walked(part: str, intake: Intake) -> None:
    wrapped = {
        "mergeCell": '<mergeCells><mergeCell ref="A5:XFD1048576"/></mergeCells>',
        "hyperlink": '<hyperlinks><hyperlink ref="A5:XFD1048576" location="A1"/></hyperlinks>',
    }[part]
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(own_book())) as source, zipfile.ZipFile(target, "w") as result:
        for item in source.infolist():
            content = source.read(item)
            if item.filename == "xl/worksheets/sheet1.xml":
                content = content.replace(b"</sheetData>", b"</sheetData>" + wrapped.encode())
            result.writestr(item.filename, content)
    read = read_file("v.xlsx", target.getvalue(), None, intake.limits)
    assert read.sheets and marked_workbook("v.xlsx", target.getvalue(), read.sheets, []) is None
