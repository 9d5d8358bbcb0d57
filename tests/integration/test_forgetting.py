"""A submission that its member took back is forgotten by the command, and looked for afterwards in every byte.

Belongs here: `cradle forget` on a home of two communities, what it says, refuses and leaves, and the run after it.
Does not: the search among kept files (tests/unit/app/test_forgetting.py), withdrawing releases (test_retention.py).
"""

from __future__ import annotations

import io
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import polars as pl
import pytest

from tests.integration.conftest import EXAMPLE_TODAY, HEADER, lines, small_seeds
from tests.support import current
from tests.warm import warm_cradle

NOTE = "Quartzfinch Academy closed in spring"
NAME = "umbrellabird.csv"
NOTED = HEADER.replace("series\n", "series,note\n") + f"2018,chronic_absence_pct,all,all,9,80,,,{NOTE}\n"
CANARIES = ("Quartzfinch", "umbrellabird")
SHARED = HEADER + lines("graduation_4yr_pct", {2017: (60, 100), 2018: (66, 100)})


@dataclass
class Told:
    """What each command printed, and where the home is."""

    home: Path
    seeds: Path
    said: dict[str, subprocess.CompletedProcess[str]] = field(default_factory=dict)
    ids: dict[str, str] = field(default_factory=dict)
    before: list[str] = field(default_factory=list)

    def call(self, name: str, *arguments: str) -> None:
        own = {"CRADLE_HOME": self.home, "CRADLE_SEEDS": self.seeds, "CRADLE_TODAY": EXAMPLE_TODAY}
        self.said[name] = warm_cradle(*arguments, **own, CRADLE_SETTLE_SECONDS="0")

    def submission(self) -> str:
        place = "community_id = 'reedmere' and reporting_year = 2018"
        return str(
            current(self.home).rows(f"select submission_id from marts.fct_submission_status where {place}")[0][0]
        )


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Told:
    """One folder holds a file of its own and one that another folder holds too; both are taken back, then forgotten."""
    folder = tmp_path_factory.mktemp("forgetting")
    told = Told(folder / "home", small_seeds(folder / "seeds"))
    own, other = (told.home / "drop" / community / "2018" for community in ("reedmere", "quill_harbor"))
    for place in (own, other):
        place.mkdir(parents=True)
        (place / "shared.csv").write_text(SHARED, encoding="utf-8")
    (own / NAME).write_text(NOTED, encoding="utf-8")
    told.call("first", "run")
    told.ids["submission"], told.ids["release"] = told.submission(), current(told.home).folder.name
    told.ids["public"] = (told.home / "public" / "current").read_text().strip()
    told.call("stands", "forget", told.ids["submission"])
    shutil.rmtree(own)
    told.call("taken back", "run")
    told.ids["second"] = current(told.home).folder.name
    told.before = sorted(found(told.home))
    told.call("dry", "forget", told.ids["submission"], "--dry-run")
    told.call("forgotten", "forget", told.ids["submission"], "--reason", "asked for by the member")
    told.call("after", "run")
    told.call("doctor", "doctor")
    told.call("reconciled", "reconcile")
    told.call("scan", "forget", "--scan")
    told.call("again", "forget", told.ids["submission"])
    return told


def found(home: Path) -> Iterator[str]:
    """Files outside the bucket that hold a canary: in their bytes, in their texts, or in their name."""
    for path in sorted(home.rglob("*")):
        inside = path.relative_to(home)
        if path.is_file() and inside.parts[0] != "drop":
            text = f"{inside}\n{_texts(path)}"
            if any(canary in text for canary in CANARIES):
                yield inside.as_posix()


def _texts(path: Path) -> str:
    data = path.read_bytes()
    text = data.decode("latin-1")
    if path.suffix == ".parquet":
        text += str(pl.read_parquet(io.BytesIO(data)).select(pl.col(pl.String)).rows())
    if path.suffix == ".duckdb":
        with duckdb.connect(str(path), read_only=True) as database:
            tables = database.execute(
                "select table_schema, table_name from information_schema.tables where table_type = 'BASE TABLE'"
            ).fetchall()
            for schema, table in tables:
                text += str(
                    database.execute(f'select * from "{schema}"."{table}"').pl().select(pl.col(pl.String)).rows()
                )
    return text


