"""Derived figures drawn at random, beside a plain reading of RULES 8.3: each is the internal one, or absent.

Belongs here: what a reader would decide row by row. Does not: which cells are hidden; here that is drawn.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable
from typing import Any

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from dagster_project.lib.disclosure import Derived, publish_derived
from dagster_project.lib.disclosure.derived import GAP_KEPT, TARGET_KEPT, TREND_KEPT
from dagster_project.lib.disclosure.points import VALID_LEFT_OUT
from tests.unit.disclosure.tables import GAP_SCHEMA, OUTCOME_SCHEMA, POINT_SCHEMA, TARGET_SCHEMA, TOWN, TREND_SCHEMA

Row = dict[str, Any]
WHITE, BLACK, GIRLS = "race_ethnicity:white", "race_ethnicity:black", "gender:female"
GROUPS = ("all", WHITE, BLACK, GIRLS)
INDICATORS, SERIES, YEARS = ("one", "two"), ("d", "e"), range(2021, 2025)
PLACES = (TOWN, "north")
ROW = ("community_id", "indicator_id", "population_group_id", "geography_id", "reporting_year")
GAP_YEAR_SCHEMA = {
    **{name: POINT_SCHEMA[name] for name in (*ROW, "series", "school_year")},
    "reference_group_id": pl.String(),
    "gap": pl.Float64(),
}
PUBLIC_SCHEMA = {
    **{name: POINT_SCHEMA[name] for name in POINT_SCHEMA if name not in ("reporting_year", "used", "left_out_reason")},
    "period": pl.String(),
}
keys = st.fixed_dictionaries(
    {
        "community_id": st.just(TOWN),
        "indicator_id": st.sampled_from(INDICATORS),
        "population_group_id": st.sampled_from(GROUPS),
        "geography_id": st.sampled_from([TOWN, TOWN, TOWN, "north"]),
        "reporting_year": st.sampled_from([2024, 2024, 2023]),
    }
)


def by_key(rows: Iterable[Row], *more: str) -> list[Row]:
    """Each key once."""
    return list({tuple(row[name] for name in (*ROW, *more)): row for row in rows}.values())


@st.composite
def networks(draw: st.DrawFn) -> dict[str, list[Row]]:
    """Points in two series, most of them published as they are, and facts about them."""
    years = st.sampled_from([*YEARS, None])
    window = {"series": st.sampled_from([*SERIES, "d", None]), "first_year": years, "last_year": years}
    shown, points = [], []
    for indicator in INDICATORS:
        for group in GROUPS:
            for place in PLACES:
                for series in SERIES[: draw(st.integers(1, 2))]:
                    for year in YEARS:
                        key = {"community_id": TOWN, "indicator_id": indicator, "population_group_id": group}
                        key |= {"geography_id": place, "series": series, "school_year": year}
                        public, then = draw(
                            st.sampled_from([(50.0, 50.0)] * 12 + [(None, 50.0), (50.0, 51.0), (50.0, None)])
                        )
                        period = draw(st.sampled_from(["annual"] * 9 + ["2024-Q1"]))
                        shown.append({**key, "value": public, "period": period})
                        reason = draw(st.sampled_from([None, None, "small_n", "interval", *VALID_LEFT_OUT]))
                        used = reason is None and draw(st.sampled_from([True, True, True, None, False]))
                        points += [
                            {**key, "value": then, "used": used, "left_out_reason": reason, "reporting_year": r}
                            for r in (2023, 2024)
                        ]
    trend = {"slope": st.sampled_from([1.0, None]), "trend_status": st.just("improving"), "reason": st.just("r")}
    gap = {
        "reference_group_id": st.just(WHITE),
        "group_slope": st.sampled_from([1.0, None]),
        "gap_status": st.just("narrowed"),
        "reference_declined": st.just(False),
        "standing": st.sampled_from(["burdened", "other"]),
    }
    target = {
        "deadline": st.just(dt.date(2030, 6, 30)),
        "status": st.just("on_track"),
        "latest_year": years,
        "baseline_year": years,
        "latest_value": st.just(50.0),
        "target_value": st.just(90.0),
    }
    listed = st.lists(st.sampled_from(INDICATORS), max_size=2, unique=True)
    outcome = {
        "community_id": st.just(TOWN),
        "outcome_id": st.sampled_from(["x", "y"]),
        "reporting_year": st.sampled_from([2023, 2024]),
        "deciding_indicator_id": st.sampled_from([None, *INDICATORS]),
        "trends": listed,
        "gaps": listed,
    }
    drawn = {
        "trend": draw(st.lists(st.tuples(keys, st.fixed_dictionaries(window | trend)), max_size=12)),
        "gap": draw(st.lists(st.tuples(keys, st.fixed_dictionaries(window | gap)), max_size=12)),
        "target": draw(st.lists(st.tuples(keys, st.fixed_dictionaries(target)), max_size=8)),
    }
    facts = {name: by_key({**key, **fact} for key, fact in rows) for name, rows in drawn.items()}
    gaps = [row for row in facts["gap"] if row["population_group_id"] not in ("all", WHITE)]
    year = {"series": st.sampled_from(SERIES), "school_year": st.sampled_from(YEARS)}
    pairs = draw(st.lists(st.tuples(keys, st.fixed_dictionaries(year)), max_size=12))
    return {
        "shown": shown,
        "points": points,
        "trend": facts["trend"],
        "gap": [{**row, "dimension": row["population_group_id"].split(":")[0]} for row in gaps],
        "target": facts["target"],
        "gap_year": by_key(
            [{**key, **at, "reference_group_id": WHITE, "gap": 1.0} for key, at in pairs], "series", "school_year"
        ),
        "outcome": [_outcome(row) for row in draw(st.lists(st.fixed_dictionaries(outcome), max_size=4))],
    }


def _outcome(drawn: Row) -> Row:
    row = {name: value for name, value in drawn.items() if name not in ("trends", "gaps")}
    row |= dict.fromkeys(("trend_status", "trend_any", "trend_all"), "improving")
    row |= dict.fromkeys(("gap_reduced", "gap_any", "gap_all"), "met")
    row |= {"reason": "r", "gap_reason": "g", "widened_groups": "w"}
    lists = {"trend_by_indicator": drawn["trends"], "gap_by_indicator": drawn["gaps"]}
    return row | {name: _json(dict.fromkeys(names, "said")) if names else None for name, names in lists.items()}


def _json(listed: Row) -> str:
    return json.dumps(dict(sorted(listed.items())), separators=(",", ":"))


class Plain:
    """What a reader of RULES 8.3 publishes."""

    def __init__(self, network: dict[str, list[Row]], forbidden: Iterable[tuple[str, str]]) -> None:
        self.network, self.forbidden = network, set(forbidden)
        self.public = {self._place(row): row["value"] for row in network["shown"] if row["period"] == "annual"}
        self.points = network["points"]

    @staticmethod
    def _place(row: Row) -> tuple[Any, ...]:
        return tuple(row[name] for name in (*ROW[:4], "series", "school_year"))

    def is_visible(self, point: Row) -> bool:
        public = self.public.get(self._place(point))
        return point["value"] is not None and public is not None and point["value"] == public

    @staticmethod
    def is_valid(point: Row) -> bool:
        return bool(point["used"]) or point["left_out_reason"] in VALID_LEFT_OUT

    def of(self, row: Row, group: str | None = None) -> list[Row]:
        """The points of a fact's key, or of another group's."""
        key = {name: row[name] for name in ROW} | ({} if group is None else {"population_group_id": group})
        return [point for point in self.points if all(point[name] == value for name, value in key.items())]

    @staticmethod
    def within(point: Row, row: Row) -> bool:
        if None in (row["first_year"], row["last_year"]):
            return False
        return point["series"] == row["series"] and row["first_year"] <= point["school_year"] <= row["last_year"]

    def trend(self, row: Row) -> Row:
        hidden = [point for point in self.of(row) if not self.is_visible(point)]
        if row["slope"] is not None and any(point["used"] for point in hidden):
            return withheld(row, "trend_status", TREND_KEPT)
        vague = any(self.within(point, row) and point["value"] is not None for point in hidden)
        return without_years(row) if vague and row["slope"] is None else row

    def hides(self, row: Row) -> bool:
        """Whether a year that both groups of a gap have holds a value that is not shown."""
        theirs = {self._year(point): point for point in self.of(row, row["reference_group_id"]) if self.is_valid(point)}
        ours = [point for point in self.of(row) if self.is_valid(point) and self.within(point, row)]
        pairs = [(point, theirs[self._year(point)]) for point in ours if self._year(point) in theirs]
        return any(not self.is_visible(point) for pair in pairs for point in pair)

    @staticmethod
    def _year(point: Row) -> tuple[str, int]:
        return point["series"], point["school_year"]

    def gap(self, row: Row) -> Row:
        if not self.hides(row):
            return row
        return without_years(row) if row["group_slope"] is None else withheld(row, "gap_status", GAP_KEPT)

    def shows_year(self, row: Row) -> bool:
        """Whether the values of both groups are shown."""
        both = [*self.of(row), *self.of(row, row["reference_group_id"])]
        shown = {p["population_group_id"] for p in both if self._year(p) == self._year(row) and self.is_visible(p)}
        return shown >= {row["population_group_id"], row["reference_group_id"]}

    def hidden_verdicts(self, year: int) -> tuple[set[str], set[str]]:
        """Indicators whose own trend, or whose gap verdict, is hidden at a reporting year."""
        mine = {"reporting_year": year, "geography_id": TOWN}
        trends = {
            row["indicator_id"]
            for row in self.network["trend"]
            if row["population_group_id"] == "all"
            and mine.items() <= row.items()
            and self.trend(row)["trend_status"] == "withheld"
        }
        gaps = {
            row["indicator_id"]
            for row in self.network["gap"]
            if mine.items() <= row.items()
            and row["standing"] == "burdened"
            and row["dimension"] == "race_ethnicity"
            and self.hides(row)
        }
        return trends, gaps

    def outcome(self, row: Row) -> Row:
        never = {indicator for community, indicator in self.forbidden if community == row["community_id"]}
        trends, gaps = (found | never for found in self.hidden_verdicts(row["reporting_year"]))
        listed = {name: json.loads(row[name] or "{}") for name in ("trend_by_indicator", "gap_by_indicator")}
        primary = row["deciding_indicator_id"]
        core = {*listed["trend_by_indicator"], *listed["gap_by_indicator"], *([primary] if primary else [])}
        deciding = {primary} if primary else core
        out = dict(row)
        if core & trends:
            out |= dict.fromkeys(("trend_any", "trend_all"), "withheld")
        if deciding & trends:
            out |= {"trend_status": "withheld", "reason": None}
        if deciding & gaps:
            out |= dict.fromkeys(("gap_reduced", "gap_any", "gap_all"), "withheld")
            out |= dict.fromkeys(("widened_groups", "gap_reason"))
        for name, hidden in (("trend_by_indicator", trends), ("gap_by_indicator", gaps)):
            if listed[name]:
                out[name] = _json({each: "withheld" if each in hidden else "said" for each in listed[name]})
        return out

    def target(self, row: Row) -> Row:
        hidden = [p for p in self.of(row) if self.is_valid(p) and not self.is_visible(p)]
        latest, first = row["latest_year"], row["baseline_year"]
        reached = any(latest is None or p["school_year"] <= latest or p["school_year"] == first for p in hidden)
        same = [trend for trend in self.network["trend"] if all(trend[name] == row[name] for name in ROW)]
        if reached or any(self.trend(trend)["trend_status"] == "withheld" for trend in same):
            return withheld(row, "status", TARGET_KEPT)
        return row


def withheld(row: Row, status: str, kept: Iterable[str]) -> Row:
    return {name: value if name in kept else None for name, value in row.items()} | {status: "withheld"}


def without_years(row: Row) -> Row:
    return {n: None if n in ("n_years", "first_year", "last_year", "series") else value for n, value in row.items()}


def frame(rows: list[Row], schema: Any) -> pl.DataFrame:
    return pl.DataFrame([dict.fromkeys(schema) | row for row in rows], schema=schema, orient="row")


def published(network: dict[str, list[Row]], forbidden: set[tuple[str, str]]) -> Derived:
    return publish_derived(
        frame(network["shown"], PUBLIC_SCHEMA),
        frame(network["trend"], TREND_SCHEMA),
        frame(network["points"], POINT_SCHEMA),
        frame(network["gap"], GAP_SCHEMA),
        frame(network["gap_year"], GAP_YEAR_SCHEMA),
        frame(network["outcome"], OUTCOME_SCHEMA),
        frame(network["target"], TARGET_SCHEMA),
        forbidden,
    )


@settings(max_examples=60, derandomize=True)
@given(networks(), st.sampled_from([set(), {(TOWN, "one")}, {("village", "one")}]))
def test_any_derived_figure_is_what_the_plain_reading_publishes(
    network: dict[str, list[Row]], forbidden: set[tuple[str, str]]
) -> None:
    found, plain = published(network, forbidden), Plain(network, forbidden)
    facts = (
        ("trend", found.trend, plain.trend),
        ("gap", found.gap, plain.gap),
        ("target", found.target_progress, plain.target),
    )
    for name, table, reading in facts:
        rows = table.to_dicts()
        assert len(rows) == len(network[name])
        for row, given_row in zip(rows, network[name], strict=True):
            assert row == dict.fromkeys(row) | reading(given_row), name
    assert found.outcome_status.to_dicts() == [
        dict.fromkeys(OUTCOME_SCHEMA) | plain.outcome(row) for row in network["outcome"]
    ]
    assert found.gap_year is not None
    names = (*ROW, "series", "school_year")
    shown = sorted(tuple(row[name] for name in names) for row in network["gap_year"] if plain.shows_year(row))
    assert list(found.gap_year.select(names).iter_rows()) == shown
    told = [point for point in network["points"] if point["left_out_reason"] != "small_n" and plain.is_visible(point)]
    assert found.trend_point.height == len(told)
    verdicts = {
        (row["indicator_id"], row["reporting_year"]): row for row in found.withheld_verdicts.iter_rows(named=True)
    }
    for year in (2023, 2024):
        trends, gaps = plain.hidden_verdicts(year)
        for indicator in INDICATORS:
            row = verdicts.pop((indicator, year), {"trend": False, "gap": False})
            assert (row["trend"], row["gap"]) == (indicator in trends, indicator in gaps)
    assert not verdicts
