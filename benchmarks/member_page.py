"""How long a member waits on the page from sending files to be checked until the findings stand there.

Belongs here: files of 1,000 and 100,000 rows through a running `cradle serve`; seconds of clock and processor.
Does not: the page under test (tests/browser), what a check costs inside (benchmarks/intake).
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

from tests.browser.member_site import Site, Visitor, serving

COMMUNITY, TODAY, YEAR = "alderwick_bend", "2018-06-30", 2018
HEAD = "school_year,indicator,dimension,group,series,geography,geography_level,numerator,denominator\n"
INDICATORS = (
    "graduation_4yr_pct",
    "grade3_reading_proficient_pct",
    "chronic_absence_pct",
    "grade8_math_proficient_pct",
)


def table(rows: int) -> bytes:
    """A table of values of which every hundredth has a numerator above its denominator."""
    lines = (
        f"{2010 + n % 8},{INDICATORS[n // 8 % 3]},all,all,Series {n // 24},,,"
        f"{160 if n % 100 == 0 else 60 + n % 30},100\n"
        for n in range(rows)
    )
    return (HEAD + "".join(lines)).encode()


def processor_seconds(pid: int) -> float:
    """Seconds of a process and of all its children that have ended (Linux)."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rsplit(") ", 1)[1].split()
    return sum(int(fields[place]) for place in (11, 12, 13, 14)) / os.sysconf("SC_CLK_TCK")


def measured(site: Site, rows: int) -> tuple[float, float]:
    """Seconds by the clock and of the processor for one check."""
    visitor = Visitor(site)
    visitor.enter(site.link(COMMUNITY))
    mark, data = visitor.mark(YEAR), table(rows)
    begun, used = time.perf_counter(), processor_seconds(site.pid)
    status, said = visitor.check(YEAR, [("values.csv", data)], mark)
    if status != 303 or "What the checks found" not in visitor.told:
        raise RuntimeError(f"the check of {rows} rows did not end well: {status} {said[:200]}")
    return time.perf_counter() - begun, processor_seconds(site.pid) - used


def main() -> None:
    """Print a line a size: the smallest of some tries."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--sizes", type=int, nargs="+", default=[1_000, 100_000], help="rows of the file")
    parser.add_argument("--times", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, serving(Path(folder) / "home", TODAY) as site:
        for rows in options.sizes:
            tries = [measured(site, rows) for _ in range(options.times)]
            clock, cpu = min(one for one, _ in tries), min(one for _, one in tries)
            sys.stdout.write(f"{rows:>8,} rows: {clock:6.1f} s by the clock, {cpu:6.1f} s of the processor\n")


if __name__ == "__main__":
    main()
