"""Whether a table is one of single persons, and where one sees it.

Belongs here: deciding about one grid of text by its headers, by its columns, and by both together.
Does not: single cells (headers.py, shapes.py), text that runs on (text.py), how the grid was read (reading, parts.py).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property

import contracts
from dagster_project.lib.intake.reading.grid import column_letter, snake_name
from dagster_project.lib.intake.reading.person_level import shapes
from dagster_project.lib.intake.reading.person_level.catalogue import reasons
from dagster_project.lib.intake.reading.person_level.headers import contexts, counts_something, numbered_person, sign_of
from dagster_project.lib.intake.reading.person_level.text import said

ENOUGH_NUMBERS = 3
LOOKED_BELOW = 200
HEAD_ROWS = 40
NEAR = 3
STRONG = ("ssn", "birth", "id", "name", "name_parts", "own_id", "number", "loose_id", "subject")
TOLD_AS = {"own_id": "id", "loose_id": "number", "subject": "name"}
STORIES = "stories"
VALUES = "indicator_values"
NUMBERED_BELOW = frozenset({"name", "plain_name", "name_parts", "first", "last", "subject", "id", "own_id", "number"})
LEVEL = "data_level"
LEVELS_OF_PERSONS = frozenset({"individual", "individuals", "person", "student", "child"})
GROUP_COLUMNS = ("group", "dimension", "indicator", "geography", "series", "data_source")
NUMBER = re.compile(r"[-+]?[\d.,]+%?")
BIRTH_NUMBER = re.compile(r"\d{5,8}(?:\.0)?|(?:19|20)\d\d|\d{1,2}[.]\d{1,2}[.]\d{2,4}")
NUMBERED = re.compile(r"[A-Za-z]{0,3}-?\d{3,}")
ONE = re.compile(r"0*1(?:\.0+)?")

Grid = Sequence[Sequence[str]]


@dataclass(frozen=True)
class Hit:
    """Why something looks like data on single persons. It quotes no cell: `column` is a letter, `row` counts from 1."""

    sign: str
    row: int | None = None
    column: str | None = None
    sheet: str = ""

    @property
    def reason(self) -> str:
        """The reason in words."""
        return reasons()[self.sign]

    def on(self, sheet: str) -> Hit:
        """The same on a sheet."""
        return replace(self, sheet=sheet)


def judge(rows: Grid) -> Hit | None:
    """The first sign that a grid holds rows of single persons, or None."""
    table = _Table(rows)
    return next((hit for rule in RULES if (hit := rule(table))), None)


def _by_level(table: _Table) -> Hit | None:
    """Values whose own column of the data level says that a row is one person."""
    if table.contract != VALUES:
        return None
    for column, header in enumerate(table.rows[table.head]):
        if snake_name(header) == LEVEL:
            for row in range(table.head + 1, len(table.rows)):
                if column < len(table.rows[row]) and snake_name(table.rows[row][column]) in LEVELS_OF_PERSONS:
                    return _hit("level", row, column)
    return None


def table_of(rows: Grid) -> str | None:
    """The contract's table that a grid is by its header, if any."""
    return _Table(rows).contract


@cache
def _contract_headers() -> dict[str, tuple[frozenset[str], frozenset[str]]]:
    """Required and all columns of each of the contract's tables."""
    tables = contracts.tables(contracts.newest_version())
    return {name: (frozenset(table.required), frozenset(table.names)) for name, table in tables.items()}


