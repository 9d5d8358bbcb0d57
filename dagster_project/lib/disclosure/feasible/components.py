"""One component: unknowns that sums and ties connect, and how many values of each stay feasible (RULES 8.2).

Belongs here: the closed form of a component with one sum, bounds propagated through several, witnesses by programs.
Does not: which cells form a component, needs and verdicts (judging.py), solving a program (programs.py).
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from dagster_project.lib.disclosure.feasible.programs import Budget, Line, Link, Program
from dagster_project.lib.disclosure.feasible.solved import Answer, Ranges, problem_of
from dagster_project.lib.disclosure.sums import AT_MOST, EQUAL, NONE
from dagster_project.lib.disclosure.words import INF, Bounds, Need, Unknown

# Rounds after which propagation of bounds stops; it only narrows, so stopping early is right, if less sharp.
PROPAGATIONS = 12
RATE_NOISE = 1e-6


class InfeasibleError(ValueError):
    """Public facts and sums contradict each other."""


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
        return connected(self.unknowns, lines, links)

    def ranges(
        self, needs: Mapping[Unknown, Need], bounds: Mapping[Unknown, Bounds], budget: Budget | None
    ) -> dict[Unknown, Ranges]:
        """How much is feasible for each needed unknown; InfeasibleError where there is no table.

        budget None: an upper bound of it where more than one sum connects the unknowns.
        """
        known = [bounds[unknown] for unknown in self.unknowns]
        narrow = self._narrowed(known) if self.is_closed(bounds) else self._propagated(known)
        found = {unknown: counted(narrow[self.unknowns.index(unknown)]) for unknown in needs}
        if budget is None or self.is_closed(bounds):
            return found
        # What propagated bounds exclude already needs no program.
        left = {self.unknowns.index(u): need for u, need in needs.items() if found[u].satisfies(need)}
        if left:
            answers = self._answered(known, narrow, left, budget)
            found.update({self.unknowns[number]: ranges for number, ranges in answers.items()})
        return found

    def _answered(
        self, known: Sequence[Bounds], narrow: Sequence[Bounds], needs: Mapping[int, Need], budget: Budget
    ) -> dict[int, Ranges]:
        """Ranges by position, from an answer that is known or by programs; InfeasibleError where there is no table."""
        problem = problem_of(known, self.lines, self.links, needs)
        answer = budget.solved.answer(problem)
        if answer is not None:
            budget.spend(answer.programs)
        else:
            before = budget.used
            ranges = self._solved(known, narrow, needs, budget)
            answer = Answer(budget.used - before, ranges)
            budget.solved.keep(problem, answer)
        if answer.ranges is None:
            raise InfeasibleError("no table satisfies the sums")
        return dict(zip(sorted(needs), answer.ranges, strict=True))

    def _solved(
        self, known: Sequence[Bounds], narrow: Sequence[Bounds], needs: Mapping[int, Need], budget: Budget
    ) -> tuple[Ranges, ...] | None:
        """Ranges in order of position, by programs; None where there is no table."""
        try:
            if self._is_cone(known):
                program = Program(known, self.lines, self.links, budget)
                return tuple(self._scaled(program, number) for number in sorted(needs))
            return _Search(Program(narrow, self.lines, self.links, budget)).ranges(needs)
        except InfeasibleError:
            return None

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
        feasible.

        A sum none of whose terms another one or a rate has moved since has nothing to add: narrowing is exact.
        """
        lines_at: dict[int, set[int]] = defaultdict(set)
        for number, line in enumerate(self.lines):
            for place, _ in line.terms:
                lines_at[place].add(number)
        waiting = set(range(len(self.lines)))
        for _ in range(PROPAGATIONS):
            narrow = list(known)
            for number, line in enumerate(self.lines):
                if number in waiting:
                    waiting.remove(number)
                    for place in _narrow(line, narrow):
                        waiting |= lines_at[place] - {number}
            for place, each in enumerate(narrow):
                if not each.is_box:
                    narrow[place] = _by_rate(each)
                    waiting |= lines_at[place] if narrow[place] != each else set()
            if narrow == known:
                break
            known = narrow
        return known

    def _narrowed(self, known: list[Bounds]) -> list[Bounds]:
        """Bounds after each sum has narrowed its terms once; with one sum in all that is the answer."""
        narrow = list(known)
        for line in self.lines:
            _narrow(line, narrow)
        return narrow


# n, k, m, each low, high.
Box = Sequence[float]
ENDS = (-INF, INF, -INF, INF, -INF, INF)


def _narrow(line: Line, known: list[Bounds]) -> list[int]:
    """Leave of each term exactly the pairs that some choice of the other terms of the sum completes; places that moved.

    Every cell's pairs are the whole points of {k, m, k + m within bounds}; such sets add up bound by bound (they are
    integral generalized polymatroids, closed under Minkowski sums: Frank and Tardos 1988), so what the others can make
    up is again such a set, and so is what it leaves to this one.
    """
    boxes = [_signed(known[place], sign) for place, sign in line.terms]
    finite, free = [0.0] * 6, [0] * 6
    for box in (_slack(line), *boxes):
        for end, value in enumerate(box):
            if -INF < value < INF:
                finite[end] += value
            else:
                free[end] += 1
    if min(free) > 1:
        return []
    n, k = line.n_constant, line.k_constant
    constants = (n, n, k, k, n - k, n - k)
    moved = []
    for (place, sign), box in zip(line.terms, boxes, strict=True):
        rest = [
            (finite[end] - value if -INF < value < INF else finite[end]) + constants[end]
            if free[end] == (not -INF < value < INF)
            else ENDS[end]
            for end, value in enumerate(box)
        ]
        before = known[place]
        known[place] = _cut(before, _signed_box(rest, -sign))
        if known[place].empty:
            raise InfeasibleError("a sum cannot be met")
        if known[place] is not before and known[place] != before:
            moved.append(place)
    return moved


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


def counted(left: Bounds) -> Ranges:
    n = left.n_high - left.n_low + 1
    if not left.has_k:
        return Ranges(n, INF, INF, n, True, True)
    k = left.k_high - left.k_low + 1
    return Ranges(n, k, left.m_high - left.m_low + 1, max(n, k), left.k_high > 0, left.m_high > 0)


PlacedLine = tuple[list[tuple[Unknown, int]], Line, tuple[bool, bool]]


def connected(
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

    def ranges(self, needs: Mapping[int, Need]) -> tuple[Ranges, ...]:
        """Ranges of the needed variables in their order, counted up to what is needed."""
        return tuple(self._ranges_of(number, need) for number, need in sorted(needs.items()))

    def _ranges_of(self, number: int, need: Need) -> Ranges:
        has_k = self.program.has_part(number, "k")
        n = self._values(number, "n", need.n)
        k = self._values(number, "k", need.k) if has_k else INF
        m = self._values(number, "m", need.m) if has_k else INF
        for part in "nk" if has_k else "n":
            if need.pairs > len(self.pairs[number]):
                self._values(number, part, need.pairs)
        k_positive = not need.certain or self._is_positive(number, "k")
        m_positive = not need.certain or self._is_positive(number, "m")
        return Ranges(n, k, m, len(self.pairs[number]), k_positive, m_positive)

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
