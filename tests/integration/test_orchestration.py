"""Orchestration: any set of partitions in one run, the same result in any order, one writer, nothing asked for twice.

Belongs here: the jobs, the sensor, the checks that hold a release back, and what a died run leaves, in this process.
Does not: the pure rules (tests/unit/warehouse), a daemon and a browser (tests/browser/test_dagster_ui.py).
"""

from __future__ import annotations

import datetime as dt
import json
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

import dagster as dg
import polars as pl
import pytest
import yaml

from dagster_project.definitions import defs
from dagster_project.defs import automation
from dagster_project.defs import intake as intake_room
from dagster_project.defs.automation import IDLE_LOOKS, MOST_LOOKS, bucket
from dagster_project.defs.partition_marks import receipt_materialization
from dagster_project.defs.warehouse import LANDING_TABLES, row_counts
from dagster_project.instance.marks import Marks
from dagster_project.instance.runs import (
    COMMAND_LINE,
    INTAKE,
    QUIET,
    STARTED_BY,
    close_dead_runs,
    forget_runs,
    forget_these,
    only_one,
    selection_config,
    somebody_writes,
)
from dagster_project.lib.app.analysis import AnalysisOutcome
from dagster_project.lib.app.frozen import FROZEN_TABLE, released_cycles
from dagster_project.lib.app.pipeline import Pipeline
from dagster_project.lib.base import engine
from dagster_project.lib.base.store import DeniedError, Store, StoreError
from dagster_project.lib.intake.bucket.ledger import Ledger, newest_states
from dagster_project.lib.intake.bucket.plan import BucketFaultError, ChoiceError, Selection
from dagster_project.lib.publish.release.release import Release
from dagster_project.lib.warehouse.dbt_run import MANIFEST, WarehouseError
from dagster_project.lib.warehouse.landing import Landed, write_tables
from dagster_project.lib.warehouse.standing import NodeResult
from dagster_project.partitions import SUBMISSION_PARTITIONS, partition_key
from dagster_project.settings import PROJECT_ROOT, Settings, from_environment
from examples.generate import generate

TODAY = "2021-06-30"
YEARS = range(2016, 2021)
SUBMISSIONS = dg.AssetKey(["lake", "submissions"])


@pytest.fixture(scope="module")
def drop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two communities over five years: ten partitions."""
    folder = tmp_path_factory.mktemp("drop")
    generate(folder, communities=2, first_year=YEARS[0], last_year=YEARS[-1])
    return folder


@pytest.fixture
def home(tmp_path: Path, drop: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home with those partitions in its bucket and nothing else."""
    return make_home(tmp_path, drop, monkeypatch)


