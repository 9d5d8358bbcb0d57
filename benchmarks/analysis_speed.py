"""Speed and memory of the trends, against a loop of scikit-learn fits and DuckDB's own regression.

Belongs here: the measurement of issue "analysis": 60,000 series x 12 reporting years, and the cost curve.
Does not: correctness (tests/unit/analysis), or the whole chain (another benchmark).

Run: python benchmarks/analysis_speed.py [--series N]
"""

from __future__ import annotations

import argparse
import resource
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

import duckdb
import numpy as np
import polars as pl
from sklearn.linear_model import LinearRegression

from benchmarks._ratios import tell
from dagster_project.lib.analysis.figures import regression, windows
from dagster_project.lib.analysis.figures.known import expand_known
from dagster_project.lib.analysis.figures.regression import Bools, Floats, Ints
from dagster_project.lib.analysis.figures.second import check_trends
from dagster_project.lib.analysis.figures.trend import Traits, estimate, trend_status, trends_of
from dagster_project.lib.analysis.tables import FCT_TREND_POINT
from dagster_project.lib.analysis.tables.spans import each_year
from dagster_project.lib.base.ruleset import Ruleset, load_ruleset

SEEDS = Path(__file__).resolve().parents[1] / "seeds"
FIRST_YEAR, N_YEARS = 2013, 12
SAMPLE = 0.01
INDICATORS = pl.DataFrame(
    {"indicator_id": [f"i{n}" for n in range(8)], "outcome_id": "o", "unit": "percent", "direction": [1] * 7 + [-1]}
)
Result = TypeVar("Result")


def best_of(times: int, work: Callable[[], Result]) -> tuple[float, Result]:
    """Least seconds of processors of some runs, all threads of this process included, and the last result."""
    spent = []
    for _ in range(times):
        start = time.process_time()
        result = work()
        spent.append(time.process_time() - start)
    return min(spent), result


