"""What lies inside a file beside the tables that a reader gives: comments, caches, hidden parts, files of an archive.

Belongs here: opening zip and gzip within limits with the standard library, and naming where something was seen.
Does not: XML and text themselves (markup.py), judging what is seen (door.py), reading values for the lake.
"""

from __future__ import annotations

import gzip
import io
import re
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import BinaryIO
from xml.parsers import expat

from dagster_project.lib.intake.reading.person_level.markup import Seen, XmlReading, delimited_grids, html, json_grid
from dagster_project.lib.intake.reading.person_level.shapes import person_named

ZIP, GZIP, OLE2 = b"PK", b"\x1f\x8b", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
PIECE = 256 * 1024
MOST_PARTS = 1_000
MOST_OF_PART = 64 * 1024 * 1024
MOST_OF_TEXT = 4 * 1024 * 1024
MOST_IN_ALL = 256 * 1024 * 1024
LARGEST_READ = 1024 * 1024
DEEPEST = 3
FAILURES = (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError, ValueError)
MARKUP = re.compile(r"\s*<[!?/a-zA-Z]")
JSON = re.compile(r"\s*[\[{]")
WORDS = re.compile(r"[^\x00-\x1f\x7f-\x9f\ufffd]{3,80}")
SHEET_PART = re.compile(r"xl/worksheets/[^/]+\.xml", re.IGNORECASE)
OFFICE = re.compile(r"(?:\[content_types\]\.xml|content\.xml)$|(?:xl|word|ppt)/", re.IGNORECASE)
HIDES = re.compile(rb'hidden\s*=\s*["\'](?:1|true)')
LIST_CHECK = re.compile(rb"formula1>\s*(?:&quot;|\")([^<]{1,4000}?)(?:&quot;|\")\s*</")
NAMELESS = frozenset({"xl/theme", "xl/styles.xml", "[content_types].xml", "xl/persons", "word/styles.xml", "xl/media"})
NAMES_ALONE = re.compile(
    r"xl/(charts|pivotcache|externallinks|slicercaches|tables)/|customxml/|xl/drawings/", re.IGNORECASE
)


@dataclass
class Found:
    """One part of a file: where it lies (for the member's eyes) and what was seen in it.

    `names_alone` says that a bare list of names in it is a sign; in a document it may be those present. `of_cells` says
    that the texts are those of cells whose order is not known.
    """

    where: str
    grids: list[list[list[str]]] = field(default_factory=list)
    notes: list[tuple[str, str]] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    names_alone: bool = False
    of_cells: bool = False


@dataclass
class _Budget:
    bytes_left: int = MOST_IN_ALL


def parts_of(file: BinaryIO, covered: frozenset[str] = frozenset()) -> Iterator[Found]:
    """Everything seen in a file of any kind, part by part, in bounded memory. No content makes it raise.

    `covered` names the sheets that a reader has given already: of these the cells are not read again, unless the sheet
    hides rows or columns.
    """
    yield from _inside(file, "", covered, _Budget(), 0)


def _inside(file: BinaryIO, where: str, covered: frozenset[str], budget: _Budget, depth: int) -> Iterator[Found]:
    if depth > DEEPEST or budget.bytes_left <= 0:
        return
    head = file.read(PIECE)
    file.seek(0)
    if head.startswith(ZIP):
        yield from _package(file, where, covered, budget, depth)
    elif head.startswith(GZIP):
        try:
            with gzip.open(file) as inner:
                data = inner.read(min(MOST_OF_PART, budget.bytes_left))
        except FAILURES:
            return  # What cannot be unpacked shows nothing; its own reader says so to the member.
        budget.bytes_left -= len(data)
        yield from _inside(io.BytesIO(data), where, covered, budget, depth + 1)
    elif head.startswith(OLE2):
        data = file.read(min(MOST_OF_PART, budget.bytes_left))
        budget.bytes_left -= len(data)
        yield Found(where, texts=_words(data))
    else:
        data = file.read(min(MOST_OF_TEXT, budget.bytes_left))
        budget.bytes_left -= len(data)
        yield _text(data, where)


def _text(data: bytes, where: str) -> Found:
    if data[:4] == b"PAR1":
        return Found(where, texts=_words(data))
    text = decoded(data)
    if MARKUP.match(text):
        seen = XmlReading().feed([data]) if text.lstrip().startswith("<?xml") else html(text)
        if not seen.grids and not seen.texts:
            seen = html(text)
        return _found(where, seen)
    if JSON.match(text):
        return Found(where, grids=[json_grid(text), *delimited_grids(text)])
    return Found(where, grids=delimited_grids(text))


