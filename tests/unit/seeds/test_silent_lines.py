"""A line of reference data that would be read as nothing, or as what nobody meant, stops the run and is named.

Belongs here: mistakes of typing planted one at a time in a copy of the project's seeds, and what is said of them.
Does not: crosswalks and places over years (test_crosswalk_faults.py), the seeds as they stand (test_seed_lint.py).
"""

from __future__ import annotations

import datetime as dt
import shutil
from pathlib import Path

import pytest

from dagster_project.lib.base.reference import Reference
from dagster_project.lib.base.seeds.lint import OF_EACH_RULESET, faults

SEEDS = Path(__file__).resolve().parents[3] / "seeds"
TODAY = dt.date(2024, 12, 31)
COMMUNITIES, CALENDAR = "network/communities", "network/calendar"
PROFILES, ZONES, TERMS = "network/disclosure_profiles", "network/disclosure_zones", "network/publication_terms"
LABELS, PARAMETERS = "crosswalks/indicator_labels", "rulesets/ruleset_parameters"
ASPENREACH = "aspenreach,Aspenreach,CO,2015,,"
DUE_2024 = "2024,2024-01-15,2024-11-30,"
COVERAGE = "toa-default,1.1.0,aggregate.min_coverage,0.80"


@pytest.fixture
def seeds(tmp_path: Path) -> Path:
    """A copy of the project's seeds to make mistakes in."""
    return shutil.copytree(SEEDS, tmp_path / "seeds")


def told(seeds: Path) -> list[str]:
    return [str(fault).partition(": ")[2] for fault in faults(Reference(seeds), TODAY)]


def replace(seeds: Path, file: str, before: str, after: str) -> None:
    path = seeds / f"{file}.csv"
    text = path.read_text(encoding="utf-8")
    assert before in text
    path.write_text(text.replace(before, after, 1), encoding="utf-8")


def append(seeds: Path, file: str, line: str) -> None:
    path = seeds / f"{file}.csv"
    path.write_text(f"{path.read_text(encoding='utf-8')}{line}\n", encoding="utf-8")


