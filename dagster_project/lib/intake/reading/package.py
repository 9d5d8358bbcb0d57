"""The inside of an XLSX package, looked at before any reader opens it.

Belongs here: limits on parts and bytes, forbidden declarations, extent of sheets, cells the reader would misread.
Does not: reading of cell values (workbook_child.py), or running the reading process (workbook.py).
"""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from xml.etree import ElementTree

from dagster_project.lib.intake.reading.grid import column_index
from dagster_project.lib.intake.reading.limits import Limits

CHUNK = 4 * 1024 * 1024
# Far beyond any tag's length: what a chunk must repeat of the one before it so that no tag is cut in two.
LONGEST_TAG = 1_024

DECLARATIONS = tuple(
    word.encode(encoding) for word in ("<!DOCTYPE", "<!ENTITY") for encoding in ("utf-8", "utf-16-le", "utf-16-be")
)
CELL_COLUMNS = re.compile(rb' r="([A-Z]{1,3})\d')
CELL_ROWS = re.compile(rb' r="[A-Z]{1,3}(\d{1,7})"')
ERROR_CELL = re.compile(rb'<c\b([^>]*\bt="e"[^>]*)>(?:<f\b[^>]*?(?:/>|>[^<]*</f>))?<v>([^<]*)</v>')
STYLED_CELL = re.compile(rb'<c\b([^>]*\bs="(\d+)"[^>]*)>')
REFERENCE = re.compile(rb'\br="([A-Z]{1,3})(\d{1,7})"')
RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
END_OF_SHEET = re.compile(rb"</(?:\w+:)?worksheet\s*>")
BUILT_IN_PERCENT_FORMATS = frozenset({9, 10})
QUOTED_IN_FORMAT = re.compile(r'"[^"]*"|\\.|\[[^\]]*\]')

Place = tuple[int, int]
"""Row and column of a cell, both counted from 0."""


@dataclass(frozen=True)
class Refused:
    """Why a package is not opened: the rule, what was found, what is allowed."""

    rule_id: str
    found: str
    allowed: str | None = None


@dataclass
class SheetFacts:
    """What the pre-flight saw in one worksheet that the reader does not tell."""

    errors: dict[Place, str] = field(default_factory=dict)
    percents: set[Place] = field(default_factory=set)


def inspect_package(data: bytes, limits: Limits) -> dict[str, SheetFacts] | Refused:
    """Look through an XLSX file in bounded memory: facts by sheet name, or why it is refused."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as package:
            refused = _check_parts(package, limits)
            return refused or _inspect_sheets(package, limits)
    except StopInspectionError as stop:
        return stop.refused
    except (
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        OSError,
        NotImplementedError,
        RuntimeError,
        ValueError,
    ) as failure:
        return Refused("unreadable_file", str(failure), "an Excel workbook")
    except (ElementTree.ParseError, KeyError) as failure:
        return Refused("unreadable_file", f"its parts list is broken ({failure})", "an Excel workbook")


class StopInspectionError(Exception):
    """Ends the inspection from within a part."""

    def __init__(self, refused: Refused) -> None:
        super().__init__(refused.rule_id)
        self.refused = refused


def _check_parts(package: zipfile.ZipFile, limits: Limits) -> Refused | None:
    parts = package.infolist()
    names = [part.filename for part in parts]
    if len(parts) > limits.parts:
        return Refused("zip_bomb", f"{len(parts):,} parts", f"{limits.parts:,} parts")
    if any(part.flag_bits & 1 for part in parts):
        return Refused("encrypted_workbook", "an encrypted part")
    if any(name.lower().endswith("vbaproject.bin") for name in names):
        return Refused("macro_workbook", "a part with macros")
    if "xl/workbook.bin" in names:
        return Refused("xlsb_refused", "a binary workbook")
    if "xl/workbook.xml" not in names:
        return Refused("unreadable_file", "a zip archive without a workbook", "an Excel workbook")
    if len(set(names)) < len(names):
        return Refused("unreadable_file", "parts of the same name", "an Excel workbook")
    unpacked = sum(part.file_size for part in parts)
    if unpacked > limits.unpacked_bytes:
        return Refused("zip_bomb", f"{unpacked:,} bytes", f"{limits.unpacked_bytes:,} bytes")
    return None


def _inspect_sheets(package: zipfile.ZipFile, limits: Limits) -> dict[str, SheetFacts] | Refused:
    budget = [limits.unpacked_bytes]
    names = sorted(name for name in package.namelist() if name.lower().endswith((".xml", ".rels", ".vml")))
    sheets = [name for name in names if name.startswith("xl/worksheets/") and name.endswith(".xml")]
    if len(sheets) > limits.sheets:
        return Refused("too_many_sheets", f"{len(sheets):,} sheets", f"{limits.sheets:,} sheets")
    small = {}
    for name in names:
        if name not in sheets:
            # Only the small parts are needed whole; of the others a look at every chunk is enough.
            keep = name in ("xl/workbook.xml", "xl/_rels/workbook.xml.rels", "xl/styles.xml")
            chunks = list(_chunks(package, name, budget)) if keep else [b"" for _ in _chunks(package, name, budget)]
            small[name] = _joined(chunks)
    percent_styles = _percent_styles(small.get("xl/styles.xml", b""))
    titles = _sheet_names(small)
    return {
        titles.get(name, name): _sheet_facts(_chunks(package, name, budget), percent_styles, limits) for name in sheets
    }


def _joined(chunks: list[bytes]) -> bytes:
    """The part as a whole: each chunk after the first repeats the end of the one before it."""
    return b"".join(chunk if index == 0 else chunk[LONGEST_TAG:] for index, chunk in enumerate(chunks))


def _chunks(package: zipfile.ZipFile, name: str, budget: list[int]) -> Iterator[bytes]:
    """A part's bytes piece by piece, each piece with the end of the one before; counts what was really unpacked."""
    with package.open(name) as part:
        tail = b""
        while piece := part.read(CHUNK):
            budget[0] -= len(piece)
            if budget[0] < 0:
                raise StopInspectionError(Refused("zip_bomb", "more bytes than its list of parts says"))
            chunk = tail + piece
            if any(word in chunk for word in DECLARATIONS):
                raise StopInspectionError(Refused("entity_bomb", f"a declaration in {name}"))
            yield chunk
            tail = chunk[-LONGEST_TAG:] if len(chunk) >= LONGEST_TAG else chunk.rjust(LONGEST_TAG)


