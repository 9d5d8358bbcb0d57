"""Which receipt a community has opened, and on which day, for the data team's worklist.

Belongs here: noting it, one small file for each folder, and reading all of them.
Does not: who opened it (nobody is asked), receipts themselves.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from dagster_project.lib.base.state import whole
from dagster_project.lib.base.store import ObjectInfo, Store

PREFIX = "opened"
REMEDY = "delete it: it is noted anew when the receipt is opened"


def store(home: Path) -> Store:
    """Where notes lie below the home."""
    return Store(str(home / "serve"))


def note(notes: Store, community_id: str, year: int, receipt: Mapping[str, Any], today: dt.date) -> None:
    """Note that the latest receipt of a folder was opened; the first day counts."""
    if (
        receipt["submission_id"] is None
        or read(notes).get((community_id, year), ("", ""))[0] == receipt["submission_id"]
    ):
        return
    text = json.dumps([receipt["submission_id"], today.isoformat()])
    notes.put(f"{PREFIX}/{community_id}/{year}.json", text.encode())


def read(notes: Store, below: str = "") -> dict[tuple[str, int], tuple[str, str]]:
    """By community and reporting year: the submission whose receipt was opened last, and since when."""
    found = {}
    for info in _infos(notes, below):
        with whole(f"{notes.url}/{info.key}", REMEDY):
            submission_id, day = json.loads(notes.get(info.key))
            _, community_id, name = info.key.split("/")
            found[community_id, int(name.removesuffix(".json"))] = (str(submission_id), str(day))
    return found


def _infos(notes: Store, below: str) -> Iterable[ObjectInfo]:
    if not below:
        return notes.objects(f"{PREFIX}/")
    info = notes.listed(f"{PREFIX}/{below}")
    return [info] if info else []
