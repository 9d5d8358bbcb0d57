"""Outcomes of drawn selections, trends and gaps, beside a plain reading of RULES 5: every column of every row.

Belongs here: selections that change, primaries that repeat, indicators without a trend, a direction or a group.
Does not: trends and gaps themselves.
"""

from __future__ import annotations

from collections.abc import Iterable
from random import Random
from typing import Any

import polars as pl
import pytest

from dagster_project.lib.analysis.figures.outcome import SELECTION_SCHEMA, compute_outcomes
from dagster_project.lib.analysis.figures.standing import community_years
from dagster_project.lib.analysis.tables import FCT_GAP, FCT_TREND
from dagster_project.lib.base.ruleset import Ruleset
from tests.unit.analysis import reference

Row = dict[str, Any]
YEARS = range(2022, 2025)
OUTCOMES = {"reading": "education", "graduation": "education", "work": "education", "housing": "housing"}
INDICATORS = {
    "g1": ("graduation", "core", True),
    "h1": ("housing", "adjacent", False),
    "r1": ("reading", "core", True),
    "r2": ("reading", "core", False),
    "r3": ("reading", "contributing", False),
    "r4": ("reading", "core", False),
}
GROUPS = ("black", "hispanic", "white", "native_hawaiian_pacific_islander")
STATUSES = ("improving", "maintained", "declining", "undetermined", None)
CLASSES = (
    "undetermined",
    "no_gap_at_baseline",
    "reversed",
    "narrowed",
    "eliminated",
    "widened",
    "unchanged",
    "narrowed_by_decline",
)


def drawn(chance: Random) -> tuple[list[Row], list[Row], list[Row]]:
    """Lines of the selection, rows of fct_trend, rows of fct_gap."""
    selection = [
        {
            "community_id": "elm",
            "reporting_year": year,
            "indicator": name,
            "outcome": chance.choice([None, None, "reading", "work"]) if name != "h1" else None,
            "role": chance.choice(["core", "core", "core", "contributing"]),
            "primary": chance.choice([True, False, False, None]),
            "baseline_year": None,
        }
        for year in chance.sample([2021, 2022, 2023, 2024, 2025], chance.randint(0, 2))
        for name in chance.sample(sorted(INDICATORS), chance.randint(1, 6))
    ]
    trends, gaps = [], []
    for year in YEARS:
        for name in INDICATORS:
            for place in ("elm", "north"):
                for group in ("all", "gender:female"):
                    if chance.random() < 0.85:
                        row = {"community_id": "elm", "geography_id": place, "indicator_id": name}
                        row |= {"population_group_id": group, "reporting_year": year}
                        trends.append(
                            row | {"trend_status": chance.choice(STATUSES), "reason": chance.choice([None, "stale"])}
                        )
                for group in GROUPS:
                    if chance.random() < 0.6:
                        row = {"community_id": "elm", "geography_id": place, "indicator_id": name}
                        row |= {"population_group_id": f"race_ethnicity:{group}", "reporting_year": year}
                        row |= {"dimension": chance.choice(["race_ethnicity"] * 5 + ["gender"])}
                        row |= {"standing": chance.choice(["burdened"] * 3 + ["other"])}
                        gaps.append(row | {"gap_status": chance.choice(CLASSES)})
    return selection, trends, gaps


