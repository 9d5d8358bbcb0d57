"""A receipt's first line: what counted and what did not, in a few plain sentences.

Belongs here: the sentences, and which files, sheets and parts of a folder they name.
Does not: the receipt around them (receipts.py), what they are in other languages (lib/member/page/words).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dagster_project.lib.base.shown import some
from dagster_project.lib.intake.bucket.drop import (
    CLOSED_RULE,
    LINK_RULE,
    ODD_RULE,
    SUBFOLDER_RULE,
    UNREAD_RULE,
    WRITTEN_RULE,
)

SHOWN_FILES = 3
WITHDRAWN = "withdrawn"
"""Status of a folder whose last file was taken away."""
NOTHING_YET = "expected"
"""Status of a folder that is there and of which nothing was ever taken, since it is still being written."""
LEFT_RULES = (CLOSED_RULE, UNREAD_RULE, WRITTEN_RULE)
"""Rules that say that a folder was left as it stood before."""
NEVER_LISTED = (LINK_RULE, ODD_RULE)
"""Rules on files that no list of files has."""
SECOND_HEADER_RULE = "header_again_differs"
WHOLE = ("refused", "unreadable")
"""Kinds of files of which nothing was read."""


@dataclass(frozen=True)
class NotTaken:
    """What of an accepted folder was left out as a whole, by name; rows are counted elsewhere.

    `cut` are sheets or files of which the rows below a second header were not taken.
    """

    files: Sequence[str] = ()
    sheets: Sequence[str] = ()
    cut: Sequence[str] = ()
    folders: Sequence[str] = ()


def left_line(submission: Mapping[str, Any], left: Sequence[Mapping[str, Any]]) -> str:
    """The sentence that comes first where a folder was left as it stood; empty elsewhere."""
    if not left:
        return ""
    names = sorted({finding["source_file"] for finding in left if finding["source_file"] is not None})
    writing = all(finding["rule_id"] == WRITTEN_RULE for finding in left)
    what = "still being written" if writing else "could not be read"
    which = _shown(names)
    verb = "are " if what.startswith("still") and len(names) > 1 else "is " if what.startswith("still") else ""
    head = f"Not taken as it stands now: {which or 'the folder'} {verb}{what}. "
    return head + ("What was taken before counts: " if submission["submission_id"] else "")


def not_taken(files: Iterable[Mapping[str, Any]], findings: Iterable[Mapping[str, Any]]) -> NotTaken:
    """Files of which nothing could be read, sheets of others, what stands below a second header, folders within."""
    told = list(findings)
    fatal = {finding["source_file"] for finding in told if finding["severity"] == "fatal"}
    whole = {
        str(file["name"])
        for file in files
        if file["kind"] in WHOLE or (file["name"] in fatal and file["rows_read"] == 0)
    }
    parts = [finding for finding in told if finding["source_file"] not in whole]
    return NotTaken(
        files=sorted(whole | _names(parts, NEVER_LISTED)),
        sheets=sorted({_part(finding) for finding in parts if finding["severity"] == "fatal"}),
        cut=sorted({_part(finding) for finding in parts if finding["rule_id"] == SECOND_HEADER_RULE}),
        folders=sorted(_names(parts, (SUBFOLDER_RULE,))),
    )


def _names(findings: Iterable[Mapping[str, Any]], rules: Sequence[str]) -> set[str]:
    return {str(finding["source_file"]) for finding in findings if finding["rule_id"] in rules}


def _part(finding: Mapping[str, Any]) -> str:
    """A sheet and its file, or a file that has none."""
    sheet, file = finding["source_sheet"], str(finding["source_file"])
    return f"{sheet} ({file})" if sheet else file


def first_line(submission: Mapping[str, Any], replaced: str | None, left_out: NotTaken | None = None) -> str:
    """What happened, in a few plain sentences; `left_out` is said of an accepted folder."""
    read, accepted = submission["rows_read"], submission["rows_accepted"]
    if submission["status"] == WITHDRAWN:
        return "Withdrawn: the folder holds no file any more, so nothing of it counts. What counted before is gone."
    if submission["status"] == NOTHING_YET:
        return "Nothing of this folder was taken yet."
    if submission["status"] == "rejected":
        none = f"none of the {read:,} rows could be taken" if read else "no row could be read"
        line = f"Rejected: {none}, so nothing of this folder counts."
        gone = " The rows that counted before are gone, because the folder as it stands now is the submission."
        return line + (gone if replaced else "")
    waiting = submission["rows_waiting"]
    parts = [f"Accepted: {accepted:,} of {read:,} rows."]
    rejected, questions = submission["rows_rejected"], submission["findings_open"]
    if rejected:
        parts.append(
            "1 row was refused and does not count."
            if rejected == 1
            else f"{rejected:,} rows were refused and do not count."
        )
    parts += _left_out(left_out or NotTaken(), bool(replaced))
    if waiting:
        parts.append(
            "1 row waits until a label is known." if waiting == 1 else f"{waiting:,} rows wait until a label is known."
        )
    if questions:
        parts.append("1 question is open." if questions == 1 else f"{questions:,} questions are open.")
    return " ".join(parts)


def _left_out(left_out: NotTaken, replaced: bool) -> list[str]:
    said = []
    if names := left_out.files:
        line = f"{'1 file' if len(names) == 1 else f'{len(names):,} files'} could not be taken: {_shown(names)}."
        gone = "Rows that a file of the same name held before are gone."
        said.append(f"{line} {gone}" if replaced else line)
    if names := left_out.sheets:
        many = "1 sheet" if len(names) == 1 else f"{len(names):,} sheets"
        said.append(f"{many} could not be taken: {_shown(names)}.")
    if names := left_out.cut:
        said.append(f"Rows below a second header could not be taken: {_shown(names)}.")
    if names := left_out.folders:
        many = "1 folder" if len(names) == 1 else f"{len(names):,} folders"
        said.append(f"{many} in it could not be taken: {_shown(names)}.")
    return said


def _shown(names: Sequence[str]) -> str:
    return some(names, SHOWN_FILES)
