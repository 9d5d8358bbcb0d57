"""The parts of an XLSX package: opened within limits, and found by their relations, whatever they are called.

Belongs here: limits on parts and bytes, forbidden declarations, sheets, shared strings and formats of a workbook.
Does not: the cells of a sheet (worksheet.py). It runs in the reading process and imports nothing heavy.
"""

from __future__ import annotations

import io
import posixpath
import re
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from urllib.parse import unquote
from xml.parsers import expat

from dagster_project.lib.intake.reading.limits import Limits, RefusalError
from dagster_project.lib.intake.reading.number_formats import (
    HIDDEN_NUMBERS,
    NumberFormat,
    built_in_format,
    number_format,
)

CHUNK = 1024 * 1024
NO_MEMORY_TO_PARSE = expat.errors.codes[expat.errors.XML_ERROR_NO_MEMORY]
NO_MEMORY_TO_UNPACK = "Error -4 "
"""How zlib begins what it says when it gets no memory; it has no code to ask for."""
LONGEST_TAG = 1_024
"""What a chunk must repeat of the one before it so that no declaration is cut in two."""
DECLARATIONS = tuple(
    word.encode(encoding) for word in ("<!DOCTYPE", "<!ENTITY") for encoding in ("utf-8", "utf-16-le", "utf-16-be")
)
XML_PARTS = (".xml", ".rels", ".vml")
WHERE_WORKBOOKS_LIE, WHERE_BINARY_ONES_LIE = "xl/workbook.xml", "xl/workbook.bin"
YES = frozenset({"1", "true", "on"})
ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")
SURROGATES = range(0xD800, 0xE000)
NUMBER_LIKE = re.compile(r"\s*[<>≤≥]?=?\s*[+-]?[\d.,]*\d[\d.,]*\s*%?\s*", re.ASCII)
FOOTNOTE = re.compile(r"[\s\d,;*†‡§¶()]+", re.ASCII)
ENOUGH_LETTERS = 3
WHITE = frozenset({"1", "9"})
ALLOWED = "an Excel workbook"

Attributes = list[str]
"""Names and values in turn, as the parser gives them."""


@dataclass(frozen=True)
class SheetPart:
    """One worksheet: the name on its tab, whether the tab is hidden, and its part."""

    name: str
    hidden: bool
    part: str


@dataclass
class Book:
    """What all sheets of a workbook share. `marked` are shared strings with a footnote mark: text without it, mark."""

    sheets: list[SheetPart] = field(default_factory=list)
    strings: list[str] = field(default_factory=list)
    marked: dict[int, tuple[str, str]] = field(default_factory=dict)
    formats: dict[str, NumberFormat] = field(default_factory=dict)
    """Formats that are no plain numbers or are struck out, by the number of the cell style as it is written."""
    set_by_rules: list[NumberFormat | None] = field(default_factory=list)
    """Formats that rules of conditional formatting set, by the number of the rule's style."""
    since_1904: bool = False
    calculated_when_opened: bool = False


