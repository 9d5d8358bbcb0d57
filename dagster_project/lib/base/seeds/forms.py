"""The form each seed must have, as seeds/_seeds.yml declares it, and every line that has another.

Belongs here: reading declarations, files as written with their line numbers, columns, keys, words, numbers, references.
Does not: what places and crosswalks mean over years (lint.py), or completing older seeds (upgrade.py).

A seed's `meta` says: `file`, path below seeds/; `key`, columns that identify a line (none blank but those of
`may_be_blank`); `folded`, columns compared without regard to case and blanks; `optional`, columns that may be absent;
`filled`, columns never blank; `words`, closed words by column, and `may_be`, the same where the column may be blank;
`whole`, `numbers`, `dates`, `years`, `encodings`, `folders` (names that a folder of the bucket may have) and `masks`
(texts that are no number), what a cell that is not blank must be; `least`, the smallest number by column; `ordered`,
pairs of columns of which the first is never after or above the second; `references`, columns (several with blanks
between) to `seed.columns`; `community`, the column by which lines of communities outside the network are ignored, and
`scoped` where scope and scope_id say it; `typed`, whether `unit` says what `value` must be; `needed`, values that a
column must hold, in a seed of parameters for the ruleset in force; `complete` where every key of the project's own seed
is needed; `lines`, how many lines it has.
"""

from __future__ import annotations

import codecs
import csv
import datetime as dt
import io
import math
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from dagster_project.lib.base.seeds.declarations import read_yaml

DECLARATIONS = Path(__file__).resolve().parents[4] / "seeds" / "_seeds.yml"
COMMUNITIES = "network/communities"
UPGRADE = "`cradle seeds upgrade`"
LISTED = 8
TEXT_UNITS = frozenset({"code", "codes"})
FLAG_UNIT = "true or false"
FLAGS = ("true", "false")
ANY_FLAG = frozenset({*FLAGS, "yes", "no", "1", "0"})
"""Words that are read in capital letters too, as spreadsheet programs write them; all others are read as they stand."""
SHARES = frozenset({"share", "probability"})
NEVER = 2
"""A share above 1 is reached by nothing, which is how a comparison is switched off; more than this is a percentage."""
YEARS = range(1900, 2201)
FOR_ALL = frozenset({"all", "global"})
"""Scopes that hold for everybody, so that they name nobody."""
FOLDER = re.compile(r"(?![._])[^/\\\x00-\x1f\x7f]+")
"""Names that a member's folder may have: none of the bucket's own (`_network`), hidden ones or ways to another."""
PLAIN_NUMBER = re.compile(r"\+?\d[\d,]*(\.\d+)?\s*%?", re.ASCII)
LARGEST_RATE = 100
RULESET_COLUMNS = ("ruleset_id", "ruleset_version")
Row = Mapping[str, str]


@dataclass(frozen=True)
class Fault:
    """One thing wrong in one file; without lines it is the file as a whole."""

    file: str
    lines: tuple[int, ...]
    says: str

    def __str__(self) -> str:
        """For example `seeds/network/geographies.csv, lines 4 and 9: ...`."""
        if not self.lines:
            return f"seeds/{self.file}.csv: {self.says}"
        numbers = [str(line) for line in self.lines]
        listed = " and ".join([", ".join(numbers[:-1]), numbers[-1]] if len(numbers) > 1 else numbers)
        return f"seeds/{self.file}.csv, line{'s' if len(numbers) > 1 else ''} {listed}: {self.says}"


