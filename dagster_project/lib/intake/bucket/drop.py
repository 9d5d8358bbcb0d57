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
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from dagster_project.lib.base.folder_tree import Tree, look
from dagster_project.lib.base.names import NETWORK_FOLDER
from dagster_project.lib.base.store import DeniedError, OddKeyError, Store, StoreError
from dagster_project.lib.base.successions import COMMUNITY_SUCCESSIONS, NO_RENAMES, CommunityIds

YEAR = re.compile(r"\d{4}", re.ASCII)
ALLOWED_PLACE = "{community_id}/{reporting_year}/{file}"
LINK_RULE = "link_not_followed"
ODD_RULE = "odd_name"
CLOSED_RULE = "folder_not_read"
UNREAD_RULE = "file_not_read"
WRITTEN_RULE = "still_written"
SUBFOLDER_RULE = "subfolder_not_read"
SPECIAL_RULE = "unsupported_file"
BOTH_NAMES_RULE = "folder_of_two_names"


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
    others: tuple[tuple[str, str], ...] = ()
    """What else lies beside the files and cannot be taken, as (rule, name): told, and no part of the id either."""
    former_id: str | None = None
    """The id that the community had when the folder got its name; the submission's id is made of it."""

    @property
    def links_tag(self) -> str | None:
        """What tells this set of links and other things beside the files from another; None without any."""
        beside = [*self.links, *("/".join(other) for other in self.others)]
        return "links-" + hashlib.sha256("\n".join(beside).encode()).hexdigest()[:16] if beside else None

    @property
    def listed_tag(self) -> str:
        """What tells this folder, as listed, from every other state of it."""
        seen = [[file.name, str(file.size), file.etag] for file in self.files]
        return hashlib.sha256(json.dumps([seen, self.links_tag]).encode()).hexdigest()[:16]

    @property
    def partition(self) -> tuple[str, int]:
        """The folder's place among all: community and reporting year."""
        return self.community_id, self.reporting_year

    def id_of(self, files: Iterable[tuple[str, str]]) -> str:
        """The id of the submission that these files (name, sha256 hex) are in this folder."""
        return submission_id(self.former_id or self.community_id, self.reporting_year, files)


@dataclass(frozen=True)
class Stray:
    """Something in the bucket that belongs to no submission: a rule of the catalogue and what was found."""

    rule_id: str
    found: str
    allowed: str | None = None


@dataclass(frozen=True, order=True)
class Left:
    """Why a folder was left as it stood before, or what keeps it from being one: a rule of the catalogue at a file."""

    community_id: str
    reporting_year: int
    rule_id: str
    source_file: str | None
    found: str
    tag: str = ""
    """The folder's `listed_tag` where it could be listed: what was left and did not change since waits for nobody."""

    @property
    def partition(self) -> tuple[str, int]:
        """The folder's place among all: community and reporting year."""
        return self.community_id, self.reporting_year


@dataclass(frozen=True)
class Listing:
    """The bucket at one moment. `unlisted` are partitions that could not be listed: nothing is known of them now.

    `left` says of these why, as far as a year can be named, and of folders without a single file what lies in them.
    """

    folders: tuple[Folder, ...]
    strays: tuple[Stray, ...]
    unlisted: frozenset[tuple[str, int]] = frozenset()
    left: tuple[Left, ...] = ()


def dropped_name(name: str) -> str:
    """The file of the folder that holds a file of this name: the archive of `a.zip/b.csv`, else the file itself."""
    return name.partition("/")[0]


