"""One submitted file, from bytes to grids of text.

Belongs here: which reader takes a file, by its name and size, and what is not read at all.
Does not: any file format itself (delimited.py, workbook.py), or what the grids mean (layouts.py).
"""

from __future__ import annotations

from dagster_project.lib.intake.reading.archive import NOT_OPENED, OPENED, ending, is_system_file
from dagster_project.lib.intake.reading.grid import FileRead, Grid, Problem, refused
from dagster_project.lib.intake.reading.limits import Limits
from dagster_project.lib.intake.reading.text.delimited import read_delimited
from dagster_project.lib.intake.reading.workbook import WorkbookReader

TEXT_ENDINGS = frozenset({"csv", "tsv", "txt"})
WORKBOOK_ENDINGS = frozenset({"xlsx", "xls", "ods"})
PARQUET_ENDINGS = frozenset({"parquet"})
MACRO_ENDINGS = frozenset({"xlsm", "xltm", "xlam"})
OTHER_SPREADSHEETS = frozenset({"numbers", "fods", "ots", "sxc", "xltx", "xlt", "gsheet", "wk1", "wks", "123"})
READ_ENDINGS = TEXT_ENDINGS | WORKBOOK_ENDINGS | PARQUET_ENDINGS
TABLE_ENDINGS = READ_ENDINGS | MACRO_ENDINGS | OTHER_SPREADSHEETS | OPENED | NOT_OPENED | {"xlsb"}
"""Endings of files that are meant as tables: where nothing of one could be read, its member hears of it as an error."""

__all__ = [
    "READ_ENDINGS",
    "FileRead",
    "Grid",
    "Limits",
    "Problem",
    "WorkbookReader",
    "is_read",
    "is_table",
    "largest_bytes",
    "read_file",
    "refusal_of",
]


def read_file(
    name: str,
    data: bytes,
    encoding: str | None = None,
    limits: Limits | None = None,
    workbooks: WorkbookReader | None = None,
) -> FileRead:
    """Read one file into grids of text. Never raises for what a file holds; what is wrong is in `problems`.

    `encoding` is the community's declared one for text that is not UTF-8 (None: cp1252). `workbooks` is the process to
    read workbooks and Parquet with, shared by many files; without it one is started for this file. It keeps its own
    limits, which should be the same.
    """
    limits = limits or Limits()
    refusal = refusal_of(name, len(data), limits)
    if refusal is not None:
        return refusal
    kind = ending(name)
    if kind in TEXT_ENDINGS:
        return read_delimited(data, encoding, limits)
    if kind in OPENED:
        return refused("archive_refused", "an archive where a table is expected")
    if workbooks is None:
        with WorkbookReader(limits) as own:
            return own.read_parquet(data) if kind in PARQUET_ENDINGS else own.read(data)
    return workbooks.read_parquet(data) if kind in PARQUET_ENDINGS else workbooks.read(data)


def is_read(name: str) -> bool:
    """Whether a file of that name is read at all; others get an info finding, or an error where they are meant so."""
    return ending(name) in READ_ENDINGS and not is_system_file(name)


def is_table(name: str) -> bool:
    """Whether a file of that name is meant as a table, or as an archive of tables, be it one that is read or not."""
    return ending(name) in TABLE_ENDINGS and not is_system_file(name)


def largest_bytes(name: str, limits: Limits) -> int:
    """How large a file of that name may be."""
    return limits.text_bytes if ending(name) in TEXT_ENDINGS else limits.file_bytes


def refusal_of(name: str, size: int, limits: Limits) -> FileRead | None:
    """Why a file of that name and size is not opened at all; None if a reader or archive.py is to look at it.

    A file larger than `largest_bytes` is never opened.
    """
    kind = ending(name)
    if is_system_file(name):
        return refused("unsupported_file", "a file that a program left beside others")
    if kind == "xlsb":
        return refused("xlsb_refused", "a binary workbook")
    if kind in MACRO_ENDINGS:
        return refused("macro_workbook", f"a file ending in .{kind}")
    if kind in OTHER_SPREADSHEETS:
        return refused("spreadsheet_not_read", f".{kind}")
    if kind in NOT_OPENED:
        return refused("archive_refused", f"archives ending in .{kind} are not opened")
    if kind not in READ_ENDINGS | OPENED:
        return refused("unsupported_file", f".{kind}" if kind else "no ending")
    largest = largest_bytes(name, limits)
    if size > largest:
        return refused("too_large", f"{size:,} bytes", f"{largest:,} bytes")
    return refused("empty_file") if not size else None
