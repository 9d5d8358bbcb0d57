"""Faults of the bucket, of one member's files and of one member's outbox, met by the command: all others go on.

Belongs here: what `cradle run` does with a bucket that is not there, cannot be read, still grows or holds odd names.
Does not: S3 (test_s3_bucket.py), the rules of listing and reading one by one (tests/unit/intake).
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.integration.conftest import EXAMPLE_TODAY, HEADER, lines, small_seeds
from tests.support import Published, cradle_bound_by_modes, current, receipt

YEAR = 2018
LOCKED_FILE, LOCKED_YEAR, LOCKED_ALL = "alderwick_bend", "amberly_shoals", "ashgrove_hollow"
ODD, NO_OUTBOX, GROWING, CALM = "aspenreach", "bannerfield", "beacon_ferry", "quill_harbor"
FIRST_TIME = "reedmere"
FIRST_YEAR = 2017
"""The year of another first folder of that member, which is still being written."""
EVERYBODY = (LOCKED_FILE, LOCKED_YEAR, LOCKED_ALL, ODD, NO_OUTBOX, GROWING, CALM)
LONGEST = "l" * (242 - len(".csv")) + ".csv"
ODD_NAMES = (b"line\nbreak.csv", b"tab\there.csv", b"\xff\xfe.csv")


@dataclass
class Home:
    """A home with its seeds, and what the last run said."""

    folder: Path
    seeds: Path
    said: subprocess.CompletedProcess[str] | None = None

    @property
    def drop(self) -> Path:
        return self.folder / "drop"

    def cradle(self, *arguments: str, **more: str | Path) -> subprocess.CompletedProcess[str]:
        settings: dict[str, str | Path] = {"CRADLE_HOME": self.folder, "CRADLE_SEEDS": self.seeds}
        settings |= {"CRADLE_TODAY": EXAMPLE_TODAY, "CRADLE_SETTLE_SECONDS": "1", "CRADLE_PUBLIC": "off"}
        return cradle_bound_by_modes(*arguments, **(settings | more))

    def put(self, community: str, name: str | bytes, of: int, year: int = YEAR) -> Path:
        """One table of one value: so many of 100."""
        path = self.drop / community / str(year) / os.fsdecode(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(HEADER + lines("graduation_4yr_pct", {2018: (of, 100)}), encoding="utf-8")
        return path

    def value(self, community: str) -> list[int]:
        """The community's own numerators in the current release."""
        query = "select numerator::int from marts.fct_indicator_value where community_id = ? and school_year = 2018"
        return [row[0] for row in current(self.folder).rows(query, community)]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """Seven communities with a folder each, taken and published."""
    folder = tmp_path_factory.mktemp("odd")
    made = Home(folder / "home", small_seeds(folder / "seeds"))
    for community in EVERYBODY:
        made.put(community, "values.csv", 50)
    made.said = made.cradle("run")
    assert made.said.returncode == 0, made.said.stderr
    return made


@pytest.fixture(scope="module")
def release(home: Home) -> Published:
    """The first release."""
    return current(home.folder)


def state_of(home: Home) -> dict[str, bytes]:
    """Every published or delivered file, and what the lake holds, byte for byte."""
    return {
        str(path.relative_to(home.folder)): path.read_bytes()
        for room in ("publish", "outbox", "lake")
        for path in sorted((home.folder / room).rglob("*"))
        if path.is_file()
    }


@pytest.mark.parametrize("place", ["nowhere", "empty", "another"])
def test_a_bucket_at_another_address_changes_nothing(
    home: Home, release: Published, tmp_path: Path, place: str
) -> None:
    if place != "nowhere":
        (tmp_path / place).mkdir()
    if place == "another":  # one folder of seven is there
        shutil.copytree(home.drop / CALM, tmp_path / place / CALM)
    before = state_of(home)
    said = home.cradle("run", CRADLE_DROP_URL=tmp_path / place)
    told = said.stderr.splitlines()
    assert said.returncode == 1
    assert [line.split(":")[0].strip() for line in told[-2:]] == ["cradle", "hint"]
    assert "Traceback" not in said.stderr
    assert {"nowhere": "does not exist", "empty": "is empty", "another": "6 of the 7 folders"}[place] in said.stderr
    assert (place == "nowhere") == ("--accept-withdrawals" not in said.stderr)
    assert state_of(home) == before
    assert (tmp_path / place).exists() == (place != "nowhere")


