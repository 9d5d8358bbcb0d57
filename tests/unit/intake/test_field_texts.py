"""Text files as members sent them: each case gives the value it shows, or says what is wrong with it.

Belongs here: the cases of the field that are text, their kinds in other files, through intake and the check.
Does not: workbooks (test_field_workbooks.py), single parsers (test_cells.py, test_reading_text.py).
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from openpyxl import Workbook

from dagster_project.lib.base.reference import Reference
from dagster_project.lib.base.ruleset import in_force, read_ruleset
from dagster_project.lib.base.store import Store
from dagster_project.lib.intake.batch import Intake
from dagster_project.lib.intake.bucket.drop import list_drop, open_drop
from dagster_project.lib.intake.bucket.ledger import EVENTS
from dagster_project.lib.intake.bucket.left import left_findings, left_table
from dagster_project.lib.intake.comparing.comparisons import compare_submissions
from dagster_project.lib.intake.findings import FINDINGS
from dagster_project.lib.intake.reading.text.delimited import choose_delimiter
from dagster_project.lib.intake.tables import FILES
from dagster_project.lib.member.check import check_path, is_clean
from dagster_project.lib.receipts.receipt_page import render_receipt, what, where
from dagster_project.lib.receipts.receipts import write_receipts, write_withdrawn
from tests.conftest import ROOT, Outcome, take_folder
from tests.support import PROJECT, field_files

COMMUNITY, YEAR = "aspenreach", 2024
HEADER = "school_year,indicator,dimension,group"
READING = "grade3_reading_proficient_pct,all,all"


@pytest.fixture(scope="module")
def network() -> Intake:
    """What intake needs for the example network, of which the cases' community is one."""
    return Intake(Reference(ROOT / "seeds"))


def case(network: Intake, folder: str, name: str | None = None) -> Outcome:
    """A case of the field as a folder; `name` picks one of its files."""
    files = field_files(folder)
    return take_folder(network, files if name is None else {name: files[name]}, COMMUNITY, YEAR)


def folder_of(network: Intake, *lines: str, name: str = "values.csv") -> Outcome:
    """A folder with one text file."""
    return take_folder(network, {name: "\n".join(lines) + "\n"}, COMMUNITY, YEAR)


def values(outcome: Outcome) -> list[Any]:
    """Values of the rows that count."""
    return outcome.observations.filter(pl.col("row_status") == "accepted")["value"].round(2).to_list()


def told(outcome: Outcome, rule_id: str) -> list[dict[str, Any]]:
    """Findings of one rule."""
    return outcome.findings.filter(pl.col("rule_id") == rule_id).to_dicts()


def check(network: Intake, tmp_path: Path, files: Mapping[str, bytes]) -> dict[str, Any]:
    """What `cradle check` says of a folder, comparisons included."""
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    parameters = read_ruleset(network.reference, in_force(network.reference, YEAR)).comparison

    def compare(rows: pl.DataFrame) -> pl.DataFrame:
        return compare_submissions(rows, network.reference, parameters)

    return check_path(tmp_path, COMMUNITY, YEAR, network, compare=compare)


def test_a_value_column_under_a_near_name_is_read_and_told(network: Intake) -> None:
    outcome = case(network, "value_header_near_miss")
    assert values(outcome) == [46.8, 45.0]
    (near,) = told(outcome, "near_column")
    assert (near["severity"], near["found"], near["allowed"]) == ("info", "Value (%)", "value")


@pytest.mark.parametrize("name", ["Rate", "Percent", "PCT", "Percentage", "value %", "Percent Proficient"])
def test_names_of_values_known_from_portals_are_read(network: Intake, name: str) -> None:
    assert values(folder_of(network, f"{HEADER},{name}", f"2024,{READING},46.8")) == [46.8]


def test_units_are_read_wherever_they_stand(network: Intake) -> None:
    outcome = case(network, "unread_column_changes_meaning", "units.csv")
    assert values(outcome) == [46.8, 45.5]
    assert outcome.rules == {"near_column"}


def test_district_and_level_say_which_places_the_rows_are_of(network: Intake) -> None:
    outcome = case(network, "unread_column_changes_meaning", "district.csv")
    assert outcome.observations["geography_id"].to_list() == [
        "aspenreach_reach_mountain_schools",
        "aspenreach_aspenreach_public_schools",
    ]
    assert set(outcome.observations["geography_level"]) == {"district"}


