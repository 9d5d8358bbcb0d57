"""Outcomes: primary or majority, gap verdicts, the selection as known then (RULES 5).

Belongs here: tests of outcome.py; small fact tables are typed in, so that each rule stands alone.
Does not: trends and gaps themselves.
"""

from __future__ import annotations

from itertools import product
from typing import Any

import polars as pl
import pytest

from dagster_project.lib.analysis.figures.outcome import SELECTION_SCHEMA, compute_outcomes, sound_selection
from dagster_project.lib.analysis.figures.standing import community_years
from dagster_project.lib.analysis.tables import FCT_GAP, FCT_TREND
from dagster_project.lib.base.ruleset import Ruleset
from tests.unit.analysis import reference
from tests.unit.analysis.builders import known, tables, yearly

READING, ADJACENT = "early_grade_reading", "stable_housing"
OUTCOMES = pl.DataFrame(
    {"outcome_id": [READING, "high_school_graduation", ADJACENT], "sector": ["education"] * 2 + ["housing"]}
)
INDICATORS = pl.DataFrame(
    [
        ("r1", READING, "core", True),
        ("r2", READING, "core", False),
        ("r3", READING, "contributing", False),
        ("g1", "high_school_graduation", "core", True),
        ("h1", "stable_housing", "adjacent", False),
    ],
    schema=["indicator_id", "outcome_id", "role", "is_primary"],
    orient="row",
)
GROUPS = ("american_indian_alaska_native", "black", "hispanic", "native_hawaiian_pacific_islander")


def selection(*rows: tuple[int, str, str, bool | None], outcome: str | None = READING) -> pl.DataFrame:
    """reporting_year, indicator, role, primary."""
    return pl.DataFrame(
        [("elm", year, indicator, outcome, role, primary, None) for year, indicator, role, primary in rows],
        schema=SELECTION_SCHEMA,
        orient="row",
    )


def trends(**statuses: str | None) -> pl.DataFrame:
    """Community-level trends of the total at 2024, by indicator."""
    rows = [
        {
            "community_id": "elm",
            "geography_id": "elm",
            "indicator_id": indicator,
            "population_group_id": "all",
            "reporting_year": 2024,
            "trend_status": status,
            "reason": "stale" if status == "undetermined" else None,
        }
        for indicator, status in statuses.items()
    ]
    return pl.DataFrame(rows, schema=dict(FCT_TREND.schema))


def gaps(standing: str = "burdened", dimension: str = "race_ethnicity", **classes: str) -> pl.DataFrame:
    """Gaps at 2024: indicator to the classes of its groups, separated by blanks."""
    rows = [
        {
            "community_id": "elm",
            "geography_id": "elm",
            "indicator_id": indicator,
            "population_group_id": f"race_ethnicity:{group}",
            "reporting_year": 2024,
            "gap_status": status,
            "standing": standing,
            "dimension": dimension,
        }
        for indicator, text in classes.items()
        for group, status in zip(GROUPS, text.split(), strict=False)
    ]
    return pl.DataFrame(rows, schema=dict(FCT_GAP.schema))


def reading(
    ruleset: Ruleset, trend: pl.DataFrame, gap: pl.DataFrame | None = None, chosen: pl.DataFrame | None = None
) -> dict[str, Any]:
    """The row of early grade reading at 2024."""
    chosen = pl.DataFrame(schema=SELECTION_SCHEMA) if chosen is None else chosen
    gap = FCT_GAP.empty() if gap is None else gap
    grid = community_years(pl.DataFrame({"community_id": ["elm"], "first_reporting_year": [2024]}), 2024)
    found = compute_outcomes(trend, gap, chosen, INDICATORS, OUTCOMES, grid, ruleset)
    return found.row(by_predicate=pl.col("outcome_id") == READING, named=True)


ALL_CORE = selection((2024, "r1", "core", False), (2024, "r2", "core", None), (2024, "r3", "core", False))


@pytest.mark.parametrize("status", ["improving", "maintained", "declining", "undetermined"])
def test_the_primary_decides_undetermined_included(status: str, ruleset: Ruleset) -> None:
    row = reading(ruleset, trends(r1=status, r2="declining"))
    assert (row["trend_status"], row["deciding_indicator_id"]) == (status, "r1")
    assert row["reason"] == ("stale" if status == "undetermined" else None)


def test_a_selected_primary_decides_over_the_dictionary(ruleset: Ruleset) -> None:
    chosen = selection((2024, "r1", "core", False), (2024, "r3", "core", True))
    row = reading(ruleset, trends(r1="improving", r3="declining"), chosen=chosen)
    assert (row["trend_status"], row["deciding_indicator_id"]) == ("declining", "r3")
    assert (row["trend_any"], row["trend_all"], row["n_core_indicators"]) == ("improving", "declining", 2)


