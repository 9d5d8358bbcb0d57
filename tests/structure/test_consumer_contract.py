"""What readers of the marts rely on stands in a contract, and cannot change without its version saying so.

Belongs here: the committed contract against the declarations, what counts as breaking, the form of the standard.
Does not: whether data hold to it (dbt's tests), the pages for people (test_data_dictionary.py).
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dagster_project.lib.base.reference import Reference
from dagster_project.lib.publish.public.selection import read_selection
from dagster_project.lib.publish.release.contract import (
    ContractBrokenError,
    added,
    breaking,
    require_kept,
    require_version,
    text,
)
from dagster_project.lib.warehouse.dbt_run import MANIFEST
from dagster_project.lib.warehouse.declared import declared_marts
from docs.consumer_contract import CONTRACTS, SEEDS, committed
from docs.consumer_contract import internal as contract

Contract = dict[str, Any]
Change = Callable[[Contract], None]


def changed(change: Change) -> Contract:
    """The contract after a change."""
    after = copy.deepcopy(contract())
    change(after)
    return after


def table(of: Contract, name: str) -> Any:
    return next(table for table in of["schema"] if table["name"] == name)


def column(of: Contract, name: str, of_table: str = "fct_trend") -> Any:
    return next(column for column in table(of, of_table)["properties"] if column["name"] == name)


def test_a_table_for_charts_says_of_its_columns_what_the_tables_that_it_is_made_of_say() -> None:
    nodes = json.loads(MANIFEST.read_text(encoding="utf-8"))["nodes"]
    marts = declared_marts(MANIFEST, Reference(SEEDS))
    made_of = {node["name"]: node["depends_on"]["nodes"] for node in nodes.values() if node["name"] in marts}
    silent = []
    for name in (name for name in marts if name.startswith("rpt_")):
        parents = [marts[parent] for parent in (node.rpartition(".")[2] for node in made_of[name]) if parent in marts]
        told = {column.name: column for parent in parents for column in parent.columns}
        own = [(column, told[column.name]) for column in marts[name].columns if column.name in told]
        silent += [f"{name}.{column.name}" for column, there in own if there.words and not column.words]
        silent += [f"{name}.{column.name}" for column, there in own if there.refers_to and not column.refers_to]
    assert not silent, "say `columns_of` in the model's meta"


def drop_table(of: Contract) -> None:
    of["schema"].remove(table(of, "fct_trend"))


def drop_column(of: Contract) -> None:
    table(of, "fct_trend")["properties"].remove(column(of, "slope"))


def other_type(of: Contract) -> None:
    column(of, "slope")["physicalType"] = "varchar"


def word_gone(of: Contract) -> None:
    column(of, "trend_status")["quality"][0]["arguments"]["validValues"].remove("improving")


def word_new(of: Contract) -> None:
    column(of, "trend_status")["quality"][0]["arguments"]["validValues"].append("soaring")


def other_key(of: Contract) -> None:
    del column(of, "geography_id")["primaryKey"]


def new_column(of: Contract) -> None:
    table(of, "fct_trend")["properties"].append({"name": "new", "physicalType": "double"})


def other_words_of_people(of: Contract) -> None:
    column(of, "slope")["description"] = "Said otherwise."


BREAKING: dict[str, tuple[Change, str]] = {
    "a table gone": (drop_table, "fct_trend: the table is gone"),
    "a column gone": (drop_column, "fct_trend.slope: the column is gone"),
    "another type": (other_type, "fct_trend.slope: the type was double, is varchar"),
    "a word gone": (word_gone, "fct_trend.trend_status: the closed words changed: without improving"),
    "a new word": (word_new, "fct_trend.trend_status: the closed words changed: with soaring"),
    "another key": (other_key, "fct_trend: the key was community_id, indicator_id"),
}


@pytest.mark.parametrize("file", CONTRACTS, ids=lambda file: str(file.name))
def test_the_committed_contract_is_what_is_declared(file: Path) -> None:
    make, edition = CONTRACTS[file]
    assert file.read_text(encoding="utf-8") == text(make(), edition), "run make docs"
    assert committed(file) == make()


def test_each_mart_of_each_edition_stands_in_its_contract() -> None:
    internal, public = ({table["name"] for table in make()["schema"]} for make, _ in CONTRACTS.values())
    assert internal == set(declared_marts(MANIFEST, Reference(SEEDS)))
    assert public == set(read_selection())


def test_what_a_release_promised_is_kept_by_the_next_unless_the_version_says_otherwise() -> None:
    released = text(contract()).encode()
    require_kept(None, changed(drop_column))
    require_kept(released, changed(new_column))
    with pytest.raises(ContractBrokenError, match=r"fct_trend.slope: the column is gone"):
        require_kept(released, changed(drop_column))
    require_kept(released, {**changed(drop_column), "version": "3.0.0"})


@pytest.mark.parametrize(("change", "told"), BREAKING.values(), ids=list(BREAKING))
def test_a_change_that_breaks_readers_needs_another_first_number(change: Change, told: str) -> None:
    before, after = contract(), changed(change)
    assert [line[: len(told)] for line in breaking(before, after)] == [told]
    with pytest.raises(ContractBrokenError, match="would break"):
        require_version(before, after)
    first, second, _ = map(int, before["version"].split("."))
    with pytest.raises(ContractBrokenError, match="would break"):
        require_version(before, {**after, "version": f"{first}.{second + 1}.0"})
    require_version(before, {**after, "version": f"{first + 1}.0.0"})


def test_what_is_added_breaks_nobody() -> None:
    before, after = contract(), changed(new_column)
    assert list(breaking(before, after)) == [] and added(before, after) == ["fct_trend.new"]
    require_version(before, after)


def test_other_descriptions_need_no_version() -> None:
    require_version(contract(), changed(other_words_of_people))


def test_a_property_says_type_key_relation_and_words_in_the_terms_of_the_standard() -> None:
    of = contract()
    assert set(of) >= {"apiVersion", "kind", "id", "version", "status", "schema"}
    first = column(of, "community_id")
    assert first["primaryKey"] and first["primaryKeyPosition"] == 1 and first["required"]
    assert first["relationships"] == [{"type": "foreignKey", "to": "dim_community.community_id"}]
    names = {f"{one['name']}.{own['name']}" for one in of["schema"] for own in one["properties"]}
    targets = {rel["to"] for one in of["schema"] for own in one["properties"] for rel in own.get("relationships", ())}
    assert targets <= names
    logical = {own["logicalType"] for one in of["schema"] for own in one["properties"]}
    assert logical <= {"string", "integer", "number", "boolean", "date", "timestamp", "array"}
