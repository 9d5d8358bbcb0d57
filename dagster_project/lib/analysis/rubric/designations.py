"""Designations: what each one requires, whether it is met, and what was decided.

Belongs here: measuring the requirements that seeds/rubric/designation_requirements.csv states, eligibility, standing.
Does not: which requirements or thresholds there are (seeds), trends, gaps or gateways themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import polars as pl

from dagster_project.lib.analysis.figures import outcome
from dagster_project.lib.analysis.rubric.context import FactContext
from dagster_project.lib.analysis.rubric.criteria import at_least, status_code, status_text
from dagster_project.lib.analysis.rubric.gateways import last_decisions
from dagster_project.lib.analysis.rubric.registers import AT, Tables
from dagster_project.lib.analysis.rubric.rules.common import current_examples
from dagster_project.lib.analysis.tables import FCT_DESIGNATION, FCT_DESIGNATION_REQUIREMENT, before_freezing
from dagster_project.lib.analysis.vocabulary import (
    ACTIVE,
    ELIGIBILITY,
    GRACE,
    LAPSED,
    MET,
    NONE,
    NOT_MET,
    REVIEW_DUE,
    REVOKED,
    SCORE,
    SUCCEEDED,
    UNDETERMINED,
    UNDETERMINED_WITHOUT_MEMBERS,
)
from dagster_project.lib.base.ruleset import Ruleset

REQUIREMENT_COLUMNS = before_freezing(FCT_DESIGNATION_REQUIREMENT)
DESIGNATION_COLUMNS = [name for name in before_freezing(FCT_DESIGNATION) if name != "record_id"]
SYSTEMS_CHANGE = "systems_change"

Row = Mapping[str, str]


def core_indicators(context: FactContext) -> pl.DataFrame:
    """AT, indicator_id, outcome_id: the core indicators of the seven outcomes that RULES 5 counts."""
    register = context.registers.get("indicator_selection")
    selection = pl.DataFrame(schema=outcome.SELECTION_SCHEMA) if register is None else register
    core = outcome.core_indicators(selection, context.indicators, context.scaffold)
    seven = context.outcomes.filter(pl.col("sector") == outcome.EDUCATION)
    core = core.join(seven, on="outcome_id", how="semi").unique([*AT, "indicator_id"], keep="first")
    return core.select(*AT, "indicator_id", "outcome_id").sort(*AT, "indicator_id")


def adjacent_indicators(context: FactContext, tables: Tables) -> pl.DataFrame:
    """AT, indicator_id, outcome_id: indicators of other sectors that a community selected or has values of."""
    elsewhere = context.outcomes.filter(pl.col("sector") != outcome.EDUCATION)
    adjacent = context.indicators.join(elsewhere, on="outcome_id", how="semi").select("indicator_id", "outcome_id")
    reported = tables["fct_trend"].select("community_id", pl.col("reporting_year").cast(pl.Int32), "indicator_id")
    chosen = context.selection.select(*AT, "indicator_id")
    members = pl.concat([reported, chosen]).unique().join(adjacent, on="indicator_id")
    return members.join(context.scaffold.select(AT), on=AT, how="semi").sort(*AT, "indicator_id")


Members = pl.DataFrame
"""AT, member (a name), code (NOT_MET, UNDETERMINED, MET) and `part` (what it belongs to, for the evidence)."""


def _trend_codes(context: FactContext, tables: Tables, members: pl.DataFrame, wanted: list[str]) -> Members:
    """Members (AT, indicator_id, outcome_id) judged by the trend of the total at the community's own place."""
    trend = tables["fct_trend"].filter(
        (pl.col("population_group_id") == "all") & (pl.col("geography_id") == pl.col("community_id"))
    )
    trend = trend.select(
        pl.col("community_id", "indicator_id", "trend_status"), pl.col("reporting_year").cast(pl.Int32)
    )
    rows = members.join(trend, on=[*AT, "indicator_id"], how="left", maintain_order="left")
    # Without a row, or without a direction to judge by, nothing is known of the indicator.
    state = pl.col("trend_status").fill_null("undetermined")
    return rows.select(*AT, pl.col("indicator_id").alias("member"), _judged(state, wanted), part="outcome_id")


def _judged(state: pl.Expr, wanted: list[str]) -> pl.Expr:
    code = pl.when(state.is_in(wanted)).then(MET).when(state == "undetermined").then(UNDETERMINED).otherwise(NOT_MET)
    return code.cast(pl.Int8).alias("code")


