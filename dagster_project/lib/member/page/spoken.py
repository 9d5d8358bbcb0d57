"""What the checks say of rows, in a member's language: titles, messages, remedies by the translated catalogue.

Belongs here: saying findings by contracts/languages, words/phrases (what checks put together), places within a file.
Does not: judge or arrange findings (intake, receipts), texts of pages (language.py): English comes from the receipt.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

from dagster_project.lib.base.shown import visible
from dagster_project.lib.intake.findings import catalogue, catalogue_in, rule_title
from dagster_project.lib.member.page.language import ENGLISH, PLACE, WORDS
from dagster_project.lib.receipts.receipt_page import place_words, what, where

PLACES, ALLOWED_WORDS, FRAME, ANY = "place", "allowed", "frame", "any"
"""Kinds of phrases beside those of single rules, whose findings alone they say: what a member wrote stays as it is."""
NUMBERS = frozenset({"number", "year", "before", "year_before", "now", "first", "last"})
NAMED = frozenset({"indicator", "indicators", "what"})
"""Places that hold names of the dictionary; what stands in others, such as a sheet's name, is the member's own."""
FOUND, ALLOWED, NOTHING = "{found}", "{allowed}", "nothing"
IN_ALL = "({number} rows in all)"
REST = "{number} more rows have the same fault ({title}); they are counted here and not listed one by one."
Finding = Mapping[str, Any]


@dataclass(frozen=True)
class Spoken:
    """A text and the language it is in: that of the page, or English where there is no other."""

    text: str
    lang: str


class Speaker:
    """Says findings in one language; what no catalogue has stays in English.

    names: what the network's dictionary calls indicators and groups in it, by their English names.
    """

    def __init__(self, code: str, names: Mapping[str, str] | None = None) -> None:
        self.code = code
        self.names = names or {}
        self.rules = catalogue_in(code)
        self.phrases: dict[str, list[tuple[re.Pattern[str], str]]] = {}
        # Longer texts first, so that a phrase is not taken for the beginning of another.
        for row in sorted(phrases(code), key=lambda row: (-len(row["english"]), row["english"])):
            form = re.compile(PLACE.sub(_place, re.escape(row["english"])), re.DOTALL)
            for of in row["of"].split():
                self.phrases.setdefault(of, []).append((form, row["said"]))

    def title(self, rule_id: str) -> Spoken:
        """What a rule is about."""
        if rule_id in self.rules:
            return Spoken(self.rules[rule_id]["title"], self.code)
        return Spoken(rule_title(rule_id), ENGLISH)

    def remedy(self, rule_id: str, remedy: str | None) -> Spoken:
        """How to fix it; a remedy that is not the catalogue's of today stays as it is."""
        if rule_id in self.rules and remedy == english()[rule_id]["remedy"]:
            return Spoken(self.rules[rule_id]["remedy"], self.code)
        return Spoken(visible(remedy), ENGLISH)

    def allowed(self, rule_id: str, allowed: str | None) -> Spoken:
        """What is allowed; a code is the same in every language."""
        text = visible(allowed)
        if rule_id not in self.rules:
            return Spoken(text, ENGLISH)
        if text == english()[rule_id]["allowed"]:
            return Spoken(self.rules[rule_id]["allowed"], self.code)
        said = self.phrase(ALLOWED_WORDS, text) or (text if " " not in text else None)
        return Spoken(text, ENGLISH) if said is None else Spoken(said, self.code)

    def what(self, finding: Finding) -> Spoken:
        """The message without its place; one that today's catalogue does not make stays as it is."""
        text = what(finding)
        said = self._again(finding, text) if str(finding["rule_id"]) in self.rules else None
        return Spoken(text, ENGLISH) if said is None else Spoken(said, self.code)

    def where(self, finding: Finding) -> Spoken:
        """Sheet, row or cell, and column in words."""
        said = [self.phrase(PLACES, part) for part in place_words(finding)]
        if all(said):
            return Spoken(", ".join(part for part in said if part), self.code)
        return Spoken(where(finding), ENGLISH)

    def phrase(self, of: str, text: str) -> str | None:
        """Words that a check put together, in this language; None where no phrase of that kind has their form.

        of: a rule for what it found, else one of PLACES, ALLOWED_WORDS, FRAME, ANY. A list is said part by part.
        """
        for form, said in self.phrases.get(of, []):
            if hit := form.fullmatch(text):
                held = hit.groupdict()
                return said.format_map(held | {place: self._named(held[place]) for place in NAMED & held.keys()})
        parts = text.split(", ")
        each = [self.phrase(of, part) for part in parts] if len(parts) > 1 else []
        return ", ".join(part for part in each if part) if each and all(each) else None

    def _named(self, text: str) -> str:
        """Names of the dictionary in this language, one by itself or an indicator's with a group's behind it."""
        if text in self.names:
            return self.names[text]
        name, comma, rest = text.rpartition(", ")
        return f"{self.names[name]}{comma}{self._named(rest)}" if name in self.names else text

    def _again(self, finding: Finding, text: str) -> str | None:
        """The message of the catalogue anew with what was found and is allowed; None where it is another message."""
        rule_id, number = str(finding["rule_id"]), finding.get("n_rows") or 0
        rest = REST.format(number=f"{number:,}", title=english()[rule_id]["title"])
        if text == rest:
            return self._framed(REST, number=f"{number:,}", title=self.title(rule_id).text)
        form, found, allowed = english()[rule_id]["message"], _shown(finding, "found"), _shown(finding, "allowed")
        body = form.replace(FOUND, found).replace(ALLOWED, allowed)
        own = self.phrase(rule_id, found) or self.phrase(ANY, found) or self.phrase(FRAME, found)
        if own is None and form.strip(".") == FOUND:
            return None
        said = self.rules[rule_id]["message"].replace(FOUND, own or found)
        said = said.replace(ALLOWED, self.allowed(rule_id, allowed).text)
        counted = self._framed(IN_ALL, number=str(number))
        told = {body: said, f"{body} {IN_ALL.format(number=number)}": f"{said} {counted}"}
        return told.get(text)

    def _framed(self, form: str, **given: str) -> str | None:
        for known, said in self.phrases.get(FRAME, []):
            if known.fullmatch(form.format_map(given)):
                return said.format_map(given)
        return None


@lru_cache(maxsize=8)
def speaker(code: str, names: tuple[tuple[str, str], ...] = ()) -> Speaker:
    """The speaker of a language; one that has no catalogue of findings says them in English."""
    return Speaker(code, dict(names))


@cache
def english() -> dict[str, dict[str, str]]:
    """The catalogue of findings by rule."""
    return {str(row["rule_id"]): row for row in catalogue().rules.to_dicts()}


def phrases(code: str) -> list[dict[str, str]]:
    """What checks put together, in a language; none for one without a file of it."""
    path = WORDS / "phrases" / f"{code}.csv"
    if not path.is_file():
        return []
    with path.open(encoding="utf-8", newline="") as rows:
        return list(csv.DictReader(rows))


def _place(name: re.Match[str]) -> str:
    """A place of a phrase: a number where its name says so, else any text."""
    form = "[-0-9.,]+" if name[1] in NUMBERS else ".+?"
    return f"(?P<{name[1]}>{form})"


def _shown(finding: Finding, name: str) -> str:
    value = finding.get(name)
    return visible(NOTHING if value is None else value)
