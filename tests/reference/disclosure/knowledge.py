"""What an attacker knows of all releases that are out, written down as one program (RULES 8.2).

Belongs here: unknowns by row and version, bounds from public rows, kinds and zones, sums, ties, derived figures.
Does not: search, judge, or use a count that is neither public nor implied by the kind of its cell.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from tests.reference.disclosure.derived_clues import gap_clues, trend_clues
from tests.reference.disclosure.model import Family, Key, Network, PublicRelease, Row, family_of, values_of
from tests.reference.disclosure.rules import (
    CODED,
    COMPLEMENTARY,
    PLAIN,
    SMALL,
    SOURCE,
    ZERO,
    Cell,
    Sum,
    Tie,
    cells_of,
    sums_of,
    ties_of,
    zone,
)
from tests.reference.disclosure.search import Figure, Program, Rate

Version = tuple[Key, int]
"""A row as it was in the releases in which it did not change; numbered from 0 in order of appearance."""
SAID = ("value", "value_low", "value_high", "numerator", "denominator", "value_status", "data_source")
OUTSIDE = 40
"""How far above what is published a count is looked for, a row: far beyond the number of values RULES 8.2 asks for."""


@dataclass(frozen=True)
class Known:
    """One release: which version each of its rows is, what is public of it, and which sums hold."""

    network: Network
    release: PublicRelease
    cells: Mapping[Key, Cell]
    versions: Mapping[Key, Version]
    public: Mapping[Key, Row]
    sums: Sequence[Sum]
    ties: Sequence[Tie]

    def kind(self, key: Key) -> str:
        """What the attacker is told: a cell whose counts are gone for no reason of its own is complementary."""
        cell, row = self.cells[key], self.public.get(key)
        gone = row is None or (row["value"] is None and (row["denominator"] is None or cell.kind == PLAIN))
        return COMPLEMENTARY if gone and cell.kind in (PLAIN, CODED) else cell.kind


def releases_known(networks: Sequence[Network], releases: Sequence[PublicRelease]) -> list[Known]:
    """Networks and the releases made of them, oldest first, as an attacker sees them."""
    numbers: dict[Key, dict[tuple[object, ...], int]] = defaultdict(dict)
    known = []
    for network, release in zip(networks, releases, strict=True):
        cells, rows = cells_of(network), values_of(network.fct_indicator_value)
        versions = {}
        for key, row in rows.items():
            seen = numbers[key]
            versions[key] = (key, seen.setdefault(tuple(row[name] for name in SAID), len(seen)))
        public = values_of(release.fct_indicator_value)
        known.append(Known(network, release, cells, versions, public, sums_of(network, cells), ties_of(network, cells)))
    return known


@dataclass
class Model:
    """The program and where each version's n, k and n - k are in it."""

    program: Program = field(default_factory=Program)
    n: dict[Version, int] = field(default_factory=dict)
    k: dict[Version, int] = field(default_factory=dict)
    rest: dict[Version, int] = field(default_factory=dict)
    family: dict[int, Family] = field(default_factory=dict)

    def part(self, version: Version, name: str) -> int:
        """The variable of a version's n or k."""
        return (self.n if name == "n" else self.k)[version]


def model_of(known: Sequence[Known], without: Collection[Family] = (), derived: bool = True) -> Model:
    """All that is known; without the unchecked sums of families `without`; `derived`: with published derived rows."""
    model = Model()
    # A rate or score is no count but only makes the ceiling higher.
    published = [
        row[name] or 0
        for each in known
        for row in each.public.values()
        for name in ("denominator", "numerator", "value")
    ]
    sizes = Counter(family_of(key) for each in known for key in each.cells)
    ceiling = 2 * round(max(published, default=0)) + OUTSIDE * max(sizes.values(), default=1)
    for each in known:
        for key, cell in each.cells.items():
            _unknown(model, each, key, cell, ceiling)
    seen: set[object] = set()
    for each in known:
        for line in each.sums:
            if line.checked or line.family not in without:
                _sum(model, each, line, seen)
        for (one, part), (other, other_part) in each.ties:
            pair = (model.part(each.versions[one], part), model.part(each.versions[other], other_part))
            model.program.add(((pair[0], 1), (pair[1], -1)), 0, 0)
    if derived:
        for each in known:
            _figures(model, each)
    return model


