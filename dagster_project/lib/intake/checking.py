"""The second half of a batch: extracted rows checked table by table, every issue at its file, sheet and row.

Belongs here: rows of many files in one frame, their sources, issues of files and folders as located rows.
Does not: any rule (rows), recognising files (recognising.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import polars as pl

import contracts
from contracts.base import TableContract
from dagster_project.lib.intake.batch import Intake, TakenFile
from dagster_project.lib.intake.bucket.drop import (
    LINK_RULE,
    LOCATED,
    Folder,
)
from dagster_project.lib.intake.findings import catalogue
from dagster_project.lib.intake.reading.grid import problem
from dagster_project.lib.intake.rows.registers import check_register
from dagster_project.lib.intake.rows.values import check_values
from dagster_project.lib.intake.tables import OBSERVATIONS, REGISTER_ROWS


def tell_left_out(files: list[TakenFile], counts: pl.DataFrame) -> None:
    left = counts.filter((pl.col("rows_left_out") > 0) & (pl.col("rows_left_out") < pl.col("rows_read")))
    for index, sheet, layout_id, n in left.select("_file_id", "_sheet", "layout_id", "rows_left_out").iter_rows():
        files[index].problems.append(problem("rows_left_out", sheet=sheet, found=f"{n} rows (layout {layout_id})"))


def check_all(
    intake: Intake,
    version: int,
    files: list[TakenFile],
    ids: dict[tuple[str, int], str],
    extracted: dict[str, pl.DataFrame],
    own: pl.DataFrame,
) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Check the extracted rows table by table; returns observations, register rows and located issues.

    `own` are the names and letters of columns in their files (own_columns.OWN_COLUMNS).
    """
    layouts = intake.layouts(version)
    by_table: dict[str, list[pl.DataFrame]] = {}
    for layout_id, frame in extracted.items():
        table = layouts.get(layout_id).table
        frame = _under_kept_names(frame, contracts.tables(version)[table])
        by_table.setdefault(table, []).append(frame.with_columns(pl.lit(layout_id).alias("layout_id")))
    observations = [pl.DataFrame(schema=OBSERVATIONS)]
    registers = [pl.DataFrame(schema=REGISTER_ROWS)]
    located = [pl.DataFrame(schema=WITH_CELL)]
    sources = _sources(files, ids)
    for table in sorted(by_table):
        contract = intake.contract(version, table)
        texts = _source_columns(pl.concat(by_table[table], how="diagonal"), sources, contract, version)
        texts = intake.reference.names.read(texts)  # the network's own tables name communities
        blocked = _reading_issues(texts, files)
        judged = (texts, contract.as_kept(), intake.reference, intake.codes, blocked)
        if table == contracts.VALUES_TABLE:
            rows, issues = check_values(*judged, intake.rules, own)
            observations.append(rows.select(list(OBSERVATIONS)))
        else:
            rows, issues = check_register(*judged)
            registers.append(_in_folder(rows, texts).select(list(REGISTER_ROWS)))
        located.append(_located(issues, texts, contract, own))
    return pl.concat(observations), pl.concat(registers), pl.concat(located)


def _in_folder(rows: pl.DataFrame, texts: pl.DataFrame) -> pl.DataFrame:
    """Network tables name communities in their rows; the partition is the folder's."""
    folder = texts.select("row", "folder_id")
    return rows.join(folder, on="row", maintain_order="left")


def _under_kept_names(frame: pl.DataFrame, contract: TableContract) -> pl.DataFrame:
    """Columns that the version renamed, under the names all versions keep them by.

    A foreign layout may give either name: those written before the renaming go on as they are.
    """
    given = {name: kept for kept, name in contract.renamed.items() if name in frame.columns}
    return frame.rename(given)


