"""Determination records: complete, compact, true to their id, and enough to decide again.

Belongs here: records, their recomputation, the distance to eligibility, and their words.
Does not: how trends or gaps are computed.
"""

from __future__ import annotations

import hashlib
import json
from functools import cache
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dagster_project.lib.analysis.records import distance, explain
from dagster_project.lib.analysis.records.beside import FROZEN_SENTENCE, beside_lines, beside_outcome, differences
from dagster_project.lib.analysis.records.build import (
    _line,
    _line_of,
    build_record,
    build_records,
    identity,
    verify,
    with_record_ids,
)
from dagster_project.lib.analysis.records.explain import pooled_lines
from dagster_project.lib.analysis.records.inputs import PARTS_OF_MEASURE, RecordInputs
from dagster_project.lib.analysis.records.one_outcome import outcome_beside, outcome_record, pooled_behind
from dagster_project.lib.analysis.records.recompute import Record, ols_slope, recompute, stated
from dagster_project.lib.analysis.rubric import criteria, designations
from dagster_project.lib.analysis.rubric.context import fact_context
from dagster_project.lib.analysis.run import decide
from dagster_project.lib.analysis.tables.spans import at_year
from dagster_project.lib.analysis.vocabulary import FROZEN, PROVISIONAL, SCORE, VALID_LEFT_OUT

from .conftest import COMMUNITY, World, analysed, complete_world, dictionary, example, random_values, seed, seeds

COMMUNITIES = (COMMUNITY, "alpha", "beta")
YEARS = range(2016, 2025)


def world(ruleset_id: str = "toa-default") -> World:
    world = World(first_year=YEARS[0], last_year=YEARS[-1], ruleset_id=ruleset_id)
    early = [example(f"e{n}", "systems_change", "2017-05-01", "sustained", "2021-05-01") for n in range(2)]
    late = [example(f"n{n}", "systems_change", "2021-05-01") for n in range(4)]
    world.add("examples", *early, *late, year=2021)
    granted = {"kind": "designation", "decision": "granted", "approver": "N", "reason": "r"}
    world.add("gateway_decisions", {**granted, "code": "proof_point_initial", "decided_on": "2018-12-31"}, year=2018)
    later = {"code": "proof_point_ongoing", "decided_on": "2023-03-01"}
    world.add("gateway_decisions", {**granted, **later}, year=2023)
    world.add("gateway_decisions", {**granted, "code": "systems_transformation", "decided_on": "2020-03-01"}, year=2020)
    world.claim("exploring.1.3", "sustaining.7.1", "sustaining.7.1.a", as_of="2023-05-01")
    # Two communities decide by majority: a selection without primaries, several indicators of one outcome.
    chosen = seed("dictionary/indicators").filter(pl.col("role").is_in(["core", "adjacent"]))
    rows = [{"indicator": name, "role": role} for name, role in chosen.select("indicator_id", "role").iter_rows()]
    world.add("indicator_selection", *[{**row, "community_id": "alpha"} for row in rows], year=2017)
    return world


def known_values(random_seed: int = 3) -> pl.DataFrame:
    return random_values(COMMUNITIES, range(2012, 2025), random_seed)


@cache
def inputs(random_seed: int = 3, ruleset_id: str = "toa-default") -> RecordInputs:
    return analysed(world(ruleset_id), known_values(random_seed), COMMUNITIES)


def again(record: Record) -> Record:
    """Recomputed from what a file would hold."""
    return recompute(json.loads(json.dumps(record)))


@pytest.mark.parametrize("random_seed", [3, 4, 5])
@pytest.mark.parametrize("year", [2016, 2019, 2024])
def test_deciding_again_from_the_record_alone_gives_the_same(random_seed: int, year: int) -> None:
    for record in build_records(inputs(random_seed), year):
        assert again(record) == stated(record)
        assert verify(json.loads(json.dumps(record)))


