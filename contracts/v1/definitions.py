"""Contract of definitions, version 1.

Belongs here: the columns of definitions, their kinds, choices and key.
Does not: rules across rows or tables (dagster_project/lib/intake), or how figures are made from it.
"""

from contracts.base import Column, TableContract

CONTRACT = TableContract(
    table="definitions",
    version=1,
    description="Terms as the partnership has defined and approved them, for example economic mobility.",
    columns=(
        Column("term", "text", "The term, for example continuous improvement", required=True),
        Column("text", "text", "What the partnership means by it", required=True),
        Column("approved_on", "date", "When the partnership approved it"),
    ),
    key=("term",),
    memory="log",
)
