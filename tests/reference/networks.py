"""Seeded networks that sit on the rules' edges: drop buckets small enough to run in a test.

Belongs here: random folders with restatements, masks, breaks, holes, districts, registers and faulty rows.
Does not: expectations, or figures that look like a real community's (examples/ has those).
"""

from __future__ import annotations

import csv
import shutil
from pathlib import Path
from random import Random

from tests.support import PROJECT

Line = dict[str, str]
COMMUNITIES = ("ash", "elm", "fir", "oak")
FIRST, LAST = 2016, 2021
YEARS = range(FIRST - 4, LAST + 2)
INDICATORS = (
    *("graduation_4yr_pct", "graduation_5yr_pct", "employed_pct", "chronic_absence_pct"),
    *("grade3_reading_proficient_pct", "grade3_reading_mean_score"),
)
GROUPS = (
    *(("all", "all"), ("race_ethnicity", "white"), ("race_ethnicity", "black"), ("race_ethnicity", "hispanic")),
    *(("race_ethnicity", "american_indian_alaska_native"), ("economic_status", "yes"), ("economic_status", "no")),
)
MASKS = ("*", "s", "n<10", "‡", "N/A", "-", "", "<5", "LE5", "GE95", "5-9", "80-89", ">95")
WRONG = ("101", "-3", "1e1", "nan", "1,23", "90-80", ".5")
COLUMNS = (
    *("school_year", "indicator", "dimension", "group", "numerator", "denominator", "value", "unit", "series"),
    *("geography", "geography_level", "period"),
)


def make_seeds(chance: Random, target: Path) -> Path:
    """The project's seeds with these communities; two list their districts, one of them of some years only."""
    shutil.copytree(PROJECT / "seeds", target)
    rows = [[name, name.title(), "OH", str(chance.choice((FIRST, FIRST, FIRST + 2)))] for name in COMMUNITIES[1:]]
    rows.insert(0, [COMMUNITIES[0], "Ash", "OH", str(FIRST)])
    write(target / "network/communities.csv", ("community_id", "name", "state", "joined_year"), rows)
    with (target / "network/geographies.csv").open("a", encoding="utf-8", newline="") as lines:
        for name in chance.sample(COMMUNITIES, 2):
            for number in range(3):
                valid = chance.choice((("", ""), ("", ""), (FIRST, ""), ("", LAST - 2)))
                place = [f"{name} {number}", name, f"{name} {number}", "district", name, "", "", *valid]
                csv.writer(lines, lineterminator="\n").writerow(place)
    return target


def make_drop(chance: Random, drop: Path) -> None:
    """Folders of every community but perhaps the last."""
    for name in COMMUNITIES[: chance.choice((3, 4))]:
        _community(chance, name, drop / name)


