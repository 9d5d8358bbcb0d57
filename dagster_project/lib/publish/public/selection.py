"""The closed list of public tables and columns (RULES 8.6): what is not named in selection.csv never leaves the house.

Belongs here: reading selection.csv and not_public.csv, bringing a table into its public columns and order.
Does not: rows (tables.py), withholding (lib/disclosure).
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import polars as pl

SELECTION = Path(__file__).parent / "selection.csv"
NOT_PUBLIC = Path(__file__).parent / "not_public.csv"


class SelectionError(ValueError):
    """A table lacks a column that selection.csv names; the message says which."""


@dataclass(frozen=True)
class PublicTable:
    """One public table: its columns in their order, and those of its key, by which rows are sorted."""

    name: str
    columns: tuple[str, ...]
    key: tuple[str, ...]

    def conform(self, frame: pl.DataFrame) -> pl.DataFrame:
        """The public columns in their order, rows by key; SelectionError for a column that is not there."""
        absent = [name for name in self.columns if name not in frame.columns]
        if absent:
            raise SelectionError(
                f"{self.name} has no column {', '.join(absent)}, which {SELECTION.name} names as public; a release "
                "of other code lacks it (`cradle run` makes one that fits), else correct the line of that file"
            )
        rest = [name for name in self.columns if name not in self.key]
        return frame.select(self.columns).sort([*self.key, *rest], nulls_last=True)


@cache
def read_selection(path: Path = SELECTION) -> Mapping[str, PublicTable]:
    """Public tables by name, in the order of the file."""
    columns: dict[str, list[str]] = {}
    keys: dict[str, list[str]] = {}
    with path.open(newline="", encoding="utf-8") as lines:
        for line in csv.DictReader(lines):
            columns.setdefault(line["table"], []).append(line["column"])
            if line["is_key"] == "true":
                keys.setdefault(line["table"], []).append(line["column"])
    return {name: PublicTable(name, tuple(found), tuple(keys[name])) for name, found in columns.items()}


@cache
def read_not_public(path: Path = NOT_PUBLIC) -> Mapping[tuple[str, str], str]:
    """Why a mart, or a column of a public one, stays in the house: by table and column (empty: the whole table)."""
    with path.open(newline="", encoding="utf-8") as lines:
        return {(line["table"], line["column"]): line["reason"] for line in csv.DictReader(lines)}
