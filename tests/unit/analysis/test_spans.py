"""Points kept once for several reporting years are the points of each reporting year.

Belongs here: tests of tables/spans.py, and that the analysis keeps the shortest form.
Does not: why a point was used or left out (test_against_reference.py), or the mart that dbt expands (integration).
"""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dagster_project.lib.analysis.tables import FCT_TREND_POINT, STORED, TABLES, TREND_POINT_SPAN
from dagster_project.lib.analysis.tables.spans import FIRST, LAST, YEAR, as_spans, at_year, each_year, until
from dagster_project.lib.base.ruleset import Ruleset
from tests.unit.analysis.builders import first_years, known, trends

YEARS = range(2015, 2023)
LINE = [name for name in TREND_POINT_SPAN.key if name != FIRST]

# What became of one point in each reporting year: nothing known of it, or a value with a fate.
fates = st.one_of(
    st.none(),
    st.tuples(st.sampled_from([None, 40.0, 41.5]), st.sampled_from([None, "outside_window", "other_segment"])),
)
lives = st.dictionaries(
    st.tuples(st.sampled_from(["ash", "elm"]), st.sampled_from(["A", "b"]), st.integers(2014, 2017)),
    st.lists(fates, min_size=len(YEARS), max_size=len(YEARS)),
    max_size=8,
)


def point(place: str, series: str, school_year: int, fate: tuple[float | None, str | None]) -> dict[str, Any]:
    """A row of fct_trend_point without its reporting year."""
    value, reason = fate
    row: dict[str, Any] = dict.fromkeys(name for name in FCT_TREND_POINT.schema if name != YEAR)
    named = {"community_id": place, "geography_id": place, "indicator_id": "up", "population_group_id": "all"}
    said = {"series": series, "school_year": school_year, "value": value, "left_out_reason": reason}
    return {**row, **named, **said, "used": reason is None}


def rows_of(life: dict[tuple[str, str, int], list[Any]]) -> pl.DataFrame:
    """fct_trend_point, a row for each reporting year in which a point was known."""
    found = [
        {**point(*key, fate), YEAR: year}
        for key, years in life.items()
        for year, fate in zip(YEARS, years, strict=True)
        if fate is not None
    ]
    return FCT_TREND_POINT.conform(pl.DataFrame(found, schema=dict(FCT_TREND_POINT.schema)))


def shortest(rows: pl.DataFrame) -> pl.DataFrame:
    """The short form by a plain walk: a span goes on while the next reporting year has the same row."""
    spans: list[dict[str, Any]] = []
    for row in rows.sort(*LINE, YEAR).to_dicts():
        year = row.pop(YEAR)
        last = spans[-1] if spans else None
        if last is not None and last == {**row, FIRST: last[FIRST], LAST: year - 1}:
            last[LAST] = year
        else:
            spans.append({**row, FIRST: year, LAST: year})
    return TREND_POINT_SPAN.conform(pl.DataFrame(spans, schema=dict(TREND_POINT_SPAN.schema)))


@given(life=lives)
def test_expanding_what_was_shortened_gives_every_point_of_every_reporting_year(
    life: dict[tuple[str, str, int], list[Any]],
) -> None:
    rows = rows_of(life)
    assert FCT_TREND_POINT.conform(each_year(shortest(rows))).equals(rows)
    assert FCT_TREND_POINT.conform(each_year(as_spans(rows))).equals(rows)


@given(life=lives)
def test_shortening_what_was_expanded_gives_the_same_spans(life: dict[tuple[str, str, int], list[Any]]) -> None:
    spans = shortest(rows_of(life))
    assert shortest(each_year(spans)).equals(spans)


@given(life=lives, year=st.sampled_from([*YEARS, 2030]))
def test_the_points_of_one_reporting_year_are_those_of_the_expanded_table(
    life: dict[tuple[str, str, int], list[Any]], year: int
) -> None:
    rows = rows_of(life)
    assert FCT_TREND_POINT.conform(at_year(shortest(rows), year)).equals(rows.filter(pl.col(YEAR) == year))


@given(life=lives, window=st.integers(-3, 3))
def test_spans_that_end_at_a_year_of_each_row_hold_the_points_up_to_it(
    life: dict[tuple[str, str, int], list[Any]], window: int
) -> None:
    rows, last = rows_of(life), pl.col("school_year") + window
    found = each_year(until(shortest(rows), last))
    assert FCT_TREND_POINT.conform(found).equals(rows.filter(pl.col(YEAR) <= last))


def test_a_point_that_changes_vanishes_and_returns_is_a_span_each_time() -> None:
    kept, left_out = (40.0, None), (40.0, "outside_window")
    life = {("ash", "A", 2015): [kept, kept, None, kept, left_out, left_out, (41.5, "outside_window"), None]}
    spans = shortest(rows_of(life)).select(FIRST, LAST, "value", "used").rows()
    assert spans == [
        (2015, 2016, 40.0, True),
        (2018, 2018, 40.0, True),
        (2019, 2020, 40.0, False),
        (2021, 2021, 41.5, False),
    ]


versions = st.lists(
    st.tuples(
        st.sampled_from(["a", "B"]),
        st.integers(2013, 2019),
        st.sampled_from(
            [{"value": 40.0}, {"value": 55.0}, {"value_status": "missing"}, {"value": 41.0, "denominator": 3}]
        ),
        st.sampled_from([(2016, 2017), (2016, 9999), (2018, 2018), (2019, 9999), (2014, 2015)]),
    ),
    min_size=1,
    max_size=14,
)


@given(drawn=versions)
def test_the_analysis_keeps_the_shortest_spans(ruleset: Ruleset, drawn: list[tuple[str, int, Any, Any]]) -> None:
    rows: list[dict[str, Any]] = []
    held: dict[tuple[str, int], set[int]] = {}
    for number, (series, school_year, value, (since, to)) in enumerate(drawn):
        years = set(range(since, min(to, 2022) + 1))
        # One version of a value is in force at a time.
        if years & held.get((series, school_year), set()):
            continue
        held.setdefault((series, school_year), set()).update(years)
        version = {"known_from": since, "known_to": to, "source_row": number}
        rows.append({"series": series, "school_year": school_year, **value, **version})
    frame = known(rows)
    _, spans = trends(frame, first_years(frame, 2015), 2022, ruleset)
    assert spans.height
    assert shortest(each_year(spans)).equals(spans)


def test_only_the_points_are_kept_short_and_their_mart_has_a_row_for_each_reporting_year() -> None:
    assert STORED.keys() ^ TABLES.keys() == {"trend_point_span", "fct_trend_point"}
    short, long = TREND_POINT_SPAN.schema, FCT_TREND_POINT.schema
    assert {*short} - {*long} == {FIRST, LAST}
    assert {*long} - {*short} == {YEAR}
    assert TREND_POINT_SPAN.empty().pipe(each_year).pipe(FCT_TREND_POINT.conform).equals(FCT_TREND_POINT.empty())


@pytest.mark.parametrize("frame", ["eager", "lazy"])
def test_a_span_that_ends_before_it_begins_has_no_row(frame: str) -> None:
    spans = pl.DataFrame({FIRST: [2016, 2018], LAST: [2015, 2019], "value": [1.0, 2.0]}).cast({FIRST: pl.Int32})
    spans = spans.cast({LAST: pl.Int32})
    found = each_year(spans.lazy()).collect() if frame == "lazy" else each_year(spans)
    assert found.sort(YEAR).rows() == [(2.0, 2018), (2.0, 2019)]
