"""A glimpse into files that no reader opens, so that a list of persons is not kept only because it has a wrong ending.

Belongs here: the first words of text, office packages and other bytes as rows of cells, in bounded memory.
Does not: reading tables (reading.py), or telling what is person-level (person_level.py).
"""

from __future__ import annotations

import io
import re
import zipfile
import zlib

HEAD_BYTES = 256 * 1024
ROWS = 2_000
WORDS_IN_ROW = 60
SEPARATORS = re.compile(r"[,;\t|]")
NOT_WORDS = re.compile(rb"<[^>]*>|[\x00-\x1f]+")
TEXT_PARTS = re.compile(r"xl/sharedstrings\.(xml|bin)|xl/worksheets/[^/]+\.xml|word/document\.xml|content\.xml")
"""Where spreadsheets and documents of the common programs keep the words of their cells, in the order of the sheet."""
PARTS = 10


def glimpse(data: bytes) -> list[list[str]]:
    """What can be seen of a file's first cells without any trust in it; rows may be empty. Never raises."""
    if data.startswith(b"PK"):
        return _package(data)
    head = data[:HEAD_BYTES]
    if head.count(0) > len(head) // 8:
        # UTF-16 text has a NUL in every second byte; in other binary files what is left are words between NULs.
        head = head.replace(b"\0", b"")
    text = head.decode("utf-8", "replace")
    return [[cell.strip(" \"'") for cell in SEPARATORS.split(line)] for line in text.splitlines()[:ROWS]]


def _package(data: bytes) -> list[list[str]]:
    """The words of an office file, cut into overlapping rows: where a row ends is not known."""
    words: list[str] = []
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as package:
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
