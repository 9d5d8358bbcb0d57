"""Checks of the house: what each is called, what it speaks of, whether it blocks, and how a verdict becomes a result.

Belongs here: check specs, metadata of verdicts, and the checks that look at the bucket and at the calendar.
Does not: judging (lib/monitoring/verdicts.py, freshness.py), dbt's tests (warehouse.py), single rows (intake).
"""

import warnings
from collections.abc import Iterator, Mapping
from typing import Any

import dagster as dg
import polars as pl

from dagster_project.defs.resources import ReaderResource
from dagster_project.lib.app.pipeline import Pipeline
from dagster_project.lib.base.names import NETWORK_FOLDER
from dagster_project.lib.intake.bucket.drop import Listing, list_drop, stray_findings
from dagster_project.lib.intake.bucket.ledger import current_submissions
from dagster_project.lib.intake.findings import to_findings
from dagster_project.lib.monitoring.freshness import NOTICE_DAYS, deadlines
from dagster_project.lib.monitoring.verdicts import Verdict, strays_verdict
from dagster_project.partitions import SUBMISSION_PARTITIONS

DROP_FILES = dg.AssetKey(["drop", "files"])
SUBMISSIONS = dg.AssetKey(["lake", "submissions"])
STATUS = dg.AssetKey(["marts", "fct_submission_status"])
"""Reminders before a due day: operations, not a rule of the network, and in no figure."""


def _check(name: str, asset: dg.AssetKey, description: str, blocking: bool = False, **more: Any) -> dg.AssetCheckSpec:
    return dg.AssetCheckSpec(name, asset=asset, description=description, blocking=blocking, **more)


def _partitioned(name: str, asset: dg.AssetKey, description: str) -> dg.AssetCheckSpec:
    # Checks by partition are a preview of Dagster 1.13, chosen with open eyes (docs/decisions/0011-freshness.md);
    # this one notice is answered here, every other one is shown.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.PreviewWarning)
        return _check(name, asset, description, partitions_def=SUBMISSION_PARTITIONS)


NOTHING_ASTRAY = _check(
    "nothing_astray",
    DROP_FILES,
    "Everything in the bucket belongs to a community and a reporting year. Matters when a folder is misspelt: nobody "
    "reads it, and no receipt tells its owner. Fix: move the files; the table says where from.",
)
ON_TIME = _check(
    "on_time",
    DROP_FILES,
    "Every community that is due has a folder, by seeds/network/calendar.csv and today. Fix: remind the communities of "
    "the table; a waiver (seeds/network/waivers.csv) ends the reminder.",
)
SUBMITTED = _partitioned(
    "submitted",
    SUBMISSIONS,
    "This community's folder of this year is there and holds at least one accepted row. Told when the answer is no, "
    "and again when that is over: a partition without an answer never gave cause for one.",
)
CONTRACT = _check(
    "contract_kept",
    dg.AssetKey(["landing", "submissions"]),
    "No submission is rejected as a whole. Matters to its community: nothing of that year is published. Fix: the "
    "receipt in the outbox names file, row and column of each problem.",
)
CONSERVED = _check(
    "rows_conserved",
    dg.AssetKey(["landing", "files"]),
    "Every row that was read is either accepted or rejected, in each file and in each submission, and every accepted "
    "row has landed. A failure is a fault of this program or of its lake, never of a member: nothing is published "
    "until it is found.",
    blocking=True,
)
MAPPED = _check(
    "labels_mapped",
    dg.AssetKey(["landing", "observations"]),
    "No row waits for a label to be mapped. Fix: one line in seeds/crosswalks; `cradle suggest` proposes it.",
)
RULES_KEPT = _check(
    "rules_kept",
    dg.AssetKey(["landing", "run_context"]),
    "Every version of a ruleset says what it said when the current release, or a final one, was made. Matters to "
    "whoever checks a record: it names the version that it was judged by. Fix: put the old values back, and give the "
    "new ones to a new version in seeds/rulesets, with a line in ruleset_in_force.csv.",
)
IN_TIME = _check(
    "submitted_by_year",
    STATUS,
    "Freshness of yearly data: no community-year is late. Filling an old year changes that year's line only; the time "
    "of the last run says nothing about it. Its failures are warnings, which never hold a release back.",
    # Only so that it is answered before the release, against which it tells what changed.
    blocking=True,
)


def told(spec: dg.AssetCheckSpec, verdict: Verdict) -> dg.AssetCheckResult:
    """A verdict as a result: an error where it blocks, a warning elsewhere."""
    severity = dg.AssetCheckSeverity.ERROR if spec.blocking else dg.AssetCheckSeverity.WARN
    return dg.AssetCheckResult(
        passed=verdict.passed,
        asset_key=spec.asset_key,
        check_name=spec.name,
        severity=severity,
        description=verdict.sentence,
        metadata=verdict_metadata(verdict),
    )


