"""Filling a schema of the server from a release and swapping it in; asking what is there.

Belongs here: one connection, the order of statements, what a schema says of the release it holds.
Does not: what the statements are (forms.py, roles.sql, swap.sql), which release belongs there (current.py).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from dagster_project.lib.base import engine
from dagster_project.lib.base.engine import Connection
from dagster_project.lib.base.names import MARTS
from dagster_project.lib.publish.release.hashing import table_columns
from dagster_project.lib.publish.server.forms import (
    FormError,
    Relation,
    ServerTable,
    create,
    finish,
    internal_rights,
    public_rights,
    relate,
    server_tables,
)
from dagster_project.lib.warehouse.declared import TableWords

SERVER, SOURCE = "server", "release"
PUBLIC_MARTS = "public_marts"
ROLES, SWAP = (Path(__file__).with_name(name) for name in ("roles.sql", "swap.sql"))
PATIENCE_SECONDS = 300
"""Readers of longer transactions keep the release that is there; the next run tries again."""
LOADED = re.compile(r"Release (\S+), in the form ([0-9a-f]+)\.")
FORM_CHARACTERS = 12
SENT = re.compile(r'Failed to execute query ".*": (?=[A-Z]+: )')
"""What was sent, in front of what the server says of it: pages of SQL that hide the reason."""
SECRETS = re.compile(r"://[^:/@]*:([^@]+)@|[?&](?:ssl)?password=([^&]+)")
"""Passwords of an address, in front of the host or among its settings."""


class ServerError(RuntimeError):
    """The server cannot be reached or refused something; the message is one line and holds no password."""


@dataclass(frozen=True)
class Load:
    """What is to stand in a schema: a release's database, the keys of its manifest, what is declared of its tables."""

    schema: str
    release_id: str
    database: Path
    keys: Mapping[str, Sequence[str]]
    words: Mapping[str, TableWords]


@dataclass(frozen=True)
class Loaded:
    """What stands in a schema now, and whether it was there before."""

    schema: str
    release_id: str
    is_new: bool
    tables: int
    rows: int


@dataclass(frozen=True)
class Server:
    """One PostgreSQL database."""

    url: str

    @contextmanager
    def _connected(self) -> Iterator[Connection]:
        try:
            with engine.server(self.url, SERVER) as connection:
                yield connection
        except (engine.EngineError, FormError) as error:
            raise ServerError(self._told(error)) from None

    def _told(self, error: Exception) -> str:
        """The server's own words in one line; the address holds a password, so it is named without it."""
        text = " ".join(str(error).replace(self.url, self.shown).split())
        text = SENT.sub("", text)
        for secret in self._secrets:
            text = text.replace(secret, "***").replace(unquote(secret), "***")
        return text

    @property
    def _secrets(self) -> list[str]:
        return [before or named for before, named in SECRETS.findall(self.url)]

    @property
    def shown(self) -> str:
        """The address without its password."""
        shown = self.url
        for secret in self._secrets:
            shown = re.sub(rf"([:=]){re.escape(secret)}", r"\1***", shown)
        return shown

    def loaded(self) -> dict[str, str]:
        """The release that each of both schemas holds; a schema that holds none is left out."""
        with self._connected() as connection:
            found = {schema: _standing(connection, schema) for schema in (MARTS, PUBLIC_MARTS)}
        return {schema: stands[0] for schema, stands in found.items() if stands}

    def load(self, load: Load) -> Loaded:
        """Have a schema hold a release: filled aside, then swapped in by one transaction.

        Nothing is done where it holds the release in this form already. ServerError leaves what was there.
        """
        with self._connected() as connection:
            engine.attach(connection, load.database, SOURCE)
            tables = _tables(connection, load)
            statements = _forms(load.schema, tables)
            form = hashlib.sha256("\n".join(statements).encode()).hexdigest()[:FORM_CHARACTERS]
            if _standing(connection, load.schema) == (load.release_id, form):
                return Loaded(load.schema, load.release_id, False, len(tables), 0)
            rows = _fill(connection, load, tables)
            _finish(connection, load, tables, form)
            return Loaded(load.schema, load.release_id, True, len(tables), rows)

    def clear(self, schema: str) -> None:
        """Have a schema hold nothing: what is withdrawn or taken down does not stay on the server."""
        with self._connected() as connection:
            aside = _next(schema)
            _run(connection, f"drop schema if exists {aside} cascade; create schema {aside}")
            _swap(connection, schema)


