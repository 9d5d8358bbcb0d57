"""The final audit (RULES 8.2): finished public tables of all releases together, judged without any hidden count.

Belongs here: every family of the newest release and of those before, its verdict, what fails in words.
Does not: choosing what is withheld (choice.py). Nothing here reads an internal table.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import polars as pl

from dagster_project.lib.base.workers import HERE, Spread
from dagster_project.lib.disclosure.feasible.programs import Budget, BudgetError
from dagster_project.lib.disclosure.feasible.solved import Answer, Solved
from dagster_project.lib.disclosure.judging import judge
from dagster_project.lib.disclosure.profiles import AUDIT_PROGRAMS
from dagster_project.lib.disclosure.register import Readings, Release
from dagster_project.lib.disclosure.sums import AT_MOST, NONE, Sum, key_from
from dagster_project.lib.disclosure.unit import Earlier, Joint, Unit, distinct, joint_of, unknown_name
from dagster_project.lib.disclosure.words import (
    CODED,
    HIDDEN,
    INF,
    MISSING,
    NOT_APPLICABLE,
    PUBLISHED,
    SMALL,
    SOURCE_MASKED,
    Key,
    Unknown,
)

NO_ANSWERS: Mapping[str, Mapping[str, Answer]] = {}
NOTHING_KEPT: Mapping[str, Kept] = {}


@dataclass(frozen=True, slots=True)
class Failure:
    """One cell that is not protected, with the sums it stands in; keys only, no value."""

    cell: Key
    why: str
    sums: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Kept:
    """What the audit found of one community in which nothing fails. seen: the digest of all that it looked at."""

    seen: str
    families: int
    judged: int
    programs: int
    dropped: int
    out: int
    forced: int
    smallest: float
    out_cells: tuple[Key, ...]


AUDITED_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "community_id": pl.String,
    "seen": pl.String,
    **dict.fromkeys(("families", "judged", "programs", "dropped", "out", "forced"), pl.Int64),
    "smallest": pl.Float64,
    "out_cells": pl.List(pl.List(pl.String)),
}


def audited_frame(parts: Mapping[str, Kept]) -> pl.DataFrame:
    """AUDITED_SCHEMA, sorted: a row a community; keys of cells as text, no value."""
    rows = [
        (name, *(getattr(part, column) for column in NUMBERS), [[str(each) for each in key] for key in part.out_cells])
        for name, part in sorted(parts.items())
    ]
    return pl.DataFrame(rows, schema=AUDITED_SCHEMA, orient="row")


def audited_from(frame: pl.DataFrame) -> dict[str, Kept]:
    """The parts of `audited_frame` again."""
    return {
        name: Kept(**dict(zip(NUMBERS, numbers, strict=True)), out_cells=tuple(key_from(cell) for cell in cells))
        for name, *numbers, cells in frame.select(list(AUDITED_SCHEMA)).iter_rows()
    }


NUMBERS = tuple(AUDITED_SCHEMA)[1:-1]


@dataclass(frozen=True, slots=True)
class Audit:
    """What the audit found. failures: empty where the release may go out.

    judged: hidden cells judged. dropped: families in which sums that cannot be checked were left out. out: cells of
    earlier releases that those pin already. forced: cells masked at the source that its own rows pin.
    smallest: the fewest feasible values of any judged count. out_cells: the newest release's cells that are out.
    answers: by community, to the problems that came up. parts: by community, what was found of each without a failure.
    """

    failures: tuple[Failure, ...] = ()
    families: int = 0
    judged: int = 0
    programs: int = 0
    dropped: int = 0
    out: int = 0
    forced: int = 0
    smallest: float = INF
    out_cells: frozenset[Key] = frozenset()
    answers: Mapping[str, Mapping[str, Answer]] = field(default_factory=dict)
    parts: Mapping[str, Kept] = field(default_factory=dict)

    @property
    def passed(self) -> bool:
        """Whether every judged cell is protected."""
        return not self.failures


@dataclass
class _Part:
    failures: list[Failure] = field(default_factory=list)
    families: int = 0
    judged: int = 0
    programs: int = 0
    dropped: int = 0
    out: int = 0
    forced: int = 0
    smallest: float = INF
    out_cells: set[Key] = field(default_factory=set)
    answers: Mapping[str, Answer] = field(default_factory=dict)


def audit(
    releases: Sequence[Release],
    answers: Mapping[str, Mapping[str, Answer]] = NO_ANSWERS,
) -> Audit:
    """Judge every family over all releases together; the last one is the newest.

    What the releases before the newest pin already, a cell that was printed before a correction made it small, and
    what stays pinned although its whole family is withheld, is out (RULES 8.8) and counted. Works on the released
    tables, registers and sums alone; `answers` (by community) tell what a problem that says the very same was answered
    with before, and save its programs.
    """
    readings = Readings()
    return audit_read([readings.read(release) for release in releases], answers)


def audit_read(
    by_release: Sequence[Mapping[str, Earlier]],
    answers: Mapping[str, Mapping[str, Answer]] = NO_ANSWERS,
    audited: Mapping[str, Kept] = NOTHING_KEPT,
    spread: Spread = HERE,
) -> Audit:
    """The same for releases that were read already (`register.Readings`), none of which it changes.

    audited: `Audit.parts` of an earlier call by the same code. A community of which all releases say the very same as
    was looked at then is not judged again: its verdict depends on nothing else. spread: where communities are judged.
    """
    names = sorted({name for release in by_release for name in release})
    newest = [name in by_release[-1] for name in names] if by_release else []
    parts = [_releases_of(name, by_release, has) for name, has in zip(names, newest, strict=True)]
    seen = [_seen(part, has) for part, has in zip(parts, newest, strict=True)]
    held = {
        name: kept
        for name, looked in zip(names, seen, strict=True)
        if looked and (kept := audited.get(name)) is not None and kept.seen == looked
    }
    work = [
        (name, part, has, answers.get(name, {}))
        for name, part, has in zip(names, parts, newest, strict=True)
        if name not in held
    ]
    with spread(len(work)) as each:
        judged = dict(zip((name for name, *_ in work), each(_audit_community, work), strict=True))
    found = [judged[name] if name in judged else _again(held[name], answers.get(name, {})) for name in names]
    return Audit(
        tuple(failure for part in found for failure in part.failures),
        sum(part.families for part in found),
        sum(part.judged for part in found),
        sum(part.programs for part in found),
        sum(part.dropped for part in found),
        sum(part.out for part in found),
        sum(part.forced for part in found),
        min((part.smallest for part in found), default=INF),
        frozenset(key for part in found for key in part.out_cells),
        {name: part.answers for name, part in zip(names, found, strict=True)},
        {
            name: _kept(part, looked)
            for name, part, looked in zip(names, found, seen, strict=True)
            if looked and not part.failures
        },
    )


def _releases_of(name: str, by_release: Sequence[Mapping[str, Earlier]], has_newest: bool) -> list[Earlier]:
    releases = [release[name] for release in by_release if name in release]
    # The newest stands apart: what those before it pin already is out, what it pins itself is a fault.
    return [*distinct(releases[:-1]), releases[-1]] if has_newest else distinct(releases)


def _seen(releases: Sequence[Earlier], has_newest: bool) -> str:
    """A digest of all that a community's verdict depends on; empty where a release has none."""
    digests = [release.digest for release in releases]
    return hashlib.sha256(repr((digests, has_newest)).encode()).hexdigest() if all(digests) else ""


