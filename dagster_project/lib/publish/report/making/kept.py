"""Pages of communities kept from the last report, so that only those are made again whose inputs changed.

Belongs here: what a community's pages are made from, its hash, the kept files and whether they still hold.
Does not: render (render.py), read tables (marts.py), or decide what is published.
"""

from __future__ import annotations

import hashlib
import io
import json
import pickle
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

from dagster_project.lib.base.store import make_private
from dagster_project.lib.publish.release.dependencies import code_version, lock_sha256
from dagster_project.lib.publish.report.arranging import Row
from dagster_project.lib.publish.report.marts import Marts
from dagster_project.settings import PROJECT_ROOT

ENDING = ".pages"
# Rows over all communities: any resubmission changes them, and no page of a community shows them.
OF_THE_NETWORK = frozenset({"network_trends", "simulated"})
_LEVEL = 1
"""Of compression: pages shrink to an eighth; a higher level takes longer than it saves."""


def kept_pages(work: Path, edition: str) -> Path:
    """Where the pages of an edition are kept: below the folder of scratch, which may be deleted at any time."""
    return work / "pages" / edition


def each_community(marts: Marts) -> Iterator[tuple[Row, Marts]]:
    """Each community with all that its pages may read: its own rows, and those that belong to nobody.

    A page is made from nothing else, so that the hash of these rows is the hash of all its inputs.
    """
    named = {field.name: getattr(marts, field.name) for field in fields(marts)}
    own: dict[str, Callable[[str], Any]] = {}
    shared: dict[str, Any] = {}
    for name, rows in named.items():
        if name in OF_THE_NETWORK:
            shared[name] = type(rows)()
        elif isinstance(rows, list) and rows and "community_id" in rows[0]:
            own[name] = _listed(rows)
        elif isinstance(rows, dict) and all(isinstance(each, list) for each in rows.values()):
            own[name] = _keyed(rows)
        else:
            shared[name] = rows
    base = replace(marts, **shared)
    for community in marts.communities:
        ident = community["community_id"]
        yield community, replace(base, **{name: of(ident) for name, of in own.items()})


def _listed(rows: Sequence[Row]) -> Callable[[str], list[Row]]:
    found: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        found[row["community_id"]].append(row)
    return lambda ident: found.get(ident, [])


def _keyed(rows: Mapping[str, list[Any]]) -> Callable[[str], dict[str, list[Any]]]:
    return lambda ident: {ident: rows[ident]} if ident in rows else {}


class KeptPages:
    """The files of each community as they were made last, in a folder that may be deleted at any time."""

    def __init__(self, folder: Path | None, *said: object) -> None:
        """`said`: what every page is made from beside rows. Without a folder nothing is kept, all is made."""
        self.folder = folder
        self._known: set[str] = set()
        everyone = (code_version(PROJECT_ROOT), lock_sha256(PROJECT_ROOT), *said)
        self._said = hashlib.sha256(repr(everyone).encode()).hexdigest() if folder else ""

    def files(self, ident: str, rows: object, make: Callable[[], Iterable[tuple[str, str]]]) -> Mapping[str, str]:
        """The texts of a community's files by path: the kept ones where `rows` are the same, else made and kept."""
        if self.folder is None:
            return dict(make())
        path = self.folder / f"{quote(ident, safe='')}{ENDING}"
        self._known.add(path.name)
        key = hashlib.sha256(self._said.encode() + _bytes_of(rows)).hexdigest()
        found = _read(path, key)
        if found is None:
            found = dict(make())
            make_private(self.folder)
            aside = path.with_name(f".{path.name}.partial")
            aside.write_bytes(zlib.compress(json.dumps({"key": key, "files": found}).encode(), _LEVEL))
            aside.replace(path)
        return found

    def tidy(self) -> None:
        """Forget communities that this report has no page of."""
        for path in self.folder.iterdir() if self.folder and self.folder.is_dir() else ():
            if path.name not in self._known:
                path.unlink()


def _bytes_of(rows: object) -> bytes:
    """Rows as bytes that are the same for the same values, in half the time of their text."""
    buffer = io.BytesIO()
    pickler = pickle.Pickler(buffer, protocol=5)
    # Written out each time it stands there: whether two equal texts are one object says nothing of the rows.
    pickler.fast = True
    pickler.dump(rows)
    return buffer.getvalue()


def _read(path: Path, key: str) -> dict[str, str] | None:
    """The kept files if they were made from what the key says; what cannot be read was not kept, and is made again."""
    try:
        kept = json.loads(zlib.decompress(path.read_bytes()))
    except (FileNotFoundError, zlib.error, ValueError):
        return None
    return dict(kept["files"]) if kept["key"] == key else None