class _Table:
    """A grid with what is asked of it more than once."""

    def __init__(self, rows: Grid) -> None:
        self.rows = rows

    @cached_property
    def distinct(self) -> frozenset[str]:
        """All cells that hold a letter or a hyphen: numbers alone are no sign."""
        cells = {cell for row in self.rows for cell in row}
        return frozenset(cell for cell in cells if cell and not NUMBER.fullmatch(cell))

    @cached_property
    def signs(self) -> dict[str, str]:
        """Every cell that may be a header with a sign, and its sign: cells repeat, so each is looked at once."""
        return {cell: sign for cell in self.distinct if (sign := sign_of(cell))}

    @cached_property
    def shaped(self) -> frozenset[str]:
        """Every cell of the form of a person's name."""
        return frozenset(cell for cell in self.distinct if cell[-1:] not in "0123456789%" and shapes.name_form(cell))

    @cached_property
    def named(self) -> frozenset[str]:
        """Every cell that is a person's name beyond reasonable doubt."""
        return frozenset(filter(shapes.has_given, self.shaped))

    @cached_property
    def head(self) -> int:
        """The index of the first row that may be a header: two cells, none of them a number."""
        for index, row in enumerate(self.rows[:HEAD_ROWS]):
            filled = [cell for cell in row if cell.strip()]
            if len(filled) >= 2 and not any(map(NUMBER.fullmatch, filled)):
                return index
        return -1

    @cached_property
    def contract(self) -> str | None:
        """The contract's table that the grid is by its header, if any."""
        if self.head < 0:
            return None
        names = {snake_name(cell) for cell in self.rows[self.head] if cell.strip()}
        fitting = [
            (len(known & names), table)
            for table, (required, known) in _contract_headers().items()
            if required <= names and 2 * len(known & names) > len(names)
        ]
        return max(fitting)[1] if fitting else None

    def below(self, row: int, column: int, most: int = LOOKED_BELOW) -> list[str]:
        """The filled cells of a column below a row."""
        cells = (line[column].strip() for line in self.rows[row + 1 : row + 1 + most] if column < len(line))
        return [cell for cell in cells if cell]

    def column(self, index: int, start: int = 0) -> list[str]:
        """All filled cells of a column from a row on."""
        return [line[index].strip() for line in self.rows[start:] if index < len(line) and line[index].strip()]

    @cached_property
    def width(self) -> int:
        """The number of columns."""
        return max(map(len, self.rows), default=0)

    def context(self, row: int) -> frozenset[str]:
        """What the headers of a row say of the table."""
        return frozenset(kind for cell in self.rows[row] for kind in contexts(cell)) if row >= 0 else frozenset()

    def speaking(self, row: int, kind: str) -> list[int]:
        """The columns of a header row that speak of work, schooling or places."""
        return [i for i, cell in enumerate(self.rows[row]) if kind in contexts(cell)] if row >= 0 else []

    def header_above(self, row: int) -> int:
        """The nearest row above with two filled cells, or -1."""
        for index in range(row - 1, max(-1, row - HEAD_ROWS), -1):
            if sum(bool(cell.strip()) for cell in self.rows[index]) >= 2:
                return index
        return -1

    def of_staff(self, row: int) -> bool:
        """Whether a header row is of a roster of staff or partners and not of children."""
        work, schooling = len(self.speaking(row, "work")), len(self.speaking(row, "schooling"))
        subjects = any(sign_of(cell) in ("id", "name", "birth", "family") for cell in self.rows[row])
        return bool(work) and schooling < 2 and not subjects


# --- By the headers ------------------------------------------------------------------------------------------------


def _by_headers(table: _Table) -> Hit | None:
    for index, row in enumerate(table.rows) if table.signs else ():
        if table.signs.keys().isdisjoint(row):
            continue
        if sum(bool(cell.strip()) for cell in row) < 2 and len(table.rows) > 1 and not _lone_header(table, index):
            continue
        signs = [(column, table.signs[cell]) for column, cell in enumerate(row) if cell in table.signs]
        if table.contract and index > table.head and len(signs) < 2:
            continue
        if table.contract and index == table.head:
            # The contract's own columns hold what the contract says: `person` of capacity is a member of staff.
            own = _contract_headers()[table.contract][1]
            signs = [(column, sign) for column, sign in signs if snake_name(row[column]) not in own]
        hit = _header_row(table, index, signs)
        if hit:
            return hit
    return None


def _lone_header(table: _Table, row: int) -> bool:
    """Whether a row's only cell heads a column of several values: a list of ids or of birth dates and nothing else."""
    filled = [column for column, cell in enumerate(table.rows[row]) if cell.strip()]
    return len(filled) == 1 and sign_of(table.rows[row][filled[0]]) in STRONG and len(table.below(row, filled[0])) >= 2


def _header_row(table: _Table, row: int, signs: list[tuple[int, str]]) -> Hit | None:
    if _is_row_of_data(table.rows[row]) or _is_prose(table, row):
        return None
    form = next((hit for column, sign in signs if (hit := _form_hit(table, row, column, sign))), None)
    if form:
        return form
    if any(column + 1 < len(table.rows[row]) and _is_list_of_fields(table, row, column) for column, _ in signs[:-1]):
        return None
    for column, sign in signs:
        if sign in STRONG and not _is_list_of_fields(table, row, column) and _confirmed(table, row, column, sign):
            return _hit(TOLD_AS.get(sign, sign), row, column)
    return _weaker(table, row, signs)


