"""Network figures of drawn communities, beside a plain computation (RULES 7): counts, windows, panels, slopes.

Belongs here: communities that come and go, two series, holes, counts that are missing.
Does not: shared districts (test_network.py).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from random import Random
from typing import Any

import numpy as np
import polars as pl
import pytest

from dagster_project.lib.base.ruleset import Ruleset
from tests.reference.figures import VALID_BUT_UNUSED
from tests.unit.analysis import reference
from tests.unit.analysis.builders import INDICATORS, known, tables, yearly

Row = dict[str, Any]
FIRST, LAST = 2020, 2024
TRAITS = {row["indicator_id"]: row for row in INDICATORS.iter_rows(named=True)}
STATUSES = ("improving", "maintained", "declining", "undetermined")
MEMBERS = {
    "a": (2000, None),
    "b": (2000, 2022),
    "c": (2022, None),
    "d": (2021, 2023),
    "e": (2000, None),
    "f": (2000, None),
}


def rows_drawn(chance: Random) -> list[Row]:
    rows = []
    for community in MEMBERS:
        for indicator in ("pool", "up", "down"):
            if chance.random() < 0.15:
                continue
            broken = chance.choice([9999, 9999, 2020, 2022])
            start, density = chance.choice([2015, 2018, 2020]), chance.choice([0.6, 0.9, 1.0])
            for year in range(start, LAST + 1):
                for series in [*(["a"] if year < broken + 1 else []), *(["B"] if year >= broken else [])]:
                    if chance.random() > density:
                        continue
                    n, k = chance.choice([9, 10, 12, 40, 100]), chance.randint(0, 9)
                    counts = chance.random() < 0.9
                    rows.append(
                        {
                            "community_id": community,
                            "indicator_id": indicator,
                            "series": series,
                            "school_year": year,
                            "value": 100.0 * k / n,
                            "numerator": k if counts else None,
                            "denominator": n if counts else None,
                        }
                    )
    return rows


class Plain:
    """One indicator, from the members' rows."""

    def __init__(self, indicator: str, rows: list[Row]) -> None:
        self.traits = TRAITS[indicator]
        self.rows = defaultdict[str, list[Row]](list)
        for row in known(rows).to_dicts():
            if row["indicator_id"] == indicator:
                self.rows[row["community_id"]].append(row)

    def members(self, year: int) -> list[str]:
        """Communities with rows that belong to the network; no reporting year comes before the first."""
        if year < FIRST:
            return []
        return [name for name in self.rows if MEMBERS[name][0] <= year <= (MEMBERS[name][1] or 9999)]

    def points(self, year: int) -> list[Row]:
        """Valid points of the last five years that at least half of the communities with points hold."""
        found = []
        for name in self.members(year):
            fates = reference.trend(self.rows[name], year, self.traits["direction"], self.traits["unit"])["fates"]
            for row in self.rows[name]:
                fate = fates[row["series"], row["school_year"]]
                if (fate == "used" or fate in VALID_BUT_UNUSED) and year - 4 <= row["school_year"]:
                    found.append(row)
        everyone = {row["community_id"] for row in found}
        holders = defaultdict[int, set[str]](set)
        for row in found:
            holders[row["school_year"]].add(row["community_id"])
        return [row for row in found if 2 * len(holders[row["school_year"]]) >= len(everyone)]

    def panel(self, year: int) -> dict[str, dict[int, Row]]:
        """Communities with counts in every year of the window, in one series, the last by its label."""
        window = {row["school_year"] for row in self.points(year)}
        units = defaultdict[tuple[str, str], dict[int, Row]](dict)
        for row in self.points(year):
            if None not in (row["numerator"], row["denominator"]):
                units[row["community_id"], row["series"]][row["school_year"]] = row
        return {community: held for (community, _), held in sorted(units.items()) if set(held) == window}

    def figures(self, year: int) -> Row:
        trends = [
            reference.trend(self.rows[name], year, self.traits["direction"], self.traits["unit"])
            for name in self.members(year)
        ]
        slopes = [trend["slope"] for trend in trends if "slope" in trend]
        quartiles = np.quantile(slopes, (0.25, 0.5, 0.75)) if slopes else (None, None, None)
        now, before = set(self.members(year)), set(self.members(year - 1))
        points = self.points(year)
        window = sorted({row["school_year"] for row in points})
        return {
            "n_communities": len(trends),
            **{f"n_{name}": sum(trend["trend_status"] == name for trend in trends) for name in STATUSES},
            **dict(zip(("slope_q1", "slope_median", "slope_q3"), quartiles, strict=True)),
            "communities_entered": sorted(now - before),
            "communities_left": sorted(before - now),
            "window_first_year": window[0] if window else None,
            "window_last_year": window[-1] if window else None,
            "window_n_years": len(window) or None,
            **self.effects(points),
            **self.pooled(year, window),
        }

    def effects(self, points: list[Row]) -> Row:
        units = defaultdict[str, list[int]](list)
        for row in points:
            units[f"{row['community_id']} {row['series']}"].append(row["school_year"])
        slope = reference.fixed_effects(
            (f"{row['community_id']} {row['series']}", row["school_year"], row["value"]) for row in points
        )
        several = sum(len(years) > 1 for years in units.values())
        return {"fixed_effects_slope": slope, "fixed_effects_units": several or None}

    def pooled(self, year: int, window: list[int]) -> Row:
        names = ("panel_size", "pooled_rate_last", "pooled_slope", "panel_entered", "panel_left")
        panel = self.panel(year) if self.traits["poolable"] else {}
        if not panel:
            return dict.fromkeys(names)
        sums = [
            [sum(held[then][name] for held in panel.values()) for then in window]
            for name in ("numerator", "denominator")
        ]
        rates = [100.0 * top / bottom for top, bottom in zip(*sums, strict=True)]
        long_enough = len(window) >= 3 and window[-1] - window[0] >= 2
        before = set(self.panel(year - 1)) if year > FIRST else set()
        return {
            "panel_size": len(panel),
            "pooled_rate_last": rates[-1],
            "pooled_slope": reference.line(window, rates)[0] if long_enough else None,
            "panel_entered": sorted(set(panel) - before),
            "panel_left": sorted(before - set(panel)),
        }


