"""A determination record in plain words.

Belongs here: turning one record into lines that a member can read and check by hand.
Does not: deciding anything, reading tables, or layout for screens and pages.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dagster_project.lib.analysis.records.one_outcome import Folders, outcome_record
from dagster_project.lib.analysis.records.recompute import MAJORITY, Record, gaps_counted
from dagster_project.lib.analysis.vocabulary import POINT_PARTS, VALID_LEFT_OUT

STATUS_WORDS = {"met": "met", "not_met": "not met", "undetermined": "undetermined"}


def explain_record(record: Record, folders: Folders, beside: Sequence[str] = ()) -> list[str]:
    """Lines that say what was decided, on which figures, and what was left out.

    `folders` say which reporting year's folder each submission stood in; `beside` are lines to stand below the heading,
    for example what would be now.
    """
    lines = [*_heading(record), *beside, *_requirement_lines(record)]
    lines += _gateway_lines(record)
    for row in record["computed"].get("outcomes", []):
        lines += ["", *_outcome_lines(outcome_record(record, row["outcome_id"], folders), "gaps" in record["computed"])]
    adjacent = [row for row in record["computed"].get("trends", []) if row["role"] == "adjacent"]
    for row in adjacent:
        points = [p | {"folder_year": folders.get(p["submission_id"])} for p in _points(record, row["indicator_id"])]
        lines += ["", *_trend_lines(row, points)]
    return [*lines, *_example_lines(record), *_footing(record)]


def pooled_lines(parts: Sequence[Mapping[str, Any]]) -> list[str]:
    """The districts' rows behind values that were added up (rows of fct_pooled_part), a line for each value."""
    by_value: dict[tuple[Any, ...], list[str]] = {}
    for part in parts:
        key = (part["indicator_id"], part["population_group_id"], part["school_year"], part["series"])
        place = f"folder {part['reporting_year']} {part['source_file']} row {part['source_row']}"
        counts = f"{part['numerator']} of {part['denominator']}"
        by_value.setdefault(key, []).append(f"{part['geography_id']} {counts}, {place} ({part['submission_id']})")
    lines = [
        f"  {indicator}, {group}, {year} [{series}]: {'; '.join(rows)}."
        for (indicator, group, year, series), rows in by_value.items()
    ]
    return ["", "Values added up from districts:", *lines] if lines else []


def explain_outcome(one: Record, beside: Sequence[str] = ()) -> list[str]:
    """Lines about one outcome alone (one_outcome.outcome_record); `beside` stands below the heading."""
    heading = [
        f"{one['community_id']}, {one['outcome_id']}, reporting year {one['reporting_year']}",
        f"As of {one['assessment_date']}, ruleset {one['ruleset_id']} {one['ruleset_version']}.",
    ]
    name = f"Record {one['record_id']} ({one['state']}) of {one['designation']}"
    pooled = pooled_lines(one.get("pooled_parts", []))
    return [*heading, *beside, "", *_outcome_lines(one, True), *pooled, "", f"{name} holds all of this."]


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


def _outcome_lines(one: Record, with_gaps: bool) -> list[str]:
    row = one["outcome"]
    deciding = row["deciding_indicator_id"]
    majority = "decided by the majority of its core indicators" if one["trends"] else "because it has no core indicator"
    by = f"decided by {deciding}" if deciding else majority
    text = f"Outcome {one['outcome_id']}: {_words(row['trend_status'])}, {by}"
    if with_gaps:
        text += f"; gaps reduced: {_words(row['gap_reduced'])}"
    lines = [f"{text}."]
    for trend in one["trends"]:
        mine = [p for p in one["points"] if p["indicator_id"] == trend["indicator_id"]]
        lines += [f"  {line}" for line in _trend_lines(trend, [p for p in mine if p["population_group_id"] == "all"])]
        gaps = [g for g in one["gaps"] if g["indicator_id"] == trend["indicator_id"]]
        pairs = [_pairs(gap, mine) for gap in gaps]
        for gap, made_of in zip(gaps, pairs, strict=True):
            lines += [f"  {_gap_line(gap, trend['direction'])}", *_pair_lines(made_of, trend["direction"])]
        lines += [f"  {line}" for line in _verdict_lines(gaps, one[MAJORITY])]
        lines += [f"    {line}" for line in _group_lines(mine, gaps, pairs)] if gaps else []
    return lines


Point = Mapping[str, Any]
Pair = tuple[Point, Point]


def _pairs(gap: Mapping[str, Any], points: Sequence[Point]) -> list[Pair]:
    """The points of group and reference that a gap was made of, year by year; none where it is undetermined.

    Its years are those in which both have a valid point of one series, so they may be fewer than those of either
    one's own trend, or others.
    """
    if gap["group_slope"] is None:
        return []
    valid = [p for p in points if p["left_out_reason"] is None or p["left_out_reason"] in VALID_LEFT_OUT]
    ours, theirs = (
        {(p["series"], p["school_year"]): p for p in valid if p["population_group_id"] == gap[who]}
        for who in ("population_group_id", "reference_group_id")
    )
    years: dict[str, list[Pair]] = {}
    for series, year in sorted(ours.keys() & theirs.keys()):
        if gap["first_year"] <= year <= gap["last_year"]:
            years.setdefault(series, []).append((ours[series, year], theirs[series, year]))
    whole = [pairs for pairs in years.values() if len(pairs) == gap["n_years"]]
    return whole[-1] if whole else []


