"""How much of the rules the tests hold: small faults planted one at a time, and how many of them a test finds.

Belongs here: planting a fixed sample of faults in the rooms of rules, running their tests, telling what survived.
Does not: tests (tests/unit), other rooms.

    python -m tests.mutants [--sample 100] [--seed 1] [--jobs 1] [--room dagster_project/lib/analysis]
"""

from __future__ import annotations

import argparse
import ast
import copy
import os
import random
import resource
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue

ROOT = Path(__file__).resolve().parents[1]
# Rooms of rules, and the tests that are to hold them, those first that are done soonest. Of intake's tests only those
# that take rows in: what others would find counts as not found.
ROOMS = {
    "dagster_project/lib/analysis": ("tests/unit/analysis", "tests/unit/rubric"),
    "dagster_project/lib/disclosure": ("tests/unit/disclosure", "tests/unit/disclosure_attack"),
    "dagster_project/lib/intake/rows": tuple(
        f"tests/unit/intake/test_{name}.py"
        for name in (
            "cells", "labels", "values", "registers", "whole", "judging_rules", "number_formats", "near_names",
            "catalogue_examples", "explanations", "contract_versions", "fuzz_corpus", "field_texts", "known_truth",
        )
    ),
}  # fmt: skip
CPU_SECONDS = 600
"""What the tests of a fault may compute; with more of it they hang, which is found too. Waiting is not counted."""
PATIENCE_SECONDS = 7200
DIED, HUNG, SURVIVED = "died", "hung", "survived"
SHARED = ROOT.parent / "shared"
"""Files that some tests read and that lie beside the project; without them these tests are skipped."""
LEFT_OUT = shutil.ignore_patterns(".venv", ".git", "data", "build", "__pycache__", ".*_cache", ".hypothesis")
SWAPPED: dict[type[ast.AST], type[ast.AST]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
    ast.And: ast.Or, ast.Or: ast.And, ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd,
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.FloorDiv: ast.Div,
}  # fmt: skip
NAMES = {"min": "max", "max": "min", "any": "all", "all": "any", "any_horizontal": "all_horizontal"}


@dataclass(frozen=True)
class Mutant:
    """One fault: the room, the file, and the number of the place within the file."""

    room: str
    file: str
    place: int
    line: int
    what: str


def _changes(node: ast.AST) -> str | None:
    """What planting a fault at a node would do; None where none is planted."""
    match node:
        case ast.Compare(ops=[op]) | ast.BoolOp(op=op) | ast.BinOp(op=op) if type(op) in SWAPPED:
            if isinstance(op, ast.BitOr) and _is_type(node):
                return None
            return f"{type(op).__name__} to {SWAPPED[type(op)].__name__}"
        case ast.UnaryOp(op=ast.Not() | ast.Invert()):
            return "a negation left out"
        case ast.Constant(value=bool() as value):
            return f"{value} to {not value}"
        case ast.Constant(value=int() | float() as value):
            return f"{value} to {value + 1}"
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)) if name in NAMES:
            return f"{name} to {NAMES[name]}"
        case ast.If() | ast.IfExp():
            return "a condition turned round"
    return None


def _is_type(node: ast.AST) -> bool:
    """Whether `a | b` is one of types: of names, None and subscripts alone."""
    of_types = ast.Name | ast.Constant | ast.Subscript | ast.Attribute | ast.Tuple | ast.BinOp | ast.BitOr | ast.Load
    return all(isinstance(part, of_types) for part in ast.walk(node))


def _plant(node: ast.AST) -> ast.AST:
    match node:
        case ast.Compare(ops=[op]):
            node.ops = [SWAPPED[type(op)]()]  # type: ignore[list-item]
        case ast.BoolOp(op=op) | ast.BinOp(op=op):
            node.op = SWAPPED[type(op)]()  # type: ignore[assignment]
        case ast.UnaryOp():
            return node.operand
        case ast.Constant(value=bool() as value):
            node.value = not value
        case ast.Constant(value=int() | float() as value):
            node.value = value + 1
        case ast.Call(func=ast.Name() as called):
            called.id = NAMES[called.id]
        case ast.Call(func=ast.Attribute() as called):
            called.attr = NAMES[called.attr]
        case ast.If() | ast.IfExp():
            node.test = ast.UnaryOp(ast.Not(), node.test)
    return node


class _Planter(ast.NodeTransformer):
    """Counts places, and plants the fault at one of them. Annotations, decorators, texts and errors are passed over."""

    def __init__(self, place: int | None) -> None:
        self.place = place
        self.places: list[tuple[int, str]] = []

    def visit(self, node: ast.AST) -> ast.AST:
        if isinstance(node, ast.AnnAssign):
            node.value = self.visit(node.value) if node.value else None  # type: ignore[assignment]
            return node
        if isinstance(node, ast.arguments | ast.Assert | ast.Import | ast.ImportFrom | ast.Raise | ast.JoinedStr):
            return node
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            node.body = [self.visit(part) for part in node.body]  # type: ignore[misc]
            return node
        what = _changes(node)
        mine = what is not None and len(self.places) == self.place
        if what is not None:
            self.places.append((node.lineno, what))  # type: ignore[attr-defined]
        self.generic_visit(node)
        return _plant(node) if mine else node


