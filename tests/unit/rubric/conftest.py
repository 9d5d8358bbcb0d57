"""Small registers for the tests of the rubric.

Belongs here: building typed register frames from short rows, the seeds, one evaluation of everything.
Does not: any expectation.
"""

from __future__ import annotations

import datetime as dt
import importlib
import types
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from dagster_project.lib.analysis import run
from dagster_project.lib.analysis.figures.outcome import SELECTION_SCHEMA
from dagster_project.lib.analysis.figures.standing import REGISTER_SCHEMA
from dagster_project.lib.analysis.figures.targets import TARGET_SCHEMA
from dagster_project.lib.analysis.records.inputs import RecordInputs
from dagster_project.lib.analysis.rubric import criteria, designations, gateways
from dagster_project.lib.analysis.rubric.context import FactContext, fact_context
from dagster_project.lib.analysis.rubric.registers import scaffold_of
from dagster_project.lib.base.ruleset import Ruleset, load_ruleset

ROOT = Path(__file__).resolve().parents[3]
SEEDS = ROOT / "seeds"
COMMUNITY = "testville"
# The versions that tests go by where they name none.
VERSIONS = {"toa-default": "1.1.0", "public-2018": "0.9.0"}


def seed(path: str) -> pl.DataFrame:
    """One seed as text, blank cells null."""
    return pl.read_csv(SEEDS / f"{path}.csv", infer_schema=False).with_columns(pl.all().replace("", None))


def contract(table: str) -> types.SimpleNamespace:
    """Columns, key and memory of a register as the contracts state them."""
    found = importlib.import_module(f"contracts.v1.{table}").CONTRACT
    return types.SimpleNamespace(
        columns={column.name: column.polars_type for column in found.columns}, key=found.key, memory=found.memory
    )


def day(text: str) -> dt.date:
    """A date from ISO text."""
    return dt.date.fromisoformat(text)


def register(table: str, rows: Sequence[dict[str, Any]], year: int = 2022, community: str = COMMUNITY) -> pl.DataFrame:
    """A landing register: short rows filled up with nulls and typed by the contract; `year` unless a row names one."""
    columns = contract(table).columns
    schema = {"community_id": pl.String(), "reporting_year": pl.Int32(), **columns}
    schema |= {"submission_id": pl.String(), "source_file": pl.String(), "source_row": pl.Int32()}
    full = [
        dict.fromkeys(schema)
        | {"community_id": community, "reporting_year": year, "source_row": line}
        | {name: day(v) if schema[name] == pl.Date() and isinstance(v, str) else v for name, v in row.items()}
        for line, row in enumerate(rows)
    ]
    return pl.DataFrame(full, schema=schema)


@dataclass
class World:
    """Registers and settings of one test; `evaluate` gives the tables."""

    tables: dict[str, pl.DataFrame] = field(default_factory=dict)
    parameters: dict[str, str | None] = field(default_factory=dict)
    today: dt.date = dt.date(2030, 1, 1)
    first_year: int = 2022
    last_year: int = 2022
    ruleset_id: str = "toa-default"
    ruleset_version: str | None = None

    def add(self, table: str, *rows: dict[str, Any], year: int | None = None) -> World:
        """Add rows to a register."""
        frame = register(table, rows, year or self.first_year)
        self.tables[table] = pl.concat([self.tables[table], frame]) if table in self.tables else frame
        return self

    def claim(self, *criterion_ids: str, **changes: Any) -> World:
        """Add claims of `met` with evidence."""
        base = {"claim": "met", "evidence_url": "https://example.org/e", "as_of": f"{self.first_year}-06-30"}
        return self.add("benchmark_evidence", *[{"criterion_id": c, **base, **changes} for c in criterion_ids])

    def ruleset(self) -> Ruleset:
        """The ruleset of the seeds, with the test's own parameters."""
        rows = parameter_rows()
        changed = pl.col("parameter").is_in(list(self.parameters))
        own = pl.col("parameter").replace_strict(self.parameters, default=None, return_dtype=pl.String)
        rows = rows.with_columns(pl.when(changed).then(own).otherwise("value").alias("value"))
        version = self.ruleset_version or VERSIONS[self.ruleset_id]
        return load_ruleset(rows, self.ruleset_id, version)

    def context(self) -> FactContext:
        """What the rules read."""
        submissions = pl.DataFrame({"community_id": [COMMUNITY], "reporting_year": [self.first_year]})
        scaffold = scaffold_of(submissions, self.last_year, self.today)
        return fact_context({**dictionary(), **self.tables}, scaffold, self.ruleset(), self.today)

    def criteria(self) -> pl.DataFrame:
        """fct_criterion_status without designation rows."""
        return criteria.criterion_statuses(self.context(), seed("rubric/rubric"))

    def status(self, criterion_id: str, year: int | None = None) -> str | None:
        """Status of one criterion."""
        return self.row(criterion_id, year)["status"]  # type: ignore[no-any-return]

    def row(self, criterion_id: str, year: int | None = None) -> dict[str, Any]:
        """The row of one criterion."""
        rows = self.criteria().filter(criterion_id=criterion_id, reporting_year=year or self.last_year)
        return rows.row(0, named=True)

    def steps(self) -> pl.DataFrame:
        """fct_gateway_step."""
        benchmarks = gateways.benchmark_statuses(self.criteria(), seed("rubric/rubric"))
        return gateways.gateway_steps(benchmarks, self.context())

    def step(self, gateway: str) -> dict[str, Any]:
        """One gateway at the last reporting year."""
        rows = self.steps().filter(gateway=gateway, reporting_year=self.last_year)
        return rows.row(0, named=True)

    def gateways(self) -> pl.DataFrame:
        """fct_gateway_status."""
        return gateways.gateway_statuses(self.steps())

    def requirements(self) -> pl.DataFrame:
        """fct_designation_requirement; tables that a test does not give are empty."""
        tables = empty_analysis() | {"fct_gateway_step": self.steps()} | self.tables
        return designations.designation_requirements(self.context(), tables, seed("rubric/designation_requirements"))

    def designations(self) -> pl.DataFrame:
        """fct_designation without record ids."""
        return designations.designation_statuses(self.context(), self.requirements(), seed("rubric/designations"))


