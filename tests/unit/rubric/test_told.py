"""Records in words, line by line, and what is told beside a frozen one.

Belongs here: records written down here with every kind of line that there is, and the lines.
Does not: records of a run (test_records.py).
"""

from __future__ import annotations

from typing import Any

import pytest

from dagster_project.lib.analysis.records import explain
from dagster_project.lib.analysis.records.beside import beside_lines, beside_outcome, differences, would_be_now
from dagster_project.lib.analysis.records.one_outcome import (
    outcome_beside,
    outcome_record,
    outcome_would_be_now,
    pooled_behind,
)

Row = dict[str, Any]
POINT = ("indicator_id", "population_group_id", "series", "school_year", "value", "denominator", "left_out_reason")
SOURCE = ("submission_id", "source_file", "source_sheet", "source_row")


def point(indicator: str, group: str, year: int, value: float | None, n: int | None = None, **more: Any) -> list[Any]:
    reason = more.get("reason")
    file = more.get("file", f"v{year}.csv")
    own = (None, None, None, None) if file is None else (f"s{year}", file, None, year - 2000)
    return [indicator, group, more.get("series", "default"), year, value, n, reason, *own]


def trend(indicator: str, **changes: Any) -> Row:
    row = {
        "indicator_id": indicator,
        "outcome_id": "readiness",
        "role": "core",
        "trend_status": "improving",
        "reason": None,
        "slope": 1.25,
        "direction": 1,
        "unit": "percent",
        "first_year": 2020,
        "last_year": 2022,
        "n_years": 3,
    }
    return row | changes


def record(**changes: Any) -> Row:
    core = [
        point("ready", "all", 2019, 48.0, reason="outside_window"),
        point("ready", "all", 2020, 50.0, 40),
        point("ready", "all", 2021, 51.25, 41),
        point("ready", "all", 2022, 52.5, file=None),
        point("ready", "all", 2023, 9.0, 4, reason="small_n", series="new"),
        point("ready", "all", 2018, None, reason="missing"),
        point("scores", "all", 2021, 240.0),
        point("readier", "all", 2021, 7.0),
    ]
    gap = [
        point("ready", "race:a", 2021, 41.0, 20),
        point("ready", "race:a", 2020, 40.0, 20),
        point("ready", "race:b", 2020, 60.0, file=None),
        point("ready", "race:c", 2020, 60.0, reason="small_n"),
        point("ready", "all", 2020, 50.0, 40),
    ]
    adjacent = [point("income", "all", 2022, 51000.0), point("income", "all", 2021, 50000.0, reason="series_break")]
    one = {
        "community_id": "testville",
        "designation": "proof_point_ongoing",
        "reporting_year": 2024,
        "status": "not_eligible",
        "standing": "review_due",
        "decided_on": "2022-03-01",
        "next_review_due": "2024-03-01",
        "assessment_date": "2024-12-31",
        "ruleset_id": "rules",
        "ruleset_version": "1.0",
        "record_id": "abc",
        "state": "frozen",
        "parameters": PARAMETERS,
        "submissions": ["s2020", "s2021"],
        "requirements": [
            {"requirement_id": "r.1", "statement": "Outcomes", "status": "not_met", "actual": 1.0, "required": 4.0}
            | {"evidence": "1 of 7 (ready)"},
            {"requirement_id": "r.2", "statement": "Share", "status": "met", "actual": 0.55, "required": None}
            | {"evidence": None},
            {"requirement_id": "r.3", "statement": "Score", "status": "undetermined", "actual": None, "required": 2.0}
            | {"evidence": "no score"},
        ],
        "computed": {
            "trends": [
                trend("ready"),
                trend("scores", slope=None, trend_status="undetermined", reason="too_few_points", unit="score"),
                trend("elsewhere", outcome_id="jobs", slope=-0.5, trend_status="declining", direction=-1, unit="days"),
                trend("income", outcome_id="finances", role="adjacent", slope=2.0, direction=0, unit="per_1000")
                | {"trend_status": None},
            ],
            "outcomes": [
                {"outcome_id": "jobs", "trend_status": "mixed", "gap_reduced": "undetermined"}
                | {"deciding_indicator_id": None},
                {"outcome_id": "readiness", "trend_status": "improving", "gap_reduced": "not_met"}
                | {"deciding_indicator_id": "ready"},
            ],
            "gaps": [
                {"indicator_id": "ready", "population_group_id": "race:a", "reference_group_id": "race:b"}
                | {"gap_status": "narrowed_by_decline", "reason": None, "group_slope": 1.0, "reference_slope": -0.25}
                | {"first_year": 2020, "last_year": 2022, "n_years": 3},
                {"indicator_id": "ready", "population_group_id": "race:c", "reference_group_id": "race:b"}
                | {"gap_status": "undetermined", "reason": None, "group_slope": None, "reference_slope": None}
                | {"first_year": None, "last_year": None, "n_years": 0},
            ],
            "gateways": {"exploring": "met", "emerging": "not_met"},
        },
        "inputs": {
            "columns": {
                **{part: [*POINT, *SOURCE] for part in ("core", "gap", "adjacent")},
                "criteria": ["criterion_id", "status", "own_status", "reason"],
                "examples": ["example_id", "status", "first_evidenced_on"],
                "decisions": ["kind", "code", "decision", "decided_on"],
                "scores": ["code", "score", "decided_on"],
            },
            "core": core,
            "gap": gap,
            "adjacent": adjacent,
            "criteria": [
                ["exploring.1.10", "not_met", None, None],
                ["exploring.1.2", "not_met", None, None],
                ["exploring.1.2.a", "not_met", None, None],
                ["emerging.1.1", "undetermined", None, None],
                ["emerging.1.2", "met", None, "override"],
            ],
            "examples": [["e1", "accepted", "2021-05-01"], ["e2", "ended", None]],
            "decisions": [["designation", "proof_point_initial", "granted", "2022-03-01"]],
            "scores": [["st", 80.0, "2023-01-01"]],
        },
    }
    return one | changes


