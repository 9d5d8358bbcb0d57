"""Contract of publication_objections, version 1.

Belongs here: the columns of publication_objections, their kinds, choices and key.
Does not: rules across rows or tables (dagster_project/lib/intake), or how figures are made from it.
"""

from contracts.base import Column, TableContract

CONTRACT = TableContract(
    table="publication_objections",
    version=1,
    description="Communities' objections to the publication of an indicator, as the network recorded them.",
    columns=(
        Column("community_id", "text", "Community", required=True),
        Column("indicator", "indicator", "Indicator objected to; blank for all"),
        Column("decided_on", "date", "When the objection was recorded", required=True),
        Column("reason", "text", "Why"),
    ),
    key=("community_id", "indicator"),
    memory="log",
    prefill=False,
    network=True,
)
