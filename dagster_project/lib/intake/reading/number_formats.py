"""What a cell of a workbook shows: its number under its number format, a date, a mask.

Belongs here: number formats (ECMA-376 part 1, 18.8.31) as far as they change what a number says; numbers as text.
Does not: finding the cells and their formats (worksheet.py, old_workbook.py); it imports nothing of the project.
"""

from __future__ import annotations

import datetime as dt
import operator
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from functools import lru_cache
from typing import Literal

EXACT_INTEGERS = 1e15
LARGEST_DENOMINATOR = 99
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
CONDITION = re.compile(r"(<=|>=|<>|<|>|=)\s*(-?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)", re.ASCII)
DIGIT = re.compile(r"\d")
NUMERIC = re.compile(r"[-+$]?[\d., ]+%?")
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
PLACES = frozenset("0#?")
SIGNS = frozenset(".,%@/")
MINUS = ("-", "\N{EN DASH}", "\N{MINUS SIGN}")
DASHES = frozenset({*MINUS, "\N{EM DASH}"})
"""How accounting formats print a zero."""
GROUPING = frozenset(" \N{NO-BREAK SPACE}\N{NARROW NO-BREAK SPACE}'\N{RIGHT SINGLE QUOTATION MARK}")
"""What stands between the thousands in some countries."""
SAID_BESIDE = frozenset(
    {"", "n", "n=", "#", "children", "students", "pupils", "learners", "kids", "youth", "people", "persons", "families"}
    | {"households", "teachers", "staff", "schools", "districts", "sites", "cases", "tests", "days", "years", "yrs"}
    | {"points", "point", "pts", "score"}
)
"""Words that a format may print beside a number and that leave it the number that it is; all others are shown."""
UNSEEN = frozenset({"white", "color2", "color 2"})
BUILT_IN = {9: "0%", 10: "0.00%", 12: "# ?/?", 13: "# ??/??", 49: "@"}
BUILT_IN |= {67: "0%", 68: "0.00%", 69: "# ?/?", 70: "# ??/??"}
BUILT_IN |= dict.fromkeys([*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59), *range(71, 82)], "yyyy")
"""Formats known by their number alone that show anything but a plain number (18.8.30)."""

Kind = Literal["number", "date", "hidden", "otherwise"]
"""How the text came about: `date` where the cell shows a date or a time, `hidden` where the format shows nothing,
`otherwise` where it shows another number than the cell holds: thousands as ones, a half as 1/2, a red 5 for -5."""


Shape = Literal["text", "date", "fraction", "number", "literal"]
SHAPES: tuple[Shape, ...] = ("text", "date", "fraction", "number", "literal")
"""What a section shows; the first that its signs make possible."""


@dataclass(frozen=True, slots=True)
class Section:
    """One of the up to four parts of a format code: what it prints and, in square brackets, when it applies.

    `before` and `after` are printed beside the number, `whole` and `decimals` are its places before and behind the
    point, with what is printed between them. It is divided by 1,000 `thousands` times, and multiplied by 100
    `percents` times.
    """

    shape: Shape = "literal"
    before: str = ""
    after: str = ""
    condition: tuple[str, float] | None = None
    whole: str = ""
    decimals: str = ""
    thousands: int = 0
    percents: int = 0
    bare: bool = False
    """Whether it prints all digits of a positive number and nothing but a percent sign beside them."""

    def applies(self, value: float) -> bool:
        """Whether the section's own condition holds."""
        return self.condition is not None and COMPARE[self.condition[0]](value, self.condition[1])

    @property
    def divided(self) -> bool:
        """Whether anything is printed between the places but what separates thousands."""
        return bool({*self.whole} - PLACES - GROUPING or {*self.decimals} - PLACES)

    @property
    def all_digits(self) -> bool:
        """Whether the section prints the digits of every number as they are."""
        odd = self.divided or self.thousands or self.shows_nothing_of(0) or self.whole.count("0") > 1
        return self.shape == "text" or (self.shape == "number" and not odd)

    def shows_nothing_of(self, size: float) -> bool:
        """Whether a number has no digit in the places of the section, such as 0 in `#,###`."""
        return "0" not in self.whole + self.decimals and size < 0.5 * 10.0 ** -len(self.decimals)


GENERAL = Section("number", whole="0", bare=True)


