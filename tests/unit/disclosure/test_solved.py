"""Answers that are known already save programs and change nothing; propagation skips only what has nothing to add.

Belongs here: kept answers through `protect`, names of problems, propagated bounds beside plain repetition.
Does not: what is withheld (test_choice.py), sequences of releases (test_releases.py).
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dagster_project.lib.disclosure import Profile, protect
from dagster_project.lib.disclosure.feasible import components
from dagster_project.lib.disclosure.feasible.components import PROPAGATIONS, Component, InfeasibleError, counted
from dagster_project.lib.disclosure.feasible.programs import Budget, BudgetError, Line
from dagster_project.lib.disclosure.feasible.solved import (
    FEASIBLE,
    Answer,
    Ranges,
    answers_from,
    problem_of,
    solved_frame,
)
from dagster_project.lib.disclosure.sums import AT_MOST, EQUAL, NONE
from dagster_project.lib.disclosure.words import INF, Bounds, Need
from tests.unit.disclosure.tables import KEY, inputs, run
from tests.unit.disclosure.test_choice import COUNTS, grid


class NoProgramError(AssertionError):
    """A program was solved where every answer is known."""


def refuse(*_: object) -> None:
    raise NoProgramError


def test_a_budget_lets_as_many_programs_be_solved_as_it_allows() -> None:
    budget = Budget(3)
    assert budget.used == 0
    for _ in range(3):
        budget.spend()
    with pytest.raises(BudgetError, match="more than 3 programs"):
        budget.spend()
    assert budget.used == 3


def test_known_answers_give_the_same_release_without_a_program(
    profile: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = run(grid(COUNTS), profile)
    assert first.solved.height
    monkeypatch.setattr(components, "Program", refuse)
    again = protect(inputs(grid(COUNTS)), [], profile, KEY, public_id="release-0", solved=first.solved)
    assert again.values.equals(first.values)
    assert again.solved.equals(first.solved)
    assert (again.audit.programs, again.outcomes["town"].programs) == (
        first.audit.programs,
        first.outcomes["town"].programs,
    )


def test_the_audit_of_a_first_release_needs_no_program_of_its_own_but_counts_them(
    profile: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    built: list[object] = []
    program = components.Program

    def counted(*arguments: object) -> components.Program:
        built.append(arguments)
        return program(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(components, "Program", counted)
    first = run(grid(COUNTS), profile)
    assert first.audit.programs > 0
    assert len(built) == first.solved.height


def test_a_changed_count_is_solved_anew_whatever_was_known(profile: Profile, monkeypatch: pytest.MonkeyPatch) -> None:
    first = run(grid(COUNTS), profile)
    changed = [list(line) for line in COUNTS]
    changed[0][2] += 11
    fresh = run(grid(changed), profile)
    known = protect(inputs(grid(changed)), [], profile, KEY, public_id="release-0", solved=first.solved)
    assert known.values.equals(fresh.values)
    monkeypatch.setattr(components, "Program", refuse)
    with pytest.raises(NoProgramError):
        protect(inputs(grid(changed)), [], profile, KEY, public_id="release-0", solved=first.solved)


LINE = Line(((0, 1), (1, -1)), EQUAL, EQUAL, 3.0, 1.0, True)
KNOWN = (Bounds(1.0, 9.0), Bounds(0.0, INF))
NEEDS = {0: Need(n=3)}


@pytest.mark.parametrize(
    ("bounds", "lines", "needs"),
    [
        ((Bounds(1.0, 8.0), KNOWN[1]), [LINE], NEEDS),
        (KNOWN[::-1], [LINE], NEEDS),
        (KNOWN, [replace(LINE, n_constant=4.0)], NEEDS),
        (KNOWN, [replace(LINE, k=NONE)], NEEDS),
        (KNOWN, [replace(LINE, rest_is_group=False)], NEEDS),
        (KNOWN, [LINE, LINE], NEEDS),
        (KNOWN, [LINE], {1: Need(n=3)}),
        (KNOWN, [LINE], {0: Need(n=3, certain=True)}),
    ],
)
def test_a_problem_that_says_anything_else_has_another_name(
    bounds: Sequence[Bounds], lines: Sequence[Line], needs: dict[int, Need]
) -> None:
    assert problem_of(bounds, lines, [], needs) != problem_of(KNOWN, [LINE], [], NEEDS)


def test_answers_come_back_from_their_table_as_they_were() -> None:
    ranges = (Ranges(3, INF, 2.0, 3, True, False), Ranges(1.0, 0.0, 0.0, 1.0, False, False))
    answers = {"town": {"a": Answer(7, ranges), "b": Answer(2, None)}, "village": {"a": Answer(0, ())}}
    assert answers_from(solved_frame(answers)) == answers


OPEN = Ranges(4.0, 4.0, 4.0, 9.0, True, True)
ALONE = replace(OPEN, n=INF, k=INF)


@pytest.mark.parametrize(
    ("mine", "other", "keeps"),
    [
        (OPEN, OPEN, True),
        (replace(OPEN, n=0.0), OPEN, True),
        (replace(OPEN, k=0.0), OPEN, False),
        (replace(OPEN, k=0.0), replace(OPEN, k=0.0), True),
        (replace(OPEN, k=2.0), replace(OPEN, k=9.0), False),
        (replace(OPEN, k=FEASIBLE), replace(OPEN, k=9.0), True),
        (ALONE, ALONE, True),
        (replace(ALONE, n=0.0), ALONE, False),
        (replace(ALONE, n=FEASIBLE), ALONE, True),
        (replace(OPEN, k_positive=False), OPEN, False),
        (replace(OPEN, m_positive=False), OPEN, False),
        (OPEN, replace(OPEN, k_positive=False, m_positive=False), True),
    ],
)
def test_what_keeps_open_what_another_does(mine: Ranges, other: Ranges, keeps: bool) -> None:
    """Where a cell has a numerator, that counts; one that is a count by itself has none, and its n does."""
    assert mine.keeps(other) is keeps


COUNT = st.integers(0, 12)


@st.composite
def bounds_drawn(draw: st.DrawFn) -> Bounds:
    low, k_low, m_low = (float(draw(st.integers(0, 4))) for _ in range(3))
    high, k_high, m_high = (draw(st.sampled_from([INF, end + 1.0, end + 6.0])) for end in (low + 4, k_low, m_low))
    rates = draw(st.sampled_from([(0.0, 1.0), (0.0, 1.0), (0.2, 0.6), (0.45, 0.55)]))
    return Bounds(low, high, k_low, k_high, m_low, m_high, *rates).tight()


@st.composite
def components_drawn(draw: st.DrawFn) -> tuple[Component, list[Bounds]]:
    number = draw(st.integers(2, 6))
    lines = []
    for _ in range(draw(st.integers(1, 5))):
        places = draw(st.lists(st.integers(0, number - 1), min_size=2, max_size=number, unique=True))
        relation = draw(st.sampled_from([(EQUAL, EQUAL), (EQUAL, NONE), (AT_MOST, AT_MOST), (NONE, EQUAL)]))
        terms = ((places[0], 1), *((place, -1) for place in places[1:]))
        constants = -float(draw(COUNT)), -float(draw(st.integers(0, 3)))
        lines.append(Line(terms, *relation, *constants, draw(st.booleans())))
    return Component([str(place) for place in range(number)], lines, []), [draw(bounds_drawn()) for _ in range(number)]


def plainly(component: Component, known: list[Bounds]) -> list[Bounds]:
    """Every sum again in every round."""
    for _ in range(PROPAGATIONS):
        before = known
        known = [each if each.is_box else components._by_rate(each) for each in component._narrowed(known)]
        if known == before:
            break
    return known


@given(components_drawn())
def test_propagation_ends_where_repeating_every_sum_ends(drawn: tuple[Component, list[Bounds]]) -> None:
    component, known = drawn
    if any(each.empty for each in known):
        return
    try:
        expected = plainly(component, known)
    except InfeasibleError:
        with pytest.raises(InfeasibleError):
            component._propagated(known)
        return
    assert component._propagated(known) == expected


@given(components_drawn())
def test_narrowing_by_one_sum_leaves_what_some_choice_of_the_others_completes(
    drawn: tuple[Component, list[Bounds]],
) -> None:
    component, known = drawn
    line = component.lines[0]
    places = [place for place, _ in line.terms]
    if len(places) > 3 or line.n != EQUAL or any(known[place].n_high == INF for place in places):
        return
    boxes = {place: range(int(known[place].n_low), int(known[place].n_high) + 1) for place in places}
    signs = dict(line.terms)
    fitting = [
        dict(zip(places, values, strict=True))
        for values in itertools.product(*(boxes[place] for place in places))
        if sum(signs[place] * value for place, value in zip(places, values, strict=True)) == -line.n_constant
    ]
    try:
        narrow = list(known)
        components._narrow(line, narrow)
    except InfeasibleError:
        return
    for place in places:
        # Counts of k and m can only exclude more.
        assert narrow[place].n_low >= min((each[place] for each in fitting), default=INF)
        assert narrow[place].n_high <= max((each[place] for each in fitting), default=-INF)


@pytest.mark.parametrize("high", [0, 1, 2])
def test_a_part_can_be_positive_where_one_person_of_it_is_possible(high: int) -> None:
    low = Bounds(n_low=4, n_high=9, k_low=0, k_high=high, m_low=0, m_high=9)
    assert counted(low) == Ranges(6, high + 1, 10, max(6, high + 1), high > 0, True)
    assert counted(low._replace(k_high=9, m_high=high)) == Ranges(6, 10, high + 1, 10, True, high > 0)
    assert counted(Bounds(n_low=4, n_high=9, has_k=False)) == Ranges(6, INF, INF, 6, True, True)
