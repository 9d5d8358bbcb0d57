"""kill -9 of Dagster's daemon and of the PostgreSQL server while they work: started again, both end as ever.

Belongs here: servers that die in the middle of a load. Does not: the command that is killed
(tests/integration/test_killed_runs.py), answers that are spoilt (test_machine_faults.py).
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import threading
import time
from contextlib import closing
from pathlib import Path

import dagster as dg
import psycopg
import pytest

from benchmarks._homes import history
from tests.daemons import started, until
from tests.integration.postgres_server import kill_and_start_again, running_server
from tests.long.conftest import Network, ends_in_one_line
from tests.support import PROJECT, cradle, current

KILLS = int(os.environ.get("CRADLE_DAEMON_KILLS", "3"))
SEED = 20181231
PATIENCE_SECONDS = 900
UNFINISHED = [dg.DagsterRunStatus.QUEUED, dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED]
LOADING = "select count(*) from pg_stat_activity where pid <> pg_backend_pid() and query ilike '%%copy%%'"


def test_a_daemon_that_is_killed_in_the_middle_of_its_runs_goes_on_when_it_is_started_again(
    network: Network, tmp_path: Path
) -> None:
    home, chance = network.home(tmp_path / "home"), random.Random(SEED)
    (home / "dagster").mkdir()
    shutil.copyfile(PROJECT / "dagster.yaml", home / "dagster" / "dagster.yaml")
    settings = network.settings(home, DAGSTER_HOME=home / "dagster")
    command = ("dagster-daemon", "run", "-w", str(PROJECT / "workspace.yaml"))
    killed = 0
    for _ in range(KILLS):
        with history(home) as instance, started(home / "daemon.log", *command, **settings) as process:
            until("a run is at work", lambda: _at_work(instance) or _released(home, network), PATIENCE_SECONDS)
            time.sleep(chance.uniform(0, 20))
            killed += _at_work(instance)
            os.killpg(process.pid, signal.SIGKILL)
    assert killed, "a run was at work when the daemon was killed"
    with history(home) as instance, started(home / "daemon.log", *command, **settings):
        until("the release is that of an undisturbed run", lambda: _released(home, network), PATIENCE_SECONDS)
        until("no run is left", lambda: not instance.get_runs_count(dg.RunsFilter(statuses=UNFINISHED)))
    for name in ("verify", "reconcile"):
        done = cradle(name, **network.settings(home))
        assert done.returncode == 0, done.stderr


def _at_work(instance: dg.DagsterInstance) -> bool:
    return instance.get_runs_count(dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTED])) > 0


def _released(home: Path, network: Network) -> bool:
    return (home / "publish" / "current").is_file() and current(home).hashes == network.calm.release.hashes


def test_a_database_server_that_dies_while_it_is_loaded_leaves_the_releases_and_is_loaded_when_it_is_back(
    network: Network, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    shutil.copytree(network.calm.home, home)
    with running_server() as url:
        # The server holds a release; what it is loaded with when it dies is another one.
        assert network.run(home, CRADLE_POSTGRES_URL=url).returncode == 0
        held, values = current(home), home / "drop" / "reedmere" / "2018" / "values.csv"
        values.write_text(values.read_text(encoding="utf-8").replace(",47,80,", ",52,80,"), encoding="utf-8")
        with closing(psycopg.connect(url, autocommit=True)) as watch:
            died = threading.Event()

            def kill_when_loading() -> None:
                end = time.monotonic() + PATIENCE_SECONDS
                while time.monotonic() < end:
                    (busy,) = watch.execute(LOADING).fetchone() or (0,)
                    if busy:
                        kill_and_start_again(url)
                        died.set()
                        return
                    time.sleep(0.005)

            killer = threading.Thread(target=kill_when_loading)
            killer.start()
            done = network.run(home, CRADLE_POSTGRES_URL=url)
            killer.join()
        assert died.is_set(), "the server was killed while it was loaded"
        line = ends_in_one_line(done)
        assert "the PostgreSQL server was not loaded" in line
        before = current(home)
        assert before.hashes != held.hashes, "the release stands, whatever the server does"
        examined = cradle("doctor", **network.settings(home, CRADLE_POSTGRES_URL=url))
        assert f"schema marts: {held.folder.name}" in examined.stdout
        done = network.run(home, CRADLE_POSTGRES_URL=url)
        assert done.returncode == 0, done.stderr
        with psycopg.connect(url) as admin:
            for table in before.manifest["tables"]:
                name = table["name"]
                there = admin.execute(f'select count(*) from marts."{name}"').fetchone()
                assert there == before.rows(f'select count(*) from marts."{name}"')[0], name
        examined = cradle("doctor", **network.settings(home, CRADLE_POSTGRES_URL=url))
        assert f"schema marts: {before.folder.name}" in examined.stdout


@pytest.fixture(autouse=True)
def _nothing_of_the_caller(monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting of the warehouse that this process has is that of a home of these tests."""
    for name in [name for name in os.environ if name.startswith(("CRADLE_", "DAGSTER_"))]:
        monkeypatch.delenv(name)
