"""The decision about one file: the first sign that it holds data on single persons, before anything of it is stored.

Belongs here: the order in which grids, tabs and the inside of a file are looked at.
Does not: the signs themselves (grids.py, text.py), opening files (parts.py), what becomes of a refused file (take_in).
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterable, Sequence
from typing import BinaryIO

from dagster_project.lib.intake.reading.grid import Grid
from dagster_project.lib.intake.reading.person_level import shapes
from dagster_project.lib.intake.reading.person_level.grids import ENOUGH_NUMBERS, STORIES, Hit, judge, table_of
from dagster_project.lib.intake.reading.person_level.headers import sign_of
from dagster_project.lib.intake.reading.person_level.markup import CELL_REFERENCE
from dagster_project.lib.intake.reading.person_level.parts import (
    GZIP,
    JSON,
    MARKUP,
    OLE2,
    ZIP,
    Found,
    decoded,
    parts_of,
    shown,
)
from dagster_project.lib.intake.reading.person_level.text import said

WINDOW = 60
TELLING_WORDS = frozenset({"id", "ssn", "birth", "name", "name_parts", "first", "last", "own_id", "number", "family"})
TOLD_VALUE = re.compile(r"[A-Za-z-]{0,6}\d{4,}")
YEAR = re.compile(r"(19|20)\d\d")
AUTHOR = re.compile(r"^[^:\n]{1,50}:\s+")


def look(grids: Sequence[Grid], data: bytes, opened: Callable[[], BinaryIO] | None = None) -> Hit | None:
    """The first sign of single persons in a file, or None. A sign names sheet, row and column, and quotes no value.

    `grids` are the sheets that a reader gave (none if none could), `data` the file's bytes or, of a file too large to
    be held, its first ones; then `opened` opens it.
    """
    for grid in grids:
        hit = judge(grid.rows)
        if hit:
            return hit.on(shown(grid.sheet))
    tabs = _tabs([grid.sheet for grid in grids])
    if tabs:
        return tabs
    if grids and not _holds_more(data):
        return None
    stories = any(table_of(grid.rows) == STORIES for grid in grids)
    # A package keeps its list of parts at its end; of other files too large to be held the first bytes are looked at.
    with opened() if opened and data.startswith(ZIP) else io.BytesIO(data) as file:
        return look_into(file, frozenset(grid.sheet for grid in grids), stories)


def look_at_rows(rows: Sequence[Sequence[str]]) -> Hit | None:
    """The first sign of single persons in one grid of text, or None."""
    return judge(rows)


def look_into(file: BinaryIO, covered: frozenset[str] = frozenset(), stories: bool = False) -> Hit | None:
    """The first sign in the inside of a file: sheets not in `covered`, comments, caches, hidden parts, archived files.

    `stories` says that a sheet holds stories: their words, seen once more in the bytes, are asked about, not refused.
    """
    found = parts_of(file, covered)
    return next((hit for part in found if (hit := _of_part(part, bool(covered), stories))), None)


def _holds_more(data: bytes) -> bool:
    """Whether a file may hold more than its reader gave: packages, and tables in disguise that were read as text."""
    if data.startswith((ZIP, GZIP, OLE2)):
        return True
    start = decoded(data[:512])
    return bool(MARKUP.match(start) or JSON.match(start))


def _tabs(names: Iterable[str]) -> Hit | None:
    """A sheet a child."""
    return Hit("tabs") if sum(map(shapes.person_named, set(names))) >= ENOUGH_NUMBERS else None


def _of_part(part: Found, beside_tables: bool, stories: bool) -> Hit | None:
    for grid in part.grids:
        hit = judge(grid)
        if hit:
            return hit.on(part.where)
    for reference, text in part.notes:
        sign = _in_note(text)
        if sign:
            place = CELL_REFERENCE.fullmatch(reference)
            return Hit(sign, int(place[2]) if place else None, place[1] if place else None, part.where)
    if not stories:
        sign = _in_texts(part, beside_tables)
        if sign:
            return Hit(sign, sheet=part.where)
    if part.names_alone and shapes.are_names(part.texts):
        return Hit("listed_names", sheet=part.where)
    return None


def _in_note(text: str) -> str | None:
    """The sign of a cell's comment; it begins with its author's name, who is no child."""
    if shapes.SOCIAL_SECURITY.search(text):
        return "ssn_cells"
    sign = said(text)
    if sign:
        return sign
    return "listed_names" if shapes.person_named(AUTHOR.sub("", text, count=1).strip()) else None


def _in_texts(part: Found, beside_tables: bool) -> str | None:
    numbers = 0
    for text in part.texts:
        numbers += bool("-" in text and shapes.SOCIAL_SECURITY.search(text))
        sign = said(text) if len(text) > 9 else None
        if sign:
            return sign
    if numbers >= ENOUGH_NUMBERS:
        return "ssn_cells"
    return None if beside_tables else _in_words(part.texts, part.of_cells)


def _in_words(texts: Sequence[str], of_cells: bool) -> str | None:
    """Words of a list of persons whose rows and columns are not known: two telling headers near values of persons.

    Of a workbook's cells, headers come first and their values stand elsewhere: there three headers are enough.
    """
    telling = [(i, sign) for i, text in enumerate(texts) if (sign := sign_of(text)) in TELLING_WORDS]
    for position, (start, _) in enumerate(telling):
        near = {sign for i, sign in telling[position:] if i - start < WINDOW}
        if len(near) < 2:
            continue
        if of_cells and len(near) >= ENOUGH_NUMBERS:
            return "words"
        window = texts[start : start + WINDOW]
        values = sum(
            bool(shapes.is_date(text) or (TOLD_VALUE.fullmatch(text) and not YEAR.fullmatch(text)))
            or shapes.person_named(text)
            for text in window
        )
        if values >= 2:
            return "words"
    return None
