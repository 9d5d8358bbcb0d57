"""Whether the outbox holds the receipts of what stands.

Belongs here: receipts that are missing, cut or of another state.
Does not: writing them anew (tests/integration/test_changes.py).
"""

from __future__ import annotations

from pathlib import Path

from dagster_project.lib.base.store import Store
from dagster_project.lib.receipts.outbox import receipts_astray


def test_a_receipt_that_is_missing_cut_or_of_another_state_is_astray(tmp_path: Path) -> None:
    outbox = Store(str(tmp_path))
    for year, text in {2018: '{"submission_id": "s"}', 2019: '{"submission_id": "before"}', 2020: '{"subm'}.items():
        outbox.put(f"reedmere/{year}/receipt.json", text.encode())
    standing = [("reedmere", year, "s") for year in range(2018, 2022)]
    assert receipts_astray(outbox, standing) == [("reedmere", 2019), ("reedmere", 2020), ("reedmere", 2021)]
