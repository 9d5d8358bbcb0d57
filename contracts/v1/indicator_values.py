"""Contract of indicator_values, version 1: the long table of yearly values.

Belongs here: its columns, their kinds and the arithmetic that must hold within one row.
Does not: how a cell's text becomes a number or a mask (lib/intake/rows/cells.py), or comparisons between rows.
"""

import polars as pl

from contracts.base import Column, RowRule, TableContract

CONTRACT = TableContract(
    table="indicator_values",
    version=1,
    description="Yearly values of indicators, one row for each indicator, place, group, school year and period.",
    columns=(
        Column(
            "school_year",
            "school_year",
            "The school year the value is of",
            required=True,
            purpose="Places the value on the trend",
        ),
        Column(
            "indicator",
            "indicator",
            "Indicator of the dictionary, or a local label",
            required=True,
            purpose="Says what is measured, and so the outcome it counts for",
        ),
        Column(
            "dimension",
            "dimension",
            "What the group is a group of; all for the total",
            required=True,
            purpose="Breakdowns, gaps between groups and coverage",
        ),
        Column(
            "group",
            "group",
            "The group; all for the total",
            required=True,
            purpose="Breakdowns, gaps between groups and coverage",
        ),
        Column(
            "numerator",
            "count_cell",
            "How many of the group reached it",
            minimum=0,
            purpose="Rates from counts, pooled rates, protection of small groups",
        ),
        Column(
            "denominator",
            "count_cell",
            "How many are in the group",
            minimum=0,
            purpose="Rates from counts, coverage of districts, protection of small groups",
        ),
        Column(
            "value",
            "rate_cell",
            "The value in its unit; a rate in percent",
            purpose="Trends, gaps, targets and everything decided from them",
        ),
        Column(
            "unit",
            "text",
            "The unit of value; blank for the dictionary's",
            purpose="Turns the value into the dictionary's unit",
        ),
        Column(
            "series",
            "text",
            "Label of the assessment, cut score or definition (in a program row: program); a new one is a new series",
            purpose="No trend or gap is drawn across two series",
        ),
        Column(
            "geography",
            "text",
            "The place; blank for the community itself",
            purpose="Places of the community; districts are added up where it has no row of its own",
        ),
        Column(
            "geography_level",
            "choice",
            "What kind of place; blank for the community itself",
            choices=("community", "district", "school", "county", "zip", "neighborhood"),
            purpose="Says whether a place is a part of the community that may be added up",
        ),
        Column(
            "period",
            "period",
            "annual, a quarter, a month or a term; blank for annual",
            purpose="Early signals within a year; only annual values enter trends",
        ),
        Column(
            "participation_rate",
            "share",
            "Share tested or surveyed, in percent",
            minimum=0.0,
            maximum=100.0,
            purpose="Kept beside the value for those who judge it; enters no figure, never published",
        ),
        Column(
            "data_source",
            "text",
            "Where the value comes from",
            purpose="Tells whether the publisher has protected the value already",
        ),
        Column(
            "data_level",
            "choice",
            "Whom the row counts: everybody of the place, or those of a program; blank for population",
            choices=("population", "program"),
            purpose="Keeps what a program counts apart from the population",
        ),
        Column(
            "note", "text", "Anything a reader should know", purpose="Read by the network data team; never published"
        ),
    ),
    key=("indicator", "series", "geography", "dimension", "group", "school_year", "period", "data_level"),
    memory="values",
    row_rules=(
        RowRule(
            "numerator_above_denominator",
            "numerator",
            pl.col("numerator") <= pl.col("denominator"),
            "a numerator no larger than the denominator",
        ),
        RowRule(
            "school_year_in_future",
            "school_year",
            pl.col("school_year") <= pl.col("reporting_year") + 1,
            "a school year no later than the one after the reporting year",
        ),
    ),
)
