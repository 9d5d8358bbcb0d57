"""One indicator of one community: its trend, its groups, every value with its file, and its charts.

Belongs here: a community's rows of one indicator arranged for a detail page and for a block of the report card.
Does not: outcomes, gateways and submissions (community.py), figures of its own, or the looks of a page (templates).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from markupsafe import Markup

from dagster_project.lib.publish.report import certainty, words
from dagster_project.lib.publish.report.arranging import TOTAL, Row
from dagster_project.lib.publish.report.beside.notes import coverage, references, series_changes
from dagster_project.lib.publish.report.charts.frame import FittedLine
from dagster_project.lib.publish.report.charts.trend import ChartPoint, PointState, TrendChart, trend_chart
from dagster_project.lib.publish.report.groups import gap_charts, group_charts
from dagster_project.lib.publish.report.languages.catalogue import _
from dagster_project.lib.publish.report.marts import INTERNAL, Marts, Point, ReportContext
from dagster_project.lib.publish.report.sentences.gap import (
    GapFigures,
    fitted_gap_ends,
    fitted_gap_text,
    gap_label,
    gap_meaning,
)
from dagster_project.lib.publish.report.sentences.trend import (
    TrendFigures,
    reason_words,
    robustness_sentence,
    trend_sentence,
    trend_undetermined,
    trend_withheld,
)

_SUPPRESSED = "suppressed_at_source"
_AFTER_REPORTING_YEAR = "after_reporting_year"


def group_label(marts: Marts, group_id: str) -> str:
    group = marts.groups.get(group_id)
    return group["label"] if group and group["label"] else words.sentence_case(words.humanized(group_id))


def detail_name(indicator_id: str) -> str:
    """The name of an indicator's files below its community's folder, without an ending; different for different ids."""
    return f"indicator-{quote(indicator_id, safe='')}"


class SourceFiles:
    """Numbers the files behind a page's figures, so that a cell can name its file in two characters."""

    def __init__(self, points: Iterable[Point]) -> None:
        keys = {self._key(p) for p in points if p.source_file is not None}
        ordered = sorted(keys, key=lambda k: (k[0] is not None, k[0] or 0, k[1], k[2], k[3]))
        self._numbers = {key: i for i, key in enumerate(ordered, 1)}

    @staticmethod
    def _key(point: Point) -> tuple[int | None, str, str, str]:
        return point.submitted_in, point.source_file or "", point.source_sheet or "", point.submission_id or ""

    def reference(self, point: Point) -> str:
        """Where a value stands: `3:12`, file 3, row 12; a value pooled from districts has no row of its own."""
        if point.source_file is None:
            return _("pooled")
        row = "" if point.source_row is None else f":{point.source_row}"
        return f"{self._numbers[self._key(point)]}{row}"

    def listed(self) -> list[Row]:
        """The files by number, with sheet, reporting year and submission."""
        return [
            {"number": n, "reporting_year": k[0], "name": k[1], "sheet": k[2], "submission_id": k[3]}
            for k, n in self._numbers.items()
        ]


def reason_letters(points: Iterable[Point]) -> dict[str, str]:
    """A letter for each reason why a point of the page was not used, in the alphabetical order of the reasons."""
    reasons = sorted({_why_left_out(p) for p in points if not p.used})
    return {reason: chr(ord("a") + i) if i < 26 else f"a{i}" for i, reason in enumerate(reasons)}


def point_state(point: Point) -> PointState:
    if point.value is not None:
        return "used" if point.used else "left_out"
    if point.value_low is not None or point.value_high is not None:
        return "range"
    if point.value_status == words.WITHHELD:
        return "withheld"
    return "suppressed" if _SUPPRESSED in (point.left_out_reason, point.value_status) else "no_value"


def _why_left_out(point: Point) -> str:
    if point.used:
        return ""
    return words.state_words(point.left_out_reason or point.value_status) or _("not used in the trend")


def _point_text(point: Point) -> str:
    state = point_state(point)
    if state == "range":
        return words.interval_short(point.value_low, point.value_high)
    if point.value is not None:
        return words.number(point.value)
    return {"suppressed": "s", "withheld": "w"}.get(state, "n")


