"""Whom to write to: network/contacts.csv, which no release, mart or log ever holds.

Belongs here: reading the file, and what is wrong with it, without a word of what stands in it.
Does not: keep the file out of copies of reference data (`governed` of base/reference.py, which every copy asks).
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from dagster_project.lib.base.names import CONTACTS
from dagster_project.lib.base.reference import Reference
from dagster_project.lib.member.page.language import languages

COLUMNS = ("community_id", "role", "address", "language", "valid_from", "valid_to")
ADDRESS = re.compile(r"[^\s@,;<>\"()\[\]\\:\x00-\x1f\x7f]+@[^\s@,;<>\"()\[\]\\:\x00-\x1f\x7f]+")
LONGEST_ADDRESS = 254


class ContactError(ValueError):
    """The file cannot be used; the message names line and column, never an address."""


@dataclass(frozen=True)
class Contact:
    """One line: a community, the role of who reads there, the address (never shown), the language to write in."""

    community_id: str
    role: str
    address: str
    language: str


def read_contacts(reference: Reference, today: dt.date) -> list[Contact] | None:
    """The contacts of the network's communities that are valid today; None where there is no such file.

    ContactError for a line that cannot be used. Lines of communities outside the network are ignored; those of a
    community that was renamed may go on naming its former id. Sorted so that lines of one address follow each other,
    in whatever letters it is written.
    """
    path = reference.folder / f"{CONTACTS}.csv"
    communities = set(reference.communities["community_id"])
    if not path.is_file():
        return None
    try:
        text = path.read_bytes().decode("utf-8-sig")
        lines = csv.reader(io.StringIO(text, newline=""), strict=True)
        header, *rows = [(lines.line_num, [cell.strip() for cell in cells]) for cells in lines if cells] or [(1, [])]
    except (UnicodeDecodeError, csv.Error):
        raise ContactError(f"seeds/{CONTACTS}.csv is no CSV in UTF-8; save it as CSV UTF-8") from None
    missing = [name for name in COLUMNS if name not in header[1]]
    if missing:
        raise ContactError(f"seeds/{CONTACTS}.csv has no column {', '.join(missing)}; it needs {', '.join(COLUMNS)}")
    found = []
    for number, cells in rows:
        if len(cells) != len(header[1]):
            raise _fault(number, f"has {len(cells)} cells where the header has {len(header[1])}")
        row = dict(zip(header[1], cells, strict=True))
        row["community_id"] = reference.names.of(row["community_id"])
        if row["community_id"] in communities:
            for says in _faults(row):
                raise _fault(number, says)
            if _valid(row, today):
                found.append(Contact(row["community_id"], row["role"], row["address"], row["language"]))
    return sorted(found, key=lambda contact: (contact.address.lower(), contact.community_id, contact.role))


def _fault(number: int, says: str) -> ContactError:
    return ContactError(f"seeds/{CONTACTS}.csv, line {number}: {says}")


def _faults(row: Mapping[str, str]) -> Iterator[str]:
    if not ADDRESS.fullmatch(row["address"]) or len(row["address"]) > LONGEST_ADDRESS or not row["address"].isascii():
        yield "the column address holds no address such as data@example.org"
    if row["language"] and row["language"] not in languages():
        yield f"the column language holds none of {', '.join(languages())}"
    for name in ("valid_from", "valid_to"):
        try:
            dt.date.fromisoformat(row[name] or "2000-01-01")
        except ValueError:
            yield f"the column {name} holds no date such as 2024-06-30"


def _valid(row: Mapping[str, str], today: dt.date) -> bool:
    return (row["valid_from"] or "0000") <= today.isoformat() <= (row["valid_to"] or "9999")
