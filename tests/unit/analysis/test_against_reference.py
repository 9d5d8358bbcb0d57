"""Ten thousand random series agree with the plain second implementation, cell by cell, to 1e-9.

Belongs here: comparisons of trends, points and gaps with reference.py on random input.
Does not: hand-made cases.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dagster_project.lib.analysis.figures.gap import gaps_of
from dagster_project.lib.analysis.figures.known import expand_known
from dagster_project.lib.analysis.figures.standing import REGISTER_SCHEMA, community_years, standings
from dagster_project.lib.analysis.figures.trend import trends_of
from dagster_project.lib.analysis.tables.spans import each_year
from dagster_project.lib.base.ruleset import Ruleset, load_ruleset
from tests.unit.analysis import reference
from tests.unit.analysis.builders import INDICATORS, first_years, inputs, known, parameter_rows, trends

FIRST, LAST = 2020, 2023
GROUPS = ("white", "black", "hispanic", "asian")
N_SERIES = 10_000
EXACT = ("series", "first_year", "last_year", "n_years", "reason")
TREND_NUMBERS = (
    *("slope", "intercept", "slope_stderr", "slope_ci_low", "slope_ci_high", "r_squared", "adjusted_slope"),
    *("slope_weighted", "slope_theil_sen", "slope_binomial_low", "slope_binomial_high", "prob_slope_positive"),
)
GAP_NUMBERS = ("first_gap", "last_gap", "group_slope", "reference_slope", "slope_difference")
TRAITS = {row["indicator_id"]: (row["direction"], row["unit"]) for row in INDICATORS.iter_rows(named=True)}


def random_value(rng: np.random.Generator, style: int) -> dict[str, Any]:
    """One cell: exact (continuous, or whole so that ties occur), counted, interval, masked, small or thin."""
    kind = rng.choice(8, p=[0.3, 0.2, 0.25, 0.05, 0.08, 0.07, 0.03, 0.02])
    number = float(rng.integers(48, 52)) if style else float(rng.uniform(0, 100))
    if kind == 0:
        return {"value": number}
    if kind == 1:
        return {"value": number, "denominator": int(rng.integers(9, 12))}
    if kind == 2:
        size = int(rng.integers(10, 400))
        hits = int(rng.integers(0, size + 1)) if style else int(size * (rng.random() < 0.5))
        return {"value": 100 * hits / size, "numerator": hits, "denominator": size, "value_status": "derived"}
    if kind == 3:
        return {"value_low": 0.0, "value_high": 5.0, "value_status": "range"}
    if kind == 4:
        return {"value_status": str(rng.choice(["suppressed_at_source", "missing", "not_applicable"]))}
    if kind == 5:
        return {"value": number, "denominator": int(rng.integers(1, 10))}
    return {"value": number, "value_status": "low_coverage", "denominator": int(rng.integers(5, 50))}


def versions(rng: np.random.Generator, year: int, style: int) -> list[dict[str, Any]]:
    """One value as first submitted, and perhaps restated or withdrawn later."""
    start = min(max(FIRST, year + int(rng.integers(-1, 2))), LAST)
    rows = [{"school_year": year, "known_from": start, **random_value(rng, style)}]
    if start < LAST and rng.random() < 0.15:
        change = int(rng.integers(start + 1, LAST + 1))
        rows[0]["known_to"] = change - 1
        if rng.random() < 0.8:
            rows.append({"school_year": year, "known_from": change, **random_value(rng, style)})
    return rows


def random_rows(rng: np.random.Generator, n_series: int) -> list[dict[str, Any]]:
    """Series with holes, breaks, masks, ties and restatements; a third of the keys have a second series."""
    rows: list[dict[str, Any]] = []
    made = 0
    community = 0
    while made < n_series:
        community += 1
        for indicator in TRAITS:
            for group in GROUPS:
                switch = int(rng.integers(2016, 2024)) if rng.random() < 0.35 else 9999
                overlap = int(rng.integers(0, 3))
                style, density = int(rng.random() < 0.4), rng.uniform(0.4, 1.0)
                for label, years in (("a", range(2012, min(switch + overlap, 2025))), ("B", range(switch, 2025))):
                    made += len(years) > 0
                    common = {
                        "community_id": f"c{community:04}",
                        "indicator_id": indicator,
                        "population_group_id": f"race_ethnicity:{group}",
                        "series": label,
                    }
                    for year in years:
                        if rng.random() < density:
                            rows += [{**row, **common} for row in versions(rng, year, style)]
    return rows


def by_key(rows: list[dict[str, Any]]) -> dict[tuple[str, str, str], list[dict[str, Any]]]:
    """Rows of every key."""
    keys: dict[tuple[str, str, str], list[dict[str, Any]]] = {}
    for row in rows:
        keys.setdefault((row["community_id"], row["indicator_id"], row["population_group_id"]), []).append(row)
    return keys


def assert_equal_rows(found: dict[str, Any], expected: dict[str, Any], numbers: tuple[str, ...]) -> None:
    """Texts equal, numbers within 1e-9 (relative above 1), null where null."""
    for name in EXACT:
        assert found[name] == expected.get(name), (name, found, expected)
    for name in numbers:
        other = expected.get(name)
        if found[name] is None or other is None:
            assert found[name] is None and other is None, (name, found, expected)
        else:
            assert abs(found[name] - other) <= 1e-9 * max(1.0, abs(other)), (name, found, expected)


def compare(frame: pl.DataFrame, ruleset: Ruleset) -> tuple[int, set[str]]:
    """Compare every row of both fact tables and every point; how many rows, and which classes and reasons occurred."""
    rows = by_key(frame.to_dicts())
    grid = first_years(frame, FIRST)
    points = expand_known(frame, grid, LAST, ruleset.trend)
    trend, spans = trends_of(points, INDICATORS, ruleset)
    given = inputs(frame, LAST)
    held = standings(
        pl.DataFrame(schema=REGISTER_SCHEMA),
        given.seeds.starter_groups,
        given.seeds.dimensions,
        community_years(grid, LAST),
        dt.date(LAST, 12, 31),
        ruleset.ruleset_id,
    )
    gap, _ = gaps_of(points, held, INDICATORS, ruleset)
    fates = point_fates(each_year(spans))
    seen: set[str] = set()
    for row in trend.iter_rows(named=True):
        key, year = (row["community_id"], row["indicator_id"], row["population_group_id"]), row["reporting_year"]
        expected = reference.trend(reference.as_known(rows[key], year), year, *TRAITS[key[1]])
        assert_equal_rows(row, expected, TREND_NUMBERS)
        assert (row["trend_status"], row["robustness"]) == (expected["trend_status"], expected["robustness"]), row
        assert fates.pop((*key, year)) == expected["fates"], row
        seen |= {str(row["trend_status"]), str(row["reason"]), row["robustness"]}
    assert not fates
    expected_rows = sum(bool(reference.as_known(r, year)) for r in rows.values() for year in range(FIRST, LAST + 1))
    assert trend.height == expected_rows
    for row in gap.iter_rows(named=True):
        key, year = (row["community_id"], row["indicator_id"], row["population_group_id"]), row["reporting_year"]
        white = rows.get((*key[:2], "race_ethnicity:white"), [])
        known_then = [reference.as_known(r, year) for r in (rows[key], white)]
        expected = reference.gap(*known_then, year, TRAITS[key[1]][0])
        assert_equal_rows(row, expected, GAP_NUMBERS)
        names = ("gap_status", "reference_declined")
        assert [row[name] for name in names] == [expected[name] for name in names], row
        seen.add(row["gap_status"])
    assert gap.height == trend.filter(pl.col("population_group_id") != "race_ethnicity:white").height
    return trend.height + gap.height, seen


def point_fates(trend_point: pl.DataFrame) -> dict[tuple[str, str, str, int], dict[tuple[str, int], str]]:
    """Per key and reporting year: (series, school year) to left_out_reason, or `used`."""
    fates: dict[tuple[str, str, str, int], dict[tuple[str, int], str]] = {}
    columns = ["community_id", "indicator_id", "population_group_id", "reporting_year", "series", "school_year"]
    reason = pl.col("left_out_reason").fill_null("used")
    for *key, series, year, fate in trend_point.select(*columns, reason).iter_rows():
        fates.setdefault(tuple(key), {})[series, year] = fate  # type: ignore[arg-type]
    return fates


def test_ten_thousand_random_series_agree_with_the_plain_implementation(ruleset: Ruleset) -> None:
    rows = random_rows(np.random.default_rng(20240630), N_SERIES)
    compared, seen = compare(known(rows), ruleset)
    assert compared > N_SERIES
    statuses = {"improving", "maintained", "declining", "undetermined", "None", "robust", "fragile"}
    reasons = {"stale", "series_break", "too_few_points", "small_n"}
    classes = {"no_gap_at_baseline", "reversed", "eliminated", "narrowed", "narrowed_by_decline", "widened"}
    assert seen >= statuses | reasons | classes


cells = st.one_of(
    st.fixed_dictionaries({"value": st.sampled_from([49.0, 50.0, 50.5, 51.0, 0.0, 100.0])}),
    st.fixed_dictionaries({"value": st.just(50.0), "denominator": st.sampled_from([9, 10, 11])}),
    st.fixed_dictionaries({"value_low": st.just(0.0), "value_status": st.just("range")}),
    st.just({"value_status": "missing"}),
    st.just({"value": 50.0, "value_status": "low_coverage"}),
)
values = st.fixed_dictionaries(
    {
        "group": st.sampled_from(GROUPS[:2]),
        "series": st.sampled_from(["a", "B"]),
        "school_year": st.integers(2016, 2024),
        "since": st.integers(FIRST, LAST),
        "cell": cells,
    }
)


@settings(max_examples=150, derandomize=True)
@given(
    st.lists(values, min_size=1, max_size=24, unique_by=lambda v: (v["group"], v["series"], v["school_year"])),
    st.sampled_from(sorted(TRAITS)),
)
def test_any_arrangement_of_cells_agrees_with_the_plain_implementation(
    ruleset: Ruleset, drawn: list[dict[str, Any]], indicator: str
) -> None:
    rows = [
        {
            "indicator_id": indicator,
            "population_group_id": f"race_ethnicity:{value['group']}",
            "series": value["series"],
            "school_year": value["school_year"],
            "known_from": value["since"],
            **value["cell"],
        }
        for value in drawn
    ]
    compare(known(rows), ruleset)


def test_a_longer_window_agrees_with_numpy(ruleset: Ruleset) -> None:
    longer = replace(ruleset, trend=replace(ruleset.trend, max_years=12))
    rng = np.random.default_rng(3)
    rows = [
        {"community_id": f"c{n}", "school_year": year, "value": float(rng.uniform(0, 100))}
        for n in range(50)
        for year in range(2008, 2020)
        if year % 3 or n % 2
    ]
    frame = known(rows)
    trend, _ = trends(frame, first_years(frame), 2020, longer)
    for row in trend.iter_rows(named=True):
        own = sorted((r["school_year"], r["value"]) for r in rows if r["community_id"] == row["community_id"])
        assert row["slope"] == pytest.approx(np.polyfit(*zip(*own, strict=True), 1)[0], abs=1e-9)


RULES = ("toa-default", "1.1.0")
STEP = 5 / 16
TOLERANCE = 0.25


def at_the_edges(rng: np.random.Generator, communities: int) -> list[dict[str, Any]]:
    """Groups over four or five years in whole steps: slopes, means and gaps are exact and often on an edge."""
    rows = []
    for number in range(communities):
        years = range(LAST - int(rng.integers(3, 5)), LAST + 1)
        ahead = int(rng.integers(-2, 13))
        for group in GROUPS:
            steps = np.cumsum(rng.integers(-1, 3 if group != "white" else 2, len(years)))
            steps = steps + ahead if group == "white" else steps
            common = {"community_id": f"c{number:03}", "population_group_id": f"race_ethnicity:{group}"}
            rows += [
                {**common, "indicator_id": indicator, "school_year": year, "value": 50 + sign * STEP * int(step)}
                for indicator, sign in (("up", 1), ("down", -1))
                for year, step in zip(years, steps, strict=True)
            ]
    return rows


def test_figures_at_the_very_edge_of_a_rule_fall_to_the_same_side_as_in_the_plain_implementation(
    ruleset: Ruleset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reference, "EPS", TOLERANCE)
    frame = known(at_the_edges(np.random.default_rng(7), 250))
    rows = by_key(frame.to_dicts())
    points = expand_known(frame, first_years(frame, LAST), LAST, ruleset.trend)
    changed = pl.when(pl.col("parameter") == "numeric.epsilon").then(pl.lit(str(TOLERANCE))).otherwise("value")
    rules = load_ruleset(parameter_rows().with_columns(changed.alias("value")), *RULES)
    trend, _ = trends_of(points, INDICATORS, rules)
    given = inputs(frame, LAST)
    years = community_years(first_years(frame, LAST), LAST)
    seeds = given.seeds
    held = standings(
        pl.DataFrame(schema=REGISTER_SCHEMA),
        seeds.starter_groups,
        seeds.dimensions,
        years,
        dt.date(LAST, 12, 31),
        ruleset.ruleset_id,
    )
    gap, _ = gaps_of(points, held, INDICATORS, rules)
    assert (trend.height, gap.height) == (2000, 1500)
    for row in trend.iter_rows(named=True):
        key = (row["community_id"], row["indicator_id"], row["population_group_id"])
        assert row["trend_status"] == reference.trend(rows[key], LAST, *TRAITS[key[1]])["trend_status"], row
    for row in gap.iter_rows(named=True):
        key = (row["community_id"], row["indicator_id"], row["population_group_id"])
        expected = reference.gap(rows[key], rows[*key[:2], "race_ethnicity:white"], LAST, TRAITS[key[1]][0])
        names = ("gap_status", "reference_declined")
        assert [row[name] for name in names] == [expected[name] for name in names], row
    assert set(gap["gap_status"]) >= {"eliminated", "narrowed", "narrowed_by_decline", "unchanged", "widened"}
