"""Receipts: what a member learns of its folder, written to the outbox.

Belongs here: the receipt's content as data, and writing receipt.json and receipt.html where they changed.
Does not: the page's looks (receipt_page.py), marking of workbooks (marked_copy.py), any rule.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import polars as pl

import contracts
from dagster_project.lib.base.shown import escaped_json
from dagster_project.lib.base.store import DeniedError, Store
from dagster_project.lib.intake.bucket.drop import SUBFOLDER_RULE, WRITTEN_RULE
from dagster_project.lib.intake.findings import FINDINGS
from dagster_project.lib.receipts.change_words import PENDING_CHANGES
from dagster_project.lib.receipts.first_line import LEFT_RULES, NOTHING_YET, WITHDRAWN, first_line, left_line, not_taken
from dagster_project.lib.receipts.marked_files import returned_names
from dagster_project.lib.receipts.outbox import receipt_folder
from dagster_project.lib.receipts.receipt_page import render_receipt

Receipt = dict[str, Any]
SEVERITY_ORDER = {"fatal": 0, "error": 1, "explainable": 2, "info": 3}
WRITERS = 4
FILE_FACTS = (
    *("name", "sha256", "layout", "rows_read", "rows_accepted", "rows_rejected", "rows_waiting"),
    *("kind", "reading"),
)
RECEIPT_TABLES = ("submissions", "files", "findings", "submission_states")
"""Landing tables that receipts are written from."""
Changes = Mapping[tuple[str, int, str | None], Mapping[str, Any]]
"""What submissions changed, by community, reporting year and submission id (publish/changes.py)."""


@dataclass
class Delivery:
    """What the outbox refused to take for one folder, while all others got theirs."""

    failed: dict[tuple[str, int], str] = field(default_factory=dict)

    def attempt(self, place: tuple[str, int], act: Callable[[], bool]) -> bool:
        """What `act` gives; false, with the reason kept, where the outbox refuses this folder."""
        try:
            return act()
        except DeniedError as error:
            self.failed[place] = str(error)
            return False


def build_receipt(
    submission: Mapping[str, Any],
    files: pl.DataFrame,
    findings: pl.DataFrame,
    replaced: str | None = None,
    changes: Mapping[str, Any] = PENDING_CHANGES,
) -> Receipt:
    """The receipt of one folder (DESIGN 3.6). `replaced` is the id of the state that this one replaced, if any.

    `changes` is what the submission changed, as far as a release was made from it.
    """
    # Rows of one folder are few: as Python objects they cost a tenth of four queries for each of hundreds of folders.
    listed = sorted(files.to_dicts(), key=lambda file: str(file["name"]))
    told = sorted(findings.select(list(FINDINGS)).to_dicts(), key=_order)
    copies = returned_names(listed, told)
    left = [finding for finding in told if finding["rule_id"] in LEFT_RULES]
    return {
        "community_id": submission["community_id"],
        "reporting_year": submission["reporting_year"],
        "submission_id": submission["submission_id"],
        "status": submission["status"],
        "first_line": left_line(submission, left) + first_line(submission, replaced, not_taken(listed, told)),
        "contract_version": submission["contract_version"],
        "files": [
            {**{name: file[name] for name in FILE_FACTS}, "marked_copy": copies.get(file["name"])} for file in listed
        ],
        "findings": told,
        "changes": dict(changes),
    }


def _order(finding: Mapping[str, Any]) -> tuple[Any, ...]:
    """Most serious first, then by place; what has no place comes before what has one."""
    place = [finding[name] for name in ("source_file", "source_sheet", "source_row", "source_column", "finding_id")]
    return SEVERITY_ORDER[finding["severity"]], *((part is not None, part or 0) for part in place)


def as_json(receipt: Receipt) -> bytes:
    """The receipt as written: UTF-8, two spaces of indent, keys in their order; no sign of it acts on a terminal."""
    return (escaped_json(json.dumps(receipt, ensure_ascii=False, indent=2, default=str)) + "\n").encode()


def write_receipts(
    outbox: Store,
    tables: Mapping[str, pl.DataFrame],
    communities: Iterable[str],
    changes: Changes | None = None,
    delivery: Delivery | None = None,
    again: Collection[tuple[str, int]] = (),
) -> list[Receipt]:
    """Write the receipts of all folders of the given communities that differ from what the outbox holds.

    Returns those written, and those of `again` in any case. What the outbox refuses for one folder stands in `delivery`
    afterwards (without it the first refusal raises DeniedError). The latest lies in the folder of the year, every
    state's own in a folder named by its submission id.
    """
    wanted = set(communities)
    submissions = tables["submissions"].filter(pl.col("community_id").is_in(list(wanted)))
    place = ["community_id", "reporting_year"]
    files = tables["files"].partition_by(place, as_dict=True)
    findings = tables["findings"].partition_by(place, as_dict=True)
    counted_before = tables["submission_states"].filter(~pl.col("is_current") & (pl.col("status") != "rejected"))
    replaced = {
        (row["community_id"], row["reporting_year"]): row["submission_id"]
        for row in counted_before.iter_rows(named=True)
    }
    none = tables["findings"].clear()
    told = changes or {}

    def write(submission: dict[str, Any]) -> Receipt | None:
        key = (submission["community_id"], submission["reporting_year"])
        effects = told.get((*key, submission["submission_id"]), PENDING_CHANGES)
        own = files.get(key, tables["files"].clear())
        receipt = build_receipt(submission, own, findings.get(key, none), replaced.get(key), effects)

        def put() -> bool:
            return put_receipt(outbox, receipt)

        written = delivery.attempt(key, put) if delivery else put()
        return receipt if written or key in again else None

    with ThreadPoolExecutor(WRITERS) as pool:
        written = pool.map(write, [*submissions.to_dicts(), *_nothing_yet(tables, wanted)])
        return [receipt for receipt in written if receipt is not None]


def _nothing_yet(tables: Mapping[str, pl.DataFrame], wanted: Collection[str]) -> list[dict[str, Any]]:
    """Folders without a submission of whose first files something is to be said, in the columns of `submissions`."""
    place = ["community_id", "reporting_year"]
    asked = pl.col("rule_id").is_in([WRITTEN_RULE, SUBFOLDER_RULE]) & pl.col("community_id").is_in(list(wanted))
    written = tables["findings"].filter(asked).select(place).unique(maintain_order=True)
    first = written.join(tables["submissions"].select(place), on=place, how="anti")
    return [_without_rows(community_id, year, NOTHING_YET) for community_id, year in first.iter_rows()]


def _without_rows(community_id: str, year: int, status: str) -> dict[str, Any]:
    """A folder of which nothing counts and that has no submission, in the columns of `submissions`."""
    zeros = dict.fromkeys(("rows_read", "rows_accepted", "rows_rejected", "rows_waiting", "findings_open"), 0)
    place = {"community_id": community_id, "reporting_year": year, "submission_id": None, "status": status}
    return {**zeros, **place, "contract_version": contracts.version_for(year)}


def write_withdrawn(
    outbox: Store,
    tables: Mapping[str, pl.DataFrame],
    changes: Changes | None = None,
    delivery: Delivery | None = None,
) -> None:
    """Say in the latest receipt of each folder that is gone that it is, and what that changed once a release was made.

    The receipts of its states stay below their ids.
    """
    place = ["community_id", "reporting_year"]
    states = tables["submission_states"].select(place).unique(maintain_order=True)
    gone = states.join(tables["submissions"].select(place), on=place, how="anti")
    for community_id, year in gone.iter_rows():
        submission = _without_rows(community_id, year, WITHDRAWN)
        effects = (changes or {}).get((community_id, year, None), PENDING_CHANGES)
        receipt = build_receipt(submission, tables["files"].clear(), tables["findings"].clear(), changes=effects)

        def put(receipt: Receipt = receipt) -> bool:
            return put_receipt(outbox, receipt)

        if delivery:
            delivery.attempt((community_id, year), put)
        else:
            put()


def remove_receipt(outbox: Store, place: tuple[str, int], delivery: Delivery | None = None) -> None:
    """Remove the latest receipt of one folder."""

    def remove() -> bool:
        outbox.delete(f"{receipt_folder(*place)}/receipt.{kind}" for kind in ("json", "html"))
        return True

    if delivery:
        delivery.attempt(place, remove)
    else:
        remove()


def complete_kept(outbox: Store, folders: Iterable[Mapping[str, Any]], changes: Changes) -> None:
    """Write what submissions changed into receipts that are kept under their ids and still say that it is not known.

    folders: `inputs` of a manifest. A receipt that the outbox does not hold any more stays away.
    """
    for row in folders:
        place = (row["community_id"], row["reporting_year"], row["submission_id"])
        key = f"{receipt_folder(*place[:2])}/{place[2]}/receipt"
        data = outbox.get_or_none(f"{key}.json") if place in changes else None
        if data is None:
            continue
        receipt = json.loads(data)
        if receipt["changes"] == PENDING_CHANGES:
            receipt["changes"] = dict(changes[place])
            outbox.put(f"{key}.html", render_receipt(receipt).encode())
            outbox.put(f"{key}.json", as_json(receipt))


def put_receipt(outbox: Store, receipt: Receipt) -> bool:
    """Write one receipt and its page unless the outbox holds the very same; true if it was written."""
    folder = receipt_folder(receipt["community_id"], receipt["reporting_year"])
    data = as_json(receipt)
    if outbox.get_or_none(f"{folder}/receipt.json") == data:
        return False
    # The copies lie beside the latest receipt and change with it: a state's own page has no link to them.
    own = {f"{folder}/{receipt['submission_id']}": False} if receipt["submission_id"] else {}
    for where, copies in {**own, folder: True}.items():
        outbox.put(f"{where}/receipt.html", render_receipt(receipt, copies).encode())
        outbox.put(f"{where}/receipt.json", data)
    return True
