"""The very receipt that intake gives, for a folder or file on this machine, offline and without writing anything.

Belongs here: a path as a submission of its own, the earlier values of a release as history, what had to be skipped.
Does not: any rule (values.py, registers.py, comparisons.py), printing or exit codes (cli_intake.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

import contracts
from dagster_project.lib.intake.comparisons import NEEDS_HISTORY, RULES
from dagster_project.lib.intake.drop import LOCATED, DroppedFile, Folder
from dagster_project.lib.intake.issues import BLOCKING, FINDINGS, to_findings
from dagster_project.lib.intake.reading import WorkbookReader
from dagster_project.lib.intake.receipts import Receipt, build_receipt
from dagster_project.lib.intake.registers import REGISTER_ROWS, unfold
from dagster_project.lib.intake.standing import answered, submissions
from dagster_project.lib.intake.take_in import Intake, Taken, take_in
from dagster_project.lib.intake.values import OBSERVATIONS
from dagster_project.lib.store import Store

Compare = Callable[[pl.DataFrame], pl.DataFrame]
"""Comparisons between rows, years and members: observations to located issues (comparisons.compare_submissions)."""

ANSWERS = pl.Schema(
    {
        "community_id": pl.String(),
        "reporting_year": pl.Int32(),
        "source_file": pl.String(),
        "source_row": pl.Int32(),
        "finding_id": pl.String(),
        "text": pl.String(),
    }
)


class NothingToCheckError(ValueError):
    """The path holds no file."""


@dataclass(frozen=True)
class History:
    """What a release knows of earlier submissions: accepted values (OBSERVATIONS), answers (ANSWERS) and states."""

    observations: pl.DataFrame
    answers: pl.DataFrame
    states: dict[tuple[str, int], str]

    def without(self, community_id: str, reporting_year: int) -> pl.DataFrame:
        """Values of all folders but the one that is checked."""
        own = (pl.col("community_id") == community_id) & (pl.col("reporting_year") == reporting_year)
        return self.observations.filter(~own)


def check_path(
    path: Path,
    community_id: str,
    reporting_year: int,
    intake: Intake,
    history: History | None = None,
    compare: Compare | None = None,
) -> Receipt:
    """The receipt that intake would write for the files at `path`, with one more key, `skipped_rules`.

    A file is taken as a folder that holds only it. `compare` makes the findings that look across rows and years; of
    these, rules that need history are left out and listed where none is given, and a question that intake asked in an
    earlier year is asked again. NothingToCheckError if there is no file.
    """
    folder, read = _as_folder(path, community_id, reporting_year)
    with WorkbookReader(intake.limits) as workbooks:
        (taken,) = take_in(intake, [folder], read, None, workbooks)
    findings = pl.concat([_table(taken, "findings", FINDINGS), _compared(taken, history, compare)])
    registers = _registers(taken, "explanations", "indicator_selection")
    findings = answered(findings, _answers(registers["explanations"], history))
    files = taken.tables["files"]
    observations = _table(taken, "observations", OBSERVATIONS)
    (submission,) = submissions(
        files, findings, observations, registers["indicator_selection"], intake.reference
    ).to_dicts()
    receipt = build_receipt(submission, files, findings, _replaced(taken, history))
    return {**receipt, "skipped_rules": skipped_rules(history, compare)}


def skipped_rules(history: History | None, compare: Compare | None) -> list[str]:
    """Rules that a check without history (or without comparisons at all) cannot run."""
    if compare is None:
        return list(RULES)
    return list(NEEDS_HISTORY) if history is None else []


def is_clean(receipt: Receipt) -> bool:
    """Whether nothing of the folder would be kept out: no fatal and no error finding."""
    return not any(finding["severity"] in BLOCKING for finding in receipt["findings"])


def receipt_lines(receipt: Receipt) -> Iterator[str]:
    """The receipt as lines of text for a terminal."""
    yield f"{receipt['community_id']} {receipt['reporting_year']}: {receipt['first_line']}"
    for file in receipt["files"]:
        counts = f"{file['rows_accepted']:,} of {file['rows_read']:,} rows accepted"
        yield f"  {file['name']}: {file['layout'] or file['kind']}, {counts}"
    for finding in receipt["findings"]:
        state = " (explained)" if finding["status"] == "explained" else ""
        yield f"{finding['severity']:<11} {finding['rule_id']}{state} {finding['finding_id']}"
        yield f"  {finding['message']}"
        if finding["allowed"]:
            yield f"  Allowed: {finding['allowed']}"
        yield f"  How to fix it: {finding['remedy']}"
    if receipt["skipped_rules"]:
        yield f"Skipped, since they need earlier years (--against RELEASE): {', '.join(receipt['skipped_rules'])}"


def _as_folder(path: Path, community_id: str, reporting_year: int) -> tuple[Folder, Callable[[str], bytes]]:
    path = path.resolve()
    if path.is_file():
        only = DroppedFile(path.name, path.name, path.stat().st_size, "")
        return Folder(community_id, reporting_year, (only,)), lambda _: path.read_bytes()
    # Listed by the same store as the bucket, so that the same files are seen.
    store = Store(str(path))
    listed = [DroppedFile(info.key, info.key, info.size, info.etag) for info in store.files()]
    if not listed:
        raise NothingToCheckError(f"{path} holds no file")
    files = tuple(sorted(listed, key=lambda file: file.name.encode()))
    return Folder(community_id, reporting_year, files), store.get


def _table(taken: Taken, name: str, schema: pl.Schema) -> pl.DataFrame:
    return taken.tables.get(name, pl.DataFrame(schema=schema))


def _registers(taken: Taken, *names: str) -> dict[str, pl.DataFrame]:
    version = contracts.version_for(taken.folder.reporting_year)
    rows = _table(taken, "register_rows", REGISTER_ROWS)
    return {name: unfold(rows, contracts.tables(version)[name]) for name in names}


def _compared(taken: Taken, history: History | None, compare: Compare | None) -> pl.DataFrame:
    """Findings of the comparisons that speak of this folder."""
    if compare is None:
        return pl.DataFrame(schema=FINDINGS)
    own = _table(taken, "observations", OBSERVATIONS)
    others = history.without(*taken.folder.partition) if history else own.clear()
    issues = compare(pl.concat([others, own]))
    community_id, reporting_year = taken.folder.partition
    mine = issues.filter((pl.col("community_id") == community_id) & (pl.col("reporting_year") == reporting_year))
    if history is None:
        mine = mine.filter(~pl.col("rule_id").is_in(NEEDS_HISTORY))
    return to_findings(mine.select(list(LOCATED)))


def _answers(own: pl.DataFrame, history: History | None) -> pl.DataFrame:
    earlier = history.answers if history else pl.DataFrame(schema=ANSWERS)
    return pl.concat([earlier, own.select(list(ANSWERS)).cast(ANSWERS)])


def _replaced(taken: Taken, history: History | None) -> str | None:
    before = history.states.get(taken.folder.partition) if history else None
    return before if before != taken.submission_id else None


def history_of(release: duckdb.DuckDBPyConnection) -> History:
    """What a release's internal database knows: every version of every submitted value, answers, current states."""
    known = release.execute(ACCEPTED_VALUES).pl()
    missing = [pl.lit(None, dtype).alias(name) for name, dtype in OBSERVATIONS.items() if name not in known.columns]
    observations = known.with_columns(missing).select(list(OBSERVATIONS)).cast(OBSERVATIONS)
    answers = release.execute(ANSWERED).pl().select(list(ANSWERS)).cast(ANSWERS)
    states: list[tuple[Any, ...]] = release.execute(STATES).fetchall()
    return History(observations, answers, {(community_id, year): state for community_id, year, state in states})


ACCEPTED_VALUES = """
select
    history.community_id, history.known_from as reporting_year, history.submission_id, history.source_file,
    history.source_sheet, history.source_row, history.source_column, history.indicator_id,
    case when history.population_group_id = 'all' then 'all' else split_part(history.population_group_id, ':', 1) end
        as dimension,
    case when history.population_group_id = 'all' then 'all' else split_part(history.population_group_id, ':', 2) end
        as group_code,
    history.population_group_id, history.geography_id, places.geography_level, history.school_year, history.series,
    history.period, units.unit, history.numerator, history.denominator, history.value, history.value_low,
    history.value_high, history.value_status, 'accepted' as row_status
from marts.fct_indicator_value_history as history
left join marts.dim_geography as places using (community_id, geography_id)
left join marts.dim_indicator as units using (indicator_id)
where history.origin = 'submitted'
order by all
"""

ANSWERED = """
select community_id, reporting_year, source_file, source_row, finding_id, explanation as text
from marts.fct_finding
where status = 'explained'
order by all
"""

STATES = """
select community_id, reporting_year, submission_id
from marts.dim_submission
where is_current
order by all
"""
