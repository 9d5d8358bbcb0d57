"""Landing: the lake's partitions gathered into one sorted Parquet file a table, which dbt reads.

Belongs here: gathering, answering findings, the state of submissions, the run's context, writing the files.
Does not: SQL, receipts' looks, or anything that changes the lake.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl

import contracts
from dagster_project.lib.base.names import NETWORK_FOLDER
from dagster_project.lib.base.reference import Reference
from dagster_project.lib.base.ruleset import RulesetKey, read_ruleset
from dagster_project.lib.base.store import Store
from dagster_project.lib.intake.answers import answered, submissions
from dagster_project.lib.intake.bucket.lake import read_partitions
from dagster_project.lib.intake.bucket.ledger import Ledger, current_submissions, submission_states
from dagster_project.lib.intake.comparing.comparisons import compare_submissions
from dagster_project.lib.intake.findings import FINDINGS, to_findings
from dagster_project.lib.intake.rows.registers import unfold, waiting_rows
from dagster_project.lib.intake.tables import TABLES


@dataclass(frozen=True)
class Landed:
    """All landing tables by name."""

    tables: Mapping[str, pl.DataFrame]

    def __getitem__(self, name: str) -> pl.DataFrame:
        return self.tables[name]


def gather(lake: Store, reference: Reference, today: dt.date, strays: pl.DataFrame, ruleset: RulesetKey) -> Landed:
    """Read every current partition of the network's communities and make all landing tables.

    `strays` are findings of the bucket itself. Rows are sorted, so that the order of arrival leaves no trace.
    """
    events = Ledger(lake).events()
    known = [*reference.communities["community_id"], NETWORK_FOLDER]
    years = reference.reporting_years(today)
    current = (
        current_submissions(events)
        .filter(pl.col("community_id").is_in(known) & pl.col("reporting_year").is_between(years.start, years.stop - 1))
        .sort("community_id", "reporting_year")
    )
    partitions = list(current.select("community_id", "reporting_year").iter_rows())
    raw = {table: read_partitions(lake, table, partitions) for table in TABLES}
    return landing_of(raw, events, reference, today, strays, ruleset)


def landing_of(
    raw: Mapping[str, pl.DataFrame],
    events: pl.DataFrame,
    reference: Reference,
    today: dt.date,
    strays: pl.DataFrame,
    ruleset: RulesetKey,
) -> Landed:
    """All landing tables from the rows of some partitions (`raw`: intake.lake.TABLES) and the ledger's events."""
    registers = _registers(raw["register_rows"])
    thresholds = read_ruleset(reference, ruleset).comparison
    compared = to_findings(compare_submissions(raw["observations"], reference, thresholds))
    findings = answered(_all_findings(raw["findings"], compared, strays), registers["explanations"])
    own_files = raw["files"].filter(pl.col("community_id") != NETWORK_FOLDER)
    states = submission_states(events).filter(
        pl.col("community_id").is_in(reference.communities["community_id"].to_list())
    )
    tables: dict[str, pl.DataFrame] = {
        "observations": raw["observations"],
        "files": raw["files"].sort("community_id", "reporting_year", "name"),
        "findings": findings.sort("finding_id", "reporting_year", "source_file", nulls_last=True),
        "submissions": submissions(
            own_files, findings, raw["observations"], registers["indicator_selection"], reference
        ),
        "waiting_register_rows": waiting_rows(raw["register_rows"]),
        "submission_states": states,
        "run_context": run_context(today, reference.reporting_years(today), ruleset),
    }
    tables |= {f"register_{name}": frame for name, frame in registers.items()}
    return Landed(tables)


def _all_findings(*parts: pl.DataFrame) -> pl.DataFrame:
    """Findings of rows and files, of comparisons between submissions, and of the bucket itself."""
    return pl.concat([part.select(list(FINDINGS)) for part in parts])


def _registers(rows: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """Accepted register rows by table, those of all contract versions together."""
    return {name: unfold(rows, contract) for name, contract in contracts.landed_registers().items()}


def run_context(today: dt.date, years: range, ruleset: RulesetKey) -> pl.DataFrame:
    """The one row that tells SQL the day, the ruleset and the reporting years."""
    return pl.DataFrame(
        {
            "today": [today],
            "ruleset_id": [ruleset[0]],
            "ruleset_version": [ruleset[1]],
            "first_reporting_year": [years.start],
            "last_reporting_year": [years.stop - 1],
        },
        schema={
            "today": pl.Date,
            "ruleset_id": pl.String,
            "ruleset_version": pl.String,
            "first_reporting_year": pl.Int32,
            "last_reporting_year": pl.Int32,
        },
    )


def write_tables(tables: Mapping[str, pl.DataFrame], folder: Path) -> None:
    """Write each table as one Parquet file, replacing what was there."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, frame in tables.items():
        partial = folder / f".{name}.partial"
        frame.write_parquet(partial, compression="lz4")
        partial.replace(folder / f"{name}.parquet")
