"""Two releases side by side, and a release against its own manifest.

Belongs here: what differs between two releases, by table and key or in values, counted or one by one; the manifest.
Does not: making releases (release.py), keys of tables (they stand in the manifest).
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import polars as pl

from dagster_project.lib.base import engine
from dagster_project.lib.base.engine import Connection
from dagster_project.lib.base.names import INPUTS, MARTS, WITHHELD
from dagster_project.lib.base.store import Store
from dagster_project.lib.publish.release.hashing import table_columns
from dagster_project.lib.publish.release.pointing import DATABASE
from dagster_project.lib.publish.release.release import hash_tables

SIGNIFICANT = 10
OWNER = "community_id"
VALUE_TABLE = "fct_indicator_value"
VALUE_COLUMNS = ("value", "value_low", "value_high", "numerator", "denominator", "value_status")
"""What a value says; its other columns tell where it came from."""
TABLE, COLUMN = "present", "column"
"""What stands in the place of a value where one release lacks the whole table or the whole column."""
FIRST, GONE, COMPARED = "first", "gone", "compared"
"""What a manifest's `since` can be: no release came before, the one before is withdrawn or not kept, it was counted."""


@dataclass(frozen=True)
class CellDifference:
    """One cell that differs: `key` is the row's key as text, None stands for a row or table that one release lacks."""

    table: str
    key: str
    column: str
    a: Any
    b: Any

    @property
    def is_added_form(self) -> bool:
        """Whether it is a table or a column that only the later release has."""
        return not self.key and self.a is None and self.b in (TABLE, COLUMN)


@dataclass(frozen=True)
class Verdict:
    """One table or file of a release against its manifest."""

    table: str
    ok: bool
    found: str


@dataclass(frozen=True)
class TableCounts:
    """How much of one table differs; None where its rows cannot be told apart (no key)."""

    table: str
    rows_added: int
    rows_gone: int
    cells: int | None


@dataclass(frozen=True)
class ValueCounts:
    """Values that only the later release has, that say something else in it, that only the earlier one has.

    communities: whose these are. withheld: those of the changed ones that are withheld now and were not.
    """

    new: int
    changed: int
    gone: int
    communities: int
    withheld: int


def since_stated(before: str, today: str, values: ValueCounts, **moved: int) -> dict[str, Any]:
    """What a manifest states of the release before, and pages print: counts alone, so that nothing of it is quoted.

    A release may be withdrawn later; of what it said its successor then repeats nothing.
    """
    counts = {f"values_{name}": n for name, n in asdict(values).items()}
    return {"state": COMPARED, "release_id": before, "today": today, **counts, **moved}


def count_values(before: pl.DataFrame | None, after: pl.DataFrame, key: Sequence[str]) -> ValueCounts:
    """Count what differs between two fct_indicator_value of one edition; None: an older release has no such table.

    Figures are compared at 10 significant digits, as releases are. A column that only one of them has is not compared;
    both have value_status.
    """
    said = [name for name in VALUE_COLUMNS if name in after.columns and (before is None or name in before.columns)]
    like = after.select(*key, *said)
    sides = [
        _rounded(present(frame, like).cast(like.schema)).with_columns(here=pl.lit(True)) for frame in (before, like)
    ]
    both = sides[0].join(sides[1], on=list(key), how="full", suffix="_after", coalesce=True, nulls_equal=True)
    was, stands = (pl.col(name).fill_null(False) for name in ("here", "here_after"))
    differs = [pl.col(name).ne_missing(pl.col(f"{name}_after")) for name in said]
    changed = was & stands & pl.any_horizontal(differs)
    hidden = changed & (pl.col("value_status_after") == WITHHELD) & (pl.col("value_status") != WITHHELD)
    counts = both.select(
        new=(~was).sum(),
        changed=changed.sum(),
        gone=(~stands).sum(),
        communities=pl.col(OWNER).filter(changed | ~was | ~stands).n_unique(),
        withheld=hidden.sum(),
    )
    return ValueCounts(**counts.row(0, named=True))


def present(frame: pl.DataFrame | None, like: pl.DataFrame) -> pl.DataFrame:
    """The frame with the columns of `like`; what an older release lacks is null, or no row at all."""
    empty = like.clear()
    if frame is None:
        return empty
    kept = [name for name in like.columns if name in frame.columns]
    return pl.concat([empty, frame.select(kept)], how="diagonal_relaxed")


def _rounded(frame: pl.DataFrame) -> pl.DataFrame:
    floats = [name for name, kind in frame.schema.items() if kind.is_float()]
    return frame.with_columns(pl.col(floats).round_sig_figs(SIGNIFICANT))


def compare_releases(
    a: Path,
    b: Path,
    manifest_a: Mapping[str, Any],
    manifest_b: Mapping[str, Any],
    tables: Collection[str] = (),
    communities: Collection[str] = (),
) -> Iterator[CellDifference]:
    """Every differing cell of the tables whose hashes differ, by table, key, column.

    Floats are compared at 10 significant digits, as the hashes are. Of `tables` only, where any is named; with
    `communities` rows of these, in tables that are kept by community.
    """
    of_a, of_b = _stated(manifest_a), _stated(manifest_b)
    with _both(a, b) as connection:
        for name in sorted(of_a.keys() | of_b.keys()):
            if tables and name not in tables:
                continue
            if communities and not _by_community(connection, name, of_a, of_b):
                continue
            if name not in of_a or name not in of_b:
                here, there = (None, TABLE) if name not in of_a else (TABLE, None)
                yield CellDifference(name, "", "", here, there)
            elif of_a[name]["sha256"] != of_b[name]["sha256"]:
                key = of_a[name]["key"] or of_b[name]["key"]
                if key:
                    yield from _table_differences(connection, name, key, communities)
                else:
                    # Without a key no row of one can be told from a row of the other.
                    yield CellDifference(name, "", "sha256", of_a[name]["sha256"], of_b[name]["sha256"])


