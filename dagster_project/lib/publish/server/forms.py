"""What a released table is in PostgreSQL: types, keys, relations, indexes, comments, rights, as statements of SQL.

Belongs here: statements from declarations and from the columns of a release; nothing here speaks to a server.
Does not: roles (roles.sql), the swap (swap.sql), running any of it (loading.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from dagster_project.lib.base import engine
from dagster_project.lib.warehouse.declared import TableWords

TYPES = {
    "VARCHAR": "text",
    "INTEGER": "integer",
    "BIGINT": "bigint",
    "HUGEINT": "numeric(38, 0)",
    "DOUBLE": "double precision",
    "BOOLEAN": "boolean",
    "DATE": "date",
    "TIMESTAMP": "timestamp",
}
PUBLIC, INTERNAL, MEMBER = "bi_public", "bi_internal", "bi_member"
COMMUNITY = "community_id"
OFTEN_ASKED = ("reporting_year", "school_year")
"""Columns that questions are narrowed by and that no relation gives an index."""


class FormError(ValueError):
    """A released table holds what has no form on the server; the message says which."""


@dataclass(frozen=True)
class Relation:
    """Columns of a table and the columns of another that hold their values."""

    columns: tuple[str, ...]
    table: str
    fields: tuple[str, ...]


@dataclass(frozen=True)
class ServerTable:
    """One table: its columns with their types in the release, its key, its relations, its comments."""

    name: str
    columns: tuple[tuple[str, str], ...]
    key: tuple[str, ...]
    relations: tuple[Relation, ...]
    comment: str | None
    comments: Mapping[str, str]


def server_tables(
    columns: Mapping[str, Sequence[tuple[str, str]]],
    keys: Mapping[str, Sequence[str]],
    words: Mapping[str, TableWords],
) -> list[ServerTable]:
    """The tables of a release, dimensions first. Columns are those of its database, keys those of its manifest.

    A relation is stated where the release has the other table and its columns are that table's key.
    """
    found = []
    for name in sorted(columns):
        told = words.get(name)
        there = {column for column, _ in columns[name]}
        comments = {column.name: column.comment for column in told.columns if column.name in there} if told else {}
        relations = tuple(_relations(told, there, keys)) if told else ()
        comment = told.comment if told else None
        found.append(ServerTable(name, tuple(columns[name]), tuple(keys.get(name, ())), relations, comment, comments))
    return found


def _relations(told: TableWords, there: set[str], keys: Mapping[str, Sequence[str]]) -> Iterator[Relation]:
    for column in told.columns:
        if column.name not in there or not column.refers_to:
            continue
        table, field = column.refers_to.split(".")
        key = tuple(keys.get(table, ()))
        # The rest of a key of several columns goes by the same names: a place belongs to its community.
        own = tuple(column.name if part == field else part for part in key)
        if field in key and set(own) <= there and (table, key) != (told.name, own):
            yield Relation(own, table, key)


def create(schema: str, table: ServerTable) -> str:
    """The empty table."""
    columns = ", ".join(f"{engine.name(column)} {_type(table.name, column, kind)}" for column, kind in table.columns)
    return f"create table {engine.name(schema, table.name)} ({columns});"


def _type(table: str, column: str, kind: str) -> str:
    plain = kind.removesuffix("[]")
    if plain not in TYPES:
        raise FormError(f"{table}.{column} is of type {kind}, which has no form in PostgreSQL yet")
    return TYPES[plain] + kind.removeprefix(plain)


def finish(schema: str, table: ServerTable) -> Iterator[str]:
    """What a filled table gets: key, indexes, comments. Made after the rows, which is faster than with them."""
    place = engine.name(schema, table.name)
    if table.key:
        yield f"alter table {place} add primary key ({_listed(table.key)});"
    for columns in _indexes(table):
        yield f"create index on {place} ({_listed(columns)});"
    if table.comment:
        yield f"comment on table {place} is {engine.text(table.comment)};"
    for column, comment in table.comments.items():
        yield f"comment on column {place}.{engine.name(column)} is {engine.text(comment)};"
    yield f"analyze {place};"


def _indexes(table: ServerTable) -> list[tuple[str, ...]]:
    """Columns that other tables join on or questions are narrowed by, and that no index begins with yet."""
    names = {column for column, _ in table.columns}
    wanted = [relation.columns for relation in table.relations]
    wanted += [(column,) for column in OFTEN_ASKED if column in names]
    found: list[tuple[str, ...]] = []
    for columns in sorted(set(wanted), key=lambda each: (-len(each), each)):
        if not any(known[: len(columns)] == columns for known in (table.key, *found)):
            found.append(columns)
    return found


def relate(schema: str, table: ServerTable) -> Iterator[str]:
    """Foreign keys, when every table has its key."""
    for relation in table.relations:
        yield (
            f"alter table {engine.name(schema, table.name)} add foreign key ({_listed(relation.columns)}) "
            f"references {engine.name(schema, relation.table)} ({_listed(relation.fields)});"
        )


def public_rights(schema: str) -> Iterator[str]:
    """Everybody with a role reads the public edition."""
    readers = f"{PUBLIC}, {INTERNAL}, {MEMBER}"
    yield f"grant usage on schema {engine.name(schema)} to {readers};"
    yield f"grant select on all tables in schema {engine.name(schema)} to {readers};"


def internal_rights(schema: str, tables: Sequence[ServerTable]) -> Iterator[str]:
    """The data team reads all; a member's login its own community's rows, and dimensions that name no community.

    What the network computes over all communities stays with the data team: a member could subtract itself from it.
    """
    yield f"grant usage on schema {engine.name(schema)} to {INTERNAL}, {MEMBER};"
    yield f"grant select on all tables in schema {engine.name(schema)} to {INTERNAL};"
    for table in tables:
        place = engine.name(schema, table.name)
        if COMMUNITY in {column for column, _ in table.columns}:
            own = f"{COMMUNITY} in (select {COMMUNITY} from bi_access.own_community)"
            yield f"alter table {place} enable row level security;"
            yield f"create policy all_rows on {place} for select to {INTERNAL} using (true);"
            yield f"create policy own_community on {place} for select to {MEMBER} using ({own});"
            yield f"grant select on {place} to {MEMBER};"
        elif table.name.startswith("dim_"):
            yield f"grant select on {place} to {MEMBER};"


def _listed(columns: Sequence[str]) -> str:
    return ", ".join(engine.name(column) for column in columns)