@pytest.mark.parametrize(
    ("header", "cells", "column"),
    [
        ("value,District", "46.8,Reach Mountain Schools", "geography"),
        ("value,Rate", ",46.8", "value"),
        ("Rate,Percent", "46.8,46.8", "value"),
        ("value,Race", "46.8,White", "group"),
        ("value,Where", "46.8,Reach Mountain Schools", "geography"),
        ("value,Measured in", "0.468,fraction", "unit"),
        ("value,Kind", "46.8,school", "geography_level"),
        ("value,When", "46.8,Q2", "period"),
    ],
)
def test_an_unread_column_that_may_change_the_rows_is_refused_by_name(
    network: Intake, header: str, cells: str, column: str
) -> None:
    outcome = folder_of(network, f"{HEADER},{header}", f"2024,{READING},{cells}")
    assert outcome.observations.is_empty()
    found = told(outcome, "column_unclear")
    assert found and {line["severity"] for line in found} == {"fatal"}
    assert column in {line["allowed"] for line in found}


@pytest.mark.parametrize(
    ("header", "cells"),
    [
        ("value,checked by", "46.8,data desk"),
        ("value,Rate", "46.8,46.8"),
        ("value,Where", "46.8,the office"),
        ("value,unit,Measured in", "46.8,percent,fraction"),
        ("value,Race", "46.8,All"),
        ("value,Kind", "46.8,community"),
    ],
)
def test_an_unread_column_that_is_a_note_stays_a_note(network: Intake, header: str, cells: str) -> None:
    outcome = folder_of(network, f"{HEADER},{header}", f"2024,{READING},{cells}")
    assert values(outcome) == [46.8]
    assert outcome.rules == {"unknown_columns"}


def test_a_column_that_stands_twice_is_no_column(network: Intake) -> None:
    outcome = case(network, "duplicate_header")
    assert outcome.observations.is_empty()
    (twice,) = told(outcome, "duplicate_column")
    assert (twice["severity"], twice["found"]) == ("fatal", "value")


def test_a_table_without_a_value_names_the_numbers_it_did_not_read(network: Intake) -> None:
    rows = [f"{year},{READING},,46.8" for year in range(2015, 2025)]
    outcome = folder_of(network, f"{HEADER},value,Outturn", *rows)
    assert outcome.observations.is_empty()
    (none,) = told(outcome, "no_values")
    assert none["severity"] == "fatal" and "Outturn" in none["found"]


def test_a_number_that_was_not_read_costs_the_rows_without_a_value_only(network: Intake) -> None:
    outcome = folder_of(network, f"{HEADER},value,Outturn", f"2024,{READING},46.8,", f"2023,{READING},,45.0")
    assert values(outcome) == [46.8]
    (row,) = told(outcome, "unread_number")
    assert (row["source_row"], row["found"]) == (3, "Outturn")


def test_a_comma_before_decimals_is_never_a_group_of_thousands(network: Intake) -> None:
    outcome = case(network, "decimal_comma_leading_zero")
    assert not values(outcome)
    found = told(outcome, "decimal_comma")
    assert [line["found"] for line in found] == ["0,085", "0,750"]
    assert all("point" in line["remedy"] for line in found)


def test_grouped_digits_beside_decimal_commas_are_not_read_as_thousands(network: Intake) -> None:
    header = HEADER.replace(",", ";")
    rows = ["2023;eviction_filings_per_1000;all;all;1,250", "2024;eviction_filings_per_1000;all;all;12,5"]
    outcome = folder_of(network, f"{header};value", *rows)
    assert [line["found"] for line in told(outcome, "decimal_comma")] == ["1,250", "12,5"]
    alone = folder_of(network, f"{HEADER},value", '2024,median_family_income_usd,all,all,"52,500"')
    assert values(alone) == [52500.0]


def test_a_grouped_count_is_read_whatever_stands_in_the_counts_of_its_neighbours(network: Intake) -> None:
    rows = [f'2024,{READING},"1,000","2,000"', f'2023,{READING},400,"1,00"']
    outcome = folder_of(network, f"{HEADER},numerator,denominator", *rows)
    assert [line["found"] for line in told(outcome, "decimal_comma")] == ["1,00"]
    assert values(outcome) == [50.0]


@pytest.mark.parametrize("printed", ["1.000", "412.000"])
def test_three_digits_behind_the_point_of_a_count_are_asked_about(network: Intake, printed: str) -> None:
    outcome = folder_of(network, f"{HEADER},denominator,value", f"2024,{READING},{printed},46.8")
    (asked,) = told(outcome, "dot_thousands")
    assert (asked["severity"], asked["status"], asked["found"]) == ("explainable", "open", printed)


