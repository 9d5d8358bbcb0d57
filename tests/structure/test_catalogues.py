"""The catalogues of the report hold every text it says, translated, with the same places and marks as in English.

Belongs here: comparing the .po files, dictionary/translations.csv and contracts/languages with what they translate.
Does not: read a page (tests/unit/publish/test_report_languages.py), or judge a translation.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message

from dagster_project.lib.intake.findings import catalogue as findings_catalogue
from dagster_project.lib.intake.findings import catalogue_in
from dagster_project.lib.publish.report.languages import extraction
from dagster_project.lib.publish.report.languages.catalogue import ENGLISH, LOCALES, catalogue

ROOT = Path(__file__).parents[2]
OTHERS = sorted(set(LOCALES) - {ENGLISH})
_KEPT = re.compile(r"%\(\w+\)s|%%|\{[a-z_.]+\}|<[^>]+>")
GLOSSARY = {
    *("trend_status", "gap_status", "gap_verdict", "target_status", "submission_status", "designation_status"),
    *("designation_standing", "value_status", "trend_reason"),
}


def forms(stated: object) -> tuple[str, ...]:
    return tuple(stated) if isinstance(stated, list | tuple) else (str(stated),)


def said(catalog: Catalog) -> list[Message]:
    return [message for message in catalog if message.id]


@pytest.mark.parametrize("code", OTHERS)
def test_a_catalogue_is_what_the_texts_of_the_report_make_it(code: str) -> None:
    path = Path(extraction.__file__).parent / f"{code}.po"
    assert path.read_bytes() == extraction.brought_up_to_date(code), (
        "run `python -m dagster_project.lib.publish.report.languages.extraction` and translate what is new"
    )


@pytest.mark.parametrize("code", OTHERS)
def test_every_text_is_translated_and_none_is_only_guessed(code: str) -> None:
    for message in said(catalogue(code)):
        assert all(forms(message.string)) and not message.fuzzy, message.id
        assert len(forms(message.string)) == (catalogue(code).num_plurals if message.pluralizable else 1), message.id


@pytest.mark.parametrize("code", OTHERS)
def test_a_translation_keeps_the_places_and_the_marks_of_its_text(code: str) -> None:
    for message in said(catalogue(code)):
        known = [Counter(_KEPT.findall(text)) for text in forms(message.id)]
        for text in forms(message.string):
            # What stands twice in a text may stand once in another language; nothing is lost and nothing new.
            assert any(set(Counter(_KEPT.findall(text))) == set(own) for own in known), (message.id, text)


@pytest.mark.parametrize("code", OTHERS)
def test_every_rule_of_the_checks_has_a_name_in_the_language(code: str) -> None:
    said = {rule: row["title"] for rule, row in catalogue_in(code).items()}
    assert said.keys() == findings_catalogue().titles.keys() and all(said.values())


@pytest.mark.parametrize("code", OTHERS)
def test_every_name_that_public_pages_print_has_its_translation(code: str) -> None:
    def rows(path: str) -> list[dict[str, str]]:
        with (ROOT / "seeds" / f"{path}.csv").open(encoding="utf-8", newline="") as lines:
            return list(csv.DictReader(lines))

    known = {row["english"] for row in rows("dictionary/translations") if row["language"] == code}
    wanted = {
        "dictionary/outcomes": ("name",),
        "dictionary/indicators": ("name", "question", "numerator_text", "denominator_text"),
        "dictionary/groups": ("label",),
        "dictionary/dimensions": ("label",),
        "rubric/designation_requirements": ("statement",),
        "rubric/rubric": ("statement",),
        **dict.fromkeys(
            ("rulesets/ruleset_parameters", "rulesets/gateway_parameters", "rulesets/comparison_parameters"),
            ("unit", "note"),
        ),
    }
    needed = {row[column] for path, columns in wanted.items() for row in rows(path) for column in columns}
    for row in rows("dictionary/statuses"):
        if row["domain"] in GLOSSARY:
            needed |= {row["label"], row["meaning"]}
    assert needed - {""} - known == set()