REPLACED = {
    "a community that left before it joined": (
        COMMUNITIES, ASPENREACH, "aspenreach,Aspenreach,CO,2015,2010,",
        "joined_year is 2015 and left_year is 2010; joined_year must not be the greater one",
    ),
    "a year of two digits": (
        COMMUNITIES, ASPENREACH, "aspenreach,Aspenreach,CO,15,,", "joined_year is 15, not a year such as 2024",
    ),
    "a year with a digit too many": (
        COMMUNITIES, ASPENREACH, "aspenreach,Aspenreach,CO,20155,,", "joined_year is 20155, not a year such as 2024",
    ),
    "an encoding that there is not": (
        COMMUNITIES, ASPENREACH, f"{ASPENREACH}latin-one", "encoding is latin-one, not an encoding such as cp1252",
    ),
    "an id that leads out of the bucket": (
        COMMUNITIES, "\naspenreach,", "\n../aspen,",
        "community_id is ../aspen, not a name that a folder of the bucket may have",
    ),
    "the network's own folder as a community": (
        COMMUNITIES, "\naspenreach,", "\n_network,",
        "community_id is _network, not a name that a folder of the bucket may have",
    ),
    "an optional column under nearly its name": (
        COMMUNITIES, "left_year", "Left Year", "the column 'Left Year' is not read; its name is left_year",
    ),
    "a column with a blank before its name": (
        COMMUNITIES, ",left_year", ", left_year", "the column ' left_year' is not read; its name is left_year",
    ),
    "a required column under nearly its name": (
        COMMUNITIES, "joined_year", "Joined year", "the column 'Joined year' is not read; its name is joined_year",
    ),
    "a blank line": (COMMUNITIES, "\naspenreach", "\n\naspenreach", "the line is blank; delete it"),
    "a folder due before it opens": (
        CALENDAR, DUE_2024, "2024,2024-01-15,2023-11-30,",
        "opens_on is 2024-01-15 and due_on is 2023-11-30; opens_on must not be the greater one",
    ),
    "days of preview below none": (CALENDAR, DUE_2024, f"{DUE_2024}-5", "preview_days is -5; the smallest is 0"),
    "a threshold that protects nobody": (
        PROFILES, "edu_public_v1,all,,,10,,10", "edu_public_v1,all,,,0,,10", "min_n is 0; the smallest is 1",
    ),
    "a threshold of a sector that there is not": (
        PROFILES, "all,,health", "all,,helth", "sector is helth, which is not in seeds/dictionary/indicators.csv",
    ),
    "a threshold of a profile that nothing reads": (
        PROFILES, "edu_public_v1,all,,health", "edu_public_1,all,,health",
        "profile is edu_public_1; allowed are edu_public_v1",
    ),
    "zones with their ends changed": (
        ZONES, "edu_public_v1,21,10,90", "edu_public_v1,21,90,10",
        "low is 90 and high is 10; low must not be the greater one",
    ),
    "a permission that ends before it begins": (
        TERMS, "agreement,,", "agreement,2025-01-01,2024-01-01",
        "from is 2025-01-01 and to is 2024-01-01; from must not be the greater one",
    ),
    "a unit without a factor": ("dictionary/units", "fraction,percent,100", "fraction,percent,", "factor is blank"),
    "a share in percent": (
        PARAMETERS, COVERAGE, COVERAGE.replace("0.80", "80"),
        "the value of aggregate.min_coverage is 80, not a share from 0 to 1 such as 0.8",
    ),
    "a dimension to decide that there is not": (
        PARAMETERS, "toa-default,1.1.0,gap.dimensions,race_ethnicity", "toa-default,1.1.0,gap.dimensions,race",
        "the value of gap.dimensions is race, which is not in seeds/dictionary/dimensions.csv",
    ),
    "a starter list of a ruleset that there is not": (
        "rulesets/starter_burdened_groups", "toa-default,race_ethnicity,black", "toa,race_ethnicity,black",
        "ruleset_id is toa, which is not in seeds/rulesets/ruleset_parameters.csv",
    ),
    "two indicators to decide one outcome": (
        "dictionary/indicators", "contributing,false", "contributing,true",
        "grade3_reading_proficient_pct and grade3_reading_mean_score are both primary of early_grade_reading; "
        "only one of them can decide it",
    ),
}  # fmt: skip


@pytest.mark.parametrize("mistake", REPLACED)
def test_a_cell_that_would_be_read_as_nothing_or_wrongly_is_named(seeds: Path, mistake: str) -> None:
    file, before, after, says = REPLACED[mistake]
    replace(seeds, file, before, after)
    assert says in told(seeds)


def test_a_list_of_communities_without_a_line_is_named_and_nothing_else(seeds: Path) -> None:
    path = seeds / f"{COMMUNITIES}.csv"
    path.write_text(path.read_text(encoding="utf-8").splitlines()[0] + "\n", encoding="utf-8")
    assert told(seeds) == ["the file names no community; a network has one at least"]


