"""Places of rows: from the words of a file to a governed or a local place.

Belongs here: geography and geographic dimensions of rows of values as geography_id and level, and questions about them.
Does not: lists of places (seeds), sums over places (dbt, comparing).
"""

from __future__ import annotations

import polars as pl

from dagster_project.lib.base.reference import Reference
from dagster_project.lib.intake.findings import issues_where
from dagster_project.lib.intake.rows.labels import normalised, place_table, resolve, with_nearest
from dagster_project.lib.intake.rows.wider_places import names_wider

POWER = r"(?i)^\d+(?:\.\d+)?E\+?\d+$"
"""A long code as spreadsheets show it once they took it for a number."""
POINT_ZERO = r"^\d+\.0+$"
GROUPED = r"^\d{1,3}(?:,\d{3})+$"
ZIP = r"(?i)^(?:zip(?:\s*code)?[\s:#]*)?(\d{5})(?:-?\d{4})?$"
"""A zip code of five digits, with the four that may follow; they name a part of it."""
CODE_WORDS = "the code as text with all its digits; a zip code has five"


def slug(name: str) -> pl.Expr:
    """A place's name as part of an id."""
    return pl.col(name).str.to_lowercase().str.replace_all(r"[^\p{L}\p{N}]+", "_").str.strip_chars("_")


def placed(rows: pl.DataFrame, reference: Reference) -> tuple[pl.DataFrame, pl.DataFrame]:
    """geography_id of each row: the community itself, a governed place, or the place as the member names it.

    A place waits only where the network governs a list of such places for the community and it is not on it.
    """
    own = pl.col("geography_level") == "community"
    places = reference.geographies
    governed = places.select("community_id", "geography_level").unique().with_columns(governed=pl.lit(True))
    zip_code = pl.col("geography").str.strip_chars().str.extract(ZIP)
    is_zip = pl.col("geography_level") == "zip"
    rows = rows.with_columns(
        geography=pl.when(is_zip).then(pl.coalesce(zip_code, "geography")).otherwise(pl.col("geography"))
    )
    rows = rows.with_columns(
        _place=normalised("geography"),
        geography_id=resolve(rows, "geography", place_table(reference), dimension="geography_level"),
    ).join(governed, on=["community_id", "geography_level"], how="left", maintain_order="left")
    invented = pl.concat_str("community_id", "geography_level", slug("geography"), separator=":")
    rows = rows.with_columns(_listed=pl.col("geography_id").is_not_null())
    rows = rows.with_columns(
        geography_id=pl.when(own)
        .then(pl.col("community_id"))
        .when(pl.col("geography_id").is_not_null())
        .then(pl.col("geography_id"))
        .when(pl.col("governed").is_null())
        .then(invented)
    )
    return rows.drop("_listed"), pl.concat([_place_issues(rows, reference), _spoilt_codes(rows)])


def _spoilt_codes(rows: pl.DataFrame) -> pl.DataFrame:
    """Codes that lost digits in a spreadsheet: as numbers they would be places of their own beside the right one."""
    text = pl.col("geography").str.strip_chars()
    short = (pl.col("geography_level") == "zip") & text.str.contains(r"\d") & ~text.str.contains(ZIP)
    spoilt = text.str.contains(POWER) | text.str.contains(POINT_ZERO) | text.str.contains(GROUPED) | short
    asked = (pl.col("geography_level") != "community") & ~pl.col("_listed") & spoilt
    series = pl.col("series").str.contains(POWER)
    return pl.concat(
        [
            issues_where(rows, asked, "spoilt_code", "geography", pl.col("raw_geography"), CODE_WORDS),
            issues_where(rows, series, "spoilt_code", "series", pl.col("series"), CODE_WORDS),
        ]
    )


def _place_issues(rows: pl.DataFrame, reference: Reference) -> pl.DataFrame:
    own = pl.col("geography_level") == "community"
    named = pl.col("geography").is_not_null()
    unmapped = rows.filter(~own & named & pl.col("geography_id").is_null())
    parts = [
        issues_where(rows, ~own & ~named, "missing_geography", "geography"),
        *_other_place(rows.filter(own & named), reference),
        _total_of_another(rows.filter(own & (pl.col("group_code") == "all")), reference),
    ]
    if unmapped.height:
        unmapped = with_nearest(unmapped, "geography", place_table(reference), "geography_level")
        found, subject = pl.col("geography"), pl.concat_str("geography_level", "_place", separator=":")
        parts.append(issues_where(unmapped, None, "unmapped_geography", "geography", found, pl.col("nearest"), subject))
    return pl.concat(parts)


def _total_of_another(rows: pl.DataFrame, reference: Reference) -> pl.DataFrame:
    """Totals whose dimension names the state or the nation: the group is the total whatever its dimension is called."""
    names = reference.communities.select("community_id", "name", _state="state")
    hit = rows.join(names, on="community_id", how="left", maintain_order="left").with_columns(
        _dimension=normalised("dimension")
    )
    wider = names_wider("_dimension", "_state")
    return issues_where(hit, wider, "wider_place", "dimension", pl.col("dimension"), pl.col("name"))


def _other_place(rows: pl.DataFrame, reference: Reference) -> list[pl.DataFrame]:
    """Rows that count as the community's own value but name another place.

    A place that the network lists for the community is one of its parts, so that its level was forgotten; another
    community is asked about, since the rows may be its, and so is the state; any other name is information only.
    """
    names = reference.communities.select("community_id", "name", "district_name", _state="state")
    hit = rows.join(names, on="community_id", how="left", maintain_order="left").with_columns(
        pl.concat_str(
            normalised("community_id"),
            normalised("name"),
            normalised(pl.col("district_name").fill_null("")),
            separator="\x1f",
        ).alias("_own"),
        _part=resolve(rows, "geography", place_table(reference).with_columns(dimension=pl.lit(None, pl.String))),
    )
    differs = ~pl.struct("_place", "_own").map_elements(
        lambda pair: pair["_place"] in pair["_own"].split("\x1f"), return_dtype=pl.Boolean
    )
    part = differs & pl.col("_part").is_not_null()
    known = names.unpivot(on=["community_id", "name", "district_name"])["value"].drop_nulls().to_frame("label")
    others = known.select(normalised("label")).to_series().unique()
    another = differs & ~part & pl.col("_place").is_in(others.implode())
    wider = differs & ~part & ~another & names_wider("_place", "_state")
    other = differs & ~part & ~another & ~wider
    found, level = pl.col("geography"), pl.lit("the kind of place that geography names")
    return [
        issues_where(hit, another, "another_community", "geography", found, pl.col("name")),
        issues_where(hit, wider, "wider_place", "geography", found, pl.col("name")),
        issues_where(hit, other, "place_not_community", "geography", found, pl.col("name")),
        issues_where(hit, part, "missing_level", "geography_level", found, level),
    ]
