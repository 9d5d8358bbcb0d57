"""Three hundred mutated files end in findings, and one reading process serves the workbooks among them.

Belongs here: the bounded run of tests/fuzz, and that its own claims can fail.
Does not: the mutations and claims (tests/fuzz); `make fuzz` runs ten thousand files.
"""

from __future__ import annotations

import random

import pytest

from dagster_project.lib.base.reference import Reference
from dagster_project.lib.intake.batch import Intake
from dagster_project.lib.intake.reading.files import WorkbookReader
from dagster_project.lib.intake.reading.limits import Limits
from dagster_project.lib.intake.take_in import take_in
from tests.fuzz import harness
from tests.fuzz.harness import BadEnd, CountingReader, Tally, files, run
from tests.fuzz.mutations import as_workbook, mutated, rows, whole_file

FILES = 300


def test_mutated_files_end_in_findings_without_traceback_or_hang_in_bounded_memory() -> None:
    tally = Tally()
    bad = list(run(seed=7, count=FILES, tally=tally))
    assert [(end.number, end.file[0], end.what) for end in bad] == []
    assert tally.files == FILES
    assert tally.with_findings > FILES // 2
    assert tally.accepted > FILES // 20, "mutations that spoil everything find nothing"
    assert tally.peak_child_bytes < Limits().memory_bytes


def test_one_reading_process_serves_all_mutated_workbooks() -> None:
    tally = Tally()
    assert list(run(seed=8, count=60, tally=tally)) == []
    assert tally.children == 1


def test_files_are_the_same_for_the_same_seed_and_number() -> None:
    once = list(files(3, range(40)))
    assert once[20:] == list(files(3, range(20, 40)))
    assert once != list(files(4, range(40)))


def test_mutations_reach_every_kind_of_file() -> None:
    names = {mutated(random.Random(number))[0].rpartition(".")[2] for number in range(200)}
    assert names >= {"csv", "tsv", "xlsx", "parquet"}


def test_a_file_on_which_intake_breaks_is_named_and_its_neighbours_are_tried_one_by_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    calls: list[int] = []

    def breaks(intake, folders, source, keep, workbooks):  # type: ignore[no-untyped-def]
        calls.append(len(folders))
        if any(b"spoiled" in source.read(file.key) for folder in folders for file in folder.files):
            raise RuntimeError("broken on purpose")
        return take_in(intake, folders, source, keep, workbooks)

    def three(draw: random.Random) -> tuple[str, bytes]:
        name, data = whole_file(draw)
        return name, data + b"spoiled" if draw.random() < 0.4 else data

    monkeypatch.setattr(harness, "take_in", breaks)
    monkeypatch.setattr(harness, "mutated", three)
    tally = Tally()
    bad = list(run(seed=1, count=10, tally=tally))
    assert bad
    assert all(isinstance(end, BadEnd) and "broken on purpose" in end.what for end in bad)
    assert tally.files + len(bad) == 10
    assert calls == [10] + [1] * 10


def test_after_a_crash_of_the_reading_process_the_other_workbooks_are_read() -> None:
    draw = random.Random(2)
    books = [as_workbook(rows(draw, 5), draw) for _ in range(6)]
    reader = CountingReader()
    with reader:
        results = [reader.read(data) for data in books[:3]]
        assert reader._child is not None
        reader._child.kill()
        results += [reader.read(data) for data in books[3:]]
    assert reader.starts == 2
    assert all(result.sheets and not result.problems for result in results)


def test_an_intake_of_whole_files_tells_nothing_blocking() -> None:
    draw = random.Random(5)
    intake = Intake(Reference(harness.SEEDS))
    with WorkbookReader() as reader:
        taken, kept = harness.taken(intake, [("values.xlsx", as_workbook(rows(draw, 1), draw))], reader)
    assert taken[0].tables["files"]["rows_accepted"].to_list() == [1]
    assert len(kept) == 1
