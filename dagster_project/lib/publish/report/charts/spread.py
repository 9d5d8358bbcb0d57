"""Spreads over the network as SVG text, one row a figure, and bars of shares.

Belongs here: turning medians, quartiles and counts into one self-describing, deterministic SVG element.
Does not: compute a figure, rank communities, read tables, or know about pages.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import wrap

from markupsafe import Markup, escape

from dagster_project.lib.publish.report.charts.frame import Frame, nice_ticks, px, svg_element, tick_digits, traced
from dagster_project.lib.publish.report.languages.catalogue import _
from dagster_project.lib.publish.report.words import signed, unit_of_change

_ROW, _WIDTH = 44, 420


@dataclass(frozen=True)
class SpreadRow:
    """One row of a spread chart: the middle half of the communities' yearly changes and their median.

    `key`: the row that holds them.
    """

    label: str
    note: str
    low: float | None
    middle: float | None
    high: float | None
    key: str = ""


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
    frame = Frame(16, 8, _WIDTH - 32, height - 52, ticks[0], ticks[-1], 0, 1)
    parts = _spread_axis(frame, ticks, unit)
    for index, row in enumerate(rows):
        parts += _spread_row(frame, row, 8 + _ROW * index)
    description = "; ".join(_spread_words(row, unit) for row in rows)
    return svg_element(key, _WIDTH, height, title, f"{description}.", parts, "spread")


def _spread_words(row: SpreadRow, unit: str) -> str:
    if row.middle is None:
        return _("%(label)s: no determined trend", label=row.label)
    return _(
        "%(label)s: median %(median)s, quartiles %(low)s to %(high)s %(unit)s a year",
        label=row.label,
        median=signed(row.middle),
        low=signed(row.low),
        high=signed(row.high),
        unit=unit_of_change(unit),
    )


def _spread_axis(frame: Frame, ticks: Sequence[float], unit: str) -> list[str]:
    bottom = frame.top + frame.height
    digits = tick_digits(ticks)
    parts = []
    for tick in ticks:
        x = px(frame.x(tick))
        css = "zero" if tick == 0 else "grid"
        parts.append(f'<line class="{css}" x1="{x}" x2="{x}" y1="{px(frame.top)}" y2="{px(bottom)}"/>')
        text = escape(signed(tick, digits))
        parts.append(f'<text class="tick" x="{x}" y="{px(bottom + 18)}" text-anchor="middle">{text}</text>')
    caption = escape(_("%(unit)s a year", unit=unit_of_change(unit)))
    middle = px(frame.left + frame.width / 2)
    parts.append(f'<text class="tick" x="{middle}" y="{px(bottom + 38)}" text-anchor="middle">{caption}</text>')
    return parts


def _spread_row(frame: Frame, row: SpreadRow, top: float) -> list[str]:
    """The label above its bar: on a phone there is no room beside it."""
    label = wrap(row.label, 56 if row.note else 62, max_lines=1, placeholder="…")[0] if row.label.strip() else ""
    note = f'<tspan class="tick" dx="6">{escape(row.note)}</tspan>' if row.note else ""
    y = top + 29
    parts = [f'<text class="row" x="{px(frame.left)}" y="{px(top + 16)}">{escape(label)}{note}</text>']
    if row.middle is None:
        text = escape(_("no determined trend"))
        parts.append(f'<text class="tick" x="{px(frame.x(0) + 8)}" y="{px(y + 5)}">{text}</text>')
        return parts
    if row.low is not None and row.high is not None:
        low, high = px(frame.x(row.low)), px(frame.x(row.high))
        parts.append(f'<line class="quartiles" x1="{low}" x2="{high}" y1="{px(y)}" y2="{px(y)}"{traced(row=row.key)}/>')
    at = f'cx="{px(frame.x(row.middle))}" cy="{px(y)}"'
    parts.append(f'<circle class="median" {at} r="6"{traced(row=row.key)}/>')
    return parts


def share_bar(counts: Sequence[tuple[str, str, int]], counted: str = "") -> Markup:
    """A stacked bar of (label, css class, count); `counted`: what is counted, but for the class.

    Its figures must stand in the table beside it: as a decoration it is hidden from screen readers.
    """
    total = sum(n for _, _, n in counts)
    parts, start = [], 0.0
    for label, css, n in counts:
        if total and n:
            width, named = 100 * n / total, traced(bar=f"{counted}{css}")
            parts.append(
                f'<rect class="bar-{escape(css)}" x="{px(start)}" y="0" width="{px(width)}" height="10"{named}>'
                f"<title>{escape(f'{label}: {n}')}</title></rect>"
            )
            start += width
    return Markup(
        '<svg class="bar" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true" focusable="false">'
        f"{''.join(parts)}</svg>"
    )
