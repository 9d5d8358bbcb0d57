"""Data on single persons are refused at the door, and nothing else is.

Belongs here: the signs of lib/intake/reading/person_level.py, and what intake keeps of a refused file.
Does not: other reasons to refuse a file (test_reading_text.py, test_reading_workbooks.py).
"""

from __future__ import annotations

import hashlib

import pytest

import contracts
from dagster_project.lib.base.store import Given
from dagster_project.lib.intake.bucket.drop import DroppedFile, Folder
from dagster_project.lib.intake.layouts.matching import load_layouts
from dagster_project.lib.intake.reading.files import WorkbookReader
from dagster_project.lib.intake.reading.person_level import person_level_reason
from dagster_project.lib.intake.take_in import Intake, take_in

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
    assert person_level_reason([header, ["x"] * len(header)])
    assert person_level_reason([["Report of the year"], [], header])


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
    assert person_level_reason([header]) is None


def test_three_social_security_numbers_anywhere_are_enough() -> None:
    rows = [["a", "b"], *[["x", f"123-45-678{n}"] for n in range(3)]]
    assert person_level_reason(rows)
    assert person_level_reason(rows[:3]) is None


def test_the_reason_never_quotes_a_cell() -> None:
    rows = [["Student Name", "grade"], ["Ada Invented", "3"]]
    assert "Ada" not in (person_level_reason(rows) or "")


def test_no_table_of_the_contracts_and_no_declared_layout_looks_like_persons() -> None:
    for contract in contracts.tables(contracts.newest_version()).values():
        assert person_level_reason([list(contract.names)]) is None, contract.table
    for layout in load_layouts(contracts.LAYOUTS):
        assert person_level_reason([list(layout.words(layout.columns))]) is None, layout.layout_id


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
