"""Names of columns as portals and members spell them: read and told, or refused by name, and never a wrong row.

Belongs here: headers that were tried against intake and once left a value silently behind or in the wrong place.
Does not: the cases of the field (test_field_texts.py), layouts of foreign tables (test_layouts_matching.py).
"""

from __future__ import annotations

import polars as pl
import pytest

from dagster_project.lib.base.reference import Reference
from dagster_project.lib.intake.batch import Intake
from tests.conftest import ROOT, Outcome, take_folder
from tests.support import workbook

HEADER = "school_year,indicator,dimension,group"
READING = "grade3_reading_proficient_pct,all,all"


@pytest.fixture(scope="module")
def network() -> Intake:
    """What intake needs for the example network."""
    return Intake(Reference(ROOT / "seeds"))


def take(network: Intake, header: str, cells: str, labels: str = READING) -> Outcome:
    text = f"{HEADER},{header}\n2024,{labels},{cells}\n"
    return take_folder(network, {"values.csv": text}, "aspenreach", 2024)


@pytest.mark.parametrize(
    ("tested", "reached"),
    [
        ("Total Tested", "Met Standard"),
        ("Students Assessed", "Students Meeting Standard"),
        ("CountTested", "CountProficient"),
        ("Num_Tested", "Num_Prof"),
        ("Cohort Size", "Numer"),
    ],
)
def test_counts_under_names_of_portals_make_the_rate(network: Intake, tested: str, reached: str) -> None:
    outcome = take(network, f"{tested},{reached}", "200,93")
    assert outcome.observations["value"].to_list() == [46.5]
    assert outcome.rules == {"near_column"}


@pytest.mark.parametrize(
    ("cohort", "reached"), [("Number in Cohort", "Number Graduated"), ("Cohort Size", "Grad Count")]
)
def test_counts_of_graduates_make_the_rate(network: Intake, cohort: str, reached: str) -> None:
    outcome = take(network, f"{cohort},{reached}", "200,93", "graduation_4yr_pct,all,all")
    assert outcome.observations["value"].to_list() == [46.5]
    assert outcome.rules == {"near_column"}


@pytest.mark.parametrize(
    ("header", "cells"), [("Met Standard,Kids in the room", "93,200"), ("denominator,Hits", "200,93")]
)
def test_half_of_the_counts_beside_an_unread_number_is_no_row_with_a_value(
    network: Intake, header: str, cells: str
) -> None:
    outcome = take(network, header, cells)
    assert outcome.observations.is_empty()
    assert "no_values" in outcome.rules


@pytest.mark.parametrize(
    ("indicator", "header", "cells"),
    [
        ("attendance_rate_pct", "Chronic Absenteeism Rate", "18.2"),
        ("Average Daily Attendance", "Denominator Count,Number Chronically Absent", "200,36"),
        ("graduation_4yr_pct", "Students Tested,Met Standard", "200,93"),
        ("postsecondary_enrolled_pct", "denominator,Graduates", "200,93"),
        ("College Entrance", "Enrolled,numerator", "200,93"),
        ("grade9_on_track_pct", "Cohort,Number Graduated", "200,93"),
        ("grade3_reading_mean_score", "Percent Proficient", "46.5"),
        ("median_family_income_usd", "Percent", "46.5"),
        ("insured_children_pct", "Students Assessed,Numerator Count", "200,93"),
    ],
)
def test_a_number_below_a_header_that_speaks_of_another_indicator_is_no_value(
    network: Intake, indicator: str, header: str, cells: str
) -> None:
    outcome = take(network, header, cells, f"{indicator},all,all")
    assert outcome.observations["row_status"].to_list() == ["rejected"]
    assert outcome.rules == {"near_column", "header_of_another_topic"}


