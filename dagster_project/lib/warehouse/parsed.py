"""What dbt knows of the project, read once for all homes and pointed at the folders of one.

Belongs here: keeping a parse under a digest of what it was made from, and the places in it that differ by home.
Does not: calling dbt (dbt_run.py), or the manifest that Dagster's assets are made from (`make setup`).
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dbt.contracts.graph.manifest import Manifest

READ_BY_DBT = ("models", "macros", "tests", "dbt_project.yml", "profiles.yml")
PACKAGES = ("dbt-core", "dbt-adapters", "dbt-duckdb")
KEPT = 6
"""Parses that stay beside the newest: of other seeds, another engine, the state before a change."""


def digest(project: Path, seeds: Path, engine: str) -> str:
    """What a parse depends on: dbt's files, its version, the target, and of the seeds names and declarations."""
    found = hashlib.sha256("\0".join([engine, *(version(package) for package in PACKAGES)]).encode())
    for path in _read(project):
        found.update(f"\0{path.relative_to(project)}\0".encode())
        found.update(path.read_bytes())
    for path in sorted(path for path in seeds.rglob("*") if path.suffix in (".csv", ".yml") and path.is_file()):
        found.update(f"\0{path.relative_to(seeds)}\0".encode())
        # Rows of a seed are read when it is loaded, whatever they were at the parse.
        found.update(path.read_bytes() if path.suffix == ".yml" else b"")
    return found.hexdigest()[:20]


def _read(project: Path) -> Iterator[Path]:
    for name in READ_BY_DBT:
        place = project / name
        yield from sorted(path for path in place.rglob("*") if path.is_file()) if place.is_dir() else [place]


class KeptParse:
    """The parse of one digest: with the project, so that a new home finds it, or in the home where that is closed."""

    def __init__(self, project: Path, work: Path, found: str) -> None:
        self._folders = (project / "target", work)
        self._name = f"parsed-{found}.msgpack"

    def read(self) -> bytes | None:
        """The bytes that dbt wrote, None where nobody has parsed this."""
        for folder in self._folders:
            if (folder / self._name).is_file():
                return (folder / self._name).read_bytes()
        return None

    def keep(self, content: bytes) -> None:
        """Keep it, whole or not at all; the oldest of many make way."""
        folder = next(at for at in self._folders if at.is_dir() and os.access(at, os.W_OK))
        partial = folder / f".{self._name}.{os.getpid()}"
        partial.write_bytes(content)
        partial.replace(folder / self._name)
        others = [path for path in folder.glob("parsed-*.msgpack") if path.name != self._name]
        for path in sorted(others, key=_age, reverse=True)[KEPT:]:
            path.unlink(missing_ok=True)


def _age(path: Path) -> float:
    """When it was written; another process may have removed it."""
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return 0.0


def placeholders(folders: Mapping[str, str]) -> dict[str, str]:
    """What a parse holds in place of each folder: the name of its variable."""
    return {name: name for name in folders}


def pointed(content: bytes, seeds: Path, folders: Mapping[str, str]) -> Manifest:
    """The parse as dbt takes it, with the seeds of a home and its folders in place of their variables' names."""
    from dbt.contracts.graph.manifest import Manifest
    from dbt.parser.manifest import extended_mashumuro_decoder

    manifest: Manifest = Manifest.from_msgpack(content, decoder=extended_mashumuro_decoder)
    for node in manifest.nodes.values():
        if str(node.resource_type) == "seed":
            node.original_file_path = str(seeds.resolve() / node.path)
    for source in manifest.sources.values():
        at: Any = source.config
        at["external_location"] = _filled(at["external_location"], folders)
    return manifest


def _filled(location: str, folders: Mapping[str, str]) -> str:
    for name, folder in folders.items():
        quoted = folder.replace("'", "''")
        # dbt fills in the table's name by Python's format, to which a brace in a path is its own unless doubled.
        location = location.replace(name, quoted.replace("{", "{{").replace("}", "}}"))
    return location
