"""The distance to eligibility from records alone: a plain second computation, one requirement and one line at a time.

Belongs here: which values could help, where a line through them turns, in ordinary Python. Of gaps it is told the
series and years that they were computed over. Does not: import the code that computes it, or read a table.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from tests.unit.analysis.reference import line

Row = dict[str, Any]
Values = dict[int, float]
Windows = Mapping[tuple[str, str], Row]
"""Indicator and group of a gap -> series, first_year and last_year of it."""
FAILED = ("too_few_points", "series_break", "stale")
VALID = (None, "other_segment", "outside_window", *FAILED)
LIMITS = {
    "percent": (0, 100),
    "count": (0, 1e8),
    "per_1000": (0, 1000),
    "score": (0, 1e4),
    "usd": (0, 1e8),
    "days": (0, 366),
}


class Distance:
    """The rows of one record by requirement, nearest first."""

    def __init__(self, record: Row, windows: Windows) -> None:
        self.record, self.windows = record, windows
        self.year = record["reporting_year"]
        self.trends = record["computed"].get("trends", [])
        self.traits = {row["indicator_id"]: row for row in self.trends}
        self.points: dict[tuple[str, str], list[Row]] = defaultdict(list)
        for part in ("core", "adjacent", "gap"):
            for values in record["inputs"].get(part, []):
                row = dict(zip(record["inputs"]["columns"][part], values, strict=True))
                if row not in self.points[row["indicator_id"], row["population_group_id"]]:
                    self.points[row["indicator_id"], row["population_group_id"]].append(row)

    def number(self, name: str) -> float:
        return float(self.record["parameters"][name])

    def rows(self) -> Iterator[Row]:
        """Nothing of a community that is eligible."""
        judged = {row["requirement_id"]: row for row in self.record["requirements"]}
        for rule in self.record["rules"] if self.record["status"] != "eligible" else []:
            found = judged[rule["requirement_id"]]
            if found["status"] != "met":
                yield from self._ranked(rule, found)

    def _ranked(self, rule: Row, judged: Row) -> Iterator[Row]:
        rows = list(self._gap_rows() if rule["measure"] == "outcome_gaps" else self._trend_rows(rule))
        rows.sort(key=lambda row: (not row["possible"], *_last(row), row["indicator_id"], row["population_group_id"]))
        for rank, row in enumerate(rows, 1):
            more = judged["required"] - (judged["actual"] or 0)
            if judged["required"] < 1:
                more *= judged["n_members"]
            row.pop("move")
            yield row | {
                "requirement_id": rule["requirement_id"],
                "rank": rank,
                "needed_more": math.ceil(more - self.number("numeric.epsilon")),
            }

    def _trend_rows(self, rule: Row) -> Iterator[Row]:
        for trend in self._members(rule):
            if trend["trend_status"] in rule["wanted"]:
                continue
            held = [p for p in self.points[trend["indicator_id"], "all"] if p["left_out_reason"] in (None, *FAILED)]
            values = self._window({p["school_year"]: p["value"] for p in held})
            easier = "maintained" in rule["wanted"]
            row = self._row(trend, "all", trend["trend_status"] or "undetermined", values)
            row["required_status"] = "maintained" if easier else "improving"
            if values:
                row["required_value"] = self._turn(values, trend, easier)
            sides = ("at most", "at least") if easier else ("below", "above")
            row["comparison"] = sides[trend["direction"] >= 0 or not values]
            yield self._judged(row, trend, values)

    def _members(self, rule: Row) -> list[Row]:
        """Indicators whose trend could help."""
        roles = {"core_indicator_trends": "core", "adjacent_trends": "adjacent"}
        if role := roles.get(rule["measure"]):
            return [trend for trend in self.trends if trend["role"] == role]
        if rule["measure"] == "outcome_trends":
            return list(self._of_outcomes("trend_status", rule["wanted"]))
        return []

    def _of_outcomes(self, state: str, done: Sequence[str]) -> Iterator[Row]:
        """The deciding indicator of each outcome that does not count yet, or all its core ones."""
        for outcome in self.record["computed"]["outcomes"]:
            for trend in self.trends:
                mine = trend["role"] == "core" and trend["outcome_id"] == outcome["outcome_id"]
                decides = outcome["deciding_indicator_id"] in (None, trend["indicator_id"])
                if mine and decides and outcome[state] not in done:
                    yield trend

    def _window(self, values: Values) -> Values:
        """The years that stay where one more follows the last."""
        most = self.number("trend.max_years")
        return {year: values[year] for year in sorted(values) if year > max(values) + 1 - most}

    def _row(self, trend: Row, group: str, status: str, values: Values) -> Row:
        years = list(values)
        return {
            "outcome_id": trend["outcome_id"],
            "indicator_id": trend["indicator_id"],
            "population_group_id": group,
            "current_status": status,
            "next_year": years[-1] + 1 if years else None,
            "window_first_year": years[0] if years else None,
            "n_points": len(years) + 1 if years else None,
            "last_year": years[-1] if years else None,
            "last_value": values[years[-1]] if years else None,
            "required_value": None,
        }

    def _turn(self, values: Values, trend: Row, easier: bool) -> float:
        """The next value at which the slope is just enough; all that is asked of it is linear in that value."""
        direction, size = trend["direction"], len(values) + 1

        def surplus(value: float) -> float:
            slope = direction * _slope(values, value)
            if not easier:
                return _slope(values, value)
            if trend["unit"] == "percent":
                return slope + self.number("trend.maintain_tolerance") if direction else _slope(values, value)
            return slope + self.number("trend.maintain_tolerance_relative") * (sum(values.values()) + value) / size

        return _root(surplus(0.0), surplus(1.0))

    def _gap_rows(self) -> Iterator[Row]:
        for trend in self._of_outcomes("gap_reduced", ["met"]):
            for gap in self.record["computed"]["gaps"]:
                if gap["indicator_id"] == trend["indicator_id"] and gap["gap_status"] not in ("narrowed", "eliminated"):
                    yield self._gap_row(trend, gap)

    def _gap_row(self, trend: Row, gap: Row) -> Row:
        key, other = (gap["indicator_id"], gap["population_group_id"]), gap["reference_group_id"]
        ours, theirs = (self._valid((key[0], group), self.windows[key]) for group in (key[1], other))
        values = self._window({year: value for year, value in ours.items() if year in theirs})
        row = self._row(trend, key[1], gap["gap_status"], values)
        row["required_status"], up = "narrowed", trend["direction"] >= 0 or not values
        row["comparison"] = "above" if up else "below"
        none = False
        if values:
            reference = {year: theirs[year] for year in values}
            repeated = _slope(reference, reference[max(reference)])
            ends = [_root(_slope(values, 0.0) - aim, _slope(values, 1.0) - aim) for aim in (0.0, repeated)]
            row["required_value"] = max(ends) if up else min(ends)
            first = min(values)
            none = trend["direction"] * (reference[first] - values[first]) <= self.number("gap.baseline_min") + 1e-9
        return self._judged(row, trend, values, none)

    def _valid(self, key: tuple[str, str], window: Row) -> Values:
        return {
            p["school_year"]: p["value"]
            for p in self.points[key]
            if p["left_out_reason"] in VALID
            and p["series"] == window["series"]
            and window["first_year"] <= p["school_year"] <= window["last_year"]
        }

    def _judged(self, row: Row, trend: Row, values: Values, no_gap: bool = False) -> Row:
        row["reason"] = self._why_not(row, trend, no_gap)
        row["possible"] = row["reason"] is None
        change = row["required_value"] - row["last_value"] if values else None
        row["change_needed"] = change
        row["move"] = None if change is None else change * trend["direction"]
        return row | {"statement": _statement(row)}

    def _why_not(self, row: Row, trend: Row, no_gap: bool) -> str | None:
        value = row["required_value"]
        if value is None:
            return "no_data"
        if trend["direction"] == 0:
            return "no_direction"
        if self.year - row["last_year"] > self.number("trend.recency_years"):
            return "stale"
        span = row["next_year"] - row["window_first_year"]
        if row["n_points"] < self.number("trend.min_points") or span < self.number("trend.min_span_years"):
            return "more_years_needed"
        if no_gap:
            return "no_gap_at_baseline"
        low, high = LIMITS[trend["unit"]]
        past = {
            "above": value >= high,
            "at least": value > high,
            "below": value <= low,
            "at most": value < low,
        }
        return "beyond_the_scale" if past[row["comparison"]] else None


def _last(row: Row) -> tuple[bool, float]:
    """Rows without a value come last."""
    return row["move"] is None, row["move"] or 0.0


def _slope(values: Values, following: float) -> float:
    return line([*values, max(values) + 1], [*values.values(), following])[0]


def _root(at_zero: float, at_one: float) -> float:
    return -at_zero / (at_one - at_zero)


def _statement(row: Row) -> str:
    group = row["population_group_id"]
    who = row["indicator_id"]
    if group != "all":
        who += f" of {group}, with the reference group at its last value,"
    if not row["possible"]:
        return f"{who} cannot turn with one more year: {row['reason'].replace('_', ' ')}"
    over = f"{row['window_first_year']}-{row['next_year']}"
    value = f"{row['comparison']} {round(row['required_value'], 3) + 0.0} in {row['next_year']}"
    now = f"now {round(row['last_value'], 3)} in {row['last_year']}"
    return f"{who} would be {row['required_status']} over {over} with a value {value} ({now})"


def distances(records: Iterable[Row], windows: Mapping[tuple[str, int], Windows]) -> Iterator[Row]:
    """Rows of all records; windows: of the gaps, by community and reporting year."""
    for record in records:
        place = record["community_id"], record["reporting_year"]
        for row in Distance(record, windows.get(place, {})).rows():
            yield {
                **{name: record[name] for name in ("community_id", "designation", "reporting_year", "ruleset_version")},
                **row,
            }
