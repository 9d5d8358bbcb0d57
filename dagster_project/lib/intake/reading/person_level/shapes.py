"""What cells look like that belong to single persons: names, numbers, dates, contacts.

Belongs here: the shape of one cell, and of all cells of a column together.
Does not: what headers say (headers.py), or deciding about a table (grids.py).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from functools import lru_cache

from dagster_project.lib.intake.reading.person_level.catalogue import (
    KEPT_TEXTS,
    fold,
    given_names,
    label_words,
    state_words,
)

SOCIAL_SECURITY = re.compile(r"(?<![\d-])(?!000|666|9)\d{3}([- ])(?!00)\d{2}\1(?!0000)\d{4}(?![\d-])")
EMAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
PHONE = re.compile(r"(?<![\d.,/-])(?:\+?1[ .-]?)?(?:\(\d{3}\) ?|\d{3}[ .-])\d{3}[ .-]\d{4}(?![\d-])")
STREET = re.compile(
    r"\b\d{1,6}[A-Z]? (?:[NSEW]\.? )?(?:[A-Z0-9][\w'’.-]* ){1,3}"
    r"(?i:st|street|ave|avenue|rd|road|dr|drive|ln|lane|blvd|boulevard|ct|court|cir|circle|way|pl|place|ter|terrace|"
    r"trl|trail|hwy|highway|pkwy|parkway|apt)\b\.?"
    r"|\b(?:[Cc]alle|[Aa]venida|[Rr]ue|[Rr]ua) [A-ZÀ-Ý][\w'’ .-]{2,30}?,? (?:\#|[Nn][oº.]+ )?\d{1,5}\b"
)
MONTH = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sept?|oct|nov|dec|ene|abr|ago|dic)[a-zé]*\.?"  # English and Spanish
DATE = re.compile(
    rf"(?<![\d/-])(?:\d{{1,2}}[/.-]\d{{1,2}}[/.-](?:\d{{4}}|\d{{2}})|\d{{4}}[/-]\d{{1,2}}[/-]\d{{1,2}}"
    rf"|{MONTH} \d{{1,2}}(?:st|nd|rd|th)?,? \d{{4}}|\d{{1,2}} (?:de )?{MONTH}(?: de)?,? \d{{4}})(?![\d/-])",
    re.IGNORECASE,
)
TIME_OF_DAY = re.compile(r"[T ]\d{1,2}:\d{2}(:\d{2})?(\.\d+)?Z?$")
WORD = r"[^\W\d_](?:[^\W\d_]|['’.\-](?=[^\W_]))*\.?"
COMMA_NAME = re.compile(rf"({WORD}(?: {WORD}){{0,3}}) ?, ?({WORD}(?: {WORD}){{0,2}})")
PLAIN_NAME = re.compile(rf"{WORD}(?: {WORD}){{1,3}}")
PERCENT = re.compile(r"-?\d{1,3}(?:[.,]\d+)? ?%|-?\d*[.,]\d+")
COUNT = re.compile(r"\d{1,3}(?:,\d{3})+|\d+|[*†‡<>≤≥=~\-.]+ ?\d*|n/?a|s|ds|dns", re.IGNORECASE)
ANSWER = re.compile(
    r"yes|no|y|n|s[ií]|true|false|required|optional|collected|not collected|never|always|partial|never sent",
    re.IGNORECASE,
)
PARTICLES = frozenset({"de", "la", "del", "las", "los", "da", "dos", "van", "von", "der", "di", "le", "du", "y", "e"})
LONGEST_NAME = 50
MOST_VALUES = 5_000
SHORTEST_ID = 5
ENOUGH_NAMES = 5


@lru_cache(KEPT_TEXTS)
def name_form(cell: str) -> str | None:
    """`comma` for Last, First; `plain` for First Last; None for what is no person's name.

    Labels of groups, places and bodies are told from names by their words.
    """
    text = cell.strip()
    if not 4 <= len(text) <= LONGEST_NAME:
        return None
    comma = COMMA_NAME.fullmatch(text)
    if comma:
        behind = fold(comma[2]).split()
        if behind[-1] in state_words() or _labels(fold(text).replace(",", " ").split()):
            return None
        return "comma"
    if PLAIN_NAME.fullmatch(text):
        words = [word for word in fold(text).split() if word not in PARTICLES]
        long = [word for word in words if len(word.strip(".")) > 1]
        if long and len(words) > 1 and not _labels(words):
            return "plain"
    return None


def _labels(words: Sequence[str]) -> bool:
    """Whether the words are those of a label: one is enough, unless it is a surname beside a given name."""
    known = [word in label_words() and word not in PARTICLES for word in words]
    if not any(known):
        return False
    surname_only = sum(known) == 1 and (known[-1] or known[0]) and any(map(is_given, words))
    return not (surname_only and len(words) == 2 and _surname_like(words[known.index(True)]))


def _surname_like(word: str) -> bool:
    """Words of labels that are common surnames as well."""
    return word in {"white", "black", "hill", "brook", "lake", "rivers", "fields", "park", "forest", "young", "lane"}


@lru_cache(KEPT_TEXTS)
def is_given(word: str) -> bool:
    """Whether a word is a given name."""
    return fold(word).strip(".") in given_names()


@lru_cache(KEPT_TEXTS)
def has_given(cell: str) -> bool:
    """Whether a text of the form of a name has a given name where one stands."""
    comma = COMMA_NAME.fullmatch(cell.strip())
    words = (comma[2] if comma else cell).split()
    return any(map(is_given, words[:2])) if comma else bool(words) and is_given(words[0])


def person_named(cell: str) -> bool:
    """Whether a cell is the name of a person beyond reasonable doubt: of that form, with a given name."""
    return name_form(cell) is not None and has_given(cell)


def is_single_given(cell: str) -> bool:
    """One given name alone, or with an initial: Ana, Ana G."""
    words = cell.split()
    return bool(words) and is_given(words[0]) and all(len(word.strip(".")) == 1 for word in words[1:])


def are_names(values: Collection[str]) -> bool:
    """Whether a column holds many distinct persons' names, of which enough are certain."""
    distinct = set(list(values)[:MOST_VALUES])
    shaped = [value for value in distinct if name_form(value)]
    enough = min(ENOUGH_NAMES, max(3, len(distinct)))
    if len(shaped) < enough or len(shaped) < 0.6 * len(distinct):
        return False
    certain = sum(map(has_given, shaped))
    commas = sum(name_form(value) == "comma" for value in shaped)
    if commas >= 0.8 * len(shaped):
        return certain >= max(1.0, 0.1 * len(shaped))
    return certain >= 3 and certain >= 0.4 * len(shaped)


