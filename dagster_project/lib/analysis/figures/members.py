"""Which community belongs to the network at which reporting year (RULES 7).

Belongs here: reporting years up to the one a community left, and reporting years of its membership.
Does not: figures of any community, or which folders are expected of it (monitoring).
"""

from __future__ import annotations

import polars as pl

AT = ["community_id", "reporting_year"]


def until_left(rows: pl.DataFrame, communities: pl.DataFrame) -> pl.DataFrame:
    """Rows (with AT) of reporting years up to each community's left_year, order kept.

    communities: community_id, joined_year, left_year (null: still a member). A community that is not among them has
    no row. Figures of the years before a community joined are its own and stay.
    """
    return _within(rows, communities, pl.lit(True))


def of_members(rows: pl.DataFrame, communities: pl.DataFrame) -> pl.DataFrame:
    """Rows (with AT) with joined_year <= reporting_year <= left_year, order kept: those that network figures count."""
    return _within(rows, communities, pl.col("joined_year") <= pl.col("reporting_year"))


def _within(rows: pl.DataFrame, communities: pl.DataFrame, joined: pl.Expr) -> pl.DataFrame:
    years = communities.select("community_id", pl.col("joined_year", "left_year").cast(pl.Int32))
    places = rows.select(AT).unique().join(years, on="community_id", how="inner")
    left = (pl.col("reporting_year") <= pl.col("left_year")).fill_null(True)
    return rows.join(places.filter(joined & left), on=AT, how="semi", maintain_order="left")
