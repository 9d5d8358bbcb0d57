"""What each requirement of a designation counts and how it is told, beside a plain reading of the records.

Belongs here: figures, words and reasons of every row of fct_designation_requirement of drawn communities.
Does not: whether a requirement is met (test_designations.py, test_deciding_again.py).
"""

from __future__ import annotations

from typing import Any

import pytest

from dagster_project.lib.analysis.records.build import build_records
from dagster_project.lib.analysis.records.inputs import RecordInputs

from .conftest import World, analysed
from .test_records import COMMUNITIES, YEARS, known_values, world

Row = dict[str, Any]
BESIDE = "; shown beside, not required unless the ruleset asks for it"
NO_EARLIER = "; there is no earlier example, so none fell back"


class Told:
    """One record's requirements, read member by member."""

    def __init__(self, record: Row) -> None:
        self.record, self.year = record, record["reporting_year"]
        self.trends, self.outcomes = (record["computed"].get(name, []) for name in ("trends", "outcomes"))

    def rows(self, part: str) -> list[Row]:
        held = self.record["inputs"]
        return [dict(zip(held["columns"][part], row, strict=True)) for row in held.get(part, [])]

    def members(self, rule: Row) -> dict[str, tuple[str, str]]:
        """Each member's state, and what it belongs to."""
        measure = rule["measure"]
        if measure in ("core_indicator_trends", "adjacent_trends"):
            mine = [trend for trend in self.trends if trend["role"] == measure.split("_")[0]]
            return {t["indicator_id"]: (t["trend_status"] or "undetermined", t["outcome_id"]) for t in mine}
        if measure in ("outcome_trends", "outcome_gaps"):
            column = "trend_status" if measure == "outcome_trends" else "gap_reduced"
            return {row["outcome_id"]: (row[column], row["outcome_id"]) for row in self.outcomes}
        if measure == "gateways_met":
            states = self.record["computed"]["gateways"]
            return {name: (name if states[name] == "met" else states[name], name) for name in rule["wanted"]}
        if measure == "active_proof_point":
            return {}
        return {row["example_id"]: (row["status"], row["example_id"]) for row in self.examples(measure)}

    def examples(self, measure: str) -> list[Row]:
        last, rows = self.previous(), self.rows("examples")
        if last is None:
            return []
        if measure == "earlier_examples":
            accepted = self.record["parameters"]["designation.ongoing_accepted_statuses"].split()
            return [row for row in rows if row["status"] in accepted and row["first_evidenced_on"] <= last]
        return [row for row in rows if row["status"] == "accepted" and row["first_evidenced_on"] > last]

    def previous(self) -> str | None:
        days = [row["decided_on"] for row in self.rows("decisions") if row["code"].startswith("proof_point")]
        return max(days, default=None)

    def counted(self, rule: Row) -> Row:
        """Figures and words of a requirement that counts members."""
        members = self.members(rule)
        met = sorted(name for name, (state, _) in members.items() if state in rule["wanted"])
        left_open = sum(state == "undetermined" for state, _ in members.values())
        why = self.unknown(rule["measure"], bool(members))
        words = f"{len(met)} of {len(members)}"
        words += f" ({', '.join(met)})" if met else ""
        words += f", {left_open} undetermined" if left_open else ""
        if rule["measure"] == "core_indicator_trends":
            words += f"; {len({members[name][1] for name in met})} different outcomes"
        if rule["measure"] == "earlier_examples" and not members:
            words += NO_EARLIER
        of = max(len(members), 1) if rule["share"] is not None else 1
        least = rule["share"] if rule["share"] is not None else rule["at_least"]
        return {
            "required": len(members) if least is None else least,
            "actual": None if why else len(met) / of,
            "n_undetermined": left_open,
            "n_members": len(members),
            "evidence": why.replace("_", " ") if why else words,
            "reason": why,
        }

    def unknown(self, measure: str, any_member: bool) -> str | None:
        if measure in ("earlier_examples", "additional_examples"):
            if self.previous() is None:
                return "no_previous_decision"
            return None if self.record["inputs"]["registers_present"]["examples"] else "register_absent"
        return None if any_member or measure == "core_indicator_trends" else "no_data"

    def score(self, rule: Row) -> Row:
        scores = sorted(self.rows("scores"), key=lambda row: str(row["decided_on"]))
        last, least = scores[-1]["score"] if scores else None, rule["at_least"]
        needs = "no minimum is set" if least is None else f"{least} needed"
        why = None if last is not None and least is not None else "no_minimum_score" if least is None else "no_score"
        words = f"{'no score' if last is None else f'score {last}'}, {needs}"
        return {
            "required": least,
            "actual": last,
            "n_undetermined": 0,
            "n_members": 1,
            "evidence": words,
            "reason": why,
        }

    def proof_point(self, rule: Row) -> Row:
        """One member: the family's standing, which the records of its two designations state."""
        (row,) = (row for row in self.record["requirements"] if row["requirement_id"] == rule["requirement_id"])
        met = int(row["actual"])
        words = f"{met} of 1{' (proof_point)' if met else ''}{BESIDE}"
        return {"required": rule["at_least"], "n_undetermined": 0, "n_members": 1, "evidence": words, "reason": None}


def plain(world: World) -> RecordInputs:
    return analysed(world, known_values(), COMMUNITIES)


def scored(world: World) -> RecordInputs:
    """Scores in two of the years, a minimum, examples that fell back, and nothing known of the newest years."""
    world.parameters |= {"designation.st_min_score": "75"}
    world.add("scores", {"code": "systems_transformation", "score": 80.0, "decided_on": "2019-03-01"}, year=2019)
    world.add("scores", {"code": "systems_transformation", "score": 70.0, "decided_on": "2022-03-01"}, year=2022)
    return plain(world)


def by_share(world: World) -> RecordInputs:
    world.parameters["designation.initial_indicators_share"] = "0.75"
    return plain(world)


@pytest.mark.parametrize(
    ("made", "ruleset_id"), [(plain, "toa-default"), (scored, "toa-default"), (by_share, "public-2018")]
)
def test_every_requirement_is_counted_and_told_as_the_plain_reading_does(made: Any, ruleset_id: str) -> None:
    inputs, told = made(world(ruleset_id)), set()
    for record in (record for year in YEARS for record in build_records(inputs, year)):
        reading, found = Told(record), {row["requirement_id"]: row for row in record["requirements"]}
        for rule in record["rules"]:
            ways = {"score": reading.score, "active_proof_point": reading.proof_point}
            expected = ways.get(rule["measure"], reading.counted)(rule)
            row = found.pop(rule["requirement_id"])
            assert {name: row[name] for name in expected} == expected, (record["reporting_year"], rule)
            assert row["statement"] == rule["statement"]
            told |= {str(row["reason"]), *(mark for mark in (BESIDE, NO_EARLIER) if mark in row["evidence"])}
        assert not found
    if made is scored:
        assert told >= {"None", "no_previous_decision", "register_absent", "no_score", BESIDE}
