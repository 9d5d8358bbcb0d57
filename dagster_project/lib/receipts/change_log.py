"""What submissions changed, kept in the lake so that a receipt made again says the same.

Belongs here: one record for each folder's newest change, and the release up to which changes were told.
Does not: find changes (changes.py), put them into words, or write receipts.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from dagster_project.lib.base.state import whole
from dagster_project.lib.base.store import Store

RECORDS_KEY = "ops/changes/records.parquet"
TOLD_KEY = "ops/changes/told"
TELLING_KEY = "ops/changes/telling"
MEND = "put it back from a backup, or delete it: receipts then say that what their submissions changed is not known"
RECORDS = pl.Schema(
    {
        "community_id": pl.String(),
        "reporting_year": pl.Int32(),
        "submission_id": pl.String(),
        "previous_submission_id": pl.String(),
        "release_id": pl.String(),
        "previous_release_id": pl.String(),
        "content": pl.String(),
    }
)
"""`submission_id` is null for a folder that was withdrawn; `content` is the change as JSON (changes.py)."""

Submission = tuple[str, int, str | None]


@dataclass(frozen=True)
class ChangeLog:
    """The kept changes of one lake. Only the holder of the home's lock writes."""

    lake: Store

    @property
    def told(self) -> str | None:
        """The release up to which every change was written into receipts."""
        return self._id(TOLD_KEY) or None

    @property
    def telling(self) -> str | None:
        """The release told last when a publication began that was not told to its end; '' before the first one.

        None where every publication was told.
        """
        return self._id(TELLING_KEY)

    def begin(self, before: str | None) -> None:
        """Say, before a release is published, up to which one everything is told: a run may die before it tells."""
        self.lake.put(TELLING_KEY, f"{before or ''}\n".encode())

    def tell(self, release_id: str) -> None:
        """Say that every change up to this release stands in the receipts."""
        self.lake.put(TOLD_KEY, f"{release_id}\n".encode())
        self.lake.delete([TELLING_KEY])

    def forget(self, place: tuple[str, int]) -> None:
        """Drop what a folder's submissions changed: it quotes figures of those before. Receipts say it is not known."""
        kept = self._frame()
        own = (pl.col("community_id") == place[0]) & (pl.col("reporting_year") == place[1])
        if kept.filter(own).height:
            self._write(kept.filter(~own))

    def start_from(self, release_id: str | None) -> None:
        """Go on from this release, or from nothing: the one told last is gone."""
        self.lake.delete([TELLING_KEY, TOLD_KEY] if release_id is None else [TELLING_KEY])
        if release_id is not None:
            self.lake.put(TOLD_KEY, f"{release_id}\n".encode())

    def _id(self, key: str) -> str | None:
        data = self.lake.get_or_none(key)
        if data is None:
            return None
        with whole(f"{self.lake.url}/{key}", "write the id of the current release into it"):
            return data.decode().strip()

    def records(self) -> dict[Submission, dict[str, Any]]:
        """The newest change of each folder, by community, year and the submission that it speaks of."""
        kept = self._frame()
        columns = ("community_id", "reporting_year", "submission_id", "content")
        return {
            (community_id, year, submission_id): json.loads(content)
            for community_id, year, submission_id, content in kept.select(columns).iter_rows()
        }

    def keep(self, found: Mapping[Submission, Mapping[str, Any]]) -> None:
        """Keep these changes in place of earlier ones of the same folders."""
        if not found:
            return
        rows = [
            (*submission, *(change[name] for name in RECORDS if name in NAMED), json.dumps(change, ensure_ascii=False))
            for submission, change in found.items()
        ]
        new = pl.DataFrame(rows, schema=RECORDS, orient="row")
        place = ["community_id", "reporting_year"]
        self._write(pl.concat([self._frame().join(new, on=place, how="anti"), new]).sort(place))

    def _write(self, records: pl.DataFrame) -> None:
        buffer = io.BytesIO()
        records.write_parquet(buffer)
        self.lake.put(RECORDS_KEY, buffer.getvalue())

    def _frame(self) -> pl.DataFrame:
        data = self.lake.get_or_none(RECORDS_KEY)
        if data is None:
            return pl.DataFrame(schema=RECORDS)
        with whole(f"{self.lake.url}/{RECORDS_KEY}", MEND):
            return pl.read_parquet(io.BytesIO(data)).select(list(RECORDS)).cast(RECORDS)


NAMED = frozenset({"previous_submission_id", "release_id", "previous_release_id"})