def submission_id(community_id: str, reporting_year: int, files: Iterable[tuple[str, str]]) -> str:
    """First 16 hex digits of sha256 over `[community_id,reporting_year,[[name,sha256hex],...]]` (DESIGN 3.2).

    `files` are (name, sha256 hex); the JSON is UTF-8 without spaces, files sorted by the name's UTF-8 bytes.
    """
    ordered = sorted(([name, digest] for name, digest in files), key=lambda pair: pair[0].encode())
    text = json.dumps([community_id, reporting_year, ordered], separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def open_drop(url: str, endpoint: str | None = None, create: bool = False) -> Store:
    """The drop bucket, or a folder taken as if it lay there: a link in it could point anywhere and is not followed.

    StoreError for a folder that is not there: misspelt is not empty. Only intake's own default is made (`create`), with
    the rights that the user's umask gives: members write into it.
    """
    return Store(url, endpoint, follow_links=False, create=create, mode=None)


def list_drop(
    drop: Store, communities: Iterable[str], reporting_years: range, names: CommunityIds = NO_RENAMES
) -> Listing:
    """List the whole bucket, one community at a time: what cannot be listed or kept costs itself alone.

    Folders under a community's former `names` are its folders of now. Of a year that has folders of several names the
    newest name's is taken, and the others are told. Names that cannot be kept cost their file, folders that cannot be
    looked into are `unlisted`: they are told, and
    what was taken from them before stands. StoreError where the bucket itself cannot be listed.
    """
    known = {*communities, NETWORK_FOLDER, *names.now}
    found = _Found(reporting_years)
    for name in _top(drop, known, found):
        if name in known:
            found.add(name, _tree(drop, name, found))
        else:
            found.strays[Stray("unknown_community", name)] = None
    folders = _under_names_of_now(found, names) if names else found.folders
    folders = sorted(folders, key=lambda folder: folder.partition)
    return Listing(tuple(folders), tuple(found.strays), frozenset(found.unlisted), tuple(sorted(set(found.left))))


def _under_names_of_now(found: _Found, names: CommunityIds) -> list[Folder]:
    """Folders under their communities' ids of now; what could not be looked into likewise."""
    found.unlisted = {(names.of(community), year) for community, year in found.unlisted}
    found.left = [replace(left, community_id=names.of(left.community_id)) for left in found.left]
    by_place: dict[tuple[str, int], list[Folder]] = defaultdict(list)
    for folder in found.folders:
        by_place[names.of(folder.community_id), folder.reporting_year].append(folder)
    taken = []
    for (now, year), same in by_place.items():
        newest = min(same, key=lambda folder: names.age_of(folder.community_id))
        former = newest.community_id if newest.community_id != now else None
        taken.append(replace(newest, community_id=now, former_id=former))
        for other in same:
            if other is not newest:
                place = f"{other.community_id}/{year}"
                where = f"{COMMUNITY_SUCCESSIONS}.csv, line {names.lines[other.community_id]}"
                rest = f"the files of {year} in one folder, {now}/{year} (seeds/{where})"
                found.strays[Stray(BOTH_NAMES_RULE, f"{place} and {newest.community_id}/{year}", rest)] = None
    return taken


def _top(drop: Store, known: set[str], found: _Found) -> list[str]:
    """Names of the folders at the top; the known ones where the top of an S3 bucket cannot be listed."""
    if drop.folder is None:
        try:
            tree = Tree(files=drop.files(), folders=drop.folders())
        except OddKeyError as error:
            found.strays[Stray("odd_key", error.found)] = None
            return sorted(known)
    else:
        try:
            tree = look(drop.folder, deep=False)
        except OSError as error:
            raise StoreError(f"cannot list {drop.url}: {error.strerror}") from error
    found.strays |= dict.fromkeys(Stray(LINK_RULE, key) for key in tree.links)
    found.strays |= dict.fromkeys(Stray(CLOSED_RULE, f"{key} ({reason})") for key, reason in tree.closed)
    lost = [*(info.key for info in tree.files), *tree.odd, *tree.special]
    found.strays |= dict.fromkeys(Stray("stray_file", key, ALLOWED_PLACE) for key in lost)
    return tree.folders


def _tree(drop: Store, community_id: str, found: _Found) -> Tree:
    """All that lies in a community's folder. One odd key of S3 spoils one year's listing, and one refusal its own."""
    if drop.folder is not None:
        return look(drop.folder, community_id)
    try:
        return Tree(files=drop.objects(community_id))
    except DeniedError as error:
        return Tree(closed=[(community_id, error.reason)])
    except OddKeyError as error:
        found.strays[Stray("odd_key", f"{community_id}: {error.found}")] = None
    tree = Tree()
    for year in found.years:
        try:
            tree.files += drop.objects(f"{community_id}/{year}")
        except DeniedError as error:
            tree.closed.append((f"{community_id}/{year}", error.reason))
        except OddKeyError as error:
            tree.closed.append((f"{community_id}/{year}", error.found))
    return tree


class _Found:
    """What a listing has found so far."""

    def __init__(self, years: range) -> None:
        self.years = years
        self.folders: list[Folder] = []
        self.strays: dict[Stray, None] = {}
        self.unlisted: set[tuple[str, int]] = set()
        self.left: list[Left] = []
        self.subfolders: defaultdict[int, set[str]] = defaultdict(set)
        """Of the community that is looked at: folders within those of its years."""

    def add(self, community_id: str, tree: Tree) -> None:
        """One community's folder, cut into its years."""
        self.subfolders = defaultdict(set)
        self._add_closed(community_id, tree)
        files = self._files_by_year(community_id, tree)
        links = self._links_by_year(tree.links, files)
        others = self._others_by_year(tree)
        for year, names in self.subfolders.items():
            others[year] += [(SUBFOLDER_RULE, name) for name in sorted(names)]
        for year in sorted(files.keys() | others.keys()):
            if (community_id, year) in self.unlisted:
                continue
            ordered = tuple(sorted(files.get(year, ()), key=lambda file: file.name.encode()))
            beside = tuple(sorted(others.get(year, ())))
            folder = Folder(community_id, year, ordered, links.get(year, ()), beside)
            if ordered:
                self.folders.append(folder)
            else:
                tag = folder.listed_tag
                self.left += [Left(community_id, year, rule, name, name, tag) for rule, name in beside]

    def _year_of(self, parts: list[str]) -> int | None:
        year = int(parts[1]) if len(parts) > 1 and YEAR.fullmatch(parts[1]) else None
        return year if year in self.years else None

    def _add_closed(self, community_id: str, tree: Tree) -> None:
        for key, reason in tree.closed:
            parts = key.split("/")
            year = self._year_of(parts)
            if year is not None and len(parts) <= 3:
                self.unlisted.add((community_id, year))
                file = parts[2] if len(parts) == 3 else None
                self.left.append(Left(community_id, year, UNREAD_RULE if file else CLOSED_RULE, file, reason))
                continue
            self.strays[Stray(CLOSED_RULE, f"{key} ({reason})")] = None
            if len(parts) == 1:
                self.unlisted.update((community_id, year) for year in self.years)

    def _files_by_year(self, community_id: str, tree: Tree) -> dict[int, list[DroppedFile]]:
        by_year: dict[int, list[DroppedFile]] = defaultdict(list)
        allowed = f"a reporting year from {self.years.start} to {self.years.stop - 1}"
        for info in tree.files:
            parts = info.key.split("/")
            if not info.size and (len(parts) == 1 or (len(parts) == 2 and YEAR.fullmatch(parts[1]))):
                continue  # S3 consoles mark an empty folder by an object without bytes.
            year = self._year_of(parts)
            if len(parts) < 3:
                self.strays[Stray("stray_file", info.key, ALLOWED_PLACE)] = None
            elif year is None:
                self.strays[Stray("unknown_year", f"{community_id}/{parts[1]}", allowed)] = None
            elif len(parts) > 3 and told_to_member(parts[2]):
                self.subfolders[year].add(parts[2])
            elif len(parts) > 3:
                self.strays[Stray("stray_file", info.key, ALLOWED_PLACE)] = None
            else:
                by_year[year].append(DroppedFile(parts[2], info.key, info.size, info.etag))
        return by_year

    def _others_by_year(self, tree: Tree) -> dict[int, list[tuple[str, str]]]:
        """Names that cannot be kept, pipes and the like, by the year of their folder; all others are strays."""
        by_year: dict[int, list[tuple[str, str]]] = defaultdict(list)
        for rule, keys in ((ODD_RULE, tree.odd), (SPECIAL_RULE, tree.special)):
            for key in keys:
                parts = key.split("/")
                year = self._year_of(parts)
                if year is not None and len(parts) == 3:
                    by_year[year].append((rule, parts[2]))
                else:
                    self.strays[Stray("stray_file", key, ALLOWED_PLACE)] = None
        return by_year

    def _links_by_year(self, links: list[str], years: Iterable[int]) -> dict[int, tuple[str, ...]]:
        """Links that lie beside the files of a yearly folder; all others, and those beside no file, are strays."""
        beside: dict[int, list[str]] = defaultdict(list)
        for key in links:
            parts = key.split("/")
            year = self._year_of(parts)
            if year is not None and len(parts) == 3 and year in set(years):
                beside[year].append(parts[2])
            else:
                self.strays[Stray(LINK_RULE, key)] = None
        return {year: tuple(sorted(names, key=str.encode)) for year, names in beside.items()}


def told_to_member(folder: str) -> bool:
    """Whether a folder within a year's folder is the member's own doing; programs leave some that nobody put there."""
    return not folder.startswith((".", "__MACOSX"))


def still_written(drop: Store, folders: Iterable[Folder], seconds: float) -> tuple[list[Left], float]:
    """Files of a local folder that changed within the last `seconds`, and how long until the last of them is settled.

    A copy by hand shows half files. Objects of S3 appear whole, so an S3 bucket is always settled. A time in the future
    comes from a clock that is wrong and says nothing.
    """
    if drop.folder is None or seconds <= 0:
        return [], 0.0
    now, left, longest = time.time(), [], 0.0
    for folder in folders:
        for file in folder.files:
            moment = modified_at(drop.folder / file.key)
            if moment is not None and 0 <= now - moment < seconds:
                left.append(left_for(folder, WRITTEN_RULE, file.name, file.name))
                longest = max(longest, seconds - (now - moment))
    return left, longest


def left_for(folder: Folder, rule_id: str, name: str, found: str) -> Left:
    """The folder left as it stood before, because of one of its files."""
    return Left(*folder.partition, rule_id, name, found, folder.listed_tag)


def modified_at(path: Path) -> float | None:
    """When a file was last modified, in seconds since the epoch; None if it is gone or cannot be looked at."""
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
