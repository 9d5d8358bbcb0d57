"""Files of dbt that are made from the declarations of computed tables: `python -m docs.generate`.

Belongs here: the source of the analysis, the contracts and tests of its marts, and their one-line models.
Does not: any column of its own (dagster_project/lib/analysis/tables), or models that people write.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import polars as pl
import yaml

from dagster_project.lib.analysis.tables import STORED, TABLES, Column, TableSpec

FOLDER = "dbt/models/reporting"
WIDTH = 118
DBT_TYPES: Mapping[pl.DataType, str] = {
    pl.String(): "varchar",
    pl.Int32(): "integer",
    pl.Int64(): "bigint",
    pl.Float64(): "double",
    pl.Boolean(): "boolean",
    pl.Date(): "date",
    pl.List(pl.String()): "varchar[]",
}
# Names that a contract has to quote.
RESERVED = frozenset({"group", "left", "order", "right"})
NAMES = {
    "community_name": ("varchar", "Name of the community."),
    "state": ("varchar", "State of the community."),
    "outcome_name": ("varchar", "Name of the outcome."),
    "indicator_name": ("varchar", "Name of the indicator."),
    "unit": ("varchar", "Unit of the indicator's values."),
    "direction": ("integer", "1 where higher is better, -1 where lower is, 0 for neither."),
    "dimension": ("varchar", "Dimension of the group."),
    "group_label": ("varchar", "Name of the group."),
    "school_year_date": ("date", "30 June of last_year, for charts over time."),
}
EXTERNAL = (
    "read_parquet('{{ env_var('ANALYSIS_PATH', '../data/work/analysis') | replace(\"'\", \"''\") }}/{name}.parquet',\n"
    "hive_partitioning = false)"
)
SOURCES_HEAD = """\
# What the analysis hands back to dbt: one Parquet file a table. Made by `make docs`; change lib/analysis/tables.
# Belongs here: tables and columns of source `analysis`, in the order and types that the analysis writes.
# Does not: descriptions of columns (_reporting.yml).
"""
# A mart that is kept short costs nothing where it is a view, and the release copies its rows as a table. From Spark
# marts come back by their files, which a view has none of.
EXPANDED = "{{ 'table' if target.type == 'spark' else 'view' }}"
MODELS_HEAD = """\
# Contracts of the marts that Python computed, column by column, and the tests of their grain, ids and vocabularies.
# Belongs here: what `make docs` makes of the declarations in dagster_project/lib/analysis/tables; change those.
# Does not: rules, words (seeds/dictionary/statuses.csv), or models that people write (_current_values.yml).
"""


def sources_yml(tables: Mapping[str, TableSpec] = STORED) -> str:
    """dbt/models/reporting/_analysis__sources.yml."""
    source = {
        "name": "analysis",
        "description": "Trends, gaps, outcomes, gateways and designations, computed in Python from the warehouse.",
        "config": {"external_location": EXTERNAL},
        "tables": [
            {
                "name": spec.name,
                "columns": [{"name": column.name, "data_type": DBT_TYPES[column.kind]} for column in spec.columns],
            }
            for spec in tables.values()
        ],
    }
    return _yml(SOURCES_HEAD, {"version": 2, "sources": [source]})


def models_yml(tables: Mapping[str, TableSpec] = TABLES) -> str:
    """dbt/models/reporting/_reporting.yml."""
    models = [_model(spec) for spec in tables.values()]
    models += [_current_model(spec) for spec in tables.values() if spec.current_names is not None]
    return _yml(MODELS_HEAD, {"version": 2, "models": models})


def _yml(head: str, content: Mapping[str, Any]) -> str:
    text: str = yaml.safe_dump(content, sort_keys=False, default_flow_style=None, width=116, allow_unicode=True)
    return head + text


def _model(spec: TableSpec) -> dict[str, Any]:
    promised: dict[str, Any] = {"key": list(spec.key), **_references(spec.columns)}
    if words := {column.name: _words(column) for column in spec.columns if column.words is not None}:
        promised["allowed"] = words
    columns = [_column(column, spec.key) for column in spec.columns]
    stated: dict[str, Any] = {"name": spec.name, "description": spec.description}
    if spec.stored_as is not None:
        stated["config"] = {"materialized": EXPANDED}
        for column in columns:
            # An engine checks no view; the test of the key looks for nulls, on Spark the table's own check does too.
            for constraint in column.get("constraints", ()):
                constraint["warn_unsupported"] = False
    return {**stated, "columns": columns, "data_tests": [_promises(promised)]}


def _current_model(spec: TableSpec) -> dict[str, Any]:
    """The rows of an rpt_ table are tested where they come from; its own key leaves the reporting year out."""
    key = [name for name in spec.key if name != "reporting_year"]
    subject, _, grain = spec.description.partition(". One row per ")
    subject = subject.partition(":")[0].removesuffix(", as known in every reporting year")
    columns = [_column(column, key) for column in spec.columns]
    origins = [spec.name, "dim_indicator"] if "direction" in (spec.current_names or ()) else [spec.name]
    for name in spec.current_names or ():
        kind, description = NAMES[name]
        columns.append({"name": name, "data_type": kind, "description": description})
    return {
        "name": current_name(spec),
        "description": f"{subject}, as known in the latest reporting year, with names. Rows of {spec.name} of that "
        f"year; there, one row per {grain}",
        "config": {"meta": {"columns_of": origins}},
        "columns": columns,
        "data_tests": [_promises({"key": key})],
    }


def current_name(spec: TableSpec) -> str:
    """The table's name for the latest reporting year only."""
    return f"{spec.name.replace('fct_', 'rpt_', 1)}_current"


