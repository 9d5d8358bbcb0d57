"""Tables for charts (rpt_*), made again from public facts: names are the internal ones, figures those let out.

Belongs here: the latest trends, gaps, verdicts and values with their names, all annual values, outcomes on one line.
Does not: protect anything (lib/disclosure), decide columns (selection.csv), any other table (tables.py).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import polars as pl

from dagster_project.lib.base.names import WITHHELD
from dagster_project.lib.disclosure.words import ALL
from dagster_project.lib.publish.public.selection import read_selection

Made = Mapping[str, pl.DataFrame]
_VALUE = ["community_id", "indicator_id", "population_group_id", "geography_id", "school_year", "series"]
_FIGURES = ["value", "value_low", "value_high", "numerator", "denominator", "value_status"]
_OUTCOME = ["community_id", "outcome_id", "reporting_year"]
_VERDICTS = ["trend_status", "reason", "gap_reduced", "gap_reason", "deciding_indicator_id", "ruleset_version"]
_DECIDING = ["community_id", "deciding_indicator_id", "reporting_year"]
_TREND = ["slope", "adjusted_slope", "first_year", "last_year", "n_years", "robustness"]
_LATEST = ["latest_value", "latest_denominator"]
_COUNTS = ["n_gaps", "n_gaps_reduced", "n_gaps_widened"]
# The last day of a school year, by which charts place it.
_JUNE_30 = (6, 30)


def repeated(name: str, internal: pl.DataFrame, made: Made) -> pl.DataFrame:
    """A table that repeats public facts. internal: the table as the house has it; made: the facts as published."""
    return _MAKERS[name](internal, made)


def _of_fact(fact: str) -> Callable[[pl.DataFrame, Made], pl.DataFrame]:
    """The fact's public rows of the latest year, with the names beside them."""

    def make(internal: pl.DataFrame, made: Made) -> pl.DataFrame:
        frame, key = made[fact], list(read_selection()[fact].key)
        added = [name for name in internal.columns if name not in frame.columns and name != "school_year_date"]
        rows = internal.select(*key, *added).join(frame, on=key, how="inner")
        return _dated(rows) if "last_year" in rows.columns else rows

    return make


def _dated(rows: pl.DataFrame) -> pl.DataFrame:
    """The day of the last year that is published, not of the one that the house knows."""
    return rows.with_columns(pl.date(pl.col("last_year"), *_JUNE_30).alias("school_year_date"))


def _values(internal: pl.DataFrame, made: Made) -> pl.DataFrame:
    """Annual values with names; every figure is that of the public row."""
    public = made["fct_indicator_value"].filter(pl.col("period") == "annual").select(*_VALUE, *_FIGURES)
    return internal.drop(_FIGURES).join(public, on=_VALUE, how="inner")


def _outcomes(internal: pl.DataFrame, made: Made) -> pl.DataFrame:
    """Outcomes on one line: verdicts, the deciding trend, its latest value, how many gaps went which way.

    The latest value stands only beside a published trend, the counts only where every gap of the outcome is public
    and they are those of the house: a count of some would be another figure, or tell the class of the withheld one.
    """
    own = pl.col("geography_id") == pl.col("community_id")
    trends = made["fct_trend"].filter(own & (pl.col("population_group_id") == ALL))
    trends = trends.filter(pl.col("trend_status") != WITHHELD).rename({"indicator_id": "deciding_indicator_id"})
    points = made["fct_trend_point"].filter(own & (pl.col("population_group_id") == ALL) & pl.col("used"))
    latest = (
        points.sort("school_year")
        .group_by("community_id", "indicator_id", "reporting_year", maintain_order=True)
        .agg(pl.col("value").last().alias("latest_value"), pl.col("denominator").last().alias("latest_denominator"))
        .rename({"indicator_id": "deciding_indicator_id"})
        .join(trends.select(_DECIDING), on=_DECIDING, how="semi")
    )
    rows = internal.drop([*_VERDICTS, *_TREND, *_LATEST, *_COUNTS, "school_year_date"])
    rows = rows.join(made["fct_outcome_status"].select(*_OUTCOME, *_VERDICTS), on=_OUTCOME, how="inner")
    rows = rows.join(trends.select(*_DECIDING, *_TREND), on=_DECIDING, how="left")
    rows = rows.join(latest, on=_DECIDING, how="left")
    return _dated(rows.join(_counts(internal, made), on=_OUTCOME, how="left"))


def _counts(internal: pl.DataFrame, made: Made) -> pl.DataFrame:
    status = pl.col("gap_status")
    own = (pl.col("standing") == "burdened") & (pl.col("geography_id") == pl.col("community_id"))
    gaps = made["fct_gap"].filter(own)
    counted = gaps.group_by(_OUTCOME).agg(
        (~status.is_in(["undetermined", WITHHELD])).sum().alias("n_gaps_public"),
        status.is_in(["narrowed", "eliminated"]).sum().alias("n_gaps_reduced_public"),
        (status == "widened").sum().alias("n_gaps_widened_public"),
        (status == WITHHELD).any().alias("is_hidden"),
    )
    verdicts = made["fct_outcome_status"].filter(pl.col("gap_reduced") != WITHHELD).select(_OUTCOME)
    both = internal.select(*_OUTCOME, *_COUNTS).join(verdicts, on=_OUTCOME, how="semi")
    both = both.join(counted, on=_OUTCOME, how="left").filter(~pl.col("is_hidden").fill_null(False))
    equal = [pl.col(name) == pl.col(f"{name}_public").fill_null(0) for name in _COUNTS]
    return both.filter(pl.all_horizontal(equal)).select(*_OUTCOME, *_COUNTS)


_MAKERS: Mapping[str, Callable[[pl.DataFrame, Made], pl.DataFrame]] = {
    "rpt_trend_current": _of_fact("fct_trend"),
    "rpt_gap_current": _of_fact("fct_gap"),
    "rpt_outcome_status_current": _of_fact("fct_outcome_status"),
    "rpt_indicator_value_current": _values,
    "rpt_indicator_value_annual": _values,
    "rpt_community_outcome": _outcomes,
}
REPEATED: Sequence[str] = tuple(_MAKERS)
