"""What communities say of themselves, as known at every reporting year: fct_community_indicator and fct_strategy.

Belongs here: the selection of indicators; examples, measures and factors side by side.
Does not: judging any of it (rules, designations), or how registers are remembered (registers).
"""

from __future__ import annotations

import polars as pl

from dagster_project.lib.analysis.rubric.context import FactContext
from dagster_project.lib.analysis.rubric.registers import AT
from dagster_project.lib.analysis.rubric.rules.common import current_examples
from dagster_project.lib.analysis.tables import FCT_COMMUNITY_INDICATOR, FCT_STRATEGY

MEASURE, FACTOR = "measure", "factor"
CYCLE = ("planned", "done", "studied", "acted")
"""Notes of an improvement cycle: plan, do, study, act."""
MEASURE_KEY, FACTOR_KEY = ("name", "action"), ("indicator", "factor", "evidence")


def community_indicators(context: FactContext) -> pl.DataFrame:
    """fct_community_indicator: the selection in force at every reporting year.

    The outcome is the line's, where blank the dictionary's; a blank primary or prioritized is no.
    """
    rows = context.selection
    if not rows.height:
        return FCT_COMMUNITY_INDICATOR.empty()
    rows = rows.with_columns(
        is_primary=pl.col("primary").fill_null(False),
        is_prioritized=pl.col("prioritized").fill_null(False),
        selected_in=pl.col("submitted_in"),
        ruleset_version=pl.lit(context.ruleset.ruleset_version),
    )
    return FCT_COMMUNITY_INDICATOR.conform(rows)


def strategies(context: FactContext) -> pl.DataFrame:
    """fct_strategy: examples as they stand, and the measures and factors in force, at every reporting year."""
    readers = {"examples": _examples, "measures": _measures, "factors": _factors}
    parts = [read(context) for register, read in readers.items() if register in context.known]
    none = FCT_STRATEGY.empty().drop("outcome_id", "ruleset_version")
    rows = pl.concat([none, *parts], how="diagonal")
    homes = context.indicators.select("indicator_id", "outcome_id")
    rows = rows.join(homes, on="indicator_id", how="left", maintain_order="left")
    return FCT_STRATEGY.conform(rows.with_columns(ruleset_version=pl.lit(context.ruleset.ruleset_version)))


def _examples(context: FactContext) -> pl.DataFrame:
    columns = ["kind", "title", "status", "first_evidenced_on", "as_of"]
    rows = current_examples(context)
    # A release of before has no notes of a cycle.
    notes = [name for name in CYCLE if name in rows.columns]
    return rows.select(*AT, pl.col("example_id").alias("strategy_id"), *columns, *notes)


def _measures(context: FactContext) -> pl.DataFrame:
    own = {"title": "name", "indicator_id": "indicator"}
    return _keyed(context.known["measures"], MEASURE, MEASURE_KEY).select(*AT, "kind", "strategy_id", "action", **own)


def _factors(context: FactContext) -> pl.DataFrame:
    own = {"title": "factor", "indicator_id": "indicator"}
    return _keyed(context.known["factors"], FACTOR, FACTOR_KEY).select(*AT, "kind", "strategy_id", "evidence", **own)


def _keyed(rows: pl.DataFrame, kind: str, key: tuple[str, ...]) -> pl.DataFrame:
    rows = rows.sort(*AT, *key, nulls_last=True)
    return rows.with_columns(kind=pl.lit(kind), strategy_id=pl.struct(key).struct.json_encode())
