"""Throw mutated files at the intake: python -m tests.fuzz --files 10000.

Belongs here: the command, its report, keeping the files that ended badly and those that the corpus lacks.
Does not: mutations and claims (mutations.py, harness.py).
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from tests.fuzz.corpus import Outcome, grow, outcome, settle
from tests.fuzz.harness import Tally, run
from tests.fuzz.mutations import File


def main() -> int:
    """Exit 0 if every file ended in findings, 1 otherwise."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--files", type=int, default=10_000, help="how many files")
    parser.add_argument("--seed", type=int, default=1, help="another seed makes other files")
    parser.add_argument("--keep", type=Path, default=Path("build/fuzz"), help="where to write files that ended badly")
    parser.add_argument("--grow", action="store_true", help="keep small files that end as none in the corpus does")
    asked = parser.parse_args()
    ended: list[tuple[File, Outcome]] = []
    tally, began, bad = Tally(look=lambda file, item: ended.append((file, outcome(item)))), time.monotonic(), 0
    for end in run(asked.seed, asked.files, tally):
        bad += 1
        asked.keep.mkdir(parents=True, exist_ok=True)
        path = asked.keep / f"{asked.seed}-{end.number}-{end.file[0]}"
        path.write_bytes(end.file[1])
        sys.stdout.write(f"BAD {path}: {end.what.strip()}\n")
    seconds = time.monotonic() - began
    mebibytes, child = (size / 2**20 for size in (tally.peak_bytes, tally.peak_child_bytes))
    sys.stdout.write(
        f"{tally.files:,} files in {seconds:.0f} s: {tally.with_findings:,} with findings, "
        f"{tally.accepted:,} with accepted rows, {bad} ended badly\n"
        f"slowest batch {tally.slowest:.1f} s, peak memory {mebibytes:,.0f} MiB, "
        f"of a reading process {child:,.0f} MiB, reading processes {tally.children}\n"
    )
    if asked.grow:
        # The smallest of those that end alike.
        grown = grow(sorted(ended, key=lambda pair: len(pair[0][1])))
        settle(grown)
        sys.stdout.write(f"kept in tests/fuzz/corpus: {', '.join(grown) or 'nothing new'}\n")
    return int(bad > 0)


if __name__ == "__main__":
    sys.exit(main())
