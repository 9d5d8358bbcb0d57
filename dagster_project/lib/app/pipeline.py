"""The steps of the main job in their order, each one call.

Belongs here: opening the stores from the settings and calling intake, landing, dbt, analysis and publish.
Does not: Dagster (defs/ wraps each step as an asset), printing (cli/main.py), or any computing of its own.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

import contracts
from dagster_project.lib.app.analysis import (
    KNOWN_TABLE,
    AnalysisOutcome,
    analysis_inputs,
    run_analysis,
)
from dagster_project.lib.app.frozen import (
    FROZEN_TABLE,
    FrozenCycle,
    keep_frozen,
    manifest_inputs,
    read_frozen,
    released_cycles,
)
from dagster_project.lib.base.progress import tell
from dagster_project.lib.base.reference import Reference
from dagster_project.lib.base.ruleset import RulesetKey, in_force_on, ruleset_rows
from dagster_project.lib.base.seed_lint import require_sound
from dagster_project.lib.base.store import Store, StoreError
from dagster_project.lib.intake.bucket.drop import Listing, list_drop, open_drop, stray_findings
from dagster_project.lib.intake.bucket.ledger import Ledger, current_submissions
from dagster_project.lib.intake.bucket.plan import Selection, intake_version, make_plan
from dagster_project.lib.intake.findings import to_findings
from dagster_project.lib.intake.reading.limits import Limits
from dagster_project.lib.intake.session import IntakeResult, Places, TakenPartition, run_intake
from dagster_project.lib.intake.take_in import Intake
from dagster_project.lib.publish.release.hashing import code_version, lock_sha256
from dagster_project.lib.publish.release.opening import ANSWERS_TABLE, INPUTS, database_path
from dagster_project.lib.publish.release.release import (
    Release,
    ReleaseFacts,
    current_release,
    publish,
    read_manifest,
)
from dagster_project.lib.publish.report.report import ReportContext, RuleParameter, write_report
from dagster_project.lib.receipts.change_log import ChangeLog
from dagster_project.lib.receipts.change_words import TOLD, UNKNOWN_CHANGES
from dagster_project.lib.receipts.changes import State, changed_folders, changes_between, read_tables
from dagster_project.lib.receipts.receipts import RECEIPT_TABLES, Changes, Receipt, remove_withdrawn, write_receipts
from dagster_project.lib.receipts.returned import return_files
from dagster_project.lib.warehouse.dbt_run import MANIFEST, DbtPlaces, NodeResult, dbt_build, table_keys
from dagster_project.lib.warehouse.landing import Landed, gather, write_tables
from dagster_project.settings import PROJECT_ROOT, Settings

STRAYS_KEY = "ops/strays.parquet"
# Unit tests prove the models on made-up rows: they belong to `make test`, not to every run.
NO_UNIT_TESTS = ("--exclude-resource-type", "unit_test")
CORE_MODELS = ("--exclude", "tag:reporting", *NO_UNIT_TESTS)
REPORTING_MODELS = ("--select", "tag:reporting", *NO_UNIT_TESTS)


def _tell_folders(done: int, total: int) -> None:
    tell("Taking folders", done, total)


@dataclass(frozen=True)
class Pipeline:
    """All steps over one set of settings, under one ruleset: the one in force, unless another is chosen."""

    settings: Settings
    chosen: RulesetKey | None = None

    @cached_property
    def ruleset(self) -> RulesetKey:
        """The ruleset's id and version."""
        return self.chosen or in_force_on(self.reference, self.settings.today)

    @cached_property
    def reference(self) -> Reference:
        """The seeds."""
        return Reference(self.settings.seeds)

    @cached_property
    def intake(self) -> Intake:
        """What intake needs beside the files."""
        return Intake(self.reference, Limits(file_bytes=self.settings.max_file_bytes))

    def _store(self, url: str) -> Store:
        return Store(url, self.settings.s3_endpoint)

    @cached_property
    def drop(self) -> Store:
        """The drop bucket; StoreError for a folder that was named and is missing: misspelt is not empty."""
        url = self.settings.drop_url
        own = url == str(self.settings.home / "drop")
        if not (own or url.startswith("s3://") or Path(url).is_dir()):
            raise StoreError(f"the drop folder {url} does not exist")
        return open_drop(url, self.settings.s3_endpoint)

    @cached_property
    def lake(self) -> Store:
        """Raw bytes, accepted rows, the ledger."""
        return self._store(self.settings.lake_url)

    @cached_property
    def outbox(self) -> Store:
        """Receipts."""
        return self._store(self.settings.outbox_url)

    @cached_property
    def published(self) -> Store:
        """Releases."""
        return self._store(self.settings.publish_url)

    @property
    def dbt_places(self) -> DbtPlaces:
        """Where dbt reads and writes."""
        s = self.settings
        return DbtPlaces(s.seeds, s.landing, s.analysis, s.warehouse, s.work)

    @cached_property
    def frozen(self) -> tuple[FrozenCycle, ...]:
        """Frozen cycles, an input of every figure that was decided from them."""
        return read_frozen(self.lake, self.reference.reporting_years(self.settings.today))

    def take(self, selection: Selection, run_id: str) -> Iterator[TakenPartition | IntakeResult]:
        """Intake of what changed or was asked for; the last item is the result. SeedError where seeds do not hold."""
        require_sound(self.reference)
        tell("Listing the drop bucket")
        places = Places(self.drop, self.lake)
        for item in run_intake(
            places, self.intake, self.settings.today, selection, run_id, self.settings.settle_seconds, _tell_folders
        ):
            if isinstance(item, IntakeResult):
                self._keep_strays(item.strays)
            yield item

    def _keep_strays(self, strays: pl.DataFrame) -> None:
        buffer = io.BytesIO()
        strays.write_parquet(buffer)
        if self.lake.get_or_none(STRAYS_KEY) != buffer.getvalue():
            self.lake.put(STRAYS_KEY, buffer.getvalue())

    def listing(self) -> Listing:
        """The drop bucket as it stands at this moment."""
        communities = self.reference.communities["community_id"].to_list()
        return list_drop(self.drop, communities, self.reference.reporting_years(self.settings.today))

    def nothing_new(self, selection: Selection) -> bool:
        """Whether intake would take nothing, see nothing else than before, and the current release says it all.

        The same plan and the same hash of inputs that intake and release go by, looked at without starting a run.
        """
        if selection.again or self.lake.get_or_none(STRAYS_KEY) is None:
            return False
        listing = self.listing()
        plan = make_plan(listing, Ledger(self.lake).events(), intake_version(self.reference), selection)
        seen, told = to_findings(stray_findings(listing.strays)), self.strays()
        same = sorted(seen["finding_id"]) == sorted(told["finding_id"])
        return not plan.take and not plan.withdrawn and same and self.up_to_date() is not None

    def strays(self) -> pl.DataFrame:
        """Findings of the bucket itself, as the last intake saw them."""
        return pl.read_parquet(io.BytesIO(self.lake.get(STRAYS_KEY)))

    def land(self, communities: frozenset[str] | None = None) -> tuple[Landed, list[Receipt]]:
        """Gather the lake into landing files and write the receipts that changed (of all communities by default)."""
        require_sound(self.reference)
        tell("Gathering accepted rows")
        landed = gather(self.lake, self.reference, self.settings.today, self.strays(), self.ruleset)
        write_tables(landed.tables, self.settings.landing)
        everyone = communities if communities is not None else frozenset(landed["submissions"]["community_id"])
        remove_withdrawn(self.outbox, landed.tables)
        receipts = write_receipts(self.outbox, landed.tables, everyone, self.told_changes())
        return_files(self.outbox, self.lake, self.intake, receipts)
        return landed, receipts

    def build_core(self) -> list[NodeResult]:
        """dbt: seeds, staging, intermediate and core marts."""
        tell("Building the warehouse")
        return dbt_build(self.dbt_places, CORE_MODELS)

    def analyse(self) -> AnalysisOutcome:
        """Trends, gaps, outcomes, criteria, gateways, designations and network figures, written for dbt."""
        s = self.settings
        tell("Computing trends, gaps, gateways and designations")
        outcome = run_analysis(s.warehouse, s.landing, self.reference, s.today, self.ruleset)
        communities = self.reference.communities["community_id"].to_list()
        tables = keep_frozen(outcome.tables, self.frozen, communities, self.reference.table("rubric/rubric"))
        write_tables({**tables, FROZEN_TABLE: released_cycles(self.frozen)}, s.analysis)
        return replace(outcome, tables=tables)

    def build_reporting(self) -> list[NodeResult]:
        """dbt: the reporting models over what Python computed."""
        tell("Building the reporting marts")
        return dbt_build(self.dbt_places, REPORTING_MODELS)

    def release(self) -> Release:
        """Publish the warehouse as it stands, and tell in the receipts what the folders that changed moved."""
        before = self.change_log.told or current_release(self.published)
        made = self._publish()
        if before != made.release_id:
            self._tell_changes(before, made)
        self.change_log.tell(made.release_id)
        return made

    def _publish(self) -> Release:
        tell("Publishing the release and its report")
        facts = self.release_facts()
        ledger = Ledger(self.lake).events()
        ops = self.settings.work / "ops"
        write_tables({"ledger_event": ledger}, ops)
        # Records are rebuilt from the release alone, so it carries what they were decided from.
        inputs = {name: self.settings.landing / f"{name}.parquet" for name in (*analysis_inputs(), ANSWERS_TABLE)}
        inputs |= {name: self.settings.analysis / f"{name}.parquet" for name in (KNOWN_TABLE, FROZEN_TABLE)}
        return publish(
            self.published,
            self.settings.warehouse,
            facts,
            table_keys(MANIFEST),
            {"ops": {"ledger_event": ops / "ledger_event.parquet"}, INPUTS: inputs},
            self.settings.work,
            self._write_report,
        )

    def _write_report(self, database: Path, folder: Path, manifest: Mapping[str, Any]) -> None:
        connection = duckdb.connect(str(database), read_only=True)
        try:
            write_report(connection, folder, manifest["report_edition"], self._report_context(manifest))
        finally:
            connection.close()

    def _report_context(self, manifest: Mapping[str, Any]) -> ReportContext:
        """What the pages say of themselves; the ruleset's parameters are printed as their seeds state them."""
        rows = ruleset_rows(self.reference).filter(
            (pl.col("ruleset_id") == self.ruleset[0]) & (pl.col("ruleset_version") == self.ruleset[1])
        )
        texts = rows.select(pl.col("parameter", "value", "unit", "note").fill_null("")).iter_rows()
        return ReportContext(
            release_id=manifest["release_id"],
            today=self.settings.today,
            ruleset_id=self.ruleset[0],
            ruleset_version=self.ruleset[1],
            contract_version=str(manifest["contract_version"]),
            code_version=manifest["code_version"],
            network_name="The network",
            parameters=[RuleParameter(*text) for text in texts],
        )

    @property
    def change_log(self) -> ChangeLog:
        """What submissions changed, as it was told."""
        return ChangeLog(self.lake)

    def told_changes(self) -> Changes:
        """What each submission changed that the release told last was made from."""
        manifest = self._manifest(self.change_log.told or current_release(self.published))
        return {} if manifest is None else self._changes_of(manifest)

    def _changes_of(self, manifest: Mapping[str, Any]) -> Changes:
        places = [(row["community_id"], row["reporting_year"], row["submission_id"]) for row in manifest["inputs"]]
        return dict.fromkeys(places, UNKNOWN_CHANGES) | self.change_log.records()

    def _manifest(self, release_id: str | None) -> dict[str, Any] | None:
        """The manifest of a release, None for none or one that was removed."""
        try:
            return None if release_id is None else read_manifest(self.published, release_id)
        except FileNotFoundError:
            return None

    def _tell_changes(self, before: str | None, made: Release) -> None:
        """Compare with the release before, keep what is found, and write the receipts of the folders that changed.

        Done again as a whole if the run dies on the way: the release counts as told only afterwards.
        """
        tell("Telling what the submissions changed")
        earlier = self._manifest(before)
        changed = changed_folders(earlier["inputs"] if earlier else (), made.manifest["inputs"])
        communities = {folder.community_id for folder in changed}
        was = None
        if before is not None and earlier is not None:
            was = State(earlier, read_tables(database_path(self.settings, before), communities))
        # Where the release before was removed, nothing can be said of what changed since.
        if was is not None or before is None:
            stands = State(made.manifest, read_tables(self.settings.warehouse, communities))
            found = changes_between(was, stands, table_keys(MANIFEST))
            after = {(folder.community_id, folder.reporting_year): folder.after for folder in changed}
            self.change_log.keep({(*place, after[place]): {"state": TOLD, **found[place]} for place in found})
        landed = {name: pl.read_parquet(self.settings.landing / f"{name}.parquet") for name in RECEIPT_TABLES}
        write_receipts(self.outbox, landed, communities, self._changes_of(made.manifest))

    def release_facts(self) -> ReleaseFacts:
        """What the next release would be made from, whether or not it differs from the current one."""
        years = self.reference.reporting_years(self.settings.today)
        known = set(self.reference.communities["community_id"]) | {"_network"}
        standing = current_submissions(Ledger(self.lake).events()).sort("community_id", "reporting_year")
        inputs = [
            {"community_id": community_id, "reporting_year": year, "submission_id": submission}
            for community_id, year, submission in standing.select(
                "community_id", "reporting_year", "submission_id"
            ).iter_rows()
            if community_id in known and year in years
        ]
        inputs += manifest_inputs(self.frozen)
        strays = self.strays()["finding_id"].sort().to_list()
        conditions = self.conditions()
        text = json.dumps([inputs, strays, conditions], sort_keys=True)
        return ReleaseFacts(**conditions, inputs_sha256=hashlib.sha256(text.encode()).hexdigest(), inputs=inputs)

    def conditions(self) -> dict[str, Any]:
        """What figures depend on beside the folders and frozen records, by its name in the manifest."""
        years = self.reference.reporting_years(self.settings.today)
        return {
            "today": self.settings.today.isoformat(),
            "ruleset_id": self.ruleset[0],
            "ruleset_version": self.ruleset[1],
            "contract_version": max(contracts.version_for(year) for year in years),
            "code_version": code_version(PROJECT_ROOT),
            "lock_sha256": lock_sha256(PROJECT_ROOT),
            "seeds_sha256": self.reference.fingerprint(),
        }

    def up_to_date(self) -> str | None:
        """The current release's id if it was made from exactly what stands now and its changes are told, else None."""
        release_id = current_release(self.published)
        if release_id is None or self.change_log.told != release_id:
            return None
        manifest = read_manifest(self.published, release_id)
        return release_id if manifest["inputs_sha256"] == self.release_facts().inputs_sha256 else None
