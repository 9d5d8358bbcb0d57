"""The same table by many writers: text, Parquet, Excel of both forms, and XML as many programs spell it.

Belongs here: cells with a format, an error, a formula or a footnote mark, and the files that hold them.
Does not: which tables are written and what must come of them (truth.py), mutations (mutations.py).
"""

from __future__ import annotations

import csv
import datetime as dt
import gzip
import io
import random
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any
from xml.sax.saxutils import escape

import openpyxl
import polars as pl
import xlwt  # type: ignore[import-untyped]
from openpyxl.cell.rich_text import CellRichText, TextBlock
from openpyxl.cell.text import InlineFont
from openpyxl.formatting.rule import Rule
from openpyxl.styles.differential import DifferentialStyle
from openpyxl.styles.numbers import NumberFormat
from openpyxl.utils import get_column_letter

from tests.fuzz.open_document import OpenDocument

TRANSITIONAL = (
    "http://schemas.openxmlformats.org/spreadsheetml/2006/main",
    "http://schemas.openxmlformats.org/officeDocument/2006/relationships",
)
STRICT = ("http://purl.oclc.org/ooxml/spreadsheetml/main", "http://purl.oclc.org/ooxml/officeDocument/relationships")
PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"
SHEET = "indicator_values"
EPOCH = dt.date(1899, 12, 30)


@dataclass(frozen=True)
class Cell:
    """A cell: what it shows, and how a workbook holds it. `kind` is text, number, error, formula, open, marked, ruled.

    `open` is a formula without a stored value, `marked` a text with a raised footnote mark, `ruled` a number for which
    conditional formatting sets the number format `rule` below ten.
    """

    shown: str
    kind: str = "text"
    number: float = 0.0
    code: str = "General"
    mark: str = "1"
    rule: str = ""


@dataclass(frozen=True)
class Table:
    """Rows of cells, the header first, and areas of cells that are merged: top row, bottom row, column, from 0."""

    rows: Sequence[Sequence[Cell]]
    merges: Sequence[tuple[int, int, int]] = ()


