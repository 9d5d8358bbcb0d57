"""Calling dbt within this process.

Belongs here: one call of dbt build with its environment, and its results as plain rows.
Does not: which models exist (dbt/), keeping a parse (parsed.py), how results become asset events (defs/warehouse.py).
"""

from __future__ import annotations

import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dagster_project.lib.warehouse.parsed import KeptParse, digest, placeholders, pointed

PROJECT = Path(__file__).resolve().parents[3] / "dbt"
MANIFEST = PROJECT / "target" / "manifest.json"
ANSI = re.compile(r"\x1b\[[0-9;]*m")
LONGEST_MESSAGE = 400
FAILED = frozenset({"error", "fail", "runtime error"})
EMBEDDED = "embedded"
"""The target of profiles.yml that is one DuckDB file."""


class WarehouseError(RuntimeError):
    """A model or a blocking test failed; the message names each, with what dbt said."""


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


@dataclass(frozen=True)
class DbtPlaces:
    """Folders and files that dbt reads and writes."""

    seeds: Path
    landing: Path
    analysis: Path
    warehouse: Path
    work: Path

    @property
    def sources(self) -> dict[str, str]:
        """The folders that sources lie in, by the variable that their declarations name."""
        return {"LANDING_PATH": str(self.landing), "ANALYSIS_PATH": str(self.analysis)}

    @property
    def environment(self) -> dict[str, str]:
        """Environment variables of dbt_project.yml, profiles.yml and the sources."""
        return self.sources | {
            "CRADLE_SEEDS": str(self.seeds),
            "WAREHOUSE_PATH": str(self.warehouse),
            "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        }


def dbt_build(places: DbtPlaces, arguments: Sequence[str], engine: str = EMBEDDED) -> list[NodeResult]:
    """Run `dbt build` with the given selection; results in dbt's order. WarehouseError if dbt could not start.

    engine: a target of profiles.yml; a session of Spark is open before.

    Failures of nodes are results, not errors: the caller decides what blocks (see `raise_for`).
    """
    # Imported late: they cost a second that other commands need not pay.
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager
    from dbt.cli.main import dbtRunner

    places.work.mkdir(parents=True, exist_ok=True)
    # Each call has a target folder of its own: two runs never share one.
    target = Path(tempfile.mkdtemp(prefix="dbt-", dir=places.work))
    try:
        # What dbt has to say comes back in its results; its own log would mix with the command's lines.
        options = ["--quiet", "--log-level", "none", "--no-use-colors"]
        folders = ["--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT), "--target", engine]
        folders += ["--target-path", str(target), "--log-path", str(target)]
        parse = _parse(places, [*options, "parse", *folders], engine, target)
        manifest = pointed(parse, places.seeds, places.sources)
        with _environment(places.environment):
            outcome = dbtRunner(manifest).invoke([*options, "build", "--no-write-json", *folders, *arguments])
    finally:
        # The target keeps the file open over all nodes (profiles.yml); whoever reads it next needs it closed.
        DuckDBConnectionManager.close_all_connections()  # type: ignore[no-untyped-call]
        shutil.rmtree(target, ignore_errors=True)
    if outcome.exception is not None or outcome.result is None:
        raise WarehouseError(f"dbt could not run: {outcome.exception}")
    results: Any = outcome.result
    return [_result(result) for result in results.results]


def _parse(places: DbtPlaces, command: Sequence[str], engine: str, target: Path) -> bytes:
    """The parse of the project as it stands: kept from another call, of this home or any other, or made now."""
    from dbt.cli.main import dbtRunner

    kept = KeptParse(PROJECT, places.work, digest(PROJECT, places.seeds, engine))
    found = kept.read()
    if found is None:
        with _environment(places.environment | placeholders(places.sources)):
            outcome = dbtRunner().invoke([*command, "--no-write-json"])
        if outcome.exception is not None:
            raise WarehouseError(f"dbt could not read its project: {outcome.exception}")
        found = (target / "partial_parse.msgpack").read_bytes()
        kept.keep(found)
    return found


def raise_for(results: Sequence[NodeResult]) -> None:
    """WarehouseError if anything failed: the first failed node, how many more, and what dbt said, in one line."""
    failed = [result for result in results if result.status in FAILED]
    if failed:
        first = failed[0]
        said = ANSI.sub("", " ".join((first.message or first.status).split()))
        others = f" and {len(failed) - 1} more" if len(failed) > 1 else ""
        raise WarehouseError(f"dbt: {first.name}{others} of {len(results)} nodes failed: {said[:LONGEST_MESSAGE]}")


def table_keys(manifest: Path) -> dict[str, list[str]]:
    """Key columns of each model by its name, from the tests of the manifest that prove them."""
    nodes = json.loads(manifest.read_text(encoding="utf-8"))["nodes"]
    keys: dict[str, list[str]] = {}
    for node in nodes.values():
        test = node.get("test_metadata") or {}
        model = nodes.get(node.get("attached_node") or "", {}).get("name")
        if model and test.get("name") == "unique_combination":
            keys[model] = list(test["kwargs"]["columns"])
        elif model and test.get("name") == "unique":
            keys.setdefault(model, [test["kwargs"]["column_name"]])
    return keys


def _result(result: Any) -> NodeResult:
    return NodeResult(
        result.node.unique_id,
        str(result.node.resource_type),
        result.node.name,
        str(result.status),
        float(result.execution_time),
        result.message,
        result.failures,
    )


@contextmanager
def _environment(values: dict[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
