"""Releases: immutable folders, and the small file that says which one is current.

Belongs here: copying marts into internal.duckdb, the manifest, moving a finished release into place, `current`.
Does not: computing figures, the pages' looks (report/), disclosure control (nothing public is written without it).
"""

from __future__ import annotations

import errno
import hashlib
import json
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from dagster_project.lib.base.store import Store
from dagster_project.lib.publish.release.hashing import table_hash

EDITION = "internal"
EDITION_SENTENCE = "Internal: contains small groups, not for distribution"
NOT_PUBLIC = (
    "public.duckdb and public/ are absent: disclosure control is not built yet, and no unprotected public file is "
    "ever written. This release is the internal edition.\n"
)
MARTS = "marts"


@dataclass(frozen=True)
class ReleaseFacts:
    """What a release is made from, beside the tables."""

    today: str
    ruleset_id: str
    ruleset_version: str
    contract_version: int
    code_version: str
    lock_sha256: str
    seeds_sha256: str
    inputs_sha256: str
    inputs: Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Release:
    """A published release."""

    release_id: str
    manifest: Mapping[str, Any]
    is_new: bool


def copy_marts(warehouse: Path, target: Path, extra: Mapping[str, Mapping[str, Path]]) -> None:
    """Copy schema marts of the warehouse into a new DuckDB file; `extra` are Parquet files by schema and table."""
    target.unlink(missing_ok=True)
    connection = duckdb.connect(str(target))
    try:
        connection.execute("set threads = 2")
        connection.execute(f"attach '{warehouse}' as warehouse (read_only)")
        connection.execute(f"create schema {MARTS}")
        names = connection.execute(
            "select table_name from information_schema.tables "
            "where table_catalog = 'warehouse' and table_schema = ? order by 1",
            [MARTS],
        ).fetchall()
        for (name,) in names:
            connection.execute(f'create table {MARTS}."{name}" as from warehouse.{MARTS}."{name}"')
        for schema, tables in extra.items():
            connection.execute(f"create schema {schema}")
            for name, path in tables.items():
                connection.execute(f"create table {schema}.\"{name}\" as from read_parquet('{path}')")
        connection.execute("detach warehouse")
        connection.execute("checkpoint")
    finally:
        connection.close()


def hash_tables(database: Path, keys: Mapping[str, Sequence[str]]) -> list[dict[str, Any]]:
    """name, rows, sha256 and key columns of every table of schema marts, by name."""
    connection = duckdb.connect(str(database), read_only=True)
    try:
        names = connection.execute(
            "select table_name from information_schema.tables where table_schema = ? order by 1", [MARTS]
        ).fetchall()
        tables = []
        for (name,) in names:
            rows, digest = table_hash(connection, MARTS, name)
            tables.append({"name": name, "rows": rows, "sha256": digest, "key": list(keys.get(name, ()))})
        return tables
    finally:
        connection.close()


def manifest_of(facts: ReleaseFacts, tables: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The manifest; the release id is the day and a hash over everything else in it."""
    body = {
        "today": facts.today,
        "ruleset_id": facts.ruleset_id,
        "ruleset_version": facts.ruleset_version,
        "contract_version": facts.contract_version,
        "code_version": facts.code_version,
        "lock_sha256": facts.lock_sha256,
        "seeds_sha256": facts.seeds_sha256,
        "report_edition": EDITION,
        "notice": EDITION_SENTENCE,
        "inputs_sha256": facts.inputs_sha256,
        "inputs": list(facts.inputs),
        "tables": list(tables),
    }
    digest = hashlib.sha256(json.dumps(body, sort_keys=True, ensure_ascii=False).encode()).hexdigest()
    return {"release_id": f"{facts.today}-{digest[:12]}", **body}


def publish(
    store: Store,
    warehouse: Path,
    facts: ReleaseFacts,
    keys: Mapping[str, Sequence[str]],
    extra: Mapping[str, Mapping[str, Path]],
    scratch: Path,
    write_report: Callable[[Path, Path, Mapping[str, Any]], None],
) -> Release:
    """Build a release aside, move it into place whole, then point `current` at it.

    A release of the same content is not written twice. `write_report` gets the database, the release's folder and the
    manifest. Readers that hold an older release open are not disturbed: no released file is ever changed.
    """
    scratch.mkdir(parents=True, exist_ok=True)
    building = Path(tempfile.mkdtemp(prefix="release-", dir=scratch))
    try:
        database = building / "internal.duckdb"
        copy_marts(warehouse, database, extra)
        manifest = manifest_of(facts, hash_tables(database, keys))
        release_id = manifest["release_id"]
        is_new = store.get_or_none(f"releases/{release_id}/manifest.json") is None
        if is_new:
            write_report(database, building, manifest)
            (building / "PUBLIC-ABSENT.txt").write_text(NOT_PUBLIC, encoding="utf-8")
            (building / "manifest.json").write_text(_manifest_text(manifest), encoding="utf-8")
            _move(building, store, f"releases/{release_id}")
        store.put("current", f"{release_id}\n".encode())
        return Release(release_id, manifest, is_new)
    finally:
        shutil.rmtree(building, ignore_errors=True)


def _manifest_text(manifest: Mapping[str, Any]) -> str:
    return json.dumps(manifest, ensure_ascii=False, indent=1) + "\n"


def _move(building: Path, store: Store, prefix: str) -> None:
    target = store.local(prefix)
    if target is not None:
        target.parent.mkdir(parents=True, exist_ok=True)
        building.chmod(0o755)  # the scratch folder was made for one user; a release is to be read by all
        try:
            building.rename(target)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            _copy_whole(building, target)
        return
    files = sorted(path for path in building.rglob("*") if path.is_file())
    # The manifest goes last: a release without one is not finished.
    for path in sorted(files, key=lambda file: file.name == "manifest.json"):
        store.put(f"{prefix}/{path.relative_to(building).as_posix()}", path.read_bytes())


def _copy_whole(building: Path, target: Path) -> None:
    """From another file system: beside the target first, so that nobody sees half a release."""
    aside = target.with_name(f".{target.name}.partial")
    shutil.rmtree(aside, ignore_errors=True)
    shutil.copytree(building, aside)
    aside.rename(target)


def current_release(store: Store) -> str | None:
    """Id of the current release, or None before the first."""
    data = store.get_or_none("current")
    return data.decode().strip() or None if data is not None else None


def read_manifest(store: Store, release_id: str) -> dict[str, Any]:
    """The manifest of a release; FileNotFoundError if there is no such release."""
    manifest: dict[str, Any] = json.loads(store.get(f"releases/{release_id}/manifest.json"))
    return manifest
