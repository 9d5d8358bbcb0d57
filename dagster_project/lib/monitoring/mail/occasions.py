"""Occasions to write to a community: a folder that is due, late, received, to be mended or accepted.

Belongs here: which occasions there are today, and the key by which each is told once.
Does not: words (messages.py), whom to write to (contacts.py), deadlines (freshness.py).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import polars as pl

from dagster_project.lib.intake.bucket.drop import Folder
from dagster_project.lib.intake.findings import BLOCKING

Kind = Literal["late", "rejected", "mend", "asked", "due_soon", "received", "waits", "accepted"]
KINDS: tuple[Kind, ...] = ("late", "rejected", "mend", "asked", "due_soon", "received", "waits", "accepted")
"""In the order in which a message tells them."""
AGAIN_DAYS = 14
"""A folder that stays late is told again after so many days."""
OLDEST_DAYS = 400
"""What was due longer ago is told by nobody: the network knows, and the data team's worklist has it."""


@dataclass(frozen=True)
class Occasion:
    """Something to be told of one folder, once: `key` says what was told. `facts` fill the places of its words."""

    kind: Kind
    community_id: str
    reporting_year: int
    key: str
    facts: Mapping[str, Any] = field(default_factory=dict)


def of_deadlines(due: pl.DataFrame) -> Iterator[Occasion]:
    """Folders that are late or due soon, from `freshness.deadlines`."""
    for row in due.iter_rows(named=True):
        left = int(row["days_left"])
        if left < -OLDEST_DAYS:
            continue
        kind: Kind = "late" if left < 0 else "due_soon"
        turn = f"{-left // AGAIN_DAYS}" if left < 0 else row["notice"].replace(" ", "_")
        key = f"{kind}/{row['reporting_year']}/{turn}"
        yield Occasion(kind, row["community_id"], row["reporting_year"], key, {"day": row["due_on"], "days": abs(left)})


def of_arrivals(folders: Iterable[Folder]) -> Iterator[Occasion]:
    """Folders whose files the next run takes."""
    for folder in folders:
        key = f"received/{folder.reporting_year}/{folder.listed_tag}"
        facts = {"files": len(folder.files)}
        yield Occasion("received", folder.community_id, folder.reporting_year, key, facts)


def of_receipts(receipts: Iterable[Mapping[str, Any]]) -> Iterator[Occasion]:
    """Folders that a run took: accepted, or with something to be mended or answered."""
    for receipt in receipts:
        if receipt["submission_id"] is None or receipt["status"] == "withdrawn":
            continue
        told = receipt["findings"]
        waiting = sum(file["rows_waiting"] for file in receipt["files"])
        problems = sum(row["severity"] in BLOCKING for row in told)
        questions = sum(row["severity"] == "explainable" and row["status"] == "open" for row in told)
        if receipt["status"] == "rejected":
            kind: Kind = "rejected"
        elif problems or questions:
            kind = "mend" if problems else "asked"
        else:
            kind = "waits" if waiting else "accepted"
        place = (receipt["community_id"], receipt["reporting_year"])
        state = "accepted" if kind in ("waits", "accepted") else "mend"
        key = f"{state}/{place[1]}/{receipt['submission_id']}/{problems}/{questions}{f'/{waiting}' if waiting else ''}"
        yield Occasion(kind, *place, key, {"problems": problems, "questions": questions, "waiting": waiting})


def told_years(years: Iterable[int], calendar: pl.DataFrame, today: dt.date) -> list[int]:
    """Reporting years whose receipts are still told: those that were due not too long ago."""
    due = dict(calendar.select(pl.col("reporting_year").cast(pl.Int32), "due_on").iter_rows())
    oldest = (today - dt.timedelta(days=OLDEST_DAYS)).isoformat()
    return [year for year in years if str(due.get(year) or f"{year}-12-31") >= oldest]
