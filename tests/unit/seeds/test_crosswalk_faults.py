"""A crosswalk of the wrong vintage, or one that counts somebody twice, is named by file and line and stops the run.

Belongs here: faults planted one at a time in a copy of the project's seeds, and what is said of them.
Does not: the seeds as they stand in the repository (test_seed_lint.py).
"""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

import pytest

from dagster_project.lib.base.reference import Reference, SeedError
from dagster_project.lib.base.seeds.lint import faults, require_sound
from tests.support import cradle

SEEDS = Path(__file__).resolve().parents[3] / "seeds"
PLACES = "network/geographies"
PLACE_LABELS = "crosswalks/geography_labels"
SUCCESSIONS = "crosswalks/geography_successions"
TIDEWATER = "clearhaven_tidewater_rural_schools"


@pytest.fixture
def seeds(tmp_path: Path) -> Path:
    """A copy of the project's seeds to plant faults in."""
    return shutil.copytree(SEEDS, tmp_path / "seeds")


def plant(seeds: Path, file: str, *lines: str) -> list[int]:
    """Append lines to a seed; their numbers in the file."""
    path = seeds / f"{file}.csv"
    before = path.read_text(encoding="utf-8")
    path.write_text(before + "".join(f"{line}\n" for line in lines), encoding="utf-8")
    first = before.count("\n") + 1
    return list(range(first, first + len(lines)))


def number_of(seeds: Path, file: str, start: str) -> int:
    """Number of the first line that begins so."""
    lines = (seeds / f"{file}.csv").read_text(encoding="utf-8").splitlines()
    return next(number for number, line in enumerate(lines, 1) if line.startswith(start))


def told(seeds: Path) -> list[str]:
    return [str(fault) for fault in faults(Reference(seeds))]


def test_the_projects_own_seeds_have_no_fault(seeds: Path) -> None:
    assert told(seeds) == []
    require_sound(Reference(seeds))


def test_a_label_with_two_meanings_in_one_year_names_both_lines(seeds: Path) -> None:
    one, other = plant(
        seeds,
        "crosswalks/group_labels",
        "community,clearhaven,race_ethnicity,Pacific,asian,,2019,",
        "community,clearhaven,race_ethnicity, pacific ,native_hawaiian_pacific_islander,2019,,",
    )
    assert told(seeds) == [
        f"seeds/crosswalks/group_labels.csv, lines {one} and {other}: the label Pacific stands for asian and "
        "native_hawaiian_pacific_islander in the same years (2019 to 2019); give each its own"
    ]


def test_two_meanings_one_after_the_other_or_in_two_scopes_are_no_fault(seeds: Path) -> None:
    plant(
        seeds,
        "crosswalks/group_labels",
        "community,clearhaven,race_ethnicity,Pacific,asian,,2018,",
        "community,clearhaven,race_ethnicity,Pacific,native_hawaiian_pacific_islander,2019,,",
        "community,aspenreach,race_ethnicity,Pacific,asian,,,",
        "global,,race_ethnicity,Pacific,native_hawaiian_pacific_islander,,,",
    )
    assert told(seeds) == []


def test_a_place_label_from_the_wrong_vintage_names_its_line(seeds: Path) -> None:
    """Tidewater Rural Schools is a district from 2012 to 2019."""
    (line,) = plant(seeds, PLACE_LABELS, f"community,clearhaven,Tidewater,{TIDEWATER},2018,2022,")
    assert told(seeds) == [
        f"seeds/{PLACE_LABELS}.csv, line {line}: the label Tidewater holds 2018 to 2022, but {TIDEWATER} is a place "
        "2012 to 2019"
    ]


def test_a_label_of_two_places_at_one_time_names_both_lines(seeds: Path) -> None:
    one, other = plant(
        seeds,
        PLACE_LABELS,
        f"community,clearhaven,Shore,{TIDEWATER},2013,2018,",
        "community,clearhaven,Shore,clearhaven_clearhaven_unified,2016,,",
    )
    (said,) = told(seeds)
    assert said.startswith(f"seeds/{PLACE_LABELS}.csv, lines {one} and {other}: the label Shore stands for")
    assert "(2016 to 2018)" in said