def complete_world(year: int = 2022) -> World:
    """A community that meets every criterion of the five gateways at the end of `year`."""
    world = World(first_year=year, last_year=year, today=dt.date(year + 1, 2, 1))
    rubric = seed("rubric/rubric").filter(pl.col("pillar") != "designation")
    claimed = rubric.filter(pl.col("determined_by") != "computed")["criterion_id"]
    world.claim(*claimed)
    bodies = ("partnership", "leadership")
    world.add("partner_roster", *[_partner(letter, body) for letter in "abcdefgh" for body in bodies])
    world.add(
        "partnership_profile",
        {"geographic_scope": "county 09009", "anchor_organization": "Anchor", "anchor_since": "2015-01-01"},
    )
    core = seed("dictionary/indicators").filter((pl.col("role") == "core") & (pl.col("is_primary") == "true"))
    extra = {"role": "contributing", "revised_on": f"{year}-01-15", "rationale": "a clearer definition"}
    world.add(
        "indicator_selection",
        *[{"indicator": name, "role": "core", "primary": True} for name in core["indicator_id"]],
        {"indicator": "attendance_rate_pct", "prioritized": True, **extra},
        {"indicator": "chronic_absence_pct", "prioritized": False, **extra},
    )
    world.add(
        "results", {"population": "children under 5", "statement": "all ready", "outcome": "kindergarten_readiness"}
    )
    roles = ("daily_management", "data", "communication", "community_engagement")
    world.add("capacity", *[{"role": role, "person": "director", "fte": 1.0} for role in roles])
    world.add(
        "funding",
        {"partner": "Fund", "purpose": "operations", "start_date": f"{year}-01-01", "end_date": f"{year + 3}-01-01"},
    )
    world.add("networks", {"name": "readers", "outcome": "early_grade_reading"})
    goal = {"indicator": "employed_pct", "dimension": "all", "group": "all", "value": 80.0}
    world.add(
        "targets", *[{**goal, "deadline": f"{year + 5}-06-30", "horizon": horizon} for horizon in ("short", "long")]
    )
    world.add(
        "measures",
        *[{"name": sector, "action": "tutoring", "owner_sector": sector} for sector in ("health", "housing")],
    )
    agreement = {"party": "Clinic", "sector": "health", "data_level": "individual", "start_date": f"{year}-01-01"}
    world.add("data_sharing_agreements", agreement)
    _add_events(world, year)
    world.tables["int_values__known"] = random_values([COMMUNITY], range(year - 5, year + 1), 1)
    values = world.tables["int_values__known"].with_columns(
        pl.lit(year - 5).cast(pl.Int32).alias("known_from"), pl.lit(50.0).alias("value")
    )
    gender = values.filter(pl.col("population_group_id") == "economic_status:yes")
    gender = gender.with_columns(pl.lit("gender:female").alias("population_group_id"))
    world.tables["int_values__known"] = pl.concat([values, gender])
    world.tables["observations"] = quarterly_observation(year)
    return world


