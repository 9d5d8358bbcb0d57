"""The analysis room: what Python computes, as assets between the two dbt builds.

Belongs here: one asset a computed table, and the check that both computations of every slope agree.
Does not: any figure (lib/analysis), reading or writing of tables (lib/app/analysis.py).
"""

import time
from collections.abc import Iterator
from typing import Any

import dagster as dg

from dagster_project.defs.resources import CradleResource
from dagster_project.defs.warehouse import FOLLOWS
from dagster_project.lib.analysis.run import ANALYSIS_TABLES
from dagster_project.lib.warehouse.made_from import ANALYSIS

NEEDS = [
    dg.AssetKey(["intermediate", "int_values__known"]),
    dg.AssetKey(["marts", "fct_submission_status"]),
    dg.AssetKey(["landing", "register_indicator_selection"]),
    dg.AssetKey(["landing", "register_benchmark_evidence"]),
]
AGREES = dg.AssetCheckSpec(
    "second_computation_agrees",
    asset=dg.AssetKey(["analysis", "fct_trend"]),
    blocking=True,
    description="scikit-learn recomputes every slope by year pattern; no difference is above the ruleset's epsilon.",
)


@dg.multi_asset(
    specs=[
        dg.AssetSpec(
            dg.AssetKey(["analysis", name]),
            deps=NEEDS,
            group_name="analysis",
            kinds={"python", "polars"},
            owners=["team:data-team"],
            automation_condition=FOLLOWS,
            description=f"{name} as Python computed it; its mart reads it.",
        )
        for name in ANALYSIS_TABLES
    ],
    check_specs=[AGREES],
    pool="warehouse",
)
def analysis(context: dg.AssetExecutionContext, cradle: CradleResource) -> Iterator[Any]:
    """Compute every figure for every reporting year as known then."""
    started = time.perf_counter()
    pipeline = cradle.pipeline()
    passed = pipeline.begin(ANALYSIS)
    outcome = pipeline.analyse()
    if outcome.agrees:
        passed()
    seconds = round(time.perf_counter() - started, 3)
    for name in ANALYSIS_TABLES:
        yield dg.MaterializeResult(
            asset_key=dg.AssetKey(["analysis", name]),
            metadata={"dagster/row_count": outcome.tables[name].height, "seconds_of_step": seconds},
        )
    yield dg.AssetCheckResult(
        passed=outcome.agrees,
        asset_key=AGREES.asset_key,
        check_name=AGREES.name,
        metadata={"largest_difference": outcome.largest_difference, "slopes": outcome.slopes_checked},
    )
