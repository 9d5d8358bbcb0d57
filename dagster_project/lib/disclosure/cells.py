"""Cells and what they are by themselves (RULES 8.1): small, coded, masked at the source, published.

Belongs here: one row a cell with its counts and kind, its row as published, what the public knows of it by that.
Does not: choosing complementary cells (choice.py), sums (sums.py), derived figures (derived.py).
"""

from __future__ import annotations

from typing import Any

import polars as pl

from dagster_project.lib.base.names import WITHHELD
from dagster_project.lib.disclosure.profiles import Profile, thresholds, zone_of
from dagster_project.lib.disclosure.words import (
    CELL,
    CODED,
    COMPLEMENTARY,
    COUNT,
    INF,
    MISSING,
    NO_COUNT,
    NOT_APPLICABLE,
    PUBLISHED,
    RANGE,
    RATE_ONLY,
    SMALL,
    SOURCE_MASKED,
    SUPPRESSED,
    WHOLE,
    Bounds,
)

EPSILON = 1e-9
# Decimals that a printed rate is looked at with; more are noise of its conversion.
DECIMALS = 6
# Half a unit of a rate that was printed with one decimal.
FINER = 0.05
POOLED = "pooled"

# Columns of a cell that the public knows by its kind alone; they are what an attacker starts from.
BOUND_COLUMNS = ("n_low", "n_high", "k_low", "k_high", "rate_low", "rate_high", "has_k")


def classify(
    values: pl.DataFrame, indicators: pl.DataFrame, communities: pl.DataFrame, profile: Profile
) -> pl.DataFrame:
    """One row a cell, in order of CELL, with its primary kind.

    values: fct_indicator_value. indicators: dim_indicator (indicator_id; sector_profile or sector). communities:
    dim_community (community_id, state).

    Returned: CELL, geography_level, unit, value, value_low, value_high, value_status, is_pooled, min_n (Int64), n, k
    (Int64: the counts the row prints; k also where exactly one gives the printed rate; null where it prints none),
    is_known (whether n, k are whole as far as the unit has them), has_k, k_least, k_most (k within the printed rate),
    is_public_source, zone_low, zone_high (percent), kind. Raises ValueError on two rows of one key.
    """
    rows = _with_traits(values, indicators, communities, profile)
    rows = _with_counts(rows).with_columns(_kind(profile).alias("kind"))
    twins = rows.filter(pl.struct(CELL).is_duplicated())
    if twins.height:
        raise ValueError(f"two values of one key: {twins.select(CELL).row(0)}")
    return rows.sort(CELL)


def _with_traits(
    values: pl.DataFrame, indicators: pl.DataFrame, communities: pl.DataFrame, profile: Profile
) -> pl.DataFrame:
    sector = "sector_profile" if "sector_profile" in indicators.columns else "sector"
    rows = values.select(
        *(pl.col(name).cast(pl.Int64 if name == "school_year" else pl.String) for name in CELL),
        "geography_level",
        "unit",
        *(pl.col(name).cast(pl.Float64) for name in ("value", "value_low", "value_high")),
        *(pl.col(name).cast(pl.Int64) for name in ("numerator", "denominator")),
        "value_status",
        pl.col("data_source").cast(pl.String)
        if "data_source" in values.columns
        else pl.lit(None, pl.String).alias("data_source"),
        (pl.col("origin") == POOLED if "origin" in values.columns else pl.lit(False))
        .fill_null(False)
        .alias("is_pooled"),
    )
    rows = rows.join(indicators.select("indicator_id", pl.col(sector).alias("sector")), on="indicator_id", how="left")
    rows = rows.join(communities.select("community_id", "state"), on="community_id", how="left")
    rows = rows.with_columns(thresholds(rows, profile), _public_source(rows, profile.sources))
    return rows.drop("sector", "state")


def _public_source(rows: pl.DataFrame, sources: pl.DataFrame) -> pl.Series:
    """Whether the row's data source is listed as public in the row's school year; labels compared without case."""
    label = pl.col("data_source").str.strip_chars().str.to_lowercase()
    public = sources.filter(pl.col("is_public")).select(
        pl.col("label").str.strip_chars().str.to_lowercase().alias("_label"), "valid_from", "valid_to"
    )
    named = pl.lit(False)
    for name, first, last in public.iter_rows():
        named |= (label == name) & pl.col("school_year").is_between(first, last)
    return rows.with_columns(named.fill_null(False).alias("is_public_source"))["is_public_source"]