def core_indicator_trends(context: FactContext, tables: Tables, row: Row) -> Members:
    """Core indicators whose trend has one of the wanted statuses."""
    return _trend_codes(context, tables, core_indicators(context), row["predicate"].split())


def adjacent_trends(context: FactContext, tables: Tables, row: Row) -> Members:
    """Indicators of adjacent sectors that the community selected or reports."""
    return _trend_codes(context, tables, adjacent_indicators(context, tables), row["predicate"].split())


def _outcome_codes(context: FactContext, tables: Tables, column: str, wanted: list[str]) -> Members:
    rows = tables["fct_outcome_status"].with_columns(pl.col("reporting_year").cast(pl.Int32))
    rows = rows.join(context.scaffold.select(AT), on=AT, how="semi").sort(*AT, "outcome_id")
    member = pl.col("outcome_id").alias("member")
    return rows.select(*AT, member, _judged(pl.col(column), wanted), pl.col("outcome_id").alias("part"))


def outcome_trends(context: FactContext, tables: Tables, row: Row) -> Members:
    """Outcomes whose trend has one of the wanted statuses."""
    return _outcome_codes(context, tables, "trend_status", row["predicate"].split())


def outcome_gaps(context: FactContext, tables: Tables, row: Row) -> Members:
    """Outcomes whose gap verdict is one of the wanted ones."""
    return _outcome_codes(context, tables, "gap_reduced", row["predicate"].split())


def gateways_met(context: FactContext, tables: Tables, row: Row) -> Members:
    """The named gateways, by their computed status."""
    names = pl.DataFrame({"gateway": context.ruleset.codes(row["predicate"])}, schema={"gateway": pl.String})
    steps = tables["fct_gateway_step"].select(*AT, "gateway", status_code("status").alias("code"))
    rows = context.scaffold.select(AT).join(names, how="cross")
    rows = rows.join(steps, on=[*AT, "gateway"], how="left", maintain_order="left")
    code = pl.col("code").fill_null(UNDETERMINED)
    return rows.select(*AT, pl.col("gateway").alias("member"), code, pl.col("gateway").alias("part"))


def previous_decisions(context: FactContext) -> pl.DataFrame:
    """AT, previous_decision: the date on which a Proof Point was last granted or renewed."""
    family = context.ruleset.codes("designation.proof_point_codes")
    rows = last_decisions(context).filter(
        (pl.col("kind") == "designation") & pl.col("code").is_in(family) & (pl.col("decision") != "revoked")
    )
    return rows.group_by(AT, maintain_order=True).agg(pl.col("decided_on").max().alias("previous_decision"))


def examples_with_decision(context: FactContext) -> pl.DataFrame:
    """Systems-change examples as they stand, with the previous decision of their community where there is one."""
    if "examples" not in context.known:
        text = pl.String()
        empty = context.known_or_empty("examples", example_id=text, status=text, first_evidenced_on=pl.Date())
        return empty.with_columns(pl.lit(None, pl.Date).alias("previous_decision"))
    rows = current_examples(context).filter(pl.col("kind") == SYSTEMS_CHANGE)
    return rows.join(previous_decisions(context), on=AT, how="left", maintain_order="left")


def earlier_examples(context: FactContext, tables: Tables, row: Row) -> Members:
    """Examples accepted up to the previous decision, by whether they still stand."""
    accepted = context.ruleset.codes("designation.ongoing_accepted_statuses")
    rows = examples_with_decision(context).filter(
        pl.col("status").is_in(accepted) & (pl.col("first_evidenced_on") <= pl.col("previous_decision"))
    )
    return _examples(rows, context.ruleset.codes(row["predicate"]))


def additional_examples(context: FactContext, tables: Tables, row: Row) -> Members:
    """Accepted examples first evidenced after the previous decision."""
    wanted = context.ruleset.codes(row["predicate"])
    rows = examples_with_decision(context).filter(
        pl.col("status").is_in(wanted) & (pl.col("first_evidenced_on") > pl.col("previous_decision"))
    )
    return _examples(rows, wanted)


def _examples(rows: pl.DataFrame, wanted: list[str]) -> Members:
    rows = rows.sort(*AT, "example_id")
    member = pl.col("example_id").alias("member")
    return rows.select(*AT, member, _judged(pl.col("status"), wanted), pl.col("example_id").alias("part"))


