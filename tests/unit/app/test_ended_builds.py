"""A run that somebody ends while dbt is at work ends as ended, not as a fault of dbt.

Belongs here: what is made of an interruption that dbt hands back.
Does not: runs whose process is killed (tests/integration/test_killed_runs.py).
"""

from __future__ import annotations

import pytest
from dagster._core.errors import DagsterExecutionInterruptedError
from dbt.cli.main import dbtRunner, dbtRunnerResult
from dbt.contracts.graph.manifest import Manifest

from dagster_project.lib.warehouse.dbt_run import WarehouseError, _Project

PROJECT = _Project(Manifest(), "", (), (), {})


def hands_back(monkeypatch: pytest.MonkeyPatch, exception: BaseException) -> None:
    monkeypatch.setattr(dbtRunner, "invoke", lambda *_: dbtRunnerResult(success=False, exception=exception))


@pytest.mark.parametrize("ended", [KeyboardInterrupt(), DagsterExecutionInterruptedError()])
def test_a_build_that_is_ended_within_dbt_is_told_as_ended(
    monkeypatch: pytest.MonkeyPatch, ended: BaseException
) -> None:
    hands_back(monkeypatch, ended)
    with pytest.raises(type(ended)):
        PROJECT.build([])


def test_a_fault_of_dbt_is_one_of_the_warehouse(monkeypatch: pytest.MonkeyPatch) -> None:
    hands_back(monkeypatch, RuntimeError("no such target"))
    with pytest.raises(WarehouseError, match="dbt could not run: no such target"):
        PROJECT.build([])
