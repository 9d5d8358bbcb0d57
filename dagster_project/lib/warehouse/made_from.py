"""From which inputs each step of the last build was made: no release is made of steps that do not belong together.

Belongs here: the note of steps beside the warehouse.
Does not: what inputs are (app/stands/house.py), single nodes of dbt (standing.py), or the steps.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

from dagster_project.lib.base.store import make_private

LANDING, CORE, ANALYSIS, REPORTING = STEPS = ("landing", "core", "analysis", "reporting")
"""In their order; a release follows them."""


class MadeFrom:
    """The note of one home: the hash of inputs of each step that passed. Only the holder of the home's lock builds.

    Any step can be launched by itself, and a build can be continued from its middle after a seed, a rule, a folder, a
    frozen cycle, the day or the code changed. A step is noted only behind steps that were made from the same.
    """

    def __init__(self, work: Path) -> None:
        self._path = work / "made_from.json"

    def begin(self, step: str, inputs: str) -> Callable[[], None]:
        """Say that a step is made from these inputs now; to be called once it has passed.

        What follows it is no longer known, unless it comes out of the very inputs that it came out of before.
        """
        known, place = self._read(), STEPS.index(step)
        before = {name: known[name] for name in STEPS[:place] if name in known}
        self._write(before)

        def passed() -> None:
            if all(before.get(name) == inputs for name in STEPS[:place]):
                after = STEPS[place + 1 :] if known.get(step) == inputs else ()
                self._write({**before, step: inputs, **{name: known[name] for name in after if name in known}})

        return passed

    def is_all_of(self, inputs: str) -> bool:
        """Whether every step was made from these inputs and passed."""
        known = self._read()
        return all(known.get(step) == inputs for step in STEPS)

    def _read(self) -> Mapping[str, str]:
        try:
            known = json.loads(self._path.read_bytes())
        except (OSError, ValueError):
            # None, or one that was cut: nothing is known to belong together, and the whole is built.
            return {}
        return known if isinstance(known, dict) else {}

    def _write(self, known: Mapping[str, str]) -> None:
        make_private(self._path.parent)
        partial = self._path.with_name(f".{self._path.name}.partial")
        partial.write_text(json.dumps(known), encoding="utf-8")
        partial.replace(self._path)
