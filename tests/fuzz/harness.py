"""Mutated files through the intake that a run uses, and what must hold of each.

Belongs here: batches of files, one folder each, taken in by take_in; what a bad end is; trying files one by one.
Does not: the mutations (mutations.py), the command line (__main__.py).
"""

from __future__ import annotations

import random
import resource
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from dagster_project.lib.base.reference import Reference
from dagster_project.lib.base.ruleset import read_ruleset
from dagster_project.lib.base.store import Given
from dagster_project.lib.intake.batch import Intake, Taken
from dagster_project.lib.intake.bucket.drop import DroppedFile, Folder
from dagster_project.lib.intake.bucket.lake import raw_key
from dagster_project.lib.intake.comparing.comparisons import compare_submissions
from dagster_project.lib.intake.findings import catalogue, to_findings
from dagster_project.lib.intake.reading.files import WorkbookReader
from dagster_project.lib.intake.reading.limits import Limits
from dagster_project.lib.intake.take_in import take_in
from tests.fuzz.mutations import File, mutated

SEEDS = Path(__file__).resolve().parents[2] / "seeds"
YEAR = 2024
BATCH = 50
SLOWEST_SECONDS = 20.0
"""A file that takes longer hangs: whole ones take milliseconds. Machines under load are why it is not shorter."""
LARGEST_BYTES = 3 * 1024**3
"""Bound of this process: interpreter and libraries take most of what it uses."""


@dataclass(frozen=True)
class BadEnd:
    """A file that did not end in findings: its number, the file, and what happened."""

    number: int
    file: File
    what: str


@dataclass
class Tally:
    """How files ended."""

    files: int = 0
    accepted: int = 0
    with_findings: int = 0
    slowest: float = 0.0
    children: int = 0
    peak_child_bytes: int = 0
    look: Callable[[File, Taken], None] | None = None
    """What is to see every file that ended well, and what was made of it."""

    @property
    def peak_bytes(self) -> int:
        """The most memory this process held."""
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


class CountingReader(WorkbookReader):
    """The shared reading process, its starts counted."""

    starts = 0
    last: int | None = None

    def _running(self):  # type: ignore[no-untyped-def]  # as the method it counts
        child = super()._running()
        if child.pid != self.last:
            self.last, self.starts = child.pid, self.starts + 1
        return child

    def child_bytes(self) -> int:
        """The most memory that the running child held so far; 0 where the system does not tell."""
        status = Path(f"/proc/{self.last}/status")
        if self.last is None or not status.is_file():
            return 0
        peaks = [line for line in status.read_text(encoding="ascii").splitlines() if line.startswith("VmHWM")]
        return int(peaks[0].split()[1]) * 1024 if peaks else 0


def files(seed: int, numbers: range) -> Iterator[tuple[int, File]]:
    """Mutated files by number: each depends on the seed and its own number only."""
    for number in numbers:
        yield number, mutated(random.Random(f"{seed}-{number}"))


def run(seed: int, count: int, tally: Tally, limits: Limits | None = None) -> Iterator[BadEnd]:
    """Take in so many files; yields those that did not end as they should."""
    limits = limits or Limits()
    intake = Intake(Reference(SEEDS), limits)
    reader = CountingReader(limits)
    with reader:
        for start in range(0, count, BATCH):
            batch = list(files(seed, range(start, min(start + BATCH, count))))
            yield from _batch(intake, batch, reader, tally)
            tally.peak_child_bytes = max(tally.peak_child_bytes, reader.child_bytes())
        tally.children = reader.starts


def _batch(intake: Intake, batch: Sequence[tuple[int, File]], reader: WorkbookReader, tally: Tally) -> Iterator[BadEnd]:
    began = time.monotonic()
    try:
        items, kept = taken(intake, [file for _, file in batch], reader)
    except Exception:  # noqa: BLE001  (the very thing that is looked for)
        if len(batch) > 1:
            for one in batch:
                yield from _batch(intake, [one], reader, tally)
            return
        yield BadEnd(*batch[0], traceback.format_exc())
        return
    seconds = time.monotonic() - began
    if seconds > SLOWEST_SECONDS:
        if len(batch) > 1:
            for one in batch:
                yield from _batch(intake, [one], reader, tally)
            return
        yield BadEnd(*batch[0], f"took {seconds:.1f} seconds")
    tally.slowest = max(tally.slowest, seconds)
    for (number, file), item in zip(batch, items, strict=True):
        what = _what_is_wrong(item, kept)
        if what:
            yield BadEnd(number, file, what)
        tally.files += 1
        tally.accepted += int(item.tables["files"]["rows_accepted"].sum() > 0)
        tally.with_findings += int("findings" in item.tables)
        if tally.look is not None:
            tally.look(file, item)
    if tally.peak_bytes > LARGEST_BYTES:
        yield BadEnd(*batch[-1], f"the process grew to {tally.peak_bytes:,} bytes")


def taken(intake: Intake, batch: Sequence[File], reader: WorkbookReader) -> tuple[list[Taken], set[str]]:
    """Each file in a folder of its own, as a run would take them; then all comparisons over what they hold."""
    content: dict[str, bytes] = {}
    folders = []
    communities = intake.reference.communities["community_id"].to_list()
    for community, (name, data) in zip(communities, batch, strict=False):
        key = f"{community}/{YEAR}/{name}"
        content[key] = data
        folders.append(Folder(community, YEAR, (DroppedFile(name, key, len(data), "tag"),)))
    kept: set[str] = set()
    items = take_in(intake, folders, Given(content.__getitem__), lambda key, _: kept.add(key), reader)
    observations = [item.tables["observations"] for item in items if "observations" in item.tables]
    if observations:
        parameters = read_ruleset(intake.reference, ("toa-default", "1.0.0")).comparison
        to_findings(compare_submissions(pl.concat(observations), intake.reference, parameters))
    return items, kept


def _what_is_wrong(item: Taken, kept: set[str]) -> str | None:
    """A claim that does not hold of what was made of a file, or None."""
    listed = item.tables["files"].row(0, named=True)
    findings = item.tables.get("findings")
    rules = set(findings["rule_id"]) if findings is not None else set()
    if not rules and not listed["rows_read"]:
        return "nothing was read and nothing was told"
    if rules - set(catalogue().rules["rule_id"]):
        return f"rules without a line in the catalogue: {rules}"
    if findings is not None and findings["message"].null_count():
        return "a finding without a message"
    if listed["rows_rejected"] and not rules:
        return "rows were rejected and nothing was told"
    if (raw_key(listed["sha256"]) in kept) == (listed["kind"] == "refused"):
        return "bytes are kept if and only if they were not refused as person-level"
    return None
