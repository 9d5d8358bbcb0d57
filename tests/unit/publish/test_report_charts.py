"""The band of an interval and the two lines of a gap: drawn where the figures say, never beyond the picture.

Belongs here: property tests of lib/publish/report/charts/ and groups.py.
Does not: sentences (test_report_words.py), pages (test_report.py).
"""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dagster_project.lib.publish.report.charts.frame import FittedLine
from dagster_project.lib.publish.report.charts.panels import Panel, panel_charts
from dagster_project.lib.publish.report.charts.trend import ChartPoint, TrendChart, trend_chart
from dagster_project.lib.publish.report.groups import fitted_sides
from dagster_project.lib.publish.report.marts import GapYear

VALUES = st.floats(0, 100, allow_nan=False)
TOP, BOTTOM = 22.0, 190.0


@given(
    st.lists(VALUES, min_size=3, max_size=8),
    st.floats(-5, 5, allow_nan=False),
    st.floats(0.01, 40, allow_nan=False),
    st.floats(0, 100, allow_nan=False),
)
def test_the_band_of_an_interval_holds_the_line_and_stays_in_the_picture(
    values: list[float], slope: float, half: float, end: float
) -> None:
    points = [ChartPoint(2010 + i, "default", "used", value) for i, value in enumerate(values)]
    last = points[-1].year
    line = FittedLine(2010, last, slope, end, (slope - half, slope + half))
    svg = str(trend_chart(TrendChart("k", "T", "D", "percent", points, line)))
    outline = re.search(r'<path class="band" d="M([^"]*)Z"', svg)
    fit = re.search(r'<line class="fit" x1="(\S+)" y1="(\S+)" x2="(\S+)" y2="(\S+)"', svg)
    assert outline and fit
    corners = [tuple(map(float, corner.split())) for corner in outline[1].split("L")]
    assert all(TOP - 0.05 <= y <= BOTTOM + 0.05 for _, y in corners)
    x1, y1, x2, y2 = map(float, fit.groups())
    for x, y in ((x1, y1), (x2, y2)):
        at_end = [cy for cx, cy in corners if cx == x]
        assert len(at_end) >= 2 and min(at_end) - 0.11 <= y <= max(at_end) + 0.11


def test_a_line_without_an_interval_has_no_band() -> None:
    points = [ChartPoint(2010 + i, "default", "used", 50.0 + i) for i in range(4)]
    svg = str(trend_chart(TrendChart("k", "T", "D", "percent", points, FittedLine(2010, 2013, 1.0, 53.0))))
    assert 'class="fit"' in svg and 'class="band"' not in svg


def _slope(years: list[int], values: list[float]) -> tuple[float, float]:
    """Slope and value at the last year of the line of least squares, by the normal equations."""
    n, x = len(years), [year - years[-1] for year in years]
    down = n * sum(v * v for v in x) - sum(x) ** 2
    slope = (n * sum(a * b for a, b in zip(x, values, strict=True)) - sum(x) * sum(values)) / down
    return slope, (sum(values) - slope * sum(x)) / n


@given(
    st.sets(st.integers(2005, 2024), min_size=2, max_size=9).map(sorted),
    st.lists(st.tuples(VALUES, VALUES), min_size=9, max_size=9),
    st.sampled_from([1, -1]),
)
def test_the_two_lines_of_a_gap_are_those_of_least_squares(
    years: list[int], pairs: list[tuple[float, float]], direction: int
) -> None:
    used = [
        GapYear("i", "g", "r", "default", year, own, other, direction * (other - own), True)
        for year, (own, other) in zip(years, pairs, strict=False)
    ]
    own = _slope(years, [y.group_value for y in used])
    other = _slope(years, [y.reference_value for y in used])
    gap = {"group_slope": direction * own[0], "reference_slope": direction * other[0]}
    drawn = dict(fitted_sides(gap, used, direction))
    for css, (slope, end) in (("fit", own), ("other-fit", other)):
        assert drawn[css].at(years[-1]) == pytest.approx(end, abs=1e-6)
        assert drawn[css].at(years[0]) == pytest.approx(end + slope * (years[0] - years[-1]), abs=1e-6)


def test_labels_of_panels_are_text_and_a_long_one_is_cut() -> None:
    panel = Panel("<b>" + "long " * 400, '"said" & done', [(2020, "default", 1.0), (2021, "default", 2.0)])
    drawn = str(panel_charts("k", 'A "title"', [panel]))
    assert "<b>" not in drawn and "…" in drawn and 'aria-label="A &#34;title&#34;"' in drawn
    with pytest.raises(ValueError, match="no panel"):
        panel_charts("k", "T", [])
