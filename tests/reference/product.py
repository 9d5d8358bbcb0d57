"""The product's own protection behind the attacker's interface: a Network in, a PublicRelease out.

Belongs here: frames of the reference model as the marts have them, the profile that a network's own lines make.
Does not: any rule of RULES 8 (lib/disclosure has them, tests/reference/disclosure judges them), or random networks.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import polars as pl

from dagster_project.lib.base.reference import Reference
from dagster_project.lib.disclosure import DisclosureInputs, Profile, Protected, Release, load_profile, protect
from tests.reference.disclosure import model
from tests.reference.disclosure.model import Network, PublicRelease
from tests.unit.analysis import reference

SEEDS = Path(__file__).resolve().parents[2] / "seeds"
KEY = b"the key of these tests"
TODAY = dt.date(2025, 1, 1)
DERIVED_KEY = ["community_id", "indicator_id", "population_group_id", "geography_id", "reporting_year"]
POINT = {
    **dict.fromkeys(DERIVED_KEY[:4], pl.String),
    "reporting_year": pl.Int64,
    "series": pl.String,
    "school_year": pl.Int64,
    "value": pl.Float64,
    "used": pl.Boolean,
    "left_out_reason": pl.String,
}
OUTCOME = {
    **dict.fromkeys(("community_id", "outcome_id"), pl.String),
    "reporting_year": pl.Int64,
    **dict.fromkeys(("trend_status", "gap_reduced", "deciding_indicator_id", "reason"), pl.String),
}
TARGET = {
    **dict.fromkeys(DERIVED_KEY[:4], pl.String),
    "reporting_year": pl.Int64,
    "status": pl.String,
    "latest_year": pl.Int64,
    "baseline_year": pl.Int64,
}
EVERYBODY = pl.DataFrame(
    [("all", None, "agreement", None, None)],
    schema=dict.fromkeys(("community_id", "indicator", "basis", "from", "to"), pl.String),
    orient="row",
)


@cache
def _seeds() -> Profile:
    return load_profile(Reference(SEEDS))


def product(network: Network, out: Sequence[PublicRelease]) -> PublicRelease:
    """A Protector: the product's release, audited together with those that are out; AssertionError if that fails."""
    protected = protected_of(network, out)
    assert protected.audit.passed, protected.audit.failures
    return PublicRelease(
        protected.values.select(pl.col(name).cast(kind) for name, kind in model.VALUE.items()),
        protected.derived.trend.select(list(model.TREND)),
        protected.derived.gap.select(list(model.GAP)),
        (*_history(out), protected.release),
    )


def protected_of(network: Network, out: Sequence[PublicRelease]) -> Protected:
    """What the product makes of the network, after the releases that are out."""
    history = _history(out)
    return protect(inputs_of(network), history, profile_of(network), KEY, public_id=f"release-{len(history)}")


def _history(out: Sequence[PublicRelease]) -> tuple[Release, ...]:
    held = out[-1].state if out else ()
    assert isinstance(held, tuple)
    return held


def profile_of(network: Network) -> Profile:
    """The network's own thresholds, sources, ties and nested groups; zones as seeded."""
    blank = pl.col("scope_id", "sector").replace("", None)
    groups = network.dim_population_group.filter(pl.col("group") != "all")
    return Profile(
        "test",
        network.profiles.with_columns(blank, pl.col("from_school_year").fill_null(0)).select(
            "scope", "scope_id", "sector", "min_n", "from_school_year"
        ),
        _seeds().zones,
        network.data_sources.with_columns(
            pl.lit(0, pl.Int64).alias("valid_from"), pl.lit(9999, pl.Int64).alias("valid_to")
        ),
        network.count_ties,
        groups.select(
            "population_group_id",
            pl.when(pl.col("parent_code").is_not_null())
            .then(pl.format("{}:{}", "dimension", "parent_code"))
            .alias("parent_group_id"),
        ),
    )


def inputs_of(network: Network) -> DisclosureInputs:
    """The network's frames as the marts have them."""
    values = network.fct_indicator_value.join(
        network.dim_indicator.select("indicator_id", "unit"), on="indicator_id", how="left"
    )
    places = network.dim_geography.select("community_id", "geography_id", "geography_level")
    values = values.join(places, on=["community_id", "geography_id"], how="left").with_columns(
        pl.lit("submitted").alias("origin")
    )
    points = _points(network)
    groups = network.dim_population_group.select("population_group_id", "dimension")
    gap = network.fct_gap.join(groups, on="population_group_id", how="left").with_columns(
        pl.lit("burdened").alias("standing"), pl.lit("test").alias("ruleset_version")
    )
    return DisclosureInputs(
        values=values,
        indicators=network.dim_indicator.select("indicator_id", "sector"),
        communities=network.dim_community,
        geographies=network.dim_geography.select("community_id", "geography_id", "parent_id"),
        trend=network.fct_trend,
        trend_point=points,
        gap=gap,
        gap_year=None,
        outcome_status=pl.DataFrame(schema=OUTCOME),
        target_progress=pl.DataFrame(schema=TARGET),
        terms=EVERYBODY,
        objections=pl.DataFrame(schema={"community_id": pl.String, "indicator": pl.String}),
        today=TODAY,
    )


def _points(network: Network) -> pl.DataFrame:
    """fct_trend_point of every key that has a trend, by the plain reference."""
    facts = {row["indicator_id"]: row for row in network.dim_indicator.iter_rows(named=True)}
    trends = {tuple(row[name] for name in DERIVED_KEY[:4]) for row in network.fct_trend.iter_rows(named=True)}
    rows: dict[tuple[object, ...], list[model.Row]] = {}
    for row in network.fct_indicator_value.filter(pl.col("period") == "annual").iter_rows(named=True):
        rows.setdefault(tuple(row[name] for name in DERIVED_KEY[:4]), []).append(row)
    found = []
    for key in sorted(trends, key=str):
        indicator = facts[key[1]]
        held = rows.get(key, [])
        fates = reference.trend(held, network.reporting_year, indicator["direction"], indicator["unit"])["fates"]
        for row in held:
            fate = fates[row["series"], row["school_year"]]
            found.append(
                {
                    **{name: row[name] for name in POINT if name in row},
                    "reporting_year": network.reporting_year,
                    "used": fate == "used",
                    "left_out_reason": None if fate == "used" else fate,
                }
            )
    return pl.DataFrame(found, schema=POINT)
