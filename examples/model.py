"""The draws: what each invented community's true figures are, year by year.

Belongs here: every random number behind a submitted value, from laws stated in examples/distributions.
Does not: how a value is printed, masked, labelled, or in which reporting year's folder it lies.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from examples.tables import Community, IndicatorLaw, districts, keyed, laws, small_places, table

FIRST_SCHOOL_YEAR = 2012
SCHOOL_YEARS = np.arange(FIRST_SCHOOL_YEAR, 2027)
ORIGIN = 2015
SHARES_CONCENTRATION = 80.0
LOWEST_RATE, HIGHEST_RATE = 2.0, 98.5
SCALE_OF_BONUS = 8.0
DISTRICT_SHARES = (0.45, 0.31, 0.24)
SHORT_DISTRICT_STOPS = 2020

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


class Value(NamedTuple):
    """One true figure. Counts are None where the indicator is no rate of counts; then `rate` is the figure itself."""

    indicator: str
    dimension: str
    group: str
    school_year: int
    series: str
    numerator: int | None
    denominator: int | None
    rate: float | None
    period: str = ""
    geography: str = ""
    geography_level: str = ""
    participation: float | None = None


@dataclass(frozen=True)
class Traits:
    """What is drawn once for a community and then holds for all of its indicators and years."""

    cohort: float
    growth: float
    level: float
    trend: float
    recovery: float
    shares: Floats
    catch_up: Floats


@dataclass(frozen=True)
class Counts:
    """Counts of one indicator: `n` and `k` by school year and race (axis 0 and 1), series and participation by year."""

    law: IndicatorLaw
    n: Ints
    k: Ints
    series: tuple[str, ...]
    participation: Floats


def generator_for(community_id: str, seed: int) -> np.random.Generator:
    """The community's own stream: it depends on the seed and the id only, never on who else is drawn or when."""
    digest = hashlib.sha256(community_id.encode()).digest()
    return np.random.default_rng(np.random.SeedSequence([seed, int.from_bytes(digest[:8], "big")]))


def races() -> tuple[str, ...]:
    """The race and ethnicity groups that are drawn, in the order of their axis."""
    return tuple(row["group_code"] for row in table("race_effects"))


def simulate(community: Community, seed: int) -> list[Value]:
    """All figures of a community for the school years 2012 to 2026.

    Totals are the sums of the race groups; other breakdowns add up to the totals. Districts and ZIP codes, where the
    community has them, add up to the community.
    """
    rng = generator_for(community.community_id, seed)
    traits = draw_traits(community, rng)
    values: list[Value] = []
    for law in laws():
        counts = draw_counts(community, traits, law, rng)
        values.extend(total_and_races(counts))
        values.extend(splits(community, counts, rng))
        values.extend(place_values(community, counts, rng))
    values.extend(evictions(community, rng))
    values.extend(attendance(community, traits, rng))
    values.extend(apprentices(community, traits, rng))
    return values


def draw_traits(community: Community, rng: np.random.Generator) -> Traits:
    """Size, growth, strength, trend, recovery, shares of groups and catching up of the burdened ones."""
    size, vigor = keyed("sizes", "size")[community.size], keyed("vigors", "vigor")[community.vigor]
    mix = keyed("race_mixes", "mix")[community.mix]
    effects = table("race_effects")
    shares = np.array([float(mix[group]) for group in races()])
    cohort = rng.lognormal(np.log(float(size["median_grade_cohort"])), float(size["sigma"]))
    burdened = np.array([float(row["burdened"]) for row in effects])
    return Traits(
        cohort=float(np.clip(cohort, 60, 9000)),
        growth=float(rng.normal(0.0, 0.01)),
        level=float(rng.normal()),
        trend=float(rng.normal(float(vigor["trend_bonus"]), float(vigor["trend_bonus_sd"]))),
        recovery=float(np.clip(rng.normal(float(vigor["recovery"]), 0.06), 0.0, 0.6)),
        shares=rng.dirichlet(SHARES_CONCENTRATION * shares / shares.sum()),
        catch_up=burdened * rng.normal(float(vigor["catch_up"]), float(vigor["catch_up_sd"]), burdened.size),
    )


def draw_counts(community: Community, traits: Traits, law: IndicatorLaw, rng: np.random.Generator) -> Counts:
    """Denominators multinomial over the race groups, numerators binomial around the community's line."""
    elapsed = SCHOOL_YEARS - ORIGIN
    sizes = traits.cohort * law.cohort_factor * (1 + traits.growth) ** elapsed * (1 + rng.normal(0, 0.02, elapsed.size))
    n = rng.multinomial(np.maximum(np.rint(sizes), 12).astype(np.int64), traits.shares).astype(np.int64)
    rates = true_rates(community, traits, law, rng)
    k = rng.binomial(n, rates / 100.0).astype(np.int64)
    participation = rng.uniform(91.0, 99.5, elapsed.size)
    participation[SCHOOL_YEARS == 2021] -= 14.0
    series = tuple(label for label, _ in (assessment(community.state, law.indicator, int(y)) for y in SCHOOL_YEARS))
    return Counts(law, n, k, series, np.round(participation, 1))


