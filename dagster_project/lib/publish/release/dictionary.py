"""The dictionary of the marts that lies in every release: tables, columns, words and questions as text and searchable.

Belongs here: both pages from declarations, the questions of questions.sql that a release can answer, writing all files.
Does not: what columns mean (dbt/models), the contract for machines (contract.py), which columns are public.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from dagster_project.lib.base import templates
from dagster_project.lib.publish.release.contract import FILE, INTERNAL, Edition, contract, text
from dagster_project.lib.warehouse.declared import ColumnWords, TableWords, Word

QUESTIONS = Path(__file__).with_name("questions.sql")
PAGE = "dictionary/marts.md"
SEARCHED = "dictionary/index.html"
FAMILIES = {
    "dim_": "Dimensions: what rows speak of",
    "fct_": "Facts: what was submitted, computed, judged and decided",
    "rpt_": "Ready for charts: the latest reporting year only, with names beside the ids",
}
Row = Sequence[str | None]


@dataclass(frozen=True)
class Question:
    """A question in words and in SQL."""

    words: str
    sql: str

    @property
    def tables(self) -> frozenset[str]:
        """The marts that it asks."""
        return frozenset(re.findall(r"\bmarts\.(\w+)", self.sql))


def questions(known: Iterable[str] | None = None) -> list[Question]:
    """The questions of analysts, those over the tables named alone; all by default."""
    _, *parts = QUESTIONS.read_text(encoding="utf-8").split("\n\n")
    found = []
    for part in parts:
        words, sql = part.strip().split("\n", 1)
        found.append(Question(words.removeprefix("-- "), sql))
    return [question for question in found if known is None or question.tables <= set(known)]


def write_dictionary(
    folder: Path, tables: Mapping[str, TableWords], words: Mapping[str, Sequence[Word]], edition: Edition = INTERNAL
) -> None:
    """dictionary/ below a release's folder: the pages for people and the contract for machines."""
    (folder / PAGE).parent.mkdir(parents=True, exist_ok=True)
    (folder / PAGE).write_text(page(tables, words), encoding="utf-8")
    (folder / SEARCHED).write_text(searched(tables, words), encoding="utf-8")
    (folder / FILE).write_text(text(contract(tables.values(), edition), edition), encoding="utf-8")


def page(tables: Mapping[str, TableWords], words: Mapping[str, Sequence[Word]], preface: str = "") -> str:
    """The page. `words`: the closed vocabularies by domain, of which those that the tables use are listed."""
    n_columns = sum(len(table.columns) for table in tables.values())
    parts = [
        f"# Marts\n\n{preface}"
        f"The {len(tables)} tables and {n_columns} columns of schema `marts`. "
        "The same sentences stand in the database as comments of tables and columns (`duckdb_tables()`, "
        "`duckdb_columns()`), so BI tools show them. Keys are declared and proven in every run, not enforced by the "
        "file: no two rows of a table agree in all columns of its key, and none of them is null. A column that refers "
        "to another table holds values of that table or null.\n"
    ]
    for prefix, title in FAMILIES.items():
        parts.append(f"## {title}\n")
        for table in (table for name, table in tables.items() if name.startswith(prefix)):
            parts += _mart(table)
    parts += [*_vocabularies(tables, words), *_asked(tables)]
    return "\n".join(parts).rstrip() + "\n"


def searched(tables: Mapping[str, TableWords], words: Mapping[str, Sequence[Word]]) -> str:
    """The same tables, columns and words as one page that can be searched and asks nothing of a network."""
    used = {column.domain for table in tables.values() for column in table.columns if column.domain}
    domains = {domain: words[domain] for domain in sorted(used & words.keys())}
    layout = templates.environment(QUESTIONS.parent / "templates").get_template("dictionary.html")
    return layout.render(tables=list(tables.values()), domains=domains)


def _mart(table: TableWords) -> Iterator[str]:
    key = ", ".join(f"`{name}`" for name in table.key)
    yield f"### {table.name}\n\n{' '.join(table.description.split())}\n\nKey: {key}.\n"
    rows = [
        (f"`{column.name}`", column.data_type, " ".join(column.description.split()), _held(column))
        for column in table.columns
    ]
    yield from grid(("column", "type", "meaning", "refers to, or closed words"), rows)


def _held(column: ColumnWords) -> str:
    refers = [f"`{column.refers_to}`"] if column.refers_to else []
    words = ", ".join([*refers, *(f"`{word}`" for word in column.words)])
    return f"{words} (domain `{column.domain}`)" if column.domain else words


def _vocabularies(tables: Mapping[str, TableWords], words: Mapping[str, Sequence[Word]]) -> Iterator[str]:
    used = {column.domain for table in tables.values() for column in table.columns if column.domain}
    yield "## Closed words: what they mean\n"
    rows = [
        (domain, f"`{word.word}`", word.label, word.meaning)
        for domain in sorted(used)
        for word in words.get(domain, ())
    ]
    yield from grid(("domain", "word", "label", "meaning"), rows)


def _asked(tables: Mapping[str, TableWords]) -> Iterator[str]:
    yield "## Questions\n"
    yield "Each is asked of one table, or by one join. Put your own community, indicator and year in their places.\n"
    for question in questions(tables):
        yield f"**{question.words}**\n\n```sql\n{question.sql}\n```\n"


def grid(header: Row, rows: Iterable[Row]) -> Iterator[str]:
    """A table of Markdown, line by line, and an empty line."""
    yield "| " + " | ".join(_cell(name) for name in header) + " |"
    yield "|" + "---|" * len(header)
    for row in rows:
        yield "| " + " | ".join(_cell(cell) for cell in row) + " |"
    yield ""


def _cell(text_of_cell: str | None) -> str:
    escaped = (text_of_cell or "").replace("|", "\\|")
    # Within backticks every sign stands for itself.
    return escaped if "`" in escaped else escaped.replace("<", "&lt;").replace("*", "\\*")
