"""The tables that intake writes: their columns and types.

Belongs here: one schema a table of a partition, kept whole over contract versions.
Does not: filling them (rows, session.py), where they lie (bucket/lake.py), findings (findings.py).
"""

from __future__ import annotations

import polars as pl

import contracts
from dagster_project.lib.intake.findings import FINDINGS

POPULATION = "population"
"""The data level of rows that count everybody of a place: the only one that figures are made from."""

RAW = {name: f"raw_{name}" for name in ("indicator", "dimension", "group", "geography")}
"""Columns of the contract that are kept as they were written, beside the codes made of them."""


_OWN = pl.Schema(
    {
        "community_id": pl.String(),
        "reporting_year": pl.Int32(),
        "submission_id": pl.String(),
        "source_file": pl.String(),
        "source_sheet": pl.String(),
        "source_row": pl.Int32(),
        "source_column": pl.String(),
        "layout_id": pl.String(),
        "contract_version": pl.Int32(),
        "raw_indicator": pl.String(),
        "raw_dimension": pl.String(),
        "raw_group": pl.String(),
        "raw_geography": pl.String(),
        "raw_series": pl.String(),
        "indicator_id": pl.String(),
        "dimension": pl.String(),
        "group_code": pl.String(),
        "population_group_id": pl.String(),
        "geography_id": pl.String(),
        "geography_level": pl.String(),
        "school_year": pl.Int32(),
        "series": pl.String(),
        "period": pl.String(),
        "unit": pl.String(),
        "numerator": pl.Int64(),
        "denominator": pl.Int64(),
        "value": pl.Float64(),
        "value_low": pl.Float64(),
        "value_high": pl.Float64(),
        "value_status": pl.String(),
        "participation_rate": pl.Float64(),
        "data_source": pl.String(),
        "data_level": pl.String(),
        "note": pl.String(),
        "row_status": pl.String(),
        "row_reason": pl.String(),
    }
)


def added_columns() -> dict[str, pl.DataType]:
    """Columns of the values table beyond those of version 1, by the type they are kept with."""
    columns = contracts.landed()[contracts.VALUES_TABLE].columns
    return {column.name: column.polars_type for column in columns if RAW.get(column.name, column.name) not in _OWN}


def of_population(observations: pl.DataFrame) -> pl.DataFrame:
    """The rows that count everybody of a place. Rows kept before there was a data level are of the population."""
    return observations.filter(pl.col("data_level").fill_null(POPULATION) == POPULATION)


OBSERVATIONS = pl.Schema({**_OWN, **added_columns()})
"""A row of values as it is kept; columns that only some contract versions have are null in rows of the others."""


REGISTER_ROWS = pl.Schema(
    {
        "community_id": pl.String(),
        "reporting_year": pl.Int32(),
        "submission_id": pl.String(),
        "table_name": pl.String(),
        "source_file": pl.String(),
        "source_sheet": pl.String(),
        "source_row": pl.Int32(),
        "contract_version": pl.Int32(),
        "row_status": pl.String(),
        "row_reason": pl.String(),
        "layout_id": pl.String(),
        "raw_indicator": pl.String(),
        "raw_dimension": pl.String(),
        "raw_group": pl.String(),
        "record": pl.String(),
    }
)
"""`record` is the typed row as JSON; landing unfolds it into the columns of the table's contract. `raw_*` are labels as
they were written, null where the register has no such column."""

WAITING_REGISTER_ROWS = pl.Schema(
    {name: kind for name, kind in REGISTER_ROWS.items() if name not in ("contract_version", "row_status", "record")}
)
"""Register rows that wait until a label has a code."""

FILES = pl.Schema(
    {
        "community_id": pl.String(),
        "reporting_year": pl.Int32(),
        "submission_id": pl.String(),
        "name": pl.String(),
        "sha256": pl.String(),
        "size": pl.Int64(),
        "layout": pl.String(),
        "kind": pl.String(),
        "rows_read": pl.Int32(),
        "rows_accepted": pl.Int32(),
        "rows_rejected": pl.Int32(),
        "rows_waiting": pl.Int32(),
        "contract_version": pl.Int32(),
        "reading": pl.String(),
    }
)

TABLES: dict[str, pl.Schema] = {
    "observations": OBSERVATIONS,
    "register_rows": REGISTER_ROWS,
    "findings": FINDINGS,
    "files": FILES,
}
"""Tables of a partition. `files` is written last and read first: a partition without it does not exist."""
