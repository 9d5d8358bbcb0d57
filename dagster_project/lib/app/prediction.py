"""What a folder would change before it is uploaded: the main job's own steps over one community, in a temporary home.

Belongs here: one community's landing tables from a release, the checked folder in its place, both states computed.
Does not: check the folder (intake/check.py), the steps themselves (pipeline.py), finding changes (publish/changes.py).
"""

from __future__ import annotations

import datetime as dt
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import polars as pl

from dagster_project.lib.app.frozen import FROZEN_TABLE
from dagster_project.lib.app.pipeline import Pipeline
from dagster_project.lib.app.rehearsal import compute
from dagster_project.lib.app.stands.cycles import frozen_key
from dagster_project.lib.base import engine
from dagster_project.lib.base.engine import Connection
from dagster_project.lib.base.names import INPUTS
from dagster_project.lib.intake.batch import Taken
from dagster_project.lib.intake.findings import FINDINGS
from dagster_project.lib.intake.tables import TABLES
from dagster_project.lib.member.check import Checked, NoHistoryError
from dagster_project.lib.publish.release.compare import present
from dagster_project.lib.receipts.change_words import PREDICTED, UNCHANGED
from dagster_project.lib.receipts.changes import CAUSES, Changes, State, changes_between, read_tables
from dagster_project.lib.warehouse.dbt_run import MANIFEST
from dagster_project.lib.warehouse.declared import table_keys
from dagster_project.lib.warehouse.landing import landing_of, write_tables
from dagster_project.settings import Settings

Tables = dict[str, pl.DataFrame]
DECISIVE = ("observations", "submissions")
CONDITIONS = ("today", *(name for names in CAUSES.values() for name in names))


@dataclass(frozen=True)
class Released:
    """The release that is compared with: its database on this machine and its manifest."""

    database: Path
    manifest: Mapping[str, Any]

    def submission(self, community_id: str, reporting_year: int) -> str | None:
        """The folder's submission id in the release."""
        for row in self.manifest["inputs"]:
            if (row["community_id"], row["reporting_year"]) == (community_id, reporting_year):
                return str(row["submission_id"])
        return None


def predict(settings: Settings, release: Released, checked: Checked) -> Changes:
    """What the receipt would say of the checked folder's effects if it were uploaded and nothing else had changed.

    Everything else is as in the release; what was uploaded since is not seen. Where the release was made under other
    rules, reference data or code, or before the folder's year began, its side is computed anew as well, so that the
    folder alone makes the difference (`computed_anew`). Writes below a temporary folder only. NoHistoryError for a
    release without its inputs, WarehouseError where a model fails.
    """
    community_id, reporting_year = checked.taken.folder.partition
    before, after = release.submission(community_id, reporting_year), checked.taken.submission_id
    if before == after:
        return {"state": UNCHANGED, "previous_release_id": release.manifest["release_id"]}
    with tempfile.TemporaryDirectory(prefix="cradle-check-") as home:
        pipeline = _pipeline(settings, release, reporting_year, Path(home))
        own = _own_landing(pipeline, checked.taken)
        kept = _released_landing(release.database, community_id, own)
        facts = {**release.manifest} | pipeline.conditions() | {"release_id": None}
        anew = any(release.manifest.get(name) != facts[name] for name in CONDITIONS)
        tables = _computed(pipeline, kept, community_id) if anew else read_tables(release.database, [community_id])
        stands = _computed(pipeline, _with_folder(kept, before, own), community_id)
    others = [row for row in release.manifest["inputs"] if before is None or row["submission_id"] != before]
    line = {"community_id": community_id, "reporting_year": reporting_year, "submission_id": after}
    # Both sides were computed under the same conditions, or were found to be: they are no cause of any difference.
    was = State(facts | {name: release.manifest[name] for name in ("release_id", "today", "inputs")}, tables)
    found = changes_between(was, State(facts | {"inputs": [*others, line]}, stands), table_keys(MANIFEST))
    return {"state": PREDICTED, "computed_anew": anew, **found[community_id, reporting_year]}


def _pipeline(settings: Settings, release: Released, reporting_year: int, home: Path) -> Pipeline:
    """The steps over a home of their own, on the release's day and with its ruleset and frozen cycles."""
    released_on = dt.date.fromisoformat(release.manifest["today"])
    side = replace(
        settings,
        home=home,
        drop_url=str(home / "drop"),
        lake_url=str(home / "lake"),
        outbox_url=str(home / "outbox"),
        publish_url=str(home / "publish"),
        public_url=str(home / "public"),
        # A folder of a year that had not begun when the release was made counts from today on.
        today=released_on if reporting_year <= released_on.year else settings.today,
    )
    pipeline = Pipeline(side, (release.manifest["ruleset_id"], release.manifest["ruleset_version"]))
    with released_inputs(release.database) as (connection, names):
        if FROZEN_TABLE in names:
            cycles = connection.execute(f"select reporting_year, content from {INPUTS}.{FROZEN_TABLE}").fetchall()
            for year, content in cycles:
                pipeline.lake.put(frozen_key(year), bytes(content))
    return pipeline


@contextmanager
def released_inputs(database: Path) -> Iterator[tuple[Connection, frozenset[str]]]:
    """The release opened read-only, and the names of the tables in its schema `inputs`."""
    with engine.opened(database) as connection:
        query = "select table_name from information_schema.tables where table_schema = ?"
        yield connection, frozenset(name for (name,) in connection.execute(query, [INPUTS]).fetchall())


def _computed(pipeline: Pipeline, landing: Tables, community_id: str) -> Tables:
    write_tables(landing, pipeline.settings.landing)
    compute(pipeline)
    return read_tables(pipeline.settings.warehouse, [community_id])


# ---- landing tables ----


def _own_landing(pipeline: Pipeline, taken: Taken) -> Tables:
    """The landing tables that the checked folder alone would give."""
    raw = {name: taken.tables.get(name, pl.DataFrame(schema=schema)) for name, schema in TABLES.items()}
    none = pl.DataFrame(schema=FINDINGS)
    made = landing_of(
        raw,
        pipeline.ledger.events(),
        pipeline.reference,
        pipeline.settings.today,
        none,
        pipeline.ruleset,
    )
    return dict(made.tables)


def _released_landing(database: Path, community_id: str, like: Tables) -> Tables:
    """The community's landing tables as the release holds them; those that no figure is made from are empty."""
    with released_inputs(database) as (connection, names):
        if not set(DECISIVE) <= names:
            raise NoHistoryError("it was made before releases held what their figures are decided from")
        query = f'select * from {INPUTS}."{{}}" where community_id = ?'
        found = {name: connection.execute(query.format(name), [community_id]).pl() for name in like if name in names}
    return {
        name: present(found.get(name), frame).cast(frame.schema) if "community_id" in frame.columns else frame
        for name, frame in like.items()
    }


def _with_folder(kept: Tables, before: str | None, own: Tables) -> Tables:
    """The landing tables with the checked folder in place of the submission that the release was made from."""
    others = pl.col("submission_id").ne_missing(before)
    return {
        name: pl.concat([frame.filter(others), own[name]]) if "submission_id" in frame.columns else frame
        for name, frame in kept.items()
    }
