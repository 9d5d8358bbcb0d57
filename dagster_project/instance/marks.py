"""Marks of many partitions of an asset, gathered and logged in batches where the history can write them so.

Belongs here: gathering materializations of a step, and the choice between a batch and Dagster's own public call.
Does not: how a batch is stored (history.py), what is said of a partition (defs/intake.py).
"""

from __future__ import annotations

import os
from typing import Self

import dagster as dg

BATCH = 100
"""Events written in one transaction at most."""
HISTORY = "dagster_project.instance.history"
DATA_VERSION = "dagster/data_version"


def write_in_batches() -> None:
    """Let Dagster gather events that belong together, here and in what it logs by itself; for this process."""
    os.environ.setdefault("DAGSTER_EVENT_BATCH_SIZE", str(BATCH))


def takes_batches(instance: dg.DagsterInstance) -> bool:
    """Whether the instance keeps its events in the project's own storage; any other loses speed only."""
    return any(kind.__module__ == HISTORY for kind in type(instance.event_log_storage).__mro__)


def runs_that_marked(instance: dg.DagsterInstance, asset: dg.AssetKey, partition: str, data_version: str) -> list[str]:
    """Ids of the runs whose marks of a partition speak of that data version, the newest first."""
    only, found, cursor = dg.AssetRecordsFilter(asset, asset_partitions=[partition]), [], None
    while True:
        page = instance.fetch_materializations(only, limit=BATCH, cursor=cursor)
        for record in page.records:
            mark = record.asset_materialization
            if mark is not None and (mark.tags or {}).get(DATA_VERSION) == data_version:
                found.append(record.run_id)
        if not page.has_more:
            return list(dict.fromkeys(found))
        cursor = page.cursor


class Marks:
    """Materializations of a step, logged in batches (`context.log_event` writes each by itself).

    Used as a context: at its end, reached by an error too, what was gathered is logged. Where `dagster.yaml` names
    another storage than the project's own, each is logged by Dagster's public call.
    """

    def __init__(self, context: dg.OpExecutionContext) -> None:
        self._context = context
        self._batches = takes_batches(context.instance)
        self._gathered: list[dg.AssetMaterialization] = []

    def add(self, materialization: dg.AssetMaterialization) -> None:
        """Gather one, and log when there are enough."""
        self._gathered.append(materialization)
        if len(self._gathered) == BATCH:
            self.log()

    def log(self) -> None:
        """Log what was gathered."""
        gathered, self._gathered = self._gathered, []
        if self._batches:
            from dagster_project.instance.history import log_together

            log_together(self._context, gathered)
            return
        for materialization in gathered:
            self._context.log_event(materialization)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.log()
