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
        Column("community_id", "text", "Community", required=True, purpose="Finds the community"),
        Column(
            "indicator",
            "indicator",
            "Indicator objected to; blank or `all` for all",
            purpose="Keeps the indicator out of the public edition",
            blank_word="all",
        ),
        Column(
            "decided_on", "date", "When the objection was recorded", required=True, purpose="From when it is kept out"
        ),
        Column("reason", "text", "Why", purpose="Read by the privacy officer"),
    ),
    key=("community_id", "indicator"),
    memory="log",
    prefill=False,
    network=True,
)
