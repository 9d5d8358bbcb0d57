"""Deciding again from a record alone.

Belongs here: plain arithmetic over one record's inputs, rules and parameters, and the statuses a record states.
Does not: read a table or a seed, or use the code that decided first; the two share nothing but their vocabulary.
"""

from __future__ import annotations

import calendar
import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any

from dagster_project.lib.analysis.vocabulary import (
    ACTIVE,
    ELIGIBILITY,
    GRACE,
    LAPSED,
    MET,
    NONE,
    NOT_MET,
    PERCENT,
    POINT_PARTS,
    REDUCED,
    REVIEW_DUE,
    REVOKED,
    SCORE,
    STATUSES,
    SUCCEEDED,
    UNDETERMINED,
    UNDETERMINED_WITHOUT_MEMBERS,
    VALID_LEFT_OUT,
    WITHOUT_VERDICT,
)

Record = dict[str, Any]
"""JSON-able: text, numbers, booleans, null, lists and objects only."""
MAJORITY = "gap.majority_share"
"""The parameter of the ruleset that says of how many of the gaps that count more must be reduced."""


def gaps_counted(classes: Iterable[str]) -> tuple[int, int]:
    """How many gaps of these classes are reduced, and how many count: not those without a verdict (RULES 5)."""
    counting = [status for status in classes if status not in WITHOUT_VERDICT]
    return sum(status in REDUCED for status in counting), len(counting)


def stated(record: Record) -> Record:
    """The statuses a record states, in the form of `recompute`."""
    computed = record["computed"]
    return {
        "status": record["status"],
        "standing": record["standing"],
        "requirements": {row["requirement_id"]: row["status"] for row in record["requirements"]},
        "trends": {row["indicator_id"]: row["trend_status"] for row in computed.get("trends", [])},
        "gaps": {_gap_key(row): row["gap_status"] for row in computed.get("gaps", [])},
        "outcomes": {
            row["outcome_id"]: [row["trend_status"], row["gap_reduced"] if "gaps" in computed else None]
            for row in computed.get("outcomes", [])
        },
        "gateways": {
            name: status
            for name, status in computed.get("gateways", {}).items()
            if name in str(record["parameters"]["designation.initial_gateways"]).split()
        },
    }


def recompute(record: Record) -> Record:
    """Decide everything again from the record's own inputs, rules and parameters; no table, no seed is read.

    Slopes come from the record's points, classes from the slopes, outcomes from indicators, gateways from criteria,
    requirements and status from these. Returns the same form as `stated`.
    """
    again = _Again(record)
    return {
        "status": again.status,
        "standing": again.standing(record["review"]),
        "requirements": again.requirements,
        "trends": again.trends,
        "gaps": again.gaps,
        "outcomes": again.outcomes,
        "gateways": again.gateways,
    }


def _gap_key(row: Mapping[str, Any]) -> str:
    return f"{row['indicator_id']} {row['population_group_id']}"


Point = tuple[int, float]


