"""What is computed of a network taken apart is what is computed of it whole, to the last bit; marts come back typed.

Belongs here: dagster_project/lib/app/spark but for what needs a cluster, the parts put through in this process.
Does not: Spark itself (tests/long/test_spark_run.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pyarrow as pa
import pytest

from dagster_project.lib.analysis import run
from dagster_project.lib.app.analysis import KNOWN_TABLE, REGISTER
from dagster_project.lib.app.spark.analysis import AGREEMENT, SPREAD, OfCommunities, OfIndicators, small_of
from dagster_project.lib.app.spark.cluster_run import Form, bring_back
from dagster_project.lib.app.spark.spread import NUMBER, PIECES, OfPieces, as_rows, of_rows
from dagster_project.lib.base.packed import PACKED, PLACE, OfPart, Packing, Tables, part_of, unpacked
from dagster_project.lib.base.reference import Reference
from dagster_project.lib.base.ruleset import Ruleset
from dagster_project.lib.base.workers import Each
from dagster_project.lib.disclosure import load_profile
from tests.support import PROJECT
from tests.unit.disclosure.tables import COUNTS, TOWN, grid
from tests.unit.disclosure.tables import run as protected
from tests.unit.rubric.conftest import analysis_inputs, complete_world, random_values

COMMUNITIES = ("ash", "birch", "cedar", "dogwood")


@cache
def network() -> tuple[run.AnalysisInputs, Ruleset]:
    """Four communities: two with every register, one with some, one with values alone."""
    world = complete_world()
    some = ("indicator_selection", "targets", "capacity")
    full = dict(world.tables)
    world.tables = {
        name: pl.concat(
            rows.with_columns(community_id=pl.lit(community))
            for community in (*COMMUNITIES[:2], *(COMMUNITIES[2:3] if name in some else ()))
        )
        for name, rows in full.items()
        if name != KNOWN_TABLE
    }
    ruleset = world.ruleset()
    brief = replace(ruleset, simulation=replace(ruleset.simulation, draws=20))
    return analysis_inputs(world, random_values(COMMUNITIES, range(2016, 2023), 7), COMMUNITIES), brief


def in_parts(tables: Tables, key: str, parts: int, function: Callable[[Tables], Tables]) -> dict[str, pl.DataFrame]:
    """What the engine does with parts, in this process and in a wrong order."""
    batches = []
    for name, rows in tables.items():
        placed = rows.with_columns(pl.int_range(pl.len(), dtype=pl.Int64).alias(PLACE))
        batches += Packing(name, key, parts)(placed.to_arrow(compat_level=pl.CompatLevel.oldest()).to_batches())
    schemas = {name: rows.to_arrow().schema for name, rows in tables.items()}
    of_part = OfPart(schemas, function)
    done = []
    for part in reversed(range(parts)):
        mine = [batch for batch in batches if batch["part"][0].as_py() == part]
        if mine:
            done += of_part(pa.Table.from_batches(mine, PACKED)).to_batches()
    return unpacked(done)


def given(inputs: run.AnalysisInputs) -> dict[str, pl.DataFrame]:
    """The inputs by the names that landing and the warehouse have for them."""
    registers = {f"{REGISTER}{name}": rows for name, rows in inputs.registers.items()}
    return {
        KNOWN_TABLE: inputs.known,
        "submissions": inputs.submissions,
        "observations": inputs.observations,
        **registers,
    }


@pytest.mark.parametrize("parts", [3, 7])
def test_groups_of_communities_give_the_rows_of_the_whole_network(parts: int) -> None:
    inputs, ruleset = network()
    assert len({part_of(name, parts) for name in COMMUNITIES}) > 1
    share = OfCommunities(inputs.seeds, inputs.last_reporting_year, inputs.today, ruleset)
    apart = in_parts(given(inputs), "community_id", parts, share)
    whole = run.run(inputs, ruleset)
    for name in run.COMMUNITY_TABLES:
        spec = run.STORED[name]
        assert apart[name].sort(spec.key).equals(whole.tables[name].sort(spec.key)), name
    assert whole.tables["fct_designation"].filter(status="eligible").height, "else too little is decided to look at"
    agreement = apart[AGREEMENT]
    assert agreement["agrees"].all()
    assert agreement["compared"].sum() == whole.second_trends.n_compared + whole.second_gaps.n_compared


def test_what_is_computed_of_nobody_has_its_form() -> None:
    inputs, ruleset = network()
    share = OfCommunities(inputs.seeds, inputs.last_reporting_year, inputs.today, ruleset)
    own = share({name: rows.clear() for name, rows in given(inputs).items()})
    made = {**own, **run.of_network(own, inputs.seeds, ruleset, inputs.last_reporting_year)}
    whole = run.run(inputs, ruleset).tables
    for name in run.ANALYSIS_TABLES:
        assert made[name].schema == whole[name].schema, name


@pytest.mark.parametrize("parts", [1, 4])
def test_groups_of_indicators_give_the_networks_figures(parts: int) -> None:
    inputs, ruleset = network()
    whole = run.run(inputs, ruleset).tables
    spread = {name: whole[name] for name in SPREAD}
    apart = in_parts(spread, "indicator_id", parts, OfIndicators(inputs.seeds, ruleset))
    key = run.STORED["fct_network_trend"].key
    assert whole["fct_network_trend"].height
    assert apart["fct_network_trend"].sort(key).equals(whole["fct_network_trend"])
    counted = run.of_network(
        small_of(whole, inputs.last_reporting_year), inputs.seeds, ruleset, inputs.last_reporting_year
    )
    for name in ("fct_network_outcome", "fct_false_positive"):
        assert counted[name].equals(whole[name]), name


@contextmanager
def in_pieces(pieces: int) -> Iterator[Each]:
    """What a cluster does with pieces of work, in this process and in a wrong order."""

    def each(function: Callable[[Any], Any], items: Iterable[Any], /) -> Iterable[Any]:
        asked = as_rows(list(items))
        assert asked.height == pieces > 1
        return of_rows(in_parts({PIECES: asked}, NUMBER, 2, OfPieces(function))[PIECES])

    yield each


def test_disclosure_in_pieces_is_that_of_the_whole_network() -> None:
    profile = load_profile(Reference(PROJECT / "seeds"))
    counts = [[[each + more for each in row] for row in COUNTS] for more in range(12)]
    rows = [
        {**row, "community_id": f"town {more}", "geography_id": str(row["geography_id"]).replace(TOWN, f"town {more}")}
        for more, own in enumerate(counts)
        for row in grid(own)
    ]
    whole, apart = protected(rows, profile), protected(rows, profile, spread=in_pieces)
    assert set(whole.cells["kind"]) > {"complementary", "small"}, "else too little is decided to look at"
    for name in ("values", "cells", "solved", "audited"):
        assert getattr(apart, name).equals(getattr(whole, name)), name
    assert apart.outcomes == whole.outcomes
    assert apart.audit == whole.audit and whole.audit.passed


def test_results_come_back_in_the_order_of_the_pieces() -> None:
    numbers = list(range(25))
    given = in_parts({PIECES: as_rows(numbers)}, NUMBER, 4, OfPieces(abs))[PIECES]
    assert given[NUMBER].to_list() != sorted(given[NUMBER].to_list(), key=int), "else nothing is put in order"
    assert of_rows(given) == numbers


def test_marts_come_back_in_their_declared_types_and_by_their_key(tmp_path: Path) -> None:
    columns = {"b": "varchar", "n": "integer", "names": "varchar[]"}
    folder = tmp_path / "odd [name]*" / "fct_x"
    folder.mkdir(parents=True)
    schema: Mapping[str, pl.DataType] = {"b": pl.String(), "n": pl.Int64(), "names": pl.List(pl.String())}
    rows = [("z", 1, ["q"]), ("a", 2, None)]
    for number, row in enumerate(rows):
        pl.DataFrame([row], schema=dict(schema), orient="row").write_parquet(folder / f"part-{number}.parquet")
    warehouse = tmp_path / "warehouse.duckdb"
    bring_back(folder.parent, {"fct_x": Form(columns, ("b",))}, warehouse)
    with duckdb.connect(str(warehouse)) as connection:
        assert connection.execute("select * from marts.fct_x").fetchall() == sorted(rows)
        found = connection.execute("select column_name, data_type from duckdb_columns() where table_name = 'fct_x'")
        assert {name: kind.lower() for name, kind in found.fetchall()} == columns
