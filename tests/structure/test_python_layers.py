"""The house's layers in Python: data flows one way, and nothing reaches back.

Belongs here: which room may import which, circles, the measures of a room and of a module, imports of Dagster in lib.
Does not: dbt's layers (test_dbt_layers.py), what the modules do.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = "dagster_project"
LIB = f"{PACKAGE}.lib"
MOST_MODULES, MOST_LINES = 14, 600
CHARTER = ("Belongs here:", "Does not:")

# From left to right, as data flow. A module may import from its own place and from places to the left of it.
ROOMS = (
    f"{PACKAGE}.settings",
    f"{LIB}.base",
    f"{LIB}.intake.findings",
    f"{LIB}.intake.tables",
    f"{LIB}.intake.bucket",
    f"{LIB}.intake.reading",
    f"{LIB}.intake.layouts",
    f"{LIB}.intake.rows",
    f"{LIB}.intake.comparing",
    f"{LIB}.intake",
    f"{LIB}.warehouse",
    f"{LIB}.analysis.vocabulary",
    f"{LIB}.analysis.tables",
    f"{LIB}.analysis.figures",
    f"{LIB}.analysis.rubric",
    f"{LIB}.analysis.records",
    f"{LIB}.analysis",
    f"{LIB}.disclosure",
    f"{LIB}.publish.release",
    f"{LIB}.publish.report",
    f"{LIB}.publish",
    f"{LIB}.receipts",
    f"{LIB}.member",
    f"{LIB}.monitoring",
    f"{LIB}.app",
    f"{PACKAGE}.partitions",
    f"{PACKAGE}.instance",
    f"{PACKAGE}.defs",
    f"{PACKAGE}.definitions",
    f"{PACKAGE}.web",
    f"{PACKAGE}.cli",
)
# One name that older homes' dagster.yaml knows, and one call that needs the definitions when it is made.
OUTSIDE = {f"{PACKAGE}.history"}
LATE = {(f"{PACKAGE}.instance.runs", f"{PACKAGE}.definitions")}


@cache
def modules() -> dict[str, Path]:
    """Every module of the project by its dotted name; a package goes by its own name."""
    found = {}
    for path in sorted((ROOT / PACKAGE).rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


@cache
def tree(name: str) -> ast.Module:
    """A module as parsed."""
    return ast.parse(modules()[name].read_text(encoding="utf-8"))


def imported(name: str) -> Iterator[str]:
    """Modules of the project that a module imports, wherever in it the import stands; for type checking alone too."""
    for node in ast.walk(tree(name)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in modules())
        elif isinstance(node, ast.ImportFrom) and node.module in modules():
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                yield whole if whole in modules() else node.module


def room_of(name: str) -> int | None:
    """The position of a module's place, by its longest prefix; None for the packages that only hold others."""
    fits = [(len(room), position) for position, room in enumerate(ROOMS) if name == room or name.startswith(f"{room}.")]
    return max(fits)[1] if fits else None


def arrows() -> Iterator[tuple[str, str]]:
    """Who imports whom."""
    for name in modules():
        yield from ((name, other) for other in imported(name) if other != name)


def test_every_module_has_a_place() -> None:
    homeless = {name for name in modules() if room_of(name) is None} - OUTSIDE
    assert homeless == {PACKAGE, LIB}


def test_no_arrow_runs_back() -> None:
    back = [
        f"{name} imports {other}"
        for name, other in arrows()
        if name not in OUTSIDE and (name, other) not in LATE and (room_of(name) or 0) < (room_of(other) or 0)
    ]
    assert back == []


def test_there_is_no_circle() -> None:
    graph: dict[str, set[str]] = {}
    for name, other in arrows():
        if (name, other) not in LATE:
            graph.setdefault(name, set()).add(other)
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(reversed(error.args[1])))


def test_the_analysis_imports_base_and_contracts_only() -> None:
    others = [
        f"{name} imports {other}"
        for name, other in arrows()
        if name.startswith(f"{LIB}.analysis") and not other.startswith((f"{LIB}.analysis", f"{LIB}.base"))
    ]
    assert others == []


def test_nothing_in_lib_imports_dagster() -> None:
    guilty = []
    for name in modules():
        if name.startswith(LIB):
            for node in ast.walk(tree(name)):
                named = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
                named += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
                guilty += [name for module in named if module.split(".")[0] == "dagster"]
    assert guilty == []


def test_no_room_holds_more_modules_than_a_person_can_see_at_once() -> None:
    full = {}
    for folder in {path.parent for name, path in modules().items() if name.startswith(LIB)}:
        number = sum(1 for path in folder.glob("*.py") if path.name != "__init__.py")
        if number > MOST_MODULES:
            full[folder.relative_to(ROOT).as_posix()] = number
    assert full == {}


def test_no_module_is_longer_than_one_can_read() -> None:
    lines = {name: path.read_text(encoding="utf-8").count("\n") for name, path in modules().items()}
    assert {name: number for name, number in lines.items() if number > MOST_LINES} == {}


def test_every_module_opens_with_what_belongs_there_and_what_does_not() -> None:
    silent = [name for name in modules() if not all(line in (ast.get_docstring(tree(name)) or "") for line in CHARTER)]
    assert silent == []


def test_only_the_engine_opens_the_engine() -> None:
    seam = f"{LIB}.base.engine"
    others = []
    for name in modules():
        for node in ast.walk(tree(name)):
            if isinstance(node, ast.Import) and any(alias.name == "duckdb" for alias in node.names) and name != seam:
                others.append(name)
    assert others == []
