"""Files inside .zip and .gz are taken as if unpacked, within limits; what is not opened is an error that says why.

Belongs here: lib/intake/archive.py, and archives through intake, ledger, marked copies and reconciliation.
Does not: reading the files inside (test_reading_text.py, test_reading_workbooks.py).
"""

from __future__ import annotations

import datetime as dt
import gzip
import io
import zipfile
from pathlib import Path

import polars as pl
import pytest

from dagster_project.lib.base.reference import Reference
from dagster_project.lib.base.store import Given, Store
from dagster_project.lib.intake.batch import Intake, Taken
from dagster_project.lib.intake.bucket.drop import DroppedFile, Folder, submission_id
from dagster_project.lib.intake.bucket.plan import Selection
from dagster_project.lib.intake.bucket.reconcile import reconcile
from dagster_project.lib.intake.reading.archive import Contained, is_system_file, member, unpacked
from dagster_project.lib.intake.reading.files import WorkbookReader, largest_bytes
from dagster_project.lib.intake.reading.limits import Limits
from dagster_project.lib.intake.session import Places, run_intake
from dagster_project.lib.intake.take_in import take_in
from dagster_project.lib.receipts.marked_files import returned_names
from dagster_project.lib.receipts.receipts import Receipt
from dagster_project.lib.receipts.returned import return_files

HEADER = b"school_year,indicator,dimension,group,numerator,denominator\n"
TABLE = HEADER + b"2023-24,grade3_reading_proficient_pct,all,all,40,100\n"
PERSONS = b"student_id,first_name,last_name,date_of_birth\n1,Ann,Lee,2010-01-01\n2,Bo,Ray,2010-02-02\n"


