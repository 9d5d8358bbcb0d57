"""The publish room: the internal release and the public edition as assets.

Belongs here: the release, the public edition with its audit as a blocking check, the jobs that make them.
Does not: copying, hashing, pages (lib/publish), protecting (lib/disclosure).
"""

import time
from collections.abc import Iterator, Sequence
from typing import Any

import dagster as dg
from pydantic import Field

from dagster_project.defs.resources import CradleResource
from dagster_project.defs.warehouse import FOLLOWS, dbt_core, dbt_reporting
from dagster_project.lib.app.pipeline import Pipeline
from dagster_project.lib.app.public import PublicEdition
from dagster_project.lib.base.names import MARTS
from dagster_project.lib.monitoring.worklist import unread_objections
from dagster_project.lib.publish.public.edition import failure_lines
from dagster_project.lib.publish.release.pointing import summary_key
from dagster_project.lib.publish.server.current import BiServer
from dagster_project.lib.publish.server.loading import PUBLIC_MARTS, ServerError

RELEASE = dg.AssetKey(["publish", "release"])
PUBLIC = dg.AssetKey(["publish", "public"])
AUDIT, OBJECTIONS = "audit_passed", "objections_read"
# Cells named in a failed run's error; the certificate of a dry run has them all.
CELLS_NAMED = 20
# The release copies schema `marts` whole, so it waits for every table and every blocking check of it.
RELEASED = sorted(spec.key for room in (dbt_core, dbt_reporting) for spec in room.specs if spec.key.path[0] == "marts")


@dg.asset(
    key=RELEASE,
    deps=RELEASED,
    group_name="publish",
    kinds={"duckdb", "html"},
    owners=["team:data-team"],
    automation_condition=FOLLOWS,
    pool="warehouse",
    description="The immutable release: internal.duckdb, manifest and the national report; `current` points at it.",
)
def release(context: dg.AssetExecutionContext, cradle: CradleResource) -> dg.MaterializeResult:  # type: ignore[type-arg]
    """Publish the warehouse as it stands; refused if it was not built from what stands."""
    pipeline = cradle.pipeline()
    _refuse_outdated(pipeline)
    started = time.perf_counter()
    made = pipeline.release()
    rows = {table["name"]: table["rows"] for table in made.manifest["tables"]}
    return dg.MaterializeResult(
        metadata={
            "release_id": made.release_id,
            "new": made.is_new,
            "edition": made.manifest["report_edition"],
            "tables": len(rows),
            "rows": sum(rows.values()),
            "seconds_of_step": round(time.perf_counter() - started, 3),
            **_what_changed(pipeline, made.release_id),
        },
        data_version=dg.DataVersion(made.release_id),
    )


def _what_changed(pipeline: Pipeline, release_id: str) -> dict[str, dg.MetadataValue[Any]]:
    """How much the release changed, and where that stands line by line; nothing where no summary was kept.

    Names of files and folders stay in the file: what Dagster keeps is not found again when one is forgotten.
    """
    kept = pipeline.published.get_or_none(summary_key(release_id))
    if kept is None:
        return {}
    heads = [f"- {line}" for line in kept.decode().splitlines() if ": " in line and not line.startswith(" ")]
    path = f"{pipeline.settings.publish_url}/{summary_key(release_id)}"
    return {"what_changed": dg.MetadataValue.md("\n".join(heads)), "summary": dg.MetadataValue.path(path)}


def _refuse_outdated(pipeline: Pipeline) -> None:
    """Steps launched by themselves, or a build continued from its middle, would carry the name of newer inputs."""
    if not pipeline.made_from.is_all_of(pipeline.release_facts().inputs_sha256):
        raise dg.Failure(
            "The bucket, the frozen cycles, the seeds, the rules, the code or the day changed after this build began, "
            "or one of its steps was left out or did not pass; run the job `build` from its start."
        )


class PublicConfig(dg.Config):
    """How the public edition is made."""

    now: bool = Field(default=False, description="Do not wait for the days that communities have for their previews.")


