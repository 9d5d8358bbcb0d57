"""A network on the rules' edges, computed a second time from its files alone, agrees with the release cell by cell.

Belongs here: every row and cell of the computed tables against tests/reference, in both directions.
Does not: sections 6 and 8 of the rules, or what a human would call a likely network.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import pytest

from dagster_project.lib.base.reference import Reference
from dagster_project.lib.warehouse.dbt_run import MANIFEST
from dagster_project.lib.warehouse.declared import declared_marts
from tests.reference.figures import Network, Rows
from tests.reference.networks import LAST, make_drop, make_seeds
from tests.support import NOTHING_ELSE, Published, current, unresolved
from tests.unit.analysis.test_against_reference import GAP_NUMBERS, TREND_NUMBERS
from tests.warm import warm_cradle

SEED = 56
"""A network that reaches every case of REACHED; others agree as well, this one is run every time."""
TODAY = dt.date(LAST, 6, 30)
"""The day before some lines of the last year's registers come into effect."""
CELL = ("community_id", "indicator_id", "population_group_id", "geography_id", "reporting_year")
WINDOW = ("first_year", "last_year", "n_years", "reason")
COUNTED = ("value", "numerator", "denominator")
TABLES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "fct_submission_status": (
        ("community_id", "reporting_year"),
        ("submission_id", "rows_read", "rows_accepted", "rows_rejected"),
    ),
    "fct_indicator_value": (
        ("community_id", "indicator_id", "series", "geography_id", "population_group_id", "school_year", "period"),
        (*COUNTED, "value_low", "value_high", "value_status"),
    ),
    "fct_trend": (CELL, (*WINDOW, *TREND_NUMBERS, "trend_status", "robustness")),
    "fct_trend_point": ((*CELL, "school_year", "series"), (*COUNTED, "used", "left_out_reason")),
    "fct_gap": (CELL, (*WINDOW, *GAP_NUMBERS, "reference_group_id", "gap_status", "reference_declined")),
    "fct_outcome_status": (
        ("community_id", "outcome_id", "reporting_year"),
        ("trend_status", "gap_reduced", "deciding_indicator_id"),
    ),
    "fct_network_trend": (
        ("indicator_id", "population_group_id", "reporting_year"),
        (
            *("n_communities", "n_improving", "n_maintained", "n_declining", "n_undetermined"),
            *("slope_median", "slope_q1", "slope_q3", "pooled_slope", "fixed_effects_slope"),
        ),
    ),
}
SOURCE = ("submission_id", "source_file", "source_row")


@dataclass(frozen=True)
class Case:
    """A network's release, and what the second computation expects of it."""

    release: Published
    expected: Network
    seeds: Path


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Case:
    folder, chance = tmp_path_factory.mktemp("edges"), Random(SEED)
    seeds, home = make_seeds(chance, folder / "seeds"), folder / "home"
    make_drop(chance, home / "drop")
    # One community has left; its folders lie there still.
    network = seeds / "network/communities.csv"
    head, *lines = network.read_text(encoding="utf-8").splitlines()
    left = [f"{line},{LAST - 2 if line.startswith('elm,') else ''}" for line in lines]
    network.write_text("\n".join([f"{head},left_year", *left, ""]), encoding="utf-8")
    process = warm_cradle("run", CRADLE_HOME=home, CRADLE_SEEDS=seeds, CRADLE_TODAY=TODAY.isoformat(), **NOTHING_ELSE)
    assert process.returncode == 0, process.stdout + process.stderr
    return Case(current(home), Network(home / "drop", seeds, TODAY), seeds)


def rows_of(release: Published, name: str) -> Rows:
    """A published table by its key; of submissions only those that have one."""
    records = release.records(f"select * from marts.{name}")
    if name == "fct_submission_status":
        records = [row for row in records if row["submission_id"]]
    return {tuple(row[column] for column in TABLES[name][0]): row for row in records}


def differences(ours: Rows, theirs: Rows, columns: Iterable[str]) -> list[str]:
    """Every cell that differs; a column the second computation leaves out is null."""
    return [
        f"{key} {column}: {ours[key].get(column)} / {theirs[key][column]}"
        for key in ours
        for column in columns
        if not same(ours[key].get(column), theirs[key][column])
    ]


def same(one: Any, other: Any) -> bool:
    if isinstance(one, float) and isinstance(other, (int, float)):
        return abs(one - other) <= 1e-9 * max(1.0, abs(one), abs(other))
    return bool(one == other)


@pytest.mark.parametrize("name", TABLES)
def test_every_row_and_cell_of_a_network_on_the_edges_agrees_with_a_second_computation(case: Case, name: str) -> None:
    ours, theirs = case.expected.tables[name], rows_of(case.release, name)
    assert ours
    assert (ours.keys() - theirs.keys(), theirs.keys() - ours.keys()) == (set(), set())
    assert differences(ours, theirs, TABLES[name][1]) == []


def test_every_point_names_the_row_of_the_file_it_came_from(case: Case) -> None:
    theirs = rows_of(case.release, "fct_trend_point")
    ours = {key: row for key, row in case.expected.tables["fct_trend_point"].items() if "source_file" in row}
    assert ours
    assert differences(ours, theirs, SOURCE) == []


def test_every_stated_relation_has_its_row_and_the_networks_own_files_name_no_community(case: Case) -> None:
    words = declared_marts(MANIFEST, Reference(case.seeds))
    assert unresolved(case.release.folder / "internal.duckdb", words) == []
    own = "select distinct community_id from marts.fct_submission_file where folder = '_network'"
    assert set(case.release.rows(own)) <= {(None,)}


REACHED: dict[tuple[str, str], set[str | None]] = {
    ("fct_trend", "reason"): {"no_data", "small_n", "low_coverage", "stale", "series_break", "too_few_points", None},
    ("fct_trend", "trend_status"): {"improving", "maintained", "declining", "undetermined"},
    ("fct_gap", "gap_status"): {
        "no_gap_at_baseline",
        "reversed",
        "narrowed",
        "narrowed_by_decline",
        "widened",
        "unchanged",
        "eliminated",
        "undetermined",
    },
    ("fct_outcome_status", "gap_reduced"): {"met", "not_met", "undetermined"},
    ("fct_outcome_status", "trend_status"): {"improving", "maintained", "declining", "undetermined"},
}


@pytest.mark.parametrize(("name", "column"), REACHED)
def test_the_network_reaches_the_cases_it_is_made_for(case: Case, name: str, column: str) -> None:
    assert REACHED[name, column] <= {row[column] for row in case.expected.tables[name].values()}