def test_without_a_primary_a_strict_majority_of_determined_indicators_decides(ruleset: Ruleset) -> None:
    names = ("improving", "maintained", "declining", "undetermined")
    for r1, r2, r3 in product(names, repeat=3):
        row = reading(ruleset, trends(r1=r1, r2=r2, r3=r3), chosen=ALL_CORE)
        assert row["trend_status"] == reference.majority_status((r1, r2, r3)), (r1, r2, r3)
        assert row["deciding_indicator_id"] is None
    assert reading(ruleset, trends(r1="improving", r2="declining"), chosen=ALL_CORE)["trend_status"] == "mixed"
    none = reading(ruleset, trends(r1="undetermined"), chosen=ALL_CORE)
    assert (none["trend_status"], none["reason"]) == ("undetermined", "no_determined_indicator")


def test_half_is_not_more_than_half(ruleset: Ruleset) -> None:
    two = selection((2024, "r1", "core", False), (2024, "r2", "core", False))
    assert reading(ruleset, trends(r1="improving", r2="maintained"), chosen=two)["trend_status"] == "maintained"
    assert reading(ruleset, trends(r1="maintained", r2="declining"), chosen=two)["trend_status"] == "mixed"


def test_contributing_indicators_never_count(ruleset: Ruleset) -> None:
    chosen = selection((2024, "r1", "contributing", True), (2024, "r2", "core", False))
    row = reading(ruleset, trends(r1="improving", r2="declining"), chosen=chosen)
    assert (row["trend_status"], row["deciding_indicator_id"]) == ("declining", None)


def test_an_outcome_without_a_core_indicator_is_undetermined(ruleset: Ruleset) -> None:
    chosen = selection((2024, "g1", "core", True), outcome="high_school_graduation")
    row = reading(ruleset, trends(r1="improving"), chosen=chosen)
    assert (row["trend_status"], row["gap_reduced"]) == ("undetermined", "undetermined")
    assert (row["reason"], row["gap_reason"], row["n_core_indicators"]) == ("no_core_indicator", "no_core_indicator", 0)


def test_a_core_indicator_without_any_row_is_undetermined_for_lack_of_data(ruleset: Ruleset) -> None:
    row = reading(ruleset, FCT_TREND.empty())
    assert (row["trend_status"], row["reason"], row["deciding_indicator_id"]) == ("undetermined", "no_data", "r1")


def test_an_indicator_without_direction_leaves_the_outcome_undetermined(ruleset: Ruleset) -> None:
    row = reading(ruleset, trends(r1=None))
    assert (row["trend_status"], row["reason"]) == ("undetermined", "no_direction")


def test_a_selected_indicator_without_outcome_has_that_of_the_dictionary(ruleset: Ruleset) -> None:
    chosen = selection((2024, "r2", "core", True), outcome=None)
    assert reading(ruleset, trends(r2="improving"), chosen=chosen)["deciding_indicator_id"] == "r2"


# --- gaps ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "classes",
    [
        "narrowed",
        "eliminated widened narrowed",
        "narrowed widened",
        "narrowed narrowed widened unchanged",
        "narrowed narrowed narrowed unchanged",
        "narrowed undetermined no_gap_at_baseline reversed",
        "undetermined no_gap_at_baseline reversed",
        "narrowed_by_decline",
        "unchanged eliminated",
    ],
)
def test_gaps_are_reduced_when_more_than_half_of_the_eligible_burdened_groups_are(
    classes: str, ruleset: Ruleset
) -> None:
    row = reading(ruleset, trends(r1="improving"), gaps(r1=classes))
    assert row["gap_reduced"] == reference.verdict(classes.split())
    assert (row["gap_reason"] is not None) is (row["gap_reduced"] == "undetermined")


def test_the_primary_gap_verdict_counts_whatever_its_trend(ruleset: Ruleset) -> None:
    row = reading(ruleset, trends(r1="undetermined"), gaps(r1="narrowed"))
    assert (row["trend_status"], row["gap_reduced"]) == ("undetermined", "met")


def test_groups_that_are_not_burdened_and_other_dimensions_do_not_count(ruleset: Ruleset) -> None:
    assert reading(ruleset, trends(), gaps(standing="other", r1="narrowed"))["gap_reduced"] == "undetermined"
    other = gaps(dimension="economic_status", r1="narrowed")
    assert reading(ruleset, trends(), other)["gap_reason"] == "no_eligible_group"


def test_gaps_of_other_geographies_do_not_count(ruleset: Ruleset) -> None:
    elsewhere = gaps(r1="narrowed").with_columns(geography_id=pl.lit("district-1"))
    assert reading(ruleset, trends(), elsewhere)["gap_reduced"] == "undetermined"


@pytest.mark.parametrize(
    ("classes", "expected"),
    [
        (("narrowed", "narrowed", "widened"), "met"),
        (("narrowed", "widened", "undetermined"), "not_met"),
        (("narrowed", "undetermined", "undetermined"), "met"),
        (("undetermined", "undetermined", "reversed"), "undetermined"),
    ],
)
def test_without_a_primary_a_strict_majority_of_verdicts_decides(
    classes: tuple[str, str, str], expected: str, ruleset: Ruleset
) -> None:
    gap = gaps(**dict(zip(("r1", "r2", "r3"), classes, strict=True)))
    assert reading(ruleset, trends(), gap, ALL_CORE)["gap_reduced"] == expected


