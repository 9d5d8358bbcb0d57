"""A cycle is frozen, an old value restated, a change of rules rehearsed: on the small example network.

Belongs here: what stays, what stands beside it, and that a rehearsal touches nothing, over whole runs.
Does not: the frozen file and frozen rows one by one (tests/unit/cycle), the main job (test_main_job.py).
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from dagster_project.cli.cycle import freeze, rehearse
from dagster_project.cli.release import explain
from dagster_project.cli.retention import release_group
from dagster_project.lib.analysis.records.build import verify
from dagster_project.lib.analysis.records.recompute import Record, recompute, stated
from dagster_project.lib.app.pipeline import Pipeline
from dagster_project.lib.intake.bucket.plan import Selection
from dagster_project.lib.warehouse.dbt_run import raise_for
from dagster_project.settings import from_environment
from examples.generate import generate
from tests.support import PROJECT, Published, current, receipt

COMMUNITIES = 4
TODAY = "2024-12-31"
YEAR = 2023
COMMUNITY, DESIGNATION = "aspenreach", "systems_transformation"
RESTATED = ("kindergarten_ready_pct", "graduation_4yr_pct", "postsecondary_enrolled_pct", "postsecondary_completed_pct")
RENAMED = ("exploring.1.1", "exploring.1.9")
JUDGED = {
    "fct_criterion_status": "criterion_id, status, evidence, own_status, reason, ruleset_version",
    "fct_benchmark_status": "gateway, benchmark_no, status, n_criteria, n_met, n_not_met, n_undetermined",
    "fct_gateway_step": "gateway, status, granted, n_not_met, n_undetermined",
    "fct_gateway_status": "operating_in, gateways_met, gateways_granted",
    "fct_gateway_missing": "criterion_id, gateway, statement, status, reason",
}
KEY = "community_id, designation, reporting_year"
KEPT = "status, standing, decided_on, next_review_due, record_id, ruleset_id, ruleset_version"
KEPT_DISTANCES = "requirement_id, rank, indicator_id, population_group_id, current_status, required_value, statement"
KEPT_FIGURES = "requirement_id, required, actual, status, n_undetermined, n_members, evidence, reason"


@dataclass(frozen=True)
class Cycle:
    """What one home went through: released, frozen, frozen once more, restated, released again."""

    home: Path
    seeds: Path
    before: Published
    frozen: Result
    frozen_twice: Result
    content: bytes
    current_after_freezing: str | None
    after: Published


def released(home: Path) -> Published:
    """The main job's steps, without Dagster around them."""
    pipeline = Pipeline(from_environment())
    for _ in pipeline.take(Selection(), "test"):
        continue
    pipeline.land()
    raise_for(pipeline.build_core())
    pipeline.analyse()
    raise_for(pipeline.build_reporting())
    pipeline.release()
    return current(home)


def few_seeds(target: Path) -> Path:
    """The project's seeds with the first communities only."""
    shutil.copytree(PROJECT / "seeds", target)
    communities = target / "network" / "communities.csv"
    lines = communities.read_text(encoding="utf-8").splitlines()[: COMMUNITIES + 1]
    communities.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return target


def restatement() -> str:
    """Values of earlier school years that turn four improving indicators round."""
    rows = [
        f"{year},{name},all,all,{9600 - 100 * (year - 2018)},10000" for name in RESTATED for year in range(2018, 2022)
    ]
    return "\n".join(["school_year,indicator,dimension,group,numerator,denominator", *rows]) + "\n"


def new_booklet(rubric: Path) -> None:
    """A second edition from the frozen year on, which has one criterion under another number."""
    with rubric.open(newline="", encoding="utf-8") as held:
        lines = list(csv.DictReader(held))
    first = [{**line, "edition": "first", "from_reporting_year": ""} for line in lines]
    second = [{**line, "edition": "second", "from_reporting_year": YEAR} for line in lines]
    for line in second:
        if line["criterion_id"] == RENAMED[0]:
            line["criterion_id"] = RENAMED[1]
    with rubric.open("w", newline="", encoding="utf-8") as out:
        table = csv.DictWriter(out, list(first[0]), lineterminator="\n")
        table.writeheader()
        table.writerows([*first, *second])


