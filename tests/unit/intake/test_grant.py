"""What a grant allows and what it refuses, by the evaluation rules of policies.

Belongs here: the policy document judged as the service judges it, keys of uploads, the command without a bucket.
Does not: a server's own verdict (tests/integration/test_grant.py).
"""

from __future__ import annotations

import fnmatch
import json
import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from dagster_project.cli.bucket import grant
from dagster_project.lib.base.reference import Reference
from dagster_project.lib.intake.bucket.grant import GrantError, policy, upload_key

SEEDS = Path(__file__).resolve().parents[3] / "seeds"
COMMUNITY = Reference(SEEDS).communities["community_id"][0]
DROP = "s3://network/drop"
DOCUMENT = policy(DROP, "alder")
OWN = "arn:aws:s3:::network/drop/alder/2024/values.csv"
OTHERS = (
    "arn:aws:s3:::network/drop/alderwick/2024/values.csv",
    "arn:aws:s3:::network/drop/birch/2024/values.csv",
    "arn:aws:s3:::network/drop/_network/2024/gateway_decisions.csv",
    "arn:aws:s3:::network/drop/alder",
    "arn:aws:s3:::network/lake/ops/ledger/00000001.parquet",
    "arn:aws:s3:::network/lake/drop/alder/2024/values.csv",
    "arn:aws:s3:::other/drop/alder/2024/values.csv",
)


def allowed(document: dict[str, Any], action: str, resource: str, **context: str) -> bool:
    """An explicit deny wins, then an allow; without either it is refused."""
    effects = {
        statement["Effect"]
        for statement in document["Statement"]
        if any(like(action, pattern) for pattern in statement["Action"])
        and any(like(resource, pattern) for pattern in statement["Resource"])
        and holds(statement.get("Condition", {}), context)
    }
    return effects == {"Allow"}


def like(text: str, pattern: str) -> bool:
    # Of the shell's patterns only * and ? mean the same in a policy.
    return re.fullmatch(fnmatch.translate(pattern.replace("[", "[[]")), text) is not None


def holds(condition: dict[str, dict[str, Any]], context: dict[str, str]) -> bool:
    """All keys of all operators must hold; several values of one key are alternatives."""
    for operator, keys in condition.items():
        for key, wanted in keys.items():
            given = context.get(key.removeprefix("s3:").replace("-", "_"))
            if operator == "StringEquals":
                if given not in wanted:
                    return False
            elif operator == "StringLike":
                if given is None or not any(like(given, pattern) for pattern in wanted):
                    return False
            else:
                raise AssertionError(operator)
    return True


@pytest.mark.parametrize("action", ["s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"])
def test_a_community_writes_below_its_own_folder_only(action: str) -> None:
    assert allowed(DOCUMENT, action, OWN)
    assert not [other for other in OTHERS if allowed(DOCUMENT, action, other)]


def test_a_community_lists_its_own_folder_only() -> None:
    bucket = "arn:aws:s3:::network"
    assert allowed(DOCUMENT, "s3:ListBucket", bucket, prefix="drop/alder/")
    assert allowed(DOCUMENT, "s3:ListBucket", bucket, prefix="drop/alder/2024/")
    for prefix in ("", "drop/", "drop/alder", "drop/alderwick/", "drop/birch/", "lake/"):
        assert not allowed(DOCUMENT, "s3:ListBucket", bucket, prefix=prefix), prefix
    assert not allowed(DOCUMENT, "s3:ListBucket", bucket), "without a prefix everything would be listed"


@pytest.mark.parametrize("acl", ["public-read", "public-read-write", "authenticated-read"])
def test_no_object_can_be_made_public(acl: str) -> None:
    assert not allowed(DOCUMENT, "s3:PutObject", OWN, x_amz_acl=acl)
    assert allowed(DOCUMENT, "s3:PutObject", OWN, x_amz_acl="private")


