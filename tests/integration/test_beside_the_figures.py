"""What a community says beside its figures, and programs beside the population: through the command a user types.

Belongs here: data levels, stories, selections, decisions, standings and what stands apart, over the runs of one home.
Does not: every form of a name in a text (tests/unit/intake), the rules of the marts (dbt unit tests).
"""

from __future__ import annotations

import csv
import datetime as dt
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.integration.conftest import EXAMPLE_TODAY, HEADER, READING, lines, small_seeds
from tests.support import NOTHING_ELSE, PROJECT, current, receipt
from tests.warm import warm_cradle

COMMUNITY, QUIET = "reedmere", "quill_harbor"
VALUES = HEADER + lines("grade3_reading_proficient_pct", READING)
PROGRAM = (
    "school_year,indicator,dimension,group,numerator,denominator,value,series,data_level\n"
    "2018,grade3_reading_proficient_pct,all,all,9,10,90,tutoring,program\n"
    "2018,grade3_reading_proficient_pct,program participation,participants,9,10,90,tutoring,program\n"
)
PERSONS = (
    "school_year,indicator,dimension,group,numerator,denominator,value,data_level\n"
    "2018,grade3_reading_proficient_pct,all,all,1,1,100,individual\n"
)
STORIES = (
    "title,text,indicator,consent,author_role,language\n"
    'Mornings,"Children read before school, and parents stay.",,yes,parent,English\n'
    'A birthday,"Maria Lopez, born 4/12/2010, of 12 Elm Street reads every day.",,yes,parent,Spanish\n'
)
SELECTION = (
    "indicator,outcome,role,primary,baseline_year\n"
    "grade3_reading_proficient_pct,,core,yes,2015\n"
    "housing_cost_burdened_pct,employment,core,yes,2015\n"
    "graduation_4yr_pct,,core,yes,2021\n"
    "chronic_absence_pct,,core,,2015\n"
)


OLD_TEST = (
    "school_year,indicator,dimension,group,numerator,denominator,value,series\n"
    "2016,grade8_math_proficient_pct,all,all,40,80,,old test\n"
)
NEW_TEST = OLD_TEST.replace("2016", "2018").replace("old test", "new test")
REGISTERS = {
    "results.csv": "population,statement,outcome\nNewcomers,All ready,\nfemale,All read,\nlocal: twins,All count,\n",
    "factors.csv": "indicator,factor,evidence\nchronic_absence_pct,Buses come late,community_voice\n",
    "communications.csv": "kind,audience,date\nprogress,partners,2018-02-01\nprogress,community,2018-05-01\n",
    "definitions.csv": "term,text,approved_on\nContinuous improvement,We learn in short cycles,2018-03-01\n",
    "data_sharing_agreements.csv": (
        "party,sector,data_level,purpose,start_date,end_date,destruction_date\n"
        "Schools,education,program,Yearly results,2015-01-01,2018-06-30,2018-09-30\n"
        "Clinic,health,program,Yearly results,2015-01-01,2018-06-30,\n"
        "Library,education,program,Yearly results,2015-01-01,2019-02-15,\n"
        "Housing,housing,program,Yearly results,2018-01-01,2017-01-01,\n"
    ),
    "measures.csv": "name,action,indicator,owner_sector\nFamilies visited,,chronic_absence_pct,health\n",
    "terms.csv": (
        "school_year,indicator,dimension,group,numerator,denominator,value,period\n"
        "2018,attendance_rate_pct,all,all,,,93.7,Fall 2017\n2018,attendance_rate_pct,all,all,,,92.4,2018-02\n"
    ),
    "staff_composition.csv": (
        "body,dimension,group,people,community_people,source\n"
        "staff,all,all,10,5000,census\nstaff,gender,female,6,2500,census\n"
        "board,all,all,,5000,census\nboard,gender,female,4,2500,census\n"
    ),
    "examples.csv": (
        "example_id,kind,title,status,first_evidenced_on,planned,done,studied,acted\n"
        "e1,strategy,Reading hour,accepted,2018-02-01,An hour,12 schools,Half came,Moved to mornings\n"
    ),
}
# Both serve one district: it is a third of the one's graduates and a half of the other's.
YEARS = (2016, 2017, 2018)
GRADUATION = HEADER + lines("graduation_4yr_pct", dict.fromkeys(YEARS, (60, 90)))
DISTRICT = "school_year,indicator,dimension,group,numerator,denominator,geography_level,geography\n" + "".join(
    f"{year},graduation_4yr_pct,all,all,15,30,district,{{place}}\n" for year in YEARS
)
SERVED = "{community}_shared,{community},Shared District,district,{community},nces,0900001,,\n"

