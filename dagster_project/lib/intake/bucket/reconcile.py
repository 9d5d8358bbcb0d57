"""Proof that bucket, ledger and lake agree: nothing lost, nothing counted twice.

Belongs here: every comparison of what lies in the bucket, what the ledger says of it, and what the lake holds.
Does not: mending anything (the next `cradle run` does), figures, or the words of the command line (cli/bucket.py).
"""

from __future__ import annotations

import datetime as dt
import hashlib
import io
import re
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import polars as pl

from dagster_project.lib.base.reference import Reference
from dagster_project.lib.base.state import StateError, whole
from dagster_project.lib.base.store import Store
from dagster_project.lib.base.successions import CommunityIds
from dagster_project.lib.intake.bucket.drop import DroppedFile, Listing, dropped_name, list_drop, submission_id
from dagster_project.lib.intake.bucket.lake import forgotten_bytes, partition_key, raw_key
from dagster_project.lib.intake.bucket.ledger import Ledger, current_objects, current_submissions
from dagster_project.lib.intake.bucket.whole import lost_rows
from dagster_project.lib.intake.tables import TABLES

WORKERS = 8
REFUSED = "refused"
PARTITION = re.compile(r"intake/(?P<table>[^/]+)/community_id=(?P<community>[^/]+)/reporting_year=(?P<year>\d{4})/")

OF_ROWS = {"submission_id": pl.String(), "source_file": pl.String(), "row_status": pl.String()}
COMPARED = {
    "files": ("submission_id", "name", "sha256", "rows_accepted", "rows_rejected"),
    "observations": tuple(OF_ROWS),
    "register_rows": tuple(OF_ROWS),
}

Place = tuple[str, int]
File = tuple[str, int, str]


@dataclass(frozen=True, order=True)
class Difference:
    """One disagreement: between which two, of what (`{community}/{year}/{file}` or a key of the lake), and in words."""

    between: str
    subject: str
    what: str


@dataclass(frozen=True)
class _Seen:
    """What the ledger says stands: files with hash, size, tag and kind; folders with their submission id."""

    files: Mapping[File, Mapping[str, object]]
    folders: Mapping[Place, str]
    ever: Mapping[str, str]


def reconcile(drop: Store, lake: Store, reference: Reference, today: dt.date) -> list[Difference]:
    """Every difference between bucket, ledger and lake, sorted; none means that they agree to the last byte.

    Reads all of the bucket and of the lake's raw bytes. Places that cannot be listed are differences themselves. A run
    that is at work, or a file that arrived after the last one, shows as a difference until the next run.
    """
    communities = reference.communities["community_id"].to_list()
    listing = list_drop(drop, communities, reference.reporting_years(today), reference.names)
    seen = _seen(Ledger(lake, reference.names).events())
    listed = {(*folder.partition, file.name): file for folder in listing.folders for file in folder.files}
    found = [
        *_unlisted(listing),
        *_bucket_and_ledger(drop, listed, seen, listing),
        *_raw_bytes(lake, seen),
        *_ledger_and_lake(lake, seen, reference.names),
        *_lake_and_bucket(lake, seen, listing),
    ]
    return sorted(set(found))


def _seen(events: pl.DataFrame) -> _Seen:
    files = {
        (row["community_id"], row["reporting_year"], row["name"]): row
        for row in current_objects(events).iter_rows(named=True)
    }
    folders = {
        (community, year): submission
        for community, year, submission in current_submissions(events)
        .select("community_id", "reporting_year", "submission_id")
        .iter_rows()
    }
    objects = events.filter(pl.col("event") == "object").select("sha256", "kind")
    # Bytes that were refused once are kept nowhere, unless other rules took the same bytes at another time.
    ever: dict[str, str] = {}
    for sha, kind in objects.iter_rows():
        ever[sha] = REFUSED if kind == REFUSED and ever.get(sha, REFUSED) == REFUSED else "kept"
    return _Seen(files, folders, ever)


def _unlisted(listing: Listing) -> Iterable[Difference]:
    for community, year in listing.unlisted:
        yield Difference("bucket and ledger", f"{community}/{year}", "the folder cannot be looked into")


def _bucket_and_ledger(
    drop: Store, listed: Mapping[File, DroppedFile], seen: _Seen, listing: Listing
) -> Iterable[Difference]:
    pair = "bucket and ledger"
    for file in sorted(set(listed) - set(seen.files)):
        yield Difference(pair, _name(file), "lies in the bucket and the ledger has not seen it")
    for file in sorted(set(seen.files) - set(listed)):
        if file[:2] not in listing.unlisted:
            yield Difference(pair, _name(file), "stands in the ledger and is gone from the bucket")
    both = sorted(set(listed) & set(seen.files))
    with ThreadPoolExecutor(WORKERS) as pool:
        hashes = list(pool.map(lambda file: _hash(drop, listed[file].key), both))
    for file, sha in zip(both, hashes, strict=True):
        stands = seen.files[file]
        # The same bytes under another tag are no difference: a bucket that was put back from a backup has such.
        if sha != stands["sha256"]:
            yield Difference(pair, _name(file), "another version lies in the bucket than the ledger has seen")
            yield Difference(pair, _name(file), "the bytes in the bucket do not hash to what the ledger says")


