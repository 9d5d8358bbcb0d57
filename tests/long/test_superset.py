"""A real Superset takes the dashboard in and shows what the marts hold, over DuckDB and over PostgreSQL.

Belongs here: what its API and its page answer after the command that a user types; what it is refused.
Does not: the bundle's files (tests/structure/test_bi_bundle.py), every metric (tests/integration/test_metrics.py).
"""

from __future__ import annotations

import http.client
import json
import os
import secrets
import subprocess
import sys
import time
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from dagster_project.lib.base.reference import Reference
from dagster_project.lib.warehouse.dbt_run import MANIFEST
from dagster_project.lib.warehouse.declared import declared_marts
from tests.integration.conftest import EXAMPLE_TODAY, HEADER, Run, lines, run, small_drop, small_seeds
from tests.integration.postgres_server import free_port, running_server
from tests.support import PROJECT, clean_environment, cradle, current

ENVIRONMENT = Path(os.environ.get("SUPERSET_ENVIRONMENT") or PROJECT / ".superset")
USER, PASSWORD = "keeper", "of-this-test-alone"
PATIENCE_SECONDS = 300
RATE = "sum(numerator_once)::double / sum(denominator_once)"
BOTH = "numerator_once is not null and denominator_once is not null and geography_level = 'community'"
POOLED = f"marts.fct_indicator_value join marts.dim_indicator as i using (indicator_id) where poolable and {BOTH}"
YEAR_END = "epoch_ms(make_date(reporting_year, 12, 31)::timestamp)"

# What each chart shows, asked of the marts by hand.
BY_HAND = {
    "Rates of the network by school year": (
        f"select epoch_ms(make_date(school_year, 6, 30)::timestamp), i.name, {RATE} from {POOLED} "
        "and period = 'annual' and population_group_id = 'all' and i.role = 'core' group by 1, 2"
    ),
    "Graduation by economic status": (
        f"select epoch_ms(make_date(school_year, 6, 30)::timestamp), case population_group_id "
        "when 'economic_status:yes' then 'Economically disadvantaged' else 'Not economically disadvantaged' end, "
        f"{RATE} from {POOLED} and period = 'annual' and indicator_id = 'graduation_4yr_pct' "
        "and population_group_id in ('economic_status:yes', 'economic_status:no') group by 1, 2"
    ),
    "Where submissions stand": (
        f"select {YEAR_END}, label, count(*)::double from marts.fct_submission_status as s "
        "join marts.dim_status as w on w.domain = 'submission_status' and w.status = s.status group by 1, 2"
    ),
    "Submission rate": (
        f"select {YEAR_END}, count(*) filter (status in ('accepted', 'accepted_with_queries')) / count(*) "
        "from marts.fct_submission_status where is_due group by 1"
    ),
    "Validity": (
        f"select {YEAR_END}, sum(rows_accepted) / nullif(sum(rows_accepted + rows_rejected), 0) "
        "from marts.fct_submission_status group by 1"
    ),
    "Outcomes by trend": (
        "select outcome_name, label, count(*)::double from marts.rpt_outcome_status_current "
        "join marts.dim_status on domain = 'outcome_trend' and status = trend_status group by 1, 2"
    ),
    "Share of outcomes with gaps reduced": (
        f"select {YEAR_END}, name, share_gap_reduced from marts.fct_network_outcome "
        "join marts.dim_outcome using (outcome_id)"
    ),
    "Verdicts by community and outcome": (
        "select community_name, state, outcome_name, t.label, r.label, g.label from marts.rpt_outcome_status_current "
        "join marts.dim_status as t on t.domain = 'outcome_trend' and t.status = trend_status "
        "left join marts.dim_status as r on r.domain = 'outcome_reason' and r.status = reason "
        "join marts.dim_status as g on g.domain = 'gap_verdict' and g.status = gap_reduced"
    ),
}


