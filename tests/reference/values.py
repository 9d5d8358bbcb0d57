"""A second, plain reading of RULES 1: from the files of a drop bucket to the values known at a reporting year.

Belongs here: cells, rows, duplicates, effective values, community values from districts, one row at a time.
Does not: import anything of the product, map local labels (an unknown code waits), or be fast.
"""

from __future__ import annotations

import contextlib
import csv
import hashlib
import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Row = dict[str, Any]
Key = tuple[str, str, str, str, int, str]
"""indicator, series, geography, group, school year, period."""
EPS = 1e-9
REGISTERS = ("indicator_selection", "burdened_groups")
SAID = ("numerator", "denominator", "value", "value_low", "value_high", "value_status")
"""What makes two rows of one key the same."""
NUMBER = re.compile(r"([+-]?)(\d{1,3}(?:,\d{3})+|\d+)(?:\.(\d+))?(%?)", re.ASCII)
BOUND = re.compile(r"(<=?|LE|LT|>=?|GE|GT)(\d+(?:\.\d+)?)(%?)", re.IGNORECASE | re.ASCII)
RANGE = re.compile(r"(\d+(?:\.\d+)?)-(\d+(?:\.\d+)?)", re.ASCII)
YEAR = re.compile(r"(?:SY)?(\d{4})|(\d{4})-(\d{2}|\d{4})", re.ASCII)


class RejectedError(Exception):
    """The row has an error."""


def table(path: Path) -> list[dict[str, str]]:
    """Lines of a CSV file by column."""
    with path.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


class Seeds:
    """The governed data that values are read with."""

    def __init__(self, folder: Path) -> None:
        self.left = {
            line["community_id"]: int(line.get("left_year") or 9999)
            for line in table(folder / "network/communities.csv")
        }
        self.joined = {
            line["community_id"]: int(line["joined_year"]) for line in table(folder / "network/communities.csv")
        }
        self.places = table(folder / "network/geographies.csv")
        self.indicators = {line["indicator_id"]: line for line in table(folder / "dictionary/indicators.csv")}
        dimensions = table(folder / "dictionary/dimensions.csv")
        self.references = {line["dimension"]: line["reference_group"] for line in dimensions}
        self.groups = {(line["dimension"], line["group_code"]) for line in table(folder / "dictionary/groups.csv")}
        self.units = {line["unit"]: line for line in table(folder / "dictionary/units.csv")}
        self.masks = {line["mask"].lower(): line["value_status"] for line in table(folder / "dictionary/masks.csv")}

    def districts(self, community: str, year: int | None = None) -> list[str]:
        """Districts listed for a community, in a school year or ever."""
        return [
            place["geography_id"]
            for place in self.places
            if place["community_id"] == community
            and place["geography_level"] == "district"
            and (year is None or int(place["valid_from"] or year) <= year <= int(place["valid_to"] or year))
        ]


@dataclass(frozen=True)
class Cell:
    """What stands in a cell: a number with its printed decimals, bounds, or a mask's status; or nothing."""

    number: float | None = None
    decimals: int = 0
    low: float | None = None
    high: float | None = None
    status: str | None = None
    percent: bool = False

    @property
    def bounded(self) -> bool:
        return self.low is not None or self.high is not None


def cell(text: str, masks: dict[str, str]) -> Cell:
    """Read one cell."""
    if text.lower() in masks:
        return Cell(status=masks[text.lower()])
    if not text:
        return Cell()
    if found := NUMBER.fullmatch(text):
        number = float(text.rstrip("%").replace(",", ""))
        return Cell(number, len(found[3] or ""), percent=bool(found[4]))
    if found := BOUND.fullmatch(text):
        bound, above = float(found[2]), found[1].upper() in (">", ">=", "GE", "GT")
        return Cell(low=bound if above else None, high=None if above else bound, percent=bool(found[3]))
    if (found := RANGE.fullmatch(text)) and float(found[1]) <= float(found[2]):
        return Cell(low=float(found[1]), high=float(found[2]))
    raise RejectedError(text)


