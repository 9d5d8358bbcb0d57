"""Contract of funding, version 1.

Belongs here: the columns of funding, their kinds, choices and key.
Does not: rules across rows or tables (dagster_project/lib/intake), or how figures are made from it.
"""

from contracts.base import Column, TableContract

CONTRACT = TableContract(
    table="funding",
    version=1,
    description="Money and in-kind help with the time they cover.",
    columns=(
        Column("partner", "text", "Who gives", required=True),
        Column("purpose", "text", "What it is for: operations, collaborative_work or another", required=True),
        Column("amount", "number", "Amount in US dollars", minimum=0.0),
        Column("in_kind", "boolean", "Whether it is help in kind rather than money"),
        Column("start_date", "date", "First day covered"),
        Column("end_date", "date", "Last day covered"),
    ),
    key=("partner", "purpose", "start_date"),
    memory="log",
    open_until="end_date",
)
