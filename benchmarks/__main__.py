"""Run the benchmarks: all of them, or those named on the command line; at the end one table of all ratios.

Belongs here: finding the modules that have a `main()`, running one after the other, `--keep` for the page of ratios.
Does not: measuring anything. A module whose name begins with `plain_` is a baseline of another one and not run alone.
"""

from __future__ import annotations

import importlib
import pkgutil
import sys
from collections.abc import Sequence

import benchmarks
from benchmarks import _ratios

KEEP = "--keep"
"""Writes the table, the commit and the machine's own reference to docs/measured.md."""


def names() -> list[str]:
    """The registered benchmarks, sorted: modules of this package with a `main`."""
    found = [module.name for module in pkgutil.iter_modules(benchmarks.__path__)]
    wanted = [name for name in found if not name.startswith(("_", "plain_"))]
    return sorted(name for name in wanted if hasattr(importlib.import_module(f"benchmarks.{name}"), "main"))


def main(arguments: Sequence[str]) -> int:
    """Run the benchmarks named, or all that need no cluster; 2 for a name that is none."""
    known = names()
    asked = [name for name in arguments if name != KEEP]
    unknown = [name for name in asked if name not in known]
    if unknown:
        sys.stderr.write(f"benchmarks: {', '.join(unknown)} is none of {', '.join(known)}\n")
        return 2
    for name in asked or [name for name in known if not name.startswith("spark_")]:
        print(f"== {name}", flush=True)
        # Each benchmark reads its own arguments; from here it gets none.
        sys.argv = [f"benchmarks.{name}"]
        importlib.import_module(f"benchmarks.{name}").main()
        print(flush=True)
    print("\n".join([*_ratios.machine(), "", *_ratios.table(_ratios.TOLD)]), flush=True)
    if KEEP in arguments:
        _ratios.keep(asked)
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