def _pair_lines(pairs: Sequence[Pair], direction: int) -> list[str]:
    """Value against value and the gap between them, so that its class can be followed."""
    words = [
        f"{ours['school_year']} {ours['value']:.1f} against {theirs['value']:.1f},"
        f" gap {direction * (theirs['value'] - ours['value']):.1f}"
        for ours, theirs in pairs
    ]
    return [f"    {'; '.join(words)}."] if words else []


def _verdict_lines(gaps: Sequence[Mapping[str, Any]], share: float) -> list[str]:
    """How many of the gaps that count are reduced, in a line; a group without a gap at its start counts neither way.

    share: 0 to 1, of which more must be reduced.
    """
    if not gaps:
        return []
    reduced, counting = gaps_counted([gap["gap_status"] for gap in gaps])
    if not counting:
        return ["No gap counts: each is undetermined, reversed, or none at its start."]
    return [f"Reduced: {reduced} of {counting} that count; more than {share:.0%} must be."]


def _group_lines(
    points: Sequence[Point], gaps: Sequence[Mapping[str, Any]], pairs: Sequence[Sequence[Pair]]
) -> list[str]:
    """Where the values of groups that gaps were made of came from, a line a group; what an undetermined one lacked."""
    made_of = {_place(point) for each in pairs for pair in each for point in pair}
    open_ones = {gap["population_group_id"] for gap in gaps if gap["group_slope"] is None}
    lines = []
    for group in dict.fromkeys(p["population_group_id"] for p in points if p["population_group_id"] != "all"):
        mine = [p for p in points if p["population_group_id"] == group]
        used = [p for p in mine if p["left_out_reason"] is None or _place(p) in made_of]
        left = [p for p in mine if p["left_out_reason"] is not None and group in open_ones]
        told = [f"{', '.join(map(_point_words, used))}."] if used else []
        told += [words] if (words := _from_where(used)) else []
        told += [f"Left out: {', '.join(map(_left_out_words, left))}."] if left else []
        lines += [f"{group}: {' '.join(told)}"] if told else []
    return lines


def _place(point: Point) -> tuple[Any, ...]:
    return point["population_group_id"], point["series"], point["school_year"]


def _trend_lines(row: Mapping[str, Any], points: Sequence[Mapping[str, Any]]) -> list[str]:
    name, state = row["indicator_id"], _words(row["trend_status"])
    if row["slope"] is None:
        head = f"{name}: {state}, because {_words(row['reason'] or 'no_data')}."
    else:
        better = {1: "higher is better", -1: "lower is better"}.get(row["direction"], "no direction")
        span = f"{row['first_year']}-{row['last_year']} ({row['n_years']} years)"
        head = f"{name}: {state}, slope {row['slope']:+.3f} {_per_year(row['unit'])} a year over {span}, {better}."
    used = [point for point in points if point["left_out_reason"] is None]
    left = [point for point in points if point["left_out_reason"] is not None]
    lines = [head]
    if used:
        lines.append("  Used: " + ", ".join(_point_words(point) for point in used) + ".")
        if sources := _from_where(used):
            lines.append(f"  {sources}")
    if left:
        lines.append("  Left out: " + ", ".join(_left_out_words(point) for point in left) + ".")
    return lines


def _from_where(points: Sequence[Mapping[str, Any]]) -> str:
    """Folder year, file and row of each point in the order of school years; nothing where none has a row of its own."""
    ordered = sorted((p for p in points if p["source_file"]), key=lambda p: (p["school_year"], p["source_file"]))
    words = [
        f"{p['school_year']} folder {p['folder_year'] or 'unknown'} {p['source_file']} row {p['source_row']}"
        f" ({p['submission_id']})"
        for p in ordered
    ]
    return "From: " + "; ".join(dict.fromkeys(words)) + "." if words else ""


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


def _gap_line(gap: Mapping[str, Any], direction: int) -> str:
    who = f"Gap of {gap['population_group_id']} to {gap['reference_group_id']}"
    if gap["group_slope"] is None:
        return f"{who}: {_words(gap['gap_status'])}, because {_words(gap['reason'] or 'no_data')}."
    span = f"{gap['first_year']}-{gap['last_year']} ({gap['n_years']} years)"
    slopes = f"{gap['group_slope']:+.3f} a year against {gap['reference_slope']:+.3f}"
    # Slopes of gaps count what is better as more, those of trends are as the values run.
    turned = ", a fall counted as +" if direction < 0 else ""
    return f"{who}: {_words(gap['gap_status'])}, {slopes} over {span}{turned}."


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
