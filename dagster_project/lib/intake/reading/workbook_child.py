"""The process that reads workbooks and Parquet files, so that a hostile one can only take this process down.

Belongs here: the child's side of the protocol of workbook.py, and cell values as text.
Does not: any check before reading (workbook.py); it imports nothing of the project, so that it starts fast.
"""

from __future__ import annotations

import datetime as dt
import io
import json
import resource
import sys
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import IO, Any

UNIT_SEPARATOR, RECORD_SEPARATOR = "\x1f", "\x1e"
EXACT_INTEGERS = 1e15


class RefusalError(Exception):
    """A file that is not read, with the rule of the finding catalogue, what was found and what is allowed."""

    def __init__(self, rule_id: str, found: str, allowed: str = "") -> None:
        super().__init__(rule_id)
        self.reply = {"refused": rule_id, "found": found, "allowed": allowed}


def cell_text(value: object) -> str:
    """A cell's value as text: whole numbers without decimals, others at a spreadsheet's 15 digits, dates ISO."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float):
        return number_text(value)
    if isinstance(value, dt.datetime):
        return value.date().isoformat() if value.time() == dt.time() else value.isoformat(sep=" ")
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    return str(value)


def number_text(value: float) -> str:
    """A number as digits, never with an exponent. nan is an empty cell."""
    if value != value:
        return ""
    if value.is_integer() and abs(value) < EXACT_INTEGERS:
        return str(int(value))
    text = format(value, ".15g")
    return format(Decimal(text), "f") if "e" in text else text


def packed(rows: Iterable[Iterable[object]]) -> str:
    """Rows as one text with unit and record separators; separators inside cells become spaces."""
    lines = []
    for row in rows:
        cells = [value if isinstance(value, str) else cell_text(value) for value in row]
        line = UNIT_SEPARATOR.join(cells)
        if line.count(UNIT_SEPARATOR) >= max(len(cells), 1) or RECORD_SEPARATOR in line:
            plain = (cell.replace(UNIT_SEPARATOR, " ").replace(RECORD_SEPARATOR, " ") for cell in cells)
            line = UNIT_SEPARATOR.join(plain)
        lines.append(line)
    return RECORD_SEPARATOR.join(lines)


Sheets = list[tuple[dict[str, Any], str]]


def read_workbook(data: bytes, limits: dict[str, int]) -> Sheets:
    """All worksheets from A1 on: name, whether hidden, height, and the packed rows."""
    from python_calamine import CalamineError, CalamineWorkbook, PasswordError, SheetTypeEnum, SheetVisibleEnum

    try:
        workbook = CalamineWorkbook.from_filelike(io.BytesIO(data))
        sheets: Sheets = []
        for meta in workbook.sheets_metadata:
            if meta.typ != SheetTypeEnum.WorkSheet:
                continue
            sheet = workbook.get_sheet_by_name(meta.name)
            check_area(sheet.total_height, sheet.total_width, limits)
            rows = sheet.to_python(skip_empty_area=False)
            head = {"name": meta.name, "hidden": meta.visible != SheetVisibleEnum.Visible, "height": len(rows)}
            sheets.append((head, packed(rows)))
    except PasswordError as failure:
        raise RefusalError("encrypted_workbook", str(failure)) from failure
    except (CalamineError, OSError, ValueError) as failure:
        raise RefusalError("unreadable_file", str(failure), "an Excel workbook") from failure
    return sheets


def read_parquet(data: bytes, limits: dict[str, int]) -> Sheets:
    """A Parquet file as one sheet without a name: the column names, then all rows as text."""
    import pyarrow
    from pyarrow import parquet

    try:
        file = parquet.ParquetFile(pyarrow.BufferReader(data))
        meta = file.metadata
        check_area(meta.num_rows + 1, meta.num_columns, limits)
        unpacked = sum(meta.row_group(index).total_byte_size for index in range(meta.num_row_groups))
        if unpacked > limits["unpacked_bytes"]:
            raise RefusalError("zip_bomb", f"{unpacked:,} bytes", f"{limits['unpacked_bytes']:,} bytes")
        table = file.read(use_threads=False)
        columns = [column.to_pylist() for column in table.columns]
    except (pyarrow.ArrowException, OSError, ValueError) as failure:
        raise RefusalError("unreadable_file", str(failure).splitlines()[0], "a Parquet file") from failure
    rows = [tuple(table.column_names), *zip(*columns, strict=True)]
    return [({"name": "", "hidden": False, "height": len(rows)}, packed(rows))]


def check_area(height: int, width: int, limits: dict[str, int]) -> None:
    """Refuse a sheet whose area would not fit into memory."""
    if height > limits["rows"] + 1:
        raise RefusalError("too_many_rows", f"{height:,} rows", f"{limits['rows']:,} rows")
    if width > limits["columns"]:
        raise RefusalError("too_many_columns", f"{width:,} columns", f"{limits['columns']:,} columns")
    if height * width > limits["cells"]:
        raise RefusalError("too_many_cells", f"{height:,} rows by {width:,} columns", f"{limits['cells']:,} cells")


READERS: dict[str, Callable[[bytes, dict[str, int]], Sheets]] = {"workbook": read_workbook, "parquet": read_parquet}


def answer(request: dict[str, Any], data: bytes, limits: dict[str, int]) -> tuple[dict[str, Any], list[bytes]]:
    """The reply's head and its payloads, one a sheet."""
    try:
        sheets = READERS[request["kind"]](data, limits)
    except RefusalError as refusal:
        return refusal.reply, []
    except MemoryError:
        return RefusalError("too_many_cells", "a sheet that does not fit into memory").reply, []
    payloads = [text.encode("utf-8", "surrogatepass") for _, text in sheets]
    heads = [{**head, "bytes": len(payload)} for (head, _), payload in zip(sheets, payloads, strict=True)]
    return {"sheets": heads}, payloads


def serve(source: IO[bytes], sink: IO[bytes], limits: dict[str, int]) -> None:
    """Answer requests (a JSON line with kind and bytes, then the file) until the source ends."""
    for line in iter(source.readline, b""):
        request = json.loads(line)
        data = source.read(request["bytes"])
        allow_seconds(limits["cpu_seconds"])
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
    limits = json.loads(sys.argv[1])
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (limits["memory_bytes"], limits["memory_bytes"]))
    serve(sys.stdin.buffer, sys.stdout.buffer, limits)


if __name__ == "__main__":
    main()
