"""Public exports as published: every file of the Connecticut network, Kentucky and EDFacts finds its layout.

Belongs here: matching of whole public files, and that no row of them is lost between file and frame.
Does not: the figures made from them (tests/integration), invented samples (test_layouts_samples.py).
"""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from pathlib import Path

import duckdb
import polars as pl
import pytest

import contracts
from dagster_project.lib.intake.layouts.declaration import Match
from dagster_project.lib.intake.layouts.extraction import Extraction, extract
from dagster_project.lib.intake.layouts.matching import Layouts, load_layouts
from dagster_project.lib.intake.reading.files import read_file
from tests.support import REAL, real_data


@pytest.fixture(scope="module", autouse=True)
def real() -> Path:
    return real_data()


@pytest.fixture(scope="module")
def layouts() -> Layouts:
    loaded = load_layouts(contracts.LAYOUTS)
    for table, contract in contracts.tables(1).items():
        loaded.add_contract(table, 1, contract.required, contract.optional)
    return loaded


def take(layouts: Layouts, paths: list[Path]) -> tuple[list[Match], Extraction]:
    matches = []
    for file_id, path in enumerate(paths):
        read = read_file(path.name, path.read_bytes())
        assert not read.problems, (path, read.problems)
        match = layouts.match(read.sheets[0], path.name, file_id)
        assert isinstance(match, Match), (path, match)
        assert not match.problems, (path, match.problems)
        matches.append(match)
    with duckdb.connect() as connection:
        return matches, extract(matches, connection)


def test_every_sliced_connecticut_file_matches_exactly_one_layout(layouts: Layouts, tmp_path: Path) -> None:
    script = REAL / "connecticut_to_drop.py"
    subprocess.run([sys.executable, script, tmp_path / "drop", "--communities", "3"], check=True, capture_output=True)
    paths = sorted((tmp_path / "drop").glob("*/*/*.csv"))
    assert len(paths) > 250
    matches, extraction = take(layouts, paths)
    kinds = Counter(match.layout_id for match in matches)
    assert set(kinds) == {layout.layout_id for layout in layouts if layout.layout_id.startswith("ct_")}
    wrong = [
        (path.name, match.layout_id)
        for path, match in zip(paths, matches, strict=True)
        if not _fits_name(path.name, match.layout_id)
    ]
    assert not wrong
    data_lines = sum(match.rows_read for match in matches)
    assert extraction.counts["rows_read"].sum() == data_lines
    placed = pl.concat([frame.select("_file_id", "_row").unique() for frame in extraction.frames.values()])
    assert placed.height + extraction.counts["rows_left_out"].sum() == data_lines


def _fits_name(name: str, layout_id: str) -> bool:
    starts = {
        "four-year-graduation": "ct_graduation",
        "chronic-absenteeism": "ct_chronic_absence",
        "smarter-balanced": "ct_smarter_balanced",
        "college-entrance": "ct_college_entrance",
    }
    wanted = next((layout for start, layout in starts.items() if name.startswith(start)), "ct_kindergarten_inventory")
    return layout_id.startswith(wanted)


def test_the_connecticut_rows_are_the_cells_of_the_files(layouts: Layouts) -> None:
    folder = REAL / "connecticut"
    graduation = folder / "grad_4yr" / "four-year-graduation-rates__2015-16_race_grad.csv"
    _, extraction = take(layouts, [graduation])
    frame = extraction.frames["ct_graduation"]
    lines = graduation.read_text(encoding="utf-8").splitlines()
    for row in frame.iter_rows(named=True):
        cells = [cell.strip('"') for cell in lines[row["_row"] - 1].split(",")]
        assert cells[2:] == [row["group"], row["denominator"], row["numerator"], row["value"]]
        assert cells[0] == row["geography"]
    assert frame.height == sum(bool(line) for line in lines[5:])


def test_kentucky_loads_with_its_cooperatives_and_without_overlapping_groups(layouts: Layouts) -> None:
    folder = REAL / "kentucky"
    names = ["ach_grade3_reading_grade8_math_dist.csv", "ccr_dist.csv", "grad_dist.csv"]
    matches, extraction = take(layouts, [folder / name for name in names])
    assert [match.layout_id for match in matches] == ["ky_achievement", "ky_readiness", "ky_graduation"]
    readiness = extraction.frames["ky_readiness"].filter(
        (pl.col("dimension") == "all") & (pl.col("school_year") == "2013-2014")
    )
    # The nine co-operatives repeat their districts: each half of the column sums to the same number of graduates.
    regional = readiness["note"].str.contains(r"^district 90\d$")
    totals = readiness.with_columns(pl.col("denominator").cast(pl.Int64, strict=False))
    assert regional.sum() == 9
    assert totals.filter(regional)["denominator"].sum() == totals.filter(~regional)["denominator"].sum() > 0
    groups = extraction.frames["ky_achievement"].filter(pl.col("dimension") == "race_ethnicity")["group"].unique()
    assert len(groups) == 7


def test_edfacts_gives_one_row_for_each_school_and_group(layouts: Layouts) -> None:
    paths = sorted((REAL / "edfacts_acgr").glob("*.csv"))[:1]
    matches, extraction = take(layouts, paths)
    frame = extraction.frames["edfacts_graduation_school"]
    assert frame.height == 10 * matches[0].rows_read
    assert frame["school_year"].unique().to_list() == ["2012-13"]
    values = set(frame["value"].drop_nulls())
    assert {"PS", "GE95", "LT50", "85-89"} <= values and "." not in values
