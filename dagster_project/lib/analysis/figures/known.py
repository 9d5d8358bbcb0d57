"""What was known at each reporting year: the points that enter the analysis.

Belongs here: expanding versions of values to reporting years, sorting, classing each row (valid, masked, interval ...).
Does not: segments, windows or slopes; how a version came about (the warehouse's int_values__known).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from dagster_project.lib.analysis.figures.regression import Bools, Floats, Ints
from dagster_project.lib.base.ruleset import TrendRules

KEY = ("community_id", "indicator_id", "population_group_id", "geography_id")
KNOWN_COLUMNS = (
    *KEY,
    "series",
    "school_year",
    "value",
    "value_low",
    "value_high",
    "numerator",
    "denominator",
    "value_status",
    "submission_id",
    "source_file",
    "source_sheet",
    "source_row",
    "known_from",
    "known_to",
)
# What a row is, whatever the reporting year, in the order in which RULES 3 names the reasons.
VALID, MASKED, INTERVAL, SMALL_N, LOW_COVERAGE = range(5)
LOW_COVERAGE_STATUS = "low_coverage"
# Above every year (known_to = 9999 says "still"): a key and a year pack into one integer that sorts like the pair.
YEAR_BOUND = 10_000


@dataclass(frozen=True, eq=False)
class EffectivePoints:
    """Every row at every reporting year at which it was effective.

    `rows`: the known rows, sorted by key, series, school year, version; `kind`, `year`, `series`, `value`,
    `numerator`, `denominator` are its columns as arrays (NaN for null; `series` numbers `labels`, sorted).
    `keys`: one row a key, sorted. A cell is a key at a reporting year: `cell_key`, `cell_year`, sorted.
    `row` and `cell`: one entry a point, sorted by cell, series, school year; `cell_start`: a cell's first point.
    """

    rows: pl.DataFrame
    keys: pl.DataFrame
    labels: pl.Series
    kind: npt.NDArray[np.int8]
    year: Ints
    series: Ints
    value: Floats
    denominator: Floats
    row: Ints
    cell: Ints
    cell_key: Ints
    cell_year: Ints
    cell_start: Ints

    @property
    def n_cells(self) -> int:
        """Number of cells."""
        return len(self.cell_key)

    def valid(self) -> Bools:
        """Which points are valid at their reporting year (RULES 3: exact, n large enough, not of a later year)."""
        valid: Bools = (self.kind[self.row] == VALID) & (self.year[self.row] <= self.cell_year[self.cell])
        return valid


def expand_known(
    known: pl.DataFrame, first_years: pl.DataFrame, last_reporting_year: int, rules: TrendRules
) -> EffectivePoints:
    """Expand int_values__known to all reporting years at once.

    known: KNOWN_COLUMNS, one row a version of a value, effective at R when known_from <= R <= known_to.
    first_years: community_id, first_reporting_year (of its first submission). R runs from there to
    `last_reporting_year`. Raises ValueError on a missing column, a community without first year, or two rows that are
    effective for one value at one reporting year.
    """
    absent = [column for column in KNOWN_COLUMNS if column not in known.columns]
    if absent:
        raise ValueError(f"known values lack the columns {absent}")
    keys = known.select(KEY).unique().sort(KEY).with_row_index("key")
    labels = known["series"].unique().sort()
    rows = _sorted_rows(known, keys, labels, first_years)
    low = np.maximum(_ints(rows, "known_from"), _ints(rows, "first_reporting_year"))
    high = np.minimum(_ints(rows, "known_to"), last_reporting_year)
    times = np.maximum(high - low + 1, 0)
    row = np.repeat(np.arange(rows.height), times)
    reporting_year = np.arange(len(row)) - np.repeat(np.cumsum(times) - times - low, times)
    code = _ints(rows, "key")[row] * YEAR_BOUND + reporting_year
    # Rows already stand in order of series and year, so a stable sort by cell is all that is left to do.
    order = np.argsort(code, kind="stable")
    row, code, reporting_year = row[order], code[order], reporting_year[order]
    leads = np.r_[True, code[1:] != code[:-1]] if len(code) else np.zeros(0, dtype=np.bool_)
    cell_start = np.flatnonzero(leads)
    points = EffectivePoints(
        rows=rows,
        keys=keys,
        labels=labels,
        kind=_kinds(rows, rules.min_n),
        year=_ints(rows, "school_year"),
        series=_ints(rows, "series_number"),
        value=rows["value"].cast(pl.Float64).fill_null(np.nan).to_numpy(),
        denominator=rows["denominator"].cast(pl.Float64).fill_null(np.nan).to_numpy(),
        row=row,
        cell=np.cumsum(leads, dtype=np.int64) - 1,
        cell_key=_ints(rows, "key")[row[cell_start]],
        cell_year=reporting_year[cell_start],
        cell_start=cell_start,
    )
    _refuse_twins(points)
    return points


def _sorted_rows(known: pl.DataFrame, keys: pl.DataFrame, labels: pl.Series, first_years: pl.DataFrame) -> pl.DataFrame:
    numbers = pl.DataFrame({"series": labels}).with_row_index("series_number")
    first = first_years.select("community_id", pl.col("first_reporting_year").cast(pl.Int64))
    rows = (
        known.join(keys, on=KEY, how="left", maintain_order="left")
        .join(numbers, on="series", how="left", maintain_order="left")
        .join(first, on="community_id", how="left", maintain_order="left")
    )
    unknown = rows.filter(pl.col("first_reporting_year").is_null())["community_id"].unique().sort().to_list()
    if unknown:
        raise ValueError(f"communities with values but without a first submission: {unknown}")
    return rows.sort("key", "series_number", "school_year", "known_from")


def _kinds(rows: pl.DataFrame, min_n: int) -> npt.NDArray[np.int8]:
    value, low, high = pl.col("value").fill_nan(None), pl.col("value_low"), pl.col("value_high")
    kind = (
        pl.when(value.is_null() & (low.is_not_null() | high.is_not_null()))
        .then(INTERVAL)
        .when(value.is_null())
        .then(MASKED)
        .when(pl.col("denominator") < min_n)
        .then(SMALL_N)
        .when(pl.col("value_status") == LOW_COVERAGE_STATUS)
        .then(LOW_COVERAGE)
        .otherwise(VALID)
    )
    return rows.select(kind.cast(pl.Int8).alias("kind"))["kind"].to_numpy()


def _refuse_twins(points: EffectivePoints) -> None:
    same = points.cell[1:] == points.cell[:-1]
    for array in (points.series, points.year):
        same &= array[points.row[1:]] == array[points.row[:-1]]
    if same.any():
        twin = points.rows.row(int(points.row[1:][same][0]), named=True)
        where = {column: twin[column] for column in (*KEY, "series", "school_year")}
        raise ValueError(f"two rows are effective for one value at one reporting year: {where}")


def _ints(frame: pl.DataFrame, column: str) -> Ints:
    return frame[column].cast(pl.Int64).to_numpy()
