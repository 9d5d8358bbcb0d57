"""The bytes of one submitted file: held where it may be read, else hashed in passing and never held whole.

Belongs here: fetching an object piece by piece, its hash and size, and giving it on to be kept.
Does not: what a file may be (reading.py), where kept bytes lie (lake.py), stores (lib/base/store.py).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from dagster_project.lib.base.store import Source
from dagster_project.lib.intake.reading.grid import Grid
from dagster_project.lib.intake.reading.person_level import Hit, look

HEAD_BYTES = 256 * 1024
"""How much is held of a file that is larger than its limit."""


class ContentChangedError(RuntimeError):
    """The object is no longer the one that was hashed."""


@dataclass(frozen=True)
class Content:
    """One object as it was when it was hashed. `data` is None where it is larger than what is held of such a file."""

    source: Source
    key: str
    sha256: str
    size: int
    head: bytes
    data: bytes | None

    def person_level(self, grids: Sequence[Grid]) -> Hit | None:
        """The first sign of single persons in the sheets that a reader gave, or in what no reader opens."""
        if self.data is not None:
            return look(grids, self.data)
        return look(grids, self.head, lambda: self.source.open(self.key))

    def to_keep(self) -> bytes | Callable[[], Iterator[bytes]]:
        """The bytes, whole or, of a large file, what gives them piece by piece."""
        return self._again if self.data is None else self.data

    def _again(self) -> Iterator[bytes]:
        """The pieces once more; ContentChangedError at the end where they do not hash to the same."""
        digest = hashlib.sha256()
        for piece in self.source.stream(self.key):
            digest.update(piece)
            yield piece
        if digest.hexdigest() != self.sha256:
            raise ContentChangedError(self.key)


def fetch(source: Source, key: str, largest: int) -> Content | None:
    """Read an object once, holding at most `largest` bytes and the piece at hand; None if it is not there."""
    digest = hashlib.sha256()
    held: list[bytes] = []
    size, head = 0, b""
    try:
        for piece in source.stream(key):
            digest.update(piece)
            size += len(piece)
            if len(head) < HEAD_BYTES:
                head += piece[: HEAD_BYTES - len(head)]
            if size > largest:
                held.clear()
            else:
                held.append(piece)
    except FileNotFoundError:
        return None
    data = b"".join(held) if size <= largest else None
    return Content(source, key, digest.hexdigest(), size, head, data)
