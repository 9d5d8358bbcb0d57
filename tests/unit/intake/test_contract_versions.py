"""Two contract versions live side by side: a year is checked under its own version, whenever it is checked.

Belongs here: years before and after a second version through the real intake, check, template, landing and dictionary.
Does not: the rules of a version (test_values.py, test_registers.py), dbt over both versions (tests/integration).
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from openpyxl import load_workbook

import contracts
from dagster_project.lib.base.reference import Reference
from dagster_project.lib.intake.batch import Intake
from dagster_project.lib.intake.bucket.drop import list_drop
from dagster_project.lib.intake.bucket.lake import read_partitions
from dagster_project.lib.intake.bucket.plan import Selection
from dagster_project.lib.intake.comparing.comparisons import compare_submissions
from dagster_project.lib.intake.layouts.matching import load_layouts
from dagster_project.lib.intake.tables import OBSERVATIONS, TABLES, added_columns
from dagster_project.lib.intake.take_in import by_version
from dagster_project.lib.member.prefilled import as_they_stand
from dagster_project.lib.member.template import template_workbook
from dagster_project.lib.warehouse.landing import Landed
from docs.generate import data_dictionary
from tests.structure.test_contracts_and_sources import LANDING, TYPES, expected
from tests.unit.intake.comparing import PARAMETERS, REFERENCE, line, observations
from tests.unit.intake.versions import FIRST_YEAR, REGISTRY, register_second_version
from tests.unit.member.test_check import House, without_skipped, write_bucket

COMMUNITY, OTHER = "birchmont_falls", "alderwick_bend"
OLD_YEARS, NEW_YEAR = (2022, 2023), 2024
HEAD = "school_year,indicator,dimension,group,numerator,denominator,value,data_source,note\n"
# A row for both versions, one that only version 1 takes (a cohort of 4, no source), one for neither.
ROWS = (
    "{before}-{year},graduation_4yr_pct,all,all,820,1000,82,state,\n"
    "{before}-{year},employed_pct,all,all,2,4,50,,tiny\n"
    "soon,chronic_absence_pct,all,all,1,2,,state,\n"
)
ROLES = "role,person,fte,arrangement\ndata,analyst,0.5,loaned\ndaily_management,director,1,staffed\n"
STORIES = "title,text,consent\nA,B,yes\n"
NEW_FORM = (
    "school_year,indicator,dimension,group,numerator,cohort_size,value,data_source,survey_waves\n"
    "2023-24,graduation_4yr_pct,all,all,830,1000,,state,\n"
    "2023-24,employed_pct,all,all,2,4,,survey,2\n"
    "2023-24,chronic_absence_pct,all,all,120,1000,,survey,3\n"
    "2023-24,grade3_reading_proficient_pct,all,all,120,1000,,,3\n"
    "2023-24,grade8_math_proficient_pct,all,all,120,1000,,survey,0\n"
)


def old_form(year: int) -> dict[str, str]:
    """A folder as members sent it under version 1."""
    values = HEAD + ROWS.format(before=year - 1, year=year % 100)
    return {"values.csv": values, "roles.csv": ROLES, "stories.csv": STORIES}


@dataclass(frozen=True)
class State:
    """What stands after a run: receipts as written, the rows of the lake, landing."""

    receipts: dict[tuple[str, int], bytes]
    rows: dict[str, pl.DataFrame]
    landed: Landed


def state(house: House, *, again: bool = False, communities: frozenset[str] | None = None) -> State:
    """Run intake and landing."""
    pipeline = house.pipeline
    for _ in pipeline.take(Selection(communities, None, again), "test"):
        pass
    landed, _ = pipeline.land()
    places = [(name, int(year)) for name in (COMMUNITY, OTHER) for year in (*OLD_YEARS, NEW_YEAR)]
    places = [place for place in places if (house.drop / place[0] / str(place[1])).is_dir()]
    receipts = {place: house.receipt(*place) for place in places}
    return State(receipts, {name: read_partitions(pipeline.lake, name, places) for name in TABLES}, landed)


@dataclass(frozen=True)
class Both:
    """The same drop before and after the second version was registered."""

    house: House
    before: State
    after: State


@pytest.fixture(scope="module")
def both(seeds: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    """A drop with years of both versions, taken under the first alone, then again with both."""
    house = House(tmp_path_factory.mktemp("versions"), seeds)
    write_bucket(house.drop, {(COMMUNITY, year): old_form(year) for year in (*OLD_YEARS, NEW_YEAR)})
    write_bucket(house.drop, {(OTHER, NEW_YEAR): {"values.csv": NEW_FORM}})
    before = state(house)
    with pytest.MonkeyPatch.context() as patch:
        register_second_version(patch)
        later = House(house.drop.parent, seeds)
        yield Both(later, before, state(later, again=True))


def findings(made: State, community: str, year: int, rule_id: str) -> list[dict[str, Any]]:
    """Findings of one rule in one folder."""
    own = pl.col("community_id").eq(community) & pl.col("reporting_year").eq(year) & pl.col("rule_id").eq(rule_id)
    return made.landed["findings"].filter(own).to_dicts()


def test_each_year_takes_the_version_that_had_begun(both: Both) -> None:
    assert {year: contracts.version_for(year) for year in (2000, 2023, 2024, 2040)} == {
        2000: 1, 2023: 1, 2024: 2, 2040: 2,
    }  # fmt: skip
    files = both.after.rows["files"].select("reporting_year", "contract_version").unique()
    assert dict(files.iter_rows()) == {2022: 1, 2023: 1, 2024: 2}
    assert set(both.before.rows["files"]["contract_version"]) == {1}
    rows = both.after.rows["observations"].select("reporting_year", "contract_version").unique()
    assert dict(rows.iter_rows()) == {2022: 1, 2023: 1, 2024: 2}


@pytest.mark.parametrize("year", OLD_YEARS)
def test_an_old_year_taken_again_gets_its_old_verdict_byte_for_byte(both: Both, year: int) -> None:
    assert both.after.receipts[COMMUNITY, year] == both.before.receipts[COMMUNITY, year]
    for name, frame in both.before.rows.items():
        own = pl.col("reporting_year") == year
        kept = frame.filter(own)
        assert kept.height, name
        assert both.after.rows[name].filter(own).select(frame.columns).write_json() == kept.write_json(), name
    own = pl.col("reporting_year") == year
    then, now = (made.landed["submissions"].filter(own).to_dicts() for made in (both.before, both.after))
    assert then == now


def test_the_same_file_in_a_new_year_gets_the_new_verdict_and_a_finding_that_names_the_column(both: Both) -> None:
    assert not findings(both.before, COMMUNITY, NEW_YEAR, "not_allowed")
    (choice,) = findings(both.after, COMMUNITY, NEW_YEAR, "not_allowed")
    assert (choice["source_file"], choice["source_column"], choice["found"]) == ("roles.csv", "arrangement", "loaned")
    assert "staffed, contracted" in choice["allowed"]
    (unknown,) = findings(both.after, COMMUNITY, NEW_YEAR, "unknown_columns")
    assert (unknown["source_file"], unknown["found"]) == ("values.csv", "denominator")
    assert "cohort_size" in unknown["allowed"]
    (needed,) = findings(both.after, COMMUNITY, NEW_YEAR, "missing_required")
    assert (needed["source_column"], needed["source_row"]) == ("data_source", 3)
    (gone,) = findings(both.after, COMMUNITY, NEW_YEAR, "unknown_layout")
    assert gone["source_file"] == "stories.csv"


def test_the_new_form_is_checked_by_the_new_bounds_under_the_columns_new_names(both: Both) -> None:
    told = {
        (f["rule_id"], f["source_column"], f["found"])
        for rule in ("out_of_range", "missing_required")
        for f in findings(both.after, OTHER, NEW_YEAR, rule)
    }
    assert told == {
        ("out_of_range", "cohort_size", "4"),
        ("out_of_range", "survey_waves", "0"),
        ("missing_required", "data_source", None),
    }


def test_rows_of_both_versions_lie_together_under_the_names_they_are_kept_by(both: Both) -> None:
    rows = both.after.landed["observations"].filter(row_status="accepted")
    graduation = rows.filter(indicator_id="graduation_4yr_pct").sort("community_id", "reporting_year")
    kept = graduation.select("community_id", "reporting_year", "denominator", "survey_waves", "layout_id").rows()
    assert kept == [
        (OTHER, 2024, 1000, None, "indicator_values_v2"),
        (COMMUNITY, 2022, 1000, None, "indicator_values_v1"),
        (COMMUNITY, 2023, 1000, None, "indicator_values_v1"),
        (COMMUNITY, 2024, None, None, "indicator_values_v2"),
    ]
    absence = rows.filter(indicator_id="chronic_absence_pct")
    assert absence.select("survey_waves", "value").rows() == [(3.0, 12.0)]
    capacity = both.after.landed["register_capacity"]
    assert capacity.schema["since"] == pl.Date()
    assert capacity.filter(role="data")["reporting_year"].to_list() == [2022, 2023]
    assert both.after.landed["register_stories"]["reporting_year"].to_list() == [2022, 2023]


@pytest.mark.parametrize("place", [(COMMUNITY, 2022), (COMMUNITY, 2024), (OTHER, 2024)])
def test_a_check_follows_the_version_of_its_year(both: Both, place: tuple[str, int]) -> None:
    receipt = both.house.check(*place)
    asked_without_history = {
        finding["finding_id"]
        for finding in both.after.landed["findings"].to_dicts()
        if finding["rule_id"] in receipt["skipped_rules"]
    }
    assert not asked_without_history
    assert without_skipped(receipt) == both.after.receipts[place]


def test_a_template_has_the_sheets_and_columns_of_the_version_of_its_year(both: Both, intake: Intake) -> None:
    heads = {}
    for year in (2023, 2024):
        book = load_workbook(io.BytesIO(template_workbook(COMMUNITY, year, intake)))
        heads[year] = [cell.value for cell in book["indicator_values"][1]]
        assert ("stories" in book.sheetnames) == (year == 2023)
        menus = [str(menu.sqref) for menu in book["capacity"].data_validations.dataValidation]
        assert [area.partition(":")[0] for area in menus] == (["D2"] if year == 2024 else [])
    assert "denominator" in heads[2023] and "cohort_size" not in heads[2023]
    assert {"cohort_size", "survey_waves"} < set(heads[2024]) and "denominator" not in heads[2024]


def test_an_untouched_old_register_fills_the_new_template_under_the_new_names(both: Both) -> None:
    rows = both.after.landed["register_capacity"].filter(pl.col("reporting_year") < 2024)
    standing = as_they_stand(rows, contracts.landed()["capacity"], 2024)
    data = template_workbook(COMMUNITY, 2024, both.house.pipeline.intake, None, {"capacity": standing})
    book = load_workbook(io.BytesIO(data))
    assert [cell.value for cell in book["capacity"][2]] == ["data", "analyst", 0.5, "loaned", None]


def test_the_dictionary_tells_a_versions_own_tables_and_names_the_inherited_ones(both: Both) -> None:
    first, second = data_dictionary().split("## Submitted tables, contract version ")[1:]
    assert first.startswith("1 (all reporting years)") and second.startswith("2 (reporting years from 2024)")
    assert "### funding" in first and "### funding" not in second
    assert "`funding`" in second.split("###")[0]
    assert "No longer taken: `stories`." in second
    assert "| `cohort_size` |" in second and "| `cohort_size` |" not in first
    assert "| `denominator` |" not in second.split("### partner_roster")[0]


def test_sources_of_dbt_hold_every_column_of_both_versions_or_are_told_which_to_add(both: Both) -> None:
    for table, contract in contracts.landed_registers().items():
        described, needed = LANDING[f"register_{table}"], expected(contract)
        assert described.items() <= needed.items(), table
        assert set(needed) - set(described) == ({"since"} if table == "capacity" else set())
        landed = both.after.landed[f"register_{table}"]
        assert {name: TYPES[kind] for name, kind in landed.schema.items()} == needed
    assert list(OBSERVATIONS)[len(LANDING["observations"]) :] == list(added_columns()) == ["survey_waves"]


def test_folders_of_both_versions_are_taken_in_one_run_each_batch_under_one_version(both: Both) -> None:
    pipeline = both.house.pipeline
    years = pipeline.reference.reporting_years(pipeline.settings.today)
    folders = list_drop(pipeline.drop, [COMMUNITY, OTHER], years).folders
    grouped = by_version(folders)
    assert {version: sorted({folder.reporting_year for folder in group}) for version, group in grouped.items()} == {
        1: [2022, 2023],
        2: [2024],
    }
    assert sum(map(len, grouped.values())) == len(folders) == 4


def test_partitions_from_before_a_column_was_added_stand_beside_new_ones(seeds: Path, tmp_path: Path) -> None:
    house = House(tmp_path, seeds)
    write_bucket(house.drop, {(COMMUNITY, 2023): old_form(2023), (OTHER, NEW_YEAR): {"values.csv": NEW_FORM}})
    state(house)
    with pytest.MonkeyPatch.context() as patch:
        register_second_version(patch)
        only = state(House(tmp_path, seeds), again=True, communities=frozenset({OTHER}))
    waves = only.landed["observations"].filter(row_status="accepted").sort("community_id", "indicator_id")
    assert waves.select("community_id", "survey_waves").rows() == [
        (OTHER, 3.0),
        (OTHER, None),
        (COMMUNITY, None),
        (COMMUNITY, None),
    ]


def test_a_question_about_a_renamed_column_names_it_as_its_year_does(both: Both) -> None:
    lines = [line(2022, 80.0, 1000), line(2023, 80.0, 2000), line(2024, 80.0, 4000)]
    issues = compare_submissions(observations(lines), REFERENCE, PARAMETERS).filter(rule_id="count_change")
    assert issues.select("reporting_year", "source_column").rows() == [(2023, "denominator"), (2024, "cohort_size")]


def test_a_layout_holds_under_the_versions_it_names(tmp_path: Path) -> None:
    text = (contracts.LAYOUTS / "ct_chronic_absence.sql").read_text(encoding="utf-8")
    for name, more in (("always", ""), ("old", "-- until: 1\n"), ("new", "-- since: 2\n")):
        declared = text.replace("-- id: ct_chronic_absence\n", f"-- id: {name}\n{more}")
        (tmp_path / f"{name}.sql").write_text(declared, encoding="utf-8")
    held = {version: [layout.layout_id for layout in load_layouts(tmp_path, version)] for version in (1, 2, 3)}
    assert held == {1: ["always", "old"], 2: ["always", "new"], 3: ["always", "new"]}


def write_registry(path: Path, *lines: str) -> Path:
    """A registry with these lines."""
    path.write_text("\n".join(["version,first_reporting_year,package,note", *lines]) + "\n", encoding="utf-8")
    return path


@pytest.mark.parametrize(
    "lines",
    [
        (),
        ("1,0,contracts.v1,", "1,2024,contracts.v1,"),
        ("1,0,contracts.v1,", "2,0,contracts.v1,"),
        ("2,0,contracts.v1,", "1,2024,contracts.v1,"),
    ],
)
def test_a_registry_whose_versions_and_years_do_not_rise_together_is_refused(
    tmp_path: Path, lines: tuple[str, ...]
) -> None:
    with pytest.raises(contracts.VersionError):
        contracts.read_versions(write_registry(tmp_path / "versions.csv", *lines))


def test_a_year_before_the_first_version_and_an_unknown_version_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contracts, "VERSIONS", contracts.read_versions(REGISTRY)[1:])
    with pytest.raises(contracts.VersionError):
        contracts.version_for(FIRST_YEAR - 1)
    with pytest.raises(LookupError):
        contracts.tables(1)


CLASH = """from dataclasses import replace

from contracts.base import Column
from contracts.v1.capacity import CONTRACT as BEFORE

CONTRACT = replace(BEFORE, version=2, columns=(*BEFORE.columns[:2], Column("fte", "text", "In words")))
"""


def test_a_column_that_changes_its_type_between_versions_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "clashing_contracts"
    package.mkdir()
    (package / "__init__.py").write_text("", encoding="utf-8")
    (package / "capacity.py").write_text(CLASH, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    registry = write_registry(tmp_path / "versions.csv", "1,0,contracts.v1,", "2,2024,clashing_contracts,")
    monkeypatch.setattr(contracts, "VERSIONS", contracts.read_versions(registry))
    with pytest.raises(contracts.VersionError, match=r"capacity\.fte"):
        contracts.landed()


def test_a_table_keeps_the_id_of_its_form_in_a_version_that_inherits_it(both: Both, reference: Reference) -> None:
    intake = Intake(reference)
    old, new = ({layout.layout_id for layout in intake.layouts(version) if layout.contract} for version in (1, 2))
    assert old - new == {"indicator_values_v1", "capacity_v1", "partner_roster_v1", "stories_v1"}
    assert new - old == {"indicator_values_v2", "capacity_v2", "partner_roster_v2"}
