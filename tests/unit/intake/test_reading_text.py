"""Text files become grids with true row numbers, or findings.

Belongs here: encodings, delimiters, quoting, ids in disguise and limits of lib/intake/reading.
Does not: workbooks (test_reading_workbooks.py), headers (test_layouts_matching.py).
"""

from __future__ import annotations

import pytest

from dagster_project.lib.intake.reading.files import is_read, read_file
from dagster_project.lib.intake.reading.grid import FileRead
from dagster_project.lib.intake.reading.limits import Limits

TABLE = "name,place\nJosé,Peñasco\nZoë,Orono\n"
ROWS = [["name", "place"], ["José", "Peñasco"], ["Zoë", "Orono"]]


def rows_of(read: FileRead) -> list[list[str]]:
    assert not read.problems
    return read.sheets[0].rows


def only_rule(read: FileRead) -> str:
    assert len(read.problems) == 1
    return read.problems[0].rule_id


@pytest.mark.parametrize(
    "data",
    [
        TABLE.encode(),
        b"\xef\xbb\xbf" + TABLE.encode(),
        TABLE.encode("utf-16"),
        b"\xff\xfe" + TABLE.encode("utf-16-le"),
        b"\xfe\xff" + TABLE.encode("utf-16-be"),
        TABLE.encode("utf-16-le"),
        TABLE.encode("utf-16-be"),
        TABLE.encode("utf-32"),
        TABLE.encode("cp1252"),
    ],
    ids=["utf8", "utf8-bom", "utf16", "utf16le", "utf16be", "utf16le-no-bom", "utf16be-no-bom", "utf32", "cp1252"],
)
def test_a_table_reads_the_same_in_every_encoding(data: bytes) -> None:
    assert rows_of(read_file("t.csv", data)) == ROWS


def test_the_declared_encoding_counts_only_where_the_text_is_not_utf8() -> None:
    assert rows_of(read_file("t.csv", TABLE.encode("mac_roman"), "mac_roman")) == ROWS
    assert rows_of(read_file("t.csv", TABLE.encode(), "mac_roman")) == ROWS


@pytest.mark.parametrize("encoding", [None, "ascii", "no-such-encoding"])
def test_text_that_no_encoding_fits_is_a_finding(encoding: str | None) -> None:
    assert only_rule(read_file("t.csv", b"a,b\n\x81,1\n", encoding)) == "bad_encoding"


def test_a_broken_utf16_file_is_a_finding() -> None:
    assert only_rule(read_file("t.csv", b"\xff\xfea\x00,\x00b")) == "bad_encoding"


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_kind_of_line_end_ends_a_record(end: str) -> None:
    assert rows_of(read_file("t.csv", end.join(["a,b", "1,2", ""]).encode())) == [["a", "b"], ["1", "2"]]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found(delimiter: str) -> None:
    lines = ["Title, of the table", delimiter.join("ab"), delimiter.join("12"), delimiter.join("34")]
    assert rows_of(read_file("t.txt", "\n".join(lines).encode()))[2] == ["1", "2"]


def test_decimal_commas_do_not_make_a_semicolon_file_a_comma_file() -> None:
    assert rows_of(read_file("t.csv", b"a;b;c\n1,5;2,5;x\n3,5;4,5;y\n"))[1] == ["1,5", "2,5", "x"]


def test_separators_inside_quotes_do_not_choose_the_delimiter() -> None:
    assert rows_of(read_file("t.csv", b'a,"x;y;z"\nb,"u;v;w"\n'))[0] == ["a", "x;y;z"]


def test_a_file_of_one_column_reads() -> None:
    assert rows_of(read_file("t.csv", b"name\nElmbrook\n")) == [["name"], ["Elmbrook"]]


def test_row_numbers_count_blank_and_title_records_and_a_quoted_line_break_is_one_record() -> None:
    rows = rows_of(read_file("t.csv", b'Title\n\na,b\n"two\nlines",2\n3,4\n'))
    assert rows == [["Title"], [], ["a", "b"], ["two\nlines", "2"], ["3", "4"]]


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ('"=""0020011"""', "0020011"),
        ('="0020011"', "0020011"),
        ("'0020011", "0020011"),
        ("'tis", "'tis"),
        ("O'Neill", "O'Neill"),
        ("=1+1", "=1+1"),
        ('"=""a"" & ""b"""', '="a" & "b"'),
    ],
)
def test_ids_that_exporters_disguise_are_unwrapped(cell: str, text: str) -> None:
    assert rows_of(read_file("t.csv", f"code,n\n{cell},1\n".encode()))[1] == [text, "1"]