def test_a_row_with_a_cell_too_many_is_refused_though_it_is_blank(network: Intake) -> None:
    outcome = case(network, "unquoted_thousands")
    assert values(outcome) == [51000.0]
    (ragged,) = told(outcome, "ragged_row")
    assert (ragged["source_row"], ragged["n_rows"], ragged["found"]) == (2, 2, "7 cells below a header of 6")


def test_the_separator_is_that_of_the_table_and_not_of_its_titles(network: Intake) -> None:
    outcome = case(network, "titles_and_decimal_commas")
    assert [line["found"] for line in told(outcome, "decimal_comma")] == ["46,8", "45,1"]
    assert outcome.files["reading"].to_list() == ["utf-8 text, separated by semicolons"]


@pytest.mark.parametrize(
    ("lines", "delimiter"),
    [
        (["Title, with, commas", "a;b", *["2023;4,5"] * 30], ";"),
        (["a;b;c;d", *["1,5;2,5;3,5;4,5"] * 20], ";"),
        (["Title; with; signs", "a,b,c", "1,2,3", "4,5,6"], ","),
        (["a,b", "1,x; y; z", "2,u; v; w"], ","),
        (["a\tb\tc, d", "1\t2\t3,5"], "\t"),
        (['"x;y",b', "1,2"], ","),
        (["1;2", "3;4"], ";"),
    ],
)
def test_titles_decimals_and_notes_choose_no_separator(lines: Sequence[str], delimiter: str) -> None:
    assert choose_delimiter("\n".join(lines)) == delimiter


def test_a_quote_that_closes_too_early_costs_its_row_in_words_that_show_it(network: Intake) -> None:
    outcome = case(network, "quotes")
    assert outcome.observations["row_status"].to_list() == ["rejected", "accepted"]
    (wrong,) = told(outcome, "bad_quote")
    assert wrong["source_row"] == 2 and 'after "a" and b stands' in wrong["message"]


def test_invisible_signs_change_no_value_and_no_label(network: Intake) -> None:
    outcome = case(network, "invisible")
    assert values(outcome) == [46.8, 46.0, 46.0, 46.0]
    assert {line["found"] for line in told(outcome, "invisible_signs")} == {
        "U+200B zero width space",
        "U+00AD soft hyphen",
    }


def test_a_header_in_another_order_is_never_read_over(network: Intake) -> None:
    first = f"{HEADER},numerator,denominator"
    second = f"{HEADER},denominator,numerator"
    row = f"2024,{READING},460,1000", f"2023,{READING},1000,450", f"2022,{READING},440,1000"
    outcome = folder_of(network, first, row[0], second, row[1], first, row[2])
    assert values(outcome) == [46.0, 44.0]
    (moved,) = told(outcome, "header_again_differs")
    assert (moved["severity"], moved["source_row"], moved["n_rows"]) == ("error", 4 - 1, 2)
    (same,) = told(outcome, "header_again")
    assert same["source_row"] == 5
    assert outcome.rules == {"header_again_differs", "header_again"}


@pytest.mark.parametrize(
    "second",
    [
        "Year,Measure,Group Type,Subgroup,Participation Rate,Percent",
        "Zone,school_year,indicator,dimension,group,participation_rate,value",
        "school_year,indicator,Kind of group,group,participation_rate,value",
    ],
)
def test_a_second_header_is_known_by_near_names_behind_an_own_column_and_without_a_column_it_needs(
    network: Intake, second: str
) -> None:
    lead = "here," if second.startswith("Zone") else ""
    head = f"{'Zone,' * bool(lead)}{HEADER},value,participation_rate"
    outcome = folder_of(network, head, f"{lead}2024,{READING},46.8,95", second, f"{lead}2023,{READING},95,44.1")
    (moved,) = told(outcome, "header_again_differs")
    assert (values(outcome), moved["source_row"], moved["n_rows"]) == ([46.8], 3, 2)


def test_a_text_in_another_encoding_is_asked_about(network: Intake) -> None:
    outcome = case(network, "macroman")
    (doubt,) = told(outcome, "doubtful_encoding")
    assert (doubt["severity"], doubt["found"]) == ("explainable", "Pe\u2013asco")
    assert outcome.files["reading"].to_list() == ["cp1252 text, separated by commas"]


@pytest.mark.parametrize(
    "name", ["Jos\u00e9", "Mart\u00ednez", "Pe\u00f1asco", "M\u00fcller", "Bj\u00f6rn", "Pl\u00e1tano"]
)
@pytest.mark.parametrize("encoding", ["mac_roman", "one stray byte"])
def test_letters_of_other_encodings_raise_the_question(network: Intake, name: str, encoding: str) -> None:
    text = f"{HEADER},value,note\n2024,{READING},46.8,{name}\n"
    data = text.encode() + b"2023,x\x92" if encoding == "one stray byte" else text.encode(encoding)
    outcome = take_folder(network, {"values.csv": data}, COMMUNITY, YEAR)
    assert "doubtful_encoding" in outcome.rules


