"""Determination records: everything a designation was decided from, and deciding it again from that alone.

Belongs here: collecting a record's inputs, its identity, recomputing its statuses without any table.
Does not: words for people (explain), storing or freezing records (publish), or new figures.
"""

from __future__ import annotations

import calendar
import datetime as dt
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import polars as pl

from dagster_project.lib.analysis.figures.gap import REDUCED, WITHOUT_VERDICT
from dagster_project.lib.analysis.figures.standing import BURDENED
from dagster_project.lib.analysis.figures.trend import PERCENT, VALID_LEFT_OUT
from dagster_project.lib.analysis.rubric import criteria, designations, facts, gateways
from dagster_project.lib.analysis.rubric.criteria import MET, NOT_MET, STATUSES, UNDETERMINED
from dagster_project.lib.analysis.rubric.facts import AT, FactContext, Tables
from dagster_project.lib.analysis.rubric.gateways import last_decisions

Record = dict[str, Any]
"""JSON-able: text, numbers, booleans, null, lists and objects only."""

RECORD_FORMAT = 1
PROVISIONAL, FROZEN = "provisional", "frozen"
ID_LENGTH = 16
POINT_COLUMNS = (
    "indicator_id",
    "population_group_id",
    "series",
    "school_year",
    "value",
    "numerator",
    "denominator",
    "left_out_reason",
    "submission_id",
    "source_file",
    "source_sheet",
    "source_row",
)
EXAMPLE_COLUMNS = ("example_id", "status", "first_evidenced_on", "as_of", "submission_id")
DECISION_COLUMNS = ("kind", "code", "decision", "decided_on")
SCORE_COLUMNS = ("code", "score", "decided_on")
CRITERION_COLUMNS = ("criterion_id", "status", "own_status", "reason")
# The parameters a record carries: those that its statuses depend on.
PARAMETER_SECTIONS = ("trend", "gap", "outcome", "numeric", "gateway", "designation")
# Which inputs each measure of a requirement is decided from.
PARTS_OF_MEASURE: dict[str, tuple[str, ...]] = {
    "core_indicator_trends": ("core",),
    "outcome_trends": ("core",),
    "outcome_gaps": ("core", "gap"),
    "adjacent_trends": ("adjacent",),
    "gateways_met": ("criteria",),
    "earlier_examples": ("examples",),
    "additional_examples": ("examples",),
    "score": ("scores",),
    "active_proof_point": (),
}
POINT_PARTS = ("core", "adjacent", "gap")
SCALE = 1e9


@dataclass(frozen=True)
class RecordInputs:
    """Everything records are made from.

    tables: fct_trend, fct_trend_point, fct_gap, fct_outcome_status, fct_criterion_status, fct_gateway_status,
    fct_designation (without ids), fct_designation_requirement. rubric, requirements, designations: the rubric seeds.
    """

    context: FactContext
    tables: Tables
    rubric: pl.DataFrame
    requirements: pl.DataFrame
    designations: pl.DataFrame

    @cached_property
    def rules(self) -> dict[str, list[dict[str, Any]]]:
        """designation -> its requirements, with thresholds and codes filled in from the parameters."""
        rows = designations.ruleset_rows(self.requirements, self.context.ruleset_id).iter_rows(named=True)
        found: dict[str, list[dict[str, Any]]] = {}
        for row in rows:
            found.setdefault(row["designation"], []).append(_rule(self.context, row))
        return found

    @cached_property
    def parts(self) -> dict[str, tuple[str, ...]]:
        """designation -> names of the inputs it is decided from; decisions belong to every one."""
        return {
            name: tuple(sorted({part for rule in rules for part in PARTS_OF_MEASURE[rule["measure"]]} | {"decisions"}))
            for name, rules in self.rules.items()
        }

    @cached_property
    def reviews(self) -> dict[str, dict[str, Any]]:
        """designation -> codes of its decisions and the months of its review cycle."""
        rows = designations.ruleset_rows(self.designations, self.context.ruleset_id).iter_rows(named=True)
        return {row["designation"]: _review(self.context, row) for row in rows}

    @cached_property
    def parameters(self) -> dict[str, str | float | None]:
        """The parameters that statuses depend on, sorted by name."""
        given = self.context.parameters
        return {name: given[name] for name in sorted(given) if name.partition(".")[0] in PARAMETER_SECTIONS}


def _rule(context: FactContext, row: Mapping[str, str]) -> dict[str, Any]:
    """One requirement as a rule that needs no table: measure, wanted codes, and how many or what share."""
    predicate = row["predicate"]
    wanted = facts.codes(context.parameters, predicate) if predicate in context.parameters else predicate.split()
    score = row["measure"] == designations.SCORE
    share = facts.number(context.parameters, row["share_parameter"]) if row["share_parameter"] else None
    least = (
        facts.number(context.parameters, row["at_least_parameter"])
        if score
        else designations.members_needed(context.parameters, row)
    )
    return {
        "requirement_id": row["requirement_id"],
        "measure": row["measure"],
        "wanted": wanted,
        "at_least": least,
        "share": share,
        "statement": row["statement"],
    }


