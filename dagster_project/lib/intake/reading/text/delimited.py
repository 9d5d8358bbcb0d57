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
from itertools import islice, takewhile

from dagster_project.lib.intake.reading.grid import FileRead, Grid, Problem, column_letter, excerpt, problem, refused
from dagster_project.lib.intake.reading.limits import Limits
from dagster_project.lib.intake.reading.text.broken_quotes import Split, split_broken
from dagster_project.lib.intake.reading.text.signs import doubtful_words, settled

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
    rows = unwrap_ids(split.rows, text)
    too_wide = max(map(len, rows))
    if too_wide > limits.columns:
        return refused("too_many_columns", f"{too_wide:,} columns", f"{limits.columns:,} columns", reading)
    grids, told = settled([Grid("", rows)])
    told += split.problems + long_cells(rows, text, limits)
    if encoding is None and (words := doubtful_words(text, name == DEFAULT_ENCODING)):
        told.append(problem("doubtful_encoding", found=words))
    return FileRead(grids, told, reading)


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
    """The delimiter of the table: titles above it, decimal commas in it and notes below it have no say.

    A header is a line whose cells all begin with a letter; each delimiter is judged by the header it gives with most
    cells in the lines below that it splits alike, up to the first line that it does not split. Where no line is a
    header for any, the one counts that splits most of the first records alike. Ties: more cells, then , ; tab |.
    """
    sample = text[:SAMPLED_CHARACTERS]
    present = [delimiter for delimiter in DELIMITERS if delimiter in sample]
    if len(present) < 2:
        return present[0] if present else ","
    lines = [line for line in QUOTED.sub("q", sample).splitlines() if line.strip()][:SAMPLED_RECORDS]
    order = list(DELIMITERS)
    tables = {delimiter: _table(lines, delimiter) for delimiter in present}
    judge = tables if any(tables.values()) else {delimiter: _regularity(lines, delimiter) for delimiter in present}
    return max(present, key=lambda delimiter: (judge[delimiter], -order.index(delimiter)))


def _table(lines: list[str], delimiter: str) -> tuple[int, int] | tuple[()]:
    """Delimiters in the lines of the largest table with a header, and those of one line; empty where none has one."""
    counts = [line.count(delimiter) for line in lines]
    found: tuple[int, int] | tuple[()] = ()
    for first, count in enumerate(counts):
        if count and _is_header(lines[first], delimiter):
            below = takewhile(bool, counts[first:])
            found = max(found, (sum(other == count for other in below) * count, count))
    return found


def _is_header(line: str, delimiter: str) -> bool:
    cells = [cell.strip(" '") for cell in line.split(delimiter)]
    return all(cell[0].isalpha() or cell[0] in "%#" for cell in cells if cell) and any(cells)


def _regularity(lines: list[str], delimiter: str) -> tuple[int, int]:
    """How many records have the most frequent number of delimiters above none, and that number."""
    counts = Counter(count for line in lines if (count := line.count(delimiter)))
    return max(((records, count) for count, records in counts.items()), default=(0, 0))


def split_records(text: str, delimiter: str, limits: Limits) -> Split | Problem:
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
    except csv.Error:
        split = split_broken(text, delimiter, limits)
        if isinstance(split, Problem):
            return split
        rows = split.rows
        if len(rows) <= limits.rows:
            return split
    if len(rows) > limits.rows:
        return problem("too_many_rows", found=f"more than {limits.rows:,} rows", allowed=f"{limits.rows:,} rows")
    return Split(rows, [])


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
