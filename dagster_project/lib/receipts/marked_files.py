"""Which files of a folder go back to their member as marked copies, and under which names.

Belongs here: the findings that name a cell, the size up to which a copy is made, the copy's name.
Does not: making or writing a copy (marked_copy.py, returned.py), what a receipt says (receipts.py).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping

# A larger file is told in the receipt only: writing it as a workbook would take longer than all the rest.
LARGEST_RETURNED = 4 * 1024 * 1024
MARKED = ".marked.xlsx"
LONGEST_NAME = 240
"""Bytes of a marked copy's name: file systems take 255, and a store adds a few while it writes."""


def names_cell(finding: Mapping[str, object]) -> bool:
    """Whether the member has a cell to look at: a row that does not count, or an open question about one that does."""
    asked = finding["severity"] in ("error", "explainable") and finding["status"] == "open"
    return asked and finding["source_row"] is not None


def returned_names(files: Iterable[Mapping[str, object]], findings: Iterable[Mapping[str, object]]) -> dict[str, str]:
    """Files of which a marked copy is made, with its name. `files` have name, kind and size."""
    spoken_of = {finding["source_file"] for finding in findings if names_cell(finding)}
    small = [file for file in files if int(str(file["size"] or 0)) <= LARGEST_RETURNED]
    names = [str(file["name"]) for file in small if file["kind"] == "table" and file["name"] in spoken_of]
    return {name: marked_name(name) for name in names}


def marked_name(name: str) -> str:
    """`{name}.marked.xlsx`; of a name too long for that its beginning and a hash of the whole."""
    # A file inside an archive: its copy lies beside the others, in no folder of its own.
    flat = name.replace("/", " ")
    if len((flat + MARKED).encode()) <= LONGEST_NAME:
        return flat + MARKED
    tail = f"~{hashlib.sha256(name.encode()).hexdigest()[:8]}{MARKED}"
    return flat.encode()[: LONGEST_NAME - len(tail)].decode(errors="ignore") + tail
