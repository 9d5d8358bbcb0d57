"""The intake room: submissions as partitions, and the job that takes any set of them in one run.

Belongs here: the partitioned asset, the job with config, and one materialization for each partition taken.
Does not: listing, reading, checking or writing (lib/intake).
"""

import datetime as dt
import time
from collections.abc import Iterator
from itertools import chain

import dagster as dg
import polars as pl
from pydantic import Field

from dagster_project.defs.checks import DROP_FILES, SUBMISSIONS, SUBMITTED, astray, listed, submitted_evaluation, tell
from dagster_project.defs.partition_marks import WITHDRAWN, mark_receipts, materialization
from dagster_project.defs.resources import CradleResource
from dagster_project.instance.marks import DATA_VERSION, Marks
from dagster_project.instance.runs import INTAKE, RunFailedError, close_dead_runs, run_in_process
from dagster_project.lib.app.pipeline import Pipeline
from dagster_project.lib.base.names import NETWORK_FOLDER
from dagster_project.lib.base.store import Store, StoreError
from dagster_project.lib.intake.bucket.ledger import current_submissions, newest_states
from dagster_project.lib.intake.bucket.plan import Selection
from dagster_project.lib.intake.session import IntakeResult, TakenPartition, standing_partition
from dagster_project.partitions import COMMUNITY, SUBMISSION_PARTITIONS, YEAR, partition_key

RETRIES = 3
FEW = 50
"""Folders whose members wait for a receipt; more are a backfill, which gathers the lake once, in its build."""
TOLD_EVERY = 200
DROP = dg.AssetSpec(
    DROP_FILES,
    group_name="drop",
    kinds={"s3"},
    owners=["team:members"],
    description="The members' yearly files in the drop bucket, one folder a community and reporting year.",
    # The one asset with a clock: the bucket is listed every day, whether or not anything is in it.
    freshness_policy=dg.FreshnessPolicy.time_window(
        warn_window=dt.timedelta(hours=26), fail_window=dt.timedelta(hours=50)
    ),
)


class SelectionConfig(dg.Config):
    """Which folders are taken. Empty lists mean all; without `again`, folders that did not change are left alone."""

    communities: list[str] = Field(default_factory=list, description="Community ids; empty: all")
    years: list[int] = Field(default_factory=list, description="Reporting years; empty: all")
    again: bool = Field(default=False, description="Take folders again although nothing changed")
    accept_withdrawals: bool = Field(
        default=False, description="Go on where so many folders are missing that the bucket seems at fault"
    )

    receipts_of: int = Field(
        default=FEW,
        description="Write the receipts at the end of this run where it took at most so many folders; those of more "
        "are written by the build behind it",
    )

    def selection(self) -> Selection:
        """The selection that the pipeline takes."""
        communities, years = frozenset(self.communities) or None, frozenset(self.years) or None
        return Selection(communities, years, self.again, self.accept_withdrawals)


def take(
    context: dg.OpExecutionContext, cradle: CradleResource, selection: Selection, tell_all: bool = False
) -> IntakeResult:
    """Take the selected folders; every partition gets its own materialization with its own data version.

    This is the one code path of the UI's job, its backfill dialog, the sensor, and `cradle run`. With `tell_all` every
    partition answers the check SUBMITTED, otherwise only where the answer is, or was until now, no. A bucket that
    cannot be reached is tried again with growing waits.
    """
    pipeline = cradle.pipeline()
    try:
        return _taken(context, pipeline, selection, tell_all)
    except StoreError as error:
        # A folder of this machine that cannot be read does not mend itself within seconds.
        if pipeline.drop.folder is not None and pipeline.lake.folder is not None:
            raise
        raise dg.RetryRequested(max_retries=RETRIES, seconds_to_wait=5 * 3**context.retry_number) from error


def _taken(context: dg.OpExecutionContext, pipeline: Pipeline, selection: Selection, tell_all: bool) -> IntakeResult:
    events = pipeline.ledger.events()
    standing = current_submissions(events).filter(status="rejected")
    refused = set(standing.select("community_id", "reporting_year").iter_rows())
    known = set(SUBMISSION_PARTITIONS.get_partition_keys())
    result: IntakeResult | None = None
    done, started = 0, time.perf_counter()
    with Marks(context) as marks:
        for item in chain(
            left_unmarked(context.instance, pipeline.lake, events), pipeline.take(selection, context.run_id)
        ):
            if isinstance(item, IntakeResult):
                result = item
                continue
            key = partition_key(item.community_id, item.reporting_year)
            if key not in known:
                continue
            marks.add(materialization(item, key, pipeline.settings.outbox_url))
            done += 1
            if done % TOLD_EVERY == 0:
                # Each line is an event of the run; a few are enough to watch a backfill.
                context.log.info(f"{done} folders taken so far")
            if tell_all or item.status == "rejected" or (item.community_id, item.reporting_year) in refused:
                tell(context, submitted(item, key))
    if result is None:
        raise dg.Failure("intake ended without a result")
    took = {"folders_taken": len(result.taken), "seconds_of_step": round(time.perf_counter() - started, 3)}
    context.log_event(listed(result.listing, took))
    tell(context, astray(result.strays))
    for community_id, year, file, rule in result.left.select(
        "community_id", "reporting_year", "source_file", "rule_id"
    ).iter_rows():
        context.log.warning(f"left as it stood: {community_id}/{year}/{file or ''} ({rule})")
    context.log.info(f"{len(result.taken)} folders taken, {result.strays.height} things in no submission")
    return result