PARAMETERS = {"trend.min_points": "3", "gap.majority_share": "0.6"}
FOLDERS = {"s2020": 2021, "s2021": 2022}
HEADING = [
    "testville, proof_point_ongoing, reporting year 2024",
    "As of 2024-12-31, ruleset rules 1.0.",
    "Computed: not eligible. Decided: review due, last decision on 2022-03-01, next review due 2024-03-01.",
]
READY = [
    "ready: improving, slope +1.250 percentage points a year over 2020-2022 (3 years), higher is better.",
    "  Used: 2020 50.0 (n 40), 2021 51.2 (n 41), 2022 52.5.",
    "  From: 2020 folder 2021 v2020.csv row 20 (s2020); 2021 folder 2022 v2021.csv row 21 (s2021).",
    "  Left out: 2018 [default] (missing), 2019 48.0 [default] (outside window), 2023 [new] (small n).",
]
READINESS = [
    "Outcome readiness: improving, decided by ready; gaps reduced: not met.",
    *[f"  {line}" for line in READY],
    "  Gap of race:a to race:b: narrowed by decline, +1.000 a year against -0.250 over 2020-2022 (3 years).",
    "  Gap of race:c to race:b: undetermined, because no data.",
    "  Reduced: 0 of 1 that count; more than 60% must be.",
    "    race:a: 2020 40.0 (n 20), 2021 41.0 (n 20). From: 2020 folder 2021 v2020.csv row 20 (s2020);"
    " 2021 folder 2022 v2021.csv row 21 (s2021).",
    "    race:b: 2020 60.0.",
    "    race:c: Left out: 2020 [default] (small n).",
    "  scores: undetermined, because too few points.",
    "    Used: 2021 240.0.",
    "    From: 2021 folder 2022 v2021.csv row 21 (s2021).",
]
WHOLE = [
    *HEADING,
    "",
    "Requirements:",
    "  [not met] Outcomes: 1 against 4 required. 1 of 7 (ready). (r.1)",
    "  [met] Share: 0.6 against none required.  (r.2)",
    "  [undetermined] Score: none against 2 required. No score. (r.3)",
    "",
    "Gateways, computed: exploring met, emerging not met.",
    "  Criteria not met: exploring.1.2, exploring.1.10.",
    "  Criteria undetermined: emerging.1.1.",
    "  Met by a reviewer's override: emerging.1.2.",
    "",
    "Outcome jobs: mixed, decided by the majority of its core indicators; gaps reduced: undetermined.",
    "  elsewhere: declining, slope -0.500 days a year over 2020-2022 (3 years), lower is better.",
    "",
    *READINESS,
    "",
    "income: no status, slope +2.000 per 1000 a year over 2020-2022 (3 years), no direction.",
    "  Used: 2022 51000.0.",
    "  From: 2022 folder unknown v2022.csv row 22 (s2022).",
    "  Left out: 2021 50000.0 [default] (series break).",
    "",
    "Systems-change examples:",
    "  e1: accepted, first shown on 2021-05-01.",
    "  e2: ended, first shown on an unknown day.",
    "",
    "Submissions: s2020, s2021.",
    "Record abc (frozen) holds all of this and can be decided again by itself.",
]


