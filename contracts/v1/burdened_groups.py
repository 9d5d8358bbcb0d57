"""Contract of burdened_groups, version 1.

Belongs here: the columns of burdened_groups, their kinds, choices and key.
Does not: rules across rows or tables (dagster_project/lib/intake), or how figures are made from it.
"""

from contracts.base import Column, TableContract

CONTRACT = TableContract(
    table="burdened_groups",
    version=1,
    description="Which groups the system has burdened, and the reference group, by the community's own decision.",
    columns=(
        Column(
            "dimension",
            "dimension",
            "Dimension, for example race_ethnicity",
            required=True,
            purpose="Names the groups whose gaps are computed",
        ),
        Column(
            "group",
            "group",
            "Group within the dimension",
            required=True,
            purpose="Names the groups whose gaps are computed",
        ),
        Column(
            "standing",
            "choice",
            "Whether the group is burdened or is the reference",
            required=True,
            choices=("burdened", "reference"),
            purpose="Says which group's gap is measured and against which",
        ),
        Column(
            "effective_from",
            "date",
            "From when the decision holds",
            required=True,
            purpose="From when gaps are measured that way; earlier years keep theirs",
        ),
        Column("approved_on", "date", "When it was approved", purpose="Shows that the decision was the community's"),
    ),
    key=("dimension", "group", "effective_from"),
    memory="log",
)
