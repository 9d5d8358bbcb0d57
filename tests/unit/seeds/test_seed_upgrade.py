"""Older reference data is completed and otherwise left as it is, byte for byte; afterwards it holds together.

Belongs here: seeds_upgrade over seeds from which things were taken away.
Does not: faults of seeds (test_crosswalk_faults.py, tests/unit/app/test_planted_mistakes.py).
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from dagster_project.cli.main import cli
from dagster_project.lib.base.reference import Reference, SeedError
from dagster_project.lib.base.seeds.forms import forms, read_sheet
from dagster_project.lib.base.seeds.lint import OF_EACH_RULESET, faults
from dagster_project.lib.base.seeds.upgrade import additions, write

SEEDS = Path(__file__).resolve().parents[3] / "seeds"
TODAY = dt.date(2024, 12, 31)
CELLS = st.text(st.characters(codec="utf-8", exclude_characters="\x00", exclude_categories=("Cs",)), max_size=8)


@pytest.fixture
def seeds(tmp_path: Path) -> Path:
    return shutil.copytree(SEEDS, tmp_path / "seeds")


def upgrade(seeds: Path) -> list[tuple[str, tuple[str, ...]]]:
    found = additions(seeds, TODAY)
    write(seeds, found)
    return [(addition.file, addition.says) for addition in found]


def content(seeds: Path) -> dict[str, bytes]:
    return {path.relative_to(seeds).as_posix(): path.read_bytes() for path in seeds.rglob("*") if path.is_file()}


def without_column(path: Path, column: str) -> None:
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    place = rows[0].index(column)
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows([cell for n, cell in enumerate(row) if n != place] for row in rows)
    path.write_text(text.getvalue(), encoding="utf-8")


def test_complete_seeds_are_left_alone(seeds: Path) -> None:
    before = content(seeds)
    assert upgrade(seeds) == [] and content(seeds) == before


def test_what_was_taken_away_comes_back_and_the_seeds_hold_together(seeds: Path) -> None:
    statuses = seeds / "dictionary" / "statuses.csv"
    n_statuses = len(statuses.read_text(encoding="utf-8").splitlines()) - 1
    statuses.unlink()
    (seeds / "rulesets" / "ruleset_in_force.csv").unlink()
    without_column(seeds / "dictionary" / "indicators.csv", "calendar_year")
    parameters = seeds / "rulesets" / "gateway_parameters.csv"
    lines = parameters.read_text(encoding="utf-8").splitlines(keepends=True)
    parameters.write_text("".join(line for line in lines if "gateway.sector_quorum" not in line), encoding="utf-8")
    assert faults(Reference(seeds), TODAY) != []
    assert dict(upgrade(seeds)) == {
        "dictionary/statuses": (f"the file, with {n_statuses} lines",),
        "rulesets/ruleset_in_force": ("the file, with 1 line",),
        "dictionary/indicators": ("the column calendar_year",),
        "rulesets/gateway_parameters": ("1 line: toa-default 1.1.0 gateway.sector_quorum",),
    }
    assert faults(Reference(seeds), TODAY) == []
    own, theirs = (Reference(folder).table("dictionary/indicators") for folder in (SEEDS, seeds))
    assert theirs.select(own.columns).equals(own)
    assert upgrade(seeds) == []


def test_a_network_of_its_own_gets_no_places_of_another(seeds: Path) -> None:
    (seeds / "network" / "communities.csv").write_text(
        "community_id,name,state,joined_year\nelsewhere,Elsewhere,XX,2020\n", encoding="utf-8"
    )
    (seeds / "network" / "geographies.csv").unlink()
    (seeds / "network" / "waivers.csv").unlink()
    assert upgrade(seeds) == [
        ("network/waivers", ("the file, with its header",)),
        ("network/geographies", ("the file, with its header",)),
    ]
    assert faults(Reference(seeds), TODAY) == []


def test_swapping_the_communities_alone_is_no_fault(seeds: Path) -> None:
    (seeds / "network" / "communities.csv").write_text(
        "community_id,name,state,joined_year\nelsewhere,Elsewhere,,2020\n", encoding="utf-8"
    )
    assert faults(Reference(seeds), TODAY) == []


def test_a_ruleset_of_its_own_gets_what_it_lacks_under_its_own_name(seeds: Path) -> None:
    for name in ("ruleset_parameters", "gateway_parameters", "comparison_parameters"):
        path = seeds / "rulesets" / f"{name}.csv"
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        own = [line.replace("toa-default,1.1.0", "ours,2") for line in lines if line.startswith("toa-default,1.1.0")]
        path.write_text("".join([*lines, *own[1:]]), encoding="utf-8")
    (seeds / "rulesets" / "ruleset_in_force.csv").write_text(
        "from_reporting_year,ruleset_id,ruleset_version\n2000,ours,2\n", encoding="utf-8"
    )
    for file in OF_EACH_RULESET:
        path = seeds / f"{file}.csv"
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        own = [line.replace("toa-default", "ours") for line in lines if line.startswith("toa-default")]
        path.write_text("".join([*lines, *own]), encoding="utf-8")
    added = dict(upgrade(seeds))
    assert added["rulesets/comparison_parameters"] == ("1 line: ours 2 year_over_year.points",)
    assert len(added) == 3 and faults(Reference(seeds), TODAY) == []


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@settings(max_examples=30)
@given(names=st.lists(CELLS, min_size=1, max_size=6))
def test_every_record_stands_as_it_was_written_before_the_added_column(
    tmp_path_factory: pytest.TempPathFactory, end: str, names: list[str]
) -> None:
    seeds = shutil.copytree(SEEDS, tmp_path_factory.mktemp("cells") / "seeds")
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator=end, quoting=csv.QUOTE_ALL)
    writer.writerows([["dimension", "group_code", "label", "scheme", "ceds_code"]])
    writer.writerows(["gender", f"g{number}", name, "", ""] for number, name in enumerate(names))
    path = seeds / "dictionary" / "groups.csv"
    path.write_bytes(b"\xef\xbb\xbf" + text.getvalue().encode())
    upgrade(seeds)
    form = next(form for form in forms() if form.name == "groups")
    sheet, _ = read_sheet(form, seeds)
    assert sheet is not None and sheet.header[-1] == form.columns[-1]
    assert [row["label"] for _, row in sheet.lines] == [name.strip() for name in names]
    assert path.read_bytes().startswith(b"\xef\xbb\xbf")


def test_a_dry_run_says_the_same_and_writes_nothing(seeds: Path) -> None:
    (seeds / "dictionary" / "masks.csv").unlink()
    before = content(seeds)
    environment = {"CRADLE_SEEDS": str(seeds), "CRADLE_TODAY": "2024-12-31"}
    dry = CliRunner().invoke(cli, ["seeds", "upgrade", "--dry-run"], env=environment)
    assert dry.output == "would add to seeds/dictionary/masks.csv: the file, with 8 lines\n"
    assert content(seeds) == before
    done = CliRunner().invoke(cli, ["seeds", "upgrade"], env=environment)
    assert done.output.startswith("added to seeds/dictionary/masks.csv: the file, with 8 lines\n")
    assert content(seeds) == content(SEEDS)


def test_a_file_that_is_no_table_is_refused_and_nothing_is_written(seeds: Path) -> None:
    (seeds / "dictionary" / "masks.csv").write_bytes(b'mask,value_status\n"open,x\n')
    with pytest.raises(SeedError, match=r"dictionary/masks\.csv cannot be read"):
        additions(seeds, TODAY)


def test_every_seed_is_declared_with_the_columns_it_has_and_its_key_is_what_dbt_tests() -> None:
    declared = {form.file: form for form in forms()}
    files = {path.relative_to(SEEDS).as_posix().removesuffix(".csv") for path in SEEDS.rglob("*.csv")}
    assert files == set(declared)
    for form in forms():
        sheet, found = read_sheet(form, SEEDS)
        assert found == [] and sheet is not None
        assert set(sheet.header) - set(form.columns) == set(), form.name
        assert set(form.required) <= set(sheet.header), form.name
        assert {*form.key, *form.filled, *form.words, *form.whole, *form.dates} <= set(form.columns), form.name