def test_a_record_is_told_line_by_line() -> None:
    assert explain.explain_record(record(), FOLDERS) == WHOLE


@pytest.mark.parametrize(("direction", "sign", "turned"), [(1, "", ""), (-1, "-", ", a fall counted as +")])
def test_a_gap_is_told_with_the_values_of_its_own_years_and_with_what_an_undetermined_one_lacked(
    direction: int, sign: str, turned: str
) -> None:
    """The reference goes further than the group: its own trend uses other years than the gap does."""
    one = record()
    one["computed"]["trends"] = [trend("ready", direction=direction)]
    one["inputs"]["gap"] = [
        *[point("ready", "race:a", year, value) for year, value in ((2020, 40.0), (2021, 42.0), (2022, 44.0))],
        *[point("ready", "race:b", year, 60.0 - year % 10, file=None) for year in (2021, 2022, 2023)],
        point("ready", "race:b", 2020, 60.0, reason="outside_window"),
        point("ready", "race:c", 2020, 60.0, reason="small_n"),
    ]
    told = explain.explain_outcome(outcome_record(one, "readiness", FOLDERS))
    first = told.index(next(line for line in told if "Gap of race:a" in line))
    assert told[first] == (
        "  Gap of race:a to race:b: narrowed by decline, +1.000 a year against -0.250 over 2020-2022 (3 years)"
        f"{turned}."
    )
    gaps = f"gap {sign}20.0; 2021 42.0 against 59.0, gap {sign}17.0; 2022 44.0 against 58.0, gap {sign}14.0."
    assert told[first + 1] == f"    2020 40.0 against 60.0, {gaps}"
    assert told[first + 2] == "  Gap of race:c to race:b: undetermined, because no data."
    assert (
        "    race:b: 2020 60.0, 2021 59.0, 2022 58.0, 2023 57.0. From: 2020 folder 2021 v2020.csv row 20 (s2020)."
        in told
    )
    assert told[-3] == "    race:c: Left out: 2020 [default] (small n)."


def test_gaps_that_all_count_neither_way_say_so() -> None:
    one = record()
    one["computed"]["gaps"] = [gap | {"gap_status": "reversed"} for gap in one["computed"]["gaps"]]
    told = explain.explain_outcome(outcome_record(one, "readiness", FOLDERS))
    assert "  No gap counts: each is undetermined, reversed, or none at its start." in told


def test_what_would_be_now_stands_below_the_heading() -> None:
    told = explain.explain_record(record(), FOLDERS, ["one", "two"])
    assert told[:6] == [*HEADING, "one", "two", ""]
    assert explain.explain_outcome(outcome_record(record(), "jobs", FOLDERS), ["one"])[2:4] == ["one", ""]


