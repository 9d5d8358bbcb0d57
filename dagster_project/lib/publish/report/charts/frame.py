"""What every chart shares: plot area and scales, round ticks, axes of years, the element with its name and words.

Belongs here: numbers as SVG text, the frame that a kind of chart draws into, a chart as a file of its own.
Does not: know a kind of chart, compute a figure, read tables, or know about pages.
"""

# Drawn here and not by a library: docs/decisions/0006-charts-as-own-svg.md has what was measured.

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

from dagster_project.lib.publish.report.words import number

_FILE_STYLE = (
    "text{font:11.5px sans-serif;fill:#515c6b}.grid{stroke:#e4e8ed}.axis{stroke:#8a94a3}"
    ".step,.others{stroke:#9db4cb;stroke-width:1.5}.others{stroke:#c3c9d2}.fit{stroke:#a84a08;stroke-width:2.5}"
    ".used{fill:#1f4e79}.unused{fill:#fff;stroke:#515c6b}.range{stroke:#7d8a9a;stroke-width:5}"
    ".reference{stroke:#6b7684;stroke-width:1;fill:#6b7684}"
    ".band{fill:#a84a08;opacity:.12}"
    ".narrow{display:none}"
    ".break{stroke:#515c6b;stroke-dasharray:4 3}.value,.row{fill:#1c2430}.line{stroke:#1f4e79;stroke-width:2}"
)


@dataclass(frozen=True)
class Frame:
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
        """Where a value of the horizontal scale lies."""
        return self.left + self.width * (value - self.x_low) / (self.x_high - self.x_low)

    def y(self, value: float) -> float:
        """Where a value of the vertical scale lies."""
        return self.top + self.height * (self.y_high - value) / (self.y_high - self.y_low)


@dataclass(frozen=True)
class FittedLine:
    """A straight line by its value at the last year and its change a year; `interval` is that of the change."""

    first_year: int
    last_year: int
    slope: float
    intercept: float
    interval: tuple[float, float] | None = None

    def at(self, year: float) -> float:
        """The fitted value at a year."""
        return self.intercept + self.slope * (year - self.last_year)


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


def year_axes(frame: Frame, ticks: Sequence[float], unit: str) -> list[str]:
    """Rules and labels of the values on the left, years below, as many as there is room for, the last one always."""
    digits = tick_digits(ticks)
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
            # Every other year gives way on a phone, where letters are larger against the picture.
            css = "tick" if (last - year) // every % 2 == 0 else "tick between"
            parts.append(f'<text class="{css}" x="{x}" y="{px(bottom + 38)}" text-anchor="middle">{year}</text>')
    parts.append(f'<line class="axis" x1="{px(frame.left)}" x2="{px(right)}" y1="{px(bottom)}" y2="{px(bottom)}"/>')
    return parts


def svg_element(
    key: str, width: int, height: int, title: str, description: str, parts: Sequence[str], css: str, cells: str = ""
) -> Markup:
    """One chart with its name and description for those who do not see it; `key` is unique on its page.

    `cells`: the rows and column that its figures stand for, as `traced` writes them.
    """
    ident = escape(key)
    # Assembled from escaped pieces only: every text passed through escape() above.
    return Markup(
        f'<svg class="chart {css}" viewBox="0 0 {width} {height}" role="img" '
        f'aria-labelledby="{ident}-t {ident}-d" focusable="false"{cells}>'
        f'<title id="{ident}-t">{escape(title)}</title><desc id="{ident}-d">{escape(description)}</desc>'
        f"{''.join(parts)}</svg>"
    )


def tick_digits(ticks: Sequence[float]) -> int:
    """The decimals that a scale needs so that no label says another figure than its place does."""
    return 0 if all(float(t).is_integer() for t in ticks) else 1


def traced(**cells: str) -> str:
    """Attributes that name what is drawn: row="fct_gap:c/i/g", column="value", at="default/2021" (tests/drawn.py)."""
    return "".join(f' data-{name}="{escape(text)}"' for name, text in cells.items() if text)


def svg_file(chart: Markup) -> str:
    """A chart of a page as a file of its own: with its namespace and the little style that it needs."""
    opened, _, rest = str(chart).partition(">")
    return f'{opened} xmlns="http://www.w3.org/2000/svg"><style>{_FILE_STYLE}</style>{rest}\n'
