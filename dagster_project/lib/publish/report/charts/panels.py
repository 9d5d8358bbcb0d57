"""Small multiples as SVG text: every group of a dimension in a panel of its own, all on one scale.

Belongs here: turning the groups' figures into one self-describing, deterministic SVG element, and an SVG as a file.
Does not: compute a figure, read tables, choose groups, or know about pages.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from textwrap import wrap

from markupsafe import Markup, escape

from dagster_project.lib.publish.report.charts.frame import nice_ticks, px, svg_element
from dagster_project.lib.publish.report.words import number, value_text

_COLUMNS, _WIDTH, _LEFT = 3, 640, 40
_STEP, _HEIGHT, _PLOT, _TOP = 204, 132, 70, 38
Years = Sequence[tuple[int, str, float]]
"""Year, series and value, in the order of the years."""
Scale = tuple[float, float, float, float]
"""Lowest and highest value, first and last year."""


@dataclass(frozen=True)
class Panel:
    """One group's values over the years; at least one."""

    label: str
    values: Years


def _lines(values: Years, scale: Scale, css: str) -> str:
    """Values of neighbouring years in one series, joined; a year apart from others is a dot."""
    low, high, first, last = scale
    across, along = (_STEP - _LEFT - 24) / max(last - first, 1.0), _PLOT / (high - low)
    places = [(px(_LEFT + across * (y - first)), px(_TOP + along * (high - v))) for y, _, v in values]
    parts, joined = [], set()
    for i, (a, b) in enumerate(pairwise(values)):
        if b[0] - a[0] == 1 and a[1] == b[1]:
            # One stroke for as long as the years run on: a file of half the size.
            start = "" if i in joined else f"M{places[i][0]} {places[i][1]}"
            parts.append(f"{start}L{places[i + 1][0]} {places[i + 1][1]}")
            joined |= {i, i + 1} if start else {i + 1}
    path = f'<path class="{css}" fill="none" d="{"".join(parts)}"/>' if parts else ""
    alone = [] if css == "others" else [place for i, place in enumerate(places) if i not in joined]
    return path + "".join(f'<circle class="used" cx="{x}" cy="{y}" r="3"/>' for x, y in alone)


def _spoken(panel: Panel, unit: str) -> str:
    (first, _, start), (last, _, end) = panel.values[0], panel.values[-1]
    if first == last:
        return f"{panel.label}: {value_text(end, unit)} in {last}"
    return f"{panel.label}: {value_text(start, unit)} in {first}, {value_text(end, unit)} in {last}"


def _behind(everyone: Years, scale: Scale) -> str:
    """What every panel has: the scale, its first and last year, and everyone as a pale line."""
    low, high, first, last = scale
    right, parts = _STEP - 24, []
    for tick, at in ((high, _TOP), (low, _TOP + _PLOT)):
        parts.append(f'<line class="grid" x1="{_LEFT}" x2="{right}" y1="{at}" y2="{at}"/>')
        parts.append(f'<text x="{_LEFT - 6}" y="{at}" dy=".35em" text-anchor="end">{number(tick, 0)}</text>')
    for year, anchor, across in ((first, "start", _LEFT), (last, "end", right)):
        parts.append(f'<text x="{across}" y="{_TOP + _PLOT + 15}" text-anchor="{anchor}">{year:.0f}</text>')
    return "".join(parts) + _lines(everyone, scale, "others")


def _panel(panel: Panel, behind: str, scale: Scale, place: tuple[int, int]) -> str:
    label = "".join(
        f'<text class="row" x="{_LEFT - 6}" y="{13 + 13 * i}">{escape(line)}</text>'
        for i, line in enumerate(wrap(panel.label, 28, max_lines=2, placeholder="…"))
    )
    at = f"translate({place[0]} {place[1]})"
    return f'<g transform="{at}">{label}{behind}{_lines(panel.values, scale, "line")}</g>'


def panel_chart(key: str, title: str, unit: str, panels: Sequence[Panel], everyone: Years) -> Markup:
    """The SVG of groups side by side on one scale, everyone as a pale line behind each; its words say first and last.

    Neighbouring years of one series are joined, nothing is drawn across a missing year or a change of the measure.
    Raises ValueError where there is no panel.
    """
    if not panels:
        raise ValueError(f"chart {key} has no panel")
    shown = [each for panel in panels for each in panel.values] + list(everyone)
    values, years = [v for _, _, v in shown], [y for y, _, _ in shown]
    low, high = min(values), max(values)
    ticks = nice_ticks(low, high if high > low else low + 1.0, 3)
    scale = (ticks[0], ticks[-1], float(min(years)), float(max(years)))
    behind = _behind(everyone, scale)
    parts = [
        _panel(panel, behind, scale, (_STEP * (i % _COLUMNS), _HEIGHT * (i // _COLUMNS)))
        for i, panel in enumerate(panels)
    ]
    height = _HEIGHT * -(-len(panels) // _COLUMNS)
    description = ". ".join(_spoken(panel, unit) for panel in panels)
    return svg_element(key, _WIDTH, height, title, f"{description}.", parts, "panels")