@pytest.mark.parametrize(
    "text",
    ["Pe\u00f1asco", "O\u2019Neil", "the school\u2019s", "2019\u20132020", "they\u2019re", "caf\u00e9 \u2013 bar"],
)
def test_ordinary_cp1252_is_no_question(network: Intake, text: str) -> None:
    data = f"{HEADER},value,note\n2024,{READING},46.8,{text}\n".encode("cp1252")
    outcome = take_folder(network, {"values.csv": data}, COMMUNITY, YEAR)
    assert not outcome.rules


def test_one_place_in_two_spellings_is_one_place(network: Intake) -> None:
    outcome = case(network, "place_spelling", "nfd.csv")
    assert outcome.observations["geography_id"].n_unique() == 1
    zips = case(network, "place_spelling", "zip.csv")
    accepted = zips.observations.filter(pl.col("row_status") == "accepted")
    assert accepted["geography_id"].to_list() == ["aspenreach:zip:02138"] * 3
    assert [line["found"] for line in told(zips, "spoilt_code")] == ["2138", "2138.0"]


@pytest.mark.parametrize(
    ("level", "place"), [("zip", "02138"), ("zip", "around the square"), ("school", "School 12"), ("school", "2138")]
)
def test_only_a_zip_code_is_asked_for_the_digits_of_one(network: Intake, level: str, place: str) -> None:
    outcome = folder_of(network, f"{HEADER},value,geography,geography_level", f"2024,{READING},46.8,{place},{level}")
    assert not told(outcome, "spoilt_code")


@pytest.mark.parametrize("code", ["1.00005E+11", "1E+05", "9905001.0"])
def test_codes_that_a_spreadsheet_made_numbers_are_no_places(network: Intake, code: str) -> None:
    outcome = folder_of(network, f"{HEADER},value,geography,geography_level", f"2024,{READING},46.8,{code},school")
    assert outcome.observations["row_status"].to_list() == ["rejected"]
    (spoilt,) = told(outcome, "spoilt_code")
    assert "text" in spoilt["remedy"]


@pytest.mark.parametrize("grade", ["3", "03", "3.0", "Grade 3", "grade 03", "3rd Grade", " 3 ", "G3", "Gr. 3"])
def test_a_layout_knows_its_codes_whichever_way_they_are_printed(network: Intake, grade: str) -> None:
    (text,) = (content.decode() for content in field_files("grade_03").values())
    outcome = take_folder(network, {"ky.csv": text.replace(",03,", f",{grade},")}, COMMUNITY, YEAR)
    assert values(outcome) == [70.0]
    assert not outcome.rules


def test_a_code_that_the_layout_does_not_know_is_named(network: Intake) -> None:
    (text,) = (content.decode() for content in field_files("grade_03").values())
    outcome = take_folder(network, {"ky.csv": text.replace(",03,", ",third,")}, COMMUNITY, YEAR)
    (unknown,) = told(outcome, "unknown_layout_code")
    assert (unknown["severity"], unknown["found"], unknown["allowed"]) == ("error", "third", "grade")
    (none,) = told(outcome, "all_rows_left_out")
    assert none["severity"] == "error" and "grade third" in none["found"]


def test_a_finding_on_a_foreign_table_names_the_files_own_columns(network: Intake) -> None:
    (text,) = (content.decode() for content in field_files("grade_03").values())
    outcome = take_folder(network, {"ky.csv": text.replace(",100,", ",many,")}, COMMUNITY, YEAR)
    assert [line["source_column"] for line in told(outcome, "bad_cell")] == ["n_tested"]
    near = folder_of(network, f"{HEADER},Students Tested,value", f"2024,{READING},many,46.8")
    assert [line["source_column"] for line in told(near, "bad_cell")] == ["Students Tested"]


def test_a_first_file_all_in_fractions_is_asked_about(network: Intake, tmp_path: Path) -> None:
    receipt = check(network, tmp_path, field_files("all_fractions"))
    (asked,) = [line for line in receipt["findings"] if line["rule_id"] == "all_fractions"]
    assert (asked["severity"], asked["status"]) == ("explainable", "open")
    assert "6 values" in asked["message"]
    assert receipt["status"] == "accepted_with_queries" and is_clean(receipt)