def may_be_names(values: Collection[str]) -> bool:
    """Whether nearly all values of a column have the form of names, known ones or not, and repeat seldom."""
    values = list(values)[:MOST_VALUES]
    distinct = set(values)
    shaped = sum(name_form(value) is not None for value in distinct)
    return len(distinct) >= 3 and shaped >= 0.9 * len(distinct) and len(distinct) >= 0.8 * len(values)


def are_given_names(values: Collection[str]) -> bool:
    """Whether a column holds given names alone."""
    distinct = set(list(values)[:MOST_VALUES])
    certain = sum(map(is_single_given, distinct))
    return certain >= min(ENOUGH_NAMES, max(3, len(distinct))) and certain >= 0.5 * len(distinct)


def is_date(cell: str) -> bool:
    """A full date, with or without a time of day."""
    return DATE.fullmatch(TIME_OF_DAY.sub("", cell.strip())) is not None


def are_rates(values: Collection[str]) -> bool:
    """Whether a column holds percentages or answers such as yes and no: how far a field is kept, not the field."""
    told = sum(bool(PERCENT.fullmatch(value.strip()) or ANSWER.fullmatch(value.strip())) for value in values)
    return bool(values) and 2 * told > len(values)


def are_ids(values: Collection[str], context: bool) -> bool:
    """Whether a column of numbers holds ids of persons and not counts. `context`: other columns speak of persons.

    Ids have letters beside digits, or one length and no repeats; counts differ in length, repeat, are masked.
    """
    texts = [value.strip() for value in list(values)[:MOST_VALUES]]
    if not texts:
        return False
    mixed = sum(bool(re.fullmatch(r"(?=.*\d)(?=.*[A-Za-z])[\w-]{4,}", text)) for text in texts)
    if 2 * mixed > len(texts):
        return True
    if not all(COUNT.fullmatch(text) for text in texts):
        return False
    digits = [text for text in texts if text.isdecimal()]
    lengths = set(map(len, digits))
    if len(digits) < len(texts):
        return False
    if context and len(lengths) == 1 and max(lengths) > SHORTEST_ID:
        return True  # Of one length and beside persons they may repeat: a row a test and student.
    if len(set(digits)) < 0.9 * len(digits):
        return False
    if context and len(digits) >= 3 and _consecutive(digits):
        return True
    return len(lengths) == 1 and max(lengths) >= (SHORTEST_ID if context else SHORTEST_ID + 2)


def _consecutive(digits: Sequence[str]) -> bool:
    numbers = sorted(map(int, digits))
    return numbers[-1] - numbers[0] == len(numbers) - 1
