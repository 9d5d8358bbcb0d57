"""Who is protected how: thresholds, zones, parameters, permissions, as the seeds say.

Belongs here: reading the profile's lines for each cell, the zone of an n, who may be published at all.
Does not: the cells themselves (cells.py), or the state of a release.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import polars as pl

from dagster_project.lib.base.reference import Reference, SeedError
from dagster_project.lib.disclosure.words import ALL

# Programs a family that judging it as it stands may take: in the final audit, and after a fall-back.
AUDIT_PROGRAMS = 50_000
PROFILE = "edu_public_v1"
PROFILES, ZONES, TERMS = "network/disclosure_profiles", "network/disclosure_zones", "network/publication_terms"
SOURCES, TIES = "crosswalks/data_sources", "dictionary/count_ties"
# A place of these levels is a part of the community without a complete sum (RULES 8.1).
WITHOUT_COMPLETE_SUM = ("zip", "neighborhood")


@dataclass(frozen=True)
class Zone:
    """Rates of n from `n_from` on up to which, or from which, they are coded; percent."""

    n_from: int
    low: float
    high: float


@dataclass(frozen=True)
class Parameters:
    """What bounds the search: a number of programs a family, and how many candidates are tried one at a time.

    Counts, never seconds, so that the same inputs give the same result on any machine. `size_base`: cells whose
    published n of last year lies within one power of it lose equally many students.
    """

    programs_per_family: int = 1500
    trials: int = 12
    size_base: float = 4.0


@dataclass(frozen=True, eq=False)
class Profile:
    """One disclosure profile as data.

    thresholds: scope, scope_id, sector, min_n (Int64), from_school_year (Int64; 0: always); zones: ascending by n_from;
    sources: label, public_name, is_public (Boolean), valid_from, valid_to (Int64); ties: indicator_id, part,
    other_indicator_id, other_part, year_offset (Int64); parents: population_group_id, parent_group_id (null: none).
    """

    profile_id: str
    thresholds: pl.DataFrame
    zones: tuple[Zone, ...]
    sources: pl.DataFrame
    ties: pl.DataFrame
    parents: pl.DataFrame

    @property
    def min_n(self) -> int:
        """The smallest threshold that any line sets; with it zones begin nowhere earlier."""
        value = self.thresholds["min_n"].min()
        assert isinstance(value, int)
        return value


def load_profile(reference: Reference, profile_id: str = PROFILE) -> Profile:
    """The profile from the seeds; SeedError where it has no line, or a number is none."""
    lines = _numbers(reference.table(PROFILES), PROFILES, {"min_n": None, "from_school_year": 0})
    lines = lines.filter(pl.col("profile") == profile_id)
    zones = _numbers(reference.table(ZONES), ZONES, {"n_from": None, "low": None, "high": None})
    zones = zones.filter(pl.col("profile") == profile_id).sort("n_from")
    if not lines.height or not zones.height:
        empty = PROFILES if not lines.height else ZONES
        raise SeedError(f"seeds/{empty}.csv has no line of profile {profile_id}")
    everybody = lines.filter((pl.col("scope") == ALL) & pl.col("sector").is_null())
    if not everybody.height:
        raise SeedError(f"seeds/{PROFILES}.csv: profile {profile_id} needs a line of scope all for every sector")
    sources = _numbers(reference.table(SOURCES), SOURCES, {"valid_from": 0, "valid_to": 9999})
    _require_one_meaning(sources)
    ties = _numbers(reference.table(TIES), TIES, {"year_offset": 0})
    return Profile(
        profile_id,
        lines.select("scope", "scope_id", "sector", "min_n", "from_school_year"),
        tuple(Zone(*row) for row in zones.select("n_from", "low", "high").iter_rows()),
        sources.with_columns(pl.col("is_public").str.to_lowercase().is_in(["true", "yes", "1"])),
        ties.select("indicator_id", "part", "other_indicator_id", "other_part", "year_offset"),
        group_parents(reference.groups),
    )


def group_parents(groups: pl.DataFrame) -> pl.DataFrame:
    """population_group_id, parent_group_id of every group but `all`; from dimension, group_code, parent_code."""
    if "parent_code" not in groups.columns:
        groups = groups.with_columns(pl.lit(None, pl.String).alias("parent_code"))
    return groups.filter(pl.col("group_code") != ALL).select(
        pl.format("{}:{}", "dimension", "group_code").alias("population_group_id"),
        pl.when(pl.col("parent_code").is_not_null())
        .then(pl.format("{}:{}", "dimension", "parent_code"))
        .alias("parent_group_id"),
    )


def _numbers(frame: pl.DataFrame, file: str, columns: dict[str, int | None]) -> pl.DataFrame:
    """Columns as whole numbers; blank takes the default, and without one it is a fault that names its lines."""
    for name, default in columns.items():
        number = frame[name].cast(pl.Int64, strict=False)
        wrong = number.is_null() & (frame[name].is_not_null() if default is not None else True)
        if wrong.any():
            line = wrong.arg_true()[0] + 2
            raise SeedError(f"seeds/{file}.csv, line {line}, column {name}: a whole number is needed")
        frame = frame.with_columns(number.fill_null(default).alias(name) if default is not None else number.alias(name))
    return frame


def _require_one_meaning(sources: pl.DataFrame) -> None:
    """SeedError where two lines of data_sources.csv give one label a meaning in the same year."""
    lines = sources.with_row_index("line", 2).with_columns(pl.col("label").str.to_lowercase().alias("name"))
    both = lines.join(lines, on="name", suffix="_other").filter(pl.col("line") < pl.col("line_other"))
    both = both.filter(
        (pl.col("valid_from") <= pl.col("valid_to_other")) & (pl.col("valid_from_other") <= pl.col("valid_to"))
    ).sort("line", "line_other")
    if both.height:
        first, second, label = both.select("line", "line_other", "label").row(0)
        raise SeedError(
            f"seeds/{SOURCES}.csv, lines {first} and {second}: the label {label} stands in both in the same years; "
            "keep one of them, or end the one before the other begins"
        )


def thresholds(rows: pl.DataFrame, profile: Profile) -> pl.Series:
    """min_n of each row: the largest of all lines that apply to it.

    rows: community_id, state, sector, school_year. A line applies where its scope does, its sector is blank or the
    indicator's, and its from_school_year is not later than the row's year.
    """
    least = pl.lit(0, pl.Int64)
    for scope, scope_id, sector, min_n, first in profile.thresholds.iter_rows():
        applies = pl.col("school_year") >= first
        if scope == "state":
            applies &= pl.col("state") == scope_id
        elif scope == "community":
            applies &= pl.col("community_id") == scope_id
        elif scope != ALL:
            raise SeedError(f"seeds/{PROFILES}.csv: scope {scope} is none of all, state, community")
        if sector is not None:
            applies &= pl.col("sector") == sector
        least = pl.max_horizontal(least, pl.when(applies.fill_null(False)).then(pl.lit(min_n, pl.Int64)).otherwise(0))
    return rows.with_columns(least.alias("min_n"))["min_n"]


def zone_of(n: pl.Expr, zones: tuple[Zone, ...]) -> tuple[pl.Expr, pl.Expr]:
    """Upper end of the low zone and lower end of the high zone for an n (percent); the first zone covers any less."""
    low, high = pl.lit(zones[0].low, pl.Float64), pl.lit(zones[0].high, pl.Float64)
    for zone in zones[1:]:
        low = pl.when(n >= zone.n_from).then(pl.lit(zone.low, pl.Float64)).otherwise(low)
        high = pl.when(n >= zone.n_from).then(pl.lit(zone.high, pl.Float64)).otherwise(high)
    return low, high


def permitted(rows: pl.DataFrame, terms: pl.DataFrame, today: dt.date) -> pl.Series:
    """Which rows a term in force lets out: community_id the row's or `all`, indicator the row's or blank.

    rows: community_id, indicator_id. terms: publication_terms.csv as text (community_id, indicator, basis, from, to;
    ISO days, blank: open). Raises SeedError on a day that cannot be read.
    """
    terms = terms.with_columns(pl.col("indicator", "from", "to").cast(pl.String))
    for name in ("from", "to"):
        wrong = terms[name].is_not_null() & terms[name].str.to_date(strict=False).is_null()
        if wrong.any():
            line = wrong.arg_true()[0] + 2
            raise SeedError(f"seeds/{TERMS}.csv, line {line}, column {name}: a day such as 2026-07-01 is needed")
    first, last = pl.col("from").str.to_date().fill_null(dt.date.min), pl.col("to").str.to_date().fill_null(dt.date.max)
    valid = terms.filter((first <= today) & (last >= today)).select("community_id", "indicator")
    allowed = pl.lit(False)
    for community, indicator in valid.unique().sort("community_id", "indicator", nulls_last=True).iter_rows():
        line = pl.lit(True) if community == ALL else pl.col("community_id") == community
        allowed |= line if indicator is None else line & (pl.col("indicator_id") == indicator)
    return rows.with_columns(allowed.alias("is_permitted"))["is_permitted"]


def objected(rows: pl.DataFrame, objections: pl.DataFrame) -> pl.Series:
    """Which rows a community's objection covers: the indicator's rows, or all where it names none.

    rows: community_id, indicator_id. objections: community_id, indicator (null or blank: all).
    """
    named = objections.select("community_id", pl.col("indicator").replace("", None).alias("indicator_id")).unique()
    every = named.filter(pl.col("indicator_id").is_null())["community_id"].unique()
    pairs = named.drop_nulls().with_columns(pl.lit(True).alias("named"))
    joined = rows.join(pairs, on=["community_id", "indicator_id"], how="left", maintain_order="left")
    covered = pl.col("named").fill_null(False) | pl.col("community_id").is_in(every.to_list())
    return joined.with_columns(covered.alias("is_objected"))["is_objected"]
