"""How much of the rules the tests hold: small faults planted one at a time, and how many of them a test finds.

Belongs here: planting a fixed sample of faults into copies of the project, trying them, telling what survived.
Does not: what can be planted (planting.py), which tests are run (reach.py), or tests (tests/unit).

    python -m tests.mutants [--sample 100] [--seed 1] [--jobs 1] [--room dagster_project/lib/analysis]
"""

from __future__ import annotations

import argparse
import compileall
import os
import random
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from typing import TypeVar

from tests.mutants.planting import Mutant, mutants, planted
from tests.mutants.reach import ROOMS, SURVIVED, files_of, order_of_trial, reached, run_chosen

ROOT = Path(__file__).resolve().parents[2]
SHARED = ROOT.parent / "shared"
"""Files that some tests read and that lie beside the project; without them these tests are skipped."""
LEFT_OUT = shutil.ignore_patterns(".venv", ".spark", ".git", "data", "build", "__pycache__", ".*_cache", ".hypothesis")
UNREACHED = "unreached"
"""No test comes to the statement: the fault survived, and there was nothing to run."""
Given, Found = TypeVar("Given"), TypeVar("Found")


@dataclass(frozen=True)
class Copies:
    """Copies of the project, each in use by one trial at a time."""

    number: int
    free: SimpleQueue[Path]

    def each(self, trial: Callable[[Path, Given], Found], given: Iterable[Given]) -> Iterator[Found]:
        """`trial(copy, one)` of all that is given, as many at once as there are copies, in the order given."""

        def one(item: Given) -> Found:
            copied = self.free.get()
            try:
                return trial(copied, item)
            finally:
                self.free.put(copied)

        with ThreadPoolExecutor(self.number) as pool:
            yield from pool.map(one, given)


@contextmanager
def copies(number: int) -> Iterator[Copies]:
    """Copies of the project, each beside the files that lie beside it."""
    with tempfile.TemporaryDirectory() as temporary:
        free: SimpleQueue[Path] = SimpleQueue()
        for each in range(number):
            copied = Path(temporary) / str(each) / "project"
            shutil.copytree(ROOT, copied, ignore=LEFT_OUT, symlinks=True)
            if SHARED.exists():
                copied.with_name(SHARED.name).symlink_to(SHARED)
            for folder in ("contracts", "dagster_project", "examples", "tests"):
                compileall.compile_dir(copied / folder, quiet=1)
            free.put(copied)
        yield Copies(number, free)


def outcome(copied: Path, mutant: Mutant, tests: Mapping[str, float]) -> str:
    """What becomes of a fault that is planted into a copy of the project: it died, hung, survived or is unreached."""
    if not tests:
        return UNREACHED
    path = copied / mutant.file
    source, changed = path.read_text(encoding="utf-8"), path.stat().st_mtime
    path.write_text(planted(source, mutant.place), encoding="utf-8")
    # Compiled files are told by time: the one that is there is not this fault's.
    os.utime(path, (changed + 60, changed + 60))
    try:
        return run_chosen(copied, tests)
    finally:
        path.write_text(source, encoding="utf-8")
        os.utime(path, (changed, changed))


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
    files = [name for room in sorted({one.room for _, one in sample}) for name in files_of(ROOT, room)]
    found, tried = Counter[str](), Counter[str]()
    with copies(arguments.jobs) as projects:
        reaches = dict(zip(files, projects.each(reached, files), strict=True))
        print(f"{len(files)} test files pass where nothing is planted", flush=True)

        def one(copied: Path, numbered: tuple[int, Mutant]) -> str:
            number, mutant = numbered
            verdict = outcome(copied, mutant, order_of_trial(mutant, reaches))
            print(f"{number:4}  {verdict:<9}  {mutant.file}:{mutant.line}  {mutant.what}", flush=True)
            return verdict

        for (_, mutant), verdict in zip(sample, projects.each(one, sample), strict=True):
            tried[mutant.room] += 1
            found[mutant.room] += verdict not in (SURVIVED, UNREACHED)
    for room in sorted(tried):
        print(f"{room}: {found[room]} of {tried[room]} died ({100 * found[room] / tried[room]:.0f} %)")
    print(f"all: {found.total()} of {tried.total()} of {len(everything)} places died")


if __name__ == "__main__":
    main()
