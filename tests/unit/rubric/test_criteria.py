"""Claims, evidence, reviewers, and the roll-up of sub-criteria.

Belongs here: the three-valued rules of RULES 6 for one criterion, each at its boundary.
Does not: what a register must hold (test_facts), benchmarks and gateways.
"""

from __future__ import annotations

import datetime as dt

import polars as pl
import pytest

from dagster_project.lib.analysis.rubric.criteria import at_least
from dagster_project.lib.analysis.vocabulary import MET, NOT_MET, UNDETERMINED

from .conftest import World, complete_world, seed

ATTESTED = "exploring.2.2"
REVIEW = {"decided_on": "2022-08-01", "approver": "A. Reviewer", "reason": "seen"}


@pytest.mark.parametrize(
    ("met", "undetermined", "expected"),
    [(6, 0, MET), (5, 3, UNDETERMINED), (5, 1, UNDETERMINED), (5, 0, NOT_MET), (8, 0, MET), (0, 5, NOT_MET)],
)
def test_n_of_m_is_met_impossible_or_open(met: int, undetermined: int, expected: int) -> None:
    frame = pl.DataFrame({"met": [float(met)], "open": [float(undetermined)]})
    assert frame.select(at_least(pl.col("met"), pl.col("open"), pl.lit(6.0), 1e-9)).item() == expected


def test_a_threshold_gives_the_epsilon_in_favour_of_equality() -> None:
    frame = pl.DataFrame({"met": [0.5 - 1e-10, 0.5 - 1e-8]})
    codes = frame.select(at_least(pl.col("met"), pl.lit(0.0), pl.lit(0.5), 1e-9)).to_series().to_list()
    assert codes == [MET, NOT_MET]


@pytest.mark.parametrize("criterion", ["emerging.5.2", "emerging.6.4"])
def test_factors_on_file_are_printed_by_kind_beside_what_the_community_claims_and_decide_nothing(
    criterion: str,
) -> None:
    factor = {"indicator": "chronic_absence_pct", "factor": "buses"}
    kinds = ("quantitative", "community_voice", "community_voice")
    rows = [{**factor, "factor": f"cause {n}", "evidence": kind} for n, kind in enumerate(kinds)]
    world = World().add("factors", *rows)
    row = world.row(criterion)
    words = "factors on file by kind of evidence: 1 quantitative, 0 qualitative, 2 community voice"
    assert words in row["evidence"] and row["status"] == "undetermined"
    assert world.claim(criterion).status(criterion) == "met"
    assert "factors on file" not in str(World().row(criterion)["evidence"])


def test_the_partnerships_own_definition_is_printed_beside_the_criterion_that_asks_for_one() -> None:
    term = {"term": "Continuous Improvement", "text": "we learn", "approved_on": "2021-05-01"}
    world = World().add("definitions", term, {"term": "vision", "text": "all"})
    told = "definition of continuous improvement on file, approved on 2021-05-01: we learn"
    assert world.row("exploring.6.4")["evidence"].endswith(told)
    assert "definition" not in str(world.row("systems_transformation.1.2.a")["evidence"])


def test_a_claim_with_fresh_evidence_is_met() -> None:
    assert World().claim(ATTESTED).status(ATTESTED) == "met"


def test_no_claim_is_undetermined() -> None:
    row = World().claim("exploring.1.3").row(ATTESTED)
    assert (row["status"], row["reason"]) == ("undetermined", "no_claim")


@pytest.mark.parametrize("url", [None, "", "  "])
def test_a_claim_without_evidence_is_undetermined(url: str | None) -> None:
    row = World().claim(ATTESTED, evidence_url=url).row(ATTESTED)
    assert (row["status"], row["reason"]) == ("undetermined", "no_evidence")


@pytest.mark.parametrize(
    ("as_of", "expected"),
    [("2020-12-31", "met"), ("2020-12-30", "undetermined"), ("2021-01-01", "met"), ("2022-12-31", "met")],
)
def test_evidence_is_good_for_24_months_to_the_day(as_of: str, expected: str) -> None:
    assert World().claim(ATTESTED, as_of=as_of).status(ATTESTED) == expected


def test_a_claim_dated_after_the_assessment_date_does_not_count_yet() -> None:
    world = World(last_year=2023).claim(ATTESTED, as_of="2023-01-01")
    assert world.status(ATTESTED, 2022) == "undetermined"
    assert world.status(ATTESTED, 2023) == "met"


