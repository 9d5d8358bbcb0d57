"""Districts that several communities serve: in a sum over communities their students count once (RULES 7).

Belongs here: which districts are shared, and totals from which what another community already counts is taken out.
Does not: rates or slopes of sums (network.py), totals of one community, children reached (fct_reach).
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

COUNTS = ("numerator", "denominator")
DISTRICT = "district"


def shared_districts(geographies: pl.DataFrame) -> pl.DataFrame:
    """Districts that more than one community has: community_id, geography_id, place, valid_from, valid_to.

    geographies: the seed as text. Two lines are one place if code system and code are the same, or without a code the
    place's id. Years are whole numbers, null where a line has none.
    """
    coded = pl.concat_str("code_system", "code", separator=":")
    districts = geographies.filter(pl.col("geography_level") == DISTRICT).select(
        "community_id",
        "geography_id",
        pl.coalesce(coded, "geography_id").alias("place"),
        *(pl.col(name).cast(pl.Int32, strict=False) for name in ("valid_from", "valid_to")),
    )
    return districts.filter(pl.col("community_id").n_unique().over("place") > 1).unique().sort("place", "community_id")


def counted_once(totals: pl.DataFrame, parts: pl.DataFrame, cell: Sequence[str]) -> pl.DataFrame:
    """Communities' totals for a sum over them: a shared district stays with the first community, by id, of those there.

    totals: `cell`, community_id, school_year and COUNTS, one row a community and year of a constant panel. parts: the
    same of shared districts as each community reports them (null: not known), with `place`; a row for every year in
    which the place is shared. A community whose total cannot be parted from its repeated districts in every year has
    no row at all: nobody knows which of its students are counted already.
    """
    key = [*cell, "community_id"]
    while True:
        rest = totals.join(_repeated(totals, parts, cell), on=[*key, "school_year"], how="left", maintain_order="left")
        left = [pl.col(name) - pl.col(f"_{name}") for name in COUNTS]
        sound = pl.col("_known").fill_null(True) & (left[0] >= 0).fill_null(True) & (left[1] >= left[0]).fill_null(True)
        # One at a time: with a community gone, the districts it shared with a later one are that one's to count.
        gone = rest.filter(~sound).group_by(cell).agg(pl.col("community_id").min())
        if gone.is_empty():
            taken = [(pl.col(name) - pl.col(f"_{name}").fill_null(0)).alias(name) for name in COUNTS]
            return rest.with_columns(taken).select(totals.columns)
        totals = totals.join(gone, on=key, how="anti", maintain_order="left")


def _repeated(totals: pl.DataFrame, parts: pl.DataFrame, cell: Sequence[str]) -> pl.DataFrame:
    """Sums of districts that an earlier community of the cell and year counts: key, _COUNTS, _known (all of them)."""
    year = [*cell, "school_year"]
    here = parts.join(totals, on=[*year, "community_id"], how="semi")
    later = here.filter(pl.col("community_id") != pl.col("community_id").min().over(*year, "place"))
    known = pl.all_horizontal(pl.col(name).is_not_null() for name in COUNTS)
    return later.group_by(*year, "community_id").agg(
        *(pl.col(name).sum().alias(f"_{name}") for name in COUNTS), known.all().alias("_known")
    )
