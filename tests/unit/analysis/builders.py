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

from dagster_project.lib.analysis import AnalysisInputs, Ruleset, analyse
from dagster_project.lib.analysis.figures.outcome import SELECTION_SCHEMA
from dagster_project.lib.analysis.figures.standing import REGISTER_SCHEMA
from dagster_project.lib.analysis.figures.targets import TARGET_SCHEMA

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


def inputs(values: pl.DataFrame, last: int, **changes: Any) -> AnalysisInputs:
    """Inputs around known values, with empty registers, the seeds' starter list and dimensions."""
    seeds = ROOT / "seeds"
    given: dict[str, Any] = {
        "known": values,
        "first_years": first_years(values),
        "last_reporting_year": last,
        "today": dt.date(last, 12, 31),
        "burdened_groups": pl.DataFrame(schema=REGISTER_SCHEMA),
        "indicator_selection": pl.DataFrame(schema=SELECTION_SCHEMA),
        "targets": pl.DataFrame(schema=TARGET_SCHEMA),
        "starter_groups": pl.read_csv(seeds / "rulesets/starter_burdened_groups.csv"),
        "indicators": INDICATORS,
        "outcomes": pl.read_csv(seeds / "dictionary/outcomes.csv"),
        "dimensions": pl.read_csv(seeds / "dictionary/dimensions.csv"),
    }
    return AnalysisInputs(**(given | changes))


def parameter_rows() -> pl.DataFrame:
    """The rows of the rulesets' parameter seeds."""
    files = ("ruleset_parameters.csv", "gateway_parameters.csv")
    return pl.concat([pl.read_csv(ROOT / "seeds/rulesets" / file, infer_schema=False) for file in files])


def tables(values: pl.DataFrame, last: int, ruleset: Ruleset, **changes: Any) -> dict[str, pl.DataFrame]:
    """All tables of the analysis, with few simulated draws, which have tests of their own."""
    brief = replace(ruleset, simulation=replace(ruleset.simulation, draws=20))
    return analyse(inputs(values, last, **changes), brief).tables
