"""Comparisons between rows, years and communities: questions to a member, never a reason to keep a row out.

Belongs here: which comparing rules there are, and that one question is asked once.
Does not: the rules themselves (over_years, within_submission, overlaps, refused_rows), answers to them (standing.py).
"""

from __future__ import annotations

import polars as pl

import contracts
from dagster_project.lib.base.reference import Reference
from dagster_project.lib.base.ruleset import ComparisonRules
from dagster_project.lib.intake.bucket.drop import LOCATED
from dagster_project.lib.intake.comparing.compared_values import compared_values, text_of, with_names
from dagster_project.lib.intake.comparing.outliers import short_series_outliers
from dagster_project.lib.intake.comparing.over_years import changes_over_years, groups_over_years
from dagster_project.lib.intake.comparing.overlaps import double_counting
from dagster_project.lib.intake.comparing.refused_rows import refused_beside_counting
from dagster_project.lib.intake.comparing.series_labels import new_series
from dagster_project.lib.intake.comparing.whole_folders import all_fractions, nothing_new, total_missing
from dagster_project.lib.intake.comparing.within_submission import fractions, geography_sums, groups_against_totals

RULES = (
    "groups_against_total",
    "year_over_year_change",
    "count_change",
    "group_appears",
    "group_vanishes",
    "geography_sum",
    "short_series_outlier",
    "double_counting",
    "fraction_suspected",
    "all_fractions",
    "nothing_new",
    "total_missing",
    "shared_cause",
    "new_series",
)
"""Every rule of this module that asks; all are explainable."""
TELLING = ("refused_and_other_counts",)
"""Rules of this module that only say what counts."""
NEEDS_HISTORY = (
    *("year_over_year_change", "count_change", "group_appears", "group_vanishes", "short_series_outlier"),
    "nothing_new",
    "shared_cause",
    "new_series",
)
"""Rules that say little or nothing about one folder alone (`cradle check` lists them as skipped without history)."""


FIRST = (
    "all_fractions",
    *("fraction_suspected", "count_change", "year_over_year_change", "groups_against_total", "geography_sum"),
    "short_series_outlier",
)
"""Rules about single values; where several ask about one value the first of them does."""


def compare_submissions(observations: pl.DataFrame, reference: Reference, limits: ComparisonRules) -> pl.DataFrame:
    """Compare every submission's values with each other and with what was known before it.

    `observations` holds all communities and reporting years (columns of values.OBSERVATIONS), `limits` the
    thresholds of one ruleset version. Returns located issues (drop.LOCATED), sorted; a value of one reporting year is
    judged by what was known from that and earlier years only, so later submissions never raise a question about it.
    A question that would be the same word for word in several reporting years is asked in the first of them, which
    is what makes one answer last. ParameterError where a threshold is missing.
    """
    rows = with_names(compared_values(observations), reference)
    refused = observations.filter(pl.col("row_status") == "rejected")
    # Rows that wait for the code of their indicator are counted in no figure yet, but may already repeat others.
    overlapping = double_counting(rows, limits)
    values = rows.filter(pl.col("row_status") == "accepted")
    suspected = fractions(values, limits)
    whole_files, in_whole_files = all_fractions(values, limits)
    in_fractions = pl.concat([suspected.values, in_whole_files]).unique(maintain_order=True)
    changed = changes_over_years(values, limits, in_fractions)
    parts = [
        changed.issues,
        groups_over_years(values, refused, limits),
        groups_against_totals(values, reference, limits),
        geography_sums(values, reference, limits, overlapping.cells),
        overlapping.issues,
        suspected.issues,
        whole_files,
        nothing_new(values),
        total_missing(values, refused, limits),
        new_series(values),
        short_series_outliers(values, limits, pl.concat([changed.values, in_fractions])),
    ]
    issues = pl.concat(parts)
    if limits["questions.one_per_cell"]:
        issues = _one_per_value(issues)
    instead = refused_beside_counting(values, refused)
    asked = _asked_once(issues.select(list(LOCATED)))
    every = _as_submitted(pl.concat([asked, instead.select(list(LOCATED))]))
    return every.sort(list(LOCATED), nulls_last=False)


def _one_per_value(issues: pl.DataFrame) -> pl.DataFrame:
    """Of the questions about one value the first only: a count ten times too large breaks every sum it stands in.

    What the others found stands beside it, in what is allowed; that is no part of what a question is known by.
    """
    question = ["rule_id", "subject", "found", "source_column"]
    order = {rule_id: number for number, rule_id in enumerate(FIRST)}
    ranked = issues.with_columns(_rank=pl.col("rule_id").replace_strict(order, default=len(FIRST)))
    about = ranked.filter(pl.col("value_no").is_not_null()).sort("value_no", "_rank", *question, nulls_last=True)
    first = about.unique("value_no", keep="first", maintain_order=True).select("value_no", *question)
    keys = ["value_no", *question]
    others = about.join(first, on=keys, how="anti", nulls_equal=True, maintain_order="left")
    beside = (
        others.unique(["value_no", "found"], keep="first", maintain_order=True)
        .group_by("value_no", maintain_order=True)
        .agg(pl.col("found").str.join("; ").alias("_beside"))
    )
    kept = ranked.join(first, on=keys, how="semi", nulls_equal=True, maintain_order="left")
    kept = kept.join(beside, on="value_no", how="left", maintain_order="left")
    more = text_of(pl.col("allowed"), "; beside it: ", pl.col("_beside"))
    kept = kept.with_columns(allowed=pl.coalesce(more, "allowed")).drop("_beside")
    return pl.concat([kept, ranked.filter(pl.col("value_no").is_null())]).drop("_rank")


def _asked_once(issues: pl.DataFrame) -> pl.DataFrame:
    question = ["community_id", "rule_id", "subject", "found"]
    first = pl.col("reporting_year") == pl.col("reporting_year").min().over(question)
    return issues.filter(first)


def _as_submitted(issues: pl.DataFrame) -> pl.DataFrame:
    """Columns under the names that they have in the contract version of the issue's reporting year."""
    for known in contracts.VERSIONS:
        if renamed := contracts.tables(known.version)[contracts.VALUES_TABLE].renamed:
            years = [year for year in issues["reporting_year"].unique() if contracts.version_for(year) == known.version]
            name = pl.col("source_column")
            own = pl.col("reporting_year").is_in(years)
            issues = issues.with_columns(pl.when(own).then(name.replace(renamed)).otherwise(name))
    return issues