WORKING = (
    "school_year,indicator,dimension,group,numerator,denominator\n"
    "2018,postsecondary_completed_pct,Employment status,Employed,30,60\n"
    "2018,postsecondary_completed_pct,employment_status,unemployed,12,48\n"
    "2018,postsecondary_completed_pct,Labor Force Status,Out of the labor force,10,40\n"
    "2018,postsecondary_completed_pct,all,all,52,148\n"
)


def by_group(groups: Mapping[str, tuple[int, tuple[int, ...]]]) -> str:
    """Rows of five school years for groups (how many children, and their counts by year) and for the total of both
    genders."""
    (girls, girls_ready), (boys, boys_ready) = groups["gender,female"], groups["gender,male"]
    total = (girls + boys, tuple(map(sum, zip(girls_ready, boys_ready, strict=True))))
    return "school_year,indicator,dimension,group,numerator,denominator\n" + "".join(
        f"{year},kindergarten_ready_pct,{group},{count},{of}\n"
        for group, (of, counts) in {**groups, "all,all": total}.items()
        for year, count in enumerate(counts, 2014)
    )


# One community's girls gain four points a year and its boys lose two, so that its total gains one; black children gain
# more than it, but not surely. In the other all gain as its total does, and more than the first one's total.
APART = by_group(
    {
        "gender,female": (100, (40, 44, 48, 52, 56)),
        "gender,male": (100, (60, 58, 56, 54, 52)),
        "race_ethnicity,black": (100, (50, 60, 45, 65, 60)),
    }
)
ALIKE = by_group({"gender,female": (43, (5, 6, 7, 8, 9)), "gender,male": (86, (12, 14, 16, 18, 20))})
DECIDED = "community_id,kind,code,decision,decided_on,approver,reason\n"
FIRST_STAGE = f"{DECIDED}{COMMUNITY},designation,proof_point_initial,granted,2016-06-30,board,\n"
SECOND_STAGE = (
    f"{DECIDED}{COMMUNITY},designation,proof_point_ongoing,granted,2018-03-31,board,\n"
    f"{QUIET},designation,proof_point_initial,granted,2016-09-30,board,\n"
)
# What the first gateway computes from registers; people decide the rest of it.
PARTNERSHIP = {
    "partnership_profile.csv": "geographic_scope,anchor_organization\nHarbor County,Harbor Foundation\n",
    "partner_roster.csv": "organization,body,sector_category,active_from\n"
    + "".join(f"Partner {sector},partnership,{sector},2015-01-01\n" for sector in "abcdef"),
    "indicator_selection.csv": "indicator,outcome,role,primary,baseline_year\n"
    "kindergarten_ready_pct,,core,yes,2015\ngraduation_4yr_pct,,core,yes,2015\n"
    "postsecondary_enrolled_pct,,core,yes,2015\n",
}
REVIEWED = "community_id,criterion_id,decision,decided_on,approver,reason\n"


def attested(gateway: str) -> Iterator[str]:
    """The criteria of a gateway that people decide on, alone or beside what is computed."""
    with (PROJECT / "seeds" / "rubric" / "rubric.csv").open(newline="", encoding="utf-8") as rubric:
        for row in csv.DictReader(rubric):
            if row["gateway"] == gateway and row["kind"] == "criterion" and row["determined_by"] != "computed":
                yield row["criterion_id"]


GATEWAY_MET = REVIEWED + "".join(
    f"{QUIET},{criterion},override,2017-06-30,board,Seen at a visit\n" for criterion in attested("exploring")
)
GATEWAY_LOST = f"{REVIEWED}{QUIET},exploring.2.2,rejected,2018-06-30,board,The agreement ran out\n"
DECISIONS = (
    (2016, "gateway_decisions.csv", FIRST_STAGE),
    (2017, "review_decisions.csv", GATEWAY_MET),
    (2018, "gateway_decisions.csv", SECOND_STAGE),
    (2018, "review_decisions.csv", GATEWAY_LOST),
)