def make_home(folder: Path, drop: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in [name for name in os.environ if name.startswith("CRADLE_")]:
        monkeypatch.delenv(name)
    home = folder / "home"
    shutil.copytree(drop, home / "drop")
    (home / "dagster").mkdir()
    shutil.copyfile(PROJECT_ROOT / "dagster.yaml", home / "dagster" / "dagster.yaml")
    monkeypatch.setenv("CRADLE_HOME", str(home))
    monkeypatch.setenv("CRADLE_TODAY", TODAY)
    monkeypatch.setenv("CRADLE_SETTLE_SECONDS", "0")
    monkeypatch.setenv("DAGSTER_HOME", str(home / "dagster"))
    return home


@pytest.fixture
def history(home: Path) -> Iterator[dg.DagsterInstance]:
    """The instance as it is in use: SQLite files below DAGSTER_HOME."""
    with dg.DagsterInstance.get() as kept:
        yield kept


@pytest.fixture
def instance(home: Path) -> Iterator[dg.DagsterInstance]:
    """An instance in memory, for what does not depend on where history is kept."""
    with dg.DagsterInstance.ephemeral() as forgotten:
        yield forgotten


def ingest(instance: dg.DagsterInstance, selection: Selection, receipts_of: int = 0) -> dg.ExecuteInProcessResult:
    """The job without its receipts, as in front of a build, unless they are asked for."""
    job = defs().resolve_job_def("ingest")
    config = {**QUIET, **selection_config(selection, receipts_of=receipts_of)}
    return job.execute_in_process(instance=instance, run_config=config)


@pytest.mark.parametrize(
    ("selection", "said"),
    [
        (Selection(frozenset(["aspenreac"])), "aspenreac is not a community of the network"),
        (Selection(years=frozenset([1999]), again=True), "1999 is not a reporting year; they run from 2015 to"),
    ],
)
def test_an_intake_launched_with_a_mistyped_choice_fails_and_names_it(
    home: Path, instance: dg.DagsterInstance, selection: Selection, said: str
) -> None:
    with pytest.raises(ChoiceError, match=said):
        ingest(instance, selection)


def build(instance: dg.DagsterInstance) -> dg.ExecuteInProcessResult:
    job = defs().resolve_job_def("build")
    return job.execute_in_process(instance=instance, run_config=QUIET, raise_on_error=False)


def one(community: str, year: int) -> Selection:
    return Selection(frozenset([community]), frozenset([year]), again=True)


def folders(home: Path) -> list[tuple[str, int]]:
    """Partitions that have a folder; the network's own included, misspelt ones left out."""
    known = {(key.keys_by_dimension["community"], key.keys_by_dimension["reporting_year"]) for key in keys()}
    found = {(path.parent.name, path.name) for path in (home / "drop").glob("*/*") if path.is_dir()}
    return sorted((community, int(year)) for community, year in found & known)


def keys() -> list[dg.MultiPartitionKey]:
    return [key for key in SUBMISSION_PARTITIONS.get_partition_keys() if isinstance(key, dg.MultiPartitionKey)]


def materialized(instance: dg.DagsterInstance, run_id: str | None = None) -> dict[str, dg.AssetMaterialization]:
    """The newest materialization of each partition of submissions, of one run or of all."""
    found: dict[str, dg.AssetMaterialization] = {}
    for record in reversed(instance.fetch_materializations(SUBMISSIONS, limit=1000).records):
        event = record.asset_materialization
        if event and event.partition and run_id in (None, record.run_id):
            found[event.partition] = event
    return found


def value(event: dg.AssetMaterialization, name: str) -> Any:
    return event.metadata[name].value


# --- Receipts ------------------------------------------------------------------------------------------------------


def received(home: Path, community: str, year: int) -> str | None:
    """The submission that the latest receipt of a folder speaks of; None without a receipt."""
    path = home / "outbox" / community / str(year) / "receipt.json"
    return json.loads(path.read_bytes())["submission_id"] if path.exists() else None


def test_a_member_has_its_receipt_before_anything_is_built(home: Path, instance: dg.DagsterInstance) -> None:
    community, year = next(place for place in folders(home) if place[0] != "_network")
    assert ingest(instance, one(community, year), intake_room.FEW).success
    states = newest_states(Pipeline(from_environment()).ledger.events())
    stands = states.filter(community_id=community, reporting_year=year)["submission_id"].item()
    assert received(home, community, year) == stands
    assert not (home / "work" / "landing").exists(), "what the last build read stays as it was"
    assert value(materialized(instance)[str(partition_key(community, year))], "receipt").endswith("receipt.html")


def test_receipts_of_a_backfill_are_written_by_the_build_behind_it(home: Path, instance: dg.DagsterInstance) -> None:
    assert ingest(instance, Selection(), receipts_of=len(folders(home)) - 1).success
    assert not list((home / "outbox").rglob("receipt.json"))


# --- Backfills -----------------------------------------------------------------------------------------------------


def landing_of(settings: Settings) -> Mapping[str, pl.DataFrame]:
    return Pipeline(settings).land()[0].tables


def test_one_ranged_backfill_equals_single_runs_in_random_order(
    tmp_path: Path, drop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        home = make_home(tmp_path / "range", drop, patch)
        places = folders(home)
        assert len(places) >= 10
        with dg.DagsterInstance.ephemeral() as instance:
            ingest(instance, Selection(again=True))
        ranged = landing_of(from_environment())
    home = make_home(tmp_path / "singles", drop, monkeypatch)
    random.Random(17).shuffle(places)
    with dg.DagsterInstance.ephemeral() as instance:
        for community, year in places:
            ingest(instance, one(community, year))
    singles = landing_of(from_environment())
    assert ranged.keys() == singles.keys()
    unequal = [name for name in ranged if not ranged[name].equals(singles[name])]
    assert not unequal
    assert ranged["observations"].height > 100


def test_a_scattered_set_is_one_run_that_marks_each_partition_by_itself(
    home: Path, history: dg.DagsterInstance
) -> None:
    instance = history
    first, second = sorted({community for community, _ in folders(home)} - {"_network"})
    done = ingest(instance, Selection(frozenset([first, second]), frozenset([2016, 2019]), again=True))
    marked = materialized(instance, done.run_id)
    assert sorted(marked) == sorted(str(partition_key(c, y)) for c in (first, second) for y in (2016, 2019))
    assert len({event.tags["dagster/data_version"] for event in marked.values()}) == 4
    for event in marked.values():
        assert event.tags["dagster/data_version"] == value(event, "submission_id")
        assert value(event, "rows_read") >= value(event, "rows_accepted") > 0
        assert value(event, "contract_version") == 1
        assert value(event, "files") >= 1 and value(event, "findings") >= 0


def test_the_backfill_dialog_takes_a_range_in_one_run_and_marks_the_rectangle(
    home: Path, instance: dg.DagsterInstance
) -> None:
    first, second = sorted({community for community, _ in folders(home)} - {"_network"})
    start, end = partition_key(first, 2017), partition_key(second, 2019)
    result = dg.materialize(
        [intake_room.submissions],
        instance=instance,
        resources={"cradle": defs().resources["cradle"]} if defs().resources else None,
        tags={"dagster/asset_partition_range_start": str(start), "dagster/asset_partition_range_end": str(end)},
        run_config=QUIET,
    )
    marked = materialized(instance, result.run_id)
    between = [c for c in communities() if first <= c <= second]
    expected = {str(partition_key(c, y)) for c, y in folders(home) if c in between and 2017 <= y <= 2019}
    assert set(marked) == expected and len(expected) >= 6
    job = ingest(instance, Selection(frozenset(between), frozenset(range(2017, 2020)), again=True))
    for key, event in materialized(instance, job.run_id).items():
        assert event.metadata == marked[key].metadata, "the job and the dialog are one code path"


@pytest.mark.parametrize(
    ("places", "years", "runs"),
    [
        ((0, 1, 2), (2016, 2017, 2018), 3),
        ((0, 1, 2), (2016, 2017), 2),
        ((0, 1, 3), (2016, 2017), 4),
        ((0,), (2016, 2018), 2),
    ],
)
def test_the_backfill_dialog_makes_as_many_runs_as_the_guide_says(
    places: tuple[int, ...], years: tuple[int, ...], runs: int
) -> None:
    listed = list(dict.fromkeys(key.keys_by_dimension["community"] for key in keys() if key.startswith("a")))
    chosen = [partition_key(listed[place], year) for place in places for year in years]
    ranges = SUBMISSION_PARTITIONS.subset_with_partition_keys(chosen).get_partition_key_ranges(SUBMISSION_PARTITIONS)
    assert len(ranges) == runs


def communities() -> list[str]:
    return sorted({key.keys_by_dimension["community"] for key in keys()})


def test_a_withdrawn_folder_is_marked_as_withdrawn(home: Path, instance: dg.DagsterInstance) -> None:
    place = folders(home)[0]
    ingest(instance, one(*place))
    shutil.rmtree(home / "drop" / place[0] / str(place[1]))
    done = ingest(instance, Selection(frozenset([place[0]]), frozenset([place[1]])))
    event = materialized(instance, done.run_id)[str(partition_key(*place))]
    assert (value(event, "status"), event.tags["dagster/data_version"]) == ("withdrawn", "withdrawn")


def test_a_build_marks_the_partitions_whose_receipts_it_wrote_and_no_other(
    home: Path, steps: list[str], instance: dg.DagsterInstance
) -> None:
    first = materialized(instance, build(instance).run_id)
    assert set(first) == {str(partition_key(*place)) for place in folders(home) if place[0] != "_network"}
    for key, event in first.items():
        community, year = key.split("|")
        told = json.loads((home / "outbox" / community / year / "receipt.json").read_text(encoding="utf-8"))
        assert (value(event, "status"), value(event, "findings")) == (told["status"], len(told["findings"]))
        assert value(event, "receipt") == str(home / "outbox" / community / year / "receipt.html")
        assert event.tags["dagster/data_version"] == told["submission_id"]
        assert event.description == told["first_line"]
    assert not materialized(instance, build(instance).run_id), "nothing changed, nothing is said again"


def test_shares_are_rounded_and_a_refused_file_is_named_without_a_word_of_it() -> None:
    finding = {"severity": "fatal", "rule_id": "person_level", "status": "open", "source_sheet": None}
    names = ("s.csv", "t.csv")
    files = [{"name": name, "kind": kind, "rows_read": 3, "rows_accepted": 2, "rows_rejected": 1}
             for name, kind in zip(names, ("refused", "table"), strict=True)]  # fmt: skip
    findings = [finding | {"source_file": name, "source_row": 7, "message": f"Zyxwvut in {name}"} for name in names]
    told = {
        "community_id": "aspenreach",
        "reporting_year": 2020,
        "submission_id": "s",
        "status": "accepted_with_queries",
    }
    told |= {"first_line": "", "contract_version": 1, "files": files, "findings": findings}
    mark = receipt_materialization(told, partition_key("aspenreach", 2020), "s3://outbox")
    assert value(mark, "rejected_share") == 0.3333
    assert value(mark, "findings_fatal") == 2 and value(mark, "receipt") == "s3://outbox/aspenreach/2020/receipt.html"
    rows = [record.data for record in mark.metadata["first_findings"].records]  # type: ignore[union-attr]
    assert [(row["file"], row["row"], row["message"]) for row in rows] == [
        ("s.csv", None, "see the receipt"),
        ("t.csv", 7, "Zyxwvut in t.csv"),
    ]


def test_a_rejected_folder_is_told_by_partition_and_again_when_it_is_mended(
    home: Path, instance: dg.DagsterInstance
) -> None:
    community, year = next(place for place in folders(home) if place[0] != "_network")
    folder = home / "drop" / community / str(year)
    kept = {path.name: path.read_bytes() for path in folder.iterdir()}
    for path in folder.iterdir():
        path.unlink()
    (folder / "values.csv").write_text("school_year,indicator,dimension,group\nnever,nothing,all,all\n")
    bad = ingest(instance, one(community, year))
    for name, data in kept.items():
        (folder / name).write_bytes(data)
    good = ingest(instance, one(community, year))
    quiet = ingest(instance, one(community, year))
    assert [verdicts(run) for run in (bad, good, quiet)] == [
        {str(partition_key(community, year)): False},
        {str(partition_key(community, year)): True},
        {},
    ]


def verdicts(run: dg.ExecuteInProcessResult) -> dict[str, bool]:
    return {str(a.partition): a.passed for a in run.get_asset_check_evaluations() if a.check_name == "submitted"}


# --- What holds a release back -------------------------------------------------------------------------------------


@pytest.fixture
def steps(home: Path, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The steps behind landing replaced by ones that note their names: the wiring is tested, not the work."""
    ingest(instance, Selection())
    done: list[str] = []
    nodes = json.loads(MANIFEST.read_text(encoding="utf-8"))["nodes"]
    parents = {name: [p for p in node["depends_on"].get("nodes", []) if p in nodes] for name, node in nodes.items()}
    order = list(TopologicalSorter(parents).static_order())

    def built(self: Pipeline) -> list[NodeResult]:
        done.append("dbt")
        return [succeeded(unique_id, nodes[unique_id]) for unique_id in order]

    def analysed(self: Pipeline) -> AnalysisOutcome:
        done.append("analysis")
        tables = {name: pl.DataFrame() for name in defs_analysis_tables()}
        write_tables({FROZEN_TABLE: released_cycles(self.frozen)}, self.settings.analysis)
        return AnalysisOutcome(tables, True, 0.0, 1)

    def released(self: Pipeline) -> Release:
        done.append("release")
        return Release("r", {"tables": [], "report_edition": "internal"}, True)

    monkeypatch.setenv("CRADLE_PUBLIC", "off")  # There is no release here of which a public edition could be made.
    monkeypatch.setattr(Pipeline, "build_core", built)
    monkeypatch.setattr(Pipeline, "build_reporting", built)
    monkeypatch.setattr(Pipeline, "analyse", analysed)
    monkeypatch.setattr(Pipeline, "release", released)
    status = pl.DataFrame(
        schema={
            "community_id": pl.String,
            "reporting_year": pl.Int32,
            "status": pl.String,
            "due_on": pl.Date,
            "submission_id": pl.String,
        }
    )
    monkeypatch.setattr("dagster_project.defs.warehouse._status", lambda pipeline: status)
    return done


def defs_analysis_tables() -> list[str]:
    specs = defs().resolve_all_asset_specs()
    return [spec.key.path[-1] for spec in specs if spec.key.path[0] == "analysis"]


def succeeded(unique_id: str, node: Mapping[str, Any]) -> NodeResult:
    status = "pass" if node["resource_type"] == "test" else "success"
    return NodeResult(unique_id, node["resource_type"], node["name"], status, 0.1, None, 0)


def test_a_build_without_a_failing_check_reaches_the_release(steps: list[str], instance: dg.DagsterInstance) -> None:
    assert build(instance).success
    assert steps == ["dbt", "analysis", "dbt", "release"]


def alone(instance: dg.DagsterInstance, *assets: str) -> dg.ExecuteInProcessResult:
    """Assets materialised by hand, without what stands before them."""
    keys = {dg.AssetKey(asset.split("/")) for asset in assets}
    job = defs().resolve_implicit_global_asset_job_def().get_subset(asset_selection=keys)
    return job.execute_in_process(instance=instance, run_config=QUIET, raise_on_error=False)


def test_a_release_launched_alone_after_a_seed_changed_is_refused_until_every_step_was_made_from_it(
    steps: list[str], home: Path, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert build(instance).success
    assert alone(instance, "publish/release").success, "over the same inputs it is the release that there is"
    shutil.copytree(PROJECT_ROOT / "seeds", home / "seeds")
    monkeypatch.setenv("CRADLE_SEEDS", str(home / "seeds"))
    parameters = home / "seeds" / "rulesets" / "ruleset_parameters.csv"
    text = parameters.read_text(encoding="utf-8")
    parameters.write_text(text.replace("1.1.0,trend.min_points,3", "1.1.0,trend.min_points,5"), encoding="utf-8")
    del steps[:]
    landing = [f"landing/{name}" for name in LANDING_TABLES]
    assert not alone(instance, "publish/release").success
    assert alone(instance, *landing).success
    assert not alone(instance, "publish/release").success
    assert alone(instance, *(f"analysis/{name}" for name in defs_analysis_tables())).success
    assert not alone(instance, "publish/release").success and "release" not in steps
    assert build(instance).success and steps[-1] == "release"


def intake_and_build(instance: dg.DagsterInstance, selection: Selection) -> dg.ExecuteInProcessResult:
    """The job as the sensor asks for it."""
    config = {**QUIET, **selection_config(selection, build=True)}
    return defs().resolve_job_def("ingest").execute_in_process(instance=instance, run_config=config)


def builds(instance: dg.DagsterInstance) -> list[tuple[str, str]]:
    runs = instance.get_runs(dg.RunsFilter(job_name="build"))
    return [(run.tags[STARTED_BY], run.status.value) for run in runs]


def test_an_intake_that_the_sensor_asked_for_is_followed_by_the_build_in_its_process(
    home: Path, instance: dg.DagsterInstance, steps: list[str]
) -> None:
    community, year = next(place for place in folders(home) if place[0] != "_network")
    assert intake_and_build(instance, Selection()).success
    assert steps[-4:] == ["dbt", "analysis", "dbt", "release"]
    assert builds(instance) == [(INTAKE, "SUCCESS")]
    assert received(home, community, year) is not None


def test_the_build_behind_an_intake_is_handed_the_rows_that_its_receipts_were_written_from(
    home: Path, instance: dg.DagsterInstance, steps: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    gathered, whole = [], Pipeline._gathered

    def counted(self: Pipeline) -> Landed:
        gathered.append(whole(self))
        return gathered[-1]

    monkeypatch.setattr(Pipeline, "_gathered", counted)
    place = next(place for place in folders(home) if place[0] != "_network")
    assert intake_and_build(instance, one(*place)).success
    assert (builds(instance), len(gathered)) == ([(INTAKE, "SUCCESS")], 1)
    landed = pl.read_parquet(home / "work" / "landing" / "observations.parquet", glob=False)
    assert landed.equals(gathered[0]["observations"])


def test_what_came_meanwhile_is_taken_before_anything_is_built(home: Path, instance: dg.DagsterInstance) -> None:
    assert intake_and_build(instance, one(*folders(home)[0])).success
    assert builds(instance) == []


def test_a_build_that_fails_behind_an_intake_leaves_the_intake_as_done(
    instance: dg.DagsterInstance, steps: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Pipeline, "build_core", refused)
    assert intake_and_build(instance, Selection()).success
    assert builds(instance) == [(INTAKE, "FAILURE")] and "release" not in steps


def refused(self: Pipeline) -> list[NodeResult]:
    raise WarehouseError("dbt could not start")


def test_rows_of_tables_are_counted_for_the_plots_and_of_views_those_of_marts_just_built(tmp_path: Path) -> None:
    warehouse = tmp_path / "warehouse.duckdb"
    with engine.written(warehouse) as connection:
        connection.execute("create schema marts; create schema staging; create table marts.held as from range(3)")
        connection.execute(
            "create view marts.expanded as from range(5); create view staging.passed_on as from range(7)"
        )
        connection.execute("copy (from range(2)) to '$/p.parquet'".replace("$", str(tmp_path)))
        connection.execute("create view marts.elsewhere as from '$/p.parquet'".replace("$", str(tmp_path)))
    (tmp_path / "p.parquet").unlink()  # as after the home was moved
    held, expanded = dg.AssetKey(["marts", "held"]), dg.AssetKey(["marts", "expanded"])
    assert row_counts(warehouse, [expanded]) == {held: 3, expanded: 5}
    assert row_counts(warehouse, []) == {held: 3}
    assert row_counts(tmp_path / "none.duckdb", []) == {}


def test_every_asset_of_a_build_tells_its_seconds_for_the_plots(steps: list[str], instance: dg.DagsterInstance) -> None:
    events = build(instance).get_asset_materialization_events()
    told = {event.asset_key: event.materialization.metadata for event in events if event.partition is None}
    assert len(told) > 100
    assert not [key for key, metadata in told.items() if not {"seconds", "seconds_of_step"} & set(metadata)]


def test_rows_lost_between_reading_and_landing_stop_the_release(
    steps: list[str], instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    land = Pipeline.land

    def losing(self: Pipeline) -> tuple[Landed, list[Any]]:
        landed, receipts = land(self)
        files = landed["files"].with_columns(pl.col("rows_accepted") - pl.int_range(pl.len()).eq(0).cast(pl.Int32))
        return Landed({**landed.tables, "files": files}), receipts

    monkeypatch.setattr(Pipeline, "land", losing)
    result = build(instance)
    assert not result.success and steps == []
    assert failed_checks(result) == {"rows_conserved"}


def test_two_computations_that_disagree_stop_the_release(
    steps: list[str], instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    analyse = Pipeline.analyse

    def disagreeing(self: Pipeline) -> AnalysisOutcome:
        return replace(analyse(self), agrees=False, largest_difference=0.5)

    monkeypatch.setattr(Pipeline, "analyse", disagreeing)
    result = build(instance)
    assert not result.success and steps == ["dbt", "analysis"]
    assert failed_checks(result) == {"second_computation_agrees"}


def test_a_failing_dbt_test_is_a_failed_check_and_stops_the_release(
    steps: list[str], instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    build_core = Pipeline.build_core
    planted = "accepted_rows_are_effective_or_superseded"

    def failing(self: Pipeline) -> list[NodeResult]:
        results = build_core(self)
        return [replace(r, status="fail", failures=3, message="Got 3") if r.name == planted else r for r in results]

    monkeypatch.setattr(Pipeline, "build_core", failing)
    result = build(instance)
    assert not result.success and steps == ["dbt"]
    assert failed_checks(result) == {planted}


def test_warnings_do_not_hold_a_release_back(steps: list[str], home: Path, instance: dg.DagsterInstance) -> None:
    community, year = next(place for place in folders(home) if place[0] != "_network")
    rows = "school_year,indicator,dimension,group,value\n2016,Joy Index of the valley,all,all,9\n"
    (home / "drop" / community / str(year) / "more_values.csv").write_text(rows)
    ingest(instance, Selection())
    result = build(instance)
    assert result.success and steps[-1] == "release"
    assert "labels_mapped" in failed_checks(result)


def failed_checks(result: dg.ExecuteInProcessResult) -> set[str]:
    return {answer.check_name for answer in result.get_asset_check_evaluations() if not answer.passed}


# --- The bucket's sensor -------------------------------------------------------------------------------------------


class Daemon:
    """Ticks of the sensor with its cursor kept, run keys deduplicated and requests executed, as the daemon does.

    `meanwhile` is what happens between the two looks of a tick.
    """

    def __init__(self, instance: dg.DagsterInstance) -> None:
        self.instance = instance
        self.meanwhile: Callable[[], object] = bool
        self.cursor: str | None = None
        self.keys: list[str] = []
        self.said = ""

    def tick(self) -> list[dg.RunRequest]:
        context = dg.build_sensor_context(instance=self.instance, cursor=self.cursor)
        result = bucket(context)
        assert isinstance(result, dg.SensorResult)
        self.cursor = result.cursor
        self.said = result.skip_reason.skip_message if result.skip_reason else ""
        new = [request for request in result.run_requests or [] if request.run_key not in self.keys]
        self.keys += [str(request.run_key) for request in new]
        return new

    def until_quiet(self, ticks: int = 8) -> list[str]:
        """Tick and execute intakes until two ticks ask for nothing; jobs asked for in their order."""
        jobs: list[str] = []
        for _ in range(ticks):
            for request in self.tick():
                jobs.append(str(request.job_name))
                if request.job_name == "ingest":
                    job = defs().resolve_job_def("ingest")
                    # Alone: the build behind it has tests of its own.
                    intake = {"ops": {"take_folders": request.run_config["ops"]["take_folders"]}}
                    job.execute_in_process(instance=self.instance, run_config={**QUIET, **intake})
        return jobs


@pytest.fixture
def daemon(home: Path, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch) -> Daemon:
    made = Daemon(instance)
    monkeypatch.setattr(automation, "sleep", lambda _: made.meanwhile())
    return made


def test_a_burst_of_uploads_is_one_intake_and_one_build_and_nothing_is_asked_for_twice(
    home: Path, drop: Path, daemon: Daemon
) -> None:
    shutil.rmtree(home / "drop")
    files = sorted(path.relative_to(drop) for path in drop.rglob("*") if path.is_file())
    random.Random(5).shuffle(files)
    parts = [files[first :: MOST_LOOKS - 2] for first in range(MOST_LOOKS - 2)]

    def upload() -> None:
        for file in parts.pop() if parts else ():
            (home / "drop" / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(drop / file, home / "drop" / file)

    daemon.meanwhile = upload
    while parts:
        upload()
        assert daemon.tick() == [] and "left to settle" in daemon.said
    assert daemon.until_quiet() == ["ingest", "build"]
    assert daemon.until_quiet() == []
    assert len(landing_of(from_environment())["files"]) > 0


def test_the_intake_asked_for_names_what_changed_and_the_bucket_is_empty_of_news_after_it(
    home: Path, daemon: Daemon
) -> None:
    daemon.until_quiet()
    community, year = folders(home)[3]
    touch(home, community, year, b"\n")
    daemon.meanwhile = lambda: touch(home, community, year, b"\n")
    assert daemon.tick() == [] and "left to settle" in daemon.said
    daemon.meanwhile = bool
    [request] = daemon.tick()
    assert request.run_config == selection_config(Selection(frozenset([community]), frozenset([year])), build=True)
    assert daemon.tick() == [] and "run it again" in daemon.said


def test_an_old_file_uploaded_again_is_a_new_run_each_time(home: Path, daemon: Daemon) -> None:
    daemon.until_quiet()
    community, year = folders(home)[3]
    path = next(iter(sorted((home / "drop" / community / str(year)).iterdir())))
    old = path.read_bytes()
    asked = []
    for content in (old + b"\n", old, old + b"\n"):
        path.write_bytes(content)
        asked.append(daemon.until_quiet().count("ingest"))
    assert asked == [1, 1, 1]
    assert len(set(daemon.keys)) == len(daemon.keys)


def test_a_folder_put_back_before_its_intake_began_and_taken_away_again_is_asked_for_again(
    home: Path, daemon: Daemon
) -> None:
    daemon.until_quiet()
    community, year = folders(home)[3]
    folder = home / "drop" / community / str(year)
    folder.rename(home / "away")
    requests = daemon.tick()
    (home / "away").rename(folder)
    assert [request.job_name for request in requests] == ["ingest"]
    ingest(daemon.instance, Selection(frozenset([community]), frozenset([year])))
    assert daemon.until_quiet().count("ingest") == 0
    folder.rename(home / "away")
    assert daemon.until_quiet().count("ingest") == 1


def touch(home: Path, community: str, year: int, more: bytes) -> None:
    path = next(iter(sorted((home / "drop" / community / str(year)).iterdir())))
    path.write_bytes(path.read_bytes() + more)


def test_a_changed_seed_is_followed_although_no_file_changed(
    home: Path, daemon: Daemon, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    daemon.until_quiet()
    daemon.cursor = replace_cursor(daemon.cursor, built="")
    seeds = tmp_path / "seeds"
    shutil.copytree(PROJECT_ROOT / "seeds", seeds)
    with (seeds / "network" / "waivers.csv").open("a", encoding="utf-8") as waivers:
        waivers.write("somebody,2018,a flood,the network\n")
    monkeypatch.setenv("CRADLE_SEEDS", str(seeds))
    assert "build" in daemon.until_quiet()


def replace_cursor(cursor: str | None, **changes: Any) -> str:
    return json.dumps({**json.loads(cursor or "{}"), **changes})


def test_the_sensor_waits_while_a_run_is_not_finished(home: Path, daemon: Daemon) -> None:
    run = daemon.instance.create_run_for_job(defs().resolve_job_def("ingest"), status=dg.DagsterRunStatus.NOT_STARTED)
    assert [daemon.tick() for _ in range(3)] == [[], [], []] and "not finished" in daemon.said
    daemon.instance.report_run_failed(daemon.instance.get_run_by_id(run.run_id))  # type: ignore[arg-type]
    assert daemon.until_quiet()[:1] == ["ingest"]


def test_a_bucket_at_fault_is_asked_for_once_and_changes_nothing(home: Path, daemon: Daemon) -> None:
    daemon.until_quiet()
    before = Ledger(Pipeline(from_environment()).lake).events()
    (home / "drop").rename(home / "unmounted")
    (home / "drop").mkdir()
    requests = [request for _ in range(MOST_LOOKS) for request in daemon.tick()]
    assert [request.run_config for request in requests] == [selection_config(Selection(), build=True)]
    with pytest.raises(BucketFaultError, match=r"the drop bucket is empty: \d+ of the \d+ folders"):
        defs().resolve_job_def("ingest").execute_in_process(
            instance=daemon.instance, run_config={**QUIET, **requests[0].run_config}
        )
    assert [daemon.tick() for _ in range(MOST_LOOKS)] == [[]] * MOST_LOOKS
    assert "in a run that failed" in daemon.said
    assert Ledger(Pipeline(from_environment()).lake).events().equals(before)


def test_a_file_that_cannot_be_read_is_asked_for_once_and_the_build_follows(
    home: Path, daemon: Daemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    daemon.until_quiet()
    community, year = folders(home)[3]
    touch(home, community, year, b"\n")
    with monkeypatch.context() as patched:
        refuse(patched, f"{community}/{year}/")
        # Nothing of it was taken, yet its receipt speaks of it: the release is made anew, and nobody asks again.
        assert daemon.until_quiet() == ["ingest", "build"]
        assert daemon.until_quiet() == []
    assert set(Pipeline(from_environment()).left()["rule_id"]) == {"file_not_read"}
    ingest(daemon.instance, Selection())
    assert Pipeline(from_environment()).left().is_empty()


def refuse(patched: pytest.MonkeyPatch, prefix: str) -> None:
    opened = Store.open

    def refusing(self: Store, key: str) -> Any:
        if key.startswith(prefix):
            raise DeniedError(f"cannot read {key}", "Permission denied")
        return opened(self, key)

    patched.setattr(Store, "open", refusing)


def test_a_file_that_was_still_written_is_asked_for_again(
    home: Path, daemon: Daemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    daemon.until_quiet()
    community, year = folders(home)[3]
    touch(home, community, year, b"\n")
    with monkeypatch.context() as patched:
        patched.setattr(Store, "tag", lambda self, key: "another")
        for request in [*daemon.tick(), *daemon.tick()]:
            ingest(
                daemon.instance,
                Selection(frozenset(request.run_config["ops"]["take_folders"]["config"]["communities"])),
            )
    assert set(Pipeline(from_environment()).left()["rule_id"]) == {"still_written"}
    assert "ingest" in daemon.until_quiet()
    assert Pipeline(from_environment()).left().is_empty()


# --- Automation conditions -----------------------------------------------------------------------------------------


def test_the_conditions_fire_while_most_partitions_are_missing_and_once_for_a_burst() -> None:
    definitions = defs()
    with dg.DagsterInstance.ephemeral() as instance:
        quiet = dg.evaluate_automation_conditions(defs=definitions, instance=instance)
        for key in keys()[:3]:
            instance.report_runless_asset_event(dg.AssetMaterialization(SUBMISSIONS, partition=key))
        fired = dg.evaluate_automation_conditions(defs=definitions, instance=instance, cursor=quiet.cursor)
        again = dg.evaluate_automation_conditions(defs=definitions, instance=instance, cursor=fired.cursor)
    assert (quiet.total_requested, again.total_requested) == (0, 0)
    requested = {spec.key for spec in definitions.resolve_all_asset_specs() if fired.get_num_requested(spec.key)}
    followers = {dg.AssetKey(["publish", "release"]), dg.AssetKey(["marts", "fct_trend"])}
    assert followers | {dg.AssetKey(["landing", "observations"])} <= requested


# --- One writer ----------------------------------------------------------------------------------------------------


HOLD = (
    "from dagster_project.instance.runs import only_one; from dagster_project.settings import from_environment\n"
    "with only_one(from_environment()):\n    print('held', flush=True); input()"
)


@pytest.fixture
def other_writer(home: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the home's lock until it is sent a line."""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-c", HOLD], cwd=PROJECT_ROOT, text=True, **pipes) as process:
        assert process.stdout and process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_a_second_writer_waits_for_the_first_and_is_not_lost(other_writer: subprocess.Popen[str]) -> None:
    config = from_environment()
    assert somebody_writes(config)
    told: list[str] = []

    def tell(line: str) -> None:
        told.append(line)
        assert other_writer.stdin
        other_writer.stdin.write("let go\n")
        other_writer.stdin.flush()

    with only_one(config, tell):
        assert told == [f"-c (process {other_writer.pid}) writes this home; waiting for it to end"]
        with only_one(config):
            assert other_writer.wait(60) == 0, "the lock is taken again by its holder, and the other let go of it"
    assert not somebody_writes(config)


def test_the_lock_of_a_writer_that_was_killed_is_taken_over_and_said_once(other_writer: subprocess.Popen[str]) -> None:
    assert somebody_writes(from_environment())
    other_writer.kill()
    other_writer.wait(60)
    assert not somebody_writes(from_environment())
    told: list[str] = []
    for _ in range(2):
        with only_one(from_environment(), told.append):
            pass
    (line,) = told
    assert line.startswith(f"-c (process {other_writer.pid}) ended without a word")


def test_a_queued_run_counts_the_pool_of_runs_and_not_of_steps() -> None:
    with (PROJECT_ROOT / "dagster.yaml").open(encoding="utf-8") as file:
        pools = yaml.safe_load(file)["concurrency"]["pools"]
    assert pools == {"default_limit": 1, "granularity": "run"}


# --- Runs that died ------------------------------------------------------------------------------------------------


def started(instance: dg.DagsterInstance, **tags: str) -> str:
    job = defs().resolve_job_def("ingest")
    return instance.create_run_for_job(job, status=dg.DagsterRunStatus.STARTED, tags=tags).run_id


def status_of(instance: dg.DagsterInstance, run_id: str) -> dg.DagsterRunStatus:
    run = instance.get_run_by_id(run_id)
    assert run
    return run.status


def test_a_run_that_died_with_its_command_or_its_intake_is_closed_by_the_next_one(
    instance: dg.DagsterInstance,
) -> None:
    typed, behind = (started(instance, **{STARTED_BY: who}) for who in (COMMAND_LINE, INTAKE))
    other = started(instance)
    assert set(close_dead_runs(instance)) == {typed, behind}
    assert {status_of(instance, dead) for dead in (typed, behind)} == {dg.DagsterRunStatus.FAILURE}
    assert status_of(instance, other) == dg.DagsterRunStatus.STARTED


def test_the_sensor_closes_a_run_whose_process_died_and_asks_again(daemon: Daemon) -> None:
    dead = started(daemon.instance)
    with only_one(from_environment()):
        for _ in range(IDLE_LOOKS + 1):
            assert daemon.tick() == []
    assert status_of(daemon.instance, dead) == dg.DagsterRunStatus.STARTED, (
        "somebody holds the lock: it may be this one"
    )
    for _ in range(IDLE_LOOKS):
        assert daemon.tick() == []
    assert status_of(daemon.instance, dead) == dg.DagsterRunStatus.FAILURE
    assert daemon.until_quiet()[:1] == ["ingest"]


def test_an_intake_that_dies_half_way_is_continued_from_what_it_wrote(home: Path, instance: dg.DagsterInstance) -> None:
    first, *rest = folders(home)
    ingest(instance, one(*first))
    ran = ingest(instance, Selection())
    assert set(materialized(instance, ran.run_id)) == {str(partition_key(*place)) for place in rest}


def ingest_that_dies(instance: dg.DagsterInstance, patched: pytest.MonkeyPatch, where: type, step: str) -> None:
    def dies(*_: object) -> None:
        raise OSError("the process ended")

    patched.setattr(where, step, dies)
    job = defs().resolve_job_def("ingest")
    assert not job.execute_in_process(instance=instance, run_config=QUIET, raise_on_error=False).success


def test_folders_that_a_dead_run_took_and_could_not_mark_are_marked_by_the_next_one(
    home: Path, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, *_, last = [place for place in folders(home) if place[0] != "_network"]
    ingest(instance, Selection())
    before = materialized(instance)
    shutil.rmtree(home / "drop" / first[0] / str(first[1]))
    touch(home, *last, b"\n")
    with monkeypatch.context() as patched:
        ingest_that_dies(instance, patched, Marks, "log")
    assert materialized(instance) == before
    late = materialized(instance, ingest(instance, Selection()).run_id)
    assert set(late) == {str(partition_key(*first)), str(partition_key(*last))}
    assert value(late[str(partition_key(*first))], "status") == "withdrawn"
    assert not materialized(instance, ingest(instance, Selection()).run_id), "once is enough"
    again = materialized(instance, ingest(instance, one(*last)).run_id)
    assert again[str(partition_key(*last))] == late[str(partition_key(*last))]


def test_a_withdrawal_that_died_half_way_is_finished_by_the_next_run(
    home: Path, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = folders(home)[0]
    with monkeypatch.context() as patched:
        ingest_that_dies(instance, patched, Marks, "log")
    shutil.rmtree(home / "drop" / place[0] / str(place[1]))
    with monkeypatch.context() as patched:
        ingest_that_dies(instance, patched, Ledger, "append")
    after = materialized(instance, ingest(instance, Selection()).run_id)
    assert value(after[str(partition_key(*place))], "status") == "withdrawn"
    assert set(materialized(instance)) == {str(partition_key(*one)) for one in [place, *folders(home)]}


# --- History -------------------------------------------------------------------------------------------------------


def test_old_history_is_deleted_but_the_last_word_of_every_asset_and_all_intakes(
    home: Path, history: dg.DagsterInstance
) -> None:
    place = folders(home)[0]
    taken = ingest(history, one(*place)).run_id
    job = defs().resolve_job_def("reminders")
    older, newer = (job.execute_in_process(instance=history, run_config=QUIET).run_id for _ in range(2))
    own = home / "dagster" / "history" / "runs"
    assert (own / f"{older}.db").exists()
    config, now = from_environment(), dt.datetime.now(dt.UTC)
    almost, later = (now + dt.timedelta(days=config.runs_kept_days + days) for days in (-1, 1))
    assert forget_runs(history, config, ["reminders"], almost) == []
    assert forget_runs(history, replace(config, runs_kept_days=0), ["reminders"], later) == []
    assert forget_runs(history, config, ["reminders"], later) == [older]
    assert {run.run_id for run in history.get_runs()} == {taken, newer}
    assert not list(own.glob(f"{older}.db*")) and (own / f"{newer}.db").exists()
    assert str(partition_key(*place)) in materialized(history)
    assert history.get_latest_materialization_event(dg.AssetKey(["drop", "files"])).run_id == newer  # type: ignore[union-attr]


def test_what_a_run_printed_goes_before_its_record_so_that_what_a_disk_refused_is_found_again(
    home: Path, history: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = defs().resolve_job_def("reminders").execute_in_process(instance=history, run_config=QUIET).run_id
    printed = home / "dagster" / "storage" / run_id / "printed"
    printed.parent.mkdir(parents=True, exist_ok=True)
    printed.write_text("of a member's file")
    with monkeypatch.context() as patched:
        patched.setattr(shutil, "rmtree", lambda path, ignore_errors: None)
        with pytest.raises(StoreError, match=f"storage/{run_id}.* could not be deleted"):
            forget_these(from_environment(), [run_id])
    assert history.has_run(run_id)
    assert forget_these(from_environment(), [run_id]) == [run_id]
    assert not printed.parent.exists() and not history.has_run(run_id)


def test_the_weekly_job_deletes_nothing_that_is_young(home: Path, history: dg.DagsterInstance) -> None:
    defs().resolve_job_def("reminders").execute_in_process(instance=history, run_config=QUIET)
    assert defs().resolve_job_def("tidy_history").execute_in_process(instance=history, run_config=QUIET).success
    assert sorted(run.job_name for run in history.get_runs()) == ["reminders", "tidy_history"]


# --- Reminders -----------------------------------------------------------------------------------------------------


def test_reminders_name_the_late_by_the_calendar_and_publish_nothing(home: Path, instance: dg.DagsterInstance) -> None:
    job = defs().resolve_job_def("reminders")
    result = job.execute_in_process(instance=instance, run_config=QUIET)
    answers = {answer.check_name: answer for answer in result.get_asset_check_evaluations()}
    assert set(answers) == {"nothing_astray", "on_time"}
    late = answers["on_time"]
    assert not late.passed and late.severity == dg.AssetCheckSeverity.WARN
    assert late.metadata["late"].value > 60, "of seventy communities two have folders, and none was taken in yet"
    assert not (home / "publish").exists()
    listed = instance.get_latest_materialization_event(dg.AssetKey(["drop", "files"]))
    assert listed and listed.asset_materialization
    assert listed.asset_materialization.metadata["folders"].value == len(folders(home))
