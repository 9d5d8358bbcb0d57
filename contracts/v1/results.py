"""Contract of results, version 1.

Belongs here: the columns of results, their kinds, choices and key.
Does not: rules across rows or tables (dagster_project/lib/intake), or how figures are made from it.
"""

from contracts.base import Column, TableContract

CONTRACT = TableContract(
    table="results",
    version=1,
    description="Populations of focus and the results wanted for them.",
    columns=(
        Column("population", "text", "The population of focus"),
        Column("statement", "text", "The result wanted for the whole population"),
        Column("outcome", "outcome", "Outcome it belongs to"),
    ),
    key=("population", "statement"),
    memory="state",
)
