"""What intake works on: what it needs beside the files, one file of a batch, what a folder gave.

Belongs here: the data that the steps of one batch hand on.
Does not: any step (recognising.py, checking.py), their order (take_in.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property

import polars as pl

import contracts
from contracts.base import TableContract
from dagster_project.lib.base.reference import Reference
from dagster_project.lib.base.ruleset import JudgingRules, RulesetKey, newest_in_force, read_ruleset
from dagster_project.lib.intake.bucket.drop import (
    Folder,
    Left,
)
from dagster_project.lib.intake.dependencies import intake_version
from dagster_project.lib.intake.layouts.matching import Layouts, load_layouts
from dagster_project.lib.intake.layouts.unread import Words, words_of
from dagster_project.lib.intake.reading.grid import Problem
from dagster_project.lib.intake.reading.limits import Limits
from dagster_project.lib.intake.rows.codes import CodeTables

Keep = Callable[[str, bytes | Callable[[], Iterator[bytes]]], None]
"""Stores raw bytes by their key, given whole or, of a large file, piece by piece."""


@dataclass(frozen=True)
class Intake:
    """What intake needs beside the files: reference data, layouts, limits and label tables.

    `chosen`: the ruleset that rows are judged by; without one that of the newest line of ruleset_in_force.csv.
    """

    reference: Reference
    limits: Limits = field(default_factory=Limits)
    chosen: RulesetKey | None = None

    @cached_property
    def rules(self) -> JudgingRules:
        """Parameters of the ruleset that decide whether a row is taken."""
        return JudgingRules.of(read_ruleset(self.reference, self.chosen or newest_in_force(self.reference)))

    @cached_property
    def version(self) -> str:
        """What kept rows depend on beside their files' bytes."""
        return intake_version(self.reference, self.limits, self.rules)

    @cached_property
    def codes(self) -> CodeTables:
        """Label tables, built once."""
        return CodeTables.of(self.reference)

    def contract(self, version: int, table: str) -> TableContract:
        """A table's contract in one version, under the ruleset."""
        return contracts.tables(version)[table].with_largest_count(self.rules.largest_count)

    @cached_property
    def encodings(self) -> dict[str, str | None]:
        """The encoding each community declared, if any."""
        return dict(self.reference.communities.select("community_id", "encoding").iter_rows())

    @cached_property
    def _words(self) -> dict[str, Words]:
        return {}

    def words(self, community_id: str) -> Words:
        """Words of a community's tables that say something only where their column is read."""
        if community_id not in self._words:
            self._words[community_id] = words_of(self.reference, community_id)
        return self._words[community_id]

    @cached_property
    def _layouts(self) -> dict[int, Layouts]:
        return {}

    def layouts(self, version: int) -> Layouts:
        """Foreign layouts and the contract's own tables of one contract version."""
        if version not in self._layouts:
            layouts = load_layouts(contracts.LAYOUTS, version)
            for contract in contracts.tables(version).values():
                # A table that the version inherits keeps its form, and with it the id of that form.
                layouts.add_contract(
                    contract.table, contract.version, contract.required, contract.optional, contract.description
                )
            self._layouts[version] = layouts
        return self._layouts[version]


@dataclass
class TakenFile:
    """One file of a batch: where it lies, what it is, and what reading and recognising it gave.

    A file inside an archive is called `a.zip/b.csv`; its hash is that of the archive, whose bytes are kept.
    """

    index: int
    folder: Folder
    name: str
    sha256: str
    size: int
    kind: str = "table"
    layouts: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    reading: str = ""

    @property
    def place(self) -> tuple[str, int]:
        """The partition the file belongs to."""
        return self.folder.partition


@dataclass(frozen=True)
class Guard:
    """Leaves folders as they stood rather than take half of them: `left` says which, and because of which file.

    `tag` gives a file's version at this moment (None: gone), for a store in which files can change while they are read.
    """

    tag: Callable[[str], str | None] | None = None
    left: list[Left] = field(default_factory=list)


@dataclass(frozen=True)
class Taken:
    """The tables of one partition, ready to be written, and its submission id."""

    folder: Folder
    submission_id: str
    tables: dict[str, pl.DataFrame]
