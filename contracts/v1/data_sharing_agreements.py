"""Contract of data_sharing_agreements, version 1.

Belongs here: the columns of data_sharing_agreements, their kinds, choices and key.
Does not: rules across rows or tables (dagster_project/lib/intake), or how figures are made from it.
"""

from contracts.base import Column, TableContract, in_order

CONTRACT = TableContract(
    table="data_sharing_agreements",
    version=1,
    description="Agreements under which data are shared.",
    columns=(
        Column("party", "text", "The other party", required=True, purpose="Tells rows of the register apart"),
        Column(
            "sector",
            "text",
            "Its sector, for example education, health, housing",
            purpose="Agreements across sectors (systems_transformation.3.2)",
        ),
        Column(
            "data_level",
            "choice",
            "Level of the data",
            choices=("population", "program", "individual"),
            purpose="Agreements on individual data (systems_transformation.3.2); no such data come here",
        ),
        Column(
            "legal_basis",
            "text",
            "The legal basis",
            purpose="Read by reviewers and the privacy officer; enters no figure",
        ),
        Column("purpose", "text", "What the data may be used for", purpose="Tells rows of the register apart"),
        Column("start_date", "date", "First day", purpose="Only agreements in force count (sustaining.3.2)"),
        Column(
            "end_date", "date", "Last day", purpose="Only agreements in force count; those that end soon are listed"
        ),
        Column(
            "destruction_date",
            "date",
            "When the data must be destroyed",
            purpose="Lists agreements whose data had to be destroyed",
        ),
    ),
    key=("party", "purpose", "start_date"),
    memory="log",
    open_until="end_date",
    row_rules=(in_order("start_date", "end_date"),),
)
