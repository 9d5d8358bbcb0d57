"""Rules of the pillar investment and sustainability.

Belongs here: the anchor, staff and their roles, funding and support of operations, public policy.
Does not: rules that other pillars use too (common).
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from dagster_project.lib.analysis.rubric.context import FactContext
from dagster_project.lib.analysis.rubric.registers import AT, plain
from dagster_project.lib.analysis.rubric.rules.common import count, current_examples, filled, in_force
from dagster_project.lib.analysis.vocabulary import DAYS_AFTER


def single_value(context: FactContext, row: Mapping[str, str]) -> pl.DataFrame:
    """Exactly as many different anchors as the parameter says, in place on the assessment date."""
    rows = context.known[row["register"]].filter(filled(row["argument"]))
    rows = rows.filter((pl.col("anchor_since") <= pl.col("assessment_date")).fill_null(True))
    found = count(rows, plain(row["argument"]).n_unique(), "current anchor organizations named")
    return found.with_columns((pl.col("n") == context.ruleset.needed(row["parameter"])).alias("passed"))


def full_time(context: FactContext, row: Mapping[str, str]) -> pl.DataFrame:
    """The largest share of a full-time post that one person holds in a role."""
    rows = context.known["capacity"].filter(_role() == row["argument"]).with_row_index("line")
    who = pl.coalesce(plain("person"), pl.format("line {}", "line")).alias("who")
    people = rows.group_by([*AT, who], maintain_order=True).agg(pl.col("fte").fill_null(0.0).sum())
    most = people.group_by(AT, maintain_order=True).agg(pl.col("fte").max().alias("n"))
    return most.with_columns(pl.format(f"one person holds {{}} FTE of {row['argument']}", "n").alias("evidence"))


def _role() -> pl.Expr:
    return plain("role").str.replace_all(r"[\s-]+", "_")


def role_present(context: FactContext, row: Mapping[str, str]) -> pl.DataFrame:
    """Entries of the capacity register for a role, whatever the arrangement."""
    rows = context.known["capacity"].filter(_role() == row["argument"])
    return count(rows, pl.len(), f"entries for {row['argument']}")


def funding_until(context: FactContext, row: Mapping[str, str]) -> pl.DataFrame:
    """Days from the assessment date to the latest end of an agreement that has begun."""
    rows = context.known["funding"].filter((pl.col("start_date") <= pl.col("assessment_date")).fill_null(True))
    days = (pl.col("end_date") - pl.col("assessment_date")).dt.total_days()
    most = rows.group_by(AT, maintain_order=True).agg(days.max().alias("n"), pl.col("end_date").max())
    most = most.filter(pl.col("n").is_not_null())
    text = pl.format(f"funding runs until {{}}, {{}} {DAYS_AFTER}", "end_date", "n")
    return most.select(*AT, pl.col("n").cast(pl.Float64), text.alias("evidence"))


def operations_support(context: FactContext, row: Mapping[str, str]) -> pl.DataFrame:
    """Partners that currently give money or help in kind for operations."""
    purposes = context.ruleset.codes("gateway.operations_purposes")
    rows = context.known["funding"].filter(plain("purpose").is_in(purposes) & in_force("start_date", "end_date"))
    return count(rows.filter(filled("partner")), plain("partner").n_unique(), "partners support operations now")


def enacted_policy(context: FactContext, row: Mapping[str, str]) -> pl.DataFrame:
    """Policy examples at a public level whose status shows that they came about."""
    rows = current_examples(context).filter(
        (pl.col("kind") == row["argument"])
        & plain("level").is_in(context.ruleset.codes("gateway.public_levels"))
        & pl.col("status").is_in(context.ruleset.codes("gateway.enacted_statuses"))
    )
    return count(rows, pl.len(), "public policy changes made")
