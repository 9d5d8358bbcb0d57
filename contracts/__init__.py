"""What may be submitted and what is promised.

Belongs here: the registry of contracts, and which version a reporting year takes.
Does not: reading files, checking rows, or anything that runs (dagster_project/lib/intake).
"""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache
from pathlib import Path

from contracts.base import Column, TableContract

ROOT = Path(__file__).resolve().parent
LAYOUTS = ROOT / "layouts"
CATALOGUE = ROOT / "findings.csv"

# (first reporting year, contract version): a reporting year takes the newest version that starts no later.
VERSIONS: tuple[tuple[int, int], ...] = ((0, 1),)


def version_for(reporting_year: int) -> int:
    """The contract version a reporting year is checked under, whenever it is checked."""
    return max(start_version for start_version in VERSIONS if start_version[0] <= reporting_year)[1]


def newest_version() -> int:
    """The contract version that the newest reporting years take."""
    return max(version for _, version in VERSIONS)


@cache
def tables(version: int) -> dict[str, TableContract]:
    """All contracts of one version by table name; LookupError for a version that does not exist."""
    package = ROOT / f"v{version}"
    if not package.is_dir():
        raise LookupError(f"there is no contract version {version}")
    names = sorted(module.name for module in pkgutil.iter_modules([str(package)]))
    modules = (importlib.import_module(f"contracts.v{version}.{name}") for name in names)
    return {module.CONTRACT.table: module.CONTRACT for module in modules}


def registers(version: int) -> dict[str, TableContract]:
    """The contracts of every table but indicator_values."""
    return {name: contract for name, contract in tables(version).items() if name != "indicator_values"}


__all__ = ["CATALOGUE", "LAYOUTS", "Column", "TableContract", "newest_version", "registers", "tables", "version_for"]
