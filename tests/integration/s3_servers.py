"""S3 servers that tests start themselves: moto for speed, Ceph's gateway for what only a real server refuses.

Belongs here: starting and stopping them, and whether this machine has them.
Does not: any test.
"""

from __future__ import annotations

import json
import logging
import os
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
CEPH_PACKAGES = ("radosgw", "ceph-mon", "ceph-osd")
CEPH_PROGRAMS = (*CEPH_PACKAGES, "ceph", "radosgw-admin", "monmaptool")
STORE_STARTS, STORE_SECONDS = 5, 3.0
FSID, OSD = "11111111-2222-3333-4444-555555555555", "66666666-7777-8888-9999-000000000000"
CONFIGURATION = """[global]
fsid = {fsid}
mon host = v1:127.0.0.1:{port}
ms bind msgr2 = false
public addr = 127.0.0.1
auth cluster required = none
auth service required = none
auth client required = none
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 4
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
mon allow pool size one = true
osd objectstore = memstore
memstore device bytes = 536870912
run dir = {folder}/run
admin socket = {folder}/run/$name.asok
log file = {folder}/$name.log
mon data = {folder}/mon
osd data = {folder}/osd
rgw data = {folder}/rgw
"""


@dataclass(frozen=True)
class Account:
    """A user of an S3 server."""

    name: str
    access_key: str
    secret_key: str

    @property
    def environment(self) -> dict[str, str]:
        """The standard variables that clients read."""
        return {
            "AWS_ACCESS_KEY_ID": self.access_key,
            "AWS_SECRET_ACCESS_KEY": self.secret_key,
            "AWS_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
        }


def free_port() -> int:
    """A port that nothing listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def client(endpoint: str, account: Account) -> Any:
    """A client of another make than the project's own, for what a member's tools do."""
    import boto3  # type: ignore[import-untyped]
    from botocore.config import Config  # type: ignore[import-untyped]

    return boto3.client(
        "s3",
        endpoint_url=endpoint,
        aws_access_key_id=account.access_key,
        aws_secret_access_key=account.secret_key,
        region_name="us-east-1",
        config=Config(s3={"addressing_style": "path"}, retries={"max_attempts": 1}),
    )


@contextmanager
def moto_server() -> Iterator[str]:
    """moto over HTTP on a free port of this machine; yields its address."""
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=free_port())
    server.start()
    try:
        host, port = server.get_host_and_port()
        yield f"http://{host}:{port}"
    finally:
        server.stop()


def require_ceph() -> None:
    """Skip, saying what is missing; fail instead in CI once `make system-deps` installs it."""
    missing = [name for name in CEPH_PROGRAMS if shutil.which(name) is None]
    if not missing:
        return
    text = f"SKIPPED FOR WANT OF A REAL S3 SERVER: {', '.join(missing)} (Debian: {' '.join(CEPH_PACKAGES)})"
    if os.environ.get("CI") == "true" and "radosgw" in (ROOT / "Makefile").read_text(encoding="utf-8"):
        pytest.fail(text)
    pytest.skip(text)


@dataclass(frozen=True)
class Gateway:
    """A running Ceph gateway."""

    endpoint: str
    configuration: Path

    def account(self, name: str) -> Account:
        """Create a user."""
        made = _run(
            "radosgw-admin", "-c", str(self.configuration), "user", "create", f"--uid={name}", "--display-name", name
        )
        keys = json.loads(made)["keys"][0]
        return Account(name, keys["access_key"], keys["secret_key"])


@contextmanager
def ceph_gateway(attempts: int = 2) -> Iterator[Gateway]:
    """One monitor, one store in memory and one S3 gateway, for this machine only; takes about fifteen seconds."""
    with ExitStack() as stack:
        for left in reversed(range(attempts)):
            try:
                gateway = stack.enter_context(_cluster())
                break
            except (RuntimeError, subprocess.TimeoutExpired):
                # Another process may have taken a port between its choice and its use.
                if not left:
                    raise
        yield gateway


@contextmanager
def _cluster() -> Iterator[Gateway]:
    # A short path: sockets of the daemons lie in it.
    folder = Path(tempfile.mkdtemp(prefix="s3-"))
    daemons: list[subprocess.Popen[bytes]] = []
    try:
        yield _started(folder, daemons)
    finally:
        for daemon in reversed(daemons):
            daemon.kill()
            daemon.wait()
        shutil.rmtree(folder, ignore_errors=True)


def _started(folder: Path, daemons: list[subprocess.Popen[bytes]]) -> Gateway:
    for name in ("run", "mon", "osd", "rgw"):
        (folder / name).mkdir()
    monitor, port = free_port(), free_port()
    configuration = folder / "ceph.conf"
    configuration.write_text(CONFIGURATION.format(fsid=FSID, port=monitor, folder=folder), encoding="utf-8")
    use = ("-c", str(configuration))
    address = f"[v1:127.0.0.1:{monitor}]"
    _run("monmaptool", "--create", "--clobber", "--addv", "a", address, "--fsid", FSID, str(folder / "monmap"))
    _run("ceph-mon", *use, "--mkfs", "-i", "a", "--monmap", str(folder / "monmap"))
    daemons.append(_start(folder, "ceph-mon", *use, "-f", "-i", "a"))
    _run("ceph", *use, "--connect-timeout", "30", "osd", "new", OSD)
    _run("ceph-osd", *use, "-i", "0", "--mkfs", "--osd-uuid", OSD)
    _start_store(folder, use, daemons)
    # Pools are made by the first request; this returns only once the store is up.
    _run("radosgw-admin", *use, "user", "list")
    frontend = f"--rgw-frontends=beast endpoint=127.0.0.1:{port}"
    daemons.append(_start(folder, "radosgw", *use, "-f", "-n", "client.rgw", frontend))
    endpoint = f"http://127.0.0.1:{port}"
    _wait_for(endpoint)
    return Gateway(endpoint, configuration)


def _start_store(folder: Path, use: tuple[str, ...], daemons: list[subprocess.Popen[bytes]]) -> None:
    """Start the store, again where it ends at once: it may ask its monitor for a place before it knows the cluster."""
    for _ in range(STORE_STARTS):
        daemons.append(_start(folder, "ceph-osd", *use, "-f", "-i", "0"))
        try:
            daemons[-1].wait(STORE_SECONDS)
        except subprocess.TimeoutExpired:
            return
    raise RuntimeError("ceph-osd ends as soon as it is started")


def _run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    if done.returncode:
        raise RuntimeError(f"{command[0]} failed: {done.stderr.strip()[-500:]}")
    return done.stdout


def _start(folder: Path, *command: str) -> subprocess.Popen[bytes]:
    with (folder / f"{command[0]}.out").open("wb") as out:
        return subprocess.Popen(command, stdout=out, stderr=out)


def _wait_for(endpoint: str, seconds: float = 60.0) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            urllib.request.urlopen(endpoint, timeout=5).close()
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.2)
        else:
            return
    raise RuntimeError(f"{endpoint} did not answer within {seconds:g} seconds")
