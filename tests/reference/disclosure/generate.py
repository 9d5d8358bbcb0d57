"""Small random networks, seeded: totals that are sums, districts, nested groups, masks, zones, ties, corrections.

Belongs here: invented counts to 20 a part, how a source prints them, one to three releases of one network.
Does not: expect anything of them, or resemble a real community.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random

from tests.reference.disclosure import model
from tests.reference.disclosure.derived import gap_rows, trend_rows
from tests.reference.disclosure.model import Key, Network, Row, frame_of
from tests.reference.disclosure.rules import CODED, SMALL, SOURCE, cells_of

LARGEST = 20
MOST_HIDDEN = 8
"""Small, coded and masked rows of one family."""
LAST_YEAR = 2024
COMMUNITY = "elm"
GROUPS = (
    ("all", "all", None, False),
    ("race_ethnicity", "white", None, True),
    ("race_ethnicity", "black", None, False),
    ("race_ethnicity", "hispanic", None, False),
    ("race_ethnicity", "asian", None, False),
    ("race_ethnicity", "asian_east", "asian", False),
    ("race_ethnicity", "asian_south", "asian", False),
    ("gender", "female", None, False),
    ("gender", "male", None, False),
)
INDICATORS = (
    ("graduation", "percent", "education", 1),
    ("absence", "percent", "education", -1),
    ("vaccinated", "percent", "health", 1),
    ("enrolled", "percent", "education", 1),
    ("apprentices", "count", "education", 0),
    ("mean_score", "score", "education", 1),
)
MAIN = ("graduation", "absence", "vaccinated")
TIED = "enrolled"
Counts = dict[str, list[int]]
"""Group -> [n, k]; within one place and year."""
Chain = tuple[str, ...]


@dataclass
class _Table:
    """Counts of one indicator by (year, place); groups and places add up."""

    indicator: str
    series: dict[int, str]
    period: str
    races: tuple[str, ...]
    nested: bool
    genders: bool
    counts: dict[tuple[int, str], Counts] = field(default_factory=dict)


@dataclass
class _Town:
    """Everything drawn of one network, changed by corrections."""

    chance: Random
    level: str
    places: tuple[str, ...]
    complete: bool
    tables: list[_Table] = field(default_factory=list)
    styles: dict[Key, str] = field(default_factory=dict)
    absent: set[Key] = field(default_factory=set)
    shifted: dict[Key, tuple[int, int]] = field(default_factory=dict)
    profiles: list[Row] = field(default_factory=list)
    ties: list[Row] = field(default_factory=list)


def networks(seed: int, releases: int = 1) -> list[Network]:
    """One network as of one release or several; each later one has corrections. Same seed, same networks."""
    chance = Random(seed)
    while True:
        town = _draw(chance)
        found = [_network(town)]
        while len(found) < releases:
            _correct(town)
            found.append(_network(town))
        if all(_is_small(network) for network in found):
            return found


def _is_small(network: Network) -> bool:
    hidden: dict[object, int] = {}
    for key, cell in cells_of(network).items():
        if cell.kind in (SMALL, CODED, SOURCE):
            family = model.family_of(key)
            hidden[family] = hidden.get(family, 0) + 1
    return max(hidden.values(), default=0) <= MOST_HIDDEN


def _draw(chance: Random) -> _Town:
    shape = chance.choice(("flat", "flat", "dimensions", "nested", "districts", "districts", "zips"))
    placed = shape in ("districts", "zips")
    places = tuple(f"{COMMUNITY}_{n}" for n in range(chance.choice((2, 2, 3)))) if placed else ()
    town = _Town(chance, "zip" if shape == "zips" else "district", places, shape != "zips")
    town.profiles = [_profile("all", "", "", 10, None), _profile("all", "", "health", 11, None)]
    if chance.random() < 0.15:
        town.profiles.append(_profile(*chance.choice((("state", "OH"), ("community", COMMUNITY))), "", 12, LAST_YEAR))
    main = chance.choice(MAIN)
    many = 2 if placed else chance.choice((2, 3, 4))
    if shape == "nested":
        races = [*chance.sample(("white", "black", "hispanic"), many - 1), "asian"]
    else:
        races = ["white", *chance.sample(("black", "hispanic", "asian"), many - 1)]
    years = range(LAST_YEAR - chance.choice((0, 0, 2, 2, 3) if not placed else (0, 0, 0, 2)), LAST_YEAR + 1)
    broken = chance.random() < 0.1
    series = {year: "new" if broken and year == LAST_YEAR else "old" for year in years}
    genders = shape == "dimensions" or chance.random() < 0.1
    town.tables.append(_filled(town, _Table(main, series, "annual", tuple(races), shape == "nested", genders)))
    if chance.random() < 0.25:
        town.tables.append(_tied(town, town.tables[0]))
    if chance.random() < 0.2:
        other = chance.choice(("apprentices", "mean_score"))
        town.tables.append(
            _filled(town, _Table(other, {LAST_YEAR: "old"}, "annual", tuple(races), shape == "nested", False))
        )
    if chance.random() < 0.1:
        table = _Table(main, {LAST_YEAR: "old"}, f"{LAST_YEAR}-T1", tuple(races), False, genders)
        town.tables.append(_filled(town, table))
    return town


def _profile(scope: str, scope_id: str, sector: str, min_n: int, year: int | None) -> Row:
    return {"scope": scope, "scope_id": scope_id, "sector": sector, "min_n": min_n, "from_school_year": year}


def _filled(town: _Town, table: _Table) -> _Table:
    leaves = [*town.places, *([] if town.places and town.complete else [COMMUNITY])]
    level = town.chance.choice(("even", "high", "low") if len(table.series) == 1 else ("even", "even", "high"))
    for year in table.series:
        for place in leaves:
            table.counts[year, place] = _leaf(town.chance, table, level)
        if town.places:
            # Where places are not complete, what was drawn for the community is what none of them has.
            total = table.counts.setdefault((year, COMMUNITY), {})
            for place in town.places:
                for group, (n, k) in table.counts[year, place].items():
                    mine = total.setdefault(group, [0, 0])
                    mine[0], mine[1] = mine[0] + n, mine[1] + k
    return table


def _leaf(chance: Random, table: _Table, level: str) -> Counts:
    counts: Counts = {"all": [0, 0]}
    for race in table.races:
        # Long tables are to have trends and gaps, so fewer of their parts are small.
        sizes = ((1, 9), (10, LARGEST), (10, LARGEST)) if len(table.series) == 1 else ((10, LARGEST),) * 7 + ((1, 9),)
        n = 0 if chance.random() < 0.06 else chance.randint(*chance.choice(sizes))
        counts[race] = [n, _numerator(chance, n, level)]
        if race == "asian" and table.nested:
            east = chance.randint(0, n)
            low, high = max(0, counts[race][1] - (n - east)), min(east, counts[race][1])
            counts["asian_east"] = [east, chance.randint(low, high)]
            counts["asian_south"] = [n - east, counts[race][1] - counts["asian_east"][1]]
    counts["all"] = [sum(counts[race][part] for race in table.races) for part in (0, 1)]
    if table.genders:
        n, k = counts["all"]
        female = chance.randint(n // 4, n - n // 4)
        counts["female"] = [female, chance.randint(max(0, k - (n - female)), min(female, k))]
        counts["male"] = [n - female, k - counts["female"][1]]
    return counts


def _numerator(chance: Random, n: int, level: str) -> int:
    share = {"even": chance.uniform(0.1, 0.9), "high": chance.uniform(0.7, 1), "low": chance.uniform(0, 0.3)}[level]
    return min(n, max(0, round(share * n)))


def _tied(town: _Town, table: _Table) -> _Table:
    """Another indicator over the same children: its denominators are this one's."""
    town.ties = [
        {
            "indicator_id": table.indicator,
            "part": "denominator",
            "other_indicator_id": TIED,
            "other_part": "denominator",
            "year_offset": 0,
        }
    ]
    other = _Table(TIED, {LAST_YEAR: table.series[LAST_YEAR]}, "annual", table.races, table.nested, table.genders)
    chance, share = town.chance, town.chance.uniform(0, 1)
    for (year, place), counts in table.counts.items():
        if year == LAST_YEAR:
            other.counts[year, place] = {group: [n, 0] for group, (n, _) in counts.items()}
    leaves = town.places or (COMMUNITY,)
    for place in leaves:
        for race in table.races:
            for gender in ("female", "male") if table.genders else (None,):
                lower = _nested_parts(other, race)
                for part in lower:
                    room = min(
                        n - k
                        for group in (part, *([gender] if gender else []))
                        for n, k in [other.counts[LAST_YEAR, place][group]]
                    )
                    _add(
                        town,
                        other,
                        LAST_YEAR,
                        place,
                        part,
                        gender,
                        0,
                        min(room, round(share * chance.uniform(0, room + 1))),
                    )
    return other


