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
        Column(
            "indicator",
            "indicator",
            "Indicator of the dictionary, or a local label",
            required=True,
            purpose="Says which indicators the partnership answers for",
        ),
        Column(
            "outcome",
            "outcome",
            "The outcome it measures; blank for the dictionary's",
            purpose="Outcomes spanned (exploring.4.1); adjacent sectors",
        ),
        Column(
            "role",
            "choice",
            "Its role for the partnership",
            required=True,
            choices=("core", "contributing", "adjacent"),
            purpose="Core and adjacent indicators decide outcomes and criteria; contributing ones never do",
        ),
        Column(
            "primary", "boolean", "Whether it decides its outcome", purpose="Says which indicator decides its outcome"
        ),
        Column(
            "baseline_year",
            "year",
            "School year of the baseline",
            minimum=1990,
            maximum=2100,
            purpose="Start of progress towards targets",
        ),
        Column(
            "prioritized",
            "boolean",
            "Whether it is put first for action",
            purpose="Criteria on indicators that are put first",
        ),
        Column(
            "revised_on",
            "date",
            "When the indicator was last revised",
            purpose="Tells a revision from a row that was carried on (sustaining.4.4)",
        ),
        Column(
            "rationale",
            "text",
            "Why it was revised",
            purpose="Answers why a choice changed (sustaining.4.5); shown with the indicator",
        ),
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