def test_recomputed_records_cover_every_kind_of_status() -> None:
    found = [recompute(record) for year in YEARS for record in build_records(inputs(), year)]
    trends = {status for record in found for status in record["trends"].values()}
    gaps = {status for record in found for status in record["gaps"].values()}
    outcomes = {status for record in found for status, _ in record["outcomes"].values()}
    assert {"improving", "maintained", "declining", "undetermined"} <= trends
    assert {"undetermined", "narrowed", "widened", "reversed", "narrowed_by_decline"} <= gaps
    assert "mixed" in outcomes
    assert {record["standing"] for record in found} >= {"none", "active", "review_due", "grace", "lapsed", "succeeded"}


def test_the_record_of_a_complete_community_gives_its_gateways_again() -> None:
    world = complete_world()
    world.tables["review_decisions"] = (
        World()
        .add(
            "review_decisions",
            {
                "criterion_id": "sustaining.2.3",
                "decision": "override",
                "decided_on": "2022-08-01",
                "approver": "A",
                "reason": "r",
            },
        )
        .tables["review_decisions"]
    )
    world.tables["examples"] = world.tables["examples"].filter(pl.col("kind") != "feedback")
    prepared = analysed(world, world.tables["int_values__known"])
    record = build_record(prepared, COMMUNITY, "proof_point_initial", 2022)
    assert again(record) == stated(record)
    assert again(record)["gateways"] == dict.fromkeys(("exploring", "emerging", "sustaining"), "met")
    assert "override" in "\n".join(explain.explain_record(record, {}))


def test_ids_had_in_bulk_are_the_ids_of_the_records() -> None:
    rows = with_record_ids(inputs())
    ids = {
        (row["community_id"], row["designation"], row["reporting_year"]): row["record_id"]
        for row in rows.iter_rows(named=True)
    }
    assert len(set(ids.values())) == rows.height == len(COMMUNITIES) * 3 * len(YEARS)
    for year in (2016, 2024):
        for record in build_records(inputs(), year):
            assert ids[record["community_id"], record["designation"], year] == record["record_id"]


def test_one_record_is_the_same_as_in_bulk_and_as_built_before() -> None:
    one = build_record(inputs(), "alpha", "systems_transformation", 2023)
    bulk = build_records(inputs(), 2023)
    assert one in bulk
    assert build_record(inputs.__wrapped__(3), "alpha", "systems_transformation", 2023) == one


def test_a_determination_that_does_not_exist_is_a_key_error() -> None:
    with pytest.raises(KeyError, match="no determination of proof_point_initial for nowhere in 2024"):
        build_record(inputs(), "nowhere", "proof_point_initial", 2024)


def _changed(record: Record, path: list[Any], value: Any) -> Record:
    copy: Any = json.loads(json.dumps(record))
    place = copy
    for key in path[:-1]:
        place = place[key]
    assert place[path[-1]] != value
    place[path[-1]] = value
    return copy  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (["inputs", "core", 0, 4], 99.9),
        (["inputs", "core", 0, 8], "another"),
        (["inputs", "gap", 0, 3], 1999),
        (["inputs", "decisions", 0, 3], "2019-01-01"),
        (["requirements", 0, "status"], "nonsense"),
        (["status"], "nonsense"),
        (["parameters", "trend.min_points"], "2"),
        (["ruleset_version"], "9.9.9"),
        (["record_id"], "0" * 16),
    ],
    ids=lambda value: "-".join(map(str, value)) if isinstance(value, list) else None,
)
def test_a_record_that_was_changed_no_longer_verifies(path: list[Any], value: Any) -> None:
    record = build_record(inputs(), COMMUNITY, "proof_point_ongoing", 2024)
    assert verify(record)
    assert not verify(_changed(record, path, value))


