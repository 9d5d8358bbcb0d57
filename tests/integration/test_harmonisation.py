"""Harmonisation as a whole: nothing is lost, made or counted twice between the members' files and the marts.

Belongs here: a small network whose district is split and whose labels differ, recounted with the csv module; dbt's unit
tests; the queries of the analysts' guide as they stand there.
Does not: faults in crosswalks (tests/unit/seeds/test_crosswalk_faults.py), real public files (test_connecticut.py).
"""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from dagster_project.lib.warehouse.dbt_run import MANIFEST, DbtPlaces
from tests.integration.conftest import Run, run
from tests.support import PROJECT, documented_queries
from tests.warm import warm_cradle

TODAY = "2021-12-31"
HEADER = "school_year,indicator,dimension,group,numerator,denominator,geography,geography_level\n"
PLACES = """geography_id,community_id,name,geography_level,parent_id,code_system,code,valid_from,valid_to
hill,clearhaven,Hill Schools,district,clearhaven,invented,1,,
shore,clearhaven,Shore Schools,district,clearhaven,invented,2,,2019
shore_north,clearhaven,Shore North,district,clearhaven,invented,3,2020,
shore_south,clearhaven,Shore South,district,clearhaven,invented,4,2020,
"""
SUCCESSIONS = """community_id,geography_id,successor_id,weight,note
clearhaven,shore,shore_north,0.75,Enrollment of 2019-20
clearhaven,shore,shore_south,0.25,Enrollment of 2019-20
"""
PLACE_LABELS = """scope,scope_id,label,geography_id,valid_from,valid_to,note
community,clearhaven,The Shore,shore,,2019,
community,clearhaven,The Shore,shore_north,2020,,The new district kept the name
"""
GRADUATES = "4-yr grad rate"
# School year, district as written, graduates, cohort; three spellings of one district, and a label that moves in 2020.
DISTRICTS = (
    (2018, "Hill Schools", 61, 80),
    (2018, "shore schools", 33, 41),
    (2019, "Hill Schools", 63, 82),
    (2019, "The Shore", 35, 43),
    (2020, "hill", 60, 79),
    (2020, "The Shore", 24, 31),
    (2020, "Shore South", 9, 12),
)
# The community's own crosswalk holds two labels for one group: adding them up would count, choosing one would hide.
TWO_LABELS = """2018,Graduation rate,race_ethnicity,Asian,40,50,,
2018,Graduation rate,race_ethnicity,Hmong,10,20,,
2018,Graduation rate,race_ethnicity,Black,30,40,,
2018,Graduation rate,race_ethnicity,Joy,1,2,,
"""


def district_files() -> dict[int, str]:
    """One file a reporting year."""
    files: dict[int, str] = {}
    for year, district, graduates, cohort in DISTRICTS:
        line = f"{year},{GRADUATES},all,all,{graduates},{cohort},{district},district\n"
        files[year] = files.get(year, HEADER) + line
    return files


