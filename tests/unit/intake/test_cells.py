"""A cell's text is a number, a mask, an interval, a date or a year, or it is none of them and never guessed.

Belongs here: lib/intake/rows/cells.py, cell by cell (RULES 1).
Does not: what the cells of a row say together (test_values.py).
"""

from __future__ import annotations

import datetime as dt
import math

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dagster_project.lib.intake.rows.cells import (
    CELL_TYPES,
    PARSERS,
    cast_texts,
    parse_boolean,
    parse_cell,
    parse_cells,
    parse_date,
    parse_number,
    parse_period,
    parse_school_year,
    parse_share,
    parse_url,
)

MASKS = {
    "*": "suppressed_at_source",
    "s": "suppressed_at_source",
    "n<10": "suppressed_at_source",
    "ps": "suppressed_at_source",
    "‡": "suppressed_at_source",
    "n/a": "not_applicable",
    "-": "not_collected",
}
TEXTS = st.text(alphabet=st.sampled_from("0123456789.,%<>=-+–$/ eELTGSYnaNAQ*\t\u00a0٣½"), max_size=12) | st.text(
    max_size=12
)


@pytest.mark.parametrize(
    ("text", "number", "decimals", "percent"),
    [
        ("46", 46.0, 0, False),
        (" 46.0 ", 46.0, 1, False),
        ("+1,234.50", 1234.5, 2, False),
        ("-3", -3.0, 0, False),
        ("83%", 83.0, 0, True),
        ("83.25 %", 83.25, 2, True),
        ("100,000,000", 1e8, 0, False),
    ],
)
def test_sign_digits_thousands_decimals_and_percent_are_a_number(
    text: str, number: float, decimals: int, percent: bool
) -> None:
    cell = parse_cell(text, MASKS)
    assert (cell.kind, cell.number, cell.decimals, cell.percent) == ("number", number, decimals, percent)


@pytest.mark.parametrize("text", ["-0", "-0.0", "-0%", "-0.00 %", "+0"])
def test_a_zero_has_no_sign(text: str) -> None:
    for number in (parse_cell(text, MASKS).number, parse_share(text)):
        assert str(number) == "0.0"


@pytest.mark.parametrize(
    "text",
    ["1e3", "nan", "inf", "1,23", "1234,567", "4 6", ".5", "5.", "%", "--5", "5%%", "٣", "½", "9" * 400, "about 5"],
)
def test_an_exponent_a_broken_thousand_or_a_word_is_no_number(text: str) -> None:
    assert parse_cell(text, MASKS).kind == "bad"


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("<5", None, 5.0),
        ("<=5%", None, 5.0),
        ("\u22645%", None, 5.0),
        ("\u2265 95", 95.0, None),
        ("LE5", None, 5.0),
        ("LT50", None, 50.0),
        (">95", 95.0, None),
        (">=95", 95.0, None),
        ("GE95", 95.0, None),
        ("GT 95%", 95.0, None),
        ("ge50", 50.0, None),
        ("5-9", 5.0, 9.0),
        ("80–89", 80.0, 89.0),
        ("80% - 89%", 80.0, 89.0),
        ("<1,000", None, 1000.0),
    ],
)
def test_a_bound_is_an_interval_and_never_a_midpoint(text: str, low: float | None, high: float | None) -> None:
    cell = parse_cell(text, MASKS)
    assert (cell.kind, cell.number, cell.low, cell.high, cell.status) == ("range", None, low, high, "range")


@pytest.mark.parametrize("text", ["9-5", "<,", "<", "<five", "5-", "-5-9", "<5-9"])
def test_half_a_bound_is_none(text: str) -> None:
    assert parse_cell(text, MASKS).kind == "bad"


@pytest.mark.parametrize(
    ("text", "status"), [*MASKS.items(), ("S", "suppressed_at_source"), (" N/A ", "not_applicable")]
)
def test_a_mask_gives_its_status_whatever_its_case(text: str, status: str) -> None:
    cell = parse_cell(text, MASKS)
    assert (cell.kind, cell.status, cell.number) == ("mask", status, None)


@pytest.mark.parametrize("text", [None, "", "   ", "\u00a0"])
def test_an_empty_cell_is_missing(text: str | None) -> None:
    assert (parse_cell(text, MASKS).kind, parse_cell(text, MASKS).status) == ("empty", "missing")


@given(TEXTS)
def test_any_text_at_all_is_read_without_an_error_and_every_number_is_finite(text: str) -> None:
    cell = parse_cell(text, MASKS)
    assert cell.kind in {"number", "range", "mask", "empty", "bad"}
    assert all(math.isfinite(n) for n in (cell.number, cell.low, cell.high) if n is not None)
    for parse in PARSERS.values():
        parse(text)


@given(st.integers(-(10**9), 10**9), st.integers(0, 4), st.booleans(), st.booleans())
def test_a_printed_number_reads_back_with_its_decimals(whole: int, places: int, thousands: bool, percent: bool) -> None:
    number = whole / 10**places
    text = f"{number:,.{places}f}" if thousands else f"{number:.{places}f}"
    cell = parse_cell(text + "%" * percent, MASKS)
    assert (cell.kind, cell.number, cell.decimals, cell.percent) == (
        "number",
        float(text.replace(",", "")),
        places,
        percent,
    )


