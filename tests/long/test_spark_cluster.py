"""A cluster of Spark on this machine answers, is heard by nobody else, outlives a worker, and leaves nothing behind.

Belongs here: the processes of benchmarks/spark_cluster.py, asked by a session in a process of its own.
Does not: dbt or any figure on Spark (docs/spark.md says what has been tried).
"""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.spark_cluster import Cluster, ClusterError, cluster
from tests.support import PROJECT

HAS_SPARK = importlib.util.find_spec("pyspark") is not None
needs_spark = pytest.mark.skipif(
    not HAS_SPARK, reason="pyspark is no part of the lock; docs/spark.md says how to add it"
)
LISTENS = "0A"
QUESTION = """
import json, os, sys
from pyspark.sql import SparkSession
session = SparkSession.builder.master(os.environ["CRADLE_SPARK_MASTER"]).getOrCreate()
for turn in range(2):
    rows = session.range(0, 200_000, 1, 4).selectExpr("sum(id % 7) as total", "count(distinct id % 1000) as ids")
    print(json.dumps(rows.collect()[0].asDict()), flush=True)
    if turn == 0:
        sys.stdin.readline()
session.stop()
"""
ANSWER = {"total": sum(number % 7 for number in range(200_000)), "ids": 1000}


@pytest.fixture(scope="module")
def running() -> Iterator[Cluster]:
    with cluster() as started:
        yield started


def processes_of(session: int) -> list[int]:
    """Living processes of a session of the system; one that has ended and that nobody has asked after is none."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                state, _, _, of = (entry / "stat").read_text().rpartition(")")[2].split()[:4]
            except (FileNotFoundError, ProcessLookupError):
                continue
            if int(of) == session and state != "Z":
                found.append(int(entry.name))
    return found


def listened_on(session: int) -> set[str]:
    """Addresses, as the kernel writes them, that processes of a session listen on."""
    sockets = set()
    for process in processes_of(session):
        for descriptor in Path(f"/proc/{process}/fd").iterdir():
            try:
                sockets.add(str(descriptor.readlink()))
            except FileNotFoundError:
                continue
    found = set()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            part = line.split()
            if part[3] == LISTENS and f"socket:[{part[9]}]" in sockets:
                found.add(part[1].split(":")[0])
    return found


@needs_spark
def test_nobody_but_this_machine_hears_the_cluster(running: Cluster) -> None:
    loopback = {"0100007F", "0000000000000000FFFF00000100007F"}
    for worker in running.workers:
        heard = listened_on(worker.pid)
        assert heard, "a worker listens somewhere, else this test looks at nothing"
        assert heard <= loopback


@needs_spark
def test_a_session_gets_right_answers_before_and_after_a_worker_is_killed(running: Cluster) -> None:
    asked = subprocess.Popen(
        [sys.executable, "-c", QUESTION],
        env=os.environ | running.environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert asked.stdin is not None and asked.stdout is not None
    assert json.loads(asked.stdout.readline()) == ANSWER
    os.killpg(running.workers[0].pid, signal.SIGKILL)
    asked.stdin.write("\n")
    asked.stdin.close()
    assert json.loads(asked.stdout.readline()) == ANSWER
    assert asked.wait() == 0


@needs_spark
def test_nothing_of_a_cluster_is_left_behind_even_after_a_fault() -> None:
    seen: list[Cluster] = []
    with pytest.raises(ZeroDivisionError), cluster(workers=1) as started:
        seen.append(started)
        raise ZeroDivisionError
    assert not seen[0].scratch.exists()
    assert [processes_of(worker.pid) for worker in seen[0].workers] == [[]]


LAID_OUT = """
import os, pathlib, sys
import numpy, polars as pl, pyarrow as pa, pyarrow.parquet as pq
from benchmarks.spark_cluster import CLIENT_PROPERTIES
from dagster_project.lib.base.packed import batches_of
from dagster_project.lib.warehouse.spark import laid_out, session_on
work = pathlib.Path(sys.argv[1])
chance = numpy.random.default_rng(1)
table = pl.DataFrame({f"x{column}": chance.random(2_000) for column in range(64)})
file = work / "packed" / "name=points" / "part.parquet"
file.parent.mkdir(parents=True)
pieces = [batch for piece in range(250) for batch in batches_of(0, "points", table, piece * table.height)]
packed = pa.Table.from_batches(pieces).drop_columns(["name"])
pq.write_table(packed, file, row_group_size=len(pieces), use_dictionary=False)
assert CLIENT_PROPERTIES["spark.executor.memory"] == "700m" and file.stat().st_size > 200e6
session = session_on(os.environ["CRADLE_SPARK_MASTER"], work / "tables", **{"spark.task.maxFailures": "1"})
laid_out(session, work / "packed", "points", table.to_arrow().schema, work / "out")
found = pl.scan_parquet(work / "out/*.parquet").select(pl.len(), pl.col("x63").sum()).collect().row(0)
assert found[0] == 500_000 and abs(found[1] / (table["x63"].sum() * 250) - 1) < 1e-9, found
session.stop()
"""


@needs_spark
def test_packed_rows_of_which_a_worker_cannot_hold_a_file_are_laid_out(tmp_path: Path) -> None:
    with cluster(workers=1) as started:
        done = subprocess.run(
            [sys.executable, "-c", LAID_OUT, str(tmp_path)],
            cwd=PROJECT,
            env=os.environ | started.environment(),
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 0, done.stderr[-2000:]


KEPT = """
import sys
from benchmarks.spark_cluster import cluster
with cluster(workers=1) as running:
    print(running.scratch, *(process.pid for process in running.processes), flush=True)
    sys.stdin.read()
"""


@needs_spark
def test_nothing_of_a_cluster_is_left_behind_when_its_process_is_asked_to_end() -> None:
    keeper = subprocess.Popen(
        [sys.executable, "-c", KEPT], cwd=PROJECT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert keeper.stdout is not None
    scratch, *sessions = keeper.stdout.readline().split()
    assert Path(scratch).is_dir() and all(processes_of(int(session)) for session in sessions)
    keeper.send_signal(signal.SIGTERM)
    assert keeper.wait() == 128 + signal.SIGTERM
    assert not Path(scratch).exists()
    assert [processes_of(int(session)) for session in sessions] == [[], []]


@pytest.mark.skipif(HAS_SPARK, reason="pyspark is installed here")
def test_without_the_package_one_line_says_what_is_missing() -> None:
    with pytest.raises(ClusterError, match=r"pyspark is not installed; make spark-env"), cluster():
        pass
