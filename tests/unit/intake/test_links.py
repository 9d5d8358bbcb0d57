"""A link in a member's folder is told in the receipt, and nothing behind it is read.

Belongs here: links through the real intake, beside cradle check, and as links come and go.
Does not: listing a bucket with links (test_drop.py).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from dagster_project.lib.intake.bucket.plan import Selection
from dagster_project.lib.intake.bucket.reconcile import reconcile
from dagster_project.lib.intake.session import TakenPartition
from dagster_project.lib.member.check import NothingToCheckError, check_path
from tests.unit.member.test_check import HEAD, ROW, House, without_skipped, write_bucket

COMMUNITY, YEAR = "birchmont_falls", 2024
SECRET = HEAD + ROW.format(year="2022-23", n=999)


@pytest.fixture
def house(seeds: Path, tmp_path: Path) -> House:
    """A folder with one file and two links, taken in."""
    made = House(tmp_path / "home", seeds)
    write_bucket(made.drop, {(COMMUNITY, YEAR): {"values.csv": HEAD + ROW.format(year="2023-24", n=820)}})
    secret = tmp_path / "elsewhere" / "values_before.csv"
    secret.parent.mkdir()
    secret.write_text(SECRET, encoding="utf-8")
    folder = made.drop / COMMUNITY / str(YEAR)
    (folder / "before.csv").symlink_to(secret)
    (folder / "=all").symlink_to(secret.parent)
    made.take()
    return made


def told(house: House) -> dict[str, Any]:
    """The receipt as written."""
    receipt: dict[str, Any] = json.loads(house.receipt(COMMUNITY, YEAR))
    return receipt


def test_a_link_is_an_error_of_its_folder_and_nothing_behind_it_is_read(house: House) -> None:
    receipt = told(house)
    links = [finding for finding in receipt["findings"] if finding["rule_id"] == "link_not_followed"]
    assert [(link["source_file"], link["severity"], link["found"]) for link in links] == [
        ("=all", "error", "=all"),
        ("before.csv", "error", "before.csv"),
    ]
    assert [file["name"] for file in receipt["files"]] == ["values.csv"]
    assert (receipt["status"], receipt["files"][0]["rows_accepted"]) == ("accepted_with_queries", 1)
    kept = [house.pipeline.lake.get(info.key) for info in house.pipeline.lake.objects("raw")]
    assert SECRET.encode() not in kept
    assert "elsewhere" not in house.receipt(COMMUNITY, YEAR).decode()


def test_a_check_of_the_folder_gives_the_same_receipt_byte_for_byte(house: House) -> None:
    assert without_skipped(house.check(COMMUNITY, YEAR, house.history)) == house.receipt(COMMUNITY, YEAR)


def test_a_folder_given_by_a_link_is_checked(house: House, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(house.drop / COMMUNITY / str(YEAR))
    receipt = check_path(tmp_path / "link", COMMUNITY, YEAR, house.pipeline.intake)
    assert [file["name"] for file in receipt["files"]] == ["values.csv"]


def test_a_folder_that_holds_links_alone_is_nothing_to_check(house: House, tmp_path: Path) -> None:
    folder = tmp_path / "only"
    folder.mkdir()
    (folder / "a.csv").symlink_to(house.drop / COMMUNITY / str(YEAR) / "values.csv")
    with pytest.raises(NothingToCheckError):
        check_path(folder, COMMUNITY, YEAR, house.pipeline.intake)


def taken(house: House) -> list[TakenPartition]:
    """What the next run takes."""
    return [item for item in house.pipeline.take(Selection(), "test") if isinstance(item, TakenPartition)]


def test_a_folder_is_taken_again_when_its_links_change_and_only_then(house: House) -> None:
    submission = told(house)["submission_id"]
    folder = house.drop / COMMUNITY / str(YEAR)
    assert taken(house) == []
    (folder / "before.csv").unlink()
    assert [item.submission_id for item in taken(house)] == [submission]
    assert taken(house) == []
    (folder / "=all").unlink()
    assert [(item.submission_id, item.findings) for item in taken(house)] == [(submission, 0)]
    assert taken(house) == []


def test_bucket_ledger_and_lake_agree_with_links_in_the_bucket(house: House) -> None:
    pipeline = house.pipeline
    assert reconcile(pipeline.drop, pipeline.lake, pipeline.reference, pipeline.settings.today) == []


def test_a_file_that_becomes_a_link_is_withdrawn(house: House) -> None:
    folder = house.drop / COMMUNITY / str(YEAR)
    write_bucket(house.drop, {(COMMUNITY, YEAR): {"more.csv": HEAD + ROW.format(year="2021-22", n=810)}})
    house.take()
    assert len(told(house)["files"]) == 2
    (folder / "more.csv").rename(folder.parent / "more.csv")
    (folder / "more.csv").symlink_to(folder.parent / "more.csv")
    house.take()
    assert [file["name"] for file in told(house)["files"]] == ["values.csv"]
    assert "more.csv" in [finding["source_file"] for finding in told(house)["findings"]]
