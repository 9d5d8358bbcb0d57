"""Headers are recognised, and what is not recognised says what came nearest.

Belongs here: declarations, matching and the relation `file` of lib/intake/layouts, on small grids.
Does not: the layouts that ship (test_layouts_samples.py), public data (test_layouts_real.py).
"""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from dagster_project.lib.intake.layouts.declaration import (
    LayoutError,
    Match,
    NoMatch,
    column_names,
    joined_header,
    read_layout,
)
from dagster_project.lib.intake.layouts.extraction import Extraction, extract
from dagster_project.lib.intake.layouts.matching import Layouts, load_layouts
from dagster_project.lib.intake.reading.grid import Grid, column_index, column_letter, snake_name

SELECT = 'SELECT _file_id, _sheet, _row, place AS geography, rate AS "value" FROM file\n'


def declare(folder: Path, layout_id: str, facts: str, sql: str = SELECT) -> None:
    lines = [f"id: {layout_id}", "version: 1", "table: indicator_values", f"describes: {layout_id}", *facts.split("\n")]
    comment = "".join(f"-- {line}\n" for line in ["---", *lines, "---"])
    (folder / f"{layout_id}.sql").write_text(f"-- What it is.\n{comment}{sql}", encoding="utf-8")


def grid(text: str, sheet: str = "") -> Grid:
    return Grid(sheet, [line.split(",") if line else [] for line in text.split("\n")])


def run(matches: list[Match]) -> Extraction:
    with duckdb.connect() as connection:
        return extract(matches, connection)


def matched(layouts: Layouts, source: Grid, name: str = "t.csv", file_id: int = 0) -> Match:
    match = layouts.match(source, name, file_id)
    assert isinstance(match, Match), match
    return match


def unmatched(layouts: Layouts, source: Grid, name: str = "t.csv") -> NoMatch:
    match = layouts.match(source, name)
    assert isinstance(match, NoMatch), match
    return match


@pytest.fixture
def contract() -> Layouts:
    layouts = Layouts()
    layouts.add_contract("funding", 1, ("partner", "amount"), ("purpose", "in_kind", "start_date"))
    return layouts


def test_headers_are_named_alike_whatever_their_case_and_punctuation() -> None:
    headers = ["% Chronically Absent", "Free/Reduced Price", "  School  Year ", "Année", "#Tested", "%"]
    assert [snake_name(header) for header in headers] == [
        "pct_chronically_absent",
        "free_reduced_price",
        "school_year",
        "année",
        "number_tested",
        "pct",
    ]


def test_a_header_name_that_repeats_gets_a_number() -> None:
    assert column_names(["Count", "%", "Count", "%", "", "%"]) == ["count", "pct", "count_2", "pct_2", "", "pct_3"]


def test_the_upper_header_row_is_filled_to_the_right_over_merged_cells() -> None:
    upper = ["", "", "Graduates", "", "Merged down", ""]
    lower = ["District", "Cohort", "Count", "Rate", "", "Note"]
    assert joined_header(upper, lower) == (
        "District",
        "Cohort",
        "Graduates / Count",
        "Graduates / Rate",
        "Merged down",
        "Note",
    )


def test_column_letters_and_numbers_agree() -> None:
    assert [column_letter(index) for index in (0, 25, 26, 701, 702, 16_383)] == ["A", "Z", "AA", "ZZ", "AAA", "XFD"]
    assert all(column_index(column_letter(index)) == index for index in range(0, 17_000, 7))


def test_a_layout_finds_its_header_below_titles_and_gives_true_rows(tmp_path: Path) -> None:
    declare(tmp_path, "one", "title: 'Rates (?P<school_year>\\d{4})'\nrequired: [Place, Rate]")
    source = grid("Rates 2019\n\nPlace,Rate\nElm,1\n\nOak, 2 ")
    match = matched(load_layouts(tmp_path), source, file_id=7)
    frame = run([match]).frames["one"]
    assert match.groups == {"school_year": "2019"}
    assert frame.select("_file_id", "_row", "geography", "value").rows() == [(7, 4, "Elm", "1"), (7, 6, "Oak", "2")]


def test_named_groups_of_title_file_name_and_sheet_are_columns(tmp_path: Path) -> None:
    sql = "SELECT _file_id, _sheet, _row, a || b || c AS note, _title AS value FROM file"
    facts = "title: '(?P<a>T\\d)'\nfile_name: '^(?P<b>f\\d)'\nsheet: '(?P<c>S\\d)'\nrequired: [Place, Rate]"
    declare(tmp_path, "one", facts, sql)
    match = matched(load_layouts(tmp_path), grid("T1\nPlace,Rate\nElm,1", "S3"), "x/f2.xlsx")
    assert run([match]).frames["one"].select("note", "value").rows() == [("T1f2S3", "T1")]


