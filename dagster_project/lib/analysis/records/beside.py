"""A frozen record beside the record that today's data would give.

Belongs here: what differs between the two, as rows and in plain words.
Does not: deciding which of them counts (the frozen one always does), reading stores, explaining one record (explain).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from dagster_project.lib.analysis.records.recompute import Record
from dagster_project.lib.analysis.vocabulary import POINT_PARTS

Facts = dict[str, Any]
DECIDED = ("status", "standing", "decided_on", "next_review_due")
DECIDED_UNDER = ("ruleset_id", "ruleset_version", "assessment_date")
FROZEN_SENTENCE = "This record is frozen: it was decided when the cycle was closed, and later data do not change it."


@dataclass(frozen=True)
class Difference:
    """One fact that is not the same: its kind, its name, and both values (None: the record does not hold it)."""

    kind: str
    name: str
    frozen: Any
    now: Any


def differences(frozen: Record, now: Record) -> list[Difference]:
    """Every fact in which two records of one determination differ: decisions first, then what they follow from.

    Kinds in their order: decision, requirement, outcome, gap, gateway, trend, rule, value, criterion, example,
    decisions, score.
    """
    both = zip(_kinds(frozen), _kinds(now), strict=True)
    return [
        Difference(kind, name, then.get(name), later.get(name))
        for (kind, then), (_, later) in both
        for name in sorted(then.keys() | later.keys())
        if then.get(name) != later.get(name)
    ]


def would_be_now(frozen: Record, now: Record | None) -> Record | None:
    """What is printed beside a frozen record, as JSON: the other record's id and statuses, and every difference."""
    if now is None:
        return None
    head = {name: now[name] for name in ("record_id", *DECIDED)}
    return {**head, "differences": [asdict(difference) for difference in differences(frozen, now)]}


def beside_lines(frozen: Record, now: Record | None) -> list[str]:
    """Lines that say that a record is frozen and what would be now where that differs."""
    if now is None:
        return [FROZEN_SENTENCE, "Would be now: nothing, as no folder of the community stands for it any more."]
    if frozen["record_id"] == now["record_id"]:
        return [FROZEN_SENTENCE, "Would be now: the same record."]
    found = differences(frozen, now)
    decided = [difference for difference in found if difference.kind == "decision"]
    head = "Would be now: " + ("; ".join(map(_words, decided)) if decided else "the same statuses, from other figures")
    return [FROZEN_SENTENCE, f"{head}.", *[f"  {_words(d)}." for d in found if d.kind != "decision"]]


def beside_outcome(found: Sequence[Difference] | None) -> list[str]:
    """The same for one outcome: its facts that are other today (None: nothing of it would stand)."""
    if found is None:
        return [FROZEN_SENTENCE, "Would be now: nothing, as no folder of the community stands for it any more."]
    if not found:
        return [FROZEN_SENTENCE, "Would be now: the same."]
    return [FROZEN_SENTENCE, "Would be now:", *[f"  {_words(d)}." for d in found]]


def _words(difference: Difference) -> str:
    kind = "" if difference.kind == "decision" else f"{difference.kind} "
    then, later = _text(difference.frozen), _text(difference.now)
    return f"{kind}{difference.name.replace('_', ' ') if not kind else difference.name} {later}, frozen as {then}"


def _text(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(_text(each) for each in value if each is not None) or "none"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else f"{value:.1f}"
    return "none" if value is None else str(value).replace("_", " ")


def _kinds(record: Record) -> Iterator[tuple[str, Facts]]:
    """Every kind of fact of a record, by name."""
    computed = record["computed"]
    yield "decision", {name: record[name] for name in DECIDED}
    yield "requirement", {row["requirement_id"]: [row["status"], row["actual"]] for row in record["requirements"]}
    verdict = ("trend_status", "gap_reduced") if "gaps" in computed else ("trend_status",)
    yield "outcome", {row["outcome_id"]: [row[name] for name in verdict] for row in computed.get("outcomes", [])}
    gap = ("indicator_id", "population_group_id")
    yield "gap", {" ".join(row[name] for name in gap): row["gap_status"] for row in computed.get("gaps", [])}
    yield "gateway", dict(computed.get("gateways", {}))
    yield "trend", {row["indicator_id"]: row["trend_status"] for row in computed.get("trends", [])}
    yield "rule", {name: record[name] for name in DECIDED_UNDER} | dict(record["parameters"])
    yield "value", dict(_values(record))
    yield "criterion", {row["criterion_id"]: row["status"] for row in _rows(record, "criteria")}
    yield "example", {row["example_id"]: row["status"] for row in _rows(record, "examples")}
    place = ("kind", "code")
    yield "decisions", {" ".join(row[n] for n in place): _rest(row, place) for row in _rows(record, "decisions")}
    yield "score", {f"{row['code']} {row['decided_on']}": row["score"] for row in _rows(record, "scores")}


def _rows(record: Record, part: str) -> list[Facts]:
    inputs = record["inputs"]
    return [dict(zip(inputs["columns"][part], row, strict=True)) for row in inputs.get(part, [])]


def _rest(row: Mapping[str, Any], place: Sequence[str]) -> list[Any]:
    return [value for name, value in row.items() if name not in place]


def _values(record: Record) -> Iterator[tuple[str, list[Any]]]:
    """Each point once: core points stand among those of gaps again. Where a value came from makes no difference."""
    for part in POINT_PARTS:
        for row in _rows(record, part):
            place = (row["indicator_id"], row["population_group_id"], row["school_year"], row["series"])
            yield " ".join(map(str, place)), [row["value"], row["left_out_reason"]]
