"""Whether reference data and layouts are right, asked as a whole before anything runs.

Belongs here: one list of faults over seeds, the ruleset in force, its comparisons and the layouts.
Does not: finding any of them (base/seeds/forms.py, base/seeds/lint.py, intake/layouts/soundness.py), or printing.
"""

from __future__ import annotations

import datetime as dt

import contracts
from dagster_project.lib.base.reference import Reference, SeedError
from dagster_project.lib.base.ruleset import RulesetKey
from dagster_project.lib.base.seeds.lint import faults, first_of
from dagster_project.lib.intake.layouts.soundness import layout_faults


def reference_faults(reference: Reference, ruleset: RulesetKey | dt.date) -> list[str]:
    """Every fault of seeds and layouts, one line each, with file and lines.

    ruleset: id and version, or the day of the run, whose ruleset is in force.
    """
    return [*map(str, faults(reference, ruleset)), *layout_faults(contracts.LAYOUTS)]


def require_ready(reference: Reference, ruleset: RulesetKey | dt.date) -> None:
    """SeedError that names the first faults of seeds and layouts; nothing when there are none."""
    if found := reference_faults(reference, ruleset):
        raise SeedError(first_of(found))
