"""Network figures (RULES 7): fct_network_trend and fct_network_outcome.

Belongs here: counts, medians and quartiles, the pooled rate of a constant panel, the fixed-effects slope.
Does not: ranking communities, predicting anyone, or claiming causes; nothing here names a community's figure.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from dagster_project.lib.analysis.figures import regression
from dagster_project.lib.analysis.figures.members import of_members
from dagster_project.lib.analysis.figures.regression import Floats, Ints
from dagster_project.lib.analysis.figures.shared_districts import counted_once, shared_districts
from dagster_project.lib.analysis.figures.trend import with_outcome
from dagster_project.lib.analysis.tables import FCT_NETWORK_OUTCOME, FCT_NETWORK_TREND, with_shared_codes
from dagster_project.lib.analysis.tables.spans import FIRST, LAST, each_year, until
from dagster_project.lib.analysis.vocabulary import PERCENT, VALID_LEFT_OUT
from dagster_project.lib.base.ruleset import Ruleset

_CELL = ["indicator_id", "population_group_id", "reporting_year"]
_LINE = ["indicator_id", "population_group_id", "community_id", "series"]
_UNIT = [*_CELL, "community_id", "series"]
# Last bits of a library's solver may differ between machines; beyond this many decimals nothing is claimed.
SOLVER_DECIMALS = 12
# Cells fitted together; more save calls but cost a larger decomposition.
CELLS_PER_FIT = 8


def compute_network(
    trend: pl.DataFrame,
    spans: pl.DataFrame,
    outcome_status: pl.DataFrame,
    communities: pl.DataFrame,
    geographies: pl.DataFrame,
    indicators: pl.DataFrame,
    ruleset: Ruleset,
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """fct_network_trend and fct_network_outcome from fct_trend, trend_point_span and fct_outcome_status.

    communities: community_id, joined_year, left_year; only members of a reporting year are counted in it. geographies:
    the seed; a district of several communities counts once in what is pooled. indicators: indicator_id, outcome_id,
    unit, poolable. Only communities' own rows enter; slopes are raw, per year.
    """
    own = pl.col("geography_id") == pl.col("community_id")
    points = of_members(_recent_points(spans, ruleset), communities)
    columns = [*_CELL, "community_id", "trend_status", "slope"]
    shared = shared_districts(geographies)
    rows, points, parts, shared, dictionary = with_shared_codes(
        [
            of_members(trend.filter(own).select(columns), communities),
            points,
            _parts(spans, shared, ruleset),
            shared,
            indicators,
        ],
        ["indicator_id", "population_group_id", "community_id", "series"],
    )
    points = _window_points(points, ruleset)
    members = of_members(outcome_status, communities)
    frame = (
        _counts(rows)
        .join(
            _changes(rows.select(*_CELL, "community_id"), "communities_entered", "communities_left"),
            on=_CELL,
            how="left",
        )
        .join(_windows(points), on=_CELL, how="left")
        .join(_pooled(points, parts, shared, dictionary, ruleset), on=_CELL, how="left")
        .join(_fixed_effects(points, ruleset), on=_CELL, how="left")
        .with_columns(pl.lit(ruleset.ruleset_version).alias("ruleset_version"))
    )
    return FCT_NETWORK_TREND.conform(with_outcome(frame, dictionary)), _network_outcomes(members, ruleset)


def _counts(rows: pl.DataFrame) -> pl.DataFrame:
    status, slope = pl.col("trend_status"), pl.col("slope")
    return rows.group_by(_CELL).agg(
        pl.col("community_id").n_unique().alias("n_communities"),
        *((status == s).sum().alias(f"n_{s}") for s in ("improving", "maintained", "declining", "undetermined")),
        slope.median().alias("slope_median"),
        slope.quantile(0.25, interpolation="linear").alias("slope_q1"),
        slope.quantile(0.75, interpolation="linear").alias("slope_q3"),
    )


def _changes(members: pl.DataFrame, entered: str, left: str) -> pl.DataFrame:
    """Communities that belong at a reporting year but not the year before, and the reverse, each a sorted list."""
    key = [*_CELL, "community_id"]
    members = members.select(key).unique()
    following = members.with_columns(pl.col("reporting_year") + 1)
    cells = members.select(_CELL).unique()
    came = _listed(members.join(following, on=key, how="anti"), entered)
    went = _listed(following.join(members, on=key, how="anti").join(cells, on=_CELL, how="semi"), left)
    found = cells.join(came, on=_CELL, how="left").join(went, on=_CELL, how="left")
    return found.with_columns(pl.col(entered, left).fill_null([]))


def _listed(members: pl.DataFrame, name: str) -> pl.DataFrame:
    return members.group_by(_CELL).agg(pl.col("community_id").cast(pl.String).sort().alias(name))


def _recent_points(spans: pl.DataFrame, ruleset: Ruleset) -> pl.DataFrame:
    """Valid points of communities' own rows in the years R-4..R."""
    own = pl.col("geography_id") == pl.col("community_id")
    valid = pl.col("used") | pl.col("left_out_reason").is_in(VALID_LEFT_OUT)
    columns = [*_LINE, "school_year", "value", "numerator", "denominator"]
    return _recent(spans.filter(own & valid), columns, ruleset)


