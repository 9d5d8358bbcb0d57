"""The ledger: every object version and every submission state ever seen, append-only.

Belongs here: appending and reading the ledger's segments, and the states that follow from them.
Does not: the lake's current rows (lake.py), or figures: nothing here enters a table's hash.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from dagster_project.lib.base.state import whole
from dagster_project.lib.base.store import Store
from dagster_project.lib.base.successions import NO_RENAMES, CommunityIds

EVENTS = pl.Schema(
    {
        "sequence": pl.Int64(),
        "run_id": pl.String(),
        "seen_at": pl.String(),
        "seen_on": pl.String(),
        "event": pl.String(),
        "community_id": pl.String(),
        "reporting_year": pl.Int32(),
        "name": pl.String(),
        "sha256": pl.String(),
        "size": pl.Int64(),
        "etag": pl.String(),
        "kind": pl.String(),
        "submission_id": pl.String(),
        "intake_version": pl.String(),
        "status": pl.String(),
    }
)
"""`event` is `object` (a file as it stood), `withdrawn` (a file that is gone) or `submission` (a folder's state).

`seen_at` is the clock's moment, `seen_on` the day of the run, which latencies are counted in.
The tag of a submission says which links lay beside its files (null without any): they were told, and not followed.
"""

PREFIX = "ops/ledger"
MEND_LEDGER = (
    "put it back from a backup, or move it away and run again: what it spoke of is taken again from the bucket, and "
    "only when it first arrived is lost"
)


@dataclass(frozen=True)
class Ledger:
    """The ledger of one lake; communities that were renamed since stand in it under their `names` of now."""

    lake: Store
    names: CommunityIds = NO_RENAMES

    def events(self) -> pl.DataFrame:
        """All events in the order in which they were written; StateError that names a segment which cannot be read."""
        frames = [self._segment(info.key) for info in self.lake.objects(PREFIX) if info.key.endswith(".parquet")]
        return self.names.read(pl.concat([pl.DataFrame(schema=EVENTS), *frames])).sort("sequence", maintain_order=True)

    def _segment(self, key: str) -> pl.DataFrame:
        data = self.lake.get(key)
        with whole(f"{self.lake.url}/{key}", MEND_LEDGER):
            segment = pl.read_parquet(io.BytesIO(data))
            if "seen_on" not in segment.columns:  # Segments of before: the day of the clock.
                segment = segment.with_columns(seen_on=pl.col("seen_at").str.slice(0, 10))
            return segment.select(list(EVENTS)).cast(EVENTS)

    def rename(self, place: tuple[str, int], names: Mapping[str, str]) -> None:
        """Write other names into the events of one folder's files: of what is forgotten not even a name stays.

        Segments are rewritten one by one; called again it finishes what it began. The only change to what was written.
        """
        own = pl.col("community_id").is_in(self.names.all_of(place[0])) & (pl.col("reporting_year") == place[1])
        hit = own & pl.col("name").is_in(list(names))
        for info in self.lake.objects(PREFIX):
            segment = self._segment(info.key) if info.key.endswith(".parquet") else pl.DataFrame(schema=EVENTS)
            if segment.filter(hit).height:
                renamed = pl.col("name").replace(dict(names))
                buffer = io.BytesIO()
                segment.with_columns(name=pl.when(hit).then(renamed).otherwise(pl.col("name"))).write_parquet(buffer)
                self.lake.put(info.key, buffer.getvalue())

    def append(self, events: pl.DataFrame) -> None:
        """Write one new segment. Two runs never overwrite each other: a segment is created, never replaced."""
        if not events.height:
            return
        segments = [info.key for info in self.lake.objects(PREFIX)]
        number = 1 + max((int(key.rsplit("/", 1)[-1].split(".")[0]) for key in segments), default=0)
        while True:
            first = number * 10_000_000
            numbered = events.with_columns(sequence=pl.int_range(first, first + events.height, dtype=pl.Int64))
            buffer = io.BytesIO()
            numbered.select(list(EVENTS)).cast(EVENTS).write_parquet(buffer)
            key = f"{PREFIX}/{number:08d}.parquet"
            # A segment whose answer was lost is there at the client's second try: then it is this one.
            if self.lake.create(key, buffer.getvalue()) or self.lake.get_or_none(key) == buffer.getvalue():
                return
            number += 1


def current_objects(events: pl.DataFrame) -> pl.DataFrame:
    """The files that stand, by the newest event of each: community_id, reporting_year, name, sha256, size, etag."""
    files = events.filter(pl.col("event").is_in(["object", "withdrawn"]))
    newest = files.unique(["community_id", "reporting_year", "name"], keep="last", maintain_order=True)
    return newest.filter(pl.col("event") == "object")


def submitted_files(
    events: pl.DataFrame, community_id: str, reporting_year: int, submission_id: str
) -> list[tuple[str, str]]:
    """Name and sha256 of the files that a submission was made of, by name; empty if it was never seen."""
    own = events.filter((pl.col("community_id") == community_id) & (pl.col("reporting_year") == reporting_year))
    seen = own.filter((pl.col("event") == "submission") & (pl.col("submission_id") == submission_id))["sequence"]
    if seen.is_empty():
        return []
    then = current_objects(own.filter(pl.col("sequence") < seen[-1]))
    return then.select("name", "sha256").sort("name").rows()


@dataclass(frozen=True)
class Version:
    """A folder's state as it was taken: the files by name, each with its hash and kind, and the run that took it."""

    place: tuple[str, int]
    submission_id: str
    run_id: str
    files: Mapping[str, tuple[str, str]]


def versions(events: pl.DataFrame) -> list[Version]:
    """Every state that was ever taken, in the order in which they were; one that was taken again stands again."""
    files: dict[tuple[str, int], dict[str, tuple[str, str]]] = {}
    found: list[Version] = []
    columns = ("event", "community_id", "reporting_year", "name", "sha256", "kind", "submission_id", "run_id")
    for event, community, year, name, sha256, kind, submission_id, run_id in events.select(columns).iter_rows():
        now = files.setdefault((community, year), {})
        if event == "object":
            now[name] = (sha256, kind)
        elif event == "withdrawn":
            now.pop(name, None)
        elif submission_id is not None:
            found.append(Version((community, year), submission_id, run_id or "", dict(now)))
    return found


def newest_states(events: pl.DataFrame) -> pl.DataFrame:
    """The newest state of each folder that ever had files; a folder without any now has no submission id."""
    states = events.filter(pl.col("event") == "submission")
    return states.unique(["community_id", "reporting_year"], keep="last", maintain_order=True)


def current_submissions(events: pl.DataFrame) -> pl.DataFrame:
    """The newest state of each folder, folders without files left out."""
    return newest_states(events).filter(pl.col("submission_id").is_not_null())


SUBMISSION_STATES = pl.Schema(
    {
        "community_id": pl.String(),
        "reporting_year": pl.Int32(),
        "submission_id": pl.String(),
        "status": pl.String(),
        "is_current": pl.Boolean(),
        "replaced_by": pl.String(),
    }
)


def submission_states(events: pl.DataFrame) -> pl.DataFrame:
    """Every state a folder ever had, the current one marked, each replaced one with what replaced it."""
    states = events.filter((pl.col("event") == "submission") & pl.col("submission_id").is_not_null())
    place = ["community_id", "reporting_year"]
    last = (
        states.unique([*place, "submission_id"], keep="last", maintain_order=True)
        .sort("sequence")
        .with_columns(replaced_by=pl.col("submission_id").shift(-1).over(place))
    )
    current = current_submissions(events).select(*place, "submission_id", is_current=pl.lit(True))
    marked = last.join(current, on=[*place, "submission_id"], how="left").with_columns(
        pl.col("is_current").fill_null(False)
    )
    return marked.select(list(SUBMISSION_STATES)).sort(*place, "submission_id")
