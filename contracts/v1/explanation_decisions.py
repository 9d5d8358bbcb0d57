"""Contract of explanation_decisions, version 1.

Belongs here: the columns of explanation_decisions, their kinds, choices and key.
Does not: rules across rows or tables (dagster_project/lib/intake), or how figures are made from it.
"""

from contracts.base import Column, TableContract

CONTRACT = TableContract(
    table="explanation_decisions",
    version=1,
    description="Reviewers' decisions on answers to findings; the newest of a finding counts.",
    columns=(
        Column(
            "finding_id",
            "text",
            "The finding's id as printed in the receipt",
            required=True,
            purpose="Finds the answer decided on",
        ),
        Column(
            "decision",
            "choice",
            "Whether the answer is accepted",
            required=True,
            choices=("accepted", "rejected"),
            purpose="An answer that is not accepted opens the question again",
        ),
        Column("decided_on", "date", "When", required=True, purpose="Of several decisions the latest counts"),
        Column("approver", "text", "Who decided", purpose="Shows who is responsible"),
        Column(
            "reason",
            "text",
            "Why; stands in the receipt of a rejected answer",
            purpose="Printed in the member's receipt",
        ),
    ),
    key=("finding_id", "decided_on"),
    memory="log",
    prefill=False,
    network=True,
)
