"""A network ten or a hundred times as large as the example network is made by the same hand, one community at a time.

Belongs here: claims about --scale and --container.
Does not: the example network's own figures (test_generator.py), or what a run makes of a large network (benchmarks).
"""

from __future__ import annotations

import csv
import itertools
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dagster_project.lib.base.reference import Reference
from dagster_project.lib.base.seeds.lint import faults
from dagster_project.lib.intake.reading.files import read_file
from dagster_project.lib.intake.reading.workbook import WorkbookReader
from examples import bucket, generate, seeds
from examples.tables import Community, communities, network, places, read_rows

SOME_YEARS = range(2018, 2020)


def last_of(scale: int, number: int) -> list[Community]:
    return list(network(scale))[-number:]


@settings(deadline=None, max_examples=12)
@given(st.integers(1, 120))
def test_a_larger_network_begins_with_the_smaller_and_nobody_shares_an_id_or_a_name(scale: int) -> None:
    made = list(network(scale))
    assert len(made) == scale * len(communities())
    assert tuple(made[: len(communities())]) == communities()
    for told in ("community_id", "name", "position"):
        assert len({getattr(community, told) for community in made}) == len(made), told
    assert {community.state for community in made} == {community.state for community in communities()}


@settings(deadline=None, max_examples=12)
@given(st.integers(1, 120))
def test_no_two_communities_of_a_larger_network_share_a_place(scale: int) -> None:
    found = [place for community in network(scale) for place in places(community)]
    assert len(found) == scale * len(read_rows(seeds.SEEDS / "network" / "geographies.csv"))
    assert len({place["geography_id"] for place in found}) == len(found)
    assert len({(place["code_system"], place["code"]) for place in found}) == len(found)
    inside = {place["geography_id"] for place in found} | {place["community_id"] for place in found}
    assert {place["parent_id"] for place in found} <= inside


@pytest.mark.parametrize("scale", [0, -3])
def test_a_network_smaller_than_the_example_network_is_refused(tmp_path: Path, scale: int) -> None:
    with pytest.raises(SystemExit) as refused:
        generate.main(["--home", str(tmp_path), "--scale", str(scale)])
    assert refused.value.code == 2


def test_a_further_communitys_files_are_its_own_and_do_not_depend_on_how_large_the_network_is() -> None:
    here, there = last_of(2, 70)[6], list(network(3))[76]
    assert here.of_seeds == "birchmont_falls"
    files, _ = generate.community_files(here, SOME_YEARS, 1)
    assert files and files == generate.community_files(there, SOME_YEARS, 1)[0]
    of_seeds, _ = generate.community_files(communities()[6], SOME_YEARS, 1)
    values = "{}/2018/indicator_values.csv"
    assert files[values.format(here.community_id)] != of_seeds[values.format(here.of_seeds)]


def test_the_seeds_of_a_larger_network_are_sound_and_name_every_community(tmp_path: Path) -> None:
    for _ in range(2):  # A second time over the first: nothing is named twice.
        seeds.write(tmp_path / "seeds", 3)
    reference = Reference(tmp_path / "seeds")
    assert faults(reference) == faults(Reference(seeds.SEEDS))
    assert sorted(reference.communities["community_id"]) == sorted(each.community_id for each in network(3))


def test_a_community_lies_in_the_drop_before_the_next_one_is_drawn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[str] = []

    def watched(draw: Callable[[Community, int], object]) -> Callable[[Community, int], object]:
        def simulate(community: Community, seed: int) -> object:
            assert all((tmp_path / before).is_dir() for before in drawn)
            drawn.append(community.community_id)
            return draw(community, seed)

        return simulate

    monkeypatch.setattr(generate, "simulate", watched(generate.simulate))
    summary = generate.generate(tmp_path, communities=3, first_year=2019, last_year=2019, scale=100)
    assert drawn == [community.community_id for community in communities()[:3]]
    assert summary.folders == 3


@pytest.mark.parametrize("piece", [1, 7])
@pytest.mark.parametrize("container", ["csv", "parquet"])
def test_the_networks_tables_say_the_same_in_pieces_of_any_length(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, container: str, piece: int
) -> None:
    def cells(folder: Path) -> dict[str, list[list[str]]]:
        generate.generate(folder, communities=9, first_year=2019, last_year=2019, container=container)
        paths = (folder / "_network" / "2019").iterdir()
        return {path.name: read_file(path.name, path.read_bytes()).sheets[0].rows for path in paths}

    whole = cells(tmp_path / "whole")
    assert {name.rsplit(".", 1)[0] for name in whole} >= {"review_decisions", "gateway_decisions"}
    monkeypatch.setattr(bucket, "PIECE", piece)
    assert cells(tmp_path / "pieces") == whole


def test_intake_reads_the_same_from_parquet_as_from_csv() -> None:
    pairs: list[tuple[str, bytes, bytes, str]] = []
    for at in (0, 1, 6, 57):  # Codes, a report card, districts, Windows-1252.
        files = {}
        for container in ("csv", "parquet"):
            community = next(itertools.islice(network(1, container), at, None))
            files[container], _ = generate.community_files(community, range(2018, 2019), 1)
        for name, data in files["parquet"].items():
            if name.endswith(".parquet"):
                text = files["csv"][name.replace(".parquet", ".csv")]
                pairs.append((name, data, text, communities()[at].encoding))
            else:
                assert files["csv"][name] == data
    assert len(pairs) > 20
    with WorkbookReader() as reader:
        for name, data, text, encoding in pairs:
            rows = read_file(name, data, workbooks=reader).sheets[0].rows
            assert rows == read_file("as.csv", text, encoding).sheets[0].rows, name


def test_the_command_writes_a_larger_network_beside_its_seeds(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ["--home", str(tmp_path), "--scale", "2", "--communities", "72", "--years", "2020..2020"]
    assert generate.main([*asked, "--container", "parquet"]) == 0
    told = capsys.readouterr().out
    assert "72 communities" in told and "CRADLE_SEEDS" in told
    assert (tmp_path / "drop" / "alderwick_bend_2" / "2020" / "indicator_values.parquet").is_file()
    with (tmp_path / "seeds" / "network" / "communities.csv").open(newline="", encoding="utf-8") as file:
        assert "wrenmouth_2" in {line["community_id"] for line in csv.DictReader(file)}
