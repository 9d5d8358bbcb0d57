"""An explainable finding answered once stays answered until the value it speaks of changes.

Belongs here: answers over resubmissions and years, for comparing rules and for unmapped labels.
Does not: which values are asked about (test_comparisons.py), how a receipt shows an answer.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import polars as pl
import pytest

from dagster_project.lib.base.store import Store
from dagster_project.lib.intake.answers import answered, astray_answers
from dagster_project.lib.intake.batch import Intake
from dagster_project.lib.intake.bucket.plan import Selection
from dagster_project.lib.intake.comparing.comparisons import RULES, compare_submissions
from dagster_project.lib.intake.findings import to_findings
from dagster_project.lib.intake.session import IntakeResult, Places, run_intake
from dagster_project.lib.warehouse.landing import Landed, gather
from tests.unit.intake.comparing import COMMUNITY, PARAMETERS, REFERENCE, Line, findings, line, observations

ANSWER = "A new curriculum began that year."
TODAY = dt.date(2026, 6, 30)


REGISTER = pl.Schema(
    {
        "community_id": pl.String(),
        "reporting_year": pl.Int32(),
        "source_file": pl.String(),
        "source_row": pl.Int32(),
        "finding_id": pl.String(),
        "text": pl.String(),
    }
)


def register(*answers: tuple[object, int, str]) -> pl.DataFrame:
    """The explanations of the community: finding, reporting year and text of each."""
    rows = [(COMMUNITY, year, "explanations.csv", 2, finding_id, text) for finding_id, year, text in answers]
    return pl.DataFrame(rows, schema=REGISTER, orient="row")


def decided(*rows: tuple[str, str, dt.date, str | None]) -> pl.DataFrame:
    """The register of decisions: finding_id, decision, day, reason."""
    schema = {"finding_id": pl.String, "decision": pl.String, "decided_on": pl.Date, "reason": pl.String}
    texts = {"community_id": "_network", "submission_id": "s", "source_file": "d.csv", "source_sheet": ""}
    source = [pl.lit(2024).alias("reporting_year"), *(pl.lit(text).alias(name) for name, text in texts.items())]
    frame = pl.DataFrame(rows, schema=schema, orient="row").with_columns(*source)
    return frame.with_row_index("source_row", 2)


NO_DECISIONS = decided()


def explained(lines: list[Line], finding_ids: list[str]) -> pl.DataFrame:
    """Findings of the lines with the given ones answered."""
    answers = register(*((finding_id, 2023, ANSWER) for finding_id in finding_ids))
    return answered(findings(lines), answers, NO_DECISIONS)


JUMP = [line(2022, 61.0, 400), line(2023, 84.2, 400)]
COUNT = [line(2022, 61.0, 1000), line(2023, 61.0, 2000)]
APPEARS = [
    line(2022, 60.0, 90, group="gender:male"),
    line(2023, 60.0, 90, group="gender:male"),
    line(2023, 61.0, 90, group="gender:female"),
]
VANISHES = [
    line(2022, 60.0, 90, group="gender:male"),
    line(2022, 61.0, 90, group="gender:female"),
    line(2023, 60.0, 90, group="gender:male"),
]
GROUPS = [
    line(2022, 60.0, 100, numerator=60),
    line(2022, 60.0, 100, numerator=60, group="gender:male"),
    line(2022, 60.0, 100, numerator=60, group="gender:female"),
]
NO_TOTAL = [line(2022, 60.0, group="gender:male"), line(2022, 61.0, group="gender:female")]
PLACES = [
    line(2022, 60.0, 100, numerator=60),
    line(2022, 60.0, 90, numerator=54, place="zip:10001"),
    line(2022, 60.0, 80, numerator=48, place="zip:10002"),
]
REGIONS = [
    line(2022, None, 90, numerator=50, place="district:East"),
    line(2022, None, 85, numerator=40, place="district:West"),
    line(2022, None, 175, numerator=90, place="district:Both"),
]
FRACTION = [line(2020, 82.0), line(2021, 83.0), line(2022, 0.85)]
FRACTIONS = [row | {"reporting_year": 2022} for row in (line(2021, 0.82), line(2022, 0.85))]
CASES: dict[str, tuple[list[Line], Line | None]] = {
    "year_over_year_change": (JUMP, {"value": 85.0}),
    "count_change": (COUNT, {"denominator": 2100}),
    "group_appears": (APPEARS, None),
    "group_vanishes": (VANISHES, None),
    "groups_against_total": (GROUPS, {"denominator": 150, "numerator": 90}),
    "total_missing": (NO_TOTAL, None),
    "geography_sum": (PLACES, {"denominator": 110, "numerator": 66}),
    "double_counting": (REGIONS, None),
    "all_fractions": (FRACTIONS, {"value": 0.9}),
    "fraction_suspected": (FRACTION, {"value": 0.9}),
    "new_series": ([line(2022, 61.0, 400), line(2023, 62.0, 400, series="new test")], None),
}


def one(lines: list[Line], rule_id: str, answers: list[str] | None = None) -> dict[str, object]:
    rows = explained(lines, answers or []).filter(pl.col("rule_id") == rule_id)
    assert rows.height == 1, rows["found"].to_list()
    return rows.row(0, named=True)


def test_every_comparing_rule_is_tried_here_or_speaks_of_one_value_by_the_same_words() -> None:
    # nothing_new speaks of one year's folder: another year's that repeats is to be asked about again.
    assert set(CASES) == set(RULES) - {"short_series_outlier", "shared_cause", "nothing_new"}


@pytest.mark.parametrize("rule_id", sorted(CASES))
def test_an_answer_closes_the_question(rule_id: str) -> None:
    lines, _ = CASES[rule_id]
    asked = one(lines, rule_id)
    assert asked["status"] == "open"
    closed = one(lines, rule_id, [str(asked["finding_id"])])
    assert (closed["status"], closed["explanation"]) == ("explained", ANSWER)


@pytest.mark.parametrize("rule_id", sorted(CASES))
def test_an_answer_outlives_a_resubmission_in_another_file_row_and_form(rule_id: str) -> None:
    lines, _ = CASES[rule_id]
    asked = one(lines, rule_id)
    again = [
        row
        | {"submission_id": "f" * 16, "source_file": "mended.xlsx", "source_sheet": "Values", "source_row": 90 + index}
        for index, row in enumerate(reversed(lines))
    ]
    assert one(again, rule_id, [str(asked["finding_id"])])["status"] == "explained"


@pytest.mark.parametrize("rule_id", sorted(CASES))
def test_an_answer_outlives_later_years_that_repeat_the_values(rule_id: str) -> None:
    lines, _ = CASES[rule_id]
    asked = one(lines, rule_id)
    later = [row | {"reporting_year": 2025, "submission_id": "e" * 16} for row in lines]
    rows = explained([*lines, *later], [str(asked["finding_id"])]).filter(pl.col("rule_id") == rule_id)
    assert set(rows["status"]) == {"explained"}


@pytest.mark.parametrize("rule_id", sorted(CASES))
def test_values_first_submitted_in_a_later_year_keep_the_answer(rule_id: str) -> None:
    lines, _ = CASES[rule_id]
    asked = one(lines, rule_id)
    only_later = [row | {"reporting_year": 2025} for row in lines]
    assert one(only_later, rule_id, [str(asked["finding_id"])])["status"] == "explained"


@pytest.mark.parametrize("rule_id", sorted(rule for rule, (_, change) in CASES.items() if change))
def test_a_changed_value_is_a_new_question(rule_id: str) -> None:
    lines, change = CASES[rule_id]
    assert change is not None
    asked = one(lines, rule_id)
    changed = [*lines[:-1], lines[-1] | change]
    after = one(changed, rule_id, [str(asked["finding_id"])])
    assert after["status"] == "open"
    assert after["finding_id"] != asked["finding_id"]


def test_an_answer_of_any_year_counts_and_the_newest_is_shown() -> None:
    asked = one(JUMP, "year_over_year_change")
    answers = register((asked["finding_id"], 2024, "newer"), (asked["finding_id"], 2023, "older"))
    assert answered(findings(JUMP), answers, NO_DECISIONS)["explanation"].to_list() == ["newer"]


def test_an_answer_of_one_community_says_nothing_about_another() -> None:
    asked = one(JUMP, "year_over_year_change")
    other = [row | {"community_id": "elsewhere", "geography_id": "elsewhere"} for row in JUMP]
    rows = explained([*JUMP, *other], [str(asked["finding_id"])])
    assert dict(rows.select("community_id", "status").iter_rows()) == {COMMUNITY: "explained", "elsewhere": "open"}


def test_an_answer_does_not_follow_a_value_to_another_group_or_year() -> None:
    asked = one(JUMP, "year_over_year_change")
    moved = [
        row | {"population_group_id": "gender:female", "dimension": "gender", "group_code": "female"} for row in JUMP
    ]
    assert one(moved, "year_over_year_change", [str(asked["finding_id"])])["status"] == "open"
    shifted = [row | {"school_year": row["school_year"] + 1} for row in JUMP]
    assert one(shifted, "year_over_year_change", [str(asked["finding_id"])])["status"] == "open"


def test_a_rejected_answer_leaves_its_question_open_and_says_why_until_a_later_decision_accepts_it() -> None:
    asked = str(one(JUMP, "year_over_year_change")["finding_id"])
    told, answers = findings(JUMP), register((asked, 2023, ANSWER))
    rejected = (asked, "rejected", dt.date(2024, 3, 1), "No source is named")
    accepted = (asked, "accepted", dt.date(2024, 4, 1), None)
    found = answered(told, answers, decided(rejected)).row(0, named=True)
    assert found["status"] == "open"
    assert found["explanation"] == f"not accepted on 2024-03-01: No source is named (the answer was: {ANSWER})"
    found = answered(told, answers, decided(accepted, rejected)).row(0, named=True)
    assert (found["status"], found["explanation"]) == ("explained", ANSWER)
    assert answered(told, register(), decided(accepted))["status"].to_list() == ["open"]


def test_an_answer_to_nothing_or_to_an_error_is_told_where_it_stands() -> None:
    told = findings(JUMP)
    asked = str(told["finding_id"][0])
    error = told.with_columns(finding_id=pl.lit("e" * 16), severity=pl.lit("error"))
    answers = register((asked, 2023, ANSWER), ("e" * 16, 2023, ANSWER), ("0" * 16, 2023, ANSWER)).with_columns(
        submission_id=pl.lit("s"), source_sheet=pl.lit("")
    )
    issues = astray_answers(pl.concat([told, error]), answers, NO_DECISIONS)
    assert sorted(issues.select("rule_id", "found").rows()) == [
        ("answer_to_error", "e" * 16),
        ("answer_without_question", "0" * 16),
    ]
    elsewhere = answers.with_columns(community_id=pl.lit("elsewhere"))
    assert astray_answers(told, elsewhere, NO_DECISIONS)["rule_id"].unique().to_list() == ["answer_without_question"]


def test_only_explainable_findings_can_be_answered() -> None:
    issue = compare_submissions(observations(JUMP), REFERENCE, PARAMETERS).with_columns(
        pl.lit("bad_cell").alias("rule_id")
    )
    error = to_findings(issue)
    answers = register((error["finding_id"][0], 2023, ANSWER))
    assert answered(error, answers, NO_DECISIONS)["status"].to_list() == ["open"]


def landed(places: Places, year: int, files: dict[str, str]) -> Landed:
    """Put files into one year's folder, take them in, and gather what stands."""
    for name, text in files.items():
        places.drop.put(f"{COMMUNITY}/{year}/{name}", text.encode())
    result = list(run_intake(places, Intake(REFERENCE), TODAY, Selection(), "run"))[-1]
    assert isinstance(result, IntakeResult)
    return gather(places.lake, REFERENCE, TODAY, result.strays, ("toa-default", "1.1.0"))


