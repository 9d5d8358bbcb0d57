"""Running Dagster's jobs from this process, with the history kept in its instance.

Belongs here: the instance, the home's lock, the end of old runs, one call a job, one sentence for a failed run.
Does not: how history is stored (instance/history.py), what the jobs do (defs/), what the user sees of it (cli/main.py).
"""

from __future__ import annotations

import datetime as dt
import fcntl
import logging
import os
import re
import shutil
import sqlite3
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from functools import lru_cache
from io import FileIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dagster_project.lib.base.reference import Reference
from dagster_project.lib.base.shown import visible
from dagster_project.lib.base.store import make_private, remove_whole
from dagster_project.lib.intake.bucket.plan import Selection
from dagster_project.settings import PROJECT_ROOT, Settings

if TYPE_CHECKING:
    import dagster as dg

DAMAGED_HISTORY = ("file is not a database", "malformed")  # what SQLite says of a file that is not whole
ERROR_CLASS = re.compile(r"^[\w.]+(?:Error|Failure|Exception): ")
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
STARTED_BY = "cradle/started_by"
COMMAND_LINE = "command line"
INTAKE = "the intake before it"
SQLITE_SECONDS = 60
ANOTHER = "another run"
HOLDER_BYTES = 200


class RunFailedError(RuntimeError):
    """A job failed; the message is the step's own error in one line."""


# --- One writer ----------------------------------------------------------------------------------------------------

_own = threading.RLock()
_held: dict[str, int] = {}


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


@contextmanager
def only_one(settings: Settings, tell: Callable[[str], None] = _say, who: str = "") -> Iterator[None]:
    """Hold the home's lock: a second run of this machine waits for the first instead of failing.

    Every run that writes holds it, whoever started it; a process that holds it may take it again. The operating
    system lets go of it when the process dies. The file names its holder (`who`, else the command of this process);
    `tell` is given one line if another holds it now, and one if the last holder died without letting go.
    """
    settings.home.mkdir(parents=True, exist_ok=True)
    make_private(settings.work)
    path = str(settings.home / ".lock")
    with _own:
        if _held.get(path):
            _held[path] += 1
            try:
                yield
            finally:
                _held[path] -= 1
            return
        with Path(path).open("a+b", buffering=0) as handle:
            if not _try_lock(handle.fileno()):
                tell(f"{_holder(handle) or ANOTHER} writes this home; waiting for it to end")
                fcntl.flock(handle, fcntl.LOCK_EX)
            if dead := _holder(handle):
                tell(f"{dead} ended without a word while it wrote this home; the next run goes on from there")
            _held[path] = 1
            try:
                _name_holder(handle, f"{who or _command()} (process {os.getpid()})")
                yield
            finally:
                _held[path] = 0
                _name_holder(handle, "")
                fcntl.flock(handle, fcntl.LOCK_UN)


def _holder(lock: FileIO) -> str:
    lock.seek(0)
    return visible(lock.read(HOLDER_BYTES).decode("utf-8", "replace").strip())


def _name_holder(lock: FileIO, name: str) -> None:
    lock.truncate(0)
    lock.write(name.encode("utf-8", "replace"))


def _command() -> str:
    """What this process is, as it was typed: the program and its command, no values that were given."""
    program, *arguments = sys.argv
    return " ".join([Path(program).name, *(word for word in arguments[:1] if word.isalpha())])


def somebody_writes(settings: Settings) -> bool:
    """Whether a run of this machine holds the home's lock at this moment."""
    path = settings.home / ".lock"
    if not path.exists():
        return False
    with path.open("r") as handle:
        if not _try_lock(handle.fileno()):
            return True
        fcntl.flock(handle, fcntl.LOCK_UN)
        return False


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


# --- History -------------------------------------------------------------------------------------------------------


def forget_runs(instance: dg.DagsterInstance, settings: Settings, jobs: Sequence[str], now: dt.datetime) -> list[str]:
    """Delete finished runs of these jobs that are older than the settings keep them, with their events; their ids.

    The newest run that succeeded of each job stays, so that every asset keeps its last word. Where history lies in
    SQLite, deleting rows gives no room back: a run's own file and its captured output go as well.
    """
    import dagster as dg

    if not settings.runs_kept_days:
        return []
    ended = [dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED]
    before = now - dt.timedelta(days=settings.runs_kept_days)
    forgotten = []
    for job in jobs:
        newest = instance.get_runs(dg.RunsFilter(job_name=job, statuses=ended[:1]), limit=1)
        old = instance.get_runs(dg.RunsFilter(job_name=job, statuses=ended, created_before=before))
        forgotten += [run.run_id for run in old if run.run_id not in {run.run_id for run in newest}]
    for run_id in forgotten:
        # What a run printed goes first: where it cannot go, its record stays and names it the next time.
        remove_whole(settings.dagster_home / "storage" / run_id)
        instance.delete_run(run_id)
        _remove_own_file(settings.dagster_home, run_id)
    return forgotten


def forget_these(settings: Settings, run_ids: Sequence[str]) -> list[str]:
    """Delete these runs with their events and captured output, whatever their age; the ids of those there were.

    What an event said of a partition may quote the file that it was made from. SQLite keeps deleted rows in its file
    until it is written anew, so that is done as well.
    """
    import dagster as dg

    prepare_dagster_home(settings)
    # What cannot go stops this before anything of the history is gone: the same command then finds all of it again.
    for run_id in run_ids:
        remove_whole(settings.dagster_home / "storage" / run_id)
    with dg.DagsterInstance.get() as instance:
        there = [run_id for run_id in run_ids if instance.has_run(run_id)]
        for run_id in there:
            instance.delete_run(run_id)
    for run_id in run_ids:
        _remove_own_file(settings.dagster_home, run_id)
    if there:
        for path in (settings.dagster_home / "history" / "runs.db", settings.dagster_home / "history/runs/index.db"):
            if path.is_file():
                with closing(sqlite3.connect(path, timeout=SQLITE_SECONDS)) as connection:
                    connection.execute("vacuum")
                    connection.execute("pragma wal_checkpoint(truncate)")
    return there


