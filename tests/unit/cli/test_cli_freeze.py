"""`cradle freeze` of a cycle that has not ended: who sits there is asked, a program is told.

Belongs here: whether it asks, and that nothing is frozen without a yes. Does not: freezing (app/test_frozen.py).
"""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from dagster_project.cli import cycle
from dagster_project.cli.main import cli
from dagster_project.cli.release import folders_apart
from dagster_project.lib.base.successions import CommunityIds

ASKED = "What is frozen stays as it is for good"


@pytest.fixture
def frozen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Years that were frozen over a release of June 2024."""
    found: list[int] = []
    monkeypatch.setenv("CRADLE_HOME", str(tmp_path))
    monkeypatch.setattr(cycle, "manifest_of_release", lambda config, release: {"today": "2024-06-30"})
    monkeypatch.setattr(cycle, "told_since", lambda config, manifest: [])
    monkeypatch.setattr(cycle, "_freeze", lambda config, year: found.append(year) or ["Frozen"])
    return found


@pytest.mark.parametrize(
    ("year", "terminal", "answer", "asked", "is_frozen"),
    [
        ("2024", True, "n\n", True, False),
        ("2024", True, "", True, False),
        ("2024", True, "y\n", True, True),
        ("2024", False, "", False, True),
        ("2023", True, "", False, True),
    ],
)
def test_a_cycle_that_has_not_ended_is_closed_by_a_yes_or_by_a_program(
    frozen: list[int],
    monkeypatch: pytest.MonkeyPatch,
    year: str,
    terminal: bool,
    answer: str,
    asked: bool,
    is_frozen: bool,
) -> None:
    monkeypatch.setattr(cycle, "at_a_terminal", lambda: terminal)
    done = CliRunner().invoke(cli, ["freeze", year], input=answer)
    assert (ASKED in done.output) is asked
    assert frozen == ([int(year)] if is_frozen else [])
    assert (done.exit_code == 0) is is_frozen


@pytest.mark.parametrize(("answer", "is_frozen"), [("n\n", False), ("y\n", True)])
def test_over_a_release_that_is_older_than_the_lake_it_asks_too(
    frozen: list[int], monkeypatch: pytest.MonkeyPatch, answer: str, is_frozen: bool
) -> None:
    monkeypatch.setattr(cycle, "at_a_terminal", lambda: True)
    monkeypatch.setattr(cycle, "told_since", lambda config, manifest: ["Note: older than what was taken in of a/2023."])
    done = CliRunner().invoke(cli, ["freeze", "2023"], input=answer)
    assert "older than what was taken in of a/2023." in done.output and ASKED in done.output
    assert frozen == ([2023] if is_frozen else [])


def test_a_release_is_older_than_what_came_since_was_replaced_or_was_taken_back() -> None:
    def row(community: str, year: int, submission: str | None) -> dict[str, str | int | None]:
        return {"community_id": community, "reporting_year": year, "submission_id": submission}

    names = CommunityIds(now={"was": "same"})
    inputs = [row("was", 2023, "s1"), row("replaced", 2023, "s2"), row("gone", 2023, "s3"), row("none", 2023, None)]
    standing = [row("same", 2023, "s1"), row("replaced", 2023, "s4"), row("came", 2024, "s5")]
    assert folders_apart(standing, inputs, names) == ["came/2024", "gone/2023", "replaced/2023"]
    assert folders_apart(standing[:1], inputs[:1], names) == []
