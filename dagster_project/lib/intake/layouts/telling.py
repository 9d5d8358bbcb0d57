"""Words in a file that tell what its numbers are: a target, a sheet that was put aside, a place that is too wide.

Belongs here: the patterns of contracts/telling_words.csv by their kind.
Does not: where such words are looked for and what is told of them (unread, intake/rows).
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import contracts

OTHER_VALUE, SET_ASIDE, NOT_MEANT, WIDER_PLACE = "other_value", "set_aside", "not_meant", "wider_place"


@cache
def patterns(path: Path = contracts.TELLING_WORDS) -> Mapping[str, str]:
    """By kind one pattern for all its words, to be compared with a whole text in small letters."""
    with path.open(encoding="utf-8", newline="") as lines:
        rows = [(line["kind"], f"(?:{line['pattern']})") for line in csv.DictReader(lines)]
    return {kind: "|".join(pattern for of, pattern in rows if of == kind) for kind, _ in rows}
