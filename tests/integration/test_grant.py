"""A real S3 server refuses what a grant does not allow.

Belongs here: the printed policy and the signed address in the hands of a member, at Ceph's gateway.
Does not: the policy by its own rules (tests/unit/intake/test_grant.py), intake over S3 (test_s3_bucket.py).
"""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from dagster_project.cli.bucket import grant
from dagster_project.lib.base.reference import Reference
from dagster_project.lib.base.store import DeniedError, Store
from tests.integration.s3_servers import Account, Gateway, ceph_gateway, client, require_ceph

SEEDS = Path(__file__).resolve().parents[2] / "seeds"
OWN, OTHER = Reference(SEEDS).communities["community_id"].to_list()[:2]
BUCKET = "network"
BYTES = b"school_year,indicator,dimension,group,value\n"


@pytest.fixture(scope="module")
def gateway() -> Iterator[Gateway]:
    require_ceph()
    with ceph_gateway() as running:
        yield running


@pytest.fixture(scope="module")
def owner(gateway: Gateway) -> Account:
    account = gateway.account("owner")
    client(gateway.endpoint, account).create_bucket(Bucket=BUCKET)
    return account


@pytest.fixture
def in_force(gateway: Gateway, owner: Account, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The settings of the network's own machine."""
    settings = {
        **owner.environment,
        "CRADLE_HOME": str(tmp_path),
        "CRADLE_SEEDS": str(SEEDS),
        "CRADLE_TODAY": "2026-06-30",
        "CRADLE_DROP_URL": f"s3://{BUCKET}/drop",
        "CRADLE_S3_ENDPOINT": gateway.endpoint,
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, value)


@pytest.fixture(scope="module")
def member(gateway: Gateway, owner: Account) -> Any:
    """A client of a member's own user, which has no right but the policy's."""
    return client(gateway.endpoint, gateway.account("member"))


@pytest.fixture
def granted(gateway: Gateway, owner: Account, member: Any, in_force: None) -> Any:
    """The member's client after the printed policy was put in force."""
    printed = CliRunner().invoke(grant, [OWN, "--principal", "arn:aws:iam:::user/member"])
    assert printed.exit_code == 0, printed.output
    client(gateway.endpoint, owner).put_bucket_policy(Bucket=BUCKET, Policy=printed.output)
    return member


def refused(call: Any, **arguments: Any) -> bool:
    from botocore.exceptions import ClientError  # type: ignore[import-untyped]

    try:
        call(**arguments)
    except ClientError as error:
        assert error.response["Error"]["Code"] == "AccessDenied", error
        return True
    return False


def test_a_member_writes_and_withdraws_below_its_own_folder(granted: Any) -> None:
    key = f"drop/{OWN}/2024/values.csv"
    granted.put_object(Bucket=BUCKET, Key=key, Body=BYTES)
    listed = granted.list_objects_v2(Bucket=BUCKET, Prefix=f"drop/{OWN}/")
    assert [entry["Key"] for entry in listed["Contents"]] == [key]
    granted.delete_object(Bucket=BUCKET, Key=key)


@pytest.mark.parametrize("key", [f"drop/{OTHER}/2024/values.csv", f"drop/{OWN}x/2024/values.csv", "lake/ops/x", "x"])
def test_a_member_writes_nowhere_else(granted: Any, key: str) -> None:
    assert refused(granted.put_object, Bucket=BUCKET, Key=key, Body=BYTES)
    assert refused(granted.delete_object, Bucket=BUCKET, Key=key)


@pytest.mark.parametrize("prefix", ["", "drop/", f"drop/{OTHER}/", f"drop/{OWN}", "lake/"])
def test_a_member_lists_nothing_else(granted: Any, prefix: str) -> None:
    assert refused(granted.list_objects_v2, Bucket=BUCKET, Prefix=prefix)


def test_a_member_cannot_make_its_files_public(granted: Any) -> None:
    key = f"drop/{OWN}/2024/public.csv"
    for acl in ("public-read", "public-read-write", "authenticated-read"):
        assert refused(granted.put_object, Bucket=BUCKET, Key=key, Body=BYTES, ACL=acl), acl
    everyone = "uri=http://acs.amazonaws.com/groups/global/AllUsers"
    assert refused(granted.put_object, Bucket=BUCKET, Key=key, Body=BYTES, GrantRead=everyone)
    granted.put_object(Bucket=BUCKET, Key=key, Body=BYTES)
    assert refused(granted.put_object_acl, Bucket=BUCKET, Key=key, ACL="public-read")


def test_a_member_reads_nothing_of_others(gateway: Gateway, owner: Account, granted: Any) -> None:
    key = f"drop/{OTHER}/2024/values.csv"
    client(gateway.endpoint, owner).put_object(Bucket=BUCKET, Key=key, Body=BYTES)
    assert refused(granted.get_object, Bucket=BUCKET, Key=key)
    client(gateway.endpoint, owner).delete_object(Bucket=BUCKET, Key=key)


def test_without_the_policy_a_member_can_do_nothing(gateway: Gateway, owner: Account, member: Any) -> None:
    client(gateway.endpoint, owner).delete_bucket_policy(Bucket=BUCKET)
    assert refused(member.put_object, Bucket=BUCKET, Key=f"drop/{OWN}/2024/values.csv", Body=BYTES)


def upload(address: str) -> int:
    request = urllib.request.Request(address, data=BYTES, method="PUT")
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


@pytest.mark.usefixtures("in_force")
def test_a_signed_address_takes_its_own_key_and_no_other(gateway: Gateway) -> None:
    printed = CliRunner().invoke(grant, [OWN, "--presign", "values.csv", "--year", "2024", "--minutes", "5"])
    assert printed.exit_code == 0, printed.output
    address = printed.output.strip()
    assert upload(address) == 200
    store = Store(f"s3://{BUCKET}/drop", gateway.endpoint)
    assert store.get(f"{OWN}/2024/values.csv") == BYTES
    for elsewhere in (
        address.replace(OWN, OTHER),
        address.replace("/2024/", "/2023/"),
        address.replace("values.csv", "other.csv"),
        address.split("?")[0],
    ):
        assert upload(elsewhere) == 403, elsewhere
    assert store.objects(OTHER) == []


@pytest.mark.usefixtures("in_force")
def test_of_many_writers_of_one_key_a_real_server_lets_one_create_it(gateway: Gateway) -> None:
    store = Store(f"s3://{BUCKET}/lake", gateway.endpoint)
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda number: store.create("ops/one", json.dumps(number).encode()), range(24)))
    assert sum(made) == 1
    assert store.get("ops/one") == json.dumps(made.index(True)).encode()