class Home:
    """A home with two communities, run as often as asked."""

    def __init__(self, folder: Path) -> None:
        self.seeds, self.home = small_seeds(folder / "seeds"), folder / "home"

    def put(self, community: str, name: str, text: str, year: int = 2018) -> None:
        """A file in the folder of a year."""
        path = self.home / "drop" / community / str(year) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def cradle(self, *arguments: str) -> str:
        """What a command says on standard output."""
        settings = {"CRADLE_HOME": self.home, "CRADLE_SEEDS": self.seeds, "CRADLE_TODAY": EXAMPLE_TODAY}
        process = warm_cradle(*arguments, **settings, **NOTHING_ELSE)
        assert process.returncode == 0, process.stdout + process.stderr
        return process.stdout

    def run(self) -> None:
        """The main job."""
        self.cradle("run")

    def rows(self, query: str) -> list[tuple[object, ...]]:
        """Rows of the current release."""
        return list(current(self.home).rows(query))

    def asked(self, rule: str) -> dict[str, object]:
        """The one finding of a rule in the community's receipt."""
        (found,) = [f for f in receipt(self.home, COMMUNITY, 2018)["findings"] if f["rule_id"] == rule]
        return dict(found)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """After the first run; both communities serve one county, and one of them another."""
    made = Home(tmp_path_factory.mktemp("beside"))
    with (made.seeds / "network" / "reach.csv").open("a", encoding="utf-8") as reach:
        reach.write(f"{COMMUNITY},99001,2018,1000,400,invented\n{QUIET},99001,2018,1000,400,invented\n")
        reach.write(f"{QUIET},99003,2018,50,20,invented\n")
    with (made.seeds / "network" / "reference_values.csv").open("a", encoding="utf-8") as references:
        references.write("state,OH,grade3_reading_proficient_pct,,,2017,60.5,invented,CC0\n")
    with (made.seeds / "network" / "geographies.csv").open("a", encoding="utf-8") as places:
        places.writelines(SERVED.format(community=name) for name in (COMMUNITY, QUIET))
    made.put(COMMUNITY, "old.csv", OLD_TEST, 2016)
    for name in (COMMUNITY, QUIET):
        made.put(name, "graduation.csv", GRADUATION)
        made.put(name, "district.csv", DISTRICT.format(place=f"{name}_shared"))
    for year, name, text in DECISIONS:
        made.put("_network", name, text, year)
    for name, text in PARTNERSHIP.items():
        made.put(QUIET, name, text, 2016)
    made.put(QUIET, "kindergarten.csv", ALIKE)
    for name, text in (
        *REGISTERS.items(),
        ("kindergarten.csv", APART),
        ("working.csv", WORKING),
        ("new.csv", NEW_TEST),
        ("values.csv", VALUES),
        ("program.csv", PROGRAM),
        ("persons.csv", PERSONS),
        ("stories.csv", STORIES),
        ("indicator_selection.csv", SELECTION),
    ):
        made.put(COMMUNITY, name, text)
    made.put(QUIET, "declarations.csv", "kind,reason\nnothing_to_report,The tests of the year were cancelled\n", 2017)
    made.run()
    return made


def test_rows_of_a_program_are_shown_apart_and_enter_no_value_or_trend(home: Home) -> None:
    shown = home.rows("select population_group_id, value from marts.fct_program_value order by all")
    assert shown == [("all", 90.0), ("program_participation:served", 90.0)]
    for table in ("fct_indicator_value", "fct_indicator_value_history", "fct_trend_point"):
        assert home.rows(f"select count(*) from marts.{table} where series = 'tutoring'") == [(0,)]
    assert home.rows("select count(*) from marts.fct_trend where population_group_id like 'program%'") == [(0,)]


def test_the_reach_of_the_network_counts_a_county_of_two_communities_once(home: Home) -> None:
    reached = home.rows("select n_communities, n_states, n_places, n_shared_places, children from marts.rpt_reach")
    assert reached == [(2, 2, 2, 1, 1050)]


def test_a_reference_value_stands_in_its_own_table_and_in_no_figure(home: Home) -> None:
    assert home.rows("select area, value, licence from marts.fct_reference_value") == [("OH", 60.5, "CC0")]
    for table in ("fct_indicator_value", "fct_trend_point"):
        assert home.rows(f"select count(*) from marts.{table} where value = 60.5") == [(0,)]


