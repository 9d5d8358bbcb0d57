"""Two hundred files by many writers give what they show, row by row, or refuse the row that says nothing.

Belongs here: the bounded run of tests/fuzz/truth.py, and that its own comparison can fail.
Does not: the writers and the truth (tests/fuzz); `python -m tests.fuzz.truth` takes two thousand files.
"""

from __future__ import annotations

import random

import pytest

from tests.fuzz import truth
from tests.fuzz.truth import KINDS, Score, case, run
from tests.fuzz.writers import WRITERS

FILES = 200


def test_every_row_by_every_writer_is_what_it_shows_or_is_refused() -> None:
    score = Score()
    assert list(run(seed=11, files=FILES, score=score)) == []
    assert score.files == FILES
    assert {writer for writer, _ in score.rows} == set(WRITERS)
    for kind, (_, needed) in KINDS.items():
        able = {writer for writer, (_, _, kinds) in WRITERS.items() if needed <= kinds}
        assert {writer for writer, made in score.rows if made == kind} == able


def test_files_are_the_same_for_the_same_seed_and_number() -> None:
    assert case(random.Random("3-5")).rows == case(random.Random("3-5")).rows
    spelled = [case(random.Random(f"4-{number}")) for number in range(30)]
    assert len({one.data for one in spelled}) == 30


def test_a_row_that_came_out_otherwise_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(truth, "_told", lambda findings, rules: False)
    wrong = list(run(seed=11, files=50, score=Score()))
    assert any("should refuse it" in line for line in wrong)


def test_a_row_with_another_value_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    changed = truth.Made(value=truth.number(85.2), truth=truth.Truth(value=85.3))
    monkeypatch.setitem(truth.KINDS, "percent", (lambda draw: changed, frozenset({"number"})))
    wrong = list(run(seed=11, files=50, score=Score()))
    assert wrong
    assert all("(percent)" in line for line in wrong)
