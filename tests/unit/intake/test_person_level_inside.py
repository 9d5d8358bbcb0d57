"""A list of persons is refused before storage whatever its file is called and whether or not it can be read.

Belongs here: files that no reader opens, through the intake itself, and the limits within which packages are opened.
Does not: which words are a sign (contracts/person_level_words.csv), rates (test_person_level_corpus.py).
"""

from __future__ import annotations

import io
import zipfile

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dagster_project.lib.base.store import Given
from dagster_project.lib.intake.batch import Intake
from dagster_project.lib.intake.bucket.drop import DroppedFile, Folder
from dagster_project.lib.intake.reading.files import WorkbookReader
from dagster_project.lib.intake.reading.person_level import look_into
from dagster_project.lib.intake.reading.person_level.markup import MOST_LINES
from dagster_project.lib.intake.reading.person_level.parts import MOST_OF_PART, parts_of
from dagster_project.lib.intake.take_in import take_in
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


def zipped(**entries: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as package:
        for name, data in entries.items():
            package.writestr(name, data)
    return buffer.getvalue()


def test_of_a_part_that_unpacks_to_very_much_only_a_bounded_share_is_read() -> None:
    head = b"<a>" + b" " * (2 * MOST_OF_PART)
    bomb = zipped(
        **{"[Content_Types].xml": b"<T/>", "xl/comments1.xml": head + b"<comment>SSN 123-45-6789</comment></a>"}
    )
    assert look_into(io.BytesIO(bomb)) is None, "what stands beyond the limit was read"
    lines = zipped(**{"a.csv": b"a,b\n" * 10_000_000})
    (part,) = parts_of(io.BytesIO(lines))
    assert max(map(len, part.grids)) <= MOST_LINES


def test_a_declared_entity_is_not_expanded() -> None:
    laughs = b'<!DOCTYPE a [<!ENTITY b "Student ID, Ana Inventado">]><comments><comment>&b;</comment></comments>'
    book = zipped(**{"[Content_Types].xml": b"<T/>", "xl/comments1.xml": laughs})
    assert not [part for part in parts_of(io.BytesIO(book)) if part.notes or part.texts]


@given(
    st.binary(max_size=400),
    st.sampled_from([b"", b"PK\x03\x04", b"\x1f\x8b", b"<table>", b"{", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"]),
)
def test_no_bytes_make_the_look_inside_fail(data: bytes, start: bytes) -> None:
    look_into(io.BytesIO(start + data))
    look_into(io.BytesIO(zipped(**{"[Content_Types].xml": b"<T/>", "xl/comments1.xml": data, "a.csv": start + data})))


def test_archives_in_archives_are_opened_to_a_depth() -> None:
    data = PERSONS.encode()
    for _ in range(3):
        data = zipped(**{"inner.zip": data})
    assert look_into(io.BytesIO(data))
