"""The exercises for learners have the answers that their page states.

Belongs here: each task of docs/exercises.md run over the small example network, its answer beside the page's.
Does not: what the commands and tables hold beyond that (the other tests), making the learner's network.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.integration.conftest import EXAMPLE_TODAY, Run
from tests.support import PROJECT, cradle

PAGE = PROJECT / "docs" / "exercises.md"
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Exercise:
    """A task: its title, the file it asks to save (or none), its command or SQL, the lines of its answer."""

    title: str
    file: str
    kind: str
    asked: str
    answer: list[str]


def exercises() -> list[Exercise]:
    """All tasks of the page."""
    found = []
    for section in re.split(r"^## ", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]:
        fences = FENCE.findall(section)
        parts = dict(fences)
        (kind,) = {"sh", "sql"} & set(parts)
        assert len(fences) == len(parts), section
        answer = parts["text"].strip().splitlines()
        found.append(Exercise(section.splitlines()[0], parts.get("csv", ""), kind, parts[kind].strip(), answer))
    return found


def said(exercise: Exercise, example: Run, folder: Path) -> list[str]:
    """What the command prints or the SQL gives, a line a row."""
    if exercise.kind == "sql":
        return [" | ".join(map(str, row)) for row in example.release.rows(exercise.asked)]
    if exercise.file:
        (folder / "exercise.csv").write_text(exercise.file, encoding="utf-8")
    words = exercise.asked.replace("exercise.csv", str(folder / "exercise.csv")).split()
    assert words[0] == "cradle"
    settings = {"CRADLE_HOME": example.home, "CRADLE_SEEDS": example.seeds, "CRADLE_TODAY": EXAMPLE_TODAY}
    return cradle(*words[1:], **settings).stdout.splitlines()


def test_there_are_exercises_for_commands_and_for_sql() -> None:
    assert [exercise.title.partition(".")[0] for exercise in exercises()] == [str(n) for n in range(1, 8)]
    assert {exercise.kind for exercise in exercises()} == {"sh", "sql"}


@pytest.mark.parametrize("exercise", exercises(), ids=lambda exercise: exercise.title)
def test_an_exercise_has_the_answer_that_the_page_states(exercise: Exercise, example: Run, tmp_path: Path) -> None:
    lines = said(exercise, example, tmp_path)
    if exercise.kind == "sql":
        assert lines == exercise.answer
        return
    assert exercise.answer
    for line in exercise.answer:
        assert any(line.strip() in told for told in lines), line
