"""Designations: requirements at their boundaries, eligibility, and the life of a decision.

Belongs here: what makes a community eligible, and standing over the years.
Does not: trends, gaps or criteria, which are given as tables here.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import polars as pl
import pytest

from .conftest import COMMUNITY, World, complete_world, example, seed

YEAR = 2022
OUTCOMES = seed("dictionary/outcomes").filter(sector="education")["outcome_id"].to_list()
CORE = seed("dictionary/indicators").filter(role="core", is_primary="true")["indicator_id"].to_list()


def trends(statuses: dict[str, str | None], year: int = YEAR) -> pl.DataFrame:
    """fct_trend of the community's totals."""
    rows = [
        {
            "community_id": COMMUNITY,
            "indicator_id": name,
            "population_group_id": "all",
            "geography_id": COMMUNITY,
            "reporting_year": year,
            "trend_status": status,
        }
        for name, status in statuses.items()
    ]
    return pl.DataFrame(rows, schema_overrides={"trend_status": pl.String, "reporting_year": pl.Int32})


def outcomes(trend: list[str], gap: list[str], year: int = YEAR) -> pl.DataFrame:
    """fct_outcome_status from two short lists, filled up with what does not count."""
    full = [(trend + ["declining"] * 7)[:7], (gap + ["not_met"] * 7)[:7]]
    rows = [
        {
            "community_id": COMMUNITY,
            "outcome_id": name,
            "reporting_year": year,
            "trend_status": t,
            "gap_reduced": g,
        }
        for name, t, g in zip(OUTCOMES, *full, strict=True)
    ]
    return pl.DataFrame(rows, schema_overrides={"reporting_year": pl.Int32})


def requirement(world: World, requirement_id: str, year: int = YEAR) -> dict[str, Any]:
    return world.requirements().filter(requirement_id=requirement_id, reporting_year=year).row(0, named=True)


def status(world: World, requirement_id: str) -> str:
    return str(requirement(world, requirement_id)["status"])


def decision(day: str, decided: str = "granted", code: str = "proof_point_initial") -> dict[str, str]:
    return {"kind": "designation", "code": code, "decision": decided, "decided_on": day, "approver": "N", "reason": "r"}


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        (["improving"] * 3 + ["declining"] * 4, "not_met"),
        (["improving"] * 2 + ["maintained"] * 2 + ["declining"] * 3, "met"),
        (["improving"] * 5 + ["declining"] * 2, "met"),
        (["improving"] * 3 + ["undetermined"] + ["declining"] * 3, "undetermined"),
        (["maintained"] * 4 + ["undetermined"] * 3, "met"),
    ],
)
def test_the_initial_proof_point_needs_four_core_indicators_improving_or_maintained(
    states: list[str], expected: str
) -> None:
    world = World()
    world.tables["fct_trend"] = trends(dict(zip(CORE, states, strict=True)))
    assert status(world, "proof_point_initial.1.2") == expected


def test_the_four_indicators_may_share_an_outcome_and_distinct_outcomes_are_printed() -> None:
    names = ["graduation_4yr_pct", "graduation_5yr_pct", "employed_pct", "living_wage_employed_pct"]
    world = World().add("indicator_selection", *[{"indicator": name, "role": "core"} for name in names])
    world.tables["fct_trend"] = trends(dict.fromkeys(names, "improving"))
    row = requirement(world, "proof_point_initial.1.2")
    assert (row["required"], row["actual"], row["status"]) == (4.0, 4.0, "met")
    assert "2 different outcomes" in row["evidence"]


def test_contributing_indicators_and_groups_do_not_count_for_the_initial_proof_point() -> None:
    world = World().add("indicator_selection", *[{"indicator": name, "role": "core"} for name in CORE[:4]])
    states = dict.fromkeys(CORE[:3], "improving") | {"fafsa_completed_pct": "improving", CORE[3]: "declining"}
    group = trends({CORE[3]: "improving"}).with_columns(pl.lit("gender:male").alias("population_group_id"))
    world.tables["fct_trend"] = pl.concat([trends(states), group])
    assert status(world, "proof_point_initial.1.2") == "not_met"


@pytest.mark.parametrize(
    ("missing", "expected"),
    [("systems_change.1.1", "met"), ("sustaining.6.1", "undetermined"), ("emerging.2.2", "undetermined")],
)
def test_the_initial_proof_point_needs_three_gateways_met_and_not_systems_change(missing: str, expected: str) -> None:
    world = complete_world()
    claims = world.tables["benchmark_evidence"]
    world.tables["benchmark_evidence"] = claims.filter(pl.col("criterion_id") != missing)
    assert status(world, "proof_point_initial.1.1") == expected


