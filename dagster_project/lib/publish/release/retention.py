"""Which releases keep their data files, by policy, and deleting those of the others.

Belongs here: the plan as a pure function of what there is, measuring, deleting data files but never a manifest.
Does not: raw bytes and the ledger (the lake keeps all of them), states (states.py), the policy's setting (settings.py).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from dagster_project.lib.base.store import Store
from dagster_project.lib.publish.release.pointing import DATABASE
from dagster_project.lib.publish.release.states import FINAL, PROVISIONAL, WITHDRAWN, States

MANIFEST_FILE = "manifest.json"
CARDS = "cards"
"""The folder beside releases/ where the PDFs of a release lie, by its id; they go when its data files go."""


@dataclass(frozen=True)
class Held:
    """A release as it lies there: its state, and the bytes of its data files (0: they are gone already)."""

    release_id: str
    state: str
    data_bytes: int


@dataclass(frozen=True)
class Fate:
    """What becomes of a release's data files, and why."""

    release_id: str
    state: str
    data_bytes: int
    is_kept: bool
    why: str


def plan(newest_first: Sequence[Held], newest_kept: int, current: str | None, named: Mapping[str, str]) -> list[Fate]:
    """The fate of every release that has data files, in the order given.

    Kept are the current release, every final one, those that something names (`named`: by what), and of the
    provisional ones with data the newest `newest_kept`. A withdrawn one that nothing names goes.
    """
    fates: list[Fate] = []
    n_provisional = 0
    for held in newest_first:
        if not held.data_bytes:
            continue
        n_provisional += held.state == PROVISIONAL
        why = _reason_to_keep(held, n_provisional, newest_kept, current, named)
        gone = WITHDRAWN if held.state == WITHDRAWN else f"older than the newest {newest_kept}"
        fates.append(Fate(held.release_id, held.state, held.data_bytes, why is not None, why or gone))
    return fates


def _reason_to_keep(
    held: Held, n_provisional: int, newest_kept: int, current: str | None, named: Mapping[str, str]
) -> str | None:
    if held.release_id == current:
        return "current"
    if held.state == FINAL:
        return FINAL
    if held.release_id in named:
        return named[held.release_id]
    if held.state == PROVISIONAL and n_provisional <= newest_kept:
        return f"one of the newest {newest_kept}"
    return None


def held_releases(store: Store, states: States) -> list[Held]:
    """Every release of a publish folder, the newest first."""
    return [
        Held(release_id, states.state(release_id), sum(_data_files(store, release_id).values()))
        for release_id in states.newest_first(store.folders("releases"))
    ]


def _data_files(store: Store, release_id: str) -> dict[str, int]:
    """Keys and sizes of everything in a release's folder but its manifest, and of the PDFs beside it."""
    found = [*store.objects(f"releases/{release_id}"), *store.objects(f"{CARDS}/{release_id}")]
    return {info.key: info.size for info in found if info.key != f"releases/{release_id}/{MANIFEST_FILE}"}


@dataclass(frozen=True)
class OnDisk:
    """Bytes of the data files of some releases: those that go with them, and those that other releases still hold.

    A file of a report that did not change is one file under a name in each release (report/render.py).
    """

    alone: int
    held_elsewhere: int


def on_disk(store: Store, release_ids: Iterable[str]) -> OnDisk:
    """What the data files of these releases take together, each file once; in a bucket every one is its own."""
    sizes: dict[object, int] = {}
    left: Counter[object] = Counter()
    for release_id in release_ids:
        for key, size in _data_files(store, release_id).items():
            path = store.local(key)
            about = None if path is None else path.stat()
            file = key if about is None else (about.st_dev, about.st_ino)
            if file not in sizes:
                sizes[file], left[file] = size, 1 if about is None else about.st_nlink
            left[file] -= 1
    elsewhere = sum(size for file, size in sizes.items() if left[file] > 0)
    return OnDisk(sum(sizes.values()) - elsewhere, elsewhere)


def delete_data(store: Store, release_id: str) -> int:
    """Delete a release's data files and say how many bytes they had; its manifest stays.

    The database goes first: without it a release is known to have lost its data, also if this dies half way.
    """
    files = _data_files(store, release_id)
    store.delete(sorted(files, key=lambda key: (not key.endswith(f"/{DATABASE}"), key)))
    for folder in (store.local(f"releases/{release_id}"), store.local(f"{CARDS}/{release_id}")):
        for path in sorted([folder, *folder.rglob("*")], reverse=True) if folder and folder.is_dir() else ():
            if path.is_dir() and not any(path.iterdir()):
                path.rmdir()
    return sum(files.values())
