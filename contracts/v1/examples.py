"""Contract of examples, version 1.

Belongs here: the columns of examples, their kinds, choices and key.
Does not: rules across rows or tables (dagster_project/lib/intake), or how figures are made from it.
"""

from contracts.base import Column, TableContract

CONTRACT = TableContract(
    table="examples",
    version=1,
    description="Examples of systems change, policies, feedback used and strategies, with their history.",
    columns=(
        Column(
            "example_id", "text", "A short id of the partnership's own that stays the same over years", required=True
        ),
        Column(
            "kind",
            "choice",
            "What the example shows",
            required=True,
            choices=("systems_change", "policy", "feedback", "strategy"),
        ),
        Column("title", "text", "A short title"),
        Column("level", "text", "For a policy: institutional, public; else free"),
        Column(
            "status",
            "choice",
            "Where it stands",
            required=True,
            choices=("proposed", "accepted", "sustained", "advanced", "ended"),
        ),
        Column("first_evidenced_on", "date", "When it was first shown"),
        Column("as_of", "date", "The day this status speaks of"),
    ),
    key=("example_id", "as_of"),
    memory="log",
)
