"""Columns of a contract's table that were not read, and whether they change what was read.

Belongs here: near and repeated headers, unread words and numbers where the column they belong to is blank.
Does not: which header is near to which column (near.py), reading of the cells that are taken (rows).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property, lru_cache, partial

import polars as pl

import contracts
from dagster_project.lib.base.reference import Reference
from dagster_project.lib.intake.layouts.declaration import Match
from dagster_project.lib.intake.layouts.near import near_names, squeezed
from dagster_project.lib.intake.layouts.telling import NOT_MEANT, OTHER_VALUE, SET_ASIDE, patterns
from dagster_project.lib.intake.reading.grid import Problem, column_letter, excerpt, one_line, problem, snake_name

NOT_FILLED = "values_not_filled"
"""Told of a sheet of several that has rows and no value in any of them; none of the rows is taken."""
COUNTS = ("numerator", "denominator")
VALUE_CELLS = (*COUNTS, "value")
NUMBER = re.compile(r"[-+]?\$?\d[\d.,]*\s*%?", re.ASCII)
MONTH = (
    "jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?"
    "|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?"
)
PART = "(?:quarter|semester|trimester|term|marking period)"
PERIOD_WORD = re.compile(
    r"(?:\d{4}[- ]?)?(?:q[1-4]|t[1-4]|s[12])|\d{4}-(?:0[1-9]|1[0-2])"
    rf"|{PART} ?[1-6]|[1-4](?:st|nd|rd|th) {PART}"
    r"|boy|moy|eoy|(?:beginning|middle|end) of (?:the )?year"
    rf"|(?:fall|autumn|winter|spring|summer|{MONTH})(?:,? \d{{4}})?",
    re.ASCII,
)
NAMES_ONLY = frozenset({"id", "ids", "code", "codes", "key", "no", "row", "line", "rank", "fips", "nces", "year"})
"""Words of headers whose numbers are names and no values."""
FLAGS = frozenset({"suppress", "suppressed", "suppression", "mask", "masked", "redact", "redacted", "redaction"})
"""Words of headers below which a yes says that the row's number is not to be shown."""
YES = frozenset({"y", "yes", "t", "true", "1", "x", "*"})
NO = frozenset({"n", "no", "f", "false", "0", "-"})
"""Where a column holds anything else, its ones and stars are no yes: it may count what was suppressed."""
SUPPRESSED = re.compile(
    r"(?:data |value |cell |rate |row )?(?:suppressed|masked|redacted|withheld)"
    r"(?:\W*(?:$|for|due|because|n ?<|small).*)?"
)
"""A cell that says so by itself, whatever its column is called."""
CALLED_OTHERWISE = re.compile(patterns()[OTHER_VALUE])
"""What says of a number that it is no value of the row's own place and year."""
PUT_ASIDE = re.compile(patterns()[SET_ASIDE])
"""Names of sheets that their member may not mean to count."""
NOT_MEANT_TO_COUNT = re.compile(patterns()[NOT_MEANT])
"""What says of rows that their member may not mean them to count, without its signs."""
OUT_WORDS = frozenset({"exclude", "excluded", "ignore", "ignored", "omit", "omitted", "delete", "deleted", "drop"})
IN_WORDS = frozenset({"include", "included", "use", "used", "keep"})
"""Words of headers below which a yes, or a no, says that the row is not to count."""
WORDS = re.compile(r"[^\W\d_]{3}")
YEAR = re.compile(r"(?:sy ?|school year )?(?:19|20)\d\d(?:\s?[-/–]\s?(?:(?:19|20)?\d\d))?", re.ASCII)
"""A header that is a year."""
UNIT_BESIDE = re.compile(r"\s*(?:\(?%\)?|percent|pct|rate)$")
"""What stands behind the name of a year or group in a header of values."""
USUAL_UNIT, USUAL_LEVEL, USUAL_DATA = "percent", "community", "population"
TOTALS = frozenset({"", "all", "total", "totals", "all students", "all schools", "all districts", "none", "n/a", "-"})
HOLDS = frozenset(
    {"active", "current", "ongoing", "present", "member", "in force", "signed", "yes", "y", "true", "x", "1"}
)
USUAL = {
    "unit": frozenset({USUAL_UNIT, "%", "percentage", "pct"}),
    "geography_level": frozenset({USUAL_LEVEL}),
    "active_to": HOLDS,
    "end_date": HOLDS,
}
"""What a column means where it is blank, in the words of files."""
NO_NAMES = TOTALS | YES | NO | {"other", "unknown", "not reported", "local"}
"""Words of groups that name none without their dimension."""
FREE_TEXT = ("note", "data_source")
"""Columns of a table that are kept as they are written and change no figure, whatever they say of the row."""
NOT_BY_ITSELF = frozenset({"english", "employed", "unemployed", "participants"})
"""Names of groups that name a subject or a measure as well."""
OWN_NAMES, GROUP_NAMES = "own names", "group names"
"""The keys of Words under which the community's own names stand, and those of groups."""

