"""Tables and texts in marked-up and delimited text, whatever the name of the file says.

Belongs here: XML of spreadsheets and documents, HTML saved as a workbook, JSON, delimited text, as grids and texts.
Does not: reading tables for the lake (the readers), opening packages (parts.py), judging what is seen (door.py).
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Sequence
from html.parser import HTMLParser
from xml.parsers import expat

from dagster_project.lib.intake.reading.grid import column_index

ROW_TAGS = frozenset({"row", "tr", "table-row"})
CELL_TAGS = frozenset({"c", "cell", "td", "th", "table-cell", "covered-table-cell", "tc"})
SHEET_TAGS = frozenset({"table", "worksheet", "sheetdata", "tbl"})
NOTE_TAGS = frozenset({"comment", "threadedcomment", "annotation"})
SILENT_TAGS = frozenset({"f", "creator", "lastmodifiedby", "author", "script", "style", "manager", "company"})
BREAKS = frozenset({"p", "br", "line-break"})
VALUE_TAGS = frozenset({"s", "d", "n", "e", "b"})
MOST_CELLS = 2_000_000
MOST_TEXTS = 50_000
MOST_COLUMNS = 2_000
MOST_LINES = 200_000
CELL_REFERENCE = re.compile(r"\$?([A-Z]{1,3})\$?(\d{1,7})")
PAIR = re.compile(r'"((?:[^"\\]|\\.){1,80})"\s*:\s*(?:"((?:[^"\\]|\\.){0,500})"|([^\s,\]}\[{"]{0,40}))?')
DELIMITERS = ",;\t|"
LOOKED_AT = 40


class StopReadingError(Exception):
    """The text declares a document type, or holds more than is looked at."""


class Seen:
    """What a reading gave: grids by number, notes with the cell they stand at, and texts outside of any cell."""

    def __init__(self, strings: Sequence[str] = ()) -> None:
        self.grids: list[list[list[str]]] = []
        self.notes: list[tuple[str, str]] = []
        self.texts: list[str] = []
        self._strings = strings
        self._row: list[str] | None = None
        self._cell: list[str] | None = None
        self._note: list[str] | None = None
        self._reference = ""
        self._indexed = False
        self._column: int | None = None
        self._repeat = 1
        self._silent = 0
        self._cells = 0
        self.fields: list[list[str]] = []

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """An element begins; `tag` is its local name in lower case, as are the attributes' names."""
        if tag in SILENT_TAGS:
            self._silent += 1
        elif tag in NOTE_TAGS:
            self._note, self._reference = [], attributes.get("ref", "")
        elif tag in SHEET_TAGS:
            self.grids.append([])
        elif tag in ROW_TAGS:
            self._start_row(attributes)
        elif tag in CELL_TAGS and self._row is not None:
            self._start_cell(attributes)
        elif tag == "cachefield":
            self.fields.append([attributes.get("name", "")])
        elif self.fields and tag in VALUE_TAGS and "v" in attributes:
            self.fields[-1].append(attributes["v"])
        elif tag in ("tablecolumn", "definedname"):
            self._add_text(attributes.get("name", ""))
        if tag in BREAKS and self._cell:
            self._cell.append(" ")

    def end(self, tag: str) -> None:
        """An element ends."""
        if tag in SILENT_TAGS:
            self._silent = max(0, self._silent - 1)
        elif tag in NOTE_TAGS and self._note is not None:
            self.notes.append((self._reference, "".join(self._note).strip()))
            self._note = None
        elif tag in CELL_TAGS and self._cell is not None and self._row is not None:
            self._end_cell()
        elif tag in ROW_TAGS and self._row is not None:
            if not self.grids:
                self.grids.append([])
            self.grids[-1].append(self._row)
            self._row = None

    def text(self, data: str) -> None:
        """Character data."""
        if self._silent:
            return
        if self._note is not None:
            self._note.append(data)
        elif self._cell is not None:
            self._cell.append(data)
        elif data.strip():
            self._add_text(data.strip())

    def _add_text(self, text: str) -> None:
        if len(self.texts) < MOST_TEXTS:
            self.texts.append(text)

    def _start_row(self, attributes: dict[str, str]) -> None:
        number = attributes.get("r", "")
        if self.grids and number.isdecimal():
            # Rows that hold nothing are left out of the file; a row's number counts them.
            blank = min(int(number), MOST_LINES) - 1 - len(self.grids[-1])
            self.grids[-1].extend([] for _ in range(max(0, blank)))
        self._row = []

    def _start_cell(self, attributes: dict[str, str]) -> None:
        self._cells += 1
        if self._cells > MOST_CELLS:
            raise StopReadingError
        place = CELL_REFERENCE.fullmatch(attributes.get("r", ""))
        self._column = column_index(place[1]) if place else None
        self._reference = attributes.get("r", "")
        self._indexed = attributes.get("t") == "s"
        repeat = attributes.get("number-columns-repeated", attributes.get("colspan", "1"))
        self._repeat = int(repeat) if repeat.isdecimal() and len(repeat) < 3 else 1
        self._cell = []

    def _end_cell(self) -> None:
        assert self._row is not None and self._cell is not None
        text = " ".join("".join(self._cell).split())
        if self._indexed:
            index = int(text) if text.isdecimal() and len(text) < 9 else -1
            text = self._strings[index] if 0 <= index < len(self._strings) else ""
        if self._column is not None and len(self._row) < self._column <= MOST_COLUMNS:
            self._row.extend("" for _ in range(self._column - len(self._row)))
        self._row.extend([text] + [""] * (self._repeat - 1))
        self._cell = None


