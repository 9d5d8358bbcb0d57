"""Whether the lake still holds every row that was accepted, and which folders must be taken again because it does not.

Belongs here: partitions that are gone, unreadable or hold other rows than their files gave; the note of such folders.
Does not: proving bucket, ledger and lake against each other to the last byte (reconcile.py), or taking folders again.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Mapping

import polars as pl

from dagster_project.lib.base.state import StateError, whole
from dagster_project.lib.base.store import Store
from dagster_project.lib.base.successions import NO_RENAMES, CommunityIds
from dagster_project.lib.intake.bucket.lake import partition_key, read_partitions
from dagster_project.lib.intake.bucket.ledger import current_submissions
from dagster_project.lib.intake.tables import TABLES

DAMAGED_KEY = "ops/damaged.json"
SHOWN = 5
FILES = "files"
PLACE = ["community_id", "reporting_year"]
ACCEPTED = ("accepted", "waiting", "duplicate")
GONE = "its rows are gone from the lake"
Place = tuple[str, int]


class DamagedLakeError(StateError):
    """Rows of the lake are gone or not those that were accepted; `places` says of which folders, and what."""

    def __init__(self, places: Mapping[Place, str]) -> None:
        self.places = dict(places)
        named = "; ".join(f"{community}/{year}: {what}" for (community, year), what in sorted(places.items())[:SHOWN])
        more = f" and {len(places) - SHOWN:,} more folders" if len(places) > SHOWN else ""
        super().__init__(
            f"the lake is damaged ({named}{more}); nothing is published from it. `cradle run` takes these folders "
            "again from the bucket"
        )


def gone_partitions(lake: Store, events: pl.DataFrame, names: CommunityIds = NO_RENAMES) -> frozenset[Place]:
    """Folders that stand by the ledger and have no partition in the lake; looks at one listing and reads nothing.

    A partition under a former id is there: the next intake moves it.
    """
    held = {info.key for info in lake.objects(f"intake/{FILES}")}
    standing = current_submissions(events).select(PLACE).iter_rows()
    return frozenset(
        place
        for place in standing
        if not any(partition_key(FILES, name, place[1]) in held for name in names.all_of(place[0]))
    )


def damaged_places(lake: Store, events: pl.DataFrame, names: CommunityIds = NO_RENAMES) -> frozenset[Place]:
    """Folders to take again whatever the bucket says: those without a partition, and those that a build noted."""
    return gone_partitions(lake, events, names) | noted(lake)


def noted(lake: Store) -> frozenset[Place]:
    """Folders whose rows a build found damaged."""
    data = lake.get_or_none(DAMAGED_KEY)
    if data is None:
        return frozenset()
    with whole(f"{lake.url}/{DAMAGED_KEY}", "delete it; the next build finds again what is damaged"):
        return frozenset((str(community), int(year)) for community, year in json.loads(data))


def note(lake: Store, places: Iterable[Place]) -> None:
    """Replace the note of damaged folders."""
    lines = sorted(set(places))
    if lines:
        lake.put(DAMAGED_KEY, json.dumps(lines, ensure_ascii=False).encode())
    else:
        lake.delete([DAMAGED_KEY])


def read_whole(lake: Store, standing: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """All rows of the folders that stand (community_id, reporting_year, submission_id), table by table.

    DamagedLakeError, naming every folder, where a partition is gone, cannot be read, is of another submission, or holds
    more or fewer rows than its files gave.
    """
    places: list[Place] = list(standing.select(PLACE).iter_rows())
    try:
        raw = {table: read_partitions(lake, table, places) for table in TABLES}
    except (pl.exceptions.PolarsError, OSError) as error:
        unreadable = _unreadable(lake, places)
        if not unreadable:
            raise
        raise DamagedLakeError(unreadable) from error
    if damaged := row_damage(standing, raw):
        raise DamagedLakeError(damaged)
    return raw


def _unreadable(lake: Store, places: Iterable[Place]) -> dict[Place, str]:
    found = {}
    for place in places:
        for table in TABLES:
            data = lake.get_or_none(partition_key(table, *place))
            try:
                if data is not None:
                    pl.read_parquet(io.BytesIO(data))
            except (pl.exceptions.PolarsError, OSError):
                found[place] = f"its rows of {table} cannot be read"
    return found


def row_damage(standing: pl.DataFrame, raw: Mapping[str, pl.DataFrame]) -> dict[Place, str]:
    """Where the rows of tables `raw` are not those that the ledger and the folders' own files speak of."""
    found: dict[Place, str] = {}
    key = [*PLACE, "submission_id"]
    for place in standing.select(key).join(raw[FILES].select(key), on=key, how="anti").select(PLACE).iter_rows():
        found[place] = GONE
    for community, year, file, accepted, rejected, has_accepted, has_rejected in lost_rows(raw).iter_rows():
        had = f"{accepted:,} accepted and {rejected:,} refused rows"
        found.setdefault((community, year), f"{file} gave {had}, the lake holds {has_accepted:,} and {has_rejected:,}")
    return found


def lost_rows(raw: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """Files with other rows in the lake than were counted when they were taken, with both counts of each kind."""
    key = [*PLACE, "source_file"]
    columns = ["submission_id", *key, "row_status"]
    is_accepted = pl.col("row_status").is_in(ACCEPTED)
    rows = pl.concat([raw["observations"].select(columns), raw["register_rows"].select(columns)])
    # The network's own files hold rows of communities, so that a row's folder is told by its submission.
    folders = raw[FILES].select("submission_id", *(pl.col(name).alias(f"folder_{name}") for name in PLACE)).unique()
    held = (
        rows.join(folders, on="submission_id", how="left")
        .with_columns(pl.coalesce(f"folder_{name}", name).alias(name) for name in PLACE)
        .group_by(key)
        .agg(
            is_accepted.sum().cast(pl.Int64).alias("has_accepted"),
            (~is_accepted).sum().cast(pl.Int64).alias("has_rejected"),
        )
    )
    counted = raw[FILES].select(
        *PLACE, pl.col("name").alias("source_file"), pl.col("rows_accepted", "rows_rejected").cast(pl.Int64)
    )
    numbers = ["rows_accepted", "rows_rejected", "has_accepted", "has_rejected"]
    both = counted.join(held, on=key, how="full", coalesce=True).with_columns(pl.col(numbers).fill_null(0))
    unequal = (pl.col("rows_accepted") != pl.col("has_accepted")) | (pl.col("rows_rejected") != pl.col("has_rejected"))
    return both.filter(unequal).select(*key, *numbers).sort(key)