def active_proof_point(context: FactContext, tables: Tables, row: Row) -> Members:
    """One member: a Proof Point in force, by the last decision on either of its two designations."""
    ruleset = context.ruleset
    family = ruleset.codes("designation.proof_point_codes")
    months = [int(ruleset.needed(f"designation.{name}_months")) for name in ("review", "grace")]
    rows = standings(context, family, months[0], months[1])
    active = pl.col("standing").is_in(ruleset.codes(row["predicate"]))
    code = pl.when(active).then(MET).otherwise(NOT_MET).cast(pl.Int8).alias("code")
    return rows.select(*AT, pl.lit("proof_point").alias("member"), code, part=pl.lit("proof_point"))


MEASURES: dict[str, Callable[[FactContext, Tables, Row], Members]] = {
    measure.__name__: measure
    for measure in (
        core_indicator_trends,
        adjacent_trends,
        outcome_trends,
        outcome_gaps,
        gateways_met,
        earlier_examples,
        additional_examples,
        active_proof_point,
    )
}
NEEDS_A_PREVIOUS_DECISION = ("earlier_examples", "additional_examples")


def ruleset_rows(seed: pl.DataFrame, ruleset_id: str) -> pl.DataFrame:
    """Rows of a rubric seed that belong to a ruleset, text, blanks as null, by `position`; ValueError without any."""
    text = seed.with_columns(pl.all().cast(pl.String).str.strip_chars().replace("", None))
    rows = text.filter(pl.col("ruleset_id") == ruleset_id)
    if not rows.height:
        raise ValueError(f"the rubric's seeds state no designation for ruleset {ruleset_id!r}")
    return rows.sort("designation", pl.col("position").cast(pl.Int64))


def designation_requirements(context: FactContext, tables: Tables, seed: pl.DataFrame) -> pl.DataFrame:
    """fct_designation_requirement: REQUIREMENT_COLUMNS, one row a community, designation, year and requirement.

    tables: fct_trend, fct_outcome_status, fct_gateway_step (and the registers, in `context`). seed: rows of
    designation_requirements.csv; `measure` names a function of MEASURES, or `score`. `required` and `actual` count
    members (shares where the seed names a share, points for the score). Raises KeyError for an unknown measure.
    """
    parts = [
        _requirement(context, tables, row)
        for row in ruleset_rows(seed, context.ruleset.ruleset_id).iter_rows(named=True)
    ]
    return pl.concat(parts).sort("community_id", "designation", "reporting_year", "requirement_id")


def _requirement(context: FactContext, tables: Tables, row: Row) -> pl.DataFrame:
    judged = _score(context, row) if row["measure"] == SCORE else _counted(context, tables, row)
    fixed = {name: row[name] for name in ("designation", "requirement_id", "measure", "statement")}
    fixed |= {"ruleset_id": context.ruleset.ruleset_id, "ruleset_version": context.ruleset.ruleset_version}
    return judged.with_columns(pl.lit(value).alias(name) for name, value in fixed.items()).select(REQUIREMENT_COLUMNS)


def _counted(context: FactContext, tables: Tables, row: Row) -> pl.DataFrame:
    members = MEASURES[row["measure"]](context, tables, row)
    counts = members.group_by(AT).agg(
        (pl.col("code") == MET).sum().cast(pl.Float64).alias("n_met"),
        (pl.col("code") == UNDETERMINED).sum().cast(pl.Float64).alias("n_undetermined"),
        pl.len().cast(pl.Float64).alias("n_members"),
        pl.col("member").filter(pl.col("code") == MET).sort().str.join(", ").alias("names"),
        pl.col("part").filter(pl.col("code") == MET).n_unique().alias("n_parts"),
    )
    rows = context.scaffold.select(AT).join(counts, on=AT, how="left", maintain_order="left")
    rows = rows.with_columns(pl.col("n_met", "n_undetermined", "n_members").fill_null(0.0), _unknown(context, row))
    rows = _with_previous(context, rows, row)
    share = context.ruleset.number(row["share_parameter"]) if row["share_parameter"] else None
    wanted = members_needed(context.ruleset, row)
    size = pl.max_horizontal("n_members", pl.lit(1.0)) if share is not None else pl.lit(1.0)
    required = pl.lit(share) if share is not None else pl.col("n_members") if wanted is None else pl.lit(wanted)
    met, undetermined = pl.col("n_met") / size, pl.col("n_undetermined") / size
    code = at_least(met, undetermined, required, context.epsilon)
    status = status_text(pl.when("unknown").then(pl.lit(UNDETERMINED, pl.Int8)).otherwise(code))
    return rows.with_columns(
        required.cast(pl.Float64).alias("required"),
        pl.when("unknown").then(None).otherwise(met).alias("actual"),
        status.alias("status"),
        _member_words(row).alias("evidence"),
        pl.when("unknown").then("unknown_reason").alias("reason"),
    )


