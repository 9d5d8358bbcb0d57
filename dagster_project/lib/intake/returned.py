"""The member's own files back, with the cells marked that a receipt speaks of.

Belongs here: which files are returned, reading their kept bytes again, writing the marked copies to the outbox.
Does not: the marking itself (marked_copy.py), receipts (receipts.py), or any rule.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import PurePosixPath

from dagster_project.lib.intake.archive import member
from dagster_project.lib.intake.lake import raw_key
from dagster_project.lib.intake.marked_copy import marked_copy
from dagster_project.lib.intake.reading import WorkbookReader, largest_bytes, read_file
from dagster_project.lib.intake.receipts import Receipt, receipt_folder
from dagster_project.lib.intake.take_in import Intake
from dagster_project.lib.store import Store

# A larger file is told in the receipt only: writing it as a workbook would take longer than all the rest.
LARGEST_RETURNED = 4 * 1024 * 1024
WAITING_RULES = "unmapped_"


def _keeps_rows_out(finding: Mapping[str, object]) -> bool:
    """Whether rows do not count because of the finding: refused ones, and those that wait for a label."""
    asked = finding["severity"] == "error" or str(finding["rule_id"]).startswith(WAITING_RULES)
    return asked and finding["status"] == "open" and finding["source_row"] is not None


def files_to_return(receipt: Receipt) -> list[dict[str, object]]:
    """Files with rows that do not count. Questions about values that count stand in the receipt alone."""
    names = {finding["source_file"] for finding in receipt["findings"] if _keeps_rows_out(finding)}
    return [file for file in receipt["files"] if file["name"] in names and file["kind"] == "table"]


def return_files(outbox: Store, lake: Store, intake: Intake, receipts: Iterable[Receipt]) -> list[str]:
    """Write a marked copy `{name}.marked.xlsx` beside each receipt for every file with rows that do not count.

    Returns the keys written. Copies of an earlier state that no longer apply are removed. The kept bytes are read
    again, so that this costs nothing where nothing is asked.
    """
    written: list[str] = []
    with WorkbookReader(intake.limits) as workbooks:
        for receipt in receipts:
            folder = receipt_folder(receipt["community_id"], receipt["reporting_year"])
            keys = []
            for file in files_to_return(receipt):
                copy = _copy(lake, intake, receipt, file, workbooks)
                if copy is not None:
                    # A file inside an archive: its copy lies beside the others, in no folder of its own.
                    key = f"{folder}/{str(file['name']).replace('/', ' ')}.marked.xlsx"
                    outbox.put(key, copy)
                    keys.append(key)
            _remove_others(outbox, folder, keys)
            written += keys
    return written


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
    stale = [info.key for info in outbox.files(folder) if info.key.endswith(".marked.xlsx") and info.key not in keys]
    outbox.delete(stale)
