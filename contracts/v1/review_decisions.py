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
        Column("community_id", "text", "Community", required=True, purpose="Finds the community"),
        Column("criterion_id", "text", "Key of the rubric", required=True, purpose="Finds the criterion"),
        Column(
            "decision",
            "choice",
            "The decision",
            required=True,
            choices=("accepted", "rejected", "override"),
            purpose="Accepts, rejects or overrides what was claimed",
        ),
        Column("decided_on", "date", "When", required=True, purpose="Of several decisions the latest counts"),
        Column("approver", "text", "Who decided", purpose="Shows who is responsible; an override needs it"),
        Column("reason", "text", "Why", purpose="Stands in the record; an override needs it"),
    ),
    key=("community_id", "criterion_id", "decided_on"),
    memory="log",
    prefill=False,
    network=True,
)
