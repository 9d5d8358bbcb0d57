"""Verdicts over a whole landing: rejected submissions, rows lost or made, labels that wait, things astray.

Belongs here: counting and the worst cases as a table, each verdict in words that say when it matters and what to do.
Does not: rules for single rows (intake), lateness (freshness.py), Dagster's checks (defs/checks.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import polars as pl

SHOWN = 20
"""Rows of a verdict's table: the rest is in fct_submission_status, fct_waiting_row and fct_finding."""


@dataclass(frozen=True)
class Verdict:
    """Whether it holds, one sentence, counts by name, and the worst cases first."""

    passed: bool
    sentence: str
    counts: Mapping[str, int | float]
    worst: pl.DataFrame = field(default_factory=pl.DataFrame)


def contract_verdict(submissions: pl.DataFrame) -> Verdict:
    """Whether every folder has at least one accepted row; the share of rejected rows is told beside it."""
    rejected = submissions.filter(pl.col("status") == "rejected")
    read = int(submissions["rows_read"].sum())
    kept_out = int(submissions["rows_rejected"].sum())
    worst = (
        submissions.filter((pl.col("rows_rejected") > 0) | (pl.col("status") == "rejected"))
        .sort("rows_rejected", "community_id", "reporting_year", descending=[True, False, False])
        .select("community_id", "reporting_year", "status", "rows_read", "rows_rejected", "findings_blocking")
    )
    return Verdict(
        passed=rejected.is_empty(),
        sentence=f"{rejected.height} of {submissions.height} submissions are rejected; see their receipts.",
        counts={
            "submissions": submissions.height,
            "rejected_submissions": rejected.height,
            "rows_read": read,
            "rows_rejected": kept_out,
            "rejected_share": kept_out / read if read else 0.0,
        },
        worst=worst.head(SHOWN),
    )


def conservation_verdict(
    files: pl.DataFrame,
    submissions: pl.DataFrame,
    network_folder: str,
    landed: pl.DataFrame,
    declarations: pl.DataFrame | None = None,
) -> Verdict:
    """Whether every row read was accepted or rejected, in each file and in each submission's sum of files, and landed.

    landed: community_id, reporting_year, name (of the file), rows_landed. declarations: rows of their register, which
    stand in a file and are no data of the submission (answers.submissions).
    """
    place = ["community_id", "reporting_year"]
    counted = ["rows_read", "rows_accepted", "rows_rejected"]
    balance = pl.col("rows_read") - pl.col("rows_accepted") - pl.col("rows_rejected")
    lost = files.with_columns(difference=balance).filter(pl.col("difference") != 0)
    own = files.filter(pl.col("community_id") != network_folder).group_by(place).agg(pl.col(counted).sum())
    if declarations is not None:
        said = declarations.group_by(place).agg(pl.len().cast(pl.Int32).alias("_said"))
        own = own.join(said, on=place, how="left").with_columns(
            pl.col("rows_read", "rows_accepted") - pl.col("_said").fill_null(0)
        )
        own = own.drop("_said")
    pairs = own.join(submissions.select(*place, *counted), on=place, how="full", coalesce=True)
    # A folder of which nothing could be read has a status and no file: it neither lost rows nor made any.
    unequal = pl.any_horizontal(pl.col(name).fill_null(0) != pl.col(f"{name}_right").fill_null(0) for name in counted)
    sums = pairs.filter(unequal)
    gone = (
        files.select(*place, "name", pl.col("rows_accepted").cast(pl.Int64))
        .join(landed, on=[*place, "name"], how="full", coalesce=True)
        .with_columns(
            difference=pl.col("rows_accepted").fill_null(0) - pl.col("rows_landed").fill_null(0),
        )
        .filter(pl.col("difference") != 0)
    )
    worst = pl.concat(
        [
            gone.select(*place, (pl.col("name") + pl.lit(" (landed)")).alias("what"), "difference"),
            lost.select(*place, pl.col("name").alias("what"), pl.col("difference").cast(pl.Int64)),
            sums.select(
                *place,
                pl.lit("sum over files").alias("what"),
                (pl.col("rows_read").fill_null(0) - pl.col("rows_read_right").fill_null(0)).alias("difference"),
            ).cast({"difference": pl.Int64}),
        ]
    ).sort(*place, "what")
    return Verdict(
        passed=worst.is_empty(),
        sentence=f"{worst.height} files or submissions lose or make rows between reading and landing.",
        counts={
            "files": files.height,
            "files_unequal": lost.height,
            "submissions_unequal": sums.height,
            "files_not_landed": gone.height,
        },
        worst=worst.head(SHOWN),
    )


def labels_verdict(observations: pl.DataFrame, waiting_register_rows: pl.DataFrame) -> Verdict:
    """Whether every label is mapped; rows of values and of registers with an unmapped one wait and are in no figure.

    The labels themselves are not shown: verdicts enter a history that nothing is ever taken out of, and a member's free
    text may name a person.
    """
    label = ["row_reason", "raw_indicator", "raw_dimension", "raw_group"]
    asked = [*label, "community_id"]
    values = observations.filter(pl.col("row_status") == "waiting").select(asked)
    waiting = pl.concat([values, waiting_register_rows.select(asked)])
    labels = waiting.select(label).n_unique()
    worst = (
        waiting.group_by("row_reason", "community_id")
        .agg(pl.len().alias("rows"), pl.struct(label).n_unique().alias("labels"))
        .sort("rows", "row_reason", "community_id", descending=[True, False, False], nulls_last=True)
    )
    return Verdict(
        passed=waiting.is_empty(),
        sentence=f"{waiting.height} rows wait for {labels} labels; `cradle suggest` proposes codes for them.",
        counts={"rows_waiting": waiting.height, "labels_waiting": labels},
        worst=worst.head(SHOWN),
    )


def rules_verdict(rewritten: Mapping[tuple[str, str], Sequence[str]]) -> Verdict:
    """Whether versions of rulesets still say what they said in releases (ruleset.rewritten)."""
    rows = [(*version, change) for version, changes in sorted(rewritten.items()) for change in changes]
    columns = dict.fromkeys(("ruleset_id", "ruleset_version", "change"), pl.String)
    worst = pl.DataFrame(rows, schema=columns, orient="row")
    versions = ", ".join(" ".join(version) for version in sorted(rewritten))
    return Verdict(
        passed=worst.is_empty(),
        sentence=f"Rules that a release names by their version say something else now: {versions}."
        if rewritten
        else "Every version of the rules says what it said in the current release and in final ones.",
        counts={"parameters": worst.height},
        worst=worst.head(SHOWN),
    )


def strays_verdict(strays: pl.DataFrame) -> Verdict:
    """Whether everything in the bucket belongs to a submission; `strays` are findings of the bucket itself."""
    worst = strays.sort("rule_id", "found", nulls_last=True).select("rule_id", "found", "allowed", "remedy")
    return Verdict(
        passed=strays.is_empty(),
        sentence=f"{strays.height} things in the bucket belong to no submission and are read by nobody.",
        counts={"strays": strays.height},
        worst=worst.head(SHOWN),
    )