def _is_row_of_data(row: Sequence[str]) -> bool:
    """A header has hardly any numbers beside its words."""
    filled = [cell.strip() for cell in row if cell.strip()]
    numbers = sum(bool(NUMBER.fullmatch(cell)) and not re.fullmatch(r"(19|20)\d\d", cell) for cell in filled)
    return 3 * numbers > len(filled)


def _is_prose(table: _Table, row: int) -> bool:
    """Whether the row is a sentence cut at its commas: nothing that follows is cut so, or nothing follows at all."""
    filled = sum(bool(cell.strip()) for cell in table.rows[row])
    after = [sum(bool(cell.strip()) for cell in line) for line in table.rows[row + 1 : row + 1 + 3 * NEAR]]
    after = [cells for cells in after if cells][:NEAR]
    if not after:
        return row > max(table.head, 0)
    return filled > 1 and max(after) < 2


def _is_list_of_fields(table: _Table, row: int, column: int) -> bool:
    """Whether the cells around are names of other fields: a description of a table, not the table."""
    own = table.rows[row][column].strip()
    around = [*_above(table, row, column), *table.below(row, column, NEAR)]
    others = [cell for cell in around if cell != own]
    signs = [sign for cell in others if (sign := sign_of(cell)) is not None]
    # Numbered pupils (PUPIL-1, PUPIL-2) are all of one sign; fields of a table are not.
    return len(set(signs)) > 1 and 2 * len(signs) >= len(others)


def _above(table: _Table, row: int, column: int) -> list[str]:
    lines = table.rows[max(0, row - NEAR) : row]
    return [line[column].strip() for line in lines if column < len(line) and line[column].strip()]


def _confirmed(table: _Table, row: int, column: int, sign: str) -> bool:
    """Whether the values below a header may be what it says."""
    values = table.below(row, column)
    if sign in ("number", "loose_id", "own_id"):
        if not values:
            return sign == "own_id"
        persons = _of_persons(table, row, column)
        if sign == "loose_id" and not persons and table.speaking(row, "place"):
            return False  # Schools have ids of a state as well.
        return shapes.are_ids(values, persons or sign == "own_id")
    if sign == "subject":
        if not values or table.of_staff(row):
            return False
        named = sum(shapes.name_form(value) is not None for value in values)
        return 2 * named > len(values) or shapes.are_ids(values, _of_persons(table, row, column))
    if shapes.are_rates(values):
        return False
    if sign == "birth":
        # Counts and shares of children born at some time are headed so as well; five digits are a workbook's date.
        return not values or not all(NUMBER.fullmatch(value) and not BIRTH_NUMBER.fullmatch(value) for value in values)
    if sign in ("name_parts", "name") and values:
        return not all(map(NUMBER.fullmatch, values)) and not (sign == "name_parts" and table.of_staff(row))
    return True


def _of_persons(table: _Table, row: int, own: int) -> bool:
    """Whether other columns of a header row speak of single persons: names, or schooling whose values repeat."""
    signs = {sign_of(cell) for column, cell in enumerate(table.rows[row]) if column != own}
    if signs & {"id", "name", "birth", "first", "last", "plain_name", "name_parts"}:
        return True
    schooling = [column for column in table.speaking(row, "schooling") if column != own]
    repeated = [column for column in schooling if len(set(values := table.below(row, column))) < len(values)]
    return len(schooling) > 1 or bool(repeated) or (bool(schooling) and len(table.below(row, own)) == 1)


def _weaker(table: _Table, row: int, signs: list[tuple[int, str]]) -> Hit | None:
    """Signs that count only together."""
    kinds = {sign: column for column, sign in reversed(signs)}
    staff = table.of_staff(row)
    if {"first", "last"} <= set(kinds) and not staff and _is_text(table, row, kinds["last"]):
        return _hit("name_parts", row, kinds["first"])
    family = [column for column, sign in signs if sign in ("family", "home", "contact")]
    if len(family) > 1 or "contact" in kinds:
        return _hit("contact", row, family[0])
    if family and (sign := _family_value(table, row, family[0])):
        return _hit(sign, row, family[0])
    if staff:
        return None
    if "plain_name" in kinds and kinds.keys() & {"email", "phone", "address"} and table.speaking(row, "schooling"):
        values = table.below(row, kinds["plain_name"])
        if values and 2 * sum(shapes.name_form(value) is not None for value in values) > len(values):
            return _hit("contact", row, kinds["plain_name"])
    return _pseudonyms(table, row, kinds)