@dataclass(frozen=True, slots=True)
class NumberFormat:
    """A format code in its parts. `plain` if every number and every text shows as it is stored.

    `struck`: the cell's font draws a line through whatever is shown.
    """

    numbers: tuple[Section, ...]
    text: Section | None = None
    plain: bool = False
    struck: bool = False

    def section(self, value: float) -> tuple[Section, bool]:
        """The section that a number is shown by, and whether it prints a minus sign without being told to.

        By conditions if there are any, else by the number's sign.
        """
        first = self.numbers[0]
        second = self.numbers[1] if len(self.numbers) > 1 else first
        third = self.numbers[2] if len(self.numbers) > 2 else first
        if first.condition is None and second.condition is None:
            return (second if value < 0 else first if value > 0 else third), len(self.numbers) == 1
        if first.applies(value):
            return first, True
        if len(self.numbers) == 1 or (second.condition and not second.applies(value)):
            return (third if len(self.numbers) > 2 else GENERAL), True
        return second, True

    def show_number(self, value: float, since_1904: bool) -> tuple[str, Kind]:
        """A number as the cell shows it, but with all of its digits."""
        section, signed = self.section(value)
        if section.shape == "date":
            return date_text(value, since_1904), "date"
        if section.shape == "text":
            return section.before + number_text(value) + section.after, "number"
        if section.shape == "literal":
            text = section.before + "%" * section.percents
            if not value and text in DASHES:
                return "0", "number"
            return text, "number" if text else "hidden"
        return _shown(section, value, signed)

    def show_text(self, text: str) -> tuple[str, Kind]:
        """A text as the cell shows it: a fourth section without the sign for text hides it."""
        if self.text is None or self.text.shape not in ("literal", "text"):
            return text, "number"
        if self.text.shape == "text":
            return self.text.before + text + self.text.after, "number"
        return self.text.before, "number" if self.text.before else "hidden"


HIDDEN_NUMBERS = NumberFormat((Section(),))
"""What shows no number, whatever its format."""


@lru_cache(4_096)
def number_format(code: str) -> NumberFormat:
    """Read a format code. Never fails: what is no format code shows plain numbers."""
    sections = [_section(tokens) for tokens in _split(code)]
    text = None
    if len(sections) > 3 or sections[-1].shape == "text":
        text = sections[3] if len(sections) > 3 else sections[-1] if len(sections) == 1 else sections.pop()
    shape = NumberFormat(tuple(sections[:3]), text)
    simple = all(part.all_digits and not part.percents and part.condition is None for part in shape.numbers[:2])
    same = all(shape.show_number(value, False) == (number_text(value), "number") for value in (7.0, -7.0, 0.0))
    return replace(shape, plain=simple and same and shape.show_text("a") == ("a", "number"))


def built_in_format(number: int) -> NumberFormat:
    """The format that a number stands for where the workbook does not spell it out."""
    return number_format(BUILT_IN.get(number, "General"))


def beside(text: str) -> str:
    """What is printed beside a number, without words that leave it the number that it is."""
    return "" if text.strip().casefold() in SAID_BESIDE else text


def _split(code: str) -> list[list[re.Match[str]]]:
    sections: list[list[re.Match[str]]] = [[]]
    for token in TOKEN.finditer(code):
        if token["end"]:
            sections.append([])
        else:
            sections[-1].append(token)
    return sections


def _section(tokens: list[re.Match[str]]) -> Section:
    """One section from its tokens."""
    parts = _Parts()
    for token in tokens:
        other, bracket = token["other"] or "", token["bracket"]
        if token["general"] or other in PLACES:
            parts.digit(other or "0")
        elif token["halves"] or other.lower() in DATE_LETTERS or (bracket and ELAPSED.fullmatch(bracket)):
            parts.shapes.add("date")
        elif bracket is not None:
            parts.bracket(bracket.strip())
        elif token["exponent"] or other in SIGNS:
            parts.sign(other)
        else:
            parts.show(token["quoted"] or token["escaped"] or other)
    return parts.section()