def true_rates(community: Community, traits: Traits, law: IndicatorLaw, rng: np.random.Generator) -> Floats:
    """Rates in percent by year and race: level, trend, shock and recovery, change of test, group effects."""
    elapsed = (SCHOOL_YEARS - ORIGIN).astype(np.float64)
    spread = law.community_sd
    level = law.level + law.favourable * spread * (0.6 * traits.level + 0.8 * rng.normal())
    slope = law.trend + rng.normal(0, law.trend_sd) + law.favourable * traits.trend * spread / SCALE_OF_BONUS
    since = SCHOOL_YEARS - law.shock_year
    shock = np.where(since >= 0, law.shock * np.maximum(0.0, 1 - traits.recovery * since), 0.0)
    shift = np.array([assessment(community.state, law.indicator, int(year))[1] for year in SCHOOL_YEARS])
    effects = np.array([float(row["effect"]) for row in table("race_effects")])
    line = level + slope * elapsed + shock + shift
    groups = effects[None, :] + np.outer(elapsed, traits.catch_up * spread / SCALE_OF_BONUS)
    rates: Floats = np.clip(line[:, None] + law.favourable * law.gap_scale * groups, LOWEST_RATE, HIGHEST_RATE)
    return rates


@cache
def assessment(state: str, indicator: str, year: int) -> tuple[str, float]:
    """The series label of a state's test in a school year, and by how much its cut score moves the rate."""
    for row in table("assessments"):
        here = row["state"] == state and row["indicator"] == indicator
        if here and int(row["first_year"]) <= year <= int(row["last_year"]):
            return row["series"], float(row["shift"])
    return "", 0.0


def kept_years(law: IndicatorLaw) -> list[int]:
    """Positions of the school years in which the indicator was collected at all."""
    return [i for i, year in enumerate(SCHOOL_YEARS) if not (law.skips_2020 and year == 2020)]


def rate_value(counts: Counts, i: int, dimension: str, group: str, k: int, n: int) -> Value:
    """One figure of the community itself from its counts; `rate` stays empty, the counts say it."""
    tested = counts.series[i].startswith("state test")
    participation = float(counts.participation[i]) if tested and dimension == "all" else None
    year = int(SCHOOL_YEARS[i])
    return Value(
        counts.law.indicator, dimension, group, year, counts.series[i], k, n, None, participation=participation
    )


def total_and_races(counts: Counts) -> list[Value]:
    """The total, and the race groups where the indicator is broken down by race (empty groups too)."""
    values = []
    for i in kept_years(counts.law):
        values.append(rate_value(counts, i, "all", "all", int(counts.k[i].sum()), int(counts.n[i].sum())))
        if "race" in counts.law.breakdowns:
            for j, group in enumerate(races()):
                values.append(rate_value(counts, i, "race_ethnicity", group, int(counts.k[i, j]), int(counts.n[i, j])))
    return values


def splits(community: Community, counts: Counts, rng: np.random.Generator) -> list[Value]:
    """Two-way breakdowns (gender, income, learner, disability); the two sides add up to the total."""
    values = []
    mix = keyed("race_mixes", "mix")[community.mix]
    rows = table("splits")
    for first, second in zip(rows[::2], rows[1::2], strict=True):
        if first["breakdown"] not in counts.law.breakdowns:
            continue
        share = float(mix.get(first["share"]) or first["share"])
        effect = float(first["effect"]) * counts.law.gap_scale * counts.law.favourable
        for i in kept_years(counts.law):
            n, k = int(counts.n[i].sum()), int(counts.k[i].sum())
            n_first = int(rng.binomial(n, share))
            p = float(np.clip(k / n + effect / 100, 0.01, 0.99))
            k_first = int(np.clip(rng.binomial(n_first, p), max(0, k - (n - n_first)), min(k, n_first)))
            values.append(rate_value(counts, i, first["dimension"], first["group_code"], k_first, n_first))
            values.append(rate_value(counts, i, second["dimension"], second["group_code"], k - k_first, n - n_first))
    return values