def agrees(found: Mapping[str, Any], expected: Row) -> None:
    for name, value in expected.items():
        if isinstance(value, float) and not isinstance(value, bool):
            assert found[name] == pytest.approx(value, abs=1e-8), (name, found, expected)
        else:
            assert found[name] == value, (name, found, expected)


@pytest.mark.parametrize("seed", range(12))
def test_every_network_figure_is_that_of_the_plain_computation(seed: int, ruleset: Ruleset) -> None:
    rows = rows_drawn(Random(seed))
    years = [(name, joined, left) for name, (joined, left) in MEMBERS.items()]
    schema = {"community_id": pl.String, "joined_year": pl.Int64, "left_year": pl.Int64}
    found = tables(known(rows), LAST, ruleset, communities=pl.DataFrame(years, schema=schema, orient="row"))
    trend = {(row["indicator_id"], row["reporting_year"]): row for row in found["fct_network_trend"].to_dicts()}
    for indicator in ("pool", "up", "down"):
        plain = Plain(indicator, rows)
        for year in range(FIRST, LAST + 1):
            if plain.members(year):
                agrees(trend.pop((indicator, year)), plain.figures(year))
    assert not trend
    _outcomes_agree(found)


def _outcomes_agree(found: Mapping[str, pl.DataFrame]) -> None:
    """Counts of outcomes among members, and shares among those that are determined."""
    rows = [
        row
        for row in found["fct_outcome_status"].to_dicts()
        if MEMBERS[row["community_id"]][0] <= row["reporting_year"] <= (MEMBERS[row["community_id"]][1] or 9999)
    ]
    for table in found["fct_network_outcome"].iter_rows(named=True):
        mine = [row for row in rows if all(row[name] == table[name] for name in ("outcome_id", "reporting_year"))]
        states, verdicts = ([row[name] for row in mine] for name in ("trend_status", "gap_reduced"))
        assert table["n_communities"] == len(mine) > 0
        for name in (*STATUSES, "mixed"):
            assert table[f"n_{name}"] == states.count(name)
        for name in ("met", "not_met", "undetermined"):
            assert table[f"n_gap_{name}"] == verdicts.count(name)
        determined = len(mine) - states.count("undetermined")
        assert table["share_improving"] == (states.count("improving") / determined if determined else None)
        judged = len(mine) - verdicts.count("undetermined")
        assert table["share_gap_reduced"] == (verdicts.count("met") / judged if judged else None)
    assert len({(row["outcome_id"], row["reporting_year"]) for row in rows}) == found["fct_network_outcome"].height


@pytest.mark.parametrize(("judged", "share"), [(0, None), (1, 1.0), (2, 0.5)])
def test_the_share_of_reduced_gaps_is_among_the_communities_that_are_judged(
    judged: int, share: float | None, ruleset: Ruleset
) -> None:
    rows: list[Row] = []
    for place, community in enumerate("aef"):
        common = {"community_id": community, "indicator_id": "pool"}
        rows += yearly({2022: 50.0, 2023: 51.0, 2024: 52.0}, **common)
        if place < judged:
            step = 1.0 if place == 0 else -1.0
            black = {2022: 30.0, 2023: 30.0 + step, 2024: 30.0 + 2 * step}
            rows += yearly(black, population_group_id="race_ethnicity:black", **common)
            rows += yearly(dict.fromkeys(black, 60.0), population_group_id="race_ethnicity:white", **common)
    found = tables(known(rows), LAST, ruleset)["fct_network_outcome"]
    row = found.row(
        by_predicate=(pl.col("outcome_id") == "high_school_graduation") & (pl.col("reporting_year") == LAST), named=True
    )
    assert (row["n_gap_met"], row["n_gap_not_met"], row["share_gap_reduced"]) == (
        min(judged, 1),
        max(judged - 1, 0),
        share,
    )
    assert row["share_improving"] == 1.0
