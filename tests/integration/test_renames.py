"""A community that is renamed after a freeze: one line of CSV, and everything of it goes on under the new id.

Belongs here: what a user types on the small example network, in a copy of its home, and what then stands where.
Does not: lines that contradict each other (tests/unit/seeds/test_renames.py).
"""

from __future__ import annotations

import io
import json
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest

from tests.integration.conftest import EXAMPLE_TODAY, Run
from tests.support import Published, current
from tests.warm import warm_cradle

FORMER, NOW, FROZEN_YEAR = "quill_harbor", "harbor_city", 2017
TREND = (
    "select indicator_id, reporting_year, slope, trend_status from marts.fct_trend where community_id = ? order by all"
)
FROZEN = """
    select designation, record_id, status, standing, record_state from marts.fct_designation
    where community_id = ? and reporting_year = ? order by all
"""


@dataclass
class Home:
    """A copy of the example network's home: its release before and after the rename, and what commands printed.

    public_between: the public edition that was made of the release before, with the line written and no run since.
    """

    home: Path
    seeds: Path
    before: Published
    public_between: str = ""
    told: dict[str, subprocess.CompletedProcess[str]] = field(default_factory=dict)

    def call(self, name: str, *arguments: str) -> None:
        """Run a command that is to succeed."""
        settings = {"CRADLE_HOME": self.home, "CRADLE_SEEDS": self.seeds, "CRADLE_TODAY": EXAMPLE_TODAY}
        process = warm_cradle(*arguments, **settings, CRADLE_SETTLE_SECONDS="0")
        if process.returncode:
            pytest.fail(f"cradle {arguments} ended with {process.returncode}:\n{process.stdout}{process.stderr}")
        self.told[name] = process


@pytest.fixture(scope="module")
def renamed(first_run: Run, tmp_path_factory: pytest.TempPathFactory) -> Home:
    """2017 is frozen, the line is written, and the newest folder lies under both names."""
    folder = tmp_path_factory.mktemp("renamed")
    shutil.copytree(first_run.home, folder / "home", ignore=shutil.ignore_patterns("dagster"))
    shutil.copytree(first_run.seeds, folder / "seeds")
    home = Home(folder / "home", folder / "seeds", first_run.release)
    home.call("freeze", "freeze", str(FROZEN_YEAR))
    with (home.seeds / "network/community_successions.csv").open("a", encoding="utf-8") as lines:
        lines.write(f"{FORMER},{NOW},The city took its old name back\n")
    folder_of_former = str(home.home / "drop" / FORMER / "2018")
    asked = ("--community", NOW, "--year", "2018", "--against", "current", "--changes")
    home.call("predicted", "check", folder_of_former, *asked)
    home.call("public", "public", "--now")
    home.public_between = (home.home / "public" / "current").read_text().strip()
    drop = home.home / "drop"
    shutil.copytree(drop / FORMER / "2018", drop / NOW / "2018")
    home.call("run", "run")
    home.call("reconcile", "reconcile")
    home.call("doctor", "doctor")
    home.call("explain", "explain", NOW, "--year", str(FROZEN_YEAR))
    return home


def submissions(release: Published, *communities: str) -> dict[int, str]:
    """Submission ids by reporting year."""
    return {
        row["reporting_year"]: row["submission_id"]
        for row in release.manifest["inputs"]
        if row["community_id"] in communities
    }


def test_no_table_of_the_release_or_of_the_public_edition_names_the_former_id(renamed: Home) -> None:
    public = renamed.home / "public"
    databases = [current(renamed.home).folder / "internal.duckdb"]
    databases.append(public / "releases" / (public / "current").read_text().strip() / "public.duckdb")
    query = "select table_schema, table_name, column_name from information_schema.columns where data_type = 'VARCHAR'"
    for database in databases:
        with duckdb.connect(str(database), read_only=True) as connection:
            for schema, table, column in connection.execute(query).fetchall():
                found = f'select count(*) from "{schema}"."{table}" where contains("{column}", ?)'
                tells_of_the_folder = table == "fct_finding" and column in ("found", "message")
                assert connection.execute(found, [FORMER]).fetchone() == (int(tells_of_the_folder),), (table, column)
            members = connection.execute("select community_id from marts.dim_community").fetchall()
            assert (NOW,) in members