def _column(column: Column, key: Sequence[str]) -> dict[str, Any]:
    stated: dict[str, Any] = {"name": column.name}
    if column.name in RESERVED:
        stated["quote"] = True
    stated |= {"data_type": DBT_TYPES[column.kind], "description": column.description}
    if column.name in key:
        stated["constraints"] = [{"type": "not_null"}]
    return stated


def _promises(arguments: Mapping[str, Any]) -> dict[str, Any]:
    return {"promises": {"arguments": dict(arguments)}}


def _references(columns: Sequence[Column]) -> dict[str, Any]:
    """The arguments `references` and `fields` of the test, where there is anything to refer to."""
    found = {column.name: column.refers_to.partition(".") for column in columns if column.refers_to is not None}
    told: dict[str, Any] = {
        "references": {name: f"ref('{table}')" for name, (table, _, _) in found.items()},
        "fields": {name: field for name, (_, _, field) in found.items() if field},
    }
    return {name: value for name, value in told.items() if value}


def _words(column: Column) -> str | dict[str, Any]:
    assert column.words is not None
    return {"domain": column.words, "without": list(column.without)} if column.without else column.words


def _commented(text: str) -> str:
    return "\n".join(f"-- {line}" for line in textwrap.wrap(text, WIDTH - 3))


def model_sql(spec: TableSpec) -> str:
    """The mart of a computed table."""
    call = "computed_table()" if spec.stored_as is None else f"expanded_table('{spec.stored_as}')"
    return (
        f"{_commented(spec.description.partition('. ')[0].removesuffix('.') + '.')}\n"
        "-- Belongs here: what the analysis computed, in the columns that lib/analysis/tables declares.\n"
        "-- Does not: compute, filter or judge anything.\n"
        f"{{{{ {call} }}}}\n"
    )


def current_sql(spec: TableSpec) -> str:
    """The mart that holds its latest reporting year only."""
    names = ", ".join(f"'{name}'" for name in spec.current_names or ())
    call = f"{{{{ latest_year_with_names('{spec.name}', [{names}]) }}}}"
    if len(call) > WIDTH:
        lines = textwrap.fill(names, WIDTH - 8, break_long_words=False).split("\n")
        inside = "".join(f"        {line}\n" for line in lines)
        call = f"{{{{ latest_year_with_names(\n    '{spec.name}',\n    [\n{inside}    ]\n) }}}}"
    return (
        f"-- {spec.name} as known in the latest reporting year, with names.\n"
        "-- Belongs here: the latest reporting year only, so that a naive chart adds no years up.\n"
        f"-- Does not: earlier knowledge ({spec.name}).\n"
        f"{call}\n"
    )


def dbt_files() -> dict[str, Callable[[], str]]:
    """What makes each generated file of dbt, by its path below the project."""
    made: dict[str, Callable[[], str]] = {
        f"{FOLDER}/_analysis__sources.yml": sources_yml,
        f"{FOLDER}/_reporting.yml": models_yml,
    }
    for spec in TABLES.values():
        made[f"{FOLDER}/{spec.name}.sql"] = lambda spec=spec: model_sql(spec)  # type: ignore[misc]
        if spec.current_names is not None:
            made[f"{FOLDER}/{current_name(spec)}.sql"] = lambda spec=spec: current_sql(spec)  # type: ignore[misc]
    return made
