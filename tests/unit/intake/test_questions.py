"""Questions that are worth asking: what ruleset 1.1.0 leaves in peace, and what it still asks about.

Belongs here: chance at every n, causes that folders share, one question a value, refused rows, false alarms.
Does not: the rules one by one under ruleset 1.0.0 (test_comparisons.py).
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import polars as pl
import pytest

from dagster_project.lib.base.ruleset import ComparisonRules, read_ruleset
from dagster_project.lib.intake.answers import answered
from dagster_project.lib.intake.batch import Intake
from dagster_project.lib.intake.comparing.comparisons import compare_submissions
from dagster_project.lib.intake.findings import to_findings
from tests.conftest import take_folder
from tests.unit.intake.comparing import COMMUNITY, PARAMETERS, REFERENCE, Line, line, observations
from tests.unit.intake.test_explanations import NO_DECISIONS

NOW = read_ruleset(REFERENCE, ("toa-default", "1.1.0")).comparison
MEMBERS = REFERENCE.communities.filter(pl.col("state") == "OH")["community_id"].to_list()[:6]


def asked(lines: Iterable[Line], limits: ComparisonRules = NOW) -> pl.DataFrame:
    """Findings of the lines."""
    return to_findings(compare_submissions(observations(list(lines)), REFERENCE, limits))


def rules(lines: Iterable[Line], limits: ComparisonRules = NOW) -> list[str]:
    """Which rules ask about the lines."""
    return asked(lines, limits)["rule_id"].to_list()


def steady(n: int | None, last: float) -> list[Line]:
    values = (60.0, 61.0, 60.5, 61.0, 61.0)
    return [*(line(2018 + i, value, n) for i, value in enumerate(values)), line(2023, last, n)]


def test_chance_widens_what_is_usual_at_every_n() -> None:
    # 100 students: 2.58 standard errors of the difference of two rates near 61 % are 17.7 points.
    assert rules(steady(100, 71.0)) == []
    assert rules(steady(100, 71.0), PARAMETERS) == ["year_over_year_change"]
    assert rules(steady(100, 80.0)) == ["year_over_year_change"]
    assert rules(steady(10_000, 66.1)) == ["year_over_year_change"]


def test_where_no_n_is_known_seven_and_a_half_points_are_usual() -> None:
    assert rules(steady(None, 68.5)) == []
    assert rules(steady(None, 68.6)) == ["year_over_year_change"]
    assert rules(steady(None, 66.1), PARAMETERS) == ["year_over_year_change"]
    half_known = [*steady(400, 61.0)[:-1], line(2023, 68.4, None)]
    assert rules(half_known) == []


def test_a_count_changes_by_three_standard_errors_or_a_fifth() -> None:
    assert rules([line(2022, 60.0, 100), line(2023, 60.0, 145)]) == []
    assert rules([line(2022, 60.0, 100), line(2023, 60.0, 145)], PARAMETERS) == ["count_change"]
    assert rules([line(2022, 60.0, 100), line(2023, 60.0, 160)]) == ["count_change"]
    assert rules([line(2022, 60.0, 1000), line(2023, 60.0, 1210)]) == ["count_change"]


def breakdown(communities: Iterable[str], dropped: set[str]) -> list[Line]:
    """Two years of totals and of both genders, the second without the breakdown in some communities."""
    lines = []
    for community in communities:
        for year in (2022, 2023):
            lines.append(line(year, 60.0, 900, community=community))
            if year == 2022 or community not in dropped:
                lines += [line(year, 60.0, 410, group=f"gender:{g}", community=community) for g in ("female", "male")]
    return lines


def test_a_breakdown_that_half_of_the_folders_drop_is_one_question_to_the_network() -> None:
    found = asked(breakdown(MEMBERS, set(MEMBERS[:3])))
    assert found.select("community_id", "rule_id", "n_rows", "submission_id").rows() == [
        ("_network", "shared_cause", 6, None)
    ]
    assert "gender (all groups) vanishes between 2022 and 2023" in found["found"][0]
    assert "3 of 6 communities" in found["allowed"][0]


def test_a_breakdown_that_fewer_drop_is_a_question_to_each_of_them() -> None:
    found = asked(breakdown(MEMBERS, set(MEMBERS[:2])))
    assert found.select("community_id", "rule_id").rows() == [(name, "group_vanishes") for name in MEMBERS[:2]]
    few = asked(breakdown(MEMBERS[:4], set(MEMBERS[:4])))
    assert set(few["rule_id"]) == {"group_vanishes"}, "four folders are too few to share a cause"


def test_a_state_that_drops_a_breakdown_is_seen_among_many_states() -> None:
    others = REFERENCE.communities.filter(pl.col("state") != "OH")["community_id"].to_list()[:20]
    found = asked(breakdown([*MEMBERS, *others], set(MEMBERS)))
    assert found.select("community_id", "rule_id").rows() == [("_network", "shared_cause")]
    assert found["found"][0].endswith("of the folders of OH")


def test_a_single_group_that_folders_drop_is_shared_as_well() -> None:
    lines = [
        row
        for row in breakdown(MEMBERS, set())
        if not (row["population_group_id"] == "gender:male" and row["school_year"] == 2023)
    ]
    found = asked(lines)
    assert found["rule_id"].to_list() == ["shared_cause"]
    assert found["found"][0].startswith("gender male vanishes")


def test_totals_that_half_of_the_folders_lack_are_one_question_to_the_network() -> None:
    lines = [line(2022, 60.0, group="gender:female", community=community) for community in MEMBERS]
    found = asked(lines)
    assert found.select("community_id", "rule_id", "n_rows").rows() == [("_network", "shared_cause", len(MEMBERS))]
    assert "has groups and no total in 2022" in found["found"][0]
    alone = asked([*lines, *(line(2022, 60.0, community=community) for community in MEMBERS[1:])])
    assert alone.select("community_id", "rule_id").rows() == [(MEMBERS[0], "total_missing")]


def test_a_group_that_appears_everywhere_is_shared() -> None:
    lines = breakdown(MEMBERS, set())
    lines += [line(2023, 60.0, 75, group="gender:nonbinary", community=community) for community in MEMBERS]
    found = asked(lines)
    assert found["rule_id"].to_list() == ["shared_cause"]
    assert found["found"][0].startswith("gender nonbinary appears")


def shift(points: float, one: float | None = None) -> list[Line]:
    """A new test everywhere: all fall by the same points, groups with the total; the first community by its own."""
    lines = []
    for number, community in enumerate(MEMBERS):
        fall = one if one is not None and number == 0 else points
        for group in ("all:all", "gender:female", "gender:male"):
            lines += [
                line(2022, 80.0, 2000 if group == "all:all" else 1000, group=group, community=community),
                line(2023, 80.0 - fall, 2000 if group == "all:all" else 1000, group=group, community=community),
            ]
    return lines


def test_a_shift_that_all_folders_show_is_one_question_for_all_groups() -> None:
    found = asked(shift(9.0))
    assert found.select("community_id", "rule_id", "n_rows").rows() == [("_network", "shared_cause", 18)]
    assert " fall between 2022 and 2023" in found["found"][0]


def test_a_shift_hides_no_mistake_of_one_folder() -> None:
    found = asked(shift(9.0, one=60.0))
    own = found.filter(pl.col("rule_id") == "year_over_year_change")
    assert own.select("community_id", "found").rows() == [(MEMBERS[0], "20.0 in 2023 after 80.0 in 2022")]


def test_one_answer_of_the_network_answers_for_all_and_stays_when_more_folders_arrive() -> None:
    first, later = asked(breakdown(MEMBERS[:5], set(MEMBERS[:5]))), asked(breakdown(MEMBERS, set(MEMBERS)))
    answer = pl.DataFrame(
        {
            "community_id": ["_network"], "reporting_year": [2023], "source_file": ["a.csv"], "source_row": [2],
            "finding_id": [first["finding_id"][0]], "text": ["The state ended this breakdown."],
        }
    )  # fmt: skip
    assert answered(later, answer, NO_DECISIONS)["status"].to_list() == ["explained"]
    member = answer.with_columns(pl.lit(MEMBERS[0]).alias("community_id"))
    assert answered(later, member, NO_DECISIONS)["status"].to_list() == ["open"]


def ten_times() -> list[Line]:
    """Three years of a total with its genders and districts; in the second one zero too many in the total's count."""
    lines = []
    for year in (2021, 2022, 2023):
        n = 20_000 if year == 2022 else 2000
        lines.append(line(year, None, n, numerator=1200))
        for group in ("gender:female", "gender:male", "economic_status:yes", "economic_status:no"):
            lines.append(line(year, None, 1000, numerator=600, group=group))
        for place in ("East", "West"):
            lines.append(line(year, None, 1000, numerator=600, place=f"district:{place}"))
    return lines