def _again(kept: Kept, answers: Mapping[str, Answer]) -> _Part:
    numbers = {name: getattr(kept, name) for name in NUMBERS[1:]}
    return _Part(**numbers, out_cells=set(kept.out_cells), answers=answers)


def _kept(part: _Part, seen: str) -> Kept:
    numbers = {name: getattr(part, name) for name in NUMBERS[1:]}
    return Kept(seen, **numbers, out_cells=tuple(sorted(part.out_cells)))


def _audit_community(work: tuple[str, list[Earlier], bool, Mapping[str, Answer]]) -> _Part:
    name, releases, has_newest, known = work
    solved = Solved(known)
    unit = Unit(name, {}, {}, [], releases, {})
    part = _Part()
    for joined in unit.joint_families():
        _audit_joint(joint_of(unit, joined), has_newest, solved, part)
    part.answers = solved.used
    return part


def _audit_joint(joint: Joint, has_newest: bool, solved: Solved, part: _Part) -> None:
    budget = Budget(AUDIT_PROGRAMS * len(joint.families), solved)
    part.families += len(joint.families)
    before = joint.before_newest() if has_newest else joint
    system = joint.past()
    out = _out(joint, before, has_newest, budget)
    for unknown in out:
        system.needs.pop(unknown, None)
    part.out += len(out)
    if has_newest:
        newest = joint.earlier[-1].cells.items()
        part.out_cells |= {key for key, known in newest if unknown_name(key, known.token) in out}
    part.judged += len(system.needs)
    try:
        verdict = judge(system, budget)
    except BudgetError as error:
        part.failures.append(Failure(_any_key(joint), f"not judged: {error}", ()))
        return
    finally:
        part.programs += budget.used
    part.dropped += verdict.dropped
    part.forced += len(verdict.forced)
    part.smallest = min(part.smallest, verdict.smallest)
    failing = verdict.failing
    if has_newest and not verdict.infeasible and _tells_nothing(joint.earlier[-1]):
        # Every fall-back was taken: no release of these rows could hide more, so they are out (RULES 8.2, 8.8).
        part.out += len(failing)
        part.judged -= len(failing)
        failing = []
    why = "its family has no feasible table" if verdict.infeasible else "too few values are feasible"
    keys = {unknown_name(key, known.token): key for release in joint.earlier for key, known in release.cells.items()}
    part.failures += [Failure(keys[each], why, _sums_with(joint, keys[each])) for each in failing]


