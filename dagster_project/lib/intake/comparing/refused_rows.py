"""Refused rows whose value another row goes on giving: a correction that was refused corrects nothing.

Belongs here: which refused rows have such another one, in their own folder or in an earlier one, and how it is told.
Does not: why a row is refused (rows), or which of several accepted rows counts (dbt).
"""

from __future__ import annotations

import polars as pl

from dagster_project.lib.intake.comparing.compared_values import POINT, text_of, told
from dagster_project.lib.intake.tables import of_population


def refused_beside_counting(values: pl.DataFrame, refused: pl.DataFrame) -> pl.DataFrame:
    """refused_and_other_counts: a refused row of a value that an accepted row gives by then.

    `values` are accepted rows (compared_values), `refused` the rejected observations. One finding for each file and
    what counts instead of its rows; a row of the same folder counts before one of an earlier.
    """
    rows = of_population(refused).with_row_index("_row")
    counting = values.select(*POINT, _file="source_file", _year="reporting_year")
    hit = rows.join(counting, on=POINT).filter(pl.col("_year") <= pl.col("reporting_year"))
    hit = hit.sort("_row", "_year", "_file").unique("_row", keep="last", maintain_order=True)
    own = text_of(pl.col("_file"), " in this folder")
    earlier = text_of("the folder of ", pl.col("_year"))
    found = pl.when(pl.col("_year") == pl.col("reporting_year")).then(own).otherwise(earlier)
    allowed = pl.lit(None, pl.String)
    issues = told(hit, "refused_and_other_counts", "value", found, allowed, POINT)
    # Known by its place: the same row, refused again in another year, is told again.
    return issues.with_columns(subject=pl.lit(None, pl.String))
