"""Rules of the pillar evidence-based decision making.

Belongs here: selected outcomes, values and breakdowns of core indicators, access to data, data sharing agreements.
Does not: trends and gaps (figures), rules that other pillars use too (common).
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from dagster_project.lib.analysis.rubric.context import FactContext
from dagster_project.lib.analysis.rubric.registers import AT, plain
from dagster_project.lib.analysis.rubric.rules.common import (
    arguments,
    count,
    events,
    filled,
    in_force,
    share_of_core,
)


def core_outcome(context: FactContext, row: Mapping[str, str]) -> pl.DataFrame:
    """The selection holds a core indicator of the outcome."""
    found = count(context.core.filter(pl.col("outcome_id") == row["argument"]), pl.len(), "core indicators selected")
    return found.with_columns((pl.col("n") > 0).alias("passed"))


def data_share(context: FactContext, row: Mapping[str, str]) -> pl.DataFrame:
    """Core indicators with at least one value."""
    return share_of_core(context, row, context.core_values.filter("held"), "have data")


def breakdown_share(context: FactContext, row: Mapping[str, str]) -> pl.DataFrame:
    """Core indicators with enough groups of one demographic dimension in that dimension's latest year."""
    allowed = context.ruleset.codes("gateway.breakdown_dimensions")
    rows = context.core_values.filter(pl.col("dimension").is_in(allowed))
    latest = pl.col("school_year").max().over([*AT, "indicator_id", "dimension"])
    rows = rows.filter((pl.col("school_year") == latest) & pl.col("held"))
    groups = rows.group_by([*AT, "indicator_id", "dimension"]).agg(pl.col("population_group_id").n_unique().alias("n"))
    enough = groups.filter(pl.col("n") >= context.ruleset.needed("gateway.breakdown_groups_min"))
    return share_of_core(context, row, enough, "are broken down by a demographic dimension")


def dimension_coverage(context: FactContext, row: Mapping[str, str]) -> pl.DataFrame:
    """Every named dimension has at least one value of a core indicator."""
    wanted = arguments(row)
    rows = context.core_values.filter(pl.col("held") & pl.col("dimension").is_in(wanted))
    seen = rows.group_by(AT).agg(pl.col("dimension").unique().sort().alias("seen"))
    text = pl.format("core indicators have values by {}", pl.col("seen").list.join(", "))
    passed = pl.col("seen").list.len() == len(wanted)
    return seen.select(*AT, passed.alias("passed"), text.alias("evidence"))


def event_count(context: FactContext, row: Mapping[str, str]) -> pl.DataFrame:
    """Events of a kind for an audience."""
    kind, audience = arguments(row)
    rows = events(context, kind).filter(pl.col("audience") == audience)
    return count(rows, pl.col("date").n_unique(), f"{kind} events for {audience}")


def active_agreements(context: FactContext, row: Mapping[str, str]) -> pl.DataFrame:
    """Data sharing agreements in force."""
    rows = context.known["data_sharing_agreements"].filter(in_force("start_date", "end_date"))
    return count(rows, pl.len(), "data sharing agreements in force")


def individual_adjacent_agreements(context: FactContext, row: Mapping[str, str]) -> pl.DataFrame:
    """Agreements in force on individual-level data with a party of another sector than the named one."""
    level, home = arguments(row)
    rows = context.known["data_sharing_agreements"].filter(
        in_force("start_date", "end_date")
        & (pl.col("data_level") == level)
        & filled("sector")
        & (plain("sector") != home)
    )
    return count(rows, pl.len(), f"{level}-level agreements in force with a party outside {home}")


def proper_subset(context: FactContext, row: Mapping[str, str]) -> pl.DataFrame:
    """Some indicators of a role are put first, and not all of them."""
    least = context.ruleset.needed(row["parameter"])
    rows = context.selection.filter(pl.col("role") == row["argument"])
    first = pl.col("prioritized").fill_null(False).sum().alias("first")
    counts = rows.group_by(AT, maintain_order=True).agg(pl.len().alias("all"), first)
    text = pl.format(f"{{}} of {{}} {row['argument']} indicators put first", "first", "all")
    passed = (pl.col("first") >= least) & (pl.col("first") < pl.col("all"))
    return counts.select(*AT, passed.alias("passed"), text.alias("evidence"))
