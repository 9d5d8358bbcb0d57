"""Which folders a run takes: what changed, what is gone, what was asked for.

Belongs here: comparing the bucket's listing with the ledger, and the selection of communities and years.
Does not: reading files, or remembering anything (ledger.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import polars as pl

from dagster_project.lib.intake.bucket.drop import DroppedFile, Folder, Listing
from dagster_project.lib.intake.bucket.ledger import current_objects, current_submissions


@dataclass(frozen=True)
class Selection:
    """What was asked for: communities and years (None: all), and whether unchanged folders are taken again."""

    communities: frozenset[str] | None = None
    years: frozenset[int] | None = None
    again: bool = False

    def holds(self, community_id: str, reporting_year: int) -> bool:
        """Whether the partition was asked for."""
        in_communities = self.communities is None or community_id in self.communities
        return in_communities and (self.years is None or reporting_year in self.years)


@dataclass(frozen=True)
class Plan:
    """Folders to take, and partitions whose folder is gone."""

    take: tuple[Folder, ...]
    withdrawn: tuple[tuple[str, int], ...]


def make_plan(listing: Listing, events: pl.DataFrame, version: str, selection: Selection) -> Plan:
    """Folders whose listing or rules differ from what the ledger last saw, within the selection."""
    seen = _seen(current_objects(events))
    versions = {
        (community_id, year): (seen_version, links_tag)
        for community_id, year, seen_version, links_tag in current_submissions(events)
        .select("community_id", "reporting_year", "intake_version", "etag")
        .iter_rows()
    }
    asked = [folder for folder in listing.folders if selection.holds(*folder.partition)]
    take = [
        folder
        for folder in asked
        if selection.again
        or versions.get(folder.partition) != (version, folder.links_tag)
        or _listed(folder.files) != seen.get(folder.partition)
    ]
    standing = {folder.partition for folder in listing.folders}
    withdrawn = [place for place in versions if place not in standing and selection.holds(*place)]
    return Plan(tuple(take), tuple(sorted(withdrawn)))


def _listed(files: Sequence[DroppedFile]) -> frozenset[tuple[str, int, str]]:
    return frozenset((file.name, file.size, file.etag) for file in files)


def _seen(objects: pl.DataFrame) -> dict[tuple[str, int], frozenset[tuple[str, int, str]]]:
    grouped: dict[tuple[str, int], set[tuple[str, int, str]]] = {}
    rows: Iterable[tuple[str, int, str, int, str]] = objects.select(
        "community_id", "reporting_year", "name", "size", "etag"
    ).iter_rows()
    for community_id, year, name, size, etag in rows:
        grouped.setdefault((community_id, year), set()).add((name, size, etag))
    return {place: frozenset(files) for place, files in grouped.items()}
