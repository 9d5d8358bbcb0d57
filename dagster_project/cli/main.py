"""The command line: every command calls what the assets call.

Belongs here: arguments, exit codes, progress, and one line and a hint for every error.
Does not: any work of its own (lib/), Dagster's jobs (defs/, instance/runs.py).
"""

from __future__ import annotations

import json
import re
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from dagster_project.cli.base import (
    FULL_HINT,
    CradleError,
    asking_a_release,
    communities_option,
    held_by_release,
    is_full,
    known_communities,
    known_year,
    settings,
)
from dagster_project.cli.bucket import COMMANDS as BUCKET_COMMANDS
from dagster_project.cli.cycle import COMMANDS as CYCLE_COMMANDS
from dagster_project.cli.forgetting import COMMANDS as FORGET_COMMANDS
from dagster_project.cli.intake import COMMANDS as INTAKE_COMMANDS
from dagster_project.cli.progress import shown_progress
from dagster_project.cli.public import COMMANDS as PUBLIC_COMMANDS
from dagster_project.cli.public import PUBLIC_HINT, public_failed, publish_if_outdated, tell_public
from dagster_project.cli.release import COMMANDS as RELEASE_COMMANDS
from dagster_project.cli.report import COMMANDS as REPORT_COMMANDS
from dagster_project.cli.retention import COMMANDS as RETENTION_COMMANDS
from dagster_project.cli.seeds import COMMANDS as SEED_COMMANDS
from dagster_project.cli.serve import COMMANDS as SERVE_COMMANDS
from dagster_project.cli.server import serve_current
from dagster_project.cli.worklist import COMMANDS as WORKLIST_COMMANDS
from dagster_project.lib.base.shown import visible
from dagster_project.settings import Settings

if TYPE_CHECKING:
    from dagster_project.lib.app.stands.house import WhatStands

SUBMISSION_DOMAIN = "submission_status"
YEARS = re.compile(r"(\d{4})(?:\.\.(\d{4}))?", re.ASCII)
LEFT_WORDS = {
    "still_written": "still being written; the next run takes it",
    "file_not_read": "the file cannot be read; what was taken before stands",
    "folder_not_read": "the folder cannot be looked into; what was taken before stands",
    "odd_name": "the name cannot be kept; the file was not read",
}


class _Told(click.Group):
    """Commands; faults of reference data, of kept state and a full disk are told in one line, whichever meets them."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command."""
        from dagster_project.lib.base.reference import SeedError
        from dagster_project.lib.base.state import StateError
        from dagster_project.lib.intake.layouts.declaration import LayoutError

        try:
            return super().invoke(ctx)
        except (SeedError, LayoutError) as error:
            raise CradleError(str(error), "correct the file and run again; cradle doctor lists all faults", 2) from None
        except StateError as error:
            raise CradleError(str(error), "cradle doctor looks at everything that is kept") from None
        except Exception as error:
            if isinstance(error, CradleError) or not is_full(error):
                raise
            raise CradleError(f"the disk is full ({_first_line(error)})", FULL_HINT) from None


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]


@click.group(cls=_Told, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="cradle-warehouse")
def cli() -> None:
    """The warehouse of a network of cradle-to-career communities."""


def parse_years(text: str | None) -> frozenset[int] | None:
    """`2015..2024` or `2020` as years; a usage error otherwise."""
    if text is None:
        return None
    match = YEARS.fullmatch(text.strip())
    if not match:
        raise CradleError(f"--years {text} is not a range of years", "write 2015..2024 or 2020", 2)
    first, last = int(match[1]), int(match[2] or match[1])
    if last < first:
        raise CradleError(f"--years {text} runs backwards", "write the earlier year first", 2)
    return frozenset(range(first, last + 1))


@cli.command()
@communities_option("Only this community")
@click.option("--years", metavar="2015..2024", help="Only these reporting years.")
@click.option("--since-last", is_flag=True, help="Within the selection, only what changed since the last run.")
@click.option("--accept-withdrawals", is_flag=True, help="Go on although very many folders are missing at once.")
def run(communities: tuple[str, ...], years: str | None, since_last: bool, accept_withdrawals: bool) -> None:
    """The main job: from the bucket to a published release.

    Without a selection only folders that changed are taken; a selection takes its folders again. Where the bucket is
    empty, or so many folders are missing that it seems at fault, the run stops before it changes anything.
    """
    from dagster_project.lib.intake.bucket.plan import Selection

    config = settings()
    chosen_years = parse_years(years)
    _sound_reference(config, communities, chosen_years)
    again = bool(communities or chosen_years) and not since_last
    selection = Selection(frozenset(communities) or None, chosen_years, again, accept_withdrawals)
    with shown_progress():
        _run(config, selection)


