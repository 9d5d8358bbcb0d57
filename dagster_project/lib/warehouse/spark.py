"""A session on a cluster of Spark: its tables over Parquet on shared storage, and work on parts of them.

Belongs here: opening the session, registering files as tables, functions over parts of tables that the engine places.
Does not: what is computed of a part, dbt's models (dbt_run.py), starting or stopping a cluster (who keeps it does).
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from dagster_project.lib.base.packed import PACKED, PLACE, OfPart, Packing, Tables, unpacked
from dagster_project.settings import SECRET

Session: TypeAlias = Any
Frame: TypeAlias = Any
PACKAGES = ("pyspark", "dbt.adapters.spark")
# What the figures depend on; everything else (memory, secrets) is the cluster's own, in its spark-defaults.conf.
SETTINGS = {
    "spark.sql.ansi.enabled": "true",
    "spark.sql.ansi.doubleQuotedIdentifiers": "true",
    "spark.sql.ansi.enforceReservedKeywords": "false",
    "spark.sql.catalogImplementation": "in-memory",
    "spark.sql.session.timeZone": "UTC",
    "spark.ui.showConsoleProgress": "false",
    "spark.sql.sources.default": "parquet",
    "spark.sql.caseSensitive": "false",
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
MANY_ROWS = "spark.sql.parquet.enableVectorizedReader"
PACKED_SQL = "part int, name string, place bigint, rows binary"


class SparkError(RuntimeError):
    """There is no session to be had, or a table is none that it can hold; the message says which."""


@dataclass(frozen=True)
class Keyed:
    """A table as the engine holds it, and the column whose value decides which part a row goes to.

    ordered: it lies in one file, and the order of its rows there is kept. empty: it is known to have no row.
    """

    frame: Frame
    key: str
    ordered: bool = False
    empty: bool = False

    @property
    def placed(self) -> Frame:
        """The frame with each row's place within its file."""
        from pyspark.sql.functions import col, lit

        place = col("_metadata.row_index") if self.ordered else lit(0).cast("bigint")
        return self.frame.withColumn(PLACE, place)

    @property
    def schema(self) -> pa.Schema:
        """Columns and types as Arrow has them."""
        from pyspark.sql.pandas.types import to_arrow_schema

        return to_arrow_schema(self.frame.schema)


def session_on(master: str, warehouse: Path, **settings: str) -> Session:
    """The session of this process on a cluster, its managed tables below `warehouse`; SparkError where there is none.

    What Spark's own spark-defaults.conf says (SPARK_CONF_DIR) holds but for SETTINGS.
    """
    require_packages()
    from py4j.protocol import Py4JError
    from pyspark.errors import PySparkException
    from pyspark.sql import SparkSession

    # Workers run Python with the interpreter of the same path; it needs the project and its lock.
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    builder = SparkSession.builder.master(master).appName("cradle")
    for name, value in (SETTINGS | {"spark.sql.warehouse.dir": str(warehouse)} | settings).items():
        builder = builder.config(name, value)
    try:
        with _without_secrets():
            return builder.getOrCreate()
    except (Py4JError, PySparkException) as error:
        # What Java said stands behind a colon, before the places in its code.
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        first = next((line.lstrip(": ") for line in lines if line.startswith(":")), lines[0] if lines else "nothing")
        raise SparkError(f"Spark gives no session on {master} (is it running, is Java 17 here?): {first}") from error


@contextmanager
def _without_secrets() -> Iterator[None]:
    """Secrets are not in the environment meanwhile.

    Java is started with it, and hands keys of S3 that stand in it to every worker as a setting of its own.
    """
    kept = {name: os.environ.pop(name) for name in SECRET if name in os.environ}
    try:
        yield
    finally:
        os.environ.update(kept)


def require_packages() -> None:
    """SparkError unless the packages of the optional lock are installed."""
    for package in PACKAGES:
        try:
            found = importlib.util.find_spec(package)
        except ModuleNotFoundError:
            found = None
        if found is None:
            raise SparkError(f"the package {package} is not installed; make spark-env installs it (docs/spark.md)")


def register(session: Session, schema: str, folder: Path) -> None:
    """Every Parquet file of a folder, and every folder of Parquet files in it, as a table of that schema."""
    session.sql(f"create database if not exists {schema}")
    for path in sorted(folder.glob("*.parquet")):
        fields = sql_schema(schema_of(path))
        place = str(path).replace("\\", "\\\\").replace("'", "\\'")
        session.sql(f"drop table if exists {schema}.`{path.stem}`")
        session.sql(f"create table {schema}.`{path.stem}` ({fields}) using parquet options (path '{place}')")