def test_beside_a_frozen_record_every_value_that_is_other_is_told_once_with_its_year() -> None:
    then = build_record(inputs(), COMMUNITY, "proof_point_ongoing", 2024)
    columns = {part: then["inputs"]["columns"][part] for part in ("core", "gap")}
    row = dict(zip(columns["core"], then["inputs"]["core"][0], strict=True))
    now = json.loads(json.dumps(then))
    for part, names in columns.items():
        of = {name: names.index(name) for name in ("indicator_id", "population_group_id", "school_year", "series")}
        for other in now["inputs"][part]:
            if all(other[at] == row[name] for name, at in of.items()):
                other[names.index("value")] = 12.25
    (found,) = differences(then, now)
    place = (row["indicator_id"], row["population_group_id"], row["school_year"], row["series"])
    assert (found.kind, found.name) == ("value", " ".join(map(str, place)))
    assert (found.frozen, found.now) == ([row["value"], row["left_out_reason"]], [12.25, row["left_out_reason"]])


@given(st.lists(st.one_of(st.none(), st.floats(-1e6, 1e6)), min_size=1, max_size=6))
def test_a_line_of_a_record_is_the_line_of_its_table_for_numbers_below_zero_too(numbers: list[float | None]) -> None:
    names = [f"column_{number}" for number in range(len(numbers))]
    frame = pl.DataFrame([numbers], schema=dict.fromkeys(names, pl.Float64), orient="row")
    assert frame.select(_line(names, frame)).item() == _line_of(numbers)


def test_an_id_is_over_names_in_their_order_in_plain_letters_and_over_numbers_alone() -> None:
    text = '{"a":"\\u00e9","b":[1.5,null]}'
    expected = hashlib.sha256(text.encode()).hexdigest()[:16]
    assert identity({"a": "é", "b": [1.5, None]}) == identity({"b": [1.5, None], "a": "é"}) == expected
    with pytest.raises(ValueError, match="not JSON compliant"):
        identity({"a": float("nan")})


def test_a_changed_value_gives_another_id() -> None:
    first = build_record(inputs(3), COMMUNITY, "proof_point_ongoing", 2024)
    second = build_record(inputs(4), COMMUNITY, "proof_point_ongoing", 2024)
    assert first["record_id"] != second["record_id"]


def test_a_record_says_which_years_were_left_out_and_why_and_where_each_value_stands() -> None:
    record = build_record(inputs(), COMMUNITY, "proof_point_ongoing", 2024)
    columns = record["inputs"]["columns"]["core"]
    rows = [dict(zip(columns, row, strict=True)) for row in record["inputs"]["core"]]
    assert {row["left_out_reason"] for row in rows} >= {None, "outside_window", "suppressed_at_source"}
    assert all(row["source_file"] == f"values_{row['school_year']}.csv" for row in rows)
    assert record["submissions"] == sorted({row["submission_id"] for row in rows} | set(record["submissions"]))
    assert record["ruleset_id"] == "toa-default"
    assert [rule["requirement_id"] for rule in record["rules"]] == [f"proof_point_ongoing.1.{n}" for n in range(1, 5)]


def test_a_record_holds_only_what_its_designation_is_decided_from_and_stays_small() -> None:
    found = {record["designation"]: record for record in build_records(inputs(), 2024)[-3:]}
    parts = {name: set(record["inputs"]["columns"]) for name, record in found.items()}
    assert parts["proof_point_initial"] == {"core", "criteria", "decisions"}
    assert parts["proof_point_ongoing"] == {"core", "gap", "examples", "decisions"}
    assert parts["systems_transformation"] == {"core", "gap", "adjacent", "scores", "decisions"}
    assert max(len(json.dumps(record)) for record in found.values()) < 150_000


def test_records_of_the_other_ruleset_are_decided_again_by_its_own_rules() -> None:
    other = inputs(3, "public-2018")
    found = build_records(other, 2024)
    assert {record["designation"] for record in found} == {"proof_point_initial"}
    assert [again(record) for record in found] == [stated(record) for record in found]


