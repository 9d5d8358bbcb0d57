"""Running Dagster's jobs from this process, with the history kept in its instance.

Belongs here: the instance, one call a job, and turning a failed run into one sentence.
Does not: what the jobs do (defs/), what the user sees of it (cli.py).
"""

from __future__ import annotations

import fcntl
import logging
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from dagster_project.lib.intake.plan import Selection
from dagster_project.settings import PROJECT_ROOT, Settings

QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


class RunFailedError(RuntimeError):
    """A job failed; the message is the step's own error in one line."""


@contextmanager
def only_one(settings: Settings) -> Iterator[None]:
    """Hold the home's lock: a second run of this machine waits for the first instead of failing."""
    settings.home.mkdir(parents=True, exist_ok=True)
    with (settings.home / ".lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(handle, fcntl.LOCK_UN)


def prepare_dagster_home(settings: Settings) -> None:
    """Make Dagster's home with the project's own dagster.yaml (no telemetry, no first-visit dialog)."""
    home = settings.dagster_home
    home.mkdir(parents=True, exist_ok=True)
    if not (home / "dagster.yaml").exists():
        shutil.copyfile(PROJECT_ROOT / "dagster.yaml", home / "dagster.yaml")
    os.environ["DAGSTER_HOME"] = str(home)


def selection_config(selection: Selection) -> dict[str, Any]:
    """The job config of a selection."""
    config = {
        "communities": sorted(selection.communities or ()),
        "years": sorted(selection.years or ()),
        "again": selection.again,
    }
    return {"ops": {"take_folders": {"config": config}}}


def run_job(settings: Settings, name: str, config: Mapping[str, Any] | None = None) -> str:
    """Run one job in this process and return its run id; RunFailedError with the first failing step's error."""
    prepare_dagster_home(settings)
    import dagster as dg

    from dagster_project.definitions import defs

    logging.getLogger("dagster").setLevel(logging.CRITICAL)
    with dg.DagsterInstance.get() as instance:
        job = defs().resolve_job_def(name)
        result = job.execute_in_process(instance=instance, run_config={**QUIET, **(config or {})}, raise_on_error=False)
        if not result.success:
            raise RunFailedError(_reason(result))
        return str(result.run_id)


def _reason(result: Any) -> str:
    for event in result.all_events:
        if event.is_step_failure:
            error = event.event_specific_data.error
            while error is not None and error.cause is not None:
                error = error.cause
            lines = (error.message if error else "failed").strip().splitlines()
            return f"step {event.step_key}: {lines[0]}"
    return "the run failed before its first step"
