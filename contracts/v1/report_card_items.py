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
        Column("release_date", "date", "Date of the release", required=True, purpose="Finds the report card"),
        Column(
            "indicator",
            "indicator",
            "Indicator shown",
            required=True,
            purpose="Core indicators on the card (emerging.2.3)",
        ),
        Column(
            "dimension",
            "dimension",
            "Breakdown shown; all for the total",
            purpose="Indicators shown by groups (emerging.2.3)",
        ),
        Column(
            "shared_measure",
            "boolean",
            "Whether it is a measure shared across sectors",
            purpose="Measures shared across sectors (systems_transformation.1.3)",
        ),
    ),
    key=("release_date", "indicator", "dimension"),
    memory="log",
)
