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
            "example_id",
            "text",
            "A short id of the partnership's own that stays the same over years",
            required=True,
            purpose="Follows an example over the years",
        ),
        Column(
            "kind",
            "choice",
            "What the example shows",
            required=True,
            choices=("systems_change", "policy", "feedback", "strategy"),
            purpose="Criteria and designations on examples of that kind",
        ),
        Column("title", "text", "A short title", purpose="Shown with the strategies of the community"),
        Column(
            "level",
            "text",
            "For a policy: institutional, public; else free",
            purpose="Policies that were enacted (systems_change.8.2)",
        ),
        Column(
            "status",
            "choice",
            "Where it stands",
            required=True,
            choices=("proposed", "accepted", "sustained", "advanced", "ended"),
            purpose="Sustained and advanced examples (ongoing Proof Point)",
        ),
        Column(
            "first_evidenced_on",
            "date",
            "When it was first shown",
            purpose="Tells earlier examples from additional ones (ongoing Proof Point)",
        ),
        Column(
            "as_of", "date", "The day this status speaks of", purpose="Of several rows on one example the latest counts"
        ),
        Column("planned", "text", "Of an improvement cycle: what was planned", purpose="Shown with the example"),
        Column("done", "text", "Of an improvement cycle: what was done", purpose="Shown with the example"),
        Column("studied", "text", "Of an improvement cycle: what was learnt from it", purpose="Shown with the example"),
        Column("acted", "text", "Of an improvement cycle: what was changed after it", purpose="Shown with the example"),
    ),
    key=("example_id", "as_of"),
    memory="log",
)