def test_a_count_ten_times_too_large_is_one_question() -> None:
    assert len(rules(ten_times(), PARAMETERS)) >= 5
    found = asked(ten_times())
    assert found.select("rule_id", "found").rows() == [("count_change", "20000 in 2022 after 2000 in 2021")]
    assert "groups of gender add up to 2000 in the denominator, the total is 20000" in found["allowed"][0]


def test_a_return_to_another_level_is_asked_about() -> None:
    lines = [line(2021, 60.0, 2000), line(2022, 6.0, 2000), line(2023, 30.0, 2000)]
    assert asked(lines)["found"].sort().to_list() == [
        "30.0 in 2023 after 6.0 in 2022",
        "6.0 in 2022 after 60.0 in 2021",
    ]
    assert rules([*lines[:2], line(2023, 61.0, 2000)]) == ["year_over_year_change"]


def test_a_group_whose_rows_were_refused_has_not_vanished() -> None:
    gone = breakdown([COMMUNITY], {COMMUNITY})
    assert rules(gone) == ["group_vanishes"]
    refused = [line(2023, 60.0, 450, group=f"gender:{g}", row_status="rejected") for g in ("female", "male")]
    assert rules([*gone, *refused]) == []
    assert rules([*gone, *refused[:1]]) == ["group_vanishes"]
    assert rules([*gone, *refused], PARAMETERS) == ["group_vanishes"], "ruleset 1.0.0 is as it was"


