"""Labels of a row as codes: indicator, dimension, group, series.

Belongs here: resolving the labels of rows of values, and the rows that wait because a label has no code.
Does not: the crosswalks themselves (labels.py, seeds), arithmetic (values.py), places (places.py).
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from dagster_project.lib.base.reference import Reference
from dagster_project.lib.intake.findings import issues_where, no_issues
from dagster_project.lib.intake.rows.labels import code_table, normalised, resolve, with_nearest
from dagster_project.lib.intake.rows.places import placed


@dataclass(frozen=True)
class CodeTables:
    """The label tables that rows are resolved with, built once a run."""

    indicator: pl.DataFrame
    dimension: pl.DataFrame
    group: pl.DataFrame
    outcome: pl.DataFrame

    @classmethod
    def of(cls, reference: Reference) -> CodeTables:
        """Build all label tables from the seeds."""
        kinds = ("indicator", "dimension", "group", "outcome")
        return cls(**{kind: code_table(reference, kind) for kind in kinds})


def coded(
    typed: pl.DataFrame, texts: pl.DataFrame, reference: Reference, codes: CodeTables
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Indicator, dimension, group and place as codes; issues for labels that wait."""
    rows = typed.with_columns(
        indicator_id=resolve(typed, "indicator", codes.indicator),
        dimension_code=resolve(typed, "dimension", codes.dimension),
        raw_group=pl.col("group"),
        raw_geography=pl.col("geography"),
    )
    kinds = reference.dimensions.select(
        pl.col("dimension").alias("dimension_code"), "kind", pl.col("geography_level").alias("place_level")
    )
    rows = rows.join(kinds, on="dimension_code", how="left", maintain_order="left")
    # The total of a geographic dimension is the total, and names no place.
    rows = rows.with_columns(_all=pl.lit("all"))
    rows = rows.with_columns(_is_total=resolve(rows, "group", codes.group, "_all") == "all")
    rows = rows.with_columns(
        dimension_code=pl.when((pl.col("kind") == "geographic") & pl.col("_is_total"))
        .then(pl.lit("all"))
        .otherwise(pl.col("dimension_code"))
    )
    place = ((pl.col("kind") == "geographic") & (pl.col("dimension_code") != "all")).fill_null(False)
    rows = rows.with_columns(
        geography=pl.when(place).then(pl.col("group")).otherwise(pl.col("geography")),
        geography_level=pl.when(place).then(pl.col("place_level")).otherwise(pl.col("geography_level")),
        group=pl.when(place).then(pl.lit("all")).otherwise(pl.col("group")),
        dimension_code=pl.when(place).then(pl.lit("all")).otherwise(pl.col("dimension_code")),
    )
    rows = rows.with_columns(group_code=resolve(rows, "group", codes.group, "dimension_code"))
    total = pl.col("group_code") == "all"
    rows = rows.with_columns(
        population_group_id=pl.when(total)
        .then(pl.lit("all"))
        .otherwise(pl.concat_str("dimension_code", pl.lit(":"), "group_code")),
    )
    rows, place_issues = placed(rows, reference)
    rows = _renamed_series(rows, reference)
    return rows, pl.concat([_waiting(rows, codes), place_issues])


def _waiting(rows: pl.DataFrame, codes: CodeTables) -> pl.DataFrame:
    # The group `all` is the total, whatever its dimension is called.
    total = (pl.col("group_code") == "all").fill_null(False)
    missing_dimension = pl.col("dimension").is_not_null() & pl.col("dimension_code").is_null() & ~total
    asked = {
        "indicator": pl.col("indicator").is_not_null() & pl.col("indicator_id").is_null(),
        "dimension": missing_dimension,
        # A group is known or not within its dimension; of a row that names none the empty cell is told.
        "group": pl.col("group").is_not_null()
        & pl.col("group_code").is_null()
        & pl.col("dimension_code").is_not_null(),
    }
    parts = [no_issues()]
    for kind, unknown in asked.items():
        hit = rows.filter(unknown)
        if hit.height:
            within = "dimension_code" if kind == "group" else None
            hit = with_nearest(hit, kind, getattr(codes, kind), within)
            subject = (
                normalised(kind)
                if kind != "group"
                else pl.concat_str("dimension_code", normalised("group"), separator=":")
            )
            parts.append(issues_where(hit, None, f"unmapped_{kind}", kind, pl.col(kind), pl.col("nearest"), subject))
    return pl.concat(parts)


def _renamed_series(rows: pl.DataFrame, reference: Reference) -> pl.DataFrame:
    """A seed line may rename a series (an assessment change): narrowest scope first; a blank label is `default`."""
    lines = reference.crosswalk("series")
    table = lines.select(
        "scope",
        "scope_id",
        pl.col("indicator_id").alias("dimension"),
        pl.col("label").fill_null("default").alias("label"),
        pl.col("series").alias("code"),
        "valid_from",
        "valid_to",
        pl.col("scope").replace_strict({"community": 0, "layout": 1, "global": 2}, return_dtype=pl.Int32).alias("rank"),
    )
    renamed = resolve(rows, "series", table, "indicator_id", exact=True)
    return rows.with_columns(raw_series=pl.col("series"), series=pl.coalesce(renamed, pl.col("series")))
