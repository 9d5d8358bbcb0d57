"""The warehouse room: landing files and dbt's models as assets, dbt's tests as checks.

Belongs here: the landing asset, the two dbt builds, their translation to keys, groups, checks and lineage.
Does not: SQL (dbt/), calling dbt (lib/warehouse/dbt_run.py), gathering rows (lib/warehouse/landing.py).
"""

import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import dagster as dg
import polars as pl
from dagster_dbt import DagsterDbtTranslator, dbt_assets

import contracts
from dagster_project.defs.checks import (
    CONSERVED,
    CONTRACT,
    IN_TIME,
    MAPPED,
    RULES_KEPT,
    STATUS,
    SUBMISSIONS,
    shown_table,
    submitted_evaluation,
    tell,
    told,
)
from dagster_project.defs.partition_marks import mark_receipts
from dagster_project.defs.resources import CradleResource
from dagster_project.lib.app.pipeline import Pipeline
from dagster_project.lib.base import engine
from dagster_project.lib.base.names import MARTS, NETWORK_FOLDER
from dagster_project.lib.monitoring.freshness import MISSING, changed_verdicts, lateness_by_year
from dagster_project.lib.monitoring.verdicts import (
    conservation_verdict,
    contract_verdict,
    labels_verdict,
    rules_verdict,
)
from dagster_project.lib.publish.release.opening import open_release
from dagster_project.lib.publish.release.pointing import ReleaseMissingError
from dagster_project.lib.warehouse.dbt_run import MANIFEST, raise_for
from dagster_project.lib.warehouse.declared import PROMISES, promised_in_words
from dagster_project.lib.warehouse.landing import Landed
from dagster_project.lib.warehouse.made_from import CORE, LANDING, REPORTING
from dagster_project.lib.warehouse.standing import NodeResult
from dagster_project.partitions import SUBMISSION_PARTITIONS, partition_key

LANDING_TABLES = (
    "observations",
    "files",
    "findings",
    "submissions",
    "network_submissions",
    "submission_states",
    "waiting_register_rows",
    "run_context",
    *(f"register_{name}" for name in contracts.landed_registers()),
)
# Plain eager() never fires while a partition is missing upstream, and most years of most communities are.
FOLLOWS = dg.AutomationCondition.eager().without(~dg.AutomationCondition.any_deps_missing())
UNIQUE_ID = "dagster_dbt/unique_id"
# A test of several models speaks of the one that is built last.
LAYERS = ("seeds", "staging", "intermediate", "marts", "reporting", "semantic")


class RoomTranslator(DagsterDbtTranslator):
    """Groups by layer, owners, kinds, lineage of columns, and the automation that follows submissions."""

    def get_asset_spec(self, manifest: Mapping[str, Any], unique_id: str, project: Any) -> dg.AssetSpec:
        """dagster-dbt's own spec with the house's group, owner, automation and lineage."""
        spec = super().get_asset_spec(manifest, unique_id, project)
        node = _node(manifest, unique_id)
        return spec.replace_attributes(
            group_name=_layer(node), owners=["team:data-team"], automation_condition=FOLLOWS
        ).merge_attributes(kinds={"duckdb"}, metadata=self._column_lineage(manifest, node))

    def get_asset_check_spec(
        self, asset_spec: dg.AssetSpec, manifest: Mapping[str, Any], unique_id: str, project: Any
    ) -> dg.AssetCheckSpec | None:
        """A test of a table is a check of it, with what it promises in words; one over several models belongs to the
        last one built."""
        node = _node(manifest, unique_id)
        models = node["depends_on"]["nodes"]
        own = node.get("attached_node")
        last = own or max(models, key=lambda model: (LAYERS.index(_layer(_node(manifest, model))), model))
        keys = {model: self.get_asset_key(_node(manifest, model)) for model in models}
        if keys[last] != asset_spec.key:
            return None
        return dg.AssetCheckSpec(
            PROMISES if own else node["name"],
            asset=asset_spec.key,
            description=promised_in_words(node["test_metadata"]["kwargs"]) if own else node.get("description") or None,
            additional_deps=[key for model, key in sorted(keys.items()) if model != last],
            metadata={UNIQUE_ID: unique_id},
            blocking=node["config"]["severity"].lower() == "error",
        )

    def _column_lineage(self, manifest: Mapping[str, Any], node: Mapping[str, Any]) -> dict[str, Any]:
        """Columns that a model takes over by name from its only parent: renaming and typing, no arithmetic."""
        parents = node["depends_on"]["nodes"] if node["resource_type"] == "model" else []
        if len(parents) != 1:
            return {}
        parent = _node(manifest, parents[0])
        key = self.get_asset_key(parent)
        # Columns of the landing sources are declared by the contracts; analysis declares none, the models promise them.
        known = set(parent["columns"]) or set(node["columns"])
        deps = {name: [dg.TableColumnDep(key, name)] for name in node["columns"] if name in known}
        return {"dagster/column_lineage": dg.MetadataValue.column_lineage(dg.TableColumnLineage(deps))} if deps else {}


