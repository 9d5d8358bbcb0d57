"""Status of every criterion of the rubric: facts, claims, reviewers, and the roll-up of sub-criteria.

Belongs here: three-valued logic, the rules for claims and decisions, own part and children of a criterion.
Does not: how a fact is computed (facts), benchmarks and gateways (gateways), or any statement or threshold (seeds).
"""

from __future__ import annotations

import polars as pl

from dagster_project.lib.analysis.rubric.context import FactContext
from dagster_project.lib.analysis.rubric.facts import computed_facts
from dagster_project.lib.analysis.rubric.on_file import ON_FILE, words_on_file
from dagster_project.lib.analysis.rubric.registers import AT
from dagster_project.lib.analysis.tables import FCT_CRITERION_STATUS, before_freezing
from dagster_project.lib.analysis.vocabulary import MET, NOT_MET, STATUSES, UNDETERMINED
from dagster_project.lib.base.ruleset import Ruleset

STATUS_COLUMNS = before_freezing(FCT_CRITERION_STATUS)


def status_code(column: str) -> pl.Expr:
    """A status as NOT_MET, UNDETERMINED or MET; null stays null."""
    return pl.col(column).replace_strict(dict(zip(STATUSES, range(3), strict=True)), default=None, return_dtype=pl.Int8)


def status_text(code: pl.Expr) -> pl.Expr:
    """The inverse of `status_code`."""
    return code.replace_strict(dict(enumerate(STATUSES)), default=None, return_dtype=pl.String)


def at_least(met: pl.Expr, undetermined: pl.Expr, n: pl.Expr, epsilon: float) -> pl.Expr:
    """n of m (RULES, head): met if met >= n; not_met if met + undetermined < n; else undetermined; as a code."""
    enough, possible = met >= n - epsilon, met + undetermined >= n - epsilon
    return pl.when(enough).then(MET).when(~possible).then(NOT_MET).otherwise(UNDETERMINED).cast(pl.Int8)


def typed_rubric(rubric: pl.DataFrame) -> pl.DataFrame:
    """seeds/rubric/rubric.csv with blanks as null, `benchmark_no` Int32, `planned_counts` Boolean; order kept."""
    text = [pl.col(name).cast(pl.String).str.strip_chars().replace("", None) for name in rubric.columns]
    planned = pl.col("planned_counts").str.to_lowercase() == "true"
    return rubric.with_columns(text).with_columns(pl.col("benchmark_no").cast(pl.Int32), planned)


def criterion_statuses(context: FactContext, rubric: pl.DataFrame) -> pl.DataFrame:
    """fct_criterion_status without the designation rows: STATUS_COLUMNS, sorted by community, year, rubric order.

    context: from `context.fact_context`; rubric: seeds/rubric/rubric.csv.
    Statuses are `met`, `not_met`, `undetermined`, or null for definition and cadence rows. RULES 6.
    """
    rubric = typed_rubric(rubric)
    ruled = rubric.filter(pl.col("pillar") != "designation").with_row_index("position")
    rows = context.scaffold.join(ruled.select(_RUBRIC_COLUMNS), how="cross", maintain_order="left_right")
    facts = computed_facts(context, ruled).rename({"evidence": "fact"})
    rows = rows.join(facts, on=[*AT, "criterion_id"], how="left", maintain_order="left")
    on_file = words_on_file(context, ruled)
    rows = rows.join(on_file, on=[*AT, "criterion_id"], how="left", maintain_order="left")
    rows = _with_claims(rows, context)
    rows = _with_decisions(rows, context)
    rows = _own_part(rows, context.ruleset)
    rows = _with_children(rows, context.ruleset)
    rows = rows.with_columns(pl.lit(context.ruleset.ruleset_version).alias("ruleset_version"))
    return rows.sort("community_id", "reporting_year", "position").select(STATUS_COLUMNS)


_RUBRIC_COLUMNS = [
    "position",
    "criterion_id",
    "parent_id",
    "kind",
    "determined_by",
    "logic",
    "n_parameter",
    "mandatory_child",
    "children_words",
    "planned_counts",
]


