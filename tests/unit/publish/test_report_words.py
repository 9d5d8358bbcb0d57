"""Words and charts: a sentence never says the opposite of its figure, a chart never draws what nobody reported.

Belongs here: property tests of lib/publish/report/words.py and charts/.
Does not: pages (test_report.py).
"""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dagster_project.lib.publish.report import certainty, words
from dagster_project.lib.publish.report.charts.frame import nice_ticks
from dagster_project.lib.publish.report.charts.spread import SpreadRow, spread_chart
from dagster_project.lib.publish.report.charts.trend import ChartPoint, FittedLine, TrendChart, trend_chart
from dagster_project.lib.publish.report.indicator import value_states
from dagster_project.lib.publish.report.marts import Point
from dagster_project.lib.publish.report.sentences.gap import (
    GapFigures,
    fitted_gap_text,
    gap_label,
    gap_meaning,
    pace_sentence,
)
from dagster_project.lib.publish.report.sentences.trend import TrendFigures, reason_words, trend_sentence
from tests import sentences

LIMITS = {
    "numeric.epsilon": "1e-9",
    "trend.min_points": "3",
    "trend.maintain_tolerance": "0.5",
    "trend.confidence": "0.95",
}
SLOPES = st.floats(-60, 60, allow_nan=False) | st.sampled_from([0.0, -0.0, 0.04, -0.04, 0.05, -0.05, 1e-8, -1e-8])


def figures(slope: float | None, direction: int = 1, **changes: object) -> TrendFigures:
    adjusted = 0 if slope is None else direction * slope
    status = "improving" if adjusted > 1e-9 else "maintained" if adjusted >= -0.5 - 1e-9 else "declining"
    stated: dict[str, object] = {
        "indicator": "Graduation",
        "unit": "percent",
        "direction": direction,
        "trend_status": "undetermined" if slope is None else status,
        "reason": None,
        "first_year": 2020,
        "last_year": 2024,
        "n_years": 5,
        "slope": slope,
        "slope_ci_low": None if slope is None else slope - 1,
        "slope_ci_high": None if slope is None else slope + 1,
    }
    return TrendFigures(**(stated | changes))  # type: ignore[arg-type]


@given(SLOPES, st.sampled_from([1, -1, 0]))
def test_the_direction_of_a_sentence_is_the_sign_of_the_stored_slope(slope: float, direction: int) -> None:
    sentence = trend_sentence(figures(slope, direction), LIMITS)
    said = re.findall(r"\b(rose|fell|did not change)\b", sentence)
    assert said == ["did not change" if abs(slope) <= 1e-9 else "rose" if slope > 0 else "fell"]


@given(SLOPES, st.sampled_from([1, -1]))
def test_a_sentence_says_improving_only_when_the_slope_goes_the_good_way(slope: float, direction: int) -> None:
    sentence = trend_sentence(figures(slope, direction), LIMITS)
    assert ("improving" in sentence) == (direction * slope > 1e-9)
    assert ("declining" in sentence) == (direction * slope < -0.5 - 1e-9)


@given(SLOPES)
def test_no_direction_stands_beside_a_printed_zero(slope: float) -> None:
    sentence = trend_sentence(figures(slope), LIMITS)
    assert not re.search(r"(rose|fell) by 0\.0 ", sentence)


@given(SLOPES)
def test_a_sentence_gives_the_number_of_years_and_the_interval(slope: float) -> None:
    sentence = trend_sentence(figures(slope), LIMITS)
    assert "from 2020 to 2024 (5 years of data)" in sentence
    assert "95% interval" in sentence
    assert ("do not rule out that nothing changed" in sentence) == (slope - 1 <= 0 <= slope + 1)


@pytest.mark.parametrize(
    "reason",
    ["no_data", "interval_only", "small_n", "low_coverage", "stale", "series_break", "too_few_points", "new", None],
)
def test_an_undetermined_trend_says_because_and_no_direction(reason: str | None) -> None:
    sentence = trend_sentence(figures(None, reason=reason), LIMITS)
    assert "cannot be determined because " in sentence
    assert not re.search(r"\b(rose|fell|improving|declining)\b", sentence)
    assert not sentence.split("because ")[1].startswith(".")


