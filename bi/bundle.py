"""The bundle that Superset takes in, file by file: `python -m docs.generate` writes it to bi/superset.

Belongs here: Superset's form of a database, tables, charts and one dashboard; reading dashboard.yml; writing the files.
Does not: expressions and meanings (semantics.py), what the dashboard shows (dashboard.yml), addresses (load.py).
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from bi.semantics import Column, SemanticsError, Table, flat_table, semantic_tables
from dagster_project.lib.base.names import MARTS
from dagster_project.lib.base.reference import Reference
from dagster_project.lib.warehouse.dbt_run import MANIFEST
from dagster_project.lib.warehouse.declared import STATUSES, declared_marts

ROOT = Path(__file__).resolve().parent
FOLDER = ROOT / "superset"
SEEDS = ROOT.parent / "seeds"
DATABASE = "Cradle marts"
DATABASE_FILE = "databases/cradle.yaml"
READERS = "exposure.cradle.bi_clients"
FORM = "1.0.0"
# Superset's names of things; a date of its own makes the bundle no newer.
MADE_ON = "2026-01-01T00:00:00+00:00"
VIEWS = {"line": "echarts_timeseries_line", "bar": "echarts_timeseries_bar", "stacked": "echarts_timeseries_bar"}
SHARE, COUNT = ".0%", ",d"
ROWS_AT_MOST = 10_000
HEIGHT = 50


@dataclass(frozen=True)
class Chart:
    """One chart of dashboard.yml with the table that it reads."""

    told: Mapping[str, Any]
    table: Table

    @property
    def name(self) -> str:
        """Its title."""
        return str(self.told["name"])

    @property
    def columns(self) -> list[str]:
        """The columns of a chart of rows; none for a drawn one."""
        return list(self.told.get("columns", ()))

    @property
    def series(self) -> list[str]:
        """What its lines or bars are split by."""
        return list(self.told.get("series", ()))

    @property
    def filters(self) -> list[dict[str, Any]]:
        """Column, operator and value of what it is narrowed to."""
        return [{"col": column, "op": "==", "val": value} for column, value in self.told.get("filters", {}).items()]

    def require_columns(self) -> None:
        """SemanticsError for a column or metric that its table has not."""
        known = {column.name for column in self.table.columns}
        named = [*self.columns, *self.series, *self.told.get("filters", {}), *filter(None, [self.told.get("axis")])]
        missing = [name for name in named if name not in known]
        metric = self.told.get("metric")
        if metric and metric not in {known_metric.name for known_metric in self.table.metrics}:
            missing.append(metric)
        if missing:
            raise SemanticsError(f"chart {self.name}: {self.table.name} has no {', '.join(missing)}")


def bundle() -> dict[str, str]:
    """Every file of the bundle by its path below bi/superset; SemanticsError where dashboard.yml names what is not."""
    board = yaml.safe_load((ROOT / "dashboard.yml").read_text(encoding="utf-8"))
    tables = {table.name: table for table in _tables()}
    charts = [[Chart(told, tables[told["table"]]) for told in row] for row in board["rows"]]
    files: dict[str, Any] = {
        # Without a type both of Superset's importers take the bundle: that of dashboards and that of everything.
        "metadata.yaml": {"version": FORM, "timestamp": MADE_ON},
        DATABASE_FILE: database("duckdb:///current.duckdb"),
        f"dashboards/{board['slug']}.yaml": _dashboard(board, charts),
    }
    for table in tables.values():
        files[f"datasets/{table.name}.yaml"] = _dataset(table)
    for chart in (chart for row in charts for chart in row):
        chart.require_columns()
        files[f"charts/{_file_name(chart.name)}.yaml"] = _chart(chart)
    return {name: _text(content) for name, content in sorted(files.items())}


def write() -> None:
    """Write the bundle, and delete what it no longer holds."""
    made = bundle()
    for old in FOLDER.rglob("*.yaml"):
        if old.relative_to(FOLDER).as_posix() not in made:
            old.unlink()
    for name, text in made.items():
        path = FOLDER / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def database(address: str, engine: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The database that all tables lie in. `engine`: what is passed to the driver; reading alone by default."""
    return {
        "database_name": DATABASE,
        "sqlalchemy_uri": address,
        "expose_in_sqllab": True,
        "allow_run_async": False,
        "allow_ctas": False,
        "allow_cvas": False,
        "allow_dml": False,
        "allow_csv_upload": False,
        "extra": {
            "allows_virtual_table_explore": True,
            "engine_params": {"connect_args": dict(engine or {"read_only": True})},
        },
        "uuid": _uuid("database", DATABASE),
        "version": FORM,
    }