def _raw_bytes(lake: Store, seen: _Seen) -> Iterable[Difference]:
    """Bytes of everything ever seen lie under their hash, those refused as person-level and forgotten ones nowhere.

    Bytes that no event speaks of are no difference: a run that died after keeping them leaves such, and they are whole.
    """
    pair = "ledger and lake"
    keys = [info.key for info in lake.objects("raw")]
    with ThreadPoolExecutor(WORKERS) as pool:
        hashes = list(pool.map(lambda key: _hash(lake, key), keys))
    for key, sha in zip(keys, hashes, strict=True):
        if sha is None or key != raw_key(sha):
            yield Difference("lake and itself", key, "the bytes do not hash to their key")
    held = {key.rsplit("/", 1)[-1] for key in keys}
    counting = {str(row["sha256"]) for row in seen.files.values() if row["kind"] != REFUSED}
    forgotten = forgotten_bytes(lake) - counting
    for sha, kind in sorted(seen.ever.items()):
        if kind == REFUSED and sha in held:
            yield Difference(pair, raw_key(sha), "bytes refused as person-level are kept")
        if kind != REFUSED and sha not in held and sha not in forgotten:
            what = "bytes that the ledger has seen are not kept"
            where = sorted(
                {f"--community {file[0]} --years {file[1]}" for file, row in seen.files.items() if row["sha256"] == sha}
            )
            mend = f"; `cradle run {where[0]}` keeps them again" if where else ""
            yield Difference(pair, raw_key(sha), f"{what}{mend}")


def _ledger_and_lake(lake: Store, seen: _Seen, names: CommunityIds) -> Iterable[Difference]:
    """Each folder that stands has its partition, of the same submission and the same files."""
    pair = "ledger and lake"
    places = sorted({file[:2] for file in seen.files} | set(seen.folders))
    own: dict[Place, list[tuple[str, str]]] = {place: [] for place in places}
    for file, row in seen.files.items():
        own[file[:2]].append((file[2], str(row["sha256"])))
    with ThreadPoolExecutor(WORKERS) as pool:
        tables = list(pool.map(lambda place: _partition_or_damage(lake, place), places))
    for place, held in zip(places, tables, strict=True):
        subject = f"{place[0]}/{place[1]}"
        if isinstance(held, StateError):
            yield Difference(pair, subject, str(held))
            continue
        expected = {submission_id(name, place[1], own[place]) for name in names.all_of(place[0])}
        if seen.folders.get(place) not in expected:
            yield Difference(pair, subject, "the submission in the ledger is not that of its files")
        files = held.get("files")
        if files is None:
            yield Difference(pair, subject, "the folder has no partition in the lake")
            continue
        listed = {(dropped_name(name), sha) for name, sha in files.select("name", "sha256").iter_rows()}
        if sorted(listed) != sorted(own[place]):
            yield Difference(pair, subject, "the partition lists other files than the ledger")
        yield from (Difference(pair, subject, what) for what in _rows(held))
        for table, frame in held.items():
            if set(frame["submission_id"].unique()) - expected:
                yield Difference(pair, subject, f"rows of {table} belong to another submission")


def _lake_and_bucket(lake: Store, seen: _Seen, listing: Listing) -> Iterable[Difference]:
    """No partition without a folder, whatever the ledger says."""
    standing = {folder.partition for folder in listing.folders} | listing.unlisted
    for info in lake.objects("intake"):
        match = PARTITION.match(info.key)
        place = (match["community"], int(match["year"])) if match else None
        if place is None or match is None or match["table"] not in TABLES:
            yield Difference("lake and itself", info.key, "no partition has such a key")
        elif place not in standing:
            yield Difference("lake and bucket", info.key, "the partition has no folder in the bucket")
        elif place not in seen.folders:
            yield Difference("ledger and lake", info.key, "the partition has no submission in the ledger")


def _rows(held: Mapping[str, pl.DataFrame]) -> Iterable[str]:
    """What the rows of one partition say against the counts of its files."""
    columns = {"community_id": pl.String(), "reporting_year": pl.Int32(), **OF_ROWS}
    tables = {name: held.get(name, pl.DataFrame(schema=columns)) for name in ("observations", "register_rows")}
    for *_, file, accepted, rejected, has_accepted, has_rejected in lost_rows({**held, **tables}).iter_rows():
        had = f"{accepted:,} accepted and {rejected:,} refused rows were counted"
        yield f"{had} of {file}, the lake holds {has_accepted:,} and {has_rejected:,}"


def _partition_or_damage(lake: Store, place: Place) -> dict[str, pl.DataFrame] | StateError:
    try:
        return _partition(lake, place)
    except StateError as error:
        return error


def _partition(lake: Store, place: Place) -> dict[str, pl.DataFrame]:
    """The tables of one partition that exist, with the columns that are compared; StateError where one is damaged."""
    tables = {}
    for table in TABLES:
        key = partition_key(table, *place)
        data = lake.get_or_none(key)
        if data is not None:
            columns = ["community_id", "reporting_year", *COMPARED.get(table, ("submission_id",))]
            with whole(f"{lake.url}/{key}", f"`cradle run --community {place[0]} --years {place[1]}` writes it anew"):
                tables[table] = pl.read_parquet(io.BytesIO(data), columns=columns)
    return tables


def _hash(store: Store, key: str) -> str | None:
    digest = hashlib.sha256()
    try:
        for piece in store.stream(key):
            digest.update(piece)
    except FileNotFoundError:
        return None
    return digest.hexdigest()


def _name(file: File) -> str:
    return f"{file[0]}/{file[1]}/{file[2]}"
