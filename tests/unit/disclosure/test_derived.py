"""Derived figures are equal to the internal ones or absent (RULES 8.3).

Belongs here: trends, gaps, verdicts, points and targets with a hidden, a corrected or no hidden point.
Does not: which cells are hidden (test_cells.py, test_choice.py).
"""

from __future__ import annotations

import datetime as dt
import json

import polars as pl
import pytest

from dagster_project.lib.disclosure import Derived, Profile
from dagster_project.lib.disclosure.derived import _outcomes, publish_derived
from dagster_project.lib.disclosure.points import with_visibility
from tests.unit.disclosure.tables import (
    GAP_SCHEMA,
    GRADUATION,
    OUTCOME_SCHEMA,
    POINT_SCHEMA,
    TARGET_SCHEMA,
    TOWN,
    TREND_SCHEMA,
    Row,
    row,
    run,
)

WHITE, BLACK = "race_ethnicity:white", "race_ethnicity:black"
YEARS = range(2021, 2025)


def fact(group: str, reporting_year: int = 2024, **more: object) -> Row:
    return {
        "community_id": TOWN,
        "indicator_id": GRADUATION,
        "population_group_id": group,
        "geography_id": TOWN,
        "reporting_year": reporting_year,
        "series": "default",
        "first_year": 2021,
        "last_year": 2024,
        "n_years": 4,
        "reason": None,
        **more,
    }


def derived(
    profile: Profile, counts: dict[str, list[tuple[int, int]]], *, is_determined: bool = True, **points: float
) -> Derived:
    """A network of groups over four years, their trends, the gap of black behind white, outcome and target.

    is_determined: False gives trends and gap no slope and no class.
    points: values of points that differ from today's, by group and year, such as `all_2022=50.0`.
    """
    rows = [
        row(group, n, k, school_year=year)
        for group, series in counts.items()
        for year, (n, k) in zip(YEARS, series, strict=True)
    ]
    trend_points = [
        {
            **{
                name: each[name]
                for name in (
                    "community_id",
                    "indicator_id",
                    "population_group_id",
                    "geography_id",
                    "series",
                    "school_year",
                )
            },
            "reporting_year": 2024,
            "value": points.get(f"{each['population_group_id']}_{each['school_year']}", each["value"]),
            "used": (each["denominator"] or 0) >= 10,  # type: ignore[operator]
            "left_out_reason": None,
        }
        for each in rows
    ]
    slope, status = (1.5, "improving") if is_determined else (None, "undetermined")
    trends = [fact(group, slope=slope, trend_status=status, outcome_id="graduation") for group in counts]
    gap = fact(
        BLACK,
        reference_group_id=WHITE,
        group_slope=2.0 if is_determined else None,
        gap_status="narrowed" if is_determined else "undetermined",
        reference_declined=False,
        standing="burdened",
        dimension="race_ethnicity",
    )
    outcome = {
        "community_id": TOWN,
        "outcome_id": "graduation",
        "reporting_year": 2024,
        "trend_status": "improving",
        "gap_reduced": "met",
        "deciding_indicator_id": GRADUATION,
        "trend_any": "improving",
        "trend_all": "improving",
        "gap_any": "met",
        "gap_all": "met",
        "widened_groups": "x",
        "trend_by_indicator": json.dumps({GRADUATION: "improving", "other": "declining"}),
        "gap_by_indicator": json.dumps({GRADUATION: "met", "other": "not_met"}),
    }
    target = {
        **{name: value for name, value in fact("all").items() if name in TARGET_SCHEMA},
        "deadline": dt.date(2030, 6, 30),
        "horizon": "long",
        "target_value": 90.0,
        "latest_year": 2024,
        "latest_value": 60.0,
        "fitted_slope": 1.5,
        "status": "on_track",
        "baseline_year": 2021,
    }
    return run(
        rows,
        profile,
        trend=pl.DataFrame(trends, schema=TREND_SCHEMA, orient="row"),
        trend_point=pl.DataFrame(trend_points, schema=POINT_SCHEMA, orient="row"),
        gap=pl.DataFrame([gap], schema=GAP_SCHEMA, orient="row"),
        outcome_status=pl.DataFrame([outcome], schema=OUTCOME_SCHEMA, orient="row"),
        target_progress=pl.DataFrame([target], schema=TARGET_SCHEMA, orient="row"),
    ).derived


OPEN = [(100, 50), (100, 53), (100, 56), (100, 60)]
CODED = [(100, 50), (100, 53), (100, 56), (100, 99)]


def only(frame: pl.DataFrame, **where: object) -> Row:
    return frame.filter(*(pl.col(name) == value for name, value in where.items())).row(0, named=True)


def test_figures_whose_points_are_all_published_are_the_internal_ones(profile: Profile) -> None:
    found = derived(profile, {"all": OPEN, WHITE: OPEN, BLACK: OPEN})
    assert {row["trend_status"] for row in found.trend.iter_rows(named=True)} == {"improving"}
    assert only(found.gap)["gap_status"] == "narrowed"
    assert only(found.outcome_status)["gap_reduced"] == "met"
    assert only(found.target_progress)["status"] == "on_track"
    assert found.trend_point.height == 12
    assert not found.withheld_verdicts.height


