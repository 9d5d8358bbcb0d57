"""Contract of review_decisions, version 1.

Belongs here: the columns of review_decisions, their kinds, choices and key.
Does not: rules across rows or tables (dagster_project/lib/intake), or how figures are made from it.
"""

from contracts.base import Column, TableContract

CONTRACT = TableContract(
    table="review_decisions",
    version=1,
    description="Reviewers' decisions on claims.",
    columns=(
        Column("community_id", "text", "Community", required=True),
        Column("criterion_id", "text", "Key of the rubric", required=True),
        Column("decision", "choice", "The decision", required=True, choices=("accepted", "rejected", "override")),
        Column("decided_on", "date", "When", required=True),
        Column("approver", "text", "Who decided"),
        Column("reason", "text", "Why"),
    ),
    key=("community_id", "criterion_id", "decided_on"),
    memory="log",
    prefill=False,
    network=True,
)