@pytest.mark.parametrize(
    ("indicator", "header", "cells"),
    [
        ("% Chronically Absent", "Chronic Absenteeism Rate", "18.2"),
        ("Graduation Rate", "Number in Cohort,Graduates", "200,93"),
        ("ACGR", "Graduation Rate", "46.5"),
        ("grade8_math_proficient_pct", "Students Tested,Number Proficient", "200,93"),
        ("kindergarten_ready_pct", "Number Assessed,Number Meeting", "200,93"),
        ("chronic_absence_pct", "Number Enrolled,Chronically Absent", "200,93"),
        ("grade3_reading_mean_score", "Students Tested,value", "200,431"),
        ("low_birthweight_pct", "Percent", "46.5"),
        ("postsecondary_completed_pct", "Cohort,Number Graduated", "200,93"),
        ("college_career_ready_pct", "Students Tested,Number Proficient", "200,93"),
    ],
)
def test_a_header_that_speaks_of_the_indicator_of_its_rows_is_read(
    network: Intake, indicator: str, header: str, cells: str
) -> None:
    outcome = take(network, header, cells, f"{indicator},all,all")
    assert outcome.observations["row_status"].to_list() == ["accepted"]
    assert outcome.rules == {"near_column"}


def test_rows_of_two_indicators_below_one_header_are_judged_one_by_one(network: Intake) -> None:
    text = "school_year,indicator,dimension,group,Graduation Rate\n2024,graduation_4yr_pct,all,all,93\n"
    text += "2024,attendance_rate_pct,all,all,94\n2024,attendance_rate_pct,gender,male,\n"
    outcome = take_folder(network, {"values.csv": text}, "aspenreach", 2024)
    assert outcome.observations["row_status"].to_list() == ["accepted", "rejected", "accepted"]
    (told,) = outcome.findings.filter(pl.col("rule_id") == "header_of_another_topic").to_dicts()
    assert (told["source_row"], told["source_column"]) == (3, "Graduation Rate")
    assert "Average daily attendance" in told["message"] and "Graduation Rate" in told["message"]


@pytest.mark.parametrize("lone", ["denominator,*", "denominator,0", "numerator,<5"])
def test_a_mask_or_a_base_of_zero_in_place_of_a_count_says_something(network: Intake, lone: str) -> None:
    outcome = take(network, *lone.split(","))
    assert outcome.observations["row_status"].to_list() == ["accepted"]


@pytest.mark.parametrize("header", ["SchoolYear", "schoolYear", "SCHOOL YEAR", "School-Year"])
def test_a_column_is_its_own_name_whichever_way_it_is_spaced(network: Intake, header: str) -> None:
    text = f"{header},indicator,dimension,group,value,DataSource\n2024,{READING},46.8,the state\n"
    outcome = take_folder(network, {"values.csv": text}, "aspenreach", 2024)
    assert outcome.observations.select("school_year", "value", "data_source").rows() == [(2024, 46.8, "the state")]


@pytest.mark.parametrize(
    ("header", "cell"),
    [
        ("StudentGroup", "Black"),
        ("Subgroup Name", "Black"),
        ("English Learner", "Yes"),
        ("FRL", "Yes"),
        ("Grade Level", "04"),
        ("Building", "Lincoln Elementary"),
        ("SchoolCode", "1234"),
        ("Zipcode", "02138"),
        ("Census Tract", "001200"),
        ("GeoName", "Reach Mountain Schools"),
        ("Community", "Alderwick Bend"),
        ("Level of Data", "LEA"),
        ("Window", "BOY"),
        ("Part of the year", "Semester 1"),
        ("Mois", "March"),
        ("Whom", "program"),
        ("Data Format", "proportion"),
    ],
)
def test_a_column_that_narrows_the_rows_is_refused_by_name(network: Intake, header: str, cell: str) -> None:
    outcome = take(network, f"value,{header}", f"46.8,{cell}")
    assert outcome.observations.is_empty()
    assert "column_unclear" in outcome.rules


@pytest.mark.parametrize(
    ("header", "cell"),
    [
        ("District", "Aspenreach"),
        ("School Name", "All Schools"),
        ("Student Group Name", "All Students"),
        ("Data Format", "percent"),
        ("Community", "Aspenreach"),
        ("Subject", "Reading"),
        ("Region", "North"),
    ],
)
def test_a_column_that_says_what_blank_means_anyway_is_a_note(network: Intake, header: str, cell: str) -> None:
    outcome = take(network, f"value,{header}", f"46.8,{cell}")
    assert outcome.observations["value"].to_list() == [46.8]
    assert outcome.observations["geography_id"].to_list() == ["aspenreach"]
    assert outcome.rules <= {"unknown_columns", "near_column"}


