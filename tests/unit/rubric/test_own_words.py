"""What communities say of themselves: the selection in force, and examples, measures and factors side by side.

Belongs here: tests of own_words.py.
Does not: what the rubric makes of these registers (test_facts.py).
"""

from __future__ import annotations

import datetime as dt

import polars as pl

from dagster_project.lib.analysis.rubric.own_words import community_indicators, strategies
from dagster_project.lib.analysis.tables import FCT_COMMUNITY_INDICATOR, FCT_STRATEGY

from .conftest import World, example


def selected(indicator: str, **more: object) -> dict[str, object]:
    return {"indicator": indicator, "role": "core", **more}


def test_without_registers_both_tables_are_empty_and_have_their_form() -> None:
    context = World(first_year=2020, last_year=2022).context()
    assert community_indicators(context).schema == FCT_COMMUNITY_INDICATOR.schema
    assert strategies(context).schema == FCT_STRATEGY.schema
    assert community_indicators(context).height == strategies(context).height == 0


def test_the_selection_in_force_is_the_newest_folders_as_a_whole() -> None:
    world = World(first_year=2020, last_year=2022)
    first = [
        selected("graduation_4yr_pct", primary=True, baseline_year=2018, rationale="State goal"),
        selected("employed_pct"),
    ]
    world.add("indicator_selection", *first, year=2020)
    world.add("indicator_selection", selected("employed_pct", role="contributing", prioritized=True), year=2022)
    rows = community_indicators(world.context())
    got = rows.select("reporting_year", "indicator_id", "role", "is_primary", "is_prioritized", "baseline_year").rows()
    assert sorted(got) == [
        (2020, "employed_pct", "core", False, False, None),
        (2020, "graduation_4yr_pct", "core", True, False, 2018),
        (2021, "employed_pct", "core", False, False, None),
        (2021, "graduation_4yr_pct", "core", True, False, 2018),
        (2022, "employed_pct", "contributing", False, True, None),
    ]
    homes = dict(rows.select("indicator_id", "outcome_id").iter_rows())
    assert homes == {"graduation_4yr_pct": "high_school_graduation", "employed_pct": "employment"}
    assert dict(rows.select("reporting_year", "selected_in").iter_rows()) == {2020: 2020, 2021: 2020, 2022: 2022}


def test_examples_stand_as_last_spoken_of_and_measures_and_factors_beside_them() -> None:
    world = World(first_year=2020, last_year=2022)
    world.add("examples", example("e1", "policy", "2020-05-01", "accepted", "2020-06-01"), year=2020)
    world.add("examples", example("e1", "policy", "2020-05-01", "sustained", "2022-06-01"), year=2022)
    tutoring = {"name": "Hours of tutoring", "action": "Tutoring", "indicator": "grade3_reading_proficient_pct"}
    world.add("measures", tutoring, {"name": "Visits", "action": None, "indicator": None}, year=2020)
    cause = {"indicator": "graduation_4yr_pct", "factor": "Absence", "evidence": "quantitative"}
    world.add("factors", cause, cause | {"evidence": "community_voice"}, year=2021)
    rows = strategies(world.context())
    counted = rows.group_by("reporting_year", "kind").len().sort("reporting_year", "kind").rows()
    assert counted == [
        (2020, "measure", 2), (2020, "policy", 1),
        (2021, "factor", 2), (2021, "measure", 2), (2021, "policy", 1),
        (2022, "factor", 2), (2022, "measure", 2), (2022, "policy", 1),
    ]  # fmt: skip
    (last,) = rows.filter(reporting_year=2022, kind="policy").to_dicts()
    assert (last["status"], last["first_evidenced_on"], last["strategy_id"]) == ("sustained", dt.date(2020, 5, 1), "e1")
    own = (
        rows.filter(kind="measure", reporting_year=2022).select("title", "action", "outcome_id", "status").sort("title")
    )
    assert own.rows() == [("Hours of tutoring", "Tutoring", "early_grade_reading", None), ("Visits", None, None, None)]
    assert rows.select(FCT_STRATEGY.key).is_duplicated().sum() == 0
    assert rows["strategy_id"].null_count() == 0
    assert rows.equals(rows.sort(FCT_STRATEGY.key))
    assert set(rows.filter(pl.col("kind") == "factor")["evidence"]) == {"quantitative", "community_voice"}
