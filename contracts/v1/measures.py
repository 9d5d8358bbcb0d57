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
        Column("name", "text", "Name of the measure", required=True),
        Column("action", "text", "The action it judges"),
        Column("indicator", "indicator", "Indicator the action is to move"),
        Column("owner_sector", "text", "Sector that keeps the measure"),
    ),
    key=("name", "action"),
    memory="state",
)