def _next(schema: str) -> str:
    return f"{schema}_next"


def _tables(connection: Connection, load: Load) -> list[ServerTable]:
    connection.execute(f"use {engine.name(SOURCE)}")
    names = engine.tables_of(connection, MARTS, SOURCE)
    columns = {name: table_columns(connection, MARTS, name) for name in names}
    connection.execute("use memory")
    return server_tables(columns, load.keys, load.words)


def _forms(schema: str, tables: Sequence[ServerTable]) -> list[str]:
    """Every statement that shapes a schema, whatever rows are in it."""
    made = [create(schema, table) for table in tables]
    for table in tables:
        made += [*finish(schema, table), *relate(schema, table)]
    return [*made, *_rights(schema, schema, tables), ROLES.read_text(encoding="utf-8")]


def _rights(schema: str, place: str, tables: Sequence[ServerTable]) -> Iterator[str]:
    return public_rights(place) if schema == PUBLIC_MARTS else internal_rights(place, tables)


def _fill(connection: Connection, load: Load, tables: Sequence[ServerTable]) -> int:
    aside = _next(load.schema)
    _run(connection, ROLES.read_text(encoding="utf-8"))
    _run(connection, f"drop schema if exists {aside} cascade; create schema {aside};")
    _run(connection, *(create(aside, table) for table in tables))
    connection.execute("call pg_clear_cache()")
    rows = 0
    for table in tables:
        target, source = engine.name(SERVER, aside, table.name), engine.name(SOURCE, MARTS, table.name)
        rows += _one(connection.execute(f"insert into {target} from {source}"))
    return rows


def _finish(connection: Connection, load: Load, tables: Sequence[ServerTable], form: str) -> None:
    aside = _next(load.schema)
    for table in tables:
        _run(connection, *finish(aside, table))
    for table in tables:
        _run(connection, *relate(aside, _kept_relations(connection, table)))
    told = engine.text(f"Release {load.release_id}, in the form {form}.")
    _run(connection, *_rights(load.schema, aside, tables), f"comment on schema {aside} is {told};")
    _swap(connection, load.schema)


def _kept_relations(connection: Connection, table: ServerTable) -> ServerTable:
    """The table with those of its relations that its rows keep.

    What is declared is what this version makes; a release of a former one, current again after a withdrawal, may hold
    values without a row.
    """
    return replace(table, relations=tuple(each for each in table.relations if _is_kept(connection, table.name, each)))


def _is_kept(connection: Connection, table: str, relation: Relation) -> bool:
    ours, theirs = (engine.name(SOURCE, MARTS, name) for name in (table, relation.table))
    there = " and ".join(f"a.{engine.name(column)} is not null" for column in relation.columns)
    pairs = zip(relation.columns, relation.fields, strict=True)
    same = " and ".join(f"a.{engine.name(column)} = b.{engine.name(field)}" for column, field in pairs)
    return _one(connection.execute(f"select count(*) from {ours} a anti join {theirs} b on {same} where {there}")) == 0


def _swap(connection: Connection, schema: str) -> None:
    sql = SWAP.read_text(encoding="utf-8")
    for name, value in {"schema": schema, "next": _next(schema), "patience": str(PATIENCE_SECONDS)}.items():
        sql = sql.replace("{" + name + "}", value)
    _run(connection, sql)


def _run(connection: Connection, *statements: str) -> None:
    """Statements of PostgreSQL, all of them in one transaction."""
    sql = "\n".join(statements)
    if sql.strip():
        connection.execute(f"call postgres_execute({engine.text(SERVER)}, {engine.text(sql)})")


def _standing(connection: Connection, schema: str) -> tuple[str, str] | None:
    """The release that a schema says it holds, and its form."""
    asked = f"select obj_description(to_regnamespace('{schema}'), 'pg_namespace') as told"
    row = connection.execute(f"from postgres_query({engine.text(SERVER)}, {engine.text(asked)})").fetchone()
    match = LOADED.fullmatch(str(row[0])) if row and row[0] else None
    return (match[1], match[2]) if match else None


def _one(result: Any) -> int:
    row = result.fetchone()
    return int(row[0]) if row else 0
