"""Number formats as OpenDocument spells them, element by element, turned into the format codes of other workbooks.

Belongs here: data styles (ODF 1.3 part 3, 16.29) and the conditions by which they send numbers on to other styles.
Does not: what a format code shows (number_formats.py), which cell has which style (styles.py).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from dagster_project.lib.intake.reading.number_formats import NumberFormat, number_format

KINDS = frozenset(
    {"number-style", "percentage-style", "currency-style", "date-style", "time-style", "boolean-style", "text-style"}
)
CONDITION = re.compile(r"value\(\)\s*(<=|>=|<>|!=|<|>|=)\s*(-?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)", re.ASCII)
DAYS = frozenset(
    {"day", "month", "year", "era", "day-of-week", "week-of-year", "quarter", "hours", "minutes", "seconds", "am-pm"}
)
GENERAL, DATE = "General", "yyyy"
MOST_PLACES = 30
MOST_CONDITIONS = 2
"""What a format code can say; formats with more conditions are judged by what their cells show."""
BY_SIGN = (["[>=0]"], ["[>0]", "[<0]"], ["[>0]", "[<0]", "[=0]"])
"""Conditions that are those of a format code without any."""


def escaped(text: str) -> str:
    """A text as a format code prints it."""
    return "".join(f"\\{sign}" for sign in text)


@dataclass
class DataStyle:
    """One data style: what it prints, as a part of a format code, and where numbers of a condition are sent."""

    kind: str
    code: str = ""
    maps: list[tuple[str, str]] = field(default_factory=list)
    _number: dict[str, str] | None = None
    _inside: list[tuple[int, str]] = field(default_factory=list)
    _said_percent: bool = False

    def start(self, word: str, given: Mapping[str, str]) -> None:
        """An element of the style begins."""
        if word == "number":
            self._number, self._inside = dict(given), []
        elif word == "embedded-text":
            self._inside.append((_places(given, "position"), ""))
        elif word == "scientific-number":
            self.code += "0.0E+00"
        elif word == "fraction":
            self.code += "# ?/?"
        elif word == "text-content":
            self.code += "@"
        elif word == "boolean":
            self.code += GENERAL
        elif word in DAYS:
            self.code += DATE
        elif word == "text-properties" and is_white(given.get("color", "")):
            self.code += "[white]"
        elif word == "map":
            self.maps.append((given.get("condition", ""), given.get("apply-style-name", "")))

    def end(self, word: str, text: str) -> None:
        """An element of the style ends; `text` is what stands in it."""
        if word == "number" and self._number is not None:
            self.code += _digits(self._number, dict(self._inside))
            self._number = None
        elif word == "embedded-text" and self._inside:
            self._inside[-1] = self._inside[-1][0], text
        elif word == "currency-symbol":
            # An empty one is that of the document's country.
            self.code += escaped(text or "$")
        elif word == "text":
            before, sign, after = text.partition("%") if self._percent_is_due else (text, "", "")
            self._said_percent |= bool(sign)
            self.code += escaped(before) + sign + escaped(after)

    @property
    def _percent_is_due(self) -> bool:
        """Whether the next percent sign is one that multiplies."""
        return self.kind == "percentage-style" and not self._said_percent


def _digits(given: Mapping[str, str], inside: Mapping[int, str]) -> str:
    """Places of a number."""
    whole, grouped = _places(given, "min-integer-digits"), given.get("grouping") == "true"
    factor = given.get("display-factor", "1")
    if "decimal-places" not in given and whole <= 1 and not grouped and not inside and factor == "1":
        return GENERAL
    decimals = _places(given, "decimal-places")
    kept = min(decimals, _places(given, "min-decimal-places", decimals))
    if "decimal-replacement" in given:
        kept = 0
    length = max(whole, 1, *(place + 1 for place in inside)) if inside else max(whole, 1)
    places = ["0" if left <= whole else "#" for left in range(length, 0, -1)]
    parts = [
        place + (escaped(inside[left]) if left in inside else "")
        for left, place in zip(range(length - 1, -1, -1), places, strict=True)
    ]
    point = f".{'0' * kept}{'#' * (decimals - kept)}" if decimals else ""
    return ("#," if grouped else "") + "".join(parts) + point + "," * _thousands(factor)


def _places(given: Mapping[str, str], name: str, default: int = 0) -> int:
    text = given.get(name, "")
    return min(int(text), MOST_PLACES) if text.isascii() and text.isdigit() else default


def _thousands(factor: str) -> int:
    """How often a display factor divides by a thousand. Others are judged by what their cells show."""
    zeros = re.fullmatch(r"1((?:000)+)(?:\.0*)?", factor)
    return len(zeros[1]) // 3 if zeros else 0


def is_white(color: str) -> bool:
    """Whether a color is white."""
    return color.strip().lower() in ("#ffffff", "#fff", "white")


def format_of(style: DataStyle, named: Callable[[str], DataStyle | None]) -> NumberFormat:
    """The number format of a data style. `named` gives those that its conditions lead to."""
    conditions, codes = [], []
    for condition, name in style.maps:
        found, target = CONDITION.fullmatch(condition.strip()), named(name)
        if not found or target is None:
            return number_format(GENERAL)
        conditions.append(f"[{found[1].replace('!=', '<>')}{found[2]}]")
        codes.append(target.code)
    if conditions in BY_SIGN:
        conditions = [""] * len(codes)
    elif len(conditions) > MOST_CONDITIONS:
        return number_format(GENERAL)
    sections = [condition + code for condition, code in zip(conditions, codes, strict=True)]
    if style.kind == "text-style" and sections:
        sections += [GENERAL] * (3 - len(sections))
    return number_format(";".join([*sections, style.code]))