@pytest.mark.parametrize("header", ["read", "write", "read-acp", "write-acp", "full-control"])
def test_no_right_on_an_object_can_be_given_away(header: str) -> None:
    given = {f"x_amz_grant_{header.replace('-', '_')}": "uri=http://acs.amazonaws.com/groups/global/AllUsers"}
    assert not allowed(DOCUMENT, "s3:PutObject", OWN, **given)


def test_rights_on_objects_cannot_be_changed_later() -> None:
    assert not allowed(DOCUMENT, "s3:PutObjectAcl", OWN)
    widened = {"Effect": "Allow", "Action": ["s3:*"], "Resource": ["*"]}
    more = {**DOCUMENT, "Statement": [*DOCUMENT["Statement"], widened]}
    assert allowed(more, "s3:GetObject", OWN)
    assert not allowed(more, "s3:PutObjectAcl", OWN), "a deny outlives any other allow"


def test_reading_is_not_part_of_a_grant() -> None:
    assert not allowed(DOCUMENT, "s3:GetObject", OWN)


def test_a_bucket_policy_names_its_principal() -> None:
    document = policy(DROP, "alder", "arn:aws:iam::1:user/alder")
    assert {json.dumps(statement["Principal"]) for statement in document["Statement"]} == {
        '{"AWS": ["arn:aws:iam::1:user/alder"]}'
    }
    assert "Principal" not in DOCUMENT["Statement"][0]


def test_a_bucket_without_a_prefix_has_folders_at_its_top() -> None:
    document = policy("s3://network", "alder")
    assert allowed(document, "s3:PutObject", "arn:aws:s3:::network/alder/2024/values.csv")
    assert not allowed(document, "s3:PutObject", "arn:aws:s3:::network/birch/2024/values.csv")


@pytest.mark.parametrize("community", ["*", "al?er", "a/b", "", "..", "${aws:username}"])
def test_an_id_that_acts_as_a_pattern_is_refused(community: str) -> None:
    with pytest.raises(GrantError):
        policy(DROP, community)


@pytest.mark.parametrize("name", ["", "..", ".", "a/b.csv", "a\\b.csv", "a\nb.csv", "../x.csv", "x" * 201])
def test_a_name_that_leads_elsewhere_is_refused(name: str) -> None:
    with pytest.raises(GrantError):
        upload_key("alder", 2024, name)


def test_an_upload_goes_into_the_folder_of_its_year() -> None:
    assert upload_key("alder", 2024, "values ü.csv") == "alder/2024/values ü.csv"


def invoke(*arguments: str, drop: str | None = DROP, home: Path = Path("unused")) -> Any:
    variables = {"CRADLE_SEEDS": str(SEEDS), "CRADLE_TODAY": "2026-06-30", "CRADLE_HOME": str(home)}
    if drop:
        variables["CRADLE_DROP_URL"] = drop
    return CliRunner().invoke(grant, list(arguments), env=variables)


def test_the_command_prints_the_policy() -> None:
    printed = invoke(COMMUNITY)
    assert printed.exit_code == 0
    assert json.loads(printed.output) == policy(DROP, COMMUNITY)
    assert invoke(COMMUNITY, "--policy").output == printed.output


def test_for_a_folder_the_command_says_in_one_line_what_to_do(tmp_path: Path) -> None:
    told = invoke(COMMUNITY, drop=None, home=tmp_path)
    assert told.exit_code == 2
    assert len(told.output.strip().splitlines()) == 1
    assert f"{tmp_path}/drop/{COMMUNITY}" in told.output


@pytest.mark.parametrize(
    "arguments",
    [
        ("atlantis",),
        (COMMUNITY, "--presign", "a.csv"),
        (COMMUNITY, "--presign", "a.csv", "--year", "1066"),
        (COMMUNITY, "--presign", "../a.csv", "--year", "2024"),
        (COMMUNITY, "--policy", "--presign", "a.csv", "--year", "2024"),
    ],
)
def test_what_cannot_be_granted_is_a_usage_error(arguments: tuple[str, ...]) -> None:
    assert invoke(*arguments).exit_code == 2