class _Again:
    """Plain arithmetic over one record, written apart from the table code on purpose."""

    def __init__(self, record: Record) -> None:
        self.record = record
        self.year: int = record["reporting_year"]
        self.epsilon = self._number("numeric.epsilon")

    def _number(self, name: str) -> float:
        return float(self.record["parameters"][name])

    def _codes(self, name: str) -> list[str]:
        return str(self.record["parameters"][name] or "").split()

    def _rows(self, part: str) -> list[Record]:
        inputs = self.record["inputs"]
        return [dict(zip(inputs["columns"][part], row, strict=True)) for row in inputs.get(part, [])]

    @cached_property
    def points(self) -> dict[tuple[str, str], dict[tuple[str, int], float]]:
        """(indicator, group) -> (series, year) -> value, valid points only."""
        found: dict[tuple[str, str], dict[tuple[str, int], float]] = {}
        for part in POINT_PARTS:
            for row in self._rows(part) if part in self.record["inputs"] else []:
                if row["left_out_reason"] is None or row["left_out_reason"] in VALID_LEFT_OUT:
                    place = (row["indicator_id"], row["population_group_id"])
                    found.setdefault(place, {})[row["series"], row["school_year"]] = row["value"]
        return found

    def window(self, values: Mapping[tuple[str, int], Any]) -> tuple[list[int], str]:
        """Years of the latest segment's window and its series; no years where duration or recency fails."""
        segments: list[tuple[str, list[int]]] = []
        for series, year in sorted(values):
            same = segments and segments[-1][0] == series
            if same and year - segments[-1][1][-1] <= self._number("trend.max_gap_years"):
                segments[-1][1].append(year)
            else:
                segments.append((series, [year]))
        if not segments:
            return [], ""
        series, years = max(segments, key=lambda segment: (segment[1][-1], len(segment[1]), segment[0]))
        years = [year for year in years if year > years[-1] - self._number("trend.max_years")]
        stale = self.year - years[-1] > self._number("trend.recency_years")
        short = len(years) < self._number("trend.min_points") or years[-1] - years[0] < self._number(
            "trend.min_span_years"
        )
        return ([] if stale or short else years), series

    @cached_property
    def trends(self) -> dict[str, str | None]:
        """indicator -> trend status."""
        return {row["indicator_id"]: self._trend(row) for row in self.record["computed"].get("trends", [])}

    def _trend(self, row: Record) -> str | None:
        values = self.points.get((row["indicator_id"], "all"), {})
        years, series = self.window(values)
        if not years:
            return "undetermined"
        points = [(year, values[series, year]) for year in years]
        slope = row["direction"] * ols_slope(points)
        if row["direction"] == 0:
            return None
        mean = sum(value for _, value in points) / len(points)
        tolerance = self._number("trend.maintain_tolerance")
        if row["unit"] != PERCENT:
            tolerance = self._number("trend.maintain_tolerance_relative") * abs(mean)
        if slope > self.epsilon:
            return "improving"
        return "maintained" if slope >= -tolerance - self.epsilon else "declining"

    @cached_property
    def gaps(self) -> dict[str, str]:
        """indicator and group -> class of the gap."""
        direction = {row["indicator_id"]: row["direction"] for row in self.record["computed"].get("trends", [])}
        rows = self.record["computed"].get("gaps", [])
        return {_gap_key(row): self._gap(row, direction[row["indicator_id"]]) for row in rows}

    def _gap(self, row: Record, direction: int) -> str:
        ours = self.points.get((row["indicator_id"], row["population_group_id"]), {})
        theirs = self.points.get((row["indicator_id"], row["reference_group_id"]), {})
        both = {place: (ours[place], theirs[place]) for place in ours if place in theirs}
        years, series = self.window(both)
        if not years:
            return "undetermined"
        group = [(year, both[series, year][0]) for year in years]
        reference = [(year, both[series, year][1]) for year in years]
        return self._gap_class(direction, group, reference)

    def _gap_class(self, direction: int, group: list[Point], reference: list[Point]) -> str:
        e = self.epsilon
        gap = [(year, direction * (other - value)) for (year, value), (_, other) in zip(group, reference, strict=True)]
        ours, theirs = direction * ols_slope(group), direction * ols_slope(reference)
        baseline, tolerance = self._number("gap.baseline_min"), self._number("gap.eliminated_tolerance")
        latest = gap[-int(self._number("gap.eliminated_years")) :]
        mean_year, mean_gap = (sum(pair[i] for pair in gap) / len(gap) for i in (0, 1))
        fitted = mean_gap + ols_slope(gap) * (gap[-1][0] - mean_year)
        closed = all(value <= tolerance + e for _, value in latest) and fitted <= tolerance + e
        if abs(gap[0][1]) <= baseline + e:
            return "no_gap_at_baseline"
        if gap[0][1] < -baseline:
            return "reversed"
        if ours > e and closed:
            return "eliminated"
        if abs(ours - theirs) <= e:
            return "unchanged"
        if ours > theirs:
            return "narrowed" if ours > e else "narrowed_by_decline"
        return "widened"

    @cached_property
    def outcomes(self) -> dict[str, list[str | None]]:
        """outcome -> trend status and gap verdict (null where the record holds no gaps)."""
        return {row["outcome_id"]: self._outcome(row) for row in self.record["computed"].get("outcomes", [])}

    def _outcome(self, row: Record) -> list[str | None]:
        deciding = row["deciding_indicator_id"]
        core = [
            trend["indicator_id"]
            for trend in self.record["computed"]["trends"]
            if trend["outcome_id"] == row["outcome_id"] and trend["role"] == "core"
        ]
        chosen = [deciding] if deciding else core
        states = [self.trends[name] or "undetermined" for name in chosen]
        trend = (states[0] if deciding else self._majority_trend(states)) if core else "undetermined"
        if "gaps" not in self.record["computed"]:
            return [trend, None]
        verdicts = [self._verdict(name) for name in chosen]
        known = [verdict for verdict in verdicts if verdict != "undetermined"]
        return [trend, self._more_than_half(known.count("met"), len(known), "outcome.majority_share")]

    def _majority_trend(self, states: list[str]) -> str:
        known = [state for state in states if state != "undetermined"]
        bar = self._number("outcome.majority_share") * len(known) + self.epsilon
        counts = [
            known.count("improving"),
            known.count("improving") + known.count("maintained"),
            known.count("declining"),
        ]
        if not known:
            return "undetermined"
        names = ("improving", "maintained", "declining")
        return next((name for name, count in zip(names, counts, strict=True) if count > bar), "mixed")

    def _verdict(self, indicator: str) -> str:
        classes = [status for key, status in self.gaps.items() if key.split(" ")[0] == indicator]
        return self._more_than_half(*gaps_counted(classes), MAJORITY)

    def _more_than_half(self, part: int, whole: int, share: str) -> str:
        if not whole:
            return "undetermined"
        return "met" if part > self._number(share) * whole + self.epsilon else "not_met"

    @cached_property
    def gateways(self) -> dict[str, str]:
        """Gateways of which the record holds criteria -> computed status, earlier ones included."""
        if "criteria" not in self.record["inputs"]:
            return {}
        rows = {row["criterion_id"]: row for row in self._rows("criteria")}
        found: dict[str, str] = {}
        code = MET
        for name in self._codes("gateway.order"):
            top = [key for key in rows if key.startswith(f"{name}.") and len(key.split(".")) == 3]
            if top:
                code = min([code, *(self._criterion(key, rows) for key in top)])
                found[name] = STATUSES[code]
        return found

    def _criterion(self, key: str, rows: Mapping[str, Record]) -> int:
        own = rows[key]["own_status"]
        logic = self.record["inputs"]["rubric"].get(key)
        if rows[key]["reason"] == "override" or logic is None:
            return STATUSES.index(own)
        children = {name: STATUSES.index(rows[name]["own_status"]) for name in rows if name.startswith(f"{key}.")}
        states = list(children.values())
        if logic[0].endswith("n_of_m"):
            code = self._at_least(states.count(MET), states.count(UNDETERMINED), logic[1])
            code = min(code, children[logic[2]]) if logic[2] else code
        else:
            code = min(states)
        return code if own is None else min(code, STATUSES.index(own))

    def _at_least(self, met: float, undetermined: float, needed: float) -> int:
        if met >= needed - self.epsilon:
            return MET
        return UNDETERMINED if met + undetermined >= needed - self.epsilon else NOT_MET

    @cached_property
    def requirements(self) -> dict[str, str]:
        """requirement -> status."""
        return {rule["requirement_id"]: STATUSES[self._requirement(rule)] for rule in self.record["rules"]}

    def _requirement(self, rule: Record) -> int:
        if rule["measure"] == SCORE:
            return self._score(rule)
        states = self._members(rule)
        if states is None:
            return UNDETERMINED
        codes = [MET if s in rule["wanted"] else UNDETERMINED if s == "undetermined" else NOT_MET for s in states]
        if not codes and rule["measure"] in UNDETERMINED_WITHOUT_MEMBERS:
            return UNDETERMINED
        size = max(len(codes), 1) if rule["share"] is not None else 1
        least = rule["share"] if rule["share"] is not None else rule["at_least"]
        least = len(codes) if least is None else least
        return self._at_least(codes.count(MET) / size, codes.count(UNDETERMINED) / size, least)

    def _members(self, rule: Record) -> list[str] | None:
        """States to compare with the wanted ones; None where nothing can be said."""
        measure = rule["measure"]
        if measure in ("core_indicator_trends", "adjacent_trends"):
            role = measure.split("_")[0]
            rows = [row for row in self.record["computed"]["trends"] if row["role"] == role]
            return [self.trends[row["indicator_id"]] or "undetermined" for row in rows]
        if measure in ("outcome_trends", "outcome_gaps"):
            return [str(states[0 if measure == "outcome_trends" else 1]) for states in self.outcomes.values()]
        if measure == "gateways_met":
            # The rule names gateways, not statuses: each stands for itself when it is met.
            states = [(name, self.gateways[name]) for name in rule["wanted"]]
            return [name if state == "met" else state for name, state in states]
        if measure == "active_proof_point":
            months = [int(self._number(f"designation.{name}_months")) for name in ("review", "grace")]
            family = {"codes": self._codes("designation.proof_point_codes")}
            return [self.standing({**family, "review_months": months[0], "grace_months": months[1]})]
        return self._example_states(measure)

    def _example_states(self, measure: str) -> list[str] | None:
        previous = self._previous_decision()
        # A community that never filed the register and one that has no example look alike: the record tells them apart.
        if previous is None or not self.record["inputs"]["registers_present"]["examples"]:
            return None
        rows = [row for row in self._rows("examples") if row["first_evidenced_on"]]
        if measure == "earlier_examples":
            accepted = self._codes("designation.ongoing_accepted_statuses")
            rows = [r for r in rows if r["status"] in accepted and r["first_evidenced_on"] <= previous]
        else:
            wanted = self._codes("designation.ongoing_additional_statuses")
            rows = [r for r in rows if r["status"] in wanted and r["first_evidenced_on"] > previous]
        return [row["status"] for row in rows]

    def _previous_decision(self) -> str | None:
        family = self._codes("designation.proof_point_codes")
        rows = [r for r in self._rows("decisions") if r["kind"] == "designation" and r["code"] in family]
        return max((r["decided_on"] for r in rows if r["decision"] != "revoked"), default=None)

    def _score(self, rule: Record) -> int:
        scores = [row for row in self._rows("scores") if row["code"] in rule["wanted"]]
        if not scores or rule["at_least"] is None:
            return UNDETERMINED
        last = max(scores, key=lambda row: str(row["decided_on"]))
        return MET if last["score"] >= rule["at_least"] - self.epsilon else NOT_MET

    @property
    def status(self) -> str:
        """all_of the requirements."""
        code = min((STATUSES.index(status) for status in self.requirements.values()), default=UNDETERMINED)
        return ELIGIBILITY[code]

    def _granted(self, codes: Sequence[str]) -> bool:
        rows = [r for r in self._rows("decisions") if r["kind"] == "designation" and r["code"] in codes]
        return any(row["decision"] != "revoked" for row in rows)

    def standing(self, review: Mapping[str, Any]) -> str:
        """Where the last decision on one of the codes stands on the assessment date."""
        rows = [r for r in self._rows("decisions") if r["kind"] == "designation" and r["code"] in review["codes"]]
        if not rows:
            return NONE
        last = max(rows, key=lambda row: (row["decided_on"], row["code"]))
        if last["decision"] == "revoked":
            return REVOKED
        # Records that were frozen before designations could be succeeded name no successor.
        if self._granted(review.get("succeeded_by", [])):
            return SUCCEEDED
        if review["review_months"] is None:
            return ACTIVE
        day = dt.date.fromisoformat(self.record["assessment_date"])
        due = months_later(dt.date.fromisoformat(last["decided_on"]), review["review_months"])
        if day < due:
            return ACTIVE
        if due.year == self.year:
            return REVIEW_DUE
        return GRACE if day <= months_later(due, review["grace_months"]) else LAPSED


def ols_slope(points: Sequence[Point]) -> float:
    """Slope of the unweighted least-squares line through (year, value), per year; years must differ."""
    mean_x = sum(year for year, _ in points) / len(points)
    mean_y = sum(value for _, value in points) / len(points)
    across = sum((year - mean_x) * (value - mean_y) for year, value in points)
    return across / sum((year - mean_x) ** 2 for year, _ in points)


def months_later(day: dt.date, months: int) -> dt.date:
    """The same day of the month, `months` later, or the last day of a shorter month."""
    count = day.year * 12 + day.month - 1 + months
    year, month = divmod(count, 12)
    return dt.date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))
