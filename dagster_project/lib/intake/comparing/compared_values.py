"""What the comparing rules share: values prepared for comparison, and how an issue is told.

Belongs here: the versions of each value over reporting years, the located issue.
Does not: any comparison itself (over_years.py, within_submission.py, overlaps.py, outliers.py).
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from dagster_project.lib.base.reference import Reference
from dagster_project.lib.intake.bucket.drop import LOCATED
from dagster_project.lib.intake.tables import of_population

PLACE = ["community_id", "reporting_year"]
SERIES = ["community_id", "indicator_id", "series", "geography_id", "population_group_id", "period"]
POINT = [*SERIES, "school_year"]
SUBJECT = ["indicator_id", "population_group_id", "geography_id", "series", "school_year", "period"]
"""What a question about one value speaks of, whichever submission says it."""
CELL = [*PLACE, "indicator_id", "series", "school_year", "period"]
"""What values of several groups or places of one submission share."""
CONTENT = ["numerator", "denominator", "value", "value_low", "value_high", "value_status"]
SOURCE = ["submission_id", "source_file", "source_sheet", "source_row", "source_column"]
EXACT = ("reported", "derived")
TOLD = pl.Schema({**LOCATED, "value_no": pl.UInt32()})
"""An issue and the value it speaks of (null: it speaks of no single one)."""
EVER = 9999
CELL_COLUMNS = ("value", "numerator", "denominator")
"""Columns of a file that hold a value: an issue that points at one of them speaks of that value."""


def compared_values(observations: pl.DataFrame) -> pl.DataFrame:
    """Accepted and waiting rows sorted by value and reporting year, with what comparisons ask of each.

    Adds `value_no` (a number for each row), `series_no` (a number for each SERIES), `exact` (the value is a number),
    `spot` (how the member names the place), `is_news` (the submission says something else than the one before it did,
    or says it first) and `known_to`, the last reporting year for which the row is what is known (`EVER` where nothing
    replaced it; null where the row is no news). A waiting row keeps the label of its indicator as its code. Rows of
    programs are compared with nothing.
    """
    rows = (
        of_population(observations)
        .filter(pl.col("row_status").is_in(["accepted", "waiting"]) & pl.col("school_year").is_not_null())
        .with_columns(pl.coalesce("indicator_id", "raw_indicator").alias("indicator_id"))
    )
    kept = [
        *PLACE,
        *SOURCE,
        *POINT[1:],
        "dimension",
        "group_code",
        "geography_level",
        "raw_geography",
        "unit",
        *CONTENT,
    ]
    kept.append("row_status")
    rows = rows.select(kept).sort(*POINT, "reporting_year").with_row_index("value_no")
    same_series = pl.all_horizontal(pl.col(name).eq_missing(pl.col(name).shift(1)) for name in SERIES)
    same_content = pl.all_horizontal(pl.col(name).eq_missing(pl.col(name).shift(1)) for name in CONTENT)
    rows = rows.with_columns(
        series_no=(~same_series).fill_null(True).cum_sum(),
        exact=pl.col("value").is_not_null() & pl.col("value_status").is_in(EXACT),
        spot=pl.coalesce("raw_geography", "geography_id"),
        _again=(same_series & (pl.col("school_year") == pl.col("school_year").shift(1))).fill_null(False),
        _alike=same_content.fill_null(False),
    ).with_columns(is_news=~(pl.col("_again") & pl.col("_alike")))
    return _with_ends(rows).drop("_again", "_alike")


def with_names(values: pl.DataFrame, reference: Reference) -> pl.DataFrame:
    """Adds `indicator_name` and `group_name`, the dictionary's words for the codes (a code without words: itself).

    Beside them stands `state`, that of the community.
    """
    indicators = reference.indicators.select("indicator_id", indicator_name="name")
    groups = reference.groups.select("dimension", "group_code", group_name="label")
    named = values.join(indicators, on="indicator_id", how="left", maintain_order="left")
    named = named.join(groups, on=["dimension", "group_code"], how="left", maintain_order="left")
    states = reference.communities.select("community_id", "state")
    named = named.join(states, on="community_id", how="left", maintain_order="left")
    return named.with_columns(
        indicator_name=pl.coalesce("indicator_name", "indicator_id"), group_name=pl.coalesce("group_name", "group_code")
    )


def in_words() -> pl.Expr:
    """Indicator and group of a value as a member reads them; the total needs no group."""
    group = (
        pl.when(pl.col("population_group_id") == "all").then(pl.lit("")).otherwise(text_of(", ", pl.col("group_name")))
    )
    return text_of(pl.col("indicator_name"), group)


def _with_ends(rows: pl.DataFrame) -> pl.DataFrame:
    """What is known of a value ends where the next submission that says something else begins."""
    news = rows.filter("is_news")
    next_year = pl.when(pl.col("_again").shift(-1)).then(pl.col("reporting_year").shift(-1) - 1).fill_null(EVER)
    ends = news.select("value_no", known_to=next_year.cast(pl.Int32))
    return rows.join(ends, on="value_no", how="left", maintain_order="left")


def known_numbers(values: pl.DataFrame) -> pl.DataFrame:
    """News among annual values that are numbers: what later values of the same series are judged by."""
    return values.filter((pl.col("period") == "annual") & pl.col("exact") & pl.col("is_news"))


def chance_points(first: str, first_n: str, second: str, second_n: str) -> pl.Expr:
    """Standard deviation of the difference of two percentages that chance alone gives (binomial), in points.

    The common rate is taken with one success and one failure added, so that 0 % of few is not certain. Null where a
    denominator is not known.
    """
    n1, n2 = pl.col(first_n), pl.col(second_n)
    rate = (pl.col(first) * n1 / 100 + pl.col(second) * n2 / 100 + 1) / (n1 + n2 + 2)
    return 100 * (rate * (1 - rate) * (1 / n1 + 1 / n2)).sqrt()


def text_of(*parts: str | pl.Expr) -> pl.Expr:
    """One sentence from plain words and expressions."""
    return pl.concat_str([pl.lit(part) if isinstance(part, str) else part.cast(pl.String) for part in parts])


def shown(name: str) -> pl.Expr:
    """A number with one decimal, as a member reads it."""
    return pl.col(name).round(1).cast(pl.String)


def subject_of(*names: str) -> pl.Expr:
    """What an issue speaks of, as one text that stays the same from submission to submission."""
    return pl.concat_str([pl.col(name).cast(pl.String).fill_null("") for name in names], separator="|")


def told(
    frame: pl.DataFrame, rule_id: str, column: str | None, found: pl.Expr, allowed: pl.Expr, subject: Sequence[str]
) -> pl.DataFrame:
    """One issue (TOLD) for each row of `frame`, at the row's own source; column None: it points at no row or value."""
    places = [pl.col(name) for name in SOURCE[1:4]]
    value = pl.col("value_no") if column in CELL_COLUMNS else pl.lit(None)
    if column is None:
        places = [pl.lit(None, LOCATED[name]).alias(name) for name in SOURCE[1:4]]
    where = pl.coalesce("source_column", pl.lit("value")) if column == "value" else pl.lit(column, pl.String)
    return (
        frame.with_columns(_found=found, _allowed=allowed, _subject=subject_of(*subject), _column=where)
        .select(
            *PLACE,
            "submission_id",
            *places,
            pl.col("_column").alias("source_column"),
            pl.lit(rule_id).alias("rule_id"),
            pl.col("_found").alias("found"),
            pl.col("_allowed").alias("allowed"),
            pl.col("_subject").alias("subject"),
            value.alias("value_no"),
        )
        .select(list(TOLD))
        .cast(TOLD)
    )


def no_issues() -> pl.DataFrame:
    """An empty frame of issues (TOLD)."""
    return pl.DataFrame(schema=TOLD)
