"""RULES 8.1 in plain words of code: which kind of cell a row is, and which sums hold in a network.

Belongs here: profiles, zones, kinds, printed counts, sums over groups and places, ties; read off the internal rows.
Does not: decide what else is withheld, or know anything of a release.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from tests.reference.disclosure.model import Family, Key, Network, Row, family_of, values_of

ZONES = ((20, 20), (40, 10), (100, 5), (200, 2))
"""Largest n of the zone, percent from either end."""
LAST_ZONE = 1
SMALL, CODED, SOURCE, RATE, ZERO, PLAIN = "small", "coded", "source", "rate", "zero", "plain"
COMPLEMENTARY = "complementary"


def zone(n: int) -> int:
    """Percent from either end within which a rate of n is coded."""
    return next((percent for largest, percent in ZONES if n <= largest), LAST_ZONE)


@dataclass(frozen=True)
class Cell:
    """One row: its kind, smallest n, and the counts that it prints (a rate with n prints the one k that gives it)."""

    key: Key
    kind: str
    min_n: int
    n: int | None
    k: int | None
    has_k: bool
    side: str = ""
    """Of a coded cell: low or high."""
    prints_rate: bool = False
    """The source prints the rate, one decimal, and no numerator."""


@dataclass(frozen=True)
class Sum:
    """Total = parts (or >= where places are not complete) for n or for k; not checked where a part prints no count."""

    family: Family
    part: str
    total: Key
    parts: tuple[Key, ...]
    equal: bool
    checked: bool


Tie = tuple[tuple[Key, str], tuple[Key, str]]


def cells_of(network: Network) -> dict[Key, Cell]:
    """Every row of a network as a cell."""
    units = {row["indicator_id"]: row for row in network.dim_indicator.iter_rows(named=True)}
    states = dict(network.dim_community.select("community_id", "state").iter_rows())
    profiles = network.profiles.to_dicts()
    cells = {}
    for key, row in values_of(network.fct_indicator_value).items():
        indicator = units[key[1]]
        least = _min_n(profiles, key, states[key[0]], indicator["sector"])
        cells[key] = _cell(key, row, indicator["unit"], least)
    return cells


def _min_n(profiles: list[Row], key: Key, state: str, sector: str) -> int:
    scopes = {("all", ""), ("state", state), ("community", key[0])}
    return max(
        int(row["min_n"])
        for row in profiles
        if (row["scope"], row["scope_id"] or "") in scopes
        and (row["sector"] or sector) == sector
        and (row["from_school_year"] or 0) <= key[6]
    )


def _cell(key: Key, row: Row, unit: str, least: int) -> Cell:
    if unit == "count":
        n = None if row["value"] is None else round(row["value"])
        kind = SOURCE if n is None else ZERO if n == 0 else SMALL if n < least else PLAIN
        return Cell(key, kind, least, n, None, False)
    n, has_k = row["denominator"], unit == "percent"
    if n == 0:
        return Cell(key, ZERO, least, 0, 0, has_k)
    if row["value"] is None:
        return Cell(key, SOURCE, least, n, row["numerator"], has_k)
    if n is None:
        return Cell(key, RATE, least, None, None, has_k)
    k, side = row["numerator"], ""
    if has_k and k is None:
        fitting = [k for k in range(n + 1) if abs(100 * k / n - row["value"]) <= 0.05 + 1e-9]
        k = fitting[0] if len(fitting) == 1 else None
    if has_k and n >= least:
        rate = row["value"] if k is None else 100 * k / n
        side = "low" if rate <= zone(n) + 1e-9 else "high" if rate >= 100 - zone(n) - 1e-9 else ""
    kind = SMALL if n < least else CODED if side else PLAIN
    return Cell(key, kind, least, n, k, has_k, side, has_k and row["numerator"] is None)


def sums_of(network: Network, cells: dict[Key, Cell]) -> list[Sum]:
    """Sums that the rows satisfy, and those that they do not contradict where a part prints no count."""
    found = []
    for total, parts, equal in _lines(network, cells):
        for part in ("n", "k") if cells[total].has_k else ("n",):
            known = _holds(cells, total, parts, part, equal)
            if known is not None:
                found.append(Sum(family_of(total), part, total, tuple(parts), equal, known))
    return found


def _holds(cells: dict[Key, Cell], total: Key, parts: list[Key], part: str, equal: bool) -> bool | None:
    """True: satisfied. False: cannot be checked, taken to hold. None: contradicted."""
    whole = getattr(cells[total], part)
    counts = [getattr(cells[key], part) for key in parts]
    printed = sum(count for count in counts if count is not None)
    if whole is None:
        return False
    if None in counts:
        return False if printed <= whole else None
    return True if printed == whole or (not equal and printed < whole) else None


def _lines(network: Network, cells: dict[Key, Cell]) -> Iterator[tuple[Key, list[Key], bool]]:
    """Totals with the rows that are their parts: groups of a dimension, nested groups, places of a level."""
    groups = {row["population_group_id"]: row for row in network.dim_population_group.iter_rows(named=True)}
    places = {(row["community_id"], row["geography_id"]): row for row in network.dim_geography.iter_rows(named=True)}
    by_group: dict[tuple[Key, str], list[Key]] = defaultdict(list)
    by_place: dict[tuple[Key, str], list[Key]] = defaultdict(list)
    for key in cells:
        group, place = groups[key[4]], places[key[0], key[5]]
        if group["dimension"] != "all":
            parent = f"{group['dimension']}:{group['parent_code']}" if group["parent_code"] else "all"
            upper = (*key[:4], parent, *key[5:])
            # Children of a group without a row of its own stand for it.
            if upper not in cells and parent != "all":
                upper = (*key[:4], "all", *key[5:])
            by_group[upper, group["dimension"]].append(key)
        if place["parent_id"] is not None:
            by_place[(*key[:5], place["parent_id"], key[6]), place["geography_level"]].append(key)
    for (total, _), parts in by_group.items():
        if total in cells:
            yield total, parts, True
    for (total, _), parts in by_place.items():
        if total in cells:
            yield total, parts, all(places[key[0], key[5]]["complete"] for key in parts)


def ties_of(network: Network, cells: dict[Key, Cell]) -> list[Tie]:
    """Pairs of counts that are declared to be one and are equal: ((key, n or k), (key, n or k))."""
    names = {"numerator": "k", "denominator": "n"}
    found: list[Tie] = []
    for tie in network.count_ties.iter_rows(named=True):
        part, other_part = names[tie["part"]], names[tie["other_part"]]
        for key, cell in cells.items():
            if key[1] == tie["indicator_id"]:
                other = (key[0], tie["other_indicator_id"], *key[2:6], key[6] + tie["year_offset"])
                count = getattr(cell, part)
                if other in cells and count is not None and count == getattr(cells[other], other_part):
                    found.append(((key, part), (other, other_part)))
    return found
