"""Rehearsing a change: the whole main job in a side home, and what would move against the current release.

Belongs here: the side home, running every step there, comparing its warehouse with the release.
Does not: change the drop, the lake, the outbox or what is published; the steps themselves (pipeline.py); printing.
"""

from __future__ import annotations

import datetime as dt
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import polars as pl

from dagster_project.lib.app.pipeline import Pipeline
from dagster_project.lib.app.stands.cycles import PREFIX as FROZEN_PREFIX
from dagster_project.lib.base import engine
from dagster_project.lib.base.reference import Reference
from dagster_project.lib.base.ruleset import RulesetKey, load_ruleset, ruleset_rows
from dagster_project.lib.base.store import Store, make_private
from dagster_project.lib.intake.bucket.ledger import PREFIX as LEDGER_PREFIX
from dagster_project.lib.intake.bucket.plan import Selection
from dagster_project.lib.publish.release.compare import CellDifference, compare_releases
from dagster_project.lib.publish.release.release import hash_tables
from dagster_project.lib.receipts.changes import changed_folders, compare_designations
from dagster_project.lib.receipts.difference import Side, as_named_now
from dagster_project.lib.warehouse.dbt_run import MANIFEST, WarehouseError, raise_for
from dagster_project.lib.warehouse.declared import table_keys
from dagster_project.settings import Settings

# Names that say under which rules a row was computed; under other rules each differs and nothing has moved.
NAMES = frozenset({"ruleset_id", "ruleset_version", "record_id", "record_id_now"})
# These repeat other tables for the latest reporting year.
REPEATS = "rpt_"
DESIGNATIONS, STATUSES, VALUES, REFERENCE = "designations", "statuses", "values", "reference"
VALUE_TABLES = frozenset({"fct_indicator_value", "fct_waiting_row", "fct_finding", "fct_submission_status"})


@dataclass(frozen=True)
class TableMoves:
    """How much of one table would move."""

    kind: str
    table: str
    rows_added: int
    rows_gone: int
    cells: int


@dataclass(frozen=True)
class Rehearsal:
    """What would move: counts by table, determinations with another status, and every cell."""

    release_id: str
    ruleset: tuple[str, str]
    changed_folders: tuple[str, ...]
    tables: tuple[TableMoves, ...]
    designations: pl.DataFrame
    cells: tuple[CellDifference, ...]


def choose_ruleset(reference: Reference, wanted: str | None, in_force: RulesetKey) -> RulesetKey:
    """`ID` or `ID@VERSION` as a ruleset of the seeds; without `wanted` the one in force.

    ValueError where the seeds hold no such ruleset, several versions to choose from, or parameters it lacks.
    """
    ruleset_id, _, version = (wanted or in_force[0]).partition("@")
    parameters = ruleset_rows(reference)
    known = sorted(parameters["ruleset_id"].unique())
    if ruleset_id not in known:
        raise ValueError(f"ruleset {ruleset_id} is not in the seeds; there: {', '.join(known)}")
    versions = set(parameters.filter(ruleset_id=ruleset_id)["ruleset_version"])
    if not version and ruleset_id == in_force[0] and in_force[1] in versions:
        version = in_force[1]
    ruleset = load_ruleset(parameters, ruleset_id, version or None)
    return ruleset.ruleset_id, ruleset.ruleset_version


def side_settings(settings: Settings, seeds: Path, today: dt.date, home: Path) -> Settings:
    """Everything that is written lies below that home; the drop is the same one."""
    return replace(
        settings,
        home=home,
        lake_url=str(home / "lake"),
        outbox_url=str(home / "outbox"),
        publish_url=str(home / "publish"),
        public_url=str(home / "public"),
        seeds=seeds,
        today=today,
    )


