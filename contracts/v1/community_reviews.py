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
        Column(
            "day",
            "date",
            "When the community looked at the figures",
            required=True,
            purpose="A release becomes final only after it",
        ),
        Column(
            "body",
            "text",
            "Who looked: the council, meeting or group",
            required=True,
            purpose="Shows whose reading it is",
        ),
        Column(
            "reading",
            "text",
            "How the community reads the figures; stands beside them",
            purpose="Stands beside the figures of the year",
        ),
    ),
    key=("day", "body"),
    memory="log",
    prefill=False,
)
