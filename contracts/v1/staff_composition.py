"""Contract of staff_composition, version 1.

Belongs here: the columns of staff_composition, their kinds, choices and key.
Does not: rules across rows or tables (dagster_project/lib/intake), or how figures are made from it.
"""

from contracts.base import Column, TableContract

CONTRACT = TableContract(
    table="staff_composition",
    version=1,
    description="Who leads and works for the partnership by groups, beside the people of the community by the same.",
    columns=(
        Column(
            "body",
            "choice",
            "Whose members are counted",
            required=True,
            choices=("staff", "leadership", "board"),
            purpose="Compares each level of the partnership for itself",
        ),
        Column(
            "dimension",
            "dimension",
            "Dimension, for example race_ethnicity; all for the row of the total",
            required=True,
            purpose="Names the groups that are compared",
        ),
        Column(
            "group",
            "group",
            "Group within the dimension; all for the row of the total",
            required=True,
            purpose="Names the groups that are compared",
        ),
        Column(
            "people",
            "number",
            "People of the group in the body; blank where it is not to be told. Counts only, no names",
            minimum=0.0,
            maximum=100_000.0,
            purpose="The group's share of the body; in no public edition",
        ),
        Column(
            "community_people",
            "number",
            "People of the group in the community: children or all residents, the same for every row",
            minimum=0.0,
            purpose="The group's share of the community, beside that of the body",
        ),
        Column("source", "text", "Where the community's counts are from", purpose="Shown beside the comparison"),
    ),
    key=("body", "dimension", "group"),
    memory="state",
)
