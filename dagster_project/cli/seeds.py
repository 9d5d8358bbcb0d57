"""Commands about reference data and layouts: seeds upgrade, layout try.

Belongs here: arguments, exit codes and output of these commands.
Does not: any work of its own (lib/base, lib/intake), other commands (cli/main.py).
"""

from __future__ import annotations

from pathlib import Path

import click

from dagster_project.cli.base import CradleError, known_communities, known_year, settings
from dagster_project.lib.base.names import NETWORK_FOLDER

NOT_RECOGNISED, USAGE = 1, 2


@click.group()
def seeds() -> None:
    """The network's reference data."""


@seeds.command()
@click.option("--dry-run", is_flag=True, help="Say what would be added and write nothing.")
def upgrade(dry_run: bool) -> None:
    """Write into CRADLE_SEEDS the files, columns and lines that this version needs and it lacks.

    No cell that stands there is changed.
    """
    from dagster_project.lib.base.reference import SeedError
    from dagster_project.lib.base.seeds.upgrade import additions, write

    config = settings()
    try:
        found = additions(config.seeds, config.today)
        if not dry_run:
            write(config.seeds, found)
    except SeedError as error:
        raise CradleError(str(error), "correct the seed and try again", USAGE) from None
    except OSError as error:
        raise CradleError(f"cannot write {error.filename}: {error.strerror}", "check who may write there") from None
    for addition in found:
        for says in addition.says:
            click.echo(f"{'would add' if dry_run else 'added'} to seeds/{addition.file}.csv: {says}")
    if not found:
        click.echo(f"{config.seeds}: nothing is missing.")
    elif not dry_run:
        click.echo("Look at the new lines; `cradle doctor` says whether all holds together.")


@click.group()
def layout() -> None:
    """Layouts of foreign files (contracts/layouts)."""


@layout.command(name="try")
@click.argument("path", metavar="FILE", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--layout", "layout_id", metavar="ID", help="Try only this layout: an id, or the path of a .sql file.")
@click.option("--community", metavar="ID", help="The community whose folder the file would lie in.")
@click.option("--year", type=int, metavar="Y", help="The reporting year of that folder.")
def try_layout(path: Path, layout_id: str | None, community: str | None, year: int | None) -> None:
    """Show what a layout makes of FILE, row by row, and which rows it leaves out; nothing is written.

    Exit code 0: every sheet has a layout; 1: one has none; 2: usage, or a layout that is wrong.
    """
    from dagster_project.lib.base.reference import Reference
    from dagster_project.lib.base.ruleset import in_force_on
    from dagster_project.lib.intake.batch import Intake
    from dagster_project.lib.intake.reading.limits import Limits
    from dagster_project.lib.member.trial import NoTrialError, lines_of, newest_version, try_file

    if (community is None) != (year is None):
        raise CradleError("--community and --year go together", "name both, or neither", USAGE)
    config = settings()
    reference = Reference(config.seeds)
    folder = None
    if community is not None and year is not None:
        known_communities(reference, [community], NETWORK_FOLDER)
        known_year(reference.reporting_years(config.today), year)
        folder = (community, year)
    intake = Intake(reference, Limits(file_bytes=config.max_file_bytes), in_force_on(reference, config.today))
    try:
        tried = try_file(path, intake, newest_version(year), folder, layout_id)
    except NoTrialError as error:
        raise CradleError(str(error), "name a file such as a member uploads", USAGE) from None
    for line in lines_of(tried):
        click.echo(line)
    if any(sheet.layout_id is None for sheet in tried):
        raise click.exceptions.Exit(NOT_RECOGNISED)


COMMANDS: list[click.Command] = [seeds, layout]
