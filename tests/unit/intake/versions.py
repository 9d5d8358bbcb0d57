"""Two contract versions side by side, for tests: version 2 of tests/fixtures/contracts_v2 from 2024 on.

Belongs here: registering the second version for the time of a test, and nothing else.
Does not: expectations (the tests), the second version's tables (tests/fixtures).
"""

from __future__ import annotations

from pathlib import Path

import pytest

import contracts
from dagster_project.lib.intake.tables import OBSERVATIONS, added_columns

REGISTRY = Path(__file__).resolve().parents[2] / "fixtures" / "contracts_v2" / "versions.csv"
FIRST_YEAR = 2024


def register_second_version(patch: pytest.MonkeyPatch) -> None:
    """Make the registry say what it would say with the second version in force.

    The columns of observations follow the registry when the program starts; here they are added to the running one.
    """
    patch.setattr(contracts, "VERSIONS", contracts.read_versions(REGISTRY))
    for name, kind in added_columns().items():
        patch.setitem(OBSERVATIONS, name, kind)