def test_coverage_tells_the_hole_and_the_criteria_that_wait_for_it(home: Home) -> None:
    query = (
        "select n_with_value, n_masked, n_absent > 0, criteria_waiting from marts.rpt_coverage where school_year = 2018"
    )
    query += " and indicator_id = 'grade3_reading_proficient_pct' and dimension = "
    assert home.rows(f"{query} 'all'") == [(1, 0, False, None)]
    ((with_value, masked, absent, waiting),) = home.rows(f"{query} 'gender'")
    assert (with_value, masked, absent) == (0, 0, True)
    assert waiting == "systems_transformation.3.1"


def test_the_status_of_a_community_prints_its_coverage_and_what_waits_for_it(home: Home) -> None:
    told = home.cradle("status", "--community", COMMUNITY, "--year", "2018")
    assert (
        "grade3_reading_proficient_pct\n    all                    2016: 1 of 1; 2017: 1 of 1; 2018: 1 of 1\n" in told
    )
    assert "    gender                 no value - waiting for it: systems_transformation.3.1\n" in told


def test_a_folder_that_came_after_its_day_is_not_timely_and_its_days_are_told_apart_from_the_figures(
    home: Home,
) -> None:
    where = f"where community_id = '{COMMUNITY}' and reporting_year = 2018"
    assert home.rows(f"select timeliness from marts.fct_submission_status {where}") == [(None,)]
    assert home.rows(f"select days_after_due, timeliness from ops.submission_latency {where}") == [(31, 0.0)]
    values = "select distinct days_after_period, days_after_due, criterion_id from ops.value_latency"
    assert home.rows(f"{values} {where} and school_year = 2018 and period = 'annual'") == [
        (184, 31, "systems_change.3.3")
    ]


def test_a_district_of_two_communities_counts_once_in_every_pooled_figure(home: Home) -> None:
    once = 100 * (60 + 60 - 15) / (90 + 90 - 30)
    where = "where indicator_id = 'graduation_4yr_pct' and population_group_id = 'all'"
    network = home.rows(
        f"select pooled_rate_last, panel_size from marts.fct_network_trend {where} and reporting_year = 2018"
    )
    assert network == [(pytest.approx(once), 2)]
    added = "sum(numerator_once), sum(denominator_once), sum(numerator), sum(denominator)"
    own = f"{where} and geography_level = 'community' and school_year = 2018"
    assert home.rows(f"select {added} from marts.fct_indicator_value {own}") == [(105, 150, 120, 180)]


def test_a_new_label_of_series_is_asked_about_and_its_answer_says_why_and_whether_it_compares(home: Home) -> None:
    asked = home.asked("new_series")
    assert str(asked["found"]).startswith("new test after old test for ")
    query = "select series, first_school_year, is_explained, explanation, is_comparable from marts.fct_series_change"
    assert home.rows(query) == [("new test", 2018, False, None, None)]


def test_a_population_of_focus_is_a_group_or_marked_local_and_is_told_if_it_is_neither(home: Home) -> None:
    assert (home.asked("population_unknown")["found"], home.asked("population_unknown")["severity"]) == (
        "Newcomers",
        "info",
    )
    results = home.rows("select population, population_group_id, is_local from marts.fct_result order by population")
    assert results == [("Newcomers", None, False), ("female", "gender:female", False), ("local: twins", None, True)]


def test_evidence_prints_factors_by_kind_definitions_and_quarters_without_an_event(home: Home) -> None:
    query = f"select evidence from marts.fct_criterion_status where community_id = '{COMMUNITY}'"
    words = {
        "emerging.5.2": "factors on file by kind of evidence: 0 quantitative, 0 qualitative, 1 community voice",
        "emerging.6.4": "factors on file by kind of evidence: 0 quantitative, 0 qualitative, 1 community voice",
        "exploring.6.4": "on file, approved on 2018-03-01: We learn in short cycles",
        "systems_transformation.7.1": "on file beside the community: board by gender; staff by gender",
        "sustaining.2.2": "without one: 2018-Q1 (community), 2018-Q2 (partners), 2018-Q3 (community, partners)",
    }
    for criterion, expected in words.items():
        ((evidence,),) = home.rows(f"{query} and reporting_year = 2018 and criterion_id = '{criterion}'")
        assert expected in str(evidence)


