"""How submissions stand: findings with their answers, and one status for each folder.

Belongs here: answering explainable findings from the explanations register, counting, the status of a submission.
Does not: the calendar's view (expected, late: dbt fct_submission_status), or any rule that makes a finding.
"""

from __future__ import annotations

import polars as pl

import contracts
from dagster_project.lib.base.reference import Reference
from dagster_project.lib.intake.bucket.drop import LOCATED
from dagster_project.lib.intake.findings import BLOCKING
from dagster_project.lib.intake.tables import of_population

SUBMISSIONS = pl.Schema(
    {
        "community_id": pl.String(),
        "reporting_year": pl.Int32(),
        "submission_id": pl.String(),
        "status": pl.String(),
        "contract_version": pl.Int32(),
        "n_files": pl.Int32(),
        "rows_read": pl.Int32(),
        "rows_accepted": pl.Int32(),
        "rows_rejected": pl.Int32(),
        "rows_waiting": pl.Int32(),
        "findings_blocking": pl.Int32(),
        "findings_open": pl.Int32(),
        "findings_explained": pl.Int32(),
        "expected_cells": pl.Int32(),
        "accepted_cells": pl.Int32(),
    }
)
PLACE = ["community_id", "reporting_year"]


def answered(findings: pl.DataFrame, explanations: pl.DataFrame, decisions: pl.DataFrame) -> pl.DataFrame:
    """Findings with status explained where the community answered them (in any year), the newest answer shown.

    `decisions` are the reviewers' (register explanation_decisions); the newest of a finding counts. A rejected answer
    leaves its finding open, and says why, until a later decision accepts one: the words of an answer have no date.
    """
    newest = (
        explanations.sort("reporting_year", "source_file", "source_row")
        .unique(["community_id", "finding_id"], keep="last", maintain_order=True)
        .select("community_id", "finding_id", pl.col("text").alias("_answer"))
    )
    joined = findings.join(newest, on=["community_id", "finding_id"], how="left", maintain_order="left")
    joined = joined.join(_newest_decisions(decisions), on="finding_id", how="left", maintain_order="left")
    asked = pl.col("severity") == "explainable"
    rejected = asked & (pl.col("_decision") == "rejected").fill_null(False)
    explained = asked & pl.col("_answer").is_not_null() & ~rejected
    given = pl.concat_str(pl.lit(" (the answer was: "), "_answer", pl.lit(")"))
    why = pl.concat_str(
        pl.lit("not accepted on "), pl.col("_decided_on").cast(pl.String), pl.lit(": "),
        pl.col("_reason").fill_null("no reason is given"), given.fill_null(""),
    )  # fmt: skip
    return joined.with_columns(
        status=pl.when(explained).then(pl.lit("explained")).otherwise(pl.col("status")),
        explanation=pl.when(rejected).then(why).when(explained).then("_answer").otherwise(pl.col("explanation")),
    ).drop("_answer", "_decision", "_decided_on", "_reason")


def _newest_decisions(decisions: pl.DataFrame) -> pl.DataFrame:
    return (
        decisions.sort("decided_on", "reporting_year", "source_file", "source_row")
        .unique("finding_id", keep="last", maintain_order=True)
        .select(
            "finding_id",
            pl.col("decision").alias("_decision"),
            pl.col("decided_on").alias("_decided_on"),
            pl.col("reason").alias("_reason"),
        )
    )


def astray_answers(findings: pl.DataFrame, explanations: pl.DataFrame, decisions: pl.DataFrame) -> pl.DataFrame:
    """Answers to no finding or to an error, and decisions on no question, as located issues (drop.LOCATED).

    An answer is to a finding of its own community; the id of a question says whose it is, so a decision needs no more.
    """
    asked = findings.filter(pl.col("severity") == "explainable").select("community_id", "finding_id").unique()
    errors = findings.filter(pl.col("severity").is_in(BLOCKING)).select("community_id", "finding_id").unique()
    own = ["community_id", "finding_id"]
    stray = explanations.join(asked, on=own, how="anti", maintain_order="left")
    parts = [
        (stray.join(errors, on=own, how="semi", maintain_order="left"), "answer_to_error"),
        (stray.join(errors, on=own, how="anti", maintain_order="left"), "answer_without_question"),
        (decisions.join(asked, on="finding_id", how="anti", maintain_order="left"), "decision_without_question"),
    ]
    none = pl.lit(None, pl.String)
    told = [
        rows.with_columns(
            source_column=pl.lit("finding_id"), rule_id=pl.lit(rule), found="finding_id", allowed=none, subject=none
        )
        .select(list(LOCATED))
        .cast(LOCATED)
        for rows, rule in parts
    ]
    return pl.concat(told)