Words = Mapping[str, frozenset[str]]
"""Words that say something only where their column is read, by column: units, levels, places (lower case)."""


def words_of(reference: Reference, community_id: str) -> Words:
    """The words of one community's tables: units other than the usual one, kinds of places, its governed places.

    Names of other communities are places too: rows of one of them in this folder would count for this one.
    """
    values = contracts.landed()[contracts.VALUES_TABLE]
    named = reference.communities.select("community_id", "name", "district_name")
    names = {row[0]: {one_line(name).lower() for name in row if name} for row in named.iter_rows()}
    self_named = names.pop(community_id, set())
    own = reference.geographies.filter(pl.col("community_id") == community_id)
    labels = reference.crosswalk("geography").filter(
        (pl.col("scope") == "community") & (pl.col("scope_id") == community_id)
    )
    places = [*own["geography_id"], *own["name"], *labels["label"]]
    return {
        "unit": frozenset(reference.units["unit"]) - {USUAL_UNIT},
        "geography_level": frozenset(values.column("geography_level").choices) - {USUAL_LEVEL},
        "data_level": frozenset(values.column("data_level").choices) - {USUAL_DATA},
        "geography": frozenset(one_line(place).lower() for place in places if place)
        | (frozenset().union(*names.values()) - self_named),
        OWN_NAMES: frozenset(self_named),
        GROUP_NAMES: _group_names(reference),
    }


def _group_names(reference: Reference) -> frozenset[str]:
    """Names of single groups, as the dictionary and the crosswalk of the whole network spell them."""
    crosswalk = reference.crosswalk("group").filter((pl.col("scope") == "global") & (pl.col("group_code") != "all"))
    known = reference.groups.filter(pl.col("group_code") != "all")
    names = {one_line(name).lower() for name in (*crosswalk["label"], *known["label"]) if name}
    return frozenset(name for name in names - NO_NAMES if WORDS.search(name))


def unread_problems(match: Match, words: Words, alone: bool) -> list[Problem]:
    """What the member must hear of columns of a contract's table that were not read.

    A fatal one and NOT_FILLED refuse the sheet. `alone`: it is the only sheet of its file; one of several without any
    value is a form that nobody has filled in yet.
    """
    if not match.layout.contract:
        return []
    sheet = _Sheet(match)
    told = [*_twice(sheet), *_doubtful(sheet, words), *_words(sheet, words)]
    if match.table == contracts.VALUES_TABLE and match.data:
        told += _two_lines(sheet)
        if not told:
            told += [*_without_values(sheet, alone), *_flagged(sheet), *_other_values(sheet), *_beside(sheet, words)]
            told += [*_other_rates(sheet), *_not_meant(sheet), *_under_a_name(sheet, words)]
    return [*_read_as(sheet), *_set_aside(sheet), *told]


