"""The data team's Dagster in a real browser, with its daemon: graph, partition, failed check, backfill, queued writers.

Belongs here: what only the running `dagster dev` can show, with the system's Chromium.
Does not: what runs compute, or rules of the sensor (tests/integration/test_orchestration.py). Without Chromium it skips
loudly; where CI=true it fails instead.
"""

from __future__ import annotations

import json
import os
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from dagster_project.instance.runs import only_one, somebody_writes
from dagster_project.partitions import partition_key
from dagster_project.settings import from_environment
from examples.generate import generate
from tests.browser.chromium import launched
from tests.daemons import PATIENCE_SECONDS, free_port, started, until
from tests.support import PROJECT

REPOSITORY = {"repositoryName": "__repository__", "repositoryLocationName": "cradle"}
TODAY = "2021-06-30"
SHOTS = os.environ.get("SCREENSHOTS")
"""A folder to keep pictures in, for people who want to look at them."""


@dataclass(frozen=True)
class Dagster:
    """A running `dagster dev`."""

    port: int
    home: Path
    launched: list[str] = field(default_factory=list)

    def ask(self, query: str, **variables: Any) -> Any:
        """One GraphQL question."""
        body = json.dumps({"query": query, "variables": variables}).encode()
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/graphql", body, {"content-type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            found = json.load(answer)
        assert "errors" not in found, found
        return found["data"]

    def loaded(self) -> bool:
        """Whether the server answers and the code location is loaded."""
        try:
            data = self.ask("{workspaceOrError{... on Workspace{locationEntries{name loadStatus}}}}")
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            return False
        return [(e["name"], e["loadStatus"]) for e in data["workspaceOrError"]["locationEntries"]] == [
            ("cradle", "LOADED")
        ]

    def runs(self) -> list[dict[str, Any]]:
        """All runs, the newest first."""
        fields = "runId jobName status tags{key value} stepStats{stepKey startTime endTime}"
        query = "{runsOrError{... on Runs{results{" + fields + "}}}}"
        return list(self.ask(query)["runsOrError"]["results"])

    def launch(self, job: str, config: Any) -> str:
        """Launch a job as the launchpad does; its run id."""
        query = (
            "mutation($p:ExecutionParams!){launchRun(executionParams:$p){__typename "
            "... on LaunchRunSuccess{run{runId}} ... on PythonError{message}}}"
        )
        parameters = {"selector": {**REPOSITORY, "pipelineName": job}, "runConfigData": config, "mode": "default"}
        return str(self.ask(query, p=parameters)["launchRun"]["run"]["runId"])

    def backfill(self, partitions: list[str]) -> str:
        """Launch a backfill of `lake/submissions` as its dialog does; its id."""
        query = (
            "mutation($p:LaunchBackfillParams!){launchPartitionBackfill(backfillParams:$p){__typename "
            "... on LaunchBackfillSuccess{backfillId} ... on PythonError{message}}}"
        )
        parameters = {"assetSelection": [{"path": ["lake", "submissions"]}], "partitionNames": partitions}
        return str(self.ask(query, p=parameters)["launchPartitionBackfill"]["backfillId"])


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    yield from launched()


@pytest.fixture(scope="module")
def dagster(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dagster]:
    """`dagster dev` over two communities; the sensor does the rest by itself."""
    home = tmp_path_factory.mktemp("ui") / "home"
    generate(home / "drop", communities=2, first_year=2018, last_year=2020)
    (home / "drop" / "atlantis_bay" / "2020").mkdir(parents=True, exist_ok=True)
    (home / "drop" / "atlantis_bay" / "2020" / "lost.csv").write_text("a\n1\n")
    (home / "dagster").mkdir()
    (home / "dagster" / "dagster.yaml").write_text((PROJECT / "dagster.yaml").read_text(encoding="utf-8"))
    port = free_port()
    # The public edition under the daemon is a year's (tests/integration/test_year.py).
    settings = {"CRADLE_HOME": home, "CRADLE_TODAY": TODAY, "CRADLE_PUBLIC": "off", "DAGSTER_HOME": home / "dagster"}
    command = ("dagster", "dev", "-h", "127.0.0.1", "-p", str(port), "-w", str(PROJECT / "workspace.yaml"))
    with started(home / "dev.log", *command, **settings):
        running = Dagster(port, home)
        until("dagster dev answers and has loaded the project", running.loaded)
        yield running


@pytest.fixture(scope="module")
def ingested(dagster: Dagster) -> Dagster:
    """After two intakes that were launched at once; the sensor may have asked for one of its own before them."""
    for _ in range(2):
        dagster.launched.append(dagster.launch("ingest", {"ops": {"take_folders": {"config": {"again": True}}}}))
    until("both intakes succeeded", lambda: [run["status"] for run in intakes(dagster)] == ["SUCCESS"] * 2)
    return dagster


def intakes(dagster: Dagster) -> list[dict[str, Any]]:
    """The two that were launched by hand."""
    return [run for run in dagster.runs() if run["runId"] in dagster.launched]


@pytest.fixture(scope="module")
def page(browser: Browser) -> Iterator[Page]:
    opened = browser.new_page(viewport={"width": 1500, "height": 950})
    asked: list[str] = []
    opened.on("request", lambda request: asked.append(request.url))
    yield opened
    opened.close()
    beyond = {url for url in asked if not url.startswith(("http://127.0.0.1", "ws://127.0.0.1", "data:", "blob:"))}
    assert not beyond, "the UI asks nobody else"


