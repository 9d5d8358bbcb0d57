"""Contract of indicator_selection, version 1.

Belongs here: the columns of indicator_selection, their kinds, choices and key.
Does not: rules across rows or tables (dagster_project/lib/intake), or how figures are made from it.
"""

import polars as pl

from contracts.base import Column, RowRule, TableContract

CONTRACT = TableContract(
    table="indicator_selection",
    version=1,
    description="The indicators the partnership answers for.",
    columns=(
        Column("indicator", "indicator", "Indicator of the dictionary, or a local label", required=True),
        Column("outcome", "outcome", "The outcome it measures; blank for the dictionary's"),
        Column(
            "role",
            "choice",
            "Its role for the partnership",
            required=True,
            choices=("core", "contributing", "adjacent"),
        ),
        Column("primary", "boolean", "Whether it decides its outcome"),
        Column("baseline_year", "year", "School year of the baseline", minimum=1990, maximum=2100),
        Column("prioritized", "boolean", "Whether it is put first for action"),
        Column("revised_on", "date", "When the indicator was last revised"),
        Column("rationale", "text", "Why it was revised"),
    ),
    key=("indicator",),
    memory="state",
    row_rules=(
        RowRule(
            "baseline_in_future",
            "baseline_year",
            pl.col("baseline_year") <= pl.col("reporting_year"),
            "a school year no later than the reporting year",
        ),
    ),
)
