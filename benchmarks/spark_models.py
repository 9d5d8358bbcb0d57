"""The models of the warehouse on a cluster of Spark, over what a run on DuckDB landed and computed, beside its marts.

Belongs here: one build of every model and data test on a real cluster of this machine, marts compared cell by cell.
Does not: a run on Spark (nothing of the product starts this; docs/spark.md says what is there).

    python -m benchmarks.spark_models --home HOME [--seeds SEEDS] [--kill]

HOME has been run; nothing of it is changed. `--kill`: one worker is killed with signal 9 in the middle of the build.
"""

from __future__ import annotations

import argparse
import math
import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.spark_cluster import Cluster, cluster

ROOT = Path(__file__).resolve().parents[1]
GIVEN = ("landing", "analysis")
SCHEMAS = (*GIVEN, "main", "seeds", "staging", "intermediate", "marts", "semantic")
# Small tables: making code for each query costs more than the query.
SETTINGS = {
    "spark.driver.memory": "1500m",
    "spark.executor.memory": "700m",
    "spark.log.level": "ERROR",
    "spark.sql.ansi.doubleQuotedIdentifiers": "true",
    "spark.sql.ansi.enforceReservedKeywords": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.shuffle.partitions": "1",
}
TYPES = {
    "string": "string",
    "large_string": "string",
    "string_view": "string",
    "int8": "int",
    "int16": "int",
    "int32": "int",
    "int64": "bigint",
    "double": "double",
    "binary": "binary",
    "large_binary": "binary",
    "bool": "boolean",
    "date32[day]": "date",
}
NEAR = 1e-9
KILLED_AFTER = " 60 of "
"""What dbt's log says when a worker is killed."""


def session_over(running: Cluster) -> Any:
    """A session over the cluster."""
    from pyspark.sql import SparkSession

    builder = SparkSession.builder.appName("cradle")
    for name, value in (running.session_properties() | SETTINGS).items():
        builder = builder.config(name, value)
    return builder.getOrCreate()


def register(session: Any, work: Path) -> None:
    """The Parquet files of landing and analysis as tables of their schemas."""
    for schema in SCHEMAS:
        session.sql(f"create database if not exists {schema}")
    for schema in GIVEN:
        for file in sorted((work / schema).glob("*.parquet")):
            columns = ", ".join(f"`{field.name}` {_type(field.type)}" for field in pq.read_schema(file))
            session.sql(f"create table {schema}.`{file.stem}` ({columns}) using parquet options (path '{file}')")


def _type(kind: pa.DataType) -> str:
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return f"array<{_type(kind.value_type)}>"
    return TYPES[str(kind)]


def build(home: Path, seeds: Path, scratch: Path) -> tuple[Counter[str], list[str]]:
    """Build and test every model by the session that is open; results by kind and status, and what failed."""
    from dbt.cli.main import dbtRunner

    os.environ.update(
        CRADLE_SEEDS=str(seeds),
        LANDING_PATH=str(home / "work/landing"),
        ANALYSIS_PATH=str(home / "work/analysis"),
        WAREHOUSE_PATH=str(scratch / "none.duckdb"),
        DBT_SEND_ANONYMOUS_USAGE_STATS="false",
    )
    places = ["--project-dir", str(ROOT / "dbt"), "--profiles-dir", str(ROOT / "dbt")]
    places += ["--target-path", str(scratch / "target"), "--log-path", str(scratch / "target")]
    done: Any = dbtRunner().invoke(
        ["--quiet", "--no-use-colors", "build", "--target", "spark", "--exclude-resource-type", "unit_test", *places]
    )
    if done.result is None:
        raise SystemExit(f"dbt did not begin: {done.exception}")
    found = Counter(f"{each.node.resource_type} {each.status}" for each in done.result.results)
    bad = [each for each in done.result.results if str(each.status) in ("error", "fail", "skipped")]
    return found, [f"{each.node.name}: {each.status} {(each.message or '')[:300]}" for each in bad]


def differences(session: Any, database: Path) -> tuple[int, list[str]]:
    """How many marts of a release there are, and for each one that is another on Spark what differs first."""
    told = []
    with duckdb.connect(str(database), read_only=True) as connection:
        names = [
            str(name)
            for (name,) in connection.execute(
                "select table_name from information_schema.tables where table_schema = 'marts' order by 1"
            ).fetchall()
        ]
        built = {row.tableName for row in session.sql("show tables in marts").collect()}
        for name in names:
            if name not in built:
                told.append(f"{name}: not built")
                continue
            here = connection.execute(f'select * from marts."{name}"').pl()
            there = pl.DataFrame(session.table(f"marts.{name}").toArrow())
            told += [f"{name}: {what}" for what in _differing(here, there)[:1]]
    return len(names), told


def _differing(here: pl.DataFrame, there: pl.DataFrame) -> list[str]:
    if here.columns != there.columns or here.height != there.height:
        return [f"{here.height} rows of {len(here.columns)} columns, {there.height} of {len(there.columns)} on Spark"]
    rows = zip(sorted(here.iter_rows(), key=_order), sorted(there.iter_rows(), key=_order), strict=True)
    return [
        f"{column}: {one!r}, {other!r} on Spark"
        for row, again in rows
        for column, one, other in zip(here.columns, row, again, strict=True)
        if not _same(one, other)
    ]


def _order(row: Sequence[Any]) -> tuple[tuple[bool, str], ...]:
    return tuple((value is None, f"{value:.6e}" if isinstance(value, float) else str(value)) for value in row)


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=NEAR, abs_tol=NEAR) or (math.isnan(one) and math.isnan(other))
    return bool(one == other)


def _kill_in_the_middle(running: Cluster, log: Path) -> None:
    while not log.is_file() or KILLED_AFTER not in log.read_text(encoding="utf-8", errors="replace"):
        time.sleep(0.2)
    os.killpg(running.workers[0].pid, signal.SIGKILL)
    print("a worker was killed", flush=True)


def main() -> None:
    """Build and compare; exit code 1 where a model, a test or a mart is another than on DuckDB."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--seeds", type=Path, default=ROOT / "seeds")
    parser.add_argument("--kill", action="store_true", help="kill one worker in the middle")
    options = parser.parse_args()
    home, seeds = options.home.resolve(), options.seeds.resolve()
    release = (home / "publish/current").read_text(encoding="utf-8").strip()
    with cluster() as running:
        session = session_over(running)
        try:
            register(session, home / "work")
            if options.kill:
                log = running.scratch / "target" / "dbt.log"
                threading.Thread(target=_kill_in_the_middle, args=(running, log), daemon=True).start()
            begun = time.perf_counter()
            found, failed = build(home, seeds, running.scratch)
            print(f"{time.perf_counter() - begun:.0f} s: {dict(sorted(found.items()))}", flush=True)
            marts, differing = differences(session, home / "publish/releases" / release / "internal.duckdb")
        finally:
            session.stop()
    print(f"{marts - len(differing)} of {marts} marts are equal on Spark")
    for line in [*failed, *differing]:
        print(line)
    raise SystemExit(int(bool(failed or differing)))


if __name__ == "__main__":
    main()