def test_a_place_of_the_community_without_its_kind_is_asked_about(network: Intake) -> None:
    outcome = take(network, "value,geography", "46.8,Reach Mountain Schools")
    assert outcome.observations.select("row_status", "geography_id").rows() == [("accepted", "aspenreach")]
    (missing,) = outcome.findings.filter(rule_id="missing_level").to_dicts()
    assert (missing["source_column"], missing["found"]) == ("geography_level", "Reach Mountain Schools")
    assert (missing["severity"], missing["status"]) == ("explainable", "open")
    other = take(network, "value,geography", "46.8,our town")
    assert other.rules == {"place_not_community"}


@pytest.mark.parametrize("named", ["Birchmont Falls", "birchmont_falls"])
def test_a_row_that_names_another_community_is_asked_about(network: Intake, named: str) -> None:
    outcome = take(network, "value,geography", f"46.8,{named}")
    assert outcome.observations.select("row_status", "geography_id").rows() == [("accepted", "aspenreach")]
    (asked,) = outcome.findings.to_dicts()
    assert (asked["rule_id"], asked["severity"], asked["found"]) == ("another_community", "explainable", named)


@pytest.mark.parametrize(
    "named", ["Colorado", "CO", "State of Colorado", "STATE", "Statewide Average", "United States"]
)
def test_a_row_that_names_the_state_or_the_nation_is_asked_about(network: Intake, named: str) -> None:
    outcome = take(network, "value,geography", f"46.8,{named}")
    (asked,) = outcome.findings.to_dicts()
    assert (asked["rule_id"], asked["severity"], asked["found"]) == ("wider_place", "explainable", named)


@pytest.mark.parametrize("dimension", ["State Total", "Statewide", "National", "Colorado"])
def test_a_total_whose_dimension_names_the_state_is_asked_about(network: Intake, dimension: str) -> None:
    outcome = take(network, "value", "46.8", READING.replace(",all,", f",{dimension},"))
    (asked,) = outcome.findings.to_dicts()
    assert (asked["rule_id"], asked["severity"], asked["found"]) == ("wider_place", "explainable", dimension)
    assert asked["source_column"] == "dimension"


@pytest.mark.parametrize(
    ("name", "asked"),
    [
        ("Old - do not use", True),
        ("values_draft", True),
        ("Don't use", True),
        ("Example", True),
        ("test data", True),
        ("ARCHIVE 2022", True),
        ("Gold Coast", False),
        ("State Tests", False),
        ("2024", False),
    ],
)
def test_a_sheet_that_may_not_be_meant_to_count_is_asked_about(network: Intake, name: str, asked: bool) -> None:
    cells = [*READING.split(","), 46.8]
    book = workbook(**{name: [[*HEADER.split(","), "value"], [2024, *cells]]})
    outcome = take_folder(network, {"values.xlsx": book}, "aspenreach", 2024)
    assert outcome.observations["value"].to_list() == [46.8]
    assert outcome.rules == ({"sheet_set_aside"} if asked else set())


@pytest.mark.parametrize("header", ["Community", "community_id", "Site"])
def test_a_column_that_names_other_communities_beside_the_own_is_not_passed_over(network: Intake, header: str) -> None:
    rows = [f"{year},{READING},{cells}" for year, cells in ((2024, "46,Aspenreach"), (2023, "41,Birchmont Falls"))]
    text = "\n".join([f"{HEADER},value,{header}", *rows, f"2022,{READING},40,Total", ""])
    outcome = take_folder(network, {"values.csv": text}, "aspenreach", 2024)
    assert outcome.observations.is_empty()
    assert "column_unclear" in outcome.rules


@pytest.mark.parametrize("day", ["10-Jan", "3-Aug", "Oct-10", "9-May-24", "Sep-2011"])
@pytest.mark.parametrize("column", ["series", "geography", "value", "denominator"])
def test_a_date_that_a_spreadsheet_saved_into_a_text_file_is_told_once(network: Intake, day: str, column: str) -> None:
    cells = {"value": "46", "denominator": "", "geography": "", "series": "", "geography_level": ""}
    cells |= {column: day} | ({"geography_level": "school"} if column == "geography" else {})
    outcome = take(network, ",".join(cells), ",".join(cells.values()))
    assert outcome.observations["row_status"].to_list() == ["rejected"]
    assert [(line["rule_id"], line["found"]) for line in outcome.findings.to_dicts()] == [("date_cell", day)]


