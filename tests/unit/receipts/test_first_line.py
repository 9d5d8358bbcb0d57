"""The first line of a receipt names what was left out as a whole: files, sheets, what stands below a second header.

Belongs here: the line over findings as intake makes them, from files of members.
Does not: other languages (tests/unit/member/test_language.py), the page around it (test_receipt_page.py).
"""

from __future__ import annotations

from pathlib import Path

import pytest

from dagster_project.lib.intake.batch import Intake
from dagster_project.lib.member.check import check_path
from tests.support import workbook

COMMUNITY, YEAR = "birchmont_falls", 2024
HEADER = ["school_year", "indicator", "dimension", "group", "value"]
ROW = ["2023-24", "grade3_reading_proficient_pct", "all", "all", "46.8"]
EARLIER = ["2022-23", *ROW[1:4], "45.1"]
GOOD = f"{','.join(HEADER)}\n{','.join(ROW)}\n"
COUNTED = "Accepted: 1 of 1 rows."


def said(intake: Intake, folder: Path) -> str:
    return str(check_path(folder, COMMUNITY, YEAR, intake)["first_line"])


def test_a_sheet_that_was_refused_is_named_beside_one_that_counts(intake: Intake, tmp_path: Path) -> None:
    twice = [[*HEADER, "value"], [*EARLIER, "46.2"]]
    book = {"Now": [HEADER, ROW], "Before": twice, "Long before": twice}
    (tmp_path / "w.xlsx").write_bytes(workbook(**book))
    expected = f"{COUNTED} 2 sheets could not be taken: Before (w.xlsx), Long before (w.xlsx)."
    assert said(intake, tmp_path) == expected


def test_a_file_that_was_refused_whole_names_no_sheet(intake: Intake, tmp_path: Path) -> None:
    (tmp_path / "v.csv").write_text(GOOD)
    (tmp_path / "w.xlsx").write_bytes(workbook(Before=[[*HEADER, "value"], [*EARLIER, "46.2"]]))
    assert said(intake, tmp_path) == f"{COUNTED} 1 file could not be taken: w.xlsx."


@pytest.mark.parametrize("ending", ["csv", "xlsx"])
def test_rows_below_a_second_header_are_told(intake: Intake, tmp_path: Path, ending: str) -> None:
    below = [HEADER[1:] + HEADER[:1], EARLIER[1:] + EARLIER[:1]]
    rows = [HEADER, ROW, *below]
    text = "".join(",".join(row) + "\n" for row in rows)
    (tmp_path / f"v.{ending}").write_bytes(text.encode() if ending == "csv" else workbook(Table=rows))
    where = "v.csv" if ending == "csv" else "Table (v.xlsx)"
    assert said(intake, tmp_path) == f"{COUNTED} Rows below a second header could not be taken: {where}."


def test_links_odd_names_and_folders_within_are_told(intake: Intake, tmp_path: Path) -> None:
    (tmp_path / "v.csv").write_text(GOOD)
    (tmp_path / "a\tb.csv").write_text(GOOD)
    (tmp_path / "link.csv").symlink_to(tmp_path / "v.csv")
    (tmp_path / "older").mkdir()
    (tmp_path / "older" / "v.csv").write_text(GOOD)
    expected = f"{COUNTED} 2 files could not be taken: a\\tb.csv, link.csv. 1 folder in it could not be taken: older."
    assert said(intake, tmp_path) == expected
