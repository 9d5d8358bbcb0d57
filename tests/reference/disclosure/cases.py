"""Cases of RULES 8 that are known by heart: the table of 8.10, and the coded cell that a gap's class gives away (8.3).

Belongs here: networks with given counts and which of their cells are withheld.
Does not: random networks (generate.py), or an answer that the attacker could copy.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tests.reference.disclosure import model
from tests.reference.disclosure.derived import gap_rows, trend_rows
from tests.reference.disclosure.model import Key, Network, Row, frame_of

COUNTS = ((12, 7, 40, 31), (9, 14, 22, 18), (25, 30, 4, 6), (33, 28, 5, 9))
WITHHELD = ((0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (2, 2), (2, 3), (3, 2), (3, 3))
PINNED, PINNED_COUNT = (0, 2), 40
COMMUNITY = "oak"


def key_of_cell(row: int | None, column: int | None) -> Key:
    """The key of a cell of 8.10: rows are districts, columns are groups, None is a total."""
    place = COMMUNITY if row is None else f"{COMMUNITY}_{row}"
    group = "all" if column is None else f"race_ethnicity:{column}"
    return (COMMUNITY, "apprentices", "old", "annual", group, place, 2024)


def case_8_10() -> Network:
    """The table of RULES 8.10 as a count indicator of four districts and four groups."""
    counts: dict[Key, int] = {}
    for row in (None, *range(4)):
        for column in (None, *range(4)):
            cells = [
                COUNTS[r][c]
                for r in range(4)
                for c in range(4)
                if (row is None or r == row) and (column is None or c == column)
            ]
            counts[key_of_cell(row, column)] = sum(cells)
    rows = [_row(key, {"value": float(count)}) for key, count in counts.items()]
    groups = [(f"race_ethnicity:{n}", "race_ethnicity", str(n), None, False) for n in range(4)]
    places = [(COMMUNITY, f"{COMMUNITY}_{n}", "district", COMMUNITY, True) for n in range(4)]
    return _network(rows, ("apprentices", "count", "education", 0), groups, places)


def case_rates(counts: Mapping[str, Mapping[int, tuple[int, int]]], direction: int = 1) -> Network:
    """Group -> year -> (k, n) of a percentage, each group of race_ethnicity or `all`, reference white."""
    rows = []
    for group, years in counts.items():
        group_id = group if group == "all" else f"race_ethnicity:{group}"
        for year, (k, n) in years.items():
            key = (COMMUNITY, "graduation", "old", "annual", group_id, COMMUNITY, year)
            rows.append(_row(key, {"numerator": k, "denominator": n, "value": 100 * k / n}))
    groups = [(f"race_ethnicity:{g}", "race_ethnicity", g, None, g == "white") for g in counts if g != "all"]
    return _network(rows, ("graduation", "percent", "education", direction), groups, [])


def _row(key: Key, said: Row) -> Row:
    names = ("community_id", "indicator_id", "series", "period", "population_group_id", "geography_id", "school_year")
    return dict(zip(names, key, strict=True)) | {"reporting_year": 2024, "value_status": "derived"} | said


def _network(
    rows: list[Row],
    indicator: tuple[str, str, str, int],
    groups: Sequence[tuple[str, str, str, None, bool]],
    places: Sequence[tuple[str, str, str, str, bool]],
) -> Network:
    indicators = [dict(zip(model.INDICATOR, indicator, strict=True))]
    named = [dict(zip(model.GROUP, row, strict=True)) for row in (("all", "all", "all", None, False), *groups)]
    above = (COMMUNITY, COMMUNITY, "community", None, True)
    values = frame_of(rows, model.VALUE)
    facts = values.to_dicts() if indicator[1] == "percent" else []
    return Network(
        reporting_year=2024,
        dim_community=frame_of([{"community_id": COMMUNITY, "state": "OH"}], model.COMMUNITY),
        dim_indicator=frame_of(indicators, model.INDICATOR),
        dim_population_group=frame_of(named, model.GROUP),
        dim_geography=frame_of([dict(zip(model.PLACE, row, strict=True)) for row in (above, *places)], model.PLACE),
        count_ties=frame_of([], model.TIE),
        data_sources=frame_of([], model.DATA_SOURCE),
        profiles=frame_of([{"scope": "all", "scope_id": "", "sector": "", "min_n": 10}], model.PROFILE),
        fct_indicator_value=values,
        fct_trend=frame_of(trend_rows(facts, indicators, 2024), model.TREND),
        fct_gap=frame_of(gap_rows(facts, indicators, named, 2024), model.GAP),
    )