def decoded(data: bytes) -> str:
    """Bytes as text: by their mark, as UTF-8, as UTF-16 without a mark, else as cp1252. No byte makes it raise."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", "replace")
    if data[:4096].count(0) > min(len(data), 4096) // 8:
        # UTF-16 has a NUL in every second byte; in other binary files what is left are words between NULs.
        data = data.replace(b"\0", b"")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as failure:
        # A sign cut in two at the end of what was read is no other encoding.
        return data.decode("utf-8-sig" if failure.start > len(data) - 4 else "cp1252", "replace")


def _words(data: bytes) -> list[str]:
    """Words between the bytes of a binary file."""
    return WORDS.findall(data.replace(b"\0", b"").decode("utf-8", "replace"))[:200_000]


class _Bounded(io.BufferedReader):
    """A file of which no more than LARGEST_READ bytes are read at once: a list of parts can claim any length."""

    def read(self, size: int | None = -1, /) -> bytes:
        to_the_end = size is None or size < 0
        data = super().read(LARGEST_READ + 1 if to_the_end else min(size or 0, LARGEST_READ + 1))
        if len(data) > LARGEST_READ:
            raise ValueError("more than a package's list of parts ever needs")
        return data


def _package(file: BinaryIO, where: str, covered: frozenset[str], budget: _Budget, depth: int) -> Iterator[Found]:
    try:
        with zipfile.ZipFile(_Bounded(file)) as package:  # type: ignore[arg-type]
            names = sorted(part.filename for part in package.infolist()[:MOST_PARTS] if not part.flag_bits & 1)
            if any(OFFICE.match(name) for name in names):
                yield from _Office(package, names, where, budget).parts(covered)
                return
            for name in names:
                data = _whole(package, name, budget)
                yield from _inside(io.BytesIO(data), _joined(where, shown(name)), frozenset(), budget, depth + 1)
    except FAILURES:
        return  # A package that cannot be opened shows nothing; its own reader says so to the member.


def _whole(package: zipfile.ZipFile, name: str, budget: _Budget) -> bytes:
    return b"".join(_pieces(package, name, budget))


def _pieces(package: zipfile.ZipFile, name: str, budget: _Budget) -> Iterator[bytes]:
    left = MOST_OF_PART
    try:
        with package.open(name) as part:
            while left > 0 and budget.bytes_left > 0 and (piece := part.read(PIECE)):
                left -= len(piece)
                budget.bytes_left -= len(piece)
                yield piece
    except FAILURES:
        return  # The part is judged as far as it could be unpacked.


def shown(name: str) -> str:
    """A name of a sheet or file for a finding; what looks like a person's name is not repeated."""
    stem = re.sub(r"[_\-.]+", " ", PurePosixPath(name).stem).strip()
    return "a part with a person's name" if person_named(stem) else name


def _joined(where: str, name: str) -> str:
    return f"{where}/{name}" if where else name