class _Sheet:
    """The cells of a matched sheet by column: those that are read, and the others."""

    def __init__(self, match: Match) -> None:
        self.match = match
        self.rows = [match.grid.rows[place] for place in match.data]
        self.header = match.grid.rows[match.header_row - 1]
        self.read = dict(match.fit.places)
        if match.layout.contract:
            # A later version may call a column otherwise; here each is asked for by the name it is kept by.
            renamed = contracts.tables(match.layout.version)[match.table].renamed
            self.read |= {kept: self.read[name] for kept, name in renamed.items() if name in self.read}

    def cell(self, row: Sequence[str], column: str) -> str:
        place = self.read.get(column)
        return row[place].strip() if place is not None and place < len(row) else ""

    def unread(self) -> Iterator[tuple[int, str]]:
        """Place and header of the columns that were not read; a column without a header under its letter."""
        places = set(self.read.values())
        for place in range(self.match.fit.width):
            text = one_line(self.header[place]) if place < len(self.header) else ""
            if place not in places:
                yield place, text or f"column {column_letter(place)} (without a header)"

    def said(self) -> Iterator[tuple[int, str]]:
        """Place and header of the columns whose words nothing acts on: those that are not read, and free text."""
        yield from self.unread()
        for column in FREE_TEXT:
            if column in self.read:
                yield self.read[column], one_line(self.header[self.read[column]])

    def heads(self) -> tuple[str, ...]:
        """What stands above all rows: the sheet's name and the lines of its title."""
        lines = map(one_line, (self.match.grid.sheet, *self.match.title.splitlines()))
        return tuple(dict.fromkeys(filter(None, lines)))

    @cached_property
    def numbered(self) -> frozenset[int]:
        """The rows that give a number, counted from 0."""
        return frozenset(at for at, row in zip(self.match.data, self.rows, strict=True) if _gives_number(self, row))

    @cached_property
    def sections(self) -> list[tuple[str, list[int]]]:
        """Lines within the table that hold one text alone, and the rows below each up to a blank line or the next."""
        found: list[tuple[str, list[int]]] = []
        open_one: list[int] | None = None
        year, indicator = self.read["school_year"], self.read["indicator"]
        longest = max(year, indicator)
        for at, row in zip(self.match.data, self.rows, strict=True):
            whole = len(row) > longest and row[year] and row[indicator]
            cells = [] if whole else [one_line(cell) for cell in row if cell.strip()]
            if len(cells) == 1 and WORDS.search(cells[0]):
                found.append((cells[0], open_one := []))
            elif open_one is not None and not (open_one and at > open_one[-1] + 1):
                open_one.append(at)
            else:
                open_one = None
        return found

    def texts(self, place: int) -> set[str]:
        """The different texts of a column, in one line each: in a large table they are few."""
        return set(map(one_line, {row[place] for row in self.rows if place < len(row)}))

    def filled(self, place: int) -> list[tuple[Sequence[str], str]]:
        """Rows in which an unread cell holds anything, with its text."""
        return [(row, row[place].strip()) for row in self.rows if place < len(row) and row[place].strip()]

    def blank_beside(self, place: int, *columns: str) -> list[tuple[Sequence[str], str]]:
        """Of those the rows in which the columns that are read hold nothing."""
        return [(row, text) for row, text in self.filled(place) if not any(self.cell(row, name) for name in columns)]

    def says_anything(self, row: Sequence[str]) -> bool:
        """Whether a row gives a value, both counts that make one, or in place of one a mask or a base of zero."""
        counts = [cell for name in COUNTS if (cell := self.cell(row, name))]
        return bool(self.cell(row, "value")) or len(counts) == len(COUNTS) or any(map(_no_number, counts))

    def tell(self, rule_id: str, found: str, allowed: str | None = None) -> Problem:
        return problem(rule_id, sheet=self.match.grid.sheet, rows=[self.match.header_row], found=found, allowed=allowed)

    def tell_rows(
        self, rule_id: str, place: int, text: str, speaks: Callable[[Sequence[str], str], bool]
    ) -> Iterator[Problem]:
        """A rule on an unread column, with the rows in which its cell holds anything and that it speaks of."""
        rows = [
            at + 1
            for at in self.match.data
            if place < len(row := self.match.grid.rows[at]) and (cell := row[place].strip()) and speaks(row, cell)
        ]
        if rows:
            yield problem(rule_id, sheet=self.match.grid.sheet, rows=rows, column=text, found=excerpt(text))


def _read_as(sheet: _Sheet) -> Iterator[Problem]:
    for column, _, text in sheet.match.fit.near:
        yield sheet.tell("near_column", excerpt(text), column)


def _set_aside(sheet: _Sheet) -> Iterator[Problem]:
    name = sheet.match.grid.sheet
    if PUT_ASIDE.fullmatch(_bare(name)) and any(map(sheet.says_anything, sheet.rows)):
        yield sheet.tell("sheet_set_aside", excerpt(name))


def _twice(sheet: _Sheet) -> Iterator[Problem]:
    counted = Counter(snake_name(text) for text in sheet.header)
    for column in sheet.match.layout.columns:
        if counted[column] > 1:
            yield sheet.tell("duplicate_column", column)