def test_designation_rows_of_the_rubric_take_their_requirements_status() -> None:
    prepared = inputs()
    table = prepared.tables["fct_designation_requirement"]
    rows = criteria.designation_criteria(table, prepared.rubric)
    whole = prepared.tables["fct_criterion_status"]
    for _, mine in whole.group_by("community_id", "reporting_year"):
        assert sorted(mine["criterion_id"]) == sorted(prepared.rubric["criterion_id"])
    assert whole.height == 184 * len(COMMUNITIES) * len(YEARS)
    assert rows.group_by("reporting_year").len()["len"].unique().to_list() == [11 * len(COMMUNITIES)]
    assert rows.filter(criterion_id="proof_point_ongoing.1.5")["status"].null_count() == len(COMMUNITIES) * len(YEARS)
    joined = rows.join(
        table,
        left_on=["community_id", "reporting_year", "criterion_id"],
        right_on=["community_id", "reporting_year", "requirement_id"],
    )
    assert joined.filter(pl.col("status") != pl.col("status_right")).height == 0


def test_rows_that_no_requirement_stands_for_name_the_newest_rules_of_their_year_and_all_others_their_own() -> None:
    prepared = inputs()
    table = prepared.tables["fct_designation_requirement"].filter(reporting_year=2024, community_id=COMMUNITY)
    older = pl.col("designation") == "proof_point_initial"
    table = table.with_columns(ruleset_version=pl.when(older).then(pl.lit("1.0")).otherwise(pl.lit("2.0")))
    table = table.filter(pl.col("designation") != "systems_transformation")
    rows = criteria.designation_criteria(table, prepared.rubric)
    versions = rows.join(prepared.rubric.select("criterion_id", "gateway"), on="criterion_id")
    found = set(versions.select("gateway", "ruleset_version").iter_rows())
    assert found >= {
        ("proof_point_initial", "1.0"),
        ("proof_point_ongoing", "2.0"),
        ("systems_transformation", "2.0"),
    }
    assert len(found) == versions["gateway"].n_unique()


# ---- distance ----


def _slope_with(points: list[tuple[int, float]], year: int, value: float) -> float:
    return ols_slope([*points, (year, value)])


def _window(row: dict[str, Any], group: str) -> list[tuple[int, float]]:
    points = at_year(inputs().tables["trend_point_span"], row["reporting_year"]).filter(
        community_id=row["community_id"],
        indicator_id=row["indicator_id"],
        population_group_id=group,
        geography_id=row["community_id"],
        reporting_year=row["reporting_year"],
    )
    trend = (
        inputs()
        .tables["fct_trend"]
        .filter(
            community_id=row["community_id"],
            indicator_id=row["indicator_id"],
            population_group_id=group,
            geography_id=row["community_id"],
            reporting_year=row["reporting_year"],
        )
    )
    points = points.filter(
        (pl.col("series") == trend["series"][0])
        & pl.col("school_year").is_between(row["window_first_year"], row["last_year"])
    )
    valid = pl.col("left_out_reason").is_null() | pl.col("left_out_reason").is_in(VALID_LEFT_OUT)
    return list(points.filter(valid).sort("school_year").select("school_year", "value").iter_rows())


def test_the_stated_value_is_exactly_where_the_slope_turns() -> None:
    directions = dict(
        seed("dictionary/indicators").select("indicator_id", pl.col("direction").cast(pl.Int32)).iter_rows()
    )
    units = dict(seed("dictionary/indicators").select("indicator_id", "unit").iter_rows())
    rows = distance.designation_distance(inputs()).filter(pl.col("possible") & (pl.col("population_group_id") == "all"))
    assert rows.height > 30
    for row in rows.iter_rows(named=True):
        points, sign = _window(row, "all"), directions[row["indicator_id"]]
        assert len(points) + 1 == row["n_points"]
        slope = sign * _slope_with(points, row["next_year"], row["required_value"])
        mean = (sum(value for _, value in points) + row["required_value"]) / row["n_points"]
        tolerance = 0.5 if units[row["indicator_id"]] == "percent" else 0.005 * abs(mean)
        edge = -tolerance if row["required_status"] == "maintained" else 0.0
        assert slope == pytest.approx(edge, abs=1e-7 * max(1.0, abs(row["required_value"])))
        assert sign * _slope_with(points, row["next_year"], row["required_value"] + sign) > slope


