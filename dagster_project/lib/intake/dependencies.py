"""What the kept rows of a folder depend on beside its bytes, declared.

Belongs here: the lists of code, contracts, seeds and libraries that read and judge, and the version made of them.
Does not: what only tells or asks (receipts, comparing, answers), templates, grants, proposals: they re-read nothing.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import contracts
from dagster_project.lib.base.reference import Reference, hash_files
from dagster_project.lib.base.ruleset import JudgingRules
from dagster_project.lib.intake.reading.limits import Limits

LIB = Path(__file__).resolve().parents[1]
CODE = (
    "base/folder_tree.py",
    "base/names.py",
    "base/reference.py",
    "base/ruleset.py",
    "base/shown.py",
    "base/store.py",
    "intake/batch.py",
    "intake/bucket/drop.py",
    "intake/bucket/lake.py",
    "intake/bucket/left.py",
    "intake/checking.py",
    "intake/findings.py",
    "intake/layouts",
    "intake/reading",
    "intake/recognising.py",
    "intake/rows",
    "intake/session.py",
    "intake/tables.py",
    "intake/take_in.py",
)
"""Modules and rooms below lib/ that read a file or judge a row of it."""
CONTRACTS = ("*.py", "*.csv", "*.sql", "v*/*.py", "layouts/*.sql")
"""Of contracts/: what may be submitted; its examples and the samples of layouts are for people and tests."""
SEEDS = (
    "crosswalks/dimension_labels",
    "crosswalks/geography_labels",
    "crosswalks/group_labels",
    "crosswalks/indicator_labels",
    "crosswalks/series_labels",
    "dictionary/dimensions",
    "dictionary/groups",
    "dictionary/indicators",
    "dictionary/masks",
    "dictionary/outcomes",
    "dictionary/units",
    "network/communities",
    "network/community_successions",
    "network/geographies",
    "rubric/rubric",
)
"""Reference data that rows are coded and judged with; of parameters only JudgingRules are."""
READERS = ("duckdb", "pandera", "polars", "pyarrow", "xlrd")
"""Libraries that turn bytes into cells, cells into types, or run a layout's SQL."""


def intake_version(reference: Reference, limits: Limits, rules: JudgingRules) -> str:
    """What a folder's rows depend on beside its bytes, as one text."""
    parts = (
        hash_files(list(seed_files(reference)), reference.folder),
        hash_files(list(contract_files()), contracts.ROOT),
        hash_files(list(code_files()), LIB),
        _digest({name: importlib.metadata.version(name) for name in READERS} | asdict(limits) | asdict(rules)),
    )
    return "-".join(part[:16] for part in parts)


def code_files(root: Path = LIB) -> Iterator[Path]:
    """Every file of code that a row depends on, below `root`."""
    for name in CODE:
        place = root / name
        yield from sorted(place.rglob("*.py")) if place.is_dir() else [place]


def contract_files(root: Path = contracts.ROOT) -> Iterator[Path]:
    """Every file of the contracts that a row depends on, below `root`."""
    for pattern in CONTRACTS:
        yield from sorted(root.glob(pattern))


def seed_files(reference: Reference) -> Iterator[Path]:
    """Every seed that a row depends on; one that is missing is told when it is read."""
    for name in SEEDS:
        path = reference.folder / f"{name}.csv"
        if path.is_file():
            yield path


def _digest(facts: dict[str, object]) -> str:
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()
