"""Which languages the pages are published in, and the dictionary's names in them, as the network's seeds say.

Belongs here: reading the lines of languages in network/publication.csv and the seed dictionary/translations.csv.
Does not: replace names on a page (names.py), or say a text (catalogue.py).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping

from dagster_project.lib.base.reference import Reference, SeedError
from dagster_project.lib.publish.report.languages.catalogue import ENGLISH, LOCALES

_PUBLICATION, _TRANSLATIONS = "network/publication", "dictionary/translations"
_LANGUAGES, _DETAILS = "languages", "internal_details"
Said = dict[str, dict[str, str]]
"""For each language what it says for an English name."""


def published_languages(reference: Reference) -> tuple[str, ...]:
    """The languages of the pages, English first; English alone where the seeds name none, SeedError for an unknown."""
    return _named(reference, _LANGUAGES, LOCALES, "there are catalogues of")


def internal_details(reference: Reference) -> tuple[str, ...]:
    """Those of them that an internal edition has further pages of communities in; English alone where none is named."""
    return _named(reference, _DETAILS, published_languages(reference), f"its line {_LANGUAGES} has")


def _named(reference: Reference, line: str, known: Collection[str], which: str) -> tuple[str, ...]:
    if not _is_there(reference, _PUBLICATION):
        return (ENGLISH,)
    lines: Mapping[str, str] = dict(reference.table(_PUBLICATION).select("name", "value").drop_nulls().iter_rows())
    named = [code.strip() for code in lines.get(line, "").split(",") if code.strip()]
    unknown = sorted(set(named) - set(known))
    if unknown:
        raise SeedError(
            f"network/publication.csv: {line} names {', '.join(unknown)}; {which} {', '.join(sorted(known))}: "
            "write their codes with commas between them"
        )
    return (ENGLISH, *dict.fromkeys(code for code in named if code != ENGLISH))


def dictionary_names(reference: Reference) -> Said:
    """The names of dictionary/translations.csv by language; none where a network's seeds have no such file."""
    said: Said = defaultdict(dict)
    if _is_there(reference, _TRANSLATIONS):
        for language, english, name in reference.table(_TRANSLATIONS).drop_nulls().iter_rows():
            said[language][english] = name
    return dict(said)


def _is_there(reference: Reference, path: str) -> bool:
    return (reference.folder / f"{path}.csv").is_file()
