"""The files of the Explore page: every cell is one of the marts, nothing else is in them, small and always the same.

Belongs here: claims about lib/publish/report/explore/ (figures, beside) on the report's fixture, internal and public.
Does not: the page in a browser (tests/browser/test_explore_page.py).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import duckdb
import pytest

from dagster_project.lib.base.engine import Connection
from dagster_project.lib.publish.report.explore.figures import NAMES, explored, figures_file
from dagster_project.lib.publish.report.marts import ReportContext, RuleParameter, read_marts
from dagster_project.lib.publish.report.national.rows import read_national
from tests.fixtures import report_marts

Line = tuple[str, str, str, int]


def files_of(connection: Connection, edition: str) -> dict[str, str]:
    parameters = [RuleParameter(*p) for p in report_marts.PARAMETERS]
    context = ReportContext("r", "2024-12-31", "toa-default", "1.0.0", "1", "0.1.0", "Example", parameters)
    marts = read_marts(connection, edition=edition)
    made = explored(marts, context, read_national(connection, marts.year).trends)
    return {**made.files, NAMES: made.names(marts)}


def with_counts(path: Path) -> Path:
    """Half of the values with their counts, to the last bit or not; pooled rates and targets beside them."""
    with duckdb.connect(str(path)) as connection:
        set_to = "update marts.fct_trend_point set"
        counted = "round(value * denominator / 100) where school_year >= 2019 and value is not null"
        connection.execute(f"{set_to} numerator = {counted}")
        connection.execute(f"{set_to} value = 100 * numerator / denominator where numerator > 100")
        for statement in report_marts.BESIDE:
            connection.execute(statement)
    return path


@pytest.fixture(scope="module", params=["internal", "public"])
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    path = report_marts.build(tmp_path_factory.mktemp(request.param) / "small.duckdb")
    if request.param == "public":
        report_marts.make_public(path)
    with_counts(path)
    with duckdb.connect(str(path), read_only=True) as connection:
        return path, files_of(connection, request.param)


def content(text: str) -> Any:
    assert text.endswith(");\n") and text.isascii()
    return json.loads(text[text.index("(") + 1 : -3])


def cells(files: dict[str, str], indicator: str) -> dict[Line, tuple[Any, ...]]:
    """Status, numerator, denominator, value of every cell, read as the page reads it."""
    names, figures = content(files["names.js"]), content(files[figures_file(indicator)])
    found: dict[Line, tuple[Any, ...]] = {}
    for community, group, series, first, written in figures["lines"]:
        for year, cell in enumerate(written, first):
            if cell:
                status, n, d = cell[:3]
                value = 100 * n / d if len(cell) == 3 else cell[3]
                key = (
                    names["communities"][community]["id"],
                    names["groups"][group]["id"],
                    names["series"][series],
                    year,
                )
                found[key] = (names["statuses"][status]["id"], n, d, value)
    return found


@pytest.mark.parametrize("indicator", ["graduation_4yr_pct", "grade3_reading_proficient_pct"])
def test_every_cell_is_a_row_of_the_marts_to_the_last_bit(made: tuple[Path, dict[str, str]], indicator: str) -> None:
    path, files = made
    with duckdb.connect(str(path), read_only=True) as connection:
        rows = connection.execute(
            """
            select p.community_id, p.population_group_id, p.series, p.school_year, p.numerator, p.denominator, p.value,
                   v.value_status
            from marts.fct_trend_point p join marts.fct_indicator_value v using
                (community_id, indicator_id, population_group_id, geography_id, school_year, series)
            where p.indicator_id = ?""",
            [indicator],
        ).fetchall()
    expected = {tuple(row[:4]): (row[7], *row[4:7]) for row in rows}
    assert len(expected) > 300 and cells(files, indicator) == expected
    lengths = {len(c) for line in content(files[figures_file(indicator)])["lines"] for c in line[4] if c}
    assert lengths >= {3, 4}


def test_a_gap_is_that_of_the_marts_whatever_the_lines_say(made: tuple[Path, dict[str, str]]) -> None:
    path, files = made
    names, figures = content(files["names.js"]), content(files[figures_file("graduation_4yr_pct")])
    found = set()
    values = {key: cell[3] for key, cell in cells(files, "graduation_4yr_pct").items()}
    for community, group, other, series, first, written in figures["gaps"]:
        who, named = names["communities"][community]["id"], names["series"][series]
        own, beside = (names["groups"][each]["id"] for each in (group, other))
        for year, cell in enumerate(written, first):
            ends = [values.get((who, each, named, year)) for each in (own, beside)]
            told = cell[1] if isinstance(cell, list) else ends[1] - ends[0]
            found.add((who, own, beside, year, told))
    with duckdb.connect(str(path), read_only=True) as connection:
        expected = connection.execute(
            """select community_id, population_group_id, reference_group_id, school_year, gap
            from marts.fct_gap_year where indicator_id = 'graduation_4yr_pct'"""
        ).fetchall()
    assert found == set(expected) and len(expected) > 20


def test_a_withheld_value_is_in_no_file_and_is_named_as_such(made: tuple[Path, dict[str, str]]) -> None:
    path, files = made
    stated = content(files["names.js"])
    names_of = [each["id"] for each in stated["groups"]]
    small = {k: c for k, c in cells(files, "graduation_4yr_pct").items() if k[1].endswith("alaska_native")}
    hidden = {c for c in small.values() if c[0] == "withheld"}
    assert all(c[1:] == (None, None, None) for c in hidden)
    gaps = {names_of[gap[1]] for gap in content(files[figures_file("graduation_4yr_pct")])["gaps"]}
    names = {each["id"]: each["words"] for each in stated["statuses"]}
    if "public" in path.parent.name:
        assert len(hidden) == len(set(small.values())) == 1
        assert names["withheld"] == "withheld to protect a small group"
        assert gaps and not any(each.endswith("alaska_native") for each in gaps)
    else:
        assert hidden == set() and names["suppressed_at_source"] == "suppressed at source"


def network(files: dict[str, str], indicator: str) -> dict[tuple[str, int], tuple[Any, ...]]:
    """Rate, communities and reporting year of every pooled cell by group and school year, read as the page reads it."""
    names, figures = content(files["names.js"]), content(files[figures_file(indicator)])
    return {
        (names["groups"][group]["id"], year): (*cell[:2], cell[2] if len(cell) > 2 else year)
        for group, first, written in figures["network"]
        for year, cell in enumerate(written, first)
        if cell
    }


@pytest.mark.parametrize("indicator", ["graduation_4yr_pct", "postsecondary_completed_pct"])
def test_every_pooled_rate_is_the_newest_that_the_marts_state_for_its_school_year(
    made: tuple[Path, dict[str, str]], indicator: str
) -> None:
    path, files = made
    with duckdb.connect(str(path), read_only=True) as connection:
        rows = connection.execute(
            """select population_group_id, window_last_year, pooled_rate_last, panel_size, reporting_year
            from marts.fct_network_trend where indicator_id = ? and pooled_rate_last is not null""",
            [indicator],
        ).fetchall()
    expected = {tuple(row[:2]): tuple(row[2:]) for row in sorted(rows, key=lambda row: row[4])}
    found = network(files, indicator)
    assert len(expected) > 60 and found == expected
    if indicator == "graduation_4yr_pct":
        assert len(rows) > len(expected) and found["all", 2019][2] == 2020, "two reporting years end with one"
    else:
        assert {known - year for (_, year), (_, _, known) in found.items()} == {1}
    small = {group for group, _ in found if group.endswith("alaska_native")}
    assert bool(small) == ("public" not in path.parent.name), "the public edition pools what is published alone"


def test_what_no_one_may_add_up_has_no_pooled_rate(made: tuple[Path, dict[str, str]]) -> None:
    _, files = made
    assert network(files, "grade3_reading_proficient_pct") == {} and network(files, "graduation_4yr_pct")


def targets(files: dict[str, str], indicator: str) -> set[tuple[Any, ...]]:
    names, figures = content(files["names.js"]), content(files[figures_file(indicator)])
    lists = ("communities", "groups", "deadlines", "horizons", "target_statuses")
    return {
        (*(names[each][n]["id"] for each, n in zip(lists, row[:5], strict=True)), *row[5:])
        for row in figures["targets"]
    }


@pytest.mark.parametrize("indicator", ["graduation_4yr_pct", "grade3_reading_proficient_pct"])
def test_every_target_in_force_is_there_to_the_last_bit(made: tuple[Path, dict[str, str]], indicator: str) -> None:
    path, files = made
    with duckdb.connect(str(path), read_only=True) as connection:
        rows = connection.execute(
            """select community_id, population_group_id, deadline::varchar, horizon, status, target_value,
                      baseline_value, baseline_year
            from marts.fct_target_progress where indicator_id = ? and is_in_force""",
            [indicator],
        ).fetchall()
    assert len(rows) > 20 and targets(files, indicator) == set(rows)


def test_a_withheld_target_is_the_target_alone(made: tuple[Path, dict[str, str]]) -> None:
    path, files = made
    small = [row for row in targets(files, "graduation_4yr_pct") if row[1].endswith("alaska_native")]
    assert small
    if "public" in path.parent.name:
        assert {(row[4], *row[6:]) for row in small} == {("withheld", None, None)}


def test_a_target_that_another_one_replaced_is_in_no_file(tmp_path: Path) -> None:
    path = with_counts(report_marts.build(tmp_path / "small.duckdb"))
    with duckdb.connect(str(path)) as connection:
        connection.execute("update marts.fct_target_progress set is_in_force = false where horizon = 'short'")
        assert {row[3] for row in targets(files_of(connection, "internal"), "graduation_4yr_pct")} == {"long"}


def test_a_release_without_pooled_rates_and_targets_has_neither(tmp_path: Path) -> None:
    with duckdb.connect(str(report_marts.build(tmp_path / "small.duckdb"))) as connection:
        files = files_of(connection, "internal")
    assert network(files, "graduation_4yr_pct") == {} and targets(files, "graduation_4yr_pct") == set()
    assert cells(files, "graduation_4yr_pct")


def test_the_same_rows_in_another_order_give_the_same_files(made: tuple[Path, dict[str, str]], tmp_path: Path) -> None:
    path, files = made
    if "public" not in path.parent.name:
        other = report_marts.build(tmp_path / "other.duckdb", reverse=True)
        with duckdb.connect(str(with_counts(other))) as connection:
            assert files_of(connection, "internal") == files


def test_indicators_of_any_name_have_files_of_their_own() -> None:
    names = ["a", "A", "a/b", "a%2Fb", "../a", "a b", "\u00e9"]
    files = [figures_file(name) for name in names]
    assert len(set(files)) == len(names) and not any("/" in each for each in files)


def test_a_text_of_a_member_cannot_leave_the_string_it_stands_in(tmp_path: Path) -> None:
    path = report_marts.build(tmp_path / "small.duckdb")
    hostile = '"});alert(1)//</script>\u2028\u202e'
    with duckdb.connect(str(path)) as connection:
        connection.execute("update marts.dim_community set name = ? where community_id = 'c01'", [hostile])
        named = content(files_of(connection, "internal")["names.js"])["communities"]
    assert '"});alert(1)//</script>[U+2028][U+202E]' in [each["name"] for each in named]
