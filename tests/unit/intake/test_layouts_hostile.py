"""A layout's SELECT reaches neither files nor the network, changes nothing, and ends: whatever its SQL says.

Belongs here: hostile SQL, each form in every place where SQL takes a query; SQL that takes or gives too much.
Does not: files that are mutated (test_fuzz.py), wrong declarations (test_layouts_matching.py).
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dagster_project.lib.base import engine
from dagster_project.lib.intake.layouts import extraction
from dagster_project.lib.intake.layouts.declaration import Layout, LayoutError, read_layout
from dagster_project.lib.intake.layouts.extraction import run_sql

EXAMPLES = int(os.environ.get("CRADLE_HOSTILE_LAYOUTS", "60"))
SECRET = "hidden-by-another"
FILE = pl.DataFrame({"_file_id": [1], "_sheet": [""], "_row": [1], "place": ["Elm"], "rate": ["1"]})
READ = "select _file_id, _sheet, _row, place from file"
REACHING = (
    "select * from '{file}'",
    "select * from read_csv('{file}')",
    "select * from read_csv_auto(['{file}'], all_varchar = true)",
    "select * from read_text('{folder}/*')",
    "select content::varchar as content from read_blob('{file}')",
    "select * from read_json_auto('{file}')",
    "select * from read_json_objects('{file}')",
    "select * from read_ndjson('{file}')",
    "select * from sniff_csv('{file}')",
    "select * from glob('{folder}/*')",
    "select * from parquet_scan('{file}')",
    "select * from parquet_metadata('{file}')",
    "select * from read_duckdb('{file}')",
    "select * from query('select * from ''{file}''')",
    "select * from query_table('{file}')",
    "select * from read_parquet('http://127.0.0.1:{port}/x.parquet')",
    "select * from read_csv('https://127.0.0.1:{port}/x.csv')",
    "select * from 's3://127.0.0.1:{port}/x.csv'",
    "select * from postgres_scan('host=127.0.0.1 port={port}', 'public', 'x')",
    "select * from sqlite_scan('{file}', 'x')",
    "select getenv('CRADLE_HOSTILE') as told",
    "select * from SECRET_FRAME",
)
CHANGING = (
    "copy (select 1) to '{folder}/written.csv'",
    "attach '{folder}/written.db' as other",
    "install httpfs",
    "load httpfs",
    "export database '{folder}/written'",
    "import database '{folder}'",
    "set enable_external_access = true",
    "reset enable_external_access",
    "set lock_configuration = false",
    "set memory_limit = '900GB'",
    "pragma enable_profiling = 'json'",
    "set profile_output = '{folder}/written.json'",
    "create or replace macro plain(printed) as 'all'",
    "create or replace table file as select 1",
    "create persistent secret (type s3, key_id 'a', secret 'b')",
    "call pragma_database_size()",
    "checkpoint",
)
PLACED = (
    "{query}",
    "with taken as ({query}) select * from taken",
    "select * from file, ({query}) as taken",
    "select _file_id, (select min(columns(*))::varchar from ({query})) as place from file",
    "select * from file where exists ({query})",
    "select file.*, taken.* from file left join lateral ({query}) as taken on true",
    "({query}) union all by name (" + READ + ")",
    "select * from file semi join ({query}) as taken on true",
)
SECRET_FRAME = pl.DataFrame({"place": [SECRET]})
"""A frame of this process: the engine may read variables of Python that stand around a query."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a file of somebody else in it."""
    place = tmp_path_factory.mktemp("others")
    (place / "secret.csv").write_text(f"place\n{SECRET}\n", encoding="utf-8")
    return place


@pytest.fixture(scope="module")
def ear() -> Iterator[socket.socket]:
    """Who would hear a query that calls out."""
    with socket.create_server(("127.0.0.1", 0)) as ear:
        ear.setblocking(False)
        yield ear


def layout(folder: Path, sql: str) -> Layout:
    facts = ["id: own", "version: 1", "table: indicator_values", "describes: own", "required: [Place, Rate]"]
    path = folder.parent / "own.sql"
    path.write_text("".join(f"-- {line}\n" for line in ["---", *facts, "---"]) + sql, encoding="utf-8")
    return read_layout(path)


