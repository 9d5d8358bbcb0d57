"""A page of another language with its sentences said in English again, by the patterns of its catalogue.

Belongs here: finding which pattern of the catalogue a sentence was made from, and filling the English one.
Does not: judge a sentence: it is then read by the reader of English ones (sentences.py, traced.py).
"""

from __future__ import annotations

import html
import re
from functools import cache

from dagster_project.lib.publish.report.languages.catalogue import catalogue

_PLACE = re.compile(r"%\((\w+)\)s|\{([a-z_.]+)\}")
_CLAIM = re.compile(r'(<(\w+)\b[^>]*(?:data-says="\w+"|class="sure")[^>]*>)([^<]*)(</\2>)')
_LEAST = 4
"""Letters that a pattern needs of its own: `%(n)s %(state)s` would be found in anything."""


class English:
    """What the texts of a language were in English."""

    def __init__(self, code: str) -> None:
        self.whole: dict[str, str] = {}
        self.patterns: list[tuple[re.Pattern[str], str]] = []
        for message in catalogue(code):
            ids = message.id if isinstance(message.id, list | tuple) else (message.id,)
            strings = message.string if isinstance(message.string, list | tuple) else (message.string,)
            for said, english in zip(strings, ids, strict=True):
                if english:
                    self._add(said, english)
        self.patterns.sort(key=lambda each: -len(each[0].pattern))

    def _add(self, said: str, english: str) -> None:
        for one, other in ((said, english), (f"{said[:1].upper()}{said[1:]}.", f"{english[:1].upper()}{english[1:]}.")):
            if not _PLACE.search(one):
                self.whole.setdefault(one, other.replace("%%", "%"))
                self.whole.setdefault(one.lower(), other.lower())
        if len(re.sub(r"[\W\d_]", "", _PLACE.sub("", said))) >= _LEAST and _PLACE.search(said):
            self.patterns.append((_pattern(said), _PLACE.sub(lambda found: f"%({_name(found)})s", english)))
            if not said.endswith("."):
                capital = f"{said[:1].upper()}{said[1:]}."
                told = _PLACE.sub(lambda found: f"%({_name(found)})s", f"{english[:1].upper()}{english[1:]}.")
                self.patterns.append((_pattern(capital), told))

    def of(self, text: str) -> str:
        """A text in English: a known one, one of a pattern, several sentences, or what has no pattern as it is."""
        if text in self.whole:
            return self.whole[text]
        for pattern, english in self.patterns:
            found = pattern.fullmatch(text)
            if found:
                return english % {name: self.of(value) for name, value in found.groupdict().items()}
        for end in re.finditer(r"\.(?= )", text):
            first = self.of(text[: end.end()])
            if first != text[: end.end()]:
                return f"{first} {self.of(text[end.end() + 1 :])}"
        return text

    def page(self, page: str) -> str:
        """A page whose claims are English again: sentences, fitted gaps, how certain a status is."""
        return _CLAIM.sub(lambda m: f"{m[1]}{html.escape(self.of(html.unescape(m[3])), quote=False)}{m[4]}", page)


def _name(found: re.Match[str]) -> str:
    return (found[1] or found[2]).replace(".", "_")


def _pattern(said: str) -> re.Pattern[str]:
    parts, names, at = [], set[str](), 0
    for found in _PLACE.finditer(said):
        name = _name(found)
        parts += [re.escape(said[at : found.start()]), f"(?P={name})" if name in names else f"(?P<{name}>.+?)"]
        names.add(name)
        at = found.end()
    return re.compile("".join([*parts, re.escape(said[at:])]).replace("%%", "%"), re.DOTALL)


@cache
def english(code: str) -> English:
    """The English of a language's texts."""
    return English(code)
