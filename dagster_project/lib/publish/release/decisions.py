"""Decisions on releases: one is made final, one is withdrawn, and what that moves.

Belongs here: which change of state is allowed, the line it adds, the release that becomes current after a withdrawal.
Does not: the file of states (states.py), deleting data (retention.py), arguments of commands (cli/retention.py).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from dagster_project.lib.base.engine import Connection
from dagster_project.lib.base.store import Store
from dagster_project.lib.publish.release.pointing import (
    current_release,
    database_key,
    point,
    point_nowhere,
    read_manifest,
)
from dagster_project.lib.publish.release.states import FINAL, WITHDRAWN, StateLine, States, add, read_states


class DecisionError(ValueError):
    """The release cannot be put into that state; the message says why in one line."""


def require_open(store: Store, release_id: str) -> None:
    """DecisionError for a release that is final or withdrawn already, or whose data files are gone."""
    line = read_states(store).of(release_id)
    if line is not None and line.state in (FINAL, WITHDRAWN):
        raise DecisionError(f"release {release_id} is {line.state} since {line.at}")
    if not has_data(store, release_id):
        raise DecisionError(f"the data files of release {release_id} are gone; only its manifest is kept")


def finalize(store: Store, release_id: str, today: dt.date, reason: str) -> None:
    """Make a release final: it is never pruned, and what its inputs name is pinned. DecisionError as `require_open`."""
    require_open(store, release_id)
    add(store, StateLine(release_id, FINAL, today.isoformat(), reason))


def unreviewed(connection: Connection) -> list[str]:
    """Communities with a counted folder of the release's latest reporting year that no review of it is known of, by id.

    A release from before reviews were asked for knows of none.
    """
    tables = "select count(*) from information_schema.tables where table_schema = 'marts' and table_name = ?"
    known = "select null as community_id, null as reporting_year where false"
    if connection.execute(tables, ["fct_community_review"]).fetchone() == (1,):
        known = "select community_id, reporting_year from marts.fct_community_review"
    query = f"""
        select community_id from marts.fct_submission_status as folders
        where status in ('accepted', 'accepted_with_queries')
          and reporting_year = (select reporting_year from marts.dim_reporting_year where is_latest)
          and (community_id, reporting_year) not in (select (community_id, reporting_year) from ({known}))
        order by community_id"""
    return [str(community) for (community,) in connection.execute(query).fetchall()]


def withdraw(store: Store, release_id: str, today: dt.date, reason: str) -> str | None:
    """Withdraw a release, a final one too, and return the id of the release that is current afterwards.

    The withdrawal is written first: whoever dies after it finds a release that is withdrawn and still current, and the
    same command then goes on. DecisionError without a reason, or for one that was withdrawn and is not current.
    """
    if not reason.strip():
        raise DecisionError("a withdrawal needs a reason")
    states, current = read_states(store), current_release(store)
    line = states.of(release_id)
    if line is None or line.state != WITHDRAWN:
        states = add(store, StateLine(release_id, WITHDRAWN, today.isoformat(), reason))
    elif current != release_id:
        raise DecisionError(f"release {release_id} is withdrawn since {line.at}: {line.reason}")
    if current != release_id:
        return current
    follows = newest_standing(store, states)
    if follows is None:
        point_nowhere(store)
    else:
        point(store, follows)
    return follows


def newest_standing(store: Store, states: States) -> str | None:
    """The newest release that is not withdrawn and whose data are there; None if there is none."""
    for release_id in states.newest_first(store.folders("releases")):
        if states.state(release_id) != WITHDRAWN and has_data(store, release_id):
            return release_id
    return None


def has_data(store: Store, release_id: str) -> bool:
    """Whether the database of a release is there; its manifest outlives it."""
    return store.size(database_key(release_id)) is not None


def pinned(store: Store) -> dict[str, Sequence[Mapping[str, Any]]]:
    """The inputs of every final release by its id: nothing that they name may be deleted."""
    states = read_states(store)
    final = sorted({line.release_id for line in states.lines if states.state(line.release_id) == FINAL})
    return {release_id: read_manifest(store, release_id)["inputs"] for release_id in final}
