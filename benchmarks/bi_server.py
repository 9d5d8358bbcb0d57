"""A million rows into PostgreSQL as a load puts them there, beside COPY of the same rows from a file.

Belongs here: seconds of both into typed tables without keys, the smallest of some rounds, and their ratio.
Does not: keys and indexes (both ways make them the same), whether rows are right (tests/integration/test_bi_server.py).

    python -m benchmarks.bi_server [--rows 1000000] [--rounds 3]
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import duckdb
import psycopg

from dagster_project.lib.base import engine
from tests.integration.postgres_server import running_server

TEXTS, NUMBERS, COUNTS = 7, 5, 3
PIECE = 1 << 20


def _columns() -> list[tuple[str, str]]:
    kinds = (("t", TEXTS, "text"), ("d", NUMBERS, "double precision"), ("i", COUNTS, "integer"))
    return [(f"{prefix}{number}", kind) for prefix, count, kind in kinds for number in range(count)]


def _make(database: Path, csv: Path, rows: int) -> None:
    texts = ", ".join(f"'word_' || (range * {number + 7} % 5003) as t{number}" for number in range(TEXTS))
    numbers = ", ".join(f"range / {number + 3}.0::double as d{number}" for number in range(NUMBERS))
    counts = ", ".join(f"(range % {number + 1009})::integer as i{number}" for number in range(COUNTS))
    with duckdb.connect(str(database)) as connection:
        connection.execute(f"create table made as select {texts}, {numbers}, {counts} from range({rows})")
        connection.execute(f"copy made to {engine.text(csv)} (format csv, header false)")


def _copied(url: str, csv: Path) -> float:
    with psycopg.connect(url) as connection:
        connection.execute("truncate copied")
        start = time.perf_counter()
        with connection.cursor().copy("copy copied from stdin (format csv)") as copy, csv.open("rb") as lines:
            while piece := lines.read(PIECE):
                copy.write(piece)
        connection.commit()
        return time.perf_counter() - start


def _loaded(url: str, database: Path) -> float:
    with engine.server(url, "server") as connection:
        engine.attach(connection, database, "source")
        connection.execute("call postgres_execute('server', 'truncate loaded')")
        start = time.perf_counter()
        connection.execute("insert into server.public.loaded from source.made")
        return time.perf_counter() - start


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, running_server() as url:
        database, csv = Path(folder) / "made.duckdb", Path(folder) / "made.csv"
        _make(database, csv, options.rows)
        columns = ", ".join(f"{name} {kind}" for name, kind in _columns())
        with psycopg.connect(url, autocommit=True) as connection:
            for table in ("copied", "loaded"):
                connection.execute(f"create table {table} ({columns})")
        rounds = [(_loaded(url, database), _copied(url, csv)) for _ in range(options.rounds)]
        load, copy = (min(seconds) for seconds in zip(*rounds, strict=True))
    print(
        f"{options.rows:,} rows of {len(_columns())} columns: load {load:.1f} s, COPY {copy:.1f} s, "
        f"ratio {load / copy:.2f}"
    )


if __name__ == "__main__":
    main()
