"""The words by which data on single persons are known, as the contracts list them.

Belongs here: loading contracts/person_level*.csv, folding of text so that accents, case and marks do not matter.
Does not: any judgement of a cell (headers.py, shapes.py) or of a table (grids.py).
"""

from __future__ import annotations

import csv
import re
import unicodedata
from functools import cache, lru_cache

import contracts

KEPT_TEXTS = 65_536
"""Texts whose folded form is remembered: headers and labels repeat from file to file."""
CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|(?<=[A-Za-z])(?=\d)|(?<=\d)(?=[A-Za-z])")
SIGNS = re.compile(r"([#%])")
NOT_WORD = re.compile(r"[^\w#%]+|_")
NO_DECOMPOSITION = str.maketrans("đĐøØłŁ", "dDoOlL")


def fold(text: str) -> str:
    """Lower case without accents: `Número` and `NUMERO` are one word."""
    if text.isascii():
        return text.lower()
    parts = unicodedata.normalize("NFKD", text.translate(NO_DECOMPOSITION))
    return "".join(sign for sign in parts if not unicodedata.combining(sign)).casefold()


@lru_cache(KEPT_TEXTS)
def tokens(text: str) -> tuple[str, ...]:
    """The words of a header: camel case, dots, underscores, `#` and `%` divide. `stuID#` gives stu, id, #."""
    marked = SIGNS.sub(r" \1 ", unicodedata.normalize("NFC", text))
    divided = CAMEL.sub(" ", _unaccented(marked))
    return tuple(word for word in NOT_WORD.split(divided.casefold()) if word)


def _unaccented(text: str) -> str:
    """Without accents and with case as it was, so that camel case can still be seen."""
    if text.isascii():
        return text
    parts = unicodedata.normalize("NFKD", text.translate(NO_DECOMPOSITION))
    return "".join(sign for sign in parts if not unicodedata.combining(sign))


def _lines(name: str) -> list[dict[str, str]]:
    with (contracts.ROOT / name).open(newline="", encoding="utf-8") as lines:
        return list(csv.DictReader(lines))


@cache
def reasons() -> dict[str, str]:
    """Why a file is refused, in words that quote nothing of it, by sign."""
    return {line["sign"]: line["reason"] for line in _lines("person_level.csv")}


@cache
def phrases() -> dict[tuple[str, ...], frozenset[str]]:
    """Kinds of every word and phrase that a header may be made of, by its tokens."""
    found: dict[tuple[str, ...], set[str]] = {}
    for line in _lines("person_level_words.csv"):
        found.setdefault(tokens(line["words"]), set()).add(line["kind"])
    return {words: frozenset(kinds) for words, kinds in found.items()}


@cache
def compact_phrases() -> dict[str, frozenset[str]]:
    """The same phrases written without blanks, as databases name their columns."""
    return {"".join(words): kinds for words, kinds in phrases().items() if len("".join(words)) > 1}


@cache
def first_words() -> frozenset[str]:
    """Words with which a phrase begins that can make a header a sign."""
    aside = {"filler", "count", "work", "schooling", "staff", "place", "group", "home"}
    return frozenset(words[0] for words, kinds in phrases().items() if kinds - aside)


@cache
def longest_phrase() -> int:
    """How many tokens the longest phrase has."""
    return max(map(len, phrases()))


@cache
def given_names() -> frozenset[str]:
    """Given names, folded."""
    return frozenset(fold(line["given_name"]) for line in _lines("person_level_names.csv"))


@cache
def label_words() -> frozenset[str]:
    """Words that stand in labels of groups, places and bodies and seldom in a person's name, folded."""
    return frozenset(fold(line["word"]) for line in _lines("person_level_labels.csv") if line["kind"] != "state")


@cache
def state_words() -> frozenset[str]:
    """Words that stand behind a comma because a place lies there, folded."""
    return frozenset(fold(line["word"]) for line in _lines("person_level_labels.csv") if line["kind"] == "state")
