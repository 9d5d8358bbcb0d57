"""Folders that are listed as another version and hold the very bytes that the ledger has seen.

Belongs here: telling by content what tags cannot tell, and the ledger's lines that say so.
Does not: which folders are looked at (plan.py), or what a folder whose bytes differ becomes (take_in.py).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import polars as pl

from dagster_project.lib.base.store import DeniedError, Store
from dagster_project.lib.intake.bucket.drop import DroppedFile, Folder
from dagster_project.lib.intake.bucket.ledger import current_objects, current_submissions

WORKERS = 8
Place = tuple[str, int]


def same_content(
    drop: Store, folders: Sequence[Folder], events: pl.DataFrame, version: str, again: bool, damaged: frozenset[Place]
) -> tuple[frozenset[Place], pl.DataFrame]:
    """Of the folders to take, those whose files are what they were to the last byte, and `object` events with new tags.

    Only folders are read that have the same names, sizes and links as before and were taken under the same rules. No
    state is made of them. Folders that were asked for `again`, or whose rows are `damaged`, are never among them.
    """
    objects = current_objects(events)
    if again or not folders or objects.is_empty():
        return frozenset(), objects.clear()
    stood = current_submissions(events).select("community_id", "reporting_year", "intake_version", "etag")
    rules = {(community, year): (rule, tag) for community, year, rule, tag in stood.iter_rows()}
    by_place = {
        (str(community), int(year)): own
        for (community, year), own in objects.partition_by("community_id", "reporting_year", as_dict=True).items()
    }
    alike = [
        folder
        for folder in folders
        if folder.partition not in damaged
        and rules.get(folder.partition) == (version, folder.links_tag)
        and folder.partition in by_place
        and sorted((file.name, file.size) for file in folder.files)
        == sorted(by_place[folder.partition].select("name", "size").iter_rows())
    ]
    with ThreadPoolExecutor(WORKERS) as pool:
        verdicts = list(pool.map(lambda folder: _is_same(drop, folder, by_place[folder.partition]), alike))
    same = [folder for folder, is_same in zip(alike, verdicts, strict=True) if is_same]
    if not same:
        return frozenset(), objects.clear()
    tags = pl.DataFrame(
        list(_tags(same)), schema=["community_id", "reporting_year", "name", "etag"], orient="row"
    ).cast({"reporting_year": pl.Int32()})
    seen = objects.drop("etag").join(tags, on=["community_id", "reporting_year", "name"], how="inner")
    return frozenset(folder.partition for folder in same), seen.select(objects.columns)


def _tags(folders: Sequence[Folder]) -> Iterator[tuple[str, int, str, str]]:
    for folder in folders:
        yield from ((*folder.partition, file.name, file.etag) for file in folder.files)


def _is_same(drop: Store, folder: Folder, stood: pl.DataFrame) -> bool:
    known = {name: (etag, sha) for name, etag, sha in stood.select("name", "etag", "sha256").iter_rows()}
    return all(known[file.name][0] == file.etag or _sha256(drop, file) == known[file.name][1] for file in folder.files)


def _sha256(drop: Store, file: DroppedFile) -> str | None:
    """The hash of a file as it was listed; None where it is gone, cannot be read, or is another version by now."""
    digest = hashlib.sha256()
    try:
        for piece in drop.stream(file.key):
            digest.update(piece)
        if drop.folder is not None and drop.tag(file.key) != file.etag:
            return None
    except (FileNotFoundError, DeniedError):
        return None  # The intake itself meets it next, and tells.
    return digest.hexdigest()