def half_unit(value: pl.Expr) -> pl.Expr:
    """Half a unit of the last printed digit of a number; at least that of DECIMALS decimals."""
    half = pl.lit(0.5 * 10.0**-DECIMALS)
    for digits in reversed(range(DECIMALS)):
        scaled = value * 10.0**digits
        whole = (scaled - scaled.round()).abs() < 10.0 ** (digits - DECIMALS) * 0.5
        half = pl.when(whole).then(pl.lit(0.5 * 10.0**-digits)).otherwise(half)
    return half


def _with_counts(rows: pl.DataFrame) -> pl.DataFrame:
    """n, k, has_k, the k that the printed rate leaves, and the zone."""
    is_count, share = pl.col("unit") == COUNT, pl.col("unit").is_in(list(WHOLE))
    value, whole = pl.col("value"), pl.col("unit").replace_strict(WHOLE, default=None, return_dtype=pl.Float64)
    is_whole = (value - value.round()).abs() < EPSILON
    n = pl.when(is_count).then(pl.when(is_whole).then(value.round().cast(pl.Int64))).otherwise(pl.col("denominator"))
    rows = rows.with_columns(
        n.alias("n"),
        whole.alias("whole"),
        (share | (~is_count & pl.col("numerator").is_not_null())).alias("has_k"),
        # A whole number may have been printed with a decimal, which no stored number shows. Beside an n both give the
        # same k; without one the finer reading leaves fewer counts, so it is the one that is judged by.
        pl.when(n.is_null())
        .then(pl.min_horizontal(half_unit(value), pl.lit(FINER)))
        .otherwise(half_unit(value))
        .alias("half"),
    )
    # A masked rate binds k by its printed bounds; a printed one by half a unit of its last digit.
    low = pl.coalesce(value - pl.col("half"), pl.col("value_low"), 0.0) / pl.col("whole")
    high = pl.coalesce(value + pl.col("half"), pl.col("value_high"), pl.col("whole")) / pl.col("whole")
    rows = rows.with_columns(low.clip(0.0, 1.0).alias("rate_low"), high.clip(0.0, 1.0).alias("rate_high"))
    least = (pl.col("rate_low") * pl.col("n") - EPSILON).ceil().clip(lower_bound=0).cast(pl.Int64)
    most = pl.min_horizontal((pl.col("rate_high") * pl.col("n") + EPSILON).floor().cast(pl.Int64), pl.col("n"))
    rows = rows.with_columns(least.alias("k_least"), most.alias("k_most"))
    # Bounds that no whole count meets were rounded themselves: they say nothing exact.
    void = pl.col("k_least") > pl.col("k_most")
    rows = rows.with_columns(
        pl.when(void).then(0).otherwise("k_least").alias("k_least"),
        pl.when(void).then("n").otherwise("k_most").alias("k_most"),
        pl.when(void).then(0.0).otherwise("rate_low").alias("rate_low"),
        pl.when(void).then(1.0).otherwise("rate_high").alias("rate_high"),
    )
    only_one = share & value.is_not_null() & (pl.col("k_least") == pl.col("k_most")) & (pl.col("n") > 0)
    k = pl.when(is_count).then(None).otherwise(pl.coalesce("numerator", pl.when(only_one).then("k_least")))
    return rows.with_columns(pl.when(pl.col("n") == 0).then(0).otherwise(k).alias("k"))


def _kind(profile: Profile) -> pl.Expr:
    """The kind of RULES 8.1, first that applies."""
    n, k, value, min_n = pl.col("n"), pl.col("k"), pl.col("value"), pl.col("min_n")
    masked = pl.col("value_status").is_in([RANGE, SUPPRESSED])
    is_count = pl.col("unit") == COUNT
    counted = (
        pl.when(value.is_null())
        .then(pl.when(masked).then(pl.lit(SOURCE_MASKED)).otherwise(pl.lit(MISSING)))
        .when((value > 0) & (value < min_n))
        .then(pl.lit(SMALL))
        .otherwise(pl.lit(PUBLISHED))
    )
    without_n = (
        pl.when(k.is_not_null() & masked)
        .then(pl.lit(SOURCE_MASKED))
        .when(k.is_not_null() & (k < min_n))
        .then(pl.lit(SMALL))
        .when(value.is_not_null())
        .then(pl.when("is_public_source").then(pl.lit(RATE_ONLY)).otherwise(pl.lit(NO_COUNT)))
        .when(k.is_not_null())
        .then(pl.lit(PUBLISHED))
        .when(masked)
        .then(pl.lit(SOURCE_MASKED))
        .otherwise(pl.lit(MISSING))
    )
    open_rate = value.is_null() & k.is_null()
    return (
        pl.when(is_count)
        .then(counted)
        .when(n == 0)
        .then(pl.lit(NOT_APPLICABLE))
        .when(n.is_null())
        .then(without_n)
        .when(open_rate)
        .then(pl.lit(SOURCE_MASKED))
        .when(n < min_n)
        .then(pl.lit(SMALL))
        .when((pl.col("unit") == "percent") & _in_zone(profile))
        .then(pl.lit(CODED))
        .otherwise(pl.lit(PUBLISHED))
    )


