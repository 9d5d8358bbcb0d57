"""Values that stand apart from a short series, judged by all series together.

Belongs here: the pooled scale of such deviations and the threshold that keeps a stated rate of false alarms.
Does not: changes judged by a series' own history (over_years.py).
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import polars as pl

from dagster_project.lib.base.ruleset import ComparisonRules
from dagster_project.lib.intake.comparing.compared_values import (
    SUBJECT,
    in_words,
    known_numbers,
    no_issues,
    shown,
    text_of,
    told,
)

Numbers = npt.NDArray[np.float64]


def short_series_outliers(values: pl.DataFrame, limits: ComparisonRules, told_already: pl.DataFrame) -> pl.DataFrame:
    """short_series_outlier: new percentages far from the middle of the few other values of their series.

    A short series cannot tell its own spread, so all series of earlier reporting years lend theirs: deviations from
    the middle, less the shift that the indicator took in that year everywhere, are scaled by a spread that rises with
    what chance gives for the denominators (isotonic regression of absolute deviation on binomial noise). One half of
    the pool gives the scale, the other the threshold (split conformal prediction, Vovk et al. 2005): of values like the
    pool's at most `outlier.false_alarm_rate` are told, and none within `outlier.points`. With a pool too small for
    that rate nothing is told. `told_already` (value_no) are values with a question about the same change.
    """
    deviations = _without_shock(_deviations(values, limits), limits)
    deviations = deviations.sort("reporting_year", "value_no")
    years = deviations["reporting_year"].to_numpy()
    size = deviations["_apart"].to_numpy()
    noise = deviations["_noise"].to_numpy()
    flagged = np.zeros(len(years), dtype=bool)
    for year in np.unique(years):
        pool, own = years < year, years == year
        flagged[own] = _beyond(size[pool], noise[pool], size[own], noise[own], limits["outlier.false_alarm_rate"])
    odd = pl.Series(flagged) & (deviations["_apart"] > limits["outlier.points"])
    hit = deviations.filter(odd).join(told_already, on="value_no", how="anti", maintain_order="left")
    return _tell(hit)


def _deviations(values: pl.DataFrame, limits: ComparisonRules) -> pl.DataFrame:
    """New exact annual percentages of short series with _middle, _noise and _apart (points from the middle).

    The middle is the median of the series' other values known in the same reporting year.
    """
    few = pl.col("denominator") < limits["outlier.min_n"]
    exact = known_numbers(values).filter((pl.col("unit") == "percent") & ~few.fill_null(False))
    others = exact.select(
        "series_no",
        pl.col("school_year").alias("_year"),
        pl.col("value").alias("_value"),
        pl.col("denominator").alias("_other_n"),
        pl.col("reporting_year").alias("_from"),
        pl.col("known_to").alias("_to"),
    )
    # Series with a longer past are left out before they are joined with themselves.
    years = pl.col("school_year").n_unique().over("series_no", "reporting_year")
    asked = exact.filter(years <= limits["outlier.max_others"] + 1)
    middles = (
        asked.select("value_no", "series_no", "school_year", "reporting_year")
        .join(others, on="series_no")
        .filter((pl.col("_year") != pl.col("school_year")) & pl.col("reporting_year").is_between("_from", "_to"))
        .group_by("value_no")
        .agg(
            pl.col("_value").median().alias("_middle"),
            pl.col("_other_n").median().alias("_middle_n"),
            pl.len().alias("_n"),
        )
        .filter(pl.col("_n").is_between(limits["outlier.min_others"], limits["outlier.max_others"]))
    )
    rows = exact.join(middles, on="value_no", maintain_order="left")
    share = ((pl.col("_middle") * pl.col("_middle_n") / 100 + 1) / (pl.col("_middle_n") + 2)).clip(0, 1)
    noise = 100 * (share * (1 - share) * (1 / pl.col("denominator") + 1 / (pl.col("_n") * pl.col("_middle_n")))).sqrt()
    # Without denominators nothing is known of chance: such values are judged by the noisiest, which keeps them quiet.
    return rows.with_columns(_apart=pl.col("value") - pl.col("_middle"), _noise=noise.fill_null(math.inf))


def _without_shock(rows: pl.DataFrame, limits: ComparisonRules) -> pl.DataFrame:
    """Takes out the shift that an indicator's values took in a school year everywhere, as known that reporting year.

    What remains is the smaller of both deviations: a value is not odd because it did not join in a shift.
    """
    year = ["indicator_id", "school_year", "reporting_year"]
    many = pl.len().over(year) >= limits["outlier.shock_series"]
    shift = pl.when(many).then(pl.col("_apart").median().over(year)).otherwise(0.0)
    less = pl.col("_apart") - shift
    agree = pl.col("_apart").sign() == less.sign()
    return rows.with_columns(
        _apart=pl.when(agree).then(pl.min_horizontal(pl.col("_apart").abs(), less.abs())).otherwise(0)
    )


def _beyond(pool: Numbers, pool_noise: Numbers, size: Numbers, noise: Numbers, rate: float) -> npt.NDArray[np.bool_]:
    """Which deviations lie beyond the threshold that the pool gives for the rate of false alarms."""
    calibration = len(pool) - len(pool) // 2
    rank = math.ceil((1 - rate) * (calibration + 1))
    if rank > calibration:
        return np.zeros(len(size), dtype=bool)
    # Imported here: it takes a second, which a folder without history need not wait for.
    from sklearn.isotonic import IsotonicRegression

    top = np.max(np.concatenate([[1.0], pool_noise[np.isfinite(pool_noise)], noise[np.isfinite(noise)]]))
    scale = IsotonicRegression(increasing=True, out_of_bounds="clip", y_min=1e-3)
    scale.fit(np.minimum(pool_noise[1::2], 2 * top), pool[1::2])
    score = pool[::2] / scale.predict(np.minimum(pool_noise[::2], 2 * top))
    threshold = np.sort(score)[rank - 1]
    return np.asarray(size / scale.predict(np.minimum(noise, 2 * top)) > threshold, dtype=bool)


def _tell(hit: pl.DataFrame) -> pl.DataFrame:
    if not hit.height:
        return no_issues()
    found = text_of(
        shown("value"),
        " in ",
        pl.col("school_year"),
        ", the middle of the other ",
        pl.col("_n"),
        " years is ",
        shown("_middle"),
    )
    allowed = text_of("values like the others of ", in_words())
    return told(hit, "short_series_outlier", "value", found, allowed, SUBJECT)
