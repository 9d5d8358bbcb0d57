"""What a row of a register says: typed, coded, once, and kept out only for what cannot be right.

Belongs here: every register's own sample row, required cells, codes, keys, the network's tables.
Does not: what registers mean over years (tests/unit/rubric), indicator_values (test_values.py).
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import polars as pl
import pytest

import contracts
from contracts.base import Column, TableContract
from dagster_project.lib.base.reference import Reference
from dagster_project.lib.intake.rows.register_rules import register_issues
from tests.conftest import Take

READING = "grade3_reading_proficient_pct"
REGISTERS = contracts.registers(contracts.newest_version())
OWN = sorted(name for name, contract in REGISTERS.items() if not contract.network)
NETWORK = sorted(name for name, contract in REGISTERS.items() if contract.network)
SAMPLES = {
    "text": "some words",
    "date": "6/30/2024",
    "boolean": "yes",
    "number": "1,250.50",
    "year": "2018-19",
    "url": "https://example.org/a",
    "indicator": "3rd Grade Reading",
    "dimension": "Race/Ethnicity",
    "group": "Black or African American",
    "outcome": "Early grade reading",
    "share": "97.5%",
}
TYPED: dict[str, object] = {
    "text": "some words",
    "date": dt.date(2024, 6, 30),
    "boolean": True,
    "number": 1250.5,
    "year": 2019,
    "url": "https://example.org/a",
    "indicator": READING,
    "dimension": "race_ethnicity",
    "group": "black",
    "outcome": "early_grade_reading",
    "share": 97.5,
}
# Text that the network's own lists must know or that says it is local, and numbers with a range of their own.
SPECIAL = {
    "criterion_id": "exploring.1.1",
    "community_id": "birchmont_falls",
    "fte": "1.5",
    "population": "local: newcomers",
    "people": "7",
    "community_people": "2500",
}
ASKED = {"staff_composition": {"composition_sum"}, "targets": {"target_off_scale"}}
"""What a sample row is asked about: one of a group has no row of the total beside it, and a rate of 1,250.5 is none."""


def sample(column: Column) -> str:
    """A right cell of a column, as a member may write it."""
    return SPECIAL.get(column.name) or (column.choices[0].upper() if column.choices else SAMPLES[column.kind])


def typed(column: Column) -> object:
    """The same cell once it is read."""
    if column.name in SPECIAL:
        return float(SPECIAL[column.name]) if column.kind == "number" else SPECIAL[column.name]
    return column.choices[0] if column.choices else TYPED[column.kind]


def csv_of(contract: TableContract, *changes: dict[str, str]) -> str:
    """A file of the table with one sample row for each set of changed cells."""
    lines = [
        ",".join(f'"{change.get(column.name, sample(column))}"' for column in contract.columns) for change in changes
    ]
    return "\n".join([",".join(contract.names), *lines]) + "\n"


@pytest.mark.parametrize("table", OWN)
def test_a_register_comes_back_typed_and_coded_in_its_contracts_columns(take: Take, table: str) -> None:
    outcome = take({f"{table}.csv": csv_of(REGISTERS[table], {})})
    assert outcome.rules == ASKED.get(table, set())
    row = outcome.register(table).row(0, named=True)
    assert {column.name: row[column.name] for column in REGISTERS[table].columns} == {
        column.name: typed(column) for column in REGISTERS[table].columns
    }
    assert (row["community_id"], row["reporting_year"], row["source_row"]) == ("birchmont_falls", 2024, 2)


@pytest.mark.parametrize("table", NETWORK)
def test_a_network_table_names_its_communities_in_its_rows(take: Take, table: str) -> None:
    outcome = take({f"{table}.csv": csv_of(REGISTERS[table], {})}, community_id="_network")
    assert outcome.rules == ASKED.get(table, set())
    row = outcome.register(table).row(0, named=True)
    # A table without such a column speaks of findings, whose ids say whose they are.
    own = "birchmont_falls" if "community_id" in REGISTERS[table].names else "_network"
    assert (row["community_id"], row["reporting_year"]) == (own, 2024)


@pytest.mark.parametrize("word", ["", "all", " All "])
def test_an_objection_to_all_indicators_may_say_so(take: Take, word: str) -> None:
    contract = REGISTERS["publication_objections"]
    outcome = take({"publication_objections.csv": csv_of(contract, {"indicator": word})}, community_id="_network")
    assert outcome.rules == set()
    assert outcome.register("publication_objections")["indicator"].to_list() == [None]


@pytest.mark.parametrize("table", NETWORK)
def test_a_network_table_in_a_communitys_folder_is_refused(take: Take, table: str) -> None:
    outcome = take({f"{table}.csv": csv_of(REGISTERS[table], {})})
    assert outcome.rules == {"misplaced_table"}
    assert outcome.register_rows.is_empty()


@pytest.mark.parametrize("table", [name for name in OWN if REGISTERS[name].required])
def test_an_empty_required_cell_keeps_its_row_out_and_its_neighbour_in(take: Take, table: str) -> None:
    contract = REGISTERS[table]
    # The neighbour has a key of its own, so that only the empty cell speaks.
    outcome = take({f"{table}.csv": csv_of(contract, {contract.required[0]: ""}, {})})
    assert "missing_required" in outcome.rules
    assert outcome.register_rows["row_status"].to_list() == ["rejected", "accepted"]


@pytest.mark.parametrize("table", [name for name in OWN if REGISTERS[name].optional])
def test_a_register_may_be_sent_with_its_required_columns_alone(take: Take, table: str) -> None:
    contract = REGISTERS[table]
    names = contract.required or contract.names[:1]
    cells = ",".join(f'"{sample(contract.column(name))}"' for name in names)
    outcome = take({f"{table}.csv": f"{','.join(names)}\n{cells}\n"})
    assert outcome.register(table).height == 1


def test_every_wrong_kind_of_cell_is_told_in_one_pass(take: Take) -> None:
    text = (
        "partner,purpose,amount,in_kind,start_date,end_date\n"
        "City,operations,a lot,perhaps,May,2024-02-30\nCounty,operations,100,no,2024-01-01,\n"
    )
    outcome = take({"funding.csv": text})
    assert outcome.rules == {"bad_number", "bad_boolean", "bad_date"}
    assert outcome.findings.filter(pl.col("rule_id") == "bad_date").height == 2
    assert outcome.register("funding")["partner"].to_list() == ["County"]


def test_a_number_below_what_a_column_may_hold_is_told_the_one_end_that_there_is(take: Take) -> None:
    outcome = take({"funding.csv": "partner,purpose,amount\nCity,operations,-5\nCounty,operations,100\n"})
    (told,) = outcome.findings.filter(pl.col("rule_id") == "out_of_range").iter_rows(named=True)
    assert (told["source_column"], told["found"], told["allowed"]) == ("amount", "-5", "at least 0")


def test_choices_are_read_whatever_their_case_and_others_are_named(take: Take) -> None:
    text = "organization,body,sector_category\nLibrary,Leadership,C\nClub,board,b\n"
    outcome = take({"partner_roster.csv": text})
    assert outcome.register("partner_roster")["body"].to_list() == ["leadership"]
    finding = outcome.findings.row(0, named=True)
    assert (finding["rule_id"], finding["source_column"], finding["found"]) == ("not_allowed", "body", "board")
    assert finding["allowed"] == "one of: partnership, leadership"


def test_a_label_without_a_code_waits_and_is_neither_lost_nor_used(take: Take) -> None:
    text = "name,action,indicator\nTutoring hours,Tutoring,Reading by the Brook\nAttendance,Calls,Chronic Absence\n"
    outcome = take({"measures.csv": text})
    assert outcome.register_rows["row_status"].to_list() == ["waiting", "accepted"]
    assert outcome.register("measures")["indicator"].to_list() == ["chronic_absence_pct"]
    assert outcome.rules == {"unmapped_indicator"}


def test_a_group_is_read_in_the_dimension_of_its_row(take: Take) -> None:
    text = (
        "indicator,dimension,group,value,deadline,horizon\n"
        "graduation_4yr_pct,English Learner,yes,70,2026-06-30,short\n"
        "graduation_4yr_pct,Income,Low-Income,75,2026-06-30,short\n"
        "graduation_4yr_pct,gender,Low-Income,80,2026-06-30,short\n"
    )
    outcome = take({"targets.csv": text})
    targets = outcome.register("targets")
    assert targets.select("dimension", "group").rows() == [("english_learner", "yes"), ("economic_status", "yes")]
    assert outcome.rules == {"unmapped_group"}


def test_a_criterion_or_community_that_the_network_does_not_have_is_refused(take: Take) -> None:
    evidence = "criterion_id,claim,as_of\nexploring.99.1,met,2024-05-01\nexploring.1.1,met,2024-05-01\n"
    outcome = take({"benchmark_evidence.csv": evidence})
    assert outcome.register("benchmark_evidence")["criterion_id"].to_list() == ["exploring.1.1"]
    scores = "community_id,code,score,decided_on\nnowhere,systems_transformation,3,2024-05-01\n"
    assert take({"scores.csv": scores}, community_id="_network").rules == {"not_allowed"}


def test_the_same_record_twice_counts_once_and_two_of_one_key_reject_each_other(take: Take) -> None:
    head = "finding_id,text\n"
    same = take({"explanations.csv": head + "abc,New school opened\nabc,New school opened\n"})
    assert same.register_rows["row_status"].to_list() == ["accepted", "duplicate"]
    other = take({"explanations.csv": head + "abc,New school opened\nabc,A mistake\ndef,Right\n"})
    assert other.register_rows["row_status"].to_list() == ["rejected", "rejected", "accepted"]
    assert other.rules == {"conflicting_rows"}


def test_a_conflict_of_many_rows_of_a_register_counts_them_where_a_part_of_their_key_is_blank(take: Take) -> None:
    head = "organization,body,sector_category\n"
    many = [f"United Fund,partnership,{sector}\n" for sector in "abcdefg"]
    outcome = take({"partner_roster.csv": head + "".join(many)})
    assert set(outcome.register_rows["row_status"]) == {"rejected"}
    assert all("6 other rows, such as" in found for found in outcome.findings["found"])


@pytest.mark.parametrize(
    ("table", "head", "line"),
    [
        ("targets", "indicator,dimension,group,value,deadline,horizon", f"{READING},{{}},{{}},2030-06-30,long"),
        ("staff_composition", "body,dimension,group,people,community_people", "staff,{},{},"),
    ],
)
def test_the_total_is_one_key_of_a_register_whichever_dimension_its_row_names(
    take: Take, table: str, head: str, line: str
) -> None:
    one, same = line.format("all,all", 60), line.format("Race/Ethnicity,All Students", 60)
    twice = take({f"{table}.csv": "\n".join((head, one, same))})
    assert twice.register_rows["row_status"].to_list() == ["accepted", "duplicate"]
    clash = take({f"{table}.csv": "\n".join((head, one, same.replace("60", "61")))})
    assert clash.register_rows["row_status"].to_list() == ["rejected", "rejected"]
    assert clash.rules == {"conflicting_rows"}


def test_a_register_of_one_row_refuses_two_different_ones(take: Take) -> None:
    head = "geographic_scope,anchor_organization\n"
    outcome = take({"partnership_profile.csv": head + "Birchmont County,United Fund\nBirchmont City,United Fund\n"})
    assert outcome.register_rows["row_status"].to_list() == ["rejected", "rejected"]


def raised(table: str, rows: list[dict[str, Any]], reference: Reference, **numbers: Any) -> list[tuple[int, str, str]]:
    """Row, rule and what was found, of coded rows of one folder."""
    given = {"folder_id": "f", "reporting_year": 2024}
    frame = pl.DataFrame([{**given, "row": n, **row} for n, row in enumerate(rows)], schema_overrides=numbers)
    return list(register_issues(table, frame, reference).select("row", "rule_id", "found").iter_rows())


READY, PRESENT, HOUSED = "kindergarten_ready_pct", "attendance_rate_pct", "housing_cost_burdened_pct"


@pytest.mark.parametrize(
    ("indicator", "outcome", "role", "rules"),
    [
        (READY, None, "core", set()),
        (READY, "employment", "core", set()),
        (READY, "stable_housing", "core", {"outcome_of_another_sector"}),
        (READY, "stable_housing", "contributing", {"outcome_of_another_sector"}),
        (PRESENT, "stable_housing", "contributing", set()),
        (PRESENT, None, "contributing", set()),
        (PRESENT, None, "core", {"contributing_as_core"}),
        (HOUSED, "employment", "core", {"outcome_of_another_sector"}),
        (HOUSED, "child_health", "adjacent", set()),
        (HOUSED, None, "core", set()),
        (None, "employment", "core", set()),
    ],
)
def test_an_indicator_counts_for_the_seven_or_as_adjacent_and_one_that_contributes_is_asked_about(
    reference: Reference, indicator: str | None, outcome: str | None, role: str, rules: set[str]
) -> None:
    row = {"indicator": indicator, "outcome": outcome, "role": role, "primary": None}
    texts = dict.fromkeys(row, pl.String) | {"primary": pl.Boolean}
    found = raised("indicator_selection", [row], reference, **texts)
    assert {rule for _, rule, _ in found} == rules
    if "outcome_of_another_sector" in rules:
        assert found[0][2] == f"{outcome} for {indicator}"


@pytest.mark.parametrize(
    ("population", "known"),
    [
        ("Hispanic", True),
        ("gender:female", True),
        (" GENDER:Female ", True),
        ("local: families of the harbour", True),
        (None, True),
        ("families of the harbour", False),
        ("female", True),
        ("harbour local: families", False),
    ],
)
def test_a_population_of_focus_is_a_group_of_the_dictionary_or_is_marked_as_local(
    reference: Reference, population: str | None, known: bool
) -> None:
    found = raised("results", [{"population": population}], reference, population=pl.String)
    assert found == ([] if known else [(0, "population_unknown", population)])


def test_a_measure_judges_something_that_the_partnership_does(reference: Reference) -> None:
    rows = [{"name": "a", "action": "tutoring"}, {"name": "b", "action": None}]
    assert raised("measures", rows, reference) == [(1, "measure_without_action", "b")]
    assert raised("partner_roster", rows, reference) == []


def people(group: str, count: float | None, dimension: str = "gender", body: str = "staff") -> dict[str, Any]:
    dimension = "all" if group == "all" else dimension
    return {"body": body, "dimension": dimension, "group": group, "people": count, "community_people": None}


SHORT = "the groups of gender of the staff hold 11 people, "


@pytest.mark.parametrize(
    ("rows", "found"),
    [
        ([people("all", 10), people("female", 6), people("male", 4)], []),
        ([people("all", 10), people("female", 6), people("male", 3)], []),
        ([people("all", 10), people("female", 6), people("male", 5)], [(1, f"{SHORT}the total 10")]),
        ([people("female", 6), people("male", 5)], [(0, f"{SHORT}the row of the total has no count")]),
        (
            [people("all", None), people("female", 6), people("male", 5)],
            [(1, f"{SHORT}the row of the total has no count")],
        ),
        ([people("all", 10), people("female", 6), people("white", 5, "race_ethnicity")], []),
        (
            [people("all", 10), people("female", 6), people("female", 5, body="board"), people("all", 5, body="board")],
            [],
        ),
        ([people("all", 10), people("female", None)], []),
        ([people("all", 10), people("all", 11), people("female", 6), people("male", 5)], []),
    ],
)
def test_groups_of_a_body_hold_no_more_than_its_total(
    reference: Reference, rows: list[dict[str, Any]], found: list[tuple[int, str]]
) -> None:
    kinds = {"people": pl.Float64, "community_people": pl.Float64}
    for column, other in (("people", "community_people"), ("community_people", "people")):
        turned = [{**row, column: row["people"], other: None} for row in rows]
        told = raised("staff_composition", turned, reference, **kinds)
        assert told == [(row, "composition_sum", text) for row, text in found]


def test_people_are_counted_whole(reference: Reference) -> None:
    kinds = {"people": pl.Float64, "community_people": pl.Float64}
    found = raised("staff_composition", [people("all", 10.5), people("female", 6)], reference, **kinds)
    assert found == [(0, "count_not_whole", "10.5")]


def test_a_story_that_may_name_persons_is_asked_about_by_what_may_name_them(reference: Reference) -> None:
    rows = [
        {"title": "Together", "text": "A town that reads.", "author_role": "parent"},
        {"title": "Together", "text": "Write to ann.lee@example.org today.", "author_role": None},
    ]
    assert raised("stories", rows, reference) == [(1, "story_names_persons", "an e-mail address")]


@pytest.mark.parametrize(
    ("indicator", "value", "found", "allowed"),
    [
        ("graduation_4yr_pct", "95", None, None),
        ("graduation_4yr_pct", "1", None, None),
        ("graduation_4yr_pct", "0", None, None),
        ("graduation_4yr_pct", "100", None, None),
        (
            "graduation_4yr_pct", "0.95", "0.95 for graduation_4yr_pct, which is in percent",
            "from 0 to 100, written as 95 for 95 percent",
        ),
        ("graduation_4yr_pct", "950", "950 for graduation_4yr_pct, which is in percent", "from 0 to 100"),
        ("graduation_4yr_pct", "-5", "-5 for graduation_4yr_pct, which is in percent", "from 0 to 100"),
        ("median_family_income_usd", "0.5", None, None),
        ("median_family_income_usd", "65000", None, None),
    ],
)  # fmt: skip
def test_a_target_that_no_value_can_reach_or_any_does_is_asked_about_and_counts(
    take: Take, indicator: str, value: str, found: str | None, allowed: str | None
) -> None:
    header = "indicator,dimension,group,value,deadline,horizon\n"
    outcome = take({"targets.csv": f"{header}{indicator},all,all,{value},2030-06-30,long\n"})
    told = outcome.findings.filter(pl.col("rule_id") == "target_off_scale")
    assert told.select("found", "allowed").rows() == ([(found, allowed)] if found else [])
    assert outcome.register("targets")["value"].to_list() == [float(value)]


@pytest.mark.parametrize("standing", ["burdened", "reference"])
def test_the_total_is_no_group_that_is_burdened_or_compared_with(take: Take, standing: str) -> None:
    header = "dimension,group,standing,effective_from\n"
    rows = f"race_ethnicity,All students,{standing},2020-01-01\nrace_ethnicity,asian,{standing},2020-01-01\n"
    outcome = take({"burdened_groups.csv": header + rows})
    assert outcome.rules == {"not_allowed"}
    assert outcome.register("burdened_groups")["group"].to_list() == ["asian"]


@pytest.mark.parametrize(
    ("table", "lines", "asked"),
    [
        ("indicator_selection", ["graduation_4yr_pct,,core,true", "graduation_5yr_pct,,core,true"], [3]),
        ("indicator_selection", ["graduation_4yr_pct,,core,true", "graduation_5yr_pct,,core,false"], []),
        ("indicator_selection", ["graduation_4yr_pct,,core,true", "graduation_5yr_pct,,contributing,true"], []),
        ("indicator_selection", ["graduation_4yr_pct,,core,true", "graduation_5yr_pct,employment,core,true"], []),
        (
            "indicator_selection",
            [
                "graduation_5yr_pct,,core,true",
                "employed_pct,high_school_graduation,core,true",
                "graduation_4yr_pct,,core,true",
            ],
            [3, 4],
        ),
        (
            "burdened_groups",
            ["race_ethnicity,white,reference,2020-01-01", "race_ethnicity,asian,reference,2020-01-01"],
            [3],
        ),
        (
            "burdened_groups",
            ["race_ethnicity,white,reference,2020-01-01", "race_ethnicity,asian,reference,2022-01-01"],
            [],
        ),
        ("burdened_groups", ["race_ethnicity,white,reference,2020-01-01", "gender,male,reference,2020-01-01"], []),
        (
            "burdened_groups",
            ["race_ethnicity,white,burdened,2020-01-01", "race_ethnicity,asian,burdened,2020-01-01"],
            [],
        ),
    ],
)
def test_rows_of_which_only_one_can_hold_are_asked_about_and_count(
    take: Take, table: str, lines: list[str], asked: list[int]
) -> None:
    header = {
        "indicator_selection": "indicator,outcome,role,primary",
        "burdened_groups": "dimension,group,standing,effective_from",
    }
    outcome = take({f"{table}.csv": "\n".join([header[table], *lines]) + "\n"})
    told = outcome.findings.filter(pl.col("rule_id") == "only_one_holds").sort("source_row")
    assert told["source_row"].to_list() == asked
    assert outcome.register(table).height == len(lines)


@pytest.mark.parametrize(
    ("header", "row"),
    [
        ("organization,body,sector_category,active_from,active_to", "United Way,partnership,a,2021-07-01,2012-06-30"),
        ("partner,purpose,amount,start_date,end_date", "Bank,backbone,100,2024-01-01,2014-12-31"),
    ],
)
def test_a_partner_or_a_gift_that_ends_before_it_begins_is_refused(take: Take, header: str, row: str) -> None:
    outcome = take({"table.csv": f"{header}\n{row}\n"})
    assert outcome.rules == {"ends_before_it_begins"}
    assert outcome.register_rows["row_status"].to_list() == ["rejected"]


@pytest.mark.parametrize(("day", "asked"), [("2042-05-01", True), ("2026-01-01", True), ("2025-12-31", False)])
def test_the_day_of_what_happened_that_lies_far_ahead_is_asked_about_and_kept(
    take: Take, day: str, asked: bool
) -> None:
    tables = {
        "communications": f"kind,audience,date,channel\nprogress,community,{day},mail\n",
        "community_reviews": f"day,body,reading\n{day},the council,It is going well\n",
        "examples": f"example_id,kind,title,status,as_of\nE1,policy,Bus,accepted,{day}\n",
    }
    for table, text in tables.items():
        outcome = take({f"{table}.csv": text})
        assert outcome.register(table).height == 1
        assert outcome.findings.select("rule_id", "severity", "found").rows() == (
            [("day_ahead", "explainable", day)] if asked else []
        )
