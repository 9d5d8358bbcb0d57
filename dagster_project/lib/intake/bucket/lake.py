"""The lake: raw bytes by content, and each partition's rows as Parquet.

Belongs here: keys, writing a partition so that readers see it whole, reading all partitions into one table.
Does not: checks, or what the tables mean; the ledger of object versions (ledger.py).
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import IO

import polars as pl

from dagster_project.lib.base.state import whole
from dagster_project.lib.base.store import Store
from dagster_project.lib.base.successions import CommunityIds
from dagster_project.lib.intake.tables import TABLES

WORKERS = 8
FORGOTTEN_KEY = "ops/forgotten.json"
YEAR = re.compile(r"/reporting_year=(\d{4})/")


def raw_key(sha256: str) -> str:
    """Where the bytes of that content lie."""
    return f"raw/{sha256[:2]}/{sha256}"


def forget_bytes(lake: Store, hashes: Iterable[str]) -> None:
    """Delete the bytes of these contents for good. Which they were stays noted: they are not missed afterwards."""
    gone = sorted(set(hashes))
    known = forgotten_bytes(lake)
    if not known.issuperset(gone):
        lake.put(FORGOTTEN_KEY, (json.dumps(sorted(known.union(gone)), indent=1) + "\n").encode())
    lake.delete(raw_key(sha256) for sha256 in gone)


def forgotten_bytes(lake: Store) -> frozenset[str]:
    """Hashes of the contents that were forgotten; StateError where the list of them is damaged."""
    data = lake.get_or_none(FORGOTTEN_KEY) or b"[]"
    with whole(f"{lake.url}/{FORGOTTEN_KEY}", "delete it: reconcile then names forgotten bytes as missing ones"):
        return frozenset(str(sha256) for sha256 in json.loads(data))


def partition_key(table: str, community_id: str, reporting_year: int) -> str:
    """Where a partition's rows of one table lie."""
    return f"intake/{table}/community_id={community_id}/reporting_year={reporting_year}/part.parquet"


def write_partition(lake: Store, community_id: str, reporting_year: int, tables: Mapping[str, pl.DataFrame]) -> None:
    """Replace one partition. Tables without rows are removed, `files` is written last."""
    keys = {table: partition_key(table, community_id, reporting_year) for table in TABLES}
    for table, key in keys.items():
        frame = tables.get(table)
        if frame is None or not frame.height:
            lake.delete([key])
            continue
        buffer = io.BytesIO()
        frame.select(list(TABLES[table])).write_parquet(buffer, compression="lz4", statistics=False)
        lake.put(key, buffer.getvalue())


def remove_partition(lake: Store, community_id: str, reporting_year: int) -> None:
    """Remove one partition, `files` first, so that half a partition is never read."""
    lake.delete(partition_key(table, community_id, reporting_year) for table in reversed(TABLES))


def move_partitions(lake: Store, names: CommunityIds) -> None:
    """Rows of communities that were renamed since they were written, under the id of now; moved once and then there.

    One that lies under both ids is moved again: a run died between writing and removing.
    """
    for former, now in names.now.items():
        years = {int(found[1]) for table in TABLES for found in _years_of(lake, table, former)}
        for year in sorted(years):
            blobs = {table: lake.get_or_none(partition_key(table, former, year)) for table in TABLES}
            tables = {
                table: names.read(pl.read_parquet(io.BytesIO(blob), schema=TABLES[table], missing_columns="insert"))
                for table, blob in blobs.items()
                if blob is not None
            }
            write_partition(lake, now, year, tables)
            remove_partition(lake, former, year)


def _years_of(lake: Store, table: str, community_id: str) -> Iterable[re.Match[str]]:
    place = f"intake/{table}/community_id={community_id}"
    return (found for info in lake.objects(place) if (found := YEAR.search(info.key)))


def read_partitions(lake: Store, table: str, partitions: Iterable[tuple[str, int]]) -> pl.DataFrame:
    """All rows of one table of the given partitions, in the partitions' order."""
    keys = [partition_key(table, community_id, year) for community_id, year in partitions]
    with ThreadPoolExecutor(WORKERS) as pool:
        blobs = list(pool.map(lake.get_or_none, keys))
    files: list[IO[bytes]] = [io.BytesIO(blob) for blob in blobs if blob is not None]
    schema = TABLES[table]
    if not files:
        return pl.DataFrame(schema=schema)
    # One call for all: a call for each costs more than what lies in it. Partitions written before a column was added
    # stand beside those written since.
    return pl.read_parquet(files, schema=schema, missing_columns="insert").select(list(schema)).rechunk()