def _in_zone(profile: Profile) -> pl.Expr:
    """Whether the rate lies in the zone of its n; by the counts where they are known, else as printed."""
    low, high = zone_of(pl.col("n"), profile.zones)
    rate = pl.when(pl.col("k").is_not_null()).then(100.0 * pl.col("k") / pl.col("n")).otherwise(pl.col("value"))
    return (rate <= low + EPSILON) | (rate >= high - EPSILON)


def with_classes(cells: pl.DataFrame) -> pl.DataFrame:
    """Add n_class and k_class: what of n and of k the kind lets the public know (never the hidden count itself).

    cells: as `classify` returns them with kind final and, where fall-backs hide a source's denominator, hides_n.
    n_class: printed, small (1 .. min_n - 1), large (from min_n on), none. k_class: small (a numerator without n), none.
    """
    kind, n, min_n, is_count = pl.col("kind"), pl.col("n"), pl.col("min_n"), pl.col("unit") == COUNT
    hides_n = pl.col("hides_n") if "hides_n" in cells.columns else pl.lit(False)
    masked = kind == SOURCE_MASKED
    shown = kind.is_in([PUBLISHED, CODED, NOT_APPLICABLE, MISSING]) | (masked & ~hides_n & (n >= min_n))
    small = (kind == SMALL) | (masked & (n < min_n))
    large = (kind == COMPLEMENTARY) | masked
    n_class = (
        pl.when(n.is_null())
        .then(pl.lit("none"))
        .when(shown)
        .then(pl.lit("printed"))
        .when(small)
        .then(pl.lit("small"))
        .when(large)
        .then(pl.lit("large"))
        .otherwise(pl.lit("none"))
    )
    numerator_alone = (kind == SMALL) & n.is_null() & ~is_count
    k_class = pl.when(numerator_alone).then(pl.lit("small")).otherwise(pl.lit("none"))
    return cells.with_columns(n_class.alias("n_class"), k_class.alias("k_class"))


# What is kept of each cell of a release beside its public row.
REGISTER_COLUMNS = (*CELL, "kind", "n_class", "k_class", "has_k", "min_n", "token")


PUBLIC_COLUMNS = (*CELL, "unit", "value", "value_low", "value_high", "numerator", "denominator")
"""What of published values the audit of later releases reads; notes, sources and files are kept nowhere for it."""


def facts_of(public: pl.DataFrame, register: pl.DataFrame) -> pl.DataFrame:
    """What the public knows of each cell by itself: REGISTER_COLUMNS and BOUND_COLUMNS, in order of CELL.

    public: PUBLIC_COLUMNS of fct_indicator_value as published. register: REGISTER_COLUMNS of the same release. Nothing
    else is read, so that no hidden count can enter. Unbounded ends are infinite. ValueError where the two do not name
    the same cells.
    """
    rows = public.select(
        *(pl.col(name).cast(pl.Int64 if name == "school_year" else pl.String) for name in CELL),
        "unit",
        *(pl.col(name).cast(pl.Float64) for name in ("value", "value_low", "value_high")),
        *(pl.col(name).cast(pl.Int64) for name in ("numerator", "denominator")),
    )
    rows = _with_counts(rows).drop("has_k").join(register.select(REGISTER_COLUMNS), on=list(CELL), how="inner")
    if rows.height != public.height or rows.height != register.height:
        raise ValueError("the public values and the register of their release name different cells")
    kind, n, k = pl.col("kind"), pl.col("n"), pl.col("k")
    min_n, n_class = pl.col("min_n").cast(pl.Float64), pl.col("n_class")
    prints_n = (n_class == "printed") & n.is_not_null()
    prints_k = kind.is_in([PUBLISHED, RATE_ONLY, NOT_APPLICABLE]) & k.is_not_null()
    in_zone, by_rate = kind == CODED, prints_n & pl.col("k_least").is_not_null()
    small_k = pl.col("k_class") == "small"
    least, most = pl.col("k_least").cast(pl.Float64), pl.col("k_most").cast(pl.Float64)
    n_low = pl.when(prints_n).then(n.cast(pl.Float64)).when(n_class == "small").then(1.0)
    n_high = pl.when(prints_n).then(n.cast(pl.Float64)).when(n_class == "small").then(min_n - 1.0)
    k_low = pl.when(prints_k).then(k.cast(pl.Float64)).when(in_zone | by_rate).then(least)
    k_high = pl.when(prints_k).then(k.cast(pl.Float64)).when(in_zone | by_rate).then(most)
    rated = kind.is_in([RATE_ONLY, SOURCE_MASKED]) & ~prints_n & pl.col("whole").is_not_null()
    bounds = {
        # Where a rate is printed there is somebody.
        "n_low": n_low.when(n_class == "large").then(min_n).when(kind == RATE_ONLY).then(1.0).otherwise(0.0),
        "n_high": n_high.otherwise(INF),
        "k_low": k_low.otherwise(0.0),
        "k_high": k_high.when(small_k).then(min_n - 1.0).otherwise(INF),
        # Nobody takes a printed 0 for a few among thousands: without n it is taken to mean none, and 100 % all.
        "rate_low": pl.when(rated & (pl.col("value") >= pl.col("whole")))
        .then(1.0)
        .when(rated)
        .then("rate_low")
        .otherwise(0.0),
        "rate_high": pl.when(rated & (pl.col("value") <= 0)).then(0.0).when(rated).then("rate_high").otherwise(1.0),
    }
    return rows.with_columns(**bounds).select(*REGISTER_COLUMNS, *BOUND_COLUMNS[:-1]).sort(CELL)