def test_a_file_that_says_fraction_is_not_asked(network: Intake, tmp_path: Path) -> None:
    (text,) = (content.decode() for content in field_files("all_fractions").values())
    lines = text.splitlines()
    given = "\n".join([f"{lines[0]},unit", *(f"{line},fraction" for line in lines[1:])])
    receipt = check(network, tmp_path, {"values.csv": given.encode()})
    assert not receipt["findings"]


def test_last_years_file_again_is_asked_about(network: Intake) -> None:
    rows = [f"{year},{READING},{value}" for year, value in ((2022, 44), (2023, 45), (2024, 46))]
    text = "\n".join([f"{HEADER},value", *rows]) + "\n"
    years = [take_folder(network, {"values.csv": text}, COMMUNITY, year).observations for year in (2024, 2025)]
    parameters = read_ruleset(network.reference, in_force(network.reference, YEAR)).comparison
    issues = compare_submissions(pl.concat(years), network.reference, parameters)
    asked = issues.filter(pl.col("rule_id") == "nothing_new").to_dicts()
    assert [(line["reporting_year"], line["source_row"]) for line in asked] == [(2025, None)]
    assert "All 3 rows" in asked[0]["found"] and "the latest school year is 2024" in asked[0]["found"]
    more = take_folder(network, {"values.csv": text + f"2025,{READING},47\n"}, COMMUNITY, 2025).observations
    news = compare_submissions(pl.concat([years[0], more]), network.reference, parameters)
    assert "nothing_new" not in news["rule_id"].to_list()


def test_no_sign_of_a_label_acts_on_a_terminal_or_in_the_receipt(network: Intake, tmp_path: Path) -> None:
    from dagster_project.lib.member.check import receipt_lines
    from dagster_project.lib.receipts.receipts import as_json

    odd = "Wh\u009b31mite\u0085"
    lines = f"{HEADER},value\n2024,grade3_reading_proficient_pct,race_ethnicity,{odd},46.8\n"
    receipt = check(network, tmp_path, {"values.csv": lines.encode()})
    shown = "\n".join(receipt_lines(receipt))
    assert "[U+009B]" in shown and not any(0x7F <= ord(sign) <= 0x9F for sign in shown)
    written = as_json(receipt).decode()
    assert not any(0x7F <= ord(sign) <= 0x9F for sign in written)
    assert odd[:8] in json.loads(written)["findings"][0]["found"]


def test_a_line_of_totals_below_the_table_is_one_finding(network: Intake) -> None:
    outcome = folder_of(network, f"{HEADER},value", f"2024,{READING},46", "Total,,,,46")
    assert values(outcome) == [46.0]
    assert [(line["rule_id"], line["found"]) for line in outcome.findings.to_dicts()] == [("bad_school_year", "Total")]
    partly = folder_of(network, f"{HEADER},value", f"2024,{READING},46", "Total,,all,all,46")
    assert partly.rules == {"bad_school_year", "missing_required"}


def test_a_foreign_table_is_told_as_it_was_split_and_no_far_layout_is_named(network: Intake) -> None:
    (far,) = told(folder_of(network, "Partner;Field;Arrived;Gone", "City;z;2020;"), "unknown_layout")
    assert "Row 1 was read as 4 columns: Partner | Field | Arrived | Gone." in far["found"]
    assert "Nearest" not in far["found"]
    (none,) = told(folder_of(network, "Jahr,Wert", "2020,1"), "unknown_layout")
    assert "Row 1 was read as 2 columns: Jahr | Wert." in none["found"]


def test_codes_and_bounds_are_told_in_words(network: Intake) -> None:
    rows = "organization,body,sector_category\nCity Library,partnership,z\n"
    (letter,) = told(take_folder(network, {"partner_roster.csv": rows}, COMMUNITY, YEAR), "not_allowed")
    assert "a (those most affected), b (community groups)" in letter["allowed"] and "h (business)" in letter["allowed"]
    (bound,) = told(folder_of(network, f"{HEADER},value", f"2024,{READING},120"), "out_of_range")
    assert bound["allowed"] == "from 0 to 100"


def test_the_range_that_is_told_is_that_of_the_unit_the_row_is_given_in(network: Intake) -> None:
    rows = [f"2024,{READING},46.8,fraction", "2023,eviction_filings_per_1000,all,all,1200,"]
    found = told(folder_of(network, f"{HEADER},value,unit", *rows), "out_of_range")
    assert {(line["found"], line["allowed"]) for line in found} == {("46.8", "from 0 to 1"), ("1200", "from 0 to 1000")}