def _chart(
    own: str, trend: Row, indicator: Row, points: Sequence[Point], sentence: str, notes: Mapping[str, Any]
) -> Markup | None:
    """The indicator's chart, or None when there is no row to draw; it is described by the page's own sentence."""
    if not points:
        return None
    unit = indicator["unit"]
    drawn = [
        ChartPoint(p.school_year, p.series, point_state(p), p.value, p.value_low, p.value_high, _why_left_out(p))
        for p in points
    ]
    line = None
    if None not in (trend["slope"], trend["intercept"], trend["first_year"], trend["last_year"]):
        low, high = trend["slope_ci_low"], trend["slope_ci_high"]
        interval = None if low is None or high is None else (low, high)
        line = FittedLine(trend["first_year"], trend["last_year"], trend["slope"], trend["intercept"], interval)
    listed = "; ".join(f"{p.school_year}: {_spoken(p, unit)}" for p in points)
    series = sorted({p.series for p in points if p.value is not None})
    breaks = _("The values belong to %(n)s series that are not compared.", n=len(series)) if len(series) > 1 else ""
    title = _(
        "%(indicator)s, everyone, %(first)s to %(last)s",
        indicator=indicator["name"],
        first=points[0].school_year,
        last=points[-1].school_year,
    )
    reasons = {row["series"]: row["said"] for row in notes["changes"] if row["said"]}
    told = " ".join(part for part in (sentence, f"{listed}.", breaks, _spoken_beside(notes)) if part)
    key = indicator["indicator_id"]
    row = f"fct_trend_point:{own}/{key}/{TOTAL}"
    return trend_chart(TrendChart(key, title, told, unit, drawn, line, notes["references"], reasons, row))


def _spoken_beside(notes: Mapping[str, Any]) -> str:
    """What the thin lines are, for a reader who does not see them."""
    names = [reference.label for reference in notes["references"]]
    return _("Thin lines: values of %(names)s.", names=words.joined(names)) if names else ""


def _spoken(point: Point, unit: str) -> str:
    """One point for a screen reader: the value with its unit, or the reason why there is none."""
    why = _why_left_out(point)
    if point.value is not None:
        return words.value_text(point.value, unit) + (f" ({why})" if why else "")
    if point_state(point) == "range":
        return words.interval_text(point.value_low, point.value_high, unit)
    return why


_TREND_TEXT = (
    "trend_status",
    "reason",
    "first_year",
    "last_year",
    "n_years",
    "slope",
    "slope_ci_low",
    "slope_ci_high",
)


def value_states(points: Iterable[Point]) -> list[str]:
    """What stands in the place of each value, in words; nothing for exact values up to the report's year.

    A value of the year after it is no point yet: where there is no other, that is why there is no trend.
    """
    return [_why_left_out(p) for p in points if p.value is None or p.left_out_reason == _AFTER_REPORTING_YEAR]


def _trend_figures(trend: Row, indicator: Row, points: Iterable[Point]) -> TrendFigures:
    return TrendFigures(
        indicator=indicator["name"],
        unit=indicator["unit"],
        direction=indicator["direction"] or 0,
        states=value_states(points),
        **{n: trend[n] for n in _TREND_TEXT},
    )


def _gap_figures(gap: Row, indicator: Row) -> GapFigures:
    return GapFigures(
        unit=indicator["unit"],
        gap_status=gap["gap_status"] or words.UNDETERMINED,
        reason=gap["reason"],
        slope_difference=gap["slope_difference"],
        reference_declined=bool(gap["reference_declined"]),
        fitted_last_gap=gap.get("fitted_last_gap"),
        **{n: gap[n] for n in ("first_year", "last_year", "first_gap", "last_gap")},
    )


def dimension_label(marts: Marts, dimension: str) -> str:
    """A dimension's name as the dictionary has it."""
    labels = [g.get("dimension_label") for g in marts.groups.values() if g["dimension"] == dimension]
    return next((label for label in labels if label), words.dimension_words(dimension))


