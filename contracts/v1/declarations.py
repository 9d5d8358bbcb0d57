"""Contract of declarations, version 1.

Belongs here: the columns of declarations, their kinds, choices and key.
Does not: rules across rows or tables (dagster_project/lib/intake), or how figures are made from it.
"""

from contracts.base import Column, TableContract

CONTRACT = TableContract(
    table="declarations",
    version=1,
    description="What the partnership says of its folder as a whole.",
    columns=(
        Column(
            "kind",
            "choice",
            "What is declared",
            required=True,
            choices=("nothing_to_report",),
            purpose="Tells an empty year from a missing folder",
        ),
        Column("reason", "text", "Why", purpose="Read by the network data team"),
    ),
    key=("kind",),
    memory="log",
    prefill=False,
)