def count_differences(
    a: Path, b: Path, manifest_a: Mapping[str, Any], manifest_b: Mapping[str, Any], communities: Collection[str] = ()
) -> list[TableCounts]:
    """The same counted, without looking at each cell: one line for each table that differs, by name."""
    of_a, of_b = _stated(manifest_a), _stated(manifest_b)
    found = []
    with _both(a, b) as connection:
        for name in sorted(of_a.keys() | of_b.keys()):
            if communities and not _by_community(connection, name, of_a, of_b):
                continue
            if name not in of_a or name not in of_b:
                added, gone = (of_b[name]["rows"], 0) if name not in of_a else (0, of_a[name]["rows"])
                found.append(TableCounts(name, added, gone, 0))
            elif of_a[name]["sha256"] != of_b[name]["sha256"]:
                key = of_a[name]["key"] or of_b[name]["key"]
                counts = _counted(connection, name, key, communities) if key else TableCounts(name, 0, 0, None)
                if counts.cells != 0 or counts.rows_added or counts.rows_gone:
                    found.append(counts)
    return found


def _stated(manifest: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    return {table["name"]: table for table in manifest["tables"]}


@contextmanager
def _both(a: Path, b: Path) -> Iterator[Connection]:
    with engine.memory() as connection:
        engine.attach(connection, a, "a")
        engine.attach(connection, b, "b")
        yield connection


def _by_community(connection: Connection, table: str, *stated: Mapping[str, Any]) -> bool:
    """Whether the table says in both releases, as far as they have it, whose its rows are."""
    sides = [side for side, tables in zip(("a", "b"), stated, strict=True) if table in tables]
    return all(OWNER in _columns(connection, side, table) for side in sides)


def _counted(connection: Connection, table: str, key: Sequence[str], communities: Collection[str]) -> TableCounts:
    columns = {side: _columns(connection, side, table) for side in ("a", "b")}
    shared = [name for name in columns["a"] if name in columns["b"] and name not in key]
    differs = " + ".join(f"cast({_differs(name, columns)} as integer)" for name in shared) or "0"
    query = (
        "select count(*) filter (a._here is null), count(*) filter (b._here is null), "
        f"coalesce(sum({differs}) filter (a._here and b._here), 0) {_joined(table, key, communities)}"
    )
    ((added, gone, cells),) = connection.execute(query, list(communities)).fetchall()
    return TableCounts(table, added, gone, int(cells))


def _differs(name: str, columns: Mapping[str, Mapping[str, str]]) -> str:
    cells = [f'{side}."{name}"' for side in ("a", "b")]
    left, right = (_comparable(cell, columns[side][name]) for side, cell in zip(("a", "b"), cells, strict=True))
    if _is_list(columns["a"][name]) != _is_list(columns["b"][name]):
        # A list and a text have no order between them: what is shown is compared.
        left, right = f"cast({left} as varchar)", f"cast({right} as varchar)"
    if [left, right] != cells and columns["a"][name] == columns["b"][name]:
        # Most cells are equal as they stand, and writing one out costs more than the rest of the query.
        return f"case when {' is not distinct from '.join(cells)} then false else {left} is distinct from {right} end"
    return f"({left} is distinct from {right})"


def _is_list(kind: str) -> bool:
    return kind.endswith("[]")


def _joined(table: str, key: Sequence[str], communities: Collection[str]) -> str:
    """Rows of both releases beside each other; the communities are the query's parameters."""
    joined = " and ".join(f'a."{name}" is not distinct from b."{name}"' for name in key)
    side_a, side_b = (f'(select *, true as _here from {side}.{MARTS}."{table}") {side}' for side in ("a", "b"))
    marks = ", ".join("?" for _ in communities)
    own = f"coalesce(a.{OWNER}, b.{OWNER}) in ({marks})" if communities else "true"
    return f"from {side_a} full join {side_b} on {joined} where {own}"


def _table_differences(
    connection: Connection, table: str, key: Sequence[str], communities: Collection[str]
) -> Iterator[CellDifference]:
    columns = {side: _columns(connection, side, table) for side in ("a", "b")}
    shared = [name for name in columns["a"] if name in columns["b"] and name not in key]
    for name in sorted(columns["a"].keys() ^ columns["b"].keys()):
        here, there = (COLUMN, None) if name in columns["a"] else (None, COLUMN)
        yield CellDifference(table, "", name, here, there)
    label = " || '|' || ".join(f'coalesce(cast(coalesce(a."{name}", b."{name}") as varchar), \'\')' for name in key)
    base, owners = _joined(table, key, communities), list(communities)
    for name in shared:
        rows = connection.execute(
            f'select {label} as key, a."{name}", b."{name}" {base} '
            f"and a._here and b._here and {_differs(name, columns)} order by key",
            owners,
        ).fetchall()
        yield from (CellDifference(table, row_key, name, va, vb) for row_key, va, vb in rows)
    only = connection.execute(
        f"select {label} as key, a._here, b._here {base} and (a._here is null or b._here is null) order by key", owners
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
