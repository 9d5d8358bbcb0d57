"""Every model builds on a real cluster of Spark, and every mart is the one that DuckDB makes, also when a worker dies.

Belongs here: the command of benchmarks/spark_models.py over a finished home.
Does not: the cluster itself (test_spark_cluster.py), or a run on Spark, which is not built (docs/spark.md).
"""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys

import pytest

from tests.integration.conftest import Run
from tests.support import PROJECT

HAS_SPARK = all(importlib.util.find_spec(name) for name in ("pyspark", "dbt.adapters.spark"))
pytestmark = pytest.mark.skipif(
    not HAS_SPARK, reason="pyspark and dbt-spark are no part of the lock; see docs/spark.md"
)


@pytest.mark.parametrize("kill", [False, True], ids=["undisturbed", "a worker is killed"])
def test_every_mart_is_the_same_on_spark(example: Run, kill: bool) -> None:
    command = [sys.executable, "-m", "benchmarks.spark_models", "--home", str(example.home)]
    command += ["--seeds", str(example.seeds), *(["--kill"] if kill else [])]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr[-2000:]
    equal = re.search(r"(\d+) of (\d+) marts are equal", done.stdout)
    assert equal is not None
    assert int(equal[1]) == int(equal[2]) > 50
    assert ("a worker was killed" in done.stdout) == kill
