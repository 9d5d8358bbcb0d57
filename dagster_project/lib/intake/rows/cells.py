"""What a cell's text says: a number, a mask, an interval, a date, a year.

Belongs here: turning one cell's text into a typed value or None (RULES 1), for many cells at once.
Does not: rules between cells of a row (values.py), labels and codes (labels.py), reading of files.
"""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import polars as pl

# ASCII: the digits and blanks of other scripts are no digits here.
# A group of thousands never begins with 0: 0,085 is a decimal comma.
PLAIN = r"(?:[1-9]\d{0,2}(?:,\d{3})+|\d+)(?:\.\d+)?"
NUMBER = re.compile(rf"[+-]?{PLAIN}", re.ASCII)
BOUND_BELOW = re.compile(rf"(?:<=?|\u2264|LE|LT)\s*({PLAIN})\s*%?", re.ASCII | re.IGNORECASE)
BOUND_ABOVE = re.compile(rf"(?:>=?|\u2265|GE|GT)\s*({PLAIN})\s*%?", re.ASCII | re.IGNORECASE)
RANGE = re.compile(rf"({PLAIN})\s*%?\s*[-\u2013]\s*({PLAIN})\s*%?", re.ASCII)
DECIMAL_COMMA = r"^[<>=+-]*\s*\d+,\d+\s*%?$"
"""A number whose comma can only stand before decimals, once it was read as no number."""
ONE_COMMA = r"^[+-]?\d{1,3},\d{3}$"
"""A number whose comma may separate thousands or decimals."""
DOT_THOUSANDS = r"^[1-9]\d{0,2}\.\d{3}$"
"""A number whose point may separate thousands or decimals."""
MONTHS = "(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)"
DAY_OF_A_SHEET = rf"(?i)^\s*(?:\d{{1,2}}-{MONTHS}(?:-\d{{2}}(?:\d{{2}})?)?|{MONTHS}-\d{{2}}(?:\d{{2}})?)\s*$"
"""What spreadsheet programs show, and save as text, where somebody typed 5-9 or 10-1 or 2011-12."""
SCHOOL_YEAR = re.compile(r"(?:SY\s*)?(\d{4})(?:\s*[-/\u2013]\s*(\d{4}|\d{2}))?", re.ASCII | re.IGNORECASE)
PERIOD = re.compile(r"(\d{4})-(?:Q[1-4]|T[1-4]|0[1-9]|1[0-2]|FALL|WINTER|SPRING|SUMMER)", re.ASCII | re.IGNORECASE)
SEASON = re.compile(r"(?P<season>FALL|AUTUMN|WINTER|SPRING|SUMMER)\s+(?P<year>\d{4})", re.ASCII | re.IGNORECASE)
ISO_DATE = re.compile(r"(\d{4})-(\d{2})-(\d{2})(?:[T ].*)?", re.ASCII)
US_DATE = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})", re.ASCII)
FIRST_YEAR, LAST_YEAR = 1900, 2200
YES = frozenset({"true", "yes", "y", "1", "x"})
NO = frozenset({"false", "no", "n", "0"})


@dataclass(frozen=True)
class Cell:
    """One value cell. `kind` is number, range, mask, empty or bad; decimals counts printed decimal digits.

    `percent` and `money` tell of a percent sign behind the number and of a dollar sign before it.
    """

    kind: str
    number: float | None = None
    low: float | None = None
    high: float | None = None
    decimals: int = 0
    percent: bool = False
    money: bool = False
    status: str | None = None


CELL_TYPES = pl.Schema(
    {
        "kind": pl.String(),
        "number": pl.Float64(),
        "low": pl.Float64(),
        "high": pl.Float64(),
        "decimals": pl.Int32(),
        "percent": pl.Boolean(),
        "money": pl.Boolean(),
        "status": pl.String(),
    }
)


def parse_cell(text: str | None, masks: Mapping[str, str]) -> Cell:
    """Read one value, numerator or denominator cell (RULES 1). Never guesses: what fits nothing is `bad`."""
    text = (text or "").strip()
    if not text:
        return Cell("empty", status="missing")
    status = masks.get(text.lower())
    if status is not None:
        return Cell("mask", status=status)
    percent = text.endswith("%")
    body = text[:-1].rstrip() if percent else text
    money = body.startswith("$") and not percent
    number = _finite(body[1:].lstrip() if money else body)
    if number is not None:
        return Cell("number", number=number, decimals=len(body.partition(".")[2]), percent=percent, money=money)
    return _parse_bounds(text)


def _finite(text: str) -> float | None:
    """The number a text prints, or None: also for one with so many digits that it is none any more."""
    # Adding 0.0 takes the sign from a zero: -0.0 would print and hash as another number.
    number = float(text.replace(",", "")) + 0.0 if NUMBER.fullmatch(text) else math.inf
    return number if math.isfinite(number) else None


