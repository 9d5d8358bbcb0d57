"""What the example network is drawn from, read from CSV.

Belongs here: the communities with their plans, and the tables of examples/distributions as typed records.
Does not: any draw (model.py) or any file that is sent (exports.py, registers.py).
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

HERE = Path(__file__).resolve().parent / "distributions"
SEEDS = Path(__file__).resolve().parents[1] / "seeds"

GATEWAYS = ("exploring", "emerging", "sustaining", "systems_change", "systems_transformation")


@dataclass(frozen=True)
class Community:
    """One invented community: who it is, how it sends, and how its story goes."""

    community_id: str
    name: str
    state: str
    joined_year: int
    left_year: int | None
    encoding: str
    position: int
    format: str
    vocabulary: str
    figures: str
    year_style: str
    mask: str
    gateways_met: int
    vigor: str
    mix: str
    size: str
    places: str
    missing_years: frozenset[int]
    corrected_years: frozenset[int]
    submits_2026: bool
    of_seeds: str
    """The community of seeds/network/communities.csv whose plan and places it has; itself, if it stands there."""
    container: str = "csv"
    """What its tables in the contract's form come as where they are no workbook: csv or parquet."""

    def sends_in(self, year: int) -> bool:
        """Whether the community has a folder for the reporting year."""
        if not self.joined_year <= year <= LAST_YEAR or (self.left_year is not None and year > self.left_year):
            return False
        return year not in self.missing_years and (year != LAST_YEAR or self.submits_2026)

    @property
    def first_sent(self) -> int:
        """The first reporting year with a folder."""
        return next(year for year in range(self.joined_year, LAST_YEAR + 1) if self.sends_in(year))


LAST_YEAR = 2026
"""The year that is still open: its due date lies ahead, and only what is known by June is in it."""


@dataclass(frozen=True)
class IndicatorLaw:
    """How one indicator is drawn; see examples/README.md for what each number means."""

    indicator: str
    level: float
    community_sd: float
    trend: float
    trend_sd: float
    cohort_factor: float
    gap_scale: float
    shock_year: int
    shock: float
    lag: int
    skips_2020: bool
    breakdowns: frozenset[str]
    favourable: int
    by_june: bool


def read_rows(path: Path) -> list[dict[str, str]]:
    """All lines of a CSV with a header, as text."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def years(text: str) -> frozenset[int]:
    """`2018;2020` as a set of years."""
    return frozenset(int(part) for part in text.split(";") if part)


@cache
def communities() -> tuple[Community, ...]:
    """All communities of seeds/network/communities.csv with their plans, in the order of that file.

    KeyError if a community has no line in distributions/plans.csv.
    """
    plans = {row["community_id"]: row for row in read_rows(HERE / "plans.csv")}
    seeds = read_rows(SEEDS / "network" / "communities.csv")
    return tuple(_community(position, row, plans[row["community_id"]]) for position, row in enumerate(seeds))


@cache
def by_id() -> dict[str, Community]:
    """The communities of the seeds by their ids."""
    return {community.community_id: community for community in communities()}


def network(scale: int = 1, container: str = "csv") -> Iterator[Community]:
    """The communities of a network so many times as large, one after the other: those of the seeds, then others.

    Each further one has the plan, the state and the places of a community of the seeds, an id, a name and so figures of
    its own, and behaves by its position in the whole network. ValueError for a scale below 1.
    """
    if scale < 1:
        raise ValueError(f"a network is at least once as large as the example network, not {scale} times")
    for turn in range(1, scale + 1):
        for community in communities():
            yield replace(
                community,
                community_id=numbered(community.community_id, "_", turn),
                name=numbered(community.name, " ", turn),
                position=community.position + (turn - 1) * len(communities()),
                container=container,
            )


def numbered(text: str, between: str, turn: int) -> str:
    """What something of the seeds is called in a further turn through the communities; as it is in the first."""
    return text if turn == 1 else f"{text}{between}{turn}"


def turn_of(community: Community) -> int:
    """Which turn through the communities of the seeds a community belongs to, from 1."""
    return community.position // len(communities()) + 1


def _community(position: int, seed: Mapping[str, str], plan: Mapping[str, str]) -> Community:
    return Community(
        community_id=seed["community_id"],
        name=seed["name"],
        state=seed["state"],
        joined_year=int(seed["joined_year"]),
        left_year=int(seed["left_year"]) if seed["left_year"] else None,
        encoding=seed["encoding"] or "utf-8",
        position=position,
        format=plan["format"],
        vocabulary=plan["vocabulary"],
        figures=plan["figures"],
        year_style=plan["year_style"],
        mask=plan["mask"],
        gateways_met=int(plan["gateways_met"]),
        vigor=plan["vigor"],
        mix=plan["mix"],
        size=plan["size"],
        places=plan["places"],
        missing_years=years(plan["missing_years"]),
        corrected_years=years(plan["corrected_years"]),
        submits_2026=plan["submits_2026"] == "yes",
        of_seeds=seed["community_id"],
    )


@cache
def laws() -> tuple[IndicatorLaw, ...]:
    """The laws of all indicators that are drawn from counts, in the order of their file."""
    return tuple(
        IndicatorLaw(
            indicator=row["indicator"],
            level=float(row["level"]),
            community_sd=float(row["community_sd"]),
            trend=float(row["trend"]),
            trend_sd=float(row["trend_sd"]),
            cohort_factor=float(row["cohort_factor"]),
            gap_scale=float(row["gap_scale"]),
            shock_year=int(row["shock_year"]),
            shock=float(row["shock"]),
            lag=int(row["lag"]),
            skips_2020=row["skips_2020"] == "1",
            breakdowns=frozenset(part for part in row["breakdowns"].split(";") if part),
            favourable=int(row["favourable"]),
            by_june=row["by_june"] == "1",
        )
        for row in read_rows(HERE / "indicators.csv")
    )


@cache
def skips_2020(indicator: str) -> bool:
    """Whether nobody collected the indicator in the school year 2020."""
    return any(law.skips_2020 for law in laws() if law.indicator == indicator)


@cache
def keyed(name: str, key: str) -> dict[str, dict[str, str]]:
    """A table of distributions/ by the column that names its lines."""
    return {row[key]: row for row in read_rows(HERE / f"{name}.csv")}


@cache
def table(name: str) -> tuple[dict[str, str], ...]:
    """A table of distributions/ as its lines."""
    return tuple(read_rows(HERE / f"{name}.csv"))


def districts(community: Community) -> list[dict[str, str]]:
    """The community's districts, as in seeds/network/geographies.csv."""
    return [place for place in places(community) if place["geography_level"] == "district"]


