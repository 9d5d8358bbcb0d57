"""The main job over real public data, against a recount of the published files with the csv module alone.

Belongs here: claims about the Connecticut network's release, and the recount they are measured against.
Does not: use of the layouts, crosswalks or readers of the project: the recount knows the files by itself.
"""

from __future__ import annotations

import csv
import io
import random
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.integration.conftest import Run
from tests.support import real_data, receipt

COMMUNITIES, COMMUNITY_YEARS, FILES = 70, 975, 7036
SAMPLE_SEED = 20240630
DIRECTION = {"chronic_absence_pct": -1}
INDICATORS = (
    "chronic_absence_pct",
    "grade3_reading_proficient_pct",
    "grade8_math_proficient_pct",
    "graduation_4yr_pct",
    "kindergarten_ready_pct",
    "postsecondary_enrolled_pct",
    "postsecondary_persistence_pct",
)
SERIES = {
    "grade3_reading_proficient_pct": "smarter balanced",
    "grade8_math_proficient_pct": "smarter balanced",
    "kindergarten_ready_pct": "kei 2007 form",
}
REFERENCES = {"race_ethnicity": "white", "economic_status": "no"}
# Every label the published files use for a group, read from the files by eye.
GROUPS = {
    "American Indian or Alaska Native": "race_ethnicity:american_indian_alaska_native",
    "Indian or Alaska Native": "race_ethnicity:american_indian_alaska_native",
    "Asian": "race_ethnicity:asian",
    "Black": "race_ethnicity:black",
    "Black or African American": "race_ethnicity:black",
    "Hispanic": "race_ethnicity:hispanic",
    "Hispanic or Latino": "race_ethnicity:hispanic",
    "Hispanic/Latino of any race": "race_ethnicity:hispanic",
    "Hawaiian or Pacific Islander": "race_ethnicity:native_hawaiian_pacific_islander",
    "Native Hawaiian or Other Pacific Islander": "race_ethnicity:native_hawaiian_pacific_islander",
    "Two or More Races": "race_ethnicity:two_or_more",
    "White": "race_ethnicity:white",
    "Female": "gender:female",
    "Male": "gender:male",
    "Eligible For Free Lunch": "economic_status:free_lunch",
    "Eligible For Reduced Lunch": "economic_status:reduced_lunch",
    "Eligible for Free or Reduced-Price Meals": "economic_status:yes",
    "Not Eligible For Lunch": "economic_status:no",
}
GROUP_COLUMNS = ("Race/Ethnicity", "Race", "Gender", "Free/Reduced Price Meal Eligibility")
DISTRICT_COLUMNS = ("District", "District Name", "DistrictName")
NUMBER = re.compile(r"\d[\d,]*(\.\d+)?")

Key = tuple[str, str, str, int]
"""Community, indicator, population group, school year."""


@dataclass(frozen=True)
class Cell:
    """What one published line says of one indicator, and where the line lies in the community's own file."""

    numerator: int | None
    denominator: int | None
    value: float | None
    status: str
    source_file: str
    source_row: int
    label: str | None
    columns: tuple[str, ...]

    @property
    def counts_for_trends(self) -> bool:
        """Whether RULES 3 takes it as a point."""
        return self.value is not None and (self.denominator is None or self.denominator >= 10)


# --- The recount ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Line:
    """One line of a community in a published file: its cells by column name (a repeated name keeps the last)."""

    community_id: str
    school_year: int
    kind: str
    columns: tuple[str, ...]
    cells: tuple[str, ...]
    source_file: str
    source_row: int

    def cell(self, column: str, occurrence: int = -1) -> str:
        """The cell below a column; of repeated names the last, or the occurrence asked for."""
        places = [place for place, name in enumerate(self.columns) if name == column]
        return self.cells[places[occurrence]].strip()

    @property
    def label(self) -> str | None:
        """The label of its group, or None for the total."""
        names = [name for name in GROUP_COLUMNS if name in self.columns]
        return self.cell(names[0]) if names else None


