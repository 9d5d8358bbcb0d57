"""What the literal rules say of a network in which nothing changes (the methods page's false-positive rates).

Belongs here: seeded simulation of unchanged series, judged by the very functions that judge real ones.
Does not: any statement about a real community; no result here decides anything.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from dagster_project.lib.analysis.figures import regression, windows
from dagster_project.lib.analysis.figures.gap import ELIMINATED, NARROWED, NO_GAP_AT_BASELINE, REVERSED, classify_gaps
from dagster_project.lib.analysis.figures.regression import Bools, Floats, Ints
from dagster_project.lib.analysis.figures.trend import IMPROVING, MAINTAINED, NO_STATUS, Traits, trend_status
from dagster_project.lib.analysis.tables import FCT_FALSE_POSITIVE
from dagster_project.lib.analysis.tables.spans import at_year
from dagster_project.lib.analysis.vocabulary import PERCENT
from dagster_project.lib.base.ruleset import Ruleset

STYLISED, OWN_NETWORK = "stylised", "own_network"
_CELL = ["community_id", "indicator_id", "population_group_id", "geography_id", "reporting_year"]


@dataclass(frozen=True)
class Rate:
    """A share of trials with its simulation error."""

    measure: str
    hits: int
    trials: int


def false_positive_rates(
    spans: pl.DataFrame, indicators: pl.DataFrame, ruleset: Ruleset, reporting_year: int
) -> pl.DataFrame:
    """fct_false_positive: both bases below one another.

    `stylised`: seven unrelated outcomes of invented communities, each an unchanged rate with independent yearly noise.
    `own_network`: the network's own determined trends of totals at `reporting_year`, each with its years and sizes,
    drawn again as binomial counts around an unchanged rate. Deterministic: the seed is a parameter of the ruleset.
    """
    rates = [(STYLISED, rate) for rate in stylised_rates(ruleset)]
    rates += [(OWN_NETWORK, rate) for rate in own_network_rates(spans, indicators, ruleset, reporting_year)]
    rows = [
        {
            "basis": basis,
            "measure": rate.measure,
            "rate": rate.hits / rate.trials,
            "simulation_stderr": float(np.sqrt(rate.hits * (rate.trials - rate.hits) / rate.trials**3)),
            "n_trials": rate.trials,
            "seed": ruleset.simulation.seed,
            "ruleset_version": ruleset.ruleset_version,
        }
        for basis, rate in rates
    ]
    return FCT_FALSE_POSITIVE.conform(pl.DataFrame(rows)) if rows else FCT_FALSE_POSITIVE.empty()


def stylised_rates(ruleset: Ruleset) -> list[Rate]:
    """False-positive rates of invented communities with seven unchanged outcomes each.

    Noise is normal with the ruleset's standard deviation; every outcome has one reference and `burdened_groups` groups
    at a constant gap; an outcome's gaps are reduced by the majority rule of RULES 5.
    """
    given, rng = ruleset.simulation, np.random.default_rng(ruleset.simulation.seed)
    columns = given.draws * given.outcomes
    shape = (given.n_years, columns)
    x = windows.window_positions(given.n_years)
    present = np.ones(shape, dtype=np.bool_)
    reference = given.level + given.noise_sd * rng.standard_normal(shape)
    status = _statuses(x, reference, present, _percent(columns), ruleset).reshape(given.draws, given.outcomes)
    reduced, counted = np.zeros(columns, dtype=np.int64), np.zeros(columns, dtype=np.int64)
    one_group_reduced = 0
    for _ in range(given.burdened_groups):
        group = given.level - given.gap + given.noise_sd * rng.standard_normal(shape)
        classes = classify_gaps(x, group, reference, present, np.ones(columns), ruleset).status
        hit = np.isin(classes, (NARROWED, ELIMINATED))
        reduced += hit
        counted += ~np.isin(classes, (NO_GAP_AT_BASELINE, REVERSED))
        one_group_reduced += int(hit.sum())
    met = (reduced > ruleset.gap.majority_share * counted + ruleset.epsilon).reshape(given.draws, given.outcomes)
    improving = (status == IMPROVING).sum(axis=1)
    kept = np.isin(status, (IMPROVING, MAINTAINED)).sum(axis=1)
    gaps = met.sum(axis=1)
    return [
        _rate("outcome_improving", status.ravel() == IMPROVING),
        _rate("outcome_improving_or_maintained", np.isin(status.ravel(), (IMPROVING, MAINTAINED))),
        Rate("gap_reduced_one_group", one_group_reduced, columns * given.burdened_groups),
        _rate("outcome_gaps_reduced", met.ravel()),
        _rate("four_of_seven_improving", improving >= given.outcomes_min),
        _rate("four_of_seven_improving_or_maintained", kept >= given.outcomes_min),
        _rate("two_of_seven_gaps_reduced", gaps >= given.gaps_min),
        _rate("four_of_seven_gaps_reduced", gaps >= given.outcomes_min),
        _rate(
            "four_of_seven_improving_and_gaps_reduced",
            (improving >= given.outcomes_min) & (gaps >= given.outcomes_min),
        ),
    ]


def own_network_rates(
    spans: pl.DataFrame, indicators: pl.DataFrame, ruleset: Ruleset, reporting_year: int
) -> list[Rate]:
    """False-positive rates of the network's own windows, drawn again as if each rate had never changed.

    Takes every determined community-level trend of a total, in percent, whose points all have a denominator; its rate
    is the pooled one of its window. The draws of a series are binomial: sampling noise only, so real year-to-year
    swings (larger) are not in it. An empty network gives an empty list.
    """
    points = _own_points(spans, indicators, reporting_year)
    if points.is_empty():
        return []
    # As many draws of each series as bring their number near that of the stylised ones.
    rate, size, present, traits = _own_windows(points, indicators, ruleset)
    times = max(1, ruleset.simulation.draws * ruleset.simulation.outcomes // len(rate))
    rate, size, present = np.tile(rate, times), np.tile(size, times), np.tile(present, times)
    counts = np.random.default_rng(ruleset.simulation.seed).binomial(size, np.clip(rate, 0.0, 1.0))
    drawn = np.where(present, 100.0 * counts / np.maximum(size, 1), 0.0)
    traits = Traits(np.tile(traits.direction, times), np.tile(traits.percent, times))
    x = windows.window_positions(ruleset.trend.max_years)
    status = _statuses(x, drawn, present, traits, ruleset)
    status = status[status != NO_STATUS]
    if not len(status):
        return []
    return [
        _rate("trend_improving", status == IMPROVING),
        _rate("trend_improving_or_maintained", np.isin(status, (IMPROVING, MAINTAINED))),
    ]


def _own_points(spans: pl.DataFrame, indicators: pl.DataFrame, reporting_year: int) -> pl.DataFrame:
    percent = indicators.filter(pl.col("unit") == PERCENT)
    points = (
        at_year(spans, reporting_year)
        .filter(
            pl.col("used")
            & (pl.col("geography_id") == pl.col("community_id"))
            & (pl.col("population_group_id") == "all")
        )
        .join(percent, on="indicator_id", how="semi")
    )
    return points.filter((pl.col("denominator") > 0).fill_null(False).all().over(_CELL)).sort(*_CELL, "school_year")


def _own_windows(
    points: pl.DataFrame, indicators: pl.DataFrame, ruleset: Ruleset
) -> tuple[Floats, Ints, Bools, Traits]:
    """Pooled rate (a share) and traits of each series, sizes and presence of its points as (W, K) matrices."""
    cells = points.select(_CELL).unique(maintain_order=True).with_row_index("column")
    cells = cells.join(indicators.select("indicator_id", "direction"), on="indicator_id", how="left")
    rows = points.join(cells, on=_CELL, how="left", maintain_order="left").with_columns(
        (pl.col("school_year") - pl.col("school_year").max().over(_CELL)).alias("x")
    )
    row = rows["x"].cast(pl.Int64).to_numpy() + ruleset.trend.max_years - 1
    column = rows["column"].cast(pl.Int64).to_numpy()
    shape = (ruleset.trend.max_years, cells.height)
    hits, size, present = np.zeros(shape), np.zeros(shape, dtype=np.int64), np.zeros(shape, dtype=np.bool_)
    size[row, column], present[row, column] = rows["denominator"].to_numpy(), True
    hits[row, column] = rows["value"].to_numpy() * size[row, column] / 100.0
    direction = cells.sort("column")["direction"].cast(pl.Float64).to_numpy()
    traits = Traits(direction, np.ones(cells.height, dtype=np.bool_))
    return hits.sum(axis=0) / size.sum(axis=0), size, present, traits


def _statuses(x: Floats, y: Floats, present: Bools, traits: Traits, ruleset: Ruleset) -> npt.NDArray[np.int8]:
    lines = regression.fit_lines(x, y, present, ruleset.epsilon)
    return trend_status(traits.direction * lines.slope, lines.mean_y, traits, ruleset)


def _percent(columns: int) -> Traits:
    return Traits(np.ones(columns), np.ones(columns, dtype=np.bool_))


def _rate(measure: str, hits: Bools) -> Rate:
    return Rate(measure, int(hits.sum()), len(hits))
