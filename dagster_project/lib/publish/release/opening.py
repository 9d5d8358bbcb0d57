"""Opening a published release for reading.

Belongs here: finding a release, opening its database, from a folder or from S3.
Does not: writing releases (release.py), comparing them (compare.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dagster_project.lib.base import engine
from dagster_project.lib.base.engine import Connection
from dagster_project.lib.base.store import Store, make_private
from dagster_project.lib.publish.release.pointing import (
    ReleaseMissingError,
    current_release,
    database_key,
    read_manifest,
)
from dagster_project.lib.publish.release.states import nothing_current, read_states
from dagster_project.settings import Settings


def database_path(settings: Settings, release_id: str | None = None) -> Path:
    """internal.duckdb of a release (the current one by default) on this machine; fetched once if it lies on S3."""
    store = Store(settings.publish_url, settings.s3_endpoint)
    release_id = release_id or current_release(store)
    if release_id is None:
        raise ReleaseMissingError(nothing_current(store))
    key = database_key(release_id)
    local = store.local(key)
    if local is None:
        local = settings.work / "fetched" / release_id / "internal.duckdb"
        try:
            fetch(store, key, local)
        except FileNotFoundError:
            raise _missing(store, release_id) from None
    if not local.is_file():
        raise _missing(store, release_id)
    return local


def fetch(store: Store, key: str, local: Path) -> None:
    """An object of a bucket as a file of this machine, fetched once; FileNotFoundError where there is none.

    It appears whole or not at all: half a database of a process that died would be taken for the release for ever.
    """
    if not local.is_file():
        data = store.get(key)
        make_private(local.parent)
        Store(str(local.parent)).put(local.name, data)


def _missing(store: Store, release_id: str) -> ReleaseMissingError:
    try:
        read_manifest(store, release_id)
    except FileNotFoundError:
        return ReleaseMissingError(f"there is no release {release_id} at {store.url}")
    state = read_states(store).state(release_id)
    return ReleaseMissingError(f"the data files of the {state} release {release_id} were pruned; its manifest is kept")


@contextmanager
def open_release(settings: Settings, release_id: str | None = None) -> Iterator[Connection]:
    """A read-only connection to a release's database."""
    with engine.opened(database_path(settings, release_id)) as connection:
        yield connection
