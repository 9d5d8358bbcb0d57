"""Contract of explanations, version 1.

Belongs here: the columns of explanations, their kinds, choices and key.
Does not: rules across rows or tables (dagster_project/lib/intake), or how figures are made from it.
"""

from contracts.base import Column, TableContract

CONTRACT = TableContract(
    table="explanations",
    version=1,
    description="Answers to explainable findings; one answer stays until the value it speaks of changes.",
    columns=(
        Column(
            "finding_id",
            "text",
            "The finding's id as printed in the receipt",
            required=True,
            purpose="Finds the question that is answered",
        ),
        Column(
            "text",
            "text",
            "The explanation",
            required=True,
            purpose="Closes the question; read by the network data team and kept with the finding",
        ),
        Column(
            "reason",
            "text",
            "A code or word for the kind of reason, where the network keeps a list of them",
            purpose="Read by the network data team; enters no figure",
        ),
    ),
    key=("finding_id",),
    memory="log",
    also_network=True,
    prefill=False,
)
