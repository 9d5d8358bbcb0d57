"""What may be submitted and what is promised.

Belongs here: the registry of contract versions, which version a reporting year takes, and what all versions keep.
Does not: reading files, checking rows, or anything that runs (dagster_project/lib/intake).
"""

from __future__ import annotations

import csv
import importlib
import pkgutil
from dataclasses import dataclass, replace
from functools import cache
from itertools import pairwise
from pathlib import Path

from contracts.base import Column, TableContract

ROOT = Path(__file__).resolve().parent
LAYOUTS = ROOT / "layouts"
CATALOGUE = ROOT / "findings.csv"
LANGUAGES = ROOT / "languages"
"""The texts of the catalogue in other languages, one file each by its code."""
REASONS = ROOT / "reasons.csv"
"""Kinds of reasons that the member's page offers for an answer; the column `reason` takes any other word too."""
NEAR_COLUMNS = ROOT / "near_columns.csv"
NEAR_TOPICS = ROOT / "near_topics.csv"
"""What a near name says of the thing that is measured, and how an indicator is known to be of it."""
ROW_TOPICS = ROOT / "row_topics.csv"
"""What a cell beside a number says of the row (its subject or level), and which indicators it speaks against."""
TELLING_WORDS = ROOT / "telling_words.csv"
"""Words, as patterns, that tell of a number, a sheet or a place that it is not what rows are to give."""
UNIT_SPELLINGS = ROOT / "unit_spellings.csv"
"""What files write for a unit of the dictionary, in small letters."""
STATES = ROOT / "states.csv"
"""Codes of the states of the United States and their names; other states stand under their code."""
LAYOUT_MACROS = ROOT / "layout_macros.sql"
VALUES_TABLE = "indicator_values"


class VersionError(ValueError):
    """The registry of versions, or what two versions say of one column, contradicts itself."""


@dataclass(frozen=True)
class Version:
    """One line of versions.csv: from which reporting year on a version holds, and the package that states its tables.

    A package states only the tables that differ from the version before it, one module each with `CONTRACT`; tables
    that are no longer taken stand in its `WITHDRAWN`.
    """

    version: int
    first_reporting_year: int
    package: str
    note: str


def read_versions(path: Path) -> tuple[Version, ...]:
    """The lines of a registry, oldest first; VersionError where versions and first years do not rise together."""
    with path.open(encoding="utf-8", newline="") as lines:
        found = tuple(
            Version(int(line["version"]), int(line["first_reporting_year"]), line["package"], line["note"])
            for line in csv.DictReader(lines)
        )
    if not found:
        raise VersionError(f"{path.name} names no contract version")
    for before, after in pairwise(found):
        if after.version <= before.version or after.first_reporting_year <= before.first_reporting_year:
            raise VersionError(f"{path.name}: version {after.version} must come after {before.version}, in later years")
    return found


VERSIONS: tuple[Version, ...] = read_versions(ROOT / "versions.csv")
"""A reporting year takes the newest version that starts no later."""


def version_for(reporting_year: int) -> int:
    """The contract version a reporting year is checked under, whenever it is checked.

    VersionError for a year before the first version.
    """
    started = [version.version for version in VERSIONS if version.first_reporting_year <= reporting_year]
    if not started:
        raise VersionError(f"no contract version holds for reporting year {reporting_year}")
    return max(started)


def newest_version() -> int:
    """The contract version that the newest reporting years take."""
    return VERSIONS[-1].version


def tables(version: int) -> dict[str, TableContract]:
    """All contracts of one version by table name: those it states, and those it inherits from the versions before.

    An inherited contract keeps the number of the version that stated it. LookupError for a version that does not exist.
    """
    if version not in {known.version for known in VERSIONS}:
        raise LookupError(f"there is no contract version {version}")
    return dict(_overlaid(tuple(known.package for known in VERSIONS if known.version <= version)))


def stated(version: int) -> dict[str, TableContract]:
    """The contracts that a version itself states, by table name; what is not among them it inherits."""
    return {name: contract for name, contract in tables(version).items() if contract.version == version}


def registers(version: int) -> dict[str, TableContract]:
    """The contracts of every table but indicator_values."""
    return {name: contract for name, contract in tables(version).items() if name != VALUES_TABLE}


def landed() -> dict[str, TableContract]:
    """Each table of any version as the rows of all versions lie together in lake and warehouse.

    Its columns are the union over the versions, under the names they are kept by, in the order of first appearance;
    everything else is what the newest version says that has the table. VersionError where a column changed its type.
    """
    return dict(_landed(VERSIONS))


def landed_registers() -> dict[str, TableContract]:
    """`landed` for every table but indicator_values."""
    return {name: contract for name, contract in landed().items() if name != VALUES_TABLE}


@cache
def _overlaid(packages: tuple[str, ...]) -> dict[str, TableContract]:
    found: dict[str, TableContract] = {}
    for package in packages:
        module = importlib.import_module(package)
        for name in getattr(module, "WITHDRAWN", ()):
            del found[name]
        for info in pkgutil.iter_modules(module.__path__):
            contract: TableContract = importlib.import_module(f"{package}.{info.name}").CONTRACT
            found[contract.table] = contract
    return dict(sorted(found.items()))


@cache
def _landed(versions: tuple[Version, ...]) -> dict[str, TableContract]:
    newest: dict[str, TableContract] = {}
    columns: dict[str, dict[str, Column]] = {}
    for known in versions:
        for name, contract in tables(known.version).items():
            newest[name] = contract.as_kept()
            together = columns.setdefault(name, {})
            for column in newest[name].columns:
                before = together.get(column.name, column)
                if before.polars_type != column.polars_type:
                    raise VersionError(f"{name}.{column.name} changes its type in contract version {known.version}")
                together[column.name] = column
    return {name: replace(newest[name], columns=tuple(columns[name].values())) for name in sorted(newest)}


__all__ = [
    "CATALOGUE",
    "LANGUAGES",
    "LAYOUTS",
    "LAYOUT_MACROS",
    "NEAR_COLUMNS",
    "NEAR_TOPICS",
    "REASONS",
    "STATES",
    "TELLING_WORDS",
    "Column",
    "TableContract",
    "Version",
    "VersionError",
    "landed",
    "landed_registers",
    "newest_version",
    "read_versions",
    "registers",
    "stated",
    "tables",
    "version_for",
]