def _tables() -> list[Table]:
    """The semantic models, and every flat mart that BI clients are said to read."""
    declared = json.loads(MANIFEST.read_text(encoding="utf-8"))
    readers = declared["exposures"][READERS]["depends_on"]["nodes"]
    marts = declared_marts(MANIFEST, Reference(SEEDS))
    flat = sorted({name for name in (node.rpartition(".")[2] for node in readers) if name.startswith("rpt_")})
    return [
        *semantic_tables(MANIFEST.with_name("semantic_manifest.json"), marts),
        *(flat_table(marts[n]) for n in flat),
    ]


def _dataset(table: Table) -> dict[str, Any]:
    return {
        "table_name": table.name,
        "description": table.description,
        "main_dttm_col": table.time_column,
        "schema": MARTS,
        "sql": table.sql,
        "filter_select_enabled": True,
        "uuid": _uuid("dataset", table.name),
        "version": FORM,
        "database_uuid": _uuid("database", DATABASE),
        "columns": [
            {
                "column_name": column.name,
                "verbose_name": column.label,
                "description": column.description,
                "type": column.data_type.upper(),
                "is_dttm": column.is_time,
                "is_active": True,
                "groupby": True,
                "filterable": True,
            }
            for column in table.columns
        ],
        "metrics": [
            {
                "metric_name": metric.name,
                "verbose_name": metric.label,
                "description": metric.description,
                "expression": metric.expression,
                "d3format": SHARE if metric.is_share else COUNT,
            }
            for metric in table.metrics
        ],
    }


def _chart(chart: Chart) -> dict[str, Any]:
    params = _rows_form(chart) if chart.columns else _drawn_form(chart)
    return {
        "slice_name": chart.name,
        "description": chart.told["text"],
        "viz_type": params["viz_type"],
        "params": params,
        "query_context": json.dumps(_query(chart, params), sort_keys=True),
        "uuid": _uuid("chart", chart.name),
        "version": FORM,
        "dataset_uuid": _uuid("dataset", chart.table.name),
    }


def _rows_form(chart: Chart) -> dict[str, Any]:
    return {
        "viz_type": "table",
        "query_mode": "raw",
        "all_columns": chart.columns,
        "order_by_cols": [json.dumps([column, True]) for column in chart.columns[:1]],
        "adhoc_filters": [_filter_form(chart, one) for one in chart.filters],
        "row_limit": ROWS_AT_MOST,
        "include_search": True,
        "page_length": 20,
    }


def _drawn_form(chart: Chart) -> dict[str, Any]:
    axis = _column(chart.table, chart.told["axis"])
    is_share = _is_share(chart)
    return {
        "viz_type": VIEWS[chart.told["kind"]],
        "x_axis": axis.name,
        "x_axis_sort_asc": True,
        # Beside names of outcomes there is no room for a title, and they need none.
        **({"x_axis_title": axis.label, "x_axis_title_margin": 30} if axis.is_time else {}),
        "x_axis_time_format": "%Y",
        # Names of outcomes have no room beside each other.
        "orientation": "vertical" if axis.is_time else "horizontal",
        "metrics": [chart.told["metric"]],
        "groupby": chart.series,
        "adhoc_filters": [_filter_form(chart, one) for one in chart.filters],
        "row_limit": ROWS_AT_MOST,
        "truncate_metric": True,
        "stack": "Stack" if chart.told["kind"] == "stacked" else None,
        "show_legend": bool(chart.series),
        "legendType": "plain",
        "legendOrientation": "top",
        "markerEnabled": True,
        "rich_tooltip": True,
        "tooltipTimeFormat": "%Y",
        "y_axis_format": SHARE if is_share else COUNT,
        "truncateYAxis": is_share,
        "y_axis_bounds": [0, 1] if is_share else [None, None],
        "color_scheme": "supersetColors",
    }


def _query(chart: Chart, params: Mapping[str, Any]) -> dict[str, Any]:
    """What Superset's own server asks for the chart; ids of tables are filled in by the import."""
    query: dict[str, Any] = {"filters": chart.filters, "row_limit": ROWS_AT_MOST, "extras": {"having": "", "where": ""}}
    if chart.columns:
        query |= {"columns": chart.columns, "metrics": [], "orderby": [[column, True] for column in chart.columns]}
    else:
        axis = {"label": params["x_axis"], "sqlExpression": params["x_axis"], "expressionType": "SQL"}
        columns = [axis | {"columnType": "BASE_AXIS"}, *chart.series]
        query |= {"columns": columns, "metrics": params["metrics"], "series_columns": chart.series}
    return {
        "datasource": {"id": 0, "type": "table"},
        "force": False,
        "queries": [query],
        "form_data": dict(params),
        "result_format": "json",
        "result_type": "full",
    }