def submissions(
    files: pl.DataFrame,
    findings: pl.DataFrame,
    observations: pl.DataFrame,
    selection: pl.DataFrame,
    declarations: pl.DataFrame,
    reference: Reference,
) -> pl.DataFrame:
    """One row for each folder as it stands, with counts and its status (DESIGN 3.2).

    Rejected only if it has files and no row was accepted, also where none of them could be read at all; accepted with
    queries if a row or file was refused or an explainable finding is unanswered. A declaration that there is nothing to
    report is no row of data: a folder that holds nothing else is accepted with none.
    """
    counts = files.group_by(*PLACE, maintain_order=True).agg(
        pl.col("submission_id").first(),
        pl.col("contract_version").first(),
        pl.len().alias("n_files"),
        pl.col("rows_read", "rows_accepted", "rows_rejected", "rows_waiting").sum(),
    )
    counts = pl.concat([counts, _without_files(counts, findings, reference)])
    declared = declarations.group_by(PLACE).agg(pl.len().cast(pl.Int32).alias("_declared"))
    counts = (
        counts.join(declared, on=PLACE, how="left", maintain_order="left")
        .with_columns(pl.col("_declared").fill_null(0))
        .with_columns(pl.col("rows_read", "rows_accepted") - pl.col("_declared"))
    )
    severity, open_ = pl.col("severity"), pl.col("status") == "open"
    told = findings.group_by(*PLACE, maintain_order=True).agg(
        severity.is_in(BLOCKING).sum().alias("findings_blocking"),
        ((severity == "explainable") & open_).sum().alias("findings_open"),
        ((severity == "explainable") & ~open_).sum().alias("findings_explained"),
    )
    numbers = ["findings_blocking", "findings_open", "findings_explained", "expected_cells", "accepted_cells"]
    joined = (
        counts.join(told, on=PLACE, how="left")
        .join(_cells(observations, selection, reference, counts), on=PLACE, how="left")
        .with_columns(pl.col(numbers).fill_null(0))
    )
    queries = (pl.col("findings_blocking") > 0) | (pl.col("findings_open") > 0)
    status = (
        pl.when((pl.col("rows_accepted") == 0) & (pl.col("_declared") == 0))
        .then(pl.lit("rejected"))
        .when(queries)
        .then(pl.lit("accepted_with_queries"))
        .otherwise(pl.lit("accepted"))
    )
    return joined.with_columns(status=status).select(list(SUBMISSIONS)).cast(SUBMISSIONS).sort(PLACE)


def _without_files(counts: pl.DataFrame, findings: pl.DataFrame, reference: Reference) -> pl.DataFrame:
    """Folders of which nothing was ever taken and an error says why: they are there, so they are not late."""
    known = reference.communities["community_id"].to_list()
    asked = findings.filter(
        pl.col("severity").is_in(BLOCKING)
        & pl.col("community_id").is_in(known)
        & pl.col("reporting_year").is_not_null()
    )
    places = asked.select(PLACE).cast(counts.select(PLACE).schema).unique().sort(PLACE)
    lost = places.join(counts, on=PLACE, how="anti")
    versions = [contracts.version_for(year) for year in lost["reporting_year"]]
    zeros = [pl.lit(0).cast(counts.schema[name]).alias(name) for name in counts.columns[4:]]
    none = pl.lit(None, pl.String).alias("submission_id")
    version = pl.Series("contract_version", versions, dtype=counts.schema["contract_version"])
    return lost.with_columns(none, version, *zeros).select(counts.columns)


def _cells(
    observations: pl.DataFrame, selection: pl.DataFrame, reference: Reference, counts: pl.DataFrame
) -> pl.DataFrame:
    """Expected and accepted cells: the core indicators' totals that a folder of that year is to hold.

    The newest selection register up to the year says which; without one, the seven primary core indicators.
    """
    folders = counts.select(PLACE)
    core = selection.filter(pl.col("role") == "core").select(
        "community_id", pl.col("reporting_year").alias("_since"), pl.col("indicator").alias("indicator_id")
    )
    newest = (
        folders.join(core.select("community_id", "_since").unique(), on="community_id")
        .filter(pl.col("_since") <= pl.col("reporting_year"))
        .group_by(PLACE)
        .agg(pl.col("_since").max())
    )
    own = newest.join(core, on=["community_id", "_since"]).select(*PLACE, "indicator_id")
    default = reference.indicators.filter((pl.col("role") == "core") & pl.col("is_primary")).select("indicator_id")
    rest = folders.join(newest, on=PLACE, how="anti").join(default, how="cross")
    expected = pl.concat([own, rest]).unique()
    given = of_population(observations).filter(
        (pl.col("row_status") == "accepted")
        & (pl.col("population_group_id") == "all")
        & pl.col("value_status").is_in(["reported", "derived", "range"])
    )
    given = given.select(*PLACE, "indicator_id").unique().with_columns(_given=pl.lit(1))
    matched = expected.join(given, on=[*PLACE, "indicator_id"], how="left")
    return matched.group_by(PLACE).agg(
        pl.len().cast(pl.Int32).alias("expected_cells"), pl.col("_given").sum().cast(pl.Int32).alias("accepted_cells")
    )
