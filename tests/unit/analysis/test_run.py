"""The one order of calls: every table is there, and a run hands every one of them on.

Belongs here: which tables the analysis gives, from frames and from the files of a run.
Does not: what any of them holds.
"""

from __future__ import annotations

import datetime as dt
import shutil
from dataclasses import replace
from functools import cache
from pathlib import Path

import duckdb
import polars as pl
import pytest

from dagster_project.lib.analysis.records.build import build_record
from dagster_project.lib.analysis.records.recompute import recompute, stated
from dagster_project.lib.analysis.run import (
    ANALYSIS_TABLES,
    AnalysisInputs,
    AnalysisResult,
    context_of,
    designate,
    run,
)
from dagster_project.lib.app import analysis as app
from dagster_project.lib.base.reference import Reference
from tests.unit.rubric.conftest import COMMUNITY, SEEDS, World, analysis_inputs, random_values, register, seed

YEARS = range(2020, 2023)


def world() -> World:
    return World(first_year=YEARS[0], last_year=YEARS[-1], today=dt.date(YEARS[-1], 12, 31))


@cache
def given() -> AnalysisInputs:
    return analysis_inputs(world(), random_values([COMMUNITY], range(2016, YEARS.stop), 1))


@cache
def result() -> AnalysisResult:
    ruleset = world().ruleset()
    return run(given(), replace(ruleset, simulation=replace(ruleset.simulation, draws=20)))


def test_a_run_gives_every_table_with_rows() -> None:
    assert tuple(result().tables) == ANALYSIS_TABLES
    empty = {name for name, table in result().tables.items() if table.is_empty()}
    assert empty == {"fct_target_progress", "fct_community_indicator", "fct_strategy"}, "no such register was given"


def test_designations_from_tables_that_hold_everything_else_are_those_of_the_run() -> None:
    """As a release's records are made once more: its requirements are worked out anew."""
    made = {name: table for name, table in result().records.tables.items() if not name.startswith("fct_designation")}
    again = designate(context_of(given(), world().ruleset()), made, given().seeds)
    for name in ("fct_designation_requirement", "fct_designation"):
        assert again.tables[name].equals(result().records.tables[name]), name


def test_every_community_year_has_every_row_of_the_rubric_and_every_designation() -> None:
    criteria, decided = result().tables["fct_criterion_status"], result().tables["fct_designation"]
    for year in YEARS:
        mine = criteria.filter(reporting_year=year)
        assert sorted(mine["criterion_id"]) == sorted(seed("rubric/rubric")["criterion_id"])
        names = decided.filter(reporting_year=year)["designation"].to_list()
        assert names == ["proof_point_initial", "proof_point_ongoing", "systems_transformation"]
    requirement = result().tables["fct_designation_requirement"].filter(reporting_year=YEARS[-1])
    assert requirement.height == 11
    assert decided["record_id"].str.len_chars().unique().to_list() == [16]


def test_a_community_is_assessed_from_its_first_submission_on() -> None:
    inputs = given()
    again = inputs.submissions.with_columns(pl.col("reporting_year") + 1)
    assert replace(inputs, submissions=pl.concat([inputs.submissions, again])).first_years.equals(inputs.first_years)


def test_nothing_is_decided_of_a_community_after_the_year_it_left() -> None:
    inputs = given()
    left = inputs.seeds.communities.with_columns(left_year=pl.lit(YEARS[1], pl.Int32))
    ruleset = world().ruleset()
    brief = replace(ruleset, simulation=replace(ruleset.simulation, draws=20))
    found = run(replace(inputs, seeds=replace(inputs.seeds, communities=left)), brief).tables
    goes_on = {"fct_trend", "trend_point_span", "fct_gap", "fct_gap_year"}
    for name, table in found.items():
        year = "last_reporting_year" if "last_reporting_year" in table.columns else "reporting_year"
        if year in table.columns and table.height:
            last = YEARS[-1] if name in goes_on else YEARS[1]
            assert table[year].max() == last, name


PATH = ("exploring", "emerging", "sustaining", "systems_change", "systems_transformation")


@pytest.mark.parametrize("path", [PATH[:4], (*PATH, "beyond")])
def test_a_network_with_a_gateway_less_or_more_runs(path: tuple[str, ...]) -> None:
    inputs, changed = given(), world()
    changed.parameters = {"gateway.order": " ".join(path)}
    rubric = inputs.seeds.rubric
    more = rubric.filter(gateway="exploring").with_columns(
        pl.col("criterion_id", "parent_id", "mandatory_child").str.replace("exploring", "beyond"),
        gateway=pl.lit("beyond"),
    )
    rubric = pl.concat([rubric, more]).filter(pl.col("gateway").is_in(path) | (pl.col("pillar") == "designation"))
    ruleset = changed.ruleset()
    brief = replace(ruleset, simulation=replace(ruleset.simulation, draws=20))
    found = run(replace(inputs, seeds=replace(inputs.seeds, rubric=rubric)), brief)
    steps = found.tables["fct_gateway_step"].filter(reporting_year=YEARS[-1])
    assert steps["gateway"].to_list() == list(path)
    assert found.tables["fct_gateway_status"]["operating_in"].unique().to_list() == ["exploring"]
    record = build_record(found.records, COMMUNITY, "proof_point_initial", YEARS[-1])
    assert list(record["computed"]["gateways"]) == list(path)
    assert recompute(record) == stated(record)


def test_what_a_run_reads_of_warehouse_and_landing_gives_the_same_tables(tmp_path: Path) -> None:
    inputs = given()
    warehouse, landing = tmp_path / "warehouse.duckdb", tmp_path / "landing"
    landing.mkdir()
    known = inputs.known
    with duckdb.connect(str(warehouse)) as connection:
        connection.register("rows", known.to_arrow())
        connection.execute("create schema intermediate")
        connection.execute(f"create table intermediate.{app.KNOWN_TABLE} as select * from rows")
    tables = {"submissions": inputs.submissions, "observations": inputs.observations}
    for name in app.analysis_inputs():
        rows = tables.get(name)
        if rows is None:
            rows = register(name.removeprefix(app.REGISTER), [])
        rows.write_parquet(landing / f"{name}.parquet")
    seeds = tmp_path / "seeds"
    shutil.copytree(SEEDS, seeds)
    lines = f"community_id,name,state,joined_year\n{COMMUNITY},Testville,OH,{YEARS[0]}\n"
    (seeds / "network/communities.csv").write_text(lines, encoding="utf-8")
    ruleset = world().ruleset()
    key = (ruleset.ruleset_id, ruleset.ruleset_version)
    outcome = app.run_analysis(warehouse, landing, Reference(seeds), inputs.today, key)
    assert set(outcome.tables) == {*ANALYSIS_TABLES, app.KNOWN_TABLE}
    assert outcome.agrees and outcome.slopes_checked > 0
    for name in ("fct_trend", "fct_gap", "fct_criterion_status", "fct_gateway_status", "fct_designation"):
        assert outcome.tables[name].equals(result().tables[name]), name
