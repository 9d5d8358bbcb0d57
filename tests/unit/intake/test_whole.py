"""The lake holds every accepted row or says which folder it does not hold; the same bytes are no news.

Belongs here: whole.py, same.py and what an intake does with both, over small buckets.
Does not: what lies in the bucket against the ledger (test_reconcile.py), the command line.
"""

from __future__ import annotations

import datetime as dt
import os
import shutil
from pathlib import Path

import pytest

from dagster_project.lib.base.state import StateError
from dagster_project.lib.base.store import Store
from dagster_project.lib.intake.batch import Intake
from dagster_project.lib.intake.bucket.drop import open_drop
from dagster_project.lib.intake.bucket.lake import partition_key
from dagster_project.lib.intake.bucket.ledger import Ledger, current_submissions, submission_states
from dagster_project.lib.intake.bucket.plan import Selection
from dagster_project.lib.intake.bucket.reconcile import reconcile
from dagster_project.lib.intake.bucket.whole import DamagedLakeError, damaged_places, gone_partitions, note, read_whole
from dagster_project.lib.intake.session import IntakeResult, Places, run_intake
from tests.unit.intake.comparing import COMMUNITY, REFERENCE

TODAY = dt.date(2026, 6, 30)
VALUES = "school_year,indicator,dimension,group,numerator,denominator\n2022,graduation_4yr_pct,all,all,{n},100\n"
INTAKE = Intake(REFERENCE)
YEARS = (2022, 2023)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Two folders, taken."""
    for year in YEARS:
        folder = tmp_path / "home" / "drop" / COMMUNITY / str(year)
        folder.mkdir(parents=True)
        (folder / "values.csv").write_text(VALUES.format(n=80), encoding="utf-8")
    take(tmp_path / "home")
    return tmp_path / "home"


def places(home: Path) -> Places:
    return Places(open_drop(str(home / "drop")), Store(str(home / "lake")))


def take(home: Path, selection: Selection = Selection()) -> IntakeResult:  # noqa: B008
    *_, result = run_intake(places(home), INTAKE, TODAY, selection, "run")
    assert isinstance(result, IntakeResult)
    return result


def taken_years(result: IntakeResult) -> list[int]:
    return [partition.reporting_year for partition in result.taken]


def differences(home: Path) -> list[str]:
    return [line.what for line in reconcile(*vars(places(home)).values(), REFERENCE, TODAY)]


def restored(home: Path) -> None:
    """The home as a backup gives it back: the same bytes in other files with other times."""
    shutil.move(home, home.with_name("lost"))
    shutil.copytree(home.with_name("lost"), home, copy_function=shutil.copyfile)
    for path in home.rglob("*.csv"):
        os.utime(path, (1_600_000_000, 1_600_000_000))


def test_a_restored_bucket_is_no_difference_and_makes_no_new_state(home: Path) -> None:
    restored(home)
    assert differences(home) == []
    before = Ledger(places(home).lake).events()
    assert taken_years(take(home)) == []
    after = Ledger(places(home).lake).events()
    assert submission_states(after).equals(submission_states(before))
    assert after.filter(event="submission").equals(before.filter(event="submission"))
    assert after.height == before.height + len(YEARS)
    # From now on the tags are known: nothing is hashed, and nothing is written.
    assert taken_years(take(home)) == [] and Ledger(places(home).lake).events().equals(after)


def test_in_a_restored_bucket_only_what_differs_is_taken(home: Path) -> None:
    restored(home)
    (home / "drop" / COMMUNITY / "2023" / "values.csv").write_text(VALUES.format(n=81), encoding="utf-8")
    assert taken_years(take(home)) == [2023]
    assert taken_years(take(home, Selection(again=True))) == [2022, 2023]


@pytest.mark.parametrize("table", ["files", "observations"])
def test_rows_that_are_gone_stop_the_reading_and_their_folder_is_taken_again(home: Path, table: str) -> None:
    lake = places(home).lake
    lake.delete([partition_key(table, COMMUNITY, 2022)])
    assert len(differences(home)) == 1
    standing = current_submissions(Ledger(lake).events())
    with pytest.raises(DamagedLakeError, match=f"{COMMUNITY}/2022") as told:
        read_whole(lake, standing)
    note(lake, told.value.places)
    assert damaged_places(lake, Ledger(lake).events()) == {(COMMUNITY, 2022)}
    assert taken_years(take(home)) == [2022]
    assert differences(home) == [] and read_whole(lake, standing)["observations"].height == len(YEARS)


def test_a_partition_that_cannot_be_read_is_named(home: Path) -> None:
    lake = places(home).lake
    lake.put(partition_key("observations", COMMUNITY, 2023), b"PAR1 no longer")
    with pytest.raises(DamagedLakeError, match=f"{COMMUNITY}/2023: its rows of observations cannot be read"):
        read_whole(lake, current_submissions(Ledger(lake).events()))
    (said,) = differences(home)
    assert "is damaged" in said and f"cradle run --community {COMMUNITY} --years 2023" in said


def test_a_partition_without_files_is_seen_from_the_listing_alone(home: Path) -> None:
    lake = places(home).lake
    assert gone_partitions(lake, Ledger(lake).events()) == frozenset()
    lake.delete([partition_key("files", COMMUNITY, 2022)])
    assert gone_partitions(lake, Ledger(lake).events()) == {(COMMUNITY, 2022)}
    assert taken_years(take(home)) == [2022]


def test_a_damaged_segment_of_the_ledger_is_named_and_moving_it_away_loses_no_row(home: Path) -> None:
    lake = places(home).lake
    standing = current_submissions(Ledger(lake).events())
    key = "ops/ledger/00000001.parquet"
    lake.put(key, b"\xff")
    with pytest.raises(StateError, match=r"00000001\.parquet is damaged .* move it away and run again"):
        Ledger(lake).events()
    lake.delete([key])
    assert taken_years(take(home)) == list(YEARS)
    assert differences(home) == []
    again = current_submissions(Ledger(lake).events())
    assert again["submission_id"].to_list() == standing["submission_id"].to_list()
