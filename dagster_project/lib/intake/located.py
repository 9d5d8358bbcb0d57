"""Issues at their place: which file, sheet, row, column and cell of a batch each one speaks of.

Belongs here: the files of a batch as taken, and their problems and the issues of their rows as located issues.
Does not: reading or checking (take_in.py, rows), words of findings (findings.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import polars as pl

from contracts.base import TableContract
from dagster_project.lib.intake.bucket.drop import LINK_RULE, LOCATED, Folder
from dagster_project.lib.intake.reading.grid import Problem


@dataclass
class TakenFile:
    """One file of a batch: where it lies, what it is, and what reading and recognising it gave."""

    index: int
    folder: Folder
    name: str
    sha256: str
    size: int
    kind: str = "table"
    layouts: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    reading: str = ""

    @property
    def place(self) -> tuple[str, int]:
        """The partition the file belongs to."""
        return self.folder.partition


WITH_CELL = pl.Schema({**LOCATED, "source_cell": pl.String()})


def located(issues: pl.DataFrame, texts: pl.DataFrame, contract: TableContract, own: pl.DataFrame) -> pl.DataFrame:
    """Issues at their file, sheet and row, each column under the name that it has in the file itself.

    That is the header above the cell, else the column's name in the file's contract version; `source_cell` is the
    letter and row of a workbook's cell.
    """
    source = texts.select(
        "row",
        "_file_id",
        pl.col("folder_id").alias("community_id"),
        "reporting_year",
        "submission_id",
        "source_file",
        "source_sheet",
        "source_row",
        pl.col("source_column").alias("_from"),
    )
    name = pl.when(pl.col("column") == "value").then(pl.coalesce("_from", "column")).otherwise(pl.col("column"))
    joined = issues.join(source, on="row", maintain_order="left").with_columns(
        source_column=name.replace(contract.renamed)
    )
    where = ["_file_id", "source_sheet"]
    for key in ("column", "source_column"):  # a wide layout's value is found by its header only
        named = own.select(*where, pl.col("column").alias(key), pl.col("own").alias(f"_own_{key}"), "letter")
        joined = joined.join(
            named.rename({"letter": f"_{key}_letter"}), on=[*where, key], how="left", maintain_order="left"
        )
    letter = pl.coalesce("_column_letter", "_source_column_letter")
    printed = pl.when(pl.col("_from").is_null() | (pl.col("column") != "value")).then(
        pl.coalesce("_own_column", "_own_source_column")
    )
    return (
        joined.with_columns(
            source_column=pl.coalesce(printed, "source_column"),
            source_cell=pl.concat_str(letter, pl.col("source_row").cast(pl.String)),
        )
        .select(list(WITH_CELL))
        .cast(WITH_CELL)
    )


def reading_issues(texts: pl.DataFrame, files: list[TakenFile]) -> pl.DataFrame:
    """Rows that reading itself found wrong (a ragged row, a formula error) as issues of the extracted rows."""
    lines = [
        (f.index, p.sheet, row, p.rule_id, p.column, p.found, p.allowed)
        for f in files
        for p in f.problems
        if p.rows and p.severity == "error"
        for row in p.rows
    ]
    names = ["_file_id", "source_sheet", "source_row", "rule_id", "column", "found", "allowed"]
    types = [pl.Int64, pl.String, pl.Int32, pl.String, pl.String, pl.String, pl.String]
    problems = pl.DataFrame(lines, schema=dict(zip(names, types, strict=True)), orient="row")
    hit = texts.select("row", "_file_id", "source_sheet", "source_row").join(
        problems, on=["_file_id", "source_sheet", "source_row"], maintain_order="left"
    )
    return hit.select("row", "rule_id", "column", "found", "allowed", pl.lit(None, pl.String).alias("subject"))


def extracted_places(frames: dict[str, pl.DataFrame]) -> set[tuple[int, str, int]]:
    """File, sheet and row of everything extracted."""
    return {place for frame in frames.values() for place in frame.select("_file_id", "_sheet", "_row").iter_rows()}


def file_issues(
    files: list[TakenFile], ids: dict[tuple[str, int], str], extracted: set[tuple[int, str, int]]
) -> pl.DataFrame:
    """Problems of whole files and sheets, and of rows that no table took (those it took tell their own)."""
    lines = []
    for file in files:
        for p in file.problems:
            places: Sequence[int | None] = p.rows or (p.row,)
            with_row = p.severity == "error"
            rows = [row for row in places if not (with_row and (file.index, p.sheet, row or 0) in extracted)]
            lines += [
                (*file.place, ids[file.place], file.name, p.sheet, row, p.column, p.rule_id, p.found, p.allowed, None)
                for row in rows
            ]
    return pl.DataFrame(lines, schema=LOCATED, orient="row")


def beside_issues(folders: Sequence[Folder], ids: dict[tuple[str, int], str]) -> pl.DataFrame:
    """Links beside the files of a folder, and names that cannot be kept: told, not followed and not read."""
    lines = [
        (*folder.partition, ids[folder.partition], name, "", None, None, rule, name, None, None)
        for folder in folders
        for rule, name in (*((LINK_RULE, name) for name in folder.links), *folder.others)
    ]
    return pl.DataFrame(lines, schema=LOCATED, orient="row")