def keep(page: Page, name: str) -> None:
    if SHOTS:
        Path(SHOTS).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=str(Path(SHOTS) / f"{name}.png"))


def test_two_runs_that_were_launched_at_once_write_one_after_the_other(ingested: Dagster) -> None:
    one, other = ([step for step in run["stepStats"] if step["startTime"]] for run in intakes(ingested))
    assert [step["stepKey"] for step in one] == [step["stepKey"] for step in other] == ["take_folders", "build_behind"]
    first, second = sorted((one, other), key=lambda steps: float(steps[0]["startTime"]))
    assert first[-1]["endTime"] <= second[0]["startTime"]


def test_the_graph_reads_from_the_bucket_to_the_release(ingested: Dagster, page: Page) -> None:
    page.goto(f"http://127.0.0.1:{ingested.port}/asset-groups")
    names = ["drop", "intake", "landing", "staging", "marts", "analysis", "reporting", "publish"]
    places = []
    for name in names:
        box = page.locator("svg").get_by_text(name, exact=True).first
        expect(box).to_be_visible(timeout=60_000)
        places.append((box.bounding_box() or {"x": 0})["x"])
    keep(page, "graph")
    assert places == sorted(places), "left to right as the house does"


def test_a_partition_shows_its_own_submission(ingested: Dagster, page: Page) -> None:
    page.goto(
        f"http://127.0.0.1:{ingested.port}/assets/lake/submissions?view=partitions&partition=alderwick_bend%7C2019"
    )
    for label in ("submission_id", "rows_accepted", "findings", "contract_version"):
        expect(page.get_by_text(label, exact=True).first).to_be_visible(timeout=60_000)
    shown = page.locator("body").inner_text()
    keep(page, "partition")
    receipt = [event for event in ("accepted", "accepted_with_queries") if event in shown]
    # The step that spoke last: intake, or after the build the one that wrote the receipt.
    assert receipt and any(step in shown for step in ("take_folders", "landing"))


def test_a_failed_check_names_what_is_wrong_and_what_to_do(ingested: Dagster, page: Page) -> None:
    page.goto(f"http://127.0.0.1:{ingested.port}/assets/drop/files?view=checks&checkDetail=nothing_astray")
    # The page fills in parts, so each is waited for by itself.
    for text in ("atlantis_bay", "Failed", "unknown_community", "Fix: move the files"):
        expect(page.get_by_text(text).first).to_be_visible(timeout=60_000)
    keep(page, "check")


def test_no_dialog_covers_the_page_and_nothing_is_reported_to_anybody(ingested: Dagster, page: Page) -> None:
    page.goto(f"http://127.0.0.1:{ingested.port}/runs")
    expect(page.get_by_text("ingest").first).to_be_visible(timeout=60_000)
    keep(page, "runs")
    assert page.get_by_role("dialog").count() == 0
    told = ingested.ask("{instance{info} }")["instance"]["info"] or ""
    assert "enabled: false" in told.split("telemetry:")[1][:60]


def test_a_running_backfill_shows_how_far_it_is(ingested: Dagster, page: Page) -> None:
    config = from_environment({"CRADLE_HOME": str(ingested.home)})
    places = {path.parent.name for path in (ingested.home / "drop").glob("*/2019")} - {"_network"}
    wanted = [str(partition_key(community, year)) for community in sorted(places) for year in (2018, 2019, 2020)]
    # A build that is still queued would wait for the lock before the backfill does, and the backfill for it.
    until("the first build ended", lambda: ended(ingested, "build"), 2 * PATIENCE_SECONDS)
    with only_one(config):  # No run writes before the page is looked at.
        backfill = ingested.backfill(wanted)
        page.goto(f"http://127.0.0.1:{ingested.port}/runs/b/{backfill}")
        expect(page.get_by_text("In progress").first).to_be_visible(timeout=60_000)
        until("a run waits for the lock", lambda: backfilled(ingested, backfill, "STARTED"))
    until("the first run writes", lambda: somebody_writes(config))
    with only_one(config):  # Let go of by the first run, and the second waits in turn.
        until("the first run is done", lambda: len(backfilled(ingested, backfill, "SUCCESS")) == 1)
        expect(page.get_by_text("50% completed")).to_be_visible(timeout=60_000)
        keep(page, "backfill")
    until("both runs are done", lambda: len(backfilled(ingested, backfill, "SUCCESS")) == 2)
    expect(page.get_by_text("100% completed")).to_be_visible(timeout=60_000)
    keep(page, "backfill_done")


def ended(dagster: Dagster, job: str) -> bool:
    """Whether there is a run of this job, and no run of any job goes on."""
    runs = dagster.runs()
    over = all(run["status"] in ("SUCCESS", "FAILURE") for run in runs)
    return over and any(run["jobName"] == job for run in runs)


def backfilled(dagster: Dagster, backfill: str, status: str) -> list[dict[str, Any]]:
    """Runs of a backfill that have a status."""
    mine = {"key": "dagster/backfill", "value": backfill}
    return [run for run in dagster.runs() if mine in run["tags"] and run["status"] == status]


def test_the_log_of_the_start_holds_no_notice_and_no_error(ingested: Dagster) -> None:
    log = (ingested.home / "dev.log").read_text(encoding="utf-8")
    for word in (
        "Traceback",
        "BetaWarning",
        "PreviewWarning",
        "DeprecationWarning",
        "ERROR",
        "ASSET_MATERIALIZATION",
        "code location name",
    ):
        assert word not in log, log[-3000:]
