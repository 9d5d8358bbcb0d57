"""What was gathered last in this process, for the next step in it that would gather the very same.

Belongs here: one slot, and telling by what stands in the lake whether it still holds. Does not: gathering
(landing.py), or a memory that outlives a process (lib/app/kept.py).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from dagster_project.lib.warehouse.landing import Landed


@dataclass(frozen=True)
class Stands:
    """All that gathered rows depend on: whose lake, seeds, day, ruleset and code, every event, and strays."""

    lake: str
    conditions: Mapping[str, Any]
    events: pl.DataFrame
    strays: pl.DataFrame

    def same(self, other: Stands) -> bool:
        """Whether gathering would give the same tables."""
        alike = (self.lake, self.conditions) == (other.lake, other.conditions)
        return alike and self.events.equals(other.events) and self.strays.equals(other.strays)


@dataclass
class Slot:
    """Holds tables of one look at the lake, until they are asked for once: a network's rows are large."""

    _held: list[tuple[Stands, Landed]] = field(default_factory=list)

    def keep(self, stands: Stands, landed: Landed) -> None:
        """In place of what was held."""
        self._held[:] = [(stands, landed)]

    def take(self, stands: Callable[[], Stands]) -> Landed | None:
        """What is held, if it was gathered from what stands; nothing is held afterwards.

        Where nothing is held, nothing is looked at.
        """
        held = [landed for of, landed in self._held if of.same(stands())]
        self._held.clear()
        return held[0] if held else None


HELD = Slot()
"""Of this process: receipts after an intake, then the build behind it."""
