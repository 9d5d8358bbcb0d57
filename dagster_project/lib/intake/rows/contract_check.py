"""A contract's pandera schema, run once over the rows of many files.

Belongs here: calling pandera and mapping its failures back to rows, columns and rule ids; required and typed cells.
Does not: rules that need other tables (labels.py) or the arithmetic of values (values.py).
"""

from __future__ import annotations

import polars as pl

from contracts.base import CODE_KINDS, Column, TableContract
from dagster_project.lib.intake.findings import ISSUES, issues_where, no_issues
from dagster_project.lib.intake.layouts.cell_facts import FREE_COLUMNS
from dagster_project.lib.intake.rows.cells import DAY_OF_A_SHEET, PARSERS, cast_texts


def required_issues(texts: pl.DataFrame, contract: TableContract) -> pl.DataFrame:
    """Issues for empty cells of required columns."""
    parts = [
        issues_where(texts, pl.col(column.name).is_null(), "missing_required", column.name, allowed=column.allowed)
        for column in contract.columns
        if column.required
    ]
    return pl.concat([no_issues(), *parts])


def told_as_dates(issues: pl.DataFrame, texts: pl.DataFrame, contract: TableContract) -> pl.DataFrame:
    """The issues, with a cell that a spreadsheet program made a date of told as that and as nothing else.

    Text saved from such a program holds 9-May where 5-9 was typed, also in columns that take any text.
    """
    parts = [
        issues_where(texts, pl.col(column.name).str.contains(DAY_OF_A_SHEET), "date_cell", column.name,
                     pl.col(column.name), column.allowed)
        for column in contract.columns
        if column.kind != "date" and column.name not in FREE_COLUMNS
    ]  # fmt: skip
    dates = pl.concat([no_issues(), *parts])
    return pl.concat([issues.join(dates, on=["row", "column"], how="anti", maintain_order="left"), dates])


def cast_column(texts: pl.DataFrame, column: Column) -> tuple[pl.Series, pl.DataFrame]:
    """One column of text cast by its kind, with the issues of cells that could not be read."""
    series = texts[column.name]
    if column.kind == "choice":
        return series.str.to_lowercase() if _lower(column) else series, no_issues()
    if column.kind in CODE_KINDS or column.kind not in PARSERS:
        return series, no_issues()
    cast = cast_texts(series, column.kind, column.polars_type)
    bad = texts.with_columns(cast["bad"].alias("_bad"))
    found = pl.col(column.name)
    issues = issues_where(bad, pl.col("_bad"), f"bad_{column.kind}", column.name, found, column.allowed)
    return cast["typed"].alias(column.name), issues


def _lower(column: Column) -> bool:
    return all(choice == choice.lower() for choice in column.choices)


def contract_issues(typed: pl.DataFrame, texts: pl.DataFrame, contract: TableContract) -> pl.DataFrame:
    """Run the contract's pandera schema over the typed frame; `texts` (same rows) gives what was found."""
    from pandera.errors import SchemaErrors  # imported late: only what checks files needs it

    try:
        contract.pandera_schema().validate(contract.with_row_rules(typed), lazy=True)
    except SchemaErrors as errors:
        return _from_failures(errors.failure_cases, texts, contract)
    return no_issues()


def _from_failures(failures: pl.DataFrame, texts: pl.DataFrame, contract: TableContract) -> pl.DataFrame:
    structural = failures.filter(pl.col("index").is_null())
    if structural.height:
        raise TypeError(f"{contract.table}: the frame does not have the contract's form: {structural.to_dicts()[:3]}")
    rules = {rule.rule_id: rule for rule in contract.row_rules}
    parts = []
    for (column, check), part in failures.group_by("column", "check", maintain_order=True):
        rule = rules.get(str(check))
        name = rule.column if rule else str(column)
        allowed = rule.allowed if rule else _allowed(contract.column(name))
        hit = texts[part["index"].cast(pl.Int64).to_list()]
        parts.append(issues_where(hit, None, str(check), name, pl.col(name), allowed))
    return pl.concat([no_issues(), *parts]).cast(ISSUES)


def _allowed(column: Column) -> str:
    if column.choices or (column.minimum is None and column.maximum is None):
        return column.allowed
    low = "" if column.minimum is None else f"at least {column.minimum:,.0f}"
    high = "" if column.maximum is None else f"at most {column.maximum:,.0f}"
    return " and ".join(part for part in (low, high) if part)
