"""A build leaves what stands from the same inputs as it is; what it gives is what a build of everything gives.

Belongs here: builds of a small project after changes, against builds into new files; what makes a record void.
Does not: the models of the warehouse (tests/integration), or what dbt reads of a project (test_kept_parse.py).
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import duckdb
import polars as pl
import pytest

from dagster_project.lib.warehouse import dbt_run
from dagster_project.lib.warehouse.dbt_run import PROJECT, DbtPlaces, build_changed, dbt_build
from dagster_project.lib.warehouse.standing import NodeResult, Standing

FILES = {
    "dbt_project.yml": """
name: cradle
version: "1.0.0"
config-version: 2
profile: cradle
model-paths: [models]
macro-paths: [macros]
test-paths: [tests]
seed-paths: ["{{ env_var('CRADLE_SEEDS') }}"]
models: {cradle: {marts: {+materialized: table}, reporting: {+materialized: table, +tags: [reporting]}}}
""",
    "models/sources.yml": """
sources:
- {name: landing, config: {external_location: "read_parquet('{{ env_var('LANDING_PATH') }}/{name}.parquet')"},
   tables: [{name: amounts}, {name: places}]}
- {name: analysis, config: {external_location: "read_parquet('{{ env_var('ANALYSIS_PATH') }}/{name}.parquet')"},
   tables: [{name: trend}]}
models:
- {name: dim_place, columns: [{name: place, data_tests: [unique]}]}
- {name: fct_amount, columns: [{name: place, data_tests: [
    {relationships: {arguments: {to: ref('dim_place'), field: place}, config: {severity: warn}}}]}]}
- {name: rep_trend, columns: [{name: label, data_tests: [not_null]}]}
""",
    "models/staging/stg_amounts.sql": "select * from {{ source('landing', 'amounts') }}",
    "models/staging/stg_places.sql": "select * from {{ source('landing', 'places') }}",
    "models/marts/dim_place.sql": "select p.place, n.label from {{ ref('stg_places') }} p "
    "left join {{ ref('names') }} n using (place)",
    "models/marts/fct_amount.sql": "select a.*, d.label from {{ ref('stg_amounts') }} a "
    "left join {{ ref('dim_place') }} d using (place)",
    "models/marts/fct_total.sql": "select label, sum(amount) as total from {{ ref('fct_amount') }} group by label",
    "models/reporting/rep_trend.sql": "select d.label, t.trend from {{ source('analysis', 'trend') }} t "
    "join {{ ref('dim_place') }} d using (place)",
}
Sum = dict[str, Any]


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DbtPlaces:
    """A small project with its inputs, in place of the warehouse's own."""
    project = tmp_path / "dbt"
    for name, text in FILES.items():
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text(text, encoding="utf-8")
    for name in ("macros", "tests", "target"):
        (project / name).mkdir()
    for name in ("seeds", "generate_schema_name", "materializations"):
        shutil.copy(PROJECT / "macros" / f"{name}.sql", project / "macros")
    shutil.copy(PROJECT / "profiles.yml", project)
    monkeypatch.setattr(dbt_run, "PROJECT", project)
    made = DbtPlaces(*(tmp_path / name for name in ("seeds", "landing", "analysis", "warehouse.duckdb", "work")))
    for folder in (made.seeds, made.landing, made.analysis):
        folder.mkdir()
    seed(made, ash="Ash", elm="Elm")
    landed(made, "places", place=["ash", "elm"])
    landed(made, "amounts", place=["ash", "elm"], amount=[1, 2])
    pl.DataFrame({"place": ["ash"], "trend": [3]}).write_parquet(made.analysis / "trend.parquet")
    return made


def seed(places: DbtPlaces, **names: str) -> None:
    lines = ["place,label", *(f"{place},{label}" for place, label in names.items())]
    (places.seeds / "names.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")


def landed(places: DbtPlaces, table: str, **columns: list[Any]) -> None:
    pl.DataFrame(columns).write_parquet(places.landing / f"{table}.parquet")


