"""OpenDocument spreadsheets are read by what their cells show, and hostile ones become findings.

Belongs here: what lib/intake/reading/open_document promises, through the reader that a run uses.
Does not: values by many writers (tests/fuzz/truth.py), other workbooks (test_reading_workbooks.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import ROUND_HALF_UP, Decimal
from itertools import groupby
from xml.sax.saxutils import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dagster_project.lib.base.store import Given
from dagster_project.lib.intake.batch import Intake
from dagster_project.lib.intake.bucket.drop import DroppedFile, Folder
from dagster_project.lib.intake.reading.files import WorkbookReader, read_file
from dagster_project.lib.intake.reading.grid import FileRead
from dagster_project.lib.intake.reading.limits import Limits
from dagster_project.lib.intake.reading.open_document.document import read_open_document
from dagster_project.lib.intake.reading.open_document.shown import agrees
from dagster_project.lib.intake.reading.package import opened
from dagster_project.lib.intake.take_in import take_in
from tests.fuzz.open_document import SPACES, packed
from tests.unit.intake.comparing import COMMUNITY, REFERENCE

NAMES = "".join(f' xmlns:{prefix}="{space}"' for prefix, space in SPACES.items())
NAMES += ' xmlns:draw="urn:draw" xmlns:dc="urn:dc"'
PERCENT = (
    '<number:percentage-style style:name="P"><number:number number:decimal-places="1"/><number:text>%</number:text>'
)
MASKED = (
    '<number:number-style style:name="M0"><number:text>*</number:text></number:number-style>'
    '<number:number-style style:name="M"><number:number number:min-integer-digits="1" number:decimal-places="0"/>'
    '<style:map style:condition="value()&lt;10" style:apply-style-name="M0"/></number:number-style>'
)
BLANKS = (
    '<table:table-row table:number-rows-repeated="1048000"><table:table-cell table:number-columns-repeated="16384"/>'
)


@pytest.fixture(scope="module")
def reader() -> Iterator[WorkbookReader]:
    with WorkbookReader() as shared:
        yield shared


def style(name: str, data: str = "", inner: str = "", family: str = "table-cell") -> str:
    follows = f' style:data-style-name="{data}"' if data else ""
    return f'<style:style style:name="{name}" style:family="{family}"{follows}>{inner}</style:style>'


def text(shown: str, attributes: str = "") -> str:
    return (
        f'<table:table-cell office:value-type="string"{attributes}><text:p>{escape(shown)}</text:p></table:table-cell>'
    )


def number(value: object, shown: str | None = None, attributes: str = "", kind: str = "float") -> str:
    printed = "" if shown is None else f"<text:p>{escape(shown)}</text:p>"
    given = f'office:value-type="{kind}" office:value="{value}" {attributes}'
    return f"<table:table-cell {given}>{printed}</table:table-cell>"


def row(*cells: str, attributes: str = "") -> str:
    return f"<table:table-row {attributes}>{''.join(cells)}</table:table-row>"


def sheet(*rows: str, name: str = "Data", attributes: str = "") -> str:
    return f'<table:table table:name="{name}" {attributes}>{"".join(rows)}</table:table>'


def content(body: str, styles: str = "") -> str:
    return (
        f"<office:document-content{NAMES}><office:automatic-styles>{styles}</office:automatic-styles>"
        f"<office:body><office:spreadsheet>{body}</office:spreadsheet></office:body></office:document-content>"
    )


def book(*sheets: str, styles: str = "", **others: str) -> bytes:
    named = {name.replace("__", "/").replace("_xml", ".xml"): part for name, part in others.items()}
    return packed({"content.xml": content("".join(sheets), styles), **named})


def cells(read: FileRead) -> list[list[str]]:
    assert [told.rule_id for told in read.problems if told.severity == "fatal"] == []
    return read.sheets[0].rows


def told(read: FileRead) -> list[tuple[str, tuple[int, ...], str | None, str | None]]:
    return [(one.rule_id, one.rows, one.column, one.found) for one in read.problems]


def test_numbers_keep_all_digits_and_percentages_their_sign_whatever_is_printed(reader: WorkbookReader) -> None:
    styles = f"{PERCENT}</number:percentage-style>" + style("ce1", "P")
    styled = 'table:style-name="ce1"'
    read = reader.read(
        book(
            sheet(
                row(number(0.8333, "83.3%", styled, "percentage"), number(0.425, "43%", "", "percentage")),
                row(number(1234.5678, "1,234.57"), number(0.425, None, styled, "percentage")),
                row(number(1234.5678, "1.234,57"), number("1E+3", "1000")),
            ),
            styles=styles,
        )
    )
    assert cells(read) == [["83.33%", "42.5%"], ["1234.5678", "42.5%"], ["1234.5678", "1000"]]
    assert read.reading == "OpenDocument spreadsheet"
    assert told(read) == []


@pytest.mark.parametrize("printed", ["*", None])
def test_a_number_format_that_shows_a_mask_gives_the_mask(reader: WorkbookReader, printed: str | None) -> None:
    styled = 'table:style-name="ce1"'
    above = "12" if printed else None
    rows = row(number(7, printed, styled), number(12, above, styled), number(7, "*"))
    read = reader.read(book(sheet(rows), styles=MASKED + style("ce1", "M")))
    assert cells(read) == [["*", "12", "*"]]


def test_a_style_of_the_whole_document_is_followed_and_columns_and_rows_lend_theirs(reader: WorkbookReader) -> None:
    common = f"{MASKED}{style('base', 'M')}"
    own = '<style:style style:name="ce1" style:family="table-cell" style:parent-style-name="base"/>'
    column = '<table:table-column/><table:table-column table:default-cell-style-name="ce1"/>'
    rows = [row(number(7), number(7)), row(number(7), attributes='table:default-cell-style-name="base"')]
    styles = f"<office:document-styles{NAMES}><office:styles>{common}</office:styles></office:document-styles>"
    read = reader.read(book(sheet(column, *rows), styles=own, styles_xml=styles))
    assert cells(read) == [["7", "*"], ["*", ""]]


def test_what_a_format_hides_or_shows_as_another_number_is_told(reader: WorkbookReader) -> None:
    thousands = '<number:number-style style:name="T"><number:number number:decimal-places="0" number:display-factor='
    thousands += '"1000" number:min-integer-digits="1"/></number:number-style>'
    white = style("ce2", "", '<style:text-properties fo:color="#ffffff"/>')
    rows = row(
        number(5, "5", 'table:style-name="ce2"'),
        number(41000, None, 'table:style-name="ce1"'),
        '<table:table-cell office:value-type="float" office:value="3"><text:p/></table:table-cell>',
        number(2, "<10"),
        number(88, "8800"),
        number(-5, "5"),
    )
    read = reader.read(book(sheet(rows), styles=thousands + style("ce1", "T") + white))
    assert told(read) == [("hidden_value", (1,), "A", None), ("hidden_value", (1,), "C", None)]
    assert {place: rule for place, (rule, _) in read.sheets[0].doubts.items()} == {
        (0, column): "shown_otherwise" for column in (1, 3, 4, 5)
    }


def test_a_line_through_a_cell_is_told_by_its_own_style_and_the_one_it_follows(reader: WorkbookReader) -> None:
    line = "<style:text-properties style:text-line-through-style="
    styles = style("ce1", "", f'{line}"solid"/>') + style("ce3", "", f'{line}"none"/>')
    styles += style("ce2").replace("/>", "").replace(">", ' style:parent-style-name="ce1">', 1)
    rows = row(
        number(5, "5", 'table:style-name="ce1"'),
        text("white", ' table:style-name="ce2"'),
        text("white", ' table:style-name="ce3"'),
        number(0.5, "50%", 'table:style-name="ce2" table:number-columns-repeated="2"', "percentage"),
        text("", ' table:style-name="ce1"'),
    )
    read = reader.read(book(sheet(rows), styles=styles))
    assert cells(read) == [["5", "white", "white", "50%", "50%"]]
    assert sorted(read.sheets[0].doubts) == [(0, 0), (0, 1), (0, 3), (0, 4)]


def test_zeros_that_the_document_does_not_show_are_told(reader: WorkbookReader) -> None:
    settings = '<config xmlns:c="c"><c:item c:name="ShowZeroValues" c:type="boolean">false</c:item></config>'
    read = reader.read(book(sheet(row(number(0, "0"), number(1, "1"))), settings_xml=settings))
    assert told(read) == [("hidden_value", (1,), "A", None)]


def test_errors_days_times_and_booleans_are_what_they_are(reader: WorkbookReader) -> None:
    formula = 'table:formula="of:=1/0"'
    error = f'<table:table-cell {formula} office:value-type="string" calcext:value-type="error"><text:p>#N/A</text:p>'
    read = reader.read(
        book(
            sheet(
                row(
                    f"{error}</table:table-cell>",
                    number(0, "#DIV/0!", formula),
                    '<table:table-cell office:value-type="date" office:date-value="2024-05-09"><text:p>9-May</text:p>'
                    "</table:table-cell>",
                    '<table:table-cell office:value-type="time" office:time-value="PT13H05M00S"/>',
                    '<table:table-cell office:value-type="boolean" office:boolean-value="true"/>',
                    number(1, "TRUE", formula),
                    f"<table:table-cell {formula}/>",
                    f"<table:table-cell {formula}><text:p/></table:table-cell>",
                )
            )
        )
    )
    assert cells(read) == [["#N/A", "#DIV/0!", "2024-05-09", "13:05:00", "TRUE", "TRUE"]]
    assert told(read) == [
        ("formula_error_cell", (1,), "A", "#N/A"),
        ("formula_error_cell", (1,), "B", "#DIV/0!"),
        ("formula_without_value", (1,), "G", None),
    ]
    assert read.sheets[0].dates == {(0, 2), (0, 3)}


def test_texts_keep_their_spaces_and_lines_and_lose_comments_and_footnote_marks(reader: WorkbookReader) -> None:
    raised = style("T1", "", '<style:text-properties style:text-position="super 58%"/>', "text")
    comment = "<office:annotation><dc:creator>A. Reviewer</dc:creator><text:p>look here</text:p></office:annotation>"
    drawing = "<draw:frame><draw:text-box><text:p>a box</text:p></draw:text-box></draw:frame>"

    def cell(inner: str) -> str:
        return f'<table:table-cell office:value-type="string">\n  {inner}\n  </table:table-cell>'

    read = reader.read(
        book(
            sheet(
                row(
                    cell(f"{comment}<text:p>North<text:s text:c='2'/>End</text:p>{drawing}"),
                    cell("<text:p>first</text:p>\n  <text:p>second</text:p>"),
                    cell('<text:p>47.5<text:span text:style-name="T1">2</text:span></text:p>'),
                    cell("<text:p>a <text:span>plain</text:span> <text:a>link</text:a></text:p>"),
                    text("last"),
                )
            ),
            styles=raised,
        )
    )
    assert cells(read) == [["North  End", "first\nsecond", "47.5", "a plain link", "last"]]
    assert told(read) == [("footnote_mark", (1,), "C", "2")]


def test_hidden_sheets_rows_and_columns_are_known(reader: WorkbookReader) -> None:
    gone = style("ta2", "", '<style:table-properties table:display="false"/>', "table")
    flat = style("ro2", "", '<style:table-row-properties style:row-height="0in"/>', "table-row")
    columns = '<table:table-column/><table:table-column table:visibility="collapse"/>'
    shown = sheet(
        columns,
        row(text("a"), text("b")),
        row(text("c"), attributes='table:visibility="filter" table:number-rows-repeated="2"'),
        row(text("d"), attributes='table:style-name="ro2"'),
        BLANKS + "</table:table-row>",
    )
    read = reader.read(
        book(sheet(row(text("old")), name="old", attributes='table:style-name="ta2"'), shown, styles=gone + flat)
    )
    assert [(grid.sheet, grid.hidden, len(grid.rows)) for grid in read.sheets] == [("old", True, 1), ("Data", False, 4)]
    assert told(read) == [("hidden_rows", (), None, "rows 2, 3, 4 and column B")]


def test_a_merged_cell_covers_what_lies_under_it_and_nothing_else(reader: WorkbookReader) -> None:
    spanned = ' table:number-rows-spanned="2" table:number-columns-spanned="1"'
    covered = '<table:covered-table-cell office:value-type="string"><text:p>under</text:p></table:covered-table-cell>'
    read = reader.read(
        book(sheet(row(text("a", spanned), text("b")), row(covered, text("c")), row(covered, text("d"))))
    )
    assert cells(read) == [["a", "b"], ["", "c"], ["under", "d"]]
    assert read.sheets[0].merges == ((0, 0, 1, 0),)


def test_tables_of_links_and_of_tracked_changes_are_no_sheets(reader: WorkbookReader) -> None:
    other = sheet(row(text("elsewhere")), name="other")
    before = f"<table:tracked-changes><table:deletion>{row(text('deleted'))}</table:deletion></table:tracked-changes>"
    read = reader.read(
        book(
            before,
            sheet(row(text("a"))),
            f"<table:dde-links><table:dde-link>{other}</table:dde-link></table:dde-links>",
        )
    )
    assert [(grid.sheet, grid.rows) for grid in read.sheets] == [("Data", [["a"]])]


RULED = style("mask", "M0") + MASKED
CARRIED = (
    '<style:map style:condition="cell-content()&lt;10" style:apply-style-name="mask"'
    ' style:base-cell-address="Data.A1"/>'
)


def listed(area: str, *conditions: str) -> str:
    rules = "".join(
        f'<calcext:condition calcext:apply-style-name="{name}" calcext:value="{escape(asked)}"'
        f' calcext:base-cell-address="Data.{area.partition(":")[0]}"/>'
        for name, _, asked in (condition.partition(" ") for condition in conditions)
    )
    address = ":".join(f"Data.{end}" for end in area.split(":"))
    return f'<calcext:conditional-format calcext:target-range-address="{address}">{rules}</calcext:conditional-format>'


@pytest.mark.parametrize(
    "rules",
    [
        [listed("A1:A3", "mask <10")],
        [listed("A1:A3", "mask between(1,9)")],
        [listed("A1:A3", "mask formula-is(AND([.A1]<10;[.A1]>=0))")],
        [listed("A1:A3", "plain >500", "mask <10")],
        [listed("A1:A3", "plain <10"), listed("A1:A9", "mask <10")],
    ],
)
def test_rules_behind_the_cells_set_what_they_show(reader: WorkbookReader, rules: list[str]) -> None:
    rows = [row(number(7, "7")), row(number(70, "70")), row(number(9, "9"))]
    behind = f"<calcext:conditional-formats>{''.join(rules)}</calcext:conditional-formats>"
    read = reader.read(book(sheet(*rows, behind), styles=RULED + style("plain")))
    assert cells(read) == [["*"], ["70"], ["*"]]


def test_rules_that_a_cell_style_carries_hold_for_every_repetition(reader: WorkbookReader) -> None:
    styled = 'table:style-name="ce1" table:number-columns-repeated="2"'
    rows = row(number(7, "7", styled), number(7, "7"), attributes='table:number-rows-repeated="2"')
    read = reader.read(book(sheet(rows, row(number(70, "70", styled))), styles=RULED + style("ce1", "", CARRIED)))
    assert cells(read) == [["*", "*", "7"], ["*", "*", "7"], ["70", "70", ""]]


def test_the_first_rule_of_a_list_that_holds_leaves_the_cell_as_it_is(reader: WorkbookReader) -> None:
    behind = f"<calcext:conditional-formats>{listed('A1:A1', 'plain <10', 'mask <10')}</calcext:conditional-formats>"
    read = reader.read(book(sheet(row(number(7, "7")), behind), styles=RULED + style("plain")))
    assert cells(read) == [["7"]]


def test_a_rule_that_is_not_understood_is_told_where_it_may_mask(reader: WorkbookReader) -> None:
    behind = f"<calcext:conditional-formats>{listed('A1:A1', 'mask top-elements(3)')}</calcext:conditional-formats>"
    read = reader.read(book(sheet(row(number(7, "7"), number(8, "8")), behind), styles=RULED))
    assert read.sheets[0].doubts == {(0, 0): ("shown_by_rule", "top-elements(3)")}


def test_icons_in_place_of_numbers_hide_them(reader: WorkbookReader) -> None:
    icons = '<calcext:conditional-format calcext:target-range-address="Data.A1:Data.A1">'
    icons += '<calcext:icon-set calcext:show-value="false"/></calcext:conditional-format>'
    read = reader.read(
        book(sheet(row(number(7)), f"<calcext:conditional-formats>{icons}</calcext:conditional-formats>"))
    )
    assert told(read) == [("hidden_value", (1,), "A", None)]


WORDS = st.lists(st.lists(st.sampled_from(["", "a", "b", "7"]), min_size=1, max_size=6), min_size=1, max_size=8)


@given(WORDS)
def test_what_is_repeated_stands_there_as_often_as_it_says(words: list[list[str]]) -> None:
    def cell(word: str, count: int) -> str:
        times = f'table:number-columns-repeated="{count}"'
        if not word:
            return f"<table:table-cell {times}/>"
        return number(word, word, times) if word.isdigit() else text(word, f" {times}")

    rows = []
    for line, alike in groupby(words):
        inner = "".join(cell(word, len(list(same))) for word, same in groupby(line))
        rows.append(row(inner, attributes=f'table:number-rows-repeated="{len(list(alike))}"'))
    with opened(book(sheet(row(text("head")), *rows)), Limits()) as package:
        ((_, _, read),) = read_open_document(package, Limits())
    width = max([1, *(len("".join(word or " " for word in line).rstrip()) for line in words)])
    expected = [["head", *[""] * (width - 1)], *((line + [""] * width)[:width] for line in words)]
    while not any(expected[-1]):
        expected.pop()
    assert read.rows == expected


@given(
    st.integers(-(10**9), 10**9).map(lambda whole: Decimal(whole).scaleb(-4)),
    st.integers(0, 4),
    st.sampled_from([",.", ".,", " ,", "'."]),
)
def test_a_number_printed_with_fewer_digits_and_separators_of_any_country_agrees(
    value: Decimal, places: int, marks: str
) -> None:
    shown = f"{value.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP):,}"
    shown = shown.replace(",", "t").replace(".", marks[1]).replace("t", marks[0])
    assert agrees(f"{float(value):.15g}", float(value), shown)


@given(st.integers(1, 10**6), st.integers(1, 10**6))
def test_another_number_or_a_sign_beside_it_does_not_agree(one: int, other: int) -> None:
    assert agrees(str(one), one, str(other)) == (one == other)
    assert not any(agrees(str(one), one, f"{sign}{one}") for sign in ("<", ">", "≤", "≥", "~", "-"))
    assert not agrees(f"{one}%", one / 100, f"{one + 1}%")


DECLARED = '<!DOCTYPE a [<!ENTITY b "c">]>'
ONE = content(sheet(row(text("a"))))
NO_SHEETS = f"<office:document-content{NAMES}><office:body/></office:document-content>"
NESTED = content(sheet(row(sheet(row(), attributes='table:is-sub-table="true"'))))
MANY_SHEETS = content("".join(sheet(name=f"s{place}") for place in range(101)))
MANY_ROWS = 'table:number-rows-repeated="1000000"'
WIDE = ' table:number-columns-repeated="'
MANY_CELLS = content(sheet(row(text("a"), attributes=MANY_ROWS), row(text("b", f'{WIDE}9"'))))
MANY_COLUMNS = content(sheet(row(text("a", f'{WIDE}16384"'))))
ENDLESS = content(sheet(row(text("a"), attributes='table:number-rows-repeated="99999999999"')))
SPACES_ALONE = "<text:s text:c='99999999'/>" * 99_999
LONG = content(sheet(row(f"<table:table-cell><text:p>{SPACES_ALONE}</text:p></table:table-cell>")))


@pytest.mark.parametrize(
    ("parts", "rule"),
    [
        ({"META-INF/manifest.xml": "<m><manifest:encryption-data/></m>"}, "encrypted_workbook"),
        ({"encrypted-package": "x"}, "encrypted_workbook"),
        ({"Basic/Standard/Module1.xml": "<m/>"}, "macro_workbook"),
        ({"content.xml": DECLARED + ONE}, "entity_bomb"),
        ({"Object 1/content.xml": f"{DECLARED}<a/>"}, "entity_bomb"),
        ({"content.xml": ONE[:-40]}, "unreadable_file"),
        ({"content.xml": NO_SHEETS}, "unreadable_file"),
        ({"content.xml": NESTED}, "unreadable_file"),
        ({"content.xml": MANY_SHEETS}, "too_many_sheets"),
        ({"content.xml": MANY_CELLS}, "too_many_cells"),
        ({"content.xml": MANY_COLUMNS}, "too_many_columns"),
        ({"content.xml": ENDLESS}, "too_many_cells"),
        ({"content.xml": LONG}, "too_many_cells"),
        ({"Pictures/1.png": "0" * 500_000_000}, "zip_bomb"),
    ],
)
def test_what_cannot_or_must_not_be_read_is_refused(reader: WorkbookReader, parts: dict[str, str], rule: str) -> None:
    read = reader.read(packed({"content.xml": ONE, **parts}))
    assert [one.rule_id for one in read.problems] == [rule]
    assert read.sheets == []


def test_what_programs_keep_beside_a_document_is_no_danger(reader: WorkbookReader) -> None:
    listed_parts = '<!DOCTYPE library:libraries PUBLIC "-//x//EN" "libraries.dtd"><l/>'
    read = reader.read(book(sheet(row(text("a"))), Basic__script_lc_xml=listed_parts))
    assert cells(read) == [["a"]]


def test_blanks_repeated_to_the_end_of_a_sheet_cost_nothing(reader: WorkbookReader) -> None:
    far = BLANKS + "</table:table-row>"
    read = reader.read(book(sheet(far, far, row(text("below")), name="far"), sheet(row(text("a")), far)))
    assert [one.rule_id for one in read.problems] == ["too_many_rows"]
    assert cells(reader.read(book(sheet(row(text("a")), far * 50)))) == [["a"]]


def test_what_the_file_holds_decides_and_not_its_name(reader: WorkbookReader) -> None:
    data = book(sheet(row(text("a"))))
    assert cells(read_file("values.xlsx", data, workbooks=reader)) == [["a"]]
    flat = read_file("values.ods", b"<?xml version='1.0'?><office:document/>", workbooks=reader)
    assert [(one.rule_id, one.found) for one in flat.problems] == [
        ("unreadable_file", "It is an XML file saved under this name.")
    ]
    assert [one.rule_id for one in read_file("values.fods", b"<a/>").problems] == ["spreadsheet_not_read"]


def test_limits_hold_for_every_sheet() -> None:
    with WorkbookReader(Limits(cells=100)) as small:
        read = small.read(book(sheet(row(text("a"))), sheet(row(text("a", ' table:number-columns-repeated="101"')))))
    assert [one.rule_id for one in read.problems] == ["too_many_cells"]


VALUES = ["school_year", "indicator", "dimension", "group", "numerator", "denominator"]
LINE = ["2023-24", "grade3_reading_proficient_pct", "all", "all"]


@pytest.mark.parametrize(
    ("extra", "kind", "kept"),
    [
        ("", "table", 1),
        ("<office:annotation><text:p>Ana Inventado, SSN 123-45-6789</text:p></office:annotation>", "refused", 0),
    ],
)
def test_comments_are_looked_through_for_persons_before_anything_is_kept(
    reader: WorkbookReader, extra: str, kind: str, kept: int
) -> None:
    first = f'<table:table-cell office:value-type="string">{extra}<text:p>{LINE[0]}</text:p></table:table-cell>'
    line = row(first, *map(text, LINE[1:]), number(40, "40"), number(100, "100"))
    data = book(sheet(row(*map(text, VALUES)), line, name="indicator_values"))
    keys: list[str] = []
    folder = Folder(COMMUNITY, 2024, (DroppedFile("v.ods", "v.ods", len(data), "tag"),))
    (item,) = take_in(Intake(REFERENCE), [folder], Given(lambda _: data), lambda key, _: keys.append(key), reader)
    assert (item.tables["files"]["kind"][0], len(keys)) == (kind, kept)
    assert ("observations" in item.tables) == (kind == "table")
