"""Two releases side by side, and a release against its own manifest.

Belongs here: cells that differ between two releases by table and key; tables whose hash is not the manifest's.
Does not: making releases (release.py), keys of tables (they stand in the manifest).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from dagster_project.lib.base import engine
from dagster_project.lib.base.engine import Connection
from dagster_project.lib.base.names import INPUTS, MARTS
from dagster_project.lib.base.store import Store
from dagster_project.lib.publish.release.hashing import table_columns
from dagster_project.lib.publish.release.pointing import DATABASE
from dagster_project.lib.publish.release.release import hash_tables

SIGNIFICANT = 10


@dataclass(frozen=True)
class CellDifference:
    """One cell that differs: `key` is the row's key as text, None stands for a row or table that one release lacks."""

    table: str
    key: str
    column: str
    a: Any
    b: Any


@dataclass(frozen=True)
class Verdict:
    """One table or file of a release against its manifest."""

    table: str
    ok: bool
    found: str


def compare_releases(
    a: Path, b: Path, manifest_a: Mapping[str, Any], manifest_b: Mapping[str, Any]
) -> Iterator[CellDifference]:
    """Every differing cell of the tables whose hashes differ, by table, key, column.

    Floats are compared at 10 significant digits, as the hashes are.
    """
    of_a, of_b = ({table["name"]: table for table in manifest["tables"]} for manifest in (manifest_a, manifest_b))
    with engine.memory() as connection:
        engine.attach(connection, a, "a")
        engine.attach(connection, b, "b")
        for name in sorted(of_a.keys() | of_b.keys()):
            if name not in of_a or name not in of_b:
                here, there = (None, "present") if name not in of_a else ("present", None)
                yield CellDifference(name, "", "", here, there)
            elif of_a[name]["sha256"] != of_b[name]["sha256"]:
                key = of_a[name]["key"] or of_b[name]["key"]
                if key:
                    yield from _table_differences(connection, name, key)
                else:
                    # Without a key no row of one can be told from a row of the other.
                    yield CellDifference(name, "", "sha256", of_a[name]["sha256"], of_b[name]["sha256"])


def _table_differences(connection: Connection, table: str, key: Sequence[str]) -> Iterator[CellDifference]:
    columns = {side: _columns(connection, side, table) for side in ("a", "b")}
    shared = [name for name in columns["a"] if name in columns["b"] and name not in key]
    for name in sorted(columns["a"].keys() ^ columns["b"].keys()):
        here, there = ("column", None) if name in columns["a"] else (None, "column")
        yield CellDifference(table, "", name, here, there)
    joined = " and ".join(f'a."{name}" is not distinct from b."{name}"' for name in key)
    label = " || '|' || ".join(f'coalesce(cast(coalesce(a."{name}", b."{name}") as varchar), \'\')' for name in key)
    side_a, side_b = (f'(select *, true as _here from {side}.{MARTS}."{table}") {side}' for side in ("a", "b"))
    base = f"from {side_a} full join {side_b} on {joined}"
    for name in shared:
        left, right = _comparable(f'a."{name}"', columns["a"][name]), _comparable(f'b."{name}"', columns["b"][name])
        rows = connection.execute(
            f'select {label} as key, a."{name}", b."{name}" {base} '
            f"where a._here and b._here and {left} is distinct from {right} order by key"
        ).fetchall()
        yield from (CellDifference(table, row_key, name, va, vb) for row_key, va, vb in rows)
    only = connection.execute(
        f"select {label} as key, a._here, b._here {base} where a._here is null or b._here is null order by key"
    ).fetchall()
    for row_key, in_a, in_b in only:
        yield CellDifference(table, row_key, "", "row" if in_a else None, "row" if in_b else None)


def _columns(connection: Connection, side: str, table: str) -> dict[str, str]:
    connection.execute(f"use {side}")
    columns = dict(table_columns(connection, MARTS, table))
    connection.execute("use memory")
    return columns


def _comparable(expression: str, kind: str) -> str:
    return f"printf('%.{SIGNIFICANT - 1}e', {expression} + 0.0)" if kind in ("DOUBLE", "FLOAT") else expression


def verify_release(database: Path, manifest: Mapping[str, Any], store: Store) -> list[Verdict]:
    """Hash everything of the release again and compare with its manifest: tables of schemas marts and inputs, files.

    `store` is where releases lie. A manifest from before it stated inputs and files says nothing of them.
    """
    verdicts = _table_verdicts(hash_tables(database, {}), manifest["tables"])
    if "inputs_tables" in manifest:
        inputs = _table_verdicts(hash_tables(database, {}, INPUTS), manifest["inputs_tables"])
        verdicts += [replace(verdict, table=f"{INPUTS}.{verdict.table}") for verdict in inputs]
    if "files" in manifest:
        verdicts += _file_verdicts(store, f"releases/{manifest['release_id']}/", manifest["files"])
    return verdicts


def _file_verdicts(store: Store, prefix: str, files: Sequence[Mapping[str, str]]) -> list[Verdict]:
    stated = {file["path"]: file["sha256"] for file in files}
    present = {info.key.removeprefix(prefix) for info in store.objects(prefix.rstrip("/"))} - {
        DATABASE,
        "manifest.json",
    }
    verdicts = []
    for path in sorted(stated.keys() | present):
        data = store.get_or_none(f"{prefix}{path}")
        if data is None or path not in stated:
            verdicts.append(Verdict(path, False, "only in the manifest" if path in stated else "not in the manifest"))
            continue
        sha256 = hashlib.sha256(data).hexdigest()
        verdicts.append(Verdict(path, sha256 == stated[path], f"{len(data):,} bytes, sha256 {sha256[:12]}"))
    return verdicts


def _table_verdicts(tables: Sequence[Mapping[str, Any]], expected: Sequence[Mapping[str, Any]]) -> list[Verdict]:
    found = {table["name"]: table for table in tables}
    stated = {table["name"]: table for table in expected}
    verdicts = []
    for name in sorted(found.keys() | stated.keys()):
        if name not in found or name not in stated:
            verdicts.append(Verdict(name, False, "only in the manifest" if name in stated else "not in the manifest"))
            continue
        same = found[name]["sha256"] == stated[name]["sha256"] and found[name]["rows"] == stated[name]["rows"]
        verdicts.append(Verdict(name, same, f"{found[name]['rows']:,} rows, sha256 {found[name]['sha256'][:12]}"))
    return verdicts