@dataclass
class Superset:
    """A running Superset, and a token of its only user."""

    port: int
    settings: dict[str, str]
    token: str = ""
    cookie: str = ""

    @property
    def address(self) -> str:
        """Where its pages are."""
        return f"http://127.0.0.1:{self.port}"

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        """One question of its API: the status and the JSON that came back."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_SECONDS)
        headers |= {"Authorization": f"Bearer {self.token}"} if self.token else {}
        headers |= {"Cookie": self.cookie} if self.cookie else {}
        if body is not None:
            headers["Content-Type"] = "application/json"
        connection.request(method, path, None if body is None else json.dumps(body), headers)
        answer = connection.getresponse()
        told = answer.read()
        self.cookie = (answer.getheader("Set-Cookie") or self.cookie).partition(";")[0]
        connection.close()
        is_json = "json" in (answer.getheader("Content-Type") or "")
        return answer.status, json.loads(told) if is_json else told

    def get(self, path: str) -> Any:
        """What a path holds; a fault if it is refused."""
        status, told = self.ask("GET", path)
        assert status == 200, told
        return told

    def load(self, home: Path, on: str, postgres: str = "") -> None:
        """The command that a user types."""
        own = {"CRADLE_HOME": str(home), "CRADLE_SEEDS": str(PROJECT / "seeds")}
        if postgres:
            own["CRADLE_POSTGRES_URL"] = postgres
        command = [sys.executable, "-m", "bi.load", "--superset", str(ENVIRONMENT), "--on", on, "--user", USER]
        done = subprocess.run(
            command, cwd=PROJECT, env=clean_environment() | self.settings | own, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr

    def charts(self) -> dict[str, list[tuple[Any, ...]]]:
        """The rows of every chart by its title."""
        found = {}
        for chart in self.get("/api/v1/chart/?q=(page_size:100)")["result"]:
            (answer,) = self.get(f"/api/v1/chart/{chart['id']}/data/")["result"]
            found[chart["slice_name"]] = [tuple(row.values()) for row in answer["data"]]
        return found

    def run_sql(self, sql: str) -> tuple[int, Any]:
        """A query as its editor sends it."""
        (database,) = self.get("/api/v1/database/")["result"]
        body = {"database_id": database["id"], "sql": sql, "schema": "marts", "runAsync": False}
        form = self.get("/api/v1/security/csrf_token/")["result"]
        return self.ask("POST", "/api/v1/sqllab/execute/", body, **{"X-CSRFToken": form})


@pytest.fixture(scope="module")
def program() -> Path:
    """Superset's command. It is no system package: where it is not installed the test skips, loudly, in CI as well."""
    found = ENVIRONMENT / "bin" / "superset"
    if not found.is_file():
        message = "Superset is not installed; `make superset-env` installs it: this test did not run"
        warnings.warn(pytest.PytestWarning(message), stacklevel=2)
        pytest.skip(message)
    return found


@pytest.fixture(scope="module")
def superset(program: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Superset]:
    folder = tmp_path_factory.mktemp("superset")
    settings = {
        "SUPERSET_HOME": str(folder),
        "SUPERSET_SECRET_KEY": secrets.token_urlsafe(40),
        "SUPERSET_CONFIG_PATH": str(PROJECT / "bi" / "superset_config.py"),
        "SCARF_ANALYTICS": "false",
        "FLASK_APP": "superset",
    }
    admin = [
        "--username",
        USER,
        "--firstname",
        "K",
        "--lastname",
        "K",
        "--email",
        "k@localhost",
        "--password",
        PASSWORD,
    ]
    for arguments in (["db", "upgrade"], ["fab", "create-admin", *admin], ["init"]):
        done = subprocess.run(
            [program, *arguments], env=clean_environment() | settings, capture_output=True, text=True, cwd=folder
        )
        assert done.returncode == 0, done.stderr
    with serving(program, folder, Superset(free_port(), settings)) as found:
        yield found


@contextmanager
def serving(program: Path, folder: Path, superset: Superset) -> Iterator[Superset]:
    """Its server on loopback until it is no longer needed."""
    command = [program, "run", "-h", "127.0.0.1", "-p", str(superset.port)]
    with (folder / "said").open("wb") as said:
        server = subprocess.Popen(
            command, env=clean_environment() | superset.settings, stdout=said, stderr=said, cwd=folder
        )
    try:
        give_up = time.monotonic() + PATIENCE_SECONDS
        while not is_up(superset):
            assert server.poll() is None and time.monotonic() < give_up, (folder / "said").read_text()
            time.sleep(0.2)
        login = {"username": USER, "password": PASSWORD, "provider": "db"}
        superset.token = superset.ask("POST", "/api/v1/security/login", login)[1]["access_token"]
        yield superset
    finally:
        server.terminate()
        server.wait()


def is_up(superset: Superset) -> bool:
    try:
        return superset.ask("GET", "/health")[0] == 200
    except OSError:
        return False


