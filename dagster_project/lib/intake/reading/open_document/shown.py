"""Whether the text that stands in a cell's place agrees with the number that the cell holds.

Belongs here: a number as some program printed it, rounded, with separators of some country, a currency, a percent sign.
Does not: number formats (number_formats.py), what becomes of a cell that shows something else (cells.py).
"""

from __future__ import annotations

import re
import unicodedata

BARE = re.compile(r"-?\d+(?:\.\d+)?%?", re.ASCII)
DIGIT = re.compile(r"\d")
NUMBER = re.compile(r"\d(?:[\d.,'\u2019 \u00a0\u202f]*\d)?")
EXPONENT = re.compile(r"\s*[eE]([+-]?\d{1,3})", re.ASCII)
GROUPING = re.compile(r"['\u2019 \u00a0\u202f]")
MINUS = re.compile(r"[-\N{EN DASH}\N{MINUS SIGN}]|\(.*\)")
OTHER_SIGNS = re.compile(r"[<>≤≥~±*]")
DASHES = frozenset("-\N{EN DASH}\N{EM DASH}\N{MINUS SIGN}")
SLACK = 0.500001


def currency_of(text: str) -> str:
    """The sign of a currency in a text, if there is one."""
    return next((sign for sign in text if unicodedata.category(sign) == "Sc"), "")


def has_digit(text: str) -> bool:
    """Whether a text holds any digit."""
    return DIGIT.search(text) is not None


def is_dash(text: str) -> bool:
    """Whether a text is only a dash, as accounting formats print a zero."""
    return text.strip() in DASHES


def agrees(computed: str, held: float, shown: str) -> bool:
    """Whether `shown` may be `computed`, the digits of a number as its format shows it, printed in fewer digits.

    A program that stores the plain number in the place of what is shown agrees as well. What is computed with anything
    but digits and a percent sign beside them is compared by its signs alone.
    """
    if OTHER_SIGNS.findall(shown) != OTHER_SIGNS.findall(computed):
        return False
    if not BARE.fullmatch(computed):
        return True
    found = NUMBER.findall(EXPONENT.sub("", shown))
    if len(found) != 1:
        return False
    value = float(computed.rstrip("%"))
    readings = list(_readings(shown, found[0]))
    if any(_same(held, reading, places) for reading, places in readings) and "%" not in shown:
        return True
    return ("%" in computed) == ("%" in shown) and any(_same(value, reading, places) for reading, places in readings)


def _readings(shown: str, digits: str) -> list[tuple[float, float]]:
    """What a printed number may say, and the size of its last place: a point or a comma may stand for decimals."""
    plain = GROUPING.sub("", digits)
    sign = -1.0 if MINUS.search(EXPONENT.sub("", shown)) else 1.0
    power = EXPONENT.search(shown)
    size = 10.0 ** int(power[1]) if power else 1.0
    readings = []
    for mark, other in ((".", ","), (",", ".")):
        whole, point, decimals = plain.replace(other, "").partition(mark)
        if mark in decimals:
            whole, decimals = whole + decimals.replace(mark, ""), ""
        number = float(f"{whole}.{decimals or 0}") * size * sign
        readings.append((number, 10.0 ** -len(decimals) * size))
        if not point and other not in plain:
            break
    return readings


def _same(value: float, reading: float, place: float) -> bool:
    return abs(value - reading) <= SLACK * place + 1e-9 * abs(value)
