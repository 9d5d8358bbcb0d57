"""What benchmarks tell beside a reference ends in one table, by seconds of processors.

Belongs here: the table's arithmetic, what a command is said to have used, the kept page.
Does not: how fast anything is.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from benchmarks import _ratios
from benchmarks.__main__ import main

BUSY = "import hashlib\nheld = bytearray(200_000_000)\nfor _ in range(3): hashlib.sha256(held).digest()"


def test_a_ratio_is_what_was_measured_by_its_reference() -> None:
    lines = _ratios.table([_ratios.Ratio("the chain", 3.0, "a script", 2.0)])
    assert lines[-1] == "| the chain | 3.00 | a script | 2.00 | 1.50 |"


def test_a_command_is_said_to_have_used_what_it_used_and_nothing_else() -> None:
    environment = dict(os.environ)
    busy, idle = (_ratios.used_by([sys.executable, "-c", code], environment) for code in (BUSY, "pass"))
    assert busy.processors > idle.processors
    assert busy.memory > 200_000_000 > idle.memory
    assert _ratios.used_by([sys.executable, "-c", "pass"], environment).memory < 200_000_000


def test_a_command_that_fails_ends_the_measurement_with_its_own_words() -> None:
    with pytest.raises(SystemExit, match="no such figure"):
        _ratios.used_by([sys.executable, "-c", "raise ValueError('no such figure')"], dict(os.environ))


def test_the_page_keeps_the_command_the_commit_the_machine_and_every_ratio(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_ratios, "TOLD", [_ratios.Ratio("a", 1.0, "b", 4.0), _ratios.Ratio("c", 2.0, "d", 1.0)])
    monkeypatch.setattr(_ratios, "commit", lambda: "0123456789ab")
    _ratios.keep(["chain"], tmp_path / "page.md")
    page = (tmp_path / "page.md").read_text(encoding="utf-8")
    assert "`python -m benchmarks --keep chain`" in page and "commit 0123456789ab" in page
    assert "SHA-256" in page and "| 0.25 |" in page and "| 2.00 |" in page


def test_a_benchmark_that_is_none_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--keep", "chains"]) == 2
    assert "chains is none of" in capsys.readouterr().err
