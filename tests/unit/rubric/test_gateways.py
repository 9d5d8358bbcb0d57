"""Benchmarks, gateways on their path, granted gateways, and what is missing.

Belongs here: the roll-up above criteria.
Does not: criteria themselves.
"""

from __future__ import annotations

import polars as pl
import pytest

from dagster_project.lib.analysis.rubric import gateways

from .conftest import World, complete_world, seed

REVIEW = {"decided_on": "2022-08-01", "approver": "A. Reviewer", "reason": "not seen"}
ORDER = ("exploring", "emerging", "sustaining", "systems_change", "systems_transformation")


def reject(world: World, criterion_id: str) -> World:
    return world.add("review_decisions", {"criterion_id": criterion_id, "decision": "rejected", **REVIEW})


def state(world: World) -> tuple[str, int]:
    row = world.gateways().row(0, named=True)
    return row["operating_in"], row["gateways_met"]


def test_a_community_that_meets_everything_has_completed_the_path() -> None:
    assert state(complete_world()) == ("completed", 5)


@pytest.mark.parametrize(("place", "name"), list(enumerate(ORDER)))
def test_one_criterion_of_one_benchmark_keeps_a_community_in_its_gateway(place: int, name: str) -> None:
    rubric = seed("rubric/rubric").filter(gateway=name, kind="criterion", determined_by="attested")
    assert state(reject(complete_world(), rubric["criterion_id"][-1])) == (name, place)


def test_a_gateway_needs_every_earlier_one() -> None:
    steps = reject(complete_world(), "emerging.2.2").steps()
    assert steps["gateway"].to_list() == list(ORDER)
    assert steps["status"].to_list() == ["met", "not_met", "not_met", "not_met", "not_met"]
    assert steps["n_not_met"].to_list() == [0, 1, 0, 0, 0]


def test_an_undetermined_gateway_is_not_met_and_does_not_fail() -> None:
    world = complete_world()
    world.tables["benchmark_evidence"] = world.tables["benchmark_evidence"].filter(
        pl.col("criterion_id") != "sustaining.6.1"
    )
    assert state(world)[0] == "sustaining"
    assert [world.step(name)["status"] for name in ("sustaining", "systems_change")] == ["undetermined"] * 2


def test_there_are_45_benchmarks_and_each_counts_its_criteria() -> None:
    rows = gateways.benchmark_statuses(reject(complete_world(), "emerging.2.2").criteria(), seed("rubric/rubric"))
    assert (rows.height, rows["n_criteria"].sum()) == (45, 121)
    assert rows.filter(pl.col("status") != "met").select("gateway", "benchmark_no", "n_not_met").rows() == [
        ("emerging", 2, 1)
    ]


def decided(decision: str, day: str, code: str = "exploring") -> dict[str, str]:
    return {"kind": "gateway", "code": code, "decision": decision, "decided_on": day, "approver": "N", "reason": "r"}


def test_a_granted_gateway_stays_granted_until_revoked_beside_its_computed_status() -> None:
    world = World(first_year=2020, last_year=2024)
    world.add("gateway_decisions", decided("granted", "2021-05-01"), year=2021)
    world.add("gateway_decisions", decided("revoked", "2024-02-01"), year=2024)
    rows = world.gateways()
    exploring = world.steps().filter(gateway="exploring")
    assert exploring["granted"].to_list() == [False, True, True, True, False]
    assert rows["gateways_granted"].to_list() == [0, 1, 1, 1, 0]
    assert exploring["status"].unique().to_list() == ["undetermined"]
    assert rows["operating_in"].unique().to_list() == ["exploring"]


def test_a_ruleset_may_let_granted_gateways_count_as_met() -> None:
    world = World(parameters={"gateway.granted_counts": "true"})
    world.add("gateway_decisions", decided("granted", "2022-05-01"))
    assert state(world) == ("emerging", 1)
    assert world.steps()["status"].to_list() == ["met", *["undetermined"] * 4]


def test_what_is_missing_are_the_criteria_of_the_gateway_a_community_operates_in() -> None:
    world = reject(reject(reject(complete_world(), "emerging.2.2"), "emerging.7.1.b"), "sustaining.6.1")
    rubric = seed("rubric/rubric")
    rows = gateways.gateway_missing(world.criteria(), world.gateways(), rubric)
    assert rows["criterion_id"].to_list() == ["emerging.2.2", "emerging.7.1", "emerging.7.1.b"]
    assert rows["reason"].to_list() == ["rejected", "sub_criteria", "rejected"]
    assert rows["gateway"].unique().to_list() == ["emerging"]


def test_nothing_is_missing_after_the_last_gateway() -> None:
    world = complete_world()
    assert gateways.gateway_missing(world.criteria(), world.gateways(), seed("rubric/rubric")).height == 0
