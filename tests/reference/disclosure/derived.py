"""Internal rows of fct_trend and fct_gap over a small network's values (RULES 3 and 4, one reporting year).

Belongs here: which keys have a row, the plain reference's figures in the columns that the attacker reads.
Does not: know of earlier reporting years, burdened registers, or what is public.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from tests.reference.disclosure.model import Network, PublicRelease, Row
from tests.unit.analysis import reference

Place = tuple[str, str, str]
ID = ("community_id", "indicator_id", "population_group_id", "geography_id")


def trend_rows(values: Iterable[Row], indicators: Iterable[Row], year: int) -> list[Row]:
    """One row for every key with a value."""
    facts = {row["indicator_id"]: row for row in indicators}
    found = []
    for key, rows in sorted(_by_key(values).items()):
        indicator = facts[key[1]]
        trend = reference.trend(rows, year, indicator["direction"], indicator["unit"])
        found.append(dict(zip(ID, key, strict=True)) | {"reporting_year": year} | trend)
    return found


def gap_rows(values: Iterable[Row], indicators: Iterable[Row], groups: Iterable[Row], year: int) -> list[Row]:
    """One row for every group with a value beside its dimension's reference."""
    facts = {row["indicator_id"]: row for row in indicators}
    dimension = {row["population_group_id"]: row["dimension"] for row in groups}
    references = {row["dimension"]: row["population_group_id"] for row in groups if row["is_reference"]}
    keys = _by_key(values)
    found = []
    for key, rows in sorted(keys.items()):
        ahead = references.get(dimension[key[2]])
        if ahead is not None and ahead != key[2]:
            theirs = keys.get((*key[:2], ahead, key[3]), [])
            gap = reference.gap(rows, theirs, year, facts[key[1]]["direction"])
            given = {"reporting_year": year, "reference_group_id": ahead}
            found.append(dict(zip(ID, key, strict=True)) | given | gap)
    return found


def unequal(network: Network, made: PublicRelease) -> list[Row]:
    """Public rows of fct_trend and fct_gap that are neither equal to the internal ones nor absent (RULES 8.3).

    The attacker takes a published figure to be the internal one; this says where that does not hold."""
    found = []
    for inside, public, status in (
        (network.fct_trend, made.fct_trend, "trend_status"),
        (network.fct_gap, made.fct_gap, "gap_status"),
    ):
        by_id = {tuple(row[name] for name in ID): row for row in inside.iter_rows(named=True)}
        for row in public.iter_rows(named=True):
            internal = by_id.get(tuple(row[name] for name in ID))
            said = {name for name, value in row.items() if value is not None and (name, value) != (status, "withheld")}
            if internal is None or any(row[name] != internal[name] for name in said):
                found.append(row)
    return found


def _by_key(values: Iterable[Row]) -> dict[tuple[str, str, str, str], list[Row]]:
    blank = dict.fromkeys(("value", "value_low", "value_high", "numerator", "denominator"))
    keys: dict[tuple[str, str, str, str], list[Row]] = defaultdict(list)
    for row in values:
        if row["period"] == "annual":
            keys[row["community_id"], row["indicator_id"], row["population_group_id"], row["geography_id"]].append(
                blank | row
            )
    return keys
