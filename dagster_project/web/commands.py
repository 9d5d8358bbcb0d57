"""The command in a process of its own, so that the page says what the command says, byte for byte.

Belongs here: starting `cradle check` and `cradle template`, their time limit, and ending them with all they started.
Does not: what they do (cli/intake.py), uploads (held.py).
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass

LONGEST_SECONDS = 600
CALL = "from dagster_project.cli.main import main; main()"
SECRETS = ("CRADLE_SERVE_SECRET", "CRADLE_SERVE_USER_HEADER")


@dataclass(frozen=True)
class Ended:
    """How a command ended: its exit code, and what it printed."""

    code: int
    out: bytes
    told: str


async def call_cradle(arguments: Sequence[str], seconds: float = LONGEST_SECONDS) -> Ended:
    """Run the command. TimeoutError after so many seconds; then, as when the caller is cancelled, it is ended."""
    environment = {name: value for name, value in os.environ.items() if name not in SECRETS}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", CALL, *arguments, env=environment, start_new_session=True,
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        async with asyncio.timeout(seconds):
            out, told = await process.communicate()
    finally:
        if process.returncode is None:
            os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
    return Ended(process.returncode or 0, out, told.decode(errors="replace"))
