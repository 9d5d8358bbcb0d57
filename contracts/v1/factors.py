"""Contract of factors, version 1.

Belongs here: the columns of factors, their kinds, choices and key.
Does not: rules across rows or tables (dagster_project/lib/intake), or how figures are made from it.
"""

from contracts.base import Column, TableContract

CONTRACT = TableContract(
    table="factors",
    version=1,
    description="Causes behind an indicator's trend and the evidence for them.",
    columns=(
        Column(
            "indicator",
            "indicator",
            "Indicator concerned",
            required=True,
            purpose="Ties the cause to the indicator and its outcome",
        ),
        Column(
            "factor",
            "text",
            "The cause",
            required=True,
            purpose="Shown with the strategies and the evidence on root causes (emerging.5.2, emerging.6.4)",
        ),
        Column(
            "evidence",
            "choice",
            "Kind of evidence",
            choices=("quantitative", "qualitative", "community_voice"),
            purpose="Tells numbers from stories and residents' voices (emerging.5.2, emerging.6.4)",
        ),
    ),
    key=("indicator", "factor", "evidence"),
    memory="state",
)
