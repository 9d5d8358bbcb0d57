"""Calling dbt within this process.

Belongs here: one call of dbt build with its environment, of everything or of what changed, and its results.
Does not: which models exist (dbt/), keeping a parse (parsed.py), what stands (standing.py), events (defs/).
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from graphlib import TopologicalSorter
from pathlib import Path
from threading import current_thread, main_thread
from types import FrameType
from typing import TYPE_CHECKING, Any

from dagster_project.lib.base.store import make_private
from dagster_project.lib.warehouse.parsed import KeptParse, digest, placeholders, pointed
from dagster_project.lib.warehouse.standing import TEST, NodeDigests, NodeResult, Standing

if TYPE_CHECKING:
    from dbt.contracts.graph.manifest import Manifest

PROJECT = Path(__file__).resolve().parents[3] / "dbt"
MANIFEST = PROJECT / "target" / "manifest.json"
ANSI = re.compile(r"\x1b\[[0-9;]*m")
LONGEST_MESSAGE = 400
TOLD_ROWS = 3
FAILED = frozenset({"error", "fail", "runtime error"})
# Unit tests prove the models on made-up rows: they belong to `make test`, not to every run.
NO_UNIT_TESTS = ("--exclude-resource-type", "unit_test")
CHANGED = "changed_since_it_was_built"
"""The tag that nodes have for the length of one build, in the parse that this build read."""
EMBEDDED = "embedded"
"""The target of profiles.yml that is one DuckDB file."""


class WarehouseError(RuntimeError):
    """A model or a blocking test failed; the message names each, with what dbt said."""


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
    with _project(places, engine) as project:
        return project.build(arguments)


def build_changed(places: DbtPlaces, tag: str, *, tagged: bool) -> list[NodeResult]:
    """`dbt build` of all nodes with a tag, or of all others, but those that stand from the same inputs already.

    A test goes with the tag if a model that it reads has it. Results of all of them, each behind its parents: those
    that were left as they stand have the results of the build that made them, in no time. WarehouseError if dbt could
    not start.
    """
    with _project(places, EMBEDDED) as project:
        nodes: Mapping[str, Any] = _of_tag(project.manifest.nodes, tag, tagged)
        found = NodeDigests(project.manifest, places.seeds, {"landing": places.landing, "analysis": places.analysis})
        digests = {name: found.of(name) for name in nodes}
        relations = {name: (node.schema, node.alias) for name, node in nodes.items() if str(node.resource_type) != TEST}
        folders = (places.seeds, places.landing, places.analysis)
        standing = Standing(places.warehouse, [project.digest, *(str(folder.resolve()) for folder in folders)])
        left = standing.results(digests, relations)
        changed = {name: nodes[name] for name in sorted(nodes.keys() - {result.unique_id for result in left})}
        if not changed:
            return _in_order(left, nodes)
        standing.forget()
        # One name for all of them: dbt holds each name that is selected against every node of the project.
        for node in changed.values():
            node.tags = [*node.tags, CHANGED]
        built = project.build(["--indirect-selection", "empty", *NO_UNIT_TESTS, "--select", f"tag:{CHANGED}"])
    if missed := changed.keys() - {result.unique_id for result in built}:
        raise WarehouseError(f"dbt did not build {', '.join(sorted(missed))}")
    results = {result.unique_id: result for result in [*left, *built]}
    standing.keep(digests, results.values())
    return _in_order(results.values(), nodes)


def _of_tag(nodes: Mapping[str, Any], tag: str, tagged: bool) -> dict[str, Any]:
    own = {name for name, node in nodes.items() if tag in node.tags}
    with_tests = own | {name for name, node in nodes.items() if own.intersection(node.depends_on_nodes) and _test(node)}
    return {name: node for name, node in nodes.items() if (name in with_tests) == tagged}


def _in_order(results: Iterable[NodeResult], nodes: Mapping[str, Any]) -> list[NodeResult]:
    """Results with each node behind those that it depends on, and a test right behind the last that it reads."""
    graph = {name: node.depends_on_nodes for name, node in nodes.items() if not _test(node)}
    order = {name: number for number, name in enumerate(TopologicalSorter(graph).static_order())}

    def place(result: NodeResult) -> tuple[int, bool, str]:
        name, node = result.unique_id, nodes[result.unique_id]
        last = max((order.get(parent, -1) for parent in node.depends_on_nodes), default=-1)
        return (last if _test(node) else order[name]), _test(node), name

    return sorted(results, key=place)


def _test(node: Any) -> bool:
    return str(node.resource_type) == TEST


@dataclass(frozen=True)
class _Project:
    """The project as dbt has read it, with the options of every call."""

    manifest: Manifest
    digest: str
    options: Sequence[str]
    folders: Sequence[str]
    environment: Mapping[str, str]

    def build(self, arguments: Sequence[str]) -> list[NodeResult]:
        """`dbt build`."""
        from dbt.cli.main import dbtRunner

        with _environment(self.environment):
            outcome = dbtRunner(self.manifest).invoke(
                [*self.options, "build", "--no-write-json", *self.folders, *arguments]
            )
        _raise_ended(outcome.exception)
        if outcome.exception is not None or outcome.result is None:
            raise WarehouseError(f"dbt could not run: {outcome.exception}")
        results: Any = outcome.result
        return [_result(result, self.manifest.metadata.adapter_type) for result in results.results]


def _raise_ended(exception: BaseException | None) -> None:
    """Somebody ended the run, which dbt hands back like a fault of its own."""
    if exception is not None and not isinstance(exception, Exception):
        raise exception


@contextmanager
def _ended_as_dbt_knows() -> Iterator[None]:
    """dbt stops its queries on KeyboardInterrupt alone, and its process dies of them where another class is raised.

    Only a handler of Python's own kind is replaced, for the time of a build: who ignores a signal goes on ignoring it.
    What reads dbt's files and classes takes an interruption for a failed try, and goes on or fails for another reason:
    so it is raised once more at the end.
    """
    ended = []

    def end(number: int, _frame: FrameType | None) -> None:
        ended.append(number)
        raise KeyboardInterrupt

    signals = (signal.SIGINT, signal.SIGTERM) if current_thread() is main_thread() else ()
    raising = {one: signal.getsignal(one) for one in signals if callable(signal.getsignal(one))}
    try:
        for one in raising:
            signal.signal(one, end)
        yield
    except Exception:
        if ended:
            raise KeyboardInterrupt from None
        raise
    finally:
        for one, before in raising.items():
            signal.signal(one, before)
    if ended:
        raise KeyboardInterrupt


@contextmanager
def _project(places: DbtPlaces, engine: str) -> Iterator[_Project]:
    with _ended_as_dbt_knows():
        # Imported late: they cost a second that other commands need not pay.
        from dbt.adapters.duckdb.connections import DuckDBConnectionManager

        make_private(places.work)
        # Each call has a target folder of its own: two runs never share one.
        target = Path(tempfile.mkdtemp(prefix="dbt-", dir=places.work))
        try:
            # What dbt has to say comes back in its results; its own log would mix with the command's lines.
            options = ["--quiet", "--log-level", "none", "--no-use-colors"]
            folders = ["--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT), "--target", engine]
            folders += ["--target-path", str(target), "--log-path", str(target)]
            made_from = digest(PROJECT, places.seeds, engine)
            parse = _parse(places, [*options, "parse", *folders], made_from, target)
            manifest = pointed(parse, places.seeds, places.sources)
            yield _Project(manifest, made_from, options, folders, places.environment)
        finally:
            # The target keeps the file open over all nodes (profiles.yml); whoever reads it next needs it closed.
            DuckDBConnectionManager.close_all_connections()  # type: ignore[no-untyped-call]
            shutil.rmtree(target, ignore_errors=True)


def _parse(places: DbtPlaces, command: Sequence[str], made_from: str, target: Path) -> bytes:
    """The parse of the project as it stands: kept from another call, of this home or any other, or made now."""
    from dbt.cli.main import dbtRunner

    kept = KeptParse(PROJECT, places.work, made_from)
    found = kept.read()
    if found is None:
        with _environment(places.environment | placeholders(places.sources)):
            outcome = dbtRunner().invoke([*command, "--no-write-json"])
        _raise_ended(outcome.exception)
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


def _result(result: Any, engine: str | None) -> NodeResult:
    name, message = result.node.name, result.message
    if table := getattr(result.node, "attached_node", None):
        name = f"promises of {table.rpartition('.')[2]}"
        if engine and result.failures and str(result.status) in FAILED:
            message = f"{result.failures} found: {_first_found(result.node.compiled_code, engine)}"
    return NodeResult(
        result.node.unique_id,
        str(result.node.resource_type),
        name,
        str(result.status),
        float(result.execution_time),
        message,
        result.failures,
    )


def _first_found(query: str, engine: str) -> str:
    """The first rows that a failed test of a table answers with, which dbt counts and does not tell."""
    from dbt.adapters.factory import FACTORY

    adapter: Any = FACTORY.lookup_adapter(engine)
    try:
        with adapter.connection_named("what_a_test_found"):
            _, found = adapter.execute(f"select * from ({query}) as found order by all limit {TOLD_ROWS}", fetch=True)
    finally:
        # What it holds open keeps the next reader of the file out, who would tell of that and not of the rows.
        adapter.cleanup_connections()
    rows = [[f"{name} {value}" for name, value in zip(found.column_names, row, strict=True)] for row in found.rows]
    return "; ".join(", ".join(row) for row in rows)


@contextmanager
def _environment(values: Mapping[str, str]) -> Iterator[None]:
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
