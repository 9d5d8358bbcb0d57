"""The network over the years: shares of outcomes, rates added up by group, yearly changes by group.

Belongs here: what over-the-years.html shows, from fct_network_outcome and fct_network_trend of every reporting year.
Does not: compute a rate or a share (both are stored), or compare communities.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from markupsafe import Markup

from dagster_project.lib.publish.report.arranging import TOTAL, Row
from dagster_project.lib.publish.report.charts.panels import Panel, Years, panel_charts
from dagster_project.lib.publish.report.groups import spoken
from dagster_project.lib.publish.report.indicator import group_label
from dagster_project.lib.publish.report.languages.catalogue import N_, _
from dagster_project.lib.publish.report.marts import Marts
from dagster_project.lib.publish.report.national.rows import NationalRows

_SHARES = (
    ("share_improving", N_("Share of communities that are improving"), "improving"),
    ("share_gap_reduced", N_("Share of communities that have reduced their gaps"), "gaps"),
)


def _panels(
    table: str, lines: Sequence[Row], column: str, unit: str, factor: float = 1.0, beside: Years = (), total: str = ""
) -> list[Panel]:
    """A panel for each line that has a figure; `factor` makes percentages of shares, `total` is the key of `beside`."""
    found = []
    for line in lines:
        known = [(y, "", factor * r[column]) for y, r in sorted(line["cells"].items()) if r[column] is not None]
        if known:
            cells, behind = (f"{table}:{line['key']}", column), (f"{table}:{total}", column)
            found.append(Panel(line["label"], spoken(known, unit), known, beside, cells=cells, beside_cells=behind))
    return found


def shares(marts: Marts, national: NationalRows) -> list[Row]:
    """For each verdict the outcomes' shares by reporting year, with a chart of small multiples."""
    by_outcome: dict[str, dict[int, Row]] = defaultdict(dict)
    for row in national.outcomes:
        by_outcome[row["outcome_id"]][row["reporting_year"]] = row
    lines = [
        {"key": o["outcome_id"], "label": o["name"], "cells": by_outcome[o["outcome_id"]]}
        for o in marts.outcomes
        if o["outcome_id"] in by_outcome
    ]
    years = sorted({row["reporting_year"] for row in national.outcomes})
    result = []
    for column, title, key in _SHARES:
        panels = _panels("fct_network_outcome", lines, column, "percent", 100.0)
        if panels:
            said = _("%(title)s, by outcome and reporting year", title=_(title))
            chart = panel_charts(f"share-{key}", said, panels)
            result.append({"column": column, "title": _(title), "years": years, "lines": lines, "chart": chart})
    return result


def _ordered(marts: Marts, groups: Mapping[str, object]) -> list[str]:
    """The total first, then groups by dimension and label."""
    return sorted(groups, key=lambda g: (g != TOTAL, g.partition(":")[0], group_label(marts, g).casefold(), g))


def _indicators(marts: Marts, rows: Sequence[Row]) -> list[Row]:
    """The indicators of some rows, core ones first, cradle to career, then by name."""
    position = {o["outcome_id"]: i for i, o in enumerate(marts.outcomes)}
    found = [marts.indicators[i] for i in {r["indicator_id"] for r in rows} if i in marts.indicators]
    return sorted(found, key=lambda i: (position.get(i["outcome_id"], len(position)), i["role"] != "core", i["name"]))


def rates(marts: Marts, national: NationalRows) -> list[Row]:
    """For each indicator whose people may be added up: the pooled rate of each group by reporting year."""
    pooled = [r for r in national.trends if r.get("pooled_rate_last") is not None]
    result = []
    for indicator in _indicators(marts, pooled):
        ident = indicator["indicator_id"]
        groups: dict[str, dict[int, Row]] = defaultdict(dict)
        for row in pooled:
            if row["indicator_id"] == ident:
                groups[row["population_group_id"]][row["reporting_year"]] = row
        lines = [
            {"key": f"{ident}/{g}", "label": group_label(marts, g), "cells": groups[g]} for g in _ordered(marts, groups)
        ]
        result.append(
            {
                "indicator": indicator,
                "years": sorted({y for cells in groups.values() for y in cells}),
                "lines": lines,
                "chart": _rate_chart(indicator, lines, groups.get(TOTAL, {})),
            }
        )
    return result


def _rate_chart(indicator: Row, lines: Sequence[Row], total: Mapping[int, Row]) -> Markup | None:
    key = f"{indicator['indicator_id']}/{TOTAL}"
    everyone = [(y, "", r["pooled_rate_last"]) for y, r in sorted(total.items())]
    panels = _panels("fct_network_trend", lines, "pooled_rate_last", indicator["unit"], 1.0, everyone, key)
    title = _("%(indicator)s: rate of all people added up, by group and reporting year", indicator=indicator["name"])
    return panel_charts(f"rate-{indicator['indicator_id']}", title, panels) if panels else None


def changes_by_group(marts: Marts) -> list[Row]:
    """For each core indicator the median yearly change of every group, with counts of communities by status."""
    core = [r for r in marts.network_trends if marts.indicators.get(r["indicator_id"], {}).get("role") == "core"]
    result = []
    for indicator in _indicators(marts, core):
        rows = {r["population_group_id"]: r for r in core if r["indicator_id"] == indicator["indicator_id"]}
        lines = [{**rows[g], "label": group_label(marts, g)} for g in _ordered(marts, rows)]
        result.append({"indicator": indicator, "lines": lines})
    return result


def over_years_page(marts: Marts, national: NationalRows) -> Row:
    """What over-the-years.html shows."""
    return {
        "shares": shares(marts, national),
        "rates": rates(marts, national),
        "groups": changes_by_group(marts),
    }
