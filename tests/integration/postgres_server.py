"""A PostgreSQL server of the system's packages for one test session, on a port of its own.

Belongs here: finding the server's programs, starting it as a user that may run it, stopping and killing it.
Does not: what is loaded into it, expectations (test_*.py).
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

# The server refuses to run as root; nobody owns nothing else.
UNPRIVILEGED = "nobody"
NAMELESS = "127.0.0.1"


def _programs() -> Path | None:
    """The folder of the newest installed server; distributions keep it off the path."""
    found = shutil.which("pg_ctl")
    if found:
        return Path(found).parent
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_ctl"), key=lambda path: int(path.parts[-3]))
    return folders[-1].parent if folders else None


def _run(command: Sequence[str | Path], folder: Path) -> None:
    user = pwd.getpwnam(UNPRIVILEGED) if os.geteuid() == 0 else None
    ids = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []} if user else {}
    environment = {"PATH": os.environ["PATH"], "LC_ALL": "C", "HOME": str(folder)}
    with (folder / "said").open("ab") as said:
        # To a file: the server inherits what the program that starts it writes to, and a pipe would never end.
        done = subprocess.run(command, cwd=folder, stdout=said, stderr=said, env=environment, **ids)  # type: ignore[call-overload]
    if done.returncode:
        pytest.fail((folder / "said").read_text(), pytrace=False)


def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind((NAMELESS, 0))
        return int(probe.getsockname()[1])


@contextmanager
def running_server() -> Iterator[str]:
    """The address of a running server with an empty database; skips where no server is installed, fails in CI."""
    programs = _programs()
    if programs is None:
        missing = "PostgreSQL is not installed; `make system-deps` installs it"
        if os.environ.get("CI") == "true":
            pytest.fail(missing, pytrace=False)
        pytest.skip(missing)
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    if os.geteuid() == 0:
        os.chown(folder, pwd.getpwnam(UNPRIVILEGED).pw_uid, pwd.getpwnam(UNPRIVILEGED).pw_gid)
    data, port = folder / "data", free_port()
    try:
        _run([programs / "initdb", "-D", data, "-U", "keeper", "--auth=trust", "-E", "UTF8", "--no-sync"], folder)
        _start(programs, data, port)
        try:
            yield f"postgresql://keeper@{NAMELESS}:{port}/postgres"
        finally:
            _run([programs / "pg_ctl", "-D", data, "-m", "immediate", "stop"], folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _start(programs: Path, data: Path, port: int) -> None:
    options = f"-p {port} -c listen_addresses={NAMELESS} -k {data.parent} -c fsync=off"
    _run([programs / "pg_ctl", "-D", data, "-w", "-o", options, "start"], data.parent)


def kill_and_start_again(url: str) -> None:
    """kill -9 of the server and of every process of it, as a machine without memory does, and its start."""
    import psycopg

    programs = _programs()
    assert programs is not None
    with psycopg.connect(url) as connection:
        told = connection.execute("select current_setting('data_directory'), current_setting('port')").fetchone()
    assert told is not None
    data, port = Path(told[0]), int(told[1])
    keeper = int((data / "postmaster.pid").read_text(encoding="utf-8").split()[0])
    children = Path(f"/proc/{keeper}/task/{keeper}/children").read_text(encoding="utf-8").split()
    for process in (keeper, *map(int, children)):
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)
    while any(Path(f"/proc/{process}/stat").exists() and not _is_dead(process) for process in (str(keeper), *children)):
        time.sleep(0.05)
    # Where nobody reads the end of orphans the number stays taken, and the server would think that it runs.
    (data / "postmaster.pid").unlink()
    (data.parent / f".s.PGSQL.{port}.lock").unlink()
    _start(programs, data, port)


def _is_dead(process: int | str) -> bool:
    """Whether only the entry of a process is left, for its parent to read."""
    with suppress(FileNotFoundError, ProcessLookupError):
        return ") Z" in Path(f"/proc/{process}/stat").read_text(encoding="utf-8")
    return True
