"""Where receipts lie in the outbox, and whether it holds those of what stands.

Belongs here: the place of a folder's receipts, folders whose latest receipt is missing or speaks of another submission.
Does not: making or writing receipts (receipts.py), what the outbox refused (app/state.py).
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

from dagster_project.lib.base.store import DeniedError, Store

READERS = 8
Place = tuple[str, int]


def receipt_folder(community_id: str, reporting_year: int) -> str:
    """Where the receipts of one folder lie in the outbox."""
    return f"{community_id}/{reporting_year}"


def receipts_astray(outbox: Store, standing: Iterable[tuple[str, int, str]]) -> list[Place]:
    """Folders whose latest receipt is not that of what stands: of an outbox that was put back, or that lost some.

    What cannot be read counts as well: the run that writes it anew says why it cannot.
    """

    def is_astray(folder: tuple[str, int, str]) -> bool:
        try:
            data = outbox.get_or_none(f"{receipt_folder(*folder[:2])}/receipt.json")
        except DeniedError:
            return True
        return data is None or _submission(data) != folder[2]

    folders = list(standing)
    with ThreadPoolExecutor(READERS) as pool:
        return [folder[:2] for folder, astray in zip(folders, pool.map(is_astray, folders), strict=True) if astray]


def _submission(data: bytes) -> object:
    try:
        receipt = json.loads(data)
    except ValueError:
        return None
    return receipt.get("submission_id") if isinstance(receipt, dict) else None