def test_a_title_that_does_not_fit_is_named(tmp_path: Path) -> None:
    declare(tmp_path, "one", "title: '^Rates (?P<school_year>\\d{4})'\nrequired: [Place, Rate]")
    miss = unmatched(load_layouts(tmp_path), grid("Counts 2019\nPlace,Rate\nElm,1"))
    assert (miss.reason, miss.nearest, miss.problem.rule_id) == ("title", "one", "unknown_layout")
    assert "title Counts 2019 instead of Rates <school year>" in (miss.problem.found or "")


def test_an_unknown_column_of_a_foreign_file_is_no_match_and_both_lists_are_shown(tmp_path: Path) -> None:
    declare(tmp_path, "one", "required: [Place, Rate]\noptional: [Note]")
    miss = unmatched(load_layouts(tmp_path), grid("Place,Rating,Disability\nElm,1,x"))
    assert (miss.missing, miss.unknown, miss.header_row) == (("Rate",), ("Rating", "Disability"), 1)
    assert miss.looked_for == ("Place", "Rate", "Note")


def test_columns_in_another_order_and_an_absent_optional_one_are_read(tmp_path: Path) -> None:
    sql = "SELECT _file_id, _sheet, _row, place AS geography, rate AS value, remark AS note FROM file"
    declare(tmp_path, "one", "required: [Place, Rate]\noptional: [Remark]", sql)
    layouts = load_layouts(tmp_path)
    first = matched(layouts, grid("Place,Rate\nElm,1"), file_id=1)
    second = matched(layouts, grid("Remark,RATE,place\n,2,Oak"), file_id=2)
    rows = run([second, first]).frames["one"].select("_file_id", "geography", "value", "note").rows()
    assert rows == [(1, "Elm", "1", None), (2, "Oak", "2", "")]


def test_of_two_columns_that_exclude_each_other_only_one_may_stand(tmp_path: Path) -> None:
    declare(tmp_path, "one", "required: [Place, Rate]\noptional: [Race, Gender]\nat_most_one: [[Race, Gender]]")
    layouts = load_layouts(tmp_path)
    matched(layouts, grid("Place,Race,Rate\nElm,x,1"))
    miss = unmatched(layouts, grid("Place,Race,Gender,Rate\nElm,x,y,1"))
    assert "at most one of Race, Gender" in (miss.problem.found or "")


def test_decoration_rows_are_skipped_and_reading_stops_where_the_layout_says(tmp_path: Path) -> None:
    declare(tmp_path, "one", "required: [Place, Rate]\nskip: '^(-+|Region)'\nstop: '^Source'")
    match = matched(load_layouts(tmp_path), grid("Place,Rate\nRegion A\nElm,1\n---\nOak,2\nSource: state\nAsh,3"))
    assert [place + 1 for place in match.data] == [3, 5]
    assert [place + 1 for place in match.decoration] == [2, 4, 6, 7]


def test_wide_columns_become_rows_with_their_header_and_groups(tmp_path: Path) -> None:
    sql = "SELECT _file_id, _sheet, _row, _column, yr AS school_year, _cell AS value FROM file WHERE _cell <> ''"
    declare(tmp_path, "one", "required: [Place]\nwide:\n  columns: 'Y(?P<yr>\\d{4})'", sql)
    layouts = load_layouts(tmp_path)
    one = matched(layouts, grid("Place,Y2018,Y2019\nElm,1,2\nOak,,3"), file_id=1)
    two = matched(layouts, grid("Place,Y2020\nElm,4"), file_id=2)
    rows = run([one, two]).frames["one"].select("_file_id", "_row", "_column", "school_year", "value").rows()
    assert rows == [
        (1, 2, "Y2018", "2018", "1"),
        (1, 2, "Y2019", "2019", "2"),
        (1, 3, "Y2019", "2019", "3"),
        (2, 2, "Y2020", "2020", "4"),
    ]
    assert "no column like Y<yr>" in (unmatched(layouts, grid("Place\nElm")).problem.found or "")


def test_rows_the_select_leaves_out_are_counted(tmp_path: Path) -> None:
    declare(tmp_path, "one", "required: [Place, Rate]", SELECT.replace("\n", " WHERE rate = '1'\n"))
    match = matched(load_layouts(tmp_path), grid("Place,Rate\nElm,1\nOak,2\nAsh,3"), file_id=5)
    counts = run([match]).counts.row(0, named=True)
    assert (counts["_file_id"], counts["rows_read"], counts["rows_left_out"]) == (5, 3, 2)


