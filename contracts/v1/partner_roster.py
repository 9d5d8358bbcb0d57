"""Contract of partner_roster, version 1.

Belongs here: the columns of partner_roster, their kinds, choices and key.
Does not: rules across rows or tables (dagster_project/lib/intake), or how figures are made from it.
"""

from contracts.base import Column, TableContract, in_order

CONTRACT = TableContract(
    table="partner_roster",
    version=1,
    description="Organizations at the partnership and at its leadership table, with the time they were active.",
    columns=(
        Column(
            "organization",
            "text",
            "Name of the organization, or of the resident group",
            required=True,
            purpose="Counts each organization once",
        ),
        Column(
            "body",
            "choice",
            "Where it takes part",
            required=True,
            choices=("partnership", "leadership"),
            purpose="Partnership and leadership are judged apart",
        ),
        Column(
            "sector_category",
            "choice",
            "Its one primary sector: a those most affected, b community groups, c public bodies, d early care, "
            "e schools, f postsecondary, g philanthropy, h business",
            required=True,
            choices=("a", "b", "c", "d", "e", "f", "g", "h"),
            choice_words=(
                *("those most affected", "community groups", "public bodies", "early care"),
                *("schools", "postsecondary", "philanthropy", "business"),
            ),
            purpose="Sectors at the table (exploring.1.2, exploring.2.1)",
        ),
        Column(
            "active_from",
            "date",
            "First day of taking part",
            purpose="Only organizations that take part on the day count",
        ),
        Column(
            "active_to",
            "date",
            "Last day of taking part; blank while active",
            purpose="Only organizations that take part on the day count",
        ),
    ),
    key=("organization", "body", "active_from"),
    memory="log",
    open_until="active_to",
    row_rules=(in_order("active_from", "active_to"),),
)
