"""A cell under conditional formatting is what it shows, or it is told that this cannot be known.

Belongs here: lib/intake/reading/conditions, through the readers of both forms of Excel workbooks.
Does not: number formats themselves (test_number_formats.py), what a run makes of such a cell (test_field_workbooks.py).
"""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Callable, Iterator

import openpyxl
import pytest
import xlwt  # type: ignore[import-untyped]
from hypothesis import given
from hypothesis import strategies as st
from openpyxl.formatting.rule import DataBarRule, Rule
from openpyxl.styles import Color, Font, PatternFill
from openpyxl.styles.differential import DifferentialStyle
from openpyxl.styles.numbers import NumberFormat

from dagster_project.lib.intake.reading.conditions.formulas import NoValueError, UnknownError, compare, compiled
from dagster_project.lib.intake.reading.files import WorkbookReader
from dagster_project.lib.intake.reading.grid import Grid

OTHERWISE, BY_RULE = "shown_otherwise", "shown_by_rule"


@pytest.fixture(scope="module")
def reader() -> Iterator[WorkbookReader]:
    with WorkbookReader() as shared:
        yield shared


def read(reader: WorkbookReader, data: bytes) -> tuple[Grid, list[tuple[str, tuple[int, ...], str | None]]]:
    """The first sheet, and what was told of its cells."""
    found = reader.read(data)
    return found.sheets[0], [(told.rule_id, told.rows, told.column) for told in found.problems]


def masked(code: str = ";;;") -> DifferentialStyle:
    """What a rule sets: a number format."""
    return DifferentialStyle(numFmt=NumberFormat(numFmtId=170, formatCode=code))


def rule(kind: str = "cellIs", style: DifferentialStyle | None = None, **given: object) -> Rule:
    """A rule that masks, unless it is given another style."""
    return Rule(type=kind, dxf=style or masked('"*"'), **given)


def book(*rules: tuple[str, Rule], first: int = 1, cells: Callable[[object], None] | None = None) -> bytes:
    """Numbers 4, 12, 0.5 and a text below a header, and the rules for their areas."""
    made = openpyxl.Workbook()
    sheet = made.active
    for row in (["count", "size"], [4, 100], [12, 8], [0.5, None], ["n/a", 3]):
        sheet.append(row)
    for areas, one in rules:
        sheet.conditional_formatting.add(areas, one)
    if cells:
        cells(sheet)
    buffer = io.BytesIO()
    made.save(buffer)
    return buffer.getvalue()


def column(grid: Grid, place: int = 0) -> list[str]:
    return [row[place] for row in grid.rows[1:]]


@pytest.mark.parametrize(
    ("one", "shown"),
    [
        (rule(operator="lessThan", formula=["10"]), ["*", "12", "*", "n/a"]),
        (rule(operator="lessThanOrEqual", formula=["4"]), ["*", "12", "*", "n/a"]),
        (rule(operator="greaterThan", formula=["10"]), ["4", "*", "0.5", "n/a"]),
        (rule(operator="between", formula=["1", "5"]), ["*", "12", "0.5", "n/a"]),
        (rule(operator="notBetween", formula=["5", "1"]), ["4", "*", "*", "n/a"]),
        (rule(operator="equal", formula=["8+4"]), ["4", "*", "0.5", "n/a"]),
        (rule(operator="lessThan", formula=["$B$2"]), ["*", "*", "*", "n/a"]),
        (rule(operator="lessThan", formula=["B2"]), ["*", "12", "0.5", "n/a"]),
        (rule("expression", formula=["A2<10"]), ["*", "12", "*", "n/a"]),
        (rule("expression", formula=["$B2<10"]), ["4", "*", "*", "n/a"]),
        (rule("expression", formula=["AND(A2>0,A2<10,ISNUMBER(A2))"]), ["*", "12", "*", "n/a"]),
        (rule("expression", formula=["OR(A2=12,NOT(ISNUMBER(A2)))"]), ["4", "*", "0.5", "n/a"]),
        (rule("expression", formula=['A2="N/A"'], style=masked('0;0;0;"*"')), ["4", "12", "0.5", "*"]),
        (rule("expression", formula=["A2-5%<0.5"]), ["4", "12", "*", "n/a"]),
        (rule("expression", formula=["A2/0>1"]), ["4", "12", "0.5", "n/a"]),
        (rule("containsBlanks", formula=["LEN(TRIM(A2))=0"]), ["4", "12", "0.5", "n/a"]),
        (rule("notContainsBlanks", formula=["LEN(TRIM(A2))>0"]), ["*", "*", "*", "n/a"]),
        (rule("containsText", text="1", formula=['NOT(ISERROR(SEARCH("1",A2)))']), ["4", "*", "0.5", "n/a"]),
        (rule(operator="lessThan", formula=["1"], style=masked("0%")), ["4", "12", "50%", "n/a"]),
    ],
)
def test_a_number_format_set_by_a_rule_is_what_the_cell_shows(
    reader: WorkbookReader, one: Rule, shown: list[str]
) -> None:
    grid, told = read(reader, book(("A2:A5", one)))
    assert (column(grid), told, dict(grid.doubts)) == (shown, [], {})


