"""Rows of the register tables: from text to typed, coded records and issues.

Belongs here: what holds within one row of a register and between rows of one submission.
Does not: what a register says over years (analysis/rubric/registers.py), values of indicators (values.py).
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from contracts.base import CODE_KINDS, TableContract
from dagster_project.lib.base.reference import Reference
from dagster_project.lib.intake.findings import ISSUES, blocked_rows, issues_where, no_issues
from dagster_project.lib.intake.rows.codes import CodeTables
from dagster_project.lib.intake.rows.contract_check import (
    cast_column,
    contract_issues,
    required_issues,
    told_as_dates,
)
from dagster_project.lib.intake.rows.labels import normalised, resolve, with_nearest
from dagster_project.lib.intake.rows.register_rules import TOTAL, register_issues
from dagster_project.lib.intake.rows.repeated import settle_repeats
from dagster_project.lib.intake.tables import REGISTER_ROWS, WAITING_REGISTER_ROWS

LABELS = ("indicator", "dimension", "group")
"""Columns of registers whose labels the crosswalks map."""
OF_A_GROUP = ("staff_composition", "targets")
"""Registers that give a number of a group; burdened_groups says of a dimension which of its groups is what."""


def check_register(
    texts: pl.DataFrame, contract: TableContract, reference: Reference, codes: CodeTables, reading: pl.DataFrame
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Check rows of one register from many files at once; returns rows (REGISTER_ROWS plus row) and issues.

    `texts` has row, folder_id, community_id (the row's own in network tables), reporting_year, submission_id,
    layout_id, source_* and the contract's columns as text; `reading` are issues found while files were read.
    A row whose label has no code yet waits; it is neither lost nor used.
    """
    issues = [reading, required_issues(texts, contract)]
    typed = texts.select("row", "reporting_year")
    for column in contract.columns:
        values, bad = cast_column(texts, column)
        typed = typed.with_columns(values.alias(column.name))
        issues.append(bad)
    issues.append(contract_issues(typed, texts, contract))
    issues.append(_known_keys(texts, contract, reference))
    typed, waiting = _codes(typed, texts, contract, codes)
    issues.append(waiting)
    issues.append(register_issues(contract.table, typed.hstack(texts.select("folder_id")), reference))
    told = told_as_dates(pl.concat(issues).cast(ISSUES), texts, contract)
    rows = _rows(typed, texts, contract, told, waiting)
    rows, repeated = _repeats(rows, typed, contract)
    return rows, pl.concat([told, repeated]).cast(ISSUES)


def _known_keys(texts: pl.DataFrame, contract: TableContract, reference: Reference) -> pl.DataFrame:
    """Keys of the network's own lists: a criterion of the rubric, a community of the network."""
    parts = [no_issues()]
    if "criterion_id" in contract.names:
        known = reference.table("rubric/rubric")["criterion_id"].to_list()
        wrong = ~pl.col("criterion_id").is_in(known)
        allowed = "a key of the rubric, for example sustaining.2.3.a"
        parts.append(issues_where(texts, wrong, "not_allowed", "criterion_id", pl.col("criterion_id"), allowed))
    if contract.network and "community_id" in contract.names:
        known = reference.communities["community_id"].to_list()
        wrong = ~pl.col("community_id").is_in(known)
        found = pl.col("community_id")
        parts.append(issues_where(texts, wrong, "not_allowed", "community_id", found, "a community of the network"))
    return pl.concat(parts)


def _codes(
    typed: pl.DataFrame, texts: pl.DataFrame, contract: TableContract, codes: CodeTables
) -> tuple[pl.DataFrame, pl.DataFrame]:
    waiting = [no_issues()]
    context = texts.select(
        pl.col("folder_id").alias("community_id"), "layout_id", pl.lit(None, pl.Int32).alias("school_year")
    )
    lookup = typed.drop("community_id", strict=False).hstack(context)
    for column in contract.columns:
        if column.kind not in CODE_KINDS:
            continue
        table = getattr(codes, column.kind)
        dimension = "_dimension" if column.kind == "group" else None
        code = resolve(lookup, column.name, table, dimension)
        if column.kind == "dimension":
            lookup = lookup.with_columns(code.alias("_dimension"))
        given = texts.with_columns(code.alias("_code"), *([lookup[dimension]] if dimension else []))
        label = pl.col(column.name)
        unknown = given.filter(label.is_not_null() & pl.col("_code").is_null())
        if column.blank_word:
            unknown = unknown.filter(label.str.strip_chars().str.to_lowercase() != column.blank_word)
        if unknown.height:
            unknown = with_nearest(unknown, column.name, table, dimension)
            waiting.append(
                issues_where(
                    unknown,
                    None,
                    f"unmapped_{column.kind}",
                    column.name,
                    pl.col(column.name),
                    pl.col("nearest"),
                    normalised(column.name),
                )
            )
        typed = typed.with_columns(code.alias(column.name))
    return typed, pl.concat(waiting)