@given(SLOPES)
def test_the_pace_of_a_gap_has_the_sign_of_the_stored_difference(difference: float) -> None:
    text = pace_sentence(difference, "percent", 1e-9)
    if abs(difference) <= 1e-9:
        assert "same pace" in text
    else:
        assert ("more favourably" in text) == (difference > 0) and ("less favourably" in text) == (difference < 0)


@pytest.mark.parametrize("status", list(words.GAP_WORDS))
def test_every_gap_class_has_words_and_only_undetermined_says_because(status: str) -> None:
    text = gap_meaning(GapFigures("percent", status, "too_few_points", 0.7, False), LIMITS)
    assert ("cannot be determined because" in text) == (status == "undetermined") and text.endswith(".")


@given(st.floats(-1e6, 1e6, allow_nan=False))
def test_a_number_has_one_decimal_a_real_minus_and_no_negative_zero(value: float) -> None:
    text = words.number(value)
    assert re.fullmatch(r"−?[\d,]+\.\d", text) and text != "−0.0"
    assert words.signed(value).startswith("+") == (value > 0 and text != "0.0")


def test_an_interval_is_told_as_it_was_submitted() -> None:
    assert words.interval_text(None, 5.0, "percent") == "up to 5.0%"
    assert words.interval_text(95.0, None, "percent") == "95.0% or more"
    assert words.interval_short(5.0, 9.0) == "5.0–9.0"


# --- charts --------------------------------------------------------------------------------------------------------

YEARS = st.lists(st.integers(2005, 2030), min_size=1, max_size=15, unique=True).map(sorted)


def chart(points: list[ChartPoint], line: FittedLine | None = None) -> str:
    return str(trend_chart(TrendChart("k", "Title", "Description", "percent", points, line)))


def lines(svg: str, css: str) -> list[tuple[float, ...]]:
    found = re.findall(rf'<line class="{css}" x1="([-\d.]+)" y1="([-\d.]+)" x2="([-\d.]+)" y2="([-\d.]+)"', svg)
    return [tuple(float(v) for v in f) for f in found]


@given(YEARS, st.data())
def test_points_are_joined_only_between_neighbouring_years_of_one_series(years: list[int], data: st.DataObject) -> None:
    series = [data.draw(st.sampled_from("ab")) for _ in years]
    points = [ChartPoint(y, s, "used", 50.0 + y % 7) for y, s in zip(years, series, strict=True)]
    same = {(y, s) for y, s in zip(years, series, strict=True)}
    assert len(lines(chart(points), "step")) == sum((y + 1, s) in same for y, s in same)


@given(YEARS, st.floats(0, 100, allow_nan=False))
def test_every_value_is_drawn_inside_the_frame(years: list[int], value: float) -> None:
    svg = chart([ChartPoint(y, "a", "used", value) for y in years], FittedLine(years[0], years[-1], 0.3, value))
    spots = re.findall(r'<circle class="used" cx="([\d.]+)" cy="([\d.]+)"', svg)
    assert len(spots) == len(years)
    assert all(46 <= float(x) <= 628 and 21.9 <= float(y) <= 190.1 for x, y in spots)
    assert "nan" not in svg and "-0.0" not in svg


def test_the_fitted_line_runs_through_its_stored_end_value() -> None:
    svg = chart(
        [ChartPoint(y, "a", "used", 40.0 + 2 * (y - 2021)) for y in range(2021, 2025)], FittedLine(2021, 2024, 2, 46)
    )
    ((x1, y1, x2, y2),) = lines(svg, "fit")
    spots = re.findall(r'<circle class="used" cx="([\d.]+)" cy="([\d.]+)"', svg)
    assert (f"{x1}", f"{y1}") == spots[0] and (f"{x2}", f"{y2}") == spots[-1]