def test_what_a_rule_hides_is_told_at_its_cells(reader: WorkbookReader) -> None:
    one = rule(operator="lessThan", formula=["10"], style=masked(";;;"))
    grid, told = read(reader, book(("A2:B5", one)))
    assert told == [("hidden_value", (2, 4), "A"), ("hidden_value", (3, 5), "B")]
    assert column(grid) == ["", "12", "", "n/a"]


def test_a_format_that_divides_is_told_at_its_cells(reader: WorkbookReader) -> None:
    one = rule(operator="greaterThan", formula=["10"], style=masked("0.0,"))
    assert read(reader, book(("A2:A4", one)))[0].doubts == {(2, 0): (OTHERWISE, "0")}


@pytest.mark.parametrize(
    ("one", "why"),
    [
        (rule("expression", formula=["COUNTIF($A$2:$A$5,A2)>1"]), "COUNTIF($A$2:$A$5,A2)>1"),
        (rule("expression", formula=["A2<limit"]), "A2<limit"),
        (rule("expression", formula=["A2<Sheet2!A1"]), "A2<Sheet2!A1"),
        (rule("expression", formula=["(" * 60 + "A2" + ")" * 60 + "<1"]), "(" * 60 + "A2" + ")" * 60 + "<1"),
        (rule("top10", rank=1), "top10"),
        (rule("duplicateValues"), "duplicateValues"),
    ],
)
def test_where_a_rule_is_not_understood_its_cells_are_told(reader: WorkbookReader, one: Rule, why: str) -> None:
    grid, _ = read(reader, book(("A2:A4", one)))
    assert grid.doubts == dict.fromkeys([(1, 0), (2, 0), (3, 0)], (BY_RULE, why))
    assert column(grid) == ["4", "12", "0.5", "n/a"]


def test_rules_that_set_only_colors_are_no_news_and_stop_what_comes_after_if_they_say_so(
    reader: WorkbookReader,
) -> None:
    red = DifferentialStyle(fill=PatternFill(bgColor="FFFF0000"))
    mask = rule(operator="lessThan", formula=["10"])
    colored, told = read(reader, book(("A2:A5", rule("top10", style=red, rank=1))))
    assert (column(colored), told, dict(colored.doubts)) == (["4", "12", "0.5", "n/a"], [], {})
    stops = rule(operator="equal", formula=["4"], style=red, stopIfTrue=True)
    assert column(read(reader, book(("A2:A5", stops), ("A2:A5", mask)))[0]) == ["4", "12", "*", "n/a"]
    unsure = rule("top10", style=red, rank=1, stopIfTrue=True)
    grid, _ = read(reader, book(("A2:A5", unsure), ("A2:A5", mask)))
    assert set(grid.doubts) == {(1, 0), (3, 0)}


def test_the_first_of_several_rules_decides(reader: WorkbookReader) -> None:
    first, second = (
        rule(operator="lessThan", formula=["5"], style=masked('"<5"')),
        rule(operator="lessThan", formula=["20"]),
    )
    grid, _ = read(reader, book(("A2:A3", first), ("A2:A5", second)))
    assert column(grid) == ["<5", "*", "*", "n/a"]