@pytest.mark.parametrize("tail", ['2,"open\n3,4\n', '2,"' + "x\n" * 200_000])
def test_a_quote_that_is_not_closed_swallows_nothing_silently(tail: str) -> None:
    read = read_file("t.csv", b"a,b\n" + tail.encode())
    assert only_rule(read) == "unclosed_quote"
    assert read.problems[0].row == 2
    assert not read.sheets


@pytest.mark.parametrize("line", ['2,"open', '2,"a"b', '2,"he said \\"hi\\""', '"2" x,3', '2,"a" b'])
def test_a_quote_that_closes_too_early_costs_its_own_row(line: str) -> None:
    read = read_file("t.csv", f'a,b\n1,"x"\n{line}\n3,"4"\n5,"6\n7"\n'.encode())
    assert [(p.rule_id, p.severity, p.rows) for p in read.problems] == [("bad_quote", "error", (3,))]
    rows = rows_of_broken(read)
    assert (rows[1], rows[3], rows[4]) == (["1", "x"], ["3", "4"], ["5", "6\n7"])


def rows_of_broken(read: FileRead) -> list[list[str]]:
    """The rows of a file that has problems beside them."""
    (grid,) = read.sheets
    return grid.rows


@pytest.mark.parametrize(
    "data", [b"a,b\n1,\x00\n", b"a,b\n1,\x07\n", b"PK\x03\x04rest", b"%PDF-1.7", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"]
)
def test_a_binary_file_named_like_text_is_a_finding(data: bytes) -> None:
    assert only_rule(read_file("t.csv", data)) == "binary_content"


def test_the_end_of_file_mark_of_old_systems_is_no_binary_content() -> None:
    assert rows_of(read_file("t.csv", b"a,b\n1,2\n\x1a")) == [["a", "b"], ["1", "2"]]


@pytest.mark.parametrize("data", [b"", b"\n\n", b",,,\n,,,\n", b"\xef\xbb\xbf", b" \t\n"])
def test_a_file_without_any_cell_is_empty(data: bytes) -> None:
    assert only_rule(read_file("t.csv", data)) == "empty_file"


@pytest.mark.parametrize(
    ("limits", "data", "rule"),
    [
        (Limits(text_bytes=5), b"a,b\n1,2\n", "too_large"),
        (Limits(rows=2), b"a\n1\n2\n3\n", "too_many_rows"),
        (Limits(columns=2), b"a,b,c\n", "too_many_columns"),
        (Limits(), b"a\n" + b"x" * 140_000 + b"\n", "too_large"),
    ],
)
def test_a_file_above_a_limit_is_a_finding_that_names_the_limit(limits: Limits, data: bytes, rule: str) -> None:
    read = read_file("t.csv", data, limits=limits)
    assert only_rule(read) == rule
    assert read.problems[0].allowed
    assert not read.sheets


def test_a_long_cell_is_told_with_its_place_and_its_neighbours_are_kept() -> None:
    read = read_file("t.csv", b"a,b\n1," + b"x" * 30 + b"\n2,3\n", limits=Limits(cell_characters=20))
    assert only_rule(read) == "cell_too_long"
    assert (read.problems[0].row, read.problems[0].column) == (2, "B")
    assert read.sheets[0].rows[2] == ["2", "3"]


@pytest.mark.parametrize(
    ("name", "rule", "severity"),
    [
        ("notes.docx", "unsupported_file", "info"),
        ("README", "unsupported_file", "info"),
        (".csv", "unsupported_file", "info"),
        ("~$values.xlsx", "unsupported_file", "info"),
        ("values.xlsb", "xlsb_refused", "error"),
        ("values.XLSM", "macro_workbook", "error"),
    ],
)
def test_files_that_are_not_read_are_told(name: str, rule: str, severity: str) -> None:
    read = read_file(name, b"a,b\n1,2\n")
    assert only_rule(read) == rule
    assert read.problems[0].severity == severity
    assert not is_read(name)


def test_endings_are_read_in_any_case() -> None:
    assert rows_of(read_file("sub/T.CSV", b"a,b\n1,2\n"))[1] == ["1", "2"]


def test_damaged_text_files_end_in_findings_or_grids() -> None:
    whole = b'"Title; 2019"\r\n"a","b";c\r\n"=""001""",2;3\r\n' * 20
    for place in range(0, len(whole), 7):
        flipped = whole[:place] + bytes([whole[place] ^ (1 << place % 8)]) + whole[place + 1 :]
        for data in (whole[:place], flipped, whole[place:]):
            read = read_file("t.csv", data)
            assert bool(read.sheets) or bool(read.problems)