def _nested_parts(table: _Table, race: str) -> tuple[str, ...]:
    return ("asian_east", "asian_south") if race == "asian" and table.nested else (race,)


def _chain(table: _Table, part: str, gender: str | None) -> Chain:
    """Every group that one child belongs to."""
    upper = ("asian",) if part in ("asian_east", "asian_south") else ()
    return ("all", *upper, part, *([gender] if gender else []))


def _add(
    town: _Town, table: _Table, year: int, place: str, part: str, gender: str | None, n: int, k: int
) -> list[tuple[str, str]]:
    """Add to a part and to all that it is part of; nothing is added where a count would become impossible."""
    touched = [(where, group) for where in {place, COMMUNITY} for group in _chain(table, part, gender)]
    now = [table.counts[year, where][group] for where, group in touched]
    if any(not 0 <= b + k <= a + n for a, b in now):
        return []
    for counts in now:
        counts[0], counts[1] = counts[0] + n, counts[1] + k
    return touched


def _correct(town: _Town) -> None:
    """One to three corrections: a row changed (sometimes without its totals), added, removed."""
    chance = town.chance
    for _ in range(chance.choice((1, 1, 2, 3))):
        table = chance.choice(town.tables)
        year = chance.choice(list(table.series))
        keys = [key for key in _keys(town, table, year) if key[4] != "all"]
        what = chance.random()
        if what < 0.6:
            part = chance.choice(_nested_parts(table, chance.choice(table.races)))
            gender = chance.choice(("female", "male")) if table.genders else None
            place = chance.choice(town.places or (COMMUNITY,))
            n = chance.choice((-4, -2, -1, 0, 0, 1, 2, 5))
            _add(town, table, year, place, part, gender, n, chance.choice((-2, -1, 0, 1, 2)))
        elif what < 0.75:
            key = chance.choice(keys)
            town.shifted[key] = (chance.choice((0, 1)), chance.choice((0, 1)))
        elif what < 0.9 and town.absent:
            town.absent.discard(chance.choice(sorted(town.absent)))
        else:
            town.absent.add(chance.choice(keys))


