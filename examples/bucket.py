"""The files of a drop as they are written: one folder after the other, none of them held longer than it takes.

Belongs here: writing what is not there yet, long tables in pieces, counting, and finding files of others.
Does not: what a file says (folders.py, network.py), or its form (workbook.py).
"""

from __future__ import annotations

import filecmp
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from examples.workbook import Cell, as_table, delimited

PIECE = 5_000
"""Rows of a long table that are in memory at once."""
UNFINISHED = ".unfinished"


class Bucket:
    """A drop that is being written. Files with the same bytes are left untouched; nothing of others is ever deleted."""

    def __init__(self, drop: Path) -> None:
        self.drop = drop
        self.files, self.size = 0, 0
        self.others: list[str] = []
        self._own: set[str] = set()

    def folder(self, name: str, content: Mapping[str, bytes]) -> None:
        """Write all files of a first-level folder, by their path below the drop ('' is the drop itself)."""
        for path, data in content.items():
            target = self.drop / path
            if not target.is_file() or target.read_bytes() != data:
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(data)
            self._count(len(data))
        self._see(name, content.keys())

    def tables(self, name: str, tables: Iterable[tuple[str, Sequence[str], Iterable[Sequence[Cell]]]]) -> None:
        """Write a first-level folder of long tables (path, columns, rows), each in pieces; those without rows not."""
        own = set()
        for path, header, rows in tables:
            pieces = _pieces(rows)
            first = next(pieces, None)
            if first is not None:
                self._long(self.drop / path, header, itertools.chain([first], pieces))
                own.add(path)
        self._see(name, own)

    def finish(self) -> None:
        """Look for what lies beside the folders that were written."""
        for path in self.drop.iterdir():
            if path.name not in self._own:
                below = path.rglob("*") if path.is_dir() else [path]
                self.others += [each.relative_to(self.drop).as_posix() for each in below if each.is_file()]
        self.others.sort()

    def _long(self, target: Path, header: Sequence[str], pieces: Iterable[list[Sequence[Cell]]]) -> None:
        target.parent.mkdir(parents=True, exist_ok=True)
        made = target.with_name(target.name + UNFINISHED)
        if target.suffix == ".parquet":
            with pq.ParquetWriter(made, pa.schema((name, pa.string()) for name in header)) as writer:
                for piece in pieces:
                    writer.write_table(as_table(header, piece))
        else:
            with made.open("wb") as file:
                file.write(delimited(header, []).encode("utf-8"))
                file.writelines(delimited((), piece).encode("utf-8") for piece in pieces)
        self._count(made.stat().st_size)
        if target.is_file() and filecmp.cmp(made, target, shallow=False):
            made.unlink()
        else:
            made.replace(target)

    def _count(self, size: int) -> None:
        self.files += 1
        self.size += size

    def _see(self, name: str, own: Iterable[str]) -> None:
        """Remember a folder of this drop, and the files in it that are of others."""
        self._own.add(name)
        self._own.update(path for path in own if "/" not in path)
        found = {path.relative_to(self.drop).as_posix() for path in (self.drop / name).rglob("*") if path.is_file()}
        self.others += found.difference(own)


def _pieces(rows: Iterable[Sequence[Cell]]) -> Iterator[list[Sequence[Cell]]]:
    left = iter(rows)
    while piece := list(itertools.islice(left, PIECE)):
        yield piece
