"""Dagster's long-running processes, started and ended as operations says.

Belongs here: a process with the signals it is used to, its end, a free port, waiting for what it does.
Does not: homes, expectations (test_*.py), or single commands (support.py).
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

from tests.support import clean_environment

PATIENCE_SECONDS = 180
Found = TypeVar("Found")


def until(what: str, look: Callable[[], Found | None], seconds: float = PATIENCE_SECONDS) -> Found:
    """The first answer of `look` that is true."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = look()
        if found:
            return found
        time.sleep(0.5)
    raise AssertionError(f"within {seconds} s: {what}")


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def listens(port: int) -> bool:
    """Whether somebody takes connections there."""
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


def _default_signals() -> None:
    # A test runner in the background ignores interrupts, its children inherit that, and Dagster could not be stopped.
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, signal.SIG_DFL)


@contextmanager
def started(log: Path, *command: str, **settings: str | Path) -> Iterator[subprocess.Popen[bytes]]:
    """A command of this interpreter's folder with these settings; interrupted at the end, and its children with it."""
    with log.open("w") as out:
        process = subprocess.Popen(
            [str(Path(sys.executable).parent / command[0]), *command[1:]],
            # From elsewhere: Dagster remarks on a dagster.yaml that lies beside it and is not the one in use.
            cwd=log.parent,
            env=clean_environment(**settings),
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=_default_signals,
        )
        try:
            yield process
        finally:
            process.send_signal(signal.SIGINT)
            with suppress(subprocess.TimeoutExpired):
                process.wait(15)
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait(15)
