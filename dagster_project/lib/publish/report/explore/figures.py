"""The figures of the Explore page, small: one file an indicator, rows by community, group and series.

Belongs here: names and values of the marts in the form that explore.js reads; nothing that the marts do not hold.
Does not: read tables (marts.py), show anything (explore.js), protect anything: public marts are protected already.
"""

# Files of script and not of JSON: a page that is opened from a folder may not fetch a file, but may name a script.

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

from babel.messages.extract import extract

from dagster_project.lib.base.shown import visible
from dagster_project.lib.publish.report import words
from dagster_project.lib.publish.report.arranging import TOTAL, Row
from dagster_project.lib.publish.report.explore.beside import Targets, pooled_lines
from dagster_project.lib.publish.report.explore.shortened import Dictionary, in_years
from dagster_project.lib.publish.report.indicator import dimension_label, group_label
from dagster_project.lib.publish.report.languages.catalogue import N_, _, spoken
from dagster_project.lib.publish.report.marts import GapYear, Marts, Point, ReportContext
from dagster_project.lib.publish.report.values_file import FORMULA

FOLDER, PROGRAMS, NAMES = "explore", ("explore.js", "picture.js"), "names.js"
_HERE = Path(__file__).parent
# How a cell of a table calls a value that is not there, by the status of the value; else its words.
_SHORT = {"suppressed_at_source": N_("suppressed"), words.WITHHELD: N_("withheld"), "missing": N_("no value")}
T = TypeVar("T", bound=Point | GapYear)
Key = tuple[str, str, str, int]
"""Community, group, series, school year."""


def figures_file(indicator_id: str) -> str:
    """The name of an indicator's file: safe in any folder, different for different ids."""
    return f"figures-{quote(indicator_id, safe='')}.js"


@dataclass(frozen=True)
class Explored:
    """What stands beside the page. files: the programs and the figures, which are the same in every language.

    Rows of figures name communities, groups, statuses and series by their place in the lists of `names`, whose
    `group_order` says in which order groups stand: their names have another one in each language.
    """

    files: Mapping[str, str]
    indicators: Sequence[str]
    groups: Dictionary
    statuses: Dictionary
    series: Dictionary
    targets: Targets
    deciding: Sequence[str]

    def names(self, marts: Marts, elsewhere: str = "") -> str:
        """The file that says what things are called, in the language spoken, with the names of `marts`.

        elsewhere: where the programs and the figures lie, if not in the folder of this file.
        """
        known = {**_names(marts, self.indicators, self.groups, self.statuses, self.series), **self.targets.names()}
        own = sorted(self.groups.texts(), key=partial(_position, marts, self.deciding))
        known["group_order"] = [self.groups.number(ident) for ident in own]
        if elsewhere:
            known |= {"folder": elsewhere, "says": _program_texts()}
        return _script("exploreNames", known)


def explored(marts: Marts, context: ReportContext, trends: Iterable[Row]) -> Explored:
    """The programs, and one file of figures for each indicator with a value; `marts` with their English names.

    trends: fct_network_trend of every reporting year up to the report's, for the pooled rates.
    """
    communities = Dictionary(c["community_id"] for c in marts.communities)
    used = {p.population_group_id for every in marts.points.values() for p in every}
    groups = Dictionary(sorted(used, key=partial(_position, marts, context.deciding())))
    statuses, series = Dictionary(), Dictionary()
    points, gaps = _by_indicator(marts, marts.points), _by_indicator(marts, marts.gap_years)
    targets = Targets()
    pooled, aims = pooled_lines(trends, groups), targets.lines(marts, communities, groups)
    files = {name: (_HERE / name).read_text(encoding="utf-8") for name in PROGRAMS}
    for ident in sorted(points):
        lines = [
            [communities.number(community), groups.number(group), series.number(named), *_cells(own, statuses)]
            for (community, group, named), own in _split(points[ident], _of_line)
        ]
        values = {(c, p.population_group_id, p.series, p.school_year): p.value for c, p in points[ident]}
        direction = (marts.indicators.get(ident) or {}).get("direction") or 0
        between = [
            [*who, series.number(named), *_gap_cells(own, community, direction, values)]
            for (community, group, other, named), own in _split(gaps.get(ident, ()), _of_gap)
            for who in [(communities.number(community), groups.number(group), groups.number(other))]
        ]
        beside = {"network": pooled.get(ident, []), "targets": aims.get(ident, [])}
        shown = {"indicator": ident, "lines": lines, "gaps": between, **beside}
        files[figures_file(ident)] = _script("exploreFigures", shown)
    return Explored(files, list(points), groups, statuses, series, targets, context.deciding())


def _program_texts() -> dict[str, str | list[str]]:
    """What the programs say, by the English text: in the language spoken, two forms where a number decides."""
    said = spoken().said
    found: dict[str, str | list[str]] = {}
    for name in PROGRAMS:
        with (_HERE / name).open("rb") as program:
            for _line, text, _comments, _context in extract("javascript", program):
                if isinstance(text, tuple):
                    found[text[0]] = [said.ngettext(text[0], text[1], n) for n in (1, 2)]
                else:
                    found[text] = said.gettext(text)
    return found