def test_a_community_is_eligible_when_all_requirements_are_met() -> None:
    world = complete_world()
    world.tables["fct_trend"] = trends(dict.fromkeys(CORE, "improving"))
    rows = world.designations()
    assert rows.filter(designation="proof_point_initial")["status"].to_list() == ["eligible"]
    assert rows.filter(designation="systems_transformation")["status"].to_list() == ["undetermined"]


@pytest.mark.parametrize(("held", "expected"), [(3, "not_met"), (4, "met"), (5, "met")])
def test_the_ongoing_proof_point_needs_four_outcomes_improving_or_maintained(held: int, expected: str) -> None:
    world = World()
    states = (["maintained", "improving"] * 3)[:held]
    world.tables["fct_outcome_status"] = outcomes(states, [])
    assert status(world, "proof_point_ongoing.1.3") == expected


@pytest.mark.parametrize(
    ("met", "ongoing", "transformation"),
    [(1, "not_met", "not_met"), (2, "met", "not_met"), (3, "met", "not_met"), (4, "met", "met")],
)
def test_gaps_are_reduced_in_two_outcomes_for_ongoing_and_four_for_transformation(
    met: int, ongoing: str, transformation: str
) -> None:
    world = World()
    world.tables["fct_outcome_status"] = outcomes([], ["met"] * met)
    found = [status(world, name) for name in ("proof_point_ongoing.1.4", "systems_transformation.10.3")]
    assert found == [ongoing, transformation]


def test_a_mixed_outcome_does_not_count_and_an_undetermined_one_keeps_the_question_open() -> None:
    world = World()
    world.tables["fct_outcome_status"] = outcomes(["improving"] * 3 + ["mixed"], ["met", "undetermined"])
    assert status(world, "proof_point_ongoing.1.3") == "not_met"
    assert status(world, "proof_point_ongoing.1.4") == "undetermined"


def test_maintained_is_not_enough_for_systems_transformation() -> None:
    world = World()
    world.tables["fct_outcome_status"] = outcomes(["improving"] * 3 + ["maintained"] * 4, [])
    assert status(world, "systems_transformation.10.2") == "not_met"
    world.tables["fct_outcome_status"] = outcomes(["improving"] * 4, [])
    assert status(world, "systems_transformation.10.2") == "met"


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        ({}, "undetermined"),
        ({"insured_children_pct": "improving"}, "met"),
        ({"insured_children_pct": "maintained"}, "not_met"),
        ({"insured_children_pct": "declining", "low_birthweight_pct": "undetermined"}, "undetermined"),
        ({"insured_children_pct": "declining", "low_birthweight_pct": "improving"}, "met"),
        ({"employed_pct": "improving"}, "undetermined"),
    ],
)
def test_one_adjacent_sector_indicator_must_improve(states: dict[str, str], expected: str) -> None:
    world = World()
    if states:
        world.tables["fct_trend"] = trends(dict(states))
    assert status(world, "systems_transformation.10.4") == expected


@pytest.mark.parametrize(
    ("minimum", "score", "expected"),
    [
        (None, 90.0, "undetermined"),
        ("80", None, "undetermined"),
        ("80", 79.9, "not_met"),
        ("80", 80.0, "met"),
        ("80", 80.1, "met"),
    ],
)
def test_the_score_is_undetermined_without_a_minimum(minimum: str | None, score: float | None, expected: str) -> None:
    world = World(parameters={"designation.st_min_score": minimum})
    if score is not None:
        world.add("scores", {"code": "systems_transformation", "score": score, "decided_on": "2022-03-01"})
        world.add("scores", {"code": "systems_transformation", "score": 0.0, "decided_on": "2021-03-01"})
    assert status(world, "systems_transformation.10.1") == expected


def test_an_active_proof_point_is_shown_and_required_only_where_the_ruleset_says_so() -> None:
    name = "systems_transformation.requires_active_proof_point"
    row = requirement(World(), name)
    assert (row["required"], row["actual"], row["status"]) == (0.0, 0.0, "met")
    asked = World(parameters={"designation.requires_active_proof_point": "true"})
    assert status(asked, name) == "not_met"
    asked.add("gateway_decisions", decision("2022-02-01"))
    row = requirement(asked, name)
    assert (row["required"], row["actual"], row["status"]) == (1.0, 1.0, "met")


