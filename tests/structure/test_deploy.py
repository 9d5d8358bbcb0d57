"""What is shipped to run the warehouse with no more rights than it needs: units of services, policies of a bucket.

Belongs here: that these files say what the guide says, and allow what each service does and no more.
Does not: a server's verdict on a policy (tests/integration/test_grant.py), roles in PostgreSQL (test_bi_server.py).
"""

from __future__ import annotations

import configparser
import fnmatch
import json
import re
import shlex
from pathlib import Path
from typing import Any

import click
import dagster._cli
import dagster._daemon.cli
import dagster_webserver.cli
import pytest

from benchmarks.load import of_the_unit

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
GUIDE = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
FENCE = ("NoNewPrivileges", "ProtectSystem", "ProtectHome", "PrivateTmp", "RestrictAddressFamilies", "UMask")
PROGRAMS: dict[str, click.Command] = {
    "dagster": dagster._cli.cli,
    "dagster-daemon": dagster._daemon.cli.cli,
    "dagster-webserver": dagster_webserver.cli.cli,
}
WRITES = {"PutObject", "DeleteObject"}
PLACES = {
    "drop": "arn:aws:s3:::network-uploads",
    **{room: f"arn:aws:s3:::network-house/{room}" for room in ("lake", "outbox", "publish", "public")},
}
# Who may read, and who may write, below each place.
MAY = {
    "warehouse": ({"drop", "lake", "outbox", "publish", "public"}, {"lake", "outbox", "publish", "public"}),
    "page": ({"drop", "lake", "outbox", "publish"}, {"drop"}),
    "analyst": ({"publish", "public"}, set()),
}


def service(path: Path) -> configparser.SectionProxy:
    """The part of a unit that says how it is run."""
    parser = configparser.ConfigParser(interpolation=None, delimiters=("=",))
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(path, encoding="utf-8")
    return parser["Service"]


def allows(policy: dict[str, Any], action: str, resource: str) -> bool:
    """An explicit deny wins, then an allow; without either it is refused."""
    hits = {
        statement["Effect"]
        for statement in policy["Statement"]
        if f"s3:{action}" in statement["Action"]
        and any(fnmatch.fnmatchcase(resource, pattern) for pattern in statement["Resource"])
    }
    return hits == {"Allow"}


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.stem)
def test_a_unit_runs_a_command_of_the_guide_behind_every_fence(path: Path) -> None:
    told = service(path)
    command = told["ExecStart"].removeprefix("/srv/cradle/.venv/bin/")
    assert command in GUIDE
    assert told["User"] == "cradle"
    assert [name for name in FENCE if name not in told] == []
    assert told["ProtectSystem"] == "strict", "all that is not named is read-only"
    assert not re.search(r"-h 0\.0\.0\.0|--host 0\.0\.0\.0", command), "nothing listens beyond this machine"


@pytest.mark.parametrize("path", [path for path in UNITS if path.stem != "cradle-page"], ids=lambda path: path.stem)
def test_the_program_of_a_unit_understands_its_command(path: Path) -> None:
    line = service(path)["ExecStart"].replace("/etc/cradle/workspace.yaml", str(DEPLOY / "systemd" / "workspace.yaml"))
    program, *arguments = shlex.split(line)
    command = PROGRAMS[Path(program).name]
    while isinstance(command, click.Group):
        name, *arguments = arguments
        found = command.get_command(click.Context(command), name)
        assert found, name
        command = found
    command.make_context(path.stem, arguments)  # An option that it does not know, or a value of another kind, raises.


def test_the_process_that_stays_for_weeks_has_few_heaps_and_the_load_is_tried_with_them() -> None:
    assert of_the_unit() == {"MALLOC_ARENA_MAX": "2"}


def test_only_what_starts_runs_may_write_the_whole_home() -> None:
    whole = [path.stem for path in UNITS if "/var/lib/cradle" in service(path)["ReadWritePaths"].split()]
    assert whole == ["cradle-code"]


@pytest.mark.parametrize("name", sorted(MAY))
def test_a_policy_allows_what_its_user_does_and_no_more(name: str) -> None:
    policy = json.loads((DEPLOY / "bucket" / f"{name}.json").read_text(encoding="utf-8"))
    reads, writes = MAY[name]
    assert {room for room, place in PLACES.items() if allows(policy, "GetObject", f"{place}/x")} == reads
    for action in WRITES:
        assert {room for room, place in PLACES.items() if allows(policy, action, f"{place}/x")} == writes
    assert not allows(policy, "PutObject", "arn:aws:s3:::other/lake/x")
    for action in ("PutObjectAcl", "PutBucketPolicy", "DeleteBucket"):
        assert not any(allows(policy, action, place) for place in PLACES.values()), action


def test_every_policy_and_unit_is_named_in_the_guide() -> None:
    named = [path.name for path in [*(DEPLOY / "bucket").iterdir(), *UNITS]]
    assert [name for name in named if name not in GUIDE] == []
