"""Contract of data_sharing_agreements, version 1.

Belongs here: the columns of data_sharing_agreements, their kinds, choices and key.
Does not: rules across rows or tables (dagster_project/lib/intake), or how figures are made from it.
"""

import polars as pl

from contracts.base import Column, RowRule, TableContract

CONTRACT = TableContract(
    table="data_sharing_agreements",
    version=1,
    description="Agreements under which data are shared.",
    columns=(
        Column("party", "text", "The other party", required=True),
        Column("sector", "text", "Its sector, for example education, health, housing"),
        Column("data_level", "choice", "Level of the data", choices=("population", "program", "individual")),
        Column("legal_basis", "text", "The legal basis"),
        Column("purpose", "text", "What the data may be used for"),
        Column("start_date", "date", "First day"),
        Column("end_date", "date", "Last day"),
        Column("destruction_date", "date", "When the data must be destroyed"),
    ),
    key=("party", "purpose", "start_date"),
    memory="log",
    open_until="end_date",
    row_rules=(
        RowRule(
            "ends_before_it_begins",
            "end_date",
            pl.col("start_date") <= pl.col("end_date"),
            "a last day no earlier than the first",
        ),
    ),
)