def school_year(text: str) -> int:
    """The calendar year in which a school year ends."""
    found = YEAR.fullmatch(text)
    if not found:
        raise RejectedError(text)
    if found[1]:
        return int(found[1])
    end = int(found[2]) + 1
    if not str(end).endswith(found[3]):
        raise RejectedError(text)
    return end


def _count(found: Cell) -> int | None:
    if found.percent:
        raise RejectedError("count")
    if found.number is None:
        return None
    if found.number % 1 or not 0 <= found.number <= 100_000_000:
        raise RejectedError("count")
    return int(found.number)


def _key(line: dict[str, str], community: str, year: int, seeds: Seeds) -> tuple[Key | None, str]:
    """The key a row speaks of, None while one of its codes is unknown, and the level of its place."""
    level = line.get("geography_level") or "community"
    place = community
    if level != "community":
        listed = seeds.districts(community) if level == "district" else []
        name = line["geography"]
        if listed and name not in listed:
            return None, level
        place = name if listed else f"{community}:{level}:{re.sub('[^a-z0-9]+', '_', name.lower()).strip('_')}"
    total = line["group"] == "all"
    if line["indicator"] not in seeds.indicators or not (total or (line["dimension"], line["group"]) in seeds.groups):
        return None, level
    group = "all" if total else f"{line['dimension']}:{line['group']}"
    series, period = line.get("series", "").strip() or "default", line.get("period") or "annual"
    return (line["indicator"], series, place, group, year, period), level


def read_row(line: dict[str, str], community: str, reporting_year: int, seeds: Seeds) -> Row:
    """One row of indicator_values; key None while it waits. RejectedError if it has an error."""
    year = school_year(line["school_year"])
    if year > reporting_year + 1:
        raise RejectedError("school_year")
    key, level = _key(line, community, year, seeds)
    stored = seeds.indicators[line["indicator"]]["unit"] if line["indicator"] in seeds.indicators else None
    name = line.get("unit") or stored
    unit = seeds.units.get(name or "percent")
    if unit is None or (stored and unit["stored_unit"] != stored):
        raise RejectedError("unit")
    value, top, bottom = (cell(line.get(column, ""), seeds.masks) for column in ("value", "numerator", "denominator"))
    if value.percent and name not in ("percent", None):
        raise RejectedError("unit")
    numerator, denominator = _count(top), _count(bottom)
    if numerator is not None and denominator is not None and numerator > denominator:
        raise RejectedError("counts")
    in_masks = [("suppressed_at_source" if found.bounded else found.status) for found in (top, bottom)]
    row = _measured(value, unit, limits=name is not None)
    row["value_status"] = row["value_status"] or in_masks[0] or in_masks[1] or "missing"
    _from_counts(row, value, numerator, denominator, unit, name)
    row |= {"key": key, "level": level, "numerator": numerator, "denominator": denominator}
    return row | {"school_year": year, "reporting_year": reporting_year}


def _measured(value: Cell, unit: dict[str, str], limits: bool) -> Row:
    """Value or bounds in the stored unit, and the status that the value cell gives."""
    factor, least, most = (float(unit[name]) for name in ("factor", "minimum", "maximum"))
    row: Row = {"value": None, "value_low": None, "value_high": None, "value_status": value.status}
    if value.number is not None:
        row |= {"value": value.number * factor, "value_status": "reported"}
    if value.bounded:
        low = least if value.low is None else value.low * factor
        high = most if value.high is None else value.high * factor
        row |= {"value_low": low, "value_high": high, "value_status": "range"}
    numbers = [row[name] for name in ("value", "value_low", "value_high") if row[name] is not None]
    if limits and any(not least - EPS <= number <= most + EPS for number in numbers):
        raise RejectedError("range")
    return row


def _from_counts(
    row: Row, value: Cell, numerator: int | None, denominator: int | None, unit: dict[str, str], name: str | None
) -> None:
    """A denominator of 0 leaves no value; both counts of a rate give the value, and a printed one must agree."""
    if denominator == 0:
        row |= {"value": None, "value_low": None, "value_high": None, "value_status": "not_applicable"}
    elif numerator is not None and denominator is not None and name and unit["stored_unit"] == "percent":
        rate = 100.0 * numerator / denominator
        if value.number is not None:
            allowed = 0.05 + 0.5 * 10.0**-value.decimals * float(unit["factor"])
            if abs(row["value"] - rate) > allowed + EPS:
                raise RejectedError("value_mismatch")
        status = "derived" if value.number is None else "reported"
        row |= {"value": rate, "value_low": None, "value_high": None, "value_status": status}


