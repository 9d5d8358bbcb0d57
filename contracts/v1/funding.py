"""Contract of funding, version 1.

Belongs here: the columns of funding, their kinds, choices and key.
Does not: rules across rows or tables (dagster_project/lib/intake), or how figures are made from it.
"""

from contracts.base import Column, TableContract, in_order

CONTRACT = TableContract(
    table="funding",
    version=1,
    description="Money and in-kind help with the time they cover.",
    columns=(
        Column("partner", "text", "Who gives", required=True, purpose="Tells rows of the register apart"),
        Column(
            "purpose",
            "text",
            "What it is for: operations, collaborative_work or another",
            required=True,
            purpose="Criteria on money for operations and for joint work",
        ),
        Column("amount", "number", "Amount in US dollars", minimum=0.0, purpose="Read by reviewers; never published"),
        Column(
            "in_kind",
            "boolean",
            "Whether it is help in kind rather than money",
            purpose="Read by reviewers; help in kind counts like money",
        ),
        Column("start_date", "date", "First day covered", purpose="Only agreements that have begun count"),
        Column(
            "end_date",
            "date",
            "Last day covered",
            purpose="Tells for how long funding is assured (exploring.9.1, systems_change.7.3)",
        ),
    ),
    key=("partner", "purpose", "start_date"),
    memory="log",
    open_until="end_date",
    row_rules=(in_order("start_date", "end_date"),),
)