def _parts(spans: pl.DataFrame, shared: pl.DataFrame, ruleset: Ruleset) -> pl.DataFrame:
    """Points of shared districts in the years R-4..R, valid or not: what a total counts, it counts either way."""
    columns = [*_LINE, "geography_id", "school_year", "numerator", "denominator"]
    return _recent(spans.join(shared, on=["community_id", "geography_id"], how="semi"), columns, ruleset)


def _recent(spans: pl.DataFrame, columns: list[str], ruleset: Ruleset) -> pl.DataFrame:
    """These columns of points at every reporting year in whose window their school year lies."""
    rows = spans.select(*columns, FIRST, LAST)
    return each_year(until(rows, pl.col("school_year") + ruleset.network.window_years - 1))


def _window_points(points: pl.DataFrame, ruleset: Ruleset) -> pl.DataFrame:
    """Of these, the points of the years that at least half of the communities with a point there hold."""
    everyone = points.group_by(_CELL).agg(pl.col("community_id").n_unique().alias("n_all"))
    years = points.group_by(*_CELL, "school_year").agg(pl.col("community_id").n_unique().alias("n_year"))
    years = years.join(everyone, on=_CELL).filter(
        pl.col("n_year") >= ruleset.network.panel_share * pl.col("n_all") - ruleset.epsilon
    )
    rules = ruleset.trend
    span = pl.col("school_year").max().over(_CELL) - pl.col("school_year").min().over(_CELL)
    years = years.select(
        *_CELL,
        "school_year",
        pl.len().over(_CELL).cast(pl.Int64).alias("window_n_years"),
        ((pl.len().over(_CELL) >= rules.min_points) & (span >= rules.min_span_years)).alias("long_enough"),
    )
    return points.join(years, on=[*_CELL, "school_year"], how="inner").sort(*_UNIT, "school_year")


def _windows(points: pl.DataFrame) -> pl.DataFrame:
    return points.group_by(_CELL).agg(
        pl.col("school_year").min().alias("window_first_year"),
        pl.col("school_year").max().alias("window_last_year"),
        pl.col("window_n_years").first(),
    )


def _pooled(
    points: pl.DataFrame, parts: pl.DataFrame, shared: pl.DataFrame, indicators: pl.DataFrame, ruleset: Ruleset
) -> pl.DataFrame:
    """Pooled rate and slope of the constant panel, for indicators whose definition is national.

    The panel: communities with numerator and denominator in every year of the window, in one series (no slope crosses
    a break); where two series of a community qualify, the label that sorts last. A district of several communities of
    the panel counts once.
    """
    poolable = indicators.filter(
        (pl.col("poolable").cast(pl.String).str.to_lowercase() == "true") & (pl.col("unit") == PERCENT)
    )
    counted = points.join(poolable, on="indicator_id", how="semi").filter(
        pl.col("numerator").is_not_null() & pl.col("denominator").is_not_null()
    )
    units = counted.group_by(_UNIT).agg(pl.len().alias("held"), pl.col("window_n_years").first())
    panel = units.filter(pl.col("held") == pl.col("window_n_years")).group_by(*_CELL, "community_id")
    totals = counted.join(panel.agg(pl.col("series").max()), on=_UNIT, how="semi")
    if shared.height:
        totals = counted_once(totals, _shared_parts(totals, parts, shared), _CELL)
    members = totals.select(*_CELL, "community_id").unique()
    yearly = (
        totals.group_by(*_CELL, "school_year", "long_enough")
        .agg(pl.col("numerator").sum(), pl.col("denominator").sum())
        .filter(pl.col("denominator") > 0)
        .with_columns((100.0 * pl.col("numerator") / pl.col("denominator")).alias("rate"))
        .sort(*_CELL, "school_year")
    )
    rates = yearly.group_by(_CELL, maintain_order=True).agg(pl.col("rate").last().alias("pooled_rate_last"))
    sizes = members.group_by(_CELL).agg(pl.len().alias("panel_size"))
    return (
        rates.join(sizes, on=_CELL)
        .join(_slopes(yearly.filter("long_enough"), ruleset), on=_CELL, how="left")
        .join(_changes(members, "panel_entered", "panel_left"), on=_CELL, how="left")
    )


def _shared_parts(totals: pl.DataFrame, parts: pl.DataFrame, shared: pl.DataFrame) -> pl.DataFrame:
    """A row for every shared district of a community of the panel and year, with its counts in the total's series."""
    of_years = totals.select(*_UNIT, "school_year").join(shared, on="community_id", how="inner")
    began = (pl.col("valid_from") <= pl.col("school_year")).fill_null(True)
    goes_on = (pl.col("valid_to") >= pl.col("school_year")).fill_null(True)
    return of_years.filter(began & goes_on).join(parts, on=[*_UNIT, "geography_id", "school_year"], how="left")