def peak_megabytes() -> float:
    """Highest resident memory of this process so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def known_values(n_series: int, seed: int = 1) -> pl.DataFrame:
    """One value a series and year, submitted in that year, a tenth of them missing; counts of 5 to 300."""
    rng = np.random.default_rng(seed)
    series = np.repeat(np.arange(n_series), N_YEARS)
    year = np.tile(np.arange(FIRST_YEAR, FIRST_YEAR + N_YEARS), n_series)
    denominator = rng.integers(5, 300, len(series))
    numerator = rng.binomial(denominator, 0.5)
    frame = pl.DataFrame({"s": series, "school_year": year, "numerator": numerator, "denominator": denominator})
    text = pl.col("s")
    return frame.filter(pl.Series(rng.random(len(series)) < 0.9)).select(
        pl.format("c{}", text // 800).alias("community_id"),
        pl.format("i{}", text % 8).alias("indicator_id"),
        pl.format("race_ethnicity:g{}", text // 8 % 100).alias("population_group_id"),
        pl.format("c{}", text // 800).alias("geography_id"),
        pl.lit("default").alias("series"),
        pl.col("school_year").cast(pl.Int32),
        (100 * pl.col("numerator") / pl.col("denominator")).alias("value"),
        pl.lit(None, pl.Float64).alias("value_low"),
        pl.lit(None, pl.Float64).alias("value_high"),
        "numerator",
        "denominator",
        pl.lit("derived").alias("value_status"),
        pl.lit("0123456789abcdef").alias("submission_id"),
        pl.lit("values.csv").alias("source_file"),
        pl.lit(None, pl.String).alias("source_sheet"),
        pl.int_range(pl.len(), dtype=pl.Int32).alias("source_row"),
        pl.col("school_year").cast(pl.Int32).alias("known_from"),
        pl.lit(9999, pl.Int32).alias("known_to"),
    )


@dataclass(frozen=True, eq=False)
class Points:
    """Points of the windows that make a trend, as plain columns: what every contestant starts from."""

    cell: Ints
    year: Ints
    value: Floats
    size: Floats
    last_year: Ints
    n_cells: int


def used_points(trend: pl.DataFrame, spans: pl.DataFrame) -> Points:
    """The used points of every reporting year, cells numbered."""
    cells = trend.filter(pl.col("slope").is_not_null())
    used = FCT_TREND_POINT.conform(each_year(spans.filter("used")))
    counts = cells["n_years"].cast(pl.Int64).to_numpy()
    return Points(
        np.repeat(np.arange(cells.height), counts),
        used["school_year"].cast(pl.Int64).to_numpy(),
        used["value"].to_numpy(),
        used["denominator"].cast(pl.Float64).to_numpy(),
        cells["last_year"].cast(pl.Int64).to_numpy(),
        cells.height,
    )


def matrices(points: Points, width: int) -> tuple[Floats, Floats, Bools]:
    """Values, sizes, presence, (width, cells)."""
    row = points.year - points.last_year[points.cell] + width - 1
    shape = (width, points.n_cells)
    y, size, present = np.zeros(shape), np.zeros(shape), np.zeros(shape, dtype=np.bool_)
    y[row, points.cell], size[row, points.cell], present[row, points.cell] = points.value, points.size, True
    return y, size, present


def traits(columns: int) -> Traits:
    """Percentages of which more is better."""
    return Traits(np.ones(columns), np.ones(columns, dtype=np.bool_))


def core_estimates(points: Points, ruleset: Ruleset) -> Floats:
    """Slope, error, interval and status from the points."""
    width = ruleset.trend.max_years
    y, _, present = matrices(points, width)
    x, slopes = windows.window_positions(width), np.empty(points.n_cells)
    for block in regression.column_blocks(points.n_cells):
        lines = regression.fit_lines(x, y[:, block], present[:, block], ruleset.epsilon)
        regression.t_half_width(lines.slope_stderr, lines.n, ruleset.trend.confidence)
        trend_status(lines.slope, lines.mean_y, traits(len(lines.slope)), ruleset)
        slopes[block] = lines.slope
    return slopes


def all_estimates(points: Points, ruleset: Ruleset) -> Floats:
    """Every column of fct_trend from the points: with weights, binomial bounds, Theil-Sen and leave-one-out."""
    width = ruleset.trend.max_years
    y, size, present = matrices(points, width)
    x = windows.window_positions(width)
    return estimate(x, y, size, present, traits(points.n_cells), ruleset).slope


def sklearn_loop(points: Points) -> tuple[float, Floats, Ints]:
    """Seconds for all cells by one LinearRegression each, measured on a sample; the sample's slopes and cells."""
    starts = np.searchsorted(points.cell, np.arange(points.n_cells + 1))
    sample = np.arange(0, points.n_cells, int(1 / SAMPLE))

    def fit() -> Floats:
        slopes = np.empty(len(sample))
        for index, cell in enumerate(sample):
            part = slice(starts[cell], starts[cell + 1])
            slopes[index] = LinearRegression().fit(points.year[part, None], points.value[part]).coef_[0]
        return slopes

    seconds, slopes = best_of(1, fit)
    return seconds * points.n_cells / len(sample), slopes, sample


def duckdb_regression(points: Points) -> tuple[float, Floats]:
    """Seconds of DuckDB's own regression functions over the same points in its own memory, with a status."""
    connection = duckdb.connect()
    frame = pl.DataFrame({"cell": points.cell, "year": points.year, "value": points.value})
    connection.register("frame", frame.to_arrow())
    connection.execute("create table points as select * from frame")
    query = """
        select cell, slope, intercept, r2, n, stderr,
               case when slope > 1e-9 then 'improving' when slope >= -0.5 - 1e-9 then 'maintained' else 'declining' end
        from (
            select cell, regr_slope(value, year) as slope, regr_intercept(value, year) as intercept,
                   regr_r2(value, year) as r2, count(*) as n,
                   sqrt(greatest(regr_syy(value, year) - regr_sxy(value, year) ** 2 / regr_sxx(value, year), 0)
                        / (count(*) - 2) / regr_sxx(value, year)) as stderr
            from points group by cell
        )
    """
    seconds, table = best_of(3, lambda: connection.execute(query).to_arrow_table())
    connection.close()
    answer = pl.DataFrame(pl.from_arrow(table)).sort("cell")
    return seconds, answer["slope"].to_numpy()


