"""What stands in the warehouse already: every node of dbt under a digest of all that it was made from.

Belongs here: digests of nodes, the record beside the warehouse file, and which nodes it allows to leave as they stand.
Does not: calling dbt (dbt_run.py), or saying what a release was made from (publish/release).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dagster_project.lib.base import engine

if TYPE_CHECKING:
    from dbt.contracts.graph.manifest import Manifest

STANDS = frozenset({"success", "pass", "warn"})
"""What a node must have become to be left as it stands; a test that warned is told again in its own words."""
TEST = "test"


@dataclass(frozen=True)
class NodeResult:
    """What became of one seed, model or test."""

    unique_id: str
    resource_type: str
    name: str
    status: str
    seconds: float
    message: str | None
    failures: int | None

    @property
    def passed(self) -> bool:
        """Whether the node was built, or the test found nothing (a warning is no pass)."""
        return self.status in ("success", "pass")


class NodeDigests:
    """Digests of all that nodes are made from: files of seeds and sources, through every node between.

    A node's own text is not looked at: the record holds for one state of the project (see `Standing`). None where an
    input is missing or unknown, so that the node is built.
    """

    def __init__(self, manifest: Manifest, seeds: Path, sources: Mapping[str, Path]) -> None:
        self._manifest = manifest
        self._seeds = seeds
        self._sources = sources
        self._known: dict[str, str | None] = {}

    def of(self, unique_id: str) -> str | None:
        """The digest of a node or source."""
        if unique_id not in self._known:
            self._known[unique_id] = self._digest(unique_id)
        return self._known[unique_id]

    def _digest(self, unique_id: str) -> str | None:
        if source := self._manifest.sources.get(unique_id):
            folder = self._sources.get(source.source_name)
            return None if folder is None else _content(folder / f"{source.name}.parquet")
        node: Any = self._manifest.nodes.get(unique_id)
        if node is None:
            return None
        if str(node.resource_type) == "seed":
            return _content(self._seeds / node.path)
        parents = {parent: self.of(parent) for parent in node.depends_on_nodes}
        if None in parents.values():
            return None
        return hashlib.sha256(json.dumps([unique_id, parents], sort_keys=True).encode()).hexdigest()


def _content(path: Path) -> str | None:
    if not path.is_file():
        return None
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class Standing:
    """The record of one warehouse file: digest and result of each node that stands in it.

    It holds for one state of the project, one engine and one set of folders (`conditions`), and for the file as the
    last build left it: its size and time are part of the record. It is gone while a build writes, so that a build
    that dies leaves none and the next one builds everything. Only the holder of the home's lock builds.
    """

    def __init__(self, warehouse: Path, conditions: Iterable[str]) -> None:
        self._warehouse = warehouse
        self._path = warehouse.with_suffix(".standing.json")
        told = "\0".join([version("duckdb"), str(warehouse.resolve()), *conditions])
        self._conditions = hashlib.sha256(told.encode()).hexdigest()

    @cached_property
    def _kept(self) -> dict[str, tuple[str, NodeResult]]:
        try:
            record = json.loads(self._path.read_bytes())
            if [record["conditions"], record["file"]] != [self._conditions, self._file()]:
                return {}
            return {name: (digest, NodeResult(**result)) for name, (digest, result) in record["nodes"].items()}
        except (OSError, ValueError, KeyError, TypeError):
            # None, or one that was cut or written by another version: everything is built and a new one is written.
            return {}

    def _file(self) -> list[int] | None:
        """Size and time of the warehouse file; None for none, or one with writes that are not in it yet."""
        if not self._warehouse.is_file() or self._warehouse.with_name(f"{self._warehouse.name}.wal").exists():
            return None
        found = self._warehouse.stat()
        return [found.st_size, found.st_mtime_ns]

    def results(self, digests: Mapping[str, str | None], relations: Mapping[str, tuple[str, str]]) -> list[NodeResult]:
        """Results of those of these nodes that were made from the same and are there.

        relations: schema and name of the table or view of each node that makes one.
        """
        same = [name for name, digest in digests.items() if digest and self._kept.get(name, ("",))[0] == digest]
        if not same:
            return []
        with engine.opened(self._warehouse) as connection:
            rows = connection.execute("select table_schema, table_name from information_schema.tables").fetchall()
        there = {(str(schema), str(table)) for schema, table in rows}
        return [self._kept[name][1] for name in same if name not in relations or relations[name] in there]

    def forget(self) -> None:
        """Take the record away before anything is written; what it said stays known to this object."""
        _ = self._kept
        self._path.unlink(missing_ok=True)

    def keep(self, digests: Mapping[str, str | None], built: Collection[NodeResult]) -> None:
        """Write the record anew after a build: `built` in place of what was said of them, the rest as it was.

        digests: of all nodes that this build was to make, so that one of which nothing is known is not said to stand.
        """
        file = self._file()
        if file is None:
            return
        results = {result.unique_id: result for result in built if result.status in STANDS}
        nodes = {name: (digest, asdict(result)) for name, (digest, result) in self._kept.items() if name not in digests}
        for name, digest in digests.items():
            if digest and name in results:
                nodes[name] = (digest, {**asdict(results[name]), "seconds": 0.0})
        partial = self._path.with_name(f".{self._path.name}.partial")
        partial.write_text(json.dumps({"conditions": self._conditions, "file": file, "nodes": nodes}), encoding="utf-8")
        partial.replace(self._path)
