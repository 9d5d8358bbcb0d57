"""Contract of scores, version 1.

Belongs here: the columns of scores, their kinds, choices and key.
Does not: rules across rows or tables (dagster_project/lib/intake), or how figures are made from it.
"""

from contracts.base import Column, TableContract

CONTRACT = TableContract(
    table="scores",
    version=1,
    description="Scores given by reviewers.",
    columns=(
        Column("community_id", "text", "Community", required=True, purpose="Finds the community"),
        Column(
            "code",
            "text",
            "What was scored, for example systems_transformation",
            required=True,
            purpose="Finds the designation that asks for a score",
        ),
        Column("score", "number", "The score", required=True, purpose="Held against the designation's least score"),
        Column("decided_on", "date", "When", required=True, purpose="Of several scores the latest counts"),
    ),
    key=("community_id", "code", "decided_on"),
    memory="log",
    prefill=False,
    network=True,
)
