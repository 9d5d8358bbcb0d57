"""What the tests of the rooms reach: each test file run once by itself, with the functions that it called.

Belongs here: rooms and their tests, running test files, which of them call a function. Does not: faults (planting.py).
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.mutants.planting import Mutant
from tests.mutants.seen.sitecustomize import FUNCTIONS
from tests.support import clean_environment

# Rooms of rules, and the tests that are to hold them. Of intake's tests only those that take rows in: what others would
# find counts as not found.
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
NOT_A_TEST = 5
"""What pytest ends with where a file holds no test that it would run here."""

Function = tuple[str, int]
"""A file below the project and the first line of a function in it; MODULE: what runs when the file is imported."""


@dataclass(frozen=True)
class Reach:
    """What one test file calls, and the seconds that it takes."""

    functions: frozenset[Function]
    seconds: float


def run_tests(project: Path, tests: Iterable[str], **settings: str) -> str:
    """Run test files of a copy of the project until one fails."""
    command = [sys.executable, "-B", "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "--hypothesis-seed=0"]
    # Drawn examples are the same each time: a fault is found or it is not.
    fixed = {"PYTHONHASHSEED": "0", "CI": "false", "POLARS_MAX_THREADS": "1", "OMP_NUM_THREADS": "1"}
    # What whoever runs this adds to every pytest is for their own.
    fixed["PYTEST_ADDOPTS"] = ""
    try:
        done = subprocess.run(
            [*command, *tests],
            cwd=project,
            env=clean_environment(**{"PYTHONPATH": str(project), **fixed, **settings}),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=PATIENCE_SECONDS,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS)),
            check=False,
        )
    except subprocess.TimeoutExpired:
        return HUNG
    if done.returncode in (0, NOT_A_TEST):
        return SURVIVED
    return HUNG if done.returncode < 0 else DIED


def files_of(project: Path, room: str) -> list[str]:
    """The test files that are to hold a room."""
    places = [project / place for place in ROOMS[room]]
    files = [file for place in places for file in (sorted(place.glob("test_*.py")) if place.is_dir() else [place])]
    return [str(file.relative_to(project)) for file in files]


def reached(project: Path, test_file: str) -> Reach:
    """Run one test file where nothing is planted; ends the program if it fails: every fault would seem to be found."""
    watching = project / "tests" / "mutants" / "seen"
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as told:
        path = os.pathsep.join((str(watching), str(project)))
        seen = os.pathsep.join((told, str(project / "dagster_project")))
        if run_tests(project, [test_file], PYTHONPATH=path, **{FUNCTIONS: seen}) != SURVIVED:
            raise SystemExit(f"mutants: {test_file} fails where nothing is planted; mend that first")
        lines = {line for file in Path(told).iterdir() for line in file.read_text(encoding="utf-8").splitlines()}
    return Reach(frozenset(_function(project, line) for line in lines), time.monotonic() - began)


def _function(project: Path, line: str) -> Function:
    file, first = line.split("\t")
    return str(Path(file).relative_to(project)), int(first)


def order_of_trial(mutant: Mutant, reaches: Mapping[str, Reach]) -> Sequence[str]:
    """The test files that call the function of a fault, in the order in which they are tried.

    First those that bear the module's name, then those that are done soonest. Of a fault that lies in no function all
    that import the module.
    """
    module = Path(mutant.file).stem
    calling = [name for name, reach in reaches.items() if (mutant.file, mutant.function) in reach.functions]
    return sorted(calling, key=lambda name: (module not in Path(name).name, reaches[name].seconds, name))
