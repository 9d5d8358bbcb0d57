"""Which kept files the present rules would refuse, and what of a submission may go.

Belongs here: the search among kept files, and plans over a ledger and a lake made by hand.
Does not: the command over a whole home (tests/integration/test_forgetting.py).
"""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from dagster_project.lib.app.forgetting import ForgetError, Forgetter
from dagster_project.lib.app.scanning import scan
from dagster_project.lib.base.store import Store, StoreError
from dagster_project.lib.intake.batch import Intake
from dagster_project.lib.intake.bucket.lake import raw_key
from dagster_project.lib.intake.bucket.ledger import EVENTS, Ledger, versions
from dagster_project.settings import Settings

PLACE = ("birchmont_falls", 2024)
PERSONS = b"student_id,first_name,last_name,date_of_birth\n" + b"".join(
    b"%d,Nadia,Quill%s,2011-04-0%d\n" % (number, b"abcdefgh"[number : number + 1], number) for number in range(1, 6)
)
COUNTS = b"school_year,indicator,dimension,group,numerator,denominator\n2024,chronic_absence_pct,all,all,9,80\n"


def object_event(name: str, data: bytes, kind: str = "table") -> dict[str, Any]:
    """A file as it stood."""
    return {"event": "object", "name": name, "sha256": hashlib.sha256(data).hexdigest(), "kind": kind, "run_id": "r"}


def state(submission_id: str | None) -> dict[str, Any]:
    """A folder's state."""
    return {"event": "submission", "submission_id": submission_id, "status": "accepted", "run_id": "r"}


def gone(name: str) -> dict[str, Any]:
    """A file that was taken back."""
    return {"event": "withdrawn", "name": name, "run_id": "r"}


@pytest.fixture
def settings(tmp_path: Path, seeds: Path) -> Settings:
    from dagster_project.settings import from_environment

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CRADLE_HOME", str(tmp_path / "home"))
        patch.setenv("CRADLE_SEEDS", str(seeds))
        patch.setenv("CRADLE_TODAY", "2024-06-30")
        return from_environment()


def written(settings: Settings, events: list[dict[str, Any]], *kept: bytes) -> Store:
    """A lake with that ledger and those raw bytes."""
    lake = Store(settings.lake_url)
    rows = [{"community_id": PLACE[0], "reporting_year": PLACE[1], **event} for event in events]
    Ledger(lake).append(pl.DataFrame([dict.fromkeys(EVENTS) | row for row in rows], schema=EVENTS))
    for data in kept:
        lake.put(raw_key(hashlib.sha256(data).hexdigest()), data)
    return lake


def test_the_search_finds_a_file_that_todays_rules_refuse_and_no_other(settings: Settings, intake: Intake) -> None:
    events = [object_event("roster.csv", PERSONS), object_event("values.csv", COUNTS), state("a" * 16)]
    lake = written(settings, events, PERSONS, COUNTS)
    (suspect,) = scan(lake, intake)
    assert (suspect.name, suspect.submissions, suspect.stands) == ("roster.csv", ("a" * 16,), True)
    assert "roster.csv" in suspect.why


def test_the_search_passes_over_what_is_not_kept(settings: Settings, intake: Intake) -> None:
    lake = written(settings, [object_event("roster.csv", PERSONS, "refused"), state("a" * 16)])
    assert list(scan(lake, intake)) == []


def test_bytes_found_in_several_states_name_all_of_them(settings: Settings, intake: Intake) -> None:
    events = [object_event("roster.csv", PERSONS), state("a" * 16), object_event("values.csv", COUNTS), state("b" * 16)]
    (suspect,) = scan(written(settings, events, PERSONS, COUNTS), intake)
    assert suspect.submissions == ("a" * 16, "b" * 16)


def test_of_a_submission_that_stands_only_refused_files_may_go(settings: Settings) -> None:
    events = [
        *(object_event("roster.csv", PERSONS), object_event("values.csv", COUNTS), state("a" * 16)),
        *(object_event("roster.csv", PERSONS, "refused"), state("a" * 16)),
    ]
    written(settings, events, PERSONS, COUNTS)
    plan = Forgetter(settings).plan("a" * 16)
    assert [file.name for file in plan.gone] == ["roster.csv"]


