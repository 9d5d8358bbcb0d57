"""A glimpse into files that no reader opens, so that a list of persons is not kept only because it has a wrong ending.

Belongs here: the first words of text, office packages and other bytes as rows of cells, in bounded memory.
Does not: reading tables (reading.py), or telling what is person-level (person_level.py).
"""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Callable
from typing import BinaryIO

HEAD_BYTES = 256 * 1024
LARGEST_READ = 1024 * 1024
ROWS = 2_000
WORDS_IN_ROW = 60
SEPARATORS = re.compile(r"[,;\t|]")
NOT_WORDS = re.compile(rb"<[^>]*>|[\x00-\x1f]+")
TEXT_PARTS = re.compile(r"xl/sharedstrings\.(xml|bin)|xl/worksheets/[^/]+\.xml|word/document\.xml|content\.xml")
"""Where spreadsheets and documents of the common programs keep the words of their cells, in the order of the sheet."""
PARTS = 10


def glimpse(data: bytes, opened: Callable[[], BinaryIO] | None = None) -> list[list[str]]:
    """What can be seen of a file's first cells without any trust in it; rows may be empty. No content makes it raise.

    `opened` opens the file itself where `data` is only its head: an office package keeps its list of parts at its end.
    """
    if data.startswith(b"PK"):
        with opened() if opened else io.BytesIO(data) as file:
            return _package(file)
    head = data[:HEAD_BYTES]
    if head.count(0) > len(head) // 8:
        # UTF-16 text has a NUL in every second byte; in other binary files what is left are words between NULs.
        head = head.replace(b"\0", b"")
    text = head.decode("utf-8", "replace")
    return [[cell.strip(" \"'") for cell in SEPARATORS.split(line)] for line in text.splitlines()[:ROWS]]


class _Bounded(io.BufferedReader):
    """A file of which no more than LARGEST_READ bytes are read at once: a list of parts can claim any length."""

    def read(self, size: int | None = -1, /) -> bytes:
        to_the_end = size is None or size < 0
        data = super().read(LARGEST_READ + 1 if to_the_end else min(size or 0, LARGEST_READ + 1))
        if len(data) > LARGEST_READ:
            raise ValueError("more than a package's list of parts ever needs")
        return data


def _package(file: BinaryIO) -> list[list[str]]:
    """The words of an office file, cut into overlapping rows: where a row ends is not known."""
    words: list[str] = []
    try:
        with zipfile.ZipFile(_Bounded(file)) as package:  # type: ignore[arg-type]
            parts = [name for name in package.namelist() if TEXT_PARTS.fullmatch(name.lower())]
            for name in parts[:PARTS]:
                with package.open(name) as part:
                    head = part.read(HEAD_BYTES)
                # Binary workbooks keep their words in UTF-16.
                head = head.replace(b"\0", b"") if name.lower().endswith(".bin") else head
                pieces = NOT_WORDS.sub(b"\x1f", head).decode("utf-8", "replace").split("\x1f")
                words += [piece.strip() for piece in pieces if piece.strip()]
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError, ValueError):
        return []  # A package that cannot be opened shows nothing; its own reader says so to the member.
    step = WORDS_IN_ROW // 2
    return [words[start : start + WORDS_IN_ROW] for start in range(0, len(words), step)]
