"""Reference data as governed in seeds/, read for Python.

Belongs here: loading and light checking of the seeds that intake, landing and analysis need, and their fingerprint.
Does not: the lint of all seeds (dbt tests, tests/unit/seeds), or any rule that uses them.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import polars as pl

from dagster_project.lib.base.names import CONTACTS
from dagster_project.lib.base.successions import (
    COMMUNITY_SUCCESSIONS,
    FORMER,
    NO_RENAMES,
    NOW,
    CommunityIds,
    Succession,
    names_of,
    succession_faults,
)


class SeedError(ValueError):
    """A seed is missing or not in the form the project needs; the message names file, column and line."""


NO_COMMUNITY = "the file names no community; a network has one at least"
REQUIRED_COMMUNITY_COLUMNS = ("community_id", "name", "state", "joined_year")


@dataclass(frozen=True)
class Reference:
    """All seeds below one folder, read lazily as text frames (blank cells are null)."""

    folder: Path

    def table(self, path: str) -> pl.DataFrame:
        """One seed by its path below the folder, for example `dictionary/groups`, every column as text.

        Communities that were renamed stand under their id of now.
        """
        return self.names.read(self.as_written(path))

    @cached_property
    def names(self) -> CommunityIds:
        """Ids of communities that were renamed; SeedError where the lines contradict each other."""
        if not (self.folder / f"{COMMUNITY_SUCCESSIONS}.csv").is_file():
            return NO_RENAMES  # Told by the check of all seeds, which names what a newer version needs.
        lines = self.successions()
        if not lines:
            return NO_RENAMES
        members = self.as_written("network/communities").with_row_index("line", 2)
        found = list(succession_faults(lines, dict(members.select("community_id", "line").iter_rows())))
        if found:
            numbers, says = found[0]
            raise SeedError(f"seeds/{COMMUNITY_SUCCESSIONS}.csv, line {', '.join(map(str, numbers))}: {says}")
        return names_of(lines)

    def successions(self) -> list[Succession]:
        """The renames as they are written, line by line."""
        rows = self.as_written(COMMUNITY_SUCCESSIONS).with_row_index("line", 2).drop_nulls([FORMER, NOW])
        return [Succession(*row) for row in rows.select("line", FORMER, NOW).iter_rows()]

    def as_written(self, path: str) -> pl.DataFrame:
        """One seed as it is written, every column as text."""
        file = self.folder / f"{path}.csv"
        if not file.is_file():
            raise SeedError(f"{file} is missing; a seeds folder must hold it")
        # Blank lines at the end are no lines; one in the middle would be read as a line of blanks, and is told before.
        content = file.read_bytes().removeprefix(b"\xef\xbb\xbf").rstrip(b"\r\n")
        try:
            frame = pl.read_csv(content, infer_schema=False)
        except pl.exceptions.PolarsError as error:
            said = str(error).splitlines()[0]
            raise SeedError(f"{file} cannot be read as CSV ({said}); cradle doctor says where") from error
        return frame.with_columns(pl.all().str.strip_chars().replace("", None))

    @cached_property
    def communities(self) -> pl.DataFrame:
        """community_id, name, state, joined_year (Int32), then optional columns; checked for blanks and repeats."""
        frame = self.table("network/communities")
        missing = [name for name in REQUIRED_COMMUNITY_COLUMNS if name not in frame.columns]
        if missing:
            raise SeedError(f"network/communities.csv has no column {', '.join(missing)}")
        years = pl.col("joined_year").cast(pl.Int32, strict=False)
        bad = frame.with_row_index("line", 2).filter(
            pl.col("community_id").is_null() | years.is_null() | pl.col("community_id").is_duplicated()
        )
        if not frame.height:
            raise SeedError(f"network/communities.csv: {NO_COMMUNITY}")
        if bad.height:
            lines = ", ".join(str(line) for line in bad["line"])
            raise SeedError(f"network/communities.csv: line {lines} has no unique community_id or no joined_year")
        for name in ("left_year", "encoding", "district_name"):
            if name not in frame.columns:
                frame = frame.with_columns(pl.lit(None, pl.String).alias(name))
        return frame.with_columns(years, pl.col("left_year").cast(pl.Int32, strict=False)).sort("community_id")

    @cached_property
    def network_name(self) -> str:
        """What the network calls itself."""
        names = self.table("network/network")["name"].to_list()
        if len(names) != 1 or not names[0]:
            raise SeedError("network/network.csv needs one line, with the name of the network")
        return str(names[0])

    def reporting_years(self, today: dt.date) -> range:
        """From the earliest joined_year to the year of today."""
        first = self.communities["joined_year"].min()
        assert isinstance(first, int)
        return range(first, max(today.year, first) + 1)

    @cached_property
    def indicators(self) -> pl.DataFrame:
        """The dictionary's indicators with direction (Int32), poolable and is_primary (Boolean)."""
        return self.table("dictionary/indicators").with_columns(
            pl.col("direction").cast(pl.Int32),
            pl.col("poolable").str.to_lowercase().is_in(["true", "yes", "1"]),
            pl.col("is_primary").str.to_lowercase().is_in(["true", "yes", "1"]),
        )

    @cached_property
    def outcomes(self) -> pl.DataFrame:
        """The seven outcomes and the adjacent ones, with their sector."""
        return self.table("dictionary/outcomes")

    @cached_property
    def dimensions(self) -> pl.DataFrame:
        """Dimensions with kind (demographic, geographic, total), geography_level and reference_group."""
        return self.table("dictionary/dimensions")

    @cached_property
    def groups(self) -> pl.DataFrame:
        """Groups by dimension with their labels."""
        return self.table("dictionary/groups")

    @cached_property
    def units(self) -> pl.DataFrame:
        """Units with stored_unit, factor, minimum and maximum (Float64)."""
        number = [pl.col(name).cast(pl.Float64) for name in ("factor", "minimum", "maximum")]
        return self.table("dictionary/units").with_columns(number)

    @cached_property
    def masks(self) -> dict[str, str]:
        """Mask text in lower case to value status."""
        frame = self.table("dictionary/masks")
        return {mask.lower(): status for mask, status in frame.select("mask", "value_status").iter_rows()}

    @cached_property
    def geographies(self) -> pl.DataFrame:
        """Places of the network's own communities; lines of others are ignored."""
        return self.table("network/geographies").join(
            self.communities.select("community_id"), on="community_id", how="semi"
        )

    def crosswalk(self, name: str) -> pl.DataFrame:
        """One label crosswalk with its lines' validity as years (open ends are 0 and 9999)."""
        return self.table(f"crosswalks/{name}_labels").with_columns(
            pl.col("valid_from").cast(pl.Int32).fill_null(0), pl.col("valid_to").cast(pl.Int32).fill_null(9999)
        )

    def fingerprint(self, *parts: str) -> str:
        """sha256 over the names and bytes of the CSV files in the given subfolders (all when none is given)."""
        roots = [self.folder / part for part in parts] or [self.folder]
        return hash_files([path for root in roots for path in governed(root)], self.folder)


def governed(folder: Path, *others: str) -> list[Path]:
    """All seeds below a folder, and files with `others` as endings; never the contacts, which are no reference data."""
    found = sorted(path for path in folder.rglob("*") if path.suffix in (".csv", *others))
    return [path for path in found if not is_contacts(path)]


def is_contacts(path: Path) -> bool:
    """Whether this is the file of addresses."""
    return path.with_suffix("").as_posix().endswith(CONTACTS)


def hash_files(paths: list[Path], root: Path) -> str:
    """sha256 hex over relative names and contents, in sorted order."""
    digest = hashlib.sha256()
    for path in sorted(paths):
        digest.update(named_content(path, root))
    return digest.hexdigest()


def named_content(path: Path, root: Path) -> bytes:
    """What a hash over files takes of one of them: its relative name, the length of its content, the content."""
    content = path.read_bytes()
    return f"{path.relative_to(root).as_posix()}\0{len(content)}\0".encode() + content
