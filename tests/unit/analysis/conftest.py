"""Fixtures of the analysis tests.

Belongs here: the default ruleset from the project's own seeds; the path by which tests find their helper modules.
Does not: builders (builders.py), or expected results (reference.py and the tests).
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

# Test folders are no packages (import mode importlib), so their helpers are found from the project's root.
ROOT = str(Path(__file__).resolve().parents[3])
if ROOT not in sys.path:
    sys.path.insert(0, ROOT)

from dagster_project.lib.base.ruleset import Ruleset, load_ruleset  # noqa: E402
from tests.unit.analysis.builders import parameter_rows  # noqa: E402


@pytest.fixture(scope="session")
def ruleset() -> Ruleset:
    """The default ruleset."""
    return load_ruleset(parameter_rows(), "toa-default", "1.1.0")
