"""Workbooks and Parquet files become grids of text, and hostile ones become findings.

Belongs here: what lib/intake/reading/workbook.py, package.py and workbook_child.py promise.
Does not: text files (test_reading_text.py), headers (test_layouts_matching.py).
"""

from __future__ import annotations

import datetime as dt
import io
import os
import signal
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any
from xml.parsers import expat

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dagster_project.lib.intake.reading.files import WorkbookReader, read_file
from dagster_project.lib.intake.reading.grid import FileRead
from dagster_project.lib.intake.reading.limits import Limits
from dagster_project.lib.intake.reading.package import opened
from dagster_project.lib.intake.reading.workbook_child import cell_text, packed

MOMENT = dt.datetime.fromisoformat("2024-06-30T13:05:00")
MIDNIGHT = dt.datetime.fromisoformat("2024-06-30T00:00:00")


@pytest.fixture(scope="module")
def reader() -> Iterator[WorkbookReader]:
    with WorkbookReader() as shared:
        yield shared


def saved(workbook: openpyxl.Workbook) -> bytes:
    buffer = io.BytesIO()
    workbook.save(buffer)
    return buffer.getvalue()


def workbook_of(rows: list[list[Any]], title: str = "Data") -> bytes:
    workbook = openpyxl.Workbook()
    sheet = workbook.active
    sheet.title = title
    for row in rows:
        sheet.append(row)
    return saved(workbook)


SIMPLE = workbook_of([["a", "b"], [1, 2]])