def as_csv(table: Table, draw: random.Random) -> bytes:
    """Text as the table shows."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, delimiter=draw.choice(",;\t"), lineterminator=draw.choice(["\n", "\r\n"]))
    writer.writerows([cell.shown for cell in row] for row in table.rows)
    return buffer.getvalue().encode(draw.choice(["utf-8", "utf-8-sig", "utf-16"]))


def as_parquet(table: Table, draw: random.Random) -> bytes:
    """All columns as text or as plain bytes."""
    header, *rows = [[cell.shown for cell in row] for row in table.rows]
    frame = pl.DataFrame(rows, schema=dict.fromkeys(header, pl.String), orient="row")
    if draw.random() < 0.5:
        frame = frame.cast(pl.Binary)
    buffer = io.BytesIO()
    frame.write_parquet(buffer)
    return buffer.getvalue()


def as_openpyxl(table: Table, draw: random.Random) -> bytes:
    """By a library that scripts use."""
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = SHEET
    for r, row in enumerate(table.rows, 1):
        for c, cell in enumerate(row, 1):
            place = sheet.cell(r, c)
            _fill(place, cell)
            place.number_format = cell.code
            if cell.kind == "ruled":
                masked = DifferentialStyle(numFmt=NumberFormat(numFmtId=180, formatCode=cell.rule))
                rule = Rule(type="cellIs", operator="lessThan", formula=["10"], dxf=masked)
                sheet.conditional_formatting.add(place.coordinate, rule)
    for top, bottom, column in table.merges:
        sheet.merge_cells(start_row=top + 1, end_row=bottom + 1, start_column=column + 1, end_column=column + 1)
    if draw.random() < 0.3:
        draft = book.create_sheet("draft", draw.randint(0, 1))
        draft.append([cell.shown for cell in table.rows[0]])
        draft.sheet_state = draw.choice(["hidden", "veryHidden"])
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def _fill(place: Any, cell: Cell) -> None:
    if cell.kind in ("number", "ruled"):
        place.value = cell.number
    elif cell.kind == "open":
        place.value = "=1+1"
    elif cell.kind == "marked":
        place.value = CellRichText(cell.shown, TextBlock(InlineFont(vertAlign="superscript"), cell.mark))
    elif cell.shown:
        place.value = cell.shown


def as_old(table: Table, draw: random.Random) -> bytes:
    """Excel 97-2003."""
    book = xlwt.Workbook(encoding="utf-8")
    sheet = book.add_sheet(SHEET)
    raised = xlwt.Font()
    raised.escapement = xlwt.Font.ESCAPEMENT_SUPERSCRIPT
    merged = {(top, column): bottom for top, bottom, column in table.merges}
    covered = {(row, column) for top, bottom, column in table.merges for row in range(top + 1, bottom + 1)}
    for r, row in enumerate(table.rows):
        for c, cell in enumerate(row):
            style = xlwt.easyxf(num_format_str=cell.code)
            if (r, c) in merged:
                sheet.write_merge(r, merged[r, c], c, c, cell.shown, style)
            elif cell.kind in ("number", "formula"):
                sheet.write(r, c, cell.number, style)
            elif cell.kind == "error":
                sheet.row(r).set_cell_error(c, {"#N/A": "#N/A!"}.get(cell.shown, cell.shown), style)
            elif cell.kind == "marked":
                sheet.write_rich_text(r, c, [cell.shown, (cell.mark, raised)], style)
            elif (r, c) not in covered and (cell.shown or draw.random() < 0.3):
                sheet.write(r, c, cell.shown or None, style)
    if draw.random() < 0.3:
        draft = book.add_sheet("draft")
        draft.write(0, 0, "old")
        draft.visibility = draw.choice([1, 2])
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


@dataclass(frozen=True)
class Spelling:
    """How a program writes the XML of a workbook."""

    strict: bool
    prefix: str
    references: bool
    quote: str
    shared: bool
    parts: tuple[str, str, str, str]
    absolute: bool
    spaces: bool
    encoding: str
    far_blanks: bool

    @classmethod
    def drawn(cls, draw: random.Random) -> Spelling:
        """One of the many."""
        return cls(
            strict=draw.random() < 0.4,
            prefix=draw.choice(["", "", "x:", "ns0:"]),
            references=draw.random() < 0.7,
            quote=draw.choice('""\''),
            shared=draw.random() < 0.5,
            parts=draw.choice(
                [
                    ("xl/workbook.xml", "xl/worksheets/sheet1.xml", "xl/styles.xml", "xl/sharedStrings.xml"),
                    ("xl/workbook22.xml", "xl/worksheets/Sheet1.xml", "xl/styles2.xml", "xl/SharedStrings.xml"),
                    ("book/main.xml", "sheets/one.xml", "book/looks.xml", "texts.xml"),
                ]
            ),
            absolute=draw.random() < 0.5,
            spaces=draw.random() < 0.3,
            encoding=draw.choice(["utf-8", "utf-8", "utf-16", "iso-8859-1"]),
            far_blanks=draw.random() < 0.3,
        )


def as_spelled(table: Table, draw: random.Random) -> bytes:
    """By hand, as one of many programs spells it, in transitional Open XML."""
    return _Spelled(table, replace(Spelling.drawn(draw), strict=False), draw).bytes()


def as_strict(table: Table, draw: random.Random) -> bytes:
    """The same in strict Open XML."""
    return _Spelled(table, replace(Spelling.drawn(draw), strict=True), draw).bytes()


class _Spelled:
    """One workbook in one spelling."""

    def __init__(self, table: Table, how: Spelling, draw: random.Random) -> None:
        self.table, self.how, self.draw = table, how, draw
        self.space, self.relation = STRICT if how.strict else TRANSITIONAL
        # A cell without a style has the first one.
        self.codes = ["General", *sorted({cell.code for row in table.rows for cell in row} - {"General"})]
        self.rules = sorted({cell.rule for row in table.rows for cell in row} - {""})
        self.texts: list[str] = []

    def tag(self, name: str, content: str = "", /, **attributes: object) -> str:
        """An element of the workbook's own names."""
        return self.element(self.how.prefix + name, content, attributes)

    def element(self, name: str, content: str, attributes: dict[str, object]) -> str:
        quote, gap = self.how.quote, self.draw.choice(["", "\n  "]) if self.how.spaces else ""
        signs = {quote: "&quot;" if quote == '"' else "&apos;"}
        given = "".join(
            f" {key.replace('__', ':')}={quote}{escape(str(value), signs)}{quote}" for key, value in attributes.items()
        )
        keeps_spaces = name.removeprefix(self.how.prefix) in ("t", "v", "f")
        inner = content if keeps_spaces or not content else f"{gap}{content}{gap}"
        return f"<{name}{given}>{inner}</{name}>" if content else f"<{name}{given}/>"

    def root(self, name: str, content: str) -> bytes:
        """A part whose first element declares the names."""
        own = f"xmlns__{self.how.prefix[:-1]}" if self.how.prefix else "xmlns"
        whole = self.tag(name, content, **{own: self.space, "xmlns__r": self.relation})
        return self.part(whole)

    def part(self, content: str) -> bytes:
        """A part with its declaration, in the encoding."""
        quote = self.how.quote
        head = f"<?xml version={quote}1.0{quote} encoding={quote}{self.how.encoding}{quote}?>\n"
        return (head + content).encode(self.how.encoding, "xmlcharrefreplace")

    def text(self, text: str) -> str:
        """The element of a text."""
        return self.tag("t", escape(text), **({"xml__space": "preserve"} if text != text.strip() else {}))

    def runs(self, cell: Cell) -> str:
        """A text, in runs where it is marked."""
        if cell.kind != "marked":
            return self.text(cell.shown)
        raised = self.tag("rPr", self.tag("vertAlign", val="superscript"))
        return self.tag("r", self.text(cell.shown)) + self.tag("r", raised + self.text(cell.mark))

    def cell(self, row: int, column: int, cell: Cell) -> str:
        """One cell; a blank one only where its place must be kept."""
        place: dict[str, object] = {"r": f"{get_column_letter(column + 1)}{row + 1}"} if self.how.references else {}
        if cell.code != "General" or self.draw.random() < 0.2:
            place["s"] = self.codes.index(cell.code)
        if cell.kind in ("number", "formula", "ruled"):
            formula = self.tag("f", "1+1") if cell.kind == "formula" else ""
            return self.tag("c", formula + self.tag("v", repr(cell.number)), **place)
        if cell.kind == "error":
            return self.tag("c", self.tag("f", "1/0") + self.tag("v", cell.shown), **place, t="e")
        if cell.kind == "open":
            return self.tag("c", self.tag("f", "1+1"), **place)
        if not cell.shown:
            return self.tag("c", **place) if not self.how.references or self.draw.random() < 0.3 else ""
        if self.how.shared:
            self.texts.append(self.runs(cell))
            return self.tag("c", self.tag("v", str(len(self.texts) - 1)), **place, t="s")
        return self.tag("c", self.tag("is", self.runs(cell)), **place, t="inlineStr")

    def sheet(self) -> bytes:
        """The worksheet."""
        rows = []
        for r, row in enumerate(self.table.rows):
            place = {"r": r + 1} if self.how.references else {}
            rows.append(self.tag("row", "".join(self.cell(r, c, cell) for c, cell in enumerate(row)), **place))
        if self.how.far_blanks and self.how.references:
            rows.append(self.tag("row", self.tag("c", r="XFD1048576", s=0), r=1_048_576))
        merges = "".join(
            self.tag("mergeCell", ref=f"{get_column_letter(c + 1)}{top + 1}:{get_column_letter(c + 1)}{bottom + 1}")
            for top, bottom, c in self.table.merges
        )
        content = self.tag("sheetData", "".join(rows)) + (self.tag("mergeCells", merges) if merges else "")
        return self.root("worksheet", content + self.conditions())

    def conditions(self) -> str:
        """The rules of conditional formatting, spelled as comparisons and as formulas in turn."""
        parts = []
        for r, row in enumerate(self.table.rows):
            for c, cell in enumerate(row):
                if cell.kind == "ruled":
                    place = f"{get_column_letter(c + 1)}{r + 1}"
                    given = {"dxfId": self.rules.index(cell.rule), "priority": len(parts) + 1}
                    said = {"type": "cellIs", "operator": "lessThan"} if len(parts) % 2 else {"type": "expression"}
                    asked = "10" if len(parts) % 2 else f"AND({place}<10,{place}>=0)"
                    rule = self.tag("cfRule", self.tag("formula", escape(asked)), **said, **given)
                    parts.append(self.tag("conditionalFormatting", rule, sqref=place))
        return "".join(parts)

    def styles(self) -> bytes:
        """The number formats, the built-in ones by their number."""
        known = {"General": 0, "0%": 9, "0.00%": 10}
        ids = {code: known.get(code, 164 + place) for place, code in enumerate(self.codes)}
        own = "".join(
            self.tag("numFmt", numFmtId=number, formatCode=code) for code, number in ids.items() if number >= 164
        )
        cells = "".join(self.tag("xf", numFmtId=ids[code]) for code in self.codes)
        formats = self.tag("numFmts", own) if own else ""
        base = self.tag("cellStyleXfs", self.tag("xf", numFmtId=0))
        masks = [self.tag("numFmt", numFmtId=300 + place, formatCode=code) for place, code in enumerate(self.rules)]
        rules = self.tag("dxfs", "".join(self.tag("dxf", mask) for mask in masks)) if masks else ""
        return self.root("styleSheet", formats + base + self.tag("cellXfs", cells) + rules)

    def relations(self, folder: str, kinds: dict[str, str]) -> bytes:
        """Relations of the workbook or the package."""
        lines = []
        for place, (kind, part) in enumerate(kinds.items(), 1):
            target = f"/{part}" if self.how.absolute else _relative(part, folder)
            given: dict[str, object] = {"Id": f"rId{place}", "Type": f"{self.relation}/{kind}", "Target": target}
            lines.append(self.element("Relationship", "", given))
        return self.part(self.element("Relationships", "".join(lines), {"xmlns": PACKAGE}))

    def bytes(self) -> bytes:
        """The whole file."""
        book, sheet, styles, texts = self.how.parts
        folder, _, name = book.rpartition("/")
        kinds = {"worksheet": sheet, "styles": styles}
        parts = {sheet: self.sheet(), styles: self.styles()}
        if self.texts:
            kinds["sharedStrings"] = texts
            parts[texts] = self.root("sst", "".join(self.tag("si", text) for text in self.texts))
        listed = self.tag("sheets", self.tag("sheet", name=SHEET, sheetId=1, r__id="rId1"))
        parts[book] = self.root("workbook", listed)
        parts["_rels/.rels"] = self.relations("", {"officeDocument": book})
        parts[f"{folder}/_rels/{name}.rels"] = self.relations(folder, kinds)
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as package:
            for part, content in parts.items():
                package.writestr(part, content)
        return buffer.getvalue()