def published_lines(districts: dict[str, str]) -> Iterator[Line]:
    """Every line of a community in every published file of districts, numbered as in the community's own slice."""
    for path in sorted(real_data("connecticut").glob("*/*.csv")):
        year = re.search(r"(\d{4})-\d{2}(?!\d)", path.name)
        if path.stem.endswith("_ct") or path.name.startswith("State_") or not year:
            continue
        text = path.read_bytes().decode("utf-8", errors="surrogateescape")
        rows = list(csv.reader(io.StringIO(text, newline="")))
        header, column = next(
            (number, names.index(name))
            for number, names in enumerate([cell.strip() for cell in row] for row in rows)
            for name in DISTRICT_COLUMNS
            if name in names
        )
        columns = tuple(cell.strip() for cell in rows[header])
        seen: dict[str, int] = defaultdict(int)
        for row in rows[header + 1 :]:
            community = districts.get(_district(row[column].strip())) if len(row) > column else None
            if community:
                seen[community] += 1
                place = header + 1 + seen[community]
                school_year = int(year[1]) + 1
                yield Line(community, school_year, path.parent.name, columns, tuple(row), path.name, place)


def _district(name: str) -> str:
    return name if name.endswith("District") or "School" in name else f"{name} District"


def _number(text: str) -> float | None:
    return float(text.replace(",", "")) if NUMBER.fullmatch(text) else None


def _count(text: str) -> int | None:
    number = _number(text)
    return None if number is None else int(number)


def _cells(line: Line) -> Iterator[tuple[str, str, str, str]]:
    """Indicator, numerator, denominator and rate of a line, as printed; '' where the file has no such column."""
    if line.kind == "grad_4yr":
        counts = line.cell("Graduation Count"), line.cell("Four-Year Cohort Count")
        yield "graduation_4yr_pct", *counts, line.cell("Graduation Rate")
    elif line.kind == "chronic_absenteeism":
        with_counts = "Student Count" in line.columns
        numerator = line.cell("Student Count") if with_counts else ""
        yield "chronic_absence_pct", numerator, "", line.cell("%" if with_counts else "% Chronically Absent")
    elif line.kind == "college_entrance":
        yield "postsecondary_enrolled_pct", "", "", line.cell("Entrance(%)")
        yield "postsecondary_persistence_pct", "", "", line.cell("Persistence(%)")
    elif line.kind == "smarter_balanced":
        test = line.cell("Grade").lstrip("0"), line.cell("Subject")
        names = {("3", "ELA"): "grade3_reading_proficient_pct", ("8", "Math"): "grade8_math_proficient_pct"}
        if test in names:
            met = line.cell("Level 3&4 Met or Exceeded Count")
            yield names[test], met, line.cell("Total Number with Scored Tests"), line.cell("%")
    elif "Literacy" in line.source_file:
        column = next(name for name in line.columns if name.endswith("Level 3"))
        yield "kindergarten_ready_pct", "", line.cell("Number of Students Tested"), line.cell(column)


def _status(printed: str, counted: bool) -> str:
    if _number(printed) is not None:
        return "reported"
    if counted:
        return "derived"
    return {"*": "suppressed_at_source", "N/A": "not_applicable"}[printed]


@pytest.fixture(scope="module")
def recount(connecticut: Run) -> dict[Key, Cell]:
    """Every published cell of the seven indicators, by its key."""
    with (connecticut.home / "connecticut_communities.csv").open(newline="", encoding="utf-8") as lines:
        districts = {row["district_name"]: row["community_id"] for row in csv.DictReader(lines)}
    found: dict[Key, Cell] = {}
    for line in published_lines(districts):
        group = "all" if line.label is None else GROUPS[line.label]
        for indicator, met, of, rate in _cells(line):
            numerator, denominator, printed = _count(met), _count(of), _number(rate)
            value = printed
            counted = numerator is not None and denominator is not None
            if numerator is not None and denominator is not None:
                value = 100 * numerator / denominator
                assert printed is None or abs(printed - value) <= 0.1, line
            key = (line.community_id, indicator, group, line.school_year)
            assert key not in found, f"{line} prints a second value for {key}"
            place = line.source_file, line.source_row, line.label, line.columns
            found[key] = Cell(numerator, denominator, value, _status(rate, counted), *place)
    return found


@pytest.fixture(scope="module")
def released(connecticut: Run) -> dict[Key, dict[str, Any]]:
    """fct_indicator_value by the same key."""
    rows = connecticut.release.records("select * from marts.fct_indicator_value")
    found = {
        (row["community_id"], row["indicator_id"], row["population_group_id"], row["school_year"]): row for row in rows
    }
    assert len(found) == len(rows)
    return found


