"""Questions about a folder or file as a whole: is it the right one, in the right unit, with its totals.

Belongs here: folders without any news, first files whose percentages are all fractions, groups without a total.
Does not: single values (over_years.py, within_submission.py), rows that repeat one another (rows/repeated.py).
"""

from __future__ import annotations

import polars as pl

from dagster_project.lib.base.ruleset import ComparisonRules
from dagster_project.lib.intake.comparing.compared_values import PLACE, text_of, told
from dagster_project.lib.intake.comparing.shared_causes import without_shared_totals

FILE = [*PLACE, "source_file"]
OF_TOTAL = ["community_id", "indicator_id", "school_year", "period"]


def nothing_new(values: pl.DataFrame) -> pl.DataFrame:
    """nothing_new: a folder whose every value stood in an earlier one of the community, to the last digit."""
    first = pl.col("reporting_year").min().over("community_id")
    later = values.filter(pl.col("reporting_year") > first)
    folders = later.group_by(PLACE, maintain_order=True).agg(
        pl.col("submission_id").first(),
        pl.col("is_news").any().alias("_news"),
        pl.len().alias("_n"),
        pl.col("school_year").max().alias("_latest"),
    )
    hit = folders.filter(~pl.col("_news")).with_columns(
        **{name: pl.lit(None, pl.String) for name in ("source_file", "source_sheet", "source_column")},
        source_row=pl.lit(None, pl.Int32),
    )
    said = text_of(
        "All ", pl.col("_n"), " rows of the folder of ", pl.col("reporting_year"),
        " stood in earlier folders with the same values; the latest school year is ", pl.col("_latest"),
    )  # fmt: skip
    allowed = text_of("a folder with values that earlier ones did not have")
    return told(hit, "nothing_new", None, said, allowed, ["reporting_year"])


def all_fractions(values: pl.DataFrame, limits: ComparisonRules) -> tuple[pl.DataFrame, pl.DataFrame]:
    """all_fractions: every printed percentage of a file is at most 1, and none of its indicators was known before.

    Returns the issues and the values they speak of (value_no). A file with larger values, or whose indicators had
    larger ones before, is asked about value by value (fraction_suspected).
    """
    percent = values.filter((pl.col("unit") == "percent") & pl.col("value").is_not_null())
    first = pl.col("reporting_year").min().over("community_id", "indicator_id")
    percent = percent.with_columns(_known=pl.col("reporting_year") > first)
    printed = percent.filter(
        (pl.col("value_status") == "reported") & (pl.col("numerator").is_null() | pl.col("denominator").is_null())
    )
    students = pl.col("value") * pl.col("denominator") / 100
    whole = (
        (students - students.round(0)).abs() <= limits["fraction.rounding"] * pl.col("denominator") / 100
    ).fill_null(False)
    files = printed.group_by(FILE, maintain_order=True).agg(
        pl.col("submission_id", "source_sheet", "source_row", "source_column", "value_no").first(),
        pl.col("indicator_id").unique().sort().str.join(", ").alias("_indicators"),
        pl.col("_known").any().alias("_known"),
        ((pl.col("value") > 0) & ~whole).any().alias("_asked"),
        pl.col("value").max().alias("_highest"),
        pl.len().alias("_n"),
    )
    hit = files.filter(~pl.col("_known") & pl.col("_asked") & (pl.col("_highest") <= limits["fraction.largest"]))
    said = text_of(pl.col("_n"), " values, the largest ", pl.col("_highest"), ", of ", pl.col("_indicators"))
    allowed = text_of("values in percent, or the unit fraction")
    issues = told(hit, "all_fractions", "value", said, allowed, ["_indicators"])
    return issues, printed.join(hit.select(FILE), on=FILE, how="semi").select("value_no")


def total_missing(values: pl.DataFrame, refused: pl.DataFrame, limits: ComparisonRules) -> pl.DataFrame:
    """total_missing: groups of an indicator in a school year of which the community gave no total, then or before.

    One question for each indicator of a folder, with the years that are new in it; to the network where many have the
    cause in common. A total of any place counts, since the community's is made from its districts'; so do a masked one
    and one among the `refused` rows.
    """
    total = pl.col("population_group_id") == "all"
    totals = pl.concat([rows.filter(total).select(*OF_TOTAL, "reporting_year") for rows in (values, refused)])
    first = totals.group_by(OF_TOTAL).agg(pl.col("reporting_year").min().alias("_total_in"))
    groups = values.filter(~total & pl.col("population_group_id").is_not_null())
    lacking = groups.filter("is_news").join(first, on=OF_TOTAL, how="left", maintain_order="left")
    lacking = lacking.filter(pl.col("_total_in").is_null() | (pl.col("_total_in") > pl.col("reporting_year")))
    of_folder = [*PLACE, "state", "submission_id", "indicator_id", "indicator_name"]
    lacking = lacking.select(*of_folder, "school_year").unique(maintain_order=True)
    shared = without_shared_totals(lacking, groups, limits)
    hit = shared.own.group_by(of_folder, maintain_order=True).agg(pl.col("school_year").sort().alias("_years"))
    hit = hit.with_columns(
        pl.col("_years").map_elements(_spans, return_dtype=pl.String),
        **{name: pl.lit(None, pl.String) for name in ("source_file", "source_sheet", "source_column")},
        source_row=pl.lit(None, pl.Int32),
    )
    said = text_of(pl.col("indicator_name"), " has groups and no total in ", pl.col("_years"))
    allowed = text_of("a row of the total (dimension all, group all) beside the rows of groups")
    return pl.concat([told(hit, "total_missing", None, said, allowed, ["indicator_id"]), shared.issues])


def _spans(years: pl.Series) -> str:
    """2016, 2018 to 2020: school years with those that follow one another put together."""
    spans: list[list[int]] = []
    for year in years:
        if spans and year == spans[-1][1] + 1:
            spans[-1][1] = year
        else:
            spans.append([year, year])
    return ", ".join(str(first) if first == last else f"{first} to {last}" for first, last in spans)
