"""Rows that hold for several reporting years, stored once with the first and the last of them.

Belongs here: the short form of a declared table, and the ways between it and one row a reporting year.
Does not: declare a table (figures), or make the mart, which dbt expands by the same rule (dbt/macros/computed.sql).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

import polars as pl

from dagster_project.lib.analysis.tables.declaring import TableSpec
from dagster_project.lib.analysis.tables.shared import FIRST_REPORTING_YEAR, LAST_REPORTING_YEAR, REPORTING_YEAR

YEAR, FIRST, LAST = REPORTING_YEAR.name, FIRST_REPORTING_YEAR.name, LAST_REPORTING_YEAR.name
Frame = TypeVar("Frame", pl.DataFrame, pl.LazyFrame)


def stored_form(spec: TableSpec) -> TableSpec:
    """The form in which the analysis keeps and writes a table: the short one where it is declared to have one."""
    if spec.stored_as is None:
        return spec
    columns = [(FIRST_REPORTING_YEAR, LAST_REPORTING_YEAR) if c.name == YEAR else (c,) for c in spec.columns]
    return replace(
        spec,
        name=spec.stored_as,
        columns=tuple(column for some in columns for column in some),
        key=(*(name for name in spec.key if name != YEAR), FIRST),
        stored_as=None,
    )


def each_year(spans: Frame) -> Frame:
    """One row a reporting year: FIRST and LAST give way to YEAR. A span that ends before it begins has no row.

    Choose rows and columns before: what is repeated is as much as is left. No order is promised.
    """
    years = pl.int_ranges(FIRST, pl.col(LAST) + 1, dtype=pl.Int32()).alias(YEAR)
    return spans.filter(pl.col(FIRST) <= pl.col(LAST)).with_columns(years).drop(FIRST, LAST).explode(YEAR)


def at_year(spans: Frame, reporting_year: int) -> Frame:
    """The rows that hold at one reporting year, with YEAR in place of FIRST and LAST."""
    holds = pl.lit(reporting_year, pl.Int32()).is_between(FIRST, LAST)
    return spans.filter(holds).with_columns(pl.lit(reporting_year, pl.Int32()).alias(YEAR)).drop(FIRST, LAST)


def until(spans: Frame, last: pl.Expr) -> Frame:
    """The same without the reporting years after `last`."""
    return spans.with_columns(pl.min_horizontal(LAST, last).alias(LAST)).filter(pl.col(FIRST) <= pl.col(LAST))


def as_spans(rows: Frame) -> Frame:
    """Rows of one reporting year each as spans of one year: not short, but what `each_year` gives again."""
    return rows.with_columns(pl.col(YEAR).alias(FIRST), pl.col(YEAR).alias(LAST)).drop(YEAR)
