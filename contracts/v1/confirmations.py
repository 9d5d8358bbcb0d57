"""Contract of confirmations, version 1.

Belongs here: the columns of confirmations, their kinds, choices and key.
Does not: rules across rows or tables (dagster_project/lib/intake), or how figures are made from it.
"""

from contracts.base import Column, TableContract

CONTRACT = TableContract(
    table="confirmations",
    version=1,
    description="Confirmations that the folder is complete and right, by role.",
    columns=(
        Column(
            "role",
            "text",
            "The role of who confirms, for example data lead; no name",
            required=True,
            purpose="Shows that somebody answers for the folder",
        ),
        Column("day", "date", "When", required=True, purpose="Shows when it was confirmed"),
    ),
    key=("role", "day"),
    memory="log",
    prefill=False,
)