def small_places(community: Community) -> list[dict[str, str]]:
    """The community's ZIP codes and neighborhoods, as in seeds/network/geographies.csv."""
    return [place for place in places(community) if place["geography_level"] in ("zip", "neighborhood")]


def places(community: Community) -> list[dict[str, str]]:
    """All of a community's lines of network/geographies.csv; nobody shares a place's id or code with it."""
    if community.community_id == community.of_seeds:
        return list(_places_of_seeds(community.of_seeds))
    turn, whole = turn_of(community), {community.of_seeds: community.community_id}
    return [
        place
        | {
            "community_id": community.community_id,
            "geography_id": numbered(place["geography_id"], "_", turn),
            "parent_id": whole.get(place["parent_id"]) or numbered(place["parent_id"], "_", turn),
            "code": numbered(place["code"], "-", turn),
        }
        for place in _places_of_seeds(community.of_seeds)
    ]


@cache
def _places_of_seeds(community_id: str) -> tuple[dict[str, str], ...]:
    return tuple(row for row in read_rows(SEEDS / "network" / "geographies.csv") if row["community_id"] == community_id)


@cache
def words(vocabulary: str) -> dict[tuple[str, str, str], str]:
    """(kind, dimension, code) to the label a vocabulary uses; what is not in it is written as its code."""
    rows = (row for row in table("vocabularies") if row["vocabulary"] == vocabulary)
    return {(row["kind"], row["dimension"], row["code"]): row["label"] for row in rows}


@cache
def own_words(community_id: str) -> dict[tuple[str, str, str], str]:
    """The words that only this community uses: the community-scoped lines of the crosswalks."""
    found: dict[tuple[str, str, str], str] = {}
    for row in read_rows(SEEDS / "crosswalks" / "indicator_labels.csv"):
        if row["scope"] == "community" and row["scope_id"] == community_id:
            found["indicator", "", row["indicator_id"]] = row["label"]
    for row in read_rows(SEEDS / "crosswalks" / "group_labels.csv"):
        if row["scope"] == "community" and row["scope_id"] == community_id:
            found["group", row["dimension"], row["group_code"]] = row["label"]
    return found


@cache
def calendar_year_indicators() -> frozenset[str]:
    """Indicators of the dictionary that are measured by calendar year."""
    rows = read_rows(SEEDS / "dictionary" / "indicators.csv")
    return frozenset(row["indicator_id"] for row in rows if row["calendar_year"] == "true")
