"""Benchmarks and gateways from criteria, and what is missing to the next gateway.

Belongs here: the roll-up of criteria into benchmarks and gateways, granted gateways, the list of what is missing.
Does not: the status of a criterion (criteria), designations (designations).
"""

from __future__ import annotations

import polars as pl

from dagster_project.lib.analysis.rubric.context import FactContext
from dagster_project.lib.analysis.rubric.criteria import gateways_in_order, status_code, status_text, typed_rubric
from dagster_project.lib.analysis.rubric.registers import AT
from dagster_project.lib.analysis.vocabulary import MET, UNDETERMINED

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


def gateway_steps(benchmarks: pl.DataFrame, context: FactContext) -> pl.DataFrame:
    """fct_gateway_step: one row a community, reporting year and gateway, sorted by these in the order of gateways.

    status: computed; needs every earlier gateway (with the parameter gateway.granted_counts a granted one counts as
    met). granted: stays until revoked. n_not_met, n_undetermined: criteria of the gateway. Which gateways there are,
    and their order, is the parameter gateway.order.
    """
    order = pl.DataFrame({"gateway": gateways_in_order(context.ruleset)}, schema={"gateway": pl.String})
    summed = (
        benchmarks.with_columns(status_code("status").alias("code"))
        .group_by([*AT, "gateway"])
        .agg(pl.col("code").min(), pl.col("n_not_met").sum(), pl.col("n_undetermined").sum())
    )
    granted = granted_gateways(context).with_columns(pl.lit(True).alias("granted"))
    rows = context.scaffold.select(AT).join(order.with_row_index("gateway_no", 1), how="cross")
    for part in (summed, granted):
        rows = rows.join(part, on=[*AT, "gateway"], how="left")
    rows = rows.sort(*AT, "gateway_no").with_columns(
        pl.col("code").fill_null(UNDETERMINED), pl.col("granted").fill_null(False)
    )
    code = _along_the_path(context.ruleset.flag("gateway.granted_counts"))
    return rows.select(
        *AT,
        "gateway",
        status_text(code).alias("status"),
        "granted",
        pl.col("n_not_met", "n_undetermined").fill_null(0).cast(pl.Int64),
        pl.col("gateway_no").cast(pl.Int32),
        pl.lit(context.ruleset.ruleset_version).alias("ruleset_version"),
    )


def _along_the_path(granted_counts: bool) -> pl.Expr:
    """The code of each gateway with those before it; where granted ones count, the path begins anew at each."""
    if not granted_counts:
        return pl.col("code").cum_min().over(AT)
    since = pl.col("granted").cast(pl.Int32).cum_sum().over(AT)
    own = pl.when("granted").then(pl.lit(MET, pl.Int8)).otherwise("code")
    return own.cum_min().over(*AT, since)


def gateway_statuses(steps: pl.DataFrame) -> pl.DataFrame:
    """fct_gateway_status: community_id, reporting_year, operating_in, gateways_met, gateways_granted.

    steps: from `gateway_steps`. `operating_in` is the first gateway that is not met, or `completed`.
    """
    met = pl.col("status") == "met"
    return steps.group_by(AT, maintain_order=True).agg(
        pl.col("gateway").filter(~met).first().fill_null(COMPLETED).alias("operating_in"),
        met.sum().cast(pl.Int64).alias("gateways_met"),
        pl.col("granted").sum().cast(pl.Int64).alias("gateways_granted"),
        pl.col("ruleset_version").first(),
    )


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
