"""A warehouse of one's own for a measurement: the environment that points at it, and Dagster's history of its runs.

Belongs here: what several measurements need to run commands over a home and to ask afterwards what happened there.
Does not: making the files of a home (examples/generate.py), or measuring.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dagster import DagsterInstance


def environment(home: Path, today: str, **settings: str | Path) -> dict[str, str]:
    """This process's environment with the settings of one home and no other setting of the warehouse or of Dagster."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("CRADLE_", "DAGSTER_"))}
    own = {"CRADLE_HOME": home, "CRADLE_TODAY": today, "DAGSTER_HOME": home / "dagster"}
    return kept | {name: str(value) for name, value in (own | settings).items()}


@contextmanager
def history(home: Path) -> Iterator[DagsterInstance]:
    """Dagster's history of a home, read by this process."""
    from dagster import DagsterInstance  # imported late: a measurement may time what must not share its cost

    before = os.environ.get("DAGSTER_HOME")
    os.environ["DAGSTER_HOME"] = str(home / "dagster")  # dagster.yaml names its storage's folder by this setting.
    try:
        with DagsterInstance.get() as instance:
            yield instance
    finally:
        os.environ.pop("DAGSTER_HOME")
        if before is not None:
            os.environ["DAGSTER_HOME"] = before