def _with_claims(rows: pl.DataFrame, context: FactContext) -> pl.DataFrame:
    columns = {"claim": pl.String, "evidence_url": pl.String, "as_of": pl.Date}
    claims = context.known.get("benchmark_evidence")
    if claims is None:
        return rows.with_columns(pl.lit(None, kind).alias(name) for name, kind in columns.items())
    # The claim in force is the one that speaks of the latest day; of two with one day, the later submission's.
    claims = claims.sort(*AT, "criterion_id", "as_of", "submitted_in").unique([*AT, "criterion_id"], keep="last")
    return rows.join(claims.select(*AT, "criterion_id", *columns), on=[*AT, "criterion_id"], how="left")


def _with_decisions(rows: pl.DataFrame, context: FactContext) -> pl.DataFrame:
    columns = {"decision": pl.String, "decided_on": pl.Date, "approver": pl.String, "decision_reason": pl.String}
    decisions = context.known.get("review_decisions")
    if decisions is None:
        return rows.with_columns(pl.lit(None, kind).alias(name) for name, kind in columns.items())
    decisions = decisions.rename({"reason": "decision_reason"}).sort(*AT, "criterion_id", "decided_on", "submitted_in")
    last = decisions.unique([*AT, "criterion_id"], keep="last")
    return rows.join(last.select(*AT, "criterion_id", *columns), on=[*AT, "criterion_id"], how="left")


def _blank(column: str) -> pl.Expr:
    return pl.col(column).str.strip_chars().fill_null("") == ""


def _own_part(rows: pl.DataFrame, ruleset: Ruleset) -> pl.DataFrame:
    """Add `attested` and `own` (codes), `attested_reason`, `valid_override`, `own_words`."""
    months = f"{int(ruleset.needed('evidence.validity_months'))}mo"
    asked = pl.col("determined_by").is_in(["attested", "mixed"]) & (pl.col("logic") != "none")
    expired = pl.col("as_of").dt.offset_by(months) < pl.col("assessment_date")
    override = asked & (pl.col("decision") == "override") & ~_blank("approver") & ~_blank("decision_reason")
    # The first line that applies decides; a reviewer's no comes before everything the member says.
    verdicts: list[tuple[pl.Expr, int, str]] = [
        (pl.col("decision") == "rejected", NOT_MET, "rejected"),
        (pl.col("claim").is_null(), UNDETERMINED, "no_claim"),
        (_blank("evidence_url"), UNDETERMINED, "no_evidence"),
        (pl.col("as_of").is_null(), UNDETERMINED, "evidence_undated"),
        (expired, UNDETERMINED, "evidence_expired"),
        (pl.col("claim") == "met", MET, "claimed"),
        ((pl.col("claim") == "planned") & pl.col("planned_counts"), MET, "planned_counts"),
        (pl.col("claim") == "planned", NOT_MET, "only_planned"),
        (pl.col("claim") == "not_met", NOT_MET, "claim_not_met"),
    ]
    code, reason = pl.lit(None, pl.Int8), pl.lit(None, pl.String)
    for condition, value, name in reversed(verdicts):
        holds = condition.fill_null(False)
        code = pl.when(holds).then(pl.lit(value, pl.Int8)).otherwise(code)
        reason = pl.when(holds).then(pl.lit(name)).otherwise(reason)
    rows = rows.with_columns(
        pl.when(asked).then(code).alias("attested"),
        pl.when(asked).then(reason).alias("attested_reason"),
        override.fill_null(False).alias("valid_override"),
        status_code("computed_status").alias("computed"),
    )
    own = pl.when("valid_override").then(pl.lit(MET, pl.Int8)).otherwise(pl.min_horizontal("computed", "attested"))
    return rows.with_columns(own.alias("own"), _own_words().alias("own_words"))


