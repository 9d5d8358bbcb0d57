"""Registers as they stand for a community, as the cells of a template to edit instead of typing them again.

Belongs here: which rows of a register still speak (whole states, open rows of logs), and a kept value as a cell.
Does not: the workbook and values of indicators (template.py), or what a register decides (lib/analysis).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

import polars as pl

import contracts
from contracts.base import Column, TableContract
from dagster_project.lib.base.engine import Connection
from dagster_project.lib.base.names import INPUTS
from dagster_project.lib.intake.reading.number_formats import number_text

SOURCE = ["reporting_year", "source_file", "source_sheet", "source_row"]

Cell = str | int | float


def last_registers(release: Connection, community_id: str, reporting_year: int) -> dict[str, pl.DataFrame]:
    """The rows of every register that still speak in the reporting year, by table; registers without any left out.

    Left out are tables that the release does not carry, and those whose contract says so: a decision of the network, a
    story or an answer is given once, and never again by leaving a row as it was.
    """
    query = "select table_name from information_schema.tables where table_schema = ?"
    carried = {name for (name,) in release.execute(query, [INPUTS]).fetchall()}
    found = {}
    for table, contract in contracts.landed_registers().items():
        if not contract.prefill or f"register_{table}" not in carried:
            continue
        rows = release.execute(
            f'select * from {INPUTS}."register_{table}" where community_id = ? and reporting_year <= ?',
            [community_id, reporting_year],
        ).pl()
        missing = [column for column in contract.columns if column.name not in rows.columns]
        # A release from before a contract version lacks the columns that it added.
        rows = rows.with_columns(pl.lit(None, column.polars_type).alias(column.name) for column in missing)
        standing = as_they_stand(rows, contract, reporting_year)
        if standing.height:
            found[table] = standing
    return found


def as_they_stand(rows: pl.DataFrame, contract: TableContract, reporting_year: int) -> pl.DataFrame:
    """Rows of one community's register that still speak in the reporting year, in the order they were written.

    `rows` has reporting_year, source_file, source_sheet, source_row and the register's columns, no row of a later
    year. Of a state the newest year's table as a whole. Of a log the newest word on each key; then, where rows have a
    last day, those not over when the reporting year begins, else those of the newest year that has any.
    """
    ordered = rows.sort(SOURCE, nulls_last=False)
    newest = pl.col("reporting_year") == pl.col("reporting_year").max()
    if contract.memory == "state":
        return ordered.filter(newest)
    latest = ordered.unique(list(contract.key), keep="last", maintain_order=True)
    if contract.open_until is None:
        return latest.filter(newest)
    last_day = pl.col(contract.open_until)
    return latest.filter(last_day.is_null() | (last_day >= dt.date(reporting_year, 1, 1)))


def cells_of(rows: pl.DataFrame, contract: TableContract) -> Iterator[dict[str, Cell]]:
    """Each row as the cells to write, by the column's name in the contract version; blank cells are left out."""
    columns = [column for column in contract.columns if column.kept in rows.columns]
    for row in rows.iter_rows(named=True):
        yield {column.name: as_cell(row[column.kept], column) for column in columns if row[column.kept] is not None}


def as_cell(value: Any, column: Column) -> Cell:
    """A kept value as the contract reads it: dates as 2024-06-30, yes and no, numbers as numbers, the rest as text.

    A number with more digits than a workbook keeps is written as text, so that reading it gives the same number.
    """
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float) and float(number_text(value)) != value:
        return format(Decimal(repr(value)), "f")
    if isinstance(value, int | float):
        return str(value) if column.kind == "school_year" else value
    return value.isoformat() if isinstance(value, dt.date) else str(value)


Registers = Mapping[str, pl.DataFrame]
"""Rows of registers as they stand, by table."""
