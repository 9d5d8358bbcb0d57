"""Rows of one submission that speak of the same thing twice.

Belongs here: telling identical rows (the first is kept) from conflicting ones (none is taken), for any table.
Does not: what a table's key or content is (values.py, registers.py).
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from dagster_project.lib.intake.findings import issues_where, no_issues

# A finding names this many rows of a conflict and counts the rest; every row of it has the finding.
NAMED_ROWS = 20


def settle_repeats(
    rows: pl.DataFrame, key: Sequence[str], content: pl.Expr, column: str
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Mark accepted rows that share a key: `duplicate` after the first of identical ones, `rejected` where they differ.

    `rows` has row, row_status, row_reason, source_file, source_sheet, source_row and the key, in the order of file,
    sheet, row. `content` is what must be the same; `column` is where the findings point. Returns rows and issues.
    """
    accepted = rows.filter(pl.col("row_status") == "accepted")
    repeated = accepted.filter(pl.len().over(key) > 1)
    if not repeated.height:
        return rows, no_issues()
    repeated = repeated.with_columns(_repeat_where=_place(), _repeat_first=pl.int_range(pl.len()).over(key) == 0)
    # Named once a key: a thousand rows of one conflict must not each carry a thousand names while being grouped.
    keys = repeated.group_by(key, maintain_order=True).agg(
        (content.n_unique() == 1).alias("_repeat_same"),
        pl.col("_repeat_where").first().alias("_repeat_kept"),
        pl.col("_repeat_where").head(NAMED_ROWS).str.join("; ").alias("_repeat_named"),
        (pl.len().cast(pl.Int64) - NAMED_ROWS).alias("_repeat_more"),
    )
    more = (
        pl.when(pl.col("_repeat_more") > 0).then(pl.format(" and {} more rows", "_repeat_more")).otherwise(pl.lit(""))
    )
    keys = keys.with_columns(_repeat_all=pl.concat_str("_repeat_named", more)).drop("_repeat_named", "_repeat_more")
    repeated = repeated.join(keys, on=list(key), how="left", nulls_equal=True, maintain_order="left")
    spare = repeated.filter(pl.col("_repeat_same") & ~pl.col("_repeat_first"))
    clash = repeated.filter(~pl.col("_repeat_same"))
    issues = [
        issues_where(spare, None, "duplicate_row", column, pl.col("_repeat_kept")),
        issues_where(clash, None, "conflicting_rows", column, pl.col("_repeat_all")),
    ]
    return _marked(rows, spare, clash), pl.concat(issues)


def _place() -> pl.Expr:
    sheet = pl.when(pl.col("source_sheet") != "").then(pl.concat_str(pl.lit(" sheet "), "source_sheet"))
    row = pl.col("source_row").cast(pl.String)
    return pl.concat_str("source_file", sheet.otherwise(pl.lit("")), pl.lit(" row "), row)


def _marked(rows: pl.DataFrame, spare: pl.DataFrame, clash: pl.DataFrame) -> pl.DataFrame:
    marks = pl.concat(
        [
            spare.select("row", pl.lit("duplicate").alias("_mark"), pl.lit("duplicate_row").alias("_why")),
            clash.select("row", pl.lit("rejected").alias("_mark"), pl.lit("conflicting_rows").alias("_why")),
        ]
    )
    return (
        rows.join(marks, on="row", how="left", maintain_order="left")
        .with_columns(row_status=pl.coalesce("_mark", "row_status"), row_reason=pl.coalesce("_why", "row_reason"))
        .drop("_mark", "_why")
    )