@pytest.fixture(scope="module")
def split(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Two communities: one whose district is split in 2020, one whose crosswalk puts two labels on one group."""
    folder = tmp_path_factory.mktemp("split")
    seeds = folder / "seeds"
    shutil.copytree(PROJECT / "seeds", seeds)
    communities = "clearhaven,Clearhaven,MN,2018\naspenreach,Aspenreach,CO,2018\n"
    (seeds / "network/communities.csv").write_text(f"community_id,name,state,joined_year\n{communities}")
    (seeds / "network/geographies.csv").write_text(PLACES)
    (seeds / "crosswalks/geography_successions.csv").write_text(SUCCESSIONS)
    (seeds / "crosswalks/geography_labels.csv").write_text(PLACE_LABELS)
    with (seeds / "crosswalks/group_labels.csv").open("a") as out:
        out.write("community,aspenreach,race_ethnicity,Hmong,asian,,,\n")
    with (seeds / "crosswalks/indicator_labels.csv").open("a") as out:
        out.write(f"community,clearhaven,{GRADUATES},graduation_4yr_pct,,,,\n")
    drop = folder / "home" / "drop"
    for year, text in district_files().items():
        (drop / "clearhaven" / str(year)).mkdir(parents=True)
        (drop / "clearhaven" / str(year) / "districts.csv").write_text(text)
    (drop / "aspenreach" / "2018").mkdir(parents=True)
    (drop / "aspenreach" / "2018" / "groups.csv").write_text(HEADER + TWO_LABELS)
    return run(folder / "home", seeds, TODAY, warm_cradle)


def as_dropped() -> Counter[int]:
    """Graduates and cohorts by school year, from the files with the csv module: (year, n) and (year, of) summed."""
    counts: Counter[int] = Counter()
    for text in district_files().values():
        for row in csv.DictReader(io.StringIO(text)):
            counts[int(row["school_year"])] += 100_000 * int(row["numerator"]) + int(row["denominator"])
    return counts


PACKED = "sum(100000 * numerator + denominator)"


def test_no_crosswalk_changes_a_sum_of_counts(split: Run) -> None:
    query = f"select school_year, {PACKED} from marts.fct_indicator_value where geography_level = 'district' group by 1"
    assert dict(split.release.rows(query)) == as_dropped()


def test_a_community_value_is_the_same_sum_before_and_after_its_district_is_split(split: Run) -> None:
    rows = split.release.rows(
        "select school_year, 100000 * numerator + denominator, value_status, coverage, n_districts "
        "from marts.fct_indicator_value where community_id = 'clearhaven' and origin = 'pooled' order by 1"
    )
    assert {year: packed for year, packed, *_ in rows} == as_dropped()
    assert [row[2:] for row in rows] == [("derived", 1.0, 2), ("derived", 1.0, 2), ("derived", 1.0, 3)]


def test_a_label_follows_its_place_from_one_year_to_the_next(split: Run) -> None:
    rows = split.release.rows(
        "select school_year, geography_id, numerator from marts.fct_indicator_value "
        "where geography_level = 'district' and geography_id like 'shore%' order by all"
    )
    assert rows == [(2018, "shore", 33), (2019, "shore", 35), (2020, "shore_north", 24), (2020, "shore_south", 9)]


def test_counts_carried_to_the_places_of_today_keep_their_sum(split: Run) -> None:
    (query,) = [sql for title, sql in documented_queries().items() if title.startswith("4.")]
    rows = split.release.records(query)
    sums: Counter[int] = Counter()
    for row in rows:
        sums[row["school_year"]] += 100_000 * row["numerator"] + row["denominator"]
    assert sums == pytest.approx(as_dropped(), abs=1e-6)
    carried = {(r["geography_id"], r["numerator"], r["denominator"]) for r in rows if r["carried_over"]}
    assert ("shore_north", 0.75 * 33, 0.75 * 41) in carried and ("shore_south", 0.25 * 35, 0.25 * 43) in carried
    assert {r["geography_id"] for r in rows} == {"hill", "shore_north", "shore_south"}


def test_no_trend_of_a_place_runs_on_from_the_place_it_followed(split: Run) -> None:
    rows = split.release.rows(
        "select distinct geography_id, school_year from marts.fct_trend_point "
        "where geography_id like 'shore_%' order by all"
    )
    assert rows == [("shore_north", 2020), ("shore_south", 2020)]


def test_two_labels_on_one_group_are_neither_added_nor_chosen_between(split: Run) -> None:
    query = "select * from marts.fct_finding where rule_id = 'conflicting_rows' order by source_row"
    first, second = split.release.records(query)
    assert (first["severity"], first["source_row"], second["source_row"]) == ("error", 2, 3)
    # Each names the other and never itself.
    assert "in groups.csv row 3" in first["found"] and "row 2" not in first["found"]
    assert "in groups.csv row 2" in second["found"] and "row 3" not in second["found"]
    kept = "select population_group_id from marts.fct_indicator_value where community_id = 'aspenreach'"
    assert split.release.rows(kept) == [("race_ethnicity:black",)]


@pytest.mark.parametrize("network", ["split", "example", "changed"])
def test_every_accepted_row_is_effective_superseded_waiting_or_has_a_reason(
    network: str, request: pytest.FixtureRequest
) -> None:
    made: Run = request.getfixturevalue(network)
    with made.release.open() as connection:
        rows = connection.execute(
            f"""
            with rows as (
                select
                    submission_id,
                    count(*) filter (row_status = 'accepted') as accepted,
                    count(*) filter (row_status = 'waiting') as waiting,
                    count(*) filter (row_status in ('rejected', 'duplicate') and row_reason is null) as unexplained
                from read_parquet('{made.home}/work/landing/observations.parquet') group by 1
            ),
            kept as (
                select
                    submission_id,
                    count(*) filter (known_to = 9999) as effective,
                    count(*) filter (known_to < 9999) as superseded
                from marts.fct_indicator_value_history where origin = 'submitted' group by 1
            ),
            queue as (
                select submission_id, sum(n_rows) as queued
                from marts.fct_waiting_row where table_name = 'indicator_values' group by 1
            )
            select
                submission_id, accepted, effective + superseded, waiting, coalesce(queued, 0), unexplained, superseded
            from rows left join kept using (submission_id) left join queue using (submission_id)
            """
        ).fetchall()
    assert len(rows) > 3
    for submission, accepted, kept, waiting, queued, unexplained, _ in rows:
        assert (accepted, waiting, unexplained) == (kept or 0, queued, 0), submission
    if network == "example":
        assert sum(row[6] or 0 for row in rows) > 0, "no row was restated, so nothing was shown"
    if network == "split":
        assert sum(row[3] for row in rows) == 1, "the unknown group waits"


def test_the_guides_queries_run_as_they_stand_and_the_restated_value_is_found(example: Run) -> None:
    queries = {title[0]: sql for title, sql in documented_queries().items()}
    assert sorted(queries) == ["1", "2", "3", "4"]
    # The guide's examples speak of later years and another community than the test network has.
    shifted = {
        "1": queries["1"].replace("2022", "2018"),
        "2": queries["2"].replace("2021", "2017"),
        "3": queries["3"].replace("2022", "2018"),
        "4": queries["4"],
    }
    for number, query in shifted.items():
        assert query != queries[number] or number == "4", number
        assert example.release.rows(query), number
    restated = [row for row in example.release.records(shifted["2"]) if row["community_id"] == "quill_harbor"]
    told = [(r["indicator_id"], r["school_year"], r["known_in_2017"], r["known_today"]) for r in restated]
    assert told == [("graduation_4yr_pct", 2016, 64.0, 70.0)]
    assert (restated[0]["restated_in"], restated[0]["source_file"]) == (2018, "graduation.csv")


def test_every_dbt_unit_test_passes(example: Run, tmp_path: Path) -> None:
    """The rules of the models as sentences. They need the relations of a built warehouse, and read none of its rows."""
    copy = tmp_path / "warehouse.duckdb"
    shutil.copyfile(example.home / "work" / "warehouse.duckdb", copy)
    work = example.home / "work"
    places = DbtPlaces(example.seeds, work / "landing", work / "analysis", copy, tmp_path)
    project = PROJECT / "dbt"
    folders = {
        "project-dir": project,
        "profiles-dir": project,
        "target-path": tmp_path / "target",
        "log-path": tmp_path,
    }
    command = [str(Path(sys.executable).with_name("dbt")), "--no-use-colors", "--warn-error", "test"]
    command += [
        "--select",
        "test_type:unit",
        *(text for name, at in folders.items() for text in (f"--{name}", str(at))),
    ]
    tested = subprocess.run(command, env=os.environ | places.environment, capture_output=True, text=True, check=False)
    assert tested.returncode == 0, tested.stdout
    declared = json.loads(MANIFEST.read_text(encoding="utf-8"))["unit_tests"]
    assert len(declared) > 20 and f"PASS={len(declared)} " in tested.stdout