@dataclass(frozen=True)
class Form:
    """One seed as declared (see the head of this module)."""

    name: str
    file: str
    columns: tuple[str, ...]
    key: tuple[str, ...]
    optional: frozenset[str] = frozenset()
    folded: frozenset[str] = frozenset()
    may_be_blank: frozenset[str] = frozenset()
    filled: tuple[str, ...] = ()
    words: Mapping[str, Sequence[str]] = field(default_factory=dict)
    may_be: Mapping[str, Sequence[str]] = field(default_factory=dict)
    whole: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    dates: tuple[str, ...] = ()
    years: tuple[str, ...] = ()
    encodings: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()
    masks: tuple[str, ...] = ()
    least: Mapping[str, float] = field(default_factory=dict)
    ordered: Sequence[tuple[str, str]] = ()
    references: Mapping[str, str] = field(default_factory=dict)
    community: str | None = None
    scoped: bool = False
    typed: bool = False
    needed: Mapping[str, Sequence[str]] = field(default_factory=dict)
    complete: bool = False
    lines: int | None = None

    @property
    def required(self) -> tuple[str, ...]:
        """Columns that must stand in the header."""
        return tuple(column for column in self.columns if column not in self.optional)

    @property
    def by_ruleset(self) -> bool:
        """Whether each line belongs to a version of a ruleset."""
        return set(RULESET_COLUMNS) <= set(self.key)

    def key_of(self, row: Row) -> tuple[str, ...]:
        """What identifies a line."""
        cells = ((name, row.get(name, "")) for name in self.key)  # an optional column that is absent is blank
        return tuple(_folded(cell) if name in self.folded else cell for name, cell in cells)

    def is_of(self, row: Row, communities: frozenset[str]) -> bool:
        """Whether the line concerns the network: it names none of its communities, or one that it has."""
        if self.scoped:
            return row.get("scope") != "community" or row.get("scope_id", "") in {"", *communities}
        return self.community is None or row.get(self.community) in communities


@dataclass(frozen=True)
class Sheet:
    """A seed as it is written: its header, and its lines by number with trimmed cells."""

    header: tuple[str, ...]
    lines: tuple[tuple[int, Row], ...]


@cache
def forms() -> tuple[Form, ...]:
    """Every seed of the project as declared, in the order of the declarations; tests ask that each is declared."""
    seeds = read_yaml(DECLARATIONS.read_text(encoding="utf-8"))["seeds"]
    return tuple(_form(seed) for seed in seeds if "meta" in seed.get("config", {}))


def _form(seed: Mapping[str, Any]) -> Form:
    meta = dict(seed["config"]["meta"])
    meta |= {name: frozenset(meta.get(name, ())) for name in ("optional", "folded", "may_be_blank")}
    meta |= {name: tuple(meta.get(name, ())) for name in ("key", "filled", *KINDS)}
    return Form(name=seed["name"], columns=tuple(column["name"] for column in seed["columns"]), **meta)


def read_sheet(form: Form, folder: Path) -> tuple[Sheet | None, list[Fault]]:
    """A seed as written, or None where it cannot be read, and what is wrong with its form as a table."""
    path = folder / f"{form.file}.csv"
    if not path.is_file():
        return None, [Fault(form.file, (), f"the file is missing; {UPGRADE} writes it")]
    data = path.read_bytes().removeprefix(b"\xef\xbb\xbf")
    try:
        reader = csv.reader(io.StringIO(data.decode("utf-8"), newline=""), strict=True)
        records = _without_blank_end([(reader.line_num, cells) for cells in reader])
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        return None, [Fault(form.file, (line,), "the text is not UTF-8; save the file as CSV UTF-8")]
    except csv.Error as error:
        return None, [Fault(form.file, (reader.line_num,), f"this cannot be read as CSV ({error})")]
    if not records:
        return None, [Fault(form.file, (), f"the file is empty; its header is {','.join(form.columns)}")]
    if b"\r" in data and b"\n" not in data:
        says = "its lines end as on old Macintoshes (CR), so that all of it is read as one; save it as CSV UTF-8"
        return None, [Fault(form.file, (), says)]
    header = tuple(records[0][1])
    twice = sorted({name for name in header if header.count(name) > 1})
    missing = [name for name in form.required if name not in header]
    misspelt = [(name, near) for name in header if name not in form.columns and (near := _near(form, name, header))]
    if twice or missing or misspelt:
        says = f"the column {', '.join(twice)} stands more than once; keep one"
        if misspelt:
            says = "; ".join(f"the column {name!r} is not read; its name is {near}" for name, near in misspelt)
        elif missing:
            plural = "s" if len(missing) > 1 else ""
            says = f"the column{plural} {', '.join(missing)} {'are' if plural else 'is'} missing; {UPGRADE} writes "
            says += "them" if plural else "it"
        return None, [Fault(form.file, (1,), says)]
    found, lines = [], []
    for number, cells in records[1:]:
        if not cells:
            found.append(Fault(form.file, (number,), "the line is blank; delete it"))
            continue
        if len(cells) != len(header):
            fix = "a text that holds a comma stands in quotes" if len(cells) > len(header) else "fill in the commas"
            found.append(Fault(form.file, (number,), f"{len(cells)} cells where the header has {len(header)}; {fix}"))
            continue
        lines.append((number, dict(zip(header, (cell.strip() for cell in cells), strict=True))))
    return Sheet(header, tuple(lines)), found


