"""One series of values over the years as SVG text: points, ranges, the fitted line, breaks, years without a value.

Belongs here: turning a trend's figures into one self-describing, deterministic SVG element (title, description).
Does not: compute a figure, read tables, or know about pages.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from textwrap import shorten
from typing import Literal

from markupsafe import Markup, escape

from dagster_project.lib.publish.report.charts.frame import (
    FittedLine,
    Frame,
    nice_ticks,
    px,
    svg_element,
    traced,
    year_axes,
)
from dagster_project.lib.publish.report.languages.catalogue import _
from dagster_project.lib.publish.report.words import interval_text, number, value_text

PointState = Literal["used", "left_out", "range", "suppressed", "withheld", "no_value"]

# A scale narrower than this would make small wobbles look like movements.
_MINIMUM_SPAN_PERCENT = 10.0
_UNNAMED_SERIES = "default"
_REASON_LETTERS = 200
_STRIP_MARK = {"suppressed": "s", "withheld": "w", "no_value": "n"}


@dataclass(frozen=True)
class ChartPoint:
    """One year of one series: a value, an interval, or the reason why there is neither."""

    year: int
    series: str
    state: PointState
    value: float | None = None
    low: float | None = None
    high: float | None = None
    note: str = ""


@dataclass(frozen=True)
class ReferenceLine:
    """Values of a state or the nation in one series, for orientation, with who published them and their key."""

    label: str
    series: str
    values: tuple[tuple[int, float], ...]
    sources: tuple[str, ...]
    key: str


@dataclass(frozen=True)
class TrendChart:
    """A community's values of one indicator over the years; `key` makes the element ids of the page unique.

    `reasons`: why a series began, by its label. `row`: what the rows of its points are called, up to series and year.
    """

    key: str
    title: str
    description: str
    unit: str
    points: Sequence[ChartPoint]
    line: FittedLine | None = None
    references: Sequence[ReferenceLine] = ()
    reasons: Mapping[str, str] = field(default_factory=dict)
    row: str = ""


def _value_range(chart: TrendChart) -> tuple[float, float]:
    values = [v for p in chart.points for v in (p.value, p.low, p.high) if v is not None]
    if chart.line is not None:
        values += [chart.line.at(chart.line.first_year), chart.line.at(chart.line.last_year)]
    values += [v for reference in chart.references for _, v in _within(chart, reference)]
    if not values:
        return 0.0, 100.0 if chart.unit == "percent" else 1.0
    low, high = min(values), max(values)
    least = _MINIMUM_SPAN_PERCENT if chart.unit == "percent" else max(abs(high), 1.0) * 0.1
    pad = max((high - low) * 0.08, (least - (high - low)) / 2, 0.0)
    low, high = low - pad, high + pad
    if chart.unit == "percent":
        # The scale stays within what a percentage can be, except where a fitted line itself leaves it.
        low, high = max(low, min(0.0, min(values))), min(high, max(100.0, max(values)))
    return low, high


def _within(chart: TrendChart, reference: ReferenceLine) -> list[tuple[int, float]]:
    """A reference's values in the years that the chart shows: they never stretch it."""
    years = [p.year for p in chart.points]
    return [(y, v) for y, v in reference.values if min(years) <= y <= max(years)]


def _references(frame: Frame, chart: TrendChart) -> list[str]:
    """Thin lines behind the community's own, each with its name where it ends."""
    parts = []
    for reference in chart.references:
        known = _within(chart, reference)
        parts.append(f"<g{traced(row=f'fct_reference_value:{reference.key}')}>")
        for (y1, v1), (y2, v2) in pairwise(known):
            if y2 - y1 == 1:
                ends = (px(frame.x(y1)), px(frame.y(v1)), px(frame.x(y2)), px(frame.y(v2)))
                parts.append('<line class="reference" x1="{}" y1="{}" x2="{}" y2="{}"/>'.format(*ends))
        for year, value in known:
            title = escape(f"{reference.label}, {year}: {value_text(value, chart.unit)}")
            spot = f'cx="{px(frame.x(year))}" cy="{px(frame.y(value))}"{traced(at=str(year))}'
            parts.append(f'<circle class="reference" {spot} r="1.5"><title>{title}</title></circle>')
        if known:
            year, value = known[-1]
            place = f'x="{px(frame.x(year))}" y="{px(frame.y(value) - 5)}"'
            parts.append(f'<text class="tick" {place} text-anchor="end">{escape(reference.label)}</text>')
        parts.append("</g>")
    return parts


