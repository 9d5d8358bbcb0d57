"""Which release is current: the small file that names it, and its database under a path that does not change.

Belongs here: `current` and `current.duckdb`, each replaced whole in an order that no death harms; where what lies.
Does not: which release is to be current (release.py, decisions.py), opening databases (opening.py).
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from pathlib import Path
from typing import Any

from dagster_project.lib.base.state import whole
from dagster_project.lib.base.store import Store

CURRENT = "current"
FIXED = "current.duckdb"
DATABASE = "internal.duckdb"
READ_ONLY = 0o444
SUMMARIES = "summaries"


class ReleaseMissingError(LookupError):
    """There is no such release, or its data files are gone; the message says which."""


def current_release(store: Store) -> str | None:
    """Id of the current release, or None before the first."""
    data = store.get_or_none(CURRENT)
    with whole(f"{store.url}/current", "put the id of a release of the folder releases/ into it"):
        return data.decode("ascii").strip() or None if data is not None else None


def read_manifest(store: Store, release_id: str) -> dict[str, Any]:
    """The manifest of a release; FileNotFoundError if there is no such release."""
    key = f"releases/{release_id}/manifest.json"
    data = store.get(key)
    with whole(f"{store.url}/{key}", "put it back from a backup; it cannot be made again"):
        return {**json.loads(data)}


def database_key(release_id: str) -> str:
    """Where the database of a release lies below the publish folder."""
    return f"releases/{release_id}/{DATABASE}"


def summary_key(release_id: str) -> str:
    """Where a release's summary lies in the publish folder."""
    return f"{SUMMARIES}/{release_id}.txt"


def point(store: Store, release_id: str) -> None:
    """Make a release current.

    The database under the fixed path goes first, the name last: whoever dies between them leaves `current` as it was,
    and the next run, which goes by `current`, does both again. A reader that holds the older database open keeps it.
    """
    fix(store, release_id)
    name = f"{release_id}\n".encode()
    if store.get_or_none(CURRENT) != name:
        store.put(CURRENT, name)


def point_nowhere(store: Store) -> None:
    """No release is current any more."""
    store.delete([CURRENT, FIXED])


def fix(store: Store, release_id: str) -> bool:
    """Let the fixed path hold the database of a release; False where it did already."""
    if is_fixed(store, release_id):
        return False
    source, target = store.local(database_key(release_id)), store.local(FIXED)
    if source is None or target is None:
        store.put_pieces(FIXED, lambda: store.stream(database_key(release_id)))
        return True
    aside = target.with_name(f".{FIXED}.partial")
    aside.unlink(missing_ok=True)
    _link_or_copy(source, aside)
    aside.replace(target)
    return True


def _link_or_copy(source: Path, target: Path) -> None:
    """A second name of the same bytes costs no space; a file system without such names gets a copy."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
        target.chmod(READ_ONLY)


def is_fixed(store: Store, release_id: str) -> bool:
    """Whether the fixed path holds the very database of a release."""
    source, target = store.local(database_key(release_id)), store.local(FIXED)
    if source and target and source.exists() and target.exists() and source.samefile(target):
        return True
    # Sizes alone say little: databases grow by whole blocks.
    size = store.size(database_key(release_id))
    return size == store.size(FIXED) and size is not None and _same_bytes(store, database_key(release_id))


def _same_bytes(store: Store, key: str) -> bool:
    digests = []
    for one in (key, FIXED):
        digest = hashlib.sha256()
        for piece in store.stream(one):
            digest.update(piece)
        digests.append(digest.digest())
    return digests[0] == digests[1]