def mutants(root: Path, room: str) -> Iterator[Mutant]:
    """Every fault that can be planted in a room."""
    for path in sorted((root / room).rglob("*.py")):
        planter = _Planter(None)
        planter.visit(ast.parse(path.read_text(encoding="utf-8")))
        for place, (line, what) in enumerate(planter.places):
            yield Mutant(room, str(path.relative_to(root)), place, line, what)


def planted(source: str, place: int) -> str:
    """The module with the fault at that place."""
    return ast.unparse(ast.fix_missing_locations(_Planter(place).visit(copy.deepcopy(ast.parse(source)))))


def tests_of(root: Path, mutant: Mutant) -> list[tuple[str, ...]]:
    """What is run, one after the other until something fails: first the tests that name the module, then all."""
    module = Path(mutant.file).stem
    everything = tuple(
        str(path.relative_to(root))
        for place in ROOMS[mutant.room]
        for path in (sorted((root / place).glob("test_*.py")) if (root / place).is_dir() else [root / place])
    )
    near = tuple(
        path
        for path in everything
        if module in Path(path).name or f".{module} import" in (root / path).read_text(encoding="utf-8")
    )
    rest = tuple(path for path in everything if path not in near)
    return [tests for tests in (near, rest) if tests]


def outcome(copied: Path, mutant: Mutant) -> str:
    """What becomes of a fault that is planted into a copy of the project: it died, hung or survived."""
    path = copied / mutant.file
    source, times = path.read_text(encoding="utf-8"), path.stat()
    path.write_text(planted(source, mutant.place), encoding="utf-8")
    try:
        for tests in tests_of(copied, mutant):
            if (found := _run(copied, tests, "-B")) != SURVIVED:
                return found
        return SURVIVED
    finally:
        path.write_text(source, encoding="utf-8")
        os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


def _run(copied: Path, tests: Sequence[str], *options: str) -> str:
    command = [sys.executable, *options, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "--hypothesis-seed=0"]
    try:
        done = subprocess.run(
            [*command, *tests],
            cwd=copied,
            env=_environment(copied),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=PATIENCE_SECONDS,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS)),
            check=False,
        )
    except subprocess.TimeoutExpired:
        return HUNG
    return HUNG if done.returncode < 0 else DIED if done.returncode else SURVIVED


def _environment(copied: Path) -> dict[str, str]:
    from tests.support import clean_environment

    # Drawn examples are the same each time: a fault is found or it is not.
    fixed = {"PYTHONHASHSEED": "0", "CI": "false", "POLARS_MAX_THREADS": "1", "OMP_NUM_THREADS": "1"}
    return clean_environment(PYTHONPATH=copied, **fixed)


def copies(temporary: Path, number: int, rooms: Sequence[str]) -> SimpleQueue[Path]:
    """Copies of the project, one for each fault that is tried at once; ends the program if the tests fail as it is.

    What these first tests compiled is kept: a planted fault has another time and is compiled by itself.
    """
    first = temporary / "0" / "project"
    shutil.copytree(ROOT, first, ignore=LEFT_OUT, symlinks=True)
    made = [first, *(temporary / str(each) / "project" for each in range(1, number))]
    for copied in made:
        copied.parent.mkdir(exist_ok=True)
        if SHARED.exists():
            copied.with_name(SHARED.name).symlink_to(SHARED)
    if any(_run(first, ROOMS[room]) != SURVIVED for room in rooms):
        raise SystemExit("mutants: tests fail where nothing is planted, so that every fault would seem to be found")
    free: SimpleQueue[Path] = SimpleQueue()
    for copied in made:
        if copied != first:
            shutil.copytree(first, copied, symlinks=True)
        free.put(copied)
    return free


def main() -> None:
    """Plant a sample and print what became of each, then the score of each room."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sample", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=1, help="faults that are tried at once")
    parser.add_argument("--only", type=int, action="append", help="a number of the sample (may be repeated)")
    parser.add_argument("--room", action="append", choices=sorted(ROOMS), help="one room alone (may be repeated)")
    arguments = parser.parse_args()
    rooms = arguments.room or list(ROOMS)
    everything = [one for room in rooms for one in mutants(ROOT, room)]
    drawn = random.Random(arguments.seed).sample(everything, min(arguments.sample, len(everything)))
    sample = [(number, one) for number, one in enumerate(drawn, 1) if number in (arguments.only or [number])]
    found, tried = Counter[str](), Counter[str]()
    with tempfile.TemporaryDirectory() as temporary, ThreadPoolExecutor(arguments.jobs) as pool:
        free = copies(Path(temporary), arguments.jobs, rooms)

        def one(numbered: tuple[int, Mutant]) -> str:
            number, mutant = numbered
            copied = free.get()
            try:
                verdict = outcome(copied, mutant)
            finally:
                free.put(copied)
            print(f"{number:4}  {verdict:<8}  {mutant.file}:{mutant.line}  {mutant.what}", flush=True)
            return verdict

        for (_, mutant), verdict in zip(sample, pool.map(one, sample), strict=True):
            tried[mutant.room] += 1
            found[mutant.room] += verdict != SURVIVED
    for room in sorted(tried):
        print(f"{room}: {found[room]} of {tried[room]} died ({100 * found[room] / tried[room]:.0f} %)")
    print(f"all: {found.total()} of {tried.total()} of {len(everything)} places died")


if __name__ == "__main__":
    main()
