"""Under which licences the locked packages may be used: each is one that was looked at, and the list is the lock's.

Belongs here: licences that installed packages declare, against tests/structure/licences.csv and the allowed ones.
Does not: known weaknesses of packages (docs/threats.md), versions and hashes (requirements.lock).
"""

from __future__ import annotations

import csv
import importlib.metadata
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROWS = list(csv.DictReader((ROOT / "tests" / "structure" / "licences.csv").open(encoding="utf-8", newline="")))
DECLARED = {row["package"]: row["licence"] for row in ROWS}
READ = {row["package"]: row["read_as"] or row["licence"] for row in ROWS}
"""What binds: what its text says where the declaration does not tell a choice from a sum."""
LOCKED = sorted(set(re.findall(r"^([\w.-]+)==", (ROOT / "requirements.lock").read_text(encoding="utf-8"), re.M)))
ALLOWED = frozenset(
    (ROOT / "tests" / "structure" / "allowed_licences.txt").read_text(encoding="utf-8").splitlines()
) - {""}
"""No duty but to name the authors, or one that binds changes of the package's own files alone (MPL, LGPL)."""
# What packages call them that do not write SPDX's names.
SPDX = {
    "3-Clause BSD License": "BSD-3-Clause",
    "Apache Software License": "Apache-2.0",
    "Apache License 2.0": "Apache-2.0",
    "BSD License": "BSD",
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
}
CHOICE, ALL = " OR ", " AND "


def declared(package: str) -> str:
    """The licence that an installed package declares; its classifiers where it has no expression."""
    told = importlib.metadata.metadata(package)
    if told.get("License-Expression"):
        return str(told["License-Expression"])
    named = [text.split(" :: ")[-1] for text in told.get_all("Classifier") or [] if text.startswith("License ::")]
    first = (told.get("License") or "").strip().splitlines()[:1]
    return ALL.join(sorted(SPDX.get(name, name) for name in named or first)) or "none"


def allowed(licence: str) -> bool:
    """Whether every part that binds is allowed, or one of those that may be chosen among."""
    return all(any(one in ALLOWED for one in part.split(CHOICE)) for part in _parts(licence))


def _parts(licence: str) -> list[str]:
    return licence.replace("(", "").replace(")", "").split(ALL)


def test_every_locked_package_has_a_line_and_no_other_has_one() -> None:
    assert list(DECLARED) == LOCKED, "put each package of the lock into tests/structure/licences.csv, in order"


@pytest.mark.parametrize("package", LOCKED)
def test_a_package_is_used_under_the_licence_that_was_looked_at(package: str) -> None:
    try:
        found = declared(package)
    except importlib.metadata.PackageNotFoundError:
        pytest.skip(f"{package} is locked for another system and not installed here")
    assert found == DECLARED[package], f"{package} declares {found}: read it, then change its line"


def test_every_licence_is_allowed() -> None:
    assert {name: licence for name, licence in READ.items() if not allowed(licence)} == {}


def test_no_licence_is_allowed_that_no_package_has() -> None:
    named = {one for licence in READ.values() for part in _parts(licence) for one in part.split(CHOICE)}
    assert named >= ALLOWED


def test_a_licence_that_binds_the_whole_is_not_allowed() -> None:
    assert not allowed("GPL-3.0-only")
    assert not allowed("MIT AND GPL-3.0-only")
    assert allowed("MIT OR GPL-3.0-only")
