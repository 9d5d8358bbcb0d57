"""Which languages the pages are published in, and the dictionary's names in them, as the network's seeds say.

Belongs here: reading the line `languages` of network/publication.csv and the seed dictionary/translations.csv.
Does not: replace names on a page (names.py), or say a text (catalogue.py).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from dagster_project.lib.base.reference import Reference, SeedError
from dagster_project.lib.publish.report.languages.catalogue import ENGLISH, LOCALES

_PUBLICATION, _TRANSLATIONS = "network/publication", "dictionary/translations"
Said = dict[str, dict[str, str]]
"""For each language what it says for an English name."""


def published_languages(reference: Reference) -> tuple[str, ...]:
    """The languages of the pages, English first; English alone where the seeds name none, SeedError for an unknown."""
    if not _is_there(reference, _PUBLICATION):
        return (ENGLISH,)
    lines: Mapping[str, str] = dict(reference.table(_PUBLICATION).select("name", "value").drop_nulls().iter_rows())
    named = [code.strip() for code in lines.get("languages", "").split(",") if code.strip()]
    unknown = sorted(set(named) - set(LOCALES))
    if unknown:
        raise SeedError(
            f"network/publication.csv: languages names {', '.join(unknown)}; there are catalogues of "
            f"{', '.join(sorted(LOCALES))}: write their codes with commas between them"
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
