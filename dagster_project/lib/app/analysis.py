"""Analysis over the warehouse: reading its inputs, running it in order, handing its tables back.

Belongs here: which tables analysis reads, of the warehouse and landing for a run, of a release for records.
Does not: any figure or rule, or the order of them (lib/analysis), SQL models (dbt/), publishing.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl

import contracts
from dagster_project.lib.analysis import run
from dagster_project.lib.analysis.records.inputs import RecordInputs
from dagster_project.lib.analysis.run import AnalysisInputs, AnalysisResult, Seeds
from dagster_project.lib.analysis.tables import TREND_POINT_SPAN
from dagster_project.lib.analysis.tables.spans import as_spans
from dagster_project.lib.base import engine
from dagster_project.lib.base.engine import Connection
from dagster_project.lib.base.names import INPUTS, OBSERVATIONS_TABLE
from dagster_project.lib.base.reference import Reference
from dagster_project.lib.base.ruleset import Ruleset, RulesetKey, read_ruleset

# What a record is rebuilt from, of the tables that a release holds.
RECORD_TABLES = (
    "fct_trend",
    "fct_trend_point",
    "fct_gap",
    "fct_outcome_status",
    "fct_criterion_status",
    "fct_gateway_step",
)
KNOWN_TABLE = "int_values__known"
REGISTER = "register_"


@dataclass(frozen=True)
class AnalysisOutcome:
    """All computed tables by name, and how the two computations of every slope compare."""

    tables: Mapping[str, pl.DataFrame]
    agrees: bool
    largest_difference: float
    slopes_checked: int


# Nothing is decided from these, and a story without consent must not leave the lake.
NOT_INPUTS = frozenset(
    {
        "community_reviews",
        "confirmations",
        "declarations",
        "explanation_decisions",
        "explanations",
        "publication_objections",
        "stories",
    }
)


def analysis_inputs() -> list[str]:
    """Landing tables that analysis reads beside int_values__known."""
    registers = [name for name in contracts.landed_registers() if name not in NOT_INPUTS]
    return ["submissions", OBSERVATIONS_TABLE, *(f"{REGISTER}{name}" for name in registers)]


def read_inputs(warehouse: Path, landing: Path, reference: Reference, today: dt.date) -> AnalysisInputs:
    """Read everything analysis needs; the warehouse is opened read-only and closed again."""
    with engine.opened(warehouse) as connection:
        known = connection.execute(f"select * from intermediate.{KNOWN_TABLE}").pl()
    tables = {name: pl.read_parquet(landing / f"{name}.parquet", glob=False) for name in analysis_inputs()}
    return inputs_of(known, tables, seeds_of(reference), last_year(reference, today), today)


def inputs_of(
    known: pl.DataFrame, landing: Mapping[str, pl.DataFrame], seeds: Seeds, last_reporting_year: int, today: dt.date
) -> AnalysisInputs:
    """What the analysis reads, from int_values__known and tables of landing (`analysis_inputs`)."""
    registers = {name.removeprefix(REGISTER): rows for name, rows in landing.items() if name.startswith(REGISTER)}
    return AnalysisInputs(
        known=known,
        submissions=landing["submissions"],
        registers=registers,
        observations=landing[OBSERVATIONS_TABLE],
        seeds=seeds,
        last_reporting_year=last_reporting_year,
        today=today,
    )


def last_year(reference: Reference, today: dt.date) -> int:
    """The last reporting year that figures are computed for."""
    return reference.reporting_years(today).stop - 1


def seeds_of(reference: Reference) -> Seeds:
    """Reference data in the analysis' own form."""
    return Seeds(
        communities=reference.communities,
        geographies=reference.geographies,
        indicators=reference.indicators,
        outcomes=reference.outcomes,
        dimensions=reference.dimensions,
        units=reference.units,
        starter_groups=reference.table("rulesets/starter_burdened_groups"),
        rubric=reference.table("rubric/rubric"),
        requirements=reference.table("rubric/designation_requirements"),
        designations=reference.table("rubric/designations"),
    )


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

    # A release of before lacks registers that were not read then: nothing was decided from them.
    held = engine.tables_of(connection, INPUTS)
    landing = {name: rows(INPUTS, name) for name in analysis_inputs() if name in held}
    inputs = inputs_of(rows(INPUTS, KNOWN_TABLE), landing, seeds_of(reference), last_year(reference, today), today)
    tables = {name: rows("marts", name) for name in RECORD_TABLES}
    tables[TREND_POINT_SPAN.name] = as_spans(tables.pop("fct_trend_point"))
    return run.designate(run.context_of(inputs, ruleset), tables, inputs.seeds)


def run_analysis(
    warehouse: Path, landing: Path, reference: Reference, today: dt.date, ruleset_key: RulesetKey
) -> AnalysisOutcome:
    """Compute every table of ANALYSIS_TABLES under one ruleset."""
    inputs = read_inputs(warehouse, landing, reference, today)
    result = run.run(inputs, read_ruleset(reference, ruleset_key))
    return AnalysisOutcome({**result.tables, KNOWN_TABLE: inputs.known}, *agreement_of(result))


def agreement_of(result: AnalysisResult) -> tuple[bool, float, int]:
    """Whether the two computations of every slope agree, the largest difference, how many slopes were compared."""
    both = (result.second_trends, result.second_gaps)
    return (
        all(check.agrees for check in both),
        max(check.max_difference for check in both),
        sum(check.n_compared for check in both),
    )
