"""What the Explore page can show beside communities' values: pooled rates of the network, and targets.

Belongs here: rows of fct_network_trend and fct_target_progress in the short form that explore.js reads.
Does not: pool a rate or judge a target (both are stored), values of communities (figures.py), read tables.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from dagster_project.lib.publish.report import words
from dagster_project.lib.publish.report.arranging import Row
from dagster_project.lib.publish.report.explore.shortened import Dictionary, in_years
from dagster_project.lib.publish.report.marts import Marts

_TARGET = ("target_value", "baseline_value", "baseline_year")


def pooled_lines(trends: Iterable[Row], groups: Dictionary) -> dict[str, list[list[Any]]]:
    """For each indicator a line of each group: its number, the first school year, a cell for it and each year after.

    trends: rows of fct_network_trend of several reporting years. A rate is that of the last school year of its window;
    where two reporting years end with the same school year, the newer one knows more.
    """
    lines: dict[str, dict[str, dict[int, Row]]] = defaultdict(lambda: defaultdict(dict))
    for row in sorted(trends, key=lambda r: r["reporting_year"]):
        if row.get("pooled_rate_last") is not None:
            lines[row["indicator_id"]][row["population_group_id"]][row["window_last_year"]] = row
    return {
        indicator: [
            [groups.number(group), *in_years({year: _pooled_cell(year, row) for year, row in own.items()})]
            for group, own in sorted(by_group.items())
        ]
        for indicator, by_group in lines.items()
    }


def _pooled_cell(year: int, row: Row) -> list[Any]:
    """Rate, communities that it is over, and the reporting year that says so where it is not the school year itself."""
    cell = [row["pooled_rate_last"], row["panel_size"]]
    return cell if row["reporting_year"] == year else [*cell, row["reporting_year"]]


@dataclass(frozen=True)
class Targets:
    """Targets in force, which name deadlines, horizons and statuses by their place in lists of their own."""

    deadlines: Dictionary = field(default_factory=Dictionary)
    horizons: Dictionary = field(default_factory=Dictionary)
    statuses: Dictionary = field(default_factory=Dictionary)

    def lines(self, marts: Marts, communities: Dictionary, groups: Dictionary) -> dict[str, list[list[Any]]]:
        """For each indicator its targets: community, group, deadline, horizon, status, value, baseline and its year."""
        found: dict[str, list[list[Any]]] = defaultdict(list)
        for community in marts.communities:
            for row in marts.targets.get(community["community_id"], ()):
                numbers = [
                    communities.number(row["community_id"]),
                    groups.number(row["population_group_id"]),
                    self.deadlines.number(str(row["deadline"])),
                    self.horizons.number(row["horizon"]),
                    self.statuses.number(row["status"] or words.UNDETERMINED),
                ]
                found[row["indicator_id"]].append([*numbers, *(row[column] for column in _TARGET)])
        return found

    def names(self) -> Mapping[str, list[Row]]:
        """What deadlines, horizons and statuses are called, in the language spoken."""
        return {
            "deadlines": _named(self.deadlines.texts(), words.day),
            "horizons": _named(self.horizons.texts(), words.horizon_words),
            "target_statuses": _named(self.statuses.texts(), words.target_words),
        }


def _named(codes: Sequence[str], called: Callable[[str], str]) -> list[Row]:
    return [{"id": code, "words": called(code)} for code in codes]