def _without_blank_end(records: list[tuple[int, list[str]]]) -> list[tuple[int, list[str]]]:
    """Lines without blank ones at the end, which an editor leaves there and every reader passes over."""
    while records and not records[-1][1]:
        records = records[:-1]
    return records


def read_sheets(folder: Path) -> tuple[dict[str, Sheet], list[Fault]]:
    """All seeds by name as far as they can be read, without lines of other communities, and the faults of the rest."""
    sheets, found = {}, []
    for form in forms():
        sheet, faults = read_sheet(form, folder)
        found += faults
        if sheet is not None:
            sheets[form.name] = sheet
    members = communities_of(sheets)
    for form in forms():
        if form.name in sheets:
            own = tuple(line for line in sheets[form.name].lines if form.is_of(line[1], members))
            sheets[form.name] = Sheet(sheets[form.name].header, own)
    return sheets, found


def communities_of(sheets: Mapping[str, Sheet]) -> frozenset[str]:
    """Communities of the network."""
    lines = sheets["communities"].lines if "communities" in sheets else ()
    members = {row["community_id"] for _, row in lines}
    renames = sheets["community_successions"].lines if "community_successions" in sheets else ()
    pairs = [{row["community_id"], row["successor_id"]} for _, row in renames]
    # Every name that a community ever had is a name of the network's own.
    while more := [pair for pair in pairs if pair & members and not pair <= members]:
        members = members.union(*more)
    return frozenset(members)


def form_faults(folder: Path) -> tuple[list[Fault], bool]:
    """Every line that has not the form its seed is declared with, and whether all files, columns and cells are there.

    What a ruleset lacks is asked for apart (`ruleset_faults`): which one is in force is told by the seeds themselves.
    """
    sheets, found = read_sheets(folder)
    whole = not found
    for form in forms():
        if form.name in sheets:
            found += _of_one(form, sheets[form.name])
            found += _references(form, sheets)
            if not form.by_ruleset:
                found += _needed(form, sheets[form.name], None)
            if form.complete:
                found += _incomplete(form, sheets[form.name])
    return found, whole


def ruleset_faults(folder: Path, ruleset: tuple[str, str]) -> list[Fault]:
    """Parameters that a ruleset (id, version) must hold and does not."""
    found: list[Fault] = []
    for form in forms():
        sheet = read_sheet(form, folder)[0] if form.by_ruleset else None
        if sheet is not None:
            found += _needed(form, sheet, ruleset)
    return found


def _of_one(form: Form, sheet: Sheet) -> Iterator[Fault]:
    """Blanks, repeated keys, words, numbers and dates of one seed."""
    never_blank = [*(name for name in form.key if name not in form.may_be_blank), *form.filled]
    for number, row in sheet.lines:
        for name in never_blank:
            if not row[name]:
                yield Fault(form.file, (number,), f"{name} is blank")
        for says in _cells(form, row):
            yield Fault(form.file, (number,), says)
    if form.lines is not None and len(sheet.lines) != form.lines:
        wanted = "one line" if form.lines == 1 else f"{form.lines} lines"
        yield Fault(form.file, (), f"the file has {len(sheet.lines)} lines beside its header; it needs {wanted}")
    yield from _repeated(form, sheet)