def test_a_day_in_a_note_is_a_note(network: Intake) -> None:
    assert take(network, "value,note", "46,10-Jan").rules == set()


@pytest.mark.parametrize(("code", "level"), [("2,138", "zip"), ("10 001", "zip"), ("1,234,567", "school")])
def test_codes_with_separators_of_thousands_are_no_places(network: Intake, code: str, level: str) -> None:
    outcome = take(network, "value,geography,geography_level", f'46,"{code}",{level}')
    assert outcome.observations["row_status"].to_list() == ["rejected"]
    assert outcome.rules == {"spoilt_code"}


@pytest.mark.parametrize(
    ("word", "encoding"),
    [
        ("Pe\u00f1asco", "cp850"),
        ("Jos\u00e9 Mart\u00ed", "cp437"),
        ("\u0152uvre", "latin9"),
        ("\u041c\u043e\u0441\u043a\u0432\u0430", "cp1251"),
        ("\u4e2d\u6587", "gb18030"),
        ("Pe\u00c3\u00b1asco", "utf-8"),
        ("Pe\ufffdasco", "utf-8"),
        ("Pe&ntilde;asco", "utf-8"),
        ("the school\u00e2\u20ac\u2122s", "utf-8"),
    ],
)
def test_words_with_broken_letters_are_asked_about(network: Intake, word: str, encoding: str) -> None:
    text = f"{HEADER},value,data_source\n2024,{READING},46,{word}\n"
    outcome = take_folder(network, {"values.csv": text.encode(encoding)}, "aspenreach", 2024)
    assert outcome.rules == {"doubtful_encoding"}


@pytest.mark.parametrize(
    "word", ["Pe\u00f1asco", "Caf\u00e9 & bar", "\u00c2ge", "S\u00c3O", "\u201cquoted\u201d", "R&D;x"]
)
def test_right_letters_are_no_question(network: Intake, word: str) -> None:
    outcome = take(network, "value,note", f'46,"{word}"')
    assert not outcome.rules


@pytest.mark.parametrize("header", ["2022-23", "SY 2022-23", "2023", "Male", "Black or African American", "Hispanic %"])
def test_numbers_below_a_year_or_a_group_beside_the_values_are_asked_about(network: Intake, header: str) -> None:
    outcome = take(network, f"value,{header}", "46.8,44.1")
    assert outcome.observations["value"].to_list() == [46.8]
    (asked,) = outcome.findings.filter(pl.col("rule_id") == "values_beside").to_dicts()
    assert asked["severity"] == "explainable" and header in asked["message"]


@pytest.mark.parametrize(
    ("header", "cell"), [("2022-23", "see below"), ("Male", ""), ("Other", "12"), ("Rank 2023", "4"), ("Total", "200")]
)
def test_other_columns_beside_the_values_are_no_question(network: Intake, header: str, cell: str) -> None:
    outcome = take(network, f"value,{header}", f"46.8,{cell}")
    assert outcome.observations["value"].to_list() == [46.8]
    assert "values_beside" not in outcome.rules


def test_a_label_that_waits_is_one_question_however_many_rows_bear_it_and_a_group_one_of_its_dimension(
    network: Intake,
) -> None:
    rows = [
        "2024,Reading Joy,gender,male,46",
        "2024,Reading Joy,gender,female,47",
        "2024,grade3_reading_proficient_pct,gender,Sometimes,48",
        "2024,grade3_reading_proficient_pct,economic_status,Sometimes,49",
    ]
    outcome = take_folder(network, {"values.csv": "\n".join([f"{HEADER},value", *rows, ""])}, "aspenreach", 2024)
    asked = outcome.findings.group_by("rule_id", "finding_id").agg(pl.col("n_rows").sum()).sort("rule_id", "n_rows")
    assert asked.select("rule_id", "n_rows").rows() == [
        ("unmapped_group", 1),
        ("unmapped_group", 1),
        ("unmapped_indicator", 2),
    ]


