"""How large a submitted file may be and how long reading it may take.

Belongs here: the limits that every reader checks before or while it reads, with their defaults.
Does not: where their values come from (settings.py), or what happens when one is exceeded (the readers).
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
