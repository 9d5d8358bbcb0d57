"""Frozen cycles as the lake keeps them: one file a reporting year.

Belongs here: their place, reading them, what they are among the inputs of a release.
Does not: freezing, or frozen rows beside what would be now (app/frozen.py).
"""

from __future__ import annotations

import gzip
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from dagster_project.lib.base.state import whole
from dagster_project.lib.base.store import Store
from dagster_project.lib.base.successions import NO_RENAMES, CommunityIds

PREFIX = "frozen"
RECORDS_FILE = re.compile(rf"{PREFIX}/(\d{{4}})/records\.json\.gz")
FILE_FORMAT = 1


@dataclass(frozen=True)
class FrozenContent:
    """What a frozen file holds, in its order: the records, and the rows of fct_designation_distance beside them.

    judged: rows of JUDGED and of fct_gateway_missing by table, as they were judged by the rubric of that day.
    """

    records: list[dict[str, Any]]
    distances: list[dict[str, Any]]
    judged: Mapping[str, list[dict[str, Any]]] = field(default_factory=dict)


@dataclass(frozen=True)
class FrozenCycle:
    """One frozen reporting year: its file as it is kept."""

    reporting_year: int
    content: bytes
    names: CommunityIds = NO_RENAMES
    """Communities that were renamed since: their rows are read under the id of now, their records stay as decided."""

    @property
    def sha256(self) -> str:
        """What the file is known by."""
        return hashlib.sha256(self.content).hexdigest()

    @property
    def release_id(self) -> str:
        """The release whose records these are."""
        return str(json.loads(gzip.decompress(self.content))["release_id"])

    def place_of(self, record: dict[str, Any]) -> str:
        """The id that a record's community has now."""
        return self.names.of(str(record["community_id"]))

    def read(self) -> FrozenContent:
        """What the file holds, read anew at each call: a decade of records at once would fill the memory.

        ValueError if the file is of another form or year than its place says.
        """
        with whole(frozen_key(self.reporting_year), "put it back from a backup; frozen records are made once"):
            held = json.loads(gzip.decompress(self.content))
        if held["file_format"] != FILE_FORMAT or held["reporting_year"] != self.reporting_year:
            found = f"form {held['file_format']} and year {held['reporting_year']}"
            raise ValueError(f"{frozen_key(self.reporting_year)} is of {found}")
        # Files from before distances and judged rows were kept hold none.
        return FrozenContent(held["records"], held.get("distances", []), held.get("judged", {}))


def frozen_key(reporting_year: int) -> str:
    """Where a year's frozen records lie in the lake."""
    return f"{PREFIX}/{reporting_year}/records.json.gz"


def read_frozen(lake: Store, years: range | None = None, names: CommunityIds = NO_RENAMES) -> tuple[FrozenCycle, ...]:
    """Every frozen cycle of the lake (of the given reporting years), by year."""
    found = []
    for info in lake.objects(PREFIX):
        match = RECORDS_FILE.fullmatch(info.key)
        if match and (years is None or int(match[1]) in years):
            found.append(FrozenCycle(int(match[1]), lake.get(info.key), names))
    return tuple(sorted(found, key=lambda cycle: cycle.reporting_year))


def lost_cycles(lake: Store, manifest: Mapping[str, Any]) -> dict[int, str]:
    """Reporting years that a release carries as frozen and the lake does not, each with the sha256 of its file."""
    carried = {
        int(row["reporting_year"]): str(row["frozen_records_sha256"])
        for row in manifest["inputs"]
        if row.get("frozen_records_sha256")
    }
    return {year: sha for year, sha in carried.items() if lake.size(frozen_key(year)) is None}


def manifest_inputs(cycles: Sequence[FrozenCycle]) -> list[dict[str, Any]]:
    """Frozen cycles as inputs of a release: of no one community or submission, each with the sha256 of its file."""
    return [
        {
            "community_id": None,
            "reporting_year": cycle.reporting_year,
            "submission_id": None,
            "frozen_records_sha256": cycle.sha256,
        }
        for cycle in cycles
    ]
