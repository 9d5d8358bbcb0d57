"""Determination records: their identity, and writing one out with everything it was decided from.

Belongs here: a record's head and id, its body, the ids of all determinations at once, whether a record is its id's.
Does not: what the inputs are (inputs), deciding again (recompute), words for people (explain), storing or freezing.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import polars as pl

from dagster_project.lib.analysis.records.inputs import (
    CRITERION_COLUMNS,
    DECISION_COLUMNS,
    EXAMPLE_COLUMNS,
    POINT_COLUMNS,
    SCORE_COLUMNS,
    RecordInputs,
    deciding_gaps,
    input_rows,
)
from dagster_project.lib.analysis.records.recompute import Record
from dagster_project.lib.analysis.rubric import criteria, designations
from dagster_project.lib.analysis.rubric.editions import edition_of
from dagster_project.lib.analysis.rubric.registers import AT
from dagster_project.lib.analysis.vocabulary import POINT_PARTS, PROVISIONAL

RECORD_FORMAT = 1
ID_LENGTH = 16
SCALE = 1e9


def _line(columns: Iterable[str], frame: pl.DataFrame) -> pl.Expr:
    """A row as one line of text: floats as whole billionths, so that text never depends on a float's printing."""
    parts = []
    for name in columns:
        column = pl.col(name)
        if frame.schema[name].is_float():
            column = (column * SCALE + 0.5).floor().cast(pl.Int64)
        parts.append(column.cast(pl.String).fill_null(""))
    return pl.concat_str(parts, separator="|")


def _line_of(row: Sequence[Any]) -> str:
    """The same line from a record's row."""
    return "|".join(_text_of(value) for value in row)