def test_a_parent_that_is_gone_when_its_place_is_there_names_both_lines(seeds: Path) -> None:
    (line,) = plant(seeds, PLACES, f"late_school,clearhaven,Late School,school,{TIDEWATER},,,2018,")
    parent = number_of(seeds, PLACES, TIDEWATER)
    assert told(seeds) == [
        f"seeds/{PLACES}.csv, lines {line} and {parent}: late_school is a place since 2018, but {TIDEWATER}, in which "
        "it lies, is one 2012 to 2019"
    ]


@pytest.mark.parametrize(
    ("planted", "says"),
    [
        (["a,clearhaven,A,zip,b,,,,", "b,clearhaven,B,zip,a,,,,"], "lies in itself"),
        (["a,clearhaven,A,zip,nowhere,,,,"], "lies in nowhere, which is no place of clearhaven"),
        (["a,clearhaven,A,zip,clearhaven,,,2019,2015"], "the years 2019 to 2015 are not a span of school years"),
        (["a,clearhaven,A,zip,clearhaven,,,20x9,"], "the years 20x9 to blank are not a span of school years"),
        (["a,clearhaven,A,zip,clearhaven,,,,", "a,clearhaven,A,zip,clearhaven,,,2015,"], "described twice"),
    ],
)
def test_places_in_circles_without_parent_or_without_years_are_named(
    planted: list[str], says: str, seeds: Path
) -> None:
    lines = plant(seeds, PLACES, *planted)
    found = told(seeds)
    assert found and all(f"seeds/{PLACES}.csv, line" in said and says in said for said in found)
    assert str(lines[0]) in found[0]


def test_one_district_twice_in_a_community_is_counted_twice_and_both_lines_are_named(seeds: Path) -> None:
    (line,) = plant(seeds, PLACES, "mine_too,clearhaven,Tidewater,district,clearhaven,invented,9902003,2018,")
    first = number_of(seeds, PLACES, TIDEWATER)
    assert told(seeds) == [
        f"seeds/{PLACES}.csv, lines {first} and {line}: district 9902003 of invented is {TIDEWATER} of clearhaven and "
        "mine_too of clearhaven in the same years: its students would be counted twice"
    ]


def test_one_district_may_be_served_by_two_communities(seeds: Path) -> None:
    plant(seeds, PLACES, "mine_too,aspenreach,Tidewater,district,aspenreach,invented,9902003,2018,")
    assert told(seeds) == []


def test_a_district_may_change_its_community_from_one_year_to_the_next(seeds: Path) -> None:
    plant(seeds, PLACES, "mine_now,aspenreach,Tidewater,district,aspenreach,invented,9902003,2020,")
    assert told(seeds) == []


def test_a_district_within_a_district_is_counted_twice(seeds: Path) -> None:
    (line,) = plant(seeds, PLACES, "part,clearhaven,Part,district,clearhaven_clearhaven_unified,,,,")
    (said,) = told(seeds)
    assert str(line) in said and said.endswith("a sum over districts would count it twice")


@pytest.mark.parametrize(
    ("kind", "line", "says"),
    [
        ("indicator", "global,,Happiness,happiness_pct,,,,", "Happiness leads to happiness_pct, which is not known"),
        ("dimension", "global,,Mood,mood,,,", "Mood leads to mood, which is not known"),
        ("group", "global,,gender,Purple,purple,,,", "Purple leads to purple, which is not known"),
        ("series", "global,,happiness_pct,Old,new,,,", "Old leads to happiness_pct, which is not known"),
        ("geography", "community,clearhaven,Atlantis,atlantis,,,", "Atlantis leads to atlantis, which is not known"),
    ],
)
def test_a_label_that_leads_nowhere_is_named(kind: str, line: str, says: str, seeds: Path) -> None:
    (number,) = plant(seeds, f"crosswalks/{kind}_labels", line)
    assert told(seeds) == [f"seeds/crosswalks/{kind}_labels.csv, line {number}: the label {says}"]


NEW_PLACES = (
    "shore_north,clearhaven,Shore North,district,clearhaven,,,2020,",
    "shore_south,clearhaven,Shore South,district,clearhaven,,,2020,",
)


