"""Contract of benchmark_evidence, version 1.

Belongs here: the columns of benchmark_evidence, their kinds, choices and key.
Does not: rules across rows or tables (dagster_project/lib/intake), or how figures are made from it.
"""

from contracts.base import Column, TableContract

CONTRACT = TableContract(
    table="benchmark_evidence",
    version=1,
    description="The partnership's claim for a criterion of the rubric, with its evidence.",
    columns=(
        Column(
            "criterion_id",
            "text",
            "Key of the rubric, for example sustaining.2.3.a",
            required=True,
            purpose="Finds the criterion that the claim is for",
        ),
        Column(
            "claim",
            "choice",
            "What the partnership claims",
            required=True,
            choices=("met", "planned", "not_met"),
            purpose="Decides criteria that only the partnership can attest",
        ),
        Column(
            "evidence_url",
            "url",
            "Where the evidence can be seen",
            purpose="Shown to reviewers; a claim without it stays undetermined",
        ),
        Column(
            "statement",
            "text",
            "The claim in the partnership's words",
            purpose="Stands beside the criterion in the record",
        ),
        Column(
            "as_of",
            "date",
            "The day the claim speaks of",
            required=True,
            purpose="Evidence older than 24 months no longer counts",
        ),
    ),
    key=("criterion_id", "as_of"),
    memory="log",
)