def _partner(letter: str, body: str) -> dict[str, Any]:
    return {"organization": f"{body} {letter}", "body": body, "sector_category": letter, "active_from": "2015-01-01"}


def quarterly_observation(
    year: int, indicator: str = "attendance_rate_pct", value: float | None = 91.0, group: str = "all"
) -> pl.DataFrame:
    """One accepted row of the landing table observations, of a quarter of 2022."""
    row = {"community_id": COMMUNITY, "reporting_year": year, "indicator_id": indicator, "row_status": "accepted"}
    key = {"series": "default", "geography_id": COMMUNITY, "population_group_id": group, "school_year": 2022}
    kinds = dict.fromkeys(("value", "value_low", "value_high"), pl.Float64) | {"reporting_year": pl.Int32}
    numbers = {"period": "2022-Q1", "value": value, "value_low": None, "value_high": None}
    return pl.DataFrame([row | key | numbers], schema_overrides=kinds)


def _add_events(world: World, year: int) -> None:
    quarters = [f"{year}-{month:02d}-10" for month in (2, 5, 8, 11)]
    spoken = [
        {"kind": kind, "audience": audience, "date": date}
        for kind in ("progress", "feedback")
        for audience in ("partners", "community")
        for date in quarters
    ]
    card = {
        "kind": "report_card",
        "audience": "community",
        "channel": "online",
        "call_to_action": True,
        "baseline": True,
    }
    release = {"kind": "data_release", "audience": "partners"}
    yearly = [{**event, "date": f"{each}-09-01"} for event in (card, release) for each in (year - 1, year)]
    world.add("communications", *spoken, *yearly)
    core = seed("dictionary/indicators").filter((pl.col("role") == "core") & (pl.col("is_primary") == "true"))
    item = {"release_date": f"{year}-09-01", "dimension": "race_ethnicity", "shared_measure": True}
    world.add("report_card_items", *[{"indicator": name, **item} for name in core["indicator_id"]])
    world.add(
        "examples",
        *[example(f"f{n}", "feedback", f"{year}-03-01") for n in range(3)],
        *[example(f"s{n}", "strategy", f"{year}-03-01") for n in range(3)],
        {**example("p1", "policy", f"{year}-03-01"), "level": "public"},
    )


def example(
    example_id: str, kind: str, first: str, status: str = "accepted", as_of: str | None = None
) -> dict[str, Any]:
    """A row of the examples register."""
    return {
        "example_id": example_id,
        "kind": kind,
        "status": status,
        "first_evidenced_on": first,
        "as_of": as_of or first,
    }


def parameter_rows() -> pl.DataFrame:
    """The rows of the rulesets' parameter seeds."""
    return pl.concat([seed("rulesets/ruleset_parameters"), seed("rulesets/gateway_parameters")])


def ruleset_parameters(ruleset_id: str) -> dict[str, str | None]:
    """All parameters of a ruleset as the seeds give them."""
    rows = parameter_rows().filter(ruleset_id=ruleset_id, ruleset_version=VERSIONS[ruleset_id])
    return dict(rows.select("parameter", "value").iter_rows())


def dictionary() -> dict[str, pl.DataFrame]:
    """Indicators and outcomes of the seeds."""
    return {name: seed(f"dictionary/{name}") for name in ("indicators", "outcomes")}


def members(communities: Sequence[str]) -> pl.DataFrame:
    """Communities that belong to the network at every reporting year."""
    years = {"joined_year": [0] * len(communities), "left_year": [None] * len(communities)}
    return pl.DataFrame({"community_id": communities, **years}, schema_overrides={"left_year": pl.Int32})


def seeds(communities: Sequence[str] = (COMMUNITY,)) -> run.Seeds:
    """All reference data that the analysis reads."""
    return run.Seeds(
        communities=members(communities),
        geographies=seed("network/geographies"),
        indicators=seed("dictionary/indicators").with_columns(pl.col("direction").cast(pl.Int32)),
        outcomes=seed("dictionary/outcomes"),
        dimensions=seed("dictionary/dimensions"),
        units=seed("dictionary/units"),
        starter_groups=seed("rulesets/starter_burdened_groups"),
        rubric=seed("rubric/rubric"),
        requirements=seed("rubric/designation_requirements"),
        designations=seed("rubric/designations"),
    )