def test_short_rows_are_filled_and_rows_beyond_the_header_are_told(tmp_path: Path) -> None:
    declare(tmp_path, "one", "required: [Place, Rate]")
    match = matched(load_layouts(tmp_path), grid("Place,Rate,\nElm\nOak,2,,\nAsh,3,,x\nFir,4,y\nYew,5,,z"))
    assert [(p.rule_id, p.rows, p.found) for p in match.problems] == [
        # A blank cell too many is one too many in a text: what stands before it may have moved.
        ("ragged_row", (3, 4, 6), "4 cells below a header of 2"),
        ("ragged_row", (5,), "3 cells below a header of 2"),
    ]
    frame = run([match]).frames["one"]
    assert frame["geography"].to_list() == ["Elm", "Oak", "Ash", "Fir", "Yew"]
    assert frame["value"].to_list() == ["", "2", "3", "4", "5"]


def test_the_layout_with_more_required_columns_wins(tmp_path: Path) -> None:
    declare(tmp_path, "few", "required: [Place, Rate]\noptional: [Year]")
    declare(tmp_path, "more", "required: [Place, Rate, Year]")
    layouts = load_layouts(tmp_path)
    assert matched(layouts, grid("Place,Rate,Year\nElm,1,2019")).layout_id == "more"
    assert matched(layouts, grid("Place,Rate\nElm,1")).layout_id == "few"


def test_a_two_row_header_is_preferred_to_its_lower_row_where_it_asks_for_more(tmp_path: Path) -> None:
    declare(tmp_path, "one_row", "required: [Place, Rate]")
    declare(
        tmp_path,
        "two_row",
        "header_rows: 2\nrequired: [Place, All / Rate, All / N]",
        SELECT.replace("rate", "all_rate"),
    )
    layouts = load_layouts(tmp_path)
    match = matched(layouts, grid(",All,\nPlace,Rate,N\nElm,1,2"))
    assert (match.layout_id, match.header_row) == ("two_row", 2)
    assert run([match]).frames["two_row"]["value"].to_list() == ["1"]


def test_two_layouts_that_fit_equally_are_a_finding(tmp_path: Path) -> None:
    declare(tmp_path, "b", "required: [Place, Rate]")
    declare(tmp_path, "a", "required: [Place, Rate]")
    miss = unmatched(load_layouts(tmp_path), grid("Place,Rate\nElm,1"))
    assert (miss.reason, miss.problem.rule_id, miss.problem.found) == ("ambiguous", "ambiguous_layout", "a, b")


def test_a_contract_table_is_matched_by_its_header_and_unknown_columns_are_told(contract: Layouts) -> None:
    match = matched(contract, grid("Partner,Amount,Purpose,Colour\nElm,5,x,red"), file_id=3)
    assert (match.layout_id, match.table, match.unknown_columns) == ("funding_v1", "funding", ("Colour",))
    assert [(p.rule_id, p.severity) for p in match.problems] == [("unknown_columns", "info")]
    frame = run([match]).frames["funding_v1"]
    assert frame.columns == [
        "_file_id",
        "_sheet",
        "_row",
        "_column",
        "partner",
        "amount",
        "purpose",
        "in_kind",
        "start_date",
    ]
    assert frame.rows() == [(3, "", 2, None, "Elm", "5", "x", None, None)]


def test_cells_below_a_blank_header_inside_the_table_are_told(contract: Layouts) -> None:
    match = matched(contract, grid("partner,,amount\nElm,stray,5"))
    assert match.unknown_columns == ("column B (without a header)",)


def test_a_contract_table_without_a_required_column_names_it(contract: Layouts) -> None:
    miss = unmatched(contract, grid("partner,purpose,in_kind\nElm,x,no"))
    assert (miss.reason, miss.table, miss.missing) == ("missing_column", "funding", ("amount",))
    assert (miss.problem.rule_id, miss.problem.severity) == ("missing_column", "fatal")


def test_a_contract_table_is_known_by_its_required_columns_whatever_else_it_has(contract: Layouts) -> None:
    own = ",".join(f"own {n}" for n in range(30))
    assert matched(contract, grid(f"partner,amount,{own}\nElm,5,1,2,3,4")).table == "funding"


