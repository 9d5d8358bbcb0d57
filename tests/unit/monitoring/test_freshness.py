"""What is new, what is due, what has died: claims about the rules behind the sensor and the reminders.

Belongs here: lib/monitoring/freshness.py and verdicts.py on tables written out by hand.
Does not: the sensor itself, stores, Dagster (tests/integration/test_orchestration.py).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from itertools import pairwise

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dagster_project.lib.intake.bucket.drop import DroppedFile, Folder
from dagster_project.lib.intake.bucket.ledger import EVENTS
from dagster_project.lib.intake.bucket.plan import Plan
from dagster_project.lib.monitoring.freshness import (
    Watch,
    changed_verdicts,
    deadlines,
    idle_runs,
    lateness_by_year,
    pending,
    settle,
)
from dagster_project.lib.monitoring.verdicts import (
    conservation_verdict,
    contract_verdict,
    labels_verdict,
    strays_verdict,
)

MOST = 6


def folder(etag: str, community: str = "a", year: int = 2020) -> Folder:
    return Folder(community, year, (DroppedFile("values.csv", f"{community}/{year}/values.csv", 9, etag),))


def ledger(*rows: tuple[str, int, int]) -> pl.DataFrame:
    lines = [
        {"community_id": community, "reporting_year": year, "sequence": number} for community, year, number in rows
    ]
    return pl.DataFrame(lines, schema=EVENTS)


def identity(plan: Plan, events: pl.DataFrame, version: str = "v") -> str:
    waits = pending(plan, events, version)
    assert waits is not None
    return waits.fingerprint


# --- What is new ---------------------------------------------------------------------------------------------------


def test_nothing_waits_when_nothing_changed() -> None:
    assert pending(Plan((), ()), ledger(), "v") is None


def test_the_same_listing_is_one_fingerprint_in_any_order() -> None:
    one, two = folder("1"), folder("2", "b")
    assert identity(Plan((one, two), ()), ledger()) == identity(Plan((two, one), ()), ledger())


def test_a_changed_file_a_withdrawn_folder_and_a_changed_rule_are_each_new() -> None:
    base = identity(Plan((folder("1"),), ()), ledger())
    others = {
        identity(Plan((folder("2"),), ()), ledger()),
        identity(Plan((folder("1"),), (("b", 2020),)), ledger()),
        identity(Plan((), (("a", 2020),)), ledger()),
        identity(Plan((folder("1"),), ()), ledger(), "w"),
    }
    assert len(others) == 4 and base not in others


def test_an_old_file_uploaded_again_after_another_is_new() -> None:
    first = identity(Plan((folder("old"),), ()), ledger(("a", 2020, 1)))
    again = identity(Plan((folder("old"),), ()), ledger(("a", 2020, 1), ("a", 2020, 2)))
    assert first != again


def test_what_the_ledger_says_of_other_folders_does_not_matter() -> None:
    plan = Plan((folder("1"),), ())
    assert identity(plan, ledger()) == identity(plan, ledger(("b", 2020, 7)))


def test_what_waits_names_its_communities_and_years() -> None:
    waits = pending(Plan((folder("1", "b", 2021),), (("a", 2019),)), ledger(), "v")
    assert waits and (waits.communities, waits.years, waits.n_folders) == (("a", "b"), (2019, 2021), 2)


# --- Settling ------------------------------------------------------------------------------------------------------


def asked_for(looks: Sequence[str | None]) -> list[str]:
    """Fingerprints asked for over the looks, the memory going through its text each time as a cursor does."""
    text, asked = "", []
    for fingerprint in looks:
        watch, ask = settle(Watch.load(text), fingerprint, MOST)
        text = watch.dump()
        if ask:
            assert fingerprint is not None
            asked.append(fingerprint)
    return asked


def test_what_two_looks_saw_alike_is_asked_for_once() -> None:
    assert asked_for(["x", "x", "x", "x"]) == ["x"]


def test_a_burst_is_left_to_settle() -> None:
    assert asked_for(["a", "b", "c", "c", None, None]) == ["c"]


def test_a_bucket_that_never_rests_is_asked_for_all_the_same() -> None:
    assert asked_for([str(number) for number in range(30)]) == ["5", "11", "17", "23", "29"]


def test_what_came_back_after_something_else_is_asked_for_again() -> None:
    assert asked_for(["x", "x", None, "y", "y", None, "x", "x"]) == ["x", "y", "x"]


def test_what_was_undone_and_done_again_is_asked_for_again() -> None:
    assert asked_for(["x", "x", None, "x", "x", "x"]) == ["x", "x"]


@given(st.lists(st.sampled_from([None, "a", "b", "c"]), max_size=60))
def test_the_last_state_is_asked_for_as_soon_as_it_rests_and_never_twice_in_a_row(looks: list[str | None]) -> None:
    asked = asked_for([look for look in looks if look is not None])
    assert all(one != two for one, two in pairwise(asked))
    if looks and looks[-1] is not None:
        rested = asked_for([*looks, looks[-1], looks[-1]])
        assert rested[-1] == looks[-1]


def test_a_cursor_of_another_version_of_the_program_starts_anew() -> None:
    assert Watch.load('{"seen": "x", "long_gone": 3}') == Watch(seen="x")
    assert Watch.load(None) == Watch()


# --- Runs that died ------------------------------------------------------------------------------------------------


def test_a_run_that_nobody_holds_the_lock_for_is_dead_at_the_third_look() -> None:
    watch, found = Watch(), []
    for _ in range(3):
        watch, dead = idle_runs(Watch.load(watch.dump()), ["r"], locked=False, looks=3)
        found.append(dead)
    assert found == [[], [], ["r"]] and watch.idle == ()


def test_a_held_lock_starts_the_count_anew() -> None:
    watch, _ = idle_runs(Watch(), ["r"], locked=False, looks=2)
    watch, dead = idle_runs(watch, ["r"], locked=True, looks=2)
    assert not dead
    _, dead = idle_runs(watch, ["r"], locked=False, looks=2)
    assert not dead


# --- Deadlines -----------------------------------------------------------------------------------------------------

COMMUNITIES = pl.DataFrame(
    {
        "community_id": ["a", "b", "c", "d"],
        "joined_year": [2019, 2020, 2019, 2019],
        "left_year": [None, None, 2019, None],
    },
    schema_overrides={"left_year": pl.Int32},
)
CALENDAR = pl.DataFrame({"reporting_year": ["2019", "2020"], "due_on": ["2019-11-30", "2020-11-30"]})
PLACES = {"community_id": pl.String, "reporting_year": pl.Int32}


def notices(today: str, submitted: Sequence[tuple[str, int]] = ()) -> list[tuple[str, int, int, str]]:
    waivers = pl.DataFrame({"community_id": ["d"], "reporting_year": ["2019"]})
    there = pl.DataFrame(submitted, schema=PLACES, orient="row")
    frame = deadlines(COMMUNITIES, CALENDAR, waivers, there, dt.date.fromisoformat(today), (14, 7))
    return list(frame.select("community_id", "reporting_year", "days_left", "notice").iter_rows())


@pytest.mark.parametrize(
    ("today", "expected"),
    [
        ("2019-11-15", []),
        ("2019-11-16", [("a", 2019, 14, "due within 14 days"), ("c", 2019, 14, "due within 14 days")]),
        ("2019-11-23", [("a", 2019, 7, "due within 7 days"), ("c", 2019, 7, "due within 7 days")]),
        ("2019-11-30", [("a", 2019, 0, "due within 7 days"), ("c", 2019, 0, "due within 7 days")]),
        ("2019-12-01", [("a", 2019, -1, "late"), ("c", 2019, -1, "late")]),
    ],
)
def test_reminders_narrow_towards_the_due_day_and_turn_late_the_day_after(
    today: str, expected: list[tuple[str, int, int, str]]
) -> None:
    assert notices(today) == expected


def test_nobody_is_reminded_of_a_year_outside_membership_waived_or_submitted() -> None:
    found = {(community, year) for community, year, _, _ in notices("2020-12-31", [("a", 2019)])}
    assert found == {("a", 2020), ("b", 2020), ("c", 2019), ("d", 2020)}


# --- Freshness by year ---------------------------------------------------------------------------------------------


def statuses(*rows: tuple[str, int, str]) -> pl.DataFrame:
    frame = pl.DataFrame(
        rows,
        schema={"community_id": pl.String, "reporting_year": pl.Int32, "status": pl.String},
        orient="row",
    )
    there = pl.col("status").is_in(["accepted", "accepted_with_queries", "rejected"])
    return frame.with_columns(
        due_on=pl.date(2020, 11, 30), submission_id=pl.when(there).then(pl.lit("s")).otherwise(None)
    )


def test_filling_an_old_year_changes_that_years_line_only() -> None:
    before = lateness_by_year(statuses(("a", 2016, "late"), ("a", 2024, "late")))
    after = lateness_by_year(statuses(("a", 2016, "accepted"), ("a", 2024, "late")))
    assert before["reporting_year"].to_list() == [2024, 2016]
    assert before.row(0) == after.row(0) == (2024, 1, 0, 1, 0)
    assert after.row(1) == (2016, 1, 1, 0, 0)


def test_only_what_changed_is_told_anew() -> None:
    before = statuses(("a", 2020, "late"), ("b", 2020, "late"), ("c", 2020, "accepted"), ("d", 2020, "expected"))
    after = statuses(("a", 2020, "accepted"), ("b", 2020, "late"), ("c", 2020, "rejected"), ("d", 2020, "accepted"))
    told = changed_verdicts(after, before).select("community_id", "status").rows()
    assert told == [("a", "accepted"), ("c", "rejected")]
    assert changed_verdicts(after, None)["community_id"].to_list() == ["b", "c"]


# --- Verdicts ------------------------------------------------------------------------------------------------------


def counted(community: str, read: int, accepted: int, rejected: int, status: str = "accepted") -> dict[str, object]:
    return {
        "community_id": community,
        "reporting_year": 2020,
        "name": "values.csv",
        "status": status,
        "rows_read": read,
        "rows_accepted": accepted,
        "rows_rejected": rejected,
        "findings_blocking": rejected,
    }


def test_rejected_submissions_are_counted_and_the_worst_come_first() -> None:
    rows = [counted("a", 9, 9, 0), counted("b", 9, 0, 9, "rejected"), counted("c", 20, 8, 12)]
    verdict = contract_verdict(pl.DataFrame(rows))
    assert not verdict.passed
    assert verdict.counts["rejected_submissions"] == 1 and verdict.counts["rejected_share"] == 21 / 38
    assert verdict.worst["community_id"].to_list() == ["c", "b"]


@pytest.mark.parametrize(
    ("file", "submission", "holds"),
    [
        ((9, 8, 1), (9, 8, 1), True),
        ((9, 8, 0), (9, 8, 0), False),
        ((9, 8, 1), (9, 9, 0), False),
        ((9, 8, 1), (8, 7, 1), False),
    ],
)
def test_a_row_lost_in_a_file_or_between_files_and_submission_is_found(
    file: tuple[int, int, int], submission: tuple[int, int, int], holds: bool
) -> None:
    files = pl.DataFrame([counted("a", *file), counted("_network", 3, 3, 0)])
    verdict = conservation_verdict(files, pl.DataFrame([counted("a", *submission)]), "_network", landed(files))
    assert verdict.passed == holds
    assert verdict.worst.is_empty() == holds


def landed(files: pl.DataFrame) -> pl.DataFrame:
    """As many rows as each file says were accepted."""
    return files.select("community_id", "reporting_year", "name", rows_landed=pl.col("rows_accepted").cast(pl.Int64))


def test_an_accepted_row_that_did_not_land_is_found() -> None:
    files, submissions = pl.DataFrame([counted("a", 9, 8, 1)]), pl.DataFrame([counted("a", 9, 8, 1)])
    short = landed(files).with_columns(rows_landed=pl.lit(7, pl.Int64))
    assert conservation_verdict(files, submissions, "_", landed(files)).passed
    for missing in (short, landed(files).clear()):
        verdict = conservation_verdict(files, submissions, "_", missing)
        assert not verdict.passed and verdict.counts["files_not_landed"] == 1


def test_a_submission_without_its_files_is_found() -> None:
    files = pl.DataFrame([counted("a", 1, 1, 0)])
    verdict = conservation_verdict(files, pl.DataFrame([counted("b", 1, 1, 0)]), "_", landed(files))
    assert not verdict.passed and verdict.worst["community_id"].to_list() == ["a", "b"]


def test_waiting_labels_are_counted_by_community_with_the_most_rows_first_and_never_quoted() -> None:
    rows = [("waiting", "x", "a"), ("waiting", "y", "a"), ("waiting", "y", "b"), ("accepted", "z", "a")]
    frame = pl.DataFrame(rows, schema=["row_status", "raw_indicator", "community_id"], orient="row").with_columns(
        row_reason=pl.lit("unmapped_label"), raw_dimension=pl.lit("all"), raw_group=pl.lit("all")
    )
    register = frame.head(1).with_columns(raw_indicator=pl.lit("y"), community_id=pl.lit("c"))
    verdict = labels_verdict(frame, register)
    assert verdict.counts == {"rows_waiting": 4, "labels_waiting": 2}
    assert verdict.worst.select("community_id", "rows", "labels").rows() == [("a", 2, 2), ("b", 1, 1), ("c", 1, 1)]
    assert set(verdict.worst.columns) == {"row_reason", "community_id", "rows", "labels"}


def test_no_strays_is_a_pass() -> None:
    columns = ["rule_id", "found", "allowed", "remedy"]
    empty = pl.DataFrame(schema=dict.fromkeys(columns, pl.String))
    assert strays_verdict(empty).passed
    assert not strays_verdict(pl.DataFrame([dict.fromkeys(columns, "x")])).passed