def write(path: Path, header: tuple[str, ...], rows: list[list[str]]) -> None:
    """A CSV file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as lines:
        csv.writer(lines, lineterminator="\n").writerows([header, *rows])


def _community(chance: Random, name: str, folder: Path) -> None:
    indicators = chance.sample(INDICATORS, 3)
    places = [name, *(f"{name} {number}" for number in range(3))] if chance.random() < 0.6 else [name]
    own = {indicator for indicator in indicators if len(places) == 1 or chance.random() < 0.5}
    lines = {
        (indicator, place, group): Series(chance, indicator, number=places.index(place))
        for indicator in indicators
        for place in places
        for group in GROUPS
        if (place != name or indicator in own) and (group == GROUPS[0] or chance.random() < 0.8)
    }
    holes = set(chance.sample(YEARS, chance.choice((0, 1)))) | ({2019, 2020} if chance.random() < 0.3 else {2020})
    for reporting_year in range(chance.choice((FIRST, FIRST, FIRST + 1)), LAST + 1):
        if chance.random() < 0.12:
            continue
        reach = chance.choice((0, 1, 5))
        rows = [
            row
            for (indicator, place, group), series in lines.items()
            for year in range(reporting_year - reach, reporting_year + 1 + (chance.random() < 0.05))
            if year not in holes and year in YEARS
            for row in series.rows(chance, year, indicator, group, "" if place == name else place)
        ]
        _spoil(chance, rows, reporting_year)
        here = folder / str(reporting_year)
        for number in range(2):
            file = here / ("values.csv", "été.csv")[number]
            write(file, COLUMNS, [[row.get(column, "") for column in COLUMNS] for row in rows[number::2]])
        _registers(chance, here, indicators, reporting_year)


class Series:
    """How one key's values run: straight lines with slopes on the thresholds, in one series or several."""

    def __init__(self, chance: Random, indicator: str, number: int) -> None:
        self.percent = indicator.endswith("_pct")
        self.start = chance.choice((40.0, 50.0, 51.0, 55.5, 60.0))
        self.slope = chance.choice((0.0, 0.5, -0.5, 1.0, -1.0, 2.0, -0.501, 0.001))
        self.size = chance.choice((1000, 400, 12, 10, 9)) if number == 0 else (800, 110, 90)[number - 1]
        self.style = chance.choice(("value", "value", "counts", "counts", "all"))
        self.label = chance.choice(("one", "one", "break", "both"))
        self.turn = chance.choice(YEARS)

    def rows(self, chance: Random, year: int, indicator: str, group: tuple[str, str], place: str) -> list[Line]:
        """The rows of one school year, now and then restated or masked."""
        if chance.random() < 0.06:
            return []
        labels = {"one": [""], "break": ["old" if year < self.turn else "new"], "both": ["a", "b"]}[self.label]
        line = {"indicator": indicator, "dimension": group[0], "group": group[1], **self._cells(chance, year)}
        line["school_year"] = chance.choice(
            (f"{year}", f"SY{year}", f"{year - 1}-{year}", f"{year - 1}-{year % 100:02}")
        )
        line |= {"geography": place, "geography_level": "district"} if place else {}
        return [line | {"series": label} for label in labels if year >= FIRST - 2 or label != "b"]

    def _cells(self, chance: Random, year: int) -> Line:
        value = self.start + self.slope * (year - FIRST) + (1.5 if chance.random() < 0.04 else 0.0)
        count, size = str(round(self.size * value / 100)), str(self.size)
        if not self.percent:
            return {"value": f"{value * 30:,.1f}", "denominator": chance.choice((size, ""))}
        if chance.random() < 0.07:
            shape = chance.choice(("value", "numerator", "counts", "denominator", "zero"))
            mask = chance.choice(MASKS)
            return {
                "value": {"value": mask},
                "numerator": {"numerator": chance.choice(("*", "<5", "-")), "denominator": size},
                "counts": {"value": mask, "numerator": count, "denominator": size},
                "denominator": {"value": f"{value:.1f}", "denominator": chance.choice(("*", "<10"))},
                "zero": {"numerator": "0", "denominator": "0", "value": chance.choice(("", mask))},
            }[shape]
        if self.style == "value":
            fraction = chance.random() < 0.2
            text = f"{value / 100:.5f}" if fraction else f"{value:.3f}" + chance.choice(("", "%"))
            return {"value": text, "unit": "fraction" if fraction else "", "denominator": chance.choice(("", size))}
        cells = {"numerator": count, "denominator": size}
        if self.style == "all":
            # Up to the edge of what still agrees with the counts, and beyond.
            printed = 100 * int(count) / self.size + chance.choice((0.0, 0.0, 0.05, -0.1, 0.3))
            cells["value"] = f"{printed:.{chance.choice((0, 1, 2))}f}"
        return cells


def _spoil(chance: Random, rows: list[Line], reporting_year: int) -> None:
    """Rows that are wrong, that wait, that are of another period, that come twice alike or with another value."""
    for row in list(rows):
        kind = chance.random()
        if kind < 0.01:
            row |= {"value": chance.choice(WRONG), "unit": ""}
        elif kind < 0.02:
            row |= {"dimension": "gender", "group": "klingon"}
        elif kind < 0.025:
            row["school_year"] = str(reporting_year + 2)
        elif kind < 0.035:
            row["period"] = f"{reporting_year}-Q1"
        elif kind < 0.05:
            rows.append(dict(row))
        elif kind < 0.06:
            rows.append(row | {"value": "41.5", "numerator": "", "denominator": "", "unit": ""})
    chance.shuffle(rows)


def _registers(chance: Random, folder: Path, indicators: list[str], reporting_year: int) -> None:
    if chance.random() < 0.4:
        chosen = chance.sample(indicators, chance.choice((1, 2, 3)))
        rows = [
            [
                name,
                chance.choice(("", "employment")),
                chance.choice(("core", "core", "contributing")),
                chance.choice(("", "", "yes")),
            ]
            for name in chosen
        ]
        write(folder / "indicator_selection.csv", ("indicator", "outcome", "role", "primary"), rows)
    if chance.random() < 0.3:
        rows = []
        for dimension, group in chance.sample(GROUPS[1:], 3):
            since = f"{reporting_year + chance.choice((-2, 0, 1))}-{chance.choice(('01-01', '07-01', '12-31'))}"
            rows.append([dimension, group, chance.choice(("burdened", "burdened", "reference")), since])
        write(folder / "burdened_groups.csv", ("dimension", "group", "standing", "effective_from"), rows)
