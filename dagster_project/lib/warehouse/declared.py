"""What is declared of the marts: meanings, keys, relations and closed words, as dbt's manifest holds them.

Belongs here: one reading of manifest and words, for comments in databases and the generated dictionary of the marts.
Does not: write comments (publish/release), make pages (docs/generate.py), or declare anything (the yml of dbt/models).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from dagster_project.lib.base.names import MARTS
from dagster_project.lib.base.reference import Reference

STATUSES = "dictionary/statuses"
OF = "columns_of"
PROMISES = "promises"
"""The generic test of dbt/macros/tests."""
RELATION = re.compile(r"ref\('([^']+)'\)")


@dataclass(frozen=True)
class Word:
    """One word of a closed vocabulary."""

    word: str
    label: str
    meaning: str


@dataclass(frozen=True)
class ColumnWords:
    """One column: its type in SQL, its meaning, the closed words it holds, and the `table.column` it refers to.

    `domain` is where dim_status says what the words mean.
    """

    name: str
    data_type: str
    description: str
    words: tuple[str, ...] = ()
    refers_to: str | None = None
    domain: str | None = None

    @property
    def comment(self) -> str:
        """The meaning in one line, with what the column may hold and what it refers to."""
        told = f" (dim_status, domain {self.domain})" if self.domain else ""
        words = f" One of: {', '.join(self.words)}{told}." if self.words else ""
        refers = f" Refers to {self.refers_to}." if self.refers_to else ""
        return f"{_one_line(self.description)}{words}{refers}"


@dataclass(frozen=True)
class TableWords:
    """One mart: its meaning with its grain, its key, its columns in their order."""

    name: str
    description: str
    key: tuple[str, ...]
    columns: tuple[ColumnWords, ...]

    @property
    def comment(self) -> str:
        """The meaning in one line, with the key."""
        key = f" Key: {', '.join(self.key)}." if self.key else ""
        return f"{_one_line(self.description)}{key}"


def declared_marts(manifest: Path, reference: Reference, *, public: bool = False) -> dict[str, TableWords]:
    """What is declared of every table of schema marts, by name in alphabetical order; `reference` has the words.

    A model whose rows are those of others says so (`columns_of`, the nearest first): words and relations of a column
    are those of its namesake there, where they are tested. `public`: with the words of the public edition as well.
    """
    told = vocabularies(reference, public=public)
    domains = {domain: tuple(word.word for word in words) for domain, words in told.items()}
    nodes: Mapping[str, Any] = json.loads(manifest.read_text(encoding="utf-8"))["nodes"]
    models = {
        unique_id: node
        for unique_id, node in nodes.items()
        if node["resource_type"] == "model" and node["config"].get("schema") == MARTS
    }
    promised = _promised(nodes)
    found = {node["name"]: _table(node, promised.get(unique_id, {}), domains) for unique_id, node in models.items()}
    for node in models.values():
        found[node["name"]] = _as_in(found[node["name"]], [found[name] for name in node["config"]["meta"].get(OF, ())])
    return dict(sorted(found.items()))


def _as_in(table: TableWords, origins: Sequence[TableWords]) -> TableWords:
    namesakes: dict[str, ColumnWords] = {}
    for origin in origins:
        namesakes = {column.name: column for column in origin.columns} | namesakes
    return replace(table, columns=tuple(_held_as(column, namesakes.get(column.name)) for column in table.columns))


def _held_as(column: ColumnWords, namesake: ColumnWords | None) -> ColumnWords:
    if namesake is None:
        return column
    words, domain = (column.words, column.domain) if column.words else (namesake.words, namesake.domain)
    return replace(column, words=words, domain=domain, refers_to=column.refers_to or namesake.refers_to)


def table_keys(manifest: Path) -> dict[str, list[str]]:
    """Key columns of each model by its name, from the tests of the manifest that prove them."""
    nodes: Mapping[str, Any] = json.loads(manifest.read_text(encoding="utf-8"))["nodes"]
    return {nodes[model]["name"]: list(told["key"]) for model, told in _promised(nodes).items() if "key" in told}


def promised_in_words(promised: Mapping[str, Any]) -> str:
    """The arguments of a table's test, for whoever looks at the test and not at the yml."""
    told = []
    if key := promised.get("key"):
        told.append(f"{', '.join(key)} identify a row and are never null")
    if references := promised.get("references"):
        told.append(f"each value of {', '.join(references)} is found where it refers to")
    if allowed := promised.get("allowed"):
        told.append(f"{', '.join(allowed)} hold words of their vocabularies alone")
    return f"{'; '.join(told)}."


def _promised(nodes: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """What each model promises of its columns, by its unique id: the arguments of its test."""
    tests = [node for node in nodes.values() if (node.get("test_metadata") or {}).get("name") == PROMISES]
    return {node["attached_node"]: node["test_metadata"]["kwargs"] for node in tests}


def vocabularies(reference: Reference, *, public: bool = False) -> dict[str, list[Word]]:
    """The closed words of every domain in their order; `public`: with those of the public edition only."""
    statuses = reference.table(STATUSES)
    held = statuses if public else statuses.filter(public_only="false")
    found: dict[str, list[Word]] = {}
    for domain, *word in held.select("domain", "status", "label", "meaning").iter_rows():
        found.setdefault(domain, []).append(Word(*word))
    return found


def _table(model: Mapping[str, Any], promised: Mapping[str, Any], domains: Mapping[str, tuple[str, ...]]) -> TableWords:
    words = {column: _words(allowed, domains) for column, allowed in promised.get("allowed", {}).items()}
    fields = promised.get("fields", {})
    refers: dict[str, str] = {}
    for column, target in promised.get("references", {}).items():
        relation = RELATION.search(target)
        if relation and relation[1].startswith(("dim_", "fct_")):
            refers[column] = f"{relation[1]}.{fields.get(column, column)}"
    columns = tuple(
        ColumnWords(name, column["data_type"], column["description"], own, refers.get(name), domain)
        for name, column in model["columns"].items()
        for own, domain in [words.get(name, ((), None))]
    )
    return TableWords(model["name"], model["description"], tuple(promised.get("key", ())), columns)


def _words(allowed: Any, domains: Mapping[str, tuple[str, ...]]) -> tuple[tuple[str, ...], str | None]:
    """The words of a vocabulary as the test `promises` takes it: a domain, one without some of its words, or a list."""
    if isinstance(allowed, str):
        return domains.get(allowed, ()), allowed
    if isinstance(allowed, Mapping):
        without = set(allowed["without"])
        return tuple(word for word in domains.get(allowed["domain"], ()) if word not in without), allowed["domain"]
    return tuple(map(str, allowed)), None


def _one_line(text: str) -> str:
    return " ".join(text.split())
