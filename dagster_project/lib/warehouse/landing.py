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
from dagster_project.lib.base.ruleset import ComparisonRules, RulesetKey, read_ruleset
from dagster_project.lib.base.store import Store, make_private
from dagster_project.lib.intake.answers import answered, astray_answers, submissions
from dagster_project.lib.intake.bucket.ledger import Ledger, current_submissions, submission_states
from dagster_project.lib.intake.bucket.whole import ACCEPTED, read_whole
from dagster_project.lib.intake.comparing.comparisons import compare_submissions
from dagster_project.lib.intake.comparing.selections import selection_changes
from dagster_project.lib.intake.findings import FINDINGS, to_findings
from dagster_project.lib.intake.rows.registers import unfold, waiting_rows

REPEATED_RULE = "duplicate_row"


@dataclass(frozen=True)
class Landed:
    """All landing tables by name."""

    tables: Mapping[str, pl.DataFrame]

    def __getitem__(self, name: str) -> pl.DataFrame:
        return self.tables[name]

    def rows_by_file(self) -> pl.DataFrame:
        """community_id, reporting_year, name, rows_landed: accepted rows of each file as they lie in landing.

        A register row that repeats another is accepted and does not land: its finding stands for it.
        """
        file = ["community_id", "reporting_year", "source_file"]
        place = [*file, "source_sheet", "source_row"]
        observations = self["observations"]
        registers = [frame for name, frame in self.tables.items() if name.startswith("register_")]
        repeated = (
            self["findings"]
            .filter(pl.col("rule_id") == REPEATED_RULE)
            .join(observations.filter(pl.col("row_status") == "duplicate").select(place), on=place, how="anti")
        )
        landed = [
            observations.filter(pl.col("row_status").is_in(ACCEPTED)),
            self["waiting_register_rows"],
            repeated,
            *registers,
        ]
        # The network's own files hold rows of communities, so that a row's folder is told by its submission.
        place = file[:2]
        folders = (
            self["files"].select("submission_id", *(pl.col(name).alias(f"folder_{name}") for name in place)).unique()
        )
        rows = pl.concat([frame.select("submission_id", *file) for frame in landed])
        rows = rows.join(folders, on="submission_id", how="left").with_columns(
            pl.coalesce(f"folder_{name}", name).alias(name) for name in place
        )
        return rows.group_by(file).agg(pl.len().cast(pl.Int64).alias("rows_landed")).rename({"source_file": "name"})


def gather(lake: Store, reference: Reference, today: dt.date, strays: pl.DataFrame, ruleset: RulesetKey) -> Landed:
    """Read every current partition of the network's communities and make all landing tables.

    DamagedLakeError where the lake does not hold the rows that were accepted.
    `strays` are findings of the bucket itself. Rows are sorted, so that the order of arrival leaves no trace.
    """
    events = Ledger(lake, reference.names).events()
    known = [*reference.communities["community_id"], NETWORK_FOLDER]
    years = reference.reporting_years(today)
    current = (
        current_submissions(events)
        .filter(pl.col("community_id").is_in(known) & pl.col("reporting_year").is_between(years.start, years.stop - 1))
        .sort("community_id", "reporting_year")
    )
    return landing_of(read_whole(lake, current), events, reference, today, strays, ruleset)


def landing_of(
    raw: Mapping[str, pl.DataFrame],
    events: pl.DataFrame,
    reference: Reference,
    today: dt.date,
    strays: pl.DataFrame,
    ruleset: RulesetKey,
) -> Landed:
    """All landing tables from the rows of some partitions (`raw`: intake.lake.TABLES) and the ledger's events."""
    registers = landed_registers(raw["register_rows"])
    thresholds = read_ruleset(reference, ruleset).comparison
    told = all_findings(raw, registers, reference, thresholds, strays)
    findings = answered(told, registers["explanations"], registers["explanation_decisions"])
    standing = submissions(
        raw["files"],
        findings,
        raw["observations"],
        registers["indicator_selection"],
        registers["declarations"],
        reference,
    )
    is_network = pl.col("community_id") == NETWORK_FOLDER
    states = submission_states(events).filter(
        pl.col("community_id").is_in(reference.communities["community_id"].to_list())
    )
    tables: dict[str, pl.DataFrame] = {
        "observations": raw["observations"],
        "files": raw["files"].sort("community_id", "reporting_year", "name"),
        "findings": findings.sort("finding_id", "reporting_year", "source_file", nulls_last=True),
        "submissions": standing.filter(~is_network),
        "network_submissions": standing.filter(is_network),
        "waiting_register_rows": waiting_rows(raw["register_rows"]),
        "submission_states": states,
        "run_context": run_context(today, reference.reporting_years(today), ruleset),
    }
    tables |= {f"register_{name}": frame for name, frame in registers.items()}
    return Landed(tables)


def all_findings(
    raw: Mapping[str, pl.DataFrame],
    registers: Mapping[str, pl.DataFrame],
    reference: Reference,
    thresholds: ComparisonRules,
    strays: pl.DataFrame,
) -> pl.DataFrame:
    """Findings, before any answer, of rows and files, of comparisons, of answers astray, and of the bucket itself."""
    compared = to_findings(compare_submissions(raw["observations"], reference, thresholds), reference.names)
    chosen = to_findings(selection_changes(registers["indicator_selection"]), reference.names)
    told = pl.concat([part.select(list(FINDINGS)) for part in (raw["findings"], compared, chosen, strays)])
    astray = astray_answers(told, registers["explanations"], registers["explanation_decisions"])
    return pl.concat([told, to_findings(astray)])


def landed_registers(rows: pl.DataFrame) -> dict[str, pl.DataFrame]:
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
    make_private(folder)
    for name, frame in tables.items():
        partial = folder / f".{name}.partial"
        frame.write_parquet(partial, compression="lz4")
        partial.replace(folder / f"{name}.parquet")