def asked(outcome: Outcome, rule: str) -> list[tuple[int, str]]:
    """First row and what was found of each question; all values count."""
    assert outcome.observations["row_status"].to_list() == ["accepted"] * outcome.observations.height
    found = outcome.findings.filter(pl.col("rule_id") == rule)
    assert set(found["severity"]) <= {"explainable"}
    return found.select("source_row", "found").rows()


@pytest.mark.parametrize(
    ("header", "cell", "is_asked"),
    [
        ("note", "DO NOT USE", True),
        ("Comments", "Don't count this", True),
        ("Status", "Draft", True),
        ("Exclude", "Y", True),
        ("Include?", "no", True),
        ("Exclude", "N", False),
        ("Include", "Yes", False),
        ("Not used", "N", False),
        ("note", "Students who moved were excluded", False),
        ("Excluded students", "12", False),
    ],
)
def test_a_row_that_may_not_be_meant_to_count_is_asked_about(
    network: Intake, header: str, cell: str, is_asked: bool
) -> None:
    found = asked(take(network, f"value,{header}", f"46.8,{cell}"), "row_set_aside")
    assert found == ([(2, f"{header}: {cell}")] if is_asked else [])


def test_rows_below_a_title_or_a_line_that_sets_them_aside_are_asked_about(network: Intake) -> None:
    text = f"DRAFT - do not use\n{HEADER},value\n2024,{READING},46.8\n"
    outcome = take_folder(network, {"values.csv": text}, "aspenreach", 2024)
    assert asked(outcome, "row_set_aside") == [(3, "DRAFT - do not use")]
    text = f"{HEADER},value\n2024,{READING},46.8\nOld - do not use,,,,\nDo not use,,,,\n2023,{READING},41\n"
    outcome = take_folder(network, {"values.csv": text}, "aspenreach", 2024)
    assert outcome.findings.filter(pl.col("rule_id") == "row_set_aside")["source_row"].to_list() == [5]


@pytest.mark.parametrize(
    ("name", "is_asked"),
    [
        ("Black", True),
        ("Students with Disabilities", True),
        ("Birchmont Falls", True),
        ("Aspenreach Public Schools", True),
        ("Aspenreach", False),
        ("English", False),
        ("Reading", False),
    ],
)
def test_totals_on_a_sheet_named_by_a_group_or_a_place_are_asked_about(
    network: Intake, name: str, is_asked: bool
) -> None:
    cells = [*READING.split(","), 46.8]
    named = workbook(**{name: [[*HEADER.split(","), "value"], [2024, *cells]]})
    titled = f"{name}\n{HEADER},value\n2024,{READING},46.8\n"
    for files, row in (({"values.xlsx": named}, 2), ({"values.csv": titled}, 3)):
        found = asked(take_folder(network, files, "aspenreach", 2024), "rows_under_a_name")
        assert found == ([(row, name)] if is_asked else [])


def test_rows_that_name_their_own_group_and_place_are_no_question_below_another_name(network: Intake) -> None:
    header = [*HEADER.split(","), "value", "geography", "geography_level"]
    row = [2024, "grade3_reading_proficient_pct", "gender", "female", 46.8, "Aspenreach Public Schools", "district"]
    for name in ("Black", "Aspenreach Public Schools"):
        outcome = take_folder(network, {"values.xlsx": workbook(**{name: [header, row]})}, "aspenreach", 2024)
        assert asked(outcome, "rows_under_a_name") == []


@pytest.mark.parametrize(("label", "is_asked"), [("all,all", True), ("race_ethnicity,hispanic", False)])
def test_a_total_beside_the_name_of_a_group_is_asked_about(network: Intake, label: str, is_asked: bool) -> None:
    outcome = take(network, "value,Who", "46.8,Hispanic", f"grade3_reading_proficient_pct,{label}")
    assert asked(outcome, "rows_under_a_name") == ([(2, "Who: Hispanic")] if is_asked else [])


