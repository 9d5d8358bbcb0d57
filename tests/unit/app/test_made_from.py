"""The note of steps: what belongs together.

Belongs here: begin, pass, begin again, over inputs that change.
Does not: the steps, the release that asks (tests/integration/test_orchestration.py).
"""

from __future__ import annotations

from pathlib import Path

import pytest

from dagster_project.lib.warehouse.made_from import STEPS, MadeFrom


@pytest.fixture
def note(tmp_path: Path) -> MadeFrom:
    """After a build from `a` in which all passed."""
    made = MadeFrom(tmp_path / "work")
    for step in STEPS:
        made.begin(step, "a")()
    return made


def test_all_steps_of_one_build_belong_together(note: MadeFrom) -> None:
    assert note.is_all_of("a")
    assert not note.is_all_of("b")


@pytest.mark.parametrize("step", STEPS)
def test_a_step_from_other_inputs_leaves_the_rest_behind(note: MadeFrom, step: str) -> None:
    note.begin(step, "b")()
    assert not note.is_all_of("a") and not note.is_all_of("b")


@pytest.mark.parametrize("step", STEPS)
def test_a_step_that_does_not_pass_is_not_made(note: MadeFrom, step: str) -> None:
    note.begin(step, "a")
    assert not note.is_all_of("a")


@pytest.mark.parametrize("step", STEPS)
def test_a_step_made_again_from_the_same_changes_nothing(note: MadeFrom, step: str) -> None:
    note.begin(step, "a")()
    assert note.is_all_of("a")


def test_a_build_continued_from_its_middle_after_a_change_is_not_one_of_what_stands(note: MadeFrom) -> None:
    for step in STEPS[1:]:
        note.begin(step, "b")()
    assert not note.is_all_of("b")
    note.begin(STEPS[0], "b")()
    assert not note.is_all_of("b"), "what follows was made from landing files of before"


def test_a_note_that_was_cut_says_nothing(note: MadeFrom, tmp_path: Path) -> None:
    (tmp_path / "work" / "made_from.json").write_text('{"landing"', encoding="utf-8")
    assert not note.is_all_of("a")
