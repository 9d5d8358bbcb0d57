"""A local label stands for the code that the narrowest scope gives it in its year.

Belongs here: lib/intake/rows/labels.py over small crosswalks made for the test.
Does not: what rows with and without codes become (test_values.py), proposals (test_suggest.py).
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any

import polars as pl
import pytest

from dagster_project.lib.base.reference import Reference
from dagster_project.lib.intake.rows.labels import (
    MOST_SEARCHED,
    NOT_SEARCHED,
    code_table,
    nearest,
    place_table,
    resolve,
    with_nearest,
)

INDICATORS = """scope,scope_id,label,indicator_id,unit,valid_from,valid_to,note
global,,Reading Rate,grade3_reading_proficient_pct,,,,
layout,export_a,Reading Rate,reading_screener_on_level_pct,,,,
community,birchmont_falls,Reading Rate,grade3_reading_mean_score,,,2019,
community,birchmont_falls,Reading Rate,attendance_rate_pct,,2022,,
community,birchmont_falls,Own Rate,reading_screener_on_level_pct,,,,
layout,export_a,Own Rate,attendance_rate_pct,,,,
layout,export_a,Form Rate,reading_screener_on_level_pct,,,,
global,,Form Rate,attendance_rate_pct,,,,
global,,chronic_absence_pct,reading_screener_on_level_pct,,,,
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


def asked_for(labels: Sequence[str], submission: str = "a", dimension: str = "gender") -> pl.DataFrame:
    """Rows with unknown labels of groups."""
    return pl.DataFrame({"group": labels}).with_columns(
        community_id=pl.lit("alderwick_bend"), submission_id=pl.lit(submission), d=pl.lit(dimension)
    )


def test_nearest_labels_are_of_the_rows_own_dimension(labels: Reference) -> None:
    table = code_table(labels, "group")
    rows = pl.concat(asked_for(["Everyone Els"], dimension=dimension) for dimension in ("gender", "disability"))
    gender, disability = with_nearest(rows, "group", table, "d")["nearest"]
    assert "everyone else" in gender and "everyone else" not in disability


def test_a_label_that_another_dimension_knows_is_told_with_that_dimension(labels: Reference) -> None:
    table = code_table(labels, "group")
    rows = pl.concat([asked_for([" Black "], dimension="all"), asked_for(["female"], dimension="disability")])
    assert with_nearest(rows, "group", table, "d")["nearest"].to_list() == [
        "Black under race_ethnicity",
        "female under gender",
    ]


def test_a_label_of_other_years_is_not_told_as_one_of_another_dimension(labels: Reference) -> None:
    (found,) = with_nearest(
        asked_for(["MENA group"], dimension="race_ethnicity"), "group", code_table(labels, "group"), "d"
    )["nearest"]
    assert "under" not in found and "mena group" in found


def test_labels_that_another_community_or_a_layout_uses_are_no_answer(labels: Reference) -> None:
    rows = asked_for(["Reading Rte"]).rename({"group": "indicator"})
    table = code_table(labels, "indicator").filter(pl.col("scope") != "global")
    (here,) = with_nearest(rows, "indicator", table)["nearest"]
    there = rows.with_columns(community_id=pl.lit("birchmont_falls"))
    (own,) = with_nearest(there, "indicator", table)["nearest"]
    assert "reading rate" in own and "reading rate" not in here.split(", ")


def test_the_search_for_nearest_labels_is_bounded(labels: Reference, monkeypatch: pytest.MonkeyPatch) -> None:
    searched: list[str] = []

    def count(label: str, known: Sequence[str]) -> str:
        searched.append(label)
        return nearest(label, known)

    monkeypatch.setattr("dagster_project.lib.intake.rows.labels.nearest", count)
    many = [f"Unheard of {number}" for number in range(2_000)]
    first, second = asked_for([*many, *many]), asked_for(many[:3], "b")
    found = with_nearest(pl.concat([first, second]), "group", code_table(labels, "group"), "d")
    assert searched == many[:MOST_SEARCHED]
    assert found.height == first.height + second.height
    assert found["nearest"].to_list()[MOST_SEARCHED] == NOT_SEARCHED
    # What one folder hears does not hang on the others of its batch.
    alone = with_nearest(second, "group", code_table(labels, "group"), "d")
    assert found.filter(submission_id="b")["nearest"].to_list() == alone["nearest"].to_list()


def test_a_very_long_label_is_searched_by_its_beginning(labels: Reference) -> None:
    known = sorted(set(code_table(labels, "indicator")["label"]))
    assert nearest("reading rate" + " x" * 10_000, known) == nearest(("reading rate" + " x" * 10_000)[:80], known)


PLACES = """geography_id,community_id,name,geography_level,parent_id,code_system,code,valid_from,valid_to
old_north,birchmont_falls,North Schools,district,birchmont_falls,invented,1,,2018
new_north,birchmont_falls,North Schools,district,birchmont_falls,invented,2,2019,
zip_north,birchmont_falls,North Schools,zip,birchmont_falls,invented,3,,
other,alderwick_bend,Elsewhere,district,alderwick_bend,invented,4,,
"""
PLACE_LABELS = """scope,scope_id,label,geography_id,valid_from,valid_to,note
community,birchmont_falls,N.S.,old_north,,2016,
community,birchmont_falls,N.S.,new_north,2021,,
"""