def schema_of(path: Path) -> pa.Schema:
    """Columns of a Parquet file, or of the files of a folder; SparkError for a folder without one."""
    if path.is_file():
        return pq.read_schema(path)
    files = sorted(path.glob("*.parquet"))
    if not files:
        raise SparkError(f"{path} holds no file of rows")
    return pq.read_schema(files[0])


def sql_type(kind: pa.DataType) -> str:
    """Spark's name of a type; SparkError for one that no table of the project has."""
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return f"array<{sql_type(kind.value_type)}>"
    if str(kind) not in TYPES:
        raise SparkError(f"columns of type {kind} are not known to Spark's tables")
    return TYPES[str(kind)]


def sql_schema(schema: pa.Schema) -> str:
    """The columns of a table as Spark declares them."""
    return ", ".join(f"`{field.name}` {sql_type(field.type)}" for field in schema)


def of_file(session: Session, table: str, file: Path, key: str) -> Keyed:
    """A registered table that lies in one Parquet file, as a table to take apart in the order of its rows."""
    return Keyed(session.table(table), key, ordered=True, empty=not pq.read_metadata(file).num_rows)


def parts_for(session: Session, items: int, a_part: int) -> int:
    """Parts of at most so many items: at least one for each core of the cluster, as far as there are items.

    Which ones changes no row.
    """
    cores = int(session.sparkContext.defaultParallelism)
    return max(1, min(items, max(cores, -(-items // a_part))))


def in_parts(inputs: Mapping[str, Keyed], parts: int, function: Callable[[Tables], Tables], target: Path) -> None:
    """Apply a function to every part of some tables, wherever the engine likes, and write what it gives to `target`.

    The function takes and gives tables by name, and knows of no engine. A part whose worker dies is done again.
    `target`: a folder of packed rows by name of table, on storage that all workers share (see `gathered`, `laid_out`).
    """
    packed = None
    # A task for a table without a row costs as much as one for a thousand.
    for name, keyed in ((name, keyed) for name, keyed in inputs.items() if not keyed.empty):
        rows = keyed.placed.mapInArrow(Packing(name, keyed.key, parts), PACKED_SQL)
        packed = rows if packed is None else packed.unionAll(rows)
    if packed is None:
        raise SparkError("there is no table to take apart")
    of_part = OfPart({name: keyed.schema for name, keyed in inputs.items()}, function)
    # A function by its own arguments: of an object that can be called, the engine counts the object itself as one.
    done = packed.repartition(parts, "part").groupBy("part").applyInArrow(lambda rows: of_part(rows), PACKED_SQL)
    done.write.mode("overwrite").partitionBy("name").parquet(str(target))


def gathered(target: Path, names: Iterable[str]) -> dict[str, pl.DataFrame]:
    """Some tables of `in_parts`, of all parts, in this process."""
    batches: list[pa.RecordBatch] = []
    for name in names:
        for file in sorted((target / f"name={name}").glob("*.parquet")):
            rows = pq.ParquetFile(file).read()
            named = rows.append_column("name", pa.array([name] * rows.num_rows, pa.string()))
            batches += named.select(PACKED.names).cast(PACKED).to_batches()
    return unpacked(batches)


def laid_out(session: Session, target: Path, name: str, schema: pa.Schema, folder: Path) -> None:
    """One table of `in_parts` as a folder of Parquet files, written by the workers; it replaces what was there."""
    shutil.rmtree(folder, ignore_errors=True)
    with _row_by_row(session):
        rows = session.read.parquet(str(target)).where(f"name = '{name}'").select(*PACKED.names)
        rows.mapInArrow(Unpacking(schema), sql_schema(schema)).write.parquet(str(folder))


@contextmanager
def _row_by_row(session: Session) -> Iterator[None]:
    """Parquet files are read one row after another meanwhile.

    Spark's other reader holds 4096 rows in one piece of Java's memory whatever their size: of packed rows a whole file.
    """
    before = session.conf.get(MANY_ROWS)
    session.conf.set(MANY_ROWS, "false")
    try:
        yield
    finally:
        session.conf.set(MANY_ROWS, before)


@dataclass(frozen=True)
class Unpacking:
    """Packed rows of one table as its own rows."""

    schema: pa.Schema

    def __call__(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Batches of the table's columns."""
        for batch in batches:
            for row in batch.to_pylist():
                yield from pa.ipc.open_stream(row["rows"]).read_all().cast(self.schema).to_batches()