class _Office:
    """One office package: which parts it has, and what each shows."""

    def __init__(self, package: zipfile.ZipFile, names: list[str], where: str, budget: _Budget) -> None:
        self._package = package
        self._names = [name for name in names if not name.lower().startswith(tuple(NAMELESS))]
        self._where = where
        self._budget = budget
        self._titles = self._sheet_titles()
        self._fields: dict[str, list[list[str]]] = {}

    def parts(self, covered: frozenset[str]) -> Iterator[Found]:
        """What each part shows; shared strings are read only for sheets that no reader has given."""
        sheets = [name for name in self._names if SHEET_PART.fullmatch(name)]
        glances = {name: self._glance(name) for name in sheets if self._titles.get(name) in covered}
        unread = [name for name in sheets if name not in glances or glances[name][0]]
        strings = self._shared_strings() if unread else []
        for name in self._names:
            lower = name.lower()
            if lower.endswith(".bin") and "sharedstrings" in lower:
                words = _words(_whole(self._package, name, self._budget))
                yield Found(self._place(name), texts=words, of_cells=True)
            elif name in sheets:
                if name in unread:
                    yield self._part(name, strings)
                else:
                    yield Found(self._place(name), texts=glances[name][1], names_alone=True)
            elif lower.endswith((".xml", ".vml")) and (not sheets or "sharedstrings" not in lower):
                part = self._part(name, [])
                part.of_cells = "sharedstrings" in lower
                yield part

    def _part(self, name: str, strings: Sequence[str]) -> Found:
        seen = XmlReading(strings).feed(_pieces(self._package, name, self._budget))
        found = _found(self._place(name), seen)
        found.names_alone = NAMES_ALONE.match(name) is not None
        number = re.sub(r"\D", "", PurePosixPath(name).stem)
        if seen.fields:
            self._fields[number] = seen.fields
            depth = max(map(len, seen.fields))
            found.grids.append([[of[i] if i < len(of) else "" for of in seen.fields] for i in range(depth)])
        return found

    def _place(self, name: str) -> str:
        """Where a part lies in words for somebody who knows the program and not the package."""
        if "pivotcache" in name.lower():
            inner = "the stored data of a pivot table"
        elif name in self._titles:
            inner = shown(self._titles[name]) if self._titles[name] else ""
        else:
            inner = next((text for key, text in PLACES.items() if key in name.lower()), "a part that no sheet shows")
        return _joined(self._where, inner) if inner else self._where

    def _glance(self, name: str) -> tuple[bool, list[str]]:
        """Whether a sheet hides rows or columns, and the words of drop-down lists that stand in it, in one pass."""
        hides, tail = False, b""
        for piece in _pieces(self._package, name, self._budget):
            hides = hides or HIDES.search(piece) is not None
            tail = (tail + piece)[-PIECE:]
        return hides, [word.strip() for text in LIST_CHECK.findall(tail) for word in decoded(text).split(",")]

    def _shared_strings(self) -> list[str]:
        name = next((name for name in self._names if name.lower() == "xl/sharedstrings.xml"), None)
        return _strings(_pieces(self._package, name, self._budget)) if name else []

    def _sheet_titles(self) -> dict[str, str]:
        """Part name of each sheet, and of the comments that belong to it, to the name on its tab."""
        lower = {name.lower(): name for name in self._names}
        book, relations = lower.get("xl/workbook.xml"), lower.get("xl/_rels/workbook.xml.rels")
        if book is None or relations is None:
            return {}
        targets = dict(_relations(_whole(self._package, relations, self._budget), "xl"))
        titles = {}
        for tag in re.findall(rb"<(?:\w+:)?sheet\b[^>]*>", _whole(self._package, book, self._budget)):
            named = re.search(rb"\bname\s*=\s*(?:\"([^\"]*)\"|'([^']*)')", tag)
            related = re.search(rb":id\s*=\s*[\"']([^\"']+)", tag)
            part = lower.get(targets.get(decoded(related[1]), "").lower()) if related else None
            if part and named:
                titles[part] = decoded(named[1] or named[2] or b"").replace("&amp;", "&")
        for part, title in list(titles.items()):
            path = PurePosixPath(part)
            own = lower.get(f"{path.parent}/_rels/{path.name}.rels".lower())
            if own:
                for _, target in _relations(_whole(self._package, own, self._budget), str(path.parent)):
                    if "comment" in target.lower() and target.lower() in lower:
                        titles[lower[target.lower()]] = title
        return titles


PLACES = {
    "comment": "a comment of a cell",
    "docprops": "the properties of the file",
    "drawing": "a drawing",
    "chart": "a chart",
    "externallink": "the stored data of a linked file",
    "word/": "the document",
    "content.xml": "the document",
    "ppt/": "the slides",
}


def _relations(data: bytes, base: str) -> Iterator[tuple[str, str]]:
    """Ids of a part's relations and the names of the parts they lead to."""
    for tag in re.findall(rb"<(?:\w+:)?Relationship\b[^>]*>", data):
        target = re.search(rb"\bTarget\s*=\s*[\"']([^\"']+)", tag)
        named = re.search(rb"\bId\s*=\s*[\"']([^\"']+)", tag)
        if target and named:
            path = decoded(target[1])
            steps: list[str] = []
            for step in (path.lstrip("/") if path.startswith("/") else f"{base}/{path}").split("/"):
                if step == "..":
                    steps = steps[:-1]
                elif step not in ("", "."):
                    steps.append(step)
            yield decoded(named[1]), "/".join(steps)


def _strings(pieces: Iterator[bytes]) -> list[str]:
    """The shared strings of a workbook, each with its runs joined, as far as they can be read."""
    strings: list[str] = []
    current: list[str] | None = None
    parser = expat.ParserCreate()
    parser.buffer_text = True

    def start(tag: str, _: dict[str, str]) -> None:
        nonlocal current
        if tag.rpartition(":")[2] == "si":
            current = []

    def end(tag: str) -> None:
        nonlocal current
        if tag.rpartition(":")[2] == "si" and current is not None:
            strings.append("".join(current))
            current = None

    def text(data: str) -> None:
        if current is not None:
            current.append(data)

    def declared(*_: object) -> None:
        raise ValueError("a document type")

    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = start, end, text
    parser.StartDoctypeDeclHandler = declared
    try:
        for piece in pieces:
            parser.Parse(piece, False)
    except (expat.ExpatError, ValueError):
        return strings  # As far as they could be read; the workbook's own reader tells what is wrong.
    return strings


def _found(where: str, seen: Seen) -> Found:
    return Found(where, [grid for grid in seen.grids if grid], seen.notes, seen.texts)