class Package:
    """An opened archive whose parts are found as OPC wants it: by relations, and names regardless of their case."""

    def __init__(self, archive: zipfile.ZipFile, limits: Limits) -> None:
        self._archive = archive
        self._limits = limits
        self._budget = limits.unpacked_bytes
        self._parts = {_key(part.filename): part for part in archive.infolist() if not part.is_dir()}
        self._check_parts()

    def _check_parts(self) -> None:
        parts = self._archive.infolist()
        if len(parts) > self._limits.parts:
            raise RefusalError("zip_bomb", f"{len(parts):,} parts", f"{self._limits.parts:,} parts")
        if any(part.flag_bits & 1 for part in parts):
            raise RefusalError("encrypted_workbook", "an encrypted part")
        if any(name.endswith("vbaproject.bin") for name in self._parts):
            raise RefusalError("macro_workbook", "a part with macros")
        if len(self._parts) < sum(not part.is_dir() for part in parts):
            raise RefusalError("unreadable_file", "parts of the same name", ALLOWED)
        unpacked = sum(part.file_size for part in parts)
        if unpacked > self._limits.unpacked_bytes:
            raise RefusalError("zip_bomb", f"{unpacked:,} bytes", f"{self._limits.unpacked_bytes:,} bytes")

    def chunks(self, name: str) -> Iterator[bytes]:
        """A part's bytes piece by piece; counts what was really unpacked."""
        part = self._parts.get(_key(name))
        if part is None:
            raise RefusalError("unreadable_file", f"the part {name} is missing", ALLOWED)
        with self._archive.open(part) as source:
            while piece := source.read(CHUNK):
                self._budget -= len(piece)
                if self._budget < 0:
                    raise RefusalError("zip_bomb", "more bytes than its list of parts says")
                yield piece

    def has(self, name: str) -> bool:
        """Whether there is a part of that name."""
        return _key(name) in self._parts

    def names(self) -> list[str]:
        """The names of all parts, in lower case."""
        return list(self._parts)

    def relations(self, name: str) -> dict[str, tuple[str, str]]:
        """Id to kind (the last word of its type) and part, of all relations of a part ('' is the package)."""
        folder, base = posixpath.split(name)
        part = posixpath.join(folder, "_rels", f"{base}.rels")
        found: dict[str, tuple[str, str]] = {}

        def start(tag: str, attributes: Attributes) -> None:
            given = dict(zip(attributes[::2], attributes[1::2], strict=True))
            if local(tag) == "Relationship" and given.get("TargetMode") != "External":
                target = unquote(given.get("Target", "")).replace("\\", "/")
                whole = target.lstrip("/") if target.startswith("/") else posixpath.join(folder, target)
                kind = given.get("Type", "").rpartition("/")[2]
                found[given.get("Id", "")] = kind, posixpath.normpath(whole)

        if _key(part) in self._parts:
            parse(self.chunks(part), start)
        return found

    def book(self) -> Book:
        """The workbook's sheets, strings and formats."""
        kinds = [part for kind, part in self.relations("").values() if kind == "officeDocument"]
        name = next(iter(kinds), WHERE_WORKBOOKS_LIE)
        if name.lower().endswith(".bin") or WHERE_BINARY_ONES_LIE in self._parts:
            raise RefusalError("xlsb_refused", "a binary workbook")
        if _key(name) not in self._parts:
            raise RefusalError("unreadable_file", "a zip archive without a workbook", ALLOWED)
        relations = self.relations(name)
        by_kind = dict(relations.values())
        if "vbaProject" in by_kind:
            raise RefusalError("macro_workbook", "a part with macros")
        book = self._sheets(name, relations)
        if len(book.sheets) > self._limits.sheets:
            raise RefusalError("too_many_sheets", f"{len(book.sheets):,} sheets", f"{self._limits.sheets:,} sheets")
        read = [name, *(sheet.part for sheet in book.sheets)]
        if _key(by_kind.get("styles", "")) in self._parts:  # without the part all cells show as they are
            styles = Styles()
            parse(self.chunks(by_kind["styles"]), styles.start)
            book.formats, book.set_by_rules = styles.formats(), styles.of_rules
            read.append(by_kind["styles"])
        if "sharedStrings" in by_kind:
            _read_strings(self.chunks(by_kind["sharedStrings"]), book)
            read.append(by_kind["sharedStrings"])
        self.look_through_others(read)
        return book

    def _sheets(self, name: str, relations: dict[str, tuple[str, str]]) -> Book:
        book = Book()

        def start(tag: str, attributes: Attributes) -> None:
            given = dict(zip(attributes[::2], attributes[1::2], strict=True))
            word = local(tag)
            if word == "sheet":
                ids = [value for key, value in given.items() if key.endswith(" id")]
                kind, part = relations.get(ids[0] if ids else "", ("", ""))
                if not part:
                    raise RefusalError("unreadable_file", f"the sheet {given.get('name', '')} has no part", ALLOWED)
                if kind == "worksheet":
                    shown = given.get("state", "visible") == "visible"
                    book.sheets.append(SheetPart(given.get("name", ""), not shown, part))
            elif word == "workbookPr":
                book.since_1904 = given.get("date1904", "") in YES
            elif word == "calcPr":
                book.calculated_when_opened = given.get("fullCalcOnLoad", "") in YES

        parse(self.chunks(name), start)
        return book

    def look_through_others(self, read: Iterable[str]) -> None:
        """Parts that are not read may be read by other programs later on: none of them declares entities."""
        looked_at = frozenset(map(_key, read))
        for key, part in self._parts.items():
            if key not in looked_at and key.endswith(XML_PARTS):
                tail = b""
                for piece in self.chunks(part.filename):
                    if any(word in tail + piece for word in DECLARATIONS):
                        raise RefusalError("entity_bomb", f"a declaration in {part.filename}")
                    tail = piece[-LONGEST_TAG:]


