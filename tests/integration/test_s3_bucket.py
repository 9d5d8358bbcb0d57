"""The same code over s3:// as over a folder, against a server that the test starts.

Belongs here: intake, receipts, ledger, reconcile and publishing over HTTP; partial uploads; create-only writes.
Does not: who may write where (test_grant.py), rules and figures.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import io
import itertools
import json
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest
from click.testing import CliRunner

from dagster_project.cli.bucket import grant
from dagster_project.cli.bucket import reconcile as reconcile_command
from dagster_project.lib.base.reference import Reference
from dagster_project.lib.base.store import PIECE_BYTES, OddKeyError, Store, StoreError
from dagster_project.lib.intake.batch import Intake
from dagster_project.lib.intake.bucket.plan import Selection
from dagster_project.lib.intake.bucket.reconcile import reconcile
from dagster_project.lib.intake.reading.limits import Limits
from dagster_project.lib.intake.session import IntakeResult, Places, TakenPartition, run_intake
from dagster_project.lib.publish.release.as_built import ReleaseFacts
from dagster_project.lib.publish.release.decisions import withdraw
from dagster_project.lib.publish.release.pointing import current_release, read_manifest
from dagster_project.lib.publish.release.release import Release, publish
from dagster_project.lib.publish.release.retention import delete_data
from dagster_project.lib.receipts.receipts import write_receipts
from dagster_project.lib.warehouse.landing import Landed, gather
from tests.integration.s3_servers import Account, client, moto_server

SEEDS = Path(__file__).resolve().parents[2] / "seeds"
REFERENCE = Reference(SEEDS)
INTAKE = Intake(REFERENCE)
TODAY = dt.date(2026, 6, 30)
ACCOUNT = Account("network", "network-key", "network-secret")
FIRST, SECOND = REFERENCE.communities["community_id"].to_list()[:2]
HEADER = "school_year,indicator,dimension,group,numerator,denominator\n"
VALUES = f"{HEADER}2022,graduation_4yr_pct,all,all,80,100\n2022,graduation_4yr_pct,gender,female,41,50\n"
PART = 5 * 1024 * 1024  # the smallest part that S3 takes
NUMBERS = itertools.count(1)


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    with pytest.MonkeyPatch.context() as patch, moto_server() as address:
        for name, value in ACCOUNT.environment.items():
            patch.setenv(name, value)
        yield address


@pytest.fixture
def bucket(endpoint: str) -> tuple[Any, str]:
    """A client and the name of an empty bucket."""
    name = f"bucket-{next(NUMBERS)}"
    s3 = client(endpoint, ACCOUNT)
    s3.create_bucket(Bucket=name)
    return s3, name


@pytest.fixture
def places(bucket: tuple[Any, str], endpoint: str) -> Places:
    _, name = bucket
    return Places(Store(f"s3://{name}/network/drop", endpoint), Store(f"s3://{name}/network/lake", endpoint))


def take(places: Places, selection: Selection | None = None) -> tuple[list[TakenPartition], Landed]:
    items = list(run_intake(places, INTAKE, TODAY, selection or Selection(), "run"))
    result = items[-1]
    assert isinstance(result, IntakeResult)
    return list(result.taken), gather(places.lake, REFERENCE, TODAY, result.strays, ("toa-default", "1.1.0"))


FILES = {
    f"{FIRST}/2022/values.csv": VALUES.encode(),
    f"{FIRST}/2023/values ü.csv": VALUES.replace("2022", "2023").encode("utf-16"),
    f"{SECOND}/2022/values.csv": VALUES.replace("80", "800").encode(),
    f"{SECOND}/2022/stories.csv": b"title,text,indicator,consent,author_role\nA,B,graduation_4yr_pct,yes,parent\n",
    f"{SECOND}/2022/students.csv": b"student_id,first_name,last_name\n1,A,B\n2,C,D\n",
    f"{SECOND}/2022/notes.docx": b"PK\x03\x04",
    "atlantis/2022/values.csv": VALUES.encode(),
    "left_behind.csv": VALUES.encode(),
}


def test_an_s3_bucket_gives_the_very_tables_and_receipts_of_a_folder(
    places: Places, bucket: tuple[Any, str], endpoint: str, tmp_path: Path
) -> None:
    folder = Places(Store(str(tmp_path / "drop")), Store(str(tmp_path / "lake")))
    outboxes = Store(str(tmp_path / "outbox")), Store(f"s3://{bucket[1]}/network/outbox", endpoint)
    landed = []
    for where, outbox in zip((folder, places), outboxes, strict=True):
        for key, data in FILES.items():
            where.drop.put(key, data)
        _, tables = take(where)
        write_receipts(outbox, tables.tables, [FIRST, SECOND])
        landed.append(tables)
        assert reconcile(where.drop, where.lake, REFERENCE, TODAY) == []
    local, remote = landed
    assert sorted(local.tables) == sorted(remote.tables)
    for name, table in local.tables.items():
        assert table.equals(remote[name]), name
    written = [{info.key: outbox.get(info.key) for info in outbox.objects()} for outbox in outboxes]
    assert written[0] == written[1]
    assert f"{SECOND}/2022/receipt.json" in written[1]


def test_an_unchanged_bucket_is_not_taken_again_and_every_change_is_seen(places: Places) -> None:
    places.drop.put(f"{FIRST}/2022/values.csv", VALUES.encode())
    places.drop.put(f"{FIRST}/2023/values.csv", VALUES.encode())
    assert [item.reporting_year for item in take(places)[0]] == [2022, 2023]
    assert take(places)[0] == []
    places.drop.put(f"{FIRST}/2022/values.csv", VALUES.encode())
    assert take(places)[0] == [], "the same bytes again are the same object version"
    places.drop.put(f"{FIRST}/2022/values.csv", VALUES.replace("80", "81").encode())
    places.drop.delete([f"{FIRST}/2023/values.csv"])
    taken, landed = take(places)
    assert sorted((item.reporting_year, item.status) for item in taken) == [(2022, "accepted"), (2023, "withdrawn")]
    assert landed["observations"]["numerator"].to_list() == [81, 41]
    assert reconcile(places.drop, places.lake, REFERENCE, TODAY) == []


def test_a_partial_upload_is_never_read(places: Places, bucket: tuple[Any, str]) -> None:
    s3, name = bucket
    key = f"network/drop/{FIRST}/2022/large.csv"
    note = "x" * 30_000
    lines = [f"{1990 + year},graduation_4yr_pct,all,all,80,100,{note}\n" for year in range(30) for _ in range(7)]
    data = (HEADER.replace("\n", ",note\n") + "".join(lines)).encode()
    upload = s3.create_multipart_upload(Bucket=name, Key=key)["UploadId"]
    parts = []
    for number, start in enumerate(range(0, len(data), PART), 1):
        sent = s3.upload_part(Bucket=name, Key=key, UploadId=upload, PartNumber=number, Body=data[start : start + PART])
        parts.append({"PartNumber": number, "ETag": sent["ETag"]})
        assert take(places)[0] == []
        assert places.drop.objects() == []
    s3.complete_multipart_upload(Bucket=name, Key=key, UploadId=upload, MultipartUpload={"Parts": parts})
    taken, landed = take(places, Selection(frozenset([FIRST])))
    assert [item.rows_read for item in taken] == [210]
    assert landed["files"]["size"].to_list() == [len(data)]


def test_of_many_writers_of_one_key_exactly_one_creates_it(places: Places) -> None:
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda number: places.lake.create("ops/one", str(number).encode()), range(16)))
    assert sum(made) == 1
    assert places.lake.get("ops/one") == str(made.index(True)).encode()


def test_what_somebody_wrote_since_it_was_listed_is_not_replaced(places: Places) -> None:
    place = f"{FIRST}/2022/one.csv"
    places.drop.put(place, b"first")
    listed = places.drop.listed(place)
    assert listed is not None
    places.drop.put(place, b"other")
    assert not places.drop.replace(place, b"mine", listed.etag)
    again = places.drop.listed(place)
    assert again is not None
    assert places.drop.replace(place, b"mine", again.etag)
    assert places.drop.get(place) == b"mine"
    places.drop.delete([place])
    assert not places.drop.replace(place, b"again", again.etag)


@pytest.mark.parametrize("odd", ["//values.csv", "/2022//values.csv", "/../values.csv"])
def test_an_odd_key_spoils_nothing_that_was_taken(places: Places, bucket: tuple[Any, str], odd: str) -> None:
    s3, name = bucket
    places.drop.put(f"{FIRST}/2022/values.csv", VALUES.encode())
    places.drop.put(f"{SECOND}/2022/values.csv", VALUES.encode())
    take(places)
    s3.put_object(Bucket=name, Key=f"network/drop/{FIRST}{odd}", Body=VALUES.encode())
    places.drop.put(f"{SECOND}/2022/values.csv", VALUES.replace("80", "81").encode())
    with pytest.raises(OddKeyError):
        places.drop.objects(FIRST)
    taken, landed = take(places)
    assert [(item.community_id, item.status) for item in taken] == [(SECOND, "accepted")]
    assert landed["observations"].height == 4
    told = landed["findings"].filter(pl.col("rule_id") == "odd_key")["found"].to_list()
    assert len(told) == 1
    assert told[0].startswith(f"{FIRST}: ")
    assert "network/drop" not in told[0]


def test_markers_of_empty_folders_are_no_files(places: Places, bucket: tuple[Any, str]) -> None:
    s3, name = bucket
    for key in ("network/drop/", f"network/drop/{FIRST}/", f"network/drop/{FIRST}/2022/"):
        s3.put_object(Bucket=name, Key=key, Body=b"")
    taken, landed = take(places)
    assert taken == []
    assert landed["findings"].height == 0


def test_a_file_deleted_while_the_run_reads_is_left_out_and_nothing_breaks(places: Places) -> None:
    for file in ("a.csv", "b.csv"):
        places.drop.put(
            f"{FIRST}/2022/{file}", VALUES.replace("gender,female,41,50", f"gender,male,{ord(file[0])},200").encode()
        )
    places.drop.put(f"{SECOND}/2022/values.csv", VALUES.encode())

    class Deleting(Store):
        def get(self, key: str) -> bytes:
            if key.endswith("b.csv"):
                self.delete([key])
            return super().get(key)

    deleting = Deleting(places.drop.url)
    deleting._store = places.drop._store
    take(Places(deleting, places.lake))
    assert reconcile(places.drop, places.lake, REFERENCE, TODAY) == []
    assert take(places)[0] == []


def test_a_release_is_published_to_s3_whole_and_current_points_at_it(
    bucket: tuple[Any, str], endpoint: str, tmp_path: Path
) -> None:
    store = Store(f"s3://{bucket[1]}/publish", endpoint)
    warehouse = tmp_path / "warehouse.duckdb"
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute("create schema marts")
        connection.execute("create table marts.dim_community as select 'alder' as community_id, 'Alder' as name")
    facts = ReleaseFacts(
        "2026-06-30", "toa-default", "1.0.0", 1, "code", "figures", "words", "lock", "seeds", "inputs", []
    )

    def write_report(database: Path, folder: Path, manifest: Any) -> None:
        (folder / "report").mkdir()
        (folder / "report" / "index.html").write_text("<p>report</p>", encoding="utf-8")

    def published() -> Release:
        return publish(
            store=store,
            warehouse=warehouse,
            facts=facts,
            keys={"dim_community": ["community_id"]},
            extra={},
            scratch=tmp_path / "scratch",
            write_report=write_report,
        )

    release = published()
    assert current_release(store) == release.release_id
    keys = [info.key for info in store.objects(f"releases/{release.release_id}")]
    assert {key.rsplit("/", 1)[-1] for key in keys} >= {"internal.duckdb", "index.html", "manifest.json"}
    assert read_manifest(store, release.release_id) == json.loads(json.dumps(release.manifest))
    fetched = tmp_path / "fetched.duckdb"
    fetched.write_bytes(store.get(f"releases/{release.release_id}/internal.duckdb"))
    with duckdb.connect(str(fetched), read_only=True) as connection:
        assert connection.execute("select name from marts.dim_community").fetchall() == [("Alder",)]
    again = published()
    assert (again.release_id, again.is_new) == (release.release_id, False)
    assert store.get("current.duckdb") == fetched.read_bytes(), "the fixed path holds the same database"
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute("insert into marts.dim_community values ('birch', 'Birch')")
    newer = published()
    assert store.get("current.duckdb") == store.get(f"releases/{newer.release_id}/internal.duckdb")
    assert withdraw(store, newer.release_id, dt.date(2026, 7, 1), "no birch") == release.release_id
    assert store.get("current.duckdb") == fetched.read_bytes()
    assert delete_data(store, newer.release_id) > 0
    assert [info.key.rsplit("/", 1)[-1] for info in store.objects(f"releases/{newer.release_id}")] == ["manifest.json"]


def test_a_bucket_that_is_not_there_is_one_plain_line(endpoint: str) -> None:
    with pytest.raises(StoreError) as told:
        Store("s3://no-such-bucket/drop", endpoint).objects()
    text = str(told.value)
    assert text.startswith("cannot list s3://no-such-bucket/drop")
    assert "\n" not in text
    assert "<" not in text


def environment(bucket: str, endpoint: str, home: Path) -> dict[str, str]:
    return {
        **ACCOUNT.environment,
        "CRADLE_HOME": str(home),
        "CRADLE_SEEDS": str(SEEDS),
        "CRADLE_TODAY": TODAY.isoformat(),
        "CRADLE_DROP_URL": f"s3://{bucket}/network/drop",
        "CRADLE_LAKE_URL": f"s3://{bucket}/network/lake",
        "CRADLE_S3_ENDPOINT": endpoint,
    }


def test_reconcile_tells_what_differs_and_then_that_nothing_does(
    places: Places, bucket: tuple[Any, str], endpoint: str, tmp_path: Path
) -> None:
    env = environment(bucket[1], endpoint, tmp_path)
    places.drop.put(f"{FIRST}/2022/values.csv", VALUES.encode())
    before = CliRunner().invoke(reconcile_command, env=env)
    assert before.exit_code == 1
    assert (
        f"bucket and ledger: {FIRST}/2022/values.csv: lies in the bucket and the ledger has not seen it"
        in before.output
    )
    take(places)
    after = CliRunner().invoke(reconcile_command, env=env)
    assert (after.exit_code, after.output) == (0, "bucket = ledger = lake\n")


def test_a_signed_address_takes_the_file_of_one_key(bucket: tuple[Any, str], endpoint: str, tmp_path: Path) -> None:
    env = environment(bucket[1], endpoint, tmp_path)
    printed = CliRunner().invoke(grant, [FIRST, "--presign", "values.csv", "--year", "2022"], env=env)
    assert printed.exit_code == 0, printed.output
    address = printed.output.strip()
    assert address.startswith(f"{endpoint}/{bucket[1]}/network/drop/{FIRST}/2022/values.csv?")
    assert "X-Amz-Expires=3600" in address


class Watched(Store):
    """A store that is never asked for a whole object and notes how much it gave at once."""

    largest = 0

    def get(self, key: str) -> bytes:
        raise AssertionError(f"{key} was read whole")

    def stream(self, key: str) -> Iterator[bytes]:
        for piece in super().stream(key):
            self.largest = max(self.largest, len(piece))
            yield piece


def test_a_file_beyond_its_limit_is_hashed_and_kept_over_s3_piece_by_piece(places: Places, endpoint: str) -> None:
    small = Intake(REFERENCE, Limits(file_bytes=PART, text_bytes=PART))
    large = VALUES.encode() + b"2022,graduation_4yr_pct,all,all,80,100\n" * 1_250_000
    roster = io.BytesIO()
    with zipfile.ZipFile(roster, "w", zipfile.ZIP_STORED) as package:
        package.writestr("xl/media/picture.png", b"\xff" * (9 * PART))
        package.writestr("xl/sharedStrings.xml", "<sst><t>student_id</t><t>first_name</t><t>last_name</t></sst>")
    places.drop.put(f"{FIRST}/2022/large.csv", large)
    places.drop.put(f"{FIRST}/2022/small.csv", VALUES.encode())
    places.drop.put(f"{SECOND}/2022/roster.xlsx", roster.getvalue())
    drop = Watched(places.drop.url, endpoint)
    items = list(run_intake(Places(drop, places.lake), small, TODAY, Selection(), "run"))
    assert PIECE_BYTES <= drop.largest <= 2 * PIECE_BYTES < len(large) / 4
    taken = [item for item in items if isinstance(item, TakenPartition)]
    assert [(item.n_files, item.rows_accepted) for item in taken] == [(2, 2), (1, 0)]
    kept = {info.key: info.size for info in places.lake.objects("raw")}
    shas = [hashlib.sha256(data).hexdigest() for data in (large, VALUES.encode())]
    assert kept == {f"raw/{sha[:2]}/{sha}": size for sha, size in zip(shas, (len(large), len(VALUES)), strict=True)}
    assert reconcile(drop, places.lake, REFERENCE, TODAY) == []
