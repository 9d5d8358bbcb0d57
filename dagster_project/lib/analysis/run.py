"""The one order of calls: figures, criteria, gateways, designations, ids of records, distances.

Belongs here: what the analysis reads, in which order its parts run, which tables it gives.
Does not: any figure or rule, reading a warehouse or landing files, writing anything.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import polars as pl

from dagster_project.lib.analysis.figures.gap import gaps_of
from dagster_project.lib.analysis.figures.known import expand_known
from dagster_project.lib.analysis.figures.members import until_left
from dagster_project.lib.analysis.figures.network import compute_network
from dagster_project.lib.analysis.figures.outcome import compute_outcomes, sound_selection
from dagster_project.lib.analysis.figures.second import SecondComputation, check_gaps, check_trends
from dagster_project.lib.analysis.figures.simulate import false_positive_rates
from dagster_project.lib.analysis.figures.standing import community_years, standings
from dagster_project.lib.analysis.figures.targets import compute_target_progress
from dagster_project.lib.analysis.figures.trend import trends_of
from dagster_project.lib.analysis.records.build import with_record_ids
from dagster_project.lib.analysis.records.distance import designation_distance
from dagster_project.lib.analysis.records.inputs import RecordInputs
from dagster_project.lib.analysis.rubric.context import FactContext, fact_context
from dagster_project.lib.analysis.rubric.criteria import criterion_statuses, designation_criteria
from dagster_project.lib.analysis.rubric.designations import designation_requirements, designation_statuses
from dagster_project.lib.analysis.rubric.editions import in_editions
from dagster_project.lib.analysis.rubric.gateways import (
    benchmark_statuses,
    gateway_missing,
    gateway_statuses,
    gateway_steps,
)
from dagster_project.lib.analysis.rubric.own_words import community_indicators, strategies
from dagster_project.lib.analysis.rubric.registers import Tables, scaffold_of
from dagster_project.lib.analysis.tables import STORED, TREND_POINT_SPAN
from dagster_project.lib.base.ruleset import Ruleset

ANALYSIS_TABLES: tuple[str, ...] = tuple(STORED)
# Registers that figures read; the rubric's rules name theirs in its seed.
BURDENED_GROUPS, SELECTION, TARGETS = "burdened_groups", "indicator_selection", "targets"
NETWORK_TABLES = ("fct_network_trend", "fct_network_outcome", "fct_false_positive")
"""What needs all communities at once. Every other table holds, of each community, what its own rows alone give."""
COMMUNITY_TABLES = tuple(name for name in ANALYSIS_TABLES if name not in NETWORK_TABLES)


@dataclass(frozen=True, eq=False)
class Seeds:
    """Reference data the analysis reads, each a seed of this name as text or typed."""

    communities: pl.DataFrame
    geographies: pl.DataFrame
    indicators: pl.DataFrame
    outcomes: pl.DataFrame
    dimensions: pl.DataFrame
    units: pl.DataFrame
    starter_groups: pl.DataFrame
    rubric: pl.DataFrame
    requirements: pl.DataFrame
    designations: pl.DataFrame


@dataclass(frozen=True, eq=False)
class AnalysisInputs:
    """What the analysis reads.

    known: int_values__known (columns: `known.KNOWN_COLUMNS`). submissions: community_id, reporting_year of every
    submission. registers: all reporting years of each register by name, the three that figures read among them, typed
    as landed. observations: accepted rows of all periods.
    """

    known: pl.DataFrame
    submissions: pl.DataFrame
    registers: Tables
    observations: pl.DataFrame
    seeds: Seeds
    last_reporting_year: int
    today: dt.date

    @cached_property
    def counted_registers(self) -> Tables:
        """The registers, the selection without the lines that do not count."""
        selection = sound_selection(self.registers[SELECTION], self.seeds.indicators, self.seeds.outcomes)
        return {**self.registers, SELECTION: selection}

    @property
    def first_years(self) -> pl.DataFrame:
        """community_id, first_reporting_year: of its first submission."""
        first = pl.col("reporting_year").min().alias("first_reporting_year")
        return self.submissions.group_by("community_id").agg(first).sort("community_id")


@dataclass(frozen=True, eq=False)
class Figures:
    """Every table of `ANALYSIS_TABLES` that holds figures by name, and the second computation of its slopes."""

    tables: dict[str, pl.DataFrame]
    second_trends: SecondComputation
    second_gaps: SecondComputation


@dataclass(frozen=True, eq=False)
class AnalysisResult:
    """Every table of `ANALYSIS_TABLES` by name, the second computation of slopes, and what records are made from."""

    tables: dict[str, pl.DataFrame]
    second_trends: SecondComputation
    second_gaps: SecondComputation
    records: RecordInputs


def run(inputs: AnalysisInputs, ruleset: Ruleset) -> AnalysisResult:
    """Compute every table under one ruleset, and every slope a second time.

    A difference between the two computations is reported in the result, not raised: the caller's check fails on it.
    Raises ValueError where an input lacks columns or contradicts itself.
    """
    own = of_communities(inputs, ruleset)
    made = {**own.tables, **of_network(own.tables, inputs.seeds, ruleset, inputs.last_reporting_year)}
    return replace(own, tables={name: made[name] for name in ANALYSIS_TABLES})


def of_communities(inputs: AnalysisInputs, ruleset: Ruleset) -> AnalysisResult:
    """The same but for the figures of the network: COMMUNITY_TABLES, of the communities whose rows the inputs hold.

    Reference data are the whole network's. Some communities at a time, in whatever groups, give the same rows as all.
    """
    figures = community_figures(inputs, ruleset)
    context = context_of(inputs, ruleset)
    records = decide(context, figures.tables, inputs.seeds)
    made = {
        **figures.tables,
        **records.tables,
        "fct_designation_distance": designation_distance(records),
        "fct_community_indicator": community_indicators(context),
        "fct_strategy": strategies(context),
    }
    tables = {name: made[name] for name in COMMUNITY_TABLES}
    return AnalysisResult(tables, figures.second_trends, figures.second_gaps, records)


def of_network(tables: Tables, seeds: Seeds, ruleset: Ruleset, last_reporting_year: int) -> dict[str, pl.DataFrame]:
    """NETWORK_TABLES from fct_trend, trend_point_span and fct_outcome_status of all communities."""
    rates = false_positive_rates(tables[TREND_POINT_SPAN.name], seeds.indicators, ruleset, last_reporting_year)
    return dict(zip(NETWORK_TABLES, (*_network(tables, seeds, ruleset), rates), strict=True))


def _network(tables: Tables, seeds: Seeds, ruleset: Ruleset) -> tuple[pl.DataFrame, pl.DataFrame]:
    return compute_network(
        tables["fct_trend"],
        tables[TREND_POINT_SPAN.name],
        tables["fct_outcome_status"],
        seeds.communities,
        seeds.geographies,
        seeds.indicators,
        ruleset,
    )


def of_indicators(tables: Tables, seeds: Seeds, ruleset: Ruleset) -> dict[str, pl.DataFrame]:
    """fct_network_trend from fct_trend and trend_point_span of all communities and some indicators.

    No figure of it looks at two indicators, so some at a time give the same rows as all.
    """
    rows = {**tables, "fct_outcome_status": STORED["fct_outcome_status"].empty()}
    return {"fct_network_trend": _network(rows, seeds, ruleset)[0]}


def compute_figures(inputs: AnalysisInputs, ruleset: Ruleset) -> Figures:
    """Trends, gaps, outcomes, network figures, targets and the simulation, then every slope a second time."""
    own = community_figures(inputs, ruleset)
    return replace(own, tables=own.tables | of_network(own.tables, inputs.seeds, ruleset, inputs.last_reporting_year))


def community_figures(inputs: AnalysisInputs, ruleset: Ruleset) -> Figures:
    """Trends, gaps, outcomes and targets of each community, then every slope a second time."""
    seeds, registers, last = inputs.seeds, inputs.counted_registers, inputs.last_reporting_year
    indicators = seeds.indicators
    points = expand_known(inputs.known, inputs.first_years, last, ruleset.trend)
    grid = community_years(inputs.first_years, last)
    trend, spans = trends_of(points, indicators, ruleset)
    held = standings(
        registers[BURDENED_GROUPS], seeds.starter_groups, seeds.dimensions, grid, inputs.today, ruleset.ruleset_id
    )
    gap, gap_year = gaps_of(points, held, indicators, ruleset)
    # Values, trends and gaps go on after a community left; what is decided of it ends there.
    judged = until_left(grid, seeds.communities)
    outcome = compute_outcomes(trend, gap, registers[SELECTION], indicators, seeds.outcomes, judged, ruleset)
    tables = {
        "fct_trend": trend,
        TREND_POINT_SPAN.name: spans,
        "fct_gap": gap,
        "fct_gap_year": gap_year,
        "fct_outcome_status": outcome,
        "fct_target_progress": compute_target_progress(
            registers[TARGETS], registers[SELECTION], trend, spans, indicators, judged, inputs.today, ruleset
        ),
    }
    return Figures(
        tables,
        check_trends(trend, spans, ruleset.epsilon),
        check_gaps(gap, spans, indicators, ruleset.epsilon),
    )


def context_of(inputs: AnalysisInputs, ruleset: Ruleset) -> FactContext:
    """The context that every rule of the rubric reads."""
    tables = {
        **inputs.counted_registers,
        "observations": inputs.observations,
        "int_values__known": inputs.known,
        "indicators": inputs.seeds.indicators,
        "outcomes": inputs.seeds.outcomes,
    }
    scaffold = scaffold_of(inputs.submissions, inputs.last_reporting_year, inputs.today)
    return fact_context(tables, until_left(scaffold, inputs.seeds.communities), ruleset, inputs.today)


def decide(context: FactContext, figures: Mapping[str, pl.DataFrame], seeds: Seeds) -> RecordInputs:
    """Criteria, benchmarks, gateways, designations with their requirements and the ids of their records.

    figures: fct_trend, trend_point_span, fct_gap and fct_outcome_status at least. The result's `tables` hold what went
    in and what came out.
    """
    rubric = seeds.rubric
    criteria = in_editions(
        rubric,
        lambda edition, years: criterion_statuses(replace(context, scaffold=context.scaffold.filter(years)), edition),
    )
    benchmarks = in_editions(rubric, lambda edition, years: benchmark_statuses(criteria.filter(years), edition))
    steps = gateway_steps(benchmarks, context)
    gateways = gateway_statuses(steps)
    tables = {
        **figures,
        "fct_benchmark_status": benchmarks,
        "fct_gateway_step": steps,
        "fct_gateway_status": gateways,
        "fct_gateway_missing": in_editions(
            rubric, lambda edition, years: gateway_missing(criteria.filter(years), gateways, edition)
        ),
    }
    requirements = designation_requirements(context, tables, seeds.requirements)
    designated = in_editions(rubric, lambda edition, years: designation_criteria(requirements.filter(years), edition))
    tables["fct_criterion_status"] = pl.concat([criteria, designated])
    return designate(context, tables, seeds, requirements)


def designate(
    context: FactContext, tables: Tables, seeds: Seeds, requirements: pl.DataFrame | None = None
) -> RecordInputs:
    """Designations and the ids of their records, from tables that hold everything else (a release's, for example)."""
    if requirements is None:
        requirements = designation_requirements(context, tables, seeds.requirements)
    made = {
        **tables,
        "units": seeds.units,
        "fct_designation_requirement": requirements,
        "fct_designation": designation_statuses(context, requirements, seeds.designations),
    }
    inputs = RecordInputs(context, made, seeds.rubric, seeds.requirements, seeds.designations)
    made["fct_designation"] = with_record_ids(inputs)
    return inputs
