"""What the tests of the rooms reach: each test file run once by itself, with the statements that each test comes to.

Belongs here: rooms and their tests, running tests, which of them reach a fault. Does not: faults (planting.py).
"""

from __future__ import annotations

import itertools
import json
import os
import resource
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.mutants.choosing import CHOSEN, TOLD
from tests.mutants.planting import Mutant
from tests.mutants.seen.sitecustomize import MODULE, STATEMENTS
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
CPU_SECONDS, CPU_TIMES = 60, 5
"""What the tests of a fault may compute: so much, and so many times what they take where nothing is planted. With more
of it they hang, which is found too. Waiting is not counted."""
PATIENCE_SECONDS = 1800
TRIED_SECONDS = 120
"""How long the tests take that a fault is tried on; what further ones would find counts as not found."""
DIED, HUNG, SURVIVED = "died", "hung", "survived"
NOT_A_TEST = 5
"""What pytest ends with where a file holds no test that it would run here."""

Statement = tuple[str, int]
"""A file below the project and the line of a statement in it; MODULE: what runs when the file is imported."""


@dataclass(frozen=True)
class Reach:
    """What the tests of one file take in seconds, and which of them come to a statement."""

    seconds: Mapping[str, float]
    tests: Mapping[Statement, frozenset[str]]

    def of(self, mutant: Mutant) -> frozenset[str]:
        """The tests that come to a fault; to one that lies in no function, those that come to any function there."""
        if mutant.statement != MODULE:
            return self.tests.get((mutant.file, mutant.statement), frozenset())
        functions = [tests for (file, line), tests in self.tests.items() if file == mutant.file and line != MODULE]
        return frozenset[str]().union(*functions)


def run_tests(project: Path, files: Iterable[str], seconds: float = PATIENCE_SECONDS, **settings: str) -> str:
    """Run test files of a copy of the project until one test fails, with so many seconds to compute."""
    command = [sys.executable, "-m", "pytest", "-x", "-q", "--tb=no", "--assert=plain", "-p", "no:cacheprovider"]
    # Drawn examples are the same each time: a fault is found or it is not.
    fixed = {"PYTHONHASHSEED": "0", "CI": "false", "POLARS_MAX_THREADS": "1", "OMP_NUM_THREADS": "1"}
    # What whoever runs this adds to every pytest is for their own.
    fixed |= {"PYTEST_ADDOPTS": "", "PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": str(project)}
    limit = int(seconds) + 1
    try:
        done = subprocess.run(
            [*command, "-p", "tests.mutants.choosing", "--hypothesis-seed=0", *files],
            cwd=project,
            env=clean_environment(**{**fixed, **settings}),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=PATIENCE_SECONDS,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CPU, (limit, limit)),
            check=False,
        )
    except subprocess.TimeoutExpired:
        return HUNG
    if done.returncode in (0, NOT_A_TEST):
        return SURVIVED
    return HUNG if done.returncode < 0 else DIED


def run_chosen(project: Path, tests: Mapping[str, float]) -> str:
    """Run tests, given with their seconds, until one fails."""
    with tempfile.NamedTemporaryFile("w", suffix=".json") as chosen:
        json.dump(list(tests), chosen)
        chosen.flush()
        files = dict.fromkeys(name.partition("::")[0] for name in tests)
        return run_tests(project, files, CPU_SECONDS + CPU_TIMES * sum(tests.values()), **{CHOSEN: chosen.name})


def files_of(project: Path, room: str) -> list[str]:
    """The test files that are to hold a room."""
    places = [project / place for place in ROOMS[room]]
    files = [file for place in places for file in (sorted(place.glob("test_*.py")) if place.is_dir() else [place])]
    return [str(file.relative_to(project)) for file in files]


def reached(project: Path, test_file: str) -> Reach:
    """Run one test file where nothing is planted; ends the program if it fails: every fault would seem to be found."""
    watching = project / "tests" / "mutants" / "seen"
    with tempfile.TemporaryDirectory() as told, tempfile.NamedTemporaryFile("r", suffix=".json") as run:
        path = os.pathsep.join((str(watching), str(project)))
        seen = os.pathsep.join((told, *(str(project / room) for room in ROOMS)))
        if run_tests(project, [test_file], PYTHONPATH=path, **{STATEMENTS: seen, TOLD: run.name}) != SURVIVED:
            raise SystemExit(f"mutants: {test_file} fails where nothing is planted; mend that first")
        lines = {line for file in Path(told).iterdir() for line in file.read_text(encoding="utf-8").splitlines()}
        tests = json.loads(run.read() or "{}")
    return _reach(project, lines, tests)


def _reach(project: Path, lines: Iterable[str], tests: Mapping[str, Mapping[str, Any]]) -> Reach:
    """By what reached a statement: a test, fixtures of several tests, or reading the file, which is for all of them."""
    by = defaultdict[str, set[str]](set)
    for name, told in tests.items():
        for cause in (name, "", *told["fixtures"]):
            by[cause].add(name)
    found = defaultdict[Statement, set[str]](set)
    for line in lines:
        cause, file, statement = line.split("\t")
        found[str(Path(file).relative_to(project)), int(statement)] |= set(tests) if statement == "0" else by[cause]
    return Reach({name: told["seconds"] for name, told in tests.items()}, {k: frozenset(v) for k, v in found.items()})


def order_of_trial(mutant: Mutant, reaches: Mapping[str, Reach]) -> dict[str, float]:
    """The tests that come to a fault with their seconds, in the order in which they are tried, as far as time goes.

    First files that bear the module's name, then those whose tests are done soonest; of a file the quickest first.
    """
    module = Path(mutant.file).stem
    chosen = {file: reach.of(mutant) for file, reach in reaches.items()}
    seconds = {file: sum(reaches[file].seconds[name] for name in names) for file, names in chosen.items()}
    files = sorted(chosen, key=lambda file: (module not in Path(file).name, seconds[file], file))
    timed = [sorted((reaches[file].seconds[name], name) for name in chosen[file]) for file in files]
    tried, left = dict[str, float](), float(TRIED_SECONDS)
    for took, name in itertools.chain.from_iterable(timed):
        if tried and took > left:
            break
        tried[name] = took
        left -= took
    return tried