def _slopes(yearly: pl.DataFrame, ruleset: Ruleset) -> pl.DataFrame:
    """Least-squares slope of the pooled rate on the year, per cell."""
    cells = yearly.select(_CELL).unique(maintain_order=True).with_row_index("column")
    column = yearly.join(cells, on=_CELL, how="left", maintain_order="left")["column"].cast(pl.Int64).to_numpy()
    years = ruleset.network.window_years
    row = (yearly["school_year"] - yearly["reporting_year"]).cast(pl.Int64).to_numpy() + years - 1
    rate, present = np.zeros((years, cells.height)), np.zeros((years, cells.height), dtype=np.bool_)
    rate[row, column], present[row, column] = yearly["rate"].to_numpy(), True
    x = np.arange(1 - years, 1, dtype=np.float64)[:, None]
    slope = regression.fit_lines(x, rate, present, ruleset.epsilon).slope
    return cells.drop("column").with_columns(pl.Series("pooled_slope", slope + 0.0).fill_nan(None))


def _fixed_effects(points: pl.DataFrame, ruleset: Ruleset) -> pl.DataFrame:
    """Slope common to all units (community x series), each about its own mean: a changing panel cannot move it.

    One LinearRegression without intercept on the centred data of a few cells at a time, each cell a column of its own
    (block-diagonal), which is the same as one fit a cell at a fraction of the cost. Null where no
    unit has two years: the duration test is the pooled slope's alone (RULES 7, literally).
    """
    year, value = pl.col("school_year").cast(pl.Float64), pl.col("value")
    centred = points.select(
        *_UNIT, (year - year.mean().over(_UNIT)).alias("dx"), (value - value.mean().over(_UNIT)).alias("dy")
    )
    # A unit with a single year says nothing about a slope.
    centred = centred.filter((pl.col("dx") != 0).any().over(_UNIT)).sort(_UNIT)
    cells = centred.group_by(_CELL, maintain_order=True).agg(
        pl.len().alias("rows"), pl.struct("community_id", "series").n_unique().alias("fixed_effects_units")
    )
    rows = cells["rows"].cast(pl.Int64).to_numpy()
    slopes = _slopes_through_origin(centred["dx"].to_numpy(), centred["dy"].to_numpy(), rows)
    return cells.drop("rows").with_columns(pl.Series("fixed_effects_slope", slopes))


def _slopes_through_origin(dx: Floats, dy: Floats, rows: Ints) -> Floats:
    """Slope through the origin of consecutive stretches of dx and dy, `rows` long each; (len(rows),)."""
    import sklearn  # imported late: it costs a second, which only a run that computes need pay
    from sklearn.linear_model import LinearRegression

    starts = np.cumsum(rows) - rows
    slopes = np.full(len(rows), np.nan)
    model = LinearRegression(fit_intercept=False)
    with sklearn.config_context(assume_finite=True, skip_parameter_validation=True):
        for first in range(0, len(rows), CELLS_PER_FIT):
            cells = slice(first, first + CELLS_PER_FIT)
            start, end = starts[cells][0], starts[cells][-1] + rows[cells][-1]
            column = np.repeat(np.arange(len(rows[cells])), rows[cells])
            design = np.zeros((end - start, len(rows[cells])))
            design[np.arange(end - start), column] = dx[start:end]
            slopes[cells] = model.fit(design, dy[start:end]).coef_
    return np.asarray(np.round(slopes, SOLVER_DECIMALS) + 0.0, dtype=np.float64)


def _network_outcomes(outcome_status: pl.DataFrame, ruleset: Ruleset) -> pl.DataFrame:
    """Counts by status and verdict; shares among the communities whose status (verdict) is determined, null if none."""
    trend, gap = pl.col("trend_status"), pl.col("gap_reduced")
    statuses = ("improving", "maintained", "declining", "mixed", "undetermined")
    counted = outcome_status.group_by("outcome_id", "reporting_year").agg(
        pl.col("community_id").n_unique().alias("n_communities"),
        *((trend == s).sum().cast(pl.Int64).alias(f"n_{s}") for s in statuses),
        *((gap == s).sum().cast(pl.Int64).alias(f"n_gap_{s}") for s in ("met", "not_met", "undetermined")),
    )
    # Of a public edition some are withheld: they are neither determined nor undetermined.
    determined = pl.sum_horizontal(f"n_{s}" for s in statuses if s != "undetermined")
    judged = pl.col("n_gap_met") + pl.col("n_gap_not_met")
    frame = counted.with_columns(
        pl.when(determined > 0).then(pl.col("n_improving") / determined).alias("share_improving"),
        pl.when(judged > 0).then(pl.col("n_gap_met") / judged).alias("share_gap_reduced"),
        pl.lit(ruleset.ruleset_version).alias("ruleset_version"),
    )
    return FCT_NETWORK_OUTCOME.conform(frame)