def test_staff_stands_beside_the_community_by_group_and_a_body_without_a_total_is_asked_about(home: Home) -> None:
    asked = home.asked("composition_sum")
    assert (asked["found"], asked["severity"]) == (
        "the groups of gender of the board hold 4 people, the row of the total has no count",
        "explainable",
    )
    query = (
        "select body, people, people_total, share_pct, community_share_pct, difference_points, groups_fit_total "
        "from marts.fct_staff_composition where population_group_id = 'gender:female' order by body"
    )
    assert home.rows(query) == [
        ("board", 4, None, None, 50.0, None, False),
        ("staff", 6, 10, 60.0, 50.0, 10.0, True),
    ]


def test_agreements_that_end_or_have_ended_are_told_and_one_that_ends_before_it_begins_is_an_error(home: Home) -> None:
    told = home.rows("select party, agreement_status from marts.fct_agreement order by party")
    assert told == [("Clinic", "ended"), ("Library", "ends_soon"), ("Schools", "destruction_due")]
    assert home.asked("ends_before_it_begins")["source_row"] == 5


def test_a_measure_that_judges_no_action_is_told(home: Home) -> None:
    assert home.asked("measure_without_action")["found"] == "Families visited"


def test_values_of_a_term_and_of_a_month_stand_beside_the_core_indicator_and_in_no_trend(home: Home) -> None:
    query = "select period, period_kind, value, core_indicator_id from marts.fct_early_signal order by period"
    signals = home.rows(query)
    assert [row[:3] for row in signals] == [("2017-FALL", "term", 93.7), ("2018-02", "month", 92.4)]
    assert {row[3] for row in signals} != {None}
    assert home.rows("select count(*) from marts.fct_trend where indicator_id = 'attendance_rate_pct'") == [(0,)]


def test_notes_of_an_improvement_cycle_stand_with_their_example(home: Home) -> None:
    query = "select planned, done, studied, acted from marts.fct_strategy where kind = 'strategy'"
    assert home.rows(query) == [("An hour", "12 schools", "Half came", "Moved to mornings")]


def test_a_file_that_calls_its_rows_individual_is_refused_before_it_is_kept(home: Home) -> None:
    assert home.asked("person_level")["source_file"] == "persons.csv"
    (kind,) = [f["kind"] for f in receipt(home.home, COMMUNITY, 2018)["files"] if f["name"] == "persons.csv"]
    assert kind == "refused"


def test_a_folder_that_only_declares_nothing_to_report_is_accepted_with_no_rows(home: Home) -> None:
    query = f"select status, rows_accepted from marts.fct_submission_status where community_id = '{QUIET}'"
    assert home.rows(f"{query} and reporting_year = 2017") == [("accepted", 0)]


def test_a_selection_that_no_dictionary_allows_is_an_error_and_one_that_it_doubts_a_question(home: Home) -> None:
    assert home.asked("outcome_of_another_sector")["found"] == "employment for housing_cost_burdened_pct"
    assert home.asked("baseline_in_future")["found"] == "2021"
    assert (home.asked("contributing_as_core")["severity"], home.asked("contributing_as_core")["status"]) == (
        "explainable",
        "open",
    )


def test_a_proof_point_of_two_stages_is_reviewed_once_and_its_initial_one_is_succeeded(home: Home) -> None:
    first, second = "proof_point_initial", "proof_point_ongoing"
    query = "select reporting_year, designation, standing, next_review_due from marts.fct_designation"
    query += f" where community_id = '{COMMUNITY}' and designation in ('{first}', '{second}') order by all"
    assert home.rows(query) == [
        (2016, first, "active", dt.date(2018, 6, 30)),
        (2016, second, "none", None),
        (2017, first, "active", dt.date(2018, 6, 30)),
        (2017, second, "none", None),
        (2018, first, "succeeded", None),
        (2018, second, "active", dt.date(2020, 3, 31)),
    ]
    due = "select community_id, designation, standing from marts.rpt_designation_current where next_review_due"
    assert home.rows(f"{due} is not null order by all") == [(QUIET, first, "review_due"), (COMMUNITY, second, "active")]
    assert home.rows(f"{due} <= '{EXAMPLE_TODAY}'") == [(QUIET, first, "review_due")]


