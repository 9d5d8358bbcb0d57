"""Previews, objections, a failed audit and a withdrawal, by the commands a user types.

Belongs here: one copy of the small example network's home, taken through a year's publication step by step.
Does not: the first public release (test_public_edition.py), which cells are withheld (tests/unit/disclosure).
"""

from __future__ import annotations

import csv
import json
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import pytest
from click.testing import CliRunner

from benchmarks._homes import history
from dagster_project.cli.main import cli
from dagster_project.lib.disclosure import release
from dagster_project.lib.disclosure.choice import Outcome
from dagster_project.lib.disclosure.unit import Unit
from tests.integration.conftest import EXAMPLE_TODAY, GRADUATION, HEADER, READING, RESTATED, Run, lines
from tests.warm import warm_cradle

DAYS = 14
READ, GRADUATED = "grade3_reading_proficient_pct", "graduation_4yr_pct"
CORRECTED = {2018: (70, 100)}
FEW = {2018: (2, 5)}
OBJECTION = f"community_id,indicator,decided_on,reason\nquill_harbor,{GRADUATED},{EXAMPLE_TODAY},Not yet discussed\n"
NOT_READ = f"reedmere,Our rate,{EXAMPLE_TODAY},Not yet discussed\n"


@dataclass(frozen=True)
class Home:
    """The copied home with its seeds, and what `cradle run` and `cradle public --now` said."""

    home: Path
    seeds: Path
    before: str
    held: subprocess.CompletedProcess[str]
    state: dict[str, Any]
    while_held: list[str]
    waived: subprocess.CompletedProcess[str]

    def call(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """The command over that home."""
        return _call(self.home, self.seeds, *arguments)

    @property
    def public_id(self) -> str:
        """The public release that `current` names."""
        return (self.home / "public" / "current").read_text().strip()

    def values(self, public_id: str, community: str, indicator: str) -> dict[int, str]:
        """Status by school year of a community's totals in a public release."""
        with duckdb.connect(str(self.home / "public/releases" / public_id / "public.duckdb"), read_only=True) as found:
            rows = found.execute(
                "select school_year, value_status from marts.fct_indicator_value where community_id = ? and "
                "indicator_id = ? and population_group_id = 'all' and geography_id = community_id",
                [community, indicator],
            ).fetchall()
        return dict(rows)


def _call(home: Path, seeds: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return warm_cradle(
        *arguments, CRADLE_HOME=home, CRADLE_SEEDS=seeds, CRADLE_TODAY=EXAMPLE_TODAY, CRADLE_SETTLE_SECONDS="0.5"
    )


def _releases(home: Path) -> list[str]:
    return sorted(path.name for path in (home / "public" / "releases").iterdir())


@pytest.fixture(scope="module")
def year(first_run: Run, tmp_path_factory: pytest.TempPathFactory) -> Home:
    """After the first public release two figures are corrected, one community objects, and previews get days."""
    folder = tmp_path_factory.mktemp("previews")
    home, seeds = folder / "home", folder / "seeds"
    shutil.copytree(first_run.home, home)
    shutil.copytree(first_run.seeds, seeds)
    _preview_days(seeds / "network" / "calendar.csv")
    drop = home / "drop"
    (drop / "quill_harbor/2018/graduation.csv").write_text(
        HEADER + lines(GRADUATED, CORRECTED) + lines(GRADUATED, RESTATED)
    )
    (drop / "reedmere/2018/values.csv").write_text(HEADER + lines(READ, FEW))
    (drop / "_network/2018").mkdir(parents=True, exist_ok=True)
    (drop / "_network/2018/publication_objections.csv").write_text(OBJECTION + NOT_READ)
    before = (home / "public" / "current").read_text().strip()
    held = _call(home, seeds, "run")
    state = json.loads((home / "lake/disclosure/previews.json").read_text())
    while_held = _releases(home)
    return Home(home, seeds, before, held, state, while_held, _call(home, seeds, "public", "--now"))


def _preview_days(path: Path) -> None:
    with path.open(newline="", encoding="utf-8") as held:
        rows = list(csv.DictReader(held))
    with path.open("w", newline="", encoding="utf-8") as out:
        table = csv.DictWriter(out, list(rows[0]))
        table.writeheader()
        table.writerows({**row, "preview_days": DAYS} for row in rows)


def test_a_run_within_the_days_makes_the_internal_release_only_and_says_so(year: Home, first_run: Run) -> None:
    assert year.held.returncode == 0, year.held.stderr
    assert (year.home / "publish" / "current").read_text() != (first_run.home / "publish" / "current").read_text()
    assert "Public   waits: communities have until 2019-01-13" in year.held.stdout
    assert year.while_held == [year.before]
    # The example's own run wrote previews too, and kept no days free for them.
    assert year.state["2018"]["first_written_on"] == EXAMPLE_TODAY
    assert (first_run.home / "outbox" / "reedmere" / "public_preview.html").is_file()


def test_an_objection_that_could_not_be_read_is_told_before_while_days_are_left_and_when_they_are_waived(
    year: Home,
) -> None:
    for told in (year.held, year.waived, year.call("public", "--dry-run")):
        (line,) = [line for line in told.stderr.splitlines() if "withholds nothing" in line]
        assert line.startswith("Note: an objection of _network/2018 withholds nothing: ") and "Our rate" in line


def test_dagster_warns_of_objections_that_could_not_be_read_by_their_folder_and_quotes_none(year: Home) -> None:
    with history(year.home) as instance:
        key = dg.AssetCheckKey(dg.AssetKey(["publish", "public"]), "objections_read")
        answer = instance.event_log_storage.get_latest_asset_check_execution_by_key([key])[key].evaluation
    assert answer is not None and not answer.passed and not answer.blocking
    assert answer.severity == dg.AssetCheckSeverity.WARN
    assert "_network/2018" in str(answer.description) and "Our rate" not in str(answer)


def test_the_preview_shows_a_community_its_own_figures_as_they_will_be_public(year: Home) -> None:
    page = (year.home / "outbox" / "reedmere" / "public_preview.html").read_text(encoding="utf-8")
    assert "52.5%" in page  # 42 of 80 in 2016
    assert "Withheld to protect a small group" in page
    assert "40.0%" not in page  # 2 of 5 in 2018
    for other in ("quill_harbor", "Quill Harbor", "Alderwick Bend"):
        assert other not in page


def test_now_waives_the_days_for_this_and_later_runs(year: Home) -> None:
    assert year.waived.returncode == 0, year.waived.stderr
    assert _releases(year.home) == sorted({year.before, year.public_id})
    assert year.public_id != year.before
    assert json.loads((year.home / "lake/disclosure/previews.json").read_text())["2018"]["waived_on"] == EXAMPLE_TODAY
    assert year.call("public", "--now", "--dry-run").returncode == 2


def test_an_objection_withholds_what_is_new_and_leaves_what_was_public(year: Home) -> None:
    assert set(GRADUATION) <= set(year.values(year.before, "quill_harbor", GRADUATED))
    now = year.values(year.public_id, "quill_harbor", GRADUATED)
    assert {school_year for school_year, status in now.items() if status == "withheld"} == {2018}
    assert now.keys() == year.values(year.before, "quill_harbor", GRADUATED).keys()
    # The other community's correction is published: nobody objected.
    reading = year.values(year.public_id, "reedmere", READ)
    assert {school_year: status == "withheld" for school_year, status in reading.items()} == {
        school_year: school_year == 2018 for school_year in READING
    }


def test_a_failed_audit_stops_the_public_edition_with_its_cells_and_sums(
    year: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The same run with nothing withheld beyond the primary cells: what sums give away is found by the audit.
    monkeypatch.setattr(release, "_solve", lambda units, *_: {unit.community_id: _primary(unit) for unit in units})
    settings = {"HOME": year.home, "SEEDS": year.seeds, "TODAY": EXAMPLE_TODAY, "SETTLE_SECONDS": "0.5"}
    for name, value in settings.items():
        monkeypatch.setenv(f"CRADLE_{name}", str(value))
    (year.home / "lake/disclosure/built.json").unlink()
    internal, public, before = (year.home / "publish/current").read_text(), year.public_id, _releases(year.home)
    done = CliRunner().invoke(cli, ["run"])
    assert done.exit_code == 1
    assert "The public edition was not published, its audit failed: " in done.stderr
    assert re.search(r"too few values are feasible \(all at \w+ = ", done.stderr)
    assert "the internal release stands" in done.stderr
    assert f"releases/{internal.strip()}" in done.stdout
    assert ((year.home / "publish/current").read_text(), year.public_id) == (internal, public)
    assert _releases(year.home) == before


def _primary(unit: Unit) -> Outcome:
    return Outcome({key: (cell.primary, False) for key, cell in unit.cells.items()})


def test_a_public_release_that_is_taken_down_says_what_it_let_out_and_stays_known(year: Home) -> None:
    out = json.loads(year.call("public", "--dry-run", "--json").stdout)["out"]
    assert [cell for cell in out if cell[0] == "reedmere" and cell[1] == READ and cell[5] == 2018]
    done = year.call("release", "withdraw", year.before, "--reason", "a figure was wrong")
    assert done.returncode == 0, done.stderr
    assert f"Public release {year.before} is taken down" in done.stdout
    assert "It had let out" in done.stdout
    assert not (year.home / "public/releases" / year.before).exists()
    assert json.loads(year.call("public", "--dry-run", "--json").stdout)["out"] == out