def _keys(town: _Town, table: _Table, year: int) -> list[Key]:
    found = []
    for place in (COMMUNITY, *town.places):
        for group in table.counts[year, place]:
            found.append((COMMUNITY, table.indicator, table.series[year], table.period, _group_id(group), place, year))
    return found


def _group_id(group: str) -> str:
    dimension = next(row[0] for row in GROUPS if row[1] == group)
    return group if dimension == "all" else f"{dimension}:{group}"


def _network(town: _Town) -> Network:
    units = {row[0]: row[1] for row in INDICATORS}
    rows = []
    for table in town.tables:
        for year in table.series:
            for key in _keys(town, table, year):
                style = town.styles.get(key)
                if style is None:
                    style = town.styles[key] = _style(town.chance, units[table.indicator], key[4] == "all")
                    if style == "absent":
                        town.absent.add(key)
                n, k = table.counts[year, key[5]][key[4].split(":")[-1]]
                more, more_k = town.shifted.get(key, (0, 0))
                n, k = n + more, min(n + more, k + more_k)
                if key not in town.absent:
                    rows.append(_printed(key, units[table.indicator], n, k, style))
    values = frame_of(rows, model.VALUE)
    indicators = [dict(zip(model.INDICATOR, row, strict=True)) for row in INDICATORS]
    groups = [
        dict(zip(model.GROUP, (_group_id(code), dimension, code, parent, is_reference), strict=True))
        for dimension, code, parent, is_reference in GROUPS
    ]
    places: list[tuple[object, ...]] = [(COMMUNITY, COMMUNITY, "community", None, True)]
    places += [(COMMUNITY, place, town.level, COMMUNITY, town.complete) for place in town.places]
    facts = [row for row in rows if units[row["indicator_id"]] == "percent"]
    return Network(
        reporting_year=LAST_YEAR,
        dim_community=frame_of([{"community_id": COMMUNITY, "state": "OH"}], model.COMMUNITY),
        dim_indicator=frame_of(indicators, model.INDICATOR),
        dim_population_group=frame_of(groups, model.GROUP),
        dim_geography=frame_of([dict(zip(model.PLACE, row, strict=True)) for row in places], model.PLACE),
        count_ties=frame_of(town.ties, model.TIE),
        data_sources=frame_of(
            [
                {"label": "state report card", "public_name": "State report card", "is_public": True},
                {"label": "sent by the district", "public_name": None, "is_public": False},
            ],
            model.DATA_SOURCE,
        ),
        profiles=frame_of(town.profiles, model.PROFILE),
        fct_indicator_value=values,
        fct_trend=frame_of(trend_rows(facts, indicators, LAST_YEAR), model.TREND),
        fct_gap=frame_of(gap_rows(facts, indicators, groups, LAST_YEAR), model.GAP),
    )


