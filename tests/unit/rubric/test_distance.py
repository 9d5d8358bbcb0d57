"""How far a community is from being eligible: every row of the table, beside a plain computation from records alone.

Belongs here: the comparison, on drawn values and on values that stand at the ends of their scale.
Does not: what is decided (test_records.py), or the plain computation (distance_reference.py).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import polars as pl
import pytest

from dagster_project.lib.analysis.records.build import build_records
from dagster_project.lib.analysis.records.distance import SCHEMA, designation_distance
from dagster_project.lib.analysis.records.inputs import RecordInputs
from dagster_project.lib.analysis.run import run

from .conftest import World, analysed, analysis_inputs, seed
from .distance_reference import Windows, distances
from .test_records import COMMUNITIES, YEARS, known_values, world

KEY = ("community_id", "designation", "reporting_year", "requirement_id", "indicator_id", "population_group_id")


def drawn(world: World) -> RecordInputs:
    return analysed(world, known_values(), COMMUNITIES)


def at_the_ends(world: World) -> RecordInputs:
    """Values are 0, 50 or 100, so that lines turn at an end of the scale, and first gaps are just too small."""
    world.parameters["gap.baseline_min"] = "50"
    coarse = (pl.col("value") / 50).round() * 50
    return analysed(world, known_values().with_columns(coarse.alias("value")), COMMUNITIES)


def of_few_years(world: World) -> RecordInputs:
    """Trends need four points over five years, and end two years before the last reporting years."""
    world.parameters |= {"trend.min_points": "4", "trend.min_span_years": "5", "trend.max_years": "7"}
    early = pl.col("school_year") <= YEARS[-1] - 2
    kept = pl.col("indicator_id").hash(1) % 3 == 0
    return analysed(world, known_values().filter(early & (kept | (pl.col("school_year") > 2019))), COMMUNITIES)


def by_share(world: World) -> RecordInputs:
    world.parameters["designation.initial_indicators_share"] = "0.75"
    return analysed(world, known_values(), COMMUNITIES)


def without_direction(world: World) -> RecordInputs:
    """Two indicators, of a total and of gaps, are neither better higher nor lower."""
    given = analysis_inputs(world, known_values(), COMMUNITIES)
    flat = pl.col("indicator_id").is_in(["employed_pct", "median_family_income_usd"])
    indicators = given.seeds.indicators.with_columns(
        pl.when(flat).then(pl.lit(0, pl.Int32)).otherwise("direction").alias("direction")
    )
    ruleset = world.ruleset()
    brief = replace(ruleset, simulation=replace(ruleset.simulation, draws=20))
    return run(replace(given, seeds=replace(given.seeds, indicators=indicators)), brief).records


def in_scores(world: World) -> RecordInputs:
    """No indicator is a percentage: what is tolerated is a share of what was observed."""
    given = analysis_inputs(world, known_values(), COMMUNITIES)
    indicators = given.seeds.indicators.with_columns(unit=pl.lit("score"))
    ruleset = world.ruleset()
    brief = replace(ruleset, simulation=replace(ruleset.simulation, draws=20))
    return run(replace(given, seeds=replace(given.seeds, indicators=indicators)), brief).records


def windows(inputs: RecordInputs) -> dict[tuple[str, int], Windows]:
    """Over what the gaps were computed, of the community's own place."""
    found: dict[tuple[str, int], dict[tuple[str, str], dict[str, Any]]] = {}
    gaps = inputs.tables["fct_gap"].filter(pl.col("geography_id") == pl.col("community_id"))
    for row in gaps.iter_rows(named=True):
        place = found.setdefault((row["community_id"], row["reporting_year"]), {})
        place[row["indicator_id"], row["population_group_id"]] = row
    return found  # type: ignore[return-value]


def rounded(value: Any) -> Any:
    return value if not isinstance(value, float) else pytest.approx(value, rel=1e-9, abs=1e-7)


@pytest.mark.parametrize(
    ("made", "ruleset_id", "reasons"),
    [
        (drawn, "toa-default", {"stale", "more_years_needed", "no_gap_at_baseline"}),
        (at_the_ends, "toa-default", {"beyond_the_scale"}),
        (of_few_years, "toa-default", {"stale", "more_years_needed", "no_data"}),
        (by_share, "public-2018", set()),
        (without_direction, "toa-default", {"no_direction"}),
        (in_scores, "toa-default", set()),
    ],
)
def test_every_distance_is_that_of_the_plain_computation_from_the_record(
    made: Any, ruleset_id: str, reasons: set[str]
) -> None:
    inputs = made(world(ruleset_id))
    found = designation_distance(inputs)
    records = [record for year in YEARS for record in build_records(inputs, year)]
    expected = {tuple(row[name] for name in KEY): row for row in distances(records, windows(inputs))}
    assert found.height == len(expected) > 50
    assert reasons <= set(found["reason"].drop_nulls())
    for row in found.iter_rows(named=True):
        plain = expected[tuple(row[name] for name in KEY)]
        assert set(plain) == set(SCHEMA)
        for name, value in row.items():
            # Equal moves may differ in their last bits, and then stand in another order than that of their names.
            if name != "rank" or made is drawn:
                assert value == rounded(plain[name]), (name, row, plain)


def test_rows_of_a_requirement_are_ranked_by_what_is_possible_and_then_by_the_move_in_the_wanted_direction() -> None:
    direction = pl.col("indicator_id").replace_strict(
        dict(seed("dictionary/indicators").select("indicator_id", "direction").iter_rows())
    )
    found = designation_distance(at_the_ends(world())).with_columns(direction.cast(pl.Int64).alias("direction"))
    seen = 0
    for rows in found.partition_by("community_id", "designation", "reporting_year", "requirement_id"):
        rows = rows.sort("rank")
        assert rows["rank"].to_list() == list(range(1, rows.height + 1))
        assert rows["possible"].to_list() == sorted(rows["possible"], reverse=True)
        for _, group in rows.group_by("possible"):
            moves = (group["change_needed"] * group["direction"]).drop_nulls()
            assert (moves.diff().drop_nulls() >= -1e-9).all()
            seen += moves.len()
    assert seen > 100


def test_where_the_ends_of_a_scale_are_not_told_nothing_lies_beyond_them() -> None:
    told = at_the_ends(world())
    silent = replace(told, tables={name: table for name, table in told.tables.items() if name != "units"})
    beyond = (designation_distance(made)["reason"] == "beyond_the_scale" for made in (told, silent))
    assert [rows.any() for rows in beyond] == [True, False]
