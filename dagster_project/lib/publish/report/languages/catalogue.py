"""Saying a text of the report in the language of the page that is being made, from gettext catalogues.

Belongs here: reading a catalogue, the language that is being spoken, texts, plurals, separators and days by locale.
Does not: hold a text, choose which languages are published (published.py), translate names (names.py).
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import date
from functools import cache, cached_property
from gettext import NullTranslations
from pathlib import Path

from babel import Locale
from babel.dates import format_date
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import get_decimal_symbol, get_group_symbol
from babel.support import Translations

ENGLISH = "en"
LOCALES: Mapping[str, str] = {"en": "en_US", "es": "es_US"}
"""The locale of each language: Spanish as it is written in the United States, where numbers have a decimal point."""
OWN_NAMES: Mapping[str, str] = {"en": "English", "es": "Español"}
_FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Language:
    """A language: its code, what its catalogue says, and how its locale writes numbers and days."""

    code: str
    locale: str
    said: NullTranslations

    @property
    def name(self) -> str:
        """What the language calls itself."""
        return OWN_NAMES.get(self.code, self.code)

    @cached_property
    def separators(self) -> dict[int, str]:
        """What stands in place of the comma of thousands and the decimal point; empty where they stay."""
        parsed = Locale.parse(self.locale)
        own = {ord(","): get_group_symbol(parsed), ord("."): get_decimal_symbol(parsed)}
        return {sign: to for sign, to in own.items() if chr(sign) != to}

    def day(self, value: date | str) -> str:
        """A day as the language writes it: in English as it is stored, else in the long form of the locale."""
        if self.code == ENGLISH:
            return str(value)
        try:
            known = value if isinstance(value, date) else date.fromisoformat(str(value))
        except ValueError:  # a mark that stands for the day until the release has one
            return str(value)
        return str(format_date(known, "long", self.locale))


def catalogue(code: str) -> Catalog:
    """The catalogue of a language as its file holds it."""
    with (_FOLDER / f"{code}.po").open("rb") as lines:
        return read_po(lines, locale=LOCALES[code], abort_invalid=True)


@cache
def language(code: str) -> Language:
    """A language by its code; KeyError for one that has no catalogue. English is what the texts are written in."""
    if code == ENGLISH:
        return Language(ENGLISH, LOCALES[ENGLISH], NullTranslations())
    compiled = io.BytesIO()
    write_mo(compiled, catalogue(code))
    compiled.seek(0)
    return Language(code, LOCALES[code], Translations(compiled))


_ENGLISH = language(ENGLISH)
_SPOKEN: ContextVar[Language] = ContextVar("spoken")


def spoken() -> Language:
    """The language that is being spoken: English where nothing else is said."""
    return _SPOKEN.get(_ENGLISH)


@contextmanager
def speaking(chosen: Language) -> Iterator[None]:
    """Say every text in a language as long as this lasts."""
    before = _SPOKEN.set(chosen)
    try:
        yield
    finally:
        _SPOKEN.reset(before)


def text(message: str) -> str:
    """A text in the language spoken, with its places still open; for templates, which fill them themselves."""
    return _SPOKEN.get(_ENGLISH).said.gettext(message)


def texts(one: str, many: str, n: int) -> str:
    """One of two texts by a number, as the language forms its plural, with its places still open."""
    return _SPOKEN.get(_ENGLISH).said.ngettext(one, many, n)


def _(message: str, /, **given: object) -> str:
    """A text in the language spoken, with `%(name)s` filled in."""
    return _SPOKEN.get(_ENGLISH).said.gettext(message) % given


def ngettext(one: str, many: str, n: int, /, **given: object) -> str:
    """A text by a number, as the language forms its plural, with its places filled in."""
    return _SPOKEN.get(_ENGLISH).said.ngettext(one, many, n) % given


def N_(message: str) -> str:  # noqa: N802 - the name by which gettext's tools know it
    """The text itself: marked for the catalogue here, said where it is used."""
    return message
