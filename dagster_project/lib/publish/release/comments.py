"""What is declared of the marts as comments of a database: BI tools show them beside names and types.

Belongs here: writing comments of tables and columns.
Does not: the words (warehouse/declared.py), hashes, which see none.
"""

from __future__ import annotations

from collections.abc import Mapping

from dagster_project.lib.base import engine
from dagster_project.lib.base.engine import Connection
from dagster_project.lib.base.names import MARTS
from dagster_project.lib.publish.release.hashing import table_columns
from dagster_project.lib.warehouse.declared import TableWords


def comment(connection: Connection, words: Mapping[str, TableWords]) -> None:
    """Declared meanings as comments of tables and columns. Keys are stated there: a physical one doubles the file."""
    connection.execute("begin")
    for name in engine.tables_of(connection, MARTS):
        if name in words:
            table, told = engine.name(MARTS, name), words[name]
            connection.execute(f"comment on table {table} is {engine.text(told.comment)}")
            there = {column for column, _ in table_columns(connection, MARTS, name)}
            for column in told.columns:
                if column.name in there:
                    place = f"{table}.{engine.name(column.name)}"
                    connection.execute(f"comment on column {place} is {engine.text(column.comment)}")
    connection.execute("commit")
