"""What a broken promise of a table says.

Belongs here: tests of tables that fail, over seeds with a fault that the seeds' own checks would have named.
Does not: which promises there are (tests/structure/test_dbt_layers.py).
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from dagster_project.lib.base import engine
from dagster_project.lib.warehouse.dbt_run import DbtPlaces, WarehouseError, dbt_build, raise_for

ROOT = Path(__file__).resolve().parents[3]


def test_a_broken_promise_names_the_table_and_what_was_found(tmp_path: Path) -> None:
    seeds = shutil.copytree(ROOT / "seeds", tmp_path / "seeds")
    groups = seeds / "dictionary" / "groups.csv"
    lines = groups.read_text(encoding="utf-8").splitlines()
    columns = lines[0].split(",")
    strange = lines[1].split(",")
    strange[columns.index("dimension")] = "nowhere"
    groups.write_text("\n".join([*lines, lines[1], ",".join(strange)]) + "\n", encoding="utf-8")
    places = DbtPlaces(seeds, *(tmp_path / name for name in ("landing", "analysis", "warehouse.duckdb", "work")))
    chosen = ["--select", "+stg_dictionary__groups", "stg_dictionary__dimensions", "+stg_dictionary__dimensions"]
    with pytest.raises(WarehouseError) as failed:
        raise_for(dbt_build(places, [*chosen, "--exclude-resource-type", "unit_test"]))
    told = str(failed.value)
    assert "promises of stg_dictionary__groups" in told and "2 found" in told
    first = dict(zip(columns, lines[1].split(","), strict=True))
    assert f"promise key, promised_of dimension, group_code, found {first['dimension']}, {first['group_code']}" in told
    assert "promise references stg_dictionary__dimensions, promised_of dimension, found nowhere" in told
    # A run counts the rows of what was built before it tells what failed.
    with engine.opened(places.warehouse) as connection:
        assert connection.execute("select count(*) > 0 from duckdb_tables()").fetchone() == (True,)