def test_through_the_bucket_one_answer_of_the_network_answers_a_shared_cause(tmp_path: Path) -> None:
    places = Places(Store(str(tmp_path / "drop")), Store(str(tmp_path / "lake")))
    header = "school_year,indicator,dimension,group,numerator,denominator\n"
    for community in REFERENCE.communities["community_id"][:6]:
        for year, groups in ((2022, ("female", "male")), (2023, ())):
            rows = ["all,all,540,900", *(f"gender,{group},270,450" for group in groups)]
            text = header + "".join(f"{year},graduation_4yr_pct,{row}\n" for row in rows)
            places.drop.put(f"{community}/{year}/values.csv", text.encode())
    (asked,) = landed(places, 2023, {})["findings"].filter(pl.col("severity") == "explainable").to_dicts()
    assert (asked["community_id"], asked["rule_id"], asked["status"]) == ("_network", "shared_cause", "open")
    answer = f"finding_id,text\n{asked['finding_id']},{ANSWER}\n"
    places.drop.put("_network/2023/explanations.csv", answer.encode())
    after = landed(places, 2023, {})
    answered_now = after["findings"].filter(pl.col("severity") == "explainable")
    assert answered_now.select("status", "explanation").rows() == [("explained", ANSWER)]
    assert set(after["submissions"]["status"]) == {"accepted"}


def test_through_the_bucket_an_answered_label_stays_answered_until_it_is_written_otherwise(tmp_path: Path) -> None:
    places = Places(Store(str(tmp_path / "drop")), Store(str(tmp_path / "lake")))
    values = "school_year,indicator,dimension,group,value\n2022,Joy Index,all,all,40\n"
    asked = landed(places, 2022, {"values.csv": values})["findings"].filter(pl.col("rule_id") == "unmapped_indicator")
    assert asked["status"].to_list() == ["open"]
    answer = f"finding_id,text\n{asked['finding_id'][0]},{ANSWER}\n"
    later = landed(places, 2023, {"explanations.csv": answer, "values.csv": values.replace("2022,Joy", "2023,JOY")})
    unmapped = later["findings"].filter(pl.col("rule_id") == "unmapped_indicator")
    assert dict(unmapped.select("reporting_year", "status").iter_rows())[2022] == "explained"
    otherwise = landed(places, 2024, {"values.csv": values.replace("Joy Index", "Gladness")})
    open_ones = otherwise["findings"].filter((pl.col("rule_id") == "unmapped_indicator") & (pl.col("status") == "open"))
    assert 2024 in open_ones["reporting_year"].to_list()
