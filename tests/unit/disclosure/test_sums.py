"""Which sums of a family hold, as what, and whether they could be checked: small families, each counted by hand.

Belongs here: groups and places below one total, with counts printed or not.
Does not: what follows from a sum (test_choice.py), bounds of one cell (test_bounds.py).
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping

import polars as pl

from dagster_project.lib.disclosure.sums import AT_MOST, EQUAL, NONE, Sum, Truth, sums_of, ties_of
from dagster_project.lib.disclosure.words import ALL, COMMUNITY, MISSING, PUBLISHED, SOURCE_MASKED, Key

FAMILY = ("town", "graduation", "", 2018, "annual")
Counts = tuple[int | None, int | None]


def key(group: str = ALL, place: str = "town") -> Key:
    return "town", "graduation", "", place, group, 2018, "annual"


def truth(n: int | None, k: int | None, level: str = COMMUNITY, *, has_k: bool = True, kind: str = "") -> Truth:
    return Truth(n, k, has_k, kind or (SOURCE_MASKED if n is None else PUBLISHED), level, False)


def groups(whole: Counts, *parts: Counts, has_k: bool = True) -> list[Sum]:
    """The sums of a total and of groups of one dimension."""
    cells = {key(): truth(*whole, has_k=has_k)}
    cells |= {key(f"gender:{number}"): truth(*part, has_k=has_k) for number, part in enumerate(parts)}
    return sums_of(FAMILY, cells, {}, {})


def places(
    whole: Counts, parts: Mapping[str, Counts], level: str = "district", parents: Mapping[str, str | None] | None = None
) -> list[Sum]:
    """The sums of a community and of places of one level below it."""
    cells = {key(): truth(*whole)} | {key(place=place): truth(*part, level) for place, part in parts.items()}
    return sums_of(FAMILY, cells, {}, parents or {})


def told(held: Sum) -> tuple[int, int, bool, bool, bool]:
    return held.n, held.k, held.checked_n, held.checked_k, held.rest_is_group


def test_groups_that_add_up_are_their_total_and_others_are_no_sum_of_it() -> None:
    (held,) = groups((100, 50), (60, 20), (40, 30))
    assert (held.total, held.parts) == (key(), (key("gender:0"), key("gender:1")))
    assert told(held) == (EQUAL, EQUAL, True, True, True)
    assert groups((100, 50), (60, 20), (39, 29)) == groups((100, 50), (60, 20), (41, 31)) == []


def test_of_groups_of_which_one_count_adds_up_that_one_holds() -> None:
    (of_n,) = groups((100, 50), (60, 20), (40, 29))
    assert told(of_n)[:4] == (EQUAL, NONE, True, True)
    (of_k,) = groups((100, 50), (60, 20), (39, 30))
    assert told(of_k)[:4] == (NONE, EQUAL, True, True)


def test_a_plain_count_has_no_numerator_that_could_not_be_checked() -> None:
    (held,) = groups((100, None), (60, None), (40, None), has_k=False)
    assert told(held) == (EQUAL, NONE, True, True, True)


def test_a_sum_with_an_unprinted_part_is_taken_to_hold_unless_what_is_printed_is_more() -> None:
    (held,) = groups((100, 50), (60, 20), (None, None))
    assert told(held)[:4] == (EQUAL, EQUAL, False, False)
    (exact,) = groups((60, 20), (60, 20), (None, None))
    assert told(exact)[:2] == (EQUAL, EQUAL)
    (more,) = groups((59, 20), (60, 20), (None, None))
    assert told(more)[:2] == (NONE, EQUAL)
    (unknown,) = groups((None, None), (60, 20), (40, 30))
    assert told(unknown)[:4] == (EQUAL, EQUAL, False, False)


def test_places_may_leave_a_rest_and_the_rest_may_be_no_group() -> None:
    (all_of_it,) = places((100, 50), {"north": (60, 20), "south": (40, 30)})
    assert told(all_of_it) == (EQUAL, EQUAL, True, True, True)
    (some,) = places((100, 50), {"north": (60, 20), "south": (30, 25)})
    assert told(some) == (AT_MOST, AT_MOST, True, True, True)
    (even,) = places((100, 50), {"north": (95, 45)})
    assert told(even)[-1] is True
    (odd,) = places((100, 50), {"north": (95, 44)})
    assert told(odd) == (AT_MOST, AT_MOST, True, True, False)
    assert places((100, 50), {"north": (101, 51)}) == []


def test_zip_codes_that_make_the_total_are_at_most_it() -> None:
    (held,) = places((100, 50), {"north": (60, 20), "south": (40, 30)}, "zip")
    assert told(held)[:2] == (AT_MOST, AT_MOST)


def test_a_district_below_a_county_is_a_part_of_both_and_a_missing_cell_of_none() -> None:
    cells = {
        key(): truth(100, 50),
        key(place="county"): truth(60, 20, "county"),
        key(place="north"): truth(60, 20, "district"),
        key(place="gone"): truth(5, 5, "district", kind=MISSING),
    }
    found = sums_of(FAMILY, cells, {}, {"north": "county"})
    assert {(held.total, held.parts) for held in found} == {
        (key(), (key(place="county"),)),
        (key(), (key(place="north"),)),
        (key(place="county"), (key(place="north"),)),
    }


def test_a_nested_group_is_a_part_of_the_group_above_it_or_of_the_next_that_is_there() -> None:
    parents = {"race:a1": "race:a", "race:a2": "race:a", "race:a": None}
    nested = {key("race:a1"): truth(20, 5), key("race:a2"): truth(40, 15)}
    with_it = {key(): truth(100, 50), key("race:a"): truth(60, 20), key("race:b"): truth(40, 30), **nested}
    found = {(held.total[4], tuple(part[4] for part in held.parts)) for held in sums_of(FAMILY, with_it, parents, {})}
    assert found == {(ALL, ("race:a", "race:b")), ("race:a", ("race:a1", "race:a2"))}
    without = {key(): truth(100, 50), key("race:b"): truth(40, 30), **nested}
    (held,) = sums_of(FAMILY, without, parents, {})
    assert tuple(part[4] for part in held.parts) == ("race:a1", "race:a2", "race:b")


def test_a_tie_holds_between_cells_of_one_place_one_group_and_one_period() -> None:
    def cell(indicator: str, place: str, group: str, year: int, period: str = "annual") -> Key:
        return "town", indicator, "", place, group, year, period

    ties = pl.DataFrame(
        {
            "indicator_id": ["enrolled"],
            "part": ["denominator"],
            "other_indicator_id": ["graduated"],
            "other_part": ["numerator"],
            "year_offset": [1],
        }
    )
    places, groups_, years, periods = ("north", "south"), (ALL, "gender:x"), (2017, 2018), ("annual", "autumn")
    cells = {
        cell(indicator, *at): truth(30, 30)
        for indicator in ("enrolled", "graduated")
        for at in itertools.product(places, groups_, years, periods)
    }
    found = {(tie.cell[3:7], tie.part, tie.other[3:7], tie.other_part) for tie in ties_of(cells, ties)}
    expected = itertools.product(places, groups_, periods)
    assert found == {
        ((place, group, 2017, period), "n", (place, group, 2018, period), "k") for place, group, period in expected
    }


def test_numerators_add_up_only_where_the_total_and_every_part_has_them() -> None:
    for without in ("total", "one part", None):
        cells = {
            key(): truth(100, 50, has_k=without != "total"),
            key("gender:0"): truth(60, 20, has_k=without != "one part"),
            key("gender:1"): truth(40, 30),
        }
        (held,) = sums_of(FAMILY, cells, {}, {})
        assert told(held) == (EQUAL, EQUAL if without is None else NONE, True, True, True)
