"""The member's own files back, with the cells marked that a receipt speaks of.

Belongs here: which files are returned, reading their kept bytes again, writing the marked copies to the outbox.
Does not: the marking itself (marked_copy.py), receipts (receipts.py), or any rule.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import PurePosixPath

from dagster_project.lib.base.store import Store
from dagster_project.lib.intake.batch import Intake
from dagster_project.lib.intake.bucket.lake import raw_key
from dagster_project.lib.intake.reading.archive import member
from dagster_project.lib.intake.reading.files import WorkbookReader, largest_bytes, read_file
from dagster_project.lib.receipts.marked_copy import marked_copy
from dagster_project.lib.receipts.receipts import Delivery, Receipt, receipt_folder

# A larger file is told in the receipt only: writing it as a workbook would take longer than all the rest.
LARGEST_RETURNED = 4 * 1024 * 1024
MARKED = ".marked.xlsx"
LONGEST_NAME = 240
"""Bytes of a marked copy's name: file systems take 255, and a store adds a few while it writes."""
WAITING_RULES = "unmapped_"


def _keeps_rows_out(finding: Mapping[str, object]) -> bool:
    """Whether rows do not count because of the finding: refused ones, and those that wait for a label."""
    asked = finding["severity"] == "error" or str(finding["rule_id"]).startswith(WAITING_RULES)
    return asked and finding["status"] == "open" and finding["source_row"] is not None


def files_to_return(receipt: Receipt) -> list[dict[str, object]]:
    """Files with rows that do not count. Questions about values that count stand in the receipt alone."""
    names = {finding["source_file"] for finding in receipt["findings"] if _keeps_rows_out(finding)}
    return [file for file in receipt["files"] if file["name"] in names and file["kind"] == "table"]


def marked_name(name: str) -> str:
    """`{name}.marked.xlsx`; of a name too long for that its beginning and a hash of the whole."""
    if len((name + MARKED).encode()) <= LONGEST_NAME:
        return name + MARKED
    tail = f"~{hashlib.sha256(name.encode()).hexdigest()[:8]}{MARKED}"
    return name.encode()[: LONGEST_NAME - len(tail)].decode(errors="ignore") + tail


def return_files(
    outbox: Store, lake: Store, intake: Intake, receipts: Iterable[Receipt], delivery: Delivery | None = None
) -> list[str]:
    """Write a marked copy beside each receipt for every file with rows that do not count (`marked_name`).

    Returns the keys written. What the outbox refuses for one folder stands in `delivery` afterwards. Copies
    of an earlier state that no longer apply are removed. The kept bytes are read again, so that this costs nothing
    where nothing is asked.
    """
    written: list[str] = []
    with WorkbookReader(intake.limits) as workbooks:
        for receipt in receipts:

            def give_back(receipt: Receipt = receipt) -> bool:
                written.extend(_return_folder(outbox, lake, intake, receipt, workbooks))
                return True

            if delivery:
                delivery.attempt((receipt["community_id"], receipt["reporting_year"]), give_back)
            else:
                give_back()
    return written


def _return_folder(
    outbox: Store, lake: Store, intake: Intake, receipt: Receipt, workbooks: WorkbookReader
) -> list[str]:
    folder = receipt_folder(receipt["community_id"], receipt["reporting_year"])
    keys = []
    for file in files_to_return(receipt):
        copy = _copy(lake, intake, receipt, file, workbooks)
        if copy is not None:
            # A file inside an archive: its copy lies beside the others, in no folder of its own.
            key = f"{folder}/{marked_name(str(file['name']).replace('/', ' '))}"
            outbox.put(key, copy)
            keys.append(key)
    _remove_others(outbox, folder, keys)
    return keys


def _copy(
    lake: Store, intake: Intake, receipt: Receipt, file: dict[str, object], workbooks: WorkbookReader
) -> bytes | None:
    key = raw_key(str(file["sha256"]))
    size = lake.size(key)
    if size is None or size > LARGEST_RETURNED:
        return None
    data = lake.get(key)
    name = str(file["name"])
    data = member(name, data, intake.limits, largest_bytes) or b""
    encoding = intake.encodings.get(receipt["community_id"])
    read = read_file(name, data, encoding, intake.limits, workbooks)
    findings = [finding for finding in receipt["findings"] if finding["source_file"] == name]
    return marked_copy(PurePosixPath(name).name, [(grid.sheet, grid.rows) for grid in read.sheets], findings)


def _remove_others(outbox: Store, folder: str, keys: Sequence[str]) -> None:
    stale = [info.key for info in outbox.files(folder) if info.key.endswith(MARKED) and info.key not in keys]
    outbox.delete(stale)
