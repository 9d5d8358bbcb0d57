"""Registers as known at each reporting year.

Belongs here: how each register is remembered (state or log), the dates that make its rows facts, the scaffold of years.
Does not: what the rubric asks of a register (rules), claims or decisions.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

import contracts
from contracts.base import TableContract

Tables = Mapping[str, pl.DataFrame]
AT = ["community_id", "reporting_year"]
FOREVER = 9999
# The dates that say when a row of a log became a fact; a row counts from the latest of them on.
FACT_DATES: dict[str, tuple[str, ...]] = {
    "partner_roster": ("active_from",),
    "funding": ("start_date",),
    "benchmark_evidence": ("as_of",),
    "examples": ("first_evidenced_on", "as_of"),
    "communications": ("date",),
    "report_card_items": ("release_date",),
    "data_sharing_agreements": ("start_date",),
    "burdened_groups": ("effective_from",),
    "review_decisions": ("decided_on",),
    "gateway_decisions": ("decided_on",),
    "scores": ("decided_on",),
    "definitions": ("approved_on",),
}


@dataclass(frozen=True)
class RegisterMemory:
    """How a register is known over years: a `state` is replaced as a whole, of a `log` the newest year wins by key.

    `spoken`: where the contract's key ends in the day a row speaks of, that day. Only the latest word on the rest of
    the key is then kept, so that long histories stay small.
    """

    memory: str
    key: tuple[str, ...]
    spoken: tuple[str, ...] = ()


# Names that people write, in keys: with another case or blanks around it a name is no other name.
WRITTEN_NAMES = frozenset({"organization", "partner", "party", "purpose", "term"})
# Of these registers only the latest word counts, by the day it speaks of.
LATEST_WORD = {"benchmark_evidence": "as_of", "review_decisions": "decided_on", "scores": "decided_on"}


def _memory(contract: TableContract) -> RegisterMemory:
    # A network table names the community in its rows; known rows are grouped by it already.
    day = LATEST_WORD.get(contract.table)
    key = tuple(part for part in contract.key if part not in ("community_id", day))
    return RegisterMemory(contract.memory, key, (day,) if day else ())


REGISTERS: dict[str, RegisterMemory] = {
    name: _memory(contract) for name, contract in contracts.landed_registers().items()
}


def plain(column: str) -> pl.Expr:
    """Text as it is compared: what a person writes with other case or blanks is the same."""
    return pl.col(column).str.strip_chars().str.to_lowercase()


def scaffold_of(submissions: pl.DataFrame, last_reporting_year: int, today: dt.date) -> pl.DataFrame:
    """community_id, reporting_year, assessment_date: every year from a community's first submission on.

    The assessment date is the earlier of 31 December of the reporting year and `today` (RULES 6).
    """
    first = submissions.group_by("community_id").agg(pl.col("reporting_year").cast(pl.Int32).min().alias("first"))
    years = first.with_columns(pl.int_ranges("first", last_reporting_year + 1, dtype=pl.Int32).alias("reporting_year"))
    day = pl.min_horizontal(pl.date(pl.col("reporting_year"), 12, 31), pl.lit(today))
    rows = years.explode("reporting_year").filter(pl.col("reporting_year").is_not_null())
    return rows.select(*AT, day.alias("assessment_date")).sort(AT)


def known_rows(
    rows: pl.DataFrame, scaffold: pl.DataFrame, memory: RegisterMemory, dates: tuple[str, ...], today: dt.date
) -> pl.DataFrame:
    """The rows of one register as known at every reporting year of the scaffold.

    `reporting_year` of the result is the year at which the row is known, `submitted_in` the one it came with, and
    `assessment_date` stands beside. State: the newest table replaces. Log: a row counts from its date and submission
    on, until a later submission speaks of the same key.
    """
    rows = rows.rename({"reporting_year": "submitted_in"}).with_columns(pl.col("submitted_in").cast(pl.Int32))
    spans = _state_spans(rows) if memory.memory == "state" else _log_spans(rows, memory, dates, today)
    last = scaffold["reporting_year"].max()
    end = pl.min_horizontal("known_to", pl.lit(last, pl.Int32)) + 1
    spans = spans.filter(pl.col("known_from") < end)
    expanded = spans.with_columns(pl.int_ranges("known_from", end, dtype=pl.Int32).alias("reporting_year"))
    expanded = expanded.drop("known_from", "known_to").explode("reporting_year")
    return expanded.join(scaffold, on=AT, how="inner", maintain_order="left")


def _state_spans(rows: pl.DataFrame) -> pl.DataFrame:
    years = rows.select("community_id", "submitted_in").unique().sort("community_id", "submitted_in")
    until = (pl.col("submitted_in").shift(-1).over("community_id") - 1).fill_null(FOREVER)
    years = years.with_columns(until.cast(pl.Int32).alias("known_to"), pl.col("submitted_in").alias("known_from"))
    return rows.join(years, on=["community_id", "submitted_in"], how="left", maintain_order="left")


def _log_spans(rows: pl.DataFrame, memory: RegisterMemory, dates: tuple[str, ...], today: dt.date) -> pl.DataFrame:
    seen = pl.max_horizontal([pl.col(name) for name in dates]) if dates else pl.lit(None, pl.Date)
    rows = rows.filter((seen <= today).fill_null(True))
    begins = pl.max_horizontal("submitted_in", seen.dt.year().cast(pl.Int32))
    place = [name for name in ("source_file", "source_sheet", "source_row") if name in rows.columns]
    exact = ["community_id", *memory.key]
    rows = rows.with_columns(begins.alias("known_from")).sort([*exact, *memory.spoken, "submitted_in", *place])
    rows = rows.with_columns(_until_later(exact))
    names = {name: f"{name} as compared" for name in memory.key if name in WRITTEN_NAMES}
    if names:
        rows = rows.with_columns(plain(name).alias(compared) for name, compared in names.items())
        # Two spellings in one submission stand side by side; a later submission speaks of both.
        key = ["community_id", *(names.get(name, name) for name in memory.key)]
        word = [*key, *memory.spoken, "submitted_in"]
        words = rows.group_by(word).agg(pl.col("known_from").min()).sort(word)
        words = words.select(*word, _until_later(key).alias("known_to_by_name"))
        rows = rows.join(words, on=word, how="left", nulls_equal=True, maintain_order="left")
        rows = rows.with_columns(pl.min_horizontal("known_to", "known_to_by_name").alias("known_to"))
    return rows.drop("known_to_by_name", *names.values(), strict=False)


def _until_later(key: list[str]) -> pl.Expr:
    """known_to: the year before a later row of the key counts; rows stand in the order in which they were said."""
    later = pl.col("known_from").shift(-1).cum_min(reverse=True).over(key)
    return (later - 1).fill_null(FOREVER).cast(pl.Int32).alias("known_to")


def present_from(rows: pl.DataFrame, scaffold: pl.DataFrame) -> pl.DataFrame:
    first = rows.group_by("community_id").agg(pl.col("reporting_year").cast(pl.Int32).min().alias("first"))
    joined = scaffold.join(first, on="community_id", how="inner", maintain_order="left")
    return joined.filter(pl.col("reporting_year") >= pl.col("first")).select(AT)
