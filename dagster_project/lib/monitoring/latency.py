"""Latency: how long after a period ended, and after the folder was due, its values were first accepted (F20).

Belongs here: the two tables of schema `ops` that tell it, from the ledger's days and what was accepted.
Does not: any figure or status: arrival times enter no mart, no criterion and no table's hash.
"""

from __future__ import annotations

import polars as pl

from dagster_project.lib.intake.bucket.ledger import EVENTS
from dagster_project.lib.intake.bucket.whole import ACCEPTED

CRITERION = "systems_change.3.3"
"""Whose attested part the latencies help to judge: that the waiting time for data has shrunk."""
FOLDER = ["community_id", "reporting_year"]
SERIES = ["community_id", "indicator_id", "period_kind"]
TAKEN = ("accepted", "accepted_with_queries")
MIN_YEARS, STEADY_DAYS, DAYS_A_YEAR = 3, 1.0, 365.25


def submission_latency(events: pl.DataFrame, calendar: pl.DataFrame) -> pl.DataFrame:
    """When each folder was first accepted: FOLDER, first_accepted_on, due_on, days_after_due, timeliness; sorted.

    events: the ledger. calendar: reporting_year and due_on as text. days_after_due is negative before the day;
    timeliness is 1 up to it and 0 after it. Both are null where the calendar has no day.
    """
    taken = _states(events).group_by(FOLDER).agg(pl.col("day").min().alias("first_accepted_on"))
    late = pl.col("days_after_due")
    return (
        _with_due(taken, calendar)
        .with_columns(timeliness=pl.when(late.is_not_null()).then((late <= 0).cast(pl.Float64)))
        .sort(FOLDER)
    )


def value_latency(events: pl.DataFrame, observations: pl.DataFrame, calendar: pl.DataFrame) -> pl.DataFrame:
    """When values of each indicator and period were first accepted, and whether that comes sooner over the years.

    observations: as landed. A value arrived with the first accepted state of its folder that held its file. Terms have
    no declared end and are left out, as are values that came before their period ended (forecasts). One row a
    community, indicator and period: period_end, reporting_year, first_accepted_on, days_after_period, due_on,
    days_after_due, came_with_later (history: the same folder and day brought a later period as well),
    days_gained_per_year (least squares over the other rows, negative: later and later; null with fewer than MIN_YEARS
    of them), direction (sooner, steady, later, null) and criterion_id.
    """
    rows = observations.filter(pl.col("row_status").is_in(ACCEPTED) & pl.col("indicator_id").is_not_null())
    rows = rows.with_columns(_period_kind().alias("period_kind"), _period_end().alias("period_end"))
    rows = rows.filter(pl.col("period_end").is_not_null()).with_columns(
        name=pl.col("source_file").str.split("/").list.first()
    )
    key = [*SERIES, "school_year", "period", "period_end"]
    arrived = rows.select(*key, *FOLDER[1:], "name").unique().join(_arrivals(events), on=[*FOLDER, "name"])
    first = (
        arrived.sort(*key, "day", "reporting_year")
        .group_by(key, maintain_order=True)
        .agg(pl.col("reporting_year").first(), pl.col("day").first().alias("first_accepted_on"))
        .filter(pl.col("first_accepted_on") >= pl.col("period_end"))
    )
    batch = [*SERIES, "reporting_year", "first_accepted_on"]
    later = pl.col("period_end") < pl.col("period_end").max().over(batch)
    told = _with_due(first, calendar).with_columns(
        (pl.col("first_accepted_on") - pl.col("period_end")).dt.total_days().alias("days_after_period"),
        later.alias("came_with_later"),
    )
    told = told.join(_directions(told.filter(~pl.col("came_with_later"))), on=SERIES, how="left")
    columns = [
        *SERIES, "school_year", "period", "period_end", "reporting_year", "first_accepted_on", "days_after_period",
        "due_on", "days_after_due", "came_with_later", "days_gained_per_year", "direction",
    ]  # fmt: skip
    return told.select(*columns, pl.lit(CRITERION).alias("criterion_id")).sort(*SERIES, "period_end", "period")


def _states(events: pl.DataFrame) -> pl.DataFrame:
    """Accepted states of folders: FOLDER, sequence, day."""
    taken = events.filter((pl.col("event") == "submission") & pl.col("status").is_in(TAKEN))
    return taken.select(*FOLDER, "sequence", pl.col("seen_on").str.to_date().alias("day"))


def _arrivals(events: pl.DataFrame) -> pl.DataFrame:
    """The day of the first accepted state that held a file of that name: FOLDER, name, day."""
    files = events.filter(pl.col("event") == "object").group_by(*FOLDER, "name").agg(pl.col("sequence").min())
    held = files.join(_states(events), on=FOLDER, suffix="_state")
    held = held.filter(pl.col("sequence_state") >= pl.col("sequence"))
    return held.group_by(*FOLDER, "name").agg(pl.col("day").min())


def _with_due(rows: pl.DataFrame, calendar: pl.DataFrame) -> pl.DataFrame:
    due = calendar.select(
        pl.col("reporting_year").cast(EVENTS["reporting_year"]), pl.col("due_on").str.to_date(strict=False)
    )
    late = (pl.col("first_accepted_on") - pl.col("due_on")).dt.total_days()
    return rows.join(due, on="reporting_year", how="left").with_columns(late.alias("days_after_due"))


def _period_kind() -> pl.Expr:
    period = pl.col("period")
    return (
        pl.when(period == "annual")
        .then(pl.lit("annual"))
        .when(period.str.contains(r"^\d{4}-Q[1-4]$"))
        .then(pl.lit("quarter"))
        .when(period.str.contains(r"^\d{4}-(0[1-9]|1[0-2])$"))
        .then(pl.lit("month"))
    )


def _period_end() -> pl.Expr:
    """The last day of a month or quarter, of a school year 30 June; null for terms."""
    year = pl.col("period").str.slice(0, 4).cast(pl.Int32, strict=False)
    part = pl.col("period").str.slice(5)
    month = pl.when(part.str.starts_with("Q")).then(3 * part.str.slice(1).cast(pl.Int8, strict=False)).otherwise(
        part.cast(pl.Int8, strict=False)
    )  # fmt: skip
    kind = _period_kind()
    return (
        pl.when(kind == "annual")
        .then(pl.date(pl.col("school_year"), 6, 30))
        .when(kind.is_not_null())
        .then(pl.date(year, month, 1).dt.month_end())
    )


def _directions(rows: pl.DataFrame) -> pl.DataFrame:
    """SERIES, days_gained_per_year and direction from rows that arrived in their own time."""
    x = pl.col("period_end").dt.epoch("d").cast(pl.Float64) / DAYS_A_YEAR
    y = pl.col("days_after_period").cast(pl.Float64)
    slope = pl.cov(x, y) / x.var()
    years = pl.col("period_end").dt.year().n_unique()
    gained = pl.when(years >= MIN_YEARS).then(-slope)
    change = pl.col("days_gained_per_year")
    direction = (
        pl.when(change.is_null())
        .then(None)
        .when(change > STEADY_DAYS)
        .then(pl.lit("sooner"))
        .when(change < -STEADY_DAYS)
        .then(pl.lit("later"))
        .otherwise(pl.lit("steady"))
    )
    found = rows.group_by(SERIES).agg(gained.alias("days_gained_per_year"))
    return found.with_columns(direction.alias("direction"))