def _node(manifest: Mapping[str, Any], unique_id: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = manifest["nodes"].get(unique_id) or manifest["sources"][unique_id]
    return found


def _layer(node: Mapping[str, Any]) -> str:
    return "seeds" if node["resource_type"] == "seed" else str(node["fqn"][1])


@dg.multi_asset(
    specs=[
        dg.AssetSpec(
            dg.AssetKey(["landing", name]),
            deps=[SUBMISSIONS],
            group_name="landing",
            kinds={"parquet"},
            owners=["team:data-team"],
            automation_condition=FOLLOWS,
            description=f"The lake's {name.replace('_', ' ')}, gathered from all partitions for dbt.",
        )
        for name in LANDING_TABLES
    ],
    check_specs=[CONTRACT, CONSERVED, MAPPED, RULES_KEPT],
    pool="warehouse",
)
def landing(context: dg.AssetExecutionContext, cradle: CradleResource) -> Iterator[Any]:
    """Gather the lake's partitions and write the receipts that changed."""
    started = time.perf_counter()
    pipeline = cradle.pipeline()
    passed = pipeline.begin(LANDING)
    landed, receipts = pipeline.land()
    checks = [*landing_checks(landed), told(RULES_KEPT, rules_verdict(pipeline.rewritten_rulesets))]
    if all(check.passed for check in checks if check.check_name == CONSERVED.name):
        passed()
    mark_receipts(context.op_execution_context, receipts, pipeline.settings.outbox_url)
    seconds = round(time.perf_counter() - started, 3)
    context.log.info(f"{len(receipts)} receipts written")
    for name in LANDING_TABLES:
        yield dg.MaterializeResult(
            asset_key=dg.AssetKey(["landing", name]),
            metadata={"dagster/row_count": landed[name].height, "seconds_of_step": seconds},
        )
    yield from checks


def landing_checks(landed: Landed) -> Iterator[dg.AssetCheckResult]:
    """What the landing as a whole says of itself."""
    yield told(CONTRACT, contract_verdict(landed["submissions"]))
    conserved = conservation_verdict(
        landed["files"], landed["submissions"], NETWORK_FOLDER, landed.rows_by_file(), landed["register_declarations"]
    )
    yield told(CONSERVED, conserved)
    yield told(MAPPED, labels_verdict(landed["observations"], landed["waiting_register_rows"]))


def build_events(
    context: dg.AssetExecutionContext, results: Sequence[NodeResult], warehouse: Path
) -> Iterator[dg.MaterializeResult | dg.AssetCheckResult]:  # type: ignore[type-arg]
    """dbt's results as events: models and seeds as materializations, tests as checks of the asset they speak of.

    A run of a few assets of the room builds the whole room, as the job does, and reports what was asked for.
    """
    definition = context.assets_def
    keys = {spec.metadata[UNIQUE_ID]: spec.key for spec in definition.specs if UNIQUE_ID in spec.metadata}
    checks = {spec.metadata[UNIQUE_ID]: spec for spec in definition.check_specs if spec.metadata}
    rows = row_counts(
        warehouse, [keys[result.unique_id] for result in results if result.passed and result.unique_id in keys]
    )
    for result in results:
        key, check = keys.get(result.unique_id), checks.get(result.unique_id)
        if key in context.selected_asset_keys and result.passed:
            counted = {"dagster/row_count": rows[key]} if key in rows else {}
            yield dg.MaterializeResult(asset_key=key, metadata={"seconds": round(result.seconds, 3), **counted})
        elif check is not None and check.key in context.selected_asset_check_keys and result.status != "skipped":
            severity = dg.AssetCheckSeverity.WARN if result.status == "warn" else dg.AssetCheckSeverity.ERROR
            yield dg.AssetCheckResult(
                passed=result.passed,
                asset_key=check.asset_key,
                check_name=check.name,
                severity=severity,
                metadata={"failing_rows": result.failures or 0, "message": result.message or "passed"},
            )
    raise_for(results)


def row_counts(warehouse: Path, built: Collection[dg.AssetKey]) -> dict[dg.AssetKey, int]:
    """Rows of every table of the warehouse, from its own catalogue, and of each mart just built that is a view.

    No other view: one that another step builds may name files where they lay before the home was moved.
    """
    if not warehouse.exists():
        return {}
    with engine.opened(warehouse) as connection:
        query = "select schema_name, table_name, estimated_size from duckdb_tables()"
        rows = {(schema, table): int(n) for schema, table, n in connection.execute(query).fetchall()}
        for mart in engine.tables_of(connection, MARTS):
            if (MARTS, mart) not in rows and dg.AssetKey([MARTS, mart]) in built:
                counted = connection.execute(f"select count(*) from {engine.name(MARTS, mart)}").fetchall()
                rows[MARTS, mart] = int(counted[0][0])
    return {dg.AssetKey([*place]): n for place, n in rows.items()}


@dbt_assets(
    manifest=MANIFEST,
    exclude="tag:reporting",
    dagster_dbt_translator=RoomTranslator(),
    name="dbt_core",
    pool="warehouse",
)
def dbt_core(context: dg.AssetExecutionContext, cradle: CradleResource) -> Iterator[Any]:
    """Seeds, staging, intermediate and the marts that need no Python."""
    pipeline = cradle.pipeline()
    passed = pipeline.begin(CORE)
    yield from build_events(context, pipeline.build_core(), pipeline.settings.warehouse)
    passed()


@dbt_assets(
    manifest=MANIFEST,
    select="tag:reporting",
    dagster_dbt_translator=RoomTranslator(),
    name="dbt_reporting",
    pool="warehouse",
)
def dbt_reporting(context: dg.AssetExecutionContext, cradle: CradleResource) -> Iterator[Any]:
    """The marts over what analysis computed."""
    pipeline = cradle.pipeline()
    passed = pipeline.begin(REPORTING)
    yield from build_events(context, pipeline.build_reporting(), pipeline.settings.warehouse)
    passed()


@dg.multi_asset_check(name="hold_against_calendar", specs=[IN_TIME], pool="warehouse")
def hold_against_calendar(
    context: dg.AssetCheckExecutionContext, cradle: CradleResource
) -> Iterator[dg.AssetCheckResult]:
    """Say by reporting year who is late, and give each community-year whose state changed its own answer."""
    pipeline = cradle.pipeline()
    status = _status(pipeline)
    known = set(SUBMISSION_PARTITIONS.get_partition_keys())
    # Where Dagster's own history is new, every answer is, whatever was published before.
    built = len(context.instance.fetch_materializations(STATUS, limit=2).records)
    before = _published_status(pipeline) if built > 1 else None
    for community_id, year, state, due_on in changed_verdicts(status, before).iter_rows():
        key = partition_key(community_id, year)
        if key in known:
            said = f"{state}, due on {due_on}"
            tell(context.op_execution_context, submitted_evaluation(key, state not in MISSING, said))
    by_year = lateness_by_year(status)
    late = int(by_year["late"].sum())
    yield dg.AssetCheckResult(
        passed=not late,
        asset_key=STATUS,
        check_name=IN_TIME.name,
        severity=dg.AssetCheckSeverity.WARN,
        description=f"on {pipeline.settings.today}: {late} community-years are late",
        metadata={
            "late": late,
            "rejected": int(by_year["rejected"].sum()),
            **shown_table("by_year", by_year),
            **shown_table("late_now", status.filter(status="late").select("community_id", "reporting_year", "due_on")),
        },
    )


STATUS_QUERY = (
    "select community_id, reporting_year, status, due_on, submission_id from marts.fct_submission_status order by all"
)


def _status(pipeline: Pipeline) -> pl.DataFrame:
    with engine.opened(pipeline.settings.warehouse) as connection:
        return connection.execute(STATUS_QUERY).pl()


def _published_status(pipeline: Pipeline) -> pl.DataFrame | None:
    try:
        with open_release(pipeline.settings) as connection:
            return connection.execute(STATUS_QUERY).pl()
    except ReleaseMissingError:
        return None
