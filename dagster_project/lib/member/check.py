"""The very receipt that intake gives, for a folder or file on this machine, offline and without writing anything.

Belongs here: a path as a submission of its own, the rows of a release as history, what had to be skipped.
Does not: any rule (values.py, registers.py, comparisons.py), printing or exit codes (cli/intake.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import polars as pl

import contracts
from dagster_project.lib.base.engine import Connection
from dagster_project.lib.base.folder_tree import look
from dagster_project.lib.base.names import ANSWERS_TABLE, DECISIONS_TABLE, INPUTS, OBSERVATIONS_TABLE
from dagster_project.lib.base.progress import tell
from dagster_project.lib.base.shown import visible
from dagster_project.lib.base.store import Store
from dagster_project.lib.base.successions import CommunityIds
from dagster_project.lib.intake.answers import answered, astray_answers, submissions
from dagster_project.lib.intake.batch import Intake, Taken
from dagster_project.lib.intake.bucket.drop import (
    LOCATED,
    ODD_RULE,
    SPECIAL_RULE,
    SUBFOLDER_RULE,
    DroppedFile,
    Folder,
    open_drop,
    told_to_member,
)
from dagster_project.lib.intake.comparing.comparisons import NEEDS_HISTORY, RULES, TELLING
from dagster_project.lib.intake.comparing.selections import selection_changes
from dagster_project.lib.intake.findings import BLOCKING, FINDINGS, rule_title, to_findings
from dagster_project.lib.intake.reading.files import WorkbookReader
from dagster_project.lib.intake.rows.registers import unfold
from dagster_project.lib.intake.tables import OBSERVATIONS, REGISTER_ROWS
from dagster_project.lib.intake.take_in import take_in
from dagster_project.lib.receipts.change_words import PENDING, change_lines
from dagster_project.lib.receipts.receipts import Receipt, build_receipt

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


DECISIONS = pl.Schema(
    {
        "reporting_year": pl.Int32(),
        "source_file": pl.String(),
        "source_row": pl.Int32(),
        "finding_id": pl.String(),
        "decision": pl.String(),
        "decided_on": pl.Date(),
        "reason": pl.String(),
    }
)


ACROSS_YEARS = ("selection_changed", "answer_without_question", "answer_to_error")
"""Rules that hold a folder's registers beside those of other years; without a history they are skipped."""
SELECTION_TABLE = "register_indicator_selection"
SELECTION = pl.Schema(
    {
        "community_id": pl.String(),
        "reporting_year": pl.Int32(),
        "submission_id": pl.String(),
        "source_file": pl.String(),
        "source_sheet": pl.String(),
        "source_row": pl.Int32(),
        "indicator": pl.String(),
        "role": pl.String(),
        "primary": pl.Boolean(),
        "baseline_year": pl.Int32(),
        "revised_on": pl.Date(),
        "rationale": pl.String(),
    }
)
TOLD = pl.Schema(
    {"community_id": pl.String(), "reporting_year": pl.Int32(), "finding_id": pl.String(), "severity": pl.String()}
)


READING, COMPARING, JUDGING = STEPS = ("Reading the files", "Comparing rows and years", "Counting what was found")
"""Steps of a check, as it tells them."""


@dataclass(frozen=True)
class Checked:
    """A folder that was checked: its rows as intake would write them, and its receipt."""

    taken: Taken
    receipt: Receipt


class NothingToCheckError(ValueError):
    """The path holds no file."""


class NoHistoryError(LookupError):
    """The release does not hold the rows of earlier folders."""


@dataclass(frozen=True)
class History:
    """What a release knows of all folders: their rows (OBSERVATIONS), answers (ANSWERS) and current states, reviewers'
    decisions on answers (DECISIONS), selections (SELECTION) and what was found (TOLD)."""

    observations: pl.DataFrame
    answers: pl.DataFrame
    states: dict[tuple[str, int], str]
    decisions: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=DECISIONS))
    selection: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=SELECTION))
    findings: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=TOLD))
    skipped: tuple[str, ...] = ()
    """Rules that this history cannot carry: that of a public edition knows neither registers nor withheld rows."""

    def named_now(self, names: CommunityIds) -> History:
        """The same with every community under its id of now: a rename may be younger than the release."""
        frames: dict[str, Any] = {
            name: names.read(value) for name, value in vars(self).items() if isinstance(value, pl.DataFrame)
        }
        states = {(names.of(community), year): state for (community, year), state in self.states.items()}
        return replace(self, states=states, **frames)

    def without(self, community_id: str, reporting_year: int) -> History:
        """What is known of all folders but the one that is checked."""
        own = (pl.col("community_id") == community_id) & (pl.col("reporting_year") == reporting_year)
        kept = ("observations", "answers", "selection", "findings")
        return replace(self, **{name: getattr(self, name).filter(~own) for name in kept})


