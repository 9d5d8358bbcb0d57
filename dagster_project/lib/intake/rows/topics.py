"""Rows below a header that says what is measured, and says another thing than the row.

Belongs here: how an indicator is known to be of the topic that a near header speaks of (contracts/near_topics.csv).
Does not: which headers are read for which column (layouts/near.py), the labels of rows (codes.py).
"""

from __future__ import annotations

import csv
import re
from functools import cache
from pathlib import Path

import polars as pl

import contracts
from dagster_project.lib.intake.findings import ISSUES, issues_where, no_issues
from dagster_project.lib.intake.layouts.near import near_names, squeezed
from dagster_project.lib.intake.rows.labels import normalised


def of_another_topic(rows: pl.DataFrame, own: pl.DataFrame, indicators: pl.DataFrame) -> pl.DataFrame:
    """Issues of cells below a near header whose topic is not the one of the row's indicator.

    rows: as coded (row, _file_id, source_sheet, indicator, indicator_id and the columns of cells as text). own: the
    headers of the files. indicators: the dictionary. An indicator is of a topic by the words of its id, its name and
    the label that the row gives it, and by its unit; a row whose label has no code waits, and is not judged.
    """
    names = near_names()[contracts.VALUES_TABLE]
    lines = [
        (file, sheet, column, header, names[squeezed(header)].topic)
        for file, sheet, column, header in own.filter("near").select(own.columns[:4]).iter_rows()
        if squeezed(header) in names and names[squeezed(header)].topic
    ]
    if not lines:
        return no_issues()
    headers = ["_file_id", "source_sheet", "near_column", "near_header", "topic"]
    spoken = pl.DataFrame(lines, schema=dict(zip(headers, [pl.Int64, *[pl.String] * 4], strict=True)), orient="row")
    described = indicators.select("indicator_id", pl.col("unit").alias("_unit"), pl.col("name").alias("_name"))
    judged = (
        rows.join(spoken, on=headers[:2], maintain_order="left")
        .join(described, on="indicator_id", maintain_order="left")
        .join(topics(), on="topic", maintain_order="left")
    )
    words = pl.concat_str(
        pl.col("indicator_id").str.replace_all("_", " "), "_name", normalised("indicator"), separator=" "
    ).str.to_lowercase()
    another = (
        ~words.str.contains(pl.col("says"))
        | words.str.contains(pl.col("says_not"))
        | (pl.col("unit_of") != pl.col("_unit"))
    )
    issues = [
        issues_where(
            judged.filter((pl.col("near_column") == column) & pl.col(column).is_not_null()),
            another,
            "header_of_another_topic",
            column,
            pl.col("near_header"),
            pl.format("numbers of the indicator {}", pl.col("_name")),
        )
        for column in spoken["near_column"].unique().sort()
    ]
    return pl.concat([no_issues(), *issues]).cast(ISSUES)


@cache
def topics(path: Path = contracts.NEAR_TOPICS) -> pl.DataFrame:
    """topic, the patterns `says` and `says_not` of an indicator's words, and `unit_of` (null: of any unit)."""
    with path.open(encoding="utf-8", newline="") as lines:
        rows = [
            (line["topic"], _stems(line["indicator_says"], ""), _stems(line["indicator_says_not"], "$^"), line["unit"])
            for line in csv.DictReader(lines)
        ]
    columns = ["topic", "says", "says_not", "unit_of"]
    table = pl.DataFrame(rows, schema=dict.fromkeys(columns, pl.String), orient="row")
    return table.with_columns(pl.col("unit_of").replace("", None))


def _stems(stems: str, of_none: str) -> str:
    """A pattern of words that begin with one of the stems."""
    return rf"\b(?:{'|'.join(map(re.escape, stems.split()))})" if stems else of_none