@contextmanager
def opened(data: bytes, limits: Limits) -> Iterator[Package]:
    """The package within limits; RefusalError for whatever is wrong with it or is found wrong while it is open.

    MemoryError where there is not enough of it, in whatever words a library says so: that is no fault of the file.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            yield Package(archive, limits)
    except expat.ExpatError as failure:
        if failure.code == NO_MEMORY_TO_PARSE:
            raise MemoryError from failure
        raise RefusalError("unreadable_file", f"a part of it is cut off or broken ({failure})", ALLOWED) from failure
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError) as failure:
        if str(failure).startswith(NO_MEMORY_TO_UNPACK):
            raise MemoryError from failure
        raise RefusalError("unreadable_file", str(failure), ALLOWED) from failure
    except (ValueError, LookupError) as failure:
        raise RefusalError("unreadable_file", f"a part of it is broken ({failure})", ALLOWED) from failure


def _key(name: str) -> str:
    return name.replace("\\", "/").lstrip("/").lower()


def local(name: str) -> str:
    """A name without its namespace."""
    return name.rpartition(" ")[2]


def new_parser() -> expat.XMLParserType:
    """A parser that tells names as `namespace name`, attributes in turn, and refuses a document type."""
    # Names are kept once, so that comparing them is comparing identities.
    parser = expat.ParserCreate(None, " ", {})
    parser.ordered_attributes = True
    parser.buffer_text = True
    parser.buffer_size = 65_536

    def refuse(*_: object) -> None:
        raise RefusalError("entity_bomb", "a declaration in a part")

    parser.StartDoctypeDeclHandler = refuse
    return parser


def parse(chunks: Iterator[bytes], start: Callable[[str, Attributes], None]) -> None:
    """Tell the beginnings of all elements of a part."""
    parser = new_parser()
    parser.StartElementHandler = start
    feed(parser, chunks)


def feed(parser: expat.XMLParserType, chunks: Iterator[bytes]) -> None:
    """Run a parser over a part."""
    for piece in chunks:
        parser.Parse(piece, False)
    parser.Parse(b"", True)


class Styles:
    """Number formats of cell styles and of conditional formatting. Fed by the elements of a part with styles.

    A white font without a fill shows no number, whatever the format; one with a line through it strikes cells out.
    """

    def __init__(self) -> None:
        self.of_rules: list[NumberFormat | None] = []
        self._codes: dict[int, str] = {}
        self._used: list[tuple[int, int, int]] = []
        self._inside = self._part = ""
        self._white: list[bool] = []
        self._struck: list[bool] = []
        self._filled: list[bool] = []

    def start(self, tag: str, attributes: Attributes) -> None:
        """An element begins."""
        word = local(tag)
        given = dict(zip(attributes[::2], attributes[1::2], strict=True))
        if word in ("numFmts", "fonts", "fills", "borders", "cellStyleXfs", "cellXfs", "cellStyles", "dxfs"):
            self._inside = word
        elif word == "dxf":
            self.of_rules.append(None)
        elif self._inside == "dxfs":
            self._of_rule(word, given)
        elif word == "numFmt":
            self._codes.setdefault(int(given.get("numFmtId", "0")), given.get("formatCode", ""))
        elif word == "font":
            self._white.append(False)
            self._struck.append(False)
        elif word == "fill":
            self._filled.append(False)
        elif word == "color" and self._inside == "fonts" and self._white:
            self._white[-1] = is_white(given)
        elif word == "strike" and self._inside == "fonts" and self._struck:
            self._struck[-1] = given.get("val", "1") in YES
        elif word == "patternFill" and self._filled:
            self._filled[-1] = given.get("patternType", "none") != "none"
        elif word == "gradientFill" and self._filled:
            self._filled[-1] = True
        elif word == "xf" and self._inside == "cellXfs":
            number, font, fill = (int(given.get(name, "0")) for name in ("numFmtId", "fontId", "fillId"))
            self._used.append((number, font, fill))

    def _of_rule(self, word: str, given: dict[str, str]) -> None:
        if not self.of_rules:
            return
        if word in ("font", "fill", "border", "alignment", "protection"):
            self._part = word
        if word == "numFmt":
            self.of_rules[-1] = self._format(int(given.get("numFmtId", "0")), given.get("formatCode"))
        elif word == "color" and self._part == "font" and self.of_rules[-1] is None and is_white(given):
            self.of_rules[-1] = HIDDEN_NUMBERS
        elif word in ("fill", "patternFill") and self.of_rules[-1] is HIDDEN_NUMBERS:
            self.of_rules[-1] = None  # white on a fill is to be seen

    def _format(self, number: int, code: str | None = None) -> NumberFormat:
        code = self._codes.get(number) if code is None else code
        return built_in_format(number) if code is None else number_format(code)

    def formats(self) -> dict[str, NumberFormat]:
        """Formats of the cell styles that show more or less than plain numbers, by the style's number."""
        shapes = {}
        for place, (number, font, fill) in enumerate(self._used):
            unseen = _at(self._white, font) and not _at(self._filled, fill)
            shape = HIDDEN_NUMBERS if unseen else self._format(number)
            if _at(self._struck, font):
                shape = replace(shape, struck=True)
            if shape.struck or not shape.plain:
                shapes[str(place)] = shape
        return shapes


