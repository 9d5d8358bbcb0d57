"""The PostgreSQL server holds what is current, says what it means, and shows each login what it may see.

Belongs here: what `cradle run` loads, introspection, rights, readers during a swap, failures.
Does not: statements of SQL by themselves (tests/unit/publish/test_server_forms.py), figures.
"""

from __future__ import annotations

import re
import shutil
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import psycopg
import pyarrow.parquet as pq
import pytest
import sqlalchemy
import yaml

from benchmarks.readers import measure, places
from dagster_project.lib.base.reference import Reference
from dagster_project.lib.publish.public.declared import declared_public
from dagster_project.lib.publish.release.dictionary import questions
from dagster_project.lib.publish.server.loading import ROLES, Load, Server, ServerError
from dagster_project.lib.warehouse.dbt_run import MANIFEST
from dagster_project.lib.warehouse.declared import ColumnWords, TableWords, declared_marts
from tests.integration.conftest import EXAMPLE_TODAY, Run
from tests.integration.postgres_server import free_port, running_server
from tests.support import Published, current, unresolved
from tests.warm import warm_cradle

SECRET = "correct-horse"
OWN = "quill_harbor"


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with running_server() as url:
        yield url


class Served:
    """A home whose releases a server holds."""

    def __init__(self, home: Path, seeds: Path, url: str) -> None:
        self.url = url
        self.settings = {"CRADLE_HOME": home, "CRADLE_SEEDS": seeds, "CRADLE_TODAY": EXAMPLE_TODAY}
        self.internal = current(home)
        public = home / "public"
        self.public = Published(public / "releases" / (public / "current").read_text().strip())

    def database(self, schema: str) -> Path:
        return self.public.folder / "public.duckdb" if schema == "public_marts" else self.internal.folder / INTERNAL

    def tables(self, schema: str) -> list[dict[str, Any]]:
        tables: list[dict[str, Any]] = self.released(schema).manifest["tables"]
        return tables

    def released(self, schema: str) -> Published:
        return self.public if schema == "public_marts" else self.internal

    def words(self, schema: str) -> dict[str, TableWords]:
        public = schema == "public_marts"
        told = declared_marts(MANIFEST, Reference(Path(self.settings["CRADLE_SEEDS"])), public=public)
        return declared_public(told) if public else told


INTERNAL = "internal.duckdb"
NOTHING_WAITS = "Which labels wait for a line of a crosswalk?"


@pytest.fixture(scope="module")
def served(first_run: Run, server: str, tmp_path_factory: pytest.TempPathFactory) -> Served:
    home = tmp_path_factory.mktemp("served") / "home"
    shutil.copytree(first_run.home, home)
    found = Served(home, first_run.seeds, server)
    # Logins of members, as an administrator makes them after the first load made the roles.
    done = warm_cradle("run", **found.settings, CRADLE_POSTGRES_URL=_with_password(server))
    assert done.returncode == 0, done.stderr
    assert SECRET not in done.stdout + done.stderr
    assert "Server   schema marts" in done.stdout and "Server   schema public_marts" in done.stdout
    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute("create role harbor login in role bi_member")
        admin.execute("create role nobody_known login in role bi_member")
        admin.execute("create role analyst login in role bi_internal")
        admin.execute("create role reader login in role bi_public")
        admin.execute("insert into bi_access.member_login values ('harbor', %s)", [OWN])
    return found


def _with_password(url: str) -> str:
    """The address as production has it; this server asks for none."""
    return url.replace("keeper@", f"keeper:{SECRET}@")


def login(url: str, name: str) -> psycopg.Connection[Any]:
    return psycopg.connect(url.replace("keeper@", f"{name}@"), autocommit=True)


def rows_of(connection: Any, table: str, columns: list[str]) -> list[str]:
    listed = ", ".join(f'"{column}"' for column in columns)
    return sorted(repr(row) for row in connection.execute(f"select {listed} from {table}").fetchall())


