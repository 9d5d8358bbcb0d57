"""A local label stands for the code that the narrowest scope gives it in its year.

Belongs here: lib/intake/labels.py over small crosswalks made for the test.
Does not: what rows with and without codes become (test_values.py), proposals (test_suggest.py).
"""

from __future__ import annotations

import shutil
from pathlib import Path

import polars as pl
import pytest

from dagster_project.lib.intake.labels import code_table, nearest, nearest_labels, resolve
from dagster_project.lib.reference import Reference

INDICATORS = """scope,scope_id,label,indicator_id,unit,valid_from,valid_to,note
global,,Reading Rate,grade3_reading_proficient_pct,,,,
layout,export_a,Reading Rate,reading_screener_on_level_pct,,,,
community,birchmont_falls,Reading Rate,grade3_reading_mean_score,,,2019,
community,birchmont_falls,Reading Rate,attendance_rate_pct,,2022,,
"""
GROUPS = """scope,scope_id,dimension,label,group_code,valid_from,valid_to,note
global,,race_ethnicity,Everyone Else,two_or_more,,,
global,,gender,Everyone Else,nonbinary,,,
global,,race_ethnicity,MENA group,mena,2024,,
"""


@pytest.fixture(scope="module")
def labels(seeds: Path, tmp_path_factory: pytest.TempPathFactory) -> Reference:
    """The small seeds with crosswalks of this test."""
    folder = tmp_path_factory.mktemp("labels") / "seeds"
    shutil.copytree(seeds, folder)
    (folder / "crosswalks" / "indicator_labels.csv").write_text(INDICATORS, encoding="utf-8")
    (folder / "crosswalks" / "group_labels.csv").write_text(GROUPS, encoding="utf-8")
    return Reference(folder)


def code(
    reference: Reference,
    label: str | None,
    kind: str = "indicator",
    community: str = "alderwick_bend",
    layout: str = "indicator_values_v1",
    year: int | None = 2021,
    dimension: str | None = None,
) -> str | None:
    """The code of one label."""
    rows = pl.DataFrame(
        {kind: [label], "community_id": [community], "layout_id": [layout], "school_year": [year], "d": [dimension]},
        schema={
            kind: pl.String,
            "community_id": pl.String,
            "layout_id": pl.String,
            "school_year": pl.Int32,
            "d": pl.String,
        },
    )
    found = resolve(rows, kind, code_table(reference, kind), "d" if kind == "group" else None)
    return found.to_list()[0]  # type: ignore[no-any-return]


def test_the_narrowest_scope_wins(labels: Reference) -> None:
    assert code(labels, "Reading Rate") == "grade3_reading_proficient_pct"
    assert code(labels, "Reading Rate", layout="export_a") == "reading_screener_on_level_pct"
    assert code(labels, "Reading Rate", layout="export_a", community="birchmont_falls", year=2018) == (
        "grade3_reading_mean_score"
    )


@pytest.mark.parametrize(
    ("year", "expected"),
    [
        (2019, "grade3_reading_mean_score"),
        (2020, "grade3_reading_proficient_pct"),
        (2021, "grade3_reading_proficient_pct"),
        (2022, "attendance_rate_pct"),
    ],
)
def test_a_line_holds_in_its_years_and_a_wider_one_outside_them(labels: Reference, year: int, expected: str) -> None:
    assert code(labels, "Reading Rate", community="birchmont_falls", year=year) == expected


def test_a_line_of_another_community_or_layout_says_nothing(labels: Reference) -> None:
    assert code(labels, "Reading Rate", community="ashgrove_hollow", year=2018) == "grade3_reading_proficient_pct"


def test_the_dictionarys_own_codes_and_names_are_labels(labels: Reference) -> None:
    assert code(labels, "graduation_4yr_pct") == "graduation_4yr_pct"
    assert code(labels, "Students who graduate within four years") == "graduation_4yr_pct"


@pytest.mark.parametrize("label", ["reading rate", "  READING   Rate ", "Reading\u00a0Rate"])
def test_case_and_blanks_do_not_tell_labels_apart(labels: Reference, label: str) -> None:
    assert code(labels, label) == "grade3_reading_proficient_pct"


def test_a_group_label_is_read_within_its_dimension(labels: Reference) -> None:
    assert code(labels, "Everyone Else", "group", dimension="race_ethnicity") == "two_or_more"
    assert code(labels, "Everyone Else", "group", dimension="gender") == "nonbinary"
    assert code(labels, "Everyone Else", "group", dimension="disability") is None
    assert code(labels, "all", "group", dimension="disability") == "all"


def test_a_group_of_a_later_standard_has_no_code_before_it(labels: Reference) -> None:
    assert code(labels, "MENA group", "group", year=2023, dimension="race_ethnicity") is None
    assert code(labels, "MENA group", "group", year=2024, dimension="race_ethnicity") == "mena"


@pytest.mark.parametrize("label", [None, "Something nobody knows"])
def test_an_unknown_or_absent_label_has_no_code(labels: Reference, label: str | None) -> None:
    assert code(labels, label) is None


def test_the_nearest_known_labels_are_named_and_none_where_nothing_is_near(labels: Reference) -> None:
    known = sorted(set(code_table(labels, "indicator")["label"]))
    assert "reading rate" in nearest("Reding Rate", known)
    assert nearest("zzzzzz", known) == "none"
    table = nearest_labels(pl.Series(["Reding Rate", "Reding Rate", None]), code_table(labels, "indicator"))
    assert table["label"].to_list() == ["Reding Rate"]
