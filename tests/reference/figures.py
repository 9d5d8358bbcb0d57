"""A second, plain computation of a whole network's figures: RULES 3 to 5 and 7 over the values of values.py.

Belongs here: which keys have a row at which reporting year, registers as of a day, outcomes, network figures.
Does not: import anything of the product; one trend or gap is computed by tests/unit/analysis/reference.py.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from tests.reference.values import EPS, Key, Row, Seeds, Submission, community_values, effective, read_folder
from tests.unit.analysis import reference

Rows = dict[tuple[Any, ...], Row]
OUTCOMES = {
    "kindergarten_readiness": "kindergarten_ready_pct",
    "early_grade_reading": "grade3_reading_proficient_pct",
    "middle_grade_math": "grade8_math_proficient_pct",
    "high_school_graduation": "graduation_4yr_pct",
    "postsecondary_enrollment": "postsecondary_enrolled_pct",
    "postsecondary_completion": "postsecondary_completed_pct",
    "employment": "employed_pct",
}
STATUSES = ("improving", "maintained", "declining", "undetermined")
VALID_BUT_UNUSED = {"other_segment", "outside_window", "stale", "series_break", "too_few_points"}


class Network:
    """All expected tables of a drop bucket, by table name and key."""

    def __init__(self, drop: Path, seeds: Path, today: dt.date) -> None:
        self.seeds, self.today = Seeds(seeds), today
        self.tables: dict[str, Rows] = defaultdict(dict)
        self.points: dict[tuple[str, str, int], list[Row]] = defaultdict(list)
        for community in self.seeds.joined:
            folders = sorted(path for path in drop.glob(f"{community}/*") if any(path.iterdir()))
            self._community(community, {int(path.name): read_folder(path, self.seeds) for path in folders})
        self._network()

    def _community(self, community: str, submissions: dict[int, Submission]) -> None:
        values = [row for submission in submissions.values() for row in submission.values]
        for year, submission in submissions.items():
            counts = {"rows_read": submission.rows_read, "rows_accepted": submission.rows_accepted}
            self.tables["fct_submission_status"][community, year] = {
                **counts,
                "submission_id": submission.submission_id,
                "rows_rejected": submission.rows_read - submission.rows_accepted,
            }
        for year in range(min(submissions, default=self.today.year + 1), self.today.year + 1):
            known = effective(values, year)
            known |= community_values(known, community, self.seeds)
            self._trends(community, year, known)
            standing = as_of(submissions, year, min(dt.date(year, 12, 31), self.today), self.seeds)
            self._gaps(community, year, known, standing)
            if year <= self.seeds.left[community]:
                self._outcomes(community, year, selection(submissions, year, self.seeds), standing)
            if year == self.today.year:
                for key, row in known.items():
                    self.tables["fct_indicator_value"][community, *key] = row

    def _trends(self, community: str, year: int, known: dict[Key, Row]) -> None:
        for (indicator, group, place), rows in annual(known):
            found = reference.trend(rows, year, *self._traits(indicator))
            key = (community, indicator, group, place, year)
            self.tables["fct_trend"][key] = found
            for row in rows:
                fate = found["fates"][row["series"], row["school_year"]]
                used = {"used": fate == "used", "left_out_reason": None if fate == "used" else fate}
                self.tables["fct_trend_point"][*key, row["school_year"], row["series"]] = row | used
                if (
                    place == community
                    and self._member(community, year)
                    and (fate == "used" or fate in VALID_BUT_UNUSED)
                ):
                    self.points[indicator, group, year].append(row | {"community_id": community})

    def _gaps(self, community: str, year: int, known: dict[Key, Row], standing: Standing) -> None:
        rows = dict(annual(known))
        for indicator, group, place in rows:
            dimension, _, code = group.partition(":")
            other = standing.references.get(dimension)
            if other in (None, code):
                continue
            against = f"{dimension}:{other}"
            direction = self._traits(indicator)[0]
            both = rows[indicator, group, place], rows.get((indicator, against, place), [])
            found = reference.gap(*both, year, direction) | {"reference_group_id": against}
            self.tables["fct_gap"][community, indicator, group, place, year] = found

    def _outcomes(self, community: str, year: int, selected: dict[str, Row], standing: Standing) -> None:
        trends, gaps = self.tables["fct_trend"], self.tables["fct_gap"]
        for outcome in OUTCOMES:
            core = sorted(i for i, line in selected.items() if (line["outcome"], line["role"]) == (outcome, "core"))
            statuses, verdicts = {}, {}
            for indicator in core:
                trend = trends.get((community, indicator, "all", community, year), {})
                statuses[indicator] = trend.get("trend_status") or "undetermined"
                groups = [f"race_ethnicity:{group}" for group in standing.burdened["race_ethnicity"]]
                keys = [(community, indicator, group, community, year) for group in groups]
                verdicts[indicator] = reference.verdict(gaps[key]["gap_status"] for key in keys if key in gaps)
            primary = next((indicator for indicator in core if selected[indicator]["primary"]), None)
            judged = [verdict for verdict in verdicts.values() if verdict != "undetermined"]
            majority = "met" if 2 * judged.count("met") > len(judged) else "not_met"
            self.tables["fct_outcome_status"][community, outcome, year] = {
                "trend_status": statuses[primary] if primary else reference.majority_status(statuses.values()),
                "gap_reduced": verdicts[primary] if primary else majority if judged else "undetermined",
                "deciding_indicator_id": primary,
            }

    def _network(self) -> None:
        members: dict[tuple[str, str, int], list[Row]] = defaultdict(list)
        for (community, indicator, group, place, year), row in self.tables["fct_trend"].items():
            if place == community and self._member(community, year):
                members[indicator, group, year].append(row)
        for key, rows in members.items():
            slopes = [row["slope"] for row in rows if "slope" in row]
            quartiles = np.quantile(slopes, (0.25, 0.5, 0.75)) if slopes else (None, None, None)
            counts = {f"n_{name}": sum(row["trend_status"] == name for row in rows) for name in STATUSES}
            self.tables["fct_network_trend"][key] = {
                "n_communities": len(rows),
                **counts,
                **common_slopes(self.points[key], key[2]),
                **dict(zip(("slope_q1", "slope_median", "slope_q3"), quartiles, strict=True)),
            }
            if self.seeds.indicators[key[0]]["poolable"] != "true":
                self.tables["fct_network_trend"][key]["pooled_slope"] = None

    def _member(self, community: str, year: int) -> bool:
        return self.seeds.joined[community] <= year <= self.seeds.left[community]

    def _traits(self, indicator: str) -> tuple[int, str]:
        line = self.seeds.indicators[indicator]
        return int(line["direction"]), line["unit"]


def annual(known: dict[Key, Row]) -> Iterator[tuple[tuple[str, str, str], list[Row]]]:
    """Rows of annual values by indicator, group and place."""
    rows: dict[tuple[str, str, str], list[Row]] = defaultdict(list)
    for (indicator, series, place, group, _, period), row in known.items():
        if period == "annual":
            rows[indicator, group, place].append(row | {"series": series})
    yield from rows.items()


class Standing:
    """Reference group by dimension, and the burdened groups of each."""

    def __init__(self, references: dict[str, str]) -> None:
        self.references: dict[str, str | None] = {dimension: group for dimension, group in references.items() if group}
        self.burdened: dict[str, set[str]] = defaultdict(set, {"race_ethnicity": set(reference.BURDENED)})


def as_of(submissions: dict[int, Submission], year: int, day: dt.date, seeds: Seeds) -> Standing:
    """Who is compared with whom: the register's lines of reporting years up to R that are in effect, or the starter."""
    decided: dict[tuple[str, str, str], str] = {}
    for _, submission in sorted(item for item in submissions.items() if item[0] <= year):
        for line in submission.registers.get("burdened_groups", []):
            decided[line["effective_from"], line["dimension"], line["group"]] = line["standing"]
    now = {(d, g): (since, said) for (since, d, g), said in sorted(decided.items()) if since <= day.isoformat()}
    standing = Standing(seeds.references)
    for dimension in {dimension for dimension, _ in now}:
        lines = [(group, *line) for (d, group), line in now.items() if d == dimension]
        burdened = {group for group, _, said in lines if said == "burdened"}
        standing.burdened[dimension] = burdened
        named = [(since, group) for group, since, said in lines if said == "reference"]
        if named:
            newest = max(named)[0]
            standing.references[dimension] = min(group for since, group in named if since == newest)
        elif standing.references.get(dimension) in burdened:
            standing.references[dimension] = None
    return standing


