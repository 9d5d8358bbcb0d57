"""The tables that the analysis writes: columns in order, types, keys.

Belongs here: one TableSpec a table, empty tables, bringing a frame into a table's form.
Does not: computing any of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

TEXT, YEAR, COUNT, NUMBER, FLAG, DATE = pl.String(), pl.Int32(), pl.Int64(), pl.Float64(), pl.Boolean(), pl.Date()

_CELL = {"community_id": TEXT, "indicator_id": TEXT, "population_group_id": TEXT, "geography_id": TEXT}
_CELL_KEY = (*_CELL, "reporting_year")


@dataclass(frozen=True)
class TableSpec:
    """Columns in their fixed order with types, and the key, by which the rows are sorted."""

    name: str
    schema: Mapping[str, pl.DataType]
    key: tuple[str, ...]

    def empty(self) -> pl.DataFrame:
        """The table without rows."""
        return pl.DataFrame(schema=dict(self.schema))

    def conform(self, frame: pl.DataFrame, *, is_sorted: bool = False) -> pl.DataFrame:
        """The frame's columns in order and type, rows by key; a missing column raises ValueError."""
        absent = [column for column in self.schema if column not in frame.columns]
        if absent:
            raise ValueError(f"{self.name} lacks the columns {absent}")
        shaped = frame.select(pl.col(column).cast(kind) for column, kind in self.schema.items())
        return shaped if is_sorted else shaped.sort(self.key)


FCT_TREND = TableSpec(
    "fct_trend",
    {
        **_CELL,
        "reporting_year": YEAR,
        "outcome_id": TEXT,
        "series": TEXT,
        "first_year": YEAR,
        "last_year": YEAR,
        "n_years": YEAR,
        "slope": NUMBER,
        "intercept": NUMBER,
        "slope_stderr": NUMBER,
        "slope_ci_low": NUMBER,
        "slope_ci_high": NUMBER,
        "r_squared": NUMBER,
        "adjusted_slope": NUMBER,
        "trend_status": TEXT,
        "reason": TEXT,
        "slope_weighted": NUMBER,
        "slope_theil_sen": NUMBER,
        "slope_binomial_low": NUMBER,
        "slope_binomial_high": NUMBER,
        "prob_slope_positive": NUMBER,
        "robustness": TEXT,
        "ruleset_version": TEXT,
    },
    _CELL_KEY,
)

FCT_TREND_POINT = TableSpec(
    "fct_trend_point",
    {
        **_CELL,
        "reporting_year": YEAR,
        "outcome_id": TEXT,
        "school_year": YEAR,
        "series": TEXT,
        "value": NUMBER,
        "numerator": COUNT,
        "denominator": COUNT,
        "used": FLAG,
        "left_out_reason": TEXT,
        "submission_id": TEXT,
        "source_file": TEXT,
        "source_sheet": TEXT,
        "source_row": YEAR,
        "value_status": TEXT,
        "ruleset_version": TEXT,
    },
    (*_CELL_KEY, "series", "school_year"),
)

FCT_GAP = TableSpec(
    "fct_gap",
    {
        **_CELL,
        "reporting_year": YEAR,
        "outcome_id": TEXT,
        "reference_group_id": TEXT,
        "first_year": YEAR,
        "last_year": YEAR,
        "n_years": YEAR,
        "first_gap": NUMBER,
        "last_gap": NUMBER,
        "group_slope": NUMBER,
        "reference_slope": NUMBER,
        "slope_difference": NUMBER,
        "gap_status": TEXT,
        "reference_declined": FLAG,
        "reason": TEXT,
        "standing": TEXT,
        "dimension": TEXT,
        "series": TEXT,
        "fitted_last_gap": NUMBER,
        "ruleset_version": TEXT,
    },
    _CELL_KEY,
)

FCT_OUTCOME_STATUS = TableSpec(
    "fct_outcome_status",
    {
        "community_id": TEXT,
        "outcome_id": TEXT,
        "reporting_year": YEAR,
        "trend_status": TEXT,
        "gap_reduced": TEXT,
        "deciding_indicator_id": TEXT,
        "reason": TEXT,
        "gap_reason": TEXT,
        "trend_any": TEXT,
        "trend_all": TEXT,
        "gap_any": TEXT,
        "gap_all": TEXT,
        "widened_groups": TEXT,
        "n_core_indicators": YEAR,
        "trend_by_indicator": TEXT,
        "gap_by_indicator": TEXT,
        "ruleset_version": TEXT,
    },
    ("community_id", "outcome_id", "reporting_year"),
)

