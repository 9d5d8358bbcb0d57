"""What the checks say of rows is said in every language of the page, and what a member wrote stays as it was.

Belongs here: the translated catalogues against the catalogue, messages anew, places of a file.
Does not: messages of every rule's example (unit/intake/test_catalogue_examples.py), texts of pages (test_language.py).
"""

from __future__ import annotations

import csv
import re

import pytest

import contracts
from dagster_project.lib.intake.findings import catalogue_in
from dagster_project.lib.member.page.language import languages
from dagster_project.lib.member.page.spoken import ALLOWED_WORDS, Speaker, english, phrases, speaker

OTHERS = [code for code in languages() if code != "en"]
PLACES = re.compile(r"\{(\w+)\}")
TEXTS = ("title", "message", "allowed", "remedy")


def finding(rule_id: str, message: str, **more: object) -> dict[str, object]:
    return {"rule_id": rule_id, "message": message, "source_file": "a.csv", "source_row": 2, "n_rows": 1, **more}


@pytest.mark.parametrize("code", OTHERS)
def test_every_rule_of_the_catalogue_is_said_once_with_the_same_places(code: str) -> None:
    with (contracts.LANGUAGES / f"{code}.csv").open(encoding="utf-8", newline="") as rows:
        assert [row["rule_id"] for row in csv.DictReader(rows)] == list(english())
    for row in catalogue_in(code).values():
        own = english()[row["rule_id"]]
        for text in TEXTS:
            assert sorted(PLACES.findall(own[text])) == sorted(PLACES.findall(row[text])), (row["rule_id"], text)
            assert bool(own[text]) == bool(row[text]), (row["rule_id"], text)


@pytest.mark.parametrize("code", OTHERS)
def test_every_phrase_keeps_its_places_and_belongs_to_a_rule_or_a_kind(code: str) -> None:
    kinds = {*english(), "place", "allowed", "frame", "any"}
    for row in phrases(code):
        assert set(row["of"].split()) <= kinds, row
        assert sorted(PLACES.findall(row["english"])) == sorted(PLACES.findall(row["said"])), row


def test_a_message_is_said_anew_with_what_was_found() -> None:
    told = finding(
        "year_over_year_change", "File a.csv, row 2, column value: 75.3 in 2018 after 85.0 in 2017",
        source_column="value", found="75.3 in 2018 after 85.0 in 2017",
    )  # fmt: skip
    assert (speaker("es").what(told).text, speaker("es").what(told).lang) == (
        "75.3 en 2018 después de 85.0 en 2017",
        "es",
    )
    assert speaker("es").where(told).text == "fila 2, columna value"
    assert speaker("en").what(told).text == "75.3 in 2018 after 85.0 in 2017"


def test_rows_counted_together_and_the_rest_of_a_fault_are_said() -> None:
    many = finding("bad_year", "File a.csv, row 2: 20x8 is not a year. (3 rows in all)", found="20x8", n_rows=3)
    assert speaker("es").what(many).text == "20x8 no es un año. (3 filas en total)"
    rest = "1,200 more rows have the same fault (Not a year); they are counted here and not listed one by one."
    told = finding("bad_year", f"File a.csv, row 2: {rest}", found="1200 more rows of this kind", n_rows=1200)
    assert speaker("es").what(told).text.startswith("Otras 1,200 filas tienen el mismo defecto (No es un año)")


@pytest.mark.parametrize(
    "label", ["Row 5", "row 5", "75.3 in 2018 after 85.0 in 2017", "School in May for girls", "{x}"]
)
def test_what_a_member_wrote_stays_as_it_was(label: str) -> None:
    message = f"File a.csv, row 2: {label} is not in the dictionary; its rows wait. Nearest known: nothing."
    told = speaker("es").what(finding("unmapped_group", message, found=label))
    assert told.text == f"{label} no está en el diccionario; sus filas esperan. Los más parecidos: nada."


def test_a_message_of_another_time_stays_in_english_and_says_so() -> None:
    told = speaker("es").what(finding("bad_year", "File a.csv, row 2: 20x8 was never a year.", found="20x8"))
    assert (told.text, told.lang) == ("20x8 was never a year.", "en")
    assert speaker("es").remedy("bad_year", "Do as we said.").lang == "en"
    assert speaker("es").title("no_such_rule").lang == "en"


def test_what_a_cell_may_hold_is_said() -> None:
    assert speaker("es").phrase(ALLOWED_WORDS, "one of: core, contributing") == "una de: core, contributing"
    assert speaker("es").allowed("bad_cell", "a number, a mask such as * or <5, or nothing").lang == "es"
    assert speaker("es").allowed("column_unclear", "group").lang == "es"


def test_names_of_the_dictionary_are_said_in_the_language_of_the_page() -> None:
    names = {"Third graders who read": "Quien lee en tercero", "Girls": "Niñas"}
    own = Speaker("es", names)
    said = "un cambio de como máximo 5 puntos porcentuales en "
    for named, expected in (
        ("Third graders who read", "Quien lee en tercero"),
        ("Third graders who read, Girls", "Quien lee en tercero, Niñas"),
        ("Third graders who read, klingon", "Quien lee en tercero, klingon"),
        ("Another, Girls", "Another, Girls"),
    ):
        text = f"a change of at most 5 percentage points for {named}"
        assert own.allowed("year_over_year_change", text).text == f"{said}{expected}"


def test_what_a_member_wrote_is_no_name_of_the_dictionary() -> None:
    own = Speaker("es", {"Girls": "Niñas"})
    told = finding(
        "bad_year", "File a.csv, sheet Girls, row 2, column Girls: 20x8 is not a year.",
        found="20x8", source_sheet="Girls", source_column="Girls",
    )  # fmt: skip
    assert own.where(told).text == "hoja Girls, fila 2, columna Girls"
