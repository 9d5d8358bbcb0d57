"""Workbooks and Parquet files as grids, read by a process of its own.

Belongs here: what is refused unopened, the child process with its limits, and the grids made from its replies.
Does not: the inside of a package (package.py), the reading itself (workbook_child.py), headers (layouts.py).
"""

from __future__ import annotations

import json
import os
import selectors
import subprocess
import sys
import time
from dataclasses import asdict
from decimal import Decimal, InvalidOperation
from pathlib import Path
from types import TracebackType
from typing import Any

from dagster_project.lib.intake.reading.grid import FileRead, Grid, Problem, column_letter, excerpt, problem, refused
from dagster_project.lib.intake.reading.limits import Limits
from dagster_project.lib.intake.reading.package import Refused, SheetFacts, inspect_package
from dagster_project.lib.intake.reading.workbook_child import RECORD_SEPARATOR, UNIT_SEPARATOR, number_text

ROOT = Path(__file__).resolve().parents[4]
OLE2 = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
ZIP = b"PK"
PARQUET = b"PAR1"
CHILD = "dagster_project.lib.intake.reading.workbook_child"
READ_SIZE = 1024 * 1024


class ChildFailedError(Exception):
    """The reading process ended or went silent; the text says which."""


class WorkbookReader:
    """One child process that reads many workbooks. Use as a context manager; not for several threads at once.

    A file on which the child fails is tried once more in a fresh child and then reported as unreadable; files after it
    are read by a new child.
    """

    def __init__(self, limits: Limits | None = None) -> None:
        self.limits = limits or Limits()
        self._child: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> WorkbookReader:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the child process, if one runs."""
        child, self._child = self._child, None
        if child is None:
            return
        child.kill()
        child.wait()
        for pipe in (child.stdin, child.stdout):
            if pipe is not None:
                _close_quietly(pipe)

    def read(self, data: bytes) -> FileRead:
        """Read a workbook (XLSX, XLS). What it holds decides, not its name."""
        if data.startswith(OLE2):
            return self._read_old(data)
        if not data.startswith(ZIP):
            return refused("unreadable_file", _what_else(data), "an Excel workbook")
        facts = inspect_package(data, self.limits)
        if isinstance(facts, Refused):
            return refused(facts.rule_id, facts.found, facts.allowed)
        return self._grids("workbook", data, facts, "Excel workbook")

    def read_parquet(self, data: bytes) -> FileRead:
        """Read a Parquet file as one grid with sheet '', the column names in its first row."""
        if not data.startswith(PARQUET):
            return refused("unreadable_file", _what_else(data), "a Parquet file")
        return self._grids("parquet", data, {}, "Parquet file")

    def _read_old(self, data: bytes) -> FileRead:
        if "EncryptedPackage".encode("utf-16-le") in data:
            return refused("encrypted_workbook", "an encrypted package")
        if "_VBA_PROJECT".encode("utf-16-le") in data:
            return refused("macro_workbook", "a part with macros")
        return self._grids("workbook", data, {}, "Excel 97-2003 workbook")

    def _grids(self, kind: str, data: bytes, facts: dict[str, SheetFacts], reading: str) -> FileRead:
        reply = self._ask_twice(kind, data)
        if isinstance(reply, Problem):
            return FileRead(problems=[reply], reading=reading)
        sheets, problems = [], []
        for grid in reply:
            if any(map(any, grid.rows)):
                problems += _mark(grid, facts.get(grid.sheet, SheetFacts()))
                problems += _long_cells(grid, self.limits)
                sheets.append(grid)
        if not sheets:
            return refused("empty_file", reading=reading)
        return FileRead(sheets, problems, reading)

    def _ask_twice(self, kind: str, data: bytes) -> list[Grid] | Problem:
        for attempt in ("with others", "alone"):
            try:
                return self._ask(kind, data)
            except ChildFailedError as failure:
                self.close()
                if attempt == "alone":
                    allowed = "a Parquet file" if kind == "parquet" else "an Excel workbook"
                    return problem("unreadable_file", found=str(failure), allowed=allowed)
        raise AssertionError("unreachable")

    def _ask(self, kind: str, data: bytes) -> list[Grid] | Problem:
        child = self._running()
        assert child.stdin is not None and child.stdout is not None
        answers = _Answers(child.stdout.fileno(), self.limits.wall_seconds)
        try:
            child.stdin.write(json.dumps({"kind": kind, "bytes": len(data)}).encode() + b"\n")
            child.stdin.write(data)
            child.stdin.flush()
        except OSError as failure:
            raise ChildFailedError("the reading process ended") from failure
        head: dict[str, Any] = json.loads(answers.line())
        if "refused" in head:
            return problem(head["refused"], found=head["found"], allowed=head["allowed"] or None)
        return [_grid(sheet, answers.take(sheet["bytes"])) for sheet in head["sheets"]]

    def _running(self) -> subprocess.Popen[bytes]:
        if self._child is None or self._child.poll() is not None:
            self.close()
            path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")]))
            self._child = subprocess.Popen(
                [sys.executable, "-m", CHILD, json.dumps(asdict(self.limits))],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={**os.environ, "PYTHONPATH": path},
            )
        return self._child


class _Answers:
    """Reads a pipe up to a moment in time."""

    def __init__(self, pipe: int, seconds: float) -> None:
        self._pipe = pipe
        self._until = time.monotonic() + seconds
        self._seconds = seconds
        self._buffer = bytearray()

    def line(self) -> bytes:
        while (end := self._buffer.find(b"\n")) < 0:
            self._more()
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 1]
        return line

    def take(self, size: int) -> bytes:
        while len(self._buffer) < size:
            self._more()
        taken = bytes(self._buffer[:size])
        del self._buffer[:size]
        return taken

    def _more(self) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self._pipe, selectors.EVENT_READ)
            if not selector.select(max(0.0, self._until - time.monotonic())):
                raise ChildFailedError(f"reading took more than {self._seconds:g} seconds")
        piece = os.read(self._pipe, READ_SIZE)
        if not piece:
            raise ChildFailedError("the reading process ended")
        self._buffer += piece


def _grid(head: dict[str, Any], payload: bytes) -> Grid:
    text = payload.decode("utf-8", "surrogatepass")
    lines = text.split(RECORD_SEPARATOR) if head["height"] else []
    return Grid(head["name"], [line.split(UNIT_SEPARATOR) for line in lines], head["hidden"])


def _mark(grid: Grid, facts: SheetFacts) -> list[Problem]:
    """Put back what the reader loses: the texts of error cells, and the percent sign of cells formatted as percent."""
    for row, column in facts.percents:
        if row < len(grid.rows) and column < len(grid.rows[row]):
            grid.rows[row][column] = _percent_text(grid.rows[row][column])
    by_cause: dict[tuple[int, str], list[int]] = {}
    for (row, column), text in sorted(facts.errors.items()):
        cells = grid.rows[row] if row < len(grid.rows) else []
        if column < len(cells):
            cells[column] = text
            by_cause.setdefault((column, text), []).append(row + 1)
    return [
        problem("formula_error_cell", sheet=grid.sheet, rows=rows, column=column_letter(column), found=text)
        for (column, text), rows in by_cause.items()
    ]


def _percent_text(cell: str) -> str:
    """0.83 formatted as percent is 83%: the sheet shows it so, and the member means it so."""
    try:
        shown = float(Decimal(cell) * 100)
    except InvalidOperation:
        return cell
    return number_text(shown) + "%"


def _long_cells(grid: Grid, limits: Limits) -> list[Problem]:
    longest = limits.cell_characters
    if max(len(max(row, key=len, default="")) for row in grid.rows) <= longest:
        return []
    return [
        problem(
            "cell_too_long",
            sheet=grid.sheet,
            rows=[row],
            column=column_letter(column),
            found=f"{len(cell):,} characters ({excerpt(cell)})",
            allowed=f"{longest:,} characters",
        )
        for row, cells in enumerate(grid.rows, 1)
        for column, cell in enumerate(cells)
        if len(cell) > longest
    ]


def _what_else(data: bytes) -> str:
    head = data[:1_000].lstrip().lower()
    if head.startswith((b"<!doctype html", b"<html", b"<table")):
        return "It is a web page saved under this name."
    if head.startswith(b"<?xml"):
        return "It is an XML file saved under this name."
    if head and b"\0" not in head:
        return "It is a text file saved under this name."
    return "It does not begin as such a file does."


def _close_quietly(pipe: Any) -> None:
    try:
        pipe.close()
    except BrokenPipeError:
        return  # The child is gone; what was still buffered has no reader.