def test_a_trend_with_one_coded_point_is_withheld_whole(profile: Profile) -> None:
    found = derived(profile, {"all": CODED, WHITE: OPEN, BLACK: OPEN})
    trend = only(found.trend, population_group_id="all")
    assert trend["trend_status"] == "withheld"
    assert [trend[name] for name in ("slope", "n_years", "first_year", "last_year", "reason", "series")] == [None] * 6
    assert found.trend_point.filter(pl.col("population_group_id") == "all")["school_year"].to_list() == [
        2021,
        2022,
        2023,
    ]


def test_a_published_trend_tells_its_years_also_where_a_point_that_it_did_not_use_is_withheld(profile: Profile) -> None:
    small = [OPEN[0], (8, 4), *OPEN[2:]]
    found = derived(profile, {"all": small, WHITE: OPEN, BLACK: OPEN})
    trend = only(found.trend, population_group_id="all")
    assert found.trend_point.filter(pl.col("population_group_id") == "all")["school_year"].to_list() == [
        2021,
        2023,
        2024,
    ]
    told = [trend[name] for name in ("trend_status", "slope", "n_years", "first_year", "last_year", "series")]
    assert told == ["improving", 1.5, 4, 2021, 2024, "default"]


def test_what_is_undetermined_stays_and_tells_no_years_where_a_point_within_them_is_hidden(profile: Profile) -> None:
    years = ("n_years", "first_year", "last_year", "series")
    found = derived(profile, {"all": CODED, WHITE: OPEN, BLACK: CODED}, is_determined=False)
    shown = {
        name: [only(frame, population_group_id=group)[column] for column in (status, *years)]
        for name, frame, group, status in (
            ("hidden trend", found.trend, "all", "trend_status"),
            ("whole trend", found.trend, WHITE, "trend_status"),
            ("hidden gap", found.gap, BLACK, "gap_status"),
        )
    }
    assert shown == {
        "hidden trend": ["undetermined", None, None, None, None],
        "whole trend": ["undetermined", 4, 2021, 2024, "default"],
        "hidden gap": ["undetermined", None, None, None, None],
    }


@pytest.mark.parametrize("hidden", [WHITE, BLACK])
def test_a_gap_is_withheld_where_a_point_of_either_group_is_hidden(profile: Profile, hidden: str) -> None:
    counts = {"all": OPEN, WHITE: OPEN, BLACK: OPEN}
    found = derived(profile, {**counts, hidden: CODED})
    gap = only(found.gap)
    assert (gap["gap_status"], gap["group_slope"], gap["reference_declined"]) == ("withheld", None, None)
    assert (gap["reference_group_id"], gap["standing"]) == (WHITE, "burdened")


def test_a_verdict_and_every_list_that_repeats_it_are_withheld_with_a_burdened_groups_class(profile: Profile) -> None:
    outcome = only(derived(profile, {"all": OPEN, WHITE: OPEN, BLACK: CODED}).outcome_status)
    assert [outcome[name] for name in ("gap_reduced", "gap_any", "gap_all")] == ["withheld"] * 3
    assert outcome["widened_groups"] is None
    assert json.loads(str(outcome["gap_by_indicator"])) == {GRADUATION: "withheld", "other": "not_met"}
    assert outcome["trend_status"] == "improving"


def test_a_status_is_withheld_with_the_trend_that_decides_it(profile: Profile) -> None:
    outcome = only(derived(profile, {"all": CODED, WHITE: OPEN, BLACK: OPEN}).outcome_status)
    assert [outcome[name] for name in ("trend_status", "trend_any", "trend_all")] == ["withheld"] * 3
    assert json.loads(str(outcome["trend_by_indicator"])) == {GRADUATION: "withheld", "other": "declining"}
    assert outcome["gap_reduced"] == "met"


def test_a_figure_of_a_value_that_was_corrected_since_is_withheld(profile: Profile) -> None:
    found = derived(profile, {"all": OPEN, WHITE: OPEN, BLACK: OPEN}, all_2022=52.0)
    assert only(found.trend, population_group_id="all")["trend_status"] == "withheld"
    assert only(found.trend, population_group_id=WHITE)["trend_status"] == "improving"


def test_a_target_keeps_only_what_was_set_where_its_way_is_hidden(profile: Profile) -> None:
    target = only(derived(profile, {"all": CODED, WHITE: OPEN, BLACK: OPEN}).target_progress)
    assert (target["status"], target["target_value"], target["deadline"]) == ("withheld", 90.0, dt.date(2030, 6, 30))
    assert [target[name] for name in ("latest_value", "latest_year", "fitted_slope", "baseline_year")] == [None] * 4