FCT_NETWORK_TREND = TableSpec(
    "fct_network_trend",
    {
        "indicator_id": TEXT,
        "population_group_id": TEXT,
        "reporting_year": YEAR,
        "outcome_id": TEXT,
        "n_communities": YEAR,
        "n_improving": YEAR,
        "n_maintained": YEAR,
        "n_declining": YEAR,
        "n_undetermined": YEAR,
        "slope_median": NUMBER,
        "slope_q1": NUMBER,
        "slope_q3": NUMBER,
        "pooled_slope": NUMBER,
        "fixed_effects_slope": NUMBER,
        "window_first_year": YEAR,
        "window_last_year": YEAR,
        "window_n_years": YEAR,
        "panel_size": YEAR,
        "pooled_rate_last": NUMBER,
        "fixed_effects_units": YEAR,
        "communities_entered": TEXT,
        "communities_left": TEXT,
        "panel_entered": TEXT,
        "panel_left": TEXT,
        "ruleset_version": TEXT,
    },
    ("indicator_id", "population_group_id", "reporting_year"),
)

FCT_NETWORK_OUTCOME = TableSpec(
    "fct_network_outcome",
    {
        "outcome_id": TEXT,
        "reporting_year": YEAR,
        "n_communities": YEAR,
        "n_improving": YEAR,
        "n_maintained": YEAR,
        "n_declining": YEAR,
        "n_mixed": YEAR,
        "n_undetermined": YEAR,
        "n_gap_met": YEAR,
        "n_gap_not_met": YEAR,
        "n_gap_undetermined": YEAR,
        "share_improving": NUMBER,
        "share_gap_reduced": NUMBER,
        "ruleset_version": TEXT,
    },
    ("outcome_id", "reporting_year"),
)

FCT_TARGET_PROGRESS = TableSpec(
    "fct_target_progress",
    {
        "community_id": TEXT,
        "indicator_id": TEXT,
        "population_group_id": TEXT,
        "geography_id": TEXT,
        "reporting_year": YEAR,
        "deadline": DATE,
        "horizon": TEXT,
        "outcome_id": TEXT,
        "target_value": NUMBER,
        "set_in_reporting_year": YEAR,
        "status": TEXT,
        "is_in_force": FLAG,
        "baseline_value": NUMBER,
        "baseline_year": YEAR,
        "latest_value": NUMBER,
        "latest_year": YEAR,
        "fitted_slope": NUMBER,
        "required_slope": NUMBER,
        "progress_share": NUMBER,
        "reason": TEXT,
        "ruleset_version": TEXT,
    },
    (*_CELL_KEY, "deadline", "horizon"),
)

# What the literal rules would say of a network in which nothing changes (simulate.py); printed on the methods page.
FCT_FALSE_POSITIVE = TableSpec(
    "fct_false_positive",
    {
        "basis": TEXT,
        "measure": TEXT,
        "rate": NUMBER,
        "simulation_stderr": NUMBER,
        "n_trials": COUNT,
        "seed": COUNT,
        "ruleset_version": TEXT,
    },
    ("basis", "measure"),
)

TABLES: dict[str, TableSpec] = {
    spec.name: spec
    for spec in (
        FCT_TREND,
        FCT_TREND_POINT,
        FCT_GAP,
        FCT_OUTCOME_STATUS,
        FCT_NETWORK_TREND,
        FCT_NETWORK_OUTCOME,
        FCT_TARGET_PROGRESS,
        FCT_FALSE_POSITIVE,
    )
}


def with_shared_codes(frames: Sequence[pl.DataFrame], columns: Sequence[str]) -> list[pl.DataFrame]:
    """The frames with their text columns of these names as codes of one shared, sorted list.

    Joins and groupings on codes cost a fraction of those on texts. `TableSpec.conform` turns them back into texts.
    """
    kinds = {}
    for column in columns:
        values = pl.concat([frame[column].unique() for frame in frames if column in frame.columns])
        kinds[column] = pl.Enum(values.drop_nulls().unique().sort())
    return [frame.with_columns(pl.col(c).cast(kinds[c]) for c in columns if c in frame.columns) for frame in frames]
