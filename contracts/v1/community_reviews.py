"""Contract of community_reviews, version 1.

Belongs here: the columns of community_reviews, their kinds, choices and key.
Does not: rules across rows or tables (dagster_project/lib/intake), or how figures are made from it.
"""

from contracts.base import Column, TableContract

CONTRACT = TableContract(
    table="community_reviews",
    version=1,
    description="Days on which the community looked at the figures before they were final, and how it reads them.",
    columns=(
        Column("day", "date", "When the community looked at the figures", required=True),
        Column("body", "text", "Who looked: the council, meeting or group", required=True),
        Column("reading", "text", "How the community reads the figures; stands beside them"),
    ),
    key=("day", "body"),
    memory="log",
    prefill=False,
)