def test_the_stated_value_of_a_group_lets_its_slope_pass_zero_and_the_references() -> None:
    rows = distance.designation_distance(inputs()).filter(pl.col("possible") & (pl.col("population_group_id") != "all"))
    assert rows.height > 50
    gaps = inputs().tables["fct_gap"]
    for row in rows.head(60).iter_rows(named=True):
        gap = gaps.filter(
            **{name: row[name] for name in ("community_id", "indicator_id", "population_group_id", "reporting_year")}
        )
        reference = gap["reference_group_id"][0]
        both = _common(row, reference, gap["series"][0])
        theirs = [*((year, other) for year, _, other in both), (row["next_year"], both[-1][2])]
        ours = [(year, value) for year, value, _ in both]
        edge = max(ols_slope(theirs), 0.0)
        assert _slope_with(ours, row["next_year"], row["required_value"]) == pytest.approx(edge, abs=1e-9)


def _common(row: dict[str, Any], reference: str, series: str) -> list[tuple[int, float, float]]:
    points = at_year(inputs().tables["trend_point_span"], row["reporting_year"]).filter(
        (pl.col("community_id") == row["community_id"])
        & (pl.col("geography_id") == row["community_id"])
        & (pl.col("indicator_id") == row["indicator_id"])
        & (pl.col("reporting_year") == row["reporting_year"])
        & (pl.col("series") == series)
        & pl.col("school_year").is_between(row["window_first_year"], row["last_year"])
        & (pl.col("left_out_reason").is_null() | pl.col("left_out_reason").is_in(VALID_LEFT_OUT))
    )
    ours, theirs = (
        points.filter(pl.col("population_group_id") == name).select("school_year", "value")
        for name in (row["population_group_id"], reference)
    )
    return list(ours.join(theirs, on="school_year").sort("school_year").iter_rows())


def test_distance_is_stated_for_what_is_not_met_only_and_ranked_nearest_first() -> None:
    rows = distance.designation_distance(inputs())
    keys = ["community_id", "designation", "reporting_year", "requirement_id"]
    required = inputs().tables["fct_designation_requirement"].filter(pl.col("status") == "met")
    assert rows.join(required, on=keys, how="semi").height == 0
    assert rows.filter(pl.col("current_status").is_in(["improving", "narrowed", "eliminated"])).height == 0
    assert rows.filter(pl.col("needed_more") < 1).height == 0
    first = rows.group_by(keys).agg(pl.col("rank").min().alias("least"), pl.col("rank").max().alias("most"), pl.len())
    assert first.filter((pl.col("least") != 1) | (pl.col("most") != pl.col("len"))).height == 0


def test_what_one_more_year_cannot_do_says_why() -> None:
    rows = distance.designation_distance(inputs()).filter(~pl.col("possible"))
    assert rows["reason"].null_count() == 0
    assert {"more_years_needed", "stale"} & set(rows["reason"])
    assert rows.filter(~pl.col("statement").str.contains("cannot turn with one more year")).height == 0


# ---- words ----


def test_a_record_is_told_in_lines_that_name_status_figures_years_and_sources() -> None:
    record = build_record(inputs(), COMMUNITY, "proof_point_ongoing", 2024)
    text = "\n".join(explain.explain_record(record, {}))
    assert f"{COMMUNITY}, proof_point_ongoing, reporting year 2024" in text
    assert "Requirements:" in text
    assert "values_2024.csv row" in text
    assert "outside window" in text
    assert record["record_id"] in text
    for row in record["computed"]["outcomes"]:
        assert f"Outcome {row['outcome_id']}:" in text


