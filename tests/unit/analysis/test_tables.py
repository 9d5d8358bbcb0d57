"""The tables have the columns that are promised, and are there when nothing is in them.

Belongs here: tests of tables/ and of the form of every result.
Does not: figures.
"""

from __future__ import annotations

import polars as pl
import pytest

from dagster_project.lib.analysis.tables import (
    FCT_DESIGNATION,
    FCT_OUTCOME_STATUS,
    FIGURE_TABLES,
    STORED,
    TABLES,
    Column,
    as_declared,
    with_shared_codes,
)
from dagster_project.lib.analysis.tables.spans import stored_form
from dagster_project.lib.base.ruleset import Ruleset
from tests.unit.analysis.builders import known, tables, yearly

# Names and columns that other programs rely on (the project's fixed interface).
PROMISED = {
    "fct_trend": "first_year last_year n_years slope intercept slope_stderr slope_ci_low slope_ci_high r_squared "
    "adjusted_slope trend_status reason slope_weighted slope_theil_sen slope_binomial_low slope_binomial_high "
    "prob_slope_positive robustness",
    "fct_trend_point": "school_year series value numerator denominator used left_out_reason submission_id source_file "
    "source_sheet source_row",
    "fct_gap": "reference_group_id first_year last_year n_years first_gap last_gap group_slope reference_slope "
    "slope_difference gap_status reference_declined reason",
    "fct_outcome_status": "community_id outcome_id reporting_year trend_status gap_reduced reason "
    "deciding_indicator_id",
    "fct_network_trend": "indicator_id population_group_id reporting_year n_communities n_improving n_maintained "
    "n_declining n_undetermined slope_median slope_q1 slope_q3 pooled_slope fixed_effects_slope",
}
CELL = {"community_id", "indicator_id", "population_group_id", "geography_id", "reporting_year"}


@pytest.mark.parametrize("name", sorted(PROMISED))
def test_promised_columns_are_there(name: str) -> None:
    columns = set(TABLES[name].promised)
    assert set(PROMISED[name].split()) <= columns <= set(TABLES[name].schema)
    if name in ("fct_trend", "fct_trend_point", "fct_gap"):
        assert columns >= CELL


@pytest.mark.parametrize("name", sorted(TABLES))
def test_every_computed_table_names_its_ruleset_and_its_key(name: str) -> None:
    spec = TABLES[name]
    assert "ruleset_version" in spec.schema
    assert set(spec.key) <= set(spec.schema)
    assert spec.empty().height == 0


def results(ruleset: Ruleset) -> dict[str, dict[str, pl.DataFrame]]:
    """A network with values, and one without."""
    groups = ("all", "race_ethnicity:white", "race_ethnicity:black", "gender:female")
    rows = [
        row
        for community in ("oak", "elm", "ash")
        for indicator in ("up", "down", "pool")
        for group in groups
        for row in yearly(
            {year: 40.0 + year % 7 for year in range(2018, 2024)},
            community_id=community,
            indicator_id=indicator,
            population_group_id=group,
            denominator=50,
            numerator=20,
        )
    ]
    return {"full": tables(known(rows), 2024, ruleset), "empty": tables(known([]), 2024, ruleset)}


def test_results_have_the_form_of_their_tables_full_or_empty(ruleset: Ruleset) -> None:
    for found in results(ruleset).values():
        assert set(found) == {stored_form(spec).name for spec in FIGURE_TABLES.values()}
        for name, frame in found.items():
            assert dict(frame.schema) == dict(STORED[name].schema), name
            assert frame.select(STORED[name].key).is_duplicated().sum() == 0, name
            assert frame.equals(frame.sort(STORED[name].key)), name


def test_a_frame_without_a_promised_column_is_refused() -> None:
    with pytest.raises(ValueError, match=r"fct_outcome_status lacks the columns \['reason'\]"):
        FCT_OUTCOME_STATUS.conform(FCT_OUTCOME_STATUS.empty().drop("reason"))


def test_shared_codes_join_and_turn_back_into_texts() -> None:
    left, right = pl.DataFrame({"k": ["b", "a", None]}), pl.DataFrame({"k": ["c", "b"], "v": [1, 2]})
    a, b = with_shared_codes([left, right], ["k"])
    joined = a.join(b, on="k", how="left", maintain_order="left").with_columns(pl.col("k").cast(pl.String))
    assert joined.rows() == [("b", 2), ("a", None), (None, None)]


def test_a_column_is_promised_only_where_it_says_so() -> None:
    column = Column("a", pl.String(), "Words.")
    assert not column.promised
    assert column.as_promised().promised


def test_tables_of_the_rubric_get_their_declared_form_and_figures_are_handed_on() -> None:
    loose = pl.DataFrame(schema=dict(reversed(FCT_DESIGNATION.schema.items())) | {"more": pl.String()})
    given = {"fct_designation": loose, "fct_trend": loose}
    found = as_declared(given)
    assert found["fct_designation"].columns == list(FCT_DESIGNATION.schema)
    assert found["fct_trend"] is loose
