"""Commands for members and for labels: check, template, suggest.

Belongs here: arguments, exit codes and output of these commands.
Does not: any work of its own (lib/intake), other commands (cli/main.py).
"""

from __future__ import annotations

import datetime as dt
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dagster_project.cli.base import CradleError, communities_option, known_communities, settings
from dagster_project.cli.progress import shown_progress
from dagster_project.settings import Settings

if TYPE_CHECKING:
    from dagster_project.lib.base.engine import Connection
    from dagster_project.lib.base.reference import Reference
    from dagster_project.lib.intake.batch import Intake
    from dagster_project.lib.member.check import Checked, Compare, History
    from dagster_project.lib.member.suggest import Proposal

UNCLEAN, USAGE = 1, 2
PUBLIC_ENDING = ".duckdb"
"""By which a public edition's database is told from the id of a release."""


def _intake(config: Settings, community: str, year: int, ahead: int = 0) -> Intake:
    """What intake needs; a usage error for a community or year (`ahead` years early) that the network does not have."""
    from dagster_project.lib.app.ready import require_ready
    from dagster_project.lib.base.names import NETWORK_FOLDER
    from dagster_project.lib.base.reference import Reference
    from dagster_project.lib.base.ruleset import in_force_on
    from dagster_project.lib.intake.batch import Intake
    from dagster_project.lib.intake.reading.limits import Limits

    reference = Reference(config.seeds)
    require_ready(reference, config.today)
    known_communities(reference, [community], NETWORK_FOLDER)
    years = reference.reporting_years(config.today)
    first, last = years.start, years.stop - 1 + ahead
    if not first <= year <= last:
        raise CradleError(f"{year} is not a reporting year", f"they run from {first} to {last}", USAGE)
    return Intake(reference, Limits(file_bytes=config.max_file_bytes), in_force_on(reference, config.today))


@contextmanager
def _release(config: Settings, release_id: str | None = None) -> Iterator[Connection]:
    from dagster_project.lib.publish.release.opening import open_release
    from dagster_project.lib.publish.release.pointing import ReleaseMissingError

    try:
        with open_release(config, release_id) as connection:
            yield connection
    except ReleaseMissingError as error:
        hint = "see its folder releases/, or name `current`" if release_id else "cradle run makes the first release"
        raise CradleError(str(error), hint, USAGE) from None


def _history(config: Settings, against: str | None) -> History | None:
    from dagster_project.lib.member.check import NoHistoryError, history_of

    if against is None:
        return None
    if against.endswith(PUBLIC_ENDING):
        return _public_history(Path(against))
    with _release(config, None if against == "current" else against) as connection:
        try:
            return history_of(connection)
        except NoHistoryError as error:
            raise CradleError(f"release {against}: {error}", "name a newer release", USAGE) from None


def _public_history(database: Path) -> History:
    from dagster_project.lib.base import engine
    from dagster_project.lib.member.check import NoHistoryError
    from dagster_project.lib.member.public_history import public_history

    hint = "name the public.duckdb of a public edition, as it was downloaded"
    if not database.is_file():
        raise CradleError(f"there is no file {database}", hint, USAGE)
    try:
        with engine.opened(database) as connection:
            return public_history(connection)
    except (NoHistoryError, engine.EngineError) as error:
        raise CradleError(f"{database}: {str(error).splitlines()[0]}", hint, USAGE) from None


def _comparisons(reference: Reference, today: dt.date) -> Compare:
    """The comparisons between rows, years and members, with the thresholds of the ruleset in force."""
    from dagster_project.lib.base.ruleset import in_force_on, read_ruleset
    from dagster_project.lib.intake.comparing.comparisons import compare_submissions

    limits = read_ruleset(reference, in_force_on(reference, today)).comparison
    return lambda observations: compare_submissions(observations, reference, limits)


@click.command()
@click.argument("path", type=click.Path(exists=True, path_type=Path))
@click.option("--community", required=True, metavar="ID", help="The community whose folder this would be.")
@click.option("--year", required=True, type=int, metavar="Y", help="The reporting year of the folder.")
@click.option(
    "--against", metavar="RELEASE",
    help="Compare with the earlier values of a release (an id, or current), or of a public edition (public.duckdb).",
)  # fmt: skip
@click.option("--changes", is_flag=True, help="Say what the folder would change in that release (takes a while).")
@click.option("--json", "as_json", is_flag=True, help="Print the receipt.")
@click.option("--progress", is_flag=True, help="Say on standard error how far it is.")
def check(
    path: Path, community: str, year: int, against: str | None, changes: bool, as_json: bool, progress: bool
) -> None:
    """The checks of intake on a file or folder of this machine, offline; nothing is written.

    Exit code 0: no fatal or error finding; 1: at least one; 2: usage.
    """
    from dagster_project.lib.base.store import StoreError
    from dagster_project.lib.member.check import NothingToCheckError, examine, is_clean, receipt_lines
    from dagster_project.lib.receipts.receipts import as_json as receipt_json

    config = settings()
    if changes:
        _refuse_changes(community, against)
    intake = _intake(config, community, year)
    history = _history(config, against)
    try:
        with shown_progress() if progress else nullcontext():
            checked = examine(path, community, year, intake, history, _comparisons(intake.reference, config.today))
    except (NothingToCheckError, StoreError) as error:
        raise CradleError(str(error), "name a file, or a folder that holds the files of one year", USAGE) from None
    receipt = checked.receipt
    if changes and against:
        receipt["changes"] = _predicted(config, against, checked)
    if as_json:
        click.echo(receipt_json(receipt).decode(), nl=False)
    else:
        for line in receipt_lines(receipt):
            click.echo(line)
    if not is_clean(receipt):
        sys.exit(UNCLEAN)


