"""A run on a real cluster of Spark makes every table that a run on DuckDB makes, also when a worker dies on the way.

Belongs here: `cradle run` with both engines over one network by benchmarks/spark_run.py, internal and public edition.
Does not: the cluster itself (test_spark_cluster.py), parts without a cluster (tests/unit/app/test_spark_parts.py).
"""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path
from random import Random

import pytest

from tests.reference.networks import make_drop, make_seeds
from tests.support import PROJECT

HAS_SPARK = all(importlib.util.find_spec(name) for name in ("pyspark", "dbt.adapters.spark"))
TODAY = "2021-06-30"


@pytest.mark.skipif(not HAS_SPARK, reason="pyspark and dbt-spark have a lock of their own; make spark-env")
@pytest.mark.parametrize("kill", [None, "models", "analysis", "disclosure"])
def test_every_table_is_the_same_on_spark(tmp_path: Path, kill: str | None) -> None:
    chance = Random(56)
    make_seeds(chance, tmp_path / "seeds")
    make_drop(chance, tmp_path / "drop")
    command = [sys.executable, "-m", "benchmarks.spark_run", "--drop", str(tmp_path / "drop"), "--today", TODAY]
    command += ["--seeds", str(tmp_path / "seeds"), "--out", str(tmp_path / "out"), *(["--kill", kill] if kill else [])]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr[-2000:]
    found = re.findall(r"(\w+) (\w+): (\d+) of (\d+) tables are equal", done.stdout)
    assert {("internal", "marts"), ("internal", "inputs"), ("public", "marts")} <= {line[:2] for line in found}
    assert all(equal == number for _, _, equal, number in found)
    hashes = re.search(r"public manifest: (\d+) of (\d+) hashes of tables are equal on Spark", done.stdout)
    assert hashes is not None and hashes[1] == hashes[2] != "0"
    assert (f"a worker was killed during {kill}" in done.stdout) == (kill is not None)


@pytest.mark.skipif(HAS_SPARK, reason="pyspark is installed here")
def test_without_the_packages_a_run_on_spark_says_in_one_line_what_is_missing(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "from dagster_project.cli.main import main; main()", "run"]
    settings = {"CRADLE_ENGINE": "spark", "CRADLE_SPARK_MASTER": "spark://127.0.0.1:7077", "CRADLE_HOME": str(tmp_path)}
    done = subprocess.run(command, cwd=PROJECT, env=os.environ | settings, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "the package pyspark is not installed; make spark-env installs it" in done.stderr
    assert "Traceback" not in done.stderr