def test_what_stands_and_was_not_refused_is_not_forgotten(settings: Settings) -> None:
    written(settings, [object_event("values.csv", COUNTS), state("a" * 16)], COUNTS)
    with pytest.raises(ForgetError, match="stands and counts"):
        Forgetter(settings).plan("a" * 16)


def test_an_unknown_submission_is_named(settings: Settings) -> None:
    written(settings, [object_event("values.csv", COUNTS), state("a" * 16)], COUNTS)
    with pytest.raises(ForgetError, match="cccc was never seen"):
        Forgetter(settings).plan("cccc")


def test_bytes_held_by_a_later_state_are_kept_and_say_by_which(settings: Settings) -> None:
    events = [
        *(object_event("roster.csv", PERSONS), object_event("values.csv", COUNTS), state("a" * 16)),
        *(gone("roster.csv"), state("b" * 16)),
    ]
    written(settings, events, PERSONS, COUNTS)
    plan = Forgetter(settings).plan("a" * 16)
    assert {file.name: file.held_by for file in plan.files} == {"roster.csv": (), "values.csv": ("b" * 16,)}


def test_forgetting_deletes_the_bytes_and_the_name_and_nothing_else(settings: Settings) -> None:
    events = [
        *(object_event("roster.csv", PERSONS), object_event("values.csv", COUNTS), state("a" * 16)),
        *(gone("roster.csv"), state("b" * 16)),
    ]
    lake = written(settings, events, PERSONS, COUNTS)
    forgetter = Forgetter(settings)
    forgetter.carry_out(forgetter.plan("a" * 16), "asked for")
    assert lake.get_or_none(raw_key(hashlib.sha256(PERSONS).hexdigest())) is None
    assert lake.get(raw_key(hashlib.sha256(COUNTS).hexdigest())) == COUNTS
    (first, second) = versions(Ledger(lake).events())
    assert "roster.csv" not in {*first.files, *second.files}
    assert set(second.files) == {"values.csv"}
    assert [file.name for file in forgetter.plan("a" * 16).gone] == [
        name for name in first.files if name != "values.csv"
    ]


def test_what_cannot_be_deleted_is_named_and_the_same_command_ends_what_was_begun(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake = written(
        settings, [object_event("roster.csv", PERSONS), state("a" * 16), gone("roster.csv"), state(None)], PERSONS
    )
    (settings.work / "landing").mkdir(parents=True)
    (settings.work / "landing" / "values.parquet").write_bytes(PERSONS)
    forgetter = Forgetter(settings)
    with monkeypatch.context() as patch:
        patch.setattr(shutil, "rmtree", lambda path, ignore_errors: None)  # a disk that refuses
        with pytest.raises(StoreError, match=r"landing/values\.parquet could not be deleted \(1 left below .*work\)"):
            forgetter.carry_out(forgetter.plan("a" * 16), "asked for")
    forgetter.carry_out(forgetter.plan("a" * 16), "asked for")
    assert not settings.work.exists() and lake.get_or_none(raw_key(hashlib.sha256(PERSONS).hexdigest())) is None


def test_the_preview_that_showed_its_figures_goes_and_those_of_others_stay(settings: Settings) -> None:
    written(settings, [object_event("roster.csv", PERSONS), state("a" * 16), gone("roster.csv"), state(None)], PERSONS)
    outbox = Store(settings.outbox_url)
    for community in (PLACE[0], "alderwick_bend"):
        outbox.put(f"{community}/public_preview.html", b"figures")
    forgetter = Forgetter(settings)
    forgetter.carry_out(forgetter.plan("a" * 16), "asked for")
    assert [info.key for info in outbox.objects()] == ["alderwick_bend/public_preview.html"]


def test_a_name_that_stands_for_other_bytes_too_keeps_its_place_in_the_ledger(settings: Settings) -> None:
    events = [object_event("values.csv", PERSONS), state("a" * 16), object_event("values.csv", COUNTS), state("b" * 16)]
    lake = written(settings, events, PERSONS, COUNTS)
    forgetter = Forgetter(settings)
    forgetter.carry_out(forgetter.plan("a" * 16), "asked for")
    assert set(versions(Ledger(lake).events())[-1].files) == {"values.csv"}