def _as_written(name: str, contract: TableContract) -> pl.Expr:
    return pl.col(name) if name in contract.names else pl.lit(None, pl.String)


def _rows(
    typed: pl.DataFrame, texts: pl.DataFrame, contract: TableContract, issues: pl.DataFrame, waiting: pl.DataFrame
) -> pl.DataFrame:
    record = typed.select(
        pl.struct(
            pl.col(column.name).cast(pl.String) if column.kind == "date" else pl.col(column.name)
            for column in contract.columns
        )
        .struct.json_encode()
        .alias("record")
    )
    source = texts.select(
        "row", "community_id", "reporting_year", "submission_id", "source_file", "source_sheet", "source_row",
        "contract_version", "layout_id", *(_as_written(name, contract).alias(f"raw_{name}") for name in LABELS),
    )  # fmt: skip
    rows = source.hstack(record).with_columns(pl.lit(contract.table).alias("table_name"))
    rows = rows.join(blocked_rows(issues), on="row", how="left", maintain_order="left")
    waits = pl.col("row").is_in(waiting["row"].unique().to_list())
    blocked = pl.col("row_reason").is_not_null()
    return rows.with_columns(
        row_status=pl.when(blocked)
        .then(pl.lit("rejected"))
        .when(waits)
        .then(pl.lit("waiting"))
        .otherwise(pl.lit("accepted")),
        row_reason=pl.when(waits & ~blocked).then(pl.lit("unmapped_label")).otherwise(pl.col("row_reason")),
    ).select("row", *REGISTER_ROWS)


def _repeats(rows: pl.DataFrame, typed: pl.DataFrame, contract: TableContract) -> tuple[pl.DataFrame, pl.DataFrame]:
    typed = _of_one_total(typed, contract)
    keyed = rows.hstack(typed.select(pl.col(name).alias(f"_key_{name}") for name in contract.key))
    others = [column.name for column in contract.columns if column.name not in contract.key]
    content = typed.select(pl.struct(others or contract.names).alias("_content"))
    keyed = keyed.hstack(content).hstack(typed.select(_key_words=_said(contract.key), _content_words=_said(others)))
    keys = ["community_id", "reporting_year", *(f"_key_{name}" for name in contract.key)]
    column = contract.key[0] if contract.key else contract.columns[0].name
    words = pl.col("_key_words"), pl.col("_content_words")
    settled, issues = settle_repeats(keyed, keys, pl.col("_content"), column, words)
    return settled.select("row", *REGISTER_ROWS), issues


def _of_one_total(typed: pl.DataFrame, contract: TableContract) -> pl.DataFrame:
    """The total is one key, whichever dimension its row names, as it is among values."""
    if contract.table not in OF_A_GROUP:
        return typed
    total = pl.col("group") == TOTAL
    return typed.with_columns(dimension=pl.when(total).then(pl.lit(TOTAL)).otherwise(pl.col("dimension")))


def _said(names: Sequence[str]) -> pl.Expr:
    """Cells of a row in words; blank ones are left out."""
    cells = [
        pl.when(pl.col(name).is_not_null()).then(pl.format("{} {}", pl.lit(name), pl.col(name).cast(pl.String)))
        for name in names
    ]
    said = pl.concat_str(cells, separator=", ", ignore_nulls=True) if cells else pl.lit("")
    return pl.when(said != "").then(said).otherwise(pl.lit("nothing more"))


def waiting_rows(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows of all registers that wait for a code (WAITING_REGISTER_ROWS), sorted by where they stand."""
    waiting = rows.filter(pl.col("row_status") == "waiting").select(list(WAITING_REGISTER_ROWS))
    return waiting.sort("community_id", "reporting_year", "source_file", "source_sheet", "source_row", "table_name")


def unfold(rows: pl.DataFrame, contract: TableContract) -> pl.DataFrame:
    """Accepted rows of one register with the columns of its contract, typed, behind the source columns."""
    mine = rows.filter((pl.col("table_name") == contract.table) & (pl.col("row_status") == "accepted"))
    as_json = {column.name: pl.String() if column.kind == "date" else column.polars_type for column in contract.columns}
    record = mine["record"].str.json_decode(pl.Struct(as_json)).struct.unnest()
    dates = [pl.col(column.name).str.to_date() for column in contract.columns if column.kind == "date"]
    record = record.with_columns(dates)
    source = mine.select("community_id", "reporting_year", "submission_id", "source_file", "source_sheet", "source_row")
    if "community_id" in contract.names:
        record = record.drop("community_id")
    frame = source.hstack(record)
    return frame.sort("community_id", "reporting_year", "source_file", "source_sheet", "source_row")