def test_a_split_whose_weights_add_to_one_is_sound_and_one_that_does_not_is_named(seeds: Path) -> None:
    plant(seeds, PLACES, *NEW_PLACES)
    plant(seeds, SUCCESSIONS, f"clearhaven,{TIDEWATER},shore_north,0.6,", f"clearhaven,{TIDEWATER},shore_south,0.4,")
    assert told(seeds) == []
    path = seeds / f"{SUCCESSIONS}.csv"
    path.write_text(path.read_text(encoding="utf-8").replace("0.4", "0.5"), encoding="utf-8")
    assert told(seeds) == [
        f"seeds/{SUCCESSIONS}.csv, lines 2 and 3: the weights of {TIDEWATER} add up to 1.1; together its successors "
        "must take over 1"
    ]


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (f"clearhaven,{TIDEWATER},atlantis,1,", "atlantis is no place of clearhaven"),
        ("clearhaven,clearhaven_clearhaven_unified,shore_north,1,", "must be one in the year after it ends"),
        (f"clearhaven,{TIDEWATER},shore_north,all,", "the weight all is not a number above 0 and up to 1"),
        (f"clearhaven,{TIDEWATER},shore_north,-1,", "the weight -1 is not a number above 0 and up to 1"),
    ],
)
def test_a_succession_that_cannot_be_is_named(line: str, says: str, seeds: Path) -> None:
    plant(seeds, PLACES, *NEW_PLACES)
    (number,) = plant(seeds, SUCCESSIONS, line)
    (said,) = told(seeds)
    assert said.startswith(f"seeds/{SUCCESSIONS}.csv, line {number}: ") and said.endswith(says)


def test_lines_for_communities_outside_the_network_are_ignored(seeds: Path) -> None:
    plant(seeds, PLACES, "x,elsewhere,X,district,nowhere,invented,9902003,,", "x,elsewhere,X,zip,x,,,,")
    plant(seeds, PLACE_LABELS, "community,elsewhere,Y,y,,,")
    plant(seeds, SUCCESSIONS, "elsewhere,x,y,7,")
    assert told(seeds) == []


def test_many_faults_are_told_first_ones_first_and_counted(seeds: Path) -> None:
    plant(seeds, "crosswalks/group_labels", *(f"global,,gender,Odd {n},odd_{n},,," for n in range(5)))
    with pytest.raises(SeedError, match=r"Odd 0.*Odd 1.*Odd 2.*and 2 more \(cradle doctor lists all\)"):
        require_sound(Reference(seeds))


def test_a_planted_fault_stops_the_run_before_anything_is_published(seeds: Path, tmp_path: Path) -> None:
    (line,) = plant(seeds, PLACES, "mine_too,clearhaven,Tidewater,district,clearhaven,invented,9902003,2018,")
    home = tmp_path / "home"
    (home / "drop" / "aspenreach" / "2018").mkdir(parents=True)
    setting = {"CRADLE_HOME": home, "CRADLE_SEEDS": seeds, "CRADLE_TODAY": "2018-12-31"}
    run = cradle("run", **setting)
    assert run.returncode == 2
    said = run.stderr.splitlines()
    assert said[0].startswith(f"cradle: seeds/{PLACES}.csv, lines {number_of(seeds, PLACES, TIDEWATER)} and {line}: ")
    assert said[1:] == ["  hint: correct the file and run again; cradle doctor lists all faults"]
    assert not (home / "publish").exists() and not (home / "work").exists()
    doctor = cradle("doctor", **setting)
    assert doctor.returncode != 0 and f"lines {number_of(seeds, PLACES, TIDEWATER)} and {line}" in doctor.stdout


def test_every_crosswalk_of_the_seeds_is_linted() -> None:
    files = {path.stem for path in (SEEDS / "crosswalks").glob("*.csv")}
    with (SEEDS / f"{SUCCESSIONS}.csv").open(encoding="utf-8", newline="") as file:
        assert next(csv.reader(file)) == ["community_id", "geography_id", "successor_id", "weight", "note"]
    kinds = ("indicator", "dimension", "group", "series", "geography")
    # data_sources is no crosswalk of the intake: the profile that reads it checks it (tests/unit/disclosure).
    assert files == {*(f"{kind}_labels" for kind in kinds), "geography_successions", "data_sources"}
