"""Text files as grids: CSV, TSV and TXT.

Belongs here: decoding, choice of the delimiter, splitting into records, unwrapping of spreadsheet-proof ids.
Does not: recognising headers (layouts.py), or the meaning of a cell (cells.py).
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections import Counter
from itertools import islice

from dagster_project.lib.intake.reading.grid import FileRead, Grid, Problem, column_letter, excerpt, problem, refused
from dagster_project.lib.intake.reading.limits import Limits

DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
DEFAULT_ENCODING = "cp1252"
QUOTED = re.compile(r'"[^"]*"')
SAMPLED_CHARACTERS = 20_000
SAMPLED_RECORDS = 40
DOS_END_OF_FILE = "\x1a"

# The longer mark first: the UTF-32 mark begins with the UTF-16 one.
BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
SIGNATURES = (
    (b"PK\x03\x04", "a zip archive or an Excel workbook"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Excel or Word file"),
    (b"PAR1", "a Parquet file"),
    (b"%PDF", "a PDF document"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"\x89PNG", "a picture"),
)
CONTROL_BYTES = bytes(code for code in range(32) if code not in (9, 10, 11, 12, 13))


def read_delimited(data: bytes, encoding: str | None, limits: Limits) -> FileRead:
    """Read a delimited text file into one grid with sheet ''.

    `encoding` is the community's declared one, tried where the bytes are neither marked nor UTF-8 (None: cp1252).
    A file that cannot be decoded or whose quotes are not closed gives problems and no grid.
    """
    decoded = decode(data, encoding)
    if isinstance(decoded, Problem):
        return FileRead(problems=[decoded])
    text, name = decoded
    if not text.strip(' \t\r\n,;|"'):
        return refused("empty_file", reading=f"{name} text")
    delimiter = choose_delimiter(text)
    reading = f"{name} text, separated by {DELIMITERS[delimiter]}"
    split = split_records(text, delimiter, limits)
    if isinstance(split, Problem):
        return FileRead(problems=[split], reading=reading)
    rows = unwrap_ids(split, text)
    too_wide = max(map(len, rows))
    if too_wide > limits.columns:
        return refused("too_many_columns", f"{too_wide:,} columns", f"{limits.columns:,} columns", reading)
    return FileRead([Grid("", rows)], long_cells(rows, text, limits), reading)


def decode(data: bytes, encoding: str | None) -> tuple[str, str] | Problem:
    """The text and the name of its encoding: byte order mark, UTF-16 by its NULs, UTF-8, the declared one."""
    for signature, what in SIGNATURES:
        if data.startswith(signature):
            return problem("binary_content", found=what)
    name, body = _guess_encoding(data)
    try:
        text = body.decode(name or "utf-8")
    except UnicodeDecodeError as failure:
        if name is not None:
            return problem("bad_encoding", found=f"{name}: {failure.reason} at byte {failure.start + 1:,}")
        name = encoding or DEFAULT_ENCODING
        try:
            text = body.decode(name)
        except UnicodeDecodeError as second:
            return problem("bad_encoding", found=f"{name}: {second.reason} at byte {second.start + 1:,}")
        except LookupError:
            return problem("bad_encoding", found=f"{name} is not an encoding")
    text = text.rstrip(DOS_END_OF_FILE)
    control = _control_character(text)
    if control is not None:
        return problem("binary_content", found=control)
    return text, name or "utf-8"


def _guess_encoding(data: bytes) -> tuple[str | None, bytes]:
    for mark, name in BYTE_ORDER_MARKS:
        if data.startswith(mark):
            return name, data[len(mark) :]
    head = data[:2_000]
    # Latin text in UTF-16 has a NUL in every second byte and none in the others.
    even, odd = head[0::2].count(0), head[1::2].count(0)
    if odd > len(head) // 4 and even == 0:
        return "utf-16-le", data
    if even > len(head) // 4 and odd == 0:
        return "utf-16-be", data
    return None, data


def _control_character(text: str) -> str | None:
    raw = text.encode("utf-8", "surrogatepass")
    if len(raw.translate(None, CONTROL_BYTES)) == len(raw):
        return None
    at = next(place for place, code in enumerate(raw) if code in CONTROL_BYTES)
    return f"control character {raw[at]:#04x} at character {len(raw[:at].decode('utf-8', 'surrogatepass')) + 1:,}"


def choose_delimiter(text: str) -> str:
    """The delimiter that splits most of the first records alike; ties: more cells, then the order , ; tab |."""
    sample = text[:SAMPLED_CHARACTERS]
    present = [delimiter for delimiter in DELIMITERS if delimiter in sample]
    if len(present) < 2:
        return present[0] if present else ","
    lines = [line for line in QUOTED.sub("", sample).splitlines() if line.strip()][:SAMPLED_RECORDS]
    order = list(DELIMITERS)
    return max(present, key=lambda delimiter: (*_regularity(lines, delimiter), -order.index(delimiter)))


def _regularity(lines: list[str], delimiter: str) -> tuple[int, int]:
    """How many records have the most frequent number of delimiters above none, and that number."""
    counts = Counter(count for line in lines if (count := line.count(delimiter)))
    return max(((records, count) for count, records in counts.items()), default=(0, 0))


def split_records(text: str, delimiter: str, limits: Limits) -> list[list[str]] | Problem:
    """All records of the text, blank ones included as empty lists, or the problem that stops reading."""
    reader = csv.reader(
        # newline="" keeps \r, \n and \r\n apart and ends a record at each of them.
        io.StringIO(text, newline=""),
        delimiter=delimiter,
        strict=True,
        skipinitialspace=True,
    )
    rows: list[list[str]] = []
    try:
        rows.extend(islice(reader, limits.rows + 1))
    except csv.Error as failure:
        return _broken_record(text, delimiter, failure, limits)
    if len(rows) > limits.rows:
        return problem("too_many_rows", found=f"more than {limits.rows:,} rows", allowed=f"{limits.rows:,} rows")
    return rows


def _broken_record(text: str, delimiter: str, failure: csv.Error, limits: Limits) -> Problem:
    """Read again record by record up to the one that cannot be read, to name its row."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True, skipinitialspace=True)
    row, line = 1, 1
    while True:
        try:
            next(reader)
        except (csv.Error, StopIteration):
            break
        row, line = row + 1, reader.line_num + 1
    runs_on = reader.line_num > line
    if "field larger" in str(failure) and not runs_on:
        found = f"a cell of more than {csv.field_size_limit():,} characters"
        return problem("too_large", rows=[row], found=found, allowed=f"{limits.cell_characters:,} characters")
    what = f"the record that begins in line {line:,}"
    if runs_on:
        what += f" and runs on to line {reader.line_num:,}"
    return problem("unclosed_quote", rows=[row], found=what, detail=str(failure))


def unwrap_ids(rows: list[list[str]], text: str) -> list[list[str]]:
    """Undo what exporters do so that spreadsheets keep leading zeros: `="0020011"` and `'0020011` give 0020011."""
    if '="' in text:
        rows = [[_without_formula(cell) if cell[:2] == '="' else cell for cell in row] for row in rows]
    if "'" in text:
        rows = [[cell[1:] if cell[:1] == "'" and cell[1:2].isdigit() else cell for cell in row] for row in rows]
    return rows


def _without_formula(cell: str) -> str:
    return cell[2:-1] if len(cell) > 2 and cell.endswith('"') and '"' not in cell[2:-1] else cell


def long_cells(rows: list[list[str]], text: str, limits: Limits) -> list[Problem]:
    """A problem for each cell above the limit."""
    longest = limits.cell_characters
    if len(text) <= longest or max(len(max(row, key=len, default="")) for row in rows) <= longest:
        return []
    return [
        problem(
            "cell_too_long",
            rows=[row],
            column=column_letter(column),
            found=f"{len(cell):,} characters ({excerpt(cell)})",
            allowed=f"{longest:,} characters",
        )
        for row, cells in enumerate(rows, 1)
        for column, cell in enumerate(cells)
        if len(cell) > longest
    ]
