"""What comparisons ask about, and what they leave in peace.

Belongs here: each comparing rule with what it tells and what it does not, and that the order of rows leaves no trace.
Does not: answers to questions (test_explanations.py), checks within a row (test_values).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from dagster_project.lib.base.reference import Reference
from dagster_project.lib.base.ruleset import ComparisonRules, ParameterError
from dagster_project.lib.intake.bucket.drop import LOCATED
from dagster_project.lib.intake.comparing.comparisons import RULES, compare_submissions
from dagster_project.lib.intake.findings import catalogue
from tests.unit.intake.comparing import COMMUNITY, PARAMETERS, REFERENCE, Line, findings, line, observations, told

STEADY = [
    line(year, value, 400) for year, value in ((2018, 60.0), (2019, 61.0), (2020, 60.5), (2021, 61.0), (2022, 61.0))
]
RACES = ("white", "black", "hispanic", "asian", "two_or_more", "american_indian_alaska_native")


def test_every_comparing_rule_is_explainable_and_in_the_catalogue() -> None:
    severities = catalogue().severities
    assert {severities[rule] for rule in RULES} == {"explainable"}


def test_no_observations_give_no_issues() -> None:
    issues = compare_submissions(observations([]), REFERENCE, PARAMETERS)
    assert issues.schema == LOCATED
    assert issues.height == 0


def test_a_missing_threshold_is_an_error_that_names_it() -> None:
    kept = {name: value for name, value in PARAMETERS.values.items() if name != "count_change.percent"}
    without = replace(PARAMETERS, values=kept)
    with pytest.raises(ParameterError, match=r"count_change\.percent"):
        compare_submissions(observations(STEADY), REFERENCE, without)


def test_a_value_far_from_the_year_before_is_asked_about_in_a_plain_sentence() -> None:
    assert told([*STEADY, line(2023, 84.2, 400)], "year_over_year_change") == ["84.2 in 2023 after 61.0 in 2022"]


def test_a_change_of_five_points_is_usual_and_one_of_more_is_not() -> None:
    assert told([*STEADY, line(2023, 66.0, 400)], "year_over_year_change") == []
    assert told([*STEADY, line(2023, 66.1, 400)], "year_over_year_change") == ["66.1 in 2023 after 61.0 in 2022"]


def test_a_restless_history_widens_what_is_usual_to_three_spreads() -> None:
    values = (50.0, 58.0, 49.0, 57.0, 50.0)
    restless = [line(year, value, 400) for year, value in zip(range(2018, 2023), values, strict=True)]
    spread = 3 * float(np.std(values, ddof=1))
    below, above = round(50 + spread - 0.1, 1), round(50 + spread + 0.1, 1)
    before = told(restless, "year_over_year_change")
    assert told([*restless, line(2023, below, 400)], "year_over_year_change") == before
    assert len(told([*restless, line(2023, above, 400)], "year_over_year_change")) == len(before) + 1


def test_few_students_make_a_large_change_usual() -> None:
    few = [line(row["school_year"], row["value"], 12) for row in STEADY]
    assert told([*few, line(2023, 84.2, 12)], "year_over_year_change") == []
    assert len(told([*few, line(2023, 5.0, 12)], "year_over_year_change")) == 1


def test_a_missing_year_does_not_hide_a_change_and_two_missing_years_do() -> None:
    assert told([line(2019, 60.0, 900), line(2021, 80.0, 900)], "year_over_year_change") == [
        "80.0 in 2021 after 60.0 in 2019"
    ]
    assert told([line(2019, 60.0, 900), line(2022, 80.0, 900)], "year_over_year_change") == []


def test_a_new_series_is_not_compared_with_the_old_one() -> None:
    assert told([*STEADY, line(2023, 84.2, 400, series="new test")], "year_over_year_change") == []


def test_a_new_label_is_asked_about_once_and_labels_side_by_side_are_not() -> None:
    old, new = {"series": "old test"}, {"series": "new test"}
    years = [line(2021, 61.0, 400, **old), line(2022, 61.0, 400, **new), line(2023, 61.0, 400, **new)]
    assert told(years, "new_series") == ["new test after old test for Students who graduate within four years"]
    groups = [row | {"population_group_id": "gender:male", "dimension": "gender"} for row in years]
    back = line(2024, 61.0, 400, **old)
    assert len(told([*years, *groups, back], "new_series")) == 1
    assert len(told([row | {"reporting_year": 2023} for row in years], "new_series")) == 1
    beside = [row | {"school_year": 2021, "reporting_year": 2023} for row in years[:2]]
    assert told(beside, "new_series") == []


def test_a_value_is_judged_by_what_was_known_when_it_was_submitted() -> None:
    corrected_later = line(2022, 84.0, 400, reported=2024)
    now = [*STEADY, line(2023, 84.2, 400), corrected_later]
    assert "84.2 in 2023 after 61.0 in 2022" in told(now, "year_over_year_change")
    known_before = [*STEADY, line(2022, 84.0, 400, reported=2023), line(2023, 84.2, 400)]
    assert "84.2 in 2023 after 84.0 in 2022" not in told(known_before, "year_over_year_change")


def test_groups_that_move_with_the_total_are_counted_in_its_finding() -> None:
    before = [
        line(2022, 40.0, 900),
        line(2022, 41.0, 450, group="gender:male"),
        line(2022, 39.0, 450, group="gender:female"),
    ]
    after = [
        line(2023, 60.0, 900),
        line(2023, 61.0, 450, group="gender:male"),
        line(2023, 59.0, 450, group="gender:female"),
    ]
    asked = findings([*before, *after]).filter(pl.col("rule_id") == "year_over_year_change")
    assert asked.select("found", "n_rows").rows() == [("60.0 in 2023 after 40.0 in 2022", 3)]


def test_a_group_that_moves_against_the_total_is_asked_about_by_itself() -> None:
    before = [line(2022, 40.0, 900), line(2022, 41.0, 450, group="gender:male")]
    after = [line(2023, 60.0, 900), line(2023, 20.0, 450, group="gender:male")]
    assert sorted(told([*before, *after], "year_over_year_change")) == [
        "20.0 in 2023 after 41.0 in 2022",
        "60.0 in 2023 after 40.0 in 2022",
    ]


def test_a_count_that_changes_by_more_than_a_fifth_is_asked_about() -> None:
    assert told([line(2022, 60.0, 1000), line(2023, 60.0, 1200)], "count_change") == []
    assert told([line(2022, 60.0, 1000), line(2023, 60.0, 1210)], "count_change") == ["1210 in 2023 after 1000 in 2022"]
    assert told([line(2022, 60.0, 1000), line(2023, 60.0, 700)], "count_change") == ["700 in 2023 after 1000 in 2022"]


def test_small_counts_change_by_chance() -> None:
    assert told([line(2022, 60.0, 20), line(2023, 60.0, 27)], "count_change") == []
    assert len(told([line(2022, 60.0, 20), line(2023, 60.0, 60)], "count_change")) == 1


def test_an_indicator_that_is_a_count_is_judged_by_its_value() -> None:
    counts = [line(2022, 1000.0, unit="count"), line(2023, 1400.0, unit="count")]
    assert told(counts, "count_change") == ["1400 in 2023 after 1000 in 2022"]
    assert told(counts, "year_over_year_change") == []


def groups(year: int, codes: tuple[str, ...], n: int | None = 100) -> list[Line]:
    return [line(year, 60.0, n, group=f"race_ethnicity:{code}") for code in codes]


def test_a_group_that_appears_beside_known_ones_is_asked_about() -> None:
    lines = [*groups(2022, ("white", "black")), *groups(2023, ("white", "black", "asian"))]
    assert told(lines, "group_appears") == ["race_ethnicity asian: no row in 2022, a value in 2023"]


def test_a_new_breakdown_is_no_group_that_appears() -> None:
    assert (
        told([line(2022, 60.0, 900), line(2023, 60.0, 900), *groups(2023, ("white", "black"))], "group_appears") == []
    )


def test_a_group_that_vanishes_is_asked_about_without_a_row() -> None:
    lines = [*groups(2022, ("white", "black", "asian")), *groups(2023, ("white", "asian"))]
    gone = findings(lines).filter(pl.col("rule_id") == "group_vanishes")
    assert gone.select("found", "source_row", "reporting_year").rows() == [
        ("race_ethnicity black: a value in 2022, no row in 2023", None, 2023)
    ]


def test_a_masked_group_has_not_vanished_and_small_groups_come_and_go() -> None:
    masked = line(2023, None, None, group="race_ethnicity:black", value_status="suppressed_at_source")
    assert told([*groups(2022, ("white", "black")), *groups(2023, ("white",)), masked], "group_vanishes") == []
    small = [*groups(2022, ("white",)), *groups(2022, ("asian",), 12), *groups(2023, ("white",))]
    assert told(small, "group_vanishes") == []
    assert told(small[::-1], "group_appears") == []


def test_a_year_that_only_lacks_the_indicator_makes_no_group_vanish() -> None:
    lines = [*groups(2022, ("white", "black")), line(2023, 50.0, 900, indicator_id="employed_pct")]
    assert told(lines, "group_vanishes") == []


def with_total(total: int, parts: dict[str, int], **more: object) -> list[Line]:
    whole = line(2022, None, total, numerator=total // 2, **more)
    return [whole, *(line(2022, None, n, numerator=n // 2, group=group, **more) for group, n in parts.items())]


def test_groups_that_exceed_the_total_are_asked_about() -> None:
    assert told(with_total(1000, {"gender:female": 700, "gender:male": 550}), "groups_against_total") == [
        "groups of gender add up to 1250 in the denominator, the total is 1000 in 2022"
    ]
    assert told(with_total(1000, {"gender:female": 510, "gender:male": 500}), "groups_against_total") == []


def test_groups_that_fall_short_are_asked_about_where_the_dimension_is_complete() -> None:
    short = with_total(1000, {"gender:female": 400, "gender:male": 350})
    assert told(short, "groups_against_total") == [
        "groups of gender add up to 750 in the denominator, the total is 1000 in 2022"
    ]
    assert (
        told(with_total(1000, {"race_ethnicity:white": 400, "race_ethnicity:black": 300}), "groups_against_total") == []
    )
    masked = line(2022, None, None, group="gender:nonbinary", value_status="suppressed_at_source")
    assert told([*short, masked], "groups_against_total") == []


def test_a_total_outside_the_range_of_its_groups_is_asked_about() -> None:
    lines = [line(2022, 70.0), line(2022, 60.0, group="gender:female"), line(2022, 55.0, group="gender:male")]
    assert told(lines, "groups_against_total") == ["total 70.0, groups of gender 55.0 to 60.0 in 2022"]
    lines[0] = line(2022, 60.3)
    assert told(lines, "groups_against_total") == []


def test_groups_without_a_total_are_one_question_for_an_indicator() -> None:
    years = (2016, 2018, 2019)
    lines = [line(year, 60.0, group=f"gender:{group}", reported=2022) for year in years for group in ("female", "male")]
    (said,) = told(lines, "total_missing")
    assert said.endswith(" has groups and no total in 2016, 2018 to 2019")
    total = [line(year, 60.0, reported=2022) for year in years]
    assert told([*lines, *total], "total_missing") == []
    assert told([*lines, *total[:2]], "total_missing")[0].endswith(" in 2019")
    masked = line(2019, None, reported=2022, value_status="suppressed_at_source")
    of_a_district = line(2019, 60.0, reported=2022, place="district:East")
    before = line(2019, 60.0, reported=2021)
    refused = line(2019, 60.0, reported=2022, row_status="rejected")
    for other in (masked, of_a_district, before, refused):
        assert told([*lines, *total[:2], other], "total_missing") == []
    later = line(2019, 60.0, reported=2023)
    assert len(told([*lines, *total[:2], later], "total_missing")) == 1


def test_a_question_points_at_the_cell_of_the_file_and_names_things_as_the_dictionary_does() -> None:
    wide = {"source_column": "2021-22"}
    rates = [line(2022, 70.0, **wide), *(line(2022, 60.0, group=f"gender:{g}", **wide) for g in ("female", "male"))]
    counts = with_total(1000, {"gender:female": 700, "gender:male": 550})
    name = "Students who graduate within four years"
    for lines, column in ((rates, "2021-22"), (counts, "denominator")):
        asked = findings(lines).filter(rule_id="groups_against_total")
        assert asked.select("source_column", "allowed").rows() == [
            (column, f"groups that add up to the total of {name}")
        ]
    changed = [line(2021, 40.0, group="gender:female"), line(2022, 80.0, group="gender:female")]
    (allowed,) = findings(changed).filter(rule_id="year_over_year_change")["allowed"]
    assert allowed.endswith(f"for {name}, Female")


def test_places_that_exceed_the_community_are_asked_about() -> None:
    places = [
        line(2022, None, n, numerator=n // 2, place=f"district:{name}") for name, n in (("East", 700), ("West", 500))
    ]
    assert told([line(2022, None, 1000, numerator=500), *places], "geography_sum") == [
        "district rows add up to 1200 in the denominator, the total is 1000 in 2022"
    ]
    assert told([line(2022, None, 1200, numerator=600), *places], "geography_sum") == []


def test_places_that_fall_short_are_asked_about_where_all_listed_ones_report() -> None:
    listed = REFERENCE.geographies.filter(pl.col("geography_level") == "district")
    community = listed["community_id"][0]
    names = listed.filter(pl.col("community_id") == community).select("geography_id", "name").rows()
    own = line(2022, None, 100 * len(names) + 400, numerator=50, community=community)
    rows = [
        line(2022, None, 100, numerator=5, community=community, place=f"district:{name}") | {"geography_id": key}
        for key, name in names
    ]
    assert len(told([own, *rows], "geography_sum")) == 1
    assert told([own, *rows[1:]], "geography_sum") == []


def regional(members: int, regions: int) -> list[Line]:
    """Districts of drawn sizes and the regions they lie in; the largest district is a region by itself."""
    draw = np.random.default_rng(7)
    sizes = np.sort(draw.integers(40, 900, members))[::-1]
    sizes[0] = 6_000
    ready = (sizes * draw.uniform(0.4, 0.7, members)).astype(int)
    region = np.concatenate([[0], draw.integers(1, regions, members - 1)])
    lines = [
        line(2022, None, int(n), numerator=int(k), place=f"district:County {index}")
        for index, (n, k) in enumerate(zip(sizes, ready, strict=True))
    ]
    for number in range(regions):
        own = region == number
        place = f"district:Regional Cooperative {number}"
        lines.append(line(2022, None, int(sizes[own].sum()), numerator=int(ready[own].sum()), place=place))
    return lines


def test_regional_rows_among_districts_are_caught_as_double_counting() -> None:
    asked = findings(regional(160, 9)).filter(pl.col("rule_id") == "double_counting")
    assert asked["n_rows"].to_list() == [9]
    assert asked["found"][0].startswith("9 places have together ")
    assert "exactly the sum of the other 160: Regional Cooperative 0" in asked["found"][0]


def test_regional_rows_are_caught_while_their_indicator_waits_for_a_code() -> None:
    waiting = [
        row | {"row_status": "waiting", "indicator_id": None, "raw_indicator": "Ready"} for row in regional(40, 4)
    ]
    assert len(told(waiting, "double_counting")) == 1


def test_districts_alone_are_no_double_counting() -> None:
    assert told(regional(160, 9)[:160], "double_counting") == []


def test_double_counting_is_not_told_again_as_a_sum_of_places() -> None:
    lines = regional(60, 5)
    total = sum(row["denominator"] for row in lines[:60])
    ready = sum(row["numerator"] for row in lines[:60])
    assert told([*lines, line(2022, None, total, numerator=ready)], "geography_sum") == []


def test_one_district_under_two_names_is_told() -> None:
    lines = []
    for name, shift in (("Jefferson County", 0), ("Jefferson County Services", 0), ("Adair County", 7)):
        for group, n in (("all:all", 5_737), ("gender:female", 2_800), ("gender:male", 2_937)):
            lines.append(line(2022, None, n + shift, numerator=n // 2, group=group, place=f"district:{name}"))
    assert told(lines, "double_counting") == [
        "Jefferson County Services has the same counts as Jefferson County in all 3 rows of 2022"
    ]


def test_fractions_beside_percentages_are_suspected() -> None:
    lines = [line(year, value) for year, value in ((2019, 83.0), (2020, 85.0), (2021, 84.0), (2022, 0.85))]
    lines = [row | {"reporting_year": 2022} for row in lines]
    asked = findings(lines).filter(pl.col("rule_id") == "fraction_suspected")
    assert asked.select("found", "allowed").rows() == [
        ("0.85 in 2022 for graduation_4yr_pct", "values in percent, like the others around 84.0")
    ]


def test_fractions_are_suspected_by_what_was_submitted_before() -> None:
    lines = [line(2021, 83.0), line(2022, 0.85)]
    assert told(lines, "fraction_suspected") == ["0.85 in 2022 for graduation_4yr_pct"]
    assert told(lines, "year_over_year_change") == [], "one cause, one question"


def test_small_percentages_among_small_ones_and_whole_students_are_no_fractions() -> None:
    small = [line(year, value) | {"reporting_year": 2022} for year, value in ((2020, 4.0), (2021, 6.0), (2022, 0.8))]
    assert told(small, "fraction_suspected") == []
    one_of_269 = [line(2021, 20.0), line(2022, 0.37, 269)]
    assert told(one_of_269, "fraction_suspected") == []
    assert told([line(2021, 20.0), line(2022, 0.0)], "fraction_suspected") == []


def network(seed: int, series: int = 3_000, years: int = 6) -> list[Line]:
    """Short series of one network without any mistake: own levels, a common shift in 2020, counts drawn binomially."""
    draw = np.random.default_rng(seed)
    level = draw.uniform(0.2, 0.9, series)
    size = draw.integers(15, 900, series)
    lines = []
    for offset in range(years):
        shift = -0.06 if 2017 + offset == 2020 else 0.0
        rate = np.clip(level + shift + draw.normal(0, 0.01, series), 0.01, 0.99)
        ready = draw.binomial(size, rate)
        lines += [
            line(2017 + offset, None, int(n), numerator=int(k), community=f"c{number:04}")
            for number, (n, k) in enumerate(zip(size, ready, strict=True))
        ]
    return lines


def outlier_only() -> ComparisonRules:
    """Thresholds under which no other rule speaks of a change, and the pooled one asks about every deviation."""
    quiet = {"year_over_year.points": 100.0, "outlier.points": 0.0, "outlier.max_others": 9.0}
    return replace(PARAMETERS, values={**PARAMETERS.values, **quiet})


def test_pooled_outliers_keep_their_stated_rate_of_false_alarms() -> None:
    stated = PARAMETERS["outlier.false_alarm_rate"]
    alarms = judged = 0
    for seed in (1, 2, 3):
        issues = compare_submissions(observations(network(seed)), REFERENCE, outlier_only())
        alarms += issues.filter(pl.col("rule_id") == "short_series_outlier").height
        judged += 3_000 * 3  # 2020 to 2022; the years before lend the pool
    # Three standard errors of a binomial rate above what is stated.
    assert alarms / judged <= stated + 3 * (stated / judged) ** 0.5
    assert alarms > 0


def test_pooled_outliers_find_planted_ones() -> None:
    lines = network(4)
    planted = 0
    for index in range(3_000 * 5, 3_000 * 6, 60):
        row = lines[index]
        if row["denominator"] >= 100:
            other = 0.1 if row["numerator"] / row["denominator"] > 0.5 else 0.95
            lines[index] = line(
                2022, None, row["denominator"], numerator=int(row["denominator"] * other), community=row["community_id"]
            )
            planted += 1
    issues = compare_submissions(observations(lines), REFERENCE, outlier_only())
    found = issues.filter((pl.col("rule_id") == "short_series_outlier") & (pl.col("reporting_year") == 2022)).height
    assert planted >= 30
    assert found >= 0.9 * planted


def test_a_small_pool_tells_no_outlier() -> None:
    assert told([*STEADY[:3], line(2021, 5.0, 400)], "short_series_outlier") == []


def test_the_order_of_rows_leaves_no_trace() -> None:
    lines = [
        *network(5, 60),
        *regional(40, 4),
        *groups(2022, RACES),
        *groups(2023, RACES[1:]),
        *STEADY,
        line(2023, 84.2, 400),
    ]
    frame = observations(lines).unique(
        ["community_id", "geography_id", "population_group_id", "school_year"], keep="first", maintain_order=True
    )
    plain = compare_submissions(frame, REFERENCE, PARAMETERS)
    for seed in (1, 2):
        shuffled = frame.sample(fraction=1.0, shuffle=True, seed=seed)
        assert compare_submissions(shuffled, REFERENCE, PARAMETERS).equals(plain)


def test_other_communities_leave_a_communitys_own_questions_alone() -> None:
    alone = findings([*STEADY, line(2023, 84.2, 400)])
    beside = findings([*STEADY, line(2023, 84.2, 400), *network(6, 50)])
    assert beside.filter(pl.col("community_id") == COMMUNITY).equals(alone)


def test_thresholds_of_both_rulesets_are_complete() -> None:
    table: pl.DataFrame = Reference(REFERENCE.folder).table("rulesets/comparison_parameters")
    names = table.group_by("ruleset_id", "ruleset_version").agg(pl.col("parameter").sort())
    assert names["parameter"].n_unique() == 1
    assert table["value"].cast(pl.Float64).is_not_null().all()