@pytest.mark.parametrize("schema", ["marts", "public_marts"])
def test_the_server_holds_every_row_of_the_release(served: Served, schema: str) -> None:
    with psycopg.connect(served.url) as there, duckdb.connect(str(served.database(schema)), read_only=True) as here:
        for table in served.tables(schema):
            name = table["name"]
            columns = [row[0] for row in here.execute(f'describe marts."{name}"').fetchall()]
            assert rows_of(there, f'{schema}."{name}"', columns) == rows_of(here, f'marts."{name}"', columns), name


@pytest.mark.parametrize("schema", ["marts", "public_marts"])
def test_introspection_shows_meanings_keys_and_relations(served: Served, schema: str) -> None:
    engine = sqlalchemy.create_engine(served.url.replace("postgresql://", "postgresql+psycopg://"))
    words = served.words(schema)
    try:
        seen = sqlalchemy.inspect(engine)
        tables = served.tables(schema)
        assert sorted(seen.get_table_names(schema)) == sorted(table["name"] for table in tables)
        for table in tables:
            name, told = table["name"], words[table["name"]]
            assert seen.get_pk_constraint(name, schema)["constrained_columns"] == table["key"]
            assert seen.get_table_comment(name, schema)["text"] == told.comment
            comments = {column.name: column.comment for column in told.columns}
            for column in seen.get_columns(name, schema):
                if column["name"] in comments:
                    assert column["comment"] == comments[column["name"]], (name, column["name"])
        fields = [
            (tuple(key["constrained_columns"]), key["referred_table"], key["referred_schema"])
            for key in seen.get_foreign_keys("fct_trend", schema)
        ]
        assert (("community_id",), "dim_community", schema) in fields
        assert (("community_id", "geography_id"), "dim_geography", schema) in fields
    finally:
        engine.dispose()


def test_the_released_file_shows_the_same_meanings_and_keys(served: Served) -> None:
    for schema in ("marts", "public_marts"):
        with (
            psycopg.connect(served.url) as there,
            duckdb.connect(str(served.database(schema)), read_only=True) as here,
        ):
            asked = (
                "select table_name, column_name, col_description(format('%I.%I', table_schema, table_name)::regclass, "
                f"ordinal_position) from information_schema.columns where table_schema = '{schema}'"
            )
            found = here.execute("select table_name, column_name, comment from duckdb_columns() where not internal")
            told = {row for row in found.fetchall() if row[2] is not None}
            assert {row for row in there.execute(asked).fetchall() if row[2] is not None} <= told
            keys = here.execute("select table_name, comment from duckdb_tables() where schema_name = 'marts'")
            assert all("Key: " in comment for _, comment in keys.fetchall())


@pytest.mark.parametrize("schema", ["marts", "public_marts"])
def test_every_released_column_is_declared_with_its_type_and_holds_declared_words_alone(
    served: Served, schema: str
) -> None:
    words = served.words(schema)
    with duckdb.connect(str(served.database(schema)), read_only=True) as here:
        for table in served.tables(schema):
            told = words[table["name"]]
            place = f'marts."{told.name}"'
            types = {row[0]: row[1].lower() for row in here.execute(f"describe {place}").fetchall()}
            assert types == {column.name: column.data_type for column in told.columns}, told.name
            assert list(told.key) == table["key"] and all(column.description for column in told.columns)
            for column in told.columns:
                if column.words:
                    asked = f'select distinct cast("{column.name}" as varchar) from {place}'
                    held = {row[0] for row in here.execute(asked).fetchall()} - {None}
                    assert held <= set(column.words), (told.name, column.name)


def test_parquet_files_say_what_their_columns_mean(served: Served) -> None:
    words = served.words("public_marts")
    files = sorted((served.public.folder / "parquet").glob("*.parquet"))
    assert len(files) == len(words)
    for file in files:
        schema, told = pq.read_schema(file), words[file.stem]
        meant = {field.name: (field.metadata or {}).get(b"description", b"").decode() for field in schema}
        assert meant == {column.name: column.comment for column in told.columns}
        assert schema.metadata[b"description"].decode() == told.comment
        assert schema.metadata[b"key"].decode() == ", ".join(told.key)