class XmlReading:
    """XML fed piece by piece; stops at a document type, a broken part, or too much of it."""

    def __init__(self, strings: Sequence[str] = ()) -> None:
        self.seen = Seen(strings)
        self._parser = expat.ParserCreate()
        self._parser.buffer_text = True
        self._parser.StartDoctypeDeclHandler = _refuse
        self._parser.EntityDeclHandler = _refuse
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = lambda tag: self.seen.end(_local(tag))
        self._parser.CharacterDataHandler = self.seen.text

    def feed(self, pieces: Iterable[bytes]) -> Seen:
        """All pieces as far as they can be read."""
        try:
            for piece in pieces:
                self._parser.Parse(piece, False)
        except (expat.ExpatError, StopReadingError):
            return self.seen  # What was seen until then is judged; the part's own reader tells what is wrong with it.
        return self.seen

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        self.seen.start(_local(tag), {_local(name): value for name, value in attributes.items()})


def _refuse(*_: object) -> None:
    raise StopReadingError


def _local(name: str) -> str:
    return name.rpartition(":")[2].lower()


class _HtmlReading(HTMLParser):
    """HTML, and XML that is too broken for a strict reader."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.seen = Seen()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """An element begins. Rows and cells are often not closed."""
        name = _local(tag)
        if name in CELL_TAGS or name in ROW_TAGS:
            self.seen.end("td")
        if name in ROW_TAGS:
            self.seen.end("tr")
        self.seen.start(name, {_local(key): value or "" for key, value in attrs})

    def handle_endtag(self, tag: str) -> None:
        """An element ends."""
        if _local(tag) in ROW_TAGS:
            self.seen.end("td")
        if _local(tag) in SHEET_TAGS:
            self.seen.end("td")
            self.seen.end("tr")
        self.seen.end(_local(tag))

    def handle_data(self, data: str) -> None:
        """Character data."""
        self.seen.text(data)


def html(text: str) -> Seen:
    """What HTML or broken XML holds."""
    reading = _HtmlReading()
    try:
        reading.feed(text)
    except (StopReadingError, AssertionError, ValueError):
        return reading.seen  # As far as it could be read.
    reading.seen.end("td")
    reading.seen.end("tr")
    return reading.seen


def json_grid(text: str) -> list[list[str]]:
    """The pairs of JSON text as rows under their keys, whether or not the text is whole. A key that comes again begins
    the next row; keys of nested objects stand beside those around them."""
    columns: dict[str, int] = {}
    rows: list[dict[str, str]] = [{}]
    for count, match in enumerate(PAIR.finditer(text)):
        if count > MOST_LINES:
            break
        key, value = match[1], match[2] if match[2] is not None else match[3] or ""
        columns.setdefault(key, len(columns))
        if key in rows[-1]:
            rows.append({})
        rows[-1][key] = value
    names = list(columns)[:MOST_COLUMNS]
    return [names, *([row.get(name, "") for name in names] for row in rows)]


def delimited_grids(text: str) -> list[list[list[str]]]:
    """Delimited text read twice: by its quotes, and without any trust in them."""
    lines = text.splitlines()[:MOST_LINES]
    first = [line for line in lines if line.strip()][:LOOKED_AT]
    delimiter = max(DELIMITERS, key=lambda sign: sum(min(line.count(sign), 50) for line in first))
    plain = [[cell.strip(" \"'") for cell in line.split(delimiter)[:MOST_COLUMNS]] for line in lines]
    try:
        quoted = [row[:MOST_COLUMNS] for row in csv.reader(lines, delimiter=delimiter)]
    except csv.Error:
        return [plain]
    return [quoted, plain]
