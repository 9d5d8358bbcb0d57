"""All whole numbers that fit what is known: elimination, bounds, then trying every value.

Belongs here: variables with bounds, linear rows, rates of pairs in a straight line's figures, the search for a table.
Does not: know what a cell, a family or a release is.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

Bounds = tuple[list[int], list[int]]
NODES = 4_000
"""Branches of one search; beyond it nothing is claimed."""


class UndecidedError(Exception):
    """The search was too long to say anything; never counts as safe."""


@dataclass(frozen=True)
class Linear:
    """low <= sum of coefficient * variable <= high; None: no such bound."""

    terms: tuple[tuple[int, int], ...]
    """(variable, coefficient)."""
    low: int | None
    high: int | None


@dataclass(frozen=True)
class Rate:
    """One hidden rate in a derived figure: weight * 100 * k / n, `rounded` to one decimal by the source."""

    weight: float
    n: int
    k: int
    rounded: bool = False


@dataclass(frozen=True)
class Figure:
    """low <= sum of weighted rates <= high."""

    rates: tuple[Rate, ...]
    low: float
    high: float


@dataclass
class Program:
    """Variables 0.. with inclusive bounds and what ties them to one another."""

    low: list[int] = field(default_factory=list)
    high: list[int] = field(default_factory=list)
    linear: list[Linear] = field(default_factory=list)
    figures: list[Figure] = field(default_factory=list)

    def variable(self, low: int, high: int) -> int:
        """A new variable."""
        self.low.append(low)
        self.high.append(high)
        return len(self.low) - 1

    def add(self, terms: Iterable[tuple[int, int]], low: int | None, high: int | None) -> None:
        """A new row; terms of one variable are added up."""
        summed: dict[int, int] = defaultdict(int)
        for variable, coefficient in terms:
            summed[variable] += coefficient
        self.linear.append(Linear(tuple((v, c) for v, c in summed.items() if c), low, high))


class Search:
    """Searches one program whose rows never change; bounds are narrowed for each question."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.rows = list(program.linear)
        self.figures = program.figures
        self._index()
        self.nodes = 0

    def _index(self) -> None:
        self.rows_of: list[list[int]] = [[] for _ in self.program.low]
        self.figures_of: list[list[int]] = [[] for _ in self.program.low]
        for number, row in enumerate(self.rows):
            for variable, _ in row.terms:
                self.rows_of[variable].append(number)
        for number, figure in enumerate(self.figures):
            for rate in figure.rates:
                self.figures_of[rate.n].append(number)
                self.figures_of[rate.k].append(number)

    def root(self, eliminate: bool = True) -> Bounds | None:
        """Bounds after narrowing and elimination; None: nothing fits."""
        low, high = list(self.program.low), list(self.program.high)
        if any(a > b for a, b in zip(low, high, strict=True)) or not self.narrow(low, high, None):
            return None
        if not eliminate:
            return low, high
        self.rows.extend(_eliminated(self.rows, low, high))
        self._index()
        return (low, high) if self.narrow(low, high, None) else None

    def narrow(self, low: list[int], high: list[int], changed: Iterable[int] | None) -> bool:
        """Tighten bounds in place until nothing moves; False: nothing fits."""
        if changed is None:
            waiting = set(range(len(self.rows)))
            figures = set(range(len(self.figures)))
        else:
            waiting = {number for variable in changed for number in self.rows_of[variable]}
            figures = {number for variable in changed for number in self.figures_of[variable]}
        while waiting or figures:
            if waiting:
                moved = _tighten(self.rows[waiting.pop()], low, high)
            else:
                moved = _tighten_figure(self.figures[figures.pop()], low, high)
            if moved is None:
                return False
            for variable in moved:
                waiting.update(self.rows_of[variable])
                figures.update(self.figures_of[variable])
        return True

    def solve(self, low: list[int], high: list[int], prefer: Sequence[int]) -> list[int] | None:
        """One table within narrowed bounds, None if there is none. `prefer`: per variable 0 low first, 1 high first.

        UndecidedError: more than NODES branches."""
        self.nodes += 1
        if self.nodes > NODES:
            raise UndecidedError
        open_ones = [(high[v] - low[v], v) for v in range(len(low)) if high[v] > low[v]]
        if not open_ones:
            return list(low)
        size, variable = min(open_ones)
        middle = low[variable] + size // 2 if size > 6 else (high[variable] - 1 if prefer[variable] else low[variable])
        halves = [(low[variable], middle), (middle + 1, high[variable])]
        for bounds in halves[::-1] if prefer[variable] else halves:
            found = self.within(low, high, variable, *bounds, prefer)
            if found is not None:
                return found
        return None

    def within(
        self, low: list[int], high: list[int], variable: int, least: int, most: int, prefer: Sequence[int]
    ) -> list[int] | None:
        """One table in which `variable` lies from least to most."""
        least, most = max(least, low[variable]), min(most, high[variable])
        if least > most:
            return None
        narrower, wider = list(low), list(high)
        narrower[variable], wider[variable] = least, most
        return self.solve(narrower, wider, prefer) if self.narrow(narrower, wider, (variable,)) else None


