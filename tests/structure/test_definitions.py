"""The asset graph as it is meant to be: nothing vanished, nothing anonymous, every dbt test a check, no notice at load.

Belongs here: keys, groups, owners, checks, jobs and automation of the loaded definitions.
Does not: what a run does (tests/integration/test_orchestration.py), dbt's own layers (test_dbt_layers.py).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

import contracts
from dagster_project.definitions import defs
from dagster_project.lib.analysis.run import ANALYSIS_TABLES
from dagster_project.partitions import SUBMISSION_PARTITIONS

ROOT = Path(__file__).resolve().parents[2]
DBT = ROOT / "dbt"
LANDING = {"observations", "files", "findings", "submissions", "submission_states", "run_context"}
LANDING |= {"waiting_register_rows", "network_submissions"}
SCHEMAS = {"staging": "staging", "intermediate": "intermediate", "marts": "marts", "reporting": "marts"}
SCHEMAS["semantic"] = "semantic"
GROUPS = {
    "drop": {("drop", "files")},
    "intake": {("lake", "submissions")},
    "publish": {("publish", "release"), ("publish", "public"), ("server", "marts"), ("server", "public_marts")},
}
OWNERS = {"drop": "team:members"}
BESIDE = ("reminders", "tidy_history")
"""Jobs that write nothing of the house."""
HOUSE_CHECKS = {
    ("drop/files", "nothing_astray", False),
    ("drop/files", "on_time", False),
    ("lake/submissions", "submitted", False),
    ("landing/submissions", "contract_kept", False),
    ("landing/files", "rows_conserved", True),
    ("landing/observations", "labels_mapped", False),
    ("landing/run_context", "rules_kept", False),
    ("marts/fct_submission_status", "submitted_by_year", True),
    ("analysis/fct_trend", "second_computation_agrees", True),
    ("publish/public", "audit_passed", True),
    ("publish/public", "objections_read", False),
}


@pytest.fixture(scope="module")
def repository() -> dg.RepositoryDefinition:
    return defs().get_repository_def()


@pytest.fixture(scope="module")
def specs() -> dict[str, dg.AssetSpec]:
    return {spec.key.to_user_string(): spec for spec in defs().resolve_all_asset_specs()}


@pytest.fixture(scope="module")
def manifest() -> dict[str, Any]:
    return dict(json.loads((DBT / "target" / "manifest.json").read_text(encoding="utf-8")))


def expected() -> dict[str, str]:
    """Asset keys and their groups, from the files of the project rather than from what was loaded."""
    found = {"/".join(key): group for group, keys in GROUPS.items() for key in keys}
    registers = contracts.landed_registers()
    found |= {f"landing/{name}": "landing" for name in LANDING | {f"register_{name}" for name in registers}}
    found |= {f"analysis/{name}": "analysis" for name in ANALYSIS_TABLES}
    found |= {f"seeds/{path.stem}": "seeds" for path in (ROOT / "seeds").rglob("*.csv")}
    for path in (DBT / "models").rglob("*.sql"):
        layer = path.relative_to(DBT / "models").parts[0]
        found[f"{SCHEMAS[layer]}/{path.stem}"] = layer
    return found


def test_every_asset_of_the_project_is_loaded_and_no_other(specs: dict[str, dg.AssetSpec]) -> None:
    assert sorted(specs) == sorted(expected())


def test_every_asset_is_in_the_group_of_its_room(specs: dict[str, dg.AssetSpec]) -> None:
    assert {key: spec.group_name for key, spec in specs.items()} == expected()


def test_every_asset_has_an_owner_a_kind_and_a_description(specs: dict[str, dg.AssetSpec]) -> None:
    for key, spec in specs.items():
        assert list(spec.owners) == [OWNERS.get(spec.group_name or "", "team:data-team")], key
        assert spec.kinds, key
        assert spec.description and len(spec.description) > 20, key


def test_the_graph_is_connected_from_the_bucket_to_the_release(repository: dg.RepositoryDefinition) -> None:
    graph = repository.asset_graph
    upstream, todo = set(), [dg.AssetKey(["publish", "release"])]
    while todo:
        for key in graph.get(todo.pop()).parent_keys - upstream:
            upstream.add(key)
            todo.append(key)
    assert dg.AssetKey(["drop", "files"]) in upstream
    released = {key for key in graph.get_all_asset_keys() if key.path[0] == "marts"}
    beside = {key.to_user_string() for key in released - upstream}
    assert not beside, "marts that the release copies but does not depend on"


def test_every_dbt_test_is_a_check_and_every_other_check_is_known(
    repository: dg.RepositoryDefinition, manifest: dict[str, Any]
) -> None:
    nodes = [node for node in manifest["nodes"].values() if node["resource_type"] == "test"]
    tests = Counter("promises" if node.get("attached_node") else node["name"] for node in nodes)
    house = {(asset, name) for asset, name, _ in HOUSE_CHECKS}
    checks = {(key.asset_key.to_user_string(), key.name) for key in repository.asset_graph.asset_check_keys}
    assert house <= checks
    assert Counter(name for asset, name in checks - house) == tests


def test_checks_block_where_wrong_data_would_be_published(repository: dg.RepositoryDefinition) -> None:
    graph = repository.asset_graph
    blocking = {key: graph.get(key).blocking for key in graph.asset_check_keys}
    for asset, name, blocks in HOUSE_CHECKS:
        assert blocking.pop(dg.AssetCheckKey(dg.AssetKey.from_user_string(asset), name)) == blocks, name
    assert all(blocking.values()), "every dbt test of severity error blocks"


def test_checks_by_partition_speak_of_the_partitions_of_submissions(repository: dg.RepositoryDefinition) -> None:
    graph = repository.asset_graph
    by_partition = {key.name for key in graph.asset_check_keys if graph.get(key).partitions_def is not None}
    assert by_partition == {"submitted"}
    assert SUBMISSION_PARTITIONS.partition_dimension_names == ["community", "reporting_year"]


def test_only_the_listing_of_the_bucket_has_a_clock(specs: dict[str, dg.AssetSpec]) -> None:
    assert [key for key, spec in specs.items() if spec.freshness_policy is not None] == ["drop/files"]


def test_jobs_sensors_and_schedules_are_the_ones_documented(repository: dg.RepositoryDefinition) -> None:
    assert {job.name for job in repository.get_all_jobs()} == {"__ASSET_JOB", "ingest", "build", "public", *BESIDE}
    running = dg.DefaultSensorStatus.RUNNING
    assert {s.name: s.default_status == running for s in repository.sensor_defs} == {
        "bucket": True,
        "conditions": False,
    }
    assert {schedule.name: schedule.job_name for schedule in repository.schedule_defs} == {
        "every_morning": "reminders",
        "every_week": "tidy_history",
    }
    operations = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    for name in ("ingest", "build", "public", *BESIDE, "bucket", "conditions", "every_morning", "every_week"):
        assert f"`{name}`" in operations, name


def test_everything_that_writes_shares_one_pool(repository: dg.RepositoryDefinition) -> None:
    looking = {"look_at_bucket", "forget_old_runs"}
    for name in ("ingest", "build", "public", *BESIDE):
        for node in repository.get_job(name).all_node_defs:
            assert node.pools == (set() if node.name in looking else {"warehouse"}), node.name


def test_columns_lead_back_to_the_tables_that_analysis_wrote(specs: dict[str, dg.AssetSpec]) -> None:
    lineage = specs["marts/fct_trend"].metadata["dagster/column_lineage"].value
    assert lineage.deps_by_column["slope"] == [dg.TableColumnDep(dg.AssetKey(["analysis", "fct_trend"]), "slope")]


def test_loading_prints_no_notice(tmp_path: Path) -> None:
    environment = {**os.environ, "CRADLE_HOME": str(tmp_path), "PYTHONWARNINGS": "default"}
    code = (
        "import logging; logging.basicConfig(); from dagster_project.definitions import defs;"
        "defs().get_repository_def().load_all_definitions()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    told = [line for line in done.stderr.splitlines() if "dagster" in line.lower() and "Warning" in line]
    assert not [line for line in told if any(word in line for word in ("Beta", "Preview", "Supersession"))], told
    assert "code location name" not in done.stderr
