"""Rows that their sheet, a line above them or a cell beside them calls something else than values to count.

Belongs here: numbers called suppressed, a target or of another subject, rows set aside, rows below the name of a group.
Does not: whole columns that were not read (columns.py), reading of the cells that are taken (intake/rows).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache, partial
from pathlib import PurePosixPath

from dagster_project.lib.intake.layouts.telling import NOT_MEANT, SET_ASIDE, patterns, row_topics
from dagster_project.lib.intake.layouts.unread.sheet import NUMBER, Sheet
from dagster_project.lib.intake.layouts.unread.vocabulary import (
    CALLED_OTHERWISE,
    CALLED_TARGET,
    GROUP_NAMES,
    NO,
    NOT_BY_ITSELF,
    SUPPRESSED,
    TOTALS,
    YES,
    Words,
)
from dagster_project.lib.intake.reading.grid import Problem, excerpt, one_line, problem, snake_name

FLAGS = frozenset({"suppress", "suppressed", "suppression", "mask", "masked", "redact", "redacted", "redaction"})
"""Words of headers below which a yes says that the row's number is not to be shown."""
PUT_ASIDE = re.compile(patterns()[SET_ASIDE])
"""Names of sheets that their member may not mean to count."""
NOT_MEANT_TO_COUNT = re.compile(patterns()[NOT_MEANT])
"""What says of rows that their member may not mean them to count, without its signs."""
OUT_WORDS = frozenset({"exclude", "excluded", "ignore", "ignored", "omit", "omitted", "delete", "deleted", "drop"})
IN_WORDS = frozenset({"include", "included", "use", "used", "keep"})
"""Words of headers below which a yes, or a no, says that the row is not to count."""


def set_aside(sheet: Sheet) -> Iterator[Problem]:
    """A sheet with values whose name says that it may not be meant to count."""
    name = sheet.match.grid.sheet
    if PUT_ASIDE.fullmatch(_bare(name)) and any(map(sheet.says_anything, sheet.rows)):
        yield sheet.tell("sheet_set_aside", excerpt(name))


def flagged(sheet: Sheet) -> Iterator[Problem]:
    """Rows with a number of which an unread column says that it is suppressed; often a 0 stands in its place."""
    for place, text in sheet.said():
        header = set(snake_name(text).split("_"))
        answers = header & FLAGS and "not" not in header and {one_line(cell).lower() for _, cell in sheet.filled(place)}
        words = YES if answers and answers <= YES | NO else frozenset[str]()
        yield from sheet.tell_rows("flagged_row", place, text, partial(_is_flagged, sheet, words))


def _is_flagged(sheet: Sheet, words: frozenset[str], row: Sequence[str], cell: str) -> bool:
    said = one_line(cell).lower()
    flagged = said in words or SUPPRESSED.fullmatch(said) is not None
    # A base that is printed beside a mask shows nothing that was to stay hidden.
    return flagged and any(NUMBER.fullmatch(sheet.cell(row, name)) for name in ("numerator", "value"))


def other_values(sheet: Sheet) -> Iterator[Problem]:
    """Rows with a number that an unread column, the sheet's name or its title calls something else than their value."""
    match, numbered = sheet.match, sheet.numbered
    # A file that is called a difference or last year's may be a correction: its rows name their own years.
    file = _spaced(PurePosixPath(match.file_name).stem)
    called = [name for name in sheet.heads() if CALLED_OTHERWISE.fullmatch(name.lower())]
    called += [file] if CALLED_TARGET.fullmatch(file) else []
    if numbered and called:
        rows = sorted(at + 1 for at in numbered)
        yield problem("other_value", sheet=match.grid.sheet, rows=rows, found=excerpt(called[0]))
        return
    for name, below in sheet.sections:
        if CALLED_OTHERWISE.fullmatch(name.lower()) and (rows := [at + 1 for at in below if at in numbered]):
            yield problem("other_value", sheet=match.grid.sheet, rows=rows, found=excerpt(name))
    for place, text in sheet.said():
        if not any(CALLED_OTHERWISE.fullmatch(cell.lower()) for cell in sheet.texts(place)):
            continue
        said: dict[str, list[int]] = {}
        for at in match.data:
            row = match.grid.rows[at]
            cell = one_line(row[place]) if place < len(row) else ""
            if at in numbered and CALLED_OTHERWISE.fullmatch(cell.lower()):
                said.setdefault(cell, []).append(at + 1)
        for cell, rows in said.items():
            found = excerpt(f"{text}: {cell}")
            yield problem("other_value", sheet=match.grid.sheet, rows=rows, column=text, found=found)


