"""Gaps: the fixtures of the rules, every class and reason, every threshold at, below and above it (RULES 4).

Belongs here: tests of gap.py and standing.py on small cases.
Does not: the verdict on an indicator (test_outcome.py).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import polars as pl
import pytest

from dagster_project.lib.analysis.figures.standing import REGISTER_SCHEMA
from dagster_project.lib.base.ruleset import Ruleset
from tests.unit.analysis.builders import known, tables, yearly

Rows = list[dict[str, Any]]
BLACK, WHITE = "race_ethnicity:black", "race_ethnicity:white"
YEARS = (2021, 2022, 2023, 2024)


def pair(burdened: dict[int, float | None], reference: dict[int, float | None], **common: Any) -> Rows:
    """Rows of a burdened group and of the reference."""
    return yearly(burdened, population_group_id=BLACK, **common) + yearly(
        reference, population_group_id=WHITE, **common
    )


def values(numbers: Sequence[float], years: Sequence[int] = YEARS) -> dict[int, float | None]:
    """School year to value."""
    return dict(zip(years, numbers, strict=True))


def gaps(rows: Rows, ruleset: Ruleset, last: int = 2024, **changes: Any) -> pl.DataFrame:
    """fct_gap at one reporting year."""
    return tables(known(rows), last, ruleset, **changes)["fct_gap"].filter(pl.col("reporting_year") == last)


def gap(rows: Rows, ruleset: Ruleset, last: int = 2024) -> dict[str, Any]:
    """The gap of the burdened group."""
    return gaps(rows, ruleset, last).row(by_predicate=pl.col("population_group_id") == BLACK, named=True)


FIXTURES = [
    ("faster", YEARS, "30 32 34 36", "50 50.5 51 52", 2.000, 0.650, "narrowed"),
    ("reference faster", YEARS, "30 31 31 32", "50 52 54 56", 0.600, 2.000, "widened"),
    ("parallel", YEARS, "30 31 32 33", "50 51 52 53", 1.000, 1.000, "unchanged"),
    ("both fall", YEARS, "30 29.5 29 28.5", "50 49 48 46", -0.500, -1.300, "narrowed_by_decline"),
    ("flat, reference falls", YEARS, "30 30 30 30", "50 49 48 47", 0.000, -1.000, "narrowed_by_decline"),
    ("up, reference down", YEARS, "30 31 32 33", "50 49.5 49 48.5", 1.000, -0.500, "narrowed"),
    ("closed", YEARS, "45 49 51.8 52.4", "51 51.5 52.2 52.5", 2.500, 0.520, "eliminated"),
    ("already ahead", YEARS, "55 56 57 58", "50 51 52 53", 1.000, 1.000, "reversed"),
    ("never a gap", YEARS, "50.2 51 52 53", "50.5 51.2 52.1 53", 0.940, 0.840, "no_gap_at_baseline"),
    ("no 2020", (2019, 2021, 2022, 2023), "31 27 29 33", "52 48 49 51", 0.343, -0.343, "narrowed"),
]
REFERENCE_DECLINED = {"up, reference down", "no 2020"}


@pytest.mark.parametrize(
    ("case", "years", "burdened", "reference", "s_b", "s_ref", "status"), FIXTURES, ids=[f[0] for f in FIXTURES]
)
def test_gap_fixtures_of_the_rules(
    case: str,
    years: Sequence[int],
    burdened: str,
    reference: str,
    s_b: float,
    s_ref: float,
    status: str,
    ruleset: Ruleset,
) -> None:
    ours, theirs = ([float(n) for n in text.split()] for text in (burdened, reference))
    row = gap(pair(values(ours, years), values(theirs, years)), ruleset)
    assert row["group_slope"] == pytest.approx(s_b, abs=5e-4)
    assert row["reference_slope"] == pytest.approx(s_ref, abs=5e-4)
    assert row["slope_difference"] == pytest.approx(s_b - s_ref, abs=1e-3)
    assert (row["gap_status"], row["reason"]) == (status, None)
    assert row["reference_declined"] is (case in REFERENCE_DECLINED)
    assert (row["first_gap"], row["last_gap"]) == pytest.approx((theirs[0] - ours[0], theirs[-1] - ours[-1]))
    assert (row["first_year"], row["last_year"], row["n_years"]) == (years[0], years[-1], 4)


def test_gap_fixture_lower_is_better(ruleset: Ruleset) -> None:
    row = gap(pair(values([40, 38, 36, 34]), values([20, 20, 19, 19]), indicator_id="down"), ruleset)
    assert (row["group_slope"], row["reference_slope"]) == pytest.approx((2.0, 0.4))
    assert (row["gap_status"], row["first_gap"], row["reference_declined"]) == ("narrowed", 20.0, False)


@pytest.mark.parametrize(
    ("rows", "reason", "n_years"),
    [
        (pair({2023: 30.0, 2024: 33.0}, {2023: 50.0, 2024: 51.0}), "too_few_points", 2),
        (
            pair({2021: 30.0, 2022: 33.0}, {2021: 50.0, 2022: 51.0}, series="old")
            + pair({2023: 21.0, 2024: 25.0}, {2023: 40.0, 2024: 41.0}, series="new"),
            "series_break",
            2,
        ),
        (
            pair({2021: 30.0, 2022: 33.0}, {2021: 50.0, 2022: 50.0})
            + pair({2023: 36.0, 2024: 39.0}, {2023: 50.0, 2024: 50.0}, denominator=9),
            "too_few_points",
            2,
        ),
        (pair(values([30, 32, 34, 36], range(2018, 2022)), values([50] * 4, range(2018, 2022))), "stale", 4),
        (pair({2021: 30.0, 2023: 31.0}, {2022: 50.0, 2024: 51.0}), "no_data", 0),
        (yearly(values([30, 32, 34, 36]), population_group_id=BLACK), "no_data", 0),
    ],
    ids=["two points", "break in 2023", "n below 10 in two years", "stale", "no common year", "no reference at all"],
)
def test_undetermined_gaps_say_why(rows: Rows, reason: str, n_years: int, ruleset: Ruleset) -> None:
    row = gap(rows, ruleset)
    assert (row["gap_status"], row["reason"], row["n_years"]) == ("undetermined", reason, n_years)
    numbers = ("first_gap", "last_gap", "group_slope", "reference_slope", "slope_difference", "fitted_last_gap")
    assert [row[name] for name in numbers] == [None] * len(numbers)
    assert row["reference_declined"] is False


def test_only_years_of_both_groups_in_the_same_series_count(ruleset: Ruleset) -> None:
    ours = values([30, 32, 90, 34, 36], range(2020, 2025))
    theirs = values([50, 51, 52, 53], (2020, 2021, 2023, 2024))
    row = gap(pair(ours, theirs), ruleset)
    assert (row["n_years"], row["group_slope"]) == (4, pytest.approx(1.4))
    other_series = yearly({2022: 52.0}, population_group_id=WHITE, series="pilot")
    assert gap(pair(ours, theirs) + other_series, ruleset)["n_years"] == 4


def test_a_small_reference_year_is_no_common_year(ruleset: Ruleset) -> None:
    rows = pair(values([30, 32, 34, 36]), values([50, 51, 52, 53]))
    rows[5]["denominator"] = 9
    assert gap(rows, ruleset)["n_years"] == 3


@pytest.mark.parametrize(
    ("first_gap", "status"),
    [
        (1.001, "widened"),
        (1.0, "no_gap_at_baseline"),
        (0.999, "no_gap_at_baseline"),
        (-0.999, "no_gap_at_baseline"),
        (-1.0, "no_gap_at_baseline"),
        (-1.001, "reversed"),
    ],
)
def test_the_baseline_gap_is_one_point(first_gap: float, status: str, ruleset: Ruleset) -> None:
    # The gap re-opens in between, so that it is never eliminated.
    ours, theirs = [50 - first_gap, 46.0, 48.0, 60.0], [50.0, 50.0, 51.0, 62.0]
    assert gap(pair(values(ours), values(theirs)), ruleset)["gap_status"] == status


@pytest.mark.parametrize(
    ("gaps_by_year", "status"),
    [
        ([6, 2.5, 0.5, 0.5], "eliminated"),
        ([6, 2.0, 1.0, 0.0], "eliminated"),
        ([6, 2.0, 1.001, 0.0], "narrowed"),
        ([6, 2.0, 0.5, 1.0], "eliminated"),
        ([6, 2.0, 0.5, 1.001], "narrowed"),
        ([10, 9.0, 1.0, 1.0], "eliminated"),
        ([1.1, 10.0, 1.0, 1.0], "narrowed"),
    ],
    ids=["closed", "exactly one", "above in the year before", "exactly one at the end", "above at the end", "x", "fit"],
)
def test_eliminated_needs_two_closed_years_and_a_closed_fit(
    gaps_by_year: list[float], status: str, ruleset: Ruleset
) -> None:
    theirs = [50.0, 50.1, 50.2, 50.3]
    ours = [t - g for t, g in zip(theirs, gaps_by_year, strict=True)]
    assert gap(pair(values(ours), values(theirs)), ruleset)["gap_status"] == status


def test_a_closed_gap_without_own_improvement_is_not_eliminated(ruleset: Ruleset) -> None:
    row = gap(pair(values([45, 45, 45, 45]), values([50, 48, 45.5, 45.2])), ruleset)
    assert row["gap_status"] == "narrowed_by_decline"


@pytest.mark.parametrize(
    ("difference", "status"),
    [(1e-8, "narrowed"), (0.5e-9, "unchanged"), (0.0, "unchanged"), (-0.5e-9, "unchanged"), (-1e-8, "widened")],
)
def test_slopes_within_epsilon_are_equal(difference: float, status: str, ruleset: Ruleset) -> None:
    ours = [(1 + difference) * year for year in (-1.5, -0.5, 0.5, 1.5)]
    theirs = [4 + year for year in (-1.5, -0.5, 0.5, 1.5)]
    assert gap(pair(values(ours), values(theirs)), ruleset)["gap_status"] == status


def test_every_dimension_with_a_reference_is_computed_and_others_are_not(ruleset: Ruleset) -> None:
    rows: Rows = []
    for group in ("economic_status:yes", "economic_status:no", "gender:female", "gender:male", "all", "disability:yes"):
        rows += yearly(values([30, 31, 32, 33]), population_group_id=group)
    found = gaps(rows, ruleset).select("population_group_id", "reference_group_id", "gap_status", "standing").rows()
    assert found == [
        ("disability:yes", "disability:no", "undetermined", "other"),
        ("economic_status:yes", "economic_status:no", "no_gap_at_baseline", "other"),
    ]


def test_standing_tells_burdened_groups_from_others(ruleset: Ruleset) -> None:
    rows: Rows = []
    for group in ("white", "black", "hispanic", "asian", "two_or_more"):
        rows += yearly(values([30, 31, 32, 33]), population_group_id=f"race_ethnicity:{group}")
    found = dict(gaps(rows, ruleset).select("population_group_id", "standing").iter_rows())
    assert found == {
        "race_ethnicity:asian": "other",
        BLACK: "burdened",
        "race_ethnicity:hispanic": "burdened",
        "race_ethnicity:two_or_more": "other",
    }


def test_gaps_of_other_geographies_take_the_reference_of_the_same_place(ruleset: Ruleset) -> None:
    rows = pair(values([30, 32, 34, 36]), values([50, 50.5, 51, 52]), geography_id="district-1")
    rows += yearly(values([30, 32, 34, 36]), population_group_id=BLACK)
    found = gaps(rows, ruleset).select("geography_id", "gap_status").rows()
    assert found == [("district-1", "narrowed"), ("elm", "undetermined")]


# --- the register of burdened groups ------------------------------------------------------------------------------


def register(*rows: tuple[int, str, str, str | None]) -> pl.DataFrame:
    """reporting_year, race group, standing, effective_from."""
    return pl.DataFrame(
        [
            {
                "community_id": "elm",
                "reporting_year": year,
                "dimension": "race_ethnicity",
                "group": group,
                "standing": standing,
                "effective_from": None if since is None else dt.date.fromisoformat(since),
            }
            for year, group, standing, since in rows
        ],
        schema=REGISTER_SCHEMA,
    )


def race_rows() -> Rows:
    """Four race groups in every year from 2020 on."""
    rows: Rows = []
    for group in ("white", "black", "asian", "hispanic"):
        rows += yearly({2020: 30.0, 2021: 31.0, 2022: 32.0}, population_group_id=f"race_ethnicity:{group}")
    return rows


def standing_by_year(found: pl.DataFrame) -> dict[int, tuple[str, set[str]]]:
    """Reporting year to (reference, burdened groups)."""
    return {
        year: (
            rows["reference_group_id"][0].partition(":")[2],
            {g.partition(":")[2] for g in rows.filter(pl.col("standing") == "burdened")["population_group_id"]},
        )
        for (year,), rows in found.group_by("reporting_year", maintain_order=True)
    }


def by_year(ruleset: Ruleset, last: int = 2023, **changes: Any) -> dict[int, tuple[str, set[str]]]:
    """Reference and burdened groups at every reporting year from 2020."""
    return standing_by_year(tables(known(race_rows()), last, ruleset, **changes)["fct_gap"])


STARTER = ("white", {"black", "hispanic"})


def test_without_a_register_the_starter_list_holds(ruleset: Ruleset) -> None:
    assert by_year(ruleset) == dict.fromkeys((2020, 2021, 2022, 2023), STARTER)


def test_a_register_replaces_the_starter_list_from_its_reporting_year_and_date_on(ruleset: Ruleset) -> None:
    rows = register((2021, "asian", "burdened", "2022-06-01"), (2021, "hispanic", "reference", "2022-06-01"))
    assert by_year(ruleset, burdened_groups=rows) == {
        2020: STARTER,
        2021: STARTER,
        2022: ("hispanic", {"asian"}),
        2023: ("hispanic", {"asian"}),
    }


def test_a_row_without_a_date_holds_until_one_with_a_date_is_in_effect(ruleset: Ruleset) -> None:
    rows = register((2021, "asian", "reference", None), (2021, "asian", "burdened", "2022-06-01"))
    found = by_year(ruleset, burdened_groups=rows)
    assert (found[2021], found[2022]) == (("asian", set()), ("white", {"asian"}))


@pytest.mark.parametrize(("since", "in_effect"), [("2022-12-31", True), ("2023-01-01", False)])
def test_the_assessment_date_is_the_last_day_of_the_reporting_year(
    since: str, in_effect: bool, ruleset: Ruleset
) -> None:
    rows = register((2021, "asian", "burdened", since))
    assert (by_year(ruleset, burdened_groups=rows)[2022] == ("white", {"asian"})) is in_effect


@pytest.mark.parametrize(("today", "in_effect"), [(dt.date(2023, 3, 1), True), (dt.date(2023, 2, 28), False)])
def test_the_assessment_date_is_never_after_today(today: dt.date, in_effect: bool, ruleset: Ruleset) -> None:
    rows = register((2021, "asian", "burdened", "2023-03-01"))
    assert (by_year(ruleset, burdened_groups=rows, today=today)[2023][1] == {"asian"}) is in_effect


def test_a_register_of_a_later_reporting_year_is_not_yet_known(ruleset: Ruleset) -> None:
    rows = register((2023, "asian", "burdened", "2020-01-01"))
    found = by_year(ruleset, burdened_groups=rows)
    assert found[2022] == STARTER
    assert found[2023] == ("white", {"asian"})


def test_the_newest_date_then_the_newest_reporting_year_wins(ruleset: Ruleset) -> None:
    rows = register(
        (2020, "asian", "burdened", "2020-01-01"),
        (2020, "white", "reference", "2020-01-01"),
        (2021, "white", "burdened", "2021-01-01"),
        (2021, "asian", "reference", "2021-01-01"),
        (2022, "white", "reference", "2020-06-01"),
        (2023, "asian", "burdened", "2021-01-01"),
        (2023, "white", "reference", "2021-01-01"),
    )
    assert by_year(ruleset, burdened_groups=rows) == {
        2020: ("white", {"asian"}),
        2021: ("asian", {"white"}),
        2022: ("asian", {"white"}),
        2023: ("white", {"asian"}),
    }


def test_a_register_without_reference_keeps_the_default_unless_it_is_called_burdened(ruleset: Ruleset) -> None:
    kept = by_year(ruleset, burdened_groups=register((2020, "asian", "burdened", None)))
    assert kept[2020] == ("white", {"asian"})
    none = by_year(ruleset, burdened_groups=register((2020, "white", "burdened", None)))
    assert none == {}


def test_of_several_references_the_newest_in_effect_holds(ruleset: Ruleset) -> None:
    rows = register((2020, "white", "reference", "2019-01-01"), (2020, "asian", "reference", "2020-01-01"))
    assert by_year(ruleset, burdened_groups=rows)[2020] == ("asian", set())
    same = register((2020, "white", "reference", "2020-01-01"), (2020, "asian", "reference", "2020-01-01"))
    assert by_year(ruleset, burdened_groups=same)[2020][0] == "asian"


def test_a_register_of_another_dimension_leaves_the_starter_alone(ruleset: Ruleset) -> None:
    rows = register((2020, "yes", "burdened", "2020-01-01")).with_columns(dimension=pl.lit("disability"))
    extra = yearly({2020: 1.0}, population_group_id="disability:yes")
    found = tables(known(race_rows() + extra), 2020, ruleset, burdened_groups=rows)["fct_gap"]
    assert dict(found.select("population_group_id", "standing").iter_rows()) == {
        "disability:yes": "burdened",
        "race_ethnicity:asian": "other",
        BLACK: "burdened",
        "race_ethnicity:hispanic": "burdened",
    }


# ---- year by year ----


def gap_years(rows: Rows, ruleset: Ruleset, last: int = 2024) -> list[dict[str, Any]]:
    """The burdened group's rows of fct_gap_year at one reporting year."""
    found = tables(known(rows), last, ruleset)["fct_gap_year"]
    return found.filter((pl.col("reporting_year") == last) & (pl.col("population_group_id") == BLACK)).to_dicts()


