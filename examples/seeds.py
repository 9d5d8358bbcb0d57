"""The seeds of a network larger than the example network: those of the project, and a line a further community.

Belongs here: the two tables of seeds/network that name every community and every place.
Does not: rules, dictionary, crosswalks or anything else of the seeds: those are copied as they stand.
"""

from __future__ import annotations

import csv
import shutil
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

from examples.tables import SEEDS, Community, by_id, network, places, read_rows


def write(folder: Path, scale: int) -> None:
    """Write the seeds of a network so many times as large to a folder, over what lies there under their names."""
    shutil.copytree(SEEDS, folder, dirs_exist_ok=True)
    _append(folder / "network" / "communities.csv", (_line(each) for each in _further(scale)))
    _append(folder / "network" / "geographies.csv", (place for each in _further(scale) for place in places(each)))


def _further(scale: int) -> Iterable[Community]:
    return (community for community in network(scale) if community.community_id not in by_id())


def _line(community: Community) -> dict[str, str]:
    return _lines()[community.of_seeds] | {"community_id": community.community_id, "name": community.name}


@cache
def _lines() -> dict[str, dict[str, str]]:
    return {row["community_id"]: row for row in read_rows(SEEDS / "network" / "communities.csv")}


def _append(path: Path, rows: Iterable[Mapping[str, str]]) -> None:
    with path.open(encoding="utf-8", newline="") as file:
        columns = next(csv.reader(file))
    with path.open("a", encoding="utf-8", newline="") as file:
        csv.DictWriter(file, columns, lineterminator="\n").writerows(rows)
