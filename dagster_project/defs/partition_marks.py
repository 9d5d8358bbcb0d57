"""What Dagster keeps of one partition: as intake took it, and after the build as its receipt says.

Belongs here: the metadata of a community-year's materialization, which the UI shows and plots.
Does not: writing receipts (lib/receipts), gathering marks in batches (instance/marks.py), when they are made.
"""

from collections import Counter
from collections.abc import Iterable
from typing import Any

import dagster as dg
import polars as pl

from dagster_project.defs.checks import SUBMISSIONS, shown_table
from dagster_project.instance.marks import DATA_VERSION, Marks
from dagster_project.lib.intake.session import TakenPartition
from dagster_project.lib.receipts.outbox import receipt_folder
from dagster_project.lib.receipts.receipts import SEVERITY_ORDER, Receipt
from dagster_project.partitions import SUBMISSION_PARTITIONS, partition_key

WITHDRAWN = "withdrawn"
FINDINGS_SHOWN = 5
DIGITS = 4
"""Digits behind the point of a share: the UI prints every digit there is."""
REFUSED_KIND = "refused"
SHOWN_COLUMNS = {"severity": "severity", "rule_id": "rule", "status": "status", "source_file": "file",
                 "source_row": "row", "message": "message"}  # fmt: skip


def materialization(item: TakenPartition, key: dg.MultiPartitionKey, outbox_url: str) -> dg.AssetMaterialization:
    """A partition as intake took it: its data version is the submission id. Questions of comparisons come later."""
    return dg.AssetMaterialization(
        SUBMISSIONS,
        partition=key,
        metadata={
            "status": item.status,
            **_counts(item.submission_id, item.n_files, item.rows_read, item.rows_accepted, item.rows_rejected),
            "findings": item.findings,
            "contract_version": item.contract_version or 0,
            "receipt": receipt_path(outbox_url, item.community_id, item.reporting_year),
        },
        tags={DATA_VERSION: item.submission_id or WITHDRAWN},
    )


def mark_receipts(context: dg.OpExecutionContext, receipts: Iterable[Receipt], outbox_url: str) -> None:
    """Mark the partition of every receipt of a submission that stands, with what the receipt says."""
    known = set(SUBMISSION_PARTITIONS.get_partition_keys())
    with Marks(context) as marks:
        for receipt in receipts:
            key = partition_key(receipt["community_id"], receipt["reporting_year"])
            if receipt["submission_id"] is not None and key in known:
                marks.add(receipt_materialization(receipt, key, outbox_url))


def receipt_materialization(receipt: Receipt, key: dg.MultiPartitionKey, outbox_url: str) -> dg.AssetMaterialization:
    """The same partition as its receipt says: status, findings by severity, the first of them, where it lies."""
    files, findings = receipt["files"], receipt["findings"]
    rows = [sum(file[name] for file in files) for name in ("rows_read", "rows_accepted", "rows_rejected")]
    severities = Counter(finding["severity"] for finding in findings)
    still_open = Counter(finding["severity"] for finding in findings if finding["status"] == "open")
    return dg.AssetMaterialization(
        SUBMISSIONS,
        description=receipt["first_line"],
        partition=key,
        metadata={
            "status": receipt["status"],
            **_counts(receipt["submission_id"], len(files), *rows),
            "findings": len(findings),
            **{f"findings_{severity}": severities[severity] for severity in SEVERITY_ORDER},
            "questions_open": still_open["explainable"],
            "contract_version": receipt["contract_version"],
            "receipt": receipt_path(outbox_url, receipt["community_id"], receipt["reporting_year"]),
            **shown_table("first_findings", first_findings(receipt)),
        },
        tags={DATA_VERSION: receipt["submission_id"]},
    )


def first_findings(receipt: Receipt) -> pl.DataFrame:
    """The first findings in the receipt's order, the gravest first; of a refused file no word that stands in it."""
    refused = {file["name"] for file in receipt["files"] if file["kind"] == REFUSED_KIND}
    rows = []
    for finding in receipt["findings"][:FINDINGS_SHOWN]:
        row = {shown: finding[name] for name, shown in SHOWN_COLUMNS.items()}
        if finding["source_file"] in refused:
            row |= {"row": None, "message": "see the receipt"}
        rows.append(row)
    kinds = {shown: pl.Int64() if shown == "row" else pl.String() for shown in SHOWN_COLUMNS.values()}
    return pl.DataFrame(rows, schema=kinds, orient="row")


def receipt_path(outbox_url: str, community_id: str, year: int) -> dg.MetadataValue[Any]:
    """Where the receipt's page lies: a path of this machine, or an address of the outbox's bucket."""
    return dg.MetadataValue.path(f"{outbox_url}/{receipt_folder(community_id, year)}/receipt.html")


def _counts(submission_id: str | None, n_files: int, read: int, accepted: int, rejected: int) -> dict[str, Any]:
    return {
        "submission_id": submission_id or "none",
        "files": n_files,
        "rows_read": read,
        "rows_accepted": accepted,
        "rows_rejected": rejected,
        "rejected_share": round(rejected / read, DIGITS) if read else 0.0,
    }
