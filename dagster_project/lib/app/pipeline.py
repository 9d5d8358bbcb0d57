"""The steps of the main job in their order, each one call.

Belongs here: opening the stores from the settings and calling intake, landing, dbt, analysis and publish.
Does not: Dagster (defs/ wraps each step as an asset), printing (cli/main.py), or any computing of its own.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import polars as pl

from dagster_project.lib.analysis.tables import as_declared
from dagster_project.lib.app.analysis import (
    KNOWN_TABLE,
    AnalysisOutcome,
    analysis_inputs,
    run_analysis,
)
from dagster_project.lib.app.frozen import FROZEN_TABLE, keep_frozen, put_back, released_cycles
from dagster_project.lib.app.kept import keep, kept_inputs, kept_seeds
from dagster_project.lib.app.ready import require_ready
from dagster_project.lib.app.spark.cluster_run import ClusterRun, Form
from dagster_project.lib.app.stands.house import WhatStands
from dagster_project.lib.app.state import (
    LEFT_KEY,
    STRAYS_KEY,
    UNDELIVERED_KEY,
    mend,
    sweep,
)
from dagster_project.lib.base import engine
from dagster_project.lib.base.names import ANSWERS_TABLE, DECISIONS_TABLE, INPUTS, NETWORK_FOLDER, OBJECTIONS_TABLE
from dagster_project.lib.base.progress import tell
from dagster_project.lib.base.ruleset import ruleset_rows
from dagster_project.lib.base.shown import some
from dagster_project.lib.base.successions import write_as_read
from dagster_project.lib.intake.batch import Intake
from dagster_project.lib.intake.bucket.left import still_left
from dagster_project.lib.intake.bucket.plan import Selection, require_known
from dagster_project.lib.intake.bucket.whole import DamagedLakeError, note, noted
from dagster_project.lib.intake.session import IntakeResult, Places, TakenPartition, run_intake
from dagster_project.lib.monitoring.latency import submission_latency, value_latency
from dagster_project.lib.publish.release.as_built import ReleaseFacts
from dagster_project.lib.publish.release.opening import database_path, open_release
from dagster_project.lib.publish.release.pointing import current_release, read_manifest
from dagster_project.lib.publish.release.release import Release, Since, publish
from dagster_project.lib.publish.report.languages.published import (
    dictionary_names,
    internal_details,
    published_languages,
)
from dagster_project.lib.publish.report.making.kept import kept_pages
from dagster_project.lib.publish.report.marts import ReportContext, RuleParameter
from dagster_project.lib.publish.report.national.since_release import sections
from dagster_project.lib.publish.report.render import write_report
from dagster_project.lib.receipts.change_words import TOLD, UNKNOWN_CHANGES
from dagster_project.lib.receipts.changes import State, changed_folders, changes_between, read_tables
from dagster_project.lib.receipts.difference import ReleaseBefore
from dagster_project.lib.receipts.receipts import (
    RECEIPT_TABLES,
    Changes,
    Delivery,
    Receipt,
    complete_kept,
    remove_receipt,
    write_receipts,
    write_withdrawn,
)
from dagster_project.lib.receipts.returned import return_files
from dagster_project.lib.warehouse.dbt_run import MANIFEST, NO_UNIT_TESTS, DbtPlaces, build_changed
from dagster_project.lib.warehouse.declared import declared_marts, table_keys, vocabularies
from dagster_project.lib.warehouse.held import HELD, Stands
from dagster_project.lib.warehouse.landing import Landed, gather, write_tables
from dagster_project.lib.warehouse.made_from import LANDING, MadeFrom
from dagster_project.lib.warehouse.spark import require_packages
from dagster_project.lib.warehouse.standing import NodeResult

KEPT_OF = ("files", "findings")
REPORTING = "reporting"
"""The tag of the models over what Python computed."""
MOST_TOLD = 5
CORE_MODELS = ("--exclude", f"tag:{REPORTING}", *NO_UNIT_TESTS)
REPORTING_MODELS = ("--select", f"tag:{REPORTING}", *NO_UNIT_TESTS)


def _tell_folders(done: int, total: int) -> None:
    tell("Taking folders", done, total)


@dataclass(frozen=True)
class Pipeline(WhatStands):
    """All steps over what stands."""

    @cached_property
    def intake(self) -> Intake:
        """What intake needs beside the files."""
        return Intake(self.reference, self.limits, self.ruleset)

    @property
    def dbt_places(self) -> DbtPlaces:
        """Where dbt reads and writes."""
        s = self.settings
        seeds = s.seeds
        if names := self.reference.names:
            seeds = s.work / "seeds"
            write_as_read(s.seeds, seeds, names)
        return DbtPlaces(seeds, s.landing, s.analysis, s.warehouse, s.work)

    def take(self, selection: Selection, run_id: str) -> Iterator[TakenPartition | IntakeResult]:
        """Intake of what changed or was asked for; the last item is the result.

        SeedError where seeds do not hold, ChoiceError where what was asked for is not there, BucketFaultError where the
        bucket seems at fault; nothing is changed then.
        """
        require_ready(self.reference, self.chosen or self.settings.today, self.settings.work)
        self._require_known(selection)
        if self.settings.spark_master:
            require_packages()
        for what in [*mend(self.lake, self.settings.warehouse), *sweep(self.settings.work)]:
            tell(what)
        tell("Listing the drop bucket")
        places = Places(self.drop, self.lake)
        for item in run_intake(
            places, self.intake, self.settings.today, selection, run_id, self.settings.settle_seconds, _tell_folders
        ):
            if isinstance(item, IntakeResult):
                self.keep_strays(item.strays)
                self._keep_left(item.left, selection)
                taken = {(partition.community_id, partition.reporting_year) for partition in item.taken}
                note(self.lake, noted(self.lake) - taken)
            yield item

    def _require_known(self, selection: Selection) -> None:
        """What the ledger holds is known although no seed names it any more."""
        if selection.communities is None and selection.years is None:
            return
        seen = self.ledger.events().select("community_id", "reporting_year").unique()
        communities = {*self.reference.communities["community_id"], NETWORK_FOLDER, *seen["community_id"]}
        years = {*self.reference.reporting_years(self.settings.today), *seen["reporting_year"]}
        require_known(selection, communities, years, self.reference.names)

    def keep_strays(self, strays: pl.DataFrame) -> None:
        """Keep findings of the bucket itself for the steps behind intake."""
        self._keep(STRAYS_KEY, strays)

    def _keep(self, key: str, table: pl.DataFrame) -> None:
        buffer = io.BytesIO()
        table.write_parquet(buffer)
        if self.lake.get_or_none(key) != buffer.getvalue():
            self.lake.put(key, buffer.getvalue())

    def _keep_left(self, left: pl.DataFrame, selection: Selection) -> None:
        before, place = self.left(), ["community_id", "reporting_year"]
        now = still_left(before, left, selection)
        self._keep(LEFT_KEY, now)
        # A receipt that spoke of nothing but what was left is written anew if there is anything else to say.
        over = before.select(place).unique(maintain_order=True).join(now.select(place), on=place, how="anti")
        delivery = Delivery()
        for gone in over.iter_rows():
            remove_receipt(self.outbox, gone, delivery)
        self._keep_undelivered(self.undelivered() | delivery.failed)

    def _keep_undelivered(self, failed: Mapping[tuple[str, int], str]) -> None:
        lines = [[*place, reason] for place, reason in sorted(failed.items())]
        data = json.dumps(lines, ensure_ascii=False).encode()
        if (self.lake.get_or_none(UNDELIVERED_KEY) or b"[]") != data:
            self.lake.put(UNDELIVERED_KEY, data)

    def land(self, communities: frozenset[str] | None = None) -> tuple[Landed, list[Receipt]]:
        """Gather the lake into landing files and write the receipts that changed (of all communities by default)."""
        landed = HELD.take(self._stands) or self._gathered()
        write_tables(landed.tables, self.settings.landing)
        return landed, self._deliver(landed, communities)

    def receive(self, communities: frozenset[str]) -> list[Receipt]:
        """Write the receipts of these communities as the lake stands, before a build.

        The landing files stay as the last build read them: a build that is continued would else carry newer inputs.
        """
        # Looked at first: what comes into the lake meanwhile makes the tables old, never new.
        stands, landed = self._stands(), self._gathered()
        receipts = self._deliver(landed, communities)
        HELD.keep(stands, landed)
        return receipts

    def _stands(self) -> Stands:
        return Stands(self.settings.lake_url, self.conditions(), self.ledger.events(), self.strays())

    def _gathered(self) -> Landed:
        require_ready(self.reference, self.chosen or self.settings.today, self.settings.work)
        tell("Gathering accepted rows")
        try:
            return gather(self.lake, self.reference, self.settings.today, self.strays(), self.ruleset)
        except DamagedLakeError as error:
            note(self.lake, noted(self.lake) | error.places.keys())
            raise

    def _deliver(self, landed: Landed, communities: frozenset[str] | None) -> list[Receipt]:
        # A first folder that is still being written has a receipt and no submission.
        told = frozenset(landed["submissions"]["community_id"]) | frozenset(self.left()["community_id"])
        everyone = communities if communities is not None else told - {NETWORK_FOLDER}
        delivery, again = Delivery(), self.undelivered()
        changes = self.told_changes()
        write_withdrawn(self.outbox, landed.tables, changes, delivery)
        receipts = write_receipts(self.outbox, landed.tables, everyone, changes, delivery, again)
        return_files(self.outbox, self.lake, self.intake, receipts, delivery)
        elsewhere = {place: why for place, why in again.items() if place[0] not in everyone} if communities else {}
        self._keep_undelivered(elsewhere | delivery.failed)
        return receipts

    @cached_property
    def cluster(self) -> ClusterRun | None:
        """The cluster that builds and computes, where the settings name one."""
        master = self.settings.spark_master
        return None if master is None else ClusterRun(master, self.dbt_places)

    def _forms(self) -> dict[str, Form]:
        marts = declared_marts(MANIFEST, self.reference)
        return {name: Form({c.name: c.data_type for c in mart.columns}, mart.key) for name, mart in marts.items()}

    @property
    def made_from(self) -> MadeFrom:
        """From which inputs each step was made."""
        return MadeFrom(self.settings.work)

    def begin(self, step: str) -> Callable[[], None]:
        """Note that a step of a build begins over what stands; to be called once it has passed.

        A cycle that is frozen stays frozen: one that a lake from an older backup lacks is put back before the first.
        """
        if step == LANDING:
            self._tell_rewritten_rules()
            if lost := self.lost_cycles():
                with open_release(self.settings) as connection:
                    for what in put_back(connection, self.lake, lost):
                        tell(what)
        return self.made_from.begin(step, self.release_facts().inputs_sha256)

    def _tell_rewritten_rules(self) -> None:
        for version, what in self.rewritten_rulesets.items():
            name = " ".join(version)
            tell(f"Ruleset {name} says something else than in a release that names it: {some(what, MOST_TOLD)}")

    def build_core(self) -> list[NodeResult]:
        """dbt: seeds, staging, intermediate and core marts."""
        tell("Building the warehouse")
        if self.cluster:
            return self.cluster.build_core(CORE_MODELS, self._forms())
        return build_changed(self.dbt_places, REPORTING, tagged=False)

    def analyse(self) -> AnalysisOutcome:
        """Trends, gaps, outcomes, criteria, gateways, designations and network figures, written for dbt."""
        s = self.settings
        tell("Computing trends, gaps, gateways and designations")
        if self.cluster:
            outcome = self.cluster.analyse(self.reference, s.today, self.ruleset)
        else:
            outcome = run_analysis(s.warehouse, s.landing, self.reference, s.today, self.ruleset)
        communities = self.reference.communities["community_id"].to_list()
        tables = keep_frozen(outcome.tables, self.frozen, communities, self.reference.table("rubric/rubric"))
        tables = as_declared(tables)
        written = {**tables, FROZEN_TABLE: released_cycles(self.frozen)}
        write_tables(written, s.analysis)
        for path in s.analysis.glob("*.parquet"):
            # What an earlier version wrote by another name holds members' values too, and nobody takes them out again.
            if path.stem not in written:
                path.unlink()
        return replace(outcome, tables=tables)

    def build_reporting(self) -> list[NodeResult]:
        """dbt: the reporting models over what Python computed."""
        tell("Building the reporting marts")
        if self.cluster:
            return self.cluster.build_reporting(REPORTING_MODELS, self._forms())
        return build_changed(self.dbt_places, REPORTING, tagged=True)

    def release(self) -> Release:
        """Publish the warehouse as it stands, and tell in the receipts what the folders that changed moved."""
        self._tell_what_was_left_untold()
        before = self.change_log.told or current_release(self.published)
        facts = self.release_facts()
        self.change_log.begin(before)
        landed = {name: pl.read_parquet(self.settings.landing / f"{name}.parquet", glob=False) for name in KEPT_OF}
        inputs = kept_inputs(self.settings.seeds, landed, self.strays())
        seeds_of = partial(kept_seeds, self.lake)
        one_before = ReleaseBefore(self.settings, self.published, self.reference.names, seeds_of, inputs.seeds())
        made = self.publish(facts, one_before.since)
        if made.manifest["seeds_sha256"] == facts.seeds_sha256:
            keep(self.lake, made.release_id, inputs)
        if before != made.release_id:
            self._tell_changes(before, {**made.manifest, **facts.stated(), "today": made.manifest["today"]})
            one_before.keep_summary(before, made.release_id)
        self.change_log.tell(made.release_id)
        self.as_built.keep(made.release_id, facts.stated())
        return made

    def _tell_what_was_left_untold(self) -> None:
        """Tell the changes of a release that a run published and died before it told them.

        The folders may have changed again since: then the receipts of what was replaced are completed where they are
        kept.
        """
        before, current = self.change_log.telling, current_release(self.published)
        if before is None or current is None or current in (before, self.change_log.told):
            return
        manifest = read_manifest(self.published, current)
        self._tell_changes(before or None, manifest, database_path(self.settings, current))
        complete_kept(self.outbox, manifest["inputs"], self._change_records())
        self.change_log.tell(current)

    def publish(self, facts: ReleaseFacts, since: Callable[[Mapping[str, Any], Path], Mapping[str, Any]]) -> Release:
        """The warehouse as it stands as a release, told to nobody yet; `since` counts what it changed, if it is new."""
        tell("Publishing the release and its report")
        ops = self._write_arrivals()
        # Records are rebuilt from the release alone, so it carries what they were decided from.
        inputs = {
            name: self.settings.landing / f"{name}.parquet"
            for name in (*analysis_inputs(), ANSWERS_TABLE, DECISIONS_TABLE, OBJECTIONS_TABLE)
        }
        inputs |= {name: self.settings.analysis / f"{name}.parquet" for name in (KNOWN_TABLE, FROZEN_TABLE)}
        return publish(
            self.published,
            self.settings.warehouse,
            facts,
            table_keys(MANIFEST),
            {"ops": ops, INPUTS: inputs},
            self.settings.work,
            self._write_report,
            declared_marts(MANIFEST, self.reference),
            vocabularies(self.reference),
            Since(since, partial(sections, languages=published_languages(self.reference))),
        )

    def _write_arrivals(self) -> dict[str, Path]:
        """The tables of schema `ops`, which no hash covers: the ledger, and how late folders and values came."""
        events, calendar = self.ledger.events(), self.reference.table("network/calendar")
        observations = pl.read_parquet(self.settings.landing / "observations.parquet", glob=False)
        tables = {
            "ledger_event": events,
            "submission_latency": submission_latency(events, calendar),
            "value_latency": value_latency(events, observations, calendar),
        }
        folder = self.settings.work / "ops"
        write_tables(tables, folder)
        return {name: folder / f"{name}.parquet" for name in tables}

    def _write_report(self, database: Path, folder: Path, manifest: Mapping[str, Any]) -> None:
        with engine.opened(database) as connection:
            edition = manifest["report_edition"]
            kept, current = kept_pages(self.settings.work, edition), current_release(self.published)
            released = self.published.local(f"releases/{current}") if current else None
            write_report(connection, folder, edition, self._report_context(manifest), kept, released)

    def _report_context(self, manifest: Mapping[str, Any]) -> ReportContext:
        """What the pages say of themselves; the ruleset's parameters are printed as their seeds state them."""
        rows = ruleset_rows(self.reference).filter(
            (pl.col("ruleset_id") == self.ruleset[0]) & (pl.col("ruleset_version") == self.ruleset[1])
        )
        texts = rows.select(pl.col("parameter", "value", "unit", "note").fill_null("")).iter_rows()
        return ReportContext(
            release_id=manifest["release_id"],
            today=manifest["today"],
            ruleset_id=self.ruleset[0],
            ruleset_version=self.ruleset[1],
            contract_version=str(manifest["contract_version"]),
            code_version=manifest["code_version"],
            network_name=self.reference.network_name,
            parameters=[RuleParameter(*text) for text in texts],
            languages=published_languages(self.reference),
            details=internal_details(self.reference),
            names=dictionary_names(self.reference),
        )

    def told_changes(self) -> Changes:
        """What each submission changed that the release told last was made from."""
        facts = self._facts_of(self.change_log.told or current_release(self.published))
        return {} if facts is None else self._changes_of(facts)

    def _changes_of(self, facts: Mapping[str, Any]) -> Changes:
        # A frozen cycle is an input as well; it is no folder and has no receipt.
        folders = [row for row in facts["inputs"] if row["community_id"]]
        places = [(row["community_id"], row["reporting_year"], row["submission_id"]) for row in folders]
        return {**dict.fromkeys(places, UNKNOWN_CHANGES), **self._change_records()}

    def _change_records(self) -> Changes:
        names = self.reference.names
        records = self.change_log.records().items()
        return {(names.of(community), year, submission): change for (community, year, submission), change in records}

    def _tell_changes(self, before: str | None, stated: Mapping[str, Any], database: Path | None = None) -> None:
        """Compare with the release before, keep what is found, and write the receipts of the folders that changed.

        before: the release told last. stated: the manifest of the release to tell, with what was built just now.
        database: that of the release to tell, where it is not the warehouse.

        Done again as a whole if the run dies on the way: the release counts as told only afterwards.
        """
        tell("Telling what the submissions changed")
        earlier = self._facts_of(before)
        changed = changed_folders(earlier["inputs"] if earlier else (), stated["inputs"])
        communities = {folder.community_id for folder in changed}
        was = None
        if before is not None and earlier is not None:
            was = State(earlier, read_tables(database_path(self.settings, before), communities, self.reference.names))
        # Where the release before was removed, nothing can be said of what changed since.
        if was is not None or before is None:
            stands = State(stated, read_tables(database or self.settings.warehouse, communities))
            found = changes_between(was, stands, table_keys(MANIFEST))
            after = {(folder.community_id, folder.reporting_year): folder.after for folder in changed}
            self.change_log.keep({(*place, after[place]): {"state": TOLD, **found[place]} for place in found})
        paths = {name: self.settings.landing / f"{name}.parquet" for name in RECEIPT_TABLES}
        landed = {name: pl.read_parquet(path, glob=False) for name, path in paths.items()}
        delivery = Delivery()
        changes = self._changes_of(stated)
        write_withdrawn(self.outbox, landed, changes, delivery)
        write_receipts(self.outbox, landed, communities, changes, delivery)
        self._keep_undelivered(self.undelivered() | delivery.failed)
