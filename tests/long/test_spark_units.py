"""The rules of the models, said as unit tests of dbt, hold on Spark as on DuckDB.

Belongs here: every unit test of dbt/ on a cluster, over the tables of one build, as tests/integration does on DuckDB.
Does not: the rules (dbt/models/**/*.yml), tables of whole runs compared (test_spark_run.py).
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from random import Random

import pytest

from benchmarks.spark_cluster import cluster
from dagster_project.lib.warehouse.dbt_run import MANIFEST
from tests.reference.networks import make_drop, make_seeds
from tests.support import NOTHING_ELSE, PROJECT, cradle

HAS_SPARK = all(importlib.util.find_spec(name) for name in ("pyspark", "dbt.adapters.spark"))
TODAY = "2021-06-30"
# They need the relations of a build, and read none of its rows; tables are known to the process that made them.
UNIT_TESTS = """
import os, sys
from dbt.cli.main import dbtRunner
from dagster_project.lib.app.pipeline import Pipeline
from dagster_project.lib.app.spark.cluster import TARGET
from dagster_project.lib.warehouse.dbt_run import PROJECT, raise_for
from dagster_project.settings import from_environment
pipeline = Pipeline(from_environment())
for results in (pipeline.build_core(), pipeline.build_reporting()):
    raise_for(results)
os.environ.update(pipeline.dbt_places.environment)
places = {"project-dir": PROJECT, "profiles-dir": PROJECT, "target-path": sys.argv[1], "log-path": sys.argv[1]}
told = [text for name, place in places.items() for text in (f"--{name}", str(place))]
command = ["--no-use-colors", "--warn-error", "test", "--select", "test_type:unit", "--target", TARGET, *told]
outcome = dbtRunner().invoke(command)
pipeline.cluster.cluster.session().stop()
sys.exit(not outcome.success)
"""


@pytest.mark.skipif(not HAS_SPARK, reason="pyspark and dbt-spark have a lock of their own; make spark-env")
def test_every_dbt_unit_test_passes_on_spark(tmp_path: Path) -> None:
    chance = Random(56)
    make_seeds(chance, tmp_path / "seeds")
    make_drop(chance, tmp_path / "home" / "drop")
    settings = {"CRADLE_HOME": str(tmp_path / "home"), "CRADLE_SEEDS": str(tmp_path / "seeds"), "CRADLE_TODAY": TODAY}
    built = cradle("run", **settings, **NOTHING_ELSE)
    assert built.returncode == 0, built.stderr
    with cluster() as running:
        tested = subprocess.run(
            [sys.executable, "-c", UNIT_TESTS, str(tmp_path / "target")],
            cwd=PROJECT,
            env=os.environ | settings | running.environment() | {"CRADLE_ENGINE": "spark"},
            capture_output=True,
            text=True,
            check=False,
        )
    assert tested.returncode == 0, tested.stdout[-4000:] + tested.stderr[-2000:]
    declared = json.loads(MANIFEST.read_text(encoding="utf-8"))["unit_tests"]
    assert len(declared) > 20 and f"PASS={len(declared)} " in tested.stdout