def test_one_outcome_can_be_told_alone_and_an_unknown_one_is_a_key_error() -> None:
    record = build_record(inputs(), COMMUNITY, "proof_point_ongoing", 2024)
    one = outcome_record(record, "employment", {})
    lines = explain.explain_outcome(one)
    assert lines[0] == f"{COMMUNITY}, employment, reporting year 2024"
    assert [line for line in lines if line.startswith("Outcome ")] == [lines[3]]
    assert not any("Computed:" in line or "Requirements" in line for line in lines)
    with pytest.raises(KeyError, match="holds no outcome nonsense"):
        outcome_record(record, "nonsense", {})


def test_an_outcome_record_holds_its_own_indicators_points_and_sources_in_order_of_years() -> None:
    record = build_record(inputs(), COMMUNITY, "proof_point_ongoing", 2024)
    folders = dict.fromkeys(record["submissions"], 2024)
    seen = 0
    for row in record["computed"]["outcomes"]:
        one = outcome_record(record, row["outcome_id"], folders)
        own = {t["indicator_id"] for t in record["computed"]["trends"] if t["outcome_id"] == row["outcome_id"]}
        assert one["outcome"] == row
        assert {p["indicator_id"] for p in [*one["trends"], *one["gaps"], *one["points"]]} <= own
        years = [(source["school_year"], source["folder_year"]) for source in one["sources"]]
        assert years == sorted(years)
        named = {(p["source_file"], p["source_row"]) for p in one["points"] if p["source_file"]}
        assert {(source["source_file"], source["source_row"]) for source in one["sources"]} == named
        keys = [(p["indicator_id"], p["population_group_id"], p["school_year"], p["series"]) for p in one["points"]]
        assert len(keys) == len(set(keys))
        seen += len(keys)
        assert json.loads(json.dumps(one)) == one
        for line in explain.explain_outcome(one):
            assert "folder unknown" not in line
            assert "None" not in line
    assert seen


def test_beside_a_frozen_outcome_stands_only_what_is_other_in_that_outcome() -> None:
    then = build_record(inputs(), COMMUNITY, "proof_point_ongoing", 2024)
    now = build_record(inputs(4), COMMUNITY, "proof_point_ongoing", 2024)
    for row in then["computed"]["outcomes"]:
        outcome_id = row["outcome_id"]
        own = {t["indicator_id"] for t in then["computed"]["trends"] if t["outcome_id"] == outcome_id} | {outcome_id}
        found = outcome_beside(then, now, outcome_id)
        assert found
        assert {difference.name.split(" ")[0] for difference in found} <= own
        assert beside_outcome(outcome_beside(then, then, outcome_id))[-1] == "Would be now: the same."
    assert outcome_beside(then, None, "employment") is None


@pytest.mark.parametrize("year", [2016, 2024])
def test_every_record_can_be_told(year: int) -> None:
    for record in build_records(inputs(), year):
        lines = explain.explain_record(record, {})
        assert all("None" not in line and "\n" not in line for line in lines)


def test_every_measure_of_a_requirement_names_the_inputs_it_is_decided_from() -> None:
    assert set(PARTS_OF_MEASURE) == {*designations.MEASURES, SCORE}


def test_freezing_a_record_does_not_change_its_id() -> None:
    record = build_record(inputs(), COMMUNITY, "proof_point_ongoing", 2024)
    assert record["state"] == PROVISIONAL
    assert verify(record | {"state": FROZEN})


def test_nothing_is_stated_about_the_distance_of_an_eligible_community() -> None:
    prepared = inputs()
    tables = dict(prepared.tables)
    tables["fct_designation"] = tables["fct_designation"].with_columns(pl.lit("eligible").alias("status"))
    changed = RecordInputs(prepared.context, tables, prepared.rubric, prepared.requirements, prepared.designations)
    rows = distance.designation_distance(changed)
    assert (rows.height, rows.schema) == (0, distance.designation_distance(prepared).schema)


