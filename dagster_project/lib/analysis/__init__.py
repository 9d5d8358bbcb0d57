"""Analysis: from values as known at each reporting year to trends, gaps, outcomes and network figures.

Belongs here: pure functions on Polars frames, many series at once, and the one call that runs them in order.
Does not: reading the warehouse, writing files, the rubric's criteria, or anything of Dagster.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import polars as pl

from dagster_project.lib.analysis.figures.gap import compute_gaps
from dagster_project.lib.analysis.figures.known import expand_known
from dagster_project.lib.analysis.figures.network import compute_network
from dagster_project.lib.analysis.figures.outcome import compute_outcomes
from dagster_project.lib.analysis.figures.second import SecondComputation, check_gaps, check_trends
from dagster_project.lib.analysis.figures.simulate import false_positive_rates
from dagster_project.lib.analysis.figures.standing import community_years, standings
from dagster_project.lib.analysis.figures.targets import compute_target_progress
from dagster_project.lib.analysis.figures.trend import compute_trends, trends_of
from dagster_project.lib.analysis.tables import TABLES, TableSpec
from dagster_project.lib.base.ruleset import Ruleset, load_ruleset

__all__ = [
    "TABLES",
    "AnalysisInputs",
    "AnalysisResult",
    "Ruleset",
    "SecondComputation",
    "TableSpec",
    "analyse",
    "compute_trends",
    "load_ruleset",
]


@dataclass(frozen=True, eq=False)
class AnalysisInputs:
    """What the analysis reads.

    known: int_values__known (columns: `known.KNOWN_COLUMNS`). first_years: community_id, first_reporting_year of its
    first submission. Registers hold all reporting years: burdened_groups (`standing.REGISTER_SCHEMA`),
    indicator_selection (`outcome.SELECTION_SCHEMA`), targets (`targets.TARGET_SCHEMA`). starter_groups, indicators,
    outcomes, dimensions: seeds of these names.
    """

    known: pl.DataFrame
    first_years: pl.DataFrame
    last_reporting_year: int
    today: dt.date
    burdened_groups: pl.DataFrame
    indicator_selection: pl.DataFrame
    targets: pl.DataFrame
    starter_groups: pl.DataFrame
    indicators: pl.DataFrame
    outcomes: pl.DataFrame
    dimensions: pl.DataFrame


@dataclass(frozen=True, eq=False)
class AnalysisResult:
    """Every table of `TABLES` by name, and the second computation of its slopes."""

    tables: dict[str, pl.DataFrame]
    second_trends: SecondComputation
    second_gaps: SecondComputation


def analyse(inputs: AnalysisInputs, ruleset: Ruleset) -> AnalysisResult:
    """Compute every table under one ruleset, then every slope a second time.

    A difference between the two computations is reported in the result, not raised: the caller's check fails on it.
    Raises ValueError where an input lacks columns or contradicts itself.
    """
    indicators = inputs.indicators
    points = expand_known(inputs.known, inputs.first_years, inputs.last_reporting_year, ruleset.trend)
    grid = community_years(inputs.first_years, inputs.last_reporting_year)
    trend, trend_point = trends_of(points, indicators, ruleset)
    held = standings(
        inputs.burdened_groups, inputs.starter_groups, inputs.dimensions, grid, inputs.today, ruleset.ruleset_id
    )
    gap = compute_gaps(points, held, indicators, ruleset)
    outcome = compute_outcomes(trend, gap, inputs.indicator_selection, indicators, inputs.outcomes, grid, ruleset)
    network_trend, network_outcome = compute_network(trend, trend_point, outcome, indicators, ruleset)
    tables = {
        "fct_trend": trend,
        "fct_trend_point": trend_point,
        "fct_gap": gap,
        "fct_outcome_status": outcome,
        "fct_network_trend": network_trend,
        "fct_network_outcome": network_outcome,
        "fct_target_progress": compute_target_progress(inputs.targets, trend, trend_point, indicators, grid, ruleset),
        "fct_false_positive": false_positive_rates(trend_point, indicators, ruleset, inputs.last_reporting_year),
    }
    return AnalysisResult(
        tables,
        check_trends(trend, trend_point, ruleset.epsilon),
        check_gaps(gap, trend_point, indicators, ruleset.epsilon),
    )
