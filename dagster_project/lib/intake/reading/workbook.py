"""Workbooks and Parquet files as grids, read by a process of its own.

Belongs here: what is refused unopened, the child process with its limits, and grids and problems from its replies.
Does not: the reading itself (workbook_child.py and what it calls), headers (layouts.py).
"""

from __future__ import annotations

import json
import os
import selectors
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Any

from dagster_project.lib.intake.reading.grid import FileRead, Grid, Problem, column_letter, excerpt, problem, refused
from dagster_project.lib.intake.reading.limits import Limits
from dagster_project.lib.intake.reading.workbook_child import OLE2, RECORD_SEPARATOR, UNIT_SEPARATOR

ROOT = Path(__file__).resolve().parents[4]
ZIP = b"PK"
PARQUET = b"PAR1"
OPEN_XML, OPEN_DOCUMENT = b"[Content_Types].xml", b"content.xml"
CHILD = "dagster_project.lib.intake.reading.workbook_child"
READ_SIZE = 1024 * 1024
MOST_NAMED = 10
DOUBTS = (("struck_out", "struck"), ("shown_otherwise", "otherwise"), ("shown_by_rule", "unsure"))
"""Rules that matter in cells of a table alone, with what the child tells of such cells."""

Facts = dict[str, Any]
"""What the child tells of a sheet's cells beside their texts, by the names of worksheet.SheetCells."""


class ChildFailedError(Exception):
    """The reading process ended or went silent; the text says which."""


class WorkbookReader:
    """One child process that reads many workbooks. Use as a context manager; not for several threads at once.

    A file on which the child fails is tried once more in a fresh child and then reported as unreadable; files after it,
    and after one that did not fit into memory, are read by a new child.
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
        """Read a workbook (XLSX, XLS, ODS). What it holds decides, not its name."""
        if data.startswith(OLE2):
            return self._read_old(data)
        if not data.startswith(ZIP):
            return refused("unreadable_file", _what_else(data), "an Excel workbook")
        # Names of parts are not packed; what the package is, is told in the child.
        open_document = OPEN_DOCUMENT in data and OPEN_XML not in data
        return self._grids("workbook", data, "OpenDocument spreadsheet" if open_document else "Excel workbook")

    def read_parquet(self, data: bytes) -> FileRead:
        """Read a Parquet file as one grid with sheet '', the column names in its first row."""
        if not data.startswith(PARQUET):
            return refused("unreadable_file", _what_else(data), "a Parquet file")
        return self._grids("parquet", data, "Parquet file")

    def _read_old(self, data: bytes) -> FileRead:
        if "EncryptedPackage".encode("utf-16-le") in data:
            return refused("encrypted_workbook", "an encrypted package")
        if "_VBA_PROJECT".encode("utf-16-le") in data:
            return refused("macro_workbook", "a part with macros")
        return self._grids("workbook", data, "Excel 97-2003 workbook")

    def _grids(self, kind: str, data: bytes, reading: str) -> FileRead:
        reply = self._ask_twice(kind, data)
        if isinstance(reply, Problem):
            return FileRead(problems=[reply], reading=reading)
        sheets, problems = [], []
        for grid, facts in reply:
            if facts or any(map(any, grid.rows)):
                if not grid.hidden:
                    problems += _told(grid, facts)
                    problems += _long_cells(grid, self.limits)
                sheets.append(grid)
        if not sheets:
            return refused("empty_file", reading=reading)
        return FileRead(sheets, problems, reading)

    def _ask_twice(self, kind: str, data: bytes) -> list[tuple[Grid, Facts]] | Problem:
        for attempt in ("with others", "alone"):
            try:
                return self._ask(kind, data)
            except ChildFailedError as failure:
                self.close()
                if attempt == "alone":
                    allowed = "a Parquet file" if kind == "parquet" else "an Excel workbook"
                    return problem("unreadable_file", found=str(failure), allowed=allowed)
        raise AssertionError("unreachable")

    def _ask(self, kind: str, data: bytes) -> list[tuple[Grid, Facts]] | Problem:
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
        if head.get("spent"):
            self.close()
        if "refused" in head:
            return problem(head["refused"], found=head["found"], allowed=head["allowed"] or None)
        return [(_grid(sheet, answers.take(sheet["bytes"])), sheet.get("facts", {})) for sheet in head["sheets"]]

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
    facts: Facts = head.get("facts", {})
    return Grid(
        head["name"],
        [line.split(UNIT_SEPARATOR) for line in lines],
        head["hidden"],
        dates=frozenset((row, column) for row, column in facts.get("dates", ())),
        doubts={
            (row, column): (rule_id, text) for rule_id, name in DOUBTS for row, column, text in facts.get(name, ())
        },
        merges=tuple((top, left, bottom, right) for top, left, bottom, right in facts.get("merges", ())),
    )


def _told(grid: Grid, facts: Facts) -> list[Problem]:
    """Cells that show no value of their own, and what else of a sheet must be said."""
    problems = []
    for rule_id, cells in (
        ("formula_error_cell", facts.get("errors", ())),
        ("formula_without_value", [(*place, "") for place in _within(facts.get("uncalculated", []), len(grid.rows))]),
        ("hidden_value", [(*place, "") for place in facts.get("hidden_values", ())]),
        ("footnote_mark", facts.get("marks", ())),
    ):
        by_cause: dict[tuple[int, str], list[int]] = {}
        for row, column, text in sorted(map(tuple, cells)):
            by_cause.setdefault((column, text), []).append(row + 1)
        problems += [
            problem(rule_id, sheet=grid.sheet, rows=rows, column=column_letter(column), found=excerpt(text) or None)
            for (column, text), rows in by_cause.items()
        ]
    hidden = _hidden_parts(facts)
    return [*problems, problem("hidden_rows", sheet=grid.sheet, found=hidden)] if hidden else problems


def _within(places: list[list[int]], height: int) -> list[list[int]]:
    """The places within a sheet's height, and the first one below: formulas may be filled down over a whole sheet."""
    inside = [place for place in places if place[0] < height]
    return inside + [place for place in places if place[0] >= height][:1]


def _hidden_parts(facts: Facts) -> str:
    """Which rows and columns with content are hidden, in words."""
    parts = []
    rows: list[int] = facts.get("hidden_rows", [])
    if rows:
        parts.append(f"{_few([str(row + 1) for row in rows], 'row')}")
    columns: list[int] = facts.get("hidden_columns", [])
    if columns:
        parts.append(_few([column_letter(column) for column in columns], "column"))
    return " and ".join(parts)


def _few(names: list[str], word: str) -> str:
    if len(names) == 1:
        return f"{word} {names[0]}"
    shown = ", ".join(names[:MOST_NAMED])
    rest = len(names) - MOST_NAMED
    return f"{word}s {shown}" + (f" and {rest:,} more" if rest > 0 else "")


def _long_cells(grid: Grid, limits: Limits) -> list[Problem]:
    longest = limits.cell_characters
    if max((len(max(row, key=len, default="")) for row in grid.rows), default=0) <= longest:
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