def test_what_counts_is_not_forgotten(told: Told) -> None:
    refused = told.said["stands"]
    assert refused.returncode == 2
    assert f"submission {told.ids['submission']} of reedmere/2018 stands and counts" in refused.stderr
    assert told.said["taken back"].returncode == 0


def test_a_dry_run_names_what_would_go_and_leaves_it(told: Told) -> None:
    dry = told.said["dry"]
    assert dry.returncode == 0, dry.stderr
    assert f"{NAME} (" in dry.stdout
    assert f"{told.ids['release']} would be withdrawn" in dry.stdout
    assert "Dry run: nothing was deleted." in dry.stdout
    kinds = {path.split("/")[0] for path in told.before}
    assert {"lake", "outbox", "publish"} <= kinds


def test_no_byte_of_it_is_found_outside_the_bucket_but_its_name_in_a_later_release(told: Told) -> None:
    assert told.said["forgotten"].returncode == 0, told.said["forgotten"].stderr
    later = f"publish/releases/{told.ids['second']}/internal.duckdb"
    left = [path for path in found(told.home) if path not in (later, "publish/current.duckdb")]
    assert left == []
    with duckdb.connect(str(told.home / later), read_only=True) as database:
        names = database.execute("select count(*) from ops.ledger_event where name = ?", [NAME]).fetchone()
    assert names is not None and names[0] > 0
    assert "later releases name the file in schema ops" in told.said["forgotten"].stdout


def test_what_is_said_of_the_receipt_of_a_folder_that_was_taken_back_is_so_after_the_next_run(told: Told) -> None:
    assert "a folder that was taken back has no receipt any more" in told.said["forgotten"].stdout
    assert not list((told.home / "outbox" / "reedmere").rglob("*.json"))


def test_bytes_that_another_submission_holds_stay(told: Told) -> None:
    assert "Kept     shared.csv" in told.said["forgotten"].stdout
    raw = [path.read_text(encoding="utf-8") for path in (told.home / "lake" / "raw").rglob("*") if path.is_file()]
    assert SHARED in raw
    query = "select count(*) from marts.fct_indicator_value where community_id = 'quill_harbor'"
    assert current(told.home).rows(query) == [(2,)]


def test_every_release_that_holds_it_is_withdrawn_and_keeps_its_manifest_alone(told: Told) -> None:
    release = told.home / "publish" / "releases" / told.ids["release"]
    assert [path.name for path in release.iterdir()] == ["manifest.json"]
    states = (told.home / "publish" / "states.csv").read_text(encoding="utf-8")
    assert f"{told.ids['release']},withdrawn,{EXAMPLE_TODAY},asked for by the member" in states
    assert f"{told.ids['public']},withdrawn" in states
    assert not (told.home / "public" / "releases" / told.ids["public"]).exists()
    kept = told.home / "lake" / "disclosure" / "releases" / told.ids["public"]
    assert (kept / "public.parquet").is_file(), "what was out is audited with every later edition"


def test_the_next_run_makes_the_same_release_again_and_the_doctor_is_content(told: Told) -> None:
    assert told.said["after"].returncode == 0, told.said["after"].stderr
    assert current(told.home).folder.name == told.ids["second"]
    assert told.said["doctor"].returncode == 0, told.said["doctor"].stdout
    assert told.said["scan"].returncode == 0
    assert "0 kept files would be refused today" in told.said["scan"].stdout


def test_forgotten_bytes_are_not_missed_in_the_lake(told: Told) -> None:
    assert told.said["reconciled"].returncode == 0, told.said["reconciled"].stdout
    assert told.said["reconciled"].stdout == "bucket = ledger = lake\n"


def test_forgetting_twice_finds_nothing_more_to_delete(told: Told) -> None:
    again = told.said["again"]
    assert again.returncode == 0, again.stderr
    assert "withdrawn" not in again.stdout
    assert NAME not in again.stdout
