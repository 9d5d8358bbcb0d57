"""The marts as a contract for those who read them, in the Open Data Contract Standard: what a release promises.

Belongs here: the contract of declared tables, its version, which changes break a reader, the refusal of such a change.
Does not: any column, key or word of its own (dbt/models, seeds/dictionary/statuses.csv), or checks of data (dbt).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from dagster_project.lib.base.seeds.declarations import read_yaml, write_yaml
from dagster_project.lib.warehouse.declared import ColumnWords, TableWords

VERSION = "2.0.0"
"""Of the contracts: the first number rises with what breaks a reader; what is added breaks nobody."""
STANDARD = "v3.1.0"
FILE = "dictionary/marts.odcs.yaml"
"""Where the contract lies in a release."""


@dataclass(frozen=True)
class Edition:
    """What a contract says of the edition as a whole."""

    identity: str
    name: str
    database: str
    limitations: str
    head: str


HEAD = """\
# What readers of the marts can rely on, in the Open Data Contract Standard. Made from the project's declarations.
# Belongs here: tables, columns, types, keys, relations and closed words of schema `marts`, the {edition} edition.
# Does not: anything that is changed here; change dbt/models, and VERSION in lib/publish/release/contract.py with it.
"""
INTERNAL = Edition(
    "cradle-warehouse-marts",
    "Marts of the cradle warehouse, internal edition",
    "current.duckdb",
    "Internal: contains small groups, not for distribution.",
    HEAD.replace("{edition}", "internal"),
)
PUBLIC = Edition(
    "cradle-warehouse-public-marts",
    "Marts of the cradle warehouse, public edition",
    "public.duckdb",
    "Small groups are withheld; a withheld value is null and its status says so.",
    HEAD.replace("{edition}", "public"),
)
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


def contract(tables: Iterable[TableWords], edition: Edition = INTERNAL) -> dict[str, Any]:
    """The contract of tables as they are declared."""
    return {
        "apiVersion": STANDARD,
        "kind": "DataContract",
        "id": edition.identity,
        "name": edition.name,
        "version": VERSION,
        "status": "active",
        "description": {
            "purpose": "Charts, questions and reports over what members submitted and what follows from it.",
            "usage": f"Open {edition.database} read-only; the tables are in schema marts.",
            "limitations": edition.limitations,
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
    if column.data_type.endswith("[]"):
        found["items"] = {"logicalType": LOGICAL[column.data_type.removesuffix("[]")]}
    if column.name in key:
        found |= {"required": True, "primaryKey": True, "primaryKeyPosition": key.index(column.name) + 1}
    if column.refers_to:
        found["relationships"] = [{"type": "foreignKey", "to": column.refers_to}]
    if column.words:
        arguments = {"validValues": list(column.words)}
        found["quality"] = [{"type": "library", "metric": "invalidValues", "arguments": arguments, "mustBe": 0}]
    return found


def text(content: Mapping[str, Any], edition: Edition = INTERNAL) -> str:
    """The file of a contract."""
    return edition.head + write_yaml(content)


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
            f"lib/publish/release/contract.py (it is {after['version']}) if that is meant: {'; '.join(broken)}"
        )


def _version(of: Mapping[str, Any]) -> tuple[int, ...]:
    return tuple(int(part) for part in str(of["version"]).split("."))


def _key(table: Mapping[str, Any]) -> list[str]:
    columns = [column for column in table["properties"] if column.get("primaryKey")]
    return [column["name"] for column in sorted(columns, key=lambda column: int(column["primaryKeyPosition"]))]


def _words(column: Mapping[str, Any]) -> set[str]:
    return {word for rule in column.get("quality", ()) for word in rule["arguments"]["validValues"]}


def require_kept(released: bytes | None, after: Mapping[str, Any]) -> None:
    """ContractBrokenError where a release of this contract breaks readers of the one released before.

    `released` is the contract file that lies in it, None where it has none.
    """
    if released is not None:
        require_version(read_yaml(released), after)
