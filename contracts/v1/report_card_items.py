"""Contract of report_card_items, version 1.

Belongs here: the columns of report_card_items, their kinds, choices and key.
Does not: rules across rows or tables (dagster_project/lib/intake), or how figures are made from it.
"""

from contracts.base import Column, TableContract

CONTRACT = TableContract(
    table="report_card_items",
    version=1,
    description="What a released report card showed, and by which breakdown.",
    columns=(
        Column("release_date", "date", "Date of the release", required=True),
        Column("indicator", "indicator", "Indicator shown", required=True),
        Column("dimension", "dimension", "Breakdown shown; all for the total"),
        Column("shared_measure", "boolean", "Whether it is a measure shared across sectors"),
    ),
    key=("release_date", "indicator", "dimension"),
    memory="log",
)