def test_the_doctor_makes_no_drop_folder_and_calls_the_mistyped_one_bad(home: Home, tmp_path: Path) -> None:
    said = home.cradle("doctor", CRADLE_DROP_URL=tmp_path / "nowhere")
    assert said.returncode == 1
    assert [line for line in said.stdout.splitlines() if line.startswith("BAD")] == [
        f"BAD  drop bucket: the folder {tmp_path / 'nowhere'} does not exist"
    ]
    assert not (tmp_path / "nowhere").exists()


@contextmanager
def growing(path: Path) -> Iterator[None]:
    """A file that somebody goes on writing, a row at a time."""
    stop = threading.Event()

    def write() -> None:
        with path.open("a", encoding="utf-8") as file:
            while not stop.wait(0.2):
                file.write("2017,graduation_4yr_pct,all,all,1,100,,more\n")
                file.flush()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        yield
    finally:
        stop.set()
        writer.join()


@pytest.fixture(scope="module")
def troubled(home: Home, release: Published) -> Iterator[Home]:
    """A run over a bucket with every trouble at once, each of another member."""
    for community in EVERYBODY:
        home.put(community, "values.csv", 60)
    closed = [
        home.put(LOCKED_FILE, "more.csv", 61),
        home.drop / LOCKED_YEAR / str(YEAR),
        home.drop / LOCKED_ALL,
        home.put(FIRST_TIME, "values.csv", 60),
    ]
    for name in ODD_NAMES:
        home.put(ODD, name, 62)
    home.put(ODD, "x#1", 62)
    home.put(ODD, LONGEST, 162)
    shutil.rmtree(home.folder / "outbox" / NO_OUTBOX / str(YEAR))
    (home.folder / "outbox" / NO_OUTBOX / str(YEAR)).write_text("in the way", encoding="utf-8")
    for path in closed:
        path.chmod(0)
    try:
        first = home.put(FIRST_TIME, "growing.csv", 70, FIRST_YEAR)
        with growing(home.put(GROWING, "growing.csv", 70)), growing(first):
            home.said = home.cradle("run")
        yield home
    finally:
        for path in closed:
            if path.exists():
                path.chmod(0o755)


def findings(home: Home, community: str, *rules: str) -> list[tuple[str, str | None]]:
    told: dict[str, Any] = receipt(home.folder, community, YEAR)
    return sorted(
        (finding["rule_id"], finding["source_file"])
        for finding in told["findings"]
        if finding["rule_id"] in (rules or (finding["rule_id"],))
    )


def test_everybody_else_gets_a_release_whatever_befalls_some(troubled: Home, release: Published) -> None:
    assert current(troubled.folder).folder != release.folder
    assert {community: troubled.value(community) for community in (CALM, NO_OUTBOX, ODD)} == {
        CALM: [60],
        NO_OUTBOX: [60],
        ODD: [60],
    }
    assert receipt(troubled.folder, CALM, YEAR)["findings"] == []


@pytest.mark.parametrize(
    ("community", "finding"),
    [
        (LOCKED_FILE, ("file_not_read", "more.csv")),
        (LOCKED_YEAR, ("folder_not_read", None)),
        (LOCKED_ALL, ("folder_not_read", None)),
        (GROWING, ("still_written", "growing.csv")),
    ],
)
def test_what_cannot_be_read_or_still_grows_stays_as_it_stood_and_is_told(
    troubled: Home, community: str, finding: tuple[str, str | None]
) -> None:
    assert troubled.value(community) == [50]
    assert findings(troubled, community, finding[0]) == [finding]
    told = receipt(troubled.folder, community, YEAR)
    assert told["first_line"].startswith("Not taken as it stands now: ")
    assert [file["name"] for file in told["files"]] == ["values.csv"]
    assert troubled.said is not None
    assert f"{community}/{YEAR}/" in troubled.said.stderr


