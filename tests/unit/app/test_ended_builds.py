"""A run that somebody ends while dbt is at work ends as ended, not as a fault of dbt.

Belongs here: what is made of an interruption that dbt hands back, and of one within a run of this process.
Does not: runs whose process is killed (tests/integration/test_killed_runs.py).
"""

from __future__ import annotations

import signal
from contextlib import suppress

import dagster as dg
import pytest
from dagster._core.errors import DagsterExecutionInterruptedError
from dbt.cli.main import dbtRunner, dbtRunnerResult
from dbt.contracts.graph.manifest import Manifest

from dagster_project.instance import runs
from dagster_project.lib.warehouse.dbt_run import WarehouseError, _ended_as_dbt_knows, _Project
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


@pytest.mark.parametrize("goes_on", [True, False])
def test_an_interruption_that_something_takes_for_a_failed_try_ends_the_build_all_the_same(goes_on: bool) -> None:
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt), _ended_as_dbt_knows():
        with suppress(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        if not goes_on:
            raise WarehouseError("a class that was read by half")
    assert signal.getsignal(signal.SIGINT) is before


def test_who_ignores_the_signal_goes_on_ignoring_it() -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with _ended_as_dbt_knows():
            signal.raise_signal(signal.SIGINT)
    finally:
        signal.signal(signal.SIGINT, before)


def test_a_fault_of_a_build_that_nobody_ended_stays_what_it_is() -> None:
    with pytest.raises(WarehouseError, match="no such table"), _ended_as_dbt_knows():
        raise WarehouseError("no such table")


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