def check_path(
    path: Path,
    community_id: str,
    reporting_year: int,
    intake: Intake,
    history: History | None = None,
    compare: Compare | None = None,
) -> Receipt:
    """The receipt that intake would write for the files at `path`; see `examine`."""
    return examine(path, community_id, reporting_year, intake, history, compare).receipt


def examine(
    path: Path,
    community_id: str,
    reporting_year: int,
    intake: Intake,
    history: History | None = None,
    compare: Compare | None = None,
) -> Checked:
    """Check the files at `path`. The receipt is the one that intake would write, with one more key, `skipped_rules`.

    A file is taken as a folder that holds only it. `compare` makes the findings that look across rows and years; of
    these, rules that need history are left out and listed where none is given. With the history of a release the
    findings are those of intake, byte for byte: it holds the same rows that intake compares, so that a question asked
    in an earlier year is not asked again. NothingToCheckError if there is no file.
    """
    folder, source = _as_folder(path, community_id, reporting_year)
    tell(READING)
    with WorkbookReader(intake.limits) as workbooks:
        (taken,) = take_in(intake, [folder], source, None, workbooks)
    tell(COMPARING)
    names = intake.reference.names
    history = history.named_now(names) if history else None
    replaced = _replaced(taken, history)
    history = history.without(*folder.partition) if history else None
    findings = pl.concat([_table(taken, "findings", FINDINGS), _compared(taken, history, compare, names)])
    registers = _registers(taken, "explanations", "indicator_selection", "declarations")
    if history is not None and compare is not None and not history.skipped:
        findings = pl.concat([findings, _across_years(taken, registers, history, findings, names)])
    tell(JUDGING)
    answers = _answers(registers["explanations"], history)
    findings = answered(findings, answers, history.decisions if history else pl.DataFrame(schema=DECISIONS))
    files = taken.tables["files"]
    observations = _table(taken, "observations", OBSERVATIONS)
    (submission,) = submissions(
        files, findings, observations, registers["indicator_selection"], registers["declarations"], intake.reference
    ).to_dicts()
    receipt = build_receipt(submission, files, findings, replaced)
    return Checked(taken, {**receipt, "skipped_rules": skipped_rules(history, compare)})


def skipped_rules(history: History | None, compare: Compare | None) -> list[str]:
    """Rules that a check without history (or without comparisons at all) cannot run."""
    if compare is None:
        return [*RULES, *TELLING, *ACROSS_YEARS]
    return [*NEEDS_HISTORY, *ACROSS_YEARS] if history is None else list(history.skipped)


def is_clean(receipt: Receipt) -> bool:
    """Whether nothing of the folder would be kept out: no fatal and no error finding."""
    return not any(finding["severity"] in BLOCKING for finding in receipt["findings"])


def receipt_lines(receipt: Receipt) -> Iterator[str]:
    """The receipt as lines of text for a terminal."""
    for line in _lines(receipt):
        yield visible(line)


def _lines(receipt: Receipt) -> Iterator[str]:
    yield f"{receipt['community_id']} {receipt['reporting_year']}: {receipt['first_line']}"
    for file in receipt["files"]:
        counts = f"{file['rows_accepted']:,} of {file['rows_read']:,} rows accepted"
        reading = f" ({file['reading']})" if file["reading"] else ""
        kind = "not recognised" if file["kind"] == "table" else file["kind"]
        yield f"  {file['name']}: {file['layout'] or kind}, {counts}{reading}"
    for finding in receipt["findings"]:
        state = " (explained)" if finding["status"] == "explained" else ""
        title = rule_title(finding["rule_id"])
        yield f"{finding['severity']:<11} {title}{state} ({finding['rule_id']} {finding['finding_id']})"
        yield f"  {finding['message']}"
        if finding["allowed"]:
            yield f"  Allowed: {finding['allowed']}"
        yield f"  How to fix it: {finding['remedy']}"
        if finding["explanation"]:
            yield f"  Your explanation: {finding['explanation']}"
    if receipt["skipped_rules"]:
        skipped = ", ".join(receipt["skipped_rules"])
        yield f"Skipped, since they need all that the network knows of earlier years (--against RELEASE): {skipped}"
    if receipt["changes"]["state"] != PENDING:
        yield from change_lines(receipt["changes"])


def _as_folder(path: Path, community_id: str, reporting_year: int) -> tuple[Folder, Store]:
    path = path.resolve()
    if path.is_file():
        only = DroppedFile(path.name, path.name, path.stat().st_size, "")
        return Folder(community_id, reporting_year, (only,)), open_drop(str(path.parent))
    # Listed by the same walk as the bucket, so that the same files, links and odd names are seen.
    tree = look(path, deep=False)
    listed = [DroppedFile(info.key, info.key, info.size, info.etag) for info in tree.files]
    if not listed:
        raise NothingToCheckError(f"{path} holds no file")
    files = tuple(sorted(listed, key=lambda file: file.name.encode()))
    links = tuple(sorted(tree.links, key=str.encode))
    held = [(SUBFOLDER_RULE, name) for name in _subfolders(path)]
    others = sorted([*held, *((ODD_RULE, name) for name in tree.odd), *((SPECIAL_RULE, name) for name in tree.special)])
    return Folder(community_id, reporting_year, files, links, tuple(others)), open_drop(str(path))


