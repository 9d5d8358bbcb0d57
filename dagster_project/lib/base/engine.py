"""The one seam to the SQL engine: connections are opened here, paths and names that enter SQL are quoted here.

Belongs here: opening databases and memory, quoting, the few forms of SQL that belong to one engine.
Does not: queries of a room (they stand where they are used), dbt's own connections (warehouse/dbt_run.py).
"""

from __future__ import annotations

import importlib.util
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeAlias

import duckdb
import polars as pl
import pyarrow as pa

Connection: TypeAlias = duckdb.DuckDBPyConnection
EngineError: TypeAlias = duckdb.Error
# The extension that speaks to PostgreSQL lies in a package of the lock; nothing is fetched while running.
POSTGRES_PACKAGE = "duckdb_extension_postgres_scanner"
POSTGRES_FILE = "postgres_scanner.duckdb_extension"
# PostgreSQL keeps no text with a zero byte in it.
NO_CHARACTER = "\N{REPLACEMENT CHARACTER}"
CLOSED_IN_MEMORY = "4GiB"
"""What the engine may hold for SQL that others wrote."""
ROWS_AT_ONCE = 10_000


class LimitError(Exception):
    """SQL that took or gave more than it may; the message says which and what is allowed."""


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
    own: dict[str, str | bool | int | float | list[str]] = {} if threads is None else {"threads": threads}
    if closed_in:
        own |= {"autoinstall_known_extensions": False, "autoload_known_extensions": False}
    connection = duckdb.connect(config=own)
    try:
        if closed_in:
            connection.execute("set enable_external_access = false")
            connection.execute(f"set memory_limit = {text(CLOSED_IN_MEMORY)}")
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


def bounded(connection: Connection, sql: str, *, seconds: float, rows: int, size: int) -> pl.DataFrame:
    """What a query gives; LimitError once it has taken more seconds, or given more rows or bytes, than it may."""
    over = threading.Event()

    def end() -> None:
        over.set()
        connection.interrupt()

    clock = threading.Timer(seconds, end)
    clock.daemon = True
    clock.start()
    try:
        answer = connection.execute(sql).to_arrow_reader(ROWS_AT_ONCE)
        given, held, taken = 0, 0, list[pa.RecordBatch]()
        for batch in answer:
            given, held = given + batch.num_rows, held + batch.nbytes
            if given > rows:
                raise LimitError(f"it gives more than {rows:,} rows")
            if held > size:
                raise LimitError(f"it gives more than {size:,} bytes")
            taken.append(batch)
    except duckdb.InterruptException as interrupted:
        if not over.is_set():
            raise
        raise LimitError(f"it takes longer than {seconds:g} seconds") from interrupted
    finally:
        clock.cancel()
    return pl.DataFrame(pa.Table.from_batches(taken, answer.schema))


def statements(connection: Connection, sql: str) -> list[str]:
    """The kinds of the statements of a text of SQL, SELECT for those that only read; none where it cannot be parsed.

    The connection is that which would run it: parsing alone may look into files (IMPORT DATABASE does).
    """
    try:
        return [statement.type.name for statement in connection.extract_statements(sql)]
    except duckdb.Error:
        return []


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


def parquet_files(folder: Path) -> str:
    """Every Parquet file of a folder as one table of SQL."""
    return parquet(folder / "ANY.parquet").replace("ANY.parquet", "*.parquet")


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