def built(places: DbtPlaces) -> list[NodeResult]:
    """Both calls of a run."""
    return [result for tagged in (False, True) for result in build_changed(places, "reporting", tagged=tagged)]


def said(results: list[NodeResult]) -> Sum:
    return {result.unique_id: (result.status, result.failures, result.resource_type) for result in results}


def held(warehouse: Path) -> Sum:
    """The rows of every table and view."""
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        names = connection.execute("select table_schema, table_name from information_schema.tables").fetchall()
        return {
            f"{schema}.{name}": sorted(connection.execute(f"from {schema}.{name}").fetchall(), key=repr)
            for schema, name in names
        }


def in_order(results: list[NodeResult]) -> bool:
    """Whether every model stands behind its parents, as Dagster asks of what is told of several assets."""
    names = [result.name for result in results]
    pairs = [("stg_places", "dim_place"), ("names", "dim_place"), ("stg_amounts", "fct_amount")]
    pairs += [("dim_place", "fct_amount"), ("fct_amount", "fct_total"), ("dim_place", "rep_trend")]
    return all(names.index(parent) < names.index(name) for parent, name in pairs)


def anew(results: list[NodeResult]) -> set[str]:
    """Names of the seeds and models that dbt was called for."""
    return {result.name for result in results if result.seconds and result.resource_type != "test"}


def a_place_more(places: DbtPlaces) -> None:
    landed(places, "places", place=["ash", "elm", "fir"])


def other_amounts(places: DbtPlaces) -> None:
    landed(places, "amounts", place=["ash", "elm", "oak"], amount=[5, 2, 1])


def withdrawn(places: DbtPlaces) -> None:
    landed(places, "amounts", place=["elm"], amount=[2])


def other_names(places: DbtPlaces) -> None:
    seed(places, ash="Ash", elm="Elms", fir="Fir")


def other_trend(places: DbtPlaces) -> None:
    pl.DataFrame({"place": ["elm", "ash"], "trend": [3, 4]}).write_parquet(places.analysis / "trend.parquet")


def changed_by_hand(places: DbtPlaces) -> None:
    with duckdb.connect(str(places.warehouse)) as connection:
        connection.execute("update main.dim_place set label = 'wrong'")


CHANGES: list[Callable[[DbtPlaces], None]] = [
    a_place_more,
    other_amounts,
    withdrawn,
    other_names,
    other_trend,
    changed_by_hand,
]


def test_after_any_change_the_warehouse_is_that_of_a_build_of_everything(places: DbtPlaces) -> None:
    built(places)
    for number, change in enumerate(Random(19).sample(CHANGES, len(CHANGES))):
        change(places)
        results = built(places)
        fresh = replace(places, warehouse=places.work / str(number) / places.warehouse.name)
        fresh.warehouse.parent.mkdir()
        whole = dbt_build(fresh, [])
        assert said(results) == said(whole), change.__name__
        assert in_order(results), change.__name__
        assert held(places.warehouse) == held(fresh.warehouse), change.__name__


def test_only_what_depends_on_a_change_is_built(places: DbtPlaces) -> None:
    everything = {"names", "stg_amounts", "stg_places", "dim_place", "fct_amount", "fct_total", "rep_trend"}
    assert anew(built(places)) == everything
    assert anew(built(places)) == set()
    other_amounts(places)
    assert anew(built(places)) == {"stg_amounts", "fct_amount", "fct_total"}
    other_trend(places)
    assert anew(built(places)) == {"rep_trend"}
    model = dbt_run.PROJECT / "models/marts/fct_total.sql"
    model.write_text(model.read_text(encoding="utf-8") + " order by label", encoding="utf-8")
    assert anew(built(places)) == everything