def _frame(chart: TrendChart) -> tuple[Frame, list[float]]:
    years = [p.year for p in chart.points]
    ticks = nice_ticks(*_value_range(chart))
    return Frame(58, 22, 570, 168, min(years) - 0.5, max(years) + 0.5, ticks[0], ticks[-1]), ticks


def _strip(frame: Frame, points: Sequence[ChartPoint]) -> list[str]:
    """Below the axis: s: suppressed, w: withheld, n: no value, a dash for a year without any row."""
    y = px(frame.top + frame.height + 17)
    marks: dict[int, tuple[str, str]] = {}
    for point in points:
        shown = point.value is not None or point.low is not None or point.high is not None
        if shown:
            marks[point.year] = ("", "")
        elif point.state in _STRIP_MARK:
            marks.setdefault(point.year, (_STRIP_MARK[point.state], point.note))
    parts = []
    for year in range(round(frame.x_low + 0.5), round(frame.x_high - 0.5) + 1):
        mark, note = marks.get(year, ("\N{EN DASH}", _("no row for this year")))
        if mark:
            parts.append(
                f'<text class="strip" x="{px(frame.x(year))}" y="{y}" text-anchor="middle">{mark}'
                f"<title>{escape(f'{year}: {note}')}</title></text>"
            )
    return parts


def _series_marks(frame: Frame, points: Sequence[ChartPoint], reasons: Mapping[str, str]) -> list[str]:
    """Dashed rules where one series ends and another begins with the reason, each series' label at its first year."""
    shown = [p for p in points if p.value is not None]
    names = sorted({p.series for p in shown})
    if len(names) < 2:
        return []
    spans = sorted(
        (min(p.year for p in shown if p.series == n), max(p.year for p in shown if p.series == n), n) for n in names
    )
    parts = []
    for index, (first, _last, name) in enumerate(spans):
        x = frame.x(first) - (frame.x(1) - frame.x(0)) * 0.5
        if index:
            parts.append(
                f'<line class="break" x1="{px(x)}" x2="{px(x)}" y1="{px(frame.top - 6)}" '
                f'y2="{px(frame.top + frame.height)}">{_reason(reasons.get(name))}</line>'
            )
        room = frame.left + frame.width - x if index == len(spans) - 1 else frame.x(spans[index + 1][0] - 0.5) - x
        if name != _UNNAMED_SERIES:
            place = f'x="{px(x + 5)}" y="{px(frame.top - 8)}"'
            wide, narrow = _fitting(name, room / 6.2), _fitting(name, room / 10.5)
            parts.append(f'<text class="series{"" if wide == narrow else " wide"}" {place}>{escape(wide)}</text>')
            if wide != narrow:
                parts.append(f'<text class="series narrow" {place}>{escape(narrow)}</text>')
    return parts


def _fitting(name: str, letters: float) -> str:
    """A name cut to the letters that there is room for."""
    room = max(int(letters) - 1, 3)
    return name if len(name) <= room else f"{name[: room - 1]}…"


def _reason(said: str | None) -> str:
    return f"<title>{escape(shorten(said, _REASON_LETTERS, placeholder=' …'))}</title>" if said else ""


def _values(frame: Frame, points: Sequence[ChartPoint], unit: str) -> list[str]:
    parts = []
    for name in sorted({p.series for p in points}):
        own = [p for p in points if p.series == name and p.value is not None]
        for a, b in pairwise(own):
            # Neighbouring years only: a line across a missing year would draw values that nobody reported.
            if b.year - a.year == 1 and a.value is not None and b.value is not None:
                parts.append(
                    f'<line class="step" x1="{px(frame.x(a.year))}" y1="{px(frame.y(a.value))}" '
                    f'x2="{px(frame.x(b.year))}" y2="{px(frame.y(b.value))}"/>'
                )
    for point in points:
        x = px(frame.x(point.year))
        note = f" ({point.note})" if point.note else ""
        if point.value is not None:
            title = escape(f"{point.year}: {value_text(point.value, unit)}{note}")
            css = "used" if point.state == "used" else "unused"
            parts.append(
                f'<circle class="{css}" cx="{x}" cy="{px(frame.y(point.value))}" r="4"{_at(point)}>'
                f"<title>{title}</title></circle>"
            )
        elif point.low is not None or point.high is not None:
            parts.append(_range_mark(frame, point, x, unit, note))
    return parts