def _text_of(value: Any) -> str:
    if value is None:
        return ""
    return str(int((value * SCALE + 0.5) // 1)) if isinstance(value, float) else str(value)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)


def part_digests(parts: Mapping[str, pl.DataFrame]) -> dict[tuple[str, str, int], str]:
    """(part, community, reporting year) -> sha256 of the part's lines; nothing where a part has no row there."""
    found: dict[tuple[str, str, int], str] = {}
    for name, frame in parts.items():
        columns = [column for column in frame.columns if column not in AT]
        lines = frame.select(*AT, _line(columns, frame).alias("line"))
        texts = lines.group_by(AT, maintain_order=True).agg(pl.col("line").str.join("\n"))
        for community, year, text in texts.iter_rows():
            found[name, community, year] = _digest(text)
    return found


def identity(head: Mapping[str, Any]) -> str:
    """A record's id: the first 16 hex digits of sha256 over the canonical JSON of its head.

    The head holds the statuses, the requirements' figures and a digest of every input, so the id speaks for the whole
    record, yet ids of all rows can be had without writing out their records.
    """
    return _digest(_canonical(head))[:ID_LENGTH]


def _heads(inputs: RecordInputs, rows: pl.DataFrame, digests: Mapping[tuple[str, str, int], str]) -> list[Record]:
    """Heads of rows of fct_designation, in their order."""
    required = inputs.tables["fct_designation_requirement"]
    keys = ["community_id", "designation", "reporting_year"]
    judged: dict[tuple[str, str, int], list[list[Any]]] = {}
    for row in required.sort(*keys, "requirement_id").iter_rows(named=True):
        place = (row["community_id"], row["designation"], row["reporting_year"])
        judged.setdefault(place, []).append([row[name] for name in ("requirement_id", "required", "actual", "status")])
    parameters = _digest(_canonical(inputs.parameters))
    heads = []
    for row in rows.iter_rows(named=True):
        community, name, year = (row[key] for key in keys)
        heads.append(
            {
                **{key: _plain(row[key]) for key in (*keys, *_DECIDED)},
                "ruleset": [inputs.context.ruleset.ruleset_id, inputs.context.ruleset.ruleset_version, parameters],
                "requirements": judged.get((community, name, year), []),
                "inputs": {part: digests.get((part, community, year), "") for part in inputs.parts[name]},
            }
        )
    return heads


_DECIDED = ("status", "standing", "decided_on", "next_review_due")


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, dt.date) else value


def with_record_ids(inputs: RecordInputs) -> pl.DataFrame:
    """fct_designation: the table of that name in `inputs.tables` with record_id, rows and order kept."""
    rows = inputs.tables["fct_designation"].drop("record_id", strict=False)
    heads = _heads(inputs, rows, part_digests(input_rows(inputs)))
    column = pl.Series("record_id", [identity(head) for head in heads], dtype=pl.String)
    place = rows.columns.index("next_review_due") + 1
    return rows.select(rows.columns[:place]).with_columns(column).hstack(rows.select(rows.columns[place:]))


def build_record(inputs: RecordInputs, community_id: str, designation: str, reporting_year: int) -> Record:
    """One record. Raises KeyError when there is no such row of fct_designation."""
    rows = inputs.tables["fct_designation"].filter(
        community_id=community_id, designation=designation, reporting_year=reporting_year
    )
    if not rows.height:
        raise KeyError(f"no determination of {designation} for {community_id} in {reporting_year}")
    return _records(inputs, rows, [reporting_year])[0]


def build_records(inputs: RecordInputs, reporting_year: int) -> list[Record]:
    """The records of one reporting year, by community and designation."""
    rows = inputs.tables["fct_designation"].filter(pl.col("reporting_year") == reporting_year)
    return _records(inputs, rows.sort("community_id", "designation"), [reporting_year])


def _records(inputs: RecordInputs, rows: pl.DataFrame, years: Sequence[int]) -> list[Record]:
    parts = input_rows(inputs, years)
    heads = _heads(inputs, rows, part_digests(parts))
    tables = {name: _by_place(frame) for name, frame in parts.items()}
    tables |= {f"fct:{name}": _by_place(frame) for name, frame in _figures(inputs, years).items()}
    traits = {row["indicator_id"]: row for row in inputs.context.indicators.iter_rows(named=True)}
    required = _requirement_rows(inputs, years)
    return [_record(inputs, head, tables, traits) | {"requirements": required[_place(head)]} for head in heads]


def _place(head: Record) -> tuple[str, str, int]:
    return head["community_id"], head["designation"], head["reporting_year"]


def _figures(inputs: RecordInputs, years: Sequence[int]) -> dict[str, pl.DataFrame]:
    """What was computed from the inputs, for comparison with what a record gives by itself."""
    own = (pl.col("geography_id") == pl.col("community_id")) & (pl.col("population_group_id") == "all")
    tables = {
        "trend": inputs.tables["fct_trend"].filter(own),
        "gap": deciding_gaps(inputs),
        "outcome": inputs.tables["fct_outcome_status"],
        "gateway": inputs.tables["fct_gateway_step"],
        "core": designations.core_indicators(inputs.context),
        "adjacent": designations.adjacent_indicators(inputs.context, inputs.tables),
    }
    wanted = pl.col("reporting_year").is_in(list(years))
    return {
        name: frame.with_columns(pl.col("reporting_year").cast(pl.Int32)).filter(wanted)
        for name, frame in tables.items()
    }


Places = dict[tuple[str, int], pl.DataFrame]


def _by_place(frame: pl.DataFrame) -> Places:
    parts = frame.partition_by(AT, as_dict=True, maintain_order=True)
    return {(str(key[0]), int(key[1])): part for key, part in parts.items()}


def _record(
    inputs: RecordInputs, head: Record, tables: Mapping[str, Places], traits: Mapping[str, Mapping[str, Any]]
) -> Record:
    name, place = head["designation"], (head["community_id"], head["reporting_year"])
    parts = inputs.parts[name]
    given = {part: _rows_of(tables[part].get(place)) for part in parts}
    body: Record = {"columns": {part: list(_COLUMNS[part]) for part in parts}, **given}
    computed: Record = {}
    if "core" in parts or "adjacent" in parts:
        computed["trends"] = _trends(tables, place, parts, traits)
    if "core" in parts:
        computed["outcomes"] = _outcomes(tables, place)
    if "gap" in parts:
        computed["gaps"] = _gaps(tables, place)
    if "criteria" in parts:
        computed["gateways"] = _gateways(tables, place, inputs.context.ruleset.codes("gateway.order"))
        body["rubric"] = _rubric_logic(inputs, place[1])
    if "examples" in parts:
        body["registers_present"] = {"examples": _has_register(inputs, "examples", place)}
    assessed = min(dt.date(place[1], 12, 31), _today(inputs))
    submissions = {row[_COLUMNS[part].index("submission_id")] for part in POINT_PARTS for row in given.get(part, [])}
    return {
        "record_id": identity(head),
        "record_format": RECORD_FORMAT,
        # Whoever freezes a cycle says so here; the id does not change with it.
        "state": PROVISIONAL,
        **{key: head[key] for key in ("community_id", "designation", "reporting_year", *_DECIDED)},
        "assessment_date": assessed.isoformat(),
        "ruleset_id": inputs.context.ruleset.ruleset_id,
        "ruleset_version": inputs.context.ruleset.ruleset_version,
        "parameters": inputs.parameters,
        "rules": inputs.rules[name],
        "review": inputs.reviews[name],
        "computed": computed,
        "inputs": body,
        "submissions": sorted(submissions - {None}),
        "head": head,
    }


_COLUMNS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(POINT_PARTS, POINT_COLUMNS),
    "criteria": CRITERION_COLUMNS,
    "examples": EXAMPLE_COLUMNS,
    "decisions": DECISION_COLUMNS,
    "scores": SCORE_COLUMNS,
}


def _has_register(inputs: RecordInputs, name: str, place: tuple[str, int]) -> bool:
    present = inputs.context.present.get(name)
    if present is None:
        return False
    return present.filter(community_id=place[0], reporting_year=place[1]).height > 0


