"""Contract of measures, version 1.

Belongs here: the columns of measures, their kinds, choices and key.
Does not: rules across rows or tables (dagster_project/lib/intake), or how figures are made from it.
"""

from contracts.base import Column, TableContract

CONTRACT = TableContract(
    table="measures",
    version=1,
    description="Performance measures of actions.",
    columns=(
        Column("name", "text", "Name of the measure", required=True, purpose="Tells rows of the register apart"),
        Column("action", "text", "The action it judges", purpose="Measures that judge actions (sustaining.4.6)"),
        Column(
            "indicator",
            "indicator",
            "Indicator the action is to move",
            purpose="Ties the action to the indicator it is to move",
        ),
        Column(
            "owner_sector",
            "text",
            "Sector that keeps the measure",
            purpose="Measures kept by several sectors (systems_transformation.4.3)",
        ),
    ),
    key=("name", "action"),
    memory="state",
)
