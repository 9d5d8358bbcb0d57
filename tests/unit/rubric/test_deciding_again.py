"""Deciding again from a record written down here: each rule at its edges, and trends and gaps as in reference.py.

Belongs here: hand-made and drawn records, what is decided from them. Does not: records of a run (test_records.py).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dagster_project.lib.analysis.records.inputs import (
    CRITERION_COLUMNS,
    DECISION_COLUMNS,
    EXAMPLE_COLUMNS,
    POINT_COLUMNS,
    SCORE_COLUMNS,
)
from dagster_project.lib.analysis.records.recompute import months_later, recompute, stated
from dagster_project.lib.analysis.vocabulary import VALID_LEFT_OUT
from tests.unit.analysis import reference

from .conftest import ruleset_parameters

Row = dict[str, Any]
YEAR = 2024
COLUMNS = {
    **dict.fromkeys(("core", "adjacent", "gap"), POINT_COLUMNS),
    "criteria": CRITERION_COLUMNS,
    "examples": EXAMPLE_COLUMNS,
    "decisions": DECISION_COLUMNS,
    "scores": SCORE_COLUMNS,
}
UNREVIEWED = {"codes": ["a"], "review_months": None, "grace_months": None, "succeeded_by": []}


def record(
    parts: Mapping[str, Sequence[Row]] | None = None,
    computed: Row | None = None,
    rules: Sequence[Row] = (),
    review: Row | None = None,
    day: str = f"{YEAR}-12-31",
    rubric: Row | None = None,
    **parameters: str,
) -> Row:
    """A record of rows by name; what a row does not give is null."""
    given = {
        name: [[row.get(column) for column in COLUMNS[name]] for row in rows] for name, rows in (parts or {}).items()
    }
    present = {"examples": "examples" in given}
    return {
        "reporting_year": YEAR,
        "assessment_date": day,
        "parameters": ruleset_parameters("toa-default")
        | {name.replace("__", "."): v for name, v in parameters.items()},
        "rules": [{"requirement_id": "r", "at_least": None, "share": None, "wanted": []} | rule for rule in rules],
        "review": review or UNREVIEWED,
        "computed": computed or {},
        "inputs": {
            "decisions": [],
            **given,
            "columns": COLUMNS,
            "registers_present": present,
            "rubric": rubric or {},
        },
    }


def required(rule: Row, **of: Any) -> str:
    """The status of one requirement."""
    return str(recompute(record(rules=[rule], **of))["requirements"]["r"])


# Trends and gaps

INDICATOR, GROUP, REFERENCE = "i", "race_ethnicity:black", "race_ethnicity:white"


def trend_row(indicator: str = INDICATOR, direction: int = 1, unit: str = "percent", **more: Any) -> Row:
    return {"indicator_id": indicator, "direction": direction, "unit": unit, "outcome_id": "o", "role": "core"} | more


def points(values: Mapping[int, float], indicator: str = INDICATOR, group: str = "all") -> list[Row]:
    at = {"indicator_id": indicator, "population_group_id": group, "series": "default"}
    return [{**at, "school_year": year, "value": value} for year, value in values.items()]


def as_reference(rows: Sequence[Row], group: str) -> list[Row]:
    """The same points as reference.py takes them: those that were left out as invalid have too few persons."""
    return [
        {
            **{name: row[name] for name in ("series", "school_year", "value")},
            **dict.fromkeys(("value_low", "value_high")),
            "value_status": "reported",
            "denominator": 9 if row["left_out_reason"] == "small_n" else None,
        }
        for row in rows
        if row["population_group_id"] == group
    ]


cells = st.tuples(
    st.sampled_from([46.0, 48.0, 49.0, 49.5, 50.0, 50.5, 51.0, 52.0]),
    st.sampled_from([None, None, None, *VALID_LEFT_OUT, "small_n"]),
)
series_drawn = st.tuples(
    st.sampled_from([YEAR - 8, YEAR - 5, YEAR - 4, YEAR - 3]),
    st.lists(st.one_of(cells, cells, cells, st.none()), min_size=3, max_size=9),
    st.booleans(),
)


@st.composite
def points_drawn(draw: st.DrawFn) -> list[Row]:
    """Points of the total and of two groups in up to two series, with holes; some rise all the way."""
    rows = []
    for group in ("all", GROUP, REFERENCE):
        for label in draw(st.sampled_from(["a", "a", "ab", "Ba"])):
            first, held, rising = draw(series_drawn)
            values = iter(sorted(cell[0] for cell in held if cell) if rising else [cell[0] for cell in held if cell])
            at = {"indicator_id": INDICATOR, "population_group_id": group, "series": label}
            rows += [
                {**at, "school_year": first + n, "value": next(values), "left_out_reason": cell[1]}
                for n, cell in enumerate(held)
                if cell and first + n <= YEAR
            ]
    return rows


def gap_rows() -> list[Row]:
    return [{"indicator_id": INDICATOR, "population_group_id": GROUP, "reference_group_id": REFERENCE}]


@settings(max_examples=400, derandomize=True)
@given(points_drawn(), st.sampled_from([1, -1, 0]), st.sampled_from(["percent", "number"]))
def test_any_points_give_the_trend_and_the_gap_of_the_plain_computation(
    drawn: list[Row], direction: int, unit: str
) -> None:
    totals = [row for row in drawn if row["population_group_id"] == "all"]
    groups = [row for row in drawn if row["population_group_id"] != "all"]
    computed = {"trends": [trend_row(direction=direction, unit=unit)], "gaps": gap_rows()}
    found = recompute(record({"core": totals, "gap": groups}, computed))
    ours, theirs = (as_reference(drawn, group) for group in (GROUP, REFERENCE))
    trend = reference.trend(as_reference(drawn, "all"), YEAR, direction, unit)
    assert found["trends"] == {INDICATOR: trend["trend_status"]}
    assert found["gaps"] == {f"{INDICATOR} {GROUP}": reference.gap(ours, theirs, YEAR, direction)["gap_status"]}


STEP = 5 / 16
any_steps = st.lists(st.tuples(st.integers(-6, 6), st.integers(-6, 6)), min_size=4, max_size=5)
# A group that comes close to its reference: what closes a gap is decided among these.
closing_steps = st.lists(st.integers(-6, 6), min_size=4, max_size=5).flatmap(
    lambda ours: st.tuples(*(st.tuples(st.just(each), st.integers(0, 6)) for each in sorted(ours))).map(list)
)


@settings(max_examples=600, derandomize=True)
@given(st.one_of(any_steps, closing_steps), st.sampled_from([1, -1]))
def test_a_figure_at_the_very_edge_of_a_rule_falls_to_the_same_side_as_in_the_plain_computation(
    steps: list[tuple[int, int]], direction: int
) -> None:
    """Steps and tolerance are such that slopes, means and gaps of four and of five years are exact."""
    years = range(YEAR - len(steps) + 1, YEAR + 1)
    ours, theirs = ({year: 50 + STEP * pair[i] for year, pair in zip(years, steps, strict=True)} for i in (0, 1))
    given = {"core": points(ours), "gap": [*points(ours, group=GROUP), *points(theirs, group=REFERENCE)]}
    computed = {"trends": [trend_row(direction=direction)], "gaps": gap_rows()}
    found = recompute(record(given, computed, numeric__epsilon="0.25"))
    rows = [
        as_reference([{**row, "left_out_reason": None} for row in points(v, group=GROUP)], GROUP)
        for v in (ours, theirs)
    ]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reference, "EPS", 0.25)
        trend, gap = reference.trend(rows[0], YEAR, direction, "percent"), reference.gap(*rows, YEAR, direction)
    assert found["trends"] == {INDICATOR: trend["trend_status"]}
    assert found["gaps"] == {f"{INDICATOR} {GROUP}": gap["gap_status"]}


def test_a_trend_needs_years_as_far_apart_as_the_ruleset_says_and_of_series_of_the_same_years_the_last_label() -> None:
    given = {"core": points({2020: 50, 2022: 51, 2024: 52})}
    for span, expected in (("4", "improving"), ("5", "undetermined")):
        found = recompute(record(given, {"trends": [trend_row()]}, trend__min_span_years=span))
        assert found["trends"] == {INDICATOR: expected}
    rising, falling = (points({2022: 50, 2023: 50 + n, 2024: 50 + 2 * n}) for n in (1, -1))
    for label, expected in (("a", "improving"), ("z", "declining")):
        both = [*rising, *({**row, "series": label} for row in falling)]
        assert recompute(record({"core": both}, {"trends": [trend_row()]}))["trends"] == {INDICATOR: expected}


def test_a_point_is_of_its_indicator_and_group_alone() -> None:
    up, down = {2022: 50, 2023: 51, 2024: 52}, {2022: 52, 2023: 50, 2024: 48}
    given = {"core": [*points(up, "i"), *points(down, "k")], "adjacent": points(down, "l")}
    computed = {"trends": [trend_row("i"), trend_row("k"), trend_row("l", role="adjacent"), trend_row("m")]}
    found = recompute(record(given, computed))
    assert found["trends"] == {"i": "improving", "k": "declining", "l": "declining", "m": "undetermined"}


# Outcomes

RISING, LEVEL, FALLING = ({2022: 50.0, 2023: 50 + n, 2024: 50 + 2 * n} for n in (1.0, 0.0, -1.0))
BY_STATUS = {"improving": RISING, "maintained": LEVEL, "declining": FALLING, "undetermined": {}}
TRENDS = [
    ([], "undetermined"),
    (["undetermined"], "undetermined"),
    (["improving"], "improving"),
    (["improving", "undetermined"], "improving"),
    (["improving", "declining"], "mixed"),
    (["improving", "maintained"], "maintained"),
    (["maintained", "declining"], "mixed"),
    (["improving", "improving", "declining"], "improving"),
    (["improving", "maintained", "declining"], "maintained"),
    (["improving", "declining", "declining"], "declining"),
    (["declining"], "declining"),
]


@pytest.mark.parametrize(("states", "expected"), TRENDS)
def test_an_outcome_without_a_primary_has_the_trend_of_more_than_half_of_its_known_indicators(
    states: list[str], expected: str
) -> None:
    assert reference.majority_status(states) == expected
    names = [f"i{n}" for n in range(len(states))]
    others = [trend_row("other", outcome_id="p"), trend_row("near", role="adjacent")]
    given = {"core": [p for n, state in zip(names, states, strict=True) for p in points(BY_STATUS[state], n)]}
    given["core"] += [*points(FALLING, "other"), *points(FALLING, "near")]
    computed = {
        "trends": [*map(trend_row, names), *others],
        "outcomes": [{"outcome_id": "o", "deciding_indicator_id": None}],
    }
    assert recompute(record(given, computed))["outcomes"] == {"o": [expected, None]}


@pytest.mark.parametrize(("epsilon", "trend", "gap"), [("0.5", "mixed", "not_met"), ("0.25", "improving", "met")])
def test_a_majority_is_more_than_half_and_the_tolerance(epsilon: str, trend: str, gap: str) -> None:
    """Of one indicator and one group: one against a half and the tolerance."""
    points_of_gap, gaps = gaps_of("i", ["narrowed"])
    computed = {
        "trends": [trend_row("i")],
        "gaps": gaps,
        "outcomes": [{"outcome_id": "o", "deciding_indicator_id": None}],
    }
    given = {"core": points(RISING, "i"), "gap": points_of_gap}
    assert recompute(record(given, computed, numeric__epsilon=epsilon))["outcomes"] == {"o": [trend, gap]}


@pytest.mark.parametrize(("deciding", "expected"), [("i0", "improving"), ("i1", "declining"), ("i2", "undetermined")])
def test_an_outcome_with_a_primary_has_its_trend(deciding: str, expected: str) -> None:
    given = {"core": [*points(RISING, "i0"), *points(FALLING, "i1"), *points(RISING, "i3"), *points(RISING, "i4")]}
    trends = [trend_row(f"i{n}") for n in range(5)]
    computed = {"trends": trends, "outcomes": [{"outcome_id": "o", "deciding_indicator_id": deciding}]}
    assert recompute(record(given, computed))["outcomes"] == {"o": [expected, None]}


def test_a_primary_of_which_nothing_is_chosen_says_nothing() -> None:
    computed = {
        "trends": [trend_row("i0", role="adjacent")],
        "outcomes": [{"outcome_id": "o", "deciding_indicator_id": "i0"}],
    }
    assert recompute(record({"core": points(RISING, "i0")}, computed))["outcomes"] == {"o": ["undetermined", None]}


AT_REFERENCE = {2022: 60.0, 2023: 60.0, 2024: 60.0}
BY_CLASS = {
    "narrowed": {2022: 50.0, 2023: 51.0, 2024: 52.0},
    "eliminated": {2022: 57.0, 2023: 60.0, 2024: 63.0},
    "widened": {2022: 50.0, 2023: 49.0, 2024: 48.0},
    "unchanged": {2022: 50.0, 2023: 50.0, 2024: 50.0},
    "reversed": {2022: 70.0, 2023: 71.0, 2024: 72.0},
    "no_gap_at_baseline": {2022: 60.0, 2023: 61.0, 2024: 62.0},
    "undetermined": {},
}
VERDICTS = [
    ([], "undetermined"),
    (["undetermined", "reversed", "no_gap_at_baseline"], "undetermined"),
    (["narrowed"], "met"),
    (["eliminated", "reversed"], "met"),
    (["narrowed", "widened"], "not_met"),
    (["narrowed", "eliminated", "widened"], "met"),
    (["narrowed", "widened", "unchanged"], "not_met"),
]


def gaps_of(indicator: str, classes: Sequence[str]) -> tuple[list[Row], list[Row]]:
    """Points and gaps of an indicator whose groups fare so."""
    names = [f"race_ethnicity:g{n}" for n in range(len(classes))]
    rows = points(AT_REFERENCE, indicator, REFERENCE)
    rows += [p for name, kind in zip(names, classes, strict=True) for p in points(BY_CLASS[kind], indicator, name)]
    return rows, [
        {**gap, "indicator_id": indicator, "population_group_id": name} for name in names for gap in gap_rows()
    ]


@pytest.mark.parametrize("kind", BY_CLASS)
def test_each_class_of_a_gap_is_told_again(kind: str) -> None:
    rows, gaps = gaps_of("i", [kind])
    found = recompute(record({"gap": rows}, {"trends": [trend_row("i")], "gaps": gaps}))
    assert found["gaps"] == {"i race_ethnicity:g0": kind}


@pytest.mark.parametrize(("classes", "expected"), VERDICTS)
def test_gaps_of_an_indicator_are_reduced_where_more_than_half_of_those_that_count_are(
    classes: list[str], expected: str
) -> None:
    rows, gaps = gaps_of("i", classes)
    other_rows, other_gaps = gaps_of("i2", ["widened", "widened", "widened"])
    computed = {
        "trends": [trend_row("i"), trend_row("i2")],
        "gaps": [*gaps, *other_gaps],
        "outcomes": [{"outcome_id": "o", "deciding_indicator_id": "i"}],
    }
    found = recompute(record({"gap": [*rows, *other_rows]}, computed))
    assert found["outcomes"] == {"o": ["undetermined", expected]}


@pytest.mark.parametrize(
    ("of_each", "expected"),
    [
        ([["narrowed"], ["undetermined"]], "met"),
        ([["narrowed"], ["widened"]], "not_met"),
        ([["narrowed"], ["narrowed"], ["widened"]], "met"),
        ([["undetermined"]], "undetermined"),
    ],
)
def test_gaps_of_an_outcome_are_reduced_where_more_than_half_of_its_known_indicators_are(
    of_each: list[list[str]], expected: str
) -> None:
    made = [gaps_of(f"i{n}", classes) for n, classes in enumerate(of_each)]
    computed = {
        "trends": [trend_row(f"i{n}") for n in range(len(of_each))],
        "gaps": [gap for _, gaps in made for gap in gaps],
        "outcomes": [{"outcome_id": "o", "deciding_indicator_id": None}],
    }
    found = recompute(record({"gap": [row for rows, _ in made for row in rows]}, computed))
    assert found["outcomes"]["o"][1] == expected


# Requirements


def counted(states: Sequence[str], **rule: Any) -> str:
    """Whether indicators that fare so meet a requirement of core indicators that improve."""
    names = [f"i{n}" for n in range(len(states))]
    given = {"core": [p for n, state in zip(names, states, strict=True) for p in points(BY_STATUS[state], n)]}
    given["core"] += points(FALLING, "near")
    computed = {"trends": [*map(trend_row, names), trend_row("near", role="adjacent")]}
    return required(
        {"measure": "core_indicator_trends", "wanted": ["improving"], **rule}, parts=given, computed=computed
    )


UP, DOWN, OPEN = "improving", "declining", "undetermined"


@pytest.mark.parametrize(
    ("states", "rule", "expected"),
    [
        ([UP, UP, DOWN], {"at_least": 2.0}, "met"),
        ([UP, DOWN, DOWN], {"at_least": 2.0}, "not_met"),
        ([UP, OPEN, DOWN], {"at_least": 2.0}, "undetermined"),
        ([OPEN, OPEN], {"at_least": 2.0}, "undetermined"),
        ([OPEN, DOWN], {"at_least": 2.0}, "not_met"),
        ([DOWN], {"at_least": 0.0}, "met"),
        ([UP, DOWN], {"share": 0.5}, "met"),
        ([UP, DOWN, DOWN], {"share": 0.5}, "not_met"),
        ([UP, OPEN, DOWN], {"share": 0.5}, "undetermined"),
        ([UP, OPEN, DOWN], {"share": 0.7}, "not_met"),
        ([UP, UP, DOWN], {"share": 2 / 3}, "met"),
        ([], {"share": 0.5}, "not_met"),
        ([UP, UP], {}, "met"),
        ([UP, OPEN], {}, "undetermined"),
        ([UP, DOWN], {}, "not_met"),
        ([], {}, "met"),
    ],
)
def test_a_requirement_counts_members_or_their_share_or_asks_for_all(
    states: list[str], rule: Row, expected: str
) -> None:
    assert counted(states, **rule) == expected


@pytest.mark.parametrize(("needed", "expected"), [("2.25", "met"), ("2.26", "not_met")])
def test_as_many_as_are_needed_counts_to_the_tolerance(needed: str, expected: str) -> None:
    rule = {"measure": "core_indicator_trends", "wanted": [UP], "at_least": float(needed)}
    given = {"core": [*points(RISING, "i"), *points(RISING, "k")]}
    computed = {"trends": [trend_row("i"), trend_row("k")]}
    assert required(rule, parts=given, computed=computed, numeric__epsilon="0.25") == expected


@pytest.mark.parametrize("measure", ["adjacent_trends", "outcome_trends", "outcome_gaps"])
def test_without_members_nothing_is_known_of_what_is_there_whether_or_not_it_is_filed(measure: str) -> None:
    rule = {"measure": measure, "wanted": [UP, "met"], "at_least": 1.0}
    assert required(rule, computed={"trends": [trend_row("i")], "outcomes": []}) == "undetermined"


def test_trends_and_gaps_of_outcomes_and_adjacent_indicators_are_each_counted_by_their_own() -> None:
    rows, gaps = gaps_of("i", ["narrowed"])
    given = {"core": points(FALLING, "i"), "adjacent": points(RISING, "near"), "gap": rows}
    computed = {
        "trends": [trend_row("i"), trend_row("near", role="adjacent")],
        "gaps": gaps,
        "outcomes": [{"outcome_id": "o", "deciding_indicator_id": None}],
    }
    one = {"parts": given, "computed": computed}
    assert required({"measure": "outcome_trends", "wanted": ["declining"]}, **one) == "met"
    assert required({"measure": "outcome_gaps", "wanted": ["met"]}, **one) == "met"
    assert required({"measure": "adjacent_trends", "wanted": ["improving"]}, **one) == "met"
    assert required({"measure": "core_indicator_trends", "wanted": ["improving"]}, **one) == "not_met"


def test_an_indicator_without_a_direction_is_neither_met_nor_missed() -> None:
    one = {"parts": {"core": points(RISING)}, "computed": {"trends": [trend_row(direction=0)]}}
    assert required({"measure": "core_indicator_trends", "wanted": [UP], "at_least": 1.0}, **one) == "undetermined"


@pytest.mark.parametrize(
    ("scores", "least", "expected"),
    [
        ([("2023-01-01", 80.0)], 80.0, "met"),
        ([("2023-01-01", 79.9)], 80.0, "not_met"),
        ([("2023-01-01", 90.0), ("2024-01-01", 70.0)], 80.0, "not_met"),
        ([("2024-01-01", 90.0), ("2023-01-01", 70.0)], 80.0, "met"),
        ([("2023-01-01", 90.0)], None, "undetermined"),
        ([("2023-01-01", 0.0)], 0.0, "met"),
        ([], 80.0, "undetermined"),
    ],
)
def test_the_latest_score_of_its_code_is_held_against_the_minimum(
    scores: list[tuple[str, float]], least: float | None, expected: str
) -> None:
    rows = [{"code": "a", "decided_on": day, "score": score} for day, score in scores]
    rows.append({"code": "b", "decided_on": "2024-06-01", "score": 1.0})
    rule = {"measure": "score", "wanted": ["a"], "at_least": least}
    assert required(rule, parts={"scores": rows}) == expected


def test_a_score_counts_to_the_tolerance() -> None:
    rule = {"measure": "score", "wanted": ["a"], "at_least": 80.25}
    for score, expected in ((80.0, "met"), (79.99, "not_met")):
        rows = [{"code": "a", "decided_on": "2024-01-01", "score": score}]
        assert required(rule, parts={"scores": rows}, numeric__epsilon="0.25") == expected


def decision(day: str, code: str = "a", decision: str = "granted", kind: str = "designation") -> Row:
    return {"kind": kind, "code": code, "decision": decision, "decided_on": day}


PROOF = "proof_point_initial"
EXAMPLE = {"example_id": "e", "status": "accepted", "first_evidenced_on": "2020-03-01"}


@pytest.mark.parametrize(
    ("day", "earlier", "additional"),
    [("2020-03-01", "not_met", "not_met"), ("2020-02-29", "met", "met"), ("2020-03-02", "not_met", "not_met")],
)
def test_an_example_is_earlier_up_to_the_day_of_the_previous_decision_and_additional_after_it(
    day: str, earlier: str, additional: str
) -> None:
    """The only example is accepted: as an earlier one it should have been sustained."""
    given = {"examples": [EXAMPLE], "decisions": [decision(day, PROOF)]}
    assert required({"measure": "earlier_examples", "wanted": ["sustained"]}, parts=given) == earlier
    rule = {"measure": "additional_examples", "wanted": ["accepted"], "at_least": 1.0}
    assert required(rule, parts=given) == additional


@pytest.mark.parametrize(
    ("decisions", "day"),
    [
        ([decision("2020-01-01", PROOF)], "2020-01-01"),
        ([decision("2020-01-01", PROOF), decision("2022-01-01", "proof_point_ongoing")], "2022-01-01"),
        ([decision("2022-01-01", PROOF), decision("2020-01-01", PROOF)], "2022-01-01"),
        ([decision("2020-01-01", PROOF), decision("2022-01-01", PROOF, "revoked")], "2020-01-01"),
        ([decision("2020-01-01", PROOF), decision("2022-01-01", "another")], "2020-01-01"),
        ([decision("2020-01-01", PROOF), decision("2022-01-01", PROOF, kind="gateway")], "2020-01-01"),
        ([decision("2020-01-01", PROOF), decision("2022-01-01", PROOF, "renewed")], "2022-01-01"),
    ],
)
def test_the_previous_decision_is_the_last_that_granted_or_renewed_a_proof_point(
    decisions: list[Row], day: str
) -> None:
    after = (dt.date.fromisoformat(day) + dt.timedelta(1)).isoformat()
    rule = {"measure": "additional_examples", "wanted": ["accepted"], "at_least": 1.0}
    for first, expected in ((day, "not_met"), (after, "met")):
        given = {"examples": [{**EXAMPLE, "first_evidenced_on": first}], "decisions": decisions}
        assert required(rule, parts=given) == expected


@pytest.mark.parametrize("measure", ["earlier_examples", "additional_examples"])
def test_examples_say_nothing_without_a_previous_decision_or_the_register(measure: str) -> None:
    rule = {"measure": measure, "wanted": ["accepted"]}
    none = {"examples": [EXAMPLE], "decisions": [decision("2021-01-01", PROOF, "revoked")]}
    assert required(rule, parts=none) == "undetermined"
    assert required(rule, parts={"decisions": [decision("2021-01-01", PROOF)]}) == "undetermined"
    undated = {"examples": [{**EXAMPLE, "first_evidenced_on": None}], "decisions": [decision("2021-01-01", PROOF)]}
    assert required(rule, parts=undated) == "met", "there is none, so none fell back and none is missing"


@pytest.mark.parametrize(("status", "expected"), [("ended", "not_met"), ("sustained", "met"), ("proposed", "met")])
def test_only_accepted_examples_can_fall_back(status: str, expected: str) -> None:
    given = {"examples": [{**EXAMPLE, "status": status}], "decisions": [decision("2021-01-01", PROOF)]}
    assert required({"measure": "earlier_examples", "wanted": ["sustained"]}, parts=given) == expected


def test_a_proof_point_is_active_by_the_review_and_grace_of_the_ruleset() -> None:
    rule = {"measure": "active_proof_point", "wanted": ["active", "review_due", "grace"]}
    for day, expected in (
        ("2022-12-31", "met"),
        ("2021-12-31", "met"),
        ("2021-12-30", "not_met"),
        ("2024-12-01", "met"),
    ):
        assert required(rule, parts={"decisions": [decision(day, "proof_point_ongoing")]}) == expected, day
    assert required(rule) == "not_met"


@pytest.mark.parametrize(
    ("statuses", "expected"),
    [
        (["met", "met"], "eligible"),
        (["met", "undetermined"], "undetermined"),
        (["not_met", "undetermined"], "not_eligible"),
        ([], "undetermined"),
    ],
)
def test_a_determination_is_all_of_its_requirements(statuses: list[str], expected: str) -> None:
    scores = {"met": 1.0, "not_met": 0.0}
    given = {"scores": [{"code": s, "decided_on": "2024-01-01", "score": n} for s, n in scores.items()]}
    rules = [
        {"requirement_id": f"r{n}", "measure": "score", "wanted": [status], "at_least": 1.0}
        for n, status in enumerate(statuses)
    ]
    found = recompute(record(given, rules=rules))
    assert list(found["requirements"].values()) == statuses
    assert found["status"] == expected


# Gateways

LOGIC = {"exploring.1.1": ["n_of_m", 2.0, None]}


def criteria(**statuses: str | None) -> list[Row]:
    """Criteria by own status; a name is written with _ for a dot."""
    return [
        {"criterion_id": name.replace("_", "."), "own_status": status, "reason": None}
        for name, status in statuses.items()
    ]


def gateways(rows: Sequence[Row], rubric: Row | None = None, **parameters: str) -> Row:
    return dict(recompute(record({"criteria": rows}, rubric=rubric, **parameters))["gateways"])


def test_a_gateway_is_the_least_of_its_own_criteria_and_of_all_gateways_before_it() -> None:
    rows = criteria(exploring_1_1="met", emerging_1_1="undetermined", emerging_1_2="met", sustaining_1_1="met")
    assert gateways(rows) == {"exploring": "met", "emerging": "undetermined", "sustaining": "undetermined"}
    rows = criteria(exploring_1_1="met", emerging_1_1="undetermined", sustaining_1_1="not_met")
    assert gateways(rows) == {"exploring": "met", "emerging": "undetermined", "sustaining": "not_met"}
    rows = criteria(exploring_1_1="met", emerging_1_1="met", emerging_1_2="not_met", sustaining_1_1="met")
    assert gateways(rows) == {"exploring": "met", "emerging": "not_met", "sustaining": "not_met"}
    assert gateways(criteria(sustaining_1_1="met")) == {"sustaining": "met"}, "the others are not in the record"
    assert recompute(record())["gateways"] == {}


@pytest.mark.parametrize(
    ("children", "own", "logic", "expected"),
    [
        (["met", "met", "not_met"], None, ["n_of_m", 2.0, None], "met"),
        (["met", "not_met", "not_met"], None, ["n_of_m", 2.0, None], "not_met"),
        (["met", "undetermined", "not_met"], None, ["n_of_m", 2.0, None], "undetermined"),
        (["met", "met", "not_met"], None, ["n_of_m", 2.0, "exploring.1.1.a"], "met"),
        (["not_met", "met", "met"], None, ["n_of_m", 2.0, "exploring.1.1.a"], "not_met"),
        (["undetermined", "met", "met"], None, ["n_of_m", 2.0, "exploring.1.1.a"], "undetermined"),
        (["met", "met", "not_met"], "met", ["own_and_n_of_m", 2.0, None], "met"),
        (["met", "met", "not_met"], "undetermined", ["own_and_n_of_m", 2.0, None], "undetermined"),
        (["met", "not_met", "not_met"], "met", ["own_and_n_of_m", 2.0, None], "not_met"),
        (["met", "met", "met"], "met", ["own_and_all_of", None, None], "met"),
        (["met", "undetermined", "met"], "met", ["own_and_all_of", None, None], "undetermined"),
        (["met", "met", "met"], "not_met", ["own_and_all_of", None, None], "not_met"),
        (["met", "not_met", "met"], None, ["all_of", None, None], "not_met"),
    ],
)
def test_a_criterion_with_children_is_decided_by_its_logic(
    children: list[str], own: str | None, logic: list[Any], expected: str
) -> None:
    parts = {f"exploring_1_1_{letter}": status for letter, status in zip("abc", children, strict=True)}
    rows = criteria(exploring_1_1=own, exploring_1_10="met", **parts)
    assert gateways(rows, {"exploring.1.1": logic}) == {"exploring": expected}


def test_an_override_is_the_criterion_s_status_whatever_its_children_say() -> None:
    rows = criteria(exploring_1_1="met", exploring_1_1_a="not_met", exploring_1_1_b="not_met")
    rows[0]["reason"] = "override"
    assert gateways(rows, LOGIC) == {"exploring": "met"}


@pytest.mark.parametrize(
    ("one", "expected"), [("met", "met"), ("undetermined", "undetermined"), ("not_met", "not_met")]
)
def test_a_requirement_of_gateways_asks_for_each_of_them(one: str, expected: str) -> None:
    rule = {"measure": "gateways_met", "wanted": ["exploring", "emerging"]}
    given = {"criteria": criteria(exploring_1_1="met", emerging_1_1=one, sustaining_1_1="not_met")}
    assert required(rule, parts=given) == expected


# Standing


def standing(*decisions: Row, day: str = f"{YEAR}-12-31", **review: Any) -> str:
    given = UNREVIEWED | {"codes": ["a", "b"], "review_months": 24, "grace_months": 12} | review
    return str(recompute(record({"decisions": decisions}, review=given, day=day))["standing"])


@pytest.mark.parametrize(
    ("granted", "day", "expected"),
    [
        ("2022-03-01", "2024-02-29", "active"),
        ("2022-03-01", "2024-03-01", "review_due"),
        ("2022-01-01", "2024-12-31", "review_due"),
        ("2021-12-31", "2024-12-31", "grace"),
        ("2021-12-30", "2024-12-31", "lapsed"),
        ("2021-06-30", "2024-06-30", "grace"),
        ("2021-06-29", "2024-06-30", "lapsed"),
        ("2020-01-01", "2024-12-31", "lapsed"),
    ],
)
def test_a_designation_is_active_to_its_review_then_due_to_the_end_of_the_year_then_in_grace_then_lapsed(
    granted: str, day: str, expected: str
) -> None:
    assert standing(decision(granted), day=day) == expected


def test_the_last_decision_on_one_of_the_codes_counts() -> None:
    old, new = decision("2015-01-01"), decision("2024-01-01", "b")
    assert standing() == standing(decision("2024-01-01", "c")) == "none"
    assert standing(decision("2024-01-01", kind="gateway")) == "none"
    assert standing(old, new) == standing(new, old) == "active"
    assert standing(old, decision("2024-01-01", "b", "revoked")) == "revoked"
    assert standing(decision("2024-01-01", decision="revoked"), decision("2024-02-01")) == "active"
    # Of one day the code that sorts last.
    assert standing(decision("2024-01-01", "a", "revoked"), decision("2024-01-01", "b")) == "active"
    assert standing(decision("2024-01-01", "b"), decision("2024-01-01", "a", "revoked")) == "active"
    assert standing(old, review_months=None, grace_months=None) == "active"


def test_a_designation_is_succeeded_once_a_successor_was_granted_unless_it_was_revoked_itself() -> None:
    mine, after = decision("2024-01-01"), decision("2024-02-01", "next")
    assert standing(mine, after, succeeded_by=["next"]) == "succeeded"
    assert standing(mine, decision("2024-02-01", "next", "revoked"), succeeded_by=["next"]) == "active"
    assert standing(mine, after, succeeded_by=["other"]) == "active"
    assert standing(decision("2024-01-01", decision="revoked"), after, succeeded_by=["next"]) == "revoked"
    assert standing(mine, decision("2024-02-01", "next", kind="gateway"), succeeded_by=["next"]) == "active"


def test_records_of_before_successors_name_none() -> None:
    review = {name: value for name, value in UNREVIEWED.items() if name != "succeeded_by"}
    assert recompute(record({"decisions": [decision("2015-01-01")]}, review=review))["standing"] == "active"


@pytest.mark.parametrize(
    ("day", "months", "expected"),
    [
        ("2022-01-31", 1, "2022-02-28"),
        ("2024-01-31", 1, "2024-02-29"),
        ("2022-01-15", 0, "2022-01-15"),
        ("2022-01-15", 11, "2022-12-15"),
        ("2022-01-15", 12, "2023-01-15"),
        ("2022-12-15", 1, "2023-01-15"),
        ("2022-12-31", 24, "2024-12-31"),
        ("2022-10-31", 13, "2023-11-30"),
    ],
)
def test_months_later_is_the_same_day_or_the_last_of_a_shorter_month(day: str, months: int, expected: str) -> None:
    assert months_later(dt.date.fromisoformat(day), months) == dt.date.fromisoformat(expected)


# What a record states


def test_what_a_record_states_of_an_outcome_s_gaps_is_nothing_where_it_holds_none() -> None:
    outcome = {"outcome_id": "o", "trend_status": "mixed", "gap_reduced": "met"}
    gateways = {"exploring": "met", "systems_change": "not_met"}
    kept = {"status": "eligible", "standing": "none", "requirements": [{"requirement_id": "r", "status": "met"}]}
    without = stated({**record(), **kept, "computed": {"outcomes": [outcome], "gateways": gateways}})
    assert without["outcomes"] == {"o": ["mixed", None]}
    assert without["gateways"] == {"exploring": "met"}, "those that the first designation asks for"
    gap = {"indicator_id": "i", "population_group_id": "g", "gap_status": "widened"}
    held = stated({**record(), **kept, "computed": {"outcomes": [outcome], "gaps": [gap]}})
    assert (held["outcomes"], held["gaps"]) == ({"o": ["mixed", "met"]}, {"i g": "widened"})
    assert (held["status"], held["standing"], held["requirements"]) == ("eligible", "none", {"r": "met"})
