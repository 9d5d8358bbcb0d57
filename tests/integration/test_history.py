"""Dagster's history in SQLite: what a batch leaves, what an error leaves, who may write and read beside it.

Belongs here: the storage that dagster.yaml names, against Dagster's own one. Does not: what intake says of a partition,
old runs (test_orchestration.py), a daemon (tests/browser).
"""

import atexit
import inspect
import os
import shutil
import sqlite3
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster import EventLogEntry
from dagster._core.events import DagsterEvent
from dagster._core.storage.event_log import SqliteEventLogStorage
from dagster._core.storage.sqlite_storage import DagsterSqliteStorage

from benchmarks._homes import history
from dagster_project.instance.history import KEPT_FILES, KeptEvents, KeptRuns, KeptSchedules, KeptSqlite
from dagster_project.instance.marks import BATCH, Marks, takes_batches, write_in_batches
from dagster_project.settings import PROJECT_ROOT

ASSET = dg.AssetKey(["lake", "submissions"])
OTHER = dg.AssetKey(["drop", "files"])
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
write_in_batches()


def make_home(folder: Path) -> Path:
    folder.mkdir()
    shutil.copyfile(PROJECT_ROOT / "dagster.yaml", folder / "dagster.yaml")
    return folder


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = make_home(tmp_path / "dagster")
    monkeypatch.setenv("DAGSTER_HOME", str(folder))
    return folder


@pytest.fixture
def instance(home: Path) -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.get() as kept:
        yield kept


def said(number: int, asset: dg.AssetKey = ASSET) -> dg.AssetMaterialization:
    tags = {"dagster/data_version": f"version {number}"}
    return dg.AssetMaterialization(asset, partition=f"p{number}", metadata={"rows": number}, tags=tags)


def run(instance: dg.DagsterInstance, compute: Any) -> dg.ExecuteInProcessResult:
    @dg.op(name="marking", out=dg.Out(dg.Nothing))
    def marking(context: dg.OpExecutionContext) -> None:
        compute(context)

    @dg.job(name="marks")
    def marks() -> None:
        marking()

    return marks.execute_in_process(instance=instance, run_config=QUIET, raise_on_error=False)


def by_batch(context: dg.OpExecutionContext) -> None:
    with Marks(context) as marks:
        for number in range(BATCH + 50):
            marks.add(said(number, OTHER if number % 7 == 0 else ASSET))


def one_by_one(context: dg.OpExecutionContext) -> None:
    for number in range(BATCH + 50):
        context.log_event(said(number, OTHER if number % 7 == 0 else ASSET))


def stored(home: Path, run_id: str) -> dict[str, list[tuple[Any, ...]]]:
    """What the files hold of materializations, leaving out times and what names the run."""
    found = {}
    history = home / "history" / "runs"
    event = "dagster_event_type, asset_key, partition, step_key"
    only = "from event_logs where dagster_event_type = 'ASSET_MATERIALIZATION' order by id"
    queries = {
        run_id: [f"select {event} {only}"],
        "index": [
            f"select {event} {only}",
            f"select json_extract(event, '$.dagster_event.event_specific_data.materialization.tags') {only}",
            "select asset_key, key, value, event_id from asset_event_tags order by event_id, key",
            "select asset_key, json_extract(last_materialization, '$.dagster_event.event_specific_data.materialization"
            ".partition') from asset_keys order by asset_key",
        ],
    }
    for shard, asked in queries.items():
        with sqlite3.connect(history / f"{shard}.db") as connection:
            for number, query in enumerate(asked):
                name = f"{'index' if shard == 'index' else 'run'} {number}"
                found[name] = connection.execute(query).fetchall()
        connection.close()
    return found