def rehearse(
    settings: Settings,
    seeds: Path,
    ruleset: tuple[str, str],
    release: Path,
    manifest: Mapping[str, Any],
    keep: bool = False,
) -> Rehearsal:
    """Run the main job over the drop as it stands, with these seeds and this ruleset, on the release's own day.

    release, manifest: the database and the manifest that are compared with. Frozen records and the history of
    submissions are taken along, so that nothing differs but what was changed; a community that these seeds rename is
    compared under its new id. WarehouseError where a model, a test or the second computation of slopes fails. `keep`:
    leave the side home for looking into.
    """
    side = side_settings(settings, seeds, dt.date.fromisoformat(manifest["today"]), settings.work / "rehearsal")
    with side_home(side.home, keep):
        pipeline = Pipeline(side, ruleset)
        _carry(Store(settings.lake_url, settings.s3_endpoint), pipeline.lake)
        _run(pipeline)
        moved = {"tables": hash_tables(side.warehouse, table_keys(MANIFEST))}
        with as_named_now(Side(manifest, release), Reference(seeds).names) as was:
            found = compare_releases(was.database, side.warehouse, was.manifest, moved)
            cells = [cell for cell in found if _is_a_move(cell)]
            return Rehearsal(
                release_id=manifest["release_id"],
                ruleset=ruleset,
                changed_folders=tuple(
                    f"{folder.community_id}/{folder.reporting_year}"
                    for folder in changed_folders(was.manifest["inputs"], pipeline.release_facts().folders)
                ),
                tables=tuple(_counts(cells)),
                designations=compare_designations(_designations(was.database), _designations(side.warehouse)),
                cells=tuple(cells),
            )


@contextmanager
def side_home(home: Path, keep: bool) -> Iterator[None]:
    """An empty folder for a side home, deleted afterwards unless it is to be kept."""
    shutil.rmtree(home, ignore_errors=True)
    make_private(home)
    try:
        yield
    finally:
        if not keep:
            shutil.rmtree(home, ignore_errors=True)


def _carry(lake: Store, side: Store) -> None:
    """What a run reads of the lake beside the bucket: which states there were, and frozen records."""
    for prefix in (LEDGER_PREFIX, FROZEN_PREFIX):
        for info in lake.objects(prefix):
            side.put(info.key, lake.get(info.key))


def _run(pipeline: Pipeline) -> None:
    for _ in pipeline.take(Selection(again=True), "rehearsal"):
        continue
    pipeline.land(frozenset())
    compute(pipeline)


def compute(pipeline: Pipeline) -> None:
    """From landing files to a finished warehouse; WarehouseError where a model fails or two computations disagree."""
    raise_for(pipeline.build_core())
    outcome = pipeline.analyse()
    if not outcome.agrees:
        raise WarehouseError(f"the two computations of slopes differ by {outcome.largest_difference}")
    raise_for(pipeline.build_reporting())


def _is_a_move(cell: CellDifference) -> bool:
    return cell.column not in NAMES and not cell.table.startswith(REPEATS)


def kind_of(table: str) -> str:
    """Whether a table holds designations, statuses and figures, values as taken, or reference data."""
    if "designation" in table:
        return DESIGNATIONS
    if table in VALUE_TABLES:
        return VALUES
    return STATUSES if table.startswith("fct_") else REFERENCE


def _counts(cells: Sequence[CellDifference]) -> list[TableMoves]:
    found = Counter((cell.table, _side_of(cell)) for cell in cells)
    order = [VALUES, STATUSES, DESIGNATIONS, REFERENCE]
    moves = [
        TableMoves(kind_of(table), table, *(found[table, side] for side in ("added", "gone", "cell")))
        for table in {cell.table for cell in cells}
    ]
    return sorted(moves, key=lambda moves: (order.index(moves.kind), moves.table))


def _side_of(cell: CellDifference) -> str:
    if cell.column:
        return "cell"
    return "added" if cell.a is None else "gone"


def _designations(database: Path) -> pl.DataFrame:
    with engine.opened(database) as connection:
        return connection.execute("select * from marts.fct_designation").pl()
