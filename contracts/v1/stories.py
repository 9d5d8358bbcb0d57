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
        Column("title", "text", "A short title", required=True, purpose="Heads the story where it is shown"),
        Column(
            "text",
            "text",
            "The story",
            required=True,
            purpose="Shown beside the numbers of its indicator, with consent only",
        ),
        Column("indicator", "indicator", "Indicator it speaks to", purpose="Places the story beside its numbers"),
        Column(
            "consent",
            "boolean",
            "Whether everyone in it agreed to publication",
            required=True,
            purpose="Without it the story is shown nowhere",
        ),
        Column(
            "author_role", "text", "The author's role, for example parent, teacher", purpose="Tells whose voice it is"
        ),
        Column(
            "language",
            "text",
            "Language it is told in, for example English, Spanish",
            purpose="Tells readers and screen readers the language",
        ),
    ),
    key=("title",),
    memory="log",
    prefill=False,
)
