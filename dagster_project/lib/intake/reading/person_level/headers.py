"""What a header says of its column: whether it holds ids, names, birth dates or contacts of single persons.

Belongs here: reading one header cell, word by word, in the languages of contracts/person_level_words.csv.
Does not: looking at the column's values (shapes.py), or deciding about a table (grids.py).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from dagster_project.lib.intake.reading.person_level.catalogue import (
    KEPT_TEXTS,
    compact_phrases,
    first_words,
    longest_phrase,
    phrases,
    tokens,
)

LONGEST_HEADER = 60
MOST_TOKENS = 9
SHORTEST_PIECE = 3
NOTHING: frozenset[str] = frozenset()
UNKNOWN = frozenset({"unknown"})
PERSON_PARTS = ("name", "first", "last", "middle")
CONTACTS = ("email", "phone", "address")
TELLING = frozenset({"subject", "first", "last", "birth", "ssn", "guardian", "own_id"})
SHORT_PIECES = frozenset({"id", "no", "nm", "dt"})
BARE_PARTS = frozenset({"first", "last", "given", "middle", "ho", "non", "nom", "nome", "nombre", "born"})
PARTS_OF_NAMES = (*PERSON_PARTS, "birth", "filler", "subject", "guardian")
PLURAL_ENDING = "s"
NUMBERED_WORD = re.compile(r"([^\W\d_]+(?: [^\W\d_]+)?)[\s#.\-_]*(?:no\.?|nr\.?)?\s*\d{1,4}", re.IGNORECASE)
CONTEXTS = ("work", "schooling", "staff", "place", "group")


@lru_cache(KEPT_TEXTS)
def pieces(cell: str) -> tuple[tuple[str, frozenset[str]], ...]:
    """A header cut into the longest phrases that are known: (words, kinds); an unknown word has the kind `unknown`."""
    words = tokens(cell)
    found: list[tuple[str, frozenset[str]]] = []
    start = 0
    while start < len(words):
        for length in range(min(longest_phrase(), len(words) - start), 0, -1):
            kinds = phrases().get(words[start : start + length])
            if kinds:
                found.append((" ".join(words[start : start + length]), kinds))
                start += length
                break
        else:
            found.extend(_cut(words[start]))
            start += 1
    return tuple(found)


@lru_cache(KEPT_TEXTS)
def _cut(word: str) -> tuple[tuple[str, frozenset[str]], ...]:
    """A word written without blanks as known words (`studentlastname`); itself, unknown, if they say nothing."""
    cut = _segments(word, 3)
    if cut and any(kinds & TELLING for _, kinds in cut):
        return tuple(cut)
    return ((word, UNKNOWN),)


def _segments(word: str, most: int) -> list[tuple[str, frozenset[str]]] | None:
    if not word:
        return []
    if not most:
        return None
    for length in range(len(word), 1, -1):
        piece = word[:length]
        kinds = compact_phrases().get(piece)
        if kinds and (length >= SHORTEST_PIECE or piece in SHORT_PIECES):
            rest = _segments(word[length:], most - 1)
            if rest is not None:
                return [(piece, kinds), *rest]
    return None


def may_be_header(cell: str) -> bool:
    """Whether a cell is short enough for a header and holds a letter."""
    return 1 < len(cell.strip()) <= LONGEST_HEADER and any(map(str.isalpha, cell))


@lru_cache(KEPT_TEXTS)
def contexts(cell: str) -> frozenset[str]:
    """What a header says of its table: work, schooling, staff, place, group."""
    if not may_be_header(cell):
        return NOTHING
    return frozenset(kind for _, kinds in pieces(cell) for kind in CONTEXTS if kind in kinds)


@lru_cache(KEPT_TEXTS)
def counts_something(cell: str) -> bool:
    """Whether a header is of counts: it says so, or names persons in the plural and nothing that one of them has."""
    words = tokens(cell)
    if not words or not may_be_header(cell):
        return words in (("n",), ("#",))
    return any("count" in kinds for _, kinds in pieces(cell)) or words in (("denominator",), ("students",), ("n",))


@lru_cache(KEPT_TEXTS)
def numbered_person(cell: str) -> bool:
    """Whether a cell is a word for one person with a number: Student 1, Child #12, PUPIL-3."""
    found = NUMBERED_WORD.fullmatch(cell.strip())
    word = tokens(found[1]) if found else ()
    return bool(word) and not word[-1].endswith(PLURAL_ENDING) and "subject" in phrases().get(word, NOTHING)


