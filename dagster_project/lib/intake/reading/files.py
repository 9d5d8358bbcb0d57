"""One submitted file, from bytes to grids of text.

Belongs here: which reader takes a file, by its name and size, and what is not read at all.
Does not: any file format itself (delimited.py, workbook.py), or what the grids mean (layouts.py).
"""

from __future__ import annotations

from dagster_project.lib.intake.reading.delimited import read_delimited
from dagster_project.lib.intake.reading.grid import FileRead, Grid, Problem, refused
from dagster_project.lib.intake.reading.limits import Limits
from dagster_project.lib.intake.reading.workbook import WorkbookReader

TEXT_ENDINGS = frozenset({"csv", "tsv", "txt"})
WORKBOOK_ENDINGS = frozenset({"xlsx", "xls"})
PARQUET_ENDINGS = frozenset({"parquet"})
MACRO_ENDINGS = frozenset({"xlsm", "xltm", "xlam"})
READ_ENDINGS = TEXT_ENDINGS | WORKBOOK_ENDINGS | PARQUET_ENDINGS

__all__ = [
    "READ_ENDINGS",
    "FileRead",
    "Grid",
    "Limits",
    "Problem",
    "WorkbookReader",
    "is_read",
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
    ending = _ending(name)
    if ending in TEXT_ENDINGS:
        return read_delimited(data, encoding, limits)
    if workbooks is None:
        with WorkbookReader(limits) as own:
            return own.read_parquet(data) if ending in PARQUET_ENDINGS else own.read(data)
    return workbooks.read_parquet(data) if ending in PARQUET_ENDINGS else workbooks.read(data)


def is_read(name: str) -> bool:
    """Whether a file of that name is read at all; others get an info finding (or an error for .xlsb and .xlsm)."""
    return _ending(name) in READ_ENDINGS and not _is_lock_file(name)


def largest_bytes(name: str, limits: Limits) -> int:
    """How large a file of that name may be."""
    return limits.text_bytes if _ending(name) in TEXT_ENDINGS else limits.file_bytes


def refusal_of(name: str, size: int, limits: Limits) -> FileRead | None:
    """Why a file of that name and size is not opened at all; None if a reader is to look at it.

    A file larger than `largest_bytes` is never opened.
    """
    ending = _ending(name)
    if ending == "xlsb":
        return refused("xlsb_refused", "a binary workbook")
    if ending in MACRO_ENDINGS:
        return refused("macro_workbook", f"a file ending in .{ending}")
    if not is_read(name):
        return refused(
            "unsupported_file", "a lock file" if _is_lock_file(name) else f".{ending}" if ending else "no ending"
        )
    largest = largest_bytes(name, limits)
    if size > largest:
        return refused("too_large", f"{size:,} bytes", f"{largest:,} bytes")
    return refused("empty_file") if not size else None


def _ending(name: str) -> str:
    stem, dot, ending = name.rpartition("/")[2].rpartition(".")
    return ending.lower() if dot and stem else ""


def _is_lock_file(name: str) -> bool:
    """Spreadsheet programs put such a file beside a workbook that is open."""
    return name.rpartition("/")[2].startswith(("~$", ".~lock."))
