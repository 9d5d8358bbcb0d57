"""The languages of the member's page and of its mails: every text by its English words.

Belongs here: the catalogues (words/*.csv, one file a language), choosing one, saying a text or a receipt's sentence.
Does not: which texts there are (templates, views.py, mail), or what the checks say of a file (contracts/findings.csv).
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path

from dagster_project.lib.base.shown import visible

WORDS = Path(__file__).parent / "words"
PLACE = re.compile(r"\\\{(\w+)\\\}")
OWN = "English"
"""The name of a language, as its catalogue gives it for this text."""
ENGLISH = "en"


@dataclass(frozen=True)
class Language:
    """A language: its code, and what it says for an English text; `{name}` stands for what is filled in."""

    code: str
    said: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """What the language calls itself."""
        return self.said.get(OWN, OWN)

    def say(self, text: str, **given: object) -> str:
        """A text with its places filled; English where the catalogue has none (a test asks that it has all)."""
        return self.said.get(text, text).format_map({name: visible(value) for name, value in given.items()})

    def again(self, text: str) -> str | None:
        """Sentences that another room has already filled in, in this language; None where one of them is not known.

        Each sentence is found by the catalogue's text that it begins with; what stood in its places stays as it is.
        """
        if not self.said:
            return text
        parts: list[str] = []
        rest = text.strip()
        while rest:
            found = [(hit, said) for form, said in self._sentences if (hit := form.match(rest))]
            if not found:
                return None
            # The one that ends first: a place at the beginning of another would swallow the sentences before it.
            hit, said = min(found, key=lambda each: each[0].end())
            parts.append(said.format_map(hit.groupdict()))
            rest = rest[hit.end() :].lstrip()
        return " ".join(parts)

    @cached_property
    def _sentences(self) -> list[tuple[re.Pattern[str], str]]:
        """Longer texts first, so that a sentence is not taken for the beginning of another."""
        ordered = sorted(self.said.items(), key=lambda pair: (-len(pair[0]), pair[0]))
        whole = [(english, said) for english, said in ordered if english.endswith((".", ":"))]
        return [
            (re.compile(PLACE.sub(r"(?P<\1>.+?)", re.escape(english)) + r"(?=\s|$)", re.DOTALL), said)
            for english, said in whole
        ]


@cache
def languages() -> Mapping[str, Language]:
    """All languages by code, English first."""
    found = {ENGLISH: Language(ENGLISH)}
    for path in sorted(WORDS.glob("*.csv")):
        with path.open(encoding="utf-8", newline="") as lines:
            found[path.stem] = Language(path.stem, {row["english"]: row["said"] for row in csv.DictReader(lines)})
    return found


def language(code: str | None) -> Language:
    """The language of a code; English for one that there is not."""
    return languages().get(code or ENGLISH, languages()[ENGLISH])


def asked_for(accept: str) -> Language:
    """The language that a browser asks for first among those there are (RFC 9110, Accept-Language); else English."""
    return next((language(code) for code in _preferred(accept) if code in languages()), language(None))


def _preferred(accept: str) -> Iterable[str]:
    weighed = []
    for place, part in enumerate(accept.split(",")):
        tag, _, weight = part.partition(";q=")
        try:
            q = float(weight or 1)
        except ValueError:
            continue
        weighed.append((-q, place, tag.strip().split("-")[0].lower()))
    return [code for q, _, code in sorted(weighed) if q < 0]
