"""The same table as an OpenDocument spreadsheet, by hand, as several programs spell it.

Belongs here: content, styles and the package of an .ods file; number formats as LibreOffice writes them.
Does not: other kinds of files (writers.py), which tables are written and what must come of them (truth.py).
"""

from __future__ import annotations

import io
import json
import random
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import Protocol
from xml.sax.saxutils import escape, quoteattr

STYLES = Path(__file__).with_name("open_document_styles.json")
MIMETYPE = "application/vnd.oasis.opendocument.spreadsheet"
SPACES = {
    name: f"urn:oasis:names:tc:opendocument:xmlns:{space}:1.0"
    for name, space in {
        **{name: name for name in ("office", "table", "text", "style", "manifest")},
        "number": "datastyle",
        "fo": "xsl-fo-compatible",
    }.items()
} | {
    "calcext": "urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0",
    "loext": "urn:org:documentfoundation:names:experimental:office:xmlns:loext:1.0",
}
SHEET = "indicator_values"
FAR = 'table:number-rows-repeated="1048000"'


class CellLike(Protocol):
    """A cell as writers.py describes it."""

    @property
    def shown(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def number(self) -> float: ...
    @property
    def code(self) -> str: ...
    @property
    def mark(self) -> str: ...
    @property
    def rule(self) -> str: ...


def packed(parts: Mapping[str, str]) -> bytes:
    """The bytes of a package with these parts, its kind before them as the standard asks."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr("mimetype", MIMETYPE, zipfile.ZIP_STORED)
        for name, part in parts.items():
            package.writestr(name, part)
    return buffer.getvalue()


@cache
def _known() -> dict[str, list[list[str]]]:
    return json.loads(STYLES.read_text(encoding="utf-8"))  # type: ignore[no-any-return]


@dataclass(frozen=True)
class How:
    """How a program writes such a file."""

    extended: bool
    printed: bool
    listed_rules: bool
    common_styles: bool
    far_blanks: bool
    repeats: bool
    stale: bool
    old_errors: bool
    encoding: str

    @classmethod
    def drawn(cls, draw: random.Random) -> How:
        """One of the many."""
        return cls(*[draw.random() < 0.5 for _ in range(8)], encoding=draw.choice(["utf-8", "utf-8", "utf-16"]))  # type: ignore[misc]


class OpenDocument:
    """One spreadsheet in one spelling; `merges` are top row, bottom row and column, from 0."""

    def __init__(
        self, rows: Sequence[Sequence[CellLike]], merges: Sequence[tuple[int, int, int]], draw: random.Random
    ) -> None:
        self.rows, self.merges, self.draw, self.how = rows, merges, draw, How.drawn(draw)
        cells = [cell for row in rows for cell in row]
        self.codes = sorted({cell.code for cell in cells if cell.code in _known()})
        self.rules = sorted({cell.rule for cell in cells if cell.rule})

    def bytes(self) -> bytes:
        """The whole file."""
        common = self.data_styles() + self.cell_styles() if self.how.common_styles else ""
        own = "" if self.how.common_styles else self.data_styles() + self.cell_styles()
        raised = '<style:text-properties style:text-position="super 58%"/>'
        own += f'<style:style style:name="T1" style:family="text">{raised}</style:style>'
        unseen = '<style:table-properties table:display="false"/>'
        own += f'<style:style style:name="ta2" style:family="table">{unseen}</style:style>'
        draft = '<table:table table:name="draft" table:style-name="ta2"><table:table-row><table:table-cell'
        draft += ' office:value-type="string"><text:p>old</text:p></table:table-cell></table:table-row></table:table>'
        sheets = [self.sheet(), draft] if self.draw.random() < 0.3 else [self.sheet()]
        self.draw.shuffle(sheets)
        body = f"<office:body><office:spreadsheet>{''.join(sheets)}</office:spreadsheet></office:body>"
        parts = {
            "content.xml": self.part("content", f"<office:automatic-styles>{own}</office:automatic-styles>{body}"),
            "styles.xml": self.part("styles", f"<office:styles>{common}</office:styles>"),
            "META-INF/manifest.xml": manifest({"/": MIMETYPE, "content.xml": "text/xml", "styles.xml": "text/xml"}),
        }
        return packed(parts)

    def part(self, name: str, content: str) -> bytes:
        """A part with its declaration and all names."""
        spaces = "".join(f' xmlns:{prefix}="{space}"' for prefix, space in SPACES.items())
        root = f"office:document-{name}"
        head = f'<?xml version="1.0" encoding="{self.how.encoding}"?>\n'
        return f"{head}<{root}{spaces}>{content}</{root}>".encode(self.how.encoding)

    def data_styles(self) -> str:
        """The number formats, those of rules among them."""
        parts = []
        for place, code in enumerate([*self.codes, *self.rules]):
            for kind, name, inner in _known()[code]:
                own = name.replace("N", f"N{place}", 1)
                parts.append(
                    f'<number:{kind} style:name="{own}">{inner.replace(chr(34) + "NP", f"{chr(34)}N{place}P")}'
                    f"</number:{kind}>"
                )
        return "".join(parts)

    def cell_styles(self) -> str:
        """Styles of cells: one a format, and what rules apply."""
        parts = ['<style:style style:name="Default" style:family="table-cell"/>']
        for place, _ in enumerate([*self.codes, *self.rules]):
            parts.append(
                f'<style:style style:name="ce{place}" style:family="table-cell" style:parent-style-name="Default"'
                f' style:data-style-name="N{place}"/>'
            )
        for place, _ in enumerate(self.rules, len(self.codes)):
            given = f'style:condition="cell-content()&lt;10" style:apply-style-name="ce{place}"'
            carried = "" if self.how.listed_rules else f'<style:map {given} style:base-cell-address="{SHEET}.A1"/>'
            parts.append(
                f'<style:style style:name="ru{place}" style:family="table-cell" style:parent-style-name="Default">'
                f"{carried}</style:style>"
            )
        return "".join(parts)

    def sheet(self) -> str:
        """The table with its rows and rules."""
        columns = '<table:table-column table:number-columns-repeated="16384" table:default-cell-style-name="Default"/>'
        rows = [f"<table:table-row>{self.row(r)}</table:table-row>" for r in range(len(self.rows))]
        if self.how.far_blanks:
            blank = '<table:table-cell table:number-columns-repeated="16384"/>'
            rows.append(f"<table:table-row {FAR}>{blank}</table:table-row>")
        around = ("<table:table-header-rows>", "</table:table-header-rows>") if self.draw.random() < 0.3 else ("", "")
        inner = around[0] + rows[0] + around[1] + "".join(rows[1:])
        return f'<table:table table:name="{SHEET}">{columns}{inner}{self.conditions()}</table:table>'

    def row(self, r: int) -> str:
        """The cells of a row, those that are alike written once if the program does so."""
        cells = [self.cell(r, c, cell) for c, cell in enumerate(self.rows[r])]
        if not self.how.repeats:
            return "".join(cells)
        parts = []
        for cell, alike in groupby(cells):
            count = len(list(alike))
            times = f' table:number-columns-repeated="{count}"' if count > 1 else ""
            tag = "<table:table-cell" if cell.startswith("<table:table-cell") else "<table:covered-table-cell"
            parts.append(cell.replace(tag, tag + times, 1))
        return "".join(parts)

    def cell(self, r: int, c: int, cell: CellLike) -> str:
        """One cell."""
        for top, bottom, column in self.merges:
            if column == c and top < r <= bottom:
                stale = "<text:p>stale</text:p>" if self.how.stale else ""
                return f'<table:covered-table-cell office:value-type="string">{stale}</table:covered-table-cell>'
        merged = next((bottom - top + 1 for top, bottom, column in self.merges if (top, column) == (r, c)), 1)
        spanned = f' table:number-columns-spanned="1" table:number-rows-spanned="{merged}"' if merged > 1 else ""
        style = ""
        if cell.kind == "ruled":
            style = f' table:style-name="ru{len(self.codes) + self.rules.index(cell.rule)}"'
        elif cell.code in self.codes:
            style = f' table:style-name="ce{self.codes.index(cell.code)}"'
        given, inner = self.value(cell)
        if not given and not inner:
            return f"<table:table-cell{style}{spanned}/>"
        return f"<table:table-cell{style}{spanned}{given}>{inner}</table:table-cell>"

    def value(self, cell: CellLike) -> tuple[str, str]:
        """The attributes and the text of a cell."""
        if cell.kind == "open":
            return ' table:formula="of:=1+1"', ""
        if cell.kind == "error":
            if self.how.old_errors:
                held = ' table:formula="of:=1/0" office:value-type="float" office:value="0"'
                return held, f"<text:p>{escape(cell.shown)}</text:p>"
            held = ' table:formula="of:=1/0" office:value-type="string" office:string-value=""'
            return held + ' calcext:value-type="error"', f"<text:p>{escape(cell.shown)}</text:p>"
        if cell.kind in ("number", "formula", "ruled"):
            formula = ' table:formula="of:=1+1"' if cell.kind == "formula" else ""
            return formula + self.number(cell), self.printed(cell)
        if not cell.shown:
            return "", ""
        mark = f'<text:span text:style-name="T1">{escape(cell.mark)}</text:span>' if cell.kind == "marked" else ""
        extended = ' calcext:value-type="string"' if self.how.extended else ""
        return f' office:value-type="string"{extended}', f"<text:p>{escape(cell.shown)}{mark}</text:p>"

    def number(self, cell: CellLike) -> str:
        """A number, a percentage or a day, as the format says."""
        kinds = {kind for kind, _, _ in _known().get(cell.code, [])}
        if "date-style" in kinds:
            day = f"{(cell.number - 25_569) * 86_400:.0f}"
            return f' office:value-type="date" office:date-value={quoteattr(_day(int(day)))}'
        kind = "percentage" if kinds == {"percentage-style"} else "float"
        extended = f' calcext:value-type="{kind}"' if self.how.extended else ""
        return f' office:value-type="{kind}" office:value="{cell.number!r}"{extended}'

    def printed(self, cell: CellLike) -> str:
        """What a program printed in the place of a number; rules of conditional formatting do not change it."""
        if cell.kind == "ruled":
            return f"<text:p>{cell.number:g}</text:p>"
        # What such a cell shows is known by its format alone.
        if not self.how.printed or cell.shown in ("another number", "a date"):
            return ""
        return f"<text:p>{escape(cell.shown)}</text:p>" if cell.shown else "<text:p/>"

    def conditions(self) -> str:
        """The rules of conditional formatting in a list behind the cells, as comparisons and as formulas in turn."""
        if not self.how.listed_rules or not self.rules:
            return ""
        parts = []
        for r, row in enumerate(self.rows):
            for c, cell in enumerate(row):
                if cell.kind == "ruled":
                    place = f"{chr(65 + c)}{r + 1}"
                    style = f"ce{len(self.codes) + self.rules.index(cell.rule)}"
                    asked = f"formula-is(AND([.{place}]<10;[.{place}]>=0))" if len(parts) % 2 else "<10"
                    rule = (
                        f'<calcext:condition calcext:apply-style-name="{style}" calcext:value={quoteattr(asked)}'
                        f' calcext:base-cell-address="{SHEET}.{place}"/>'
                    )
                    address = f'calcext:target-range-address="{SHEET}.{place}:{SHEET}.{place}"'
                    parts.append(f"<calcext:conditional-format {address}>{rule}</calcext:conditional-format>")
        return f"<calcext:conditional-formats>{''.join(parts)}</calcext:conditional-formats>"


def manifest(types: dict[str, str]) -> bytes:
    """The list of parts with their types."""
    entries = "".join(
        f'<manifest:file-entry manifest:full-path="{name}" manifest:media-type="{kind}"/>'
        for name, kind in types.items()
    )
    return f'<manifest:manifest xmlns:manifest="{SPACES["manifest"]}">{entries}</manifest:manifest>'.encode()


def _day(seconds: int) -> str:
    import datetime as dt

    return (dt.date(1970, 1, 1) + dt.timedelta(seconds=seconds)).isoformat()
