"""Marked copies beside receipts: however many processes make them, each lies in its own folder with its own bytes.

Belongs here: many folders at once, made here and in processes of their own.
Does not: how a copy is marked (test_marked_workbook.py), members of archives (tests/unit/intake/test_archive.py).
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import xlwt  # type: ignore[import-untyped]

from dagster_project.lib.base.reference import Reference
from dagster_project.lib.base.store import Given, Store
from dagster_project.lib.intake.batch import Intake
from dagster_project.lib.intake.bucket.drop import DroppedFile, Folder
from dagster_project.lib.intake.reading.files import WorkbookReader, read_file
from dagster_project.lib.intake.take_in import take_in
from dagster_project.lib.receipts import returned
from dagster_project.lib.receipts.marked_files import returned_names
from dagster_project.lib.receipts.receipts import Receipt
from tests.conftest import COMMUNITIES, take_folder

HEADER = "school_year,indicator,dimension,group,numerator,denominator\n"
YEARS = range(2018, 2025)


def receipts(reference: Reference, lake: Store) -> list[Receipt]:
    """Receipts of folders of which every other one has a file in question, each another one; their bytes are kept."""
    made: list[Receipt] = []
    for number, (community, year) in enumerate((name, year) for name in COMMUNITIES for year in YEARS):
        count = f"many {number}" if number % 2 else "40"
        files = {"values.csv": f"{HEADER}{year},graduation_4yr_pct,all,all,{count},100\n".encode()}
        sizes = tuple(DroppedFile(name, name, len(data), "tag") for name, data in files.items())

        def keep(key: str, held: object) -> None:
            assert isinstance(held, bytes)
            lake.create(key, held)

        with WorkbookReader() as reader:
            (taken,) = take_in(
                Intake(reference), [Folder(community, year, sizes)], Given(files.__getitem__), keep, reader
            )
        told = taken.tables["files"].to_dicts()
        findings = taken.tables["findings"].to_dicts() if "findings" in taken.tables else []
        copies = returned_names(told, findings)
        listed = [{**file, "marked_copy": copies.get(file["name"])} for file in told]
        made.append({"community_id": community, "reporting_year": year, "files": listed, "findings": findings})
    return made


def copies(folder: Path) -> Mapping[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*.xlsx")}


def test_copies_made_in_several_processes_are_those_made_in_one(
    reference: Reference, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake = Store(str(tmp_path / "lake"))
    asked = receipts(reference, lake)
    here, apart = (Store(str(tmp_path / name)) for name in ("here", "apart"))
    keys = returned.return_files(here, lake, Intake(reference), asked)
    assert len(keys) == len(asked) // 2
    # Few enough of both that several parts and several processes have something to do.
    monkeypatch.setattr(returned, "COPIES_A_PROCESS", 1)
    monkeypatch.setattr(returned, "FOLDERS_AT_ONCE", 5)
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    assert returned.return_files(apart, lake, Intake(reference), asked) == keys
    assert copies(tmp_path / "apart") == copies(tmp_path / "here")
    assert len(set(copies(tmp_path / "here").values())) == len(keys), "each copy is of its own file"


LINED, THOUSANDS, UNSEEN = (
    xlwt.easyxf("font: struck_out on"),
    xlwt.easyxf(num_format_str="#,##0,"),
    xlwt.easyxf(num_format_str=";;;"),
)


@pytest.mark.parametrize(
    ("style", "rule"),
    [(LINED, "struck_out"), (THOUSANDS, "shown_otherwise"), (UNSEEN, "hidden_value"), (None, "cells_merged_across")],
)
def test_what_does_not_count_in_a_workbook_does_not_count_in_a_copy_of_its_texts(
    intake: Intake, style: Any, rule: str
) -> None:
    rows = [
        [2024, "graduation_4yr_pct", "all", "all", 400, 1000],
        [2023, "graduation_4yr_pct", "all", "all", 300, 1000],
    ]
    sheet = (made := xlwt.Workbook()).add_sheet("Values")
    for at, row in enumerate([HEADER.strip().split(","), *rows]):
        for column, value in enumerate(row):
            refused = at == 1 and column in (4, 5)
            if not (refused and style is None):
                sheet.write(at, column, value, style if refused else xlwt.Style.default_style)
    if style is None:
        sheet.write_merge(1, 1, 4, 5, 400)
    old = io.BytesIO()
    made.save(old)
    name, data = "values.xls", old.getvalue()
    original = take_folder(intake, {name: data})
    assert rule in original.rules
    with WorkbookReader() as reader:
        read = read_file(name, data, None, intake.limits, reader)
        copy = returned.copy_of(name, data, read, original.findings.to_dicts(), reader)
    for outcome in (original, take_folder(intake, {f"{name}.marked.xlsx": copy})):
        counted = outcome.observations.filter(pl.col("row_status") == "accepted")
        assert counted.select("school_year", "numerator").rows() == [(2023, 300)]
