"""What a cell of a workbook shows: its number under its number format, a date, a mask.

Belongs here: number formats (ECMA-376 part 1, 18.8.31) as far as they change what a number says; numbers as text.
Does not: finding the cells and their formats (worksheet.py, old_workbook.py); it imports nothing of the project.
"""

from __future__ import annotations

import datetime as dt
import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Literal

EXACT_INTEGERS = 1e15
LAST_DAY = 2_958_466
"""The serial number of 1 January 10000, which no spreadsheet shows as a date any more."""
LEAP_DAY = 60
"""29 February 1900, which spreadsheets count though it never was."""

TOKEN = re.compile(
    r'"(?P<quoted>[^"]*)"?|\\(?P<escaped>.)|[_*].?|\[(?P<bracket>[^\]]*)\]?|(?P<exponent>[eE][+-])'
    r"|(?P<general>[Gg][Ee][Nn][Ee][Rr][Aa][Ll])|(?P<halves>[Aa][Mm]?/[Pp][Mm]?)|(?P<end>;)|(?P<other>.)",
    re.DOTALL,
)
"""One piece of a format code; `_x` leaves room for a sign and `*x` fills the cell with one: neither says anything."""
CONDITION = re.compile(r"(<=|>=|<>|<|>|=)\s*(-?\d+(?:\.\d+)?)", re.ASCII)
ELAPSED = re.compile(r"h+|m+|s+", re.IGNORECASE)
COMPARE: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "=": operator.eq,
    "<>": operator.ne,
}
DATE_LETTERS = frozenset("ymdhs")
DIGITS = frozenset("0#?")
SEPARATORS = frozenset(",.")
BOUNDS = frozenset("<>≤≥*†‡~≈±")
"""Signs that, printed beside a number, say that it is no plain number; so does + behind it (95+)."""
DASHES = frozenset({"-", "–", "—"})
"""How accounting formats print a zero."""
BUILT_IN = {9: "0%", 10: "0.00%", 49: "@", **dict.fromkeys([*range(14, 23), *range(27, 37), *range(45, 48)], "yyyy")}
BUILT_IN |= {67: "0%", 68: "0.00%", **dict.fromkeys([*range(50, 59), *range(71, 82)], "yyyy")}
"""Formats known by their number alone that show anything but a plain number (18.8.30)."""

Kind = Literal["number", "date", "hidden"]
"""How the text came about: `date` where the cell shows a date or a time, `hidden` where the format shows nothing."""


@dataclass(frozen=True, slots=True)
class Section:
    """One of the up to four parts of a format code: what it prints and, in square brackets, when it applies."""

    shape: Literal["plain", "percent", "date", "literal", "text"]
    before: str = ""
    after: str = ""
    condition: tuple[str, float] | None = None

    @property
    def bounded(self) -> bool:
        """Whether signs beside the number say that it is no plain number."""
        return bool(BOUNDS & {*self.before, *self.after}) or "+" in self.after

    def applies(self, value: float) -> bool:
        """Whether the section's own condition holds."""
        return self.condition is not None and COMPARE[self.condition[0]](value, self.condition[1])


GENERAL = Section("plain")


@dataclass(frozen=True, slots=True)
class NumberFormat:
    """A format code in its parts. `plain` if every number and every text shows as it is stored."""

    numbers: tuple[Section, ...]
    text: Section | None
    plain: bool

    def section(self, value: float) -> Section:
        """The section that a number is shown by: by conditions if there are any, else by its sign."""
        first = self.numbers[0]
        second = self.numbers[1] if len(self.numbers) > 1 else first
        third = self.numbers[2] if len(self.numbers) > 2 else first
        if first.condition is None and second.condition is None:
            return first if value > 0 else second if value < 0 else third
        if first.applies(value):
            return first
        if len(self.numbers) == 1 or (second.condition and not second.applies(value)):
            return third if len(self.numbers) > 2 else GENERAL
        return second

    def show_number(self, value: float, since_1904: bool) -> tuple[str, Kind]:
        """A number as the cell shows it, but with all of its digits."""
        section = self.section(value)
        if section.shape == "percent":
            return percent_text(value), "number"
        if section.shape == "date":
            return date_text(value, since_1904), "date"
        if section.shape == "literal":
            if not value and section.before in DASHES:
                return "0", "number"
            return section.before, "number" if section.before else "hidden"
        if section.bounded:
            return f"{section.before}{number_text(value)}{section.after}", "number"
        return number_text(value), "number"

    def show_text(self, text: str) -> tuple[str, Kind]:
        """A text as the cell shows it: a fourth section without the sign for text hides it."""
        if self.text is None or self.text.shape != "literal":
            return text, "number"
        return self.text.before, "number" if self.text.before else "hidden"


