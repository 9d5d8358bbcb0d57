"""Computed facts of the rubric: each criterion's rule, judged over all communities and years at once.

Belongs here: which rules there are by name, and what a rule's count or verdict means for its criterion.
Does not: the rules themselves (rules/), registers as known (registers), claims, reviewers or the roll-up (criteria).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import polars as pl

from dagster_project.lib.analysis.rubric.context import FactContext
from dagster_project.lib.analysis.rubric.registers import AT
from dagster_project.lib.analysis.rubric.rules import action, common, evidence, investment, vision

FACT_COLUMNS = [*AT, "criterion_id", "computed_status", "evidence"]
Rule = Callable[[FactContext, Mapping[str, str]], pl.DataFrame]
"""A rule returns, for some community-years, `n` and `evidence`, and `passed` where n alone does not say it."""

RULES: dict[str, Rule] = {
    rule.__name__: rule
    for rule in (
        common.rows_with,
        action.distinct_values,
        investment.single_value,
        vision.sector_category,
        vision.roster_breadth,
        evidence.core_outcome,
        evidence.data_share,
        evidence.breakdown_share,
        vision.card_share,
        evidence.dimension_coverage,
        investment.full_time,
        investment.role_present,
        investment.funding_until,
        investment.operations_support,
        vision.baseline_release,
        evidence.event_count,
        common.annual,
        vision.quarterly,
        common.example_count,
        investment.enacted_policy,
        evidence.active_agreements,
        evidence.individual_adjacent_agreements,
        evidence.proper_subset,
        action.target_horizons,
        action.subannual,
        action.revisions,
        action.revisions_explained,
        vision.shared_measures,
        vision.shared_measures_broken_down,
    )
}


def computed_facts(context: FactContext, rubric: pl.DataFrame) -> pl.DataFrame:
    """FACT_COLUMNS: one row for every community, reporting year and criterion with a rule.

    rubric: rows of seeds/rubric/rubric.csv; `rule` names a function of RULES here, `register`, `argument` and
    `parameter` its inputs. A register that was never submitted gives `undetermined`; one that is short `not_met`.
    Raises KeyError for an unknown rule.
    """
    parts = [_judge(context, row) for row in rubric.filter(pl.col("rule").is_not_null()).iter_rows(named=True)]
    if not parts:
        return pl.DataFrame(schema=dict.fromkeys(FACT_COLUMNS, pl.String) | {"reporting_year": pl.Int32})
    return pl.concat(parts)


def _judge(context: FactContext, row: Mapping[str, str]) -> pl.DataFrame:
    registers = str(row["register"]).split()
    base, absent = context.scaffold.select(AT), pl.lit(False)
    for name in registers:
        if name in context.present:
            mark = context.present[name].with_columns(pl.lit(True).alias(f"has_{name}"))
            base = base.join(mark, on=AT, how="left", maintain_order="left")
            absent = absent | pl.col(f"has_{name}").is_null()
        else:
            absent = pl.lit(True)
    words = " and ".join(registers)
    if all(name in context.known for name in registers):
        found = RULES[row["rule"]](context, row)
    else:
        RULES[row["rule"]]
        found = pl.DataFrame(schema={"community_id": pl.String, "reporting_year": pl.Int32})
    missing = {"n": pl.Float64, "passed": pl.Boolean, "evidence": pl.String}
    found = found.with_columns(pl.lit(None, kind).alias(name) for name, kind in missing.items() if name not in found)
    least = context.ruleset.number(row["parameter"]) if row["parameter"] else None
    enough = pl.col("n").fill_null(0.0) >= (least or 0.0) - context.epsilon if least else pl.lit(False)
    empty = pl.lit(row["when_empty"] == "met") if row["when_empty"] else enough
    passed = pl.coalesce("passed", pl.when(pl.col("n").is_null()).then(empty).otherwise(enough))
    status = pl.when(absent).then(pl.lit("undetermined")).when(passed).then(pl.lit("met")).otherwise(pl.lit("not_met"))
    none = pl.lit(f"none found in {words}" if not row["when_empty"] else f"nothing in {words} that this speaks of")
    text = pl.when(absent).then(pl.lit(f"{words}: not submitted yet")).otherwise(pl.coalesce("evidence", none))
    joined = base.join(found, on=AT, how="left", maintain_order="left")
    criterion = pl.lit(row["criterion_id"]).alias("criterion_id")
    return joined.select(*AT, criterion, status.alias("computed_status"), text.alias("evidence"))
