"""The public edition of the current release: what it is made of, what it would withhold, putting it out.

Belongs here: reading the internal release and the seeds, and calling disclosure and publish in their order.
Does not: any rule of protection (lib/disclosure), files (lib/publish/public), printing (cli/public.py).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, TypeVar

import polars as pl

from dagster_project.lib.app.spark.cluster import Cluster
from dagster_project.lib.app.spark.spread import OnCluster
from dagster_project.lib.app.stands.public import PublicStands
from dagster_project.lib.base import engine
from dagster_project.lib.base.names import INPUTS, MARTS, OBJECTIONS_TABLE
from dagster_project.lib.base.progress import tell
from dagster_project.lib.base.ruleset import Ruleset, read_ruleset, ruleset_rows
from dagster_project.lib.base.state import StateError
from dagster_project.lib.base.store import Store
from dagster_project.lib.base.successions import CommunityIds
from dagster_project.lib.base.workers import Processes, Spread, processes
from dagster_project.lib.disclosure import (
    DisclosureInputs,
    Protected,
    certificate,
    load_profile,
    protect,
    public_counts,
)
from dagster_project.lib.disclosure.derived import Derived
from dagster_project.lib.publish.public.decisions import implied_verdicts
from dagster_project.lib.publish.public.declared import declared_public
from dagster_project.lib.publish.public.edition import TEXTS, Candidate, PublicRelease, publish_public
from dagster_project.lib.publish.public.pages import Told, write_pages
from dagster_project.lib.publish.public.preview import falling_of, names_of, write_previews
from dagster_project.lib.publish.public.publication import Publication, read_publication
from dagster_project.lib.publish.public.results import Cycle, public_frames, results_of, write_results
from dagster_project.lib.publish.public.shown import Preview, current_public, unknown_words
from dagster_project.lib.publish.public.tables import Terms, public_tables
from dagster_project.lib.publish.release.dependencies import code_version, lock_sha256, protection_version
from dagster_project.lib.publish.release.opening import database_path
from dagster_project.lib.publish.release.pointing import ReleaseMissingError, read_manifest
from dagster_project.lib.publish.report.languages.published import dictionary_names, published_languages
from dagster_project.lib.publish.report.making.kept import kept_pages
from dagster_project.lib.publish.report.marts import PUBLIC, RuleParameter
from dagster_project.lib.warehouse.dbt_run import MANIFEST
from dagster_project.lib.warehouse.declared import declared_marts, vocabularies
from dagster_project.settings import PROJECT_ROOT, Settings

Frames = TypeVar("Frames", DisclosureInputs, Derived)
TERMS = "network/publication_terms"
PROFILES, LEAST_COMMUNITIES = "network/disclosure_profiles", 10
# Processes pay only where there are many cells; the result does not depend on them.
CELLS_A_PROCESS = 20_000
NEEDED = ("fct_indicator_value", "fct_trend", "fct_trend_point", "fct_gap", "fct_outcome_status", "fct_target_progress")
NO_OBJECTIONS = pl.DataFrame(schema={"community_id": pl.String, "indicator": pl.String})


@dataclass(frozen=True)
class PublicEdition(PublicStands):
    """All steps of the public edition over one set of settings."""

    def preview(self, candidate: Candidate, now: bool = False) -> Preview:
        """Write every community's preview of a candidate; `now` waives what is left of the reporting year's days."""
        years = candidate.tables["dim_reporting_year"]
        year = int(years.filter("is_latest")["reporting_year"].item())
        days, today = self._preview_days(year), self.settings.today.isoformat()
        before = self.previews.of(year, days)
        preview = Preview(
            year,
            days,
            today if before is None else before.first_written_on,
            None if before is None else before.waived_on,
            self.facts(),
            {},
        )
        if now and preview.holds(self.settings.today):
            preview = replace(preview, waived_on=today)
        tell("Writing previews")
        outbox = Store(self.settings.outbox_url, self.settings.s3_endpoint)
        tables, communities = candidate.tables, self.reference.communities
        kept = kept_pages(self.places.scratch, "preview")
        refused = write_previews(outbox, tables, communities, names_of(tables), preview, kept)
        preview = replace(preview, refused=refused)
        self.previews.keep(preview)
        self._keep_solved(candidate)
        return preview

    def _keep_solved(self, candidate: Candidate) -> None:
        self.register.keep_solved(candidate.protected.solved, candidate.protected.audited, _solving_code())

    def return_results(self, release_id: str) -> dict[str, str] | None:
        """Write each community's own results of a release beside the public network figures; refused ones, and why.

        None where the edition that is public was not made of this release: there is nothing to put beside them.
        """
        public_id = current_public(self.places.public)
        if public_id is None or public_id not in self.made_of(release_id):
            return None
        with _marts(self.settings, release_id, self.reference.names) as marts:
            years = marts.needed("dim_reporting_year")
            own = {name: marts.needed(name) for name in ("fct_indicator_value", "fct_trend", "dim_indicator")}
            groups = marts.needed("dim_population_group").select("population_group_id", "label")
        year = int(years.filter("is_latest")["reporting_year"].item())
        cycle = Cycle(release_id, public_id, year, self._least_communities())
        public = public_frames(self.places.public, public_id, ("fct_indicator_value", "fct_network_trend"))
        names = {
            "indicator_id": dict(own["dim_indicator"].select("indicator_id", "name").iter_rows()),
            "population_group_id": dict(groups.iter_rows()),
        }
        outbox = Store(self.settings.outbox_url, self.settings.s3_endpoint)
        falling = falling_of(own["dim_indicator"])
        return write_results(outbox, results_of(own, public, cycle), self.reference.communities, names, cycle, falling)

    def _least_communities(self) -> int:
        """Communities that a median told to a member rests on at least (`min_communities` of the profile's lines)."""
        lines = self.reference.table(PROFILES)
        said = (
            lines["min_communities"].drop_nulls().cast(pl.Int64) if "min_communities" in lines.columns else pl.Series()
        )
        return int(max(said, default=LEAST_COMMUNITIES))

    def candidate(self) -> Candidate:
        """Protect and audit the current release, together with everything that was ever out; nothing is written."""
        facts = self.facts()
        with _marts(self.settings, facts["release_id"], self.reference.names) as marts:
            return self._candidate(facts, marts)

    def _candidate(self, facts: Mapping[str, str], marts: _Marts) -> Candidate:
        if unknown := self.out_and_unknown():
            raise StateError(unknown_words(unknown))
        manifest = read_manifest(self.places.published, facts["release_id"])
        names = self.reference.names
        # In keyed hashes and in the register cells keep the ids that their communities began with.
        inputs = _each_frame(self._inputs(marts), names.begun)
        profile = load_profile(self.reference)
        profile = replace(profile, thresholds=names.begun(profile.thresholds))
        tell("Protecting small groups")
        begun = protect(
            inputs,
            self.register.history(),
            profile,
            self.register.key(),
            solved=self.register.solved(_solving_code()),
            audited=self.register.audited(_solving_code()),
            spread=self._spread(inputs),
        )
        protected = replace(begun, values=names.read(begun.values), derived=_each_frame(begun.derived, names.read))
        tell("Making the public tables")
        tables = public_tables(
            marts.read, protected, Terms(names.read(inputs.terms), inputs.today), *self._network(manifest)
        )
        implied = self._implied(tables)
        counts = {**public_counts(inputs, begun), "verdicts_implied_by_decisions": implied}
        paper = certificate(inputs, begun, facts["release_id"])
        paper["counts"] = counts
        paper["lost"] = _lost(inputs, begun)
        return Candidate(
            tables,
            protected,
            facts["release_id"],
            self._about(manifest),
            self.publication.package(),
            counts,
            paper,
            declared_public(declared_marts(MANIFEST, self.reference, public=True)),
            vocabularies(self.reference, public=True),
            names,
            self._told(manifest).version(),
        )

    def _spread(self, inputs: DisclosureInputs) -> Spread:
        """Where communities are protected and audited: where the run computes its figures."""
        master = self.settings.spark_master
        if master is not None:
            return OnCluster(Cluster(master, self.settings.work))
        return Processes(processes(CELLS_A_PROCESS + inputs.values.height, CELLS_A_PROCESS))

    def inputs(self) -> DisclosureInputs:
        """What the disclosure room is given of the current release."""
        with _marts(self.settings, self.facts()["release_id"], self.reference.names) as marts:
            return self._inputs(marts)

    def _inputs(self, marts: _Marts) -> DisclosureInputs:
        tables = {name: marts.needed(name) for name in NEEDED}
        objections = marts.read(OBJECTIONS_TABLE, INPUTS)
        return DisclosureInputs(
            values=tables["fct_indicator_value"],
            indicators=marts.needed("dim_indicator"),
            communities=marts.needed("dim_community"),
            geographies=marts.needed("dim_geography"),
            trend=tables["fct_trend"],
            trend_point=tables["fct_trend_point"],
            gap=tables["fct_gap"],
            gap_year=marts.read("fct_gap_year"),
            outcome_status=tables["fct_outcome_status"],
            target_progress=tables["fct_target_progress"],
            terms=self.reference.table(TERMS),
            objections=NO_OBJECTIONS if objections is None else objections,
            today=self.settings.today,
        )

    def _network(self, manifest: Mapping[str, Any]) -> tuple[Ruleset, pl.DataFrame]:
        ruleset = read_ruleset(self.reference, (manifest["ruleset_id"], manifest["ruleset_version"]))
        return ruleset, self.reference.communities.select("community_id", "joined_year", "left_year")

    def _implied(self, tables: Mapping[str, pl.DataFrame]) -> int:
        requirements = tables.get("fct_designation_requirement")
        if requirements is None:
            return 0
        seed = self.reference.table("rubric/designation_requirements").select("requirement_id", "predicate")
        predicates = {
            name: frozenset((predicate or "").split())
            for name, predicate in seed.unique().sort(seed.columns).iter_rows()
        }
        core = _core_indicators(tables["fct_outcome_status"])
        return implied_verdicts(requirements, tables["fct_outcome_status"], tables["fct_trend"], core, predicates)

    def _about(self, manifest: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "today": self.settings.today.isoformat(),
            **{name: manifest[name] for name in ("ruleset_id", "ruleset_version", "contract_version")},
            "code_version": code_version(PROJECT_ROOT),
            "profile": load_profile(self.reference).profile_id,
            "publication": self.publication.stated(),
        }

    def _told(self, manifest: Mapping[str, Any]) -> Told:
        """What the pages of a release are told, by the ruleset that its manifest names."""
        rows = ruleset_rows(self.reference).filter(
            (pl.col("ruleset_id") == manifest["ruleset_id"])
            & (pl.col("ruleset_version") == manifest["ruleset_version"])
        )
        texts = rows.select(pl.col("parameter", "value", "unit", "note").fill_null("")).iter_rows()
        return Told(
            self.reference.network_name,
            [RuleParameter(*text) for text in texts],
            published_languages(self.reference),
            dictionary_names(self.reference),
        )

    @cached_property
    def publication(self) -> Publication:
        """What the public edition says of itself: publisher, title, licence, citation."""
        return read_publication(self.reference)

    def publish(self, candidate: Candidate) -> PublicRelease:
        """Put a candidate out and keep what it was made of; AuditFailedError where it may not go out."""
        kept = kept_pages(self.places.scratch, PUBLIC)
        told = self._told(candidate.about)
        tell("Publishing the public edition")
        made = publish_public(
            self.places,
            candidate,
            lambda database, folder, manifest: write_pages(database, folder, manifest, told, kept),
        )
        if made.manifest.get(TEXTS) != candidate.texts_version():
            tell(f"The public edition has other words now; {made.public_id} keeps its own until a run of another day")
        self._keep_solved(candidate)
        self.register.keep_built(self.facts(), made.public_id)
        return made


@dataclass(frozen=True)
class _Marts:
    """Tables of one internal release, with every community under its id of now: a rename may be younger than it."""

    release_id: str
    connection: engine.Connection
    names: CommunityIds

    def read(self, name: str, schema: str = MARTS) -> pl.DataFrame | None:
        """One table; None for a release without it."""
        if name not in engine.tables_of(self.connection, schema):
            return None
        return self.names.read(self.connection.execute(f"select * from {engine.name(schema, name)}").pl())

    def needed(self, name: str) -> pl.DataFrame:
        """One table; ReleaseMissingError where the release lacks it."""
        frame = self.read(name)
        if frame is None:
            raise ReleaseMissingError(f"release {self.release_id} has no table {name}; run `cradle run`")
        return frame


@contextmanager
def _marts(settings: Settings, release_id: str, names: CommunityIds) -> Iterator[_Marts]:
    # Opened once for all of them: to open the file costs as much as to read a table of it.
    with engine.opened(database_path(settings, release_id)) as connection:
        yield _Marts(release_id, connection, names)


def _each_frame(of: Frames, read: Callable[[pl.DataFrame], pl.DataFrame]) -> Frames:
    """The same with each of its frames as `read` gives it."""
    frames: dict[str, Any] = {name: read(value) for name, value in vars(of).items() if isinstance(value, pl.DataFrame)}
    return replace(of, **frames)


def _solving_code() -> str:
    """What gives an answer beside the problem: the code and the solver that the lock names."""
    return f"{protection_version(PROJECT_ROOT)}-{lock_sha256(PROJECT_ROOT)}"


def _core_indicators(outcomes: pl.DataFrame) -> dict[tuple[str, int], frozenset[str]]:
    """Core indicators by community and reporting year, as fct_outcome_status lists them."""
    found: dict[tuple[str, int], set[str]] = {}
    columns = ["community_id", "reporting_year", "trend_by_indicator", "deciding_indicator_id"]
    for community, year, listed, deciding in outcomes.select(columns).iter_rows():
        names = {*json.loads(listed or "{}"), *([deciding] if deciding else [])}
        found.setdefault((community, year), set()).update(names)
    return {place: frozenset(names) for place, names in found.items()}


def _lost(inputs: DisclosureInputs, protected: Protected) -> list[list[Any]]:
    """table, community, rows that are withheld and rows there are: what a community loses by going public."""
    hidden = protected.cells.with_columns(pl.col("kind").is_in(["small", "complementary", "withheld_without_count"]))
    pairs = [
        ("fct_indicator_value", hidden.select("community_id", pl.col("kind").alias("hidden"))),
        ("fct_trend", _status(protected.derived.trend, "trend_status")),
        ("fct_gap", _status(protected.derived.gap, "gap_status")),
        ("fct_outcome_status", _status(protected.derived.outcome_status, "trend_status", "gap_reduced")),
        ("fct_target_progress", _status(protected.derived.target_progress, "status")),
    ]
    rows: list[list[Any]] = []
    for table, frame in pairs:
        counted = frame.group_by("community_id").agg(pl.col("hidden").sum().alias("lost"), pl.len().alias("of"))
        rows += [[table, *row] for row in counted.sort("community_id").iter_rows()]
    return rows


def _status(frame: pl.DataFrame, *columns: str) -> pl.DataFrame:
    hidden = pl.any_horizontal((pl.col(name) == "withheld").fill_null(False) for name in columns)
    return frame.select("community_id", hidden.alias("hidden"))