def _sources(files: Iterable[TakenFile], ids: dict[tuple[str, int], str]) -> pl.DataFrame:
    """Where each file of the batch lies: one row a file, by its number."""
    return pl.DataFrame(
        [(f.index, f.place[0], f.place[1], ids[f.place], f.name) for f in files],
        schema={
            "_file_id": pl.Int64,
            "folder_id": pl.String,
            "reporting_year": pl.Int32,
            "submission_id": pl.String,
            "source_file": pl.String,
        },
        orient="row",
    )


def _source_columns(frame: pl.DataFrame, sources: pl.DataFrame, contract: TableContract, version: int) -> pl.DataFrame:
    """The extracted text rows in the order of file, sheet, row, with what is known of their source.

    Columns that only other contract versions have are there and empty.
    """
    names = contracts.landed()[contract.table].names
    own = {column.kept for column in contract.columns}
    missing = [pl.lit(None, pl.String).alias(name) for name in names if name not in frame.columns or name not in own]
    text = [pl.col(name).cast(pl.String).str.strip_chars().replace("", None) for name in names]
    frame = frame.with_columns(missing).with_columns(text).join(sources, on="_file_id", maintain_order="left")
    if "community_id" not in contract.names:
        frame = frame.with_columns(community_id=pl.col("folder_id"))
    ordered = frame.sort("_file_id", "_sheet", "_row", maintain_order=True)
    return ordered.with_columns(
        row=pl.int_range(pl.len(), dtype=pl.UInt32),
        source_sheet=pl.col("_sheet"),
        source_row=pl.col("_row").cast(pl.Int32),
        source_column=pl.col("_column").cast(pl.String),
        contract_version=pl.lit(version, pl.Int32),
    )


def _reading_issues(texts: pl.DataFrame, files: list[TakenFile]) -> pl.DataFrame:
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


WITH_CELL = pl.Schema({**LOCATED, "source_cell": pl.String()})


def _located(issues: pl.DataFrame, texts: pl.DataFrame, contract: TableContract, own: pl.DataFrame) -> pl.DataFrame:
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
        joined.filter(~_told_as_error(joined, letter))
        .with_columns(
            source_column=pl.coalesce(printed, "source_column"),
            source_cell=pl.concat_str(letter, pl.col("source_row").cast(pl.String)),
        )
        .select(list(WITH_CELL))
        .cast(WITH_CELL)
    )


def _told_as_error(issues: pl.DataFrame, letter: pl.Expr) -> pl.Series:
    """Cells without a number that the reader told already as errors of formulas: one cause, one finding."""
    errors = issues.filter(pl.col("rule_id") == "formula_error_cell").select("row", "column")
    known = set(errors.iter_rows())
    places = issues.select("row", letter.alias("letter")).iter_rows() if known else ()
    told = pl.Series([place in known for place in places], dtype=pl.Boolean)
    return told & (issues["rule_id"] == "bad_cell") if known else pl.repeat(False, issues.height, eager=True)


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


def of_rows_that_count(issues: pl.DataFrame, rows: pl.DataFrame, registers: pl.DataFrame) -> pl.DataFrame:
    """The issues without questions on how a row counts that is refused for another reason."""
    where = ["submission_id", "source_file", "source_sheet", "source_row"]
    taken = pl.concat([rows.select(*where, "row_status"), registers.select(*where, "row_status")])
    refused = taken.filter(pl.col("row_status") == "rejected").select(where).unique()
    of_refused = refused.join(catalogue().asked_of_rows_that_count, how="cross")
    return issues.join(of_refused, on=of_refused.columns, how="anti", nulls_equal=True, maintain_order="left")


def beside_issues(folders: Sequence[Folder], ids: dict[tuple[str, int], str]) -> pl.DataFrame:
    """Links beside the files of a folder, and names that cannot be kept: told, not followed and not read."""
    lines = [
        (*folder.partition, ids[folder.partition], name, "", None, None, rule, name, None, None)
        for folder in folders
        for rule, name in (*((LINK_RULE, name) for name in folder.links), *folder.others)
    ]
    return pl.DataFrame(lines, schema=LOCATED, orient="row")
