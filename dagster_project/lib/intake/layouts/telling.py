"""Words in a file that tell what its numbers are: a target, a sheet that was put aside, a place that is too wide.

Belongs here: patterns of contracts/telling_words.csv and row_topics.csv, and what files write for a unit.
Does not: where such words are looked for and what is told of them (unread, intake/rows).
"""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import contracts

TARGET, OTHER_VALUE = "target", "other_value"
SET_ASIDE, NOT_MEANT, WIDER_PLACE = "set_aside", "not_meant", "wider_place"


@cache
def patterns(path: Path = contracts.TELLING_WORDS) -> Mapping[str, str]:
    """By kind one pattern for all its words, to be compared with a whole text in small letters."""
    with path.open(encoding="utf-8", newline="") as lines:
        rows = [(line["kind"], f"(?:{line['pattern']})") for line in csv.DictReader(lines)]
    return {kind: "|".join(pattern for of, pattern in rows if of == kind) for kind, _ in rows}


@dataclass(frozen=True)
class RowTopic:
    """What a cell below a header says of its row, and the words of indicators of which that cannot be said."""

    header: re.Pattern[str]
    cell: re.Pattern[str]
    indicator_says: re.Pattern[str]
    indicator_says_not: re.Pattern[str]

    def speaks_against(self, cell: str, label: str) -> bool:
        """Whether the cell says another thing than the label of the row's indicator, both as bare words."""
        other = self.indicator_says.search(label) is not None and self.indicator_says_not.search(label) is None
        return other and self.cell.fullmatch(cell) is not None


@cache
def row_topics(path: Path = contracts.ROW_TOPICS) -> tuple[RowTopic, ...]:
    """The lines of row_topics.csv."""
    columns = ("header", "cell", "indicator_says", "indicator_says_not")
    with path.open(encoding="utf-8", newline="") as lines:
        return tuple(RowTopic(*(re.compile(line[name]) for name in columns)) for line in csv.DictReader(lines))


@cache
def unit_spellings(path: Path = contracts.UNIT_SPELLINGS) -> Mapping[str, str]:
    """What files write for a unit, in small letters, and the unit of the dictionary that is meant."""
    with path.open(encoding="utf-8", newline="") as lines:
        return {line["spelling"]: line["unit"] for line in csv.DictReader(lines)}