# --- Files and rows ------------------------------------------------------------------------------------------------


def test_all_communities_years_and_files_are_processed(connecticut: Run) -> None:
    drop = connecticut.home / "drop"
    dropped = {tuple(path.relative_to(drop).parts) for path in drop.rglob("*.csv")}
    taken = connecticut.release.rows(
        "select folder, cast(reporting_year as varchar), source_file from marts.fct_submission_file"
    )
    assert len(taken) == FILES
    assert set(taken) == dropped
    assert connecticut.release.rows("select count(*) from marts.dim_community") == [(COMMUNITIES,)]
    standing = "select count(*) from marts.fct_submission_status where submission_id is not null"
    assert connecticut.release.rows(standing) == [(COMMUNITY_YEARS,)]
    assert len(list((connecticut.home / "outbox").glob("*/*/receipt.json"))) == COMMUNITY_YEARS


def test_every_file_has_accepted_rows_or_a_finding_that_says_why(connecticut: Run) -> None:
    silent = connecticut.release.rows(
        """
        select folder, reporting_year, source_file from marts.fct_submission_file as file
        where rows_accepted = 0 and not exists (
            from marts.fct_finding as finding
            where finding.submission_id = file.submission_id and finding.source_file = file.source_file
              and length(finding.message) > 0
        )
        """
    )
    assert silent == []


def test_no_row_is_rejected_or_waits(connecticut: Run) -> None:
    totals = connecticut.release.rows("select sum(rows_rejected), sum(rows_waiting) from marts.fct_submission_status")
    assert totals == [(0, 0)]
    # Files of other domains of the kindergarten inventory, or of grade 11 alone, bring no row of the indicators.
    errors = connecticut.release.rows(
        "select distinct rule_id from marts.fct_finding where severity not in ('info', 'explainable')"
    )
    assert errors == [("all_rows_left_out",)]


@pytest.mark.parametrize("indicator", INDICATORS)
def test_a_recount_of_the_published_files_matches_exactly(
    indicator: str, recount: dict[Key, Cell], released: dict[Key, dict[str, Any]]
) -> None:
    expected = {
        key: (cell.numerator, cell.denominator, cell.value, cell.status, cell.source_file, cell.source_row)
        for key, cell in recount.items()
        if key[1] == indicator
    }
    columns = ("numerator", "denominator", "value", "value_status", "source_file", "source_row")
    found = {key: tuple(row[name] for name in columns) for key, row in released.items() if key[1] == indicator}
    assert len(expected) > 300
    assert found.keys() == expected.keys()
    assert {key: (found[key], cell) for key, cell in expected.items() if found[key] != cell} == {}


def test_nothing_else_is_in_the_mart(recount: dict[Key, Cell], released: dict[Key, dict[str, Any]]) -> None:
    assert released.keys() == recount.keys()
    for (community, indicator, _, school_year), row in released.items():
        assert row["geography_id"] == community
        assert row["reporting_year"] == school_year
        assert row["series"] == SERIES.get(indicator, "default")


def test_every_row_of_the_source_is_the_line_that_was_dropped(connecticut: Run, recount: dict[Key, Cell]) -> None:
    """The row numbers of the recount are those of the files in the bucket: a sample is looked up there."""
    for key in random.Random(SAMPLE_SEED).sample(sorted(recount), 200):
        cell = recount[key]
        path = connecticut.home / "drop" / key[0] / str(key[3]) / cell.source_file
        text = path.read_bytes().decode("utf-8", errors="surrogateescape")
        row = list(csv.reader(io.StringIO(text, newline="")))[cell.source_row - 1]
        assert cell.label is None or cell.label in row
        assert any(name.strip() for name in row)


def test_labels_that_differ_between_files_fall_on_one_group(
    recount: dict[Key, Cell], released: dict[Key, dict[str, Any]]
) -> None:
    found: dict[str, set[str]] = defaultdict(set)
    for key, cell in recount.items():
        if cell.label is not None:
            found[cell.label].add(released[key]["population_group_id"])
    assert found.keys() == GROUPS.keys()
    assert found == {label: {group} for label, group in GROUPS.items()}
    assert {GROUPS["Black"], GROUPS["Black or African American"]} == found["Black"]
    assert found["Hispanic"] | found["Hispanic or Latino"] == found["Hispanic/Latino of any race"]