def test_one_required_column_is_too_little_unless_the_file_has_the_tables_name() -> None:
    layouts = Layouts()
    layouts.add_contract("networks", 1, ("name",), ("outcome",))
    source = grid("name,x,y\nElm,1,2")
    assert unmatched(layouts, source).reason == "headers"
    assert matched(layouts, source, "Networks.csv").table == "networks"
    assert matched(layouts, Grid("Networks", source.rows), "all.xlsx").table == "networks"
    assert matched(layouts, grid("name,outcome,x\nElm,1,2")).table == "networks"


def test_the_name_of_file_or_sheet_decides_between_contracts_alike() -> None:
    layouts = Layouts()
    for table in ("networks", "results"):
        layouts.add_contract(table, 1, ("name", "outcome"), ())
    source = grid("name,outcome\nElm,x")
    assert unmatched(layouts, source).reason == "ambiguous"
    assert matched(layouts, source, "results.csv").table == "results"
    assert matched(layouts, Grid("Networks", source.rows), "results.xlsx").table == "networks"


def test_two_versions_of_a_contract_live_side_by_side() -> None:
    layouts = Layouts()
    layouts.add_contract("funding", 1, ("partner", "amount"), ())
    layouts.add_contract("funding", 2, ("partner", "amount", "currency"), ())
    old, new = grid("partner,amount\nElm,5"), grid("partner,amount,currency\nElm,5,usd")
    assert unmatched(layouts, old).missing == ("currency",)
    assert matched(layouts, new).layout_id == "funding_v2"
    match = layouts.match(old, "t.csv", versions={"funding": 1})
    assert isinstance(match, Match) and match.layout_id == "funding_v1"


@pytest.mark.parametrize("text", ["", "only one\nfree text", "1,2\n3,4"])
def test_a_sheet_without_any_known_header_says_so(contract: Layouts, text: str) -> None:
    miss = unmatched(contract, grid(text))
    assert (miss.reason, miss.nearest, miss.problem.rule_id) == ("no_header", None, "unknown_layout")


def test_the_order_of_rows_does_not_depend_on_the_order_of_matches(tmp_path: Path) -> None:
    sql = (
        "SELECT _file_id, _sheet, _row, _column, _cell AS value FROM file "
        "UNION ALL SELECT _file_id, _sheet, _row, _column, 'again' FROM file"
    )
    declare(tmp_path, "one", "required: [Place]\nwide:\n  columns: 'Y(?P<yr>\\d+)'", sql)
    layouts = load_layouts(tmp_path)
    texts = ["Place,Y2,Y1\nElm,1,2\nOak,3,4", "Y1,Place\n5,Ash", "Place,Y2,Y1\nFir,6,7"]
    matches = [matched(layouts, grid(text), file_id=index) for index, text in enumerate(texts)]
    assert run(matches).frames["one"].equals(run(matches[::-1]).frames["one"])


@pytest.mark.parametrize(
    "facts",
    [
        "required: [Place, Rate]\ncolour: red",
        "required: [Place, '%%%']\ntitle: '('",
        "required: [Place]\ntitle: '(?P<place>x)'",
        "required: [Place, '---']",
        "optional: [Place]",
    ],
    ids=["unknown key", "bad pattern", "group named as a column", "column without a name", "nothing required"],
)
def test_a_wrong_declaration_is_an_error_that_names_the_layout(tmp_path: Path, facts: str) -> None:
    declare(tmp_path, "wrong", facts)
    with pytest.raises(LayoutError, match="wrong"):
        load_layouts(tmp_path)


def test_a_layout_without_front_matter_or_under_another_name_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "bare.sql").write_text("SELECT 1", encoding="utf-8")
    with pytest.raises(LayoutError, match="front matter"):
        read_layout(tmp_path / "bare.sql")
    declare(tmp_path, "one", "required: [Place, Rate]")
    (tmp_path / "one.sql").rename(tmp_path / "two.sql")
    with pytest.raises(LayoutError, match=r"two\.sql"):
        read_layout(tmp_path / "two.sql")


@pytest.mark.parametrize("sql", ["SELECT nothing FROM file", "SELECT _file_id, place FROM file", "SELEC 1"])
def test_sql_that_fails_or_loses_the_place_is_an_error_that_names_the_layout(tmp_path: Path, sql: str) -> None:
    declare(tmp_path, "one", "required: [Place, Rate]", sql)
    match = matched(load_layouts(tmp_path), grid("Place,Rate\nElm,1"))
    with pytest.raises(LayoutError, match="one"):
        run([match])


def test_nothing_matched_gives_no_frames() -> None:
    extraction = run([])
    assert extraction.frames == {} and extraction.counts.height == 0
