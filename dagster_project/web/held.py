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
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from dagster_project.lib.base.store import Store, make_private
from dagster_project.lib.intake.bucket.grant import upload_key

KEPT_SECONDS = 3600
TICKET = re.compile(r"[\w-]{22}")


@dataclass(frozen=True)
class Note:
    """What is known of an upload. `state` is running, checked or failed, `steps` what a running check has done.

    `folder` is the folder as it was checked, by name: its version there (of new files, of those they replace).
    """

    state: str
    names: list[str]
    steps: list[str] = field(default_factory=list)
    words: str = ""
    receipt: str = ""
    persons: list[str] = field(default_factory=list)
    folder: dict[str, str] = field(default_factory=dict)


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

    def read(self) -> Note:
        """What `keep` wrote last."""
        return Note(**json.loads((self.place / "note.json").read_bytes()))

    def keep(self, note: Note) -> None:
        """Remember how the check stands; who reads meanwhile finds the old note or the new one."""
        half = self.place / "note.half"
        half.write_text(json.dumps(asdict(note), ensure_ascii=False), encoding="utf-8")
        half.replace(self.place / "note.json")

    def remove(self) -> bool:
        """Leave no byte of it; False where something stays: later uploads and the next start try again."""
        shutil.rmtree(self.place, ignore_errors=True)
        return not self.place.exists()

    def is_forgotten(self) -> bool:
        """Whether nobody sent it in time. Another request may delete it at this moment."""
        try:
            return time.time() - self.place.stat().st_mtime > KEPT_SECONDS
        except FileNotFoundError:
            return False


class Holding:
    """All uploads that wait, below one folder that only this user may look into."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def clear(self) -> None:
        """What a dead server left behind, at the start."""
        shutil.rmtree(self.root, ignore_errors=True)
        make_private(self.root)

    def new(self, community_id: str, year: int) -> Held:
        """An empty folder for an upload; older ones of anybody that nobody sent in time are deleted."""
        for place in self.root.glob("*/*/*"):
            if Held(place).is_forgotten():
                Held(place).remove()
        held = Held(self.root / community_id / str(year) / secrets.token_urlsafe(16))
        make_private(held.files)
        return held

    def find(self, community_id: str, year: int, ticket: str) -> Held | None:
        """An upload of this very community and year; None for every other ticket."""
        held = Held(self.root / community_id / str(year) / ticket)
        return held if TICKET.fullmatch(ticket) and (held.place / "note.json").is_file() else None


def complete(held: Held, drop: Store, community_id: str, year: int) -> dict[str, str]:
    """Put what lies in the drop folder beside the new files; the folder as it is now, versions by name."""
    folder = listed(drop, community_id, year)
    for name in folder:
        target = held.files / name
        if not target.exists():
            with target.open("wb") as out:
                out.writelines(drop.stream(f"{community_id}/{year}/{name}"))
    return folder


def listed(drop: Store, community_id: str, year: int) -> dict[str, str]:
    """The versions of the files of a folder, by name."""
    return {info.key.rsplit("/", 1)[-1]: info.etag for info in drop.files(f"{community_id}/{year}/")}


def reduce(held: Held, names: Iterable[str]) -> None:
    """Leave the new files alone."""
    keep = set(names)
    for path in held.files.iterdir():
        if path.name not in keep:
            path.unlink()


def send(held: Held, drop: Store, community_id: str, year: int) -> list[str]:
    """Put held files into the drop folder; names that were not sent, since the folder is not the one that was checked.

    Where anything of the folder changed, nothing is sent: what the check said does not hold for it. Each file is then
    written only where its place is as it was, so that nothing is lost that somebody writes in the same moment.
    """
    note = held.read()
    changed = listed(drop, community_id, year) != note.folder
    taken = [name for name in note.names if changed or not _put(held, drop, community_id, year, name, note.folder)]
    held.remove()
    return taken


def _put(held: Held, drop: Store, community_id: str, year: int, name: str, folder: Mapping[str, str]) -> bool:
    key, data = upload_key(community_id, year, name), (held.files / name).read_bytes()
    return drop.replace(key, data, folder[name]) if name in folder else drop.create(key, data)