def test_a_first_folder_that_cannot_be_read_has_a_receipt_and_is_not_late(troubled: Home) -> None:
    told = receipt(troubled.folder, FIRST_TIME, YEAR)
    assert (told["status"], told["submission_id"], told["files"]) == ("rejected", None, [])
    assert findings(troubled, FIRST_TIME) == [("file_not_read", "values.csv")]
    query = (
        "select status, submission_id from marts.fct_submission_status where community_id = ? and reporting_year = ?"
    )
    assert current(troubled.folder).rows(query, FIRST_TIME, YEAR) == [("rejected", None)]


def test_a_first_folder_that_is_still_written_has_a_receipt_that_says_so(troubled: Home) -> None:
    path = troubled.folder / "outbox" / FIRST_TIME / str(FIRST_YEAR) / "receipt.json"
    told = json.loads(path.read_text(encoding="utf-8"))
    assert (told["status"], told["submission_id"]) == ("expected", None)
    assert told["first_line"].startswith("Not taken as it stands now: growing.csv is still being written.")


def test_odd_names_cost_their_file_alone_and_each_has_a_line_on_the_receipt(troubled: Home) -> None:
    told = receipt(troubled.folder, ODD, YEAR)
    assert sorted(file["name"] for file in told["files"]) == [LONGEST, "values.csv", "x#1"]
    assert findings(troubled, ODD, "odd_name", "unsupported_file") == [
        ("odd_name", "\\xff\\xfe.csv"),
        ("odd_name", "line\\nbreak.csv"),
        ("odd_name", "tab\\there.csv"),
        ("unsupported_file", "x#1"),
    ]
    assert (troubled.folder / "outbox" / ODD / str(YEAR) / "receipt.html").is_file()


def test_the_marked_copy_of_the_longest_name_is_there_under_a_shorter_one(troubled: Home) -> None:
    (copy,) = (troubled.folder / "outbox" / ODD / str(YEAR)).glob("*.marked.xlsx")
    assert copy.name.startswith("lllll")
    assert len(copy.name) < len(LONGEST)


def test_an_outbox_that_cannot_be_written_is_told_and_is_the_runs_only_failure(troubled: Home) -> None:
    said = troubled.said
    assert said is not None
    assert said.returncode == 1
    assert f"refused  the receipt of {NO_OUTBOX}/{YEAR}" in said.stderr
    assert "1 receipt was not written" in said.stderr.splitlines()[-2]
    assert "Traceback" not in said.stderr


def test_what_was_mended_is_taken_by_the_next_run(troubled: Home) -> None:
    for path in (troubled.drop / LOCKED_FILE / str(YEAR) / "more.csv", troubled.drop / LOCKED_YEAR / str(YEAR)):
        path.chmod(0o755)
    (troubled.drop / LOCKED_ALL).chmod(0o755)
    (troubled.drop / FIRST_TIME / str(YEAR) / "values.csv").chmod(0o644)
    (troubled.folder / "outbox" / NO_OUTBOX / str(YEAR)).unlink()
    said = troubled.cradle("run")
    assert said.returncode == 0, said.stderr
    assert "left " not in said.stderr
    for community in (LOCKED_YEAR, LOCKED_ALL, FIRST_TIME, NO_OUTBOX):
        assert troubled.value(community) == [60]
        assert receipt(troubled.folder, community, YEAR)["files"][0]["rows_accepted"] == 1
    assert len(receipt(troubled.folder, GROWING, YEAR)["files"]) == 2
    assert findings(troubled, LOCKED_FILE, "file_not_read") == []


def test_what_members_did_take_back_is_withdrawn_when_that_is_said(troubled: Home) -> None:
    shutil.rmtree(troubled.drop)
    (troubled.drop / CALM / str(YEAR)).mkdir(parents=True)
    troubled.put(CALM, "values.csv", 60)
    refused = troubled.cradle("run")
    assert refused.returncode == 1
    assert troubled.value(ODD) == [60]
    said = troubled.cradle("run", "--accept-withdrawals")
    assert said.returncode == 0, said.stderr
    assert (troubled.value(ODD), troubled.value(CALM)) == ([], [60])
