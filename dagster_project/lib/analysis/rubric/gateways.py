"""Benchmarks and gateways from criteria, and what is missing to the next gateway.

Belongs here: the roll-up of criteria into benchmarks and gateways, granted gateways, the list of what is missing.
Does not: the status of a criterion (criteria), designations (designations).
"""

from __future__ import annotations

from functools import reduce

import polars as pl

from dagster_project.lib.analysis.rubric.context import FactContext
from dagster_project.lib.analysis.rubric.criteria import gateways_in_order, status_code, status_text, typed_rubric
from dagster_project.lib.analysis.rubric.registers import AT
from dagster_project.lib.analysis.vocabulary import MET

COMPLETED = "completed"


def benchmark_statuses(criteria: pl.DataFrame, rubric: pl.DataFrame) -> pl.DataFrame:
    """fct_benchmark_status: one row a community, reporting year and benchmark, sorted in the rubric's order.

    A benchmark is met when all of its criteria are (RULES 6); sub-criteria count through their criterion. Columns:
    gateway, benchmark_no, pillar, benchmark_title, status, n_criteria, n_met, n_not_met, n_undetermined,
    ruleset_version.
    """
    ruled = typed_rubric(rubric).with_row_index("position").filter(pl.col("kind") == "criterion")
    names = ["gateway", "benchmark_no", "pillar", "benchmark_title", "position"]
    rows = criteria.join(ruled.select("criterion_id", *names), on="criterion_id", how="inner")
    rows = rows.with_columns(status_code("status").alias("code")).sort(*AT, "position")
    return rows.group_by([*AT, "gateway", "benchmark_no"], maintain_order=True).agg(
        pl.col("pillar", "benchmark_title").first(),
        status_text(pl.col("code").min()).alias("status"),
        pl.len().cast(pl.Int64).alias("n_criteria"),
        *[
            (pl.col("status") == name).sum().cast(pl.Int64).alias(f"n_{name}")
            for name in ("met", "not_met", "undetermined")
        ],
        pl.col("ruleset_version").first(),
    )


def gateway_statuses(benchmarks: pl.DataFrame, context: FactContext) -> pl.DataFrame:
    """fct_gateway_status: community_id, reporting_year, operating_in, gateways_met, and columns per gateway.

    Per gateway: `{g}_status` (computed; needs every earlier gateway), `{g}_granted` (stays until revoked),
    `{g}_not_met` and `{g}_undetermined` (criteria). `operating_in` and `gateways_met` are of computed statuses unless
    the parameter gateway.granted_counts says otherwise; `gateways_granted` counts granted ones.
    """
    order = gateways_in_order(context.ruleset)
    summed = (
        benchmarks.with_columns(status_code("status").alias("code"))
        .group_by([*AT, "gateway"])
        .agg(pl.col("code").min(), pl.col("n_not_met").sum(), pl.col("n_undetermined").sum())
    )
    rows = context.scaffold.select(AT)
    granted = granted_gateways(context)
    for name in order:
        columns = {"code": f"{name}_code", "n_not_met": f"{name}_not_met", "n_undetermined": f"{name}_undetermined"}
        own = summed.filter(pl.col("gateway") == name).drop("gateway").rename(columns)
        grant = granted.filter(pl.col("gateway") == name).select(*AT, pl.lit(True).alias(f"{name}_granted"))
        rows = rows.join(own, on=AT, how="left").join(grant, on=AT, how="left")
    rows = rows.with_columns(pl.col(f"{name}_granted").fill_null(False) for name in order)
    path = _along_the_path(rows, order, context.ruleset.flag("gateway.granted_counts"))
    return path.with_columns(pl.lit(context.ruleset.ruleset_version).alias("ruleset_version"))


def _along_the_path(rows: pl.DataFrame, order: list[str], granted_counts: bool) -> pl.DataFrame:
    """Each gateway's status with every earlier one, and where the community stands on the path."""
    for earlier, name in zip([None, *order], order, strict=False):
        code = pl.col(f"{name}_code").fill_null(1)
        if earlier is not None:
            code = pl.min_horizontal(code, f"{earlier}_code")
        if granted_counts:
            code = pl.when(f"{name}_granted").then(pl.lit(MET, pl.Int8)).otherwise(code)
        rows = rows.with_columns(code.cast(pl.Int8).alias(f"{name}_code"))
    met = [(pl.col(f"{name}_code") == MET) for name in order]
    where = pl.lit(COMPLETED)
    for name, passed in reversed(list(zip(order, met, strict=True))):
        where = pl.when(~passed).then(pl.lit(name)).otherwise(where)
    parts = [
        part
        for name in order
        for part in (
            status_text(pl.col(f"{name}_code")).alias(f"{name}_status"),
            pl.col(f"{name}_granted"),
            pl.col(f"{name}_not_met").fill_null(0).cast(pl.Int64),
            pl.col(f"{name}_undetermined").fill_null(0).cast(pl.Int64),
        )
    ]
    total = reduce(lambda a, b: a + b, [passed.cast(pl.Int64) for passed in met])
    granted = reduce(lambda a, b: a + b, [pl.col(f"{name}_granted").cast(pl.Int64) for name in order])
    columns = [where.alias("operating_in"), total.alias("gateways_met"), granted.alias("gateways_granted")]
    return rows.sort(AT).select(*AT, *columns, *parts)


def last_decisions(context: FactContext) -> pl.DataFrame:
    """gateway_decisions as known at every reporting year: AT, kind, code, decision, decided_on, oldest first."""
    text = pl.String()
    known = context.known_or_empty("gateway_decisions", kind=text, code=text, decision=text, decided_on=pl.Date())
    known = known.sort(*AT, "kind", "code", "decided_on", "submitted_in")
    return known.select(*AT, "kind", "code", "decision", "decided_on")


def granted_gateways(context: FactContext) -> pl.DataFrame:
    """AT, gateway for every gateway whose last decision up to the assessment date does not revoke it."""
    rows = last_decisions(context).filter(pl.col("kind") == "gateway")
    last = rows.unique([*AT, "code"], keep="last", maintain_order=True)
    return last.filter(pl.col("decision") != "revoked").select(*AT, gateway="code")


def gateway_missing(criteria: pl.DataFrame, gateways: pl.DataFrame, rubric: pl.DataFrame) -> pl.DataFrame:
    """fct_gateway_missing: criteria and sub-criteria of the gateway a community operates in that are not met.

    Columns: community_id, reporting_year, gateway, criterion_id, parent_id, benchmark_no, statement, status, reason,
    evidence, ruleset_version. Sub-criteria stand only below a criterion that is itself missing.
    """
    ruled = typed_rubric(rubric).with_row_index("position")
    ruled = ruled.filter(pl.col("kind").is_in(["criterion", "sub_criterion"]))
    names = ["gateway", "parent_id", "benchmark_no", "statement", "position"]
    rows = criteria.filter(pl.col("status") != "met").join(ruled.select("criterion_id", *names), on="criterion_id")
    here = gateways.select(*AT, gateway="operating_in")
    rows = rows.join(here, on=[*AT, "gateway"], how="inner")
    missing = rows.filter(pl.col("parent_id").is_null()).select(*AT, parent_id="criterion_id")
    below = rows.join(missing, on=[*AT, "parent_id"], how="semi")
    rows = pl.concat([rows.filter(pl.col("parent_id").is_null()), below]).sort(*AT, "position")
    columns = ["gateway", "criterion_id", "parent_id", "benchmark_no", "statement", "status", "reason", "evidence"]
    return rows.select(*AT, *columns, "ruleset_version")