def _is_text(table: _Table, row: int, column: int) -> bool:
    values = table.below(row, column)
    return not values or sum(bool(NUMBER.fullmatch(value)) for value in values) < 0.5 * len(values)


def _family_value(table: _Table, row: int, column: int) -> str | None:
    values = table.below(row, column)
    reached = sum(
        bool(shapes.EMAIL.search(v) or shapes.PHONE.search(v) or shapes.STREET.search(v) or shapes.name_form(v))
        for v in values
    )
    return "family" if values and 2 * reached >= len(values) else None


def _pseudonyms(table: _Table, row: int, kinds: dict[str, int]) -> Hit | None:
    """Rows under an id that no place has, each with its own schooling."""
    column = kinds.get("plain_id")
    if column is None or row != table.head or table.speaking(row, "place") or len(table.speaking(row, "schooling")) < 2:
        return None
    if any(counts_something(cell) for cell in table.rows[row]) and table.speaking(row, "group"):
        return None
    return _hit("pseudonyms", row, column) if shapes.are_ids(table.below(row, column), True) else None


def _form_hit(table: _Table, row: int, column: int, sign: str) -> Hit | None:
    """A form about one person: labels in one column, what they ask for beside them."""
    if row and sign_of(_cell(table, row - 1, column)):
        return None  # The form was looked at from its first line on.
    answers = set()  # a description of a table says `text` of one name as of the other
    for index in range(row, min(len(table.rows), row + 20)):
        said_sign, beside = sign_of(_cell(table, index, column)), _cell(table, index, column + 1).strip()
        if said_sign and _answers(said_sign, beside):
            answers.add(beside)
    return _hit("form", row, column) if len(answers) >= 2 else None


def _cell(table: _Table, row: int, column: int) -> str:
    line = table.rows[row]
    return line[column] if column < len(line) else ""


def _raw(table: _Table, column: int) -> Iterator[str]:
    return (row[column] for row in table.rows if column < len(row))


def _answers(sign: str, value: str) -> bool:
    if sign == "birth":
        return shapes.is_date(value)
    if sign in ("id", "own_id", "number", "loose_id", "ssn"):
        return bool(re.fullmatch(r"[A-Za-z-]{0,4}[\d-]{4,}", value))
    if sign in ("name", "plain_name", "name_parts", "family"):
        return shapes.name_form(value) is not None or bool(shapes.PHONE.search(value))
    if sign in ("first", "last"):
        return bool(re.fullmatch(r"[^\W\d_]{2,}", value)) and sign_of(value) is None
    return bool(shapes.EMAIL.search(value) or shapes.PHONE.search(value) or shapes.STREET.search(value))


# --- By what the cells hold ----------------------------------------------------------------------------------------


def _by_numbers(table: _Table) -> Hit | None:
    """Social security numbers: three anywhere, alone in their cells or within text."""
    hyphened = {cell for cell in table.distinct if shapes.SOCIAL_SECURITY.search(cell)}
    if not hyphened:
        return None
    places = [(r, c) for r, row in enumerate(table.rows) for c, cell in enumerate(row) if cell in hyphened]
    return _hit("ssn_cells", *places[0]) if len(places) >= ENOUGH_NUMBERS else None


def _by_words(table: _Table) -> Hit | None:
    """A birth date, an id or a number of one person, said in words within a cell."""
    if table.contract == STORIES:
        return None  # Stories are read for persons, and asked about (text.py).
    told = {cell: sign for cell in table.distinct if len(cell) > 9 and (sign := said(cell))}
    if not told:
        return None
    return next(
        _hit(told[cell], r, c) for r, row in enumerate(table.rows) for c, cell in enumerate(row) if cell in told
    )


