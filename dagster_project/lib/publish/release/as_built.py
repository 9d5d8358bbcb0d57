"""What was built last and which release it is, kept in the lake: other inputs can give the same content.

Belongs here: one small file that spares a second build of inputs that gave no new release.
Does not: deciding whether content is the same (release.py), or anything that a figure depends on.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dagster_project.lib.base.state import StateError, whole
from dagster_project.lib.base.store import Store

BUILT_KEY = "ops/built.json"


@dataclass(frozen=True)
class AsBuilt:
    """The note of one lake. Only the holder of the home's lock writes."""

    lake: Store

    def keep(self, release_id: str, facts: Mapping[str, Any]) -> None:
        """Say that these facts (by their names in a manifest) were built and are this release."""
        data = (json.dumps({"release_id": release_id, "facts": facts}, ensure_ascii=False, indent=1) + "\n").encode()
        if self.lake.get_or_none(BUILT_KEY) != data:
            self.lake.put(BUILT_KEY, data)

    def facts_of(self, release_id: str) -> dict[str, Any]:
        """What was last built and is this release; empty where the note is of another one, damaged or lost.

        Without the note what stands is built once more, and the note is written anew.
        """
        try:
            kept_id, facts = self.read()
        except StateError:
            return {}
        return facts if kept_id == release_id else {}

    def read(self) -> tuple[str | None, dict[str, Any]]:
        """The release that was built last and its facts, none where the note was lost; StateError where damaged."""
        data = self.lake.get_or_none(BUILT_KEY)
        if data is None:
            return None, {}
        with whole(f"{self.lake.url}/{BUILT_KEY}", "`cradle run` makes it anew"):
            kept = json.loads(data)
            return str(kept["release_id"]), {**kept["facts"]}

    def forget(self) -> None:
        """Have what stands built again, whatever was built last."""
        self.lake.delete([BUILT_KEY])