def _doubtful(sheet: _Sheet, words: Words) -> Iterator[Problem]:
    for column, place, text in sheet.match.fit.doubtful:
        # A second group beside the one that is read narrows every row.
        cells = sheet.filled(place) if column == "group" else sheet.blank_beside(place, column)
        nothing = TOTALS | USUAL.get(column, frozenset())
        if column == "geography":
            nothing |= words[OWN_NAMES]
        open_cells = [cell for _, cell in cells if one_line(cell).lower() not in nothing]
        if open_cells:
            yield sheet.tell("column_unclear", f"{excerpt(text)} (holding {excerpt(open_cells[0])})", column)


def _words(sheet: _Sheet, words: Words) -> Iterator[Problem]:
    told = {place for _, place, _ in sheet.match.fit.doubtful}
    for place, text in sheet.unread():
        if place in told:
            continue
        for column in sheet.match.layout.columns:
            cells = {one_line(cell).lower() for _, cell in sheet.blank_beside(place, column)}
            if column == "geography":
                # Rows of the community itself beside those of others change nothing about what the others mean.
                cells -= words[OWN_NAMES] | TOTALS
            if cells and all(_speaks_of(column, cell, words) for cell in cells):
                yield sheet.tell("column_unclear", f"{excerpt(text)} (holding {excerpt(min(cells))})", column)
                break


def _speaks_of(column: str, cell: str, words: Words) -> bool:
    if column == "period":
        return PERIOD_WORD.fullmatch(cell) is not None
    return cell in words.get(column, ())


def _without_values(sheet: _Sheet, alone: bool) -> Iterator[Problem]:
    """A table without any value, and rows without one beside a number that was not read."""
    numbers = {place: text for place, text in sheet.unread() if _of_numbers(sheet, place, text)}
    if not any(map(sheet.says_anything, sheet.rows)):
        if not alone and not numbers and not any(sheet.cell(row, name) for row in sheet.rows for name in VALUE_CELLS):
            yield problem(NOT_FILLED, sheet=sheet.match.grid.sheet)
            return
        unread = ", ".join(map(excerpt, numbers.values()))
        found = (
            f"Numbers stand in columns that were not read: {unread}." if unread else "No other column holds numbers."
        )
        yield sheet.tell("no_values", found)
        return
    for place, text in numbers.items():
        yield from sheet.tell_rows("unread_number", place, text, lambda row, _: not sheet.says_anything(row))


def _beside(sheet: _Sheet, words: Words) -> Iterator[Problem]:
    """Columns of numbers that are named by a year or by a group, beside values that are read."""
    if not any(map(sheet.says_anything, sheet.rows)):
        return
    for place, text in sheet.unread():
        name = UNIT_BESIDE.sub("", one_line(text).lower())
        named = YEAR.fullmatch(name) or name in words[GROUP_NAMES]
        if named and any(NUMBER.fullmatch(cell) for _, cell in sheet.filled(place)):
            yield sheet.tell("values_beside", excerpt(text))


def _other_rates(sheet: _Sheet) -> Iterator[Problem]:
    """Columns under a name of values that hold other numbers than the values that are read beside them."""
    named = near_names()[contracts.VALUES_TABLE]
    for column, place, text in sheet.match.fit.doubtful:
        if column == "value" and "value" in sheet.read and named[squeezed(text)].reading == "map":
            yield from sheet.tell_rows("rate_beside", place, text, partial(_differs, sheet))


def _differs(sheet: _Sheet, row: Sequence[str], cell: str) -> bool:
    value = sheet.cell(row, "value")
    numbers = NUMBER.fullmatch(cell) and NUMBER.fullmatch(value)
    return bool(numbers) and cell.strip("+%$ ") != value.strip("+%$ ")


def _flagged(sheet: _Sheet) -> Iterator[Problem]:
    """Rows with a number of which an unread column says that it is suppressed; often a 0 stands in its place."""
    for place, text in sheet.said():
        header = set(snake_name(text).split("_"))
        answers = header & FLAGS and "not" not in header and {one_line(cell).lower() for _, cell in sheet.filled(place)}
        words = YES if answers and answers <= YES | NO else frozenset[str]()
        yield from sheet.tell_rows("flagged_row", place, text, partial(_is_flagged, sheet, words))


def _is_flagged(sheet: _Sheet, words: frozenset[str], row: Sequence[str], cell: str) -> bool:
    said = one_line(cell).lower()
    flagged = said in words or SUPPRESSED.fullmatch(said) is not None
    # A base that is printed beside a mask shows nothing that was to stay hidden.
    return flagged and any(NUMBER.fullmatch(sheet.cell(row, name)) for name in ("numerator", "value"))