def repacked(data: bytes, change: Callable[[str, bytes], bytes | None], extra: dict[str, bytes] | None = None) -> bytes:
    """The package with each part changed (None leaves it out) and some added."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            part = change(name, old.read(name))
            if part is not None:
                new.writestr(name, part)
        for name, part in (extra or {}).items():
            new.writestr(name, part)
    return buffer.getvalue()


def in_sheet(old: bytes, new: bytes) -> Callable[[str, bytes], bytes | None]:
    def change(name: str, part: bytes) -> bytes:
        return part.replace(old, new) if name == "xl/worksheets/sheet1.xml" else part

    return change


def unchanged(name: str, part: bytes) -> bytes | None:
    return part


def only_rule(read: FileRead) -> str:
    assert len(read.problems) == 1, read.problems
    return read.problems[0].rule_id


def test_numbers_dates_and_words_become_text(reader: WorkbookReader) -> None:
    rows: list[list[Any]] = [
        ["n", "x", "date", "moment", "flag", "id", "blank"],
        [3, 0.1, dt.date(2024, 6, 30), MOMENT, True, "0020011", None],
        [1234567, 1e-7, MIDNIGHT, dt.time(8, 30), False, " padded ", "end"],
    ]
    read = reader.read(workbook_of(rows))
    assert not read.problems
    assert read.sheets[0].rows[1:] == [
        ["3", "0.1", "2024-06-30", "2024-06-30 13:05:00", "TRUE", "0020011", ""],
        ["1234567", "0.0000001", "2024-06-30", "08:30:00", "FALSE", " padded", "end"],
    ], "spaces behind a text say nothing"


def test_rows_keep_the_numbers_of_the_sheet_where_the_table_stands_below_and_to_the_right(
    reader: WorkbookReader,
) -> None:
    read = reader.read(workbook_of([[], [], [None, None, "a"], [None, None, 5]]))
    assert read.sheets[0].rows == [["", "", ""], ["", "", ""], ["", "", "a"], ["", "", "5"]]


def test_a_number_shown_as_percent_keeps_its_sign(reader: WorkbookReader) -> None:
    workbook = openpyxl.Workbook()
    sheet = workbook.active
    sheet.append(["rate", "plain", "words"])
    sheet.append([0.83, 0.83, "n/a"])
    sheet.append([0.8125, 85, 1])
    for cell, shape in {"A2": "0%", "A3": "0.0%", "C2": "0%", "B2": '0"%"', "C3": '0" of 100%"'}.items():
        sheet[cell].number_format = shape
    read = reader.read(saved(workbook))
    assert read.sheets[0].rows[1:] == [["83%", "0.83%", "n/a"], ["81.25%", "85", "1 of 100%"]]


def test_error_cells_are_told_with_their_places_and_texts(reader: WorkbookReader) -> None:
    data = repacked(
        workbook_of([["a", "b"], [1, 2], [3, 4], [5, 6]]),
        lambda name, part: (
            part.replace(b'<c r="B2" t="n"><v>2</v></c>', b'<c r="B2" t="e"><f>A2/0</f><v>#DIV/0!</v></c>')
            .replace(b'<c r="B4" t="n"><v>6</v></c>', b'<c r="B4" t="e"><v>#DIV/0!</v></c>')
            .replace(b'<c r="A3" t="n"><v>3</v></c>', b'<c r="A3" t="e"><v>#N/A</v></c>')
        ),
    )
    read = reader.read(data)
    told = [(p.rule_id, p.sheet, p.rows, p.column, p.found) for p in read.problems]
    assert told == [
        ("formula_error_cell", "Data", (2, 4), "B", "#DIV/0!"),
        ("formula_error_cell", "Data", (3,), "A", "#N/A"),
    ]
    assert read.sheets[0].rows[1] == ["1", "#DIV/0!"]


def test_hidden_rows_and_columns_are_read_and_told(reader: WorkbookReader) -> None:
    workbook = openpyxl.Workbook()
    sheet = workbook.active
    for row in (["a", "b", "c"], [1, 2, 3], [4, 5, 6]):
        sheet.append(row)
    sheet.row_dimensions[3].hidden = True
    sheet.row_dimensions[9].hidden = True
    sheet.column_dimensions["B"].hidden = True
    sheet.column_dimensions["K"].hidden = True
    read = reader.read(saved(workbook))
    assert read.sheets[0].rows[2] == ["4", "5", "6"]
    assert [(p.rule_id, p.severity, p.found) for p in read.problems] == [("hidden_rows", "info", "row 3 and column B")]


@pytest.mark.parametrize(
    ("runs", "text", "mark"),
    [
        (b"<r><t>46</t></r><r><rPr><strike/></rPr><t>52</t></r>", "46", "52"),
        (b'<r><t>85</t></r><r><t>.2</t></r><r><rPr><vertAlign val="superscript"/></rPr><t>a</t></r>', "85.2", "a"),
        (b'<r><t>Hispanic</t></r><r><rPr><vertAlign val="superscript"/></rPr><t>1</t></r>', "Hispanic", "1"),
        (b'<r><t>21</t></r><r><rPr><vertAlign val="superscript"/></rPr><t>st</t></r><r><t> C</t></r>', "21st C", None),
        (b'<r><rPr><vertAlign val="baseline"/></rPr><t>85</t></r><r><t>2</t></r>', "852", None),
        (b"<t>85</t><rPh><t>eighty-five</t></rPh>", "85", None),
        (b'<r><t xml:space="preserve">a </t></r><r><rPr><b/></rPr><t>b</t></r>', "a b", None),
    ],
)
def test_what_is_set_apart_in_a_cell_is_no_part_of_its_number(
    reader: WorkbookReader, runs: bytes, text: str, mark: str | None
) -> None:
    cell = b'<c r="B2" t="inlineStr"><is>' + runs + b'</is></c><c r="C2"><v>7</v></c>'
    read = reader.read(repacked(SIMPLE, in_sheet(b'<c r="B2" t="n"><v>2</v></c>', cell)))
    assert read.sheets[0].rows[1] == ["1", text, "7"]
    assert [p.found for p in read.problems if p.rule_id == "footnote_mark"] == ([mark] if mark else [])


def test_formulas_that_are_all_zero_in_a_workbook_to_be_calculated_when_opened_were_never_calculated(
    reader: WorkbookReader,
) -> None:
    cell = b'<c r="B2"><f>A2+1</f><v>0</v></c>'
    zero = in_sheet(b'<c r="B2" t="n"><v>2</v></c>', cell)
    assert [p.rule_id for p in reader.read(repacked(SIMPLE, zero)).problems] == ["formula_without_value"]

    def calculated(name: str, part: bytes) -> bytes | None:
        part = part.replace(b' fullCalcOnLoad="1"', b"") if name == "xl/workbook.xml" else part
        return zero(name, part)

    assert not reader.read(repacked(SIMPLE, calculated)).problems


def test_a_formula_that_gives_an_empty_text_is_an_empty_cell(reader: WorkbookReader) -> None:
    cell = b'<c r="B2" t="str"><f>IF(1,"","")</f><v></v></c>'
    read = reader.read(repacked(SIMPLE, in_sheet(b'<c r="B2" t="n"><v>2</v></c>', cell)))
    assert (read.sheets[0].rows[1], read.problems) == (["1", ""], [])


def test_a_cell_that_stands_twice_is_not_guessed(reader: WorkbookReader) -> None:
    twice = b'<c r="B2"><v>2</v></c><c r="B2"><v>3</v></c>'
    data = repacked(SIMPLE, in_sheet(b'<c r="B2" t="n"><v>2</v></c>', twice))
    assert only_rule(reader.read(data)) == "unreadable_file"


def test_dates_and_merged_cells_are_told_with_their_places(reader: WorkbookReader) -> None:
    workbook = openpyxl.Workbook()
    sheet = workbook.active
    sheet.append(["a", "b"])
    sheet.append([dt.date(2024, 6, 30), "x"])
    sheet.append([2, None])
    sheet.merge_cells("B2:B3")
    (grid,) = reader.read(saved(workbook)).sheets
    assert grid.dates == {(1, 0)}
    assert grid.merges == ((1, 1, 2, 1),)


def test_hundreds_of_thousands_of_formatted_blanks_count_for_nothing(reader: WorkbookReader) -> None:
    blanks = b"".join(
        b'<row r="%d"><c r="A%d" s="0"/><c r="XFD%d" s="0"/></row>' % (n, n, n) for n in range(3, 200_000)
    )
    read = reader.read(repacked(SIMPLE, in_sheet(b"</sheetData>", blanks + b"</sheetData>")))
    assert read.sheets[0].rows == [["a", "b"], ["1", "2"]]


def test_formulas_give_the_values_the_spreadsheet_program_stored(reader: WorkbookReader) -> None:
    data = repacked(SIMPLE, in_sheet(b'<c r="B2" t="n"><v>2</v></c>', b'<c r="B2"><f>A2+1</f><v>2.5</v></c>'))
    assert reader.read(data).sheets[0].rows[1] == ["1", "2.5"]


def test_all_sheets_with_cells_are_read_and_hidden_ones_say_so(reader: WorkbookReader) -> None:
    workbook = openpyxl.Workbook()
    workbook.active.title = "First"
    workbook.active.append(["a"])
    workbook.create_sheet("Blank")
    hidden = workbook.create_sheet("Lists & more")
    hidden.append(["b"])
    hidden.sheet_state = "hidden"
    read = reader.read(saved(workbook))
    assert [(grid.sheet, grid.hidden) for grid in read.sheets] == [("First", False), ("Lists & more", True)]


def test_a_workbook_without_a_cell_is_empty(reader: WorkbookReader) -> None:
    assert only_rule(reader.read(workbook_of([]))) == "empty_file"


@pytest.mark.parametrize("reference", ["XFD1048576", "A1048576", "XFD1"])
def test_a_stray_cell_far_out_is_refused_before_it_takes_all_memory(reader: WorkbookReader, reference: str) -> None:
    data = repacked(SIMPLE, in_sheet(b'r="B2"', f'r="{reference}"'.encode()))
    assert only_rule(reader.read(data)) in ("too_many_columns", "too_many_cells", "too_many_rows")


def test_a_dimension_that_claims_the_whole_sheet_does_no_harm(reader: WorkbookReader) -> None:
    data = repacked(SIMPLE, in_sheet(b'<dimension ref="A1:B2"', b'<dimension ref="A1:XFD1048576"'))
    assert reader.read(data).sheets[0].rows == [["a", "b"], ["1", "2"]]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le"])
def test_an_entity_bomb_is_refused(reader: WorkbookReader, encoding: str) -> None:
    bomb = '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><x>&b;</x>'.encode(encoding)
    data = repacked(SIMPLE, lambda name, part: bomb if name == "xl/worksheets/sheet1.xml" else part)
    assert only_rule(reader.read(data)) == "entity_bomb"


def test_a_declaration_across_two_chunks_is_seen(reader: WorkbookReader, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dagster_project.lib.intake.reading.package.CHUNK", 2_000)
    padding = b"<!--" + b"x" * 1_985 + b"-->"
    data = repacked(SIMPLE, unchanged, {"xl/extra.xml": padding + b"<!DOCTYPE x><x/>"})
    assert only_rule(reader.read(data)) == "entity_bomb"


def test_cells_across_chunks_are_seen_once(reader: WorkbookReader, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dagster_project.lib.intake.reading.package.CHUNK", 3_000)
    rows: list[list[Any]] = [[f"word {n}", n] for n in range(400)]
    assert reader.read(workbook_of(rows)).sheets[0].rows[399] == ["word 399", "399"]


@pytest.mark.parametrize(
    ("limits", "rule"),
    [
        (Limits(unpacked_bytes=3_000), "zip_bomb"),
        (Limits(parts=3), "zip_bomb"),
        (Limits(sheets=0), "too_many_sheets"),
        (Limits(columns=1), "too_many_columns"),
        (Limits(cells=3), "too_many_cells"),
        (Limits(rows=0), "too_many_rows"),
    ],
)
def test_a_workbook_above_a_limit_is_refused(limits: Limits, rule: str) -> None:
    with WorkbookReader(limits) as small:
        assert only_rule(small.read(SIMPLE)) == rule


def test_a_package_whose_list_of_parts_lies_is_refused(reader: WorkbookReader) -> None:
    with zipfile.ZipFile(io.BytesIO(SIMPLE)) as package:
        true_size = package.getinfo("xl/worksheets/sheet1.xml").file_size.to_bytes(4, "little")
    start = SIMPLE.rindex(b"xl/worksheets/sheet1.xml") - 46
    at = SIMPLE.index(true_size, start)
    lying = SIMPLE[:at] + (10).to_bytes(4, "little") + SIMPLE[at + 4 :]
    assert only_rule(reader.read(lying)) == "unreadable_file"


def without_list(extra: dict[str, bytes] | None = None) -> bytes:
    return repacked(SIMPLE, lambda name, part: None if name == "xl/workbook.xml" else part, extra)


OLE2 = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
UNREADABLE = {
    "macros": (repacked(SIMPLE, unchanged, {"xl/vbaProject.bin": b"x"}), "macro_workbook"),
    "binary workbook": (without_list({"xl/workbook.bin": b"x"}), "xlsb_refused"),
    "no workbook": (without_list(), "unreadable_file"),
    "broken sheet": (repacked(SIMPLE, in_sheet(b"<sheetData>", b"<sheetDa>")), "unreadable_file"),
    "broken list": (without_list({"xl/workbook.xml": b"<w"}), "unreadable_file"),
    "encrypted": (OLE2 + "EncryptedPackage".encode("utf-16-le"), "encrypted_workbook"),
    "old with macros": (OLE2 + "_VBA_PROJECT".encode("utf-16-le"), "macro_workbook"),
    "old and broken": (OLE2 + bytes(2_000), "unreadable_file"),
    "web page": (b"<html><table><tr><td>1</td></tr></table></html>", "unreadable_file"),
    "text": (b"a,b\n1,2\n", "unreadable_file"),
    "truncated": (SIMPLE[:-200], "unreadable_file"),
}


@pytest.mark.parametrize(("data", "rule"), UNREADABLE.values(), ids=UNREADABLE)
def test_what_cannot_be_read_has_a_finding_of_its_own(reader: WorkbookReader, data: bytes, rule: str) -> None:
    assert only_rule(reader.read(data)) == rule


def test_an_encrypted_part_is_refused(reader: WorkbookReader) -> None:
    data = bytearray(SIMPLE)
    data[data.rindex(b"PK\x01\x02") + 8] |= 1
    assert only_rule(reader.read(bytes(data))) == "encrypted_workbook"


def test_one_child_serves_many_workbooks(reader: WorkbookReader) -> None:
    reader.read(SIMPLE)
    first = reader._child
    assert all(reader.read(SIMPLE).sheets for _ in range(5))
    assert reader._child is first


def test_a_child_that_dies_is_replaced_and_the_file_is_tried_again() -> None:
    with WorkbookReader() as own:
        own.read(SIMPLE)
        assert own._child is not None
        os.kill(own._child.pid, signal.SIGKILL)
        own._child.wait()
        assert own.read(SIMPLE).sheets


def test_a_file_that_takes_too_long_is_unreadable_and_the_next_is_read() -> None:
    with WorkbookReader(Limits(wall_seconds=3)) as own:
        own.read(SIMPLE)
        assert own._child is not None
        os.kill(own._child.pid, signal.SIGSTOP)
        read = own.read(SIMPLE)
        assert read.sheets, "the second try is made by a child that runs"
        assert own.read(SIMPLE).sheets


def test_a_file_on_which_the_child_dies_twice_is_unreadable_and_the_next_is_read() -> None:
    class Deadly(WorkbookReader):
        deadly = True

        def _running(self):  # type: ignore[no-untyped-def]  # as the method it spoils
            child = super()._running()
            if self.deadly:
                child.kill()
                child.wait()
            return child

    with Deadly() as own:
        read = own.read(SIMPLE)
        assert only_rule(read) == "unreadable_file"
        assert read.problems[0].found == "the reading process ended"
        own.deadly = False
        assert own.read(SIMPLE).sheets


def test_a_sheet_that_does_not_fit_into_memory_is_a_finding_and_the_next_file_is_read() -> None:
    far_out = repacked(SIMPLE, in_sheet(b'r="B2"', b'r="XFD1048576"'))
    blind = Limits(rows=2_000_000, columns=20_000, cells=10**12, memory_bytes=512 * 1024 * 1024)
    with WorkbookReader(blind) as own:
        assert only_rule(own.read(far_out)) == "too_many_cells"
        assert own._child is None, "what it held may lie about in pieces: it reads nobody else's file"
        assert own.read(SIMPLE).sheets


def _out_of_memory(kind: type[Exception]) -> Exception:
    """What a library raises where it finds no memory."""
    if kind is not expat.ExpatError:
        return kind("Error -4 while decompressing data")
    failure = expat.ExpatError(expat.errors.XML_ERROR_NO_MEMORY)
    failure.code = expat.errors.codes[expat.errors.XML_ERROR_NO_MEMORY]
    return failure


@pytest.mark.parametrize("kind", [zlib.error, expat.ExpatError])
def test_a_library_without_memory_is_not_said_to_be_a_broken_file(kind: type[Exception]) -> None:
    with pytest.raises(MemoryError), opened(SIMPLE, Limits()):
        raise _out_of_memory(kind)


def test_a_parquet_file_is_a_grid_with_its_column_names_first(reader: WorkbookReader) -> None:
    table = pa.table(
        {
            "n": pa.array([3, None]),
            "x": [2.0, 0.25],
            "on": [dt.date(2024, 6, 30), None],
            "word": ["a", "=b"],
        }
    )
    sink = io.BytesIO()
    pq.write_table(table, sink)
    read = read_file("t.parquet", sink.getvalue(), workbooks=reader)
    assert read.sheets[0].rows == [["n", "x", "on", "word"], ["3", "2", "2024-06-30", "a"], ["", "0.25", "", "=b"]]


def test_numbers_lists_and_bytes_of_a_parquet_file_are_as_they_are_printed(reader: WorkbookReader) -> None:
    table = pa.table(
        {
            "small": pa.array([46.8, 1e-9], pa.float32()),
            "exact": pa.array([Decimal("0E-8"), Decimal("46.8")], pa.decimal128(20, 8)),
            "bytes": pa.array(["é".encode(), None], pa.binary()),
            "several": [["all"], []],
            "when": pa.array([MOMENT, None], pa.timestamp("us")),
        }
    )
    sink = io.BytesIO()
    pq.write_table(table, sink)
    assert reader.read_parquet(sink.getvalue()).sheets[0].rows[1:] == [
        ["46.8", "0", "é", '["all"]', "2024-06-30 13:05:00"],
        ["0.000000001", "46.8", "", "[]", ""],
    ]


def test_bytes_of_a_parquet_file_that_are_no_text_are_told(reader: WorkbookReader) -> None:
    sink = io.BytesIO()
    pq.write_table(pa.table({"b": pa.array([b"\xff"], pa.binary())}), sink)
    assert only_rule(reader.read_parquet(sink.getvalue())) == "bad_encoding"


def test_a_parquet_file_within_limits_or_a_finding(reader: WorkbookReader) -> None:
    sink = io.BytesIO()
    pq.write_table(pa.table({"n": list(range(100))}), sink)
    with WorkbookReader(Limits(rows=50)) as small:
        assert only_rule(read_file("t.parquet", sink.getvalue(), workbooks=small)) == "too_many_rows"
    assert only_rule(read_file("t.parquet", sink.getvalue()[:-30], workbooks=reader)) == "unreadable_file"
    assert only_rule(read_file("t.parquet", b"a,b\n", workbooks=reader)) == "unreadable_file"


def test_a_workbook_is_read_without_a_shared_reader_too() -> None:
    assert read_file("t.xlsx", SIMPLE).sheets[0].rows == [["a", "b"], ["1", "2"]]


def test_separators_of_the_protocol_inside_a_cell_do_not_split_it() -> None:
    assert packed([["a\x1fb", "c\x1ed"], [1.0, None]]) == "a b\x1fc d\x1e1\x1f"


def test_floats_are_shown_at_fifteen_digits_and_never_with_an_exponent() -> None:
    assert [cell_text(value) for value in (0.1 + 0.2, 1e21, -5e-9, float("nan"), 2.0**60)] == [
        "0.3",
        "1000000000000000000000",
        "-0.000000005",
        "",
        "1152921504606850000",
    ]


def test_damaged_workbooks_end_in_findings_or_grids(reader: WorkbookReader) -> None:
    whole = workbook_of([["school_year", "indicator"], ["2022-23", 5], ["2023-24", 0.5]])
    for place in range(0, len(whole), len(whole) // 60):
        flipped = whole[:place] + bytes([whole[place] ^ (1 << place % 8)]) + whole[place + 1 :]
        for data in (whole[:place], flipped):
            read = read_file("t.xlsx", data, workbooks=reader)
            assert bool(read.sheets) or bool(read.problems)


def record(number: int, body: bytes) -> bytes:
    return struct.pack("<HH", number, len(body)) + body


def old_workbook() -> bytes:
    """An Excel 97-2003 file with one sheet, made by hand: a word, two numbers, in a compound file of one stream."""
    word = "rate".encode("utf-16-le")
    sheet = b"".join(
        [
            record(0x0809, struct.pack("<HHHHII", 0x0600, 0x0010, 0, 0, 0, 0)),
            record(0x0204, struct.pack("<HHHHB", 0, 0, 0, 4, 1) + word),
            record(0x0203, struct.pack("<HHHd", 1, 0, 0, 83.5)),
            record(0x0203, struct.pack("<HHHd", 2, 0, 0, 4.0)),
            record(0x000A, b""),
        ]
    )
    opening = record(0x0809, struct.pack("<HHHHII", 0x0600, 0x0005, 0, 0, 0, 0)) + record(0x0042, b"\xb0\x04")
    name = b"\x03\x00Old"
    offset = len(opening) + 4 + 6 + len(name) + 4
    book = opening + record(0x0085, struct.pack("<IBB", offset, 0, 0) + name) + record(0x000A, b"") + sheet
    stream = book.ljust(4_096, b"\0")
    chain = [0xFFFFFFFD, 0xFFFFFFFE, *range(3, 10), 0xFFFFFFFE]
    allocation = struct.pack("<128I", *chain, *[0xFFFFFFFF] * (128 - len(chain)))

    def entry(title: str, kind: int, child: int, start: int, size: int) -> bytes:
        text = title.encode("utf-16-le")
        links = struct.pack("<HBBIII", len(text) + 2, kind, 1, 0xFFFFFFFF, 0xFFFFFFFF, child)
        return text.ljust(64, b"\0") + links + bytes(36) + struct.pack("<IQ", start, size)

    folder = entry("Root Entry", 5, 1, 0xFFFFFFFE, 0) + entry("Workbook", 2, 0xFFFFFFFF, 2, len(stream)) + bytes(256)
    header = OLE2 + bytes(16) + struct.pack("<HHHHH6x", 0x3E, 3, 0xFFFE, 9, 6)
    header += struct.pack("<IIIIIIIII", 0, 1, 1, 0, 4_096, 0xFFFFFFFE, 0, 0xFFFFFFFE, 0)
    header += struct.pack("<109I", 0, *[0xFFFFFFFF] * 108)
    return header + allocation + folder + stream


def test_an_old_excel_file_is_read(reader: WorkbookReader) -> None:
    read = read_file("old.xls", old_workbook(), workbooks=reader)
    assert [(grid.sheet, grid.rows) for grid in read.sheets] == [("Old", [["rate"], ["83.5"], ["4"]])]
    assert read.reading == "Excel 97-2003 workbook"
