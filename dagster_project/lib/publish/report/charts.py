"""Small line and range charts as SVG text, for pages that work offline, on paper and for screen readers.

Belongs here: turning a chart's figures into one self-describing, deterministic SVG element (title, description).
Does not: compute a figure, read tables, or know about pages.
"""

# Drawn here and not by Vega: vl-convert took 0.5 s and 125 kB for the nine layered charts of one community (35 s for a
# network on one core); this takes milliseconds and a tenth of the size, and every mark carries its own title.

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from textwrap import wrap
from typing import Literal

from markupsafe import Markup, escape

from dagster_project.lib.publish.report.words import interval_text, number, signed, unit_of_change, value_text

PointState = Literal["used", "left_out", "range", "suppressed", "withheld", "no_value"]

# A scale narrower than this would make small wobbles look like movements.
_MINIMUM_SPAN_PERCENT = 10.0
_ROW = 48
_UNNAMED_SERIES = "default"
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
class FittedLine:
    """A straight line by its value at the last year and its change a year."""

    first_year: int
    last_year: int
    slope: float
    intercept: float

    def at(self, year: int) -> float:
        """The fitted value at a year."""
        return self.intercept + self.slope * (year - self.last_year)


@dataclass(frozen=True)
class TrendChart:
    """A community's values of one indicator over the years; `key` makes the element ids of the page unique."""

    key: str
    title: str
    description: str
    unit: str
    points: Sequence[ChartPoint]
    line: FittedLine | None = None


@dataclass(frozen=True)
class SpreadRow:
    """One row of a spread chart: the middle half of the communities' yearly changes and their median."""

    label: str
    note: str
    low: float | None
    middle: float | None
    high: float | None


@dataclass(frozen=True)
class _Frame:
    """Plot area in SVG units, and the two linear scales."""

    left: float
    top: float
    width: float
    height: float
    x_low: float
    x_high: float
    y_low: float
    y_high: float

    def x(self, value: float) -> float:
        return self.left + self.width * (value - self.x_low) / (self.x_high - self.x_low)

    def y(self, value: float) -> float:
        return self.top + self.height * (self.y_high - value) / (self.y_high - self.y_low)


def px(value: float) -> str:
    """A px with one decimal, without a negative zero."""
    text = f"{value:.1f}"
    return "0.0" if text == "-0.0" else text


def nice_ticks(low: float, high: float, about: int = 5) -> list[float]:
    """Round tick values (steps of 1, 2 or 5 times a power of ten) that enclose low..high; `high` must exceed `low`."""
    raw = (high - low) / about
    magnitude = 10.0 ** math.floor(math.log10(raw))
    step = next(m * magnitude for m in (1.0, 2.0, 5.0, 10.0) if m * magnitude >= raw - 1e-12)
    first = math.floor(low / step + 1e-9)
    last = math.ceil(high / step - 1e-9)
    return [round(i * step, 10) for i in range(first, last + 1)]


def _value_range(chart: TrendChart) -> tuple[float, float]:
    values = [v for p in chart.points for v in (p.value, p.low, p.high) if v is not None]
    if chart.line is not None:
        values += [chart.line.at(chart.line.first_year), chart.line.at(chart.line.last_year)]
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


def _frame(chart: TrendChart) -> tuple[_Frame, list[float]]:
    years = [p.year for p in chart.points]
    ticks = nice_ticks(*_value_range(chart))
    return _Frame(46, 22, 582, 168, min(years) - 0.5, max(years) + 0.5, ticks[0], ticks[-1]), ticks


def _axes(frame: _Frame, ticks: Sequence[float], unit: str) -> list[str]:
    digits = 0 if all(float(t).is_integer() for t in ticks) else 1
    right, bottom = frame.left + frame.width, frame.top + frame.height
    parts = []
    for tick in ticks:
        y = px(frame.y(tick))
        parts.append(f'<line class="grid" x1="{px(frame.left)}" x2="{px(right)}" y1="{y}" y2="{y}"/>')
        text = escape(number(tick, digits) + ("%" if unit == "percent" else ""))
        parts.append(f'<text class="tick" x="{px(frame.left - 8)}" y="{y}" dy=".35em" text-anchor="end">{text}</text>')
    first, last = round(frame.x_low + 0.5), round(frame.x_high - 0.5)
    every = 1 + (last - first) // 14
    for year in range(first, last + 1):
        if (last - year) % every == 0:
            x = px(frame.x(year))
            parts.append(f'<text class="tick" x="{x}" y="{px(bottom + 38)}" text-anchor="middle">{year}</text>')
    parts.append(f'<line class="axis" x1="{px(frame.left)}" x2="{px(right)}" y1="{px(bottom)}" y2="{px(bottom)}"/>')
    return parts


