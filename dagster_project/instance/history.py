"""Dagster's history in SQLite: its files kept open, and many partitions marked in one transaction.

Belongs here: the storage that dagster.yaml names, on classes that Dagster calls its own: no other module imports them.
Does not: which runs there are (runs.py), gathering what belongs together (marks.py), PostgreSQL (it has its own).
"""

from __future__ import annotations

import fcntl
import threading
import uuid
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

import dagster as dg
import sqlalchemy
from dagster._core.events import DagsterEvent, DagsterEventBatchMetadata
from dagster._core.events.log import EventLogEntry
from dagster._core.storage.event_log import SqliteEventLogStorage
from dagster._core.storage.runs import SqliteRunStorage
from dagster._core.storage.schedules import SqliteScheduleStorage
from dagster._core.storage.sqlite_storage import DagsterSqliteStorage
from dagster._serdes import ConfigurableClassData
from sqlalchemy.engine import Connection, Engine

BUSY_SECONDS = 60
KEPT_FILES = 8
"""Files kept open in one process: a webserver looks at many runs, each with a file of its own."""
INDEX = "index"


class _Files:
    """One engine for each SQLite file; of too many, the one used longest ago is closed.

    Dagster makes an engine for every event, opens the file and closes it: closing the last connection writes the
    journal back and waits for the disk, and so does each commit. Here files stay open, and commits wait for the disk at
    checkpoints only: after a power cut the last events may be missing, the file is whole.
    """

    def __init__(self) -> None:
        self._engines: OrderedDict[str, Engine] = OrderedDict()
        self._lock = threading.Lock()

    @contextmanager
    def connection(self, url: str) -> Iterator[Connection]:
        """A connection in a transaction, committed at the end, rolled back by an error."""
        with self._engine(url).begin() as connection:
            yield connection

    def _engine(self, url: str) -> Engine:
        with self._lock:
            engine = self._engines.get(url)
            if engine is None:
                engine = sqlalchemy.create_engine(url, max_overflow=-1, connect_args={"timeout": BUSY_SECONDS})
                sqlalchemy.event.listen(engine, "connect", _wait_at_checkpoints_only)
                self._engines[url] = engine
            self._engines.move_to_end(url)
            while len(self._engines) > KEPT_FILES:
                self._engines.popitem(last=False)[1].dispose()
            return engine

    def close(self, url: str | None = None) -> None:
        """Close one file, or all of them."""
        with self._lock:
            for one in list(self._engines) if url is None else [url]:
                engine = self._engines.pop(one, None)
                if engine is not None:
                    engine.dispose()


def _wait_at_checkpoints_only(connection: Any, _record: Any) -> None:
    connection.execute("pragma synchronous = normal")


class _KeptFile:
    """What storages with a single file share: the connection that its queries ask for."""

    _conn_string: str

    @cached_property
    def _files(self) -> _Files:
        return _Files()

    @contextmanager
    def connect(self) -> Iterator[Connection]:
        """A connection in a transaction."""
        with self._files.connection(self._conn_string) as connection:
            yield connection

    def dispose(self) -> None:
        """Close the file."""
        self._files.close()


class KeptRuns(_KeptFile, SqliteRunStorage):
    """Dagster's runs in SQLite, the file kept open."""


class KeptSchedules(_KeptFile, SqliteScheduleStorage):
    """Dagster's ticks of schedules and sensors in SQLite, the file kept open."""


class KeptEvents(SqliteEventLogStorage):
    """Dagster's events in SQLite, the files kept open, a batch of events written in one transaction."""

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        self._files = _Files()
        self._made: set[str] = set()
        self._tables: set[str] = set()
        self._batch = threading.local()
        super().__init__(base_dir, inst_data)

    def run_connection(self, run_id: str | None = None) -> AbstractContextManager[Connection]:
        """A connection to the file of one run, in a transaction."""
        return self._shard(run_id or "", super().run_connection(run_id))

    def index_connection(self) -> AbstractContextManager[Connection]:
        """A connection to the file that all runs share, in a transaction."""
        return self._shard(INDEX, super().index_connection())

    @contextmanager
    def _shard(self, name: str, making: AbstractContextManager[Connection]) -> Iterator[Connection]:
        held: Mapping[str, Connection] = getattr(self._batch, "held", {})
        if name in held:
            yield held[name]
            return
        if name not in self._made:
            # Dagster's own connection makes the file and its tables.
            with making:
                self._made.add(name)
        with self._files.connection(self.conn_string_for_shard(name)) as connection:
            yield connection

    def has_table(self, table_name: str) -> bool:
        """Whether the index has a table. Asked for each event with tags; what is there once stays."""
        if table_name not in self._tables and super().has_table(table_name):
            self._tables.add(table_name)
        return table_name in self._tables

    def store_event_batch(self, events: Sequence[EventLogEntry]) -> None:
        """Store events as they would be stored one by one, in one transaction of each file."""
        with ExitStack() as stack:
            held = {
                run_id: stack.enter_context(self.run_connection(run_id))
                for run_id in {event.run_id for event in events}
            }
            self._batch.held = {**held, INDEX: stack.enter_context(self.index_connection())}
            stack.callback(setattr, self._batch, "held", {})
            for event in events:
                self.store_event(event)

    def delete_events(self, run_id: str) -> None:
        """Delete the events of a run and let go of its file."""
        super().delete_events(run_id)
        self._files.close(self.conn_string_for_shard(run_id))
        self._made.discard(run_id)

    def dispose(self) -> None:
        """Close every file."""
        super().dispose()
        self._files.close()


class KeptSqlite(DagsterSqliteStorage):
    """Dagster's SQLite storage at the usual places below `base_dir`, with files that stay open."""

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        base = Path(base_dir)
        # Two processes that start in a new home must not make the same tables side by side.
        with (base / ".making").open("w") as making:
            fcntl.flock(making, fcntl.LOCK_EX)
            # Past the parent, which would open three storages of its own: Dagster opens this one anew for every look of
            # a sensor, and each opened file leaves something behind that lives as long as the process.
            super(DagsterSqliteStorage, self).__init__()  # type: ignore[no-untyped-call]
            self.base_dir, self._inst_data = base_dir, inst_data
            self._run_storage = KeptRuns.from_local(f"{base / 'history'}/")
            self._event_log_storage = KeptEvents(f"{base / 'history' / 'runs'}/")
            self._schedule_storage = KeptSchedules.from_local(str(base / "schedules"))

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData, config_value: Any) -> KeptSqlite:
        """The storage as dagster.yaml configures it (its parent names itself here, not its class)."""
        return cls.from_local(inst_data=inst_data, **config_value)


def log_together(context: dg.OpExecutionContext, materializations: Sequence[dg.AssetMaterialization]) -> None:
    """Log materializations of a step as one batch, which this storage writes in one transaction of each file."""
    # The context that Dagster hands to authors of integrations; events can be told their batch only here.
    step = context.get_step_execution_context()
    batch = str(uuid.uuid4())
    for number, materialization in enumerate(materializations, start=1):
        last = number == len(materializations)
        DagsterEvent.asset_materialization(step, materialization, DagsterEventBatchMetadata(batch, last))