def _out(joint: Joint, before: Joint, has_newest: bool, budget: Budget) -> set[Unknown]:
    if not has_newest or not before.earlier:
        return set()
    try:
        pinned = set(judge(before.past(), budget).failing)
    except BudgetError:
        pinned = set()
    printed = {
        key for release in before.earlier for key, known in release.cells.items() if known.kind in (PUBLISHED, CODED)
    }
    made_small = {
        unknown_name(key, known.token)
        for key, known in joint.earlier[-1].cells.items()
        if key in printed and known.kind == SMALL
    }
    return pinned | made_small


def _tells_nothing(newest: Earlier) -> bool:
    """Whether a release prints no count of these families but those that are zero."""
    silent = (*HIDDEN, NOT_APPLICABLE, MISSING)
    return all(
        known.kind in silent or (known.kind == SOURCE_MASKED and not known.bounds.n_fixed)
        for known in newest.cells.values()
    )


def _any_key(joint: Joint) -> Key:
    return next(key for release in joint.earlier for key in sorted(release.cells))


def _sums_with(joint: Joint, key: Key) -> tuple[str, ...]:
    """The sums that the cell stands in, in words."""
    sums = [held for release in joint.earlier for family in joint.families for held in release.sums.get(family, ())]
    return tuple(dict.fromkeys(_in_words(held) for held in sums if key in (held.total, *held.parts)))


def _in_words(held: Sum) -> str:
    def name(key: Key) -> str:
        return f"{key[4]} at {key[3]}"

    parts = " + ".join(name(part) for part in held.parts)
    counts = " and ".join(part for part, relation in (("n", held.n), ("k", held.k)) if relation != NONE)
    sign = ">=" if AT_MOST in (held.n, held.k) else "="
    return f"{name(held.total)} {sign} {parts} ({counts})"
