"""Contract of capacity, version 1.

Belongs here: the columns of capacity, their kinds, choices and key.
Does not: rules across rows or tables (dagster_project/lib/intake), or how figures are made from it.
"""

from contracts.base import Column, TableContract

CONTRACT = TableContract(
    table="capacity",
    version=1,
    description="Who does the daily work of the partnership.",
    columns=(
        Column(
            "role",
            "text",
            "The function: daily_management, data, communication, community_engagement, facilitation or another",
            required=True,
            purpose="Criteria on staff that manages and coordinates (exploring.7.2 and others)",
        ),
        Column(
            "person",
            "text",
            "A job title or initials; no full names are needed",
            purpose="Adds up the lines of one person; never published",
        ),
        Column(
            "fte",
            "number",
            "Full-time equivalents of this person in this role",
            minimum=0.0,
            maximum=100.0,
            purpose="Tells whether a function is held full time",
        ),
        Column(
            "arrangement",
            "text",
            "Staffed, contracted, committee or donated",
            purpose="Read by reviewers; enters no figure",
        ),
    ),
    key=("role", "person"),
    memory="state",
)
