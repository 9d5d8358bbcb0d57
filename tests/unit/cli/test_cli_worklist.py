"""An answer for a shared cause and the review of an answer become lines of the network's own tables.

Belongs here: the commands answer and review over an invented worklist.
Does not: the worklist itself (unit/monitoring/test_worklist.py).
"""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from dagster_project.cli import worklist as commands
from dagster_project.cli.main import cli
from dagster_project.lib.monitoring.worklist import Worklist

WORK = Worklist(
    shared=[{"finding_id": "cause", "reporting_year": 2018}],
    answers=[{"finding_id": "given", "reporting_year": 2017}],
    folders=[],
)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "drop").mkdir()
    monkeypatch.setenv("CRADLE_HOME", str(tmp_path))
    monkeypatch.setenv("CRADLE_TODAY", "2018-12-05")
    monkeypatch.setattr(commands, "_work", lambda config, year: WORK)
    return tmp_path


def call(*arguments: str) -> Result:
    return CliRunner().invoke(cli, list(arguments))


def test_one_answer_stands_for_all_folders_of_a_cause_and_may_be_reworded(home: Path) -> None:
    assert call("answer", "cause", "A new test.", "--reason", "other_definition").exit_code == 0
    assert call("answer", "cause", "A new test,\nin all of OH.").exit_code == 0
    table = (home / "drop/_network/2018/answers-from-the-page.csv").read_text(encoding="utf-8")
    assert table == 'finding_id,text,reason\ncause,"A new test, in all of OH.",\n'


def test_a_review_is_dated_and_a_rejection_says_why(home: Path) -> None:
    assert call("review", "given", "rejected").exit_code == 2
    assert call("review", "given", "rejected", "--reason", "No word of the cause", "--by", "data lead").exit_code == 0
    table = (home / "drop/_network/2017/decisions-on-answers.csv").read_text(encoding="utf-8")
    assert table.splitlines()[1] == "given,rejected,2018-12-05,data lead,No word of the cause"


def test_what_nobody_asked_is_not_answered(home: Path) -> None:
    assert call("answer", "given", "text").exit_code == 2
    assert call("answer", "cause", " \n ").exit_code == 2
    assert call("answer", "cause", "text", "--reason", "whatever").exit_code == 2
    assert call("review", "cause", "accepted").exit_code == 2
    assert not list((home / "drop").rglob("*.csv"))