@pytest.fixture(scope="module")
def places(seeds: Path, tmp_path_factory: pytest.TempPathFactory) -> Reference:
    """The small seeds with places of this test."""
    folder = tmp_path_factory.mktemp("places") / "seeds"
    shutil.copytree(seeds, folder)
    (folder / "network" / "geographies.csv").write_text(PLACES, encoding="utf-8")
    (folder / "crosswalks" / "geography_labels.csv").write_text(PLACE_LABELS, encoding="utf-8")
    return Reference(folder)


def place(reference: Reference, label: str, year: int, level: str = "district") -> str | None:
    """The place of one label in a school year."""
    cells = {"geography": [label], "community_id": ["birchmont_falls"], "layout_id": ["any"], "level": [level]}
    rows = pl.DataFrame(cells).with_columns(school_year=pl.lit(year, pl.Int32))
    return resolve(rows, "geography", place_table(reference), "level").item()


def test_a_place_label_holds_in_its_own_years_only(places: Reference) -> None:
    assert [place(places, "n.s.", year) for year in (2016, 2018, 2021)] == ["old_north", None, "new_north"]


def test_of_two_places_with_one_name_the_one_that_was_valid_then_is_meant(places: Reference) -> None:
    assert [place(places, "North Schools", year) for year in (2018, 2019)] == ["old_north", "new_north"]
    assert place(places, "North Schools", 2018, "zip") == "zip_north"


def test_a_closed_place_is_still_known_by_its_code_and_no_place_of_another_community_is(places: Reference) -> None:
    assert place(places, "1", 2024) == "old_north"
    assert place(places, "Elsewhere", 2024) is None


Line = dict[str, Any]
SCOPES = {"community": "elm", "layout": "form", "global": None, "dictionary": None}
TABLE_SCHEMA = {
    **dict.fromkeys(("scope", "scope_id", "dimension", "label", "code"), pl.String),
    **dict.fromkeys(("valid_from", "valid_to", "rank"), pl.Int32),
}


def plainly(row: Line, table: Sequence[Line], dimension: str | None, exact: bool) -> str | None:
    """The code of the first known label that fits a row, the narrowest scope before the others."""
    text = (row["label"] or "").strip()
    text = text if exact else " ".join(text.split()).lower()
    fitting = [
        (line["rank"], line["code"])
        for line in table
        if row["label"] is not None
        and line["label"] == text
        and (line["scope"] != "community" or line["scope_id"] == row["community_id"])
        and (line["scope"] != "layout" or line["scope_id"] == row["layout_id"])
        and (row["school_year"] is None or line["valid_from"] <= row["school_year"] <= line["valid_to"])
        and (dimension is None or line["dimension"] in (None, row["dimension"]))
    ]
    return min(fitting, default=(0, None))[1]


@pytest.mark.parametrize("dimension", [None, "dimension"])
@pytest.mark.parametrize("exact", [False, True])
def test_any_label_stands_for_the_code_that_the_plain_reading_finds(dimension: str | None, exact: bool) -> None:
    chance = Random(5)
    for _ in range(40):
        table = []
        for _ in range(chance.randint(1, 12)):
            scope = chance.choice(list(SCOPES))
            first = chance.choice([0, 2019, 2020, 2021])
            line = {"scope": scope, "scope_id": chance.choice([SCOPES[scope], "other"]) if SCOPES[scope] else None}
            line |= {"dimension": chance.choice([None, "gender", "race"]), "label": chance.choice(["a", "a b", "A b"])}
            line |= {"code": chance.choice("xyz"), "rank": list(SCOPES).index(scope)}
            table.append(line | {"valid_from": first, "valid_to": chance.choice([first, first + 1, 9999])})
        rows = [
            {
                "label": chance.choice([None, "a", " a ", "A", "a b", "a  b", "A b", "c"]),
                "community_id": chance.choice(["elm", "ash"]),
                "layout_id": chance.choice(["form", "other_form"]),
                "school_year": chance.choice([None, 2018, 2019, 2020, 2021, 2022]),
                "dimension": chance.choice([None, "gender", "race"]),
            }
            for _ in range(30)
        ]
        schema = {name: pl.Int32 if name == "school_year" else pl.String for name in rows[0]}
        frames = pl.DataFrame(rows, schema=schema), pl.DataFrame(table, schema=TABLE_SCHEMA, orient="row")
        found = resolve(frames[0], "label", frames[1], dimension, exact)
        assert found.to_list() == [plainly(row, table, dimension, exact) for row in rows]


@pytest.mark.parametrize("label", ["Own Rate", "Form Rate", "chronic_absence_pct"])
def test_a_narrower_scope_wins_whatever_its_code_is_called(labels: Reference, label: str) -> None:
    found = code(labels, label, community="birchmont_falls", layout="export_a")
    assert found == "reading_screener_on_level_pct"


def test_of_an_unknown_label_the_three_nearest_known_ones_are_told_and_none_that_is_far() -> None:
    near = [f"reading rate {n}" for n in range(6)]
    assert len(nearest("reading rate", near).split(", ")) == 3
    assert nearest(" READING RATE 4 ", near).split(", ")[0] == "reading rate 4"
    assert nearest("zzz", near) == nearest("reading rate", []) == "none"
    long = "a" * 80
    assert nearest(f"{long}{'b' * 900}", [long]) == long, "what comes behind eighty letters is not looked at"
    assert nearest("abcdefghij", ["abcd------"]) == "abcd------"
    assert nearest("abcdefghij", ["abc-------"]) == "none"