def left_unmarked(instance: dg.DagsterInstance, lake: Store, events: pl.DataFrame) -> Iterator[TakenPartition]:
    """Folders that a run which died had taken and could not mark any more.

    Intake finds nothing new in them, so without this their partitions would look untaken for ever.
    """
    ended_badly = [dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED]
    died = [run.run_id for run in instance.get_runs(dg.RunsFilter(statuses=ended_badly))]
    left = newest_states(events).filter(pl.col("run_id").is_in(died))
    place = ("community_id", "reporting_year", "submission_id")
    for community_id, year, submission_id in left.select(place).iter_rows():
        only = dg.AssetRecordsFilter(SUBMISSIONS, asset_partitions=[partition_key(community_id, year)])
        marks = instance.fetch_materializations(only, limit=1).records
        told = marks[0].asset_materialization if marks else None
        if told is None or (told.tags or {}).get(DATA_VERSION) != (submission_id or WITHDRAWN):
            yield standing_partition(lake, community_id, year, submission_id)


def submitted(item: TakenPartition, key: dg.MultiPartitionKey) -> dg.AssetCheckEvaluation:
    """The partition's own answer to SUBMITTED; one that was withdrawn is judged by the calendar later."""
    return submitted_evaluation(
        key,
        passed=item.status != "rejected",
        description=f"{item.status}: {item.rows_accepted} of {item.rows_read} rows accepted",
        metadata={"rows_rejected": item.rows_rejected, "findings": item.findings},
    )


@dg.multi_asset(
    specs=[
        dg.AssetSpec(
            SUBMISSIONS,
            deps=[DROP],
            group_name="intake",
            kinds={"python", "parquet"},
            owners=["team:data-team"],
            partitions_def=SUBMISSION_PARTITIONS,
            # Partitions report themselves, each with its own metadata; the output as a whole adds nothing.
            skippable=True,
            description="Accepted rows, findings and files of each community and reporting year, in the lake.",
        )
    ],
    check_specs=[SUBMITTED],
    # A check that has nothing to say of this run is left out, which only a step that can be subset may do.
    can_subset=True,
    backfill_policy=dg.BackfillPolicy.single_run(),
    pool="warehouse",
)
def submissions(context: dg.AssetExecutionContext, cradle: CradleResource) -> Iterator[dg.MaterializeResult]:  # type: ignore[type-arg]
    """Take the folders of the partitions asked for, in one run."""
    keys = [key.keys_by_dimension for key in context.partition_keys if isinstance(key, dg.MultiPartitionKey)]
    wanted = Selection(frozenset(key[COMMUNITY] for key in keys), frozenset(int(key[YEAR]) for key in keys), again=True)
    take(context.op_execution_context, cradle, wanted, tell_all=True)
    yield from ()


@dg.op(
    description="Take the selected folders of the drop bucket: any set of communities and years in one run.",
    pool="warehouse",
    out=dg.Out(dg.Nothing),
)
def take_folders(context: dg.OpExecutionContext, config: SelectionConfig, cradle: CradleResource) -> None:
    """The op behind the job `ingest`."""
    result = take(context, cradle, config.selection())
    waiting = result.communities - {NETWORK_FOLDER}
    if waiting and len(result.taken) <= config.receipts_of:
        pipeline = cradle.pipeline()
        receipts = pipeline.receive(waiting)
        mark_receipts(context, receipts, pipeline.settings.outbox_url)
        context.log.info(f"{len(receipts)} receipts written")


class BehindConfig(dg.Config):
    """What follows an intake in its process."""

    build: bool = Field(
        default=False,
        description="Run the job `build` once receipts are out, unless more waits in the bucket; the sensor asks so",
    )


@dg.op(
    description="The job `build` as a run of its own in this process, where it was asked for and nothing else waits.",
    ins={"taken": dg.In(dg.Nothing)},
    pool="warehouse",
    out=dg.Out(dg.Nothing),
)
def build_behind(context: dg.OpExecutionContext, config: BehindConfig, cradle: CradleResource) -> None:
    """What it does not build is left to the sensor: what came meanwhile is taken first, a failed build is asked for."""
    if not config.build:
        return
    pipeline = cradle.pipeline()
    if pipeline.pending():
        context.log.info("more waits in the bucket: it is taken before anything is built")
        return
    if pipeline.up_to_date() is not None and not pipeline.undelivered():
        context.log.info("the current release holds what stands")
        return
    close_dead_runs(context.instance)
    try:
        run_id = run_in_process(pipeline.settings, context.instance, "build", INTAKE)
    except RunFailedError as error:
        context.log.error(f"the build behind this intake failed: {error}")
        return
    context.log.info(f"built by run {run_id}")


# The resource is bound here: bound later, the sensor that asks for the job would be copied, with a notice at each load.
@dg.job(
    executor_def=dg.in_process_executor,
    tags={"room": "intake"},
    resource_defs={"cradle": CradleResource()},
)
def ingest() -> None:
    """Intake of any set of communities and reporting years in one run; each partition is marked by itself."""
    build_behind(take_folders())
