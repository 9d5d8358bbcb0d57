"""Contract of partnership_profile, version 1.

Belongs here: the columns of partnership_profile, their kinds, choices and key.
Does not: rules across rows or tables (dagster_project/lib/intake), or how figures are made from it.
"""

from contracts.base import Column, TableContract

CONTRACT = TableContract(
    table="partnership_profile",
    version=1,
    description="Who the partnership is: its area, its anchor, its vision.",
    columns=(
        Column(
            "geographic_scope",
            "text",
            "The area the partnership serves, as codes or names of places separated by semicolons",
            purpose="Area that the partnership serves (exploring.1.1)",
        ),
        Column(
            "anchor_organization",
            "text",
            "The one organization that anchors the partnership and is its fiscal agent",
            purpose="One anchor organization (exploring.7.1)",
        ),
        Column(
            "anchor_since",
            "date",
            "Since when it has been the anchor",
            purpose="The anchor is in place on the day of the assessment",
        ),
        Column("vision_url", "url", "Where the cradle-to-career vision is published", purpose="Shown to reviewers"),
    ),
    key=(),
    memory="state",
)
