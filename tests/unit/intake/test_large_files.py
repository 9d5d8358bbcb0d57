"""A file beyond its limit is hashed and kept like any other, and no more than the limit is ever held of it.

Belongs here: memory while large files are taken, their raw bytes, what is refused of them, and changes meanwhile.
Does not: the limits themselves (test_reading_text.py, test_reading_workbooks.py), S3 (tests/integration).
"""

from __future__ import annotations

import datetime as dt
import hashlib
import io
import tracemalloc
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dagster_project.lib.base.reference import Reference
from dagster_project.lib.base.store import PIECE_BYTES, Given, Store
from dagster_project.lib.intake.batch import Intake
from dagster_project.lib.intake.bucket.drop import DroppedFile, Folder, open_drop
from dagster_project.lib.intake.bucket.lake import raw_key, read_partitions
from dagster_project.lib.intake.bucket.plan import Selection
from dagster_project.lib.intake.bucket.reconcile import reconcile
from dagster_project.lib.intake.reading.fetched import Content, ContentChangedError, fetch
from dagster_project.lib.intake.reading.files import WorkbookReader
from dagster_project.lib.intake.reading.limits import Limits
from dagster_project.lib.intake.session import IntakeResult, Places, run_intake
from dagster_project.lib.intake.take_in import take_in

MEBIBYTE = 1024 * 1024
COMMUNITY, YEAR, TODAY = "birchmont_falls", 2024, dt.date(2024, 12, 31)
SMALL = Limits(file_bytes=2 * MEBIBYTE, text_bytes=2 * MEBIBYTE)
FAR_ABOVE = 96 * MEBIBYTE
HEADER = b"school_year,indicator,dimension,group,value\n"


