"""The process that reads workbooks and Parquet files, so that a hostile one can only take this process down.

Belongs here: the child's side of the protocol of workbook.py, and Parquet values as text.
Does not: any check before reading (workbook.py); nothing it imports imports Dagster, Polars or DuckDB: it starts fast.
"""

from __future__ import annotations

import datetime as dt
import json
import resource
import sys
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from functools import partial
from typing import IO, Any

from dagster_project.lib.intake.reading.limits import Limits, RefusalError, check_area
from dagster_project.lib.intake.reading.number_formats import moment_text, number_text
from dagster_project.lib.intake.reading.old_workbook import read_old_workbook
from dagster_project.lib.intake.reading.open_document.document import is_open_document, read_open_document
from dagster_project.lib.intake.reading.package import opened
from dagster_project.lib.intake.reading.worksheet import SheetCells, read_worksheet

UNIT_SEPARATOR, RECORD_SEPARATOR = "\x1f", "\x1e"
OLE2 = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


def cell_text(value: object) -> str:
    """A Parquet value as text: whole numbers without decimals, others at 15 digits, dates ISO, lists as JSON."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float):
        return number_text(value)
    if isinstance(value, Decimal):
        return decimal_text(value)
    if isinstance(value, bytes):
        return value.decode("utf-8")
    if isinstance(value, dt.date | dt.time):
        return moment_text(value)
    if isinstance(value, list | tuple | dict):
        return json.dumps(value, ensure_ascii=False, default=cell_text)
    return str(value)


def decimal_text(value: Decimal) -> str:
    """A decimal as digits, never with an exponent: the zeros that its column's scale adds say nothing."""
    if not value.is_finite():
        return ""
    text = format(value if value else Decimal(0), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def packed(rows: Iterable[Sequence[Any]], mixed: bool = True) -> str:
    """Rows as one text with unit and record separators; separators inside cells become spaces.

    Without `mixed` all cells are texts already.
    """
    lines = []
    for row in rows:
        cells = [value if isinstance(value, str) else cell_text(value) for value in row] if mixed else row
        line = UNIT_SEPARATOR.join(cells)
        if line.count(UNIT_SEPARATOR) >= max(len(cells), 1) or RECORD_SEPARATOR in line:
            plain = (cell.replace(UNIT_SEPARATOR, " ").replace(RECORD_SEPARATOR, " ") for cell in cells)
            line = UNIT_SEPARATOR.join(plain)
        lines.append(line)
    return RECORD_SEPARATOR.join(lines)


Sheets = list[tuple[dict[str, Any], str]]


def read_workbook(data: bytes, limits: Limits) -> Sheets:
    """All worksheets from A1 on: name, whether hidden, height, what is told of cells, and the packed rows."""
    if data.startswith(OLE2):
        return [_sheet(*sheet) for sheet in read_old_workbook(data, limits)]
    with opened(data, limits) as package:
        if is_open_document(package):
            return [_sheet(*sheet) for sheet in read_open_document(package, limits)]
        book = package.book()
        return [
            _sheet(sheet.name, sheet.hidden, read_worksheet(partial(package.chunks, sheet.part), book, limits))
            for sheet in book.sheets
        ]


def _sheet(name: str, hidden: bool, cells: SheetCells) -> tuple[dict[str, Any], str]:
    head = {"name": name, "hidden": hidden, "height": len(cells.rows), "facts": cells.facts()}
    return head, packed(cells.rows, mixed=False)


def read_parquet(data: bytes, limits: Limits) -> Sheets:
    """A Parquet file as one sheet without a name: the column names, then all rows as text."""
    import pyarrow
    from pyarrow import parquet

    try:
        file = parquet.ParquetFile(pyarrow.BufferReader(data))
        meta = file.metadata
        check_area(meta.num_rows + 1, meta.num_columns, limits)
        unpacked = sum(meta.row_group(index).total_byte_size for index in range(meta.num_row_groups))
        if unpacked > limits.unpacked_bytes:
            raise RefusalError("zip_bomb", f"{unpacked:,} bytes", f"{limits.unpacked_bytes:,} bytes")
        table = file.read(use_threads=False)
        columns = [_texts(name, table.column(place)) for place, name in enumerate(table.column_names)]
    except MemoryError:  # Arrow's own is one of its exceptions, too
        raise
    except (pyarrow.ArrowException, OSError, ValueError) as failure:
        raise RefusalError("unreadable_file", str(failure).splitlines()[0], "a Parquet file") from failure
    rows = [tuple(table.column_names), *zip(*columns, strict=True)]
    return [({"name": "", "hidden": False, "height": len(rows)}, packed(rows))]


def _texts(name: str, column: Any) -> list[object]:
    """A column's values, those of binary columns as the text that they hold."""
    import pyarrow

    if pyarrow.types.is_float32(column.type) or pyarrow.types.is_float16(column.type):
        # Widened to 64 bits 46.8 would read 46.7999992370605.
        column = column.cast(pyarrow.float32()).cast(pyarrow.string())
        return [None if text is None else number_text(float(text)) for text in column.to_pylist()]
    values: list[object] = column.to_pylist()
    if any(isinstance(value, bytes) for value in values):
        try:
            return [cell_text(value) for value in values]
        except UnicodeDecodeError as failure:
            found = f"the column {name}: {failure.reason} at byte {failure.start + 1:,} of a cell"
            raise RefusalError("bad_encoding", found) from failure
    return values


READERS: dict[str, Callable[[bytes, Limits], Sheets]] = {"workbook": read_workbook, "parquet": read_parquet}


def answer(request: dict[str, Any], data: bytes, limits: Limits) -> tuple[dict[str, Any], list[bytes]]:
    """The reply's head and its payloads, one a sheet. `spent`: this process is to read nothing more."""
    try:
        sheets = READERS[request["kind"]](data, limits)
        payloads = [text.encode("utf-8", "surrogatepass") for _, text in sheets]
    except RefusalError as refusal:
        return {"refused": refusal.rule_id, "found": refusal.found, "allowed": refusal.allowed}, []
    except MemoryError:
        # What was taken may lie about in pieces: another member's file would not fit in either.
        found = "a sheet that does not fit into memory"
        return {"refused": "too_many_cells", "found": found, "allowed": "", "spent": True}, []
    heads = [{**head, "bytes": len(payload)} for (head, _), payload in zip(sheets, payloads, strict=True)]
    return {"sheets": heads}, payloads


def serve(source: IO[bytes], sink: IO[bytes], limits: Limits) -> None:
    """Answer requests (a JSON line with kind and bytes, then the file) until the source ends."""
    for line in iter(source.readline, b""):
        request = json.loads(line)
        data = source.read(request["bytes"])
        allow_seconds(limits.cpu_seconds)
        head, payloads = answer(request, data, limits)
        sink.write(json.dumps(head).encode() + b"\n")
        for payload in payloads:
            sink.write(payload)
        sink.flush()


def allow_seconds(seconds: int) -> None:
    """Let the process use so many more CPU seconds; the kernel ends it beyond."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    used = int(usage.ru_utime + usage.ru_stime) + 1
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (used + seconds, hard))


def main() -> None:
    """Bound the process by the limits given as JSON in the first argument, then serve standard input."""
    limits = Limits(**json.loads(sys.argv[1]))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (limits.memory_bytes, limits.memory_bytes))
    serve(sys.stdin.buffer, sys.stdout.buffer, limits)


if __name__ == "__main__":
    main()
