"""Analysis over the warehouse: reading its inputs, running it in order, handing its tables back.

Belongs here: which tables analysis reads, the order of figures, criteria, gateways, designations and records.
Does not: any figure or rule (lib/analysis), SQL models (dbt/), publishing.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl

import contracts
from dagster_project.lib.analysis import AnalysisInputs, AnalysisResult, Ruleset, analyse, load_ruleset
from dagster_project.lib.analysis.records.records import RecordInputs, with_record_ids
from dagster_project.lib.analysis.rubric.criteria import criterion_statuses, designation_criteria
from dagster_project.lib.analysis.rubric.designations import designation_requirements, designation_statuses
from dagster_project.lib.analysis.rubric.distance import designation_distance
from dagster_project.lib.analysis.rubric.facts import FactContext, Tables, fact_context, scaffold_of
from dagster_project.lib.analysis.rubric.gateways import benchmark_statuses, gateway_missing, gateway_statuses
from dagster_project.lib.analysis.tables import RUBRIC_TABLES, TABLES
from dagster_project.lib.base import engine
from dagster_project.lib.base.engine import Connection
from dagster_project.lib.base.names import INPUTS, OBSERVATIONS_TABLE
from dagster_project.lib.base.reference import Reference

RECORD_TABLES = (
    "fct_trend",
    "fct_trend_point",
    "fct_gap",
    "fct_outcome_status",
    "fct_criterion_status",
    "fct_gateway_status",
)
ANALYSIS_TABLES: tuple[str, ...] = tuple(TABLES)
KNOWN_TABLE = "int_values__known"


@dataclass(frozen=True)
class AnalysisOutcome:
    """All computed tables by name, and how the two computations of every slope compare."""

    tables: Mapping[str, pl.DataFrame]
    agrees: bool
    largest_difference: float
    slopes_checked: int


@dataclass(frozen=True)
class WarehouseInputs:
    """What analysis reads: rows from the warehouse, registers from landing, seeds."""

    known: pl.DataFrame
    landing: Mapping[str, pl.DataFrame]
    reference: Reference
    today: dt.date
    last_reporting_year: int

    @property
    def parameters(self) -> pl.DataFrame:
        """Parameters of all rulesets."""
        return ruleset_parameters(self.reference)


def ruleset_parameters(reference: Reference) -> pl.DataFrame:
    """Parameters of all rulesets: of figures and of gateways."""
    return pl.concat([reference.table("rulesets/ruleset_parameters"), reference.table("rulesets/gateway_parameters")])


# Nothing is decided from these, and a story without consent must not leave the lake.
NOT_INPUTS = frozenset({"stories", "explanations"})


def analysis_inputs() -> list[str]:
    """Landing tables that analysis reads beside int_values__known."""
    registers = [name for name in contracts.landed_registers() if name not in NOT_INPUTS]
    return ["submissions", OBSERVATIONS_TABLE, *(f"register_{name}" for name in registers)]


def read_inputs(warehouse: Path, landing: Path, reference: Reference, today: dt.date) -> WarehouseInputs:
    """Read everything analysis needs; the warehouse is opened read-only and closed again."""
    with engine.opened(warehouse) as connection:
        known = connection.execute(f"select * from intermediate.{KNOWN_TABLE}").pl()
    tables = {name: pl.read_parquet(landing / f"{name}.parquet", glob=False) for name in analysis_inputs()}
    return WarehouseInputs(known, tables, reference, today, reference.reporting_years(today).stop - 1)


def record_inputs(
    connection: Connection,
    community_id: str | None,
    reference: Reference,
    today: dt.date,
    ruleset: Ruleset,
) -> RecordInputs:
    """What one community's records (all communities': None) are made from, read from a release (`inputs`, `marts`).

    Designations are decided here once more: the release's own rows may be those of a frozen record.
    """

    def rows(schema: str, table: str) -> pl.DataFrame:
        query = f'select * from {schema}."{table}" where community_id = ? or ? is null'
        return connection.execute(query, [community_id, community_id]).pl()

    landing = {name: rows(INPUTS, name) for name in analysis_inputs()}
    last = reference.reporting_years(today).stop - 1
    inputs = WarehouseInputs(rows(INPUTS, KNOWN_TABLE), landing, reference, today, last)
    context = context_of(inputs, ruleset)
    tables = {name: rows("marts", name) for name in RECORD_TABLES}
    tables |= _designations(context, tables, reference)
    return RecordInputs(
        context,
        tables,
        reference.table("rubric/rubric"),
        reference.table("rubric/designation_requirements"),
        reference.table("rubric/designations"),
    )


def _designations(context: FactContext, tables: Tables, reference: Reference) -> dict[str, pl.DataFrame]:
    requirements = designation_requirements(context, tables, reference.table("rubric/designation_requirements"))
    statuses = designation_statuses(context, requirements, reference.table("rubric/designations"))
    return {"fct_designation_requirement": requirements, "fct_designation": statuses}


def run_analysis(
    warehouse: Path, landing: Path, reference: Reference, today: dt.date, ruleset_key: tuple[str, str]
) -> AnalysisOutcome:
    """Compute every table of ANALYSIS_TABLES under one ruleset."""
    inputs = read_inputs(warehouse, landing, reference, today)
    ruleset = load_ruleset(inputs.parameters, *ruleset_key)
    result = analyse(_figures(inputs), ruleset)
    tables = {**result.tables, **rubric_tables(inputs, result, ruleset), KNOWN_TABLE: inputs.known}
    return AnalysisOutcome(tables, *_agreement(result))


def _figures(inputs: WarehouseInputs) -> AnalysisInputs:
    reference, landing = inputs.reference, inputs.landing
    first = (
        landing["submissions"]
        .group_by("community_id")
        .agg(pl.col("reporting_year").min().alias("first_reporting_year"))
    )
    return AnalysisInputs(
        known=inputs.known,
        first_years=first.sort("community_id"),
        last_reporting_year=inputs.last_reporting_year,
        today=inputs.today,
        burdened_groups=landing["register_burdened_groups"],
        indicator_selection=landing["register_indicator_selection"],
        targets=landing["register_targets"],
        starter_groups=reference.table("rulesets/starter_burdened_groups"),
        indicators=reference.indicators,
        outcomes=reference.outcomes,
        dimensions=reference.dimensions,
    )


def _agreement(result: AnalysisResult) -> tuple[bool, float, int]:
    both = (result.second_trends, result.second_gaps)
    return (
        all(check.agrees for check in both),
        max(check.max_difference for check in both),
        sum(check.n_compared for check in both),
    )


def context_of(inputs: WarehouseInputs, ruleset: Ruleset) -> FactContext:
    """The context that every rule of the rubric reads."""
    registers = {name.removeprefix("register_"): rows for name, rows in inputs.landing.items()}
    tables = {
        **registers,
        "int_values__known": inputs.known,
        "indicators": inputs.reference.indicators,
        "outcomes": inputs.reference.outcomes,
    }
    scaffold = scaffold_of(inputs.landing["submissions"], inputs.last_reporting_year, inputs.today)
    return fact_context(tables, scaffold, ruleset.parameters, ruleset.ruleset_id, ruleset.ruleset_version, inputs.today)


def as_declared(tables: Tables) -> dict[str, pl.DataFrame]:
    """The tables, those of the rubric in their declared form; the figures have it from where they are computed."""
    return {name: RUBRIC_TABLES[name].conform(rows) if name in RUBRIC_TABLES else rows for name, rows in tables.items()}


def rubric_tables(inputs: WarehouseInputs, result: AnalysisResult, ruleset: Ruleset) -> dict[str, pl.DataFrame]:
    """Criteria, benchmarks, gateways, designations with their requirements, records' ids and distances."""
    reference = inputs.reference
    rubric = reference.table("rubric/rubric")
    required = reference.table("rubric/designation_requirements")
    seeds = reference.table("rubric/designations")
    context = context_of(inputs, ruleset)
    criteria = criterion_statuses(context, rubric)
    benchmarks = benchmark_statuses(criteria, rubric)
    gateways = gateway_statuses(benchmarks, context)
    tables = {**result.tables, "fct_gateway_status": gateways, "units": reference.units}
    requirements = designation_requirements(context, tables, required)
    criteria = pl.concat([criteria, designation_criteria(requirements, rubric)])
    tables |= {
        "fct_criterion_status": criteria,
        "fct_benchmark_status": benchmarks,
        "fct_gateway_missing": gateway_missing(criteria, gateways, rubric),
        "fct_designation_requirement": requirements,
        "fct_designation": designation_statuses(context, requirements, seeds),
    }
    record_inputs = RecordInputs(context, tables, rubric, required, seeds)
    tables["fct_designation"] = with_record_ids(record_inputs)
    tables["fct_designation_distance"] = designation_distance(record_inputs)
    return {name: tables[name] for name in RUBRIC_TABLES}
