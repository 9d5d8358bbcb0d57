"""How large a submitted file may be and how long reading it may take.

Belongs here: the limits that every reader checks before or while it reads, with their defaults, and refusing a file.
Does not: where their values come from (settings.py), or the words of a refusal (contracts/findings.csv).
"""

from __future__ import annotations

from dataclasses import dataclass

MEBIBYTE = 1024 * 1024


@dataclass(frozen=True)
class Limits:
    """Limits for one file. Sizes are bytes, times are seconds; `cells` is the area of a sheet from A1 to its last cell.

    `memory_bytes`, `cpu_seconds` and `wall_seconds` bound the process that reads workbooks and Parquet files.
    """

    file_bytes: int = 30 * MEBIBYTE
    text_bytes: int = 200 * MEBIBYTE
    unpacked_bytes: int = 400 * MEBIBYTE
    parts: int = 1_000
    sheets: int = 100
    rows: int = 1_000_000
    columns: int = 2_000
    cells: int = 3_000_000
    cell_characters: int = 32_767
    memory_bytes: int = 2_048 * MEBIBYTE
    cpu_seconds: int = 60
    wall_seconds: float = 120.0


class RefusalError(Exception):
    """A file that is not read, with the rule of the finding catalogue, what was found and what is allowed."""

    def __init__(self, rule_id: str, found: str, allowed: str = "") -> None:
        super().__init__(rule_id)
        self.rule_id, self.found, self.allowed = rule_id, found, allowed


def check_area(height: int, width: int, limits: Limits) -> None:
    """Refuse a sheet whose area from A1 to its last cell that holds anything would not fit into memory."""
    if width > limits.columns:
        raise RefusalError("too_many_columns", f"{width:,} columns", f"{limits.columns:,} columns")
    if height * width > limits.cells:
        raise RefusalError("too_many_cells", f"{height:,} rows by {width:,} columns", f"{limits.cells:,} cells")
    if height > limits.rows + 1:
        raise RefusalError("too_many_rows", f"{height:,} rows", f"{limits.rows:,} rows")
