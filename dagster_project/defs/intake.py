"""The intake room: submissions as partitions, and the job that takes any set of them in one run.

Belongs here: the partitioned asset, the job with config, and one materialization for each partition taken.
Does not: listing, reading, checking or writing (lib/intake).
"""

from collections.abc import Iterator

import dagster as dg
from pydantic import Field

from dagster_project.defs.resources import CradleResource
from dagster_project.lib.intake.plan import Selection
from dagster_project.lib.intake.session import IntakeResult, TakenPartition
from dagster_project.partitions import COMMUNITY, SUBMISSION_PARTITIONS, YEAR, partition_key

SUBMISSIONS = dg.AssetKey(["lake", "submissions"])
DROP = dg.AssetSpec(
    dg.AssetKey(["drop", "files"]),
    group_name="drop",
    kinds={"s3"},
    owners=["team:members"],
    description="The members' yearly files in the drop bucket, one folder a community and reporting year.",
)


class SelectionConfig(dg.Config):
    """Which folders are taken. Empty lists mean all; without `again`, folders that did not change are left alone."""

    communities: list[str] = Field(default_factory=list, description="Community ids; empty: all")
    years: list[int] = Field(default_factory=list, description="Reporting years; empty: all")
    again: bool = Field(default=False, description="Take folders again although nothing changed")

    def selection(self) -> Selection:
        """The selection that the pipeline takes."""
        return Selection(frozenset(self.communities) or None, frozenset(self.years) or None, again=self.again)


def take(context: dg.OpExecutionContext, cradle: CradleResource, selection: Selection) -> IntakeResult:
    """Take the selected folders; every partition gets its own materialization with its own data version.

    This is the one code path of the UI's job, its backfill dialog, the sensor, and `cradle run`.
    """
    result: IntakeResult | None = None
    for item in _reported(context, cradle.pipeline().take(selection, context.run_id)):
        result = item
    if result is None:
        raise dg.Failure("intake ended without a result")
    context.log.info(f"{len(result.taken)} folders taken, {result.strays.height} things in no submission")
    return result


def _reported(context: dg.OpExecutionContext, items: Iterator[TakenPartition | IntakeResult]) -> Iterator[IntakeResult]:
    known = set(SUBMISSION_PARTITIONS.get_partition_keys())
    for item in items:
        if isinstance(item, IntakeResult):
            yield item
        else:
            key = partition_key(item.community_id, item.reporting_year)
            if key in known:
                context.log_event(materialization(item, key))


def materialization(item: TakenPartition, key: dg.MultiPartitionKey) -> dg.AssetMaterialization:
    """What Dagster keeps of one partition: its data version is the submission id."""
    return dg.AssetMaterialization(
        SUBMISSIONS,
        partition=key,
        metadata={
            "status": item.status,
            "submission_id": item.submission_id or "none",
            "files": item.n_files,
            "rows_read": item.rows_read,
            "rows_accepted": item.rows_accepted,
            "rows_rejected": item.rows_rejected,
            "rejected_share": item.rows_rejected / item.rows_read if item.rows_read else 0.0,
            "findings": item.findings,
            "contract_version": item.contract_version or 0,
        },
        tags={"dagster/data_version": item.submission_id or "withdrawn"},
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
    backfill_policy=dg.BackfillPolicy.single_run(),
    pool="warehouse",
)
def submissions(context: dg.AssetExecutionContext, cradle: CradleResource) -> Iterator[dg.MaterializeResult]:  # type: ignore[type-arg]
    """Take the folders of the partitions asked for, in one run."""
    keys = [key.keys_by_dimension for key in context.partition_keys if isinstance(key, dg.MultiPartitionKey)]
    wanted = Selection(frozenset(key[COMMUNITY] for key in keys), frozenset(int(key[YEAR]) for key in keys), again=True)
    take(context.op_execution_context, cradle, wanted)
    yield from ()


@dg.op(
    description="Take the selected folders of the drop bucket: any set of communities and years in one run.",
    pool="warehouse",
    out=dg.Out(dg.Nothing),
)
def take_folders(context: dg.OpExecutionContext, config: SelectionConfig, cradle: CradleResource) -> None:
    """The op behind the job `ingest`."""
    take(context, cradle, config.selection())


@dg.job(executor_def=dg.in_process_executor, tags={"room": "intake"})
def ingest() -> None:
    """Intake of any set of communities and reporting years in one run; each partition is marked by itself."""
    take_folders()
