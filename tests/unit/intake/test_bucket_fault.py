"""What is missing from a listing: members who took something back, or a bucket at fault.

Belongs here: the rule that tells them apart, and the names of marked copies that no file system refuses.
Does not: the command (tests/integration/test_odd_bucket.py).
"""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dagster_project.lib.intake.bucket.drop import DroppedFile, Folder, Listing
from dagster_project.lib.intake.bucket.left import LEFT, still_left, without_left
from dagster_project.lib.intake.bucket.plan import BucketFaultError, Plan, Selection, make_plan, refuse_bucket_fault
from dagster_project.lib.receipts.marked_files import LONGEST_NAME, MARKED, marked_name
from tests.unit.intake.test_ledger import state

YEARS = range(2001, 2031)
FILE = (DroppedFile("a.csv", "a/2001/a.csv", 1, "tag"),)


def stood(count: int, community: str = "a") -> pl.DataFrame:
    return pl.concat([state(f"{community}{year}", year=year, community=community) for year in YEARS[:count]])


def listing(years: range, unlisted: tuple[int, ...] = ()) -> Listing:
    return Listing(tuple(Folder("a", year, FILE) for year in years), (), frozenset(("a", year) for year in unlisted))


def is_fault(events: pl.DataFrame, seen: Listing, selection: Selection) -> bool:
    plan = make_plan(seen, events, "v", selection)
    try:
        refuse_bucket_fault(seen, plan, events, selection)
    except BucketFaultError:
        return True
    return False


@pytest.mark.parametrize(
    ("before", "missing", "fault"),
    [(30, 6, False), (30, 7, True), (10, 4, False), (10, 5, True), (4, 3, False), (4, 4, True), (1, 1, True)],
)
def test_a_fifth_and_five_or_everything_missing_is_a_fault(before: int, missing: int, fault: bool) -> None:
    assert is_fault(stood(before), listing(YEARS[missing:before]), Selection()) == fault


def test_a_fault_is_accepted_where_that_is_asked_for() -> None:
    assert not is_fault(stood(30), listing(YEARS[:0]), Selection(accept_withdrawals=True))


def test_only_folders_asked_for_are_counted() -> None:
    events, seen = stood(30), listing(YEARS[6:])
    assert not is_fault(events, seen, Selection())
    assert is_fault(events, seen, Selection(years=frozenset(YEARS[:10])))
    assert not is_fault(events, seen, Selection(years=frozenset(YEARS[10:])))


def test_what_cannot_be_listed_is_not_missing() -> None:
    assert not is_fault(stood(10), listing(YEARS[5:10], unlisted=tuple(YEARS[:5])), Selection())
    assert make_plan(listing(YEARS[:0], tuple(YEARS)), stood(10), "v", Selection()).withdrawn == ()


def left(*rows: tuple[str, int, str, str]) -> pl.DataFrame:
    """Rows of LEFT from (community, year, rule, tag)."""
    given = pl.DataFrame(rows, schema=["community_id", "reporting_year", "rule_id", "tag"], orient="row")
    rest = [pl.lit(None, kind).alias(name) for name, kind in LEFT.items() if name not in given.columns]
    return given.with_columns(rest).select(list(LEFT)).cast(LEFT)  # type: ignore[arg-type]


def test_a_run_forgets_what_it_was_asked_for_and_keeps_the_rest() -> None:
    before = left(("a", 2001, "file_not_read", "t"), ("b", 2001, "file_not_read", "t"))
    now = left(("a", 2002, "still_written", "t"))
    kept = still_left(before, now, Selection(frozenset("a")))
    assert kept.select("community_id", "reporting_year").rows() == [("a", 2002), ("b", 2001)]


@pytest.mark.parametrize(
    ("rule", "same", "waits"),
    [("file_not_read", True, False), ("file_not_read", False, True), ("still_written", True, True)],
)
def test_what_was_left_waits_when_it_changed_or_was_still_written(rule: str, same: bool, waits: bool) -> None:
    folder = Folder("a", 2001, FILE)
    plan = without_left(Plan((folder,), ()), left(("a", 2001, rule, folder.listed_tag if same else "other")))
    assert bool(plan.take) == waits


@given(st.text(st.characters(codec="utf-8", exclude_characters="/\0"), min_size=1, max_size=255))
def test_the_name_of_a_marked_copy_fits_every_file_system(name: str) -> None:
    copy = marked_name(name)
    assert len(copy.encode()) <= LONGEST_NAME
    assert copy.endswith(MARKED)
    assert copy == name + MARKED or len((name + MARKED).encode()) > LONGEST_NAME


def test_two_long_names_that_begin_alike_have_two_marked_copies() -> None:
    assert marked_name("x" * 250 + "a") != marked_name("x" * 250 + "b")
