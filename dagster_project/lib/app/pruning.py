"""Pruning a home's releases: what they are named by, the plan, and carrying it out.

Belongs here: collecting from publish folder and lake what the plan needs; deleting what it lets go.
Does not: the policy (publish/release/retention.py), raw bytes, accepted rows or the ledger: all of the lake stays.
"""

from __future__ import annotations

from collections.abc import Sequence

from dagster_project.lib.app.stands.cycles import read_frozen
from dagster_project.lib.base.store import Store
from dagster_project.lib.publish.release.pointing import current_release
from dagster_project.lib.publish.release.retention import Fate, delete_data, held_releases, on_disk, plan
from dagster_project.lib.publish.release.states import read_states
from dagster_project.lib.receipts.change_log import ChangeLog


def prune_plan(published: Store, lake: Store, newest_kept: int) -> list[Fate]:
    """What becomes of the data files of every release that has some, the newest first."""
    held = held_releases(published, read_states(published))
    return plan(held, newest_kept, current_release(published), named_releases(lake))


def named_releases(lake: Store) -> dict[str, str]:
    """Releases whose data are still needed, by what needs them.

    The next run compares with the release told last. Receipts of older changes name releases as well, but read nothing
    of them: a manifest is enough there.
    """
    named = {cycle.release_id: f"frozen cycle {cycle.reporting_year}" for cycle in read_frozen(lake)}
    told = ChangeLog(lake).told
    return named if told is None else {told: "the change log goes on from it", **named}


def to_be_freed(published: Store, fates: Sequence[Fate]) -> tuple[int, int]:
    """Bytes that go with the releases that are not kept, and those of releases that stay; a file counts once."""
    gone = on_disk(published, [fate.release_id for fate in fates if not fate.is_kept]).alone
    together = on_disk(published, [fate.release_id for fate in fates])
    return gone, together.alone + together.held_elsewhere - gone


def carry_out(published: Store, fates: Sequence[Fate]) -> None:
    """Delete the data files of every release that is not kept, the oldest first."""
    for fate in reversed(fates):
        if not fate.is_kept:
            delete_data(published, fate.release_id)