def selection(submissions: dict[int, Submission], year: int, seeds: Seeds) -> dict[str, Row]:
    """The indicators the community answers for: its newest table up to R, else the first seven, each a primary."""
    tables = [
        [line for line in submission.registers.get("indicator_selection", []) if _counts(line, seeds)]
        for then, submission in sorted(submissions.items())
        if then <= year
    ]
    tables = [lines for lines in tables if lines]
    if not tables:
        return {i: {"outcome": outcome, "role": "core", "primary": True} for outcome, i in OUTCOMES.items()}
    return {
        line["indicator"]: {
            "outcome": line["outcome"] or seeds.indicators[line["indicator"]]["outcome_id"],
            "role": line["role"],
            "primary": line["primary"] == "yes",
        }
        for line in tables[-1]
    }


def _counts(line: Row, seeds: Seeds) -> bool:
    """Not across sectors: neither from outside into the seven, nor a core indicator of the seven out of them."""
    dictionary = seeds.indicators[line["indicator"]]
    home, given = dictionary["outcome_id"], line["outcome"] or dictionary["outcome_id"]
    if home not in OUTCOMES:
        return given not in OUTCOMES
    return given in OUTCOMES or dictionary["role"] != "core"


def common_slopes(points: list[Row], year: int) -> Row:
    """Pooled and fixed-effects slope over the years of R-4..R that at least half of the communities hold."""
    points = [point for point in points if year - 4 <= point["school_year"]]
    holders: dict[int, set[str]] = defaultdict(set)
    for point in points:
        holders[point["school_year"]].add(point["community_id"])
    everyone = set().union(*holders.values())
    window = sorted(year for year, some in holders.items() if len(some) >= 0.5 * len(everyone) - EPS)
    units: dict[tuple[str, str], dict[int, Row]] = defaultdict(dict)
    for point in points:
        if point["school_year"] in window:
            units[point["community_id"], point["series"]][point["school_year"]] = point
    panel = {
        community: rows
        for (community, _), rows in sorted(units.items())
        if len(rows) == len(window) and all(None not in (row["numerator"], row["denominator"]) for row in rows.values())
    }
    numbers = [(f"{c}\n{s}", then, row["value"]) for (c, s), rows in units.items() for then, row in rows.items()]
    pooled = None
    if panel and len(window) >= 3 and window[-1] - window[0] >= 2:
        sums = [
            [sum(rows[then][name] for rows in panel.values()) for then in window]
            for name in ("numerator", "denominator")
        ]
        pooled = reference.line(window, [100.0 * top / bottom for top, bottom in zip(*sums, strict=True)])[0]
    return {"pooled_slope": pooled, "fixed_effects_slope": reference.fixed_effects(numbers)}