def _other_values(sheet: _Sheet) -> Iterator[Problem]:
    """Rows with a number that an unread column, the sheet's name or its title calls something else than their value."""
    match, numbered = sheet.match, sheet.numbered
    for name in sheet.heads():
        if numbered and CALLED_OTHERWISE.fullmatch(name.lower()):
            rows = sorted(at + 1 for at in numbered)
            yield problem("other_value", sheet=match.grid.sheet, rows=rows, found=excerpt(name))
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


def _not_meant(sheet: _Sheet) -> Iterator[Problem]:
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


@lru_cache(4_096)
def _says_not_meant(text: str) -> bool:
    return NOT_MEANT_TO_COUNT.fullmatch(_bare(text)) is not None


def _under_a_name(sheet: _Sheet, words: Words) -> Iterator[Problem]:
    """Totals, or rows without a place, that stand below or beside the name of a group, of a place or another community.

    Members keep a sheet for each group or place, and then leave the columns blank that would say so.
    """
    groups, places = words[GROUP_NAMES] - NOT_BY_ITSELF, words["geography"]
    named = groups | places
    beside = [(place, text) for place, text in sheet.unread() if groups & {cell.lower() for cell in sheet.texts(place)}]
    above = [*sheet.heads(), *(name for name, _ in sheet.sections)]
    if not beside and not any(re.sub(r"[_\s]+", " ", name.lower()) in named for name in above):
        return
    rows = {at: sheet.match.grid.rows[at] for at in sorted(sheet.numbered)}
    totals = {at for at, row in rows.items() if one_line(sheet.cell(row, "group")).lower() in TOTALS - {""}}
    of_none = {at for at, row in rows.items() if not sheet.cell(row, "geography")}
    told: dict[str, set[int]] = {}
    for name in sheet.heads():
        said = re.sub(r"[_\s]+", " ", name.lower())
        told[name] = (totals if said in groups else set()) | (of_none if said in places else set())
    for name, below in sheet.sections:
        said = name.lower()
        called = (totals if said in groups else set()) | (of_none if said in places else set())
        told[name] = told.get(name, set()) | called.intersection(below)
    for place, text in beside:
        for at in sorted(totals):
            cell = one_line(rows[at][place]) if place < len(rows[at]) else ""
            if cell.lower() in groups:
                told.setdefault(f"{text}: {cell}", set()).add(at)
    for found, ats in told.items():
        if ats:
            numbers = sorted(at + 1 for at in ats)
            yield problem("rows_under_a_name", sheet=sheet.match.grid.sheet, rows=numbers, found=excerpt(found))


def _two_lines(sheet: _Sheet) -> Iterator[Problem]:
    """A line right below the header that names columns too, and names them otherwise."""
    match, below = sheet.match, sheet.rows[0]
    if match.data[0] != match.header_row or any(sheet.cell(below, name) for name in match.layout.required):
        return
    columns = {place: column for column, place in sheet.read.items()}
    named = near_names()[match.table]
    own = {squeezed(column): column for column in match.layout.columns}
    for place, text in enumerate(map(one_line, below)):
        if WORDS.search(text) and not SUPPRESSED.fullmatch(text.lower()):
            near = named.get(squeezed(text))
            means = own.get(squeezed(text)) or (near.column if near and near.reading == "map" else None)
            above = sheet.header[place] if place < len(sheet.header) else ""
            column = columns.get(place)
            other = means not in (None, column) or (column in VALUE_CELLS and CALLED_OTHERWISE.fullmatch(text.lower()))
            if other or not above.strip():
                yield sheet.tell("header_of_two_lines", excerpt(text))
                return


def _gives_number(sheet: _Sheet, row: Sequence[str]) -> bool:
    return any(NUMBER.fullmatch(sheet.cell(row, name)) for name in VALUE_CELLS)


def _no_number(cell: str) -> bool:
    return cell == "0" or not NUMBER.fullmatch(cell)


def _of_numbers(sheet: _Sheet, place: int, text: str) -> bool:
    if set(snake_name(text).split("_")) & NAMES_ONLY:
        return False
    cells = sheet.filled(place)
    return bool(cells) and all(NUMBER.fullmatch(cell) for _, cell in cells)
