"""Headers that mean a column of a contract without bearing its name.

Belongs here: the catalogue of near names (contracts/near_*.csv) and which headers of a sheet are near ones.
Does not: the cells below them (unread, rows/topics.py), columns of foreign layouts, which must stand as declared.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

import contracts
from dagster_project.lib.intake.reading.grid import snake_name

Near = tuple[str, int, str]
"""The contract's column, the place of the header from 0, and the header as printed."""


@dataclass(frozen=True)
class NearName:
    """One line of the catalogue. `needs` is a column without which the near one says too little to be read alone.

    `ask`: the header names only a part of what the column holds, so it is never read for it. `topic`: what the header
    says of the thing that is measured (contracts/near_topics.csv), or nothing.
    """

    column: str
    needs: str
    reading: Literal["map", "ask"]
    topic: str = ""


@dataclass(frozen=True)
class NearColumns:
    """Near headers of one sheet: those that are read as a column, and those that might be one and are not read."""

    read: tuple[Near, ...] = ()
    doubtful: tuple[Near, ...] = ()


def squeezed(text: str) -> str:
    """A header as names are compared here: its letters and digits, so that StudentGroup is Student Group."""
    return snake_name(text).replace("_", "")


@cache
def near_names(path: Path = contracts.NEAR_COLUMNS) -> Mapping[str, Mapping[str, NearName]]:
    """The catalogue: table, then the header as `squeezed` writes it."""
    found: dict[str, dict[str, NearName]] = defaultdict(dict)
    with path.open(encoding="utf-8", newline="") as lines:
        for line in csv.DictReader(lines):
            reading: Literal["map", "ask"] = "ask" if line["reading"] == "ask" else "map"
            found[line["table"]][squeezed(line["near_name"])] = NearName(
                line["column"], line["needs"], reading, line["topic"]
            )
    return found


def near_columns(
    table: str, columns: Collection[str], present: Collection[str], headers: Iterable[tuple[int, str]]
) -> NearColumns:
    """Which of the headers that are no column of the table are near to one.

    `headers` are place and text of the others. A near one is read where the column it means does not stand in the
    header, no second header means the same, and what it needs is there. Names that differ from the table's own or from
    the catalogue's by spaces or capitals only (SchoolYear, Zipcode) are near as well.
    """
    own = {squeezed(column): NearName(column, "", "map") for column in columns}
    known = {**near_names().get(table, {}), **own}
    candidates: dict[str, list[tuple[NearName, Near]]] = defaultdict(list)
    for place, text in headers:
        name = known.get(squeezed(text))
        if name is not None and name.column in columns:
            candidates[name.column].append((name, (name.column, place, text)))
    read: dict[str, Near] = {}
    for alone in (True, False):  # what a column needs may itself be read by a near name
        for column, found in candidates.items():
            (name, near), *others = found
            clear = not others and name.reading == "map" and column not in present
            if clear and (not name.needs) == alone and (alone or name.needs in present or name.needs in read):
                read[column] = near
    places = {place for _, place, _ in read.values()}
    doubtful = [near for found in candidates.values() for _, near in found if near[1] not in places]
    by_place = sorted(read.values(), key=lambda near: near[1])
    return NearColumns(tuple(by_place), tuple(sorted(doubtful, key=lambda near: near[1])))
