"""Kept files judged anew: which raw bytes of the lake the present rules would refuse as data on single persons.

Belongs here: taking every kept file once more, alone and without keeping anything, and listing what is refused.
Does not: the rules (intake/reading/person_level), deleting what was found (forgetting.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl

from dagster_project.lib.app.forgetting import REFUSED
from dagster_project.lib.base.store import Given, Store
from dagster_project.lib.intake.batch import Intake
from dagster_project.lib.intake.bucket.drop import DroppedFile, Folder
from dagster_project.lib.intake.bucket.lake import raw_key
from dagster_project.lib.intake.bucket.ledger import Ledger, Version, current_submissions, versions
from dagster_project.lib.intake.reading.files import WorkbookReader
from dagster_project.lib.intake.take_in import take_in


@dataclass(frozen=True)
class Suspect:
    """A kept file that would be refused today: where it was, what says so, every submission that holds its bytes."""

    community_id: str
    reporting_year: int
    name: str
    sha256: str
    why: str
    submissions: tuple[str, ...]
    stands: bool


def scan(lake: Store, intake: Intake) -> Iterator[Suspect]:
    """Judge every kept file once, in the order in which files were first taken."""
    events = Ledger(lake, intake.reference.names).events()
    standing = set(current_submissions(events)["submission_id"])
    holders = _holders(versions(events))
    with WorkbookReader(intake.limits) as workbooks:
        for (sha256, community, year, name), submissions in holders.items():
            data = lake.get_or_none(raw_key(sha256))
            why = None if data is None else _refused(intake, workbooks, (community, year, name), data)
            if why is not None:
                stands = not standing.isdisjoint(submissions)
                yield Suspect(community, year, name, sha256, why, tuple(submissions), stands)


def _holders(seen: list[Version]) -> dict[tuple[str, str, int, str], list[str]]:
    """Every content once, under the first place and name that it was seen at, with the submissions that hold it."""
    first: dict[str, tuple[str, str, int, str]] = {}
    found: dict[tuple[str, str, int, str], list[str]] = {}
    for version in seen:
        for name, (sha256, _) in sorted(version.files.items()):
            key = first.setdefault(sha256, (sha256, *version.place, name))
            ids = found.setdefault(key, [])
            if version.submission_id not in ids:
                ids.append(version.submission_id)
    return found


def _refused(intake: Intake, workbooks: WorkbookReader, place: tuple[str, int, str], data: bytes) -> str | None:
    community, year, name = place
    folder = Folder(community, year, (DroppedFile(name, name, len(data), ""),))
    (taken,) = take_in(intake, [folder], Given({name: data}.__getitem__), None, workbooks)
    if REFUSED not in taken.tables["files"]["kind"].to_list():
        return None
    said = taken.tables["findings"].filter(
        pl.col("source_file").str.starts_with(name) & (pl.col("severity") == "fatal")
    )
    return str(said["message"][0])
