"""Small multiples as SVG text: every group in a picture of its own, all on one scale, as many in a row as have room.

Belongs here: turning groups' figures and fitted lines into self-describing, deterministic SVG elements.
Does not: compute a figure, read tables, choose groups, or know about pages.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from textwrap import wrap

from markupsafe import Markup, escape

from dagster_project.lib.publish.report.charts.frame import FittedLine, nice_ticks, px, svg_element, tick_digits, traced
from dagster_project.lib.publish.report.words import number

_WIDTH, _HEIGHT, _LEFT, _RIGHT = 204, 132, 40, 180
_PLOT, _TOP = 70, 38

Years = Sequence[tuple[int, str, float]]
"""Year, series and value, in the order of the years."""
Scale = tuple[float, float, float, float]
"""Lowest and highest value, first and last year."""


@dataclass(frozen=True)
class Panel:
    """One group's values over the years, at least one, and what they say in words.

    `beside` is drawn pale behind them; `lines` are fitted lines, each by the class of the style it is drawn in; `below`
    stands below the years. `cells` and `beside_cells`: rows and column that the values are; `below_row`: the row of
    what stands below.
    """

    label: str
    said: str
    values: Years
    beside: Years = ()
    lines: Sequence[tuple[str, FittedLine]] = ()
    below: str = ""
    cells: tuple[str, str] = ("", "")
    beside_cells: tuple[str, str] = ("", "")
    below_row: str = ""


def _place(scale: Scale, year: float, value: float) -> tuple[str, str]:
    low, high, first, last = scale
    across = _LEFT + (_RIGHT - _LEFT) * (year - first) / max(last - first, 1.0)
    return px(across), px(_TOP + _PLOT * (high - value) / (high - low))


def _joined(values: Years, scale: Scale, css: str, cells: tuple[str, str]) -> str:
    """Values of neighbouring years in one series, joined; a year apart from others is a dot."""
    places = [_place(scale, year, value) for year, _, value in values]
    parts, joined = [], set()
    for i, (a, b) in enumerate(pairwise(values)):
        if b[0] - a[0] == 1 and a[1] == b[1]:
            # One stroke for as long as the years run on: a file of half the size.
            start = "" if i in joined else f"M{places[i][0]} {places[i][1]}"
            parts.append(f"{start}L{places[i + 1][0]} {places[i + 1][1]}")
            joined |= {i, i + 1} if start else {i + 1}
    path = f'<path class="{css}" fill="none" d="{"".join(parts)}"/>' if parts else ""
    alone = [] if css == "others" else [place for i, place in enumerate(places) if i not in joined]
    drawn = path + "".join(f'<circle class="used" cx="{x}" cy="{y}" r="3"/>' for x, y in alone)
    return f"<g{traced(row=cells[0], column=cells[1])}>{drawn}</g>" if drawn else ""


def _fitted(line: FittedLine, scale: Scale, css: str) -> str:
    (x1, y1), (x2, y2) = (_place(scale, year, line.at(year)) for year in (line.first_year, line.last_year))
    return f'<line class="{css}" x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}"/>'


def _behind(scale: Scale) -> str:
    """What every panel has: the scale, its first and last year."""
    low, high, first, last = scale
    digits = tick_digits((low, high))
    parts = []
    for tick, at in ((high, _TOP), (low, _TOP + _PLOT)):
        parts.append(f'<line class="grid" x1="{_LEFT}" x2="{_RIGHT}" y1="{at}" y2="{at}"/>')
        parts.append(f'<text x="{_LEFT - 6}" y="{at}" dy=".35em" text-anchor="end">{number(tick, digits)}</text>')
    for year, anchor, across in ((first, "start", _LEFT), (last, "end", _RIGHT)):
        parts.append(f'<text x="{across}" y="{_TOP + _PLOT + 15}" text-anchor="{anchor}">{year:.0f}</text>')
    return "".join(parts)


def _panel(key: str, panel: Panel, behind: str, scale: Scale) -> Markup:
    parts = [
        f'<text class="row" x="4" y="{13 + 13 * i}">{escape(line)}</text>'
        for i, line in enumerate(wrap(panel.label, 28, max_lines=2, placeholder="…"))
    ]
    parts += [behind, _joined(panel.beside, scale, "others", panel.beside_cells)]
    parts.append(_joined(panel.values, scale, "line", panel.cells))
    parts += [_fitted(line, scale, css) for css, line in panel.lines]
    if panel.below:
        middle = f'x="{(_LEFT + _RIGHT) // 2}" y="{_HEIGHT + 8}" text-anchor="middle"'
        says = traced(row=panel.below_row, says="ends" if panel.below_row else "")
        parts.append(f'<text class="value" {middle}{says}>{escape(panel.below)}</text>')
    return svg_element(key, _WIDTH, _HEIGHT + (14 if panel.below else 0), panel.label, panel.said, parts, "panel")


def _ends(panels: Iterable[Panel]) -> list[tuple[int, float]]:
    """Every year and value that the pictures show."""
    shown = []
    for panel in panels:
        shown += [(year, value) for year, _, value in (*panel.values, *panel.beside)]
        shown += [(year, line.at(year)) for _, line in panel.lines for year in (line.first_year, line.last_year)]
    return shown


def panel_charts(key: str, title: str, panels: Sequence[Panel]) -> Markup:
    """Groups side by side on one scale, each a picture with its own words, together a group by the title.

    Neighbouring years of one series are joined, nothing is drawn across a missing year or a change of the measure.
    Raises ValueError where there is no panel.
    """
    if not panels:
        raise ValueError(f"chart {key} has no panel")
    shown = _ends(panels)
    years, values = [year for year, _ in shown], [value for _, value in shown]
    low, high = min(values), max(values)
    ticks = nice_ticks(low, high if high > low else low + 1.0, 3)
    scale = (ticks[0], ticks[-1], float(min(years)), float(max(years)))
    behind = _behind(scale)
    drawn = "".join(_panel(f"{key}-{n}", panel, behind, scale) for n, panel in enumerate(panels, 1))
    # Assembled from escaped pieces only: every text passed through escape().
    return Markup(f'<div class="panels" role="group" aria-label="{escape(title)}">{drawn}</div>')
