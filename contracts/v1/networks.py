"""Contract of networks, version 1.

Belongs here: the columns of networks, their kinds, choices and key.
Does not: rules across rows or tables (dagster_project/lib/intake), or how figures are made from it.
"""

from contracts.base import Column, TableContract

CONTRACT = TableContract(
    table="networks",
    version=1,
    description="Working groups and the result each is tied to.",
    columns=(
        Column(
            "name",
            "text",
            "Name of the network or working group",
            required=True,
            purpose="Tells rows of the register apart",
        ),
        Column("outcome", "outcome", "Outcome it works on", purpose="Networks that work on an outcome"),
        Column("indicator", "indicator", "Indicator it works on", purpose="Networks that work on a core indicator"),
    ),
    key=("name", "outcome", "indicator"),
    memory="state",
)
