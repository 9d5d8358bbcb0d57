"""A year of the data team, by the guides and in their order, through Dagster's own processes and the command.

Belongs here: a cycle from its first uploads over questions, answers, freeze and correction to the next one and pruning.
Does not: each step's rules (test_cycle.py, test_releases.py, test_retention.py), the UI (tests/browser).
"""

from __future__ import annotations

import json
import math
import shlex
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from click.testing import CliRunner

from dagster_project.cli.main import cli
from dagster_project.defs.checks import SUBMISSIONS
from dagster_project.instance.runs import INTAKE, STARTED_BY, only_one
from dagster_project.lib.app.pipeline import Pipeline
from dagster_project.lib.intake.bucket.plan import Selection
from dagster_project.partitions import partition_key
from dagster_project.settings import PROJECT_ROOT, from_environment
from examples.generate import generate
from tests.daemons import PATIENCE_SECONDS, free_port, listens, started, until
from tests.integration.test_cycle import COMMUNITIES, COMMUNITY, DESIGNATION, few_seeds, restatement
from tests.integration.test_releases import DECIDED, KEY, Home
from tests.support import Published, clean_environment, current, receipt
from tests.warm import warm_cradle

YEAR, NEXT_YEAR = 2023, 2024
LATE = "amberly_shoals"
AFTER_DUE, NEXT_DAY = "2023-12-10", "2024-12-31"
"""Folders are due on 30 November of their year."""
OPEN_QUESTIONS = (
    "select community_id, finding_id from marts.fct_finding where severity = 'explainable' and status = 'open' "
    "and reporting_year = ? and community_id <> ? order by all"
)
WHY_NOT = "the state's own file says otherwise"
LAUNCHED = {"communities": [COMMUNITY], "years": [YEAR], "again": True}


