"""Judging families: for each hidden cell, how many values the public facts leave (RULES 8.2).

Belongs here: splitting a family into components, the closed form of a component with one sum, needs and verdicts.
Does not: solving programs (programs.py), or mending what fails (protect.py).
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from dagster_project.lib.disclosure.programs import Budget, Line, Link, Program
from dagster_project.lib.disclosure.sums import AT_MOST, EQUAL, NONE, K, Sum, Tie
from dagster_project.lib.disclosure.words import CODED, COMPLEMENTARY, INF, SMALL, SOURCE_MASKED, Bounds, Key, Need

FEASIBLE = 3
# Rounds after which propagation of bounds stops; it only narrows, so stopping early is right, if less sharp.
PROPAGATIONS = 12
PAIRS = 2
RATE_NOISE = 1e-6

Unknown = str


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


@dataclass(frozen=True, slots=True)
class Ranges:
    """How many n, k and m are feasible for one unknown, counted up to what was needed; and the certain rates."""

    n: float
    k: float
    m: float
    pairs: float
    k_positive: bool
    m_positive: bool

    def keeps(self, other: Ranges) -> bool:
        """Whether nothing that the other leaves open is closed here."""
        counts = self.k >= min(other.k, FEASIBLE) and (self.k < INF or self.n >= min(other.n, FEASIBLE))
        return counts and self.k_positive >= other.k_positive and self.m_positive >= other.m_positive

    def satisfies(self, need: Need) -> bool:
        """Whether everything needed is there."""
        enough = self.n >= need.n and self.k >= need.k and self.m >= need.m and self.pairs >= need.pairs
        return enough and (not need.certain or (self.k_positive and self.m_positive))


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


class InfeasibleError(ValueError):
    """Public facts and sums contradict each other."""


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
            _count(unknown, _counted(bounds[unknown]), need, verdict)
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


@dataclass
class Component:
    """Unknowns that sums and ties connect, with the lines over them (terms are positions in `unknowns`)."""

    unknowns: list[Unknown]
    lines: list[Line]
    links: list[Link]
    checks: list[tuple[bool, bool]] = field(default_factory=list)

    def is_closed(self, bounds: Mapping[Unknown, Bounds]) -> bool:
        """Whether one sum, and nothing else, connects the unknowns."""
        return len(self.lines) <= 1 and not self.links and all(bounds[each].is_box for each in self.unknowns)

    def without_unchecked(self) -> list[Component]:
        """What it falls into without the sums that could not be checked."""
        kept = [
            replace(line, n=line.n if checks[0] else NONE, k=line.k if checks[1] else NONE)
            for line, checks in zip(self.lines, self.checks, strict=True)
        ]
        lines = [([(self.unknowns[place], sign) for place, sign in line.terms], line, (True, True)) for line in kept]
        lines = [each for each in lines if each[1].n != NONE or each[1].k != NONE]
        links = [
            (self.unknowns[link.one[0]], link.one[1], self.unknowns[link.other[0]], link.other[1])
            for link in self.links
        ]
        return _connected(self.unknowns, lines, links)

    def ranges(
        self, needs: Mapping[Unknown, Need], bounds: Mapping[Unknown, Bounds], budget: Budget | None
    ) -> dict[Unknown, Ranges]:
        """How much is feasible for each needed unknown; InfeasibleError where there is no table.

        budget None: an upper bound of it where more than one sum connects the unknowns.
        """
        known = [bounds[unknown] for unknown in self.unknowns]
        narrow = self._narrowed(known) if self.is_closed(bounds) else self._propagated(known)
        found = {unknown: _counted(narrow[self.unknowns.index(unknown)]) for unknown in needs}
        if budget is None or self.is_closed(bounds):
            return found
        # What propagated bounds exclude already needs no program.
        left = {u: need for u, need in needs.items() if found[u].satisfies(need)}
        if left and self._is_cone(known):
            program = Program(known, self.lines, self.links, budget)
            found.update({u: self._scaled(program, self.unknowns.index(u)) for u in left})
        elif left:
            search = _Search(Program(narrow, self.lines, self.links, budget))
            found.update(search.ranges({self.unknowns.index(u): need for u, need in left.items()}, self.unknowns))
        return found

    def _is_cone(self, known: Sequence[Bounds]) -> bool:
        """Whether no count is printed: with one table each multiple of it is feasible too."""
        scales = all(
            b.has_k and b.n_low <= 1 and b.k_low == b.m_low == 0 and b.n_high == b.k_high == b.m_high == INF
            for b in known
        )
        return scales and not any(line.n_constant or line.k_constant for line in self.lines)

    @staticmethod
    def _scaled(program: Program, number: int) -> Ranges:
        """Ranges of an unknown of a cone: without end where a count can be positive, since rates are rational."""
        positive = [program.can_be_positive(number, part) for part in "km"]
        if None in positive:
            raise InfeasibleError("no rates satisfy the sums")
        k, m = (INF if each else 1.0 for each in positive)
        return Ranges(max(k, m), k, m, max(k, m), k > 1, m > 1)

    def _propagated(self, known: list[Bounds]) -> list[Bounds]:
        """Bounds after every sum, taken by itself, has narrowed its terms, again and again; a superset of what is
        feasible."""
        for _ in range(PROPAGATIONS):
            narrow = [each if each.is_box else _by_rate(each) for each in self._narrowed(known)]
            if narrow == known:
                break
            known = narrow
        return known

    def _narrowed(self, known: list[Bounds]) -> list[Bounds]:
        """Exactly the pairs of each term that some choice of the other terms of its sum completes, sum by sum.

        Every cell's pairs are the whole points of {k, m, k + m within bounds}; such sets add up bound by bound (they
        are integral generalized polymatroids, closed under Minkowski sums: Frank and Tardos 1988), so what the others
        can make up is again such a set, and so is what it leaves to this one. With one sum in all that is the answer.
        """
        for line in self.lines:
            boxes = [_slack(line), *(_signed(known[place], sign) for place, sign in line.terms)]
            finite = [sum(box[end] for box in boxes if abs(box[end]) < INF) for end in range(6)]
            free = [sum(1 for box in boxes if abs(box[end]) == INF) for end in range(6)]
            n, k = line.n_constant, line.k_constant
            constants = (n, n, k, k, n - k, n - k)
            narrow = list(known)
            for (place, sign), box in zip(line.terms, boxes[1:], strict=True):
                rest = [
                    (finite[end] - box[end] if abs(box[end]) < INF else finite[end]) + constants[end]
                    if free[end] == (abs(box[end]) == INF)
                    else ENDS[end]
                    for end in range(6)
                ]
                narrow[place] = _cut(known[place], _signed_box(rest, -sign))
                if narrow[place].empty:
                    raise InfeasibleError("a sum cannot be met")
            known = narrow
        return known


# n, k, m, each low, high.
Box = Sequence[float]
ENDS = (-INF, INF, -INF, INF, -INF, INF)


def _slack(line: Line) -> Box:
    """What the line lets the total exceed its parts by, as a negative part."""
    relation = {EQUAL: (0.0, 0.0), AT_MOST: (-INF, 0.0), NONE: (-INF, INF)}
    n, k = relation[line.n], relation[line.k]
    if line.n == EQUAL and line.k == EQUAL:
        return 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    m_high = 0.0 if line.n == AT_MOST and line.k == AT_MOST and line.rest_is_group else n[1] - k[0]
    return *n, *k, n[0] - k[1], m_high


def _signed(bounds: Bounds, sign: int) -> Box:
    if not bounds.has_k:
        return _signed_box((bounds.n_low, bounds.n_high, 0.0, INF, -INF, INF), sign)
    return _signed_box((bounds.n_low, bounds.n_high, bounds.k_low, bounds.k_high, bounds.m_low, bounds.m_high), sign)


def _signed_box(box: Box, sign: int) -> Box:
    if sign > 0:
        return box
    return -box[1], -box[0], -box[3], -box[2], -box[5], -box[4]


def _cut(bounds: Bounds, box: Box) -> Bounds:
    n_low, n_high, k_low, k_high, m_low, m_high = box
    if not bounds.has_k:
        return bounds.meet(Bounds(n_low=n_low, n_high=n_high, has_k=False))
    if (
        n_low <= bounds.n_low
        and n_high >= bounds.n_high
        and k_low <= bounds.k_low
        and k_high >= bounds.k_high
        and m_low <= bounds.m_low
        and m_high >= bounds.m_high
    ):
        return bounds
    return bounds.meet(Bounds(n_low, n_high, k_low, k_high, m_low, m_high))


def _by_rate(bounds: Bounds) -> Bounds:
    """What the rate makes of the bounds of n for k; InfeasibleError where no count meets both."""
    low = math.ceil(bounds.rate_low * bounds.n_low - RATE_NOISE)
    high = bounds.rate_high * bounds.n_high + RATE_NOISE if bounds.rate_high > 0 else 0.0
    narrow = bounds.meet(Bounds(k_low=float(low), k_high=high if high == INF else float(math.floor(high))))
    if narrow.empty:
        raise InfeasibleError("a rate cannot be met")
    return narrow


def _counted(left: Bounds) -> Ranges:
    n = left.n_high - left.n_low + 1
    if not left.has_k:
        return Ranges(n, INF, INF, n, True, True)
    k = left.k_high - left.k_low + 1
    return Ranges(n, k, left.m_high - left.m_low + 1, max(n, k), left.k_high > 0, left.m_high > 0)


PlacedLine = tuple[list[tuple[Unknown, int]], Line, tuple[bool, bool]]


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
    return _connected(sorted(unknown for unknown, known in bounds.items() if not known.fixed), lines, links)


def _connected(
    unknowns: Sequence[Unknown], lines: Iterable[PlacedLine], links: Iterable[tuple[Unknown, str, Unknown, str]]
) -> list[Component]:
    """The unknowns by what connects them; lines and links with positions in place of names."""
    lines, links = list(lines), list(links)
    parent = {unknown: unknown for unknown in unknowns}

    def root(unknown: Unknown) -> Unknown:
        while parent[unknown] != unknown:
            parent[unknown] = parent[parent[unknown]]
            unknown = parent[unknown]
        return unknown

    for terms, _, _ in lines:
        for unknown, _ in terms[1:]:
            parent[root(unknown)] = root(terms[0][0])
    for one, _, other, _ in links:
        parent[root(one)] = root(other)
    members: dict[Unknown, list[Unknown]] = defaultdict(list)
    for unknown in unknowns:
        members[root(unknown)].append(unknown)
    found = {name: Component(each, [], []) for name, each in members.items()}
    position = {unknown: place for each in members.values() for place, unknown in enumerate(each)}
    for terms, line, checks in lines:
        owner = found[root(terms[0][0])]
        placed = replace(line, terms=tuple((position[unknown], sign) for unknown, sign in terms))
        if placed not in owner.lines:
            owner.lines.append(placed)
            owner.checks.append(checks)
    for one, part, other, other_part in links:
        found[root(one)].links.append(Link((position[one], part), (position[other], other_part)))
    return sorted(found.values(), key=lambda component: component.unknowns[0])


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


class _Search:
    """Witnesses of one component: every solved program is a table that speaks for all unknowns at once."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.seen: dict[tuple[int, str], set[int]] = defaultdict(set)
        self.pairs: dict[int, set[tuple[int, int]]] = defaultdict(set)
        self._take(program.point())

    def _take(self, point: dict[tuple[int, str], int] | None) -> None:
        if point is None:
            raise InfeasibleError("no table satisfies the sums")
        for name, value in point.items():
            self.seen[name].add(value)
        for number, part in point:
            if part == "n":
                self.pairs[number].add((point[number, "n"], point.get((number, "k"), 0)))

    def ranges(self, needs: Mapping[int, Need], names: Sequence[Unknown]) -> dict[Unknown, Ranges]:
        """Ranges of the needed variables, counted up to what is needed."""
        found = {}
        for number, need in sorted(needs.items()):
            has_k = self.program.has_part(number, "k")
            n = self._values(number, "n", need.n)
            k = self._values(number, "k", need.k) if has_k else INF
            m = self._values(number, "m", need.m) if has_k else INF
            for part in "nk" if has_k else "n":
                if need.pairs > len(self.pairs[number]):
                    self._values(number, part, need.pairs)
            k_positive = not need.certain or self._is_positive(number, "k")
            m_positive = not need.certain or self._is_positive(number, "m")
            found[names[number]] = Ranges(n, k, m, len(self.pairs[number]), k_positive, m_positive)
        return found

    def _values(self, number: int, part: str, wanted: int) -> float:
        """How many values of a count are feasible, no further than `wanted`."""
        seen = self.seen[number, part]
        for largest in (True, False):
            if len(seen) < wanted:
                self._take(self.program.extreme(number, part, largest=largest))
        low, high = min(seen), max(seen)
        while len(seen) < wanted and high - low + 1 > len(seen):
            gaps = [value for value in range(low + 1, high) if value not in seen][:1]
            last = min((value for value in seen if value > gaps[0]), default=high) - 1
            point = self.program.between(number, part, gaps[0], last)
            if point is None:
                break
            self._take(point)
        return len(seen)

    def _is_positive(self, number: int, part: str) -> bool:
        if max(self.seen[number, part]) == 0:
            self._take(self.program.extreme(number, part, largest=True))
        return max(self.seen[number, part]) > 0
