"""The groups of an indicator in pictures: each beside everyone, and each beside the group that it is compared with.

Belongs here: which rows stand in which picture, and its words, which are those of the table beside it.
Does not: draw (charts/), decide what a gap became, choose groups.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from markupsafe import Markup

from dagster_project.lib.publish.report import words
from dagster_project.lib.publish.report.arranging import TOTAL, Row
from dagster_project.lib.publish.report.charts.frame import FittedLine
from dagster_project.lib.publish.report.charts.panels import Panel, Years, panel_charts
from dagster_project.lib.publish.report.languages.catalogue import _
from dagster_project.lib.publish.report.marts import GapYear, Point


def _drawn(points: Iterable[Point]) -> list[tuple[int, str, float]]:
    return sorted((p.school_year, p.series, p.value) for p in points if p.value is not None)


def spoken(values: Years, unit: str) -> str:
    """The first and the last value of a line in words, with their years."""
    (first, _series, start), (last, _series, end) = values[0], values[-1]
    if first == last:
        return _("%(value)s in %(year)s.", value=words.value_text(end, unit), year=last)
    return _(
        "%(start)s in %(first)s, %(end)s in %(last)s.",
        start=words.value_text(start, unit),
        first=first,
        end=words.value_text(end, unit),
        last=last,
    )


def group_charts(
    own: str, indicator: Row, dimension: str, label: str, rows: Sequence[Row], by_group: Mapping[str, Sequence[Point]]
) -> Markup | None:
    """The groups of a dimension that have a value, each beside everyone; None where none has."""
    everyone = _drawn(by_group.get(TOTAL, ()))
    key, ident = f"fct_trend_point:{own}/{indicator['indicator_id']}", indicator["indicator_id"]
    known = [(row["label"], row["group"], _drawn(by_group.get(row["group"], ()))) for row in rows]
    panels = [
        Panel(
            label,
            spoken(values, indicator["unit"]),
            values,
            everyone,
            cells=(f"{key}/{group}", "value"),
            beside_cells=(f"{key}/{TOTAL}", "value"),
        )
        for label, group, values in known
        if values
    ]
    if not panels:
        return None
    title = _("%(indicator)s by %(dimension)s", indicator=indicator["name"], dimension=label.lower())
    return panel_charts(f"{ident}-{dimension}", title, panels)


def gap_charts(
    own: str, indicator: Row, dimension: str, label: str, rows: Sequence[Row], years: Sequence[GapYear]
) -> Markup | None:
    """Each group with a fitted gap beside its reference group, with the fitted lines of both; None without any."""
    panels = []
    for row in rows:
        gap = row["gap"]
        known = [y for y in years if y.population_group_id == row["group"]]
        if gap is None or gap["slope_difference"] is None or not known:
            continue
        named = _("%(group)s and %(reference)s", group=row["label"], reference=row["reference"])
        values = [(y.school_year, y.series, y.group_value) for y in known]
        beside = [(y.school_year, y.series, y.reference_value) for y in known]
        lines = fitted_sides(gap, [y for y in known if y.used], indicator["direction"] or 0)
        below = row["fitted_ends"] or ""
        parts = (f"{row['gap_label']}.", _("Gap %(ends)s fitted.", ends=below) if below else "", row["meaning"])
        said = " ".join(part for part in parts if part)
        key = f"{own}/{indicator['indicator_id']}/{row['group']}"
        cells, beside_cells = (f"fct_gap_year:{key}", "group_value"), (f"fct_gap_year:{key}", "reference_value")
        panels.append(Panel(named, said, values, beside, lines, below, cells, beside_cells, f"fct_gap:{key}"))
    if not panels:
        return None
    title = _("%(indicator)s, gaps by %(dimension)s", indicator=indicator["name"], dimension=label.lower())
    return panel_charts(f"{indicator['indicator_id']}-gaps-{dimension}", title, panels)


def fitted_sides(gap: Row, used: Sequence[GapYear], direction: int) -> list[tuple[str, FittedLine]]:
    """The lines by whose slopes the gap is classed, the reference group's first.

    A line fitted by least squares passes through the means of its years and values: with its stored slope it is known.
    """
    if not used or not direction:
        return []
    middle = sum(y.school_year for y in used) / len(used)
    first, last = used[0].school_year, used[-1].school_year
    sides = (
        ("other-fit", gap["reference_slope"], [y.reference_value for y in used]),
        ("fit", gap["group_slope"], [y.group_value for y in used]),
    )
    return [
        (css, FittedLine(first, last, direction * slope, sum(side) / len(side) + direction * slope * (last - middle)))
        for css, slope, side in sides
    ]
