"""What the lake keeps for the pipeline itself beside rows and ledger: read, looked at, and made anew where it can be.

Belongs here: the small tables of what lies astray, was left or was not delivered; which kept files are damaged.
Does not: rows of folders (intake/bucket/whole.py), the ledger's own form (ledger.py), or releases.
"""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import polars as pl

from dagster_project.lib.base.state import StateError, whole
from dagster_project.lib.base.store import Store
from dagster_project.lib.intake.bucket.left import LEFT
from dagster_project.lib.intake.bucket.whole import DAMAGED_KEY, noted
from dagster_project.lib.intake.findings import FINDINGS
from dagster_project.lib.publish.release.as_built import BUILT_KEY, AsBuilt

STRAYS_KEY = "ops/strays.parquet"
LEFT_KEY = "ops/left.parquet"
UNDELIVERED_KEY = "ops/undelivered.json"
ANEW = "`cradle run` makes it anew"
LEFTOVERS = ("release-*", "public-*", "dbt-*", ".dbt-*.msgpack")
DUCKDB_MARK = slice(8, 12), b"DUCK"


def read_strays(lake: Store) -> pl.DataFrame:
    """Findings of the bucket itself, as the last intake saw them; StateError for a damaged table."""
    data = lake.get(STRAYS_KEY)
    with whole(f"{lake.url}/{STRAYS_KEY}", ANEW):
        return pl.read_parquet(io.BytesIO(data)).select(list(FINDINGS)).cast(FINDINGS)


def read_left(lake: Store) -> pl.DataFrame:
    """Folders that the last intakes left as they stood, and why (LEFT); StateError for a damaged table."""
    data = lake.get_or_none(LEFT_KEY)
    if data is None:
        return pl.DataFrame(schema=LEFT)
    with whole(f"{lake.url}/{LEFT_KEY}", ANEW):
        return pl.read_parquet(io.BytesIO(data)).select(list(LEFT)).cast(LEFT)


def read_undelivered(lake: Store) -> dict[tuple[str, int], str]:
    """Folders whose receipts the outbox refused when they were last written, and why; StateError where damaged."""
    data = lake.get_or_none(UNDELIVERED_KEY) or b"[]"
    with whole(f"{lake.url}/{UNDELIVERED_KEY}", ANEW):
        return {(community_id, year): reason for community_id, year, reason in json.loads(data)}


def _strays_if_any(lake: Store) -> object:
    return read_strays(lake) if lake.size(STRAYS_KEY) is not None else None


REBUILT: dict[str, Callable[[Store], object]] = {
    STRAYS_KEY: _strays_if_any,
    LEFT_KEY: read_left,
    UNDELIVERED_KEY: read_undelivered,
    BUILT_KEY: lambda lake: AsBuilt(lake).read(),
    DAMAGED_KEY: noted,
}
"""Kept files that the next run makes anew, and how each is read."""


def state_faults(lake: Store) -> dict[str, str]:
    """What is wrong with the kept files that can be made anew, by key."""
    found = {}
    for key, read in REBUILT.items():
        try:
            read(lake)
        except StateError as error:
            found[key] = str(error)
    return found


def mend(lake: Store, warehouse: Path) -> list[str]:
    """Remove damaged files that the run at hand makes anew, and say which. Only the holder of the home's lock calls it.

    Which receipts were not delivered is found by writing all that differ: what stands is built again.
    """
    said = []
    for key in state_faults(lake):
        lake.delete([key])
        if key == UNDELIVERED_KEY:
            AsBuilt(lake).forget()
        said.append(f"{key} was damaged and is made anew")
    if warehouse.is_file() and not is_database(warehouse):
        warehouse.unlink()
        said.append(f"{warehouse.name} was damaged and is made anew")
    return said


def sweep(work: Path) -> list[str]:
    """Remove what a run left that died half way, and say so. Only the holder of the home's lock calls it.

    What such a run was building has a name of its own each time, so nobody would ever meet it again.
    """
    said = []
    for path in sorted(path for pattern in LEFTOVERS for path in work.glob(pattern)):
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
        done = "cannot be removed: delete it" if path.exists() else "is removed"
        said.append(f"{path.name}, left by a run that did not end, {done}")
    return said


def is_database(path: Path) -> bool:
    """Whether a file begins as a database of the engine does."""
    place, mark = DUCKDB_MARK
    with path.open("rb") as file:
        return file.read(place.stop)[place] == mark
