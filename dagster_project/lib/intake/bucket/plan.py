"""Which folders a run takes: what changed, what is gone, what was asked for.

Belongs here: comparing the bucket's listing with the ledger, and the selection of communities and years.
Does not: reading files, or remembering anything (ledger.py).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

import polars as pl

from dagster_project.lib.base.successions import NO_RENAMES, CommunityIds
from dagster_project.lib.intake.bucket.drop import CLOSED_RULE, DroppedFile, Folder, Left, Listing
from dagster_project.lib.intake.bucket.ledger import current_objects, current_submissions

MISSING_SHARE, MISSING_AT_LEAST = 0.2, 5
"""More than this share of the folders that stood, and at least so many, missing at once: a fault of the bucket."""
SHOWN = 8


class BucketFaultError(RuntimeError):
    """So much is missing from the bucket that it is taken for a fault of the bucket, not for members taking it back."""


@dataclass(frozen=True)
class Selection:
    """What was asked for: communities and years (None: all), and whether unchanged folders are taken again.

    `accept_withdrawals` goes on where so many folders are missing that the bucket itself seems at fault.
    """

    communities: frozenset[str] | None = None
    years: frozenset[int] | None = None
    again: bool = False
    accept_withdrawals: bool = False

    def holds(self, community_id: str, reporting_year: int) -> bool:
        """Whether the partition was asked for."""
        in_communities = self.communities is None or community_id in self.communities
        return in_communities and (self.years is None or reporting_year in self.years)


class ChoiceError(ValueError):
    """A selection that names what is not there; the message says what."""


def require_known(
    selection: Selection, communities: Collection[str], years: Collection[int], names: CommunityIds = NO_RENAMES
) -> None:
    """ChoiceError where a community is none of these, or all years are outside; a range may reach beyond them.

    An intake with a mistyped name would do nothing and end well.
    """
    for name in sorted((selection.communities or frozenset()) - {*communities}):
        raise ChoiceError(names.not_known(name))
    if selection.years and selection.years.isdisjoint(years):
        raise ChoiceError(f"{min(selection.years)} is not a reporting year; they run from {min(years)} to {max(years)}")


@dataclass(frozen=True)
class Plan:
    """Folders to take, and partitions whose folder is gone."""

    take: tuple[Folder, ...]
    withdrawn: tuple[tuple[str, int], ...]


def make_plan(
    listing: Listing,
    events: pl.DataFrame,
    version: str,
    selection: Selection,
    damaged: frozenset[tuple[str, int]] = frozenset(),
) -> Plan:
    """Folders whose listing or rules differ from what the ledger last saw, within the selection.

    `damaged` are folders whose rows the lake does not hold any more: they are taken again as they are.
    """
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
        or folder.partition in damaged
        or versions.get(folder.partition) != (version, folder.links_tag)
        or _listed(folder.files) != seen.get(folder.partition)
    ]
    standing = {folder.partition for folder in listing.folders}
    # What cannot be listed now is not gone.
    standing |= listing.unlisted
    withdrawn = [place for place in versions if place not in standing and selection.holds(*place)]
    return Plan(tuple(take), tuple(sorted(withdrawn)))


def changed_folders(listing: Listing, events: pl.DataFrame) -> list[Folder]:
    """Folders whose files are not those that the ledger last saw, whatever the rules that read them."""
    seen = _seen(current_objects(events))
    return [folder for folder in listing.folders if _listed(folder.files) != seen.get(folder.partition)]


def refuse_bucket_fault(listing: Listing, plan: Plan, events: pl.DataFrame, selection: Selection) -> None:
    """BucketFaultError where the bucket is empty and folders stood, or too many of those asked for are missing.

    A bucket that is not mounted, or another one by a misspelt address, looks as if everybody had taken everything back.
    """
    if selection.accept_withdrawals or not plan.withdrawn:
        return
    places = current_submissions(events).select("community_id", "reporting_year").iter_rows()
    stood = [place for place in places if selection.holds(*place)]
    missing = len(plan.withdrawn)
    empty = not listing.folders and not listing.unlisted
    if not empty and (missing < MISSING_AT_LEAST or missing <= MISSING_SHARE * len(stood)):
        return
    named = ", ".join(f"{community_id}/{year}" for community_id, year in plan.withdrawn[:SHOWN])
    more = f" and {missing - SHOWN:,} more" if missing > SHOWN else ""
    what = "the drop bucket is empty" if empty else "this looks like a fault of the drop bucket"
    raise BucketFaultError(
        f"{what}: {missing:,} of the {len(stood):,} folders that stood before are missing ({named}{more}); "
        "nothing was changed"
    )


def left_at_listing(listing: Listing, events: pl.DataFrame) -> list[Left]:
    """Folders that stand as they were because they, or their community's folder, could not be looked into; and the
    reasons why other places are no folders at all."""
    named = {left.partition for left in listing.left}
    standing: list[tuple[str, int]] = current_submissions(events).select("community_id", "reporting_year").rows()
    closed = "the community's folder is closed"
    unnamed = sorted(place for place in standing if place in listing.unlisted and place not in named)
    return [*listing.left, *(Left(place[0], place[1], CLOSED_RULE, None, closed) for place in unnamed)]


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
