"""What makes two tables the same: hashes of content, not of files.

Belongs here: the canonical text of a row, the hash of a table.
Does not: what is published (release.py), versions of code and lock (dependencies.py), hashing of what was submitted.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from dagster_project.lib.analysis.vocabulary import DAYS_AFTER
from dagster_project.lib.base import engine
from dagster_project.lib.base.engine import Connection

# States that were replaced depend on what arrived before, so they stay outside the hash of the table that shows them.
HISTORY = {"dim_submission": "status <> 'superseded'"}
# Counts in a text that grow with every day and say nothing that the date beside them does not, by table and column.
BY_DAY = {"fct_criterion_status": {"evidence": f"-?[0-9]+ {DAYS_AFTER}"}}


def table_columns(connection: Connection, schema: str, table: str) -> list[tuple[str, str]]:
    """Column names and types of a table, in their order; EngineError where there is none."""
    # Asked of the one table: the view information_schema.columns is made of all tables at every question, ten times as
    # slow.
    rows = connection.execute("select name, type from pragma_table_info(?)", [engine.name(schema, table)]).fetchall()
    return [(str(column), str(kind)) for column, kind in rows]


def table_hash(
    connection: Connection, schema: str, table: str, without: Mapping[str, str] | None = None
) -> tuple[int, str]:
    """Rows of a table and its sha256: rows as text in sorted order, floats at 10 significant digits (DESIGN 3.6).

    `without`: patterns by column; the first place of a text that matches is left out.
    """
    columns = table_columns(connection, schema, table)
    texts = {name: _as_text(name, kind) for name, kind in columns}
    texts |= {name: f"regexp_replace({texts[name]}, '{of}', '')" for name, of in (without or {}).items()}
    # No text is null, so concat_ws leaves nothing out; it takes half the time of a chain of `||`.
    row = f"concat_ws(chr(31), {', '.join(texts.values())})"
    where = f"where {HISTORY[table]}" if table in HISTORY else ""
    digest = hashlib.sha256(repr([name for name, _ in columns]).encode())
    query = f'select sha256({row}) as h from "{schema}"."{table}" {where} order by h'
    hashes = connection.execute(query).fetchnumpy()["h"] if columns else []
    digest.update("\n".join(hashes).encode())
    count = connection.execute(f'select count(*) from "{schema}"."{table}"').fetchone()
    return (int(count[0]) if count else 0), digest.hexdigest()


def _as_text(name: str, kind: str) -> str:
    quoted = f'"{name}"'
    if kind in ("DOUBLE", "FLOAT"):
        # Adding zero turns -0.0 into 0.0; nine decimals of the exponent form are ten significant digits.
        return f"coalesce(printf('%.9e', {quoted} + 0.0), chr(30))"
    return f"coalesce(cast({quoted} as varchar), chr(30))"