def answer(own: Layout, connection: engine.Connection) -> str:
    """What the SQL gives, as text; the error where it is refused."""
    SECRET_FRAME = pl.DataFrame({"place": [SECRET]})  # noqa: N806, F841  (beside the query, where the engine looks)
    try:
        return str(run_sql(own, FILE, connection).to_dicts())
    except LayoutError as failure:
        assert "\n" not in str(failure)
        return f"refused: {failure}"


def heard(ear: socket.socket) -> bool:
    try:
        ear.accept()[0].close()
    except BlockingIOError:
        return False
    return True


@settings(max_examples=EXAMPLES, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(REACHING), st.lists(st.sampled_from(PLACED), min_size=1, max_size=3))
def test_no_query_reads_a_file_a_variable_a_setting_or_the_network(
    folder: Path, ear: socket.socket, monkeypatch: pytest.MonkeyPatch, reaching: str, placed: list[str]
) -> None:
    monkeypatch.setenv("CRADLE_HOSTILE", SECRET)
    query = reaching.format(file=folder / "secret.csv", folder=folder, port=ear.getsockname()[1])
    for place in placed:
        query = place.format(query=query)
    with engine.memory(threads=1, closed_in=True) as connection:
        assert SECRET not in answer(layout(folder, query), connection)
    assert [path.name for path in folder.iterdir()] == ["secret.csv"]
    assert not heard(ear)


@settings(max_examples=EXAMPLES, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from((*CHANGING, READ)), min_size=1, max_size=3).filter(lambda found: found != [READ]))
def test_no_layout_does_anything_but_one_select(folder: Path, statements: list[str]) -> None:
    sql = ";\n".join(statements).format(folder=folder)
    with engine.memory(threads=1, closed_in=True) as connection:
        assert answer(layout(folder, sql), connection).startswith("refused: own.sql")
        assert answer(layout(folder, READ), connection) == str(FILE.drop("rate").to_dicts()), "the next one finds all"
        assert connection.execute("select current_setting('enable_external_access')").fetchone() == (False,)
    assert [path.name for path in folder.iterdir()] == ["secret.csv"]


@pytest.mark.parametrize(
    "sql",
    [
        "select count(*) from range(10000000000) a, range(100000) b",
        "with recursive t as (select 1 as x union all select 1 - x from t) select count(*) from t",
        "select max(regexp_replace(repeat('a', 1000 + range::int % 7), '(a|aa)+$', '')) from range(1000000000)",
    ],
    ids=["too much work", "endless", "patterns"],
)
def test_sql_that_takes_too_long_is_ended_and_named(folder: Path, monkeypatch: pytest.MonkeyPatch, sql: str) -> None:
    monkeypatch.setattr(extraction, "SECONDS", 0.5)
    began = time.process_time()
    with engine.memory(threads=1, closed_in=True) as connection:
        told = answer(layout(folder, sql), connection)
        assert "own.sql: it takes longer than 0.5 seconds" in told
        assert SECRET not in answer(layout(folder, READ), connection), "the connection is as it was"
    assert time.process_time() - began < 30


@pytest.mark.parametrize(
    ("sql", "limit"),
    [
        ("select file.* from file, range(100000000000)", "rows"),
        ("select repeat(place, 1000) as place from file, range(900)", "bytes"),
    ],
    ids=["product", "long texts"],
)
def test_sql_that_gives_too_much_is_ended_and_named(
    folder: Path, monkeypatch: pytest.MonkeyPatch, sql: str, limit: str
) -> None:
    monkeypatch.setattr(extraction, "BYTES", 2**20)
    monkeypatch.setattr(extraction, "SECONDS", 20)
    with engine.memory(threads=1, closed_in=True) as connection:
        told = answer(layout(folder, sql), connection)
    assert "own.sql: it gives more than" in told and limit in told


def test_sql_that_takes_too_much_memory_is_refused(folder: Path) -> None:
    with engine.memory(threads=1, closed_in=True) as connection:
        told = answer(layout(folder, "select list(range) as place from range(10000000000)"), connection)
    assert "memory" in told.lower()