def _filter_form(chart: Chart, one: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "clause": "WHERE",
        "expressionType": "SIMPLE",
        "subject": one["col"],
        "operator": "==",
        "operatorId": "EQUALS",
        "comparator": one["val"],
        "filterOptionName": f"filter_{_uuid('filter', chart.name, one['col'])}",
    }


def _dashboard(board: Mapping[str, Any], rows: Sequence[Sequence[Chart]]) -> dict[str, Any]:
    return {
        "dashboard_title": board["title"],
        "description": board["description"],
        "slug": board["slug"],
        "certified_by": "make docs",
        "certification_details": board["certification"],
        "published": True,
        "uuid": _uuid("dashboard", board["slug"]),
        "version": FORM,
        "position": _places(board["title"], rows),
        "metadata": {
            "color_scheme": "supersetColors",
            "label_colors": _colors(chart for row in rows for chart in row),
            "cross_filters_enabled": True,
            "refresh_frequency": 0,
            "native_filter_configuration": [_native_filter(one) for one in board["filters"]],
        },
    }


def _places(title: str, rows: Sequence[Sequence[Chart]]) -> dict[str, Any]:
    """The grid: a row of charts below another."""
    names = [f"ROW-{number}" for number in range(1, len(rows) + 1)]
    found: dict[str, Any] = {
        "DASHBOARD_VERSION_KEY": "v2",
        "ROOT_ID": {"type": "ROOT", "id": "ROOT_ID", "children": ["GRID_ID"]},
        "GRID_ID": {"type": "GRID", "id": "GRID_ID", "children": names, "parents": ["ROOT_ID"]},
        "HEADER_ID": {"type": "HEADER", "id": "HEADER_ID", "meta": {"text": title}},
    }
    for name, charts in zip(names, rows, strict=True):
        parents = ["ROOT_ID", "GRID_ID"]
        placed = {f"CHART-{_file_name(chart.name)}": chart for chart in charts}
        meta = {"background": "BACKGROUND_TRANSPARENT"}
        found[name] = {"type": "ROW", "id": name, "children": [*placed], "parents": parents, "meta": meta}
        for place, chart in placed.items():
            shown = {
                "chartId": 0,
                "uuid": _uuid("chart", chart.name),
                "sliceName": chart.name,
                "width": chart.told["width"],
                "height": HEIGHT,
            }
            found[place] = {"type": "CHART", "id": place, "children": [], "parents": [*parents, name], "meta": shown}
    return found


def _native_filter(told: Mapping[str, str]) -> dict[str, Any]:
    return {
        "id": f"NATIVE_FILTER-{told['column']}",
        "name": told["name"],
        "type": "NATIVE_FILTER",
        "filterType": "filter_select",
        "description": "",
        "targets": [{"datasetUuid": _uuid("dataset", told["table"]), "column": {"name": told["column"]}}],
        "controlValues": {
            "enableEmptyFilter": False,
            "defaultToFirstItem": False,
            "multiSelect": True,
            "searchAllOptions": False,
            "inverseSelection": False,
        },
        "defaultDataMask": {"extraFormData": {}, "filterState": {}, "ownState": {}},
        "cascadeParentIds": [],
        "scope": {"rootPath": ["ROOT_ID"], "excluded": []},
    }


def _colors(charts: Iterable[Chart]) -> dict[str, str]:
    """The colour of every word that a chart is split by; SemanticsError for one word in two colours."""
    statuses = Reference(SEEDS).table(STATUSES)
    found: dict[str, str] = {}
    for chart in charts:
        for column in (_column(chart.table, name) for name in chart.series):
            words = statuses.filter(domain=column.domain, public_only="false") if column.domain else statuses.clear()
            for label, color in words.select("label", "color").rows():
                if found.setdefault(label, color) != color:
                    raise SemanticsError(f"{label} of {column.domain} has another colour elsewhere on the dashboard")
    return found


def _is_share(chart: Chart) -> bool:
    return any(metric.is_share for metric in chart.table.metrics if metric.name == chart.told["metric"])


def _column(table: Table, name: str) -> Column:
    for column in table.columns:
        if column.name == name:
            return column
    raise SemanticsError(f"{table.name} has no column {name}")


def _uuid(*names: str) -> str:
    """An id that stays the same: the importer knows by it what is there already."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, "/".join(("cradle-warehouse", "superset", *names))))


def _file_name(name: str) -> str:
    return "-".join(name.lower().split())


class _Block(yaml.SafeDumper):
    """Texts of several lines as blocks, so that a query can be read."""


def _as_block(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Block.add_representer(str, _as_block)


def _text(content: Any) -> str:
    told = yaml.dump(content, Dumper=_Block, sort_keys=False, allow_unicode=True, width=120)
    return "# Made by `make docs` from the semantic layer, the dictionary and bi/dashboard.yml; change those.\n" + str(
        told
    )
