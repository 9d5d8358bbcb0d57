"""The public tables: the closed selection of RULES 8.6, filled from what the disclosure room let through.

Belongs here: which rows of each table are public, tables made for the public edition, network figures computed again.
Does not: protect values or figures (lib/disclosure), decide columns (selection.csv), write files (files.py).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from dagster_project.lib.analysis.figures.members import of_members
from dagster_project.lib.analysis.figures.network import compute_network
from dagster_project.lib.analysis.tables.spans import as_spans
from dagster_project.lib.base.names import WITHHELD
from dagster_project.lib.base.ruleset import Ruleset
from dagster_project.lib.disclosure import Protected
from dagster_project.lib.disclosure.profiles import permitted
from dagster_project.lib.disclosure.words import ALL
from dagster_project.lib.publish.public.decisions import public_requirements
from dagster_project.lib.publish.public.repeated import REPEATED, repeated
from dagster_project.lib.publish.public.selection import read_selection

Read = Callable[[str], pl.DataFrame | None]
"""One table of the internal release's marts by name; None where the release has none of that name."""

FACTS = ("fct_trend", "fct_trend_point", "fct_gap", "fct_gap_year", "fct_outcome_status", "fct_target_progress")
_FINDING_COUNT = ["community_id", "reporting_year", "rule_id", "severity", "status"]


@dataclass(frozen=True, eq=False)
class Terms:
    """Who may be published: publication_terms.csv as text, read on a day."""

    lines: pl.DataFrame
    today: dt.date

    def communities(self, communities: pl.DataFrame) -> list[str]:
        """Communities of which any indicator may be published."""
        first = pl.col("from").cast(pl.String).str.to_date().fill_null(dt.date.min)
        last = pl.col("to").cast(pl.String).str.to_date().fill_null(dt.date.max)
        named = self.lines.filter((first <= self.today) & (last >= self.today))["community_id"].unique().to_list()
        every = communities["community_id"].sort().to_list()
        return every if ALL in named else [name for name in every if name in named]

    def let_out(self, frame: pl.DataFrame, communities: Sequence[str]) -> pl.DataFrame:
        """The rows of communities with a term, and of their indicators where a row names one."""
        if "community_id" in frame.columns:
            frame = frame.filter(pl.col("community_id").is_in(communities))
        if {"community_id", "indicator_id"} <= set(frame.columns):
            allowed = permitted(frame, self.lines, self.today).fill_null(False)
            frame = frame.filter(pl.col("indicator_id").is_null() | allowed)
        return frame


def public_tables(
    read: Read, protected: Protected, terms: Terms, ruleset: Ruleset, joined: pl.DataFrame
) -> dict[str, pl.DataFrame]:
    """Every public table that the release can fill, in its public columns, rows by key.

    read: the internal marts. joined: community_id, joined_year, left_year, for network figures. Raises SelectionError
    where a table lacks a public column.
    """
    dimension = read("dim_community")
    communities = terms.communities(pl.DataFrame({"community_id": []}) if dimension is None else dimension)
    derived = protected.derived
    made: dict[str, pl.DataFrame] = {
        "fct_indicator_value": protected.values,
        "fct_trend": derived.trend,
        "fct_trend_point": derived.trend_point,
        "fct_gap": derived.gap,
        "fct_outcome_status": terms.let_out(derived.outcome_status, communities),
        "fct_target_progress": _latest(derived.target_progress, read("dim_reporting_year")),
    }
    if derived.gap_year is not None:
        made["fct_gap_year"] = derived.gap_year
    made |= _network(made, read, ruleset, joined.filter(pl.col("community_id").is_in(communities)))
    made |= _others(read, terms, communities, made, protected)
    return {name: table.conform(made[name]) for name, table in read_selection().items() if name in made}


def _latest(frame: pl.DataFrame, years: pl.DataFrame | None) -> pl.DataFrame:
    """Rows of the latest reporting year: not of one that has only begun, of which neither report nor rpt_ speak."""
    if years is None:
        raise ValueError("the release has no table dim_reporting_year")
    latest = years.filter("is_latest")["reporting_year"].to_list()
    return frame.filter(pl.col("reporting_year").is_in(latest))


def _network(
    made: Mapping[str, pl.DataFrame], read: Read, ruleset: Ruleset, joined: pl.DataFrame
) -> dict[str, pl.DataFrame]:
    """Network figures from published rows alone, by the code that computed the internal ones (RULES 8.4)."""
    trend, outcome = made["fct_trend"], made["fct_outcome_status"]
    indicators, places = read("dim_indicator"), read("dim_geography")
    if indicators is None or places is None:
        raise ValueError("the release has no table dim_indicator or dim_geography")
    points = as_spans(made["fct_trend_point"])
    trends, outcomes = compute_network(trend, points, outcome, joined, places, indicators, ruleset)
    own = trend.filter(pl.col("geography_id") == pl.col("community_id"))
    members = of_members(own, joined)
    key = ["indicator_id", "population_group_id", "reporting_year"]
    counted = members.group_by(key).agg((pl.col("trend_status") == WITHHELD).sum().cast(pl.Int32).alias("n_withheld"))
    where = ["outcome_id", "reporting_year"]
    verdicts = (
        of_members(outcome, joined)
        .group_by(where)
        .agg(
            (pl.col("trend_status") == WITHHELD).sum().cast(pl.Int32).alias("n_withheld"),
            (pl.col("gap_reduced") == WITHHELD).sum().cast(pl.Int32).alias("n_gap_withheld"),
        )
    )
    filled = pl.col("n_withheld").fill_null(0)
    return {
        "fct_network_trend": trends.join(counted, on=key, how="left").with_columns(filled),
        "fct_network_outcome": outcomes.join(verdicts, on=where, how="left").with_columns(
            filled, pl.col("n_gap_withheld").fill_null(0)
        ),
    }


def _others(
    read: Read, terms: Terms, communities: Sequence[str], made: Mapping[str, pl.DataFrame], protected: Protected
) -> dict[str, pl.DataFrame]:
    """The tables that no figure of a group stands in, or that repeat what is published."""
    found: dict[str, pl.DataFrame] = {}
    for name in read_selection():
        if name in made or name == "fct_finding_count":
            continue
        frame = read(name)
        if frame is None:
            continue
        frame = terms.let_out(frame, communities)
        if name == "fct_story":
            frame = frame.filter(pl.col("consent").fill_null(False) & pl.col("withheld_reason").is_null())
        if name == "fct_designation_requirement":
            frame = public_requirements(frame, made["fct_outcome_status"], protected.derived.withheld_verdicts)
        if name in REPEATED:
            frame = repeated(name, frame, made)
        found[name] = frame
    findings = read("fct_finding")
    if findings is not None:
        found["fct_finding_count"] = finding_counts(terms.let_out(findings, communities))
    return found


def finding_counts(findings: pl.DataFrame) -> pl.DataFrame:
    """fct_finding_count: how many findings of a rule a community's year has, by severity and status; no text."""
    return (
        findings.filter(pl.col("community_id").is_not_null() & pl.col("reporting_year").is_not_null())
        .group_by(_FINDING_COUNT)
        .agg(pl.len().cast(pl.Int64).alias("n_findings"))
    )
