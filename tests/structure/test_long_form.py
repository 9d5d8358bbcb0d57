"""What CI does not run can be run: the long form finds its modules, fixtures and helpers.

Belongs here: that nothing which tests of the long form ask for was moved away from them.
Does not: what they claim (tests/long), which of them a machine leaves out for want of a program.
"""

from __future__ import annotations

import subprocess
import sys

from tests.support import PROJECT


def test_every_test_of_the_long_form_finds_what_it_asks_for() -> None:
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-q", "--setup-plan", "tests/long"]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:]
    assert "test_at_once.py::" in done.stdout, "the plan names the tests"