def test_gap_years_hold_both_values_and_how_far_the_group_is_behind(ruleset: Ruleset) -> None:
    rows = pair(values((30, 31, 32, 33)), values((50, 51, 50, 49)))
    found = gap_years(rows, ruleset)
    assert [
        (row["school_year"], row["group_value"], row["reference_value"], row["gap"], row["used"]) for row in found
    ] == [
        (2021, 30, 50, 20, True),
        (2022, 31, 51, 20, True),
        (2023, 32, 50, 18, True),
        (2024, 33, 49, 16, True),
    ]
    assert {row["reference_group_id"] for row in found} == {WHITE}
    whole = gap(rows, ruleset)
    assert (whole["first_gap"], whole["last_gap"]) == (found[0]["gap"], found[-1]["gap"])


def test_a_lower_rate_is_better_where_the_direction_says_so_and_nobody_is_behind_without_one(ruleset: Ruleset) -> None:
    behind = pair(values((30, 31, 32, 33)), values((20, 20, 20, 20)), indicator_id="down")
    assert [row["gap"] for row in gap_years(behind, ruleset)] == [10, 11, 12, 13]


def test_a_year_that_only_one_group_has_makes_no_gap_year(ruleset: Ruleset) -> None:
    rows = pair({2021: 30.0, 2023: 31.0, 2024: 32.0}, values((50, 51, 52, 53)))
    assert [row["school_year"] for row in gap_years(rows, ruleset)] == [2021, 2023, 2024]