def test_a_batch_leaves_what_single_events_leave(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    left = []
    for name, compute in (("batch", by_batch), ("single", one_by_one)):
        home = make_home(tmp_path / name)
        monkeypatch.setenv("DAGSTER_HOME", str(home))
        with dg.DagsterInstance.get() as instance:
            result = run(instance, compute)
            assert result.success
            assert len(instance.get_materialized_partitions(ASSET)) == len([n for n in range(BATCH + 50) if n % 7])
            newest = instance.fetch_materializations(ASSET, limit=1).records[0].asset_materialization
            assert newest is not None and newest.metadata["rows"].value == BATCH + 49
        left.append(stored(home, result.run_id))
    assert left[0] == left[1]
    assert all(left[0].values()), "every query found something to compare"


def test_a_batch_is_one_transaction_of_each_file(instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []
    one = KeptEvents.store_event_batch

    def counted(self: KeptEvents, events: Sequence[EventLogEntry]) -> None:
        sizes.append(len(events))
        one(self, events)

    monkeypatch.setattr(KeptEvents, "store_event_batch", counted)
    assert run(instance, by_batch).success
    assert sizes[-2:] == [BATCH, 50]


def test_a_batch_that_breaks_leaves_nothing_of_it_and_its_events_are_stored_singly(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    one, calls = KeptEvents.store_event, []

    def breaks_once(self: KeptEvents, event: EventLogEntry) -> None:
        if event.dagster_event and event.dagster_event.is_step_materialization:
            calls.append(event)
            if len(calls) == 5:
                raise OSError("the disk is full")
        one(self, event)

    monkeypatch.setattr(KeptEvents, "store_event", breaks_once)
    result = run(instance, by_batch)
    assert result.success and "the disk is full" in capfd.readouterr().err
    marked = [*instance.get_materialized_partitions(ASSET), *instance.get_materialized_partitions(OTHER)]
    assert sorted(marked) == sorted(f"p{number}" for number in range(BATCH + 50))
    logged = [entry for entry in instance.all_logs(result.run_id) if _marks(entry)]
    assert len(logged) == BATCH + 50, "none is there twice"


def test_what_was_gathered_is_logged_when_the_work_breaks(instance: dg.DagsterInstance) -> None:
    def breaks(context: dg.OpExecutionContext) -> None:
        with Marks(context) as marks:
            for number in range(3):
                marks.add(said(number))
            raise dg.Failure("the work broke")

    assert not run(instance, breaks).success
    assert sorted(instance.get_materialized_partitions(ASSET)) == ["p0", "p1", "p2"]


def test_the_settings_name_this_storage_at_the_places_of_dagsters_own(home: Path, instance: dg.DagsterInstance) -> None:
    assert isinstance(instance.event_log_storage, KeptEvents)
    assert isinstance(instance.run_storage, KeptRuns)
    assert isinstance(instance.schedule_storage, KeptSchedules)
    result = run(instance, by_batch)
    (home / "dagster.yaml").write_text("telemetry:\n  enabled: false\n", encoding="utf-8")
    with dg.DagsterInstance.get() as usual:
        assert not isinstance(usual.event_log_storage, KeptEvents)
        kept = usual.get_run_by_id(result.run_id)
        assert kept is not None and kept.status == dg.DagsterRunStatus.SUCCESS
        assert usual.get_materialized_partitions(ASSET) == instance.get_materialized_partitions(ASSET)


def test_more_runs_than_files_kept_open_are_all_readable(home: Path, instance: dg.DagsterInstance) -> None:
    runs = [run(instance, lambda context: context.log_event(said(1))).run_id for _ in range(KEPT_FILES + 2)]
    for _ in range(2):
        assert all(instance.all_logs(run_id) for run_id in runs)
    # The listing's own descriptor is closed by now, so not every link leads somewhere.
    opened = {str(link.resolve()) for link in Path("/proc/self/fd").iterdir()}
    shards = {path for path in opened if path.startswith(f"{home}/history/runs/") and path.endswith(".db")}
    assert 0 < len(shards) <= KEPT_FILES


def test_two_that_write_at_once_wait_for_each_other(home: Path, instance: dg.DagsterInstance) -> None:
    entries = [entry for entry in instance.all_logs(run(instance, by_batch).run_id) if _marks(entry)]

    def write(_: int) -> None:
        with dg.DagsterInstance.get() as own:
            for _ in range(5):
                own.event_log_storage.store_event_batch(entries)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(write, range(2)))
    records = [r for asset in (ASSET, OTHER) for r in instance.fetch_materializations(asset, limit=5000).records]
    assert len(records) == 11 * (BATCH + 50)


def test_two_that_make_a_home_at_once_make_one(home: Path) -> None:
    def make(_: int) -> bool:
        with dg.DagsterInstance.get() as own:
            return own.is_persistent and not own.get_runs()

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(make, range(4)))


def test_a_measurement_reads_the_history_of_the_home_it_names(
    home: Path, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(instance, lambda context: context.log_event(said(1)))
    monkeypatch.setenv("DAGSTER_HOME", "elsewhere")
    with history(home.parent) as read:
        assert [found.job_name for found in read.get_runs()] == ["marks"]
    assert os.environ["DAGSTER_HOME"] == "elsewhere"


def _marks(entry: EventLogEntry) -> bool:
    return bool(entry.dagster_event and entry.dagster_event.is_step_materialization)


def test_the_stock_storage_is_given_the_same_marks_one_by_one(home: Path) -> None:
    """The switch of docs/operations.md: without `storage`, Dagster keeps its history itself, slower."""
    (home / "dagster.yaml").write_text("telemetry:\n  enabled: false\n", encoding="utf-8")
    with dg.DagsterInstance.get() as usual:
        assert not takes_batches(usual)
        assert run(usual, by_batch).success
        marked = [*usual.get_materialized_partitions(ASSET), *usual.get_materialized_partitions(OTHER)]
        assert sorted(marked) == sorted(f"p{number}" for number in range(BATCH + 50))


def test_dagster_still_offers_what_the_history_builds_on() -> None:
    """What is private in Dagster may change with any version: this names what did, before a run finds out."""
    wanted = {
        DagsterEvent.asset_materialization: ["step_context", "materialization", "batch_metadata"],
        SqliteEventLogStorage.__init__: ["self", "base_dir", "inst_data"],
        SqliteEventLogStorage.run_connection: ["self", "run_id"],
        SqliteEventLogStorage.index_connection: ["self"],
        SqliteEventLogStorage.conn_string_for_shard: ["self", "shard_name"],
        SqliteEventLogStorage.store_event: ["self", "event"],
        SqliteEventLogStorage.has_table: ["self", "table_name"],
    }
    found = {function: list(inspect.signature(function).parameters) for function in wanted}
    hint = "without `storage` in dagster.yaml Dagster keeps its history itself (docs/operations.md)"
    for function, names in wanted.items():
        assert found[function][: len(names)] == names, f"{function.__qualname__} takes {found[function]}; {hint}"


def test_opening_the_history_once_more_leaves_no_more_behind_than_dagsters_own_storage_does(tmp_path: Path) -> None:
    def left(storage: type[DagsterSqliteStorage], name: str) -> int:
        opened = [storage(str(tmp_path / name)) for _ in range(3)]  # The first one makes the files.
        before = atexit._ncallbacks()
        opened.append(storage(str(tmp_path / name)))
        after = atexit._ncallbacks()
        for each in opened:
            each.dispose()
        return int(after - before)

    for name in ("own", "kept"):
        (tmp_path / name).mkdir()
    assert left(KeptSqlite, "kept") <= left(DagsterSqliteStorage, "own")
