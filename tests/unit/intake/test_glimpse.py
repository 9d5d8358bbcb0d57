"""A list of persons is refused before storage whatever its file is called and whether or not it can be read.

Belongs here: files that no reader opens, through the intake itself.
Does not: which words are a sign (contracts/person_level.csv), files that are read.
"""

from __future__ import annotations

import io
import zipfile

import openpyxl
import pytest

from dagster_project.lib.base.store import Given
from dagster_project.lib.intake.bucket.drop import DroppedFile, Folder
from dagster_project.lib.intake.reading.files import WorkbookReader
from dagster_project.lib.intake.reading.glimpse import glimpse
from dagster_project.lib.intake.take_in import Intake, take_in
from tests.unit.intake.comparing import COMMUNITY, REFERENCE

PERSONS = (
    "student_id,first_name,last_name,date_of_birth\n90001,Testy,McInvented,2011-01-01\n90002,Sample,Nobody,2011-02-02\n"
)
INTAKE = Intake(REFERENCE)


def roster() -> bytes:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for line in PERSONS.splitlines():
        sheet.append(line.split(","))
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def document() -> bytes:
    words = "".join(f"<w:t>{cell}</w:t>" for line in PERSONS.splitlines() for cell in line.split(","))
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as package:
        package.writestr("word/document.xml", f"<w:document>{words}</w:document>")
    return buffer.getvalue()


def taken(name: str, data: bytes) -> tuple[str, list[str], list[str]]:
    """kind, rules told, keys of bytes kept."""
    kept: list[str] = []
    folder = Folder(COMMUNITY, 2024, (DroppedFile(name, name, len(data), "tag"),))
    with WorkbookReader() as reader:
        (item,) = take_in(INTAKE, [folder], Given(lambda _: data), lambda key, _: kept.append(key), reader)
    return item.tables["files"]["kind"][0], item.tables["findings"]["rule_id"].to_list(), kept


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("students.docx", PERSONS.encode()),
        ("students.json", PERSONS.replace(",", "\t").encode()),
        ("students", PERSONS.encode("utf-16")),
        ("students.csv", PERSONS.encode() + b'90003,"never closed\n'),
        ("students.csv", b"\x89" + PERSONS.encode() + b"\0\1"),
        ("students.xlsm", roster()),
        ("students.xlsb", roster()),
        ("students.bak", roster()),
        ("minutes.docx", document()),
    ],
)
def test_a_list_of_persons_that_no_reader_opens_is_refused_and_not_kept(name: str, data: bytes) -> None:
    assert taken(name, data) == ("refused", ["person_level"], [])


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("notes.docx", b"Minutes of the meeting: the school year, the groups, and first names on badges."),
        ("photo.png", bytes(range(256)) * 40),
        ("values.csv", b'school_year,indicator\n2022,"never closed\n'),
        ("archive.zip", b"PK\x03\x04 not a package"),
    ],
)
def test_other_files_that_no_reader_opens_are_kept(name: str, data: bytes) -> None:
    kind, rules, kept = taken(name, data)
    assert kind != "refused"
    assert "person_level" not in rules
    assert len(kept) == 1


def test_a_glimpse_is_bounded() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr("xl/sharedStrings.xml", b"<t>a</t>" * 4_000_000)
    assert sum(map(len, glimpse(buffer.getvalue()))) < 200_000
    assert len(glimpse(b"a,b\n" * 1_000_000)) <= 2_000
