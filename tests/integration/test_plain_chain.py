"""The plain script of the benchmarks beside the warehouse: two ways to the same marts.

Belongs here: every mart that both make, cell by cell, on the small example network.
Does not: how long either takes (benchmarks/chain.py prints that).
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from benchmarks.chain import differences
from benchmarks.plain_chain import plain_chain
from tests.integration.conftest import EXAMPLE_TODAY, Run

MADE_BY_BOTH = 28


def test_a_plain_script_over_the_same_files_makes_the_same_marts(example: Run, tmp_path: Path) -> None:
    plain_chain(example.home / "drop", tmp_path / "plain.duckdb", example.seeds, dt.date.fromisoformat(EXAMPLE_TODAY))
    compared = differences(example.release.folder / "internal.duckdb", tmp_path / "plain.duckdb")
    assert len(compared) >= MADE_BY_BOTH
    assert sum(rows for _, rows, _ in compared) > 1_000
    assert [(name, differing) for name, _, differing in compared if differing] == []