def test_years_outside_the_window_and_undetermined_gaps_are_there_and_not_used(ruleset: Ruleset) -> None:
    years = tuple(range(2015, 2025))
    rows = pair(values(range(30, 40), years), values(range(50, 60), years))
    used = {row["school_year"]: row["used"] for row in gap_years(rows, ruleset)}
    assert list(used) == list(years)
    assert sum(used.values()) == gap(rows, ruleset)["n_years"] < len(years)
    short = pair(values((30, 31), (2023, 2024)), values((50, 51), (2023, 2024)))
    assert [row["used"] for row in gap_years(short, ruleset)] == [False, False]


def test_a_year_with_two_series_is_one_row_that_of_the_gaps_own_series(ruleset: Ruleset) -> None:
    own = pair(values((30, 31, 32, 33)), values((50, 51, 52, 53)), series="a test")
    other = pair({2021: 1.0}, {2021: 2.0}, series="z test")
    found = gap_years(own + other, ruleset)
    assert [(row["school_year"], row["series"], row["gap"]) for row in found] == [
        (year, "a test", 20) for year in YEARS
    ]


def test_a_reference_whose_points_come_first_of_all_is_compared_with(ruleset: Ruleset) -> None:
    rows = yearly(values([30, 31, 32, 33]), population_group_id="economic_status:yes")
    rows += yearly(values([50, 50, 50, 50]), population_group_id="economic_status:no")
    (row,) = gaps(rows, ruleset).iter_rows(named=True)
    assert (row["population_group_id"], row["gap_status"], row["first_gap"]) == (
        "economic_status:yes",
        "narrowed",
        20.0,
    )


def test_no_zero_of_a_gap_bears_a_sign(ruleset: Ruleset) -> None:
    row = gap(pair(values([30, 30, 30, 30]), values([30, 30, 30, 30]), indicator_id="down"), ruleset)
    zeros = {name: value for name, value in row.items() if isinstance(value, float) and value == 0}
    assert {"group_slope", "reference_slope"} <= zeros.keys()
    assert {name: str(value) for name, value in zeros.items()} == dict.fromkeys(zeros, "0.0")
