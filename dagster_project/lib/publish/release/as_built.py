"""What was built last and which release it is, kept in the lake: other inputs can give the same content.

Belongs here: what a release is made from, one small file that spares a second build of what gave no new release.
Does not: deciding whether content is the same (release.py), or anything that a figure depends on.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from dagster_project.lib.base.state import StateError, whole
from dagster_project.lib.base.store import Store

BUILT_KEY = "ops/built.json"


@dataclass(frozen=True)
class ReleaseFacts:
    """What a release is made from, beside the tables.

    `folders` are the submissions that stand, `frozen` the frozen cycles; a manifest lists both as `inputs`.
    """

    today: str
    ruleset_id: str
    ruleset_version: str
    contract_version: int
    code_version: str
    figures_version: str
    words_version: str
    lock_sha256: str
    seeds_sha256: str
    inputs_sha256: str
    folders: Sequence[Mapping[str, Any]]
    frozen: Sequence[Mapping[str, Any]] = ()

    def stated(self) -> dict[str, Any]:
        """The facts by their names in the manifest."""
        facts = {field.name: getattr(self, field.name) for field in fields(self)}
        inputs = [*facts.pop("folders"), *facts.pop("frozen")]
        return {**facts, "inputs": inputs}


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
