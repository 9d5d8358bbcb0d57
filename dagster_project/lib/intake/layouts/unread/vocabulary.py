"""Words of files that say something only where their column is read, and what a blank column means.

Belongs here: words of one community's tables, of totals, answers and masks, from the reference data and the contracts.
Does not: where they are looked for (columns.py, rows.py), patterns that the network keeps (layouts/telling.py).
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import polars as pl

import contracts
from dagster_project.lib.base.reference import Reference
from dagster_project.lib.intake.layouts.telling import OTHER_VALUE, TARGET, patterns, unit_spellings
from dagster_project.lib.intake.reading.grid import one_line

YES = frozenset({"y", "yes", "t", "true", "1", "x", "*"})
NO = frozenset({"n", "no", "f", "false", "0", "-"})
"""Where a column holds anything else, its ones and stars are no yes: it may count what was suppressed."""
SUPPRESSED = re.compile(
    r"(?:data |value |cell |rate |row )?(?:suppressed|masked|redacted|withheld)"
    r"(?:\W*(?:$|for|due|because|n ?<|small).*)?"
)
"""A cell that says so by itself, whatever its column is called."""
CALLED_TARGET = re.compile(patterns()[TARGET])
CALLED_OTHERWISE = re.compile(f"{patterns()[TARGET]}|{patterns()[OTHER_VALUE]}")
"""What says of a number that it is no value of the row's own place and year."""
WORDS = re.compile(r"[^\W\d_]{3}")
USUAL_UNIT, USUAL_LEVEL, USUAL_DATA = "percent", "community", "population"
TOTALS = frozenset({"", "all", "total", "totals", "all students", "all schools", "all districts", "none", "n/a", "-"})
HOLDS = frozenset(
    {"active", "current", "ongoing", "present", "member", "in force", "yes", "y", "true", "x", "1"}
    | {"signed", "executed", "approved", "final", "confirmed", "committed", "received", "secured", "awarded"}
)
"""Words of a status that say of a partner, an agreement or a gift that it stands."""
USUAL = {
    "unit": frozenset({USUAL_UNIT, *(spelling for spelling, unit in unit_spellings().items() if unit == USUAL_UNIT)}),
    "geography_level": frozenset({USUAL_LEVEL}),
    "active_to": HOLDS,
    "end_date": HOLDS,
}
"""What a column means where it is blank, in the words of files."""
NO_NAMES = TOTALS | YES | NO | {"other", "unknown", "not reported", "local"}
"""Words of groups that name none without their dimension."""
NOT_BY_ITSELF = frozenset({"english", "employed", "unemployed", "participants"})
"""Names of groups that name a subject or a measure as well."""
OWN_NAMES, GROUP_NAMES = "own names", "group names"
"""The keys of Words under which the community's own names stand, and those of groups."""
Words = Mapping[str, frozenset[str]]
"""Words that say something only where their column is read, by column: units, levels, places (lower case)."""


def words_of(reference: Reference, community_id: str) -> Words:
    """The words of one community's tables: units other than the usual one, kinds of places, its governed places.

    Names of other communities are places too: rows of one of them in this folder would count for this one.
    """
    values = contracts.landed()[contracts.VALUES_TABLE]
    named = reference.communities.select("community_id", "name", "district_name")
    names = {row[0]: {one_line(name).lower() for name in row if name} for row in named.iter_rows()}
    self_named = names.pop(community_id, set())
    own = reference.geographies.filter(pl.col("community_id") == community_id)
    labels = reference.crosswalk("geography").filter(
        (pl.col("scope") == "community") & (pl.col("scope_id") == community_id)
    )
    places = [*own["geography_id"], *own["name"], *labels["label"]]
    return {
        "unit": frozenset(reference.units["unit"]) - {USUAL_UNIT},
        "geography_level": frozenset(values.column("geography_level").choices) - {USUAL_LEVEL},
        "data_level": frozenset(values.column("data_level").choices) - {USUAL_DATA},
        "geography": frozenset(one_line(place).lower() for place in places if place)
        | (frozenset().union(*names.values()) - self_named),
        OWN_NAMES: frozenset(self_named),
        GROUP_NAMES: _group_names(reference),
    }


def _group_names(reference: Reference) -> frozenset[str]:
    """Names of single groups, as the dictionary and the crosswalk of the whole network spell them."""
    crosswalk = reference.crosswalk("group").filter((pl.col("scope") == "global") & (pl.col("group_code") != "all"))
    known = reference.groups.filter(pl.col("group_code") != "all")
    names = {one_line(name).lower() for name in (*crosswalk["label"], *known["label"]) if name}
    return frozenset(name for name in names - NO_NAMES if WORDS.search(name))