def ongoing(*examples: dict[str, Any], decided: bool = True) -> World:
    world = World(first_year=2020, last_year=2022)
    if decided:
        world.add("gateway_decisions", decision("2020-06-30"), year=2020)
    return world.add("examples", *examples, year=2022)


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        (["sustained", "advanced"], "met"),
        (["sustained", "accepted"], "not_met"),
        (["sustained", "ended"], "not_met"),
        (["sustained", "proposed"], "met"),
        ([], "met"),
    ],
)
def test_every_earlier_accepted_example_must_be_sustained_or_advanced(states: list[str], expected: str) -> None:
    rows = [example(f"e{n}", "systems_change", "2019-05-01", state, "2022-05-01") for n, state in enumerate(states)]
    late = example("new", "systems_change", "2021-05-01")
    assert status(ongoing(*rows, late), "proof_point_ongoing.1.1") == expected


@pytest.mark.parametrize(("count", "expected"), [(3, "not_met"), (4, "met"), (5, "met")])
def test_four_additional_examples_are_needed_since_the_previous_decision(count: int, expected: str) -> None:
    rows = [example(f"n{n}", "systems_change", "2020-07-01") for n in range(count)]
    same_day = example("same", "systems_change", "2020-06-30", "sustained")
    other = example("other", "strategy", "2021-05-01")
    proposed = example("proposed", "systems_change", "2021-05-01", "proposed")
    world = ongoing(*rows, same_day, other, proposed)
    row = requirement(world, "proof_point_ongoing.1.2")
    assert (row["required"], row["actual"], row["status"]) == (4.0, float(count), expected)


def test_without_a_previous_decision_or_the_register_examples_are_undetermined() -> None:
    rows = [example(f"n{n}", "systems_change", "2020-07-01") for n in range(4)]
    names = ("proof_point_ongoing.1.1", "proof_point_ongoing.1.2")
    undecided, silent = ongoing(*rows, decided=False), World().add("gateway_decisions", decision("2022-01-01"))
    assert [requirement(undecided, name)["reason"] for name in names] == ["no_previous_decision"] * 2
    assert [requirement(silent, name)["reason"] for name in names] == ["register_absent"] * 2
    assert {status(world, name) for world in (undecided, silent) for name in names} == {"undetermined"}


def test_a_renewal_is_the_previous_decision_of_the_next_review() -> None:
    rows = [example(f"n{n}", "systems_change", "2020-07-01", "sustained") for n in range(4)]
    world = ongoing(*rows).add("gateway_decisions", decision("2022-07-01", "renewed", "proof_point_ongoing"), year=2022)
    assert requirement(world, "proof_point_ongoing.1.2")["actual"] == 0.0
    assert requirement(world, "proof_point_ongoing.1.1")["required"] == 4.0


def standings(
    *decisions: dict[str, str], last: int = 2024, today: str = "2030-01-01", name: str = "proof_point_initial"
) -> list[str]:
    world = World(first_year=2017, last_year=last, today=dt.date.fromisoformat(today))
    for row in decisions:
        world.add("gateway_decisions", row, year=int(row["decided_on"][:4]))
    return world.designations().filter(designation=name)["standing"].to_list()


def test_a_proof_point_lives_from_active_over_review_due_to_lapsed() -> None:
    found = standings(decision("2018-06-30"))
    assert found == ["none", "active", "active", "review_due", "lapsed", "lapsed", "lapsed", "lapsed"]


def test_a_proof_point_decided_on_the_last_day_of_a_year_passes_through_grace() -> None:
    found = standings(decision("2018-12-31"))
    assert found == ["none", "active", "active", "review_due", "grace", "lapsed", "lapsed", "lapsed"]


@pytest.mark.parametrize(
    ("today", "expected"),
    [
        ("2022-06-29", "active"),
        ("2022-06-30", "review_due"),
        ("2022-12-31", "review_due"),
    ],
)
def test_review_is_due_24_months_after_the_decision_to_the_day(today: str, expected: str) -> None:
    assert standings(decision("2020-06-30"), last=2022, today=today)[-1] == expected


@pytest.mark.parametrize(
    ("today", "expected"), [("2023-01-01", "grace"), ("2023-06-30", "grace"), ("2023-07-01", "lapsed")]
)
def test_grace_ends_12_months_after_the_review_date(today: str, expected: str) -> None:
    assert standings(decision("2020-06-30"), last=2023, today=today)[-1] == expected


def test_a_renewal_starts_the_cycle_again_and_a_revocation_ends_it() -> None:
    found = standings(decision("2018-06-30"), decision("2020-06-30", "renewed"), decision("2023-05-01", "revoked"))
    assert found == ["none", "active", "active", "active", "active", "review_due", "revoked", "revoked"]


