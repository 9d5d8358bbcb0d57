"""A selection that chooses nothing is a mistake of typing, and so is, mostly, a bucket in which nothing lies.

Belongs here: what `cradle run` refuses of its options, what it says at its end. Does not: what a run does
(tests/integration/test_main_job.py).
"""

from __future__ import annotations

import json
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


@pytest.mark.parametrize(
    ("inputs", "is_empty"),
    [
        ([], True),
        ([{"submission_id": None, "frozen_records_sha256": "f"}], True),
        ([{"submission_id": "s1", "frozen_records_sha256": None}], False),
    ],
)
def test_a_release_of_an_empty_bucket_says_that_nothing_lies_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, inputs: list[object], is_empty: bool
) -> None:
    release = tmp_path / "publish" / "releases" / "r1"
    release.mkdir(parents=True)
    (release / "manifest.json").write_text(json.dumps({"inputs": inputs}), encoding="utf-8")
    monkeypatch.setenv("CRADLE_PUBLIC", "off")
    monkeypatch.setattr(main, "_run", lambda config, _: main._tell_release(config, "r1"))
    result = run(tmp_path)
    assert result.exit_code == 0
    said = f"empty    no folder {{community_id}}/{{year}} lies in {tmp_path}/drop: is it the bucket?"
    assert (result.stderr.splitlines() == [said]) is is_empty