def _group_words(
    trend: Row | None, gap: Row | None, indicator: Row, limits: Mapping[str, str], states: Sequence[str]
) -> str:
    """What can be said about a group: why there is no trend, and what its gap means; one reason is given once."""
    no_trend = trend is not None and trend["slope"] is None
    if trend is not None and trend["trend_status"] == words.WITHHELD:
        both = gap is not None and gap["gap_status"] == words.WITHHELD
        if both or gap is None:
            return _("Trend and gap are withheld to protect a small group.") if both else trend_withheld()
        return f"{trend_withheld()} {gap_meaning(_gap_figures(gap, indicator), limits)}"
    if trend is None or not no_trend:
        return "" if gap is None else gap_meaning(_gap_figures(gap, indicator), limits)
    if gap is None:
        return trend_undetermined(trend["reason"], limits, states)
    if gap["gap_status"] == words.UNDETERMINED and gap["reason"] == trend["reason"]:
        why = reason_words(trend["reason"], limits, states=states)
        return _("Neither trend nor gap can be determined because %(why)s.", why=why)
    meaning = gap_meaning(_gap_figures(gap, indicator), limits)
    return f"{trend_undetermined(trend['reason'], limits, states)} {meaning}"


def _group_rows(marts: Marts, context: ReportContext, indicator: Row, facts: Row) -> list[Row]:
    """The group table of one indicator, by dimension: latest value, trend, gap with its class in words."""
    trends = {t["population_group_id"]: t for t in facts["trends"]}
    gaps = {g["population_group_id"]: g for g in facts["gaps"]}
    references = {g["reference_group_id"] for g in facts["gaps"]}
    by_group: dict[str, list[Point]] = defaultdict(list)
    for point in facts["points"]:
        by_group[point.population_group_id].append(point)
    blocks: dict[str, list[Row]] = defaultdict(list)
    for ident in sorted((set(trends) | set(gaps)) - {TOTAL}, key=lambda g: (group_label(marts, g).casefold(), g)):
        dimension = str(marts.groups[ident]["dimension"]) if ident in marts.groups else ident.partition(":")[0]
        gap = gaps.get(ident)
        known = [p for p in by_group[ident] if p.value is not None]
        blocks[dimension].append(
            {
                "label": group_label(marts, ident),
                "group": ident,
                "is_reference": ident in references,
                "latest": known[-1] if known else None,
                "trend": trends.get(ident),
                "certainty": certainty.of_trend(trends.get(ident), indicator["direction"]),
                "gap": gap,
                "gap_label": gap and gap_label(_gap_figures(gap, indicator)),
                "fitted": gap and fitted_gap_text(_gap_figures(gap, indicator)),
                "fitted_ends": gap and fitted_gap_ends(_gap_figures(gap, indicator)),
                "decides": gap is not None and gap.get("standing") == "burdened" and dimension in context.deciding(),
                "reference": None
                if gap is None or gap["reference_group_id"] is None
                else group_label(marts, gap["reference_group_id"]),
                "meaning": _group_words(
                    trends.get(ident), gap, indicator, context.limits(), value_states(by_group[ident])
                ),
            }
        )
    own = facts["community_id"]
    order = sorted(blocks, key=lambda d: (d not in context.deciding(), d))
    return [
        {
            "dimension": d,
            "label": dimension_label(marts, d),
            "rows": blocks[d],
            "chart": group_charts(own, indicator, d, dimension_label(marts, d), blocks[d], by_group),
            "gap_chart": gap_charts(own, indicator, d, dimension_label(marts, d), blocks[d], facts["gap_years"]),
        }
        for d in order
    ]


def _value_table(
    marts: Marts, context: ReportContext, points: Sequence[Point], files: SourceFiles, letters: Mapping[str, str]
) -> Row:
    """Every point of an indicator: a row for each group and series, a column for each year, its source in the cell."""
    years = list(range(min(p.school_year for p in points), max(p.school_year for p in points) + 1)) if points else []
    lines: dict[tuple[str, str], dict[int, Point]] = defaultdict(dict)
    for point in points:
        lines[(point.population_group_id, point.series)][point.school_year] = point
    several = len({series for _, series in lines}) > 1
    deciding = context.deciding()

    def position(key: tuple[str, str]) -> tuple[bool, bool, str, str, str, int, str]:
        group, series = key
        dimension = group.partition(":")[0]
        label = group_label(marts, group).casefold()
        return group != TOTAL, dimension not in deciding, dimension, label, group, min(lines[key]), series

    keys = sorted(lines, key=position)
    rows = []
    for group, series in keys:
        cells = [
            None
            if (p := lines[(group, series)].get(year)) is None
            else (_point_text(p), files.reference(p), letters.get(_why_left_out(p), ""), p.value is not None)
            for year in years
        ]
        named = {"label": group_label(marts, group), "series": series if several else ""}
        rows.append({**named, "key": f"{group}/{series}", "cells": cells})
    return {"years": years, "rows": rows}