@pytest.fixture(scope="module")
def cycle(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cycle]:
    folder = tmp_path_factory.mktemp("cycle")
    home, seeds = folder / "home", few_seeds(folder / "seeds")
    generate(home / "drop", communities=COMMUNITIES, first_year=2019, last_year=2024)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {"HOME": home, "SEEDS": seeds, "TODAY": TODAY, "SETTLE_SECONDS": 0}.items():
            patch.setenv(f"CRADLE_{name}", str(value))
        before = released(home)
        once, twice = (CliRunner().invoke(freeze, [str(YEAR)]) for _ in range(2))
        content = file_of(home).read_bytes()
        stale = Pipeline(from_environment()).up_to_date()
        (home / "drop" / COMMUNITY / str(YEAR) / "restated.csv").write_text(restatement(), encoding="utf-8")
        new_booklet(seeds / "rubric" / "rubric.csv")
        yield Cycle(home, seeds, before, once, twice, content, stale, released(home))


def file_of(home: Path) -> Path:
    return home / "lake" / "frozen" / str(YEAR) / "records.json.gz"


def kept_records(cycle: Cycle) -> list[Record]:
    found: list[Record] = json.loads(gzip.decompress(cycle.content))["records"]
    return found


def test_freezing_keeps_every_determination_of_the_year(cycle: Cycle) -> None:
    assert cycle.frozen.exit_code == 0, cycle.frozen.output
    rows = cycle.before.rows(f"select {KEY}, record_id from marts.fct_designation where reporting_year = ?", YEAR)
    names = ("community_id", "designation", "reporting_year", "record_id")
    assert sorted(tuple(record[name] for name in names) for record in kept_records(cycle)) == sorted(rows)


def test_a_frozen_record_is_decided_again_from_the_file_alone(cycle: Cycle) -> None:
    for record in kept_records(cycle):
        assert verify(record)
        assert recompute(record) == stated(record)


def test_a_second_freeze_refuses_with_one_line_and_leaves_the_file(cycle: Cycle) -> None:
    assert cycle.frozen_twice.exit_code == 1
    assert cycle.frozen_twice.output.splitlines() == [
        "cradle: reporting year 2023 is frozen already; frozen records never change"
    ]
    assert file_of(cycle.home).read_bytes() == cycle.content


def test_freezing_is_a_new_input_so_the_next_run_makes_a_release(cycle: Cycle) -> None:
    assert cycle.current_after_freezing is None
    sha256 = hashlib.sha256(cycle.content).hexdigest()
    entries = [row for row in cycle.after.manifest["inputs"] if "frozen_records_sha256" in row]
    assert [(row["reporting_year"], row["frozen_records_sha256"]) for row in entries] == [(YEAR, sha256)]


@pytest.mark.parametrize(
    ("table", "columns"),
    [
        ("fct_designation", KEPT),
        ("fct_designation_requirement", KEPT_FIGURES),
        ("fct_designation_distance", KEPT_DISTANCES),
    ],
)
def test_a_restated_value_leaves_frozen_rows_as_they_were(cycle: Cycle, table: str, columns: str) -> None:
    query = f"select {KEY}, {columns} from marts.{table} where reporting_year = ? order by all"
    before = cycle.before.rows(query, YEAR)
    assert before
    assert cycle.after.rows(query, YEAR) == before


@pytest.mark.parametrize("table", sorted(JUDGED))
def test_a_new_booklet_and_restated_values_leave_what_was_judged_of_a_frozen_year(cycle: Cycle, table: str) -> None:
    query = f"select community_id, {JUDGED[table]} from marts.{table} where reporting_year = {YEAR} order by all"
    before = cycle.before.rows(query)
    assert before
    assert cycle.after.rows(query) == before


def test_a_year_that_is_not_frozen_is_judged_by_the_booklet_of_its_own(cycle: Cycle) -> None:
    named = "', '".join(RENAMED)
    ids = f"criterion_id in ('{named}')"
    query = f"select distinct reporting_year, criterion_id from marts.fct_criterion_status where {ids}"
    by_year = dict(cycle.after.rows(query))
    assert by_year == {year: RENAMED[year > YEAR] for year in by_year}
    assert YEAR + 1 in by_year
    states = "select distinct record_state from marts.fct_criterion_status where reporting_year"
    assert cycle.after.rows(f"{states} = {YEAR}") == [("frozen",)]
    assert cycle.after.rows(f"{states} <> {YEAR}") == [("provisional",)]


