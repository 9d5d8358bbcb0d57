"""Files inside .zip and .gz files, unpacked one after the other within limits.

Belongs here: what an archive holds, under names such as `a.zip/b.csv`, and what of it is not opened.
Does not: reading the files inside (reading.py), workbooks, which are zip archives too (package.py).
"""

from __future__ import annotations

import gzip
import io
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import IO, cast

from dagster_project.lib.intake.bucket.drop import dropped_name
from dagster_project.lib.intake.reading.grid import Problem, problem
from dagster_project.lib.intake.reading.limits import Limits

OPENED = frozenset({"zip", "gz"})
NOT_OPENED = frozenset({"7z", "bz2", "rar", "tar", "tbz2", "tgz", "txz", "xz", "z", "zst"})
SYSTEM_NAMES = frozenset({".ds_store", "thumbs.db", "desktop.ini"})
LEFT_BESIDE = ("._", "~$", ".~lock.")
MAC_FOLDER = "__MACOSX"
BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    OSError,
    NotImplementedError,
    RuntimeError,
    ValueError,
)
"""What the standard library raises for an archive that is damaged or packed in a way that it does not know."""


@dataclass(frozen=True)
class Contained:
    """One file of an archive. `data` is None where it is larger than it may be, or where `problem` says why."""

    name: str
    size: int
    data: bytes | None = None
    problem: Problem | None = None


def ending(name: str) -> str:
    """The letters after the last point of a file's name, lower case; "" if its only point stands first."""
    stem, dot, letters = name.rpartition("/")[2].rpartition(".")
    return letters.lower() if dot and stem else ""


def is_archive(name: str) -> bool:
    """Whether a file of that name is opened for the files inside."""
    return ending(name) in OPENED and not is_system_file(name)


def is_system_file(name: str) -> bool:
    """Whether a program put the file beside others for itself: a lock file, a folder's view, what a Mac adds."""
    base = name.rpartition("/")[2]
    return base.startswith(LEFT_BESIDE) or base.lower() in SYSTEM_NAMES or MAC_FOLDER in name.split("/")


def unpacked(name: str, data: bytes, limits: Limits, largest: Callable[[str, Limits], int]) -> Iterator[Contained]:
    """The files of an archive, sorted by the UTF-8 bytes of their names, system files left out. Never raises.

    `largest` says how many bytes a file of a name may have; no more than these are held. Archives inside are told and
    not opened. An archive that cannot be opened, or that holds no file, gives one item under its own name.
    """
    try:
        found = _of_gzip(name, data, limits, largest) if ending(name) == "gz" else _of_zip(name, data, limits, largest)
        first = next(found, None)
        if first is None:
            yield _refused(name, "it holds no file")
            return
        yield first
        yield from found
    except BROKEN as failure:
        yield _refused(name, f"it is damaged or none ({failure})")


def member(name: str, data: bytes, limits: Limits, largest: Callable[[str, Limits], int]) -> bytes | None:
    """The bytes of one file of an archive by its whole name; None if it is not there or was not opened."""
    archive = dropped_name(name)
    if archive == name:
        return data
    return next((held.data for held in unpacked(archive, data, limits, largest) if held.name == name), None)


def _refused(name: str, found: str, size: int = 0) -> Contained:
    return Contained(name, size, problem=problem("archive_refused", found=found))


def _of_zip(name: str, data: bytes, limits: Limits, largest: Callable[[str, Limits], int]) -> Iterator[Contained]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        parts = archive.infolist()
        if len(parts) > limits.parts:
            yield _refused(name, f"it holds {len(parts):,} files, the limit is {limits.parts:,}")
            return
        total = sum(part.file_size for part in parts)
        if total > limits.unpacked_bytes:
            yield _refused(name, f"it would unpack to {total:,} bytes, the limit is {limits.unpacked_bytes:,}")
            return
        inside = [(_inner_name(part.filename), part) for part in parts if not part.is_dir()]
        inside = [(inner, part) for inner, part in inside if inner is None or not is_system_file(inner)]
        if any(inner is None for inner, _ in inside):
            yield _refused(name, "it holds a file whose name leads out of the archive")
            return
        named = sorted(((inner, part) for inner, part in inside if inner), key=lambda pair: pair[0].encode())
        if len({inner for inner, _ in named}) < len(named):
            yield _refused(name, "it holds two files of one name")
            return
        for inner, part in named:
            whole = f"{name}/{inner}"
            if part.flag_bits & 1:
                yield _refused(whole, "it is locked with a password", part.file_size)
            elif ending(inner) in OPENED | NOT_OPENED:
                yield _refused(whole, "it is an archive inside an archive", part.file_size)
            else:
                yield _held(whole, lambda part=part: archive.open(part), largest(inner, limits))  # type: ignore[misc]


def _of_gzip(name: str, data: bytes, limits: Limits, largest: Callable[[str, Limits], int]) -> Iterator[Contained]:
    inner = name.rpartition("/")[2][: -len(".gz")]
    inner = inner if ending(inner) else f"{inner}.csv"  # what is packed alone under no ending is text, or is refused
    whole = f"{name}/{inner}"
    if ending(inner) in OPENED | NOT_OPENED:
        yield _refused(whole, "it is an archive inside an archive")
    else:
        most = min(largest(inner, limits), limits.unpacked_bytes)
        yield _held(whole, lambda: cast(IO[bytes], gzip.GzipFile(fileobj=io.BytesIO(data))), most)


def _held(name: str, opened: Callable[[], IO[bytes]], most: int) -> Contained:
    """The file if it is no larger than `most` bytes; a damaged one is told and its neighbours are read."""
    try:
        with opened() as source:
            data = source.read(most + 1)
    except BROKEN as failure:
        return _refused(name, f"it is damaged ({failure})")
    return Contained(name, len(data), data if len(data) <= most else None)


def _inner_name(name: str) -> str | None:
    """A name inside an archive with forward slashes; None for one that could lead out of it or breaks a line."""
    plain = name.replace("\\", "/").removeprefix("./")
    parts = plain.split("/")
    return None if "" in parts or ".." in parts or not plain.isprintable() else plain