def test_a_claim_dated_after_today_does_not_count() -> None:
    assert World(today=dt.date(2022, 6, 29)).claim(ATTESTED).status(ATTESTED) == "undetermined"
    assert World(today=dt.date(2022, 6, 30)).claim(ATTESTED).status(ATTESTED) == "met"


def test_a_claim_of_a_later_submission_does_not_change_an_earlier_year() -> None:
    world = World(last_year=2023).claim(ATTESTED, claim="not_met")
    world.add(
        "benchmark_evidence",
        {"criterion_id": ATTESTED, "claim": "met", "evidence_url": "https://e.org", "as_of": "2022-07-01"},
        year=2023,
    )
    assert [world.status(ATTESTED, year) for year in (2022, 2023)] == ["not_met", "met"]


def test_a_resubmitted_claim_of_the_same_day_replaces_the_earlier_one() -> None:
    world = World(last_year=2023).claim(ATTESTED)
    world.add("benchmark_evidence", {"criterion_id": ATTESTED, "claim": "met", "as_of": "2022-06-30"}, year=2023)
    assert [world.status(ATTESTED, year) for year in (2022, 2023)] == ["met", "undetermined"]


@pytest.mark.parametrize("criterion_id", ["exploring.3.2", "exploring.3.3"])
def test_planned_is_met_for_the_two_channels_of_exploring(criterion_id: str) -> None:
    assert World().claim(criterion_id, claim="planned").status(criterion_id) == "met"


@pytest.mark.parametrize("criterion_id", [ATTESTED, "emerging.2.2", "sustaining.6.1"])
def test_planned_is_not_met_anywhere_else(criterion_id: str) -> None:
    row = World().claim(criterion_id, claim="planned").row(criterion_id)
    assert (row["status"], row["reason"]) == ("not_met", "only_planned")


def test_a_reviewers_rejection_beats_the_claim() -> None:
    world = World().claim(ATTESTED)
    world.add("review_decisions", {"criterion_id": ATTESTED, "decision": "rejected", **REVIEW})
    row = world.row(ATTESTED)
    assert (row["status"], row["reason"], row["decision"]) == ("not_met", "rejected", "rejected")
    assert "rejected on 2022-08-01 by A. Reviewer: seen" in row["evidence"]


def test_a_reviewers_acceptance_needs_a_claim_with_evidence_all_the_same() -> None:
    world = World().claim(ATTESTED, evidence_url=None)
    world.add("review_decisions", {"criterion_id": ATTESTED, "decision": "accepted", **REVIEW})
    assert world.status(ATTESTED) == "undetermined"
    assert world.claim(ATTESTED, as_of="2022-07-01").status(ATTESTED) == "met"


def test_the_last_decision_up_to_the_assessment_date_stands() -> None:
    world = World(last_year=2023).claim(ATTESTED)
    later = REVIEW | {"decided_on": "2023-02-01"}
    world.add("review_decisions", {"criterion_id": ATTESTED, "decision": "rejected", **REVIEW})
    world.add("review_decisions", {"criterion_id": ATTESTED, "decision": "accepted", **later}, year=2023)
    assert [world.status(ATTESTED, year) for year in (2022, 2023)] == ["not_met", "met"]


def test_mixed_needs_both_parts_and_data_beat_a_claim() -> None:
    capacity = {"role": "daily_management", "person": "director"}
    both = World().claim("exploring.7.2").add("capacity", {**capacity, "fte": 1.0})
    short = World().claim("exploring.7.2").add("capacity", {**capacity, "fte": 0.9})
    silent = World().add("capacity", {**capacity, "fte": 1.0})
    denied = World().claim("exploring.7.2", claim="not_met").add("capacity", {**capacity, "fte": 1.0})
    worlds = (both, short, silent, denied)
    assert [world.status("exploring.7.2") for world in worlds] == ["met", "not_met", "undetermined", "not_met"]
    assert World().claim("exploring.7.2").row("exploring.7.2")["reason"] == "register_absent"


def test_an_override_with_reason_and_approver_meets_a_mixed_criterion_and_is_printed() -> None:
    world = World().claim("exploring.7.2").add("capacity", {"role": "daily_management", "person": "x", "fte": 0.5})
    world.add("review_decisions", {"criterion_id": "exploring.7.2", "decision": "override", **REVIEW})
    row = world.row("exploring.7.2")
    assert (row["status"], row["computed_status"], row["reason"]) == ("met", "not_met", "override")
    assert "override on 2022-08-01 by A. Reviewer: seen" in row["evidence"]


