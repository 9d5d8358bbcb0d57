"""A release made again from kept raw bytes in a side home, and compared with what it was.

Belongs here: the side bucket of then, putting back what no bytes give, running every step, the comparison.
Does not: change the home, the lake or what is published; the steps themselves (pipeline.py); printing.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import polars as pl

from dagster_project.lib.app.kept import KeptInputs, read_kept
from dagster_project.lib.app.pipeline import Pipeline
from dagster_project.lib.app.rehearsal import compute, side_home, side_settings
from dagster_project.lib.app.stands.cycles import frozen_key, read_frozen
from dagster_project.lib.base.reference import Reference
from dagster_project.lib.base.seeds.upgrade import additions, write
from dagster_project.lib.base.store import Store
from dagster_project.lib.base.successions import CommunityIds
from dagster_project.lib.intake.bucket.drop import submission_id
from dagster_project.lib.intake.bucket.lake import raw_key, read_partitions, write_partition
from dagster_project.lib.intake.bucket.ledger import EVENTS, PREFIX, Ledger, submitted_files
from dagster_project.lib.intake.bucket.plan import Selection
from dagster_project.lib.intake.session import standing_partition
from dagster_project.lib.intake.tables import TABLES
from dagster_project.lib.publish.release.compare import GONE, CellDifference, compare_releases
from dagster_project.lib.publish.release.release import SINCE
from dagster_project.settings import Settings

TOLERANCE = 1e-9
"""How far apart two numbers may be, relative to the larger one (and to 1), where code or packages differ."""
Place = tuple[str, int]


class RebuildError(RuntimeError):
    """The release cannot be made again; the message says in one line what is missing."""


@dataclass(frozen=True)
class Rebuilt:
    """What came out: the tables whose hash is another one, and, with other code, the cells that differ in value.

    `pages_alike` is None where other code or packages made the pages. `cells` is None where hashes were compared, or
    where the release's data were pruned and only hashes are left of it.
    """

    release_id: str
    other_code: tuple[str, ...]
    n_tables: int
    differing: tuple[str, ...]
    pages_alike: bool | None
    cells: tuple[CellDifference, ...] | None

    @property
    def is_same(self) -> bool:
        """Whether the release came out again: hash by hash with the same code, else by value where values are left."""
        if self.cells is not None:
            return not self.cells
        return not self.differing and self.pages_alike is not False


def rebuild(settings: Settings, manifest: Mapping[str, Any], database: Path | None, keep: bool = False) -> Rebuilt:
    """Run the main job over the folders as they stood for a release, with its seeds, its rules and its day.

    database: that of the release; None where it was pruned. RebuildError where raw bytes, seeds or frozen records of
    then are not kept; WarehouseError where a model or a test fails. `keep`: leave the side home for looking into.
    """
    lake = Store(settings.lake_url, settings.s3_endpoint)
    kept = read_kept(lake, manifest["release_id"])
    if kept is None:
        raise RebuildError(f"the seeds of release {manifest['release_id']} were not kept")
    today = dt.date.fromisoformat(manifest["today"])
    home = settings.work / "rebuild"
    side = side_settings(settings, home / "seeds", today, home)
    side = replace(side, drop_url=str(home / "drop"), settle_seconds=0.0)
    with side_home(home, keep):
        _write_seeds(kept, side.seeds, manifest)
        _fill_drop(lake, home / "drop", manifest, kept, Reference(side.seeds).names)
        pipeline = Pipeline(side, (manifest["ruleset_id"], manifest["ruleset_version"]))
        _carry_frozen(lake, pipeline.lake, manifest)
        for _ in pipeline.take(Selection(again=True), "rebuild"):
            continue
        _put_back(pipeline.lake, kept, manifest)
        pipeline.keep_strays(kept.bucket_findings)
        pipeline.land(frozenset())
        compute(pipeline)
        # The side home knows no release before: what was counted then stands in the manifest.
        made = pipeline.publish(pipeline.release_facts(), lambda *_: manifest.get(SINCE, {"state": GONE}))
        again = pipeline.published.local(f"releases/{made.release_id}/internal.duckdb")
        assert again is not None
        return _compared(manifest, made.manifest, database, again)


def _write_seeds(kept: KeptInputs, folder: Path, manifest: Mapping[str, Any]) -> None:
    for path, content in kept.seed_files.iter_rows():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    if Reference(folder).fingerprint() != manifest["seeds_sha256"]:
        raise RebuildError(f"the kept seeds are not those that release {manifest['release_id']} was made with")
    # Those of a former version lack what the code of today needs. What is there already stays as it was.
    write(folder, additions(folder, dt.date.fromisoformat(manifest["today"])))


def _fill_drop(lake: Store, drop: Path, manifest: Mapping[str, Any], kept: KeptInputs, names: CommunityIds) -> None:
    """Every folder as it stood, but for files that were refused as person-level: nothing of them is kept."""
    events = Ledger(lake, names).events()
    refused = set(kept.refused_files.select("community_id", "reporting_year", "name").iter_rows())
    drop.mkdir()
    for row in _folders(manifest):
        place, submission = (row["community_id"], row["reporting_year"]), row["submission_id"]
        files = submitted_files(events, *place, submission)
        named = next((n for n in names.all_of(place[0]) if submission_id(n, place[1], files) == submission), None)
        if named is None:
            raise RebuildError(
                f"the ledger does not know the files of submission {submission} of {place[0]}/{place[1]}"
            )
        folder = drop / named / str(place[1])
        folder.mkdir(parents=True)
        for name, sha256 in files:
            if (*place, name) in refused:
                continue
            data = lake.get_or_none(raw_key(sha256))
            if data is None:
                raise RebuildError(f"the bytes of {place[0]}/{place[1]}/{name} ({sha256[:12]}) are not kept")
            (folder / name).write_bytes(data)


def _folders(manifest: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    return (row for row in manifest["inputs"] if row["submission_id"])


def _carry_frozen(lake: Store, side: Store, manifest: Mapping[str, Any]) -> None:
    cycles = {cycle.reporting_year: cycle for cycle in read_frozen(lake)}
    for row in manifest["inputs"]:
        if row["submission_id"]:
            continue
        cycle = cycles.get(row["reporting_year"])
        if cycle is None or cycle.sha256 != row["frozen_records_sha256"]:
            raise RebuildError(f"the frozen records of {row['reporting_year']} are not those of the release")
        side.put(frozen_key(cycle.reporting_year), cycle.content)


def _put_back(lake: Store, kept: KeptInputs, manifest: Mapping[str, Any]) -> None:
    """What was told of files and links that are not kept, and the names of submissions that such files belong to."""
    of_place = ["community_id", "reporting_year"]
    rows = pl.concat([kept.refused_files.select(of_place), kept.unread_findings.select(of_place)])
    places: set[Place] = set(rows.iter_rows())
    patched = [row for row in _folders(manifest) if (row["community_id"], row["reporting_year"]) in places]
    for row in patched:
        place = (row["community_id"], row["reporting_year"])
        here = (pl.col("community_id") == place[0]) & (pl.col("reporting_year") == place[1])
        tables = {name: read_partitions(lake, name, [place]) for name in TABLES}
        tables["files"] = pl.concat([tables["files"], kept.refused_files.filter(here)]).sort("name")
        tables["findings"] = pl.concat([tables["findings"], kept.unread_findings.filter(here)])
        named = {
            name: table.with_columns(pl.lit(row["submission_id"]).alias("submission_id"))
            for name, table in tables.items()
        }
        write_partition(lake, *place, named)
    _rename_submissions(lake, patched)


def _rename_submissions(lake: Store, folders: Sequence[Mapping[str, Any]]) -> None:
    """The side ledger as if the folders had been seen whole; nothing but the release is made from it."""
    ledger = Ledger(lake)
    events = ledger.events()
    empty = dict.fromkeys(EVENTS)
    rows = []
    for row in folders:
        place = (row["community_id"], row["reporting_year"])
        status = standing_partition(lake, *place, row["submission_id"]).status
        state = {"event": "submission", "submission_id": row["submission_id"], "status": status}
        rows.append({**empty, "community_id": place[0], "reporting_year": place[1], **state})
    renamed = pl.DataFrame(rows, schema=EVENTS)
    whole = events.join(renamed, on=["community_id", "reporting_year", "event"], how="anti")
    lake.delete(info.key for info in lake.objects(PREFIX))
    ledger.append(pl.concat([whole, renamed]))


def _compared(was: Mapping[str, Any], made: Mapping[str, Any], database: Path | None, again: Path) -> Rebuilt:
    # A release of an older edition does not say which of its code makes figures.
    code = "figures_version" if "figures_version" in was else "code_version"
    other_code = tuple(name for name in (code, "lock_sha256") if was[name] != made[name])
    before, after = ({table["name"]: table["sha256"] for table in of["tables"]} for of in (was, made))
    differing = tuple(sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name)))
    cells: tuple[CellDifference, ...] | None = None
    if other_code and database is not None:
        compared = compare_releases(database, again, was, made)
        cells = tuple(cell for cell in compared if not _is_near(cell) and not cell.is_added_form)
    other_words = was["code_version"] != made["code_version"]
    said_by = ("content_sha256", "files")  # pages are hashed before they are named, and once they are
    alike = None if other_code or other_words else all(was.get(name) == made[name] for name in said_by)
    return Rebuilt(was["release_id"], other_code, len(before), differing, alike, cells)


def _is_near(cell: CellDifference) -> bool:
    numbers = all(isinstance(value, int | float) and not isinstance(value, bool) for value in (cell.a, cell.b))
    return numbers and math.isclose(cell.a, cell.b, rel_tol=TOLERANCE, abs_tol=TOLERANCE)
