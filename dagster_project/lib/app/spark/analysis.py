"""The analysis on a cluster: groups of communities, then groups of indicators, wherever the engine places them.

Belongs here: which tables go there, by which column they are taken apart, what is left to do in this process.
Does not: any figure or rule (lib/analysis, called as it stands), the engine (warehouse/spark.py).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from dagster_project.lib.analysis import run
from dagster_project.lib.analysis.run import Seeds
from dagster_project.lib.analysis.tables import STORED, TREND_POINT_SPAN
from dagster_project.lib.analysis.tables.spans import FIRST, LAST
from dagster_project.lib.app.analysis import (
    KNOWN_TABLE,
    AnalysisOutcome,
    agreement_of,
    analysis_inputs,
    inputs_of,
    last_year,
    seeds_of,
)
from dagster_project.lib.base.packed import Tables
from dagster_project.lib.base.reference import Reference
from dagster_project.lib.base.ruleset import Ruleset, RulesetKey, read_ruleset
from dagster_project.lib.warehouse.spark import Frame, Keyed, Session, gathered, in_parts, laid_out, of_file, parts_for

COMMUNITIES_A_PART, INDICATORS_A_PART = 20, 5
"""At most so many: a part is held in the memory of one worker's process."""
AGREEMENT = "agreement"
SPREAD = ("fct_trend", TREND_POINT_SPAN.name)
"""What is taken apart a second time, by indicator: medians, quartiles and pooled rates need every community."""
KNOWN_ORDER = ("community_id", "indicator_id", "population_group_id", "geography_id", "series", "school_year")


@dataclass(frozen=True)
class OfCommunities:
    """All that is computed of some communities, from their own rows: tables in, tables out."""

    seeds: Seeds
    last_reporting_year: int
    today: dt.date
    ruleset: Ruleset

    def __call__(self, tables: Tables) -> dict[str, pl.DataFrame]:
        """COMMUNITY_TABLES, and how the two computations of their slopes compare."""
        known = tables[KNOWN_TABLE].sort(*KNOWN_ORDER, "known_from")
        result = run.of_communities(
            inputs_of(known, tables, self.seeds, self.last_reporting_year, self.today), self.ruleset
        )
        agrees, largest, compared = agreement_of(result)
        agreement = pl.DataFrame({"agrees": [agrees], "largest": [float(largest)], "compared": [compared]})
        return {**result.tables, AGREEMENT: agreement}


@dataclass(frozen=True)
class OfIndicators:
    """The network's figures of some indicators, from the rows of all communities."""

    seeds: Seeds
    ruleset: Ruleset

    def __call__(self, tables: Tables) -> dict[str, pl.DataFrame]:
        """fct_network_trend."""
        return run.of_indicators(tables, self.seeds, self.ruleset)


def analyse_on(
    session: Session, landing: Path, work: Path, reference: Reference, today: dt.date, ruleset_key: RulesetKey
) -> AnalysisOutcome:
    """Every table of ANALYSIS_TABLES from the session's `landing` (files of that folder) and `intermediate`.

    work: where it writes on the way, on storage that all workers share.

    Of the network's figures, trends are computed on the cluster by indicator; counts by outcome and the simulation,
    which need one small table each, in this process.
    """
    ruleset, seeds, last = read_ruleset(reference, ruleset_key), seeds_of(reference), last_year(reference, today)
    inputs, of_communities = _inputs(session, landing), OfCommunities(seeds, last, today, ruleset)
    if inputs["submissions"].empty:
        # There is nobody to take apart: what is computed of nobody has its form all the same.
        own = of_communities({name: pl.DataFrame(keyed.frame.toArrow()) for name, keyed in inputs.items()})
        network = run.of_network(own, seeds, ruleset, last)
    else:
        communities = parts_for(session, seeds.communities.height, COMMUNITIES_A_PART)
        in_parts(inputs, communities, of_communities, work / "communities")
        own = gathered(work / "communities", (*run.COMMUNITY_TABLES, AGREEMENT))
        network = run.of_network(small_of(own, last), seeds, ruleset, last)
        network["fct_network_trend"] = _by_indicator(session, work, OfIndicators(seeds, ruleset))
    agreement = own.pop(AGREEMENT)
    # A table of the rubric has fewer columns yet than are declared; its key it has.
    tables = {name: rows.sort(STORED[name].key) for name, rows in {**own, **network}.items()}
    known = pl.DataFrame(session.table(f"intermediate.{KNOWN_TABLE}").toArrow()).sort(*KNOWN_ORDER, "known_from")
    return AnalysisOutcome(
        {**{name: tables[name] for name in run.ANALYSIS_TABLES}, KNOWN_TABLE: known},
        bool(agreement["agrees"].all()),
        float(agreement["largest"].max() or 0.0),  # type: ignore[arg-type]
        int(agreement["compared"].sum()),
    )


def _by_indicator(session: Session, work: Path, of_indicators: OfIndicators) -> pl.DataFrame:
    """fct_network_trend, from the trends and points of all communities as the workers left them."""
    for name in SPREAD:
        schema = STORED[name].empty().to_arrow().schema
        laid_out(session, work / "communities", name, schema, work / f"{name}.parquet")
    spread = {name: session.read.parquet(str(work / f"{name}.parquet")) for name in SPREAD}
    keyed = {name: Keyed(rows, "indicator_id") for name, rows in _of_network(spread, of_indicators.ruleset).items()}
    parts = parts_for(session, of_indicators.seeds.indicators.height, INDICATORS_A_PART)
    in_parts(keyed, parts, of_indicators, work / "indicators")
    # Without a single value there is no part, and so no table.
    return gathered(work / "indicators", ["fct_network_trend"]).get(
        "fct_network_trend", STORED["fct_network_trend"].empty()
    )


def _inputs(session: Session, landing: Path) -> dict[str, Keyed]:
    known = session.table(f"intermediate.{KNOWN_TABLE}")
    landed = {
        name: of_file(session, f"landing.{name}", landing / f"{name}.parquet", "community_id")
        for name in analysis_inputs()
    }
    return {KNOWN_TABLE: Keyed(known, "community_id"), **landed}


def _of_network(spread: Mapping[str, Frame], ruleset: Ruleset) -> dict[str, Frame]:
    """Of trends and points, what figures of the network look at: communities' own places, the years of the window."""
    recent = f"school_year > {FIRST} - {ruleset.network.window_years}"
    return {
        "fct_trend": spread["fct_trend"].where("geography_id = community_id"),
        TREND_POINT_SPAN.name: spread[TREND_POINT_SPAN.name].where(recent),
    }


def small_of(own: Tables, last: int) -> Tables:
    """What is counted in this process: statuses of outcomes, and the totals' points of the last reporting year."""
    points = own[TREND_POINT_SPAN.name].filter(
        pl.lit(last).is_between(FIRST, LAST) & (pl.col("geography_id") == pl.col("community_id"))
    )
    outcome = own["fct_outcome_status"]
    return {"fct_trend": own["fct_trend"].clear(), TREND_POINT_SPAN.name: points, "fct_outcome_status": outcome}