def members_needed(ruleset: Ruleset, row: Row) -> float | None:
    """How many members are needed; None: all of them. A requirement that the ruleset switches off needs none."""
    if row["counts_parameter"]:
        return 1.0 if ruleset.flag(row["counts_parameter"]) else 0.0
    return ruleset.needed(row["at_least_parameter"]) if row["at_least_parameter"] else None


def _unknown(context: FactContext, row: Row) -> pl.Expr:
    """Whether nothing can be said because there is no member to look at."""
    if row["measure"] in UNDETERMINED_WITHOUT_MEMBERS:
        return (pl.col("n_members").fill_null(0.0) == 0).alias("unknown")
    return pl.lit(False).alias("unknown")


def _with_previous(context: FactContext, rows: pl.DataFrame, row: Row) -> pl.DataFrame:
    """Examples are counted from the previous decision: without one, or without the register, nothing can be said."""
    rows = rows.with_columns(pl.when("unknown").then(pl.lit("no_data")).alias("unknown_reason"))
    if row["measure"] not in NEEDS_A_PREVIOUS_DECISION:
        return rows
    rows = rows.join(previous_decisions(context), on=AT, how="left", maintain_order="left")
    present = context.present.get("examples", context.scaffold.select(AT).clear())
    rows = rows.join(present.with_columns(pl.lit(True).alias("present")), on=AT, how="left", maintain_order="left")
    never, absent = pl.col("previous_decision").is_null(), pl.col("present").is_null()
    reason = pl.when(never).then(pl.lit("no_previous_decision")).when(absent).then(pl.lit("register_absent"))
    return rows.with_columns((never | absent).alias("unknown"), reason.alias("unknown_reason"))


def _member_words(row: Row) -> pl.Expr:
    """For example "5 of 7 (employed_pct, ...), 1 undetermined; 4 different outcomes"."""
    met, of, open_ones = (pl.col(name).cast(pl.Int64) for name in ("n_met", "n_members", "n_undetermined"))
    names = pl.when(pl.col("names").fill_null("") != "").then(pl.format(" ({})", "names")).otherwise(pl.lit(""))
    parts = pl.lit("")
    if row["measure"] == "core_indicator_trends":
        parts = pl.format("; {} different outcomes", pl.col("n_parts").fill_null(0))
    if row["measure"] == "earlier_examples":
        none = pl.lit("; there is no earlier example, so none fell back")
        parts = pl.when(pl.col("n_members") == 0).then(none).otherwise(parts)
    if row["counts_parameter"]:
        parts = pl.lit("; shown beside, not required unless the ruleset asks for it")
    left_open = pl.when(open_ones > 0).then(pl.format(", {} undetermined", open_ones)).otherwise(pl.lit(""))
    words = pl.concat_str(pl.format("{} of {}", met, of), names, left_open, parts)
    return pl.when("unknown").then(pl.col("unknown_reason").str.replace_all("_", " ")).otherwise(words)


def _score(context: FactContext, row: Row) -> pl.DataFrame:
    """The latest score against the network's minimum; without a minimum or a score nothing can be said."""
    minimum = context.ruleset.number(row["at_least_parameter"])
    scores = context.known_or_empty("scores", code=pl.String(), score=pl.Float64(), decided_on=pl.Date())
    scores = scores.filter(pl.col("code") == row["predicate"]).sort(*AT, "decided_on", "submitted_in")
    last = scores.unique(AT, keep="last", maintain_order=True).select(*AT, pl.col("score").cast(pl.Float64))
    rows = context.scaffold.select(AT).join(last, on=AT, how="left", maintain_order="left")
    least = pl.lit(minimum, pl.Float64)
    unknown = pl.col("score").is_null() | least.is_null()
    reached = pl.col("score") >= least - context.epsilon
    status = (
        pl.when(unknown).then(pl.lit("undetermined")).when(reached).then(pl.lit("met")).otherwise(pl.lit("not_met"))
    )
    why = pl.lit("no_minimum_score") if minimum is None else pl.lit("no_score")
    given = pl.coalesce(pl.format("score {}", "score"), pl.lit("no score"))
    needs = "no minimum is set" if minimum is None else f"{minimum} needed"
    return rows.with_columns(
        least.alias("required"),
        pl.col("score").alias("actual"),
        status.alias("status"),
        pl.lit(0.0).alias("n_undetermined"),
        pl.lit(1.0).alias("n_members"),
        pl.format(f"{{}}, {needs}", given).alias("evidence"),
        pl.when(unknown).then(why).alias("reason"),
    )


