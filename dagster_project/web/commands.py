"""The command in a process of its own, so that the page says what the command says, byte for byte.

Belongs here: starting `cradle check` and `cradle template`, their time limit, and ending them with all they started.
Does not: what they do (cli/intake.py), uploads (held.py).
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from dagster_project.lib.member.check import STEPS

LONGEST_SECONDS = 600
CALL = "from dagster_project.cli.main import main; main()"
PIECE = 64 * 1024
SECRETS = ("CRADLE_SERVE_SECRET", "CRADLE_SERVE_USER_HEADER")


@dataclass(frozen=True)
class Ended:
    """How a command ended: its exit code, and what it printed on standard output."""

    code: int
    out: bytes


async def call_cradle(
    arguments: Sequence[str], seconds: float = LONGEST_SECONDS, told: Callable[[str], None] = lambda _: None
) -> Ended:
    """Run the command. TimeoutError after so many seconds; then, as when the caller is cancelled, it is ended.

    `told` gets the steps of the command as it tells them (STEPS), no other word of what it prints.
    """
    environment = {name: value for name, value in os.environ.items() if name not in SECRETS}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", CALL, *arguments, env=environment, start_new_session=True,
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None and process.stderr is not None
    try:
        async with asyncio.timeout(seconds):
            out, _ = await asyncio.gather(process.stdout.read(), _tell_steps(process.stderr, told))
            await process.wait()
    finally:
        if process.returncode is None:
            os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
    return Ended(process.returncode or 0, out)


async def _tell_steps(lines: asyncio.StreamReader, told: Callable[[str], None]) -> None:
    while piece := await lines.read(PIECE):
        for line in piece.decode(errors="replace").splitlines():
            if line.strip() in STEPS:
                told(line.strip())
