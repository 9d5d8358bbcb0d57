"""How a disk without room is told from other errors, whoever met it first.

Belongs here: the error and what led to it. Does not: a disk that is full (tests/long/test_machine_faults.py).
"""

from __future__ import annotations

import errno
import sqlite3

import click
import pytest
from click.testing import CliRunner

from dagster_project.cli.base import is_full
from dagster_project.cli.main import _Told

FULL = OSError(errno.ENOSPC, "No space left on device")


def led_to_by(cause: BaseException) -> BaseException:
    """An error of a library that keeps what it came from."""
    try:
        raise RuntimeError("the step failed") from cause
    except RuntimeError as error:
        return error


@pytest.mark.parametrize(
    ("error", "full"),
    [
        (FULL, True),
        (OSError(errno.EDQUOT, "Disk quota exceeded"), True),
        (sqlite3.OperationalError("database or disk is full"), True),
        (RuntimeError('IO Error: Could not write file "x": No space left on device'), True),
        (led_to_by(FULL), True),
        (OSError(errno.EACCES, "Permission denied"), False),
        (led_to_by(ValueError("a full name")), False),
    ],
)
def test_a_full_disk_is_known_by_its_number_or_its_words(error: BaseException, full: bool) -> None:
    assert is_full(error) is full


def test_any_command_that_meets_one_ends_in_one_line_and_a_hint_and_other_errors_are_not_hidden() -> None:
    @click.group(cls=_Told)
    def commands() -> None: ...

    @commands.command()
    def fills() -> None:
        raise led_to_by(FULL)

    @commands.command()
    def breaks() -> None:
        raise ZeroDivisionError

    told = CliRunner().invoke(commands, ["fills"])
    line, hint = told.output.strip().splitlines()
    assert told.exit_code == 1
    assert line == "cradle: the disk is full (the step failed)"
    assert hint.startswith("  hint: make room")
    assert isinstance(CliRunner().invoke(commands, ["breaks"]).exception, ZeroDivisionError)