def _refuse_changes(community: str, against: str | None) -> None:
    from dagster_project.lib.base.names import NETWORK_FOLDER

    if against is None:
        raise CradleError("--changes needs a release to compare with", "add --against current", USAGE)
    if against.endswith(PUBLIC_ENDING):
        raise CradleError("a public edition does not hold what --changes computes from", "leave --changes out", USAGE)
    if community == NETWORK_FOLDER:
        hint = "see cradle compare for two releases"
        raise CradleError("--changes speaks of one community; the network's own folder moves all of them", hint, USAGE)


def _predicted(config: Settings, against: str, checked: Checked) -> dict[str, Any]:
    from dagster_project.cli.release import database_of, manifest_of_release
    from dagster_project.lib.app.prediction import Released, predict
    from dagster_project.lib.base.reference import Reference
    from dagster_project.lib.receipts.difference import Side, as_named_now
    from dagster_project.lib.warehouse.dbt_run import WarehouseError

    manifest = manifest_of_release(config, None if against == "current" else against)
    release = Side(manifest, database_of(config, manifest))
    try:
        with as_named_now(release, Reference(config.seeds).names) as was:
            return predict(config, Released(was.database, was.manifest), checked)
    except WarehouseError as error:
        raise CradleError(str(error), "check without --changes for the findings of the folder alone") from None


@click.command()
@click.option("--community", required=True, metavar="ID", help="The community that is to fill it in.")
@click.option("--year", required=True, type=int, metavar="Y", help="The reporting year it is for.")
@click.option(
    "-o", "--output", required=True, type=click.Path(dir_okay=False, path_type=Path), metavar="FILE.xlsx",
    help="Where the workbook is written.",
)  # fmt: skip
def template(community: str, year: int, output: Path) -> None:
    """A workbook to fill in, prepared from the community's own last accepted values and its registers."""
    from dagster_project.lib.base.store import Store, StoreError
    from dagster_project.lib.member.prefilled import last_registers
    from dagster_project.lib.member.template import last_values, template_workbook
    from dagster_project.lib.publish.release.pointing import current_release

    config = settings()
    if output.suffix.lower() != ".xlsx":
        raise CradleError(f"{output} does not end in .xlsx", "name the file FILE.xlsx", USAGE)
    intake = _intake(config, community, year, ahead=1)
    before, registers = None, None
    try:
        if current_release(Store(config.publish_url, config.s3_endpoint)) is not None:
            with _release(config) as connection:
                # A rename may be younger than the release, which then has the community under a former id.
                for known_as in intake.reference.names.all_of(community):
                    before = last_values(connection, known_as, year)
                    registers = last_registers(connection, known_as, year)
                    if before.height or registers:
                        break
        output.write_bytes(template_workbook(community, year, intake, before, registers))
    except (StoreError, OSError) as error:
        raise CradleError(f"cannot write {output}: {error}", "name a file in a folder that exists", USAGE) from None
    source = "without earlier values" if before is None or not before.height else "with last values as comments"
    filled = f", {len(registers)} registers as they stand" if registers else ""
    click.echo(f"Wrote {output} ({source}{filled}).")


@click.command()
@communities_option("Only labels of this community")
def suggest(communities: tuple[str, ...]) -> None:
    """Proposals for labels that no crosswalk maps, with the line of CSV that would map them.

    Where even the nearest label is not near enough none fits. What a line would clash with is said below it.
    """
    from dagster_project.lib.base.reference import Reference
    from dagster_project.lib.base.shown import visible
    from dagster_project.lib.intake.rows.codes import CodeTables
    from dagster_project.lib.member.suggest import held_values, propose, waiting_rows

    config = settings()
    reference = Reference(config.seeds)
    known_communities(reference, communities)
    with _release(config) as connection:
        waiting, held = (reference.names.read(rows(connection)) for rows in (waiting_rows, held_values))
    if communities:
        waiting = waiting.filter(waiting["community_id"].is_in(communities))
    proposals = propose(waiting, reference, CodeTables.of(reference), held=held)
    if not proposals:
        click.echo("No label waits.")
    asked = ""
    for proposal in proposals:
        rows = f"{proposal.n_rows:,} row{'' if proposal.n_rows == 1 else 's'}"
        head = f'{proposal.kind} "{visible(proposal.label)}": {rows} of {", ".join(proposal.communities)}'
        if head != asked:
            click.echo(head)
            asked = head
        for line in _proposal_lines(proposal):
            click.echo(f"  {line}")


def _proposal_lines(proposal: Proposal) -> list[str]:
    from dagster_project.lib.base.shown import visible
    from dagster_project.lib.member.suggest import LEAST

    like = f'"{visible(proposal.nearest_label)}"' if proposal.nearest_label else "nothing known"
    if proposal.code is None:
        score = f"{proposal.score:.2f}, a proposal needs {LEAST:.2f}"
        nearest = f"the nearest, {like}, scores {score}" if proposal.nearest_label else "nothing is alike"
        return [f"none fits: {nearest}; a line of {proposal.file} maps it to the code that you know it to be"]
    lines = [f"{proposal.score:.2f}  {proposal.code} (as {like}); add to {proposal.file}:", f"      {proposal.line}"]
    return [*lines, *([f"      but look first: {visible(proposal.clash)}"] if proposal.clash else [])]


COMMANDS: list[click.Command] = [check, template, suggest]
