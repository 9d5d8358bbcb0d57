"""One outcome out of a determination record: its verdict, trends, gaps, points and the folders they came from.

Belongs here: restricting a record to an outcome, and what is other in the outcome today where the record is frozen.
Does not: words (explain), whole records (build, recompute), or any new figure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from dagster_project.lib.analysis.records.beside import DECIDED, Difference, differences
from dagster_project.lib.analysis.records.recompute import MAJORITY, Record
from dagster_project.lib.analysis.vocabulary import POINT_PARTS

HEAD = ("community_id", "reporting_year")
ABOUT = ("assessment_date", "ruleset_id", "ruleset_version", "record_id", "designation", "state")
SOURCE = ("submission_id", "source_file", "source_sheet", "source_row")
Folders = Mapping[str, int]
"""Submission to the reporting year of the folder it stood in."""


def outcome_record(record: Record, outcome_id: str, folders: Folders) -> Record:
    """What a record holds of one outcome: keys of HEAD, outcome_id, outcome, trends, gaps, points, sources,
    MAJORITY and ABOUT.

    `points` are those of the outcome's core indicators and of the groups whose gaps decide, each once, by indicator,
    group, school year and series; `sources` one line a file and row, by school year and folder year. Raises KeyError
    when the record does not hold the outcome.
    """
    found = [row for row in record["computed"].get("outcomes", []) if row["outcome_id"] == outcome_id]
    if not found:
        raise KeyError(f"the record of {record['designation']} holds no outcome {outcome_id}")
    trends = [t for t in record["computed"]["trends"] if t["outcome_id"] == outcome_id and t["role"] == "core"]
    names = {trend["indicator_id"] for trend in trends}
    points = [point | {"folder_year": folders.get(point["submission_id"])} for point in _points(record, names)]
    return {
        **{name: record[name] for name in HEAD},
        "outcome_id": outcome_id,
        "outcome": found[0],
        "trends": trends,
        "gaps": [gap for gap in record["computed"].get("gaps", []) if gap["indicator_id"] in names],
        "points": points,
        "sources": _sources(points),
        MAJORITY: float(record["parameters"][MAJORITY]),
        **{name: record[name] for name in ABOUT},
    }


def pooled_behind(one: Record, parts: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Of the districts' rows behind a community's sums those that an outcome's points are made of.

    one: `outcome_record`. parts: rows of fct_pooled_part as known in the record's reporting year. A point is a sum
    where it has no row of its own.
    """
    key = ("indicator_id", "population_group_id", "school_year", "series")
    sums = {tuple(point[name] for name in key) for point in one["points"] if point["source_row"] is None}
    return [dict(part) for part in parts if tuple(part[name] for name in key) in sums]


def outcome_would_be_now(frozen: Record, now: Record | None, outcome_id: str) -> Record | None:
    """Beside a frozen outcome: the other record's id and the facts of the outcome that are other today."""
    if now is None:
        return None
    return {"record_id": now["record_id"], "differences": [asdict(d) for d in _differences(frozen, now, outcome_id)]}


def outcome_beside(frozen: Record, now: Record | None, outcome_id: str) -> list[Difference] | None:
    """The facts of a frozen outcome that are other today; None where nothing of it would stand today."""
    return None if now is None else _differences(frozen, now, outcome_id)


def _differences(frozen: Record, now: Record, outcome_id: str) -> list[Difference]:
    return differences(_restricted(frozen, outcome_id), _restricted(now, outcome_id))


def _restricted(record: Record, outcome_id: str) -> Record:
    """The record in its own form, with nothing of other outcomes and of the designation."""
    computed = record["computed"]
    trends = [row for row in computed.get("trends", []) if row["outcome_id"] == outcome_id and row["role"] == "core"]
    names = {row["indicator_id"] for row in trends}
    inputs = record["inputs"]
    place = {part: columns.index("indicator_id") for part, columns in inputs["columns"].items() if part in POINT_PARTS}
    points = {part: [row for row in inputs[part] if row[at] in names] for part, at in place.items()}
    kept: dict[str, Any] = {
        "outcomes": [row for row in computed.get("outcomes", []) if row["outcome_id"] == outcome_id],
        "trends": trends,
        "gaps": [row for row in computed.get("gaps", []) if row["indicator_id"] in names],
    }
    columns = {**inputs["columns"], "criteria": [], "examples": [], "decisions": [], "scores": []}
    return record | {
        **dict.fromkeys(DECIDED),
        "requirements": [],
        "computed": kept,
        "inputs": {"columns": columns, **points},
    }


def _points(record: Record, names: set[str]) -> list[dict[str, Any]]:
    """Points of these indicators, each once: those of the total stand in two parts of a record."""
    found: dict[tuple[Any, ...], dict[str, Any]] = {}
    for part in ("core", "gap"):
        columns = record["inputs"]["columns"].get(part, [])
        for values in record["inputs"].get(part, []):
            row = dict(zip(columns, values, strict=True))
            if row["indicator_id"] in names:
                key = (row["indicator_id"], row["population_group_id"] != "all", row["population_group_id"])
                found[*key, row["school_year"], row["series"]] = row
    return [found[key] for key in sorted(found)]


def _sources(points: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Where the points came from, each file and row once, in the order of years."""
    lines = {
        (p["school_year"], p["folder_year"] or 0, *(str(p[name]) for name in SOURCE[1:3]), p["source_row"] or 0): {
            name: p[name] for name in ("school_year", "folder_year", *SOURCE)
        }
        for p in points
        if p["source_file"]
    }
    return [lines[key] for key in sorted(lines)]
