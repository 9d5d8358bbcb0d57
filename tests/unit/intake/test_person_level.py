"""Data on single persons are refused at the door, and nothing else is.

Belongs here: the signs of lib/intake/reading/person_level one by one, and what intake keeps of a refused file.
Does not: rates over many forms (test_person_level_corpus.py), other reasons to refuse a file (test_reading_*.py).
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import contracts
from dagster_project.lib.base.store import Given
from dagster_project.lib.intake.batch import Intake
from dagster_project.lib.intake.bucket.drop import DroppedFile, Folder
from dagster_project.lib.intake.layouts.matching import load_layouts
from dagster_project.lib.intake.reading import person_level
from dagster_project.lib.intake.reading.files import WorkbookReader
from dagster_project.lib.intake.reading.person_level import look_at_rows
from dagster_project.lib.intake.reading.person_level.catalogue import reasons
from dagster_project.lib.intake.take_in import take_in

PERSONS = "student_id,first_name,last_name,score\n100001,Ada,Invented,231\n100002,Ben,Invented,228\n"
VALUES = "school_year,indicator,dimension,group,value\n2023-24,graduation_4yr_pct,all,all,88\n"


@pytest.mark.parametrize(
    "header",
    [
        ["Student ID", "Score"],
        ["school", "SASID", "score"],
        ["Grade", "Date of Birth"],
        ["grade", "DOB"],
        ["SSN", "grade"],
        ["Student Name", "grade"],
        ["First Name", "Last Name", "grade"],
        ["given_name", "surname"],
        ["Home Address", "Guardian Phone"],
        ["participant_no", "site"],
    ],
)
def test_a_header_of_persons_is_recognised_wherever_it_stands(header: list[str]) -> None:
    assert look_at_rows([header, ["S-20331", "S-20332", "3"]])
    assert look_at_rows([["Report of the year"], [], header, ["S-20331", "S-20332", "3"]])


@pytest.mark.parametrize(
    "header",
    [
        ["School Name", "District Name", "Number of Students"],
        ["first name", "grade"],
        ["Organization", "Mailing Address"],
        ["Student Group", "Rate"],
        ["Students tested", "Name"],
        ["id", "year"],
    ],
)
def test_words_that_groups_have_as_well_are_no_sign(header: list[str]) -> None:
    assert look_at_rows([header]) is None


def test_three_social_security_numbers_anywhere_are_enough() -> None:
    rows = [["a", "b"], *[["x", f"123-45-678{n}"] for n in range(3)]]
    assert look_at_rows(rows)
    assert look_at_rows(rows[:3]) is None


def test_a_sign_quotes_no_cell() -> None:
    hit = look_at_rows([["Student Name", "grade"], ["Ada Invented", "3"]])
    assert hit is not None and "Ada" not in f"{hit} {hit.reason}"


def test_every_sign_has_its_reason_and_every_reason_its_sign() -> None:
    source = "".join(path.read_text(encoding="utf-8") for path in Path(person_level.__file__).parent.glob("*.py"))
    assert not [sign for sign in reasons() if f'"{sign}"' not in source]


COUNTS = st.lists(st.integers(0, 99_999), min_size=2, max_size=30)


@given(COUNTS, st.sampled_from(["Students Tested", "Number of Students", "N", "Enrolled"]))
def test_no_counts_of_groups_are_taken_for_persons(counts: list[int], header: str) -> None:
    rows = [["School", header], *[[f"School {i}", str(count)] for i, count in enumerate(counts)]]
    assert look_at_rows(rows) is None


@given(st.lists(st.lists(st.text(max_size=12), max_size=6), max_size=12))
def test_no_text_of_cells_makes_the_door_fail(rows: list[list[str]]) -> None:
    look_at_rows(rows)


@given(st.integers(0, 60), st.integers(0, 4))
def test_a_header_of_ids_is_seen_wherever_the_table_begins(above: int, left: int) -> None:
    pad = [""] * left
    rows = [*[[*pad, "Report"]] * above, [*pad, "Student ID", "Score"], [*pad, "100231", "44"], [*pad, "100232", "41"]]
    hit = look_at_rows(rows)
    assert hit is not None and (hit.row, hit.column) == (above + 1, "ABCDE"[left])


def test_no_table_of_the_contracts_and_no_declared_layout_looks_like_persons() -> None:
    for contract in contracts.tables(contracts.newest_version()).values():
        assert look_at_rows([list(contract.names)]) is None, contract.table
    for layout in load_layouts(contracts.LAYOUTS):
        assert look_at_rows([list(layout.words(layout.columns))]) is None, layout.layout_id


def test_of_a_refused_file_a_hash_and_the_reason_are_kept_and_its_neighbour_is_taken(intake: Intake) -> None:
    contents = {"roster.csv": PERSONS.encode(), "values.csv": VALUES.encode()}
    files = tuple(DroppedFile(name, name, len(data), "") for name, data in sorted(contents.items()))
    kept: dict[str, bytes] = {}
    with WorkbookReader(intake.limits) as workbooks:
        folder = Folder("birchmont_falls", 2024, files)
        (taken,) = take_in(intake, [folder], Given(contents.__getitem__), kept.__setitem__, workbooks)
    assert list(kept.values()) == [contents["values.csv"]]
    listed = taken.tables["files"].select("name", "kind", "sha256", "rows_accepted").rows()
    assert listed == [
        ("roster.csv", "refused", hashlib.sha256(contents["roster.csv"]).hexdigest(), 0),
        ("values.csv", "table", hashlib.sha256(contents["values.csv"]).hexdigest(), 1),
    ]
    finding = taken.tables["findings"].row(0, named=True)
    assert (finding["rule_id"], finding["severity"]) == ("person_level", "fatal")
    assert "Ada" not in str(finding)
