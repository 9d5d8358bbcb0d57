"""Which sums hold (RULES 8.2): groups within a place, places within a place, counts declared to be one.

Belongs here: the equations that the truth satisfies, and those that cannot be checked and are taken to hold.
Does not: what follows from them (programs.py), or which cells are withheld.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import polars as pl

from dagster_project.lib.disclosure.profiles import WITHOUT_COMPLETE_SUM
from dagster_project.lib.disclosure.words import ALL, COMMUNITY, MISSING, FamilyKey, Key

NONE, EQUAL, AT_MOST = 0, 1, 2
N, K = "n", "k"


class Truth(NamedTuple):
    """What a sum is checked with: the counts the row itself printed to the house; None where it prints none."""

    n: int | None
    k: int | None
    has_k: bool
    kind: str
    level: str
    is_pooled: bool


class Sum(NamedTuple):
    """total = parts (EQUAL) or total >= parts (AT_MOST), for n and for k apart.

    `checked_n`, `checked_k`: False where a part or the total prints no count, so that the sum is only taken to hold.
    `rest_is_group`: of AT_MOST, whether also what is left has 0 <= k <= n.
    """

    total: Key
    parts: tuple[Key, ...]
    n: int
    k: int
    checked_n: bool
    checked_k: bool
    rest_is_group: bool = True


class Tie(NamedTuple):
    """One count that two cells print: `part` (n or k) of one is `other_part` of the other."""

    cell: Key
    part: str
    other: Key
    other_part: str


def sums_of(
    family: FamilyKey,
    cells: Mapping[Key, Truth],
    group_parents: Mapping[str, str | None],
    place_parents: Mapping[str, str | None],
) -> list[Sum]:
    """Every sum of one family that holds, in a fixed order.

    cells: the family's cells. group_parents: population_group_id to the group it is nested in; a group the mapping
    does not name stands at the top of its dimension. place_parents: geography_id to parent_id within the community.
    A district below a county is also a part of the community, since that is how a community's value is pooled.
    """
    present = {key: cell for key, cell in cells.items() if cell.kind != MISSING}
    found = [*_group_sums(present, group_parents), *_place_sums(family[0], present, place_parents)]
    return sorted(found, key=lambda each: (each.total, each.parts))


def _group_sums(cells: Mapping[Key, Truth], parents: Mapping[str, str | None]) -> Iterable[Sum]:
    parts: dict[tuple[str, str, str], list[Key]] = defaultdict(list)
    by_place: dict[tuple[str, str], Key] = {(key[3], key[4]): key for key in cells}
    for key in sorted(cells):
        group = key[4]
        if group != ALL:
            dimension = group.split(":", 1)[0]
            # Groups of one that has no row itself stand for it one level up.
            whole = parents.get(group) or ALL
            while whole != ALL and (key[3], whole) not in by_place:
                whole = parents.get(whole) or ALL
            parts[key[3], dimension, whole].append(key)
    for (place, _, whole), keys in parts.items():
        total = by_place.get((place, whole))
        if total is not None:
            held = _held(cells, total, tuple(keys), complete=True, equal_only=True)
            if held:
                yield held


def _place_sums(community: str, cells: Mapping[Key, Truth], parents: Mapping[str, str | None]) -> Iterable[Sum]:
    parts: dict[tuple[str, str, str], list[Key]] = defaultdict(list)
    by_place: dict[tuple[str, str], Key] = {(key[3], key[4]): key for key in cells}
    for key in sorted(cells):
        level = cells[key].level
        if level != COMMUNITY:
            for place in {parents.get(key[3]) or community, community}:
                parts[place, level, key[4]].append(key)
    for (place, level, group), keys in sorted(parts.items()):
        total = by_place.get((place, group))
        if total is None:
            continue
        if cells[total].is_pooled and level == "district":
            # A pooled value is the sum of the districts that report both counts, whatever the others hold.
            keys = [key for key in keys if cells[key].k is not None and cells[key].n]
        held = _held(cells, total, tuple(keys), complete=level not in WITHOUT_COMPLETE_SUM, equal_only=False)
        if held:
            yield held


def _held(
    cells: Mapping[Key, Truth], total: Key, parts: tuple[Key, ...], *, complete: bool, equal_only: bool
) -> Sum | None:
    """The sum as far as it holds; None where neither its n nor its k does."""
    if not parts:
        return None
    whole, members = cells[total], [cells[key] for key in parts]
    n, checked_n, rest_n = _relation(whole.n, [cell.n for cell in members], complete, equal_only)
    k, checked_k, rest_k = NONE, True, None
    if whole.has_k and all(cell.has_k for cell in members):
        k, checked_k, rest_k = _relation(whole.k, [cell.k for cell in members], complete, equal_only)
    if n == NONE and k == NONE:
        return None
    rest_is_group = rest_n is None or rest_k is None or rest_n >= rest_k
    return Sum(total, parts, n, k, checked_n, checked_k, rest_is_group)


def _relation(
    whole: int | None, parts: list[int | None], complete: bool, equal_only: bool
) -> tuple[int, bool, int | None]:
    """EQUAL, AT_MOST or NONE; whether it was checked; what is left of the total where all is printed."""
    printed = sum(part for part in parts if part is not None)
    if whole is None or any(part is None for part in parts):
        if whole is not None and printed > whole:
            return NONE, False, None
        return (EQUAL if complete else AT_MOST), False, None
    rest = whole - printed
    if rest == 0 and complete:
        return EQUAL, True, rest
    if rest >= 0 and not equal_only:
        return AT_MOST, True, rest
    return NONE, True, rest


def ties_of(cells: Mapping[Key, Truth], ties: pl.DataFrame) -> list[Tie]:
    """Counts declared to be one and equal in truth, over all cells of one community, in a fixed order.

    ties: indicator_id, part, other_indicator_id, other_part (numerator or denominator), year_offset: the other cell's
    school_year less this one's. Both cells are of one group, place and period; series may differ.
    """
    at: dict[tuple[str, str, str, int, str], list[Key]] = defaultdict(list)
    for key in sorted(cells):
        at[key[1], key[3], key[4], key[5], key[6]].append(key)
    found = []
    for indicator, part, other_indicator, other_part, offset in ties.iter_rows():
        for (name, place, group, year, period), keys in at.items():
            if name != indicator:
                continue
            for other in at.get((other_indicator, place, group, year + offset, period), ()):
                found += [
                    Tie(key, _short(part), other, _short(other_part))
                    for key in keys
                    if _count(cells[key], part) is not None
                    and _count(cells[key], part) == _count(cells[other], other_part)
                ]
    return sorted(found, key=lambda tie: (tie.cell, tie.other, tie.part, tie.other_part))


def _short(part: str) -> str:
    return K if part == "numerator" else N


def _count(cell: Truth, part: str) -> int | None:
    return cell.k if part == "numerator" else cell.n


TEXTS = pl.List(pl.String())
SUM_SCHEMA = pl.Schema(
    {
        "total": TEXTS,
        "parts": pl.List(TEXTS),
        "n": pl.Int8(),
        "k": pl.Int8(),
        "checked_n": pl.Boolean(),
        "checked_k": pl.Boolean(),
        "rest_is_group": pl.Boolean(),
    }
)
TIE_SCHEMA = pl.Schema({"cell": TEXTS, "part": pl.String(), "other": TEXTS, "other_part": pl.String()})


def sum_frame(sums: Iterable[Sum]) -> pl.DataFrame:
    """Sums as rows (SUM_SCHEMA), keys as lists of text in the order of CELL; they hold no value."""
    rows = [
        (_text(s.total), [_text(part) for part in s.parts], s.n, s.k, s.checked_n, s.checked_k, s.rest_is_group)
        for s in sums
    ]
    return pl.DataFrame(rows, schema=SUM_SCHEMA, orient="row")


def tie_frame(ties: Iterable[Tie]) -> pl.DataFrame:
    """Ties as rows (TIE_SCHEMA)."""
    rows = [(_text(tie.cell), tie.part, _text(tie.other), tie.other_part) for tie in ties]
    return pl.DataFrame(rows, schema=TIE_SCHEMA, orient="row")


def sums_from(frame: pl.DataFrame) -> list[Sum]:
    """The sums of `sum_frame`."""
    return [
        Sum(key_from(total), tuple(key_from(part) for part in parts), *rest)
        for total, parts, *rest in frame.iter_rows()
    ]


def ties_from(frame: pl.DataFrame) -> list[Tie]:
    """The ties of `tie_frame`."""
    return [
        Tie(key_from(cell), part, key_from(other), other_part) for cell, part, other, other_part in frame.iter_rows()
    ]


def _text(key: Key) -> list[str]:
    return [str(part) for part in key]


def key_from(texts: list[str]) -> Key:
    """A key from its parts as text, in the order of CELL."""
    community, indicator, series, place, group, year, period = texts
    return community, indicator, series, place, group, int(year), period
