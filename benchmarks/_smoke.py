"""Every benchmark once over next to nothing: that it still runs, not how fast.

Belongs here: the arguments of each (smoke.csv), one process a benchmark, a small home for those that need one.
Does not: any ratio; figures come from the benchmarks with their own arguments.
"""

from __future__ import annotations

import csv
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from benchmarks._homes import environment
from examples.generate import generate

ROOT = Path(__file__).resolve().parents[1]
LIST = Path(__file__).with_name("smoke.csv")
TODAY = "2026-06-30"
SHORT = "short"


def lines() -> list[dict[str, str]]:
    """name, suite (short: also in the tests; long; spark: only where pyspark is) and arguments of each benchmark."""
    with LIST.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@contextmanager
def small_home() -> Iterator[dict[str, str]]:
    """A home of two communities and two years after one run: the places that arguments name."""
    with tempfile.TemporaryDirectory(prefix="bench-smoke-") as folder:
        home = Path(folder) / "home"
        generate(home / "drop", communities=2, first_year=2025, last_year=2026)
        cradle = str(Path(sys.executable).with_name("cradle"))
        subprocess.run([cradle, "run"], env=environment(home, TODAY), cwd=ROOT, check=True, capture_output=True)
        yield {"home": str(home), "seeds": str(ROOT / "seeds"), "today": TODAY}


def failures(places: Mapping[str, str], suites: frozenset[str]) -> list[str]:
    """Run each benchmark of these suites; the names and last words of those that ended badly or printed nothing."""
    failed = []
    for line in lines():
        if line["suite"] not in suites:
            continue
        arguments = shlex.split(line["arguments"].format_map(places))
        command = [sys.executable, "-m", f"benchmarks.{line['name']}", *arguments]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        if done.returncode or not done.stdout.strip():
            failed.append(f"{line['name']} ended with {done.returncode}: {(done.stderr or done.stdout)[-400:]}")
        print(
            f"{line['name']:<16} {'failed' if failed and failed[-1].startswith(line['name']) else 'runs'}", flush=True
        )
    return failed


def main() -> int:
    """Run all of them over a home of their own; 1 where one of them failed."""
    with small_home() as places:
        failed = failures(places, frozenset({SHORT, "long"}))
    sys.stderr.write("".join(f"{each}\n" for each in failed))
    return int(bool(failed))


if __name__ == "__main__":
    raise SystemExit(main())