def empty_analysis() -> dict[str, pl.DataFrame]:
    """fct_trend and fct_outcome_status without rows."""
    trend = ["community_id", "indicator_id", "population_group_id", "geography_id", "trend_status"]
    outcome = ["community_id", "outcome_id", "trend_status", "gap_reduced"]
    return {
        "fct_trend": pl.DataFrame(schema=dict.fromkeys(trend, pl.String) | {"reporting_year": pl.Int32}),
        "fct_outcome_status": pl.DataFrame(schema=dict.fromkeys(outcome, pl.String) | {"reporting_year": pl.Int32}),
    }


@pytest.fixture
def world() -> Callable[..., World]:
    """A maker of worlds."""
    return World


RACE_GROUPS = ("white", "black", "hispanic", "asian", "american_indian_alaska_native")


def random_values(communities: Sequence[str], years: Sequence[int], random_seed: int) -> pl.DataFrame:
    """int_values__known of invented communities: core and adjacent indicators, totals and groups, holes and breaks."""
    rng = np.random.default_rng(random_seed)
    indicators = seed("dictionary/indicators").filter(pl.col("role").is_in(["core", "adjacent"]))["indicator_id"]
    groups = ["all", *[f"race_ethnicity:{name}" for name in RACE_GROUPS], "economic_status:yes", "economic_status:no"]
    rows = []
    for community in communities:
        for indicator in indicators:
            level, slope = rng.uniform(30, 70), rng.normal(0.5, 1.5)
            for group in groups:
                mine, tilt = level + rng.normal(0, 8), slope + rng.normal(0, 0.7)
                for year in years:
                    fate = rng.random()
                    status = "suppressed_at_source" if fate < 0.04 else "low_coverage" if fate < 0.06 else "reported"
                    n = int(rng.integers(6, 400))
                    value = float(np.clip(round(mine + tilt * (year - years[0]) + rng.normal(0, 1), 1), 0, 100))
                    hidden = status == "suppressed_at_source"
                    if fate > 0.95:
                        continue
                    rows.append(
                        {
                            "community_id": community,
                            "indicator_id": indicator,
                            "population_group_id": group,
                            "geography_id": community,
                            "geography_level": "community",
                            "series": "new" if year > years[-3] and fate > 0.8 else "default",
                            "school_year": year,
                            "value": None if hidden else value,
                            "value_low": None,
                            "value_high": None,
                            "numerator": None,
                            "denominator": None if hidden else n,
                            "value_status": status,
                            "coverage": None,
                            "origin": "submitted",
                            "submission_id": f"s{year}",
                            "source_file": f"values_{year}.csv",
                            "source_sheet": None,
                            "source_row": len(rows) + 2,
                            "known_from": year,
                            "known_to": 9999,
                        }
                    )
    text = dict.fromkeys(("source_sheet", "geography_level", "origin"), pl.String)
    numbers = {"value_low": pl.Float64, "value_high": pl.Float64, "coverage": pl.Float64, "numerator": pl.Int64}
    whole = dict.fromkeys(("school_year", "source_row", "known_from", "known_to"), pl.Int32)
    return pl.DataFrame(rows, schema_overrides={**text, **numbers, **whole, "denominator": pl.Int64})


def analysis_inputs(
    world: World, values: pl.DataFrame, communities: Sequence[str] = (COMMUNITY,)
) -> run.AnalysisInputs:
    """What a run would read of values, registers and observations of a world."""
    schemas = {"burdened_groups": REGISTER_SCHEMA, "indicator_selection": SELECTION_SCHEMA, "targets": TARGET_SCHEMA}
    registers = {name: pl.DataFrame(schema=schema) for name, schema in schemas.items()} | world.tables
    observations = registers.pop("observations", quarterly_observation(world.first_year).clear())
    submitted = {"community_id": list(communities), "reporting_year": [world.first_year] * len(communities)}
    return run.AnalysisInputs(
        known=values,
        submissions=pl.DataFrame(submitted),
        registers=registers,
        observations=observations,
        seeds=seeds(communities),
        last_reporting_year=world.last_year,
        today=world.today,
    )


def analysed(world: World, values: pl.DataFrame, communities: Sequence[str] = (COMMUNITY,)) -> RecordInputs:
    """Everything from values and registers to designations, by the order of calls that a run goes by."""
    ruleset = world.ruleset()
    brief = replace(ruleset, simulation=replace(ruleset.simulation, draws=20))
    return run.run(analysis_inputs(world, values, communities), brief).records
