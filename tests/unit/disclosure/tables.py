"""Small networks for the disclosure tests, and an enumeration of what their public facts leave possible.

Belongs here: rows as the marts have them, one call through `protect`, brute force over hidden cells.
Does not: any test.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

import polars as pl

from dagster_project.lib.base.workers import HERE, Spread
from dagster_project.lib.disclosure import DisclosureInputs, Parameters, Profile, Protected, Release, protect
from dagster_project.lib.disclosure.cells import REGISTER_COLUMNS, classify, public_values, with_classes

TOWN, STATE = "town", "CT"
KEY = b"a key that lies in the lake"
GRADUATION, SCORE, HEALTH, TALLY, RATE = "graduation", "score", "health", "tally", "rate"
RACES = ["asian", "black", "hispanic", "white"]
COUNTS = [[12, 7, 40, 31], [9, 14, 22, 18], [25, 30, 4, 6], [33, 28, 5, 9]]
Row = dict[str, object]
Cell = tuple[str, str]

SCHEMA = pl.Schema(
    {
        "community_id": pl.String(),
        "indicator_id": pl.String(),
        "population_group_id": pl.String(),
        "geography_id": pl.String(),
        "geography_level": pl.String(),
        "school_year": pl.Int32(),
        "series": pl.String(),
        "period": pl.String(),
        "unit": pl.String(),
        "value": pl.Float64(),
        "value_low": pl.Float64(),
        "value_high": pl.Float64(),
        "numerator": pl.Int64(),
        "denominator": pl.Int64(),
        "value_status": pl.String(),
        "origin": pl.String(),
        "data_source": pl.String(),
        "reporting_year": pl.Int32(),
    }
)
INDICATORS = pl.DataFrame(
    {
        "indicator_id": [GRADUATION, "enrolled", SCORE, HEALTH, TALLY, RATE],
        "sector_profile": ["education", "education", "education", "health", "education", "education"],
    }
)
POINT_SCHEMA = pl.Schema(
    {
        "community_id": pl.String(),
        "indicator_id": pl.String(),
        "population_group_id": pl.String(),
        "geography_id": pl.String(),
        "reporting_year": pl.Int32(),
        "series": pl.String(),
        "school_year": pl.Int32(),
        "value": pl.Float64(),
        "used": pl.Boolean(),
        "left_out_reason": pl.String(),
    }
)
_FACT = {name: POINT_SCHEMA[name] for name in POINT_SCHEMA.names()[:6]}
_YEARS = {"first_year": pl.Int32(), "last_year": pl.Int32(), "n_years": pl.Int32()}
TREND_SCHEMA = pl.Schema(
    {
        **_FACT,
        **_YEARS,
        "slope": pl.Float64(),
        "trend_status": pl.String(),
        "reason": pl.String(),
        "outcome_id": pl.String(),
    }
)
GAP_SCHEMA = pl.Schema(
    {
        **_FACT,
        **_YEARS,
        "reference_group_id": pl.String(),
        "group_slope": pl.Float64(),
        "gap_status": pl.String(),
        "reference_declined": pl.Boolean(),
        "reason": pl.String(),
        "standing": pl.String(),
        "dimension": pl.String(),
    }
)
OUTCOME_SCHEMA = pl.Schema(
    {
        **dict.fromkeys(("community_id", "outcome_id"), pl.String()),
        "reporting_year": pl.Int32(),
        **dict.fromkeys(
            (
                "trend_status",
                "gap_reduced",
                "deciding_indicator_id",
                "reason",
                "gap_reason",
                "trend_any",
                "trend_all",
                "gap_any",
                "gap_all",
                "widened_groups",
                "trend_by_indicator",
                "gap_by_indicator",
            ),
            pl.String(),
        ),
    }
)
TARGET_SCHEMA = pl.Schema(
    {
        **{name: kind for name, kind in _FACT.items() if name != "series"},
        "deadline": pl.Date(),
        "horizon": pl.String(),
        "target_value": pl.Float64(),
        "latest_year": pl.Int32(),
        "latest_value": pl.Float64(),
        "fitted_slope": pl.Float64(),
        "status": pl.String(),
        "baseline_year": pl.Int32(),
    }
)
TERM_SCHEMA = {name: pl.String() for name in ("community_id", "indicator", "basis", "from", "to")}
EVERYBODY = pl.DataFrame([("all", None, "agreement", None, None)], schema=TERM_SCHEMA, orient="row")


def row(group: str = "all", n: int | None = None, k: int | None = None, **more: object) -> Row:
    """One row with counts; the rate follows from them unless `value` is given."""
    share = more.get("unit", "percent") == "percent" and n and k is not None
    return {
        "community_id": TOWN,
        "indicator_id": GRADUATION,
        "population_group_id": group,
        "geography_id": more.get("community_id", TOWN),
        "geography_level": "community",
        "school_year": 2024,
        "series": "default",
        "period": "annual",
        "unit": "percent",
        "value": 100.0 * k / n if share and n and k is not None else None,
        "value_low": None,
        "value_high": None,
        "numerator": k,
        "denominator": n,
        "value_status": "not_applicable" if n == 0 else "derived",
        "origin": "submitted",
        "data_source": None,
        "reporting_year": 2024,
        **more,
    }


def tally(group: str, count: int, place: str = TOWN, level: str = "community") -> Row:
    """One plain count."""
    return row(group, unit="count", indicator_id=TALLY, value=float(count), geography_id=place, geography_level=level)


def masked(group: str, n: int | None = None, **more: object) -> Row:
    """One row that the source masked."""
    return row(group, n, None, **{"value_status": "suppressed_at_source", **more})


def values(rows: Sequence[Row]) -> pl.DataFrame:
    """fct_indicator_value of the rows."""
    return pl.DataFrame(list(rows), schema=SCHEMA, orient="row")


def inputs(rows: Sequence[Row], **tables: object) -> DisclosureInputs:
    """Inputs of one network of such rows; every place that is no community lies in its community."""
    frame = values(rows)
    places = frame.select("community_id", "geography_id").unique().sort("community_id", "geography_id")
    communities = frame.select("community_id").unique().sort("community_id")
    made = DisclosureInputs(
        frame,
        INDICATORS,
        communities.with_columns(pl.lit(STATE).alias("state")),
        places.with_columns(pl.col("community_id").alias("parent_id")),
        pl.DataFrame(schema=TREND_SCHEMA),
        pl.DataFrame(schema=POINT_SCHEMA),
        pl.DataFrame(schema=GAP_SCHEMA),
        None,
        pl.DataFrame(schema=OUTCOME_SCHEMA),
        pl.DataFrame(schema=TARGET_SCHEMA),
        EVERYBODY,
        pl.DataFrame(schema={"community_id": pl.String(), "indicator": pl.String()}),
        dt.date(2025, 1, 1),
    )
    return replace(made, **tables)  # type: ignore[arg-type]


def run(
    rows: Sequence[Row],
    profile: Profile,
    history: Sequence[Release] = (),
    parameters: Parameters = Parameters(),  # noqa: B008 - frozen
    spread: Spread = HERE,
    **tables: object,
) -> Protected:
    """Protect such a network."""
    return protect(inputs(rows, **tables), history, profile, KEY, parameters, f"release-{len(history)}", spread=spread)


def grid(counts: Sequence[Sequence[int]]) -> list[Row]:
    """Plain counts of four districts and four groups with row and column totals."""
    rows = [tally("all", sum(map(sum, counts)))]
    rows += [tally(f"race_ethnicity:{race}", sum(line[i] for line in counts)) for i, race in enumerate(RACES)]
    for number, line in enumerate(counts):
        place = f"district_{number}"
        rows.append(tally("all", sum(line), place, "district"))
        rows += [tally(f"race_ethnicity:{race}", line[i], place, "district") for i, race in enumerate(RACES)]
    return rows


def kinds(protected: Protected, place: str | None = None) -> dict[str, str]:
    """Kind of each group's cell, of one place or of the community."""
    own = pl.col("geography_id") == (place or pl.col("community_id"))
    return dict(protected.cells.filter(own).select("population_group_id", "kind").iter_rows())


