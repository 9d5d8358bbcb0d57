"""The second computation of every slope, with scikit-learn, from the published points alone.

Belongs here: refitting trends and gaps by identical year pattern, and what differs from the fact tables.
Does not: any code of the first computation (regression.py, windows.py), or deciding what a difference means for a run.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from dagster_project.lib.analysis.tables import with_shared_codes
from dagster_project.lib.analysis.tables.spans import FIRST, LAST, each_year

_TEXTS = ["community_id", "indicator_id", "population_group_id", "geography_id"]
_CELL = [*_TEXTS, "reporting_year"]
# Years of a window fit the bits of an integer.
_LONGEST = 62
# Why an exact value is no valid point (RULES 3).
_INVALID = ("interval", "small_n", "low_coverage", "after_reporting_year")


@dataclass(frozen=True, eq=False)
class SecondComputation:
    """How many figures were computed again, the largest absolute difference, and the rows that differ by more than
    the tolerance (or exist in one computation only): key columns, figure, first, second."""

    n_compared: int
    max_difference: float
    differences: pl.DataFrame

    @property
    def agrees(self) -> bool:
        """Whether every figure agrees."""
        return self.differences.is_empty()


def check_trends(trend: pl.DataFrame, spans: pl.DataFrame, tolerance: float) -> SecondComputation:
    """Recompute slope and intercept of every row of fct_trend from the used points of trend_point_span."""
    used = each_year(spans.filter("used").select(*_TEXTS, FIRST, LAST, "school_year", pl.col("value").alias("y")))
    last = pl.col("school_year").max().over(_CELL)
    fitted = _fit_by_pattern(used.with_columns((pl.col("school_year") - last).alias("x")), ["y"])
    second = fitted.rename({"y_slope": "slope", "y_intercept": "intercept"})
    return _compare(trend, second, {"slope": "slope", "intercept": "intercept"}, tolerance)


def check_gaps(gap: pl.DataFrame, spans: pl.DataFrame, indicators: pl.DataFrame, tolerance: float) -> SecondComputation:
    """Recompute both slopes of every determined row of fct_gap from the points of the two groups.

    indicators: indicator_id, direction.
    """
    direction = indicators.select("indicator_id", pl.col("direction").cast(pl.Float64))
    determined = gap.filter(pl.col("group_slope").is_not_null()).select(
        *_CELL, "reference_group_id", "series", "first_year", "last_year"
    )
    valid = spans.filter(
        pl.col("value").is_not_null() & ~pl.col("left_out_reason").fill_null("").is_in(_INVALID)
    ).select(*_TEXTS, FIRST, LAST, "series", "school_year", "value")
    # A reference is looked up among the groups, so both columns take their codes from one list.
    references = determined.select(pl.col("reference_group_id").alias("population_group_id"))
    determined, references, valid = with_shared_codes([determined, references, valid], [*_TEXTS, "series"])
    determined = determined.with_columns(references["population_group_id"].alias("reference_group_id"))
    valid = each_year(valid)
    years = determined.join(valid, on=[*_CELL, "series"], how="inner").filter(
        pl.col("school_year").is_between("first_year", "last_year")
    )
    reference = valid.rename({"population_group_id": "reference_group_id", "value": "reference"})
    on = [*(name for name in _CELL if name != "population_group_id"), "reference_group_id", "series", "school_year"]
    both = years.join(reference, on=on, how="inner").with_columns(pl.col(_TEXTS).cast(pl.String))
    both = both.join(direction, on="indicator_id", how="inner").select(
        *_CELL,
        (pl.col("school_year") - pl.col("last_year")).alias("x"),
        (pl.col("direction") * pl.col("value")).alias("group"),
        (pl.col("direction") * pl.col("reference")).alias("reference"),
    )
    second = _fit_by_pattern(both, ["group", "reference"]).with_columns(
        (pl.col("group_slope") - pl.col("reference_slope")).alias("slope_difference")
    )
    names = ("group_slope", "reference_slope", "slope_difference")
    return _compare(gap, second, {name: name for name in names}, tolerance)


def _fit_by_pattern(points: pl.DataFrame, figures: list[str]) -> pl.DataFrame:
    """One multi-output LinearRegression a year pattern: cells with the same years are targets of one fit.

    points: _CELL, x (years relative to the last, so that patterns repeat) and the figures. Result: _CELL, and slope
    and intercept of every figure.
    """
    import sklearn  # imported late: it costs a second, which only a run that computes need pay
    from sklearn.linear_model import LinearRegression

    # The fact tables come sorted by key; sorting again costs little then, and is needed if one day they do not.
    rows = points.sort(*_CELL, "x")
    starts_cell = pl.any_horizontal(pl.col(name) != pl.col(name).shift() for name in _CELL).fill_null(True)
    rows = rows.with_columns(starts_cell.alias("starts_cell"))
    cells = rows.filter("starts_cell").select(_CELL)
    cell = rows["starts_cell"].cast(pl.Int64).cum_sum().to_numpy() - 1
    x = rows["x"].cast(pl.Int64).to_numpy()
    slope, intercept = (np.full((cells.height, len(figures)), np.nan) for _ in range(2))
    values = rows.select(pl.col(figures).cast(pl.Float64)).to_numpy()
    with sklearn.config_context(assume_finite=True):
        for members, lines in _patterns(cell, x, cells.height):
            pattern = x[lines[0]].astype(np.float64)[:, None]
            # A single year has no line; scikit-learn would call its slope 0.
            if len(pattern) < 2:
                continue
            for index in range(len(figures)):
                model = LinearRegression().fit(pattern, values[:, index][lines].T)
                slope[members, index], intercept[members, index] = model.coef_[:, 0], model.intercept_
    return cells.with_columns(
        *(pl.Series(f"{name}_slope", slope[:, i]).fill_nan(None) for i, name in enumerate(figures)),
        *(pl.Series(f"{name}_intercept", intercept[:, i]).fill_nan(None) for i, name in enumerate(figures)),
    )


def _patterns(
    cell: npt.NDArray[np.int64], x: npt.NDArray[np.int64], n_cells: int
) -> Iterator[tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]]:
    """For each distinct pattern of x: the cells that have it, and their lines in the data, (cells, points)."""
    if not len(cell):
        return
    if x.min() <= -_LONGEST:
        raise ValueError(f"a window of more than {_LONGEST} years cannot be recomputed")
    counts = np.bincount(cell, minlength=n_cells)
    starts = np.cumsum(counts) - counts
    # A year pattern as an integer: bit k says that the cell has a point k years before its last.
    pattern = np.bitwise_or.reduceat(np.left_shift(1, -x), starts)
    order = np.argsort(pattern, kind="stable")
    for members in np.split(order, np.flatnonzero(np.diff(pattern[order])) + 1):
        yield members, starts[members][:, None] + np.arange(counts[members[0]])


def _compare(first: pl.DataFrame, second: pl.DataFrame, figures: dict[str, str], tolerance: float) -> SecondComputation:
    """Compare figures of the fact table with the second computation; a figure on one side only is a difference."""
    theirs = second.select(*_CELL, *(pl.col(name).alias(f"{name}_second") for name in figures.values()))
    joined = first.select(*_CELL, *figures).join(theirs, on=_CELL, how="full", coalesce=True)
    parts, compared, largest = [], 0, 0.0
    for name, other in figures.items():
        rows = joined.select(
            *_CELL,
            pl.lit(name).alias("figure"),
            pl.col(name).alias("first"),
            pl.col(f"{other}_second").alias("second"),
        ).filter(pl.col("first").is_not_null() | pl.col("second").is_not_null())
        distance = (rows["first"] - rows["second"]).abs()
        compared += rows.height
        top = distance.max()
        largest = max(largest, float(top) if isinstance(top, float) else 0.0)
        parts.append(rows.filter((distance > tolerance).fill_null(True)))
    differences = pl.concat(parts).sort(*_CELL, "figure")
    return SecondComputation(compared, largest, differences)
