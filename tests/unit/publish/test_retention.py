"""Pruning as claims: what is never let go, what a policy leaves, what remains of a pruned release.

Belongs here: lib/publish/release/retention.py and lib/app/pruning.py.
Does not: states (test_states.py), the command (tests/integration/test_retention.py).
"""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from dagster_project.lib.app.frozen import file_bytes
from dagster_project.lib.app.pruning import carry_out, named_releases, to_be_freed
from dagster_project.lib.app.stands.cycles import FrozenContent, frozen_key
from dagster_project.lib.base.store import Store
from dagster_project.lib.publish.release.retention import (
    Fate,
    Held,
    OnDisk,
    delete_data,
    held_releases,
    on_disk,
    plan,
)
from dagster_project.lib.publish.release.states import FINAL, PROVISIONAL, STATES, States
from dagster_project.lib.receipts.change_log import ChangeLog

held = st.builds(Held, st.uuids().map(str), st.sampled_from(STATES), st.integers(0, 100))
many = st.lists(held, max_size=20, unique_by=lambda one: one.release_id)


@given(many, st.integers(0, 10), st.data())
def test_final_ones_the_current_one_and_those_that_are_named_are_never_let_go(
    releases: list[Held], newest: int, data: st.DataObject
) -> None:
    ids = [one.release_id for one in releases] or ["none"]
    current, named = data.draw(st.sampled_from(ids)), data.draw(st.sets(st.sampled_from(ids)))
    gone = {fate.release_id for fate in plan(releases, newest, current, dict.fromkeys(named, "x")) if not fate.is_kept}
    assert not gone & ({current} | named | {one.release_id for one in releases if one.state == FINAL})


@given(many, st.integers(0, 10))
def test_of_provisional_ones_exactly_the_newest_stay(releases: list[Held], newest: int) -> None:
    fates = [fate for fate in plan(releases, newest, None, {}) if fate.state == PROVISIONAL]
    assert [fate.is_kept for fate in fates] == [place < newest for place in range(len(fates))]


@given(many, st.integers(0, 10))
def test_what_was_pruned_once_is_let_be_and_takes_no_place_among_the_newest(releases: list[Held], newest: int) -> None:
    with_data = [one for one in releases if one.data_bytes]
    assert plan(releases, newest, None, {}) == plan(with_data, newest, None, {})
    assert {fate.release_id for fate in plan(releases, newest, None, {})} == {one.release_id for one in with_data}


def test_a_withdrawn_release_loses_its_data_unless_something_needs_them() -> None:
    releases = [Held(name, "withdrawn", 7) for name in ("a", "b")]
    fates = plan(releases, 10, None, {"b": "frozen cycle 2024"})
    assert [(fate.is_kept, fate.why) for fate in fates] == [(False, "withdrawn"), (True, "frozen cycle 2024")]


def test_a_manifest_outlives_its_release(tmp_path: Path) -> None:
    store = Store(str(tmp_path))
    for name, data in {"manifest.json": b"{}", "internal.duckdb": b"1234", "report/index.html": b"56"}.items():
        store.put(f"releases/2026-06-30-abc/{name}", data)
    assert [one.data_bytes for one in held_releases(store, States())] == [6]
    assert delete_data(store, "2026-06-30-abc") == 6
    assert [path.name for path in (tmp_path / "releases" / "2026-06-30-abc").rglob("*")] == ["manifest.json"]
    assert [one.data_bytes for one in held_releases(store, States())] == [0]
    assert delete_data(store, "2026-06-30-abc") == 0


def test_a_file_that_a_kept_release_holds_too_is_not_freed_and_counts_once(tmp_path: Path) -> None:
    store = Store(str(tmp_path))
    names = ("2026-06-28-aaa", "2026-06-29-bbb", "2026-06-30-ccc")
    for name in names:
        store.put(f"releases/{name}/manifest.json", b"{}")
        store.put(f"releases/{name}/internal.duckdb", b"1234")
    store.put(f"releases/{names[0]}/report/style.css", b"123456")
    for name in names[1:]:
        (tmp_path / "releases" / name / "report").mkdir()
        (tmp_path / f"releases/{name}/report/style.css").hardlink_to(tmp_path / f"releases/{names[0]}/report/style.css")
    assert on_disk(store, names[:2]) == OnDisk(alone=8, held_elsewhere=6)
    assert on_disk(store, names) == OnDisk(alone=18, held_elsewhere=0)
    fates = [Fate(name, "provisional", 10, name == names[2], "") for name in reversed(names)]
    before = _bytes_on_disk(tmp_path)
    assert to_be_freed(store, fates) == (8, 10)
    carry_out(store, fates)
    assert before - _bytes_on_disk(tmp_path) == 8


def _bytes_on_disk(folder: Path) -> int:
    files = [path.stat() for path in folder.rglob("*") if path.is_file()]
    return sum({file.st_ino: file.st_size for file in files}.values())


def test_the_release_of_a_frozen_cycle_and_the_one_told_last_are_named(tmp_path: Path) -> None:
    lake = Store(str(tmp_path))
    assert named_releases(lake) == {}
    ChangeLog(lake).tell("2026-06-30-bbb")
    lake.put(frozen_key(2024), file_bytes(2024, FrozenContent([], []), "2026-06-28-aaa", ("toa", "1")))
    assert named_releases(lake) == {
        "2026-06-30-bbb": "the change log goes on from it",
        "2026-06-28-aaa": "frozen cycle 2024",
    }
