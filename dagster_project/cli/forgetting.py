"""The command that forgets: a submission with all that was made of it, or the search for files to forget.

Belongs here: arguments, exit codes and plain-text output of `cradle forget`.
Does not: what is deleted (lib/app/forgetting.py), what counts as data on persons (lib/intake/reading/person_level).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from dagster_project.cli.base import CradleError, settings
from dagster_project.cli.server import serve_current
from dagster_project.lib.base.shown import some, visible
from dagster_project.settings import Settings

if TYPE_CHECKING:
    from dagster_project.lib.app.forgetting import Forgetting

SHOWN = 8


@click.command()
@click.argument("submission", required=False)
@click.option("--scan", is_flag=True, help="Judge every kept file by the present rules and list what to forget.")
@click.option("--dry-run", is_flag=True, help="Say what would go, and delete nothing.")
@click.option("--reason", default="", help="Why, in a sentence; kept beside the releases that are withdrawn.")
def forget(submission: str | None, scan: bool, dry_run: bool, reason: str) -> None:
    """Delete a withdrawn SUBMISSION, or the refused files of one that stands, and all that was derived from them.

    Raw bytes go unless another submission holds the same. Receipts, marked copies and runs that speak of it are
    deleted; every internal and public release that holds it is withdrawn and loses its data files, a final one too.
    With --scan: exit 1 where a kept file would be refused today.
    """
    config = settings()
    if scan == (submission is not None):
        raise CradleError(
            "forget takes a submission or --scan", "its id stands on the receipt and in dim_submission", 2
        )
    if submission is None:
        _scan(config)
        return
    _forget(config, submission, reason, dry_run)


def _forget(config: Settings, submission: str, reason: str, dry_run: bool) -> None:
    from dagster_project.instance.runs import forget_these, only_one
    from dagster_project.lib.app.forgetting import ForgetError, Forgetter
    from dagster_project.lib.base.store import StoreError

    forgetter = Forgetter(config)
    try:
        with only_one(config):
            plan = forgetter.plan(submission)
            plan = replace(plan, runs=tuple(dict.fromkeys([*plan.runs, *_marked(config, plan)])))
            if not dry_run:
                # Dagster's words go first: once the bytes are gone nothing says any more which runs to look for.
                runs = forget_these(config, plan.runs)
                told = forgetter.carry_out(plan, reason or f"submission {submission} was forgotten")
    except ForgetError as error:
        raise CradleError(str(error), "cradle status lists what stands", 2) from None
    except StoreError as error:
        raise CradleError(
            str(error), "check the folder or bucket and its rights; then run the same command again"
        ) from None
    for line in _planned(plan) if dry_run else [*told, *_done(plan, len(runs))]:
        click.echo(visible(line))
    if not dry_run:
        serve_current(config)


def _marked(config: Settings, plan: Forgetting) -> list[str]:
    """Builds that said of the submission what its receipt says: its first findings quote its files."""
    import dagster as dg

    from dagster_project.defs.checks import SUBMISSIONS
    from dagster_project.instance.marks import runs_that_marked
    from dagster_project.instance.runs import prepare_dagster_home
    from dagster_project.partitions import partition_key

    prepare_dagster_home(config)
    key = partition_key(plan.community_id, plan.reporting_year)
    with dg.DagsterInstance.get() as instance:
        return runs_that_marked(instance, SUBMISSIONS, key, plan.submission_id)


def _planned(plan: Forgetting) -> Iterator[str]:
    yield from _files(plan, "would be deleted")
    for release_id in plan.releases:
        yield f"Release  {release_id} would be withdrawn and lose its data files"
    for public_id in plan.public_releases:
        yield f"Public   {public_id} would be taken down"
    yield f"Receipts {len(plan.receipts)} files of the outbox; {len(plan.runs)} runs of Dagster's history"
    yield "Dry run: nothing was deleted."


def _done(plan: Forgetting, n_runs: int) -> Iterator[str]:
    yield from _files(plan, "is deleted")
    yield f"Receipts {len(plan.receipts)} files of the outbox are deleted; {n_runs} runs of Dagster's history"
    yield "Backups, the bucket itself and frozen records are not touched; later releases name the file in schema ops."
    yield "Now run `cradle run`: what still stands is made anew; a folder that was taken back has no receipt any more."


def _files(plan: Forgetting, what: str) -> Iterator[str]:
    for file in plan.files:
        if file.held_by:
            others = some(file.held_by, SHOWN)
            yield f"Kept     {file.name} ({file.sha256[:12]}): also held by submission {others}"
        else:
            yield f"File     {file.name} ({file.sha256[:12]}) {what}"


def _scan(config: Settings) -> None:
    from dagster_project.lib.app.pipeline import Pipeline
    from dagster_project.lib.app.scanning import scan

    pipeline, n = Pipeline(config), 0
    for suspect in scan(pipeline.lake, pipeline.intake):
        n += 1
        place = f"{suspect.community_id}/{suspect.reporting_year}/{suspect.name}"
        click.echo(visible(f"{place} ({suspect.sha256[:12]}): {suspect.why}"))
        if suspect.stands:
            click.echo("  it stands: run `cradle run`, which refuses it now, then forget what was kept of it:")
        for submission_id in suspect.submissions:
            click.echo(f"  cradle forget {submission_id}")
    click.echo(f"{n} kept files would be refused today")
    if n:
        raise SystemExit(1)


COMMANDS = (forget,)