def _own_words() -> pl.Expr:
    """Plain words for facts, claim and decision, null where there is nothing to say."""
    dated = pl.coalesce(pl.col("as_of").cast(pl.String), pl.lit("without date"))
    proof = pl.when(_blank("evidence_url")).then(pl.lit("without evidence")).otherwise(pl.lit("with evidence"))
    old = pl.when(pl.col("attested_reason") == "evidence_expired").then(pl.lit(", too old")).otherwise(pl.lit(""))
    claim = pl.format("claim {} of {} {}{}", pl.col("claim").str.replace("_", " "), dated, proof, old)
    claim = pl.when(pl.col("attested").is_null()).then(None).otherwise(pl.coalesce(claim, pl.lit("no claim")))
    who = pl.when(_blank("approver")).then(pl.lit("an unnamed reviewer")).otherwise(pl.col("approver"))
    why = pl.when(_blank("decision_reason")).then(pl.lit("no reason given")).otherwise(pl.col("decision_reason"))
    void = (pl.col("decision") == "override") & ~pl.col("valid_override")
    mark = pl.when(void).then(pl.lit(" (without effect: reason and approver are needed)")).otherwise(pl.lit(""))
    decision = pl.format("{} on {} by {}: {}{}", "decision", "decided_on", who, why, mark)
    decision = pl.when(pl.col("attested").is_not_null()).then(decision)
    words = pl.concat_list([pl.col("fact"), claim, decision]).list.drop_nulls()
    return pl.when(words.list.len() > 0).then(words.list.join("; "))


def _with_children(rows: pl.DataFrame, ruleset: Ruleset) -> pl.DataFrame:
    """Roll sub-criteria up into their parents; add the final columns."""
    names = sorted(rows["n_parameter"].drop_nulls().unique())
    thresholds = {name: ruleset.needed(name) for name in names}
    rows = rows.with_columns(
        pl.col("n_parameter").replace_strict(thresholds, default=None, return_dtype=pl.Float64).alias("n_needed")
    )
    rows = rows.join(_children(rows), left_on=[*AT, "criterion_id"], right_on=[*AT, "parent_id"], how="left")
    mandatory = pl.coalesce("mandatory_code", pl.lit(MET, pl.Int8))
    some = pl.min_horizontal(
        at_least(pl.col("n_met"), pl.col("n_undetermined"), pl.col("n_needed"), ruleset.epsilon), mandatory
    )
    every = pl.col("child_minimum")
    children = (
        pl.when(pl.col("logic").str.ends_with("n_of_m"))
        .then(some)
        .when(pl.col("logic").str.ends_with("all_of"))
        .then(every)
    )
    rows = rows.with_columns(children.alias("children"))
    final = pl.when("valid_override").then(pl.lit(MET, pl.Int8)).otherwise(pl.min_horizontal("own", "children"))
    words = pl.concat_list([_children_words(), pl.col("own_words"), pl.col(ON_FILE)]).list.drop_nulls()
    return rows.with_columns(
        status_text(final).alias("status"),
        status_text(pl.col("own")).alias("own_status"),
        pl.coalesce("computed_status", pl.when(pl.col("determined_by") == "computed").then(status_text(final))),
        status_text(pl.col("attested")).alias("attested_status"),
        pl.when(words.list.len() > 0).then(words.list.join("; ")).alias("evidence"),
        _reason(final).alias("reason"),
    )


def _children(rows: pl.DataFrame) -> pl.DataFrame:
    parts = rows.filter(pl.col("parent_id").is_not_null() & (pl.col("kind") == "sub_criterion"))
    parents = rows.select("criterion_id", parent_mandatory="mandatory_child").unique()
    parts = parts.join(parents, left_on="parent_id", right_on="criterion_id", how="left")
    is_mandatory = pl.col("criterion_id") == pl.col("parent_mandatory")
    letter = pl.col("criterion_id").str.split(".").list.last()
    return (
        parts.sort(*AT, "position")
        .group_by([*AT, "parent_id"], maintain_order=True)
        .agg(
            (pl.col("own") == MET).sum().cast(pl.Float64).alias("n_met"),
            (pl.col("own") == UNDETERMINED).sum().cast(pl.Float64).alias("n_undetermined"),
            pl.len().alias("n_children"),
            pl.col("own").min().alias("child_minimum"),
            pl.col("own").filter(is_mandatory).first().alias("mandatory_code"),
            letter.filter(is_mandatory).first().alias("mandatory_letter"),
            letter.filter(pl.col("own") == NOT_MET).str.join(", ").alias("children_missing"),
        )
    )