def _sound_reference(config: Settings, communities: tuple[str, ...], years: frozenset[int] | None) -> None:
    """Reference data that hold together, and a selection that chooses something."""
    from dagster_project.lib.app.ready import require_ready
    from dagster_project.lib.base.reference import Reference

    reference = Reference(config.seeds)
    require_ready(reference, config.today, config.work)
    known_communities(reference, communities)
    known = reference.reporting_years(config.today)
    if years is not None and years.isdisjoint(known):
        # A range may reach beyond them; one without any would be a run that does nothing and ends well.
        known_year(known, min(years))


def _run(config: Settings, selection: Any) -> None:
    from dagster_project.instance.runs import RunFailedError, only_one, run_job, selection_config
    from dagster_project.lib.app.stands.house import WhatStands
    from dagster_project.lib.base.store import StoreError
    from dagster_project.lib.intake.bucket.plan import BucketFaultError
    from dagster_project.lib.publish.release.pointing import current_release

    try:
        with only_one(config):
            house = WhatStands(config)
            _reachable(house)
            before = current_release(house.published)
            if house.nothing_new(selection):
                house.fix_path()
                click.echo("Nothing new: the current release holds exactly what stands now.")
                publish_if_outdated(config)
            else:
                # The build follows at once: it gathers the lake, so the receipts are written there.
                run_job(config, "ingest", selection_config(selection, receipts_of=0))
                stands = WhatStands(config)
                if stands.up_to_date() is None or stands.undelivered() or stands.receipts_astray():
                    run_job(config, "build")
                if before is not None and current_release(house.published) == before:
                    click.echo("No new release: tables and pages are those of the current one.")
            current = current_release(house.published)
            serve_current(config)
    except BucketFaultError as error:
        hint = "check CRADLE_DROP_URL and that the bucket is mounted; if members did take all that back: cradle run "
        raise CradleError(str(error), f"{hint}--accept-withdrawals") from None
    except (RunFailedError, StoreError) as error:
        if not public_failed(error):
            hint = FULL_HINT if is_full(error) else "the Dagster UI (make dev) shows the whole run"
            raise CradleError(str(error), hint) from None
        _tell_release(config, current_release(house.published))
        _tell_left(house)
        raise CradleError(str(error), PUBLIC_HINT) from None
    _tell_release(config, current)
    _tell_left(house)


def _reachable(house: WhatStands) -> None:
    from dagster_project.lib.base.store import StoreError

    try:
        _ = house.drop
    except StoreError as error:
        raise CradleError(str(error), "check CRADLE_DROP_URL: it names the folder of the drop bucket") from None


def _tell_left(house: WhatStands) -> None:
    """What was left as it stood, and whose receipts could not be written: exit 1 for these, they were asked for."""
    for row in house.left().iter_rows(named=True):
        place = f"{row['community_id']}/{row['reporting_year']}/{row['source_file'] or ''}"
        why = LEFT_WORDS.get(row["rule_id"], row["rule_id"].replace("_", " "))
        found = "" if row["found"] == row["source_file"] else f" ({row['found']})"
        click.echo(visible(f"left     {place}: {why}{found}"), err=True)
    failed = sorted(house.undelivered().items())
    for (community, year), reason in failed:
        click.echo(visible(f"refused  the receipt of {community}/{year}: {reason}"), err=True)
    if failed:
        receipts = "1 receipt was" if len(failed) == 1 else f"{len(failed):,} receipts were"
        raise CradleError(
            f"{receipts} not written; everything else was done and is published",
            "mend the folders of the outbox named above and run again",
        )


def _tell_release(config: Settings, release_id: str | None) -> None:
    from dagster_project.lib.base.store import Store
    from dagster_project.lib.publish.release.pointing import summary_key

    click.echo(f"Release  {config.publish_url}/releases/{release_id}")
    if Store(config.publish_url, config.s3_endpoint).size(summary_key(str(release_id))) is not None:
        click.echo(f"Changes  {config.publish_url}/{summary_key(str(release_id))}")
    click.echo(f"Report   {config.publish_url}/releases/{release_id}/report/index.html")
    click.echo(f"BI tools {config.publish_url}/current.duckdb")
    click.echo(f"Receipts {config.outbox_url}")
    click.echo("Runs     make dev, then http://127.0.0.1:3000")
    tell_public(config)
    _tell_empty(config, release_id)


def _tell_empty(config: Settings, release_id: str | None) -> None:
    """A release of no folder at all is what a mistyped prefix of a bucket gives, where nothing stood before."""
    from dagster_project.lib.base.store import Store
    from dagster_project.lib.publish.release.pointing import read_manifest

    if release_id is None:
        return
    inputs = read_manifest(Store(config.publish_url, config.s3_endpoint), release_id)["inputs"]
    if not any(row["submission_id"] for row in inputs):
        click.echo(
            f"empty    no folder {{community_id}}/{{year}} lies in {config.drop_url}: is it the bucket?", err=True
        )


