"""A selection of the main job that chooses nothing is a mistake of typing, and said before anything is looked at.

Belongs here: what `cradle run` refuses of its options. Does not: what a run does (tests/integration/test_main_job.py).
"""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from dagster_project.cli import main
from tests.support import PROJECT


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Selections that were run, in place of running them."""
    selections: list[object] = []
    monkeypatch.setattr(main, "_run", lambda _, selection: selections.append(selection.years))
    return selections


def run(home: Path, *options: str) -> Result:
    environment = {"CRADLE_HOME": str(home), "CRADLE_SEEDS": str(PROJECT / "seeds"), "CRADLE_TODAY": "2024-12-31"}
    return CliRunner().invoke(main.cli, ["run", *options], env=environment)


@pytest.mark.parametrize(("years", "named"), [("1999", 1999), ("2030..2031", 2030)])
def test_years_of_which_none_is_a_reporting_year_are_refused(
    tmp_path: Path, taken: list[object], years: str, named: int
) -> None:
    result = run(tmp_path, "--years", years)
    assert (result.exit_code, taken) == (2, [])
    assert result.output.splitlines()[0] == f"cradle: {named} is not a reporting year"


def test_a_range_may_reach_beyond_the_reporting_years(tmp_path: Path, taken: list[object]) -> None:
    assert run(tmp_path, "--years", "2024..2030").exit_code == 0
    assert taken == [frozenset(range(2024, 2031))]