def _sheet_facts(chunks: Iterator[bytes], percent_styles: frozenset[bytes], limits: Limits) -> SheetFacts:
    facts = SheetFacts()
    columns: set[bytes] = set()
    last_row = cells = 0
    begun, end = False, b""
    for chunk in chunks:
        begun, end = begun or b"<sheetData" in chunk or b":sheetData" in chunk, chunk[-LONGEST_TAG:]
        cells += chunk.count(b"<c ")
        columns.update(CELL_COLUMNS.findall(chunk))
        last_row = max(last_row, max(map(int, set(CELL_ROWS.findall(chunk))), default=0))
        _check_extent(last_row, columns, cells, limits)
        if b't="e"' in chunk:
            for tag, text in ERROR_CELL.findall(chunk):
                facts.errors[_place(tag)] = text.decode("utf-8", "replace")
        if percent_styles:
            facts.percents.update(_place(tag) for tag, style in STYLED_CELL.findall(chunk) if style in percent_styles)
    if not begun or not END_OF_SHEET.search(end):
        # The reader takes such a sheet for an empty or a shorter one.
        raise StopInspectionError(Refused("unreadable_file", "a sheet is cut off", "an Excel workbook"))
    return facts


def _check_extent(last_row: int, columns: set[bytes], cells: int, limits: Limits) -> None:
    """The reader takes a dense area from A1 to the last cell: one stray cell far out would make it take all memory."""
    width = max((column_index(letters.decode()) + 1 for letters in columns), default=0)
    if width > limits.columns:
        raise StopInspectionError(Refused("too_many_columns", f"{width:,} columns", f"{limits.columns:,} columns"))
    if max(last_row * width, cells) > limits.cells:
        found = f"{last_row:,} rows by {width:,} columns"
        raise StopInspectionError(Refused("too_many_cells", found, f"{limits.cells:,} cells"))
    if last_row > limits.rows + 1:
        raise StopInspectionError(Refused("too_many_rows", f"{last_row:,} rows", f"{limits.rows:,} rows"))


def _place(tag: bytes) -> Place:
    match = REFERENCE.search(tag)
    return (int(match[2]) - 1, column_index(match[1].decode())) if match else (0, 0)


def _percent_styles(styles: bytes) -> frozenset[bytes]:
    """The style numbers whose number format shows a percent sign."""
    if not styles.strip():
        return frozenset()
    root = ElementTree.fromstring(styles)
    custom = {
        int(node.get("numFmtId", "0"))
        for node in root.iter()
        if node.tag.endswith("}numFmt") and "%" in QUOTED_IN_FORMAT.sub("", node.get("formatCode", ""))
    }
    wanted = BUILT_IN_PERCENT_FORMATS | custom
    formats = next((node for node in root.iter() if node.tag.endswith("}cellXfs")), None)
    used = enumerate(formats) if formats is not None else ()
    return frozenset(str(index).encode() for index, node in used if int(node.get("numFmtId", "0")) in wanted)


def _sheet_names(parts: dict[str, bytes]) -> dict[str, str]:
    """Part name of each worksheet to the name on its tab."""
    targets = {}
    for node in ElementTree.fromstring(parts["xl/_rels/workbook.xml.rels"]):
        target = node.get("Target", "")
        targets[node.get("Id", "")] = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
    return {
        targets.get(node.get(RELATION, ""), ""): node.get("name", "")
        for node in ElementTree.fromstring(parts["xl/workbook.xml"]).iter()
        if node.tag.endswith("}sheet")
    }