def test_an_edition_of_a_release_from_before_the_rename_has_all_of_the_community_under_the_new_id(
    renamed: Home,
) -> None:
    query = "select table_name from information_schema.columns where column_name = 'community_id' order by all"
    with duckdb.connect(
        str(renamed.home / "public/releases" / renamed.public_between / "public.duckdb"), read_only=True
    ) as connection:
        tables = [table for (table,) in connection.execute(query).fetchall()]
        held = {
            table: {name for (name,) in connection.execute(f"select community_id from marts.{table}").fetchall()}
            for table in tables
        }
    assert {table for table, names in held.items() if FORMER in names} == set()
    assert {table for table in ("dim_community", "fct_indicator_value", "fct_trend") if NOW in held[table]} == {
        "dim_community",
        "fct_indicator_value",
        "fct_trend",
    }


def test_a_check_against_a_release_from_before_the_rename_is_told_beside_the_folder_that_it_held(renamed: Home) -> None:
    told = renamed.told["predicted"].stdout.partition("What this would change:")[2]
    assert "Trends, gaps and outcomes: nothing changed." in told
    assert "First submission" not in told and " new" not in told


def test_folders_keep_their_submissions_and_figures_go_on_as_they_were(renamed: Home) -> None:
    before, after = submissions(renamed.before, FORMER), submissions(current(renamed.home), NOW)
    assert {year: after[year] for year in (2016, 2017)} == {year: before[year] for year in (2016, 2017)}
    assert after[2018] != before[2018]  # this folder has another name
    trends = renamed.before.rows(TREND, FORMER)
    assert trends and current(renamed.home).rows(TREND, NOW) == trends


def test_records_frozen_before_the_rename_stand_under_the_new_id(renamed: Home) -> None:
    records = renamed.before.rows(FROZEN, FORMER, FROZEN_YEAR)
    frozen = current(renamed.home).rows(FROZEN, NOW, FROZEN_YEAR)
    assert records and frozen == [(*row[:-1], "frozen") for row in records]
    assert "This record is frozen" in renamed.told["explain"].stdout


def test_a_folder_left_under_the_former_name_is_told_with_the_line_of_the_rename(renamed: Home) -> None:
    query = "select found, allowed from marts.fct_finding where rule_id = 'folder_of_two_names'"
    ((found, allowed),) = current(renamed.home).rows(query)
    assert found == f"{FORMER}/2018 and {NOW}/2018"
    assert "seeds/network/community_successions.csv, line 2" in allowed


def test_public_cells_are_the_same_unknowns_as_before(renamed: Home) -> None:
    first, second = (_register(renamed, number) for number in (0, -1))
    assert first.height and set(first["token"]) == set(second["token"])
    assert set(first["community_id"]) == {FORMER}


def _register(renamed: Home, number: int) -> pl.DataFrame:
    """What the lake keeps of the community's cells of one public edition, in the order in which they came out."""
    kept = renamed.home / "lake" / "disclosure"
    lines: list[dict[str, Any]] = json.loads((kept / "releases.json").read_text())
    data = (kept / "releases" / lines[number]["public_id"] / "register.parquet").read_bytes()
    return pl.read_parquet(io.BytesIO(data)).filter(pl.col("community_id").is_in([FORMER, NOW]))


def test_bucket_ledger_and_lake_agree_and_nothing_kept_is_damaged(renamed: Home) -> None:
    assert renamed.told["reconcile"].stdout.startswith("bucket = ledger = lake")
    assert "BAD" not in renamed.told["doctor"].stdout


def test_two_releases_on_either_side_of_a_rename_compare_as_one_community(renamed: Home) -> None:
    home = Home(renamed.home, renamed.seeds, renamed.before)
    home.call("compare", "compare", renamed.before.folder.name, "current", "--community", NOW)
    told = home.told["compare"].stdout
    submitted, _, tables = told.partition("Tables that differ")
    assert f"{NOW}/2018 replaced" in submitted and f"{NOW}/2017" not in submitted
    # The freeze and the folder that was given again are all that moved.
    assert "Designations, gateways and criteria that moved: 0" in tables
    assert f"{NOW}: new" not in tables and FORMER not in tables
    assert "dim_community" not in tables and "fct_trend:" not in tables
