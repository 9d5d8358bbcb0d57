"""A run that dies after it published and before it told what changed takes nothing away from any receipt.

Belongs here: the first release of a home, cut off there, another upload, and the run that follows.
Does not: what a change is (test_changes.py), other moments at which a run may die (tests/unit).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from dagster_project.lib.app.pipeline import Pipeline
from tests.integration.conftest import EXAMPLE_TODAY, GRADUATION, HEADER, lines, small_seeds
from tests.integration.test_cycle import released
from tests.support import receipt

YEARS = (2017, 2018)
REPLACED, KEPT = ("quill_harbor", 2018), ("quill_harbor", 2017)


class DiedError(RuntimeError):
    """The process is gone."""


def upload(home: Path, year: int, counts: tuple[int, int]) -> None:
    folder = home / "drop" / REPLACED[0] / str(year)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "values.csv").write_text(HEADER + lines("graduation_4yr_pct", {year: counts}), encoding="utf-8")


def test_receipts_of_a_release_that_nobody_told_are_told_by_the_next_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    settings = {"HOME": home, "SEEDS": small_seeds(tmp_path / "seeds"), "TODAY": EXAMPLE_TODAY, "SETTLE_SECONDS": 0}
    for name, value in settings.items():
        monkeypatch.setenv(f"CRADLE_{name}", str(value))
    for year in YEARS:
        upload(home, year, GRADUATION[year])

    def die(*_: Any) -> None:
        raise DiedError

    with monkeypatch.context() as patch, pytest.raises(DiedError):
        patch.setattr(Pipeline, "_tell_changes", die)
        released(home)
    untold = (home / "publish" / "current").read_text(encoding="utf-8").strip()
    first = receipt(home, *REPLACED)
    assert first["changes"]["state"] == "pending"

    upload(home, REPLACED[1], (50, 100))
    after = released(home)

    kept_folder = home / "outbox" / REPLACED[0] / str(REPLACED[1]) / first["submission_id"]
    replaced = json.loads((kept_folder / "receipt.json").read_text(encoding="utf-8"))
    assert {name: value for name, value in replaced.items() if name != "changes"} == {
        name: value for name, value in first.items() if name != "changes"
    }
    told = [replaced["changes"], receipt(home, *KEPT)["changes"]]
    assert [(changes["kind"], changes["release_id"]) for changes in told] == [("first", untold)] * 2
    now = receipt(home, *REPLACED)["changes"]
    assert (now["kind"], now["previous_release_id"], now["release_id"]) == ("replaced", untold, after.folder.name)
    assert now["previous_submission_id"] == first["submission_id"]
