"""What stands in the bucket, in the lake and as the current release, and whether a run would change anything.

Belongs here: opening the stores from the settings, what the next release would be made from, whether it is made.
Does not: any step (app/pipeline.py), what is public (public.py).
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import polars as pl

import contracts
from dagster_project.lib.app.kept import kept_seeds
from dagster_project.lib.app.stands.cycles import FrozenCycle, lost_cycles, manifest_inputs, read_frozen
from dagster_project.lib.app.state import STRAYS_KEY, read_left, read_strays, read_undelivered, state_faults
from dagster_project.lib.base.names import NETWORK_FOLDER
from dagster_project.lib.base.reference import Reference
from dagster_project.lib.base.ruleset import (
    JudgingRules,
    RulesetKey,
    in_force_on,
    kept_ruleset_rows,
    read_ruleset,
    rewritten,
    ruleset_rows,
)
from dagster_project.lib.base.store import Store
from dagster_project.lib.intake.bucket.drop import Listing, list_drop, open_drop, stray_findings
from dagster_project.lib.intake.bucket.ledger import Ledger, current_submissions
from dagster_project.lib.intake.bucket.left import LEFT, left_findings, without_left
from dagster_project.lib.intake.bucket.plan import Selection, left_at_listing, make_plan, refuse_bucket_fault
from dagster_project.lib.intake.bucket.whole import damaged_places
from dagster_project.lib.intake.dependencies import intake_version
from dagster_project.lib.intake.findings import to_findings
from dagster_project.lib.intake.reading.limits import Limits
from dagster_project.lib.monitoring.freshness import PLACE, Pending, pending
from dagster_project.lib.publish.release.as_built import AsBuilt, ReleaseFacts
from dagster_project.lib.publish.release.dependencies import lock_sha256, versions
from dagster_project.lib.publish.release.pointing import FIXED, current_release, fix, read_manifest
from dagster_project.lib.publish.release.states import FINAL, read_states
from dagster_project.lib.receipts.change_log import ChangeLog
from dagster_project.lib.receipts.outbox import receipts_astray
from dagster_project.settings import PROJECT_ROOT, Settings


@dataclass(frozen=True)
class WhatStands:
    """What stands over one set of settings, under one ruleset: the one in force, unless another is chosen."""

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

    def _store(self, url: str) -> Store:
        return Store(url, self.settings.s3_endpoint)

    @cached_property
    def drop(self) -> Store:
        """The drop bucket; StoreError for a folder that was named and is missing: misspelt is not empty."""
        url = self.settings.drop_url
        return open_drop(url, self.settings.s3_endpoint, create=url == str(self.settings.home / "drop"))

    @cached_property
    def lake(self) -> Store:
        """Raw bytes, accepted rows, the ledger."""
        return self._store(self.settings.lake_url)

    @cached_property
    def published(self) -> Store:
        """Releases."""
        return self._store(self.settings.publish_url)

    @property
    def ledger(self) -> Ledger:
        """What was seen of the bucket, communities under their ids of now."""
        return Ledger(self.lake, self.reference.names)

    @cached_property
    def frozen(self) -> tuple[FrozenCycle, ...]:
        """Frozen cycles, an input of every figure that was decided from them."""
        return read_frozen(self.lake, self.reference.reporting_years(self.settings.today), self.reference.names)

    def lost_cycles(self) -> dict[int, str]:
        """Frozen cycles that the current release carries and the lake has lost, by year with the sha256 of the file."""
        release_id = current_release(self.published)
        return {} if release_id is None else lost_cycles(self.lake, read_manifest(self.published, release_id))

    @cached_property
    def rewritten_rulesets(self) -> dict[RulesetKey, list[str]]:
        """Versions of rulesets that say something else than when the current release, or a final one, was made."""
        states, current = read_states(self.published), current_release(self.published)
        final = [line.release_id for line in states.lines if states.state(line.release_id) == FINAL]
        now = ruleset_rows(self.reference)
        found: dict[RulesetKey, list[str]] = {}
        for release_id in dict.fromkeys(filter(None, [current, *final])):
            kept = kept_seeds(self.lake, release_id)
            if kept is not None:
                found = {**rewritten(kept_ruleset_rows(kept), now), **found}
        return found

    @property
    def limits(self) -> Limits:
        """What one file may be."""
        return Limits(file_bytes=self.settings.max_file_bytes)

    @cached_property
    def intake_version(self) -> str:
        """What kept rows depend on beside their files' bytes."""
        return intake_version(self.reference, self.limits, JudgingRules.of(read_ruleset(self.reference, self.ruleset)))

    def listing(self) -> Listing:
        """The drop bucket as it stands at this moment."""
        communities = self.reference.communities["community_id"].to_list()
        return list_drop(
            self.drop, communities, self.reference.reporting_years(self.settings.today), self.reference.names
        )

    def nothing_new(self, selection: Selection) -> bool:
        """Whether intake would take nothing, see nothing else than before, and the current release says it all.

        The same plan and the same hash of inputs that intake and release go by, looked at without starting a run.
        BucketFaultError, like intake, where the bucket seems at fault.
        """
        listing, events = self.listing(), self.ledger.events()
        damaged = damaged_places(self.lake, events, self.reference.names)
        plan = make_plan(listing, events, self.intake_version, selection, damaged)
        refuse_bucket_fault(listing, plan, events, selection)
        if selection.again or state_faults(self.lake) or self.lake.get_or_none(STRAYS_KEY) is None:
            return False
        if damaged or self.undelivered() or self.receipts_astray():
            return False
        seen, told = to_findings(stray_findings(listing.strays)), self._told_strays()
        same = sorted(seen["finding_id"]) == sorted(told["finding_id"])
        left = {
            (*item.partition, item.rule_id, item.source_file, item.found) for item in left_at_listing(listing, events)
        }
        same = same and left == set(self.left().select(list(LEFT)[:5]).iter_rows())
        return not plan.take and not plan.withdrawn and same and self.up_to_date() is not None

    def pending(self) -> Pending | None:
        """What waits in the bucket to be taken, but for what was left and has not changed since; None for nothing."""
        listing, events = self.listing(), self.ledger.events()
        left = self.left()
        damaged = damaged_places(self.lake, events)
        plan = without_left(make_plan(listing, events, self.intake_version, Selection(), damaged), left)
        runs = {(community, year): run for community, year, run in left.select(*PLACE, "run_id").iter_rows()}
        return pending(plan, events, self.intake_version, runs)

    def left(self) -> pl.DataFrame:
        """Folders that the last intakes left as they stood, and why (intake.bucket.left.LEFT)."""
        return read_left(self.lake)

    def undelivered(self) -> dict[tuple[str, int], str]:
        """Folders whose receipts the outbox refused when they were last written, and why."""
        return read_undelivered(self.lake)

    @cached_property
    def outbox(self) -> Store:
        """Receipts."""
        return self._store(self.settings.outbox_url)

    def receipts_astray(self) -> list[tuple[str, int]]:
        """Folders that stand and whose receipt in the outbox is missing or speaks of another submission."""
        folders = [tuple(row.values()) for row in self.release_facts().folders if row["community_id"] != NETWORK_FOLDER]
        return receipts_astray(self.outbox, folders)

    def _told_strays(self) -> pl.DataFrame:
        return read_strays(self.lake)

    def strays(self) -> pl.DataFrame:
        """Findings of the bucket itself and of what was left in it, as the last intakes saw them."""
        return pl.concat([self._told_strays(), left_findings(self.left())])

    @property
    def change_log(self) -> ChangeLog:
        """What submissions changed, as it was told."""
        return ChangeLog(self.lake)

    @property
    def as_built(self) -> AsBuilt:
        """What was built last, and the release that it is."""
        return AsBuilt(self.lake)

    def _facts_of(self, release_id: str | None) -> dict[str, Any] | None:
        """A release's manifest, with what was last seen to give its content in place of what it was first made from.

        The day stays that of the release. None for no release, or one that was removed.
        """
        try:
            manifest = None if release_id is None else read_manifest(self.published, release_id)
        except FileNotFoundError:
            return None
        if release_id is None or manifest is None:
            return None
        facts = {**manifest, **self.as_built.facts_of(release_id), "today": manifest["today"]}
        inputs = [
            {**row, "community_id": self.reference.names.of(row["community_id"])} if row["community_id"] else row
            for row in facts["inputs"]
        ]
        return {**facts, "inputs": inputs}

    def release_facts(self) -> ReleaseFacts:
        """What the next release would be made from, whether or not it differs from the current one."""
        years = self.reference.reporting_years(self.settings.today)
        known = set(self.reference.communities["community_id"]) | {"_network"}
        standing = current_submissions(self.ledger.events()).sort("community_id", "reporting_year")
        folders = [
            {"community_id": community_id, "reporting_year": year, "submission_id": submission}
            for community_id, year, submission in standing.select(
                "community_id", "reporting_year", "submission_id"
            ).iter_rows()
            if community_id in known and year in years
        ]
        frozen = manifest_inputs(self.frozen)
        strays = self.strays()["finding_id"].sort().to_list()
        conditions = self.conditions()
        text = json.dumps([[*folders, *frozen], strays, conditions], sort_keys=True)
        digest = hashlib.sha256(text.encode()).hexdigest()
        return ReleaseFacts(**conditions, inputs_sha256=digest, folders=folders, frozen=frozen)

    def conditions(self) -> dict[str, Any]:
        """What figures depend on beside the folders and frozen records, by its name in the manifest."""
        years = self.reference.reporting_years(self.settings.today)
        return {
            "today": self.settings.today.isoformat(),
            "ruleset_id": self.ruleset[0],
            "ruleset_version": self.ruleset[1],
            "contract_version": max(contracts.version_for(year) for year in years),
            **versions(PROJECT_ROOT),
            "lock_sha256": lock_sha256(PROJECT_ROOT),
            "seeds_sha256": self.reference.fingerprint(),
        }

    def fix_path(self) -> None:
        """Give a publish folder from before there was `current.duckdb` its fixed path; a release does it otherwise."""
        release_id = current_release(self.published)
        if release_id is not None and self.published.size(FIXED) is None:
            fix(self.published, release_id)

    def up_to_date(self) -> str | None:
        """The current release's id if what stands now was built and gave it, and its changes are told, else None."""
        release_id = current_release(self.published)
        told = release_id is not None and self.change_log.told == release_id
        return release_id if told and self.is_current(self.release_facts()) else None

    def is_current(self, facts: ReleaseFacts) -> bool:
        """Whether exactly this was built last and gave the current release; the day is part of it."""
        built = self._facts_of(current_release(self.published))
        return built is not None and built["inputs_sha256"] == facts.inputs_sha256
