"""The door for data on single persons.

Belongs here: telling from a grid of text whether it looks like rows of persons, before anything is stored.
Does not: the words of the finding (contracts/findings.csv), the signs themselves (contracts/person_level.csv).
"""

from __future__ import annotations

import csv
import re
from functools import cache, lru_cache

import contracts

HEADER_SEARCH_ROWS = 30
SOCIAL_SECURITY = re.compile(r"\d{3}-\d{2}-\d{4}")
ENOUGH_NUMBERS = 3
KEPT_CELLS = 65_536
"""Cells whose sign is remembered: headers and labels repeat from file to file."""


@cache
def _signs() -> tuple[tuple[re.Pattern[str], str, str], ...]:
    with (contracts.ROOT / "person_level.csv").open(newline="", encoding="utf-8") as lines:
        return tuple(
            (re.compile(line["pattern"], re.IGNORECASE), line["sign"], line["reason"]) for line in csv.DictReader(lines)
        )


def person_level_reason(rows: list[list[str]]) -> str | None:
    """Why a grid looks like person-level data, or None. The reason never quotes a cell."""
    head = rows[:HEADER_SEARCH_ROWS]
    # Hardly any file holds one cell that says anything, so cells are looked at once, and rows only if one does.
    if any(_cell_sign(cell) for cell in {cell for row in head for cell in row}):
        reason = next((reason for reason in map(_header_reason, head) if reason), None)
        if reason:
            return reason
    numbers = sum(1 for row in rows for cell in row if "-" in cell and SOCIAL_SECURITY.fullmatch(cell.strip()))
    if numbers >= ENOUGH_NUMBERS:
        return "cells that look like social security numbers"
    return None


def _may_be_header(cell: str) -> bool:
    return 2 < len(cell.strip()) <= 40


@lru_cache(KEPT_CELLS)
def _cell_sign(cell: str) -> tuple[str, str] | None:
    if _may_be_header(cell):
        for pattern, sign, reason in _signs():
            if pattern.fullmatch(cell.strip()):
                return sign, reason
    return None


def _header_reason(row: list[str]) -> str | None:
    if sum(map(_may_be_header, row)) < 2:
        return None
    found = [sign for sign in map(_cell_sign, row) if sign]
    for sign, reason in found:
        if sign == "identifier":
            return reason
    for kind in ("name_part", "contact"):
        same = [reason for sign, reason in found if sign == kind]
        if len(same) >= 2:
            return same[0]
    return None