def zipped(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def inside(data: bytes, name: str = "a.zip", limits: Limits | None = None) -> list[Contained]:
    return list(unpacked(name, data, limits or Limits(), largest_bytes))


def why(held: Contained) -> str:
    assert held.problem is not None
    assert held.problem.rule_id == "archive_refused"
    return str(held.problem.found)


def test_files_inside_are_named_behind_their_archive_in_the_order_of_their_names() -> None:
    data = zipped({"b.csv": b"2", "folder\\c.csv": b"3", "a.csv": b"1", "__MACOSX/._a.csv": b"x", ".DS_Store": b"x"})
    assert [(held.name, held.data) for held in inside(data)] == [
        ("a.zip/a.csv", b"1"),
        ("a.zip/b.csv", b"2"),
        ("a.zip/folder/c.csv", b"3"),
    ]


def test_a_file_packed_alone_has_the_name_without_the_ending() -> None:
    (held,) = inside(gzip.compress(TABLE), "values.csv.gz")
    assert (held.name, held.data) == ("values.csv.gz/values.csv", TABLE)


@pytest.mark.parametrize("name", ["inner.zip", "inner.gz", "inner.tar", "inner.7z"])
def test_an_archive_inside_an_archive_is_not_opened_and_its_neighbours_are(name: str) -> None:
    held = {one.name: one for one in inside(zipped({name: zipped({"b.csv": TABLE}), "c.csv": TABLE}))}
    assert "archive inside an archive" in why(held[f"a.zip/{name}"])
    assert held["a.zip/c.csv"].data == TABLE


def test_a_packed_tape_archive_is_an_archive_inside_an_archive() -> None:
    (held,) = inside(gzip.compress(TABLE), "values.tar.gz")
    assert "archive inside an archive" in why(held)


def test_a_locked_file_is_told() -> None:
    data = bytearray(zipped({"b.csv": TABLE}))
    data[data.rindex(b"PK\x01\x02") + 8] |= 1
    (held,) = inside(bytes(data))
    assert "password" in why(held)


@pytest.mark.parametrize("name", ["../b.csv", "/b.csv", "x/../../b.csv", "b\n.csv", "x//b.csv"])
def test_a_name_that_leads_out_of_the_archive_refuses_it(name: str) -> None:
    (held,) = inside(zipped({name: TABLE}))
    assert "leads out" in why(held)


def test_a_damaged_file_is_told_and_its_neighbour_is_read() -> None:
    data = bytearray(zipped({"b.csv": TABLE * 50, "c.csv": TABLE}))
    data[data.index(b"b.csv") + 12] ^= 0xFF
    held = inside(bytes(data))
    assert "damaged" in why(held[0])
    assert held[1].data == TABLE


@pytest.mark.parametrize("data", [b"PK\x03\x04 no archive", b"a,b\n1,2\n", zipped({"x.csv": TABLE})[:-30]])
@pytest.mark.parametrize("name", ["a.zip", "a.csv.gz"])
def test_what_is_no_archive_is_told(name: str, data: bytes) -> None:
    (held,) = inside(data, name)
    assert "damaged" in why(held)


def test_an_archive_of_nothing_is_told() -> None:
    (held,) = inside(zipped({".DS_Store": b"x"}))
    assert "no file" in why(held)


@pytest.mark.parametrize("limits", [Limits(parts=1), Limits(unpacked_bytes=150)])
def test_an_archive_above_a_limit_is_not_opened(limits: Limits) -> None:
    (held,) = inside(zipped({"b.csv": TABLE, "c.csv": TABLE}), limits=limits)
    assert "limit" in why(held)


@pytest.mark.parametrize("name", ["a.zip", "b.csv.gz"])
def test_no_more_than_the_limit_of_a_file_is_held(name: str) -> None:
    zeros = b"0" * 5_000_000
    data = zipped({"b.csv": zeros}) if name == "a.zip" else gzip.compress(zeros)
    (held,) = inside(data, name, Limits(text_bytes=1_000))
    assert held.data is None
    assert held.size == 1_001


def test_one_file_of_an_archive_is_found_by_its_whole_name() -> None:
    data = zipped({"b.csv": TABLE, "c.csv": b"c"})
    assert member("a.zip/c.csv", data, Limits(), largest_bytes) == b"c"
    assert member("a.zip/d.csv", data, Limits(), largest_bytes) is None
    assert member("c.csv", b"itself", Limits(), largest_bytes) == b"itself"


@pytest.mark.parametrize("name", ["._v.csv", ".DS_Store", "Thumbs.db", "~$v.xlsx", "__MACOSX/v.csv", ".~lock.v.csv#"])
def test_files_that_programs_leave_beside_others_are_known(name: str) -> None:
    assert is_system_file(name)
    assert not is_system_file("values.csv")
    assert not is_system_file(".hidden.csv"), "a member may well mean it"


def took(reference: Reference, files: dict[str, bytes], kept: set[str]) -> Taken:
    listed = tuple(DroppedFile(name, name, len(data), "tag") for name, data in sorted(files.items()))
    folder = Folder("aspenreach", 2024, listed)
    with WorkbookReader() as reader:
        (taken,) = take_in(Intake(reference), [folder], Given(files.__getitem__), lambda key, _: kept.add(key), reader)
    return taken


def test_rows_of_files_inside_count_and_the_archive_is_one_file_that_is_kept(reference: Reference) -> None:
    kept: set[str] = set()
    data = zipped({"values.csv": TABLE, "more/notes.pdf": b"%PDF", "math.csv": TABLE.replace(b"grade3", b"grade8")})
    taken = took(reference, {"a.zip": data}, kept)
    files = taken.tables["files"]
    assert files.select("name", "kind", "rows_accepted").rows() == [
        ("a.zip/math.csv", "table", 1),
        ("a.zip/more/notes.pdf", "ignored", 0),
        ("a.zip/values.csv", "table", 1),
    ]
    assert len(kept) == 1
    (digest,) = files["sha256"].unique()
    assert taken.submission_id == submission_id("aspenreach", 2024, [("a.zip", digest)])
    assert next(iter(kept)).endswith(digest)


def test_persons_inside_an_archive_refuse_all_of_it_and_nothing_is_kept(reference: Reference) -> None:
    kept: set[str] = set()
    taken = took(reference, {"a.zip": zipped({"values.csv": TABLE, "roster.csv": PERSONS})}, kept)
    assert taken.tables["files"].select("name", "kind").rows() == [("a.zip", "refused")]
    (message,) = taken.tables["findings"].filter(pl.col("rule_id") == "person_level")["message"]
    assert "File a.zip, sheet roster.csv" in message
    assert not kept


def test_a_locked_archive_is_an_error_that_says_so(reference: Reference) -> None:
    data = bytearray(zipped({"b.csv": TABLE}))
    data[data.rindex(b"PK\x01\x02") + 8] |= 1
    taken = took(reference, {"a.zip": bytes(data)}, set())
    assert taken.tables["files"].select("name", "kind").rows() == [("a.zip/b.csv", "unreadable")]
    assert taken.tables["findings"]["severity"].to_list() == ["error"]


ARCHIVES = [{"a.csv": TABLE, "b.csv": TABLE}, {"a.csv": TABLE, "r.csv": PERSONS}, {"a.7z": b"x"}]


@pytest.mark.parametrize("content", ARCHIVES)
def test_bucket_ledger_and_lake_agree_on_an_archive(
    reference: Reference, tmp_path: Path, content: dict[str, bytes]
) -> None:
    places = Places(Store(str(tmp_path / "drop")), Store(str(tmp_path / "lake")))
    places.drop.put("aspenreach/2024/a.zip", zipped(content))
    places.drop.put("aspenreach/2024/c.csv", TABLE.replace(b"2023-24", b"2022-23"))
    today = dt.date(2025, 12, 15)
    list(run_intake(places, Intake(reference), today, Selection(), "run"))
    assert reconcile(places.drop, places.lake, reference, today) == []
    again = list(run_intake(places, Intake(reference), today, Selection(), "run"))
    assert len(again) == 1, "nothing changed, so that nothing is taken again"


def test_a_file_inside_an_archive_is_given_back_with_its_marks(reference: Reference, tmp_path: Path) -> None:
    lake, outbox = Store(str(tmp_path / "lake")), Store(str(tmp_path / "outbox"))
    data = zipped({"values.csv": TABLE.replace(b",40,", b",many,")})
    files = {"a.zip": data}
    folder = Folder("aspenreach", 2024, (DroppedFile("a.zip", "a.zip", len(data), "tag"),))
    intake = Intake(reference)

    def keep(key: str, held: object) -> None:
        assert isinstance(held, bytes)
        lake.create(key, held)

    with WorkbookReader() as reader:
        (taken,) = take_in(intake, [folder], Given(files.__getitem__), keep, reader)
    made, findings = taken.tables["files"].to_dicts(), taken.tables["findings"].to_dicts()
    copies = returned_names(made, findings)
    receipt: Receipt = {
        "community_id": "aspenreach",
        "reporting_year": 2024,
        "files": [{**file, "marked_copy": copies.get(file["name"])} for file in made],
        "findings": findings,
    }
    assert return_files(outbox, lake, intake, [receipt]) == ["aspenreach/2024/a.zip values.csv.marked.xlsx"]


def test_a_table_packed_alone_without_an_ending_is_read_as_text() -> None:
    (held,) = unpacked("values.gz", gzip.compress(b"a,b\n1,2\n"), Limits(), largest_bytes)
    assert (held.name, held.data) == ("values.gz/values.csv", b"a,b\n1,2\n")
