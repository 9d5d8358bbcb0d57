"""A disk that is full, an outbox that cannot be written, a bucket that fails: each is said in one line or overcome.

Belongs here: `cradle run` under faults of the machine, and the run after them against one that nothing disturbed.
Does not: kills (tests/integration/test_killed_runs.py), the store alone (tests/unit/base/test_store_faults.py).
"""

from __future__ import annotations

import os
import shutil
import subprocess
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.integration.s3_servers import Account, client, moto_server
from tests.long.conftest import Network, ends_in_one_line
from tests.long.faulty_bucket import WAYS, faulty
from tests.support import Published, cradle, cradle_bound_by_modes, current

ACCOUNT = Account("network", "network-key", "network-secret")
ENOUGH = 4 * 2**30
ROOM = tuple(n * 2**20 for n in (1, 3, 6, 10, 16, 24, 36))
"""Bytes that are free when a run begins: from none for the ledger to nearly all that it needs."""
SHARE = 0.08
SEED = 20181231


@contextmanager
def disk(folder: Path) -> Iterator[Path]:
    """A file system of its own in memory; skips loudly where nobody may mount one, fails in CI."""
    folder.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={ENOUGH}", "cradle", folder], capture_output=True)
    if done.returncode:
        message = f"A FULL DISK WAS NOT TRIED: no file system may be mounted here ({done.stderr.decode().strip()})"
        if os.environ.get("CI", "").lower() == "true":
            pytest.fail(message, pytrace=False)
        warnings.warn(pytest.PytestWarning(message), stacklevel=2)
        pytest.skip(message)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


def resize(folder: Path, size: int) -> None:
    """Make that disk larger or smaller, whatever lies on it."""
    subprocess.run(["mount", "-o", f"remount,size={size}", folder], check=True)


def used(folder: Path) -> int:
    """Bytes that lie on it."""
    return shutil.disk_usage(folder).used


def test_a_run_on_a_full_disk_ends_in_one_line_and_the_next_one_with_room_ends_as_ever(
    network: Network, tmp_path: Path
) -> None:
    with disk(tmp_path / "disk") as place:
        home = network.home(place / "home")
        for room in ROOM:
            resize(place, used(place) + room)
            ends_in_one_line(network.run(home))
            resize(place, ENOUGH)
        done = network.run(home)
        assert done.returncode == 0, done.stderr
        assert current(home).hashes == network.calm.release.hashes
        for command in ("verify", "reconcile"):
            assert cradle(command, **network.settings(home)).returncode == 0, command
        assert [path.name for kind in ("release-*", "public-*", "dbt-*") for path in (home / "work").glob(kind)] == []


def test_a_disk_that_fills_up_behind_a_release_leaves_the_release_whole(network: Network, tmp_path: Path) -> None:
    with disk(tmp_path / "disk") as place:
        home = place / "home"
        shutil.copytree(network.calm.home, home)
        before, full = current(home), 0
        upload = home / "drop" / "reedmere" / "2018" / "values.csv"
        upload.write_text(upload.read_text(encoding="utf-8").replace(",47,", ",46,"), encoding="utf-8")
        for room in ROOM:
            resize(place, used(place) + room)
            done = network.run(home)
            # One upload changed: the last of these rooms may do.
            if done.returncode:
                full += 1
                ends_in_one_line(done)
                assert current(home).folder.name == before.folder.name
            assert cradle("verify", **network.settings(home)).returncode == 0
            resize(place, ENOUGH)
        assert full >= len(ROOM) // 2, "the disk was full"
        shutil.copytree(network.drop, home / "drop", dirs_exist_ok=True)
        assert network.run(home).returncode == 0
        assert current(home).hashes == network.calm.release.hashes


def test_an_outbox_that_nobody_may_write_is_said_and_nothing_else_is_missing(network: Network, tmp_path: Path) -> None:
    home = network.home(tmp_path / "home")
    (home / "outbox").mkdir(mode=0o500)
    done = cradle_bound_by_modes("run", **network.settings(home))
    assert "receipts were not written; everything else was done" in ends_in_one_line(done)
    (home / "outbox").chmod(0o700)
    done = network.run(home)
    assert done.returncode == 0, done.stderr
    assert current(home).hashes == network.calm.release.hashes
    receipts = sorted(str(path.relative_to(home)) for path in (home / "outbox").rglob("receipt.json"))
    theirs = network.calm.home
    assert receipts == sorted(str(path.relative_to(theirs)) for path in (theirs / "outbox").rglob("receipt.json"))


@pytest.mark.parametrize("way", WAYS)
def test_a_bucket_that_fails_now_and_then_changes_nothing(
    network: Network, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    for name, value in ACCOUNT.environment.items():
        monkeypatch.setenv(name, value)
    house = f"house-{way}"  # What one server of this process holds, all of them hold.
    with moto_server() as endpoint:
        client(endpoint, ACCOUNT).create_bucket(Bucket=house)
        for path in sorted(network.drop.rglob("*")):
            if path.is_file():
                key = f"drop/{path.relative_to(network.drop)}"
                client(endpoint, ACCOUNT).put_object(Bucket=house, Key=key, Body=path.read_bytes())
        places = {f"CRADLE_{room.upper()}_URL": f"s3://{house}/{room}" for room in ROOMS}
        with faulty(endpoint, way, SHARE, SEED) as faults:
            done = network.run(tmp_path / "home", CRADLE_S3_ENDPOINT=faults.url, **places)
            tries = 1
            while done.returncode and tries < 4:
                print(way, ends_in_one_line(done))
                done = network.run(tmp_path / "home", CRADLE_S3_ENDPOINT=faults.url, **places)
                tries += 1
        print(way, f"{tries} runs", dict(faults.seen))
        assert faults.seen[way] > 5, "the bucket did fail"
        assert done.returncode == 0, done.stderr
        s3 = client(endpoint, ACCOUNT)
        name = s3.get_object(Bucket=house, Key="publish/current")["Body"].read().decode().strip()
        folder = tmp_path / "fetched"
        folder.mkdir()
        data = s3.get_object(Bucket=house, Key=f"publish/releases/{name}/manifest.json")["Body"].read()
        (folder / "manifest.json").write_bytes(data)
        assert Published(folder).hashes == network.calm.release.hashes
        checked = cradle("verify", **network.settings(tmp_path / "home", CRADLE_S3_ENDPOINT=endpoint, **places))
        assert checked.returncode == 0, checked.stderr


ROOMS = ("drop", "lake", "outbox", "publish", "public")


@pytest.mark.parametrize("way", ["500", "reset", "half"])
def test_a_bucket_that_only_fails_ends_a_run_in_one_line(
    network: Network, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    for name, value in ACCOUNT.environment.items():
        monkeypatch.setenv(name, value)
    with moto_server() as endpoint, faulty(endpoint, way, 1.0, SEED) as faults:
        home = network.home(tmp_path / "home")
        line = ends_in_one_line(network.run(home, CRADLE_S3_ENDPOINT=faults.url, CRADLE_LAKE_URL="s3://house/lake"))
        assert "s3://house/lake" in line
        assert not (home / "publish" / "current").exists()