def _strip(frame: _Frame, points: Sequence[ChartPoint]) -> list[str]:
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
        mark, note = marks.get(year, ("\N{EN DASH}", "no row for this year"))
        if mark:
            parts.append(
                f'<text class="strip" x="{px(frame.x(year))}" y="{y}" text-anchor="middle">{mark}'
                f"<title>{escape(f'{year}: {note}')}</title></text>"
            )
    return parts


def _series_marks(frame: _Frame, points: Sequence[ChartPoint]) -> list[str]:
    """Dashed rules where one series ends and another begins, and each series' label at its first year."""
    shown = [p for p in points if p.value is not None]
    names = sorted({p.series for p in shown})
    if len(names) < 2:
        return []
    spans = sorted(
        (min(p.year for p in shown if p.series == n), max(p.year for p in shown if p.series == n), n) for n in names
    )
    parts = []
    for index, (first, _, name) in enumerate(spans):
        x = frame.x(first) - (frame.x(1) - frame.x(0)) * 0.5
        if index:
            parts.append(
                f'<line class="break" x1="{px(x)}" x2="{px(x)}" y1="{px(frame.top - 6)}" '
                f'y2="{px(frame.top + frame.height)}"/>'
            )
        room = frame.left + frame.width - x if index == len(spans) - 1 else frame.x(spans[index + 1][0] - 0.5) - x
        letters = max(int(room / 6.2) - 1, 3)
        label = name if len(name) <= letters else f"{name[: letters - 1]}…"
        if name != _UNNAMED_SERIES:
            parts.append(f'<text class="series" x="{px(x + 5)}" y="{px(frame.top - 8)}">{escape(label)}</text>')
    return parts


def _values(frame: _Frame, points: Sequence[ChartPoint], unit: str) -> list[str]:
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
                f'<circle class="{css}" cx="{x}" cy="{px(frame.y(point.value))}" r="4"><title>{title}</title></circle>'
            )
        elif point.low is not None or point.high is not None:
            parts.append(_range_mark(frame, point, x, unit, note))
    return parts


def _range_mark(frame: _Frame, point: ChartPoint, x: str, unit: str, note: str) -> str:
    low = frame.y_low if point.low is None else point.low
    high = frame.y_high if point.high is None else point.high
    title = escape(f"{point.year}: {interval_text(point.low, point.high, unit)}{note}")
    return f'<path class="range" d="M{x} {px(frame.y(low))}V{px(frame.y(high))}"><title>{title}</title></path>'


def _ends(frame: _Frame, points: Sequence[ChartPoint]) -> list[str]:
    """The first and last plotted values in figures, so that the chart can be read without the table."""
    shown = [p for p in points if p.value is not None]
    parts = []
    for point in (shown[:1] + shown[-1:]) if len(shown) > 1 else shown:
        if point.value is not None:
            y = frame.y(point.value)
            y = y - 10 if y > frame.top + 12 else y + 18
            text = escape(number(point.value))
            parts.append(
                f'<text class="value" x="{px(frame.x(point.year))}" y="{px(y)}" text-anchor="middle">{text}</text>'
            )
    return parts


def svg_element(
    key: str, width: int, height: int, title: str, description: str, parts: Sequence[str], css: str
) -> Markup:
    ident = escape(key)
    # Assembled from escaped pieces only: every text passed through escape() above.
    return Markup(
        f'<svg class="chart {css}" viewBox="0 0 {width} {height}" role="img" '
        f'aria-labelledby="{ident}-t {ident}-d" focusable="false">'
        f'<title id="{ident}-t">{escape(title)}</title><desc id="{ident}-d">{escape(description)}</desc>'
        f"{''.join(parts)}</svg>"
    )


def trend_chart(chart: TrendChart) -> Markup:
    """The SVG of one trend: points used (filled) and left out (hollow), ranges, the fitted line, breaks between series.

    Years run without gaps from the first to the last point; a year without a value is marked below the axis. Points of
    neighbouring years in one series are joined, nothing is drawn across a missing year. Raises ValueError when there
    is no point at all: then there is nothing to draw and the page says so in words.
    """
    if not chart.points:
        raise ValueError(f"chart {chart.key} has no point")
    points = sorted(chart.points, key=lambda p: (p.year, p.series, p.state))
    frame, ticks = _frame(chart)
    parts = _axes(frame, ticks, chart.unit) + _series_marks(frame, points)
    if chart.line is not None:
        line = chart.line
        ends = [(frame.x(y), frame.y(line.at(y))) for y in (line.first_year, line.last_year)]
        (x1, y1), (x2, y2) = ends
        parts.append(f'<line class="fit" x1="{px(x1)}" y1="{px(y1)}" x2="{px(x2)}" y2="{px(y2)}"/>')
    parts += _values(frame, points, chart.unit) + _ends(frame, points) + _strip(frame, points)
    return svg_element(chart.key, 640, 240, chart.title, chart.description, parts, "trend")


