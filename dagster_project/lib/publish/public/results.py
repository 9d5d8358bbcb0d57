"""Results go back: a community's own figures of a final release beside what the public edition says of all communities.

Belongs here: the rows of the package, and writing both files of it into each community's outbox folder.
Does not: which release is final (release/decisions.py), protection (lib/disclosure): of others it reads what is public.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import polars as pl
from jinja2 import Template

from dagster_project.lib.base.store import Store, StoreError
from dagster_project.lib.base.templates import environment
from dagster_project.lib.publish.report import words
from dagster_project.lib.publish.report.stacking import stacked

CSV, PAGE = "network_results.csv", "network_results.html"
VALUE, SLOPE = "latest value", "change per year"
KEY = ["indicator_id", "population_group_id"]
NETWORK = ["n_communities", "quartile_1", "median", "quartile_3"]
COLUMNS = [*KEY, "measure", "school_year", "own", "own_status", *NETWORK, "said"]
SAID = {"told": "", "too_few": "too few", "measured_differently": "measured differently"}
"""Whether something is said of the others, and what the page says where nothing is."""
EVERY_VALUE = ["community_id", *KEY, "school_year", "value"]
_HERE = Path(__file__).parent


@dataclass(frozen=True)
class Cycle:
    """Of what results are returned: the release, the public edition made of it, its reporting year, who may be told.

    least: with fewer communities behind them no median and no quartile is said (`min_communities` of the profile).
    """

    release_id: str
    public_id: str
    reporting_year: int
    least: int


def results_of(own: Mapping[str, pl.DataFrame], public: Mapping[str, pl.DataFrame], cycle: Cycle) -> pl.DataFrame:
    """community_id and COLUMNS: the latest value and the change per year of each of a community's own indicators.

    own: fct_indicator_value, fct_trend and dim_indicator of the internal release. public: fct_indicator_value and
    fct_network_trend of the public edition. Values are put beside others' only where the definition is national
    (`poolable`), of the same school year; changes per year everywhere. NETWORK is null below `cycle.least` communities.
    """
    mine = own["fct_indicator_value"].filter(_of_community())
    latest = pl.col("school_year") == pl.col("school_year").max().over("community_id", *KEY)
    mine = mine.filter(latest).sort("community_id", *KEY, "series")
    mine = mine.unique(["community_id", *KEY], keep="last", maintain_order=True).select(
        *EVERY_VALUE[:-1], pl.lit(VALUE).alias("measure"), pl.col("value").alias("own"), own_status="value_status"
    )
    trends = own["fct_trend"].filter(
        (pl.col("geography_id") == pl.col("community_id")) & (pl.col("reporting_year") == cycle.reporting_year)
    )
    slopes = trends.select(
        "community_id", *KEY, pl.col("last_year").alias("school_year"), pl.lit(SLOPE).alias("measure"),
        pl.col("slope").alias("own"), own_status="trend_status",
    )  # fmt: skip
    beside_values = mine.join(_values(own["dim_indicator"], public), on=[*KEY, "school_year"], how="left")
    beside_slopes = slopes.join(_slopes(public, cycle.reporting_year), on=KEY, how="left")
    rows = pl.concat([beside_values, beside_slopes], how="diagonal_relaxed")
    told = pl.col("n_communities") >= cycle.least
    rows = rows.with_columns(pl.when(told.fill_null(False)).then(pl.col(name)).alias(name) for name in NETWORK)
    local = (pl.col("measure") == VALUE) & ~pl.col("indicator_id").is_in(_national(own["dim_indicator"]))
    said = pl.when(local).then(pl.lit("measured_differently")).when(pl.col("n_communities").is_null())
    rows = rows.with_columns(said=said.then(pl.lit("too_few")).otherwise(pl.lit("told")))
    return rows.select("community_id", *COLUMNS).sort("community_id", *KEY, "measure", descending=[False] * 3 + [True])


def _of_community() -> pl.Expr:
    annual = (pl.col("period") == "annual") & (pl.col("geography_id") == pl.col("community_id"))
    return annual & pl.col("value").is_not_null()


def _quartiles(value: str) -> list[pl.Expr]:
    of = pl.col(value)
    return [
        of.quantile(0.25, interpolation="linear").alias("quartile_1"),
        of.median().alias("median"),
        of.quantile(0.75, interpolation="linear").alias("quartile_3"),
    ]


def _values(indicators: pl.DataFrame, public: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """Public values of all communities by KEY and school year, of indicators whose definition is national."""
    national = pl.col("indicator_id").is_in(_national(indicators))
    values = public["fct_indicator_value"].filter(_of_community() & national)
    one = values.sort(*EVERY_VALUE[:-1], "series").unique(EVERY_VALUE[:-1], keep="last", maintain_order=True)
    return one.group_by(*KEY, "school_year").agg(pl.len().alias("n_communities"), *_quartiles("value"))


def _national(indicators: pl.DataFrame) -> list[str]:
    return indicators.filter(pl.col("poolable").cast(pl.Boolean))["indicator_id"].to_list()


def _slopes(public: Mapping[str, pl.DataFrame], reporting_year: int) -> pl.DataFrame:
    """Public median and quartiles of determined slopes by KEY."""
    determined = pl.sum_horizontal("n_improving", "n_maintained", "n_declining")
    rows = public["fct_network_trend"].filter(pl.col("reporting_year") == reporting_year)
    return rows.select(
        *KEY, determined.alias("n_communities"), quartile_1="slope_q1", median="slope_median", quartile_3="slope_q3"
    )


def packages(outbox: Store, community_id: str) -> list[str]:
    """Keys of the packages that lie in a community's folders, of every reporting year."""
    return [info.key for info in outbox.objects(community_id) if info.key.rsplit("/", 1)[-1] in (CSV, PAGE)]