def test_suppressed_missing_and_absent_years_are_told_apart() -> None:
    svg = chart(
        [
            ChartPoint(2020, "a", "used", 50.0),
            ChartPoint(2021, "a", "suppressed", note="suppressed at source"),
            ChartPoint(2022, "a", "no_value", note="left empty"),
            ChartPoint(2024, "a", "range", low=None, high=20.0, note="given as a range"),
        ]
    )
    marks = re.findall(r'class="strip"[^>]*>(.)<title>(\d{4}): ([^<]*)', svg)
    assert marks == [
        ("s", "2021", "suppressed at source"),
        ("n", "2022", "left empty"),
        ("–", "2023", "no row for this year"),
    ]
    assert svg.count('class="range"') == 1 and svg.count("<circle") == 1


def test_a_break_between_series_is_drawn() -> None:
    svg = chart([ChartPoint(2020 + i, "old" if i < 2 else "<new>", "used", 50.0) for i in range(4)])
    assert svg.count('class="break"') == 1 and "&lt;new&gt;" in svg and "<new>" not in svg


def test_a_chart_says_what_it_shows_without_being_seen() -> None:
    svg = chart([ChartPoint(2020, "a", "used", 50.0)])
    assert 'role="img"' in svg and '<title id="k-t">Title</title><desc id="k-d">Description</desc>' in svg


def test_a_chart_without_any_point_is_refused() -> None:
    with pytest.raises(ValueError, match="no point"):
        chart([])


@given(st.floats(-1e4, 1e4), st.floats(0.01, 1e4))
def test_ticks_enclose_the_values_in_even_steps(low: float, span: float) -> None:
    ticks = nice_ticks(low, low + span)
    assert ticks[0] <= low + 1e-6 and ticks[-1] >= low + span - 1e-6 and 3 <= len(ticks) <= 13


def test_a_spread_always_shows_zero_and_rows_without_a_trend() -> None:
    svg = str(
        spread_chart("n", "T", "percent", [SpreadRow("A", "", 1.0, 2.0, 3.0), SpreadRow("B", "note", None, None, None)])
    )
    assert 'class="zero"' in svg and "no determined trend" in svg and "A: median +2.0, quartiles +1.0 to +3.0" in svg


GAPS = st.floats(-80, 80, allow_nan=False) | st.sampled_from([0.0, 0.04, -0.04, 0.05, 72.7])


@given(GAPS, GAPS, st.sampled_from(["reversed", "no_gap_at_baseline"]))
def test_a_class_by_the_first_year_says_where_the_group_stands_now(first: float, last: float, status: str) -> None:
    gap = GapFigures("percent", status, None, 0.7, False, 2020, 2024, first, last, last)
    said = re.findall(r"is now (?:(\S+) percentage points )?(behind|ahead|level) \(2024\)", gap_meaning(gap, LIMITS))
    shown = words.number(abs(last))
    side = "level" if shown == "0.0" else "behind" if last > 0 else "ahead"
    assert said == [("" if side == "level" else shown, side)]
    assert (gap_label(gap) == "Was ahead, now behind") == (status == "reversed" and side == "behind")


@given(GAPS, st.floats(-20, 20, allow_nan=False), st.integers(2, 11))
def test_the_fitted_gap_grows_or_shrinks_as_the_pace_says(last: float, pace: float, years: int) -> None:
    status = "narrowed" if pace > 0 else "widened"
    gap = GapFigures("percent", status, None, pace, False, 2024 - years, 2024, 1.0, 2.0, last)
    first = gap.fitted_first_gap
    assert first is not None and first - last == pytest.approx(pace * years, abs=1e-6)
    assert fitted_gap_text(gap) == f"{words.number(first)} → {words.number(last)} fitted"


def test_a_total_that_is_missing_is_told_as_missing() -> None:
    sentence = trend_sentence(figures(None, reason="no_total"), LIMITS)
    assert "the total is missing" in sentence and "no usable value" not in sentence