def test_rubric_rows_agree_with_every_determination_frozen_or_not(cycle: Cycle) -> None:
    query = (
        "select count(*), count(*) filter ("
        "c.status is distinct from r.status or c.evidence is distinct from r.evidence)"
        " from marts.fct_designation_requirement r join marts.fct_criterion_status c on c.community_id = r.community_id"
        " and c.reporting_year = r.reporting_year and c.criterion_id = r.requirement_id"
    )
    ((rows, other),) = cycle.after.rows(query)
    assert rows > 0
    assert other == 0


def test_the_receipt_of_the_restated_folder_says_that_the_frozen_determination_stays(cycle: Cycle) -> None:
    query = (
        "select designation, status from marts.fct_designation where community_id = ? and reporting_year = ? "
        "and record_state = 'frozen' and status is distinct from status_now order by all"
    )
    kept = cycle.after.rows(query, COMMUNITY, YEAR)
    rows = receipt(cycle.home, COMMUNITY, YEAR)["changes"]["eligibility"]
    frozen = [row for row in rows if row["change"] == "frozen" and row["column"] == "status"]
    assert kept and [(row["designation"], row["before"]) for row in frozen] == kept
    of_year = [row for row in rows if row["table"] == "fct_designation" and row["reporting_year"] == YEAR]
    assert {row["change"] for row in of_year} == {"frozen"}


def test_what_the_restated_value_would_give_stands_beside_the_frozen_row(cycle: Cycle) -> None:
    query = (
        "select record_state, status, status_now, record_id = record_id_now as same from marts.fct_designation "
        "where community_id = ? and designation = ? and reporting_year = ?"
    )
    (row,) = cycle.after.records(query, COMMUNITY, DESIGNATION, YEAR)
    assert row == {"record_state": "frozen", "status": "undetermined", "status_now": "not_eligible", "same": False}
    moved = cycle.after.rows(
        "select requirement_id, actual > actual_now from marts.fct_designation_requirement "
        "where community_id = ? and designation = ? and reporting_year = ? and status <> status_now",
        COMMUNITY,
        DESIGNATION,
        YEAR,
    )
    assert ("systems_transformation.10.2", True) in moved


def test_only_the_community_whose_value_was_restated_would_be_decided_otherwise(cycle: Cycle) -> None:
    otherwise = "select distinct community_id from marts.fct_designation where {} is distinct from {}_now"
    assert cycle.after.rows(otherwise.format("status", "status")) == [(COMMUNITY,)]
    # The record of an initial Proof Point names the rubric's criteria, and the new booklet calls one by another number.
    other_records = f"{otherwise.format('record_id', 'record_id')} and designation <> 'proof_point_initial'"
    assert cycle.after.rows(other_records) == [(COMMUNITY,)]


def test_rows_of_other_years_are_provisional_and_follow_the_data(cycle: Cycle) -> None:
    states = "select distinct record_state from marts.fct_designation where reporting_year <> ?"
    assert cycle.after.rows(states, YEAR) == [("provisional",)]
    query = "select record_id from marts.fct_designation where community_id = ? and reporting_year = ?"
    assert cycle.after.rows(query, COMMUNITY, YEAR + 1) != cycle.before.rows(query, COMMUNITY, YEAR + 1)


def test_a_release_carries_the_frozen_file_byte_for_byte(cycle: Cycle) -> None:
    assert cycle.after.rows("select reporting_year, content from inputs.frozen_cycles") == [(YEAR, cycle.content)]