@pytest.mark.parametrize("lacking", ["reason", "approver"])
def test_an_override_without_reason_or_approver_has_no_effect(lacking: str) -> None:
    world = World().claim("exploring.7.2").add("capacity", {"role": "daily_management", "person": "x", "fte": 0.5})
    world.add("review_decisions", {"criterion_id": "exploring.7.2", "decision": "override", **REVIEW, lacking: None})
    row = world.row("exploring.7.2")
    assert row["status"] == "not_met"
    assert "without effect" in row["evidence"]


def test_a_review_that_decides_nothing_has_no_effect() -> None:
    world = World().claim("exploring.7.2").add("capacity", {"role": "daily_management", "person": "x", "fte": 0.5})
    world.add("review_decisions", {"criterion_id": "exploring.7.2", "decision": None, **REVIEW})
    assert (world.status("exploring.7.2"), world.row("exploring.7.2")["reason"]) == ("not_met", "facts_short")


def test_what_was_computed_of_a_criterion_is_its_status_where_facts_alone_decide_and_nothing_where_a_claim_does() -> (
    None
):
    ways = dict(seed("rubric/rubric").select("criterion_id", "determined_by").iter_rows())
    for world in (complete_world(), World()):
        rows = world.criteria().to_dicts()
        computed = [row for row in rows if ways[row["criterion_id"]] == "computed"]
        assert computed and all(row["computed_status"] == row["status"] for row in computed)
        attested = [row for row in rows if ways[row["criterion_id"]] == "attested"]
        assert attested and all(row["computed_status"] is None for row in attested)


def test_a_criterion_of_which_there_is_nothing_to_say_has_no_evidence_rather_than_an_empty_one() -> None:
    said = [row["evidence"] for world in (complete_world(), World()) for row in world.criteria().to_dicts()]
    assert None in said and "" not in said


def test_a_claim_says_nothing_about_a_computed_criterion() -> None:
    world = World().claim("exploring.1.1")
    world.add("review_decisions", {"criterion_id": "exploring.1.1", "decision": "override", **REVIEW})
    assert world.status("exploring.1.1") == "undetermined"


def test_definition_rows_have_no_status_and_do_not_touch_their_parent() -> None:
    world = World().claim("emerging.9.1", "emerging.9.1.a", claim="met")
    support = {"partner": "P", "purpose": "operations", "start_date": "2022-01-01"}
    world.add("funding", support)
    assert world.status("emerging.9.1.a") is None
    assert world.status("emerging.9.1") == "met"


def test_a_parent_needs_its_own_claim_and_all_of_its_children() -> None:
    parent, parts = "sustaining.7.1", [f"sustaining.7.1.{letter}" for letter in "abcd"]
    assert World().claim(parent, *parts).status(parent) == "met"
    assert World().claim(*parts).status(parent) == "undetermined"
    assert World().claim(parent, *parts[:3]).status(parent) == "undetermined"
    denied = World().claim(parent, *parts[:3]).claim(parts[3], claim="not_met")
    assert denied.status(parent) == "not_met"


def test_one_policy_role_of_four_is_enough_and_none_is_short() -> None:
    parent, roles = "exploring.8.1", [f"exploring.8.1.{letter}" for letter in "abcd"]
    assert World().claim(parent, roles[2]).status(parent) == "met"
    assert World().claim(parent).status(parent) == "undetermined"
    none = World().claim(parent).claim(*roles, claim="not_met")
    assert none.status(parent) == "not_met"
    three = World().claim(parent).claim(*roles[:3], claim="not_met")
    assert three.status(parent) == "undetermined"


def test_every_criterion_can_be_met_and_every_row_says_on_what() -> None:
    rows = complete_world().criteria()
    assert rows.height == 173
    assert rows.filter(pl.col("status") == "met").height == 171
    assert rows.filter(pl.col("status").is_not_null() & pl.col("evidence").is_null()).height == 0


def test_without_any_register_every_criterion_is_undetermined() -> None:
    rows = World().criteria().filter(pl.col("status").is_not_null())
    assert set(rows["status"]) == {"undetermined"}
    assert rows.filter(pl.col("reason").is_null()).height == 0


def test_there_is_a_row_for_every_community_year_from_the_first_submission_on() -> None:
    rows = World(first_year=2020, last_year=2023).criteria()
    assert rows.group_by("reporting_year").len().sort("reporting_year").rows() == [(y, 173) for y in range(2020, 2024)]
    assert rows["ruleset_version"].unique().to_list() == ["1.1.0"]


def test_criteria_stand_in_the_rubrics_order() -> None:
    order = seed("rubric/rubric").filter(pl.col("pillar") != "designation")["criterion_id"].to_list()
    assert World().criteria()["criterion_id"].to_list() == order