@lru_cache(4_096)
def number_format(code: str) -> NumberFormat:
    """Read a format code. Never fails: what is no format code shows plain numbers."""
    sections = [_section(tokens) for tokens in _split(code)]
    text = None
    if len(sections) > 3 or (len(sections) > 1 and sections[-1].shape == "text"):
        text = sections.pop() if len(sections) <= 4 else sections[3]
    numbers = tuple(sections[:3])
    hides_text = text is not None and text.shape == "literal"
    plain = all(section.shape in ("plain", "text") and not section.bounded for section in numbers) and not hides_text
    return NumberFormat(numbers, text, plain)


def built_in_format(number: int) -> NumberFormat:
    """The format that a number stands for where the workbook does not spell it out."""
    return number_format(BUILT_IN.get(number, "General"))


def _split(code: str) -> list[list[re.Match[str]]]:
    sections: list[list[re.Match[str]]] = [[]]
    for token in TOKEN.finditer(code):
        if token["end"]:
            sections.append([])
        else:
            sections[-1].append(token)
    return sections


def _section(tokens: list[re.Match[str]]) -> Section:
    printed: list[list[str]] = [[], []]
    condition = None
    digits = percent = date = text = False
    for token in tokens:
        other, bracket = token["other"], token["bracket"]
        if token["general"] or (other and other in DIGITS):
            digits = True
        elif token["halves"] or (bracket and ELAPSED.fullmatch(bracket)) or (other and other.lower() in DATE_LETTERS):
            date = True
        elif bracket is not None:
            found = CONDITION.fullmatch(bracket.strip())
            condition = (found[1], float(found[2])) if found else condition
            if bracket.startswith("$"):
                printed[digits].append(bracket[1:].partition("-")[0])
        elif other == "%":
            percent = True
        elif other == "@":
            text = True
        elif other not in SEPARATORS:
            printed[digits].append(token["quoted"] or token["escaped"] or other or "")
    before, after = ("".join(part).strip() for part in printed)
    if text:
        return Section("text", before, after, condition)
    if date:
        return Section("date", condition=condition)
    if not digits:
        return Section("literal", f"{before}%" if percent else before, "", condition)
    return Section("percent" if percent else "plain", before, after, condition)


def number_text(value: float) -> str:
    """A number as digits, never with an exponent. nan is an empty cell."""
    if value != value:
        return ""
    if value.is_integer() and abs(value) < EXACT_INTEGERS:
        return str(int(value))
    text = format(value, ".15g")
    return format(Decimal(text), "f") if "e" in text else text


def percent_text(value: float) -> str:
    """0.83 formatted as percent is 83%: the sheet shows it so, and the member means it so."""
    return number_text(float(Decimal(number_text(value)) * 100)) + "%"


def date_text(serial: float, since_1904: bool = False) -> str:
    """A date that is stored as days since 1900 (or 1904), ISO; a time of day for less than a day; else the number."""
    whole = serial + 1_462 if since_1904 else serial
    if not 0 <= whole < LAST_DAY or (not since_1904 and LEAP_DAY <= whole < LEAP_DAY + 1):
        return number_text(serial)
    # Days are counted as if 1900 had been a leap year, so that the first two months lie a day apart.
    zero = dt.datetime(1899, 12, 31) if whole < LEAP_DAY else dt.datetime(1899, 12, 30)  # noqa: DTZ001
    moment = zero + dt.timedelta(seconds=round(whole * 86_400, 3))
    return moment_text(moment.time() if serial < 1 else moment)


def moment_text(moment: dt.datetime | dt.date | dt.time) -> str:
    """A date, a time or both, ISO; midnight is left out."""
    if isinstance(moment, dt.datetime):
        return moment.date().isoformat() if moment.time() == dt.time() else moment.isoformat(sep=" ")
    return moment.isoformat()