@pytest.mark.parametrize("schema", ["marts", "public_marts"])
def test_each_release_holds_its_own_dictionary_and_contract(served: Served, schema: str) -> None:
    folder = served.released(schema).folder / "dictionary"
    promised = yaml.safe_load((folder / "marts.odcs.yaml").read_text(encoding="utf-8"))
    stated = {table["name"]: [column["name"] for column in table["properties"]] for table in promised["schema"]}
    page = (folder / "marts.md").read_text(encoding="utf-8")
    with duckdb.connect(str(served.database(schema)), read_only=True) as here:
        held = {
            table["name"]: [row[0] for row in here.execute(f'describe marts."{table["name"]}"').fetchall()]
            for table in served.tables(schema)
        }
        assert stated == held
        assert all(f"### {name}\n" in page for name in held)
        searched = (folder / "index.html").read_text(encoding="utf-8")
        assert re.findall(r'<section id="((?!words-)\w+)"', searched) == sorted(held)
        listed = questions(held)
        assert all(question.sql in page for question in listed)
        for question in listed:
            here.execute(question.sql)


def test_twenty_questions_are_each_one_table_or_one_join_and_have_an_answer(served: Served) -> None:
    found = questions()
    assert len(found) == 20
    with duckdb.connect(str(served.database("marts")), read_only=True) as here, psycopg.connect(served.url) as there:
        answers = {}
        for question in found:
            joins = question.sql.count(" join ")
            assert joins <= 1 and len(question.tables) == joins + 1 and "(select" not in question.sql
            answers[question.words] = here.execute(question.sql).fetchall()
            assert len(answers[question.words]) == len(there.execute(question.sql).fetchall())
        # Every label of this network is known.
        assert [words for words, rows in answers.items() if not rows] == [NOTHING_WAITS]