def standings(
    context: FactContext,
    decision_codes: list[str],
    review_months: int | None,
    grace_months: int | None,
    successors: Sequence[str] = (),
) -> pl.DataFrame:
    """AT, standing, decided_on, next_review_due for every row of the scaffold.

    The last decision on one of the codes, up to the assessment date, decides. Reviewed: `active` before the review
    date, `review_due` from it to the end of its reporting year, `grace` until `grace_months` after it, then `lapsed`.
    Without `review_months` a granted designation stays active until revoked. `succeeded`, without a review, is one of
    which a successor (their codes) was ever granted, unless it was revoked itself.
    """
    rows = last_decisions(context).filter((pl.col("kind") == "designation") & pl.col("code").is_in(decision_codes))
    last = rows.sort(*AT, "decided_on", "code").unique(AT, keep="last", maintain_order=True)
    joined = context.scaffold.join(last.select(*AT, "decision", "decided_on"), on=AT, how="left", maintain_order="left")
    due = pl.lit(None, pl.Date) if review_months is None else pl.col("decided_on").dt.offset_by(f"{review_months}mo")
    followed = last_decisions(context).filter(
        (pl.col("kind") == "designation") & pl.col("code").is_in(successors) & (pl.col("decision") != "revoked")
    )
    joined = joined.join(followed.select(AT).unique(), on=AT, how="left", coalesce=False, suffix="_followed")
    is_followed = pl.col("community_id_followed").is_not_null()
    due = pl.when((pl.col("decision") != "revoked") & ~is_followed).then(due)
    end = due.dt.offset_by(f"{grace_months or 0}mo")
    day, this_year = pl.col("assessment_date"), due.dt.year() == pl.col("reporting_year")
    standing = (
        pl.when(pl.col("decision").is_null())
        .then(pl.lit(NONE))
        .when(pl.col("decision") == "revoked")
        .then(pl.lit(REVOKED))
        .when(is_followed)
        .then(pl.lit(SUCCEEDED))
        .when(due.is_null() | (day < due))
        .then(pl.lit(ACTIVE))
        .when(this_year)
        .then(pl.lit(REVIEW_DUE))
        .when(day <= end)
        .then(pl.lit(GRACE))
        .otherwise(pl.lit(LAPSED))
    )
    return joined.select(*AT, standing.alias("standing"), "decided_on", due.alias("next_review_due"))


def designation_statuses(context: FactContext, requirements: pl.DataFrame, seed: pl.DataFrame) -> pl.DataFrame:
    """fct_designation without record ids: DESIGNATION_COLUMNS, for every community, designation and reporting year.

    requirements: from `designation_requirements`. seed: rows of designations.csv (codes of decisions, review cycle).
    `status` is all_of the requirements: eligible, not_eligible or undetermined; `standing` is what was decided.
    """
    judged = requirements.with_columns(status_code("status").alias("code"))
    judged = judged.group_by([*AT, "designation"]).agg(pl.col("code").min())
    parts = []
    for row in ruleset_rows(seed, context.ruleset.ruleset_id).iter_rows(named=True):
        review, grace = (_months(context.ruleset, row[name]) for name in ("review_parameter", "grace_parameter"))
        successors = (row["succeeded_by"] or "").split()
        stood = standings(context, row["decision_codes"].split(), review, grace, successors)
        parts.append(stood.with_columns(pl.lit(row["designation"]).alias("designation")))
    rows = pl.concat(parts).join(judged, on=[*AT, "designation"], how="left", maintain_order="left")
    status = pl.col("code").fill_null(UNDETERMINED).replace_strict(ELIGIBILITY, return_dtype=pl.String)
    rows = rows.with_columns(
        status.alias("status"),
        pl.lit(context.ruleset.ruleset_id).alias("ruleset_id"),
        pl.lit(context.ruleset.ruleset_version).alias("ruleset_version"),
    )
    return rows.sort("community_id", "designation", "reporting_year").select(DESIGNATION_COLUMNS)


def _months(ruleset: Ruleset, name: str | None) -> int | None:
    return int(ruleset.needed(name)) if name else None