def _parse_bounds(text: str) -> Cell:
    """`<5`, `<=5%`, `LE5`, `>95`, `GE95`, `5-9`: an interval, open towards the end of the unit's own range."""
    percent = "%" in text
    if (match := BOUND_BELOW.fullmatch(text)) and (bound := _finite(match[1])) is not None:
        return Cell("range", high=bound, percent=percent, status="range")
    if (match := BOUND_ABOVE.fullmatch(text)) and (bound := _finite(match[1])) is not None:
        return Cell("range", low=bound, percent=percent, status="range")
    if match := RANGE.fullmatch(text):
        low, high = _finite(match[1]), _finite(match[2])
        if low is not None and high is not None and low <= high:
            return Cell("range", low=low, high=high, percent=percent, status="range")
    return Cell("bad")


def parse_cells(texts: pl.Series, masks: Mapping[str, str]) -> pl.DataFrame:
    """Read a column of cells: one row a cell, columns of CELL_TYPES. Each distinct text is read once."""
    distinct = texts.unique(maintain_order=True)
    cells = [parse_cell(text, masks) for text in distinct]
    names = list(CELL_TYPES)
    parsed = pl.DataFrame(
        {name: [getattr(cell, name) for cell in cells] for name in names}, schema=CELL_TYPES
    ).with_columns(distinct.alias("text"))
    rows = texts.alias("text").to_frame()
    return rows.join(parsed, on="text", how="left", nulls_equal=True, maintain_order="left").select(names)


def parse_school_year(text: str) -> int | None:
    """2022-23, 2022-2023, SY2023 and 2023 are all 2023; None if the text is no school year."""
    match = SCHOOL_YEAR.fullmatch(text.strip())
    if not match:
        return None
    start, end = int(match[1]), match[2]
    if not FIRST_YEAR <= start <= LAST_YEAR:
        return None
    if end is None:
        return start
    return start + 1 if int(end) == (start + 1 if len(end) == 4 else (start + 1) % 100) else None


def parse_period(text: str) -> str | None:
    """`annual`, a quarter (2024-Q1), a month (2024-03), a term (2024-T1, or Fall 2024 as 2024-FALL); None otherwise.

    A numbered term and a season are kept apart: whether a year's first term is its spring or its fall is not said.
    """
    text = text.strip()
    if text.lower() == "annual":
        return "annual"
    season = SEASON.fullmatch(text)
    if season:
        text = f"{season['year']}-{season['season'].upper().replace('AUTUMN', 'FALL')}"
    return text.upper() if PERIOD.fullmatch(text) else None


def parse_date(text: str) -> dt.date | None:
    """2024-06-30 (a time behind it is ignored) or 6/30/2024; None if it is no day of the calendar."""
    text = text.strip()
    iso, american = ISO_DATE.fullmatch(text), US_DATE.fullmatch(text)
    try:
        if iso:
            return dt.date(int(iso[1]), int(iso[2]), int(iso[3]))
        if american:
            return dt.date(int(american[3]), int(american[1]), int(american[2]))
    except ValueError:
        return None
    return None


def parse_boolean(text: str) -> bool | None:
    """yes/no, true/false, y/n, 1/0; None otherwise."""
    word = text.strip().lower()
    return True if word in YES else False if word in NO else None


def parse_number(text: str) -> float | None:
    """A plain number (a leading $ is money), or None."""
    return _finite(text.strip().removeprefix("$").strip())


def parse_share(text: str) -> float | None:
    """A percentage with or without its sign, or None."""
    return parse_number(text.strip().removesuffix("%"))


def parse_year(text: str) -> int | None:
    """A year or a school year, as parse_school_year reads it."""
    return parse_school_year(text)


def parse_url(text: str) -> str | None:
    """A web address, or None."""
    text = text.strip()
    return text if re.fullmatch(r"https?://[^\s<>\"']+", text, re.IGNORECASE) else None


PARSERS: dict[str, Callable[[str], object | None]] = {
    "school_year": parse_school_year,
    "period": parse_period,
    "date": parse_date,
    "boolean": parse_boolean,
    "number": parse_number,
    "share": parse_share,
    "year": parse_year,
    "url": parse_url,
}


def cast_texts(texts: pl.Series, kind: str, dtype: pl.DataType) -> pl.DataFrame:
    """Cast a column of text by kind: columns `typed` and `bad` (true where text was there and could not be read)."""
    parser = PARSERS[kind]
    distinct = texts.drop_nulls().unique(maintain_order=True)
    values = [parser(text) for text in distinct]
    table = pl.DataFrame({"text": distinct, "typed": pl.Series(values, dtype=dtype, strict=True)})
    rows = texts.alias("text").to_frame()
    joined = rows.join(table, on="text", how="left", maintain_order="left")
    return joined.select("typed", bad=pl.col("text").is_not_null() & pl.col("typed").is_null())
