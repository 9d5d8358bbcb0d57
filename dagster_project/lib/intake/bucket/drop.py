"""The drop bucket as it stands: folders, files, and what lies where it should not.

Belongs here: listing communities' yearly folders and telling strays; the identity of a submission.
Does not: what was seen before (ledger.py), reading or judging files.
"""

from __future__ import annotations

import hashlib
import json
import re
import time
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from dagster_project.lib.base.names import NETWORK_FOLDER
from dagster_project.lib.base.store import ObjectInfo, OddKeyError, Store

YEAR = re.compile(r"\d{4}")
ALLOWED_PLACE = "{community_id}/{reporting_year}/{file}"
LINK_RULE = "link_not_followed"


@dataclass(frozen=True)
class DroppedFile:
    """One file of a folder as listed."""

    name: str
    key: str
    size: int
    etag: str


@dataclass(frozen=True)
class Folder:
    """One community's folder of one reporting year, its files sorted by the UTF-8 bytes of their names."""

    community_id: str
    reporting_year: int
    files: tuple[DroppedFile, ...]
    links: tuple[str, ...] = ()
    """Names of links beside the files. They are told and never followed, and are no part of the submission's id."""

    @property
    def links_tag(self) -> str | None:
        """What tells this set of links from another; None without links."""
        return "links-" + hashlib.sha256("\n".join(self.links).encode()).hexdigest()[:16] if self.links else None

    @property
    def partition(self) -> tuple[str, int]:
        """The folder's place among all: community and reporting year."""
        return self.community_id, self.reporting_year


@dataclass(frozen=True)
class Stray:
    """Something in the bucket that belongs to no submission: a rule of the catalogue and what was found."""

    rule_id: str
    found: str
    allowed: str | None = None


@dataclass(frozen=True)
class Listing:
    """The bucket at one moment. `unlisted` are partitions that could not be listed: nothing is known of them now."""

    folders: tuple[Folder, ...]
    strays: tuple[Stray, ...]
    unlisted: frozenset[tuple[str, int]] = frozenset()