def _cells(form: Form, row: Row) -> Iterator[str]:
    for name, words in {**form.may_be, **form.words}.items():
        found = row.get(name, "")
        blank = not found and (name in form.may_be or name in form.key)
        if not blank and found not in words and not (ANY_FLAG.issuperset(words) and found.lower() in words):
            yield f"{name} is {found or 'blank'}; allowed are {', '.join(words)}"
    for kind, (holds, wanted) in KINDS.items():
        for name in getattr(form, kind):
            if row.get(name) and not holds(row[name]):
                yield f"{name} is {row[name]}, not {wanted}"
    for name, least in form.least.items():
        if _is_number(row.get(name, "")) and float(row[name]) < least:
            yield f"{name} is {row[name]}; the smallest is {least:g}"
    for first, last in form.ordered:
        if _is_after(row.get(first, ""), row.get(last, "")):
            yield f"{first} is {row[first]} and {last} is {row[last]}; {first} must not be the greater one"
    if form.scoped:
        yield from _scope(row)
    if form.typed and (value := row["value"]):
        yield from _typed(row["unit"], row["parameter"], value)


def _scope(row: Row) -> Iterator[str]:
    """A scope that names somebody though it holds for all, or nobody though it holds for one."""
    scope, scope_id = row["scope"], row["scope_id"]
    if scope in FOR_ALL and scope_id:
        yield f"scope is {scope} and scope_id is {scope_id}; leave scope_id blank, or name the scope it belongs to"
    elif scope and scope not in FOR_ALL and not scope_id:
        yield f"scope is {scope} and scope_id is blank"


def _typed(unit: str, parameter: str, value: str) -> Iterator[str]:
    """A parameter that is not what its unit says."""
    if unit == FLAG_UNIT and value.lower() not in FLAGS:
        yield f"the value of {parameter} is {value}; it is true or false"
    elif unit not in TEXT_UNITS and unit != FLAG_UNIT and not _is_number(value):
        yield f"the value of {parameter} is {value}, not a number such as 2.5"
    elif unit in SHARES and not 0 <= float(value) <= NEVER:
        yield f"the value of {parameter} is {value}, not a share from 0 to 1 such as 0.8"


def _is_after(first: str, last: str) -> bool:
    """Whether the one is above or after the other; false where one is blank or neither number nor day."""
    if _is_number(first) and _is_number(last):
        return float(first) > float(last)
    return _is_date(first) and _is_date(last) and first > last


def _near(form: Form, name: str, header: Sequence[str]) -> str | None:
    """The seed's column that a header misses by capitals, blanks or signs alone, where it does not stand itself."""
    squeezed = {re.sub(r"[\W_]", "", column).lower(): column for column in form.columns if column not in header}
    return squeezed.get(re.sub(r"[\W_]", "", name).lower())


def _repeated(form: Form, sheet: Sheet) -> Iterator[Fault]:
    """Lines of one key: they say one thing twice, or two things of which only one could count."""
    by_key: dict[tuple[str, ...], list[tuple[int, Row]]] = defaultdict(list)
    for number, row in sheet.lines:
        by_key[form.key_of(row)].append((number, row))
    for same in by_key.values():
        if len(same) == 1:
            continue
        first = same[0][1]
        named = " ".join(first.get(name, "") for name in form.key if first.get(name))
        others = [
            f"{name} {' and '.join(dict.fromkeys(row[name] or 'blank' for _, row in same))}"
            for name in sheet.header
            if name not in form.key and name != "note" and len({row[name] for _, row in same}) > 1
        ]
        differing = f" with {', '.join(others)}" if others else ""
        lines = tuple(number for number, _ in same)
        yield Fault(form.file, lines, f"{named} stands {len(same)} times{differing}; keep one line")


def _references(form: Form, sheets: Mapping[str, Sheet]) -> Iterator[Fault]:
    """Codes that the seed they refer to does not have."""
    for columns, target in form.references.items():
        seed, _, fields = target.partition(".")
        if seed not in sheets:
            continue
        here, there = columns.split(), fields.split()
        known = {tuple(row[name] for name in there) for _, row in sheets[seed].lines}
        file = next(other.file for other in forms() if other.name == seed)
        for number, row in sheets[form.name].lines:
            codes = tuple(row[name] for name in here)
            if all(codes) and codes not in known:
                says = f"{' '.join(here)} is {' '.join(codes)}, which is not in seeds/{file}.csv"
                yield Fault(form.file, (number,), says)


