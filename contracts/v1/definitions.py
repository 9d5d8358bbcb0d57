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
        Column(
            "term",
            "text",
            "The term, for example continuous improvement",
            required=True,
            purpose="Finds the definition a criterion speaks of",
        ),
        Column(
            "text",
            "text",
            "What the partnership means by it",
            required=True,
            purpose="Shown as the partnership's own meaning of the term",
        ),
        Column("approved_on", "date", "When the partnership approved it", purpose="Shows from when it is shared"),
    ),
    key=("term",),
    memory="log",
)
