"""Which points of trends and gaps the public can see with their very values (RULES 8.3).

Belongs here: fct_trend_point rows beside today's published values, what each trend and gap rests on, uses of a cell.
Does not: the tables that are published for it (derived.py).
"""

from __future__ import annotations

import polars as pl

from dagster_project.lib.disclosure.words import ANNUAL, CELL

ROW = ["community_id", "indicator_id", "population_group_id", "geography_id", "reporting_year"]
POINT = [*ROW, "series", "school_year"]
_CELL = ["community_id", "indicator_id", "population_group_id", "geography_id", "series", "school_year"]
# left_out_reason of points that are valid by themselves (RULES 3); what else is left out entered no figure.
VALID_LEFT_OUT = ("other_segment", "outside_window", "stale", "series_break", "too_few_points")
SMALL_N = "small_n"
COUNTS = ("numerator", "denominator")
# Relative difference up to which two floats are the same value: noise of a conversion, far below a printed digit.
SAME = 1e-9


def with_visibility(trend_point: pl.DataFrame, public: pl.DataFrame) -> pl.DataFrame:
    """fct_trend_point with is_valid, is_visible: whether today's public row shows this very value, and shows_counts:
    whether it prints the counts that the point has, or the point has none.

    public: fct_indicator_value as published. A point of an earlier reporting year whose value was corrected since is
    not visible; nor is one without a value. One whose counts alone were corrected is visible by its value.
    """
    counts = [name for name in COUNTS if name in trend_point.columns and name in public.columns]
    shown = public.filter((pl.col("period") == ANNUAL) & pl.col("value").is_not_null()).select(
        *(pl.col(name).cast(trend_point.schema[name]) for name in _CELL),
        *(pl.col(name).alias(f"public_{name}") for name in ("value", *counts)),
    )
    rows = trend_point.join(shown, on=_CELL, how="left", maintain_order="left")
    near = (pl.col("value") - pl.col("public_value")).abs() <= SAME * pl.max_horizontal(pl.col("value").abs(), 1.0)
    is_valid = pl.col("used") | pl.col("left_out_reason").is_in(VALID_LEFT_OUT)
    printed = [pl.col(name).is_null() | (pl.col(name) == pl.col(f"public_{name}")).fill_null(False) for name in counts]
    return rows.with_columns(
        near.fill_null(False).alias("is_visible"),
        is_valid.fill_null(False).alias("is_valid"),
        pl.all_horizontal(pl.lit(True), *printed).alias("shows_counts"),
    ).drop("public_value", *(f"public_{name}" for name in counts))


def published_points(points: pl.DataFrame) -> pl.DataFrame:
    """The rows of `with_visibility` that are published. Counts that were corrected since are history and stay inside;
    a point that was too small then is not told at all: beside its rate that alone could tell its counts."""
    rows = points.filter(pl.col("is_visible") & (pl.col("left_out_reason") != SMALL_N).fill_null(True))
    counts = [name for name in COUNTS if name in points.columns]
    return rows.with_columns(pl.when("shows_counts").then(pl.col(name)).alias(name) for name in counts)


def trend_support(trend: pl.DataFrame, points: pl.DataFrame) -> pl.DataFrame:
    """ROW, hidden_used, hidden_within: points that are not visible among those used, and within the row's years; and
    other_counts: points used with counts that are not published.

    Within: points with a value, of the row's series, from first_year to last_year.
    """
    windows = trend.select(*ROW, pl.col("series").alias("_series"), "first_year", "last_year")
    hidden = ~pl.col("is_visible")
    rows = points.filter(hidden | ~pl.col("shows_counts")).join(windows, on=ROW, how="inner")
    within = (
        (pl.col("series") == pl.col("_series"))
        & pl.col("school_year").is_between(pl.col("first_year"), pl.col("last_year"))
        & pl.col("value").is_not_null()
    )
    used = pl.col("used").fill_null(False)
    return rows.group_by(ROW).agg(
        (used & hidden).sum().alias("hidden_used"),
        (within.fill_null(False) & hidden).sum().alias("hidden_within"),
        (used & ~pl.col("shows_counts")).sum().alias("other_counts"),
    )


def gap_support(gap: pl.DataFrame, points: pl.DataFrame) -> pl.DataFrame:
    """ROW, hidden_points: years of the gap's window in which a value of either group is not visible.

    The years are those in which both groups have a valid point in the gap's series, from first_year to last_year.
    """
    years = gap_years(gap, points)
    return years.group_by(ROW).agg((~pl.col("is_visible")).sum().alias("hidden_points"))


def gap_years(gap: pl.DataFrame, points: pl.DataFrame) -> pl.DataFrame:
    """ROW, series, school_year, is_visible: the common valid years of each gap's window, and whether both are shown."""
    valid = points.filter("is_valid").select(*POINT, "is_visible")
    windows = gap.select(*ROW, "reference_group_id", pl.col("series").alias("_series"), "first_year", "last_year")
    ours = valid.join(windows, on=ROW, how="inner").filter(
        (pl.col("series") == pl.col("_series"))
        & pl.col("school_year").is_between(pl.col("first_year"), pl.col("last_year"))
    )
    theirs = valid.rename({"population_group_id": "reference_group_id", "is_visible": "reference_visible"})
    on = [name if name != "population_group_id" else "reference_group_id" for name in POINT]
    both = ours.join(theirs, on=on, how="inner")
    return both.select(
        *POINT, "reference_group_id", (pl.col("is_visible") & pl.col("reference_visible")).alias("is_visible")
    )


_LINE = ["community_id", "indicator_id", "series", "geography_id", "population_group_id"]


def uses_of(cells: pl.DataFrame, trend: pl.DataFrame, gap: pl.DataFrame) -> pl.Series:
    """For each cell, in order, the sorted numbers of the determined trends and gaps whose window holds its year.

    cells: CELL. trend: fct_trend; gap: fct_gap (series, first_year, last_year null where undetermined). A gap counts
    for its group and for its reference. Rows are numbered through trends, then gaps.
    """
    window = ["series", "first_year", "last_year"]
    trends = trend.with_row_index("use").filter(pl.col("slope").is_not_null())
    gaps = gap.with_row_index("use").with_columns((pl.col("use") + trend.height).alias("use"))
    gaps = gaps.filter(pl.col("group_slope").is_not_null())
    columns = ["community_id", "indicator_id", "geography_id", "population_group_id", *window, "use"]
    reference = gaps.drop("population_group_id").rename({"reference_group_id": "population_group_id"})
    rows = pl.concat([each.select(pl.col("use").cast(pl.Int64), *columns[:-1]) for each in (trends, gaps, reference)])
    numbered = cells.select(CELL).with_row_index("cell")
    found = (
        numbered.filter(pl.col("period") == ANNUAL)
        .join(rows, on=_LINE, how="inner")
        .filter(pl.col("school_year").is_between(pl.col("first_year"), pl.col("last_year")))
        .group_by("cell")
        .agg(pl.col("use").unique().sort())
    )
    return numbered.join(found, on="cell", how="left", maintain_order="left")["use"].fill_null([])
