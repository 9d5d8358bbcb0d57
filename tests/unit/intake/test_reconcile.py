"""Reconcile tells every way in which bucket, ledger and lake can disagree.

Belongs here: each difference made by hand, and that mending it makes the difference go.
Does not: random events (test_ledger_model.py), S3 (tests/integration).
"""

from __future__ import annotations

import datetime as dt
import hashlib
import io
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner

from dagster_project.cli.bucket import reconcile as command
from dagster_project.lib.base.store import Store
from dagster_project.lib.intake.batch import Intake
from dagster_project.lib.intake.bucket.lake import FORGOTTEN_KEY, forget_bytes, partition_key, raw_key
from dagster_project.lib.intake.bucket.plan import Selection
from dagster_project.lib.intake.bucket.reconcile import reconcile
from dagster_project.lib.intake.session import Places, run_intake
from tests.unit.intake.comparing import COMMUNITY, REFERENCE

TODAY = dt.date(2026, 6, 30)
VALUES = b"school_year,indicator,dimension,group,numerator,denominator\n2022,graduation_4yr_pct,all,all,80,100\n"
PERSONS = b"student_id,first_name,last_name\n1,A,B\n"
KEY = f"{COMMUNITY}/2022/values.csv"
INTAKE = Intake(REFERENCE)


@pytest.fixture
def places(tmp_path: Path) -> Places:
    """A bucket with one good and one refused file, taken."""
    made = Places(Store(str(tmp_path / "drop")), Store(str(tmp_path / "lake")))
    made.drop.put(KEY, VALUES)
    made.drop.put(f"{COMMUNITY}/2022/students.csv", PERSONS)
    take(made)
    return made


def take(places: Places) -> None:
    for _ in run_intake(places, INTAKE, TODAY, Selection(), "run"):
        pass


def told(places: Places) -> list[tuple[str, str]]:
    return [(line.subject, line.what) for line in reconcile(places.drop, places.lake, REFERENCE, TODAY)]


def sha(places: Places) -> str:
    files = pl.read_parquet(io.BytesIO(places.lake.get(partition_key("files", COMMUNITY, 2022))))
    return str(files.filter(pl.col("name") == "values.csv")["sha256"][0])


def test_after_a_run_nothing_differs(places: Places) -> None:
    assert told(places) == []


def test_a_new_file_differs_until_the_next_run(places: Places) -> None:
    places.drop.put(f"{COMMUNITY}/2023/new.csv", VALUES)
    assert told(places) == [(f"{COMMUNITY}/2023/new.csv", "lies in the bucket and the ledger has not seen it")]
    take(places)
    assert told(places) == []


def test_a_replaced_file_differs_in_version_and_bytes(places: Places) -> None:
    places.drop.put(KEY, VALUES.replace(b"80", b"81"))
    assert told(places) == [
        (KEY, "another version lies in the bucket than the ledger has seen"),
        (KEY, "the bytes in the bucket do not hash to what the ledger says"),
    ]


def test_a_deleted_folder_leaves_ledger_and_lake_behind(places: Places) -> None:
    places.drop.put(f"{COMMUNITY}/2023/values.csv", VALUES)
    take(places)
    places.drop.delete([KEY, f"{COMMUNITY}/2022/students.csv"])
    what = {text for _, text in told(places)}
    assert what == {"stands in the ledger and is gone from the bucket", "the partition has no folder in the bucket"}
    take(places)
    assert told(places) == []


def test_raw_bytes_that_are_lost_changed_or_should_not_be_there_are_told(places: Places) -> None:
    key = raw_key(sha(places))
    places.lake.put(key, b"other bytes")
    assert told(places) == [(key, "the bytes do not hash to their key")]
    places.lake.delete([key])
    mend = f"`cradle run --community {COMMUNITY} --years 2022` keeps them again"
    assert told(places) == [(key, f"bytes that the ledger has seen are not kept; {mend}")]
    places.lake.put(key, VALUES)
    refused = raw_key(hashlib.sha256(PERSONS).hexdigest())
    places.lake.put(refused, PERSONS)
    assert told(places) == [(refused, "bytes refused as person-level are kept")]


def test_forgotten_bytes_are_missed_only_where_a_file_that_counts_has_them(places: Places) -> None:
    lost = sha(places)
    forget_bytes(places.lake, [lost])
    assert [subject for subject, _ in told(places)] == [raw_key(lost)]
    places.drop.put(KEY, VALUES.replace(b"80", b"81"))
    take(places)
    assert told(places) == []
    places.lake.delete([FORGOTTEN_KEY])
    assert [subject for subject, _ in told(places)] == [raw_key(lost)]


def test_a_lost_partition_is_told(places: Places) -> None:
    places.lake.delete([partition_key("files", COMMUNITY, 2022)])
    assert told(places) == [(f"{COMMUNITY}/2022", "the folder has no partition in the lake")]


def test_rows_of_another_submission_are_told(places: Places) -> None:
    key = partition_key("observations", COMMUNITY, 2022)
    rows = pl.read_parquet(io.BytesIO(places.lake.get(key))).with_columns(pl.lit("f" * 16).alias("submission_id"))
    buffer = io.BytesIO()
    rows.write_parquet(buffer)
    places.lake.put(key, buffer.getvalue())
    assert told(places) == [(f"{COMMUNITY}/2022", "rows of observations belong to another submission")]


def test_a_partition_of_no_folder_is_told(places: Places) -> None:
    key = partition_key("observations", COMMUNITY, 2019)
    places.lake.put(key, places.lake.get(partition_key("observations", COMMUNITY, 2022)))
    places.lake.put("intake/observations/elsewhere.parquet", b"x")
    assert told(places) == [
        (key, "the partition has no folder in the bucket"),
        ("intake/observations/elsewhere.parquet", "no partition has such a key"),
    ]


def test_a_folder_that_cannot_be_listed_is_told_and_its_partition_stands(places: Places, tmp_path: Path) -> None:
    (tmp_path / "drop" / COMMUNITY / "2022" / "new\nline.csv").write_bytes(VALUES)
    like_s3 = Places(Store(places.drop.url), places.lake)
    like_s3.drop.folder = None  # listed by the client alone, which fails at the first odd key
    take(like_s3)
    assert told(like_s3) == [(f"{COMMUNITY}/2022", "the folder cannot be looked into")]
    assert places.lake.get_or_none(partition_key("observations", COMMUNITY, 2022)) is not None


def test_the_command_ends_with_one_where_something_differs(tmp_path: Path) -> None:
    env = {"CRADLE_HOME": str(tmp_path), "CRADLE_SEEDS": str(REFERENCE.folder), "CRADLE_TODAY": TODAY.isoformat()}
    absent = CliRunner().invoke(command, env=env)
    assert (absent.exit_code, (tmp_path / "drop").exists()) == (1, False)
    (tmp_path / "drop").mkdir()
    clean = CliRunner().invoke(command, env=env)
    assert (clean.exit_code, clean.output) == (0, "bucket = ledger = lake\n")
    Store(str(tmp_path / "drop")).put(KEY, VALUES)
    differs = CliRunner().invoke(command, env=env)
    assert differs.exit_code == 1
    assert differs.output.splitlines()[0].startswith(f"bucket and ledger: {KEY}: lies in the bucket")
    as_json = CliRunner().invoke(command, ["--json"], env=env)
    assert as_json.exit_code == 1
    assert '"between": "bucket and ledger"' in as_json.output