def _review(context: FactContext, row: Mapping[str, str]) -> dict[str, Any]:
    months = [
        None if row[name] is None else int(facts.needed(context.parameters, row[name]))
        for name in ("review_parameter", "grace_parameter")
    ]
    return {"codes": row["decision_codes"].split(), "review_months": months[0], "grace_months": months[1]}


def decide(
    tables: Tables,
    parameters: facts.Parameters,
    ruleset_id: str,
    ruleset_version: str,
    last_reporting_year: int,
    today: dt.date,
    seeds: Mapping[str, pl.DataFrame],
) -> RecordInputs:
    """Everything RULES 6 decides, in one call: the result's `tables` hold what went in and what came out.

    tables: `submissions`, `indicators`, `outcomes`, `units`, `int_values__known`, `observations`, the registers by
    name, fct_trend, fct_trend_point, fct_gap, fct_outcome_status. seeds: `rubric`, `designation_requirements`,
    `designations`. Added: fct_criterion_status (all 184 rows), fct_benchmark_status, fct_gateway_status,
    fct_gateway_missing, fct_designation_requirement, fct_designation with record_id.
    """
    rubric = seeds["rubric"]
    scaffold = facts.scaffold_of(tables["submissions"], last_reporting_year, today)
    context = facts.fact_context(tables, scaffold, parameters, ruleset_id, ruleset_version, today)
    judged = criteria.criterion_statuses(context, rubric)
    benchmarks = gateways.benchmark_statuses(judged, rubric)
    path = gateways.gateway_statuses(benchmarks, context)
    made = dict(tables) | {"fct_benchmark_status": benchmarks, "fct_gateway_status": path}
    required = designations.designation_requirements(context, made, seeds["designation_requirements"])
    made["fct_gateway_missing"] = gateways.gateway_missing(judged, path, rubric)
    both = pl.concat([judged, criteria.designation_criteria(required, rubric)])
    order = rubric.select("criterion_id").with_row_index("position")
    both = both.join(order, on="criterion_id", how="left").sort(*AT, "position")
    made["fct_criterion_status"] = both.drop("position")
    made["fct_designation_requirement"] = required
    made["fct_designation"] = designations.designation_statuses(context, required, seeds["designations"])
    inputs = RecordInputs(context, made, rubric, seeds["designation_requirements"], seeds["designations"])
    made["fct_designation"] = with_record_ids(inputs)
    return inputs


# ---- inputs, as tables ----


def input_rows(inputs: RecordInputs, years: Sequence[int] | None = None) -> dict[str, pl.DataFrame]:
    """The inputs of every community-year, one frame a part, each sorted by AT and its own columns.

    Parts: core, adjacent, gap (POINT_COLUMNS), criteria, examples, decisions, scores. years: all when None.
    """
    context = inputs.context
    if years is not None:
        kept = context.scaffold.filter(pl.col("reporting_year").is_in(list(years)))
    else:
        kept = context.scaffold
    parts = _point_parts(inputs, kept)
    ruled = criteria.typed_rubric(inputs.rubric).filter(pl.col("kind").is_in(["criterion", "sub_criterion"]))
    needed_gateways = facts.codes(context.parameters, "designation.initial_gateways")
    ruled = ruled.filter(pl.col("gateway").is_in(needed_gateways))
    judged = inputs.tables["fct_criterion_status"].join(ruled, on="criterion_id", how="semi")
    examples = designations.examples_with_decision(context)
    if "as_of" not in examples.columns:
        blanks = {"as_of": pl.Date(), "submission_id": pl.String()}
        examples = examples.with_columns(pl.lit(None, kind).alias(name) for name, kind in blanks.items())
    scores = context.known_or_empty("scores", code=pl.String(), score=pl.Float64(), decided_on=pl.Date())
    parts["criteria"] = _part(judged, CRITERION_COLUMNS, kept)
    parts["examples"] = _part(examples, EXAMPLE_COLUMNS, kept)
    parts["decisions"] = _part(last_decisions(context), DECISION_COLUMNS, kept)
    parts["scores"] = _part(scores, SCORE_COLUMNS, kept)
    return parts


def _part(rows: pl.DataFrame, columns: Sequence[str], kept: pl.DataFrame) -> pl.DataFrame:
    rows = rows.with_columns(pl.col("reporting_year").cast(pl.Int32)).join(kept.select(AT), on=AT, how="semi")
    return rows.select(*AT, *columns).sort(*AT, *columns, nulls_last=True)