# --- Masks ---------------------------------------------------------------------------------------------------------


def test_no_number_is_made_from_a_masked_cell(
    connecticut: Run, recount: dict[Key, Cell], released: dict[Key, dict[str, Any]]
) -> None:
    masked = [key for key, cell in recount.items() if cell.value is None]
    assert len(masked) > 5_000
    for key in masked:
        row = released[key]
        assert (row["value"], row["value_low"], row["value_high"]) == (None, None, None)
        assert row["value_status"] in ("suppressed_at_source", "not_applicable")
    used = connecticut.release.rows(
        "select community_id, indicator_id, population_group_id, school_year, value "
        "from marts.fct_trend_point where used"
    )
    assert used
    assert [point for point in used if recount[point[:4]].value != point[4]] == []


def test_unmasked_cells_beside_a_masked_one_keep_theirs(
    recount: dict[Key, Cell], released: dict[Key, dict[str, Any]]
) -> None:
    kept: dict[str, int] = defaultdict(int)
    for key, cell in recount.items():
        if cell.value is None and (cell.numerator is not None or cell.denominator is not None):
            row = released[key]
            assert (row["numerator"], row["denominator"]) == (cell.numerator, cell.denominator)
            kept[key[1]] += 1
    assert set(kept) == {
        "chronic_absence_pct",
        "graduation_4yr_pct",
        "grade3_reading_proficient_pct",
        "grade8_math_proficient_pct",
    }
    assert min(kept.values()) > 100


def test_counts_beside_a_starred_graduation_rate_count(
    recount: dict[Key, Cell], released: dict[Key, dict[str, Any]]
) -> None:
    """258 cells of the files by race, and a few more of those by lunch and gender."""
    starred = {key for key, cell in recount.items() if cell.status == "derived"}
    assert len([key for key in starred if "_race_" in recount[key].source_file]) == 258
    assert {key for key, row in released.items() if row["value_status"] == "derived"} == starred
    for key in starred:
        assert released[key]["value"] == 100 * released[key]["numerator"] / released[key]["denominator"]


def test_a_starred_rate_with_counts_is_told_once_a_file(connecticut: Run, recount: dict[Key, Cell]) -> None:
    told = connecticut.release.rows(
        "select sum(n_rows) from marts.fct_finding where rule_id = 'masked_rate_with_counts' and severity = 'info'"
    )
    assert told == [(len([cell for cell in recount.values() if cell.status == "derived"]),)]


# --- Trends --------------------------------------------------------------------------------------------------------


def window(years: list[int], reporting_year: int) -> list[int]:
    """The years a slope is made from (RULES 2 and 3, one series), or none."""
    known = sorted(year for year in years if year <= reporting_year)
    latest: list[int] = []
    for year in known:
        latest = [*latest, year] if latest and year - latest[-1] <= 2 else [year]
    latest = [year for year in latest if year >= latest[-1] - 4]
    enough = len(latest) >= 3 and latest[-1] - latest[0] >= 2
    return latest if enough and reporting_year - latest[-1] <= 2 else []


def fitted(years: list[int], values: list[float]) -> tuple[float, float]:
    """Slope, and the line's value in the last year."""
    slope, last = np.polyfit(np.array(years) - years[-1], values, 1)
    return float(slope), float(last)


Series = tuple[str, str, str]
"""Community, indicator, population group."""


@pytest.fixture(scope="module")
def points(recount: dict[Key, Cell]) -> dict[Series, dict[int, float]]:
    """The valid points of every series, by year, from the published files."""
    found: dict[Series, dict[int, float]] = defaultdict(dict)
    for (community, indicator, group, year), cell in recount.items():
        if cell.value is not None and cell.counts_for_trends:
            found[community, indicator, group][year] = cell.value
    return found


