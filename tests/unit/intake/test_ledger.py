"""The ledger only grows, and what stands follows from its newest events.

Belongs here: appending and reading segments, files and submissions as they stand, every state ever seen.
Does not: when intake writes which event (tests/integration).
"""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from dagster_project.lib.base.store import Store
from dagster_project.lib.intake.bucket.ledger import (
    EVENTS,
    Ledger,
    current_objects,
    current_submissions,
    submission_states,
)


def events(*rows: tuple[str, int, str, str | None, str | None, str | None]) -> pl.DataFrame:
    """Events from (community, year, event, name, submission_id, status)."""
    names = ("community_id", "reporting_year", "event", "name", "submission_id", "status")
    frame = pl.DataFrame(rows, schema={name: EVENTS[name] for name in names}, orient="row")
    rest = [pl.lit(None, dtype).alias(name) for name, dtype in EVENTS.items() if name not in names]
    return frame.with_columns(rest).select(list(EVENTS))


def state(submission: str | None, status: str = "accepted", year: int = 2024, community: str = "a") -> pl.DataFrame:
    """One state of a folder."""
    return events((community, year, "submission", None, submission, status))


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    """An empty ledger."""
    return Ledger(Store(str(tmp_path)))


def test_an_empty_ledger_has_no_events_and_nothing_stands(ledger: Ledger) -> None:
    assert ledger.events().is_empty()
    assert ledger.events().schema == EVENTS
    assert current_submissions(ledger.events()).is_empty()
    assert submission_states(ledger.events()).is_empty()


def test_events_come_back_in_the_order_in_which_they_were_written(ledger: Ledger) -> None:
    for number in range(12):
        ledger.append(state(f"s{number}"))
    assert ledger.events()["submission_id"].to_list() == [f"s{number}" for number in range(12)]
    assert ledger.events()["sequence"].is_sorted()
    assert ledger.events()["sequence"].n_unique() == 12


def test_appending_nothing_writes_nothing(ledger: Ledger) -> None:
    ledger.append(state("s").clear())
    assert ledger.lake.objects() == []


def test_a_segment_is_never_replaced_even_when_two_runs_write_at_once(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger.append(state("first"))
    before = {info.key: ledger.lake.get(info.key) for info in ledger.lake.objects()}
    # The second run listed the segments before the first wrote its own.
    with monkeypatch.context() as patched:
        patched.setattr(Store, "objects", lambda self, prefix="": [])
        ledger.append(state("second"))
    assert all(ledger.lake.get(key) == data for key, data in before.items())
    assert set(ledger.events()["submission_id"]) == {"first", "second"}


def test_a_file_stands_until_it_is_withdrawn_and_again_when_it_returns(ledger: Ledger) -> None:
    ledger.append(events(("a", 2024, "object", "x.csv", None, None), ("a", 2024, "object", "y.csv", None, None)))
    ledger.append(events(("a", 2024, "withdrawn", "x.csv", None, None)))
    assert current_objects(ledger.events())["name"].to_list() == ["y.csv"]
    ledger.append(events(("a", 2024, "object", "x.csv", None, None)))
    assert sorted(current_objects(ledger.events())["name"]) == ["x.csv", "y.csv"]


def test_the_newest_state_of_each_folder_stands(ledger: Ledger) -> None:
    for frame in (state("one"), state("two"), state("other", year=2023), state("b1", community="b")):
        ledger.append(frame)
    standing = current_submissions(ledger.events()).select("community_id", "reporting_year", "submission_id")
    assert sorted(standing.rows()) == [("a", 2023, "other"), ("a", 2024, "two"), ("b", 2024, "b1")]


def test_a_withdrawn_folder_has_no_current_state_and_its_past_stays(ledger: Ledger) -> None:
    ledger.append(state("one"))
    ledger.append(state(None, "withdrawn"))
    assert current_submissions(ledger.events()).is_empty()
    states = submission_states(ledger.events())
    assert states.select("submission_id", "is_current").rows() == [("one", False)]


def test_every_state_says_what_replaced_it(ledger: Ledger) -> None:
    for submission in ("one", "two", "three"):
        ledger.append(state(submission))
    states = submission_states(ledger.events()).sort("submission_id")
    assert states.select("submission_id", "is_current", "replaced_by").rows() == [
        ("one", False, "two"),
        ("three", True, None),
        ("two", False, "three"),
    ]


def test_a_folder_that_returns_to_an_earlier_state_is_current_once(ledger: Ledger) -> None:
    for submission in ("one", "two", "one"):
        ledger.append(state(submission))
    states = submission_states(ledger.events())
    assert states.filter("is_current")["submission_id"].to_list() == ["one"]
    assert states.height == 2