def _tighten(row: Linear, low: list[int], high: list[int]) -> list[int] | None:
    least = most = 0
    for variable, c in row.terms:
        if c > 0:
            least, most = least + c * low[variable], most + c * high[variable]
        else:
            least, most = least + c * high[variable], most + c * low[variable]
    if (row.high is not None and least > row.high) or (row.low is not None and most < row.low):
        return None
    moved = []
    for variable, c in row.terms:
        a, b = low[variable], high[variable]
        if a == b:
            continue
        size, new_a, new_b = abs(c), a, b
        if row.high is not None:
            room = (row.high - least) // size
            new_a, new_b = (a, min(b, a + room)) if c > 0 else (max(a, b - room), b)
        if row.low is not None:
            room = (most - row.low) // size
            new_a, new_b = (max(new_a, b - room), new_b) if c > 0 else (new_a, min(new_b, a + room))
        if new_a > new_b:
            return None
        if new_a != a or new_b != b:
            least += (c * (new_a - a)) if c > 0 else (c * (new_b - b))
            most += (c * (new_b - b)) if c > 0 else (c * (new_a - a))
            low[variable], high[variable] = new_a, new_b
            moved.append(variable)
    return moved


def _span(rate: Rate, low: list[int], high: list[int]) -> tuple[float, float]:
    """Least and most of weight * rate; n of a rate in a derived figure is never 0."""
    least = 100 * low[rate.k] / max(high[rate.n], 1)
    most = min(100.0, 100 * high[rate.k] / max(low[rate.n], 1))
    if rate.rounded:
        least, most = (round(least, 1), round(most, 1)) if least == most else (least - 0.05, most + 0.05)
    return (rate.weight * least, rate.weight * most) if rate.weight > 0 else (rate.weight * most, rate.weight * least)


def _tighten_figure(figure: Figure, low: list[int], high: list[int]) -> list[int] | None:
    spans = [_span(rate, low, high) for rate in figure.rates]
    least, most = math.fsum(a for a, _ in spans), math.fsum(b for _, b in spans)
    if least > figure.high or most < figure.low:
        return None
    moved = []
    for rate, (a, b) in zip(figure.rates, spans, strict=True):
        ends = ((figure.low - (most - b)) / rate.weight, (figure.high - (least - a)) / rate.weight)
        slack = 0.05 + 1e-9 if rate.rounded else 1e-9
        bottom, top = max(0.0, min(ends) - slack), min(100.0, max(ends) + slack)
        k_low = max(low[rate.k], math.ceil(low[rate.n] * bottom / 100 - 1e-9))
        k_high = min(high[rate.k], math.floor(high[rate.n] * top / 100 + 1e-9))
        if k_low > k_high:
            return None
        if (k_low, k_high) != (low[rate.k], high[rate.k]):
            low[rate.k], high[rate.k] = k_low, k_high
            moved.append(rate.k)
    return moved


