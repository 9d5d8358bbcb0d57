"""Judging families: for each hidden cell, how many values the public facts leave (RULES 8.2).

Belongs here: what is known of some families together, splitting it into components, needs and verdicts.
Does not: what one component leaves (feasible/), or mending what fails (choice.py).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from dagster_project.lib.disclosure.feasible.components import (
    Component,
    InfeasibleError,
    PlacedLine,
    connected,
    counted,
)
from dagster_project.lib.disclosure.feasible.programs import Budget, Line
from dagster_project.lib.disclosure.feasible.solved import FEASIBLE, Ranges
from dagster_project.lib.disclosure.sums import AT_MOST, EQUAL, NONE, K, Sum, Tie
from dagster_project.lib.disclosure.words import (
    CODED,
    COMPLEMENTARY,
    INF,
    SMALL,
    SOURCE_MASKED,
    Bounds,
    Key,
    Need,
    Unknown,
)

PAIRS = 2


def need_of(kind: str, bounds: Bounds) -> Need:
    """What must stay feasible for a cell of this kind; `bounds`: what is known of it by itself.

    A cell masked at the source needs no more k than the source's own row leaves.
    """
    if kind == SMALL:
        return Need(n=FEASIBLE, k=FEASIBLE, m=FEASIBLE) if bounds.has_k else Need(n=FEASIBLE)
    if kind == CODED:
        return Need(k=FEASIBLE, m=FEASIBLE)
    if kind == COMPLEMENTARY:
        return Need(pairs=PAIRS, certain=bounds.has_k)
    if kind == SOURCE_MASKED:
        if not bounds.has_k:
            return Need(n=int(min(FEASIBLE, bounds.n_high - bounds.n_low + 1)))
        alone = int(min(FEASIBLE, bounds.k_high - bounds.k_low + 1))
        return Need(k=alone, certain=bounds.k_high > 0 and bounds.m_high > 0)
    return Need()


@dataclass(frozen=True, slots=True)
class SystemSum:
    """A sum over unknowns: total, parts, relations of n and k, and whether each was checked with the truth."""

    total: Unknown
    parts: tuple[Unknown, ...]
    n: int
    k: int
    checked_n: bool
    checked_k: bool
    rest_is_group: bool


@dataclass
class System:
    """All that is known of some families together: unknowns with bounds, sums and ties over them, needs.

    `needs` names the unknowns that are judged; `printed` those that some release prints. Unknowns of several releases
    may stand side by side.
    """

    bounds: dict[Unknown, Bounds] = field(default_factory=dict)
    sums: dict[SystemSum, None] = field(default_factory=dict)
    ties: dict[tuple[Unknown, str, Unknown, str], None] = field(default_factory=dict)
    needs: dict[Unknown, Need] = field(default_factory=dict)
    printed: set[Unknown] = field(default_factory=set)
    masked: set[Unknown] = field(default_factory=set)

    def copy(self) -> System:
        """The same, to be added to."""
        return System(
            dict(self.bounds), dict(self.sums), dict(self.ties), dict(self.needs), set(self.printed), set(self.masked)
        )

    def of_source_alone(self, asked: Collection[Unknown]) -> System:
        """What stays known whatever is withheld: the source's own masks, cells of nobody, and which sums hold."""
        bounds = {}
        for unknown, known in self.bounds.items():
            if unknown in self.masked:
                n_low, n_high = (0.0, INF) if known.n_fixed and known.n_low > 0 else (known.n_low, known.n_high)
                bounds[unknown] = Bounds(
                    n_low, n_high, rate_low=known.rate_low, rate_high=known.rate_high, has_k=known.has_k
                ).tight()
            else:
                bounds[unknown] = known if known.n_high == 0 else Bounds(has_k=known.has_k)
        needs = {unknown: self.needs[unknown] for unknown in asked}
        return System(bounds, self.sums, self.ties, needs, self.printed, self.masked)

    def know(self, unknown: Unknown, bounds: Bounds) -> None:
        """Add what a release says of an unknown."""
        known = self.bounds.get(unknown)
        self.bounds[unknown] = bounds if known is None else known.meet(bounds)

    def add_sum(self, held: Sum, unknown_of: Mapping[Key, Unknown]) -> None:
        """Add a sum of a release in which each key is the given unknown; what stands there already is not repeated."""
        parts = tuple(unknown_of[part] for part in held.parts)
        new = SystemSum(
            unknown_of[held.total], parts, held.n, held.k, held.checked_n, held.checked_k, held.rest_is_group
        )
        self.sums.setdefault(new)

    def add_tie(self, tie: Tie, unknown_of: Mapping[Key, Unknown]) -> None:
        """Add a tie of a release."""
        new = (unknown_of[tie.cell], tie.part, unknown_of[tie.other], tie.other_part)
        self.ties.setdefault(new)