def submission_id(community_id: str, reporting_year: int, files: Iterable[tuple[str, str]]) -> str:
    """First 16 hex digits of sha256 over `[community_id,reporting_year,[[name,sha256hex],...]]` (DESIGN 3.2).

    `files` are (name, sha256 hex); the JSON is UTF-8 without spaces, files sorted by the name's UTF-8 bytes.
    """
    ordered = sorted(([name, digest] for name, digest in files), key=lambda pair: pair[0].encode())
    text = json.dumps([community_id, reporting_year, ordered], separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def open_drop(url: str, endpoint: str | None = None) -> Store:
    """The drop bucket, or a folder taken as if it lay there: a link in it could point anywhere and is not followed."""
    return Store(url, endpoint, follow_links=False)


def list_drop(drop: Store, communities: Iterable[str], reporting_years: range) -> Listing:
    """List the whole bucket, one community at a time, so that one odd key spoils one year's listing only.

    Where a community's listing fails its years are listed one by one; those that fail again are `unlisted`: they are
    told, and what was taken from them before stands.
    """
    known = set(communities) | {NETWORK_FOLDER}
    folders: list[Folder] = []
    unlisted: set[tuple[str, int]] = set()
    names, strays = _top(drop, known)
    for name in names:
        if name not in known:
            strays.append(Stray("unknown_community", name))
            continue
        try:
            objects = drop.objects(name)
        except OddKeyError as error:
            strays.append(Stray("odd_key", f"{name}: {error.found}"))
            objects, failed = _by_year(drop, name, reporting_years)
            unlisted.update((name, year) for year in failed)
        found, lost = _yearly(name, objects, drop.links(name), reporting_years)
        folders += found
        strays += lost
    ordered = tuple(sorted(folders, key=lambda folder: folder.partition))
    return Listing(ordered, tuple(strays), frozenset(unlisted))


def _top(drop: Store, known: set[str]) -> tuple[list[str], list[Stray]]:
    """Names of the folders at the top, and what else lies there; the known ones where the top cannot be listed."""
    try:
        links = [Stray(LINK_RULE, key) for key in drop.links(deep=False)]
        return drop.folders(), links + [Stray("stray_file", info.key, ALLOWED_PLACE) for info in drop.files()]
    except OddKeyError as error:
        return sorted(known), [Stray("odd_key", error.found)]


def _by_year(drop: Store, community_id: str, years: range) -> tuple[list[ObjectInfo], list[int]]:
    """Objects of a community's yearly folders, and the years that cannot be listed."""
    objects: list[ObjectInfo] = []
    failed = []
    for year in years:
        try:
            objects += drop.objects(f"{community_id}/{year}")
        except OddKeyError:
            failed.append(year)  # The community's own failure is told already, with the key that caused it.
    return objects, failed


def _yearly(
    community_id: str, objects: list[ObjectInfo], links: list[str], years: range
) -> tuple[list[Folder], list[Stray]]:
    by_year: dict[int, list[DroppedFile]] = defaultdict(list)
    strays: dict[Stray, None] = {}
    allowed = f"a reporting year from {years.start} to {years.stop - 1}"
    for info in objects:
        parts = info.key.split("/")
        if not info.size and (len(parts) == 1 or (len(parts) == 2 and YEAR.fullmatch(parts[1]))):
            continue  # S3 consoles mark an empty folder by an object without bytes.
        if len(parts) < 3:
            strays[Stray("stray_file", info.key, ALLOWED_PLACE)] = None
        elif not YEAR.fullmatch(parts[1]) or int(parts[1]) not in years:
            strays[Stray("unknown_year", f"{community_id}/{parts[1]}", allowed)] = None
        elif len(parts) > 3:
            strays[Stray("stray_file", info.key, ALLOWED_PLACE)] = None
        else:
            by_year[int(parts[1])].append(DroppedFile(parts[2], info.key, info.size, info.etag))
    links_of, lost_links = _links_by_year(links, by_year)
    folders = [
        Folder(community_id, year, tuple(sorted(files, key=lambda file: file.name.encode())), links_of.get(year, ()))
        for year, files in by_year.items()
    ]
    return folders, [*strays, *lost_links]


def _links_by_year(links: list[str], years: Iterable[int]) -> tuple[dict[int, tuple[str, ...]], list[Stray]]:
    """Links that lie beside the files of a yearly folder, by year; all others, and those beside no file, are strays."""
    beside: dict[int, list[str]] = defaultdict(list)
    strays = []
    for key in links:
        parts = key.split("/")
        year = int(parts[1]) if len(parts) == 3 and YEAR.fullmatch(parts[1]) else None
        if year is not None and year in set(years):
            beside[year].append(parts[2])
        else:
            strays.append(Stray(LINK_RULE, key))
    return {year: tuple(sorted(names, key=str.encode)) for year, names in beside.items()}, strays


def settled(drop: Store, listing: Listing, seconds: float) -> bool:
    """Whether no file of a local folder changed within the last `seconds`: a copy by hand shows half files.

    Objects of S3 appear whole, so an S3 bucket is always settled. A time in the future comes from a clock that is
    wrong and says nothing.
    """
    if drop.folder is None or seconds <= 0:
        return True
    now = time.time()
    changed = (modified_at(drop.folder / file.key) for folder in listing.folders for file in folder.files)
    return not any(moment is not None and 0 <= now - moment < seconds for moment in changed)


def modified_at(path: Path) -> float | None:
    """When a file was last modified, in seconds since the epoch; None if it is gone."""
    try:
        return path.stat().st_mtime
    except OSError:
        return None


def stray_findings(strays: Iterable[Stray]) -> pl.DataFrame:
    """Strays as located issues of the network's own list (no community, no year)."""
    lines = [
        {
            "community_id": None,
            "reporting_year": None,
            "submission_id": None,
            "source_file": None,
            "source_sheet": None,
            "source_row": None,
            "source_column": None,
            "rule_id": stray.rule_id,
            "found": stray.found,
            "allowed": stray.allowed,
            "subject": None,
        }
        for stray in strays
    ]
    return pl.DataFrame(lines, schema=LOCATED)


LOCATED = pl.Schema(
    {
        "community_id": pl.String(),
        "reporting_year": pl.Int32(),
        "submission_id": pl.String(),
        "source_file": pl.String(),
        "source_sheet": pl.String(),
        "source_row": pl.Int32(),
        "source_column": pl.String(),
        "rule_id": pl.String(),
        "found": pl.String(),
        "allowed": pl.String(),
        "subject": pl.String(),
    }
)
"""An issue with its place: what `to_findings` takes."""
