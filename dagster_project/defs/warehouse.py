"""The warehouse room: landing files and dbt's models as assets, dbt's tests as checks.

Belongs here: the landing asset, the two dbt builds, their translation to keys and groups.
Does not: SQL (dbt/), calling dbt (lib/warehouse/dbt_run.py), gathering rows (lib/warehouse/landing.py).
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslator, dbt_assets

import contracts
from dagster_project.defs.intake import SUBMISSIONS
from dagster_project.defs.resources import CradleResource
from dagster_project.lib.warehouse.dbt_run import MANIFEST, NodeResult, raise_for

LANDING_TABLES = (
    "observations",
    "files",
    "findings",
    "submissions",
    "submission_states",
    "run_context",
    *(f"register_{name}" for name in contracts.registers(contracts.newest_version())),
)
FOLLOWS = dg.AutomationCondition.eager().without(~dg.AutomationCondition.any_deps_missing())
UNIQUE_ID = "dagster_dbt/unique_id"


class RoomTranslator(DagsterDbtTranslator):
    """Groups by layer, owners, kinds, and the automation that follows submissions."""

    def get_asset_spec(self, manifest: Mapping[str, Any], unique_id: str, project: Any) -> dg.AssetSpec:
        """dagster-dbt's own spec with the house's group, owner and automation."""
        spec = super().get_asset_spec(manifest, unique_id, project)
        node = manifest["nodes"].get(unique_id) or manifest["sources"][unique_id]
        layer = "seeds" if node["resource_type"] == "seed" else node["fqn"][1]
        return spec.replace_attributes(
            group_name=layer, owners=["team:data-team"], automation_condition=FOLLOWS
        ).merge_attributes(kinds={"duckdb"})


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
    pool="warehouse",
)
def landing(context: dg.AssetExecutionContext, cradle: CradleResource) -> Iterator[dg.MaterializeResult]:  # type: ignore[type-arg]
    """Gather the lake's partitions and write the receipts that changed."""
    landed, receipts = cradle.pipeline().land()
    context.log.info(f"{len(receipts)} receipts written")
    for name in LANDING_TABLES:
        yield dg.MaterializeResult(
            asset_key=dg.AssetKey(["landing", name]), metadata={"dagster/row_count": landed[name].height}
        )


def build_events(
    context: dg.AssetExecutionContext, results: Sequence[NodeResult]
) -> Iterator[dg.MaterializeResult | dg.AssetCheckResult]:  # type: ignore[type-arg]
    """dbt's results as events: models and seeds as materializations, tests as checks of the asset they speak of."""
    definition = context.assets_def
    keys = {spec.metadata[UNIQUE_ID]: spec.key for spec in definition.specs if UNIQUE_ID in spec.metadata}
    checks = {spec.metadata[UNIQUE_ID]: spec for spec in definition.check_specs if spec.metadata}
    for result in results:
        if result.unique_id in keys and result.passed:
            yield dg.MaterializeResult(asset_key=keys[result.unique_id], metadata={"seconds": result.seconds})
        elif result.unique_id in checks:
            check = checks[result.unique_id]
            severity = dg.AssetCheckSeverity.WARN if result.status == "warn" else dg.AssetCheckSeverity.ERROR
            yield dg.AssetCheckResult(
                passed=result.passed,
                asset_key=check.asset_key,
                check_name=check.name,
                severity=severity,
                metadata={"failing_rows": result.failures or 0, "message": result.message or "passed"},
            )
    raise_for(results)


@dbt_assets(
    manifest=MANIFEST,
    exclude="tag:reporting",
    dagster_dbt_translator=RoomTranslator(),
    name="dbt_core",
    pool="warehouse",
)
def dbt_core(context: dg.AssetExecutionContext, cradle: CradleResource) -> Iterator[Any]:
    """Seeds, staging, intermediate and the marts that need no Python."""
    yield from build_events(context, cradle.pipeline().build_core())


@dbt_assets(
    manifest=MANIFEST,
    select="tag:reporting",
    dagster_dbt_translator=RoomTranslator(),
    name="dbt_reporting",
    pool="warehouse",
)
def dbt_reporting(context: dg.AssetExecutionContext, cradle: CradleResource) -> Iterator[Any]:
    """The marts over what analysis computed."""
    yield from build_events(context, cradle.pipeline().build_reporting())