@pytest.fixture(scope="module")
def home(program: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("shown")
    small_drop(folder / "home" / "drop")
    return run(folder / "home", small_seeds(folder / "seeds"), EXAMPLE_TODAY)


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with running_server() as url:
        yield url


def rounded(rows: list[tuple[Any, ...]]) -> Counter[tuple[Any, ...]]:
    """Rows in any order, numbers to ten digits, without those that have no figure."""
    return Counter(
        tuple(f"{float(v):.10g}" if isinstance(v, (int, float)) and not isinstance(v, bool) else v for v in row)
        for row in rows
        if row[-1] is not None
    )


def same_as_the_marts(superset: Superset, home: Path) -> None:
    shown, release = superset.charts(), current(home)
    assert shown.keys() == BY_HAND.keys()
    for name, query in BY_HAND.items():
        expected = rounded(release.rows(query))
        assert expected, name
        assert rounded(shown[name]) == expected, name


def test_over_duckdb_every_chart_shows_what_the_marts_hold_and_the_next_release_when_there_is_one(
    superset: Superset, home: Run
) -> None:
    superset.load(home.home, "duckdb")
    same_as_the_marts(superset, home.home)
    before = superset.charts()
    values = HEADER + lines("graduation_4yr_pct", {2018: (10, 90)})
    (home.home / "drop" / "reedmere" / "2018" / "graduation.csv").write_text(values, encoding="utf-8")
    settings = {"CRADLE_HOME": home.home, "CRADLE_SEEDS": home.seeds, "CRADLE_TODAY": EXAMPLE_TODAY}
    done = cradle("run", **settings, CRADLE_SETTLE_SECONDS="0")
    assert done.returncode == 0, done.stderr
    assert current(home.home).folder != home.release.folder
    same_as_the_marts(superset, home.home)
    assert superset.charts() != before


def test_over_duckdb_nothing_can_be_written(superset: Superset, home: Run) -> None:
    superset.load(home.home, "duckdb")
    assert superset.run_sql("select count(*) as n from marts.fct_trend")[0] == 200
    for statement in ("create table marts.own as select 1", "delete from marts.fct_trend"):
        status, told = superset.run_sql(statement)
        assert status >= 400, told


def test_over_the_server_every_chart_shows_what_the_marts_hold_to_a_role_that_reads_alone(
    superset: Superset, home: Run, server: str
) -> None:
    settings = {"CRADLE_HOME": home.home, "CRADLE_SEEDS": home.seeds, "CRADLE_TODAY": EXAMPLE_TODAY}
    done = cradle("run", **settings, CRADLE_POSTGRES_URL=server)
    assert done.returncode == 0, done.stderr
    superset.load(home.home, "postgres", server)
    same_as_the_marts(superset, home.home)
    # The login of this test may do anything; the role that it takes may not look at whose logins there are.
    status, told = superset.run_sql("select count(*) as n from bi_access.member_login")
    assert status >= 400 and "permission denied" in str(told)
    for statement in ("create table public.own (id int)", "delete from marts.fct_trend"):
        assert superset.run_sql(statement)[0] >= 400


INTROSPECTED = """
import json, sys, sqlalchemy
engine = sqlalchemy.create_engine(f"duckdb:///{sys.argv[1]}", connect_args={"read_only": True})
seen = sqlalchemy.inspect(engine)
told = {
    name: [
        seen.get_table_comment(name, "marts")["text"],
        {column["name"]: column["comment"] for column in seen.get_columns(name, "marts")},
    ]
    for name in seen.get_table_names("marts")
}
print(json.dumps(told))
"""


def test_the_driver_of_released_files_shows_meanings_keys_and_relations(program: Path, home: Run) -> None:
    """Superset's driver for DuckDB: the file states keys and relations in its comments and enforces none."""
    file = home.home / "publish" / "current.duckdb"
    command = [program.with_name("python"), "-I", "-c", INTROSPECTED, file]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    seen = json.loads(done.stdout.splitlines()[-1])
    words = declared_marts(MANIFEST, Reference(home.seeds))
    assert seen == {
        name: [told.comment, {column.name: column.comment for column in told.columns}] for name, told in words.items()
    }


def test_columns_and_metrics_carry_labels_and_meanings(superset: Superset, home: Run) -> None:
    superset.load(home.home, "duckdb")
    tables = superset.get("/api/v1/dataset/?q=(page_size:100)")["result"]
    assert len(tables) == 13
    for table in tables:
        told = superset.get(f"/api/v1/dataset/{table['id']}")["result"]
        for column in (*told["columns"], *told["metrics"]):
            assert column["verbose_name"] and column["description"], (told["table_name"], column)


def test_the_page_draws_every_chart_and_asks_nobody_else(superset: Superset, home: Run) -> None:
    from playwright.sync_api import expect, sync_playwright

    superset.load(home.home, "duckdb")
    [(first,)] = current(home.home).rows("select min(community_name) from marts.rpt_outcome_status_current")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1500, "height": 2400})
        answered: set[str] = set()
        page.on("response", lambda response: answered.add(response.url.split("/")[2]))
        page.goto(f"{superset.address}/login/")
        page.fill("#username", USER)
        page.fill("#password", PASSWORD)
        page.keyboard.press("Enter")
        page.wait_for_url("**/welcome/**", timeout=PATIENCE_SECONDS * 1000)
        page.goto(f"{superset.address}/superset/dashboard/cradle-network/")
        patience = PATIENCE_SECONDS * 1000
        expect(page.locator(".slice_container canvas")).to_have_count(7, timeout=patience)
        # A table of Superset is two: its head, which stays, and its rows.
        rows = page.locator(".slice_container").filter(has=page.locator("table")).last
        expect(rows).to_contain_text(first, timeout=patience)
        assert not page.locator(".ant-alert-error").count()
        browser.close()
    assert {host for host in answered if host} == {f"127.0.0.1:{superset.port}"}