def test_a_point_that_was_small_then_hides_nothing_that_was_computed(profile: Profile) -> None:
    small = [(9, 5), *OPEN[1:]]
    found = derived(profile, {"all": OPEN, WHITE: OPEN, BLACK: small})
    trend = only(found.trend, population_group_id=BLACK)
    assert trend["trend_status"] == "improving"


@pytest.mark.parametrize(
    ("value", "public", "visible"),
    [
        (0.0, 1e-9, True),
        (0.0, 1.1e-9, False),
        (1000.0, 1000.0 + 0.9e-6, True),
        (1000.0, 1000.0 + 1.1e-6, False),
        (0.001, 0.001 + 0.9e-9, True),
        (-1000.0, -1000.0 - 0.9e-6, True),
        (None, 50.0, False),
        (50.0, None, False),
    ],
)
def test_a_point_is_shown_where_its_value_is_printed_but_for_the_noise_of_a_conversion(
    value: float | None, public: float | None, visible: bool
) -> None:
    one = {**fact("all"), "school_year": 2024, "value": value, "used": True, "left_out_reason": None}
    points = pl.DataFrame([{name: one[name] for name in POINT_SCHEMA}], schema=POINT_SCHEMA, orient="row")
    shown = pl.DataFrame([{**one, "value": public, "period": "annual"}], schema_overrides={"value": pl.Float64})
    assert with_visibility(points, shown)["is_visible"].to_list() == [visible]
    assert with_visibility(points, shown.with_columns(period=pl.lit("2024-Q1")))["is_visible"].to_list() == [False]


COUNTED = {"numerator": pl.Int64(), "denominator": pl.Int64()}
WEIGHED = dict.fromkeys(
    ("slope_weighted", "slope_binomial_low", "slope_binomial_high", "prob_slope_positive"), pl.Float64()
)


def restated(n: int, k: int, reason: str | None = None) -> Derived:
    """The trend of reporting year 2022, of which one point had the counts k of n and is published as 500 of 1,000."""
    where = fact("all", 2022)
    rows = [{**where, "school_year": year, "value": 50.0, "used": True} for year in YEARS]
    public = [{**each, "numerator": 500, "denominator": 1000, "period": "annual"} for each in rows]
    then = [{**each, "numerator": 500, "denominator": 1000} for each in rows[1:]]
    then.append({**rows[0], "numerator": k, "denominator": n, "used": reason is None, "left_out_reason": reason})
    given = {**where, "slope": 1.5, "trend_status": "improving", **dict.fromkeys(WEIGHED, 0.5)}
    empty = {name: pl.DataFrame(schema=schema) for name, schema in EMPTY.items()}
    return publish_derived(
        pl.DataFrame(public, schema={**POINT_SCHEMA, **COUNTED, "period": pl.String()}),
        pl.DataFrame([given], schema={**TREND_SCHEMA, **WEIGHED}),
        pl.DataFrame(then, schema={**POINT_SCHEMA, **COUNTED}),
        gap_year=None,
        **empty,
    )


EMPTY = {"gap": GAP_SCHEMA, "outcome_status": OUTCOME_SCHEMA, "target_progress": TARGET_SCHEMA}


def test_counts_that_were_corrected_since_are_not_published_with_a_value_that_was_not() -> None:
    found = restated(12, 6)
    point = only(found.trend_point, school_year=2021)
    assert (point["value"], point["numerator"], point["denominator"]) == (50.0, None, None)
    assert found.trend_point["denominator"].to_list().count(1000) == len(YEARS) - 1
    trend = only(found.trend, population_group_id="all")
    assert (trend["slope"], trend["trend_status"]) == (1.5, "improving")
    assert [trend[name] for name in WEIGHED] == [None] * len(WEIGHED)
    same = only(restated(1000, 500).trend, population_group_id="all")
    assert [same[name] for name in WEIGHED] == [0.5] * len(WEIGHED)


def test_a_point_that_was_small_then_is_not_told_beside_the_rate_that_it_had() -> None:
    found = restated(8, 4, "small_n")
    assert found.trend_point["school_year"].to_list() == list(YEARS)[1:]
    trend = only(found.trend, population_group_id="all")
    assert [trend[name] for name in WEIGHED] == [0.5] * len(WEIGHED)


@pytest.mark.parametrize(
    ("hidden", "any_of", "status"), [("p", "withheld", "withheld"), ("q", "improving", "improving")]
)
def test_a_primary_that_no_list_names_hides_what_rests_on_it(hidden: str, any_of: str, status: str) -> None:
    row = {"community_id": TOWN, "outcome_id": "x", "reporting_year": 2024, "deciding_indicator_id": "p"}
    said = {"trend_status": "improving", "trend_any": "improving", "trend_all": "improving"}
    outcome = pl.DataFrame([row | said], schema=OUTCOME_SCHEMA, orient="row")
    verdicts = pl.DataFrame([(TOWN, hidden, 2024, True, False)], schema=["c", "i", "y", "t", "g"], orient="row")
    found = only(_outcomes(outcome, verdicts, set()))
    assert (found["trend_any"], found["trend_all"], found["trend_status"]) == (status, status, status)