def null_network(seed: int, without_n: bool = False) -> list[Line]:
    """Series of a network in which nothing changes: constant rates, counts and cohorts drawn by chance alone."""
    draw = np.random.default_rng(seed)
    lines = []
    for number in range(1_500):
        rate, size = draw.uniform(0.05, 0.95), draw.integers(10, 1_500)
        for year in range(2018, 2024):
            n = max(int(draw.poisson(size)), 1)
            k = int(draw.binomial(n, rate))
            lines.append(line(year, 100 * k / n, None if without_n else n, community=f"c{number:04}"))
    return lines


@pytest.mark.parametrize("rule_id, stated", [("year_over_year_change", 0.01), ("count_change", 0.003)])
def test_where_nothing_changes_fewer_than_one_change_in_a_hundred_is_asked_about(rule_id: str, stated: float) -> None:
    judged = alarms = before = 0
    for seed in (1, 2):
        lines = null_network(seed)
        alarms += rules(lines).count(rule_id)
        before += rules(lines, PARAMETERS).count(rule_id)
        judged += 1_500 * 5
    assert alarms / judged <= stated
    assert alarms < before / 3


def test_planted_mistakes_are_asked_about_one_by_one() -> None:
    lines = null_network(3)
    planted = set()
    for index in range(5, len(lines), 6 * 25):  # the last year of every 25th series
        row = lines[index]
        if row["denominator"] >= 100:
            planted.add(row["community_id"])
            kind = len(planted) % 3
            value = row["value"]
            lines[index] |= (
                {"value": 100 - value if abs(value - 50) > 20 else value / 4 if value > 30 else value + 40}
                if kind < 2
                else {"denominator": row["denominator"] * 10}
            )
    found = asked(lines).filter((pl.col("reporting_year") == 2023) & pl.col("community_id").is_in(planted))
    assert len(planted) >= 40
    assert found["community_id"].n_unique() == len(planted)
    assert found.height == len(planted), "one mistake, one question"


def test_the_order_of_rows_leaves_no_trace_in_shared_questions() -> None:
    frame = observations([*breakdown(MEMBERS, set(MEMBERS)), *null_network(4)[:900], *ten_times()]).unique(
        ["community_id", "geography_id", "population_group_id", "school_year"], keep="first", maintain_order=True
    )
    plain = compare_submissions(frame, REFERENCE, NOW)
    for seed in (1, 2):
        assert compare_submissions(frame.sample(fraction=1.0, shuffle=True, seed=seed), REFERENCE, NOW).equals(plain)


@pytest.mark.parametrize(
    ("header", "says", "rule"),
    [
        ("Status", "do not use", "row_set_aside"),
        ("geography", "Alderwick Bend", "another_community"),
        ("geography", "Colorado", "wider_place"),
    ],
)
def test_a_row_that_is_refused_is_not_asked_whether_it_is_to_count(header: str, says: str, rule: str) -> None:
    def told(value: str) -> set[str]:
        rows = [
            f"{year},graduation_4yr_pct,all,all,{cell}" for year, cell in ((2023, f"{value},{says}"), (2024, "81,"))
        ]
        text = "\n".join([f"school_year,indicator,dimension,group,value,{header}", *rows])
        outcome = take_folder(Intake(REFERENCE), {"values.csv": f"{text}\n"}, "aspenreach", 2024)
        return set(outcome.findings["rule_id"]) - {"unknown_columns"}

    assert told("81") == {rule}
    assert told("181") == {"out_of_range"}
