"""Freshness of yearly data: what is new in the bucket, what is due or late by the calendar, whose verdict changed.

Belongs here: identity of what changed, the rule that lets a burst of uploads settle, deadlines, lateness by year.
Does not: reading stores or the warehouse (callers hand tables over), a clock of any kind, Dagster (defs/).
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace

import polars as pl

from dagster_project.lib.intake.bucket.plan import Plan

PLACE = ["community_id", "reporting_year"]
STATUS_COLUMNS = [*PLACE, "status", "due_on"]
LATE = "late"
NOTICE_DAYS = (14, 7)
"""So many days before a folder is due its community is reminded."""
MISSING = (LATE, "rejected")
"""Statuses that say: of this community and year there is nothing to publish, and there should be."""


@dataclass(frozen=True)
class Pending:
    """Folders whose files, or the rules that read them, differ from what the ledger last saw; never empty."""

    communities: tuple[str, ...]
    years: tuple[int, ...]
    n_folders: int
    fingerprint: str
    n_withdrawn: int = 0


def pending(
    plan: Plan, events: pl.DataFrame, version: str, left: Mapping[tuple[str, int], str] | None = None
) -> Pending | None:
    """What waits to be taken, or None. `events` is the ledger, `version` the one of intake's rules.

    `left` are runs that left a folder as it stood: what a run left is asked for anew, once it has settled.

    The fingerprint is made of every waiting folder's files (name, etag) and links, the version, and the ledger's last
    word on the folder: the same listing is one fingerprint however often it is looked at, and an old file that is
    uploaded again after another is a new one.
    """
    folders = {
        folder.partition: [(file.name, file.etag) for file in folder.files]
        + [(link, "") for link in folder.links]
        + [(name, rule) for rule, name in folder.others]
        for folder in plan.take
    }
    folders |= {place: [] for place in plan.withdrawn}
    if not folders:
        return None
    last = {
        (community_id, year): sequence
        for community_id, year, sequence in events.group_by(PLACE).agg(pl.col("sequence").max()).iter_rows()
    }
    places = sorted(folders)
    runs = left or {}
    lines = [
        [*place, last.get(place, 0), folders[place], *([runs[place]] if place in runs else [])] for place in places
    ]
    text = json.dumps([version, lines], ensure_ascii=False)
    return Pending(
        communities=tuple(sorted({community_id for community_id, _ in places})),
        years=tuple(sorted({year for _, year in places})),
        n_folders=len(places),
        fingerprint=hashlib.sha256(text.encode()).hexdigest()[:32],
        n_withdrawn=len(plan.withdrawn),
    )


@dataclass(frozen=True)
class Watch:
    """What the bucket's watcher remembers from one look to the next: fingerprints and counts of looks, no times.

    `seen` is what waited at the last look, `looks` how often that changed since something began to wait; `asked` and
    `built` are what the last intake and the last build were asked for; `idle` counts looks by run that holds no lock.
    """

    seen: str = ""
    looks: int = 0
    asked: str = ""
    built: str = ""
    idle: tuple[tuple[str, int], ...] = ()

    @classmethod
    def load(cls, text: str | None) -> Watch:
        """From a cursor; an empty or older one starts anew."""
        known = json.loads(text) if text else {}
        fields = {name: value for name, value in known.items() if name in cls.__dataclass_fields__}
        return cls(**{**fields, "idle": tuple((run, looks) for run, looks in fields.get("idle", ()))})

    def dump(self) -> str:
        """As a cursor."""
        return json.dumps(asdict(self), sort_keys=True)


def settle(watch: Watch, fingerprint: str | None, most_looks: int) -> tuple[Watch, bool]:
    """Whether to ask for an intake now, and what to remember.

    A burst of uploads is let settle: only what two looks saw alike is asked for, at the latest after `most_looks`
    looks that all differed; what was asked for is not asked for again before a look found that nothing waits: what
    was undone before its intake began, and done once more, is news again.
    """
    if fingerprint is None:
        return replace(watch, seen="", looks=0, asked=""), False
    if fingerprint == watch.asked:
        return replace(watch, seen=fingerprint, looks=0), False
    if fingerprint == watch.seen or watch.looks + 1 >= most_looks:
        return replace(watch, seen="", looks=0, asked=fingerprint), True
    return replace(watch, seen=fingerprint, looks=watch.looks + 1), False


def idle_runs(watch: Watch, unfinished: Sequence[str], locked: bool, looks: int) -> tuple[Watch, list[str]]:
    """Runs that have died: unfinished at `looks` looks in a row while nobody held the lock that every run holds."""
    before = dict(watch.idle)
    now = {} if locked else {run: before.get(run, 0) + 1 for run in sorted(unfinished)}
    dead = [run for run, seen in now.items() if seen >= looks]
    return replace(watch, idle=tuple((run, seen) for run, seen in now.items() if run not in dead)), dead


def deadlines(
    communities: pl.DataFrame,
    calendar: pl.DataFrame,
    waivers: pl.DataFrame,
    submitted: pl.DataFrame,
    today: dt.date,
    notice_days: Sequence[int],
) -> pl.DataFrame:
    """Communities without a folder that are late, or due within the widest of `notice_days`.

    `communities` has community_id, joined_year, left_year; `calendar` reporting_year, due_on as text; `waivers` and
    `submitted` the places that need no reminder. Columns: community_id, reporting_year, due_on, days_left (negative:
    days late), notice (`late`, or the narrowest notice that applies, for example `due within 7 days`); sorted.
    """
    due = calendar.select(pl.col("reporting_year").cast(pl.Int32), pl.col("due_on").str.to_date())
    member = (pl.col("reporting_year") >= pl.col("joined_year")) & (
        pl.col("left_year").is_null() | (pl.col("reporting_year") <= pl.col("left_year"))
    )
    left = pl.col("days_left")
    notice = pl.lit(None, pl.String)
    for days in sorted(notice_days, reverse=True):
        notice = pl.when(left <= days).then(pl.lit(f"due within {days} days")).otherwise(notice)
    notice = pl.when(left < 0).then(pl.lit(LATE)).otherwise(notice)
    expected = (
        communities.select("community_id", "joined_year", "left_year")
        .join(due.filter(pl.col("reporting_year") <= today.year), how="cross")
        .filter(member)
    )
    for there in (waivers, submitted):
        expected = expected.join(
            there.select("community_id", pl.col("reporting_year").cast(pl.Int32)), on=PLACE, how="anti"
        )
    return (
        expected.with_columns(days_left=(pl.col("due_on") - today).dt.total_days())
        .with_columns(notice=notice)
        .filter(pl.col("notice").is_not_null())
        .select(*PLACE, "due_on", "days_left", "notice")
        .sort("reporting_year", "community_id")
    )


def lateness_by_year(status: pl.DataFrame) -> pl.DataFrame:
    """How each reporting year stands, newest first, from rows of fct_submission_status.

    Columns: reporting_year, expected (communities of whom a folder is due or there), submitted, late, rejected.
    Filling an old year changes that year's line alone: this, not the time of the last run, is freshness.
    """
    state = pl.col("status")
    return (
        status.group_by("reporting_year")
        .agg(
            (~state.is_in(["not_expected", "waived"])).sum().alias("expected"),
            pl.col("submission_id").is_not_null().sum().alias("submitted"),
            (state == LATE).sum().alias("late"),
            (state == "rejected").sum().alias("rejected"),
        )
        .sort("reporting_year", descending=True)
    )


def changed_verdicts(status: pl.DataFrame, before: pl.DataFrame | None) -> pl.DataFrame:
    """Places whose verdict is to be told anew: missing now but not so before, and missing before but not now.

    `status` and `before` are rows of fct_submission_status (before: None the first time); columns: community_id,
    reporting_year, status, due_on; sorted.
    """
    was = status.clear() if before is None else before
    pairs = status.join(was.select(*PLACE, pl.col("status").alias("_was")), on=PLACE, how="left")
    now_missing, was_missing = pl.col("status").is_in(MISSING), pl.col("_was").is_in(MISSING).fill_null(False)
    changed = pl.col("status").ne_missing(pl.col("_was"))
    return pairs.filter(changed & (now_missing | was_missing)).select(STATUS_COLUMNS).sort(PLACE)
