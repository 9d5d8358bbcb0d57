"""What every rule of the rubric reads, prepared once.

Belongs here: registers as known, values and observations of core indicators, the dictionary, the ruleset.
Does not: any rule, or how registers are remembered (registers).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import polars as pl

from dagster_project.lib.analysis.rubric.registers import (
    AT,
    FACT_DATES,
    FOREVER,
    REGISTERS,
    Tables,
    known_rows,
    present_from,
)
from dagster_project.lib.base.names import VALUE_KEY
from dagster_project.lib.base.ruleset import Ruleset

MEASURED = ("value", "value_low", "value_high")
SHOWN = [pl.col(name).is_not_null() for name in MEASURED]
"""A bound shows something, a mask does not."""
KNOWN = ["community_id", "indicator_id", "population_group_id", "school_year", "known_from", "known_to"]


@dataclass(frozen=True)
class FactContext:
    """What the rules read. `registers` as submitted, by name; `known`: the same as known at every reporting year, from
    `known_rows`. Absent registers are in neither.

    `present`: register -> community_id, reporting_year at which the register has been submitted at least once.
    `values` (community_id, indicator_id, dimension, population_group_id, school_year, known_from, known_to) and
    `subannual` (community_id, indicator_id, reporting_year) hold observations; `indicators` and `outcomes` the
    dictionary.
    """

    scaffold: pl.DataFrame
    registers: Mapping[str, pl.DataFrame]
    known: Mapping[str, pl.DataFrame]
    present: Mapping[str, pl.DataFrame]
    values: pl.DataFrame
    subannual: pl.DataFrame
    indicators: pl.DataFrame
    outcomes: pl.DataFrame
    ruleset: Ruleset

    @property
    def epsilon(self) -> float:
        """What every threshold carries in favour of equality."""
        return self.ruleset.epsilon

    def known_or_empty(self, name: str, **columns: pl.DataType) -> pl.DataFrame:
        """A register as known, or an empty frame with the scaffold's and the given columns where it is absent."""
        if name in self.known:
            return self.known[name]
        place = {"community_id": pl.String(), "reporting_year": pl.Int32(), "assessment_date": pl.Date()}
        return pl.DataFrame(schema={**place, "submitted_in": pl.Int32(), **columns})

    @cached_property
    def selection(self) -> pl.DataFrame:
        """The indicator selection with its outcome: the register's, or where blank the dictionary's."""
        rows = self.known.get("indicator_selection")
        if rows is None:
            schema = {"community_id": pl.String, "reporting_year": pl.Int32, "indicator_id": pl.String}
            return pl.DataFrame(schema={**schema, "outcome_id": pl.String, "role": pl.String})
        home = self.indicators.select(indicator="indicator_id", home="outcome_id")
        rows = rows.join(home, on="indicator", how="left", maintain_order="left")
        return rows.with_columns(
            pl.col("indicator").alias("indicator_id"), pl.coalesce("outcome", "home").alias("outcome_id")
        )

    @cached_property
    def core(self) -> pl.DataFrame:
        """community_id, reporting_year, indicator_id, outcome_id of the selected core indicators, each once."""
        rows = self.selection.filter(pl.col("role") == "core")
        return rows.select(*AT, "indicator_id", "outcome_id").unique([*AT, "indicator_id"], keep="first").sort(AT)

    @cached_property
    def core_values(self) -> pl.DataFrame:
        """Values known of core indicators at each reporting year, school years after it left out; `held` if shown."""
        rows = self.values.join(self.core, on=["community_id", "indicator_id"], how="inner")
        known = pl.col("reporting_year").is_between("known_from", "known_to")
        return rows.filter(known & (pl.col("school_year") <= pl.col("reporting_year")))


def fact_context(tables: Tables, scaffold: pl.DataFrame, ruleset: Ruleset, today: dt.date) -> FactContext:
    """Prepare the registers, values and observations in `tables` (keys: the tables' names) for the rules.

    Read: registers, `int_values__known`, `observations` (for rows of periods within a year), `indicators`, `outcomes`;
    a missing or empty table counts as absent. Unit of every date: day. Raises KeyError without `indicators` or
    `outcomes`.
    """
    given = {name: tables[name] for name in REGISTERS if name in tables and tables[name].height}
    known = {
        name: known_rows(rows, scaffold, REGISTERS[name], FACT_DATES.get(name, ()), today)
        for name, rows in given.items()
    }
    present = {name: present_from(rows, scaffold) for name, rows in given.items()}
    return FactContext(
        scaffold=scaffold,
        registers=given,
        known=known,
        present=present,
        values=_values(tables, known),
        subannual=_subannual(tables),
        indicators=tables["indicators"],
        outcomes=tables["outcomes"],
        ruleset=ruleset,
    )


def _values(tables: Tables, known: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    rows = _known_in_every_period(tables)
    if rows is None or "indicator_selection" not in known:
        empty = pl.DataFrame(schema=dict.fromkeys(KNOWN[:3], pl.String) | dict.fromkeys(KNOWN[3:], pl.Int32))
        return empty.with_columns(pl.lit(None, pl.Boolean).alias("held"), pl.lit(None, pl.String).alias("dimension"))
    # Only what is or was a core indicator is looked at: most series of a network are not.
    wanted = known["indicator_selection"].filter(pl.col("role") == "core")
    wanted = wanted.select("community_id", indicator_id="indicator").unique()
    rows = rows.join(wanted, on=["community_id", "indicator_id"], how="semi")
    rows = rows.select(*KNOWN, pl.any_horizontal(SHOWN).alias("held")).unique()
    return rows.with_columns(pl.col("population_group_id").str.split(":").list.first().alias("dimension"))


def _known_in_every_period(tables: Tables) -> pl.DataFrame | None:
    """int_values__known, and the rows of quarters, months and terms in its columns: only annual ones enter figures, but
    whether a community has data of an indicator asks for no period (RULES 1: sections 2 to 5 and 7)."""
    annual, within = tables.get("int_values__known"), _within_a_year(tables)
    if annual is None or within is None or within.is_empty():
        return annual
    from_on = pl.col("reporting_year").cast(annual.schema["known_from"])
    until = (from_on.shift(-1).over(VALUE_KEY, order_by="reporting_year") - 1).fill_null(FOREVER)
    within = within.with_columns(known_from=from_on, known_to=until.cast(annual.schema["known_to"]))
    return pl.concat([rows.select(*KNOWN, *MEASURED) for rows in (annual, within)], how="vertical_relaxed")


def _within_a_year(tables: Tables) -> pl.DataFrame | None:
    """Accepted rows of quarters, months and terms; None without observations."""
    rows = tables.get("observations")
    if rows is None:
        return None
    if "data_level" in rows.columns:  # rows of programs are no signal of the population
        rows = rows.filter(pl.col("data_level") == "population")
    return rows.filter((pl.col("row_status") == "accepted") & (pl.col("period") != "annual"))


def _subannual(tables: Tables) -> pl.DataFrame:
    schema = {"community_id": pl.String, "indicator_id": pl.String, "submitted_in": pl.Int32}
    rows = _within_a_year(tables)
    if rows is None:
        return pl.DataFrame(schema=schema)
    rows = rows.filter(pl.any_horizontal(SHOWN))
    year = pl.col("reporting_year").cast(pl.Int32).min().alias("submitted_in")
    return rows.group_by("community_id", "indicator_id").agg(year).sort("community_id", "indicator_id")
