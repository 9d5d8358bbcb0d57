"""What a run asks the system for: no connection but to this machine, no program but its own, no file of others written.

Belongs here: the system calls of `cradle run`, looked at from outside with strace.
Does not: what it computes, or a bucket and a database, which are configured and then connected to.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

from tests.integration.conftest import KEYS, WITH_KEYS
from tests.long.conftest import Network
from tests.support import PATIENCE_SECONDS, clean_environment, current

CALL = re.compile(r"\b(connect|bind|sendto|execve|openat|rename|renameat2?|unlink|mkdir|creat)\((.*)")
ADDRESS = re.compile(r'sa_family=(AF_\w+)(?:.*?(?:inet_addr\(|inet_pton\(AF_INET6, )"([^"]+)")?')
WRITTEN = re.compile(r'"((?:[^"\\]|\\.)*)", [A-Z_|]*(?:O_WRONLY|O_RDWR|O_CREAT)')
PROGRAM = re.compile(r'^"([^"]+)"')
KNOWN = {
    "cradle": "the run itself",
    "tail": "Dagster shows in the UI what a step prints",
    "uname": "Python's own library names the machine",
    "file": "Python's own library names the machine",
}
OF_THIS_MACHINE = ("AF_UNIX", "AF_NETLINK")
LOOPBACK = ("127.", "::1")
SCRATCH = ("/dev/", "/proc/self")


@pytest.fixture(scope="module")
def calls(network: Network, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """The home of a run, and every call of it and of its children that reaches beyond a process."""
    strace = shutil.which("strace")
    if strace is None:
        message = "SYSTEM CALLS WERE NOT LOOKED AT: strace is not installed"
        if os.environ.get("CI", "").lower() == "true":
            pytest.fail(message, pytrace=False)
        warnings.warn(pytest.PytestWarning(message), stacklevel=2)
        pytest.skip(message)
    folder = tmp_path_factory.mktemp("traced")
    home, log = network.home(folder / "home"), folder / "calls"
    (folder / "scratch").mkdir()
    traced = [strace, "-f", "-qq", "-s", "4000", "--seccomp-bpf", "-o", str(log)]
    traced += ["-e", "trace=connect,bind,sendto,execve,openat,creat,rename,renameat,renameat2,unlink,mkdir"]
    done = subprocess.run(
        [*traced, str(Path(sys.executable).with_name("cradle")), "run"],
        env=clean_environment(**network.settings(home, TMPDIR=folder / "scratch"), **WITH_KEYS),
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert current(home).hashes == network.calm.release.hashes
    return home, log.read_text(encoding="utf-8", errors="replace").splitlines()


def of(calls: list[str], name: str) -> list[str]:
    """What follows a call's name, for each of its calls that succeeded or may have."""
    found = (CALL.search(line) for line in calls if "= -1" not in line)
    return [match[2] for match in found if match and match[1] == name]


def test_a_run_connects_to_nobody_and_listens_for_nobody(calls: tuple[Path, list[str]]) -> None:
    found = [(CALL.search(line), line) for line in calls[1]]
    for match, line in found:
        if match and match[1] in ("connect", "bind", "sendto") and (address := ADDRESS.search(match[2])):
            family, host = address.groups()
            assert family in OF_THIS_MACHINE or (host or "").startswith(LOOPBACK), line


def test_a_run_starts_no_program_but_those_that_are_known(calls: tuple[Path, list[str]]) -> None:
    programs = {Path(match[1]).name for text in of(calls[1], "execve") if (match := PROGRAM.match(text))}
    assert "cradle" in programs, "the run itself was started"
    assert {name for name in programs if not name.startswith("python")} <= KNOWN.keys()


def test_no_command_line_of_a_run_shows_a_key_or_a_password(calls: tuple[Path, list[str]]) -> None:
    started = of(calls[1], "execve")
    assert started
    assert not [line for line in started if any(key in line for key in KEYS)]


def test_a_run_writes_below_its_home_and_into_scratch_alone(calls: tuple[Path, list[str]]) -> None:
    home, lines = calls
    written = {match[1] for text in of(lines, "openat") if (match := WRITTEN.search(text))}
    assert any(path.startswith(str(home)) for path in written)
    own = (str(home), str(home.with_name("scratch")), *SCRATCH)
    elsewhere = {path for path in written if not path.startswith(own)}
    assert sorted(path for path in elsewhere if "__pycache__" not in path) == []
