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
        Column(
            "population",
            "text",
            "The population of focus: a group of the dictionary by id or name, or local: and a name of your own",
            purpose="Groups on whom work concentrates (exploring.6.1)",
        ),
        Column(
            "statement",
            "text",
            "The result wanted for the whole population",
            purpose="Results wanted for whole populations (exploring.6.2)",
        ),
        Column("outcome", "outcome", "Outcome it belongs to", purpose="Ties the result to an outcome"),
    ),
    key=("population", "statement"),
    memory="state",
)
