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
        Column("community_id", "text", "Community", required=True),
        Column("kind", "choice", "What was decided on", required=True, choices=("gateway", "designation")),
        Column("code", "text", "The gateway or designation", required=True),
        Column("decision", "choice", "The decision", required=True, choices=("granted", "renewed", "revoked")),
        Column("decided_on", "date", "When", required=True),
        Column("approver", "text", "Who decided"),
        Column("reason", "text", "Why"),
    ),
    key=("community_id", "kind", "code", "decided_on"),
    memory="log",
    prefill=False,
    network=True,
)