def _subfolders(path: Path) -> list[str]:
    """Folders within the folder that hold a file, as the bucket sees them: links are not followed."""
    inside = [entry for entry in path.iterdir() if entry.is_dir() and not entry.is_symlink()]
    return [folder.name for folder in inside if told_to_member(folder.name) and look(path, folder.name).files]


def _table(taken: Taken, name: str, schema: pl.Schema) -> pl.DataFrame:
    return taken.tables.get(name, pl.DataFrame(schema=schema))


def _registers(taken: Taken, *names: str) -> dict[str, pl.DataFrame]:
    rows = _table(taken, "register_rows", REGISTER_ROWS)
    return {name: unfold(rows, contracts.landed()[name]) for name in names}


def _compared(taken: Taken, history: History | None, compare: Compare | None, names: CommunityIds) -> pl.DataFrame:
    """Findings of the comparisons that speak of this folder."""
    if compare is None:
        return pl.DataFrame(schema=FINDINGS)
    own = _table(taken, "observations", OBSERVATIONS)
    others = history.observations if history else own.clear()
    # In the order in which intake gathers them, so that nothing depends on which folder is the checked one.
    issues = compare(pl.concat([others, own]).sort("community_id", "reporting_year", maintain_order=True))
    community_id, reporting_year = taken.folder.partition
    mine = issues.filter((pl.col("community_id") == community_id) & (pl.col("reporting_year") == reporting_year))
    mine = mine.filter(~pl.col("rule_id").is_in(skipped_rules(history, compare)))
    return to_findings(mine.select(list(LOCATED)), names)


def _answers(own: pl.DataFrame, history: History | None) -> pl.DataFrame:
    earlier = history.answers if history else pl.DataFrame(schema=ANSWERS)
    return pl.concat([earlier, own.select(list(ANSWERS)).cast(ANSWERS)])


def _across_years(
    taken: Taken,
    registers: Mapping[str, pl.DataFrame],
    history: History,
    findings: pl.DataFrame,
    names: CommunityIds,
) -> pl.DataFrame:
    """What the folder's selection and answers say beside those of other years: findings of this folder alone."""
    own = registers["indicator_selection"].select(list(SELECTION)).cast(SELECTION)
    chosen = selection_changes(pl.concat([history.selection, own]))
    moved = to_findings(chosen, names)
    told = pl.concat([history.findings, findings.select(list(TOLD)), moved.select(list(TOLD))])
    answers = registers["explanations"]
    community_id, reporting_year = taken.folder.partition
    mine = (pl.col("community_id") == community_id) & (pl.col("reporting_year") == reporting_year)
    return pl.concat([moved, to_findings(astray_answers(told, answers, answers.clear()))]).filter(mine)


def _replaced(taken: Taken, history: History | None) -> str | None:
    before = history.states.get(taken.folder.partition) if history else None
    return before if before != taken.submission_id else None


def history_of(release: Connection) -> History:
    """What a release's internal database knows of all folders; NoHistoryError for one that does not hold their rows."""
    query = "select table_name from information_schema.tables where table_schema = ?"
    carried = {name for (name,) in release.execute(query, [INPUTS]).fetchall()}
    if not {OBSERVATIONS_TABLE, ANSWERS_TABLE} <= carried:
        raise NoHistoryError("it was made before releases held the rows that a check compares with")
    known = release.execute(f"select * from {INPUTS}.{OBSERVATIONS_TABLE}").pl()
    # A release from before a contract version lacks the columns that it added.
    missing = [pl.lit(None, dtype).alias(name) for name, dtype in OBSERVATIONS.items() if name not in known.columns]
    observations = known.with_columns(missing).select(list(OBSERVATIONS)).cast(OBSERVATIONS)
    answers = release.execute(f"select * from {INPUTS}.{ANSWERS_TABLE}").pl().select(list(ANSWERS)).cast(ANSWERS)
    states: list[tuple[Any, ...]] = release.execute(STATES).fetchall()
    known_states = {(community_id, year): state for community_id, year, state in states}

    def carried_over(table: str, schema: pl.Schema) -> pl.DataFrame:
        if table not in carried:  # a release from before it was kept
            return pl.DataFrame(schema=schema)
        return release.execute(f"select * from {INPUTS}.{table}").pl().select(list(schema)).cast(schema)

    told = release.execute(f"select {', '.join(TOLD)} from marts.fct_finding").pl().cast(TOLD)
    decisions, selection = carried_over(DECISIONS_TABLE, DECISIONS), carried_over(SELECTION_TABLE, SELECTION)
    return History(observations, answers, known_states, decisions, selection, told)


STATES = """
select community_id, reporting_year, submission_id
from marts.dim_submission
where is_current and community_id is not null
order by all
"""