def _children_words() -> pl.Expr:
    """For example "7 of 8 sector categories, 6 needed, category a present, missing c"."""
    met, of = pl.col("n_met").cast(pl.Int64), pl.col("n_children")
    least = pl.coalesce(pl.col("n_needed").cast(pl.Int64), pl.col("n_children").cast(pl.Int64))
    words = pl.format("{} of {} {}, {} needed", met, of, pl.coalesce("children_words", pl.lit("parts")), least)
    state = status_text(pl.col("mandatory_code")).replace_strict(
        {"met": "present", "not_met": "missing", "undetermined": "not known"}, default=None, return_dtype=pl.String
    )
    mandatory = pl.coalesce(pl.format(", category {} {}", "mandatory_letter", state), pl.lit(""))
    open_ones = pl.when(pl.col("n_undetermined") > 0)
    open_words = open_ones.then(pl.format(", {} undetermined", pl.col("n_undetermined").cast(pl.Int64)))
    lacking = pl.when(pl.col("children_missing") != "").then(pl.format(", not met: {}", "children_missing"))
    return pl.when(pl.col("children").is_not_null()).then(
        pl.concat_str([words, mandatory, open_words.otherwise(pl.lit("")), lacking.otherwise(pl.lit(""))])
    )


def _reason(final: pl.Expr) -> pl.Expr:
    """The first part that keeps the criterion from being met; `override` where one stands; null when simply met."""
    at_final = [(pl.col(name) == final).fill_null(False) for name in ("computed", "attested", "children")]
    fact = pl.when(final == NOT_MET).then(pl.lit("facts_short")).otherwise(pl.lit("register_absent"))
    return (
        pl.when("valid_override")
        .then(pl.lit("override"))
        .when((final == MET).fill_null(True))
        .then(None)
        .when(at_final[0])
        .then(fact)
        .when(at_final[1])
        .then(pl.col("attested_reason"))
        .when(at_final[2])
        .then(pl.lit("sub_criteria"))
    )


def designation_criteria(requirements: pl.DataFrame, rubric: pl.DataFrame) -> pl.DataFrame:
    """The rubric's designation rows in the form of `criterion_statuses`, from fct_designation_requirement.

    A row whose requirement the ruleset does not hold, and the cadence row, have status null. Each row names the rules
    that its own determination was made by: frozen ones may be older.
    """
    ruled = typed_rubric(rubric).filter(pl.col("pillar") == "designation").with_row_index("position")
    ruled = ruled.select("criterion_id", "position", designation="gateway")
    any_version = requirements.group_by(AT).agg(pl.col("ruleset_version").max().alias("any_version"))
    versions = requirements.group_by([*AT, "designation"]).agg(pl.col("ruleset_version").max())
    rows = any_version.join(ruled, how="cross").join(versions, on=[*AT, "designation"], how="left")
    judged = requirements.select(*AT, pl.col("requirement_id").alias("criterion_id"), "status", "evidence")
    rows = rows.join(judged, on=[*AT, "criterion_id"], how="left").with_columns(
        pl.col("status").alias("own_status"),
        pl.col("status").alias("computed_status"),
        pl.lit(None, pl.String).alias("attested_status"),
        pl.lit(None, pl.String).alias("decision"),
        pl.lit(None, pl.String).alias("reason"),
        pl.coalesce("ruleset_version", "any_version"),
    )
    return rows.sort(*AT, "position").select(STATUS_COLUMNS)


def gateways_in_order(ruleset: Ruleset) -> list[str]:
    """The gateways with benchmarks, earliest first."""
    return ruleset.codes("gateway.order")
