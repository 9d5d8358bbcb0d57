"""Refused rows beside what goes on counting of the same value.

Belongs here: claims about comparing/refused_rows.py.
Does not: why a row is refused (test_values.py), the sentences of a receipt (tests/unit/receipts).
"""

from __future__ import annotations

import polars as pl

from tests.unit.intake.comparing import Line, findings, line

RULE = "refused_and_other_counts"


def told(lines: list[Line]) -> list[tuple[str, str, int, int]]:
    """File and row that the rule points at, what it found, and how many rows it speaks of."""
    rows = findings(lines).filter(pl.col("rule_id") == RULE).sort("reporting_year", "source_file", "found")
    return rows.select("source_file", "found", "source_row", "n_rows").rows()


def refused(year: int, value: float, **more: object) -> Line:
    own: Line = {"row_status": "rejected", "source_file": "corrected.csv", "source_row": 9, **more}
    return line(year, value, 100, **own)


def test_a_refused_row_says_that_the_row_it_was_to_correct_goes_on_counting() -> None:
    assert told([line(2020, 80.0, 100), refused(2020, 120.0)]) == [("corrected.csv", "values.csv in this folder", 9, 1)]


def test_a_refused_correction_of_an_earlier_folder_names_that_folder() -> None:
    earlier = [line(2018, 70.0, 100), line(2018, 71.0, 100, reported=2019)]
    assert told([*earlier, refused(2018, 120.0, reported=2020)]) == [("corrected.csv", "the folder of 2019", 9, 1)]


def test_rows_that_the_same_folder_still_answers_for_are_one_finding() -> None:
    years = range(2015, 2020)
    lines = [line(year, 70.0, 100, reported=2020) for year in years]
    lines += [refused(year, 120.0, reported=2020) | {"source_row": 2 + n} for n, year in enumerate(years)]
    assert told(lines) == [("corrected.csv", "values.csv in this folder", 2, 5)]


def test_nothing_is_said_where_nothing_counts_or_only_a_later_folder_does() -> None:
    group = {"group": "gender:female"}
    assert told([line(2020, 80.0, 100), refused(2020, 120.0, **group)]) == []
    assert told([refused(2018, 120.0, reported=2019), line(2018, 70.0, 100, reported=2020)]) == []
    waiting = line(2020, 80.0, 100, row_status="waiting")
    program = line(2020, 80.0, 100, data_level="program")
    assert told([waiting, program, refused(2020, 120.0)]) == []
    assert told([line(2020, 80.0, 100), refused(2020, 120.0, data_level="program")]) == []


def test_a_row_refused_again_in_the_next_year_is_told_in_both() -> None:
    lines = [line(2018, 70.0, 100), *(refused(2018, 120.0, reported=year) for year in (2019, 2020))]
    assert [found for _, found, _, _ in told(lines)] == ["the folder of 2018"] * 2