@dataclass
class Year:
    """One home through the year: what every command printed, and the release after each step."""

    home: Home
    day: str = AFTER_DUE
    told: dict[str, str] = field(default_factory=dict)
    releases: dict[str, Published] = field(default_factory=dict)
    statuses: dict[str, dict[tuple[str, int], str]] = field(default_factory=dict)
    questions: list[tuple[str, str]] = field(default_factory=list)
    stood: dict[str, list[tuple[Any, ...]]] = field(default_factory=dict)
    """Status and text of the two questions after each step, in their order."""
    receipts: dict[str, dict[str, Any]] = field(default_factory=dict)
    runs: list[tuple[str, str, bool]] = field(default_factory=list)
    """Job, status and whether a sensor asked for it, of every run, in the order in which they began."""
    refused: str | None = None
    served: str = ""
    forgot: bool = False
    marks: dict[str, dict[str, Any]] = field(default_factory=dict)
    """What Dagster holds of the frozen year's partition of a community, by its name."""
    data: dict[str, list[str]] = field(default_factory=dict)
    wall_seconds: float = 0.0

    @property
    def drop(self) -> Path:
        return self.home.folder / "drop"

    @property
    def settings(self) -> dict[str, str | Path]:
        home = self.home.folder
        own = {"CRADLE_HOME": home, "CRADLE_SEEDS": self.home.seeds, "DAGSTER_HOME": home / "dagster"}
        return {**own, "CRADLE_TODAY": self.day, "CRADLE_SETTLE_SECONDS": "0", "CRADLE_PUBLIC": "off"}

    def say(self, line: str, code: int = 0, **settings: str) -> None:
        """A command of the guides in this process; another exit code than expected fails with its own words."""
        with pytest.MonkeyPatch.context() as patch:
            for name, value in {**self.settings, **settings}.items():
                patch.setenv(name, str(value))
            result = CliRunner().invoke(cli, shlex.split(line))
        if result.exit_code != code:
            pytest.fail(f"cradle {line} ended with {result.exit_code}:\n{result.output}\n{result.exception!r}")
        self.told[line] = result.output

    def run(self, line: str) -> None:
        """The main job, in a process of its own as it is for everybody."""
        process = warm_cradle(*shlex.split(line), **self.settings)
        if process.returncode:
            pytest.fail(f"cradle {line} ended with {process.returncode}:\n{process.stdout}{process.stderr}")
        self.told[line] = process.stdout

    def dagster(self, line: str, *more: str) -> str:
        """A command of Dagster's that the guides name."""
        program, *arguments = shlex.split(line)
        command = [str(Path(sys.executable).parent / program), *arguments, *more]
        environment = clean_environment(**self.settings)
        done = subprocess.run(
            command, env=environment, cwd=self.home.folder, capture_output=True, text=True, check=False
        )
        if done.returncode:
            pytest.fail(f"{line} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
        return done.stdout + done.stderr

    def keep(self, name: str) -> None:
        """What stands after a step."""
        self.releases[name] = release = current(self.home.folder)
        query = "select community_id, reporting_year, status from marts.fct_submission_status"
        self.statuses[name] = {(community, year): status for community, year, status in release.rows(query)}
        query = "select status, explanation from marts.fct_finding where finding_id = ?"
        self.stood[name] = [row for _, finding in self.questions for row in release.rows(query, finding)]

    def wait(self, name: str) -> None:
        """Until everything that lies in the bucket is taken and released and no run goes on; nobody calls a command."""
        with self.history() as instance:
            until(f"everything {name} is released", lambda: self._rests(instance), 5 * PATIENCE_SECONDS)
            self.runs = _runs(instance)
        self.keep(name)

    @contextmanager
    def history(self) -> Iterator[dg.DagsterInstance]:
        """Dagster's record of the home's runs, and this process in the home on the day."""
        with self.home.day(self.day), pytest.MonkeyPatch.context() as patch:
            patch.setenv("DAGSTER_HOME", str(self.home.folder / "dagster"))
            with dg.DagsterInstance.get() as instance:
                yield instance

    def _rests(self, instance: dg.DagsterInstance) -> bool:
        ended = all(status in ("SUCCESS", "FAILURE", "CANCELED") for _, status, _ in _runs(instance))
        return ended and Pipeline(from_environment()).nothing_new(Selection())

    def write(self, path: str, *lines: str) -> None:
        target = self.drop / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _runs(instance: dg.DagsterInstance) -> list[tuple[str, str, bool]]:
    """Job, status, and whether the sensor asked for it, as a run or behind the intake that it asked for."""

    def asked(run: dg.DagsterRun) -> bool:
        return "dagster/sensor_name" in run.tags or run.tags.get(STARTED_BY) == INTAKE

    records = instance.get_run_records(ascending=True)
    # A run is listed from the moment it is asked for: of two that wait, the later one may go first.
    begun = sorted(records, key=lambda record: record.start_time or math.inf)
    return [(run.job_name, run.status.value, asked(run)) for run in (record.dagster_run for record in begun)]


@contextmanager
def services(year: Year) -> Iterator[Path]:
    """Code server and daemon as docs/operations.md starts them; gives the workspace that all of them use."""
    folder, port = year.home.folder, free_port()
    (folder / "dagster").mkdir(exist_ok=True)
    shutil.copyfile(PROJECT_ROOT / "dagster.yaml", folder / "dagster" / "dagster.yaml")
    workspace = folder / "workspace.yaml"
    server = json.dumps({"host": "127.0.0.1", "port": port, "location_name": "cradle"})
    workspace.write_text(f'{{"load_from": [{{"grpc_server": {server}}}]}}\n', encoding="utf-8")
    code, log = ("-h", "127.0.0.1", "-p", str(port), "-m", "dagster_project.definitions"), folder / "code.log"
    with started(log, "dagster", "code-server", "start", *code, "--location-name", "cradle", **year.settings):
        until("the code server answers", lambda: listens(port))
        log, place = folder / "daemon.log", str(workspace)
        with started(log, "dagster-daemon", "run", "-w", place, "--log-format", "json", **year.settings):
            yield workspace


@pytest.fixture(scope="module")
def year(tmp_path_factory: pytest.TempPathFactory, record_testsuite_property: Any) -> Year:
    """The whole year; every test looks at what it left."""
    begun = time.monotonic()
    folder = tmp_path_factory.mktemp("year")
    year = Year(Home(folder / "home", few_seeds(folder / "seeds")))
    generate(year.drop, communities=COMMUNITIES, first_year=2019, last_year=NEXT_YEAR)
    later = {path: folder / "later" / path.relative_to(year.drop) for path in year.drop.glob(f"*/{NEXT_YEAR}")}
    later[year.drop / LATE / str(YEAR)] = folder / "late"
    for path, place in later.items():
        place.parent.mkdir(parents=True, exist_ok=True)
        path.rename(place)
    with services(year) as workspace:
        year.wait("uploaded")
        _late_upload_and_answers(year, folder / "late")
        _look_around(year, folder)
        year.wait("answered")
        _review(year)
        year.say(f"freeze {YEAR}")
        year.refused = year.home.continued(year.day)
        _correct(year, workspace)
        year.wait("corrected")
    _next_cycle(year, folder / "later")
    year.wall_seconds = round(time.monotonic() - begun, 1)
    record_testsuite_property("seconds of the data team's year", year.wall_seconds)
    print(f"the data team's year took {year.wall_seconds} s")
    return year


def _late_upload_and_answers(year: Year, late: Path) -> None:
    """In one burst: the folder that was missing, and answers of two communities to their questions."""
    year.questions = year.releases["uploaded"].rows(OPEN_QUESTIONS, YEAR, LATE)[:2]
    for community, finding in year.questions:
        with (year.drop / community / str(YEAR) / "explanations.csv").open("a", encoding="utf-8") as answers:
            answers.write(f"finding_id,text\n{finding},The school was rebuilt in that year\n")
    late.rename(year.drop / LATE / str(YEAR))


def _look_around(year: Year, folder: Path) -> None:
    """What reads and writes nothing of the house, while the daemon takes the burst."""
    year.say(f"status --year {YEAR} --json")
    year.say(f"status --community {LATE},{COMMUNITY} --status late")
    year.say("suggest")
    year.say(f"explain {COMMUNITY} early_grade_reading --year {YEAR}")
    year.say(f"explain {COMMUNITY} {DESIGNATION} --year {YEAR}")
    year.say(f"explain {COMMUNITY} --year {YEAR} --json")
    year.say("seeds upgrade --dry-run")
    year.say("seeds upgrade")
    year.say(f"grant {COMMUNITY}", code=2)
    workbook = shlex.quote(str(folder / "template.xlsx"))
    year.say(f"template --community {COMMUNITY} --year {NEXT_YEAR} --output {workbook}")
    year.say(f"check {workbook} --community {COMMUNITY} --year {YEAR}")
    values = shlex.quote(str(year.drop / COMMUNITY / str(YEAR) / "indicator_values.csv"))
    year.say(f"layout try {values} --community {COMMUNITY} --year {YEAR}")
    wide = PROJECT_ROOT / "contracts" / "layouts" / "samples" / "example_wide_years" / "pass" / "trends_2019.csv"
    year.say(f"layout try {shlex.quote(str(wide))} --layout example_wide_years")
    year.dagster("dagster-daemon liveness-check")


def _review(year: Year) -> None:
    """The network accepts one answer and rejects the other; the data team runs the main job beside the daemon."""
    (_, good), (doubted, bad) = year.questions
    head = "finding_id,decision,decided_on,approver,reason"
    decided = [f"{good},accepted,{AFTER_DUE},The network,", f"{bad},rejected,{AFTER_DUE},The network,{WHY_NOT}"]
    year.write(f"_network/{YEAR}/explanation_decisions.csv", head, *decided)
    year.run("run")
    year.keep("reviewed")
    year.receipts["reviewed"] = receipt(year.home.folder, doubted, YEAR)


def _correct(year: Year, workspace: Path) -> None:
    """A correction after the freeze, taken by the job that the guide launches; the sensor asks for the build.

    It comes while the launched job waits its turn: a moment earlier the sensor would have asked for an intake itself.
    """
    config = json.dumps({"ops": {"take_folders": {"config": LAUNCHED}}})
    with only_one(from_environment({"CRADLE_HOME": str(year.home.folder)})):
        year.dagster("dagster job launch -j ingest -w", str(workspace), "--config-json", config)
        year.write(f"{COMMUNITY}/{YEAR}/restated.csv", restatement().rstrip("\n"))
    port = free_port()
    log, at = year.home.folder / "web.log", ("-h", "127.0.0.1", "-p", str(port), "-w", str(workspace))
    with started(log, "dagster-webserver", *at, "--read-only", "--log-format", "json", **year.settings):
        until("the webserver answers", lambda: listens(port))
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/server_info", timeout=60) as answer:
            year.served = answer.read().decode()
    before, after = (year.releases[name].folder.name for name in ("uploaded", "answered"))
    year.say(f"compare {before} {after}")
    year.say(f"compare {before} {after} --json")
    year.say(f"compare {before} {after} --community {LATE},{COMMUNITY} --table fct_designation --cells")
    year.say(f"verify {after}")


def _next_cycle(year: Year, later: Path) -> None:
    """The services are stopped; the next year's folders come, on a day of that year, and old releases go."""
    year.receipts["corrected"] = receipt(year.home.folder, COMMUNITY, YEAR)
    year.say("reconcile --json")
    year.say("reconcile")
    year.say('release finalize current --reason "sent to the board" --waive-reviews "read out at the meeting"')
    year.day = NEXT_DAY
    for path in later.glob("*/*"):
        shutil.copytree(path, year.drop / path.relative_to(later))
    year.run("run --years 2015..2024 --since-last")
    year.keep("next cycle")
    year.say("verify")
    year.say("prune --dry-run", CRADLE_RELEASES_KEPT="0")
    year.data["before"] = _with_data(year)
    year.say("prune", CRADLE_RELEASES_KEPT="0")
    year.data["after"] = _with_data(year)
    year.say("doctor")
    year.dagster("dagster instance migrate")
    with year.history() as instance:
        year.marks = {community: _mark(instance, community) for community in (COMMUNITY, LATE)}
        oldest = instance.get_runs(ascending=True, limit=1)[0].run_id
        year.dagster("dagster run delete --force", oldest)
        year.forgot = instance.get_run_by_id(oldest) is None


def _mark(instance: dg.DagsterInstance, community: str) -> dict[str, Any]:
    only = dg.AssetRecordsFilter(SUBMISSIONS, asset_partitions=[partition_key(community, YEAR)])
    mark = instance.fetch_materializations(only, limit=1).records[0].asset_materialization
    assert mark is not None
    values = {name: entry.value for name, entry in mark.metadata.items()}
    table = mark.metadata.get("first_findings")
    return {**values, "first_findings": table.records if isinstance(table, dg.TableMetadataValue) else []}


def _with_data(year: Year) -> list[str]:
    return sorted(path.parent.name for path in (year.home.folder / "publish" / "releases").glob("*/internal.duckdb"))


# --- Uploads, late ones, questions -------------------------------------------------------------------------------


def test_uploads_are_taken_by_the_sensor_and_released_without_a_word(year: Year) -> None:
    assert year.runs[:2] == [("ingest", "SUCCESS", True), ("build", "SUCCESS", True)]
    missing = {place: status for place, status in year.statuses["uploaded"].items() if place[1] == YEAR}
    assert missing.pop((LATE, YEAR)) == "late"
    assert set(missing.values()) <= {"accepted", "accepted_with_queries"}


def test_a_late_folder_and_answers_in_one_burst_are_one_intake_and_one_build(year: Year) -> None:
    assert year.runs[2:4] == [("ingest", "SUCCESS", True), ("build", "SUCCESS", True)]
    assert year.statuses["answered"][LATE, YEAR].startswith("accepted")


def test_no_run_of_the_year_failed_and_the_sensor_followed_the_job_that_was_launched(year: Year) -> None:
    """Builds may go before it, since the freeze is news too; the last one is of what it took."""
    assert {status for _, status, _ in year.runs} == {"SUCCESS"}
    assert year.runs[-2:] == [("ingest", "SUCCESS", False), ("build", "SUCCESS", True)]


# --- Answers and reviews -----------------------------------------------------------------------------------------


def test_an_answer_closes_its_question_until_a_reviewer_rejects_it(year: Year) -> None:
    assert [status for status, _ in year.stood["answered"]] == ["explained", "explained"]
    assert [status for status, _ in year.stood["reviewed"]] == ["explained", "open"]
    assert WHY_NOT in year.stood["reviewed"][1][1]


def test_the_receipt_of_a_rejected_answer_says_why(year: Year) -> None:
    (told,) = (row for row in year.receipts["reviewed"]["findings"] if row["finding_id"] == year.questions[1][1])
    assert told["status"] == "open" and WHY_NOT in told["explanation"]


# --- Freeze, correction ------------------------------------------------------------------------------------------


def test_a_build_from_before_a_freeze_is_not_continued(year: Year) -> None:
    assert year.refused is not None
    assert year.refused.startswith("The bucket, the frozen cycles, the seeds, the rules, the code or the day changed")


def test_a_correction_of_a_frozen_year_is_released_and_frozen_records_stay(year: Year) -> None:
    before, corrected = year.releases["reviewed"], year.releases["corrected"]
    assert corrected.folder != before.folder
    assert corrected.rows(DECIDED, YEAR) == before.rows(DECIDED, YEAR)
    query = (
        f"select record_state, status, status_now from marts.fct_designation where {KEY.replace(', ', ' = ? and ')} = ?"
    )
    assert corrected.rows(query, COMMUNITY, DESIGNATION, YEAR) == [("frozen", "undetermined", "not_eligible")]
    rows = year.receipts["corrected"]["changes"]["eligibility"]
    assert {row["change"] for row in rows if row["table"] == "fct_designation"} == {"frozen"}


# --- The next cycle, pruning -------------------------------------------------------------------------------------


def test_the_next_cycle_comes_beside_the_frozen_one(year: Year) -> None:
    release = year.releases["next cycle"]
    assert {year.statuses["next cycle"][community, NEXT_YEAR] for community in (COMMUNITY, LATE)} <= {
        "accepted",
        "accepted_with_queries",
    }
    assert release.rows(DECIDED, YEAR) == year.releases["reviewed"].rows(DECIDED, YEAR)
    assert release.rows("select distinct record_state from marts.fct_designation where reporting_year = ?", NEXT_YEAR)


def test_pruning_leaves_the_current_release_the_final_one_and_that_of_the_frozen_cycle(year: Year) -> None:
    names = {step: release.folder.name for step, release in year.releases.items()}
    assert set(year.data["before"]) >= set(names.values())
    assert set(year.data["after"]) == {names[step] for step in ("reviewed", "corrected", "next cycle")}


def test_a_year_of_uploads_answers_and_runs_is_the_release_of_its_files(year: Year, tmp_path: Path) -> None:
    other = Home(tmp_path / "other", year.home.seeds)
    shutil.copytree(year.drop, other.folder / "drop")
    shutil.copytree(year.home.folder / "lake" / "frozen", other.folder / "lake" / "frozen")
    once, through_the_year = other.step(NEXT_DAY), year.releases["next cycle"]
    replaced = "select count(*) > 0 from marts.dim_submission where status = 'superseded'"
    assert [through_the_year.rows(replaced), once.release.rows(replaced)] == [[(True,)], [(False,)]]
    assert once.release.folder.name == through_the_year.folder.name
    assert once.release.hashes == through_the_year.hashes


# --- What commands and services said -----------------------------------------------------------------------------


def test_commands_of_the_guides_say_what_the_guides_promise(year: Year) -> None:
    told = year.told
    rows = json.loads(told[f"status --year {YEAR} --json"])
    assert {row["reporting_year"] for row in rows} == {YEAR}
    assert (
        f"Total {YEAR}: 1 community, due on {YEAR}-11-30: 1 late"
        in told[f"status --community {LATE},{COMMUNITY} --status late"]
    )
    assert "bucket = ledger = lake" in told["reconcile"]
    assert "all as the manifest says" in told["verify"]
    assert "nothing is missing" in told["seeds upgrade"]
    assert "BAD" not in told["doctor"]
    assert (
        f"{COMMUNITY}, {DESIGNATION}, reporting year {YEAR}" in told[f"explain {COMMUNITY} {DESIGNATION} --year {YEAR}"]
    )


def test_what_changed_opens_with_what_was_submitted_and_names_the_file_behind_each_verdict(year: Year) -> None:
    names = [year.releases[step].folder.name for step in ("uploaded", "answered")]
    lines = year.told[f"compare {names[0]} {names[1]}"].splitlines()
    assert lines[2].startswith("Submitted: 1 first, ")
    first = next(line for line in lines if line.startswith(f"  {LATE}/{YEAR} first: "))
    moved = next(line for line in lines if line.startswith(f"  {LATE} {YEAR}  ") and " -> " in line)
    file = moved.rpartition(f"; from {LATE}/{YEAR}/")[2].partition(" or ")[0]
    assert f"{file} added" in first
    kept = (year.home.folder / "publish" / "summaries" / f"{names[1]}.txt").read_text(encoding="utf-8").splitlines()
    assert kept[:3] == lines[:3]
    narrowed = year.told[
        f"compare {names[0]} {names[1]} --community {LATE},{COMMUNITY} --table fct_designation --cells"
    ]
    assert {line for line in narrowed.splitlines() if line.endswith(":")} >= {"fct_designation:"}
    assert "fct_trend:\n" not in narrowed


def test_each_partition_says_what_its_receipt_says(year: Year) -> None:
    for community in (COMMUNITY, LATE):
        told = json.loads((year.home.folder / "outbox" / community / str(YEAR) / "receipt.json").read_text("utf-8"))
        mark = year.marks[community]
        assert mark["status"] == told["status"]
        assert mark["findings"] == len(told["findings"])
        asked = [row for row in told["findings"] if row["severity"] == "explainable"]
        assert mark["findings_explainable"] == len(asked)
        assert mark["questions_open"] == sum(row["status"] == "open" for row in asked)
        assert Path(mark["receipt"]).is_file()
        shown = [record.data["rule"] for record in mark["first_findings"]]
        assert shown == [row["rule_id"] for row in told["findings"][: len(shown)]] and shown


def test_services_answer_and_their_logs_hold_no_notice_and_no_error(year: Year) -> None:
    assert "dagster_webserver_version" in year.served
    assert year.forgot
    for name in ("code", "daemon", "web"):
        log = (year.home.folder / f"{name}.log").read_text(encoding="utf-8")
        for word in ("Traceback", "Warning: ", "does not match the name", '"levelname": "ERROR"'):
            assert word not in log, log[-3000:]