def bounds_of(row: dict[str, Any]) -> Bounds:
    """The bounds of one row of `facts_of`."""
    return Bounds(
        row["n_low"],
        row["n_high"],
        row["k_low"],
        row["k_high"],
        0.0,
        INF,
        row["rate_low"],
        row["rate_high"],
        row["has_k"],
    ).tight()


def public_values(values: pl.DataFrame, cells: pl.DataFrame, profile: Profile) -> pl.DataFrame:
    """The rows of fct_indicator_value that have a cell, in order of CELL, as they are published; columns as given.

    cells: CELL, kind, n_class, n, k (see `cells.with_classes`). A hidden cell keeps none of its numbers; a coded one
    its denominator and the bounds of its zone; one masked at the source its word, its bounds and a denominator that
    is printed. data_source becomes the public name of its line in data_sources.csv, else null.
    """
    rows = values.with_columns(pl.col("school_year").cast(pl.Int64)).join(
        cells.select(*CELL, "kind", "n_class", "n", "k"), on=list(CELL), how="inner"
    )
    kind = pl.col("kind")
    hidden = kind.is_in([SMALL, COMPLEMENTARY, NO_COUNT])
    coded, masked = kind == CODED, kind == SOURCE_MASKED
    low_zone, high_zone = zone_of(pl.col("n"), profile.zones)
    rate = pl.when(pl.col("k").is_not_null()).then(100.0 * pl.col("k") / pl.col("n")).otherwise(pl.col("value"))
    is_low = rate <= low_zone + EPSILON
    # The value of a plain count is its own n. What stands in the cells for counts is neither its n nor its k, and no
    # audit looks at it: it is not published.
    no_counts = pl.col("unit") == COUNT
    rows = rows.with_columns(
        value=pl.when(hidden | coded | masked).then(None).otherwise("value"),
        value_low=pl.when(hidden)
        .then(None)
        .when(coded)
        .then(pl.when(is_low).then(0.0).otherwise(high_zone))
        .otherwise("value_low"),
        value_high=pl.when(hidden)
        .then(None)
        .when(coded)
        .then(pl.when(is_low).then(low_zone).otherwise(100.0))
        .otherwise("value_high"),
        numerator=pl.when(hidden | coded | masked | no_counts).then(None).otherwise("numerator"),
        denominator=pl.when(hidden | (masked & (pl.col("n_class") != "printed")) | no_counts)
        .then(None)
        .otherwise("denominator"),
        value_status=pl.when(hidden).then(pl.lit(WITHHELD)).when(coded).then(pl.lit(RANGE)).otherwise("value_status"),
    )
    if "data_source" in values.columns:
        rows = rows.with_columns(_public_names(rows, profile.sources))
    kinds = values.schema
    return rows.sort(CELL).select(pl.col(name).cast(kinds[name]) for name in values.columns)


def _public_names(rows: pl.DataFrame, sources: pl.DataFrame) -> pl.Series:
    """The public name of each row's data source in its year, null where no line has one."""
    label = pl.col("data_source").cast(pl.String).str.strip_chars().str.to_lowercase()
    name = pl.lit(None, pl.String)
    for line, public_name, first, last in sources.select("label", "public_name", "valid_from", "valid_to").iter_rows():
        here = (label == line.strip().lower()) & pl.col("school_year").is_between(first, last)
        name = pl.when(here).then(pl.lit(public_name, pl.String)).otherwise(name)
    return rows.with_columns(name.alias("data_source"))["data_source"]
