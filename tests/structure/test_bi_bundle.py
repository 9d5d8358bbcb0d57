"""The bundle for Superset is what the declarations say, and gives nothing away.

Belongs here: that it is current, that every chart and metric stands on the semantic layer, what it must not hold.
Does not: its figures (tests/integration/test_metrics.py), a Superset that takes it in (tests/long/test_superset.py).
"""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml

from bi.bundle import DATABASE_FILE, FOLDER, bundle
from bi.load import LoadError, address
from dagster_project.lib.warehouse.dbt_run import MANIFEST
from dagster_project.settings import from_environment

WRITTEN = {path.relative_to(FOLDER).as_posix(): path.read_text(encoding="utf-8") for path in FOLDER.rglob("*.yaml")}


def read(kind: str) -> list[dict[str, Any]]:
    return [yaml.safe_load(text) for name, text in WRITTEN.items() if name.startswith(f"{kind}/")]


def test_the_bundle_is_current() -> None:
    assert bundle() == WRITTEN, "run `make docs`"


def test_the_dashboard_has_eight_charts_and_names_them_all() -> None:
    (board,) = read("dashboards")
    places = [place for place in board["position"].values() if isinstance(place, dict)]
    placed = {place["meta"]["uuid"] for place in places if place["type"] == "CHART"}
    assert placed == {chart["uuid"] for chart in read("charts")}
    assert len(placed) == 8


def test_every_metric_of_the_semantic_layer_is_in_one_table_and_no_other_metric_is() -> None:
    declared = json.loads(MANIFEST.with_name("semantic_manifest.json").read_text(encoding="utf-8"))["metrics"]
    held = [metric["metric_name"] for table in read("datasets") for metric in table["metrics"]]
    assert sorted(held) == sorted(metric["name"] for metric in declared)


def test_a_chart_draws_metrics_of_its_table_and_adds_nothing_up_itself() -> None:
    tables = {table["uuid"]: {metric["metric_name"] for metric in table["metrics"]} for table in read("datasets")}
    for chart in read("charts"):
        assert set(chart["params"].get("metrics", ())) <= tables[chart["dataset_uuid"]], chart["slice_name"]


def test_every_column_and_metric_has_a_label_and_a_meaning() -> None:
    for table in read("datasets"):
        for told in (*table["columns"], *table["metrics"]):
            assert told["verbose_name"] and told["description"], (table["table_name"], told)


def test_words_are_drawn_in_the_colours_of_the_dictionary() -> None:
    (board,) = read("dashboards")
    colors = board["metadata"]["label_colors"]
    assert {"Improving", "Declining", "Cannot be determined", "Accepted", "Late"} <= set(colors)


def test_the_bundle_holds_no_address_and_the_one_given_in_reads_alone() -> None:
    database = yaml.safe_load(WRITTEN[DATABASE_FILE])
    assert database["sqlalchemy_uri"] == "duckdb:///current.duckdb"
    assert not database["allow_dml"] and not database["allow_ctas"]
    settings = from_environment({"CRADLE_HOME": "/somewhere", "CRADLE_POSTGRES_URL": "postgresql://a:b%40c@host/base"})
    assert address(settings, "duckdb") == ("duckdb:////somewhere/publish/current.duckdb", {"read_only": True})
    server, engine = address(settings, "postgres")
    assert server == "postgresql+psycopg2://a:b%40c@host/base"
    assert "role=bi_internal" in engine["options"] and "read_only=on" in engine["options"]


def test_marts_that_cannot_be_reached_are_refused_in_one_line() -> None:
    with pytest.raises(LoadError, match="names no server"):
        address(from_environment({"CRADLE_HOME": "/somewhere"}), "postgres")
    with pytest.raises(LoadError, match="lie in a bucket"):
        address(from_environment({"CRADLE_HOME": "/x", "CRADLE_PUBLISH_URL": "s3://bucket/releases"}), "duckdb")
