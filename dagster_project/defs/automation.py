"""Automation: the bucket watched by content, the warehouse that follows, reminders by the calendar.

Belongs here: the sensor, the schedules, the condition sensor, and what each asks Dagster for.
Does not: what is new, settled, due or dead (lib/monitoring/freshness.py), what the jobs do (intake.py, publish.py).
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace
from time import sleep

import dagster as dg

from dagster_project.defs.checks import look_at_bucket
from dagster_project.defs.intake import ingest
from dagster_project.defs.publish import build
from dagster_project.instance.memory import what_is_loaded_stays
from dagster_project.instance.runs import forget_runs, selection_config, somebody_writes
from dagster_project.lib.app.pipeline import Pipeline
from dagster_project.lib.app.state import STRAYS_KEY, state_faults
from dagster_project.lib.intake.bucket.plan import MISSING_AT_LEAST, Selection
from dagster_project.lib.monitoring.freshness import Pending, Watch, idle_runs, settle
from dagster_project.lib.publish.release.pointing import current_release
from dagster_project.settings import from_environment

# Looking at a folder costs next to nothing; on S3 each look is one paid listing a community.
# The daemon wakes every 5 s: an interval of 5 s, which is never quite over by then, would be one of 10.
IN_S3 = from_environment().drop_url.startswith("s3://")
LOOK_EVERY_SECONDS = 19 if IN_S3 else 4
# At a folder with news there is a second look at once: what is still written then is waited for by the run as well,
# which takes longer than this to start.
LOOK_AGAIN_SECONDS = None if IN_S3 else 2
# A bucket that never rests is taken all the same after a minute of looks.
MOST_LOOKS = 60 // (LOOK_EVERY_SECONDS + 1) * (1 if IN_S3 else 2)
# A run writes its last events after it let go of the lock; three looks are far longer than that.
IDLE_LOOKS = 3
WAITING = [dg.DagsterRunStatus.QUEUED, dg.DagsterRunStatus.NOT_STARTED, dg.DagsterRunStatus.STARTING]
RUNNING = [dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING]

reminders = dg.define_asset_job(
    "reminders",
    selection=dg.AssetSelection.checks(look_at_bucket),
    executor_def=dg.in_process_executor,
    description="List the bucket and say who is late or due within two weeks; reads no file, publishes nothing.",
)
every_morning = dg.ScheduleDefinition(
    name="every_morning",
    job=reminders,
    cron_schedule="0 6 * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Deadlines and reminders, once a day.",
)


@dg.op(out=dg.Out(dg.Nothing), description="Delete old runs of builds and reminders, with their events.")
def forget_old_runs(context: dg.OpExecutionContext) -> None:
    """Runs of intake stay: the partitions of `lake/submissions` are known from them alone."""
    # The age of a run is its own; it has nothing to do with the day that figures are computed for.
    now = dt.datetime.now(dt.UTC)
    gone = forget_runs(context.instance, from_environment(), (build.name, *LOOKING), now)
    context.log.info(f"{len(gone)} old runs deleted")


@dg.job(executor_def=dg.in_process_executor)
def tidy_history() -> None:
    """Delete Dagster's record of builds and reminders that is older than CRADLE_RUNS_KEPT_DAYS; no data is touched."""
    forget_old_runs()


every_week = dg.ScheduleDefinition(
    name="every_week",
    job=tidy_history,
    cron_schedule="0 5 * * 0",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Old history, once a week.",
)
LOOKING = (reminders.name, tidy_history.name)
"""Jobs that write nothing of the house, so that nobody waits for them."""
conditions = dg.AutomationConditionSensorDefinition(
    "conditions",
    target=dg.AssetSelection.all(),
    default_status=dg.DefaultSensorStatus.STOPPED,
    description="The assets' own automation conditions. Stopped: the sensor `bucket` also follows changed seeds, code "
    "and days, which are no event of an asset. Turn on one of the two.",
)


