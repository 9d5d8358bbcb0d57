"""What one cell of an OpenDocument spreadsheet shows.

Belongs here: the values that a cell may hold (ODF 1.3 part 3, 19.385), under its format and beside its printed text.
Does not: where the cell stands (sheets.py), formats (data_styles.py), agreement of number and print (shown.py).
"""

from __future__ import annotations

import datetime as dt
import re
from typing import Literal

from dagster_project.lib.intake.reading.number_formats import (
    NumberFormat,
    built_in_format,
    date_text,
    number_format,
    number_text,
)
from dagster_project.lib.intake.reading.open_document.shown import agrees, currency_of, has_digit, is_dash
from dagster_project.lib.intake.reading.package import Attributes
from dagster_project.lib.intake.reading.worksheet import LONGEST_WHOLE, NUMBER, iso_text

OFFICE = "urn:oasis:names:tc:opendocument:xmlns:office:1.0 "
TABLE = "urn:oasis:names:tc:opendocument:xmlns:table:1.0 "
EXTENDED = "urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0 "
NUMBERS = frozenset({"float", "percentage", "currency"})
ERROR = re.compile(r"#(?:DIV/0!|N/A|REF!|VALUE!|NAME\?|NUM!|NULL!)|Err:\d+", re.ASCII)
SPAN = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?", re.ASCII)
LONGEST_REPEAT = 7
"""Digits of a repetition; whoever repeats more often is refused by the limits all the same."""
PLAIN, PERCENT = built_in_format(0), number_format("0%")

How = Literal["number", "date", "hidden", "otherwise", "error", "uncalculated"]


class Held:
    """What a cell's own element says. Without slots so many attributes would cost several times as much."""

    __slots__ = ("boolean", "date", "error", "formula", "kind", "spanned", "string", "style", "time", "times", "value")

    def __init__(self, attributes: Attributes) -> None:
        self.kind = self.value = self.style = ""
        self.string: str | None = None
        self.date = self.time = self.boolean = ""
        self.formula = self.error = False
        self.times = 1
        self.spanned: tuple[int, int] | None = None
        pairs = iter(attributes)
        for name, said in zip(pairs, pairs, strict=True):
            if name == OFFICE + "value-type":
                self.kind = said
            elif name == OFFICE + "value":
                self.value = said.strip()
            elif name == TABLE + "style-name":
                self.style = said
            elif name == TABLE + "number-columns-repeated":
                self.times = times(said)
            elif name != EXTENDED + "value-type":
                self.rare(name, said)
            elif said == "error":
                self.error = True

    def rare(self, name: str, said: str) -> None:
        """Attributes that few cells have."""
        word = name.rpartition(" ")[2]
        if name == TABLE + "formula":
            self.formula = True
        elif name in (TABLE + "number-rows-spanned", TABLE + "number-columns-spanned"):
            rows, columns = self.spanned or (1, 1)
            self.spanned = (times(said), columns) if word == "number-rows-spanned" else (rows, times(said))
        elif name == OFFICE + "string-value":
            self.string = said
        elif name == OFFICE + "date-value":
            self.date = said.strip()
        elif name == OFFICE + "time-value":
            self.time = said.strip()
        elif name == OFFICE + "boolean-value":
            self.boolean = said.strip()


def times(said: str | None) -> int:
    """How often something stands there; what is no number says once."""
    text = (said or "1").strip()
    if not (text.isascii() and text.isdigit()):
        return 1
    return max(int(text[:LONGEST_REPEAT]), 1)


def value_of(given: Held, printed: str | None) -> float | str | bool | None:
    """What a cell holds, for rules that ask about it; None where it is blank, an error or a day."""
    if given.error or given.kind in ("date", "time"):
        return None
    if given.kind == "boolean":
        return given.boolean == "true"
    if given.kind in NUMBERS and NUMBER.fullmatch(given.value):
        return float(given.value)
    text = given.string if given.string is not None else printed
    return text or None


def cell_of(given: Held, printed: str | None, shape: NumberFormat, show_zeros: bool) -> tuple[str, How]:
    """What a cell shows, and how that came about. `printed` is the text in its place; None if there is none.

    With `error` the text is the error's name. `uncalculated` is a formula whose value nobody stored.
    """
    kind = given.kind
    if kind in NUMBERS and NUMBER.fullmatch(given.value):
        return _number(given, printed, shape, show_zeros)
    if given.error or (given.formula and printed is not None and ERROR.fullmatch(printed)):
        return printed or "#VALUE!", "error"
    if kind in ("date", "time"):
        return _day(given, printed)
    if kind == "boolean" and given.boolean:
        return given.boolean.upper(), "number"
    if given.formula and not kind and printed is None:
        return "", "uncalculated"
    return _text(given, printed, shape)


def _number(given: Held, printed: str | None, shape: NumberFormat, show_zeros: bool) -> tuple[str, How]:
    """A number as its format shows it, unless what is printed says that it shows something else."""
    raw = given.value
    if given.kind == "percentage" and shape.plain:
        shape = PERCENT
    held = float(raw)
    how: How
    if shape.plain:
        short = len(raw) <= LONGEST_WHOLE and raw.isdigit() and raw[0] != "0"
        text, how = raw if short else number_text(held), "number"
    else:
        text, how = shape.show_number(held, False)
    if printed is not None and how == "number" and printed != text:
        text, how = _beside(text, held, printed, given.formula)
    if not held and not show_zeros and how == "number" and has_digit(text):
        how = "hidden"
    return text, how


def _beside(text: str, held: float, printed: str, formula: bool) -> tuple[str, How]:
    """The text of a number, held against what is printed in its place."""
    if formula and ERROR.fullmatch(printed):
        return printed, "error"
    if not has_digit(text) or (not held and is_dash(printed)):
        return text, "number"
    if not printed:
        return text, "hidden"
    if not has_digit(printed):
        return printed, "number"
    if not agrees(text, held, printed):
        return printed, "otherwise"
    return ("" if currency_of(text) else currency_of(printed)) + text, "number"


def _text(given: Held, printed: str | None, shape: NumberFormat) -> tuple[str, How]:
    """A text; where only what is held is stored, as its format shows it."""
    if printed is None:
        text = given.string or ""
        return shape.show_text(text) if text else ("", "number")
    if given.string and not printed:
        return "", "hidden"
    literal = shape.text is not None and shape.text.shape == "literal"
    return shape.show_text(printed) if literal and printed else (printed, "number")


def _day(given: Held, printed: str | None) -> tuple[str, How]:
    """A day or a time."""
    text = iso_text(given.date) if given.date else _time(given.time)
    if text and printed == "":
        return text, "hidden"
    return text or printed or "", "date"


def _time(span: str) -> str:
    """A time of day, or a day where it is longer, as other workbooks hold it."""
    found = SPAN.fullmatch(span)
    if not found:
        return ""
    days, hours, minutes, seconds = (float(part or 0) for part in found.groups())
    whole = dt.timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
    return date_text(whole / dt.timedelta(days=1))