def test_a_ruleset_without_designations_is_an_error() -> None:
    with pytest.raises(ValueError, match="no designation for ruleset 'nobody'"):
        designations.ruleset_rows(seed("rubric/designations"), "nobody")


def test_results_do_not_depend_on_the_order_in_which_rows_arrive() -> None:
    prepared = inputs()
    names = ("fct_trend", "trend_point_span", "fct_gap", "fct_outcome_status")
    figures = {name: prepared.tables[name].sample(fraction=1.0, shuffle=True, seed=1) for name in names}
    given, context = world(), prepared.context
    shuffled = {name: rows.sample(fraction=1.0, shuffle=True, seed=1) for name, rows in given.tables.items()}
    shuffled["int_values__known"] = known_values().sample(fraction=1.0, shuffle=True, seed=1)
    again_context = fact_context({**shuffled, **dictionary()}, context.scaffold, context.ruleset, given.today)
    again_decided = decide(again_context, figures, seeds())
    for name in ("fct_criterion_status", "fct_gateway_status", "fct_designation_requirement", "fct_designation"):
        assert again_decided.tables[name].equals(prepared.tables[name])
    assert distance.designation_distance(again_decided).equals(distance.designation_distance(prepared))


def test_behind_a_sum_stand_the_district_rows_of_the_outcomes_own_points() -> None:
    key = {"indicator_id": "i", "population_group_id": "all", "school_year": 2018, "series": "default"}
    row = {"numerator": 8, "denominator": 80, "reporting_year": 2018, "submission_id": "s"}
    north = {**key, **row, "geography_id": "north", "source_file": "n.csv", "source_row": 7}
    south = {**key, **row, "geography_id": "south", "source_file": "s.csv", "source_row": 2}
    own, other = {**north, "school_year": 2017}, {**north, "indicator_id": "another"}
    points = [{**key, "source_row": None}, {**key, "school_year": 2017, "source_row": 3}]
    behind = pooled_behind({"points": points}, [north, south, own, other])
    assert behind == [north, south]
    rows = "north 8 of 80, folder 2018 n.csv row 7 (s); south 8 of 80, folder 2018 s.csv row 2 (s)"
    assert pooled_lines(behind)[-1] == f"  i, all, 2018 [default]: {rows}."
    assert pooled_lines([]) == []


def test_beside_a_frozen_record_stand_first_the_decisions_that_are_other_and_then_a_line_for_each_fact() -> None:
    then = build_record(inputs(), COMMUNITY, "proof_point_ongoing", 2024)
    rule = {**then["parameters"], next(iter(then["parameters"])): "another"}
    other = {**then, "record_id": "another", "status": "another_status", "parameters": rule}
    sentence, head, *facts = beside_lines(then, other)
    assert sentence == FROZEN_SENTENCE
    assert head == f"Would be now: status another status, frozen as {then['status'].replace('_', ' ')}."
    (fact,) = facts
    assert fact.startswith(f"  rule {next(iter(then['parameters']))} another, frozen as ")
    same_statuses = {**other, "status": then["status"]}
    assert beside_lines(then, same_statuses)[1:] == ["Would be now: the same statuses, from other figures.", fact]
    assert beside_lines(then, then)[1:] == ["Would be now: the same record."]
    assert len(beside_lines(then, None)) == 2 and "nothing" in beside_lines(then, None)[1]


def test_an_indicator_without_a_trend_stands_in_the_record_without_a_year() -> None:
    held = known_values().filter(pl.col("indicator_id") != "graduation_4yr_pct")
    (record, *_) = build_records(analysed(world(), held, COMMUNITIES), 2023)
    (blank,) = [trend for trend in record["computed"]["trends"] if trend["indicator_id"] == "graduation_4yr_pct"]
    told = ("trend_status", "reason", "n_years", "first_year", "slope")
    assert [blank[name] for name in told] == ["undetermined", "no_data", 0, None, None]