def test_a_sign_of_another_unit_is_told_once_and_not_as_a_number_out_of_range(network: Intake) -> None:
    outcome = folder_of(network, f"{HEADER},value,unit", f"2024,{READING},46.8%,fraction")
    assert [line["rule_id"] for line in outcome.findings.to_dicts()] == ["unit_conflict"]
    assert outcome.observations["row_status"].to_list() == ["rejected"]


def test_many_wrong_cells_of_one_kind_are_counted_beyond_two_hundred(network: Intake) -> None:
    rows = [f"2024,{READING},bad {n},form {n}" for n in range(1_000)]
    outcome = folder_of(network, f"{HEADER},value,series", *rows)
    assert outcome.files["rows_rejected"].to_list() == [1_000]
    found = told(outcome, "bad_cell")
    assert len(found) == 201
    assert sum(line["n_rows"] for line in found) == 1_000
    assert found[-1]["found"] == "800 more rows of this kind"
    assert what(found[-1]).startswith("800 more rows have the same fault (Neither a number nor a known mask)")


def test_very_many_unknown_labels_make_a_thousand_questions_and_one_that_counts_the_rest(network: Intake) -> None:
    label = READING.split(",")[0]
    rows = [f"2024,{READING.replace(label, f'Unheard of {n}', 1)},46" for n in range(1_500)]
    outcome = folder_of(network, f"{HEADER},value", *rows)
    found = told(outcome, "unmapped_indicator")
    assert (len(found), sum(line["n_rows"] for line in found)) == (1_001, 1_500)
    assert len({line["finding_id"] for line in found}) == 1_001


def test_the_catalogue_of_near_names_names_columns_of_its_tables_and_no_column_itself() -> None:
    import csv

    import contracts
    from dagster_project.lib.intake.layouts.near import squeezed
    from dagster_project.lib.intake.rows.topics import topics

    seen = set()
    told = set(topics()["topic"])
    with contracts.NEAR_COLUMNS.open(encoding="utf-8", newline="") as lines:
        for line in csv.DictReader(lines):
            names = contracts.tables(1)[line["table"]].names
            assert line["column"] in names and (not line["needs"] or line["needs"] in names), line
            name = (line["table"], squeezed(line["near_name"]))
            assert name[1] not in set(map(squeezed, names)) and name not in seen, line
            assert line["reading"] in ("map", "ask") and line["source"], line
            assert not line["topic"] or line["topic"] in told, line
            seen.add(name)
    assert PROJECT == ROOT and seen


def test_a_marked_copy_put_back_is_read_as_the_original(network: Intake) -> None:
    from dagster_project.lib.receipts.marked_copy import marked_copy

    text = f'{HEADER},value,note\n2024,{READING},bad,-\n2023,{READING},45.5,"a, b"\n'
    original = take_folder(network, {"indicator_values.csv": text}, COMMUNITY, YEAR)
    rows = [line.split("|") for line in text.replace('"a, b"', "a; b").replace(",", "|").splitlines()]
    copy = marked_copy("indicator_values.csv", [("", rows)], original.findings.to_dicts())
    again = take_folder(network, {"indicator_values.csv.marked.xlsx": copy}, COMMUNITY, YEAR)
    assert values(again) == values(original) == [45.5]
    assert again.rules == original.rules == {"bad_cell"}


def test_a_finding_on_a_workbook_names_its_cell(network: Intake) -> None:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "indicator_values"
    for row in ([*HEADER.split(","), "numerator", "denominator", "value"], [2024, *READING.split(","), 4, 9, "bad"]):
        sheet.append(row)
    buffer = io.BytesIO()
    book.save(buffer)
    outcome = take_folder(network, {"v.xlsx": buffer.getvalue()}, COMMUNITY, YEAR)
    (bad,) = told(outcome, "bad_cell")
    assert bad["message"].startswith("File v.xlsx, sheet indicator_values, cell G2, column value: bad is neither")
    assert where(bad) == "sheet indicator_values, cell G2, column value"
    assert what(bad).startswith("bad is neither")


def test_the_page_tells_what_to_mend_before_what_changed_and_links_the_marked_copy(
    network: Intake, tmp_path: Path
) -> None:
    text = f"{HEADER},value\n2024,{READING},bad\n2023,{READING},45.5\n"
    receipt = check(network, tmp_path, {"a b.csv": text.encode()})
    page = render_receipt(receipt)
    assert page.index("Problems that keep rows out") < page.index("What this submission changed")
    assert 'href="a%20b.csv.marked.xlsx"' in page and "utf-8 text, separated by commas" in page
    assert "Neither a number nor a known mask" in page and "bad_cell" not in page
    assert "marked.xlsx" not in render_receipt(receipt, copies=False)


