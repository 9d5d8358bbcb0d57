"""The marts as a contract for those who read them, in the Open Data Contract Standard: `python -m docs.generate`.

Belongs here: the contract's version, its file, and which changes break a reader.
Does not: any column, key or word of its own (dbt/models, seeds/dictionary/statuses.csv), or checks of data (dbt).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from dagster_project.lib.base.reference import Reference
from dagster_project.lib.warehouse.dbt_run import MANIFEST
from dagster_project.lib.warehouse.declared import ColumnWords, TableWords, declared_marts

VERSION = "1.0.0"
"""Of the contract: the first number rises with what breaks a reader; what is added breaks nobody."""
STANDARD = "v3.1.0"
FILE = Path(__file__).resolve().parent / "marts.odcs.yaml"
SEEDS = Path(__file__).resolve().parents[1] / "seeds"
HEAD = """\
# What readers of the marts can rely on, in the Open Data Contract Standard. Made by `make docs`.
# Belongs here: tables, columns, types, keys, relations and closed words of schema `marts`, the internal edition.
# Does not: anything that is changed here; change dbt/models, and the version in docs/consumer_contract.py with it.
"""
LOGICAL = {
    "varchar": "string",
    "integer": "integer",
    "bigint": "integer",
    "double": "number",
    "boolean": "boolean",
    "date": "date",
    "timestamp": "timestamp",
}


class ContractBrokenError(ValueError):
    """The marts changed and the version does not say so; the message names each change."""


def contract(manifest: Path = MANIFEST, seeds: Path = SEEDS) -> dict[str, Any]:
    """The contract of the marts as they are declared now."""
    tables = declared_marts(manifest, Reference(seeds)).values()
    return {
        "apiVersion": STANDARD,
        "kind": "DataContract",
        "id": "cradle-warehouse-marts",
        "name": "Marts of the cradle warehouse, internal edition",
        "version": VERSION,
        "status": "active",
        "description": {
            "purpose": "Charts, questions and reports over what members submitted and what follows from it.",
            "usage": "Open current.duckdb read-only; the tables are in schema marts.",
            "limitations": "Internal: contains small groups, not for distribution.",
        },
        "schema": [_object(table) for table in tables],
    }


def _object(table: TableWords) -> dict[str, Any]:
    return {
        "name": table.name,
        "logicalType": "object",
        "physicalType": "table",
        "physicalName": f"marts.{table.name}",
        "description": " ".join(table.description.split()),
        "dataGranularityDescription": f"One row per {', '.join(table.key)}.",
        "properties": [_property(column, table.key) for column in table.columns],
    }


def _property(column: ColumnWords, key: tuple[str, ...]) -> dict[str, Any]:
    found: dict[str, Any] = {
        "name": column.name,
        "logicalType": "array" if column.data_type.endswith("[]") else LOGICAL[column.data_type],
        "physicalType": column.data_type,
        "description": " ".join(column.description.split()),
    }
    if column.name in key:
        found |= {"required": True, "primaryKey": True, "primaryKeyPosition": key.index(column.name) + 1}
    if column.refers_to:
        found["relationships"] = [{"type": "foreignKey", "to": column.refers_to}]
    if column.words:
        arguments = {"validValues": list(column.words)}
        found["quality"] = [{"type": "library", "metric": "invalidValues", "arguments": arguments, "mustBe": 0}]
    return found


def text(content: Mapping[str, Any]) -> str:
    """The file of a contract."""
    body: str = yaml.safe_dump(content, sort_keys=False, default_flow_style=None, width=116, allow_unicode=True)
    return HEAD + body


def breaking(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    """What breaks a reader of `before`: a table, a column or a key gone, another type, another set of closed words.

    A new word breaks as well: a chart with a colour a word has none for it.
    """
    now = {table["name"]: table for table in after["schema"]}
    for table in before["schema"]:
        name = table["name"]
        if name not in now:
            yield f"{name}: the table is gone"
            continue
        if _key(table) != _key(now[name]):
            yield f"{name}: the key was {', '.join(_key(table))}, is {', '.join(_key(now[name]))}"
        columns = {column["name"]: column for column in now[name]["properties"]}
        for column in table["properties"]:
            yield from (f"{name}.{column['name']}: {what}" for what in _broken(column, columns.get(column["name"])))


def _broken(before: Mapping[str, Any], after: Mapping[str, Any] | None) -> Iterator[str]:
    if after is None:
        yield "the column is gone"
        return
    if before["physicalType"] != after["physicalType"]:
        yield f"the type was {before['physicalType']}, is {after['physicalType']}"
    was, stands = _words(before), _words(after)
    if was and was != stands:
        sides = (("without", was - stands), ("with", stands - was))
        told = " and ".join(f"{side} {', '.join(sorted(words))}" for side, words in sides if words)
        yield f"the closed words changed: {told}"


def added(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """Tables and columns that `before` has not."""
    known = {(table["name"], column["name"]) for table in before["schema"] for column in table["properties"]}
    there = [(table["name"], column["name"]) for table in after["schema"] for column in table["properties"]]
    return [f"{table}.{column}" for table, column in there if (table, column) not in known]


def require_version(before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
    """ContractBrokenError where a change breaks readers and the first number of the version is not higher.

    What is added breaks nobody: a new column stays one line.
    """
    was, stands = _version(before), _version(after)
    broken = list(breaking(before, after))
    if broken and stands[0] <= was[0]:
        raise ContractBrokenError(
            f"readers of version {before['version']} would break; raise the first number of VERSION in "
            f"docs/consumer_contract.py (it is {after['version']}) if that is meant: {'; '.join(broken)}"
        )


def _version(of: Mapping[str, Any]) -> tuple[int, ...]:
    return tuple(int(part) for part in str(of["version"]).split("."))


def _key(table: Mapping[str, Any]) -> list[str]:
    columns = [column for column in table["properties"] if column.get("primaryKey")]
    return [column["name"] for column in sorted(columns, key=lambda column: int(column["primaryKeyPosition"]))]


def _words(column: Mapping[str, Any]) -> set[str]:
    return {word for rule in column.get("quality", ()) for word in rule["arguments"]["validValues"]}


def committed(file: Path = FILE) -> dict[str, Any] | None:
    """The contract as it was last made; None before the first."""
    if not file.is_file():
        return None
    known: dict[str, Any] = yaml.safe_load(file.read_text(encoding="utf-8"))
    return known


def write() -> None:
    """Write the contract anew; ContractBrokenError where it breaks the one that is there and does not say so."""
    before, after = committed(), contract()
    if before is not None:
        require_version(before, after)
    FILE.write_text(text(after), encoding="utf-8")