def place_values(community: Community, counts: Counts, rng: np.random.Generator) -> list[Value]:
    """The same counts by district, or the totals by ZIP code and neighborhood, for communities that have places."""
    school = "race" in counts.law.breakdowns and counts.law.cohort_factor < 20
    if community.places.startswith("districts") and school:
        return district_values(community, counts, rng)
    if community.places == "zips" and counts.law.indicator in ("kindergarten_ready_pct", "chronic_absence_pct"):
        return small_place_values(community, counts, rng)
    return []


def district_values(community: Community, counts: Counts, rng: np.random.Generator) -> list[Value]:
    """Each race group dealt out over the districts that exist in the year."""
    values = []
    for i in kept_years(counts.law):
        year = int(SCHOOL_YEARS[i])
        open_now = [d for d in districts(community) if year <= int(d["valid_to"] or 9999)]
        shares = np.array(DISTRICT_SHARES[: len(open_now)])
        n = np.array([rng.multinomial(int(x), shares / shares.sum()) for x in counts.n[i]])
        k = np.array([rng.multivariate_hypergeometric(n[j], int(counts.k[i, j])) for j in range(len(n))])
        for place, district in enumerate(open_now):
            if community.places == "districts_short" and place == 2 and year >= SHORT_DISTRICT_STOPS:
                continue
            name = district["name"] if community.position % 2 else district["code"]
            total = rate_value(counts, i, "all", "all", int(k[:, place].sum()), int(n[:, place].sum()))
            values.append(total._replace(geography=name, geography_level="district"))
            for j, group in enumerate(races()):
                one = rate_value(counts, i, "race_ethnicity", group, int(k[j, place]), int(n[j, place]))
                values.append(one._replace(geography=name, geography_level="district"))
    return values


def small_place_values(community: Community, counts: Counts, rng: np.random.Generator) -> list[Value]:
    """Totals by ZIP code and by neighborhood; the place is named in the group, as members' files do."""
    values = []
    places = small_places(community)
    for level in sorted({place["geography_level"] for place in places}):
        here = [place for place in places if place["geography_level"] == level]
        shares = np.arange(len(here) + 1, 1, -1, dtype=np.float64)
        for i in kept_years(counts.law):
            n = rng.multinomial(int(counts.n[i].sum()), shares / shares.sum())
            k = rng.multivariate_hypergeometric(n, int(counts.k[i].sum()))
            for at, place in enumerate(here):
                label = place["code"] if level == "zip" else place["name"]
                values.append(rate_value(counts, i, level, label, int(k[at]), int(n[at])))
    return values


def evictions(community: Community, rng: np.random.Generator) -> list[Value]:
    """Eviction filings per 1,000 renter households: a figure without counts, fewer in 2020."""
    level = rng.lognormal(np.log(58.0), 0.4)
    fall = {"strong": 0.03, "steady": 0.01, "weak": -0.01}[community.vigor]
    values = []
    for year in SCHOOL_YEARS:
        moratorium = 0.85 if year == 2020 else 1.0
        figure = level * (1 - fall) ** (year - ORIGIN) * moratorium * rng.lognormal(0, 0.05)
        values.append(
            Value("eviction_filings_per_1000", "all", "all", int(year), "", None, None, round(float(figure), 1))
        )
    return values


def attendance(community: Community, traits: Traits, rng: np.random.Generator) -> list[Value]:
    """Quarterly attendance in student days, for communities that work with quick measures."""
    if community.gateways_met < 2:
        return []
    values = []
    for year in SCHOOL_YEARS:
        for period, days in ((f"{year - 1}-Q4", 58), (f"{year}-Q1", 60), (f"{year}-Q2", 52)):
            n = int(traits.cohort * 12.5) * days
            rate = float(np.clip(rng.normal(93.5 - 1.5 * (year in (2021, 2022)), 0.7), 85, 99))
            k = round(n * rate / 100)
            values.append(Value("attendance_rate_pct", "all", "all", int(year), "", k, n, None, period=period))
    return values


def apprentices(community: Community, traits: Traits, rng: np.random.Generator) -> list[Value]:
    """A plain count, Poisson around a slowly growing mean, for communities that report it."""
    if community.position % 5 != 1:
        return []
    mean = max(2.0, traits.cohort * 0.06)
    years = [int(year) for year in SCHOOL_YEARS]
    drawn = [int(rng.poisson(mean * 1.03 ** (year - ORIGIN))) for year in years]
    return [
        Value("apprenticeship_enrolled_count", "all", "all", y, "", None, None, float(x))
        for y, x in zip(years, drawn, strict=True)
    ]


def corrected(value: Value) -> Value:
    """The figure as restated a year later: four in a hundred of those counted turn out to be counted wrongly."""
    if value.numerator is None:
        return value
    return value._replace(numerator=value.numerator - value.numerator * 4 // 100)
