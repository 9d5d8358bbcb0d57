"""`dbt build` against the very same SQL run bare in one DuckDB connection, on one warehouse after the other.

Belongs here: both times side by side in one run, with and without dbt's start and its tests, and that the tables agree.
Does not: assertions about time (machines differ), or the rest of the chain (chain.py).

Run: python -m benchmarks.dbt_speed [--communities 70] [--years 2015..2026] [--real FOLDER]
"""

from __future__ import annotations

import argparse
import csv
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

import duckdb

from benchmarks._homes import environment
from benchmarks._ratios import tell, used_by
from benchmarks.chain import PROJECT, TODAY, _years, differences
from dagster_project.lib.warehouse.dbt_run import NO_UNIT_TESTS, DbtPlaces, dbt_build, raise_for
from dagster_project.lib.warehouse.dbt_run import PROJECT as DBT
from examples.generate import generate

REAL = PROJECT.parent / "shared" / "real"
NO_TESTS = ("--exclude-resource-type", "test", *NO_UNIT_TESTS)
REPEATS = 3
Node = dict[str, Any]


@dataclass(frozen=True)
class Statement:
    """One node of the manifest as plain SQL."""

    name: str
    kind: str
    sql: str


def compiled(places: DbtPlaces) -> list[Statement]:
    """Every seed, model and data test as dbt compiles it, parents first. Needs a built warehouse to look columns up."""
    dbt = Path(sys.executable).with_name("dbt")
    folders = {"project-dir": DBT, "profiles-dir": DBT, "target-path": places.work, "log-path": places.work}
    command = [
        str(dbt),
        "--quiet",
        "compile",
        *(text for name, at in folders.items() for text in (f"--{name}", str(at))),
    ]
    used_by(command, environment(places.work, TODAY) | places.environment)
    manifest = json.loads((places.work / "manifest.json").read_text(encoding="utf-8"))
    nodes: dict[str, Node] = {
        name: node for name, node in manifest["nodes"].items() if node["resource_type"] in ("seed", "model", "test")
    }
    parents = {name: [p for p in node["depends_on"].get("nodes", []) if p in nodes] for name, node in nodes.items()}
    return [_statement(nodes[name], places.seeds) for name in TopologicalSorter(parents).static_order()]


def _statement(node: Node, seeds: Path) -> Statement:
    if node["resource_type"] == "test":
        return Statement(node["name"], "test", f"select count(*) from ({node['compiled_code']})")
    if node["resource_type"] == "seed":
        path = str(seeds / node["path"]).replace("'", "''")
        select = (
            f"select * from read_csv('{path}', header = true, all_varchar = true, delim = ',', quote = '\"', "
            "escape = '\"', skip = 0, comment = '', hive_partitioning = false)"
        )
        return Statement(node["name"], "table", f"create table {node['relation_name']} as {select}")
    kind = "view" if node["config"]["materialized"] == "view" else "table"
    return Statement(node["name"], kind, f"create {kind} {node['relation_name']} as {node['compiled_code']}")


def run_bare(statements: Sequence[Statement], database: Path, schemas: Sequence[str]) -> tuple[float, float]:
    """Seconds of processors for seeds and models, and for the tests; SystemExit for a test that found something."""
    database.parent.mkdir(parents=True, exist_ok=True)
    database.unlink(missing_ok=True)
    start = time.process_time()
    with duckdb.connect(str(database), config={"threads": 2}) as connection:
        for schema in schemas:
            connection.execute(f"create schema if not exists {schema}")
        for statement in statements:
            if statement.kind != "test":
                connection.execute(statement.sql)
        connection.execute("checkpoint")
        built = time.process_time()
        for statement in statements:
            if statement.kind == "test":
                found = connection.execute(statement.sql).fetchone()
                if found != (0,):
                    raise SystemExit(f"{statement.name} found {found} rows: the comparison would be of a broken build")
        return built - start, time.process_time() - built


def run_dbt(places: DbtPlaces, arguments: Sequence[str]) -> float:
    """Seconds of processors of one call in this process into a new file."""
    places.warehouse.unlink(missing_ok=True)
    start = time.process_time()
    results = dbt_build(places, arguments)
    seconds = time.process_time() - start
    raise_for(results)
    return seconds


def run_command(places: DbtPlaces) -> float:
    """Seconds of processors of `dbt build` as a new process that parses the project, imports included."""
    places.warehouse.unlink(missing_ok=True)
    dbt = Path(sys.executable).with_name("dbt")
    folders = {"project-dir": DBT, "profiles-dir": DBT, "target-path": places.work / "cold", "log-path": places.work}
    command = [str(dbt), "--quiet", "build", *NO_UNIT_TESTS]
    command += [text for name, at in folders.items() for text in (f"--{name}", str(at))]
    return used_by(command, environment(places.work, TODAY) | places.environment).processors


