"""Judging beside plain enumeration: a cell fails where too few of its counts stand in some table that the sums allow.

Belongs here: small systems drawn around a table that is there, judged, and every table of them counted out.
Does not: where sums come from (test_sums.py), what is withheld for a cell that fails (test_choice.py).
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dagster_project.lib.disclosure.feasible.programs import Budget, BudgetError
from dagster_project.lib.disclosure.feasible.solved import FEASIBLE
from dagster_project.lib.disclosure.judging import System, SystemSum, judge, need_of
from dagster_project.lib.disclosure.sums import AT_MOST, EQUAL, NONE
from dagster_project.lib.disclosure.words import (
    CODED,
    COMPLEMENTARY,
    INF,
    PUBLISHED,
    SMALL,
    SOURCE_MASKED,
    Bounds,
    Need,
    Unknown,
)

Pair = tuple[int, int]
"""n and k of one cell."""
Table = dict[Unknown, Pair]
LINES = (
    ("r0", "a", "b"),
    ("r1", "c", "d"),
    ("c0", "a", "c"),
    ("c1", "b", "d"),
    ("all", "r0", "r1"),
    ("all", "c0", "c1"),
)
RELATIONS = ((EQUAL, EQUAL), (EQUAL, EQUAL), (EQUAL, NONE), (NONE, EQUAL), (AT_MOST, AT_MOST))
MOST_HIDDEN, MOST_TABLES = 5, 20_000


@dataclass
class Drawn:
    """A system, the pairs that each of its cells may be by itself, and a table that is there."""

    system: System = field(default_factory=System)
    truth: Table = field(default_factory=dict)

    def pairs(self, unknown: Unknown) -> list[Pair]:
        own = self.system.bounds[unknown]
        return [
            (n, k)
            for n in range(int(own.n_low), int(own.n_high) + 1)
            for k in range(int(own.k_low), min(n, int(own.k_high)) + 1)
            if own.m_low <= n - k <= own.m_high
        ]

    def tables(self) -> Iterator[Table]:
        """Every table that all sums and ties allow, counted out."""
        names = list(self.system.bounds)
        for pairs in itertools.product(*(self.pairs(name) for name in names)):
            table = dict(zip(names, pairs, strict=True))
            if all(_holds(held, table) for held in self.system.sums) and all(
                table[one]["nk".index(part)] == table[other]["nk".index(other_part)]
                for one, part, other, other_part in self.system.ties
            ):
                yield table


def _holds(held: SystemSum, table: Mapping[Unknown, Pair]) -> bool:
    rest = [table[held.total][i] - sum(table[part][i] for part in held.parts) for i in (0, 1)]
    for relation, left in zip((held.n, held.k), rest, strict=True):
        if (relation == EQUAL and left) or (relation == AT_MOST and left < 0):
            return False
    return not (held.n == held.k == AT_MOST and held.rest_is_group) or rest[0] >= rest[1]


@st.composite
def systems(draw: st.DrawFn) -> Drawn:
    """Four cells in a square with sums of rows, of columns and of all; some hidden, of which a window is known."""
    made = Drawn()
    for name in "abcd":
        n = draw(st.integers(0, 6))
        made.truth[name] = n, draw(st.integers(0, n))
    lines = draw(st.lists(st.sampled_from(LINES), min_size=1, max_size=5, unique=True))
    for total, *parts in LINES:
        made.truth.setdefault(total, tuple(sum(made.truth[part][i] for part in parts) for i in (0, 1)))  # type: ignore[arg-type]
    present = [name for name in made.truth if any(name in line for line in lines)]
    made.truth = {name: made.truth[name] for name in present}
    kinds = [draw(st.sampled_from([PUBLISHED, SMALL, COMPLEMENTARY, COMPLEMENTARY, CODED])) for _ in present]
    hidden = [name for name, kind in zip(present, kinds, strict=True) if kind != PUBLISHED][:MOST_HIDDEN]
    for name, kind in zip(present, kinds, strict=True):
        n, k = made.truth[name]
        if name not in hidden:
            made.system.know(name, Bounds(n, n, k, k, n - k, n - k))
            continue
        below, above = draw(st.integers(0, 1)), draw(st.integers(0, 2))
        low, high = (n, n) if kind == CODED else (max(n - below, 0), n + above)
        made.system.know(name, Bounds(low, high, 0, high, 0, high).tight())
        made.system.needs[name] = need_of(kind, made.system.bounds[name])
    for total, *parts in lines:
        n_relation, k_relation = draw(st.sampled_from(RELATIONS))
        rest = draw(st.booleans())
        made.system.sums[SystemSum(total, tuple(parts), n_relation, k_relation, True, True, rest)] = None
    if len(present) > 1 and draw(st.booleans()):
        one, other = draw(st.lists(st.sampled_from(present), min_size=2, max_size=2, unique=True))
        for part, other_part in itertools.product("nk", repeat=2):
            if made.truth[one]["nk".index(part)] == made.truth[other]["nk".index(other_part)]:
                made.system.ties[one, part, other, other_part] = None
                break
    return made


def left_open(found: list[Table], unknown: Unknown) -> dict[str, set[int]]:
    values = defaultdict[str, set[int]](set)
    for table in found:
        n, k = table[unknown]
        values["n"].add(n)
        values["k"].add(k)
        values["m"].add(n - k)
    return values


def is_met(need: Need, found: list[Table], unknown: Unknown) -> bool:
    values = left_open(found, unknown)
    enough = all(len(values[part]) >= wanted for part, wanted in (("n", need.n), ("k", need.k), ("m", need.m)))
    pairs = len({table[unknown] for table in found}) >= need.pairs
    return enough and pairs and (not need.certain or (max(values["k"]) > 0 and max(values["m"]) > 0))


def ample() -> Budget:
    return Budget(100_000)


@settings(max_examples=250, derandomize=True)
@given(systems())
def test_those_cells_fail_of_which_enumeration_leaves_too_little(drawn: Drawn) -> None:
    sizes = 1
    for name in drawn.system.bounds:
        sizes *= len(drawn.pairs(name))
    if sizes > MOST_TABLES:
        return
    found = list(drawn.tables())
    assert drawn.truth in found
    verdict = judge(drawn.system, ample())
    needs = drawn.system.needs
    assert not verdict.infeasible and not verdict.dropped
    assert verdict.failing == sorted(name for name, need in needs.items() if not is_met(need, found, name))
    # What fails by bounds alone fails for certain.
    assert set(judge(drawn.system, ample(), outer=True).failing) <= set(verdict.failing)
    met = [
        len(left_open(found, name)[part])
        for name, need in needs.items()
        if name not in verdict.failing
        for part, asked in (("n", need.n), ("k", need.k), ("m", need.m))
        if asked >= FEASIBLE
    ]
    assert min(verdict.smallest, FEASIBLE) == min([*met, FEASIBLE])
    for name in verdict.failing:
        values, ranges, need = left_open(found, name), verdict.found[name], needs[name]
        for part, wanted in (("n", need.n), ("k", need.k), ("m", need.m)):
            # More may be left of the rest of the system by bounds; what is said never hides that too little is.
            assert min(getattr(ranges, part), wanted) >= min(len(values[part]), wanted)


@settings(max_examples=100, derandomize=True)
@given(systems())
def test_judging_around_a_cell_judges_what_sums_and_ties_connect_with_it_and_nothing_else(drawn: Drawn) -> None:
    whole = judge(drawn.system, ample())
    for name in drawn.system.bounds:
        part = judge(drawn.system, ample(), {name})
        near = {each for each, number in whole.components.items() if number == whole.components.get(name)} | {name}
        assert part.failing == [each for each in whole.failing if each in near]


def fixed(n: int, k: int) -> Bounds:
    return Bounds(n, n, k, k, n - k, n - k)


OPEN = Bounds(0, 9, 0, 9, 0, 9)


def small_system(total: Bounds, checked: bool, relation: int = EQUAL) -> System:
    """A hidden cell beside a printed one, in a sum that leaves it 2 of 5 where the total is 10 of 20."""
    system = System(bounds={"all": total, "open": OPEN, "printed": fixed(15, 8)})
    system.sums[SystemSum("all", ("open", "printed"), relation, relation, checked, checked, True)] = None
    system.needs["open"] = need_of(SMALL, OPEN)
    return system


def test_a_sum_that_was_not_checked_is_left_out_where_it_cannot_hold_and_one_that_was_is_a_fault() -> None:
    assert judge(small_system(fixed(20, 10), False), ample()).failing == ["open"]
    left_out = judge(small_system(fixed(10, 2), False), ample())
    assert (left_out.failing, left_out.dropped, left_out.infeasible) == ([], True, False)
    fault = judge(small_system(fixed(10, 2), True), ample())
    assert (fault.failing, fault.dropped, fault.infeasible) == (["open"], True, True)
    assert fault.found["open"].n == 0


@pytest.mark.parametrize(
    ("total", "checked", "relation", "dropped", "infeasible"),
    [
        (fixed(20, 10), True, EQUAL, False, False),
        (fixed(20, 11), True, EQUAL, False, True),
        (fixed(21, 10), True, EQUAL, False, True),
        (fixed(20, 11), False, EQUAL, True, False),
        (fixed(21, 11), True, AT_MOST, False, False),
        (fixed(20, 10), True, AT_MOST, False, False),
        (fixed(19, 10), True, AT_MOST, False, True),
        (fixed(20, 9), False, AT_MOST, True, False),
        (fixed(19, 9), True, NONE, False, False),
    ],
)
def test_printed_counts_that_do_not_add_up_are_a_fault_where_the_sum_was_checked(
    total: Bounds, checked: bool, relation: int, dropped: bool, infeasible: bool
) -> None:
    system = System(bounds={"all": total, "one": fixed(5, 2), "printed": fixed(15, 8), "open": OPEN})
    system.sums[SystemSum("all", ("one", "printed"), relation, relation, checked, checked, True)] = None
    system.needs["open"] = need_of(SMALL, OPEN)
    verdict = judge(system, ample())
    assert (verdict.dropped, verdict.infeasible) == (dropped, infeasible)
    assert verdict.failing == (["open"] if infeasible else [])


def test_ties_that_contradict_each_other_are_a_fault_and_one_that_fixes_a_count_is_read() -> None:
    system = System(bounds={"one": fixed(20, 4), "other": OPEN, "free": OPEN})
    system.needs |= {"other": need_of(SMALL, OPEN), "free": need_of(SMALL, OPEN)}
    system.ties["one", "k", "other", "n"] = None
    verdict = judge(system, ample())
    assert (verdict.failing, verdict.infeasible) == (["other"], False)
    assert (verdict.found["other"].n, verdict.found["other"].k) == (1, 5)
    system.ties["one", "n", "other", "n"] = None
    verdict = judge(system, ample())
    assert (verdict.failing, verdict.infeasible) == (["free", "other"], True)


def test_a_tie_connects_its_cells_wherever_the_count_that_both_are_is_open() -> None:
    system = System(bounds={"one": Bounds(5, 9, 0, 5, 0, 9), "other": OPEN})
    system.needs |= {"one": need_of(SMALL, OPEN), "other": need_of(SMALL, OPEN)}
    system.ties["one", "k", "other", "n"] = None
    assert len({*judge(system, ample()).components.values()}) == 1


def test_a_cell_that_is_fixed_by_what_is_known_still_fails() -> None:
    system = System(bounds={"gone": fixed(5, 2), "free": OPEN}, needs={"gone": need_of(SMALL, OPEN)})
    assert judge(system, ample()).failing == ["gone"]
    assert judge(system, ample(), {"gone"}).failing == ["gone"]
    assert judge(system, ample(), {"free"}).failing == []


MASKED = Bounds(5, 5, 0, 5, 0, 5)


def test_a_masked_cell_that_its_source_gives_away_whatever_is_withheld_is_forced() -> None:
    """The source prints that nobody is in the other cell, and that both are one count."""
    system = System(bounds={"masked": Bounds(n_low=1, n_high=9).tight(), "all": Bounds(4, 4, 4, 4, 0, 0)})
    system.needs["masked"] = need_of(SOURCE_MASKED, system.bounds["masked"])
    system.masked.add("masked")
    system.sums[SystemSum("all", ("masked",), EQUAL, EQUAL, True, True, True)] = None
    verdict = judge(system, ample())
    assert (verdict.failing, verdict.forced) == (["masked"], set()), "the total can be withheld"
    nobody = System(bounds={**system.bounds, "all": fixed(0, 0), "masked": Bounds(n_high=9).tight()})
    nobody.sums, nobody.needs, nobody.masked = system.sums, {"masked": Need(k=2)}, {"masked"}
    verdict = judge(nobody, ample())
    assert (verdict.failing, verdict.forced) == ([], {"masked"}), "nothing that is withheld helps"


@pytest.mark.parametrize(
    ("kind", "bounds", "need"),
    [
        (SMALL, OPEN, Need(n=3, k=3, m=3)),
        (SMALL, Bounds(1, 9, has_k=False), Need(n=3)),
        (CODED, OPEN, Need(k=3, m=3)),
        (COMPLEMENTARY, OPEN, Need(pairs=2, certain=True)),
        (COMPLEMENTARY, Bounds(1, 9, has_k=False), Need(pairs=2)),
        (SOURCE_MASKED, Bounds(5, 5, 0, 5, 0, 5), Need(k=3, certain=True)),
        (SOURCE_MASKED, Bounds(5, 5, 0, 1, 4, 5), Need(k=2, certain=True)),
        (SOURCE_MASKED, Bounds(5, 5, 0, 0, 5, 5), Need(k=1)),
        (SOURCE_MASKED, Bounds(5, 5, 5, 5, 0, 0), Need(k=1)),
        (SOURCE_MASKED, Bounds(1, 9, has_k=False), Need(n=3)),
        (SOURCE_MASKED, Bounds(4, 5, has_k=False), Need(n=2)),
        (PUBLISHED, OPEN, Need()),
    ],
)
def test_what_must_stay_feasible_follows_from_the_kind_and_what_the_cell_itself_leaves(
    kind: str, bounds: Bounds, need: Need
) -> None:
    assert need_of(kind, bounds) == need


def test_a_budget_that_is_spent_ends_judging_and_what_no_program_is_needed_for_costs_none() -> None:
    system = small_system(fixed(20, 10), True)
    spent = Budget(0)
    assert judge(system, spent).failing == ["open"]
    square = System(bounds=dict.fromkeys("abcd", OPEN))
    for total, *parts in (("r", "a", "b"), ("s", "c", "d"), ("t", "a", "c"), ("u", "b", "d")):
        square.bounds[total] = fixed(9, 4)
        square.sums[SystemSum(total, tuple(parts), EQUAL, EQUAL, True, True, True)] = None
    square.needs = {name: need_of(SMALL, OPEN) for name in "abcd"}
    with pytest.raises(BudgetError):
        judge(square, Budget(1))
    budget = ample()
    assert judge(square, budget).failing == []
    used = budget.used
    assert used > 1
    assert judge(square, budget).failing == [] and budget.used == 2 * used, "a known answer costs what it cost"
    assert judge(square, Budget(used)).failing == []
    with pytest.raises(BudgetError):
        judge(square, Budget(used - 1))


def rated(low: float, high: float, least: float = 1.0) -> Bounds:
    return Bounds(n_low=least, rate_low=low, rate_high=high)


def by_rates(total: Bounds, printed: Bounds, hidden: Bounds) -> System:
    system = System(bounds={"all": total, "printed": printed, "hidden": hidden})
    system.sums[SystemSum("all", ("printed", "hidden"), EQUAL, EQUAL, True, True, True)] = None
    system.needs["hidden"] = Need(k=3, m=3, certain=True)
    return system


@pytest.mark.parametrize(
    ("total", "printed", "hidden", "failing", "infeasible"),
    [
        (rated(0.6, 0.62), rated(0.5, 0.52), rated(0, 1, 0), False, False),
        (rated(1, 1), rated(1, 1), rated(0, 1, 0), True, False),
        (rated(0, 0), rated(0, 0), rated(0, 1, 0), True, False),
        (rated(0.9, 0.91), rated(0.1, 0.11), rated(0.1, 0.11, 0), True, True),
        (rated(0.1, 0.11), rated(0.1, 0.11), rated(0.1, 0.11, 0), False, False),
    ],
)
def test_of_rates_without_counts_only_none_and_all_say_anything(
    total: Bounds, printed: Bounds, hidden: Bounds, failing: bool, infeasible: bool
) -> None:
    verdict = judge(by_rates(total, printed, hidden), ample())
    assert (verdict.failing, verdict.infeasible) == (["hidden"] if failing else [], infeasible)
    if failing and not infeasible:
        found, k_open = verdict.found["hidden"], total.rate_low == 1
        assert (found.k_positive, found.m_positive) == (k_open, not k_open)
        assert sorted((found.k, found.m)) == [1, INF]