def test_a_member_sees_its_own_community_and_no_other(served: Served) -> None:
    with login(served.url, "harbor") as member, psycopg.connect(served.url) as admin:
        asked = "select table_name from information_schema.columns where table_schema = 'marts' and column_name = %s"
        tables = [row[0] for row in admin.execute(asked, ["community_id"]).fetchall()]
        assert len(tables) > 20
        n_own = 0
        for name in tables:
            seen = member.execute(f"select community_id, count(*) from marts.{name} group by 1").fetchall()
            own = admin.execute(f"select count(*) from marts.{name} where community_id = %s", [OWN]).fetchone()
            assert dict(seen) == ({OWN: own[0]} if own and own[0] else {}), name
            n_own += own[0] if own else 0
        assert n_own > 100
        assert member.execute("select count(*) from marts.dim_indicator").fetchone() != (0,)
        assert member.execute("select count(distinct community_id) from public_marts.dim_community").fetchone() != (1,)
        for closed in ("marts.fct_network_trend", "bi_access.member_login"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                member.execute(f"select * from {closed}")
    with login(served.url, "nobody_known") as unknown:
        assert unknown.execute("select count(*) from marts.fct_indicator_value").fetchone() == (0,)


def test_a_public_reader_sees_the_public_edition_alone(served: Served) -> None:
    with login(served.url, "reader") as reader:
        assert reader.execute("select count(*) from public_marts.dim_community").fetchone() != (0,)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            reader.execute("select count(*) from marts.dim_community")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            reader.execute("delete from public_marts.dim_community")


def test_the_data_team_sees_all_rows_and_changes_none(served: Served) -> None:
    with login(served.url, "analyst") as analyst, psycopg.connect(served.url) as admin:
        counted = "select count(*), count(distinct community_id) from marts.fct_indicator_value"
        assert analyst.execute(counted).fetchone() == admin.execute(counted).fetchone()
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            analyst.execute("update marts.dim_community set name = 'x'")


@pytest.mark.parametrize("schema", ["marts", "public_marts"])
def test_every_stated_relation_has_its_row(served: Served, schema: str) -> None:
    assert unresolved(served.database(schema), served.words(schema)) == []
    if schema == "marts":
        own = "select distinct community_id from marts.fct_submission_file where folder = '_network'"
        assert served.internal.rows(own) == [(None,)]


def test_what_is_there_already_is_not_loaded_again(served: Served) -> None:
    oid = "select 'marts.fct_trend'::regclass::oid"
    with psycopg.connect(served.url, autocommit=True) as admin:
        before = admin.execute(oid).fetchone()
        assert warm_cradle("run", **served.settings, CRADLE_POSTGRES_URL=served.url).returncode == 0
        assert admin.execute(oid).fetchone() == before


def test_doctor_says_what_the_server_holds(served: Served) -> None:
    said = warm_cradle("doctor", **served.settings, CRADLE_POSTGRES_URL=_with_password(served.url)).stdout
    assert f"schema marts: {served.internal.manifest['release_id']}" in said
    assert SECRET not in said


def test_the_password_of_the_server_is_nowhere_below_the_home_that_loaded_it(served: Served) -> None:
    home = Path(served.settings["CRADLE_HOME"])
    files = [path for path in home.rglob("*") if path.is_file()]
    assert any("dagster" in path.relative_to(home).parts for path in files), "what Dagster keeps is looked at too"
    assert not [path for path in files if SECRET.encode() in path.read_bytes()]


def test_a_server_that_does_not_answer_leaves_the_release_and_says_so_in_one_line(served: Served) -> None:
    url = f"postgresql://keeper:{SECRET}@127.0.0.1:{free_port()}/postgres"
    done = warm_cradle("run", **served.settings, CRADLE_POSTGRES_URL=url)
    assert done.returncode == 1
    message, hint = done.stderr.strip().splitlines()[-2:]
    assert message.startswith("cradle: the releases stand, the PostgreSQL server was not loaded") and "hint" in hint
    assert SECRET not in done.stdout + done.stderr and "Traceback" not in done.stderr
    assert current(Path(served.settings["CRADLE_HOME"])).folder == served.internal.folder
    examined = warm_cradle("doctor", **served.settings, CRADLE_POSTGRES_URL=url)
    assert examined.returncode == 1 and "BAD  PostgreSQL" in examined.stdout and SECRET not in examined.stdout


FAILING = """
create function no_room() returns event_trigger language plpgsql as
$$ begin raise exception 'could not extend file: No space left on device'; end $$;
create event trigger no_room on ddl_command_end when tag in ('CREATE INDEX') execute function no_room();
comment on schema marts is 'Something that a load is due for.'
"""


def test_a_server_that_fails_with_half_the_rows_in_it_keeps_what_it_held_and_the_release_stands(served: Served) -> None:
    """The server has every row and refuses an index, as one whose disk is full does."""
    count = "select count(*) from marts.fct_trend"
    with psycopg.connect(served.url, autocommit=True) as admin:
        before = admin.execute(count).fetchone()
        admin.execute(FAILING)
        try:
            done = warm_cradle("run", **served.settings, CRADLE_POSTGRES_URL=served.url)
        finally:
            admin.execute("drop event trigger no_room; drop function no_room")
        assert done.returncode == 1
        message = done.stderr.strip().splitlines()[-2]
        assert message.startswith("cradle: the releases stand, the PostgreSQL server was not loaded")
        assert "No space left on device" in message and "Traceback" not in done.stderr
        assert current(Path(served.settings["CRADLE_HOME"])).folder == served.internal.folder
        assert admin.execute(count).fetchone() == before
        # The next run tries again and leaves nothing of the failed load.
        assert warm_cradle("run", **served.settings, CRADLE_POSTGRES_URL=served.url).returncode == 0
        assert admin.execute(count).fetchone() == before
        assert admin.execute("select to_regnamespace('marts_next')").fetchone() == (None,)


def test_readers_of_all_three_places_meet_no_error(served: Served) -> None:
    """The short form of `python -m benchmarks.readers`: what it measures is asked, and is answered."""
    asked = places(Path(served.settings["CRADLE_HOME"]), served.url)
    found = measure(asked, 6, lambda: time.sleep(2), pause=0.1)
    assert set(found) == {place.name for place in asked} and len(found) == 3
    assert all(answers.seconds and not answers.errors for answers in found.values()), found


def test_lists_of_communities_are_arrays_on_the_server_and_lists_in_files(served: Served) -> None:
    with psycopg.connect(served.url) as there:
        kinds = "select pg_typeof(communities_entered)::text from marts.fct_network_trend limit 1"
        assert there.execute(kinds).fetchone() == ("text[]",)
    with duckdb.connect(str(served.database("marts")), read_only=True) as here:
        ((entered,),) = here.execute("select max(len(communities_entered)) from marts.fct_network_trend").fetchall()
    assert entered > 1


def test_what_is_withdrawn_does_not_stay_on_the_server(served: Served, tmp_path: Path) -> None:
    """Last in this module but for made-up releases: it empties the schema."""
    home = tmp_path / "home"
    shutil.copytree(served.settings["CRADLE_HOME"], home)
    settings = {**served.settings, "CRADLE_HOME": home, "CRADLE_POSTGRES_URL": served.url}
    done = warm_cradle("release", "withdraw", "current", "--reason", "a wrong count", **settings)
    assert done.returncode == 0, done.stderr
    with psycopg.connect(served.url) as admin:
        left = admin.execute("select count(*) from pg_tables where schemaname = 'marts'").fetchone()
        assert left == (0,)
    # The public edition of it is taken down by its own id.
    assert warm_cradle("public", **served.settings, CRADLE_POSTGRES_URL=served.url).returncode == 0
    with psycopg.connect(served.url) as admin:
        assert admin.execute("select count(*) from marts.dim_community").fetchone() != (0,)


# --- Made-up releases ----------------------------------------------------------------------------------------------

TWO = ("dim_one", "dim_two")


def made_up(folder: Path, release_id: str, rows: int = 9) -> Load:
    """A release of two tables that both say which release they are of."""
    database = folder / f"{release_id}.duckdb"
    with duckdb.connect(str(database)) as connection:
        connection.execute("create schema marts")
        for name in TWO:
            connection.execute(
                f"create table marts.{name} as select range as id, '{release_id}' as release from range({rows})"
            )
    return Load("marts", release_id, database, dict.fromkeys(TWO, ("id",)), dict[str, TableWords]())


@pytest.fixture
def releases(server: str, tmp_path: Path) -> Iterator[tuple[Server, Load, Load]]:
    old, new = made_up(tmp_path, "old"), made_up(tmp_path, "new")
    made = Server(server)
    made.load(old)
    yield made, old, new


def read_both(reader: psycopg.Connection[Any]) -> list[str]:
    with reader.transaction():
        return [
            row[0] for name in TWO for row in reader.execute(f"select distinct release from marts.{name}").fetchall()
        ]


def test_readers_during_swaps_see_one_release(releases: tuple[Server, Load, Load]) -> None:
    server, old, new = releases
    over = threading.Event()

    def read() -> list[list[str]]:
        found = []
        with psycopg.connect(server.url) as reader:
            while not over.is_set():
                found.append(read_both(reader))
        return found

    with ThreadPoolExecutor(8) as pool:
        readers = [pool.submit(read) for _ in range(8)]
        try:
            for load in (new, old, new):
                assert server.load(load).is_new
        finally:
            over.set()
        seen = [pair for reader in readers for pair in reader.result()]
    assert {tuple(pair) for pair in seen} == {("old", "old"), ("new", "new")}


def test_a_reader_between_two_tables_keeps_its_release(releases: tuple[Server, Load, Load]) -> None:
    server, _, new = releases
    waits = (
        "select count(*) from pg_locks where not granted or mode = 'AccessExclusiveLock' and relation = %s::regclass"
    )
    with psycopg.connect(server.url) as reader, psycopg.connect(server.url, autocommit=True) as watcher:
        assert reader.execute("select distinct release from marts.dim_one").fetchall() == [("old",)]
        with ThreadPoolExecutor(1) as pool:
            loading = pool.submit(server.load, new)
            while watcher.execute(waits, ["marts.dim_one"]).fetchone() == (0,):
                assert not loading.done()
            assert reader.execute("select distinct release from marts.dim_two").fetchall() == [("old",)]
            assert not loading.done()
            reader.commit()
            assert loading.result().is_new
        assert read_both(reader) == ["new", "new"]


FILLING = "select pid from pg_stat_progress_copy"
SWAPPING = "select pid from pg_locks where not granted"


@pytest.mark.parametrize(("moment", "rows"), [(FILLING, 1_000_000), (SWAPPING, 9)], ids=["filling", "swapping"])
def test_a_connection_cut_while_another_release_is_loaded_leaves_the_old_one_whole_and_the_next_load_brings_it(
    releases: tuple[Server, Load, Load], tmp_path: Path, moment: str, rows: int
) -> None:
    server, old, _ = releases
    other = made_up(tmp_path, "other", rows)
    with psycopg.connect(server.url) as reader, psycopg.connect(server.url, autocommit=True) as admin:
        # A reader that holds the old tables keeps the swap waiting; the filling waits for nobody.
        assert reader.execute("select distinct release from marts.dim_one").fetchall() == [("old",)]
        with ThreadPoolExecutor(1) as pool:
            loading = pool.submit(server.load, other)
            while not (cut := admin.execute(f"select pg_terminate_backend(pid) from ({moment}) as busy").fetchall()):
                assert not loading.done()
            assert cut == [(True,)]
            with pytest.raises(ServerError):
                loading.result()
        assert reader.execute("select distinct release from marts.dim_two").fetchall() == [("old",)]
        reader.commit()
        assert read_both(reader) == ["old", "old"] and server.loaded()["marts"] == old.release_id
        reader.commit()
        assert server.load(other).is_new
        assert read_both(reader) == ["other", "other"] and server.loaded()["marts"] == "other"


@pytest.mark.parametrize(
    ("made", "kind"),
    [
        ("create view public.mine as select * from marts.dim_one", "view public.mine"),
        ("create view marts.mine as select * from marts.dim_one", "view marts.mine"),
        ("create materialized view public.mine as select * from marts.dim_one", "materialized view public.mine"),
        (
            "create function public.mine() returns setof marts.dim_one language sql as 'select * from marts.dim_one'",
            "function public.mine()",
        ),
        (
            "create function public.mine() returns int language sql begin atomic select 1 from marts.dim_one; end",
            "function public.mine()",
        ),
        ("create table public.mine (id bigint references marts.dim_one (id))", "table public.mine"),
    ],
    ids=["view", "view among the marts", "materialized view", "function of rows", "function", "key"],
)
def test_what_hangs_on_the_marts_is_named_and_nothing_is_lost(
    releases: tuple[Server, Load, Load], made: str, kind: str
) -> None:
    server, _, new = releases
    with psycopg.connect(server.url, autocommit=True) as admin:
        admin.execute(made)
        try:
            with pytest.raises(ServerError, match=r"views, functions or keys hang on schema marts.*mine"):
                server.load(new)
            assert admin.execute("select distinct release from marts.dim_one").fetchall() == [("old",)]
        finally:
            admin.execute(f"drop {kind}")


@pytest.mark.parametrize("by_administrator", [False, True], ids=["with createrole", "after roles.sql"])
def test_a_loader_needs_no_more_rights_than_the_guide_says(server: str, tmp_path: Path, by_administrator: bool) -> None:
    name = f"loader_{by_administrator}".lower()
    own = server.replace("keeper@", f"{name}@").replace("/postgres", f"/{name}")
    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute(f"create role {name} login {'' if by_administrator else 'createrole'}")
        admin.execute(f"create database {name}")
        admin.execute(f"grant create on database {name} to {name}")
    if by_administrator:
        with psycopg.connect(server.replace("/postgres", f"/{name}"), autocommit=True) as admin:
            admin.execute(ROLES.read_text(encoding="utf-8"))
    for load in (own_rows(tmp_path, "one"), own_rows(tmp_path, "two")):
        assert Server(own).load(load).is_new
    with psycopg.connect(server.replace("/postgres", f"/{name}"), autocommit=True) as admin:
        admin.execute(f"create role member_of_{name} login in role bi_member")
        admin.execute("insert into bi_access.member_login values (%s, 'a_place')", [f"member_of_{name}"])
    with psycopg.connect(own.replace(f"{name}@", f"member_of_{name}@")) as member:
        assert member.execute("select * from marts.dim_one").fetchall() == [("a_place", "two")]
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            member.execute("select * from bi_access.member_login")


def own_rows(folder: Path, release_id: str) -> Load:
    """A release of one table that names communities."""
    database = folder / f"{release_id}.duckdb"
    with duckdb.connect(str(database)) as connection:
        connection.execute("create schema marts")
        values = ", ".join(f"('{place}', '{release_id}')" for place in ("a_place", "another"))
        connection.execute(f"create table marts.dim_one as from (values {values}) as rows (community_id, release)")
    return Load("marts", release_id, database, {"dim_one": ("community_id",)}, dict[str, TableWords]())


def test_what_a_server_refuses_is_told_without_the_pages_of_sql_that_were_sent(server: str, tmp_path: Path) -> None:
    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute("create role weak login")
    with pytest.raises(ServerError) as told:
        Server(server.replace("keeper@", "weak@")).load(own_rows(tmp_path, "weak"))
    assert re.fullmatch(r"(?:IO Error: )?ERROR: (?:permission denied|must be owner).{0,100}", str(told.value))


def test_a_release_whose_rows_break_a_relation_is_loaded_without_that_relation(server: str, tmp_path: Path) -> None:
    """One of a former version, current again after a withdrawal: what is declared is what this version makes."""
    load = made_up(tmp_path, "former")
    words = {
        name: TableWords(
            name, "Made up.", ("id",), (ColumnWords("id", "bigint", "A number.", refers_to=f"{other}.id"),)
        )
        for name, other in zip(TWO, reversed(TWO), strict=True)
    }
    with duckdb.connect(str(load.database)) as connection:
        connection.execute("insert into marts.dim_one values (9, 'former')")
    Server(server).load(replace(load, words=words))
    own = "contype = 'f' and connamespace = 'marts'::regnamespace"
    asked = f"select conrelid::regclass::text from pg_constraint where {own}"
    with psycopg.connect(server) as admin:
        assert admin.execute(asked).fetchall() == [("marts.dim_two",)]
        assert admin.execute("select count(*) from marts.dim_one").fetchone() == (10,)


def test_a_text_with_a_zero_byte_is_kept_with_a_mark_in_its_place(server: str, tmp_path: Path) -> None:
    load = made_up(tmp_path, "zero")
    with duckdb.connect(str(load.database)) as connection:
        connection.execute("update marts.dim_one set release = 'a' || chr(0) || 'b' where id = 0")
    Server(server).load(load)
    with psycopg.connect(server) as reader:
        found = reader.execute("select release from marts.dim_one where id = 0").fetchone()
    assert found == ("a\N{REPLACEMENT CHARACTER}b",)