def shown(protected: Protected, group: str, place: str | None = None) -> Row:
    """The public row of one group."""
    own = pl.col("geography_id") == (place or pl.col("community_id"))
    return protected.values.filter(own & (pl.col("population_group_id") == group)).row(0, named=True)


def with_kinds(rows: Sequence[Row], profile: Profile, protected: Protected, chosen: Mapping[Cell, str]) -> Release:
    """The same release with other kinds: (group, place) to kind; the others as their primary rule has them."""
    made = inputs(rows)
    cells = classify(made.values, made.indicators, made.communities, profile)
    names = list(zip(cells["population_group_id"], cells["geography_id"], strict=True))
    forced = [chosen.get(name, kind) for name, kind in zip(names, cells["kind"], strict=True)]
    tokens = protected.release.register.select("population_group_id", "geography_id", "token")
    cells = cells.with_columns(pl.Series("kind", forced, dtype=pl.String)).join(
        tokens, on=["population_group_id", "geography_id"], how="left", maintain_order="left"
    )
    final = with_classes(cells)
    return replace(
        protected.release, public=public_values(made.values, final, profile), register=final.select(REGISTER_COLUMNS)
    )


Pair = tuple[int, int]


def enumerate_tables(
    domains: Mapping[Cell, Sequence[Pair]], lines: Iterable[tuple[Cell, Sequence[Cell]]]
) -> dict[Cell, set[Pair]]:
    """Every pair (n, k) that each cell takes in some table in which each total is the sum of its parts.

    domains: every cell's possible pairs (one for a published cell). lines: total and parts. Plain search.
    """
    lines = [(total, tuple(parts)) for total, parts in lines]
    order = sorted(domains, key=lambda cell: len(domains[cell]))
    found: dict[Cell, set[Pair]] = {cell: set() for cell in domains}
    table: dict[Cell, Pair] = {}
    ready = [[line for line in lines if cell in (line[0], *line[1])] for cell in order]

    def holds(line: tuple[Cell, tuple[Cell, ...]]) -> bool:
        total, parts = line
        left = [table.get(part) for part in parts]
        if total not in table or None in left:
            # Parts never exceed their total, however the rest is filled.
            known = [pair for pair in left if pair]
            return total not in table or all(sum(p[i] for p in known) <= table[total][i] for i in (0, 1))
        return all(sum(pair[i] for pair in left if pair) == table[total][i] for i in (0, 1))

    def search(depth: int) -> None:
        if depth == len(order):
            for cell, pair in table.items():
                found[cell].add(pair)
            return
        for pair in domains[order[depth]]:
            table[order[depth]] = pair
            if all(holds(line) for line in ready[depth]):
                search(depth + 1)
        table.pop(order[depth], None)

    search(0)
    return found


def pairs_of(kind: str, public: Row, cap: int, zone: Callable[[int, int], bool], min_n: int = 10) -> list[Pair]:
    """What an attacker starts from for one percent cell: pairs that its row and the reason allow, n up to cap."""
    n, k = public["denominator"], public["numerator"]
    if kind == "published":
        return [(int(str(n)), int(str(k)))]
    if kind == "coded":
        low = public["value_low"] == 0.0
        return [
            (int(str(n)), each)
            for each in range(int(str(n)) + 1)
            if zone(int(str(n)), each) and (2 * each < int(str(n))) == low
        ]
    sizes = range(1, min_n) if kind == "small" else range(min_n, cap + 1)
    return [(size, each) for size in sizes for each in range(size + 1)]