def _columns_with_names(table: _Table) -> Iterator[tuple[int, int]]:
    """Columns in which some cell has the form of a name, and the row of the first."""
    shaped = table.shaped
    for column in range(table.width) if len(shaped) >= ENOUGH_NUMBERS else ():
        first = next((r for r, row in enumerate(table.rows) if column < len(row) and row[column] in shaped), None)
        header = first if first is not None else -1
        while first is not None and sign_of(_cell(table, header, column)) and header < len(table.rows) - 1:
            header += 1  # `Full Name` has the form of a name.
        if first is not None:
            yield column, next((r for r in range(header, len(table.rows)) if _cell(table, r, column) in shaped), header)


def _by_names(table: _Table) -> Hit | None:
    """A column of many distinct persons' names that is not one of staff, partners or places."""
    if table.contract:
        return _names_in_contract(table)
    for column, start in _columns_with_names(table):
        header = table.header_above(start)
        title = _cell(table, header, column) if header >= 0 else ""
        if contexts(title) & {"work", "staff", "place", "group"} or (header >= 0 and table.of_staff(header)):
            continue
        schooling, values = len(table.speaking(header, "schooling")), table.column(column, start)
        sure = shapes.are_names(values)
        supposed = schooling >= 2 and sign_of(title) == "plain_name" and shapes.may_be_names(values)
        unheaded = not title.strip() and sure and _has_numbers(table, start)
        untold = sure and not sign_of(title) and _all_last_first(values) and _has_numbers(table, start)
        if (sure and (schooling or sign_of(title) or unheaded)) or supposed or untold:
            return _hit("listed_names", start, column)
    return None


def _all_last_first(values: Sequence[str]) -> bool:
    """Whether every cell of a column is a name as lists of persons sort them, so that its header need not say so."""
    return all(shapes.name_form(value) == "comma" for value in values)


def _has_numbers(table: _Table, start: int) -> bool:
    return any(NUMBER.fullmatch(cell.strip()) or shapes.is_date(cell) for cell in table.rows[start] if cell.strip())


def _names_in_contract(table: _Table) -> Hit | None:
    """Names of persons as groups of a contract's table of values; registers name adults on purpose."""
    if table.contract != contracts.VALUES_TABLE or len(table.named) < ENOUGH_NUMBERS:
        return None
    for column in _named(table, GROUP_COLUMNS):
        places = [
            (r, column)
            for r in range(table.head + 1, len(table.rows))
            if _cell(table, r, column) in table.named and not _of_place(table, r, column)
        ]
        if len({_cell(table, *place) for place in places}) >= ENOUGH_NUMBERS:
            return _hit("listed_names", *places[0])
    return None


def _named(table: _Table, names: Sequence[str]) -> list[int]:
    return [i for i, cell in enumerate(table.rows[table.head]) if snake_name(cell) in names]


def _of_place(table: _Table, row: int, column: int | None = None) -> bool:
    """Whether a row of values says that its group is a place, or its `geography`: schools bear persons' names."""
    saying = ("geography_level",) if column in _named(table, ("geography",)) else ("dimension",)
    return any("place" in contexts(_cell(table, row, said)) for said in _named(table, saying))


def _by_groups_of_one(table: _Table) -> Hit | None:
    """A row with n = 1 whose group is a person's name."""
    if table.head < 0 or (table.contract and table.contract != contracts.VALUES_TABLE):
        return None
    head = table.rows[table.head]
    counting = [i for i, cell in enumerate(head) if counts_something(cell) and snake_name(cell) != "numerator"]
    grouping = [i for i, cell in enumerate(head) if _may_group(cell)]
    if not counting or not grouping or table.of_staff(table.head):
        return None
    alone: list[tuple[int, int]] = []
    ones = {cell for column in counting for cell in set(_raw(table, column)) if ONE.fullmatch(cell.strip())}
    for index in range(table.head + 1, len(table.rows)):
        row = table.rows[index]
        if not any(column < len(row) and row[column] in ones for column in counting) or _of_place(table, index):
            continue
        for column in grouping:
            cell = _cell(table, index, column).strip()
            if _of_a_person(table, index) and NUMBERED.fullmatch(cell):
                return _hit("pseudonyms", index, column)
            if shapes.person_named(cell) or (_of_a_person(table, index) and not _known_label(cell)):
                return _hit("named_one", index, column)
            alone += [(index, column)] if shapes.is_single_given(cell) else []
    return _hit("named_one", *alone[0]) if len({_cell(table, *place) for place in alone}) >= ENOUGH_NUMBERS else None


