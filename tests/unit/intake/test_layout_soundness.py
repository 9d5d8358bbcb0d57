"""Layouts are found wrong before any file is read with them, and may ask for the folder that a file lies in.

Belongs here: soundness.py, the columns of the relation `file`, and cradle layout try.
Does not: recognising sheets (test_layouts_matching.py), the project's own layouts (test_layouts_samples.py).
"""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import contracts
from dagster_project.cli.main import cli
from dagster_project.lib.base import engine
from dagster_project.lib.intake.layouts.declaration import META_COLUMNS, Match, read_layout
from dagster_project.lib.intake.layouts.extraction import empty_relation, extract, relation
from dagster_project.lib.intake.layouts.matching import Layouts, load_layouts
from dagster_project.lib.intake.layouts.soundness import layout_faults
from dagster_project.lib.intake.reading.grid import Grid

OWN = """-- ---
-- id: own
-- version: 1
-- table: indicator_values
-- describes: own form
-- required: [Rate %, Place]
-- optional: [Note]
-- ---
select _file_id, _sheet, _row, cast(_reporting_year - 1 as varchar) as school_year,
    'graduation_4yr_pct' as indicator, 'all' as dimension, 'all' as "group",
    rate_pct as value, _community_id as note
from file where place <> 'Total'
"""
EXPORT = "Rate %,Place\n80,North\n90,Total\n85,South\n"


def written(folder: Path, text: str = OWN) -> Path:
    path = folder / "own.sql"
    path.write_text(text, encoding="utf-8")
    return path


def matched(layout_path: Path, *lines: list[str], file_id: int = 0) -> Match:
    found = Layouts([read_layout(layout_path)]).match(Grid("", [["Rate %", "Place"], *lines]), "a.csv", file_id)
    assert isinstance(found, Match)
    return found


def test_the_projects_own_layouts_are_sound() -> None:
    assert layout_faults(contracts.LAYOUTS) == []


def test_a_layout_reads_the_reporting_year_and_the_community_of_each_file(tmp_path: Path) -> None:
    path = written(tmp_path)
    matches = [matched(path, ["80", "North"], file_id=1), matched(path, ["70", "North"], file_id=2)]
    with engine.memory() as connection:
        rows = extract(matches, connection, {1: ("alpha", 2024), 2: ("beta", 2023)}).frames["own"]
    assert rows.select("school_year", "value", "note").rows() == [("2023", "80", "alpha"), ("2022", "70", "beta")]


@pytest.mark.parametrize("layout", load_layouts(contracts.LAYOUTS), ids=lambda layout: layout.layout_id)
def test_the_empty_relation_has_no_column_that_a_full_one_lacks(layout: object) -> None:
    names = set(empty_relation(layout).columns)  # type: ignore[arg-type]
    assert names >= set(META_COLUMNS) - {"_column", "_cell"}


def test_the_empty_relation_is_what_a_file_without_rows_gives(tmp_path: Path) -> None:
    match = matched(written(tmp_path), ["80", "North"])
    full = relation(match.layout, [match]).clear()
    empty = empty_relation(match.layout)
    assert full.select(sorted(full.columns)).equals(empty.select(sorted(empty.columns)))
    assert full.schema == {name: empty.schema[name] for name in full.columns}


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("rate_pct as value", "rate as value", 'layouts/own.sql, line 11: Binder Error: Referenced column "rate"'),
        ("rate_pct as value", "rate_pct as rate", "layouts/own.sql: the SELECT gives rate, which indicator_values"),
        ("'all' as dimension, ", "", "layouts/own.sql: the SELECT does not give dimension, which"),
        ("_sheet, _row,", "_sheet,", "layouts/own.sql: the SELECT does not pass on _row"),
        ("table: indicator_values", "table: values", "layouts/own.sql: values is no table of contract version 1"),
        ("[Rate %, Place]", "[Rate %, Place", "layouts/own.sql, line 7: the front matter is no right YAML"),
        ("version: 1", "version: one", "layouts/own.sql: invalid literal for int()"),
        ("[Note]", "Note", "layouts/own.sql: optional is a list"),
        ("describes", "describe", "layouts/own.sql: needs id, version, table, describes, required"),
        ("from file where", "from file; select 1 where", "layouts/own.sql: one SELECT is needed, found were SELECT, S"),
        ("optional: [Note]", "title: '('", "layouts/own.sql: missing ), unterminated subpattern"),
    ],
)
def test_a_wrong_layout_is_told_in_one_line(tmp_path: Path, before: str, after: str, said: str) -> None:
    assert before in OWN
    written(tmp_path, OWN.replace(before, after))
    (fault,) = layout_faults(tmp_path)
    assert fault.startswith(said) and "\n" not in fault


def tried(tmp_path: Path, *arguments: str, text: str = EXPORT) -> Result:
    file = tmp_path / "export.csv"
    file.write_text(text, encoding="utf-8")
    environment = {"CRADLE_HOME": str(tmp_path / "none"), "CRADLE_TODAY": "2024-12-31"}
    result = CliRunner().invoke(cli, ["layout", "try", str(file), *arguments], env=environment)
    assert not (tmp_path / "none").exists()
    return result


def test_a_trial_shows_each_row_and_those_left_out_and_writes_nothing(tmp_path: Path) -> None:
    layout = str(written(tmp_path))
    result = tried(tmp_path, "--layout", layout, "--community", "birchmont_falls", "--year", "2024")
    assert result.exit_code == 0, result.output
    assert result.output.splitlines() == [
        "layout own, table indicator_values: 3 rows read, 2 given",
        "  row 2: school_year=2023  indicator=graduation_4yr_pct  dimension=all  group=all  value=80  "
        "note=birchmont_falls",
        "  row 4: school_year=2023  indicator=graduation_4yr_pct  dimension=all  group=all  value=85  "
        "note=birchmont_falls",
        "  1 row left out by the layout:",
        "    row 3: 90, Total",
    ]


def test_a_trial_of_a_file_without_a_layout_says_what_came_nearest(tmp_path: Path) -> None:
    result = tried(tmp_path, "--layout", str(written(tmp_path)), text="Rate %,Plaice\n1,2\n")
    assert (result.exit_code, "no layout fits" in result.output, "own" in result.output) == (1, True, True)


def test_a_trial_shows_nothing_of_single_persons(tmp_path: Path) -> None:
    result = tried(tmp_path, text="student_id,first_name,last_name,birth_date\n1,Ada,Byron,2010-01-02\n")
    assert result.exit_code == 2 and "single persons" in result.output and "Byron" not in result.output


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--layout", "nobody"), "there is no layout nobody"),
        (("--community", "birchmont_falls"), "--community and --year go together"),
        (("--community", "nowhere", "--year", "2024"), "nowhere is not a community"),
        (("--community", "birchmont_falls", "--year", "1999"), "1999 is not a reporting year"),
    ],
)
def test_a_trial_asked_for_wrongly_is_told_so(tmp_path: Path, arguments: tuple[str, ...], said: str) -> None:
    result = tried(tmp_path, *arguments)
    assert result.exit_code == 2 and said in result.output