def test_a_record_without_a_decision_or_anything_to_tell_says_so_in_few_lines() -> None:
    bare = record(decided_on=None, next_review_due=None, standing="none", computed={}, requirements=[], submissions=[])
    bare["inputs"] = {"columns": record()["inputs"]["columns"]}
    assert explain.explain_record(bare, {}) == [
        *HEADING[:2],
        "Computed: not eligible. Decided: none.",
        "",
        "Requirements:",
        "",
        "Submissions: no submission with figures.",
        "Record abc (frozen) holds all of this and can be decided again by itself.",
    ]


def test_a_record_without_gaps_tells_outcomes_without_them() -> None:
    one = record()
    del one["computed"]["gaps"], one["inputs"]["gap"], one["inputs"]["columns"]["gap"]
    told = explain.explain_record(one, FOLDERS)
    assert "Outcome readiness: improving, decided by ready." in told
    assert not any("Gap" in line or "race:" in line for line in told)


def test_gateways_of_which_nothing_is_missing_are_told_in_one_line() -> None:
    one = record()
    one["inputs"]["criteria"] = [["exploring.1.1", "met", None, None]]
    told = explain.explain_record(one, FOLDERS)
    assert not any("Criteria" in line or "override" in line for line in told)


def test_an_outcome_is_told_with_the_districts_rows_behind_its_sums() -> None:
    one = outcome_record(record(), "readiness", FOLDERS)
    part = {"indicator_id": "ready", "population_group_id": "race:b", "school_year": 2020, "series": "default"}
    part |= {"numerator": 6, "denominator": 10, "geography_id": "north", "reporting_year": 2020}
    part |= {"submission_id": "s", "source_file": "d.csv", "source_row": 3}
    other = {**part, "population_group_id": "race:a"}
    assert pooled_behind(one, [part, other]) == [part], "the other has a row of its own"
    told = explain.explain_outcome({**one, "pooled_parts": [part]})
    assert told == [
        "testville, readiness, reporting year 2024",
        "As of 2024-12-31, ruleset rules 1.0.",
        "",
        *READINESS,
        "",
        "Values added up from districts:",
        "  ready, race:b, 2020 [default]: north 6 of 10, folder 2020 d.csv row 3 (s).",
        "",
        "Record abc (frozen) of proof_point_ongoing holds all of this.",
    ]


def test_an_outcome_holds_each_of_its_points_once_in_order_and_each_row_that_they_came_from_by_year() -> None:
    one = outcome_record(record(), "readiness", FOLDERS)
    names = ("indicator_id", "population_group_id", "school_year", "folder_year")
    assert [tuple(each[name] for name in names) for each in one["points"]] == [
        ("ready", "all", 2018, None),
        ("ready", "all", 2019, None),
        ("ready", "all", 2020, 2021),
        ("ready", "all", 2021, 2022),
        ("ready", "all", 2022, None),
        ("ready", "all", 2023, None),
        ("ready", "race:a", 2020, 2021),
        ("ready", "race:a", 2021, 2022),
        ("ready", "race:b", 2020, None),
        ("ready", "race:c", 2020, 2021),
        ("scores", "all", 2021, 2022),
    ]
    assert [row["indicator_id"] for row in one["trends"]] == ["ready", "scores"]
    assert [(row["school_year"], row["source_row"]) for row in one["sources"]] == [
        (2018, 18), (2019, 19), (2020, 20), (2021, 21), (2023, 23),
    ]  # fmt: skip
    assert outcome_record(record(), "jobs", FOLDERS)["points"] == []
    assert outcome_record(record(), "jobs", FOLDERS)["gaps"] == []