def _needed(form: Form, sheet: Sheet, ruleset: tuple[str, str] | None) -> Iterator[Fault]:
    """Values that a column must hold and does not; of parameters for one ruleset."""
    whose = f"ruleset {' '.join(ruleset)}" if ruleset else "the file"
    for column, values in form.needed.items():
        missing = missing_values(form, (row for _, row in sheet.lines), column, values, ruleset)
        if len(missing) == len(values) and ruleset:
            yield Fault(form.file, (), f"{whose} has no line; {UPGRADE} writes those of the project's own rulesets")
        elif missing:
            yield Fault(form.file, (), f"{whose} has no {column} {_listed(missing)}; {UPGRADE} writes what is missing")


def _incomplete(form: Form, sheet: Sheet) -> Iterator[Fault]:
    missing = [" ".join(key) for key in missing_keys(form, (row for _, row in sheet.lines))]
    if missing:
        yield Fault(form.file, (), f"the file has no {_listed(missing)}; {UPGRADE} writes what is missing")


def _listed(missing: Sequence[str]) -> str:
    more = f" and {len(missing) - LISTED} more" if len(missing) > LISTED else ""
    return ", ".join(missing[:LISTED]) + more


def missing_keys(form: Form, rows: Iterable[Row]) -> list[tuple[str, ...]]:
    """Keys of the project's own seed that these lines do not hold."""
    own, _ = read_sheet(form, DECLARATIONS.parent)
    held = {form.key_of(row) for row in rows}
    return [form.key_of(row) for _, row in own.lines if form.key_of(row) not in held] if own else []


def missing_values(
    form: Form, rows: Iterable[Row], column: str, values: Sequence[str], ruleset: tuple[str, str] | None
) -> list[str]:
    """Which of the values a column does not hold; of parameters in lines of one version of a ruleset."""
    of_ruleset = (row for row in rows if tuple(row[name] for name in RULESET_COLUMNS) == ruleset)
    held = {row[column] for row in (of_ruleset if form.by_ruleset else rows)}
    return [value for value in values if value not in held]


def ignored_lines(folder: Path) -> dict[str, int]:
    """How many lines of each seed are of communities outside the network, by the seed's path; none where none are."""
    read = [(form, read_sheet(form, folder)[0]) for form in forms()]
    members = communities_of({form.name: sheet for form, sheet in read if sheet is not None})
    counts = {form.file: sum(not form.is_of(row, members) for _, row in sheet.lines) for form, sheet in read if sheet}
    return {file: count for file, count in counts.items() if count}


def _folded(text: str) -> str:
    return " ".join(text.split()).casefold()


def _is_whole(text: str) -> bool:
    return text.removeprefix("-").isdecimal() and text.isascii()


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


def _is_date(text: str) -> bool:
    try:
        return dt.date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _is_year(text: str) -> bool:
    return _is_whole(text) and int(text) in YEARS


def _is_encoding(text: str) -> bool:
    try:
        codecs.lookup(text)
    except LookupError:
        return False
    return True


def _is_mask(text: str) -> bool:
    """Whether a text hides no rate: words, signs, numbers below zero, and such as 9999 that no rate can be."""
    return not PLAIN_NUMBER.fullmatch(text) or float(text.rstrip(" %").replace(",", "")) > LARGEST_RATE


KINDS: Mapping[str, tuple[Callable[[str], bool], str]] = {
    "whole": (_is_whole, "a whole number such as 2024"),
    "numbers": (_is_number, "a number such as 2.5"),
    "dates": (_is_date, "a date such as 2024-06-30"),
    "years": (_is_year, "a year such as 2024"),
    "encodings": (_is_encoding, "an encoding such as cp1252"),
    "folders": (lambda text: bool(FOLDER.fullmatch(text)), "a name that a folder of the bucket may have"),
    "masks": (_is_mask, "a mask: it is a number that a rate can be, and would hide it everywhere"),
}
"""What cells of a kind must be, and how that is said."""
