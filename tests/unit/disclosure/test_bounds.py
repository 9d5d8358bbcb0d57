"""What bounds say of a cell, counted out; when a cell is alone in a sum, and which cells are tried first.

Belongs here: bounds beside all pairs of whole numbers within them, the open members of one sum, candidates in order.
Does not: what is withheld for it (test_choice.py), programs over many cells (test_solved.py).
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dagster_project.lib.disclosure.choice import EVERYTHING, GROUPS, PLACES, Outcome, _Chooser
from dagster_project.lib.disclosure.feasible.solved import Solved
from dagster_project.lib.disclosure.judging import System
from dagster_project.lib.disclosure.sums import AT_MOST, EQUAL, NONE
from dagster_project.lib.disclosure.unit import Joint
from dagster_project.lib.disclosure.words import (
    CODED,
    COMPLEMENTARY,
    NO_COUNT,
    NOT_APPLICABLE,
    PUBLISHED,
    SMALL,
    SOURCE_MASKED,
    Bounds,
    Key,
    family_of,
)

MOST = 6
spans = st.tuples(st.integers(0, MOST), st.integers(0, MOST)).map(sorted)
bounds = st.builds(lambda n, k, m: Bounds(*n, *k, *m), spans, spans, spans)


def pairs(own: Bounds) -> set[tuple[int, int]]:
    """All k and m within the bounds, counted out."""
    return {
        (k, m)
        for k, m in itertools.product(range(2 * MOST + 1), repeat=2)
        if own.n_low <= k + m <= own.n_high and own.k_low <= k <= own.k_high and own.m_low <= m <= own.m_high
    }


@given(bounds)
def test_tight_bounds_hold_the_same_pairs_and_each_bound_is_one_of_them(loose: Bounds) -> None:
    held, tight = pairs(loose), loose.tight()
    assert tight.empty == (not held)
    if held:
        assert pairs(tight) == held
        for sizes, low, high in (
            ({k + m for k, m in held}, tight.n_low, tight.n_high),
            ({k for k, _ in held}, tight.k_low, tight.k_high),
            ({m for _, m in held}, tight.m_low, tight.m_high),
        ):
            assert (min(sizes), max(sizes)) == (low, high)
        assert tight.n_fixed == (len({k + m for k, m in held}) == 1)
        assert tight.fixed == (len({(k + m, k) for k, m in held}) == 1)


@given(bounds, bounds)
def test_two_bounds_that_meet_hold_the_pairs_of_both(one: Bounds, other: Bounds) -> None:
    assert pairs(one.meet(other)) == pairs(one) & pairs(other)


@dataclass
class Member:
    """What is asked of a cell here: its kind, and whether its masked n is known all the same."""

    kind: str
    n_fixed: bool = False

    def known(self) -> SimpleNamespace:
        return SimpleNamespace(n_fixed=self.n_fixed)


def alone(others: dict[str, Member], relation: int = EQUAL, key: str = "own") -> bool:
    cells = {"own": Member(PUBLISHED), **others}
    joint = cast(Joint, SimpleNamespace(cells=cells))
    total, *parts = ("own", *others)
    name = cast(Any, _Chooser._is_alone)
    return bool(name(joint, cast(Key, total), cast(tuple[Key, ...], tuple(parts)), relation, cast(Key, key)))


@pytest.mark.parametrize(
    ("others", "expected"),
    [
        ({"a": Member(PUBLISHED)}, True),
        ({"a": Member(PUBLISHED), "b": Member(SMALL)}, False),
        ({"a": Member(SOURCE_MASKED)}, False),
        ({"a": Member(SOURCE_MASKED, n_fixed=True)}, True),
    ],
)
def test_a_cell_is_alone_in_a_sum_that_holds_nothing_else_open(others: dict[str, Member], expected: bool) -> None:
    assert alone(others) is expected
    assert alone(others, AT_MOST) is expected


def test_a_cell_is_alone_neither_where_nothing_adds_up_nor_in_a_sum_of_others() -> None:
    assert not alone({"a": Member(PUBLISHED)}, NONE)
    assert not alone({"a": Member(PUBLISHED)}, key="elsewhere")


@dataclass
class Candidate:
    key: str
    loss: int


def test_cells_that_print_the_same_count_are_tried_before_those_of_its_sums_whatever_they_lose() -> None:
    losses = {"own": 8, "twin": 9, "all": 2, "other": 1, "elsewhere": 0}
    joint = SimpleNamespace(
        cells={key: Candidate(key, loss) for key, loss in losses.items()},
        sums=[SimpleNamespace(total="all", parts=("own", "other")), SimpleNamespace(total="elsewhere", parts=())],
        ties=[SimpleNamespace(cell="own", other="twin")],
        earlier=[],
    )
    chooser = SimpleNamespace(_may_withhold=lambda cell: True, _loss=lambda joint, cell: (cell.loss,))
    tried = cast(Any, _Chooser._candidates)(chooser, joint, "own", "own")
    assert [cell.key for cell in tried] == ["own", "twin", "other", "all"]


def test_the_size_of_a_group_at_its_place_is_that_of_the_last_count_published_of_it_whatever_the_indicator() -> None:
    def counted(indicator: str, place: str, group: str, year: int, n: int) -> SimpleNamespace:
        key: Key = ("town", indicator, "", place, group, year, "annual")
        return SimpleNamespace(key=key, kind=PUBLISHED, prints_n=True, bounds=Bounds(n_low=n, n_high=n), uses=())

    cells = {
        "earlier": [
            counted("reading", "north", "gender:x", 2017, 41),
            counted("reading", "south", "gender:x", 2017, 12),
        ],
        "later": [counted("absence", "north", "gender:x", 2018, 44), counted("absence", "north", "gender:y", 2018, 90)],
    }
    chooser = SimpleNamespace(lost=set(), size={}, _cells=cells.__getitem__)
    for families in cells:
        cast(Any, _Chooser)._remember(chooser, families)

    def students(indicator: str, place: str, group: str) -> int:
        key: Key = ("town", indicator, "", place, group, 2019, "annual")
        parts = SimpleNamespace(parameters=SimpleNamespace(size_base=2.0), size=chooser.size, lost=set())
        return int(cast(Any, _Chooser)._loss(parts, SimpleNamespace(sums=[]), SimpleNamespace(key=key, uses=()))[1])

    assert [students("math", *place) for place in (("north", "gender:x"), ("south", "gender:x"))] == [5, 3]
    assert students("math", "south", "gender:y") == 99, "nothing was published of it: it counts as large"


@pytest.mark.parametrize(("following", "size_class"), [(0, 5), (1, 6), (3, 7)])
def test_a_cell_loses_as_many_more_students_as_cells_would_have_to_follow(following: int, size_class: int) -> None:
    """Of 41 students, in powers of two: 41, 82 and 164."""
    key: Key = ("town", "math", "", "town", "gender:x", 2019, "annual")
    sums = [SimpleNamespace(total=key, parts=(), n=EQUAL) for _ in range(following)]
    chooser = SimpleNamespace(
        parameters=SimpleNamespace(size_base=2.0), size={("town", "gender:x"): 41}, lost={7}, _is_alone=lambda *_: True
    )
    cell = SimpleNamespace(key=key, uses=(7, 8, 9))
    loss = cast(Any, _Chooser)._loss(chooser, SimpleNamespace(sums=sums), cell)
    assert loss == (False, size_class, 2, following, key)


@dataclass
class Held:
    """What a fall-back asks of a cell, and whether it was withheld."""

    key: Key
    level: str
    withheld: bool = False

    @property
    def unknown(self) -> str:
        return " ".join(map(str, self.key))

    @property
    def truth(self) -> SimpleNamespace:
        return SimpleNamespace(level=self.level)

    def withhold(self) -> None:
        self.withheld = True


NORTH, ALL_CELLS = {"all north", "girls north"}, {"all", "girls", "white", "all north", "girls north", "later"}
FALLS = [
    (PLACES, "girls", NORTH),
    (GROUPS, "girls", NORTH | {"girls"}),
    (GROUPS, "white", NORTH | {"white"}),
    (PLACES, "all north", NORTH),
    (GROUPS, "all north", NORTH | {"girls", "white"}),
    (GROUPS, "elsewhere", ALL_CELLS - {"all", "later"}),
    (EVERYTHING, "girls", ALL_CELLS),
]


@pytest.mark.parametrize(("level", "failing", "expected"), FALLS)
def test_a_fall_back_withholds_places_below_then_groups_of_the_dimension_that_fails_then_everything(
    level: int, failing: str, expected: set[str]
) -> None:
    places = {"all": "all", "girls": "gender:female", "white": "race_ethnicity:white"}
    cells = {}
    for name, group in {**places, "all north": "all", "girls north": "gender:female", "later": "all"}.items():
        north = name.endswith("north")
        key: Key = ("town", "i", "", "north" if north else "town", group, 2025 if name == "later" else 2024, "annual")
        cells[name] = Held(key, "district" if north else "community")
    families = {family_of(cell.key) for cell in cells.values()}
    joint = SimpleNamespace(cells={cell.key: cell for cell in cells.values()}, families=sorted(families))
    chooser = SimpleNamespace(outcome=Outcome())
    unknown = cells[failing].unknown if failing in cells else failing
    cast(Any, _Chooser)._fall_back(chooser, joint, level, [unknown])
    assert {name for name, cell in cells.items() if cell.withheld} == expected
    mine = families if level == EVERYTHING or failing == "elsewhere" else {family_of(cells[failing].key)}
    assert chooser.outcome.fall_backs == dict.fromkeys(mine, level)
    chooser.outcome.fall_backs = dict.fromkeys(mine, EVERYTHING)
    cast(Any, _Chooser)._fall_back(chooser, joint, PLACES, [unknown])
    assert set(chooser.outcome.fall_backs.values()) == {EVERYTHING}, "it never falls back less far than before"


def with_past(primary: str, *was: str) -> tuple[SimpleNamespace, SimpleNamespace, list[str]]:
    """A chooser, and one cell that earlier releases held as these kinds; what becomes of it is noted."""
    done: list[str] = []
    cell = SimpleNamespace(primary=primary, unknown="cell", withhold=lambda: done.append("withheld"))
    earlier = [SimpleNamespace(cells={"key": SimpleNamespace(kind=kind)}) for kind in was]
    joint = SimpleNamespace(cells={"key": cell}, earlier=[*earlier, SimpleNamespace(cells={})], families=("family",))
    joint.past = System
    chooser = SimpleNamespace(
        outcome=Outcome(), solved=Solved(), parameters=SimpleNamespace(programs_per_family=9), before=set()
    )
    return chooser, joint, done


@pytest.mark.parametrize(
    ("primary", "was", "kept"),
    [
        (PUBLISHED, (COMPLEMENTARY,), True),
        (CODED, (NO_COUNT,), True),
        (PUBLISHED, (SMALL, COMPLEMENTARY), True),
        (PUBLISHED, (), False),
        (PUBLISHED, (SOURCE_MASKED,), False),
        (PUBLISHED, (COMPLEMENTARY, PUBLISHED), False),
        (PUBLISHED, (COMPLEMENTARY, CODED), False),
        (SMALL, (COMPLEMENTARY,), False),
    ],
)
def test_what_every_earlier_release_hid_stays_withheld_for_now(primary: str, was: tuple[str, ...], kept: bool) -> None:
    chooser, joint, done = with_past(primary, *was)
    found = cast(Any, _Chooser)._keep_withheld(chooser, joint)
    assert (len(found), done) == (1, ["withheld"]) if kept else (found, done) == ([], [])


@pytest.mark.parametrize(
    ("primary", "was", "out"),
    [
        (SMALL, (PUBLISHED,), True),
        (SMALL, (CODED, SMALL), True),
        (SMALL, (SMALL,), False),
        (SMALL, (NOT_APPLICABLE,), False),
        (SMALL, (), False),
        (PUBLISHED, (PUBLISHED,), False),
    ],
)
def test_a_cell_that_was_printed_and_is_small_now_is_out(primary: str, was: tuple[str, ...], out: bool) -> None:
    chooser, joint, _ = with_past(primary, *was)
    assert cast(Any, _Chooser)._mark_out(chooser, joint) == ({"cell"} if out else set())
    assert chooser.outcome.out == ({"key"} if out else set())
