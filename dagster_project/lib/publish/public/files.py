"""The files of a public release: Parquet, CSV, a new DuckDB file made of the Parquet files alone, a data package.

Belongs here: writing each form of a table, Table Schemas, checksums.
Does not: what the tables hold (tables.py), moving a release into place (edition.py), pages (pages.py).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from dagster_project.lib.base import engine
from dagster_project.lib.base.names import MARTS
from dagster_project.lib.publish.public.selection import read_selection
from dagster_project.lib.publish.public.shown import MANIFEST
from dagster_project.lib.publish.release.comments import comment
from dagster_project.lib.warehouse.declared import TableWords

DATABASE, CHECKSUMS, PACKAGE = "public.duckdb", "SHA256SUMS", "datapackage.json"
# Signs that make a spreadsheet take a text for a formula when they stand first.
FORMULA = ("=", "+", "-", "@", "\t", "\r")
GUARD = "'"


def write_tables(tables: Mapping[str, pl.DataFrame], folder: Path, words: Mapping[str, TableWords]) -> None:
    """parquet/*.parquet, csv/*.csv and public.duckdb below the folder; the last is made from the first alone.

    What is declared of a table stands in its Parquet file, as metadata of the schema and of each field, and in the
    database as comments.
    """
    for part in ("parquet", "csv"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    for name, frame in tables.items():
        # By pyarrow: the writer of Polars drops what is said of a table that has a list.
        described = frame.to_arrow().cast(_described(frame, words.get(name)))
        pq.write_table(described, folder / "parquet" / f"{name}.parquet", compression="zstd")
        guarded(flat(frame)).write_csv(folder / "csv" / f"{name}.csv")
    with engine.written(folder / DATABASE, threads=1) as connection:
        connection.execute(f"create schema {MARTS}")
        for name in tables:
            source = engine.parquet(folder / "parquet" / f"{name}.parquet")
            connection.execute(f"create table {engine.name(MARTS, name)} as from {source}")
        comment(connection, words)
        connection.execute("checkpoint")


def _described(frame: pl.DataFrame, told: TableWords | None) -> pa.Schema:
    """The frame's schema with the meaning of every column beside its type, under the name that readers look for."""
    schema = frame.head(0).to_arrow().schema
    meant = {column.name: column.comment for column in told.columns} if told else {}
    fields = [
        field.with_metadata({"description": meant[field.name]}) if meant.get(field.name) else field for field in schema
    ]
    return pa.schema(fields, {"description": told.comment, "key": ", ".join(told.key)} if told else None)


def flat(frame: pl.DataFrame) -> pl.DataFrame:
    """Lists as JSON, which a cell of CSV can hold and a Table Schema calls an array."""
    lists = [name for name, kind in frame.schema.items() if isinstance(kind, pl.List)]
    return frame.with_columns(
        pl.Series(
            name,
            [None if each is None else json.dumps(each, ensure_ascii=False) for each in frame[name].to_list()],
            pl.String(),
        )
        for name in lists
    )


def guarded(frame: pl.DataFrame) -> pl.DataFrame:
    """Texts that a spreadsheet would take for a formula, with an apostrophe before them."""
    texts = [name for name, kind in frame.schema.items() if kind == pl.String]
    first = [pl.col(name).str.slice(0, 1).is_in(FORMULA) for name in texts]
    return frame.with_columns(
        pl.when(is_formula).then(GUARD + pl.col(name)).otherwise(pl.col(name)).alias(name)
        for name, is_formula in zip(texts, first, strict=True)
    )


def data_package(
    tables: Mapping[str, pl.DataFrame], about: Mapping[str, Any], words: Mapping[str, TableWords]
) -> dict[str, Any]:
    """A Data Package whose resources are the CSV files with their Table Schemas."""
    resources = []
    for name, frame in tables.items():
        told = words.get(name)
        meant = {column.name: column.description for column in told.columns} if told else {}
        fields = [
            {"name": column, "type": field_type(kind)} | ({"description": meant[column]} if meant.get(column) else {})
            for column, kind in frame.schema.items()
        ]
        resource = {
            "name": name.replace("_", "-"),
            "path": f"csv/{name}.csv",
            "format": "csv",
            "mediatype": "text/csv",
            "encoding": "utf-8",
            "profile": "tabular-data-resource",
            "schema": {"fields": fields, "primaryKey": list(read_selection()[name].key), "missingValues": [""]},
        }
        resources.append(resource | ({"description": told.description} if told else {}))
    return {"profile": "tabular-data-package", **about, "resources": resources}


def field_type(kind: pl.DataType) -> str:
    """The type of a Table Schema for a column's type."""
    if kind == pl.Boolean:
        return "boolean"
    if kind == pl.Date:
        return "date"
    if isinstance(kind, pl.List):
        return "array"
    if kind.is_integer():
        return "integer"
    return "number" if kind.is_numeric() else "string"


def listed(folder: Path) -> list[dict[str, str]]:
    """path and sha256 of every file of the folder but manifest and checksums, by path."""
    found = []
    for path in sorted(each for each in folder.rglob("*") if each.is_file()):
        name = path.relative_to(folder).as_posix()
        if name not in (MANIFEST, CHECKSUMS):
            found.append({"path": name, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()})
    return found


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """One JSON file, readable, the same bytes on every platform."""
    path.write_bytes((json.dumps(content, ensure_ascii=False, indent=1, default=str) + "\n").encode())


def write_checksums(folder: Path, stated: Sequence[Mapping[str, str]]) -> None:
    """SHA256SUMS of what the manifest states (see `listed`) and of itself, in the form that `sha256sum -c` reads."""
    lines = [(each["path"], each["sha256"]) for each in stated]
    lines.append((MANIFEST, hashlib.sha256((folder / MANIFEST).read_bytes()).hexdigest()))
    (folder / CHECKSUMS).write_bytes("".join(f"{sha256}  {path}\n" for path, sha256 in sorted(lines)).encode())
