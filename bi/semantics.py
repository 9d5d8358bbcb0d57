"""The semantic layer as tables with metrics in SQL, for a tool that knows no semantic layer.

Belongs here: semantic models joined to what they name, metrics with their filters as one expression each, flat marts.
Does not: what is measured (dbt/models/semantic), the form of any tool (bundle.py).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dagster_project.lib.base.names import MARTS
from dagster_project.lib.warehouse.declared import ColumnWords, TableWords

REFERENCE = re.compile(r"{{ *(Dimension|Entity)\('(\w+)'\) *}}")
WORDS = "dim_status"
LABEL = "_label"
BOTH_NEEDED = "It is empty where rows of several {names} come together: no count or rate holds over them."


class SemanticsError(ValueError):
    """The semantic layer says something that cannot be put into SQL here; the message names it."""


@dataclass(frozen=True)
class Column:
    """One column that a chart may use. `domain`: the closed words whose labels it shows."""

    name: str
    data_type: str
    description: str
    label: str
    is_time: bool = False
    domain: str | None = None


@dataclass(frozen=True)
class Metric:
    """One figure: an expression that aggregates. `is_share`: a number from 0 to 1."""

    name: str
    label: str
    description: str
    expression: str
    is_share: bool


@dataclass(frozen=True)
class Table:
    """One table of a BI tool: a query over the marts, its columns and its figures."""

    name: str
    description: str
    sql: str
    columns: tuple[Column, ...]
    metrics: tuple[Metric, ...] = ()
    time_column: str | None = None


@dataclass
class _Query:
    """A query over one mart, grown join by join."""

    base: TableWords
    times: list[str] = field(default_factory=list)
    selected: list[str] = field(default_factory=list)
    joins: list[str] = field(default_factory=list)
    columns: list[Column] = field(default_factory=list)

    def take(self, expression: str, column: Column) -> None:
        """One more column."""
        if column.name in {known.name for known in self.columns}:
            raise SemanticsError(f"{self.base.name}: two columns are called {column.name}")
        self.selected.append(f'{expression} as "{column.name}"')
        self.columns.append(column)

    @property
    def sql(self) -> str:
        """The query as it is written down."""
        listed = ",\n".join(f"    {part}" for part in self.selected)
        # Times are made where the mart is alone: what it names may have columns of the same name.
        own = f"{MARTS}.{self.base.name}"
        own = f"(select *, {', '.join(self.times)} from {own})" if self.times else own
        return "\n".join([f"select\n{listed}\nfrom {own} as base", *self.joins]) + "\n"


def flat_table(mart: TableWords) -> Table:
    """A mart as it is, with the label beside every closed word."""
    query = _with_own_columns(mart)
    dates = [column.name for column in query.columns if column.is_time]
    return Table(mart.name, mart.comment, query.sql, tuple(query.columns), time_column=dates[0] if dates else None)


def semantic_tables(manifest: Path, marts: Mapping[str, TableWords]) -> list[Table]:
    """Every semantic model that measures something, in the order of the declarations; SemanticsError."""
    declared: Mapping[str, Any] = json.loads(manifest.read_text(encoding="utf-8"))
    models = declared["semantic_models"]
    named = {
        entity["name"]: (model, entity["expr"])
        for model in models
        for entity in model["entities"]
        if entity["type"] == "primary"
    }
    metrics = {metric["name"]: metric for metric in declared["metrics"]}
    return [_Model(model, named, metrics, marts).table() for model in models if model["measures"]]


def _with_own_columns(mart: TableWords) -> _Query:
    query = _Query(mart)
    for column in mart.columns:
        is_time = column.data_type == "date"
        query.take(
            f'base."{column.name}"',
            Column(column.name, column.data_type, column.comment, _spelled(column.name), is_time),
        )
    for column in mart.columns:
        if column.domain:
            _join_words(query, column)
    return query


def _join_words(query: _Query, column: ColumnWords) -> None:
    alias = f"words_of_{column.name}"
    query.joins.append(
        f"left join {MARTS}.{WORDS} as {alias}\n"
        f"    on {alias}.domain = '{column.domain}' and {alias}.status = cast(base.\"{column.name}\" as varchar)"
    )
    told = Column(
        column.name + LABEL, "varchar", f"{column.description} In words.", _spelled(column.name), domain=column.domain
    )
    query.take(f"{alias}.label", told)


class _Model:
    """One semantic model on its way to a table."""

    def __init__(
        self,
        model: Mapping[str, Any],
        named: Mapping[str, tuple[Mapping[str, Any], str]],
        metrics: Mapping[str, Mapping[str, Any]],
        marts: Mapping[str, TableWords],
    ) -> None:
        self.model, self.named, self.all_metrics, self.marts = model, named, metrics, marts
        self.measures = {measure["name"]: measure for measure in model["measures"]}
        self.keys = {entity["name"]: entity["expr"] for entity in model["entities"]}
        self.query = _with_own_columns(marts[model["node_relation"]["alias"]])

    def table(self) -> Table:
        """The model with its own dimensions, those of what it names, and its metrics."""
        for dimension in self.model["dimensions"]:
            if dimension["expr"]:
                self._take_own(dimension)
        for entity in self.model["entities"]:
            self._join(entity)
        metrics = tuple(self._metrics())
        time_column = self.model["defaults"]["agg_time_dimension"]
        name, description = self.model["name"], f"{self.model['label']}: {self.model['description']}"
        return Table(name, description, self.query.sql, tuple(self.query.columns), metrics, time_column)

    def _take_own(self, dimension: Mapping[str, Any]) -> None:
        name = dimension["name"]
        if dimension["type"] != "time":
            raise SemanticsError(f"{self.model['name']}: dimension {name} is neither a column nor a time")
        self.query.times.append(f'{dimension["expr"]} as "{name}"')
        label = dimension["label"] or _spelled(name)
        self.query.take(f'base."{name}"', Column(name, "date", dimension["description"] or label, label, True))

    def _join(self, entity: Mapping[str, Any]) -> None:
        model, key = self.named[entity["name"]]
        mart, alias = self.marts[model["node_relation"]["alias"]], entity["name"]
        self.query.joins.append(
            f'left join {MARTS}.{mart.name} as {alias}\n    on {alias}."{key}" = base."{entity["expr"]}"'
        )
        told = {column.name: column for column in mart.columns}
        for dimension in model["dimensions"]:
            column = told[dimension["name"]]
            name = f"{alias}_{column.name}"
            self.query.take(f'{alias}."{column.name}"', Column(name, column.data_type, column.comment, _spelled(name)))

    def _metrics(self) -> Iterator[Metric]:
        for metric in self.all_metrics.values():
            parts = self._parts(metric)
            if any(measure["name"] not in self.measures for measure, _ in parts):
                continue
            of_one = self._of_one(metric, parts)
            told = metric["description"]
            if of_one:
                told += " " + BOTH_NEEDED.format(names=" or ".join(of_one))
            yield Metric(metric["name"], metric["label"], told, self._expression(parts, of_one), len(parts) > 1)

    def _parts(self, metric: Mapping[str, Any]) -> list[tuple[Mapping[str, Any], list[str]]]:
        """A measure and its filters for a simple metric; those of numerator and denominator for a ratio."""
        own = _filters(metric)
        if metric["type"] == "simple":
            name = metric["type_params"]["measure"]["name"]
            return [(self.measures.get(name, {"name": name}), own)]
        if metric["type"] != "ratio":
            raise SemanticsError(f"metric {metric['name']} is of type {metric['type']}; known are simple and ratio")
        found = []
        for side in ("numerator", "denominator"):
            for measure, filters in self._parts(self.all_metrics[metric["type_params"][side]["name"]]):
                found.append((measure, [*filters, *own]))
        return found

    def _of_one(self, metric: Mapping[str, Any], parts: Iterable[tuple[Mapping[str, Any], list[str]]]) -> list[str]:
        """Columns of which the rows added up may hold one value only."""
        found = [self.keys[entity] for entity in metric["config"]["meta"].get("asked_by", ())]
        for measure, _ in parts:
            window = measure["non_additive_dimension"]
            if window:
                found += [window["name"], *(self.keys[entity] for entity in window["window_groupings"])]
        return list(dict.fromkeys(found))

    def _expression(self, parts: Sequence[tuple[Mapping[str, Any], list[str]]], of_one: Iterable[str]) -> str:
        sums = [self._sum(measure, filters) for measure, filters in parts]
        figure = f"{sums[0]} / nullif({sums[1]}, 0)" if len(sums) > 1 else sums[0]
        kept = self._condition(parts[-1][1])
        alone = [
            f"count(distinct {f'case when {kept} then {column} end' if kept else column}) <= 1" for column in of_one
        ]
        return f"case when {' and '.join(alone)} then {figure} end" if alone else figure

    def _sum(self, measure: Mapping[str, Any], filters: Iterable[str]) -> str:
        if measure["agg"] != "sum":
            raise SemanticsError(f"measure {measure['name']} aggregates by {measure['agg']}; known is sum")
        kept = self._condition(filters)
        summed = f"case when {kept} then {measure['expr']} end" if kept else measure["expr"]
        # Both engines add whole numbers up to a type of their own, and one of them divides it without a fraction.
        return f"cast(sum({summed}) as double precision)"

    def _condition(self, filters: Iterable[str]) -> str:
        return " and ".join(REFERENCE.sub(self._column, text) for text in filters)

    def _column(self, reference: re.Match[str]) -> str:
        kind, name = reference[1], reference[2]
        if kind == "Entity":
            return str(self.keys[name])
        entity, _, column = name.partition("__")
        return column if entity == self.model["primary_entity"] else f"{entity}_{column}"


def _filters(metric: Mapping[str, Any]) -> list[str]:
    written = (metric["filter"] or {}).get("where_filters", ())
    return [" ".join(part["where_sql_template"].split()) for part in written]


def _spelled(name: str) -> str:
    """A column's name as people read it."""
    return name.replace("_", " ").capitalize()
