"""Rows of one submission that speak of the same thing twice.

Belongs here: telling identical rows (the first is kept) from conflicting ones (none is taken), for any table.
Does not: what a table's key or content is (values.py, registers.py).
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from dagster_project.lib.intake.findings import issues_where, no_issues

# A finding names at most so many rows of a conflict: with file names of a usual length none of them is cut off where a
# quotation ends (`findings.LONGEST_QUOTE`). Every row of a conflict has the finding.
NAMED_ROWS = 4


def settle_repeats(
    rows: pl.DataFrame,
    key: Sequence[str],
    content: pl.Expr,
    column: str,
    words: tuple[pl.Expr, pl.Expr],
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Mark accepted rows that share a key: `duplicate` after the first of identical ones, `rejected` where they differ.

    `rows` has row, row_status, row_reason, source_file, source_sheet, source_row and the key, in the order of file,
    sheet, row. `content` is what must be the same; `column` is where the findings point; `words` say key and content of
    a row to its member. Returns rows and issues.
    """
    accepted = rows.filter(pl.col("row_status") == "accepted")
    repeated = accepted.filter(pl.len().over(key) > 1)
    if not repeated.height:
        return rows, no_issues()
    key_words, content_words = words
    repeated = repeated.with_columns(
        _repeat_where=_place(),
        _repeat_first=pl.int_range(pl.len()).over(key) == 0,
        _repeat_key=key_words,
        _repeat_said=content_words,
    )
    keys = repeated.group_by(key, maintain_order=True).agg(
        (content.n_unique() == 1).alias("_repeat_same"), pl.col("_repeat_where").first().alias("_repeat_kept")
    )
    repeated = repeated.join(keys, on=list(key), how="left", nulls_equal=True, maintain_order="left")
    spare = repeated.filter(pl.col("_repeat_same") & ~pl.col("_repeat_first"))
    clash = _with_others(repeated.filter(~pl.col("_repeat_same")), key)
    found = pl.concat_str("_repeat_key", pl.lit(": "), "_repeat_said", pl.lit(" here, "), "_repeat_others")
    issues = [
        issues_where(spare, None, "duplicate_row", column, pl.col("_repeat_kept")),
        issues_where(clash, None, "conflicting_rows", column, found),
    ]
    return _marked(rows, spare, clash), pl.concat(issues)


def _with_others(clash: pl.DataFrame, key: Sequence[str]) -> pl.DataFrame:
    """Adds `_repeat_others`: what the other rows of a row's key say and where they stand, never the row itself.

    Up to NAMED_ROWS of them; where there are more, how many there are comes first, so that it is never cut off. A
    thousand rows of one conflict must not each carry a thousand names.
    """
    # One more than are named: of each row itself nothing is said.
    first = clash.filter(pl.int_range(pl.len()).over(key) <= NAMED_ROWS)
    other = first.select(
        *key,
        _other_row="row",
        _other=pl.concat_str("_repeat_said", pl.lit(" in "), "_repeat_where"),
    )
    size = clash.group_by(key, maintain_order=True).agg(_others=pl.len().cast(pl.Int64) - 1)
    named = (
        clash.select("row", *key)
        .join(other, on=list(key), how="left", nulls_equal=True, maintain_order="left")
        .filter(pl.col("row") != pl.col("_other_row"))
        .group_by("row", maintain_order=True)
        .agg(pl.col("_other").head(NAMED_ROWS).str.join("; "))
    )
    joined = clash.join(named, on="row", how="left", maintain_order="left").join(
        size, on=list(key), how="left", nulls_equal=True, maintain_order="left"
    )
    many = pl.col("_others") > NAMED_ROWS
    number = pl.when(many).then(pl.format("{} other rows, such as ", "_others")).otherwise(pl.lit(""))
    return joined.with_columns(_repeat_others=pl.concat_str(number, "_other"))


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
