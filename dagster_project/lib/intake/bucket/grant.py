"""What a community needs to upload: a policy for its own folder of the bucket, or one signed address.

Belongs here: the policy document, and which key an upload of a file goes to.
Does not: creating users or keys at the S3 service, or printing (cli/bucket.py).
"""

from __future__ import annotations

import re
from typing import Any

from dagster_project.lib.base.store import split_s3

PLAIN_ID = re.compile(r"[\w.-]+")
PLAIN_NAME = re.compile(r"[^/\\\x00-\x1f\x7f]{1,200}")
PUBLIC_ACLS = ("public-read", "public-read-write", "authenticated-read")
GRANT_HEADERS = ("read", "write", "read-acp", "write-acp", "full-control")


class GrantError(ValueError):
    """The community's id or the file's name cannot be part of a policy or an address."""


def policy(drop_url: str, community_id: str, principal: str | None = None) -> dict[str, Any]:
    """The policy document for one community of an `s3://` drop bucket.

    It allows listing, writing and withdrawing below the community's folder and nothing else, and denies making an
    object public, which a right to write would include. Without `principal` it is an identity policy, to be attached to
    the community's user: one for each, because all of them together exceed the size of a bucket policy. With it, a
    bucket policy. GrantError for an id that would act as a pattern.
    """
    if not PLAIN_ID.fullmatch(community_id) or set(community_id) == {"."}:
        raise GrantError(f"{community_id} cannot be part of a policy; it may hold letters, digits, _, - and .")
    bucket, prefix = split_s3(drop_url)
    folder = f"{prefix}/{community_id}" if prefix else community_id
    everything = f"arn:aws:s3:::{bucket}/*"
    statements: list[dict[str, Any]] = [
        {
            "Sid": "ListOwnFolder",
            "Effect": "Allow",
            "Action": ["s3:ListBucket"],
            "Resource": [f"arn:aws:s3:::{bucket}"],
            # With the slash: without it the folder of a community whose id begins alike could be listed.
            "Condition": {"StringLike": {"s3:prefix": [f"{folder}/*"]}},
        },
        {
            "Sid": "WriteOwnFolder",
            "Effect": "Allow",
            "Action": ["s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"],
            "Resource": [f"arn:aws:s3:::{bucket}/{folder}/*"],
        },
        {
            "Sid": "NeverChangeAccess",
            "Effect": "Deny",
            "Action": ["s3:PutObjectAcl", "s3:PutObjectVersionAcl", "s3:PutBucketAcl", "s3:PutBucketPolicy"],
            "Resource": [f"arn:aws:s3:::{bucket}", everything],
        },
        {
            "Sid": "NeverPublic",
            "Effect": "Deny",
            "Action": ["s3:PutObject"],
            "Resource": [everything],
            "Condition": {"StringEquals": {"s3:x-amz-acl": list(PUBLIC_ACLS)}},
        },
        *(
            {
                "Sid": "NeverGrant" + "".join(word.title() for word in header.split("-")),
                "Effect": "Deny",
                "Action": ["s3:PutObject"],
                "Resource": [everything],
                # Several keys in one condition would have to hold together; each header alone must be refused. Not the
                # operator Null, which Ceph's gateway takes for "is missing" whatever value stands beside it.
                "Condition": {"StringLike": {f"s3:x-amz-grant-{header}": ["*"]}},
            }
            for header in GRANT_HEADERS
        ),
    ]
    if principal is not None:
        statements = [{**statement, "Principal": {"AWS": [principal]}} for statement in statements]
    return {"Version": "2012-10-17", "Statement": statements}


def upload_key(community_id: str, reporting_year: int, name: str) -> str:
    """Where a file of that name goes in the bucket; GrantError for a name that is none."""
    if not PLAIN_NAME.fullmatch(name) or set(name) <= {".", " "}:
        raise GrantError(f"{name!r} is no file name; write one such as values.csv, without folders")
    return f"{community_id}/{reporting_year}/{name}"
