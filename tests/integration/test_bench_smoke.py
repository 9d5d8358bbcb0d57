"""The benchmarks run: each has its line of small arguments, and the short ones end with something printed.

Belongs here: benchmarks over next to nothing, as processes of their own. Does not: how fast anything is; the longer
ones (`make bench-smoke`).
"""

from __future__ import annotations

from benchmarks.__main__ import names
from benchmarks._smoke import SHORT, failures, lines
from tests.integration.conftest import EXAMPLE_TODAY, Run


def test_every_benchmark_has_its_small_arguments() -> None:
    assert [line["name"] for line in lines()] == names()


def test_the_short_benchmarks_run(example: Run) -> None:
    places = {"home": str(example.home), "seeds": str(example.seeds), "today": EXAMPLE_TODAY}
    assert failures(places, frozenset({SHORT})) == []
