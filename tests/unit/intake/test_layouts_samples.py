"""Every layout that ships reads its passing samples and refuses its failing ones.

Belongs here: the pairs under contracts/layouts/samples, and what all layouts have in common.
Does not: matching on made-up grids (test_layouts_matching.py), public data (test_layouts_real.py).
"""

from __future__ import annotations

import csv
from pathlib import Path

import duckdb
import pytest

import contracts
from dagster_project.lib.intake.layouts.declaration import Match, NoMatch
from dagster_project.lib.intake.layouts.extraction import extract
from dagster_project.lib.intake.layouts.matching import Layouts, load_layouts
from dagster_project.lib.intake.reading.files import read_file

SAMPLES = contracts.LAYOUTS / "samples"
IDS = sorted(path.stem for path in contracts.LAYOUTS.glob("*.sql"))


@pytest.fixture(scope="module")
def layouts() -> Layouts:
    loaded = load_layouts(contracts.LAYOUTS)
    for table, contract in contracts.tables(1).items():
        loaded.add_contract(table, 1, contract.required, contract.optional)
    return loaded


def match_of(layouts: Layouts, path: Path, file_id: int = 0) -> Match | NoMatch:
    read = read_file(path.name, path.read_bytes())
    assert not read.problems
    (grid,) = read.sheets
    return layouts.match(grid, path.name, file_id)


def test_every_layout_has_samples_and_every_sample_a_layout() -> None:
    assert sorted(path.name for path in SAMPLES.iterdir()) == IDS
    for layout_id in IDS:
        assert any((SAMPLES / layout_id / "pass").iterdir()) and any((SAMPLES / layout_id / "fail").iterdir())


@pytest.mark.parametrize("layout_id", IDS)
def test_a_passing_sample_gives_exactly_the_expected_rows(layouts: Layouts, layout_id: str) -> None:
    paths = sorted((SAMPLES / layout_id / "pass").iterdir())
    matches = []
    for file_id, path in enumerate(paths):
        match = match_of(layouts, path, file_id)
        assert isinstance(match, Match), match
        assert match.layout_id == layout_id and not match.problems
        matches.append(match)
    with duckdb.connect() as connection:
        frame = extract(matches, connection).frames[layout_id]
    found = [
        [paths[file_id].name, str(row), *("" if cell is None else cell for cell in cells)]
        for file_id, _, row, *cells in frame.iter_rows()
    ]
    with (SAMPLES / layout_id / "expected_rows.csv").open(newline="", encoding="utf-8") as lines:
        header, *expected = csv.reader(lines)
    assert header == ["file", "row", "column", *frame.columns[4:]]
    assert found == expected


@pytest.mark.parametrize("layout_id", IDS)
def test_a_failing_sample_names_the_layout_as_nearest_and_says_what_differs(layouts: Layouts, layout_id: str) -> None:
    said = []
    for path in sorted((SAMPLES / layout_id / "fail").iterdir()):
        match = match_of(layouts, path)
        assert isinstance(match, NoMatch), match
        assert match.nearest == layout_id
        said.append(match.problem.found)
    expected = (SAMPLES / layout_id / "expected_finding.txt").read_text(encoding="utf-8").splitlines()
    assert said == expected


@pytest.mark.parametrize("layout_id", IDS)
def test_a_layout_gives_all_columns_of_its_table_in_their_order(layouts: Layouts, layout_id: str) -> None:
    contract = contracts.tables(1)[layouts.get(layout_id).table]
    with (SAMPLES / layout_id / "expected_rows.csv").open(newline="", encoding="utf-8") as lines:
        header = next(csv.reader(lines))
    # A column that a layout says nothing of is blank in its rows: data_level then means the population.
    assert header[3:] == [name for name in contract.names if name in header or name != "data_level"]


def test_a_contract_table_written_as_its_own_header_matches_itself_alone(layouts: Layouts) -> None:
    for table, contract in contracts.tables(1).items():
        header = ",".join(contract.names)
        read = read_file(f"{table}.csv", f"{header}\n{','.join('x' for _ in contract.names)}\n".encode())
        match = layouts.match(read.sheets[0], "upload.csv")
        assert isinstance(match, Match) and match.table == table and not match.problems