def _known_label(cell: str) -> bool:
    """Whether a group's text is a common word of groups, or no words at all."""
    return not cell or (shapes.name_form(cell) is None and not shapes.is_single_given(cell))


def _of_a_person(table: _Table, row: int) -> bool:
    """Whether a row of values says in words that its group is one person."""
    return any(
        _cell(table, row, column).strip().casefold() in ("student", "child", "pupil", "name", "student name", "person")
        for column in _named(table, ("dimension",))
    )


def _may_group(cell: str) -> bool:
    """Whether a column may hold groups: those of the contract, and others that do not say place or staff."""
    name = snake_name(cell)
    if name in ("group", "student_group", "subgroup", "category", "population", "name"):
        return True
    return sign_of(cell) == "plain_name" or ("group" in contexts(cell) and not contexts(cell) & {"place", "staff"})


def _by_numbered(table: _Table) -> Hit | None:
    """Persons who are numbered in place of names (Student 1, Student 2), each in a row with figures."""
    if table.contract not in (None, VALUES) or table.head < 0 or table.of_staff(table.head):
        return None
    titles = table.rows[table.head]
    for column, title in enumerate(titles):
        heads_persons = sign_of(title) in NUMBERED_BELOW or "schooling" in contexts(title)
        if not (snake_name(title) == "group" if table.contract else heads_persons):
            continue
        values = table.column(column, table.head + 1)
        numbered = {value for value in values if numbered_person(value)}
        if len(numbered) >= ENOUGH_NUMBERS and 2 * len(numbered) > len(values) and _has_numbers(table, table.head + 1):
            row = next(r for r in range(table.head + 1, len(table.rows)) if _cell(table, r, column).strip() in numbered)
            return _hit("pseudonyms", row, column)
    return None


def _by_given_names(table: _Table) -> Hit | None:
    """Given names in one column and full dates in another, whatever their headers."""
    if table.contract or not any(map(shapes.is_date, table.distinct)):
        return None
    dates = [c for c in range(table.width) if sum(map(shapes.is_date, set(table.column(c)))) >= ENOUGH_NUMBERS]
    header = table.head
    if not dates or (header >= 0 and table.of_staff(header)):
        return None
    for column in range(table.width):
        values = [value for value in table.column(column) if not sign_of(value)]
        title = _cell(table, header, column) if header >= 0 else ""
        if not contexts(title) & {"work", "staff", "place"} and shapes.are_given_names(values):
            start = next(r for r in range(len(table.rows)) if shapes.is_single_given(_cell(table, r, column)))
            return _hit("given_and_dates", start, column)
    return None


def _by_contacts(table: _Table) -> Hit | None:
    """E-mail addresses beside schooling in a table that is not of places and not of staff."""
    if table.contract or table.head < 0 or not any("@" in cell for cell in table.distinct):
        return None
    context = table.context(table.head)
    if not len(table.speaking(table.head, "schooling")) or "work" in context or "staff" in context:
        return None
    named = any(sign_of(cell) in ("plain_name", "first", "last", "plain_id") for cell in table.rows[table.head])
    if "place" in context and not named:
        return None
    for column in range(table.width):
        mails = {value for value in table.column(column) if shapes.EMAIL.fullmatch(value)}
        if len(mails) >= ENOUGH_NUMBERS or (named and len(mails) == len(table.rows) - table.head - 1 > 0):
            return _hit("reachable", table.head, column)
    return None


def _by_names_across(table: _Table) -> Hit | None:
    """Names of persons as headers: one column a child."""
    for index, row in enumerate(table.rows[:HEAD_ROWS]):
        if len(table.named.intersection(row)) > ENOUGH_NUMBERS:
            column = next(c for c, cell in enumerate(row) if cell in table.named)
            return _hit("names_across", index, column)
    return None


def _hit(sign: str, row: int, column: int) -> Hit:
    return Hit(sign, row + 1, column_letter(column))


RULES: tuple[Callable[[_Table], Hit | None], ...] = (
    _by_headers,
    _by_numbers,
    _by_words,
    _by_groups_of_one,
    _by_names,
    _by_numbered,
    _by_given_names,
    _by_contacts,
    _by_names_across,
    _by_level,
)