def spread_chart(key: str, title: str, unit: str, rows: Sequence[SpreadRow]) -> Markup:
    """The SVG of several spreads on one scale that always shows zero: a bar for the middle half, a dot for the median.

    Raises ValueError when no row has a median.
    """
    values = [v for r in rows for v in (r.low, r.middle, r.high) if v is not None]
    if not values:
        raise ValueError(f"chart {key} has no value")
    low, high = min(0.0, *values), max(0.0, *values)
    ticks = nice_ticks(low, high if high > low else low + 1.0)
    height = _ROW * len(rows) + 52
    frame = _Frame(250, 8, 378, height - 52, ticks[0], ticks[-1], 0, 1)
    parts = _spread_axis(frame, ticks, unit)
    for index, row in enumerate(rows):
        parts += _spread_row(frame, row, 8 + _ROW * index + _ROW / 2)
    description = "; ".join(_spread_words(row, unit) for row in rows)
    return svg_element(key, 640, height, title, f"{description}.", parts, "spread")


def _spread_words(row: SpreadRow, unit: str) -> str:
    if row.middle is None:
        return f"{row.label}: no determined trend"
    return (
        f"{row.label}: median {signed(row.middle)}, quartiles {signed(row.low)} to {signed(row.high)} "
        f"{unit_of_change(unit)} a year"
    )


def _spread_axis(frame: _Frame, ticks: Sequence[float], unit: str) -> list[str]:
    bottom = frame.top + frame.height
    digits = 0 if all(float(t).is_integer() for t in ticks) else 1
    parts = []
    for tick in ticks:
        x = px(frame.x(tick))
        css = "zero" if tick == 0 else "grid"
        parts.append(f'<line class="{css}" x1="{x}" x2="{x}" y1="{px(frame.top)}" y2="{px(bottom)}"/>')
        text = escape(signed(tick, digits))
        parts.append(f'<text class="tick" x="{x}" y="{px(bottom + 18)}" text-anchor="middle">{text}</text>')
    caption = escape(f"{unit_of_change(unit)} a year")
    middle = px(frame.left + frame.width / 2)
    parts.append(f'<text class="tick" x="{middle}" y="{px(bottom + 38)}" text-anchor="middle">{caption}</text>')
    return parts


def _spread_row(frame: _Frame, row: SpreadRow, y: float) -> list[str]:
    lines = [(text, "row") for text in wrap(row.label, 36)[:2]] + ([(row.note, "tick")] if row.note else [])
    x, first = px(frame.left - 14), y + 5 - 7.5 * (len(lines) - 1)
    parts = [
        f'<text class="{css}" x="{x}" y="{px(first + 15 * i)}" text-anchor="end">{escape(text)}</text>'
        for i, (text, css) in enumerate(lines)
    ]
    if row.middle is None:
        text = "no determined trend"
        parts.append(f'<text class="tick" x="{px(frame.x(0) + 8)}" y="{px(y + 5)}">{text}</text>')
        return parts
    if row.low is not None and row.high is not None:
        low, high = px(frame.x(row.low)), px(frame.x(row.high))
        parts.append(f'<line class="quartiles" x1="{low}" x2="{high}" y1="{px(y)}" y2="{px(y)}"/>')
    parts.append(f'<circle class="median" cx="{px(frame.x(row.middle))}" cy="{px(y)}" r="6"/>')
    return parts


def share_bar(counts: Sequence[tuple[str, str, int]]) -> Markup:
    """A stacked bar of (label, css class, count).

    Its figures must stand in the table beside it: as a decoration it is hidden from screen readers.
    """
    total = sum(n for _, _, n in counts)
    parts, start = [], 0.0
    for label, css, n in counts:
        if total and n:
            width = 100 * n / total
            parts.append(
                f'<rect class="bar-{escape(css)}" x="{px(start)}" y="0" width="{px(width)}" height="10">'
                f"<title>{escape(f'{label}: {n}')}</title></rect>"
            )
            start += width
    return Markup(
        '<svg class="bar" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true" focusable="false">'
        f"{''.join(parts)}</svg>"
    )