@given(st.integers(0, 10**6), st.integers(0, 10**6))
def test_a_range_holds_its_ends_in_their_order(first: int, second: int) -> None:
    low, high = sorted((first, second))
    cell = parse_cell(f"{low}-{high}", MASKS)
    assert (cell.low, cell.high) == (low, high)


@given(st.lists(st.sampled_from(["5", "5%", "*", "<5", None, "x", "5-9", "1,000"])))
def test_a_column_reads_as_its_cells_do(texts: list[str | None]) -> None:
    read = parse_cells(pl.Series(texts, dtype=pl.String), MASKS)
    assert read.schema == CELL_TYPES
    assert read["kind"].to_list() == [parse_cell(text, MASKS).kind for text in texts]


@pytest.mark.parametrize("text", ["2022-23", "2022-2023", "SY2023", "sy 2023", "2023", "2022/23", "2022–23", " 2023 "])
def test_a_school_year_is_the_calendar_year_in_which_it_ends(text: str) -> None:
    assert parse_school_year(text) == 2023


@pytest.mark.parametrize(
    "text", ["2022-24", "2022-22", "22-23", "SY23", "2022-2024", "0001-02", "3023", "2022-", "fall 2022"]
)
def test_years_that_do_not_follow_each_other_are_no_school_year(text: str) -> None:
    assert parse_school_year(text) is None


@pytest.mark.parametrize(
    ("text", "year"),
    [
        ("1899", None),
        ("1900", 1900),
        ("1899-00", None),
        ("1900-01", 1901),
        ("2200", 2200),
        ("2201", None),
        ("2200-01", 2201),
    ],
)
def test_a_school_year_begins_in_these_three_centuries(text: str, year: int | None) -> None:
    assert parse_school_year(text) == year


def test_the_turn_of_the_century_is_one_school_year() -> None:
    assert parse_school_year("1999-00") == 2000


@given(st.integers(1900, 2199))
def test_all_forms_of_a_school_year_are_the_same_year(start: int) -> None:
    end = start + 1
    forms = [f"{start}-{end}", f"{start}-{end % 100:02d}", f"SY{end}", f"{end}"]
    assert {parse_school_year(form) for form in forms} == {end}


@pytest.mark.parametrize(
    ("text", "period"),
    [
        ("annual", "annual"),
        (" Annual", "annual"),
        ("2024-Q1", "2024-Q1"),
        ("2024-t1", "2024-T1"),
        ("Fall 2024", "2024-FALL"),
        ("autumn 2024", "2024-FALL"),
        ("2024-Spring", "2024-SPRING"),
        ("2024-q4", "2024-Q4"),
        ("2024-03", "2024-03"),
    ],
)
def test_a_period_is_annual_a_quarter_a_month_or_a_term(text: str, period: str) -> None:
    assert parse_period(text) == period


@pytest.mark.parametrize(
    "text",
    [
        "2024-Q5",
        "2024-13",
        "2024-T5",
        "2024-T",
        "Fall",
        "Fall 24",
        "First term 2024",
        "2024-00",
        "Q1",
        "March 2024",
        "2024",
    ],
)
def test_anything_else_is_no_period(text: str) -> None:
    assert parse_period(text) is None


@pytest.mark.parametrize(
    "text", ["2024-06-30", "6/30/2024", "06/30/2024", "2024-06-30 13:45:00", "2024-06-30T00:00:00"]
)
def test_a_date_is_iso_or_american(text: str) -> None:
    assert parse_date(text) == dt.date(2024, 6, 30)


@pytest.mark.parametrize("text", ["2024-06-31", "30/6/2024", "6/30/24", "June 2024", "45473", "2024-6-3"])
def test_a_day_that_the_calendar_lacks_is_no_date(text: str) -> None:
    assert parse_date(text) is None


def test_yes_and_no_have_a_few_spellings_and_no_others() -> None:
    assert [parse_boolean(text) for text in ("Yes", "y", "TRUE", "1", "x")] == [True] * 5
    assert [parse_boolean(text) for text in ("No", "n", "false", "0")] == [False] * 4
    assert [parse_boolean(text) for text in ("perhaps", "2", "yes!", "")] == [None] * 4


def test_money_and_percentages_are_plain_numbers() -> None:
    assert parse_number("$ 1,250.50") == 1250.5
    assert parse_share("96.5 %") == 96.5
    assert parse_number("1.250,50") is None
    assert parse_number("9" * 400) is None


def test_a_web_address_says_its_scheme_and_holds_no_quotes() -> None:
    assert parse_url(" https://example.org/a?b=1 ") == "https://example.org/a?b=1"
    assert [parse_url(text) for text in ("example.org", "javascript:alert(1)", 'https://a"b', "https://a b")] == [
        None
    ] * 4


def test_casting_a_column_marks_text_that_cannot_be_read_and_leaves_blanks_alone() -> None:
    cast = cast_texts(pl.Series(["2023", None, "soon", "2022-23"]), "school_year", pl.Int32())
    assert cast["typed"].to_list() == [2023, None, None, 2023]
    assert cast["bad"].to_list() == [False, False, True, False]