NOTHING = Ranges(0, 0, 0, 0, False, False)


@dataclass
class Verdict:
    """What judging some families found.

    failing: unknowns whose needs are not met, sorted. infeasible: some component has no table at all. dropped: whether
    the sums that could not be checked were left out to get one. smallest: the fewest values any met need had.
    """

    failing: list[Unknown] = field(default_factory=list)
    infeasible: bool = False
    dropped: bool = False
    smallest: float = INF
    forced: set[Unknown] = field(default_factory=set)
    found: dict[Unknown, Ranges] = field(default_factory=dict)
    components: dict[Unknown, int] = field(default_factory=dict)


def judge(system: System, budget: Budget, around: Collection[Unknown] | None = None, *, outer: bool = False) -> Verdict:
    """Judge every need of the system, or only those of components in which one of `around` stands.

    outer: by propagated bounds alone, without programs: what fails then fails for certain, what passes need not.

    A component that has no table is judged once more without its sums that could not be checked; one that has none
    even then is a fault of the program: `infeasible`, and every judged unknown of it fails. (RULES 8.2 leaves such sums
    out of the whole family; kept in its other components they only make the attacker stronger.) A cell masked at the
    source that would fail with everything else withheld is `forced`: what the source let be known leaves fewer.
    """
    verdict = _judge_once(system, budget, around, outer=outer)
    masked = [unknown for unknown in verdict.failing if unknown in system.masked]
    if masked and not verdict.infeasible:
        alone = _judge_once(system.of_source_alone(masked), budget, masked, outer=outer)
        # No fewer than that: the cell must keep whatever its source leaves.
        verdict.forced = {unknown for unknown in alone.failing if verdict.found[unknown].keeps(alone.found[unknown])}
        verdict.failing = [unknown for unknown in verdict.failing if unknown not in verdict.forced]
    return verdict


def _judge_once(system: System, budget: Budget, around: Collection[Unknown] | None, *, outer: bool) -> Verdict:
    verdict = Verdict()
    try:
        bounds = _through_ties(system)
        components = _components(system, bounds, verdict)
    except InfeasibleError:
        return Verdict(sorted(system.needs), infeasible=True)
    for number, component in enumerate(components):
        if around is not None and not any(unknown in around for unknown in component.unknowns):
            continue
        verdict.components.update(dict.fromkeys(component.unknowns, number))
        needs = {unknown: system.needs[unknown] for unknown in component.unknowns if unknown in system.needs}
        if needs:
            _judge_component(component, needs, bounds, None if outer else budget, verdict)
    # What one count of a tie or an earlier release gives away is open no longer, yet still asked for.
    for unknown, need in system.needs.items():
        if bounds[unknown].fixed and (around is None or unknown in around):
            _count(unknown, counted(bounds[unknown]), need, verdict)
    verdict.failing.sort()
    return verdict


def _judge_component(
    component: Component,
    needs: Mapping[Unknown, Need],
    bounds: Mapping[Unknown, Bounds],
    budget: Budget | None,
    verdict: Verdict,
) -> None:
    try:
        found = component.ranges(needs, bounds, budget)
    except InfeasibleError:
        verdict.dropped = True
        try:
            found = {}
            for part in component.without_unchecked():
                own = {unknown: needs[unknown] for unknown in part.unknowns if unknown in needs}
                found.update(part.ranges(own, bounds, budget) if own else {})
        except InfeasibleError:
            verdict.infeasible = True
            verdict.failing += sorted(needs)
            verdict.found.update(dict.fromkeys(needs, NOTHING))
            return
    for unknown, ranges in found.items():
        _count(unknown, ranges, needs[unknown], verdict)