def test_twenty_slopes_agree_with_numpy(connecticut: Run, points: dict[Series, dict[int, float]]) -> None:
    trends = connecticut.release.records("select * from marts.fct_trend where slope is not null order by all")
    for row in _sample(trends, "indicator_id", 20):
        own = points[row["community_id"], row["indicator_id"], row["population_group_id"]]
        years = window(list(own), row["reporting_year"])
        slope, last = fitted(years, [own[year] for year in years])
        assert (row["first_year"], row["last_year"], row["n_years"]) == (years[0], years[-1], len(years))
        assert row["slope"] == pytest.approx(slope, abs=1e-9)
        assert row["intercept"] == pytest.approx(last, abs=1e-9)
        adjusted = DIRECTION.get(row["indicator_id"], 1) * slope
        assert row["adjusted_slope"] == pytest.approx(adjusted, abs=1e-9)
        status = "improving" if adjusted > 1e-9 else "maintained" if adjusted >= -0.5 - 1e-9 else "declining"
        assert row["trend_status"] == status


def test_a_slope_stands_exactly_where_there_are_three_recent_years(
    connecticut: Run, points: dict[Series, dict[int, float]]
) -> None:
    trends = connecticut.release.rows(
        "select community_id, indicator_id, population_group_id, reporting_year, slope is not null from marts.fct_trend"
    )
    wrong = [row for row in trends if bool(window(list(points.get(row[:3], {})), row[3])) != row[4]]
    assert len(trends) > 50_000
    assert wrong == []


def test_a_series_of_two_years_gets_no_slope(connecticut: Run, recount: dict[Key, Cell]) -> None:
    """Smarter Balanced was published by race for 2015 and 2016 only."""
    by_race = {key for key in recount if key[1].startswith("grade") and key[2].startswith("race_ethnicity")}
    assert {key[3] for key in by_race} == {2015, 2016}
    trends = connecticut.release.rows(
        "select slope, trend_status, reason from marts.fct_trend "
        "where indicator_id like 'grade%' and population_group_id like 'race_ethnicity:%'"
    )
    assert len(trends) > 1_000
    assert {(slope, status) for slope, status, _ in trends} == {(None, "undetermined")}
    assert "too_few_points" in {reason for _, _, reason in trends}
    gaps = connecticut.release.rows("select distinct gap_status from marts.fct_gap where indicator_id like 'grade%'")
    assert gaps == [("undetermined",)]


@pytest.mark.parametrize(
    ("indicator", "before", "after", "new_column"),
    [
        ("graduation_4yr_pct", 2015, 2016, "District Code"),
        ("chronic_absence_pct", 2018, 2019, "Student Count"),
    ],
)
def test_a_changed_layout_does_not_end_a_series(
    indicator: str,
    before: int,
    after: int,
    new_column: str,
    connecticut: Run,
    recount: dict[Key, Cell],
) -> None:
    by_race = {key: cell for key, cell in recount.items() if key[1] == indicator and "_race" in cell.source_file}
    assert {new_column in cell.columns for key, cell in by_race.items() if key[3] <= before} == {False}
    assert {new_column in cell.columns for key, cell in by_race.items() if key[3] >= after} == {True}
    needed = {
        (key[0], key[2])
        for key in by_race
        if key[3] == after
        and all((*key[:3], year) in by_race and by_race[*key[:3], year].counts_for_trends for year in (before, after))
    }
    used = connecticut.release.rows(
        "select community_id, population_group_id from marts.fct_trend_point "
        "where indicator_id = ? and reporting_year = ? and used and school_year in (?, ?) "
        "group by all having count(*) = 2 and count(distinct series) = 1",
        indicator,
        after,
        before,
        after,
    )
    determined = connecticut.release.rows(
        "select community_id, population_group_id from marts.fct_trend "
        "where indicator_id = ? and reporting_year = ? and slope is not null",
        indicator,
        after,
    )
    assert len(needed & set(determined)) > 100
    assert needed & set(determined) <= set(used)


def test_the_kindergarten_inventory_of_2007_stays_a_series_of_its_own(connecticut: Run) -> None:
    """No later form can continue it: its rows carry the form's name, and no slope uses two names."""
    years = connecticut.release.rows(
        "select series, min(school_year), max(school_year) from marts.fct_indicator_value "
        "where indicator_id = 'kindergarten_ready_pct' group by series"
    )
    assert years == [("kei 2007 form", 2009, 2013)]
    mixed = connecticut.release.rows(
        "select community_id from marts.fct_trend_point where used "
        "group by community_id, indicator_id, population_group_id, geography_id, reporting_year "
        "having count(distinct series) > 1"
    )
    assert mixed == []


