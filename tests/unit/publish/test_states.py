"""States of releases as claims: the last line counts, what is allowed, which release follows a withdrawn one.

Belongs here: lib/publish/release/{states,pointing,decisions}.py on folders of small files; what `finalize` says first.
Does not: pruning (test_retention.py), the commands over whole releases (tests/integration/test_retention.py).
"""

from __future__ import annotations

import datetime as dt
import json
import os
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from dagster_project.cli.cycle import rehearse
from dagster_project.cli.main import status
from dagster_project.cli.release import verify
from dagster_project.cli.retention import finalize as finalize_command
from dagster_project.cli.worklist import worklist
from dagster_project.lib.base.store import Store
from dagster_project.lib.publish.release import pointing
from dagster_project.lib.publish.release.decisions import DecisionError, finalize, pinned, withdraw
from dagster_project.lib.publish.release.pointing import current_release
from dagster_project.lib.publish.release.states import (
    FINAL,
    PROVISIONAL,
    STATES,
    WITHDRAWN,
    StateLine,
    States,
    StatesError,
    add,
    parse,
    read_states,
    written,
)
from tests.support import PROJECT

DAY = dt.date(2026, 7, 1)
OLD, MIDDLE, NEW = "2026-06-28-aaa", "2026-06-30-ccc", "2026-06-30-bbb"
INPUTS = [{"community_id": "a", "reporting_year": 2024, "submission_id": "s1"}]

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"))
words = st.text(st.characters(categories=["L", "N"], include_characters="-,\"'"), min_size=1)
state_lines = st.builds(StateLine, words, st.sampled_from(STATES), st.dates().map(dt.date.isoformat), words)


def folder(tmp_path: Path, *release_ids: str) -> Store:
    """Releases in the order in which they were published, the last of them current."""
    store = Store(str(tmp_path / "publish"))
    for release_id in release_ids:
        manifest = {"release_id": release_id, "inputs": INPUTS}
        store.put(pointing.database_key(release_id), f"database of {release_id}".encode())
        store.put(f"releases/{release_id}/manifest.json", json.dumps(manifest).encode())
        add(store, StateLine(release_id, PROVISIONAL, release_id[:10], "published"))
        pointing.point(store, release_id)
    return store


@given(st.lists(state_lines))
def test_lines_that_are_written_are_read_again(lines: list[StateLine]) -> None:
    states = States(tuple(lines))
    assert parse(written(states)) == states


@given(st.lists(state_lines), words)
def test_the_last_line_of_a_release_counts_and_none_means_provisional(lines: list[StateLine], release_id: str) -> None:
    own = [line.state for line in lines if line.release_id == release_id]
    assert States(tuple(lines)).state(release_id) == (own[-1] if own else PROVISIONAL)


@given(st.lists(texts, min_size=1))
def test_any_reason_stays_one_line(reasons: list[str]) -> None:
    store = MemoryStore()
    for reason in reasons:
        add(store, StateLine(OLD, WITHDRAWN, "2026-07-01", reason))
    assert [line.reason for line in parse(store.text()).lines] == [" ".join(reason.split()) for reason in reasons]
    assert len(store.text().split("\n")) == len(reasons) + 2


class MemoryStore(Store):
    """A store that holds one object."""

    def __init__(self) -> None:
        self.data: bytes | None = None

    def get_or_none(self, key: str) -> bytes | None:
        return self.data

    def put(self, key: str, data: bytes) -> None:
        self.data = data

    def text(self) -> str:
        return (self.data or b"").decode()


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("x,gone,2026-07-01,", "line 2, column state: found 'gone', allowed are provisional, final, withdrawn"),
        ("x,final,1.7.2026,", "line 2, column at: found '1.7.2026'"),
        (",final,2026-07-01,", "line 2: column release_id is empty"),
        ("x,final", "line 2: found 2 cells, expected 4"),
    ],
)
def test_a_line_that_cannot_be_read_is_named(line: str, told: str) -> None:
    with pytest.raises(StatesError, match=told):
        parse(f"release_id,state,at,reason\n{line}\n")


def test_a_line_added_by_hand_without_a_line_end_is_kept_whole(tmp_path: Path) -> None:
    store = folder(tmp_path, OLD)
    store.put("states.csv", written(States()).encode() + f"{OLD},final,2026-07-01,by hand".encode())
    add(store, StateLine(OLD, WITHDRAWN, "2026-07-02", "wrong"))
    assert [line.state for line in read_states(store).lines] == [FINAL, WITHDRAWN]


def test_of_releases_of_one_day_the_one_published_last_is_the_newest(tmp_path: Path) -> None:
    states = read_states(folder(tmp_path, OLD, MIDDLE, NEW))
    assert states.newest_first([OLD, NEW, MIDDLE]) == [NEW, MIDDLE, OLD], "not by the letters of the id"
    assert States().newest_first([OLD, NEW, MIDDLE])[-1] == OLD


def test_the_fixed_path_holds_the_current_release_and_an_open_reader_keeps_the_older_one(tmp_path: Path) -> None:
    store = folder(tmp_path, OLD)
    fixed = tmp_path / "publish" / "current.duckdb"
    with fixed.open("rb") as reader:
        folder(tmp_path, NEW)
        assert reader.read() == f"database of {OLD}".encode()
    assert fixed.read_bytes() == f"database of {NEW}".encode()
    assert fixed.samefile(tmp_path / "publish" / pointing.database_key(NEW)), "a second name of the same bytes"
    assert not pointing.fix(store, NEW), "pointing there again changes nothing"
    assert sorted(path.name for path in (tmp_path / "publish").iterdir()) == [
        "current",
        "current.duckdb",
        "releases",
        "states.csv",
    ]