def returned_with(outbox: Store, communities: Sequence[str], named: str) -> list[str]:
    """Of these communities those whose outbox holds a package that names this release or public edition."""
    return [one for one in communities if any(_names(outbox, key, named) for key in packages(outbox, one))]


def _names(outbox: Store, key: str, named: str) -> bool:
    return key.endswith(f"/{PAGE}") and named in outbox.get(key).decode()


def write_results(
    outbox: Store,
    results: pl.DataFrame,
    communities: pl.DataFrame,
    names: Mapping[str, Mapping[str, str]],
    cycle: Cycle,
    falling: Sequence[str] = (),
) -> dict[str, str]:
    """Write each community's package into its folder of the reporting year; refused communities, and why.

    results: of `results_of`. communities: community_id, name. names: what indicators and groups are called, by table.
    falling: indicators of which lower is better.
    """
    refused = {}
    for community_id, name in communities.select("community_id", "name").sort("community_id").iter_rows():
        own = results.filter(pl.col("community_id") == community_id).drop("community_id")
        if own.is_empty():
            continue
        folder = f"{community_id}/{cycle.reporting_year}"
        try:
            outbox.put(f"{folder}/{CSV}", own.write_csv(float_precision=4).encode())
            outbox.put(f"{folder}/{PAGE}", _page(own, name, names, cycle, falling).encode())
        except StoreError as error:
            refused[community_id] = str(error)
    return refused


def _page(
    own: pl.DataFrame, name: str, names: Mapping[str, Mapping[str, str]], cycle: Cycle, falling: Sequence[str]
) -> str:
    rows = [
        {
            **row,
            "indicator": names["indicator_id"].get(row["indicator_id"], row["indicator_id"]),
            "falling": row["indicator_id"] in falling,
            "group": names["population_group_id"].get(row["population_group_id"], row["population_group_id"]),
            "beside": row["n_communities"] if row["said"] == "told" else SAID[row["said"]],
            "own_shown": _shown(row["own"], row["measure"]) or words.status_words(row["own_status"]),
            "shown": [_shown(row[column], row["measure"]) for column in NETWORK[1:]],
        }
        for row in own.iter_rows(named=True)
    ]
    return stacked(_template().render(community=name, notice=f"For {name} only", cycle=cycle, rows=rows))


def _shown(value: float | None, measure: str) -> str:
    if value is None:
        return ""
    return words.signed(value) if measure == SLOPE else f"{value:.1f}"


@cache
def _template() -> Template:
    pages = environment(_HERE / "templates", _HERE.parent / "report" / "templates")
    return pages.get_template("results.html")


def public_frames(public: Store, public_id: str, tables: Sequence[str]) -> dict[str, pl.DataFrame]:
    """Tables of a public edition, from its own Parquet files."""
    return {name: pl.read_parquet(public.get(f"releases/{public_id}/parquet/{name}.parquet")) for name in tables}