def _sample(rows: list[dict[str, Any]], stratum: str, size: int) -> list[dict[str, Any]]:
    """A seeded sample in which every stratum has its turn."""
    shuffled = random.Random(SAMPLE_SEED).sample(rows, len(rows))
    turn: dict[str, int] = defaultdict(int)
    ranked = []
    for place, row in enumerate(shuffled):
        turn[row[stratum]] += 1
        ranked.append((turn[row[stratum]], place))
    chosen = [shuffled[place] for _, place in sorted(ranked)[:size]]
    assert len(chosen) == size
    return chosen


# --- Gaps ----------------------------------------------------------------------------------------------------------


def test_twenty_gaps_agree_with_numpy(connecticut: Run, points: dict[Series, dict[int, float]]) -> None:
    gaps = connecticut.release.records("select * from marts.fct_gap where slope_difference is not null order by all")
    for row in _sample(gaps, "gap_status", 20):
        dimension = row["population_group_id"].split(":")[0]
        reference = f"{dimension}:{REFERENCES[dimension]}"
        assert row["reference_group_id"] == reference
        place = row["community_id"], row["indicator_id"]
        group, other = points[*place, row["population_group_id"]], points[*place, reference]
        years = window([year for year in group if year in other], row["reporting_year"])
        direction = DIRECTION.get(row["indicator_id"], 1)
        own, last = fitted(years, [direction * group[year] for year in years])
        theirs, their_last = fitted(years, [direction * other[year] for year in years])
        behind = [direction * (other[year] - group[year]) for year in years]
        assert (row["first_year"], row["last_year"], row["n_years"]) == (years[0], years[-1], len(years))
        expected = {
            "group_slope": own,
            "reference_slope": theirs,
            "slope_difference": own - theirs,
            "first_gap": behind[0],
            "last_gap": behind[-1],
        }
        for name, number in expected.items():
            assert row[name] == pytest.approx(number, abs=1e-9), name
        assert row["gap_status"] == gap_class(behind, their_last - last, own, theirs)


def gap_class(behind: list[float], fitted_last: float, own: float, theirs: float) -> str:
    """The class of RULES 4 for a determined gap."""
    if abs(behind[0]) <= 1 + 1e-9:
        return "no_gap_at_baseline"
    if behind[0] < 0:
        return "reversed"
    if own > 1e-9 and max(behind[-2:]) <= 1 + 1e-9 and fitted_last <= 1 + 1e-9:
        return "eliminated"
    if own - theirs > 1e-9:
        return "narrowed" if own > 1e-9 else "narrowed_by_decline"
    return "unchanged" if abs(own - theirs) <= 1e-9 else "widened"


def test_every_comparable_group_has_a_gap_row(connecticut: Run) -> None:
    missing = connecticut.release.rows(
        """
        select trend.community_id, trend.indicator_id, trend.population_group_id, trend.reporting_year
        from marts.fct_trend as trend
        join marts.dim_population_group as grp using (population_group_id)
        anti join marts.fct_gap as gap using (community_id, indicator_id, population_group_id, reporting_year)
        where grp.dimension in ('race_ethnicity', 'economic_status') and grp."group" not in ('white', 'no')
        limit 5
        """
    )
    assert missing == []


# --- What readers are told -----------------------------------------------------------------------------------------


def test_a_receipt_names_every_file_of_its_folder(connecticut: Run) -> None:
    drop = connecticut.home / "drop"
    folders = sorted(path for path in drop.glob("*/*") if path.is_dir())
    for folder in random.Random(SAMPLE_SEED).sample(folders, 25):
        told = receipt(connecticut.home, folder.parent.name, int(folder.name))
        assert {file["name"] for file in told["files"]} == {path.name for path in folder.iterdir()}
        assert told["status"] in ("accepted", "accepted_with_queries")


def test_every_community_has_a_page(connecticut: Run) -> None:
    pages = {path.stem for path in Path(connecticut.release.folder, "report", "communities").glob("*.html")}
    assert pages == {
        identity for (identity,) in connecticut.release.rows("select community_id from marts.dim_community")
    }
