"""The computed tables, each declared once: columns with type, meaning, words and ids, and the key.

Belongs here: every table by name. From these come the dbt source, the marts' contracts, casts and tests, the data
dictionary and what the report requires (`make docs` writes them; tests/structure/test_declarations.py compares).
Does not: computing any of them.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from dagster_project.lib.analysis.tables.declaring import Column, TableSpec, with_shared_codes
from dagster_project.lib.analysis.tables.figures import (
    FCT_FALSE_POSITIVE,
    FCT_GAP,
    FCT_GAP_YEAR,
    FCT_NETWORK_OUTCOME,
    FCT_NETWORK_TREND,
    FCT_OUTCOME_STATUS,
    FCT_TARGET_PROGRESS,
    FCT_TREND,
    FCT_TREND_POINT,
)
from dagster_project.lib.analysis.tables.rubric import (
    FCT_BENCHMARK_STATUS,
    FCT_COMMUNITY_INDICATOR,
    FCT_CRITERION_STATUS,
    FCT_DESIGNATION,
    FCT_DESIGNATION_DISTANCE,
    FCT_DESIGNATION_REQUIREMENT,
    FCT_GATEWAY_MISSING,
    FCT_GATEWAY_STATUS,
    FCT_GATEWAY_STEP,
    FCT_STRATEGY,
    before_freezing,
)
from dagster_project.lib.analysis.tables.spans import stored_form


def _by_name(*specs: TableSpec) -> dict[str, TableSpec]:
    return {spec.name: spec for spec in specs}


FIGURE_TABLES = _by_name(
    FCT_TREND,
    FCT_TREND_POINT,
    FCT_GAP,
    FCT_GAP_YEAR,
    FCT_OUTCOME_STATUS,
    FCT_NETWORK_TREND,
    FCT_NETWORK_OUTCOME,
    FCT_TARGET_PROGRESS,
    # What the literal rules would say of a network in which nothing changes (simulate.py); on the methods page.
    FCT_FALSE_POSITIVE,
)
RUBRIC_TABLES = _by_name(
    FCT_CRITERION_STATUS,
    FCT_BENCHMARK_STATUS,
    FCT_GATEWAY_STATUS,
    FCT_GATEWAY_STEP,
    FCT_GATEWAY_MISSING,
    FCT_DESIGNATION,
    FCT_DESIGNATION_REQUIREMENT,
    FCT_DESIGNATION_DISTANCE,
    FCT_COMMUNITY_INDICATOR,
    FCT_STRATEGY,
)
TABLES = FIGURE_TABLES | RUBRIC_TABLES
"""The marts, by name."""
STORED = _by_name(*(stored_form(spec) for spec in TABLES.values()))
"""What the analysis computes, keeps and writes for them: the same tables, some of them in their short form."""
TREND_POINT_SPAN = stored_form(FCT_TREND_POINT)


def as_declared(tables: Mapping[str, pl.DataFrame]) -> dict[str, pl.DataFrame]:
    """The tables, those of the rubric in their declared form; the figures have it from where they are computed."""
    return {name: RUBRIC_TABLES[name].conform(rows) if name in RUBRIC_TABLES else rows for name, rows in tables.items()}


__all__ = [
    "FCT_BENCHMARK_STATUS",
    "FCT_COMMUNITY_INDICATOR",
    "FCT_CRITERION_STATUS",
    "FCT_DESIGNATION",
    "FCT_DESIGNATION_DISTANCE",
    "FCT_DESIGNATION_REQUIREMENT",
    "FCT_FALSE_POSITIVE",
    "FCT_GAP",
    "FCT_GAP_YEAR",
    "FCT_GATEWAY_MISSING",
    "FCT_GATEWAY_STATUS",
    "FCT_GATEWAY_STEP",
    "FCT_NETWORK_OUTCOME",
    "FCT_NETWORK_TREND",
    "FCT_OUTCOME_STATUS",
    "FCT_STRATEGY",
    "FCT_TARGET_PROGRESS",
    "FCT_TREND",
    "FCT_TREND_POINT",
    "FIGURE_TABLES",
    "RUBRIC_TABLES",
    "STORED",
    "TABLES",
    "TREND_POINT_SPAN",
    "Column",
    "TableSpec",
    "as_declared",
    "before_freezing",
    "with_shared_codes",
]