def verdict_metadata(verdict: Verdict) -> dict[str, Any]:
    """Counts (each plotted over time by the UI) and the worst cases."""
    return {**verdict.counts, **shown_table("worst", verdict.worst)}


def shown_table(name: str, rows: pl.DataFrame) -> Mapping[str, dg.MetadataValue[Any]]:
    """Rows as a table in the UI; nothing for no rows."""
    if rows.is_empty():
        return {}
    records = [
        {key: value if value is None or isinstance(value, (int, float)) else str(value) for key, value in row.items()}
        for row in rows.iter_rows(named=True)
    ]
    columns = [
        dg.TableColumn(name, "int" if kind.is_integer() else "float" if kind.is_float() else "string")
        for name, kind in rows.schema.items()
    ]
    return {name: dg.MetadataValue.table([dg.TableRecord(record) for record in records], dg.TableSchema(columns))}


def submitted_evaluation(
    key: str, passed: bool, description: str, metadata: Mapping[str, Any] | None = None
) -> dg.AssetCheckEvaluation:
    """One partition's answer to SUBMITTED."""
    return dg.AssetCheckEvaluation(
        asset_key=SUBMITTED.asset_key,
        check_name=SUBMITTED.name,
        passed=passed,
        severity=dg.AssetCheckSeverity.WARN,
        description=description,
        metadata=metadata or {},
        partition=key,
    )


def tell(context: dg.OpExecutionContext, answer: dg.AssetCheckEvaluation) -> None:
    """Log an answer that is not this step's own result: one partition's, or another asset's."""
    # log_event takes it (op_execution_context.py); its annotation names fewer events than its body.
    context.log_event(answer)  # type: ignore[arg-type]


def astray(strays: pl.DataFrame) -> dg.AssetCheckEvaluation:
    """The answer to NOTHING_ASTRAY as intake saw it, logged by the run that listed the bucket."""
    verdict = strays_verdict(strays)
    return dg.AssetCheckEvaluation(
        asset_key=NOTHING_ASTRAY.asset_key,
        check_name=NOTHING_ASTRAY.name,
        passed=verdict.passed,
        severity=dg.AssetCheckSeverity.WARN,
        description=verdict.sentence,
        metadata=verdict_metadata(verdict),
    )


def listed(listing: Listing, also: Mapping[str, int | float] | None = None) -> dg.AssetMaterialization:
    """That the bucket was listed, and what lay in it: the one event with a clock. `also`: what an intake took of it."""
    return dg.AssetMaterialization(
        DROP_FILES,
        description="the bucket was listed",
        metadata={
            "folders": len(listing.folders),
            "files": sum(len(folder.files) for folder in listing.folders),
            "strays": len(listing.strays),
            **(also or {}),
        },
    )


# A step that can be subset: each check can then be executed from its own page.
@dg.multi_asset_check(name="look_at_bucket", specs=[NOTHING_ASTRAY, ON_TIME], can_subset=True)
def look_at_bucket(context: dg.AssetCheckExecutionContext, reader: ReaderResource) -> Iterator[dg.AssetCheckResult]:
    """List the bucket and hold it against the calendar; reads no file and writes nothing but its own answers."""
    pipeline = reader.pipeline()
    today, reference = pipeline.settings.today, pipeline.reference
    communities = reference.communities["community_id"].to_list()
    listing = list_drop(pipeline.drop, communities, reference.reporting_years(today), reference.names)
    context.op_execution_context.log_event(listed(listing))
    if NOTHING_ASTRAY.key in context.selected_asset_check_keys:
        yield told(NOTHING_ASTRAY, strays_verdict(to_findings(stray_findings(listing.strays))))
    if ON_TIME.key in context.selected_asset_check_keys:
        yield told(ON_TIME, _reminders(context, pipeline))


def _reminders(context: dg.AssetCheckExecutionContext, pipeline: Pipeline) -> Verdict:
    reference, today = pipeline.reference, pipeline.settings.today
    due = deadlines(
        reference.communities,
        reference.table("network/calendar"),
        reference.table("network/waivers"),
        current_submissions(pipeline.ledger.events()).filter(pl.col("community_id") != NETWORK_FOLDER),
        today,
        NOTICE_DAYS,
    )
    for community_id, year, due_on, notice in due.select(
        "community_id", "reporting_year", "due_on", "notice"
    ).iter_rows():
        context.log.info(f"{community_id} {year}: {notice} (due on {due_on})")
    counts = {notice: int(n) for notice, n in due["notice"].value_counts(sort=True).iter_rows()}
    late = counts.get("late", 0)
    return Verdict(
        passed=not late,
        sentence=f"on {today}: {late} community-years are late, {due.height - late} are due soon",
        counts={name.replace(" ", "_"): n for name, n in counts.items()},
        worst=due.sort("reporting_year", "community_id", descending=[True, False]).head(50),
    )