def _remove_own_file(home: Path, run_id: str) -> None:
    own = home / "history" / "runs" / f"{run_id}.db"
    for path in own.parent.glob(f"{own.name}*"):
        path.unlink(missing_ok=True)


def prepare_dagster_home(settings: Settings) -> None:
    """Make Dagster's home with the project's own dagster.yaml (no telemetry, no first-visit dialog)."""
    home = settings.dagster_home
    make_private(home)
    if not (home / "dagster.yaml").exists():
        shutil.copyfile(PROJECT_ROOT / "dagster.yaml", home / "dagster.yaml")
    os.environ["DAGSTER_HOME"] = str(home)


# --- Jobs ----------------------------------------------------------------------------------------------------------


def selection_config(selection: Selection, *, build: bool = False, **further: int) -> dict[str, Any]:
    """The job config of a selection; `further` settings of the job by their names.

    build: run the job `build` behind it, in the same process.
    """
    config = {
        "communities": sorted(selection.communities or ()),
        "years": sorted(selection.years or ()),
        "again": selection.again,
        "accept_withdrawals": selection.accept_withdrawals,
        **further,
    }
    behind = {"build_behind": {"config": {"build": True}}} if build else {}
    return {"ops": {"take_folders": {"config": config}, **behind}}


def run_job(settings: Settings, name: str, config: Mapping[str, Any] | None = None) -> str:
    """Run one job in this process and return its run id; RunFailedError with the first failing step's error."""
    prepare_dagster_home(settings)
    from sqlalchemy.exc import DatabaseError

    try:
        return _run_job(settings, name, config)
    except DatabaseError as error:
        said = str(error.orig)
        if not any(sign in said for sign in DAMAGED_HISTORY):
            raise
        raise RunFailedError(
            f"Dagster's history below {settings.dagster_home} is damaged ({said}); cradle doctor names the file. Move "
            "its folder away: the record of runs is lost, no data and no figure is"
        ) from error


def _run_job(settings: Settings, name: str, config: Mapping[str, Any] | None) -> str:
    import dagster as dg

    logging.getLogger("dagster").setLevel(logging.CRITICAL)
    with only_one(settings), dg.DagsterInstance.get() as instance:
        close_dead_runs(instance)
        return run_in_process(settings, instance, name, COMMAND_LINE, config)


def run_in_process(
    settings: Settings,
    instance: dg.DagsterInstance,
    name: str,
    started_by: str,
    config: Mapping[str, Any] | None = None,
) -> str:
    """Run one job in this process and its instance, while it holds the home's lock; RunFailedError where it fails.

    KeyboardInterrupt where somebody ended it, so that what it runs in ends as well and is told as ended.
    """
    job = _definitions(settings, Reference(settings.seeds).fingerprint()).resolve_job_def(name)
    result = job.execute_in_process(
        instance=instance,
        run_config={**QUIET, **(config or {})},
        # Who started it decides whether it runs again: the person at the terminal, or the next look at the bucket.
        tags={STARTED_BY: started_by, "dagster/max_retries": "0"},
        raise_on_error=False,
    )
    if not result.success:
        if _is_ended(result):
            raise KeyboardInterrupt
        raise RunFailedError(_reason(result))
    return str(result.run_id)


def _is_ended(result: Any) -> bool:
    """Whether somebody ended the run: by Ctrl-C, or by ending the run in whose process it ran."""
    from dagster._core.execution.plan.objects import ErrorSource

    failed = (event.step_failure_data for event in result.all_events if event.is_step_failure)
    return any(data.error_source is ErrorSource.INTERRUPT for data in failed)


@lru_cache(maxsize=1)
def _definitions(settings: Settings, seeds: str) -> dg.Definitions:
    """The definitions, loaded once for all jobs of a command: they depend on its settings and on the seeds."""
    from dagster_project.definitions import defs

    return defs()


def close_dead_runs(instance: dg.DagsterInstance) -> list[str]:
    """Mark runs that their process died with, of the command line or behind an intake, as failed; return their ids.

    Call it while holding the home's lock: such a run exists only while its process holds it. Left alone, a dead run
    would count as a running writer for ever, and every queued run would wait for it.
    """
    import dagster as dg

    unfinished = [dg.DagsterRunStatus.NOT_STARTED, dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED]
    dead = instance.get_runs(dg.RunsFilter(tags={STARTED_BY: [COMMAND_LINE, INTAKE]}, statuses=unfinished))
    for run in dead:
        instance.report_run_failed(run, "Its process ended without a word; what it wrote is whole, run again.")
    return [run.run_id for run in dead]


def _reason(result: Any) -> str:
    for event in result.all_events:
        if event.is_step_failure:
            error = event.event_specific_data.error
            while error is not None and error.cause is not None:
                error = error.cause
            lines = (error.message if error else "failed").strip().splitlines()
            # The class of the error is for programmers; the sentence behind it is for the reader.
            return f"step {event.step_key}: {ERROR_CLASS.sub('', lines[0])}"
    return "the run failed before its first step"
