"""The command of the public edition: publish it, or say what it would withhold.

Belongs here: arguments, exit codes and plain-text output of `public`, and what `run` says of the public edition.
Does not: protecting, auditing or publishing (lib/app/public.py; the job `public` of defs/publish.py runs it).
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from dagster_project.cli.base import CradleError, settings
from dagster_project.cli.server import serve_current
from dagster_project.lib.base.shown import visible
from dagster_project.settings import Settings

if TYPE_CHECKING:
    from dagster_project.lib.publish.public.edition import Candidate

FAILURES_SHOWN = 20
PUBLIC_OP = "publish__public"
PUBLIC_HINT = "the internal release stands; `cradle public --dry-run` lists what the audit found"


def publish_if_outdated(config: Settings) -> None:
    """Where the current release is not public yet, although it should be: the job `public` alone."""
    from dagster_project.instance.runs import run_job
    from dagster_project.lib.app.stands.public import PublicStands

    edition = PublicStands(config)
    if config.public and edition.up_to_date() is None and edition.waiting() is None:
        run_job(config, "public")


def public_failed(error: Exception) -> bool:
    """Whether it is the public edition that stopped a run: everything before it is done."""
    return str(error).startswith(f"step {PUBLIC_OP}: ")


def tell_public(config: Settings) -> None:
    """Where the public edition is, whether the current release waits for its previews, and whose were refused."""
    from dagster_project.lib.app.stands.public import PublicStands
    from dagster_project.lib.publish.public.shown import PAGE, current_public

    if not config.public:
        click.echo("Public   left out (CRADLE_PUBLIC=off)")
        return
    edition = PublicStands(config)
    _tell_unread(config)
    public_id, preview = current_public(edition.places.public), edition.waiting()
    if preview is None:
        click.echo(f"Public   {config.public_url}/releases/{public_id}")
        return
    stays = "nothing is public yet" if public_id is None else f"{public_id} stays public"
    click.echo(
        f"Public   waits: communities have until {preview.public_from - dt.timedelta(days=1)} to look at "
        f"{config.outbox_url}/COMMUNITY/{PAGE}, first written on {preview.first_written_on}; {stays}"
    )
    click.echo("         cradle public --now does not wait")
    for community, reason in sorted(preview.refused.items()):
        click.echo(visible(f"refused  the preview of {community}: {reason}"), err=True)


def _tell_unread(config: Settings) -> None:
    from dagster_project.lib.monitoring.worklist import unread_objections

    for said, message in unread_objections(config):
        click.echo(visible(f"Note: {said}: {message}"), err=True)


@click.command()
@click.option("--dry-run", is_flag=True, help="Write nothing: say what would be withheld and lost, and whether it may.")
@click.option("--json", "as_json", is_flag=True, help="With --dry-run: print the certificate as JSON.")
@click.option("--now", is_flag=True, help="Do not wait for the days that communities have for their previews.")
def public(dry_run: bool, as_json: bool, now: bool) -> None:
    """Protect, audit and publish the public edition of the current release.

    While days of `preview_days` are left, previews are written and nothing is published; --now waives the rest of the
    reporting year's days. --dry-run speaks of hidden cells and is for the house alone. Exit 1 where the audit fails:
    nothing is published.
    """
    config = settings()
    if as_json and not dry_run:
        raise CradleError("--json prints the certificate of a dry run", "add --dry-run", 2)
    if dry_run and now:
        raise CradleError("--now publishes and --dry-run does not", "give one of them", 2)
    if dry_run:
        _dry_run(config, as_json)
        return
    from dagster_project.cli.progress import shown_progress
    from dagster_project.instance.runs import RunFailedError, run_job
    from dagster_project.lib.base.store import StoreError

    if not config.public:
        raise CradleError("CRADLE_PUBLIC=off leaves the public edition out", "set it to on", 2)
    _require_release(config)
    try:
        with shown_progress():
            run_job(config, "public", {"ops": {PUBLIC_OP: {"config": {"now": now}}}})
    except (RunFailedError, StoreError) as error:
        raise CradleError(str(error), PUBLIC_HINT) from None
    serve_current(config)
    tell_public(config)


def _require_release(config: Settings) -> None:
    from dagster_project.lib.app.public import PublicEdition
    from dagster_project.lib.base.reference import SeedError
    from dagster_project.lib.publish.release.pointing import ReleaseMissingError

    try:
        PublicEdition(config).facts()
    except (ReleaseMissingError, SeedError) as error:
        raise CradleError(str(error), "run `cradle run` first") from None


def _dry_run(config: Settings, as_json: bool) -> None:
    from dagster_project.cli.progress import shown_progress
    from dagster_project.instance.runs import only_one
    from dagster_project.lib.app.public import PublicEdition
    from dagster_project.lib.base.reference import SeedError
    from dagster_project.lib.publish.public.edition import failure_lines
    from dagster_project.lib.warehouse.spark import SparkError

    _require_release(config)
    try:
        with only_one(config), shown_progress():
            candidate = PublicEdition(config).candidate()
    except (SeedError, SparkError, ValueError) as error:
        raise CradleError(str(error), "nothing was published") from None
    failed = failure_lines(candidate)
    _tell_unread(config)
    if as_json:
        click.echo(json.dumps(dict(candidate.certificate), ensure_ascii=False, indent=1, default=str))
    else:
        for line in [*dry_run_lines(candidate), *(f"FAILED   {line}" for line in failed[:FAILURES_SHOWN])]:
            click.echo(line)
    if failed:
        raise CradleError(
            f"the audit failed for {len(failed):,} cells; the public edition would not be published",
            "the lines above name cells and sums; the internal release is not touched",
        )


def dry_run_lines(candidate: Candidate) -> list[str]:
    """What would go out and what would be lost, in plain lines: counts first, then by table and community."""
    counts = candidate.counts
    kinds = ", ".join(f"{number:,} {kind.replace('_', ' ')}" for kind, number in counts["cells_by_kind"].items())
    lines = [
        f"Public edition of release {candidate.release_id}: nothing is written. For the house alone.",
        f"Cells    {kinds}",
        f"Audit    {counts['cells_judged']:,} hidden cells of {counts['families']:,} families judged, "
        f"{counts['programs']:,} programs, smallest interval {counts['smallest_interval']}",
        *_share_lines(counts["share_withheld"]),
        f"Verdicts {counts['verdicts_withheld']:,} withheld, {counts['verdicts_implied_by_decisions']:,} implied by "
        "published decisions",
    ]
    out = candidate.certificate["out"]
    if out:
        lines.append(f"Out      {len(out):,} cells that earlier releases or a correction gave away; no longer judged")
    lines += [f"Fallback {' '.join(map(str, line))}" for line in candidate.certificate["fall_backs"]]
    return [*lines, "", "Withheld of each table, by community:", *_lost_lines(candidate.certificate["lost"])]


def _share_lines(shares: Mapping[str, Mapping[str, float | None]]) -> list[str]:
    said = []
    for name, parts in shares.items():
        every, primary = parts["all"], parts.get("primary")
        if every is not None:
            beside = "" if primary is None else f" ({100 * primary:.1f} % by the primary rules alone)"
            said.append(f"Withheld {100 * every:.1f} % of {name}{beside}")
    return said


def _lost_lines(lost: Sequence[Sequence[Any]]) -> list[str]:
    return [f"  {table:<22} {community:<28} {hidden:>6,} of {every:>6,}" for table, community, hidden, every in lost]


COMMANDS: list[click.Command] = [public]
