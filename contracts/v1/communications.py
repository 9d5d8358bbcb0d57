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
            purpose="Criteria on report cards, progress and feedback",
        ),
        Column(
            "audience",
            "choice",
            "For whom",
            required=True,
            choices=("partners", "community"),
            purpose="Criteria on informing partners and community, each by itself",
        ),
        Column(
            "date",
            "date",
            "When",
            required=True,
            purpose="Tells yearly and quarterly rhythms, and names a quarter without an event",
        ),
        Column(
            "channel",
            "text",
            "Print, online, meeting or another",
            purpose="Baseline report card in print or on the web; tells events apart",
        ),
        Column("url", "url", "Where it can be seen", purpose="Lets reviewers see it; tells events apart"),
        Column(
            "baseline",
            "boolean",
            "Whether a report card is the baseline one",
            purpose="Finds the baseline report card (emerging.2.1)",
        ),
        Column(
            "call_to_action",
            "boolean",
            "Whether it asks its readers to act",
            purpose="Baseline report card with an ask (emerging.2.1)",
        ),
    ),
    key=("kind", "audience", "date", "channel", "url"),
    memory="log",
)