def trends(known: pl.DataFrame, ruleset: Ruleset) -> tuple[pl.DataFrame, pl.DataFrame]:
    """fct_trend and trend_point_span from int_values__known."""
    first = known.select(pl.col("community_id").unique()).with_columns(first_reporting_year=pl.lit(FIRST_YEAR))
    points = expand_known(known, first, FIRST_YEAR + N_YEARS - 1, ruleset.trend)
    return trends_of(points, INDICATORS, ruleset)


def print_table(rows: list[tuple[str, ...]]) -> None:
    """Left-aligned first column, the others to the right."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for row in rows:
        print(
            "  ".join([row[0].ljust(widths[0]), *(text.rjust(w) for text, w in zip(row[1:], widths[1:], strict=True))])
        )


def compare(n_series: int, ruleset: Ruleset) -> None:
    """The contestants over the same points."""
    known = known_values(n_series)
    whole, (trend, spans) = best_of(1, lambda: trends(known, ruleset))
    memory = peak_megabytes()
    points = used_points(trend, spans)
    core, slopes = best_of(3, lambda: core_estimates(points, ruleset))
    every, _ = best_of(3, lambda: all_estimates(points, ruleset))
    second, check = best_of(1, lambda: check_trends(trend, spans, ruleset.epsilon))
    loop, sampled, sample = sklearn_loop(points)
    duck, duck_slopes = duckdb_regression(points)
    difference = max(np.abs(slopes[sample] - sampled).max(), np.abs(slopes - duck_slopes).max())
    rows: list[tuple[str, ...]] = [("", "s of processors", "loop is slower by", "of DuckDB's time")]
    for name, seconds in (
        ("slope, error, interval, status", core),
        ("every estimate of fct_trend", every),
        ("second computation (scikit-learn by year pattern)", second),
        ("every estimate and the second computation", every + second),
        ("both fact tables from the warehouse's values", whole),
        ("DuckDB regr_slope, error, status", duck),
        (f"loop of LinearRegression.fit ({SAMPLE:.0%} sample, scaled)", loop),
    ):
        rows.append((name, f"{seconds:.3f}", f"{loop / seconds:.0f} x", f"{seconds / duck:.1f} x"))
        if seconds != duck:
            tell(f"{n_series:,} series, {name}", seconds, "DuckDB regr_slope, error, status", duck)
    print(f"{n_series:,} series x {N_YEARS} reporting years: {trend.height:,} trends, {points.n_cells:,} determined, ")
    looked_at = f"{each_year(spans).height:,} looked at, in {spans.height:,} spans"
    print(f"{len(points.cell):,} points used of {looked_at}; peak memory {memory:,.0f} MB")
    print_table(rows)
    print(f"largest difference between the contestants' slopes: {difference:.1e}; second computation: ", end="")
    print(f"{check.n_compared:,} figures, largest difference {check.max_difference:.1e}")


def cost_curve(largest: int, ruleset: Ruleset) -> None:
    """Both fact tables and the estimates at 1x, 10x and 100x series."""
    rows: list[tuple[str, ...]] = [("series", "tables, CPU s", "per series, us", "estimates, CPU s", "per series, us")]
    for n_series in (max(largest // 100, 1), max(largest // 10, 1), largest):
        known = known_values(n_series)
        whole, (trend, spans) = best_of(1, partial(trends, known, ruleset))
        points = used_points(trend, spans)
        every, _ = best_of(3, partial(all_estimates, points, ruleset))
        each = [f"{1e6 * seconds / n_series:.1f}" for seconds in (whole, every)]
        rows.append((f"{n_series:,}", f"{whole:.3f}", each[0], f"{every:.3f}", each[1]))
    print_table(rows)


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--series", type=int, default=60_000)
    n_series = parser.parse_args().series
    parameters = pl.read_csv(SEEDS / "rulesets/ruleset_parameters.csv", infer_schema=False)
    ruleset = load_ruleset(parameters, "toa-default", "1.1.0")
    cost_curve(n_series, ruleset)
    print()
    compare(n_series, ruleset)


if __name__ == "__main__":
    main()