class _Parts:
    """A section while its tokens are told one after the other."""

    def __init__(self) -> None:
        self.shapes: set[str] = set()
        self.condition: tuple[str, float] | None = None
        self.printed = {"before": "", "whole": "", "decimals": "", "rest": ""}
        self.place = "before"
        self.after = ""
        self.commas = self.thousands = self.percents = 0

    def digit(self, place: str) -> None:
        """A place for a digit; what was printed since the last one stands between two."""
        self.shapes.add("number")
        if self.place == "before":
            self.place = "whole"
        self.printed[self.place] += self.after + place
        self.after = ""
        self.commas = 0

    def bracket(self, inside: str) -> None:
        """A condition, a color or a currency."""
        found = CONDITION.fullmatch(inside)
        if found:
            self.condition = found[1], float(found[2])
        elif inside.lower() in UNSEEN:
            self.shapes.add("unseen")
        elif inside.startswith("$"):
            self.show(inside[1:].partition("-")[0])

    def sign(self, sign: str) -> None:
        """A sign that says how the number is printed: a point, a comma, percent, a fraction, a power of ten."""
        if sign == "%":
            self.percents += 1
        elif sign == "@":
            self.shapes.add("text")
            self.place = "rest"
        elif sign == "," and self.place != "before":
            self.commas += 1
        elif sign == "." and self.place in ("before", "whole"):
            self.thousands, self.commas, self.place = self.commas, 0, "decimals"
        elif not sign or (sign == "/" and self.place == "whole"):
            self.shapes |= {"fraction"} if sign else set()
            self.place = "rest"
        else:
            self.show(sign)

    def show(self, text: str) -> None:
        """A text that is printed as it stands."""
        if self.place == "before":
            self.printed["before"] += text
        else:
            self.after += text

    def section(self) -> Section:
        """All of it together."""
        if "unseen" in self.shapes:
            return Section(condition=self.condition)
        before, after = self.printed["before"].lstrip(), self.after.rstrip()
        shape: Shape = next((shape for shape in SHAPES if shape in self.shapes), "literal")
        if shape == "literal":
            before, after = (before + after).strip(), ""
        whole, decimals = self.printed["whole"], self.printed["decimals"]
        thousands = self.thousands + self.commas
        section = Section(shape, before, after, self.condition, whole, decimals, thousands, self.percents)
        bare = shape == "number" and section.all_digits and self.percents <= 1
        return replace(section, bare=bare and beside(before) == beside(after) == "")


def _shown(section: Section, value: float, signed: bool) -> tuple[str, Kind]:
    """What a section with places for digits prints for a number."""
    if section.bare and value >= 0:
        return percent_text(value) if section.percents else number_text(value), "number"
    before, after, sign, kind = section.before, section.after, "-" if value < 0 else "", "number"
    if sign and not signed:
        before, after, signed = _without_minus(before, after)
        sign, kind = ("-", kind) if signed else ("", "otherwise")
    before, after = beside(before.removeprefix("+")), beside(after)
    size = Decimal(number_text(abs(value))) * 100**section.percents
    digits, changed = _digits(section, size)
    if not value and not digits and DASHES & {*before, *after}:
        return "0", "number"
    text = f"{sign}{before}{digits}{'%' * section.percents}{after}"
    if not text.strip():
        return "", "hidden"
    # 12 under the format 0"0" reads as 120.
    lengthened = DIGIT.search(before + after) and NUMERIC.fullmatch(text)
    return text, "otherwise" if changed or lengthened or kind == "otherwise" else "number"


def _without_minus(before: str, after: str) -> tuple[str, str, bool]:
    """What is printed beside a negative number but for how it is marked as one; false if it is not marked."""
    if "(" in before and ")" in after:
        return before.replace("(", "", 1), after.replace(")", "", 1), True
    for minus in MINUS:
        if minus in before:
            return before.replace(minus, "", 1), after, True
        if minus in after:
            return before, after.replace(minus, "", 1), True
    return before, after, False


def _digits(section: Section, size: Decimal) -> tuple[str, bool]:
    """The digits of a positive number, all of them; true if they say another number."""
    if section.shape == "fraction":
        if not size % 1:
            return _plain(size), False
        part = Fraction(size % 1).limit_denominator(LARGEST_DENOMINATOR)
        return f"{int(size) or ''} {part.numerator}/{part.denominator}".strip(), True
    if section.shows_nothing_of(float(size)):
        return "", False
    if section.divided:
        if section.decimals or size >= EXACT_INTEGERS:
            return _plain(size), True
        return _between(section.whole, str(size.quantize(Decimal(1), ROUND_HALF_UP))), False
    if section.thousands and size:
        return _plain(round(size / 1000**section.thousands, len(section.decimals))), True
    whole, point, decimals = _plain(size).partition(".")
    return whole.zfill(section.whole.count("0")) + point + decimals, section.percents > 1


def _between(whole: str, digits: str) -> str:
    """Digits in their places with what is printed between them, as in zip codes of nine digits."""
    shown: list[str] = []
    left = list(digits)
    for sign in reversed(whole):
        if sign not in PLACES:
            shown.append(sign)
        elif left or sign == "0":
            shown.append(left.pop() if left else "0")
    return "".join([*left, *reversed(shown)])


def _plain(size: Decimal) -> str:
    return number_text(float(size))


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
