"""What is kept beside raw bytes and ledger so that a release can be made again, also after its data were pruned.

Belongs here: seeds as they were, and the few rows that no bytes give back: of refused files, links, the bucket itself.
Does not: making a release again (rebuild.py), or anything that a figure is made from in a run.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from dagster_project.lib.base.reference import governed
from dagster_project.lib.base.store import Store
from dagster_project.lib.intake.bucket.drop import LINK_RULE, ODD_RULE, SPECIAL_RULE
from dagster_project.lib.intake.findings import FINDINGS
from dagster_project.lib.intake.tables import FILES

PREFIX = "kept"
REFUSED_KIND = "refused"
BESIDE = (LINK_RULE, ODD_RULE, SPECIAL_RULE)
"""Rules that speak of what lay in a folder and was never read, so that no raw bytes of it are kept."""
SEED_FILES = pl.Schema({"path": pl.String(), "content": pl.Binary()})
FILE = ["community_id", "reporting_year", "source_file"]


@dataclass(frozen=True)
class KeptInputs:
    """Seeds by file (SEED_FILES), findings of the bucket itself, rows and findings of files that are not kept."""

    seed_files: pl.DataFrame
    bucket_findings: pl.DataFrame
    refused_files: pl.DataFrame
    unread_findings: pl.DataFrame

    def tables(self) -> dict[str, pl.DataFrame]:
        """Each part by its name."""
        return dict(vars(self))

    def seeds(self) -> dict[str, bytes]:
        """The files of reference data by path."""
        return dict(self.seed_files.iter_rows())


SCHEMAS = {
    "seed_files": SEED_FILES,
    "bucket_findings": FINDINGS,
    "refused_files": FILES,
    "unread_findings": FINDINGS,
}


def kept_inputs(seeds: Path, landed: Mapping[str, pl.DataFrame], bucket_findings: pl.DataFrame) -> KeptInputs:
    """What is to be kept of a run. `landed`: landing tables `files` and `findings`."""
    rows = [(path.relative_to(seeds).as_posix(), path.read_bytes()) for path in governed(seeds, ".yml")]
    files = landed["files"].select(list(FILES))
    refused = files.filter(pl.col("kind") == REFUSED_KIND)
    findings = landed["findings"].select(list(FINDINGS)).join(bucket_findings, on="finding_id", how="anti")
    of_refused = findings.join(refused.rename({"name": "source_file"}), on=FILE, how="semi")
    beside = findings.filter(pl.col("rule_id").is_in(BESIDE)).join(
        files.rename({"name": "source_file"}), on=FILE, how="anti"
    )
    unread = pl.concat([of_refused, beside]).sort(*FILE, "finding_id")
    return KeptInputs(pl.DataFrame(rows, schema=SEED_FILES, orient="row"), bucket_findings, refused, unread)


def keep(lake: Store, release_id: str, inputs: KeptInputs) -> None:
    """Keep what a release was made from beside raw bytes; what was kept before stays."""
    for name, table in inputs.tables().items():
        buffer = io.BytesIO()
        table.write_parquet(buffer, compression="zstd")
        lake.create(_key(release_id, name), buffer.getvalue())


def read_kept(lake: Store, release_id: str) -> KeptInputs | None:
    """What is kept of a release; None for one that was made before this was kept, or whose run died just then."""
    found = {name: lake.get_or_none(_key(release_id, name)) for name in SCHEMAS}
    if any(data is None for data in found.values()):
        return None
    return KeptInputs(**{name: pl.read_parquet(io.BytesIO(data)) for name, data in found.items() if data is not None})


def forget_kept(lake: Store, release_id: str) -> None:
    """Delete what is kept of a release: findings in it quote the files that it was made from."""
    lake.delete(_key(release_id, name) for name in SCHEMAS)


def kept_seeds(lake: Store, release_id: str) -> dict[str, bytes] | None:
    """The files of reference data that a release was made with, by path; None where they are not kept."""
    data = lake.get_or_none(_key(release_id, "seed_files"))
    return None if data is None else dict(pl.read_parquet(io.BytesIO(data)).iter_rows())


def _key(release_id: str, name: str) -> str:
    return f"{PREFIX}/{release_id}/{name}.parquet"