@dataclass
class Submission:
    """A folder as it stands: identity, counts of rows, accepted values, and the lines of its registers."""

    submission_id: str
    rows_read: int
    rows_accepted: int
    values: list[Row]
    registers: dict[str, list[dict[str, str]]]


def read_folder(folder: Path, seeds: Seeds) -> Submission:
    """All files of a folder together: {community}/{year}/*.csv, registers named as their table."""
    files = sorted(folder.iterdir(), key=lambda path: path.name.encode())
    made = Submission(submission_id(folder, files), 0, 0, [], {})
    by_key: dict[Key, list[Row]] = defaultdict(list)
    for path in files:
        lines = table(path)
        made.rows_read += len(lines)
        if path.stem in REGISTERS:
            made.registers[path.stem] = lines
            made.rows_accepted += len(lines)
            continue
        for row in _accepted(path, lines, made.submission_id, seeds):
            if row["key"] is None:
                made.rows_accepted += 1
            else:
                by_key[row["key"]].append(row)
    for rows in by_key.values():
        if len({tuple(row[name] for name in SAID) for row in rows}) == 1:
            made.rows_accepted += len(rows)
            made.values.append(rows[0])
    return made


def submission_id(folder: Path, files: list[Path]) -> str:
    """Identity of a folder as it stands, from its files sorted by name."""
    hashes = [[path.name, hashlib.sha256(path.read_bytes()).hexdigest()] for path in files]
    identity = [folder.parent.name, int(folder.name), hashes]
    text = json.dumps(identity, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _accepted(path: Path, lines: list[dict[str, str]], submission: str, seeds: Seeds) -> Iterator[Row]:
    for number, line in enumerate(lines, start=2):
        source = {"submission_id": submission, "source_file": path.name, "source_row": number}
        with contextlib.suppress(RejectedError):
            yield read_row(line, path.parent.parent.name, int(path.parent.name), seeds) | source


def effective(values: Iterable[Row], reporting_year: int) -> dict[Key, Row]:
    """For each key the row of the newest reporting year up to this one, masked or not."""
    known: dict[Key, Row] = {}
    for row in sorted(values, key=lambda row: int(row["reporting_year"])):
        if row["reporting_year"] <= reporting_year:
            known[row["key"]] = row
    return known


def community_values(known: dict[Key, Row], community: str, seeds: Seeds) -> dict[Key, Row]:
    """Values of the community from its districts, for keys that no community row speaks of."""
    parts: dict[Key, list[Row]] = defaultdict(list)
    sizes: dict[tuple[str, str, str, str], dict[int, int]] = defaultdict(dict)
    for (indicator, series, place, group, year, period), row in known.items():
        if row["level"] != "district" or period != "annual" or seeds.indicators[indicator]["unit"] != "percent":
            continue
        if row["denominator"] is not None:
            sizes[indicator, series, group, place][year] = row["denominator"]
        if row["numerator"] is not None and row["denominator"]:
            parts[indicator, series, community, group, year, period].append(row)
    made: dict[Key, Row] = {}
    for key, rows in parts.items():
        if key in known:
            continue
        indicator, series, _, group, year, _ = key
        numerator, denominator = (sum(row[name] for row in rows) for name in ("numerator", "denominator"))
        expected = 0
        for place in seeds.districts(community, year):
            earlier = {then: size for then, size in sizes[indicator, series, group, place].items() if then <= year}
            expected += earlier[max(earlier)] if earlier else 0
        short = expected > 0 and denominator / expected < 0.80 - EPS
        made[key] = {
            "key": key,
            "level": "community",
            "school_year": year,
            "numerator": numerator,
            "denominator": denominator,
            "value": 100.0 * numerator / denominator,
            "value_low": None,
            "value_high": None,
            "value_status": "low_coverage" if short else "derived",
        }
    return made