@pytest.mark.parametrize("header", ["Program", "Program Name", "Intervention"])
def test_a_column_of_programs_is_not_passed_over(network: Intake, header: str) -> None:
    outcome = take(network, f"value,{header}", "46.8,Summer Bridge")
    assert outcome.observations.is_empty()
    assert outcome.rules >= {"column_unclear"}
    assert take(network, f"value,{header}", "46.8,All").observations["value"].to_list() == [46.8]
    outcome = take(network, f"value,series,data_level,{header}", "46.8,Summer Bridge,program,Summer Bridge")
    assert outcome.observations["value"].to_list() == [46.8], "the row says by itself what it is of"


@pytest.mark.parametrize(("begins", "ends"), [("Start Date", "End Date"), ("From", "To"), ("Joined", "Left")])
def test_the_days_of_a_partner_are_read_under_the_names_that_members_give_them(
    network: Intake, begins: str, ends: str
) -> None:
    text = f"organization,body,sector_category,{begins},{ends}\nUnited Way,partnership,a,2010-07-01,2015-06-30\n"
    outcome = take_folder(network, {"roster.csv": text}, "aspenreach", 2024)
    (row,) = outcome.register("partner_roster").to_dicts()
    assert [str(row[name]) for name in ("active_from", "active_to")] == ["2010-07-01", "2015-06-30"]
    assert outcome.rules == {"near_column"}


@pytest.mark.parametrize(
    ("header", "cell", "counts"),
    [("Active", "No", False), ("Status", "Former", False), ("Active", "Yes", True), ("Status", "Current", True)],
)
def test_a_roster_that_says_who_left_in_a_column_of_its_own_is_not_read_without_it(
    network: Intake, header: str, cell: str, counts: bool
) -> None:
    text = f"organization,body,sector_category,{header}\nUnited Way,partnership,a,{cell}\n"
    outcome = take_folder(network, {"roster.csv": text}, "aspenreach", 2024)
    assert outcome.register_rows.height == counts
    assert ("column_unclear" in outcome.rules) != counts


@pytest.mark.parametrize(("status", "counts"), [("Received", True), ("Secured", True), ("Declined", False)])
def test_a_gift_whose_status_says_that_it_stands_is_read(network: Intake, status: str, counts: bool) -> None:
    text = f"partner,purpose,amount,Status\nUnited Way,operations,1000,{status}\n"
    outcome = take_folder(network, {"funding.csv": text}, "aspenreach", 2024)
    assert outcome.register_rows.height == counts
    assert ("column_unclear" in outcome.rules) != counts


def test_an_agreement_that_expired_is_not_in_force_for_the_name_of_its_column(network: Intake) -> None:
    text = "party,sector,data_level,Effective Date,Expires\nDistrict,schools,program,2019-01-01,2020-12-31\n"
    outcome = take_folder(network, {"agreements.csv": text}, "aspenreach", 2024)
    (row,) = outcome.register("data_sharing_agreements").to_dicts()
    assert [str(row[name]) for name in ("start_date", "end_date")] == ["2019-01-01", "2020-12-31"]


def test_the_primary_indicator_and_its_baseline_are_read_under_near_names(network: Intake) -> None:
    text = "Indicator,Outcome,Role,Is Primary,Baseline\ngrade3_reading_proficient_pct,,core,Yes,2019-20\n"
    outcome = take_folder(network, {"selection.csv": text}, "aspenreach", 2024)
    (row,) = outcome.register("indicator_selection").to_dicts()
    assert (row["primary"], row["baseline_year"]) == (True, 2020)


@pytest.mark.parametrize(
    ("header", "cell", "is_asked"),
    [
        ("Rate", "53.5", True),
        ("Percent", "46.5", True),
        ("Graduation Rate", "81.2", True),
        ("Percent", "46.8%", False),
        ("Rate", "", False),
        ("Rate", "see note", False),
        ("Count", "412", False),
    ],
)
def test_other_numbers_under_a_name_of_values_beside_the_values_are_asked_about(
    network: Intake, header: str, cell: str, is_asked: bool
) -> None:
    found = asked(take(network, f"value,{header}", f"46.8,{cell}"), "rate_beside")
    assert found == ([(2, header)] if is_asked else [])
