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

from dagster_project.lib.publish.report.charts import px, nice_ticks, svg_element
from dagster_project.lib.publish.report.words import number, value_text

_COLUMNS, _WIDTH, _LEFT = 3, 640, 40
_STEP, _HEIGHT, _PLOT = 204, 132, 70
_FILE_STYLE = (
    "text{font:11.5px sans-serif;fill:#515c6b}.grid{stroke:#e4e8ed}.axis{stroke:#8a94a3}"
    ".step,.others{stroke:#9db4cb;stroke-width:1.5}.others{stroke:#c3c9d2}.fit{stroke:#a84a08;stroke-width:2.5}"
    ".used{fill:#1f4e79}.unused{fill:#fff;stroke:#515c6b}.range{stroke:#7d8a9a;stroke-width:5}"
    ".break{stroke:#515c6b;stroke-dasharray:4 3}.value,.row{fill:#1c2430}.line{stroke:#1f4e79;stroke-width:2}"
)

Years = Sequence[tuple[int, str, float]]
"""Year, series and value, in the order of the years."""


@dataclass(frozen=True)
class Panel:
    """One group's values over the years; at least one."""

    label: str
    values: Years


def _lines(values: Years, scale: tuple[float, float, float, float], corner: tuple[float, float], css: str) -> str:
    """Values of neighbouring years in one series, joined; a year apart from others is a dot."""
    low, high, first, last = scale
    left, top = corner

    def at(year: int, value: float) -> tuple[str, str]:
        x = left + (_STEP - _LEFT - 24) * (0.5 if last == first else (year - first) / (last - first))
        return px(x), px(top + _PLOT * (high - value) / (high - low))

    parts = []
    joined = set()
    for a, b in pairwise(values):
        if b[0] - a[0] == 1 and a[1] == b[1]:
            (x1, y1), (x2, y2) = at(a[0], a[2]), at(b[0], b[2])
            parts.append(f"M{x1} {y1}L{x2} {y2}")
            joined |= {a, b}
    path = f'<path class="{css}" fill="none" d="{"".join(parts)}"/>' if parts else ""
    dots = [at(year, value) for year, series, value in values if (year, series, value) not in joined]
    alone = "" if css == "others" else "".join(f'<circle class="used" cx="{x}" cy="{y}" r="3"/>' for x, y in dots)
    return path + alone


def _spoken(panel: Panel, unit: str) -> str:
    (first, _, start), (last, _, end) = panel.values[0], panel.values[-1]
    if first == last:
        return f"{panel.label}: {value_text(end, unit)} in {last}"
    return f"{panel.label}: {value_text(start, unit)} in {first}, {value_text(end, unit)} in {last}"


def _drawn(panel: Panel, everyone: Years, scale: tuple[float, float, float, float], place: tuple[int, int]) -> str:
    x, y = place
    left, top = x + _LEFT, y + 38
    low, high, first, last = scale
    parts = [
        f'<text class="row" x="{x + _LEFT - 6}" y="{y + 13 + 13 * i}">{escape(line)}</text>'
        for i, line in enumerate(wrap(panel.label, 28, max_lines=2, placeholder="…"))
    ]
    for tick in (low, high):
        at = px(top + _PLOT * (high - tick) / (high - low))
        right = x + _STEP - 24
        parts.append(f'<line class="grid" x1="{left}" x2="{right}" y1="{at}" y2="{at}"/>')
        parts.append(f'<text x="{left - 6}" y="{at}" dy=".35em" text-anchor="end">{number(tick, 0)}</text>')
    for year, anchor, across in ((first, "start", left), (last, "end", x + _STEP - 24)):
        parts.append(f'<text x="{across}" y="{top + _PLOT + 15}" text-anchor="{anchor}">{year:.0f}</text>')
    parts.append(_lines(everyone, scale, (left, top), "others"))
    parts.append(_lines(panel.values, scale, (left, top), "line"))
    return "".join(parts)


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
    parts = [
        _drawn(panel, everyone, scale, (_STEP * (i % _COLUMNS), _HEIGHT * (i // _COLUMNS)))
        for i, panel in enumerate(panels)
    ]
    height = _HEIGHT * -(-len(panels) // _COLUMNS)
    description = ". ".join(_spoken(panel, unit) for panel in panels)
    return svg_element(key, _WIDTH, height, title, f"{description}.", parts, "panels")


def svg_file(chart: Markup) -> str:
    """A chart of a page as a file of its own: with its namespace and the little style that it needs."""
    opened, _, rest = str(chart).partition(">")
    return f'{opened} xmlns="http://www.w3.org/2000/svg"><style>{_FILE_STYLE}</style>{rest}\n'
