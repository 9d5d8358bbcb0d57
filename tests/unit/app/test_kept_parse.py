"""dbt reads the project once for every home; whatever it would read differently is read again.

Belongs here: what a kept parse depends on, where it lies, and the folders that it is pointed at.
Does not: what dbt builds from it (tests/integration).
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from dagster_project.lib.warehouse import dbt_run
from dagster_project.lib.warehouse.dbt_run import EMBEDDED, PROJECT, DbtPlaces, dbt_build, raise_for
from dagster_project.lib.warehouse.parsed import KEPT, READ_BY_DBT, KeptParse, digest
from tests.support import PROJECT as ROOT


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of what dbt reads, without a parse."""
    made = tmp_path / "dbt"
    made.mkdir()
    for name in READ_BY_DBT:
        (shutil.copytree if (PROJECT / name).is_dir() else shutil.copy)(PROJECT / name, made / name)
    return made


@pytest.fixture
def seeds(tmp_path: Path) -> Path:
    return shutil.copytree(ROOT / "seeds", tmp_path / "seeds")


def appended(name: str) -> Callable[[Path], None]:
    """Write a blank line to the end of a file."""

    def write(folder: Path) -> None:
        path = folder / name
        path.write_bytes(path.read_bytes() + b"\n")

    return write


def test_rows_of_a_seed_and_the_place_of_a_home_make_no_other_parse(project: Path, seeds: Path, tmp_path: Path) -> None:
    before = digest(project, seeds, EMBEDDED)
    appended("network/communities.csv")(seeds)
    moved = seeds.rename(tmp_path / "moved")
    assert digest(shutil.copytree(project, tmp_path / "elsewhere"), moved, EMBEDDED) == before


@pytest.mark.parametrize(
    "change",
    [
        lambda project, seeds: appended("models/marts/dim_community.sql")(project),
        lambda project, seeds: appended("models/marts/_marts.yml")(project),
        lambda project, seeds: appended("macros/tests/promises.sql")(project),
        lambda project, seeds: appended("dbt_project.yml")(project),
        lambda project, seeds: (project / "models/marts/dim_community.sql").rename(project / "models/marts/moved.sql"),
        lambda project, seeds: appended("_seeds.yml")(seeds),
        lambda project, seeds: (seeds / "network/another.csv").write_text("a\n1\n"),
        lambda project, seeds: (seeds / "network/waivers.csv").unlink(),
    ],
)
def test_whatever_dbt_reads_makes_another_parse(
    change: Callable[[Path, Path], None], project: Path, seeds: Path
) -> None:
    before = digest(project, seeds, EMBEDDED)
    change(project, seeds)
    assert digest(project, seeds, EMBEDDED) != before
    assert digest(project, seeds, "spark") != digest(project, seeds, EMBEDDED)


def test_a_parse_lies_with_the_project_or_where_there_is_no_such_folder_in_the_home(tmp_path: Path) -> None:
    project, work = tmp_path / "project", tmp_path / "work"
    for folder in (project, work):
        folder.mkdir()
    KeptParse(project, work, "one").keep(b"first")
    assert [path.name for path in work.iterdir()] == ["parsed-one.msgpack"]
    (project / "target").mkdir()
    KeptParse(project, work, "two").keep(b"second")
    assert [path.name for path in (project / "target").iterdir()] == ["parsed-two.msgpack"]
    elsewhere = KeptParse(project, tmp_path, "two")
    assert (KeptParse(project, work, "one").read(), elsewhere.read()) == (b"first", b"second")
    assert KeptParse(project, work, "three").read() is None


def test_former_parses_make_way(tmp_path: Path) -> None:
    for number in range(3 * KEPT):
        KeptParse(tmp_path / "none", tmp_path, f"{number}").keep(b"")
    names = {path.name for path in tmp_path.iterdir()}
    assert len(names) == KEPT + 1 and f"parsed-{3 * KEPT - 1}.msgpack" in names


def test_one_parse_serves_homes_whose_paths_hold_braces_and_quotes(
    project: Path, seeds: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / "target").mkdir()
    monkeypatch.setattr(dbt_run, "PROJECT", project)
    rows: list[list[tuple[int, object]]] = []
    for name in ("plain", "it's {odd} [1] é"):
        home = tmp_path / name
        own = shutil.copytree(seeds, home / "seeds")
        communities = own / "network/communities.csv"
        communities.write_text("\n".join(communities.read_text(encoding="utf-8").split("\n")[: len(rows) + 2]) + "\n")
        places = DbtPlaces(own, home / "landing", home / "analysis", home / "warehouse.duckdb", home / "work")
        places.landing.mkdir()
        with duckdb.connect() as connection:
            path = str(places.landing / "run_context.parquet").replace("'", "''")
            row = f"date '2020-01-0{len(rows) + 1}' as today, 'r' as ruleset_id, '1' as ruleset_version, "
            row += "2019 as first_reporting_year, 2020 as last_reporting_year"
            connection.execute(f"copy (select {row}) to '{path}'")
        chosen = ["--select", "communities", "stg_landing__run_context", "--exclude-resource-type", "test"]
        raise_for(dbt_build(places, chosen))
        with duckdb.connect(str(places.warehouse), read_only=True) as built:
            rows.append(
                built.execute(
                    "select count(*), (select max(today) from staging.stg_landing__run_context) from seeds.communities"
                ).fetchall()
            )
    assert [(n, str(day)) for [(n, day)] in rows] == [(1, "2020-01-01"), (2, "2020-01-02")]
    assert len(list((project / "target").iterdir())) == 1
