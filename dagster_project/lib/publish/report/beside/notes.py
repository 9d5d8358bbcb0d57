"""Notes to one indicator of one community: why a series begins, values of its state and the nation, coverage by group.

Belongs here: choosing the rows of fct_series_change, fct_reference_value and fct_coverage, and their words.
Does not: draw them (charts), or compute: each of these figures is stored.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from dagster_project.lib.publish.report.arranging import TOTAL, Row
from dagster_project.lib.publish.report.charts.trend import ReferenceLine
from dagster_project.lib.publish.report.languages.catalogue import _
from dagster_project.lib.publish.report.marts import Marts, Point

_NATION = "nation"


def series_changes(marts: Marts, community_id: str, indicator_id: str) -> list[Row]:
    """Where a new series began, with the community's reason as far as it gave one, and whether it is comparable."""
    return [
        {**row, "said": row["explanation"] or "", "comparable": _comparable(row["is_comparable"])}
        for row in marts.series_changes.get(community_id, [])
        if row["indicator_id"] == indicator_id
    ]


def _comparable(stated: bool | None) -> str:
    if stated is None:
        return _("whether its values can be compared with the earlier ones has not been answered")
    if stated:
        return _("its values can be compared with the earlier ones")
    return _("its values are not comparable")


def references(marts: Marts, community_id: str, indicator_id: str, points: Iterable[Point]) -> list[ReferenceLine]:
    """Values of the community's state and of the nation for everyone, of the series that the community has itself."""
    state = next((c["state"] for c in marts.communities if c["community_id"] == community_id), None)
    own = {p.series for p in points}
    areas: dict[tuple[str, str, str], list[Row]] = defaultdict(list)
    for row in marts.references:
        here = row["area_level"] == _NATION or row["area"] == state
        if here and row["indicator_id"] == indicator_id and row["series"] in own and row["value"] is not None:
            areas[(row["area_level"], row["area"], row["series"])].append(row)
    result = []
    for (level, area, series), rows in sorted(areas.items()):
        label = _("the nation") if level == _NATION else area
        values = tuple((r["school_year"], r["value"]) for r in sorted(rows, key=lambda r: r["school_year"]))
        sources = tuple(sorted({r["source"] for r in rows if r["source"]}))
        key = f"{level}/{area}/{indicator_id}/{series}/{TOTAL}"
        result.append(ReferenceLine(label, series, values, sources, key))
    return result


def coverage(marts: Marts, community_id: str, indicator_id: str, labels: dict[str, str]) -> list[Row]:
    """For each dimension with a value in any year: its newest year's row, and the rows of all years."""
    dimensions: dict[str, dict[int, Row]] = defaultdict(dict)
    for row in marts.coverage.get(community_id, []):
        if row["indicator_id"] == indicator_id and row["dimension"] != TOTAL:
            dimensions[row["dimension"]][row["school_year"]] = row
    result = []
    for dimension, years in sorted(dimensions.items(), key=lambda i: labels.get(i[0], i[0]).casefold()):
        told = [year for year, row in sorted(years.items()) if row["n_with_value"] or row["n_masked"]]
        if told:
            key = f"{community_id}/{indicator_id}/{dimension}"
            newest = years[told[-1]]
            result.append(
                {"label": labels.get(dimension, dimension), "key": key, "newest": newest, "years": years, "told": told}
            )
    return result
