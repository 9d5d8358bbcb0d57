"""What a process keeps from one piece of work to the next is bounded: the daemon's and the page's memory stays level.

Belongs here: kept answers (functools) and containers of modules, by what they can grow to.
Does not: memory that was seen (docs/operations.md, benchmarks/load.py), files that are kept on disk.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2] / "dagster_project"
CLOSED = {"path": "a file of the project", "code": "a language that the project speaks; another is an error"}
"""Arguments of kept answers without a bound, and why they are few."""
EMPTY = re.compile(r"\{\}|\[\]|(?:dict|list|set|deque|OrderedDict|Counter)\(\)|defaultdict\(.*\)")
HELD = {("instance/runs.py", "_held"): "a home's lock while a run holds it"}
"""Containers of modules that are changed while a process lives."""


def functions() -> Iterator[tuple[str, ast.FunctionDef]]:
    for path in sorted(ROOT.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef):
                yield f"{path.relative_to(ROOT)}:{node.name}", node


def test_answers_that_are_kept_without_a_bound_depend_on_nothing_that_comes_from_outside() -> None:
    kept, open_ended = 0, []
    for name, node in functions():
        for decorator in map(ast.unparse, node.decorator_list):
            if decorator.removeprefix("functools.") in ("cache", "lru_cache(None)", "lru_cache(maxsize=None)"):
                kept += 1
                open_ended += [f"{name}({each.arg})" for each in node.args.args if each.arg not in CLOSED]
    assert kept, "some answers are kept"
    assert open_ended == []


def containers() -> Iterator[tuple[str, str]]:
    """Empty dicts, lists and sets of modules; what is declared as a Mapping or a Sequence is never changed."""
    for path in sorted(ROOT.rglob("*.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            match node:
                case ast.AnnAssign(target=ast.Name(id=name), annotation=told, value=value):
                    fixed = ast.unparse(told).startswith(("Mapping", "Sequence", "Collection"))
                case ast.Assign(targets=[ast.Name(id=name)], value=value):
                    fixed = False
                case _:
                    continue
            if not fixed and value is not None and EMPTY.fullmatch(ast.unparse(value)):
                yield str(path.relative_to(ROOT)), name


def test_no_module_holds_a_container_that_grows_with_what_a_process_did() -> None:
    assert set(containers()) == set(HELD)
