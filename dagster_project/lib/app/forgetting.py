"""Forgetting a submission: what of a withdrawn or refused file is still kept, and deleting all of it.

Belongs here: the plan from ledger, releases and outbox; deleting bytes, rows, receipts and releases that hold them.
Does not: Dagster's history (instance/runs.py), printing (cli/forgetting.py), judging kept files anew (scanning.py).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

import polars as pl

from dagster_project.lib.app.kept import forget_kept
from dagster_project.lib.app.pipeline import Pipeline
from dagster_project.lib.app.public import PublicEdition
from dagster_project.lib.base import engine
from dagster_project.lib.base.names import MARTS
from dagster_project.lib.base.store import remove_whole
from dagster_project.lib.intake.bucket.lake import forget_bytes
from dagster_project.lib.intake.bucket.ledger import Version, current_submissions, versions
from dagster_project.lib.publish.public.edition import take_down
from dagster_project.lib.publish.public.preview import preview_key
from dagster_project.lib.publish.public.results import packages
from dagster_project.lib.publish.public.shown import manifest_or_none
from dagster_project.lib.publish.release.decisions import DecisionError, has_data, withdraw
from dagster_project.lib.publish.release.opening import database_path
from dagster_project.lib.publish.release.pointing import current_release, read_manifest
from dagster_project.lib.publish.release.retention import delete_data
from dagster_project.lib.publish.release.states import WITHDRAWN, read_states
from dagster_project.lib.receipts.difference import forget_summaries
from dagster_project.lib.receipts.outbox import receipt_folder
from dagster_project.settings import Settings

REFUSED = "refused"
RECEIPT = "receipt.json"


class ForgetError(ValueError):
    """A submission cannot be forgotten; the message says why in one line."""


@dataclass(frozen=True)
class KeptFile:
    """A file of the submission: its name and hash, and the other submissions that hold the same bytes."""

    name: str
    sha256: str
    held_by: tuple[str, ...]


@dataclass(frozen=True)
class Forgetting:
    """What is deleted when a submission is forgotten. `runs`: of Dagster, that speak of it."""

    community_id: str
    reporting_year: int
    submission_id: str
    files: tuple[KeptFile, ...]
    releases: tuple[str, ...]
    public_releases: tuple[str, ...]
    receipts: tuple[str, ...]
    runs: tuple[str, ...]

    @property
    def gone(self) -> tuple[KeptFile, ...]:
        """Files whose bytes go: no other submission holds them."""
        return tuple(file for file in self.files if not file.held_by)


@dataclass(frozen=True)
class Forgetter:
    """Forgetting over one set of settings. Only the holder of the home's lock calls `carry_out`."""

    settings: Settings

    @cached_property
    def home(self) -> Pipeline:
        """Lake, releases and outbox as a run sees them; what is kept of a renamed community lies under each id."""
        return Pipeline(self.settings)

    @cached_property
    def public(self) -> PublicEdition:
        """The public tree, and what was ever in it."""
        return PublicEdition(self.settings)

    def plan(self, submission_id: str) -> Forgetting:
        """What there is of a submission; nothing is changed.

        ForgetError for one that was never seen, or that stands and holds no refused file: it counts, so it has to be
        taken out of the bucket first.
        """
        events = self.home.ledger.events()
        seen = versions(events)
        own = [version for version in seen if version.submission_id == submission_id]
        if not own:
            raise ForgetError(f"submission {submission_id} was never seen")
        place = own[-1].place
        stands = submission_id in current_submissions(events)["submission_id"].to_list()
        files = _forgettable(own, stands)
        if not files:
            raise ForgetError(
                f"submission {submission_id} of {place[0]}/{place[1]} stands and counts; "
                "take its files out of the bucket, run, and forget it then"
            )
        holders = _holders(seen, submission_id)
        kept = tuple(KeptFile(name, sha, holders.get(sha, ())) for name, sha in sorted(files.items()))
        releases = self._releases(submission_id, frozenset(files) if stands else None)
        went_public = [line["public_id"] for line in self.public.register.lines() if line["release_id"] in releases]
        up = tuple(one for one in went_public if manifest_or_none(self.public.places.public, one))
        runs = tuple(dict.fromkeys(version.run_id for version in own if version.run_id))
        return Forgetting(*place, submission_id, kept, releases, up, self._receipts(place, submission_id), runs)

    def _releases(self, submission_id: str, refused: frozenset[str] | None) -> tuple[str, ...]:
        """Releases that hold it and are not yet withdrawn without data, by id.

        `refused`: the names in question where the submission still stands; a release made since they were refused
        names the submission and holds nothing of them.
        """
        states = read_states(self.home.published)
        found = []
        for release_id in sorted(self.home.published.folders("releases")):
            data = has_data(self.home.published, release_id)
            if not data and states.state(release_id) == WITHDRAWN:
                continue
            inputs = read_manifest(self.home.published, release_id)["inputs"]
            if submission_id not in {row["submission_id"] for row in inputs}:
                continue
            if refused is None or (data and self._took(release_id, submission_id, refused)):
                found.append(release_id)
        return tuple(found)

    def _took(self, release_id: str, submission_id: str, names: Iterable[str]) -> bool:
        query = f"select source_file from {MARTS}.fct_submission_file where submission_id = ? and kind <> '{REFUSED}'"
        with engine.opened(database_path(self.settings, release_id)) as connection:
            taken = {str(name) for (name,) in connection.execute(query, [submission_id]).fetchall()}
        return any(name == one or name.startswith(f"{one}/") for name in taken for one in names)

    def _receipts(self, place: tuple[str, int], submission_id: str) -> tuple[str, ...]:
        """Keys of its receipts and marked copies, of the folder's latest, and of those that say what it was before.

        A preview shows the community's figures of the last edition, whatever has become of it, and the results that
        were returned to it those of a final release.
        """
        names = self.home.reference.names.all_of(place[0])
        folders = [receipt_folder(name, place[1]) for name in names]
        previews = [key for key in map(preview_key, names) if self.home.outbox.size(key) is not None]
        keys = [info.key for folder in folders for info in self.home.outbox.objects(folder)]
        told = {
            key.rsplit("/", 2)[-2]
            for key in keys
            if key.endswith(f"/{RECEIPT}") and self._speaks_of(key, submission_id)
        }
        latest = len(folders[0].split("/")) + 1
        own = {submission_id, *told}
        found = [key for key in sorted(keys) if len(key.split("/")) == latest or key.split("/")[-2] in own]
        results = [key for name in names for key in packages(self.home.outbox, name)]
        return tuple(dict.fromkeys([*found, *previews, *results]))

    def _speaks_of(self, key: str, submission_id: str) -> bool:
        changes = json.loads(self.home.outbox.get(key)).get("changes") or {}
        return isinstance(changes, Mapping) and changes.get("previous_submission_id") == submission_id

    def carry_out(self, plan: Forgetting, reason: str) -> list[str]:
        """Withdraw what holds it, delete all of it, and say so in lines. Whoever dies half way calls it again."""
        told = [
            line for one in plan.public_releases for line in take_down(self.public.places, one, self._today, reason)
        ]
        told += [self._give_up(release_id, reason) for release_id in plan.releases]
        self._tell_from_current(plan)
        self.home.outbox.delete(plan.receipts)
        for name in self.home.reference.names.all_of(plan.community_id):
            forget_summaries(self.home.published, f"{name}/{plan.reporting_year}")
            self.home.change_log.forget((name, plan.reporting_year))
        self.home.as_built.forget()
        # What was computed lies in databases whose deleted rows keep their bytes; the next run makes all of it anew.
        remove_whole(self.settings.work)
        forget_bytes(self.home.lake, (file.sha256 for file in plan.gone))
        self._rename_in_ledger(plan)
        return told

    @property
    def _today(self) -> str:
        return self.settings.today.isoformat()

    def _give_up(self, release_id: str, reason: str) -> str:
        states = read_states(self.home.published)
        if states.state(release_id) != WITHDRAWN or current_release(self.home.published) == release_id:
            try:
                withdraw(self.home.published, release_id, self.settings.today, reason)
            except DecisionError as error:
                raise ForgetError(str(error)) from None
        freed = delete_data(self.home.published, release_id)
        forget_kept(self.home.lake, release_id)
        return f"Release {release_id} is withdrawn and its data files are deleted ({freed:,} bytes)"

    def _tell_from_current(self, plan: Forgetting) -> None:
        """The next change is told beside a release that has its data."""
        log = self.home.change_log
        if log.told in plan.releases or log.telling in plan.releases:
            log.start_from(current_release(self.home.published))

    def _rename_in_ledger(self, plan: Forgetting) -> None:
        """A name can tell as much as a row: names that stand for forgotten bytes alone give way to a hash.

        A folder that stands keeps its names: they are in the bucket.
        """
        place, gone = (plan.community_id, plan.reporting_year), {file.sha256 for file in plan.gone}
        ledger = self.home.ledger
        events = ledger.events()
        if plan.submission_id in current_submissions(events)["submission_id"].to_list():
            return
        own = events.filter(
            (pl.col("community_id") == place[0])
            & (pl.col("reporting_year") == place[1])
            & (pl.col("event") == "object")
        )
        held: dict[str, list[str]] = {}
        for name, sha256 in own.select("name", "sha256").iter_rows():
            held.setdefault(name, []).append(sha256)
        ledger.rename(place, {name: forgotten_name(shas[0]) for name, shas in held.items() if gone.issuperset(shas)})


def _forgettable(own: list[Version], stands: bool) -> dict[str, str]:
    """Name and hash of every file that the submission was made of or, while it stands, of those refused in it."""
    files: dict[str, str] = {}
    for version in own:
        files |= {name: sha for name, (sha, _) in version.files.items()}
    if not stands:
        return files
    refused = {name for name, (_, kind) in own[-1].files.items() if kind == REFUSED}
    return {name: sha for name, sha in files.items() if name in refused}


def _holders(seen: Iterable[Version], forgotten: str) -> dict[str, tuple[str, ...]]:
    """By hash: the other submissions that hold these bytes and did not refuse them when they were last looked at."""
    newest = {version.submission_id: version for version in seen if version.submission_id != forgotten}
    held: dict[str, list[str]] = {}
    for submission_id, version in newest.items():
        for sha, kind in version.files.values():
            if kind != REFUSED:
                held.setdefault(sha, []).append(submission_id)
    return {sha: tuple(sorted(set(ids))) for sha, ids in held.items()}


def forgotten_name(sha256: str) -> str:
    """What stands in the ledger in place of a forgotten file's name."""
    return f"forgotten-{sha256[:16]}"
