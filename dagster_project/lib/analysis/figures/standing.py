"""Who is the reference and who counts as burdened, per community, dimension and reporting year (RULES 4).

Belongs here: reading the burdened_groups register as known then, the starter list, the dictionary's references.
Does not: gaps themselves.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import polars as pl

BURDENED, REFERENCE, OTHER = "burdened", "reference", "other"
REGISTER_SCHEMA = {
    "community_id": pl.String(),
    "reporting_year": pl.Int32(),
    "dimension": pl.String(),
    "group": pl.String(),
    "standing": pl.String(),
    "effective_from": pl.Date(),
}


@dataclass(frozen=True, eq=False)
class Standings:
    """`references`: community_id, reporting_year, dimension, reference_group_id (one row where there is one);
    `burdened`: community_id, reporting_year, population_group_id, standing = 'burdened'."""

    references: pl.DataFrame
    burdened: pl.DataFrame


def community_years(first_years: pl.DataFrame, last_reporting_year: int) -> pl.DataFrame:
    """community_id, reporting_year: every reporting year from each community's first submission on, sorted."""
    end = pl.lit(last_reporting_year, dtype=pl.Int64) + 1
    years = pl.int_ranges(pl.col("first_reporting_year").cast(pl.Int64), end, dtype=pl.Int64)
    return (
        first_years.select("community_id", years.alias("reporting_year"))
        .explode("reporting_year", empty_as_null=True, keep_nulls=False)
        .drop_nulls()
        .with_columns(pl.col("reporting_year").cast(pl.Int32))
        .sort("community_id", "reporting_year")
    )


def assessment_date(today: dt.date) -> pl.Expr:
    """The earlier of 31 December of the reporting year and today (RULES 6)."""
    return pl.min_horizontal(pl.date(pl.col("reporting_year"), 12, 31), pl.lit(today))


def standings(
    register: pl.DataFrame,
    starter: pl.DataFrame,
    dimensions: pl.DataFrame,
    grid: pl.DataFrame,
    today: dt.date,
    ruleset_id: str,
) -> Standings:
    """Standings at every community and reporting year of `grid` (see `community_years`).

    register: REGISTER_SCHEMA, all reporting years; known at R are rows of reporting years <= R that are in effect at
    the assessment date; of one group the newest effective_from, then the newest reporting year holds. A dimension with
    such rows is the register's: the starter's burdened groups of it no longer hold. Where it names no reference, the
    default stays the reference, unless the register calls that very group burdened. Of several references the newest
    in effect holds, of one day that of the newest submission, then the one that sorts first.
    starter: rows of starter_burdened_groups.csv; dimensions: dimension, reference_group (null for none).
    """
    known = _known_rows(register, grid, today)
    own = known.select("community_id", "reporting_year", "dimension").unique()
    starter = starter.filter(pl.col("ruleset_id") == ruleset_id)
    defaults = grid.join(_default_references(starter, dimensions), how="cross")
    named = (
        known.filter(pl.col("standing") == REFERENCE)
        .sort("effective_from", "known_in", "group", descending=[True, True, False], nulls_last=True)
        .unique(["community_id", "reporting_year", "dimension"], keep="first", maintain_order=True)
    )
    called_burdened = known.filter(pl.col("standing") == BURDENED)
    where = ["community_id", "reporting_year", "dimension"]
    left = defaults.join(named, on=where, how="anti").join(called_burdened, on=[*where, "group"], how="anti")
    references = pl.concat([named.select(*where, "group"), left.select(*where, "group")])
    listed = grid.join(starter.filter(pl.col("standing") == BURDENED), how="cross").rename({"group_code": "group"})
    burdened = pl.concat(
        [called_burdened.select(*where, "group"), listed.join(own, on=where, how="anti").select(*where, "group")]
    )
    group_id = pl.format("{}:{}", "dimension", "group")
    return Standings(
        references.select(*where, group_id.alias("reference_group_id")).sort(where),
        burdened.select(
            "community_id",
            "reporting_year",
            group_id.alias("population_group_id"),
            pl.lit(BURDENED).alias("standing"),
        )
        .unique()
        .sort("community_id", "reporting_year", "population_group_id"),
    )


def _known_rows(register: pl.DataFrame, grid: pl.DataFrame, today: dt.date) -> pl.DataFrame:
    """One row a community, reporting year, dimension and group that the register speaks of."""
    rows = register.select(pl.col(name).cast(kind) for name, kind in REGISTER_SCHEMA.items())
    rows = rows.rename({"reporting_year": "known_in"})
    return (
        grid.join(rows, on="community_id", how="inner")
        .filter(pl.col("known_in") <= pl.col("reporting_year"))
        # A row without a date has been in effect all along.
        .filter(pl.col("effective_from").is_null() | (pl.col("effective_from") <= assessment_date(today)))
        .sort("effective_from", "known_in", "standing", nulls_last=False)
        .unique(["community_id", "reporting_year", "dimension", "group"], keep="last", maintain_order=True)
    )


def _default_references(starter: pl.DataFrame, dimensions: pl.DataFrame) -> pl.DataFrame:
    """dimension, group: the starter's reference where it has one, else the dictionary's."""
    first = starter.filter(pl.col("standing") == REFERENCE).select("dimension", pl.col("group_code").alias("group"))
    seeds = dimensions.select("dimension", pl.col("reference_group").cast(pl.String).alias("group"))
    seeds = seeds.filter(pl.col("group").is_not_null() & (pl.col("group") != ""))
    return pl.concat([first, seeds.join(first, on="dimension", how="anti")]).unique("dimension").sort("dimension")