@given(SLOPES, st.floats(0, 5, allow_nan=False), st.sampled_from([1, -1]), st.sampled_from(["robust", "fragile", None]))
def test_only_an_interval_on_the_claimed_side_is_called_certain_or_likely(
    slope: float, half: float, direction: int, robustness: str | None
) -> None:
    made = figures(slope, direction, slope_ci_low=slope - half, slope_ci_high=slope + half)
    row = {**vars(made), "robustness": robustness}
    said = certainty.of_trend(row, direction)
    claims = made.trend_status in ("improving", "declining")
    apart = slope - half > 0 if slope > 0 else slope + half < 0
    assert said == (
        None if not claims else "chance" if not apart else "certain" if robustness == "robust" else "likely"
    )


@given(SLOPES, st.floats(0, 5, allow_nan=False), st.sampled_from([1, -1, 0]), st.integers(1, 12))
def test_a_trend_sentence_read_back_is_its_row(slope: float, half: float, direction: int, n: int) -> None:
    made = figures(slope, direction, slope_ci_low=slope - half, slope_ci_high=slope + half, n_years=n)
    if direction == 0:
        made = figures(slope, direction, trend_status=None, slope_ci_low=slope - half, slope_ci_high=slope + half)
    row = {**vars(made), "reason": None}
    assert (
        sentences.trend_faults(trend_sentence(made, LIMITS), row, {"name": "Graduation", "direction": direction}) == []
    )


@given(SLOPES, SLOPES, GAPS, GAPS, GAPS, st.integers(2, 11))
def test_a_gap_sentence_read_back_is_its_row(
    own: float, other: float, first: float, last: float, fitted: float, years: int
) -> None:
    pace = own - other
    early = "no_gap_at_baseline" if abs(first) <= 1 else "reversed" if first < -1 else None
    same = "unchanged" if abs(pace) <= 1e-9 else "widened" if pace < 0 else None
    status = early or same or ("narrowed" if own > 1e-9 else "narrowed_by_decline")
    flag = status == "narrowed" and other < 0
    gap = GapFigures("percent", status, None, pace, flag, 2024 - years, 2024, first, last, fitted)
    row = {**vars(gap), "group_slope": own, "reference_slope": other}
    assert sentences.gap_faults(gap_meaning(gap, LIMITS), row) == []
    assert sentences.fitted_faults(fitted_gap_text(gap), row) == []
    assert sentences.label_faults(gap_label(gap), row) == []


@given(st.lists(st.sampled_from(["suppressed at source", "not collected", "not applicable"]), max_size=12))
def test_why_no_value_can_be_used_is_told_by_what_stands_in_its_place(states: list[str]) -> None:
    said = trend_sentence(figures(None, reason="no_data", states=states), LIMITS)
    assert "no usable value" not in said
    if not states:
        assert said.endswith("because no value has been submitted.")
    else:
        assert all(state in said for state in states) and (len(states) == 1 or str(len(states)) in said)


def test_a_value_of_the_year_after_the_reports_is_why_there_is_no_trend_and_not_none_at_all() -> None:
    empty = dict.fromkeys(Point._fields) | {"indicator_id": "x", "population_group_id": "all", "series": "default"}
    later = Point(
        **empty | {"school_year": 2025, "value": 70.0, "used": False, "left_out_reason": "after_reporting_year"}
    )
    states = value_states([later])
    said = trend_sentence(figures(None, reason="no_data", states=states), LIMITS)
    assert said.endswith("because the only value is of a later year than the reporting year.")


def test_a_stretch_that_years_without_a_value_end_is_not_told_as_a_change_of_the_measure_alone() -> None:
    told = reason_words("series_break", {"trend.max_gap_years": "2"})
    assert "the measure changed, or values lie more than 2 years apart" in told


def test_two_groups_of_one_pace_are_told_so_once() -> None:
    figures = GapFigures("percent", "unchanged", None, 0.0, False, 2020, 2024, 5.0, 5.0, 5.0)
    assert gap_meaning(figures, {}).count("same pace") == 1
