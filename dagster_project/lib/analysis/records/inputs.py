"""Everything a determination is decided from.

Belongs here: the inputs of records, as one frame a part, and the rules that each designation is judged by.
Does not: identity and building of records (build), deciding again (recompute), or any new figure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import polars as pl

from dagster_project.lib.analysis.figures.standing import BURDENED
from dagster_project.lib.analysis.rubric import criteria, designations
from dagster_project.lib.analysis.rubric.context import FactContext
from dagster_project.lib.analysis.rubric.gateways import last_decisions
from dagster_project.lib.analysis.rubric.registers import AT, Tables
from dagster_project.lib.analysis.tables import TREND_POINT_SPAN
from dagster_project.lib.analysis.tables.spans import FIRST, LAST, YEAR, each_year
from dagster_project.lib.analysis.vocabulary import SCORE

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


@dataclass(frozen=True)
class RecordInputs:
    """Everything records are made from.

    tables: fct_trend, trend_point_span, fct_gap, fct_outcome_status, fct_criterion_status, fct_gateway_step,
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
        rows = designations.ruleset_rows(self.requirements, self.context.ruleset.ruleset_id).iter_rows(named=True)
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
        rows = designations.ruleset_rows(self.designations, self.context.ruleset.ruleset_id).iter_rows(named=True)
        return {row["designation"]: _review(self.context, row) for row in rows}

    @cached_property
    def parameters(self) -> dict[str, str | None]:
        """The parameters that statuses depend on, sorted by name."""
        given = self.context.ruleset.parameters
        return {name: given[name] for name in sorted(given) if name.partition(".")[0] in PARAMETER_SECTIONS}


def _rule(context: FactContext, row: Mapping[str, str]) -> dict[str, Any]:
    """One requirement as a rule that needs no table: measure, wanted codes, and how many or what share."""
    predicate = row["predicate"]
    wanted = context.ruleset.codes(predicate) if predicate in context.ruleset.parameters else predicate.split()
    score = row["measure"] == SCORE
    share = context.ruleset.number(row["share_parameter"]) if row["share_parameter"] else None
    least = (
        context.ruleset.number(row["at_least_parameter"])
        if score
        else designations.members_needed(context.ruleset, row)
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
        None if row[name] is None else int(context.ruleset.needed(row[name]))
        for name in ("review_parameter", "grace_parameter")
    ]
    return {
        "codes": row["decision_codes"].split(),
        "review_months": months[0],
        "grace_months": months[1],
        "succeeded_by": (row["succeeded_by"] or "").split(),
    }


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
    needed_gateways = context.ruleset.codes("designation.initial_gateways")
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
    spans = tables[TREND_POINT_SPAN.name].filter(pl.col("geography_id") == pl.col("community_id"))
    spans = spans.select("community_id", FIRST, LAST, *POINT_COLUMNS)
    total = spans.filter(pl.col("population_group_id") == "all")
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
        "core": _part(_points_of(total, core, where, kept), POINT_COLUMNS, kept),
        "adjacent": _part(_points_of(total, adjacent, where, kept), POINT_COLUMNS, kept),
        "gap": _part(_points_of(spans, groups, [*where, "population_group_id"], kept), POINT_COLUMNS, kept),
    }


def _points_of(spans: pl.DataFrame, members: pl.DataFrame, on: list[str], kept: pl.DataFrame) -> pl.DataFrame:
    """The points of members (`on`) at the reporting years, of those kept, at which they are members."""
    members = members.join(kept.select(AT), on=AT, how="semi")
    lines = [name for name in on if name != YEAR]
    return each_year(spans.join(members, on=lines, how="semi")).join(members, on=on, how="semi")


def deciding_gaps(inputs: RecordInputs) -> pl.DataFrame:
    """Rows of fct_gap that decide: core indicators, the community's own place, burdened groups, deciding dimensions."""
    gap = inputs.tables["fct_gap"].with_columns(pl.col("reporting_year").cast(pl.Int32))
    dimensions = inputs.context.ruleset.gap.dimensions
    gap = gap.filter(
        (pl.col("geography_id") == pl.col("community_id"))
        & (pl.col("standing") == BURDENED)
        & pl.col("dimension").is_in(dimensions)
    )
    core = designations.core_indicators(inputs.context)
    return gap.join(core, on=[*AT, "indicator_id"], how="semi").sort(*AT, "indicator_id", "population_group_id")