@cli.command()
@click.option("--year", type=int, help="Only this reporting year.")
@communities_option("Only this community")
@click.option("--status", "wanted", metavar="STATUS", help="Only folders of this status.")
@click.option("--json", "as_json", is_flag=True, help="Print rows of fct_submission_status as JSON.")
def status(year: int | None, communities: tuple[str, ...], wanted: str | None, as_json: bool) -> None:
    """Who has submitted what, from the current release; last, totals of each reporting year with its due date.

    Of communities that are named it also tells which dimensions of their core indicators have values in the latest
    school years, and which criteria wait for one.
    """
    config = settings()
    _known_status(config, year, communities, wanted)
    rows = _rows(
        "select * from marts.fct_submission_status "
        "where (? is null or reporting_year = ?) and (? is null or status = ?)"
        " and (len(?) = 0 or list_contains(?, community_id)) order by reporting_year, community_id",
        [year, year, wanted, wanted, list(communities), list(communities)],
    )
    if as_json:
        click.echo(json.dumps(rows, ensure_ascii=False, indent=1, default=str))
        return
    for row in rows:
        click.echo(
            f"{row['reporting_year']}  {row['community_id']:<28} {row['status']:<22} "
            f"{row['rows_accepted'] or 0:>6} of {row['rows_read'] or 0:>6} rows"
            f"{'' if not row['findings_open'] else f'  {row_questions(row)}'}"
        )
    for line in total_lines(rows):
        click.echo(line)
    if communities:
        _tell_coverage(communities)


def _tell_coverage(communities: tuple[str, ...]) -> None:
    from dagster_project.lib.monitoring.coverage import coverage_lines

    query = "select * from marts.rpt_coverage where list_contains(?, community_id)"
    for line in coverage_lines(_rows(query, [list(communities)])):
        click.echo(line)


def _known_status(config: Settings, year: int | None, communities: tuple[str, ...], wanted: str | None) -> None:
    """A usage error for a year, a community or a status that there is not, in the seeds or in the current release."""
    from dagster_project.lib.base.reference import Reference

    reference = Reference(config.seeds)
    if year is not None:
        known_year(reference.reporting_years(config.today), year)
    known_communities(reference, communities)
    held_by_release(config, year, communities)
    words = reference.table("dictionary/statuses").filter(domain=SUBMISSION_DOMAIN)["status"].to_list()
    if wanted is not None and wanted not in words:
        raise CradleError(f"{wanted} is not a status of a folder", f"they are {', '.join(words)}", 2)


def total_lines(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """One line a reporting year: how many communities' folders are of which status, when due, and what they hold."""
    lines = [] if rows else ["No folder is like that."]
    for year in sorted({row["reporting_year"] for row in rows}):
        mine = [row for row in rows if row["reporting_year"] == year]
        counts = Counter(row["status"] for row in mine)
        words = ", ".join(f"{n:,} {status.replace('_', ' ')}" for status, n in sorted(counts.items()))
        due = min((row["due_on"] for row in mine if row["due_on"] is not None), default=None)
        accepted, questions = (sum(row[name] or 0 for row in mine) for name in ("rows_accepted", "findings_open"))
        when = f"due on {due}" if due is not None else "no due date"
        expected = "1 community" if len(mine) == 1 else f"{len(mine):,} communities"
        asked = "1 open question" if questions == 1 else f"{questions:,} open questions"
        taken = "1 row" if accepted == 1 else f"{accepted:,} rows"
        lines.append(f"Total {year}: {expected}, {when}: {words}; {taken} accepted, {asked}")
    return lines


def row_questions(row: dict[str, Any]) -> str:
    """Open questions of a status row in words."""
    number = row["findings_open"]
    return f"{number} open question{'' if number == 1 else 's'}"


def _rows(query: str, parameters: list[Any]) -> list[dict[str, Any]]:
    from dagster_project.lib.publish.release.opening import open_release

    with asking_a_release(), open_release(settings()) as connection:
        return connection.execute(query, parameters).pl().to_dicts()


@cli.command()
def doctor() -> None:
    """Check settings, folders, tools and the current release; exit 1 if something is wrong."""
    from dagster_project.lib.app.doctor import examine

    lines = examine(settings())
    for line in lines:
        click.echo(f"{'ok  ' if line.ok else 'BAD '} {line.what}: {line.found}")
        if not line.ok:
            click.echo(f"     hint: {line.hint}")
    if not all(line.ok for line in lines):
        sys.exit(1)


for _command in (
    *BUCKET_COMMANDS,
    *INTAKE_COMMANDS,
    *RELEASE_COMMANDS,
    *REPORT_COMMANDS,
    *RETENTION_COMMANDS,
    *PUBLIC_COMMANDS,
    *CYCLE_COMMANDS,
    *SEED_COMMANDS,
    *FORGET_COMMANDS,
    *SERVE_COMMANDS,
    *WORKLIST_COMMANDS,
):
    cli.add_command(_command)


def main() -> None:
    """Entry point: no traceback reaches the user for an error that is not a fault of the program."""
    cli()