def _count(unknown: Unknown, ranges: Ranges, need: Need, verdict: Verdict) -> None:
    if ranges.satisfies(need):
        counted = [(ranges.n, need.n), (ranges.k, need.k), (ranges.m, need.m)]
        verdict.smallest = min([verdict.smallest, *(have for have, asked in counted if asked >= FEASIBLE)])
    else:
        verdict.failing.append(unknown)
        verdict.found[unknown] = ranges


def _through_ties(system: System) -> dict[Unknown, Bounds]:
    """Bounds after one count has been read off the other side of its ties, until nothing changes."""
    bounds = system.bounds if not system.ties else dict(system.bounds)
    changed = bool(system.ties)
    while changed:
        changed = False
        for one, part, other, other_part in system.ties:
            low = max(_low(bounds[one], part), _low(bounds[other], other_part))
            high = min(_high(bounds[one], part), _high(bounds[other], other_part))
            for unknown, which in ((one, part), (other, other_part)):
                narrowed = bounds[unknown].meet(_only(which, low, high, bounds[unknown].has_k))
                if narrowed != bounds[unknown]:
                    bounds[unknown], changed = narrowed, not narrowed.empty
    if any(each.empty for each in bounds.values()):
        raise InfeasibleError("one cell's facts contradict each other")
    return bounds


def _low(bounds: Bounds, part: str) -> float:
    return bounds.k_low if part == K else bounds.n_low


def _high(bounds: Bounds, part: str) -> float:
    return bounds.k_high if part == K else bounds.n_high


def _only(part: str, low: float, high: float, has_k: bool) -> Bounds:
    if part == K:
        return Bounds(k_low=low, k_high=high, has_k=has_k)
    return Bounds(n_low=low, n_high=high, has_k=has_k)


def _components(system: System, bounds: Mapping[Unknown, Bounds], verdict: Verdict) -> list[Component]:
    """Components over the unknowns that are not fixed, in order of their first unknown."""
    lines = []
    for held in system.sums:
        line = _open_line(held, bounds, verdict)
        if line is not None:
            lines.append(line)
    links = [
        tie
        for tie in system.ties
        if not bounds[tie[0]].fixed
        and not bounds[tie[2]].fixed
        and _low(bounds[tie[0]], tie[1]) != _high(bounds[tie[0]], tie[1])
    ]
    return connected(sorted(unknown for unknown, known in bounds.items() if not known.fixed), lines, links)


def _open_line(held: SystemSum, bounds: Mapping[Unknown, Bounds], verdict: Verdict) -> PlacedLine | None:
    """The sum's open unknowns, the line with the constants of the fixed ones; None where nothing is open.

    InfeasibleError where everything is printed and a checked sum is not met; an unchecked one is left out.
    """
    n_constant = k_constant = 0.0
    terms = []
    for unknown, sign in ((held.total, 1), *((part, -1) for part in held.parts)):
        known = bounds[unknown]
        n_open = held.n != NONE and not known.n_fixed
        k_open = held.k != NONE and known.k_low != known.k_high
        if n_open or k_open:
            terms.append((unknown, sign))
        else:
            n_constant += sign * known.n_low if held.n != NONE else 0.0
            k_constant += sign * known.k_low if held.k != NONE else 0.0
    if terms:
        line = Line((), held.n, held.k, n_constant, k_constant, held.rest_is_group)
        return terms, line, (held.checked_n, held.checked_k)
    for relation, constant, checked in ((held.n, n_constant, held.checked_n), (held.k, k_constant, held.checked_k)):
        if (relation == EQUAL and constant != 0) or (relation == AT_MOST and constant < 0):
            if checked:
                raise InfeasibleError("printed counts do not add up")
            verdict.dropped = True
    return None
