"""Work side by side: the same results in the same order, however many processes there are."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dagster_project.lib.base.workers import processes, shares, side_by_side


@given(st.lists(st.integers(), max_size=40), st.integers(1, 9))
def test_shares_hold_every_item_once_in_its_order(items: list[int], number: int) -> None:
    cut = shares(items, number)
    assert [item for share in cut for item in share] == items
    assert len(cut) <= number
    assert all(cut)


@pytest.mark.parametrize("number", [1, 2])
def test_results_come_in_the_order_of_what_was_asked(number: int) -> None:
    with side_by_side(number) as each:
        assert list(each(abs, [-3, 2, -1, 0])) == [3, 2, 1, 0]


@pytest.mark.parametrize("number", [1, 2])
def test_an_error_is_raised_where_its_result_is_asked_for(number: int) -> None:
    with side_by_side(number) as each:
        results = iter(each(float, ["1", "no number"]))
        assert next(results) == 1.0
        with pytest.raises(ValueError, match="no number"):
            next(results)


def test_few_pieces_are_worth_no_further_process() -> None:
    assert processes(39, 40) == 1
    assert processes(0, 40) == 1
