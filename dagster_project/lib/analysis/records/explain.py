"""A determination record in plain words.

Belongs here: turning one record into lines that a member can read and check by hand.
Does not: deciding anything, reading tables, or layout for screens and pages.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dagster_project.lib.analysis.records.recompute import Record
from dagster_project.lib.analysis.vocabulary import POINT_PARTS, VALID_LEFT_OUT

STATUS_WORDS = {"met": "met", "not_met": "not met", "undetermined": "undetermined"}


def explain_record(record: Record, outcome_id: str | None = None, beside: Sequence[str] = ()) -> list[str]:
    """Lines that say what was decided, on which figures, and what was left out; one outcome's only when named.

    `beside`: lines to stand below the heading, for example what would be now. Raises KeyError when the record does not
    hold the outcome.
    """
    if outcome_id is not None:
        return [*_heading(record), *beside, *_outcome_lines(record, outcome_id), *_footing(record)]
    lines = [*_heading(record), *beside, *_requirement_lines(record)]
    lines += _gateway_lines(record)
    for row in record["computed"].get("outcomes", []):
        lines += ["", *_outcome_lines(record, row["outcome_id"])]
    adjacent = [row for row in record["computed"].get("trends", []) if row["role"] == "adjacent"]
    lines += [line for row in adjacent for line in ["", *_trend_lines(record, row)]]
    return [*lines, *_example_lines(record), *_footing(record)]


def _heading(record: Record) -> list[str]:
    where = f"{record['community_id']}, {record['designation']}, reporting year {record['reporting_year']}"
    decided = f"Computed: {_words(record['status'])}. Decided: {_words(record['standing'])}"
    if record["decided_on"]:
        decided += f", last decision on {record['decided_on']}"
    if record["next_review_due"]:
        decided += f", next review due {record['next_review_due']}"
    return [
        where,
        f"As of {record['assessment_date']}, ruleset {record['ruleset_id']} {record['ruleset_version']}.",
        f"{decided}.",
    ]


def _words(code: str | None) -> str:
    return "no status" if code is None else code.replace("_", " ")


def _figure(value: float | None) -> str:
    if value is None:
        return "none"
    return str(int(value)) if float(value).is_integer() else f"{value:.1f}"


def _requirement_lines(record: Record) -> list[str]:
    lines = ["", "Requirements:"]
    for row in record["requirements"]:
        figures = f"{_figure(row['actual'])} against {_figure(row['required'])} required"
        status = STATUS_WORDS[row["status"]]
        lines.append(
            f"  [{status}] {row['statement']}: {figures}. {_sentence(row['evidence'])} ({row['requirement_id']})"
        )
    return lines


def _per_year(unit: str) -> str:
    """What a slope of this unit is counted in."""
    return "percentage points" if unit == "percent" else unit.replace("_", " ")


def _sentence(text: str | None) -> str:
    return f"{text[:1].upper()}{text[1:]}." if text else ""


def _gateway_lines(record: Record) -> list[str]:
    gateways = record["computed"].get("gateways")
    if not gateways:
        return []
    lines = [
        "",
        "Gateways, computed: " + ", ".join(f"{name} {_words(state)}" for name, state in gateways.items()) + ".",
    ]
    names = record["inputs"]["columns"]["criteria"]
    rows = [dict(zip(names, row, strict=True)) for row in record["inputs"]["criteria"]]
    for state in ("not_met", "undetermined"):
        found = [row["criterion_id"] for row in rows if row["status"] == state and row["criterion_id"].count(".") == 2]
        if found:
            lines.append(f"  Criteria {_words(state)}: {', '.join(sorted(found, key=_criterion_order))}.")
    overrides = [row["criterion_id"] for row in rows if row["reason"] == "override"]
    if overrides:
        lines.append(f"  Met by a reviewer's override: {', '.join(overrides)}.")
    return lines


def _criterion_order(criterion_id: str) -> list[tuple[int, str]]:
    return [(int(part), "") if part.isdigit() else (0, part) for part in criterion_id.split(".")]


def _outcome_lines(record: Record, outcome_id: str) -> list[str]:
    found = [row for row in record["computed"].get("outcomes", []) if row["outcome_id"] == outcome_id]
    if not found:
        raise KeyError(f"the record of {record['designation']} holds no outcome {outcome_id}")
    (row,) = found
    deciding = row["deciding_indicator_id"]
    by = f"decided by {deciding}" if deciding else "decided by the majority of its core indicators"
    text = f"Outcome {outcome_id}: {_words(row['trend_status'])}, {by}"
    if "gaps" in record["computed"]:
        text += f"; gaps reduced: {_words(row['gap_reduced'])}"
    lines = [f"{text}."]
    trends = [t for t in record["computed"]["trends"] if t["outcome_id"] == outcome_id and t["role"] == "core"]
    for trend in trends:
        lines += [f"  {line}" for line in _trend_lines(record, trend)]
        gaps = [g for g in record["computed"].get("gaps", []) if g["indicator_id"] == trend["indicator_id"]]
        lines += [f"  {_gap_line(gap)}" for gap in gaps]
    return lines


def _trend_lines(record: Record, row: Mapping[str, Any]) -> list[str]:
    name, state = row["indicator_id"], _words(row["trend_status"])
    if row["slope"] is None:
        head = f"{name}: {state}, because {_words(row['reason'] or 'no_data')}."
    else:
        better = {1: "higher is better", -1: "lower is better"}.get(row["direction"], "no direction")
        span = f"{row['first_year']}-{row['last_year']} ({row['n_years']} years)"
        head = f"{name}: {state}, slope {row['slope']:+.3f} {_per_year(row['unit'])} a year over {span}, {better}."
    points = _points(record, name)
    used = [point for point in points if point["left_out_reason"] is None]
    left = [point for point in points if point["left_out_reason"] is not None]
    lines = [head]
    if used:
        lines.append("  Used: " + ", ".join(_point_words(point) for point in used) + ".")
        sources = sorted(
            {f"{p['source_file']} row {p['source_row']} ({p['submission_id']})" for p in used if p["source_file"]}
        )
        if sources:
            lines.append("  From: " + "; ".join(sources) + ".")
    if left:
        lines.append("  Left out: " + ", ".join(_left_out_words(point) for point in left) + ".")
    return lines


def _points(record: Record, indicator: str) -> list[dict[str, Any]]:
    rows = []
    for part in POINT_PARTS:
        if part != "gap" and part in record["inputs"]:
            names = record["inputs"]["columns"][part]
            rows += [dict(zip(names, row, strict=True)) for row in record["inputs"][part]]
    mine = [row for row in rows if row["indicator_id"] == indicator]
    return sorted(mine, key=lambda row: (row["school_year"], row["series"]))


def _point_words(point: Mapping[str, Any]) -> str:
    count = f" (n {point['denominator']})" if point["denominator"] is not None else ""
    return f"{point['school_year']} {point['value']:.1f}{count}"


def _left_out_words(point: Mapping[str, Any]) -> str:
    reason = _words(point["left_out_reason"])
    shown = point["value"] is not None and point["left_out_reason"] in VALID_LEFT_OUT
    value = f" {point['value']:.1f}" if shown else ""
    return f"{point['school_year']}{value} [{point['series']}] ({reason})"


def _gap_line(gap: Mapping[str, Any]) -> str:
    who = f"Gap of {gap['population_group_id']} to {gap['reference_group_id']}"
    if gap["group_slope"] is None:
        return f"{who}: {_words(gap['gap_status'])}, because {_words(gap['reason'] or 'no_data')}."
    span = f"{gap['first_year']}-{gap['last_year']} ({gap['n_years']} years)"
    slopes = f"{gap['group_slope']:+.3f} a year against {gap['reference_slope']:+.3f}"
    return f"{who}: {_words(gap['gap_status'])}, {slopes} over {span}."


def _example_lines(record: Record) -> list[str]:
    rows = record["inputs"].get("examples", [])
    if not rows:
        return []
    names = record["inputs"]["columns"]["examples"]
    lines = ["", "Systems-change examples:"]
    for row in (dict(zip(names, values, strict=True)) for values in rows):
        first = row["first_evidenced_on"] or "an unknown day"
        lines.append(f"  {row['example_id']}: {row['status']}, first shown on {first}.")
    return lines


def _footing(record: Record) -> list[str]:
    from_where = ", ".join(record["submissions"]) or "no submission with figures"
    name = f"Record {record['record_id']} ({record['state']})"
    return ["", f"Submissions: {from_where}.", f"{name} holds all of this and can be decided again by itself."]
