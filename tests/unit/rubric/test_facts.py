"""Facts from registers, each at its boundary: one below, exact, one above.

Belongs here: what a register must hold for a computed part, and as of when.
Does not: claims and roll-ups (test_criteria).
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import polars as pl
import pytest

from .conftest import COMMUNITY, World, example, quarterly_observation, seed

CORE = ("kindergarten_ready_pct", "grade3_reading_proficient_pct", "grade8_math_proficient_pct", "graduation_4yr_pct")


def partner(letter: str, **changes: Any) -> dict[str, Any]:
    base = {
        "organization": f"org {letter}",
        "body": "partnership",
        "sector_category": letter,
        "active_from": "2020-01-01",
    }
    return base | changes


def fact(world: World, criterion_id: str, year: int | None = None) -> str | None:
    return world.row(criterion_id, year)["computed_status"]  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("letters", "expected"),
    [("abcde", "not_met"), ("abcdef", "met"), ("abcdefg", "met"), ("bcdefgh", "not_met"), ("abcdefgh", "met")],
)
def test_six_of_eight_sectors_are_needed_and_category_a_is_mandatory(letters: str, expected: str) -> None:
    world = World().add("partner_roster", *[partner(letter) for letter in letters])
    assert world.status("exploring.1.2") == expected


def test_the_evidence_of_the_quorum_says_how_many_and_that_a_is_there() -> None:
    world = World().add("partner_roster", *[partner(letter) for letter in "abcdefg"])
    said = "7 of 8 sector categories, 6 needed, category a present, not met: h"
    assert said in world.row("exploring.1.2")["evidence"]


def test_an_organization_counts_for_one_category_only() -> None:
    rows = [partner(letter) for letter in "acdef"]
    twice = partner("b", organization=" ORG A ", active_from="2020-02-01")
    world = World().add("partner_roster", *rows, twice)
    assert world.status("exploring.1.2.a") == "met"
    assert world.status("exploring.1.2.b") == "not_met"
    assert world.status("exploring.1.2") == "not_met"
    assert world.add("partner_roster", partner("b")).status("exploring.1.2") == "met"


def test_the_category_of_the_newest_submission_is_an_organizations() -> None:
    world = World(last_year=2023).add("partner_roster", partner("b"))
    world.add("partner_roster", partner("c", organization="org b", active_from="2021-01-01"), year=2023)
    assert [world.status("exploring.1.2.b", year) for year in (2022, 2023)] == ["met", "not_met"]
    assert world.status("exploring.1.2.c", 2023) == "met"


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        ("2022-12-31", None, "met"),
        ("2023-01-01", None, "not_met"),
        (None, None, "met"),
        ("2020-01-01", "2022-12-31", "met"),
        ("2020-01-01", "2022-12-30", "not_met"),
    ],
)
def test_a_partner_counts_while_active_on_the_assessment_date(
    start: str | None, end: str | None, expected: str
) -> None:
    world = World().add("partner_roster", partner("a", active_from=start, active_to=end))
    assert world.status("exploring.1.2.a") == expected


def test_leadership_and_partnership_are_two_rosters() -> None:
    world = World().add("partner_roster", partner("a"))
    assert (world.status("exploring.1.2.a"), world.status("exploring.2.1.a")) == ("met", "not_met")


def test_a_later_submission_that_ends_a_membership_holds_from_its_year_on() -> None:
    world = World(last_year=2023).add("partner_roster", partner("a"))
    world.add("partner_roster", partner("a", active_to="2022-06-30"), year=2023)
    assert [world.status("exploring.1.2.a", year) for year in (2022, 2023)] == ["met", "not_met"]


@pytest.mark.parametrize(("count", "expected"), [(2, "not_met"), (3, "met"), (4, "met")])
def test_three_of_seven_outcomes_need_a_core_indicator(count: int, expected: str) -> None:
    rows = [{"indicator": name, "role": "core"} for name in CORE[:count]]
    contributing = {"indicator": "fafsa_completed_pct", "role": "contributing"}
    assert World().add("indicator_selection", *rows, contributing).status("exploring.4.1") == expected


def test_a_selection_is_replaced_as_a_whole() -> None:
    world = World(last_year=2024).add("indicator_selection", *[{"indicator": name, "role": "core"} for name in CORE])
    world.add("indicator_selection", {"indicator": CORE[0], "role": "core"}, year=2024)
    assert [world.status("exploring.4.1", year) for year in (2022, 2023, 2024)] == ["met", "met", "not_met"]


@pytest.mark.parametrize(("fte", "expected"), [(0.99, "not_met"), (1.0, "met"), (1.2, "met"), (None, "not_met")])
def test_one_person_must_hold_a_full_time_post(fte: float | None, expected: str) -> None:
    world = World().add("capacity", {"role": "Daily management", "person": "director", "fte": fte})
    assert fact(world, "exploring.7.2") == expected
    assert fact(world, "emerging.7.1.a") == expected


def test_two_lines_of_one_person_are_added_up_however_the_name_is_written() -> None:
    rows = [{"role": "daily_management", "person": name, "fte": 0.5} for name in ("Director", " director")]
    assert fact(World().add("capacity", *rows), "exploring.7.2") == "met"


def test_two_halves_of_two_persons_make_no_full_time_post() -> None:
    rows = [{"role": "daily_management", "person": name, "fte": 0.5} for name in ("a", "b")]
    assert fact(World().add("capacity", *rows), "exploring.7.2") == "not_met"


def test_a_function_is_covered_by_any_arrangement() -> None:
    world = World().add("capacity", {"role": "data", "arrangement": "donated"})
    assert [fact(world, f"emerging.7.1.{letter}") for letter in "abcd"] == ["not_met", "met", "not_met", "not_met"]


@pytest.mark.parametrize(
    ("end", "one_year", "two_years"),
    [
        ("2023-12-30", "not_met", "not_met"),
        ("2023-12-31", "met", "not_met"),
        ("2024-01-01", "met", "not_met"),
        ("2024-12-29", "met", "not_met"),
        ("2024-12-30", "met", "met"),
        (None, "not_met", "not_met"),
    ],
)
def test_funding_must_run_365_days_or_730_for_several_years(end: str | None, one_year: str, two_years: str) -> None:
    row = {"partner": "Fund", "purpose": "operations", "start_date": "2022-01-01", "end_date": end}
    world = World().add("funding", row)
    assert (fact(world, "exploring.9.1"), fact(world, "systems_change.7.3")) == (one_year, two_years)


def test_the_evidence_of_funding_names_the_agreement_that_ends_last() -> None:
    row = {"partner": "Fund", "purpose": "operations", "start_date": "2022-01-01"}
    shorter = row | {"partner": "Gift", "end_date": "2023-03-01"}
    world = World().add("funding", row | {"end_date": "2023-12-31"}, shorter)
    assert world.row("exploring.9.1")["evidence"].startswith("funding runs until 2023-12-31, 365 ")


def test_funding_that_has_not_begun_does_not_count() -> None:
    row = {"partner": "Fund", "purpose": "operations", "start_date": "2023-01-01", "end_date": "2030-01-01"}
    assert fact(World().add("funding", row), "exploring.9.1") == "not_met"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, "met"),
        ({"in_kind": True}, "met"),
        ({"purpose": "scholarships"}, "not_met"),
        ({"end_date": "2022-12-30"}, "not_met"),
    ],
)
def test_operations_support_is_current_money_or_help_for_operations(changes: dict[str, Any], expected: str) -> None:
    row = {"partner": "P", "purpose": "Operations", "start_date": "2022-01-01", "end_date": "2022-12-31"}
    assert fact(World().add("funding", row | changes), "emerging.9.1") == expected


@pytest.mark.parametrize(
    ("before", "last", "expected"),
    [
        ("2021-06-29", "2022-09-30", "not_met"),
        ("2021-06-30", "2022-09-30", "met"),
        ("2021-07-01", "2022-09-30", "met"),
        (None, "2022-09-30", "not_met"),
        ("2020-11-01", "2021-09-30", "not_met"),
        ("2020-11-01", "2021-10-01", "met"),
    ],
)
def test_an_annual_release_comes_within_15_months_of_the_one_before_and_is_not_older_itself(
    before: str | None, last: str, expected: str
) -> None:
    dates = [date for date in (before, last) if date]
    both = ("report_card", "data_release")
    rows = [{"kind": kind, "audience": "community", "date": date} for kind in both for date in dates]
    world = World().add("communications", *rows)
    assert (fact(world, "sustaining.2.1.b"), fact(world, "sustaining.3.1")) == (expected, expected)


def test_a_single_release_follows_none_even_where_one_is_enough() -> None:
    row = {"kind": "data_release", "audience": "community", "date": "2022-09-30"}
    world = World(parameters={"cadence.annual_releases_min": "1"}).add("communications", row)
    assert fact(world, "sustaining.3.1") == "not_met"


def events(kind: str, dates: list[str], audiences: tuple[str, ...] = ("partners", "community")) -> list[dict[str, Any]]:
    return [{"kind": kind, "audience": audience, "date": date} for audience in audiences for date in dates]


QUARTERS = ["2022-01-01", "2022-06-30", "2022-07-01", "2022-12-31"]


def test_quarterly_means_every_audience_in_each_of_the_last_four_completed_quarters() -> None:
    full = World().add("communications", *events("progress", QUARTERS), *events("feedback", QUARTERS))
    assert (fact(full, "sustaining.2.2"), fact(full, "sustaining.2.3")) == ("met", "met")
    for lacking in range(4):
        dates = QUARTERS[:lacking] + QUARTERS[lacking + 1 :]
        world = World().add("communications", *events("progress", dates), *events("feedback", QUARTERS))
        assert fact(world, "sustaining.2.2") == "not_met"


def test_quarterly_needs_both_audiences() -> None:
    rows = [*events("progress", QUARTERS, ("partners",)), *events("progress", QUARTERS[:3], ("community",))]
    world = World().add("communications", *rows)
    assert fact(world, "sustaining.2.2") == "not_met"
    evidence = world.row("sustaining.2.2")["evidence"]
    assert "partners in 4 of 4, community in 3 of 4; without one: 2022-Q4 (community)" in evidence


def test_quarters_without_an_event_are_named_with_who_heard_nothing() -> None:
    world = World().add("communications", *events("progress", QUARTERS[1:3]))
    named = world.row("sustaining.2.2")["evidence"].partition("without one: ")[2].partition("; ")[0]
    assert named == "2022-Q1 (community, partners), 2022-Q4 (community, partners)"
    full = World().add("communications", *events("progress", QUARTERS))
    assert "without one" not in full.row("sustaining.2.2")["evidence"]


@pytest.mark.parametrize(("today", "expected"), [("2022-12-30", "met"), ("2022-12-31", "not_met")])
def test_a_running_quarter_is_not_asked_for_and_the_last_day_completes_it(today: str, expected: str) -> None:
    dates = ["2021-10-01", "2022-01-01", "2022-04-01", "2022-07-01"]
    world = World(today=dt.date.fromisoformat(today)).add("communications", *events("progress", dates))
    assert fact(world, "sustaining.2.2") == expected


@pytest.mark.parametrize(("count", "expected"), [(2, "not_met"), (3, "met"), (4, "met")])
def test_three_examples_are_needed_of_feedback_used_and_of_strategies(count: int, expected: str) -> None:
    rows = [example(f"{kind}{n}", kind, "2022-01-01") for kind in ("feedback", "strategy") for n in range(count)]
    world = World().add("examples", *rows)
    assert (fact(world, "sustaining.2.3.a"), fact(world, "sustaining.5.3")) == (expected, expected)


def test_an_example_told_twice_counts_once_and_one_of_next_year_not_yet() -> None:
    rows = [example(f"f{n}", "feedback", "2022-01-01") for n in range(2)]
    again = example("f0", "feedback", "2022-01-01", as_of="2022-06-01")
    early = example("f9", "feedback", "2023-01-01")
    assert fact(World().add("examples", *rows, again, early), "sustaining.2.3.a") == "not_met"


@pytest.mark.parametrize(
    ("level", "status", "introduced", "enacted"),
    [
        ("public", "accepted", "met", "met"),
        ("Public", "sustained", "met", "met"),
        ("institutional", "accepted", "met", "not_met"),
        ("public", "proposed", "met", "not_met"),
        (None, "accepted", "met", "not_met"),
    ],
)
def test_an_enacted_policy_is_public_and_came_about(
    level: str | None, status: str, introduced: str, enacted: str
) -> None:
    world = World().add("examples", {**example("p", "policy", "2022-01-01", status), "level": level})
    assert (fact(world, "systems_change.8.1"), fact(world, "systems_change.8.2")) == (introduced, enacted)


def values(*rows: tuple[str, str, int, float | None]) -> pl.DataFrame:
    """int_values__known from (indicator, group, school year, value), known from 2022 on."""
    records = [
        {
            "community_id": COMMUNITY,
            "indicator_id": indicator,
            "population_group_id": group,
            "school_year": year,
            "value": value,
            "value_low": None,
            "value_high": None,
            "known_from": 2022,
            "known_to": 9999,
        }
        for indicator, group, year, value in rows
    ]
    kinds = {"value": pl.Float64, "value_low": pl.Float64, "value_high": pl.Float64}
    return pl.DataFrame(records, schema_overrides=kinds)


def with_core(count: int) -> World:
    return World().add("indicator_selection", *[{"indicator": name, "role": "core"} for name in CORE[:count]])


@pytest.mark.parametrize(
    ("held", "selected", "expected"),
    [
        (1, 4, "not_met"),
        (2, 4, "met"),
        (3, 4, "met"),
        (1, 3, "not_met"),
        (2, 3, "met"),
        (1, 2, "met"),
        (0, 1, "not_met"),
    ],
)
def test_half_of_the_selected_core_indicators_is_enough_and_exact(held: int, selected: int, expected: str) -> None:
    world = with_core(selected)
    rows = [(name, group, 2022, 50.0) for name in CORE[:held] for group in ("all", "gender:male", "gender:female")]
    world.tables["int_values__known"] = values(*rows, ("employed_pct", "all", 2022, 50.0))
    item = {"release_date": "2022-05-01", "dimension": "zip"}
    world.add(
        "report_card_items",
        *[{"indicator": name, **item} for name in CORE[:held]],
        {"indicator": "employed_pct", **item},
    )
    found = [fact(world, criterion) for criterion in ("emerging.2.3", "emerging.4.1", "emerging.4.2")]
    assert found == [expected] * 3


def test_without_a_selection_shares_are_undetermined() -> None:
    world = World().add("report_card_items", {"indicator": CORE[0], "release_date": "2022-05-01", "dimension": "zip"})
    world.tables["int_values__known"] = values((CORE[0], "all", 2022, 50.0))
    assert [fact(world, f"emerging.{key}") for key in ("2.3", "4.1", "4.2")] == ["undetermined"] * 3


def test_place_breaks_a_report_card_down_but_not_the_collected_data() -> None:
    world = with_core(1)
    world.tables["int_values__known"] = values((CORE[0], "zip:06511", 2022, 40.0), (CORE[0], "zip:06512", 2022, 50.0))
    world.add("report_card_items", {"indicator": CORE[0], "release_date": "2022-05-01", "dimension": "zip"})
    assert (fact(world, "emerging.2.3"), fact(world, "emerging.4.2")) == ("met", "not_met")


def test_the_total_is_no_breakdown_of_a_report_card() -> None:
    world = with_core(1).add(
        "report_card_items", {"indicator": CORE[0], "release_date": "2022-05-01", "dimension": "all"}
    )
    assert fact(world, "emerging.2.3") == "not_met"


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ((("gender:male", 2022, 50.0),), "not_met"),
        ((("gender:male", 2022, 50.0), ("gender:female", 2022, None)), "not_met"),
        ((("gender:male", 2022, 50.0), ("economic_status:yes", 2022, 40.0)), "not_met"),
        ((("gender:male", 2021, 50.0), ("gender:female", 2021, 60.0), ("gender:male", 2022, 50.0)), "not_met"),
        ((("gender:male", 2022, 50.0), ("gender:female", 2022, 60.0)), "met"),
        ((("homeless:yes", 2022, 50.0), ("homeless:no", 2022, 60.0)), "not_met"),
    ],
)
def test_a_breakdown_is_two_groups_with_values_in_the_latest_year_of_an_allowed_dimension(
    rows: tuple[tuple[str, int, float | None], ...], expected: str
) -> None:
    world = with_core(1)
    world.tables["int_values__known"] = values(*[(CORE[0], *row) for row in rows])
    assert fact(world, "emerging.4.2") == expected


def test_values_count_from_the_year_in_which_they_were_known() -> None:
    world = with_core(1)
    world.last_year = 2023
    rows = values((CORE[0], "all", 2022, 50.0)).with_columns(pl.lit(2023).alias("known_from"))
    world.tables["int_values__known"] = rows
    assert [fact(world, "emerging.4.1", year) for year in (2022, 2023)] == ["not_met", "met"]


def test_breakdowns_by_race_and_economic_status_are_both_needed() -> None:
    world = with_core(1)
    race, money, gender = (
        (CORE[0], f"{name}", 2022, 50.0) for name in ("race_ethnicity:black", "economic_status:yes", "gender:male")
    )
    world.tables["int_values__known"] = values(race, gender)
    assert fact(world, "exploring.5.2") == "not_met"
    world.tables["int_values__known"] = values(race, money)
    assert (fact(world, "exploring.5.2"), fact(world, "systems_transformation.3.1")) == ("met", "not_met")
    world.tables["int_values__known"] = values(race, money, gender)
    assert fact(world, "systems_transformation.3.1") == "met"


@pytest.mark.parametrize(
    ("first", "of", "expected"), [(0, 3, "not_met"), (1, 3, "met"), (2, 3, "met"), (3, 3, "not_met"), (1, 1, "not_met")]
)
def test_some_contributing_indicators_are_put_first_and_not_all(first: int, of: int, expected: str) -> None:
    names = ["fafsa_completed_pct", "attendance_rate_pct", "chronic_absence_pct"][:of]
    rows = [
        {"indicator": name, "role": "contributing", "prioritized": place < first} for place, name in enumerate(names)
    ]
    assert fact(World().add("indicator_selection", *rows), "emerging.5.1") == expected


def test_an_indicator_of_which_nothing_is_said_is_not_put_first() -> None:
    rows = [{"indicator": name, "role": "contributing"} for name in ("fafsa_completed_pct", "attendance_rate_pct")]
    world = World().add("indicator_selection", {**rows[0], "prioritized": False}, rows[1])
    assert fact(world, "emerging.5.1") == "not_met"


@pytest.mark.parametrize(
    ("horizons", "expected"), [(["short"], "not_met"), (["long"], "not_met"), (["short", "long"], "met")]
)
def test_targets_are_needed_for_both_horizons(horizons: list[str], expected: str) -> None:
    goal = {"indicator": CORE[0], "dimension": "all", "group": "all", "value": 60.0, "deadline": "2025-06-30"}
    world = World().add("targets", *[{**goal, "horizon": horizon} for horizon in horizons])
    assert fact(world, "emerging.6.3") == expected


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"name": "n"}, "not_met"),
        ({"name": "n", "outcome": "employment"}, "met"),
        ({"name": "n", "indicator": CORE[0]}, "met"),
    ],
)
def test_a_network_counts_when_tied_to_an_outcome_or_an_indicator(row: dict[str, Any], expected: str) -> None:
    assert fact(World().add("networks", row), "emerging.6.1") == expected


def test_populations_and_result_statements_are_two_facts() -> None:
    world = World().add("results", {"population": "teens", "statement": "all graduate"})
    assert (fact(world, "exploring.6.1"), fact(world, "exploring.6.2")) == ("met", "not_met")


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([{"anchor_organization": "A"}], "met"),
        ([{"anchor_organization": "A", "anchor_since": "2022-12-31"}], "met"),
        ([{"anchor_organization": "A", "anchor_since": "2023-01-01"}], "not_met"),
        ([{"anchor_organization": " "}], "not_met"),
        ([{"anchor_organization": "A"}, {"anchor_organization": "B"}], "not_met"),
    ],
)
def test_exactly_one_current_anchor_is_named(rows: list[dict[str, Any]], expected: str) -> None:
    assert fact(World().add("partnership_profile", *rows), "exploring.7.1") == expected


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, "met"),
        ({"baseline": None}, "not_met"),
        ({"call_to_action": False}, "not_met"),
        ({"date": "2023-01-01"}, "not_met"),
    ],
)
def test_the_baseline_card_carries_a_call_to_action(changes: dict[str, Any], expected: str) -> None:
    row = {
        "kind": "report_card",
        "audience": "community",
        "date": "2022-05-01",
        "baseline": True,
        "call_to_action": True,
    }
    assert fact(World().add("communications", row | changes), "emerging.2.1") == expected


@pytest.mark.parametrize(
    ("letters", "organizations", "expected"),
    [("aa", 2, "not_met"), ("ab", 1, "not_met"), ("ab", 2, "met"), ("abc", 3, "met")],
)
def test_breadth_means_two_sectors_and_two_organizations(letters: str, organizations: int, expected: str) -> None:
    rows = [
        partner(letter, organization=f"org {place % organizations}", active_from=f"2020-01-0{place + 1}")
        for place, letter in enumerate(letters)
    ]
    assert fact(World().add("partner_roster", *rows), "systems_change.1.2") == expected


@pytest.mark.parametrize(
    ("changes", "any_agreement", "adjacent"),
    [
        ({}, "met", "met"),
        ({"sector": "Education"}, "met", "not_met"),
        ({"sector": None}, "met", "not_met"),
        ({"data_level": "program"}, "met", "not_met"),
        ({"end_date": "2022-12-30"}, "not_met", "not_met"),
        ({"end_date": "2022-12-31"}, "met", "met"),
        ({"start_date": "2023-01-01"}, "not_met", "not_met"),
    ],
)
def test_agreements_count_while_in_force(changes: dict[str, Any], any_agreement: str, adjacent: str) -> None:
    row = {"party": "Clinic", "sector": "health", "data_level": "individual", "start_date": "2022-01-01"}
    world = World().add("data_sharing_agreements", row | changes)
    assert (fact(world, "sustaining.3.2"), fact(world, "systems_transformation.3.2")) == (any_agreement, adjacent)


def test_a_partner_that_is_written_otherwise_in_a_later_year_is_the_partner_of_before() -> None:
    """What the later row says of the end holds: the earlier spelling does not stay in the roster for ever."""
    world = World(last_year=2023)
    world.add("partner_roster", {"organization": "YMCA", "body": "partnership", "sector_category": "b"})
    left = {"organization": " ymca ", "body": "partnership", "sector_category": "b", "active_to": "2023-03-31"}
    world.add("partner_roster", left, year=2023)
    assert [fact(world, "exploring.1.2.b", year) for year in (2022, 2023)] == ["met", "not_met"]


def test_of_two_spellings_in_one_roster_neither_takes_the_place_of_the_other() -> None:
    partner = {"organization": "YMCA", "body": "partnership", "sector_category": "b"}
    world = World().add("partner_roster", partner, partner | {"organization": "ymca", "sector_category": "c"})
    assert [fact(world, f"exploring.1.2.{letter}") for letter in "bc"] == ["met", "not_met"]


def test_a_core_indicator_that_is_observed_by_quarter_alone_has_data_until_it_is_masked() -> None:
    world = with_core(1)
    world.last_year = 2023
    world.tables["int_values__known"] = values(("employed_pct", "all", 2022, 50.0))
    assert fact(world, "emerging.4.1", 2022) == "not_met"
    groups = ("all", "race_ethnicity:white", "race_ethnicity:black", "economic_status:yes")
    seen = [quarterly_observation(2022, CORE[0], group=group) for group in groups]
    asked = ("emerging.4.1", "emerging.4.2", "exploring.5.2")
    world.tables["observations"] = pl.concat(seen)
    assert [fact(world, criterion, 2022) for criterion in asked] == ["met"] * 3
    # The row of the newest reporting year wins for one key, masked or not.
    masked = [quarterly_observation(2023, CORE[0], None, group) for group in groups]
    world.tables["observations"] = pl.concat([*masked, *seen])
    assert [fact(world, criterion, 2022) for criterion in asked] == ["met"] * 3
    assert [fact(world, criterion, 2023) for criterion in asked] == ["not_met"] * 3


def test_quarterly_observations_of_contributing_indicators_count_from_their_submission_on() -> None:
    world = World(last_year=2023).add(
        "indicator_selection", {"indicator": "attendance_rate_pct", "role": "contributing"}
    )
    world.tables["observations"] = quarterly_observation(2023)
    assert [fact(world, "sustaining.4.2", year) for year in (2022, 2023)] == ["not_met", "met"]
    world.tables["observations"] = quarterly_observation(2022, "fafsa_completed_pct")
    assert fact(world, "sustaining.4.2", 2023) == "not_met"


@pytest.mark.parametrize(
    ("revised", "rationale", "refined", "explained"),
    [
        (None, None, "not_met", "met"),
        ("2022-05-01", "clearer", "met", "met"),
        ("2022-05-01", " ", "met", "not_met"),
        ("2023-01-01", None, "not_met", "met"),
    ],
)
def test_every_revision_gives_its_reason(
    revised: str | None, rationale: str | None, refined: str, explained: str
) -> None:
    row = {"indicator": CORE[0], "role": "core", "revised_on": revised, "rationale": rationale}
    world = World().add("indicator_selection", row)
    assert (fact(world, "sustaining.4.4"), fact(world, "sustaining.4.5")) == (refined, explained)


@pytest.mark.parametrize(
    ("sectors", "expected"),
    [
        (["health"], "not_met"),
        (["health", "housing"], "met"),
        (["health", None], "not_met"),
        (["health", "Health "], "not_met"),
    ],
)
def test_two_owner_sectors_keep_common_measures(sectors: list[str | None], expected: str) -> None:
    rows = [{"name": f"m{place}", "action": "a", "owner_sector": sector} for place, sector in enumerate(sectors)]
    assert fact(World().add("measures", *rows), "systems_transformation.4.3") == expected


def test_every_shared_measure_must_be_broken_down_and_there_must_be_one() -> None:
    def item(indicator: str, dimension: str, shared: bool = True) -> dict[str, Any]:
        return {"release_date": "2022-05-01", "indicator": indicator, "dimension": dimension, "shared_measure": shared}

    keys = ("systems_transformation.1.3", "systems_transformation.1.3.a")
    none = World().add("report_card_items", item(CORE[0], "gender", shared=False))
    one = World().add("report_card_items", item(CORE[0], "all"), item(CORE[0], "gender"))
    half = World().add("report_card_items", item(CORE[0], "gender"), item(CORE[1], "all"))
    assert [fact(none, key) for key in keys] == ["not_met", "not_met"]
    assert [fact(one, key) for key in keys] == ["met", "met"]
    assert [fact(half, key) for key in keys] == ["met", "not_met"]


def test_a_register_that_is_there_but_short_is_not_met_and_an_absent_one_undetermined() -> None:
    world = World().add("communications", {"kind": "progress", "audience": "partners", "date": "2022-03-01"})
    assert fact(world, "sustaining.2.1.b") == "not_met"
    assert fact(world, "sustaining.2.3.a") == "undetermined"


def test_a_register_of_a_later_year_is_absent_before() -> None:
    world = World(last_year=2023).add("capacity", {"role": "data"}, year=2023)
    assert [fact(world, "emerging.7.1.b", year) for year in (2022, 2023)] == ["undetermined", "met"]


def test_a_changed_threshold_changes_the_verdict_without_a_change_of_code() -> None:
    world = World().add("partner_roster", *[partner(letter) for letter in "abcd"])
    assert world.status("exploring.1.2") == "not_met"
    world.parameters["gateway.sector_quorum"] = "4"
    assert world.status("exploring.1.2") == "met"


def test_rows_of_communities_without_a_submission_are_ignored() -> None:
    world = World().add("capacity", {"role": "data", "community_id": "elsewhere"})
    assert fact(world, "emerging.7.1.b") == "undetermined"
    assert set(world.criteria()["community_id"]) == {COMMUNITY}


def test_every_rule_of_the_rubric_is_tested_here_or_met_by_the_complete_community() -> None:
    assert seed("rubric/rubric")["rule"].drop_nulls().n_unique() == 29


@pytest.mark.parametrize(
    ("role", "primary", "expected"), [("core", True, "met"), ("core", False, "met"), ("adjacent", True, "not_met")]
)
def test_an_outcome_is_chosen_by_a_core_indicator_of_its_own_and_by_no_other(
    role: str, primary: bool, expected: str
) -> None:
    chosen = {"indicator": "grade3_reading_proficient_pct", "role": role, "primary": primary}
    world = World().add("indicator_selection", chosen)
    assert world.status("exploring.4.1.b") == expected
    assert world.status("exploring.4.1.d") == "not_met"
