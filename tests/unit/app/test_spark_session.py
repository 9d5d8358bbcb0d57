"""Java is started without secrets in its environment, which are there again afterwards, also where it does not start.

Belongs here: opening a session (dagster_project/lib/warehouse/spark.py), Spark played by a stand-in.
Does not: what a real cluster says and keeps (tests/long/test_spark_secrets.py).
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

from dagster_project.lib.warehouse import spark
from dagster_project.lib.warehouse.spark import SparkError, session_on
from dagster_project.settings import SECRET


class FakeSparkError(Exception):
    """What Spark raises."""


class Starting:
    """A builder of sessions that keeps the environment in which it is asked to start one."""

    def __init__(self, error: Exception | None) -> None:
        self.error, self.seen = error, dict[str, str]()

    def master(self, _url: str) -> Starting:
        return self

    def appName(self, _name: str) -> Starting:  # noqa: N802 - Spark's
        return self

    def config(self, _name: str, _value: str) -> Starting:
        return self

    def getOrCreate(self) -> str:  # noqa: N802 - Spark's
        self.seen = dict(os.environ)
        if self.error is not None:
            raise self.error
        return "session"


def played_by(starting: Starting, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the modules of Spark that a session needs be those of a stand-in."""
    held: dict[str, dict[str, object]] = {
        "py4j": {},
        "py4j.protocol": {"Py4JError": FakeSparkError},
        "pyspark": {},
        "pyspark.errors": {"PySparkException": FakeSparkError},
        "pyspark.sql": {"SparkSession": SimpleNamespace(builder=starting)},
    }
    for name, content in held.items():
        module = ModuleType(name)
        vars(module).update(content)
        monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.setattr(spark, "require_packages", lambda: None)


@pytest.mark.parametrize("error", [None, FakeSparkError("no cluster")])
def test_java_is_started_without_secrets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception | None
) -> None:
    starting = Starting(error)
    played_by(starting, monkeypatch)
    for name in (*SECRET, "CRADLE_TODAY"):
        monkeypatch.setenv(name, f"{name} is set")
    # What a session sets by itself is taken back with the rest.
    monkeypatch.setenv("PYSPARK_PYTHON", sys.executable)
    if error is None:
        assert session_on("spark://127.0.0.1:7077", tmp_path) == "session"
    else:
        with pytest.raises(SparkError, match="no cluster"):
            session_on("spark://127.0.0.1:7077", tmp_path)
    assert not set(SECRET) & set(starting.seen) and "CRADLE_TODAY" in starting.seen
    assert all(os.environ[name] == f"{name} is set" for name in SECRET)