def write_large(path: Path, start: bytes = HEADER, size: int = FAR_ABOVE) -> str:
    """A file of that size, written piece by piece; its sha256."""
    path.parent.mkdir(parents=True, exist_ok=True)
    line = b"2023-24,graduation_4yr_pct,all,all,81.5\n"
    block = line * (MEBIBYTE // len(line))
    digest = hashlib.sha256()
    with path.open("wb") as file:
        file.write(start)
        digest.update(start)
        for _ in range(size // len(block)):
            file.write(block)
            digest.update(block)
    return digest.hexdigest()


def run(places: Places, intake: Intake) -> IntakeResult:
    """One intake of everything."""
    *_, result = run_intake(places, intake, TODAY, Selection(), "test")
    assert isinstance(result, IntakeResult)
    return result


@pytest.fixture
def places(tmp_path: Path) -> Places:
    """A drop and a lake."""
    (tmp_path / "drop").mkdir()
    return Places(open_drop(str(tmp_path / "drop")), Store(str(tmp_path / "lake")))


@pytest.mark.parametrize("name", ["values.csv", "values.xlsx", "film.mp4", "values.xlsb"])
def test_memory_does_not_grow_with_a_file_beyond_its_limit(
    places: Places, tmp_path: Path, reference: Reference, name: str
) -> None:
    sha = write_large(tmp_path / "drop" / COMMUNITY / str(YEAR) / name)
    intake = Intake(reference, SMALL)
    assert intake.layouts(1) and intake.codes  # what is loaded once
    tracemalloc.start()
    try:
        run(places, intake)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < SMALL.text_bytes + 5 * PIECE_BYTES < FAR_ABOVE / 4
    kept = tmp_path / "lake" / raw_key(sha)
    assert kept.stat().st_size == (tmp_path / "drop" / COMMUNITY / str(YEAR) / name).stat().st_size
    assert hashlib.sha256(kept.read_bytes()).hexdigest() == sha


def test_a_large_file_is_told_with_its_size_and_reconciles(
    places: Places, tmp_path: Path, reference: Reference
) -> None:
    file = tmp_path / "drop" / COMMUNITY / str(YEAR) / "values.csv"
    write_large(file, size=5 * MEBIBYTE)
    run(places, Intake(reference, SMALL))
    (finding,) = read_partitions(places.lake, "findings", [(COMMUNITY, YEAR)]).to_dicts()
    assert (finding["rule_id"], finding["found"]) == ("too_large", f"{file.stat().st_size:,} bytes")
    assert reconcile(places.drop, places.lake, reference, TODAY) == []
    again = run(places, Intake(reference, SMALL))
    assert again.taken == ()


def pieces(count: int) -> Given:
    """An object of so many MiB, all different."""
    return Given(lambda _: b"".join(bytes([number]) * MEBIBYTE for number in range(count)))


def test_only_what_the_limit_allows_is_held_and_the_hash_is_of_all() -> None:
    whole = pieces(6).read("a")
    held = fetch(pieces(6), "a", 6 * MEBIBYTE)
    streamed = fetch(pieces(6), "a", 6 * MEBIBYTE - 1)
    assert held is not None and streamed is not None
    assert held.data == whole and streamed.data is None
    assert held.sha256 == streamed.sha256 == hashlib.sha256(whole).hexdigest()
    assert held.size == streamed.size == len(whole)
    assert whole.startswith(streamed.head) and len(streamed.head) <= MEBIBYTE
    assert b"".join(streamed.to_keep()()) == whole  # type: ignore[operator]


def test_bytes_that_change_between_two_looks_are_not_kept_under_the_old_hash(tmp_path: Path) -> None:
    lake = Store(str(tmp_path / "lake"))
    answers = iter([b"a" * 100, b"b" * 100])
    content = fetch(Given(lambda _: next(answers)), "key", 10)
    assert isinstance(content, Content)
    to_keep = content.to_keep()
    assert not isinstance(to_keep, bytes)
    with pytest.raises(ContentChangedError):
        lake.put_pieces(raw_key(content.sha256), to_keep)
    assert lake.objects() == []


def test_a_large_file_that_changes_meanwhile_is_left_to_the_next_run_and_spoils_no_other(reference: Reference) -> None:
    large = iter([HEADER + b"a" * 3 * MEBIBYTE, HEADER + b"b" * 3 * MEBIBYTE])
    row = b"2023-24,graduation_4yr_pct,all,all,81.5\n"
    names = ("a_large.csv", "small.csv")
    folder = Folder(COMMUNITY, YEAR, tuple(DroppedFile(name, name, 1, "") for name in names))
    kept: dict[str, bytes] = {}

    def keep(key: str, data: bytes | Callable[[], Iterator[bytes]]) -> None:
        kept[key] = data if isinstance(data, bytes) else b"".join(data())

    source = Given(lambda key: next(large) if key == "a_large.csv" else HEADER + row)
    with WorkbookReader(SMALL) as workbooks:
        (taken,) = take_in(Intake(reference, SMALL), [folder], source, keep, workbooks)
    assert taken.tables["files"]["name"].to_list() == ["small.csv"]
    assert taken.tables["observations"].height == 1
    assert list(kept.values()) == [HEADER + row]


def roster_workbook(padding: int) -> bytes:
    """An office package with a list of persons, larger than the limit by a part that cannot be packed."""
    buffer = io.BytesIO()
    words = "".join(f"<t>{word}</t>" for word in ("student_id", "first_name", "last_name", "date of birth"))
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as package:
        package.writestr("xl/media/picture.png", b"\xff" * padding)
        package.writestr("xl/sharedStrings.xml", f"<sst>{words}</sst>")
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("roster.csv", b"student_id,first_name,last_name\n" + b"1,Ada,Invented\n" * 300_000),
        ("roster.xlsx", roster_workbook(3 * MEBIBYTE)),
        ("roster.zip", roster_workbook(3 * MEBIBYTE)),
    ],
)
def test_a_list_of_persons_beyond_the_limit_is_refused_and_not_kept(
    places: Places, tmp_path: Path, reference: Reference, name: str, data: bytes
) -> None:
    assert len(data) > SMALL.text_bytes
    path = tmp_path / "drop" / COMMUNITY / str(YEAR) / name
    path.parent.mkdir(parents=True)
    path.write_bytes(data)
    run(places, Intake(reference, SMALL))
    assert places.lake.objects("raw") == []


def test_a_package_that_claims_a_huge_list_of_parts_shows_nothing_and_takes_no_memory(tmp_path: Path) -> None:
    file = tmp_path / "bomb.xlsx"
    with zipfile.ZipFile(file, "w") as package:
        for number in range(30_000):
            package.writestr(f"xl/worksheets/{number:09d}{'x' * 30}.xml", b"")
    content = fetch(Store(str(tmp_path)), "bomb.xlsx", 1)
    assert content is not None
    assert content.data is None and content.head.startswith(b"PK")
    assert content.person_level([]) is None