def _at(point: ChartPoint) -> str:
    return traced(at=f"{point.series}/{point.year}")


def _range_mark(frame: Frame, point: ChartPoint, x: str, unit: str, note: str) -> str:
    low = frame.y_low if point.low is None else point.low
    high = frame.y_high if point.high is None else point.high
    title = escape(f"{point.year}: {interval_text(point.low, point.high, unit)}{note}")
    return (
        f'<path class="range" d="M{x} {px(frame.y(low))}V{px(frame.y(high))}"{_at(point)}><title>{title}</title></path>'
    )


def _ends(frame: Frame, points: Sequence[ChartPoint]) -> list[str]:
    """The first and last plotted values in figures, so that the chart can be read without the table."""
    shown = [p for p in points if p.value is not None]
    parts = []
    for point in (shown[:1] + shown[-1:]) if len(shown) > 1 else shown:
        if point.value is not None:
            y = frame.y(point.value)
            y = y - 10 if y > frame.top + 12 else y + 18
            text = escape(number(point.value))
            parts.append(
                f'<text class="value" x="{px(frame.x(point.year))}" y="{px(y)}" text-anchor="middle"{_at(point)}>'
                f"{text}</text>"
            )
    return parts


def _band(frame: Frame, line: FittedLine, years: Sequence[int]) -> list[str]:
    """The lines of the slope's interval through the middle of the years used, shaded; cut where the picture ends."""
    if line.interval is None or not years:
        return []
    middle = sum(years) / len(years)
    edges = []
    for slope in line.interval:

        def at(year: float, slope: float = slope) -> float:
            return line.at(middle) + slope * (year - middle)

        ends = [float(line.first_year), middle, float(line.last_year)]
        # Where an edge leaves the picture it bends, so that what is shaded stays true to the scale.
        cuts = [middle + (y - at(middle)) / slope for y in (frame.y_low, frame.y_high) if slope]
        across = sorted({*ends, *(x for x in cuts if ends[0] < x < ends[-1])})
        edges.append([(x, min(max(at(x), frame.y_low), frame.y_high)) for x in across])
    low, high = edges
    outline = "L".join(f"{px(frame.x(x))} {px(frame.y(y))}" for x, y in [*low, *reversed(high)])
    return [f'<path class="band" d="M{outline}Z"/>']


def trend_chart(chart: TrendChart) -> Markup:
    """The SVG of one trend: points used (filled) and left out (hollow), ranges, fitted line and interval, breaks.

    Years run without gaps from the first to the last point; a year without a value is marked below the axis. Points of
    neighbouring years in one series are joined, nothing is drawn across a missing year. Raises ValueError when there
    is no point at all: then there is nothing to draw and the page says so in words.
    """
    if not chart.points:
        raise ValueError(f"chart {chart.key} has no point")
    points = sorted(chart.points, key=lambda p: (p.year, p.series, p.state))
    frame, ticks = _frame(chart)
    parts = year_axes(frame, ticks, chart.unit) + _series_marks(frame, points, chart.reasons)
    parts += _references(frame, chart)
    if chart.line is not None:
        line = chart.line
        parts += _band(frame, line, [p.year for p in points if p.state == "used"])
        ends = [(frame.x(y), frame.y(line.at(y))) for y in (line.first_year, line.last_year)]
        (x1, y1), (x2, y2) = ends
        parts.append(f'<line class="fit" x1="{px(x1)}" y1="{px(y1)}" x2="{px(x2)}" y2="{px(y2)}"/>')
    parts += _values(frame, points, chart.unit) + _ends(frame, points) + _strip(frame, points)
    return svg_element(chart.key, 640, 240, chart.title, chart.description, parts, "trend", traced(row=chart.row))