class Plain:
    """One reporting year of the community."""

    def __init__(self, year: int, selection: list[Row], trends: list[Row], gaps: list[Row]) -> None:
        self.year, self.selection = year, selection
        mine = {"geography_id": "elm", "reporting_year": year}
        own = [row for row in trends if row["population_group_id"] == "all" and mine.items() <= row.items()]
        self.trends = {row["indicator_id"]: row for row in own}
        counted = {"standing": "burdened", "dimension": "race_ethnicity", **mine}
        self.gaps = [row for row in gaps if counted.items() <= row.items()]

    def core(self, outcome: str) -> dict[str, bool]:
        """The core indicators of an outcome, and whether any line makes it a primary."""
        years = [row["reporting_year"] for row in self.selection if row["reporting_year"] <= self.year]
        if not years:
            return {name: True for name, line in INDICATORS.items() if line == (outcome, "core", True)}
        found: dict[str, bool] = {}
        for row in self.selection:
            name = row["indicator"]
            mine = (row["outcome"] or INDICATORS[name][0]) == outcome
            if row["reporting_year"] == max(years) and row["role"] == "core" and mine:
                found[name] = found.get(name, False) or bool(row["primary"])
        return dict(sorted(found.items()))

    def status(self, name: str) -> tuple[str, str | None]:
        """Status and reason."""
        if name not in self.trends:
            return "undetermined", "no_data"
        row = self.trends[name]
        return (row["trend_status"], row["reason"]) if row["trend_status"] else ("undetermined", "no_direction")

    def classes(self, names: Iterable[str]) -> list[str]:
        """Classes of groups that say something of a gap's course."""
        silent = ("undetermined", "no_gap_at_baseline", "reversed")
        return [
            row["gap_status"] for row in self.gaps if row["indicator_id"] in names and row["gap_status"] not in silent
        ]

    def outcome(self, outcome: str) -> Row:
        core = self.core(outcome)
        if not core:
            texts = ("trend_status", "gap_reduced", "trend_any", "trend_all", "gap_any", "gap_all")
            reasons = dict.fromkeys(("reason", "gap_reason"), "no_core_indicator")
            return (
                dict.fromkeys(texts, "undetermined") | reasons | {"n_core_indicators": 0, "deciding_indicator_id": None}
            )
        primary = next((name for name, marked in core.items() if marked), None)
        states = {name: self.status(name)[0] for name in core}
        verdicts = {name: reference.verdict(self.classes([name])) for name in core}
        deciding = [primary] if primary else list(core)
        judged = [verdict for verdict in verdicts.values() if verdict != "undetermined"]
        majority = "undetermined" if not judged else "met" if 2 * judged.count("met") > len(judged) else "not_met"
        trend = states[primary] if primary else reference.majority_status(states.values())
        gap = verdicts[primary] if primary else majority
        reduced = [name in ("narrowed", "eliminated") for name in self.classes(deciding)]
        widened = {
            row["population_group_id"]
            for row in self.gaps
            if row["indicator_id"] in deciding and row["gap_status"] == "widened"
        }
        order = ("improving", "maintained", "declining", "undetermined")
        worst = ("declining", "undetermined", "maintained", "improving")
        why = self.status(primary)[1] if primary else "no_determined_indicator" if trend == "undetermined" else None
        return {
            "n_core_indicators": len(core),
            "deciding_indicator_id": primary,
            "trend_status": trend,
            "reason": why,
            "gap_reduced": gap,
            "gap_reason": "no_eligible_group" if gap == "undetermined" else None,
            "trend_any": min(states.values(), key=order.index),
            "trend_all": min(states.values(), key=worst.index),
            "gap_any": "undetermined" if not reduced else "met" if any(reduced) else "not_met",
            "gap_all": "undetermined" if not reduced else "met" if all(reduced) else "not_met",
            "widened_groups": ",".join(sorted(widened)) or None,
            "trend_by_indicator": _json(states),
            "gap_by_indicator": _json(verdicts),
        }


def _json(codes: dict[str, str]) -> str:
    return "{" + ",".join(f'"{name}":"{code}"' for name, code in sorted(codes.items())) + "}"


@pytest.mark.parametrize("seed", range(0, 200, 40))
def test_every_outcome_is_that_of_the_plain_reading(seed: int, ruleset: Ruleset) -> None:
    indicators = pl.DataFrame(
        [(name, *line) for name, line in INDICATORS.items()],
        schema=["indicator_id", "outcome_id", "role", "is_primary"],
        orient="row",
    )
    outcomes = pl.DataFrame({"outcome_id": list(OUTCOMES), "sector": list(OUTCOMES.values())})
    first = pl.DataFrame({"community_id": ["elm"], "first_reporting_year": [YEARS[0]]})
    for number in range(seed, seed + 40):
        selection, trends, gaps = drawn(Random(number))
        found = compute_outcomes(
            _frame(trends, dict(FCT_TREND.schema)),
            _frame(gaps, dict(FCT_GAP.schema)),
            pl.DataFrame(selection, schema=SELECTION_SCHEMA),
            indicators,
            outcomes,
            community_years(first, YEARS[-1]),
            ruleset,
        )
        rows = {(row["reporting_year"], row["outcome_id"]): row for row in found.iter_rows(named=True)}
        assert set(rows) == {
            (year, name) for year in YEARS for name, sector in OUTCOMES.items() if sector == "education"
        }
        for (year, name), row in rows.items():
            expected = Plain(year, selection, trends, gaps).outcome(name)
            assert {column: row[column] for column in expected} == expected, (number, year, name)


def _frame(rows: list[Row], schema: Any) -> pl.DataFrame:
    return pl.DataFrame([dict.fromkeys(schema) | row for row in rows], schema=schema)