APPENDED = {
    "an id that differs by capitals": (COMMUNITIES, "Aspenreach,Second,CO,2015,,", "keep one line"),
    "a word in capitals that no code reads": (
        "network/geographies", "x,aspenreach,X,District,aspenreach,,,,",
        "geography_level is District; allowed are district, school, county, zip, neighborhood",
    ),
    "a label for all that names a community": (
        LABELS, "global,aspenreach,Some label,graduation_4yr_pct,,,,",
        "scope is global and scope_id is aspenreach; leave scope_id blank, or name the scope it belongs to",
    ),
    "a label of a community that is not named": (
        LABELS, "community,,Some label,graduation_4yr_pct,,,,", "scope is community and scope_id is blank",
    ),
    "a threshold of a state by its name": (
        PROFILES, "edu_public_v1,state,Ohio,,20,,", "scope_id is Ohio, which is the state of no community",
    ),
    "a threshold of a state in small letters": (
        PROFILES, "edu_public_v1,state,oh,,20,,", "scope_id is oh, which is the state of no community",
    ),
    "a number as a mask": (
        "dictionary/masks", "0,suppressed_at_source",
        "mask is 0, not a mask: it is a number that a rate can be, and would hide it everywhere",
    ),
    "more children of color than children": (
        "network/reach", "aspenreach,08001,2024,100,200,Census",
        "children_of_color is 200 and children is 100; children_of_color must not be the greater one",
    ),
    "a source that ends before it begins": (
        "crosswalks/data_sources", "Survey,Survey,true,2024,2020",
        "valid_from is 2024 and valid_to is 2020; valid_from must not be the greater one",
    ),
    "a year in digits of another script": (
        "crosswalks/indicator_labels", "community,aspenreach,Some label,graduation_4yr_pct,,२०२३,,",
        "the years २०२३ to blank are not a span of school years",
    ),
    "a second group to compare with": (
        "rulesets/starter_burdened_groups", "toa-default,race_ethnicity,asian,reference",
        "white and asian are both the reference of race_ethnicity; a dimension has one",
    ),
}  # fmt: skip


@pytest.mark.parametrize("mistake", APPENDED)
def test_a_line_that_would_hold_for_nobody_or_for_others_is_named(seeds: Path, mistake: str) -> None:
    file, line, says = APPENDED[mistake]
    append(seeds, file, line)
    assert [found for found in told(seeds) if says in found]


def test_true_and_false_are_read_as_spreadsheet_programs_write_them(seeds: Path) -> None:
    replace(seeds, "dictionary/indicators", "core,true", "core,TRUE")
    assert told(seeds) == []


def test_a_file_whose_lines_end_as_no_program_reads_them_is_not_read_as_an_empty_one(seeds: Path) -> None:
    path = seeds / "network" / "waivers.csv"
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r"))
    assert [says for says in told(seeds) if "so that all of it is read as one" in says]


@pytest.mark.parametrize("file", OF_EACH_RULESET)
def test_a_ruleset_without_groups_designations_or_requirements_is_told_before_it_judges(seeds: Path, file: str) -> None:
    path = seeds / f"{file}.csv"
    kept = [line for line in path.read_text(encoding="utf-8").splitlines() if not line.startswith("toa-default")]
    path.write_text("\n".join([*kept, ""]), encoding="utf-8")
    assert [found for found in told(seeds) if found.endswith("copy those of another one under its id")] != []


def test_a_share_above_one_may_say_never(seeds: Path) -> None:
    replace(seeds, "rulesets/comparison_parameters", "shared.folder_share,0.5", "shared.folder_share,1.5")
    assert told(seeds) == []


def test_a_threshold_of_a_state_without_a_community_waits_for_one(seeds: Path) -> None:
    append(seeds, PROFILES, "edu_public_v1,state,ZZ,,20,,")
    assert told(seeds) == []


@pytest.mark.parametrize("mask", ["-9", "9999", "1.0E+99"])
def test_a_number_that_no_rate_can_be_may_be_a_mask(seeds: Path, mask: str) -> None:
    """Some states write -9 or 9999 for what they hide."""
    append(seeds, "dictionary/masks", f"{mask},suppressed_at_source")
    assert told(seeds) == []


def test_blank_lines_at_the_end_are_no_lines(seeds: Path) -> None:
    held = Reference(seeds).table("network/waivers")
    for path in sorted(seeds.rglob("*.csv")):
        path.write_bytes(path.read_bytes() + b"\n\r\n")
    assert told(seeds) == []
    assert Reference(seeds).table("network/waivers").equals(held)
