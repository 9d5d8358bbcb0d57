"""Builders shared by the analysis tests.

Belongs here: small known-value frames, dictionary frames and rulesets from the project's own seeds.
Does not: expected results.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl

from dagster_project.lib.analysis.figures.known import expand_known
from dagster_project.lib.analysis.figures.outcome import SELECTION_SCHEMA
from dagster_project.lib.analysis.figures.standing import REGISTER_SCHEMA
from dagster_project.lib.analysis.figures.targets import TARGET_SCHEMA
from dagster_project.lib.analysis.figures.trend import trends_of
from dagster_project.lib.analysis.run import AnalysisInputs, Seeds, compute_figures
from dagster_project.lib.base.ruleset import Ruleset

ROOT = Path(__file__).resolve().parents[3]
KNOWN_SCHEMA: dict[str, pl.DataType] = {
    "community_id": pl.String(),
    "indicator_id": pl.String(),
    "population_group_id": pl.String(),
    "geography_id": pl.String(),
    "geography_level": pl.String(),
    "series": pl.String(),
    "school_year": pl.Int32(),
    "value": pl.Float64(),
    "value_low": pl.Float64(),
    "value_high": pl.Float64(),
    "numerator": pl.Int64(),
    "denominator": pl.Int64(),
    "value_status": pl.String(),
    "coverage": pl.Float64(),
    "origin": pl.String(),
    "submission_id": pl.String(),
    "source_file": pl.String(),
    "source_sheet": pl.String(),
    "source_row": pl.Int32(),
    "known_from": pl.Int32(),
    "known_to": pl.Int32(),
}
DEFAULTS: dict[str, Any] = {
    "community_id": "elm",
    "indicator_id": "up",
    "population_group_id": "all",
    "geography_level": "community",
    "series": "default",
    "value": None,
    "value_low": None,
    "value_high": None,
    "numerator": None,
    "denominator": None,
    "value_status": "reported",
    "coverage": None,
    "origin": "submitted",
    "submission_id": "0123456789abcdef",
    "source_file": "values.csv",
    "source_sheet": None,
    "source_row": 2,
    "known_from": 2020,
    "known_to": 9999,
}
# up and down: percent, higher or lower is better; flat: no direction; score: another unit; pool: a national definition.
INDICATORS = pl.DataFrame(
    [
        ("up", "early_grade_reading", "core", True, "percent", 1, False),
        ("down", "high_school_graduation", "contributing", False, "percent", -1, False),
        ("flat", "employment", "contributing", False, "percent", 0, False),
        ("score", "early_grade_reading", "core", False, "score", 1, False),
        ("pool", "high_school_graduation", "core", True, "percent", 1, True),
    ],
    schema=["indicator_id", "outcome_id", "role", "is_primary", "unit", "direction", "poolable"],
    orient="row",
)

# Districts d1 and d2 of one code are one place; d3 is a place of east alone.
GEOGRAPHIES = pl.DataFrame(
    [
        ("d1", "east", "district", "nces", "0900001", None, None),
        ("d2", "west", "district", "nces", "0900001", None, None),
        ("d3", "east", "district", "nces", "0900003", None, None),
    ],
    schema=["geography_id", "community_id", "geography_level", "code_system", "code", "valid_from", "valid_to"],
    orient="row",
)


def known(rows: Iterable[Mapping[str, Any]]) -> pl.DataFrame:
    """A frame of known values; what a row does not say is DEFAULTS, its geography the community."""
    filled = [{**DEFAULTS, **row} for row in rows]
    for row in filled:
        row.setdefault("geography_id", row["community_id"])
    return pl.DataFrame(filled, schema=KNOWN_SCHEMA, orient="row")


def yearly(values: Mapping[int, float | None], **common: Any) -> list[dict[str, Any]]:
    """Rows of one series from school year to value."""
    return [{"school_year": year, "value": value, **common} for year, value in values.items()]


def first_years(frame: pl.DataFrame, first: int | None = None) -> pl.DataFrame:
    """First reporting year of every community in the frame."""
    year = pl.col("known_from").min() if first is None else pl.lit(first, pl.Int32)
    return frame.group_by("community_id").agg(year.first().alias("first_reporting_year")).sort("community_id")


def trends(frame: pl.DataFrame, first: pl.DataFrame, last: int, ruleset: Ruleset) -> tuple[pl.DataFrame, pl.DataFrame]:
    """fct_trend and trend_point_span alone."""
    return trends_of(expand_known(frame, first, last, ruleset.trend), INDICATORS, ruleset)


def members(frame: pl.DataFrame, left: Mapping[str, int] | None = None) -> pl.DataFrame:
    """The communities of a frame: members of every reporting year, or until the one they left."""
    names = frame["community_id"].cast(pl.String).unique().sort()
    years = [(left or {}).get(name) for name in names]
    left_year = pl.Series("left_year", years, dtype=pl.Int32)
    return names.to_frame().with_columns(pl.lit(0).alias("joined_year"), left_year)


def seeds(communities: pl.DataFrame) -> Seeds:
    """The made-up indicators beside the project's own seeds."""
    folder = ROOT / "seeds"
    return Seeds(
        communities=communities,
        geographies=GEOGRAPHIES,
        indicators=INDICATORS,
        outcomes=pl.read_csv(folder / "dictionary/outcomes.csv"),
        dimensions=pl.read_csv(folder / "dictionary/dimensions.csv"),
        units=pl.read_csv(folder / "dictionary/units.csv"),
        starter_groups=pl.read_csv(folder / "rulesets/starter_burdened_groups.csv"),
        rubric=pl.read_csv(folder / "rubric/rubric.csv", infer_schema=False),
        requirements=pl.read_csv(folder / "rubric/designation_requirements.csv", infer_schema=False),
        designations=pl.read_csv(folder / "rubric/designations.csv", infer_schema=False),
    )


def inputs(
    values: pl.DataFrame,
    last: int,
    today: dt.date | None = None,
    communities: pl.DataFrame | None = None,
    **registers: pl.DataFrame,
) -> AnalysisInputs:
    """Inputs around known values: registers are empty unless given, reference data are `seeds`."""
    schemas = {"burdened_groups": REGISTER_SCHEMA, "indicator_selection": SELECTION_SCHEMA, "targets": TARGET_SCHEMA}
    empty = {name: pl.DataFrame(schema=schema) for name, schema in schemas.items()}
    return AnalysisInputs(
        known=values,
        submissions=first_years(values).rename({"first_reporting_year": "reporting_year"}),
        registers=empty | registers,
        observations=pl.DataFrame(),
        seeds=seeds(members(values) if communities is None else communities),
        last_reporting_year=last,
        today=today or dt.date(last, 12, 31),
    )


def parameter_rows() -> pl.DataFrame:
    """The rows of the rulesets' parameter seeds."""
    files = ("ruleset_parameters.csv", "gateway_parameters.csv")
    return pl.concat([pl.read_csv(ROOT / "seeds/rulesets" / file, infer_schema=False) for file in files])


def tables(values: pl.DataFrame, last: int, ruleset: Ruleset, **changes: Any) -> dict[str, pl.DataFrame]:
    """All tables of figures, with few simulated draws, which have tests of their own."""
    brief = replace(ruleset, simulation=replace(ruleset.simulation, draws=20))
    return compute_figures(inputs(values, last, **changes), brief).tables