def of_another_topic(sheet: Sheet) -> Iterator[Problem]:
    """Rows with a number of which an unread column says another subject or level than their indicator's label.

    A label that says nothing of the kind is not judged, so a code of a source's own is taken at its word.
    """
    indicator = sheet.read["indicator"]
    for place, text in sheet.unread():
        topics = [topic for topic in row_topics() if topic.header.fullmatch(_bare(snake_name(text)))]
        said: dict[str, list[int]] = {}
        for at in sorted(sheet.numbered) if topics else ():
            row = sheet.match.grid.rows[at]
            cell = one_line(row[place]) if place < len(row) else ""
            if cell and any(topic.speaks_against(_bare(cell), _bare(row[indicator])) for topic in topics):
                said.setdefault(cell, []).append(at + 1)
        for cell, rows in said.items():
            found = excerpt(f"{text}: {cell}")
            yield problem("row_of_another_topic", sheet=sheet.match.grid.sheet, rows=rows, column=text, found=found)


def not_meant(sheet: Sheet) -> Iterator[Problem]:
    """Rows that are said not to be used: by a title, a line above them, a cell beside them or a column of marks."""
    numbered = sheet.numbered
    told: dict[str, set[int]] = {}
    for name in sheet.match.title.splitlines():
        if _says_not_meant(name) or PUT_ASIDE.fullmatch(_bare(name)):
            told.setdefault(one_line(name), set()).update(numbered)
    for name, below in sheet.sections:
        if _says_not_meant(name):
            told.setdefault(name, set()).update(numbered.intersection(below))
    for place, text in sheet.said():
        header = set(snake_name(text).split("_"))
        if not header & (OUT_WORDS | IN_WORDS) and not any(map(_says_not_meant, sheet.texts(place))):
            continue
        cells = {at: one_line(row[place]) for at in numbered if place < len(row := sheet.match.grid.rows[at])}
        answers = {cell.lower() for cell in cells.values() if cell}
        marks = YES if header & OUT_WORDS else NO if header & IN_WORDS else frozenset[str]()
        marks = marks if answers <= YES | NO and "not" not in header else frozenset()
        for at, cell in cells.items():
            if cell.lower() in marks or _says_not_meant(cell):
                told.setdefault(f"{text}: {cell}", set()).add(at)
    for found, places in told.items():
        if rows := sorted(at + 1 for at in places):
            yield problem("row_set_aside", sheet=sheet.match.grid.sheet, rows=rows, found=excerpt(found))


def _bare(text: str) -> str:
    """Words as they are compared here, without their signs."""
    return re.sub(r"[_\W]+", " ", text.lower().replace("'", "").replace("\u2019", "")).strip()


def _spaced(name: str) -> str:
    """A name of a sheet or a title as names of groups and places are kept."""
    return re.sub(r"[_\s]+", " ", name.lower())


@lru_cache(4_096)
def _says_not_meant(text: str) -> bool:
    return NOT_MEANT_TO_COUNT.fullmatch(_bare(text)) is not None


def under_a_name(sheet: Sheet, words: Words) -> Iterator[Problem]:
    """Totals, or rows without a place, that stand below or beside the name of a group, of a place or another community.

    Members keep a sheet for each group or place, and then leave the columns blank that would say so.
    """
    groups, places = words[GROUP_NAMES] - NOT_BY_ITSELF, words["geography"]
    named = groups | places
    beside = [(place, text) for place, text in sheet.unread() if groups & {cell.lower() for cell in sheet.texts(place)}]
    above = [*sheet.heads(), *(name for name, _ in sheet.sections)]
    if not beside and not any(_spaced(name) in named for name in above):
        return
    rows = {at: sheet.match.grid.rows[at] for at in sorted(sheet.numbered)}
    totals = {at for at, row in rows.items() if one_line(sheet.cell(row, "group")).lower() in TOTALS - {""}}
    of_none = {at for at, row in rows.items() if not sheet.cell(row, "geography")}

    def called(said: str) -> set[int]:
        return (totals if said in groups else set()) | (of_none if said in places else set())

    told = {name: called(_spaced(name)) for name in sheet.heads()}
    for name, below in sheet.sections:
        told[name] = told.get(name, set()) | called(name.lower()).intersection(below)
    for place, text in beside:
        for at in sorted(totals):
            cell = one_line(rows[at][place]) if place < len(rows[at]) else ""
            if cell.lower() in groups:
                told.setdefault(f"{text}: {cell}", set()).add(at)
    for found, ats in told.items():
        if ats:
            numbers = sorted(at + 1 for at in ats)
            yield problem("rows_under_a_name", sheet=sheet.match.grid.sheet, rows=numbers, found=excerpt(found))