def test_explain_tells_the_frozen_record_and_what_would_be_now(cycle: Cycle) -> None:
    told = CliRunner().invoke(explain, [COMMUNITY, DESIGNATION, "--year", str(YEAR)])
    assert told.exit_code == 0, told.output
    lines = told.output.splitlines()
    assert lines[2].startswith("Computed: undetermined.")
    assert lines[3].startswith("This record is frozen")
    assert lines[4] == "Would be now: status not eligible, frozen as undetermined."
    assert any(line.startswith("  value graduation_4yr_pct all 2019 default 95, frozen as ") for line in lines)
    other = CliRunner().invoke(explain, ["alderwick_bend", "--year", str(YEAR)])
    assert other.output.count("Would be now: the same record.") == 3


def test_the_record_that_explain_prints_as_json_is_the_frozen_one(cycle: Cycle) -> None:
    printed = CliRunner().invoke(explain, [COMMUNITY, DESIGNATION, "--year", str(YEAR), "--json"])
    record: dict[str, Any] = json.loads(printed.output)
    beside = record.pop("would_be_now")
    (kept,) = (r for r in kept_records(cycle) if (r["community_id"], r["designation"]) == (COMMUNITY, DESIGNATION))
    assert record == kept
    assert beside["status"] == "not_eligible"
    assert beside["record_id"] != record["record_id"]


