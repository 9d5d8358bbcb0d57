"""What the rules of several pillars share.

Belongs here: comparing texts, counting rows, events and examples as they stand, rules that more than one pillar uses.
Does not: rules of one pillar alone.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from dagster_project.lib.analysis.rubric.context import FactContext
from dagster_project.lib.analysis.rubric.registers import AT


def filled(column: str) -> pl.Expr:
    return pl.col(column).cast(pl.String).str.strip_chars().fill_null("") != ""


def in_force(start: str, end: str) -> pl.Expr:
    day = pl.col("assessment_date")
    return (pl.col(start) <= day).fill_null(True) & (pl.col(end) >= day).fill_null(True)


def whole(expression: pl.Expr) -> pl.Expr:
    return expression.cast(pl.Int64).cast(pl.String)


def count(rows: pl.DataFrame, n: pl.Expr, words: str) -> pl.DataFrame:
    counted = rows.group_by(AT, maintain_order=True).agg(n.cast(pl.Float64).alias("n"))
    return counted.with_columns(pl.format(f"{{}} {words}", whole(pl.col("n"))).alias("evidence"))


def arguments(row: Mapping[str, str]) -> list[str]:
    return str(row["argument"] or "").split()


def events(context: FactContext, kind: str) -> pl.DataFrame:
    rows = context.known["communications"]
    return rows.filter((pl.col("kind") == kind) & (pl.col("date") <= pl.col("assessment_date")))


def broken_down() -> pl.Expr:
    return filled("dimension") & (pl.col("dimension") != "all")


def share_of_core(context: FactContext, row: Mapping[str, str], held: pl.DataFrame, words: str) -> pl.DataFrame:
    """Share of the selected core indicators that stand in `held` (AT, indicator_id), against the parameter."""
    marks = held.select(*AT, "indicator_id").unique().with_columns(pl.lit(1).alias("held"))
    rows = context.core.join(marks, on=[*AT, "indicator_id"], how="left", maintain_order="left")
    counts = rows.group_by(AT, maintain_order=True).agg(pl.len().alias("all"), pl.col("held").sum().alias("held"))
    share = pl.col("held") / pl.col("all")
    text = pl.format(f"{{}} of {{}} core indicators {words}", whole(pl.col("held")), whole(pl.col("all")))
    return counts.select(*AT, share.alias("n"), text.alias("evidence"))


def rows_with(context: FactContext, row: Mapping[str, str]) -> pl.DataFrame:
    """Rows whose named columns are filled: `a+b` needs both, `a|b` either."""
    argument = str(row["argument"])
    columns = argument.replace("|", "+").split("+")
    combine = pl.any_horizontal if "|" in argument else pl.all_horizontal
    rows = context.known[row["register"]].filter(combine([filled(name) for name in columns]))
    joiner = " or " if "|" in argument else " and "
    return count(rows, pl.len(), f"rows of {row['register']} with {joiner.join(columns)}")


def annual(context: FactContext, row: Mapping[str, str]) -> pl.DataFrame:
    """The last release follows the one before within the allowed months, and is itself no older than that."""
    months = f"{int(context.ruleset.needed(row['parameter']))}mo"
    least = context.ruleset.needed("cadence.annual_releases_min")
    dates = events(context, row["argument"]).select(*AT, "assessment_date", "date").unique().sort(*AT, "date")
    pairs = dates.group_by([*AT, "assessment_date"], maintain_order=True).agg(
        pl.col("date").last().alias("last"),
        pl.col("date").get(-2, null_on_oob=True).alias("before"),
        pl.len().cast(pl.Float64).alias("n"),
    )
    in_time = pl.col("last") <= pl.col("before").dt.offset_by(months)
    fresh = pl.col("assessment_date") <= pl.col("last").dt.offset_by(months)
    before = pl.coalesce(pl.col("before").cast(pl.String), pl.lit("none"))
    text = pl.format("last release {}, the one before {}", "last", before)
    passed = (pl.col("n") >= least) & in_time.fill_null(False) & fresh
    return pairs.select(*AT, "n", passed.alias("passed"), text.alias("evidence"))


def current_examples(context: FactContext) -> pl.DataFrame:
    """Every example once, as it stands: the newest word about it at each reporting year."""
    rows = context.known["examples"]
    spoken = pl.coalesce("as_of", pl.date(pl.col("submitted_in"), 12, 31)).alias("spoken_on")
    rows = rows.with_columns(spoken).sort(*AT, "example_id", "spoken_on", "submitted_in")
    return rows.unique([*AT, "example_id"], keep="last", maintain_order=True)


def example_count(context: FactContext, row: Mapping[str, str]) -> pl.DataFrame:
    """Different examples of a kind."""
    rows = current_examples(context).filter(pl.col("kind") == row["argument"])
    return count(rows, pl.len(), f"examples of kind {row['argument']}")