def value_cells(cells: Sequence[tuple[str, str, str, bool] | None], years: Sequence[int], edition: str) -> Markup:
    """A row of the table of values as its cells: value, the letter of why it is left out, file and row.

    Written here and not in the template, which takes ten times as long for the thousands of cells of a network.
    """
    parts = []
    for cell, year in zip(cells, years, strict=True):
        if cell is None:
            parts.append("<td></td>")
            continue
        text, source, letter, known = cell
        key = f' data-col="value@{year}"' if known else ""
        why = f"<sup>{letter}</sup>" if letter else ""
        parts.append(f"<td{key}>{text}{why}")
        parts.append(f'<span class="src">{source}</span></td>' if edition == INTERNAL else "</td>")
    # Figures, file numbers and letters are made by this module: none of it is text of a file.
    return Markup("".join(parts))


def indicator_view(
    marts: Marts, context: ReportContext, facts: Row, files: SourceFiles, letters: Mapping[str, str]
) -> Row:
    indicator, trend = facts["indicator"], facts["trend"]
    total = [p for p in facts["points"] if p.population_group_id == TOTAL]
    known = [p for p in total if p.value is not None]
    ident, own = indicator["indicator_id"], facts["community_id"]
    labels = {d: dimension_label(marts, d) for d in {str(g["dimension"]) for g in marts.groups.values()}}
    notes = {
        "changes": series_changes(marts, own, ident),
        "references": references(marts, own, ident, total),
        "coverage": coverage(marts, own, ident, labels),
    }
    sentence = trend_sentence(_trend_figures(trend, indicator, total), context.limits())
    return {
        "indicator": indicator,
        "trend": trend,
        "file": detail_name(indicator["indicator_id"]),
        "key": f"{facts['community_id']}/{indicator['indicator_id']}",
        "why": ""
        if trend["slope"] is not None
        else reason_words(trend["reason"], context.limits(), states=value_states(total)),
        "points": facts["points"],
        "certainty": certainty.of_trend(trend, indicator["direction"]),
        "latest": known[-1] if known else None,
        "sentence": sentence,
        "robustness": robustness_sentence(trend["robustness"]),
        "notes": notes,
        "chart": _chart(own, trend, indicator, total, sentence, notes),
        "series": sorted({p.series for p in total}),
        "groups": _group_rows(marts, context, indicator, facts),
        "table": _value_table(marts, context, facts["points"], files, letters),
    }


def indicator_facts(marts: Marts, community_id: str) -> list[Row]:
    """The community's rows by indicator, cradle to career, core indicators first within an outcome."""
    position = {o["outcome_id"]: i for i, o in enumerate(marts.outcomes)}
    split: dict[str, Row] = {}
    for trend in marts.trends.get(community_id, []):
        facts = split.setdefault(
            trend["indicator_id"], {"trends": [], "gaps": [], "gap_years": [], "points": [], "trend": None}
        )
        facts["trends"].append(trend)
        if trend["population_group_id"] == TOTAL:
            facts["trend"] = trend
    for gap in marts.gaps.get(community_id, []):
        if gap["indicator_id"] in split:
            split[gap["indicator_id"]]["gaps"].append(gap)
    for point in marts.points.get(community_id, []):
        if point.indicator_id in split:
            split[point.indicator_id]["points"].append(point)
    for year in marts.gap_years.get(community_id, []):
        if year.indicator_id in split:
            split[year.indicator_id]["gap_years"].append(year)
    for ident, facts in split.items():
        facts["community_id"] = community_id
        facts["indicator"] = marts.indicators.get(ident) or _unknown_indicator(ident)
        facts["trend"] = facts["trend"] or _no_total(facts["trends"][0])
    return sorted(
        split.values(),
        key=lambda f: (
            position.get(f["indicator"]["outcome_id"], 10**6),
            f["indicator"]["role"] != "core",
            f["indicator"]["name"],
        ),
    )


def _unknown_indicator(ident: str) -> Row:
    name = words.sentence_case(words.humanized(ident))
    return {"indicator_id": ident, "outcome_id": None, "name": name, "role": "", "unit": "", "direction": 0}


def _no_total(trend: Row) -> Row:
    """A trend row for a community that reported groups of an indicator but never the total."""
    return dict.fromkeys(trend) | {"trend_status": words.UNDETERMINED, "reason": "no_total", "n_years": 0}