def test_a_file_system_without_second_names_gets_a_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError("no links here")

    monkeypatch.setattr(os, "link", refuse)
    store = folder(tmp_path, OLD, NEW)
    fixed = tmp_path / "publish" / "current.duckdb"
    assert fixed.read_bytes() == f"database of {NEW}".encode()
    assert fixed.stat().st_mode & 0o777 == 0o444
    assert pointing.is_fixed(store, NEW) and not pointing.is_fixed(store, OLD)


def test_after_a_withdrawal_the_newest_that_stands_is_current(tmp_path: Path) -> None:
    store = folder(tmp_path, OLD, MIDDLE, NEW)
    assert withdraw(store, NEW, DAY, "wrong counts") == MIDDLE
    assert current_release(store) == MIDDLE
    assert pointing.is_fixed(store, MIDDLE)
    assert read_states(store).of(NEW) == StateLine(NEW, WITHDRAWN, "2026-07-01", "wrong counts")


def test_a_release_whose_data_are_gone_does_not_follow(tmp_path: Path) -> None:
    store = folder(tmp_path, OLD, MIDDLE, NEW)
    store.delete([pointing.database_key(MIDDLE)])
    assert withdraw(store, NEW, DAY, "wrong counts") == OLD


def test_an_older_release_is_withdrawn_and_current_stays(tmp_path: Path) -> None:
    store = folder(tmp_path, OLD, NEW)
    assert withdraw(store, OLD, DAY, "wrong") == NEW
    with pytest.raises(DecisionError, match="is withdrawn since 2026-07-01: wrong"):
        withdraw(store, OLD, DAY, "again")


@pytest.mark.parametrize(("state", "reason"), [(WITHDRAWN, "wrong"), (FINAL, "sent")])
def test_a_decided_release_is_not_asked_for_reviews_or_hashed_before_that_is_said(
    tmp_path: Path, state: str, reason: str
) -> None:
    store = folder(tmp_path, OLD)
    (withdraw if state == WITHDRAWN else finalize)(store, OLD, DAY, reason)
    environment = {"CRADLE_HOME": str(tmp_path), "CRADLE_SEEDS": str(PROJECT / "seeds"), "DAGSTER_HOME": ""}
    result = CliRunner().invoke(finalize_command, [OLD], env=environment)
    assert result.output.splitlines()[0] == f"cradle: release {OLD} is {state} since 2026-07-01"


def test_without_any_release_that_stands_nothing_is_current(tmp_path: Path) -> None:
    store = folder(tmp_path, OLD)
    assert withdraw(store, OLD, DAY, "wrong") is None
    assert current_release(store) is None
    assert not (tmp_path / "publish" / "current.duckdb").exists()


def test_a_command_without_a_current_release_says_whether_none_was_made_or_all_are_withdrawn(tmp_path: Path) -> None:
    environment = {"CRADLE_HOME": str(tmp_path), "CRADLE_SEEDS": str(PROJECT / "seeds"), "DAGSTER_HOME": ""}
    place = tmp_path / "publish"

    def said() -> set[str]:
        results = (CliRunner().invoke(command, env=environment) for command in (verify, rehearse, worklist, status))
        return {result.output.splitlines()[0] for result in results}

    place.mkdir()
    assert said() == {f"cradle: nothing is published at {place} yet"}
    store = folder(tmp_path, OLD)
    withdraw(store, OLD, DAY, "wrong")
    assert said() == {f"cradle: every release at {place} is withdrawn; correct what was wrong, then make the next one"}


def test_a_withdrawal_that_died_half_way_goes_on(tmp_path: Path) -> None:
    store = folder(tmp_path, OLD, NEW)
    add(store, StateLine(NEW, WITHDRAWN, "2026-07-01", "wrong"))
    assert withdraw(store, NEW, DAY, "wrong") == OLD
    assert [line.state for line in read_states(store).lines if line.release_id == NEW] == [PROVISIONAL, WITHDRAWN]


def test_a_withdrawal_says_why(tmp_path: Path) -> None:
    with pytest.raises(DecisionError, match="needs a reason"):
        withdraw(folder(tmp_path, OLD), OLD, DAY, "  ")


def test_a_final_release_pins_its_inputs_until_it_is_withdrawn(tmp_path: Path) -> None:
    store = folder(tmp_path, OLD, NEW)
    finalize(store, OLD, DAY, "")
    assert pinned(store) == {OLD: INPUTS}
    with pytest.raises(DecisionError, match="is final since 2026-07-01"):
        finalize(store, OLD, DAY, "")
    withdraw(store, OLD, DAY, "wrong after all")
    assert pinned(store) == {}
    with pytest.raises(DecisionError, match="is withdrawn"):
        finalize(store, OLD, DAY, "")


def test_what_lost_its_data_is_not_made_final(tmp_path: Path) -> None:
    store = folder(tmp_path, OLD, NEW)
    store.delete([pointing.database_key(OLD)])
    with pytest.raises(DecisionError, match="only its manifest is kept"):
        finalize(store, OLD, DAY, "")