def _unknown(model: Model, each: Known, key: Key, cell: Cell, ceiling: int) -> None:
    version, program = each.versions[key], model.program
    if version not in model.n:
        model.n[version] = program.variable(0, ceiling)
        if cell.has_k:
            model.k[version] = program.variable(0, ceiling)
            model.rest[version] = program.variable(0, ceiling)
            program.add(((model.n[version], 1), (model.k[version], -1), (model.rest[version], -1)), 0, 0)
        for variables in (model.n, model.k, model.rest):
            if version in variables:
                model.family[variables[version]] = family_of(key)
    n = model.n[version]
    kind = each.kind(key)
    if kind == ZERO:
        _clip(program, n, 0, 0)
    elif kind == SMALL or (kind == SOURCE and cell.n is not None and 0 < cell.n < cell.min_n):
        _clip(program, n, 1, cell.min_n - 1)
    elif kind in (CODED, COMPLEMENTARY, PLAIN):
        _clip(program, n, cell.min_n, ceiling)
    row = each.public.get(key)
    if row is not None:
        _facts(model, version, cell, row)


def _clip(program: Program, variable: int, low: int, high: int) -> None:
    program.low[variable] = max(program.low[variable], low)
    program.high[variable] = min(program.high[variable], high)


def _facts(model: Model, version: Version, cell: Cell, row: Row) -> None:
    """What a public row says: counts, a rate as printed, a zone or a source's interval."""
    program, n = model.program, model.n[version]
    if row["denominator"] is not None:
        _clip(program, n, row["denominator"], row["denominator"])
    if not cell.has_k:
        if row["value"] is not None and cell.n is not None and row["denominator"] is None:
            _clip(program, n, round(row["value"]), round(row["value"]))
        return
    k = model.k[version]
    if row["numerator"] is not None:
        _clip(program, k, row["numerator"], row["numerator"])
    elif row["value"] is not None:
        half = Fraction(1, 20) if round(row["value"], 1) == row["value"] else Fraction(1, 10**7)
        exact = Fraction(repr(row["value"]))
        _between(program, n, k, exact - half, exact + half)
    elif row["value_low"] is not None or row["value_high"] is not None:
        _between(program, n, k, Fraction(repr(row["value_low"] or 0.0)), Fraction(repr(row["value_high"] or 100.0)))
    if cell.kind == CODED and row["value"] is None and row["denominator"] is not None:
        bound = zone(row["denominator"])
        low, high = (0, bound) if cell.side == "low" else (100 - bound, 100)
        _between(program, n, k, Fraction(low), Fraction(high))


def _between(program: Program, n: int, k: int, low: Fraction, high: Fraction) -> None:
    program.add(((k, 100 * low.denominator), (n, -low.numerator)), 0, None)
    program.add(((k, 100 * high.denominator), (n, -high.numerator)), None, 0)


def _sum(model: Model, each: Known, line: Sum, seen: set[object]) -> None:
    total, parts = each.versions[line.total], tuple(each.versions[key] for key in line.parts)
    if (line.part, total, parts) in seen:
        return
    seen.add((line.part, total, parts))
    terms = [(model.part(total, line.part), 1), *((model.part(part, line.part), -1) for part in parts)]
    model.program.add(terms, 0, 0 if line.equal else None)


def _figures(model: Model, each: Known) -> None:
    """Published derived figures and classes over points that are not all published."""
    kinds = {key: each.kind(key) for key in each.cells}
    for clue in (
        *trend_clues(each.network, each.release, each.cells, kinds, each.public),
        *gap_clues(each.network, each.release, each.cells, kinds, each.public),
    ):
        settled, rates = 0.0, []
        for key, weight in clue.weights.items():
            row = each.public.get(key)
            if row is not None and row["value"] is not None:
                settled += weight * row["value"]
            elif weight:
                version = each.versions[key]
                rates.append(Rate(weight, model.n[version], model.k[version], each.cells[key].prints_rate))
        if rates:
            model.program.figures.append(Figure(tuple(rates), clue.low - settled, clue.high - settled))