def is_white(color: dict[str, str]) -> bool:
    """Whether an element of a color says white: by its parts, by its number, or as the first color of the theme."""
    if float(color.get("tint", "0")) < 0:
        return False
    return color.get("rgb", "").upper()[-6:] == "FFFFFF" or color.get("indexed") in WHITE or color.get("theme") == "0"


def _at(flags: list[bool], place: int) -> bool:
    return flags[place] if 0 <= place < len(flags) else False


class RichText:
    """Text in runs, some of them set apart: raised, lowered or struck out. Fed by the elements of a string."""

    def __init__(self) -> None:
        self.pieces: list[str] = []
        self._apart: list[int] = []
        self._set_apart = self._phonetic = False
        self._begins = 0

    def clear(self) -> None:
        """Begin another string."""
        self.pieces.clear()
        self._apart.clear()
        self._set_apart = self._phonetic = False

    def start(self, word: str, attributes: Attributes) -> None:
        """An element begins that is not the text itself."""
        if word == "r":
            self._set_apart = False
        elif word == "rPh":
            self._phonetic = True
        elif word in ("vertAlign", "strike"):
            value = dict(zip(attributes[::2], attributes[1::2], strict=True)).get("val", "1")
            self._set_apart |= value not in ("baseline", "0", "false")

    def begin_text(self) -> bool:
        """The text of a run begins; false for what only tells how it is pronounced."""
        self._begins = len(self.pieces)
        return not self._phonetic

    def end(self, word: str) -> None:
        """An element ends."""
        if word == "t" and self._set_apart:
            self._apart += range(self._begins, len(self.pieces))
        elif word == "r":
            self._set_apart = False
        elif word == "rPh":
            self._phonetic = False

    def text(self) -> str:
        """The whole text."""
        return unescaped("".join(self.pieces))

    def without_mark(self) -> tuple[str, str] | None:
        """Text and mark, if what is set apart is a footnote mark: at a number, or a mark's signs at a label."""
        if not self._apart:
            return None
        mark = "".join(self.pieces[place] for place in self._apart)
        apart = frozenset(self._apart)
        base = "".join(piece for place, piece in enumerate(self.pieces) if place not in apart)
        return (unescaped(base).strip(), unescaped(mark).strip()) if mark.strip() and is_marked(base, mark) else None


def is_marked(base: str, mark: str) -> bool:
    """Whether what is set apart is a footnote mark: anything at a number, the usual signs at a label."""
    if NUMBER_LIKE.fullmatch(base):
        return True
    words = base.rstrip()
    return len(words) >= ENOUGH_LETTERS and words[-1].isalpha() and bool(FOOTNOTE.fullmatch(mark))


def unescaped(text: str) -> str:
    """`_x000D_` and the like as the sign they stand for."""
    return ESCAPED.sub(_sign, text) if "_x" in text else text


def _sign(found: re.Match[str]) -> str:
    code = int(found[1], 16)
    return "\N{REPLACEMENT CHARACTER}" if code in SURROGATES else chr(code)


def _read_strings(chunks: Iterator[bytes], book: Book) -> None:
    """Fill in the shared strings, and those that carry a footnote mark."""
    parser, rich = new_parser(), RichText()
    strings, pieces = book.strings, rich.pieces

    def start(tag: str, attributes: Attributes) -> None:
        word = local(tag)
        if word == "t":
            if rich.begin_text():
                parser.CharacterDataHandler = pieces.append
        elif word == "si":
            rich.clear()
        else:
            rich.start(word, attributes)

    def end(tag: str) -> None:
        word = local(tag)
        if word == "t":
            parser.CharacterDataHandler = None
        if word == "si":
            marked = rich.without_mark()
            if marked:
                book.marked[len(strings)] = marked
            strings.append(rich.text())
        else:
            rich.end(word)

    parser.StartElementHandler = start
    parser.EndElementHandler = end
    feed(parser, chunks)