def _relative(part: str, folder: str) -> str:
    if not folder:
        return part
    inside = part.removeprefix(f"{folder}/")
    return inside if inside != part else "../" * (folder.count("/") + 1) + part


def as_open_document(table: Table, draw: random.Random) -> bytes:
    """OpenDocument, by hand."""
    return OpenDocument(table.rows, table.merges, draw).bytes()


def in_zip(name: str, data: bytes) -> tuple[str, bytes]:
    """The file in an archive, with what a Mac adds."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"folder/{name}", data)
        archive.writestr(f"__MACOSX/folder/._{name}", b"\0\5\26\7")
    return "upload.zip", buffer.getvalue()


def in_gzip(name: str, data: bytes) -> tuple[str, bytes]:
    """The file packed alone."""
    return f"{name}.gz", gzip.compress(data, mtime=0)


ALL_KINDS = frozenset({"number", "text", "error", "formula", "open", "marked", "ruled"})
Writer = Callable[[Table, random.Random], bytes]
WRITERS: dict[str, tuple[str, Writer, frozenset[str]]] = {
    "csv": ("values.csv", as_csv, frozenset({"number", "text"})),
    "parquet": ("values.parquet", as_parquet, frozenset({"number", "text"})),
    "openpyxl": ("values.xlsx", as_openpyxl, frozenset({"number", "text", "error", "open", "marked", "ruled"})),
    "old": ("values.xls", as_old, frozenset({"number", "text", "error", "formula", "marked"})),
    "spelled": ("values.xlsx", as_spelled, ALL_KINDS),
    "strict": ("values.xlsx", as_strict, ALL_KINDS),
    "ods": ("values.ods", as_open_document, ALL_KINDS),
}
"""By name: the file's name, the writer, and the kinds of cells that it can write."""