def _eliminated(rows: Sequence[Linear], low: list[int], high: list[int]) -> list[Linear]:
    """Rows that follow from the equations alone (reduced echelon form), so that a count they pin is seen at once."""
    basis: list[tuple[int, dict[int, Fraction], Fraction]] = []
    for row in rows:
        if row.low is None or row.low != row.high:
            continue
        terms = {v: Fraction(c) for v, c in row.terms if low[v] != high[v]}
        right = Fraction(row.low - sum(c * low[v] for v, c in row.terms if low[v] == high[v]))
        for pivot, other, value in basis:
            if pivot in terms:
                right -= _subtract(terms, other, terms[pivot], value)
        if not terms:
            if right:
                return [Linear((), 1, 1)]  # The equations contradict each other: nothing adds up to this row.
            continue
        pivot = next(iter(terms))
        scale = terms[pivot]
        terms, right = {v: c / scale for v, c in terms.items()}, right / scale
        reduced = []
        for other_pivot, other, value in basis:
            if pivot in other:
                value -= _subtract(other, terms, other[pivot], right)
            reduced.append((other_pivot, other, value))
        basis = [*reduced, (pivot, terms, right)]
    found = []
    for _, terms, right in basis:
        common = math.lcm(right.denominator, *(c.denominator for c in terms.values()))
        whole = int(right * common)
        found.append(Linear(tuple((v, int(c * common)) for v, c in terms.items()), whole, whole))
    return found


def _subtract(terms: dict[int, Fraction], other: dict[int, Fraction], factor: Fraction, value: Fraction) -> Fraction:
    """terms -= factor * other, in place; what to take off the right side."""
    for variable, c in list(other.items()):
        left = terms.get(variable, Fraction(0)) - factor * c
        if left:
            terms[variable] = left
        else:
            terms.pop(variable, None)
    return factor * value


def components(search: Search, low: list[int], high: list[int]) -> list[list[int]]:
    """Variables still open, in sets that nothing ties to one another."""
    parent = list(range(len(low)))

    def find(v: int) -> int:
        while parent[v] != v:
            parent[v] = parent[parent[v]]
            v = parent[v]
        return v

    tied = [[v for v, _ in row.terms] for row in search.rows]
    tied += [[v for rate in figure.rates for v in (rate.n, rate.k)] for figure in search.figures]
    for members in tied:
        opened = [v for v in members if low[v] != high[v]]
        for v in opened[1:]:
            parent[find(v)] = find(opened[0])
    sets: dict[int, list[int]] = defaultdict(list)
    for v in range(len(low)):
        if low[v] != high[v]:
            sets[find(v)].append(v)
    return list(sets.values())


def restrict(search: Search, low: list[int], high: list[int], members: Sequence[int]) -> tuple[Program, dict[int, int]]:
    """The program of one component and where its variables are in it; settled ones become constants."""
    place = {v: number for number, v in enumerate(members)}
    program = Program([low[v] for v in members], [high[v] for v in members])
    seen = set()
    for row in search.rows:
        terms = tuple((place[v], c) for v, c in row.terms if v in place)
        if terms:
            settled = sum(c * low[v] for v, c in row.terms if v not in place)
            found = Linear(
                terms,
                None if row.low is None else row.low - settled,
                None if row.high is None else row.high - settled,
            )
            if found not in seen:
                seen.add(found)
                program.linear.append(found)
    for figure in search.figures:
        opened = [rate for rate in figure.rates if rate.n in place or rate.k in place]
        if opened:
            rates = []
            for rate in figure.rates:
                for v in (rate.n, rate.k):
                    if v not in place:
                        place[v] = program.variable(low[v], high[v])
                rates.append(Rate(rate.weight, place[rate.n], place[rate.k], rate.rounded))
            program.figures.append(Figure(tuple(rates), figure.low, figure.high))
    return program, place