def _point_parts(inputs: RecordInputs, kept: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """Points of the community's own place: totals of core and adjacent indicators, groups whose gaps decide."""
    context, tables = inputs.context, inputs.tables
    points = tables["fct_trend_point"].filter(pl.col("geography_id") == pl.col("community_id"))
    points = points.with_columns(pl.col("reporting_year").cast(pl.Int32)).join(kept.select(AT), on=AT, how="semi")
    total = points.filter(pl.col("population_group_id") == "all")
    core = designations.core_indicators(context)
    adjacent = designations.adjacent_indicators(context, tables)
    pairs = deciding_gaps(inputs).select(*AT, "indicator_id", "population_group_id", "reference_group_id")
    groups = pl.concat(
        [
            pairs.select(*AT, "indicator_id", "population_group_id"),
            pairs.select(*AT, "indicator_id", population_group_id="reference_group_id"),
        ]
    ).unique()
    where = [*AT, "indicator_id"]
    return {
        "core": _part(total.join(core, on=where, how="semi"), POINT_COLUMNS, kept),
        "adjacent": _part(total.join(adjacent, on=where, how="semi"), POINT_COLUMNS, kept),
        "gap": _part(points.join(groups, on=[*where, "population_group_id"], how="semi"), POINT_COLUMNS, kept),
    }


def deciding_gaps(inputs: RecordInputs) -> pl.DataFrame:
    """Rows of fct_gap that decide: core indicators, the community's own place, burdened groups, deciding dimensions."""
    gap = inputs.tables["fct_gap"].with_columns(pl.col("reporting_year").cast(pl.Int32))
    dimensions = facts.codes(inputs.context.parameters, "gap.dimensions")
    gap = gap.filter(
        (pl.col("geography_id") == pl.col("community_id"))
        & (pl.col("standing") == BURDENED)
        & pl.col("dimension").is_in(dimensions)
    )
    core = designations.core_indicators(inputs.context)
    return gap.join(core, on=[*AT, "indicator_id"], how="semi").sort(*AT, "indicator_id", "population_group_id")


# ---- identity ----


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
                "ruleset": [inputs.context.ruleset_id, inputs.context.ruleset_version, parameters],
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


# ---- records ----


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
        "gateway": inputs.tables["fct_gateway_status"],
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
        computed["gateways"] = _gateways(tables, place, facts.codes(inputs.parameters, "gateway.order"))
        body["rubric"] = _rubric_logic(inputs)
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
        "ruleset_id": inputs.context.ruleset_id,
        "ruleset_version": inputs.context.ruleset_version,
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
    (row,) = _named(tables["fct:gateway"].get(place), [f"{name}_status" for name in order])
    return {name: row[f"{name}_status"] for name in order}


def _rubric_logic(inputs: RecordInputs) -> dict[str, list[Any]]:
    """Criteria with children: logic, how many are needed (null: all), the mandatory child."""
    rows = criteria.typed_rubric(inputs.rubric).filter(
        pl.col("logic").str.ends_with("all_of") | pl.col("logic").str.ends_with("n_of_m")
    )
    return {
        row["criterion_id"]: [
            row["logic"],
            facts.needed(inputs.parameters, row["n_parameter"]) if row["n_parameter"] else None,
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


# ---- deciding again from a record alone ----


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
        eligible = [status for status in classes if status not in WITHOUT_VERDICT]
        reduced = [status for status in eligible if status in REDUCED]
        return self._more_than_half(len(reduced), len(eligible), "gap.majority_share")

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
        if rule["measure"] == designations.SCORE:
            return self._score(rule)
        states = self._members(rule)
        if states is None:
            return UNDETERMINED
        codes = [MET if s in rule["wanted"] else UNDETERMINED if s == "undetermined" else NOT_MET for s in states]
        if not codes and rule["measure"] in designations.UNDETERMINED_WITHOUT_MEMBERS:
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
        return designations.ELIGIBILITY[code]

    def standing(self, review: Mapping[str, Any]) -> str:
        """Where the last decision on one of the codes stands on the assessment date."""
        rows = [r for r in self._rows("decisions") if r["kind"] == "designation" and r["code"] in review["codes"]]
        if not rows:
            return designations.NONE
        last = max(rows, key=lambda row: (row["decided_on"], row["code"]))
        if last["decision"] == "revoked":
            return designations.REVOKED
        if review["review_months"] is None:
            return designations.ACTIVE
        day = dt.date.fromisoformat(self.record["assessment_date"])
        due = months_later(dt.date.fromisoformat(last["decided_on"]), review["review_months"])
        if day < due:
            return designations.ACTIVE
        if due.year == self.year:
            return designations.REVIEW_DUE
        return designations.GRACE if day <= months_later(due, review["grace_months"]) else designations.LAPSED


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
