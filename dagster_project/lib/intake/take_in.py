"""Intake of a set of folders: from bytes to written partitions, many files in one pass.

Belongs here: cutting folders into batches, the order of the steps over one, its tables cut into partitions.
Does not: the steps (recognising.py, checking.py), which folders to take (plan.py), any single rule, receipts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

import polars as pl

import contracts
from dagster_project.lib.base import engine
from dagster_project.lib.base.store import Source
from dagster_project.lib.intake.batch import Guard, Intake, Keep, Taken, TakenFile
from dagster_project.lib.intake.bucket.drop import (
    Folder,
    dropped_name,
)
from dagster_project.lib.intake.checking import (
    beside_issues,
    check_all,
    extracted_places,
    file_issues,
    of_rows_that_count,
    tell_left_out,
)
from dagster_project.lib.intake.findings import to_findings
from dagster_project.lib.intake.layouts.extraction import extract
from dagster_project.lib.intake.layouts.own_columns import own_columns
from dagster_project.lib.intake.reading.files import WorkbookReader
from dagster_project.lib.intake.recognising import read_all, still_there
from dagster_project.lib.intake.tables import FILES

BATCH_BYTES = 64 * 1024 * 1024


BATCH_FOLDERS = 250


Progress = Callable[[int, int], None]


def batches(folders: Sequence[Folder]) -> Iterator[list[Folder]]:
    """Cut folders into batches bounded by bytes and number, in their order."""
    batch: list[Folder] = []
    size = 0
    for folder in folders:
        weight = sum(file.size for file in folder.files)
        if batch and (size + weight > BATCH_BYTES or len(batch) >= BATCH_FOLDERS):
            yield batch
            batch, size = [], 0
        batch.append(folder)
        size += weight
    if batch:
        yield batch


def take_in(
    intake: Intake,
    folders: Sequence[Folder],
    source: Source,
    keep: Keep | None,
    workbooks: WorkbookReader,
    guard: Guard | None = None,
) -> list[Taken]:
    """Take one batch of folders. `source` gives the objects, `keep` stores raw bytes by their key.

    Files that look person-level are not kept: their bytes go no further than this function. Of a file that is larger
    than its limit no more than the limit is held: it is hashed and kept piece by piece. All folders must take the same
    contract version (see `by_version`). A file that is gone since the listing is no longer part of its folder; a folder
    without any file left is not taken. With a `guard` a folder with a file that cannot be read, or changed since the
    listing, is left; without one the first such file raises DeniedError.
    """
    version = contracts.version_for(folders[0].reporting_year)
    layouts = intake.layouts(version)
    files, matches = read_all(intake, folders, source, keep, workbooks, layouts, guard)
    folders = still_there(folders, files)
    named: dict[tuple[str, int], dict[str, str]] = {}
    for file in files:
        named.setdefault(file.place, {})[dropped_name(file.name)] = file.sha256
    ids = {folder.partition: folder.id_of(named.get(folder.partition, {}).items()) for folder in folders}
    with engine.memory(threads=1, closed_in=True) as connection:
        extraction = extract(matches, connection, {file.index: file.place for file in files})
    tell_left_out(files, extraction.counts)
    for index, told in extraction.problems:
        files[index].problems.append(told)
    rows, registers, issues = check_all(intake, version, files, ids, extraction.frames, own_columns(matches))
    places = extracted_places(extraction.frames)
    located = pl.concat([issues, file_issues(files, ids, places), beside_issues(folders, ids)], how="diagonal")
    located = of_rows_that_count(located, rows, registers)
    return _split(folders, files, ids, version, rows, registers, to_findings(located, intake.reference.names))


def by_version(folders: Iterable[Folder]) -> dict[int, list[Folder]]:
    """Folders by the contract version their reporting year takes."""
    grouped: dict[int, list[Folder]] = {}
    for folder in folders:
        grouped.setdefault(contracts.version_for(folder.reporting_year), []).append(folder)
    return grouped


def _split(
    folders: Sequence[Folder],
    files: list[TakenFile],
    ids: dict[tuple[str, int], str],
    version: int,
    rows: pl.DataFrame,
    registers: pl.DataFrame,
    findings: pl.DataFrame,
) -> list[Taken]:
    """Cut the batch's tables into partitions."""
    tallies = _tallies(rows, registers)
    file_rows = [_file_row(file, ids[file.place], version, tallies) for file in files]
    tables = {
        "observations": rows,
        "findings": findings,
        "files": pl.DataFrame(file_rows, schema=FILES, orient="row"),
    }
    parts = {
        name: frame.partition_by("community_id", "reporting_year", as_dict=True, maintain_order=True)
        for name, frame in tables.items()
    }
    by_submission = registers.partition_by("submission_id", as_dict=True, maintain_order=True)
    taken = []
    for folder in folders:
        own = {name: part[folder.partition] for name, part in parts.items() if folder.partition in part}
        register_rows = by_submission.get((ids[folder.partition],))
        if register_rows is not None:
            own["register_rows"] = register_rows
        taken.append(Taken(folder, ids[folder.partition], own))
    return taken


def _tallies(rows: pl.DataFrame, registers: pl.DataFrame) -> dict[tuple[str, str, str], int]:
    """Rows by submission, file and row status."""
    keys = ["submission_id", "source_file", "row_status"]
    counted = pl.concat([rows.select(keys), registers.select(keys)]).group_by(keys).len()
    return {(s, f, status): n for s, f, status, n in counted.iter_rows()}


def _file_row(
    file: TakenFile, submission: str, version: int, tallies: dict[tuple[str, str, str], int]
) -> tuple[object, ...]:
    def count(status: str) -> int:
        return tallies.get((submission, file.name, status), 0)

    accepted = count("accepted") + count("waiting") + count("duplicate")
    rejected = count("rejected")
    layout = ", ".join(dict.fromkeys(file.layouts)) or None
    return (
        *file.place,
        submission,
        file.name,
        file.sha256,
        file.size,
        layout,
        file.kind,
        accepted + rejected,
        accepted,
        rejected,
        count("waiting"),
        version,
        file.reading or None,
    )