def test_withdrawing_the_last_file_leaves_a_receipt_that_says_so(tmp_path: Path) -> None:
    outbox = Store(str(tmp_path))
    states = pl.DataFrame({"community_id": [COMMUNITY], "reporting_year": [YEAR]}, schema_overrides=PLACE)
    none = pl.DataFrame(schema=PLACE)
    files, findings = pl.DataFrame(schema=FILES), pl.DataFrame(schema=FINDINGS)
    tables = {"submission_states": states, "submissions": none, "files": files, "findings": findings}
    write_withdrawn(outbox, tables)
    receipt = json.loads((tmp_path / COMMUNITY / str(YEAR) / "receipt.json").read_text(encoding="utf-8"))
    assert (receipt["status"], receipt["submission_id"]) == ("withdrawn", None)
    assert receipt["first_line"].startswith("Withdrawn: the folder holds no file any more")
    assert (tmp_path / COMMUNITY / str(YEAR) / "receipt.html").is_file()


PLACE = {"community_id": pl.String, "reporting_year": pl.Int32}


def test_a_folder_that_holds_only_a_folder_is_told_to_its_member(network: Intake, tmp_path: Path) -> None:
    inner = tmp_path / "drop" / COMMUNITY / str(YEAR) / "sub folder"
    inner.mkdir(parents=True)
    (inner / "values.csv").write_text(f"{HEADER},value\n2024,{READING},46\n", encoding="utf-8")
    listing = list_drop(open_drop(str(tmp_path / "drop")), [COMMUNITY], range(2020, 2026))
    assert not listing.folders and not listing.strays
    (left,) = listing.left
    assert (left.partition, left.rule_id, left.found) == ((COMMUNITY, YEAR), "subfolder_not_read", "sub folder")
    findings = left_findings(left_table(listing.left, pl.DataFrame(schema=EVENTS), "run"))
    outbox, none = Store(str(tmp_path / "outbox")), pl.DataFrame(schema=PLACE)
    tables = {"submission_states": none.with_columns(is_current=False, status=pl.lit("")), "submissions": none}
    write_receipts(outbox, {**tables, "files": pl.DataFrame(schema=FILES), "findings": findings}, [COMMUNITY])
    receipt = json.loads((tmp_path / "outbox" / COMMUNITY / str(YEAR) / "receipt.json").read_text(encoding="utf-8"))
    assert receipt["first_line"].startswith("Nothing of this folder was taken yet")
    assert ["sub folder" in line["message"] for line in receipt["findings"]] == [True]


def test_a_known_group_in_a_row_without_a_dimension_is_not_told_as_unknown(network: Intake) -> None:
    outcome = folder_of(network, f"{HEADER},value", "2023-24,grade3_reading_proficient_pct,,Black,40")
    assert outcome.rules == {"missing_required"}


def only_the_number_is_refused(outcome: Outcome, rule_id: str, found: str) -> None:
    """Of three rows, of which the last has no number, the second does not count."""
    assert values(outcome) == [46.8, None]
    (row,) = told(outcome, rule_id)
    assert (row["severity"], row["source_row"], row["found"]) == ("error", 3, found)


@pytest.mark.parametrize(
    ("header", "flag"),
    [("Suppressed", "Y"), ("suppression_flag", "1"), ("Is Masked", "TRUE"), ("Flag", "suppressed"),
     ("Quality", "Suppressed due to small n"), ("Status", "Data suppressed"), ("Remark", "suppressed (n<10)")],
)  # fmt: skip
def test_a_number_that_an_unread_column_calls_suppressed_does_not_count(
    network: Intake, header: str, flag: str
) -> None:
    rows = [f"2024,{READING},46.8,", f"2023,{READING},0,{flag}", f"2022,{READING},*,{flag}"]
    outcome = folder_of(network, f"{HEADER},value,{header}", *rows)
    only_the_number_is_refused(outcome, "flagged_row", header)


@pytest.mark.parametrize(
    ("header", "flag"),
    [("Suppressed", "N"), ("Not suppressed", "Y"), ("Flag", "Y"), ("Comment", "Suppressed cells are shown as *"),
     ("Suppression rule", "n below 10")],
)  # fmt: skip
def test_a_column_that_flags_nothing_costs_no_row(network: Intake, header: str, flag: str) -> None:
    outcome = folder_of(network, f"{HEADER},value,{header}", f"2024,{READING},46.8,{flag}")
    assert values(outcome) == [46.8]
    assert "flagged_row" not in outcome.rules