def test_a_build_that_died_leaves_nothing_that_is_said_to_stand(
    places: DbtPlaces, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = said(built(places))
    true = held(places.warehouse)
    other_amounts(places)

    def die(*_: object) -> list[NodeResult]:
        changed_by_hand(places)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr("dagster_project.lib.warehouse.dbt_run._Project.build", die)
        build_changed(places, "reporting", tagged=False)
    assert not list(places.warehouse.parent.glob("*.standing.json"))
    landed(places, "amounts", place=["ash", "elm"], amount=[1, 2])
    assert said(built(places)) == before
    assert held(places.warehouse) == true


def test_what_failed_is_built_again_and_a_warning_is_told_again(places: DbtPlaces) -> None:
    landed(places, "places", place=["ash", "ash"])
    first, again = (said(build_changed(places, "reporting", tagged=False)) for _ in range(2))
    assert first == again
    assert {state for state, *_ in first.values()} == {"success", "fail", "skipped"}
    landed(places, "places", place=["ash"])
    first, again = (said(built(places)) for _ in range(2))
    assert first == again
    assert [line[:2] for line in first.values() if line[0] not in ("success", "pass")] == [("warn", 1)]


def test_a_spoilt_record_a_changed_file_and_another_state_of_the_project_say_nothing(tmp_path: Path) -> None:
    warehouse = tmp_path / "warehouse.duckdb"
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute("create table one (a int)")
    digests, relations = {"one": "d", "two": "d", "three": None}, {"one": ("main", "one"), "two": ("main", "gone")}
    results = [NodeResult(name, "model", name, "success", 1.0, None, None) for name in digests]

    def told(project: str = "as it was") -> list[str]:
        return [result.name for result in Standing(warehouse, [project]).results(digests, relations)]

    assert told() == []
    Standing(warehouse, ["as it was"]).keep(digests, results)
    assert (told(), told("changed")) == (["one"], [])
    record = warehouse.with_suffix(".standing.json")
    whole = record.read_bytes()
    for spoilt in (b"", b"{", b"[]", b'{"conditions": 1}', whole[:-9]):
        record.write_bytes(spoilt)
        assert told() == []
    record.write_bytes(whole)
    assert told() == ["one"]
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute("insert into one values (1)")
    assert told() == []


@pytest.mark.parametrize("kind", ["table", "view"])
def test_a_model_that_fails_leaves_what_was_and_becomes_another_kind_of_relation_when_it_is_mended(
    places: DbtPlaces, kind: str
) -> None:
    built(places)
    before, model = held(places.warehouse), dbt_run.PROJECT / "models/marts/fct_amount.sql"
    whole, kept = model.read_text(encoding="utf-8"), f"{{{{ config(materialized='{kind}') }}}} "
    # What goes wrong is seen while a table is filled, or when a view is made.
    fault = "error('no') as label" if kind == "table" else "a.nowhere as label"
    model.write_text(f"{kept}{whole.replace('d.label', fault)}", encoding="utf-8")
    assert {result.name: result.status for result in built(places)}["fct_amount"] == "error"
    assert held(places.warehouse)["main.fct_amount"] == before["main.fct_amount"]
    model.write_text(f"{kept}{whole}", encoding="utf-8")
    assert {result.status for result in built(places)} == {"success", "pass"}
    assert held(places.warehouse) == before


@pytest.mark.parametrize(
    ("stated", "word"),
    [("pre_hook='select 1'", "a hook"), ("post_hook='select 1'", "a hook"), ("grants={'select': ['a']}", "grants"),
     ("indexes=[{'columns': ['place']}]", "indexes"), ("persist_docs={'relation': true}", "persist_docs")],
)  # fmt: skip
def test_a_model_that_states_what_nothing_would_heed_is_refused(places: DbtPlaces, stated: str, word: str) -> None:
    model = dbt_run.PROJECT / "models/marts/fct_amount.sql"
    model.write_text(f"{{{{ config({stated}) }}}} {model.read_text(encoding='utf-8')}", encoding="utf-8")
    (failed,) = [result for result in built(places) if result.name == "fct_amount"]
    assert failed.status == "error" and f"fct_amount states {word}, which" in " ".join(str(failed.message).split())