@dg.asset(
    key=PUBLIC,
    deps=[RELEASE],
    group_name="publish",
    kinds={"duckdb", "parquet", "csv", "html"},
    owners=["team:data-team"],
    automation_condition=FOLLOWS,
    pool="warehouse",
    output_required=False,
    check_specs=[
        dg.AssetCheckSpec(
            AUDIT,
            asset=PUBLIC,
            blocking=True,
            description="No hidden cell of the finished public tables can be worked out, from all releases together.",
        ),
        dg.AssetCheckSpec(
            OBJECTIONS,
            asset=PUBLIC,
            description="Every community's objection to publication could be read; one that cannot withholds nothing. "
            "Its failures are warnings, which never hold the edition back.",
        ),
    ],
    description="The public edition of the current release, protected and audited together with every public release "
    "before it. CRADLE_PUBLIC=off leaves it out.",
)
def public(
    context: dg.AssetExecutionContext, cradle: CradleResource, config: PublicConfig
) -> Iterator[dg.AssetCheckResult | dg.MaterializeResult]:  # type: ignore[type-arg]
    """Publish the public edition; where the audit fails nothing public is written and the internal release stays.

    Communities see it first: while days are left for their previews nothing more is done.
    """
    settings = cradle.pipeline().settings
    if not settings.public:
        context.log.info("CRADLE_PUBLIC=off: no public edition")
        for name in (AUDIT, OBJECTIONS):
            yield dg.AssetCheckResult(
                passed=True, check_name=name, asset_key=PUBLIC, metadata={"left_out": "CRADLE_PUBLIC=off"}
            )
        return
    started = time.perf_counter()
    edition = PublicEdition(settings)
    yield _objections_read([said for said, _ in unread_objections(settings)])
    candidate = edition.candidate()
    failed = failure_lines(candidate)
    yield dg.AssetCheckResult(
        passed=not failed,
        check_name=AUDIT,
        asset_key=PUBLIC,
        metadata={"cells": len(failed), "judged": candidate.protected.audit.judged},
    )
    if failed:
        named = "; ".join(failed[:CELLS_NAMED])
        more = f"; and {len(failed) - CELLS_NAMED:,} more" if len(failed) > CELLS_NAMED else ""
        raise dg.Failure(f"The public edition was not published, its audit failed: {named}{more}")
    preview = edition.preview(candidate, config.now)
    if preview.holds(settings.today):
        context.log.info(f"Waits for previews of {preview.first_written_on} until {preview.public_from}")
        return
    made = edition.publish(candidate)
    yield dg.MaterializeResult(
        asset_key=PUBLIC,
        metadata={
            "public_id": made.public_id,
            "new": made.is_new,
            "cells_by_kind": dg.MetadataValue.json(candidate.counts["cells_by_kind"]),
            "programs": candidate.counts["programs"],
            "seconds_of_step": round(time.perf_counter() - started, 3),
        },
        data_version=dg.DataVersion(made.public_id),
    )


def _objections_read(unread: Sequence[str]) -> dg.AssetCheckResult:
    """Whether every objection could be read, by the sentences of those that could not.

    What is wrong with one quotes a file that may be forgotten, and what Dagster keeps would not be.
    """
    why = f"{'; '.join(sorted(set(unread)))}; `cradle worklist` says what is wrong"
    return dg.AssetCheckResult(
        passed=not unread,
        check_name=OBJECTIONS,
        asset_key=PUBLIC,
        severity=dg.AssetCheckSeverity.WARN,
        description=f"{why[0].upper()}{why[1:]}" if unread else "Every objection could be read",
        metadata={"unread": len(unread)},
    )


def _served(schema: str, follows: dg.AssetKey, what: str) -> dg.AssetsDefinition:
    """A schema of the PostgreSQL server as an asset; without a server there is none and nothing is done."""

    @dg.asset(
        key=["server", schema],
        deps=[follows],
        group_name="publish",
        kinds={"postgres"},
        owners=["team:data-team"],
        automation_condition=FOLLOWS,
        pool="warehouse",
        output_required=False,
        description=f"Schema {schema} of the PostgreSQL server for BI tools (CRADLE_POSTGRES_URL): {what}.",
    )
    def served(context: dg.AssetExecutionContext, cradle: CradleResource) -> Iterator[dg.MaterializeResult]:  # type: ignore[type-arg]
        bi_server = BiServer.of(cradle.pipeline().settings)
        if bi_server is None:
            context.log.info("CRADLE_POSTGRES_URL is not set: no server to load")
            return
        started = time.perf_counter()
        try:
            loaded = bi_server.bring(schema)
        except ServerError as error:
            raise dg.Failure(f"The release stands, the PostgreSQL server was not loaded: {error}") from None
        if loaded is None:
            context.log.info("no release is current: the schema is empty")
            return
        yield dg.MaterializeResult(
            metadata={
                "release_id": loaded.release_id,
                "new": loaded.is_new,
                "tables": loaded.tables,
                "rows": loaded.rows,
                "seconds_of_step": round(time.perf_counter() - started, 3),
            },
            data_version=dg.DataVersion(loaded.release_id),
        )

    return served


server_marts = _served(MARTS, RELEASE, "the current internal release, for the data team and for members' own rows")
server_public_marts = _served(PUBLIC_MARTS, PUBLIC, "the current public edition")

publish_public = dg.define_asset_job(
    "public",
    selection=dg.AssetSelection.assets(PUBLIC, server_public_marts.key),
    executor_def=dg.in_process_executor,
    description="The public edition of the current release alone.",
)
build = dg.define_asset_job(
    "build",
    selection=dg.AssetSelection.all() - dg.AssetSelection.assets(["lake", "submissions"]),
    executor_def=dg.in_process_executor,
    # Landing and warehouse belong together: a build whose process died is started again as a whole.
    tags={"dagster/retry_strategy": "ALL_STEPS"},
    description="From the lake to a published release: landing, dbt, analysis, dbt reporting, release, public edition.",
)
