"""Fixtures of the disclosure tests.

Belongs here: the project's own profile; the path by which tests find their helper modules.
Does not: builders of tables (tables.py), or expected results.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

# Test folders are no packages (import mode importlib), so their helpers are found from the project's root.
ROOT = str(Path(__file__).resolve().parents[3])
if ROOT not in sys.path:
    sys.path.insert(0, ROOT)

from dagster_project.lib.base.reference import Reference  # noqa: E402
from dagster_project.lib.disclosure import Profile, load_profile  # noqa: E402


@pytest.fixture(scope="session")
def profile() -> Profile:
    """The profile of the project's seeds."""
    return load_profile(Reference(Path(ROOT) / "seeds"))
