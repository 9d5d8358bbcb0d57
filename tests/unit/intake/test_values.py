"""What a row of indicator_values says: its value and status, its key, and whether it counts (RULES 1).

Belongs here: one row at a time, and rows of one folder that repeat or contradict each other.
Does not: how a cell is read (test_cells.py), comparisons between years (test_comparisons.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from random import Random
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dagster_project.lib.base.reference import Reference
from dagster_project.lib.intake.layouts.telling import unit_spellings
from dagster_project.lib.intake.rows.repeated import NAMED_ROWS
from dagster_project.lib.intake.rows.values import _content_words
from tests.conftest import COMMUNITY, ROOT, YEAR, Outcome, Take
from tests.reference import values as reference

COLUMNS = (
    "school_year",
    "indicator",
    "dimension",
    "group",
    "numerator",
    "denominator",
    "value",
    "unit",
    "series",
    "geography",
    "geography_level",
    "period",
    "participation_rate",
    "data_source",
    "note",
)
BASE = {"school_year": "2023-24", "indicator": "graduation_4yr_pct", "dimension": "all", "group": "all"}
NUMBERS = ("numerator", "denominator", "value", "value_low", "value_high", "value_status")


def csv_of(rows: Sequence[Mapping[str, str]]) -> str:
    """Rows as a CSV with every column of the contract, each cell quoted."""
    lines = [",".join(f'"{(BASE | dict(row)).get(name, "")}"' for name in COLUMNS) for row in rows]
    return "\n".join([",".join(COLUMNS), *lines]) + "\n"


def take_rows(take: Take, *rows: Mapping[str, str], **place: Any) -> Outcome:
    """The rows as one file of one folder."""
    return take({"indicator_values.csv": csv_of(rows)}, **place)


def one(take: Take, **cells: str) -> dict[str, Any]:
    """The one row as it was taken."""
    return take_rows(take, cells).observations.row(0, named=True)


def numbers(take: Take, **cells: str) -> tuple[Any, ...]:
    """Counts, value, interval and status of one row."""
    row = one(take, **cells)
    assert row["row_status"] == "accepted", row["row_reason"]
    return tuple(row[name] for name in NUMBERS)


def test_counts_alone_make_a_derived_value(take: Take) -> None:
    assert numbers(take, numerator="460", denominator="1,000") == (460, 1000, 46.0, None, None, "derived")


def test_a_printed_value_with_counts_is_replaced_by_the_exact_one_and_stays_reported(take: Take) -> None:
    row = numbers(take, numerator="1", denominator="3", value="33.3")
    assert row == (1, 3, 100 / 3, None, None, "reported")


def test_a_count_is_its_own_value_whatever_counts_stand_beside_it(take: Take) -> None:
    count = {"indicator": "apprenticeship_enrolled_count"}
    assert numbers(take, **count, numerator="40", denominator="80", value="40")[2] == 40.0
    assert numbers(take, **count, numerator="40", denominator="80")[2] is None


@pytest.mark.parametrize("text", [">95", "<95", "*", "n<10"])
def test_a_participation_rate_that_is_bounded_or_masked_is_not_known_and_rejects_nothing(take: Take, text: str) -> None:
    row = one(take, value="46.5", participation_rate=text)
    assert (row["row_status"], row["participation_rate"], row["value"]) == ("accepted", None, 46.5)


def test_a_value_alone_is_reported(take: Take) -> None:
    assert numbers(take, value="46.5%") == (None, None, 46.5, None, None, "reported")


def test_a_fraction_is_stored_in_percent(take: Take) -> None:
    assert numbers(take, value="0.465", unit="fraction")[2:] == (46.5, None, None, "reported")


def test_a_blank_unit_is_the_dictionarys(take: Take) -> None:
    assert one(take, value="46")["unit"] == "percent"
    assert one(take, indicator="eviction_filings_per_1000", value="12.5")["unit"] == "per_1000"


@pytest.mark.parametrize(
    ("indicator", "printed", "unit", "value", "stored"),
    [
        ("", "46", "%", 46.0, "percent"),
        ("", "46", " Pct ", 46.0, "percent"),
        ("", "46", "Percentage", 46.0, "percent"),
        ("", "0.46", "proportion", 46.0, "percent"),
        ("median_family_income_usd", "51000", "$", 51000.0, "usd"),
        ("eviction_filings_per_1000", "12.5", "per 1,000", 12.5, "per_1000"),
    ],
)
def test_a_unit_is_read_as_files_spell_it(
    take: Take, indicator: str, printed: str, unit: str, value: float, stored: str
) -> None:
    cells = {"value": printed, "unit": unit} | ({"indicator": indicator} if indicator else {})
    row = one(take, **cells)
    assert (row["row_status"], row["value"], row["unit"]) == ("accepted", value, stored)


def test_every_spelling_of_a_unit_means_one_of_the_dictionary() -> None:
    assert set(unit_spellings().values()) <= set(Reference(ROOT / "seeds").units["unit"])


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [("<5", 0, 5), ("<=5%", 0, 5), ("LE5", 0, 5), (">95", 95, 100), ("GE95", 95, 100), ("5-9", 5, 9), ("LT50", 0, 50)],
)
def test_a_bound_in_the_value_is_an_interval_within_the_units_range(take: Take, text: str, low: int, high: int) -> None:
    assert numbers(take, value=text) == (None, None, None, low, high, "range")


def test_a_bound_of_a_fraction_is_an_interval_in_percent(take: Take) -> None:
    assert numbers(take, value="<0.05", unit="fraction") == (None, None, None, 0, 5, "range")


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("*", "suppressed_at_source"),
        ("s", "suppressed_at_source"),
        ("n<10", "suppressed_at_source"),
        ("PS", "suppressed_at_source"),
        ("DS", "suppressed_at_source"),
        ("‡", "suppressed_at_source"),
        ("N/A", "not_applicable"),
        ("-", "not_collected"),
    ],
)
def test_a_masked_value_makes_no_number_and_says_why(take: Take, text: str, status: str) -> None:
    assert numbers(take, value=text) == (None, None, None, None, None, status)
    assert numbers(take, denominator="120", value=text) == (None, 120, None, None, None, status)


@pytest.mark.parametrize("mask", ["*", "<5", "PS"])
def test_a_masked_numerator_keeps_the_denominator_and_makes_no_value(take: Take, mask: str) -> None:
    assert numbers(take, numerator=mask, denominator="120") == (None, 120, None, None, None, "suppressed_at_source")


def test_a_mask_speaks_only_for_its_own_cell(take: Take) -> None:
    assert numbers(take, numerator="*", denominator="120", value="46") == (None, 120, 46.0, None, None, "reported")
    assert numbers(take, numerator="55", denominator="*", value="46") == (55, None, 46.0, None, None, "reported")


@pytest.mark.parametrize("mask", ["*", "N/A", "<5", "GE95"])
def test_counts_beside_a_masked_rate_count_and_are_told(take: Take, mask: str) -> None:
    outcome = take_rows(take, {"numerator": "46", "denominator": "100", "value": mask})
    row = outcome.observations.row(0, named=True)
    assert (row["value"], row["value_low"], row["value_status"]) == (46.0, None, "derived")
    assert outcome.rules == {"masked_rate_with_counts"}


@pytest.mark.parametrize("cells", [{"numerator": "0"}, {}, {"numerator": "*"}, {"value": "46"}, {"value": "<5"}])
def test_a_denominator_of_zero_has_no_value_and_is_not_applicable(take: Take, cells: dict[str, str]) -> None:
    assert numbers(take, denominator="0", **cells)[2:] == (None, None, None, "not_applicable")


@pytest.mark.parametrize(
    ("cells", "told"),
    [
        ({"numerator": "46"}, {"count_without_value"}),
        ({"numerator": "46", "denominator": "100"}, set()),
        ({"numerator": "46", "value": "46"}, set()),
        ({"numerator": "46", "value": "*"}, set()),
        ({"numerator": "46", "denominator": "*"}, set()),
        ({"denominator": "100"}, set()),
        ({"indicator": "not yet mapped", "numerator": "46", "denominator": "100"}, {"unmapped_indicator"}),
        ({"indicator": "median_family_income_usd", "numerator": "46", "denominator": "100"}, {"count_without_value"}),
    ],
)
def test_a_numerator_that_gives_no_value_is_told(take: Take, cells: dict[str, str], told: set[str]) -> None:
    outcome = take_rows(take, cells, {"school_year": "2022-23", "value": "46"})
    assert outcome.rules == told
    missing = outcome.observations.filter(school_year=2024)["value_status"].to_list() == ["missing"]
    assert missing == ("numerator" not in cells or bool(told))


def test_a_row_without_anything_is_accepted_as_missing(take: Take) -> None:
    outcome = take_rows(take, {}, {"school_year": "2022-23", "value": "46"})
    assert outcome.observations["value_status"].to_list() == ["missing", "reported"]
    assert outcome.observations["row_status"].to_list() == ["accepted", "accepted"]
    assert outcome.rules == {"all_empty"}


def test_a_table_without_any_value_is_no_table_of_values(take: Take) -> None:
    outcome = take_rows(take, {}, {"school_year": "2022-23"})
    assert outcome.observations.is_empty()
    assert outcome.rules == {"no_values"}


# 46.0333... from the counts: the tolerance is 0.05 plus half a unit of the last printed digit.
@pytest.mark.parametrize(
    ("printed", "agrees"),
    [
        ("46", True),
        ("46.1", True),
        ("46.13", False),
        ("46.08", True),
        ("46.09", False),
        ("45.9", False),
        ("46.5", False),
        ("47", False),
        ("0.46", False),
    ],
)
def test_a_printed_value_agrees_within_its_own_precision(take: Take, printed: str, agrees: bool) -> None:
    outcome = take_rows(take, {"numerator": "1381", "denominator": "3000", "value": printed})
    assert ("value_mismatch" in outcome.rules) is not agrees
    assert (outcome.observations["row_status"][0] == "accepted") is agrees


@pytest.mark.parametrize(("printed", "agrees"), [("46.55", True), ("46.56", False), ("47", True), ("48", False)])
def test_the_edge_of_the_tolerance_agrees(take: Take, printed: str, agrees: bool) -> None:
    # 46.5 from the counts: 46.55 lies 0.05 away (0.055 allowed), 46.56 lies 0.06 away; 47 lies 0.5 away (0.55 allowed).
    outcome = take_rows(take, {"numerator": "93", "denominator": "200", "value": printed})
    assert ("value_mismatch" in outcome.rules) is not agrees


def test_a_fraction_agrees_within_half_its_last_digit_in_percent(take: Take) -> None:
    cells = {"numerator": "465", "denominator": "1000", "unit": "fraction"}
    assert "value_mismatch" not in take_rows(take, {**cells, "value": "0.46"}).rules
    assert "value_mismatch" in take_rows(take, {**cells, "value": "0.45"}).rules


@pytest.mark.parametrize(
    ("printed", "told"),
    [
        ("0.46", True),
        ("0.460", True),
        ("0.4600", True),
        ("0.5", True),
        ("0.47", False),
        ("0.46%", False),
        ("47", False),
    ],
)
def test_a_fraction_beside_counts_is_told_its_unit(take: Take, printed: str, told: bool) -> None:
    outcome = take_rows(take, {"numerator": "460", "denominator": "1000", "value": printed})
    (finding,) = outcome.findings.filter(rule_id="value_mismatch").to_dicts()
    unit = "; as it stands with fraction in the column unit" if told else ""
    assert finding["allowed"] == f"46.0 from the counts of the row{unit}"


@pytest.mark.parametrize(
    ("cells", "rule"),
    [
        ({"numerator": "11", "denominator": "10"}, "numerator_above_denominator"),
        ({"numerator": "-1", "denominator": "10"}, "out_of_range"),
        ({"numerator": "1", "denominator": "100,000,001"}, "out_of_range"),
        ({"numerator": "99999999999999999999", "denominator": "10"}, "out_of_range"),
        ({"numerator": "1.5", "denominator": "10"}, "count_not_whole"),
        ({"numerator": "5%", "denominator": "10"}, "count_not_whole"),
        ({"value": "100.1"}, "out_of_range"),
        ({"value": "-1"}, "out_of_range"),
        ({"value": "1.5", "unit": "fraction"}, "out_of_range"),
        ({"value": "1e2"}, "bad_cell"),
        ({"value": "nan"}, "bad_cell"),
        ({"value": "9-5"}, "bad_cell"),
        ({"value": "46", "unit": "parsec"}, "unknown_unit"),
        ({"value": "46", "unit": "usd"}, "unit_conflict"),
        ({"value": "0.46%", "unit": "fraction"}, "unit_conflict"),
        ({"value": "46", "school_year": "2022-24"}, "bad_school_year"),
        ({"value": "46", "period": "spring"}, "bad_period"),
        ({"value": "46", "participation_rate": "most"}, "bad_share"),
        ({"value": "46", "participation_rate": "120"}, "out_of_range"),
        ({"value": "46", "geography_level": "galaxy", "geography": "Andromeda"}, "not_allowed"),
        ({"value": "46", "geography_level": "district"}, "missing_geography"),
        ({"value": "46", "indicator": ""}, "missing_required"),
        ({"value": "46", "group": ""}, "missing_required"),
    ],
)
def test_what_cannot_be_right_keeps_its_row_out(take: Take, cells: dict[str, str], rule: str) -> None:
    outcome = take_rows(take, cells, {"school_year": "2021-22", "value": "44"})
    assert rule in outcome.rules
    assert outcome.observations["row_status"].to_list() == ["rejected", "accepted"]


@pytest.mark.parametrize(
    ("school_year", "status"), [("2024-25", "accepted"), ("2025-26", "rejected"), ("2025", "accepted")]
)
def test_a_school_year_may_end_one_year_after_the_reporting_year(take: Take, school_year: str, status: str) -> None:
    assert one(take, school_year=school_year, value="46")["row_status"] == status


@pytest.mark.parametrize(
    ("dimension", "group"),
    [
        ("all", "all"),
        ("race_ethnicity", "all"),
        ("gender", "All Students"),
        ("Total", "Overall"),
        ("School District", "all"),
    ],
)
def test_the_total_of_any_dimension_is_the_same_key(take: Take, dimension: str, group: str) -> None:
    row = one(take, dimension=dimension, group=group, value="46")
    assert (row["population_group_id"], row["geography_id"]) == ("all", "birchmont_falls")


def test_a_group_is_known_by_its_dimension_and_code(take: Take) -> None:
    row = one(take, dimension="Race/Ethnicity", group="Black or African American", value="46")
    assert (row["dimension"], row["group_code"], row["population_group_id"]) == (
        "race_ethnicity",
        "black",
        "race_ethnicity:black",
    )
    assert (row["raw_dimension"], row["raw_group"]) == ("Race/Ethnicity", "Black or African American")


@pytest.mark.parametrize("group", ["Falls Area Schools", "falls area  schools", "9901002"])
def test_a_geographic_dimension_becomes_the_place_and_the_total(take: Take, group: str) -> None:
    row = one(take, dimension="district", group=group, value="46")
    assert row["geography_id"] == "birchmont_falls_falls_area_schools"
    assert (row["geography_level"], row["population_group_id"]) == ("district", "all")


def test_a_place_is_the_same_by_column_and_by_dimension(take: Take) -> None:
    cells = {"geography": "Falls Area Schools", "geography_level": "district", "value": "46"}
    outcome = take_rows(take, cells, {"dimension": "district", "group": "Falls Area Schools", "value": "46"})
    assert outcome.observations["row_status"].to_list() == ["accepted", "duplicate"]


def test_a_place_of_a_kind_that_nobody_lists_gets_an_id_of_its_own(take: Take) -> None:
    row = one(take, geography="St. Mary's Élan", geography_level="school", value="46")
    assert row["geography_id"] == "birchmont_falls:school:st_mary_s_élan"
    assert row["row_status"] == "accepted"


def test_a_row_that_is_rejected_and_would_wait_says_why_it_is_rejected(take: Take) -> None:
    row = one(take, indicator="Reading by the Brook", value="46 or so")
    assert (row["row_status"], row["row_reason"]) == ("rejected", "bad_cell")


def test_a_place_missing_from_a_governed_list_waits(take: Take) -> None:
    outcome = take_rows(take, {"geography": "Lakeside Schools", "geography_level": "district", "value": "46"})
    assert outcome.observations["row_status"].to_list() == ["waiting"]
    assert outcome.rules == {"unmapped_geography"}


def test_an_unknown_label_waits_and_rejects_nothing(take: Take) -> None:
    outcome = take_rows(take, {"indicator": "Reading by the Brook", "value": "46"}, {"value": "46"})
    assert outcome.observations["row_status"].to_list() == ["waiting", "accepted"]
    assert outcome.observations["row_reason"].to_list() == ["unmapped_label", None]
    finding = outcome.findings.filter(pl.col("rule_id") == "unmapped_indicator").row(0, named=True)
    assert (finding["severity"], finding["found"], finding["status"]) == ("explainable", "Reading by the Brook", "open")


def test_blank_columns_take_their_defaults(take: Take) -> None:
    row = one(take, value="46")
    named = {name: row[name] for name in ("period", "series", "geography_level", "geography_id")}
    assert named == {
        "period": "annual",
        "series": "default",
        "geography_level": "community",
        "geography_id": "birchmont_falls",
    }


def test_a_series_is_trimmed_and_then_compared_exactly(take: Take) -> None:
    outcome = take_rows(
        take,
        {"series": "Form A", "value": "46"},
        {"series": "  Form A ", "value": "46"},
        {"series": "form a", "value": "47"},
        {"series": "Form  A", "value": "48"},
    )
    assert outcome.observations["series"].to_list() == ["Form A", "Form A", "form a", "Form  A"]
    assert outcome.observations["row_status"].to_list() == ["accepted", "duplicate", "accepted", "accepted"]


def test_a_seed_line_renames_a_series_where_it_says_so(take: Take) -> None:
    cells = {"series": "ST-RPT 2018", "value": "46"}
    assert one(take, indicator="grade3_reading_proficient_pct", **cells)["series"] == "state test 2018"
    assert one(take, **cells)["series"] == "ST-RPT 2018"
    assert one(take, indicator="grade3_reading_proficient_pct", **cells)["raw_series"] == "ST-RPT 2018"


@pytest.mark.parametrize(("school_year", "series"), [("2017-18", "entry inventory A"), ("2018-19", "default")])
def test_a_blank_series_is_renamed_for_its_community_in_its_years_only(
    take: Take, school_year: str, series: str
) -> None:
    cells = {"indicator": "kindergarten_ready_pct", "school_year": school_year, "value": "46"}
    outcome = take_rows(take, cells, community_id="ashgrove_hollow")
    assert outcome.observations["series"].to_list() == [series]
    assert one(take, **cells)["series"] == "default"


def test_identical_rows_of_one_key_are_counted_once_the_first_by_file_and_row(take: Take) -> None:
    first = {"numerator": "460", "denominator": "1000"}
    outcome = take({"b.csv": csv_of([first]), "a.csv": csv_of([{**first, "dimension": "gender"}, first])})
    assert outcome.observations["row_status"].to_list() == ["accepted", "duplicate", "duplicate"]
    assert outcome.observations["source_file"].to_list() == ["a.csv", "a.csv", "b.csv"]
    assert set(outcome.findings["found"]) == {"a.csv row 2"}
    assert outcome.files["rows_accepted"].to_list() == [2, 1]


def test_different_values_of_one_key_reject_each_other_and_each_names_the_others(take: Take) -> None:
    other = {"school_year": "2021-22", "value": "44"}
    outcome = take({"a.csv": csv_of([{"value": "46"}, other]), "b.csv": csv_of([{"value": "47"}])})
    assert outcome.observations["row_status"].to_list() == ["rejected", "accepted", "rejected"]
    findings = outcome.findings.filter(pl.col("rule_id") == "conflicting_rows")
    assert findings["source_file"].to_list() == ["a.csv", "b.csv"]
    assert findings["found"].to_list() == [
        "graduation_4yr_pct, all, 2024: value 46 here, value 47 in b.csv row 2",
        "graduation_4yr_pct, all, 2024: value 47 here, value 46 in a.csv row 2",
    ]


def test_a_row_with_its_rate_printed_repeats_the_one_whose_rate_its_counts_make(take: Take) -> None:
    counts = {"numerator": "5", "denominator": "8"}
    outcome = take_rows(take, counts, {**counts, "value": "62.5 %"})
    assert outcome.observations["row_status"].to_list() == ["accepted", "duplicate"]
    assert outcome.rules == {"duplicate_row"}


def test_a_conflict_of_many_rows_names_some_of_them_and_counts_the_rest(take: Take) -> None:
    outcome = take_rows(take, *({"value": str(n)} for n in range(40)))
    here = "graduation_4yr_pct, all, 2024: value {} here, "
    place = "value {} in indicator_values.csv row {}"
    for n, found in enumerate(outcome.findings.sort("source_row")["found"]):
        others = [place.format(other, other + 2) for other in range(40) if other != n]
        assert found == f"{here.format(n)}39 other rows, such as {'; '.join(others[:NAMED_ROWS])}"


@pytest.mark.parametrize("others", [1, NAMED_ROWS, NAMED_ROWS + 1])
def test_a_conflict_counts_its_rows_where_it_does_not_name_them_all(take: Take, others: int) -> None:
    outcome = take_rows(take, *({"value": str(n)} for n in range(others + 1)))
    (first,) = outcome.findings.filter(pl.col("source_row") == 2)["found"]
    assert first.count(" in indicator_values.csv row ") == min(others, NAMED_ROWS)
    assert (f"{others} other rows" in first) == (others > NAMED_ROWS)


def test_a_masked_row_contradicts_a_number_of_the_same_key(take: Take) -> None:
    outcome = take_rows(take, {"value": "46"}, {"value": "*"})
    assert outcome.observations["row_status"].to_list() == ["rejected", "rejected"]


def test_a_rejected_row_contradicts_nobody(take: Take) -> None:
    outcome = take_rows(take, {"value": "46"}, {"value": "460"})
    assert outcome.observations["row_status"].to_list() == ["accepted", "rejected"]


@pytest.mark.parametrize(
    "difference",
    [
        {"series": "Form A"},
        {"period": "2024-Q1"},
        {"school_year": "2022-23"},
        {"dimension": "gender", "group": "female"},
        {"geography": "Brook School", "geography_level": "school"},
        {"indicator": "graduation_5yr_pct"},
    ],
)
def test_every_part_of_the_key_tells_rows_apart(take: Take, difference: dict[str, str]) -> None:
    outcome = take_rows(take, {"value": "46"}, {"value": "47", **difference})
    assert outcome.observations["row_status"].to_list() == ["accepted", "accepted"]


def test_one_root_cause_is_one_finding_with_its_count(take: Take) -> None:
    years = [{"school_year": f"{year}-{year % 100 + 1}", "value": "soon"} for year in range(2014, 2022)]
    outcome = take_rows(take, *years)
    assert outcome.findings.select("rule_id", "source_row", "n_rows").rows() == [("bad_cell", 2, 8)]


CELLS = st.sampled_from(
    ["", "0", "3", "10", "46", "46.0", "100", "*", "<5", "N/A", "-", "5-9", "bad", "-2", "1.5", "97%"]
)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(CELLS, CELLS, CELLS), min_size=1, max_size=12))
def test_whatever_the_cells_say_a_row_has_a_number_or_a_reason(take: Take, cells: list[tuple[str, str, str]]) -> None:
    rows = [
        {"numerator": n, "denominator": d, "value": v, "series": str(place)} for place, (n, d, v) in enumerate(cells)
    ]
    # A table in which no row has a value is refused as a whole.
    observations = take_rows(take, *rows, {"value": "46", "series": "filled"}).observations
    assert observations.height == len(rows) + 1
    accepted = observations.filter(pl.col("row_status") == "accepted")
    exact = pl.col("value_status").is_in(["reported", "derived"])
    assert accepted.filter(exact != pl.col("value").is_not_null()).is_empty()
    assert accepted.filter((pl.col("value_status") == "range") != pl.col("value_low").is_not_null()).is_empty()
    assert accepted.filter(~pl.col("value").is_between(0, 100)).is_empty()
    assert accepted.filter(pl.col("numerator") > pl.col("denominator")).is_empty()
    assert observations.filter((pl.col("row_status") == "rejected") & pl.col("row_reason").is_null()).is_empty()


READ = [
    "",
    "",
    "0",
    "3",
    "10",
    "46",
    "46.0",
    "46.55",
    "99.9",
    "100",
    "100.05",
    "100.5",
    "1,204",
    "0.46",
    "0.5",
    "1",
    "-2",
]
READ += ["*", "<5", ">95", "<=5%", "GE95", "5-9", "9-5", "97%", "100%", "N/A", "bad", "1.5", "30", "33.3", "33", "50"]
READ += ["100000000", "100000001"]
DRAWN = {
    "indicator": ["graduation_4yr_pct", "graduation_4yr_pct", "apprenticeship_enrolled_count"],
    "unit": ["", "", "", "percent", "fraction", "count", "score", "nonsense"],
    "numerator": READ,
    "denominator": READ,
    "value": READ,
    "school_year": ["2023-24"] * 6 + ["2024", "SY2024", "2024-25", "2025-26", "2023-25", "soon"],
}


def test_any_row_is_read_as_the_plain_reading_reads_it(take: Take) -> None:
    chance, seeds = Random(20), reference.Seeds(ROOT / "seeds")
    rows = [
        {"series": f"s{place:04}"} | {name: chance.choice(texts) for name, texts in DRAWN.items()}
        for place in range(1500)
    ]
    found = take_rows(take, *rows).observations.sort("source_row").to_dicts()
    for row, taken in zip(rows, found, strict=True):
        try:
            plain = reference.read_row({**BASE, **row}, COMMUNITY, YEAR, seeds)
        except reference.RejectedError as error:
            assert taken["row_status"] == "rejected", (row, str(error))
            continue
        assert taken["row_status"] == "accepted", (row, taken["row_reason"])
        assert [taken[name] for name in NUMBERS] == [plain[name] for name in NUMBERS], row
        assert taken["school_year"] == plain["school_year"]


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        ({"value": "<5"}, "0.0 to 5.0"),
        ({"value": ">95"}, "95.0 to 100.0"),
        ({"value": "5-9"}, "5.0 to 9.0"),
        ({"value": "*"}, "suppressed at source"),
        ({"value": "46.5"}, "value 46.5"),
        ({"numerator": "46", "value": "*"}, "numerator 46"),
        ({"denominator": "80", "value": "46.25"}, "denominator 80, value 46.25"),
        ({"numerator": "37", "denominator": "80"}, "37 of 80, value 46.25"),
        ({"numerator": "0", "denominator": "0"}, "0 of 0"),
    ],
)
def test_what_a_row_says_is_told_in_numbers_or_by_the_word_for_why_there_is_none(
    take: Take, cells: dict[str, str], words: str
) -> None:
    outcome = take_rows(take, cells, {"value": "12"})
    (told, _) = outcome.findings.sort("source_row")["found"]
    assert told == f"graduation_4yr_pct, all, 2024: {words} here, value 12 in indicator_values.csv row 3"


@pytest.mark.parametrize(("low", "high", "words"), [(95.0, None, "95.0 to any"), (None, 5.0, "any to 5.0")])
def test_a_bound_of_a_unit_without_an_end_is_told_as_open(low: float | None, high: float | None, words: str) -> None:
    row = {"numerator": None, "denominator": None, "value": None, "value_low": low, "value_high": high}
    kinds = {name: pl.Float64 for name in row if name.startswith("value")}
    frame = pl.DataFrame([{**row, "value_status": "range"}], schema_overrides=kinds)
    assert frame.select(_content_words()).item() == words


def test_a_row_is_told_by_what_of_its_key_is_not_usual(take: Take) -> None:
    unusual = {"series": "Form A", "period": "2024-Q1", "geography": "Brook School", "geography_level": "school"}
    outcome = take_rows(take, {**unusual, "value": "12"}, {**unusual, "value": "13"})
    (told, _) = outcome.findings.filter(pl.col("rule_id") == "conflicting_rows")["found"]
    key = "graduation_4yr_pct, all, 2024, birchmont_falls:school:brook_school, 2024-Q1, Form A"
    assert told.partition(": value")[0] == key
