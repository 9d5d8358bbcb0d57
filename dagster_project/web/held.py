"""Files that were checked and not yet sent: kept for their community alone, for a while.

Belongs here: where they lie, finding them again, what lies in the drop folder already, and deleting them.
Does not: checking them (commands.py), the pages (app.py).
"""

from __future__ import annotations

import json
import re
import secrets
import shutil
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dagster_project.lib.base.store import Store
from dagster_project.lib.intake.bucket.grant import upload_key

KEPT_SECONDS = 3600
TICKET = re.compile(r"[\w-]{22}")


@dataclass(frozen=True)
class Held:
    """One upload: `files` is the folder that is checked, `note` what the check said of it."""

    place: Path

    @property
    def ticket(self) -> str:
        """The name by which its own community finds it again."""
        return self.place.name

    @property
    def files(self) -> Path:
        """The folder as it would stand."""
        return self.place / "files"

    def read(self) -> dict[str, Any]:
        """What `keep` wrote."""
        note: dict[str, Any] = json.loads((self.place / "note.json").read_bytes())
        return note

    def keep(self, note: dict[str, Any]) -> None:
        """Remember names, what they replace, and the receipt of the check."""
        (self.place / "note.json").write_text(json.dumps(note, ensure_ascii=False), encoding="utf-8")

    def remove(self) -> None:
        """Leave no byte of it."""
        shutil.rmtree(self.place, ignore_errors=True)


class Holding:
    """All uploads that wait, below one folder that only this user may look into."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def clear(self) -> None:
        """What a dead server left behind, at the start."""
        shutil.rmtree(self.root, ignore_errors=True)
        self.root.mkdir(parents=True, mode=0o700)

    def new(self, community_id: str, year: int) -> Held:
        """An empty folder for an upload; older ones of anybody that nobody sent in time are deleted."""
        for place in self.root.glob("*/*/*"):
            if time.time() - place.stat().st_mtime > KEPT_SECONDS:
                Held(place).remove()
        held = Held(self.root / community_id / str(year) / secrets.token_urlsafe(16))
        held.files.mkdir(parents=True)
        return held

    def find(self, community_id: str, year: int, ticket: str) -> Held | None:
        """An upload of this very community and year; None for every other ticket."""
        held = Held(self.root / community_id / str(year) / ticket)
        return held if TICKET.fullmatch(ticket) and (held.place / "note.json").is_file() else None


def complete(held: Held, drop: Store, community_id: str, year: int) -> list[str]:
    """Put what lies in the drop folder beside the new files; names of new files that replace one of them."""
    replaced = []
    for info in drop.files(f"{community_id}/{year}/"):
        target = held.files / info.key.rsplit("/", 1)[-1]
        if target.exists():
            replaced.append(target.name)
            continue
        with target.open("wb") as out:
            out.writelines(drop.stream(info.key))
    return sorted(replaced)


def reduce(held: Held, names: Iterable[str]) -> None:
    """Leave the new files alone."""
    keep = set(names)
    for path in held.files.iterdir():
        if path.name not in keep:
            path.unlink()


def send(held: Held, drop: Store, community_id: str, year: int) -> list[str]:
    """Put held files into the drop folder, replacing only what the check said; names that somebody else wrote since."""
    note, taken = held.read(), []
    for name in note["names"]:
        key, data = upload_key(community_id, year, name), (held.files / name).read_bytes()
        if name in note["replaced"]:
            drop.put(key, data)
        elif not drop.create(key, data):
            taken.append(name)
    held.remove()
    return taken
