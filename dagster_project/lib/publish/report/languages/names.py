"""Names of the dictionary in the language of a page: those of dictionary/translations.csv, else the English ones.

Belongs here: outcomes, indicators, groups, statuses and criteria with their names replaced; marking what stays English.
Does not: texts of the report's own (catalogue.py), what a member wrote, or reading the seed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from markupsafe import Markup

from dagster_project.lib.publish.report.arranging import Row
from dagster_project.lib.publish.report.languages.catalogue import ENGLISH, Language
from dagster_project.lib.publish.report.marts import Marts, ReportContext

_OUTCOME = ("name",)
_INDICATOR = ("name", "question", "numerator_text", "denominator_text")
_GROUP = ("label", "dimension_label")
_STATEMENT = ("statement",)
_STATUS = ("label", "meaning")


class English(str):
    """A name that the language of the page has no word for: it is printed as it is, marked as English."""

    __slots__ = ()


class Names:
    """The dictionary's names in one language; of English there is nothing to replace."""

    def __init__(self, language: Language, said: Mapping[str, str]) -> None:
        self._is_english = language.code == ENGLISH
        self._said = said

    def name(self, text: str) -> str:
        """A name in the language, or the English one as such."""
        return text if self._is_english or not text else self._said.get(text) or English(text)

    def rows(self, rows: Iterable[Row], columns: tuple[str, ...]) -> list[Row]:
        """Rows with the names in some of their columns replaced; a column that a row is without stays away."""
        found = list(rows)
        if self._is_english:
            return found
        return [{**row, **{c: self.name(row[c]) for c in columns if row.get(c)}} for row in found]

    def marts(self, marts: Marts) -> Marts:
        """The marts with every name of the dictionary replaced."""
        if self._is_english:
            return marts
        return replace(
            marts,
            outcomes=self.rows(marts.outcomes, _OUTCOME),
            indicators=dict(zip(marts.indicators, self.rows(marts.indicators.values(), _INDICATOR), strict=True)),
            groups=dict(zip(marts.groups, self.rows(marts.groups.values(), _GROUP), strict=True)),
            criteria=dict(zip(marts.criteria, self.rows(marts.criteria.values(), _STATEMENT), strict=True)),
            requirements={c: self.rows(rows, _STATEMENT) for c, rows in marts.requirements.items()},
        )

    def statuses(self, rows: Iterable[Row]) -> list[Row]:
        """Rows of dim_status with label and meaning replaced."""
        return self.rows(rows, _STATUS)

    def context(self, context: ReportContext) -> ReportContext:
        """What the pages say of themselves, with the notes of the ruleset's parameters replaced."""
        parameters = [replace(p, unit=self.name(p.unit), note=self.name(p.note)) for p in context.parameters]
        return context if self._is_english else replace(context, parameters=parameters)

    def marked(self, text: str) -> str:
        """A name for a page: what stayed English says so, for a screen reader and a hyphenator."""
        return Markup('<span lang="en">{}</span>').format(str(text)) if isinstance(text, English) else text

    def term(self, text: str) -> str:
        """A word that stands in no row of the dictionary, in the language or marked as English."""
        return self.marked(self.name(text))