@pytest.mark.parametrize(
    ("later", "expected"),
    [
        ((), ["active", "active", "review_due"]),
        ((("2019-05-01", "granted"),), ["active", "succeeded", "succeeded"]),
        ((("2019-05-01", "granted"), ("2020-05-01", "revoked")), ["active", "succeeded", "succeeded"]),
    ],
)
def test_an_initial_proof_point_is_succeeded_once_an_ongoing_one_was_granted(
    later: tuple[tuple[str, str], ...], expected: list[str]
) -> None:
    world = World(first_year=2018, last_year=2020)
    world.add("gateway_decisions", decision("2018-06-30"), year=2018)
    for day, kind in later:
        world.add("gateway_decisions", decision(day, kind, "proof_point_ongoing"), year=int(day[:4]))
    rows = world.designations().filter(designation="proof_point_initial")
    assert rows["standing"].to_list() == expected
    due = rows.filter(pl.col("standing") == "succeeded")["next_review_due"]
    assert due.null_count() == due.len()


def test_what_was_never_granted_or_was_revoked_is_not_succeeded() -> None:
    after = decision("2020-06-30", "granted", "proof_point_ongoing")
    assert standings(after)[-1] == "none"
    assert standings(decision("2018-06-30"), decision("2019-06-30", "revoked"), after)[-1] == "revoked"


def test_a_designation_can_be_granted_again_after_a_revocation() -> None:
    found = standings(decision("2018-06-30"), decision("2019-06-30", "revoked"), decision("2021-06-30"))
    assert found[1:5] == ["active", "revoked", "revoked", "active"]


def test_systems_transformation_has_no_review_cycle() -> None:
    code = "systems_transformation"
    found = standings(decision("2018-06-30", code=code), name=code)
    assert found == ["none"] + ["active"] * 7


def test_decided_on_and_the_next_review_stand_beside_the_standing() -> None:
    world = World(first_year=2020, last_year=2022).add("gateway_decisions", decision("2020-02-29"), year=2020)
    rows = world.designations().filter(designation="proof_point_initial")
    assert rows["decided_on"].unique().to_list() == [dt.date(2020, 2, 29)]
    assert rows["next_review_due"].unique().to_list() == [dt.date(2022, 2, 28)]


def test_eligible_is_not_granted_and_granted_is_not_eligible() -> None:
    world = World().add("gateway_decisions", decision("2022-06-30"))
    row = world.designations().filter(designation="proof_point_initial").row(0, named=True)
    assert (row["status"], row["standing"]) == ("undetermined", "active")


def test_there_is_a_row_for_every_designation_and_year_from_the_first_submission_on() -> None:
    rows = World(first_year=2019, last_year=2022).designations()
    assert rows.height == 3 * 4
    assert rows.select("community_id", "designation", "reporting_year").is_unique().all()


@pytest.mark.parametrize(("improving", "expected"), [(3, "not_met"), (4, "not_met"), (5, "met")])
def test_the_earlier_public_definition_asks_for_sixty_percent_improving(improving: int, expected: str) -> None:
    world = World(ruleset_id="public-2018", ruleset_version="0.9.0")
    states = ["improving"] * improving + ["maintained"] * (7 - improving)
    world.tables["fct_trend"] = trends(dict(zip(CORE, states, strict=True)))
    rows = world.requirements()
    assert rows["requirement_id"].to_list() == ["proof_point_initial.share_improving"]
    assert rows["status"].to_list() == [expected]
    assert rows["actual"][0] == pytest.approx(improving / 7, abs=1e-12)
    assert world.designations()["status"].to_list() == [{"met": "eligible", "not_met": "not_eligible"}[expected]]


def test_sixty_percent_exactly_is_enough() -> None:
    world = World(ruleset_id="public-2018", ruleset_version="0.9.0")
    world.add("indicator_selection", *[{"indicator": name, "role": "core"} for name in CORE[:5]])
    states = ["improving"] * 3 + ["declining"] * 2
    world.tables["fct_trend"] = trends(dict(zip(CORE[:5], states, strict=True)))
    assert world.requirements()["status"].to_list() == ["met"]


def test_two_rulesets_judge_the_same_tables_differently() -> None:
    world = complete_world()
    states = ["maintained"] * 4 + ["improving"] * 3
    world.tables["fct_trend"] = trends(dict(zip(CORE, states, strict=True)))
    default = world.designations().filter(designation="proof_point_initial")["status"].to_list()
    world.ruleset_id, world.ruleset_version = "public-2018", "0.9.0"
    assert (default, world.designations()["status"].to_list()) == (["eligible"], ["not_eligible"])
    assert world.designations()["ruleset_version"].to_list() == ["0.9.0"]
