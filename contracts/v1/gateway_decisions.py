"""Contract of gateway_decisions, version 1.

Belongs here: the columns of gateway_decisions, their kinds, choices and key.
Does not: rules across rows or tables (dagster_project/lib/intake), or how figures are made from it.
"""

from contracts.base import Column, TableContract

CONTRACT = TableContract(
    table="gateway_decisions",
    version=1,
    description="Gateways and designations granted, renewed or revoked.",
    columns=(
        Column("community_id", "text", "Community", required=True, purpose="Finds the community decided on"),
        Column(
            "kind",
            "choice",
            "What was decided on",
            required=True,
            choices=("gateway", "designation"),
            purpose="Tells gateways from designations",
        ),
        Column("code", "text", "The gateway or designation", required=True, purpose="Finds what was decided on"),
        Column(
            "decision",
            "choice",
            "The decision",
            required=True,
            choices=("granted", "renewed", "revoked"),
            purpose="Gives the standing of a gateway or designation",
        ),
        Column("decided_on", "date", "When", required=True, purpose="Starts the two years to the next review"),
        Column("approver", "text", "Who decided", purpose="Shows who is responsible"),
        Column("reason", "text", "Why", purpose="Stands in the record"),
    ),
    key=("community_id", "kind", "code", "decided_on"),
    memory="log",
    prefill=False,
    network=True,
)