def measure(title: str, home: Path, seeds: Path, folder: Path) -> None:
    """Build the warehouse of a finished run both ways; print seconds of processors, ratios, whether tables agree."""
    work = home / "work"
    places = DbtPlaces(seeds, work / "landing", work / "analysis", folder / "dbt" / "warehouse.duckdb", folder / "work")
    places.warehouse.parent.mkdir(parents=True)
    places.work.mkdir(parents=True)
    command = run_command(places)
    statements = compiled(places)
    bare_file = folder / "bare" / "warehouse.duckdb"
    schemas = sorted({schema for (schema,) in _schemas(places.warehouse)})
    run_dbt(places, NO_UNIT_TESTS)  # imports and the parse, which a worker pays once
    bare, tests, dbt, plain_dbt = [], [], [], []
    for _ in range(REPEATS):  # in turn, so that a busy moment of the machine meets both
        seconds = run_bare(statements, bare_file, schemas)
        bare.append(seconds[0])
        tests.append(seconds[1])
        plain_dbt.append(run_dbt(places, NO_TESTS))
        dbt.append(run_dbt(places, NO_UNIT_TESTS))
    kinds = [statement.kind for statement in statements]
    print(
        f"{title}: {len(kinds) - kinds.count('test')} seeds and models, {kinds.count('test')} tests, {_size(bare_file)}"
    )
    both = min(bare) + min(tests)
    lines = [
        ("bare DuckDB, seeds and models", min(bare), None),
        ("bare DuckDB, seeds, models and tests", both, None),
        ("dbt build without tests, project known", min(plain_dbt), min(bare)),
        ("dbt build, project known", min(dbt), both),
        ("dbt build as a new process, parsing included", command, both),
    ]
    for name, value, against in lines:
        ratio = f"   {value / against:5.1f} x bare" if against else ""
        print(f"  {name:<46}{value:8.2f} s{ratio}")
        if against:
            tell(f"{title}, {name}", value, "the same SQL without dbt", against)
    compared = differences(places.warehouse, bare_file)
    equal = [name for name, _, differing in compared if not differing]
    print(f"  {len(equal)} of {len(compared)} tables of schema marts are equal in every row and column", flush=True)
    for name, rows, differing in compared:
        if differing:
            print(f"    {name}: {differing:,} rows differ of {rows:,}")


def _schemas(database: Path) -> list[tuple[str]]:
    with duckdb.connect(str(database), read_only=True) as connection:
        return connection.execute(
            "select distinct schema_name from duckdb_schemas() "
            "where not internal and database_name = current_database()"
        ).fetchall()


def _size(database: Path) -> str:
    return f"{database.stat().st_size / 1e6:.1f} MB"


def example_home(folder: Path, communities: int, years: tuple[int, int]) -> tuple[Path, Path]:
    """The example network after one run of the main job, and its seeds."""
    home = folder / "home"
    generate(home / "drop", communities=communities, first_year=years[0], last_year=years[1])
    used_by([str(Path(sys.executable).with_name("cradle")), "run"], environment(home, TODAY))
    return home, PROJECT / "seeds"


def connecticut_home(folder: Path, real: Path) -> tuple[Path, Path]:
    """Seventy real districts of Connecticut after one run of the main job, and the seeds with their names."""
    home, seeds = folder / "home", folder / "seeds"
    (home / "drop").mkdir(parents=True)
    script = [sys.executable, str(real / "connecticut_to_drop.py"), str(home / "drop")]
    subprocess.run(script, check=True, capture_output=True)
    shutil.copytree(PROJECT / "seeds", seeds)
    with (home / "connecticut_communities.csv").open(newline="", encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    with (seeds / "network" / "communities.csv").open("w", newline="", encoding="utf-8") as out:
        table = csv.writer(out, lineterminator="\n")
        table.writerow(["community_id", "name", "state", "joined_year", "district_name"])
        table.writerows([row["community_id"], row["name"], row["state"], 2007, row["district_name"]] for row in rows)
    used_by([str(Path(sys.executable).with_name("cradle")), "run"], environment(home, TODAY, CRADLE_SEEDS=seeds))
    return home, seeds


def networks(options: argparse.Namespace) -> Iterator[tuple[str, Callable[[Path], tuple[Path, Path]]]]:
    """Title and maker of every network that can be measured here."""
    yield (
        f"Example network, {options.communities} communities",
        lambda folder: example_home(folder, options.communities, options.years),
    )
    if (options.real / "connecticut_to_drop.py").is_file():
        yield "Connecticut, 70 districts", lambda folder: connecticut_home(folder, options.real)
    else:
        print(f"Connecticut is left out: there is no {options.real / 'connecticut_to_drop.py'}")


def main() -> None:
    """Measure every network in a folder of its own, which is deleted at the end."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--communities", type=int, default=70)
    parser.add_argument("--years", type=_years, default=(2015, 2026), metavar="2015..2026")
    parser.add_argument("--real", type=Path, default=REAL, help="folder of real public data")
    options = parser.parse_args()
    for title, make in networks(options):
        with tempfile.TemporaryDirectory(prefix="dbt-speed-") as folder:
            home, seeds = make(Path(folder))
            measure(title, home, seeds, Path(folder) / "measured")


if __name__ == "__main__":
    main()
