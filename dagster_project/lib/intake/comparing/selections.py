"""Selections of one community over its reporting years: what changed without a word why.

Belongs here: the question about a changed role, primary mark or baseline year, and the changes themselves.
Does not: selections that no dictionary allows (rows/register_rules.py), or which selection counts (analysis).
"""

from __future__ import annotations

import polars as pl

from dagster_project.lib.intake.bucket.drop import LOCATED
from dagster_project.lib.intake.comparing.compared_values import text_of

ASPECTS = {"role": "role", "primary": "primary mark", "baseline_year": "baseline year"}
"""What of a selection is held against the year before, by column and by the word a member reads."""


def selection_changes(selection: pl.DataFrame) -> pl.DataFrame:
    """selection_changed: indicators whose role, primary mark or baseline year differ from the selection before.

    `selection` is the register as landed, all years. The selection before is that of the newest earlier reporting year
    with one; an indicator that it did not hold is no change. A rationale counts if it, or its day, is a new one: a row
    carried on from the year before carries the old reason with it. Returns located issues (drop.LOCATED), sorted.
    """
    if selection.is_empty():
        return pl.DataFrame(schema=LOCATED)
    rows = selection.with_columns(primary=pl.col("primary").fill_null(False))
    states = rows.select("community_id", "reporting_year").unique().sort("community_id", "reporting_year")
    before = states.with_columns(_before=pl.col("reporting_year").shift(1).over("community_id"))
    rows = rows.join(before, on=["community_id", "reporting_year"], how="left", maintain_order="left")
    kept = [*ASPECTS, "revised_on", "rationale"]
    earlier = rows.select("community_id", "indicator", _before="reporting_year", **{f"_{name}": name for name in kept})
    both = rows.join(earlier, on=["community_id", "indicator", "_before"], how="inner", maintain_order="left")
    same_reason = pl.all_horizontal(pl.col(name).eq_missing(pl.col(f"_{name}")) for name in ("revised_on", "rationale"))
    unsaid = both.filter(pl.col("rationale").is_null() | same_reason)
    parts = [_changed(unsaid, name, word) for name, word in ASPECTS.items()]
    return pl.concat(parts).sort(list(LOCATED), nulls_last=False)


def _changed(rows: pl.DataFrame, name: str, word: str) -> pl.DataFrame:
    changed = rows.filter(~pl.col(name).eq_missing(pl.col(f"_{name}")))
    old, new = (pl.col(column).cast(pl.String).fill_null("none") for column in (f"_{name}", name))
    found = text_of(
        f"{word} of ", pl.col("indicator"), ": ", old, " in ", pl.col("_before"), ", ", new, " in ", "reporting year ",
        pl.col("reporting_year"),
    )  # fmt: skip
    return changed.select(
        "community_id",
        "reporting_year",
        "submission_id",
        "source_file",
        "source_sheet",
        "source_row",
        source_column=pl.lit(name),
        rule_id=pl.lit("selection_changed"),
        found=found,
        allowed=pl.lit(None, pl.String),
        subject=text_of(pl.col("indicator"), "|", name),
    ).cast(LOCATED)