def test_withdrawing_a_release_names_the_cycle_that_was_frozen_from_it(
    cycle: Cycle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(cycle.home, tmp_path / "home")
    monkeypatch.setenv("CRADLE_HOME", str(tmp_path / "home"))
    release_id = cycle.before.manifest["release_id"]
    told = CliRunner().invoke(release_group, ["withdraw", release_id, "--reason", "a wrong file"])
    assert told.exit_code == 0, told.output
    assert f"Frozen    reporting year {YEAR} was decided from it, and its records stay so" in told.output.splitlines()


def test_explain_says_of_what_it_was_asked_that_there_is_no_verdict(cycle: Cycle) -> None:
    told = CliRunner().invoke(explain, [COMMUNITY, "early_grade_reading", "--year", "2010"])
    assert told.exit_code == 1
    assert told.output.startswith(f"cradle: no verdict of early_grade_reading for {COMMUNITY} in 2010\n")


def test_a_year_without_determinations_cannot_be_frozen(cycle: Cycle) -> None:
    refused = CliRunner().invoke(freeze, ["2010"])
    assert refused.exit_code == 1
    assert refused.output.startswith("cradle: the current release holds no determination of reporting year 2010\n")


def test_what_the_seeds_no_longer_give_cannot_be_frozen(cycle: Cycle, monkeypatch: pytest.MonkeyPatch) -> None:
    seeds = cycle.seeds.with_name("other rules")
    shutil.copytree(cycle.seeds, seeds)
    parameters = seeds / "rulesets" / "gateway_parameters.csv"
    text = parameters.read_text(encoding="utf-8")
    place = "toa-default,1.1.0,designation.initial_indicators_min,"
    parameters.write_text(text.replace(f"{place}4,", f"{place}5,"), encoding="utf-8")
    monkeypatch.setenv("CRADLE_SEEDS", str(seeds))
    refused = CliRunner().invoke(freeze, ["2022"])
    assert refused.exit_code == 1
    assert refused.output.startswith("cradle: 12 of 12 records of 2022 are not those of the current release\n")


def fingerprint(home: Path) -> dict[str, str]:
    """Every file that is not scratch, by its sha256."""
    files = (path for path in home.rglob("*") if path.is_file() and path.name != ".lock")
    return {
        path.relative_to(home).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files
        if path.relative_to(home).parts[0] != "work"
    }


@pytest.fixture(scope="module")
def rehearsed(cycle: Cycle) -> tuple[dict[str, Any], dict[str, str], dict[str, str]]:
    """What a stricter reading and the earlier public definition would move; all files before and after."""
    seeds = cycle.seeds.with_name("changed seeds")
    shutil.copytree(cycle.seeds, seeds)
    parameters = seeds / "rulesets" / "ruleset_parameters.csv"
    text = parameters.read_text(encoding="utf-8")
    changed = text.replace(
        "public-2018,0.9.0,trend.maintain_tolerance,0.5,", "public-2018,0.9.0,trend.maintain_tolerance,0,"
    )
    assert changed != text
    parameters.write_text(changed, encoding="utf-8")
    before = fingerprint(cycle.home)
    told = CliRunner().invoke(rehearse, ["--seeds", str(seeds), "--ruleset", "public-2018", "--json"])
    assert told.exit_code == 0, told.output
    return json.loads(told.stdout), before, fingerprint(cycle.home)


Rehearsed = tuple[dict[str, Any], dict[str, str], dict[str, str]]


def test_a_rehearsal_touches_nothing_and_cleans_up(cycle: Cycle, rehearsed: Rehearsed) -> None:
    _, before, after = rehearsed
    assert after == before
    assert not (cycle.home / "work" / "rehearsal").exists()


def test_a_rehearsal_tells_which_statuses_and_designations_would_move(rehearsed: Rehearsed) -> None:
    told, _, _ = rehearsed
    assert told["ruleset"] == ["public-2018", "0.9.0"]
    assert told["changed_folders"] == []
    tables = {moves["table"]: moves for moves in told["tables"]}
    assert "fct_indicator_value" not in tables
    assert tables["fct_trend"]["cells"] > 0
    statuses = {(row[3], row[4]) for row in told["cells"] if row[0] == "fct_trend" and row[2] == "trend_status"}
    assert statuses == {("maintained", "declining")}
    initial = [row for row in told["designations"] if row["designation"] == "proof_point_initial"]
    assert any(row["status_before"] == "not_eligible" and row["status_after"] == "eligible" for row in initial)


def test_a_rehearsal_keeps_frozen_rows_and_moves_only_what_would_be_now(rehearsed: Rehearsed) -> None:
    told, _, _ = rehearsed
    frozen = [row for row in told["cells"] if row[0] == "fct_designation" and row[1].endswith(f"|{YEAR}")]
    assert frozen
    assert {row[2] for row in frozen} <= {"status_now", "standing_now"}
    assert all(row["frozen"] == (row["reporting_year"] == YEAR) for row in told["designations"])


def test_a_rehearsed_rename_moves_no_row_and_no_determination(cycle: Cycle, tmp_path: Path) -> None:
    seeds = shutil.copytree(cycle.seeds, tmp_path / "renamed")
    members = seeds / "network" / "communities.csv"
    text = members.read_text(encoding="utf-8")
    members.write_text(text.replace(f"\n{COMMUNITY},", "\nheronpoint,"), encoding="utf-8")
    with (seeds / "network" / "community_successions.csv").open("a", encoding="utf-8") as file:
        file.write(f"{COMMUNITY},heronpoint,renamed\n")
    told = CliRunner().invoke(rehearse, ["--seeds", str(seeds), "--json"])
    assert told.exit_code == 0, told.output
    moved = json.loads(told.stdout)
    assert moved["changed_folders"] == [] and moved["designations"] == []
    # What is told of a folder is known by an id of its own, which holds the community's.
    assert {moves["table"] for moves in moved["tables"]} <= {"fct_finding"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--seeds", "nowhere"], "cradle: --seeds nowhere has no network/communities.csv"),
        (
            ["--ruleset", "nobody-1999"],
            "cradle: ruleset nobody-1999 is not in the seeds; there: public-2018, toa-default",
        ),
    ],
)
def test_a_rehearsal_that_cannot_begin_says_why_in_one_line(cycle: Cycle, arguments: list[str], message: str) -> None:
    refused = CliRunner().invoke(rehearse, arguments)
    assert refused.exit_code == 2
    assert refused.output.splitlines()[0] == message


@pytest.mark.parametrize("is_left", [False, True])
def test_a_seed_that_breaks_a_check_stops_the_rehearsal_in_one_line(
    cycle: Cycle, tmp_path: Path, is_left: bool
) -> None:
    seeds = tmp_path / "broken seeds"
    shutil.copytree(cycle.seeds, seeds)
    (seeds / "dictionary" / "outcomes.csv").unlink()
    stopped = CliRunner().invoke(rehearse, ["--seeds", str(seeds), "--all", *(["--keep"] if is_left else [])])
    assert stopped.exit_code == 1
    assert "dictionary/outcomes.csv: the file is missing" in stopped.output
    side = cycle.home / "work" / "rehearsal"
    assert side.exists() == is_left
    shutil.rmtree(side, ignore_errors=True)
