"""A number is what its format shows: percent signs, dates, masks, bounds, or nothing at all.

Belongs here: lib/intake/number_formats.py, format by format.
Does not: finding cells and their formats in workbooks (test_reading_workbooks.py).
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dagster_project.lib.intake.reading.number_formats import built_in_format, date_text, number_format, number_text

ACCOUNTING = '_(* #,##0_);_(* \\(#,##0\\);_(* "-"??_);_(@_)'
MONEY = '_($* #,##0_);_($* \\(#,##0\\);_($* "-"??_);_(@_)'


@pytest.mark.parametrize(
    ("code", "value", "shown", "kind"),
    [
        ("General", 0.852, "0.852", "number"),
        ("0%", 0.852, "85.2%", "number"),
        ('0.0%;[Red]-0.0%;"-"', -0.05, "-5%", "number"),
        ('0"%"', 85.0, "85%", "number"),
        ('0.0" %"', 85.2, "85.2 %", "number"),
        ('0" of 100%"', 1.0, "1 of 100%", "number"),
        ('"<"0%', 0.05, "<5%", "number"),
        ('0%"*"', 0.85, "85%*", "number"),
        ("0%%", 0.85, "8500%%", "otherwise"),
        ('"LE "0', 5.0, "LE 5", "number"),
        ('0" to 9"', 5.0, "5 to 9", "number"),
        ('0"0"', 12.0, "120", "otherwise"),
        ('"1"00', 12.0, "112", "otherwise"),
        ('"2022-"00', 23.0, "2022-23", "number"),
        ('0"K"', 12.0, "12K", "number"),
        ('0 "students"', 412.0, "412", "number"),
        ('"("0")"', 4.0, "(4)", "number"),
        ("0.0,", 1234.0, "1.2", "otherwise"),
        ("#,##0,", 1_234_567.0, "1235", "otherwise"),
        ('0,,"M"', 12_000_000.0, "12M", "otherwise"),
        ("0,.0", 1234.0, "1.2", "otherwise"),
        ("0.0,", 0.0, "0", "number"),
        ("0.0,%", 0.6, "0.1%", "otherwise"),
        ("# ?/?", 0.5, "1/2", "otherwise"),
        ("# ??/??", 2.25, "2 1/4", "otherwise"),
        ("# ?/?", 12.0, "12", "number"),
        ("# ?/?", 0.0, "0", "number"),
        ("00000", 2138.0, "02138", "number"),
        ("00", 3.0, "03", "number"),
        ("00000\\-0000", 21_380_042.0, "02138-0042", "number"),
        ("000-00-0000", 123_456_789.0, "123-45-6789", "number"),
        ("(###) ###-####", 5_551_234.0, "() 555-1234", "number"),
        ("# ##0", 1204.0, "1204", "number"),
        ("#'##0.0", 1204.5, "1204.5", "number"),
        ('"District "0', 7.0, "District 7", "number"),
        ("0;0;0", -5.0, "5", "otherwise"),
        ("0;[Red]0", -5.0, "5", "otherwise"),
        ("0;[Red]0", 5.0, "5", "number"),
        ("0_);(0)", -5.0, "-5", "number"),
        ("$#,##0;-$#,##0", -5.0, "-$5", "number"),
        ("#,###", 0.0, "", "hidden"),
        ("#", 0.3, "", "hidden"),
        ("#.##", 0.01, "0.01", "number"),
        ("#%", 0.0, "%", "number"),
        ("[<10][White]0;0", 4.0, "", "hidden"),
        ('[<.5]"*";0%', 0.25, "*", "number"),
        ('"<"@', 5.0, "<5", "number"),
        ('[<10]"*";0', 3.0, "*", "number"),
        ('[<10]"*";0', 10.0, "10", "number"),
        ('[<10]"*";[>95]"**";0', 97.0, "**", "number"),
        ('[<10]"*";[>95]"**"', 50.0, "50", "number"),
        ('[<10]"*"', 50.0, "50", "number"),
        ('[=1]"yes";[=0]"no";General', 0.0, "no", "number"),
        ('"<"0', 5.0, "<5", "number"),
        ('0"+"', 95.0, "95+", "number"),
        ('"~"0', 46.0, "~46", "number"),
        ("+0.0;-0.0", 4.6, "4.6", "number"),
        (";;;", 412.0, "", "hidden"),
        ("0;-0;;@", 0.0, "", "hidden"),
        ("0;-0;;@", 7.0, "7", "number"),
        (ACCOUNTING, 0.0, "0", "number"),
        ('0;-0;"-"', 0.0, "0", "number"),
        (ACCOUNTING, 1204.0, "1204", "number"),
        (MONEY, 1204.0, "$1204", "number"),
        (MONEY, 0.0, "0", "number"),
        ('#,##0\\ "€"', 1204.5, "1204.5 €", "number"),
        ("[$$-409]#,##0", 12.0, "$12", "number"),
        ("0.00E+00", 12.0, "12", "number"),
        ("d-mmm", 46089.0, "2026-03-08", "date"),
        ("[$-409]d\\-mmm;@", 46089.0, "2026-03-08", "date"),
        ("[h]:mm", 0.25, "06:00:00", "date"),
        ("@", 5.0, "5", "number"),
    ],
)
def test_a_number_is_what_its_format_shows(code: str, value: float, shown: str, kind: str) -> None:
    assert number_format(code).show_number(value, False) == (shown, kind)


@pytest.mark.parametrize(
    ("code", "shown", "kind"),
    [
        ("0.0%", "85.2", "number"),
        ("0;-0;0;@", "85.2", "number"),
        (";;;", "", "hidden"),
        ('0;0;0;"*"', "*", "number"),
        ('"<"@', "<85.2", "number"),
        ('@" (est.)"', "85.2 (est.)", "number"),
        ("_(@_)", "85.2", "number"),
    ],
)
def test_a_text_is_what_its_format_shows(code: str, shown: str, kind: str) -> None:
    assert number_format(code).show_text("85.2") == (shown, kind)


@pytest.mark.parametrize("code", ["General", "0", "#,##0.00", "@", ACCOUNTING, '0" students"', "0.00E+00", "# ##0"])
def test_formats_that_show_plain_numbers_are_known_as_such(code: str) -> None:
    shape = number_format(code)
    assert shape.plain
    assert shape.show_number(0.852, False) == ("0.852", "number")


def test_formats_known_by_their_number_alone() -> None:
    assert built_in_format(9).show_number(0.5, False) == ("50%", "number")
    assert built_in_format(67).show_number(0.468, False) == ("46.8%", "number")
    assert built_in_format(14).show_number(45473, False) == ("2024-06-30", "date")
    assert all(built_in_format(number).plain for number in (0, 1, 4, 11, 37, 41, 44, 48, 49, 163))
    assert built_in_format(12).show_number(0.5, False) == ("1/2", "otherwise")


@pytest.mark.parametrize(
    ("serial", "since_1904", "text"),
    [
        (1, False, "1900-01-01"),
        (59, False, "1900-02-28"),
        (60, False, "60"),
        (61, False, "1900-03-01"),
        (45473.5, False, "2024-06-30 12:00:00"),
        (0.5, False, "12:00:00"),
        (44011, True, "2024-06-30"),
        (-1, False, "-1"),
        (2_958_466, False, "2958466"),
    ],
)
def test_days_since_1900_or_1904_are_dates(serial: float, since_1904: bool, text: str) -> None:
    assert date_text(float(serial), since_1904) == text


@given(st.text(max_size=40), st.floats())
def test_any_format_code_shows_every_number_without_an_error(code: str, value: float) -> None:
    shape = number_format(code)
    text, kind = shape.show_number(value, False)
    assert isinstance(text, str)
    assert kind in ("number", "date", "hidden", "otherwise")
    if shape.plain:
        assert text == number_text(value)
    shape.show_text("a")


@given(st.integers(0, 10_000))
def test_a_percent_cell_shows_a_hundred_times_its_number(tenths: int) -> None:
    assert number_format("0.0%").show_number(tenths / 1000, False) == (f"{tenths / 10:.15g}%", "number")