def test_a_reader_is_told_of_the_review_of_the_stage_in_force_alone(home: Home) -> None:
    told = home.cradle("explain", COMMUNITY, "proof_point_initial", "--year", "2018").splitlines()
    assert told[2].endswith("Decided: succeeded, last decision on 2016-06-30.")
    page = (current(home.home).folder / "report" / "communities" / COMMUNITY / "standing.html").read_text("utf-8")
    assert "Standing: succeeded by an ongoing one, decided on 2016-06-30.</p>" in page
    assert re.findall(r"Next review due on ([\d-]+)", page) == ["2020-03-31"]


def test_rows_by_employment_status_are_accepted_and_stand_beside_their_total(home: Home) -> None:
    query = "select population_group_id, value, source_file from marts.fct_indicator_value"
    assert home.rows(f"{query} where indicator_id = 'postsecondary_completed_pct' order by all") == [
        ("all", pytest.approx(100 * 52 / 148), "working.csv"),
        ("employment_status:employed", 50.0, "working.csv"),
        ("employment_status:not_in_labor_force", 25.0, "working.csv"),
        ("employment_status:unemployed", 25.0, "working.csv"),
    ]
    assert "working.csv" not in {found["source_file"] for found in receipt(home.home, COMMUNITY, 2018)["findings"]}


def test_bright_spots_and_areas_of_need_are_sure_and_measured_by_their_own_total_alone(home: Home) -> None:
    trends = "select community_id, population_group_id, slope from marts.fct_trend where reporting_year = 2018"
    slopes = {row[:2]: row[2] for row in home.rows(f"{trends} and indicator_id = 'kindergarten_ready_pct'")}
    own = slopes[COMMUNITY, "all"]
    assert min(slopes[COMMUNITY, "race_ethnicity:black"], slopes[QUIET, "gender:female"]) > own
    query = "select community_id, population_group_id, kind, slope, total_slope from marts.fct_bright_spot"
    assert home.rows(f"{query} where reporting_year = 2018 order by all") == [
        (COMMUNITY, "gender:female", "bright_spot", pytest.approx(4), pytest.approx(1)),
        (COMMUNITY, "gender:male", "area_of_need", pytest.approx(-2), pytest.approx(1)),
    ]


def test_who_moved_along_the_gateways_stands_by_year(home: Home) -> None:
    query = "select reporting_year, community_id, operated_in, operating_in, movement from marts.fct_gateway_movement"
    assert home.rows(f"{query} order by all") == [
        (2017, QUIET, "exploring", "emerging", "forward"),
        (2017, COMMUNITY, "exploring", "exploring", "stayed"),
        (2018, QUIET, "emerging", "exploring", "back"),
        (2018, COMMUNITY, "exploring", "exploring", "stayed"),
    ]
    counted = "select reporting_year, operating_in, count(*) from marts.fct_gateway_status group by all order by all"
    assert home.rows(counted) == [
        (2016, "exploring", 2),
        (2017, "emerging", 1),
        (2017, "exploring", 1),
        (2018, "exploring", 2),
    ]


def test_a_story_that_names_a_child_is_held_and_an_answer_alone_does_not_free_it(home: Home) -> None:
    told = "select title, language from marts.fct_story order by all"
    assert home.rows(told) == [("Mornings", "English")]
    story, role = home.asked("story_names_persons"), home.asked("contributing_as_core")
    assert "Maria" not in str(story["message"])
    label = home.asked("new_series")
    answers = f"finding_id,text,reason\n{story['finding_id']},The name is invented,\n{role['finding_id']},It leads,\n"
    answers += f"{label['finding_id']},The state changed its test,not comparable\n"
    home.put(COMMUNITY, "explanations.csv", answers)
    decision = (
        f"finding_id,decision,decided_on,approver,reason\n{role['finding_id']},rejected,2018-11-01,lead,Show it\n"
    )
    home.put("_network", "explanation_decisions.csv", decision)
    home.run()
    assert home.rows(told) == [("Mornings", "English")]
    assert home.asked("story_names_persons")["status"] == "explained"
    query = "select is_explained, explanation, is_comparable from marts.fct_series_change"
    assert home.rows(query) == [(True, "The state changed its test", False)]
    rejected = home.asked("contributing_as_core")
    assert rejected["status"] == "open"
    assert rejected["explanation"] == "not accepted on 2018-11-01: Show it (the answer was: It leads)"
    home.put("_network", "explanation_decisions.csv", f"{decision}{story['finding_id']},accepted,2018-11-02,lead,\n")
    home.run()
    assert home.rows(told) == [("A birthday", "Spanish"), ("Mornings", "English")]