def test_a_column_that_counts_what_was_suppressed_costs_no_row(network: Intake) -> None:
    rows = [f"2024,{READING},46.8,1", f"2023,{READING},45.1,3"]
    outcome = folder_of(network, f"{HEADER},value,n_suppressed", *rows)
    assert (values(outcome), outcome.rules & {"flagged_row"}) == ([46.8, 45.1], set())


@pytest.mark.parametrize(
    ("header", "cell"),
    [("Type", "Target"), ("Kind of figure", "Projected"), ("Entity kind", "State Average"),
     ("Statistic", "Change from prior year"), ("Column", "Margin of error"), ("Which", "2024 Goal")],
)  # fmt: skip
def test_a_number_that_is_called_something_else_than_the_value_does_not_count(
    network: Intake, header: str, cell: str
) -> None:
    rows = [f"2024,{READING},46.8,Actual", f"2023,{READING},60,{cell}", f"2022,{READING},,{cell}"]
    outcome = folder_of(network, f"{HEADER},value,{header}", *rows)
    only_the_number_is_refused(outcome, "other_value", f"{header}: {cell}")


@pytest.mark.parametrize(
    ("column", "cell", "rule"),
    [("note", "Target", "other_value"), ("Comments", "State average", "other_value"),
     ("data_source", "Projected", "other_value"), ("Remarks", "Suppressed (n<10)", "flagged_row")],
)  # fmt: skip
def test_a_column_of_free_text_says_it_like_any_other(network: Intake, column: str, cell: str, rule: str) -> None:
    rows = [f"2024,{READING},46.8,a remark", f"2023,{READING},60,{cell}", f"2022,{READING},,{cell}"]
    outcome = folder_of(network, f"{HEADER},value,{column}", *rows)
    assert values(outcome) == [46.8, None]
    (row,) = told(outcome, rule)
    assert (row["source_row"], row["source_column"]) == (3, column)


@pytest.mark.parametrize("column", ["note", "Flag"])
def test_a_base_printed_beside_a_mask_that_is_called_suppressed_is_kept(network: Intake, column: str) -> None:
    outcome = folder_of(network, f"{HEADER},denominator,value,{column}", f"2024,{READING},12,*,suppressed")
    assert outcome.observations["denominator"].to_list() == [12]
    assert "flagged_row" not in outcome.rules


@pytest.mark.parametrize("line", ["Targets", "State Average", "2024 Goals"])
def test_rows_below_a_line_that_calls_them_targets_do_not_count(network: Intake, line: str) -> None:
    rows = [f"2024,{READING},46.8", f"{line},,,,", f"2023,{READING},60", "", f"2022,{READING},45"]
    outcome = folder_of(network, f"{HEADER},value", *rows)
    assert values(outcome) == [46.8, 45.0]
    assert [row["source_row"] for row in told(outcome, "other_value")] == [4]


@pytest.mark.parametrize("title", ["TARGETS 2025", "Statewide Averages"])
def test_a_table_below_a_title_of_targets_or_of_the_state_does_not_count(network: Intake, title: str) -> None:
    outcome = folder_of(network, title, f"{HEADER},value", f"2024,{READING},60")
    assert (values(outcome), outcome.rules) == ([], {"other_value"})


@pytest.mark.parametrize("word", ["Actual", "Baseline", "Estimate", "Target schools", "State Test", "Goal 1"])
def test_a_word_that_says_nothing_of_the_number_costs_no_row(network: Intake, word: str) -> None:
    outcome = folder_of(network, word, f"{HEADER},value,Type", f"2024,{READING},46.8,{word}")
    assert values(outcome) == [46.8]


@pytest.mark.parametrize(
    ("first", "second", "cells"),
    [("Students,,Percent", "Number Met,Number Tested,Proficient", "412,880,46.8"),
     ("value,,note", "Target,Actual,", "60,46.8,"), ("Students,Percent", "Number Met,", "412,46.8"),
     ("value", "Target", "60")],
)  # fmt: skip
def test_a_header_of_two_lines_is_never_read_by_its_first(network: Intake, first: str, second: str, cells: str) -> None:
    outcome = folder_of(network, f"{HEADER},{first}", f",,,,{second}", f"2024,{READING},{cells}")
    assert outcome.observations.is_empty()
    assert "header_of_two_lines" in outcome.rules


@pytest.mark.parametrize("below", ["count,count,percent", "(n),(N),(%)", ",,in percent"])
def test_a_line_of_units_below_the_header_costs_itself_alone(network: Intake, below: str) -> None:
    outcome = folder_of(
        network, f"{HEADER},numerator,denominator,value", f",,,,{below}", f"2024,{READING},412,880,46.8"
    )
    assert values(outcome) == [46.82]