def _today(inputs: RecordInputs) -> dt.date:
    latest = inputs.context.scaffold["assessment_date"].max()
    assert isinstance(latest, dt.date)
    return latest


def _rows_of(frame: pl.DataFrame | None) -> list[list[Any]]:
    if frame is None:
        return []
    return [[_plain(value) for value in row] for row in frame.drop(AT).iter_rows()]


def _named(frame: pl.DataFrame | None, columns: Sequence[str]) -> list[Record]:
    if frame is None:
        return []
    return [{key: _plain(value) for key, value in row.items()} for row in frame.select(columns).iter_rows(named=True)]


def _trends(
    tables: Mapping[str, Places], place: tuple[str, int], parts: Sequence[str], traits: Mapping[str, Mapping[str, Any]]
) -> list[Record]:
    """Every core or adjacent indicator with its trend, also those without a single point."""
    columns = [
        "indicator_id",
        "trend_status",
        "reason",
        "slope",
        "adjusted_slope",
        "first_year",
        "last_year",
        "n_years",
    ]
    known = {row["indicator_id"]: row for row in _named(tables["fct:trend"].get(place), columns)}
    rows = []
    for part in ("core", "adjacent"):
        if part not in parts:
            continue
        for member in _named(tables[f"fct:{part}"].get(place), ["indicator_id", "outcome_id"]):
            blank = dict.fromkeys(columns) | {"trend_status": "undetermined", "reason": "no_data", "n_years": 0}
            trend = known.get(member["indicator_id"], blank)
            direction = int(traits[member["indicator_id"]]["direction"])
            unit = traits[member["indicator_id"]]["unit"]
            rows.append({**trend, **member, "role": part, "direction": direction, "unit": unit})
    return rows


def _outcomes(tables: Mapping[str, Places], place: tuple[str, int]) -> list[Record]:
    columns = ["outcome_id", "trend_status", "gap_reduced", "deciding_indicator_id", "reason"]
    rows = _named(tables["fct:outcome"].get(place), columns)
    return sorted(rows, key=lambda row: str(row["outcome_id"]))


def _gaps(tables: Mapping[str, Places], place: tuple[str, int]) -> list[Record]:
    columns = ["indicator_id", "population_group_id", "reference_group_id", "gap_status", "reason", "group_slope"]
    return _named(tables["fct:gap"].get(place), [*columns, "reference_slope", "first_year", "last_year", "n_years"])


def _gateways(tables: Mapping[str, Places], place: tuple[str, int], order: Sequence[str]) -> dict[str, str]:
    found = {row["gateway"]: row["status"] for row in _named(tables["fct:gateway"].get(place), ["gateway", "status"])}
    return {name: found[name] for name in order}


def _rubric_logic(inputs: RecordInputs, reporting_year: int) -> dict[str, list[Any]]:
    """Criteria with children: logic, how many are needed (null: all), the mandatory child."""
    rows = criteria.typed_rubric(edition_of(inputs.rubric, reporting_year)).filter(
        pl.col("logic").str.ends_with("all_of") | pl.col("logic").str.ends_with("n_of_m")
    )
    return {
        row["criterion_id"]: [
            row["logic"],
            inputs.context.ruleset.needed(row["n_parameter"]) if row["n_parameter"] else None,
            row["mandatory_child"],
        ]
        for row in rows.iter_rows(named=True)
    }


def _requirement_rows(inputs: RecordInputs, years: Sequence[int]) -> dict[tuple[str, str, int], list[Record]]:
    """(community, designation, year) -> its requirements, by id."""
    table = inputs.tables["fct_designation_requirement"].filter(pl.col("reporting_year").is_in(list(years)))
    columns = ["requirement_id", "required", "actual", "status", "n_undetermined", "n_members"]
    columns += ["evidence", "reason", "statement"]
    found: dict[tuple[str, str, int], list[Record]] = {}
    for row in table.sort("requirement_id").iter_rows(named=True):
        place = (row["community_id"], row["designation"], row["reporting_year"])
        found.setdefault(place, []).append({name: row[name] for name in columns})
    return found


def verify(record: Record) -> bool:
    """Whether the record is the one its id names: inputs, statuses and figures unchanged."""
    head = record["head"]
    digests = {}
    for part in head["inputs"]:
        rows = record["inputs"][part]
        digests[part] = _digest("\n".join(_line_of(row) for row in rows)) if rows else ""
    judged = [
        [row[key] for key in ("requirement_id", "required", "actual", "status")] for row in record["requirements"]
    ]
    ruleset = [record["ruleset_id"], record["ruleset_version"], _digest(_canonical(record["parameters"]))]
    same = all(head[key] == record[key] for key in ("community_id", "designation", "reporting_year", *_DECIDED))
    return (
        same
        and digests == head["inputs"]
        and judged == head["requirements"]
        and ruleset == head["ruleset"]
        and identity(head) == record["record_id"]
    )