@dg.sensor(
    name="bucket",
    jobs=[ingest, build],
    minimum_interval_seconds=LOOK_EVERY_SECONDS,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Asks for an intake of what changed in the bucket once it has settled, then for one build if the "
    "current release does not hold what stands. Both are told by content: no time is read or kept.",
)
def bucket(context: dg.SensorEvaluationContext) -> dg.SensorResult:
    """One look at the bucket, the ledger, the current release and the unfinished runs."""
    what_is_loaded_stays()
    pipeline = Pipeline(from_environment())
    watch, dead = _dead_runs(context, pipeline, Watch.load(context.cursor))
    if dead:
        return _skipped(watch, f"closed {len(dead)} runs whose process had died")
    if faults := state_faults(pipeline.lake):
        return _skipped(watch, "; ".join(faults.values()))
    unfinished = _unfinished(context.instance, [*WAITING, *RUNNING])
    if unfinished:
        # What waits is left to settle while a run goes on: it changes with every folder that the run takes.
        return _skipped(watch, f"{len(unfinished)} runs are not finished yet")
    waits, watch, ask = _looked(pipeline, watch)
    if waits and ask:
        return dg.SensorResult([_intake_request(context.instance, waits)], cursor=watch.dump())
    if waits:
        asked = waits.fingerprint == watch.asked
        why = "were asked for in a run that failed; run it again" if asked else "changed and are left to settle"
        return _skipped(watch, f"{waits.n_folders} folders {why}")
    return _follow(context.instance, pipeline, watch)


def _looked(pipeline: Pipeline, watch: Watch) -> tuple[Pending | None, Watch, bool]:
    """What waits, what to remember of it, and whether it is asked for: after a second look where the first saw news."""
    waits = pipeline.pending()
    watch, ask = settle(watch, waits.fingerprint if waits else None, MOST_LOOKS)
    if waits and not ask and watch.looks and LOOK_AGAIN_SECONDS is not None:
        sleep(LOOK_AGAIN_SECONDS)
        waits = pipeline.pending()
        watch, ask = settle(watch, waits.fingerprint if waits else None, MOST_LOOKS)
    return waits, watch, ask


def _skipped(watch: Watch, why: str) -> dg.SensorResult:
    return dg.SensorResult(skip_reason=why, cursor=watch.dump())


def _intake_request(instance: dg.DagsterInstance, waits: Pending) -> dg.RunRequest:
    selection = Selection(frozenset(waits.communities), frozenset(waits.years))
    if waits.n_withdrawn >= MISSING_AT_LEAST:
        # What is missing is held against the whole bucket, not against the places of those that are missing.
        selection = Selection()
    # The same can wait once more after it was undone: the count of intakes tells one time from the other.
    made = instance.get_runs_count(dg.RunsFilter(job_name=ingest.name))
    return dg.RunRequest(
        run_key=f"intake-{waits.fingerprint}-{made}",
        job_name=ingest.name,
        run_config=selection_config(selection, build=True),
        tags={"cradle/folders": str(waits.n_folders)},
    )


def _follow(instance: dg.DagsterInstance, pipeline: Pipeline, watch: Watch) -> dg.SensorResult:
    """Ask for one build if the current release was not made from exactly what stands now."""
    if pipeline.lake.get_or_none(STRAYS_KEY) is None:
        return _skipped(watch, "nothing was ever taken in")
    facts = pipeline.release_facts()
    wanted = facts.inputs_sha256
    if pipeline.is_current(facts):
        current = current_release(pipeline.published)
        return _skipped(replace(watch, built=""), f"nothing new; {current} is what stands")
    if watch.built == wanted:
        return _skipped(watch, "the build of what stands failed; correct what its checks name and run it again")
    # The same inputs can come back after others: the count of builds tells one time from the other.
    made = instance.get_runs_count(dg.RunsFilter(job_name=build.name, statuses=[dg.DagsterRunStatus.SUCCESS]))
    request = dg.RunRequest(run_key=f"build-{wanted[:32]}-{made}", job_name=build.name)
    return dg.SensorResult([request], cursor=replace(watch, built=wanted).dump())


def _unfinished(instance: dg.DagsterInstance, statuses: Sequence[dg.DagsterRunStatus]) -> list[dg.DagsterRun]:
    runs = instance.get_runs(dg.RunsFilter(statuses=list(statuses)))
    return [run for run in runs if run.job_name not in LOOKING]


def _dead_runs(
    context: dg.SensorEvaluationContext, pipeline: Pipeline, watch: Watch
) -> tuple[Watch, list[dg.DagsterRun]]:
    """Close runs that count as running while nobody holds the lock that every running one holds."""
    running = {run.run_id: run for run in _unfinished(context.instance, RUNNING)}
    watch, dead = idle_runs(watch, list(running), somebody_writes(pipeline.settings), IDLE_LOOKS)
    for run_id in dead:
        context.instance.report_run_failed(
            running[run_id], "Its process died. What it wrote is whole; the next run goes on from there."
        )
    # What died is asked for again: by Dagster's own retries, and by the next look if it was not started by a sensor.
    return (replace(watch, asked="", built="") if dead else watch), [running[run_id] for run_id in dead]
