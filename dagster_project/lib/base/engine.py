"""The one seam to the SQL engine: connections are opened here, paths and names that enter SQL are quoted here.

Belongs here: opening databases and memory, quoting, the few forms of SQL that belong to one engine.
Does not: queries of a room (they stand where they are used), dbt's own connections (warehouse/dbt_run.py).
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeAlias

import duckdb

Connection: TypeAlias = duckdb.DuckDBPyConnection
EngineError: TypeAlias = duckdb.Error
# The extension that speaks to PostgreSQL lies in a package of the lock; nothing is fetched while running.
POSTGRES_PACKAGE = "duckdb_extension_postgres_scanner"
POSTGRES_FILE = "postgres_scanner.duckdb_extension"
# PostgreSQL keeps no text with a zero byte in it.
NO_CHARACTER = "\N{REPLACEMENT CHARACTER}"


@contextmanager
def opened(database: Path) -> Iterator[Connection]:
    """A database for reading, closed afterwards; EngineError where there is none."""
    connection = duckdb.connect(str(database), read_only=True)
    try:
        yield connection
    finally:
        connection.close()


@contextmanager
def written(database: Path, threads: int | None = None) -> Iterator[Connection]:
    """A database for writing, made if it does not exist, closed afterwards."""
    connection = duckdb.connect(str(database), config={} if threads is None else {"threads": threads})
    try:
        yield connection
    finally:
        connection.close()


@contextmanager
def memory(threads: int | None = None, *, closed_in: bool = False) -> Iterator[Connection]:
    """A database in memory. `closed_in`: SQL that others wrote can reach neither files nor the network from it."""
    connection = duckdb.connect(config={} if threads is None else {"threads": threads})
    try:
        if closed_in:
            connection.execute("set enable_external_access = false")
            connection.execute("set lock_configuration = true")
        yield connection
    finally:
        connection.close()


@contextmanager
def server(url: str, alias: str) -> Iterator[Connection]:
    """A database in memory with a PostgreSQL server attached under a name; EngineError where it cannot be reached."""
    connection = duckdb.connect(config={"autoinstall_known_extensions": False, "autoload_known_extensions": False})
    try:
        connection.execute(f"load {text(_postgres_extension())}")
        connection.execute(f"set pg_null_byte_replacement = {text(NO_CHARACTER)}")
        connection.execute(f"attach {text(url)} as {name(alias)} (type postgres)")
        yield connection
    finally:
        connection.close()


def _postgres_extension() -> Path:
    spec = importlib.util.find_spec(POSTGRES_PACKAGE)
    found = [] if spec is None or spec.origin is None else sorted(Path(spec.origin).parent.rglob(POSTGRES_FILE))
    if not found:
        raise duckdb.IOException(f"the package {POSTGRES_PACKAGE} is not installed; run make setup")
    return found[0]


def statements(sql: str) -> list[str]:
    """The statements of a text of SQL; the whole text where it cannot be parsed, so that running it says why."""
    try:
        return [statement.query for statement in duckdb.extract_statements(sql)]
    except duckdb.Error:
        return [sql]


def name(*parts: str) -> str:
    """A name of SQL, each part quoted: name("marts", "fct_trend") is "marts"."fct_trend"."""
    return ".".join('"' + part.replace('"', '""') + '"' for part in parts)


def text(value: str | Path) -> str:
    """A text of SQL, quoted: what stands in a path or a label never ends the text."""
    return "'" + str(value).replace("'", "''") + "'"


def parquet(path: Path) -> str:
    """A Parquet file as a table of SQL; signs that the engine takes for patterns stand for themselves.

    A path that holds `*`, `?` or `[` is read as a pattern by the engine, so each such sign is put in brackets.
    """
    plain = "".join(f"[{sign}]" if sign in "*?[" else sign for sign in str(path))
    return f"read_parquet({text(plain)})"


def attach(connection: Connection, database: Path, alias: str) -> None:
    """Attach another database for reading."""
    connection.execute(f"attach {text(database)} as {name(alias)} (read_only)")


def tables_of(connection: Connection, schema: str, catalog: str | None = None) -> list[str]:
    """Names of the tables of a schema, by name."""
    rows = connection.execute(
        "select table_name from information_schema.tables "
        "where table_schema = ? and table_catalog = coalesce(?, current_database()) order by 1",
        [schema, catalog],
    ).fetchall()
    return [row[0] for row in rows]
