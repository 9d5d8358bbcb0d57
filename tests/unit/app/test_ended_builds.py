"""A run that somebody ends while dbt is at work ends as ended, not as a fault of dbt.

Belongs here: what is made of an interruption that dbt hands back, and of one within a run of this process.
Does not: runs whose process is killed (tests/integration/test_killed_runs.py).
"""

from __future__ import annotations

import dagster as dg
import pytest
from dagster._core.errors import DagsterExecutionInterruptedError
from dbt.cli.main import dbtRunner, dbtRunnerResult
from dbt.contracts.graph.manifest import Manifest

from dagster_project.instance import runs
from dagster_project.lib.warehouse.dbt_run import WarehouseError, _Project
from dagster_project.settings import from_environment

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


def test_a_run_in_this_process_that_is_ended_ends_what_it_runs_in(monkeypatch: pytest.MonkeyPatch) -> None:
    @dg.op
    def ended() -> None:
        raise KeyboardInterrupt

    @dg.job(executor_def=dg.in_process_executor)
    def build() -> None:
        ended()

    monkeypatch.setattr(runs, "QUIET", {})
    monkeypatch.setattr(runs, "_definitions", lambda *_: dg.Definitions(jobs=[build]))
    with dg.DagsterInstance.ephemeral() as instance, pytest.raises(KeyboardInterrupt):
        runs.run_in_process(from_environment(), instance, "build", runs.INTAKE)