def test_the_warehouse_under_its_shipped_policy_reads_uploads_and_writes_none(
    gateway: Gateway, owner: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = json.loads((SEEDS.parent / "deploy" / "bucket" / "warehouse.json").read_text(encoding="utf-8"))
    keeper = client(gateway.endpoint, owner)
    for name, value in gateway.account("warehouse").environment.items():
        monkeypatch.setenv(name, value)
    for bucket in ("network-uploads", "network-house"):
        keeper.create_bucket(Bucket=bucket)
        # As the policy of a bucket, which names its user and nothing of other buckets.
        own = [
            {**told, "Principal": {"AWS": ["arn:aws:iam:::user/warehouse"]}, "Resource": mine}
            for told in document["Statement"]
            if (mine := [place for place in told["Resource"] if place.split(":::")[1].split("/")[0] == bucket])
        ]
        keeper.put_bucket_policy(Bucket=bucket, Policy=json.dumps({**document, "Statement": own}))
    upload = f"{OWN}/2024/values.csv"
    keeper.put_object(Bucket="network-uploads", Key=upload, Body=BYTES)
    drop, lake = Store("s3://network-uploads", gateway.endpoint), Store("s3://network-house/lake", gateway.endpoint)
    assert drop.get(upload) == BYTES
    assert [info.key for info in drop.objects(OWN)] == [upload]
    with pytest.raises(DeniedError):
        drop.put(upload, b"")
    with pytest.raises(DeniedError):
        drop.delete([upload])
    assert lake.create("ops/own", BYTES) and not lake.create("ops/own", BYTES)
    assert lake.get("ops/own") == BYTES and lake.get_or_none("ops/none") is None
    lake.delete(["ops/own"])
    assert lake.objects("ops") == []
