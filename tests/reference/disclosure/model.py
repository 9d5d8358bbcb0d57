"""What a protector is given and what it hands out, as frames shaped like the marts.

Belongs here: the internal network at one release, one public release, the type of what makes one of the other.
Does not: protect, attack or draw anything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import polars as pl

Row = dict[str, Any]
Key = tuple[str, str, str, str, str, str, int]
"""community, indicator, series, period, group, geography, school year."""
Family = tuple[str, str, str, str, int]
"""community, indicator, series, period, school year."""

VALUE = {
    "community_id": pl.String,
    "indicator_id": pl.String,
    "population_group_id": pl.String,
    "geography_id": pl.String,
    "school_year": pl.Int64,
    "series": pl.String,
    "period": pl.String,
    "value": pl.Float64,
    "value_low": pl.Float64,
    "value_high": pl.Float64,
    "numerator": pl.Int64,
    "denominator": pl.Int64,
    "value_status": pl.String,
    "reporting_year": pl.Int64,
    "data_source": pl.String,
}
_DERIVED_KEY = {
    "community_id": pl.String,
    "indicator_id": pl.String,
    "population_group_id": pl.String,
    "geography_id": pl.String,
    "reporting_year": pl.Int64,
}
_WINDOW = {"series": pl.String, "first_year": pl.Int64, "last_year": pl.Int64, "n_years": pl.Int64}
TREND_NUMBERS = (
    *("slope", "intercept", "adjusted_slope", "slope_stderr", "slope_ci_low", "slope_ci_high", "r_squared"),
    *("slope_weighted", "slope_theil_sen", "slope_binomial_low", "slope_binomial_high", "prob_slope_positive"),
)
GAP_NUMBERS = ("first_gap", "last_gap", "group_slope", "reference_slope", "slope_difference")
TREND = {
    **_DERIVED_KEY,
    **_WINDOW,
    **dict.fromkeys(TREND_NUMBERS, pl.Float64),
    "trend_status": pl.String,
    "robustness": pl.String,
    "reason": pl.String,
}
GAP = {
    **_DERIVED_KEY,
    "reference_group_id": pl.String,
    **_WINDOW,
    **dict.fromkeys(GAP_NUMBERS, pl.Float64),
    "gap_status": pl.String,
    "reference_declined": pl.Boolean,
    "reason": pl.String,
}
COMMUNITY = {"community_id": pl.String, "state": pl.String}
INDICATOR = {"indicator_id": pl.String, "unit": pl.String, "sector": pl.String, "direction": pl.Int64}
GROUP = {
    "population_group_id": pl.String,
    "dimension": pl.String,
    "group": pl.String,
    "parent_code": pl.String,
    "is_reference": pl.Boolean,
}
PLACE = {
    "community_id": pl.String,
    "geography_id": pl.String,
    "geography_level": pl.String,
    "parent_id": pl.String,
    "complete": pl.Boolean,
}
TIE = {
    "indicator_id": pl.String,
    "part": pl.String,
    "other_indicator_id": pl.String,
    "other_part": pl.String,
    "year_offset": pl.Int64,
}
PROFILE = {
    "scope": pl.String,
    "scope_id": pl.String,
    "sector": pl.String,
    "min_n": pl.Int64,
    "from_school_year": pl.Int64,
}
DATA_SOURCE = {"label": pl.String, "public_name": pl.String, "is_public": pl.Boolean}


@dataclass(frozen=True)
class Network:
    """What the house holds when a release is made; columns of each frame are the schemas above, one row per key.

    `profiles`: blank scope_id, sector or from_school_year means any. `dim_geography.complete`: the places of that
    level under that parent sum to it; otherwise to no more. `count_ties.part`: numerator or denominator; the other
    indicator's school year is this one's plus `year_offset`. Values are in the indicator's unit (percent: 0 to 100).
    """

    reporting_year: int
    dim_community: pl.DataFrame
    dim_indicator: pl.DataFrame
    dim_population_group: pl.DataFrame
    dim_geography: pl.DataFrame
    count_ties: pl.DataFrame
    data_sources: pl.DataFrame
    profiles: pl.DataFrame
    fct_indicator_value: pl.DataFrame
    fct_trend: pl.DataFrame
    fct_gap: pl.DataFrame


@dataclass(frozen=True)
class PublicRelease:
    """What went out: the same three tables with what is withheld null (RULES 8.1 and 8.3).

    A row of the network that is absent here is read as withheld. `state` is what a protector keeps to itself for its
    next release (its register, RULES 8.8); no attacker reads it.
    """

    fct_indicator_value: pl.DataFrame
    fct_trend: pl.DataFrame
    fct_gap: pl.DataFrame
    state: object = field(default=None, compare=False, repr=False)


Protector = Callable[[Network, Sequence[PublicRelease]], PublicRelease]
"""From the network now and the releases that are out, oldest first, to the next release."""


def key_of(row: Row) -> Key:
    """The key of a row of fct_indicator_value."""
    return (
        row["community_id"],
        row["indicator_id"],
        row["series"],
        row["period"],
        row["population_group_id"],
        row["geography_id"],
        row["school_year"],
    )


def family_of(key: Key) -> Family:
    """The family that a key belongs to."""
    return (*key[:4], key[6])


def values_of(frame: pl.DataFrame) -> dict[Key, Row]:
    """Rows of fct_indicator_value by key. ValueError: two rows of one key."""
    rows = {key_of(row): row for row in frame.iter_rows(named=True)}
    if len(rows) != frame.height:
        raise ValueError("two rows of fct_indicator_value have one key")
    return rows


def frame_of(rows: Iterable[Row], schema: dict[str, Any]) -> pl.DataFrame:
    """Rows as a frame; columns that a row lacks are null."""
    return pl.DataFrame([{name: row.get(name) for name in schema} for row in rows], schema=schema)