def _script(call: str, content: Mapping[str, Any]) -> str:
    return f"{call}({json.dumps(content, ensure_ascii=True, separators=(',', ':'))});\n"


def _position(marts: Marts, deciding: Sequence[str], ident: str) -> tuple[bool, bool, str, str, str]:
    """Everyone, then the dimensions that decide, then the others; groups by name, in the language of `marts`."""
    dimension = ident.partition(":")[0]
    return ident != TOTAL, dimension not in deciding, dimension, group_label(marts, ident).casefold(), ident


def _by_indicator(marts: Marts, every: Mapping[str, Sequence[T]]) -> dict[str, list[tuple[str, T]]]:
    """Rows by indicator, each with its community; communities by name, rows as the marts order them."""
    found: dict[str, list[tuple[str, T]]] = defaultdict(list)
    for community in marts.communities:
        for each in every.get(community["community_id"], ()):
            found[each.indicator_id].append((community["community_id"], each))
    return found


def _split(rows: Iterable[tuple[str, T]], key: Callable[[T], tuple[str, ...]]) -> list[tuple[tuple[str, ...], list[T]]]:
    """The rows of each community and key, in the order in which the keys first stand."""
    found: dict[tuple[str, ...], list[T]] = defaultdict(list)
    for community, each in rows:
        found[(community, *key(each))].append(each)
    return list(found.items())


def _of_line(point: Point) -> tuple[str, ...]:
    return point.population_group_id, point.series


def _of_gap(gap: GapYear) -> tuple[str, ...]:
    return gap.population_group_id, gap.reference_group_id, gap.series


def _cells(points: Iterable[Point], statuses: Dictionary) -> list[Any]:
    return in_years({p.school_year: _cell(p, statuses) for p in points})


def _cell(point: Point, statuses: Dictionary) -> list[Any]:
    """Status, numerator, denominator, value, low, high; short of what is null at the end.

    Three long: the value is 100 times numerator by denominator to the last bit, which saves half of a file.
    """
    status = statuses.number(point.value_status or ("reported" if point.value is not None else "missing"))
    n, d = point.numerator, point.denominator
    whole = point.value_low is None and point.value_high is None
    if whole and n is not None and d and 100 * n / d == point.value:
        return [status, n, d]
    cell = [status, n, d, point.value, point.value_low, point.value_high]
    while len(cell) > 4 and cell[-1] is None:
        cell.pop()
    return cell


def _gap_cells(
    gaps: Iterable[GapYear], community: str, direction: int, values: Mapping[Key, float | None]
) -> list[Any]:
    """1 for a year that the gap's class rests on, else 2; with gap and both values where the lines do not say them."""
    cells: dict[int, Any] = {}
    for each in gaps:
        used = 1 if each.used else 2
        told = each.group_value, each.reference_value
        groups = each.population_group_id, each.reference_group_id
        on_lines = tuple(values.get((community, group, each.series, each.school_year)) for group in groups)
        known = on_lines == told and direction * (told[1] - told[0]) == each.gap
        cells[each.school_year] = used if known else [used, each.gap, *told]
    return in_years(cells)


def _names(
    marts: Marts, indicators: Iterable[str], groups: Dictionary, statuses: Dictionary, series: Dictionary
) -> Row:
    """What the page calls things, and what it must know to read the files of figures."""
    position = {o["outcome_id"]: i for i, o in enumerate(marts.outcomes)}
    outcome = {o["outcome_id"]: visible(o["name"]) for o in marts.outcomes}
    known = [(ident, marts.indicators.get(ident) or {}) for ident in indicators]
    known.sort(key=lambda i: (position.get(i[1].get("outcome_id"), len(position)), i[1].get("name") or i[0], i[0]))
    return {
        "indicators": [
            {
                "id": ident,
                "name": visible(row.get("name") or words.sentence_case(words.humanized(ident))),
                "outcome": outcome.get(row.get("outcome_id"), _("Other")),
                "unit": words.unit_of_value(row.get("unit") or ""),
                "gap_unit": words.unit_of_change(row.get("unit") or ""),
                "direction": row.get("direction") or 0,
                "file": figures_file(ident),
            }
            for ident, row in known
        ],
        "communities": [
            {"id": c["community_id"], "name": visible(c["name"]), "left": marts.left_year(c)} for c in marts.communities
        ],
        "groups": [
            {
                "id": ident,
                "name": visible(group_label(marts, ident)),
                "dimension": "" if ident == TOTAL else visible(dimension_label(marts, ident.partition(":")[0])),
            }
            for ident in groups.texts()
        ],
        "statuses": [
            {
                "id": code,
                "short": _(_SHORT[code]) if code in _SHORT else words.state_words(code),
                "words": words.state_words(code),
            }
            for code in statuses.texts()
        ],
        "series": [visible(each) for each in series.texts()],
        "formula": list(FORMULA),
    }
