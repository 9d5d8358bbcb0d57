"""Labels of series over one community's reporting years: a new one is asked about once.

Belongs here: the question why an indicator is measured under another label than before.
Does not: what a label means for trends (analysis: none crosses from one to another), or how labels are spelt (rows).
"""

from __future__ import annotations

import polars as pl

from dagster_project.lib.intake.comparing.compared_values import text_of, told

OWNER = ["community_id", "indicator_id"]
COMPARABLE, NOT_COMPARABLE = "comparable", "not comparable"
"""What the column reason of an answer says of the two labels."""


def new_series(values: pl.DataFrame) -> pl.DataFrame:
    """new_series: a label under which a community submits an indicator after it began with another one.

    values: accepted ones (compared_values). One question a community, indicator and label, at the first row that bears
    it; of labels that came in one folder the one with the later school years is new, and none where both begin in the
    same year (two measures side by side). Which years it holds is no part of the question, so that one answer lasts.
    """
    own = values.sort("reporting_year", "school_year", "value_no")
    first = [pl.col(name).first().alias(f"_{name}") for name in ("reporting_year", "school_year")]
    labels = own.group_by(*OWNER, "series", maintain_order=True).agg(*first, pl.col("value_no").first())
    before = labels.select(*OWNER, _before="series", _then="_reporting_year", _since="_school_year")
    pairs = labels.join(before, on=OWNER, how="inner").filter(pl.col("series") != pl.col("_before"))
    one_folder = (pl.col("_then") == pl.col("_reporting_year")) & (pl.col("_since") < pl.col("_school_year"))
    pairs = pairs.filter((pl.col("_then") < pl.col("_reporting_year")) | one_folder)
    pairs = pairs.sort("value_no", "_since", "_then", "_before")
    last = pairs.unique("value_no", keep="last", maintain_order=True).select("value_no", "_before")
    rows = values.join(last, on="value_no", how="inner", maintain_order="left")
    found = text_of(pl.col("series"), " after ", pl.col("_before"), " for ", pl.col("indicator_name"))
    allowed = pl.lit(f"one answer: why, and as its reason {COMPARABLE} or {NOT_COMPARABLE} with the years before")
    return told(rows, "new_series", "series", found, allowed, ["indicator_id", "series"])