def test_white_figures_and_bars_in_place_of_numbers_hide_them(reader: WorkbookReader) -> None:
    white = DifferentialStyle(font=Font(color="FFFFFFFF"))
    told = read(reader, book(("A2:A5", rule(operator="lessThan", formula=["10"], style=white))))[1]
    assert told == [("hidden_value", (2, 4), "A")]
    by_number = DifferentialStyle(font=Font(color=Color(indexed=9)))
    told = read(reader, book(("A2:A5", rule(operator="lessThan", formula=["10"], style=by_number))))[1]
    assert told == [("hidden_value", (2, 4), "A")]
    on_red = DifferentialStyle(font=Font(color="FFFFFFFF"), fill=PatternFill(bgColor="FFFF0000"))
    assert read(reader, book(("A2:A5", rule(operator="lessThan", formula=["10"], style=on_red))))[1] == []
    bars = DataBarRule("min", None, "max", None, color="FF638EC6", showValue=False)
    assert read(reader, book(("A2:A3", bars)))[1] == [("hidden_value", (2, 3), "A")]

    def paint(sheet: object) -> None:
        sheet["A2"].font = Font(color="FFFFFFFF")  # type: ignore[index]
        sheet["A3"].font = sheet["A1"].font = Font(color="FFFFFFFF")  # type: ignore[index]
        sheet["A3"].fill = PatternFill("solid", fgColor="FF000080")  # type: ignore[index]

    grid, told = read(reader, book(cells=paint))
    assert (grid.rows[0][0], told) == ("count", [("hidden_value", (2,), "A")])


EXTENSION = (
    '<extLst><ext xmlns:x14="http://schemas.microsoft.com/office/spreadsheetml/2009/9/main" uri="{78C0D931}">'
    '<x14:conditionalFormattings><x14:conditionalFormatting xmlns:xm="http://schemas.microsoft.com/office/excel/2006/'
    'main"><x14:cfRule type="cellIs" priority="1" operator="lessThan" id="{1}"><xm:f>%s</xm:f><x14:dxf>'
    '<numFmt numFmtId="170" formatCode="&quot;*&quot;"/></x14:dxf></x14:cfRule><xm:sqref>A2:A5</xm:sqref>'
    "</x14:conditionalFormatting></x14:conditionalFormattings></ext></extLst></worksheet>"
)


