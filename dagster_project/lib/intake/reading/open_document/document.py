"""An OpenDocument package: what of it is read, and what is refused before.

Belongs here: telling such a package, passwords and macros, styles, views and content in their order.
Does not: the zip archive and its limits (package.py), styles (styles.py), cells (sheets.py).
"""

from __future__ import annotations

import re

from dagster_project.lib.intake.reading.conditions.rules import Sheet, matter, shown
from dagster_project.lib.intake.reading.limits import Limits, RefusalError
from dagster_project.lib.intake.reading.open_document.sheets import Content, ReadSheet
from dagster_project.lib.intake.reading.open_document.styles import Styles
from dagster_project.lib.intake.reading.package import Package, feed, new_parser
from dagster_project.lib.intake.reading.worksheet import SheetCells

CONTENT, STYLES, SETTINGS, MANIFEST = "content.xml", "styles.xml", "settings.xml", "meta-inf/manifest.xml"
OPEN_XML = "[content_types].xml"
WHOLE_ENCRYPTED = "encrypted-package"
MODULE = re.compile(r"(?:basic/.+/(?!script-l[bc]\.xml$)[^/]+\.xml|scripts/.+\.\w+)")
OF_THE_PROGRAM = re.compile(r"(?:meta-inf|basic|dialogs|configurations2)/")
NO_ZEROS = re.compile(rb"ShowZeroValues[^>]*>\s*false\s*<")


def is_open_document(package: Package) -> bool:
    """Whether a package is an OpenDocument, or one that is locked as a whole."""
    return not package.has(OPEN_XML) and (package.has(CONTENT) or package.has(WHOLE_ENCRYPTED))


def read_open_document(package: Package, limits: Limits) -> list[tuple[str, bool, SheetCells]]:
    """Name, whether hidden, and cells of each sheet. RefusalError or ExpatError where it cannot be read."""
    _refuse(package)
    sheets = _sheets(package, limits, keep=False)
    if any(matter(sheet.rules) for sheet in sheets):
        # Rules stand behind the cells: read once more, what the cells hold is kept beside what they show.
        sheets = _sheets(package, limits, keep=True)
        for sheet in sheets:
            sheet.cells.reshow(shown(sheet.rules, Sheet(sheet.held, sheet.cells.rows)))
    # Empty lists of macros and old manifests declare a document type; nobody reads them for what they hold.
    package.look_through_others([CONTENT, STYLES, *filter(OF_THE_PROGRAM.match, package.names())])
    return [(sheet.name, sheet.hidden, sheet.cells.finish()) for sheet in sheets]


def _refuse(package: Package) -> None:
    """What is not opened: a document with a password, or with macros."""
    manifest = b"".join(package.chunks(MANIFEST)) if package.has(MANIFEST) else b""
    if package.has(WHOLE_ENCRYPTED) or b"encryption-data" in manifest:
        raise RefusalError("encrypted_workbook", "an encrypted part")
    if any(MODULE.fullmatch(name) for name in package.names()):
        raise RefusalError("macro_workbook", "a part with macros")


def _sheets(package: Package, limits: Limits, keep: bool) -> list[ReadSheet]:
    styles = Styles()
    if package.has(STYLES):
        parser = new_parser()
        parser.StartElementHandler, parser.EndElementHandler = styles.start, styles.end
        parser.CharacterDataHandler = styles.text.append
        feed(parser, package.chunks(STYLES))
    styles.own()
    settings = b"".join(package.chunks(SETTINGS)) if package.has(SETTINGS) else b""
    return Content(styles, limits, keep, show_zeros=not NO_ZEROS.search(settings)).read(package.chunks(CONTENT))
