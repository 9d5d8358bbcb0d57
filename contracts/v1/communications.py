"""Contract of communications, version 1.

Belongs here: the columns of communications, their kinds, choices and key.
Does not: rules across rows or tables (dagster_project/lib/intake), or how figures are made from it.
"""

from contracts.base import Column, TableContract

CONTRACT = TableContract(
    table="communications",
    version=1,
    description="What was released, told or asked, to whom and when.",
    columns=(
        Column(
            "kind",
            "choice",
            "What it was",
            required=True,
            choices=("report_card", "progress", "feedback", "data_release"),
        ),
        Column("audience", "choice", "For whom", required=True, choices=("partners", "community")),
        Column("date", "date", "When", required=True),
        Column("channel", "text", "Print, online, meeting or another"),
        Column("url", "url", "Where it can be seen"),
        Column("baseline", "boolean", "Whether a report card is the baseline one"),
        Column("call_to_action", "boolean", "Whether it asks its readers to act"),
    ),
    key=("kind", "audience", "date", "channel", "url"),
    memory="log",
)
