"""Files as bytes: CSV text, Parquet and workbooks that come out the same on every run and machine.

Belongs here: writing rows to delimited text, Parquet and XLSX without clock, machine or compression in the bytes.
Does not: what the rows say.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
import zipfile
from collections.abc import Mapping, Sequence

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq

Cell = str | int | float | dt.date | None

WRITTEN = dt.datetime(2026, 1, 1)  # noqa: DTZ001 (workbook properties carry no zone)
ZIP_DATE = (1980, 1, 1, 0, 0, 0)
MODIFIED = re.compile(rb"(<dcterms:modified[^>]*>)[^<]*(</dcterms:modified>)")


def as_text(cell: Cell) -> str:
    """A cell as it stands in a CSV; nothing for None."""
    if cell is None:
        return ""
    return cell.isoformat() if isinstance(cell, dt.date) else str(cell)


def delimited(
    header: Sequence[str],
    rows: Sequence[Sequence[Cell]],
    *,
    delimiter: str = ",",
    ending: str = "\n",
    quote_all: bool = False,
) -> str:
    """A header and rows as delimited text."""
    buffer = io.StringIO()
    if quote_all:
        writer = csv.writer(buffer, delimiter=delimiter, lineterminator=ending, quoting=csv.QUOTE_ALL)
    else:
        writer = csv.writer(buffer, delimiter=delimiter, lineterminator=ending)
    if header:
        writer.writerow(header)
    writer.writerows([as_text(cell) for cell in row] for row in rows)
    return buffer.getvalue()


def parquet(header: Sequence[str], rows: Sequence[Sequence[Cell]]) -> bytes:
    """A header and rows as a Parquet file of texts."""
    buffer = io.BytesIO()
    pq.write_table(as_table(header, rows), buffer)
    return buffer.getvalue()


def as_table(header: Sequence[str], rows: Sequence[Sequence[Cell]]) -> pa.Table:
    """Columns of text with what a CSV would hold, null where it would hold nothing."""
    texts = {
        name: pa.array([as_text(row[place]) or None for row in rows], pa.string()) for place, name in enumerate(header)
    }
    return pa.table(texts)


def workbook(sheets: Mapping[str, tuple[Sequence[str], Sequence[Sequence[Cell]]]]) -> bytes:
    """An XLSX with one sheet for each entry: a header row and the rows, numbers and dates typed.

    Parts are stored, not deflated, so that the bytes do not depend on the compression library.
    """
    book = openpyxl.Workbook(write_only=True)
    book.properties.created = WRITTEN
    for name, (header, rows) in sheets.items():
        sheet = book.create_sheet(name)
        sheet.append(list(header))
        for row in rows:
            sheet.append(list(row))
    buffer = io.BytesIO()
    book.save(buffer)
    return _without_clock(buffer.getvalue())


def _without_clock(content: bytes) -> bytes:
    out = io.BytesIO()
    stamp = WRITTEN.isoformat().encode() + b"Z"
    with zipfile.ZipFile(io.BytesIO(content)) as source, zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as target:
        for name in source.namelist():
            part = MODIFIED.sub(rb"\g<1>" + stamp + rb"\g<2>", source.read(name))
            info = zipfile.ZipInfo(name, ZIP_DATE)
            info.external_attr = 0o600 << 16
            info.create_system = 3
            target.writestr(info, part)
    return out.getvalue()
