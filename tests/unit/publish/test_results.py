"""Results that go back to members: own figures beside medians and quartiles of public ones.

Belongs here: tests of publish/public/results.py.
Does not: who may be told (disclosure), or the command that returns them (tests/integration/test_retention.py).
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from dagster_project.lib.base.store import Store
from dagster_project.lib.publish.public.results import (
    CSV,
    PAGE,
    SLOPE,
    VALUE,
    Cycle,
    packages,
    results_of,
    returned_with,
    write_results,
)

INDICATORS = pl.DataFrame({"indicator_id": ["national", "local"], "poolable": [True, False]})
RATES = [52.0, 61.5, 70.25, 48.0, 90.0]
CELL = {"population_group_id": "all", "school_year": 2023, "series": "default", "period": "annual"}


def values(rates: list[float], indicator: str = "national") -> list[dict[str, Any]]:
    return [
        {**CELL, "community_id": f"c{n}", "geography_id": f"c{n}", "indicator_id": indicator, "value": rate}
        | {"value_status": "reported"}
        for n, rate in enumerate(rates)
    ]


def network_trend(counts: tuple[int, int, int]) -> pl.DataFrame:
    names = ("n_improving", "n_maintained", "n_declining")
    row = {"indicator_id": "local", "population_group_id": "all", "reporting_year": 2023}
    told = {"slope_q1": 0.5, "slope_median": 1.0, "slope_q3": 1.5}
    return pl.DataFrame([row | told | dict(zip(names, counts, strict=True))])


def returned(least: int, public: list[dict[str, Any]], counts: tuple[int, int, int] = (3, 1, 1)) -> pl.DataFrame:
    own = {
        "fct_indicator_value": pl.DataFrame(values(RATES) + values([12.0], "local")),
        "fct_trend": pl.DataFrame(
            [
                {"community_id": "c0", "geography_id": "c0", "indicator_id": "local", "population_group_id": "all"}
                | {"reporting_year": 2023, "last_year": 2023, "slope": 0.7, "trend_status": "improving"}
            ]
        ),
        "dim_indicator": INDICATORS,
    }
    shown = {"fct_indicator_value": pl.DataFrame(public), "fct_network_trend": network_trend(counts)}
    return results_of(own, shown, Cycle("r", "p", 2023, least))


def one(rows: pl.DataFrame, indicator: str, measure: str) -> dict[str, Any]:
    return rows.row(
        by_predicate=(pl.col("community_id") == "c0")
        & (pl.col("indicator_id") == indicator)
        & (pl.col("measure") == measure),
        named=True,
    )


def test_own_values_stand_beside_median_and_quartiles_of_public_ones_alone() -> None:
    public = values(RATES[1:])
    row = one(returned(4, public), "national", VALUE)
    expected = np.quantile(RATES[1:], [0.25, 0.5, 0.75])
    assert (row["own"], row["n_communities"]) == (52.0, 4)
    assert (row["quartile_1"], row["median"], row["quartile_3"]) == pytest.approx(expected)


def test_with_fewer_communities_than_the_profile_asks_for_nothing_is_said_of_others() -> None:
    row = one(returned(5, values(RATES[1:])), "national", VALUE)
    assert (row["own"], row["n_communities"], row["median"], row["quartile_1"], row["quartile_3"]) == (
        52.0,
        *[None] * 4,
    )
    slope = one(returned(6, values(RATES)), "local", SLOPE)
    assert (slope["own"], slope["median"]) == (0.7, None)


def test_values_that_are_measured_differently_are_never_put_beside_each_other_and_changes_are() -> None:
    rows = returned(5, values(RATES) + values(RATES, "local"))
    assert (one(rows, "local", VALUE)["median"], one(rows, "local", VALUE)["said"]) == (None, "measured_differently")
    slope = one(rows, "local", SLOPE)
    assert (slope["own"], slope["n_communities"], slope["median"]) == (0.7, 5, 1.0)


def test_each_community_gets_its_own_rows_alone(tmp_path: Path) -> None:
    outbox, cycle = Store(str(tmp_path)), Cycle("r", "p", 2023, 4)
    communities = pl.DataFrame({"community_id": ["c0", "c1", "quiet"], "name": ["First <b>", "Second", "Quiet"]})
    names = {"indicator_id": {"national": "National rate"}, "population_group_id": {"all": "All"}}
    assert write_results(outbox, returned(4, values(RATES)), communities, names, cycle) == {}
    assert packages(outbox, "c0") == [f"c0/2023/{CSV}", f"c0/2023/{PAGE}"] and packages(outbox, "quiet") == []
    page = outbox.get(f"c1/2023/{PAGE}").decode()
    assert "National rate" in page and '<td class="num">61.5</td>' in page
    own = pl.read_csv(outbox.get(f"c1/2023/{CSV}"))
    assert own.select("indicator_id", "own", "said").rows() == [("national", 61.5, "told")]
    # All text stands in a landmark, and a cell knows its column on a phone.
    assert re.search(r"<aside[^>]*><p class=\"notice\"", page) and '<table class="stack" style="--h2:' in page
    assert "First &lt;b&gt;" in outbox.get(f"c0/2023/{PAGE}").decode()


def test_who_holds_results_of_what_is_withdrawn_is_known(tmp_path: Path) -> None:
    outbox, communities = (
        Store(str(tmp_path)),
        pl.DataFrame({"community_id": ["c0", "c1"], "name": ["First", "Second"]}),
    )
    names: dict[str, dict[str, str]] = {"indicator_id": {}, "population_group_id": {}}
    rows = returned(4, values(RATES))
    before, after = (Cycle(f"2023-12-{n}-internal", f"2023-12-{n}-public", 2023, 4) for n in (10, 20))
    write_results(outbox, rows, communities, names, before)
    write_results(outbox, rows, communities.head(1), names, after)
    asked = (before.release_id, before.public_id, after.release_id, "2023-12-30-other")
    held = [returned_with(outbox, ["c0", "c1", "quiet"], one) for one in asked]
    assert held == [["c1"], ["c1"], ["c0"], []]


def test_the_page_of_results_says_where_lower_is_better(tmp_path: Path) -> None:
    outbox, names = Store(str(tmp_path)), {"indicator_id": {"local": "Absent"}, "population_group_id": {"all": "All"}}
    communities = pl.DataFrame({"community_id": ["c0"], "name": ["First"]})
    write_results(outbox, returned(4, values(RATES)), communities, names, Cycle("r", "p", 2023, 4), ["local"])
    page = outbox.get(f"c0/2023/{PAGE}").decode()
    assert 'Absent <span class="small">(lower is better)</span></th>' in page and page.count(
        "lower is better"
    ) == page.count("Absent")


def test_a_change_per_year_that_cannot_be_determined_is_told_as_such_and_is_no_empty_cell(tmp_path: Path) -> None:
    outbox, names = Store(str(tmp_path)), {"indicator_id": {"local": "Absent"}, "population_group_id": {"all": "All"}}
    communities = pl.DataFrame({"community_id": ["c0"], "name": ["First"]})
    own = pl.col("own").is_null() | (pl.col("measure") == SLOPE)
    rows = returned(4, values(RATES)).with_columns(
        own=pl.when(own).then(None).otherwise("own"),
        own_status=pl.when(own).then(pl.lit("undetermined")).otherwise("own_status"),
    )
    write_results(outbox, rows, communities, names, Cycle("r", "p", 2023, 4))
    (line,) = re.findall(rf"<tr>.*{SLOPE}.*</tr>", outbox.get(f"c0/2023/{PAGE}").decode())
    assert re.findall(r'<td class="num"[^>]*>([^<]*)</td>', line)[:2] == ["Cannot be determined", "5"]


def test_the_page_of_results_is_laid_out_and_shows_no_word_of_its_style(tmp_path: Path) -> None:
    outbox = Store(str(tmp_path))
    communities = pl.DataFrame({"community_id": ["c0"], "name": ["First"]})
    names: dict[str, dict[str, str]] = {"indicator_id": {}, "population_group_id": {}}
    write_results(outbox, returned(4, values(RATES)), communities, names, Cycle("r", "p", 2023, 4))
    page = outbox.get(f"c0/2023/{PAGE}").decode()
    style = re.search(r"<style>(.*?)</style>", page, re.DOTALL)
    assert style and ".page {" in style[1] and "{" not in page.replace(style[0], "")