def test_widened_groups_are_listed_with_any_and_all(ruleset: Ruleset) -> None:
    row = reading(ruleset, trends(r1="improving"), gaps(r1="narrowed widened widened narrowed"))
    assert row["widened_groups"] == "race_ethnicity:black,race_ethnicity:hispanic"
    assert (row["gap_any"], row["gap_all"], row["gap_reduced"]) == ("met", "not_met", "not_met")
    every = reading(ruleset, trends(r1="improving"), gaps(r1="narrowed eliminated"))
    assert (every["gap_any"], every["gap_all"], every["widened_groups"]) == ("met", "met", None)
    none = reading(ruleset, trends(r1="improving"))
    assert (none["gap_any"], none["gap_all"]) == ("undetermined", "undetermined")


def test_each_core_indicator_is_shown_beside_the_decision(ruleset: Ruleset) -> None:
    row = reading(ruleset, trends(r1="improving", r2="declining"), gaps(r2="narrowed"), ALL_CORE)
    assert row["trend_by_indicator"] == '{"r1":"improving","r2":"declining","r3":"undetermined"}'
    assert row["gap_by_indicator"] == '{"r1":"undetermined","r2":"met","r3":"undetermined"}'
    assert (row["trend_any"], row["trend_all"]) == ("improving", "declining")


# --- rows and the selection as known then -------------------------------------------------------------------------


def test_every_community_outcome_and_reporting_year_has_a_row(ruleset: Ruleset) -> None:
    values = known(yearly({2021: 1.0}, known_from=2021) + yearly({2023: 1.0}, known_from=2023, community_id="oak"))
    found = tables(values, 2024, ruleset)["fct_outcome_status"]
    assert found.group_by("community_id").len().sort("community_id").rows() == [("elm", 7 * 4), ("oak", 7 * 2)]
    assert found.select("community_id", "outcome_id", "reporting_year").is_unique().all()
    assert set(found["trend_status"]) == {"undetermined"}


def test_the_whole_selection_of_the_newest_reporting_year_replaces_earlier_ones(ruleset: Ruleset) -> None:
    rows = [
        *yearly({2020: 10.0, 2021: 11.0, 2022: 12.0}),
        *yearly({2020: 9.0, 2021: 8.0, 2022: 7.0}, indicator_id="score"),
    ]
    chosen = selection((2021, "up", "core", True), (2021, "score", "core", False), (2023, "score", "core", False))
    found = tables(known(rows), 2024, ruleset, indicator_selection=chosen)["fct_outcome_status"]
    states = found.filter(pl.col("outcome_id") == READING).select(
        "reporting_year", "trend_status", "deciding_indicator_id", "n_core_indicators"
    )
    assert states.rows() == [
        (2020, "undetermined", "up", 1),
        (2021, "undetermined", "up", 2),
        (2022, "improving", "up", 2),
        (2023, "declining", None, 1),
        (2024, "declining", None, 1),
    ]


def test_of_two_primaries_the_indicator_that_sorts_first_is_it(ruleset: Ruleset) -> None:
    chosen = selection((2024, "r3", "core", True), (2024, "r2", "core", True))
    assert reading(ruleset, trends(r2="improving"), chosen=chosen)["deciding_indicator_id"] == "r2"


@pytest.mark.parametrize(
    ("indicator", "outcome", "counts"),
    [
        ("r1", READING, True),
        ("r1", None, True),
        ("r1", "high_school_graduation", True),
        ("r1", ADJACENT, False),
        ("r3", ADJACENT, True),
        ("h1", READING, False),
        ("h1", ADJACENT, True),
        ("h1", None, True),
        ("unknown", READING, True),
    ],
)
def test_a_selection_mixes_neither_sectors_into_the_seven_nor_the_sevens_core_into_adjacent_outcomes(
    indicator: str, outcome: str | None, counts: bool
) -> None:
    """r1 is core and r3 contributing, both of the seven; h1 is of another sector."""
    rows = selection((2020, indicator, "core", True)).with_columns(outcome=pl.lit(outcome, pl.String))
    found = sound_selection(rows, INDICATORS, OUTCOMES)
    assert found.equals(rows if counts else rows.clear())


def test_a_selection_without_a_line_that_counts_is_no_selection(ruleset: Ruleset) -> None:
    rows = selection((2020, "up", "core", True)).with_columns(outcome=pl.lit(ADJACENT))
    values = known(yearly({2021: 50.0, 2022: 52.0, 2023: 54.0}))
    status = tables(values, 2023, ruleset, indicator_selection=rows)["fct_outcome_status"]
    mine = status.filter(outcome_id=READING, reporting_year=2023)
    assert mine["deciding_indicator_id"].to_list() == ["up"]
