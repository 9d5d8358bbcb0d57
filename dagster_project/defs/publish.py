"""The publish room: the release as an asset.

Belongs here: the release, the job that builds everything behind intake.
Does not: copying, hashing, pages (lib/publish).
"""

import dagster as dg

from dagster_project.defs.resources import CradleResource
from dagster_project.defs.warehouse import FOLLOWS, dbt_core, dbt_reporting

RELEASE = dg.AssetKey(["publish", "release"])
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
    """Publish the warehouse as it stands."""
    made = cradle.pipeline().release()
    rows = {table["name"]: table["rows"] for table in made.manifest["tables"]}
    return dg.MaterializeResult(
        metadata={
            "release_id": made.release_id,
            "new": made.is_new,
            "edition": made.manifest["report_edition"],
            "tables": len(rows),
            "rows": sum(rows.values()),
        },
        data_version=dg.DataVersion(made.release_id),
    )


build = dg.define_asset_job(
    "build",
    selection=dg.AssetSelection.all() - dg.AssetSelection.assets(["lake", "submissions"]),
    executor_def=dg.in_process_executor,
    description="From the lake to a published release: landing, dbt, analysis, dbt reporting, release.",
)
