"""One table of everything that is measured beside a reference, and what this machine itself can do.

Belongs here: what a command used, ratios as benchmarks tell them, the machine's own reference, the page of both.
Does not: measuring (each benchmark), or any figure that has no reference.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

PROJECT = Path(__file__).resolve().parents[1]
PAGE = PROJECT / "docs" / "measured.md"
HASHED_BYTES, SORTED_NUMBERS = 256 * 2**20, 4_000_000


class Used(NamedTuple):
    """Seconds that passed, seconds of processors, and the most memory that one of its processes held, in bytes."""

    seconds: float
    processors: float
    memory: int


class Ratio(NamedTuple):
    """What was measured, in seconds of processors, beside what."""

    what: str
    seconds: float
    reference: str
    reference_seconds: float


TOLD: list[Ratio] = []
"""What the benchmarks of this process have told so far."""


def tell(what: str, seconds: float, reference: str, reference_seconds: float) -> None:
    """Have a ratio of seconds of processors stand in the table at the end."""
    TOLD.append(Ratio(what, seconds, reference, reference_seconds))


# A process is said to have held at least what the one that starts it holds: a small one stands between.
BETWEEN = """
import json, resource, subprocess, sys, time
began = time.perf_counter()
code = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL).returncode
seconds, used = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
print(json.dumps([seconds, used.ru_utime + used.ru_stime, used.ru_maxrss * 1024]))
sys.exit(code)
"""


def used_by(command: Sequence[str], environment: Mapping[str, str]) -> Used:
    """What a command used, interpreter and imports included; SystemExit with its own words where it fails."""
    between = [sys.executable, "-S", "-c", BETWEEN, *command]
    done = subprocess.run(between, env=dict(environment), cwd=PROJECT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {done.returncode}\n{done.stderr}")
    seconds, processors, memory = json.loads(done.stdout)
    return Used(seconds, processors, memory)


def machine() -> list[str]:
    """What this machine is, and how long it takes over two things that have nothing to do with the project."""
    import polars as pl

    data = bytes(HASHED_BYTES)
    numbers = pl.Series(range(SORTED_NUMBERS)).hash(1)
    held = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return [
        f"- {os.cpu_count()} cores ({platform.machine()}), {held:.0f} GiB, Python {platform.python_version()}, Polars "
        f"{pl.__version__}; {os.getloadavg()[0]:.1f} processes waited for processors at the end",
        f"- SHA-256 of {HASHED_BYTES // 2**20} MiB: {_processors(lambda: hashlib.sha256(data)):.2f} s of processors; "
        f"{SORTED_NUMBERS:,} whole numbers sorted by Polars: {_processors(numbers.sort):.2f} s",
    ]


def _processors(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


def table(told: Sequence[Ratio]) -> list[str]:
    """The ratios as lines of a Markdown table."""
    return [
        "| measured | s of processors | beside | s of processors | ratio |",
        "|---|---|---|---|---|",
        *(
            f"| {one.what} | {one.seconds:.2f} | {one.reference} | {one.reference_seconds:.2f} "
            f"| {one.seconds / one.reference_seconds:.2f} |"
            for one in told
        ),
    ]


def commit() -> str:
    """The commit that is measured, and whether files differ from it."""

    def git(*arguments: str) -> str:
        asked = ["git", *arguments]
        return subprocess.run(asked, cwd=PROJECT, capture_output=True, text=True, check=True).stdout.strip()

    return git("rev-parse", "--short=12", "HEAD") + (" with changes" if git("status", "--porcelain", "-uno") else "")


def keep(names: Sequence[str], page: Path = PAGE) -> None:
    """Write the page that keeps the table, with the commit and the machine's own reference."""
    day = dt.datetime.now(dt.UTC).date().isoformat()
    command = " ".join(["python -m benchmarks --keep", *names])
    lines = [
        "# Measured",
        "",
        f"Made by `{command}` at commit {commit()} on {day}.",
        "Seconds are those of processors, user and system, children included: other work on a machine lengthens these",
        "much less than the seconds that pass. What each line compares stands in the module of its benchmark.",
        "",
        "The machine and its own reference:",
        "",
        *machine(),
        "",
        *table(TOLD),
        "",
    ]
    page.write_text("\n".join(lines), encoding="utf-8")
    sys.stdout.write(f"{page}\n")