def _style(chance: Random, unit: str, total: bool) -> str:
    if unit != "percent":
        return "masked" if chance.random() < 0.05 and not total else "counts"
    styles = ("counts", "masked", "masked with n", "interval", "rate with n", "rate, public", "rate", "absent")
    weights = (82, 3, 3, 1, 4, 1, 1, 2) if not total else (96, 0, 0, 0, 4, 0, 0, 0)
    return chance.choices(styles, weights)[0]


def _printed(key: Key, unit: str, n: int, k: int, style: str) -> Row:
    """A row as the source prints it."""
    names = ("community_id", "indicator_id", "series", "period", "population_group_id", "geography_id", "school_year")
    row: Row = dict(zip(names, key, strict=True))
    row |= {"reporting_year": LAST_YEAR, "data_source": "sent by the district", "value_status": "reported"}
    if style == "masked":
        return row | {"value_status": "suppressed_at_source"}
    if unit == "count":
        return row | {"value": float(n)}
    if n == 0:
        return row | {"denominator": 0, "numerator": 0 if unit == "percent" else None, "value_status": "not_applicable"}
    if unit == "score":
        return row | {"denominator": n, "value": 200.0 + 3 * k + n / 8}
    if style == "masked with n":
        return row | {"denominator": n, "value_status": "suppressed_at_source"}
    if style == "interval":
        ends = {"value_low": 0.0, "value_high": 50.0} if 2 * k <= n else {"value_low": 50.0, "value_high": 100.0}
        return row | ends | {"denominator": n, "value_status": "range"}
    if style == "rate with n":
        return row | {"denominator": n, "value": round(100 * k / n, 1)}
    if style in ("rate", "rate, public"):
        source = "state report card" if style == "rate, public" else "sent by the district"
        return row | {"value": round(100 * k / n, 1), "data_source": source}
    return row | {"denominator": n, "numerator": k, "value": 100 * k / n, "value_status": "derived"}