@lru_cache(KEPT_TEXTS)
def sign_of(cell: str) -> str | None:
    """The sign of a header cell, or None.

    `id`, `ssn`, `birth`, `name`, `name_parts` and `contact` stand for themselves. `number`, `own_id` and `loose_id`
    depend on the values below, as does `subject` (a header `Student` and nothing else), `first` and `last` on each
    other, `family` and `home` on what else there is; `plain_id`, `plain_name`, `email`, `phone` and `address` are what
    many tables have.
    """
    if not may_be_header(cell):
        return None
    words = tokens(cell)
    if len(words) > MOST_TOKENS or _says_nothing(words):
        return None
    found = pieces(cell)
    if any("count" in kinds for _, kinds in found):
        return None
    if "or" in words and not any("guardian" in kinds for _, kinds in found):
        return None  # A sentence; `Parent or Guardian Name` is a header.
    unknown = sum(kinds == UNKNOWN for _, kinds in found)
    if any(words in BARE_PARTS for words, _ in found) and not all(_has(kinds, PARTS_OF_NAMES) for _, kinds in found):
        unknown += 2  # Beside any other word they mean much else: first year, last score, foreign born.
    for kind in ("ssn", "birth", "own_id"):
        if unknown < 2 and any(kind in kinds for _, kinds in found):
            return kind
    subject = next((i for i in reversed(range(len(found))) if "subject" in found[i][1]), None)
    if subject is not None:
        return _of_subject(found, subject)
    if any("guardian" in kinds for _, kinds in found):
        reached = any(_has(kinds, (*PERSON_PARTS, *CONTACTS, "number")) for _, kinds in found)
        return "family" if reached or any(words in ("contact", "contacto") for words, _ in found) else None
    return _of_no_subject([kinds for _, kinds in found], unknown)


def _says_nothing(words: tuple[str, ...]) -> bool:
    """Whether no word of a cell can be part of a sign, so that it need not be cut into phrases."""
    return not any(
        word in first_words() or (len(word) > SHORTEST_PIECE and _cut(word)[0][1] != UNKNOWN) for word in words
    )


def _has(kinds: frozenset[str], wanted: Iterable[str]) -> bool:
    return any(kind in kinds for kind in wanted)


def _of_subject(found: tuple[tuple[str, frozenset[str]], ...], subject: int) -> str | None:
    """The sign of a header that names a person: what stands behind the person, else what stands before."""
    behind = _attribute(found[subject + 1 :])
    if behind:
        # A group or place that follows is what the column is of: `Student ID School`.
        return behind
    rest_says_more = any("filler" not in kinds for _, kinds in found[subject + 1 :])
    if len(found) == 1 or all("filler" in kinds for i, (_, kinds) in enumerate(found) if i != subject):
        return None if found[subject][0].endswith(PLURAL_ENDING) else "subject"
    before = _attribute(tuple(reversed(found[:subject])))
    if before is None or rest_says_more:
        return None
    if before == "number" and found[subject][0].endswith(PLURAL_ENDING):
        return None  # A number of students counts them; a student's number names one.
    return before


def _attribute(found: tuple[tuple[str, frozenset[str]], ...]) -> str | None:
    """What the first words that say something name: an id, a name, a contact. `School Name` is the school's."""
    of_place = False
    for _, kinds in found:
        if of_place and not _has(kinds, ("id", "loose_id")) and _has(kinds, (*PERSON_PARTS, *CONTACTS, "number")):
            return None
        of_place = "place" in kinds
        if "id" in kinds or "loose_id" in kinds or "own_id" in kinds:
            return "id"
        if _has(kinds, PERSON_PARTS):
            return "name"
        if "number" in kinds:
            return "number"
        if _has(kinds, CONTACTS):
            return "contact"
        if not _has(kinds, ("filler", "home")):
            return None
    return None


def _of_no_subject(kinds: list[frozenset[str]], unknown: int) -> str | None:
    if any(_has(of, ("staff", "group", "work")) and not _has(of, (*PERSON_PARTS, *CONTACTS)) for of in kinds):
        return None
    places = any("place" in of and "filler" not in of for of in kinds)
    owners = any("place" in of for of in kinds)
    flat = frozenset(kind for of in kinds for kind in of)
    if "loose_id" in flat:
        return "loose_id" if not places and unknown < 2 else None
    if unknown > 1 or places:
        return None
    if _both_parts(kinds):
        return "name_parts"
    for kind in ("first", "last"):
        if kind in flat and not owners:
            return kind
    if "home" in flat and _has(flat, CONTACTS):
        return "home"
    if owners or unknown:
        return "plain_id" if "id" in flat and not owners else None
    for kind, sign in (("name", "plain_name"), ("email", "email"), ("phone", "phone"), ("address", "address")):
        if kind in flat:
            return sign
    return "plain_id" if "id" in flat or "number" in flat else None


def _both_parts(kinds: list[frozenset[str]]) -> bool:
    """Whether one cell names both parts of a name: `Last, First`."""
    firsts = {i for i, of in enumerate(kinds) if "first" in of}
    lasts = {i for i, of in enumerate(kinds) if "last" in of}
    return any(a != b for a in firsts for b in lasts)
