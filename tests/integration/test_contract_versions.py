"""Two contract versions through the whole house: intake, dbt, analysis, release, and the commands that read one.

Belongs here: a release made from years of two versions, and check, template and suggest against it.
Does not: what either version says (tests/unit/intake/test_contract_versions.py), figures.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from dagster_project.cli.intake import check, suggest, template
from dagster_project.lib.app.pipeline import Pipeline
from dagster_project.lib.intake.bucket.plan import Selection
from dagster_project.lib.warehouse.dbt_run import raise_for
from dagster_project.settings import from_environment
from tests.conftest import small_seeds
from tests.support import Published, current, receipt
from tests.unit.intake.versions import register_second_version

COMMUNITY, OTHER = "birchmont_falls", "alderwick_bend"
OLD = "school_year,indicator,dimension,group,numerator,denominator,value,data_source\n"
NEW = "school_year,indicator,dimension,group,numerator,cohort_size,value,data_source,survey_waves\n"
TARGETS = "indicator,dimension,group,value,deadline,horizon\n"
YEARS = (2021, 2022, 2023)


def folders() -> dict[tuple[str, int], dict[str, str]]:
    """Three years of the first version, in which rows are sent again, and one of the second."""
    made: dict[tuple[str, int], dict[str, str]] = {}
    rows = ""
    for year in YEARS:
        rows += f"{year - 1}-{year % 100},graduation_4yr_pct,all,all,{800 + 40 * (year - 2020)},1000,,state\n"
        rows += f"{year - 1}-{year % 100},graduation_4yr_pct,gender,female,700,900,,state\n"
        rows += f"{year - 1}-{year % 100},graduation_4yr_pct,gender,male,400,800,,state\n"
        made[COMMUNITY, year] = {"values.csv": OLD + rows}
        made[OTHER, year] = {"values.csv": OLD + f"{year - 1}-{year % 100},graduation_4yr_pct,all,all,700,1000,,x\n"}
    made[COMMUNITY, 2023]["capacity.csv"] = "role,person,fte,arrangement\ndata,=analyst,0.5,staffed\n"
    made[COMMUNITY, 2023]["targets.csv"] = (
        TARGETS + "graduation_4yr_pct,all,all,92.5,2030-06-30,long\n4 Year Grad Rate,all,all,90,2030-06-30,long\n"
    )
    made[COMMUNITY, 2023]["stories.csv"] = "title,text,consent\nA,B,yes\n"
    made[COMMUNITY, 2024] = {
        "values.csv": NEW + "2023-24,graduation_4yr_pct,all,all,950,1000,,state,2\n"
        "2023-24,chronic_absence_pct,all,all,2,4,,survey,1\n",
        "capacity.csv": "role,person,fte,arrangement,since\ndata,=analyst,0.75,staffed,2023-08-01\n",
    }
    return made


@dataclass(frozen=True)
class House:
    """A home with one release over both versions."""

    home: Path
    release: Published


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """The folders above, from the bucket to a release, with both versions in force."""
    root = tmp_path_factory.mktemp("versions")
    home = root / "home"
    for (community, year), files in folders().items():
        folder = home / "drop" / community / str(year)
        folder.mkdir(parents=True)
        for name, text in files.items():
            (folder / name).write_text(text, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CRADLE_HOME", str(home))
        patch.setenv("CRADLE_SEEDS", str(small_seeds(root / "seeds")))
        patch.setenv("CRADLE_TODAY", "2024-12-31")
        patch.setenv("CRADLE_SETTLE_SECONDS", "0")
        register_second_version(patch)
        pipeline = Pipeline(from_environment())
        for _ in pipeline.take(Selection(), "test"):
            continue
        pipeline.land()
        raise_for(pipeline.build_core())
        assert pipeline.analyse().agrees
        raise_for(pipeline.build_reporting())
        pipeline.release()
        yield House(home, current(home))


def run(command: Any, *arguments: str | Path) -> Result:
    """A command as a user gives it; errors are not hidden."""
    return CliRunner().invoke(command, [str(argument) for argument in arguments], catch_exceptions=False)


def test_dbt_builds_the_rows_of_both_versions_into_one_series(house: House) -> None:
    rows = house.release.rows(
        "select school_year, reporting_year, numerator, denominator from marts.fct_indicator_value "
        "where community_id = ? and indicator_id = 'graduation_4yr_pct' and population_group_id = 'all' order by all",
        COMMUNITY,
    )
    assert rows == [(2021, 2023, 840, 1000), (2022, 2023, 880, 1000), (2023, 2023, 920, 1000), (2024, 2024, 950, 1000)]
    (trend,) = house.release.rows(
        "select first_year, last_year, n_years from marts.fct_trend where community_id = ? and reporting_year = 2024 "
        "and indicator_id = 'graduation_4yr_pct' and population_group_id = 'all'",
        COMMUNITY,
    )
    assert trend == (2021, 2024, 4)


def test_the_release_holds_the_columns_of_both_versions_and_names_the_newest(house: House) -> None:
    assert house.release.manifest["contract_version"] == 2
    versions = house.release.rows(
        "select reporting_year, any_value(contract_version), count(distinct contract_version) "
        "from inputs.observations where community_id = ? group by 1 order by 1",
        COMMUNITY,
    )
    assert versions == [(2021, 1, 1), (2022, 1, 1), (2023, 1, 1), (2024, 2, 1)]
    kept = house.release.rows(
        "select reporting_year, cast(since as varchar) from inputs.register_capacity where community_id = ? order by 1",
        COMMUNITY,
    )
    assert kept == [(2023, None), (2024, "2023-08-01")]
    stories = house.release.rows("select reporting_year from marts.fct_story")
    assert stories == [(2023,)]


@pytest.mark.parametrize("year", [*YEARS, 2024])
def test_a_check_against_the_release_finds_what_intake_found_byte_for_byte(house: House, year: int) -> None:
    folder = house.home / "drop" / COMMUNITY / str(year)
    result = run(check, folder, "--community", COMMUNITY, "--year", year, "--against", "current", "--json")
    written = receipt(house.home, COMMUNITY, year)
    assert json.dumps(json.loads(result.output)["findings"]) == json.dumps(written["findings"])
    assert result.exit_code == (1 if year == 2024 else 0)
    blocked = [finding["source_column"] for finding in written["findings"] if finding["severity"] == "error"]
    assert blocked == (["cohort_size"] if year == 2024 else [])


def test_a_question_about_rows_sent_again_was_asked_once(house: House) -> None:
    asked = [
        (year, finding["finding_id"])
        for year in YEARS
        for finding in receipt(house.home, COMMUNITY, year)["findings"]
        if finding["rule_id"] == "groups_against_total"
    ]
    assert asked
    assert len({finding_id for _, finding_id in asked}) == len(asked)


def test_a_template_of_the_new_version_shows_the_registers_and_rows_nobody_filled_are_told_and_ask_nothing(
    house: House, tmp_path: Path
) -> None:
    file = tmp_path / "template.xlsx"
    made = run(template, "--community", COMMUNITY, "--year", "2025", "-o", file)
    assert "2 registers as they stand" in made.output
    result = run(check, file, "--community", COMMUNITY, "--year", "2024", "--json")
    told = json.loads(result.output)
    assert [f["rule_id"] for f in told["findings"] if f["severity"] == "error"] == []
    assert "values_not_filled" in {f["rule_id"] for f in told["findings"]}
    assert told["files"][0]["rows_accepted"] == 2
    layouts = told["files"][0]["layout"].split(", ")
    assert {"indicator_values_v2", "capacity_v2", "targets_v1"} <= set(layouts)
    assert "stories_v1" not in layouts


def test_a_label_that_waits_in_a_register_is_in_the_release_and_gets_a_proposal(house: House) -> None:
    waiting = house.release.rows("select table_name, source_file, raw_indicator, n_rows from marts.fct_waiting_row")
    assert waiting == [("targets", "targets.csv", "4 Year Grad Rate", 1)]
    printed = run(suggest).output
    assert 'indicator "4 Year Grad Rate": 1 row of birchmont_falls' in printed
    assert "community,birchmont_falls,4 Year Grad Rate,graduation_4yr_pct,,,," in printed