def changed() -> Row:
    """The record as it would be now: one fact of every kind is other."""
    now = record(
        record_id="def", status="eligible", ruleset_version="2.0", parameters=PARAMETERS | {"trend.min_points": "4"}
    )
    now["requirements"][0]["actual"] = 4.5
    now["computed"]["outcomes"][1]["gap_reduced"] = "met"
    now["computed"]["outcomes"][0]["trend_status"] = "declining"
    now["computed"]["gaps"].pop()
    now["computed"]["gateways"]["emerging"] = "met"
    now["computed"]["trends"][0]["trend_status"] = "maintained"
    now["computed"]["trends"][2]["trend_status"] = "improving"
    now["inputs"]["gap"][1][4] = 40.25
    now["inputs"]["adjacent"][0][4] = 52000.0
    now["inputs"]["core"][7][4] = 8.0
    now["inputs"]["criteria"][0][1] = "met"
    now["inputs"]["examples"].append(["e3", "accepted", None])
    now["inputs"]["decisions"][0][2] = "revoked"
    now["inputs"]["scores"][0][1] = 81.5
    return now


OTHER = [
    "  requirement r.1 not met, 4.5, frozen as not met, 1.",
    "  outcome jobs declining, undetermined, frozen as mixed, undetermined.",
    "  outcome readiness improving, met, frozen as improving, not met.",
    "  gap ready race:c none, frozen as undetermined.",
    "  gateway emerging met, frozen as not met.",
    "  trend elsewhere improving, frozen as declining.",
    "  trend ready maintained, frozen as improving.",
    "  rule ruleset_version 2.0, frozen as 1.0.",
    "  rule trend.min_points 4, frozen as 3.",
    "  value income all 2022 default 52000, frozen as 51000.",
    "  value readier all 2021 default 8, frozen as 7.",
    "  value ready race:a 2020 default 40.2, frozen as 40.",
    "  criterion exploring.1.10 met, frozen as not met.",
    "  example e3 accepted, frozen as none.",
    "  decisions designation proof_point_initial revoked, 2022-03-01, frozen as granted, 2022-03-01.",
    "  score st 2023-01-01 81.5, frozen as 80.",
]


def test_beside_a_frozen_record_every_kind_of_fact_that_is_other_is_told_in_its_order() -> None:
    head = "Would be now: status eligible, frozen as not eligible."
    assert beside_lines(record(), changed())[1:] == [head, *OTHER]
    found = differences(record(), changed())
    assert [each.kind for each in found] == ["decision", *(line.split()[0] for line in OTHER)]
    told = would_be_now(record(), changed())
    assert told is not None
    assert (told["record_id"], told["status"], len(told["differences"])) == ("def", "eligible", len(found))
    assert told["differences"][0] == {"kind": "decision", "name": "status", "frozen": "not_eligible", "now": "eligible"}
    assert would_be_now(record(), None) is None


@pytest.mark.parametrize(
    ("outcome", "kinds", "lines"),
    [
        ("jobs", ("outcome jobs", "trend elsewhere", "rule"), {1, 5, 7, 8}),
        ("readiness", ("outcome readiness", "gap", "trend ready", "rule", "value ready "), {2, 3, 6, 7, 8, 11}),
    ],
)
def test_beside_a_frozen_outcome_stand_the_rules_and_its_own_facts_alone(
    outcome: str, kinds: tuple[str, ...], lines: set[int]
) -> None:
    found = outcome_beside(record(), changed(), outcome)
    expected = [line for number, line in enumerate(OTHER) if number in lines]
    assert all(line.strip().startswith(kinds) for line in expected)
    assert beside_outcome(found)[1:] == ["Would be now:", *expected]
    told = outcome_would_be_now(record(), changed(), outcome)
    assert told is not None and found is not None
    assert (told["record_id"], len(told["differences"])) == ("def", len(found))
    assert outcome_would_be_now(record(), None, outcome) is None
    assert len(beside_outcome(None)) == len(beside_outcome([])) == 2


def test_an_outcome_without_a_core_indicator_is_not_said_to_be_decided_by_a_majority_of_them() -> None:
    about = record(computed={"outcomes": [], "trends": [], "gaps": []})
    row = {"trend_status": "undetermined", "gap_reduced": "undetermined", "deciding_indicator_id": None}
    about["computed"]["outcomes"] = [row | {"outcome_id": "employment"}]
    told = "\n".join(explain.explain_outcome(outcome_record(about, "employment", {})))
    assert "employment: undetermined, because it has no core indicator; gaps reduced: undetermined." in told
    assert "majority" not in told