def changed(data: bytes, part: str, old: str, new: str) -> bytes:
    """The workbook with one part written otherwise."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            text = source.read(name)
            target.writestr(name, text.replace(old.encode(), new.encode()) if name == part else text)
    return buffer.getvalue()


def test_rules_in_extensions_of_the_sheet_are_rules(reader: WorkbookReader) -> None:
    sheet = "xl/worksheets/sheet1.xml"
    grid, _ = read(reader, changed(book(), sheet, "</worksheet>", EXTENSION % "10"))
    assert column(grid) == ["*", "12", "*", "n/a"]
    grid, _ = read(reader, changed(book(), sheet, "</worksheet>", EXTENSION % "Sheet2!$A$1"))
    assert {place for place, (rule_id, _) in grid.doubts.items() if rule_id == BY_RULE} == {(1, 0), (2, 0), (3, 0)}


def test_a_workbook_without_its_styles_shows_numbers_as_they_are(reader: WorkbookReader) -> None:
    relations = "xl/_rels/workbook.xml.rels"
    lost = changed(book(), relations, "/xl/styles.xml", "/xl/lost.xml")
    assert lost != book()
    assert column(read(reader, lost)[0]) == ["4", "12", "0.5", "n/a"]


def test_a_formula_that_gives_an_empty_text_shows_a_blank(reader: WorkbookReader) -> None:
    sheet = "xl/worksheets/sheet1.xml"
    for cell in ('<c r="A2" t="str"><f>""</f><v></v></c>', '<c r="A2" t="str"><f>""</f><v/></c>'):
        grid, told = read(reader, changed(book(), sheet, '<c r="A2" t="n"><v>4</v></c>', cell))
        assert (column(grid), told) == (["", "12", "0.5", "n/a"], [])


def old_book(*conditions: bytes, areas: tuple[tuple[int, int, int, int], ...] = ((1, 4, 0, 0),)) -> bytes:
    """The same cells in an Excel 97-2003 workbook, with records of conditional formatting."""
    made = xlwt.Workbook()
    sheet = made.add_sheet("values")
    for r, row in enumerate((["count", "size"], [4, 100], [12, 8], [0.5, None], ["n/a", 3])):
        for c, value in enumerate(row):
            if value is not None:
                sheet.write(r, c, value)
    listed = struct.pack("<H", len(areas)) + b"".join(struct.pack("<4H", *area) for area in areas)
    head = struct.pack("<6H", len(conditions), 0, 1, 4, 0, 0) + listed
    records = struct.pack("<HH", 0x01B0, len(head)) + head
    records += b"".join(struct.pack("<HH", 0x01B1, len(one)) + one for one in conditions)
    end = sheet._Worksheet__eof_rec
    sheet._Worksheet__eof_rec = lambda: records + end()
    buffer = io.BytesIO()
    made.save(buffer)
    return buffer.getvalue()


def condition(kind: int, operator: int, code: str, *formulas: bytes) -> bytes:
    """One rule that sets a number format."""
    spelled = struct.pack("<HB", len(code), 0) + code.encode("latin-1")
    sets = struct.pack("<H", len(spelled) + 2) + spelled
    first, second = [*map(len, formulas), 0][:2]
    return struct.pack("<BBHHIH", kind, operator, first, second, 1 << 25, 1) + sets + b"".join(formulas)


def small(number: int) -> bytes:
    return struct.pack("<BH", 0x1E, number)


def beside(row: int, column: int) -> bytes:
    """A reference to a cell so many rows and columns away."""
    return struct.pack("<BHH", 0x4C, row & 0xFFFF, column & 0xFF | 0xC000)


@pytest.mark.parametrize(
    ("one", "shown"),
    [
        (condition(1, 6, '"*"', small(10)), ["*", "12", "*", "n/a"]),
        (condition(1, 1, '"*"', small(1), small(5)), ["*", "12", "0.5", "n/a"]),
        (condition(1, 6, '"*"', struct.pack("<Bd", 0x1F, 4.5)), ["*", "12", "*", "n/a"]),
        (condition(1, 6, '"*"', struct.pack("<BHH", 0x44, 1, 1)), ["*", "*", "*", "n/a"]),
        (condition(2, 0, '"*"', beside(0, 1) + small(10) + b"\x09"), ["4", "*", "*", "n/a"]),
        (
            condition(
                2, 0, '"*"', beside(0, 0) + small(1) + b"\x0d" + beside(0, 0) + small(10) + b"\x09\x42\x02\x24\x00"
            ),
            ["*", "12", "0.5", "n/a"],
        ),
    ],
)
def test_rules_of_older_workbooks_are_rules(reader: WorkbookReader, one: bytes, shown: list[str]) -> None:
    grid, told = read(reader, old_book(one))
    assert (column(grid), told, dict(grid.doubts)) == (shown, [], {})


def test_a_rule_of_an_older_workbook_that_is_not_understood_is_told(reader: WorkbookReader) -> None:
    grid, _ = read(reader, old_book(condition(2, 0, ";;;", b"\x23\x01\x00\x00\x00")))
    assert {rule_id for rule_id, _ in grid.doubts.values()} == {BY_RULE}
    assert set(grid.doubts) == {(1, 0), (2, 0), (3, 0), (4, 0)}


def test_a_white_font_of_an_older_workbook_hides(reader: WorkbookReader) -> None:
    font = bytearray(118)
    struct.pack_into("<i", font, 80, 9)
    white = struct.pack("<BBHHIH", 1, 6, 3, 0, 1 << 26, 0) + bytes(font) + small(10)
    assert read(reader, old_book(white))[1] == [("hidden_value", (2, 4), "A")]


@given(st.text(alphabet='A2$()<>=+-*/^&%,"10. ANDORNOT', max_size=30))
def test_any_formula_is_understood_or_not_and_never_fails(formula: str) -> None:
    try:
        asked, _ = compiled(formula)
        asked(lambda row, column: 1.0, 0, 0)
    except (UnknownError, NoValueError):
        return


@given(st.floats(allow_nan=False), st.floats(allow_nan=False))
def test_numbers_compare_as_numbers_and_before_texts_and_truths(left: float, right: float) -> None:
    assert compare(left, "<", right) == (left < right)
    assert compare(left, "<", "a")
    assert compare("z", "<", False)
    assert compare(None, "=", 0.0)
    assert compare(None, "=", "")
    assert not compare(None, "<", -1.0)
