"""Contract of stories, version 1.

Belongs here: the columns of stories, their kinds, choices and key.
Does not: rules across rows or tables (dagster_project/lib/intake), or how figures are made from it.
"""

from contracts.base import Column, TableContract

CONTRACT = TableContract(
    table="stories",
    version=1,
    description="Narratives beside the numbers.",
    columns=(
        Column("title", "text", "A short title", required=True),
        Column("text", "text", "The story", required=True),
        Column("indicator", "indicator", "Indicator it speaks to"),
        Column("consent", "boolean", "Whether everyone in it agreed to publication", required=True),
        Column("author_role", "text", "The author's role, for example parent, teacher"),
        Column("language", "text", "Language it is told in, for example English, Spanish"),
    ),
    key=("title",),
    memory="log",
    prefill=False,
)
