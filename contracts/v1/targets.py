"""Contract of targets, version 1.

Belongs here: the columns of targets, their kinds, choices and key.
Does not: rules across rows or tables (dagster_project/lib/intake), or how figures are made from it.
"""

from contracts.base import Column, TableContract

CONTRACT = TableContract(
    table="targets",
    version=1,
    description="Targets with deadlines.",
    columns=(
        Column(
            "indicator",
            "indicator",
            "Indicator the target is for",
            required=True,
            purpose="Finds the values to be held against the target",
        ),
        Column(
            "dimension",
            "dimension",
            "Dimension; all for the total",
            required=True,
            purpose="Finds the values to be held against the target",
        ),
        Column(
            "group",
            "group",
            "Group; all for the total",
            required=True,
            purpose="Finds the values to be held against the target",
        ),
        Column(
            "value",
            "number",
            "The value to reach, in the indicator's unit",
            required=True,
            purpose="Progress: on track, off track, met or missed",
        ),
        Column(
            "deadline",
            "date",
            "The day by which it is to be reached",
            required=True,
            purpose="The slope that is required, and when a target is missed",
        ),
        Column(
            "horizon",
            "choice",
            "Near-term or long-range",
            required=True,
            choices=("short", "long"),
            purpose="Short- and long-term targets are shown apart",
        ),
    ),
    key=("indicator", "dimension", "group", "horizon", "deadline"),
    memory="log",
    open_until="deadline",
)
